//! Moving elements without computing: reshape, transpose, broadcast, slice, concatenate, pad, reverse.

use super::{Prim, Reduction, arity, expect};
use crate::eval::Array;
use crate::{Builder, Dim, NodeId, Type};

pub(super) fn check(prim: &Prim, operands: &[&Type], result: &Type) -> Result<(), String> {
    if let Prim::Concatenate { axis } = prim {
        return check_concatenate(*axis, operands, result);
    }
    let [x] = arity(operands)?;
    if x.dtype != result.dtype {
        return Err(format!("elements stay {}, the result is {result}", x.dtype.name()));
    }
    match prim {
        Prim::Reshape => match (prefixes(&x.shape), prefixes(&result.shape)) {
            (Some(a), Some(b)) if a == b => Ok(()),
            _ => Err(format!("{x} and {result} do not hold the same elements")),
        },
        Prim::Transpose { perm } => {
            let mut sorted = perm.clone();
            sorted.sort_unstable();
            if sorted != (0..x.rank()).collect::<Vec<_>>() {
                return Err(format!("{perm:?} is no permutation of the axes of {x}"));
            }
            expect(result, &x.with_shape(perm.iter().map(|&p| x.shape[p]).collect::<Vec<_>>()))
        }
        Prim::BroadcastInDim { axes } => {
            let fits = axes.len() == x.rank()
                && axes.is_sorted_by(|a, b| a < b)
                && axes.iter().zip(&x.shape).all(|(&a, d)| result.shape.get(a) == Some(d));
            if fits { Ok(()) } else { Err(format!("{x} does not go to axes {axes:?} of {result}")) }
        }
        Prim::Slice { start } => within(start, result, &x),
        Prim::Pad { low } => within(low, &x, result),
        Prim::Reverse { axes } => {
            let fixed = axes.iter().all(|&a| x.shape.get(a).is_some_and(|d| *d != Dim::Batch));
            if !fixed || !axes.is_sorted_by(|a, b| a < b) {
                return Err(format!("cannot turn axes {axes:?} of {x} round"));
            }
            expect(result, &x)
        }
        _ => Ok(()),
    }
}

/// Whether `small`, moved by `start`, lies within `large`; a batch axis is never cut.
fn within(start: &[usize], small: &Type, large: &Type) -> Result<(), String> {
    let fits = start.len() == small.rank()
        && small.rank() == large.rank()
        && start.iter().zip(&small.shape).zip(&large.shape).all(|((&s, a), b)| match (a, b) {
            (Dim::Batch, Dim::Batch) => s == 0,
            (Dim::Size(a), Dim::Size(b)) => s.checked_add(*a).is_some_and(|end| end <= *b),
            _ => false,
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

pub(super) fn vjp(prim: &Prim, b: &mut Builder, node: NodeId, g: NodeId) -> Vec<Option<NodeId>> {
    let operands = b.operands(node);
    let shape = |b: &Builder, i: usize| b.ty(operands[i]).shape.clone();
    let dx = match prim {
        Prim::Reshape => {
            let to = shape(b, 0);
            b.reshape(g, to)
        }
        Prim::Transpose { perm } => {
            let mut inverse = vec![0; perm.len()];
            for (i, &p) in perm.iter().enumerate() {
                inverse[p] = i;
            }
            b.transpose(g, inverse)
        }
        // The adjoint of repeating is summing: this is the only place where gradients are un-broadcast.
        Prim::BroadcastInDim { axes } => {
            let added = super::reduce::others(b.ty(node).rank(), axes);
            b.reduce(Reduction::Add, g, added)
        }
        Prim::Slice { start } => {
            let to = shape(b, 0);
            b.pad(g, start.clone(), to)
        }
        Prim::Pad { low } => {
            let to = shape(b, 0);
            b.slice(g, low.clone(), to)
        }
        Prim::Reverse { axes } => b.reverse(g, axes.clone()),
        Prim::Concatenate { axis } => {
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
        _ => return Vec::new(),
    };
    vec![Some(dx)]
}

pub(super) fn eval(prim: &Prim, x: &[&Array], dims: &[usize]) -> Array {
    match prim {
        Prim::Reshape => Array::new(dims, x[0].data.clone()),
        Prim::Transpose { perm } => Array::from_fn(dims, |index| {
            let mut at = vec![0; index.len()];
            for (i, &p) in perm.iter().enumerate() {
                at[p] = index[i];
            }
            x[0].at(&at)
        }),
        Prim::BroadcastInDim { axes } => {
            Array::from_fn(dims, |index| x[0].at(&axes.iter().map(|&a| index[a]).collect::<Vec<_>>()))
        }
        Prim::Slice { start } => Array::from_fn(dims, |index| {
            x[0].at(&index.iter().zip(start).map(|(i, s)| i + s).collect::<Vec<_>>())
        }),
        Prim::Pad { low } => Array::from_fn(dims, |index| {
            let at: Option<Vec<usize>> = index.iter().zip(low).map(|(i, l)| i.checked_sub(*l)).collect();
            match at {
                Some(at) if at.iter().zip(&x[0].dims).all(|(i, n)| i < n) => x[0].at(&at),
                _ => 0.0,
            }
        }),
        Prim::Reverse { axes } => Array::from_fn(dims, |index| {
            let mut at = index.to_vec();
            for &a in axes {
                at[a] = dims[a] - 1 - at[a];
            }
            x[0].at(&at)
        }),
        Prim::Concatenate { axis } => Array::from_fn(dims, |index| {
            let mut at = index.to_vec();
            for part in x {
                if at[*axis] < part.dims[*axis] {
                    return part.at(&at);
                }
                at[*axis] -= part.dims[*axis];
            }
            0.0
        }),
        _ => x[0].clone(),
    }
}
