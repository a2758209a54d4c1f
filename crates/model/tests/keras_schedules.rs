//! Every schedule against Keras, step by step.
#![allow(clippy::unwrap_used)]

mod common;

use common::golden::{folder, spelled};
use common::{numbers, render, spec_of};
use nnc_graph::eval::{Array, Bindings, evaluate};
use nnc_graph::{DType, OutputKind, Role};
use nnc_model::{Options, Ports};
use serde_json::Value;

/// Cases without a passing test, and why.
const ALLOWED: &[(&str, &str)] = &[
    ("cosine-warmup-floor", "on purpose: a warm-up begins at 0, not at another rate"),
    ("plateau", "by epoch: tested in `nnc-train`"),
    ("plateau-cooldown", "by epoch: tested in `nnc-train`"),
    ("plateau-delta", "by epoch: tested in `nnc-train`"),
];

fn check(case: &Value) -> Result<(), String> {
    let name = case["case"].as_str().unwrap();
    let text = spelled("schedules", name, case["nn"].as_str().unwrap());
    let lr = case["lr"].as_f64().unwrap();
    // The gradient is 1, so a step of plain descent is the learning rate.
    let spec =
        spec_of(&format!("weight w[1] = zeros\nsum(w * x)\nloss = output\noptimizer sgd lr={lr}\n{text}\n"))?;
    let ports = Ports {
        inputs: vec![numbers("x", &[1])],
        targets: Vec::new(),
        weighted: false,
        has_valid: false,
        samples: 1,
        ..Ports::default()
    };
    let options = Options { float: DType::F64 };
    let model = spec.elaborate(&ports, &options).map_err(|d| render(&d, &spec.sources))?;
    let update = model.step.output(OutputKind::Update, "w").unwrap();
    for (i, wanted) in case["values"].as_array().unwrap().iter().enumerate() {
        let wanted = wanted.as_f64().unwrap();
        let bindings = Bindings { batch: 1, step: i as u64 + 1, ..Bindings::default() }
            .with(Role::Input, "x", Array::new(&[1, 1], vec![1.0]))
            .with(Role::Weight, "w", Array::new(&[1], vec![0.0]));
        let found = -evaluate(&model.step, &bindings)?[update.index()].data[0];
        let near = (found - wanted).abs() <= 1e-9 * lr;
        if !near {
            return Err(format!("at step {i} the rate is {found}, not {wanted}"));
        }
    }
    Ok(())
}

#[test]
fn schedules_are_keras_schedules() {
    let text = std::fs::read_to_string(folder("schedules.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(cases.len() >= 21);
    let mut bad = Vec::new();
    for case in &cases {
        let name = case["case"].as_str().unwrap();
        if ALLOWED.iter().any(|(n, _)| *n == name) {
            continue;
        }
        if let Err(e) = check(case) {
            bad.push(format!("{name}: {e}"));
        }
    }
    assert!(bad.is_empty(), "{} of {} differ:\n{}", bad.len(), cases.len(), bad.join("\n"));
}

/// The rates of a schedule in the first steps of a training of 100 steps.
fn rates(text: &str, steps: u64) -> Vec<f64> {
    let program =
        format!("weight w[1] = zeros\nsum(w * x)\nloss = output\noptimizer sgd lr=1.0\nsteps 100\n{text}\n");
    let spec = spec_of(&program).unwrap();
    let ports = Ports { inputs: vec![numbers("x", &[1])], samples: 1, ..Ports::default() };
    let model = spec.elaborate(&ports, &Options { float: DType::F64 }).unwrap();
    let update = model.step.output(OutputKind::Update, "w").unwrap();
    (1..=steps)
        .map(|step| {
            let bindings = Bindings { batch: 1, step, ..Bindings::default() }
                .with(Role::Input, "x", Array::new(&[1, 1], vec![1.0]))
                .with(Role::Weight, "w", Array::new(&[1], vec![0.0]));
            -evaluate(&model.step, &bindings).unwrap()[update.index()].data[0]
        })
        .collect()
}

#[test]
fn every_schedule_may_begin_with_a_warm_up() {
    // Without and with; `steps` of a cosine counts the warm-up in.
    let cases = [
        ("cosine steps=40", "cosine steps=44 warmup=4"),
        ("cosine_restarts steps=40", "cosine_restarts steps=40 warmup=4"),
        ("exponential steps=40", "exponential steps=40 warmup=4"),
        ("inverse_time steps=40", "inverse_time steps=40 warmup=4"),
        ("polynomial steps=40", "polynomial steps=40 warmup=4"),
        ("one_cycle steps=40", "one_cycle steps=40 warmup=4"),
        ("piecewise at=[9] to=[0.5]", "piecewise at=[9] to=[0.5] warmup=4"),
    ];
    for (plain, warm) in cases {
        let (a, b) = (rates(&format!("schedule {plain}"), 20), rates(&format!("schedule {warm}"), 24));
        for (i, rate) in b[..4].iter().enumerate() {
            assert!((rate - a[0] * i as f64 / 4.0).abs() < 1e-12, "{warm}: {b:?}");
        }
        for (a, b) in a.iter().zip(&b[4..]) {
            assert!((a - b).abs() < 1e-12, "{warm}: {a} {b}");
        }
    }
    assert_eq!(rates("schedule warmup 4", 6), [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]);
}

#[test]
fn a_schedule_takes_the_whole_training_if_not_told_otherwise() {
    let rates = rates("schedule cosine", 100);
    assert_eq!(rates[0], 1.0);
    assert!((rates[50] - 0.5).abs() < 1e-12 && rates[99] < 1e-3);
}
