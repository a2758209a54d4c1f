//! `nnc fix`: applies the remedies that diagnostics are sure of.

use crate::commands::Run;
use crate::failure::{Failure, Result};
use crate::format::count;
use crate::output::Output;
use crate::{input, port, programs, report};
use clap::Args;
use nnc_port::Port;
use nnc_syntax::Diagnostic;
use nnc_train::{DataCache, mend};
use similar::TextDiff;
use std::path::Path;

/// Mend mistakes that have one sure remedy
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc fix xor.nn               mend what has one sure remedy, and show what is left
  nnc fix xor.nn --dry-run     show the changes as a diff, and write nothing
  nnc fix post.py              a Keras or PyTorch program: write post.nn, the same in nnc

Mistakes that `nnc fix` can mend say so. It never guesses: where two remedies are likely, it leaves the choice
to you.")]
pub struct FixArgs {
    /// Programs, or folders with programs; `-` is stdin
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
    /// Write nothing, and show what would change
    #[arg(long)]
    pub dry_run: bool,
}

impl Run for FixArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Mends every program that is named; 2 where mistakes are left.
fn run(args: &FixArgs, out: &mut Output) -> Result<u8> {
    let mut code = 0;
    for file in programs::expand(&args.files)? {
        match one(&file, args.dry_run, out) {
            Ok(left) => code = code.max(left),
            Err(Failure::Closed) => return Err(Failure::Closed),
            Err(failure) => code = report(out, failure),
        }
    }
    Ok(code)
}

/// Mends one program.
fn one(file: &str, dry_run: bool, out: &mut Output) -> Result<u8> {
    let (name, text) = input::named(file)?;
    if let Some(port) = nnc_port::translate(&text) {
        return another_library(file, &name, &port, dry_run, out);
    }
    let base = Path::new(file).parent().filter(|_| file != "-").map(Path::to_path_buf).unwrap_or_default();
    let mended = mend(&name, &text, &base, &mut DataCache::default());
    for change in mended.changes.iter().map(|change| crate::excerpt::printable(change)) {
        match file {
            // stdout is the program.
            "-" => out.note(&change),
            _ if dry_run => {}
            _ => out.result(&format!("{change}\n"))?,
        }
    }
    let changed = mended.text != text;
    match (file, dry_run) {
        (_, true) => out.result(&diff(&name, &text, &mended.text))?,
        ("-", false) => out.result(&mended.text)?,
        (_, false) if changed => programs::rewrite(file, &mended.text)?,
        _ => {}
    }
    let left = mended.found.iter().filter(|d| d.is_error()).count();
    if !dry_run {
        let errors: Vec<Diagnostic> = mended.found.into_iter().filter(Diagnostic::is_error).collect();
        out.diagnostics(&errors, &mended.sources);
    }
    let changes = mended.changes.len() as u64;
    let verb = if dry_run { "would be made" } else { "made" };
    let what = match changes {
        0 => format!("{name}: nothing that `nnc fix` is sure of"),
        n => format!("{name}: {} {verb}", count(n, "change")),
    };
    let what = if left == 0 && changes == 0 { format!("{name}: nothing to mend") } else { what };
    let rest =
        if left == 0 { String::new() } else { format!("; {} left for you", count(left as u64, "mistake")) };
    out.note(&format!("{what}{rest}"));
    Ok(if left > 0 { 2 } else { 0 })
}

/// Writes a program of Keras or PyTorch in nnc beside it; what stands there already stays.
fn another_library(file: &str, name: &str, ported: &Port, dry_run: bool, out: &mut Output) -> Result<u8> {
    if !ported.network {
        return Err(port::without_network(name, ported));
    }
    let to = Path::new(file).with_extension("nn");
    let library = ported.library.name();
    if dry_run || !file.ends_with(".py") || to.exists() {
        out.result(&ported.program)?;
        out.note(&format!("{name} is a {library} program; this is the same in nnc, and nothing was written"));
        if !dry_run && file.ends_with(".py") {
            out.note(&format!(
                "{} is there already: nnc import {name} -o {} --overwrite",
                to.display(),
                to.display()
            ));
        }
    } else {
        write_new(&to, ported.program.as_bytes())?;
        out.result(&format!("{name} is a {library} program; {} is the same in nnc\n", to.display()))?;
    }
    port::account(name, ported, out);
    Ok(0)
}

/// Writes a file.
fn write_new(to: &Path, bytes: &[u8]) -> Result<()> {
    nnc_artifact::write_atomic(to, bytes).map_err(|e| {
        let help = "nnc import FILE.py -o FILE.nn names another place";
        Failure::usage(format!("`{}` cannot be written: {e}", to.display()), help)
    })
}

/// The changes as `diff -u` shows them; nothing where there are none.
fn diff(name: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let diff = TextDiff::from_lines(before, after);
    diff.unified_diff().header(name, &format!("{name} after nnc fix")).to_string()
}
