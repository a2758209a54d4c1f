//! Every primitive of the table, with its gradient: the engine against the reference evaluator. A new primitive joins
//! by its cases in `nnc_graph::cases`.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{Numbers, all_options, check, in_single};
use nnc_graph::cases::{Case, table};
use nnc_graph::eval::{Array, Bindings};
use nnc_graph::{Binary, Builder, DType, Graph, NodeId, OutputKind, Prim, Reduction, Role, gradient};

/// The value of a case, and what its inputs get of it.
fn build(case: &Case) -> Graph {
    let mut b = Builder::new("case", DType::F64);
    let inputs = case.inputs.iter().enumerate();
    let inputs: Vec<NodeId> =
        inputs.map(|(i, t)| b.parameter(Role::Input, format!("x{i}"), t.clone())).collect();
    let y = case.emit(&mut b, &inputs);
    b.output(OutputKind::Prediction, "y", y);
    let y = b.convert(y, DType::F64);
    let r = b.parameter(Role::Target, "r", b.ty(y).clone());
    let product = b.binary(Binary::Multiply, y, r);
    let axes = (0..b.ty(product).rank()).collect();
    let sum = b.reduce(Reduction::Add, product, axes);
    let one = b.constant(1.0);
    let floats: Vec<NodeId> = inputs.into_iter().filter(|&x| b.ty(x).dtype == DType::F64).collect();
    for (i, g) in gradient(&mut b, sum, one, &floats).into_iter().enumerate() {
        b.output(OutputKind::Prediction, format!("g{i}"), g);
    }
    b.finish()
}

/// Numbers for every parameter: what single precision holds, so that both precisions see the same ones.
fn bind(graph: &Graph, (low, high): (f64, f64), batch: usize) -> Bindings {
    let mut out = Bindings { batch, seed: 7, step: 3, ..Bindings::default() };
    let mut numbers = Numbers(11);
    for id in graph.ids() {
        let Some((role, name)) = graph.node(id).prim.parameter() else { continue };
        let ty = graph.ty(id);
        let value = Array::from_fn(&ty.dims_at(batch), |_| {
            let whole = numbers.below(4096);
            if ty.dtype == DType::I32 {
                return (whole % 4) as f64;
            }
            f64::from((low + (high - low) * whole as f64 / 4096.0) as f32)
        });
        out = out.with(role, name, value);
    }
    out
}

#[test]
fn every_primitive_computes_what_the_reference_says() {
    for case in table() {
        // Without the stand-ins of loops, which are dead.
        let graph = nnc_graph::passes::sweep(&build(&case));
        let simple = nnc_graph::passes::standard(&graph);
        // A region is named after its text, types included: loops of single precision have tests of their own.
        let loops = graph.ids().any(|id| matches!(graph.node(id).prim, Prim::Scan(_)));
        let single = (!loops).then(|| in_single(&graph));
        for batch in [1, 3] {
            let bound = bind(&graph, case.range, batch);
            for options in all_options() {
                let what = format!("{} for {batch}, {options:?}", case.name);
                check::<f64>(&graph, &bound, &options, 1e-11, &what);
                check::<f64>(&simple, &bound, &options, 1e-11, &what);
                if let Some(single) = &single {
                    check::<f32>(single, &bound, &options, 1e-4, &what);
                }
            }
        }
    }
}
