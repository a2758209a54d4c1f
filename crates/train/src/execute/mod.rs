//! Running a graph over rows of a table: memory, batches, sums.
//!
//! Invariant: uses no other room; knows neither files nor whether a graph trains or infers.

pub(crate) mod metrics;
pub(crate) mod runner;
