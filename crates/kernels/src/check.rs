//! What is checked once so that running needs no checks: all elements lie within the memories, and nothing is
//! written that the same instruction still reads.
//!
//! A place that moves with a loop is checked for all iterations at once.

use crate::instr::{Instr, Loop};
use crate::scope::{Range, Scope};

/// Checks instructions.
pub(crate) fn check(scope: &mut Scope, instrs: &[Instr]) -> Result<(), String> {
    for (i, instr) in instrs.iter().enumerate() {
        let result = if let Instr::Loop(l) = instr { check_loop(scope, l) } else { check_one(scope, instr) };
        result.map_err(|e| format!("instruction {i}: {e}"))?;
    }
    Ok(())
}

/// Checks a loop. A body that never runs touches nothing.
fn check_loop(scope: &mut Scope, l: &Loop) -> Result<(), String> {
    if l.length == 0 {
        return Ok(());
    }
    scope.enter(l.length, &l.cursors)?;
    check(scope, &l.body)?;
    scope.leave(&l.cursors);
    Ok(())
}

fn check_one(scope: &Scope, instr: &Instr) -> Result<(), String> {
    let kernel = instr.kernel();
    let touches = kernel.touches()?;
    touches.iter().try_for_each(|t| scope.is_inside(t))?;
    kernel.check(scope, &touches)
}

/// What some checked instructions write, over all iterations.
pub(crate) fn written(scope: &mut Scope, instrs: &[Instr]) -> Result<Vec<Range>, String> {
    let mut out = Vec::new();
    for instr in instrs {
        if let Instr::Loop(l) = instr {
            scope.enter(l.length, &l.cursors)?;
            out.extend(written(scope, &l.body)?);
            scope.leave(&l.cursors);
        } else {
            for touch in instr.kernel().touches()?.iter().filter(|t| t.writes) {
                out.push(scope.range(touch)?);
            }
        }
    }
    Ok(out)
}

/// The number of cursors of all loops.
pub(crate) fn cursors(instrs: &[Instr]) -> usize {
    let of = |instr: &Instr| if let Instr::Loop(l) = instr { l.cursors.len() + cursors(&l.body) } else { 0 };
    instrs.iter().map(of).sum()
}
