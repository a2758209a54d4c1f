//! Folding axes away.

use super::{Binary, Direction, Kind, Lift, Rules, StableHlo, Summed, arity, count, expect};
use crate::array::{Array, Bindings};
use crate::text::{Attributes, list};
use crate::{Builder, DType, Dim, NodeId, Type};

/// What folds axes away.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Reduce {
    /// Elements folded into one.
    Fold {
        /// How.
        op: Reduction,
        /// Which axes, ascending.
        axes: Vec<usize>,
    },
    /// The index of the first largest element along an axis, which is folded away.
    ArgMax {
        /// The axis.
        axis: usize,
    },
}

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

    /// Whether it is a linear function of its elements.
    pub(crate) fn is_affine(self) -> bool {
        match self {
            Reduction::Add => true,
            Reduction::Maximum | Reduction::Minimum => false,
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

impl Rules for Reduce {
    fn name(&self) -> &'static str {
        match self {
            Reduce::Fold { op, .. } => op.name(),
            Reduce::ArgMax { .. } => "argmax",
        }
    }

    fn attributes(&self) -> Vec<(&'static str, String)> {
        match self {
            Reduce::Fold { axes, .. } => vec![("axes", list(axes))],
            Reduce::ArgMax { axis } => vec![("axis", axis.to_string())],
        }
    }

    fn from_text(name: &str, attributes: &mut Attributes<'_>) -> Result<Option<Self>, String> {
        if let Some(op) = Reduction::ALL.into_iter().find(|op| op.name() == name) {
            return Ok(Some(Reduce::Fold { op, axes: attributes.list("axes")? }));
        }
        Ok(match name {
            "argmax" => Some(Reduce::ArgMax { axis: attributes.number("axis")? }),
            _ => None,
        })
    }

    fn check(&self, operands: &[&Type], result: &Type) -> Result<(), String> {
        let [x] = arity(operands)?;
        if !x.dtype.is_float() {
            return Err(format!("works on floats, not on {x}"));
        }
        match self {
            Reduce::Fold { axes, .. } => {
                if !axes.is_sorted_by(|a, b| a < b) || axes.last().is_some_and(|&a| a >= x.rank()) {
                    return Err(format!("axes {axes:?} are not ascending axes of {x}"));
                }
                expect(result, &x.with_shape(without(&x.shape, axes)))
            }
            Reduce::ArgMax { axis } if *axis >= x.rank() => Err(format!("{x} has no axis {axis}")),
            Reduce::ArgMax { axis } => expect(result, &Type::new(DType::I32, without(&x.shape, &[*axis]))),
        }
    }

    fn vjp(&self, b: &mut Builder, node: NodeId, g: NodeId) -> Vec<Option<NodeId>> {
        let x = b.operands(node)[0];
        let ty = b.ty(x).clone();
        match self {
            Reduce::Fold { op: Reduction::Add, axes } => {
                vec![Some(b.broadcast(g, others(ty.rank(), axes), ty.shape))]
            }
            Reduce::Fold { op: Reduction::Maximum | Reduction::Minimum, axes } => {
                let kept = others(ty.rank(), axes);
                let spread = b.broadcast(g, kept.clone(), ty.shape.clone());
                let best = b.broadcast(node, kept.clone(), ty.shape.clone());
                let hit = b.compare(Direction::Eq, x, best);
                let hit = b.convert(hit, ty.dtype);
                let ties = b.reduce(Reduction::Add, hit, axes.clone());
                let ties = b.broadcast(ties, kept, ty.shape);
                let share = b.binary(Binary::Divide, hit, ties);
                vec![Some(b.binary(Binary::Multiply, spread, share))]
            }
            Reduce::ArgMax { .. } => vec![None],
        }
    }

    fn eval(&self, x: &[&Array], to: &Type, bindings: &Bindings) -> Result<Array, String> {
        let (x, dims) = (x[0], &to.dims_at(bindings.batch)[..]);
        Ok(match self {
            Reduce::Fold { op, axes } => {
                let kept = others(x.dims.len(), axes);
                let mut out = Array::filled(dims, op.identity());
                x.each(|index, value| {
                    let at: Vec<usize> = kept.iter().map(|&k| index[k]).collect();
                    let slot = out.at_mut(&at);
                    *slot = op.op().of(*slot, value);
                });
                out
            }
            Reduce::ArgMax { axis } => {
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
        })
    }

    fn flops(&self, operands: &[&Type], _: &Type, batch: usize) -> u64 {
        match self {
            Reduce::Fold { .. } | Reduce::ArgMax { .. } => operands.iter().map(|x| count(x, batch)).sum(),
        }
    }

    fn kind(&self, _: &[&Type], _: &Type) -> Kind {
        Kind::Heavy
    }

    fn is_affine(&self, _: &[bool]) -> bool {
        match self {
            Reduce::Fold { op, .. } => op.is_affine(),
            Reduce::ArgMax { .. } => false,
        }
    }

    fn rows(&self, operands: &[&Type], _: &Type) -> Option<Dim> {
        match self {
            Reduce::Fold { .. } => None,
            Reduce::ArgMax { axis } => operands.first().map(|x| x.shape[*axis]),
        }
    }

    fn lift(&self, _: &[bool]) -> Lift {
        let lifted = match self {
            Reduce::Fold { op, axes } => Reduce::Fold { op: *op, axes: axes.iter().map(|a| a + 1).collect() },
            Reduce::ArgMax { axis } => Reduce::ArgMax { axis: axis + 1 },
        };
        Lift::Stacked(lifted.into())
    }

    fn summed(&self, _: &[bool]) -> Summed {
        match self {
            Reduce::Fold { op: Reduction::Add, axes } => Summed::Fold(axes.clone()),
            Reduce::Fold { op: Reduction::Maximum | Reduction::Minimum, .. } | Reduce::ArgMax { .. } => {
                Summed::Never
            }
        }
    }

    fn stablehlo(&self) -> StableHlo {
        match self {
            Reduce::Fold { op: Reduction::Add, .. } => StableHlo::Expansion("reduce from 0 by add"),
            Reduce::Fold { op: Reduction::Maximum, .. } => {
                StableHlo::Expansion("reduce from -inf by maximum")
            }
            Reduce::Fold { op: Reduction::Minimum, .. } => StableHlo::Expansion("reduce from inf by minimum"),
            Reduce::ArgMax { .. } => StableHlo::Expansion(
                "reduce of (x, iota) from (-inf, 0): the larger number, of equal ones the smaller index",
            ),
        }
    }
}

impl Builder {
    /// Folds axes (ascending) away; the operand itself when there are none.
    pub fn reduce(&mut self, op: Reduction, x: NodeId, axes: Vec<usize>) -> NodeId {
        if axes.is_empty() {
            return x;
        }
        let ty = self.ty(x).with_shape(without(&self.ty(x).shape, &axes));
        self.emit(Reduce::Fold { op, axes }, &[x], ty)
    }

    /// The index of the first largest element along an axis.
    pub fn argmax(&mut self, x: NodeId, axis: usize) -> NodeId {
        let ty = Type::new(DType::I32, without(&self.ty(x).shape, &[axis]));
        self.emit(Reduce::ArgMax { axis }, &[x], ty)
    }
}
