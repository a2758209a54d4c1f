//! Folding axes away.

use super::{Binary, Direction, Prim, arity, expect};
use crate::eval::Array;
use crate::{Builder, DType, Dim, NodeId, Type};

/// How elements are folded into one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reduction {
    /// Their sum.
    Add,
    /// The largest; its gradient is shared evenly by ties.
    Maximum,
    /// The smallest; its gradient is shared evenly by ties.
    Minimum,
}

impl Reduction {
    /// Every one of them.
    pub const ALL: [Reduction; 3] = [Reduction::Add, Reduction::Maximum, Reduction::Minimum];

    /// The primitive's name.
    pub fn name(self) -> &'static str {
        match self {
            Reduction::Add => "reduce_add",
            Reduction::Maximum => "reduce_maximum",
            Reduction::Minimum => "reduce_minimum",
        }
    }

    /// The fold of nothing.
    pub fn identity(self) -> f64 {
        match self {
            Reduction::Add => 0.0,
            Reduction::Maximum => f64::NEG_INFINITY,
            Reduction::Minimum => f64::INFINITY,
        }
    }

    /// The fold of two.
    pub fn op(self) -> Binary {
        match self {
            Reduction::Add => Binary::Add,
            Reduction::Maximum => Binary::Maximum,
            Reduction::Minimum => Binary::Minimum,
        }
    }
}

/// The shape that is left when `axes` are folded away.
pub(crate) fn without(shape: &[Dim], axes: &[usize]) -> Vec<Dim> {
    shape.iter().enumerate().filter(|(i, _)| !axes.contains(i)).map(|(_, d)| *d).collect()
}

/// The axes below `rank` that are not in `axes`.
pub(crate) fn others(rank: usize, axes: &[usize]) -> Vec<usize> {
    (0..rank).filter(|i| !axes.contains(i)).collect()
}

pub(super) fn check(prim: &Prim, operands: &[&Type], result: &Type) -> Result<(), String> {
    let [x] = arity(operands)?;
    if !x.dtype.is_float() {
        return Err(format!("works on floats, not on {x}"));
    }
    match prim {
        Prim::Reduce { axes, .. } => {
            if !axes.is_sorted_by(|a, b| a < b) || axes.last().is_some_and(|&a| a >= x.rank()) {
                return Err(format!("axes {axes:?} are not ascending axes of {x}"));
            }
            expect(result, &x.with_shape(without(&x.shape, axes)))
        }
        Prim::ArgMax { axis } if *axis >= x.rank() => Err(format!("{x} has no axis {axis}")),
        Prim::ArgMax { axis } => expect(result, &Type::new(DType::I32, without(&x.shape, &[*axis]))),
        _ => Ok(()),
    }
}

pub(super) fn vjp(prim: &Prim, b: &mut Builder, node: NodeId, g: NodeId) -> Vec<Option<NodeId>> {
    let Prim::Reduce { op, axes } = prim else {
        return vec![None];
    };
    let x = b.operands(node)[0];
    let ty = b.ty(x).clone();
    let kept = others(ty.rank(), axes);
    let spread = b.broadcast(g, kept.clone(), ty.shape.clone());
    match op {
        Reduction::Add => vec![Some(spread)],
        Reduction::Maximum | Reduction::Minimum => {
            let best = b.broadcast(node, kept.clone(), ty.shape.clone());
            let hit = b.compare(Direction::Eq, x, best);
            let hit = b.convert(hit, ty.dtype);
            let ties = b.reduce(Reduction::Add, hit, axes.clone());
            let ties = b.broadcast(ties, kept, ty.shape);
            let share = b.binary(Binary::Divide, hit, ties);
            vec![Some(b.binary(Binary::Multiply, spread, share))]
        }
    }
}

pub(super) fn eval(prim: &Prim, x: &[&Array], dims: &[usize]) -> Array {
    let x = x[0];
    match prim {
        Prim::Reduce { op, axes } => {
            let kept = others(x.dims.len(), axes);
            let mut out = Array::filled(dims, op.identity());
            x.each(|index, value| {
                let at: Vec<usize> = kept.iter().map(|&k| index[k]).collect();
                let slot = out.at_mut(&at);
                *slot = super::elementwise::binary(op.op(), *slot, value);
            });
            out
        }
        Prim::ArgMax { axis } => {
            let kept = others(x.dims.len(), &[*axis]);
            let mut best = Array::filled(dims, f64::NEG_INFINITY);
            let mut out = Array::filled(dims, 0.0);
            x.each(|index, value| {
                let at: Vec<usize> = kept.iter().map(|&k| index[k]).collect();
                if value > *best.at_mut(&at) {
                    *best.at_mut(&at) = value;
                    *out.at_mut(&at) = index[*axis] as f64;
                }
            });
            out
        }
        _ => x.clone(),
    }
}
