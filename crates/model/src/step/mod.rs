//! From a program with its data's shapes to graphs: loss, metrics, gradients, the optimizer's update.
//!
//! Invariant: uses all rooms but `explain`; none but that uses it.

mod accumulate;
pub(crate) mod build;
pub(crate) mod classes;
pub(crate) mod clip;
pub(crate) mod compared;
pub(crate) mod freeze;
pub(crate) mod lint;
mod mixed;
pub(crate) mod output;
pub(crate) mod solver;
mod update;
