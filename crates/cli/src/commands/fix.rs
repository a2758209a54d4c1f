//! `nnc fix`: applies the remedies that diagnostics are sure of.

use crate::commands::Run;
use crate::failure::{Failure, Result};
use crate::format::count;
use crate::output::Output;
use crate::{input, port, programs, report};
use clap::Args;
use nnc_graph::DType;
use nnc_model::{Overrides, Spec};
use nnc_port::Port;
use nnc_syntax::{Code, Diagnostic, Fix, Group, SourceId, SourceMap, Span};
use nnc_train::{LoadOptions, load};
use similar::TextDiff;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

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

/// A remedy may bring the next mistake to light; one that goes round in circles is stopped.
const ROUNDS: usize = 40;

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
    let mended = mend(&name, text.clone(), &base);
    for change in &mended.changes {
        match file {
            // stdout is the program.
            "-" => out.note(change),
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

/// A program after its remedies.
struct Mended {
    text: String,
    /// What was done, a line each.
    changes: Vec<String>,
    /// What is still to be said.
    found: Vec<Diagnostic>,
    sources: SourceMap,
    source: SourceId,
}

/// Applies remedies, but for lines that would still be wrong by their words: one wrong program does not become another.
fn mend(name: &str, text: String, base: &Path) -> Mended {
    let mut held = BTreeSet::new();
    loop {
        let (mut mended, touched) = remedied(name, text.clone(), base, &held);
        let wrong: Vec<usize> = touched.iter().copied().filter(|line| mended.is_wrong(*line)).collect();
        if wrong.is_empty() {
            // What is left is not announced as something that could be mended.
            for d in &mut mended.found {
                let at = d.fix.as_ref().map(|fix| line_of(&mended.sources, fix.span));
                if at.is_some_and(|line| held.contains(&line))
                    && let Some(fix) = &mut d.fix
                {
                    fix.safe = false;
                }
            }
            return mended;
        }
        held.extend(wrong);
    }
}

/// Applies remedies until there are none, and tells which lines they changed.
fn remedied(name: &str, mut text: String, base: &Path, held: &BTreeSet<usize>) -> (Mended, BTreeSet<usize>) {
    let mut changes = Vec::new();
    let mut touched = BTreeSet::new();
    let (mut found, mut sources, mut source) = look(name, &text, base);
    let mut seen = vec![text.clone()];
    for _ in 0..ROUNDS {
        let mut fixes = sure(&found, source);
        let line = |fix: &Fix| line_of(&sources, fix.span);
        fixes.retain(|(_, fix)| !held.contains(&line(fix)));
        if fixes.is_empty() {
            break;
        }
        let next = apply(&text, &fixes);
        let (next_found, next_sources, next_source) = look(name, &next, base);
        // A remedy that leaves the program harder to read than before is none.
        if seen.contains(&next) || unreadable(&next_found) > unreadable(&found) {
            break;
        }
        changes.extend(fixes.iter().map(|(d, fix)| render(d, fix, &sources)));
        // Lines are counted as long as there are as many as before.
        if next.lines().count() == text.lines().count() {
            touched.extend(fixes.iter().map(|(_, fix)| line(fix)));
        }
        seen.push(next.clone());
        (text, found, sources, source) = (next, next_found, next_sources, next_source);
    }
    (Mended { text, changes, found, sources, source }, touched)
}

impl Mended {
    /// Whether a line has a mistake of syntax, names or arguments.
    fn is_wrong(&self, line: usize) -> bool {
        let words = |d: &&Diagnostic| {
            d.is_error() && matches!(d.code.group(), Group::Syntax | Group::Names) && d.code != Code::N0219
        };
        self.found.iter().filter(words).any(|d| {
            let first = d.labels.first().filter(|l| l.span.source == self.source);
            first.is_some_and(|l| line_of(&self.sources, l.span) == line)
        })
    }
}

/// The line of a place, from 1.
fn line_of(sources: &SourceMap, span: Span) -> usize {
    sources.get(span.source).line_column(span.start).0
}

/// Mistakes of syntax.
fn unreadable(found: &[Diagnostic]) -> usize {
    found.iter().filter(|d| d.is_error() && d.code.group() == Group::Syntax).count()
}

/// All that is to be said about a program, as far as it can be read; and which source is the program.
fn look(name: &str, text: &str, base: &Path) -> (Vec<Diagnostic>, SourceMap, SourceId) {
    let files = |path: &str| input::used(base, path);
    let main = SourceId(nnc_model::PRELUDE.len() as u16);
    let spec = match Spec::read_with(name, text, &Overrides::default(), &files) {
        Ok(spec) => spec,
        Err((found, sources)) => return (found, sources, main),
    };
    let (sources, source) = (spec.sources.clone(), spec.source);
    let mut found = spec.diagnostics.clone();
    let options = LoadOptions { base: PathBuf::from(base), ..LoadOptions::default() };
    match load(spec, &options).and_then(|loaded| {
        found.extend(loaded.notes.iter().cloned());
        loaded.model(DType::F32)
    }) {
        Ok(model) => found.extend(model.diagnostics),
        Err(problem) => found.extend(problem.diagnostics),
    }
    (found, sources, source)
}

/// The sure remedies in the program, in the order of the text; of two that overlap the first.
fn sure(found: &[Diagnostic], source: SourceId) -> Vec<(&Diagnostic, &Fix)> {
    let all = found.iter().filter_map(|d| d.fix.as_ref().map(|fix| (d, fix)));
    let mut fixes: Vec<_> = all.filter(|(_, fix)| fix.safe && fix.span.source == source).collect();
    fixes.sort_by_key(|(_, fix)| (fix.span.start, fix.span.end));
    let mut out: Vec<(&Diagnostic, &Fix)> = Vec::new();
    for (d, fix) in fixes {
        let clear = out.last().is_none_or(|(_, last)| {
            fix.span.start >= last.span.end
                && (fix.span.start, fix.span.end) != (last.span.start, last.span.end)
        });
        if clear {
            out.push((d, fix));
        }
    }
    out
}

fn apply(text: &str, fixes: &[(&Diagnostic, &Fix)]) -> String {
    let mut out = String::new();
    let mut at = 0;
    for (_, fix) in fixes {
        out.push_str(text.get(at..fix.span.start as usize).unwrap_or(""));
        out.push_str(&fix.replacement);
        at = fix.span.end as usize;
    }
    out.push_str(text.get(at..).unwrap_or(""));
    out
}

/// ``xor.nn:9:1: `dens` becomes `dense` (N0201)``
fn render(d: &Diagnostic, fix: &Fix, sources: &SourceMap) -> String {
    let (before, after) = (sources.slice(fix.span), fix.replacement.as_str());
    let what = match (before.trim(), after.trim()) {
        ("", after) => format!("`{after}` is put in"),
        (before, "") => format!("`{before}` goes away"),
        (before, after) => format!("`{before}` becomes `{after}`"),
    };
    format!("{}: {} ({})", sources.place(fix.span), crate::excerpt::printable(&what), d.code)
}

/// The changes as `diff -u` shows them; nothing where there are none.
fn diff(name: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let diff = TextDiff::from_lines(before, after);
    diff.unified_diff().header(name, &format!("{name} after nnc fix")).to_string()
}
