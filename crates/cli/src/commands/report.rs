//! `nnc report`: the page of a run.

use crate::args::MachineArgs;
use crate::commands::Run;
use crate::failure::Result;
use crate::output::Output;
use crate::run_page::{PAGE, folder, of_run, write};
use clap::Args;
use nnc_train::{InferOptions, open_model};
use std::path::PathBuf;

/// Write the page of a run: curves, what it says of rows it did not learn from, its network
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc report moons.nn                  of the newest run; runs/moons/1/report.html
  nnc report runs/iris/1 --data new.csv --out new.html

`nnc train` has written one already; this makes it anew, and prints where it is.")]
pub struct ReportArgs {
    /// A run's folder, a .safetensors file, or a program (its newest run)
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Ask the network about the rows of this file instead
    #[arg(long, value_name = "FILE")]
    pub data: Option<String>,
    /// Write the page to this file
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// What it takes of the machine.
    #[command(flatten)]
    pub machine: MachineArgs,
}

impl Run for ReportArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Writes the page and tells where.
fn run(args: &ReportArgs, out: &mut Output) -> Result<u8> {
    let options = InferOptions {
        data: args.data.clone(),
        threads: args.machine.threads,
        memory_limit: args.machine.memory,
    };
    let trained = open_model(&args.run)?;
    let page = of_run(&trained, None, &options, out);
    let path = args.out.clone().unwrap_or_else(|| folder(&trained).join(PAGE));
    write(&path, &page)?;
    out.result(&format!("{}\n", path.display()))?;
    Ok(0)
}
