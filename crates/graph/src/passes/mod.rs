//! Graph to graph, never worse: each pass returns a graph with the same results.
//!
//! The laws of a pass: it keeps every named result bit for bit (no rule reassociates a sum), results never
//! depend on more nodes than before (but for [`unroll`]), and applied twice it is applied once. Each has a file of
//! cases in `tests/passes`.

mod fold;
mod hold;
mod sweep;
mod unroll;

use crate::{Builder, Graph, NodeId, Prim, Type};

pub use fold::simplify;
pub use hold::{Held, hold};
pub use sweep::sweep;
pub use unroll::unroll;

/// A pass: graph to graph.
pub type Pass = fn(&Graph) -> Graph;

/// All passes by their names.
pub const ALL: [(&str, Pass); 4] =
    [("simplify", simplify), ("sweep", sweep), ("unroll", unroll), ("standard", standard)];

/// The standard passes in their order; with debug assertions on, the verifier runs after each.
pub fn standard(graph: &Graph) -> Graph {
    let mut out = graph.clone();
    for (name, pass) in [("simplify", simplify as Pass), ("sweep", sweep)] {
        out = pass(&out);
        debug_assert_eq!(crate::verify(&out), Ok(()), "after {name}");
    }
    out
}

/// Emits the nodes for which `keep` holds anew, through `emit`, which may choose other nodes.
///
/// Invariant: the operands of a node that is kept are kept, and so are the nodes of results.
pub(crate) fn rebuild(
    graph: &Graph,
    keep: impl Fn(NodeId) -> bool,
    emit: impl FnMut(&mut Builder, Prim, &[NodeId], Type) -> NodeId,
) -> Graph {
    rebuild_mapped(graph, keep, emit).0
}

/// As [`rebuild`]; the second result is the new node of each.
pub(crate) fn rebuild_mapped(
    graph: &Graph,
    keep: impl Fn(NodeId) -> bool,
    mut emit: impl FnMut(&mut Builder, Prim, &[NodeId], Type) -> NodeId,
) -> (Graph, Vec<Option<NodeId>>) {
    let mut b = Builder::new(graph.name.clone(), graph.float);
    let mut new: Vec<Option<NodeId>> = vec![None; graph.len()];
    for id in graph.ids().filter(|&id| keep(id)) {
        let node = graph.node(id);
        let operands = graph
            .operands(id)
            .into_iter()
            .map(|o| new[o.index()].unwrap_or_else(|| unreachable!("{id} is kept, but not its operand {o}")));
        let operands: Vec<NodeId> = operands.collect();
        b.set_origin(node.origin.clone());
        new[id.index()] = Some(emit(&mut b, node.prim.clone(), &operands, node.ty.clone()));
    }
    for output in graph.outputs() {
        let node = new[output.node.index()];
        let node = node.unwrap_or_else(|| unreachable!("the result `{}` is not kept", output.name));
        b.output(output.kind, output.name.clone(), node);
    }
    (b.finish(), new)
}
