//! The training loop, metrics, history, checkpoints, reports.
//!
//! [`load`] opens the data a program asks for, [`Loaded::model`] elaborates the program with it, [`train`]
//! trains it. A trained model is opened with [`open_model`], and used with [`evaluate`], [`predict_each`] and
//! [`generate`].
//!
//! ```text
//! Spec ─► load ─► Loaded ─► model ─► Model ─► train ─► Report, and runs/<spec>/<n>/
//!                                                          │ model.safetensors
//!                              Metrics ◄─ evaluate ◄─ open_model ─► predict_each ─► Answer by Answer
//! ```
//!
//! Rooms, each using those to its right: `sweep`, `check`, `fit`, `infer`, `artifact`, then `execute` and `binding`, which do not
//! know each other.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod artifact;
mod binding;
mod check;
mod engine;
mod execute;
mod fit;
mod infer;
mod memory;
mod problem;
pub mod sweep;

pub use artifact::checkpoint::{Checkpoint, Longer, open_checkpoint};
pub use artifact::import::{Import, ImportOptions, import};
pub use artifact::run_folder::resolve_model;
pub use artifact::runs::{RunInfo, history, list_runs, remove_run, run_info};
pub use binding::cache::DataCache;
pub use binding::load::{LoadOptions, Loaded, Remedy, describe, load, load_again, remedies};
pub use binding::starter::first_program;
pub use binding::words::{DataWords, data_options, data_words};
pub use check::bench::{BenchOptions, BenchReport, bench, plan_graph, plan_step};
pub use check::expect::{Tally, Trial, trial};
pub use check::find::{Findings, find, used};
pub use check::gradients::{GradientOptions, GradientReport, TensorCheck, check_gradients};
pub use check::mend::{Mended, mend};
pub use check::reproduce::{Reproduction, reproduce};
pub use check::row::{LayerValue, RowExplained, explain_row};
pub use check::step::{RowSeen, RunStep, step_of};
pub use check::why::{Moved, Spike, Story, Why, why};
pub use engine::{Engine, Machine, machine};
pub use execute::metrics::{Metrics, TableMetric};
pub use execute::runner::ProfileRow;
pub use fit::folds::{Folds, Spread, Summary};
pub use fit::report::{Best, Observer, Progress, Quiet, Report, StageStart, Start, TrainOptions};
pub use fit::stop::StopReason;
pub use fit::train::{StepRow, StepTrace, StepWeight, train};
pub use infer::ahead::predict_ahead;
pub use infer::examine::{
    Answered, Boundary, ColumnImportance, Compared, Examined, Importance, WeightSpread, WorstRow, examine,
    weight_spread,
};
pub use infer::generate::{GenerateOptions, generate};
pub use infer::inference::{
    Evaluation, InferOptions, On, Trained, evaluate, open_model, predict, predict_each,
};
pub use infer::predictions::{
    Answer, Answers, Beside, CellHeading, CellValue, Heading, Headings, PredictedRow, Predictions, Reading,
};
pub use infer::responder::{Questions, Responder, Told, Unanswered, next_row};
pub use nnc_data::{
    ColumnKind, ColumnStats, Description, Given, Header, Role, Standing, Stream, Style, keys,
};
pub use nnc_xla::{Hosts, Parallel, Settings as XlaSettings};
pub use problem::{Outcome, Problem, ProblemKind};
