//! Shape patterns: `x[...space, c] in k` checks a tensor and binds its sizes.

use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::frame::Frame;
use crate::elaborate::value::{Axis, Shape, Tensor, Value, numbers_text, shape_text};
use nnc_syntax::ast::{Dim, ExprKind, Name};
use nnc_syntax::{Code, Diagnostic, Span};

impl Elab<'_> {
    /// Checks a value against the pattern of a parameter and binds the pattern's names.
    #[allow(clippy::too_many_arguments)]
    pub fn matched(
        &mut self,
        inner: &mut Frame,
        callee: &str,
        name: &Name,
        dims: Option<&[Dim]>,
        classes: Option<&Name>,
        value: Value,
        span: Span,
    ) -> Res<Value> {
        let mut tensor = match &value {
            Value::Tensor(t) => t.clone(),
            Value::Poison => return Err(Stop::Poisoned),
            Value::Func(_) | Value::Text(_) | Value::Init(_) | Value::Symbol(_) | Value::Several(_) => {
                let message = format!("`{}` of `{callee}` is a tensor, not {}", name.text, value.kind());
                return self.fail(Code::N0205, message, span, "");
            }
            other => self.tensor_of(other, span)?,
        };
        match (classes, tensor.classes) {
            (Some(k), Some(n)) => self.bind_classes(inner, callee, k, n, span)?,
            (Some(k), None) => {
                if self.shares(inner, callee, name, dims, k, &tensor, span) {
                    return Ok(Value::Tensor(tensor));
                }
                self.ask_for_classes(&tensor);
                return Err(self.wants_classes(callee, name, &tensor, span));
            }
            (None, Some(n)) => {
                if let Some(dims) = dims {
                    tensor = self.classes_as_numbers(inner, dims, tensor, n, span)?;
                }
            }
            (None, None) => {}
        }
        if let Some(dims) = dims {
            self.match_dims(inner, callee, name, dims, &tensor, span)?;
        }
        Ok(Value::Tensor(tensor))
    }

    /// Whether numbers stand for classes: one for each of the `k` classes, along one more axis, such as a one-hot
    /// vector. The number of classes must be known, as from the output.
    #[allow(clippy::too_many_arguments)]
    fn shares(
        &mut self,
        inner: &Frame,
        callee: &str,
        name: &Name,
        dims: Option<&[Dim]>,
        k: &Name,
        tensor: &Tensor,
        span: Span,
    ) -> bool {
        let known = inner.get(&k.text).and_then(Value::int);
        let Some((last, axes)) = tensor.axes.split_last() else { return false };
        if known != i64::try_from(last.size).ok() {
            return false;
        }
        let one = Tensor { axes: axes.into(), ..tensor.clone() };
        let mut inner = inner.clone();
        dims.is_none_or(|dims| self.match_dims(&mut inner, callee, name, dims, &one, span).is_ok())
    }

    fn bind_classes(&mut self, inner: &mut Frame, callee: &str, k: &Name, n: usize, span: Span) -> Res<()> {
        match inner.get(&k.text).and_then(Value::int) {
            Some(known) if known != n as i64 => {
                let d = self
                    .error(Code::N0403, format!("{known} outputs for {n} classes"), span, "")
                    .cause(format!("`{callee}` compares {known} outputs with a target of {n} classes"))
                    .help(format!("the last layer needs {n} outputs: dense {n} softmax"));
                Err(Stop::Error(Box::new(d)))
            }
            _ => {
                inner.set(&k.text, Value::Int(n as i64));
                Ok(())
            }
        }
    }

    /// Keeps that classes were asked of numbers: an array of whole numbers becomes one of classes by it, and the
    /// program is read once more ([`Spec::wants_classes`](crate::Spec::wants_classes)).
    fn ask_for_classes(&mut self, tensor: &Tensor) {
        if let Some(port) = self.port_behind(tensor) {
            self.results.classes_wanted.get_or_insert(port.name);
        }
    }

    /// The mistake of what is said of classes, and numbers are there.
    pub fn no_classes<T>(
        &mut self,
        tensor: &Tensor,
        code: Code,
        message: &str,
        span: Span,
        label: &str,
    ) -> Res<T> {
        self.ask_for_classes(tensor);
        let mut d = self.error(code, message, span, label);
        if let Some(port) = self.port_behind(tensor)
            && self.domain_of(&port).is_none_or(|d| d.whole && d.low >= 0.0)
        {
            let role = if self.session.ports.targets.contains(&port) { "target" } else { "input" };
            let name = &port.name;
            d = d.help(format!(
                "whole numbers from 0 are classes where they are declared so: {role} {name} category"
            ));
        }
        Err(Stop::Error(Box::new(d)))
    }

    fn wants_classes(&self, callee: &str, name: &Name, tensor: &Tensor, span: Span) -> Stop {
        let shape = numbers_text(&tensor.sizes());
        let mut d = self
            .error(Code::N0403, format!("`{callee}` needs classes, but `{}` is {shape}", name.text), span, "")
            .cause("a class is one of a known number of kinds: a text column, or a column declared so");
        let figure = self.scope.globals.defs.get(callee).is_none_or(|def| def.attributes().better.is_some());
        let port = self.port_behind(tensor);
        let whole = port.as_ref().and_then(|p| self.domain_of(p)).is_none_or(|d| d.whole && d.low >= 0.0);
        let column = port.map_or("NAME".to_string(), |p| p.name);
        d = if !figure && whole {
            d.help(format!(
                "whole numbers from 0 are classes where they are declared so: input {column} category"
            ))
        } else if !figure {
            d.help("numbers that are not whole, or below 0, are no classes: `dense 16` works on numbers")
        } else if tensor.sizes() == [1] {
            d.help("for yes or no as 0 and 1: binary_crossentropy with `dense 1 sigmoid`").help(
                "for class numbers 0, 1, 2 …: declare the column in the data block: target NAME category",
            )
        } else {
            d.help("for numbers: mse or mae")
        };
        Stop::Error(Box::new(d))
    }

    /// A class in a place for numbers: one-hot where its width is expected, 0 or 1 where one number is.
    fn classes_as_numbers(
        &mut self,
        inner: &Frame,
        dims: &[Dim],
        tensor: Tensor,
        n: usize,
        span: Span,
    ) -> Res<Tensor> {
        let mut wanted: Vec<usize> = Vec::new();
        for dim in dims {
            match dim {
                Dim::Rest(Some(name), _) => match inner.get(&name.text) {
                    Some(Value::Shape(s)) => wanted.extend(s.axes.iter().map(|a| a.size)),
                    _ => return Ok(tensor),
                },
                Dim::Rest(None, _) => return Ok(tensor),
                Dim::Size(expr) => match &expr.kind {
                    ExprKind::Int(i) => wanted.push(*i as usize),
                    ExprKind::Name(name) => match inner.get(name).and_then(Value::int) {
                        Some(i) => wanted.push(i as usize),
                        None => return Ok(tensor),
                    },
                    _ => return Ok(tensor),
                },
            }
        }
        self.class_like(&tensor, n, &wanted, span).map(|t| t.unwrap_or(tensor))
    }

    /// A class tensor as numbers of shape `wanted`, when that has a meaning.
    pub fn class_like(
        &mut self,
        tensor: &Tensor,
        n: usize,
        wanted: &[usize],
        span: Span,
    ) -> Res<Option<Tensor>> {
        let own = tensor.sizes();
        if wanted == own {
            return Ok(None);
        }
        if wanted.len() != own.len() + 1 || wanted[..own.len()] != own[..] {
            return Ok(None);
        }
        match wanted[own.len()] {
            k if k == n => self.one_hot(tensor, n, span).map(Some),
            1 if n == 2 => {
                let float = self.float();
                let node = self.b.convert(tensor.node, float);
                let axes: Vec<Axis> = tensor.axes.iter().copied().chain([Axis::of(1)]).collect();
                let node = self.b.reshape(node, Self::dims(&axes, tensor.batched));
                Ok(Some(self.tensor(node, axes, tensor.batched)))
            }
            k => {
                let message = if k == 1 {
                    format!("one output cannot stand for {n} classes")
                } else {
                    format!("{k} outputs for {n} classes")
                };
                let d = self.error(Code::N0403, message, span, "").help(format!(
                    "end with `dense {n} softmax` and `loss crossentropy`{}",
                    if n == 2 { ", or with `dense 1 sigmoid` and `loss binary_crossentropy`" } else { "" }
                ));
                Err(Stop::Error(Box::new(d)))
            }
        }
    }

    fn match_dims(
        &mut self,
        inner: &mut Frame,
        callee: &str,
        name: &Name,
        dims: &[Dim],
        tensor: &Tensor,
        span: Span,
    ) -> Res<()> {
        let axes = &tensor.axes;
        let rest = dims.iter().position(|d| matches!(d, Dim::Rest(..)));
        if let Some(Dim::Rest(_, second)) = dims.iter().filter(|d| matches!(d, Dim::Rest(..))).nth(1) {
            let message = format!("the pattern of `{}` has two `...`, and can have one", name.text);
            return self.fail(Code::N0301, message, *second, "where would one end and the other begin?");
        }
        let fixed = dims.len() - usize::from(rest.is_some());
        let fits = if rest.is_some() { axes.len() >= fixed } else { axes.len() == fixed };
        if !fits {
            return Err(self.does_not_fit(inner, callee, name, dims, tensor, span));
        }
        let tail = rest.map_or(0, |r| dims.len() - r - 1);
        for (i, dim) in dims.iter().enumerate() {
            match dim {
                Dim::Rest(bound, _) => {
                    let part: Vec<Axis> = axes[i..axes.len() - tail].to_vec();
                    let Some(bound) = bound else { continue };
                    match inner.get(&bound.text) {
                        Some(Value::Shape(known)) => {
                            let same = known.axes.len() == part.len()
                                && known.axes.iter().zip(&part).all(|(a, b)| a.size == b.size);
                            if !same {
                                return Err(self.does_not_fit(inner, callee, name, dims, tensor, span));
                            }
                        }
                        _ => inner.set(&bound.text, Value::Shape(Shape { axes: part, batched: false })),
                    }
                }
                Dim::Size(expr) => {
                    let at = if rest.is_some_and(|r| i > r) { axes.len() - (dims.len() - i) } else { i };
                    let axis = axes[at];
                    match &expr.kind {
                        ExprKind::Name(n)
                            if inner.get(n).is_none()
                                && (inner.library || self.scope.globals.param(n).is_none()) =>
                        {
                            inner.set(n.as_str(), Value::Axis(axis));
                        }
                        _ => {
                            let known = self.expr(inner, expr)?;
                            if known.int() != Some(axis.size as i64) {
                                return Err(self.does_not_fit(inner, callee, name, dims, tensor, span));
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Says what was wanted and what was given.
    fn does_not_fit(
        &self,
        inner: &Frame,
        callee: &str,
        name: &Name,
        dims: &[Dim],
        tensor: &Tensor,
        span: Span,
    ) -> Stop {
        let wanted: Vec<String> = dims.iter().map(|d| self.dim_text(inner, d)).collect();
        let axes = &tensor.axes;
        let given = shape_text(axes);
        let mut d = self.error(
            if name.text == "target" { Code::N0403 } else { Code::N0301 },
            if name.text == "target" {
                format!(
                    "the target does not have the shape of the output: {given} against {}",
                    wanted.join("x")
                )
            } else {
                format!(
                    "`{callee}` works on {}[{}], but this is {}",
                    name.text,
                    wanted.join(", "),
                    bracketed(axes)
                )
            },
            span,
            "",
        );
        if name.text != "target" {
            if dims.iter().all(|d| !matches!(d, Dim::Rest(..))) && dims.len() != axes.len() {
                d = d.cause(format!(
                    "the pattern has {}, and one sample here has {}",
                    axes_text(dims.len()),
                    axes_text(axes.len())
                ));
            }
            d = d.related(name.span, "the pattern stands here");
        }
        if name.text == "target"
            && let (Some(_), [steps]) = (tensor.classes, &tensor.sizes()[..])
        {
            d = d
                .cause(format!("there is a class for each of {steps} steps, and one output for all of them"));
            d = d.help("let the output keep its steps: lstm 64 sequence, then dense k softmax for each step");
        } else if name.text == "target" && axes.len() > 1 && tensor.classes.is_none() {
            let n = tensor.sizes().iter().product::<usize>();
            let form = shape_text(axes);
            d = d.help(format!(
                "the target is {form}: the last layer gives all of them, dense {n}, and then reshape {form}"
            ));
        } else if name.text == "target"
            && let [n] = &tensor.sizes()[..]
        {
            let whole = wanted.join("x");
            if let Some((rows, last)) = whole.split_once('x')
                && rows.parse::<usize>().is_ok()
                && last == n.to_string()
            {
                d = d.help(format!(
                    "for a target of {rows} rows to come, a window has its horizon as a range: \
                     data \"f.csv\" window=7 horizon=1..{rows}"
                ));
            }
            d = d.help(format!(
                "the target is {n} number{0}; the last layer needs {n} output{0}: dense {n}",
                if *n == 1 { "" } else { "s" }
            ));
        }
        Stop::Error(Box::new(d))
    }

    fn dim_text(&self, inner: &Frame, dim: &Dim) -> String {
        match dim {
            Dim::Rest(Some(name), _) => match inner.get(&name.text) {
                Some(Value::Shape(s)) => shape_text(&s.axes),
                _ => format!("...{}", name.text),
            },
            Dim::Rest(None, _) => "...".into(),
            Dim::Size(expr) => match &expr.kind {
                ExprKind::Name(n) => {
                    inner.get(n).filter(|v| v.int().is_some()).map_or(n.clone(), ToString::to_string)
                }
                _ => self.session.sources.slice(expr.span).to_string(),
            },
        }
    }

    /// Checks the shape that a layer promises after `->`.
    pub fn check_promise(
        &mut self,
        inner: &mut Frame,
        callee: &str,
        dims: &[Dim],
        tensor: &Tensor,
        span: Span,
    ) -> Res<()> {
        let dims: Vec<Dim> = dims
            .iter()
            .map(|d| match d {
                // An anonymous rest on both sides is not compared; names are.
                Dim::Rest(None, s) => Dim::Rest(None, *s),
                other => other.clone(),
            })
            .collect();
        let name = Name { text: "result".into(), span };
        let mut trial = inner.clone();
        match self.match_dims(&mut trial, callee, &name, &dims, tensor, span) {
            Err(Stop::Error(_)) => {
                let promised: Vec<String> = dims.iter().map(|d| self.dim_text(inner, d)).collect();
                let given = bracketed(&tensor.axes);
                let mut d = Diagnostic::error(
                    Code::N0301,
                    format!("`{callee}` promises [{}], but its body gives {given}", promised.join(", ")),
                );
                d = match (self.is_user(span), self.session.used_at) {
                    (true, Some(at)) => {
                        d.label(at, "").related(span, "its `-> […]` and its last tensor differ")
                    }
                    (true, None) => d.label(span, "its `-> […]` and its last tensor differ"),
                    (false, _) => d.label(self.session.here, "").related(span, "defined here"),
                };
                Err(Stop::Error(Box::new(d)))
            }
            other => other,
        }
    }
}

/// `[28, 28, 1]`; `one number` for no axes.
pub(crate) fn bracketed(axes: &[Axis]) -> String {
    if axes.is_empty() {
        return "one number".into();
    }
    let sizes: Vec<String> = axes.iter().map(|a| a.size.to_string()).collect();
    format!("[{}]", sizes.join(", "))
}

/// How many axes, in words.
fn axes_text(n: usize) -> String {
    match n {
        0 => "none".into(),
        1 => "one axis".into(),
        n => format!("{n} axes"),
    }
}
