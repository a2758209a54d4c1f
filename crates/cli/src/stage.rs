//! Stages that are no graphs of primitives, as text, pictures and data.

use crate::format::{bytes, grouped, shape};
use crate::input::Compiled;
use nnc_backend::Executable;
use nnc_model::Spec;
use nnc_syntax::Span;
use serde_json::{Value, json};
use std::fmt::Write as _;

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
