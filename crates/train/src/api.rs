//! Stubs.
#![allow(missing_docs)]
use crate::*;
use nnc_data::{Dataset, Stats};
use nnc_graph::DType;
use nnc_model::{Model, Ports, Spec};
use nnc_syntax::Diagnostic;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    pub data: Option<String>,
    pub base: PathBuf,
    pub memory_limit: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct Loaded {
    pub spec: Spec,
    pub data: Dataset,
    pub ports: Ports,
    pub notes: Vec<Diagnostic>,
    pub options: LoadOptions,
}

fn stub<T>() -> Outcome<T> {
    Err(Problem::new(ProblemKind::Internal, Diagnostic::error("N0999", "not built yet")))
}

impl Loaded {
    pub fn model(&self, float: DType) -> Outcome<Model> {
        let _ = float;
        stub()
    }
    pub fn stats(&self) -> &Stats {
        &self.data.stats
    }
}

pub fn load(spec: Spec, options: &LoadOptions) -> Outcome<Loaded> {
    let _ = (spec, options);
    stub()
}

pub fn train(
    loaded: &Loaded,
    model: &Model,
    options: &TrainOptions,
    observer: &mut dyn Observer,
) -> Outcome<Report> {
    let _ = (loaded, model, options, observer);
    stub()
}

pub fn plan_step(loaded: &Loaded, model: &Model) -> Outcome<nnc_engine::Plan> {
    let _ = (loaded, model);
    stub()
}

pub fn resolve_model(path: &Path) -> Outcome<PathBuf> {
    let _ = path;
    stub()
}

#[derive(Clone, Debug)]
pub struct Trained {
    pub path: PathBuf,
    pub spec: Spec,
    pub stats: Stats,
    pub ports: Ports,
    pub model: Model,
    pub epoch: u64,
    pub step: u64,
}

pub fn open_model(path: &Path) -> Outcome<Trained> {
    let _ = path;
    stub()
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum On {
    Train,
    #[default]
    Valid,
    Test,
    All,
}

#[derive(Clone, Debug, Default)]
pub struct UseOptions {
    pub data: Option<String>,
    pub threads: usize,
    pub memory_limit: Option<u64>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Evaluation {
    pub on: String,
    pub rows: usize,
    pub figures: Figures,
}

pub fn evaluate(model: &Trained, on: Option<On>, options: &UseOptions) -> Outcome<Evaluation> {
    let _ = (model, on, options);
    stub()
}

pub fn predict(model: &Trained, options: &UseOptions) -> Outcome<Predictions> {
    let _ = (model, options);
    stub()
}

#[derive(Clone, Debug)]
pub struct GradientOptions {
    pub rows: usize,
    pub cap: usize,
}

#[derive(Clone, PartialEq, Debug)]
pub struct TensorCheck {
    pub name: String,
    pub shape: Vec<usize>,
    pub checked: usize,
    pub total: usize,
    pub max_relative: f64,
    pub max_absolute: f64,
}

#[derive(Clone, PartialEq, Debug)]
pub struct GradientReport {
    pub rows: usize,
    pub tensors: Vec<TensorCheck>,
    pub max_relative: f64,
}

pub fn check_gradients(loaded: &Loaded, options: &GradientOptions) -> Outcome<GradientReport> {
    let _ = (loaded, options);
    stub()
}

#[derive(Clone, Debug)]
pub struct BenchOptions {
    pub threads: usize,
    pub seconds: f64,
    pub memory_limit: Option<u64>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct BenchReport {
    pub batch: usize,
    pub threads: usize,
    pub steps: u64,
    pub seconds: f64,
    pub steps_per_second: f64,
    pub seconds_per_epoch: f64,
    pub gflops: f64,
    pub peak_bytes: u64,
}

pub fn bench(loaded: &Loaded, model: &Model, options: &BenchOptions) -> Outcome<BenchReport> {
    let _ = (loaded, model, options);
    stub()
}
