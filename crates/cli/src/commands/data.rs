//! `nnc data`: what a program sees of its data.

use crate::args::SpecArgs;
use crate::commands::Run;
use crate::failure::Result;
use crate::input::{self, Length};
use crate::output::Output;
use clap::Args;
use nnc_syntax::{Diagnostic, Severity};
use nnc_train::describe;
use serde_json::{Value, json};
use std::path::Path;

/// What a program sees of its data: columns, roles, statistics, the first rows
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  nnc data iris.nn
  nnc data iris.csv                    a file without a program
  nnc data titanic.nn --rows 20 --json | jq .columns")]
pub struct DataArgs {
    /// Which program; a .csv, .npy, .npz or IDX file may stand in its place
    #[command(flatten)]
    pub spec: SpecArgs,
    /// How many of the first training rows to show
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub rows: usize,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

impl Run for DataArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Shows the data.
fn run(args: &DataArgs, out: &mut Output) -> Result<u8> {
    let args = &DataArgs { spec: bare(&args.spec), ..args.clone() };
    let spec = input::spec(&args.spec, Length::default(), out)?;
    let options = input::options(&args.spec);
    let (description, notes) = describe(&spec, &options, args.rows)?;
    if args.json {
        let mut object = json!(description);
        object["notes"] = notes.iter().map(note).collect();
        out.json(&object)?;
        return Ok(0);
    }
    let text = description.text(Output::style());
    out.result(&text)?;
    out.diagnostics(&notes, &spec.sources);
    Ok(0)
}

/// A file of data may stand in the place of a program.
fn bare(args: &SpecArgs) -> SpecArgs {
    let data = ["csv", "tsv", "npy", "npz", "idx", "gz"];
    let ending = args.spec.as_deref().and_then(|p| Path::new(p).extension()?.to_str());
    if args.data.is_none() && ending.is_some_and(|e| data.contains(&e)) {
        return SpecArgs { text: Some(String::new()), data: args.spec.clone(), spec: None, ..args.clone() };
    }
    args.clone()
}

fn note(d: &Diagnostic) -> Value {
    let severity = match d.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    json!({ "code": d.code, "severity": severity, "message": d.message, "help": d.help })
}
