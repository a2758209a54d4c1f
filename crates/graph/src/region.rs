//! Regions: the bodies of loops, graphs of their own.
//!
//! What a region promises:
//!
//! 1. Its first nodes are its parameters: carries, then slices, then invariants, each named by its number
//!    within its role; no other node is a parameter.
//! 2. Its results are `next "0"`, `next "1"`, …: one for every carry, of the carry's type.
//! 3. It keeps what [`crate::verify`] says of every graph.

use crate::{Graph, NodeId, OutputKind, Role, Type};
use std::hash::{Hash, Hasher};

/// The body of a loop: what one step computes from the carries, this step's slices and the invariants.
///
/// Two regions are equal when they compute the same, whatever their origins.
#[derive(Clone, Debug)]
pub struct Region {
    graph: Graph,
    hash: u64,
    carries: usize,
    slices: usize,
    invariants: usize,
    next: Vec<NodeId>,
}

impl Region {
    /// A region of a graph.
    ///
    /// # Errors
    /// The promise at the head of this file that the graph breaks.
    pub fn new(graph: Graph) -> Result<Self, String> {
        let roles: Vec<Role> =
            graph.ids().map_while(|id| graph.node(id).prim.parameter().map(|(role, _)| role)).collect();
        let count = |role: Role| roles.iter().filter(|r| **r == role).count();
        let (carries, slices, invariants) = (count(Role::Carry), count(Role::Slice), count(Role::Invariant));
        if !roles.is_sorted() || carries + slices + invariants != roles.len() {
            return Err(format!("a region begins with carries, slices and invariants, not {roles:?}"));
        }
        for id in graph.ids() {
            let Some((role, name)) = graph.node(id).prim.parameter() else { continue };
            let first = [0, carries, carries + slices];
            let at = [Role::Carry, Role::Slice, Role::Invariant].iter().position(|r| *r == role);
            if at.is_none_or(|at| format!("{}", id.index().wrapping_sub(first[at])) != **name) {
                return Err(format!("{} `{name}` is not at its place in a region", role.name()));
            }
        }
        let mut next = Vec::with_capacity(carries);
        for i in 0..carries {
            let node = graph.output(OutputKind::Next, &i.to_string()).filter(|n| n.index() < graph.len());
            let node = node.ok_or_else(|| format!("carry {i} has no next value"))?;
            if graph.ty(node) != graph.ty(NodeId(i as u32)) {
                let (from, to) = (graph.ty(NodeId(i as u32)), graph.ty(node));
                return Err(format!("carry {i} is {from}, its next value {to}"));
            }
            next.push(node);
        }
        if graph.outputs().len() != carries {
            return Err("the results of a region are the next values of its carries".into());
        }
        let hash = structural_hash(&graph);
        Ok(Self { graph, hash, carries, slices, invariants, next })
    }

    /// What one step computes.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// How a dump calls it: a number that depends on what it computes and on nothing else.
    pub fn name(&self) -> String {
        format!("@{:08x}", self.hash as u32)
    }

    /// The number of carries: values that go from step to step.
    pub fn carries(&self) -> usize {
        self.carries
    }

    /// The number of slices: what a step takes of tensors with an axis for the steps.
    pub fn slices(&self) -> usize {
        self.slices
    }

    /// The number of invariants: values that are the same in every step.
    pub fn invariants(&self) -> usize {
        self.invariants
    }

    /// The number of parameters, which is the number of a loop's operands.
    pub fn parameters(&self) -> usize {
        self.carries + self.slices + self.invariants
    }

    /// The node of a parameter.
    pub fn parameter_node(&self, index: usize) -> NodeId {
        NodeId(index as u32)
    }

    /// The type of a parameter.
    pub fn parameter(&self, index: usize) -> &Type {
        self.graph.ty(NodeId(index as u32))
    }

    /// What the carries become, in their order.
    pub fn next(&self) -> &[NodeId] {
        &self.next
    }
}

/// A hash of the text, so that a region has one name on every machine and in every release.
fn structural_hash(graph: &Graph) -> u64 {
    let mut text = graph.float.name().to_string();
    for id in graph.ids() {
        text += &crate::text::line(graph, id, 0, 0);
    }
    for output in graph.outputs() {
        text += &format!("{} {:?} {}", output.kind.name(), output.name, output.node);
    }
    crate::random::site(&text)
}

impl Hash for Region {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl PartialEq for Region {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (&self.graph, &other.graph);
        let same = |id: NodeId| {
            let (m, n) = (a.node(id), b.node(id));
            m.prim == n.prim && m.ty == n.ty && a.operands(id) == b.operands(id)
        };
        std::ptr::eq(self, other)
            || self.hash == other.hash
                && a.len() == b.len()
                && a.float == b.float
                && a.outputs() == b.outputs()
                && a.ids().all(same)
    }
}

impl Eq for Region {}
