//! `nnc new NAME --data FILE`: a program for a table, with the reason of every line; it trains at once.

#![allow(clippy::unwrap_used)]

mod common;

use common::Place;
use std::fmt::Write;

/// A table of so many rows; a cell for each row and column.
fn table(head: &str, rows: usize, cells: impl Fn(usize) -> String) -> String {
    let mut out = format!("{head}\n");
    for row in 0..rows {
        let _ = writeln!(out, "{}", cells(row));
    }
    out
}

/// Any number from 0 to 999 that looks like chance.
fn chance(row: usize, column: usize) -> usize {
    (row * 7919 + column * 104_729 + row * row * 31) % 1000
}

fn passengers() -> String {
    table("id,survived,age,fare,sex,cabin,name,ship", 120, |r| {
        let yes = usize::from(chance(r, 1) < 450);
        let age = if r % 9 == 0 { String::new() } else { (18 + chance(r, 2) % 50).to_string() };
        let sex = if yes == 1 { "female" } else { "male" };
        let cabin = if r % 5 == 0 { "" } else { ["A", "B", "C"][chance(r, 4) % 3] };
        format!("{},{yes},{age},{}.5,{sex},{cabin},Name {r},one", r + 1, chance(r, 3))
    })
}

/// The program that is written, and what its training says.
fn written(place: &Place, name: &str, data: &str, text: &str) -> (String, String) {
    place.write(data, text);
    let made = place.nnc(&["new", name, "--data", data]);
    assert_eq!(made.fine(), format!("{name}.nn\n"));
    let program = std::fs::read_to_string(place.path(&format!("{name}.nn"))).unwrap();
    let told = place.nnc(&["train", &format!("{name}.nn"), "-q", "--epochs", "5"]);
    (program, told.fine())
}

#[test]
fn yes_or_no_with_words_gaps_and_columns_that_say_nothing() {
    let place = Place::new();
    let (program, told) = written(&place, "ship", "ship.csv", &passengers());
    insta::assert_snapshot!("starter_yes_or_no", program);
    assert!(told.contains("binary_accuracy"), "{told}");
    // It is in the form of `nnc fmt` already.
    place.nnc(&["fmt", "--check", "ship.nn"]).fine();
}

#[test]
fn classes_numbers_and_large_numbers_get_what_fits() {
    let place = Place::new();
    let classes = table("a,b,kind", 90, |r| {
        format!("{},{},{}", chance(r, 1), chance(r, 2), ["oak", "ash", "elm"][r % 3])
    });
    let (program, _) = written(&place, "classes", "trees.csv", &classes);
    for line in ["target kind ", "dense 3 softmax ", "loss crossentropy ", "metrics accuracy ", "stratify"] {
        assert!(program.contains(line), "{line}\n{program}");
    }
    let numbered = table("a,b,kind", 90, |r| format!("{},{},{}", chance(r, 1), chance(r, 2), r % 4));
    let (program, _) = written(&place, "numbered", "numbered.csv", &numbered);
    for line in ["target kind category ", "dense 4 softmax "] {
        assert!(program.contains(line), "{line}\n{program}");
    }
    let numbers = table("a,b,height", 90, |r| format!("{0},{1},{0}.25", 100 + chance(r, 1), chance(r, 2)));
    let (program, told) = written(&place, "numbers", "numbers.csv", &numbers);
    for line in ["target height standardize ", "dense 1 ", "loss mse ", "metrics mae "] {
        assert!(program.contains(line), "{line}\n{program}");
    }
    assert!(told.contains("mae"), "{told}");
    let prices = table("a,b,price", 90, |r| {
        format!("{},{},{}", chance(r, 1), chance(r, 2), if r % 17 == 0 { 90_000 } else { 100 + chance(r, 3) })
    });
    let (program, _) = written(&place, "prices", "prices.csv", &prices);
    assert!(program.contains("target price log standardize "), "{program}");
}

#[test]
fn rare_answers_are_not_measured_by_accuracy_alone() {
    let place = Place::new();
    let rare = table("a,b,fraud", 200, |r| {
        format!("{},{},{}", chance(r, 1), chance(r, 2), if r % 20 == 0 { "yes" } else { "no" })
    });
    let (program, told) = written(&place, "rare", "rare.csv", &rare);
    assert!(program.contains("metrics binary_accuracy auc ") && told.contains("auc"), "{program}\n{told}");
}

/// Names that mean something else, or are no words, stand in quotes.
#[test]
fn columns_of_any_name_can_be_named() {
    let place = Place::new();
    let odd = table("date,rest,sepal length,2024,\"a\"\"b\",target", 60, |r| {
        let x = |c| chance(r, c);
        format!("{},{},{},{},{},{}", x(1), x(2), x(3), x(4), x(5), ["u", "v"][r % 2])
    });
    let (program, _) = written(&place, "odd", "odd names.csv", &odd);
    for name in [
        r#"data "odd names.csv""#,
        "target target",
        r#""date""#,
        r#""rest""#,
        r#""sepal length""#,
        r#""2024""#,
        r#""a\"b""#,
    ] {
        let name = if name == "target target" { r#"target "target""# } else { name };
        assert!(program.contains(name), "{name}\n{program}");
    }
}

#[test]
fn dates_are_read_as_dates() {
    let place = Place::new();
    let days =
        table("day,sold", 60, |r| format!("2024-{:02}-{:02},{}", 1 + r / 28, 1 + r % 28, chance(r, 1)));
    let (program, _) = written(&place, "days", "days.csv", &days);
    assert!(program.contains("input day date "), "{program}");
    let broken = days.replace("2024-02-05", "2024-99-05");
    let (program, _) = {
        place.write("broken.csv", &broken);
        let made = place.nnc(&["new", "broken", "--data", "broken.csv"]);
        (std::fs::read_to_string(place.path("broken.nn")).unwrap_or_default(), made)
    };
    assert!(program.is_empty() || program.contains("drop day "), "{program}");
}

#[test]
fn what_cannot_be_written_is_told() {
    let place = Place::new();
    place.write("one.csv", &table("x", 30, |r| r.to_string()));
    let one = place.nnc(&["new", "one", "--data", "one.csv"]);
    assert_eq!(one.code, 2);
    assert!(one.err.contains("no column that could be predicted"), "{}", one.err);
    assert!(!place.path("one.nn").exists());
    assert_eq!(place.nnc(&["new", "none", "--data", "none.csv"]).code, 2);
    assert_eq!(place.nnc(&["new", "none", "--data", "-"]).code, 2);
    place.write("old.nn", "dense 1\n");
    place.write("trees.csv", &table("a,b", 30, |r| format!("{r},{}", chance(r, 1))));
    let old = place.nnc(&["new", "old", "--data", "trees.csv"]);
    assert_eq!(old.code, 2);
    assert!(old.err.contains("already there"), "{}", old.err);
    assert_eq!(std::fs::read_to_string(place.path("old.nn")).unwrap(), "dense 1\n");
}

/// The program finds its data from its own folder.
#[test]
fn a_program_in_another_folder_finds_its_data() {
    let place = Place::new();
    std::fs::create_dir(place.path("sub")).unwrap();
    place.write("ship.csv", &passengers());
    place.nnc(&["new", "sub/ship", "--data", "ship.csv"]).fine();
    place.nnc(&["check", "sub/ship.nn"]).fine();
    std::fs::rename(place.path("ship.csv"), place.path("sub/ship.csv")).unwrap();
    place.nnc(&["new", "sub/near", "--data", "sub/ship.csv"]).fine();
    let near = std::fs::read_to_string(place.path("sub/near.nn")).unwrap();
    assert!(near.contains("data \"ship.csv\""), "{near}");
    place.nnc(&["check", "sub/near.nn"]).fine();
}
