//! `data`, `valid` and `test`: where samples come from, and the rows of a block.

use super::expr::list;
use super::flow::arguments;
use super::stream::{END, Expected, Read, TokenStream, sign};
use super::{Context, Outcome};
use super::{errors, height};
use crate::ast::{Dataset, Expr, ExprKind, Name, Part, Row, StmtKind, UnaryOp, Word, WordKind};
use crate::layout::Line;
use crate::token::{Token, TokenKind};
use crate::{Code, Diagnostic};
use nom::Parser;
use nom::combinator::{cut, map, opt};
use nom::multi::many0;
use nom::sequence::preceded;

const WORD: Expected = Expected { what: "a number, a text or a name", plain: "" };

/// `data "f.csv" window=24 -> "labels.csv" { … }`
pub(super) fn dataset(i: TokenStream<'_>) -> Read<'_, StmtKind> {
    let start = i.here();
    let (i, head) = super::stream::name(i)?;
    let part = Part::from_word(&head.text).unwrap_or(Part::Train);
    let (i, args) = arguments(i, &head)?;
    let (i, to) = opt(preceded(sign("->"), cut(|i| arguments(i, &head)))).parse(i)?;
    let to = to.unwrap_or_default();
    let Some((rest, token)) = i.split() else {
        let data = Dataset { part, args, to, rows: None, rows_span: None, span: i.since(start) };
        return Ok((i, StmtKind::Data(data)));
    };
    let TokenKind::Block(group) = token.kind else { return i.fail(END) };
    let rows = Some(rows(i.context, group));
    let data = Dataset { part, args, to, rows, rows_span: Some(token.span), span: rest.since(start) };
    Ok((rest, StmtKind::Data(data)))
}

/// Reads every row of a data block; a row with a mistake is reported and left out.
pub(super) fn rows(context: &Context<'_>, group: usize) -> Vec<Row> {
    context.enter(group).iter().filter_map(|line| checked_row(context, line)).collect()
}

fn checked_row(context: &Context<'_>, line: &Line<'_>) -> Option<Row> {
    // Only lists can be nested in a row; its many signs build no tree.
    let has_list = line.tokens.iter().any(|t| t.is_sign("["));
    let outcome = match height::check(&line.tokens, 0) {
        Err(found) if has_list => Outcome::Wrong(*found),
        _ => context.read(line, 0, row),
    };
    match outcome {
        Outcome::Good(row) => Some(row),
        Outcome::Poisoned => None,
        Outcome::Wrong(found) => {
            context.report(found);
            None
        }
    }
}

/// `0 1 -> 1`, or `input rest standardize`
fn row(i: TokenStream<'_>) -> Read<'_, Row> {
    let start = i.here();
    let (i, words) = words(i)?;
    let (i, to) = opt(preceded(sign("->"), self::words)).parse(i)?;
    if i.peek().is_some() {
        return i.tell(bad_word(i, to.is_some()));
    }
    Ok((i, Row { words, to, span: i.since(start) }))
}

/// At least one word.
fn words(i: TokenStream<'_>) -> Read<'_, Vec<Word>> {
    let (i, words) = many0(word).parse(i)?;
    if words.is_empty() { i.tell(bad_word(i, false)) } else { Ok((i, words)) }
}

fn word(i: TokenStream<'_>) -> Read<'_, Word> {
    let Some((rest, token)) = i.split() else { return i.miss(WORD) };
    let start = token.span;
    if is_glued(i, token) {
        return i.tell(errors::glued_words(i));
    }
    let (i, kind) = match &token.kind {
        TokenKind::Name(text) => {
            let name = Name { text: (*text).to_owned(), span: start };
            let (i, value) = opt(preceded(sign("="), cut(literal))).parse(rest)?;
            (i, WordKind::Name { name, value: value.map(Box::new) })
        }
        TokenKind::Text(text) => (rest, WordKind::Text(text.clone())),
        _ => map(number, WordKind::Number).parse(i)?,
    };
    Ok((i, Word { kind, span: i.since(start) }))
}

/// Whether a value follows the one before it without a space, as in `2024-01-05`.
fn is_glued(i: TokenStream<'_>, token: &Token<'_>) -> bool {
    let is_value = match token.kind {
        TokenKind::Sign(sign) => sign == "-",
        _ => !matches!(token.kind, TokenKind::Block(_)),
    };
    let before = i.context.slice(i.last);
    token.tight && is_value && !before.is_empty() && before != "->"
}

fn number(i: TokenStream<'_>) -> Read<'_, f64> {
    let (rest, minus) = opt(sign("-")).parse(i)?;
    let value = match rest.split() {
        Some((rest, token)) if minus.is_none() || token.tight => match token.kind {
            TokenKind::Int(value) => Some((rest, value as f64)),
            TokenKind::Float(value) | TokenKind::Percent(value) => Some((rest, value)),
            _ => None,
        },
        _ => None,
    };
    match value {
        Some((rest, value)) => Ok((rest, if minus.is_some() { -value } else { value })),
        None => i.miss(WORD),
    }
}

/// What follows `=` in a row of roles: a number, a text, a name or a list.
fn literal(i: TokenStream<'_>) -> Read<'_, Expr> {
    let start = i.here();
    if i.at_sign("[") {
        return list(i);
    }
    let (i, minus) = opt(sign("-")).parse(i)?;
    if i.at_sign("(") {
        return i.miss(WORD);
    }
    let (i, of) = super::expr::atom(i)?;
    if minus.is_none() {
        return Ok((i, of));
    }
    Ok((i, Expr { kind: ExprKind::Unary { op: UnaryOp::Neg, of: Box::new(of) }, span: i.since(start) }))
}

/// Something in a row that is no word.
fn bad_word(i: TokenStream<'_>, second_arrow: bool) -> Diagnostic {
    let span = i.here();
    let found = |message: &str| Diagnostic::error(Code::N0109, message);
    match i.peek().map(|t| &t.kind) {
        None => found("this row ends too early").label(i.last, "something must follow this"),
        Some(TokenKind::Sign(",")) => found("the values of a row are separated by spaces")
            .label(span, "no comma here")
            .help("a decimal point is a point, as in `0.5`")
            .fix(span, if i.tokens.get(1).is_some_and(|t| t.tight) { " " } else { "" }, true),
        Some(TokenKind::Sign("->")) if second_arrow => found("a row has one `->` at most")
            .label(span, "this is the second")
            .help("inputs stand before the arrow, targets behind it; every row has a line of its own, or ends with `;`"),
        Some(TokenKind::Sign("-")) => found("a minus in a row belongs to a number")
            .label(span, "write it right before its number, as in `-1`")
            .help("the arrow before the targets is written `->`")
            .help("a column whose name contains `-` stands between quotes: \"sepal-length\""),
        Some(TokenKind::Size(_)) => found("a row holds single numbers, and this is a size")
            .label(span, "a shape is said outside the block, as in `input image 28x28x1`"),
        Some(TokenKind::Block(_)) => found("there is no block inside a data block").label(span, ""),
        Some(TokenKind::Sign("(" | "[")) => found("a row needs no brackets")
            .label(span, "write the values side by side, as in `0 1 -> 1`"),
        Some(TokenKind::Sign(":")) => found("there is no `:` in a row")
            .label(span, "")
            .help("roles are written `input age standardize`, and rows `0 1 -> 1`"),
        _ => found("this cannot stand in a row of data")
            .label(span, "a row is made of numbers, texts and names")
            .help("as in `0 1 -> 1`, or `input age standardize`"),
    }
}
