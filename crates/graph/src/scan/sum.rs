//! Sums over all steps of a loop: how what a weight gets in every step becomes one product after the loop.

use super::{Dependence, Lifted, Made, lift};
use crate::{Binary, Builder, Elementwise, Indexing, Movement, NodeId, Prim, Reduce, Reduction, Type, Unary};

/// What the sum over all steps of a node is in terms of sums of its operands.
enum Rule {
    /// The same operation of the sum of its only operand.
    Through,
    /// The same operation of the sums of all operands.
    Each,
    /// The operation is linear in this operand and the others are the same in all steps.
    Linear(usize),
    /// A sum over axes: one over the axis of steps as well.
    Reduce,
    /// A product of two values of every step: one product over the steps as well.
    Product,
    /// Rows added to a table in every step: all rows at once.
    Scatter,
}

fn rule(b: &Builder, on: &Dependence, id: NodeId) -> Option<Rule> {
    let varies: Vec<bool> = b.operands(id).iter().map(|&o| on.of(o).varies).collect();
    let first_alone = varies.first() == Some(&true) && varies[1..].iter().all(|v| !v);
    Some(match &b.graph().node(id).prim {
        Prim::Elementwise(function) => match function {
            Elementwise::Binary(Binary::Add | Binary::Subtract) => Rule::Each,
            Elementwise::Unary(Unary::Negate) => Rule::Through,
            Elementwise::Binary(Binary::Multiply) if varies == [false, true] => Rule::Linear(1),
            Elementwise::Binary(Binary::Multiply | Binary::Divide) if first_alone => Rule::Linear(0),
            Elementwise::Unary(_)
            | Elementwise::Binary(_)
            | Elementwise::Compare(_)
            | Elementwise::Select
            | Elementwise::Convert
            | Elementwise::StopGradient => return None,
        },
        Prim::Movement(Movement::Concatenate { .. }) => Rule::Each,
        Prim::Movement(_) => Rule::Through,
        Prim::Reduce(Reduce::Fold { op: Reduction::Add, .. }) => Rule::Reduce,
        Prim::DotGeneral(_) if varies == [true, true] => Rule::Product,
        Prim::DotGeneral(_) => Rule::Linear(usize::from(!varies[0])),
        Prim::Indexing(Indexing::ScatterAdd) if varies == [false, true] => Rule::Linear(1),
        Prim::Indexing(Indexing::ScatterAdd) => Rule::Scatter,
        Prim::Leaf(_)
        | Prim::Reduce(_)
        | Prim::Convolve(_)
        | Prim::Window(_)
        | Prim::Indexing(Indexing::Gather)
        | Prim::Scan(_) => return None,
    })
}

/// Whether the sum of a node over all steps can be said without keeping the node's own values of all steps.
pub(super) fn is_summable(b: &Builder, on: &Dependence, id: NodeId) -> bool {
    let mut todo = vec![id];
    while let Some(at) = todo.pop() {
        if !on.of(at).varies {
            continue;
        }
        match rule(b, on, at) {
            None => return false,
            Some(Rule::Reduce | Rule::Product | Rule::Scatter) => {}
            Some(Rule::Through | Rule::Each) => todo.extend(b.operands(at)),
            // The varying side is summed first, whatever it is: it is no larger than in one step.
            Some(Rule::Linear(_)) => {}
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
        Some(Rule::Through | Rule::Each) => {
            let sums: Vec<NodeId> = operands.iter().map(|&o| sum(b, made, o)).collect();
            b.emit(node.prim, &sums, node.ty)
        }
        Some(Rule::Linear(at)) => {
            let parts: Vec<NodeId> = operands
                .iter()
                .enumerate()
                .map(|(i, &o)| if i == at { sum(b, made, o) } else { made.stack(b, o).node })
                .collect();
            b.emit(node.prim, &parts, node.ty)
        }
        Some(Rule::Reduce) if is_summable(b, &made.on, operands[0]) => {
            let inner = sum(b, made, operands[0]);
            b.emit(node.prim, &[inner], node.ty)
        }
        Some(Rule::Reduce) => {
            let Prim::Reduce(Reduce::Fold { op, axes }) = &node.prim else { return id };
            let inner = made.stacked(b, operands[0]);
            let axes = std::iter::once(0).chain(axes.iter().map(|a| a + 1)).collect();
            b.reduce(*op, inner, axes)
        }
        Some(Rule::Product) => {
            let Prim::DotGeneral(dims) = &node.prim else { return id };
            let (left, right) = (made.stacked(b, operands[0]), made.stacked(b, operands[1]));
            lift::summed_dot(b, dims, left, right)
        }
        Some(Rule::Scatter) => {
            let (index, rows) = (made.stacked(b, operands[0]), made.stacked(b, operands[1]));
            let Type { shape, .. } = node.ty;
            b.scatter_add(index, rows, shape)
        }
        None => {
            let all = made.stacked(b, id);
            b.reduce(Reduction::Add, all, vec![0])
        }
    };
    b.set_origin(was);
    out
}
