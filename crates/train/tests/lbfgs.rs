//! `optimizer lbfgs` against PyTorch's, step by step in double precision; and what does not go with it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod common;

use common::{Rows, loaded, ok, quiet, rows, run_with, to, try_load};
use nnc_artifact::TensorFile;
use nnc_graph::DType;
use nnc_train::{InferOptions, On, StopReason, TrainOptions, evaluate, open_model, train};
use std::path::{Path, PathBuf};

fn golden() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/torch/lbfgs");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 7, "{files:?}");
    files
}

fn numbers(file: &TensorFile, name: &str) -> Vec<f64> {
    let values = &file.tensors.get(name).unwrap_or_else(|| panic!("no {name}")).values;
    (0..values.len()).map(|i| values.get(i).unwrap()).collect()
}

#[test]
fn every_step_is_pytorchs() {
    for path in golden() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let file = TensorFile::read(&path, u64::MAX).unwrap();
        let meta: serde_json::Value = serde_json::from_str(&file.metadata["golden"]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut init = TensorFile::default();
        for (key, tensor) in &file.tensors {
            if let Some(weight) = key.strip_prefix("init/") {
                init.tensors.insert(weight.into(), tensor.clone());
            }
        }
        let first = folder.path().join("first.safetensors");
        std::fs::write(&first, init.to_bytes()).unwrap();
        let out = folder.path().join("run");
        let options = TrainOptions { init: Some(first), ..to(&out) };
        let ours = rows(meta["nn"].as_str().unwrap(), DType::F64, &options).rows;
        let theirs = numbers(&file, "losses");
        assert_eq!(ours.len(), theirs.len(), "{name}");
        let mut worst = 0.0f64;
        for (epoch, (a, b)) in ours.iter().zip(&theirs).enumerate() {
            let d = (a[0] - b).abs() / b.abs().max(1.0);
            assert!(d < 1e-9, "{name}: {} and not {b} after step {}", a[0], epoch + 1);
            worst = worst.max(d);
        }
        let model = TensorFile::read(&out.join("model.safetensors"), u64::MAX).unwrap();
        for key in init.tensors.keys() {
            for (a, b) in numbers(&model, key).iter().zip(numbers(&file, &format!("final/{key}"))) {
                assert!((a - b).abs() < 1e-9 * b.abs().max(1.0), "{name}: {key} has {a} and not {b}");
                worst = worst.max((a - b).abs());
            }
        }
        eprintln!("{name}: at most {worst:e}");
    }
}

const MOONS: &str = "data moons 150 noise=0.2\ndense 8 tanh\ndense 1 sigmoid\nloss binary_crossentropy\n\
                     optimizer lbfgs max_iter=5\nbatch all\nmetrics binary_accuracy\nepochs 4\n";

#[test]
fn threads_and_the_order_of_epochs_change_no_bit() {
    for float in [DType::F32, DType::F64] {
        let one = rows(MOONS, float, &quiet()).rows;
        assert_eq!(one, rows(MOONS, float, &TrainOptions { threads: 2, ..quiet() }).rows);
        assert_eq!(one, rows(MOONS, float, &TrainOptions { shuffle: false, ..quiet() }).rows);
        assert!(one[3][0] < 0.3 && one[3][0] < one[0][0], "{one:?}");
    }
}

#[test]
fn the_figures_of_an_epoch_are_of_the_weights_it_ends_with() {
    let folder = tempfile::tempdir().unwrap();
    let loaded = loaded(MOONS);
    let model = ok(loaded.model(DType::F64));
    let report = ok(train(&loaded, &model, &to(folder.path()), &mut Rows::default()));
    let trained = ok(open_model(folder.path()));
    let all = ok(evaluate(&trained, Some(On::All), &InferOptions::default()));
    assert!((report.figures.loss - all.figures.loss).abs() < 1e-6, "{report:?}");
    assert_eq!(report.figures.metrics, all.figures.metrics);
}

#[test]
fn it_ends_when_it_has_converged_and_says_why() {
    let bowl = "data { 0 -> 0 }\nlayer bowl of x[n] { weight p[3] = ones; sum((p - 2)^2) + 0 * sum(x) }\nbowl\n\
                loss = output + 0 * sum(target)\noptimizer lbfgs OPTIONS\nepochs 50\n";
    let report = ok(run_with(&bowl.replace("OPTIONS", ""), DType::F64, &quiet()));
    assert_eq!(report.stop, StopReason::Converged("no number of the gradient is above 1e-7".into()));
    assert!(report.epochs < 5 && report.figures.loss < 1e-12);
    // Flatter than any slope tells.
    let flat = bowl.replace("^2", "^4").replace("OPTIONS", "tolerance_grad=0");
    for (change, least) in [("", 1e-9), (" tolerance_change=0.01", 0.01)] {
        let report = ok(run_with(&flat.replace("grad=0", &format!("grad=0{change}")), DType::F64, &quiet()));
        let StopReason::Converged(why) = &report.stop else { panic!("{report:?}") };
        assert!(why.contains(&format!("{least:?}")) && !why.contains("gradient"), "{why}");
    }
    let at_once = bowl.replace("ones", "constant(2)").replace("OPTIONS", "");
    let report = ok(run_with(&at_once, DType::F32, &quiet()));
    assert_eq!((report.epochs, report.figures.loss), (1, 0.0));
}

#[test]
fn frozen_weights_stay_and_states_are_kept() {
    let text = "data moons 60\nbase = dense 6 tanh\nbatchnorm\ndense 1 sigmoid\nfreeze base\n\
                loss binary_crossentropy\noptimizer lbfgs\nbatch all\nepochs 3\n";
    let folder = tempfile::tempdir().unwrap();
    let program = loaded(text);
    let model = ok(program.model(DType::F32));
    ok(train(&program, &model, &to(&folder.path().join("three")), &mut Rows::default()));
    let none = loaded(&text.replace("lbfgs", "lbfgs tolerance_grad=1e9"));
    let model = ok(none.model(DType::F32));
    ok(train(&none, &model, &to(&folder.path().join("none")), &mut Rows::default()));
    let read =
        |run: &str| TensorFile::read(&folder.path().join(run).join("model.safetensors"), u64::MAX).unwrap();
    let (after, before) = (read("three"), read("none"));
    assert_eq!(after.tensors["base.w"], before.tensors["base.w"]);
    assert_ne!(after.tensors["dense1.w"], before.tensors["dense1.w"]);
    assert_ne!(after.tensors["batchnorm1.running_mean"], before.tensors["batchnorm1.running_mean"]);
}

#[test]
fn a_loss_that_is_no_number_is_explained() {
    let text =
        "data { 1 -> 1; 2 -> 3 }\ndense 1 init=zeros\nloss = mean(log(output) * target)\noptimizer lbfgs\n";
    let problem = run_with(text, DType::F32, &quiet()).unwrap_err();
    assert_eq!(problem.diagnostics[0].code.to_string(), "N0601");
    assert!(problem.diagnostics[0].message.contains("epoch 1, step 1"), "{:?}", problem.diagnostics[0]);
}

#[test]
fn what_does_not_go_with_it_is_refused() {
    let base = "data moons 60\ndense 4 tanh\ndense 1\nloss mse\noptimizer lbfgs\nbatch all\n";
    ok(try_load(base).and_then(|l| l.model(DType::F32)));
    for (text, message) in [
        (base.replace("batch all", ""), "`lbfgs` needs all 60 samples in every step, and a batch has 32"),
        (
            base.replace("batch all", "batch 59"),
            "`lbfgs` needs all 60 samples in every step, and a batch has 59",
        ),
        (
            base.replace("tanh", "tanh; dropout 0.1"),
            "`lbfgs` needs a loss that is the same for the same weights",
        ),
        (format!("{base}clip 1.0"), "`lbfgs` does not go with `clip`"),
        (format!("{base}schedule cosine"), "`lbfgs` does not go with `schedule`"),
        (base.replace("lbfgs", "lbfgs ema=0.9"), "`lbfgs` does not go with `ema`"),
        (base.replace("lbfgs", "lbfgs max_iter=0"), "`max_iter` of `lbfgs` is 1 or more, not 0"),
        (base.replace("lbfgs", "lbfgs lr=0"), "`lr` of `lbfgs` is above 0"),
        (base.replace("lbfgs", "lbfgs history=5"), "`lbfgs` has no argument `history`"),
    ] {
        let problem = try_load(&text).and_then(|l| l.model(DType::F32)).unwrap_err();
        let said: Vec<&str> = problem.diagnostics.iter().map(|d| d.message.as_str()).collect();
        assert!(said.contains(&message), "{text}: {said:?}");
    }
    // A batch that has them all is as good.
    ok(try_load(&base.replace("batch all", "batch 60")).and_then(|l| l.model(DType::F32)));
}
