//! Model files and other formats.
//!
//! * [`TensorFile`]: safetensors, with sorted keys, so that equal contents are equal bytes.
//! * [`foreign`]: weights of Keras and PyTorch.
//! * [`EventFile`]: figures for TensorBoard.
//! * [`write_atomic`]: how every file is written.

mod atomic;
mod events;
pub mod foreign;
mod tensors;

pub use atomic::{check_writable, rewrite_atomic, write_all_atomic, write_atomic};
pub use events::EventFile;
pub use tensors::{FormatError, Tensor, TensorFile, Values};
