//! Running a program at compile time: its tensors are nodes of the graph that is built.

pub(crate) mod arith;
pub(crate) mod builtins;
pub(crate) mod call;
pub(crate) mod elab;
pub(crate) mod eval;
pub(crate) mod expr;
pub(crate) mod frame;
pub(crate) mod lookup;
pub(crate) mod pattern;
pub(crate) mod rows;
pub(crate) mod scan;
pub(crate) mod shared;
pub(crate) mod value;
