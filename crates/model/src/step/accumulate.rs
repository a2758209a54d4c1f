//! `batch 32 accumulate=4`: a step whose samples are computed in pieces, so that memory is needed for a piece only.
//!
//! The step graph is run for every piece. It adds the piece's part of the gradient to a sum, and in the last piece the
//! optimizer takes the sum, and the sum is 0 again; before, weights and the optimizer's memory stay as they are. States of
//! layers (running statistics) go on with every piece, as in a loop of PyTorch that calls `backward` several times.

use crate::declarations::settings::Settings;
use crate::elaborate::elab::Elab;
use crate::elaborate::value::Tensor;
use nnc_graph::{Binary, Direction, NodeId, OutputKind, Role};

/// What the pieces of a step share.
pub(super) struct Pieces {
    /// Whether the piece at work is the last one of its step: 1 or 0.
    last: NodeId,
    /// The part of the step's samples that the piece has.
    share: NodeId,
    /// Slots of sums, which are updated in every piece.
    sums: Vec<String>,
}

impl Pieces {
    /// `None` where every step is computed at once.
    pub(super) fn new(e: &mut Elab<'_>) -> Option<Self> {
        let settings = &e.results.top.settings;
        if settings.accumulate == 1 {
            return None;
        }
        let [last, samples, step] = Settings::PIECE_SLOTS;
        let piece = settings.piece() as f64;
        let last = e.scalar_slot(last, 1.0).node;
        let samples = e.scalar_slot(samples, piece).node;
        e.scalar_slot(step, 1.0);
        let own = e.b.batch_size();
        let share = e.b.binary(Binary::Divide, own, samples);
        Some(Self { last, share, sums: Vec::new() })
    }

    /// The gradients of the samples so far: the mean over a piece counts by the piece's share of the samples.
    pub(super) fn gather(
        &mut self,
        e: &mut Elab<'_>,
        weights: &[(String, Tensor)],
        gradients: &[NodeId],
    ) -> Vec<NodeId> {
        let mut out = Vec::new();
        for ((path, weight), &g) in weights.iter().zip(gradients) {
            let path = format!("accumulate/{path}");
            let ty = e.b.ty(weight.node).clone();
            let sum = e.b.parameter(Role::Slot, path.as_str(), ty.clone());
            let zeros = e.init.filled(0.0, ty.clone());
            e.init.output(OutputKind::Initial, path.as_str(), zeros);
            let tensor = e.tensor(sum, weight.axes.to_vec(), false);
            e.results.declare(Role::Slot, &path, tensor, false);
            let share = e.b.broadcast(self.share, Vec::new(), ty.shape.clone());
            let part = e.b.binary(Binary::Multiply, g, share);
            let now = e.b.binary(Binary::Add, sum, part);
            let none = e.b.filled(0.0, ty);
            let next = self.choose(e, none, now);
            e.results.update(&path, next);
            self.sums.push(path);
            out.push(now);
        }
        out
    }

    /// Leaves weights and the optimizer's memory as they are until the last piece.
    pub(super) fn hold(&self, e: &mut Elab<'_>) {
        for (path, next) in e.results.updates.clone() {
            let Some(own) = e.find_declared(&path).filter(|d| d.role != Role::State) else { continue };
            let now = own.tensor.node;
            if self.sums.contains(&path) {
                continue;
            }
            let next = self.choose(e, next, now);
            e.results.update(&path, next);
        }
    }

    /// One value in the last piece, another before.
    fn choose(&self, e: &mut Elab<'_>, last: NodeId, before: NodeId) -> NodeId {
        let shape = e.b.ty(last).shape.clone();
        let flag = e.b.broadcast(self.last, Vec::new(), shape);
        let half = e.b.scalar_like(0.5, flag);
        let is_last = e.b.compare(Direction::Gt, flag, half);
        e.b.select(is_last, last, before)
    }
}
