//! `optimizer lbfgs`: L-BFGS (Liu and Nocedal 1989) as PyTorch's `LBFGS(line_search_fn="strong_wolfe")` has it, over a
//! step graph that yields the loss and the gradients at the weights as they are.
//!
//! All of it is computed in double precision, in one order, on one thread. What it remembers lies in [`Memory`], so that
//! a run that goes on does so with the same bits.

use crate::execute::runner::Runner;
use crate::fit::line_search::{Point, strong_wolfe};
use crate::problem::Outcome;
use nnc_backend::State;
use nnc_graph::{OutputKind, Role};
use nnc_model::{Lbfgs, Model};
use std::collections::VecDeque;

/// A step `s`, what it changed in the gradient, `y`, and `1 / (y * s)`.
struct Pair {
    y: Vec<f64>,
    s: Vec<f64>,
    ro: f64,
}

/// What is known of the steps so far.
#[derive(Default)]
struct Memory {
    pairs: VecDeque<Pair>,
    /// The last direction, and how far along it the weights went.
    d: Vec<f64>,
    t: f64,
    /// The gradient before that.
    before: Vec<f64>,
    /// What the inverse of the second derivatives is at first: this, times the identity.
    diagonal: f64,
    iterations: u64,
    /// Loss and gradient at the weights as they are, once they are known.
    loss: f64,
    gradient: Vec<f64>,
}

/// Finds the next weights.
pub(crate) struct Solver {
    rule: Lbfgs,
    /// The weights that learn, and how many numbers each has.
    weights: Vec<(String, usize)>,
    count: usize,
    memory: Memory,
}

/// Runs the step graph at some weights.
struct Loss<'a> {
    weights: &'a [(String, usize)],
    runner: &'a mut Runner,
    state: &'a mut dyn State,
    rows: usize,
    seed: u64,
    step: u64,
    sums: &'a mut [f64],
    /// How far along the direction the weights are.
    at: f64,
    /// Whether the sums are of the weights as they are.
    fresh: bool,
}

impl Loss<'_> {
    /// The mean loss and its gradient at the weights of the state.
    fn here(&mut self, gradient: &mut Vec<f64>) -> Outcome<f64> {
        self.runner.run(self.state, self.seed, self.step)?;
        self.fresh = true;
        self.sums.fill(0.0);
        self.runner.add_sums(self.rows, self.sums);
        gradient.clear();
        for (name, count) in self.weights {
            match self.runner.output(OutputKind::Gradient, name) {
                Some(values) => gradient.extend(values.iter()),
                None => gradient.extend(std::iter::repeat_n(0.0, *count)),
            }
        }
        Ok(self.sums[0] / self.rows.max(1) as f64)
    }

    /// Moves the weights to `from + t * d`.
    fn go(&mut self, from: &[f64], t: f64, d: &[f64]) {
        let mut at = 0;
        for (name, count) in self.weights {
            if let Some(mut to) = self.state.get_mut(Role::Weight, name) {
                let (x, d) = (&from[at..at + count], &d[at..at + count]);
                to.write(x.iter().zip(d).map(|(x, d)| x + t * d));
            }
            at += count;
        }
        (self.at, self.fresh) = (t, false);
    }

    /// The weights in a row.
    fn weights(&self) -> Vec<f64> {
        let mut out = Vec::new();
        for (name, count) in self.weights {
            match self.state.get(Role::Weight, name) {
                Some(values) => out.extend(values.iter()),
                None => out.extend(std::iter::repeat_n(0.0, *count)),
            }
        }
        out
    }
}

impl Solver {
    /// The solver of a model, if its optimizer is one.
    pub(crate) fn new(model: &Model) -> Option<Self> {
        let rule = model.solver.clone()?;
        let learned = model.parameters.iter().filter(|p| p.role == Role::Weight && !p.frozen);
        let weights: Vec<_> = learned.map(|p| (p.name.clone(), p.shape.iter().product())).collect();
        let count = weights.iter().map(|(_, n)| n).sum();
        Some(Self { rule, weights, count, memory: Memory::default() })
    }

    /// Bytes that it takes when its history is full.
    pub(crate) fn bytes(&self) -> u64 {
        let vectors = (self.rule.history_size as u64).saturating_mul(2).saturating_add(12);
        vectors.saturating_mul(8).saturating_mul(self.count as u64)
    }

    /// One step of the training: up to `max_iter` iterations. Leaves in `sums` what the graph says of the weights it
    /// ends with, and says why it has converged, if it has. A loss that is no number at its beginning ends it there.
    pub(crate) fn step(
        &mut self,
        runner: &mut Runner,
        state: &mut dyn State,
        rows: usize,
        (seed, step): (u64, u64),
        sums: &mut [f64],
    ) -> Outcome<Option<String>> {
        let rule = self.rule.clone();
        let weights = std::mem::take(&mut self.weights);
        let mut loss =
            Loss { weights: &weights, runner, state, rows, seed, step, sums, at: f64::NAN, fresh: false };
        let done = self.memory.step(&rule, self.count, &mut loss);
        self.weights = weights;
        done
    }

    /// What is to be kept beside the weights.
    pub(crate) fn tensors(&self) -> Vec<(&'static str, Vec<f64>)> {
        let m = &self.memory;
        let all = |of: fn(&Pair) -> &[f64]| m.pairs.iter().flat_map(|p| of(p).iter().copied()).collect();
        vec![
            ("lbfgs/numbers", vec![m.t, m.diagonal, m.loss, m.iterations as f64]),
            ("lbfgs/direction", m.d.clone()),
            ("lbfgs/before", m.before.clone()),
            ("lbfgs/gradient", m.gradient.clone()),
            ("lbfgs/ro", m.pairs.iter().map(|p| p.ro).collect()),
            ("lbfgs/y", all(|p| &p.y)),
            ("lbfgs/s", all(|p| &p.s)),
        ]
    }

    /// Takes over what was kept; a checkpoint without it leaves the memory empty.
    pub(crate) fn restore(&mut self, of: impl Fn(&str) -> Vec<f64>) {
        let n = self.count;
        let [t, diagonal, loss, iterations] = of("lbfgs/numbers")[..] else { return };
        let (ro, y, s) = (of("lbfgs/ro"), of("lbfgs/y"), of("lbfgs/s"));
        let pairs = ro.iter().zip(y.chunks_exact(n.max(1))).zip(s.chunks_exact(n.max(1)));
        let pairs = pairs.map(|((&ro, y), s)| Pair { y: y.to_vec(), s: s.to_vec(), ro }).collect();
        let sized = |mut v: Vec<f64>| {
            v.resize(if v.is_empty() { 0 } else { n }, 0.0);
            v
        };
        let (d, before) = (sized(of("lbfgs/direction")), sized(of("lbfgs/before")));
        let gradient = sized(of("lbfgs/gradient"));
        self.memory = Memory { pairs, d, t, before, diagonal, iterations: iterations as u64, loss, gradient };
    }
}

impl Memory {
    fn step(&mut self, rule: &Lbfgs, count: usize, loss: &mut Loss<'_>) -> Outcome<Option<String>> {
        if self.gradient.len() != count || count == 0 {
            self.loss = loss.here(&mut self.gradient)?;
        }
        if !self.loss.is_finite() {
            return Ok(None);
        }
        let mut evaluations = 1;
        let mut x = loss.weights();
        let mut converged = self.flat(rule);
        for iteration in 1..=rule.max_iter {
            if converged.is_some() {
                break;
            }
            self.direction(rule);
            self.before.clone_from(&self.gradient);
            let (before, first) = (self.loss, self.iterations == 1);
            self.t = rule.lr;
            if first {
                self.t *= (1.0 / self.gradient.iter().map(|g| g.abs()).sum::<f64>()).min(1.0);
            }
            let slope = dot(&self.gradient, &self.d);
            if slope > -rule.tolerance_change {
                converged =
                    Some(format!("the slope along its direction is less than {:?}", rule.tolerance_change));
                break;
            }
            let start = Point { t: 0.0, loss: self.loss, gradient: self.gradient.clone(), slope };
            let longest = largest(&self.d);
            let d = std::mem::take(&mut self.d);
            let most = rule.max_eval.saturating_sub(evaluations);
            let found = strong_wolfe(&start, self.t, longest, most, |t| {
                loss.go(&x, t, &d);
                let mut gradient = Vec::with_capacity(count);
                let value = loss.here(&mut gradient)?;
                let slope = dot(&gradient, &d);
                Ok(Point { t, loss: value, gradient, slope })
            });
            self.d = d;
            let (point, used) = found?;
            evaluations += used;
            (self.t, self.loss, self.gradient) = (point.t, point.loss, point.gradient);
            if loss.at != self.t {
                loss.go(&x, self.t, &self.d);
            }
            x = loss.weights();
            // As PyTorch: a search that was cut short proves nothing.
            if iteration == rule.max_iter || evaluations >= rule.max_eval {
                break;
            }
            converged = self.flat(rule).or_else(|| self.still(rule, before));
        }
        if !loss.fresh {
            self.loss = loss.here(&mut self.gradient)?;
        }
        Ok(converged)
    }

    /// The direction of this iteration, from the gradient and what is known of its changes.
    fn direction(&mut self, rule: &Lbfgs) {
        self.iterations += 1;
        if self.iterations == 1 {
            self.d = self.gradient.iter().map(|g| -g).collect();
            self.pairs.clear();
            self.diagonal = 1.0;
            return;
        }
        let y: Vec<f64> = self.gradient.iter().zip(&self.before).map(|(g, b)| g - b).collect();
        let s: Vec<f64> = self.d.iter().map(|d| d * self.t).collect();
        let ys = dot(&y, &s);
        if ys > 1e-10 {
            if self.pairs.len() >= rule.history_size {
                self.pairs.pop_front();
            }
            self.diagonal = ys / dot(&y, &y);
            self.pairs.push_back(Pair { y, s, ro: 1.0 / ys });
        }
        let mut q: Vec<f64> = self.gradient.iter().map(|g| -g).collect();
        let mut shares = vec![0.0; self.pairs.len()];
        for (pair, share) in self.pairs.iter().zip(&mut shares).rev() {
            *share = dot(&pair.s, &q) * pair.ro;
            add(&mut q, -*share, &pair.y);
        }
        q.iter_mut().for_each(|q| *q *= self.diagonal);
        for (pair, share) in self.pairs.iter().zip(&shares) {
            let back = dot(&pair.y, &q) * pair.ro;
            add(&mut q, share - back, &pair.s);
        }
        self.d = q;
    }

    /// Whether the gradient has vanished.
    fn flat(&self, rule: &Lbfgs) -> Option<String> {
        let most = rule.tolerance_grad;
        (largest(&self.gradient) <= most).then(|| format!("no number of the gradient is above {most:?}"))
    }

    /// Whether the last iteration changed next to nothing.
    fn still(&self, rule: &Lbfgs, before: f64) -> Option<String> {
        let least = rule.tolerance_change;
        if largest(&self.d) * self.t.abs() <= least {
            return Some(format!("no weight changed by more than {least:?}"));
        }
        ((self.loss - before).abs() < least).then(|| format!("the loss changed by less than {least:?}"))
    }
}

fn largest(v: &[f64]) -> f64 {
    v.iter().fold(0.0, |m, x| m.max(x.abs()))
}

/// A sum of products in eight lanes: the same for every machine and number of threads.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (whole, rest) = (a.chunks_exact(8).zip(b.chunks_exact(8)), a.len() / 8 * 8);
    for (a, b) in whole {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let tail: f64 = a[rest..].iter().zip(&b[rest..]).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f64>() + tail
}

fn add(to: &mut [f64], factor: f64, from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, x)| *to += factor * x);
}
