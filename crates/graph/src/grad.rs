//! Reverse mode, graph to graph.
//!
//! The rules of the primitives only emit nodes; the walker here alone accumulates. Because the result is
//! nodes of the same graph, the gradient of a gradient is just another call.

use crate::{Binary, Builder, Dim, Movement, NodeId, Origin, Prim};
use std::sync::Arc;

/// Appends the gradient of `y` by each of `wrt`, with `seed` (of `y`'s type) as the cotangent of `y`.
/// With a seed of ones it is the gradient of the sum of `y`. Zeros where `y` does not depend on it.
pub fn gradient(b: &mut Builder, y: NodeId, seed: NodeId, wrt: &[NodeId]) -> Vec<NodeId> {
    let needed = between(b, y, wrt);
    let mut parts: Vec<Vec<NodeId>> = vec![Vec::new(); y.index() + 1];
    let mut cotangents: Vec<Option<NodeId>> = vec![None; y.index() + 1];
    parts[y.index()].push(seed);
    let origin = b.origin().clone();

    for at in (0..=y.index()).rev() {
        if !needed[at] || parts[at].is_empty() {
            continue;
        }
        let node = NodeId(at as u32);
        let from = backward_of(&b.graph().node(node).origin);
        b.set_origin(from);
        let g = total(b, &std::mem::take(&mut parts[at]));
        cotangents[at] = Some(g);
        let prim = b.graph().node(node).prim.clone();
        let operands = b.operands(node);
        let own = prim.vjp(b, node, g);
        assert_eq!(own.len(), operands.len(), "{} has a cotangent for every operand", prim.name());
        for (operand, part) in operands.into_iter().zip(own) {
            if let Some(part) = part.filter(|_| needed[operand.index()]) {
                parts[operand.index()].push(part);
            }
        }
    }
    b.set_origin(origin);
    wrt.iter()
        .map(|&w| match cotangents.get(w.index()).copied().flatten() {
            Some(g) => g,
            None => b.scalar_like(0.0, w),
        })
        .collect()
}

/// The sum of the parts of a cotangent, of which there is at least one.
///
/// Where a tensor was cut into slices, as the steps of a recurrence are, each slice's part comes in zeros as large
/// as the whole: those that do not overlap are put side by side instead of being added.
fn total(b: &mut Builder, parts: &[NodeId]) -> NodeId {
    let (mut slices, mut rest): (Vec<Slice>, Vec<NodeId>) = (Vec::new(), Vec::new());
    for &part in parts {
        match Slice::of(b, part) {
            Some(slice) if slices.first().is_none_or(|s| s.axis == slice.axis) => slices.push(slice),
            _ => rest.push(part),
        }
    }
    slices.sort_by_key(|s| s.start);
    if slices.len() < 2 || slices.windows(2).any(|w| w[0].end > w[1].start) {
        return sum(b, parts);
    }
    rest.push(side_by_side(b, parts[0], &slices));
    sum(b, &rest)
}

fn sum(b: &mut Builder, parts: &[NodeId]) -> NodeId {
    let mut total = parts[0];
    for &part in &parts[1..] {
        total = b.binary(Binary::Add, total, part);
    }
    total
}

/// A part that is zero but for a stretch of one axis.
struct Slice {
    axis: usize,
    start: usize,
    end: usize,
    inner: NodeId,
}

impl Slice {
    fn of(b: &Builder, part: NodeId) -> Option<Self> {
        let node = b.graph().node(part);
        let Prim::Movement(Movement::Pad { low }) = &node.prim else { return None };
        let inner = b.operands(part)[0];
        let small = &b.ty(inner).shape;
        let mut cut = (0..small.len()).filter(|&i| small[i] != node.ty.shape[i]);
        let (Some(axis), None) = (cut.next(), cut.next()) else { return None };
        let start = low[axis];
        Some(Self { axis, start, end: start + small[axis].fixed()?, inner })
    }
}

/// Slices in their order, with zeros in the gaps, in the shape of `like`.
fn side_by_side(b: &mut Builder, like: NodeId, slices: &[Slice]) -> NodeId {
    let ty = b.ty(like).clone();
    let axis = slices[0].axis;
    let mut pieces = Vec::new();
    let mut at = 0;
    let zeros = |b: &mut Builder, size: usize| {
        let mut gap = ty.clone();
        gap.shape[axis] = Dim::Size(size);
        b.filled(0.0, gap)
    };
    for slice in slices {
        if slice.start > at {
            pieces.push(zeros(b, slice.start - at));
        }
        pieces.push(slice.inner);
        at = slice.end;
    }
    let size = ty.shape[axis].fixed().unwrap_or(at);
    if size > at {
        pieces.push(zeros(b, size - at));
    }
    b.concatenate(&pieces, axis)
}

/// Which nodes up to `y` lie on a way from some of `wrt`.
fn between(b: &Builder, y: NodeId, wrt: &[NodeId]) -> Vec<bool> {
    let mut needed = vec![false; y.index() + 1];
    for w in wrt.iter().filter(|w| w.index() <= y.index()) {
        needed[w.index()] = true;
    }
    for at in 0..=y.index() {
        let id = NodeId(at as u32);
        needed[at] |= b.operands(id).iter().any(|o| needed[o.index()]);
    }
    needed
}

/// The origin of a rule's nodes: the line of the node whose rule it is.
fn backward_of(origin: &Arc<Origin>) -> Arc<Origin> {
    if origin.scope.ends_with("(grad)") {
        return origin.clone();
    }
    let scope =
        if origin.scope.is_empty() { "(grad)".to_string() } else { format!("{} (grad)", origin.scope) };
    Arc::new(Origin { scope: scope.into(), ..(**origin).clone() })
}
