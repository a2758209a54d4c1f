//! What came of a training: one line, a few with a table of rows, or JSON.

use crate::format::{self, cell, count, duration, grouped, short};
use crate::table::Table;
use nnc_model::Overrides;
use nnc_train::{Predictions, Report, StopReason};
use serde_json::{Map, Value, json};

/// More columns of inputs than this are not shown.
const COLUMNS: usize = 6;

/// The experiment and the parameters, the figures of all parts, the epochs and the folder.
pub fn one_line(report: &Report, overrides: &Overrides) -> String {
    let set = overrides.set.iter().map(|(name, value)| format!("{name}={value}"));
    let mut parts: Vec<String> = overrides.experiment.iter().cloned().chain(set).collect();
    parts.push(format::line(&report.figures));
    for (part, figures) in [("val_", &report.valid), ("test_", &report.test)] {
        let Some(figures) = figures else { continue };
        parts.push(format!("{part}loss {}", short(figures.loss)));
        parts.extend(figures.metrics.iter().map(|(name, x)| format!("{part}{name} {}", short(*x))));
    }
    parts.push(format!("epochs {}", report.epochs));
    parts.push(format!("seconds {}", short(report.seconds)));
    parts.extend(report.run.as_ref().map(|run| format!("run {}", run.display())));
    format!("{}\n", parts.join("  "))
}

/// The figures of every part, how long it took, and a few rows.
pub fn whole(report: &Report) -> String {
    let mut out = format!("{}\n", format::line(&report.figures));
    for (name, part) in [("validation", &report.valid), ("test", &report.test)] {
        if let Some(figures) = part {
            out.push_str(&format!("{name}: {}\n", format::line(figures)));
        }
    }
    out.push_str(&format!("{}\n", length(report)));
    if let Some(best) = &report.best {
        let (metric, value) = (&best.metric, short(best.value));
        out.push_str(&format!("kept: the weights of epoch {}, {metric} {value}\n", grouped(best.epoch)));
    }
    if let Some(run) = &report.run {
        out.push_str(&format!("run: {}\n", run.display()));
    }
    if !report.rows.rows.is_empty() {
        out.push_str(&format!("\n{}", rows(&report.rows)));
    }
    out
}

/// `500 epochs, 500 steps in 12 ms (41,000 steps/s)`
fn length(report: &Report) -> String {
    let (epochs, steps) = (count(report.epochs, "epoch"), count(report.steps, "step"));
    let mut line = format!("{epochs}, {steps} in {}", duration(report.seconds));
    let own = report.steps - report.resumed_at;
    if report.resumed_at > 0 {
        line = format!("{epochs}, {steps}, the last {} in {}", grouped(own), duration(report.seconds));
    }
    if report.seconds > 0.0 && own > 0 {
        line.push_str(&format!(" ({} steps/s)", grouped((own as f64 / report.seconds) as u64)));
    }
    match &report.stop {
        StopReason::Finished => {}
        StopReason::Stalled { metric, patience } => {
            line.push_str(&format!("; stopped: {metric} did not improve for {}", count(*patience, "epoch")));
        }
        StopReason::Holds(condition) => line.push_str(&format!("; stopped: {condition}")),
        StopReason::Converged(why) => line.push_str(&format!("; converged: {why}")),
        StopReason::Interrupted => line.push_str("; interrupted"),
    }
    line
}

/// A handful of rows: input, target, prediction.
fn rows(predictions: &Predictions) -> String {
    let shown = predictions.inputs.len().min(COLUMNS);
    let mut table = Table::default().numbers("row");
    for heading in &predictions.inputs[..shown] {
        table = table.numbers(heading.name.as_str());
    }
    if shown < predictions.inputs.len() {
        table = table.words("…");
    }
    for heading in &predictions.targets {
        table = table.numbers(heading.name.as_str());
    }
    for heading in &predictions.outputs {
        table = table.numbers(if heading.name == "output" { "prediction" } else { heading.name.as_str() });
    }
    for row in &predictions.rows {
        let mut cells = vec![grouped(row.row as u64 + 1)];
        let inputs = predictions.inputs.iter().zip(&row.inputs).take(shown);
        cells.extend(inputs.map(|(heading, reading)| cell(heading, reading)));
        if shown < predictions.inputs.len() {
            cells.push(String::new());
        }
        for (i, heading) in predictions.targets.iter().enumerate() {
            cells.push(row.targets.get(i).map_or(String::new(), |reading| cell(heading, reading)));
        }
        let outputs = predictions.outputs.iter().zip(&row.outputs);
        cells.extend(outputs.map(|(heading, reading)| cell(heading, reading)));
        table.row(cells);
    }
    table.text()
}

/// All of it for other programs.
pub fn object(report: &Report) -> Value {
    let mut out = Map::new();
    out.insert("loss".into(), json!(report.figures.loss));
    out.insert("metrics".into(), format::metrics(&report.figures));
    out.insert("val".into(), report.valid.as_ref().map_or(Value::Null, format::object));
    out.insert("test".into(), report.test.as_ref().map_or(Value::Null, format::object));
    out.insert("epochs".into(), json!(report.epochs));
    out.insert("steps".into(), json!(report.steps));
    out.insert("resumed_at".into(), json!(report.resumed_at));
    out.insert("seconds".into(), json!(report.seconds));
    out.insert("weights".into(), json!(report.weights));
    out.insert("run".into(), json!(report.run.as_ref().map(|run| run.display().to_string())));
    out.insert("stopped".into(), stopped(&report.stop));
    let best = report.best.as_ref();
    let best = best.map(|b| json!({ "metric": b.metric, "value": b.value, "epoch": b.epoch }));
    out.insert("best".into(), json!(best));
    out.insert("seed".into(), json!(report.seed));
    out.insert("threads".into(), json!(report.threads));
    Value::Object(out)
}

fn stopped(reason: &StopReason) -> Value {
    match reason {
        StopReason::Finished => Value::Null,
        StopReason::Stalled { metric, patience } => json!(format!("{metric} stalls for {patience}")),
        StopReason::Holds(condition) => json!(condition),
        StopReason::Converged(why) => json!(format!("converged: {why}")),
        StopReason::Interrupted => json!("interrupted"),
    }
}
