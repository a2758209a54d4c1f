//! What a run of a program comes to, apart from its graphs: weights, updates, rows, settings, metrics.

use crate::declarations::attributes::{Better, Range, Units};
use crate::declarations::data::{Balanced, Unscale};
use crate::declarations::settings::Top;
use crate::elaborate::totals::{Finish, Measuring};
use crate::elaborate::value::{Tensor, Value};
use nnc_graph::{NodeId, Role};
use nnc_syntax::Span;
use nnc_syntax::ast::Name;
use std::collections::{HashMap, HashSet};

/// The call that a node is the result of, for `rewrite`.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub name: String,
    /// The numbers it gives, where its definition says so.
    pub range: Option<Range>,
    pub args: Vec<Value>,
}

/// A learned or carried tensor.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    pub role: Role,
    pub path: String,
    pub tensor: Tensor,
    /// Whether it stays as it is, whatever is trained.
    pub frozen: bool,
}

/// One step of the network as the user wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerRow {
    /// The name its weights go by, such as `dense1`; a function's name where there are none.
    pub name: String,
    /// The words of the program.
    pub text: String,
    /// Where they stand.
    pub span: Span,
    /// The shape of what it works on, where that is one tensor.
    pub given: Option<Vec<usize>>,
    /// The result's shape for one sample, such as `28x28x1`.
    pub shape: Vec<usize>,
    /// How many numbers it learns.
    pub weights: usize,
    /// Multiplications and additions for one sample.
    pub flops: u64,
    /// Bytes of the activations it makes for one sample.
    pub bytes: u64,
}

/// What a run has collected so far.
#[derive(Default)]
pub(crate) struct Results {
    /// Weights, states and slots in the order of their declaration.
    pub declared: Vec<Declared>,
    /// Positions in `declared` by path.
    paths: HashMap<String, usize>,
    /// New values of states and weights, latest last.
    pub updates: Vec<(String, NodeId)>,
    /// The calls that a node is the result of, the innermost first.
    pub calls: HashMap<NodeId, Vec<Call>>,
    /// Which way the result of a loss or metric gets better.
    pub directions: HashMap<NodeId, Better>,
    /// The steps of the network.
    pub layers: Vec<LayerRow>,
    /// Numbers whose derivative was taken.
    pub differentiated: Vec<NodeId>,
    /// Tensors that got a name at the top of the file.
    pub bound: Vec<(String, Span, NodeId)>,
    /// What else got a name there, what it is, and how it is written.
    pub named: Vec<(Name, String, String)>,
    /// The first port of numbers where classes were wanted.
    pub classes_wanted: Option<String>,
    /// What the top of the file says about training.
    pub top: Top,
    /// How scaled targets come back to the units of the file.
    pub units: HashMap<NodeId, Vec<Unscale>>,
    /// Outputs that describe a target in several parts: which target, and how.
    pub described: HashMap<NodeId, (usize, Units)>,
    /// What the classes of targets count, where the data decides it.
    pub balanced: Vec<Balanced>,
    /// The metric at work.
    pub measuring: Option<Measuring>,
    /// How often a mask was read so far.
    pub mask_reads: u64,
    /// Sequences whose padding was made 0, so that what forgets their mask does so knowingly.
    pub zeroed: HashSet<NodeId>,
    /// Whether the loss of the training is at work, whose mean counts every step of the batch alike.
    pub losing: bool,
    /// What metrics of all samples are computed with.
    pub finish: Option<Finish>,
}

impl Results {
    /// Looks a weight or state up by its path.
    pub fn find_declared(&self, path: &str) -> Option<&Declared> {
        self.paths.get(path).map(|&i| &self.declared[i])
    }

    /// Sets the value that a weight or state has after the step.
    pub fn update(&mut self, path: &str, node: nnc_graph::NodeId) {
        match self.updates.iter_mut().find(|(p, _)| p == path) {
            Some(slot) => slot.1 = node,
            None => self.updates.push((path.to_string(), node)),
        }
    }

    /// Adds a weight, state or slot.
    pub fn declare(&mut self, role: Role, path: &str, tensor: Tensor, frozen: bool) {
        self.paths.insert(path.to_string(), self.declared.len());
        self.declared.push(Declared { role, path: path.to_string(), tensor, frozen });
    }

    /// The call that made a tensor.
    pub fn maker(&self, t: &Tensor) -> Option<&Call> {
        self.calls.get(&t.node).and_then(|calls| calls.last())
    }
}
