//! What the classes of a target count in a loss: numbers of one's own, and those by which all classes count alike.
#![allow(clippy::unwrap_used)]

mod common;

use common::{classes, numbers, ports, render, spec_of};
use nnc_graph::eval::{Array, Bindings, evaluate};
use nnc_graph::{DType, OutputKind, Role};
use nnc_model::data::{Balanced, Counts};
use nnc_model::{Model, Options, Port, Ports};

fn model(loss: &str, x: &[usize], target: Port, counts: Vec<Option<Counts>>) -> Result<Model, String> {
    let ports = Ports { counts, ..ports(numbers("x", x), target) };
    let spec = spec_of(&format!("reshape(it, shape(it))\nloss = {loss}\noptimizer sgd\n"))?;
    spec.elaborate(&ports, &Options { float: DType::F64 }).map_err(|d| render(&d, &spec.sources))
}

/// The loss of every sample.
fn losses(model: &Model, x: &Array, y: &Array) -> Vec<f64> {
    let bindings = Bindings { batch: x.dims[0], ..Bindings::default() }
        .with(Role::Input, "x", x.clone())
        .with(Role::Target, "y", y.clone());
    let values = evaluate(&model.eval, &bindings).unwrap();
    values[model.eval.output(OutputKind::Loss, "loss").unwrap().index()].data.clone()
}

fn counts(each: &[f64], of: f64) -> Vec<Option<Counts>> {
    vec![Some(Counts { each: each.to_vec(), of, names: Vec::new() })]
}

fn near(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-12 * b.abs().max(1.0))
}

/// Losses over three classes, of which one sample each is given; 6, 3 and 1 of 10 rows are trained on.
#[test]
fn every_loss_of_classes_takes_weights_and_the_balanced_ones_are_n_by_k_times_count() {
    let probable = Array::new(&[3, 3], vec![0.7, 0.2, 0.1, 0.3, 0.4, 0.3, 0.25, 0.25, 0.5]);
    let answers = Array::new(&[3, 2], vec![0.4, -0.3, 1.2, 0.1, -0.6, -0.9]);
    let class = || classes("y", &[], 3);
    let of_classes = Array::new(&[3], vec![0.0, 1.0, 2.0]);
    let shares = Array::new(&[3, 3], vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    let balanced = [10.0 / 18.0, 10.0 / 9.0, 10.0 / 3.0];
    for (name, x, target, y) in [
        ("crossentropy", &probable, class(), &of_classes),
        ("crossentropy", &probable, numbers("y", &[3]), &shares),
        ("crossentropy_logits", &probable, class(), &of_classes),
        ("focal", &probable, class(), &of_classes),
        ("categorical_hinge", &probable, numbers("y", &[3]), &shares),
        ("ordinal", &answers, class(), &of_classes),
    ] {
        let of = |more: &str, counts: Vec<Option<Counts>>| {
            let m = model(&format!("{name}(output, target{more})"), &x.dims[1..], target.clone(), counts);
            let m = m.unwrap_or_else(|e| panic!("{name}{more}: {e}"));
            losses(&m, x, y)
        };
        let plain = of("", Vec::new());
        let times = |by: &[f64]| plain.iter().zip(by).map(|(l, w)| l * w).collect::<Vec<_>>();
        let own = of(", class_weights=[1, 2.5, 0.5]", Vec::new());
        assert!(near(&own, &times(&[1.0, 2.5, 0.5])), "{name}: {own:?} of {plain:?}");
        let even = of(", class_weights=balanced", counts(&[6.0, 3.0, 1.0], 10.0));
        assert!(near(&even, &times(&balanced)), "{name}: {even:?} of {plain:?}");
    }
}

/// Two questions of four samples; of 10 rows one says yes to the first and 5 to the second.
#[test]
fn every_loss_of_yes_and_no_takes_weights_of_each_question() {
    let p = Array::new(&[4, 2], vec![0.7, 0.2, 0.4, 0.9, 0.1, 0.6, 0.5, 0.3]);
    let y = Array::new(&[4, 2], vec![1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
    let sides = y.map(|v| 2.0 * v - 1.0);
    let (no, yes) = ([10.0 / 18.0, 1.0], [5.0, 1.0]);
    for (name, y) in [
        ("binary_crossentropy", &y),
        ("binary_focal", &y),
        ("hinge", &y),
        ("hinge", &sides),
        ("squared_hinge", &sides),
    ] {
        // The loss of one number alone, of which a sample's is the mean.
        let one = |i: usize| {
            let m = model(&format!("{name}(output, target)"), &[1], numbers("y", &[1]), Vec::new()).unwrap();
            let at = |a: &Array| Array::new(&[1, 1], vec![a.data[i]]);
            losses(&m, &at(&p), &at(y))[0]
        };
        let wanted = |no: [f64; 2], yes: [f64; 2]| -> Vec<f64> {
            let weight = |i: usize| if y.data[i] > 0.0 { yes[i % 2] } else { no[i % 2] };
            (0..4).map(|r| (0..2).map(|c| one(2 * r + c) * weight(2 * r + c)).sum::<f64>() / 2.0).collect()
        };
        let of = |more: &str, counts: Vec<Option<Counts>>| {
            let m = model(&format!("{name}(output, target{more})"), &[2], numbers("y", &[2]), counts);
            losses(&m.unwrap_or_else(|e| panic!("{name}: {e}")), &p, y)
        };
        let own = of(", class_weights=[0.5, 3]", Vec::new());
        assert!(near(&own, &wanted([0.5; 2], [3.0; 2])), "{name}: {own:?}");
        let even = of(", class_weights=balanced", counts(&[1.0, 5.0], 10.0));
        assert!(near(&even, &wanted(no, yes)), "{name}: {even:?}");
    }
}

#[test]
fn a_column_of_two_classes_is_balanced_as_yes_and_no() {
    let (p, y) = (Array::new(&[2, 1], vec![0.3, 0.8]), Array::new(&[2], vec![0.0, 1.0]));
    let loss = |more: &str| format!("binary_crossentropy(output, target{more})");
    let even =
        model(&loss(", class_weights=balanced"), &[1], classes("y", &[], 2), counts(&[8.0, 2.0], 10.0));
    let even = even.unwrap();
    let plain = model(&loss(""), &[1], classes("y", &[], 2), Vec::new()).unwrap();
    let plain = losses(&plain, &p, &y);
    assert!(near(&losses(&even, &p, &y), &[plain[0] * 10.0 / 16.0, plain[1] * 2.5]));
    let told = Balanced { target: "y".into(), weights: vec![("c0".into(), 0.625), ("c1".into(), 2.5)] };
    assert_eq!(even.balanced, [told]);
}

#[test]
fn a_class_that_never_comes_counts_nothing_and_no_class() {
    let x = Array::new(&[1, 3], vec![0.5, 0.3, 0.2]);
    let even = model(
        "crossentropy(output, target, class_weights=balanced)",
        &[3],
        classes("y", &[], 3),
        counts(&[3.0, 0.0, 1.0], 4.0),
    );
    let even = even.unwrap();
    let weights: Vec<f64> = even.balanced[0].weights.iter().map(|(_, w)| *w).collect();
    assert_eq!(weights, [4.0 / 6.0, 0.0, 2.0]);
    assert_eq!(losses(&even, &x, &Array::new(&[1], vec![1.0])), [0.0]);
}

#[test]
fn weights_that_do_not_fit_are_told() {
    let of = |loss: &str, target: Port, counts: Vec<Option<Counts>>| {
        let width = if loss.starts_with("binary") { 1 } else { 3 };
        model(loss, &[width], target, counts).map(|_| ()).unwrap_err()
    };
    let class = || classes("y", &[], 3);
    let said = of("crossentropy(output, target, class_weights=[1, 2])", class(), Vec::new());
    assert!(said.contains("`class_weights` has 2 numbers, and there are 3 classes"), "{said}");
    let said = of("binary_crossentropy(output, target, class_weights=[5])", numbers("y", &[1]), Vec::new());
    assert!(said.contains("has 1 number; for yes or no it takes two"), "{said}");
    let said = of("crossentropy(output, target, class_weights=[1, -2, 1])", class(), Vec::new());
    assert!(said.contains("`class_weights` are numbers from 0, and one of them is the number -2"), "{said}");
    // A target that is made in the program, and one whose numbers are no shares.
    let said = of("crossentropy(output, argmax(output), class_weights=balanced)", class(), Vec::new());
    assert!(said.contains("`class_weights=balanced` counts the classes of a target"), "{said}");
    let said =
        of("binary_crossentropy(output, target, class_weights=balanced)", numbers("y", &[1]), vec![None]);
    assert!(said.contains("here there are none to count"), "{said}");
}
