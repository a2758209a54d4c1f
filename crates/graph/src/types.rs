//! Element types, dimensions and tensor types.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What one element is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DType {
    /// IEEE single precision: what training uses.
    F32,
    /// IEEE double precision: what gradient checks use.
    F64,
    /// A whole number: a class, an index.
    I32,
    /// True or false.
    Pred,
}

impl DType {
    /// Whether elements are floating-point numbers.
    pub fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F64)
    }

    /// The StableHLO spelling (`f32`, `i32`, `i1`).
    pub fn name(self) -> &'static str {
        match self {
            DType::F32 => "f32",
            DType::F64 => "f64",
            DType::I32 => "i32",
            DType::Pred => "i1",
        }
    }

    /// The inverse of [`DType::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        [DType::F32, DType::F64, DType::I32, DType::Pred].into_iter().find(|d| d.name() == name)
    }
}

/// The size of one axis.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Dim {
    /// The number of samples of a step, known when a plan is made.
    Batch,
    /// A number known at compile time.
    Size(usize),
}

impl Dim {
    /// The size when a step has `batch` samples.
    pub fn at(self, batch: usize) -> usize {
        match self {
            Dim::Batch => batch,
            Dim::Size(n) => n,
        }
    }

    /// The size, if it does not depend on the batch.
    pub fn fixed(self) -> Option<usize> {
        match self {
            Dim::Batch => None,
            Dim::Size(n) => Some(n),
        }
    }
}

impl From<usize> for Dim {
    fn from(n: usize) -> Self {
        Dim::Size(n)
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dim::Batch => f.write_str("B"),
            Dim::Size(n) => write!(f, "{n}"),
        }
    }
}

/// Element type and shape of a tensor, axes in row-major order.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Type {
    /// What one element is.
    pub dtype: DType,
    /// The size of every axis.
    pub shape: Vec<Dim>,
}

impl Type {
    /// A tensor type.
    pub fn new(dtype: DType, shape: impl Into<Vec<Dim>>) -> Self {
        Self { dtype, shape: shape.into() }
    }

    /// A type without axes.
    pub fn scalar(dtype: DType) -> Self {
        Self { dtype, shape: Vec::new() }
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// The same shape with other elements.
    #[must_use]
    pub fn with_dtype(&self, dtype: DType) -> Self {
        Self { dtype, shape: self.shape.clone() }
    }

    /// The same elements in another shape.
    #[must_use]
    pub fn with_shape(&self, shape: impl Into<Vec<Dim>>) -> Self {
        Self { dtype: self.dtype, shape: shape.into() }
    }

    /// Whether some axis is the batch.
    pub fn is_batched(&self) -> bool {
        self.shape.contains(&Dim::Batch)
    }

    /// The sizes when a step has `batch` samples.
    pub fn dims_at(&self, batch: usize) -> Vec<usize> {
        self.shape.iter().map(|d| d.at(batch)).collect()
    }

    /// The number of elements when a step has `batch` samples; `None` when it does not fit a `usize`.
    pub fn count_at(&self, batch: usize) -> Option<usize> {
        self.shape.iter().try_fold(1usize, |n, d| n.checked_mul(d.at(batch)))
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.dtype.name())?;
        f.write_str("[")?;
        for (i, dim) in self.shape.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            write!(f, "{dim}")?;
        }
        f.write_str("]")
    }
}
