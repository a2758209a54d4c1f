//! Training from text to files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod common;

use common::{XOR, loaded, ok, quiet, rows, run, run_with, spec_with, to};
use nnc_graph::DType;
use nnc_model::Overrides;
use nnc_train::{
    GradientOptions, InferOptions, LoadOptions, On, ProblemKind, Quiet, StopReason, TrainOptions,
    check_gradients, evaluate, load, open_model, predict, train,
};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const MOONS: &str = "\
data moons 120 noise=0.1
split valid=25% test=25%
dense 12 tanh
dropout 0.1
dense 1 sigmoid
loss binary_crossentropy
optimizer adam lr=0.02
metrics binary_accuracy
batch 16
epochs 30
";

/// XOR that is learned soon.
fn fast_xor() -> String {
    XOR.replace("optimizer adam", "optimizer adam lr=0.05").replace("loss mse", "loss binary_crossentropy")
}

#[test]
fn xor_is_learned() {
    let report = run(&fast_xor(), &quiet());
    assert_eq!(report.epochs, 500);
    assert_eq!(report.steps, 500);
    assert_eq!(report.weights, 65);
    assert_eq!(report.stop, StopReason::Finished);
    let said: Vec<f64> = report.rows.rows.iter().map(|r| r.outputs[0].values[0].round()).collect();
    assert_eq!(said, [0.0, 1.0, 1.0, 0.0]);
    let inputs: Vec<f64> = report.rows.rows[2].inputs.iter().map(|r| r.values[0]).collect();
    assert_eq!(inputs, [1.0, 0.0]);
    assert_eq!(report.rows.rows[2].targets[0].values, [1.0]);
    assert_eq!(report.figures.metrics, [("binary_accuracy".to_string(), 1.0)]);
}

#[test]
fn the_same_seed_is_the_same_bits_for_any_threads() {
    for text in [XOR, MOONS] {
        let mut files = Vec::new();
        for threads in [1, 1, 2] {
            let folder = tempfile::tempdir().unwrap();
            run(text, &TrainOptions { threads, ..to(folder.path()) });
            let model = std::fs::read(folder.path().join("model.safetensors")).unwrap();
            files.push((model, std::fs::read(folder.path().join("history.csv")).unwrap()));
        }
        assert!(files[0] == files[1], "twice");
        assert!(files[0] == files[2], "two threads");
    }
}

#[test]
fn another_seed_is_another_network() {
    let losses: Vec<f64> =
        [0, 1].iter().map(|s| run(&format!("{XOR}seed {s}"), &quiet()).figures.loss).collect();
    assert_ne!(losses[0], losses[1]);
}

#[test]
fn the_history_reads_back_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let seen = rows(MOONS, DType::F32, &to(folder.path()));
    assert_eq!(seen.names, ["loss", "binary_accuracy", "val_loss", "val_binary_accuracy"]);
    let text = std::fs::read_to_string(folder.path().join("history.csv")).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("epoch,loss,binary_accuracy,val_loss,val_binary_accuracy"));
    let mut count = 0;
    for (line, row) in lines.zip(&seen.rows) {
        let cells: Vec<f64> = line.split(',').skip(1).map(|c| c.parse().unwrap()).collect();
        assert_eq!(
            cells.iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
            row.iter().map(|x| x.to_bits()).collect::<Vec<_>>()
        );
        count += 1;
    }
    assert_eq!(count, 30);
}

#[test]
fn a_batch_that_does_not_divide_the_rows() {
    // With a learning rate of 0 the loss of an epoch is the mean over all rows, however they are batched.
    let text = "data moons 10 noise=0.1\ndense 1 sigmoid\nloss mse\noptimizer sgd lr=1e-30\nepochs 2\nbatch ";
    let losses: Vec<f64> = [1, 3, 4, 10, 32]
        .iter()
        .map(|b| run_with(&format!("{text}{b}"), DType::F64, &quiet()).unwrap().figures.loss)
        .collect();
    for loss in &losses {
        assert!((loss - losses[0]).abs() < 1e-14, "{losses:?}");
    }
    let report = run(&format!("{text}4"), &quiet());
    assert_eq!(report.steps, 6);
}

#[test]
fn steps_may_end_within_an_epoch() {
    let text = MOONS.replace("epochs 30", "steps 7");
    let seen = rows(&text, DType::F32, &quiet());
    assert_eq!(seen.rows.len(), 2, "four steps and three");
    let report = run(&text, &quiet());
    assert_eq!((report.steps, report.epochs), (7, 2));
}

#[test]
fn stop_rules_end_a_run() {
    let report = run(&format!("{}\nstop when binary_accuracy >= 1", fast_xor()), &quiet());
    assert!(report.epochs < 500);
    assert_eq!(report.stop, StopReason::Holds("binary_accuracy >= 1".into()));
    let report = run(&format!("{MOONS}\nstop when val_binary_accuracy stalls for 3"), &quiet());
    assert!(report.epochs < 30, "{}", report.epochs);
    assert!(matches!(report.stop, StopReason::Stalled { patience: 3, .. }));
}

#[test]
fn the_best_epoch_is_what_the_metric_calls_better() {
    for (way, extreme) in [("lower", f64::min as fn(f64, f64) -> f64), ("higher", f64::max)] {
        let text = MOONS.replace("lr=0.02", "lr=0.2").replace("metrics binary_accuracy", "metrics off");
        let text =
            format!("fn off(y, target) with better={way} = max(abs(y - target))\n{text}\nsave best=val_off");
        let seen = rows(&text, DType::F32, &quiet());
        let column = seen.names.iter().position(|n| n == "val_off").unwrap();
        let values = seen.rows.iter().map(|row| row[column]);
        let best = run(&text, &quiet()).best.unwrap();
        assert_eq!(Some(best.value), values.reduce(extreme), "{way}");
    }
}

#[test]
fn the_best_epoch_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{}\nsave best=val_loss\nsave every=10", MOONS.replace("lr=0.02", "lr=0.2"));
    let seen = rows(&text, DType::F32, &to(folder.path()));
    let losses: Vec<f64> = seen.rows.iter().map(|r| r[2]).collect();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let report = run(&text, &to(folder.path()));
    let kept = report.best.unwrap();
    assert_eq!(kept.value, best);
    assert_eq!(losses[kept.epoch as usize - 1], best);
    assert_eq!(report.valid.unwrap().loss, best, "the final weights are those of that epoch");
    let model = ok(open_model(folder.path()));
    assert_eq!(model.epoch, kept.epoch);
    let measured = ok(evaluate(&model, Some(On::Valid), &InferOptions::default()));
    assert_eq!(measured.figures.loss, best);
    for epoch in [10, 20, 30] {
        assert!(folder.path().join(format!("model-{epoch}.safetensors")).is_file());
    }
}

#[test]
fn a_model_file_is_all_that_prediction_needs() {
    let folder = tempfile::tempdir().unwrap();
    let report = run(&fast_xor(), &to(&folder.path().join("run")));
    let alone = folder.path().join("alone.safetensors");
    std::fs::rename(folder.path().join("run/model.safetensors"), &alone).unwrap();
    let model = ok(open_model(&alone));
    let own = ok(predict(&model, &InferOptions::default()));
    assert_eq!(own, report.rows);
    let rows = folder.path().join("rows.csv");
    std::fs::write(&rows, "0,1\n1,1\n").unwrap();
    let data = Some(rows.to_string_lossy().into_owned());
    let said = ok(predict(&model, &InferOptions { data, ..InferOptions::default() }));
    assert_eq!(said.rows.len(), 2);
    assert!(said.targets.is_empty());
    assert_eq!(said.rows[0].outputs, own.rows[1].outputs);
    assert_eq!(said.rows[1].outputs, own.rows[3].outputs);
}

#[test]
fn evaluation_after_training_is_what_training_said() {
    let folder = tempfile::tempdir().unwrap();
    let report = run(MOONS, &to(folder.path()));
    let model = ok(open_model(folder.path()));
    let test = ok(evaluate(&model, None, &InferOptions { threads: 2, ..InferOptions::default() }));
    assert_eq!(test.on, "test");
    assert_eq!(Some(test.figures), report.test);
    let all = ok(evaluate(&model, Some(On::All), &InferOptions::default()));
    assert_eq!(all.rows, 120);
    assert!(all.figures.loss.is_finite());
}

#[test]
fn the_resolved_program_trains_to_the_same_weights() {
    let folder = tempfile::tempdir().unwrap();
    let text = "param hidden = 4\nparam act = relu\nexperiment wide hidden=8 act=tanh\n\
                data { 0 0 -> 0; 0 1 -> 1; 1 0 -> 1; 1 1 -> 0 }\ndense hidden act\ndense 1 sigmoid\nloss mse\nepochs 3\n";
    let overrides = Overrides {
        experiment: Some("wide".into()),
        set: vec![("hidden".into(), "5".into())],
        epochs: Some(4),
        seed: Some(9),
        ..Overrides::default()
    };
    let loaded = ok(load(spec_with(text, &overrides), &LoadOptions::default()));
    let model = ok(loaded.model(DType::F32));
    let report = ok(train(&loaded, &model, &to(folder.path()), &mut Quiet));
    assert_eq!((report.epochs, report.seed, report.weights), (4, 9, 21));
    let again = std::fs::read_to_string(folder.path().join("spec.nn")).unwrap();
    let second = run(&again, &quiet());
    assert_eq!(second.figures, report.figures);
    assert_eq!(second.rows, report.rows);
    let opened = ok(open_model(folder.path()));
    assert_eq!(ok(predict(&opened, &InferOptions::default())), report.rows);
}

#[test]
fn the_resolved_program_names_the_file_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("own.csv");
    std::fs::write(&csv, "0,0,1\n0,1,0\n1,0,0\n1,1,1\n").unwrap();
    let options = LoadOptions { data: Some(csv.to_string_lossy().into_owned()), ..LoadOptions::default() };
    let none = "dense 2 tanh\ndense 1\nloss mse\nepochs 3\n";
    let rows = format!("data {{ 0 0 -> 0; 0 1 -> 1 }}\nvalid {{ 0 0 -> 0 }}\n{none}");
    let file = format!("data \"other.csv\" {{\n  input rest standardize\n  target c3\n}}\n{none}");
    for text in [none, &rows, &file] {
        let loaded = ok(load(common::spec(text), &options));
        let model = ok(loaded.model(DType::F32));
        let report = ok(train(&loaded, &model, &to(folder.path()), &mut Quiet));
        let again = std::fs::read_to_string(folder.path().join("spec.nn")).unwrap();
        assert_eq!(run(&again, &quiet()).rows, report.rows, "{again}");
    }
}

#[test]
fn weights_of_a_file_are_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let first = run(XOR, &to(folder.path()));
    let init = Some(folder.path().join("model.safetensors"));
    let frozen = XOR.replace("optimizer adam", "optimizer sgd lr=1e-30").replace("epochs 500", "epochs 1");
    let second = run(&frozen, &TrainOptions { init: init.clone(), ..quiet() });
    assert_eq!(first.rows.rows, second.rows.rows);
    let wide = XOR.replace("dense 16", "hidden = dense 8");
    let problem = run_with(&wide, DType::F32, &TrainOptions { init, ..quiet() }).unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Data);
    let notes = problem.diagnostics[0].notes.join("\n");
    assert!(notes.contains("[2,16]") || notes.contains("not in the file"), "{notes}");
    let nothing = Some(folder.path().join("none.safetensors"));
    let problem = run_with(XOR, DType::F32, &TrainOptions { init: nothing, ..quiet() }).unwrap_err();
    assert_eq!((problem.kind, problem.exit_code()), (ProblemKind::Io, 2));
}

#[test]
fn an_interrupt_finishes_the_step_and_saves() {
    let folder = tempfile::tempdir().unwrap();
    let interrupt = Arc::new(AtomicBool::new(true));
    let report = run(MOONS, &TrainOptions { interrupt, ..to(folder.path()) });
    assert!(report.interrupted());
    assert_eq!(report.steps, 1);
    assert!(folder.path().join("history.csv").is_file());
    assert_eq!(ok(open_model(folder.path())).step, 1);
}

#[test]
fn a_loss_that_is_no_number_is_explained() {
    let text = "data { 0 0 -> 0; 0 1 -> 1; 1 0 -> 1; 1 1 -> 0 }\nhidden = dense 16 relu\ndense 1 relu\n\
                loss = mean(-log(output) * target)\noptimizer adam lr=0.1\nepochs 50\n";
    let problem = run_with(text, DType::F32, &quiet()).unwrap_err();
    assert_eq!((problem.kind, problem.exit_code()), (ProblemKind::Diverged, 1));
    let d = &problem.diagnostics[0];
    assert_eq!(d.code.name(), "N0601");
    let place = problem.sources.place(d.labels[0].span);
    assert!(place.starts_with("test.nn:4:"), "{place} {d:#?}");
    assert!(d.labels[0].text.contains("log"), "{d:#?}");
    assert!(d.notes.iter().any(|n| n.starts_with("from: log")), "{d:#?}");
    assert!(d.notes.iter().any(|n| n.starts_with("size of the gradient")), "{d:#?}");
}

#[test]
fn steps_that_are_too_large_are_explained() {
    let text = "data moons 64 noise=0.1\ndense 16 relu\ndense 1\nloss mse\noptimizer sgd lr=1e6\nbatch 8\nepochs 50\n";
    let once = run_with(text, DType::F32, &quiet()).unwrap_err();
    let twice = run_with(text, DType::F32, &quiet()).unwrap_err();
    assert_eq!(once.diagnostics, twice.diagnostics);
    assert_eq!(once.diagnostics[0].code.name(), "N0601");
    assert!(!once.diagnostics[0].labels.is_empty(), "{:#?}", once.diagnostics[0]);
}

#[test]
fn more_memory_than_allowed_is_said_before() {
    let options = TrainOptions { memory_limit: Some(1000), ..quiet() };
    let problem = run_with(XOR, DType::F32, &options).unwrap_err();
    assert_eq!((problem.kind, problem.diagnostics[0].code.name()), (ProblemKind::Memory, "N0707"));
}

#[test]
fn gradients_agree_with_differences() {
    for text in [XOR, &MOONS.replace("dropout 0.1\n", "")] {
        let report = ok(check_gradients(&loaded(text), &GradientOptions::default()));
        assert!(report.max_relative < 1e-5, "{report:#?}");
        assert!(report.tensors.iter().all(|t| t.checked == t.total.min(200)));
    }
}

/// Differences see every way from a weight to the loss; those that the program closed are held still.
#[test]
fn gradients_stop_where_the_program_says_so() {
    let data = "data { 0 0.2 -> 0; 0.3 1 -> 1; 1 0.1 -> 1; 1 0.9 -> 0 }\n";
    for network in [
        // A discriminator's side of a game, and what the other player gets of it backwards.
        "h = dense 4 tanh\nback = stop_gradient(2 * h) - h\nback -> dense 3 tanh\ndense 1 sigmoid\nloss mse\n",
        // A target network: the error itself is differentiated on one side only.
        "h = dense 4 tanh\ngoal = stop_gradient((h -> dense 1))\nh -> dense 1\nloss = mean((output - goal - target)^2)\n",
        // In every step of a loop.
        "reshape 2x1\nscan x in it with h = zeros([3]) { s = concat(x, stop_gradient(h)^2 + h); h = s -> dense 3 tanh }\nh -> dense 1\nloss mse\n",
    ] {
        let report = ok(check_gradients(
            &loaded(&format!("{data}{network}optimizer sgd\n")),
            &GradientOptions::default(),
        ));
        assert!(report.max_relative < 1e-6, "{network}{report:#?}");
    }
    // The numbers behind it move with the weights all the same: without holding them the two disagree.
    let text =
        format!("{data}h = dense 4 tanh\nback = stop_gradient(2 * h) - h\nback -> dense 1\nloss mse\n");
    let report = ok(check_gradients(&loaded(&text), &GradientOptions::default()));
    assert!(report.tensors[0].checked == 8 && report.max_relative < 1e-6, "{report:#?}");
}

#[test]
fn rows_may_have_weights() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("w.csv");
    std::fs::write(&csv, "x,n,y\n0,1,0\n1,3,1\n2,0,5\n").unwrap();
    let text = format!(
        "data \"{}\" {{\n  weight n\n  target y\n  input x\n}}\ndense 1\nloss mse\noptimizer sgd lr=1e-30\nepochs 1\n",
        csv.display()
    );
    let report = ok(run_with(&text, DType::F64, &quiet()));
    let error = |i: usize| {
        let row = &report.rows.rows[i];
        (row.outputs[0].values[0] - row.targets[0].values[0]).powi(2)
    };
    let expected = (error(0) + 3.0 * error(1)) / 3.0;
    assert!((report.figures.loss - expected).abs() < 1e-12);
}
