//! What trains on one engine trains on the other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod common;

use common::{program, quiet, rows, to};
use nnc_graph::DType;
use nnc_train::{Engine, TrainOptions, open_model};

#[test]
fn xor_has_the_same_losses_by_reference() {
    let text = program("xor");
    let [cpu, reference] = [Engine::Cpu, Engine::Reference]
        .map(|engine| rows(&text, DType::F64, &TrainOptions { engine, ..quiet() }));
    assert_eq!(cpu.names, reference.names);
    assert_eq!(cpu.rows.len(), reference.rows.len());
    assert!(cpu.rows.len() >= 100, "{} epochs", cpu.rows.len());
    for (epoch, (a, b)) in cpu.rows.iter().zip(&reference.rows).enumerate() {
        for (x, y) in a.iter().zip(b) {
            assert!((x - y).abs() <= 1e-9 * y.abs().max(1e-3), "epoch {}: {a:?}, not {b:?}", epoch + 1);
        }
    }
}

/// Dropout, normalisation, a validation part, the best epoch: all that a state holds.
#[test]
fn a_model_of_the_reference_is_a_model() {
    let text = "\
data moons 60 noise=0.1
split valid=25%
dense 6 tanh
batchnorm
dropout 0.2
dense 1 sigmoid
loss binary_crossentropy
optimizer adam lr=0.02
metrics binary_accuracy auc
batch 16
epochs 6
save best=val_loss
";
    let [cpu, reference] = [Engine::Cpu, Engine::Reference].map(|engine| {
        let folder = tempfile::tempdir().unwrap();
        let rows = rows(text, DType::F64, &TrainOptions { engine, ..to(folder.path()) });
        let model = open_model(folder.path()).unwrap();
        (rows.rows, model.epoch)
    });
    assert_eq!(cpu.1, reference.1);
    for (a, b) in cpu.0.iter().flatten().zip(reference.0.iter().flatten()) {
        assert!((a - b).abs() < 1e-9, "{a}, not {b}");
    }
}
