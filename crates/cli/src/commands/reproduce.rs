//! `nnc reproduce`: whether a run comes out the same again.

use crate::args::MachineArgs;
use crate::commands::Run;
use crate::failure::Result;
use crate::format::{count, grouped};
use crate::output::Output;
use crate::training::{INTERRUPTED, interrupt};
use clap::Args;
use nnc_train::{Quiet, reproduce};
use serde_json::json;
use std::path::PathBuf;

/// Differences that are shown.
const SHOWN: usize = 8;

/// Train a run again, and check that every bit is the same
#[derive(Args, Debug)]
#[command(after_help = "\
The run itself is not touched: its program is trained again elsewhere, with its seed and its data, and the figures of
every epoch and every number of the model are compared.

Examples:
  nnc reproduce runs/xor/1
  nnc reproduce xor.nn              the newest run
  nnc reproduce runs/xor/1 --threads 1

Exit codes: 0 everything is the same, 1 something differs, 2 the run or its data is not there.")]
pub struct ReproduceArgs {
    /// A run's folder, or a program (its newest run)
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// What it takes of the machine.
    #[command(flatten)]
    pub machine: MachineArgs,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Print the result only
    #[arg(short, long)]
    pub quiet: bool,
}

impl Run for ReproduceArgs {
    fn quiet(&self) -> bool {
        self.quiet
    }

    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

fn run(args: &ReproduceArgs, out: &mut Output) -> Result<u8> {
    let flag = interrupt(out);
    let done = reproduce(&args.run, args.machine.threads, args.machine.memory, &flag, &mut Quiet)?;
    let Some(done) = done else {
        out.note("interrupted: nothing is known yet");
        return Ok(INTERRUPTED);
    };
    if let Some(version) = &done.other_version {
        let here = env!("CARGO_PKG_VERSION");
        out.note(&format!("the run is of nnc {version}, this is nnc {here}: the same bits are not promised"));
    }
    let same = done.differences.is_empty();
    let code = u8::from(!same);
    let run = done.run.display();
    if args.json {
        out.json(&json!({
            "run": run.to_string(),
            "same": same,
            "epochs": done.epochs,
            "numbers": done.numbers,
            "differences": done.differences,
            "other_version": done.other_version,
        }))?;
        return Ok(code);
    }
    let (epochs, numbers) = (count(done.epochs as u64, "epoch"), count(done.numbers as u64, "number"));
    if same {
        out.result(&format!("{run}: the same, bit for bit: {epochs} of figures, {numbers} of the model\n"))?;
        return Ok(code);
    }
    out.result(&format!("{run}: not the same\n"))?;
    for line in done.differences.iter().take(SHOWN) {
        out.result(&format!("  {line}\n"))?;
    }
    if done.differences.len() > SHOWN {
        out.result(&format!("  {} more\n", grouped((done.differences.len() - SHOWN) as u64)))?;
    }
    Ok(code)
}
