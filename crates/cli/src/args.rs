//! The command line's words.

use clap::{Args, Parser, Subcommand, ValueEnum};
use nnc_graph::DType;
use std::path::PathBuf;

/// A compiler for neural networks: text in, trained network out.
#[derive(Parser, Debug)]
#[command(name = "nnc", version, arg_required_else_help = true, disable_help_subcommand = true)]
#[command(after_help = "\
Start here:
  nnc new xor              write xor.nn, a program with comments
  nnc train xor.nn         train it
  nnc predict xor.nn       what the trained network says

Exit codes: 0 fine, 1 training diverged or a check failed, 2 a mistake in what was given, 130 interrupted.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Train a network and keep it in a folder
    Train(TrainArgs),
    /// Go on with a run that was stopped
    Resume(ResumeArgs),
    /// Loss and metrics of a trained network
    Eval(EvalArgs),
    /// What a trained network says
    Predict(PredictArgs),
    /// Text that a trained network writes
    Generate(GenerateArgs),
    /// Look for mistakes, without training
    Check(CheckArgs),
    /// Make a trained network of weights from PyTorch or Keras
    Import(ImportArgs),
    /// What a program sees of its data: columns, roles, statistics, the first rows
    Data(DataArgs),
    /// The layers with their shapes, weights and costs
    Summary(SummaryArgs),
    /// What the compiler makes of a program, stage by stage
    Graph(GraphArgs),
    /// Write a first program, with comments
    New(NewArgs),
    /// How fast a training step is, without files
    Bench(BenchArgs),
    /// What a name, a diagnostic or a program means
    Explain(ExplainArgs),
    /// Whether programs keep what their `expect` statements promise
    Test(TestArgs),
    /// Write programs in the one usual form
    Fmt(FmtArgs),
    /// Mend mistakes that have one sure remedy
    Fix(FixArgs),
}

impl Command {
    /// Whether `-q` was given.
    pub fn quiet(&self) -> bool {
        match self {
            Command::Train(args) => args.quiet,
            Command::Resume(args) => args.quiet,
            Command::Test(args) => args.quiet,
            Command::Eval(_)
            | Command::Predict(_)
            | Command::Generate(_)
            | Command::Check(_)
            | Command::Import(_)
            | Command::Data(_)
            | Command::Summary(_)
            | Command::Graph(_)
            | Command::New(_)
            | Command::Bench(_)
            | Command::Explain(_)
            | Command::Fmt(_)
            | Command::Fix(_) => false,
        }
    }
}

/// Which program, and what is changed in it.
#[derive(Args, Debug, Clone, Default)]
pub struct SpecArgs {
    /// The program, a .nn file; `-` reads it from stdin
    #[arg(value_name = "SPEC", required_unless_present = "text")]
    pub spec: Option<String>,
    /// The program itself, instead of a file
    #[arg(
        short = 'e',
        long = "program",
        value_name = "TEXT",
        conflicts_with = "spec",
        allow_hyphen_values = true
    )]
    pub text: Option<String>,
    /// Take the data from this file instead; `-` reads CSV from stdin
    #[arg(long, value_name = "FILE")]
    pub data: Option<String>,
    /// Give a `param` of the program a value
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// Take the parameters of an `experiment` of the program
    #[arg(long = "as", value_name = "EXPERIMENT")]
    pub experiment: Option<String>,
    /// Samples in a step
    #[arg(long, value_name = "N", value_parser = positive)]
    pub batch: Option<u64>,
    /// The key of all random numbers
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// The most memory to take, such as 512M or 2G
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory: Option<u64>,
}

/// Which trained network, and with what data.
#[derive(Args, Debug, Clone)]
pub struct TargetArgs {
    /// A run's folder, a .safetensors file, or a program (its newest run)
    #[arg(value_name = "TARGET")]
    pub target: PathBuf,
    /// Take the data from this file instead; `-` reads CSV from stdin
    #[arg(long, value_name = "FILE")]
    pub data: Option<String>,
    /// Threads; 0 takes as many as the machine has
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// The most memory to take, such as 512M or 2G
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory: Option<u64>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `nnc train`
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
    /// Start from the weights of this file
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
    /// Print one JSON object at the end
    #[arg(long)]
    pub json: bool,
    /// Print the result only, in one line
    #[arg(short, long)]
    pub quiet: bool,
}

/// `nnc resume`
#[derive(Args, Debug)]
#[command(after_help = "\
The weights are, bit for bit, those of a run that was never stopped.

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
    /// Threads; 0 takes as many as the machine has
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// The most memory to take, such as 512M or 2G
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory: Option<u64>,
    /// Print one JSON object at the end
    #[arg(long)]
    pub json: bool,
    /// Print the result only, in one line
    #[arg(short, long)]
    pub quiet: bool,
}

/// `nnc eval`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc eval moons.nn                    the newest run, on the test rows if there are any
  nnc eval runs/moons/3 --on valid
  nnc eval runs/iris/1 --data more.csv --json")]
pub struct EvalArgs {
    /// Which network.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Which rows of the program's own data
    #[arg(long, value_name = "PART", value_enum, conflicts_with = "data")]
    pub on: Option<Part>,
}

/// `nnc predict`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc predict xor.nn --round
  nnc predict runs/iris/1 --data new.csv > answers.csv
  cat new.csv | nnc predict runs/iris/1/model.safetensors --data - --json")]
pub struct PredictArgs {
    /// Which network.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Round numbers to whole ones; of a class, give the name only
    #[arg(long)]
    pub round: bool,
    /// Print inputs and targets beside the predictions
    #[arg(long)]
    pub full: bool,
}

/// `nnc import`
#[derive(Args, Debug)]
#[command(after_help = "\
Make the file there:
  PyTorch   safetensors.torch.save_file(model.state_dict(), \"weights.safetensors\")
  Keras     safetensors.numpy.save_file({v.path: v.numpy() for v in model.variables}, \"weights.safetensors\")

Layers are paired by name, by shape, and, those of one shape, in the order of the numbers in their names (Keras
counts layers as they are made). Layouts, the order of gates and of flattened channels are converted. What
cannot be told is asked for; the pairs are printed.

Examples:
  nnc import weights.safetensors mnist.nn --from torch --out mnist.safetensors
  nnc import weights.safetensors gpt.nn --from torch --map 'blocks.*.ln1=transformer*.layernorm1' --skip '*.mask'
  nnc predict mnist.safetensors --data new.csv")]
pub struct ImportArgs {
    /// The weights, a .safetensors file
    #[arg(value_name = "WEIGHTS")]
    pub weights: PathBuf,
    /// The program that says the same as the model there.
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Where the weights come from
    #[arg(long, value_name = "LIBRARY", value_enum)]
    pub from: From,
    /// The model file to write, instead of the program's name with .safetensors
    #[arg(long, value_name = "FILE.safetensors")]
    pub out: Option<PathBuf>,
    /// This layer there is that one here; a `*` on both sides stands for numbers
    #[arg(long, value_name = "THEIRS=OURS", value_parser = assignment)]
    pub map: Vec<(String, String)>,
    /// Leave out this layer or tensor there; `*` stands for any characters
    #[arg(long, value_name = "NAME")]
    pub skip: Vec<String>,
    /// How exact numbers are
    #[arg(long, value_name = "TYPE", value_enum, default_value_t)]
    pub precision: Precision,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Libraries whose weights are understood.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// PyTorch
    Torch,
    /// Keras 3
    Keras,
}

/// `nnc generate`
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
    /// Threads; 0 takes as many as the machine has
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// The most memory to take, such as 512M or 2G
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory: Option<u64>,
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

/// `nnc check`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc check xor.nn
  nnc check xor.nn --gradients         compare every gradient with differences of the loss")]
pub struct CheckArgs {
    /// Which program.
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Compare the gradients with central differences, in double precision
    #[arg(long)]
    pub gradients: bool,
}

/// `nnc data`
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  nnc data iris.nn
  nnc data iris.csv                    a file without a program
  nnc data titanic.nn --rows 20 --json | jq .columns")]
pub struct DataArgs {
    /// Which program; a .csv, .npy, .npz or IDX file may stand in its place
    #[command(flatten)]
    pub spec: SpecArgs,
    /// How many of the first training rows to show
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub rows: usize,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `nnc summary`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc summary xor.nn
  nnc summary xor-experiments.nn --as deep
  nnc summary runs/xor/1 --json")]
pub struct SummaryArgs {
    /// Which program.
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `nnc graph`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc graph xor.nn                               the forward pass
  nnc graph xor.nn --stage step                  forward, backward and the optimizer
  nnc graph xor.nn --format dot | dot -Tsvg > xor.svg")]
pub struct GraphArgs {
    /// Which program.
    #[command(flatten)]
    pub spec: SpecArgs,
    /// How far to compile
    #[arg(long, value_name = "STAGE", value_enum, default_value_t)]
    pub stage: Stage,
    /// For training, or for use afterwards (forward and plan only)
    #[arg(long, value_name = "MODE", value_enum, default_value_t)]
    pub mode: Mode,
    /// How to print it
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub format: Format,
    /// How exact numbers are
    #[arg(long, value_name = "TYPE", value_enum, default_value_t)]
    pub precision: Precision,
}

/// `nnc new`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  nnc new first && nnc train first.nn")]
pub struct NewArgs {
    /// The name of the program; NAME.nn is written, never over another file
    #[arg(value_name = "NAME")]
    pub name: PathBuf,
}

/// `nnc bench`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc bench xor.nn
  nnc bench mnist.nn --threads 1 --json")]
pub struct BenchArgs {
    /// Which program.
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Threads; 0 takes as many as the machine has
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// How exact numbers are
    #[arg(long, value_name = "TYPE", value_enum, default_value_t)]
    pub precision: Precision,
    /// How long to measure
    #[arg(long, value_name = "S", default_value_t = 1.0, value_parser = seconds)]
    pub seconds: f64,
    /// Show where the time of a step goes, too
    #[arg(long)]
    pub profile: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `nnc explain`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc explain                    all that can be explained
  nnc explain dense              a layer: arguments, weights, Keras' name for it, its definition
  nnc explain Conv2D             names of Keras and PyTorch are understood
  nnc explain epochs             a statement
  nnc explain N0301              a diagnostic, with a wrong and a mended program
  nnc explain xor.nn             a program, line by line
  nnc explain kan --in my.nn     a name that a program defines")]
pub struct ExplainArgs {
    /// A name, a code such as N0301, or a program
    #[arg(value_name = "NAME|CODE|SPEC")]
    pub topic: Option<String>,
    /// Look the name up in this program too
    #[arg(long = "in", value_name = "SPEC")]
    pub within: Option<String>,
    /// Take the program's data from this file instead
    #[arg(long, value_name = "FILE")]
    pub data: Option<String>,
    /// Give a `param` of the program a value
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// Take the parameters of an `experiment` of the program
    #[arg(long = "as", value_name = "EXPERIMENT")]
    pub experiment: Option<String>,
}

/// `nnc test`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc test xor.nn
  nnc test specs               every program in the folder that promises something
  nnc test xor.nn --seeds 100  the same share of more seeds: 9 of 10 becomes 90 of 100

A program promises with `expect`:
  expect binary_accuracy >= 1 within 500 epochs in 9 of 10 seeds
  expect test_accuracy >= 97%
The first holds for a seed if it does after some epoch up to the 500th; the second is about the network that
the training leaves. Seeds count up from the program's own. No seed is tried that can change nothing any more.

Exit codes: 0 all kept, 1 one is broken, 2 a mistake in a program or its data.")]
pub struct TestArgs {
    /// Programs, or folders with programs
    #[arg(value_name = "SPEC", required = true)]
    pub specs: Vec<String>,
    /// Try so many seeds, whatever the programs say; the same share of them must hold
    #[arg(long, value_name = "N", value_parser = positive)]
    pub seeds: Option<u64>,
    /// Give a `param` of the programs a value
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// Take the parameters of an `experiment` of the programs
    #[arg(long = "as", value_name = "EXPERIMENT")]
    pub experiment: Option<String>,
    /// Threads; 0 takes as many as the machine has
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// The most memory to take, such as 512M or 2G
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory: Option<u64>,
    /// Print one JSON object at the end
    #[arg(long)]
    pub json: bool,
    /// Print the results only
    #[arg(short, long)]
    pub quiet: bool,
}

/// `nnc fmt`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc fmt                      every .nn file here and in the folders below
  nnc fmt xor.nn iris.nn
  nnc fmt --check              change nothing; exit 1 and the names of files that are not in this form
  nnc fmt - < xor.nn           from stdin to stdout

Spaces, line breaks and the alignment of rows change, and a layer written as a call becomes a step. What a
program means does not, and every comment stays.")]
pub struct FmtArgs {
    /// Programs, or folders with programs; `-` is stdin. Without any, the present folder
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,
    /// Change nothing, and tell which files would change
    #[arg(long)]
    pub check: bool,
}

/// `nnc fix`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc fix xor.nn               mend what has one sure remedy, and show what is left
  nnc fix xor.nn --dry-run     show the changes as a diff, and write nothing

Mistakes that `nnc fix` can mend say so. It never guesses: where two remedies are likely, it leaves the choice
to you.")]
pub struct FixArgs {
    /// Programs, or folders with programs; `-` is stdin
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
    /// Write nothing, and show what would change
    #[arg(long)]
    pub dry_run: bool,
}

/// How exact numbers are.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Precision {
    /// Single precision, about 7 digits
    #[default]
    F32,
    /// Double precision, about 16 digits
    F64,
}

impl Precision {
    /// The type of floats.
    pub fn dtype(self) -> DType {
        match self {
            Precision::F32 => DType::F32,
            Precision::F64 => DType::F64,
        }
    }
}

/// A part of the data.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// What it was trained on
    Train,
    /// What was watched meanwhile
    Valid,
    /// What was kept for the end
    Test,
    /// All rows
    All,
}

/// How far to compile.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Stage {
    /// The statements as they were read
    Ast,
    /// The network, layer by layer
    Layers,
    /// Predictions, loss and metrics
    #[default]
    Forward,
    /// With the gradient of every weight
    Backward,
    /// With the optimizer: what training runs
    Step,
    /// The instructions and where their values lie in memory
    Plan,
}

/// For what the graph is.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// As training computes it
    #[default]
    Train,
    /// As it is computed afterwards
    Eval,
}

/// How to print a stage.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// Lines that parse back
    #[default]
    Text,
    /// A picture for Graphviz
    Dot,
    /// Data for programs
    Json,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() && !value.trim().is_empty() => {
            Ok((name.trim().to_string(), value.trim().to_string()))
        }
        _ => Err("a name and a value: --set hidden=32".into()),
    }
}

fn positive(text: &str) -> Result<u64, String> {
    let digits = text.replace('_', "");
    match digits.parse::<u64>() {
        Ok(n) if n > 0 => Ok(n),
        Ok(_) => Err("1 or more".into()),
        Err(_) => Err("a whole number, 1 or more".into()),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(s) if s > 0.0 && s <= 86_400.0 => Ok(s),
        _ => Err("seconds, more than 0".into()),
    }
}

/// Bytes: `1073741824`, `512M`, `1.5GiB`. Units are powers of 1024.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || "a size such as 512M or 2G".to_string();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')).unwrap_or(text.len());
    let number: f64 = text[..end].replace('_', "").parse().map_err(|_| wrong())?;
    let unit = text[end..].trim().to_ascii_lowercase();
    let power = match unit.trim_end_matches('b').trim_end_matches('i') {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return Err(wrong()),
    };
    let bytes = number * 1024f64.powi(power);
    if bytes >= 1.0 && bytes < u64::MAX as f64 { Ok(bytes as u64) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_are_read() {
        assert_eq!(size("1024"), Ok(1024));
        assert_eq!(size("512M"), Ok(512 << 20));
        assert_eq!(size("1.5GiB"), Ok(3 << 29));
        assert_eq!(size("2 gb"), Ok(2 << 30));
        for wrong in ["", "M", "0", "-1", "1X", "1e40T", "1.2.3", "inf"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn assignments_are_read() {
        assert_eq!(assignment("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(assignment("a").is_err() && assignment("=b").is_err() && assignment("a=").is_err());
    }
}
