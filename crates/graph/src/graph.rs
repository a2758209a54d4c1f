//! The graph: primitives with types and origins, connected by petgraph edges.

use crate::{DType, Prim, Role, Type};
use petgraph::Direction::{Incoming, Outgoing};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// A node of one graph.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// The position in the order of the graph, which is topological.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

/// Where a node comes from: the user's line, and the way from there through the prelude.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Origin {
    /// The way, such as `dense2 > sigmoid`; empty when unknown.
    pub scope: Arc<str>,
    /// The user's file; empty when unknown.
    pub file: Arc<str>,
    /// Line in that file, from 1.
    pub line: u32,
    /// Column in that line, from 1.
    pub column: u32,
    /// Length in bytes of the words that it came from.
    pub length: u32,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.scope.is_empty(), self.file.is_empty()) {
            (true, true) => f.write_str("?"),
            (false, true) => f.write_str(&self.scope),
            (true, false) => write!(f, "{}:{}", self.file, self.line),
            (false, false) => write!(f, "{} ({}:{})", self.scope, self.file, self.line),
        }
    }
}

/// One operation.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// What is computed.
    pub prim: Prim,
    /// The result's type.
    pub ty: Type,
    /// Who asked for it.
    pub origin: Arc<Origin>,
}

/// What a result is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OutputKind {
    /// The number to be made small, a scalar: the mean over the batch that is differentiated.
    Objective,
    /// The loss of every sample, `[B]`.
    Loss,
    /// A metric of every sample, `[B]`.
    Metric,
    /// What is summed over all samples, `[B, …]`; metrics of all samples together are computed from the sums.
    Total,
    /// What the network says, `[B, …]`.
    Prediction,
    /// The new value of the parameter of this name.
    Update,
    /// The gradient of the objective by the weight of this name.
    Gradient,
    /// The first value of the parameter of this name.
    Initial,
    /// In the body of a loop: what the carry of this number becomes.
    Next,
}

impl OutputKind {
    /// All kinds.
    pub const ALL: [OutputKind; 9] = [
        OutputKind::Objective,
        OutputKind::Loss,
        OutputKind::Metric,
        OutputKind::Total,
        OutputKind::Prediction,
        OutputKind::Update,
        OutputKind::Gradient,
        OutputKind::Initial,
        OutputKind::Next,
    ];

    /// Its spelling in a dump.
    pub fn name(self) -> &'static str {
        match self {
            OutputKind::Objective => "objective",
            OutputKind::Loss => "loss",
            OutputKind::Metric => "metric",
            OutputKind::Total => "total",
            OutputKind::Prediction => "prediction",
            OutputKind::Update => "update",
            OutputKind::Gradient => "gradient",
            OutputKind::Initial => "initial",
            OutputKind::Next => "next",
        }
    }

    /// The inverse of [`OutputKind::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        OutputKind::ALL.into_iter().find(|k| k.name() == name)
    }
}

/// A named result of a graph.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    /// What it is for.
    pub kind: OutputKind,
    /// Its name, unique within its kind.
    pub name: Arc<str>,
    /// The node.
    pub node: NodeId,
}

/// A directed acyclic graph of primitives with named results.
///
/// Nodes are only ever appended, operands first, so the order of ids is topological and every walk over
/// them is deterministic. Edges carry the operand's position.
#[derive(Clone, Debug)]
pub struct Graph {
    /// What it computes: `train`, `eval`, `init`, …
    pub name: Arc<str>,
    /// The precision of its floats.
    pub float: DType,
    pub(crate) dag: DiGraph<Node, u32>,
    pub(crate) outputs: Vec<Output>,
}

impl Graph {
    /// An empty graph whose floats are `float`.
    pub fn new(name: impl Into<Arc<str>>, float: DType) -> Self {
        Self { name: name.into(), float, dag: DiGraph::new(), outputs: Vec::new() }
    }

    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.dag.node_count()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.dag[NodeIndex::new(id.index())]
    }

    /// A node's type.
    pub fn ty(&self, id: NodeId) -> &Type {
        &self.node(id).ty
    }

    /// All nodes in topological order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (0..self.len() as u32).map(NodeId)
    }

    /// The nodes from a position on.
    pub fn ids_from(&self, start: usize) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (start.min(self.len()) as u32..self.len() as u32).map(NodeId)
    }

    /// A node's operands in their order.
    pub fn operands(&self, id: NodeId) -> Vec<NodeId> {
        let edges = self.dag.edges_directed(NodeIndex::new(id.index()), Incoming);
        let mut out: Vec<(u32, NodeId)> =
            edges.map(|e| (*e.weight(), NodeId(e.source().index() as u32))).collect();
        out.sort_unstable();
        out.into_iter().map(|(_, id)| id).collect()
    }

    /// Multiplications and additions of a node for `batch` samples; a loop is counted with the first of its results.
    pub fn flops(&self, id: NodeId, batch: usize) -> u64 {
        let node = self.node(id);
        if matches!(node.prim, Prim::Scan(_)) && !self.is_first_of_loop(id) {
            return 0;
        }
        let operands = self.operands(id);
        let types: Vec<&Type> = operands.iter().map(|&o| self.ty(o)).collect();
        node.prim.flops(&types, &node.ty, batch)
    }

    /// Whether a node is a result of a loop and no earlier node is another result of it.
    pub fn is_first_of_loop(&self, id: NodeId) -> bool {
        let Prim::Scan(scan) = &self.node(id).prim else { return false };
        let operands = self.operands(id);
        let same = |other: NodeId| matches!(&self.node(other).prim, Prim::Scan(s) if s.of == scan.of && self.operands(other) == operands);
        let users = operands.first().map(|&o| self.users(o)).unwrap_or_default();
        !users.into_iter().any(|u| u < id && same(u))
    }

    /// The nodes that use a node, ascending; one that uses it twice is named twice.
    pub fn users(&self, id: NodeId) -> Vec<NodeId> {
        let edges = self.dag.edges_directed(NodeIndex::new(id.index()), Outgoing);
        let mut out: Vec<NodeId> = edges.map(|e| NodeId(e.target().index() as u32)).collect();
        out.sort_unstable();
        out
    }

    /// The named results in the order they were declared.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// The named results of one kind.
    pub fn outputs_of(&self, kind: OutputKind) -> impl Iterator<Item = &Output> {
        self.outputs.iter().filter(move |o| o.kind == kind)
    }

    /// The result of this kind and name.
    pub fn output(&self, kind: OutputKind, name: &str) -> Option<NodeId> {
        self.outputs.iter().find(|o| o.kind == kind && &*o.name == name).map(|o| o.node)
    }

    /// Names a result.
    pub fn add_output(&mut self, kind: OutputKind, name: impl Into<Arc<str>>, node: NodeId) {
        self.outputs.push(Output { kind, name: name.into(), node });
    }

    /// Forgets the results for which `keep` is false; [`crate::passes::sweep`] then drops what led to them.
    pub fn retain_outputs(&mut self, keep: impl FnMut(&Output) -> bool) {
        self.outputs.retain(keep);
    }

    /// The parameters of a role, by name, in the order of the graph.
    pub fn parameters(&self, role: Role) -> Vec<(Arc<str>, NodeId)> {
        self.ids()
            .filter_map(|id| self.node(id).prim.parameter().map(|(r, name)| (r, name.clone(), id)))
            .filter(|(r, _, _)| *r == role)
            .map(|(_, name, id)| (name, id))
            .collect()
    }

    /// Which nodes some result depends on; a parameter that is updated is one of them, even when nothing reads it.
    pub fn live(&self) -> Vec<bool> {
        let mut live = vec![false; self.len()];
        let updated: BTreeSet<&str> = self.outputs_of(OutputKind::Update).map(|o| &*o.name).collect();
        for role in [Role::Weight, Role::State, Role::Slot] {
            for (name, id) in self.parameters(role) {
                live[id.index()] = updated.contains(&*name);
            }
        }
        for output in &self.outputs {
            live[output.node.index()] = true;
        }
        for id in self.ids().rev() {
            if live[id.index()] {
                for operand in self.operands(id) {
                    live[operand.index()] = true;
                }
            }
        }
        live
    }

    /// Which nodes a node depends on, itself among them.
    pub fn behind(&self, node: NodeId) -> Vec<bool> {
        let mut behind = vec![false; self.len()];
        behind[node.index()] = true;
        for id in self.ids().rev() {
            if behind[id.index()] {
                for operand in self.operands(id) {
                    behind[operand.index()] = true;
                }
            }
        }
        behind
    }

    /// Which of the nodes from a position on hang on the stand-ins over which the bodies of loops were emitted
    /// (`scan`), if those stand from there on too: they have no value, and no result depends on them.
    pub fn hangs_on_stand_ins(&self, start: usize) -> Vec<bool> {
        let mut out: Vec<bool> = Vec::new();
        for id in self.ids_from(start) {
            let role = self.node(id).prim.parameter().map(|(role, _)| role);
            let hangs = |o: &NodeId| o.index().checked_sub(start).is_some_and(|at| out[at]);
            out.push(role.is_some_and(Role::is_of_region) || self.operands(id).iter().any(hangs));
        }
        out
    }

    pub(crate) fn push(&mut self, node: Node, operands: &[NodeId]) -> NodeId {
        let id = self.dag.add_node(node);
        for (port, operand) in operands.iter().enumerate() {
            self.dag.add_edge(NodeIndex::new(operand.index()), id, port as u32);
        }
        NodeId(id.index() as u32)
    }
}

impl PartialEq for Graph {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.float == other.float
            && self.outputs == other.outputs
            && self.len() == other.len()
            && self.ids().all(|id| self.node(id) == other.node(id) && self.operands(id) == other.operands(id))
    }
}
