//! Why the loss of a run became no number, or rose of a sudden: the step, its rows, what had moved.

use crate::binding::encode::asked;
use crate::check::again::Again;
use crate::check::step::{RowSeen, rows_seen};
use crate::fit::train::{StepTrace, course, rerun};
use crate::problem::{Outcome, Problem};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Steps that say what is usual.
const WINDOW: usize = 50;
/// Fewer steps before one say nothing about what is usual.
const LEAST: usize = 8;
/// A loss this many times the usual one stands out, if it is also far beyond how the losses spread.
const TIMES: f64 = 3.0;
/// So many median deviations are far.
const FAR: f64 = 8.0;
/// Steps that are taken apart before the one in question.
const BEFORE: u64 = 5;

/// How far something is from what it was in the steps before.
#[derive(Clone, PartialEq, Debug)]
pub struct Moved {
    /// The weight.
    pub name: String,
    /// The line of the program that made it.
    pub place: String,
    /// The size now.
    pub now: f64,
    /// The usual one: the median of the steps before.
    pub usual: f64,
}

/// A loss that stands out.
#[derive(Clone, PartialEq, Debug)]
pub struct Spike {
    /// The step.
    pub trace: StepTrace,
    /// The median loss of the steps before it.
    pub usual: f64,
    /// Gradients in this step that stand out, the most first.
    pub gradients: Vec<Moved>,
    /// Weights that the step before moved by more than usual, the most first.
    pub moved: Vec<Moved>,
}

/// What a run's losses tell.
#[derive(Clone, Debug)]
pub enum Story {
    /// They became no number.
    Broken {
        /// What is said of it: place, way, remedy.
        problem: Box<Problem>,
        /// The step in which it shows, with its rows; `None` where it could not be taken apart.
        trace: Option<Box<StepTrace>>,
        /// The mean losses of the steps before it, the last ones.
        losses: Vec<f64>,
    },
    /// One of them stands out.
    Spike(Box<Spike>),
    /// None of them does.
    Calm {
        /// The step with the largest loss, compared with the median before it: the step, and how many times that.
        largest: Option<(u64, f64)>,
    },
}

/// What is to be said of a run.
#[derive(Clone, Debug)]
pub struct Why {
    /// The folder of the run.
    pub run: PathBuf,
    /// The steps it took.
    pub steps: u64,
    /// What happened.
    pub story: Story,
    /// The names of the columns, where the data is a table of text.
    pub columns: Vec<String>,
    /// The rows of the step in question, by their numbers from 0.
    pub seen: BTreeMap<usize, RowSeen>,
}

/// Trains a run again, and looks for the step where its loss became no number or rose most against the steps before. `None`
/// where `interrupt` was raised. The run itself stays as it is.
///
/// # Errors
/// There is no such run, its data is gone or has changed; those of training.
pub fn why(
    run: &Path,
    threads: usize,
    memory_limit: Option<u64>,
    interrupt: &Arc<AtomicBool>,
) -> Outcome<Option<Why>> {
    let again = Again::open(run, memory_limit)?;
    let options = again.options(threads, interrupt);
    let told = |mut problem: Box<Problem>| {
        problem.sources = again.loaded.spec.sources.clone();
        problem
    };
    let Some(course) = course(&again.loaded, &again.model, &options).map_err(told)? else { return Ok(None) };
    let steps = course.losses.len() as u64;
    let apart = |steps| rerun(&again.loaded, &again.model, &options, steps).map_err(told);
    let story = if let Some(problem) = course.broken {
        let step = course.losses.iter().position(|l| !l.is_finite()).map_or(steps, |at| at as u64 + 1);
        let trace = apart(step..=step).ok().flatten().and_then(|mut all| all.pop()).map(Box::new);
        let from = (step as usize).saturating_sub(1 + BEFORE as usize);
        let losses = course.losses.get(from..step as usize).unwrap_or_default().to_vec();
        Story::Broken { problem: told(problem), trace, losses }
    } else if let Some((step, usual)) = spike(&course.losses) {
        let first = step.saturating_sub(BEFORE).max(1);
        let Some(mut traces) = apart(first..=step)? else { return Ok(None) };
        match traces.pop() {
            Some(trace) => Story::Spike(Box::new(stands_out(trace, &traces, usual))),
            None => Story::Calm { largest: None },
        }
    } else {
        Story::Calm { largest: largest(&course.losses) }
    };
    let trace = match &story {
        Story::Broken { trace, .. } => trace.as_deref(),
        Story::Spike(spike) => Some(&spike.trace),
        Story::Calm { .. } => None,
    };
    let stats = &again.loaded.data.stats;
    let asked = asked(stats, &again.loaded.spec, &again.loaded.options, None)?;
    let wanted: Vec<usize> = trace.iter().flat_map(|t| &t.rows).filter_map(|r| r.row).collect();
    let (columns, seen) = rows_seen(&asked, stats, &wanted)?;
    Ok(Some(Why { run: again.folder, steps, story, columns, seen }))
}

fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The number below which this share of some numbers lies, between two of them where it has to be.
fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let at = share * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (*sorted.get(at.floor() as usize)?, *sorted.get(at.ceil() as usize)?);
    Some(low + (high - low) * at.fract())
}

/// The losses before a step, from 0, that say what is usual.
fn before(losses: &[f64], at: usize) -> Option<&[f64]> {
    losses.get(at.saturating_sub(WINDOW)..at).filter(|w| w.len() >= LEAST)
}

/// The step, from 1, whose loss rose most against those before it, and the usual loss there.
fn spike(losses: &[f64]) -> Option<(u64, f64)> {
    let mut best: Option<(usize, f64, f64)> = None;
    for (at, loss) in losses.iter().enumerate() {
        let Some(window) = before(losses, at) else { continue };
        let Some(usual) = median(window) else { continue };
        let deviations: Vec<f64> = window.iter().map(|x| (x - usual).abs()).collect();
        let spread = 1.4826 * median(&deviations).unwrap_or(0.0);
        let above = loss - usual;
        // Losses that leap now and then are usual.
        let high = quantile(window, 0.9).unwrap_or(usual);
        if above <= (TIMES - 1.0) * usual.abs() || above <= FAR * spread || *loss <= 1.5 * high {
            continue;
        }
        let score = above / usual.abs().max(1e-12);
        if best.is_none_or(|(_, _, most)| score > most) {
            best = Some((at, usual, score));
        }
    }
    best.map(|(at, usual, _)| (at as u64 + 1, usual))
}

/// The step, from 1, with the largest loss against the usual one, and how many times that it is.
fn largest(losses: &[f64]) -> Option<(u64, f64)> {
    let ratios = losses.iter().enumerate().filter_map(|(at, loss)| {
        let usual = median(before(losses, at)?).filter(|m| *m > 0.0)?;
        Some((at as u64 + 1, loss / usual))
    });
    ratios.max_by(|a, b| a.1.total_cmp(&b.1))
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|x| x * x).sum::<f64>().sqrt()
}

/// What in a step is unlike the steps before it.
fn stands_out(trace: StepTrace, earlier: &[StepTrace], usual: f64) -> Spike {
    let change = |t: &StepTrace, i: usize| {
        t.weights.get(i).map(|w| norm(w.before.iter().zip(&w.after).map(|(a, b)| b - a)))
    };
    let gradient = |t: &StepTrace, i: usize| {
        t.weights.get(i).filter(|w| !w.gradient.is_empty()).map(|w| norm(w.gradient.iter().copied()))
    };
    let compared = |now: Option<f64>, then: Vec<f64>, i: usize| -> Option<Moved> {
        let (now, usual) = (now?, median(&then).filter(|_| then.len() > 1)?);
        let weight = trace.weights.get(i)?;
        (now > TIMES * usual).then(|| Moved {
            name: weight.name.clone(),
            place: weight.place.clone(),
            now,
            usual,
        })
    };
    let mut gradients = Vec::new();
    let mut moved = Vec::new();
    for i in 0..trace.weights.len() {
        let then = earlier.iter().filter_map(|t| gradient(t, i)).collect();
        gradients.extend(compared(gradient(&trace, i), then, i));
        if let Some((last, rest)) = earlier.split_last() {
            let then = rest.iter().filter_map(|t| change(t, i)).collect();
            moved.extend(compared(change(last, i), then, i));
        }
    }
    for list in [&mut gradients, &mut moved] {
        list.sort_by(|a, b| (b.now / b.usual.max(1e-300)).total_cmp(&(a.now / a.usual.max(1e-300))));
    }
    Spike { trace, usual, gradients, moved }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_out_is_found() {
        let mut losses: Vec<f64> =
            (0..100).map(|i| 1.0 / f64::from(i + 1) + 0.01 * f64::from(i % 3)).collect();
        assert_eq!(spike(&losses), None);
        losses[70] = 0.5;
        assert_eq!(spike(&losses).unwrap().0, 71);
        // Twice the usual is no spike, however still it was.
        assert_eq!(spike(&[vec![1.0; 50], vec![2.0]].concat()), None);
        assert_eq!(spike(&[vec![1.0; 50], vec![3.5]].concat()), Some((51, 1.0)));
        // The first steps say nothing.
        assert_eq!(spike(&[1.0, 50.0, 1.0]), None);
        // Losses that leap all the time are usual.
        let wild: Vec<f64> = (0..80).map(|i| if i % 3 == 0 { 9.0 } else { 1.0 }).collect();
        assert_eq!(spike(&wild).map(|s| s.0), None);
        assert_eq!(largest(&losses).unwrap().0, 71);
    }
}
