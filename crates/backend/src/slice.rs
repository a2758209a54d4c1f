//! Numbers in the precision they are kept in.

use nnc_graph::DType;
use std::ops::Range;

/// Elements to read.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Slice<'a> {
    /// In single precision.
    F32(&'a [f32]),
    /// In double precision.
    F64(&'a [f64]),
}

/// Elements to change.
#[derive(PartialEq, Debug)]
pub enum SliceMut<'a> {
    /// In single precision.
    F32(&'a mut [f32]),
    /// In double precision.
    F64(&'a mut [f64]),
}

/// Elements of its own.
#[derive(Clone, PartialEq, Debug)]
pub enum Buffer {
    /// In single precision.
    F32(Vec<f32>),
    /// In double precision.
    F64(Vec<f64>),
}

impl<'a> Slice<'a> {
    /// How many there are.
    pub fn len(self) -> usize {
        match self {
            Slice::F32(v) => v.len(),
            Slice::F64(v) => v.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Their precision.
    pub fn dtype(self) -> DType {
        match self {
            Slice::F32(_) => DType::F32,
            Slice::F64(_) => DType::F64,
        }
    }

    /// One of them.
    pub fn get(self, at: usize) -> Option<f64> {
        match self {
            Slice::F32(v) => v.get(at).map(|&x| f64::from(x)),
            Slice::F64(v) => v.get(at).copied(),
        }
    }

    /// A part of them; none where there are not so many.
    pub fn part(self, range: Range<usize>) -> Self {
        match self {
            Slice::F32(v) => Slice::F32(v.get(range).unwrap_or_default()),
            Slice::F64(v) => Slice::F64(v.get(range).unwrap_or_default()),
        }
    }

    /// The first of them, at most `count`.
    pub fn first(self, count: usize) -> Self {
        self.part(0..count.min(self.len()))
    }

    /// All of them in order.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = f64> + ExactSizeIterator + 'a {
        (0..self.len()).map(move |i| match self {
            Slice::F32(v) => f64::from(v[i]),
            Slice::F64(v) => v[i],
        })
    }

    /// In runs of `width`; the last may be shorter.
    pub fn chunks(self, width: usize) -> impl Iterator<Item = Slice<'a>> {
        let width = width.max(1);
        let starts = (0..self.len()).step_by(width);
        starts.map(move |at| self.part(at..self.len().min(at + width)))
    }

    /// `f` over all of them, from the first to the last.
    pub fn fold<A>(self, start: A, mut f: impl FnMut(A, f64) -> A) -> A {
        match self {
            Slice::F32(v) => v.iter().fold(start, |a, &x| f(a, f64::from(x))),
            Slice::F64(v) => v.iter().fold(start, |a, &x| f(a, x)),
        }
    }

    /// Whether all are finite numbers.
    pub fn is_finite(self) -> bool {
        match self {
            Slice::F32(v) => v.iter().all(|x| x.is_finite()),
            Slice::F64(v) => v.iter().all(|x| x.is_finite()),
        }
    }

    /// A copy in the same precision.
    pub fn to_buffer(self) -> Buffer {
        match self {
            Slice::F32(v) => Buffer::F32(v.to_vec()),
            Slice::F64(v) => Buffer::F64(v.to_vec()),
        }
    }
}

impl SliceMut<'_> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same elements, to read.
    pub fn read(&self) -> Slice<'_> {
        match self {
            SliceMut::F32(v) => Slice::F32(v),
            SliceMut::F64(v) => Slice::F64(v),
        }
    }

    /// Writes numbers one after the other, as far as there are elements for them; rounds to the precision.
    pub fn write(&mut self, values: impl IntoIterator<Item = f64>) {
        match self {
            SliceMut::F32(v) => v.iter_mut().zip(values).for_each(|(to, x)| *to = x as f32),
            SliceMut::F64(v) => v.iter_mut().zip(values).for_each(|(to, x)| *to = x),
        }
    }

    /// Writes one number; nothing where there is no such element.
    pub fn set(&mut self, at: usize, value: f64) {
        match self {
            SliceMut::F32(v) => v.get_mut(at).into_iter().for_each(|to| *to = value as f32),
            SliceMut::F64(v) => v.get_mut(at).into_iter().for_each(|to| *to = value),
        }
    }

    /// Writes one number everywhere.
    pub fn fill(&mut self, value: f64) {
        match self {
            SliceMut::F32(v) => v.fill(value as f32),
            SliceMut::F64(v) => v.fill(value),
        }
    }

    /// Copies elements; of another number of them, none.
    pub fn copy_from(&mut self, from: Slice<'_>) {
        match (self, from) {
            (SliceMut::F32(to), Slice::F32(from)) if to.len() == from.len() => to.copy_from_slice(from),
            (SliceMut::F64(to), Slice::F64(from)) if to.len() == from.len() => to.copy_from_slice(from),
            (to, from) if to.len() == from.len() => to.write(from.iter()),
            _ => {}
        }
    }
}

impl Buffer {
    /// None, in a precision; all that is not double is single.
    pub fn new(dtype: DType) -> Self {
        match dtype {
            DType::F64 => Buffer::F64(Vec::new()),
            DType::F32 | DType::I32 | DType::Pred => Buffer::F32(Vec::new()),
        }
    }

    /// Makes it so many zeros.
    pub fn reset(&mut self, len: usize) {
        match self {
            Buffer::F32(v) => {
                v.clear();
                v.resize(len, 0.0);
            }
            Buffer::F64(v) => {
                v.clear();
                v.resize(len, 0.0);
            }
        }
    }

    /// The elements, to read.
    pub fn as_slice(&self) -> Slice<'_> {
        match self {
            Buffer::F32(v) => Slice::F32(v),
            Buffer::F64(v) => Slice::F64(v),
        }
    }

    /// The elements, to change them.
    pub fn as_mut_slice(&mut self) -> SliceMut<'_> {
        match self {
            Buffer::F32(v) => SliceMut::F32(v),
            Buffer::F64(v) => SliceMut::F64(v),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precisions_meet() {
        let mut single = vec![0.0f32; 3];
        let mut to = SliceMut::F32(&mut single);
        to.copy_from(Slice::F64(&[0.5, 0.1, -2.0]));
        to.set(9, 1.0);
        to.copy_from(Slice::F64(&[7.0]));
        assert_eq!(single, [0.5, 0.1, -2.0]);
        let read = Slice::F32(&single);
        assert_eq!((read.get(0), read.get(3)), (Some(0.5), None));
        assert_eq!(read.fold(0.0, |s, x| s + x), f64::from(0.1f32) - 1.5);
        let chunks: Vec<Vec<f64>> = read.chunks(2).map(|c| c.iter().collect()).collect();
        assert_eq!(chunks, [vec![0.5, f64::from(0.1f32)], vec![-2.0]]);
        assert!(read.first(9).len() == 3 && read.part(2..9).is_empty());
        assert!(!Slice::F64(&[1.0, f64::NAN]).is_finite());
    }
}
