//! Every elementwise primitive on its own: the engine against the reference evaluator. A new one joins by standing in
//! `Unary::ALL`, `Binary::ALL` or `Direction::ALL`.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{Numbers, all_options, check, in_single};
use nnc_graph::eval::{Array, Bindings};
use nnc_graph::{Binary, Builder, DType, Direction, Graph, NodeId, OutputKind, Role, Type, Unary};

/// Numbers at which functions differ from their neighbours: zeros, halves, powers, large and small ones.
fn numbers(count: usize, seed: u64) -> Vec<f64> {
    const EDGES: [f64; 14] = [0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1.0, -1.0, 3.0, 1e-4, -1e-4, 30.0, -30.0];
    let mut n = Numbers(seed);
    (0..count).map(|i| if i < 14 { EDGES[i] } else { n.value() }).collect()
}

/// Checks a function of two tensors, and of a tensor and a number that repeats.
fn holds(name: &str, build: &dyn Fn(&mut Builder, NodeId, NodeId) -> NodeId) {
    for (count, repeated) in [(1, false), (16, false), (37, false), (37, true), (1000, false)] {
        let mut b = Builder::new("one", DType::F64);
        let ty = Type::new(DType::F64, vec![count.into()]);
        let x = b.parameter(Role::Input, "x", ty.clone());
        let y = b.parameter(Role::Input, "y", if repeated { Type::scalar(DType::F64) } else { ty.clone() });
        let right = if repeated { b.broadcast(y, Vec::new(), ty.shape) } else { y };
        let z = build(&mut b, x, right);
        let z = b.convert(z, DType::F64);
        b.output(OutputKind::Prediction, "z", z);
        let graph: Graph = b.finish();
        nnc_graph::verify(&graph).unwrap();
        let array = |values: Vec<f64>| Array::new(&[values.len()], values);
        let (left, mut right) = (numbers(count, 3), numbers(count, 5));
        right.reverse();
        let right = if repeated { Array::filled(&[], 2.5) } else { array(right) };
        let bound = Bindings { batch: 1, ..Bindings::default() };
        let bound = bound.with(Role::Input, "x", array(left)).with(Role::Input, "y", right);
        for options in all_options() {
            let what = format!("{name} of {count}, {options:?}");
            check::<f64>(&graph, &bound, &options, 1e-12, &what);
            check::<f32>(&in_single(&graph), &bound, &options, 2e-5, &what);
        }
    }
}

#[test]
fn functions_of_one_number() {
    for op in Unary::ALL {
        holds(op.name(), &|b, x, y| {
            if op == Unary::Not {
                let above = b.compare(Direction::Gt, x, y);
                return b.unary(op, above);
            }
            b.unary(op, x)
        });
    }
}

#[test]
fn functions_of_two_numbers() {
    for op in Binary::ALL {
        holds(op.name(), &|b, x, y| {
            if matches!(op, Binary::And | Binary::Or) {
                let (above, below) = (b.compare(Direction::Gt, x, y), b.compare(Direction::Lt, y, x));
                return b.binary(op, above, below);
            }
            b.binary(op, x, y)
        });
    }
    for direction in Direction::ALL {
        holds(direction.name(), &|b, x, y| b.compare(direction, x, y));
    }
}

/// What the kernels have besides: powers as products, numbers and predicates of each other.
#[test]
fn powers_and_conversions() {
    for power in [2.0, 3.0, -1.0, 0.5] {
        holds(&format!("power {power}"), &|b, x, _| {
            let exponent = b.scalar_like(power, x);
            b.binary(Binary::Power, x, exponent)
        });
    }
    for dtype in [DType::I32, DType::Pred] {
        holds(&format!("to {dtype:?}"), &|b, x, _| b.convert(x, dtype));
    }
    holds("select", &|b, x, y| {
        let p = b.compare(Direction::Lt, x, y);
        b.select(p, x, y)
    });
}
