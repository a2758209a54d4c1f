//! The formatter changes the look of a program and nothing else.

mod common;

use nnc_syntax::{SourceId, format, same_meaning};

const LAYERS: [&str; 12] = [
    "dense",
    "conv",
    "maxpool",
    "flatten",
    "dropout",
    "batchnorm",
    "embed",
    "lstm",
    "attention",
    "positions",
    "transformer",
    "layernorm",
];

fn formatted(text: &str) -> String {
    format(text, SourceId::default(), &|name| LAYERS.contains(&name)).unwrap()
}

#[test]
fn samples_keep_their_meaning() {
    for (path, text) in common::samples() {
        let once = formatted(&text);
        assert_eq!(once, formatted(&once), "{path}");
        let (before, after) = (common::read(&text).0, common::read(&once).0);
        assert!(same_meaning(&before.program, &after.program), "{path}\n{once}");
        assert_eq!(text.matches('#').count(), once.matches('#').count(), "{path}\n{once}");
        if std::env::var("SHOW").is_ok() {
            println!("=== {path}\n{once}");
        }
    }
}
