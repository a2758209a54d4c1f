//! `nnc test` as it is called from a shell.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Place, run, specs};

const XOR: &str = "data { 0 0 -> 0; 0 1 -> 1; 1 0 -> 1; 1 1 -> 0 }\ndense 16 relu; dense 1 sigmoid\n\
    loss mse; optimizer adam; metrics binary_accuracy\nepochs 500\n";

fn with(promises: &str) -> Place {
    let place = Place::new();
    place.write("xor.nn", &format!("{XOR}{promises}"));
    place
}

#[test]
fn our_own_programs_keep_what_they_promise() {
    for name in ["blobs", "moons", "regression", "spiral", "xor", "xor-bce", "xor-experiments"] {
        let ran = run(&specs(), &["test", &format!("{name}.nn")], "");
        assert!(ran.out.contains(": kept: "), "{name}: {}{}", ran.out, ran.err);
        ran.fine();
    }
}

#[test]
fn a_line_for_every_promise() {
    let place = with(
        "expect binary_accuracy >= 1 within 500 epochs in 9 of 10 seeds\n\
         expect loss < 0.000001 within 20 epochs in 2 of 4 seeds\nexpect loss < 0.25 and binary_accuracy >= 1\n",
    );
    let ran = place.nnc(&["test", "xor.nn"]);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!((ran.code, lines.len()), (1, 3), "{}{}", ran.out, ran.err);
    // A seed that can change nothing is not tried.
    let first =
        "xor.nn:5: kept: binary_accuracy >= 1 within 500 epochs in 9 of 10 seeds (9 of 9 tried, after ";
    assert!(lines[0].starts_with(first), "{}", lines[0]);
    let second =
        "xor.nn:6: broken: loss < 0.000001 within 20 epochs in 2 of 4 seeds (0 of 3 tried; seed 0: loss 0.";
    assert!(lines[1].starts_with(second), "{}", lines[1]);
    assert!(lines[1].contains(" after 20 epochs; seed 1: "), "{}", lines[1]);
    assert!(
        lines[2].starts_with("xor.nn:7: kept: loss < 0.25 and binary_accuracy >= 1 (loss 0."),
        "{}",
        lines[2]
    );
    assert!(ran.err.ends_with("2 of 3 promises kept\n"), "{}", ran.err);
    // Nothing is written.
    assert_eq!(std::fs::read_dir(place.path(".")).unwrap().count(), 1);
}

#[test]
fn seeds_and_json() {
    let place = with("expect binary_accuracy >= 1 within 500 epochs in 9 of 10 seeds\n");
    let json = place.nnc(&["test", "xor.nn", "--seeds", "5", "--json"]).json();
    assert_eq!(json["kept"], true);
    let promise = &json["specs"][0]["promises"][0];
    assert_eq!((&promise["need"], &promise["of"], &promise["held"]), (&5.into(), &5.into(), &5.into()));
    assert_eq!(promise["text"], "binary_accuracy >= 1 within 500 epochs in 5 of 5 seeds");
    let seeds: Vec<u64> =
        promise["seeds"].as_array().unwrap().iter().map(|t| t["seed"].as_u64().unwrap()).collect();
    assert_eq!(seeds, [0, 1, 2, 3, 4]);
    // The epoch it names is the first: the training agrees.
    let epoch = promise["seeds"][1]["epoch"].as_u64().unwrap();
    for (epochs, right) in [(epoch, true), (epoch - 1, false)] {
        let args = ["train", "xor.nn", "--seed", "1", "--epochs", &epochs.to_string(), "--json", "-q"];
        let accuracy = place.nnc(&args).json()["metrics"]["binary_accuracy"].as_f64().unwrap();
        assert_eq!(accuracy == 1.0, right, "{epochs} epochs");
    }
}

#[test]
fn seeds_count_up_from_the_programs_own() {
    let place = with("seed 7\nexpect loss < 1 in 2 of 2 seeds\n");
    let json = place.nnc(&["test", "xor.nn", "--json"]).json();
    let seeds = &json["specs"][0]["promises"][0]["seeds"];
    assert_eq!((&seeds[0]["seed"], &seeds[1]["seed"]), (&7.into(), &8.into()));
    // What is said of the last seed is what its training says.
    let loss =
        place.nnc(&["train", "xor.nn", "--seed", "8", "--json", "-q"]).json()["loss"].as_f64().unwrap();
    let said = seeds[1]["figures"]["loss"].as_f64().unwrap();
    assert!((said - loss).abs() < 1e-6, "{said} {loss}");
}

#[test]
fn a_loss_that_is_no_number_breaks_a_promise() {
    let place = Place::new();
    place.write(
        "bad.nn",
        "data { 1 -> 1; 2 -> 4 }\ndense 1\nloss mse; optimizer sgd lr=1e30\nepochs 50\nexpect loss < 1\n",
    );
    let ran = place.nnc(&["test", "bad.nn"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_eq!(ran.out, "bad.nn:5: broken: loss < 1 (the loss became no number)\n");
}

#[test]
fn mistakes_are_two() {
    let place = with("");
    let ran = place.nnc(&["test", "xor.nn"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("N0706") && ran.err.contains("xor.nn: promises nothing"), "{}", ran.err);
    place.write("wrong.nn", &format!("{XOR}expect test_loss < 1\nexpect acuracy > 0.5\n"));
    let ran = place.nnc(&["test", "wrong.nn"]);
    assert_eq!((ran.code, ran.err.matches("N0410").count()), (2, 2), "{}", ran.err);
    // One program's mistake does not keep the others from their test.
    place.write("good.nn", &format!("{XOR}expect loss < 1\n"));
    let ran = place.nnc(&["test", "wrong.nn", "good.nn"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, "good.nn:5: kept: loss < 1 (loss 0.11302)\n"));
}

#[test]
fn the_test_rows_can_be_asked_for() {
    let place = Place::new();
    let program = "data blobs 200 classes=2 dims=2\nsplit test=20%\ndense 2 softmax\nloss crossentropy\n\
        optimizer adam lr=0.1\nmetrics accuracy\nepochs 30\n";
    place.write("b.nn", &format!("{program}expect test_accuracy >= 90%\n"));
    place.nnc(&["test", "b.nn"]).fine();
    place.write("b.nn", &format!("{program}expect test_accuracy >= 90% within 5 epochs\n"));
    let ran = place.nnc(&["test", "b.nn"]);
    assert!(ran.code == 2 && ran.err.contains("leave out `within`"), "{}", ran.err);
}

#[test]
fn a_limit_beyond_the_training_is_said() {
    let place = with("expect loss < 1 within 600 epochs\n");
    let ran = place.nnc(&["test", "xor.nn"]);
    assert!(ran.err.contains("xor.nn:5: the training itself ends after 500 epochs"), "{}", ran.err);
    ran.fine();
}
