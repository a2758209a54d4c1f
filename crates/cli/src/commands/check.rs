//! `nnc check`: mistakes, warnings and notes, without training.

use crate::args::{Precision, SpecArgs};
use crate::commands::Run;
use crate::failure::Result;
use crate::format::{count, grouped, shape, short};
use crate::input::{self, Length};
use crate::output::Output;
use crate::table::Table;
use clap::Args;
use nnc_syntax::{Diagnostic, Severity};
use nnc_train::{GradientOptions, GradientReport, check_gradients};

/// Look for mistakes, without training
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc check xor.nn
  nnc check xor.nn --gradients         compare every gradient with differences of the loss")]
pub struct CheckArgs {
    /// Which program.
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Compare the gradients with central differences, in double precision
    #[arg(long)]
    pub gradients: bool,
}

/// A gradient further than this from the differences of the loss is wrong.
const TOLERANCE: f64 = 1e-4;
/// How many rows a gradient is checked with.
const ROWS: usize = 32;
/// How many numbers of one weight are checked.
const NUMBERS: usize = 10_000;

impl Run for CheckArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Checks and tells.
fn run(args: &CheckArgs, out: &mut Output) -> Result<u8> {
    let spec = input::spec(&args.spec, Length::default(), out)?;
    let loaded = input::data(&args.spec, spec, out)?;
    let model = input::model(&loaded, Precision::F32, out)?;
    let mut found: Vec<&Diagnostic> = Vec::new();
    for d in loaded.spec.diagnostics.iter().chain(&loaded.notes).chain(&model.diagnostics) {
        if !found.contains(&d) {
            found.push(d);
        }
    }
    let warnings = found.iter().filter(|d| d.severity == Severity::Warning).count();
    let notes = found.iter().filter(|d| d.severity == Severity::Note).count();
    let name = &loaded.spec.sources.get(loaded.spec.source).name;
    let (warnings, notes) = (count(warnings as u64, "warning"), count(notes as u64, "note"));
    out.result(&format!("{name}: no mistakes, {warnings}, {notes}\n"))?;
    if !args.gradients {
        return Ok(0);
    }
    let report = check_gradients(&loaded, &GradientOptions { rows: ROWS, cap: NUMBERS })?;
    out.result(&format!("\n{}", table(&report)))?;
    Ok(u8::from(!agrees(&report)))
}

/// NaN does not agree.
fn agrees(report: &GradientReport) -> bool {
    report.max_relative <= TOLERANCE
}

fn table(report: &GradientReport) -> String {
    let mut table = Table::default()
        .words("weight")
        .words("shape")
        .numbers("checked")
        .numbers("largest difference")
        .numbers("relative");
    for tensor in &report.tensors {
        let checked = match tensor.checked == tensor.total {
            true => grouped(tensor.checked as u64),
            false => format!("{} of {}", grouped(tensor.checked as u64), grouped(tensor.total as u64)),
        };
        table.row(vec![
            tensor.name.clone(),
            shape(&tensor.shape),
            checked,
            short(tensor.max_absolute),
            short(tensor.max_relative),
        ]);
    }
    let verdict = if agrees(report) { "the gradients agree" } else { "the gradients do not agree" };
    let rows = count(report.rows as u64, "row");
    let largest = short(report.max_relative);
    format!("{}{verdict} with central differences over {rows}: relative error {largest}\n", table.text())
}
