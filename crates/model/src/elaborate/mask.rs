//! Masks: which steps of a sequence are there. A tensor `[time, …]` carries one as a node `[B, time]` of ones and
//! zeros; what keeps the steps hands it on, and what folds or walks along them reads it.

use crate::elaborate::elab::{Elab, Res};
use crate::elaborate::frame::Frame;
use crate::elaborate::value::{Tensor, Value};
use nnc_graph::{Binary, Direction, NodeId, Reduction};
use nnc_syntax::ast::BinaryOp;
use nnc_syntax::{Code, Diagnostic, Span};

/// How a function of Rust treats the steps of what it is given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Steps {
    /// Number by number: of what has as many axes as the result.
    Each,
    /// Its first axis stays the first, whatever becomes of the others.
    Kept,
    /// It sees to masks itself.
    Own,
    /// It mixes them or forgets them.
    Lost,
}

impl Elab<'_> {
    /// The masks of values, of those in lists too, that a result of this many axes and this first size takes over.
    fn masks_of<'v>(values: impl Iterator<Item = &'v Value>, of: &dyn Fn(&Tensor) -> bool) -> Vec<NodeId> {
        let mut out = Vec::new();
        for value in values {
            let mask = match value {
                Value::Tensor(t) if of(t) => t.mask.into_iter().collect(),
                Value::List(items) | Value::Several(items) => Self::masks_of(items.iter(), of),
                _ => Vec::new(),
            };
            mask.into_iter().for_each(|m| {
                if !out.contains(&m) {
                    out.push(m);
                }
            });
        }
        out
    }

    /// Gives the result of a function the masks of what it was given, where its steps are theirs: a step is there
    /// that is there in all of them.
    pub(crate) fn hand_on<'v>(
        &mut self,
        steps: Steps,
        given: impl Iterator<Item = &'v Value> + Clone,
        out: &mut Value,
    ) {
        match out {
            Value::Tensor(t) if steps != Steps::Own => {
                let (rank, first) = (t.rank(), t.axes.first().map(|a| a.size));
                let fits = |v: &Tensor| {
                    let same = v.axes.first().map(|a| a.size) == first && first.is_some();
                    same && (steps == Steps::Kept || v.rank() == rank)
                };
                let masks = match steps {
                    Steps::Lost | Steps::Own => Vec::new(),
                    Steps::Each | Steps::Kept => Self::masks_of(given, &fits),
                };
                let all = masks.into_iter().reduce(|a, b| self.b.binary(Binary::Multiply, a, b));
                t.mask = all.filter(|_| t.batched);
            }
            Value::Several(parts) | Value::List(parts) => {
                parts.iter_mut().for_each(|p| self.hand_on(steps, given.clone(), p));
            }
            _ => {}
        }
    }

    /// As [`Elab::hand_on`], for an operator on two values, the first with `rank` axes: a product keeps the steps of its
    /// first, where it sums over another axis.
    pub(crate) fn hand_on_of(&mut self, op: BinaryOp, rank: usize, given: [&Value; 2], out: &mut Value) {
        match op {
            BinaryOp::MatMul if rank > 1 => self.hand_on(Steps::Kept, given.into_iter().take(1), out),
            BinaryOp::MatMul => self.hand_on(Steps::Lost, given.into_iter(), out),
            _ => self.hand_on(Steps::Each, given.into_iter(), out),
        }
    }

    /// The mask of a tensor as a condition for each of its numbers.
    pub(crate) fn is_there(&mut self, t: &Tensor, mask: NodeId) -> NodeId {
        let zero = self.b.scalar_like(0.0, mask);
        let there = self.b.compare(Direction::Ne, mask, zero);
        self.b.broadcast(there, vec![0, 1], Self::dims(&t.axes, true))
    }

    /// A tensor with another number at the steps that are not there.
    pub(crate) fn filled(&mut self, t: &Tensor, mask: NodeId, value: f64) -> NodeId {
        self.results.mask_reads += 1;
        let there = self.is_there(t, mask);
        let other = self.b.scalar_like(value, t.node);
        self.b.select(there, t.node, other)
    }

    /// How many steps of each sample are there, `[B]`.
    pub(crate) fn steps_there(&mut self, mask: NodeId) -> NodeId {
        self.b.reduce(Reduction::Add, mask, vec![1])
    }

    /// Says that a line of the program forgets which steps are there, where it gets a mask, reads none, and leaves
    /// none.
    pub(crate) fn note_lost_mask(
        &mut self,
        frame: &Frame,
        name: &str,
        before: u64,
        given: &[Value],
        out: &Value,
        span: Span,
    ) {
        let masked = |v: &Value| matches!(v, Value::Tensor(t) if t.mask.is_some());
        let kept = match out {
            Value::Several(parts) | Value::List(parts) => parts.iter().any(masked),
            one => masked(one),
        };
        let none = !matches!(out, Value::Tensor(_) | Value::Several(_) | Value::List(_));
        let told = none || kept || self.results.mask_reads != before || !given.iter().any(masked);
        let zeroed = |v: &Value| match v {
            Value::Tensor(t) => t.mask.is_none() || self.results.zeroed.contains(&t.node),
            _ => true,
        };
        if told || given.iter().all(zeroed) || frame.library {
            return;
        }
        let message =
            format!("`{name}` does not know which steps are padding, and reads them like all others");
        let d = Diagnostic::note(Code::N0420, message).label(span, "the mask ends here");
        self.note_mask(d, span);
    }

    /// Says that one step of a sequence is taken by its number, which is padding in samples that are shorter; the
    /// first one is in none that has any.
    pub(crate) fn note_part_of_masked(&mut self, frame: &Frame, base: &Value, part: &Value, span: Span) {
        let masked = matches!(base, Value::Tensor(t) if t.mask.is_some() && t.rank() > 0);
        if !masked || !matches!(part, Value::Tensor(_)) || frame.library {
            return;
        }
        let message = "a step by its number is padding in samples that are shorter";
        let d = Diagnostic::note(Code::N0420, message).label(span, "the mask ends here");
        self.note_mask(d, span);
    }

    fn note_mask(&mut self, d: Diagnostic, span: Span) {
        if !self.is_user(span) || !self.session.training {
            return;
        }
        let d = d
            .help("`lstm`, `gru`, `rnn`, `attention`, `global_avgpool`, `global_maxpool` and `scan` leave padding out")
            .help("`zero_padding` before it makes these steps 0");
        if !self.session.diagnostics.contains(&d) {
            self.session.diagnostics.push(d);
        }
    }

    /// A mask as a person gives it, `[time]` of numbers or classes, 0 where a step is padding: as `[B, time]` of ones
    /// and zeros.
    pub(crate) fn mask_from(&mut self, x: &Tensor, mask: &Tensor, span: Span) -> Res<NodeId> {
        let m = self.floats(mask);
        let time = x.axes.first().map(|a| a.size);
        if m.rank() != 1 || m.axes.first().map(|a| a.size) != time {
            let shape = crate::elaborate::value::shape_text;
            let message = format!(
                "a mask has one number for each step of {}, and this is {}",
                shape(&x.axes),
                shape(&m.axes)
            );
            let d = self.error(Code::N0311, message, span, "");
            let d = d.help("mask=(x != 0) of classes; mask=(max(abs(x), axis=-1) > 0) of vectors");
            return Err(crate::elaborate::elab::Stop::Error(Box::new(d)));
        }
        let node = self.broadcast_to(&m, &m.axes.clone(), true, span)?;
        let zero = self.b.scalar_like(0.0, node);
        let there = self.b.compare(Direction::Ne, node, zero);
        let float = self.float();
        Ok(self.b.convert(there, float))
    }
}
