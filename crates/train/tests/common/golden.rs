//! Whole trainings against files that other libraries wrote: losses of every epoch, weights of the end.

use super::{rows, to};
use nnc_artifact::TensorFile;
use nnc_graph::DType;
use nnc_train::TrainOptions;
use std::path::{Path, PathBuf};

/// The golden files of a folder, `keras/stages`; at least so many.
pub fn files(folder: &str, least: usize) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= least, "{files:?}");
    files
}

/// The numbers of a tensor.
pub fn numbers(file: &TensorFile, name: &str) -> Vec<f64> {
    let values = &file.tensors.get(name).unwrap_or_else(|| panic!("no {name}")).values;
    (0..values.len()).map(|i| values.get(i).unwrap()).collect()
}

/// Trains the program of a golden file from its first weights, in double precision and without shuffling, with
/// `change` made to its text; the largest difference of a loss or weight, relative where numbers are large.
pub fn difference(path: &Path, change: impl Fn(&str) -> String) -> f64 {
    let file = TensorFile::read(path, u64::MAX).unwrap();
    let meta: serde_json::Value = serde_json::from_str(&file.metadata["golden"]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut init = TensorFile::default();
    for (key, tensor) in &file.tensors {
        if let Some(weight) = key.strip_prefix("init/") {
            init.tensors.insert(weight.into(), tensor.clone());
        }
    }
    let first = folder.path().join("first.safetensors");
    std::fs::write(&first, init.to_bytes()).unwrap();
    let out = folder.path().join("run");
    let options = TrainOptions { init: Some(first), shuffle: false, ..to(&out) };
    let ours = rows(&change(meta["nn"].as_str().unwrap()), DType::F64, &options).rows;
    let theirs = numbers(&file, "losses");
    assert_eq!(ours.len(), theirs.len(), "{}", path.display());
    let apart = |a: f64, b: f64| (a - b).abs() / b.abs().max(1.0);
    let mut worst = ours.iter().zip(&theirs).fold(0.0, |w: f64, (a, b)| w.max(apart(a[0], *b)));
    let model = TensorFile::read(&out.join("model.safetensors"), u64::MAX).unwrap();
    for key in init.tensors.keys() {
        let theirs = numbers(&file, &format!("final/{key}"));
        for (a, b) in numbers(&model, key).iter().zip(theirs) {
            worst = worst.max(apart(*a, b));
        }
    }
    worst
}
