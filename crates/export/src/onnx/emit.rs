//! From a graph of primitives to nodes of ONNX: scopes, names, and where the axes of values lie.
//!
//! A value remembers which of its axes are stored, in which order; the others only say things again. So a broadcast
//! and a transposition are no nodes by themselves: whoever reads a value asks for the order that it needs, and most
//! need none. Pictures stay channels-first from one convolution to the next.

use super::proto::{Attr, Data, Elem, Node, Port, Size, Tensor};
use nnc_graph::{DType, Dim, Graph, NodeId, Prim, Type};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A node of the graph of some level: 0 is the model, 1 the body of a loop in it.
pub(crate) type At = (usize, NodeId);

/// Numbers that are known when the model is written; those of weights are told apart by their labels.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) label: String,
    pub(crate) elem: Elem,
    /// Sizes of the stored axes.
    pub(crate) dims: Vec<usize>,
    pub(crate) values: Vec<f64>,
    pub(crate) weight: bool,
}

/// Where the elements of a value come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A value of the model.
    Named(String),
    Known(Rc<Known>),
}

/// A value.
#[derive(Clone, Debug)]
pub(crate) struct Val {
    pub(crate) source: Source,
    /// The axes that are stored, in this order; along all others it is the same.
    pub(crate) axes: Vec<usize>,
}

impl Val {
    pub(crate) fn named(name: impl Into<String>, axes: Vec<usize>) -> Self {
        Self { source: Source::Named(name.into()), axes }
    }

    /// All axes of so many, in their order.
    pub(crate) fn plain(name: impl Into<String>, rank: usize) -> Self {
        Self::named(name, (0..rank).collect())
    }

    /// The number, where it is one known number.
    pub(crate) fn constant(&self) -> Option<f64> {
        match &self.source {
            Source::Known(known) if known.dims.is_empty() => known.values.first().copied(),
            Source::Known(_) | Source::Named(_) => None,
        }
    }
}

/// A graph, or the body of a loop inside one.
pub(crate) struct Scope<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) vals: Vec<Option<Val>>,
    /// Of the body of a loop: nodes that are the same in every step, and what they are outside.
    pub(crate) same: BTreeMap<NodeId, NodeId>,
    pub(crate) nodes: Vec<Node>,
}

/// The state of writing.
pub(crate) struct Emitter<'a> {
    pub(crate) scopes: Vec<Scope<'a>>,
    pub(crate) constants: Vec<Tensor>,
    names: BTreeSet<String>,
    /// What was asked for before: constants by their bits, other orders of values, sizes.
    memo: BTreeMap<String, String>,
    /// Who asks: the beginning of names.
    pub(crate) origin: String,
    pub(crate) doc: String,
    /// A value whose first axis is the batch; without it, how many samples there are is an input.
    pub(crate) batch: Option<String>,
    /// Further inputs that turned out to be needed.
    pub(crate) inputs: Vec<Port>,
    /// What is a sum over a window: its mean, and the number of places.
    pub(crate) means: BTreeMap<At, (Val, f64)>,
}

/// A name for the file: without characters that end texts or lines, and never empty.
pub(crate) fn clean(text: &str) -> String {
    let out: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if out.trim().is_empty() { "unnamed".into() } else { out }
}

/// The type of elements in ONNX; whole numbers are wide, as shapes are.
pub(crate) fn elem(dtype: DType) -> Elem {
    match dtype {
        DType::F32 => Elem::Float,
        DType::F64 => Elem::Double,
        DType::I32 => Elem::Int64,
        DType::Pred => Elem::Bool,
    }
}

/// Sizes for the type of an input or output.
pub(crate) fn sizes(shape: &[Dim]) -> Vec<Size> {
    shape
        .iter()
        .map(|d| match d {
            Dim::Batch => Size::Batch,
            Dim::Size(n) => Size::Of(*n),
        })
        .collect()
}

/// The values of some attributes.
pub(crate) fn ints<T: Copy + TryInto<i64>>(all: &[T]) -> Attr {
    Attr::Ints(all.iter().map(|&x| x.try_into().unwrap_or(i64::MAX)).collect())
}

impl<'a> Emitter<'a> {
    pub(crate) fn new() -> Self {
        Self {
            scopes: Vec::new(),
            constants: Vec::new(),
            names: BTreeSet::new(),
            memo: BTreeMap::new(),
            origin: String::new(),
            doc: String::new(),
            batch: None,
            inputs: Vec::new(),
            means: BTreeMap::new(),
        }
    }

    /// A name that nothing else has.
    pub(crate) fn fresh(&mut self, base: &str) -> String {
        let base = clean(base);
        let mut name = base.clone();
        let mut n = 2;
        while !self.names.insert(name.clone()) {
            name = format!("{base}_{n}");
            n += 1;
        }
        name
    }

    /// Writes a graph at a level, whose parameters are there already; its nodes get values.
    pub(crate) fn graph(&mut self, level: usize) -> Result<(), String> {
        let graph: &'a Graph = self.scopes[level].graph;
        for id in graph.ids() {
            if self.scopes[level].vals[id.index()].is_some() || self.scopes[level].same.contains_key(&id) {
                continue;
            }
            let node = graph.node(id);
            if let Some((role, name)) = node.prim.parameter() {
                return Err(format!("{} `{name}` is not given", role.name()));
            }
            self.from(&node.origin.scope, &node.origin.to_string());
            let val = self.primitive((level, id))?;
            self.scopes[level].vals[id.index()] = Some(val);
        }
        Ok(())
    }

    /// Who asks for what follows.
    pub(crate) fn from(&mut self, scope: &str, doc: &str) {
        self.origin = scope.replace(" > ", "/");
        self.doc = if doc == "?" { String::new() } else { doc.to_string() };
    }

    /// Where a node is computed: what is the same in every step of a loop is outside of it.
    pub(crate) fn resolve(&self, (mut level, mut id): At) -> At {
        while let Some(&outside) = self.scopes[level].same.get(&id) {
            level -= 1;
            id = outside;
        }
        (level, id)
    }

    pub(crate) fn ty(&self, (level, id): At) -> &'a Type {
        let graph: &'a Graph = self.scopes[level].graph;
        graph.ty(id)
    }

    pub(crate) fn prim(&self, (level, id): At) -> &'a Prim {
        let graph: &'a Graph = self.scopes[level].graph;
        &graph.node(id).prim
    }

    pub(crate) fn operands(&self, (level, id): At) -> Vec<At> {
        self.scopes[level].graph.operands(id).into_iter().map(|o| (level, o)).collect()
    }

    /// The value of a node that was written.
    pub(crate) fn val(&self, at: At) -> Val {
        let (level, id) = self.resolve(at);
        self.scopes[level].vals[id.index()].clone().unwrap_or_else(|| Val::plain("", 0))
    }

    pub(crate) fn elem(&self, at: At) -> Elem {
        elem(self.ty(at).dtype)
    }

    /// A node with one output.
    pub(crate) fn node(
        &mut self,
        level: usize,
        op: &'static str,
        inputs: &[&str],
        attrs: &[(&'static str, Attr)],
    ) -> String {
        let own = op.to_lowercase();
        let mut way: Vec<&str> = self.origin.split('/').filter(|part| !part.is_empty()).collect();
        // `relu > max` that has become Relu is `relu`.
        if let Some(at) = way.iter().rposition(|part| *part == own) {
            way.truncate(at);
        }
        way.push(&own);
        let base = way.join("/");
        let name = self.fresh(&base);
        self.push(level, op, &name, inputs, vec![name.clone()], attrs.to_vec());
        name
    }

    /// A node with these outputs.
    pub(crate) fn push(
        &mut self,
        level: usize,
        op: &'static str,
        name: &str,
        inputs: &[&str],
        outputs: Vec<String>,
        attrs: Vec<(&'static str, Attr)>,
    ) {
        let inputs = inputs.iter().map(ToString::to_string).collect();
        let doc = self.doc.clone();
        let node = Node { name: name.to_string(), op, inputs, outputs, attrs, doc };
        self.scopes[level].nodes.push(node);
    }

    /// A constant that is written once, however often it is asked for.
    pub(crate) fn constant(&mut self, label: &str, elem: Elem, dims: Vec<usize>, data: Data) -> String {
        let key = format!("{elem:?} {dims:?} {data:?}");
        if let Some(name) = self.memo.get(&key) {
            return name.clone();
        }
        let name = self.fresh(label);
        self.memo.insert(key, name.clone());
        self.constants.push(Tensor { name: name.clone(), elem, dims, data, weight: false });
        name
    }

    /// Whole numbers, such as axes and sizes.
    pub(crate) fn ints(&mut self, all: &[i64]) -> String {
        let label = all.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let label = if label.len() > 24 { "numbers".into() } else { format!("[{label}]") };
        self.constant(&label, Elem::Int64, vec![all.len()], Data::Whole(all.to_vec()))
    }

    /// One whole number.
    pub(crate) fn int(&mut self, x: i64) -> String {
        self.constant(&format!("{x}"), Elem::Int64, Vec::new(), Data::Whole(vec![x]))
    }

    /// One number.
    pub(crate) fn number(&mut self, x: f64, elem: Elem) -> String {
        if elem == Elem::Int64 {
            return self.int(x as i64);
        }
        self.constant(&format!("{x}"), elem, Vec::new(), Data::Numbers(vec![x]))
    }

    pub(crate) fn cast(&mut self, level: usize, x: &str, to: Elem) -> String {
        self.node(level, "Cast", &[x], &[("to", Attr::Int(to as i64))])
    }

    /// The number of samples, as a list of one.
    pub(crate) fn batch_size(&mut self) -> Result<String, String> {
        if let Some(name) = self.memo.get("batch") {
            return Ok(name.clone());
        }
        let Some(of) = self.batch.clone() else {
            let count = self.further("samples", "how many answers are wanted");
            let axes = self.ints(&[0]);
            let name = self.node(0, "Unsqueeze", &[&count, &axes], &[]);
            self.memo.insert("batch".into(), name.clone());
            return Ok(name);
        };
        let name = self.fresh("batch_size");
        let attrs = vec![("start", Attr::Int(0)), ("end", Attr::Int(1))];
        self.push(0, "Shape", &name, &[of.as_str()], vec![name.clone()], attrs);
        self.memo.insert("batch".into(), name.clone());
        Ok(name)
    }

    /// Sizes as a list.
    pub(crate) fn shape(&mut self, dims: &[Dim]) -> Result<String, String> {
        if !dims.contains(&Dim::Batch) {
            let all: Vec<i64> = dims.iter().map(|d| d.at(0) as i64).collect();
            return Ok(self.ints(&all));
        }
        let key = format!("shape {dims:?}");
        if let Some(name) = self.memo.get(&key) {
            return Ok(name.clone());
        }
        let mut parts: Vec<String> = Vec::new();
        for dim in dims {
            parts.push(match dim {
                Dim::Batch => self.batch_size()?,
                Dim::Size(n) => self.ints(&[*n as i64]),
            });
        }
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let name = match parts[..] {
            [one] => one.to_string(),
            _ => self.node(0, "Concat", &parts, &[("axis", Attr::Int(0))]),
        };
        self.memo.insert(key, name.clone());
        Ok(name)
    }

    /// A value with stored axes and axes of size 1 (`None`) in this order.
    pub(crate) fn present(&mut self, at: At, slots: &[Option<usize>]) -> String {
        let (level, id) = self.resolve(at);
        let val = self.val((level, id));
        let wanted: Vec<usize> = slots.iter().filter_map(|s| *s).collect();
        let name = match &val.source {
            Source::Known(known) => return self.known(known, &val.axes, slots),
            Source::Named(name) => name.clone(),
        };
        let perm: Vec<usize> =
            wanted.iter().filter_map(|a| val.axes.iter().position(|own| own == a)).collect();
        let ones: Vec<i64> = (0..slots.len()).filter(|&i| slots[i].is_none()).map(|i| i as i64).collect();
        let key = format!("{name}\n{perm:?} {ones:?}");
        if let Some(name) = self.memo.get(&key) {
            return name.clone();
        }
        let mut out = name;
        if !perm.is_sorted() {
            out = self.node(level, "Transpose", &[&out], &[("perm", ints(&perm))]);
        }
        if !ones.is_empty() {
            let axes = self.ints(&ones);
            out = self.node(level, "Unsqueeze", &[&out, &axes], &[]);
        }
        self.memo.insert(key, out.clone());
        out
    }

    /// Known numbers in an order of their axes, with axes of size 1.
    fn known(&mut self, known: &Rc<Known>, axes: &[usize], slots: &[Option<usize>]) -> String {
        let places: Vec<Option<usize>> =
            slots.iter().map(|s| s.and_then(|a| axes.iter().position(|own| *own == a))).collect();
        let order: Vec<usize> = places.iter().filter_map(|p| *p).collect();
        let dims: Vec<usize> = places.iter().map(|p| p.map_or(1, |p| known.dims[p])).collect();
        let key = format!("known {}\n{dims:?} {order:?}", known.label);
        if let Some(name) = self.memo.get(&key) {
            return name.clone();
        }
        let values = moved(&known.values, &known.dims, &order);
        if !known.weight {
            let data = Data::Numbers(values);
            return self.constant(&known.label, known.elem, dims, data);
        }
        let name = self.fresh(&known.label);
        let data = Data::Numbers(values);
        self.constants.push(Tensor { name: name.clone(), elem: known.elem, dims, data, weight: true });
        self.memo.insert(key, name.clone());
        name
    }

    /// Known numbers as they are.
    pub(crate) fn plainly(&mut self, known: Known) -> String {
        let axes: Vec<usize> = (0..known.dims.len()).collect();
        let slots: Vec<Option<usize>> = axes.iter().map(|a| Some(*a)).collect();
        self.known(&Rc::new(known), &axes, &slots)
    }

    /// A value with all its axes in this order, in full size.
    pub(crate) fn full(&mut self, at: At, order: &[usize]) -> Result<String, String> {
        let (level, id) = self.resolve(at);
        let val = self.val((level, id));
        let ty = self.ty((level, id));
        let slots: Vec<Option<usize>> = order.iter().map(|a| val.axes.contains(a).then_some(*a)).collect();
        let first = slots.iter().position(Option::is_some).unwrap_or(slots.len());
        let missing = |i: usize| slots[i].is_none();
        if !(0..slots.len()).any(missing) {
            return Ok(self.present((level, id), &slots));
        }
        let ones = slots.iter().zip(order).all(|(s, a)| s.is_some() || ty.shape[*a] == Dim::Size(1));
        if ones {
            return Ok(self.present((level, id), &slots));
        }
        let part = self.present((level, id), &slots[first..]);
        // 1 leaves an axis as it is.
        let to: Vec<Dim> = slots
            .iter()
            .zip(order)
            .map(|(s, a)| if s.is_some() { Dim::Size(1) } else { ty.shape[*a] })
            .collect();
        let key = format!("full {part}\n{to:?}");
        if let Some(name) = self.memo.get(&key) {
            return Ok(name.clone());
        }
        let shape = self.shape(&to)?;
        let name = self.node(level, "Expand", &[&part, &shape], &[]);
        self.memo.insert(key, name.clone());
        Ok(name)
    }

    /// A value as it is meant.
    pub(crate) fn canonical(&mut self, at: At) -> Result<String, String> {
        let order: Vec<usize> = (0..self.ty(at).rank()).collect();
        self.full(at, &order)
    }

    /// A value as it is stored.
    pub(crate) fn stored(&mut self, at: At) -> (String, Vec<usize>) {
        let axes = self.val(at).axes;
        let slots: Vec<Option<usize>> = axes.iter().map(|a| Some(*a)).collect();
        (self.present(at, &slots), axes)
    }

    /// Values of one type beside each other, for what works element by element: their names, and the axes that the
    /// result stores.
    pub(crate) fn aligned(&mut self, operands: &[At]) -> (Vec<String>, Vec<usize>) {
        let vals: Vec<Val> = operands.iter().map(|&o| self.val(o)).collect();
        let lead = vals.iter().max_by_key(|v| v.axes.len()).map(|v| v.axes.clone()).unwrap_or_default();
        let used = |a: &usize| vals.iter().any(|v| v.axes.contains(a));
        let rank = operands.first().map_or(0, |&o| self.ty(o).rank());
        let mut order: Vec<usize> = (0..rank).filter(|a| used(a) && !lead.contains(a)).collect();
        order.extend(lead.iter().copied());
        if lead.is_sorted() {
            order.sort_unstable();
        }
        let mut names = Vec::new();
        for (&at, val) in operands.iter().zip(&vals) {
            let slots: Vec<Option<usize>> = order
                .iter()
                .map(|a| val.axes.contains(a).then_some(*a))
                .skip_while(Option::is_none)
                .collect();
            names.push(self.present(at, &slots));
        }
        (names, order)
    }

    /// Another shape of a value with these sizes.
    pub(crate) fn reshaped(&mut self, level: usize, x: &str, dims: &[Dim]) -> Result<String, String> {
        let batches = dims.iter().filter(|d| **d == Dim::Batch).count();
        let to = if batches == 1 && !dims.contains(&Dim::Size(0)) {
            let all: Vec<i64> = dims.iter().map(|d| d.fixed().map_or(-1, |n| n as i64)).collect();
            self.ints(&all)
        } else {
            self.shape(dims)?
        };
        Ok(self.node(level, "Reshape", &[x, &to], &[]))
    }

    /// Elements from `start` to before `end`, `step` apart, along some axes.
    pub(crate) fn cut(&mut self, level: usize, x: &str, cuts: &[(usize, i64, i64, i64)]) -> String {
        if cuts.is_empty() {
            return x.to_string();
        }
        let of = |f: fn(&(usize, i64, i64, i64)) -> i64| cuts.iter().map(f).collect::<Vec<_>>();
        let (start, end) = (self.ints(&of(|c| c.1)), self.ints(&of(|c| c.2)));
        let axes = self.ints(&of(|c| c.0 as i64));
        let steps = of(|c| c.3);
        if steps.iter().all(|s| *s == 1) {
            return self.node(level, "Slice", &[x, &start, &end, &axes], &[]);
        }
        let steps = self.ints(&steps);
        self.node(level, "Slice", &[x, &start, &end, &axes, &steps], &[])
    }

    /// Elements before and after every axis; negative numbers cut.
    pub(crate) fn pad(
        &mut self,
        level: usize,
        x: &str,
        low: &[i64],
        high: &[i64],
        fill: Option<&str>,
    ) -> String {
        if low.iter().chain(high).all(|n| *n == 0) {
            return x.to_string();
        }
        let pads = self.ints(&[low, high].concat());
        match fill {
            Some(fill) => self.node(level, "Pad", &[x, &pads, fill], &[]),
            None => self.node(level, "Pad", &[x, &pads], &[]),
        }
    }

    /// Values one after another along an axis.
    pub(crate) fn joined(&mut self, level: usize, parts: &[String], axis: i64) -> String {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match parts[..] {
            [one] => one.to_string(),
            _ => self.node(level, "Concat", &parts, &[("axis", Attr::Int(axis))]),
        }
    }

    /// A further input of one whole number, such as the seed of random numbers.
    pub(crate) fn further(&mut self, name: &str, doc: &str) -> String {
        let key = format!("input {name}");
        if let Some(name) = self.memo.get(&key) {
            return name.clone();
        }
        let own = self.fresh(name);
        self.memo.insert(key, own.clone());
        let port = Port { name: own.clone(), elem: Elem::Int64, shape: Vec::new(), doc: doc.to_string() };
        self.inputs.push(port);
        own
    }

    /// Forgets the nodes of the innermost scope that nothing needs, and hands over the others.
    pub(crate) fn close(&mut self, outputs: &[String]) -> Vec<Node> {
        let nodes = self.scopes.pop().map(|s| s.nodes).unwrap_or_default();
        let level = self.scopes.len();
        self.means.retain(|(own, _), _| *own < level);
        let mut needed: BTreeSet<String> = outputs.iter().cloned().collect();
        let mut kept = Vec::new();
        for node in nodes.into_iter().rev() {
            if node.outputs.iter().any(|o| needed.contains(o)) {
                names_in(&node, &mut needed);
                kept.push(node);
            }
        }
        kept.reverse();
        kept
    }
}

/// Names of what a node reads, its body too.
pub(crate) fn names_in(node: &Node, out: &mut BTreeSet<String>) {
    out.extend(node.inputs.iter().cloned());
    for (_, attr) in &node.attrs {
        if let Attr::Graph(graph) = attr {
            graph.nodes.iter().for_each(|n| names_in(n, out));
            out.extend(graph.outputs.iter().map(|o| o.name.clone()));
        }
    }
}

/// Elements of a row-major array in another order of its axes.
pub(crate) fn moved(values: &[f64], dims: &[usize], order: &[usize]) -> Vec<f64> {
    if order.is_sorted() {
        return values.to_vec();
    }
    let strides: Vec<usize> = (0..dims.len()).map(|i| dims[i + 1..].iter().product()).collect();
    let to: Vec<usize> = order.iter().map(|&a| dims[a]).collect();
    let mut out = Vec::with_capacity(values.len());
    nnc_graph::eval::each_index(&to, |index| {
        let at: usize = index.iter().zip(order).map(|(i, &a)| i * strides[a]).sum();
        out.push(values[at]);
    });
    out
}
