//! What every exporter is given.

use nnc_graph::eval::{Array, Bindings, evaluate};
use nnc_graph::passes::{standard, sweep};
use nnc_graph::{Builder, DType, Dim, Elementwise, Graph, Kind, Leaf, NodeId, OutputKind, Prim, Role, Type};
use std::collections::BTreeMap;

/// A trained model: a graph from inputs to predictions, its weights, and what rows and answers are in the terms of
/// the file it was trained on.
#[derive(Clone, Debug)]
pub struct Package {
    /// What it is called: the name of its program.
    pub name: String,
    /// The graph of the predictions; its parameters are [`Role::Input`]s, [`Role::Weight`]s and [`Role::State`]s.
    pub graph: Graph,
    /// The weights and states by their names.
    pub weights: BTreeMap<String, Weights>,
    /// The inputs of the graph, in the order of the data.
    pub inputs: Vec<Input>,
    /// What the predictions say, in the order of the program.
    pub answers: Vec<Answer>,
    /// What a reader may want to know, such as the program itself: keys and texts.
    pub about: Vec<(String, String)>,
}

/// The values of a weight.
#[derive(Clone, PartialEq, Debug)]
pub struct Weights {
    /// The size of every axis.
    pub dims: Vec<usize>,
    /// The elements in row-major order; those of single precision are exact.
    pub values: Vec<f64>,
}

/// An input of the graph.
#[derive(Clone, PartialEq, Debug)]
pub struct Input {
    /// Its name in the graph.
    pub name: String,
    /// Its shape for one sample.
    pub shape: Vec<usize>,
    /// What its numbers are.
    pub dtype: DType,
    /// The columns of the file that it is made of, side by side along the last axis; empty where it is given as the
    /// network sees it.
    pub columns: Vec<Column>,
    /// Rows of the file that one sample is made of, where it is several.
    pub rows: Option<usize>,
    /// What its numbers are where it has no columns, for people: `numbers of 65 characters`.
    pub what: String,
    /// The names of the classes that its numbers are, where it has no columns: characters, words.
    pub classes: Option<Vec<String>>,
}

/// A column of the file.
#[derive(Clone, PartialEq, Debug)]
pub struct Column {
    /// Its name in the file.
    pub name: String,
    /// What of the column is meant, where it is a part: `month`.
    pub part: Option<String>,
    /// Its first place in a row of the input.
    pub offset: usize,
    /// How a value becomes numbers.
    pub encoding: Encoding,
}

/// How a value of the file becomes numbers of an input.
#[derive(Clone, PartialEq, Debug)]
pub enum Encoding {
    /// A number.
    Number {
        /// Its scaling, in this order.
        steps: Vec<Step>,
        /// What stands in for a missing one, before scaling; without it there is no answer.
        fill: Option<f64>,
        /// Whether one more number says that it was missing.
        indicator: bool,
    },
    /// One number for each category: 1 for its own, 0 for the others.
    OneHot {
        /// The categories.
        classes: Vec<String>,
        /// The place of those that are not listed; without it there is no answer.
        other: Option<usize>,
        /// The place of a missing one; without it there is no answer.
        fill: Option<usize>,
        /// Whether one more number says that it was missing.
        indicator: bool,
    },
    /// The place of the category.
    Class {
        /// The categories.
        classes: Vec<String>,
        /// The place of those that are not listed; without it there is no answer.
        other: Option<usize>,
        /// The place of a missing one; without it there is no answer.
        fill: Option<usize>,
    },
    /// An array of numbers, such as a picture: the whole input.
    Tensor {
        /// The scaling of each of its numbers.
        steps: Vec<Step>,
    },
}

impl Encoding {
    /// The numbers it takes in a row of an input of this size.
    pub fn width(&self, size: usize) -> usize {
        match self {
            Encoding::Number { indicator, .. } => 1 + usize::from(*indicator),
            Encoding::OneHot { classes, indicator, .. } => classes.len() + usize::from(*indicator),
            Encoding::Class { .. } => 1,
            Encoding::Tensor { .. } => size,
        }
    }
}

/// A step of a scaling.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Step {
    /// `(x - minus) / over`
    Shift {
        /// Taken away first.
        minus: f64,
        /// Divided by then.
        over: f64,
    },
    /// The natural logarithm.
    Log,
}

/// Whether two scalings differ in their numbers alone.
pub(crate) fn alike(a: &[Step], b: &[Step]) -> bool {
    let is_log = |s: &Step| *s == Step::Log;
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_log(a) == is_log(b))
}

/// What a prediction says.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// Its name in the graph.
    pub name: String,
    /// Its shape for one sample.
    pub shape: Vec<usize>,
    /// The classes it speaks about: one number above 0.5 says the second of two, several say the one whose number
    /// is the (first) largest.
    pub classes: Option<Vec<String>>,
    /// The classes that every step speaks about, where it says a class for each, such as the next character: the
    /// last axis has a number for each class, and the (first) largest is said.
    pub steps: Option<Vec<String>>,
    /// The scaling of each number, to be undone from its last step to its first; empty where there is none.
    pub scaling: Vec<Vec<Step>>,
}

impl Package {
    /// The values of a weight or state.
    ///
    /// # Errors
    /// There is none of this name, or of another shape.
    pub(crate) fn weight(&self, name: &str, ty: &Type) -> Result<&Weights, String> {
        let weights = self.weights.get(name).ok_or_else(|| format!("the model has no weight `{name}`"))?;
        let dims: Option<Vec<usize>> = ty.shape.iter().map(|d| d.fixed()).collect();
        if Some(&weights.dims) != dims.as_ref() {
            return Err(format!("the weight `{name}` is {:?}, not {ty}", weights.dims));
        }
        Ok(weights)
    }

    /// The same model with nothing computed at run time that depends on weights alone: scales of normalisations,
    /// transposed matrices. A result that is larger than what it is made of stays in the graph.
    ///
    /// # Errors
    /// A weight is missing.
    pub fn folded(&self) -> Result<Self, String> {
        let graph = standard(&self.graph);
        let known = known(&graph);
        let mut bindings = Bindings { batch: 1, ..Bindings::default() };
        for role in [Role::Weight, Role::State] {
            for (name, id) in graph.parameters(role) {
                let w = self.weight(&name, graph.ty(id))?;
                bindings = bindings.with(role, &name, Array::new(&w.dims, w.values.clone()));
            }
        }
        let mut out = Self { graph: graph.clone(), ..self.clone() };
        let mut replaced: BTreeMap<NodeId, String> = BTreeMap::new();
        let wanted: Vec<NodeId> = graph.ids().filter(|&id| is_worth_folding(&graph, id, &known)).collect();
        if wanted.is_empty() {
            return Ok(out);
        }
        // Only what hangs on weights is evaluated.
        let mut of_weights = Builder::new("weights", graph.float);
        let mut new: Vec<Option<NodeId>> = vec![None; graph.len()];
        for id in graph.ids().filter(|id| known[id.index()]) {
            let node = graph.node(id);
            let operands: Option<Vec<NodeId>> = graph.operands(id).iter().map(|o| new[o.index()]).collect();
            let Some(operands) = operands else { continue };
            new[id.index()] = Some(of_weights.emit(node.prim.clone(), &operands, node.ty.clone()));
        }
        for &id in &wanted {
            if let Some(at) = new[id.index()] {
                of_weights.output(OutputKind::Prediction, format!("{}", id.index()), at);
            }
        }
        let of_weights = sweep(&of_weights.finish());
        let values = evaluate(&of_weights, &bindings)?;
        for output in of_weights.outputs() {
            let at: usize = output.name.parse().map_err(|_| "a place that is no number")?;
            let id = graph.ids().nth(at).ok_or("a place outside the graph")?;
            let value = &values[output.node.index()];
            let single = graph.ty(id).dtype == DType::F32;
            let rounded = value.data.iter().map(|&x| if single { f64::from(x as f32) } else { x });
            let name = self.free_name(&graph, id, &replaced);
            out.weights.insert(name.clone(), Weights { dims: value.dims.clone(), values: rounded.collect() });
            replaced.insert(id, name);
        }
        let mut b = Builder::new(graph.name.clone(), graph.float);
        let mut new: Vec<NodeId> = Vec::with_capacity(graph.len());
        for id in graph.ids() {
            let node = graph.node(id);
            b.set_origin(node.origin.clone());
            let operands: Vec<NodeId> = graph.operands(id).iter().map(|o| new[o.index()]).collect();
            new.push(match replaced.get(&id) {
                Some(name) => b.parameter(Role::State, name.as_str(), node.ty.clone()),
                None => b.emit(node.prim.clone(), &operands, node.ty.clone()),
            });
        }
        for output in graph.outputs() {
            b.output(output.kind, output.name.clone(), new[output.node.index()]);
        }
        out.graph = sweep(&b.finish());
        let kept: Vec<String> = [Role::Weight, Role::State]
            .iter()
            .flat_map(|&role| out.graph.parameters(role))
            .map(|(name, _)| name.to_string())
            .collect();
        out.weights.retain(|name, _| kept.contains(name));
        Ok(out)
    }

    /// A name for what a node of weights comes to: that of the layer, with the operation.
    fn free_name(&self, graph: &Graph, id: NodeId, taken: &BTreeMap<NodeId, String>) -> String {
        let node = graph.node(id);
        let scope = node.origin.scope.replace(" > ", ".");
        let base = if scope.is_empty() { "folded".into() } else { format!("{scope}.{}", node.prim.name()) };
        let free = |name: &String| !self.weights.contains_key(name) && !taken.values().any(|t| t == name);
        if free(&base) {
            return base;
        }
        (2..).map(|i| format!("{base}{i}")).find(free).unwrap_or(base)
    }
}

/// Which nodes depend on weights and constants alone, and have the same size for every batch.
fn known(graph: &Graph) -> Vec<bool> {
    let mut known = vec![false; graph.len()];
    for id in graph.ids() {
        let node = graph.node(id);
        let own = match &node.prim {
            Prim::Leaf(Leaf::Parameter { role, .. }) => matches!(role, Role::Weight | Role::State),
            Prim::Leaf(Leaf::Constant(_) | Leaf::Iota { .. }) => true,
            Prim::Leaf(Leaf::BatchSize | Leaf::Rng { .. }) => false,
            Prim::Elementwise(_)
            | Prim::Movement(_)
            | Prim::Reduce(_)
            | Prim::DotGeneral(_)
            | Prim::Convolve(_)
            | Prim::Window(_)
            | Prim::Indexing(_) => true,
            // A loop stays a loop.
            Prim::Scan(_) => false,
        };
        known[id.index()] =
            own && !node.ty.is_batched() && graph.operands(id).iter().all(|o| known[o.index()]);
    }
    known
}

/// Whether a node is worth being a weight of its own: it is known, some weight is behind it, it does not say numbers
/// again that are there, and it is read by something that is not known.
fn is_worth_folding(graph: &Graph, id: NodeId, known: &[bool]) -> bool {
    let node = graph.node(id);
    let count = |n: NodeId| graph.ty(n).count_at(1).unwrap_or(usize::MAX);
    let operands = graph.operands(id);
    if !known[id.index()] || operands.is_empty() || !node.ty.dtype.is_float() {
        return false;
    }
    let behind = graph.behind(id);
    let weights: usize = graph
        .ids()
        .filter(|n| behind[n.index()] && graph.node(*n).prim.parameter().is_some())
        .map(count)
        .sum();
    let types: Vec<&Type> = operands.iter().map(|&o| graph.ty(o)).collect();
    let says_again = match node.prim.kind(&types, &node.ty) {
        // A transposed matrix is read as it lies; the others are ways to read one.
        Kind::Alias | Kind::Leaf => true,
        Kind::View => !matches!(node.prim, Prim::Movement(nnc_graph::Movement::Transpose { .. })),
        Kind::Elementwise => matches!(node.prim, Prim::Elementwise(Elementwise::Convert)),
        Kind::Heavy => false,
    };
    let is_read =
        graph.users(id).iter().any(|u| !known[u.index()]) || graph.outputs().iter().any(|o| o.node == id);
    weights > 0 && !says_again && count(id) <= weights && is_read
}

/// The sizes of a shape for a number of samples.
pub(crate) fn sizes(shape: &[Dim], batch: usize) -> Vec<usize> {
    shape.iter().map(|d| d.at(batch)).collect()
}
