//! `nnc data`: what a program sees of its data.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Place, command, ran};

const PEOPLE: &str = "\
id,age,city,member,joined,score
1,34,Rome,yes,2021-03-01,1.5
2,,Oslo,no,2021-04-11,2.5
3,41,Rome,no,2022-05-21,0.5
4,29,Lima,no,2022-06-30,3.5
5,55,Oslo,no,2023-07-09,2.0
6,38,Rome,no,2023-08-19,1.0
";

const PROGRAM: &str = "\
data \"people.csv\" {
  drop id
  target member
  input age standardize missing=median indicator
  input city one_hot
  input joined date
  input score minmax
}
";

fn place() -> Place {
    let place = Place::new();
    place.write("people.csv", PEOPLE);
    place.write("people.nn", PROGRAM);
    place
}

#[test]
fn a_table_is_shown() {
    let shown = place().nnc(&["data", "people.nn", "--rows", "2"]);
    assert_eq!(shown.err, "");
    insta::assert_snapshot!(shown.fine());
}

#[test]
fn narrow_terminals_get_short_lines() {
    let place = place();
    let dir = place.path(".");
    let narrow = command(&dir, &["data", "people.nn"]).env("COLUMNS", "60").output().unwrap();
    let text = ran(narrow).fine();
    assert!(text.lines().all(|l| l.chars().count() <= 60), "{text}");
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn a_file_needs_no_program() {
    let shown = place().nnc(&["data", "people.csv"]);
    assert!(shown.err.contains("N0550"), "{}", shown.err);
    insta::assert_snapshot!(shown.fine());
}

#[test]
fn machines_get_an_object() {
    let json = place().nnc(&["data", "people.nn", "--json", "--rows", "1"]).json();
    assert_eq!(json["rows"], 6);
    assert_eq!(json["parts"], serde_json::json!([6, 0, 0]));
    assert_eq!(json["columns"][0]["name"], "age");
    assert_eq!(json["columns"][0]["missing"], 1);
    assert_eq!(json["before"].as_array().unwrap().len(), 1);
    assert_eq!(json["dropped"], serde_json::json!(["id"]));
    let json = place().nnc(&["data", "people.csv", "--json"]).json();
    assert_eq!(json["notes"][0]["code"], "N0550");
}

#[test]
fn mistakes_are_told_and_nothing_is_shown() {
    let place = place();
    place.write("people.nn", &PROGRAM.replace("score minmax", "scores minmax"));
    let shown = place.nnc(&["data", "people.nn"]);
    assert_eq!((shown.code, &*shown.out), (2, ""));
    assert!(shown.err.contains("did you mean `score`?"), "{}", shown.err);
}
