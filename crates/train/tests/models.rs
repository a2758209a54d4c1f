//! Model files: whole, alone, damaged, lying.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod common;

use common::{XOR, loaded, ok, quiet, run, to};
use nnc_artifact::{Tensor, TensorFile, Values};
use nnc_graph::DType;
use nnc_train::{
    BenchOptions, InferOptions, On, ProblemKind, bench, evaluate, open_model, plan_step, predict,
};
use std::path::{Path, PathBuf};

fn trained(folder: &Path) -> PathBuf {
    let text = XOR.replace("epochs 500", "epochs 20");
    run(&text, &to(folder));
    folder.join("model.safetensors")
}

#[test]
fn a_file_of_other_data_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let model = ok(open_model(&trained(folder.path())));
    let csv = folder.path().join("xor.csv");
    std::fs::write(&csv, "0,0,0\n0,1,1\n1,0,1\n1,1,0\n").unwrap();
    let data = Some(csv.to_string_lossy().into_owned());
    let file = ok(evaluate(&model, None, &InferOptions { data: data.clone(), ..InferOptions::default() }));
    let own = ok(evaluate(&model, Some(On::Train), &InferOptions::default()));
    assert_eq!(file.figures, own.figures);
    assert_eq!((file.rows, file.on.as_str(), own.on.as_str()), (4, data.as_deref().unwrap(), "train"));
    std::fs::write(&csv, "0,0\n0,1\n").unwrap();
    let problem = evaluate(&model, None, &InferOptions { data, ..InferOptions::default() }).unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Data);
    let problem = evaluate(&model, Some(On::Test), &InferOptions::default()).unwrap_err();
    assert!(problem.diagnostics[0].help.as_ref().unwrap().contains("split test=20%"));
}

#[test]
fn a_file_that_does_not_fit_is_a_diagnostic() {
    let folder = tempfile::tempdir().unwrap();
    let model = ok(open_model(&trained(folder.path())));
    for (name, text) in [("wide.csv", "1,2,3,4,5\n"), ("text.csv", "a,b\n"), ("empty.csv", "")] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let data = Some(path.to_string_lossy().into_owned());
        let problem = predict(&model, &InferOptions { data, ..InferOptions::default() }).unwrap_err();
        assert_eq!((problem.kind, problem.exit_code()), (ProblemKind::Data, 2), "{name}");
    }
}

#[test]
fn damaged_models_are_problems() {
    let folder = tempfile::tempdir().unwrap();
    let path = trained(folder.path());
    let good = std::fs::read(&path).unwrap();
    let bad = folder.path().join("bad.safetensors");
    for at in (0..good.len()).step_by(97) {
        std::fs::write(&bad, &good[..at]).unwrap();
        assert!(open_model(&bad).is_err(), "cut at {at}");
        let mut flipped = good.clone();
        flipped[at] ^= 0x41;
        std::fs::write(&bad, &flipped).unwrap();
        // A flip may hit a comment or a weight; it must not hit a panic.
        if let Ok(model) = open_model(&bad) {
            let _ = predict(&model, &InferOptions::default());
        }
    }
}

#[test]
fn lying_models_are_problems() {
    let folder = tempfile::tempdir().unwrap();
    let path = trained(folder.path());
    let good = TensorFile::read(&path, u64::MAX).unwrap();
    let bad = folder.path().join("bad.safetensors");
    let problem = |change: &dyn Fn(&mut TensorFile)| {
        let mut file = good.clone();
        change(&mut file);
        std::fs::write(&bad, file.to_bytes()).unwrap();
        let outcome = open_model(&bad).and_then(|m| predict(&m, &InferOptions::default()));
        let problem = outcome.expect_err("a lie");
        assert_eq!(problem.exit_code(), 2);
        format!("{:?}", problem.diagnostics)
    };
    let set = |key: &'static str, value: &'static str| {
        move |file: &mut TensorFile| {
            file.metadata.insert(key.into(), value.into());
        }
    };
    assert!(problem(&set("nnc.spec", "dense 10_000_000_000; dense 1; loss mse")).contains("N0"));
    assert!(problem(&set("nnc.spec", "dens 1; loss mse")).contains("N0"));
    assert!(problem(&set("nnc.stats", "{}")).contains("N0602"));
    assert!(problem(&set("nnc.format", "9")).contains("knows 1"));
    assert!(problem(&set("nnc.epoch", "many")).contains("no number"));
    assert!(problem(&|f| f.metadata.clear()).contains("no model"));
    assert!(problem(&|f| drop(f.tensors.remove("dense1.w"))).contains("dense1.w [2,16]: not in the file"));
    assert!(
        problem(&|f| {
            let tensor = Tensor { shape: vec![1], values: Values::F32(vec![0.0]) };
            f.tensors.insert("dense9.w".into(), tensor);
        })
        .contains("dense9.w [1]: not in the program")
    );
    assert!(
        problem(&|f| {
            let tensor = Tensor { shape: vec![32], values: Values::F32(vec![0.0; 32]) };
            f.tensors.insert("dense1.w".into(), tensor);
        })
        .contains("dense1.w [2,16]: [32] in the file")
    );
}

#[test]
fn double_precision_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let text = XOR.replace("epochs 500", "epochs 20");
    let report = ok(common::run_with(&text, DType::F64, &to(folder.path())));
    let model = ok(open_model(folder.path()));
    assert_eq!(model.model.step.float, DType::F64);
    assert_eq!(ok(predict(&model, &InferOptions::default())), report.rows);
}

#[test]
fn many_rows_are_predicted_in_batches() {
    let folder = tempfile::tempdir().unwrap();
    let text = "data moons 77 noise=0.1\ndense 4 tanh\ndense 1 sigmoid\nloss mse\nepochs 1\nbatch 5\n";
    let report = run(text, &to(folder.path()));
    let model = ok(open_model(folder.path()));
    let all = ok(predict(&model, &InferOptions { threads: 2, ..InferOptions::default() }));
    assert_eq!(all.rows.len(), 77);
    assert!(all.rows.iter().enumerate().all(|(i, r)| r.row == i && r.outputs.len() == 1));
    for row in &report.rows.rows {
        assert_eq!(all.rows[row.row], *row);
    }
}

#[test]
fn the_folder_of_a_run_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let mut names: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["checkpoint.safetensors", "history.csv", "model.safetensors", "run.json", "spec.nn"]);
    let run: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("run.json")).unwrap()).unwrap();
    assert_eq!((&run["epochs"], &run["stop"], &run["seed"]), (&20.into(), &"finished".into(), &0.into()));
}

#[test]
fn a_step_is_planned_and_timed() {
    let loaded = loaded(XOR);
    let model = ok(loaded.model(DType::F32));
    let plan = ok(plan_step(&loaded, &model));
    assert_eq!(plan.batch(), 4);
    let options = BenchOptions { threads: 1, seconds: 0.05, ..BenchOptions::default() };
    let report = ok(bench(&loaded, &model, &options));
    assert!(report.steps > 0 && report.steps_per_second > 0.0 && report.gflops > 0.0, "{report:?}");
    let tight = BenchOptions { memory_limit: Some(10), ..options };
    assert_eq!(bench(&loaded, &model, &tight).unwrap_err().kind, ProblemKind::Memory);
    let _ = quiet();
}
