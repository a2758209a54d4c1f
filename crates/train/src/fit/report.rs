//! What training is told, and what it tells.

use crate::artifact::checkpoint::Checkpoint;
use crate::artifact::run_note::RunNote;
use crate::engine::Engine;
use crate::execute::metrics::Metrics;
use crate::fit::stop::StopReason;
use crate::infer::predictions::Predictions;
use nnc_model::data::Balanced;
use nnc_syntax::Diagnostic;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How to train; the precision is the model's.
#[derive(Clone, Debug)]
pub struct TrainOptions {
    /// What computes.
    pub engine: Engine,
    /// Threads; 0 takes as many as the machine has.
    pub threads: usize,
    /// Weights to start from.
    pub init: Option<PathBuf>,
    /// Whether every epoch has an order of its own.
    pub shuffle: bool,
    /// The folder of the run; `runs/<spec>/<n>` with the next free number where not given.
    pub out: Option<PathBuf>,
    /// Whether the run of another program in that folder may be replaced.
    pub overwrite: bool,
    /// Bytes that may be taken; four fifths of the machine's memory where not given.
    pub memory_limit: Option<u64>,
    /// Becomes true when the run is to end after the present step.
    pub interrupt: Arc<AtomicBool>,
    /// Whether a run folder is written.
    pub write: bool,
    /// Whether the weights of some epochs are kept for the report, of a small network whose inputs are two numbers.
    pub film: bool,
    /// The run to go on with, in its folder; its first weights are not `init`'s.
    pub resume: Option<Rc<Checkpoint>>,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            engine: Engine::Cpu,
            threads: 0,
            init: None,
            shuffle: true,
            out: None,
            overwrite: false,
            memory_limit: None,
            interrupt: Arc::default(),
            write: true,
            film: false,
            resume: None,
        }
    }
}

/// What is known before the first step.
#[derive(Clone, PartialEq, Debug)]
pub struct Start {
    /// Rows to train on.
    pub rows: usize,
    /// Rows to validate with.
    pub valid_rows: usize,
    /// Learned numbers.
    pub weights: usize,
    /// Rows of a step.
    pub batch: usize,
    /// Steps of an epoch.
    pub steps_per_epoch: u64,
    /// Steps in all, if nothing ends the run early.
    pub steps: u64,
    /// The steps among them that are done already: the run goes on.
    pub resumed_at: u64,
    /// Epochs in all (the last may be partial), if nothing ends the run early.
    pub epochs: u64,
    /// Whether neither `epochs` nor `steps` was given, so that 100 epochs were chosen.
    pub epochs_by_default: bool,
    /// What the classes of targets count in the loss, where the training rows decide it.
    pub balanced: Vec<Balanced>,
    /// Bytes the run takes.
    pub memory: u64,
    /// Threads.
    pub threads: usize,
    /// The folder of the run.
    pub run: Option<PathBuf>,
}

/// What is known when a stage of the training begins.
#[derive(Clone, PartialEq, Debug)]
pub struct StageStart {
    /// Which one, from 1.
    pub stage: usize,
    /// How many there are.
    pub of: usize,
    /// Numbers that learn in it, and that are frozen.
    pub learned: (usize, usize),
    /// Steps of an epoch.
    pub steps_per_epoch: u64,
    /// Epochs of this stage, if nothing ends it early.
    pub epochs: u64,
    /// The epoch and the step after which it begins.
    pub after: (u64, u64),
    /// Epochs in all, as it is known now.
    pub total_epochs: u64,
    /// Why the stage before has ended.
    pub ended: Option<StopReason>,
}

/// How far a run is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Progress<'a> {
    /// The present epoch, from 1.
    pub epoch: u64,
    /// Epochs in all.
    pub epochs: u64,
    /// Steps done.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// The steps among those done that are of before the run went on.
    pub resumed_at: u64,
    /// Steps done of the present epoch, and how many it has.
    pub epoch_steps: (u64, u64),
    /// Rows that steps were made of since the run began, or went on.
    pub rows: u64,
    /// The mean loss of the rows of the present epoch so far; `None` before the first.
    pub running: Option<f64>,
    /// Seconds since the first step (of those after it went on).
    pub seconds: f64,
    /// Names of the columns of the history: `loss`, metrics, `val_…`.
    pub names: &'a [String],
    /// The figures of the last whole epoch; empty in the first.
    pub figures: &'a [f64],
    /// Whether this is said at the end of an epoch, and not within.
    pub epoch_ended: bool,
    /// Whether this is the last.
    pub last: bool,
}

/// Is told how training goes.
pub trait Observer {
    /// Before the first step of a later stage.
    fn stage(&mut self, stage: &StageStart) {
        let _ = stage;
    }

    /// Before the first step.
    fn start(&mut self, start: &Start) {
        let _ = start;
    }

    /// At most about ten times a second, and at the first and the last epoch's end.
    fn progress(&mut self, progress: &Progress<'_>) {
        let _ = progress;
    }

    /// After every epoch, with the figures of its row of the history. A small problem has a hundred
    /// thousand epochs a second: this should cost nothing.
    fn epoch(&mut self, epoch: u64, names: &[String], figures: &[f64]) {
        let _ = (epoch, names, figures);
    }

    /// A warning or note.
    fn note(&mut self, diagnostic: &Diagnostic) {
        let _ = diagnostic;
    }
}

/// An observer that looks away.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Observer for Quiet {}

/// The epoch whose weights were kept.
#[derive(Clone, PartialEq, Debug)]
pub struct Best {
    /// The figure that decided.
    pub metric: String,
    /// Its value.
    pub value: f64,
    /// The epoch, from 1.
    pub epoch: u64,
}

/// What a run came to.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// Loss and metrics of the last epoch, or of the one whose weights were kept.
    pub figures: Metrics,
    /// The validation part with the final weights.
    pub valid: Option<Metrics>,
    /// The test part with the final weights.
    pub test: Option<Metrics>,
    /// Epochs that were begun.
    pub epochs: u64,
    /// Steps that were done.
    pub steps: u64,
    /// The steps among them that were done before this run went on; 0 where it began.
    pub resumed_at: u64,
    /// Seconds from the first step (of those after it went on) to the last.
    pub seconds: f64,
    /// Learned numbers.
    pub weights: usize,
    /// The folder of the run.
    pub run: Option<PathBuf>,
    /// Why training ended.
    pub stop: StopReason,
    /// The epoch whose weights were kept, with `save best=…`.
    pub best: Option<Best>,
    /// The seed.
    pub seed: u64,
    /// Threads.
    pub threads: usize,
    /// A handful of training rows with what the network says, in the order of the data.
    pub rows: Predictions,
}

impl Report {
    /// Adds what is known after the last step to the note of the run.
    pub(crate) fn add_to(&self, note: &mut RunNote) {
        (note.epochs, note.steps, note.seconds) = (self.epochs, self.steps, self.seconds);
        (note.weights, note.seed, note.threads) = (self.weights, self.seed, self.threads);
        note.best_epoch = self.best.as_ref().map(|b| b.epoch);
        note.stop = self.stop.to_string();
        let finite = |x: f64| x.is_finite().then_some(x);
        note.loss = finite(self.figures.loss);
        note.metrics = self.figures.metrics.iter().map(|(n, x)| (n.clone(), finite(*x))).collect();
        let all = |part: &Option<Metrics>| part.as_ref().map_or(Vec::new(), Metrics::named);
        (note.valid, note.test) = (all(&self.valid), all(&self.test));
    }

    /// Whether Ctrl-C ended the run (exit 130).
    pub fn interrupted(&self) -> bool {
        self.stop == StopReason::Interrupted
    }
}
