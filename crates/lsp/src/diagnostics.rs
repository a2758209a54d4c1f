//! What `nnc check` says, as an editor shows it.

use crate::document::{Document, Seen};
use crate::text::Text;
use lsp_types::{
    Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, Location, NumberOrString, Range, Uri,
};
use nnc_syntax::ast::StmtKind;
use nnc_syntax::{Group, Label, Severity, Span, parse};

/// The diagnostics of what was seen of a program. `place` gives the address of a text by its name: the program's, a
/// file's that it uses, a file's of the prelude.
pub fn diagnostics(document: &Document, place: &dyn Fn(&str) -> Option<Uri>) -> Vec<Diagnostic> {
    let Some(seen) = &document.seen else { return Vec::new() };
    let text = Text::new(seen.text.as_str());
    seen.diagnostics.iter().map(|d| one(d, seen, &text, place)).collect()
}

pub(crate) fn one(
    d: &nnc_syntax::Diagnostic,
    seen: &Seen,
    text: &Text,
    place: &dyn Fn(&str) -> Option<Uri>,
) -> Diagnostic {
    let main = d.labels.first().filter(|l| l.span.source == seen.source);
    let range = match main {
        Some(label) => text.range(label.span),
        None => elsewhere(d, seen, text),
    };
    let mut message = d.message.clone();
    if let Some(label) = main.filter(|l| !l.text.is_empty()) {
        message.push_str(&format!("\n{}", label.text));
    }
    for note in &d.notes {
        message.push_str(&format!("\n{note}"));
    }
    if let Some(help) = &d.help {
        message.push_str(&format!("\nhelp: {}", help.replace('\n', "\n      ")));
    }
    let others = d.labels.iter().skip(usize::from(main.is_some())).chain(&d.related);
    let related: Vec<DiagnosticRelatedInformation> =
        others.filter_map(|label| related(label, seen, text, place)).collect();
    Diagnostic {
        range,
        severity: Some(match d.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Note => DiagnosticSeverity::INFORMATION,
        }),
        code: Some(NumberOrString::String(d.code.to_string())),
        source: Some("nnc".into()),
        message,
        related_information: (!related.is_empty()).then_some(related),
        ..Diagnostic::default()
    }
}

fn related(
    label: &Label,
    seen: &Seen,
    text: &Text,
    place: &dyn Fn(&str) -> Option<Uri>,
) -> Option<DiagnosticRelatedInformation> {
    let source = seen.sources.iter().nth(usize::from(label.span.source.0))?;
    let range = match label.span.source == seen.source {
        true => text.range(label.span),
        false => Text::new(source.text.as_str()).range(label.span),
    };
    let message = if label.text.is_empty() { "this is about it".into() } else { label.text.clone() };
    Some(DiagnosticRelatedInformation { location: Location::new(place(&source.name)?, range), message })
}

/// Where a diagnostic is shown that has no place in the program: the statement it is about.
fn elsewhere(d: &nnc_syntax::Diagnostic, seen: &Seen, text: &Text) -> Range {
    let source = d.labels.first().and_then(|l| seen.sources.iter().nth(usize::from(l.span.source.0)));
    let program = parse(text.as_str(), seen.source).program;
    let about = program.stmts.iter().find_map(|stmt| match (&stmt.kind, source) {
        (StmtKind::Use { path, path_span }, Some(source)) if *path == source.name => Some(*path_span),
        (StmtKind::Data(_), None) if d.code.group() == Group::Data => Some(first_line(stmt.span, text)),
        _ => None,
    });
    about.map_or_else(
        || Range::new(text.position(0), text.position(text.line_span(0).1)),
        |span| text.range(span),
    )
}

fn first_line(span: Span, text: &Text) -> Span {
    let end = text.line_span(text.line_of(span.start as usize)).1;
    Span { end: span.end.min(u32::try_from(end).unwrap_or(u32::MAX)), ..span }
}
