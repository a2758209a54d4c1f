//! The plan and the speed of a program's step.

use crate::artifact::weights;
use crate::binding::load::Loaded;
use crate::engine::Engine;
use crate::execute::runner::{Planner, ProfileRow, Runner, internal, layout, refused};
use crate::memory;
use crate::problem::Outcome;
use nnc_backend::{Executable, Options};
use nnc_graph::Graph;
use nnc_model::Model;
use std::sync::Arc;
use std::time::Instant;

/// What becomes of a whole step, for `nnc graph --stage plan`.
///
/// # Errors
/// Sizes overflow, or the program needs more memory than the machine has.
pub fn plan_step(loaded: &Loaded, model: &Model) -> Outcome<Arc<dyn Executable>> {
    let batch = model.settings.piece().min(loaded.data.train.len()).max(1);
    plan_graph(model, &model.step, batch, memory::limit(None)).map_err(|e| refused(&e))
}

/// What becomes of one of a model's graphs, with so many rows and at most so many bytes.
///
/// # Errors
/// Sizes overflow, or more memory is needed.
pub fn plan_graph(
    model: &Model,
    graph: &Graph,
    batch: usize,
    memory_limit: u64,
) -> Result<Arc<dyn Executable>, nnc_backend::Error> {
    let layout = Engine::Cpu.backend(1).layout(&[&model.init, &model.step, &model.eval])?;
    layout.compile(graph, batch, &Options { memory_limit, ..Options::default() })
}

/// How to time a step.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    /// Threads; 0 takes as many as the machine has.
    pub threads: usize,
    /// Seconds to measure for, after warming up.
    pub seconds: f64,
    /// Bytes that may be taken; four fifths of the machine's memory where not given.
    pub memory_limit: Option<u64>,
}

impl Default for BenchOptions {
    fn default() -> Self {
        Self { threads: 0, seconds: 1.0, memory_limit: None }
    }
}

/// The speed of a program's step.
#[derive(Clone, PartialEq, Debug)]
pub struct BenchReport {
    /// Rows of a step.
    pub batch: usize,
    /// Threads.
    pub threads: usize,
    /// Steps that were measured.
    pub steps: u64,
    /// Seconds they took.
    pub seconds: f64,
    /// Steps in a second.
    pub steps_per_second: f64,
    /// Seconds an epoch would take.
    pub seconds_per_epoch: f64,
    /// Billions of multiplications and additions of products in a second.
    pub gflops: f64,
    /// Bytes of weights, optimizer slots, values and rows.
    pub peak_bytes: u64,
    /// Where the time of a step goes, instruction by instruction; measured apart from the rest.
    pub profile: Vec<ProfileRow>,
}

/// Times the step of a program on one batch of its data: no files, no figures.
///
/// # Errors
/// Too little memory.
pub fn bench(loaded: &Loaded, model: &Model, options: &BenchOptions) -> Outcome<BenchReport> {
    let backend = Engine::Cpu.backend(options.threads);
    let layout = layout(&*backend, model)?;
    let table = &loaded.data.train;
    let limit = memory::limit(options.memory_limit);
    let batch = model.settings.piece().min(table.len()).max(1);
    let mut planner = Planner::new(&*layout, limit);
    let plan = planner.plan(&model.step, batch)?;
    planner.need.add("weights and optimizer slots", layout.bytes());
    planner.need.add("rows", table.bytes());
    planner.need.check(limit)?;
    let peak_bytes = planner.need.total();
    let seed = model.settings.seed;
    let (mut state, _) = weights::initial(model, &*layout, seed, None)?;
    let mut runner = Runner::new(Arc::clone(&plan), &loaded.ports, model)?;
    let rows: Vec<u32> = (0..batch as u32).collect();
    runner.feed(table, &rows).map_err(|f| internal(&f))?;
    let wanted = options.seconds.clamp(0.01, 3600.0);
    let mut step = 0;
    let mut during = |runner: &mut Runner, seconds: f64| -> Outcome<(u64, f64)> {
        let (begin, first) = (Instant::now(), step);
        let mut portion = 1u64;
        loop {
            for _ in 0..portion {
                step += 1;
                runner.run(&mut *state, seed, step)?;
            }
            let passed = begin.elapsed().as_secs_f64();
            if passed >= seconds {
                return Ok((step - first, passed));
            }
            if passed < seconds / 100.0 {
                portion = portion.saturating_mul(2);
            }
        }
    };
    during(&mut runner, wanted / 5.0)?;
    let (steps, seconds) = during(&mut runner, wanted)?;
    let profile = runner.profile(&mut *state, seed, step, wanted / 2.0)?;
    let per_second = steps as f64 / seconds;
    Ok(BenchReport {
        batch,
        threads: backend.threads(),
        steps,
        seconds,
        steps_per_second: per_second,
        seconds_per_epoch: model.settings.steps_per_epoch(table.len()) as f64 / per_second,
        gflops: plan.flops() as f64 * per_second / 1e9,
        peak_bytes,
        profile,
    })
}
