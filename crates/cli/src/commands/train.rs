//! `nnc train`: from text to a trained network.

use crate::args::{Precision, SpecArgs, positive};
use crate::commands::Run;
use crate::commands::folds;
use crate::failure::{Failure, Result};
use crate::format::{self, cell, count, duration, grouped, short};
use crate::input::{self, Length};
use crate::output::Output;
use crate::progress::Reporter;
use crate::table::Table;
use clap::{Args, ValueEnum};
use nnc_model::Model;
use nnc_train::{Loaded, Predictions, Report, StopReason, TrainOptions, train};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Train a network and keep it in a folder
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc train xor.nn
  nnc train xor.nn --epochs 2000 --seed 7 --out runs/seven
  nnc train -e 'dense 16 relu; dense 1 sigmoid; loss mse' --data xor.csv
  nnc train xor-experiments.nn --as deep --set hidden=64
  nnc train iris.nn --folds 5              five trainings, mean and deviation
  nnc train xor.nn --json -q | jq .loss")]
pub struct TrainArgs {
    /// Which program.
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Passes over the data
    #[arg(long, value_name = "N", value_parser = positive)]
    pub epochs: Option<u64>,
    /// Steps of one batch
    #[arg(long, value_name = "N", value_parser = positive)]
    pub steps: Option<u64>,
    /// Threads; 0 takes as many as the machine has
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// How exact numbers are
    #[arg(long, value_name = "TYPE", value_enum, default_value_t)]
    pub precision: Precision,
    /// What computes
    #[arg(long, value_name = "NAME", value_enum, default_value_t)]
    pub engine: Engine,
    /// Start from the weights of this file
    #[arg(long, value_name = "F.safetensors")]
    pub init: Option<PathBuf>,
    /// Take the rows in their order, in every epoch
    #[arg(long)]
    pub no_shuffle: bool,
    /// Train N times, each time validating with another N-th of the rows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=1000))]
    pub folds: Option<u16>,
    /// The folder of the run, instead of the next one in runs/
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print one JSON object at the end
    #[arg(long)]
    pub json: bool,
    /// Print the result only, in one line
    #[arg(short, long)]
    pub quiet: bool,
}

/// What computes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Engine {
    /// All threads of the processor
    #[default]
    Cpu,
    /// The meaning of every operation, slowly and in double precision, to compare with
    Reference,
}

impl Engine {
    fn chosen(self) -> nnc_train::Engine {
        match self {
            Engine::Cpu => nnc_train::Engine::Cpu,
            Engine::Reference => nnc_train::Engine::Reference,
        }
    }
}

/// The exit code of a run that Ctrl-C ended.
pub(super) const INTERRUPTED: u8 = 130;
/// What follows from mistakes before the first step.
pub(super) const NOTHING: &str = "nothing was trained";
/// More columns of inputs than this are not shown.
const COLUMNS: usize = 6;

impl Run for TrainArgs {
    fn quiet(&self) -> bool {
        self.quiet
    }

    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Trains and tells what came of it.
fn run(args: &TrainArgs, out: &mut Output) -> Result<u8> {
    if let Some(count) = args.folds {
        return folds::run(args, usize::from(count), out);
    }
    let prepared = prepare(args, None, out);
    let (loaded, model) = prepared.map_err(|f| f.with_tail(NOTHING))?;
    let options = options(args, args.out.clone(), interrupt(out));
    train_and_report(&loaded, &model, &options, ResultStyle { json: args.json, quiet: args.quiet }, out)
}

/// How the result is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResultStyle {
    /// As one JSON object.
    pub(super) json: bool,
    /// In one line.
    pub(super) quiet: bool,
}

/// Trains and tells what came of it; the exit code.
pub(super) fn train_and_report(
    loaded: &Loaded,
    model: &Model,
    options: &TrainOptions,
    style: ResultStyle,
    out: &mut Output,
) -> Result<u8> {
    let report = trained(loaded, model, options, out)?;
    let text = match (style.json, style.quiet) {
        (true, _) => format!("{}\n", object(&report)),
        (false, true) => one_line(&report),
        (false, false) => whole(&report),
    };
    out.result(&text)?;
    Ok(if report.interrupted() { INTERRUPTED } else { 0 })
}

/// The data, all of it or one fold, and the network for it.
pub(super) fn prepare(
    args: &TrainArgs,
    fold: Option<(usize, usize)>,
    out: &mut Output,
) -> Result<(Loaded, Model)> {
    let length = Length { epochs: args.epochs, steps: args.steps };
    let spec = input::spec(&args.spec, length, out)?;
    let loaded = input::fold(&args.spec, spec, fold, out)?;
    // The reference has one precision only.
    let precision = if args.engine == Engine::Reference { Precision::F64 } else { args.precision };
    let model = input::model(&loaded, precision, out)?;
    Ok((loaded, model))
}

pub(super) fn options(args: &TrainArgs, folder: Option<PathBuf>, interrupt: Arc<AtomicBool>) -> TrainOptions {
    TrainOptions {
        engine: args.engine.chosen(),
        threads: args.threads,
        init: args.init.clone(),
        shuffle: !args.no_shuffle,
        out: folder,
        memory_limit: args.spec.memory,
        interrupt,
        ..TrainOptions::default()
    }
}

pub(super) fn trained(
    loaded: &Loaded,
    model: &Model,
    options: &TrainOptions,
    out: &mut Output,
) -> Result<Report> {
    let mut reporter = Reporter::new(out, &loaded.spec.sources);
    let outcome = train(loaded, model, options, &mut reporter);
    let begun = reporter.finish();
    outcome.map_err(|p| Failure::from(p).with_tail(if begun { "" } else { NOTHING }))
}

/// A flag that Ctrl-C raises; the second Ctrl-C ends the process at once.
pub(super) fn interrupt(out: &mut Output) -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = flag.clone();
    let handled = ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(INTERRUPTED));
        }
    });
    if let Err(error) = handled {
        out.note(&format!("Ctrl-C will lose this run: {error}"));
    }
    flag
}

fn one_line(report: &Report) -> String {
    let mut line = format::line(&report.figures);
    if let Some(valid) = &report.valid {
        line.push_str(&format!("  val_loss {}", short(valid.loss)));
    }
    line.push_str(&format!("  epochs {}  seconds {}", report.epochs, short(report.seconds)));
    if let Some(run) = &report.run {
        line.push_str(&format!("  run {}", run.display()));
    }
    line.push('\n');
    line
}

fn whole(report: &Report) -> String {
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

pub(super) fn object(report: &Report) -> Value {
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
        StopReason::Interrupted => json!("interrupted"),
    }
}
