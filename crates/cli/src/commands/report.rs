//! `nnc report`: pages of runs and sweeps.

use crate::args::MachineArgs;
use crate::commands::Run;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::run_page::{folder, of_run, write, write_own};
use crate::runs_page::{of_runs, of_sweep};
use clap::Args;
use nnc_train::sweep::SweepRecord;
use nnc_train::{InferOptions, RunInfo, open_model, resolve_model, run_info};
use std::path::{Path, PathBuf};

/// Write the page of a run, of several, or of a sweep: curves, figures, what a network says of held-out rows
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc report moons.nn                            of the newest run: runs/moons/1/report.html
  nnc report runs/iris/1 --data new.csv --out new.html
  nnc report runs/moons/1 runs/moons/2 --out both.html
  nnc report runs/moons/sweep-1                  box plots of every point

`nnc train` and `nnc sweep` have written one already; this makes it anew, and prints where it is.")]
pub struct ReportArgs {
    /// A run's folder, a .safetensors file, a program (its newest run), or the folder of a sweep or of folds
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<PathBuf>,
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
    let several = args.runs.len() > 1;
    if let Some(sweep) = args.runs.iter().find(|run| run.join("sweep.json").is_file()) {
        if several {
            let message = format!("`{}` is a sweep, which has a page of its own", sweep.display());
            return Err(Failure::usage(message, format!("nnc report {}", sweep.display())));
        }
        alone(args)?;
        return finish(args, &of_sweep(&SweepRecord::read(sweep)?), sweep, out);
    }
    let folds = args.runs.iter().any(|run| run.join("folds.json").is_file());
    if several || folds {
        alone(args)?;
        let mut all = Vec::new();
        for run in &args.runs {
            all.extend(infos(run)?);
        }
        let (title, place) = match &args.runs[..] {
            [one] => (one.display().to_string(), one.clone()),
            _ => ("Several runs".into(), PathBuf::new()),
        };
        return finish(args, &of_runs(&title, &all), &place, out);
    }
    let options = InferOptions {
        data: args.data.clone(),
        threads: args.machine.threads,
        memory_limit: args.machine.memory,
    };
    let trained = open_model(&args.runs[0])?;
    let page = of_run(&trained, None, &options, out);
    finish(args, &page, &folder(&trained), out)
}

/// Refuses rows where no network is asked about any.
fn alone(args: &ReportArgs) -> Result<()> {
    match args.data {
        None => Ok(()),
        Some(_) => Err(Failure::usage("--data is about one run", "name one run only")),
    }
}

/// Writes the page, into a folder where nothing else is said.
fn finish(args: &ReportArgs, page: &str, folder: &Path, out: &mut Output) -> Result<u8> {
    let path = match &args.out {
        Some(path) => write(path, page).map(|()| path.clone())?,
        None => write_own(folder, page)?,
    };
    out.result(&format!("{}\n", path.display()))?;
    Ok(0)
}

/// What is known of a run, or of all folds.
fn infos(run: &Path) -> Result<Vec<RunInfo>> {
    if run.join("folds.json").is_file() {
        let folds = (1..).map(|i| run.join(format!("fold-{i}"))).map_while(|folder| run_info(&folder));
        return Ok(folds.collect());
    }
    let model = resolve_model(run)?;
    let folder = model.parent().unwrap_or(Path::new(""));
    let named = || {
        let help = "the folder of a run has a run.json, which says what it is";
        Failure::usage(format!("`{}` is in no folder of a run", model.display()), help)
    };
    run_info(folder).filter(|info| info.ended.is_some()).map(|info| vec![info]).ok_or_else(named)
}
