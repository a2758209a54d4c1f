//! How long a training step takes: XOR and an MLP of MNIST's shape, each with Adam.
//!
//! `cargo run --release -p nnc-engine --example step [xor|mlp|tabular] [threads] [profile|text]`
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use nnc_engine::{Executor, Layout, PlanOptions, Pool, Store, plan};
use nnc_graph::{
    Binary, Builder, DType, Dim, DotDims, Graph, NodeId, OutputKind, Reduction, Role, Type, Unary, gradient,
};
use std::time::{Duration, Instant};

const F: DType = DType::F32;

fn matmul() -> DotDims {
    DotDims { left_contract: vec![1], right_contract: vec![0], ..DotDims::default() }
}

/// `x · w + b`, and the weights.
fn dense(
    b: &mut Builder,
    x: NodeId,
    name: &str,
    from: usize,
    to: usize,
    weights: &mut Vec<(String, NodeId)>,
) -> NodeId {
    let w = b.parameter(Role::Weight, format!("{name}.w"), Type::new(F, vec![from.into(), to.into()]));
    let c = b.parameter(Role::Weight, format!("{name}.b"), Type::new(F, vec![to.into()]));
    weights.push((format!("{name}.w"), w));
    weights.push((format!("{name}.b"), c));
    let y = b.dot(x, w, matmul());
    let shape = b.ty(y).shape.clone();
    let c = b.broadcast(c, vec![1], shape);
    b.binary(Binary::Add, y, c)
}

fn relu(b: &mut Builder, x: NodeId) -> NodeId {
    let zero = b.scalar_like(0.0, x);
    b.binary(Binary::Maximum, x, zero)
}

/// The mean of a loss per sample as the objective, its gradients, and Adam.
fn train(mut b: Builder, loss: NodeId, weights: &[(String, NodeId)]) -> Graph {
    use Binary::{Add, Divide, Multiply, Power, Subtract};
    let sum = b.reduce(Reduction::Add, loss, vec![0]);
    let n = b.batch_size();
    let objective = b.binary(Divide, sum, n);
    b.output(OutputKind::Objective, "objective", objective);
    b.output(OutputKind::Loss, "loss", loss);
    let one = b.constant(1.0);
    let nodes: Vec<NodeId> = weights.iter().map(|w| w.1).collect();
    let gradients = gradient(&mut b, objective, one, &nodes);
    let step = b.parameter(Role::Step, "step", Type::scalar(F));
    for ((name, w), g) in weights.iter().zip(gradients) {
        let ty = b.ty(*w).clone();
        let m = b.parameter(Role::Slot, format!("{name}.m"), ty.clone());
        let v = b.parameter(Role::Slot, format!("{name}.v"), ty.clone());
        let blend = |b: &mut Builder, old: NodeId, new: NodeId, beta: f64| {
            let keep = b.scalar_like(beta, old);
            let take = b.scalar_like(1.0 - beta, old);
            let (x, y) = (b.binary(Multiply, old, keep), b.binary(Multiply, new, take));
            b.binary(Add, x, y)
        };
        let m1 = blend(&mut b, m, g, 0.9);
        let gg = b.binary(Multiply, g, g);
        let v1 = blend(&mut b, v, gg, 0.999);
        let corrected = |b: &mut Builder, x: NodeId, beta: f64| {
            let beta = b.constant(beta);
            let power = b.binary(Power, beta, step);
            let one = b.constant(1.0);
            let rest = b.binary(Subtract, one, power);
            let rest = b.broadcast(rest, vec![], ty.shape.clone());
            b.binary(Divide, x, rest)
        };
        let mh = corrected(&mut b, m1, 0.9);
        let vh = corrected(&mut b, v1, 0.999);
        let root = b.unary(Unary::Sqrt, vh);
        let eps = b.scalar_like(1e-8, root);
        let below = b.binary(Add, root, eps);
        let rate = b.scalar_like(1e-3, mh);
        let up = b.binary(Multiply, rate, mh);
        let change = b.binary(Divide, up, below);
        let w1 = b.binary(Subtract, *w, change);
        b.output(OutputKind::Update, name.clone(), w1);
        b.output(OutputKind::Update, format!("{name}.m"), m1);
        b.output(OutputKind::Update, format!("{name}.v"), v1);
    }
    nnc_graph::passes::standard(&b.finish())
}

fn squares(b: &mut Builder, y: NodeId) -> NodeId {
    let ty = b.ty(y).clone();
    let t = b.parameter(Role::Target, "t", ty.clone());
    let d = b.binary(Binary::Subtract, y, t);
    let s = b.binary(Binary::Multiply, d, d);
    b.reshape(s, vec![Dim::Batch])
}

fn xor() -> Graph {
    let mut b = Builder::new("train", F);
    let mut weights = Vec::new();
    let x = b.parameter(Role::Input, "x", Type::new(F, vec![Dim::Batch, 2.into()]));
    let h = dense(&mut b, x, "dense1", 2, 16, &mut weights);
    let h = relu(&mut b, h);
    let y = dense(&mut b, h, "dense2", 16, 1, &mut weights);
    let y = b.unary(Unary::Logistic, y);
    b.output(OutputKind::Prediction, "y", y);
    let loss = squares(&mut b, y);
    train(b, loss, &weights)
}

fn tabular() -> Graph {
    let mut b = Builder::new("train", F);
    let mut weights = Vec::new();
    let x = b.parameter(Role::Input, "x", Type::new(F, vec![Dim::Batch, 20.into()]));
    let h = dense(&mut b, x, "dense1", 20, 64, &mut weights);
    let h = relu(&mut b, h);
    let h = dense(&mut b, h, "dense2", 64, 64, &mut weights);
    let h = relu(&mut b, h);
    let y = dense(&mut b, h, "dense3", 64, 1, &mut weights);
    let loss = squares(&mut b, y);
    train(b, loss, &weights)
}

/// Cross-entropy against class numbers, as log-softmax times one-hot.
fn crossentropy(b: &mut Builder, z: NodeId, classes: usize) -> NodeId {
    let shape = b.ty(z).shape.clone();
    let t = b.parameter(Role::Target, "t", Type::new(DType::I32, vec![Dim::Batch]));
    let top = b.reduce(Reduction::Maximum, z, vec![1]);
    let top = b.stop_gradient(top);
    let top = b.broadcast(top, vec![0], shape.clone());
    let s = b.binary(Binary::Subtract, z, top);
    let e = b.unary(Unary::Exponential, s);
    let sum = b.reduce(Reduction::Add, e, vec![1]);
    let log = b.unary(Unary::Log, sum);
    let log = b.broadcast(log, vec![0], shape.clone());
    let p = b.binary(Binary::Subtract, s, log);
    let index = b.iota(0, Type::new(DType::I32, vec![classes.into()]));
    let index = b.broadcast(index, vec![1], shape.clone());
    let t = b.broadcast(t, vec![0], shape);
    let hot = b.compare(nnc_graph::Direction::Eq, index, t);
    let zero = b.scalar_like(0.0, p);
    let picked = b.select(hot, p, zero);
    let loss = b.reduce(Reduction::Add, picked, vec![1]);
    b.unary(Unary::Negate, loss)
}

fn mlp() -> Graph {
    let mut b = Builder::new("train", F);
    let mut weights = Vec::new();
    let x = b.parameter(Role::Input, "x", Type::new(F, vec![Dim::Batch, 784.into()]));
    let h = dense(&mut b, x, "dense1", 784, 512, &mut weights);
    let h = relu(&mut b, h);
    let h = dense(&mut b, h, "dense2", 512, 256, &mut weights);
    let h = relu(&mut b, h);
    let z = dense(&mut b, h, "dense3", 256, 10, &mut weights);
    let loss = crossentropy(&mut b, z, 10);
    train(b, loss, &weights)
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let which = args.first().map_or("all", String::as_str);
    let threads = args.get(1).and_then(|t| t.parse().ok()).unwrap_or(1);
    let extra = args.get(2).map_or("", String::as_str);
    if matches!(which, "xor" | "all") {
        measure("xor", &xor(), 4, threads, 200_000, extra);
    }
    if matches!(which, "tabular" | "all") {
        measure("tabular", &tabular(), 32, threads, 10_000, extra);
    }
    if matches!(which, "mlp" | "all") {
        measure("mlp", &mlp(), 128, threads, 300, extra);
    }
}

/// Nanoseconds that this thread has run: what other processes take is not in it.
fn cpu_time() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn measure(name: &str, graph: &Graph, batch: usize, threads: usize, steps: u64, extra: &str) {
    let layout = Layout::new(&[graph]).unwrap();
    let plan = plan(graph, &layout, batch, &PlanOptions::default()).unwrap();
    if extra == "text" {
        println!("{}", plan.text());
    }
    let mut store = Store::<f32>::new(&layout);
    let mut state = 1u64;
    let mut number = || {
        state = nnc_graph::random::mix(state);
        (state >> 40) as f32 / (1u32 << 24) as f32 - 0.5
    };
    let names: Vec<_> = layout.entries().iter().filter(|e| e.role == Role::Weight).cloned().collect();
    for e in names {
        let scale = 2.0 / (e.dims[0] as f32).sqrt();
        store.get_mut(e.role, &e.name).unwrap().iter_mut().for_each(|w| *w = number() * scale);
    }
    let mut executor = Executor::<f32>::new(plan, Pool::new(threads)).unwrap();
    let x = executor.input_mut(Role::Input, "x").unwrap();
    if name == "xor" {
        x.copy_from_slice(&[0., 0., 0., 1., 1., 0., 1., 1.]);
        executor.input_mut(Role::Target, "t").unwrap().copy_from_slice(&[0., 1., 1., 0.]);
    } else {
        x.iter_mut().for_each(|v| *v = number());
        let t = executor.input_mut(Role::Target, "t").unwrap();
        t.iter_mut().enumerate().for_each(|(i, t)| *t = (i % 10) as f32);
    }
    let mut best = Duration::MAX;
    let mut best_cpu = u64::MAX;
    let mut step = 0;
    for _ in 0..10 {
        let start = Instant::now();
        let start_cpu = cpu_time();
        for _ in 0..steps / 10 {
            step += 1;
            executor.run(&mut store, 1, step);
        }
        best = best.min(start.elapsed());
        best_cpu = best_cpu.min(cpu_time() - start_cpu);
    }
    let cpu = best_cpu as f64 / 1e9 / (steps / 10) as f64;
    let each = best.as_secs_f64() / (steps / 10) as f64;
    let loss = executor.output(OutputKind::Objective, "objective").unwrap()[0];
    let flops = executor.plan().flops() as f64;
    println!(
        "{name:8} batch {batch:4} threads {threads}: {:9.3} us/step ({:9.3} on the cpu) {:7.1} GFLOP/s  {:3} instructions  arena {} KiB  loss {loss:.5}",
        each * 1e6,
        cpu * 1e6,
        flops / each / 1e9,
        executor.plan().steps().len(),
        executor.plan().memory().arena_bytes / 1024,
    );
    if extra == "profile" {
        let mut times = vec![Duration::ZERO; executor.plan().steps().len()];
        for _ in 0..steps / 4 {
            step += 1;
            executor.run_timed(&mut store, 1, step, &mut times);
        }
        for (s, t) in executor.plan().steps().iter().zip(&times) {
            let us = t.as_secs_f64() * 1e6 / (steps / 4) as f64;
            println!("  {us:9.3} us {:8.1} GFLOP/s  {:7} {}", s.flops as f64 / us / 1e3, s.kind, s.detail);
        }
    }
}
