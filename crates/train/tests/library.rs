//! What of the layer library lives in the trainer: metrics of all samples, rates that fall, averaged weights.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{ok, quiet, rows, run, to};
use nnc_artifact::TensorFile;
use nnc_graph::DType;
use nnc_train::{InferOptions, On, TrainOptions, evaluate, open_model, predict};

/// Ten rows in batches of four; the last one is partial.
const BLOBS: &str = "\
data blobs 46 classes=3 noise=1.5
split test=30%
dense 4 tanh
dense 3 softmax
loss crossentropy
optimizer adam lr=0.05
metrics accuracy precision recall f1 auc perplexity confusion
batch 8
epochs 5
";

#[test]
fn metrics_of_all_samples_do_not_depend_on_batches() {
    let folder = tempfile::tempdir().unwrap();
    let report = run(BLOBS, &to(folder.path()));
    let model = ok(open_model(folder.path()));
    // No table among the figures of an epoch.
    let names: Vec<&str> = report.figures.metrics.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(names, ["accuracy", "precision", "recall", "f1", "auc", "perplexity"]);
    let history = std::fs::read_to_string(folder.path().join("history.csv")).unwrap();
    assert_eq!(history.lines().next().unwrap(), "epoch,loss,accuracy,precision,recall,f1,auc,perplexity");

    let found = ok(evaluate(&model, Some(On::All), &InferOptions::default()));
    let said = ok(predict(&model, &InferOptions::default()));
    let classes = said.targets[0].classes.clone().unwrap();
    let at = |name: &Option<String>| classes.iter().position(|c| Some(c) == name.as_ref()).unwrap();
    let mut table = vec![0.0; 9];
    for row in &said.rows {
        table[at(&row.targets[0].class) * 3 + at(&row.outputs[0].class)] += 1.0;
    }
    let confusion = &found.figures.tables[0];
    assert_eq!((confusion.name.as_str(), &confusion.shape[..]), ("confusion", &[3, 3][..]));
    assert_eq!(confusion.classes.as_ref(), Some(&classes));
    assert_eq!(confusion.values, table);
    assert_eq!(table.iter().sum::<f64>(), 46.0);
    let metric = |name: &str| found.figures.metrics.iter().find(|(n, _)| n == name).unwrap().1;
    let precision: f64 = (0..3)
        .map(|c| {
            let taken: f64 = (0..3).map(|r| table[r * 3 + c]).sum();
            if taken > 0.0 { table[c * 4] / taken / 3.0 } else { 0.0 }
        })
        .sum();
    assert!((metric("precision") - precision).abs() < 1e-9, "{} {precision}", metric("precision"));
    assert!((metric("perplexity") - found.figures.loss.exp()).abs() < 1e-5);
    assert!(metric("auc") > 0.5 && metric("auc") <= 1.0);
}

#[test]
fn a_rate_falls_when_the_loss_stalls() {
    // A loss that never changes, so that only the decay moves the weight: by 1 - rate in every step.
    let text = |schedule: &str| {
        format!(
            "data {{\n  1 -> 0\n}}\ndense 1 bias=no init=ones\nloss = mean(0 * output)\n\
             optimizer sgd lr=0.1 decay=1.0\n{schedule}\nepochs 7\n"
        )
    };
    let weight = |schedule: &str| {
        let folder = tempfile::tempdir().unwrap();
        rows(&text(schedule), DType::F64, &TrainOptions { shuffle: false, ..to(folder.path()) });
        let file = TensorFile::read(&folder.path().join("model.safetensors"), u64::MAX).unwrap();
        file.tensors["dense1.w"].values.get(0).unwrap()
    };
    let product = |rates: &[f64]| rates.iter().map(|r| 1.0 - r).product::<f64>();
    assert!((weight("") - product(&[0.1; 7])).abs() < 1e-12);
    // The first epoch is the best so far; then two that are not better.
    let fallen = product(&[0.1, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025]);
    let found = weight("schedule plateau factor=0.5 patience=2 watch=loss");
    assert!((found - fallen).abs() < 1e-12, "{found} {fallen}");
}

#[test]
fn an_average_of_the_weights_is_what_is_kept() {
    let text = |ema: &str| {
        format!(
            "data {{\n  1 -> 3\n}}\ndense 1 bias=no init=zeros\nloss mse\noptimizer sgd lr=0.1 {ema}\nepochs 3\n"
        )
    };
    // w moves by 0.2 · (3 - w): 0.6, 1.08, 1.464.
    let folder = tempfile::tempdir().unwrap();
    let report = rows(&text("ema=0.5"), DType::F64, &to(folder.path()));
    let average = 0.5 * (0.5 * 0.6 + 0.5 * 1.08) + 0.5 * 1.464;
    let file = TensorFile::read(&folder.path().join("model.safetensors"), u64::MAX).unwrap();
    assert!((file.tensors["dense1.w"].values.get(0).unwrap() - average).abs() < 1e-12);
    // The history is that of the weights themselves.
    assert!((report.rows[2][0] - (3.0f64 - 1.08).powi(2)).abs() < 1e-12, "{:?}", report.rows);
    assert_eq!(report.rows, rows(&text(""), DType::F64, &quiet()).rows);
}
