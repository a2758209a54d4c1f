//! The summary of a source, and the warnings.

#![allow(clippy::unwrap_used)]

mod common;

use common::{lines, write};
use nnc_data::{
    DataSpec, GeneratorKind, GeneratorSpec, Limits, Missing, Role, RoleSpec, Scaling, SourceSpec, SplitSpec,
    Style, TextSpec, describe, open,
};

#[test]
fn a_table_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "t.csv", "size,shop,price\n1,north,10\n2,south,20\n,north,30\n4,north,50\n");
    let spec = DataSpec {
        roles: vec![
            RoleSpec::new(Role::Input, ["size"]).scaled(Scaling::Standardize).missing(Missing::Mean),
            RoleSpec::new(Role::Input, ["shop"]),
        ],
        ..DataSpec::new(SourceSpec::csv(&path))
    };
    let found = describe(&spec, &Limits::default(), 5).unwrap();
    let text = found.text(Style::default()).replace(&path, "t.csv");
    assert_eq!(
        text,
        "\
t.csv   4 rows, 3 columns   train 4, valid 0, test 0
  header: line 1 (`size`, `price` stand over numbers)

  input size, shop; target price

  column  role    kind      encoded                   missing                values for training
  size    input   number    standardize missing=2.33        1  █   █      █  1 … 4, mean 2.33 ± 1.25
  shop    input   category  one_hot                         ·  █▃            north 3, south 1
  price   target  number                                    ·  █  █  █    █  10 … 50, mean 27.5 ± 14.8

  input   input      [3]  2 columns of t.csv
  target  target     [1]  `price` of t.csv

  first training rows, as they stand in the source

  row  size  shop   price
    1  1     north  10
    2  2     south  20
    3  ·     north  30
    4  4     north  50

  the same rows, as the network sees them

    size  shop=north  shop=south  ->  price
   -1.07           1           0  ->     10
  -0.267           0           1  ->     20
       0           1           0  ->     30
    1.34           1           0  ->     50
"
    );
    assert_eq!(found.notes.len(), 1);
    assert!(serde_json::to_string(&found).unwrap().contains("\"north\""));
}

#[test]
fn every_source_can_be_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "t.txt", "hello hello hello");
    let text = SourceSpec::Text(TextSpec { path, window: 4, stride: None, bytes: false, handle: None });
    let shown = describe(&DataSpec::new(text), &Limits::default(), 5).unwrap().text(Style::default());
    assert!(shown.contains("\"hell\"") && shown.contains("l 6"), "{shown}");
    for (name, kind) in GeneratorKind::ALL {
        let spec = DataSpec::new(SourceSpec::Generator(GeneratorSpec::new(kind, 30)));
        assert!(describe(&spec, &Limits::default(), 5).unwrap().text(Style::default()).starts_with(name));
    }
}

fn warnings(rows: impl Fn(usize) -> String, header: &str, split: SplitSpec) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..100).map(|i| rows(i) + "\n").collect();
    let path = write(&folder, "t.csv", format!("{header}\n{text}"));
    lines(&open(&DataSpec { split, ..DataSpec::new(SourceSpec::csv(path)) }).unwrap().notes)
}

#[test]
fn warnings_are_given() {
    let none = SplitSpec::default;
    assert_eq!(
        warnings(|i| format!("{i},7,{},{}", i * i % 17, i % 3), "id,same,x,y", none()),
        [
            "[N0552] t.csv: `id` looks like an identifier: it tells rows apart and says nothing; fix: drop id",
            "[N0551] t.csv: `same` is the same in every training row; fix: drop same",
        ]
    );
    assert_eq!(
        warnings(|i| format!("{},{},{}", i * i % 17, i * i % 17 * 2 + 3, i * i % 17), "x,z,y", none()).len(),
        2
    );
    assert_eq!(
        warnings(|i| format!("{},{},{}", i % 7, ["no", "yes"][i % 2], i % 2), "x,alive,y", none()),
        [
            "[N0550] `alive` (2) is text; it becomes one input per category; fix: write `one_hot` to say so, `category` for an embedding, or `drop`",
            "[N0553] t.csv: `alive` gives the target `y` away: one follows from the other; fix: drop alive   unless it is known before the target is",
        ]
    );
    let classes = |i: usize| format!("{},{}", i * i % 17, if i < 97 { "a" } else { "b" });
    assert_eq!(
        warnings(classes, "x,y", none()),
        [
            "[N0554] t.csv: the classes of `y` are very unbalanced: a 97, b 3; fix: accuracy will flatter; `split … stratify`, and a weight column if the rare class matters"
        ]
    );
    let ordered = SplitSpec { valid: 0.1, ordered: true, ..none() };
    let found = warnings(classes, "x,y", ordered);
    assert!(found[0].starts_with("[N0551]") && found[1].starts_with("[N0556]"), "{found:?}");
}
