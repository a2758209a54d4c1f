//! Every loss against Keras, or PyTorch where Keras lacks it: the value of each sample, the batch's loss, the gradient.

mod common;

use common::golden::{all, torch};
use common::keras::{REFERENCE, loss};

#[test]
fn losses_are_those_of_keras_and_pytorch() {
    let goldens: Vec<_> = all("losses").into_iter().chain(torch("losses")).collect();
    let bad: Vec<String> = goldens
        .iter()
        .filter_map(|g| loss(g, &REFERENCE).err().map(|e| format!("{}: {e}", g.name)))
        .collect();
    assert!(bad.is_empty(), "{} of {} differ:\n{}", bad.len(), goldens.len(), bad.join("\n"));
}
