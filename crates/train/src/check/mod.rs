//! What is asked of a program beside a trained model: its promises, gradients, plan and speed.
//!
//! Invariant: only `sweep` uses it, and it leaves nothing on the disk.

pub(crate) mod again;
pub(crate) mod bench;
pub(crate) mod expect;
pub(crate) mod find;
pub(crate) mod gradients;
pub(crate) mod mend;
pub(crate) mod reproduce;
pub(crate) mod row;
pub(crate) mod step;
pub(crate) mod why;
