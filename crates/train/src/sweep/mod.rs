//! Many trainings of one program: over values of its parameters and over seeds.
//!
//! Each training has its job, a thread of its own with its own program, data and plan, and computes with one thread or
//! a few; the bits of a training do not depend on how many there are, so neither does the table.

mod points;
mod record;
mod spread;

pub use points::{Axis, Point, grid, random};
pub use record::{SweepPlan, SweepRecord};
pub use spread::{Difference, Quartiles, by_chance};

use crate::binding::load::Loaded;
use crate::check::expect::{Trial, train_watched};
use crate::engine::Engine;
use crate::execute::metrics::Metrics;
use crate::fit::report::{Report, TrainOptions};
use crate::fit::stop::StopReason;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_model::Model;
use nnc_syntax::{Code, Diagnostic};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

/// The stack of a job: elaboration goes as deep as a program is nested.
const STACK: usize = 64 << 20;

/// One training of a sweep: which, and what came of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Which point, from 0.
    pub point: usize,
    /// The seed.
    pub seed: u64,
    /// Whether every `expect` of the program holds, or, where there is none, whether a `stop when` was reached;
    /// `None` where the program says neither. A loss that is no number any more is no success.
    pub succeeded: Option<bool>,
    /// The epoch where the last of these first held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeded_at: Option<u64>,
    /// Whether the loss became no number.
    pub diverged: bool,
    /// Why the training ended.
    pub ended: String,
    /// Epochs that were begun, 0 where it diverged.
    pub epochs: u64,
    /// Steps.
    pub steps: u64,
    /// Seconds from the first step to the last.
    pub seconds: f64,
    /// Learned numbers.
    pub weights: usize,
    /// `loss`, the metrics, and as `val_…` and `test_…` those of the other parts; null where one is no number.
    pub figures: Vec<(String, Option<f64>)>,
}

impl Entry {
    /// A figure by name; `epochs` is one, and so is `seconds`.
    pub fn figure(&self, name: &str) -> Option<f64> {
        match name {
            "epochs" if !self.diverged => Some(self.epochs as f64),
            "seconds" if !self.diverged => Some(self.seconds),
            name => self.figures.iter().find(|(n, _)| n == name).and_then(|(_, x)| *x),
        }
    }
}

/// How the trainings of a sweep are done.
#[derive(Clone, Debug)]
pub struct JobOptions {
    /// Trainings at a time; 0 takes as many as the machine has processors.
    pub jobs: usize,
    /// What computes.
    pub engine: Engine,
    /// Whether every epoch has an order of its own.
    pub shuffle: bool,
    /// Bytes that each training may take.
    pub memory_limit: Option<u64>,
    /// Becomes true when all are to end.
    pub interrupt: Arc<AtomicBool>,
}

/// The program of a point with its data and graphs, for a seed; called by every job for itself.
pub type Prepare<'a> = dyn Fn(usize, u64) -> Outcome<(Loaded, Model)> + Sync + 'a;

/// Where a training's folder is to be; `None` writes none.
pub type FolderOf<'a> = dyn Fn(usize, u64) -> Option<PathBuf> + Sync + 'a;

/// Trains all of `wanted`, points with seeds, some at a time; tells of each as it ends, in no certain order. Whether
/// all were done: false where `interrupt` was raised.
///
/// # Errors
/// The first mistake in a program, its data or a file; a loss that is no number is a result. What `each` returns.
pub fn run(
    wanted: &[(usize, u64)],
    options: &JobOptions,
    prepare: &Prepare<'_>,
    folder: &FolderOf<'_>,
    each: &mut dyn FnMut(Entry) -> Outcome<()>,
) -> Outcome<bool> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = if options.jobs == 0 { processors } else { options.jobs }.min(wanted.len()).max(1);
    let threads = (processors / jobs).max(1);
    // Raised by a mistake too; the caller's flag is left alone.
    let (next, end) = (AtomicUsize::new(0), Arc::new(AtomicBool::new(false)));
    let ended = || end.load(Ordering::Relaxed) || options.interrupt.load(Ordering::Relaxed);
    let (tell, told) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (own, next, ended, end) = (tell.clone(), &next, &ended, &end);
            let job = move || {
                while !ended()
                    && let Some(&(point, seed)) = wanted.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let out = folder(point, seed);
                    let entry = one((point, seed), prepare, options, threads, out, end);
                    let stop = entry.is_err();
                    if own.send(entry).is_err() || stop {
                        return;
                    }
                }
            };
            let thread = std::thread::Builder::new().name("training".into()).stack_size(STACK);
            if let Err(error) = thread.spawn_scoped(scope, job) {
                let d = Diagnostic::error(Code::N0707, format!("no thread can be started: {error}"));
                let _ =
                    tell.send(Err(Problem::new(ProblemKind::Memory, d.help("fewer at a time: --jobs 1"))));
            }
        }
        drop(tell);
        let mut outcome = Ok(());
        for entry in told {
            let more = match entry {
                Ok(Some(entry)) if outcome.is_ok() => each(entry),
                Ok(_) => Ok(()),
                Err(problem) => Err(problem),
            };
            if let Err(problem) = more {
                end.store(true, Ordering::Relaxed);
                outcome = outcome.and(Err(problem));
            }
        }
        outcome.map(|()| !options.interrupt.load(Ordering::Relaxed))
    })
}

/// One training; `None` where it was interrupted.
fn one(
    (point, seed): (usize, u64),
    prepare: &Prepare<'_>,
    options: &JobOptions,
    threads: usize,
    out: Option<PathBuf>,
    end: &Arc<AtomicBool>,
) -> Outcome<Option<Entry>> {
    let (loaded, model) = prepare(point, seed)?;
    let train = TrainOptions {
        engine: options.engine.clone(),
        threads,
        shuffle: options.shuffle,
        memory_limit: options.memory_limit,
        write: out.is_some(),
        // What a killed sweep left half done is of the same program.
        overwrite: true,
        out,
        ..TrainOptions::default()
    };
    let expected: Vec<_> = model.settings.expect.iter().collect();
    let stop = [options.interrupt.clone(), end.clone()];
    let Some((outcome, trials)) = train_watched(&loaded, &model, &train, &expected, &stop)? else {
        return Ok(None);
    };
    let diverged = Entry {
        point,
        seed,
        succeeded: promises(&model).then_some(false),
        succeeded_at: None,
        diverged: true,
        ended: "the loss became no number".into(),
        epochs: 0,
        steps: 0,
        seconds: 0.0,
        weights: 0,
        figures: Vec::new(),
    };
    let Some(report) = outcome else { return Ok(Some(diverged)) };
    let (succeeded, at) = success(&model, &report, &trials);
    Ok(Some(Entry {
        succeeded,
        succeeded_at: at,
        diverged: false,
        ended: report.stop.to_string(),
        epochs: report.epochs,
        steps: report.steps,
        seconds: report.seconds,
        weights: report.weights,
        figures: figures(&report),
        ..diverged
    }))
}

/// Whether a program says what a success is.
fn promises(model: &Model) -> bool {
    !model.settings.expect.is_empty()
        || model.settings.stop.iter().any(|rule| matches!(rule, nnc_model::StopRule::Holds { .. }))
}

fn success(model: &Model, report: &Report, trials: &[Trial]) -> (Option<bool>, Option<u64>) {
    if !promises(model) {
        return (None, None);
    }
    let held = if trials.is_empty() {
        matches!(report.stop, StopReason::Holds(_))
    } else {
        trials.iter().all(|t| t.holds)
    };
    let last = trials.iter().map(|t| t.epoch).max().unwrap_or(report.epochs);
    (Some(held), held.then_some(last))
}

/// The figures of all parts by name.
pub(crate) fn figures(report: &Report) -> Vec<(String, Option<f64>)> {
    let parts =
        [("", Some(&report.figures)), ("val_", report.valid.as_ref()), ("test_", report.test.as_ref())];
    let of = |(part, figures): (&str, &Metrics)| {
        let named = figures.named().into_iter();
        named.map(|(name, x)| (format!("{part}{name}"), x)).collect::<Vec<_>>()
    };
    parts.into_iter().filter_map(|(part, figures)| Some((part, figures?))).flat_map(of).collect()
}
