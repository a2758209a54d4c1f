//! The engine behind the seam of `nnc_backend`: either precision, chosen by the graphs.

use crate::{EngineError, Executor, Layout, Plan, PlanOptions, Pool, Real, Store, plan};
use nnc_backend::{Backend, Entry, Error, ErrorKind, Executable, Memory, Operation, Options, Session};
use nnc_backend::{Slice, SliceMut, State};
use nnc_graph::{DType, Graph, NodeId, Role};
use std::any::Any;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The processor, with some threads; they begin with the first session.
#[derive(Debug)]
pub struct Cpu {
    threads: usize,
    pool: Arc<OnceLock<Arc<Pool>>>,
}

impl Cpu {
    /// At least one thread.
    pub fn new(threads: usize) -> Self {
        Self { threads: threads.max(1), pool: Arc::default() }
    }
}

impl Backend for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn threads(&self) -> usize {
        self.pool.get_or_init(|| Pool::new(self.threads)).threads()
    }

    fn layout(&self, graphs: &[&Graph]) -> Result<Arc<dyn nnc_backend::Layout>, Error> {
        let layout = Layout::new(graphs).map_err(error)?;
        Ok(Arc::new(Own { layout: Arc::new(layout), threads: self.threads, pool: self.pool.clone() }))
    }
}

fn error(e: EngineError) -> Error {
    let kind = match e {
        EngineError::Memory { needed, limit } => ErrorKind::Memory { needed, limit },
        EngineError::TooLarge { .. } | EngineError::Table { .. } | EngineError::Axes { .. } => {
            ErrorKind::Limit
        }
        EngineError::Precision { .. }
        | EngineError::Conflict { .. }
        | EngineError::Missing { .. }
        | EngineError::Internal(_) => ErrorKind::Internal,
    };
    Error { kind, message: e.to_string() }
}

/// A precision, and how its elements are shown.
trait Float: Real {
    fn slice(values: &[Self]) -> Slice<'_>;
    fn slice_mut(values: &mut [Self]) -> SliceMut<'_>;
}

impl Float for f32 {
    fn slice(values: &[Self]) -> Slice<'_> {
        Slice::F32(values)
    }

    fn slice_mut(values: &mut [Self]) -> SliceMut<'_> {
        SliceMut::F32(values)
    }
}

impl Float for f64 {
    fn slice(values: &[Self]) -> Slice<'_> {
        Slice::F64(values)
    }

    fn slice_mut(values: &mut [Self]) -> SliceMut<'_> {
        SliceMut::F64(values)
    }
}

#[derive(Clone, Debug)]
struct Own {
    layout: Arc<Layout>,
    threads: usize,
    pool: Arc<OnceLock<Arc<Pool>>>,
}

impl nnc_backend::Layout for Own {
    fn entries(&self) -> &[Entry] {
        self.layout.entries()
    }

    fn bytes(&self) -> u64 {
        self.layout.bytes()
    }

    fn state(&self) -> Box<dyn State> {
        match self.layout.float() {
            DType::F64 => Box::new(Kept::<f64> { own: self.clone(), store: Store::new(&self.layout) }),
            DType::F32 | DType::I32 | DType::Pred => {
                Box::new(Kept::<f32> { own: self.clone(), store: Store::new(&self.layout) })
            }
        }
    }

    fn compile(&self, graph: &Graph, batch: usize, options: &Options) -> Result<Arc<dyn Executable>, Error> {
        let options = PlanOptions {
            keep_all: options.keep_all,
            memory_limit: options.memory_limit,
            ..PlanOptions::default()
        };
        let plan = plan(graph, &self.layout, batch, &options).map_err(error)?;
        Ok(Arc::new(Planned { plan: Arc::new(plan), own: self.clone() }))
    }
}

#[derive(Debug)]
struct Kept<T> {
    own: Own,
    store: Store<T>,
}

/// The same memory, seen by whom it belongs to.
fn kept<'a, T: Float>(state: &'a mut dyn State, own: &Own) -> Result<&'a mut Store<T>, Error> {
    let state: &mut dyn Any = state;
    let kept = state.downcast_mut::<Kept<T>>().filter(|k| Arc::ptr_eq(&k.own.layout, &own.layout));
    kept.map(|k| &mut k.store).ok_or_else(strange)
}

fn strange() -> Error {
    Error::internal("the state is of another layout")
}

impl<T: Float> State for Kept<T> {
    fn entries(&self) -> &[Entry] {
        self.own.layout.entries()
    }

    fn get(&self, role: Role, name: &str) -> Option<Slice<'_>> {
        self.store.get(role, name).map(T::slice)
    }

    fn get_mut(&mut self, role: Role, name: &str) -> Option<SliceMut<'_>> {
        self.store.get_mut(role, name).map(T::slice_mut)
    }

    fn copy_from(&mut self, other: &dyn State) -> Result<(), Error> {
        let other: &dyn Any = other;
        let other = other.downcast_ref::<Self>().filter(|o| Arc::ptr_eq(&o.own.layout, &self.own.layout));
        self.store.copy_from(&other.ok_or_else(strange)?.store);
        Ok(())
    }

    fn snapshot(&self) -> Box<dyn State> {
        Box::new(Self { own: self.own.clone(), store: self.store.clone() })
    }
}

#[derive(Clone, Debug)]
struct Planned {
    plan: Arc<Plan>,
    own: Own,
}

impl Executable for Planned {
    fn graph(&self) -> &Graph {
        self.plan.graph()
    }

    fn batch(&self) -> usize {
        self.plan.batch()
    }

    fn memory(&self) -> Memory {
        self.plan.memory()
    }

    fn operations(&self) -> &[Operation] {
        self.plan.steps()
    }

    fn text(&self) -> String {
        self.plan.text()
    }

    fn session(&self) -> Result<Box<dyn Session>, Error> {
        match self.plan.graph().float {
            DType::F64 => Ok(Box::new(Run::<f64>::new(self)?)),
            DType::F32 | DType::I32 | DType::Pred => Ok(Box::new(Run::<f32>::new(self)?)),
        }
    }
}

#[derive(Debug)]
struct Run<T> {
    planned: Planned,
    executor: Executor<T>,
}

impl<T: Float> Run<T> {
    fn new(planned: &Planned) -> Result<Self, Error> {
        let pool = planned.own.pool.get_or_init(|| Pool::new(planned.own.threads)).clone();
        let executor = Executor::new(planned.plan.clone(), pool).map_err(error)?;
        Ok(Self { planned: planned.clone(), executor })
    }
}

impl<T: Float> Session for Run<T> {
    fn executable(&self) -> &dyn Executable {
        &self.planned
    }

    fn input_mut(&mut self, role: Role, name: &str) -> Option<SliceMut<'_>> {
        self.executor.input_mut(role, name).map(T::slice_mut)
    }

    fn run(&mut self, state: &mut dyn State, seed: u64, step: u64) -> Result<(), Error> {
        self.executor.run(kept(state, &self.planned.own)?, seed, step);
        Ok(())
    }

    fn run_timed(
        &mut self,
        state: &mut dyn State,
        seed: u64,
        step: u64,
        times: &mut [Duration],
    ) -> Result<(), Error> {
        self.executor.run_timed(kept(state, &self.planned.own)?, seed, step, times);
        Ok(())
    }

    fn value(&self, node: NodeId) -> Option<Slice<'_>> {
        self.executor.value(node).map(T::slice)
    }
}
