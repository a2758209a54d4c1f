//! Chains and their links: steps with arguments, scans, expressions.

use super::errors;
use super::expr::{comma_list, expr, is_key, value};
use super::stream::{BLOCK, Expected, NAME, Read, TokenStream, name, new_name, sign, word};
use crate::ast::{Arg, Chain, Expr, ExprKind, Flow, Link, Name, Scan, Step, StmtKind, UnaryOp};
use crate::token::{Token, TokenKind, is_fixed_name, is_infix_word};
use nom::Parser;
use nom::branch::alt;
use nom::combinator::{cut, map, opt};
use nom::multi::{many0, separated_list1};
use nom::sequence::{pair, preceded};

/// `a, b = chain`, `s := chain`, or a chain alone.
pub(super) fn flow(i: TokenStream<'_>) -> Read<'_, StmtKind> {
    let (i, bound) = opt(targets).parse(i)?;
    let (targets, update) = bound.unwrap_or_default();
    let (i, chain) = if targets.is_empty() { chain(i)? } else { cut(chain).parse(i)? };
    Ok((i, StmtKind::Flow(Flow { targets, update, chain })))
}

/// The names before `=` or `:=`, and whether it is `:=`.
fn targets(i: TokenStream<'_>) -> Read<'_, (Vec<Name>, bool)> {
    // First any words: that one of them may not be a name matters only once a `=` is seen.
    let (rest, (_, update)) = pair(separated_list1(sign(","), any_word), assign).parse(i)?;
    let (_, names) = separated_list1(sign(","), new_name).parse(i)?;
    Ok((rest, (names, update)))
}

fn any_word(i: TokenStream<'_>) -> Read<'_, ()> {
    match i.split() {
        Some((rest, token)) if token.word().is_some() => Ok((rest, ())),
        _ => i.miss(NAME),
    }
}

/// Whether the sign is `:=` rather than `=`.
fn assign(i: TokenStream<'_>) -> Read<'_, bool> {
    alt((map(sign("="), |_| false), map(sign(":="), |_| true))).parse(i)
}

/// `link -> link -> …`
pub(super) fn chain(i: TokenStream<'_>) -> Read<'_, Chain> {
    let start = i.here();
    let (i, (first, rest)) = pair(link, many0(preceded(sign("->"), cut(link)))).parse(i)?;
    let links = std::iter::once(first).chain(rest).collect();
    Ok((i, Chain { links, span: i.since(start) }))
}

fn link(i: TokenStream<'_>) -> Read<'_, Link> {
    if is_scan(i) {
        map(scan, |scan| Link::Scan(Box::new(scan))).parse(i)
    } else if is_step(i) {
        map(step, Link::Step).parse(i)
    } else {
        map(comma_list(expr), Link::Exprs).parse(i)
    }
}

/// `scan NAME in`: without these three, `scan` is a name like any other.
fn is_scan(i: TokenStream<'_>) -> bool {
    i.at_word("scan")
        && i.second().and_then(Token::word).is_some()
        && i.tokens.get(2).is_some_and(|t| t.is_word("in"))
}

/// A name and, after a space, something that can be an argument.
fn is_step(i: TokenStream<'_>) -> bool {
    let is_name =
        i.peek().and_then(Token::word).is_some_and(|word| !is_infix_word(word) && !is_fixed_name(word));
    let argument = |next: &Token<'_>| match next.kind {
        TokenKind::Sign(_) => !next.tight && next.begins_value(),
        _ => next.begins_value(),
    };
    is_name && i.second().is_some_and(argument)
}

fn step(i: TokenStream<'_>) -> Read<'_, Step> {
    let start = i.here();
    let (i, name) = name(i)?;
    let (i, args) = arguments(i, &name)?;
    Ok((i, Step { name, args, span: i.since(start) }))
}

/// `16 relu lr=0.01`: the arguments of `head`, separated by spaces.
pub(super) fn arguments<'a>(mut i: TokenStream<'a>, head: &Name) -> Read<'a, Vec<Arg>> {
    let mut args = Vec::new();
    let mut last = i;
    while i.peek().is_some_and(Token::begins_value) {
        last = i;
        let (rest, arg) = argument(i)?;
        args.push(arg);
        i = rest;
    }
    match i.peek() {
        Some(next) if next.is_sign(",") => i.tell(errors::comma_between_arguments(i, head)),
        Some(next) if next.is_operator() && !matches!(next.kind, TokenKind::Sign("=" | ":=" | "->")) => {
            i.tell(errors::arithmetic_in_argument(i, head, &args, last))
        }
        _ => Ok((i, args)),
    }
}

fn argument(i: TokenStream<'_>) -> Read<'_, Arg> {
    let start = i.here();
    let (i, (key, value)) = if is_key(i) {
        let (i, (key, _)) = pair(name, sign("=")).parse(i)?;
        let from = i.here();
        let (i, value) = cut(signed_value).parse(i)?;
        let (i, last) = opt(preceded(sign(".."), cut(signed_value))).parse(i)?;
        let value = match last {
            Some(last) => {
                let kind = ExprKind::Range(Box::new(value), Box::new(last));
                Expr { kind, span: i.since(from) }
            }
            None => value,
        };
        (i, (Some(key), value))
    } else {
        map(value, |value| (None, value)).parse(i)?
    };
    Ok((i, Arg { key, value, span: i.since(start) }))
}

/// A value that may have a minus: only behind `key=`, where it cannot be a subtraction.
pub(super) fn signed_value(i: TokenStream<'_>) -> Read<'_, Expr> {
    let start = i.here();
    let (i, minus) = opt(sign("-")).parse(i)?;
    let (i, of) = value(i)?;
    if minus.is_none() {
        return Ok((i, of));
    }
    Ok((i, Expr { kind: ExprKind::Unary { op: UnaryOp::Neg, of: Box::new(of) }, span: i.since(start) }))
}

/// `scan x in xs with h = a, c = b { … }`
fn scan(i: TokenStream<'_>) -> Read<'_, Scan> {
    let start = i.here();
    let (i, (_, item, _, over)) = (word("scan"), cut(new_name), word("in"), cut(expr)).parse(i)?;
    let (i, carried) = opt(preceded(word("with"), cut(comma_list(carried)))).parse(i)?;
    if !i.peek().is_some_and(|t| matches!(t.kind, TokenKind::Block(_))) {
        let plain = if carried.is_some() { BLOCK.plain } else { "`with h = …` or the block comes next" };
        return i.fail(Expected { plain, ..BLOCK });
    }
    let (i, body) = super::block(i)?;
    Ok((i, Scan { item, over, carried: carried.unwrap_or_default(), body, span: i.since(start) }))
}

fn carried(i: TokenStream<'_>) -> Read<'_, (Name, Expr)> {
    let (i, (name, _, first)) = (cut(new_name), cut(sign("=")), cut(expr)).parse(i)?;
    Ok((i, (name, first)))
}
