//! Programs that are being typed never panic, and every place that is answered lies in the text.
//!
//! `NNC_EDITS=2000 cargo test --release -p nnc-lsp --test edits` makes so many edits of each program, `NNC_EDITS_SEED=1`
//! others.

#![allow(clippy::unwrap_used)]

use lsp_types::{Position, Range, TextDocumentContentChangeEvent, Uri};
use nnc_lsp::{
    Document, Library, Text, actions, completion, definition, diagnostics, format, hints, hover,
    prepare_rename, references, rename, semantic_tokens, symbols,
};
use nnc_train::DataCache;
use std::path::{Path, PathBuf};

fn programs() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut out = Vec::new();
    for folder in ["specs", "tests/programs", "crates/cli/tests/wrong", "crates/cli/tests/mistakes"] {
        let entries = std::fs::read_dir(root.join(folder)).unwrap().map(|e| e.unwrap().path());
        out.extend(entries.filter(|p| p.extension().is_some_and(|e| e == "nn")));
    }
    out.sort();
    out
}

/// splitmix64
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).unwrap()
    }
}

fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(usual)
}

fn inside(text: &Text, range: Range) {
    let (start, end) = (text.offset(range.start), text.offset(range.end));
    assert_eq!(text.range_of(start, end), range, "{:?}", text.as_str());
}

/// Asks everything at a place.
fn ask(document: &Document, at: Position) {
    let text = &document.text;
    if let Some(hover) = hover(document, at) {
        inside(text, hover.range.unwrap());
    }
    for item in completion(document, at) {
        let Some(lsp_types::CompletionTextEdit::Edit(edit)) = item.text_edit else { panic!("{item:?}") };
        inside(text, edit.range);
    }
    for hint in hints(document, 0..usize::MAX) {
        inside(text, Range::new(hint.position, hint.position));
    }
    let _ = definition(document, at);
    if prepare_rename(document, at).is_some() {
        assert!(!references(document, at, true).is_empty(), "{:?} at {at:?}", text.as_str());
    }
    for edit in rename(document, at, "quite_another_name").unwrap_or_default() {
        inside(text, edit.range);
    }
}

fn look(document: &mut Document, cache: &mut DataCache, uri: &Uri) {
    document.look(cache);
    for d in diagnostics(document, &|_| Some(uri.clone())) {
        inside(&document.text, d.range);
        for action in actions(document, uri, d.range, &|_| None) {
            assert!(!action.title.is_empty());
        }
    }
    symbols(document).iter().for_each(|s| inside(&document.text, s.range));
    let _ = semantic_tokens(document);
    for edit in format(document).unwrap_or_default() {
        inside(&document.text, edit.range);
    }
}

fn near(text: &Text, at: usize) -> Position {
    text.position(at)
}

#[test]
fn beginnings_of_all_programs() {
    let library = Library::new();
    let uri: Uri = "file:///x.nn".parse().unwrap();
    let every = number("NNC_EDITS", 40);
    for path in programs() {
        let whole = std::fs::read_to_string(&path).unwrap();
        let name = path.to_str().unwrap();
        let mut cache = DataCache::without_stdin();
        let mut document = Document::new(name, "", &library);
        let step = (whole.len() / every).max(1);
        let mut next = 0;
        for at in (0..=whole.len()).filter(|at| whole.is_char_boundary(*at)) {
            if at < next && at != whole.len() {
                continue;
            }
            next = at + step;
            document.set(i32::try_from(at).unwrap(), Text::new(&whole[..at]));
            // Half of the time an older text was looked at, as when one types.
            if at % (2 * step) < step && at.is_multiple_of(5) || at == whole.len() {
                look(&mut document, &mut cache, &uri);
            }
            ask(&document, near(&document.text, at));
        }
    }
}

#[test]
fn deletions_and_insertions() {
    const INSERTED: [&str; 24] = [
        "d",
        " ",
        "\n",
        "->",
        "(",
        ")",
        "{",
        "}",
        "[",
        "\"",
        "=",
        "units=",
        "dense 8 relu\n",
        "#",
        "##",
        "ä",
        "𝒳",
        "0",
        ";",
        "loss ",
        "optimizer adam lr=",
        ".",
        ",",
        "\r\n",
    ];
    let library = Library::new();
    let uri: Uri = "file:///x.nn".parse().unwrap();
    let (edits, seed) = (number("NNC_EDITS", 40), number("NNC_EDITS_SEED", 0));
    for (number, path) in programs().iter().enumerate() {
        let whole = std::fs::read_to_string(path).unwrap();
        let mut random = Random((seed * 10_007 + number) as u64);
        let mut cache = DataCache::without_stdin();
        let mut document = Document::new(path.to_str().unwrap(), whole.as_str(), &library);
        for round in 0..edits {
            let (start, end) = {
                let len = document.text.as_str().len();
                let start = random.below(len + 1);
                (start, (start + random.below(4) * random.below(8)).min(len))
            };
            let range = document.text.range_of(start, end);
            let insert = if random.below(3) == 0 { "" } else { INSERTED[random.below(INSERTED.len())] };
            let change = TextDocumentContentChangeEvent {
                range: Some(range),
                range_length: None,
                text: insert.into(),
            };
            let text = document.text.changed(&change);
            document.set(i32::try_from(round).unwrap() + 1, text);
            if round % 10 == 9 {
                look(&mut document, &mut cache, &uri);
            }
            ask(&document, near(&document.text, start));
            let anywhere = random.below(document.text.as_str().len() + 1);
            ask(&document, near(&document.text, anywhere));
        }
    }
}
