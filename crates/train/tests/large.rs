//! Data larger than memory: read by a thread of its own, to the same bits.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{ok, quiet, spec};
use nnc_graph::DType;
use nnc_train::{LoadOptions, Loaded, Metrics, Quiet, TrainOptions, load, train};
use std::path::Path;

const NET: &str = "split valid=10%\ndense 8 relu\ndense 1\nloss mse\noptimizer adam\nepochs 3\nbatch 48\n";

fn table(folder: &Path) -> String {
    let mut text = String::from("a,b,kind,w,y\n");
    for i in 0..30_000u32 {
        let (a, b) = (i.wrapping_mul(2_654_435_761) >> 12 & 1023, i.wrapping_mul(40_503) & 511);
        text.push_str(&format!("{a},{b},k{},{},{}\n", i % 5, 1 + i % 2, a * 3 + b));
    }
    let path = folder.join("t.csv");
    std::fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

fn opened(path: &str, memory_limit: Option<u64>) -> Loaded {
    let text = format!("data \"{path}\" {{ target y standardize; weight w; input rest standardize }}\n{NET}");
    ok(load(spec(&text), &LoadOptions { memory_limit, ..LoadOptions::default() }))
}

fn trained(loaded: &Loaded, options: &TrainOptions) -> (Metrics, Option<Metrics>) {
    let model = ok(loaded.model(DType::F32));
    let report = ok(train(loaded, &model, options, &mut Quiet));
    (report.figures, report.valid)
}

#[test]
fn rows_on_disk_train_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let path = table(folder.path());
    let (small, large) = (opened(&path, Some(600_000)), opened(&path, None));
    assert!(small.data.train.is_on_disk() && !large.data.train.is_on_disk());
    // In the order of the file, where the rows are decides nothing.
    let ordered = TrainOptions { shuffle: false, ..quiet() };
    assert_eq!(trained(&small, &ordered), trained(&large, &ordered));
    // Shuffled, the number of threads does not either.
    let one = trained(&small, &quiet());
    assert_eq!(one, trained(&small, &TrainOptions { threads: 3, ..quiet() }));
    assert!(one.0.loss < 0.1, "{one:?}");
    assert_ne!(one, trained(&small, &ordered));
}

#[test]
fn a_number_of_steps_ends_within_an_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let path = table(folder.path());
    let text = format!("data \"{path}\"\ndense 1\nloss mse\nsteps 10\n");
    let limit = LoadOptions { memory_limit: Some(600_000), ..LoadOptions::default() };
    let loaded = ok(load(spec(&text), &limit));
    let model = ok(loaded.model(DType::F32));
    assert_eq!(ok(train(&loaded, &model, &quiet(), &mut Quiet)).steps, 10);
}
