//! Ways to share rows out, from a program to a trained network and its use.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;
use serde_json::Value;

/// Two features, a class that follows from them, a group of four rows, and a number.
fn rows(from: usize, to: usize) -> String {
    let mut text = String::from("a,b,shop,kind,y\n");
    for i in from..to {
        let (a, b) = (i * 37 % 101, i * 53 % 97);
        let kind = if a > b { "up" } else { "down" };
        text.push_str(&format!("{a},{b},s{},{kind},{}\n", i / 4, 3 * a + b));
    }
    text
}

const NET: &str = "dense 8 relu; dense 2 softmax; loss crossentropy; optimizer adam lr=0.02
metrics accuracy; epochs 40; batch 16\n";

fn program(place: &Place, data: &str) {
    place.write("p.nn", &format!("{data}\n{NET}"));
}

fn loss(value: &Value) -> f64 {
    value["loss"].as_f64().unwrap()
}

#[test]
fn folds() {
    let place = Place::new();
    place.write("t.csv", &rows(0, 203));
    program(&place, "data \"t.csv\" { target kind; input a b standardize }\nsplit test=10% stratify");
    let told = place.nnc(&["train", "p.nn", "--folds", "5"]);
    assert!(told.err.contains("fold 5 of 5"), "{}", told.err);
    let text = told.fine();
    for word in ["val_loss", "val_accuracy", "test_accuracy", "mean", "±", "run: runs/p/1"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let found = place.nnc(&["train", "p.nn", "--folds", "5", "--json", "-q", "--out", "cv"]).json();
    let folds = found["folds"].as_array().unwrap();
    assert_eq!(folds.len(), 5);
    let mean = folds.iter().map(|f| loss(&f["val"])).sum::<f64>() / 5.0;
    assert!((mean - loss(&found["val"])).abs() < 1e-12);
    assert!(found["deviation"]["val"]["metrics"]["accuracy"].as_f64().unwrap() > 0.0);
    assert!(found["val"]["metrics"]["accuracy"].as_f64().unwrap() > 0.85, "{found}");
    let written = std::fs::read_to_string(place.path("cv/folds.json")).unwrap();
    let written: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written["done"], 5);
    assert_eq!(written["valid"][0]["mean"], found["val"]["loss"]);
    // A fold is a run like any other, and knows its rows.
    let mut held_back = 0;
    for (i, fold) in folds.iter().enumerate() {
        let run = format!("cv/fold-{}", i + 1);
        let again = place.nnc(&["eval", &run, "--on", "valid", "--json"]).json();
        assert_eq!(loss(&again), loss(&fold["val"]));
        held_back += again["rows"].as_u64().unwrap();
        let test = place.nnc(&["eval", &run, "--on", "test", "--json"]).json();
        assert_eq!((loss(&test), test["rows"].as_u64()), (loss(&fold["test"]), Some(20)));
    }
    assert_eq!(held_back, 203 - 20);
    let whole = place.nnc(&["eval", "cv"]);
    assert_eq!(whole.code, 2);
    assert!(whole.err.contains("cv/fold-1"), "{}", whole.err);
    // The same seed gives the same folds.
    let again = place.nnc(&["train", "p.nn", "--folds", "5", "--json", "-q", "--threads", "1"]).json();
    assert_eq!(again["val"], found["val"]);
}

#[test]
fn groups_stay_together() {
    let place = Place::new();
    place.write("t.csv", &rows(0, 200));
    program(
        &place,
        "data \"t.csv\" { target kind; input a b standardize; drop shop y }
split valid=20% test=20% group=shop",
    );
    let found = place.nnc(&["train", "p.nn", "--json", "-q"]).json();
    assert!(found["test"]["metrics"]["accuracy"].as_f64().unwrap() > 0.8, "{found}");
    let rows = |on: &str| {
        let found = place.nnc(&["eval", "p.nn", "--on", on, "--json"]).json();
        found["rows"].as_u64().unwrap()
    };
    // Every shop has four rows.
    assert_eq!([rows("train"), rows("valid"), rows("test")], [120, 40, 40]);
    let cv = place.nnc(&["train", "p.nn", "--folds", "4", "--json", "-q"]).json();
    assert_eq!(cv["folds"].as_array().unwrap().len(), 4);
}

#[test]
fn the_last_rows_are_the_test() {
    let place = Place::new();
    place.write("t.csv", &rows(0, 200));
    place.write("tail.csv", &rows(180, 200));
    program(&place, "data \"t.csv\" { target kind; input a b standardize }\nsplit test=10% ordered");
    place.nnc(&["train", "p.nn", "-q"]).fine();
    let test = place.nnc(&["eval", "p.nn", "--on", "test", "--json"]).json();
    let tail = place.nnc(&["eval", "p.nn", "--data", "tail.csv", "--json"]).json();
    assert_eq!((loss(&test), test["rows"].as_u64()), (loss(&tail), Some(20)));
}

#[test]
fn files_of_their_own() {
    let place = Place::new();
    place.write("t.csv", &rows(0, 150));
    place.write("v.csv", &rows(150, 180));
    place.write("u.csv", &rows(180, 200));
    program(&place, "data \"t.csv\" { target kind; input a b standardize }\nvalid \"v.csv\"\ntest \"u.csv\"");
    let found = place.nnc(&["train", "p.nn", "-q", "--json"]).json();
    for (on, file, part, rows) in [("valid", "v.csv", "val", 30), ("test", "u.csv", "test", 20)] {
        let own = place.nnc(&["eval", "p.nn", "--on", on, "--json"]).json();
        let given = place.nnc(&["eval", "p.nn", "--data", file, "--json"]).json();
        assert_eq!((loss(&own), loss(&given)), (loss(&found[part]), loss(&found[part])));
        assert_eq!(own["rows"], rows);
    }
    program(&place, "data \"t.csv\" { target kind; input a b }\nvalid \"v.csv\"\nsplit valid=10%");
    let both = place.nnc(&["train", "p.nn", "-q"]);
    assert_eq!(both.code, 2);
    assert!(both.err.contains("keep one of the two"), "{}", both.err);
}

/// Files of `valid` and `test` are written as the training file is: what that says of itself holds for them.
#[test]
fn files_of_their_own_are_read_as_the_training_file() {
    let place = Place::new();
    let parts = |data: &str| {
        program(&place, &format!("{data}\nvalid \"v.csv\"\ntest \"u.csv\""));
        let shown = place.nnc(&["data", "p.nn", "--json"]).json();
        [0, 1, 2].map(|i| shown["parts"][i].as_u64().unwrap())
    };
    // A comma for the point.
    let comma =
        |n: usize| (0..n).map(|i| format!("{i},5;{};{}\n", i * i, ["on", "off"][i % 2])).collect::<String>();
    place.write("t.csv", &format!("width;n;kind\n{}", comma(20)));
    place.write("v.csv", &format!("width;n;kind\n{}", comma(3)));
    place.write("u.csv", &format!("width;n;kind\n{}", comma(2)));
    assert_eq!(parts("data \"t.csv\" decimal_comma { target kind; input rest standardize }"), [20, 3, 2]);
    // No header, and texts alone: the first line is a row, in every file.
    let texts = |n: usize| {
        let row =
            |i: usize| format!("{},{},{}\n", ["b", "x"][i % 2], ["s", "y"][i / 2 % 2], ["e", "p"][i / 3 % 2]);
        (0..n).map(row).collect::<String>()
    };
    place.write("t.csv", &texts(20));
    place.write("v.csv", &texts(1));
    place.write("u.csv", &texts(2));
    assert_eq!(parts("data \"t.csv\" header=no"), [20, 1, 2]);
    assert_eq!(parts("data \"t.csv\""), [20, 1, 2]);
    // Blanks, and words for missing.
    let blanks =
        |n: usize| (0..n).map(|i| format!("{i}  -9   {}\n", ["on", "off"][i % 2])).collect::<String>();
    for (name, n) in [("t.csv", 20), ("v.csv", 1), ("u.csv", 2)] {
        place.write(name, &format!("a b kind\n7 1 on\n{}", blanks(n)));
    }
    let spaces = "data \"t.csv\" separator=spaces na=[\"-9\"] { target kind; input a; input b missing=drop }";
    assert_eq!(parts(spaces), [1, 1, 1]);
}

#[test]
fn windows_of_a_series() {
    let place = Place::new();
    let wave = |i: usize| (i as f64 / 5.0).sin() * 3.0 + 10.0;
    let series = |n: usize| {
        let lines: String = (0..n).map(|i| format!("{i},{:.6}\n", wave(i))).collect();
        format!("hour,load\n{lines}")
    };
    place.write("s.csv", &series(400));
    place.write(
        "p.nn",
        "data \"s.csv\" window=24 horizon=1 { drop hour; target load standardize; input load standardize }
split valid=10% test=10% ordered
flatten; dense 16 relu; dense 1; loss mse; optimizer adam lr=0.01; epochs 60\n",
    );
    let found = place.nnc(&["train", "p.nn", "-q", "--json"]).json();
    assert!(loss(&found["test"]) < 0.01, "{found}");
    let test = place.nnc(&["eval", "p.nn", "--on", "test", "--json"]).json();
    assert_eq!(loss(&test), loss(&found["test"]));
    // 24 rows are enough to say what comes after them.
    let rows: Vec<String> = series(200).lines().map(String::from).collect();
    place.write(
        "last.csv",
        &(rows[..1].iter().chain(&rows[177..201]).map(|l| format!("{l}\n")).collect::<String>()),
    );
    let said = place.nnc(&["predict", "p.nn", "--data", "last.csv"]).fine();
    let said: Vec<f64> = said.lines().skip(1).map(|l| l.parse().unwrap()).collect();
    assert_eq!(said.len(), 1);
    assert!((said[0] - wave(200)).abs() < 0.5, "{said:?} for {}", wave(200));
}
