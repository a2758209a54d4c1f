//! The loop.

mod keep;
mod rerun;
mod stage;
mod tell;

pub use rerun::{StepRow, StepTrace, StepWeight};
pub(crate) use rerun::{course, numbers_of, rerun, weights_of};

use crate::artifact::card::ModelCard;
use crate::artifact::film::Film;
use crate::artifact::occupant;
use crate::artifact::run_folder::RunFolder;
use crate::artifact::run_note::RunNote;
use crate::artifact::weights;
use crate::binding::load::Loaded;
use crate::execute::metrics::{self, Metrics};
use crate::execute::runner::{Planner, Runners, eval_batch, internal, layout, refused};
use crate::fit::augment::{Augment, feed};
use crate::fit::clock::Clock;
use crate::fit::diverge::{Replay, Snapshot};
use crate::fit::history::History;
use crate::fit::lbfgs::Solver;
use crate::fit::pieces::Pieces;
use crate::fit::prefetch::Prefetch;
use crate::fit::report::{Best, Observer, Report, TrainOptions};
use crate::fit::stop::{ReduceOnPlateau, Rules, StopReason, Watch};
use crate::infer::decode::{Decoder, evenly_spaced};
use crate::memory;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_backend::{Executable, Layout, State};
use nnc_data::{Fault, Table};
use nnc_graph::Role;
use nnc_model::{Model, Plateau};
use nnc_syntax::{Code, Diagnostic};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Rows shown with what the network says.
const PREVIEW_ROWS: usize = 8;
/// Seconds from which on a run is worth waiting for the disk.
const LONG: f64 = 1.0;
/// Steps between two snapshots to replay from.
const SNAPSHOT: u64 = 64;

/// Trains a model, in the model's precision.
///
/// # Errors
/// Files that cannot be read or written, too little memory, a loss that is no number any more.
pub fn train(
    loaded: &Loaded,
    model: &Model,
    options: &TrainOptions,
    observer: &mut dyn Observer,
) -> Outcome<Report> {
    let report = Trainer::new(loaded, model, options).and_then(|mut t| {
        if let Some(checkpoint) = &options.resume {
            t.resume(checkpoint)?;
        }
        t.run(observer)
    });
    report.map_err(|mut problem| {
        problem.sources = loaded.spec.sources.clone();
        problem
    })
}

/// What is said when the thread that reads rows ends before they do.
fn unread() -> Fault {
    Fault::new(Code::N0901, "the thread that reads the rows has ended")
}

struct Trainer<'a> {
    loaded: &'a Loaded,
    /// The network with all its stages.
    root: &'a Model,
    /// As the present stage trains it.
    model: &'a Model,
    options: &'a TrainOptions,
    layout: Arc<dyn Layout>,
    threads: usize,
    state: Box<dyn State>,
    step: Runners,
    /// The plans of later stages.
    plans: VecDeque<Vec<Arc<dyn Executable>>>,
    /// The epochs and steps after which the later stages began, as far as they did.
    begins: Vec<(u64, u64)>,
    /// What ended the present stage, where a run stopped just then.
    ended: Option<StopReason>,
    eval: Runners,
    snapshot: Snapshot,
    best: Option<(Watch, Best, Box<dyn State>)>,
    rules: Rules,
    plateau: Option<ReduceOnPlateau>,
    /// Changes the weights, where the step graph does not.
    solver: Option<Solver>,
    /// Why it is done, once it is.
    converged: Option<String>,
    history: History,
    batch: usize,
    order: Arc<Vec<u32>>,
    valid_rows: Vec<u32>,
    sums: Vec<f64>,
    valid_sums: Vec<f64>,
    /// The figures of the present epoch.
    row: Vec<f64>,
    epoch: u64,
    done: u64,
    /// Rows of the present epoch that were seen before the run stopped and went on.
    position: usize,
    resumed_at: u64,
    /// Rows that steps were made of in this process.
    rows_seen: u64,
    /// Whether the batch holds rows.
    fed: bool,
    /// What is done to pictures on the way into a batch.
    augment: Option<Augment>,
    total: u64,
    memory: u64,
    folder: Option<RunFolder>,
    note: RunNote,
    card: ModelCard,
    clock: Clock,
    /// The weights of some epochs, where they are kept.
    film: Option<Film>,
    /// What `--init` took only in part.
    init_note: Option<Diagnostic>,
    /// The step before which it pauses is the one after this.
    until: u64,
    /// The mean loss of every step, where somebody wants them.
    watched: Option<Vec<f64>>,
}

/// How the steps of an epoch ended.
enum Epoch {
    Whole,
    /// The number of steps was reached within it.
    Partial,
    Interrupted,
    /// Before the step that is asked for.
    Paused,
}

/// What comes after the steps of an epoch.
enum Next {
    Epoch,
    Pause,
    End(StopReason),
}

impl<'a> Trainer<'a> {
    fn new(loaded: &'a Loaded, model: &'a Model, options: &'a TrainOptions) -> Outcome<Self> {
        let (data, settings) = (&loaded.data, &model.settings);
        let backend = options.engine.backend(options.threads);
        let layout = layout(&*backend, model)?;
        let limit = memory::limit(options.memory_limit);
        let rows = data.train.len();
        let others = [&data.valid, &data.test].map(|t| t.as_ref().map_or(0, Table::len));
        let mut planner = Planner::new(&*layout, limit);
        let mut step_plans = stage::plans_of(model, &mut planner, rows)?;
        planner.plan(&model.init, 1)?;
        let eval_plans = vec![planner.plan(&model.eval, eval_batch(model))?];
        let mut need = planner.need;
        let copies = 2 + u64::from(settings.save_best.is_some());
        need.add("weights, optimizer slots and copies of them", layout.bytes().saturating_mul(copies));
        need.add("rows", data.bytes());
        need.add("orders of rows", 8 * (rows as u64 + others[0] as u64));
        let solver = Solver::new(model);
        if let Some(solver) = &solver {
            need.add("the optimizer's memory", solver.bytes());
        }
        need.check(limit)?;
        let (state, init_note) = weights::initial(model, &*layout, settings.seed, options.init.as_deref())?;
        let history = History::new(&model.metrics, data.valid.is_some());
        let best = settings.save_best.as_ref().and_then(|metric| {
            let best = Best { metric: metric.clone(), value: f64::NAN, epoch: 0 };
            Some((Watch::new(history.names(), metric, model.better(metric))?, best, state.snapshot()))
        });
        let name = &loaded.spec.sources.get(loaded.spec.source).name;
        let out = options.resume.as_ref().map(|c| c.folder.as_path()).or(options.out.as_deref());
        if let (Some(out), None, true) = (out, &options.resume, options.write) {
            occupant::refuse(out, loaded, options.overwrite)?;
        }
        let folder = options.write.then(|| RunFolder::create(out, name)).transpose()?;
        Ok(Self {
            step: Runners::new(
                step_plans.pop_front().unwrap_or_default(),
                settings.piece(),
                &loaded.ports,
                model,
            )?,
            plans: step_plans,
            eval: Runners::new(eval_plans, eval_batch(model), &loaded.ports, model)?,
            snapshot: Snapshot { state: state.snapshot(), epoch: 1, step: 0 },
            best,
            plateau: settings
                .plateau
                .as_ref()
                .and_then(|p| ReduceOnPlateau::new(p, history.names(), |f| model.better(f))),
            rules: Rules::new(&settings.stop, history.names(), |f| model.better(f), &loaded.spec.sources),
            begins: Vec::new(),
            ended: None,
            solver,
            converged: None,
            batch: settings.batch,
            order: Arc::new((0..rows as u32).collect()),
            valid_rows: (0..others[0] as u32).collect(),
            sums: vec![0.0; metrics::width(model)],
            valid_sums: vec![0.0; metrics::width(model)],
            row: vec![0.0; history.names().len()],
            epoch: 0,
            done: 0,
            position: 0,
            resumed_at: 0,
            rows_seen: 0,
            fed: false,
            augment: Augment::new(&loaded.spec, &loaded.ports, settings.seed),
            total: settings.total_steps(rows),
            memory: need.total(),
            note: RunNote::new(loaded, model, &options.engine, options.shuffle, options.init.as_deref()),
            card: if options.write { weights::card(loaded) } else { ModelCard::default() },
            clock: Clock::start(),
            film: keep::film(loaded, model, options),
            init_note,
            until: u64::MAX,
            watched: None,
            loaded,
            root: model,
            model,
            options,
            threads: backend.threads(),
            layout,
            state,
            history,
            folder,
        })
    }

    fn run(mut self, observer: &mut dyn Observer) -> Outcome<Report> {
        self.begin(observer);
        self.clock = Clock::start();
        if let Some(reason) = self.ended.take() {
            self.next_stage(&reason, observer)?;
        }
        let stop = self.go_on(observer)?.unwrap_or(StopReason::Interrupted);
        let seconds = self.clock.seconds();
        if !weights::are_finite(&*self.state) {
            return Err(self.diverged());
        }
        self.report_progress(observer, seconds, None, true);
        self.finish(stop, seconds)
    }

    /// Trains until something ends it; `None` where it pauses before a step.
    fn go_on(&mut self, observer: &mut dyn Observer) -> Outcome<Option<StopReason>> {
        loop {
            if self.done >= self.total {
                if self.next_stage(&StopReason::Finished, observer)? {
                    continue;
                }
                return Ok(Some(StopReason::Finished));
            }
            if self.position == 0 {
                self.epoch += 1;
            }
            self.arrange()?;
            let ended = self.steps(observer)?;
            match self.end_steps(ended, observer)? {
                Next::Epoch => {}
                Next::Pause => {
                    // It begins when it goes on.
                    self.epoch -= u64::from(self.position == 0);
                    return Ok(None);
                }
                Next::End(reason) => return Ok(Some(reason)),
            }
        }
    }

    /// What follows the steps of an epoch.
    fn end_steps(&mut self, ended: Epoch, observer: &mut dyn Observer) -> Outcome<Next> {
        match ended {
            Epoch::Whole => {}
            Epoch::Partial => {
                self.figures()?;
                self.end_epoch(observer)?;
                let more = self.next_stage(&StopReason::Finished, observer)?;
                return Ok(if more { Next::Epoch } else { Next::End(StopReason::Finished) });
            }
            Epoch::Interrupted => {
                self.mean(self.order.len().min(self.seen()))?;
                return Ok(Next::End(StopReason::Interrupted));
            }
            Epoch::Paused => return Ok(Next::Pause),
        }
        self.figures()?;
        if let Some(reason) = self.end_epoch(observer)?
            && !self.next_stage(&reason, observer)?
        {
            return Ok(Next::End(reason));
        }
        Ok(if self.interrupted() { Next::End(StopReason::Interrupted) } else { Next::Epoch })
    }

    /// The order of the rows in this epoch, and a snapshot now and then.
    fn arrange(&mut self) -> Outcome<()> {
        if self.done == 0 || self.done - self.snapshot.step >= SNAPSHOT {
            self.snapshot.state.copy_from(&*self.state).map_err(|e| refused(&e))?;
            (self.snapshot.epoch, self.snapshot.step) = (self.epoch, self.done);
        }
        self.shuffle(self.epoch);
        Ok(())
    }

    /// The problem of a loss, or a weight, that is no number any more.
    fn diverged(&mut self) -> Box<Problem> {
        let saved = self.save_broken().is_ok();
        if self.solver.is_some() {
            // Its search never ends at a loss that is no number: this one is of the weights it began with.
            if self.snapshot.state.copy_from(&*self.state).is_ok() {
                (self.snapshot.epoch, self.snapshot.step) = (self.epoch, self.done - 1);
            }
        }
        let begin = self.begin_of_stage();
        let mut replay = Replay {
            loaded: self.loaded,
            model: self.model,
            options: self.options,
            layout: &*self.layout,
            snapshot: &self.snapshot,
            state: &mut *self.state,
            step: &mut self.step,
            augment: self.augment.as_ref(),
            order: Arc::make_mut(&mut self.order),
            last: (self.epoch, self.done),
            begin,
        };
        let mut problem = replay.diverged();
        if let (Some(folder), true, [d, ..]) = (&self.folder, saved, &mut problem.diagnostics[..]) {
            let folder = folder.path().display();
            *d = d.clone().help(format!("nnc why {folder}   names the rows of that step"));
        }
        problem
    }

    /// The order of the rows in an epoch.
    fn shuffle(&mut self, epoch: u64) {
        // A solver sees all of them in every step: in one order, their sum rounds always alike.
        if self.options.shuffle && self.solver.is_none() {
            let order = Arc::make_mut(&mut self.order);
            self.loaded.data.train.order(self.model.settings.seed, epoch, order);
        }
    }

    /// The steps of one epoch. Nothing is allocated here but to save.
    fn steps(&mut self, observer: &mut dyn Observer) -> Outcome<Epoch> {
        let mut at = std::mem::take(&mut self.position);
        if at == 0 {
            self.sums.fill(0.0);
        }
        let (rows, seed) = (self.order.len(), self.model.settings.seed);
        let pieces = Pieces::new(&self.model.settings);
        // One batch that never changes is copied once.
        let still = (!self.options.shuffle || self.solver.is_some())
            && rows <= pieces.size()
            && self.augment.is_none();
        // Pictures that change are read as they are needed.
        let mut ahead = if self.augment.is_some() { None } else { self.ahead(at)? };
        while at < rows {
            if self.done >= self.total {
                return Ok(Epoch::Partial);
            }
            if self.done >= self.until {
                self.position = at;
                return Ok(Epoch::Paused);
            }
            let end = rows.min(at + self.batch);
            self.done += 1;
            let before = self.sums[0];
            for piece in pieces.of(self.done, at, end) {
                let count = piece.end - piece.start;
                let Some(runner) = self.step.of(count) else { break };
                if let Some(ahead) = &mut ahead {
                    let batch = ahead.next().unwrap_or_else(|| Err(Box::new(unread())));
                    let batch = batch.map_err(|f| internal(&f))?;
                    runner.feed_batch(&batch);
                    ahead.give_back(batch);
                } else if !(still && self.fed) {
                    let rows = &self.order[piece.start..piece.end];
                    feed(runner, &self.loaded.data.train, rows, self.augment.as_ref(), self.epoch)?;
                    self.fed = true;
                }
                pieces.tell(&mut *self.state, &piece, end - at, self.done);
                match &mut self.solver {
                    None => {
                        runner.run(&mut *self.state, seed, piece.key)?;
                        runner.add_sums(count, &mut self.sums);
                    }
                    Some(solver) => {
                        let key = (seed, self.done);
                        self.converged = solver.step(runner, &mut *self.state, count, key, &mut self.sums)?;
                    }
                }
            }
            if let Some(watched) = &mut self.watched {
                watched.push((self.sums[0] - before) / (end - at) as f64);
            }
            if !self.sums[0].is_finite() {
                return Err(self.diverged());
            }
            self.rows_seen += (end - at) as u64;
            at = end;
            if let Some(now) = self.clock.step()
                && at < rows
            {
                if self.clock.report_due(now) {
                    self.report_progress(observer, now.as_secs_f64(), Some(at), false);
                }
                if self.clock.save_due() {
                    self.save()?;
                }
            }
            if at < rows && self.interrupted() {
                return Ok(Epoch::Interrupted);
            }
        }
        Ok(Epoch::Whole)
    }

    /// A thread that reads ahead, where the rows are on disk.
    fn ahead(&mut self, at: usize) -> Outcome<Option<Prefetch>> {
        let table = &self.loaded.data.train;
        let piece = self.model.settings.piece();
        let next = piece.min(self.order.len().saturating_sub(at));
        let Some(runner) = self.step.of(next).filter(|_| table.is_on_disk()) else { return Ok(None) };
        let ahead = Prefetch::new(table, &self.order, at, piece, runner.feeds());
        ahead.map(Some).map_err(|e| {
            let d = Diagnostic::error(Code::N0604, format!("no thread can be started to read the data: {e}"));
            Problem::new(ProblemKind::Io, d)
        })
    }

    fn interrupted(&self) -> bool {
        self.options.interrupt.load(Ordering::Relaxed)
    }

    /// Rows seen in the present epoch; all of them before the first one of a stage.
    fn seen(&self) -> usize {
        let (epoch, step) = self.begin_of_stage();
        if self.epoch == epoch {
            return self.order.len();
        }
        let per_epoch = self.model.settings.steps_per_epoch(self.order.len());
        let steps = self.done - step - (self.epoch - epoch - 1) * per_epoch;
        self.order.len().min((steps as usize).saturating_mul(self.batch))
    }

    /// Loss and metrics of the epoch as Keras has them: means over the rows, each taken before its update.
    fn mean(&mut self, rows: usize) -> Outcome<()> {
        let own = 1 + self.model.metrics.len();
        metrics::finish(self.model, &self.sums, rows, &mut self.row[..own])
    }

    fn figures(&mut self) -> Outcome<()> {
        self.mean(self.seen())?;
        let Some(valid) = &self.loaded.data.valid else { return Ok(()) };
        self.eval.sums(valid, &self.valid_rows, &mut *self.state, &mut self.valid_sums)?;
        let own = 1 + self.model.metrics.len();
        metrics::finish(self.model, &self.valid_sums, self.valid_rows.len(), &mut self.row[own..])
    }

    /// History, best weights, rules, files.
    fn end_epoch(&mut self, observer: &mut dyn Observer) -> Outcome<Option<StopReason>> {
        self.history.push(&self.row);
        if let Some(film) = self.film.as_mut().filter(|_| Film::wants(self.epoch)) {
            film.add(self.epoch, &*self.state);
        }
        observer.epoch(self.epoch, self.history.names(), &self.row);
        if let Some((watch, best, state)) = &mut self.best
            && watch.improves(&self.row)
        {
            state.copy_from(&*self.state).map_err(|e| refused(&e))?;
            weights::average(self.model, &mut **state);
            best.epoch = self.epoch;
            best.value = watch.value().unwrap_or(f64::NAN);
        }
        if self.plateau.as_mut().is_some_and(|f| f.after(&self.row).is_some()) {
            self.lower_rate();
        }
        if let Some(now) = self.clock.now_if_looked()
            && self.clock.report_due(now)
        {
            self.report_progress(observer, now.as_secs_f64(), None, false);
        }
        if let (Some(every), Some(folder)) = (self.model.settings.save_every, &self.folder)
            && self.epoch.is_multiple_of(every)
        {
            let bytes = weights::model_bytes(self.model, &*self.state, &self.card(self.epoch, self.done));
            folder.write(&[(&format!("model-{}.safetensors", self.epoch), bytes)], self.long())?;
        }
        if self.clock.save_due() {
            self.save()?;
        }
        let converged = self.converged.take().map(StopReason::Converged);
        Ok(self.rules.after(self.history.names(), &self.row).or(converged))
    }

    /// Tells the optimizer how far the learning rate has fallen.
    fn lower_rate(&mut self) {
        if let Some(plateau) = &self.plateau
            && let Some(mut slot) = self.state.get_mut(Role::Slot, Plateau::SLOT)
        {
            slot.fill(plateau.share());
        }
    }

    fn finish(mut self, stop: StopReason, seconds: f64) -> Outcome<Report> {
        // A long run is on disk before anything else can go wrong.
        if seconds > LONG {
            self.save()?;
        }
        let mut files = if self.folder.is_some() { self.files() } else { Vec::new() };
        let mut figures = Metrics {
            loss: self.row[0],
            metrics: self.model.metrics.iter().cloned().zip(self.row[1..].iter().copied()).collect(),
            tables: Vec::new(),
        };
        let best = match self.best.take() {
            Some((_, best, state)) if best.epoch > 0 => {
                self.state.copy_from(&*state).map_err(|e| refused(&e))?;
                figures = self.history.figures(best.epoch, &self.model.metrics);
                Some(best)
            }
            _ => {
                weights::average(self.model, &mut *self.state);
                None
            }
        };
        let data = &self.loaded.data;
        let (valid, test) = match stop {
            StopReason::Interrupted => (None, None),
            StopReason::Finished
            | StopReason::Stalled { .. }
            | StopReason::Holds(_)
            | StopReason::Converged(_) => {
                (self.measure(data.valid.as_ref())?, self.measure(data.test.as_ref())?)
            }
        };
        let shown = evenly_spaced(data.train.len(), PREVIEW_ROWS);
        let decoder = Decoder::new(&data.stats, &self.loaded.ports, self.model);
        let rows = decoder.read(&data.train, &shown, &mut self.eval, &mut *self.state)?;
        let report = Report {
            figures,
            valid,
            test,
            epochs: self.epoch,
            steps: self.done,
            resumed_at: self.resumed_at,
            seconds,
            weights: weight_count(self.model),
            run: self.folder.as_ref().map(|f| f.path().to_path_buf()),
            stop,
            best,
            seed: self.model.settings.seed,
            threads: self.threads,
            rows,
        };
        report.add_to(&mut self.note);
        if let Some(folder) = &self.folder {
            files.push(("run.json", self.note.json().into_bytes()));
            folder.write(&files, seconds > LONG)?;
        }
        Ok(report)
    }

    /// Loss and metrics of a whole table.
    fn measure(&mut self, table: Option<&Table>) -> Outcome<Option<Metrics>> {
        let Some(table) = table else { return Ok(None) };
        let rows: Vec<u32> = (0..table.len() as u32).collect();
        let mut sums = vec![0.0; self.sums.len()];
        self.eval.sums(table, &rows, &mut *self.state, &mut sums)?;
        metrics::metrics(self.model, &sums, rows.len()).map(Some)
    }
}

/// How many numbers a model learns.
fn weight_count(model: &Model) -> usize {
    let weights = model.parameters.iter().filter(|p| p.role == Role::Weight);
    weights.map(|p| p.shape.iter().product::<usize>()).sum()
}
