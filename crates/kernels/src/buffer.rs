//! Memory that begins at a cache line.

use crate::Real;
use std::ops::{Deref, DerefMut};

/// A fixed number of elements, the first at a multiple of 64 bytes.
#[derive(Debug)]
pub struct Buffer<T> {
    data: Vec<T>,
    start: usize,
    len: usize,
}

impl<T: Real> Buffer<T> {
    /// That many zeros.
    pub fn zeros(len: usize) -> Self {
        let spare = 64 / size_of::<T>();
        let data = vec![T::ZERO; len + spare];
        let start = data.as_ptr().align_offset(64).min(spare);
        Self { data, start, len }
    }
}

impl<T: Real> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        let mut out = Self::zeros(self.len);
        out.copy_from_slice(self);
        out
    }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.data[self.start..self.start + self.len]
    }
}

impl<T> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.data[self.start..self.start + self.len]
    }
}
