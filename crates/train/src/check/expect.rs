//! What a program promises of its training: `expect binary_accuracy >= 1 within 500 epochs in 9 of 10 seeds`.

use crate::binding::load::Loaded;
use crate::fit::report::{Observer, Progress, Report, StageStart, TrainOptions};
use crate::fit::train::train;
use crate::problem::{Outcome, ProblemKind};
use nnc_model::{Expectation, Model};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What one training said about one expectation.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Trial {
    /// The seed of the training.
    pub seed: u64,
    /// Whether it held.
    pub holds: bool,
    /// The epoch that decided: where it first held, or the last one that was looked at.
    pub epoch: u64,
    /// The figures it asks for, as they were then.
    pub figures: Vec<(String, f64)>,
    /// Whether the loss became no number, which no promise survives.
    pub diverged: bool,
}

/// How an expectation stands after some seeds.
#[derive(Clone, PartialEq, Debug)]
pub struct Tally {
    /// In how many seeds it must hold.
    pub need: u64,
    /// Of how many.
    pub of: u64,
    /// The seeds tried so far, in their order.
    pub trials: Vec<Trial>,
}

impl Tally {
    /// Nothing tried yet. With `seeds`, another number of them is tried, and the same share must hold.
    pub fn new(expectation: &Expectation, seeds: Option<u64>) -> Self {
        let (need, of) = expectation.seeds;
        match seeds {
            None => Self { need, of, trials: Vec::new() },
            Some(n) => {
                let share = (u128::from(need) * u128::from(n)).div_ceil(u128::from(of.max(1)));
                Self { need: u64::try_from(share).unwrap_or(n), of: n, trials: Vec::new() }
            }
        }
    }

    /// In how many of the seeds tried it held.
    pub fn held(&self) -> u64 {
        self.trials.iter().filter(|t| t.holds).count() as u64
    }

    /// Whether it holds, as soon as no further seed can change that.
    pub fn verdict(&self) -> Option<bool> {
        let (held, tried) = (self.held(), self.trials.len() as u64);
        if held >= self.need {
            return Some(true);
        }
        (tried - held > self.of.saturating_sub(self.need)).then_some(false)
    }
}

/// Trains once, and says of each expectation that is `wanted` what came of it. The training ends as soon as
/// nothing is open; `None` where `stop` was raised from outside.
///
/// An expectation with a limit holds if its condition does at the end of one epoch within it. One without is
/// about the network that the training leaves: with `save best=…`, that of the best epoch.
///
/// # Errors
/// Those of [`train`], but for a loss that is no number any more, which is a result.
pub fn trial(
    loaded: &Loaded,
    model: &Model,
    options: &TrainOptions,
    wanted: &[&Expectation],
    stop: &Arc<AtomicBool>,
) -> Outcome<Option<Vec<Trial>>> {
    let flags = std::slice::from_ref(stop);
    let options = TrainOptions { write: false, ..options.clone() };
    let watched = watch(loaded, model, &options, wanted, flags, true)?;
    Ok(watched.map(|(_, trials)| trials))
}

/// As [`trial`], but trains to the end that the program sets, and gives its report as well: `None` for a loss that is
/// no number. It ends without a result, which is `None` too, where one of the flags was raised.
///
/// # Errors
/// As [`trial`].
pub(crate) fn train_watched(
    loaded: &Loaded,
    model: &Model,
    options: &TrainOptions,
    wanted: &[&Expectation],
    stop: &[Arc<AtomicBool>],
) -> Outcome<Option<(Option<Report>, Vec<Trial>)>> {
    watch(loaded, model, options, wanted, stop, false)
}

/// Trains with its expectations watched; with `early`, until nothing is open.
fn watch(
    loaded: &Loaded,
    model: &Model,
    options: &TrainOptions,
    wanted: &[&Expectation],
    stop: &[Arc<AtomicBool>],
    early: bool,
) -> Outcome<Option<(Option<Report>, Vec<Trial>)>> {
    let seed = model.settings.seed;
    let steps = model.settings.steps_per_epoch(loaded.data.train.len());
    let watched = wanted.iter().map(|e| Watched {
        expectation: e,
        trial: Trial { seed, ..Trial::default() },
        open: true,
    });
    let end = Arc::new(AtomicBool::new(false));
    let mut watch = Watch { watched: watched.collect(), steps, after: (0, 0), end: end.clone(), early, stop };
    let options = TrainOptions { interrupt: end, ..options.clone() };
    let outcome = train(loaded, model, &options, &mut watch);
    if stop.iter().any(|flag| flag.load(Ordering::Relaxed)) {
        return Ok(None);
    }
    let report = match outcome {
        Ok(report) => {
            watch.finished(&report);
            Some(report)
        }
        Err(problem) if problem.kind == ProblemKind::Diverged => {
            watch.diverged();
            None
        }
        Err(problem) => return Err(problem),
    };
    Ok(Some((report, watch.watched.into_iter().map(|w| w.trial).collect())))
}

struct Watched<'a> {
    expectation: &'a Expectation,
    trial: Trial,
    open: bool,
}

impl Watched<'_> {
    /// Looks at the figures of an epoch; whether the condition holds.
    fn look(&mut self, epoch: u64, figure: &dyn Fn(&str) -> Option<f64>) -> bool {
        let condition = &self.expectation.condition;
        self.trial.epoch = epoch;
        self.trial.figures.clear();
        for name in condition.figures() {
            if self.trial.figures.iter().all(|(n, _)| n != name) {
                self.trial.figures.push((name.to_string(), figure(name).unwrap_or(f64::NAN)));
            }
        }
        condition.holds(figure)
    }
}

/// Looks at every epoch, and, with `early`, ends the training when nothing is open.
struct Watch<'a> {
    watched: Vec<Watched<'a>>,
    /// Steps of an epoch, and the epoch and the step after which the stage began that has so many.
    steps: u64,
    after: (u64, u64),
    end: Arc<AtomicBool>,
    early: bool,
    stop: &'a [Arc<AtomicBool>],
}

impl Watch<'_> {
    fn heed(&self) {
        if self.stop.iter().any(|flag| flag.load(Ordering::Relaxed)) {
            self.end.store(true, Ordering::Relaxed);
        }
    }

    fn finished(&mut self, report: &Report) {
        let figure = |name: &str| {
            let (figures, name) = match (name.strip_prefix("val_"), name.strip_prefix("test_")) {
                (Some(name), _) => (report.valid.as_ref(), name),
                (None, Some(name)) if report.test.is_some() => (report.test.as_ref(), name),
                _ => (Some(&report.figures), name),
            };
            let figures = figures?;
            match name {
                "loss" => Some(figures.loss),
                name => figures.metrics.iter().find(|(n, _)| n == name).map(|(_, x)| *x),
            }
        };
        let epoch = report.best.as_ref().map_or(report.epochs, |b| b.epoch);
        for w in self.watched.iter_mut().filter(|w| w.open) {
            w.open = false;
            // With a limit, every epoch within it was looked at already.
            if limit(w.expectation, self.steps, self.after).is_none() {
                w.trial.holds = w.look(epoch, &figure);
            }
        }
    }

    fn diverged(&mut self) {
        for w in self.watched.iter_mut().filter(|w| w.open) {
            w.trial.diverged = true;
        }
    }
}

/// The last epoch that may count.
fn limit(e: &Expectation, steps_per_epoch: u64, (epoch, step): (u64, u64)) -> Option<u64> {
    let within = |steps: u64| match steps.checked_sub(step) {
        Some(more) => epoch + more / steps_per_epoch.max(1),
        None => epoch,
    };
    let epochs = e.within_steps.map(within);
    match (e.within_epochs, epochs) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

impl Observer for Watch<'_> {
    fn stage(&mut self, stage: &StageStart) {
        (self.steps, self.after) = (stage.steps_per_epoch, stage.after);
    }

    fn progress(&mut self, _: &Progress<'_>) {
        self.heed();
    }

    fn epoch(&mut self, epoch: u64, names: &[String], figures: &[f64]) {
        let figure = |name: &str| figures.get(names.iter().position(|n| n == name)?).copied();
        let mut open = false;
        for w in self.watched.iter_mut().filter(|w| w.open) {
            if let Some(last) = limit(w.expectation, self.steps, self.after) {
                w.trial.holds = epoch <= last && w.look(epoch, &figure);
                w.open = !w.trial.holds && epoch < last;
            }
            open |= w.open;
        }
        if !open && self.early {
            self.end.store(true, Ordering::Relaxed);
        }
        self.heed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nnc_model::Condition;
    use nnc_syntax::Span;
    use nnc_syntax::ast::BinaryOp;

    fn promise(seeds: (u64, u64)) -> Expectation {
        let condition = Condition::Compare { metric: "loss".into(), op: BinaryOp::Lt, value: 1.0 };
        Expectation { condition, within_epochs: None, within_steps: None, seeds, span: Span::default() }
    }

    fn after(seeds: (u64, u64), held: &[bool]) -> Option<bool> {
        let mut tally = Tally::new(&promise(seeds), None);
        tally.trials = held.iter().map(|&holds| Trial { holds, ..Trial::default() }).collect();
        tally.verdict()
    }

    #[test]
    fn a_verdict_comes_as_soon_as_it_is_certain() {
        assert_eq!(after((1, 1), &[]), None);
        assert_eq!(after((1, 1), &[true]), Some(true));
        assert_eq!(after((1, 1), &[false]), Some(false));
        assert_eq!(after((2, 3), &[true]), None);
        assert_eq!(after((2, 3), &[true, true]), Some(true));
        assert_eq!(after((2, 3), &[false]), None);
        assert_eq!(after((2, 3), &[false, false]), Some(false));
        assert_eq!(after((2, 3), &[false, true]), None);
    }

    #[test]
    fn other_seeds_have_the_same_share() {
        let tally = |n| Tally::new(&promise((9, 10)), Some(n));
        for (n, need) in [(1, 1), (5, 5), (10, 9), (11, 10), (100, 90), (u64::MAX, u64::MAX / 10 * 9 + 5)] {
            assert_eq!((tally(n).need, tally(n).of), (need, n));
        }
    }
}
