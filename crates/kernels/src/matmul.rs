//! Products of matrices.

pub(crate) mod dot;
pub(crate) mod gemm;
pub(crate) mod matrixmultiply;
pub(crate) mod micro;
