//! Lines of StableHLO in MLIR's text form.

use nnc_graph::{DType, Direction, Type};
use std::collections::BTreeMap;
use std::fmt::{self, Write};

/// What an element is in MLIR.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Element {
    F32,
    F64,
    I32,
    Pred,
    I64,
    U32,
    U64,
}

impl Element {
    pub(super) fn name(self) -> &'static str {
        match self {
            Element::F32 => "f32",
            Element::F64 => "f64",
            Element::I32 => "i32",
            Element::Pred => "i1",
            Element::I64 => "i64",
            Element::U32 => "ui32",
            Element::U64 => "ui64",
        }
    }

    pub(super) fn is_float(self) -> bool {
        matches!(self, Element::F32 | Element::F64)
    }

    /// How `compare` reads such elements.
    fn compared(self) -> &'static str {
        match self {
            Element::F32 | Element::F64 => "FLOAT",
            Element::I32 | Element::I64 => "SIGNED",
            Element::Pred | Element::U32 | Element::U64 => "UNSIGNED",
        }
    }
}

impl From<DType> for Element {
    fn from(dtype: DType) -> Self {
        match dtype {
            DType::F32 => Element::F32,
            DType::F64 => Element::F64,
            DType::I32 => Element::I32,
            DType::Pred => Element::Pred,
        }
    }
}

/// The type of a tensor of known sizes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Tensor {
    pub(super) element: Element,
    pub(super) dims: Vec<usize>,
}

impl Tensor {
    pub(super) fn new(element: Element, dims: &[usize]) -> Self {
        Self { element, dims: dims.to_vec() }
    }

    pub(super) fn scalar(element: Element) -> Self {
        Self::new(element, &[])
    }

    /// A type of the graph for a number of samples.
    pub(super) fn of(ty: &Type, batch: usize) -> Self {
        Self { element: ty.dtype.into(), dims: ty.dims_at(batch) }
    }

    pub(super) fn with(&self, element: Element) -> Self {
        Self { element, dims: self.dims.clone() }
    }

    pub(super) fn sized(&self, dims: &[usize]) -> Self {
        Self::new(self.element, dims)
    }

    pub(super) fn rank(&self) -> usize {
        self.dims.len()
    }

    /// `3x4xf32`, which can be a part of a name.
    pub(super) fn short(&self) -> String {
        let dims: String = self.dims.iter().map(|n| format!("{n}x")).collect();
        dims + self.element.name()
    }
}

impl fmt::Display for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tensor<{}>", self.short())
    }
}

/// A value that was computed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Value {
    pub(super) name: String,
    pub(super) ty: Tensor,
}

/// The body of a function, line by line, and the functions that it calls.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) text: String,
    depth: usize,
    next: usize,
    /// Functions by their names, whole.
    pub(super) functions: BTreeMap<String, String>,
    /// Where the next line comes from, and what was last said about that.
    origin: String,
    said: String,
}

/// `a, b` of anything.
pub(super) fn list<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|i| i.to_string()).collect::<Vec<_>>().join(", ")
}

/// A text as MLIR's string literal.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        if c == '"' || c == '\\' || c.is_control() {
            let mut bytes = [0; 4];
            for b in c.encode_utf8(&mut bytes).bytes() {
                let _ = write!(out, "\\{b:02X}");
            }
        } else {
            out.push(c);
        }
    }
    out.push('"');
    out
}

/// A text that stays on one line of comment.
fn comment(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect()
}

/// The types of values, with commas.
pub(super) fn types(values: &[Value]) -> String {
    list(values.iter().map(|v| &v.ty))
}

/// The names of values, with commas.
pub(super) fn names(values: &[Value]) -> String {
    list(values.iter().map(|v| &v.name))
}

impl Code {
    pub(super) fn new() -> Self {
        Self {
            text: String::new(),
            depth: 2,
            next: 0,
            functions: BTreeMap::new(),
            origin: String::new(),
            said: String::new(),
        }
    }

    /// A line.
    pub(super) fn line(&mut self, text: &str) {
        if self.origin != self.said {
            self.said.clone_from(&self.origin);
            if !self.said.is_empty() {
                let _ = writeln!(self.text, "{}// {}", "  ".repeat(self.depth), comment(&self.said));
            }
        }
        let _ = writeln!(self.text, "{}{text}", "  ".repeat(self.depth));
    }

    /// Lines further in.
    pub(super) fn inside<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> T {
        self.depth += 1;
        let out = f(self);
        self.depth -= 1;
        out
    }

    /// Says where the following lines come from, unless it was just said.
    pub(super) fn origin(&mut self, said: String) {
        self.origin = said;
    }

    /// A name that is free.
    pub(super) fn free(&mut self) -> String {
        self.next += 1;
        format!("%{}", self.next - 1)
    }

    /// A new value: the operation with operands, attributes and types.
    pub(super) fn value(&mut self, ty: &Tensor, op: &str) -> Value {
        let name = self.free();
        self.line(&format!("{name} = {op}"));
        Value { name, ty: ty.clone() }
    }

    /// An operation of several results, all of whose text but the name is given.
    pub(super) fn values(&mut self, types: &[Tensor], op: &str) -> Vec<Value> {
        let name = self.free();
        let count = types.len();
        if count == 1 {
            self.line(&format!("{name} = {op}"));
            return vec![Value { name, ty: types[0].clone() }];
        }
        self.line(&format!("{name}:{count} = {op}"));
        let of = |(i, ty): (usize, &Tensor)| Value { name: format!("{name}#{i}"), ty: ty.clone() };
        types.iter().enumerate().map(of).collect()
    }

    /// A function of one value that keeps its type.
    pub(super) fn unary(&mut self, op: &str, x: &Value) -> Value {
        self.value(&x.ty, &format!("stablehlo.{op} {} : {}", x.name, x.ty))
    }

    /// A function of two values of one type that keeps it.
    pub(super) fn binary(&mut self, op: &str, a: &Value, b: &Value) -> Value {
        self.value(&a.ty, &format!("stablehlo.{op} {}, {} : {}", a.name, b.name, a.ty))
    }

    /// The same number everywhere; floats by their bits, so that they are exact.
    pub(super) fn fill(&mut self, x: f64, ty: &Tensor) -> Value {
        let literal = match ty.element {
            Element::F32 => format!("0x{:08X}", (x as f32).to_bits()),
            Element::F64 => format!("0x{:016X}", x.to_bits()),
            Element::I32 => format!("{}", x as i32),
            Element::I64 => format!("{}", x as i64),
            Element::Pred => (if x != 0.0 { "true" } else { "false" }).into(),
            Element::U32 => format!("{}", x as u32),
            Element::U64 => format!("{}", x as u64),
        };
        let said =
            if ty.element.is_float() { format!("  // {}", nnc_graph::Bits::from(x)) } else { String::new() };
        self.value(ty, &format!("stablehlo.constant dense<{literal}> : {ty}{said}"))
    }

    /// The same whole number everywhere.
    pub(super) fn whole(&mut self, x: u64, ty: &Tensor) -> Value {
        self.value(ty, &format!("stablehlo.constant dense<{x}> : {ty}"))
    }

    pub(super) fn compare(&mut self, direction: Direction, a: &Value, b: &Value) -> Value {
        let to = a.ty.with(Element::Pred);
        let (how, ty) = (a.ty.element.compared(), &a.ty);
        let op = format!(
            "stablehlo.compare {}, {}, {}, {how} : ({ty}, {ty}) -> {to}",
            direction.name(),
            a.name,
            b.name
        );
        self.value(&to, &op)
    }

    pub(super) fn select(&mut self, pred: &Value, a: &Value, b: &Value) -> Value {
        let op = format!("stablehlo.select {}, {}, {} : {}, {}", pred.name, a.name, b.name, pred.ty, a.ty);
        self.value(&a.ty, &op)
    }

    /// Other elements: `f32` to `i32` loses the fraction; what is not 0 is true.
    pub(super) fn convert(&mut self, x: &Value, element: Element) -> Value {
        if x.ty.element == element {
            return x.clone();
        }
        if element == Element::Pred {
            let zero = self.fill(0.0, &x.ty);
            return self.compare(Direction::Ne, x, &zero);
        }
        self.cast("convert", x, &x.ty.with(element))
    }

    /// An operation of one operand that has no attributes and another type of result.
    pub(super) fn cast(&mut self, op: &str, x: &Value, to: &Tensor) -> Value {
        self.value(to, &format!("stablehlo.{op} {} : ({}) -> {to}", x.name, x.ty))
    }

    pub(super) fn reshape(&mut self, x: &Value, dims: &[usize]) -> Value {
        if x.ty.dims == dims {
            return x.clone();
        }
        self.cast("reshape", x, &x.ty.sized(dims))
    }

    pub(super) fn broadcast(&mut self, x: &Value, axes: &[usize], dims: &[usize]) -> Value {
        let to = x.ty.sized(dims);
        let op =
            format!("stablehlo.broadcast_in_dim {}, dims = [{}] : ({}) -> {to}", x.name, list(axes), x.ty);
        self.value(&to, &op)
    }

    /// `count` elements from `start`, `stride` apart, of every axis.
    pub(super) fn slice(&mut self, x: &Value, start: &[usize], count: &[usize], stride: &[usize]) -> Value {
        let axis = |i: usize| {
            let end = start[i] + count[i].saturating_sub(1) * stride[i] + usize::from(count[i] > 0);
            let every = if stride[i] == 1 { String::new() } else { format!(":{}", stride[i]) };
            format!("{}:{end}{every}", start[i])
        };
        let to = x.ty.sized(count);
        let op =
            format!("stablehlo.slice {} [{}] : ({}) -> {to}", x.name, list((0..x.ty.rank()).map(axis)), x.ty);
        self.value(&to, &op)
    }

    /// `with` around the elements and, `interior` of it, between them; negative numbers cut off.
    pub(super) fn pad(
        &mut self,
        x: &Value,
        with: &Value,
        low: &[i64],
        high: &[i64],
        interior: &[i64],
    ) -> Value {
        let size = |i: usize| {
            let n = x.ty.dims[i] as i64;
            let inside = if n > 0 { n + (n - 1) * interior[i] } else { 0 };
            usize::try_from(inside + low[i] + high[i]).unwrap_or(0)
        };
        let to = x.ty.sized(&(0..x.ty.rank()).map(size).collect::<Vec<_>>());
        let op = format!(
            "stablehlo.pad {}, {}, low = [{}], high = [{}], interior = [{}] : ({}, {}) -> {to}",
            x.name,
            with.name,
            list(low),
            list(high),
            list(interior),
            x.ty,
            with.ty
        );
        self.value(&to, &op)
    }

    pub(super) fn concatenate(&mut self, parts: &[Value], axis: usize) -> Value {
        let mut dims = parts[0].ty.dims.clone();
        dims[axis] = parts.iter().map(|p| p.ty.dims[axis]).sum();
        let to = parts[0].ty.sized(&dims);
        let op = format!("stablehlo.concatenate {}, dim = {axis} : ({}) -> {to}", names(parts), types(parts));
        self.value(&to, &op)
    }

    /// `0, 1, 2, …` along an axis.
    pub(super) fn iota(&mut self, axis: usize, ty: &Tensor) -> Value {
        self.value(ty, &format!("stablehlo.iota dim = {axis} : {ty}"))
    }

    /// `reduce` by an operation of two operands, which keeps its type.
    pub(super) fn reduce(&mut self, op: &str, x: &Value, from: &Value, axes: &[usize], to: &Tensor) -> Value {
        let text = format!(
            "stablehlo.reduce({} init: {}) applies stablehlo.{op} across dimensions = [{}] : ({}, {}) -> {to}",
            x.name,
            from.name,
            list(axes),
            x.ty,
            from.ty
        );
        self.value(to, &text)
    }

    /// Calls a function, which is written first where it is not there yet.
    pub(super) fn call(
        &mut self,
        function: &str,
        arguments: &[Value],
        write: impl FnOnce(&mut Self, &[Value]) -> Vec<Value>,
        results: &[Tensor],
    ) -> Vec<Value> {
        if !self.functions.contains_key(function) {
            let mut own = Self { functions: std::mem::take(&mut self.functions), ..Self::new() };
            let given: Vec<Value> = arguments
                .iter()
                .enumerate()
                .map(|(i, a)| Value { name: format!("%arg{i}"), ty: a.ty.clone() })
                .collect();
            let made = write(&mut own, &given);
            let head = list(given.iter().map(|v| format!("{}: {}", v.name, v.ty)));
            let arrow = list(results);
            let arrow = if results.len() == 1 { arrow } else { format!("({arrow})") };
            let text = format!(
                "  func.func private @{function}({head}) -> {arrow} {{\n{}    return {} : {}\n  }}\n",
                own.text,
                names(&made),
                types(&made)
            );
            self.functions = own.functions;
            self.functions.insert(function.into(), text);
        }
        let to = list(results);
        let to = if results.len() == 1 { to } else { format!("({to})") };
        let op = format!("func.call @{function}({}) : ({}) -> {to}", names(arguments), types(arguments));
        self.values(results, &op)
    }
}
