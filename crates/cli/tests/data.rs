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

#[test]
fn a_table_is_shown_whatever_its_name_is() {
    let place = Place::new();
    for name in ["T.CSV", "t.txt", "t.tab", "t.dat", "t.data", "t"] {
        place.write(name, "a\tb\ty\n1\t2\tu\n2\t3\tv\n3\t4\tu\n");
        let shown = place.nnc(&["data", name]);
        assert!(shown.out.contains("3 rows, 3 columns"), "{name}: {}", shown.err);
    }
    // A program is one, whatever it is called.
    place.write("p.txt", "data \"t.txt\"\ndense 2 softmax\nloss crossentropy\n");
    assert!(place.nnc(&["data", "p.txt"]).fine().contains("t.txt   3 rows"));
    // Words alone are no program, though its grammar would have them.
    place.write("r.txt", "mpg\tcyl\ncar1\t21.5\t6\ncar2\t22.8\t4\n");
    assert!(place.nnc(&["data", "r.txt"]).fine().contains("r.txt   2 rows, 3 columns"));
    std::fs::write(place.path("t.parquet"), b"PAR1\x15\0PAR1").unwrap();
    let shown = place.nnc(&["data", "t.parquet"]);
    assert!(shown.code == 2 && shown.err.contains("read_parquet"), "{}", shown.err);
}

#[test]
fn a_table_with_mistakes_is_shown_as_it_could_be_read() {
    let place = Place::new();
    let shown = |text: &str| {
        place.write("t.csv", text);
        let shown = place.nnc(&["data", "t.csv", "--rows", "1"]);
        assert_eq!(shown.code, 2);
        assert!(shown.err.contains("error["), "{}", shown.err);
        shown.out
    };
    let out = shown("# us\na,b\nkm,s\n1,2\n3,4\n5,6\nTotal,12\n");
    assert!(out.starts_with("read as: data \"t.csv\" comment=\"#\" skip=[3] skip_last=1\n"), "{out}");
    assert!(out.contains("3 rows, 2 columns"), "{out}");
    let out = shown("a,b\n1,2\n3,four\n5,6\n7,8\n");
    assert!(out.contains("in question: `b`"), "{out}");
    assert!(out.starts_with("read as: data \"t.csv\" { target \"b\" category; input rest }"), "{out}");
    // The last column is the target still.
    let out = shown("a,b,y\n1,2,5\n2,4%,6\n3,6,7\n4,7,8\n");
    assert!(
        out.starts_with("read as: data \"t.csv\" { input \"b\" one_hot; target \"y\"; input rest }"),
        "{out}"
    );
}

#[test]
fn a_table_in_the_place_of_a_program_is_one_mistake() {
    let place = place();
    for command in ["train", "check", "summary"] {
        let said = place.nnc(&[command, "people.csv"]);
        assert_eq!(said.code, 2);
        assert_eq!(said.err.matches("error[").count(), 1, "{}", said.err);
        assert!(
            said.err.contains("nnc data people.csv") && said.err.contains("data \"people.csv\""),
            "{}",
            said.err
        );
    }
}
