//! The help of every command, word for word.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;

/// The commands that `nnc --help` lists.
fn commands(help: &str) -> Vec<String> {
    let list = help.split("Commands:\n").nth(1).unwrap();
    let lines = list.lines().take_while(|line| !line.is_empty());
    lines.map(|line| line.split_whitespace().next().unwrap().to_string()).collect()
}

#[test]
fn every_command_tells_what_it_may_be_given() {
    let place = Place::new();
    let top = place.nnc(&["--help"]).fine();
    let names = commands(&top);
    assert!(names.len() > 10, "{top}");
    let mut all = format!("$ nnc --help\n{top}");
    for name in &names {
        for flag in ["-h", "--help"] {
            all += &format!("\n$ nnc {name} {flag}\n{}", place.nnc(&[name, flag]).fine());
        }
    }
    insta::assert_snapshot!(all);
}
