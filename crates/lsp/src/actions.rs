//! Remedies, and the usual form.

use crate::diagnostics;
use crate::document::Document;
use crate::text::Text;
use lsp_types::{CodeAction, CodeActionKind, Range, TextEdit, Uri, WorkspaceEdit};
use nnc_syntax::{Fix, format_surely};
use nnc_train::{DataCache, mend};
use std::collections::HashMap;

/// The remedies of the mistakes in a range; those that `nnc fix` is sure of are preferred.
pub fn actions(
    document: &Document,
    uri: &Uri,
    range: Range,
    place: &dyn Fn(&str) -> Option<Uri>,
) -> Vec<CodeAction> {
    let Some(seen) = document.seen.as_ref().filter(|_| document.is_current()) else { return Vec::new() };
    let mut out = Vec::new();
    for d in &seen.diagnostics {
        let Some(fix) = d.fix.as_ref().filter(|fix| fix.span.source == seen.source) else { continue };
        let shown = diagnostics::one(d, seen, &document.text, place);
        let at = document.text.range(fix.span);
        if !(touches(shown.range, range) || touches(at, range)) {
            continue;
        }
        let edit = TextEdit::new(at, fix.replacement.clone());
        out.push(CodeAction {
            title: title(document, fix),
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: Some(vec![shown]),
            edit: Some(changes(uri, vec![edit])),
            is_preferred: Some(fix.safe),
            ..CodeAction::default()
        });
    }
    out
}

/// All that `nnc fix` would do; nothing where it does nothing.
pub fn fix_all(document: &Document, uri: &Uri, cache: &mut DataCache) -> Option<CodeAction> {
    let mended = mend(&document.name, document.text.as_str(), &document.base, cache);
    let edits = edits(&document.text, &mended.text);
    (!edits.is_empty()).then(|| CodeAction {
        title: "Mend all that `nnc fix` is sure of".into(),
        kind: Some(CodeActionKind::SOURCE_FIX_ALL),
        edit: Some(changes(uri, edits)),
        ..CodeAction::default()
    })
}

/// The changes that bring a program into the usual form; `None` where it has mistakes of syntax.
pub fn format(document: &Document) -> Option<Vec<TextEdit>> {
    let text = document.text.as_str();
    let formatted =
        format_surely(text, document.source, &|name| document.library.layers.contains(name)).ok()?;
    Some(edits(&document.text, &formatted))
}

/// The lines in which two texts differ, as one edit.
fn edits(old: &Text, new: &str) -> Vec<TextEdit> {
    if old.as_str() == new {
        return Vec::new();
    }
    let (a, b): (Vec<&str>, Vec<&str>) =
        (old.as_str().split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let before = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let rest = a.len().min(b.len()) - before;
    let after = a.iter().rev().zip(b.iter().rev()).take(rest).take_while(|(x, y)| x == y).count();
    let bytes = |lines: &[&str]| lines.iter().map(|line| line.len()).sum::<usize>();
    let range = old.range_of(bytes(&a[..before]), bytes(&a[..a.len() - after]));
    vec![TextEdit::new(range, b[before..b.len() - after].concat())]
}

#[allow(clippy::mutable_key_type, reason = "the protocol's own type")]
pub(crate) fn changes(uri: &Uri, edits: Vec<TextEdit>) -> WorkspaceEdit {
    let mut changes = HashMap::new();
    changes.insert(uri.clone(), edits);
    WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }
}

fn touches(a: Range, b: Range) -> bool {
    a.start <= b.end && b.start <= a.end
}

fn title(document: &Document, fix: &Fix) -> String {
    let short = |text: &str| {
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let cut: String = flat.chars().take(40).collect();
        if cut.len() < flat.len() { format!("{cut}…") } else { cut }
    };
    match (short(document.words(fix.span)).as_str(), short(&fix.replacement).as_str()) {
        ("", after) => format!("Put in `{after}`"),
        (before, "") => format!("Take out `{before}`"),
        (before, after) => format!("Write `{after}` instead of `{before}`"),
    }
}
