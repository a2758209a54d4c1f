//! `nnc fix` as it is called from a shell.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;

const DATA: &str = "data { 0 0 -> 0; 0 1 -> 1; 1 0 -> 1; 1 1 -> 0 }\n";

/// What `nnc fix` makes of a program, and what it says.
fn fixed(program: &str) -> (String, String) {
    let place = Place::new();
    place.write("p.nn", &format!("{DATA}{program}"));
    let ran = place.nnc(&["fix", "p.nn"]);
    let text = std::fs::read_to_string(place.path("p.nn")).unwrap();
    (text.strip_prefix(DATA).unwrap().to_string(), ran.out + &ran.err)
}

#[track_caller]
fn mends(program: &str, expected: &str) {
    let (text, told) = fixed(program);
    assert_eq!(text, expected, "{told}");
    assert!(!told.contains("left for you"), "{told}");
    // And the mended program has no mistakes.
    let place = Place::new();
    place.write("p.nn", &format!("{DATA}{text}"));
    place.nnc(&["check", "p.nn"]).fine();
    let again = place.nnc(&["fix", "p.nn"]);
    assert_eq!((again.out.as_str(), again.err.as_str()), ("", "p.nn: nothing to mend\n"));
}

#[test]
fn names_of_other_libraries() {
    mends(
        "Dense 16 ReLU\nLinear 1 Sigmoid\nloss mean_squared_error\noptimizer SGD learning_rate=0.1\nmetrics BinaryAccuracy\nnb_epoch 10\n",
        "dense 16 relu\ndense 1 sigmoid\nloss mse\noptimizer sgd lr=0.1\nmetrics binary_accuracy\nepochs 10\n",
    );
}

#[test]
fn syntax_of_other_languages() {
    mends("dense 16, relu\ndense 1, sigmoid\nloss mse\n", "dense 16 relu\ndense 1 sigmoid\nloss mse\n");
    mends("dense 4*4 relu bias=True\ndense 1\nloss mse\n", "dense (4*4) relu bias=yes\ndense 1\nloss mse\n");
}

#[test]
fn what_a_loss_and_a_shape_ask_for() {
    mends("dense 16 relu\ndense 1 softmax\nloss mse\n", "dense 16 relu\ndense 1 sigmoid\nloss mse\n");
    mends(
        "dense 16 relu\ndense 1\nloss binary_crossentropy\n",
        "dense 16 relu\ndense 1 sigmoid\nloss binary_crossentropy\n",
    );
    mends(
        "reshape 1x2x1\ndense 16 relu\ndense 1\nloss mse\n",
        "reshape 1x2x1\nflatten -> dense 16 relu\ndense 1\nloss mse\n",
    );
    mends("dense 16 relu\ndense 1\nloss mse\nepochs = 5\n", "dense 16 relu\ndense 1\nloss mse\nepochs 5\n");
}

#[test]
fn every_change_is_told() {
    let place = Place::new();
    place.write("p.nn", &format!("{DATA}dens 16 relu\ndense 1 sigmod\nloss mse; optimizer adam\n"));
    let ran = place.nnc(&["fix", "p.nn"]);
    assert_eq!(
        ran.out,
        "p.nn:2:1: `dens` becomes `dense` (N0201)\np.nn:3:9: `sigmod` becomes `sigmoid` (N0202)\n"
    );
    assert_eq!((ran.err.as_str(), ran.code), ("p.nn: 2 changes made\n", 0));
}

#[test]
fn what_is_left_is_shown() {
    let place = Place::new();
    place.write("p.nn", &format!("{DATA}dens 16 relu\nbanana 3\ndense 1\nloss mse\n"));
    let ran = place.nnc(&["fix", "p.nn"]);
    assert_eq!(ran.code, 2);
    assert_eq!(ran.out, "p.nn:2:1: `dens` becomes `dense` (N0201)\n");
    assert!(ran.err.contains("`banana`") && !ran.err.contains("`dens`"), "{}", ran.err);
    assert!(ran.err.ends_with("p.nn: 1 change made; 1 mistake left for you\n"), "{}", ran.err);
}

#[test]
fn a_dry_run_is_a_diff() {
    let place = Place::new();
    let text = format!("{DATA}dens 16 relu\ndense 1\nloss mse\n");
    place.write("p.nn", &text);
    let ran = place.nnc(&["fix", "p.nn", "--dry-run"]);
    assert_eq!(std::fs::read_to_string(place.path("p.nn")).unwrap(), text);
    let diff = ran.fine();
    assert!(diff.starts_with("--- p.nn\n+++ p.nn after nnc fix\n@@ -1,4 +1,4 @@\n"), "{diff}");
    assert!(diff.contains("\n-dens 16 relu\n+dense 16 relu\n"), "{diff}");
    assert_eq!(std::fs::read_dir(place.path(".")).unwrap().count(), 1);
}

#[test]
fn stdin_is_mended_on_stdout() {
    let place = Place::new();
    let ran = place.nnc_with(&["fix", "-"], &format!("{DATA}dens 1\nloss mse\n"));
    assert!(ran.err.contains("<stdin>:2:1: `dens` becomes `dense` (N0201)"), "{}", ran.err);
    assert_eq!(ran.fine(), format!("{DATA}dense 1\nloss mse\n"));
}

#[test]
fn the_remedy_is_announced_where_it_can_be_applied() {
    let place = Place::new();
    place.write("p.nn", &format!("{DATA}dens 1\nloss mse\n"));
    let announced = "`nnc fix` changes it";
    assert!(place.nnc(&["check", "p.nn"]).err.contains(announced));
    let text = format!("{DATA}dens 1\nloss mse\n");
    assert!(!place.nnc(&["check", "-e", &text]).err.contains(announced));
}

#[test]
fn files_that_are_used_are_read_and_not_changed() {
    let place = Place::new();
    place.write("blocks.nn", "layer block(n: int) { dense n relu }\n");
    place.write("p.nn", &format!("use \"blocks.nn\"\n{DATA}blcok 4\ndense 1\nloss mse\n"));
    let ran = place.nnc(&["fix", "p.nn"]);
    assert_eq!(ran.fine(), "p.nn:3:1: `blcok` becomes `block` (N0201)\n");
    place.nnc(&["train", "p.nn", "--epochs", "2", "-q"]).fine();
}

#[test]
fn one_wrong_program_does_not_become_another() {
    for line in ["shuffle true", "dense 16 + relu", "stopping False", "dense (4) relu 'x'"] {
        let program = format!("{line}\ndense 1 sigmoid\nloss mse\noptimizer adam\n");
        let (text, told) = fixed(&program);
        assert_eq!(text, program, "{told}");
        assert!(told.contains("nothing that `nnc fix` is sure of") && !told.contains("changes it"), "{told}");
    }
    // What is right in other lines is done all the same.
    let (text, _) = fixed("shuffle true\nDense 1 Sigmoid\nloss mse\noptimizer adam\n");
    assert_eq!(text, "shuffle true\ndense 1 sigmoid\nloss mse\noptimizer adam\n");
}

#[test]
fn values_behind_an_equals_sign_become_settings() {
    mends(
        "dense 1 sigmoid\nloss = 'mse'\noptimizer = SGD(learning_rate=0.1, momentum=0.9)\nmetrics = ['mae', \"binary_accuracy\"]\nepochs = 5\n",
        "dense 1 sigmoid\nloss mse\noptimizer sgd lr=0.1 momentum=0.9\nmetrics mae binary_accuracy\nepochs 5\n",
    );
    mends(
        "ｄｅｎｓｅ ４ ｒｅｌｕ\ndense 1 activation＝sigmoid\nloss mse\n",
        "dense 4 relu\ndense 1 activation=sigmoid\nloss mse\n",
    );
}
