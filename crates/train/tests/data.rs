//! What programs say about data, and what is said back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod common;

use common::{ok, quiet, run_with, spec, try_load};
use nnc_graph::DType;
use nnc_train::{LoadOptions, Problem, load};
use std::path::Path;

const NET: &str = "\ndense 4 relu\ndense 1\nloss mse\nepochs 1\n";

fn problem(text: &str) -> Box<Problem> {
    try_load(text).expect_err("a mistake")
}

fn first(text: &str) -> (String, String, String) {
    let p = problem(text);
    let d = &p.diagnostics[0];
    let at = d.labels.first().map_or(String::new(), |l| p.sources.slice(l.span).to_string());
    let label = d.labels.first().map_or(String::new(), |l| l.text.clone());
    (format!("{}: {}", d.code, d.message), at, label)
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn a_program_without_data_is_told_how() {
    let (message, _, _) = first(NET);
    assert_eq!(message, "N0500: there is no data to train on");
}

#[test]
fn a_wrong_cell_is_shown_in_the_program() {
    let (message, at, _) = first(&format!("data {{\n  0 0 -> 0\n  0 O -> 1\n}}{NET}"));
    assert!(message.starts_with("N0502"), "{message}");
    assert_eq!(at, "O");
    let (message, at, label) = first(&format!("data {{\n  0 0 -> 0\n  0 1 1 -> 1\n}}{NET}"));
    assert!(message.starts_with("N0501"), "{message}");
    assert_eq!((at.as_str(), label.as_str()), ("1", "one too many"));
}

#[test]
fn unknown_words_are_suggested() {
    let (message, at, label) = first(&format!("data moon 500{NET}"));
    assert_eq!(message, "N0514: there is no source of data called `moon`");
    assert_eq!((at.as_str(), label.as_str()), ("moon", "did you mean `moons`?"));
    let (message, _, label) = first(&format!("data moons 500 nois=0.1{NET}"));
    assert_eq!(message, "N0514: `data moons` has no option `nois`");
    assert_eq!(label, "did you mean `noise`?");
    let (message, _, label) = first(&format!("data \"f.csv\" {{\n  inptu a\n}}{NET}"));
    assert!(message.starts_with("N0507"), "{message}");
    assert_eq!(label, "did you mean `input`?");
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "f.csv", "a,y\n1,2\n3,4\n");
    let p = problem(&format!("data \"{path}\" {{\n  input a standardise\n}}{NET}"));
    assert_eq!(p.diagnostics[0].code.name(), "N0505");
    assert!(p.diagnostics[0].help.as_ref().unwrap().contains("`standardize`"), "{:#?}", p.diagnostics);
    let (message, _, label) = first(&format!("data \"f.csv\" {{\n  input a missing=meen\n}}{NET}"));
    assert_eq!(
        (message.as_str(), label.as_str()),
        ("N0510: `missing=meen` is no rule", "did you mean `mean`?")
    );
}

#[test]
fn a_file_is_found_beside_the_program() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "f.csv", "a,b,y\n1,2,3\n4,5,6\n7,8,9\n");
    let options = LoadOptions { base: folder.path().to_path_buf(), ..LoadOptions::default() };
    let loaded = ok(load(spec(&format!("data \"f.csv\"{NET}")), &options));
    assert_eq!(loaded.ports.inputs[0].shape, [2]);
    assert_eq!(loaded.ports.targets[0].shape, [1]);
    assert_eq!(loaded.ports.samples, 3);
    let missing = load(spec(&format!("data \"g.csv\"{NET}")), &options).unwrap_err();
    assert_eq!(missing.diagnostics[0].code.name(), "N0504");
    assert_eq!(missing.sources.slice(missing.diagnostics[0].labels[0].span), "\"g.csv\"");
}

#[test]
fn a_file_of_ones_own_keeps_the_roles() {
    let folder = tempfile::tempdir().unwrap();
    let own = file(folder.path(), "own.csv", "y,id,x\n3,1,2\n6,2,5\n9,3,8\n");
    let text = format!("data \"none.csv\" {{\n  drop id\n  target y\n  input rest standardize\n}}{NET}");
    let options = LoadOptions { data: Some(own), ..LoadOptions::default() };
    let loaded = ok(load(spec(&text), &options));
    assert_eq!(loaded.ports.inputs[0].shape, [1]);
    assert_eq!(loaded.stats().columns.iter().filter(|c| c.name == "y").count(), 1);
    let bare = ok(load(spec(NET), &options));
    assert_eq!(bare.ports.inputs[0].shape, [2]);
}

#[test]
fn a_bad_cell_of_a_file_is_named_by_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "f.csv", "a,y\n1,2\n3,4\nx,6\n7,8\n9,9\n");
    let p = problem(&format!("data \"{path}\" {{\n  input a number\n  target y\n}}{NET}"));
    let notes = p.diagnostics[0].notes.join("\n");
    assert!(notes.contains("f.csv:4:1: row 3, column `a`"), "{notes}");
}

#[test]
fn ports_have_names_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "f.csv", "left,right,same\n1,2,1\n3,4,0\n5,5,1\n");
    let roles = format!("data \"{path}\" {{\n  input left right\n  target same\n}}\n");
    let text =
        format!("{roles}input left\ninput right\ntarget same\nconcat right\ndense 1\nloss mse\nepochs 1\n");
    let loaded = ok(try_load(&text));
    let names: Vec<&str> = loaded.ports.inputs.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["left", "right"]);
    assert_eq!(loaded.ports.targets[0].name, "same");

    let text =
        "data { 0 0 0 0 -> 0; 1 1 1 1 -> 1 }\ninput picture 2x2\ntarget dark\ndense 1\nloss mse\nepochs 1\n";
    let loaded = ok(try_load(text));
    assert_eq!(loaded.ports.inputs[0].name, "picture");
    assert_eq!(loaded.ports.inputs[0].shape, [2, 2]);
    assert_eq!(loaded.ports.targets[0].name, "dark");

    let (message, at, _) = first(&text.replace("2x2", "2x3"));
    assert_eq!(message, "N0513: `picture` is 2x3 here and 4 in the data");
    assert_eq!(at, "input picture 2x3");

    let text = format!("data \"{path}\"\ntarget left{NET}");
    let loaded = ok(try_load(&text));
    assert_eq!(loaded.ports.targets[0].name, "left");
    assert_eq!(loaded.ports.inputs[0].shape, [2]);
}

#[test]
fn classes_are_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "f.csv", "x,kind\n0,a\n10,b\n0.1,a\n9.9,b\n0.2,a\n10.1,b\n");
    let text = format!(
        "data \"{path}\" {{\n  input x standardize\n}}\ndense 2 softmax\nloss crossentropy\noptimizer adam lr=0.1\n\
         metrics accuracy\nepochs 100\n"
    );
    let report = ok(run_with(&text, DType::F32, &quiet()));
    let classes: Vec<_> = report.rows.rows.iter().map(|r| r.outputs[0].class.clone().unwrap()).collect();
    assert_eq!(classes, ["a", "b", "a", "b", "a", "b"]);
    assert_eq!(report.rows.rows[1].targets[0].class.as_deref(), Some("b"));
    let x = report.rows.rows[1].inputs[0].values[0];
    assert!((x - 10.0).abs() < 1e-9, "scaling is undone: {x}");
}

#[test]
fn a_scaled_target_is_told_in_its_own_terms() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "f.csv", "x,y\n0,1000\n1,3000\n2,5000\n");
    let text = format!(
        "data \"{path}\" {{\n  input x\n  target y scale=1000\n}}\ndense 1\nloss mse\noptimizer sgd lr=0.1\nepochs 400\n"
    );
    let report = ok(run_with(&text, DType::F64, &quiet()));
    for row in &report.rows.rows {
        assert!((row.outputs[0].values[0] - row.targets[0].values[0]).abs() < 10.0, "{row:?}");
    }
}
