//! `tests/programs/*.nn`: small programs, and beside each, in a folder of its name, what every stage makes of it.
//!
//! `NNC_UPDATE=1 cargo test -p nnc --test programs` accepts what is there now; read the diff. A further form, such as
//! an export, is a further row of [`STAGES`], or of [`EXPORTS`], and a further file in each folder.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Place, run};
use nnc_graph::OutputKind;
use nnc_graph::passes::standard;
use std::fs;
use std::path::{Path, PathBuf};

/// The file, and the command that writes it; the program's name goes between the command and its options.
const STAGES: [(&str, &str, &[&str]); 7] = [
    ("ast.txt", "graph", &["--stage", "ast"]),
    ("layers.txt", "graph", &["--stage", "layers"]),
    ("forward.txt", "graph", &["--stage", "forward"]),
    ("eval.txt", "graph", &["--stage", "forward", "--mode", "eval"]),
    ("backward.txt", "graph", &["--stage", "backward"]),
    ("step.txt", "graph", &["--stage", "step"]),
    ("plan.txt", "graph", &["--stage", "plan"]),
];

/// The same of the exports, which want a trained network.
const EXPORTS: [(&str, &[&str]); 1] = [("onnx.txt", &["export", "onnx", "--text"])];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/programs")
}

/// What `nnc export stablehlo` makes of the predictions, for three samples; made of `eval.txt`.
const PREDICT: &str = "predict.mlir";

fn predict(eval: &str) -> String {
    let mut graph = nnc_graph::text::parse(eval).unwrap();
    graph.retain_outputs(|o| o.kind == OutputKind::Prediction);
    nnc_export::stablehlo::module(&standard(&graph), 3).unwrap().text
}

/// The programs and the folders of their texts, by name.
fn listed(is: impl Fn(&Path) -> bool) -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let names = entries.filter(|path| is(path)).map(|p| p.file_stem().unwrap().to_str().unwrap().to_string());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// The first line that differs, of both.
fn difference(wanted: &str, found: &str) -> String {
    let lines = wanted.lines().zip(found.lines()).enumerate().find(|(_, (a, b))| a != b);
    match lines {
        Some((at, (a, b))) => format!("line {}:\n  - {a}\n  + {b}", at + 1),
        None => format!("{} lines instead of {}", found.lines().count(), wanted.lines().count()),
    }
}

#[test]
fn every_stage_of_every_program_is_as_it_was() {
    let update = std::env::var_os("NNC_UPDATE").is_some();
    let programs = listed(|path| path.extension().is_some_and(|ending| ending == "nn"));
    assert!(programs.len() >= 10, "{programs:?}");
    let mut wrong = Vec::new();
    for program in &programs {
        let texts = folder().join(program);
        let name = format!("{program}.nn");
        let mut all: Vec<(&str, String)> = Vec::new();
        for (file, command, options) in STAGES {
            let args = [&[command, name.as_str()], options].concat();
            let text = run(&folder(), &args, "").fine();
            if file == "eval.txt" {
                all.push((PREDICT, predict(&text)));
            }
            all.push((file, text));
        }
        let place = Place::new();
        for file in fs::read_dir(folder()).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file()) {
            fs::copy(&file, place.path(file.file_name().unwrap().to_str().unwrap())).unwrap();
        }
        place.nnc(&["train", &name, "-q", "--epochs", "1", "--no-report"]).fine();
        for (file, args) in EXPORTS {
            all.push((file, place.nnc(&[args, &[name.as_str()]].concat()).fine()));
        }
        for (file, found) in all {
            let path = texts.join(file);
            let wanted = fs::read_to_string(&path).unwrap_or_default();
            if wanted == found {
                continue;
            }
            if update {
                fs::create_dir_all(&texts).unwrap();
                fs::write(&path, found).unwrap();
            } else {
                wrong.push(format!("{program}/{file}, {}", difference(&wanted, &found)));
            }
        }
        let known = |name: &str| {
            name == PREDICT
                || STAGES.iter().any(|(file, ..)| *file == name)
                || EXPORTS.iter().any(|(file, _)| *file == name)
        };
        let files = fs::read_dir(&texts).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        wrong.extend(files.filter(|f| !known(f)).map(|f| format!("{program}/{f} belongs to no stage")));
    }
    assert_eq!(listed(Path::is_dir), programs, "a folder for each program, and no other");
    assert!(wrong.is_empty(), "NNC_UPDATE=1 accepts it; read the diff.\n{}", wrong.join("\n"));
}
