//! The training loop.

pub(crate) mod augment;
pub(crate) mod clock;
pub(crate) mod diverge;
pub(crate) mod folds;
pub(crate) mod history;
pub(crate) mod prefetch;
pub(crate) mod report;
pub(crate) mod stop;
pub(crate) mod train;
