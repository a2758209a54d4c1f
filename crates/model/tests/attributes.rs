//! What definitions say about themselves: which way figures get better, and that nothing of it stands in Rust.
#![allow(clippy::unwrap_used)]

mod common;

use common::{build, classes, definitions::definitions, numbers, ports, spec_of};
use nnc_model::Better;
use std::path::Path;

/// Parts of metrics, and a table: no figures of their own.
const PARTS: [&str; 17] = [
    "right_class",
    "sign_of",
    "by_class",
    "by_answer",
    "by_side",
    "unit",
    "ratio",
    "said",
    "is_so",
    "each",
    "averaged",
    "confusion",
    "hot",
    "above",
    "without_last",
    "without_first",
    "next_place",
];

#[test]
fn every_loss_and_metric_says_which_way_it_gets_better() {
    for (name, def) in definitions() {
        let figure = matches!(def.file, "prelude/losses.nn" | "prelude/metrics.nn");
        if figure && !PARTS.contains(&name.as_str()) && name != "scored" {
            assert!(def.body.contains(" with better="), "{name}");
        }
    }
}

#[test]
fn figures_know_which_way_they_get_better() {
    let text = "
        fn off(y, target) with better=lower = mean(abs(y - target))
        fn near(y, target) with better=higher = mean(1 - abs(y - target))
        fn plain(y, target) = mean(y - target)
        dense 2 softmax
        loss crossentropy
        metrics accuracy f1 auc rmse=(rmse(output, target)) h=(huber(output, target, delta=2)) wer=(off(output, target))
        metrics near plain odd=(1 - accuracy(output, target)) confusion
        optimizer adam";
    let model = build(text, &ports(numbers("input", &[3]), classes("target", &[], 2))).unwrap();
    let (lower, higher) = (Some(Better::Lower), Some(Better::Higher));
    for (figure, better) in [
        ("loss", lower),
        ("val_loss", lower),
        ("test_loss", lower),
        ("accuracy", higher),
        ("val_f1", higher),
        ("auc", higher),
        ("rmse", lower),
        ("h", lower),
        ("wer", lower),
        ("test_near", higher),
        ("plain", None),
        ("odd", None),
        ("confusion", None),
        ("nothing", None),
    ] {
        assert_eq!(model.better(figure), better, "{figure}");
    }
    assert_eq!(model.metrics.len(), model.directions.len());
}

#[test]
fn attributes_that_mean_nothing_are_mistakes() {
    for (head, code) in [
        ("fn f(x) with bettr=lower = x", "N0203"),
        ("fn f(x) with better=lower better=lower = x", "N0203"),
        ("fn f(x) with better=smaller = x", "N0205"),
        ("layer f of x[n] with range=big { x }", "N0205"),
        ("rule r of w, g with usual=loss task=any { w := w - g }", "N0205"),
        ("init i of shape with colour=red = fill(shape, 1)", "N0203"),
    ] {
        let said = spec_of(&format!("{head}\ndense 1\nloss mse")).unwrap_err();
        assert!(said.contains(&format!("Error[{code}]")), "{head}: {said}");
    }
}

/// A program's own activation says what it gives, and is understood as the library's are.
#[test]
fn own_functions_are_understood_by_what_they_say() {
    let build = |activation: &str| {
        let text = format!("{activation}\ndense 3 act\nloss crossentropy\noptimizer adam");
        build(&text, &ports(numbers("input", &[3]), classes("target", &[], 3)))
    };
    let shares = "fn act(x) with range=shares = exp(x) / sum(exp(x), axis=-1, keep=yes)";
    assert!(build(shares).unwrap().outputs[0].probabilities);
    let silent = "fn act(x) = exp(x) / sum(exp(x), axis=-1, keep=yes)";
    assert!(!build(silent).unwrap().outputs[0].probabilities);
    let (found, _) = build("fn act(x) with range=positive = max(x, 0)").unwrap_err();
    assert_eq!(found[0].message, "`crossentropy` needs probabilities, and `act` gives 0 or more");
}

/// The sources of the crate without their tests and their lines of comments.
fn sources(folder: &Path, out: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, out);
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            let code = code.collect::<Vec<_>>().join("\n");
            out.push((path.to_string_lossy().replace('\\', "/"), code));
        }
    }
}

/// Names of the prelude that may stand in Rust: the file's end, the name (all where empty), and why.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("explain/words.rs", "", "what `nnc explain` says of common names to a beginner; it steers nothing"),
    ("program/settings.rs", "clip", "the setting of that name"),
    ("program/stages.rs", "clip", "the setting of that name"),
    ("explain/settings.rs", "clip", "the setting of that name"),
    ("declarations/attributes.rs", "after", "an attribute"),
    ("declarations/attributes.rs", "unit", "a word of an attribute"),
    ("builtins/windows.rs", "after", "the argument of that name"),
];

#[test]
fn no_name_of_the_prelude_stands_in_rust() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let names: Vec<String> = definitions().into_keys().collect();
    let allowed = |file: &str, name: &str| {
        ALLOWED.iter().any(|(end, n, _)| file.ends_with(end) && (n.is_empty() || *n == name))
    };
    let mut found = Vec::new();
    for (file, text) in &files {
        let quoted = |name: &&String| text.contains(&format!("\"{name}\""));
        let here = names.iter().filter(quoted).filter(|name| !allowed(file, name));
        found.extend(here.map(|name| format!("{file}: \"{name}\"")));
    }
    assert!(found.is_empty(), "say it in the prelude, as an attribute:\n{}", found.join("\n"));
    for (end, name, _) in ALLOWED {
        let used = files.iter().any(|(file, text)| {
            file.ends_with(end)
                && names.iter().any(|n| (name.is_empty() || n == name) && text.contains(&format!("\"{n}\"")))
        });
        assert!(used, "nothing needs the exception for {end} {name}");
    }
}
