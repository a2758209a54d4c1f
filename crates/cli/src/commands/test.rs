//! `nnc test`: whether programs keep what they promise.

use crate::args::{MachineArgs, Precision, SpecArgs, assignment, positive};
use crate::commands::Run;
use crate::failure::{Failure, Result};
use crate::format::{count, grouped, number, short};
use crate::input::{self, Length};
use crate::output::Output;
use crate::training::{INTERRUPTED, interrupt};
use crate::{programs, report};
use clap::Args;
use nnc_model::{Expectation, Model, Spec};
use nnc_syntax::ast::{Stmt, StmtKind};
use nnc_syntax::{Code, Diagnostic};
use nnc_train::{Loaded, ProblemKind, Tally, TrainOptions, Trial, trial};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Whether programs keep what their `expect` statements promise
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc test xor.nn
  nnc test specs               every program in the folder that promises something
  nnc test xor.nn --seeds 100  the same share of more seeds: 9 of 10 becomes 90 of 100

A program promises with `expect`:
  expect binary_accuracy >= 1 within 500 epochs in 9 of 10 seeds
  expect test_accuracy >= 97%
The first holds for a seed if it does after some epoch up to the 500th; the second is about the network that
the training leaves. Seeds count up from the program's own. No seed is tried that can change nothing any more.

Exit codes: 0 all kept, 1 one is broken, 2 a mistake in a program or its data.")]
pub struct TestArgs {
    /// Programs, or folders with programs
    #[arg(value_name = "SPEC", required = true)]
    pub specs: Vec<String>,
    /// Try so many seeds, whatever the programs say; the same share of them must hold
    #[arg(long, value_name = "N", value_parser = positive)]
    pub seeds: Option<u64>,
    /// Give a `param` of the programs a value
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// Take the parameters of an `experiment` of the programs
    #[arg(long = "as", value_name = "EXPERIMENT")]
    pub experiment: Option<String>,
    /// What it takes of the machine.
    #[command(flatten)]
    pub machine: MachineArgs,
    /// Print one JSON object at the end
    #[arg(long)]
    pub json: bool,
    /// Print the results only
    #[arg(short, long)]
    pub quiet: bool,
}

/// Seeds that are named where something did not hold.
const NAMED: usize = 5;

impl Run for TestArgs {
    fn quiet(&self) -> bool {
        self.quiet
    }

    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Tests every program; a mistake in one does not keep the others from it.
fn run(args: &TestArgs, out: &mut Output) -> Result<u8> {
    let stop = interrupt(out);
    let (mut code, mut results) = (0, Vec::new());
    for file in programs::expand(&args.specs)? {
        let spec = SpecArgs {
            spec: Some(file.clone()),
            set: args.set.clone(),
            experiment: args.experiment.clone(),
            memory: args.machine.memory,
            ..SpecArgs::default()
        };
        match one(&spec, args, &stop, out) {
            Ok(Some(list)) => results.push((file, list)),
            Ok(None) => return Ok(INTERRUPTED),
            Err(Failure::Closed) => return Err(Failure::Closed),
            Err(failure) => code = report(out, failure),
        }
    }
    let all = results.iter().flat_map(|(_, list)| list);
    let (kept, total) = all.fold((0, 0), |(k, n), r| (k + u64::from(r.holds), n + 1));
    if args.json {
        out.json(&object(&results, code == 0 && kept == total))?;
    }
    if code == 0 && total == 0 {
        let d = Diagnostic::error(Code::N0706, "nothing is promised, so there is nothing to test")
            .help("for example: expect binary_accuracy >= 1 within 500 epochs in 9 of 10 seeds");
        return Err(Failure::one(ProblemKind::Spec, d));
    }
    if total > 0 {
        out.note(&format!("{kept} of {} kept", count(total, "promise")));
    }
    Ok(if kept < total { code.max(1) } else { code })
}

/// One promise, and what became of it.
struct Kept {
    line: usize,
    text: String,
    holds: bool,
    tally: Tally,
}

/// Tests one program; `None` where Ctrl-C ended it.
fn one(
    spec: &SpecArgs,
    args: &TestArgs,
    stop: &Arc<AtomicBool>,
    out: &mut Output,
) -> Result<Option<Vec<Kept>>> {
    let name = spec.spec.clone().unwrap_or_default();
    let read = input::spec(spec, Length::default(), out)?;
    if !promises(&read.program.stmts) {
        out.note(&format!("{name}: promises nothing"));
        return Ok(Some(Vec::new()));
    }
    let (loaded, model) = compiled(spec, read, out)?;
    let promises = model.settings.expect.clone();
    let first = model.settings.seed;
    let mut tallies: Vec<Tally> = promises.iter().map(|e| Tally::new(e, args.seeds)).collect();
    let options = TrainOptions {
        threads: args.machine.threads,
        memory_limit: args.machine.memory,
        ..TrainOptions::default()
    };
    let most = tallies.iter().map(|t| t.of).max().unwrap_or(0);
    for i in 0..most {
        let open: Vec<usize> =
            (0..promises.len()).filter(|&p| tallies[p].verdict().is_none() && i < tallies[p].of).collect();
        if open.is_empty() {
            break;
        }
        live(out, &name, i, most);
        let wanted: Vec<&Expectation> = open.iter().map(|&p| &promises[p]).collect();
        let trials = match i {
            0 => trial(&loaded, &model, &options, &wanted, stop)?,
            // Splits and generated data have the seed too.
            i => {
                let spec = SpecArgs { seed: Some(first.wrapping_add(i)), ..spec.clone() };
                let read = input::spec(&spec, Length::default(), out)?;
                let (loaded, model) = compiled(&spec, read, out)?;
                trial(&loaded, &model, &options, &wanted, stop)?
            }
        };
        let Some(trials) = trials else {
            clear(out);
            return Ok(None);
        };
        for (p, trial) in open.into_iter().zip(trials) {
            tallies[p].trials.push(trial);
        }
    }
    clear(out);
    let source = loaded.spec.sources.get(loaded.spec.source);
    let mut list = Vec::new();
    for (e, tally) in promises.iter().zip(tallies) {
        let kept = Kept {
            line: source.line_column(e.span.start).0,
            text: condition(&crate::stage::flat(loaded.spec.sources.slice(e.span)), e, &tally),
            holds: tally.verdict().unwrap_or(false),
            tally,
        };
        if !args.json {
            out.result(&format!("{name}:{}: {}\n", kept.line, render(e, &kept)))?;
        }
        if let Some(line) = too_short(e, &model, loaded.data.train.len()) {
            out.note(&format!("{name}:{}: {line}", kept.line));
        }
        list.push(kept);
    }
    Ok(Some(list))
}

/// Whether there is an `expect` among statements; the data of programs without one need not be there.
#[allow(clippy::wildcard_enum_match_arm, reason = "statements of other kinds hold no statements")]
fn promises(stmts: &[Stmt]) -> bool {
    stmts.iter().any(|stmt| match &stmt.kind {
        StmtKind::Expect { .. } => true,
        StmtKind::Repeat { body, .. } => promises(&body.stmts),
        StmtKind::If { then, otherwise, .. } => {
            promises(&then.stmts) || otherwise.as_ref().is_some_and(|b| promises(&b.stmts))
        }
        _ => false,
    })
}

/// The program with its data and graphs.
fn compiled(args: &SpecArgs, spec: Spec, out: &mut Output) -> Result<(Loaded, Model)> {
    let loaded = input::data(args, spec, out)?;
    let model = input::model(&loaded, Precision::F32, out)?;
    Ok((loaded, model))
}

fn live(out: &mut Output, name: &str, i: u64, most: u64) {
    if out.live() {
        out.over(&format!("{name}: seed {} of {}", grouped(i + 1), grouped(most)));
    }
}

fn clear(out: &mut Output) {
    if out.live() {
        out.over("");
    }
}

/// A limit beyond the end of the training counts nothing more.
fn too_short(e: &Expectation, model: &Model, rows: usize) -> Option<String> {
    let steps = model.settings.steps_per_epoch(rows);
    let epochs = model.epochs(rows);
    match (e.within_epochs, e.within_steps) {
        (Some(n), _) if n > epochs => Some(format!(
            "the training itself ends after {}, before the {} that it is given here",
            count(epochs, "epoch"),
            grouped(n)
        )),
        (_, Some(n)) if n < steps => {
            Some(format!("figures are known after an epoch, which is {} here", count(steps, "step")))
        }
        _ => None,
    }
}

/// The words of a promise, with the number of seeds that are tried.
fn condition(words: &str, e: &Expectation, tally: &Tally) -> String {
    let words = words.strip_prefix("expect ").unwrap_or(words);
    let words =
        words.rsplit_once(" in ").filter(|_| words.ends_with("seeds")).map_or(words, |(words, _)| words);
    match (e.seeds, tally.of) {
        ((1, 1), 1) => words.to_string(),
        _ => format!("{words} in {} of {}", grouped(tally.need), count(tally.of, "seed")),
    }
}

/// `kept: loss < 0.1 within 500 epochs in 9 of 10 seeds (9 of 9 tried, after 13 to 261 epochs, median 99)`
fn render(e: &Expectation, kept: &Kept) -> String {
    let word = if kept.holds { "kept" } else { "broken" };
    let tally = &kept.tally;
    let limited = e.within_epochs.is_some() || e.within_steps.is_some();
    let mut parts = Vec::new();
    match &tally.trials[..] {
        [trial] if tally.of == 1 => parts.push(state(trial, limited)),
        trials => {
            let epochs = if limited { epochs_needed(tally) } else { None };
            let epochs = epochs.map_or(String::new(), |words| format!(", {words}"));
            parts.push(format!(
                "{} of {} tried{epochs}",
                grouped(tally.held()),
                grouped(trials.len() as u64)
            ));
            let failed: Vec<&Trial> = trials.iter().filter(|t| !t.holds).collect();
            parts
                .extend(failed.iter().take(NAMED).map(|t| format!("seed {}: {}", t.seed, state(t, limited))));
            if failed.len() > NAMED {
                parts.push("…".into());
            }
        }
    }
    format!("{word}: {} ({})", kept.text, parts.join("; "))
}

/// `binary_accuracy 0.75 after 500 epochs`
fn state(trial: &Trial, limited: bool) -> String {
    if trial.diverged {
        return "the loss became no number".into();
    }
    let figures: Vec<String> = trial.figures.iter().map(|(n, x)| format!("{n} {}", short(*x))).collect();
    match (figures.is_empty(), limited) {
        (true, _) => "no epoch counts".into(),
        (false, true) => format!("{} after {}", figures.join(", "), count(trial.epoch, "epoch")),
        (false, false) => figures.join(", "),
    }
}

/// `after 13 to 261 epochs, median 99`
fn epochs_needed(tally: &Tally) -> Option<String> {
    let mut epochs: Vec<u64> = tally.trials.iter().filter(|t| t.holds).map(|t| t.epoch).collect();
    epochs.sort_unstable();
    let (first, last) = (*epochs.first()?, *epochs.last()?);
    if first == last {
        return Some(format!("after {}", count(first, "epoch")));
    }
    let half = epochs.len() / 2;
    let median = match epochs.len().is_multiple_of(2) {
        true => (epochs[half - 1] + epochs[half]) as f64 / 2.0,
        false => epochs[half] as f64,
    };
    Some(format!("after {} to {}, median {}", grouped(first), count(last, "epoch"), short(median)))
}

fn object(results: &[(String, Vec<Kept>)], kept: bool) -> Value {
    let specs = results.iter().map(|(name, list)| {
        let promises: Vec<Value> = list.iter().map(promise).collect();
        json!({ "spec": name, "promises": promises })
    });
    json!({ "kept": kept, "specs": specs.collect::<Vec<Value>>() })
}

fn promise(kept: &Kept) -> Value {
    let trials = kept.tally.trials.iter().map(|t| {
        let figures = t.figures.iter().map(|(n, x)| (n.clone(), number(*x))).collect();
        json!({
            "seed": t.seed,
            "holds": t.holds,
            "epoch": t.epoch,
            "figures": Value::Object(figures),
            "diverged": t.diverged,
        })
    });
    json!({
        "line": kept.line,
        "text": kept.text,
        "kept": kept.holds,
        "need": kept.tally.need,
        "of": kept.tally.of,
        "tried": kept.tally.trials.len(),
        "held": kept.tally.held(),
        "seeds": trials.collect::<Vec<Value>>(),
    })
}
