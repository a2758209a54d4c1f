//! Expressions: mathematics between brackets, after `=`, and as links of a chain.

use super::errors;
use super::flow::chain;
use super::stream::{Expected, NAME, Read, TokenStream, VALUE, name, sign, word};
use crate::Span;
use crate::ast::{Arg, BinaryOp, Expr, ExprKind, UnaryOp};
use crate::token::{Token, TokenKind, is_infix_word};
use nom::Parser;
use nom::combinator::cut;
use nom::multi::many0;
use nom::sequence::{pair, preceded};

/// How tightly operators bind; a higher number binds tighter.
mod level {
    pub(super) const OR: u8 = 1;
    pub(super) const AND: u8 = 2;
    pub(super) const NOT: u8 = 3;
    pub(super) const COMPARE: u8 = 4;
    pub(super) const SUM: u8 = 5;
    pub(super) const PRODUCT: u8 = 6;
}

const CALL_END: Expected =
    Expected { what: "`,` or `)`", plain: "the arguments of a call are separated by commas" };
const LIST_END: Expected =
    Expected { what: "`,` or `]`", plain: "the parts of a list are separated by commas" };
const GROUP_END: Expected = Expected {
    what: "an operator or `)`",
    plain: "two values need an operator between them, such as `+` or `*`",
};
const INDEX_END: Expected = Expected { what: "`]`", plain: "an index is one value, as in `x[0]`" };

/// `if c then a else b`, or operators and their operands.
pub(super) fn expr(i: TokenStream<'_>) -> Read<'_, Expr> {
    if i.at_word("if") { choice(i) } else { binary(i, level::OR) }
}

/// `p, p, …`; after a comma, something must follow.
pub(super) fn comma_list<'a, T>(
    p: impl Fn(TokenStream<'a>) -> Read<'a, T> + Copy,
) -> impl FnMut(TokenStream<'a>) -> Read<'a, Vec<T>> {
    move |i| {
        let (i, (first, mut rest)) = pair(p, many0(preceded(sign(","), cut(p)))).parse(i)?;
        rest.insert(0, first);
        Ok((i, rest))
    }
}

fn choice(i: TokenStream<'_>) -> Read<'_, Expr> {
    let start = i.here();
    let (i, (_, (cond, _, then, _, otherwise))) =
        (word("if"), cut((expr, word("then"), expr, word("else"), expr))).parse(i)?;
    let kind = ExprKind::If { cond: Box::new(cond), then: Box::new(then), otherwise: Box::new(otherwise) };
    Ok((i, Expr { kind, span: i.since(start) }))
}

/// Operators of at least the level `floor`, left to right.
fn binary(i: TokenStream<'_>, floor: u8) -> Read<'_, Expr> {
    let (mut i, mut left) = prefixed(i, floor)?;
    while let Some((op, level)) = i.peek().and_then(operator).filter(|(_, level)| *level >= floor) {
        let op_span = i.here();
        let Some((rest, _)) = i.split() else { break };
        let (rest, right) = cut(|i| binary(i, level + 1)).parse(rest)?;
        left = join(op, op_span, left, right);
        i = rest;
        if level == level::COMPARE && i.peek().and_then(operator).is_some_and(|(_, next)| next == level) {
            return i.tell(errors::two_comparisons(i));
        }
    }
    Ok((i, left))
}

fn join(op: BinaryOp, op_span: Span, left: Expr, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    Expr { kind: ExprKind::Binary { op, op_span, left: Box::new(left), right: Box::new(right) }, span }
}

/// The operator a token stands for, and its level; `^` is read with its operands.
fn operator(token: &Token<'_>) -> Option<(BinaryOp, u8)> {
    let (op, level) = match token.kind {
        TokenKind::Name("or") => (BinaryOp::Or, level::OR),
        TokenKind::Name("and") => (BinaryOp::And, level::AND),
        TokenKind::Sign("==") => (BinaryOp::Eq, level::COMPARE),
        TokenKind::Sign("!=") => (BinaryOp::Ne, level::COMPARE),
        TokenKind::Sign("<") => (BinaryOp::Lt, level::COMPARE),
        TokenKind::Sign("<=") => (BinaryOp::Le, level::COMPARE),
        TokenKind::Sign(">") => (BinaryOp::Gt, level::COMPARE),
        TokenKind::Sign(">=") => (BinaryOp::Ge, level::COMPARE),
        TokenKind::Sign("+") => (BinaryOp::Add, level::SUM),
        TokenKind::Sign("-") => (BinaryOp::Sub, level::SUM),
        TokenKind::Sign("*") => (BinaryOp::Mul, level::PRODUCT),
        TokenKind::Sign("/") => (BinaryOp::Div, level::PRODUCT),
        TokenKind::Sign("@") => (BinaryOp::MatMul, level::PRODUCT),
        _ => return None,
    };
    Some((op, level))
}

/// `not` and `-` before an operand. `not` takes a whole comparison, `-` a power.
fn prefixed(i: TokenStream<'_>, floor: u8) -> Read<'_, Expr> {
    if i.at_word("not") {
        if floor > level::NOT {
            return i.tell(errors::not_in_arithmetic(i));
        }
        return unary(i, UnaryOp::Not, |i| binary(i, level::NOT));
    }
    signed(i)
}

/// `-x^2` is `-(x^2)`, and `2^-3` is `2^(-3)`.
fn signed(i: TokenStream<'_>) -> Read<'_, Expr> {
    if i.at_sign("-") { unary(i, UnaryOp::Neg, signed) } else { power(i) }
}

fn unary<'a>(
    i: TokenStream<'a>,
    op: UnaryOp,
    of: impl Fn(TokenStream<'a>) -> Read<'a, Expr>,
) -> Read<'a, Expr> {
    let start = i.here();
    let Some((i, _)) = i.split() else { return i.miss(VALUE) };
    let (i, of) = cut(of).parse(i)?;
    Ok((i, Expr { kind: ExprKind::Unary { op, of: Box::new(of) }, span: i.since(start) }))
}

fn power(i: TokenStream<'_>) -> Read<'_, Expr> {
    let (i, base) = value(i)?;
    if !i.at_sign("^") {
        return Ok((i, base));
    }
    let op_span = i.here();
    let (i, exponent) = preceded(sign("^"), cut(signed)).parse(i)?;
    Ok((i, join(BinaryOp::Pow, op_span, base, exponent)))
}

/// An atom with calls, indices and members close behind it.
pub(super) fn value(i: TokenStream<'_>) -> Read<'_, Expr> {
    let (mut i, mut base) = atom(i)?;
    while !is_literal(&base.kind) {
        let Some(next) = i.peek().filter(|next| next.tight) else { break };
        let tail = match next.kind {
            TokenKind::Sign("(") => call,
            TokenKind::Sign("[") => index,
            TokenKind::Sign(".") => member,
            _ => break,
        };
        (i, base) = tail(i, base)?;
    }
    Ok((i, base))
}

fn is_literal(kind: &ExprKind) -> bool {
    matches!(
        kind,
        ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Percent(_) | ExprKind::Size(_) | ExprKind::Text(_)
    )
}

fn call(i: TokenStream<'_>, callee: Expr) -> Read<'_, Expr> {
    let start = callee.span;
    let (i, _) = sign("(")(i)?;
    let (i, args) = if i.at_sign(")") { (i, Vec::new()) } else { cut(comma_list(argument)).parse(i)? };
    if i.at_sign("->") {
        return i.tell(errors::chain_in_call(i, args.last()));
    }
    let (i, _) = close(i, ")", CALL_END)?;
    // `Dense(16)(x)`, as in Keras; functions that return functions have small letters.
    let keras = |e: &Expr| i.context.slice(e.span).starts_with(char::is_uppercase);
    if matches!(callee.kind, ExprKind::Call { .. }) && keras(&callee) {
        return i.tell(errors::call_of_call(i, &callee, i.since(start)));
    }
    if let ExprKind::Member { base, name } = &callee.kind {
        return i.tell(errors::method(i, base, name, i.since(start)));
    }
    Ok((i, Expr { kind: ExprKind::Call { callee: Box::new(callee), args }, span: i.since(start) }))
}

/// `axis=-1` or a plain expression, in a call.
fn argument(i: TokenStream<'_>) -> Read<'_, Arg> {
    let start = i.here();
    let (i, key) = if is_key(i) {
        let (i, (key, _)) = pair(name, sign("=")).parse(i)?;
        (i, Some(key))
    } else {
        (i, None)
    };
    let (i, value) = cut(expr).parse(i)?;
    Ok((i, Arg { key, value, span: i.since(start) }))
}

/// Whether `name =` is next.
pub(super) fn is_key(i: TokenStream<'_>) -> bool {
    let is_name = i.peek().and_then(Token::word).is_some_and(|word| !is_infix_word(word));
    is_name && i.second().is_some_and(|t| t.is_sign("="))
}

fn index(i: TokenStream<'_>, base: Expr) -> Read<'_, Expr> {
    let start = base.span;
    let (i, index) = preceded(sign("["), cut(expr)).parse(i)?;
    let (i, _) = close(i, "]", INDEX_END)?;
    Ok((
        i,
        Expr { kind: ExprKind::Index { base: Box::new(base), index: Box::new(index) }, span: i.since(start) },
    ))
}

fn member(i: TokenStream<'_>, base: Expr) -> Read<'_, Expr> {
    let start = base.span;
    let (i, _) = sign(".")(i)?;
    // Behind a point every word is a name, even `in`.
    let Some((rest, Token { kind: TokenKind::Name(word), span, .. })) = i.split() else {
        return i.fail(NAME);
    };
    let name = crate::ast::Name { text: (*word).to_owned(), span: *span };
    Ok((rest, Expr { kind: ExprKind::Member { base: Box::new(base), name }, span: start.to(*span) }))
}

/// The bracket that ends what was opened; it is there, for brackets are balanced, but perhaps not yet.
pub(super) fn close<'a>(i: TokenStream<'a>, bracket: &'static str, expected: Expected) -> Read<'a, Span> {
    match i.split() {
        Some((rest, token)) if token.is_sign(bracket) => Ok((rest, token.span)),
        _ => i.fail(expected),
    }
}

/// A number, a text, a name, a list, or something in brackets.
pub(super) fn atom(i: TokenStream<'_>) -> Read<'_, Expr> {
    let Some((rest, token)) = i.split() else { return i.miss(VALUE) };
    let kind = match &token.kind {
        TokenKind::Int(value) => ExprKind::Int(*value),
        TokenKind::Float(value) => ExprKind::Float(*value),
        TokenKind::Percent(value) => ExprKind::Percent(*value),
        TokenKind::Size(sides) => ExprKind::Size(sides.clone()),
        TokenKind::Text(text) => ExprKind::Text(text.clone()),
        TokenKind::Name(word) => match *word {
            "yes" => ExprKind::Bool(true),
            "no" => ExprKind::Bool(false),
            "it" => ExprKind::It,
            "training" => ExprKind::Training,
            "True" | "False" | "true" | "false" => return i.tell(errors::foreign_bool(i, word)),
            word if is_infix_word(word) => return i.miss(VALUE),
            word => ExprKind::Name(word.to_owned()),
        },
        TokenKind::Sign("(") => return group(i),
        TokenKind::Sign("[") => return list(i),
        _ => return i.miss(VALUE),
    };
    Ok((rest, Expr { kind, span: token.span }))
}

fn group(i: TokenStream<'_>) -> Read<'_, Expr> {
    let start = i.here();
    let (i, inner) = preceded(sign("("), cut(chain)).parse(i)?;
    let (i, _) = close(i, ")", GROUP_END)?;
    Ok((i, Expr { kind: ExprKind::Group(Box::new(inner)), span: i.since(start) }))
}

/// `[a, b]`
pub(super) fn list(i: TokenStream<'_>) -> Read<'_, Expr> {
    let start = i.here();
    let (i, items) = items(i)?;
    Ok((i, Expr { kind: ExprKind::List(items), span: i.since(start) }))
}

/// The expressions of a list.
pub(super) fn items(i: TokenStream<'_>) -> Read<'_, Vec<Expr>> {
    let (i, _) = sign("[")(i)?;
    let (i, items) = if i.at_sign("]") { (i, Vec::new()) } else { cut(comma_list(expr)).parse(i)? };
    let (i, _) = close(i, "]", LIST_END)?;
    Ok((i, items))
}
