//! `nnc fmt`: programs in the one usual form.

use crate::commands::Run;
use crate::failure::{Failure, Result};
use crate::format::count;
use crate::output::Output;
use crate::{input, programs, report};
use clap::Args;
use nnc_model::library::layer_names;
use nnc_syntax::{SourceMap, format_surely};
use nnc_train::{Problem, ProblemKind};
use std::collections::BTreeSet;

/// Write programs in the one usual form
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc fmt xor.nn iris.nn
  nnc fmt                      which programs here and in the folders below would change; changes none
  nnc fmt .                    changes them
  nnc fmt --check              change nothing; exit 1 and the names of files that are not in this form
  nnc fmt - < xor.nn           from stdin to stdout

Spaces, line breaks and the alignment of rows change, and a layer written as a call becomes a step. What a
program means does not, and every comment stays. What a .gitignore or .nncignore leaves out stays as it is.")]
pub struct FmtArgs {
    /// Programs, or folders with programs; `-` is stdin. Without any, the present folder is looked at, not changed
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,
    /// Change nothing, and tell which files would change
    #[arg(long)]
    pub check: bool,
}

impl Run for FmtArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Formats every program that is named; a mistake in one does not keep the others from it.
fn run(args: &FmtArgs, out: &mut Output) -> Result<u8> {
    let here = vec![".".to_string()];
    // A whole tree is not changed by two words.
    let (names, check) = match args.files.is_empty() {
        true => (&here, true),
        false => (&args.files, args.check),
    };
    let files = programs::expand(names)?;
    let layers = layer_names();
    let (mut changed, mut code) = (0, 0);
    for file in &files {
        match one(file, check, &layers, out) {
            Ok(differs) => changed += u64::from(differs),
            Err(Failure::Closed) => return Err(Failure::Closed),
            Err(failure) => code = report(out, failure),
        }
    }
    let all = count(files.len() as u64, "program");
    match (changed, check) {
        (0, _) => {}
        (n, true) => {
            let these = if args.files.is_empty() { ".".to_string() } else { args.files.join(" ") };
            out.note(&format!("{n} of {all} would change; `nnc fmt {these}` changes them"));
            code = code.max(1);
        }
        (n, false) => out.note(&format!("{n} of {all} changed")),
    }
    Ok(code)
}

/// Formats one; whether it changes.
fn one(file: &str, check: bool, layers: &BTreeSet<String>, out: &mut Output) -> Result<bool> {
    let (name, text) = input::named(file)?;
    let formatted = formatted(&name, &text, layers)?;
    let differs = formatted != text;
    match (file, check) {
        ("-", false) => {
            out.result(&formatted)?;
            return Ok(false);
        }
        (_, false) if differs => programs::rewrite(file, &formatted)?,
        _ => {}
    }
    if differs {
        out.result(&format!("{name}\n"))?;
    }
    Ok(differs)
}

/// The usual form of a program.
pub(super) fn formatted(name: &str, text: &str, layers: &BTreeSet<String>) -> Result<String> {
    let mut sources = SourceMap::default();
    let id = sources.add(name, text);
    let failure = |found| {
        Failure::from(Problem::at(ProblemKind::Spec, found, &sources)).with_tail("it stays as it was")
    };
    format_surely(text, id, &|name| layers.contains(name)).map_err(failure)
}
