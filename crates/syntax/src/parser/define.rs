//! Definitions: `param fn layer rule init shared rewrite use`, and `weight` and `state`.

use super::expr::{close, comma_list, expr, items};
use super::flow::chain;
use super::stream::{BLOCK, Expected, NAME, Read, TokenStream, name, new_name, sign, text, word};
use crate::ast::{
    Attribute, Body, DeclareKind, Dim, FnDef, InitDef, LayerDef, Name, Operand, Param, RuleDef, StmtKind,
    Within,
};
use crate::token::TokenKind;
use nom::Parser;
use nom::branch::alt;
use nom::combinator::{cut, map, opt};
use nom::multi::many1;
use nom::sequence::{pair, preceded};

const BODY: Expected =
    Expected { what: "`=` or a block", plain: "a body is `= value` or stands between `{` and `}`" };
const DIMS: Expected = Expected {
    what: "a shape",
    plain: "a shape stands between square brackets close behind the name, as in `w[n, units]`",
};
const DIMS_END: Expected =
    Expected { what: "`,` or `]`", plain: "the sides of a shape are separated by commas" };
const ATTRIBUTE: Expected = Expected {
    what: "`name=word`",
    plain: "after `with` a definition says something about itself, as in `with better=lower`",
};
const PARAMS_END: Expected = Expected {
    what: "`,` or `)`",
    plain: "parameters are separated by commas, as in `(units: int, rate = 0.5)`",
};

/// `param hidden = 16 in 1..64`
pub(super) fn param(i: TokenStream<'_>) -> Read<'_, StmtKind> {
    let (i, (_, (name, _, value))) = (word("param"), cut((new_name, sign("="), expr))).parse(i)?;
    let (i, within) = opt(preceded(word("in"), cut(within))).parse(i)?;
    Ok((i, StmtKind::Param { name, value, within }))
}

fn within(i: TokenStream<'_>) -> Read<'_, Within> {
    if i.at_sign("[") {
        return map(items, Within::List).parse(i);
    }
    let (i, (low, _, high)) = (expr, cut(sign("..")), cut(expr)).parse(i)?;
    Ok((i, Within::Range(low, high)))
}

/// `fn name(params) = chain` or with a block
pub(super) fn function(i: TokenStream<'_>) -> Read<'_, StmtKind> {
    let (i, (_, (name, params, attributes, body))) =
        (word("fn"), cut((new_name, params, attributes, body))).parse(i)?;
    Ok((i, StmtKind::Fn(FnDef { name, params, attributes, body })))
}

/// `layer name(params) of x[n] -> [m] { … }`
pub(super) fn layer(i: TokenStream<'_>) -> Read<'_, StmtKind> {
    let (i, (_, (name, params))) = (word("layer"), cut((new_name, opt(params)))).parse(i)?;
    let (i, operands) = opt(preceded(word("of"), cut(comma_list(operand)))).parse(i)?;
    let (i, result) = opt(preceded(sign("->"), cut(dims))).parse(i)?;
    let (i, (attributes, body)) = cut(pair(attributes, super::block)).parse(i)?;
    let (params, operands) = (params.unwrap_or_default(), operands.unwrap_or_default());
    Ok((i, StmtKind::Layer(LayerDef { name, params, operands, result, attributes, body })))
}

/// `rule name(params) of w, g { … }`
pub(super) fn rule(i: TokenStream<'_>) -> Read<'_, StmtKind> {
    let (i, (_, (name, params))) = (word("rule"), cut((new_name, opt(params)))).parse(i)?;
    let (i, (_, weight, _, gradient, attributes, body)) =
        cut((word("of"), new_name, sign(","), new_name, attributes, super::block)).parse(i)?;
    let params = params.unwrap_or_default();
    Ok((i, StmtKind::Rule(RuleDef { name, params, weight, gradient, attributes, body })))
}

/// `init name(params) of shape = chain` or with a block
pub(super) fn init(i: TokenStream<'_>) -> Read<'_, StmtKind> {
    let (i, (_, (name, params))) = (word("init"), cut((new_name, opt(params)))).parse(i)?;
    let (i, (_, shape, attributes, body)) = cut((word("of"), new_name, attributes, body)).parse(i)?;
    let params = params.unwrap_or_default();
    Ok((i, StmtKind::Init(InitDef { name, params, shape, attributes, body })))
}

/// `shared name = chain`
pub(super) fn shared(i: TokenStream<'_>) -> Read<'_, StmtKind> {
    let (i, (_, (name, _, chain))) = (word("shared"), cut((new_name, sign("="), chain))).parse(i)?;
    Ok((i, StmtKind::Shared { name, chain }))
}

/// `rewrite call = call`
pub(super) fn rewrite(i: TokenStream<'_>) -> Read<'_, StmtKind> {
    let (i, (_, (from, _, to))) = (word("rewrite"), cut((expr, sign("="), expr))).parse(i)?;
    Ok((i, StmtKind::Rewrite { from, to }))
}

/// `use "blocks.nn"`
pub(super) fn use_file(i: TokenStream<'_>) -> Read<'_, StmtKind> {
    let (i, (path, path_span)) = preceded(word("use"), cut(text)).parse(i)?;
    Ok((i, StmtKind::Use { path, path_span }))
}

/// `weight w[n, units] = glorot`
pub(super) fn declare(i: TokenStream<'_>) -> Read<'_, StmtKind> {
    let (i, kind) =
        alt((map(word("weight"), |_| DeclareKind::Weight), map(word("state"), |_| DeclareKind::State)))
            .parse(i)?;
    let (i, (name, dims, _, init)) = cut((new_name, dims, sign("="), expr)).parse(i)?;
    Ok((i, StmtKind::Declare { kind, name, dims, init }))
}

/// `with better=lower task=numbers`, or nothing
fn attributes(i: TokenStream<'_>) -> Read<'_, Vec<Attribute>> {
    let found = opt(preceded(word("with"), cut(many1(attribute)))).parse(i)?;
    Ok((found.0, found.1.unwrap_or_default()))
}

fn attribute(i: TokenStream<'_>) -> Read<'_, Attribute> {
    // A body that begins with `=` ends the list.
    let Ok((rest, name)) = name(i) else { return i.miss(ATTRIBUTE) };
    let Ok((rest, _)) = sign("=")(rest) else { return rest.fail(ATTRIBUTE) };
    match self::name(rest) {
        Ok((rest, value)) => Ok((rest, Attribute { name, value })),
        Err(_) => rest.fail(ATTRIBUTE),
    }
}

fn body(i: TokenStream<'_>) -> Read<'_, Body> {
    match i.peek().map(|t| &t.kind) {
        Some(TokenKind::Sign("=")) => map(preceded(sign("="), cut(chain)), Body::Chain).parse(i),
        Some(TokenKind::Block(_)) => map(super::block, Body::Block).parse(i),
        _ => i.fail(BODY),
    }
}

/// `(units: int, rate = 0.5)`; the bracket stands close behind the name.
fn params(i: TokenStream<'_>) -> Read<'_, Vec<Param>> {
    let (i, _) = sign("(")(i)?;
    let (i, params) = if i.at_sign(")") { (i, Vec::new()) } else { cut(comma_list(one_param)).parse(i)? };
    let (i, _) = close(i, ")", PARAMS_END)?;
    Ok((i, params))
}

/// `name[dims] in classes : kind = default in [options]`
fn one_param(i: TokenStream<'_>) -> Read<'_, Param> {
    let start = i.here();
    let (i, Operand { name, dims, classes, .. }) = operand(i)?;
    let (i, kind) = opt(preceded(sign(":"), cut(name_of_kind))).parse(i)?;
    let (i, default) = opt(preceded(sign("="), cut(expr))).parse(i)?;
    let (i, options) = opt(preceded(word("in"), cut(items))).parse(i)?;
    Ok((i, Param { name, dims, classes, kind, default, options, span: i.since(start) }))
}

fn name_of_kind(i: TokenStream<'_>) -> Read<'_, Name> {
    name(i)
        .or_else(|_| i.fail(Expected { plain: "a kind is a word such as `int`, `size` or `number`", ..NAME }))
}

/// `x[...space, c] in k`
fn operand(i: TokenStream<'_>) -> Read<'_, Operand> {
    let start = i.here();
    let (i, (name, dims)) = pair(new_name, opt(dims)).parse(i)?;
    // `in [` begins a list of options, which is not ours.
    let has_classes = i.at_word("in") && !i.second().is_some_and(|t| t.is_sign("["));
    let (i, classes) =
        if has_classes { map(preceded(word("in"), cut(new_name)), Some).parse(i)? } else { (i, None) };
    Ok((i, Operand { name, dims, classes, span: i.since(start) }))
}

fn dims(i: TokenStream<'_>) -> Read<'_, Vec<Dim>> {
    if !i.at_sign("[") {
        return i.miss(DIMS);
    }
    let (i, _) = sign("[")(i)?;
    let (i, dims) = if i.at_sign("]") { (i, Vec::new()) } else { cut(comma_list(dim)).parse(i)? };
    let (i, _) = close(i, "]", DIMS_END)?;
    Ok((i, dims))
}

fn dim(i: TokenStream<'_>) -> Read<'_, Dim> {
    let start = i.here();
    if !i.at_sign("...") {
        return map(expr, Dim::Size).parse(i);
    }
    let (i, _) = sign("...")(i)?;
    let (i, name) = opt(new_name).parse(i)?;
    Ok((i, Dim::Rest(name, i.since(start))))
}

/// A block is missing where one must stand.
pub(super) fn no_block(i: TokenStream<'_>) -> Read<'_, crate::ast::Block> {
    if i.at_sign(":") {
        return i.tell(super::errors::colon_for_block(i));
    }
    i.miss(BLOCK)
}
