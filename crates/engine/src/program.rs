//! From drafts to tile programs: registers and slots.

use crate::EngineError;
use crate::unit::{Draft, Source};
use crate::view::Spot;
use nnc_kernels::{Arg, Load, MicroOp, Op, Place, Program, Scalar, Store, UnaryOp};

/// Where an operation's result goes.
#[derive(Clone, Copy, PartialEq)]
enum Target {
    Register(usize),
    Output(usize),
}

/// Gives values registers. A result that stands where the draft still reads another tensor is computed in a
/// register and stored last.
pub(crate) fn assemble(draft: &Draft, place: &mut dyn FnMut(&Spot) -> Place) -> Result<Program, EngineError> {
    let mut program = Program { count: draft.count, ..Program::default() };
    for load in &draft.loads {
        program.loads.push(Load { place: place(&load.first), access: load.access.clone() });
    }
    let last = last_uses(draft);
    let mut targets: Vec<Target> = Vec::with_capacity(draft.ops.len());
    let mut free: Vec<usize> = Vec::new();
    let mut stores: Vec<(usize, usize)> = Vec::new();
    let mut ops = Vec::with_capacity(draft.ops.len());
    for (i, op) in draft.ops.iter().enumerate() {
        let output = op.output.as_ref().map(|store| {
            program.outputs.push(Store { place: place(&store.first), access: store.access.clone() });
            program.outputs.len() - 1
        });
        let hazard = |o: usize| {
            let clash =
                |l: usize| program.loads[l].place == program.outputs[o].place && last.loads[l] >= Some(i);
            (0..program.loads.len()).any(clash)
        };
        let target = match output {
            Some(o) if !hazard(o) => Target::Output(o),
            _ => {
                let r = free.pop().unwrap_or_else(|| {
                    program.registers += 1;
                    program.registers - 1
                });
                stores.extend(output.map(|o| (i, o)));
                Target::Register(r)
            }
        };
        targets.push(target);
        ops.push((op.op, op.sources.clone()));
        let stored = |v: usize| stores.iter().any(|s| s.0 == v);
        let mut done: Vec<usize> = op
            .sources
            .iter()
            .filter_map(|s| match s {
                Source::Value(v) => Some(*v).filter(|&v| last.values[v] == Some(i) && !stored(v)),
                Source::Load(_) | Source::Memory(_) | Source::Constant(_) => None,
            })
            .collect();
        if last.values[i].is_none() && !stored(i) {
            done.push(i);
        }
        done.sort_unstable();
        done.dedup();
        for v in done {
            if let Target::Register(r) = targets[v] {
                free.push(r);
            }
        }
    }
    for (v, o) in stores {
        targets.push(Target::Output(o));
        ops.push((Op::Unary(UnaryOp::Copy), vec![Source::Value(v)]));
    }
    number(program, &ops, &targets, place)
}

struct LastUses {
    values: Vec<Option<usize>>,
    loads: Vec<Option<usize>>,
}

fn last_uses(draft: &Draft) -> LastUses {
    let mut out = LastUses { values: vec![None; draft.ops.len()], loads: vec![None; draft.loads.len()] };
    for (i, op) in draft.ops.iter().enumerate() {
        for source in &op.sources {
            match source {
                Source::Value(v) => out.values[*v] = Some(i),
                Source::Load(l) => out.loads[*l] = Some(i),
                Source::Memory(_) | Source::Constant(_) => {}
            }
        }
    }
    out
}

/// Numbers the slots: registers, loads, outputs.
fn number(
    mut program: Program,
    ops: &[(Op, Vec<Source>)],
    targets: &[Target],
    place: &mut dyn FnMut(&Spot) -> Place,
) -> Result<Program, EngineError> {
    let (registers, loads) = (program.registers, program.loads.len());
    let many = || EngineError::Internal("a tile program has too many values".into());
    let slot = |target: Target| {
        let s = match target {
            Target::Register(r) => r,
            Target::Output(o) => registers + loads + o,
        };
        u16::try_from(s).map_err(|_| many())
    };
    let mut scalars: Vec<Scalar> = Vec::new();
    let mut scalar = |s: Scalar| {
        let same = |t: &Scalar| match (t, &s) {
            (Scalar::Constant(a), Scalar::Constant(b)) => a.to_bits() == b.to_bits(),
            _ => *t == s,
        };
        let n = scalars.iter().position(same).unwrap_or_else(|| {
            scalars.push(s);
            scalars.len() - 1
        });
        u16::try_from(n).map(Arg::Scalar).map_err(|_| many())
    };
    for (i, (op, sources)) in ops.iter().enumerate() {
        let mut args = [Arg::None; 3];
        for (arg, source) in args.iter_mut().zip(sources) {
            *arg = match source {
                Source::Value(v) => Arg::Slot(slot(targets[*v])?),
                Source::Load(l) => Arg::Slot(u16::try_from(registers + l).map_err(|_| many())?),
                Source::Memory(spot) => scalar(Scalar::At(place(spot)))?,
                Source::Constant(c) => scalar(Scalar::Constant(*c))?,
            };
        }
        let [a, b, c] = args;
        program.ops.push(MicroOp { op: *op, to: slot(targets[i])?, a, b, c });
    }
    program.scalars = scalars;
    Ok(program)
}
