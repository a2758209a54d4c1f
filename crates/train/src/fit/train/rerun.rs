//! One step of a training, taken apart.

use super::Trainer;
use crate::artifact::weights;
use crate::binding::load::Loaded;
use crate::execute::runner::{Runner, refused};
use crate::fit::augment::feed;
use crate::fit::pieces::Pieces;
use crate::fit::report::{Quiet, TrainOptions};
use crate::fit::stop::StopReason;
use crate::memory;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_backend::{Options, State};
use nnc_graph::{OutputKind, Role};
use nnc_model::Model;
use nnc_syntax::{Code, Diagnostic};
use std::ops::RangeInclusive;

/// A sample of a step.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StepRow {
    /// Its row in the source, from 0; of a window, that of its (first) target. `None` where it has none.
    pub row: Option<usize>,
    /// Its loss before the step, as training computes it.
    pub loss: f64,
}

/// What a step did to a tensor of weights or states.
#[derive(Clone, PartialEq, Debug)]
pub struct StepWeight {
    /// Its path.
    pub name: String,
    /// Whether it is learned, or follows from the samples.
    pub learned: bool,
    /// Its sizes.
    pub shape: Vec<usize>,
    /// The line of the program that made it, such as `xor.nn:15`; empty where that is not known.
    pub place: String,
    /// The gradient of the mean loss, before it is clipped; empty where nothing is learned.
    pub gradient: Vec<f64>,
    /// The numbers before the step.
    pub before: Vec<f64>,
    /// The numbers after it.
    pub after: Vec<f64>,
}

/// A step of a training.
#[derive(Clone, PartialEq, Debug)]
pub struct StepTrace {
    /// Its number over the whole training, from 1.
    pub step: u64,
    /// How many there are in all, if nothing ends the training early.
    pub steps: u64,
    /// Its epoch, from 1.
    pub epoch: u64,
    /// The mean of the losses of its samples, before the step.
    pub loss: f64,
    /// Its samples, in the order in which they are computed.
    pub rows: Vec<StepRow>,
    /// What it learns and keeps, in the order of the program.
    pub weights: Vec<StepWeight>,
}

/// Trains up to some steps and takes these apart; `None` where the interrupt of the options was raised.
///
/// # Errors
/// Those of training; the training has not so many steps.
pub(crate) fn rerun(
    loaded: &Loaded,
    model: &Model,
    options: &TrainOptions,
    steps: RangeInclusive<u64>,
) -> Outcome<Option<Vec<StepTrace>>> {
    let mut trainer = Trainer::new(loaded, model, options)?;
    let mut traces = Vec::new();
    for step in steps {
        trainer.until = step.saturating_sub(1);
        match trainer.go_on(&mut Quiet)? {
            None => traces.push(trainer.take_apart(step)?),
            Some(StopReason::Interrupted) => return Ok(None),
            Some(_) => {
                let d = Diagnostic::error(Code::N0605, format!("this training has {} steps", trainer.done));
                let help = format!("--step 1 to --step {}", trainer.done);
                return Err(Problem::new(ProblemKind::Usage, d.help(help)));
            }
        }
    }
    Ok(Some(traces))
}

/// How a training went, step by step.
pub(crate) struct Course {
    /// The mean loss of every step, before it.
    pub(crate) losses: Vec<f64>,
    /// Why it could not go on, where numbers became none.
    pub(crate) broken: Option<Box<Problem>>,
}

/// Trains to the end, and keeps the loss of every step; `None` where the interrupt of the options was raised.
///
/// # Errors
/// Those of training, but that a loss is no number any more.
pub(crate) fn course(loaded: &Loaded, model: &Model, options: &TrainOptions) -> Outcome<Option<Course>> {
    let mut trainer = Trainer::new(loaded, model, options)?;
    trainer.watched = Some(Vec::new());
    let ended = trainer.go_on(&mut Quiet);
    let mut losses = trainer.watched.take().unwrap_or_default();
    let broken = match ended {
        Ok(Some(StopReason::Interrupted)) => return Ok(None),
        Ok(_) if weights::are_finite(&*trainer.state) => None,
        Ok(_) => Some(trainer.diverged()),
        Err(problem) if problem.kind == ProblemKind::Diverged => Some(problem),
        Err(problem) => return Err(problem),
    };
    losses.truncate(trainer.done as usize);
    Ok(Some(Course { losses, broken }))
}

impl Trainer<'_> {
    /// Does the step that comes now, and says what it did.
    fn take_apart(&mut self, step: u64) -> Outcome<StepTrace> {
        if self.position == 0 {
            self.epoch += 1;
        }
        self.arrange()?;
        let start = self.position;
        let end = self.order.len().min(start + self.batch);
        let mut weights = weights_of(self.model, &*self.state);
        let mut rows = Vec::with_capacity(end - start);
        let pieces = Pieces::new(&self.model.settings);
        let seed = self.model.settings.seed;
        for piece in pieces.of(step, start, end) {
            let count = piece.end - piece.start;
            let mut runner = self.gradients_of(count)?;
            let of = &self.order[piece.start..piece.end];
            let table = &self.loaded.data.train;
            feed(&mut runner, table, of, self.augment.as_ref(), self.epoch)?;
            runner.run(&mut *self.state.snapshot(), seed, piece.key)?;
            let losses = runner.output(OutputKind::Loss, "loss");
            let loss = |i: usize| losses.as_ref().and_then(|l| l.get(i)).unwrap_or(f64::NAN);
            let source = |row: u32| table.source_row(row as usize);
            rows.extend(of.iter().enumerate().map(|(i, &row)| StepRow { row: source(row), loss: loss(i) }));
            // The gradient of the mean over all pieces.
            let share = count as f64 / (end - start) as f64;
            for weight in weights.iter_mut().filter(|w| w.learned) {
                let Some(gradient) = runner.output(OutputKind::Gradient, &weight.name) else { continue };
                weight.gradient.resize(gradient.len(), 0.0);
                weight.gradient.iter_mut().zip(gradient.iter()).for_each(|(sum, g)| *sum += share * g);
            }
        }
        let (epoch, steps) = (self.epoch, self.all_steps());
        self.until = step;
        let ended = match self.steps(&mut Quiet) {
            Ok(ended) => Some(ended),
            // A step that breaks is what is to be seen.
            Err(problem) if problem.kind == ProblemKind::Diverged => None,
            Err(problem) => return Err(problem),
        };
        for weight in &mut weights {
            weight.after = numbers_of(&*self.state, weight);
        }
        if let Some(ended) = ended {
            self.end_steps(ended, &mut Quiet)?;
        }
        let loss = rows.iter().map(|r| r.loss).sum::<f64>() / rows.len().max(1) as f64;
        Ok(StepTrace { step, steps, epoch, loss, rows, weights })
    }

    /// The graph with the gradient of every weight, for so many samples.
    fn gradients_of(&self, count: usize) -> Outcome<Runner> {
        let limit = memory::limit(self.options.memory_limit);
        let options = Options { memory_limit: limit, ..Options::default() };
        let plan = self.layout.compile(&self.model.backward, count, &options).map_err(|e| refused(&e))?;
        Runner::new(plan, &self.loaded.ports, self.model)
    }
}

/// Weights and states as they are.
pub(crate) fn weights_of(model: &Model, state: &dyn State) -> Vec<StepWeight> {
    let graph = &model.step;
    let place = |role: Role, name: &str| {
        let node = graph.parameters(role).into_iter().find(|(n, _)| **n == *name)?.1;
        let origin = &graph.node(node).origin;
        (!origin.file.is_empty()).then(|| format!("{}:{}", origin.file, origin.line))
    };
    let kept = model.parameters.iter().filter(|p| matches!(p.role, Role::Weight | Role::State));
    let all = kept.map(|p| {
        let mut weight = StepWeight {
            name: p.name.clone(),
            learned: p.role == Role::Weight,
            shape: p.shape.clone(),
            place: place(p.role, &p.name).unwrap_or_default(),
            gradient: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
        };
        weight.before = numbers_of(state, &weight);
        weight
    });
    all.collect()
}

/// The numbers of a weight or state.
pub(crate) fn numbers_of(state: &dyn State, weight: &StepWeight) -> Vec<f64> {
    let role = if weight.learned { Role::Weight } else { Role::State };
    state.get(role, &weight.name).map_or(Vec::new(), |slice| slice.iter().collect())
}
