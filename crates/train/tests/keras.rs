//! Whole trainings against Keras: the loss of every epoch, from the same first weights, without shuffling.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod common;

use common::{quiet, rows};
use nnc_graph::DType;
use nnc_train::TrainOptions;
use std::path::PathBuf;

fn golden(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/keras").join(path)
}

/// The loss and the metric of every epoch.
fn trace(path: &str) -> Vec<[f64; 2]> {
    let text = std::fs::read_to_string(golden(path)).expect("a golden file");
    let row = |line: &str| {
        let mut cells = line.split(',').skip(1).map(|c| c.parse().expect("a number"));
        [cells.next().expect("a loss"), cells.next().expect("a metric")]
    };
    text.lines().skip(1).map(row).collect()
}

fn options(init: &str) -> TrainOptions {
    TrainOptions { init: Some(golden(init)), shuffle: false, ..quiet() }
}

fn compare(name: &str, text: &str, init: &str, float: DType, tolerance: f64) {
    let ours = rows(text, float, &options(init)).rows;
    let theirs = trace(name);
    assert_eq!(ours.len(), theirs.len(), "{name}");
    let mut worst = (0.0, 0);
    let mut metric = 0;
    for (i, (a, b)) in ours.iter().zip(&theirs).enumerate() {
        let d = (a[0] - b[0]).abs();
        assert!(d.is_finite(), "{name}: epoch {}", i + 1);
        if d > worst.0 {
            worst = (d, i + 1);
        }
        metric += usize::from((a[1] - b[1]).abs() > 1e-6);
    }
    assert!(worst.0 <= tolerance, "{name}: {:e} in epoch {}", worst.0, worst.1);
    // An output next to 0.5 may round to either side in single precision, for some epochs.
    let allowed = if float == DType::F64 { 0 } else { ours.len() / 50 };
    assert!(metric <= allowed, "{name}: the metric differs in {metric} epochs");
    eprintln!("{name}: at most {:e} (epoch {}), the metric differs in {metric} epochs", worst.0, worst.1);
}

fn xor(loss: &str, optimizer: &str, float: DType) {
    let rule = match optimizer {
        "sgd" => "sgd",
        "momentum" => "sgd momentum=0.9",
        other => other,
    };
    let text = common::XOR.replace("loss mse", &format!("loss {loss}"));
    let text = text.replace("optimizer adam", &format!("optimizer {rule}"));
    let (bits, tolerance) = if float == DType::F64 { ("f64", 1e-9) } else { ("f32", 2e-4) };
    let name = format!("xor/{loss}-{optimizer}-{bits}.csv");
    compare(&name, &text, "xor/init.safetensors", float, tolerance);
}

#[test]
fn mse_in_double_precision() {
    for o in ["sgd", "momentum", "adam"] {
        xor("mse", o, DType::F64);
    }
}

#[test]
fn mse_in_single_precision() {
    for o in ["sgd", "momentum", "adam"] {
        xor("mse", o, DType::F32);
    }
}

#[test]
fn binary_crossentropy_in_double_precision() {
    for o in ["sgd", "momentum", "adam"] {
        xor("binary_crossentropy", o, DType::F64);
    }
}

#[test]
fn binary_crossentropy_in_single_precision() {
    for o in ["sgd", "momentum", "adam"] {
        xor("binary_crossentropy", o, DType::F32);
    }
}

/// Three classes, ten rows in batches of four: the last batch is partial.
fn blobs(float: DType) {
    let data = golden("blobs/data.csv");
    let text = format!(
        "data \"{}\"\ndense 8 tanh\ndense 3 softmax\nloss crossentropy\noptimizer adam\n\
         metrics accuracy\nbatch 4\nepochs 100\n",
        data.display()
    );
    let (bits, tolerance) = if float == DType::F64 { ("f64", 1e-9) } else { ("f32", 2e-4) };
    let name = format!("blobs/crossentropy-adam-{bits}.csv");
    compare(&name, &text, "blobs/init.safetensors", float, tolerance);
}

#[test]
fn classes_with_a_partial_batch() {
    blobs(DType::F64);
    blobs(DType::F32);
}

/// Sequences of different lengths, a row for each step: padding and mask are ours, and Keras' in `sequences.py`.
#[test]
fn sequences_of_different_lengths() {
    let data = golden("sequences/data.csv");
    for (name, target, network) in [
        ("last", "who", "lstm 5\ndense 3 softmax"),
        ("tags", "tag sequence", "lstm 4 sequence\ndense 2 softmax"),
        ("pool", "who", "dense 4 tanh\nglobal_avgpool\ndense 3 softmax"),
    ] {
        let text = format!(
            "data \"{}\" window=all by=id {{ input x1 x2; target {target} }}\n{network}\nloss crossentropy\n\
             optimizer adam lr=0.01\nmetrics accuracy\nbatch 4\nepochs 30\n",
            data.display()
        );
        let (trace, init) = (format!("sequences/{name}-f64.csv"), format!("sequences/{name}.safetensors"));
        compare(&trace, &text, &init, DType::F64, 1e-9);
    }
}
