//! Updates, memory, threads, listings.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{Numbers, all_options, bindings, check, in_single, run};
use nnc_engine::{EngineError, Executor, Layout, PlanOptions, Pool, Store, plan};
use nnc_graph::{
    Binary, Builder, DType, Dim, Distribution, DotDims, Graph, NodeId, OutputKind, Reduction, Role, Type,
    Unary,
};

const F: DType = DType::F64;

fn weight(b: &mut Builder, name: &str, shape: &[usize]) -> NodeId {
    let shape: Vec<Dim> = shape.iter().map(|&n| n.into()).collect();
    b.parameter(Role::Weight, name, Type::new(F, shape))
}

fn check_all(graph: &Graph, what: &str) {
    for seed in 0..3 {
        let b = bindings(graph, 3, &mut Numbers(seed), 4);
        for options in all_options() {
            check::<f64>(graph, &b, &options, 1e-12, what);
            let single = in_single(graph);
            check::<f32>(&single, &b, &options, 1e-5, what);
        }
    }
}

#[test]
fn updates_that_read_each_other() {
    let mut b = Builder::new("momentum", F);
    let (w, v) = (weight(&mut b, "w", &[40]), weight(&mut b, "v", &[40]));
    let sum = b.binary(Binary::Add, w, v);
    let half = b.scalar_like(0.5, v);
    let less = b.binary(Binary::Multiply, v, half);
    let later = b.binary(Binary::Subtract, less, w);
    b.output(OutputKind::Update, "w", sum);
    b.output(OutputKind::Update, "v", later);
    check_all(&b.finish(), "w := w + v, v := v/2 - w");
}

#[test]
fn swaps_and_rotations() {
    for n in [1usize, 5, 64] {
        let mut b = Builder::new("rotation", F);
        let names = ["a", "b", "c"];
        let nodes: Vec<NodeId> = names.iter().map(|name| weight(&mut b, name, &[n])).collect();
        for i in 0..3 {
            b.output(OutputKind::Update, names[i], nodes[(i + 1) % 3]);
        }
        check_all(&b.finish(), "a := b, b := c, c := a");
    }
}

#[test]
fn updates_in_a_ring_of_units() {
    // a := reverse(b) + 1 and b := reverse(a) * 2 read each other out of order.
    let mut g = Builder::new("ring", F);
    let (a, b) = (weight(&mut g, "a", &[33]), weight(&mut g, "b", &[33]));
    let one = g.scalar_like(1.0, a);
    let two = g.scalar_like(2.0, a);
    let (ra, rb) = (g.reverse(a, vec![0]), g.reverse(b, vec![0]));
    let x = g.binary(Binary::Add, rb, one);
    let y = g.binary(Binary::Multiply, ra, two);
    g.output(OutputKind::Update, "a", x);
    g.output(OutputKind::Update, "b", y);
    check_all(&g.finish(), "ring");
}

#[test]
fn one_value_for_two_parameters_and_results() {
    let mut b = Builder::new("shared", F);
    let (w, v) = (weight(&mut b, "w", &[4, 5]), weight(&mut b, "v", &[5, 4]));
    let t = b.transpose(v, vec![1, 0]);
    let s = b.binary(Binary::Multiply, w, t);
    let back = b.transpose(s, vec![1, 0]);
    b.output(OutputKind::Update, "w", s);
    b.output(OutputKind::Update, "v", back);
    b.output(OutputKind::Prediction, "s", s);
    b.output(OutputKind::Prediction, "w", w);
    b.output(OutputKind::Gradient, "s", s);
    let total = b.reduce(Reduction::Add, w, vec![0, 1]);
    b.output(OutputKind::Objective, "total", total);
    check_all(&b.finish(), "shared");
}

#[test]
fn an_update_waits_for_all_readers() {
    // A chain of products reads w after its new value is known.
    let mut b = Builder::new("readers", F);
    let w = weight(&mut b, "w", &[6, 6]);
    let dims = DotDims { left_contract: vec![1], right_contract: vec![0], ..DotDims::default() };
    let x = b.unary(Unary::Tanh, w);
    let mut y = b.dot(w, x, dims.clone());
    for _ in 0..3 {
        y = b.unary(Unary::Sine, y);
        y = b.dot(w, y, dims.clone());
    }
    b.output(OutputKind::Update, "w", x);
    b.output(OutputKind::Prediction, "y", y);
    check_all(&b.finish(), "readers");
}

#[test]
fn constants_and_counters_as_results() {
    let mut b = Builder::new("init", F);
    let ones = b.filled(1.5, Type::new(F, vec![3.into(), 4.into()]));
    let count = b.iota(1, Type::new(DType::I32, vec![3.into(), 4.into()]));
    let count = b.convert(count, F);
    let turned = b.transpose(count, vec![1, 0]);
    let n = b.batch_size();
    b.output(OutputKind::Initial, "ones", ones);
    b.output(OutputKind::Initial, "count", count);
    b.output(OutputKind::Initial, "turned", turned);
    b.output(OutputKind::Objective, "n", n);
    check_all(&b.finish(), "constants");
}

#[test]
fn random_numbers_are_the_reference_s() {
    let mut b = Builder::new("rng", F);
    for (i, distribution) in Distribution::ALL.into_iter().enumerate() {
        let x = b.rng(distribution, 99 + i as u64, vec![Dim::Batch, 37.into()]);
        let y = b.unary(Unary::Tanh, x);
        b.output(OutputKind::Prediction, format!("x{i}"), x);
        b.output(OutputKind::Prediction, format!("y{i}"), y);
    }
    check_all(&b.finish(), "random numbers");
}

/// Keys are constants, parameters, and what is computed: by itself and together with what it keys.
#[test]
fn keyed_random_numbers_are_the_reference_s() {
    let mut b = Builder::new("keys", F);
    let given = b.parameter(Role::Input, "k", Type::scalar(DType::I32));
    let known = b.constant_of(5.0, DType::I32);
    let sum = b.binary(Binary::Add, given, known);
    let product = b.binary(Binary::Multiply, sum, sum);
    for (i, distribution) in Distribution::ALL.into_iter().enumerate() {
        for (j, keys) in [vec![given], vec![known, sum], vec![sum, given, product]].iter().enumerate() {
            let x = b.rng_keyed(distribution, 7 + i as u64, keys, vec![Dim::Batch, 37.into()]);
            let one = b.rng_keyed(distribution, 17 + i as u64, keys, vec![]);
            b.output(OutputKind::Prediction, format!("x{i}{j}"), x);
            b.output(OutputKind::Prediction, format!("one{i}{j}"), one);
        }
    }
    check_all(&b.finish(), "keyed random numbers");
}

#[test]
fn powers() {
    let mut b = Builder::new("powers", F);
    let x = b.parameter(Role::Input, "x", Type::new(F, vec![Dim::Batch, 7.into()]));
    let x = b.unary(Unary::Exponential, x);
    for (i, p) in [2.0, 3.0, -1.0, 0.5, 1.7, 0.0].into_iter().enumerate() {
        let p = b.scalar_like(p, x);
        let y = b.binary(Binary::Power, x, p);
        b.output(OutputKind::Prediction, format!("y{i}"), y);
    }
    check_all(&b.finish(), "powers");
}

#[test]
fn the_step_is_a_parameter() {
    let mut b = Builder::new("step", F);
    let step = b.parameter(Role::Step, "step", Type::scalar(F));
    b.output(OutputKind::Objective, "step", step);
    let graph = b.finish();
    let layout = Layout::new(&[&graph]).unwrap();
    let plan = plan(&graph, &layout, 1, &PlanOptions::default()).unwrap();
    let mut store = Store::<f64>::new(&layout);
    let mut executor = Executor::<f64>::new(plan, Pool::new(1)).unwrap();
    assert!(executor.input_mut(Role::Step, "step").is_none());
    for step in [1, 2, 70_000] {
        executor.run(&mut store, 0, step);
        assert_eq!(executor.output(OutputKind::Objective, "step"), Some(&[step as f64][..]));
    }
}

/// Products, elementwise chains and folds large enough for several tasks.
fn large() -> Graph {
    let mut b = Builder::new("large", DType::F32);
    let ty = |dims: &[Dim]| Type::new(DType::F32, dims.to_vec());
    let x = b.parameter(Role::Input, "x", ty(&[Dim::Batch, 300.into()]));
    let w = b.parameter(Role::Weight, "w", ty(&[300.into(), 500.into()]));
    let v = b.parameter(Role::Weight, "v", ty(&[8.into(), 60.into(), 50.into()]));
    let dims = DotDims { left_contract: vec![1], right_contract: vec![0], ..DotDims::default() };
    let h = b.dot(x, w, dims);
    let h = b.unary(Unary::Tanh, h);
    let grad = DotDims { left_contract: vec![0], right_contract: vec![0], ..DotDims::default() };
    let g = b.dot(x, h, grad);
    let square = DotDims {
        left_batch: vec![0],
        right_batch: vec![0],
        left_contract: vec![2],
        right_contract: vec![2],
    };
    let vv = b.dot(v, v, square);
    let noise = b.rng(Distribution::Uniform, 5, vec![300.into(), 500.into()]);
    let w1 = b.binary(Binary::Multiply, g, noise);
    let w1 = b.binary(Binary::Add, w, w1);
    let rows = b.reduce(Reduction::Add, h, vec![1]);
    let columns = b.reduce(Reduction::Add, h, vec![0]);
    let all = b.reduce(Reduction::Add, g, vec![0, 1]);
    b.output(OutputKind::Update, "w", w1);
    b.output(OutputKind::Prediction, "rows", rows);
    b.output(OutputKind::Gradient, "columns", columns);
    b.output(OutputKind::Gradient, "vv", vv);
    b.output(OutputKind::Objective, "all", all);
    b.finish()
}

#[test]
fn threads_do_not_change_a_bit() {
    let graph = large();
    let b = bindings(&graph, 260, &mut Numbers(1), 2);
    let (one, store_one) = run::<f32>(&graph, &b, &PlanOptions::default(), 1);
    for threads in [2, 3] {
        let (two, store_two) = run::<f32>(&graph, &b, &PlanOptions::default(), threads);
        let bits = |x: &[f32]| x.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        for o in graph.outputs().iter().filter(|o| o.kind != OutputKind::Update) {
            let (x, y) = (one.output(o.kind, &o.name).unwrap(), two.output(o.kind, &o.name).unwrap());
            assert!(bits(x) == bits(y), "{}", o.name);
        }
        for ((e, x), (_, y)) in store_one.iter().zip(store_two.iter()) {
            assert!(bits(x) == bits(y), "{}", e.name);
        }
    }
    let b = bindings(&graph, 8, &mut Numbers(1), 2);
    check::<f32>(&graph, &b, &PlanOptions::default(), 1e-4, "large");
}

#[test]
fn too_much_memory_is_said_before() {
    let graph = large();
    let layout = Layout::new(&[&graph]).unwrap();
    let options = PlanOptions { memory_limit: 1 << 20, ..PlanOptions::default() };
    let error = plan(&graph, &layout, 260, &options).unwrap_err();
    assert!(matches!(error, EngineError::Memory { limit: 1_048_576, needed } if needed > 1 << 20));
    assert!(error.to_string().ends_with("1048576 are allowed"), "{error}");
    let error = plan(&graph, &layout, usize::MAX / 2, &PlanOptions::default()).unwrap_err();
    assert!(matches!(error, EngineError::TooLarge { .. }), "{error}");
    let error = plan(&graph, &layout, 1 << 48, &options).unwrap_err();
    assert!(matches!(error, EngineError::Memory { .. } | EngineError::TooLarge { .. }), "{error}");
}

#[test]
fn large_tables_are_refused_in_single_precision() {
    let mut b = Builder::new("table", DType::F32);
    let table =
        b.parameter(Role::Weight, "t", Type::new(DType::F32, vec![Dim::Size((1 << 24) + 1), 1.into()]));
    let index = b.parameter(Role::Input, "i", Type::new(DType::I32, vec![Dim::Batch]));
    let rows = b.gather(table, index);
    b.output(OutputKind::Prediction, "y", rows);
    let graph = b.finish();
    let layout = Layout::new(&[&graph]).unwrap();
    let error = plan(&graph, &layout, 1, &PlanOptions::default()).unwrap_err();
    assert!(matches!(error, EngineError::Table { .. }), "{error}");
}

#[test]
fn other_precisions_and_layouts_are_refused() {
    let graph = large();
    let layout = Layout::new(&[&graph]).unwrap();
    let plan_of = plan(&graph, &layout, 4, &PlanOptions::default()).unwrap();
    let error = Executor::<f64>::new(plan_of, Pool::new(1)).unwrap_err();
    assert!(matches!(error, EngineError::Precision { .. }), "{error}");
    let empty = Layout::new(&[&Graph::new("empty", DType::F32)]).unwrap();
    let error = plan(&graph, &empty, 4, &PlanOptions::default()).unwrap_err();
    assert!(matches!(error, EngineError::Missing { .. }), "{error}");
    let mut other = Builder::new("other", DType::F32);
    other.parameter(Role::Weight, "w", Type::new(DType::F32, vec![3.into()]));
    let error = Layout::new(&[&graph, &other.finish()]).unwrap_err();
    assert!(matches!(error, EngineError::Conflict { .. }), "{error}");
}

/// Two functions of a weight's halves side by side, in another order, along an axis.
fn halves(axis: usize, b: &mut Builder, name: &str) -> NodeId {
    let w = weight(b, name, &[6, 8]);
    let mut half = vec![Dim::Size(6), Dim::Size(8)];
    half[axis] = Dim::Size(3 + axis);
    let mut start = vec![0, 0];
    let first = b.slice(w, start.clone(), half.clone());
    start[axis] = 3 + axis;
    let second = b.slice(w, start, half);
    let parts = [b.unary(Unary::Tanh, second), b.binary(Binary::Add, first, second)];
    b.concatenate(&parts, axis)
}

#[test]
fn what_is_joined_is_computed_where_it_belongs() {
    for axis in [0, 1] {
        let mut b = Builder::new("joined", F);
        let joined = halves(axis, &mut b, "w");
        let dims = DotDims { left_contract: vec![1], right_contract: vec![1], ..DotDims::default() };
        let product = b.dot(joined, joined, dims);
        b.output(OutputKind::Prediction, "y", product);
        let graph = b.finish();
        check_all(&graph, "joined");
        let layout = Layout::new(&[&graph]).unwrap();
        let plan = plan(&graph, &layout, 1, &PlanOptions::default()).unwrap();
        let kinds: Vec<&str> = plan.steps().iter().map(|s| s.kind).collect();
        assert_eq!(kinds, ["tile", "dot"]);
    }
}

#[test]
fn joined_updates_do_not_overwrite_what_they_read() {
    for axis in [0, 1] {
        let mut b = Builder::new("joined", F);
        let joined = halves(axis, &mut b, "w");
        b.output(OutputKind::Update, "w", joined);
        check_all(&b.finish(), "w := joined halves of w");
    }
    // A part that is a result of its own, one that is there twice, and one that a product asked for before.
    let mut b = Builder::new("parts", F);
    let (x, y) = (weight(&mut b, "x", &[5, 3]), weight(&mut b, "y", &[5, 3]));
    let parts = [Unary::Tanh, Unary::Sine, Unary::Cosine].map(|u| b.unary(u, x));
    let dims = DotDims { left_contract: vec![1], right_contract: vec![1], ..DotDims::default() };
    let early = b.dot(parts[2], y, dims);
    let all = [b.concatenate(&parts[..2], 1), b.concatenate(&[parts[0], parts[0]], 0)];
    let late = b.concatenate(&[parts[1], parts[2]], 1);
    b.output(OutputKind::Prediction, "part", parts[0]);
    for (name, node) in ["a", "b", "c", "d"].into_iter().zip([all[0], all[1], early, late]) {
        b.output(OutputKind::Prediction, name, node);
    }
    check_all(&b.finish(), "parts of several results");
}

#[test]
fn the_listing_parses_back() {
    let graph = large();
    let layout = Layout::new(&[&graph]).unwrap();
    for options in all_options() {
        let plan = plan(&graph, &layout, 7, &options).unwrap();
        let text = plan.text();
        assert_eq!(nnc_graph::text::parse(&text).as_ref(), Ok(&graph), "{text}");
        assert!(text.contains("# batch 7"));
        let flops = 2 * (2 * 7 * 300 * 500) + 2 * 8 * 60 * 50 * 60;
        assert_eq!(plan.flops(), flops as u64);
    }
}

#[test]
fn memory_is_reused() {
    let mut b = Builder::new("chain", F);
    let mut x = b.parameter(Role::Input, "x", Type::new(F, vec![Dim::Batch, 64.into()]));
    for _ in 0..20 {
        x = b.transpose(x, vec![1, 0]);
        x = b.reduce(Reduction::Add, x, vec![0]);
        x = b.broadcast(x, vec![0], vec![Dim::Batch, 64.into()]);
        x = b.unary(Unary::Tanh, x);
    }
    b.output(OutputKind::Prediction, "y", x);
    let graph = b.finish();
    let layout = Layout::new(&[&graph]).unwrap();
    let plan = plan(&graph, &layout, 64, &PlanOptions::default()).unwrap();
    let one = 64 * 64 * 8;
    assert!(plan.memory().arena_bytes < 4 * one, "{:?}", plan.memory());
    assert_eq!(plan.memory().input_bytes, one);
}

#[test]
fn inputs_stay_and_snapshots_are_apart() {
    let mut b = Builder::new("decay", F);
    let x = b.parameter(Role::Input, "x", Type::new(F, vec![Dim::Batch]));
    let w = weight(&mut b, "w", &[]);
    let sum = b.reduce(Reduction::Add, x, vec![0]);
    let next = b.binary(Binary::Add, w, sum);
    b.output(OutputKind::Update, "w", next);
    let graph = b.finish();
    let layout = Layout::new(&[&graph]).unwrap();
    let plan = plan(&graph, &layout, 3, &PlanOptions::default()).unwrap();
    let mut store = Store::<f64>::new(&layout);
    let mut executor = Executor::<f64>::new(plan, Pool::new(1)).unwrap();
    executor.input_mut(Role::Input, "x").unwrap().copy_from_slice(&[1.0, 2.0, 3.0]);
    executor.run(&mut store, 0, 1);
    let snapshot = store.clone();
    executor.run(&mut store, 0, 2);
    assert_eq!(store.get(Role::Weight, "w"), Some(&[12.0][..]));
    assert_eq!(snapshot.get(Role::Weight, "w"), Some(&[6.0][..]));
    store.copy_from(&snapshot);
    assert_eq!(store.get(Role::Weight, "w"), Some(&[6.0][..]));
    assert_eq!(store.iter().count(), 1);
}

#[test]
fn empty_batches() {
    let mut b = Builder::new("empty", F);
    let x = b.parameter(Role::Input, "x", Type::new(F, vec![Dim::Batch, 3.into()]));
    let w = weight(&mut b, "w", &[3, 2]);
    let dims = DotDims { left_contract: vec![1], right_contract: vec![0], ..DotDims::default() };
    let y = b.dot(x, w, dims);
    let y = b.unary(Unary::Tanh, y);
    let t = b.transpose(y, vec![1, 0]);
    let s = b.reduce(Reduction::Add, t, vec![1]);
    let m = b.reduce(Reduction::Maximum, y, vec![0, 1]);
    b.output(OutputKind::Prediction, "y", y);
    b.output(OutputKind::Prediction, "t", t);
    b.output(OutputKind::Prediction, "s", s);
    b.output(OutputKind::Prediction, "m", m);
    let graph = b.finish();
    let b = bindings(&graph, 0, &mut Numbers(3), 2);
    for options in all_options() {
        check::<f64>(&graph, &b, &options, 1e-12, "empty");
    }
}
