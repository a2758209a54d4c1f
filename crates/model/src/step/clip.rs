//! Gradients kept small.

use crate::declarations::settings::Clip;
use crate::elaborate::elab::Elab;
use nnc_graph::{Binary, NodeId, Reduction, Unary};

/// Gradients kept small: each number, the norm of each, or the norm of all of them together
/// (Pascanu, Mikolov and Bengio 2013; TensorFlow's `clip_by_global_norm`).
pub(crate) fn clipped(e: &mut Elab<'_>, gradients: &[NodeId], what: Clip, limit: f64) -> Vec<NodeId> {
    match what {
        Clip::Global => scaled(e, gradients, limit),
        Clip::Norm => gradients.iter().flat_map(|&g| scaled(e, &[g], limit)).collect(),
        Clip::Value => {
            let each = gradients.iter().map(|&g| {
                let (low, high) = (e.b.scalar_like(-limit, g), e.b.scalar_like(limit, g));
                let above = e.b.binary(Binary::Maximum, g, low);
                e.b.binary(Binary::Minimum, above, high)
            });
            each.collect()
        }
    }
}

/// Gradients scaled so that the norm of all of them together is at most `limit`.
fn scaled(e: &mut Elab<'_>, gradients: &[NodeId], limit: f64) -> Vec<NodeId> {
    let mut total: Option<NodeId> = None;
    for &g in gradients {
        let square = e.b.binary(Binary::Multiply, g, g);
        let axes = (0..e.b.ty(g).rank()).collect();
        let sum = e.b.reduce(Reduction::Add, square, axes);
        total = Some(total.map_or(sum, |t| e.b.binary(Binary::Add, t, sum)));
    }
    let Some(total) = total else { return Vec::new() };
    let norm = e.b.unary(Unary::Sqrt, total);
    let limit = e.b.constant(limit);
    let larger = e.b.binary(Binary::Maximum, norm, limit);
    let scale = e.b.binary(Binary::Divide, limit, larger);
    gradients
        .iter()
        .map(|&g| {
            let shape = e.b.ty(g).shape.clone();
            let scale = e.b.broadcast(scale, Vec::new(), shape);
            e.b.binary(Binary::Multiply, g, scale)
        })
        .collect()
}
