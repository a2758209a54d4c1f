//! What losses and metrics are made for, and what a program gives them: told before any training.
#![allow(clippy::unwrap_used)]

mod common;

use common::{classes, numbers, ports, render};
use nnc_model::data::Domain;
use nnc_model::{Options, Overrides, Port, Ports, Spec};

/// The diagnostics of a program, mistakes or not.
fn said(text: &str, ports: &Ports) -> String {
    let spec = match Spec::read("test.nn", text, &Overrides::default()) {
        Ok(spec) => spec,
        Err((found, sources)) => return render(&found, &sources),
    };
    match spec.elaborate(ports, &Options::default()) {
        Ok(model) => render(&model.diagnostics, &spec.sources),
        Err(found) => render(&found, &spec.sources),
    }
}

/// A target of rows.
fn rows(rows: &[&[f64]]) -> (Port, Option<Domain>) {
    let width = rows[0].len();
    let domain = Domain::of(rows.iter().flat_map(|r| r.iter().copied()), width);
    (numbers("target", &[width]), domain)
}

fn with((target, domain): (Port, Option<Domain>)) -> Ports {
    let mut ports = ports(numbers("input", &[3]), target);
    ports.domains.extend(domain.map(|d| ("target".to_string(), d)));
    ports
}

const MANY: &[&[f64]] = &[&[1.0, 1.0, 0.0], &[0.0, 0.0, 0.0], &[0.0, 1.0, 0.0]];
const ONE_HOT: &[&[f64]] = &[&[1.0, 0.0, 0.0], &[0.0, 0.0, 1.0], &[0.0, 1.0, 0.0]];
const SHARES: &[&[f64]] = &[&[0.7, 0.2, 0.1], &[0.1, 0.1, 0.8], &[0.5, 0.5, 0.0]];
const ANY: &[&[f64]] = &[&[3.0, -2.5, 9.0], &[0.0, 1.0, 4.0]];

#[test]
fn targets_outside_of_what_a_function_takes_are_mistakes() {
    let yes_no = || with(rows(&[&[1.0], &[0.0]]));
    let number = || with(rows(&[&[9.5], &[2.0], &[7.25]]));
    let share = || with(rows(&[&[0.3], &[0.9]]));
    let sides = || with(rows(&[&[1.0], &[-1.0]]));
    for (body, ports, wrong) in [
        ("dense 1 sigmoid; loss binary_crossentropy", yes_no(), false),
        ("dense 1 sigmoid; loss binary_crossentropy", share(), false),
        ("dense 1 sigmoid; loss binary_crossentropy", number(), true),
        ("dense 1 sigmoid; loss binary_crossentropy", sides(), true),
        ("dense 1 sigmoid; loss = mean(input) + 3 * binary_crossentropy(output, target)", number(), true),
        ("fn mine(y, t) = 2 * binary_focal(y, t)\ndense 1 sigmoid; loss mine", number(), true),
        ("dense 1; loss mse; metrics auc", number(), true),
        ("dense 1; loss mse; metrics precision recall", share(), true),
        ("dense 1; loss mse; metrics a=(auc(output, target))", number(), true),
        ("dense 1; loss mse; metrics auc f1", yes_no(), false),
        ("dense 1; loss mse; metrics binary_accuracy", share(), true),
        ("dense 1 softplus; loss poisson", number(), false),
        ("dense 1 softplus; loss poisson", sides(), true),
        ("dense 1; loss hinge", sides(), false),
        ("dense 1; loss squared_hinge", yes_no(), false),
        ("dense 1; loss hinge", number(), true),
        ("dense 3 softmax; loss crossentropy", with(rows(ONE_HOT)), false),
        ("dense 3 softmax; loss crossentropy; metrics accuracy", with(rows(SHARES)), false),
        ("dense 3 softmax; loss crossentropy", with(rows(ANY)), true),
        ("dense 3 softmax; loss kl", with(rows(ANY)), true),
        ("dense 3; loss mse; metrics accuracy", with(rows(ANY)), true),
        ("dense 3; loss = mse(output, target) + crossentropy_logits(output, target)", with(rows(ANY)), true),
        ("dense 3; loss mse", with(rows(ANY)), false),
    ] {
        let text = format!("{body}; optimizer adam");
        let said = said(&text, &ports);
        assert_eq!(said.contains("Error[N0418]"), wrong, "{text}\n{said}");
        assert!(wrong || !said.contains("Error"), "{text}\n{said}");
    }
}

#[test]
fn the_data_decides_between_two_remedies() {
    let sigmoid = |target| said("dense 3 sigmoid; loss crossentropy; optimizer adam", &with(target));
    let many = sigmoid(rows(MANY));
    assert!(many.contains("N0408") && many.contains("loss binary_crossentropy"), "{many}");
    assert!(!many.contains("dense 3 softmax"), "{many}");
    for target in [rows(ONE_HOT), (classes("target", &[], 3), None)] {
        let one = sigmoid(target);
        assert!(one.contains("N0408") && one.contains("dense 3 softmax"), "{one}");
        assert!(!one.contains("binary_crossentropy"), "{one}");
    }
    let unknown = sigmoid((numbers("target", &[3]), None));
    assert!(unknown.contains("dense 3 softmax") && unknown.contains("loss binary_crossentropy"), "{unknown}");
    // What would follow the other remedy is told of too.
    let softmax = said("dense 3 softmax; loss crossentropy; optimizer adam", &with(rows(MANY)));
    assert!(softmax.contains("Warning[N0418]") && softmax.contains("dense 3 sigmoid"), "{softmax}");
    let bare = said("dense 3; loss crossentropy; optimizer adam", &with(rows(MANY)));
    assert!(bare.contains("loss binary_crossentropy") && !bare.contains("softmax"), "{bare}");
}

#[test]
fn outputs_are_looked_at_wherever_a_loss_is_called() {
    for (body, wrong) in [
        ("dense 3; loss = 2 * crossentropy(output, target)", "Error[N0408]"),
        ("dense 3 relu; loss = crossentropy(output, target) + 0.1 * l2(weights)", "Error[N0408]"),
        ("dense 3 log_softmax; loss crossentropy", "Error[N0408]"),
        ("dense 3 sigmoid; loss = crossentropy(output, target) * 2", "Warning[N0408]"),
        ("dense 1 sigmoid; loss = mean(output) + crossentropy(output, target)", "Error[N0414]"),
        (
            "dense 3 softmax; loss crossentropy; metrics b=(1 - binary_accuracy(output, target))",
            "Warning[N0414]",
        ),
        ("dense 1 softmax; loss = 2 * mse(output, mean(input))", "Error[N0402]"),
        // A mixture of shares is shares.
        ("a = dense 3 softmax\nb = input -> dense 3 softmax\n0.5 * a + 0.5 * b; loss crossentropy", ""),
    ] {
        let text = format!("{body}; optimizer adam");
        let said = said(&text, &with((classes("target", &[], 3), None)));
        match wrong {
            "" => assert!(!said.contains("N04"), "{text}\n{said}"),
            wrong => assert_eq!(said.matches(wrong).count(), 1, "{text}\n{said}"),
        }
    }
}
