//! `nnc generate`: text that a trained network writes.

use crate::args::GenerateArgs;
use crate::failure::{Failure, Result};
use crate::output::Output;
use nnc_train::{GenerateOptions, generate, open_model};
use serde_json::json;

/// Writes text as it is chosen.
pub fn run(args: &GenerateArgs, out: &mut Output) -> Result<u8> {
    let trained = open_model(&args.target)?;
    let options = GenerateOptions {
        prompt: args.prompt.clone(),
        length: args.length,
        temperature: args.temperature,
        top_k: args.top_k.map(|k| usize::try_from(k).unwrap_or(usize::MAX)),
        seed: args.seed,
        threads: args.threads,
        memory_limit: args.memory,
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
