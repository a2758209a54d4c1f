//! `nnc why`: where a loss that broke, or rose of a sudden, began.

use crate::args::MachineArgs;
use crate::commands::Run;
use crate::commands::explain_run::{cells, norm, step_json};
use crate::failure::Result;
use crate::format::{grouped, number, short};
use crate::output::Output;
use crate::pages::fill;
use crate::render::Renderer;
use crate::table::Table;
use crate::training::{INTERRUPTED, interrupt};
use clap::Args;
use nnc_train::{Moved, RunStep, Spike, StepRow, StepTrace, Story, Why, why};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Rows that are shown.
const ROWS: usize = 5;
/// Weights that are shown.
const WEIGHTS: usize = 4;

/// Find where the loss of a run became no number, or rose of a sudden
#[derive(Args, Debug)]
#[command(after_help = "\
The run is trained again, step by step; the run itself is not touched. Where a number
broke, the step is named, its rows by file and line, the line of the program, and the
way back to the first cause. Where the loss of a step stands out against the 50 before
it, the rows that made it are named, and the weights that had moved.

Examples:
  nnc why runs/net/3
  nnc why runs/net/3 --json

Exit codes: 0 nothing stands out, 1 something does, 2 the run or its data is not there.")]
pub struct WhyArgs {
    /// A run's folder, or a program (its newest run)
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// What it takes of the machine.
    #[command(flatten)]
    pub machine: MachineArgs,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

impl Run for WhyArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

fn run(args: &WhyArgs, out: &mut Output) -> Result<u8> {
    let flag = interrupt(out);
    let Some(found) = why(&args.run, args.machine.threads, args.machine.memory, &flag)? else {
        out.note("interrupted: nothing is known yet");
        return Ok(INTERRUPTED);
    };
    let code = u8::from(!matches!(found.story, Story::Calm { .. }));
    if args.json {
        out.json(&as_json(&found))?;
    } else {
        out.result(&text(&found))?;
    }
    Ok(code)
}

fn text(found: &Why) -> String {
    let run = found.run.display();
    let width = crate::output::width().min(80);
    match &found.story {
        Story::Calm { largest } => {
            let mut said = format!("{run}: nothing stands out in {} steps.", grouped(found.steps));
            if let Some((step, times)) = largest {
                let _ = write!(
                    said,
                    " The largest loss against the steps before it is that of step {}: {} times the usual one.",
                    grouped(*step),
                    short((times * 100.0).round() / 100.0)
                );
            }
            fill(&said, "", width)
        }
        Story::Broken { problem, trace, losses } => {
            let renderer = Renderer::plain();
            let mut out = String::new();
            for d in &problem.diagnostics {
                out.push_str(&renderer.render(d, &problem.sources));
                out.push('\n');
            }
            let losses: Vec<String> = losses.iter().map(|l| short(*l)).collect();
            let _ = writeln!(out, "mean loss of the last steps: {}", losses.join("  "));
            if let Some(trace) = trace {
                let broken = |r: &&StepRow| !r.loss.is_finite();
                let rows: Vec<&StepRow> = trace.rows.iter().filter(broken).collect();
                let (of, what) = match rows.is_empty() {
                    true => (largest(trace), "the rows with the largest losses"),
                    false => (rows, "rows whose loss is no number any more"),
                };
                let _ = writeln!(
                    out,
                    "\nstep {}, epoch {}: {} of {} rows, {what}\n",
                    grouped(trace.step),
                    grouped(trace.epoch),
                    grouped(of.len().min(ROWS) as u64),
                    grouped(trace.rows.len() as u64)
                );
                out.push_str(&rows_table(&of, trace, found));
            }
            out
        }
        Story::Spike(spike) => spike_text(spike, found, width),
    }
}

fn spike_text(spike: &Spike, found: &Why, width: usize) -> String {
    let trace = &spike.trace;
    let times = trace.loss / spike.usual;
    let mut out = fill(
        &format!(
            "{}: in step {} of {} (epoch {}) the loss is {}, and {} in the median of the steps before: {} times as much.",
            found.run.display(),
            grouped(trace.step),
            grouped(found.steps),
            grouped(trace.epoch),
            short(trace.loss),
            short(spike.usual),
            short((times * 10.0).round() / 10.0)
        ),
        "",
        width,
    );
    let rows = largest(trace);
    let all: f64 = trace.rows.iter().map(|r| r.loss).sum();
    let share = rows.first().map_or(0.0, |r| r.loss / all);
    let few = trace.rows.len() > 1 && share > 0.5;
    let said = match (few, spike.moved.first()) {
        (true, _) => format!("One row makes {:.0}% of it: look at its cells.", share * 100.0),
        (false, Some(moved)) => format!(
            "No row stands out; the step before moved `{}` ({}) {} times as far as the steps before it: the steps are too large. A smaller lr, or clip 1.0, keeps them short.",
            moved.name,
            moved.place,
            short((moved.now / moved.usual).round())
        ),
        (false, None) => {
            "No row stands out and no weight had moved far: the batch as a whole is unlike those before it."
                .to_string()
        }
    };
    let _ = write!(out, "\n{}\n{}", fill(&said, "", width), rows_table(&rows, trace, found));
    for (list, title) in [
        (&spike.gradients, "gradients that stand out in this step"),
        (&spike.moved, "weights that the step before moved by more than usual"),
    ] {
        if !list.is_empty() {
            let _ = write!(out, "\n{title}\n\n{}", moved_table(list));
        }
    }
    let _ =
        writeln!(out, "\nnnc explain {} --step {}   shows all of the step", found.run.display(), trace.step);
    out
}

/// The rows with the largest losses.
fn largest(trace: &StepTrace) -> Vec<&StepRow> {
    let mut rows: Vec<&StepRow> = trace.rows.iter().collect();
    rows.sort_by(|a, b| b.loss.total_cmp(&a.loss));
    rows
}

fn rows_table(rows: &[&StepRow], trace: &StepTrace, found: &Why) -> String {
    let all: f64 = trace.rows.iter().map(|r| r.loss).sum();
    let mut table =
        Table::default().numbers("row").words("where").numbers("loss").numbers("share").words("cells");
    for row in rows.iter().take(ROWS) {
        let seen = row.row.and_then(|r| found.seen.get(&r)).cloned().unwrap_or_default();
        let share = row.loss / all;
        let share = if share.is_finite() { format!("{:.1}%", share * 100.0) } else { String::new() };
        let number = row.row.map_or("?".into(), |r| grouped(r as u64 + 1));
        table.row(vec![number, seen.place.clone(), short(row.loss), share, cells(&seen)]);
    }
    table.text()
}

fn moved_table(list: &[Moved]) -> String {
    let mut table =
        Table::default().words("weight").words("where").numbers("size").numbers("usual").numbers("times");
    for m in list.iter().take(WEIGHTS) {
        let times = short((m.now / m.usual * 10.0).round() / 10.0);
        table.row(vec![m.name.clone(), m.place.clone(), short(m.now), short(m.usual), times]);
    }
    table.text()
}

fn as_json(found: &Why) -> Value {
    let step = |trace: &StepTrace| {
        step_json(&RunStep {
            run: found.run.clone(),
            trace: trace.clone(),
            columns: found.columns.clone(),
            seen: found.seen.clone(),
        })
    };
    let moved = |list: &[Moved]| -> Value {
        list.iter()
            .map(
                |m| json!({"name": m.name, "line": m.place, "size": number(m.now), "usual": number(m.usual)}),
            )
            .collect()
    };
    let story = match &found.story {
        Story::Calm { largest } => json!({
            "story": "calm",
            "largest": largest.map(|(step, times)| json!({"step": step, "times": number(times)})),
        }),
        Story::Broken { problem, trace, losses } => json!({
            "story": "broken",
            "message": problem.diagnostics.first().map(|d| d.message.clone()),
            "causes": problem.diagnostics.first().map(|d| d.notes.clone()),
            "help": problem.diagnostics.first().and_then(|d| d.help.clone()),
            "losses": losses.iter().map(|l| number(*l)).collect::<Vec<_>>(),
            "step": trace.as_deref().map(step),
        }),
        Story::Spike(spike) => json!({
            "story": "spike",
            "usual": number(spike.usual),
            "step": step(&spike.trace),
            "gradients": moved(&spike.gradients),
            "moved": moved(&spike.moved),
            "gradient_norm": number(norm(
                &spike.trace.weights.iter().flat_map(|w| w.gradient.iter().copied()).collect::<Vec<_>>()
            )),
        }),
    };
    let mut out = json!({"run": found.run.display().to_string(), "steps": found.steps});
    if let (Some(out), Value::Object(story)) = (out.as_object_mut(), story) {
        out.extend(story);
    }
    out
}
