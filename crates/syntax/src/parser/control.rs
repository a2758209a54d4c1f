//! Control: `repeat`, `if`, `require`; what a run is to do: settings, `stop`, `expect`.

use super::errors;
use super::expr::expr;
use super::flow::{arguments, chain};
use super::stream::{Expected, Read, TokenStream, name, new_name, sign, text, word};
use crate::ast::{Block, Expr, Name, Stmt, StmtKind, StopWhen};
use nom::Parser;
use nom::branch::alt;
use nom::combinator::{cut, map, opt};
use nom::sequence::{pair, preceded, terminated};

const UNIT: Expected =
    Expected { what: "`epochs` or `steps`", plain: "as in `expect accuracy >= 90% within 20 epochs`" };

/// `repeat 3 as i { … }`
pub(super) fn repeat(i: TokenStream<'_>) -> Read<'_, StmtKind> {
    let (i, (_, count)) = (word("repeat"), cut(expr)).parse(i)?;
    let (i, index) = opt(preceded(word("as"), cut(new_name))).parse(i)?;
    let (i, body) = cut(super::block).parse(i)?;
    Ok((i, StmtKind::Repeat { count, index, body }))
}

/// `if cond { … } else { … }`
pub(super) fn if_block(i: TokenStream<'_>) -> Read<'_, StmtKind> {
    let (i, (_, cond)) = (word("if"), cut(condition)).parse(i)?;
    let (i, then) = cut(super::block).parse(i)?;
    let (i, otherwise) = opt(preceded(word("else"), cut(otherwise))).parse(i)?;
    Ok((i, StmtKind::If { cond, then, otherwise }))
}

/// What follows `else`: a block, or another `if` or `repeat` as a block of one statement.
fn otherwise(i: TokenStream<'_>) -> Read<'_, Block> {
    let start = i.here();
    let (i, kind) = if i.at_word("if") {
        if_block(i)?
    } else if i.at_word("repeat") {
        repeat(i)?
    } else {
        return super::block(i);
    };
    let span = i.since(start);
    Ok((i, Block { stmts: vec![Stmt { kind, span, doc: None }], span }))
}

/// An expression that is compared; `=` for `==` is a mistake of its own.
fn condition(i: TokenStream<'_>) -> Read<'_, Expr> {
    let (i, cond) = expr(i)?;
    if i.at_sign("=") { i.tell(errors::equals_in_condition(i)) } else { Ok((i, cond)) }
}

/// `require cond else "message" fix "flatten -> "`
pub(super) fn require(i: TokenStream<'_>) -> Read<'_, StmtKind> {
    let (i, (_, (cond, _, (message, _)))) =
        (word("require"), cut((condition, word("else"), text))).parse(i)?;
    let (i, fix) = opt(preceded(word("fix"), cut(text))).parse(i)?;
    Ok((i, StmtKind::Require { cond, message, fix: fix.map(|(text, _)| text) }))
}

/// `loss mse`, `optimizer adam lr=0.01`
pub(super) fn setting(i: TokenStream<'_>) -> Read<'_, StmtKind> {
    let (i, head) = name(i)?;
    let (i, args) = arguments(i, &head)?;
    Ok((i, StmtKind::Setting { head, args }))
}

/// `then { … }`
pub(super) fn stage(i: TokenStream<'_>) -> Read<'_, StmtKind> {
    map(preceded(word("then"), cut(super::block)), StmtKind::Then).parse(i)
}

/// `loss = chain`
pub(super) fn loss_is(i: TokenStream<'_>) -> Read<'_, StmtKind> {
    map(preceded(pair(word("loss"), sign("=")), cut(chain)), StmtKind::LossIs).parse(i)
}

/// `stop when …`
pub(super) fn stop(i: TokenStream<'_>) -> Read<'_, StmtKind> {
    let (i, _) = pair(word("stop"), cut(word("when"))).parse(i)?;
    let stalls =
        map(pair(terminated(name, word("stalls")), cut((word("for"), expr))), |(metric, (_, patience))| {
            StopWhen::Stalls { metric, patience }
        });
    let (i, when) = cut(alt((stalls, map(condition, StopWhen::Holds)))).parse(i)?;
    Ok((i, StmtKind::Stop(when)))
}

/// `expect cond within 500 epochs in 9 of 10 seeds`
pub(super) fn expect(i: TokenStream<'_>) -> Read<'_, StmtKind> {
    let (i, (_, cond)) = (word("expect"), cut(condition)).parse(i)?;
    let (i, within) = opt(preceded(word("within"), cut(pair(expr, unit)))).parse(i)?;
    let (i, seeds) = opt(preceded(word("in"), cut((expr, word("of"), expr, word("seeds"))))).parse(i)?;
    let seeds = seeds.map(|(some, _, all, _)| (some, all));
    Ok((i, StmtKind::Expect { cond, within, seeds }))
}

fn unit(i: TokenStream<'_>) -> Read<'_, Name> {
    if i.at_word("epochs") || i.at_word("steps") { name(i) } else { i.miss(UNIT) }
}
