//! The sample programs are the promise: every one of them is read without a word.

mod common;

use nnc_syntax::{ast_text, parse_ast_text, same_meaning};

#[test]
fn sample_programs_parse() {
    for (path, text) in common::samples() {
        assert_eq!(common::render(&text), "no mistakes\n", "{path}");
    }
}

#[test]
fn trees_are_read_back() {
    for (path, text) in common::samples() {
        let (parsed, sources) = common::read(&text);
        let tree = ast_text(&parsed.program, &sources);
        let again = parse_ast_text(&tree).unwrap_or_else(|e| panic!("{path}: {e}\n{tree}"));
        assert!(same_meaning(&parsed.program, &again), "{path}\n{tree}");
    }
}
