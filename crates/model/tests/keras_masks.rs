//! Masks, initial and final states, and masked losses against Keras, in double precision.
#![allow(clippy::unwrap_used)]

mod common;

use common::golden::all;
use common::keras::{Computer, REFERENCE, layer, reference, training};
use nnc_graph::DType;

const EXACT: Computer<'static> = Computer { float: DType::F64, rtol: 1e-9, run: &reference };

#[test]
fn masked_layers_and_states_are_keras_ones() {
    let goldens = all("masks");
    assert_eq!(goldens.len(), 33);
    let bad: Vec<String> = goldens
        .iter()
        .filter_map(|g| layer("masks", g, &EXACT).err().map(|e| format!("{}: {e}", g.name)))
        .collect();
    assert!(bad.is_empty(), "{} of {} differ:\n{}", bad.len(), goldens.len(), bad.join("\n"));
}

/// Losses count every step of a batch alike, so a step of gradient descent tells them apart.
#[test]
fn masked_losses_are_keras_ones() {
    let goldens = all("masked_models");
    assert_eq!(goldens.len(), 4);
    let bad: Vec<String> = goldens
        .iter()
        .filter_map(|g| training(g, &REFERENCE, 1e-9).err().map(|e| format!("{}: {e}", g.name)))
        .collect();
    assert!(bad.is_empty(), "{} of {} differ:\n{}", bad.len(), goldens.len(), bad.join("\n"));
}
