//! What the reference evaluator computes with: arrays of doubles, and values for the leaves of a graph.

use crate::Role;
use std::collections::HashMap;

/// A row-major array of doubles.
#[derive(Clone, PartialEq, Debug)]
pub struct Array {
    /// The size of every axis.
    pub dims: Vec<usize>,
    /// The elements.
    pub data: Vec<f64>,
}

impl Array {
    /// An array of these elements; there must be as many as the dims ask for.
    pub fn new(dims: &[usize], data: Vec<f64>) -> Self {
        debug_assert_eq!(dims.iter().product::<usize>(), data.len());
        Self { dims: dims.to_vec(), data }
    }

    /// An array of one value.
    pub fn filled(dims: &[usize], value: f64) -> Self {
        Self::new(dims, vec![value; dims.iter().product()])
    }

    /// An array of a function of the index.
    pub fn from_fn(dims: &[usize], mut f: impl FnMut(&[usize]) -> f64) -> Self {
        let mut data = Vec::with_capacity(dims.iter().product());
        each_index(dims, |index| data.push(f(index)));
        Self::new(dims, data)
    }

    fn offset(&self, index: &[usize]) -> usize {
        index.iter().zip(&self.dims).fold(0, |at, (i, n)| at * n + i)
    }

    /// An element.
    pub fn at(&self, index: &[usize]) -> f64 {
        self.data[self.offset(index)]
    }

    /// An element's place.
    pub fn at_mut(&mut self, index: &[usize]) -> &mut f64 {
        let at = self.offset(index);
        &mut self.data[at]
    }

    /// Visits every element with its index.
    pub fn each(&self, mut f: impl FnMut(&[usize], f64)) {
        let mut i = 0;
        each_index(&self.dims, |index| {
            f(index, self.data[i]);
            i += 1;
        });
    }

    /// A function of every element.
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self::new(&self.dims, self.data.iter().map(|&v| f(v)).collect())
    }

    /// A function of every pair of elements.
    pub fn zip(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        Self::new(&self.dims, self.data.iter().zip(&other.data).map(|(&a, &b)| f(a, b)).collect())
    }
}

/// Visits every index of a shape in row-major order.
pub fn each_index(dims: &[usize], mut f: impl FnMut(&[usize])) {
    if dims.contains(&0) {
        return;
    }
    let mut index = vec![0; dims.len()];
    loop {
        f(&index);
        let Some(axis) = (0..dims.len()).rev().find(|&a| index[a] + 1 < dims[a]) else {
            return;
        };
        index[axis] += 1;
        index[axis + 1..].fill(0);
    }
}

/// Values for the leaves of a graph.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    /// The number of samples.
    pub batch: usize,
    /// Parameters by role and name.
    pub parameters: HashMap<(Role, String), Array>,
    /// The key of random numbers.
    pub seed: u64,
    /// The step of random numbers, from 1.
    pub step: u64,
}

impl Bindings {
    /// Binds a parameter.
    #[must_use]
    pub fn with(mut self, role: Role, name: &str, value: Array) -> Self {
        self.parameters.insert((role, name.to_string()), value);
        self
    }
}
