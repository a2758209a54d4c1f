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

mod augment;
mod checkpoint;
mod clock;
mod data;
mod diverge;
mod expect;
mod float;
mod folds;
mod generate;
mod history;
mod import;
mod marks;
mod measure;
mod memory;
mod prefetch;
mod problem;
mod readings;
mod report;
mod resolved;
mod roles;
mod run;
mod runner;
mod source;
mod stop;
mod tally;
mod train;
mod using;
mod weights;

pub use checkpoint::{Checkpoint, Longer, open_checkpoint};
pub use data::{LoadOptions, Loaded, describe, load};
pub use expect::{Tally, Trial, trial};
pub use folds::{Folds, Spread, Summary};
pub use generate::{GenerateOptions, generate};
pub use import::{Import, ImportOptions, import};
pub use measure::{
    BenchOptions, BenchReport, GradientOptions, GradientReport, ProfileRow, TensorCheck, bench,
    check_gradients, plan_step,
};
pub use nnc_data::{Description, Style};
pub use problem::{Outcome, Problem, ProblemKind};
pub use report::{
    Best, Figures, Heading, Observer, PredictedRow, Predictions, Progress, Quiet, Reading, Report, Start,
    StopReason, TableFigure, TrainOptions,
};
pub use run::resolve_model;
pub use train::train;
pub use using::{Evaluation, On, Trained, UseOptions, evaluate, open_model, predict};
