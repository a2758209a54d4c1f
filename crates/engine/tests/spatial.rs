//! Convolutions and moving windows, with their gradients: the engine against the reference evaluator.
#![allow(clippy::type_complexity, clippy::unwrap_used, missing_docs)]

mod common;

use common::{Numbers, all_options, bindings, check, in_single, run};
use nnc_engine::{EngineError, Layout, PlanOptions, plan};
use nnc_graph::{
    Builder, ConvDims, DType, Dim, Graph, Movement, NodeId, OutputKind, Prim, Reduction, Role, Type,
    WindowDims,
};

const F: DType = DType::F64;

fn parameter(b: &mut Builder, role: Role, name: &str, shape: Vec<Dim>) -> NodeId {
    b.parameter(role, name, Type::new(F, shape))
}

fn sizes(values: &[usize]) -> Vec<Dim> {
    values.iter().map(|&n| Dim::Size(n)).collect()
}

/// A result with its gradients by all parameters, and the gradients' gradients.
fn with_gradients(mut b: Builder, y: NodeId, parameters: &[NodeId], again: bool) -> Graph {
    b.output(OutputKind::Prediction, "y", y);
    let ty = b.ty(y).clone();
    let seed = b.parameter(Role::Input, "seed", ty);
    let gradients = nnc_graph::gradient(&mut b, y, seed, parameters);
    for (i, &g) in gradients.iter().enumerate() {
        b.output(OutputKind::Gradient, format!("g{i}"), g);
        if again {
            // Of half the sum of the gradient's squares.
            for (j, &h) in nnc_graph::gradient(&mut b, g, g, parameters).iter().enumerate() {
                b.output(OutputKind::Gradient, format!("g{i}{j}"), h);
            }
        }
    }
    let graph = b.finish();
    nnc_graph::verify(&graph).unwrap();
    graph
}

fn check_all(graph: &Graph, batch: usize, seed: u64, what: &str) {
    let b = bindings(graph, batch, &mut Numbers(seed), 4);
    for options in all_options() {
        check::<f64>(graph, &b, &options, 1e-10, what);
    }
    check::<f32>(&in_single(graph), &b, &PlanOptions::default(), 2e-4, what);
    // Threads do not change a bit.
    let single = in_single(graph);
    let (one, _) = run::<f32>(&single, &b, &PlanOptions::default(), 1);
    let (three, _) = run::<f32>(&single, &b, &PlanOptions::default(), 3);
    for o in graph.outputs() {
        assert_eq!(one.output(o.kind, &o.name), three.output(o.kind, &o.name), "{what}: {}", o.name);
    }
}

/// A convolution by chance over `axes` axes of space; `None` where the window has no position.
fn by_chance(n: &mut Numbers, axes: usize) -> Option<(Graph, String)> {
    let mut b = Builder::new("convolution", F);
    let groups = [1, 1, 1, 2, 3][n.below(5)];
    let depthwise = n.below(5) == 0;
    let inner = if depthwise { 1 } else { [1, 2, 3, 5][n.below(4)] };
    let groups = if depthwise { [1, 3, 4, 7, 17, 33][n.below(6)] } else { groups };
    let outer = if depthwise { 1 + n.below(8) / 7 } else { [1, 2, 3, 7, 16, 17, 33, 48][n.below(8)] };
    let most = [9, 6, 4][axes - 1];
    let size: Vec<usize> = (0..axes).map(|_| 1 + n.below(most)).collect();
    let window: Vec<usize> = (0..axes).map(|_| 1 + n.below(3)).collect();
    let mut dims = ConvDims::plain(axes);
    dims.groups = groups;
    for i in 0..axes {
        dims.stride[i] = 1 + n.below(3);
        dims.rhs_dilation[i] = 1 + n.below(3) / 2;
        dims.lhs_dilation[i] = if n.below(3) == 0 { 2 } else { 1 };
        dims.low[i] = n.below(6) as i64 - 2;
        dims.high[i] = n.below(6) as i64 - 2;
        dims.positions(i, size[i], window[i])?;
    }
    let mut shape = vec![Dim::Batch];
    shape.extend(sizes(&size));
    shape.push(Dim::Size(groups * inner));
    let x = parameter(&mut b, Role::Input, "x", shape);
    let mut shape = sizes(&window);
    shape.extend(sizes(&[inner, groups * outer]));
    let k = parameter(&mut b, Role::Weight, "k", shape);
    let what = format!("{size:?} of {inner} by {window:?} to {outer}, {dims:?}");
    let y = b.convolution(x, k, dims);
    Some((with_gradients(b, y, &[x, k], false), what))
}

#[test]
fn convolutions() {
    for axes in 1..=3 {
        let (mut done, mut seed) = (0, 0);
        while done < 60 {
            seed += 1;
            let mut n = Numbers(seed * 10 + axes as u64);
            if let Some((graph, what)) = by_chance(&mut n, axes) {
                check_all(&graph, 1 + n.below(3), seed, &what);
                done += 1;
            }
        }
    }
}

#[test]
fn gradients_of_gradients_of_convolutions() {
    let mut b = Builder::new("convolution", F);
    let x = parameter(&mut b, Role::Input, "x", vec![Dim::Batch, 5.into(), 4.into(), 4.into()]);
    let k = parameter(&mut b, Role::Weight, "k", sizes(&[3, 2, 2, 6]));
    let dims =
        ConvDims { stride: vec![2, 1], low: vec![1, 0], high: vec![2, 1], groups: 2, ..ConvDims::plain(2) };
    let y = b.convolution(x, k, dims);
    check_all(&with_gradients(b, y, &[x, k], true), 3, 1, "twice");
}

/// Batch; height, width, channels; the kernel's sizes; stride; padding.
type Case = (usize, [usize; 3], [usize; 4], usize, i64);

/// Large enough for strips, chunks of samples, several panels and shared rows of the kernel.
#[test]
fn large_convolutions() {
    let cases: [Case; 5] = [
        (40, [12, 11, 9], [3, 3, 9, 40], 1, 0),
        (3, [33, 30, 8], [3, 3, 8, 70], 1, 1),
        (1, [50, 40, 12], [5, 5, 12, 33], 2, 2),
        (2, [20, 20, 64], [3, 3, 1, 64], 1, 1),
        (2, [6, 6, 150], [3, 3, 150, 40], 1, 1),
    ];
    for (batch, [h, w, c], [kh, kw, i, o], stride, pad) in cases {
        let mut b = Builder::new("convolution", DType::F32);
        let x = b.parameter(
            Role::Input,
            "x",
            Type::new(DType::F32, vec![Dim::Batch, h.into(), w.into(), c.into()]),
        );
        let k = b.parameter(Role::Weight, "k", Type::new(DType::F32, sizes(&[kh, kw, i, o])));
        let dims = ConvDims {
            stride: vec![stride; 2],
            low: vec![pad; 2],
            high: vec![pad; 2],
            groups: c / i,
            ..ConvDims::plain(2)
        };
        let y = b.convolution(x, k, dims);
        let graph = with_gradients(b, y, &[x, k], false);
        let values = bindings(&graph, batch, &mut Numbers(5), 4);
        let what = format!("{h}x{w}x{c} by {kh}x{kw} to {o}");
        check::<f32>(&graph, &values, &PlanOptions::default(), 1e-3, &what);
        let (one, _) = run::<f32>(&graph, &values, &PlanOptions::default(), 1);
        let (two, _) = run::<f32>(&graph, &values, &PlanOptions::default(), 2);
        for o in graph.outputs() {
            assert_eq!(one.output(o.kind, &o.name), two.output(o.kind, &o.name), "{what}: {}", o.name);
        }
    }
}

#[test]
fn windows() {
    for axes in 1..=3 {
        let (mut done, mut seed) = (0, 0);
        while done < 60 {
            seed += 1;
            let mut n = Numbers(seed * 10 + 5 + axes as u64);
            let largest = n.below(2) == 0;
            let most = [9, 6, 4][axes - 1];
            let size: Vec<usize> = (0..axes).map(|_| 1 + n.below(most)).collect();
            let mut window = WindowDims::new(
                (0..axes).map(|_| 1 + n.below(3)).collect(),
                (0..axes).map(|_| 1 + n.below(3)).collect(),
            );
            for i in 0..axes {
                if largest {
                    window.low[i] = n.below(window.size[i]) as i64;
                    window.high[i] = n.below(window.size[i]) as i64;
                } else {
                    window.low[i] = n.below(5) as i64 - 2;
                    window.high[i] = n.below(5) as i64 - 2;
                    window.dilation[i] = 1 + n.below(3) / 2;
                }
            }
            let mut shape = vec![Dim::Batch];
            shape.extend(sizes(&size));
            shape.push(Dim::Size([1, 3, 4, 17, 33][n.below(5)]));
            if window.result(&shape).is_none() {
                continue;
            }
            let mut b = Builder::new("window", F);
            let x = parameter(&mut b, Role::Input, "x", shape);
            let what = format!("{size:?} {window:?} largest: {largest}");
            let op = if largest { Reduction::Maximum } else { Reduction::Add };
            let y = b.reduce_window(op, x, window);
            check_all(&with_gradients(b, y, &[x], true), 1 + n.below(3), seed, &what);
            done += 1;
        }
    }
}

#[test]
fn a_nan_is_the_largest() {
    let mut b = Builder::new("window", F);
    let x = parameter(&mut b, Role::Input, "x", vec![Dim::Batch, 6.into(), 1.into()]);
    let y = b.reduce_window(Reduction::Maximum, x, WindowDims::new(vec![3], vec![3]));
    let graph = with_gradients(b, y, &[x], false);
    let mut values = bindings(&graph, 2, &mut Numbers(3), 4);
    let x = values.parameters.get_mut(&(Role::Input, "x".into())).unwrap();
    x.data[1] = f64::NAN;
    x.data[2] = f64::NAN;
    x.data[6] = f64::NEG_INFINITY;
    x.data[7] = f64::NEG_INFINITY;
    x.data[8] = f64::NEG_INFINITY;
    check::<f64>(&graph, &values, &PlanOptions::default(), 1e-12, "NaN");
}

#[test]
fn too_many_axes_are_refused() {
    let mut b = Builder::new("window", F);
    let x = parameter(&mut b, Role::Input, "x", [vec![Dim::Batch], sizes(&[2, 2, 2, 2, 1])].concat());
    let y = b.reduce_window(Reduction::Add, x, WindowDims::new(vec![2; 4], vec![1; 4]));
    b.output(OutputKind::Prediction, "y", y);
    let graph = b.finish();
    let layout = Layout::new(&[&graph]).unwrap();
    let refused = plan(&graph, &layout, 1, &PlanOptions::default());
    assert!(matches!(refused, Err(EngineError::Axes { axes: 4, .. })));
}

/// The input's gradient reads the kernel where it lies: turned round, its channels exchanged.
#[test]
fn a_turned_kernel_is_not_copied() {
    let mut b = Builder::new("convolution", F);
    let x = parameter(&mut b, Role::Input, "x", vec![Dim::Batch, 9.into(), 9.into(), 4.into()]);
    let k = parameter(&mut b, Role::Weight, "k", sizes(&[3, 3, 4, 8]));
    let y = b.convolution(x, k, ConvDims::plain(2));
    let graph = with_gradients(b, y, &[x, k], false);
    let layout = Layout::new(&[&graph]).unwrap();
    let plan = plan(&graph, &layout, 2, &PlanOptions::default()).unwrap();
    let kinds: Vec<&str> = plan.steps().iter().map(|s| s.kind).collect();
    assert_eq!(kinds.iter().filter(|k| **k == "copy").count(), 0, "{kinds:?}");
    assert!(graph.ids().any(|id| matches!(graph.node(id).prim, Prim::Movement(Movement::Reverse { .. }))));
}
