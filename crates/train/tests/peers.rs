//! What the repository's programs reach on real data, beside what PyTorch reaches (`docs/benchmarks.md`). Skipped where
//! the data is not there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod common;

use common::{ok, program, spec_with};
use nnc_graph::DType;
use nnc_model::Overrides;
use nnc_train::{LoadOptions, Quiet, Report, TrainOptions, load, train};
use std::path::PathBuf;

/// A file of the real data. Whole trainings take minutes with every assertion on, and are left to optimised code.
fn real(name: &str) -> Option<PathBuf> {
    if cfg!(debug_assertions) {
        eprintln!("skipped: cargo test --release -p nnc-train --test peers");
        return None;
    }
    common::real(name)
}

fn run(text: &str, overrides: &Overrides) -> Report {
    let loaded = ok(load(spec_with(text, overrides), &LoadOptions::default()));
    let model = ok(loaded.model(DType::F32));
    ok(train(&loaded, &model, &TrainOptions { write: false, ..TrainOptions::default() }, &mut Quiet))
}

/// The share of the last 2,000 of MNIST's 10,000 test pictures that a program names rightly; the others are learned
/// from.
fn digits(text: &str, overrides: &Overrides) -> Option<f64> {
    let folder = real("mnist10k/t10k-images-idx3-ubyte.gz")?.parent()?.display().to_string();
    let report = run(&text.replace("mnist/", &format!("{folder}/")), overrides);
    Some(report.test.expect("a test part").metrics[0].1)
}

const DENSE: &str = "\
data idx \"mnist/t10k-images-idx3-ubyte.gz\" -> \"mnist/t10k-labels-idx1-ubyte.gz\"
split test=20% ordered
flatten; dense 512 relu init=he; dense 256 relu init=he; dense 10 softmax
loss crossentropy; optimizer adam; metrics accuracy
batch 128
";

#[test]
fn dense_layers_reach_96_percent() {
    let keras = DENSE.replace(" init=he", "") + "epochs 8\n";
    if let Some(right) = digits(&keras, &Overrides::default()) {
        assert!(right >= 0.96, "{right}");
    }
}

/// 96% after five epochs in the mean of the seeds; PyTorch's mean over eight is 95.4%, its best 96.0%.
#[test]
fn dense_layers_are_level_with_pytorch() {
    let text = format!("{DENSE}epochs 5\n");
    let mut sum = 0.0;
    for seed in 0..3 {
        let Some(share) = digits(&text, &Overrides { seed: Some(seed), ..Overrides::default() }) else {
            return;
        };
        sum += share;
    }
    assert!(sum / 3.0 >= 0.957, "{}", sum / 3.0);
}

#[test]
fn convolutions_reach_97_percent_in_three_epochs() {
    if let Some(right) = digits(&program("mnist-cnn"), &Overrides::default()) {
        assert!(right >= 0.97, "{right}");
    }
}

/// The loss on held-out text after 200 steps.
fn text_loss(name: &str) -> Option<f64> {
    let path = real("text/tinyshakespeare.txt")?.display().to_string();
    let overrides = Overrides { steps: Some(200), ..Overrides::default() };
    let report = run(&program(name).replace("shakespeare.txt", &path), &overrides);
    Some(report.valid.expect("a validation part").loss)
}

/// PyTorch: 2.327 (`docs/peers/text.py lstm`).
#[test]
fn the_lstm_is_within_three_percent_of_pytorch() {
    if let Some(loss) = text_loss("charlstm") {
        assert!(loss <= 2.327 * 1.03, "{loss}");
    }
}

/// PyTorch: 2.498 (`docs/peers/text.py gpt`).
#[test]
fn the_gpt_is_within_three_percent_of_pytorch() {
    if let Some(loss) = text_loss("gpt") {
        assert!(loss <= 2.498 * 1.03, "{loss}");
    }
}
