//! Expressions and arguments, written and read.

use super::chain::{read_links, write_chain};
use super::{Children, Node, name, named, number, text, word, wrong};
use crate::Span;
use crate::ast::{Arg, BinaryOp, Expr, ExprKind, UnaryOp};

pub(super) fn write_expr(expr: &Expr) -> Node {
    // Long sums are deep trees: their way down is kept short.
    let node = match &expr.kind {
        ExprKind::Binary { op, left, right, .. } => {
            Node::new(op.sign()).child(write_expr(left)).child(write_expr(right))
        }
        kind => write_other(kind),
    };
    node.at(expr.span)
}

/// Whatever has no operator between two operands.
fn write_other(kind: &ExprKind) -> Node {
    match kind {
        ExprKind::Int(value) => Node::new("int").word(value.to_string()),
        ExprKind::Float(value) => Node::new("float").word(format!("{value:?}")),
        ExprKind::Percent(value) => Node::new("percent").word(format!("{value:?}")),
        ExprKind::Size(sides) => {
            Node::new("size").word(sides.iter().map(u64::to_string).collect::<Vec<_>>().join("x"))
        }
        ExprKind::Text(value) => Node::new("text").text(value),
        ExprKind::Bool(yes) => Node::new(if *yes { "yes" } else { "no" }),
        ExprKind::It => Node::new("it"),
        ExprKind::Training => Node::new("training"),
        ExprKind::Name(name) => Node::new("name").word(name),
        ExprKind::List(items) => Node::new("list").with(items.iter().map(write_expr)),
        ExprKind::Range(first, last) => Node::new("range").with([first, last].map(|end| write_expr(end))),
        ExprKind::Group(chain) => Node::new("group").with(write_chain(chain)),
        ExprKind::If { cond, then, otherwise } => {
            Node::new("if").with([cond, then, otherwise].map(|part| write_expr(part)))
        }
        ExprKind::Unary { op: UnaryOp::Neg, of } => Node::new("negative").child(write_expr(of)),
        ExprKind::Unary { op: UnaryOp::Not, of } => Node::new("not").child(write_expr(of)),
        ExprKind::Call { callee, args } => {
            Node::new("call").child(write_expr(callee)).with(args.iter().map(write_arg))
        }
        ExprKind::Index { base, index } => {
            Node::new("index").with([base, index].map(|part| write_expr(part)))
        }
        ExprKind::Member { base, name } => Node::new("member").word(&name.text).child(write_expr(base)),
        // Written by the caller.
        ExprKind::Binary { op, .. } => Node::new(op.sign()),
    }
}

pub(super) fn read_expr(node: &Node) -> Result<Expr, String> {
    match operator(&node.kind) {
        Some(op) => read_binary(node, op),
        None => read_other(node),
    }
}

fn read_binary(node: &Node, op: BinaryOp) -> Result<Expr, String> {
    let mut children = Children::of(node);
    let (left, right) = (boxed(&mut children)?, boxed(&mut children)?);
    children.end()?;
    let span = Span::default();
    Ok(Expr { kind: ExprKind::Binary { op, op_span: span, left, right }, span })
}

fn read_other(node: &Node) -> Result<Expr, String> {
    let mut children = Children::of(node);
    let kind = match node.kind.as_str() {
        "int" => ExprKind::Int(number(node, word(node, 0)?)?),
        "float" => ExprKind::Float(number(node, word(node, 0)?)?),
        "percent" => ExprKind::Percent(number(node, word(node, 0)?)?),
        "size" => {
            let sides = word(node, 0)?.split('x').map(|side| number(node, side));
            ExprKind::Size(sides.collect::<Result<_, _>>()?)
        }
        "text" => ExprKind::Text(text(node, 0)?),
        "yes" => ExprKind::Bool(true),
        "no" => ExprKind::Bool(false),
        "it" => ExprKind::It,
        "training" => ExprKind::Training,
        "name" => ExprKind::Name(word(node, 0)?.to_owned()),
        "list" => ExprKind::List(children.rest().iter().map(read_expr).collect::<Result<_, _>>()?),
        "range" => ExprKind::Range(boxed(&mut children)?, boxed(&mut children)?),
        "group" => ExprKind::Group(Box::new(read_links(&mut children)?)),
        "if" => {
            let (cond, then, otherwise) =
                (boxed(&mut children)?, boxed(&mut children)?, boxed(&mut children)?);
            ExprKind::If { cond, then, otherwise }
        }
        "negative" => ExprKind::Unary { op: UnaryOp::Neg, of: boxed(&mut children)? },
        "not" => ExprKind::Unary { op: UnaryOp::Not, of: boxed(&mut children)? },
        "call" => {
            let callee = boxed(&mut children)?;
            ExprKind::Call { callee, args: children.rest().iter().map(read_arg).collect::<Result<_, _>>()? }
        }
        "index" => ExprKind::Index { base: boxed(&mut children)?, index: boxed(&mut children)? },
        "member" => ExprKind::Member { base: boxed(&mut children)?, name: name(node, 0)? },
        _ => return Err(wrong(node, "no expression is of this kind")),
    };
    children.end()?;
    Ok(Expr { kind, span: Span::default() })
}

fn boxed(children: &mut Children<'_>) -> Result<Box<Expr>, String> {
    read_expr(children.next()?).map(Box::new)
}

fn operator(sign: &str) -> Option<BinaryOp> {
    use BinaryOp::{Add, And, Div, Eq, Ge, Gt, Le, Lt, MatMul, Mul, Ne, Or, Pow, Sub};
    [Add, Sub, Mul, Div, MatMul, Pow, Eq, Ne, Lt, Le, Gt, Ge, And, Or]
        .into_iter()
        .find(|op| op.sign() == sign)
}

pub(super) fn write_arg(arg: &Arg) -> Node {
    match &arg.key {
        Some(key) => Node::new("arg").word(&key.text).child(write_expr(&arg.value)).at(arg.span),
        None => write_expr(&arg.value),
    }
}

pub(super) fn read_arg(node: &Node) -> Result<Arg, String> {
    if node.kind != "arg" {
        return Ok(Arg { key: None, value: read_expr(node)?, span: Span::default() });
    }
    let mut children = Children::of(node);
    let value = read_expr(children.next()?)?;
    children.end()?;
    Ok(Arg { key: Some(named(word(node, 0)?)), value, span: Span::default() })
}
