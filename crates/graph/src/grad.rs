//! Reverse mode, graph to graph.
//!
//! The rules of the primitives only emit nodes; the walker here alone accumulates. Because the result is
//! nodes of the same graph, the gradient of a gradient is just another call.

use crate::{Binary, Builder, NodeId, Origin, Prim};
use std::sync::Arc;

/// Appends the gradient of `y` by each of `wrt`, with `seed` (of `y`'s type) as the cotangent of `y`.
/// With a seed of ones it is the gradient of the sum of `y`. Zeros where `y` does not depend on it.
pub fn gradient(b: &mut Builder, y: NodeId, seed: NodeId, wrt: &[NodeId]) -> Vec<NodeId> {
    let needed = between(b, y, wrt);
    let mut cotangents: Vec<Option<NodeId>> = vec![None; y.index() + 1];
    cotangents[y.index()] = Some(seed);
    let origin = b.origin().clone();

    for at in (0..=y.index()).rev() {
        let (Some(g), true) = (cotangents[at], needed[at]) else {
            continue;
        };
        let node = NodeId(at as u32);
        let prim = b.graph().node(node).prim.clone();
        if matches!(prim, Prim::Parameter { .. }) {
            continue;
        }
        let operands = b.operands(node);
        let from = backward_of(&b.graph().node(node).origin);
        b.set_origin(from);
        let parts = prim.vjp(b, node, g);
        for (operand, part) in operands.into_iter().zip(parts) {
            if let Some(part) = part.filter(|_| needed[operand.index()]) {
                let slot = &mut cotangents[operand.index()];
                *slot = Some(match *slot {
                    Some(sum) => b.binary(Binary::Add, sum, part),
                    None => part,
                });
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
