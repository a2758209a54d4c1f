//! `class_weights=balanced`: counted in the rows that are trained on, told, and kept in the model.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;
use std::fmt::Write;

/// 20 rows, of which 14 are a, 4 b and 2 c; the last 10 (7, 2, 1) to validate with.
fn table() -> String {
    let mut out = String::from("x,z,kind,rare,often\n");
    for i in 0..20 {
        let kind = ["a", "a", "a", "a", "b", "a", "a", "c", "b", "a"][i % 10];
        let (rare, often) = (u8::from(kind == "c"), u8::from(kind == "a"));
        writeln!(out, "{}.5,{},{kind},{rare},{often}", i % 7, (i * 3) % 5).unwrap();
    }
    out
}

fn program(target: &str, rest: &str) -> String {
    format!(
        "data \"t.csv\" {{ input x z; target {target}; drop rest }}\nsplit valid=50% ordered\n{rest}\nepochs 4\nseed 3\n"
    )
}

/// The last figures of a training as JSON, and what was said.
fn train(place: &Place, name: &str, text: &str) -> (String, String) {
    place.write("p.nn", text);
    let ran = place.nnc(&["train", "p.nn", "--out", name, "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let v: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    (format!("{} {}", v["loss"], v["val_loss"]), ran.err)
}

#[test]
fn balanced_weights_are_those_of_the_training_rows_to_the_last_bit() {
    let place = Place::new();
    place.write("t.csv", &table());
    let net =
        |loss: &str| program("kind", &format!("dense 4 tanh\ndense 3 softmax\nloss crossentropy {loss}"));
    let (even, said) = train(&place, "even", &net("class_weights=balanced"));
    // 10 / (3 * 7), 10 / (3 * 2), 10 / 3
    assert!(said.contains("class weights of kind, balanced: a 0.47619, b 1.6667, c 3.3333"), "{said}");
    let own = format!("class_weights=[{}, {}, {}]", 10.0 / 21.0, 10.0 / 6.0, 10.0 / 3.0);
    assert_eq!(even, train(&place, "own", &net(&own)).0);
    assert_ne!(even, train(&place, "plain", &net("")).0);
    // The model knows them, whatever it is measured on.
    place.write("one.csv", "x,z,kind,rare,often\n1.5,2,c,1,0\n");
    let on_c = |run: &str| {
        let said = place.nnc(&["eval", run, "--data", "one.csv", "--json"]).fine();
        serde_json::from_str::<serde_json::Value>(&said).unwrap()["loss"].as_f64().unwrap()
    };
    assert_eq!(on_c("even"), on_c("own"));
    // The word may stand alone.
    assert_eq!(even, train(&place, "word", &net("balanced")).0);
}

#[test]
fn questions_are_balanced_each_on_its_own() {
    let place = Place::new();
    place.write("t.csv", &table());
    let net = |loss: &str| {
        program("rare often", &format!("dense 4 tanh\ndense 2 sigmoid\nloss binary_crossentropy {loss}"))
    };
    let (_, said) = train(&place, "even", &net("class_weights=balanced"));
    let told = "balanced: rare no 0.55556, rare yes 5, often no 1.6667, often yes 0.71429";
    assert!(said.contains(told), "{said}");
    let one = |loss: &str| {
        program("rare", &format!("dense 4 tanh\ndense 1 sigmoid\nloss binary_crossentropy {loss}"))
    };
    let (even, said) = train(&place, "one", &one("class_weights=balanced"));
    assert!(said.contains("class weights of rare, balanced: no 0.55556, yes 5"), "{said}");
    assert_eq!(even, train(&place, "own", &one(&format!("class_weights=[{}, 5]", 10.0 / 18.0))).0);
}

#[test]
fn arrays_are_counted_too() {
    let place = Place::new();
    // Four samples of a row of four places: 0/1 for each, 5 of 16 are 1.
    place.write("x.csv", "0,1,2,3\n1,2,3,4\n2,3,4,5\n3,4,5,6\n");
    let header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (4, 4, 1), }";
    let mut npy = b"\x93NUMPY\x01\x00".to_vec();
    npy.extend((118u16).to_le_bytes());
    npy.extend(header);
    npy.resize(127, b' ');
    npy.push(b'\n');
    npy.extend([0, 0, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0]);
    std::fs::write(place.path("y.npy"), &npy).unwrap();
    std::fs::write(place.path("x.npy"), &npy).unwrap();
    place.write(
        "p.nn",
        "data \"x.npy\" -> \"y.npy\"\nconv 1 1 sigmoid\nloss binary_crossentropy class_weights=balanced\nepochs 1\n",
    );
    let ran = place.nnc(&["train", "p.nn", "--out", "r"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    // 16 / (2 * 11), 16 / (2 * 5)
    assert!(ran.err.contains("balanced: no 0.72727, yes 1.6"), "{}", ran.err);
}
