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
        // Two for every product: each number of the result, or of its cotangent, sees a whole window.
        Prim::Convolution(_) | Prim::ConvolutionKernel(_) => {
            let operands = graph.operands(id);
            let (kernel, out) = match node.prim {
                Prim::Convolution(_) => (operands[1], id),
                _ => (id, operands[1]),
            };
            let window = graph.ty(kernel).shape.iter().rev().skip(1).map(|d| d.at(batch) as u64);
            window.fold(count(out).saturating_mul(2), u64::saturating_mul)
        }
        Prim::ReduceWindow { window, .. } | Prim::SelectAndGather(window) => {
            window.size.iter().fold(count(id), |n, &s| n.saturating_mul(s as u64))
        }
        Prim::SelectAndScatter(window) => {
            let g = graph.operands(id)[1];
            window.size.iter().fold(count(g), |n, &s| n.saturating_mul(s as u64))
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
