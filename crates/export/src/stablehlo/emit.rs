//! From a graph to operations of StableHLO, node by node.

use super::text::{Code, Element, Tensor, Value, list};
use nnc_graph::{
    Binary, DotDims, Elementwise, Graph, Leaf, Loop, Movement, NodeId, Prim, Reduce, Reduction, Role, Unary,
};
use std::collections::BTreeMap;

/// What a graph is given, and what is the same in all of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    /// The number of samples.
    pub(super) batch: usize,
    /// The parameters.
    pub(super) parameters: BTreeMap<(Role, String), Value>,
    /// The number of the step, where it is asked for: a scalar of ui64.
    pub(super) step: Option<Value>,
    /// What random numbers begin with, where there are any: a scalar of ui64.
    pub(super) seed: Option<Value>,
}

impl Given {
    pub(super) fn step(&self) -> Result<&Value, String> {
        self.step.as_ref().ok_or_else(|| "the number of the step is not given".into())
    }

    pub(super) fn seed(&self) -> Result<&Value, String> {
        self.seed.as_ref().ok_or_else(|| "the seed is not given".into())
    }
}

/// A loop with the operands that it was given and the values of its results.
pub(super) struct Made<'a> {
    pub(super) of: &'a Loop,
    pub(super) operands: Vec<NodeId>,
    pub(super) results: Vec<(nnc_graph::ScanResult, Value)>,
}

/// Writes all nodes; the result has the value of each.
///
/// # Errors
/// What cannot be said, as a sentence.
pub(super) fn emit(code: &mut Code, graph: &Graph, given: &Given) -> Result<Vec<Value>, String> {
    let mut values: Vec<Value> = Vec::with_capacity(graph.len());
    let mut loops: Vec<Made<'_>> = Vec::new();
    for id in graph.ids() {
        let node = graph.node(id);
        code.origin(origin(graph, id));
        let nodes = graph.operands(id);
        let x: Vec<Value> = nodes.iter().map(|o| values[o.index()].clone()).collect();
        let to = Tensor::of(&node.ty, given.batch);
        let value = match &node.prim {
            Prim::Leaf(leaf) => code.leaf(leaf, &x, &to, given)?,
            Prim::Elementwise(op) => code.elementwise(op, &x, &to),
            Prim::Movement(op) => code.movement(op, &x, &to),
            Prim::Reduce(op) => code.reduced(op, &x[0], &to),
            Prim::DotGeneral(dims) => code.dot(dims, &x[0], &x[1], &to),
            Prim::Convolve(op) => code.convolve(op, &x[0], &x[1], &to),
            Prim::Window(op) => code.window(op, &x, &to),
            Prim::Indexing(op) => code.indexing(op, &x[0], &x[1], &to),
            Prim::Scan(scan) => {
                let same = |m: &&Made<'_>| *m.of == scan.of && m.operands == nodes;
                if !loops.iter().any(|m| same(&m)) {
                    let made = code.scan(graph, scan, &nodes, &x, given)?;
                    loops.push(made);
                }
                let made = loops.iter().find(same);
                let result = made.and_then(|m| m.results.iter().find(|(r, _)| *r == scan.result));
                result.map(|(_, v)| v.clone()).ok_or("a result of a loop is missing")?
            }
        };
        if value.ty != to {
            return Err(format!("{} gives {}, not {to}", node.prim.name(), value.ty));
        }
        values.push(value);
    }
    Ok(values)
}

/// Where a node comes from, without the folders of the program.
fn origin(graph: &Graph, id: NodeId) -> String {
    let origin = &graph.node(id).origin;
    let file = origin.file.rsplit(['/', '\\']).next().unwrap_or_default();
    match (origin.scope.is_empty(), file.is_empty()) {
        (_, true) => origin.scope.to_string(),
        (true, false) => format!("{file}:{}", origin.line),
        (false, false) => format!("{} ({file}:{})", origin.scope, origin.line),
    }
}

impl Code {
    fn leaf(&mut self, leaf: &Leaf, x: &[Value], to: &Tensor, given: &Given) -> Result<Value, String> {
        Ok(match leaf {
            Leaf::Parameter { role: Role::Step, .. } => {
                let step = given.step()?.clone();
                self.convert(&step, to.element)
            }
            Leaf::Parameter { role, name } => {
                let value = given.parameters.get(&(*role, name.to_string()));
                value.ok_or_else(|| format!("the {} `{name}` is not given", role.name()))?.clone()
            }
            Leaf::Constant(bits) => self.fill(bits.get(), to),
            // Predicates cannot be counted.
            Leaf::Iota { axis } if to.element == Element::Pred => {
                let count = self.iota(*axis, &to.with(Element::I32));
                self.convert(&count, Element::Pred)
            }
            Leaf::Iota { axis } => self.iota(*axis, to),
            Leaf::BatchSize => self.fill(given.batch as f64, to),
            Leaf::Rng { distribution, site } => {
                self.random(*distribution, (given.seed()?, given.step()?), *site, x, to)?
            }
        })
    }

    fn elementwise(&mut self, op: &Elementwise, x: &[Value], to: &Tensor) -> Value {
        match op {
            Elementwise::Unary(Unary::Softplus) => self.softplus(&x[0]),
            Elementwise::Unary(Unary::Erf) => self.erf(&x[0]),
            Elementwise::Unary(
                op @ (Unary::Negate
                | Unary::Abs
                | Unary::Sign
                | Unary::Exponential
                | Unary::ExponentialMinusOne
                | Unary::Log
                | Unary::LogPlusOne
                | Unary::Sqrt
                | Unary::Rsqrt
                | Unary::Sine
                | Unary::Cosine
                | Unary::Tanh
                | Unary::Logistic
                | Unary::Floor
                | Unary::Round
                | Unary::Not),
            ) => self.unary(op.name(), &x[0]),
            Elementwise::Binary(
                op @ (Binary::Add
                | Binary::Subtract
                | Binary::Multiply
                | Binary::Divide
                | Binary::Power
                | Binary::Maximum
                | Binary::Minimum
                | Binary::And
                | Binary::Or),
            ) => self.binary(op.name(), &x[0], &x[1]),
            Elementwise::Compare(direction) => self.compare(*direction, &x[0], &x[1]),
            Elementwise::Select => self.select(&x[0], &x[1], &x[2]),
            Elementwise::Convert => self.convert(&x[0], to.element),
            Elementwise::StopGradient => self.unary("optimization_barrier", &x[0]),
        }
    }

    fn movement(&mut self, op: &Movement, x: &[Value], to: &Tensor) -> Value {
        match op {
            Movement::Reshape => self.reshape(&x[0], &to.dims),
            Movement::Transpose { perm } => {
                let dims = list(perm);
                let (name, ty) = (&x[0].name, &x[0].ty);
                self.value(to, &format!("stablehlo.transpose {name}, dims = [{dims}] : ({ty}) -> {to}"))
            }
            Movement::BroadcastInDim { axes } => self.broadcast(&x[0], axes, &to.dims),
            Movement::Slice { start } => self.slice(&x[0], start, &to.dims, &vec![1; to.rank()]),
            Movement::Concatenate { axis } => self.concatenate(x, *axis),
            Movement::Pad { low } => {
                let zero = self.fill(0.0, &Tensor::scalar(to.element));
                let whole = |n: usize| n as i64;
                let low: Vec<i64> = low.iter().map(|&n| whole(n)).collect();
                let sizes = to.dims.iter().zip(&x[0].ty.dims).zip(&low);
                let high: Vec<i64> = sizes.map(|((&to, &from), low)| whole(to) - whole(from) - low).collect();
                self.pad(&x[0], &zero, &low, &high, &vec![0; to.rank()])
            }
            Movement::Reverse { axes } => {
                self.value(to, &format!("stablehlo.reverse {}, dims = [{}] : {to}", x[0].name, list(axes)))
            }
        }
    }

    fn reduced(&mut self, op: &Reduce, x: &Value, to: &Tensor) -> Value {
        match op {
            Reduce::Fold { op: op @ (Reduction::Add | Reduction::Maximum | Reduction::Minimum), axes } => {
                let from = self.fill(op.identity(), &Tensor::scalar(to.element));
                self.reduce(op.op().name(), x, &from, axes, to)
            }
            Reduce::ArgMax { axis } => self.argmax(x, *axis, to),
        }
    }

    /// The larger number wins, of equal ones the one with the smaller index; what is no number never does.
    fn argmax(&mut self, x: &Value, axis: usize, to: &Tensor) -> Value {
        let (float, whole) = (Tensor::scalar(x.ty.element), Tensor::scalar(Element::I32));
        let nowhere = self.fill(f64::NEG_INFINITY, &x.ty);
        let is_number = self.compare(nnc_graph::Direction::Eq, x, x);
        let x = self.select(&is_number, x, &nowhere);
        let index = self.iota(axis, &x.ty.with(Element::I32));
        let (least, zero) = (self.fill(f64::NEG_INFINITY, &float), self.fill(0.0, &whole));
        let name = self.free();
        let best = x.ty.sized(&to.dims);
        self.line(&format!(
            "{name}:2 = stablehlo.reduce({} init: {}), ({} init: {}) across dimensions = [{axis}] : ({}, {}, {float}, {whole}) -> ({best}, {to})",
            x.name, least.name, index.name, zero.name, x.ty, index.ty
        ));
        let given = |name: &str, ty: &Tensor| Value { name: format!("%{name}"), ty: ty.clone() };
        let (a, b) = (given("a", &float), given("b", &float));
        let (i, j) = (given("i", &whole), given("j", &whole));
        self.line(&format!(" reducer(%a: {float}, %b: {float}) (%i: {whole}, %j: {whole}) {{"));
        self.inside(|code| {
            let larger = code.compare(nnc_graph::Direction::Gt, &a, &b);
            let equal = code.compare(nnc_graph::Direction::Eq, &a, &b);
            let earlier = code.compare(nnc_graph::Direction::Lt, &i, &j);
            let tie = code.binary("and", &equal, &earlier);
            let first = code.binary("or", &larger, &tie);
            let top = code.select(&first, &a, &b);
            let at = code.select(&first, &i, &j);
            code.line(&format!("stablehlo.return {}, {} : {float}, {whole}", top.name, at.name));
        });
        self.line("}");
        Value { name: format!("{name}#1"), ty: to.clone() }
    }

    fn dot(&mut self, dims: &DotDims, a: &Value, b: &Value, to: &Tensor) -> Value {
        let pair = |name: &str, a: &[usize], b: &[usize]| format!("{name} = [{}] x [{}], ", list(a), list(b));
        let mut axes = String::new();
        if !dims.left_batch.is_empty() {
            axes += &pair("batching_dims", &dims.left_batch, &dims.right_batch);
        }
        axes += &pair("contracting_dims", &dims.left_contract, &dims.right_contract);
        let op = format!(
            "stablehlo.dot_general {}, {}, {axes}precision = [HIGHEST, HIGHEST] : ({}, {}) -> {to}",
            a.name, b.name, a.ty, b.ty
        );
        self.value(to, &op)
    }
}
