//! 50 steps of whole models against Keras, from the same weights.

#![allow(clippy::unwrap_used)]

mod common;

use common::golden::all;
use common::keras::{REFERENCE, training};

#[test]
fn models_learn_as_keras_models_do() {
    let goldens = all("models");
    assert_eq!(goldens.len(), 6);
    let bad: Vec<String> = goldens
        .iter()
        .filter_map(|g| training(g, &REFERENCE, 1e-6).err().map(|e| format!("{}: {e}", g.name)))
        .collect();
    assert!(bad.is_empty(), "{} of {} differ:\n{}", bad.len(), goldens.len(), bad.join("\n"));
}

/// In double precision, with what is frozen as it was, bit by bit.
#[test]
fn frozen_layers_stay_as_keras_leaves_them() {
    let golden = all("models").into_iter().find(|g| g.name == "frozen").unwrap();
    training(&golden, &REFERENCE, 1e-9).unwrap();
}
