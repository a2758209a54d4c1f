//! Several series in one table, and rows to come.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;
use serde_json::Value;

/// Two plants, their rows mixed: `oak` grows by 10 a row, `elm` by 1.
fn mixed() -> Place {
    let place = Place::new();
    let mut text = String::from("year,plant,site,size\n");
    for year in 0..6 {
        text +=
            &format!("{},elm,north,{}\n{},oak,north,{}\n", 2000 + year, year, 2000 + year, 100 + 10 * year);
    }
    place.write("plants.csv", &text);
    place
}

fn parts(shown: &Value) -> [u64; 3] {
    [0, 1, 2].map(|i| shown["parts"][i].as_u64().unwrap())
}

const NET: &str = "flatten; dense 1; loss mse; epochs 1\n";

#[test]
fn windows_stay_within_a_series() {
    let place = mixed();
    let program = |options: &str, split: &str| {
        format!("data \"plants.csv\" window=2 {options} {{ input size; target size }}\n{split}\n{NET}")
    };
    let data = |options: &str, split: &str| {
        place.write("p.nn", &program(options, split));
        place.nnc(&["data", "p.nn", "--rows", "99", "--json"]).json()
    };
    let shown = data("by=plant", "");
    assert_eq!(parts(&shown), [8, 0, 0]);
    let windows: Vec<(Vec<f64>, f64)> = shown["after"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let inputs = row[0].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
            (inputs, row[1][0].as_f64().unwrap())
        })
        .collect();
    for (inputs, target) in windows {
        let step = if inputs[0] < 50.0 { 1.0 } else { 10.0 };
        assert_eq!((inputs[1] - inputs[0], target - inputs[1]), (step, step));
    }
    assert_eq!(shown["windows"][0], serde_json::json!([[1, 3], [5]]));
    // The last of each series, and not of the table; or whole series.
    assert_eq!(parts(&data("by=plant", "split valid=25% ordered")), [6, 2, 0]);
    let told = place.nnc(&["data", "p.nn", "--rows", "0"]);
    assert!(told.out.contains("valid 2") && !told.err.contains("N0555"), "{}", told.err);
    assert_eq!(parts(&data("by=plant", "split valid=40% group=plant")), [4, 4, 0]);
    assert!(!place.nnc(&["check", "p.nn"]).err.contains("N0555"));
    // A split by group keeps windows within the groups by itself.
    assert_eq!(parts(&data("", "split valid=40% group=plant")), [4, 4, 0]);
    data("by=plant", "split valid=25%");
    let told = place.nnc(&["check", "p.nn"]).err;
    assert!(told.contains("split valid=10% ordered   or   split valid=10% group=plant"), "{told}");
    // Columns that agree change nothing; together they tell more apart.
    assert_eq!(parts(&data("by=[plant, site]", "")), [8, 0, 0]);
    // The word of a split is answered with the one of windows.
    place.write("p.nn", &program("group=plant", ""));
    let told = place.nnc(&["check", "p.nn"]).err;
    assert!(told.contains("N0514") && told.contains("within one `plant`: by=plant"), "{told}");
    assert!(told.contains("split valid=10% group=plant"), "{told}");
    place.write("p.nn", &program("by=year", ""));
    let told = place.nnc(&["check", "p.nn"]).err;
    assert!(told.contains("no series of `plants.csv` has rows enough"), "{told}");
}

#[test]
fn forecasts_go_beyond_every_series() {
    let place = mixed();
    place.write(
        "p.nn",
        &format!("data \"plants.csv\" window=2 by=plant {{ input size; target size }}\nsplit valid=25% ordered\n{NET}"),
    );
    place.nnc(&["train", "p.nn", "-q", "--out", "run"]).fine();
    let said = place.nnc(&["predict", "run", "--with", "plant,size", "--round"]).fine();
    let lines: Vec<&str> = said.lines().map(|l| l.rsplit_once(',').unwrap().0).collect();
    assert_eq!(lines[..3], ["row,plant,size", "5,elm,2", "6,oak,120"]);
    assert_eq!((lines.len(), &lines[9..]), (11, &[",elm,", ",oak,"][..]), "{said}");
    let json = place.nnc(&["predict", "run", "--json"]).json();
    let last = &json["rows"][9];
    assert_eq!((&last["row"], &last["after"], &last["ahead"]), (&Value::Null, &12.into(), &1.into()));
    // The column that tells them apart is needed.
    place.write("bare.csv", "size\n1\n2\n3\n");
    let said = place.nnc(&["predict", "run", "--data", "bare.csv"]);
    assert!(
        said.code == 2 && said.err.contains("no column `plant`, which tells its series apart"),
        "{}",
        said.err
    );
}

#[test]
fn series_below_each_other_are_noticed() {
    let place = Place::new();
    let rows = |names: [&str; 2]| -> String {
        names.iter().flat_map(|n| (0..6).map(move |i| format!("{n},{i}\n"))).collect()
    };
    place.write("p.nn", &format!("data \"s.csv\" window=3 {{ input v; target v; drop who }}\n{NET}"));
    for (names, noticed) in [(["anna", "bo"], true), (["1", "2"], false)] {
        place.write("s.csv", &format!("who,v\n{}", rows(names)));
        let told = place.nnc(&["check", "p.nn"]).err;
        assert_eq!(told.contains("N0559") && told.contains("by=who"), noticed, "{told}");
    }
    // One name, or names that come back, are no series.
    place.write("s.csv", &format!("who,v\n{}", rows(["anna", "anna"])));
    assert!(!place.nnc(&["check", "p.nn"]).err.contains("N0559"));
}

#[test]
fn several_rows_to_come() {
    let place = Place::new();
    let rows: String = (0..40).map(|i| format!("d{i},{},{}\n", 10 * i, 1000 - i)).collect();
    place.write("s.csv", &format!("day,a,b\n{rows}"));
    let program = |horizon: &str| {
        format!(
            "data \"s.csv\" window=4 horizon={horizon} {{ input a b standardize; target a b standardize }}\n\
             flatten\ndense 6\nreshape 3x2\nloss mse\noptimizer adam lr=0.01\nepochs 300\nmetrics mae\n"
        )
    };
    place.write("p.nn", &program("1..3"));
    let shown = place.nnc(&["data", "p.nn", "--rows", "1", "--json"]).json();
    assert_eq!(shown["targets"][0]["shape"], serde_json::json!([3, 2]));
    assert_eq!(shown["windows"][0], serde_json::json!([[1, 2, 3, 4], [5, 6, 7]]));
    assert_eq!(shown["parts"][0], 34);
    place.nnc(&["train", "p.nn", "-q", "--out", "run"]).fine();
    let said = place.nnc(&["predict", "run", "--json", "--with", "day"]).json();
    let rows = said["rows"].as_array().unwrap();
    let (first, last) = (&rows[0], &rows[rows.len() - 1]);
    // It is named by the first of its rows, and says all of them in the file's units.
    assert_eq!((&first["row"], &first["day"]), (&5.into(), &"d4".into()));
    let near = |row: &Value, i: usize| {
        for step in 0..3 {
            let [a, b] = [0, 1].map(|c| row["output"][step][c].as_f64().unwrap());
            let (x, y) = (10.0 * (i + step) as f64, 1000.0 - (i + step) as f64);
            assert!((a - x).abs() < 20.0 && (b - y).abs() < 2.0, "{row}");
        }
    };
    near(first, 4);
    near(last, 40);
    assert_eq!((&last["row"], &last["ahead"]), (&41.into(), &1.into()));
    let csv = place.nnc(&["predict", "run"]).fine();
    assert!(csv.starts_with("output.1,output.2,output.3,output.4,output.5,output.6\n"), "{csv}");
    for wrong in ["3..1", "1..x", "0.5"] {
        place.write("p.nn", &program(wrong));
        assert_eq!(place.nnc(&["check", "p.nn"]).code, 2, "{wrong}");
    }
    // One row, three later, is no target of three rows: the range that is one is told.
    place.write("p.nn", &program("3"));
    let told = place.nnc(&["check", "p.nn"]).err;
    assert!(told.contains("2 against 3x2") && told.contains("horizon=1..3"), "{told}");
    place.write("p.nn", &program("1..3").replace(" window=4", ""));
    let told = place.nnc(&["check", "p.nn"]).err;
    assert!(told.contains("there is no `window=`"), "{told}");
}
