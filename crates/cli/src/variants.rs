//! Programs that are trained many times: each with its point, over seeds, in jobs of their own.

use crate::args::{Precision, SpecArgs};
use crate::failure::{Failure, Result};
use crate::format::{duration, grouped};
use crate::input::{self, Length};
use crate::output::Output;
use nnc_graph::DType;
use nnc_model::{Model, Overrides, Spec};
use nnc_syntax::Diagnostic;
use nnc_train::sweep::{Entry, Point};
use nnc_train::{LoadOptions, Loaded, Longer, Outcome, Problem, ProblemKind, load, open_checkpoint};
use std::path::Path;
use std::time::{Duration, Instant};

/// A program with what is said over it; it can be read again by any thread.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// Its text, with what it uses of other files.
    pub text: String,
    /// What is said over it; the seed is each training's own.
    pub overrides: Overrides,
    /// Where its data is.
    pub data: LoadOptions,
    /// The precision of floats.
    pub float: DType,
}

impl Variant {
    /// Of a program; its warnings are said.
    pub fn of_program(
        args: &SpecArgs,
        length: Length,
        precision: Precision,
        out: &mut Output,
    ) -> Result<(Self, Spec)> {
        if args.data.as_deref() == Some("-") {
            let help = "write the rows to a file first, and name that";
            return Err(Failure::usage(
                "every training reads the data again, and stdin can be read once",
                help,
            ));
        }
        let spec = input::spec(args, length, out)?;
        let variant = Self {
            name: spec.sources.get(spec.source).name.clone(),
            text: spec.whole_text(),
            overrides: Overrides { seed: None, ..spec.overrides().clone() },
            data: input::options(args),
            float: precision.dtype(),
        };
        Ok((variant, spec))
    }

    /// Of a run: its program as it was trained.
    pub fn of_run(run: &Path) -> Result<(Self, Spec)> {
        let checkpoint = open_checkpoint(run, Longer::default())?;
        let spec = checkpoint.spec;
        let variant = Self {
            name: spec.sources.get(spec.source).name.clone(),
            text: spec.whole_text(),
            overrides: Overrides { seed: None, ..spec.overrides().clone() },
            data: checkpoint.origin,
            float: checkpoint.float,
        };
        Ok((variant, spec))
    }

    /// The same program at a point.
    pub fn at(&self, point: &Point) -> Self {
        let mut overrides = self.overrides.clone();
        if point.experiment.is_some() {
            overrides.experiment.clone_from(&point.experiment);
        }
        for (name, value) in &point.set {
            overrides.set.retain(|(n, _)| n != name);
            overrides.set.push((name.clone(), value.clone()));
        }
        Self { overrides, ..self.clone() }
    }

    /// Reads it with a seed, which `None` leaves to the program.
    pub fn read(&self, seed: Option<u64>) -> Outcome<Spec> {
        let overrides = Overrides { seed, ..self.overrides.clone() };
        Spec::read(&self.name, &self.text, &overrides)
            .map_err(|(diagnostics, sources)| Problem::at(ProblemKind::Spec, diagnostics, &sources))
    }

    /// The program with its data and graphs, for a seed.
    pub fn prepare(&self, seed: u64) -> Outcome<(Loaded, Model)> {
        let loaded = load(self.read(Some(seed))?, &self.data)?;
        let model = loaded.model(self.float)?;
        if model.diagnostics.iter().any(Diagnostic::is_error) {
            return Err(Problem::at(ProblemKind::Spec, model.diagnostics, &loaded.spec.sources));
        }
        Ok((loaded, model))
    }
}

/// Says which of several variants a problem is of.
pub fn at_point(mut problem: Box<Problem>, label: &str) -> Box<Problem> {
    if label != "-"
        && let Some(first) = problem.diagnostics.iter_mut().find(|d| d.is_error())
    {
        first.notes.push(format!("with {label}"));
    }
    problem
}

/// A line of a terminal that tells how many trainings are done.
#[derive(Debug)]
pub struct Count {
    done: usize,
    all: usize,
    begin: Instant,
    shown: Option<Instant>,
}

impl Count {
    /// None of so many is done.
    pub fn new(all: usize) -> Self {
        Self { done: 0, all, begin: Instant::now(), shown: None }
    }

    /// Counts one more.
    pub fn add(&mut self, entry: &Entry, out: &mut Output) {
        self.done += 1;
        let due = self.shown.is_none_or(|at| at.elapsed() >= Duration::from_millis(100));
        if !out.live() || !due {
            return;
        }
        self.shown = Some(Instant::now());
        let left = self.begin.elapsed().as_secs_f64() / self.done as f64 * (self.all - self.done) as f64;
        let (done, all) = (grouped(self.done as u64), grouped(self.all as u64));
        let loss =
            entry.figure("loss").map_or(String::new(), |x| format!("  loss {}", crate::format::short(x)));
        out.over(&format!("{done} of {all} trained, about {} left{loss}", duration(left)));
    }

    /// Leaves the line.
    pub fn finish(self, out: &mut Output) {
        if out.live() {
            out.over("");
        }
    }

    /// Seconds since the first.
    pub fn seconds(&self) -> f64 {
        self.begin.elapsed().as_secs_f64()
    }
}
