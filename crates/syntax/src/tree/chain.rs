//! Chains and their links, written and read.

use super::expr::{read_arg, read_expr, write_arg, write_expr};
use super::statement::{read_block, write_block};
use super::{Children, Node, name};
use crate::Span;
use crate::ast::{Chain, Link, Scan, Step};

/// The links, which become children of whatever holds the chain.
pub(super) fn write_chain(chain: &Chain) -> impl Iterator<Item = Node> {
    chain.links.iter().map(write_link)
}

/// All children that are left, as the links of a chain.
pub(super) fn read_links(children: &mut Children<'_>) -> Result<Chain, String> {
    let mut links = vec![read_link(children.next()?)?];
    for node in children.rest() {
        links.push(read_link(node)?);
    }
    Ok(Chain { links, span: Span::default() })
}

fn write_link(link: &Link) -> Node {
    match link {
        Link::Step(step) => {
            Node::new("step").word(&step.name.text).with(step.args.iter().map(write_arg)).at(step.span)
        }
        Link::Scan(scan) => {
            let carried = scan.carried.iter().map(|(name, first)| {
                Node::new("carry").word(&name.text).child(write_expr(first)).at(name.span)
            });
            Node::new("scan")
                .word(&scan.item.text)
                .child(write_expr(&scan.over))
                .with(carried)
                .child(write_block("block", &scan.body))
                .at(scan.span)
        }
        Link::Exprs(exprs) => match exprs.as_slice() {
            [one] => write_expr(one),
            many => Node::new("join").with(many.iter().map(write_expr)).at(link.span()),
        },
    }
}

fn read_link(node: &Node) -> Result<Link, String> {
    let mut children = Children::of(node);
    let span = Span::default();
    Ok(match node.kind.as_str() {
        "step" => {
            let args = children.rest().iter().map(read_arg).collect::<Result<_, _>>()?;
            Link::Step(Step { name: name(node, 0)?, args, span })
        }
        "scan" => {
            let over = read_expr(children.next()?)?;
            let carried = children.all("carry").iter().map(|carry| {
                let mut parts = Children::of(carry);
                Ok((name(carry, 0)?, read_expr(parts.next()?)?))
            });
            let carried = carried.collect::<Result<_, String>>()?;
            let body = read_block("block", &mut children)?;
            children.end()?;
            Link::Scan(Box::new(Scan { item: name(node, 0)?, over, carried, body, span }))
        }
        "join" => Link::Exprs(children.rest().iter().map(read_expr).collect::<Result<_, _>>()?),
        _ => Link::Exprs(vec![read_expr(node)?]),
    })
}
