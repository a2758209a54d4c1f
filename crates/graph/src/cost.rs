//! How much work a node is.

use crate::{Graph, NodeId, Prim};

/// Multiplications and additions of one node for `batch` samples: two for every product of a
/// `dot_general`, one for every element of an elementwise function or a fold, none for moving elements.
pub fn flops(graph: &Graph, id: NodeId, batch: usize) -> u64 {
    let node = graph.node(id);
    let count = |id: NodeId| graph.ty(id).count_at(batch).unwrap_or(usize::MAX) as u64;
    match &node.prim {
        Prim::DotGeneral(dims) => {
            let left = graph.ty(graph.operands(id)[0]);
            let inner = dims.left_contract.iter().map(|&i| left.shape[i].at(batch) as u64);
            inner.fold(count(id).saturating_mul(2), u64::saturating_mul)
        }
        Prim::Unary(_) | Prim::Binary(_) | Prim::Compare(_) | Prim::Select => count(id),
        Prim::Reduce { .. } | Prim::ArgMax { .. } | Prim::ScatterAdd => {
            let last = graph.operands(id).into_iter().next_back();
            last.map_or(0, count)
        }
        Prim::Parameter { .. }
        | Prim::Constant(_)
        | Prim::Iota { .. }
        | Prim::BatchSize
        | Prim::Rng { .. }
        | Prim::Convert
        | Prim::StopGradient
        | Prim::Reshape
        | Prim::Transpose { .. }
        | Prim::BroadcastInDim { .. }
        | Prim::Slice { .. }
        | Prim::Concatenate { .. }
        | Prim::Pad { .. }
        | Prim::Reverse { .. }
        | Prim::Gather => 0,
    }
}
