//! Convolutions, and folds of moving windows.

pub(crate) mod convolution;
pub(crate) mod walk;
pub(crate) mod window;
