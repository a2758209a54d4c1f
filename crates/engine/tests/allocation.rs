//! Running a plan allocates nothing but the packing buffers of large products.
#![allow(clippy::unwrap_used, missing_docs, unsafe_code)]

mod common;

use common::{Numbers, bindings};
use nnc_engine::{Executor, Layout, PlanOptions, Pool, Store, plan};
use nnc_graph::{
    Binary, Builder, DType, Dim, DotDims, Graph, OutputKind, Reduction, Role, Type, Unary, gradient,
};
use std::alloc::{GlobalAlloc, Layout as Block, System};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, block: Block) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(block) }
    }

    unsafe fn dealloc(&self, at: *mut u8, block: Block) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, block) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn training_step(inner: usize) -> Graph {
    let mut b = Builder::new("train", DType::F32);
    let ty = |dims: &[Dim]| Type::new(DType::F32, dims.to_vec());
    let x = b.parameter(Role::Input, "x", ty(&[Dim::Batch, inner.into()]));
    let w = b.parameter(Role::Weight, "w", ty(&[inner.into(), inner.into()]));
    let dims = DotDims { left_contract: vec![1], right_contract: vec![0], ..DotDims::default() };
    let h = b.dot(x, w, dims);
    let h = b.unary(Unary::Tanh, h);
    let h = b.transpose(h, vec![1, 0]);
    let y = b.reduce(Reduction::Add, h, vec![0, 1]);
    let one = b.constant(1.0);
    let g = gradient(&mut b, y, one, &[w])[0];
    let rate = b.scalar_like(0.01, g);
    let change = b.binary(Binary::Multiply, rate, g);
    let w1 = b.binary(Binary::Subtract, w, change);
    b.output(OutputKind::Objective, "y", y);
    b.output(OutputKind::Update, "w", w1);
    b.finish()
}

#[test]
fn nothing_is_allocated() {
    // The last size is multiplied by matrixmultiply, which packs into a buffer of its own: two products of
    // at most two pieces.
    for (inner, batch, packings) in [(5, 3, 0), (40, 30, 0), (300, 100, 0), (300, 200, 4)] {
        for threads in [1, 2] {
            let graph = training_step(inner);
            let layout = Layout::new(&[&graph]).unwrap();
            let plan = plan(&graph, &layout, batch, &PlanOptions::default()).unwrap();
            let mut store = Store::<f32>::new(&layout);
            let mut executor = Executor::<f32>::new(plan, Pool::new(threads)).unwrap();
            let b = bindings(&graph, batch, &mut Numbers(1), 2);
            let x = &b.parameters[&(Role::Input, "x".to_string())].data;
            let to = executor.input_mut(Role::Input, "x").unwrap();
            to.iter_mut().zip(x).for_each(|(t, v)| *t = *v as f32);
            executor.run(&mut store, 1, 1);
            let before = COUNT.load(Ordering::Relaxed);
            for step in 2..10 {
                executor.run(&mut store, 1, step);
            }
            let after = COUNT.load(Ordering::Relaxed);
            assert!(after - before <= 8 * packings, "size {inner}, {threads} threads: {}", after - before);
        }
    }
}
