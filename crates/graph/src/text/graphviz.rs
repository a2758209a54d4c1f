//! A graph as a Graphviz picture: nodes in boxes by the user's layer.

use crate::{Bits, Graph, Movement, NodeId, Prim, Role};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Graphviz source. Constants and what only repeats them are left out where they would clutter.
pub fn print(graph: &Graph) -> String {
    let mut out = format!("digraph {:?} {{\n", &*graph.name);
    out.push_str("  rankdir=TB; node [shape=box, fontname=\"Helvetica\", fontsize=10];\n");
    nodes(&mut out, graph, "");
    // The body of a loop is a picture of its own, from what it is given to what it hands on.
    for (i, region) in crate::text::regions(graph).iter().enumerate() {
        let name = region.name();
        let _ = writeln!(
            out,
            "  subgraph cluster_r{i} {{ label=\"body {name}\"; style=dashed; fontname=\"Helvetica\";"
        );
        nodes(&mut out, region.graph(), &format!("r{i}"));
        out.push_str("  }\n");
    }
    out.push_str("}\n");
    out
}

/// The nodes of a graph, their names after `prefix`.
fn nodes(out: &mut String, graph: &Graph, prefix: &str) {
    let mut groups: BTreeMap<String, Vec<NodeId>> = BTreeMap::new();
    let shown: Vec<bool> = graph.ids().map(|id| !is_constant(graph, id)).collect();
    for id in graph.ids().filter(|id| shown[id.index()]) {
        groups.entry(group(graph, id)).or_default().push(id);
    }
    for (i, (name, ids)) in groups.iter().enumerate() {
        if !name.is_empty() {
            let _ = writeln!(
                out,
                "  subgraph cluster_{prefix}{i} {{ label={name:?}; color=gray; fontname=\"Helvetica\";"
            );
        }
        for &id in ids {
            let _ = writeln!(
                out,
                "    {prefix}n{} [label={:?}{}];",
                id.index(),
                label(graph, id),
                style(graph, id)
            );
        }
        if !name.is_empty() {
            out.push_str("  }\n");
        }
    }
    for id in graph.ids().filter(|id| shown[id.index()]) {
        for operand in graph.operands(id).into_iter().filter(|o| shown[o.index()]) {
            let _ = writeln!(out, "  {prefix}n{} -> {prefix}n{};", operand.index(), id.index());
        }
    }
    for (i, output) in graph.outputs().iter().enumerate().filter(|(_, o)| shown[o.node.index()]) {
        let text = format!("{} {}", output.kind.name(), output.name);
        let _ = writeln!(
            out,
            "  {prefix}o{i} [label={text:?}, shape=ellipse]; {prefix}n{} -> {prefix}o{i};",
            output.node.index()
        );
    }
}

fn group(graph: &Graph, id: NodeId) -> String {
    let scope = &graph.node(id).origin.scope;
    scope.split([' ', '>']).next().unwrap_or("").to_string()
}

fn is_constant(graph: &Graph, id: NodeId) -> bool {
    constant(graph, id).is_some()
}

/// The primitive with its constant operands, and the type.
fn label(graph: &Graph, id: NodeId) -> String {
    let node = graph.node(id);
    let name = match (&node.prim, node.prim.parameter()) {
        (Prim::Scan(scan), _) => format!("scan {} x {}", scan.of.body.name(), scan.of.length),
        (_, Some((_, name))) => name.to_string(),
        (prim, None) => prim.name().to_string(),
    };
    let constants: Vec<String> = graph.operands(id).into_iter().filter_map(|o| constant(graph, o)).collect();
    let constants = if constants.is_empty() { String::new() } else { format!(" {}", constants.join(" ")) };
    format!("{name}{constants}\n{}", node.ty)
}

fn constant(graph: &Graph, id: NodeId) -> Option<String> {
    let prim = &graph.node(id).prim;
    if let Prim::Movement(Movement::BroadcastInDim { axes }) = prim
        && axes.is_empty()
    {
        return constant(graph, graph.operands(id)[0]);
    }
    prim.constant().map(|value| Bits::from(value).to_string())
}

fn style(graph: &Graph, id: NodeId) -> &'static str {
    match graph.node(id).prim.parameter().map(|(role, _)| role) {
        Some(Role::Weight) => ", style=filled, fillcolor=\"#fde9c9\"",
        Some(Role::State | Role::Slot) => ", style=filled, fillcolor=\"#eeeeee\"",
        Some(
            Role::Input
            | Role::Target
            | Role::SampleWeight
            | Role::Step
            | Role::Carry
            | Role::Slice
            | Role::Invariant,
        ) => ", style=filled, fillcolor=\"#d5e8f7\"",
        None => "",
    }
}
