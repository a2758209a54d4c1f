//! Recognises lines of YAML and JSON, and file names without quotes.

use super::Context;
use crate::token::{Token, TokenKind, is_infix_word};
use crate::{Code, Diagnostic, Head, Span, foreign, habits};

/// A diagnostic, if this statement is written as one of these.
pub(super) fn recognise(context: &Context<'_>, tokens: &[Token<'_>], span: Span) -> Option<Diagnostic> {
    file_name(context, tokens, span)
        .or_else(|| yaml(context, tokens, span))
        .or_else(|| json(context, tokens, span))
}

/// How the names of files with data, and of programs, end.
const ENDINGS: [&str; 21] = [
    "csv", "tsv", "txt", "npy", "npz", "idx", "json", "jsonl", "ndjson", "parquet", "arff", "xlsx", "xls",
    "gz", "zip", "png", "jpg", "jpeg", "html", "svm", "nn",
];

/// `data iris.csv`
fn file_name(context: &Context<'_>, tokens: &[Token<'_>], span: Span) -> Option<Diagnostic> {
    let head = tokens.first()?.word()?;
    if !(Head::of(head).is_some_and(Head::is_dataset) || head == "use") {
        return None;
    }
    let text = context.slice(span);
    let line = text.split(['{', '\n']).next().unwrap_or(text);
    if line.contains(['"', '\'']) {
        return None;
    }
    let is_file = |word: &str| {
        let plain = |c: char| c.is_alphanumeric() || "._-/~\\:".contains(c);
        let ending = word.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
        word.chars().all(plain) && ENDINGS.contains(&ending.as_str())
    };
    let word = line.split_whitespace().skip(1).find(|word| is_file(word))?;
    let at = span.start + (word.as_ptr() as usize - text.as_ptr() as usize) as u32;
    let place = Span { start: at, end: at + word.len() as u32, ..span };
    let quoted = |word: &str| if is_file(word) { format!("\"{word}\"") } else { word.to_string() };
    let whole: Vec<String> = line.split_whitespace().map(quoted).collect();
    let d = Diagnostic::error(Code::N0101, "the name of a file stands in quotes").label(place, "");
    let d = d.help(whole.join(" "));
    let all = line.split_whitespace().filter(|word| is_file(word)).count();
    Some(d.fix(place, format!("\"{word}\""), all == 1))
}

/// `layers:`, `- dense: 16`, `optimizer: adam`
fn yaml(context: &Context<'_>, tokens: &[Token<'_>], span: Span) -> Option<Diagnostic> {
    let entry = tokens.first()?.is_sign("-");
    let rest = if entry { &tokens[1..] } else { tokens };
    let [name, colon, value @ ..] = rest else { return None };
    let word =
        name.word().filter(|w| !is_infix_word(w) && !["else", "try", "finally", "except"].contains(w))?;
    if !(colon.is_sign(":") && colon.tight) || value.iter().any(|t| matches!(t.kind, TokenKind::Block(_))) {
        return None;
    }
    let text = match (value.first(), value.last()) {
        (Some(first), Some(last)) => context.slice(first.span.to(last.span)),
        _ => "",
    };
    let d = Diagnostic::error(
        Code::N0108,
        "this is YAML: here a line is a word and its arguments, without a colon",
    )
    .label(span, "");
    Some(line(d, word, text, entry))
}

/// The whole of a file between braces, or `"epochs": 5`.
fn json(context: &Context<'_>, tokens: &[Token<'_>], span: Span) -> Option<Diagnostic> {
    let is_pair = |tokens: &[Token<'_>]| matches!(tokens, [name, colon, ..] if matches!(name.kind, TokenKind::Text(_)) && colon.is_sign(":"));
    let d = || {
        Diagnostic::error(Code::N0108, "this is JSON: here a network is lines, each a word and its arguments")
            .label(span, "")
    };
    if let [Token { kind: TokenKind::Block(group), .. }, ..] = tokens {
        let lines = &context.groups.get(*group)?.lines;
        if !lines.first().is_some_and(|line| is_pair(&line.tokens)) {
            return None;
        }
        // Everything in there is JSON too.
        context.entered.get(*group)?.set(true);
        return Some(
            d().help("dense 16 relu").help("loss mse").help("optimizer adam lr=0.001").help("epochs 10"),
        );
    }
    let TokenKind::Text(name) = &tokens.first().filter(|_| is_pair(tokens))?.kind else { return None };
    let value = tokens.get(2).map_or("", |t| context.slice(t.span)).trim_matches(['"', ',']);
    Some(line(d(), name, value, false))
}

/// What a name and its value are written as here.
fn line(d: Diagnostic, name: &str, value: &str, entry: bool) -> Diagnostic {
    let head = foreign::NAMES.iter().find(|(theirs, _)| *theirs == name).map_or(name, |(_, ours)| ours);
    if Head::of(head).is_some_and(|h| h.is_setting() || h.is_dataset()) && !value.is_empty() {
        return d.help(format!("{head} {value}"));
    }
    if let Some(habit) = habits::find(name).filter(|_| !entry) {
        let value: &[(Option<&str>, &str)] = if value.is_empty() { &[] } else { &[(None, value)] };
        return habit.written(value).into_iter().fold(d.cause(habit.about), Diagnostic::help);
    }
    let ours = foreign::layer(name);
    match value {
        "" => d.help("a network is the lines of the file, in their order: delete this line"),
        value => d.help(format!("{ours} {value}")),
    }
}
