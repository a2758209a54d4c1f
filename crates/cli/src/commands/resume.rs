//! `nnc resume`: a run goes on where it stopped.

use crate::args::{EngineArgs, MachineArgs, ResultArgs, positive};
use crate::commands::Run;
use crate::failure::Result;
use crate::output::Output;
use crate::training::{interrupt, train_and_report};
use clap::Args;
use nnc_train::{LoadOptions, Longer, TrainOptions, load, open_checkpoint};
use std::path::PathBuf;
use std::rc::Rc;

/// Go on with a run that was stopped
#[derive(Args, Debug)]
#[command(after_help = "\
The weights are, bit for bit, those of a run that was never stopped (on the engine cpu; --engine goes on with any).

Examples:
  nnc resume runs/moons/3
  nnc resume moons.nn --epochs 400     the newest run, to be 400 epochs in all")]
pub struct ResumeArgs {
    /// A run's folder, or a program (its newest run)
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Passes over the data, in all
    #[arg(long, value_name = "N", value_parser = positive)]
    pub epochs: Option<u64>,
    /// Steps of one batch, in all
    #[arg(long, value_name = "N", value_parser = positive)]
    pub steps: Option<u64>,
    /// What it takes of the machine.
    #[command(flatten)]
    pub machine: MachineArgs,
    /// What computes.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// How the result is written.
    #[command(flatten)]
    pub result: ResultArgs,
}

impl Run for ResumeArgs {
    fn quiet(&self) -> bool {
        self.result.quiet
    }

    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Trains on and tells what came of it.
fn run(args: &ResumeArgs, out: &mut Output) -> Result<u8> {
    let longer = Longer { epochs: args.epochs, steps: args.steps };
    let checkpoint = open_checkpoint(&args.run, longer)?;
    let memory = args.machine.memory.or(checkpoint.origin.memory_limit);
    let origin = LoadOptions { memory_limit: memory, ..checkpoint.origin.clone() };
    let loaded = load(checkpoint.spec.clone(), &origin)?;
    let model = loaded.model(checkpoint.float)?;
    let options = TrainOptions {
        engine: args.engine.chosen()?,
        write: !args.engine.is_follower(),
        threads: args.machine.threads,
        shuffle: checkpoint.shuffle,
        memory_limit: memory,
        interrupt: interrupt(out),
        resume: Some(Rc::new(checkpoint)),
        film: !args.result.no_report,
        ..TrainOptions::default()
    };
    train_and_report(&loaded, &model, &options, args.result, out)
}
