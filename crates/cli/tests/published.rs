//! The programs of docs/published.md stand in the usual form and train, for a few steps, on data of the shape that
//! their scripts write.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Place, zip};
use std::path::{Path, PathBuf};

/// The folder of the programs.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/published")
}

/// A folder with a program and its data.
fn place(program: &str, files: &[(&str, String)]) -> Place {
    let place = Place::new();
    std::fs::copy(folder().join(program), place.path(program)).unwrap();
    for (name, text) in files {
        std::fs::create_dir_all(place.path(name).parent().unwrap()).unwrap();
        place.write(name, text);
    }
    place
}

/// A number that looks like noise, from 0 to 1.
fn noise(i: usize) -> f64 {
    ((i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64 / f64::from(1 << 24)
}

/// A table of `columns` numbers, and behind them the target.
fn table(rows: usize, columns: usize, target: &str, last: impl Fn(usize) -> String) -> String {
    let row = |r: usize| {
        let cells = (0..columns).map(|c| format!("{:.4},", noise(r * columns + c)));
        format!("{}{}\n", cells.collect::<String>(), last(r))
    };
    let head = |c: usize| format!("x{c},");
    let head: String = (0..columns).map(head).collect();
    format!("{head}{target}\n{}", (0..rows).map(row).collect::<String>())
}

/// Trains a few steps, and every figure is a number.
#[track_caller]
fn trains(place: &Place, args: &[&str]) -> serde_json::Value {
    let run = place.path("run").display().to_string();
    let args = [&["train", "--json", "-q", "--overwrite", "--out", &run, "--steps", "3"], args].concat();
    let report = place.nnc(&args).json();
    assert!(report["loss"].as_f64().is_some_and(f64::is_finite), "{args:?}: {report}");
    report
}

#[test]
fn they_stand_in_the_usual_form() {
    let programs: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "nn"))
        .collect();
    assert!(programs.len() >= 9, "{programs:?}");
    for program in programs {
        let name = program.display().to_string();
        common::run(&folder(), &["fmt", "--check", &name], "").fine();
    }
}

#[test]
fn lines_of_forty_points() {
    let lines = |rows| table(rows, 40, "digit", |r| (r % 10).to_string());
    let place =
        place("mnist1d.nn", &[("data/mnist1d/train.csv", lines(40)), ("data/mnist1d/test.csv", lines(20))]);
    for model in ["mlp", "cnn", "gru"] {
        let report = trains(&place, &["mnist1d.nn", "--set", &format!("model={model}")]);
        assert!(report["test"]["metrics"]["accuracy"].is_number(), "{report}");
    }
}

#[test]
fn series_of_any_length() {
    let series = |length| table(12, length, "class", |r| (r % 3 + 1).to_string());
    let place = place("fcn.nn", &[("data/GunPoint/train.csv", series(24)), ("other.csv", series(30))]);
    trains(&place, &["fcn.nn"]);
    trains(&place, &["fcn.nn", "--data", "other.csv", "--batch", "3"]);
}

#[test]
fn tables_of_the_uci_archive() {
    let rows = |rows| table(rows, 6, "y", |r| format!("{:.3}", 100.0 * noise(7 * r)));
    let place = place("uci.nn", &[("data/uci/boston/train-0.csv", rows(30)), ("test.csv", rows(10))]);
    trains(&place, &["uci.nn", "--set", "rate=0"]);
    let run = place.path("run").display().to_string();
    let judged = place.nnc(&["eval", &run, "--data", "test.csv", "--json"]).json();
    assert!(judged["metrics"]["rmse"].as_f64().is_some_and(f64::is_finite), "{judged}");
}

#[test]
fn echoes_in_thirteen_parts() {
    let rows = table(52, 60, "class", |r| (r % 2).to_string());
    let place = place("sonar.nn", &[("data/sonar.csv", rows)]);
    let report = trains(&place, &["sonar.nn", "--folds", "13"]);
    assert_eq!(report["folds"].as_array().unwrap().len(), 13, "{report}");
}

#[test]
fn two_spirals() {
    let row = |i: usize| {
        let (angle, radius) = (i as f64 * std::f64::consts::PI / 16.0, 6.5 * (104 - i) as f64 / 104.0);
        let (x, y) = (radius * angle.sin(), radius * angle.cos());
        format!("{x:.5},{y:.5},1\n{:.5},{:.5},0\n", -x, -y)
    };
    let rows = format!("x,y,inside\n{}", (0..97).map(row).collect::<String>());
    let place = place("spirals.nn", &[("data/spirals.csv", rows)]);
    trains(&place, &["spirals.nn"]);
    trains(&place, &["spirals.nn", "--set", "method=rprop"]);
}

#[test]
fn a_wave_by_its_equation() {
    let rows = |known: &str| {
        let row = |i: usize| format!("{:.4},{:.4},0,{known}\n", 2.0 * noise(i) - 1.0, noise(i + 1000));
        format!("x,t,u,known\n-0.5,0,1,1\n0.5,0,-1,1\n{}", (0..20).map(row).collect::<String>())
    };
    let place =
        place("burgers.nn", &[("data/burgers/train.csv", rows("0")), ("data/burgers/test.csv", rows("1"))]);
    let report = trains(&place, &["burgers.nn"]);
    assert!(report["test"]["metrics"]["relative"].as_f64().is_some_and(f64::is_finite), "{report}");
}

#[test]
fn utterances_as_long_as_they_are() {
    let made = |longest: usize| {
        let head: String = (1..13).map(|i| format!("c{i},")).collect();
        let moment = |u: usize, t: usize| -> String {
            let cells: String = (0..12).map(|c| format!("{:.4},", noise(u * 500 + t * 12 + c))).collect();
            format!("{u},{cells}{}\n", u % 9 + 1)
        };
        let rows = (0..36).flat_map(|u| (0..7 + u % (longest - 6)).map(move |t| moment(u, t)));
        format!("utterance,{head}speaker\n{}", rows.collect::<String>())
    };
    let files = [("data/vowels/train.csv", made(20)), ("data/vowels/test.csv", made(29))];
    let report = trains(&place("vowels.nn", &files), &["vowels.nn"]);
    assert!(report["test"]["metrics"]["accuracy"].is_number(), "{report}");
}

#[test]
fn characters_of_a_play() {
    let text = "To be, or not to be: that is the question.\n".repeat(60);
    trains(&place("nanogpt.nn", &[("data/shakespeare.txt", text)]), &["nanogpt.nn"]);
}

/// An array of NumPy's format.
fn npy(kind: &str, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    let sizes: String = shape.iter().map(|n| format!("{n},")).collect();
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({sizes}), }}\n");
    let size = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", size.as_slice(), header.as_bytes(), bytes].concat()
}

/// An archive's name and its arrays.
type Archive<'a> = (&'a str, &'a [(&'a str, Vec<u8>)]);

/// A place with arrays in one archive.
fn arrays(program: &str, archives: &[Archive<'_>]) -> Place {
    let place = place(program, &[]);
    for (name, arrays) in archives {
        std::fs::create_dir_all(place.path(name).parent().unwrap()).unwrap();
        std::fs::write(place.path(name), zip(arrays)).unwrap();
    }
    place
}

#[test]
fn a_sum_of_two_marked_numbers() {
    let made = |rows: usize| {
        let pair = |i: usize| [noise(i) as f32, f32::from(u8::from(i % 10 == 3))];
        let bytes = |numbers: Vec<f32>| numbers.into_iter().flat_map(f32::to_le_bytes).collect::<Vec<u8>>();
        let pairs = bytes((0..rows * 20).flat_map(pair).collect());
        let sums = bytes((0..rows).map(|r| (noise(20 * r + 3) + noise(20 * r + 13)) as f32).collect());
        [("pairs.npy", npy("<f4", &[rows, 20, 2], &pairs)), ("sum.npy", npy("<f4", &[rows, 1], &sums))]
    };
    let place =
        arrays("adding.nn", &[("data/adding/train.npz", &made(60)), ("data/adding/test.npz", &made(20))]);
    let report = trains(&place, &["adding.nn"]);
    assert!(report["test"]["loss"].as_f64().is_some_and(f64::is_finite), "{report}");
}

#[test]
fn sums_as_characters() {
    let classes = |rows: usize, length: usize| {
        let bytes: Vec<u8> = (0..rows * length).flat_map(|i| (i as i64 * 5 % 12).to_le_bytes()).collect();
        npy("<i8", &[rows, length], &bytes)
    };
    let made = [("question.npy", classes(40, 7)), ("answer.npy", classes(40, 4))];
    let report = trains(&arrays("addition.nn", &[("data/addition.npz", &made)]), &["addition.nn"]);
    assert!(report["val"]["metrics"]["whole"].is_number(), "{report}");
}
