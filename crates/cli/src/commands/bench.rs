//! `nnc bench`: how fast a training step is, without files.

use crate::args::{Precision, SpecArgs};
use crate::commands::Run;
use crate::failure::Result;
use crate::format::{bytes, count, duration, grouped, short};
use crate::input::{self, Length};
use crate::output::Output;
use clap::Args;
use nnc_train::{BenchOptions, BenchReport, ProfileRow, bench};
use serde_json::json;

/// How fast a training step is, without files
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc bench xor.nn
  nnc bench mnist.nn --threads 1 --json")]
pub struct BenchArgs {
    /// Which program.
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Threads; 0 takes as many as the machine has
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// How exact numbers are
    #[arg(long, value_name = "TYPE", value_enum, default_value_t)]
    pub precision: Precision,
    /// How long to measure
    #[arg(long, value_name = "S", default_value_t = 1.0, value_parser = seconds)]
    pub seconds: f64,
    /// Show where the time of a step goes, too
    #[arg(long)]
    pub profile: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(s) if s > 0.0 && s <= 86_400.0 => Ok(s),
        _ => Err("seconds, more than 0".into()),
    }
}

impl Run for BenchArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Measures and tells.
fn run(args: &BenchArgs, out: &mut Output) -> Result<u8> {
    let spec = input::spec(&args.spec, Length::default(), out)?;
    let loaded = input::data(&args.spec, spec, out)?;
    let model = input::model(&loaded, args.precision, out)?;
    let options =
        BenchOptions { threads: args.threads, seconds: args.seconds, memory_limit: args.spec.memory };
    let report = bench(&loaded, &model, &options)?;
    if args.json {
        let mut object = json!({
            "steps_per_second": report.steps_per_second,
            "seconds_per_epoch": report.seconds_per_epoch,
            "gflops": report.gflops,
            "peak_bytes": report.peak_bytes,
            "batch": report.batch,
            "threads": report.threads,
            "steps": report.steps,
            "seconds": report.seconds,
        });
        if args.profile {
            let row = |r: &ProfileRow| {
                json!({
                    "kind": r.kind,
                    "detail": r.detail,
                    "origin": r.origin,
                    "seconds": r.seconds,
                    "flops": r.flops,
                    "bytes": r.bytes,
                })
            };
            object["profile"] = report.profile.iter().map(row).collect();
        }
        out.json(&object)?;
    } else {
        let profile = if args.profile { profile(&report.profile) } else { String::new() };
        out.result(&(render(&report) + &profile))?;
    }
    Ok(0)
}

fn render(r: &BenchReport) -> String {
    let speed = if r.steps_per_second < 10.0 {
        short(r.steps_per_second)
    } else {
        grouped(r.steps_per_second as u64)
    };
    format!(
        "{speed} steps/s of {}, {}\n{} for an epoch, {} GFLOP/s, {} at most\n{} in {}\n",
        count(r.batch as u64, "sample"),
        count(r.threads as u64, "thread"),
        duration(r.seconds_per_epoch),
        short(r.gflops),
        bytes(r.peak_bytes),
        count(r.steps, "step"),
        duration(r.seconds),
    )
}

/// The most instructions that are listed.
const LISTED: usize = 24;

/// The most characters of an instruction's sizes.
const WIDEST: usize = 72;

/// Where the time goes: by kind, then the instructions that take most of it.
fn profile(rows: &[ProfileRow]) -> String {
    let all: f64 = rows.iter().map(|r| r.seconds).sum();
    let mut kinds: Vec<(&str, usize, f64)> = Vec::new();
    for row in rows {
        match kinds.iter_mut().find(|k| k.0 == row.kind) {
            Some(kind) => *kind = (kind.0, kind.1 + 1, kind.2 + row.seconds),
            None => kinds.push((row.kind, 1, row.seconds)),
        }
    }
    kinds.sort_by(|a, b| b.2.total_cmp(&a.2));
    let share = |seconds: f64| format!("{:>5.1}%", 100.0 * seconds / all.max(f64::MIN_POSITIVE));
    let mut out = format!("\nwhere the {} of a step go\n", duration(all));
    for (kind, number, seconds) in kinds {
        out += &format!("{} {:>9}  {kind} ({number})\n", share(seconds), duration(seconds));
    }
    let mut longest: Vec<&ProfileRow> = rows.iter().collect();
    longest.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    out += "\nthe longest instructions\n";
    for row in longest.into_iter().take(LISTED) {
        let speed = match row.flops {
            0 => format!("{} GB/s", short(row.bytes as f64 / row.seconds / 1e9)),
            flops => format!("{} GFLOP/s", short(flops as f64 / row.seconds / 1e9)),
        };
        let mut detail = row.detail.clone();
        if detail.chars().count() > WIDEST {
            detail = detail.chars().take(WIDEST - 1).chain(['…']).collect();
        }
        let (share, time) = (share(row.seconds), duration(row.seconds));
        out += &format!("{share} {time:>9}  {} {detail}  {speed}  {}\n", row.kind, row.origin);
    }
    out
}
