//! Strided views of buffers: how reshape, transpose, broadcast, slice and reverse cost nothing.

use nnc_kernels::{Access, LANES};
use std::cmp::Reverse;

/// A buffer of the plan, by number.
pub(crate) type BufferId = usize;

/// An element of a buffer: what a place is before it is known where buffers lie.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Spot {
    pub(crate) buffer: BufferId,
    pub(crate) offset: usize,
    /// Elements from one iteration to the next, for every loop around, the outermost first; missing ones are 0.
    pub(crate) steps: Vec<isize>,
}

impl Spot {
    /// The first element of a buffer.
    pub(crate) fn first(buffer: BufferId) -> Self {
        Self { buffer, offset: 0, steps: Vec::new() }
    }

    /// Whether it is another element in every iteration of some loop.
    pub(crate) fn moves(&self) -> bool {
        self.steps.iter().any(|&s| s != 0)
    }
}

/// A box of elements of a buffer, in row-major order of `dims`.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct View {
    pub(crate) buffer: BufferId,
    pub(crate) offset: usize,
    /// How it moves with the loops around, as in [`Spot`].
    pub(crate) steps: Vec<isize>,
    pub(crate) dims: Vec<usize>,
    pub(crate) strides: Vec<isize>,
}

/// The strides of a dense row-major tensor.
pub(crate) fn dense_strides(dims: &[usize]) -> Vec<isize> {
    let mut strides = vec![1isize; dims.len()];
    for i in (1..dims.len()).rev() {
        strides[i - 1] = strides[i].saturating_mul(dims[i].max(1) as isize);
    }
    strides
}

impl View {
    /// A whole dense buffer.
    pub(crate) fn dense(buffer: BufferId, dims: &[usize]) -> Self {
        Self { buffer, offset: 0, steps: Vec::new(), dims: dims.to_vec(), strides: dense_strides(dims) }
    }

    /// The same, from another element on.
    pub(crate) fn at(self, offset: usize) -> Self {
        Self { offset, ..self }
    }

    /// Its first element.
    pub(crate) fn spot(&self) -> Spot {
        Spot { buffer: self.buffer, offset: self.offset, steps: self.steps.clone() }
    }

    pub(crate) fn count(&self) -> usize {
        self.dims.iter().product()
    }

    /// Whether the elements stand one after another.
    pub(crate) fn is_dense(&self) -> bool {
        matches!(self.collapsed()[..], [] | [(_, 1)]) || self.count() == 0
    }

    /// Sizes and strides with neighbouring axes joined where possible and axes of one element dropped.
    pub(crate) fn collapsed(&self) -> Vec<(usize, isize)> {
        let mut out: Vec<(usize, isize)> = Vec::new();
        for (&n, &s) in self.dims.iter().zip(&self.strides) {
            if n == 1 {
                continue;
            }
            match out.last_mut() {
                Some(last) if last.1 == s.saturating_mul(n as isize) => *last = (last.0 * n, s),
                _ => out.push((n, s)),
            }
        }
        out
    }

    /// How a tile program reads it.
    pub(crate) fn access(&self) -> Access {
        let dims = self.collapsed();
        // What moves is read exactly, everything else in whole lanes.
        let apart = self.offset.is_multiple_of(LANES) || self.spot().moves();
        let linear = matches!(dims[..], [] | [(_, 1)]) && apart;
        match dims.is_empty() {
            _ if linear => Access::linear(),
            true => Access { dims: vec![(1, 0)] },
            false => Access { dims },
        }
    }

    /// The order of axes in which the elements stand one after another in memory, when there is one.
    pub(crate) fn memory_order(&self) -> Option<Vec<usize>> {
        let mut order: Vec<usize> = (0..self.dims.len()).collect();
        // Axes of one element may stand anywhere.
        order.sort_by_key(|&a| {
            (self.dims[a] != 1, Reverse(if self.dims[a] == 1 { 0 } else { self.strides[a] }))
        });
        self.transpose(&order).is_dense().then_some(order)
    }

    /// Whether all elements are one.
    pub(crate) fn is_scalar(&self) -> bool {
        self.collapsed().iter().all(|d| d.1 == 0)
    }

    /// The same elements in the same order under other dims, when strides can say it.
    pub(crate) fn reshape(&self, dims: &[usize]) -> Option<View> {
        if self.dims == dims {
            return Some(self.clone());
        }
        if self.count() == 0 {
            return Some(View { dims: dims.to_vec(), strides: dense_strides(dims), ..self.clone() });
        }
        let mut parts = self.collapsed();
        let mut strides = vec![0isize; dims.len()];
        // From the last axis on, every new axis takes its share of the last joined axis.
        let mut rest = parts.pop().unwrap_or((1, 1));
        for i in (0..dims.len()).rev() {
            if dims[i] == 1 {
                continue;
            }
            if rest.0 == 1 {
                rest = parts.pop()?;
            }
            if !rest.0.is_multiple_of(dims[i]) {
                return None;
            }
            strides[i] = rest.1;
            rest = (rest.0 / dims[i], rest.1 * dims[i] as isize);
        }
        Some(View { dims: dims.to_vec(), strides, ..self.clone() })
    }

    pub(crate) fn transpose(&self, perm: &[usize]) -> View {
        let dims = perm.iter().map(|&p| self.dims[p]).collect();
        let strides = perm.iter().map(|&p| self.strides[p]).collect();
        View { dims, strides, ..self.clone() }
    }

    pub(crate) fn broadcast(&self, axes: &[usize], dims: &[usize]) -> View {
        let mut strides = vec![0; dims.len()];
        for (&axis, &s) in axes.iter().zip(&self.strides) {
            strides[axis] = s;
        }
        View { dims: dims.to_vec(), strides, ..self.clone() }
    }

    pub(crate) fn slice(&self, start: &[usize], dims: &[usize]) -> View {
        if dims.contains(&0) {
            return View { dims: dims.to_vec(), ..self.clone() };
        }
        let shift: isize = start.iter().zip(&self.strides).map(|(&i, &s)| i as isize * s).sum();
        View { offset: self.offset.wrapping_add_signed(shift), dims: dims.to_vec(), ..self.clone() }
    }

    pub(crate) fn reverse(&self, axes: &[usize]) -> View {
        let mut out = self.clone();
        for &axis in axes {
            let last = self.dims[axis].saturating_sub(1) as isize;
            out.offset = out.offset.wrapping_add_signed(last * self.strides[axis]);
            out.strides[axis] = -self.strides[axis];
        }
        out
    }

    /// Some axes as one: their number of elements and their common stride, when there is one.
    pub(crate) fn group(&self, axes: &[usize]) -> Option<(usize, isize)> {
        let part = View {
            dims: axes.iter().map(|&a| self.dims[a]).collect(),
            strides: axes.iter().map(|&a| self.strides[a]).collect(),
            ..self.clone()
        };
        match part.collapsed()[..] {
            [] => Some((1, 1)),
            [one] => Some(one),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reshape_keeps_the_elements() {
        let v = View::dense(0, &[2, 3, 4]);
        assert_eq!(v.reshape(&[6, 4]), Some(View::dense(0, &[6, 4])));
        assert_eq!(v.reshape(&[24]).map(|v| v.strides), Some(vec![1]));
        let t = v.transpose(&[2, 0, 1]);
        assert_eq!(t.dims, [4, 2, 3]);
        assert_eq!(t.reshape(&[4, 6]).map(|v| v.strides), Some(vec![1, 4]));
        assert_eq!(t.reshape(&[4, 1, 6, 1]).map(|v| v.strides), Some(vec![1, 0, 4, 0]));
        assert_eq!(t.reshape(&[2, 12]), None);
        let b = View::dense(0, &[3]).broadcast(&[1], &[2, 3]);
        assert_eq!(b.strides, [0, 1]);
        assert_eq!(b.reshape(&[6]), None);
        assert_eq!(b.reshape(&[2, 3, 1]).map(|v| v.strides), Some(vec![0, 1, 0]));
    }

    #[test]
    fn collapsing() {
        assert!(View::dense(0, &[2, 1, 5]).is_dense());
        assert_eq!(View::dense(0, &[2, 5]).transpose(&[1, 0]).collapsed(), [(5, 1), (2, 5)]);
        assert!(View::dense(0, &[]).broadcast(&[], &[4, 4]).is_scalar());
        assert_eq!(View::dense(0, &[2, 3, 4]).group(&[0, 1]), Some((6, 4)));
        assert_eq!(View::dense(0, &[2, 3, 4]).group(&[0, 2]), None);
        assert_eq!(View::dense(0, &[4]).reverse(&[0]).offset, 3);
    }
}
