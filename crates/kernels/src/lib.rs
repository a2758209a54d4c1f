//! Loops over numbers: products, elementwise tiles, reductions, moves, random numbers, threads.
//!
//! * [`Real`]: what an element is, `f32` or `f64`. Whole numbers and predicates are held as reals too.
//! * [`Instr`]: an instruction, generic over its places; loops among them.
//! * [`Code`]: instructions over two memories (the arena of a step and the store that outlives it). All
//!   bounds and overlaps are checked once, when code is made; running it allocates nothing but the packing
//!   buffers of large products.
//! * [`Pool`]: threads. What a task is depends on the size of the problem, never on the number of threads.
//!
//! This is the only crate with `unsafe`. Every kernel has a plain twin in the tests.

#![allow(unsafe_code)]

mod buffer;
mod check;
mod code;
mod conv;
mod denormals;
mod elementwise;
mod hoist;
mod instr;
mod isa;
mod kernel;
mod matmul;
mod moves;
mod place;
mod pool;
mod real;
mod reduce;
mod scope;
mod shared;
mod vector;

pub use buffer::Buffer;
pub use code::Code;
pub use conv::convolution::{Convolution, ConvolutionKernel};
pub use conv::geometry::Geometry;
pub use conv::window::{Window, WindowFold, Windows};
pub use elementwise::math::{BinaryOp, UnaryOp};
pub use elementwise::tile::{Access, Arg, Load, MicroOp, Op, Program, Scalar, Store};
pub use instr::{Instr, Loop};
pub use isa::vectors;
pub use matmul::dot::{Dot, Matrix};
pub use moves::{Copy, Gather, ScatterAdd, Zero};
pub use place::{Cursor, Place, Space};
pub use pool::Pool;
pub use real::Real;
pub use reduce::{ArgMax, Fold, Reduce};
pub use vector::LANES;
