//! The way through: train, evaluate, predict.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Place, command, ran, specs};
use serde_json::Value;
use std::time::{Duration, Instant};

/// The numbers of the only column of a CSV.
fn column(csv: &str) -> Vec<f64> {
    csv.lines().skip(1).map(|line| line.parse().unwrap()).collect()
}

/// A place with the XOR program trained for long, as run `run`.
fn trained() -> Place {
    let place = Place::new();
    place.spec("xor.nn");
    place.nnc(&["train", "xor.nn", "--epochs", "4000", "--out", "run", "-q"]).fine();
    place
}

#[test]
fn xor_is_learned() {
    let place = trained();
    for target in ["run", "run/model.safetensors"] {
        let out = place.nnc(&["predict", target, "--round"]).fine();
        assert_eq!(out, "output\n0\n1\n1\n0\n", "{target}");
    }
    let exact = column(&place.nnc(&["predict", "run"]).fine());
    let rounded: Vec<f64> = exact.iter().map(|x| x.round()).collect();
    assert_eq!(rounded, [0.0, 1.0, 1.0, 0.0]);
    assert!(exact.iter().all(|x| *x > 0.0 && *x < 1.0));
}

#[test]
fn the_result_is_on_stdout_and_the_conversation_on_stderr() {
    let place = Place::new();
    place.spec("xor.nn");
    let ran = place.nnc(&["train", "xor.nn"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for word in ["loss ", "binary_accuracy ", "500 epochs, 500 steps", "run: ", "prediction"] {
        assert!(ran.out.contains(word), "{word}: {}", ran.out);
    }
    for epoch in [1, 2, 5, 10, 20, 50, 100, 200, 500] {
        assert!(ran.err.contains(&format!("epoch {epoch:>3}/500")), "{epoch}: {}", ran.err);
    }
    assert_eq!(ran.err.matches("epoch ").count(), 10, "{}", ran.err);
    assert!(!ran.err.contains(['\r', '\u{1b}']), "{}", ran.err);
    assert!(place.path("runs/xor/1/model.safetensors").is_file());
    assert!(place.path("runs/xor/1/history.csv").is_file());
}

#[test]
fn quiet_prints_one_line() {
    let place = Place::new();
    place.spec("xor.nn");
    let ran = place.nnc(&["train", "xor.nn", "-q", "--epochs", "3"]);
    assert_eq!(ran.err, "");
    assert_eq!(ran.out.lines().count(), 1);
    assert!(ran.out.starts_with("loss "));
}

#[test]
fn json_is_one_object() {
    let place = Place::new();
    place.spec("moons.nn");
    let result = place.nnc(&["train", "moons.nn", "--json", "--epochs", "3"]).json();
    for key in ["loss", "seconds"] {
        assert!(result[key].is_f64(), "{key}: {result}");
    }
    assert_eq!(result["epochs"], 3);
    assert_eq!(result["steps"], 3 * 19);
    assert_eq!(result["weights"], 337);
    assert!(result["metrics"]["binary_accuracy"].is_number());
    assert!(result["val"]["loss"].is_number() && result["val"]["metrics"]["binary_accuracy"].is_number());
    assert_eq!(result["stopped"], Value::Null);
    assert!(place.path(result["run"].as_str().unwrap()).is_dir());
}

#[test]
fn a_condition_ends_the_training() {
    let place = Place::new();
    place.spec("xor-experiments.nn");
    let args = ["train", "xor-experiments.nn", "--as", "wide", "--set", "hidden=64", "--json"];
    let result = place.nnc(&args).json();
    assert!(result["stopped"].as_str().unwrap().contains("binary_accuracy"), "{result}");
    assert!(result["epochs"].as_u64().unwrap() < 20_000);
    assert_eq!(result["weights"], 64 * 4 + 1);
}

#[test]
fn one_line_and_a_table_are_enough() {
    let place = Place::new();
    place.write("xor.csv", "a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n");
    let program = "dense 16 relu; dense 1 sigmoid; loss mse; optimizer adam";
    let ran = place.nnc(&["train", "-e", program, "--data", "xor.csv", "--out", "run"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("100 epochs"), "{}", ran.err);
    // The table came from outside, and may come from stdin as well.
    let file = place.nnc(&["predict", "run", "--data", "xor.csv"]).fine();
    let piped = place.nnc_with(&["predict", "run", "--data", "-"], "a,b\n0,0\n0,1\n1,0\n1,1\n").fine();
    assert_eq!(file, piped);
    assert_eq!(column(&file).len(), 4);
}

#[test]
fn a_program_may_come_from_stdin() {
    let place = Place::new();
    let text = std::fs::read_to_string(specs().join("xor.nn")).unwrap();
    let out = place.nnc_with(&["train", "-", "--epochs", "2", "-q", "--out", "run"], &text).fine();
    assert!(out.starts_with("loss "));
}

#[test]
fn evaluation_and_prediction_agree() {
    let place = trained();
    let result = place.nnc(&["eval", "run", "--json"]).json();
    let predictions = column(&place.nnc(&["predict", "run"]).fine());
    let loss: f64 = predictions.iter().zip([0.0, 1.0, 1.0, 0.0]).map(|(p, t)| (p - t) * (p - t)).sum();
    assert!((result["loss"].as_f64().unwrap() - loss / 4.0).abs() < 1e-6, "{result}");
    assert_eq!(result["metrics"]["binary_accuracy"], 1.0);
    assert_eq!(result["rows"], 4);
    let told = place.nnc(&["eval", "run", "--on", "train"]).fine();
    assert!(told.starts_with("loss ") && told.contains("binary_accuracy 1"), "{told}");

    let rows = place.nnc(&["predict", "run", "--json", "--full"]).json();
    let rows = rows["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    for (row, expected) in rows.iter().zip(&predictions) {
        assert!((row["output"].as_f64().unwrap() - expected).abs() < 1e-9, "{row}");
    }
}

#[test]
fn a_program_stands_for_its_newest_run() {
    let place = Place::new();
    place.spec("xor.nn");
    for seed in ["1", "2"] {
        place.nnc(&["train", "xor.nn", "-q", "--epochs", "2", "--seed", seed]).fine();
    }
    let newest = place.nnc(&["predict", "xor.nn"]).fine();
    assert_eq!(newest, place.nnc(&["predict", "runs/xor/2"]).fine());
    assert_ne!(newest, place.nnc(&["predict", "runs/xor/1"]).fine());
}

#[test]
fn the_same_seed_gives_the_same_bytes_for_any_number_of_threads() {
    let place = Place::new();
    place.spec("moons.nn");
    let mut files = Vec::new();
    for (out, threads) in [("a", "1"), ("b", "1"), ("c", "2"), ("d", "7")] {
        let args = ["train", "moons.nn", "-q", "--epochs", "5", "--threads", threads, "--out", out];
        place.nnc(&args).fine();
        files.push(std::fs::read(place.path(out).join("model.safetensors")).unwrap());
    }
    assert!(files.iter().all(|file| *file == files[0]));
}

#[test]
fn classes_have_names_and_probabilities() {
    let place = Place::new();
    let mut text = String::from("size,kind\n");
    for i in 0..40 {
        text.push_str(&format!("{},{}\n", i, if i < 20 { "small" } else { "\"big, very\"" }));
    }
    place.write("things.csv", &text);
    let program = "data \"things.csv\" { input size standardize }; dense 2 softmax; loss crossentropy; \
                   optimizer adam lr=0.1; metrics accuracy";
    place.nnc(&["train", "-e", program, "--out", "run", "-q"]).fine();
    let csv = place.nnc(&["predict", "run", "--round"]).fine();
    assert!(csv.contains("\nsmall\n") && csv.contains("\n\"big, very\"\n"), "{csv}");
    let csv = place.nnc(&["predict", "run"]).fine();
    assert_eq!(csv.lines().next().unwrap().split(".small").count(), 2, "{csv}");
}

#[test]
fn ctrl_c_saves_and_ends_with_130() {
    let place = Place::new();
    place.spec("xor.nn");
    let args = ["train", "xor.nn", "--epochs", "1000000000", "--out", "run", "--json"];
    let child = command(&place.path(""), &args).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    let pid = child.id().to_string();
    std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
    let started = Instant::now();
    let ran = ran(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 130, "{}", ran.err);
    assert!(started.elapsed() < Duration::from_secs(5));
    let result: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(result["stopped"], "interrupted");
    assert!(place.path("run/model.safetensors").is_file());
    place.nnc(&["predict", "run"]).fine();
}

#[test]
fn a_run_goes_on() {
    let place = Place::new();
    place.spec("xor.nn");
    place.nnc(&["train", "xor.nn", "--epochs", "700", "--out", "whole", "-q"]).fine();
    place.nnc(&["train", "xor.nn", "-q"]).fine();
    let ran = place.nnc(&["resume", "xor.nn", "--epochs", "700"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("700 epochs, 700 steps, the last 200 in "), "{}", ran.out);
    assert!(ran.err.contains("going on after step 500"), "{}", ran.err);
    let history = |run: &str| std::fs::read_to_string(place.path(run).join("history.csv")).unwrap();
    assert_eq!(history("runs/xor/1"), history("whole"));
    let again = place.nnc(&["resume", "runs/xor/1"]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("this run has done its 700 steps"), "{}", again.err);
}

#[test]
fn the_run_of_another_program_is_not_written_over() {
    let place = Place::new();
    let net = |n: u32| format!("data {{ 0 1 -> 1; 1 0 -> 0 }}\ndense {n}\ndense 1\nloss mse\nepochs 1\n");
    place.write("a.nn", &net(2));
    place.write("b.nn", &net(3));
    place.nnc(&["train", "a.nn", "-q", "--out", "run"]).fine();
    let model = || std::fs::read(place.path("run").join("model.safetensors")).unwrap();
    let first = model();
    let said = place.nnc(&["train", "b.nn", "-q", "--out", "run"]);
    assert_eq!(said.code, 2, "{}", said.err);
    for told in ["`run` holds the run of another program, a.nn", "--out DIR", "--overwrite"] {
        assert!(said.err.contains(told), "{}", said.err);
    }
    assert_eq!(model(), first);
    // The same program, changed, is still the same.
    place.write("a.nn", &net(4));
    place.nnc(&["train", "a.nn", "-q", "--out", "run"]).fine();
    assert_ne!(model(), first);
    place.nnc(&["train", "b.nn", "-q", "--out", "run", "--overwrite"]).fine();
    // Programs without a file are what they say.
    let text = |n: u32| net(n).replace('\n', "; ");
    assert_eq!(place.nnc(&["train", "-e", &text(2), "-q", "--out", "run"]).code, 2);
    place.nnc(&["train", "-e", &text(2), "-q", "--out", "other"]).fine();
    place.nnc(&["train", "-e", &text(2), "-q", "--out", "other", "--epochs", "2"]).fine();
    assert_eq!(place.nnc(&["train", "-e", &text(3), "-q", "--out", "other"]).code, 2);
    // Neither is a file of one's own, nor the folds of another program.
    std::fs::create_dir(place.path("mine")).unwrap();
    place.write("mine/spec.nn", &net(1));
    let said = place.nnc(&["train", "a.nn", "-q", "--out", "mine"]);
    assert!(said.code == 2 && said.err.contains("is of no run"), "{}", said.err);
    place.nnc(&["train", "a.nn", "-q", "--folds", "2", "--out", "folds"]).fine();
    assert_eq!(place.nnc(&["train", "b.nn", "-q", "--folds", "2", "--out", "folds"]).code, 2);
}

#[test]
fn a_parameter_has_one_value() {
    let place = Place::new();
    place.write(
        "p.nn",
        "param hidden = 4\ndata { 0 1 -> 1; 1 0 -> 0 }\ndense hidden\ndense 1\nloss mse\nepochs 1\n",
    );
    for wrong in ["hidden=8,16,32", "hidden=8 -> 16", "hidden=8; 16"] {
        let said = place.nnc(&["train", "p.nn", "-q", "--set", wrong]);
        assert!(said.code == 2 && said.err.contains("value"), "{wrong}: {}", said.err);
    }
    place.nnc(&["train", "p.nn", "-q", "--set", "hidden=8"]).fine();
}

/// An optimizer, a loss, a schedule and a metric can be chosen by parameters.
#[test]
fn parameters_choose_what_trains() {
    let place = Place::new();
    let program = |optimizer: &str, loss: &str| {
        format!(
            "param how = adam in [adam, sgd]\nparam what = mse in [mse, mae]\n\
             data {{ 0 0 -> 0; 0 1 -> 1; 1 0 -> 1; 1 1 -> 0 }}\ndense 4 tanh\ndense 1\n\
             loss {loss}\noptimizer {optimizer} lr=0.1\nschedule cosine\nmetrics {loss}\nepochs 20\n"
        )
    };
    place.write("chosen.nn", &program("how", "what"));
    let loss = |args: &[&str]| {
        let args = [&["train", "--json", "-q", "--overwrite", "--out", "run"], args].concat();
        place.nnc(&args).json()["loss"].as_f64().unwrap()
    };
    let mut seen = Vec::new();
    for (optimizer, what) in [("adam", "mse"), ("sgd", "mse"), ("sgd", "mae")] {
        place.write("plain.nn", &program(optimizer, what));
        let how = format!("how={optimizer}");
        let chosen = loss(&["chosen.nn", "--set", &how, "--set", &format!("what={what}")]);
        assert_eq!(chosen, loss(&["plain.nn"]), "{optimizer} {what}");
        assert!(!seen.contains(&chosen), "{optimizer} {what}");
        seen.push(chosen);
    }
}
