//! Sums over all steps of a loop: how what a weight gets in every step becomes one product after the loop.

use super::{Dependence, Lifted, Made, lift};
use crate::prim::Summed;
use crate::{Binary, Builder, NodeId, Reduction, Type};

fn rule(b: &Builder, on: &Dependence, id: NodeId) -> Summed {
    let varies: Vec<bool> = b.operands(id).iter().map(|&o| on.of(o).varies).collect();
    b.graph().node(id).prim.summed(&varies)
}

/// Whether the sum of a node over all steps can be said without keeping the node's own values of all steps.
pub(super) fn is_summable(b: &Builder, on: &Dependence, id: NodeId) -> bool {
    let mut todo = vec![id];
    while let Some(at) = todo.pop() {
        if !on.of(at).varies {
            continue;
        }
        match rule(b, on, at) {
            Summed::Never => return false,
            Summed::Each => todo.extend(b.operands(at)),
            // The varying side is summed first, whatever it is: it is no larger than in one step.
            Summed::Fold(_) | Summed::Product(_) | Summed::Scatter | Summed::Linear(_) => {}
        }
    }
    true
}

/// The sum of a node over all steps.
pub(super) fn sum(b: &mut Builder, made: &mut Made, id: NodeId) -> NodeId {
    let node = b.graph().node(id).clone();
    let operands = b.operands(id);
    if !made.on.of(id).varies {
        let Lifted { node: outside, .. } = made.stack(b, id);
        let times = b.scalar_like(made.of.length as f64, outside);
        return b.binary(Binary::Multiply, outside, times);
    }
    let was = b.origin().clone();
    b.set_origin(node.origin.clone());
    let out = match rule(b, &made.on, id) {
        Summed::Each => {
            let sums: Vec<NodeId> = operands.iter().map(|&o| sum(b, made, o)).collect();
            b.emit(node.prim, &sums, node.ty)
        }
        Summed::Linear(at) => {
            let parts: Vec<NodeId> = operands
                .iter()
                .enumerate()
                .map(|(i, &o)| if i == at { sum(b, made, o) } else { made.stack(b, o).node })
                .collect();
            b.emit(node.prim, &parts, node.ty)
        }
        Summed::Fold(_) if is_summable(b, &made.on, operands[0]) => {
            let inner = sum(b, made, operands[0]);
            b.emit(node.prim, &[inner], node.ty)
        }
        Summed::Fold(axes) => {
            let inner = made.stacked(b, operands[0]);
            let axes = std::iter::once(0).chain(axes.iter().map(|a| a + 1)).collect();
            b.reduce(Reduction::Add, inner, axes)
        }
        Summed::Product(dims) => {
            let (left, right) = (made.stacked(b, operands[0]), made.stacked(b, operands[1]));
            lift::summed_dot(b, &dims, left, right)
        }
        Summed::Scatter => {
            let (index, rows) = (made.stacked(b, operands[0]), made.stacked(b, operands[1]));
            let Type { shape, .. } = node.ty;
            b.scatter_add(index, rows, shape)
        }
        Summed::Never => {
            let all = made.stacked(b, id);
            b.reduce(Reduction::Add, all, vec![0])
        }
    };
    b.set_origin(was);
    out
}
