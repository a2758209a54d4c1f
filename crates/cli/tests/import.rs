//! Weights of other libraries from the command line, and tables of metrics.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;
use std::path::{Path, PathBuf};

fn golden(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(path)
}

fn place(folder: &str, name: &str) -> Place {
    let place = Place::new();
    for ending in ["nn", "npz", "safetensors"] {
        let file = format!("{name}.{ending}");
        let to = if ending == "safetensors" { "weights.safetensors" } else { &file };
        std::fs::copy(golden(folder).join(&file), place.path(to)).unwrap();
    }
    place
}

#[test]
fn weights_of_pytorch_become_a_model() {
    let place = place("torch", "mlp");
    let ran = place.nnc(&["import", "weights.safetensors", "mlp.nn", "--from", "torch"]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "0  is  dense1\n2  is  dense2\n4  is  dense3\n"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("3 layers in mlp.safetensors"), "{}", ran.err);
    let said = place.nnc(&["eval", "mlp.safetensors", "--data", "mlp.npz", "--json"]).json();
    assert!(said["loss"].as_f64().unwrap() < 1e-10, "{said}");
    assert_eq!(said["rows"], 5);
}

#[test]
fn weights_of_keras_become_a_model() {
    let place = place("keras/imports", "conv");
    let args =
        ["import", "weights.safetensors", "conv.nn", "--from", "keras", "--out", "a.safetensors", "--json"];
    let told = place.nnc(&args).json();
    assert_eq!(told["model"], "a.safetensors");
    assert_eq!(told["layers"].as_array().unwrap().len(), 10, "{told}");
    let said = place.nnc(&["eval", "a.safetensors", "--data", "conv.npz", "--json"]).json();
    assert!(said["loss"].as_f64().unwrap() < 1e-9, "{said}");
}

#[test]
fn mistakes_write_nothing() {
    let place = place("torch", "mlp");
    let text = std::fs::read_to_string(place.path("mlp.nn")).unwrap();
    place.write("other.nn", &text.replace("dense 3", "dense 3 bias=no"));
    let cases: [(&[&str], &str); 4] = [
        (&["weights.safetensors", "other.nn", "--from", "torch"], "4.bias [3]"),
        (&["none.safetensors", "mlp.nn", "--from", "torch"], "there is no file `none.safetensors`"),
        (&["mlp.nn", "mlp.nn", "--from", "keras"], "is no safetensors file"),
        (
            &["weights.safetensors", "mlp.nn", "--from", "torch", "--out", "./weights.safetensors"],
            "would be written over",
        ),
    ];
    for (args, words) in cases {
        let ran = place.nnc(&[&["import"], args].concat());
        assert_eq!(ran.code, 2, "{args:?}\n{}", ran.err);
        assert!(ran.err.contains(words), "{args:?} does not say `{words}`\n{}", ran.err);
        assert!(ran.err.contains("nothing was written"), "{}", ran.err);
    }
    assert!(!place.path("mlp.safetensors").exists() && !place.path("other.safetensors").exists());
}

#[test]
fn a_confusion_matrix_is_a_table() {
    let place = Place::new();
    place.write(
        "blobs.nn",
        "data blobs 40 classes=2\nsplit test=25%\ndense 2 softmax\nloss crossentropy\noptimizer adam lr=0.1\n\
         metrics accuracy precision confusion\nepochs 30\n",
    );
    place.nnc(&["train", "blobs.nn", "-q"]).fine();
    let text = place.nnc(&["eval", "blobs.nn"]).fine();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("loss ") && lines[0].contains("  precision "), "{text}");
    assert_eq!(lines[1], "confusion (rows are the data, columns what the network says)");
    assert_eq!(lines.len(), 5, "{text}");
    let table = place.nnc(&["eval", "blobs.nn", "--json"]).json()["tables"]["confusion"].clone();
    let count: f64 = table
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|r| r.as_array().unwrap())
        .map(|x| x.as_f64().unwrap())
        .sum();
    assert_eq!(count, 10.0, "{table}");
}
