//! `nnc export onnx`: a trained network as ONNX, asked about the same rows under onnxruntime.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::{Place, numbers};
use serde_json::Value;
use std::fmt::Write;
use std::process::Command;

/// Reads `rows.csv` and prints what the model says of it, as JSON; inputs that are no columns come from `given.json`.
const ASK: &str = r#"
import csv, json, os, sys
import numpy as np
import onnx
import onnxruntime

path = sys.argv[1]
onnx.checker.check_model(onnx.load(path), full_check=True)
options = onnxruntime.SessionOptions()
options.log_severity_level = 3
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
rows = list(csv.DictReader(open("rows.csv", newline="", encoding="utf-8"))) if os.path.exists("rows.csv") else []
given = json.load(open("given.json")) if os.path.exists("given.json") else {}
types = {"tensor(double)": np.float64, "tensor(float)": np.float32, "tensor(int64)": np.int64}
feed = {}
for i in session.get_inputs():
    assert not i.shape or i.shape[0] == "batch", i.shape
    if i.name in given:
        feed[i.name] = np.array(given[i.name], types.get(i.type, object))
    elif i.type == "tensor(string)":
        feed[i.name] = np.array([row[i.name] for row in rows], object)
    else:
        feed[i.name] = np.array([float(row[i.name] or "nan") for row in rows], types[i.type])
names = [o.name for o in session.get_outputs()]
said = {}
for name, x in zip(names, session.run(names, feed)):
    flat = x.reshape(len(x), -1).tolist()
    said[name] = [[v if v == v else None for v in row] for row in flat]
about = session.get_modelmeta()
said["about"] = [about.producer_name, about.version, dict(about.custom_metadata_map)]
said["nodes"] = [n.name + " " + n.op_type for n in onnx.load(path).graph.node]
print(json.dumps(said))
"#;

/// A Python with onnx and onnxruntime, if the machine has one.
fn python() -> Option<String> {
    // Of whatever Python a machine has the versions are not known.
    let Ok(named) = std::env::var("NNC_PYTHON") else {
        eprintln!("skipped: NNC_PYTHON names no Python to compare with");
        return None;
    };
    let there = Command::new(&named).args(["-c", "import numpy, onnx, onnxruntime"]).output();
    let there = there.is_ok_and(|o| o.status.success());
    if !there {
        eprintln!("skipped: `{named}` has no onnx and onnxruntime; NNC_PYTHON names another Python");
    }
    there.then_some(named)
}

/// What `model.onnx` says, by onnxruntime.
fn asked(place: &Place, python: &str) -> Value {
    place.write("ask.py", ASK);
    let ran =
        Command::new(python).args(["ask.py", "model.onnx"]).current_dir(place.path("")).output().unwrap();
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(
        ran.status.success(),
        "{}",
        errors.chars().rev().take(3000).collect::<String>().chars().rev().collect::<String>()
    );
    serde_json::from_slice(&ran.stdout).unwrap()
}

fn flat(v: &Value) -> Vec<f64> {
    match v {
        Value::Number(x) => vec![x.as_f64().unwrap()],
        Value::Array(all) => all.iter().flat_map(flat).collect(),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Object(_) => Vec::new(),
    }
}

/// Every number that `nnc predict` says of an output, row by row.
fn said(predicted: &Value, output: &str) -> Vec<Vec<f64>> {
    let rows = predicted["rows"].as_array().unwrap();
    let values = format!("{output}.values");
    rows.iter().map(|row| row.get(&values).or(row.get(output)).map(flat).unwrap_or_default()).collect()
}

/// The largest difference of an output.
fn worst(ours: &Value, predicted: &Value, output: &str) -> f64 {
    let (ours, theirs) = (ours[output].as_array().unwrap(), said(predicted, output));
    assert_eq!(ours.len(), theirs.len());
    let mut worst = 0.0f64;
    for (row, wanted) in ours.iter().zip(&theirs) {
        let got = flat(row);
        assert_eq!(got.len(), wanted.len(), "{row} {wanted:?}");
        for (a, b) in got.iter().zip(wanted) {
            worst = worst.max((a - b).abs() / b.abs().max(1.0));
        }
    }
    worst
}

/// Trains a program over columns of numbers, exports it, and compares 1,000 answers; the operators of the file.
fn same(name: &str, body: &str, columns: usize) -> Vec<String> {
    let Some(python) = python() else { return Vec::new() };
    let place = Place::new();
    place.write("rows.csv", &numbers(1000, columns));
    place.write("net.nn", &format!("data \"rows.csv\" {{ target y; input rest }}\n{body}\n"));
    place.nnc(&["train", "net.nn", "-q", "--epochs", "1", "--no-report"]).fine();
    place.nnc(&["export", "onnx", "net.nn", "-o", "model.onnx"]).fine();
    let predicted = place.nnc(&["predict", "net.nn", "--json"]).json();
    let ours = asked(&place, &python);
    let worst = worst(&ours, &predicted, "output");
    eprintln!("{name}: {worst:e}");
    assert!(worst < 1e-5, "{worst:e}");
    assert!(flat(&ours["output"]).len() >= 1000);
    assert!(ours["valid"].as_array().unwrap().iter().all(|v| v[0] == true));
    ours["nodes"].as_array().unwrap().iter().map(|n| n.as_str().unwrap().to_string()).collect()
}

/// How many nodes are of an operator.
fn count(nodes: &[String], op: &str) -> usize {
    nodes.iter().filter(|n| n.ends_with(&format!(" {op}"))).count()
}

const END: &str = "optimizer adam; batch 50";

#[test]
fn a_dense_net() {
    same(
        "dense",
        &format!(
            "dense 32 relu; dense 16 tanh; dense 8 gelu; dense 1 sigmoid; loss binary_crossentropy; {END}"
        ),
        6,
    );
}

#[test]
fn a_convolutional_net_is_transposed_once() {
    let nodes = same(
        "convolutions",
        &format!(
            "reshape 12x12x1; conv 8 3x3 relu same; maxpool 2x2; conv 20 3x3 relu stride=2; avgpool 2x2; global_avgpool; dropout 30%; dense 1 sigmoid; loss binary_crossentropy; {END}"
        ),
        144,
    );
    if !nodes.is_empty() {
        assert_eq!(count(&nodes, "Transpose"), 1, "{nodes:?}");
        assert_eq!((count(&nodes, "AveragePool"), count(&nodes, "Mul")), (1, 0), "{nodes:?}");
        assert!(nodes.contains(&"conv1/convolve/conv Conv".to_string()), "{nodes:?}");
    }
}

#[test]
fn convolutions_of_other_kinds() {
    same(
        "other convolutions",
        &format!(
            "reshape 8x6x4; depthwise 3x3 same; conv 6 2x2 groups=2; conv_transposed 3 3x3 stride=2 same; global_avgpool; dense 1 sigmoid; loss binary_crossentropy; {END}"
        ),
        192,
    );
}

#[test]
fn a_residual_block() {
    same(
        "residual block",
        &format!(
            "reshape 6x6x2; conv 4 3x3 same\nstart = it\nbatchnorm; relu; conv 4 3x3 same; add start; relu\nglobal_avgpool; dense 1 sigmoid; loss binary_crossentropy; {END}"
        ),
        72,
    );
}

#[test]
fn batch_normalisation_is_folded() {
    let nodes = same(
        "batchnorm",
        &format!("dense 16; batchnorm; relu; dense 1 sigmoid; loss binary_crossentropy; {END}"),
        6,
    );
    assert_eq!(count(&nodes, "Sqrt"), 0);
}

#[test]
fn an_lstm() {
    same(
        "lstm",
        &format!("reshape 12x3; lstm 24 sequence; lstm 10; dense 1 sigmoid; loss binary_crossentropy; {END}"),
        36,
    );
}

#[test]
fn a_gru_in_both_directions() {
    same("gru", &format!("reshape 12x3; gru 9 both; dense 1 sigmoid; loss binary_crossentropy; {END}"), 36);
}

#[test]
fn a_transformer() {
    let nodes = same(
        "transformer",
        &format!(
            "reshape 9x8; positions; transformer 2 causal; layernorm; mean(it, axis=0); dense 1 sigmoid; loss binary_crossentropy; {END}"
        ),
        72,
    );
    if !nodes.is_empty() {
        assert_eq!(count(&nodes, "Softmax"), 1, "{nodes:?}");
    }
}

#[test]
fn a_table_with_words_gaps_and_units() {
    let Some(python) = python() else { return };
    let place = Place::new();
    let kinds = ["small \"box\"", "big\\box", "größer?", "other"];
    let mut table = String::from("kind,size in m,\"a,b\",int,../x,price\n");
    let mut row = |kind: &str, size: &str, b: &str, int: usize, x: usize, price: f64| {
        let quoted = format!("\"{}\"", kind.replace('"', "\"\""));
        writeln!(table, "{quoted},{size},{b},{int},{x},{price}").unwrap();
    };
    for i in 0..1000usize {
        let kind = if i % 7 == 3 { "" } else { kinds[i * 13 % 4] };
        let size = (i % 11 != 5).then_some(((i * 37 % 101) as f64) / 10.0);
        let (b, int) = (1.0 + (i * 17 % 29) as f64, i % 5);
        let price = 100.0 + 20.0 * size.unwrap_or(4.0) + 7.0 * b + int as f64;
        row(kind, &size.map(|s| s.to_string()).unwrap_or_default(), &b.to_string(), int, i % 3, price);
    }
    place.write("rows.csv", &table);
    place.write(
        "net.nn",
        "data \"rows.csv\" {\n  target price standardize\n  input kind one_hot missing=mode\n  input \"size in m\" standardize missing=median indicator\n  input \"a,b\" log standardize\n  input int\n  input \"../x\"\n}\ndense 8 relu; dense 1; loss mse; optimizer adam; batch 50\n",
    );
    place.nnc(&["train", "net.nn", "-q", "--epochs", "2", "--no-report"]).fine();
    place.nnc(&["export", "onnx", "net.nn", "-o", "model.onnx"]).fine();
    let predicted = place.nnc(&["predict", "net.nn", "--json"]).json();
    let ours = asked(&place, &python);
    let worst = worst(&ours, &predicted, "output");
    eprintln!("table: {worst:e}");
    assert!(worst < 1e-5, "{worst:e}");
    assert_eq!(ours["about"][0], "nnc");
    assert_eq!(ours["about"][2]["program"], "net.nn");

    // What training never saw, and gaps without a rule, are no answers.
    place.write(
        "rows.csv",
        "kind,size in m,\"a,b\",int,../x,price\nnever seen,1,1,1,1,0\nother,1,,1,1,0\nother,1,0,1,1,0\nother,,1,1,1,0\n,1,1,1,1,0\nother,inf,1,1,1,0\n",
    );
    let ours = asked(&place, &python);
    let valid: Vec<bool> =
        ours["valid"].as_array().unwrap().iter().map(|v| v[0].as_bool().unwrap()).collect();
    assert_eq!(valid, [false, false, false, true, true, false]);
    let numbers: Vec<bool> = ours["output"].as_array().unwrap().iter().map(|v| v[0].is_number()).collect();
    assert_eq!(numbers, valid);

    // The plain network.
    place.nnc(&["export", "onnx", "net.nn", "-o", "model.onnx", "--no-preprocessing"]).fine();
    place.write("given.json", "{\"input\": [[0,0,0,1,0,0,0,0,0]]}");
    let ours = asked(&place, &python);
    assert!(ours["output"][0][0].is_number() && ours.get("valid").is_none());
}

#[test]
fn classes_have_names() {
    let Some(python) = python() else { return };
    let place = Place::new();
    let names = ["réd", "", "line\nbreak", "\"q\""];
    let mut table = String::from("x,y,group\n");
    for i in 0..1000usize {
        let (x, y) = ((i * 37 % 101) as f64 / 50.0 - 1.0, (i * 53 % 97) as f64 / 48.0 - 1.0);
        let name = [names[0], names[2], names[3]][usize::from(x > 0.0) + usize::from(y > 0.3)];
        writeln!(table, "{x},{y},\"{}\"", name.replace('"', "\"\"")).unwrap();
    }
    place.write("rows.csv", &table);
    place.write(
        "net.nn",
        "data \"rows.csv\" { target group; input rest }\ndense 16 relu; dense 3 softmax; loss crossentropy; optimizer adam; batch 20\n",
    );
    place.nnc(&["train", "net.nn", "-q", "--epochs", "4", "--no-report"]).fine();
    place.nnc(&["export", "onnx", "net.nn", "-o", "model.onnx"]).fine();
    let predicted = place.nnc(&["predict", "net.nn", "--json"]).json();
    let ours = asked(&place, &python);
    let output = ours.as_object().unwrap().keys().find(|k| k.ends_with("_name")).unwrap().clone();
    let output = output.trim_end_matches("_name");
    let rows = predicted["rows"].as_array().unwrap();
    let mut labels = std::collections::BTreeSet::new();
    for (row, label) in rows.iter().zip(ours[format!("{output}_name")].as_array().unwrap()) {
        assert_eq!(row[output], label[0], "{row}");
        labels.insert(label[0].to_string());
    }
    assert!(labels.len() > 1, "{labels:?}");
}

#[test]
fn a_text_model_takes_numbers_of_characters() {
    let Some(python) = python() else { return };
    let place = Place::new();
    let text: String = (0..3000).map(|i| ["the cat ", "sat on ", "a mat. "][i * i % 3]).collect();
    place.write("text.txt", &text);
    place.write(
        "net.nn",
        "data text \"text.txt\" window=12 stride=7\nembed 16\ntransformer 2 causal\nlstm 8 sequence\ndense input.classes softmax\nloss crossentropy\noptimizer adam; batch 50\n",
    );
    place.nnc(&["train", "net.nn", "-q", "--epochs", "1", "--no-report"]).fine();
    place.nnc(&["export", "onnx", "net.nn", "-o", "model.onnx"]).fine();
    let mut letters: Vec<char> = text.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    let all: Vec<usize> = text.chars().map(|c| letters.binary_search(&c).unwrap()).collect();
    let predicted = place.nnc(&["predict", "net.nn", "--json"]).json();
    let windows = predicted["rows"].as_array().unwrap().len();
    let cells: Vec<&[usize]> = (0..windows).map(|w| &all[w * 7..w * 7 + 12]).collect();
    place.write("given.json", &format!("{{\"input\": {cells:?}}}"));
    let ours = asked(&place, &python);
    let worst = worst(&ours, &predicted, "output");
    let names: Vec<String> =
        serde_json::from_str(ours["about"][2]["classes of input"].as_str().unwrap()).unwrap();
    assert_eq!(names.concat(), letters.iter().collect::<String>());
    for (row, text) in said(&predicted, "output").iter().zip(ours["output_name"].as_array().unwrap()) {
        for (shares, label) in row.chunks(letters.len()).zip(text.as_array().unwrap()) {
            let most = shares.iter().copied().fold(0.0, f64::max);
            // Numbers that are printed alike may differ.
            assert!(
                shares
                    .iter()
                    .zip(&names)
                    .any(|(s, name)| *s > most - 1e-5 && name == label.as_str().unwrap())
            );
        }
    }
    eprintln!("text: {windows} rows, {worst:e}");
    assert!(windows > 1000 && worst < 1e-5, "{windows} {worst:e}");
}

#[test]
fn a_series_with_windows_and_dates() {
    let Some(python) = python() else { return };
    let place = Place::new();
    let mut table = String::from("day,kind,level\n");
    for i in 0..1030usize {
        let (month, day) = (1 + i / 28 % 12, 1 + i % 28);
        let level = 10.0 + (i as f64 / 5.0).sin() * 4.0 + (i % 3) as f64;
        writeln!(table, "{}-{month:02}-{day:02},{},{level}", 2001 + i / 336, ["a", "b", "c"][i % 3]).unwrap();
    }
    place.write("series.csv", &table);
    place.write(
        "net.nn",
        "data \"series.csv\" window=7 {\n  input day date standardize\n  input kind one_hot\n  input level standardize\n  target level standardize\n}\nlstm 8; dense 1; loss mse; optimizer adam; batch 50\n",
    );
    place.nnc(&["train", "net.nn", "-q", "--epochs", "2", "--no-report"]).fine();
    place.nnc(&["export", "onnx", "net.nn", "-o", "model.onnx"]).fine();
    let predicted = place.nnc(&["predict", "net.nn", "--json"]).json();
    let text = place.nnc(&["export", "onnx", "net.nn", "--text"]).fine();
    let inputs: Vec<&str> =
        text.lines().filter_map(|l| l.strip_prefix("  input \"")?.split('"').next()).collect();
    let parts: Vec<Vec<String>> = table
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let date: Vec<&str> = cells[0].split('-').collect();
            inputs
                .iter()
                .map(|input| match *input {
                    "kind" => format!("{:?}", cells[1]),
                    "level" => cells[2].to_string(),
                    "day year" => date[0].to_string(),
                    "day month" => date[1].trim_start_matches('0').to_string(),
                    "day day" => date[2].trim_start_matches('0').to_string(),
                    "day weekday" => weekday(date[0], date[1], date[2]).to_string(),
                    other => panic!("{other}"),
                })
                .collect()
        })
        .collect();
    let windows = predicted["rows"].as_array().unwrap().len();
    assert!(windows >= 1000, "{windows} {text}");
    let columns: Vec<String> = inputs
        .iter()
        .enumerate()
        .map(|(k, name)| {
            let rows: Vec<String> = (0..windows)
                .map(|w| {
                    let cells: Vec<&str> = parts[w..w + 7].iter().map(|row| row[k].as_str()).collect();
                    format!("[{}]", cells.join(","))
                })
                .collect();
            format!("{name:?}: [{}]", rows.join(","))
        })
        .collect();
    place.write("given.json", &format!("{{{}}}", columns.join(",")));
    let ours = asked(&place, &python);
    let output = ours
        .as_object()
        .unwrap()
        .keys()
        .find(|k| !["about", "nodes", "valid"].contains(&k.as_str()))
        .unwrap();
    let worst = worst(&ours, &predicted, output);
    eprintln!("series: {windows} windows, {worst:e}");
    assert!(worst < 1e-5, "{worst:e}");
    assert!(ours["valid"].as_array().unwrap().iter().all(|v| v[0] == true));
}

/// The day of the week, 0 for Monday (Sakamoto's rule).
fn weekday(year: &str, month: &str, day: &str) -> usize {
    let [mut y, m, d] = [year, month, day].map(|x| x.parse::<usize>().unwrap());
    if m < 3 {
        y -= 1;
    }
    let shift = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4][m - 1];
    let sunday = (y + y / 4 - y / 100 + y / 400 + shift + d) % 7;
    (sunday + 6) % 7
}

#[test]
fn a_network_that_only_draws() {
    let Some(python) = python() else { return };
    let place = Place::new();
    place.write(
        "net.nn",
        "data moons 100 { target none }\nnoise = random_normal(shape(input))\nfake = noise -> dense 2\noutput fake\nloss = mean((fake - input)^2)\noptimizer sgd\n",
    );
    place.nnc(&["train", "net.nn", "-q", "--epochs", "1", "--no-report"]).fine();
    place.nnc(&["export", "onnx", "net.nn", "-o", "model.onnx"]).fine();
    place.write("given.json", "{\"seed\": 3, \"step\": 1, \"samples\": 7}");
    let ours = asked(&place, &python);
    assert_eq!(flat(&ours["fake"]).len(), 14);
}

#[test]
fn what_is_asked_for_wrongly() {
    let place = Place::new();
    place.spec("xor.nn");
    place.nnc(&["train", "xor.nn", "-q", "--epochs", "1", "--no-report"]).fine();
    let cases: [(&[&str], &str); 4] = [
        (&["export", "onnx"], "the format and the network are both needed"),
        (&["export", "onnx", "missing.nn"], "missing.nn"),
        (&["export", "onnx", "xor.nn", "--int8"], "--int8 is for c"),
        (&["export", "c", "xor.nn", "--text"], "--text is for onnx"),
    ];
    for (args, wanted) in cases {
        let ran = place.nnc(args);
        assert_eq!(ran.code, 2, "{args:?}");
        assert!(ran.err.contains(wanted), "{args:?}: {}", ran.err);
    }
    let list = place.nnc(&["export", "--list", "xor.nn"]).fine();
    assert!(list.contains("\nonnx       one ONNX file"), "{list}");
    let text = place.nnc(&["export", "onnx", "xor.nn", "--text"]).fine();
    assert!(text.contains("output \"valid\" : bool[batch]"), "{text}");
    assert!(!place.path("xor.onnx").exists());
}
