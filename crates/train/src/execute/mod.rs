//! Running a graph over rows.

pub(crate) mod metrics;
pub(crate) mod runner;
