//! What several tests need.
#![allow(dead_code, clippy::unwrap_used)]

pub(crate) mod generate;

use nnc_syntax::{Diagnostic, Parsed, SourceMap, Span, parse};
use std::fmt::Write;
use std::path::Path;

/// Parses a text that is the only one.
pub(crate) fn read(text: &str) -> (Parsed, SourceMap) {
    let mut sources = SourceMap::default();
    let id = sources.add("test.nn", text);
    (parse(text, id), sources)
}

/// Diagnostics as plain text: the code, the message, every label under its line, notes, help, fix.
pub(crate) fn render(text: &str) -> String {
    let (parsed, sources) = read(text);
    let mut out = String::new();
    for found in &parsed.diagnostics {
        render_one(&mut out, found, &sources);
    }
    if out.is_empty() { "no mistakes\n".to_owned() } else { out }
}

fn render_one(out: &mut String, found: &Diagnostic, sources: &SourceMap) {
    writeln!(out, "error[{}]: {}", found.code, found.message).unwrap();
    for label in &found.labels {
        render_label(out, label.span, &label.text, sources);
    }
    for note in &found.notes {
        writeln!(out, "  because: {note}").unwrap();
    }
    for help in found.help.iter().flat_map(|h| h.lines()) {
        writeln!(out, "  help: {help}").unwrap();
    }
    if let Some(fix) = &found.fix {
        let how = if fix.safe { "fix" } else { "perhaps" };
        writeln!(out, "  {how}: {:?} -> {:?}", sources.slice(fix.span), fix.replacement).unwrap();
    }
}

fn render_label(out: &mut String, span: Span, text: &str, sources: &SourceMap) {
    let source = sources.get(span.source);
    let (line, column) = source.line_column(span.start);
    let width = sources.slice(span).lines().next().unwrap_or("").chars().count().max(1);
    let marks = format!("{}{} {text}", " ".repeat(column - 1), "^".repeat(width));
    writeln!(out, "  {line:>3} | {}", source.line(line)).unwrap();
    writeln!(out, "      | {}", marks.trim_end()).unwrap();
}

/// The paths and texts of the sample programs, in the order of their names.
pub(crate) fn samples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut samples: Vec<_> =
        paths.map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap())).collect();
    samples.sort();
    assert!(samples.len() >= 14, "only {} programs found", samples.len());
    samples
}
