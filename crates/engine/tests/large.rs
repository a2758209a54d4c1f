//! Graphs of a hundred thousand nodes: the planner must not look at all of them for each of them.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Numbers, bindings, check};
use nnc_engine::PlanOptions;
use nnc_graph::{
    Binary, Builder, DType, Dim, DotDims, Graph, NodeId, OutputKind, Reduction, Role, Type, Unary, gradient,
    passes, verify,
};

const NODES: usize = 100_000;

fn ty(shape: &[Dim]) -> Type {
    Type::new(DType::F64, shape.to_vec())
}

/// A step of gradient descent for a loss.
fn descend(b: &mut Builder, loss: NodeId, weights: &[NodeId]) {
    let one = b.constant(1.0);
    let grads = gradient(b, loss, one, weights);
    for (i, (&w, g)) in weights.iter().zip(grads).enumerate() {
        let rate = b.scalar_like(0.01, w);
        let step = b.binary(Binary::Multiply, g, rate);
        let new = b.binary(Binary::Subtract, w, step);
        b.output(OutputKind::Update, format!("w{i}"), new);
    }
    b.output(OutputKind::Objective, "loss", loss);
}

fn total(b: &mut Builder, x: NodeId) -> NodeId {
    let square = b.binary(Binary::Multiply, x, x);
    b.reduce(Reduction::Add, square, vec![0, 1])
}

/// A residual network of products, so deep that it is large: all its values wait for backward.
fn deep() -> Graph {
    let mut b = Builder::new("deep", DType::F64);
    let mut h = b.parameter(Role::Input, "x", ty(&[Dim::Batch, 2.into()]));
    let mut weights = Vec::new();
    for i in 0..NODES / 13 {
        let w = b.parameter(Role::Weight, format!("w{i}"), ty(&[2.into(), 2.into()]));
        let dims = DotDims { left_contract: vec![1], right_contract: vec![0], ..DotDims::default() };
        let z = b.dot(h, w, dims);
        let t = b.unary(Unary::Tanh, z);
        let small = b.scalar_like(1e-3, t);
        let t = b.binary(Binary::Multiply, t, small);
        h = b.binary(Binary::Add, h, t);
        weights.push(w);
    }
    let loss = total(&mut b, h);
    descend(&mut b, loss, &weights);
    passes::standard(&b.finish())
}

/// Thousands of weights side by side, whose updates could all be one group.
fn wide() -> Graph {
    let mut b = Builder::new("wide", DType::F64);
    let x = b.parameter(Role::Input, "x", ty(&[Dim::Batch, 2.into()]));
    let mut weights = Vec::new();
    let mut sums = Vec::new();
    for i in 0..NODES / 12 {
        let w = b.parameter(Role::Weight, format!("w{i}"), ty(&[2.into()]));
        let wide = b.broadcast(w, vec![1], vec![Dim::Batch, 2.into()]);
        let y = b.binary(Binary::Multiply, x, wide);
        let y = b.unary(Unary::Sine, y);
        weights.push(w);
        sums.push(y);
    }
    // A tree: a chain of sums would be as deep as it is long.
    while sums.len() > 1 {
        sums = sums
            .chunks(2)
            .map(|c| if let [l, r] = c { b.binary(Binary::Add, *l, *r) } else { c[0] })
            .collect();
    }
    let loss = total(&mut b, sums[0]);
    descend(&mut b, loss, &weights);
    passes::standard(&b.finish())
}

#[test]
fn a_hundred_thousand_nodes_are_planned_and_run() {
    for graph in [deep(), wide()] {
        assert!(graph.len() > NODES * 9 / 10, "{}: {}", graph.name, graph.len());
        assert_eq!(verify(&graph), Ok(()));
        let bindings = bindings(&graph, 2, &mut Numbers(3), 2);
        check::<f64>(&graph, &bindings, &PlanOptions::default(), 1e-9, &graph.name);
    }
}
