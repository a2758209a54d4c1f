//! What a word means, and what a line comes to.

use crate::context::{Context, Expected, context};
use crate::document::Document;
use crate::library::kind_word;
use lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind, Position};
use nnc_model::explain::{Argument, Definition};
use nnc_model::{LayerRow, Port};
use nnc_syntax::ast::{Stmt, StmtKind};
use nnc_syntax::{Head, LexemeKind, Span, units};
use nnc_train::{ColumnKind, ColumnStats, Role};
use std::fmt::Write as _;

/// Classes of a column that are listed.
const CLASSES: usize = 12;
/// Lines of a definition that are shown.
const LINES: usize = 24;

/// What is known of the place.
pub fn hover(document: &Document, position: Position) -> Option<Hover> {
    let offset = document.text.offset(position);
    let piece = document.piece(offset)?;
    let text = match piece.kind {
        LexemeKind::Word => word(document, offset, piece.span)?,
        LexemeKind::Number => number(document, offset).or_else(|| line(document, offset))?,
        LexemeKind::Text => {
            let quoted = document.words(piece.span).trim_matches('"');
            column(document, quoted)?
        }
        LexemeKind::Sign => line(document, offset)?,
        LexemeKind::Comment | LexemeKind::Doc | LexemeKind::Newline | LexemeKind::Unreadable => return None,
    };
    let contents = HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value: text });
    Some(Hover { contents, range: Some(document.text.range(piece.span)) })
}

fn word(document: &Document, offset: usize, span: Span) -> Option<String> {
    let words = document.words(span);
    let context = context(document, offset);
    if context.columns.is_some() {
        return column(document, words).or_else(|| statement(document, words));
    }
    if let Some((definition, argument)) = argument_at(document, &context, words, span) {
        return Some(about_argument(definition, argument));
    }
    let begins = context.expected == Expected::Statement;
    if begins && let Some(text) = statement(document, words) {
        return Some(text);
    }
    if context.key.as_deref() == Some("group")
        && let Some(text) = column(document, words)
    {
        return Some(text);
    }
    if let Some(definition) = document.definition(words) {
        let mut out = about(document, definition);
        // Of a function that is an argument, the line is another one's.
        if matches!(context.expected, Expected::Statement | Expected::Step)
            && let Some(row) = line(document, offset)
        {
            let _ = write!(out, "\n\n---\n\n{row}");
        }
        return Some(out);
    }
    own(document, words).or_else(|| column(document, words)).or_else(|| line(document, offset))
}

/// The argument that a word names: `units` of `dense units=16`, or a word that an option may be.
fn argument_at<'d>(
    document: &'d Document,
    context: &Context,
    words: &str,
    span: Span,
) -> Option<(&'d Definition, &'d Argument)> {
    let definition = document.definition(context.callee.as_deref()?)?;
    if context.expected != Expected::Argument {
        return None;
    }
    let next = document.pieces.iter().find(|p| p.span.start >= span.end)?;
    let named = |name: &str| definition.arguments.iter().find(|a| a.name == name);
    let found = match (document.words(next.span), context.key.as_deref()) {
        ("=", _) => named(words),
        (_, Some(key)) => named(key).filter(|a| a.options.iter().any(|o| o == words)),
        (_, None) => definition.arguments.iter().find(|a| a.options.iter().any(|o| o == words)),
    };
    found.map(|argument| (definition, argument))
}

/// The argument that a number without a name is.
fn number(document: &Document, offset: usize) -> Option<String> {
    let mut context = context(document, offset);
    let piece = document.piece(offset)?;
    // Inside the number it counts itself when its end is before the place.
    if (piece.span.end as usize) <= offset && context.key.is_none() {
        context.numbers = context.numbers.saturating_sub(1);
    }
    let definition = document.definition(context.callee.as_deref()?)?;
    let numeric = |a: &&Argument| {
        !a.tensor
            && !context.given.contains(&a.name)
            && matches!(a.what.as_str(), "a whole number" | "a number")
            || a.what.starts_with("a size")
    };
    let argument = match &context.key {
        Some(key) => definition.arguments.iter().find(|a| a.name == *key),
        None => definition.arguments.iter().filter(numeric).nth(context.numbers),
    }?;
    Some(about_argument(definition, argument))
}

fn about_argument(definition: &Definition, argument: &Argument) -> String {
    let default = match &argument.default {
        Some(default) => format!("unless given: `{default}`"),
        None if argument.tensor => String::new(),
        None => "must be given".into(),
    };
    let mut out = format!("`{}` of `{}`: {}", argument.name, definition.name, argument.what);
    if !default.is_empty() {
        let _ = write!(out, "; {default}");
    }
    let doc = definition.doc.as_deref().unwrap_or("").split_whitespace().collect::<Vec<_>>().join(" ");
    let code = format!("`{}`", argument.name);
    let sentence = doc.split_inclusive(". ").find(|sentence| sentence.contains(&code));
    if let Some(sentence) = sentence {
        let _ = write!(out, "\n\n{}", sentence.trim());
    }
    out
}

/// What a definition says about itself.
pub(crate) fn about(document: &Document, definition: &Definition) -> String {
    let mut out = format!("**{}**: {} ({})", definition.name, kind_word(definition.kind), definition.group);
    if let Some(usage) = &definition.usage {
        let _ = write!(out, "\n\n```nn\n{usage}\n```");
    }
    if let Some(doc) = &definition.doc {
        let _ = write!(out, "\n\n{}", doc.trim());
    }
    let shapes: Vec<String> = [("works on", &definition.works_on), ("gives", &definition.gives)]
        .into_iter()
        .filter_map(|(what, shape)| Some(format!("{what} `{}`", shape.as_ref()?)))
        .collect();
    if !shapes.is_empty() {
        let _ = write!(out, "\n\n{}", shapes.join(", "));
    }
    if !definition.arguments.is_empty() {
        out.push('\n');
    }
    for argument in &definition.arguments {
        let _ = write!(out, "\n* `{}`: {}", argument.name, argument.what);
        match &argument.default {
            Some(default) => {
                let _ = write!(out, "; unless given: `{default}`");
            }
            None if argument.tensor => {}
            None => out.push_str("; must be given"),
        }
    }
    if let Some(text) = definition_text(document, definition) {
        let _ = write!(out, "\n\n```nn\n{text}\n```");
    }
    out
}

/// The words of a short definition.
fn definition_text<'d>(document: &'d Document, definition: &Definition) -> Option<&'d str> {
    let (_, span) = definition.place?;
    let text = match (span.source == document.source, &document.seen) {
        (true, _) => document.words(span),
        (false, seen) => {
            let sources = match seen {
                Some(seen) if span.source.0 > document.source.0 => &seen.sources,
                _ => &document.library.sources,
            };
            let source = sources.iter().nth(usize::from(span.source.0))?;
            source.text.get(span.start as usize..span.end as usize)?
        }
    };
    (text.lines().count() <= LINES).then_some(text)
}

fn statement(document: &Document, word: &str) -> Option<String> {
    Head::of(word).and_then(|head| (document.library.pages.statement)(head.word()))
}

/// What a name of the program is: a tensor, a parameter, what the data gives.
fn own(document: &Document, name: &str) -> Option<String> {
    for stmt in &document.program.stmts {
        match &stmt.kind {
            StmtKind::Param { name: own, .. } if own.text == name => {
                return Some(format!(
                    "a parameter of this program\n\n```nn\n{}\n```",
                    document.words(stmt.span)
                ));
            }
            StmtKind::Shared { name: own, .. } if own.text == name => {
                let text = document.words(stmt.span);
                return Some(format!(
                    "one layer, with one set of weights wherever it is used\n\n```nn\n{text}\n```"
                ));
            }
            StmtKind::Flow(flow) if flow.targets.iter().any(|t| t.text == name) => {
                return Some(tensor(document, stmt, name, flow.targets.len()));
            }
            _ => {}
        }
    }
    let port = document.seen.as_ref()?.ports.iter().find(|port| port.name == name)?;
    Some(about_port(port))
}

fn tensor(document: &Document, stmt: &Stmt, name: &str, names: usize) -> String {
    let mut out = format!("`{name}`, a tensor of this program");
    let rows = document.rows();
    let inside = rows.iter().filter(|(span, _)| stmt.span.start <= span.start && span.end <= stmt.span.end);
    if let (Some((_, row)), 1) = (inside.max_by_key(|(span, _)| span.end), names) {
        let _ = write!(out, ": {} for one sample", shape(&row.shape));
    }
    let text = document.words(stmt.span);
    if text.lines().count() <= LINES {
        let _ = write!(out, "\n\n```nn\n{text}\n```");
    }
    out
}

fn about_port(port: &Port) -> String {
    let mut out = format!("`{}`, from the data: ", port.name);
    match &port.classes {
        Some(classes) if port.shape.is_empty() => {
            let _ = write!(out, "one of {} classes: {}", classes.len(), some(classes));
        }
        Some(classes) => {
            let _ = write!(out, "{}, each one of {} classes", shape(&port.shape), classes.len());
        }
        None => out.push_str(&shape(&port.shape)),
    }
    if !port.about.is_empty() {
        let _ = write!(out, " ({})", port.about);
    }
    out
}

/// What a column holds.
pub(crate) fn column(document: &Document, name: &str) -> Option<String> {
    if let Some(column) = document.columns().iter().find(|c| c.name == name) {
        return Some(about_column(column));
    }
    let dropped = document.seen.as_ref()?.dropped.iter().any(|c| c == name);
    dropped.then(|| format!("`{name}`, a column that is not read"))
}

pub(crate) fn about_column(column: &ColumnStats) -> String {
    let role = match column.role {
        Role::Input => "an input",
        Role::Target => "a target",
        Role::Weight => "the weight of its row",
        Role::Drop => "not read",
    };
    let mut out = format!("`{}`, a column, {role}: {}", column.name, kind(column));
    let _ = write!(out, "\n\n{} values", units_of(column.count));
    if column.missing > 0 {
        let _ = write!(out, ", {} missing", units_of(column.missing));
    }
    match column.kind {
        ColumnKind::Number | ColumnKind::Tensor => {
            let _ = write!(
                out,
                "; from {} to {}, mean {}, standard deviation {}",
                short(column.min),
                short(column.max),
                short(column.mean),
                short(column.std)
            );
        }
        ColumnKind::Characters | ColumnKind::Bytes | ColumnKind::Tokens => {
            let _ = write!(out, "; {} classes", column.vocabulary.len());
        }
        ColumnKind::Category | ColumnKind::Date => {}
    }
    if column.kind == ColumnKind::Category {
        let _ = writeln!(out, "; {} classes:", column.vocabulary.len());
        let counts = column.counts.iter().map(Some).chain(std::iter::repeat(None));
        for (class, count) in column.vocabulary.iter().zip(counts).take(CLASSES) {
            let _ = match count {
                Some(count) => write!(out, "\n* `{class}`: {count}"),
                None => write!(out, "\n* `{class}`"),
            };
        }
        if column.vocabulary.len() > CLASSES {
            out.push_str("\n* …");
        }
    }
    out.push_str("\n\nof the rows that are trained on");
    out
}

fn kind(column: &ColumnStats) -> &'static str {
    match column.kind {
        ColumnKind::Number if column.date.is_some() => "a part of a date",
        ColumnKind::Number => "numbers",
        ColumnKind::Category if column.one_hot => "categories, as one-hot vectors",
        ColumnKind::Category => "categories",
        ColumnKind::Date => "dates",
        ColumnKind::Tensor => "arrays of numbers",
        ColumnKind::Characters => "characters",
        ColumnKind::Bytes => "bytes",
        ColumnKind::Tokens => "texts as classes",
    }
}

/// What the step at a place comes to: its row of `nnc summary`.
fn line(document: &Document, offset: usize) -> Option<String> {
    let rows = document.rows();
    let holds = |span: &Span| span.start as usize <= offset && offset <= span.end as usize;
    let (span, _) = rows.iter().filter(|(span, _)| holds(span)).min_by_key(|(span, _)| span.len())?;
    let same: Vec<&LayerRow> = rows.iter().filter(|(s, _)| s == span).map(|(_, row)| *row).collect();
    let last = same.last()?;
    let mut out = about_row(last);
    if same.len() > 1 {
        let _ = write!(out, "\n\n{} times; the last of them is shown", same.len());
    }
    Some(out)
}

fn about_row(row: &LayerRow) -> String {
    let shapes = match &row.given {
        Some(given) => format!("{} → **{}**", shape(given), shape(&row.shape)),
        None => format!("→ **{}**", shape(&row.shape)),
    };
    let name = if row.name.is_empty() { String::new() } else { format!("`{}`: ", row.name) };
    let weights = match row.weights {
        1 => "1 weight".to_string(),
        n => format!("{} weights", units_of(n as u64)),
    };
    format!(
        "{name}{shapes} for one sample; {weights}, {} FLOPs, {} bytes",
        units_of(row.flops),
        units_of(row.bytes)
    )
}

/// A shape as people write it.
pub(crate) fn shape(sizes: &[usize]) -> String {
    match sizes {
        [] => "one number".into(),
        sizes => units::sizes(sizes),
    }
}

/// A number with commas between thousands.
fn units_of(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

fn short(x: f64) -> String {
    let text =
        if x == 0.0 || (1e-3..1e7).contains(&x.abs()) { format!("{x:.4}") } else { format!("{x:.4e}") };
    match text.contains('.') && !text.contains('e') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}

fn some(names: &[String]) -> String {
    let more = if names.len() > CLASSES { ", …" } else { "" };
    format!("{}{more}", names[..names.len().min(CLASSES)].join(", "))
}
