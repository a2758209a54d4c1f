//! `nnc data`: what a program sees of its data.

use crate::args::SpecArgs;
use crate::commands::Run;
use crate::failure::Result;
use crate::input::{self, Length};
use crate::output::Output;
use clap::Args;
use nnc_syntax::{Diagnostic, Severity};

use nnc_model::Spec;
use nnc_train::{Description, Remedy, describe};
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
    /// Which program; a table, .npy, .npz or IDX file may stand in its place
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
    if let Some(path) = args.spec.spec.as_deref().filter(|_| is_table(&args.spec)) {
        return table(path, args, out);
    }
    let spec = input::spec(&args.spec, Length::default(), out)?;
    let found = describe(&spec, &input::options(&args.spec), args.rows)?;
    shown(&found, &spec, args, out)
}

fn shown(
    (description, notes): &(Description, Vec<Diagnostic>),
    spec: &Spec,
    args: &DataArgs,
    out: &mut Output,
) -> Result<u8> {
    if args.json {
        let mut object = json!(description);
        object["notes"] = notes.iter().map(note).collect();
        out.json(&object)?;
        return Ok(0);
    }
    let text = description.text(Output::style());
    out.result(&text)?;
    out.diagnostics(notes, &spec.sources);
    Ok(0)
}

/// Ways of reading a table that are tried.
const TRIES: usize = 4;

/// Shows a file of data without a program. One that cannot be read as it stands is shown as it could be, with the
/// line that says so.
fn table(path: &str, args: &DataArgs, out: &mut Output) -> Result<u8> {
    let whole =
        SpecArgs { text: Some(String::new()), data: Some(path.into()), spec: None, ..args.spec.clone() };
    let spec = input::spec(&whole, Length::default(), out)?;
    let first = match describe(&spec, &input::options(&whole), args.rows) {
        Ok(found) => return shown(&found, &spec, args, out),
        Err(problem) => problem,
    };
    let mut options: Vec<String> = Vec::new();
    let mut texts: Vec<String> = Vec::new();
    let mut remedies = nnc_train::remedies(&spec, &input::options(&whole));
    for _ in 0..TRIES {
        if remedies.is_empty() || path == "-" {
            break;
        }
        for remedy in remedies {
            match remedy {
                Remedy::Options(text) if !options.contains(&text) => options.push(text),
                Remedy::Text(name) if !texts.contains(&name) => texts.push(name),
                Remedy::Options(_) | Remedy::Text(_) => {}
            }
        }
        let mut line = written(path, &options, &texts, None);
        let mut tried = SpecArgs { text: Some(line.clone()), spec: None, ..args.spec.clone() };
        let mut spec = input::spec(&tried, Length::default(), out)?;
        if let Ok(mut found) = describe(&spec, &input::options(&tried), args.rows) {
            // With a line for a column the last one is no target by itself.
            if let Some(last) = found.0.columns.last().filter(|_| !texts.is_empty()) {
                line = written(path, &options, &texts, Some(&last.name));
                tried.text = Some(line.clone());
                spec = input::spec(&tried, Length::default(), out)?;
                found = describe(&spec, &input::options(&tried), args.rows)?;
            }
            out.diagnostics(&first.diagnostics, &first.sources);
            let names: Vec<String> = texts.iter().map(|n| format!("`{n}`")).collect();
            let question =
                if texts.is_empty() { String::new() } else { format!("; in question: {}", names.join(", ")) };
            if !args.json {
                out.result(&format!("read as: {line}{question}\n\n"))?;
            }
            shown(&found, &spec, args, out)?;
            return Ok(2);
        }
        remedies = nnc_train::remedies(&spec, &input::options(&tried));
    }
    Err(first.into())
}

/// A program that reads a table with options, and some of its columns as texts.
fn written(path: &str, options: &[String], texts: &[String], target: Option<&str>) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut line = format!("data {}", quoted(path));
    for option in options {
        line.push(' ');
        line.push_str(option);
    }
    if !texts.is_empty() {
        let inputs = texts.iter().filter(|t| Some(t.as_str()) != target);
        let names: Vec<String> = inputs.map(|n| quoted(n)).collect();
        let mut lines: Vec<String> = Vec::new();
        if !names.is_empty() {
            lines.push(format!("input {} one_hot", names.join(" ")));
        }
        lines.extend(target.map(|t| {
            let class = if texts.iter().any(|x| x == t) { " category" } else { "" };
            format!("target {}{class}", quoted(t))
        }));
        line.push_str(&format!(" {{ {}; input rest }}", lines.join("; ")));
    }
    line
}

/// Whether a file of data stands in the place of a program: by its ending, and else by whether it is a program.
fn is_table(args: &SpecArgs) -> bool {
    let Some(path) = args.spec.as_deref().filter(|_| args.data.is_none() && args.text.is_none()) else {
        return false;
    };
    let file = Path::new(path);
    let ending = file.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    if path == "-" || ending == "nn" || !file.is_file() {
        return false;
    }
    input::is_data(path) || !input::is_program(path)
}

fn note(d: &Diagnostic) -> Value {
    let severity = match d.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    json!({ "code": d.code, "severity": severity, "message": d.message, "help": d.help })
}
