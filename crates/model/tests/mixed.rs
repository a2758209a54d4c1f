//! Samples mixed with others: the loss by both of their targets.
#![allow(clippy::unwrap_used)]

mod common;

use common::{classes, numbers, ports, render, spec_of};
use nnc_graph::eval::{Array, Bindings, evaluate};
use nnc_graph::{DType, Graph, OutputKind, Role};
use nnc_model::{Model, Options, Port, Ports};

fn model(program: &str, target: Port) -> Result<Model, String> {
    let ports = Ports { mixed: true, ..ports(numbers("x", &[3]), target) };
    let spec = spec_of(&format!("reshape(it, shape(it))\n{program}\noptimizer sgd\n"))?;
    spec.elaborate(&ports, &Options { float: DType::F64 }).map_err(|d| render(&d, &spec.sources))
}

/// The loss of two samples, by their own targets and by those of their partners.
fn losses(graph: &Graph, share: Option<[f64; 2]>, own: &Array, partner: &Array) -> Vec<f64> {
    let x = Array::new(&[2, 3], vec![0.7, 0.2, 0.1, 0.3, 0.3, 0.4]);
    let mut bindings = Bindings { batch: 2, ..Bindings::default() }.with(Role::Input, "x", x);
    bindings = bindings.with(Role::Target, "y", own.clone());
    if let Some(share) = share {
        bindings = bindings.with(Role::Target, "y.partner", partner.clone());
        bindings = bindings.with(Role::Target, "mixed.share", Array::new(&[2], share.to_vec()));
    }
    let values = evaluate(graph, &bindings).unwrap();
    values[graph.output(OutputKind::Loss, "loss").unwrap().index()].data.clone()
}

#[test]
fn a_mixed_sample_is_judged_by_both_targets() {
    let class = (classes("y", &[], 3), Array::new(&[2], vec![0.0, 1.0]), Array::new(&[2], vec![2.0, 0.0]));
    let number = (
        numbers("y", &[3]),
        Array::new(&[2, 3], vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
        Array::new(&[2, 3], vec![0.0, 0.0, 1.0, 1.0, 0.0, 0.0]),
    );
    for (program, (target, own, partner)) in [
        ("loss crossentropy", &class),
        ("loss = crossentropy(output, target)", &class),
        ("loss crossentropy class_weights=[1, 2, 3]", &class),
        ("loss = sum((output - y)^2) + mae(output, target)", &number),
    ] {
        let model = model(program, target.clone()).unwrap_or_else(|e| panic!("{e}"));
        let by = |target: &Array| losses(&model.eval, None, target, target);
        let (a, b) = (by(own), by(partner));
        for share in [[1.0, 1.0], [0.75, 0.5], [0.0, 0.9]] {
            let mixed = losses(&model.forward, Some(share), own, partner);
            for i in 0..2 {
                let expected = share[i] * a[i] + (1.0 - share[i]) * b[i];
                assert!((mixed[i] - expected).abs() < 1e-12, "{program}: {mixed:?}, {a:?}, {b:?}");
            }
        }
    }
    // Crossentropy by both is crossentropy by what is between them.
    let soft = model("loss crossentropy", numbers("y", &[3])).unwrap();
    let between = Array::new(&[2, 3], vec![0.75, 0.0, 0.25, 0.5, 0.5, 0.0]);
    let hard = model("loss crossentropy", class.0.clone()).unwrap();
    let (a, b) = (
        losses(&soft.eval, None, &between, &between),
        losses(&hard.forward, Some([0.75, 0.5]), &class.1, &class.2),
    );
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-9), "{a:?} {b:?}");
}

#[test]
fn a_target_that_was_used_before_the_loss_is_told() {
    let told =
        model("wanted = 2 * target\nloss = mean((output - wanted)^2)", numbers("y", &[3])).unwrap_err();
    assert!(told.contains("the loss uses a target under another name, so it cannot be mixed"), "{told}");
    let fine =
        model("fn error(a, b) = mean((a - 2 * b)^2)\nloss = error(output, target)", numbers("y", &[3]));
    assert!(fine.is_ok(), "{fine:?}");
}
