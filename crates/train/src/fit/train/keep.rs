//! What a run writes, and how it goes on from that.

use super::{LONG, Trainer};
use crate::artifact::card::ModelCard;
use crate::artifact::checkpoint::{self, CHECKPOINT, Checkpoint};
use crate::artifact::film::{self, FILM, Film};
use crate::artifact::run_folder::MODEL;
use crate::artifact::run_note::{DIVERGED, RunNote};
use crate::artifact::weights;
use crate::binding::load::Loaded;
use crate::binding::resolved;
use crate::execute::metrics;
use crate::fit::diverge::Snapshot;
use crate::fit::lbfgs::Solver;
use crate::fit::report::TrainOptions;
use crate::infer::examine::is_plane;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_backend::State;
use nnc_model::Model;
use nnc_syntax::{Code, Diagnostic};
use std::time::Instant;

impl Trainer<'_> {
    /// Takes over where a run stopped.
    pub(super) fn resume(&mut self, checkpoint: &Checkpoint) -> Outcome<()> {
        if checkpoint.note.stop == DIVERGED {
            let folder = checkpoint.folder.display();
            let d =
                Diagnostic::error(Code::N0605, format!("the numbers of the run in `{folder}` became none"));
            let d = d.cause("from there on there is nothing to learn");
            return Err(Problem::new(
                ProblemKind::Usage,
                d.help(format!("nnc why {folder}   says where that began")),
            ));
        }
        checkpoint.check(self.loaded)?;
        for at in checkpoint.stages() {
            self.enter(at)?;
        }
        let over = checkpoint.step >= self.total;
        if over && self.plans.is_empty() {
            let message = format!("this run has done its {} steps", self.total);
            let d = Diagnostic::error(Code::N0605, message);
            let each = if self.begins.is_empty() { "in all" } else { "in each stage" };
            return Err(Problem::new(
                ProblemKind::Spec,
                d.help(format!("--epochs N makes it N epochs {each}")),
            ));
        }
        let best = self.best.as_mut().map(|b| &mut *b.2);
        checkpoint.restore(&mut *self.state, best)?;
        if let Some(solver) = &mut self.solver {
            solver.restore(|name| checkpoint.numbers(name));
        }
        (self.epoch, self.done, self.resumed_at) = (checkpoint.epoch, checkpoint.step, checkpoint.step);
        self.snapshot = Snapshot { state: self.state.snapshot(), epoch: self.epoch, step: self.done };
        let seen = self.seen();
        let whole = if over || seen == self.order.len() { self.epoch } else { self.epoch - 1 };
        if whole < self.epoch {
            self.position = seen;
            self.sums = checkpoint.sums();
        }
        self.sums.resize(metrics::width(self.model), 0.0);
        // What the rules and the best epoch know follows from the figures.
        self.history.restore(checkpoint.history(), whole);
        let begin = self.begin_of_stage().0;
        for epoch in 1..=self.history.len() as u64 {
            let row = self.history.row(epoch);
            if epoch > begin {
                let reason = self.rules.after(self.history.names(), row);
                if whole == self.epoch && !self.plans.is_empty() {
                    self.ended = reason;
                }
                if let Some(plateau) = &mut self.plateau {
                    plateau.after(row);
                }
            }
            if let Some((watch, best, _)) = &mut self.best
                && watch.improves(row)
            {
                (best.epoch, best.value) = (epoch, watch.value().unwrap_or(f64::NAN));
            }
        }
        self.lower_rate();
        if let (Some(film), Some(folder)) = (&mut self.film, &self.folder) {
            film.go_on(folder.path(), whole);
        }
        Ok(())
    }

    pub(super) fn card(&self, epoch: u64, step: u64) -> ModelCard {
        ModelCard { epoch, step, ..self.card.clone() }
    }

    /// The weights that are to be kept, with their epoch and step.
    fn kept(&self) -> (&dyn State, u64, u64) {
        match &self.best {
            Some((_, best, state)) if best.epoch > 0 => (&**state, best.epoch, self.steps_by(best.epoch)),
            _ => (&*self.state, self.epoch, self.done),
        }
    }

    pub(super) fn long(&self) -> bool {
        self.clock.seconds() > LONG
    }

    pub(super) fn save_history(&self) -> Outcome<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        folder.write(&[("history.csv", self.history.csv(self.staged().as_deref()).into_bytes())], true)
    }

    /// Program, history, model and checkpoint.
    pub(super) fn files(&self) -> Vec<(&'static str, Vec<u8>)> {
        let (state, epoch, step) = self.kept();
        let card = self.card(epoch, step);
        // The best weights are averages already, where averages are kept.
        let model = match &self.best {
            Some((_, best, _)) if best.epoch > 0 => weights::plain_bytes(state, &card),
            _ => weights::model_bytes(self.model, state, &card),
        };
        let text = resolved::text(&self.loaded.spec, &self.card.overrides, &self.loaded.options);
        let best = self.best.as_ref().filter(|b| b.1.epoch > 0).map(|b| &*b.2);
        let mut figures = vec![
            (checkpoint::HISTORY, self.history.values().to_vec()),
            (checkpoint::SUMS, self.sums.clone()),
        ];
        if !self.begins.is_empty() {
            let begins = self.begins.iter().flat_map(|&(epoch, step)| [epoch as f64, step as f64]);
            figures.push((checkpoint::STAGES, begins.collect()));
        }
        figures.extend(self.solver.iter().flat_map(Solver::tensors));
        let now = self.card(self.epoch, self.done);
        let film = self.film.as_ref().and_then(Film::bytes).map(|bytes| (FILM, bytes));
        let files = vec![
            ("spec.nn", text.into_bytes()),
            ("history.csv", self.history.csv(self.staged().as_deref()).into_bytes()),
            (MODEL, model),
            (CHECKPOINT, checkpoint::bytes(&*self.state, best, figures, &now, &self.note)),
        ];
        files.into_iter().chain(film).collect()
    }

    /// Writes what a run that broke can be run again from: the last state that was sound, and that it broke.
    pub(super) fn save_broken(&self) -> Outcome<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        self.save_history()?;
        let text = resolved::text(&self.loaded.spec, &self.card.overrides, &self.loaded.options);
        let note = RunNote { stop: DIVERGED.into(), ..self.note.clone() };
        let card = self.card(self.snapshot.epoch, self.snapshot.step);
        let figures = vec![(checkpoint::HISTORY, self.history.values().to_vec())];
        let bytes = checkpoint::bytes(&*self.snapshot.state, None, figures, &card, &note);
        folder.write(&[("spec.nn", text.into_bytes()), (CHECKPOINT, bytes)], true)
    }

    /// Writes what there is so far.
    pub(super) fn save(&mut self) -> Outcome<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let begin = Instant::now();
        folder.write(&self.files(), true)?;
        self.clock.saved(begin.elapsed());
        Ok(())
    }
}

/// An empty film, of a run that is to have one.
pub(super) fn film(loaded: &Loaded, model: &Model, options: &TrainOptions) -> Option<Film> {
    let small = super::weight_count(model) <= film::WEIGHTS;
    let wanted = options.film && options.write && small && is_plane(&loaded.data.stats, &loaded.ports);
    wanted.then(|| Film::new(&weights::card(loaded)))
}
