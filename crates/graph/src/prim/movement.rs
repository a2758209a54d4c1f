//! Moving elements without computing: reshape, transpose, broadcast, slice, concatenate, pad, reverse.

use super::{Again, Kind, Lift, Reduction, Rules, StableHlo, Summed, arity, expect};
use crate::array::{Array, Bindings};
use crate::text::{Attributes, list};
use crate::{Builder, Dim, NodeId, Type};

/// What moves elements.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Movement {
    /// The same elements in row-major order under another shape.
    Reshape,
    /// Axis `i` of the result is axis `perm[i]` of the operand.
    Transpose {
        /// The permutation.
        perm: Vec<usize>,
    },
    /// Axis `i` of the operand becomes axis `axes[i]` of the result; all else is repeated.
    BroadcastInDim {
        /// Where the operand's axes go, ascending.
        axes: Vec<usize>,
    },
    /// Elements `start .. start + size` of every axis; the size is the result's.
    Slice {
        /// The first element of every axis.
        start: Vec<usize>,
    },
    /// Operands one after another along an axis.
    Concatenate {
        /// The axis.
        axis: usize,
    },
    /// Zeros before every axis; as many after it as the result's size asks for.
    Pad {
        /// How many before.
        low: Vec<usize>,
    },
    /// The order of some axes turned round.
    Reverse {
        /// Which, ascending.
        axes: Vec<usize>,
    },
}

impl Rules for Movement {
    fn name(&self) -> &'static str {
        match self {
            Movement::Reshape => "reshape",
            Movement::Transpose { .. } => "transpose",
            Movement::BroadcastInDim { .. } => "broadcast_in_dim",
            Movement::Slice { .. } => "slice",
            Movement::Concatenate { .. } => "concatenate",
            Movement::Pad { .. } => "pad",
            Movement::Reverse { .. } => "reverse",
        }
    }

    fn attributes(&self) -> Vec<(&'static str, String)> {
        match self {
            Movement::Reshape => Vec::new(),
            Movement::Transpose { perm } => vec![("perm", list(perm))],
            Movement::BroadcastInDim { axes } | Movement::Reverse { axes } => vec![("axes", list(axes))],
            Movement::Slice { start } => vec![("start", list(start))],
            Movement::Concatenate { axis } => vec![("axis", axis.to_string())],
            Movement::Pad { low } => vec![("low", list(low))],
        }
    }

    fn from_text(name: &str, attributes: &mut Attributes<'_>) -> Result<Option<Self>, String> {
        Ok(Some(match name {
            "reshape" => Movement::Reshape,
            "transpose" => Movement::Transpose { perm: attributes.list("perm")? },
            "broadcast_in_dim" => Movement::BroadcastInDim { axes: attributes.list("axes")? },
            "slice" => Movement::Slice { start: attributes.list("start")? },
            "concatenate" => Movement::Concatenate { axis: attributes.number("axis")? },
            "pad" => Movement::Pad { low: attributes.list("low")? },
            "reverse" => Movement::Reverse { axes: attributes.list("axes")? },
            _ => return Ok(None),
        }))
    }

    fn check(&self, operands: &[&Type], result: &Type) -> Result<(), String> {
        if let Movement::Concatenate { axis } = self {
            return check_concatenate(*axis, operands, result);
        }
        let [x] = arity(operands)?;
        if x.dtype != result.dtype {
            return Err(format!("elements stay {}, the result is {result}", x.dtype.name()));
        }
        match self {
            Movement::Reshape => match (prefixes(&x.shape), prefixes(&result.shape)) {
                (Some(a), Some(b)) if a == b => Ok(()),
                _ => Err(format!("{x} and {result} do not hold the same elements")),
            },
            Movement::Transpose { perm } => {
                let mut sorted = perm.clone();
                sorted.sort_unstable();
                if sorted != (0..x.rank()).collect::<Vec<_>>() {
                    return Err(format!("{perm:?} is no permutation of the axes of {x}"));
                }
                expect(result, &x.with_shape(perm.iter().map(|&p| x.shape[p]).collect::<Vec<_>>()))
            }
            Movement::BroadcastInDim { axes } => {
                let fits = axes.len() == x.rank()
                    && axes.is_sorted_by(|a, b| a < b)
                    && axes.iter().zip(&x.shape).all(|(&a, d)| result.shape.get(a) == Some(d));
                if fits { Ok(()) } else { Err(format!("{x} does not go to axes {axes:?} of {result}")) }
            }
            Movement::Slice { start } => within(start, result, &x),
            Movement::Pad { low } => within(low, &x, result),
            Movement::Reverse { axes } => {
                let fixed = axes.iter().all(|&a| x.shape.get(a).is_some_and(|d| *d != Dim::Batch));
                if !fixed || !axes.is_sorted_by(|a, b| a < b) {
                    return Err(format!("cannot turn axes {axes:?} of {x} round"));
                }
                expect(result, &x)
            }
            Movement::Concatenate { axis } => check_concatenate(*axis, operands, result),
        }
    }

    fn vjp(&self, b: &mut Builder, node: NodeId, g: NodeId) -> Vec<Option<NodeId>> {
        let operands = b.operands(node);
        let shape = |b: &Builder, i: usize| b.ty(operands[i]).shape.clone();
        let dx = match self {
            Movement::Reshape => {
                let to = shape(b, 0);
                b.reshape(g, to)
            }
            Movement::Transpose { perm } => {
                let mut inverse = vec![0; perm.len()];
                for (i, &p) in perm.iter().enumerate() {
                    inverse[p] = i;
                }
                b.transpose(g, inverse)
            }
            // The adjoint of repeating is summing: this is the only place where gradients are un-broadcast.
            Movement::BroadcastInDim { axes } => {
                let added = super::reduce::others(b.ty(node).rank(), axes);
                b.reduce(Reduction::Add, g, added)
            }
            Movement::Slice { start } => {
                let to = shape(b, 0);
                b.pad(g, start.clone(), to)
            }
            Movement::Pad { low } => {
                let to = shape(b, 0);
                b.slice(g, low.clone(), to)
            }
            Movement::Reverse { axes } => b.reverse(g, axes.clone()),
            Movement::Concatenate { axis } => {
                let mut start = vec![0; b.ty(node).rank()];
                return (0..operands.len())
                    .map(|i| {
                        let to = shape(b, i);
                        let size = to[*axis].fixed().unwrap_or(0);
                        let part = b.slice(g, start.clone(), to);
                        start[*axis] += size;
                        Some(part)
                    })
                    .collect();
            }
        };
        vec![Some(dx)]
    }

    fn eval(&self, x: &[&Array], to: &Type, bindings: &Bindings) -> Result<Array, String> {
        let dims = &to.dims_at(bindings.batch)[..];
        Ok(match self {
            Movement::Reshape => Array::new(dims, x[0].data.clone()),
            Movement::Transpose { perm } => Array::from_fn(dims, |index| {
                let mut at = vec![0; index.len()];
                for (i, &p) in perm.iter().enumerate() {
                    at[p] = index[i];
                }
                x[0].at(&at)
            }),
            Movement::BroadcastInDim { axes } => {
                Array::from_fn(dims, |index| x[0].at(&axes.iter().map(|&a| index[a]).collect::<Vec<_>>()))
            }
            Movement::Slice { start } => Array::from_fn(dims, |index| {
                x[0].at(&index.iter().zip(start).map(|(i, s)| i + s).collect::<Vec<_>>())
            }),
            Movement::Pad { low } => Array::from_fn(dims, |index| {
                let at: Option<Vec<usize>> = index.iter().zip(low).map(|(i, l)| i.checked_sub(*l)).collect();
                match at {
                    Some(at) if at.iter().zip(&x[0].dims).all(|(i, n)| i < n) => x[0].at(&at),
                    _ => 0.0,
                }
            }),
            Movement::Reverse { axes } => Array::from_fn(dims, |index| {
                let mut at = index.to_vec();
                for &a in axes {
                    at[a] = dims[a] - 1 - at[a];
                }
                x[0].at(&at)
            }),
            Movement::Concatenate { axis } => Array::from_fn(dims, |index| {
                let mut at = index.to_vec();
                for part in x {
                    if at[*axis] < part.dims[*axis] {
                        return part.at(&at);
                    }
                    at[*axis] -= part.dims[*axis];
                }
                0.0
            }),
        })
    }

    fn flops(&self, _: &[&Type], _: &Type, _: usize) -> u64 {
        0
    }

    fn kind(&self, _: &[&Type], _: &Type) -> Kind {
        match self {
            Movement::Reshape => Kind::Alias,
            Movement::Transpose { .. }
            | Movement::BroadcastInDim { .. }
            | Movement::Slice { .. }
            | Movement::Reverse { .. } => Kind::View,
            Movement::Concatenate { .. } | Movement::Pad { .. } => Kind::Heavy,
        }
    }

    fn is_affine(&self, _: &[bool]) -> bool {
        true
    }

    fn rows(&self, _: &[&Type], _: &Type) -> Option<Dim> {
        None
    }

    fn lift(&self, _: &[bool]) -> Lift {
        let up = |axes: &[usize]| axes.iter().map(|a| a + 1).collect::<Vec<_>>();
        let under = |axes: &[usize]| [vec![0], up(axes)].concat();
        let from_zero = |axes: &[usize]| [&[0], axes].concat();
        let lifted = match self {
            Movement::Reshape => Movement::Reshape,
            Movement::Transpose { perm } => Movement::Transpose { perm: under(perm) },
            Movement::BroadcastInDim { axes } => Movement::BroadcastInDim { axes: under(axes) },
            Movement::Slice { start } => Movement::Slice { start: from_zero(start) },
            Movement::Pad { low } => Movement::Pad { low: from_zero(low) },
            Movement::Reverse { axes } => Movement::Reverse { axes: up(axes) },
            Movement::Concatenate { axis } => Movement::Concatenate { axis: axis + 1 },
        };
        Lift::Stacked(lifted.into())
    }

    fn summed(&self, _: &[bool]) -> Summed {
        Summed::Each
    }

    fn is_free(&self) -> bool {
        match self {
            Movement::Reshape
            | Movement::Transpose { .. }
            | Movement::BroadcastInDim { .. }
            | Movement::Slice { .. }
            | Movement::Reverse { .. } => true,
            Movement::Concatenate { .. } | Movement::Pad { .. } => false,
        }
    }

    fn again(&self) -> Again {
        match self {
            Movement::Reshape | Movement::Transpose { .. } | Movement::BroadcastInDim { .. } => Again::Moved,
            Movement::Slice { .. } => Again::Computed,
            Movement::Concatenate { .. } | Movement::Pad { .. } | Movement::Reverse { .. } => Again::Kept,
        }
    }

    fn stablehlo(&self) -> StableHlo {
        match self {
            Movement::Reshape
            | Movement::Transpose { .. }
            | Movement::BroadcastInDim { .. }
            | Movement::Concatenate { .. }
            | Movement::Reverse { .. } => StableHlo::Op(self.name()),
            Movement::Slice { .. } => StableHlo::Expansion("slice with limits = start + size, strides of 1"),
            Movement::Pad { .. } => StableHlo::Expansion("pad with 0, high = size - low - operand's size"),
        }
    }
}

/// Whether `small`, moved by `start`, lies within `large`; a batch axis is never cut.
fn within(start: &[usize], small: &Type, large: &Type) -> Result<(), String> {
    let fits = start.len() == small.rank()
        && small.rank() == large.rank()
        && start.iter().zip(&small.shape).zip(&large.shape).all(|((&s, a), b)| match (a, b) {
            (Dim::Batch, Dim::Batch) => s == 0,
            (Dim::Size(a), Dim::Size(b)) => s.checked_add(*a).is_some_and(|end| end <= *b),
            (Dim::Batch, Dim::Size(_)) | (Dim::Size(_), Dim::Batch) => false,
        });
    if fits { Ok(()) } else { Err(format!("{small} from {start:?} does not lie within {large}")) }
}

/// The element counts before, between and after the batch axes: what a reshape must keep.
fn prefixes(shape: &[Dim]) -> Option<Vec<usize>> {
    let mut out = vec![1usize];
    for dim in shape {
        match dim {
            Dim::Batch => out.push(1),
            Dim::Size(n) => {
                let last = out.last_mut()?;
                *last = last.checked_mul(*n)?;
            }
        }
    }
    Some(out)
}

fn check_concatenate(axis: usize, operands: &[&Type], result: &Type) -> Result<(), String> {
    let Some(first) = operands.first() else {
        return Err("takes at least one operand".into());
    };
    let mut total = 0usize;
    for x in operands {
        let same = x.dtype == first.dtype
            && x.rank() == first.rank()
            && (0..x.rank()).all(|i| i == axis || x.shape[i] == first.shape[i]);
        let Some(&Dim::Size(n)) = x.shape.get(axis).filter(|_| same) else {
            return Err(format!("{x} does not join {first} along axis {axis}"));
        };
        total = total.checked_add(n).ok_or("too large")?;
    }
    let mut shape = first.shape.clone();
    shape[axis] = Dim::Size(total);
    expect(result, &first.with_shape(shape))
}

impl Builder {
    /// Another shape; the operand itself when it has that shape already.
    pub fn reshape(&mut self, x: NodeId, shape: Vec<Dim>) -> NodeId {
        if self.ty(x).shape == shape {
            return x;
        }
        let ty = self.ty(x).with_shape(shape);
        self.emit(Movement::Reshape, &[x], ty)
    }

    /// Another order of axes; the operand itself when it is the same.
    pub fn transpose(&mut self, x: NodeId, perm: Vec<usize>) -> NodeId {
        if perm.iter().enumerate().all(|(i, &p)| i == p) {
            return x;
        }
        let shape: Vec<Dim> = perm.iter().map(|&p| self.ty(x).shape[p]).collect();
        let ty = self.ty(x).with_shape(shape);
        self.emit(Movement::Transpose { perm }, &[x], ty)
    }

    /// Repeats along new axes; the operand itself when it has that shape already.
    pub fn broadcast(&mut self, x: NodeId, axes: Vec<usize>, shape: Vec<Dim>) -> NodeId {
        if self.ty(x).shape == shape {
            return x;
        }
        let ty = self.ty(x).with_shape(shape);
        self.emit(Movement::BroadcastInDim { axes }, &[x], ty)
    }

    /// A part of a tensor.
    pub fn slice(&mut self, x: NodeId, start: Vec<usize>, shape: Vec<Dim>) -> NodeId {
        if self.ty(x).shape == shape {
            return x;
        }
        let ty = self.ty(x).with_shape(shape);
        self.emit(Movement::Slice { start }, &[x], ty)
    }

    /// A tensor with zeros around it.
    pub fn pad(&mut self, x: NodeId, low: Vec<usize>, shape: Vec<Dim>) -> NodeId {
        if self.ty(x).shape == shape {
            return x;
        }
        let ty = self.ty(x).with_shape(shape);
        self.emit(Movement::Pad { low }, &[x], ty)
    }

    /// Operands one after another along an axis.
    pub fn concatenate(&mut self, parts: &[NodeId], axis: usize) -> NodeId {
        if let [only] = parts {
            return *only;
        }
        let size = parts.iter().filter_map(|&p| self.ty(p).shape[axis].fixed()).sum::<usize>();
        let mut ty = self.ty(parts[0]).clone();
        ty.shape[axis] = Dim::Size(size);
        self.emit(Movement::Concatenate { axis }, parts, ty)
    }

    /// The order of some axes turned round.
    pub fn reverse(&mut self, x: NodeId, axes: Vec<usize>) -> NodeId {
        let ty = self.ty(x).clone();
        self.emit(Movement::Reverse { axes }, &[x], ty)
    }
}
