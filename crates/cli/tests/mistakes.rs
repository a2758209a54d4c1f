//! What people are told about their mistakes: a picture for each, kept as a snapshot.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Place, Ran, run};
use std::path::Path;

fn mistakes() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes")
}

/// Trains a program with a mistake; nothing may be written where the program lies.
fn train(spec: &str, more: &[&str]) -> Ran {
    let place = Place::new();
    let out = place.path("run").display().to_string();
    let mut args = vec!["train", spec, "--out", &out, "-q"];
    args.extend(more);
    let mut ran = run(&mistakes(), &args, "");
    ran.err = ran.err.replace(&out, "run");
    ran
}

macro_rules! mistake {
    ($name:ident, $code:literal, $exit:literal $(, $more:literal)*) => {
        #[test]
        fn $name() {
            let ran = train(concat!(stringify!($name), ".nn"), &[$($more),*]);
            assert_eq!(ran.code, $exit, "{}", ran.err);
            assert_eq!(ran.out, "");
            assert!(ran.err.contains($code), "{}", ran.err);
            assert!(!ran.err.contains('\u{1b}'), "{}", ran.err);
            insta::assert_snapshot!(stringify!($name), ran.err);
        }
    };
}

mistake!(unknown_layer, "N0201", 2);
mistake!(keras_names, "N0201", 2);
mistake!(torch_names, "N0201", 2);
mistake!(short_names, "N0201", 2);
mistake!(keras_fit, "N0201", 2);
mistake!(wrong_argument, "N0203", 2);
mistake!(shape_chain, "N0301", 2);
mistake!(softmax_of_one, "N0402", 2);
mistake!(missing_loss, "N0401", 2);
mistake!(loss_mismatch, "N0414", 2);
mistake!(bad_row, "N0501", 2);
mistake!(bad_cell, "N0502", 2);
mistake!(data_and_network, "N0201", 2);
mistake!(no_file_and_network, "N0504", 2);
mistake!(two_files, "N0504", 2);
mistake!(nan_loss, "N0601", 1);

#[test]
fn linear_xor() {
    let ran = run(&mistakes(), &["check", "linear_xor.nn"], "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    insta::assert_snapshot!(ran.err);
}

#[test]
fn a_parameter_that_is_no_number() {
    let ran = train("params.nn", &["--set", "hidden=big"]);
    assert_eq!(ran.code, 2);
    insta::assert_snapshot!(ran.err);
}

#[test]
fn a_parameter_and_an_experiment_that_are_not_there() {
    let ran = train("params.nn", &["--set", "hiden=3", "--as", "wid"]);
    assert_eq!(ran.code, 2);
    insta::assert_snapshot!(ran.err);
}

#[test]
fn a_program_that_is_not_there() {
    let ran = train("unknown_layr.nn", &[]);
    assert_eq!(ran.code, 2);
    insta::assert_snapshot!(ran.err);
}

/// Programs that are wrong in one way or several, each with what `nnc check` says about it.
#[test]
fn wrong_programs_are_told_what_is_wrong() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|n| n.ends_with(".nn"))
        .collect();
    names.sort();
    assert!(names.len() >= 80, "{}", names.len());
    for name in names {
        let ran = run(&folder, &["check", &name], "");
        // A lint warns; everything else is a mistake.
        let errors = ran.err.lines().filter(|l| l.starts_with("error[N0")).count();
        assert_eq!(ran.code, if errors > 0 { 2 } else { 0 }, "{name}: {}", ran.err);
        assert!(ran.err.contains("[N0"), "{name} is not wrong: {}", ran.err);
        assert!(!ran.err.contains("panicked"), "{name}: {}", ran.err);
        let program = std::fs::read_to_string(folder.join(&name)).unwrap();
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("snapshots/wrong");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_description(program);
        settings.bind(|| insta::assert_snapshot!(name.trim_end_matches(".nn"), ran.err));
    }
}
