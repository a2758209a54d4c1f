//! From a program to its data: what its `data` statements mean, and what the data offers to it.
//!
//! Invariant: uses no other room. Nothing is computed here, and nothing written.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a literal or statement of another kind than asked for is refused or passed over"
)]

mod args;
pub(crate) mod augment;
pub(crate) mod cache;
pub(crate) mod classes;
mod dialect;
pub(crate) mod domain;
pub(crate) mod encode;
pub(crate) mod load;
pub(crate) mod marks;
pub(crate) mod ports;
pub(crate) mod resolved;
pub(crate) mod roles;
pub(crate) mod source;
pub(crate) mod starter;
pub(crate) mod words;
