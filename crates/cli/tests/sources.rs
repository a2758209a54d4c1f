//! Every source, as a program names it.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;
use serde_json::{Value, json};
use std::io::Write;

/// What a program sees.
fn seen(place: &Place, program: &str) -> Value {
    place.write("p.nn", program);
    place.nnc(&["data", "p.nn", "--json"]).json()
}

/// Rows, names of the columns, and the last of the first rows as they stand in the source.
fn table(place: &Place, program: &str) -> (u64, Vec<String>, Value) {
    let found = seen(place, program);
    let names = found["names"].as_array().unwrap().iter().map(|n| n.as_str().unwrap().to_string()).collect();
    (found["rows"].as_u64().unwrap(), names, found["before"].as_array().unwrap().last().unwrap().clone())
}

#[test]
fn tables_in_all_their_spellings() {
    let place = Place::new();
    let expected = (2, vec!["a".to_string(), "name".into(), "y".into()], json!(["2.5", "x, \"y\"", "4"]));
    place.write("t.tsv", "a\tname\ty\n1.5\tb\t3\n2.5\t\"x, \"\"y\"\"\"\t4\n");
    assert_eq!(table(&place, "data \"t.tsv\""), expected);
    place.write("bom.csv", "\u{feff}a,name,y\r\n1.5,b,3\r\n2.5,\"x, \"\"y\"\"\",4\r\n");
    assert_eq!(table(&place, "data \"bom.csv\""), expected);
    place.write("comma.csv", "a;name;y\n1,5;b;3\n2,5;\"x, \"\"y\"\"\";4\n");
    assert_eq!(table(&place, "data \"comma.csv\" decimal_comma"), expected);
    place.write("own.csv", "a~name~y\n1.5~b~3\n2.5~\"x, \"\"y\"\"\"~4\n");
    assert_eq!(table(&place, "data \"own.csv\" separator=\"~\""), expected);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"a,name,y\n1.5,b,3\n2.5,\"x, \"\"y\"\"\",4\n").unwrap();
    std::fs::write(place.path("t.csv.gz"), packed.finish().unwrap()).unwrap();
    assert_eq!(table(&place, "data \"t.csv.gz\""), expected);
    place.write("bare.csv", "1.5,b,3\n2.5,\"x, \"\"y\"\"\",4\n");
    let names = vec!["c1".to_string(), "c2".into(), "c3".into()];
    assert_eq!(table(&place, "data \"bare.csv\" header=no"), (2, names, expected.2.clone()));
    place.write("part-1.csv", "a,name,y\n1.5,b,3\n");
    place.write("part-2.csv", "a,name,y\n2.5,\"x, \"\"y\"\"\",4\n");
    assert_eq!(table(&place, "data \"part-*.csv\""), expected);
    assert_eq!(table(&place, "data \"part-1.csv\" \"part-2.csv\""), expected);
    place.write("p.nn", "data \"-\"");
    let piped = place.nnc_with(&["data", "p.nn", "--json"], "a,name,y\n1.5,b,3\n2.5,c,4\n").json();
    assert_eq!(piped["rows"], 2);
}

#[test]
fn made_up_data() {
    let place = Place::new();
    for (program, inputs, classes) in [
        ("moons 50 noise=0.1", 2, 2),
        ("spiral 50 classes=3", 2, 3),
        ("circles 50 noise=0.05", 2, 2),
        ("blobs 50 classes=4 dims=3", 3, 4),
        ("xor 50 noise=0.2", 2, 2),
        ("sine 50 noise=0.1", 1, 0),
        ("uniform 50 low=-1 high=1", 1, 0),
    ] {
        let found = seen(&place, &format!("data {program}"));
        assert_eq!(
            (&found["rows"], &found["inputs"][0]["shape"]),
            (&json!(50), &json!([inputs])),
            "{program}"
        );
        let of_target = found["columns"]
            .as_array()
            .unwrap()
            .iter()
            .find(|c| c["role"] == "Target" || c["role"] == "target");
        let there = of_target.map_or(0, |c| c["categories"].as_array().unwrap().len());
        assert_eq!(there, classes, "{program}: {found}");
        assert_eq!(seen(&place, &format!("data {program}")), found, "the same seed, the same data");
    }
}

#[test]
fn texts_pictures_and_arrays() {
    let place = Place::new();
    place.write("t.txt", &"to be or not to be ".repeat(20));
    assert_eq!(seen(&place, "data text \"t.txt\" window=10")["inputs"][0]["shape"], json!([10]));
    let bytes = seen(&place, "data text \"t.txt\" window=10 stride=1 bytes");
    assert_eq!(bytes["inputs"][0]["classes"].as_array().unwrap().len(), 256);
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/tests/fixtures");
    let pictures = seen(&place, &format!("data images \"{fixtures}/images\" 6x8x3"));
    assert_eq!(pictures["inputs"][0]["shape"], json!([6, 8, 3]));
    place.write(
        "list.csv",
        &format!("file,kind\n{fixtures}/images/cold/a.png,cold\n{fixtures}/images/warm/a.jpg,warm\n"),
    );
    let named = seen(&place, "data images \"list.csv\" 6x8x1");
    assert_eq!((&named["rows"], &named["inputs"][0]["shape"]), (&json!(2), &json!([6, 8, 1])));
    let archive = seen(&place, &format!("data npz \"{fixtures}/stored.npz\" {{ input x; target y }}"));
    assert!(archive["rows"].as_u64().unwrap() > 0);
}
