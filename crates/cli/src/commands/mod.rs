//! The commands, one file each: what a command may be given stands with what it does.

mod bench;
mod check;
mod compare;
mod completions;
mod data;
mod diff;
mod eval;
mod explain;
mod explain_run;
mod export;
mod fix;
mod fmt;
mod folds;
mod generate;
mod graph;
mod import;
#[cfg(feature = "lsp")]
mod lsp;
mod man;
mod new;
mod predict;
mod report;
mod reproduce;
mod resume;
pub mod runs;
#[cfg(feature = "serve")]
mod serve;
mod summary;
mod sweep;
mod test;
pub mod train;
mod why;

use crate::failure::Result;
use crate::output::Output;
use clap::{Parser, Subcommand};

/// A compiler for neural networks: text in, trained network out.
#[derive(Parser, Debug)]
#[command(name = "nnc", version, disable_version_flag = true, arg_required_else_help = true)]
#[command(args_conflicts_with_subcommands = true)]
#[command(override_usage = "nnc <COMMAND>\n       nnc --version [--verbose]")]
#[command(after_help = "\
Start here:
  nnc new xor              write xor.nn, a program with comments
  nnc train xor.nn         train it
  nnc predict xor.nn       what the trained network says

Exit codes: 0 fine, 1 training diverged or a check failed, 2 a mistake in what was given, 130 interrupted.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Print the version
    #[arg(short = 'V', long)]
    pub version: bool,
    /// With the version: features, vectors, threads, memory
    #[arg(short, long, requires = "version")]
    pub verbose: bool,
}

/// The commands, in the order of the help.
#[derive(Subcommand, Debug)]
#[allow(missing_docs)]
pub enum Command {
    Train(train::TrainArgs),
    Resume(resume::ResumeArgs),
    Reproduce(reproduce::ReproduceArgs),
    Why(why::WhyArgs),
    Sweep(sweep::SweepArgs),
    Compare(compare::CompareArgs),
    Runs(runs::RunsArgs),
    Report(report::ReportArgs),
    Eval(eval::EvalArgs),
    Predict(predict::PredictArgs),
    #[cfg(feature = "serve")]
    Serve(serve::ServeArgs),
    Generate(generate::GenerateArgs),
    Check(check::CheckArgs),
    Import(import::ImportArgs),
    Export(export::ExportArgs),
    Data(data::DataArgs),
    Summary(summary::SummaryArgs),
    Diff(diff::DiffArgs),
    Graph(graph::GraphArgs),
    New(new::NewArgs),
    Bench(bench::BenchArgs),
    Explain(explain::ExplainArgs),
    Test(test::TestArgs),
    Fmt(fmt::FmtArgs),
    Fix(fix::FixArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    #[cfg(feature = "lsp")]
    Lsp(lsp::LspArgs),
}

/// What every command can do.
trait Run {
    /// Whether only the result and what is wrong are shown.
    fn quiet(&self) -> bool {
        false
    }

    /// Runs it and gives its exit code.
    fn run(&self, out: &mut Output) -> Result<u8>;
}

impl Command {
    fn command(&self) -> &dyn Run {
        match self {
            Command::Train(args) => args,
            Command::Resume(args) => args,
            Command::Reproduce(args) => args,
            Command::Why(args) => args,
            Command::Sweep(args) => args,
            Command::Compare(args) => args,
            Command::Runs(args) => args,
            Command::Report(args) => args,
            Command::Eval(args) => args,
            Command::Predict(args) => args,
            #[cfg(feature = "serve")]
            Command::Serve(args) => args,
            Command::Generate(args) => args,
            Command::Check(args) => args,
            Command::Import(args) => args,
            Command::Export(args) => args,
            Command::Data(args) => args,
            Command::Summary(args) => args,
            Command::Diff(args) => args,
            Command::Graph(args) => args,
            Command::New(args) => args,
            Command::Bench(args) => args,
            Command::Explain(args) => args,
            Command::Test(args) => args,
            Command::Fmt(args) => args,
            Command::Fix(args) => args,
            Command::Completions(args) => args,
            Command::Man(args) => args,
            #[cfg(feature = "lsp")]
            Command::Lsp(args) => args,
        }
    }

    /// Whether `-q` was given.
    pub fn quiet(&self) -> bool {
        self.command().quiet()
    }

    /// Runs the command and gives its exit code.
    pub fn run(&self, out: &mut Output) -> Result<u8> {
        self.command().run(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }
}
