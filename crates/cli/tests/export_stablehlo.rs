//! `nnc export stablehlo`: modules that XLA runs, which train as nnc does and say what it says.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::Place;
use serde_json::Value;
use std::fmt::Write;
use std::process::Command;

/// A Python with jax, if the machine has one: `NNC_PYTHON`, or `python3`.
fn python() -> Option<String> {
    // Of whatever Python a machine has the versions are not known.
    let Ok(python) = std::env::var("NNC_PYTHON") else {
        eprintln!("skipped: NNC_PYTHON names no Python to compare with");
        return None;
    };
    let found = Command::new(&python).args(["-c", "import jax, numpy"]).output();
    if found.is_ok_and(|o| o.status.success()) {
        return Some(python);
    }
    eprintln!("skipped: `{python}` has no jax; NNC_PYTHON names another Python");
    None
}

/// Runs Python in the folder.
fn ran(place: &Place, python: &str, args: &[&str]) -> String {
    let ran = Command::new(python)
        .args(args)
        .env("JAX_PLATFORMS", "cpu")
        .current_dir(place.path(""))
        .output()
        .unwrap();
    assert!(ran.status.success(), "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

/// Columns of numbers between -1 and 1, and a target of them.
fn numbers(rows: usize, columns: usize) -> String {
    let mut state = 9u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1u32 << 30) - 1.0
    };
    let mut text: String = (0..columns).map(|i| format!("x{i},")).collect();
    text.push_str("y\n");
    for _ in 0..rows {
        let row: Vec<f64> = (0..columns).map(|_| (next() * 1e4).round() / 1e4).collect();
        let y = u8::from(row.iter().take(5).sum::<f64>().sin() > 0.0);
        row.iter().for_each(|x| write!(text, "{x},").unwrap());
        writeln!(text, "{y}").unwrap();
    }
    text
}

/// The loss of every epoch of the newest run.
fn history(place: &Place, run: &str) -> Vec<f64> {
    let text = std::fs::read_to_string(place.path(&format!("runs/net/{run}/history.csv"))).unwrap();
    text.lines().skip(1).map(|l| l.split(',').nth(1).unwrap().parse().unwrap()).collect()
}

/// The mean loss of every epoch, of the losses of its steps.
fn epochs(steps: &[f64], rows: usize, batch: usize) -> Vec<f64> {
    let count = rows.div_ceil(batch);
    let mean = |of: &[f64]| {
        let size = |i: usize| if (i + 1) * batch > rows { rows - i * batch } else { batch } as f64;
        of.iter().enumerate().map(|(i, loss)| loss * size(i)).sum::<f64>() / rows as f64
    };
    steps.chunks(count).map(mean).collect()
}

fn worst(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let away = |(a, b): (&f64, &f64)| {
        assert!(a.is_finite() && b.is_finite());
        (a - b).abs()
    };
    a.iter().zip(b).map(away).fold(0.0, f64::max)
}

/// Trains `net.nn` for 20 steps at least and compares all losses with those of the modules, from the same first
/// weights; then what the trained network says.
fn follows(place: &Place, rows: &str, of: usize, batch: usize) {
    let Some(python) = python() else { return };
    let wanted = 20usize.div_ceil(of.div_ceil(batch));
    let (wanted, steps) = (wanted.to_string(), (wanted * of.div_ceil(batch)).to_string());
    for (run, precision, within) in [("1", "f32", 1e-5), ("2", "f64", 1e-12)] {
        let options = ["--epochs", &wanted, "--precision", precision];
        let train = [&["train", "net.nn", "-q", "--no-report", "--no-shuffle"], &options[..]].concat();
        place.nnc(&train).fine();
        place.nnc(&["export", "stablehlo", "net.nn", "-o", "out"]).fine();
        let said = ran(place, &python, &["out/run.py", rows, "--steps", &steps, "--first"]);
        let losses: Vec<f64> = said.lines().map(|l| l.split_once('\t').unwrap().1.parse().unwrap()).collect();
        let (theirs, ours) = (history(place, run), epochs(&losses, of, batch));
        let most = worst(&theirs, &ours);
        assert!(theirs[0] != *theirs.last().unwrap());
        assert!(most <= within, "{precision}: {most:e}\n{theirs:?}\n{ours:?}");
        let said = ran(place, &python, &["out/run.py", rows]);
        let answers = compared(&place.nnc(&["predict", "net.nn", "--json"]).json(), &said);
        assert!(answers <= within, "{precision}: {answers:e}");
        eprintln!("{precision}: losses {most:e}, answers {answers:e}");
    }
}

/// How far the first number of each answer is away; labels are the same.
fn compared(theirs: &Value, ours: &str) -> f64 {
    let rows = theirs["rows"].as_array().unwrap();
    let names: Vec<&str> = ours.lines().next().unwrap().split(',').collect();
    assert_eq!(ours.lines().count(), rows.len() + 1);
    let mut most = 0.0f64;
    for (row, line) in rows.iter().zip(ours.lines().skip(1)) {
        let cells: Vec<&str> = line.split(',').collect();
        match &row["output"] {
            Value::String(label) => {
                assert_eq!(cells[0].trim_matches('"').replace("\"\"", "\""), *label);
                let all = row.get("output.values").or(row.get("output.value")).cloned().unwrap_or_default();
                let all = all.as_array().cloned().unwrap_or_else(|| vec![all]);
                for (value, cell) in all.iter().zip(&cells[1..]) {
                    most = most.max((value.as_f64().unwrap() - cell.parse::<f64>().unwrap()).abs());
                }
            }
            Value::Number(x) => {
                most = most.max((x.as_f64().unwrap() - cells[0].parse::<f64>().unwrap()).abs())
            }
            other @ (Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                let flat = flat(other);
                assert_eq!(flat.len(), names.len());
                for (value, cell) in flat.iter().zip(&cells) {
                    most = most.max((value - cell.parse::<f64>().unwrap()).abs());
                }
            }
        }
    }
    most
}

fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(all) => all.iter().flat_map(flat).collect(),
        Value::Number(x) => vec![x.as_f64().unwrap()],
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Object(_) => panic!("{value}"),
    }
}

/// A network over columns of numbers.
fn over_numbers(body: &str, rows: usize, columns: usize, batch: usize) {
    let place = Place::new();
    place.write("rows.csv", &numbers(rows, columns));
    place.write(
        "net.nn",
        &format!(
            "data \"rows.csv\" {{ target y; input rest }}\n{body}\nloss binary_crossentropy\nbatch {batch}\n"
        ),
    );
    follows(&place, "rows.csv", rows, batch);
}

#[test]
fn xor() {
    let place = Place::new();
    let program = std::fs::read_to_string(common::specs().join("xor.nn")).unwrap();
    let program: String =
        program.lines().filter(|l| !l.starts_with("expect")).map(|l| format!("{l}\n")).collect();
    place.write("net.nn", &program);
    place.write("rows.csv", "x1,x2,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n");
    follows(&place, "rows.csv", 4, 4);
}

#[test]
fn a_table_with_labels_gaps_and_a_partial_batch() {
    let place = Place::new();
    let mut table = String::from("length \"cm\",colour,width,species\n");
    for i in 0..50usize {
        let colour = if i % 7 == 3 { "" } else { ["red", "dark, blue", "größer\\"][i * 13 % 3] };
        let length = if i % 11 == 5 { String::new() } else { format!("{}", (i * 37 % 101) as f64 / 10.0) };
        let species = ["setosa", "versi\"color", "virginica"][(i * 37 % 101) / 34];
        let species = species.replace('"', "\"\"");
        writeln!(table, "{length},\"{colour}\",{},\"{species}\"", 1 + i * 17 % 29).unwrap();
    }
    let table = table.replacen("length \"cm\"", "\"length \"\"cm\"\"\"", 1);
    place.write("rows.csv", &table);
    place.write(
        "net.nn",
        "data \"rows.csv\" {\n  target species\n  input \"length \\\"cm\\\"\" standardize missing=median indicator\n  input colour one_hot missing=mode\n  input width log standardize\n}\ndense 8 tanh; dense 3 softmax\nloss crossentropy\noptimizer adam lr=0.01\nmetrics accuracy\nbatch 16\n",
    );
    follows(&place, "rows.csv", 50, 16);
}

#[test]
fn a_number_in_units_with_momentum_and_a_schedule() {
    let place = Place::new();
    let mut table = String::from("a,b,price\n");
    (0..24usize).for_each(|i| writeln!(table, "{},{},{}", i * 7 % 11, i * 5 % 13, 100 + i * 7 % 11).unwrap());
    place.write("rows.csv", &table);
    place.write(
        "net.nn",
        "data \"rows.csv\" { target price standardize; input rest standardize }\ndense 6 gelu; dense 1\nloss mse\noptimizer sgd lr=0.05 momentum=0.9\nschedule cosine warmup=3\nbatch 12\n",
    );
    follows(&place, "rows.csv", 24, 12);
}

#[test]
fn a_convolutional_net_with_dropout() {
    over_numbers(
        "reshape 7x7x1; conv 4 3x3 relu same; maxpool 2x2 same; conv 6 2x2 relu; flatten; dropout 30%; dense 1 sigmoid\noptimizer adam",
        20,
        49,
        8,
    );
}

#[test]
fn an_lstm() {
    over_numbers("reshape 5x3; lstm 6 sequence; lstm 5; dense 1 sigmoid\noptimizer adam lr=0.01", 20, 15, 20);
}

#[test]
fn batch_normalisation() {
    over_numbers("dense 8; batchnorm; relu; dense 1 sigmoid\noptimizer rmsprop", 20, 6, 8);
}

#[test]
fn a_batch_in_pieces() {
    over_numbers("dense 8 tanh; dropout 20%; dense 1 sigmoid\noptimizer adam", 22, 6, 8);
    let Some(python) = python() else { return };
    let place = Place::new();
    place.write("rows.csv", &numbers(22, 6));
    place.write(
        "net.nn",
        "data \"rows.csv\" { target y; input rest }\ndense 8 tanh; dropout 20%; dense 1 sigmoid\nloss binary_crossentropy\noptimizer adam\nbatch 4 accumulate=2\n",
    );
    place
        .nnc(&["train", "net.nn", "-q", "--no-report", "--no-shuffle", "--epochs", "4", "--precision", "f64"])
        .fine();
    place.nnc(&["export", "stablehlo", "net.nn", "-o", "out"]).fine();
    let said = ran(
        &place,
        &python,
        &["out/run.py", "rows.csv", "--steps", "12", "--first", "--save", "w.safetensors"],
    );
    let losses: Vec<f64> = said.lines().map(|l| l.split_once('\t').unwrap().1.parse().unwrap()).collect();
    let most = worst(&history(&place, "1"), &epochs(&losses, 22, 8));
    assert!(most <= 1e-12, "{most:e}");
    assert!(place.path("w.safetensors").exists());
}

#[test]
fn a_small_gpt() {
    let Some(python) = python() else { return };
    let place = Place::new();
    let text: String = (0..400).map(|i| ["the cat ", "sat on ", "a mat. "][i * i % 3]).collect();
    place.write("text.txt", &text[..12 + 7 * 29 + 1]);
    let arrays = "import numpy as n
t = open('text.txt').read()
k = sorted(set(t))
c = n.array([k.index(x) for x in t])
at = range(0, len(c) - 12, 7)
n.savez('rows.npz', input=n.stack([c[i:i + 12] for i in at]), target=n.stack([c[i + 1:i + 13] for i in at]))";
    ran(&place, &python, &["-c", arrays]);
    place.write(
        "net.nn",
        "data text \"text.txt\" window=12 stride=7\nshared tokens = embed 8\ninput -> tokens -> positions\ntransformer 2 causal\nlayernorm\nit @ transpose(tokens.table)\nsoftmax\nloss crossentropy\noptimizer adamw lr=0.01\nbatch 16\n",
    );
    for (run, precision, within) in [("1", "f32", 1e-5), ("2", "f64", 1e-12)] {
        place
            .nnc(&[
                "train",
                "net.nn",
                "-q",
                "--no-report",
                "--no-shuffle",
                "--epochs",
                "10",
                "--precision",
                precision,
            ])
            .fine();
        place.nnc(&["export", "stablehlo", "net.nn", "-o", "out"]).fine();
        let said = ran(&place, &python, &["out/run.py", "rows.npz", "--steps", "20", "--first"]);
        let losses: Vec<f64> = said.lines().map(|l| l.split_once('\t').unwrap().1.parse().unwrap()).collect();
        let most = worst(&history(&place, run), &epochs(&losses, 30, 16));
        assert!(most <= within, "{precision}: {most:e}");
        eprintln!("{precision}: losses {most:e}");
    }
}

/// What needs no Python: which files there are, and that they say where what is.
#[test]
fn files_are_told_and_read() {
    let place = Place::new();
    place.write("rows.csv", &numbers(21, 3).replacen("x1", "\"x \"\"1\"\"\\\"", 1));
    place.write("net.nn", "data \"rows.csv\" { target y; input rest }\ndense 4; dense 1 sigmoid\nloss binary_crossentropy\noptimizer adam\nbatch 8\n");
    place.nnc(&["train", "net.nn", "-q", "--no-report", "--epochs", "1"]).fine();
    let told = place.nnc(&["export", "stablehlo", "net.nn", "-o", "a/b"]).fine();
    let names = [
        "predict.mlir",
        "eval.mlir",
        "step.mlir",
        "step_5.mlir",
        "init.mlir",
        "manifest.json",
        "run.py",
        "init.safetensors",
    ];
    let folder = std::path::Path::new("a").join("b");
    let wanted: String = names.iter().map(|n| format!("{}\n", folder.join(n).display())).collect();
    assert_eq!(told, wanted);
    let manifest = std::fs::read_to_string(place.path("a/b/manifest.json")).unwrap();
    let here = place.path("").display().to_string();
    let about: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!((&about["batch"], &about["rows"]), (&Value::from(8), &Value::from(21)));
    assert_eq!(about["inputs"][0]["columns"][1]["name"], "x \"1\"\\");
    for module in about["modules"].as_array().unwrap() {
        let text = std::fs::read_to_string(place.path("a/b").join(module["file"].as_str().unwrap())).unwrap();
        assert!(!text.contains(&here) && !manifest.contains(&here));
        let (head, rest) = text.split_once(") -> (").unwrap();
        let (results, _) = rest.split_once("  ) {\n").unwrap();
        let arguments = module["arguments"].as_array().unwrap();
        assert_eq!(head.matches("%arg").count(), arguments.len());
        assert_eq!(results.matches("nnc.kind").count(), module["results"].as_array().unwrap().len());
        // What is replaced is replaced by what has its name.
        for a in arguments.iter().filter(|a| !a["replaced_by"].is_null()) {
            let result = &module["results"][a["replaced_by"].as_u64().unwrap() as usize];
            assert_eq!(
                (&result["kind"], &result["name"], &result["shape"]),
                (&Value::from("update"), &a["name"], &a["shape"])
            );
        }
    }
    let replaced =
        |m: &Value| m["arguments"].as_array().unwrap().iter().filter(|a| !a["replaced_by"].is_null()).count();
    assert_eq!(
        about["modules"].as_array().unwrap().iter().map(replaced).collect::<Vec<_>>(),
        [0, 0, 12, 12, 0]
    );
    let refused = place.nnc(&["export", "stablehlo", "net.nn", "--no-preprocessing"]);
    assert!(refused.code == 2 && refused.err.contains("as the network sees them in any case"), "{refused:?}");
    let listed = place.nnc(&["export", "--list", "net.nn"]).fine();
    assert!(listed.contains("stablehlo  a folder of StableHLO modules"), "{listed}");
}
