//! Text from a trained network.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;

/// A text that goes on in one way only.
fn rhyme() -> String {
    "the cat sat on a mat; ".repeat(120)
}

const PROGRAM: &str = "\
data text \"folder/rhyme.txt\" window=12
split valid=10% ordered
embed 16
lstm 48 sequence
dense input.classes softmax
loss crossentropy
optimizer adam lr=0.02
epochs 25; batch 8
";

fn trained() -> Place {
    let place = Place::new();
    std::fs::create_dir(place.path("folder")).unwrap();
    place.write("folder/rhyme.txt", &rhyme());
    place.write("rhyme.nn", PROGRAM);
    place.nnc(&["train", "rhyme.nn", "-q"]).fine();
    place
}

#[test]
fn a_rhyme_is_written_on() {
    let place = trained();
    // Shorter than the window, and longer.
    for prompt in ["the c", "sat on a mat; the c"] {
        let args = ["generate", "rhyme.nn", "--prompt", prompt, "--length", "40", "--temperature", "0"];
        let text = place.nnc(&args).fine();
        let want: String = rhyme().split_once("the c").unwrap().1.chars().take(40).collect();
        assert_eq!(text, format!("{prompt}{want}\n"));
    }
    // The same seed, the same text; another seed, another one.
    let daring = |seed: &str| {
        let args = ["generate", "runs/rhyme/1", "--temperature", "3", "--seed", seed, "--length", "60"];
        place.nnc(&args).fine()
    };
    assert_eq!(daring("1"), daring("1"));
    assert_ne!(daring("1"), daring("2"));
    let args = ["generate", "rhyme.nn", "--prompt", "a m", "--top-k", "1", "--length", "3", "--json"];
    let json: serde_json::Value = serde_json::from_str(&place.nnc(&args).fine()).unwrap();
    assert_eq!(json["text"], "a mat; ".trim_end().to_string());
    // The data is known again, from whatever folder it is seen.
    let parent = place.path("folder");
    let target = place.path("runs/rhyme/1");
    let ran = common::run(&parent, &["eval", target.to_str().unwrap(), "--on", "valid"], "");
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn mistakes_are_told() {
    let place = trained();
    let ran = place.nnc(&["generate", "rhyme.nn", "--prompt", "dog"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
    assert!(ran.err.contains('d'), "{}", ran.err);
    let ran = place.nnc(&["generate", "rhyme.nn", "--temperature", "-1"]);
    assert_eq!(ran.code, 2);
    place.spec("xor.nn");
    place.nnc(&["train", "xor.nn", "-q", "--epochs", "1"]).fine();
    let ran = place.nnc(&["generate", "xor.nn"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("N0607") && ran.err.contains("no text"), "{}", ran.err);
    // A network that sees the future cannot write it.
    place.write("both.nn", &PROGRAM.replace("lstm 48 sequence", "lstm 4 sequence both").replace("25", "1"));
    place.nnc(&["train", "both.nn", "-q"]).fine();
    let ran = place.nnc(&["generate", "both.nn", "--prompt", "the c"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("looks at what comes after"), "{}", ran.err);
}
