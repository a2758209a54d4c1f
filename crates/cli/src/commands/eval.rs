//! `nnc eval`: loss and metrics of a trained network.

use crate::args::TargetArgs;
use crate::commands::Run;
use crate::failure::Result;
use crate::format::{count, grid, line, metrics, tables};
use crate::output::Output;
use clap::{Args, ValueEnum};
use nnc_train::{InferOptions, On, evaluate, open_model};
use serde_json::json;

/// Loss and metrics of a trained network
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc eval moons.nn                    the newest run, on the test rows if there are any
  nnc eval runs/moons/3 --on valid
  nnc eval runs/iris/1 --data more.csv --json")]
pub struct EvalArgs {
    /// Which network.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Which rows of the program's own data
    #[arg(long, value_name = "PART", value_enum, conflicts_with = "data")]
    pub on: Option<Part>,
}

/// A part of the data.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// What it was trained on
    Train,
    /// What was watched meanwhile
    Valid,
    /// What was kept for the end
    Test,
    /// All rows
    All,
}

impl Run for EvalArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Evaluates and tells.
fn run(args: &EvalArgs, out: &mut Output) -> Result<u8> {
    let trained = open_model(&args.target.target)?;
    let on = args.on.map(|part| match part {
        Part::Train => On::Train,
        Part::Valid => On::Valid,
        Part::Test => On::Test,
        Part::All => On::All,
    });
    let evaluation = evaluate(&trained, on, &options(&args.target))?;
    out.diagnostics(&evaluation.notes, &trained.spec.sources);
    if args.target.json {
        out.json(&json!({
            "loss": evaluation.figures.loss,
            "metrics": metrics(&evaluation.figures),
            "tables": tables(&evaluation.figures),
            "on": evaluation.on,
            "rows": evaluation.rows,
            "left_out": evaluation.left_out.0,
            "model": trained.path.display().to_string(),
        }))?;
        return Ok(0);
    }
    let rows = count(evaluation.rows as u64, "row");
    let figures = line(&evaluation.figures);
    out.note(&format!("{}: {rows} of {}", trained.path.display(), evaluation.on));
    out.result(&format!("{figures}\n"))?;
    for t in &evaluation.figures.tables {
        out.result(&grid(t))?;
    }
    Ok(0)
}

/// How a trained network is used.
pub fn options(args: &TargetArgs) -> InferOptions {
    InferOptions { data: args.data.clone(), threads: args.machine.threads, memory_limit: args.machine.memory }
}
