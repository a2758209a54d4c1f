//! The training loop: epochs and steps, the history, when it ends, and why it diverged.
//!
//! Invariant: uses `infer` and the rooms below it, never `check`. What decides about a run is a function of its history,
//! so that a run that goes on decides as one that never stopped.

pub(crate) mod augment;
pub(crate) mod cause;
pub(crate) mod clock;
pub(crate) mod diverge;
pub(crate) mod folds;
pub(crate) mod history;
pub(crate) mod lbfgs;
pub(crate) mod line_search;
mod mix;
pub(crate) mod pieces;
mod prefetch;
pub(crate) mod report;
pub(crate) mod stop;
pub(crate) mod train;
