//! `nnc data`: what a program sees of its data.

use crate::args::{DataArgs, SpecArgs};
use crate::failure::Result;
use crate::input::{self, Length};
use crate::output::Output;
use nnc_syntax::{Diagnostic, Severity};
use nnc_train::describe;
use serde_json::{Value, json};
use std::path::Path;

/// Shows the data.
pub fn run(args: &DataArgs, out: &mut Output) -> Result<u8> {
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
