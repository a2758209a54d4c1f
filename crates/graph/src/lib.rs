//! The intermediate representation of `nnc`: a graph of StableHLO-named primitives, and what is done to it.
//!
//! * [`Prim`], [`Type`]: what a node computes and what it yields.
//! * [`Graph`], [`Builder`]: nodes joined by petgraph edges; each distinct computation stands once.
//! * [`gradient`]: reverse mode, which appends to the same graph.
//! * [`passes`]: graph to graph.
//! * [`text`]: what people and programs read: the text form, which parses back, and JSON.
//! * [`eval`]: the meaning, in plain double precision loops.
//! * [`verify`]: what every graph promises.
//! * [`cases`]: every primitive in one table, for the tests of whatever computes graphs.
//!
//! This crate knows nothing of the language, of memory, or of files.

mod affine;
mod array;
mod builder;
pub mod cases;
pub mod eval;
mod grad;
mod graph;
pub mod passes;
pub mod prim;
mod region;
pub mod scan;
pub mod text;
mod types;
mod verify;

pub use affine::is_affine;
pub use builder::Builder;
pub use grad::gradient;
pub use graph::{Graph, Node, NodeId, Origin, Output, OutputKind};
pub use nnc_random as random;
pub use prim::*;
pub use region::Region;
pub use types::{DType, Dim, Type};
pub use verify::verify;
