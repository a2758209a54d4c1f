//! All steps of a loop at once: an operation of the body as one operation on stacks.

use crate::prim::Lift;
use crate::prim::scan::stacked;
use crate::{Builder, Dim, DotDims, NodeId, Prim, Type};

/// A value of the body as it is outside of the loop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lifted {
    /// The node outside.
    pub node: NodeId,
    /// Whether it has the axis of steps, as its first; else it is the same in all steps.
    pub varies: bool,
}

/// Whether [`lift`] can say an operation of which some operands vary.
pub(super) fn can_lift(prim: &Prim, varies: &[bool]) -> bool {
    prim.lift(varies) != Lift::Never
}

/// Emits the operation for all `length` steps; `ty` is its type in one step. At least one operand varies, and
/// [`can_lift`] holds.
pub(super) fn lift(b: &mut Builder, prim: &Prim, operands: &[Lifted], ty: &Type, length: usize) -> NodeId {
    let to = stacked(length, ty);
    let varies: Vec<bool> = operands.iter().map(|o| o.varies).collect();
    match prim.lift(&varies) {
        Lift::Product(dims) => dot(b, &dims, operands[0], operands[1]),
        Lift::Stacked(lifted) => {
            let all = |o: &Lifted| if o.varies { o.node } else { repeat(b, o.node, length) };
            let nodes: Vec<NodeId> = operands.iter().map(all).collect();
            b.emit(lifted, &nodes, to)
        }
        Lift::AsIs(lifted) => {
            let nodes: Vec<NodeId> = operands.iter().map(|o| o.node).collect();
            b.emit(lifted, &nodes, to)
        }
        Lift::Never => unreachable!("{} is not lifted", prim.name()),
    }
}

/// The same value in every step.
pub(super) fn repeat(b: &mut Builder, node: NodeId, length: usize) -> NodeId {
    let ty = b.ty(node).clone();
    let axes = (1..=ty.rank()).collect();
    b.broadcast(node, axes, stacked(length, &ty).shape)
}

fn up(axes: &[usize], varies: bool) -> Vec<usize> {
    axes.iter().map(|a| a + usize::from(varies)).collect()
}

/// A product in all steps: one of a larger matrix where one side is the same in all steps, else one for each.
fn dot(b: &mut Builder, dims: &DotDims, left: Lifted, right: Lifted) -> NodeId {
    let mut d = DotDims {
        left_batch: up(&dims.left_batch, left.varies),
        right_batch: up(&dims.right_batch, right.varies),
        left_contract: up(&dims.left_contract, left.varies),
        right_contract: up(&dims.right_contract, right.varies),
    };
    if left.varies && right.varies {
        d.left_batch.insert(0, 0);
        d.right_batch.insert(0, 0);
        return b.dot(left.node, right.node, d);
    }
    let shared = d.left_batch.len();
    let step = if left.varies { shared } else { shared + d.left_free(b.ty(left.node).rank()).len() };
    let out = b.dot(left.node, right.node, d);
    let rest = (0..b.ty(out).rank()).filter(|&a| a != step);
    let perm = std::iter::once(step).chain(rest).collect();
    b.transpose(out, perm)
}

/// The sum over all steps of a product whose sides both vary: one product over steps and all else at once.
pub(super) fn summed_dot(b: &mut Builder, dims: &DotDims, left: NodeId, right: NodeId) -> NodeId {
    let mut d = DotDims {
        left_batch: up(&dims.left_batch, true),
        right_batch: up(&dims.right_batch, true),
        left_contract: up(&dims.left_contract, true),
        right_contract: up(&dims.right_contract, true),
    };
    d.left_contract.insert(0, 0);
    d.right_contract.insert(0, 0);
    b.dot(left, right, d)
}

/// Slice `t` along the first axis, without that axis.
pub(crate) fn slice_at(b: &mut Builder, stack: NodeId, t: usize) -> NodeId {
    let ty = b.ty(stack).clone();
    let mut start = vec![0; ty.rank()];
    start[0] = t;
    let mut shape = ty.shape.clone();
    shape[0] = Dim::Size(1);
    let one = b.slice(stack, start, shape);
    b.reshape(one, ty.shape[1..].to_vec())
}
