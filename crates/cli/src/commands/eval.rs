//! `nnc eval`: loss and metrics of a trained network.

use crate::args::{EvalArgs, Part, TargetArgs};
use crate::failure::Result;
use crate::figures::{count, grid, line, metrics, tables};
use crate::output::Output;
use nnc_train::{On, UseOptions, evaluate, open_model};
use serde_json::json;

/// Evaluates and tells.
pub fn run(args: &EvalArgs, out: &mut Output) -> Result<u8> {
    let trained = open_model(&args.target.target)?;
    let on = args.on.map(|part| match part {
        Part::Train => On::Train,
        Part::Valid => On::Valid,
        Part::Test => On::Test,
        Part::All => On::All,
    });
    let evaluation = evaluate(&trained, on, &options(&args.target))?;
    if args.target.json {
        out.json(&json!({
            "loss": evaluation.figures.loss,
            "metrics": metrics(&evaluation.figures),
            "tables": tables(&evaluation.figures),
            "on": evaluation.on,
            "rows": evaluation.rows,
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
pub fn options(args: &TargetArgs) -> UseOptions {
    UseOptions { data: args.data.clone(), threads: args.threads, memory_limit: args.memory }
}
