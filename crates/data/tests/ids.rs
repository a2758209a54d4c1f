//! A number that only says where in the file a row stands gives a sorted
//! target away; a measure does not.

#![allow(clippy::unwrap_used)]

mod common;

use common::{lines, write};
use nnc_data::{DataSpec, Role, RoleSpec, SourceSpec, open};

/// The leaks that are told of a table of `id`, `x` and `y`.
fn leaks(rows: usize, row: impl Fn(usize) -> (String, String), valid: f64) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "id,x,y\n".to_string();
    for i in 0..rows {
        let (id, y) = row(i);
        text.push_str(&format!("{id},{},{y}\n", i * 37 % 101));
    }
    let mut spec = DataSpec::new(SourceSpec::csv(write(&folder, "t.csv", text)));
    spec.split.valid = valid;
    let found = lines(&open(&spec).unwrap().notes);
    found.into_iter().filter(|l| l.contains("[N0553]")).collect()
}

fn class(i: usize, rows: usize, names: &[&str]) -> String {
    names[i * names.len() / rows].to_string()
}

#[test]
fn a_rising_number_over_sorted_rows() {
    let id = |i: usize| (1000 + i * 7 + i * i % 5).to_string();
    let said = leaks(200, |i| (id(i), class(i, 200, &["a", "b"])), 0.0);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("`id` gives the target `y` away: it rises with the rows"), "{said:?}");
    assert!(said[0].contains("drop id"));
    // Three classes, classes that are numbers, falling, gaps, a split, and a few rows elsewhere.
    assert_eq!(leaks(150, |i| (id(i), class(i, 150, &["c", "a", "b"])), 0.2).len(), 1);
    assert_eq!(leaks(150, |i| (id(i), class(i, 150, &["0", "1"])), 0.2).len(), 1);
    assert_eq!(leaks(150, |i| (id(200 - i), class(i, 150, &["a", "b"])), 0.0).len(), 1);
    assert_eq!(
        leaks(90, |i| ((100 + i * 1000 + i % 3).to_string(), class(i, 90, &["yes", "no"])), 0.0).len(),
        1
    );
    let noisy = |i: usize| if i == 20 || i == 160 { "b" } else { ["a", "b"][i / 100] };
    assert_eq!(leaks(200, |i| (id(i), noisy(i).into()), 0.0).len(), 1);
    assert_eq!(leaks(300, |i| (id(i), if i < 60 { "rare" } else { "common" }.into()), 0.0).len(), 1);
}

#[test]
fn honest_numbers_are_left_alone() {
    let id = |i: usize| (1000 + i * 7 + i * i % 5).to_string();
    let none = |said: Vec<String>| assert_eq!(said, Vec::<String>::new());
    // Classes that come and go, as in a table over time.
    none(leaks(200, |i| (id(i), ["up", "down"][i / 10 % 2].into()), 0.0));
    none(leaks(365, |i| ((20_230_000 + i * 3).to_string(), ["low", "high", "low"][i * 3 / 365].into()), 0.0));
    // A sorted measure: values come again, or have fractions.
    none(leaks(200, |i| ((i / 3).to_string(), class(i, 200, &["a", "b"])), 0.0));
    none(leaks(200, |i| (format!("{}", i as f64 * 0.37), class(i, 200, &["a", "b"])), 0.0));
    // A measure that decides, in rows of any order.
    none(leaks(
        200,
        |i| ((i * 73 % 200).to_string(), if i * 73 % 200 < 100 { "a" } else { "b" }.into()),
        0.0,
    ));
    // A number for a target, and too few rows to say.
    none(leaks(200, |i| (id(i), format!("{}", (i as f64).sqrt())), 0.0));
    none(leaks(40, |i| (id(i), class(i, 40, &["a", "b"])), 0.0));
    // The class has no order in the file.
    none(leaks(200, |i| (id(i), ["a", "b"][i * 7919 % 13 % 2].into()), 0.0));
    let dropped = RoleSpec::new(Role::Drop, ["id"]);
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..200).map(|i| format!("{},{},{}\n", id(i), i * 37 % 101, i / 100)).collect();
    let mut spec = DataSpec::new(SourceSpec::csv(write(&folder, "t.csv", format!("id,x,y\n{text}"))));
    spec.roles = vec![dropped];
    assert_eq!(lines(&open(&spec).unwrap().notes), Vec::<String>::new());
}
