//! A step that is done again is the step of the run, bit for bit.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{loaded, ok, to};
use nnc_artifact::TensorFile;
use nnc_graph::DType;
use nnc_model::Overrides;
use nnc_train::{
    Engine, InferOptions, LoadOptions, Quiet, TrainOptions, explain_row, load, open_model, step_of, train,
};
use std::sync::Arc;

const XOR: &str = "data { 0 0 -> 0; 0 1 -> 1; 1 0 -> 1; 1 1 -> 0 }\ndense 16 relu\ndense 1 sigmoid\nloss mse\n\
                   optimizer adam\nepochs 20\n";
const TABLE: &str = "data blobs 90 classes=3\nsplit valid=20%\ndense 8 tanh\ndense 3 softmax\nloss crossentropy\n\
                     metrics accuracy\noptimizer adamw lr=0.01\nclip 0.5\nschedule plateau factor=0.5 patience=1\n\
                     batch 16\nepochs 8\nsave best=val_loss\n";
const CNN: &str = "data uniform 40 dims=36\nreshape 6x6x1\nconv 4 3x3 relu\nmaxpool\nflatten\ndense 1\nloss = mean((output - mean(input))^2)\n\
                   optimizer sgd lr=0.01 momentum=0.9\nbatch 8\nepochs 4\n";
const LSTM: &str = "data uniform 30 dims=12\nreshape 6x2\nlstm 5\ndense 1\nloss = mean((output - mean(input))^2)\noptimizer rmsprop\nbatch 7\nepochs 4\n";
const NOISY: &str = "data moons 80 noise=0.2 mixup=0.3\ndense 10\nbatchnorm\nrelu\ndropout 0.3\ndense 1 sigmoid\n\
                     loss binary_crossentropy\noptimizer adam lr=0.02\nbatch 16 accumulate=2\nepochs 5\n\
                     then { optimizer sgd lr=0.1; epochs 3 }\n";
const GPT: &str = "data uniform 24 dims=12\nreshape 4x3\ndense 8\npositions\ntransformer 2 causal rate=0.1\nlayernorm\n\
                   flatten\ndense 1\nloss = mean((output - mean(input))^2)\noptimizer adam\nbatch 8\nepochs 4\n";

/// The model file that is written after so many steps.
fn stopped(text: &str, step: u64) -> TensorFile {
    // Steps are counted in each stage: here is the first alone.
    let folder = tempfile::tempdir().unwrap();
    let text = text.split("then {").next().unwrap();
    let spec = common::spec_with(text, &Overrides { steps: Some(step), ..Overrides::default() });
    let program = ok(load(spec, &LoadOptions::default()));
    let model = ok(program.model(DType::F32));
    ok(train(&program, &model, &TrainOptions { threads: 1, ..to(folder.path()) }, &mut Quiet));
    TensorFile::read(&folder.path().join("checkpoint.safetensors"), u64::MAX).unwrap()
}

#[test]
fn a_step_done_again_has_the_bits_of_the_run() {
    for (name, text, steps) in [
        ("xor", XOR, vec![1, 2, 20]),
        ("table", TABLE, vec![1, 5, 6, 33]),
        ("cnn", CNN, vec![1, 5, 19]),
        ("lstm", LSTM, vec![1, 5, 12]),
        ("noisy", NOISY, vec![1, 3, 15]),
        ("gpt", GPT, vec![1, 4, 12]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let program = loaded(text);
        let model = ok(program.model(DType::F32));
        ok(train(&program, &model, &to(folder.path()), &mut Quiet));
        let of = |step: u64| ok(step_of(folder.path(), step, 2, None, &Arc::default())).unwrap();
        for step in steps {
            let found = of(step);
            let wanted = stopped(text, step);
            let mut compared = 0;
            for weight in &found.trace.weights {
                let role = if weight.learned { "weight" } else { "state" };
                let then = &wanted.tensors[&format!("{role}/{}", weight.name)].values;
                let then: Vec<u64> = (0..then.len()).map(|i| then.get(i).unwrap().to_bits()).collect();
                let now: Vec<u64> = weight.after.iter().map(|x| x.to_bits()).collect();
                assert!(then == now, "{name}, step {step}: {}", weight.name);
                compared += now.len();
            }
            assert!(compared > 10 && found.trace.step == step, "{name}");
            assert!(found.trace.loss.is_finite() && !found.trace.rows.is_empty(), "{name}");
            // The next step begins where this one ended.
            if step < found.trace.steps {
                let next = of(step + 1);
                let pairs = found.trace.weights.iter().zip(&next.trace.weights);
                assert!(pairs.into_iter().all(|(a, b)| a.after == b.before), "{name}, step {step}");
            }
        }
    }
}

/// Of plain gradient descent, a step is the gradient times the rate.
#[test]
fn the_gradient_is_that_of_the_step() {
    let text = XOR.replace("optimizer adam", "optimizer sgd lr=0.5").replace("epochs", "batch 3; epochs");
    let folder = tempfile::tempdir().unwrap();
    let program = loaded(&text);
    let model = ok(program.model(DType::F64));
    ok(train(&program, &model, &to(folder.path()), &mut Quiet));
    for step in [1, 2, 9] {
        let trace = ok(step_of(folder.path(), step, 1, None, &Arc::default())).unwrap().trace;
        assert_eq!(trace.rows.len(), if step % 2 == 1 { 3 } else { 1 });
        for w in &trace.weights {
            for ((before, after), g) in w.before.iter().zip(&w.after).zip(&w.gradient) {
                assert!((before - 0.5 * g - after).abs() < 1e-14, "{}: {before} {g} {after}", w.name);
            }
        }
    }
}

#[test]
fn steps_that_are_not_there_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let program = loaded(XOR);
    let model = ok(program.model(DType::F32));
    ok(train(&program, &model, &to(folder.path()), &mut Quiet));
    let problem = step_of(folder.path(), 21, 1, None, &Arc::default()).unwrap_err();
    assert_eq!(problem.diagnostics[0].message, "this training has 20 steps");
}

/// What is said of a row is what the graphs mean: the reference evaluator computes the same.
#[test]
fn a_row_is_explained_by_the_numbers_of_the_reference() {
    for (name, text, layers) in [
        ("xor", XOR, 2),
        ("table", TABLE, 2),
        ("cnn", CNN, 5),
        ("lstm", LSTM, 3),
        ("noisy", NOISY, 4),
        ("gpt", GPT, 7),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let program = loaded(text);
        let model = ok(program.model(DType::F64));
        ok(train(&program, &model, &to(folder.path()), &mut Quiet));
        let trained = ok(open_model(folder.path()));
        let of = |engine| ok(explain_row(&trained, &InferOptions::default(), 3, engine));
        let (ours, theirs) = (of(Engine::Cpu), of(Engine::Reference));
        assert!(ours.layers.len() == layers && ours.remembered, "{name}: {:?}", ours.layers);
        let near = |a: &[f64], b: &[f64]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-9 * b.abs().max(1.0))
        };
        for (a, b) in ours.layers.iter().zip(&theirs.layers) {
            assert!(a.name == b.name && near(&a.values, &b.values), "{name}: {}", a.name);
            assert_eq!(a.values.len(), a.shape.iter().product::<usize>(), "{name}: {}", a.name);
        }
        for (a, b) in ours.figures.iter().zip(&theirs.figures) {
            assert!(near(&[a.1], &[b.1]), "{name}: {a:?} {b:?}");
        }
        for (a, b) in ours.weights.iter().zip(&theirs.weights) {
            assert!(near(&a.gradient, &b.gradient) && near(&a.after, &b.after), "{name}: {}", a.name);
            let moved = a.before != a.after;
            assert!(moved || !a.learned || a.gradient.iter().all(|g| *g == 0.0), "{name}: {}", a.name);
        }
        // The last layer is what the network says.
        let said = ok(nnc_train::predict(&trained, &InferOptions::default()));
        assert!(near(&ours.layers.last().unwrap().values, &said.rows[3].outputs[0].values), "{name}");
    }
    let folder = tempfile::tempdir().unwrap();
    let program = loaded(XOR);
    let model = ok(program.model(DType::F32));
    ok(train(&program, &model, &to(folder.path()), &mut Quiet));
    let trained = ok(open_model(folder.path()));
    let problem = explain_row(&trained, &InferOptions::default(), 4, Engine::Cpu).unwrap_err();
    assert_eq!(problem.diagnostics[0].message, "`the data` has 4 rows, and no row 5");
}
