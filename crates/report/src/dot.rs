//! A drawing as source for Graphviz.

use crate::drawing::{Band, Drawing, Item, Kind};
use std::fmt::Write as _;

/// Graphviz source; boxes that hold something are clusters, edges of a cluster end at its frame.
pub fn print(drawing: &Drawing) -> String {
    let mut out = format!("digraph {:?} {{\n", drawing.title);
    out.push_str("  rankdir=TB; compound=true;\n");
    out.push_str("  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=\"Helvetica\", fontsize=10];\n");
    out.push_str("  edge [fontname=\"Helvetica\", fontsize=8];\n");
    inside(&mut out, drawing, "n", 1);
    out.push_str("}\n");
    out
}

fn inside(out: &mut String, drawing: &Drawing, prefix: &str, depth: usize) {
    let pad = "  ".repeat(depth);
    for (i, item) in drawing.items.iter().enumerate() {
        let name = format!("{prefix}{i}");
        match &item.inside {
            Some(within) => {
                let label = item.lines().join("\n");
                let _ = writeln!(
                    out,
                    "{pad}subgraph cluster_{name} {{ label={label:?}; fontname=\"Helvetica\"; color=gray;"
                );
                inside(out, within, &format!("{name}_"), depth + 1);
                let _ = writeln!(out, "{pad}}}");
            }
            None => {
                let mut lines = item.lines();
                if !item.shape.is_empty() && item.kind == Kind::Data {
                    lines.push(item.shape.clone());
                }
                let _ = writeln!(out, "{pad}{name} [label={:?}{}];", lines.join("\n"), style(item));
            }
        }
    }
    for e in &drawing.edges {
        let (from, tail) = end(drawing, e.from, prefix, false);
        let (to, head) = end(drawing, e.to, prefix, true);
        let ends = format!(
            "{}{}",
            tail.map_or(String::new(), |t| format!(", ltail={t}")),
            head.map_or(String::new(), |h| format!(", lhead={h}"))
        );
        let _ = writeln!(out, "{pad}{from} -> {to} [label={:?}{ends}];", e.shape);
    }
}

/// The node that an edge ends at, and the frame it is cut off at: Graphviz joins nodes only.
fn end(drawing: &Drawing, at: usize, prefix: &str, entering: bool) -> (String, Option<String>) {
    let name = format!("{prefix}{at}");
    let Some(within) = &drawing.items[at].inside else { return (name, None) };
    let inner = if entering { 0 } else { within.items.len().saturating_sub(1) };
    let (node, _) = end(within, inner, &format!("{name}_"), entering);
    (node, Some(format!("cluster_{name}")))
}

fn style(item: &Item) -> String {
    let fill = match (item.kind, item.band) {
        (Kind::Data, _) => "#d5e8f7",
        (Kind::From | Kind::To, _) => return ", shape=plaintext, style=\"\"".into(),
        (Kind::Layer | Kind::Operation, Band::Forward) if item.weights() > 0 => "#fde9c9",
        (Kind::Layer | Kind::Operation, Band::Forward) => return String::new(),
        (Kind::Layer | Kind::Operation, Band::Backward) => "#f7dfe4",
        (Kind::Layer | Kind::Operation, Band::Update) => "#e3f2e1",
    };
    format!(", fillcolor={fill:?}")
}
