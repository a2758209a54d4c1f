//! What the tests share: running a graph in the engine and in the reference evaluator.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use nnc_engine::{Executor, Layout, PlanOptions, Pool, Real, Store, plan};
use nnc_graph::eval::{Array, Bindings, evaluate};
use nnc_graph::{DType, Graph, NodeId, OutputKind, Role};
use std::sync::Arc;

/// A small generator of numbers for tests.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 = nnc_graph::random::mix(self.0);
        self.0
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// In [-2, 2], often the same numbers, so that ties happen.
    pub fn value(&mut self) -> f64 {
        if self.below(4) == 0 { self.below(5) as f64 - 2.0 } else { self.below(4001) as f64 / 1000.0 - 2.0 }
    }
}

/// Values for all parameters of a graph; whole numbers below `classes` for i32.
pub fn bindings(graph: &Graph, batch: usize, numbers: &mut Numbers, classes: usize) -> Bindings {
    let mut out = Bindings { batch, seed: 7, step: 3, ..Bindings::default() };
    for id in graph.ids() {
        if let Some((role, name)) = graph.node(id).prim.parameter() {
            let ty = graph.ty(id);
            let dims = ty.dims_at(batch);
            let value = Array::from_fn(&dims, |_| match ty.dtype {
                DType::F32 => f64::from(numbers.value() as f32),
                DType::F64 => numbers.value(),
                DType::I32 => numbers.below(classes) as f64,
                DType::Pred => numbers.below(2) as f64,
            });
            out = out.with(role, name, value);
        }
    }
    out
}

/// Runs a graph in the engine: the executor, and the store after the step.
pub fn run<T: Real>(
    graph: &Graph,
    b: &Bindings,
    options: &PlanOptions,
    threads: usize,
) -> (Executor<T>, Store<T>) {
    let layout = Layout::new(&[graph]).unwrap();
    let plan = plan(graph, &layout, b.batch, options).unwrap();
    let mut store = Store::<T>::new(&layout);
    let mut executor = Executor::<T>::new(plan, Pool::new(threads)).unwrap();
    for ((role, name), value) in &b.parameters {
        let lasts = matches!(role, Role::Weight | Role::State | Role::Slot);
        let to = if lasts { store.get_mut(*role, name) } else { executor.input_mut(*role, name) };
        if let Some(to) = to {
            to.iter_mut().zip(&value.data).for_each(|(t, v)| *t = T::of(*v));
        }
    }
    executor.run(&mut store, b.seed, b.step);
    (executor, store)
}

/// Whether two numbers are the same up to a relative error (absolute below `floor`).
pub fn close(got: f64, want: f64, tolerance: f64) -> bool {
    got == want || (got.is_nan() && want.is_nan()) || (got - want).abs() <= tolerance * want.abs().max(1.0)
}

/// Compares all named results, and with `keep_all` all nodes, with the reference evaluator.
pub fn check<T: Real>(graph: &Graph, b: &Bindings, options: &PlanOptions, tolerance: f64, what: &str) {
    let want = evaluate(graph, b).unwrap();
    let (executor, store) = run::<T>(graph, b, options, 1);
    let compare = |id: NodeId, got: &[T], name: &str| {
        let want = &want[id.index()].data;
        assert_eq!(got.len(), want.len(), "{what}: {name}");
        for (i, (g, w)) in got.iter().zip(want).enumerate() {
            assert!(
                close(g.wide(), *w, tolerance),
                "{what}: {name} {id} [{i}] is {g:?}, not {w}\n{}",
                executor.plan().text()
            );
        }
    };
    for output in graph.outputs() {
        if output.kind == OutputKind::Update {
            let roles = [Role::Weight, Role::State, Role::Slot];
            let got = roles.iter().find_map(|&r| store.get(r, &output.name)).unwrap();
            compare(output.node, got, &output.name);
        } else {
            compare(output.node, executor.output(output.kind, &output.name).unwrap(), &output.name);
        }
    }
    if options.keep_all {
        for id in graph.ids() {
            compare(id, executor.value(id).unwrap(), "node");
        }
    }
}

/// All the ways to plan.
pub fn all_options() -> [PlanOptions; 3] {
    let base = PlanOptions::default();
    [base, PlanOptions { fuse: false, ..base }, PlanOptions { keep_all: true, ..base }]
}

/// A graph with the same nodes in single precision.
pub fn in_single(graph: &Graph) -> Graph {
    let text = nnc_graph::text::print(graph).replace("f64", "f32");
    nnc_graph::text::parse(&text).unwrap()
}

pub fn pool(threads: usize) -> Arc<Pool> {
    Pool::new(threads)
}
