//! A planned graph with the rows it is fed.

use crate::engine::Engine;
use crate::memory::Need;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_backend::{Backend, Buffer, ErrorKind, Executable, Layout, Operation, Options, Session, Slice};
use nnc_backend::{SliceMut, State};
use nnc_data::{Fault, PortId, Table};
use nnc_graph::{DType, Graph, NodeId, OutputKind, Role};
use nnc_model::data::{PARTNER, SHARE};
use nnc_model::{Model, Ports};
use nnc_syntax::units::bytes;
use nnc_syntax::{Code, Diagnostic};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Compiles graphs, and counts the memory they need together.
pub(crate) struct Planner<'a> {
    pub(crate) layout: &'a dyn Layout,
    pub(crate) options: Options,
    pub(crate) need: Need,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(layout: &'a dyn Layout, limit: u64) -> Self {
        let options = Options { memory_limit: limit, ..Options::default() };
        Self { layout, options, need: Need::default() }
    }

    pub(crate) fn plan(&mut self, graph: &Graph, batch: usize) -> Outcome<Arc<dyn Executable>> {
        let executable = self.layout.compile(graph, batch, &self.options).map_err(|e| refused(&e))?;
        let memory = executable.memory();
        let bytes = memory.arena_bytes.saturating_add(memory.scratch_bytes);
        self.need.add(format!("{} of {batch} rows", graph.name), bytes);
        Ok(executable)
    }
}

/// The graphs whose parameters a model keeps.
pub(crate) fn layout(backend: &dyn Backend, model: &Model) -> Outcome<Arc<dyn Layout>> {
    let mut graphs = vec![&model.init, &model.step, &model.eval];
    graphs.extend(model.later.iter().flat_map(|stage| [&stage.init, &stage.step]));
    backend.layout(&graphs).map_err(|e| refused(&e))
}

/// The layout of everything a model keeps, on the backend of inference.
pub(crate) fn inference(model: &Model, threads: usize) -> Outcome<Arc<dyn Layout>> {
    layout(&*Engine::Cpu.backend(threads), model)
}

/// What a backend says, for people.
pub(crate) fn refused(error: &nnc_backend::Error) -> Box<Problem> {
    let d = match error.kind {
        ErrorKind::Memory { needed, limit } => {
            let message =
                format!("this run needs {} of memory, and {} are allowed", bytes(needed), bytes(limit));
            let d = Diagnostic::error(Code::N0707, message);
            return Problem::new(
                ProblemKind::Memory,
                d.help("a smaller `batch` needs less; so does a smaller network"),
            );
        }
        ErrorKind::Limit => {
            return Problem::new(ProblemKind::Memory, Diagnostic::error(Code::N0708, error.to_string()));
        }
        ErrorKind::Missing => {
            let d = Diagnostic::error(Code::N0709, error.to_string());
            let d = d.help("python3 -m venv jax && jax/bin/pip install jax   then   --python jax/bin/python");
            return Problem::new(ProblemKind::Usage, d);
        }
        ErrorKind::Internal => Diagnostic::error(Code::N0901, error.to_string()),
    };
    Problem::new(ProblemKind::Internal, d.help("this is a mistake in nnc; please report it with the program"))
}

/// A mistake in the calls of this crate.
pub(crate) fn internal(fault: &Fault) -> Box<Problem> {
    let d = Diagnostic::error(Code::N0901, fault.message.clone());
    Problem::new(ProblemKind::Internal, d.help("this is a mistake in nnc; please report it with the program"))
}

/// The batch size of evaluation: small batches would only be slower.
pub(crate) fn eval_batch(model: &Model) -> usize {
    if model.settings.whole { 256 } else { model.settings.piece().max(32) }
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
    dtype: DType,
    what: What,
}

/// What of its port is copied into a parameter.
#[derive(Clone, Copy, PartialEq)]
enum What {
    Values,
    /// Of how many steps they are.
    Lengths,
    /// The values of the sample that is mixed with each: that of the next place of the batch.
    Partners,
}

/// All of them, for a thread that reads rows ahead.
pub(crate) struct Feeds {
    list: Vec<Feed>,
    weighted: bool,
}

impl Feed {
    /// Copies rows, in the precision of where they go.
    fn gather(&self, table: &Table, rows: &[u32], out: SliceMut<'_>) -> Result<(), Box<Fault>> {
        let mut partners = Vec::new();
        let rows = match self.what {
            What::Values | What::Lengths => rows,
            What::Partners => {
                partners.extend_from_slice(rows);
                partners.rotate_left(1.min(rows.len()));
                &partners
            }
        };
        match (self.what, out) {
            (What::Lengths, SliceMut::F32(out)) => table.gather_lengths_f32(self.port, rows, out),
            (What::Lengths, SliceMut::F64(out)) => table.gather_lengths_f64(self.port, rows, out),
            (_, SliceMut::F32(out)) => table.gather_f32(self.port, rows, out),
            (_, SliceMut::F64(out)) => table.gather_f64(self.port, rows, out),
        }
    }

    /// Numbers that a row has.
    fn width(&self, table: &Table) -> usize {
        if self.what == What::Lengths { 1 } else { table.width(self.port).unwrap_or(0) }
    }
}

/// Rows that are read and not yet fed.
#[derive(Default)]
pub(crate) struct Batch {
    ports: Vec<Buffer>,
    weights: Vec<f64>,
}

impl Feeds {
    /// Reads rows into a batch.
    pub(crate) fn read(&self, table: &Table, rows: &[u32], batch: &mut Batch) -> Result<(), Box<Fault>> {
        if batch.ports.is_empty() {
            batch.ports = self.list.iter().map(|feed| Buffer::new(feed.dtype)).collect();
        }
        for (feed, out) in self.list.iter().zip(&mut batch.ports) {
            out.reset(0);
            if feed.role != Role::Target || table.has_targets() {
                out.reset(rows.len() * feed.width(table));
                feed.gather(table, rows, out.as_mut_slice())?;
            }
        }
        batch.weights.clear();
        if self.weighted {
            batch.weights.extend(rows.iter().map(|&row| table.weight(row as usize).unwrap_or(1.0)));
        }
        Ok(())
    }
}

/// A session that knows where its rows go and which sums it yields.
pub(crate) struct Runner {
    executable: Arc<dyn Executable>,
    session: Box<dyn Session>,
    batch: usize,
    feeds: Arc<Feeds>,
    loss: Option<NodeId>,
    metrics: Vec<Option<NodeId>>,
    /// What metrics of all samples are computed from, with their widths. Tables are not among the results of a
    /// training step.
    totals: Vec<(Option<NodeId>, usize)>,
    /// How much the rows of the present batch count; empty where all count the same.
    weights: Vec<f64>,
}

impl Runner {
    pub(crate) fn new(executable: Arc<dyn Executable>, ports: &Ports, model: &Model) -> Outcome<Self> {
        let mut session = executable.session().map_err(|e| refused(&e))?;
        let inputs = ports.inputs.iter().enumerate().map(|(i, p)| (Role::Input, p, PortId::Input(i)));
        let targets = ports.targets.iter().enumerate().map(|(i, p)| (Role::Target, p, PortId::Target(i)));
        let mut feeds = Vec::new();
        for (role, port, id) in inputs.chain(targets) {
            let lengths = port.ragged.then(|| (What::Lengths, port.length_name()));
            let partners = (role == Role::Target && ports.mixed)
                .then(|| (What::Partners, format!("{}{PARTNER}", port.name)));
            let all = std::iter::once((What::Values, port.name.clone())).chain(lengths).chain(partners);
            for (what, name) in all {
                // Not every graph uses every port.
                if let Some(to) = session.input_mut(role, &name) {
                    feeds.push(Feed { role, name, port: id, dtype: to.read().dtype(), what });
                }
            }
        }
        let (weighted, batch) = (ports.weighted, executable.batch());
        let weights = if weighted { vec![1.0; batch] } else { Vec::new() };
        let graph = executable.graph();
        // Every sample is itself, unless it is mixed (`fit/augment.rs`).
        if let Some(mut share) = session.input_mut(Role::Target, SHARE) {
            share.write(std::iter::repeat_n(1.0, batch));
        }
        let totals = model.totals.iter().flat_map(|t| &t.list);
        let totals =
            totals.map(|t| (graph.output(OutputKind::Total, &t.name), t.shape.iter().product())).collect();
        let feeds = Arc::new(Feeds { list: feeds, weighted });
        let loss = graph.output(OutputKind::Loss, "loss");
        let metrics = model.metrics.iter().map(|name| graph.output(OutputKind::Metric, name)).collect();
        Ok(Self { session, batch, feeds, loss, metrics, totals, weights, executable })
    }

    /// The number of rows of a run.
    pub(crate) fn batch(&self) -> usize {
        self.batch
    }

    /// The graph as it is computed.
    pub(crate) fn graph(&self) -> &Graph {
        self.executable.graph()
    }

    /// The memory of an input, to change what was fed.
    pub(crate) fn input_mut(&mut self, name: &str) -> Option<SliceMut<'_>> {
        self.session.input_mut(Role::Input, name)
    }

    /// The memory of the shares of themselves that mixed samples are.
    pub(crate) fn share_mut(&mut self) -> Option<SliceMut<'_>> {
        self.session.input_mut(Role::Target, SHARE)
    }

    /// A named result of the last run.
    pub(crate) fn output(&self, kind: OutputKind, name: &str) -> Option<Slice<'_>> {
        self.session.output(kind, name)
    }

    /// The value of a node in the last run, where it is kept.
    pub(crate) fn value(&self, node: NodeId) -> Option<Slice<'_>> {
        self.session.value(node)
    }

    /// Where values first were no numbers, in a run that kept all of them.
    pub(crate) fn first_non_finite(&self) -> Option<NodeId> {
        self.session.first_non_finite()
    }

    /// Copies rows into the batch. Targets that the table lacks are left as they are.
    pub(crate) fn feed(&mut self, table: &Table, rows: &[u32]) -> Result<(), Box<Fault>> {
        let targets = table.has_targets();
        for feed in &self.feeds.list {
            if feed.role == Role::Target && !targets {
                continue;
            }
            if let Some(out) = self.session.input_mut(feed.role, &feed.name) {
                feed.gather(table, rows, out)?;
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
        if let Some(mut out) = self.session.input_mut(Role::SampleWeight, "sample_weight") {
            out.write(self.weights.iter().copied());
        }
    }

    /// What rows are copied into.
    pub(crate) fn feeds(&self) -> &Arc<Feeds> {
        &self.feeds
    }

    /// As [`Runner::feed`], with rows that are read already.
    pub(crate) fn feed_batch(&mut self, batch: &Batch) {
        for (feed, values) in self.feeds.list.iter().zip(&batch.ports) {
            if let Some(mut out) = self.session.input_mut(feed.role, &feed.name) {
                out.copy_from(values.as_slice());
            }
        }
        if self.feeds.weighted {
            self.weights.iter_mut().zip(&batch.weights).for_each(|(slot, w)| *slot = *w);
            self.feed_weights();
        }
    }

    pub(crate) fn run(&mut self, state: &mut dyn State, seed: u64, step: u64) -> Outcome<()> {
        self.session.run(state, seed, step).map_err(|e| refused(&e))
    }

    /// Runs steps for some seconds, and says how long every instruction takes.
    pub(crate) fn profile(
        &mut self,
        state: &mut dyn State,
        seed: u64,
        first: u64,
        seconds: f64,
    ) -> Outcome<Vec<ProfileRow>> {
        let operations = self.executable.operations();
        let mut times = vec![std::time::Duration::ZERO; operations.len()];
        let begin = std::time::Instant::now();
        let mut steps = 0;
        while steps == 0 || begin.elapsed().as_secs_f64() < seconds {
            steps += 1;
            self.session.run_timed(state, seed, first + steps, &mut times).map_err(|e| refused(&e))?;
        }
        let row = |(operation, time): (&Operation, &std::time::Duration)| ProfileRow {
            kind: operation.kind,
            detail: operation.detail.clone(),
            origin: operation.origin.to_string(),
            seconds: time.as_secs_f64() / steps as f64,
            flops: operation.flops,
            bytes: operation.bytes,
        };
        Ok(operations.iter().zip(&times).map(row).collect())
    }

    /// The losses of the first `count` rows.
    pub(crate) fn losses(&self, count: usize) -> Vec<f64> {
        let all = self.loss.and_then(|node| self.session.value(node));
        all.map_or(Vec::new(), |all| all.first(count).iter().collect())
    }

    /// Adds the loss, the metrics, and the totals of the first `count` rows to `sums`, row by row.
    pub(crate) fn add_sums(&self, count: usize, sums: &mut [f64]) {
        let Some((loss, metrics)) = sums.split_first_mut() else { return };
        let rows = |node: Option<NodeId>| self.session.value(node?);
        if let Some(all) = rows(self.loss) {
            let all = all.first(count);
            *loss = match self.weights.is_empty() {
                true => all.fold(*loss, |s, x| s + x),
                false => all.iter().zip(&self.weights).fold(*loss, |s, (x, w)| s + x * w),
            };
        }
        for (sum, node) in metrics.iter_mut().zip(&self.metrics) {
            if let Some(all) = rows(*node) {
                *sum = all.first(count).fold(*sum, |s, x| s + x);
            }
        }
        let mut rest = metrics.get_mut(self.metrics.len()..).unwrap_or_default();
        for (node, width) in &self.totals {
            let (own, after) = rest.split_at_mut((*width).min(rest.len()));
            if let Some(all) = rows(*node) {
                for row in all.chunks(*width).take(count) {
                    own.iter_mut().zip(row.iter()).for_each(|(s, x)| *s += x);
                }
            }
            rest = after;
        }
    }
}

/// Runners of one graph for the batch sizes that occur.
pub(crate) struct Runners {
    list: Vec<Runner>,
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
) -> Outcome<Vec<Arc<dyn Executable>>> {
    let mut wanted: Vec<usize> = tables.iter().flat_map(|&rows| sizes(rows, batch)).collect();
    wanted.sort_unstable();
    wanted.dedup();
    wanted.into_iter().map(|size| planner.plan(graph, size)).collect()
}

impl Runners {
    pub(crate) fn new(
        plans: Vec<Arc<dyn Executable>>,
        batch: usize,
        ports: &Ports,
        model: &Model,
    ) -> Outcome<Self> {
        let list = plans.into_iter().map(|p| Runner::new(p, ports, model)).collect::<Outcome<_>>()?;
        Ok(Self { list, batch })
    }

    /// The rows of a whole batch.
    pub(crate) fn batch(&self) -> usize {
        self.batch
    }

    /// The runner for a number of rows.
    pub(crate) fn of(&mut self, rows: usize) -> Option<&mut Runner> {
        self.list.iter_mut().find(|r| r.batch() == rows)
    }

    /// Runs over rows, batch by batch, and hands every batch to `each`, until that has enough. The last one is filled up with copies of
    /// its first row, so that what is said about a row does not depend on how many come with it: products of other
    /// sizes may add in another order.
    pub(crate) fn over(
        &mut self,
        table: &Table,
        rows: &[u32],
        state: &mut dyn State,
        mut each: impl FnMut(&Runner, &[u32]) -> ControlFlow<()>,
    ) -> Outcome<()> {
        let mut whole = Vec::new();
        for part in rows.chunks(self.batch) {
            let Some(runner) = self.of(self.batch) else { continue };
            whole.clear();
            whole.extend_from_slice(part);
            whole.resize(runner.batch(), part[0]);
            runner.feed(table, &whole).map_err(|f| internal(&f))?;
            // Evaluation draws no random numbers; if it did, they would be those of step 0.
            runner.run(state, 0, 0)?;
            if each(runner, part).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The sums of loss, metrics and totals over a whole table, into `sums`.
    pub(crate) fn sums(
        &mut self,
        table: &Table,
        rows: &[u32],
        state: &mut dyn State,
        sums: &mut [f64],
    ) -> Outcome<()> {
        sums.fill(0.0);
        self.over(table, rows, state, |runner, part| {
            runner.add_sums(part.len(), sums);
            ControlFlow::Continue(())
        })
    }
}
