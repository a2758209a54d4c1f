//! `nnc resume`: a run goes on where it stopped.

use crate::args::ResumeArgs;
use crate::commands::train::{self, Told};
use crate::failure::Result;
use crate::output::Output;
use nnc_train::{LoadOptions, Longer, TrainOptions, load, open_checkpoint};
use std::rc::Rc;

/// Trains on and tells what came of it.
pub fn run(args: &ResumeArgs, out: &mut Output) -> Result<u8> {
    let longer = Longer { epochs: args.epochs, steps: args.steps };
    let checkpoint = open_checkpoint(&args.run, longer)?;
    let memory = args.memory.or(checkpoint.origin.memory_limit);
    let origin = LoadOptions { memory_limit: memory, ..checkpoint.origin.clone() };
    let loaded = load(checkpoint.spec.clone(), &origin)?;
    let model = loaded.model(checkpoint.float)?;
    let options = TrainOptions {
        threads: args.threads,
        shuffle: checkpoint.shuffle,
        memory_limit: memory,
        interrupt: train::interrupt(out),
        resume: Some(Rc::new(checkpoint)),
        ..TrainOptions::default()
    };
    train::train_and_tell(&loaded, &model, &options, Told { json: args.json, quiet: args.quiet }, out)
}
