//! Trainings in stages: equal to Keras' `trainable`, a new `compile` and `fit`; the same bits after a stop in any stage.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod common;

use common::golden::{difference, files, numbers};
use common::{loaded, ok, rows, to, try_load};
use nnc_artifact::TensorFile;
use nnc_graph::DType;
use nnc_train::{Longer, Observer, Quiet, Report, TrainOptions, load, open_checkpoint, train};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn stages_are_keras_stages() {
    for path in files("keras/stages", 3) {
        let d = difference(&path, str::to_string);
        assert!(d < 1e-9, "{}: {d:e}", path.display());
        // Without the stages it is another training.
        let apart = difference(&path, |text| {
            let whole = text.replace("epochs 3\n", "epochs 7\n");
            match path.file_stem().unwrap().to_str().unwrap() {
                "thaw" => whole.split("then").next().unwrap().to_string(),
                _ => text.replace("freeze base; ", "").replace("freeze base bn\n  optimizer", "optimizer"),
            }
        });
        assert!(apart > 1e-3, "{}: {apart:e}", path.display());
    }
}

/// All that a run remembers, in three stages: the second ends by a rule, the third within an epoch.
const STAGED: &str = "\
data moons 120 noise=0.2
split valid=25%
base = dense 10 tanh
bn = batchnorm
dropout 0.2
head = dense 1 sigmoid
loss binary_crossentropy
metrics binary_accuracy auc
freeze base bn
optimizer adam lr=0.02 ema=0.9
schedule plateau factor=0.5 patience=1
batch 16
epochs 4
save best=val_loss
save every=1
then {
  freeze base
  rate head 2
  optimizer rmsprop lr=0.01
  schedule cosine
  batch 25
  epochs 30
  stop when val_loss > 0
}
then { optimizer sgd lr=0.1 momentum=0.9; steps 11; stop when val_loss < 0 }
";

/// Raises a flag after some epochs.
struct StopAfter {
    epochs: u64,
    flag: Arc<AtomicBool>,
}

impl Observer for StopAfter {
    fn epoch(&mut self, epoch: u64, _: &[String], _: &[f64]) {
        if epoch >= self.epochs {
            self.flag.store(true, Ordering::Relaxed);
        }
    }
}

fn resume(folder: &Path, longer: Longer) -> nnc_train::Outcome<Report> {
    let checkpoint = open_checkpoint(folder, longer)?;
    let loaded = load(checkpoint.spec.clone(), &checkpoint.origin)?;
    let model = loaded.model(checkpoint.float)?;
    let resume = Some(Rc::new(checkpoint));
    train(&loaded, &model, &TrainOptions { resume, threads: 2, ..TrainOptions::default() }, &mut Quiet)
}

fn bytes(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).unwrap()
}

#[test]
fn a_run_that_was_stopped_in_any_stage_has_the_bits_of_one_that_was_not() {
    // A rule that holds ends the second stage after its first epoch; one that waits, later.
    for text in [STAGED.to_string(), STAGED.replace("val_loss > 0", "val_loss stalls for 2")] {
        for float in [DType::F32, DType::F64] {
            let straight = tempfile::tempdir().unwrap();
            let program = loaded(&text);
            let model = ok(program.model(float));
            let whole = ok(train(&program, &model, &to(straight.path()), &mut Quiet));
            let history = String::from_utf8(bytes(straight.path(), "history.csv")).unwrap();
            let stages: Vec<&str> = history.lines().skip(1).map(|l| l.split(',').nth(1).unwrap()).collect();
            assert_eq!(stages[..5], ["1", "1", "1", "1", "2"]);
            assert_eq!(stages.last(), Some(&"3"));
            // 11 steps of batches of 25 among 90 rows: 4, 4 and 3.
            assert_eq!(stages.iter().filter(|s| **s == "3").count(), 3);
            for stop in 0..whole.epochs {
                let folder = tempfile::tempdir().unwrap();
                let interrupt = Arc::new(AtomicBool::new(stop == 0));
                let options = TrainOptions { interrupt: interrupt.clone(), ..to(folder.path()) };
                let report =
                    ok(train(&program, &model, &options, &mut StopAfter { epochs: stop, flag: interrupt }));
                assert!(report.interrupted());
                let report = ok(resume(folder.path(), Longer::default()));
                assert_eq!((report.epochs, report.steps), (whole.epochs, whole.steps), "after {stop}");
                assert_eq!((&report.stop, &report.best), (&whole.stop, &whole.best));
                for name in ["model.safetensors", "history.csv", "spec.nn"] {
                    assert!(
                        bytes(folder.path(), name) == bytes(straight.path(), name),
                        "{name}, after {stop}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_frozen_layer_keeps_its_bits_until_a_stage_thaws_it() {
    let folder = tempfile::tempdir().unwrap();
    ok(common::run_with(STAGED, DType::F32, &to(folder.path())));
    let model = |epoch: u64| {
        TensorFile::read(&folder.path().join(format!("model-{epoch}.safetensors")), u64::MAX).unwrap()
    };
    let same = |a: u64, b: u64, name: &str| numbers(&model(a), name) == numbers(&model(b), name);
    // Stage 1 has the epochs 1 to 4, stage 2 epoch 5, stage 3 the rest.
    for name in ["base.w", "base.b", "bn.scale", "bn.running_mean", "bn.running_var"] {
        assert!(same(1, 4, name), "{name} in the first stage");
    }
    assert!(!same(1, 4, "head.w"));
    for name in ["base.w", "base.b"] {
        assert!(same(4, 5, name), "{name} in the second stage");
    }
    assert!(!same(4, 5, "bn.running_mean") && !same(4, 5, "bn.scale") && !same(4, 5, "head.w"));
    for name in ["base.w", "base.b", "bn.scale", "bn.running_mean"] {
        assert!(!same(5, 6, name), "{name} in the third stage");
    }
}

#[test]
fn a_schedule_and_the_count_of_steps_begin_anew_in_a_stage() {
    let data = "data moons 60\ndense 4 tanh\ndense 1 sigmoid\nloss binary_crossentropy\n";
    // A rule that remembers how many steps it counted, as its weights' sizes.
    let rule = "rule counting(lr = 0.1) of w, g { w := w - lr * g / step }\n";
    let stages = |text: &str| rows(&format!("{rule}{data}{text}"), DType::F64, &common::quiet()).rows;
    let two = stages("optimizer counting\nschedule polynomial\nepochs 3\nthen { epochs 3 }\n");
    let one = stages("optimizer counting\nschedule polynomial\nepochs 3\n");
    assert_eq!(two[..3], one[..]);
    let six = stages("optimizer counting\nschedule polynomial\nepochs 6\n");
    assert_ne!(two, six);
    // The learning rate is back at its beginning: the loss falls by more than at the end of the stage before.
    let fall = |i: usize| two[i - 1][0] - two[i][0];
    assert!(fall(4) > 2.0 * fall(2), "{two:?}");
}

#[test]
fn the_command_line_speaks_of_each_stage() {
    let folder = tempfile::tempdir().unwrap();
    let text = "data moons 40\nbase = dense 4 tanh\ndense 1 sigmoid\nloss binary_crossentropy\noptimizer adam\n\
                freeze base\nepochs 2\nthen { epochs 5; batch 7 }\n";
    let overrides = nnc_model::Overrides { epochs: Some(2), ..nnc_model::Overrides::default() };
    let loaded = ok(load(common::spec_with(text, &overrides), &nnc_train::LoadOptions::default()));
    let model = ok(loaded.model(DType::F32));
    let report = ok(train(&loaded, &model, &to(folder.path()), &mut Quiet));
    assert_eq!((report.epochs, report.steps), (4, 2 * 2 + 2 * 6));
    let written = String::from_utf8(bytes(folder.path(), "spec.nn")).unwrap();
    let again = ok(try_load(&written));
    let model = ok(again.model(DType::F32));
    assert_eq!(model.epochs(40), 4, "{written}");
    // What has ended can be made longer; the stages before stay as they were.
    let report = ok(resume(folder.path(), Longer { epochs: Some(3), ..Longer::default() }));
    assert_eq!(report.epochs, 5);
    let over = resume(folder.path(), Longer { epochs: Some(3), ..Longer::default() }).unwrap_err();
    assert!(over.diagnostics[0].help.iter().any(|h| h.contains("in each stage")), "{over:?}");
}

#[test]
fn rates_of_layers_are_pytorchs_parameter_groups() {
    for path in files("torch/rates", 4) {
        let d = difference(&path, str::to_string);
        assert!(d < 1e-9, "{}: {d:e}", path.display());
        let apart = difference(&path, |text| text.replace("rate base 0.1\n", ""));
        assert!(apart > 1e-3, "{}: {apart:e}", path.display());
    }
}

#[test]
fn gradients_are_accumulated_as_a_loop_of_pytorch_does() {
    for path in files("torch/accumulate", 2) {
        let d = difference(&path, str::to_string);
        assert!(d < 1e-9, "{}: {d:e}", path.display());
        let apart = difference(&path, |text| text.replace(" accumulate=4", ""));
        assert!(apart > 1e-3, "{}: {apart:e}", path.display());
    }
}

#[test]
fn pieces_come_to_the_same_as_the_whole_batch() {
    // 90 rows: batches of 40, 40 and 10, each in pieces of 8, the last of them in pieces of 8 and 2.
    let text = "data moons 120 noise=0.2\nsplit valid=25%\ndense 8 tanh\nlayernorm\ndense 1 sigmoid\n\
                loss = binary_crossentropy(output, target) + 0.01 * l2(weights)\nmetrics auc binary_accuracy\n\
                optimizer adam lr=0.02 ema=0.8\nschedule cosine warmup=3\nclip 0.5\nepochs 6\n";
    let run =
        |batch: &str, options: &TrainOptions| rows(&format!("{text}{batch}\n"), DType::F64, options).rows;
    let (whole, pieces) = (run("batch 40", &common::quiet()), run("batch 8 accumulate=5", &common::quiet()));
    for (a, b) in whole.iter().flatten().zip(pieces.iter().flatten()) {
        assert!((a - b).abs() < 1e-12, "{a} and {b}");
    }
    assert_eq!(run("batch 8 accumulate=5", &TrainOptions { threads: 2, ..common::quiet() }), pieces);
    let small = run("batch 8", &common::quiet());
    assert!((small[5][0] - whole[5][0]).abs() > 1e-4);
}

#[test]
fn a_run_in_pieces_goes_on_with_the_same_bits() {
    let text = "data moons 120 noise=0.2\nsplit valid=25%\ndense 8 tanh\nbatchnorm\ndropout 0.3\ndense 1 sigmoid\n\
                loss binary_crossentropy\noptimizer adam\nbatch 8 accumulate=5\n";
    let straight = tempfile::tempdir().unwrap();
    ok(common::run_with(&format!("{text}steps 11\n"), DType::F32, &to(straight.path())));
    for first in [1, 3, 8] {
        let folder = tempfile::tempdir().unwrap();
        ok(common::run_with(&format!("{text}steps {first}\n"), DType::F32, &to(folder.path())));
        let report = ok(resume(folder.path(), Longer { steps: Some(11), ..Longer::default() }));
        assert_eq!((report.steps, report.epochs), (11, 4));
        assert!(
            bytes(folder.path(), "history.csv") == bytes(straight.path(), "history.csv"),
            "after {first}"
        );
    }
    // The command line's batch is that of a piece.
    let overrides = nnc_model::Overrides { batch: Some(4), ..nnc_model::Overrides::default() };
    let program = ok(load(common::spec_with(&format!("{text}steps 2\n"), &overrides), &Default::default()));
    let model = ok(program.model(DType::F32));
    assert_eq!((model.settings.batch, model.settings.piece()), (20, 4));
    let folder = tempfile::tempdir().unwrap();
    ok(train(&program, &model, &to(folder.path()), &mut Quiet));
    let written = String::from_utf8(bytes(folder.path(), "spec.nn")).unwrap();
    assert!(written.contains("batch 4 accumulate=5"), "{written}");
    assert_eq!(ok(resume(folder.path(), Longer { steps: Some(3), ..Longer::default() })).steps, 3);
}
