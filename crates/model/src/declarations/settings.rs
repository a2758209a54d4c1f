//! What a program says about training, as plain values.

use crate::declarations::attributes::Better;
use nnc_syntax::Span;
use nnc_syntax::ast::{Arg, BinaryOp, Block, Chain, Expr, Name};
use std::collections::BTreeMap;

/// How long, in what portions, and until when.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// Passes over the data; 100 when neither epochs nor steps are given.
    pub epochs: Option<u64>,
    /// Steps of one batch.
    pub steps: Option<u64>,
    /// Samples in a step; [`Settings::ALL`] until it is known how many there are.
    pub batch: usize,
    /// In how many pieces a step is computed, one after the other: `batch 32 accumulate=4` is a batch of 128 in 4.
    pub accumulate: usize,
    /// Whether a step takes all samples, as many as there are: `batch all`.
    pub whole: bool,
    /// The key of all random numbers.
    pub seed: u64,
    /// Conditions that end the training early.
    pub stop: Vec<StopRule>,
    /// A learning rate that falls when a figure stalls.
    pub plateau: Option<Plateau>,
    /// Keep the weights of the epoch where this figure was best.
    pub save_best: Option<String>,
    /// Keep a model every so many epochs.
    pub save_every: Option<u64>,
    /// The share of the rows kept for validation and for the test.
    pub split: Split,
    /// What the program promises; `nnc test` holds it to that.
    pub expect: Vec<Expectation>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            epochs: None,
            steps: None,
            batch: 32,
            accumulate: 1,
            whole: false,
            seed: 0,
            stop: Vec::new(),
            plateau: None,
            save_best: None,
            save_every: None,
            split: Split::default(),
            expect: Vec::new(),
        }
    }
}

impl Settings {
    /// The batch of `batch all`, before the samples are counted.
    pub const ALL: usize = usize::MAX;
    /// The slot that holds the steps done before the present stage of the training: a scalar.
    pub const STAGE_SLOT: &'static str = "stage/begin";
    /// Where a step is computed in pieces, the scalars that the trainer writes: 1 in the last piece of a step and else 0,
    /// the samples of the step, and its number. The sums of gradients stand beside them, below `accumulate/`.
    pub const PIECE_SLOTS: [&'static str; 3] = ["accumulate/last", "accumulate/samples", "accumulate/step"];

    /// How many samples are computed at a time.
    pub fn piece(&self) -> usize {
        self.batch / self.accumulate.max(1)
    }

    /// How many steps the training has at most, for `samples` rows.
    pub fn total_steps(&self, samples: usize) -> u64 {
        let per_epoch = self.steps_per_epoch(samples);
        match (self.steps, self.epochs) {
            (Some(steps), Some(epochs)) => steps.min(epochs.saturating_mul(per_epoch)),
            (Some(steps), None) => steps,
            (None, epochs) => epochs.unwrap_or(100).saturating_mul(per_epoch),
        }
    }

    /// How many epochs that are; the last may be partial.
    pub fn epochs_of(&self, samples: usize) -> u64 {
        self.total_steps(samples).div_ceil(self.steps_per_epoch(samples))
    }

    /// How many steps an epoch has; the last partial batch is one.
    pub fn steps_per_epoch(&self, samples: usize) -> u64 {
        (samples.max(1)).div_ceil(self.batch.max(1)) as u64
    }
}

/// `optimizer lbfgs`: L-BFGS with a line search to the strong Wolfe conditions, as PyTorch's `LBFGS`. One step of the
/// training is up to `max_iter` of its iterations.
#[derive(Clone, PartialEq, Debug)]
pub struct Lbfgs {
    /// The length of a direction that is tried first.
    pub lr: f64,
    /// Iterations of a step.
    pub max_iter: u64,
    /// Losses that a step may compute.
    pub max_eval: u64,
    /// It has converged when no number of the gradient is larger.
    pub tolerance_grad: f64,
    /// It has converged when neither the loss nor any weight changes by more.
    pub tolerance_change: f64,
    /// How many of the last steps are remembered.
    pub history_size: usize,
}

/// `schedule plateau`: the learning rate falls when a figure has stalled (Keras' `ReduceLROnPlateau`). What it has
/// fallen to, a share of `lr`, stands in the slot [`Plateau::SLOT`].
#[derive(Clone, PartialEq, Debug)]
pub struct Plateau {
    /// The figure; where none is named, the loss of the validation part, or of the training.
    pub figure: Option<String>,
    /// What it falls by.
    pub factor: f64,
    /// Epochs without improvement.
    pub patience: u64,
    /// What counts as an improvement.
    pub min_delta: f64,
    /// Epochs after a fall that are not looked at.
    pub cooldown: u64,
    /// The share of `lr` it never falls below.
    pub floor: f64,
}

impl Plateau {
    /// The slot of the present share of `lr`: a scalar, 1 at first.
    pub const SLOT: &'static str = "schedule/plateau";
}

/// `expect binary_accuracy >= 1 within 500 epochs in 9 of 10 seeds`
#[derive(Clone, PartialEq, Debug)]
pub struct Expectation {
    /// What must hold, at the end or at some epoch of those allowed.
    pub condition: Condition,
    /// At most so many epochs.
    pub within_epochs: Option<u64>,
    /// At most so many steps.
    pub within_steps: Option<u64>,
    /// In how many of how many seeds; one of one when not given.
    pub seeds: (u64, u64),
    /// Where it stands.
    pub span: Span,
}

/// `split valid=10% test=20% stratify`
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Split {
    /// The share for validation, 0 to 1.
    pub valid: f64,
    /// The share for the test, 0 to 1.
    pub test: f64,
    /// Whether every class keeps its share in every part.
    pub stratify: bool,
    /// Whether the last rows are taken, unshuffled.
    pub ordered: bool,
    /// The column whose rows stay together.
    pub group: Option<String>,
    /// Where it stands.
    pub span: Option<Span>,
}

/// A condition that ends the training.
#[derive(Clone, PartialEq, Debug)]
pub enum StopRule {
    /// No improvement of a figure for so many epochs (Keras' `EarlyStopping` with `min_delta` 0).
    Stalls {
        /// The figure.
        metric: String,
        /// Epochs.
        patience: u64,
        /// Where it stands.
        span: Span,
    },
    /// A comparison of figures holds.
    Holds {
        /// The comparison.
        condition: Condition,
        /// Where it stands.
        span: Span,
    },
}

/// A comparison of figures of the history.
#[derive(Clone, PartialEq, Debug)]
pub enum Condition {
    /// `loss < 0.1`
    Compare {
        /// The figure.
        metric: String,
        /// How.
        op: BinaryOp,
        /// With what.
        value: f64,
    },
    /// Both.
    And(Box<Condition>, Box<Condition>),
    /// One or both.
    Or(Box<Condition>, Box<Condition>),
}

impl Condition {
    /// Whether it holds; an unknown figure holds nothing.
    pub fn holds(&self, figure: &dyn Fn(&str) -> Option<f64>) -> bool {
        match self {
            Condition::Compare { metric, op, value } => figure(metric).is_some_and(|x| match op {
                BinaryOp::Lt => x < *value,
                BinaryOp::Le => x <= *value,
                BinaryOp::Gt => x > *value,
                BinaryOp::Ge => x >= *value,
                BinaryOp::Eq => x == *value,
                BinaryOp::Ne => x != *value,
                BinaryOp::Or
                | BinaryOp::And
                | BinaryOp::Add
                | BinaryOp::Sub
                | BinaryOp::Mul
                | BinaryOp::Div
                | BinaryOp::MatMul
                | BinaryOp::Pow => false,
            }),
            Condition::And(a, b) => a.holds(figure) && b.holds(figure),
            Condition::Or(a, b) => a.holds(figure) || b.holds(figure),
        }
    }

    /// The figures it asks for.
    pub fn figures(&self) -> Vec<&str> {
        match self {
            Condition::Compare { metric, .. } => vec![metric],
            Condition::And(a, b) | Condition::Or(a, b) => [a.figures(), b.figures()].concat(),
        }
    }
}

/// A setting that names a function: `loss mse`, `optimizer adam lr=0.01`, `metrics accuracy`.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub name: Name,
    pub args: Vec<Arg>,
    pub span: Span,
}

/// What is collected at the top of a file, to be used when the network stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Top {
    pub settings: Settings,
    pub loss: Option<Loss>,
    pub optimizer: Option<Named>,
    pub schedule: Option<Named>,
    pub clip: Option<(Clip, f64, Span)>,
    pub metrics: Vec<Metric>,
    pub outputs: Vec<Name>,
    /// Whether rows of their own are kept for the test.
    pub has_test: bool,
    /// The layers and weights that stay as they are.
    pub frozen: Vec<Name>,
    /// `rate base 0.1`: layers and weights with what their learning rates are multiplied by.
    pub rates: Vec<(Name, f64)>,
    /// What stands in the blocks of further stages, in their order.
    pub stages: Vec<Block>,
    /// The stage that is built, from 0.
    pub stage: usize,
    /// Where the figure of `save best=` stands.
    pub best_at: Option<Span>,
    /// Where settings that can be made once were made.
    pub given: BTreeMap<String, Span>,
}

impl Top {
    /// What the learning rate of a weight is multiplied by, and where that stands: of the names of `rate` that it
    /// stands below, the longest counts.
    pub fn rate_of(&self, path: &str) -> Option<(f64, Span)> {
        let own = self.rates.iter().filter(|(name, _)| stands_below(path, &name.text));
        own.max_by_key(|(name, _)| name.text.len()).map(|(name, factor)| (*factor, name.span))
    }
}

/// Whether a path is that of a layer or weight, or of what is in it: `base.dense1.w` stands below `base`.
pub(crate) fn stands_below(path: &str, name: &str) -> bool {
    path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What of the gradients is kept small.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Clip {
    /// The norm of all together: `clip 1.0`.
    Global,
    /// The norm of each weight's gradient: `clip norm=1.0`.
    Norm,
    /// Each number: `clip value=0.5`.
    Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Loss {
    Named(Named),
    Chain(Chain, Span),
}

#[derive(Clone, Debug)]
pub(crate) struct Metric {
    pub name: String,
    pub what: MetricKind,
    pub span: Span,
    /// Which way it gets better, where its definition says so; known when it is built.
    pub better: Option<Better>,
}

#[derive(Clone, Debug)]
pub(crate) enum MetricKind {
    Named(Name),
    Expr(Expr),
}
