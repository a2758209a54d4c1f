//! Weights of PyTorch and Keras predict what they predicted there.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::ok;
use nnc_artifact::TensorFile;
use nnc_artifact::foreign::Library;
use nnc_graph::DType;
use nnc_model::{Overrides, Spec};
use nnc_train::{
    Import, ImportOptions, InferOptions, LoadOptions, Loaded, Outcome, import, load, open_model, predict,
};
use std::path::{Path, PathBuf};

fn folder(from: Library) -> PathBuf {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    match from {
        Library::Torch => golden.join("torch"),
        Library::Keras => golden.join("keras/imports"),
    }
}

fn loaded(from: Library, text: &str) -> Loaded {
    let spec =
        Spec::read("test.nn", text, &Overrides::default()).unwrap_or_else(|e| panic!("{text}\n{:#?}", e.0));
    ok(load(spec, &LoadOptions { base: folder(from), ..LoadOptions::default() }))
}

fn program(from: Library, name: &str) -> String {
    std::fs::read_to_string(folder(from).join(format!("{name}.nn"))).unwrap()
}

fn options(from: Library, map: &[(&str, &str)], skip: &[&str]) -> ImportOptions {
    ImportOptions {
        from,
        map: map.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect(),
        skip: skip.iter().map(|s| (*s).into()).collect(),
        memory_limit: None,
    }
}

fn imported(name: &str, text: &str, options: &ImportOptions) -> Outcome<Import> {
    let loaded = loaded(options.from, text);
    let model = loaded.model(DType::F32)?;
    import(&loaded, &model, &folder(options.from).join(format!("{name}.safetensors")), options)
}

/// The file's program with its weights says what the file's model said.
fn says_the_same(name: &str, options: &ImportOptions) -> Vec<(String, String)> {
    let text = program(options.from, name);
    let import = imported(name, &text, options).unwrap_or_else(|p| panic!("{name}: {:#?}", p.diagnostics));
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("model.safetensors");
    std::fs::write(&path, &import.bytes).unwrap();
    let file = |ending: &str| folder(options.from).join(format!("{name}.{ending}"));
    let text = file("txt").exists();
    let data = file(if text { "txt" } else { "npz" }).to_string_lossy().into_owned();
    let said =
        ok(predict(&ok(open_model(&path)), &InferOptions { data: Some(data), ..InferOptions::default() }));
    let wanted: Vec<f64> = match text {
        true => {
            let y = &TensorFile::read(&file("y.safetensors"), u64::MAX).unwrap().tensors["y"].values;
            (0..y.len()).map(|i| y.get(i).unwrap()).collect()
        }
        false => said.rows.iter().flat_map(|r| r.targets[0].values.clone()).collect(),
    };
    let found: Vec<f64> = said.rows.iter().flat_map(|r| r.outputs[0].values.clone()).collect();
    assert!(said.rows.len() == 5 && found.len() >= 5 && found.len() == wanted.len(), "{name}");
    let scale = wanted.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    for (f, w) in found.iter().zip(&wanted) {
        assert!((f - w).abs() <= 1e-5 * scale, "{name}: {f}, not {w}");
    }
    import.pairs
}

#[test]
fn weights_of_pytorch_predict_the_same() {
    for name in ["mlp", "conv", "sequence", "decoder", "recurrent", "gpt"] {
        says_the_same(name, &options(Library::Torch, &[], &[]));
    }
}

#[test]
fn weights_of_keras_predict_the_same() {
    for name in ["conv", "recurrent", "attention", "gpt"] {
        says_the_same(name, &options(Library::Keras, &[], &[]));
    }
}

#[test]
fn layers_are_paired_by_what_their_names_say() {
    let pairs = says_the_same("gpt", &options(Library::Torch, &[], &[]));
    let pairs: Vec<String> = pairs.iter().map(|(a, b)| format!("{a} {b}")).collect();
    let wanted = [
        "tokens embed1",
        "places positions1",
        "blocks.0.norm1 transformer1.layernorm1",
        "blocks.0.attn transformer1.attention1",
        "blocks.0.norm2 transformer1.layernorm2",
        "blocks.0.fc1 transformer1.dense1",
        "blocks.0.fc2 transformer1.dense2",
        "blocks.1.norm1 transformer2.layernorm1",
        "blocks.1.attn transformer2.attention1",
        "blocks.1.norm2 transformer2.layernorm2",
        "blocks.1.fc1 transformer2.dense1",
        "blocks.1.fc2 transformer2.dense2",
        "norm layernorm1",
        "head dense1",
    ];
    assert_eq!(pairs, wanted);
}

#[test]
fn what_cannot_be_told_is_said_by_the_user() {
    let map = [("left", "dense1"), ("right", "dense2")];
    says_the_same("cross", &options(Library::Torch, &map, &["mask"]));
    // A star stands for the numbers, in their order.
    let map = [("blocks.*.norm1", "transformer*.layernorm1"), ("blocks.*.norm2", "transformer*.layernorm2")];
    says_the_same("gpt", &options(Library::Torch, &map, &[]));
}

/// Message, notes and help of a mistake.
fn told(name: &str, text: &str, options: &ImportOptions) -> String {
    let problem = imported(name, text, options).expect_err("a mistake");
    let d = &problem.diagnostics[0];
    assert_eq!(d.code.name(), "N0606");
    let text = format!("{}\n{}\n{}", d.message, d.notes.join("\n"), d.help.as_deref().unwrap_or_default());
    text.replace(&*folder(options.from).to_string_lossy(), "F")
}

#[test]
fn what_does_not_fit_lists_both_sides() {
    let torch = |map: &[(&str, &str)], skip: &[&str]| options(Library::Torch, map, skip);
    let text = told("cross", &program(Library::Torch, "cross"), &torch(&[], &["mask"]));
    for part in
        ["cannot be told", "dense1.w [6,6]", "dense2.b [6]", "left.weight [6,6]", "right.bias [6]", "--map"]
    {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    let text = told(
        "cross",
        &program(Library::Torch, "cross"),
        &torch(&[("left", "dense1"), ("right", "dense2")], &[]),
    );
    for part in ["are not those of this program", "mask [3,3]", "--skip"] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    // A width that differs, a layer too few.
    let narrow = program(Library::Torch, "mlp").replace("dense 8 tanh", "dense 7 tanh");
    let text = told("mlp", &narrow, &torch(&[], &[]));
    for part in ["dense2.w [8,7]", "dense3.w [7,3]", "2.weight [8,8]", "4.bias [3]", "[out,in]"] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    let short = program(Library::Torch, "mlp").replace("dense 8 tanh\n", "");
    let text = told("mlp", &short, &torch(&[], &[]));
    assert!(text.contains("2.weight [8,8]") && !text.contains("of the program, without"), "{text}");
    let text = told("mlp", &program(Library::Torch, "mlp"), &torch(&[("7", "dense1")], &[]));
    assert!(text.contains("--map: the file has no `7`"), "{text}");
    let text = told("mlp", &program(Library::Torch, "mlp"), &torch(&[("0", "dense3")], &[]));
    assert!(text.contains("--map: `0` does not fit `dense3`"), "{text}");
    let keras = options(Library::Keras, &[("*/dense", "dense*")], &[]);
    let text = told("conv", &program(Library::Keras, "conv"), &keras);
    assert!(text.contains("`*/dense` names 1 layers of the file, `dense*` 2 of the program"), "{text}");
}
