//! Which values are linear functions of others plus a constant.

use crate::{Graph, NodeId};

/// How a value hangs on those that move.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Moves {
    /// Whether it depends on one.
    pub(crate) depends: bool,
    /// Whether it does so affinely, if at all.
    pub(crate) affine: bool,
}

/// Whether a node depends on nodes that `moves` names, and is a linear function of them plus a constant. What depends
/// on none of them counts as constant: weights, for whoever asks about the inputs.
pub fn is_affine(graph: &Graph, node: NodeId, moves: &dyn Fn(NodeId) -> bool) -> bool {
    affine_nodes(graph, Some(node), moves).get(node.index()).is_some_and(|m| m.depends && m.affine)
}

/// How each node, up to `last` if one is named, hangs on those that `moves` names.
pub(crate) fn affine_nodes(
    graph: &Graph,
    last: Option<NodeId>,
    moves: &dyn Fn(NodeId) -> bool,
) -> Vec<Moves> {
    let mut out: Vec<Moves> = Vec::with_capacity(graph.len());
    for id in graph.ids().take(last.map_or(graph.len(), |l| l.index() + 1)) {
        let operands: Vec<Moves> = graph.operands(id).iter().map(|o| out[o.index()]).collect();
        let depending: Vec<bool> = operands.iter().map(|o| o.depends).collect();
        let depends = moves(id) || depending.contains(&true);
        let affine =
            !depends || operands.iter().all(|o| o.affine) && graph.node(id).prim.is_affine(&depending);
        out.push(Moves { depends, affine });
    }
    out
}
