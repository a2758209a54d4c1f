//! Any text is read without a panic, and programs here are none of Python.

#![allow(clippy::unwrap_used)]

use nnc_port::{Library, detect, translate};
use proptest::prelude::*;
use std::path::Path;

#[test]
fn programs_here_are_not_taken_for_python() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut seen = 0;
    for folder in [
        "specs",
        "docs/published",
        "tests/programs",
        "crates/cli/tests/wrong",
        "crates/model/prelude",
        "crates/cli/tests/mistakes",
    ] {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
        for path in entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "nn")) {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            seen += 1;
            // Some of the programs with mistakes are Python on purpose.
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            let meant = name.starts_with("keras_") || name.starts_with("torch_");
            assert!(meant || detect(&text).is_none(), "{}", path.display());
        }
    }
    assert!(seen > 50, "{seen}");
    assert_eq!(detect("data { 0 1 -> 1 }\nmodel.add(Dense(16))\nmodel.add(Dense(1))\nloss mse\n"), None);
    assert_eq!(detect("model.add(Dense(16))\n"), None);
}

#[test]
fn pieces_without_imports_are_recognised() {
    assert_eq!(detect("model = Sequential()\nmodel.add(Dense(16))\n"), Some(Library::Keras));
    assert_eq!(detect("net = nn.Sequential(nn.Linear(2, 3))\n"), Some(Library::Torch));
    assert_eq!(detect("class Net(nn.Module):\n    pass\n"), Some(Library::Torch));
}

#[test]
fn deep_and_long_texts_end() {
    let keras = |body: String| translate(&format!("import keras\nm = keras.Sequential()\n{body}\n"));
    for body in [
        format!("x = {}1{}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("x = {}1", "1 + ".repeat(100_000)),
        format!("x = {}1", "2 ** ".repeat(100_000)),
        format!("x = {}1", "not ".repeat(100_000)),
        format!("x = {}1", "-".repeat(100_000)),
        format!("x = a{}", ".b".repeat(100_000)),
        format!("x = a{}", "()".repeat(100_000)),
        format!("x = {}", "a if b else ".repeat(100_000)),
        (0..2000).map(|i| format!("{}if x:\n", " ".repeat(i))).collect(),
        format!("if x:\n  pass\n{}", "elif x:\n  pass\n".repeat(10_000)),
        "def f():\n  return f()\nf()".to_string(),
        "for i in range(1000):\n  for j in range(1000):\n    for k in range(1000):\n      m.add(keras.layers.Dense(4))".to_string(),
        "x = [1]\nfor i in range(60):\n  x = x + x".to_string(),
        "x = 'a'\nfor i in range(60):\n  x = x + x".to_string(),
        "lambda ".repeat(50_000),
    ] {
        assert!(keras(body).is_some());
    }
}

/// The lines of a program that were not translated.
fn left(text: &str) -> (String, Vec<usize>) {
    let port = translate(text).unwrap();
    (port.program, port.left.iter().map(|l| l.line).collect())
}

#[test]
fn layers_that_are_not_known_leave_a_gap_that_is_told() {
    let head = "from keras.models import Sequential\nfrom keras.layers import Dense\n";
    let made = format!("{head}layer = make_layer\nmodel = Sequential([Dense(4), layer, *more, Dense(1)])\n");
    let (program, lines) = left(&made);
    assert!(
        program.contains("dense 4\n# a layer is missing here\n# a layer is missing here\ndense 1"),
        "{program}"
    );
    assert_eq!(lines.iter().filter(|l| **l == 4).count(), 2, "{lines:?}");
    // Known ones are taken as they are.
    let known =
        format!("{head}more = [Dense(8), Dense(2)]\nmodel = Sequential([Dense(4), *more, Dense(1)])\n");
    let (program, lines) = left(&known);
    assert!(program.contains("dense 4\ndense 8\ndense 2\ndense 1"), "{program}");
    assert!(!lines.contains(&4), "{lines:?}");
    let (program, _) = left(&format!("{head}how = dict\nmodel = Sequential([Dense(4, **how)])\n"));
    assert!(program.contains("dense 4"), "{program}");
    let shared =
        format!("{head}how = {{'activation': 'relu'}}\nmodel = Sequential([Dense(4, **how), Dense(1)])\n");
    let (program, _) = left(&shared);
    assert!(program.contains("dense 4 relu"), "{program}");
}

/// What classes count, by number; what is not known of them is told.
#[test]
fn weights_of_classes_are_those_of_the_loss() {
    let program = |loss: &str, weights: &str| {
        format!(
            "import keras\nfrom keras import layers\ncost = {{0: 0.5, 1: 9}}\n\
             model = keras.Sequential([keras.Input((4,)), layers.Dense(2, activation='softmax')])\n\
             model.compile(optimizer='adam', loss='{loss}')\nmodel.fit(x, y, epochs=3, class_weight={weights})\n"
        )
    };
    for (loss, weights, line) in [
        ("sparse_categorical_crossentropy", "{0: 1.0, 1: 5.0}", "loss crossentropy class_weights=[1, 5]"),
        ("sparse_categorical_crossentropy", "{1: 5, 0: 1}", "loss crossentropy class_weights=[1, 5]"),
        ("binary_crossentropy", "cost", "loss binary_crossentropy class_weights=[0.5, 9]"),
    ] {
        let port = translate(&program(loss, weights)).unwrap();
        let (text, told) = (port.program, port.left.iter().any(|l| l.text.contains("class_weight")));
        assert!(text.contains(line) && !told, "{text}");
    }
    for (loss, weights) in [
        ("sparse_categorical_crossentropy", "dict(enumerate(found))"),
        ("sparse_categorical_crossentropy", "{0: 1.0, 2: 5.0}"),
        ("mse", "{0: 1.0, 1: 5.0}"),
    ] {
        let port = translate(&program(loss, weights)).unwrap();
        let (text, told) = (port.program, port.left.iter().any(|l| l.text.contains("class_weight")));
        assert!(!text.contains("class_weights=[1, 5]\n") && told, "{text}");
    }
}

#[test]
fn every_line_of_a_loop_that_trains_is_translated_or_told() {
    let text = "\
import torch
from torch import nn
model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
sched = torch.optim.lr_scheduler.StepLR(opt, step_size=10)
for epoch in range(20):
    opt.zero_grad()
    loss = nn.MSELoss()(model(x), y)
    loss += 1e-4 * norm(model)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
    opt.step()
    sched.step()
    if epoch % 10 == 0:
        print(loss)
    opt.param_groups[0]['lr'] = 0.1
    save(model)
    for a, b in held_out:
        check(a, b)
";
    let (program, lines) = left(text);
    assert!(program.contains("clip 0.5\n") && program.contains("epochs 20\n"), "{program}");
    for line in [9, 13, 14, 16, 17, 18] {
        assert!(lines.contains(&line), "line {line}: {lines:?}");
    }
    for line in [7, 8, 10, 11, 12] {
        let of_batch = lines.iter().filter(|l| **l == line).count();
        assert!(of_batch == 0 || line == 8, "line {line}: {lines:?}");
    }
}

#[test]
fn quotes_inside_of_texts_close_nothing() {
    let text = "import keras\nm = keras.Sequential([keras.layers.Dense(3, name='it\\'s') for i in range(2)])\nn = keras.Sequential([keras.layers.Dense(5)])\n";
    let (program, _) = left(text);
    assert!(program.contains("dense 5"), "{program}");
}

proptest! {
    #[test]
    fn any_text_is_read(text in "\\PC{0,200}") {
        translate(&format!("import keras\n{text}"));
    }

    #[test]
    fn any_tokens_are_read(tokens in prop::collection::vec(prop::sample::select(vec![
        "m", "=", "(", ")", "[", "]", "{", "}", ",", ":", "\n", "\n  ", "for ", " in ", "if ", "def f", "class A", "return ",
        "keras.Sequential", "Dense", "16", "'relu'", "\"", ".", "-", "**", "*", "/", "range", "model.add", ".fit", ".compile",
        "Input", "Model", "x", "self", "lambda ", "not ", "0", "/0", "1e400", "%", "LSTM", "Conv2D", "nn.", "shape=", "None",
    ]), 0..60)) {
        translate(&format!("import keras\nimport torch\n{}", tokens.concat()));
        translate(&format!("import keras\n{}", tokens.concat()));
    }
}
