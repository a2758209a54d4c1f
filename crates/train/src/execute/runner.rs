//! A planned graph with the rows it is fed.

use crate::memory::Need;
use crate::precision::Float;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_data::{Fault, PortId, Table};
use nnc_engine::{EngineError, Executor, Layout, Plan, PlanOptions, Pool, Store, plan};
use nnc_graph::{Graph, OutputKind, Role};
use nnc_model::{Model, Ports};
use nnc_syntax::units::bytes;
use nnc_syntax::{Code, Diagnostic};
use std::sync::Arc;

/// Plans, and the memory they need together.
pub(crate) struct Planner<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) options: PlanOptions,
    pub(crate) need: Need,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(layout: &'a Layout, limit: u64) -> Self {
        let options = PlanOptions { memory_limit: limit, ..PlanOptions::default() };
        Self { layout, options, need: Need::default() }
    }

    pub(crate) fn plan(&mut self, graph: &Graph, batch: usize) -> Outcome<Arc<Plan>> {
        let plan = plan(graph, self.layout, batch, &self.options).map_err(|e| engine(&e))?;
        let memory = plan.memory();
        let bytes = memory.arena_bytes.saturating_add(memory.scratch_bytes);
        self.need.add(format!("{} of {batch} rows", graph.name), bytes);
        Ok(Arc::new(plan))
    }
}

/// The layout of everything a model keeps.
pub(crate) fn layout(model: &Model) -> Outcome<Layout> {
    Layout::new(&[&model.init, &model.step, &model.eval]).map_err(|e| engine(&e))
}

/// What the engine says, for people.
pub(crate) fn engine(error: &EngineError) -> Box<Problem> {
    let d = match error {
        EngineError::Memory { needed, limit } => {
            let message =
                format!("this run needs {} of memory, and {} are allowed", bytes(*needed), bytes(*limit));
            let d = Diagnostic::error(Code::N0707, message);
            return Problem::new(
                ProblemKind::Memory,
                d.help("a smaller `batch` needs less; so does a smaller network"),
            );
        }
        EngineError::TooLarge { .. } | EngineError::Table { .. } | EngineError::Axes { .. } => {
            return Problem::new(ProblemKind::Memory, Diagnostic::error(Code::N0708, error.to_string()));
        }
        other => Diagnostic::error(Code::N0901, other.to_string()),
    };
    Problem::new(ProblemKind::Internal, d.help("this is a mistake in nnc; please report it with the program"))
}

/// A mistake in the calls of this crate.
pub(crate) fn internal(fault: &Fault) -> Box<Problem> {
    let d = Diagnostic::error(Code::N0901, fault.message.clone());
    Problem::new(ProblemKind::Internal, d.help("this is a mistake in nnc; please report it with the program"))
}

/// Threads: as many as asked for, or as the machine has.
pub(crate) fn threads(asked: usize) -> usize {
    match asked {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    }
}

/// The batch size of evaluation: small batches would only be slower.
pub(crate) fn eval_batch(model: &Model) -> usize {
    model.settings.batch.max(32)
}

/// What one instruction of a step takes.
#[derive(Clone, PartialEq, Debug)]
pub struct ProfileRow {
    /// What it is: `tile`, `dot`, `conv`, …
    pub kind: &'static str,
    /// Sizes and operations.
    pub detail: String,
    /// The line that asked for it.
    pub origin: String,
    /// Seconds of one step.
    pub seconds: f64,
    /// Multiplications and additions of products.
    pub flops: u64,
    /// Bytes read and written.
    pub bytes: u64,
}

/// A parameter of the graph that rows are copied into.
struct Feed {
    role: Role,
    name: String,
    port: PortId,
}

/// All of them, for a thread that reads rows ahead.
pub(crate) struct Feeds {
    list: Vec<Feed>,
    weighted: bool,
}

/// Rows that are read and not yet fed.
pub(crate) struct Batch<T> {
    ports: Vec<Vec<T>>,
    weights: Vec<f64>,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self { ports: Vec::new(), weights: Vec::new() }
    }
}

impl Feeds {
    /// Reads rows into a batch.
    pub(crate) fn read<T: Float>(
        &self,
        table: &Table,
        rows: &[u32],
        batch: &mut Batch<T>,
    ) -> Result<(), Box<Fault>> {
        batch.ports.resize_with(self.list.len(), Vec::new);
        for (feed, out) in self.list.iter().zip(&mut batch.ports) {
            out.clear();
            if feed.role != Role::Target || table.has_targets() {
                out.resize(rows.len() * table.width(feed.port).unwrap_or(0), T::of(0.0));
                T::gather(table, feed.port, rows, out)?;
            }
        }
        batch.weights.clear();
        if self.weighted {
            batch.weights.extend(rows.iter().map(|&row| table.weight(row as usize).unwrap_or(1.0)));
        }
        Ok(())
    }
}

/// An executor that knows where its rows go and which sums it yields.
pub(crate) struct Runner<T> {
    pub(crate) executor: Executor<T>,
    feeds: Arc<Feeds>,
    metrics: Vec<String>,
    /// What metrics of all samples are computed from, with their widths.
    totals: Vec<(String, usize)>,
    /// How much the rows of the present batch count; empty where all count the same.
    weights: Vec<f64>,
}

impl<T: Float> Runner<T> {
    pub(crate) fn new(plan: Arc<Plan>, pool: &Arc<Pool>, ports: &Ports, model: &Model) -> Outcome<Self> {
        let mut executor = Executor::new(plan, pool.clone()).map_err(|e| engine(&e))?;
        let inputs = ports.inputs.iter().enumerate().map(|(i, p)| (Role::Input, p, PortId::Input(i)));
        let targets = ports.targets.iter().enumerate().map(|(i, p)| (Role::Target, p, PortId::Target(i)));
        let mut feeds = Vec::new();
        for (role, port, id) in inputs.chain(targets) {
            // Not every graph uses every port.
            if executor.input_mut(role, &port.name).is_some() {
                feeds.push(Feed { role, name: port.name.clone(), port: id });
            }
        }
        let weighted = ports.weighted;
        let weights = if weighted { vec![1.0; executor.plan().batch()] } else { Vec::new() };
        let totals = model.totals.iter().flat_map(|t| &t.list);
        let totals = totals.map(|t| (t.name.clone(), t.shape.iter().product())).collect();
        let feeds = Arc::new(Feeds { list: feeds, weighted });
        Ok(Self { executor, feeds, metrics: model.metrics.clone(), totals, weights })
    }

    /// The number of rows of a run.
    pub(crate) fn batch(&self) -> usize {
        self.executor.plan().batch()
    }

    /// Copies rows into the batch. Targets that the table lacks are left as they are.
    pub(crate) fn feed(&mut self, table: &Table, rows: &[u32]) -> Result<(), Box<Fault>> {
        let targets = table.has_targets();
        for feed in &self.feeds.list {
            if feed.role == Role::Target && !targets {
                continue;
            }
            if let Some(out) = self.executor.input_mut(feed.role, &feed.name) {
                T::gather(table, feed.port, rows, out)?;
            }
        }
        if self.feeds.weighted {
            for (slot, &row) in self.weights.iter_mut().zip(rows) {
                *slot = table.weight(row as usize).unwrap_or(1.0);
            }
            self.feed_weights();
        }
        Ok(())
    }

    fn feed_weights(&mut self) {
        if let Some(out) = self.executor.input_mut(Role::SampleWeight, "sample_weight") {
            out.iter_mut().zip(&self.weights).for_each(|(o, w)| *o = T::of(*w));
        }
    }

    /// What rows are copied into.
    pub(crate) fn feeds(&self) -> &Arc<Feeds> {
        &self.feeds
    }

    /// As [`Runner::feed`], with rows that are read already.
    pub(crate) fn feed_batch(&mut self, batch: &Batch<T>) {
        for (feed, values) in self.feeds.list.iter().zip(&batch.ports) {
            if let Some(out) = self.executor.input_mut(feed.role, &feed.name)
                && out.len() == values.len()
            {
                out.copy_from_slice(values);
            }
        }
        if self.feeds.weighted {
            self.weights.iter_mut().zip(&batch.weights).for_each(|(slot, w)| *slot = *w);
            self.feed_weights();
        }
    }

    pub(crate) fn run(&mut self, store: &mut Store<T>, seed: u64, step: u64) {
        self.executor.run(store, seed, step);
    }

    /// Runs steps for some seconds, and says how long every instruction takes.
    pub(crate) fn profile(
        &mut self,
        store: &mut Store<T>,
        seed: u64,
        first: u64,
        seconds: f64,
    ) -> Vec<ProfileRow> {
        let mut times = vec![std::time::Duration::ZERO; self.executor.plan().steps().len()];
        let begin = std::time::Instant::now();
        let mut steps = 0;
        while steps == 0 || begin.elapsed().as_secs_f64() < seconds {
            steps += 1;
            self.executor.run_timed(store, seed, first + steps, &mut times);
        }
        let row = |(step, time): (&nnc_engine::Step, &std::time::Duration)| ProfileRow {
            kind: step.kind,
            detail: step.detail.clone(),
            origin: step.origin.to_string(),
            seconds: time.as_secs_f64() / steps as f64,
            flops: step.flops,
            bytes: step.bytes,
        };
        self.executor.plan().steps().iter().zip(&times).map(row).collect()
    }

    /// Adds the loss, the metrics, and the totals of the first `count` rows to `sums`, row by row.
    pub(crate) fn add_sums(&self, count: usize, sums: &mut [f64]) {
        let Some((loss, metrics)) = sums.split_first_mut() else { return };
        if let Some(rows) = self.executor.output(OutputKind::Loss, "loss") {
            let rows = rows.iter().take(count);
            *loss = match self.weights.is_empty() {
                true => rows.fold(*loss, |s, x| s + x.wide()),
                false => rows.zip(&self.weights).fold(*loss, |s, (x, w)| s + x.wide() * w),
            };
        }
        for (sum, name) in metrics.iter_mut().zip(&self.metrics) {
            if let Some(rows) = self.executor.output(OutputKind::Metric, name) {
                *sum = rows.iter().take(count).fold(*sum, |s, x| s + x.wide());
            }
        }
        let mut rest = metrics.get_mut(self.metrics.len()..).unwrap_or_default();
        for (name, width) in &self.totals {
            let (own, after) = rest.split_at_mut((*width).min(rest.len()));
            // A table is not among the results of a training step.
            if let Some(rows) = self.executor.output(OutputKind::Total, name) {
                for row in rows.chunks_exact((*width).max(1)).take(count) {
                    own.iter_mut().zip(row).for_each(|(s, x)| *s += x.wide());
                }
            }
            rest = after;
        }
    }
}

/// Runners of one graph for the batch sizes that occur.
pub(crate) struct Runners<T> {
    list: Vec<Runner<T>>,
    batch: usize,
}

/// The sizes of the batches of `rows` rows: the whole ones and the last partial one.
pub(crate) fn sizes(rows: usize, batch: usize) -> impl Iterator<Item = usize> {
    let whole = (rows >= batch).then_some(batch);
    let last = Some(rows % batch).filter(|&rest| rest > 0);
    whole.into_iter().chain(last)
}

/// Plans of one graph for tables of these lengths.
pub(crate) fn plans(
    planner: &mut Planner<'_>,
    graph: &Graph,
    batch: usize,
    tables: &[usize],
) -> Outcome<Vec<Arc<Plan>>> {
    let mut wanted: Vec<usize> = tables.iter().flat_map(|&rows| sizes(rows, batch)).collect();
    wanted.sort_unstable();
    wanted.dedup();
    wanted.into_iter().map(|size| planner.plan(graph, size)).collect()
}

impl<T: Float> Runners<T> {
    pub(crate) fn new(
        plans: Vec<Arc<Plan>>,
        batch: usize,
        pool: &Arc<Pool>,
        ports: &Ports,
        model: &Model,
    ) -> Outcome<Self> {
        let list = plans.into_iter().map(|p| Runner::new(p, pool, ports, model)).collect::<Outcome<_>>()?;
        Ok(Self { list, batch })
    }

    /// The runner for a number of rows.
    pub(crate) fn of(&mut self, rows: usize) -> Option<&mut Runner<T>> {
        self.list.iter_mut().find(|r| r.batch() == rows)
    }

    /// Runs over rows, batch by batch, and hands every batch to `each`. The last one is filled up with copies of
    /// its first row, so that what is said about a row does not depend on how many come with it: products of other
    /// sizes may add in another order.
    pub(crate) fn over(
        &mut self,
        table: &Table,
        rows: &[u32],
        store: &mut Store<T>,
        mut each: impl FnMut(&Runner<T>, &[u32]),
    ) -> Outcome<()> {
        let mut whole = Vec::new();
        for part in rows.chunks(self.batch) {
            let Some(runner) = self.of(self.batch) else { continue };
            whole.clear();
            whole.extend_from_slice(part);
            whole.resize(runner.batch(), part[0]);
            runner.feed(table, &whole).map_err(|f| internal(&f))?;
            // Evaluation draws no random numbers; if it did, they would be those of step 0.
            runner.run(store, 0, 0);
            each(runner, part);
        }
        Ok(())
    }

    /// The sums of loss, metrics and totals over a whole table, into `sums`.
    pub(crate) fn sums(
        &mut self,
        table: &Table,
        rows: &[u32],
        store: &mut Store<T>,
        sums: &mut [f64],
    ) -> Outcome<()> {
        sums.fill(0.0);
        self.over(table, rows, store, |runner, part| runner.add_sums(part.len(), sums))
    }
}
