//! Whole programs become graphs that verify.

mod common;

use common::{build, classes, numbers, ports, render};
use nnc_graph::{text, verify};

const XOR: &str = "dense 16 relu\ndense 1 sigmoid\nloss mse\noptimizer adam\nmetrics binary_accuracy\n";

#[test]
fn xor_becomes_graphs_that_verify_and_parse_back() {
    let model = build(XOR, &ports(numbers("input", &[2]), numbers("target", &[1])))
        .unwrap_or_else(|(d, s)| panic!("{}", render(&d, &s)));
    for graph in [&model.forward, &model.backward, &model.step, &model.eval, &model.init] {
        assert_eq!(verify(graph), Ok(()));
        let printed = text::print(graph);
        assert_eq!(&text::parse(&printed).unwrap(), graph, "{printed}");
    }
    let names: Vec<&str> = model.parameters.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(&names[..4], ["dense1.w", "dense1.b", "dense2.w", "dense2.b"]);
    assert_eq!(model.layers.iter().map(|r| r.weights).sum::<usize>(), 65);
}

#[test]
fn softmax_before_crossentropy_is_computed_from_the_logits() {
    let model = build(
        "dense 3 softmax; loss crossentropy; optimizer sgd lr=0.1 momentum=0.9; metrics accuracy",
        &ports(numbers("input", &[4]), classes("target", &[], 3)),
    )
    .unwrap_or_else(|(d, s)| panic!("{}", render(&d, &s)));
    let printed = text::print(&model.forward);
    assert!(printed.contains("log_softmax"), "{printed}");
}
