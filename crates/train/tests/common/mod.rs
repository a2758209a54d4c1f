//! What the tests share.
#![allow(dead_code, clippy::print_stderr, clippy::unwrap_used, clippy::expect_used)]

pub mod golden;

use nnc_graph::DType;
use nnc_model::{Overrides, Spec};
use nnc_train::{LoadOptions, Loaded, Observer, Outcome, Quiet, Report, TrainOptions, load, train};
use std::path::{Path, PathBuf};

/// The network of the XOR post.
pub const XOR: &str = "\
data {
  0 0 -> 0
  0 1 -> 1
  1 0 -> 1
  1 1 -> 0
}

dense 16 relu
dense 1 sigmoid

loss mse
optimizer adam
metrics binary_accuracy

epochs 500
";

pub fn spec_with(text: &str, overrides: &Overrides) -> Spec {
    match Spec::read("test.nn", text, overrides) {
        Ok(spec) => spec,
        Err((diagnostics, _)) => panic!("{diagnostics:#?}"),
    }
}

pub fn spec(text: &str) -> Spec {
    spec_with(text, &Overrides::default())
}

pub fn try_load(text: &str) -> Outcome<Loaded> {
    load(spec(text), &LoadOptions::default())
}

pub fn loaded(text: &str) -> Loaded {
    ok(try_load(text))
}

pub fn ok<T>(outcome: Outcome<T>) -> T {
    match outcome {
        Ok(value) => value,
        Err(problem) => panic!("{:?} {:#?}", problem.kind, problem.diagnostics),
    }
}

/// Options that write nothing and use one thread.
pub fn quiet() -> TrainOptions {
    TrainOptions { write: false, threads: 1, ..TrainOptions::default() }
}

/// Options that write to a folder.
pub fn to(folder: &Path) -> TrainOptions {
    TrainOptions { out: Some(folder.to_path_buf()), threads: 1, ..TrainOptions::default() }
}

pub fn run_with(text: &str, float: DType, options: &TrainOptions) -> Outcome<Report> {
    let loaded = try_load(text)?;
    let model = loaded.model(float)?;
    train(&loaded, &model, options, &mut Quiet)
}

pub fn run(text: &str, options: &TrainOptions) -> Report {
    ok(run_with(text, DType::F32, options))
}

/// Keeps the rows of the history.
#[derive(Default)]
pub struct Rows {
    pub names: Vec<String>,
    pub rows: Vec<Vec<f64>>,
}

impl Observer for Rows {
    fn epoch(&mut self, epoch: u64, names: &[String], figures: &[f64]) {
        assert_eq!(epoch as usize, self.rows.len() + 1);
        self.names = names.to_vec();
        self.rows.push(figures.to_vec());
    }
}

/// The figures of every epoch.
pub fn rows(text: &str, float: DType, options: &TrainOptions) -> Rows {
    let loaded = loaded(text);
    let model = ok(loaded.model(float));
    let mut rows = Rows::default();
    ok(train(&loaded, &model, options, &mut rows));
    rows
}

/// A file of the folder of real data.
pub fn real(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("NNC_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let path = folder.join(name);
    if !path.exists() {
        eprintln!("skipped: there is no {}", path.display());
        return None;
    }
    Some(path)
}

/// The text of a program of the repository.
pub fn program(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs").join(format!("{name}.nn"));
    std::fs::read_to_string(path).unwrap()
}
