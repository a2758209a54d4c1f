//! The commands, one file each.

mod bench;
mod check;
mod data;
mod eval;
mod explain;
mod fix;
mod fmt;
mod folds;
mod generate;
mod graph;
mod import;
mod new;
mod predict;
mod resume;
mod summary;
mod test;
mod train;

use crate::args::Command;
use crate::failure::Result;
use crate::output::Output;

/// Runs a command and gives its exit code.
pub fn run(command: &Command, out: &mut Output) -> Result<u8> {
    match command {
        Command::Train(args) => train::run(args, out),
        Command::Resume(args) => resume::run(args, out),
        Command::Eval(args) => eval::run(args, out),
        Command::Predict(args) => predict::run(args, out),
        Command::Generate(args) => generate::run(args, out),
        Command::Import(args) => import::run(args, out),
        Command::Check(args) => check::run(args, out),
        Command::Data(args) => data::run(args, out),
        Command::Summary(args) => summary::run(args, out),
        Command::Graph(args) => graph::run(args, out),
        Command::New(args) => new::run(args, out),
        Command::Bench(args) => bench::run(args, out),
        Command::Test(args) => test::run(args, out),
        Command::Explain(args) => explain::run(args, out),
        Command::Fmt(args) => fmt::run(args, out),
        Command::Fix(args) => fix::run(args, out),
    }
}
