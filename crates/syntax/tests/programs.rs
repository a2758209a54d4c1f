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

/// The programs of the repository are read without a word, too, and survive the formatter.
#[test]
fn programs_of_the_repository() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for folder in ["specs", "docs/published", "crates/model/prelude"] {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
        for path in entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == "nn"))
        {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(common::render(&text), "no mistakes\n", "{}", path.display());
            let once =
                nnc_syntax::format(&text, nnc_syntax::SourceId::default(), &|_| false).unwrap_or_default();
            let (before, after) = (common::read(&text).0, common::read(&once).0);
            assert!(same_meaning(&before.program, &after.program), "{}", path.display());
        }
    }
}
