//! Stages that are no graphs of primitives, as text, pictures and data.

use crate::format::{bytes, grouped, shape};
use crate::input::Compiled;
use nnc_backend::Executable;
use nnc_graph::{Graph, Leaf, NodeId, Prim, Role};
use nnc_model::Spec;
use nnc_syntax::Span;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// How every picture begins.
const STYLE: &str = "  rankdir=TB; node [shape=box, fontname=\"Helvetica\", fontsize=10];\n";

/// A text of several lines in one.
pub fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `xor.nn:10:1`; empty where a span points nowhere.
pub fn place(spec: &Spec, span: Span) -> String {
    if span.is_empty() { String::new() } else { spec.sources.place(span) }
}

/// The steps of the network, as a program with shapes and weights in comments.
pub fn layers_text(compiled: &Compiled) -> String {
    let rows = &compiled.model.layers;
    let texts: Vec<String> = rows.iter().map(|row| flat(&row.text)).collect();
    let wide = texts.iter().map(|t| t.chars().count()).max().unwrap_or(0).min(60);
    let mut out = String::new();
    for (row, text) in rows.iter().zip(&texts) {
        let weights = if row.weights == 0 { String::new() } else { format!(" weights={}", row.weights) };
        let place = place(&compiled.spec, row.span);
        let shape = shape(&row.shape);
        let _ = writeln!(out, "{text:<wide$}  # {} shape={shape}{weights} at={place}", row.name);
    }
    out
}

/// The network with one box for a layer, an input or a loss: the forward graph, with what came from one
/// layer put together.
pub fn layers_dot(compiled: &Compiled) -> String {
    let graph = &compiled.model.forward;
    let rows: BTreeMap<&str, String> = compiled
        .model
        .layers
        .iter()
        .map(|row| (row.name.as_str(), format!("{}\n{}", flat(&row.text), shape(&row.shape))))
        .collect();
    let boxes = boxes(graph);
    let names: BTreeSet<&String> = boxes.iter().flatten().collect();
    let numbers: BTreeMap<&String, usize> = names.into_iter().enumerate().map(|(i, n)| (n, i)).collect();
    let mut out = format!("digraph layers {{\n{STYLE}");
    for (name, i) in &numbers {
        let label = rows.get(name.as_str()).unwrap_or(name);
        let _ = writeln!(out, "  n{i} [label={label:?}];");
    }
    let mut edges = BTreeSet::new();
    for id in graph.ids() {
        let Some(to) = &boxes[id.index()] else { continue };
        for operand in graph.operands(id) {
            if let Some(from) = boxes[operand.index()].as_ref().filter(|from| *from != to) {
                edges.insert((numbers[from], numbers[to]));
            }
        }
    }
    for (from, to) in edges {
        let _ = writeln!(out, "  n{from} -> n{to};");
    }
    out.push_str("}\n");
    out
}

/// The box every node stands in; constants and what belongs to no layer stand in none.
fn boxes(graph: &Graph) -> Vec<Option<String>> {
    graph.ids().map(|id| box_of(graph, id)).collect()
}

fn box_of(graph: &Graph, id: NodeId) -> Option<String> {
    let node = graph.node(id);
    if let Some((Role::Input | Role::Target | Role::SampleWeight, name)) = node.prim.parameter() {
        return Some(format!("{name}\n{}", node.ty));
    }
    if matches!(node.prim, Prim::Leaf(Leaf::Constant(_) | Leaf::BatchSize | Leaf::Iota { .. })) {
        return None;
    }
    node.origin.scope.split(" > ").next().filter(|s| !s.is_empty()).map(str::to_string)
}

/// An indented tree, one node a line, as a picture.
pub fn tree_dot(text: &str) -> String {
    let mut out = format!("digraph ast {{\n{STYLE}");
    let mut above: Vec<(usize, usize)> = Vec::new();
    for (i, line) in text.lines().filter(|l| !l.trim().is_empty()).enumerate() {
        let indent = line.len() - line.trim_start().len();
        let _ = writeln!(out, "  n{i} [label={:?}];", flat(line));
        while above.last().is_some_and(|(depth, _)| *depth >= indent) {
            above.pop();
        }
        if let Some((_, parent)) = above.last() {
            let _ = writeln!(out, "  n{parent} -> n{i};");
        }
        above.push((indent, i));
    }
    out.push_str("}\n");
    out
}

/// The instructions in their order, with an arrow where one reads what another wrote.
pub fn plan_dot(plan: &dyn Executable) -> String {
    let mut of = vec![None; plan.graph().len()];
    let mut out = format!("digraph plan {{\n{STYLE}");
    for (i, step) in plan.operations().iter().enumerate() {
        for node in &step.nodes {
            of[node.index()] = Some(i);
        }
        let label = format!("{i} {}\n{}\n{}", step.kind, step.detail, step.origin);
        let _ = writeln!(out, "  n{i} [label={label:?}];");
    }
    let mut edges = BTreeSet::new();
    for id in plan.graph().ids() {
        let Some(to) = of[id.index()] else { continue };
        for operand in plan.graph().operands(id) {
            if let Some(from) = of[operand.index()].filter(|from| *from != to) {
                edges.insert((from, to));
            }
        }
    }
    for (from, to) in edges {
        let _ = writeln!(out, "  n{from} -> n{to};");
    }
    out.push_str("}\n");
    out
}

/// The plan as data.
pub fn plan_data(plan: &dyn Executable, graph: Value) -> Value {
    let memory = plan.memory();
    let steps = plan.operations().iter().map(|step| {
        json!({
            "kind": step.kind,
            "detail": step.detail,
            "origin": step.origin.to_string(),
            "nodes": step.nodes.iter().map(|n| n.index()).collect::<Vec<_>>(),
            "flops": step.flops,
            "bytes": step.bytes,
        })
    });
    json!({
        "batch": plan.batch(),
        "flops": plan.flops(),
        "memory": {
            "arena": memory.arena_bytes,
            "input": memory.input_bytes,
            "store": memory.store_bytes,
            "scratch": memory.scratch_bytes,
            "total": memory.total(),
            "about": format!("{} for {} instructions", bytes(memory.total()), grouped(plan.operations().len() as u64)),
        },
        "steps": steps.collect::<Vec<Value>>(),
        "graph": graph,
    })
}
