//! `nnc`, a compiler for neural networks: text in, trained network out.
//!
//! This crate is the command line: arguments, streams, exit codes, pictures of mistakes. One file of
//! [`commands`] is one command; what they share stands beside them.

mod answers;
mod args;
mod commands;
mod compare_report;
mod drawing;
mod epochs;
mod excerpt;
mod failure;
mod format;
mod input;
mod neurons;
mod output;
mod pages;
mod piped;
mod port;
mod programs;
mod progress;
mod render;
mod run_page;
mod run_report;
mod runs_page;
#[cfg(feature = "serve")]
mod serve;
mod stage;
mod sweep_report;
mod table;
mod training;
mod variants;
mod version;

use clap::Parser;
use commands::Cli;
use failure::Failure;
use output::Output;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// The exit code of a mistake in the arguments, the program, the data or a file.
const MISTAKE: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = u8::try_from(error.exit_code()).unwrap_or(MISTAKE);
            // A reader of the help that went away is nobody's mistake.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let mut out = Output::new(cli.command.as_ref().is_some_and(|c| c.quiet()));
    let run = |out: &mut Output| match &cli.command {
        Some(command) => command.run(out),
        None => version::print(cli.verbose, out),
    };
    let code = match catch_unwind(AssertUnwindSafe(|| run(&mut out))) {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => report(&mut out, failure),
        Err(_) => {
            out.say(
                "this is a mistake in nnc itself, not in what you gave it; please report the lines above",
            );
            MISTAKE
        }
    };
    ExitCode::from(code)
}

/// Shows why a command ended early, and gives its exit code.
pub fn report(out: &mut Output, failure: Failure) -> u8 {
    match failure {
        Failure::Closed => 0,
        Failure::Problem { mut problem, tail } => {
            // In the order of the text; what has no place comes first.
            problem.diagnostics.sort_by_key(|d| d.labels.first().map(|l| (l.span.source, l.span.start)));
            out.diagnostics(&problem.diagnostics, &problem.sources);
            out.count(&problem.diagnostics, tail);
            problem.exit_code()
        }
    }
}
