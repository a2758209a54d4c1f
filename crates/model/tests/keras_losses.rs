//! Every loss against Keras: the value of each sample, the batch's loss, the gradient.

mod common;

use common::golden::all;
use common::keras::{REFERENCE, loss};

#[test]
fn losses_are_keras_losses() {
    let goldens = all("losses");
    let bad: Vec<String> = goldens
        .iter()
        .filter_map(|g| loss(g, &REFERENCE).err().map(|e| format!("{}: {e}", g.name)))
        .collect();
    assert!(bad.is_empty(), "{} of {} differ:\n{}", bad.len(), goldens.len(), bad.join("\n"));
}
