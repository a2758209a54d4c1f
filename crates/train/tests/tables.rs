//! Real tables from a program to predictions. Skipped where the data is not there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod common;

use common::{ok, program, real, spec, to};
use nnc_graph::DType;
use nnc_train::{
    InferOptions, LoadOptions, On, PredictedRow, Quiet, TrainOptions, evaluate, load, open_model, predict,
    train,
};
use std::path::Path;

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// What a model says about a file.
fn said(model: &nnc_train::Trained, file: &Path) -> Vec<PredictedRow> {
    let options = InferOptions { data: Some(text(file)), ..InferOptions::default() };
    ok(predict(model, &options)).rows
}

/// A table of its lines without quotes, split at the commas (none of these tables has one within a cell).
fn lines(file: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|l| l.split(',').map(|c| c.trim_matches('"').to_string()).collect()).collect()
}

/// A file with some rows, without a column.
fn write(file: &Path, table: &[Vec<String>], rows: &[usize], without: Option<&str>) {
    let left = without.and_then(|name| table[0].iter().position(|c| c == name));
    let line = |cells: &Vec<String>| {
        let kept = cells.iter().enumerate().filter(|(i, _)| Some(*i) != left).map(|(_, c)| c.as_str());
        kept.collect::<Vec<_>>().join(",") + "\n"
    };
    let body: String = rows.iter().map(|&r| line(&table[r + 1])).collect();
    std::fs::write(file, line(&table[0]) + &body).unwrap();
}

/// Trains for two epochs; then raw rows in any order, alone or together and without their target, give the
/// same bits as the whole table does, and the test rows as a file of their own the same figures.
fn same_numbers(name: &str, target: &str) {
    let Some(file) = real(&format!("{name}.csv")) else { return };
    let folder = tempfile::tempdir().unwrap();
    let options = LoadOptions { data: Some(text(&file)), ..LoadOptions::default() };
    let short = program(name).replace("epochs ", "epochs 2; # ");
    let loaded = ok(load(spec(&short), &options));
    let model = ok(loaded.model(DType::F32));
    let report = ok(train(&loaded, &model, &to(folder.path()), &mut Quiet));
    let model = ok(open_model(folder.path()));
    let all = said(&model, &file);
    assert_eq!(all.len(), lines(&file).len() - 1);
    assert!(all.iter().all(|r| r.outputs[0].values.iter().all(|x| x.is_finite())));

    let test = loaded.data.test.as_ref().expect("a test part");
    let mut rows: Vec<usize> = (0..test.len()).map(|i| test.source_row(i).unwrap()).collect();
    let table = lines(&file);
    let raw = folder.path().join("raw.csv");
    write(&raw, &table, &rows, None);
    let part = ok(evaluate(&model, Some(On::Test), &InferOptions::default()));
    let own = InferOptions { data: Some(text(&raw)), ..InferOptions::default() };
    let own = ok(evaluate(&model, None, &own));
    assert_eq!((part.figures.clone(), part.rows), (own.figures, own.rows));
    assert_eq!(Some(part.figures), report.test);

    rows.reverse();
    rows.truncate(300);
    write(&raw, &table, &rows, Some(target));
    for (said, &row) in said(&model, &raw).iter().zip(&rows) {
        assert_eq!(said.outputs, all[row].outputs, "row {row}");
        assert_eq!(said.inputs, all[row].inputs, "row {row}");
        assert!(said.targets.is_empty());
    }
    // One row alone.
    write(&raw, &table, &rows[..1], Some(target));
    assert_eq!(said(&model, &raw)[0].outputs, all[rows[0]].outputs);
}

#[test]
fn iris_says_the_same_about_raw_rows() {
    same_numbers("iris", "species");
}

#[test]
fn penguins_say_the_same_about_raw_rows() {
    same_numbers("penguins", "species");
}

#[test]
fn titanic_says_the_same_about_raw_rows() {
    same_numbers("titanic", "survived");
}

#[test]
fn tips_say_the_same_about_raw_rows() {
    same_numbers("tips", "tip");
}

#[test]
fn diamonds_say_the_same_about_raw_rows() {
    same_numbers("diamonds", "price");
}

/// Mean accuracy on the test part over some seeds.
fn accuracy(name: &str, metric: &str, seeds: std::ops::Range<u64>) -> Option<f64> {
    let file = real(&format!("{name}.csv"))?;
    let options = LoadOptions { data: Some(text(&file)), ..LoadOptions::default() };
    let n = seeds.end - seeds.start;
    let sum: f64 = seeds
        .map(|seed| {
            let loaded = ok(load(spec(&format!("{}\nseed {seed}\n", program(name))), &options));
            let model = ok(loaded.model(DType::F32));
            let options = TrainOptions { write: false, ..TrainOptions::default() };
            let report = ok(train(&loaded, &model, &options, &mut Quiet));
            let test = report.test.expect("a test part");
            test.metrics.iter().find(|(m, _)| m == metric).expect("the metric").1
        })
        .sum();
    Some(sum / n as f64)
}

#[test]
fn iris_reaches_95_percent_on_rows_held_back() {
    let Some(right) = accuracy("iris", "accuracy", 0..5) else { return };
    assert!(right >= 0.95, "{right}");
}

#[test]
fn penguins_and_titanic_are_learned() {
    let Some(right) = accuracy("penguins", "accuracy", 0..3) else { return };
    assert!(right >= 0.97, "{right}");
    let Some(right) = accuracy("titanic", "binary_accuracy", 0..3) else { return };
    assert!(right >= 0.77, "{right}");
}
