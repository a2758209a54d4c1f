//! Trained models for other programs.
//!
//! Every target is a folder of this crate and is given the same [`Package`]: the graph of what the network says, its
//! weights, and how rows of a file become numbers and numbers become answers. A target walks the graph with one
//! table of primitives; a test per target runs every case of `nnc_graph::cases` through it, so that a primitive
//! without an entry fails.
//!
//! * [`c`]: one C99 file and its header, which need nothing else.
//! * [`onnx`]: one ONNX file, for onnxruntime and whatever else reads it.
//! * [`stablehlo`]: modules of StableHLO for one number of samples each.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod c;
mod names;
pub mod onnx;
mod package;
pub mod stablehlo;

pub use package::{Answer, Column, Encoding, Input, Package, Step, Weights};
