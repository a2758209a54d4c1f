//! What a loop does once in front of its first iteration: packing the right operands of products that are the
//! same in all of them.

use crate::check::{cursors, written};
use crate::instr::{Instr, Loop};
use crate::matmul::dot::Dot;
use crate::place::Cursor;
use crate::scope::{Range, Scope};

/// The fewest iterations for which packing pays.
const ITERATIONS: usize = 4;

/// An instruction as it runs.
#[derive(Debug)]
pub(crate) enum Step {
    /// Any but a loop.
    Instr(Instr),
    /// A product whose right operand stands packed at this element of the packed ones.
    Packed(Dot, usize),
    /// A loop.
    Loop(Iterate),
}

/// A loop as it runs.
#[derive(Debug)]
pub(crate) struct Iterate {
    pub(crate) length: usize,
    pub(crate) reverse: bool,
    pub(crate) cursors: Vec<Cursor>,
    /// What is packed before the first iteration, and where.
    pub(crate) packs: Vec<(Dot, usize)>,
    pub(crate) body: Vec<Step>,
}

/// Checked instructions as they run, and the elements of all packed operands.
pub(crate) fn hoist(instrs: &[Instr]) -> (Vec<Step>, usize) {
    let mut hoist = Hoist { scope: Scope::new(0, 0, cursors(instrs)), len: 0 };
    let steps = instrs.iter().map(|instr| hoist.top(instr)).collect();
    (steps, hoist.len)
}

struct Hoist {
    scope: Scope,
    /// The elements of the packed operands so far.
    len: usize,
}

impl Hoist {
    fn top(&mut self, instr: &Instr) -> Step {
        let Instr::Loop(l) = instr else {
            return Step::Instr(instr.clone());
        };
        let (mut iterate, packs) = self.iterate(l);
        iterate.packs.extend(packs);
        Step::Loop(iterate)
    }

    /// A loop, and what may be packed in front of it.
    fn iterate(&mut self, l: &Loop) -> (Iterate, Vec<(Dot, usize)>) {
        let mut out = Iterate {
            length: l.length,
            reverse: l.reverse,
            cursors: l.cursors.clone(),
            packs: Vec::new(),
            body: Vec::with_capacity(l.body.len()),
        };
        let mut packs: Vec<(Dot, usize)> = Vec::new();
        if l.length == 0 || self.scope.enter(l.length, &l.cursors).is_err() {
            return (out, packs);
        }
        // Checked code has no faults; if it had one, nothing would be packed.
        let written = written(&mut self.scope, &l.body).ok();
        let written = written.as_deref();
        for instr in &l.body {
            let step = if let Instr::Loop(inner) = instr {
                let (mut inner, candidates) = self.iterate(inner);
                for (dot, at) in candidates {
                    // Out of both loops if it can be, else out of the inner one.
                    if self.is_fixed(l, &dot, written) {
                        packs.push((dot, at));
                    } else {
                        inner.packs.push((dot, at));
                    }
                }
                Step::Loop(inner)
            } else if let Instr::Dot(dot) = instr
                && l.length >= ITERATIONS
                && let Some(len) = dot.packed_len()
                && self.is_fixed(l, dot, written)
            {
                let known = packs.iter().find(|p| p.0.shares_right(dot)).map(|p| p.1);
                let at = known.unwrap_or(self.len);
                if known.is_none() {
                    self.len = self.len.saturating_add(len);
                    packs.push((dot.clone(), at));
                }
                Step::Packed(dot.clone(), at)
            } else {
                Step::Instr(instr.clone())
            };
            out.body.push(step);
        }
        self.scope.leave(&l.cursors);
        (out, packs)
    }

    /// Whether the right operand is the same in all iterations of a loop that writes these elements.
    fn is_fixed(&self, l: &Loop, dot: &Dot, written: Option<&[Range]>) -> bool {
        let moves = l.cursors.iter().any(|c| c.space == dot.b.place.space);
        let right = self.scope.range(&dot.right_touch());
        !moves && matches!((right, written), (Ok(r), Some(w)) if !w.iter().any(|w| w.meets(&r)))
    }
}
