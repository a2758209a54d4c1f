//! Loops in the engine: generated programs and their gradients against the reference evaluator, and the same bits
//! for any number of threads.

mod common;
#[path = "../../graph/tests/common/loops.rs"]
mod generated;

use common::{Numbers, all_options, bindings, check, run};
use generated::{program, with_gradients};
use nnc_graph::scan::{Body, Carry};
use nnc_graph::{
    Binary, Builder, DType, Distribution, Graph, OutputKind, Prim, Role, Type, Unary, passes, verify,
};

fn with_loops(graph: &Graph) -> bool {
    graph.ids().any(|id| matches!(graph.node(id).prim, Prim::Scan(_)))
}

#[test]
fn loops_equal_the_evaluator() {
    let mut loops = 0;
    for seed in 0..300 {
        let graph = program(seed, usize::from(seed % 4 == 3), DType::F64);
        loops += usize::from(with_loops(&graph));
        let graph = passes::standard(&with_gradients(&graph, seed % 10 == 0));
        assert_eq!(verify(&graph), Ok(()));
        // Rows that fill lanes, and rows that do not.
        let batch = [3, 16, 1][seed as usize % 3];
        let b = bindings(&graph, batch, &mut Numbers(seed), 4);
        for options in all_options() {
            check::<f64>(&graph, &b, &options, 1e-9, &format!("program {seed}, {options:?}"));
        }
    }
    assert!(loops > 150, "only {loops} programs kept a loop");
}

#[test]
fn threads_change_no_bit_of_a_loop() {
    for seed in 0..40 {
        let graph = passes::standard(&with_gradients(&program(seed, 0, DType::F32), false));
        let b = bindings(&graph, 700, &mut Numbers(seed), 4);
        let results: Vec<Vec<Vec<u32>>> = [1, 3]
            .into_iter()
            .map(|threads| {
                let (executor, _) = run::<f32>(&graph, &b, &Default::default(), threads);
                let bits = |o: &nnc_graph::Output| {
                    executor.output(o.kind, &o.name).expect("a result").iter().map(|x| x.to_bits()).collect()
                };
                graph.outputs().iter().map(bits).collect()
            })
            .collect();
        assert!(results[0] == results[1], "program {seed}");
    }
}

/// Noise in every step, other noise in other steps; `h = h / 2 + noise`, in a loop in a loop.
#[test]
fn random_numbers_are_keyed_by_the_step() {
    let mut b = Builder::new("noise", DType::F64);
    let ty = Type::new(DType::F64, vec![5.into()]);
    let counter = |b: &mut Builder, n: usize| b.iota(0, Type::new(DType::I32, vec![n.into()]));
    let zeros = b.filled(0.0, ty.clone());
    let (outer, inner) = (counter(&mut b, 3), counter(&mut b, 4));
    let key = b.stand_in(Role::Slice, Type::scalar(DType::I32));
    let carry = b.stand_in(Role::Carry, ty.clone());
    let (in_key, in_carry) =
        (b.stand_in(Role::Slice, Type::scalar(DType::I32)), b.stand_in(Role::Carry, ty.clone()));
    let length = b.constant_of(4.0, DType::I32);
    let before = b.binary(Binary::Multiply, key, length);
    let both = b.binary(Binary::Add, before, in_key);
    let noise = b.rng_keyed(Distribution::Uniform, 9, &[both], ty.shape.clone());
    let half = b.scalar_like(0.5, in_carry);
    let less = b.binary(Binary::Multiply, in_carry, half);
    let next = b.binary(Binary::Add, less, noise);
    let mut made = Body {
        length: 4,
        carries: vec![Carry { at: in_carry, first: carry, next }],
        slices: vec![(in_key, inner)],
        roots: vec![noise],
        ..Body::default()
    }
    .make(&mut b);
    let (last, all) = (made.last(&mut b, 0), made.stacked(&mut b, noise));
    let next = b.unary(Unary::Tanh, last);
    let mut made = Body {
        length: 3,
        carries: vec![Carry { at: carry, first: zeros, next }],
        slices: vec![(key, outer)],
        roots: vec![all],
        ..Body::default()
    }
    .make(&mut b);
    let (last, all) = (made.last(&mut b, 0), made.stacked(&mut b, all));
    b.output(OutputKind::Prediction, "last", last);
    b.output(OutputKind::Prediction, "all", all);
    let graph = passes::standard(&b.finish());
    let bound = bindings(&graph, 1, &mut Numbers(1), 4);
    for options in all_options() {
        check::<f64>(&graph, &bound, &options, 1e-12, "noise");
    }
    let (executor, _) = run::<f64>(&graph, &bound, &Default::default(), 1);
    let all = executor.output(OutputKind::Prediction, "all").expect("a result");
    let mut rows: Vec<&[f64]> = all.chunks(5).collect();
    assert_eq!(rows.len(), 12);
    rows.sort_by(|a, b| a[0].total_cmp(&b[0]));
    rows.dedup();
    assert_eq!(rows.len(), 12, "every step draws its own numbers");
}
