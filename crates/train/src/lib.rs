//! The training loop, metrics, history, checkpoints, reports.
//!
//! [`load`] opens the data a program asks for, [`Loaded::model`] elaborates the program with it, [`train`]
//! trains it. A trained model is opened with [`open_model`], and used with [`evaluate`], [`predict`] and
//! [`generate`].
//!
//! ```text
//! Spec ─► load ─► Loaded ─► model ─► Model ─► train ─► Report, and runs/<spec>/<n>/
//!                                                          │ model.safetensors
//!                              Figures ◄─ evaluate ◄─ open_model ─► predict ─► Predictions
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod artifact;
mod binding;
mod check;
mod execute;
mod fit;
mod infer;
mod memory;
mod precision;
mod problem;

pub use artifact::checkpoint::{Checkpoint, Longer, open_checkpoint};
pub use artifact::import::{Import, ImportOptions, import};
pub use artifact::run_folder::resolve_model;
pub use binding::load::{LoadOptions, Loaded, describe, load};
pub use check::expect::{Tally, Trial, trial};
pub use check::measure::{
    BenchOptions, BenchReport, GradientOptions, GradientReport, ProfileRow, TensorCheck, bench,
    check_gradients, plan_step,
};
pub use fit::folds::{Folds, Spread, Summary};
pub use fit::report::{
    Best, Figures, Heading, Observer, PredictedRow, Predictions, Progress, Quiet, Reading, Report, Start,
    StopReason, TableFigure, TrainOptions,
};
pub use fit::train::train;
pub use infer::generate::{GenerateOptions, generate};
pub use infer::inference::{Evaluation, On, Trained, UseOptions, evaluate, open_model, predict};
pub use nnc_data::{Description, Style};
pub use problem::{Outcome, Problem, ProblemKind};
