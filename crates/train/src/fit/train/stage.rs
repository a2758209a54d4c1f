//! The stages of a training: what is planned for each, and the way from one to the next.

use super::Trainer;
use crate::artifact::weights;
use crate::execute::runner::{Planner, Runners, plans, refused};
use crate::fit::lbfgs::Solver;
use crate::fit::report::{Observer, StageStart};
use crate::fit::stop::{ReduceOnPlateau, Rules, StopReason};
use crate::memory::Need;
use crate::problem::Outcome;
use nnc_backend::Executable;
use nnc_graph::Role;
use nnc_model::{Model, Settings};
use std::collections::VecDeque;
use std::sync::Arc;

/// The plans of the steps of all stages. Only one stage's take memory at a time: the largest is counted.
pub(super) fn plans_of(
    model: &Model,
    planner: &mut Planner<'_>,
    rows: usize,
) -> Outcome<VecDeque<Vec<Arc<dyn Executable>>>> {
    let before = std::mem::take(&mut planner.need);
    let (mut all, mut largest) = (VecDeque::new(), Need::default());
    for stage in model.stages() {
        all.push_back(plans(planner, &stage.step, stage.settings.piece(), &[rows])?);
        let need = std::mem::take(&mut planner.need);
        if need.total() > largest.total() {
            largest = need;
        }
    }
    planner.need = before;
    planner.need.extend(largest);
    Ok(all)
}

impl<'a> Trainer<'a> {
    /// The epoch and the step after which the present stage began.
    pub(super) fn begin_of_stage(&self) -> (u64, u64) {
        self.begins.last().copied().unwrap_or_default()
    }

    /// Goes on to the next stage, if there is one: from the weights as they are, with an optimizer that remembers
    /// nothing. Whether there was one.
    pub(super) fn next_stage(&mut self, ended: &StopReason, observer: &mut dyn Observer) -> Outcome<bool> {
        if self.plans.is_empty() {
            return Ok(false);
        }
        weights::average(self.model, &mut *self.state);
        self.enter((self.epoch, self.done))?;
        weights::fresh_slots(self.model, &*self.layout, &mut *self.state, self.model.settings.seed)?;
        if let Some(mut slot) = self.state.get_mut(Role::Slot, Settings::STAGE_SLOT) {
            slot.fill(self.done as f64);
        }
        self.snapshot.state.copy_from(&*self.state).map_err(|e| refused(&e))?;
        (self.snapshot.epoch, self.snapshot.step) = (self.epoch + 1, self.done);
        self.tell_stage(Some(ended), observer);
        Ok(true)
    }

    /// Makes the next stage the present one, after an epoch and a step; the state stays as it is.
    pub(super) fn enter(&mut self, at: (u64, u64)) -> Outcome<()> {
        let root: &'a Model = self.root;
        let (Some(model), Some(plans)) = (root.later.get(self.begins.len()), self.plans.pop_front()) else {
            return Ok(());
        };
        self.begins.push(at);
        let (settings, names) = (&model.settings, self.history.names());
        let better = |figure: &str| model.better(figure);
        self.rules = Rules::new(&settings.stop, names, better, &self.loaded.spec.sources);
        self.plateau = settings.plateau.as_ref().and_then(|p| ReduceOnPlateau::new(p, names, better));
        self.solver = Solver::new(model);
        self.step = Runners::new(plans, settings.piece(), &self.loaded.ports, model)?;
        (self.model, self.batch, self.converged) = (model, settings.batch, None);
        // A solver takes the rows as they lie.
        self.order = Arc::new((0..self.order.len() as u32).collect());
        self.total = at.1 + settings.total_steps(self.order.len());
        (self.position, self.fed) = (0, false);
        Ok(())
    }

    /// Tells which stage begins, where there are several.
    pub(super) fn tell_stage(&self, ended: Option<&StopReason>, observer: &mut dyn Observer) {
        if self.root.later.is_empty() {
            return;
        }
        let count = |frozen: bool| {
            let weights =
                self.model.parameters.iter().filter(|p| p.role == Role::Weight && p.frozen == frozen);
            weights.map(|p| p.shape.iter().product::<usize>()).sum()
        };
        let begin = self.begin_of_stage();
        observer.stage(&StageStart {
            stage: self.begins.len() + 1,
            of: self.root.later.len() + 1,
            learned: (count(false), count(true)),
            steps_per_epoch: self.model.settings.steps_per_epoch(self.order.len()),
            epochs: self.model.settings.epochs_of(self.order.len()),
            after: begin,
            total_epochs: self.epochs(),
            ended: ended.cloned(),
        });
    }

    /// Epochs in all, if nothing ends a stage early from here on.
    pub(super) fn epochs(&self) -> u64 {
        let rows = self.order.len();
        let later = self.root.later.iter().skip(self.begins.len());
        let own = self.begin_of_stage().0 + self.model.settings.epochs_of(rows);
        later.fold(own, |n, stage| n.saturating_add(stage.settings.epochs_of(rows)))
    }

    /// Steps in all, if nothing ends a stage early from here on.
    pub(super) fn all_steps(&self) -> u64 {
        let later = self.root.later.iter().skip(self.begins.len());
        later.fold(self.total, |n, stage| n.saturating_add(stage.settings.total_steps(self.order.len())))
    }

    /// The steps that were done when an epoch had ended.
    pub(super) fn steps_by(&self, epoch: u64) -> u64 {
        let at = self.begins.iter().take_while(|begin| begin.0 < epoch).count();
        let (from, settings) = match at.checked_sub(1) {
            Some(i) => (self.begins[i], &self.root.later[i].settings),
            None => ((0, 0), &self.root.settings),
        };
        let until = self.begins.get(at).map_or(self.done, |next| next.1);
        let steps = (epoch - from.0).saturating_mul(settings.steps_per_epoch(self.order.len()));
        until.min(from.1.saturating_add(steps))
    }

    /// After which epochs the later stages began, where the training has stages.
    pub(super) fn staged(&self) -> Option<Vec<u64>> {
        (!self.root.later.is_empty()).then(|| self.begins.iter().map(|begin| begin.0).collect())
    }
}
