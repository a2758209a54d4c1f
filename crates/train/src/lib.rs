//! The training loop, metrics, history, checkpoints, reports.
//!
//! [`load`] opens the data a program asks for, [`Loaded::model`] elaborates the program with it, [`train`]
//! trains it. A trained model is opened with [`open_model`], and used with [`evaluate`] and [`predict`].

mod api;
mod problem;
mod report;

pub use api::*;
pub use problem::{Outcome, Problem, ProblemKind};
pub use report::{
    Best, Figures, Heading, Observer, PredictedRow, Predictions, Progress, Quiet, Reading, Report, Start,
    StopReason, TrainOptions,
};
