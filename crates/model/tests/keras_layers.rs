//! Every layer and activation against Keras: output, gradients of inputs and weights, states.
#![allow(clippy::unwrap_used)]

mod common;

use common::golden::{NOT_OURS, all};
use common::keras::{REFERENCE, layer};

fn compare(folder: &str) {
    let mut bad = Vec::new();
    for golden in all(folder) {
        let allowed = NOT_OURS.iter().any(|(f, n, _)| *f == folder && *n == golden.name);
        match (layer(folder, &golden, &REFERENCE), allowed) {
            (Ok(()), false) | (Err(_), true) => {}
            (Ok(()), true) => bad.push(format!("{} passes and need not be allowed", golden.name)),
            (Err(e), false) => bad.push(format!("{}: {e}", golden.name)),
        }
    }
    assert!(bad.is_empty(), "{} differ:\n{}", bad.len(), bad.join("\n"));
}

#[test]
fn layers_are_keras_layers() {
    compare("layers");
}

#[test]
fn activations_are_keras_activations() {
    compare("activations");
}
