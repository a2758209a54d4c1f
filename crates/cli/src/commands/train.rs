//! `nnc train`: from text to a trained network.

use crate::args::{Engine, EngineArgs, Precision, ResultArgs, SpecArgs, positive};
use crate::commands::Run;
use crate::commands::folds::{self, Fold};
use crate::failure::Result;
use crate::input::{self, Length};
use crate::output::Output;
use crate::training::{NOTHING, interrupt, train_and_report};
use clap::Args;
use nnc_model::Model;
use nnc_train::{Loaded, TrainOptions};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Train a network and keep it in a folder
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc train xor.nn
  nnc train xor.nn --epochs 2000 --seed 7 --out runs/seven
  nnc train -e 'dense 16 relu; dense 1 sigmoid; loss mse' --data xor.csv
  nnc train xor-experiments.nn --as deep --set hidden=64
  nnc train iris.nn --folds 5              five trainings, mean and deviation
  nnc train xor.nn --json -q | jq .loss")]
pub struct TrainArgs {
    /// Which program.
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Passes over the data
    #[arg(long, value_name = "N", value_parser = positive)]
    pub epochs: Option<u64>,
    /// Steps of one batch
    #[arg(long, value_name = "N", value_parser = positive)]
    pub steps: Option<u64>,
    /// Threads; 0 takes as many as the machine has
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// How exact numbers are
    #[arg(long, value_name = "TYPE", value_enum, default_value_t)]
    pub precision: Precision,
    /// What computes.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Start from the weights of this file, as far as they fit
    #[arg(long, value_name = "F.safetensors")]
    pub init: Option<PathBuf>,
    /// Take the rows in their order, in every epoch
    #[arg(long)]
    pub no_shuffle: bool,
    /// Train N times, each time validating with another N-th of the rows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=1000))]
    pub folds: Option<u16>,
    /// The folder of the run, instead of the next one in runs/
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace the run of another program in that folder
    #[arg(long, requires = "out")]
    pub overwrite: bool,
    /// How the result is written.
    #[command(flatten)]
    pub result: ResultArgs,
}

impl Run for TrainArgs {
    fn quiet(&self) -> bool {
        self.result.quiet
    }

    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Trains and tells what came of it.
fn run(args: &TrainArgs, out: &mut Output) -> Result<u8> {
    let style = args.result;
    if let Some(count) = args.folds {
        return folds::run(usize::from(count), style, args.out.as_deref(), args, out);
    }
    let prepared = prepare(args, None, out);
    let (loaded, model) = prepared.map_err(|f| f.with_tail(NOTHING))?;
    let mut options = options(args, args.out.clone(), interrupt(out))?;
    options.init = options.init.map(|path| nnc_train::resolve_model(&path)).transpose()?;
    train_and_report(&loaded, &model, &options, style, out)
}

impl Fold for TrainArgs {
    fn prepare(&self, fold: (usize, usize), out: &mut Output) -> Result<(Loaded, Model)> {
        prepare(self, Some(fold), out)
    }

    fn options(&self, folder: PathBuf, interrupt: Arc<AtomicBool>) -> Result<TrainOptions> {
        options(self, Some(folder), interrupt)
    }
}

/// The data, all of it or one fold, and the network for it.
fn prepare(args: &TrainArgs, fold: Option<(usize, usize)>, out: &mut Output) -> Result<(Loaded, Model)> {
    let length = Length { epochs: args.epochs, steps: args.steps };
    let spec = input::spec(&args.spec, length, out)?;
    let loaded = input::fold(&args.spec, spec, fold, out)?;
    if let Some(roles) = loaded.data.roles().filter(|_| fold.is_none_or(|(i, _)| i == 0)) {
        out.note(&roles);
    }
    // The reference has one precision only.
    let precision = if args.engine.engine == Engine::Reference { Precision::F64 } else { args.precision };
    let model = input::model(&loaded, precision, out)?;
    Ok((loaded, model))
}

fn options(args: &TrainArgs, folder: Option<PathBuf>, interrupt: Arc<AtomicBool>) -> Result<TrainOptions> {
    Ok(TrainOptions {
        engine: args.engine.chosen()?,
        write: !args.engine.is_follower(),
        threads: args.threads,
        init: args.init.clone(),
        shuffle: !args.no_shuffle,
        out: folder,
        overwrite: args.overwrite,
        memory_limit: args.spec.memory,
        interrupt,
        film: !args.result.no_report,
        ..TrainOptions::default()
    })
}
