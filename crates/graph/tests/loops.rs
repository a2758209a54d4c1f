//! Loops compute what their unrolled form computes: values, gradients, and gradients of gradients.
//!
//! Bodies are generated; the unrolled graph is differentiated by itself, so that the rule of loops is not asked.

mod common;
#[path = "common/loops.rs"]
mod generated;

use generated::{program, with_gradients};
use nnc_graph::eval::{Array, evaluate_output};
use nnc_graph::{DType, Graph, Prim, passes, text, verify};

fn has_loop(graph: &Graph) -> bool {
    graph.ids().any(|id| matches!(graph.node(id).prim, Prim::Scan(_)))
}

fn near(a: &Array, b: &Array, what: &str) {
    assert_eq!(a.dims, b.dims, "{what}");
    for (x, y) in a.data.iter().zip(&b.data) {
        let scale = 1.0 + x.abs().max(y.abs());
        assert!((x - y).abs() < 1e-9 * scale, "{what}: {x} and {y}");
    }
}

fn compare(graph: &Graph, twice: bool, what: &str) {
    let flat = passes::sweep(&passes::unroll(graph));
    assert!(!has_loop(&flat), "{what}");
    let (raw, flat) = (with_gradients(graph, twice), with_gradients(&flat, twice));
    let looped = passes::standard(&raw);
    assert_eq!(verify(&raw), Ok(()), "{what}");
    assert_eq!(verify(&looped), Ok(()), "{what}");
    assert_eq!(passes::standard(&looped), looped, "{what}: twice is not once");
    assert_eq!(text::parse(&text::print(&looped)).as_ref(), Ok(&looped), "{what}");
    let bindings = common::bind(&graph.clone(), 11, (-1.0, 1.0), 3);
    let again = passes::sweep(&passes::unroll(&looped));
    for output in flat.outputs() {
        let (kind, name) = (output.kind, &output.name);
        let value = |g: &Graph| evaluate_output(g, &bindings, kind, name).expect("all is bound");
        near(&value(&looped), &value(&flat), &format!("{what}: {} {name}", kind.name()));
        near(&value(&again), &value(&flat), &format!("{what}, unrolled: {} {name}", kind.name()));
    }
}

#[test]
fn loops_equal_their_unrolled_form() {
    let mut loops = 0;
    for seed in 0..300 {
        let graph = program(seed, usize::from(seed % 4 == 3), DType::F64);
        loops += usize::from(has_loop(&graph));
        compare(&graph, false, &format!("program {seed}"));
    }
    assert!(loops > 150, "only {loops} programs kept a loop");
}

#[test]
fn gradients_of_gradients_equal_their_unrolled_form() {
    for seed in 300..360 {
        let graph = program(seed, 0, DType::F64);
        compare(&graph, true, &format!("program {seed}"));
    }
}
