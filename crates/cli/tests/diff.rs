//! `nnc diff`: what differs is told, and only that.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;

const NET: &str = "data moons 100 noise=0.1\n# a comment\nparam wide = 8\nlayer block(n: int) of x { dense n tanh }\n\
                   block wide\ndense 4 relu\ndense 1 sigmoid\nloss binary_crossentropy\noptimizer adam lr=0.01\nepochs 3\n";

/// The text of a comparison of the program with a changed one.
fn told(changes: &[(&str, &str)]) -> (i32, String) {
    let place = Place::new();
    place.write("a.nn", NET);
    let changed = changes.iter().fold(NET.to_string(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    place.write("b.nn", &changed);
    let ran = place.nnc(&["diff", "a.nn", "b.nn"]);
    (ran.code, ran.out + &ran.err)
}

#[test]
fn layers_statements_and_cost_are_compared() {
    for (changes, lines) in [
        (&[("dense 4 relu\n", "")][..], &["-  dense 4 relu", "~  dense 1 sigmoid", "5 to 9"][..]),
        (&[("dense 4 relu", "dense 4 tanh")], &["-  dense 4 relu", "+  dense 4 tanh"]),
        (
            &[("wide = 8", "wide = 16")],
            &["~  block wide", "8 to 16", "24 to 48", "- wide = 8   (param)", "+ wide = 16   (param)"],
        ),
        (&[("lr=0.01", "lr=0.1")], &["- optimizer adam lr=0.01", "+ optimizer adam lr=0.1"]),
        (&[("noise=0.1", "noise=0.2")], &["- data moons 100 noise=0.1", "+ data moons 100 noise=0.2"]),
        (&[("dense n tanh }", "dense n relu }")], &["- layer block(n: int) of x { dense n tanh }"]),
        (&[("epochs 3", "epochs 3\nbatch 8")], &["+ batch 8"]),
    ] {
        let (code, text) = told(changes);
        assert_eq!(code, 1, "{changes:?}: {text}");
        for line in lines {
            assert!(text.contains(line), "{changes:?}: {line}\n{text}");
        }
        // What is the same is told nowhere but among the layers.
        let optimizer = changes.iter().any(|(from, _)| from.contains("lr"));
        assert!(optimizer || !text.contains("optimizer"), "{text}");
    }
}

#[test]
fn nothing_is_no_difference() {
    for (changes, why) in [
        (&[("# a comment", "# another")][..], "comments, layout or order only"),
        (&[("dense 4 relu", "dense  4   relu  # four")], "comments, layout or order only"),
        (&[], "the texts are the same"),
    ] {
        let (code, text) = told(changes);
        assert!(code == 0 && text.starts_with("no difference") && text.contains(why), "{changes:?}: {text}");
    }
    let place = Place::new();
    place.write("a.nn", NET);
    place.nnc(&["train", "a.nn", "-q", "--out", "run"]).fine();
    assert_eq!(place.nnc(&["diff", "run", "a.nn", "--json"]).json()["same"], true);
    place.write("a.nn", &NET.replace("dense 4", "dense 5"));
    let ran = place.nnc(&["diff", "run", "a.nn"]);
    assert!(ran.code == 1 && ran.out.contains("+  dense 5 relu"), "{}{}", ran.out, ran.err);
    assert_eq!(place.nnc(&["diff", "a.nn", "missing.nn"]).code, 2);
}

#[test]
fn experiments_are_sides() {
    let place = Place::new();
    place.spec("xor-experiments.nn");
    let ran = place.nnc(&["diff", "xor-experiments.nn", "xor-experiments.nn:wide", "--json"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&json["layers"][0]["is"], &json["totals"][0]["weights"]), (&"changed".into(), &65.into()));
    assert_eq!(json["layers"][0]["second"]["shape"], "32");
}
