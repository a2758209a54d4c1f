//! `nnc explain RUN --row N` and `--step K`: numbers of a training, with their lines and formulas.

use crate::args::MachineArgs;
use crate::failure::Result;
use crate::format::{count, grouped, number, shape, short};
use crate::output::Output;
use crate::table::Table;
use crate::training::{INTERRUPTED, interrupt};
use nnc_model::Spec;
use nnc_model::explain;
use nnc_train::{
    Engine, InferOptions, RowExplained, RowSeen, RunStep, StepWeight, explain_row, open_model, step_of,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Rows of a step that are listed; those with the largest losses, where there are more.
const ROWS: usize = 32;
/// Numbers that are printed of a tensor.
const SHOWN: usize = 8;
/// A tensor of so many numbers is printed whole.
const FEW: usize = 16;
/// Of a weight with at most so many numbers JSON holds all.
const WHOLE: usize = 4096;
/// Columns that a list of cells may take.
const CELLS: usize = 36;

/// Explains what a network makes of a row, counted from 1, of its data or of a file.
pub(super) fn row(
    run: &str,
    row: u64,
    data: Option<String>,
    machine: MachineArgs,
    json: bool,
    out: &mut Output,
) -> Result<u8> {
    let trained = open_model(Path::new(run))?;
    let options = InferOptions { data, threads: machine.threads, memory_limit: machine.memory };
    let explained = explain_row(&trained, &options, row as usize - 1, Engine::Cpu)?;
    if json {
        out.json(&row_json(&explained))?;
    } else {
        out.result(&row_text(run, &explained, &trained.spec))?;
    }
    Ok(0)
}

/// Explains a step of a training, counted from 1.
pub(super) fn step(run: &str, step: u64, machine: MachineArgs, json: bool, out: &mut Output) -> Result<u8> {
    let flag = interrupt(out);
    let Some(found) = step_of(Path::new(run), step, machine.threads, machine.memory, &flag)? else {
        out.note("interrupted: the step was not reached");
        return Ok(INTERRUPTED);
    };
    if json {
        out.json(&step_json(&found))?;
    } else {
        out.result(&step_text(&found))?;
    }
    Ok(0)
}

/// The root of the sum of the squares: the size of a tensor as one number.
pub(super) fn norm(values: &[f64]) -> f64 {
    values.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// The number that moved most: where, from, to.
fn largest(weight: &StepWeight) -> Option<(usize, f64, f64)> {
    let pairs = weight.before.iter().zip(&weight.after).enumerate();
    let all = pairs.map(|(i, (a, b))| (i, *a, *b));
    all.reduce(|best, next| if (next.2 - next.1).abs() > (best.2 - best.1).abs() { next } else { best })
}

/// `[2,0]`: the place of a number in a tensor.
fn place(shape: &[usize], mut at: usize) -> String {
    let mut out = Vec::new();
    for size in shape.iter().rev() {
        out.push((at % size.max(&1)).to_string());
        at /= size.max(&1);
    }
    out.reverse();
    format!("[{}]", out.join(","))
}

/// Every weight with its gradient and what the step did to it.
fn weights_table(weights: &[StepWeight]) -> String {
    let mut table = Table::default()
        .words("weight")
        .words("shape")
        .numbers("gradient")
        .numbers("size")
        .numbers("change")
        .words("largest change");
    for w in weights {
        let change: Vec<f64> = w.before.iter().zip(&w.after).map(|(a, b)| b - a).collect();
        let gradient = match (w.learned, w.gradient.is_empty()) {
            (false, _) => "state".to_string(),
            (true, true) => "frozen".to_string(),
            (true, false) => short(norm(&w.gradient)),
        };
        let most = match largest(w).filter(|(_, a, b)| a.to_bits() != b.to_bits()) {
            Some((at, a, b)) if w.shape.is_empty() => format!("{at} {} to {}", short(a), short(b)),
            Some((at, a, b)) => format!("{} {} to {}", place(&w.shape, at), short(a), short(b)),
            None => "none".to_string(),
        };
        let (size, change) = (short(norm(&w.before)), short(norm(&change)));
        table.row(vec![w.name.clone(), shape(&w.shape), gradient, size, change, most]);
    }
    table.text()
}

/// Cells of a row, as many as fit.
pub(super) fn cells(seen: &RowSeen) -> String {
    let mut out = String::new();
    for (i, cell) in seen.cells.iter().enumerate() {
        let cell = crate::excerpt::printable(cell);
        if out.len() + cell.len() > CELLS && i > 0 {
            out.push_str(" …");
            break;
        }
        let _ = write!(out, "{}{cell}", if i > 0 { ", " } else { "" });
    }
    out
}

fn step_text(found: &RunStep) -> String {
    let trace = &found.trace;
    let mut out = format!(
        "{}: step {} of {}, epoch {}, {}; done again, to the same bits\n\n",
        found.run.display(),
        grouped(trace.step),
        grouped(trace.steps),
        grouped(trace.epoch),
        count(trace.rows.len() as u64, "row")
    );
    let mut rows: Vec<_> = trace.rows.iter().collect();
    if rows.len() > ROWS {
        rows.sort_by(|a, b| b.loss.total_cmp(&a.loss));
        rows.truncate(ROWS);
        let _ = writeln!(out, "the {ROWS} with the largest losses of {}", grouped(trace.rows.len() as u64));
    }
    let text = found.seen.values().any(|s| !s.cells.is_empty());
    let mut table = Table::default().numbers("row");
    if text {
        table = table.words("where");
    }
    table = table.numbers("loss");
    if text {
        table = table.words("cells");
    }
    for row in rows {
        let seen = row.row.and_then(|r| found.seen.get(&r)).cloned().unwrap_or_default();
        let mut line = vec![row.row.map_or("?".into(), |r| grouped(r as u64 + 1))];
        if text {
            line.push(seen.place.clone());
        }
        line.push(short(row.loss));
        if text {
            line.push(cells(&seen));
        }
        table.row(line);
    }
    let _ = write!(out, "{}\nmean loss before the step: {}\n\n", table.text(), short(trace.loss));
    out.push_str(&weights_table(&trace.weights));
    out.push_str(
        "\nGradient, size before the step, change: the root of the sum of the squares.\n\
         The gradient is that of the mean loss, before it is clipped.\n",
    );
    out
}

/// Numbers of a tensor: all of few, in lines, else the first ones, and in a second line range and mean.
fn numbers(values: &[f64]) -> String {
    if values.len() <= FEW {
        let lines =
            values.chunks(SHOWN).map(|line| line.iter().map(|x| short(*x)).collect::<Vec<_>>().join("  "));
        return lines.collect::<Vec<_>>().join("\n");
    }
    let first: Vec<String> = values.iter().take(SHOWN).map(|x| short(*x)).collect();
    let (low, high) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(*x), b.max(*x)));
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    format!("{}  …\nfrom {} to {}, mean {}", first.join("  "), short(low), short(high), short(mean))
}

/// What the library says of the function that a step begins with: its first sentence.
fn formula(spec: &Spec, text: &str) -> Option<String> {
    let words = text.rsplit("->").next()?.split('=').next_back()?.trim();
    let name: String = words.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let page = explain::name(spec, &name)?;
    let about: Vec<&str> = page.lines().skip(2).take_while(|l| !l.is_empty()).collect();
    let about = about.join(" ");
    let end = about.find(". ").map_or(about.len(), |at| at + 1);
    let sentence = about.get(..end)?.split(" (Keras").next()?.trim();
    (!sentence.is_empty() && !sentence.starts_with("Its definition")).then(|| sentence.to_string())
}

fn row_text(topic: &str, found: &RowExplained, spec: &Spec) -> String {
    let mut out = format!("{topic}: row {}", grouped(found.row as u64 + 1));
    if !found.seen.place.is_empty() {
        let _ = write!(out, " ({})", found.seen.place);
    }
    out.push('\n');
    for (name, cell) in found.columns.iter().zip(&found.seen.cells) {
        let _ = writeln!(out, "  {} = {}", crate::excerpt::printable(name), crate::excerpt::printable(cell));
    }
    let width = crate::output::width().min(80);
    for layer in &found.layers {
        let file = spec.sources.get(layer.span.source);
        let line = file.line_column(layer.span.start).0;
        let _ = write!(out, "\n{}:{line}  {}", file.name, layer.text);
        let _ = writeln!(out, "   ({}, {})", layer.name, shape(&layer.shape));
        if let Some(formula) = formula(spec, &layer.text) {
            out.push_str(&crate::pages::fill(&formula, "    ", width));
        }
        for (i, line) in numbers(&layer.values).lines().enumerate() {
            let _ = writeln!(out, "    {} {line}", if i == 0 { "=" } else { " " });
        }
    }
    if found.figures.is_empty() {
        out.push_str("\nThe data has no targets, so there is no loss and nothing to learn.\n");
        return out;
    }
    out.push('\n');
    for (name, value) in &found.figures {
        let _ = writeln!(out, "{name} {}", short(*value));
    }
    if found.weights.is_empty() {
        out.push_str("\nIts optimizer sees all rows at once: one row alone makes no step.\n");
        return out;
    }
    let memory = match found.remembered {
        true => "with what the optimizer remembers of the training",
        false => "with an optimizer that remembers nothing",
    };
    let about = format!("What one more training step with this row alone would do, {memory}:");
    let _ = write!(out, "\n{}\n{}", crate::pages::fill(&about, "", width), weights_table(&found.weights));
    out.push_str("\nGradient, size before the step, change: the root of the sum of the squares.\n");
    out
}

fn list(values: &[f64]) -> Value {
    Value::Array(values.iter().map(|x| number(*x)).collect())
}

fn weights_json(weights: &[StepWeight]) -> Value {
    let one = |w: &StepWeight| {
        let change: Vec<f64> = w.before.iter().zip(&w.after).map(|(a, b)| b - a).collect();
        let mut out = Map::new();
        out.insert("name".into(), json!(w.name));
        out.insert("shape".into(), json!(w.shape));
        out.insert("line".into(), json!(w.place));
        out.insert("learned".into(), json!(w.learned));
        let gradient = (!w.gradient.is_empty()).then(|| norm(&w.gradient));
        out.insert("gradient_norm".into(), gradient.map_or(Value::Null, number));
        out.insert("before_norm".into(), number(norm(&w.before)));
        out.insert("after_norm".into(), number(norm(&w.after)));
        out.insert("change_norm".into(), number(norm(&change)));
        if w.before.len() <= WHOLE {
            out.insert("gradient".into(), list(&w.gradient));
            out.insert("before".into(), list(&w.before));
            out.insert("after".into(), list(&w.after));
        }
        Value::Object(out)
    };
    Value::Array(weights.iter().map(one).collect())
}

pub(super) fn step_json(found: &RunStep) -> Value {
    let trace = &found.trace;
    let named = |seen: &RowSeen| -> BTreeMap<String, String> {
        found.columns.iter().cloned().zip(seen.cells.iter().cloned()).collect()
    };
    let rows: Vec<Value> = trace
        .rows
        .iter()
        .map(|row| {
            let seen = row.row.and_then(|r| found.seen.get(&r));
            json!({
                "row": row.row.map(|r| r + 1),
                "where": seen.map(|s| s.place.clone()),
                "cells": seen.map(named),
                "loss": number(row.loss),
            })
        })
        .collect();
    json!({
        "run": found.run.display().to_string(),
        "step": trace.step,
        "steps": trace.steps,
        "epoch": trace.epoch,
        "loss": number(trace.loss),
        "rows": rows,
        "weights": weights_json(&trace.weights),
    })
}

fn row_json(found: &RowExplained) -> Value {
    let cells: BTreeMap<&String, &String> = found.columns.iter().zip(&found.seen.cells).collect();
    let layers: Vec<Value> = found
        .layers
        .iter()
        .map(|l| json!({"name": l.name, "text": l.text, "shape": l.shape, "values": list(&l.values)}))
        .collect();
    let figures: Map<String, Value> =
        found.figures.iter().map(|(name, x)| (name.clone(), number(*x))).collect();
    json!({
        "row": found.row + 1,
        "where": found.seen.place,
        "cells": cells,
        "layers": layers,
        "figures": figures,
        "remembered": found.remembered,
        "weights": weights_json(&found.weights),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_from_zero() {
        assert_eq!(place(&[2, 3], 5), "[1,2]");
        assert_eq!(place(&[4], 2), "[2]");
    }

    #[test]
    fn long_tensors_are_summed_up() {
        assert_eq!(numbers(&[1.0, 2.5]), "1  2.5");
        let many: Vec<f64> = (0..20).map(f64::from).collect();
        assert_eq!(numbers(&many), "0  1  2  3  4  5  6  7  …\nfrom 0 to 19, mean 9.5");
    }
}
