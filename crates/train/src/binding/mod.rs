//! From a program to its data: what its `data` statements mean, and what the data offers to it.
//!
//! Invariant: uses no other room. Nothing is computed here, and nothing written.

pub(crate) mod augment;
pub(crate) mod encode;
pub(crate) mod load;
pub(crate) mod marks;
pub(crate) mod ports;
pub(crate) mod resolved;
pub(crate) mod roles;
pub(crate) mod source;
