//! Running a plan.

use crate::{EngineError, Plan, Store};
use nnc_graph::{DType, NodeId, OutputKind, Role};
use nnc_kernels::{Buffer, Code, Pool, Real};
use std::sync::Arc;
use std::time::Duration;

/// A plan with its memory.
#[derive(Debug)]
pub struct Executor<T> {
    plan: Arc<Plan>,
    code: Code<T>,
    arena: Buffer<T>,
    pool: Arc<Pool>,
    /// Where the step number goes.
    step: Option<usize>,
}

impl<T: Real> Executor<T> {
    /// Allocates all memory that running the plan needs.
    ///
    /// # Errors
    /// The plan's precision is not `T`.
    pub fn new(plan: impl Into<Arc<Plan>>, pool: Arc<Pool>) -> Result<Self, EngineError> {
        let plan = plan.into();
        let asked = if size_of::<T>() == 8 { DType::F64 } else { DType::F32 };
        if plan.graph.float != asked {
            return Err(EngineError::Precision { graph: plan.graph.float, asked });
        }
        let code = Code::new(plan.instrs.clone(), plan.arena, plan.store, pool.threads());
        let code = code.map_err(EngineError::Internal)?;
        let step = plan.inputs.iter().find(|i| i.0 == Role::Step).map(|i| i.2);
        let arena = Buffer::zeros(plan.arena);
        Ok(Self { plan, code, arena, pool, step })
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The memory of an input, target or sample weight: `[batch, …]` in row-major order. It keeps its
    /// contents over runs.
    pub fn input_mut(&mut self, role: Role, name: &str) -> Option<&mut [T]> {
        let found = self.plan.inputs.iter().find(|i| i.0 == role && &*i.1 == name && role != Role::Step);
        let &(_, _, offset, count) = found?;
        Some(&mut self.arena[offset..offset + count])
    }

    /// Runs one step, updates included. Random numbers depend on `seed` and `step` alone; the step
    /// parameter is `step`.
    ///
    /// # Panics
    /// When the store has another layout than the plan.
    pub fn run(&mut self, store: &mut Store<T>, seed: u64, step: u64) {
        self.begin(step);
        let all = 0..self.plan.instrs.len();
        self.code.run(all, &mut self.arena, store.data_mut(), &self.pool, (seed, step));
    }

    fn begin(&mut self, step: u64) {
        if let Some(at) = self.step {
            self.arena[at] = T::of(step as f64);
        }
    }

    /// As [`Executor::run`]; adds to `times` how long every instruction took, in the order of
    /// [`Plan::steps`].
    ///
    /// # Panics
    /// As [`Executor::run`].
    pub fn run_timed(&mut self, store: &mut Store<T>, seed: u64, step: u64, times: &mut [Duration]) {
        self.begin(step);
        for (i, range) in self.plan.ranges.iter().enumerate() {
            let start = std::time::Instant::now();
            self.code.run(range.clone(), &mut self.arena, store.data_mut(), &self.pool, (seed, step));
            if let Some(time) = times.get_mut(i) {
                *time += start.elapsed();
            }
        }
    }

    /// A named result of the last run (not an update).
    pub fn output(&self, kind: OutputKind, name: &str) -> Option<&[T]> {
        if kind == OutputKind::Update {
            return None;
        }
        self.value(self.plan.graph.output(kind, name)?)
    }

    /// The value of any node in the last run of a plan made with `keep_all`; of the nodes whose values
    /// happen to be kept otherwise.
    pub fn value(&self, node: NodeId) -> Option<&[T]> {
        let (offset, count) = (*self.plan.kept.get(node.index())?)?;
        Some(&self.arena[offset..offset + count])
    }
}
