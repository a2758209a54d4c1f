//! 50 steps of whole models against Keras, from the same weights.

mod common;

use common::golden::all;
use common::keras::{REFERENCE, training};

#[test]
fn models_learn_as_keras_models_do() {
    let goldens = all("models");
    assert_eq!(goldens.len(), 5);
    let bad: Vec<String> = goldens
        .iter()
        .filter_map(|g| training(g, &REFERENCE, 1e-6).err().map(|e| format!("{}: {e}", g.name)))
        .collect();
    assert!(bad.is_empty(), "{} of {} differ:\n{}", bad.len(), goldens.len(), bad.join("\n"));
}
