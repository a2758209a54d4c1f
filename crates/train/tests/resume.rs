//! A run that was stopped and goes on is the run that was never stopped.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{loaded, ok, to};
use nnc_graph::DType;
use nnc_train::{
    LoadOptions, Longer, Observer, Progress, Quiet, StopReason, TrainOptions, load, open_checkpoint, train,
};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Everything that a run remembers: random numbers, states, slots, the best weights, averages of them, patience, a
/// rate that fell, sums of metrics.
const ALL: &str = "\
data moons 150 noise=0.2
split valid=25%
dense 12 tanh
batchnorm
dropout 0.2
dense 1 sigmoid
loss binary_crossentropy
optimizer adam lr=0.02 ema=0.9
schedule plateau factor=0.5 patience=2
metrics binary_accuracy precision auc
batch 16
epochs 30
stop when val_loss stalls for 8
save best=val_loss
";

/// Raises the flag after some steps.
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

    fn progress(&mut self, _: &Progress<'_>) {}
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    ["model.safetensors", "history.csv", "spec.nn"].map(|f| std::fs::read(folder.join(f)).unwrap()).into()
}

fn resume(folder: &Path, longer: Longer, options: &TrainOptions) -> nnc_train::Outcome<nnc_train::Report> {
    let checkpoint = open_checkpoint(folder, longer)?;
    let loaded = load(checkpoint.spec.clone(), &checkpoint.origin)?;
    let model = loaded.model(checkpoint.float)?;
    let options =
        TrainOptions { shuffle: checkpoint.shuffle, resume: Some(Rc::new(checkpoint)), ..options.clone() };
    train(&loaded, &model, &options, &mut Quiet)
}

#[test]
fn a_run_that_was_stopped_has_the_bits_of_one_that_was_not() {
    let mixed = ALL.replace("noise=0.2", "noise=0.2 mixup=0.4");
    for (float, text) in [(DType::F32, ALL), (DType::F64, ALL), (DType::F32, &mixed)] {
        let straight = tempfile::tempdir().unwrap();
        let program = loaded(text);
        let model = ok(program.model(float));
        let whole = ok(train(&program, &model, &to(straight.path()), &mut Quiet));
        assert!(whole.epochs > 8, "too short to be stopped");
        let per_epoch = whole.steps / whole.epochs;
        // Within the first epoch, and at the end of the first and of a later one.
        for stop in [0, 1, 5] {
            let folder = tempfile::tempdir().unwrap();
            let interrupt = Arc::new(AtomicBool::new(stop == 0));
            let options = TrainOptions { interrupt: interrupt.clone(), ..to(folder.path()) };
            let mut observer = StopAfter { epochs: stop, flag: interrupt };
            let report = ok(train(&program, &model, &options, &mut observer));
            assert!(report.interrupted());
            assert_eq!(report.steps, if stop == 0 { 1 } else { stop * per_epoch });
            let two = TrainOptions { threads: 2, ..TrainOptions::default() };
            let report = ok(resume(folder.path(), Longer::default(), &two));
            assert_eq!(report.resumed_at, if stop == 0 { 1 } else { stop * per_epoch });
            assert_eq!((report.epochs, report.steps, &report.stop), (whole.epochs, whole.steps, &whole.stop));
            assert_eq!(report.best, whole.best);
            assert!(files(folder.path()) == files(straight.path()), "stopped in or after epoch {stop}");
        }
    }
}

#[test]
fn a_memory_of_gradients_is_kept() {
    let text = "data moons 150 noise=0.2\ndense 8 tanh\nbatchnorm\ndense 1 sigmoid\nloss binary_crossentropy\n\
                optimizer lbfgs max_iter=4 history_size=7\nbatch all\n";
    for float in [DType::F32, DType::F64] {
        let straight = tempfile::tempdir().unwrap();
        ok(common::run_with(&format!("{text}epochs 6\n"), float, &to(straight.path())));
        for first in [1, 2, 5] {
            let folder = tempfile::tempdir().unwrap();
            ok(common::run_with(&format!("{text}epochs {first}\n"), float, &to(folder.path())));
            let two = TrainOptions { threads: 2, ..TrainOptions::default() };
            let report = ok(resume(folder.path(), Longer { epochs: Some(6), ..Longer::default() }, &two));
            assert_eq!((report.epochs, report.resumed_at), (6, first));
            assert_eq!(files(folder.path())[1], files(straight.path())[1], "history, after {first} epochs");
        }
    }
}

#[test]
fn steps_within_an_epoch_go_on_where_they_were() {
    // 70 rows, batches of 16: 5 steps an epoch, the last one partial.
    let text = "data blobs 70 classes=3\ndense 8 relu\ndense 3 softmax\nloss crossentropy\noptimizer adam\nbatch 16\n";
    let straight = tempfile::tempdir().unwrap();
    ok(common::run_with(&format!("{text}steps 23\n"), DType::F32, &to(straight.path())));
    for first in [1, 4, 5, 13, 22] {
        let folder = tempfile::tempdir().unwrap();
        ok(common::run_with(&format!("{text}steps {first}\n"), DType::F32, &to(folder.path())));
        let longer = Longer { steps: Some(23), ..Longer::default() };
        let report = ok(resume(folder.path(), longer, &TrainOptions::default()));
        assert_eq!((report.steps, report.stop), (23, StopReason::Finished));
        assert_eq!(files(folder.path())[1], files(straight.path())[1], "history, after {first} steps");
        let weights = |p: &Path| {
            let bytes = std::fs::read(p.join("model.safetensors")).unwrap();
            let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            bytes[8 + header..].to_vec()
        };
        assert!(weights(folder.path()) == weights(straight.path()), "weights, after {first} steps");
    }
}

#[test]
fn what_cannot_go_on_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let code = |problem: Box<nnc_train::Problem>| problem.diagnostics[0].code.to_string();
    let missing = open_checkpoint(folder.path(), Longer::default()).map(drop).unwrap_err();
    assert_eq!(missing.exit_code(), 2);
    let data = folder.path().join("d.csv");
    std::fs::write(&data, "a,y\n0,0\n1,1\n2,2\n").unwrap();
    let text = "data \"d.csv\"\ndense 1\nloss mse\noptimizer sgd\nepochs 3\n";
    let options = LoadOptions { base: folder.path().to_path_buf(), ..LoadOptions::default() };
    let program = ok(load(common::spec(text), &options));
    let run = folder.path().join("run");
    let model = ok(program.model(DType::F32));
    ok(train(&program, &model, &to(&run), &mut Quiet));
    let done = resume(&run, Longer::default(), &TrainOptions::default()).unwrap_err();
    assert_eq!(code(done), "N0605");
    std::fs::write(&data, "a,y\n0,0\n1,1\n5,2\n").unwrap();
    let longer = Longer { epochs: Some(5), ..Longer::default() };
    let changed = resume(&run, longer, &TrainOptions::default()).unwrap_err();
    assert_eq!(code(changed), "N0513");
    let path = run.join("checkpoint.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    for end in [0, 7, 100, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..end]).unwrap();
        let damaged = open_checkpoint(&run, longer).map(drop).unwrap_err();
        assert_eq!(damaged.exit_code(), 2, "{end} bytes");
    }
    std::fs::remove_file(&path).unwrap();
    assert_eq!(code(open_checkpoint(&run, longer).map(drop).unwrap_err()), "N0605");
}

#[test]
fn rows_on_disk_keep_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..30_000u32).map(|i| format!("{},{}\n", i * 7 % 1009, i % 2)).collect();
    std::fs::write(folder.path().join("t.csv"), format!("a,y\n{rows}")).unwrap();
    let text = "data \"t.csv\" { target y; input rest standardize }\ndense 4 relu\ndense 1\nloss mse\noptimizer adam\n\
                batch 64\nepochs 2\n";
    let base = folder.path().to_path_buf();
    let tight = LoadOptions { base, memory_limit: Some(600_000), ..LoadOptions::default() };
    let program = ok(load(common::spec(text), &tight));
    assert!(program.data.train.is_on_disk());
    let model = ok(program.model(DType::F32));
    let (straight, stopped) = (folder.path().join("straight"), folder.path().join("stopped"));
    ok(train(&program, &model, &to(&straight), &mut Quiet));
    let interrupt = Arc::new(AtomicBool::new(true));
    ok(train(&program, &model, &TrainOptions { interrupt, ..to(&stopped) }, &mut Quiet));
    ok(resume(&stopped, Longer::default(), &TrainOptions::default()));
    assert!(files(&stopped)[..2] == files(&straight)[..2]);
    // With another limit the rows would come in another order.
    let checkpoint = ok(open_checkpoint(&straight, Longer { epochs: Some(3), ..Longer::default() }));
    let wide =
        ok(load(checkpoint.spec.clone(), &LoadOptions { memory_limit: None, ..checkpoint.origin.clone() }));
    let model = ok(wide.model(checkpoint.float));
    let options = TrainOptions { resume: Some(Rc::new(checkpoint)), ..TrainOptions::default() };
    let problem = train(&wide, &model, &options, &mut Quiet).unwrap_err();
    assert_eq!((problem.diagnostics[0].code.name(), problem.exit_code()), ("N0605", 2));
}
