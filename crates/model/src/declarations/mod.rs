//! What programs declare, as plain values: data and ports, settings, attributes of definitions.
//!
//! Invariant: uses the syntax tree and `suggest`, and no other room; nothing is run here.

pub(crate) mod attributes;
pub mod data;
pub(crate) mod settings;
