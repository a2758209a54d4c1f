//! `nnc bench`: how fast a training step is, without files.

use crate::args::BenchArgs;
use crate::failure::Result;
use crate::figures::{bytes, count, duration, grouped, short};
use crate::input::{self, Length};
use crate::output::Output;
use nnc_train::{BenchOptions, BenchReport, bench};
use serde_json::json;

/// Measures and tells.
pub fn run(args: &BenchArgs, out: &mut Output) -> Result<u8> {
    let spec = input::spec(&args.spec, Length::default(), out)?;
    let loaded = input::data(&args.spec, spec, out)?;
    let model = input::model(&loaded, args.precision, out)?;
    let options =
        BenchOptions { threads: args.threads, seconds: args.seconds, memory_limit: args.spec.memory };
    let report = bench(&loaded, &model, &options)?;
    if args.json {
        out.json(&json!({
            "steps_per_second": report.steps_per_second,
            "seconds_per_epoch": report.seconds_per_epoch,
            "gflops": report.gflops,
            "peak_bytes": report.peak_bytes,
            "batch": report.batch,
            "threads": report.threads,
            "steps": report.steps,
            "seconds": report.seconds,
        }))?;
    } else {
        out.result(&told(&report))?;
    }
    Ok(0)
}

fn told(r: &BenchReport) -> String {
    let speed =
        if r.steps_per_second < 10.0 { short(r.steps_per_second) } else { grouped(r.steps_per_second as u64) };
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
