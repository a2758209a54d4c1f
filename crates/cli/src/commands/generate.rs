//! `nnc generate`: text that a trained network writes.

use crate::args::{MachineArgs, positive};
use crate::commands::Run;
use crate::failure::{Failure, Result};
use crate::output::Output;
use clap::Args;
use nnc_train::{GenerateOptions, generate, open_model};
use serde_json::json;
use std::path::PathBuf;

/// Text that a trained network writes
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc generate charlstm.nn --prompt \"ROMEO:\" --temperature 0.8
  nnc generate runs/gpt/2 --length 2000 --top-k 10 --seed 7 > play.txt")]
pub struct GenerateArgs {
    /// A run's folder, a .safetensors file, or a program (its newest run)
    #[arg(value_name = "TARGET")]
    pub target: PathBuf,
    /// How the text begins
    #[arg(long, value_name = "TEXT", default_value = "", allow_hyphen_values = true)]
    pub prompt: String,
    /// How many characters follow
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub length: usize,
    /// How daring: 1 follows the probabilities, less prefers the likely, 0 takes the likeliest
    #[arg(long, value_name = "T", default_value_t = 1.0, value_parser = temperature)]
    pub temperature: f64,
    /// Choose among the N likeliest only
    #[arg(long, value_name = "N", value_parser = positive)]
    pub top_k: Option<u64>,
    /// The key of the choices: the same text for the same seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// What it takes of the machine.
    #[command(flatten)]
    pub machine: MachineArgs,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

fn temperature(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(t) if t >= 0.0 && t.is_finite() => Ok(t),
        _ => Err("a temperature is a number from 0 on, such as 0.8".into()),
    }
}

impl Run for GenerateArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Writes text as it is chosen.
fn run(args: &GenerateArgs, out: &mut Output) -> Result<u8> {
    let trained = open_model(&args.target)?;
    let options = GenerateOptions {
        prompt: args.prompt.clone(),
        length: args.length,
        temperature: args.temperature,
        top_k: args.top_k.map(|k| usize::try_from(k).unwrap_or(usize::MAX)),
        seed: args.seed,
        threads: args.machine.threads,
        memory_limit: args.machine.memory,
    };
    if args.json {
        let mut text = String::new();
        generate(&trained, &options, &mut |piece| {
            text.push_str(piece);
            true
        })?;
        out.json(&json!({ "prompt": args.prompt, "text": text, "seed": args.seed }))?;
        return Ok(0);
    }
    let mut failed: Option<Failure> = None;
    generate(&trained, &options, &mut |piece| match out.result(piece) {
        Ok(()) => true,
        Err(failure) => {
            failed = Some(failure);
            false
        }
    })?;
    match failed {
        Some(failure) => Err(failure),
        None => out.result("\n").map(|()| 0),
    }
}
