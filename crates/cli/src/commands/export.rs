//! `nnc export`: a trained network for programs that know nothing of nnc.

use crate::commands::Run;
use crate::failure::{Failure, Result};
use crate::format::bytes;
use crate::output::Output;
use clap::{Args, ValueEnum};
use nnc_artifact::write_atomic;
use nnc_export::{Package, c, onnx, stablehlo};
use nnc_train::{InferOptions, Trained, evaluate, open_model};
use std::path::{Path, PathBuf};

/// Write a trained network as C, ONNX or StableHLO, for programs that know nothing of nnc
#[derive(Args, Debug)]
#[command(
    override_usage = "nnc export <FORMAT> <RUN> [OPTIONS]\n       nnc export --list <RUN>",
    after_help = "\
Examples:
  nnc export c iris.nn                    the newest run: iris.c and iris.h
  nnc export c runs/iris/1 -o model.c     model.c and model.h
  nnc export c mnist.nn --int8            weights as whole numbers, and what that costs
  nnc export c iris.nn --train            with the training step
  nnc export onnx iris.nn                 iris.onnx, for onnxruntime and others
  nnc export onnx iris.nn --text          what stands in it, for people
  nnc export stablehlo iris.nn -o out     a folder: predictions and training steps for XLA
  nnc export --list iris.nn               what this network can be written as, and what not

What is written takes rows as the file has them: numbers in their units, texts, gaps. --no-preprocessing
leaves that out, and takes numbers as the network sees them."
)]
pub struct ExportArgs {
    /// What to write, and which network: a run's folder, a .safetensors file, or a program (its newest run)
    #[arg(value_names = ["FORMAT", "RUN"], num_args = 1..=2, required = true)]
    pub what: Vec<PathBuf>,
    /// Write to this file; StableHLO: to this folder
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Tell what this network can be written as, and what not
    #[arg(long, conflicts_with = "out")]
    pub list: bool,
    /// ONNX: print what would stand in the file, and write nothing
    #[arg(long, conflicts_with = "out")]
    pub text: bool,
    /// Leave out what turns rows of a file into what the network sees, and what it says into answers
    #[arg(long)]
    pub no_preprocessing: bool,
    /// C: weights of one byte, and what that costs on held-out rows
    #[arg(long)]
    pub int8: bool,
    /// C: without math.h
    #[arg(long)]
    pub no_math: bool,
    /// C: with the training step, so that the code can go on learning
    #[arg(long)]
    pub train: bool,
}

/// What a network can be written as.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    C,
    Onnx,
    #[value(name = "stablehlo")]
    StableHlo,
}

impl Format {
    /// Its name in arguments.
    fn name(self) -> &'static str {
        match self {
            Format::C => "c",
            Format::Onnx => "onnx",
            Format::StableHlo => "stablehlo",
        }
    }

    /// What it is, in short.
    fn about(self) -> &'static str {
        match self {
            Format::C => "one C99 file and a header, which need nothing else",
            Format::Onnx => "one ONNX file (operators of set 19), for onnxruntime and others",
            Format::StableHlo => "a folder of StableHLO modules, for JAX and whatever else runs XLA",
        }
    }

    /// The ending of its file or folder.
    fn ending(self) -> &'static str {
        match self {
            Format::C => "c",
            Format::Onnx => "onnx",
            Format::StableHlo => "stablehlo",
        }
    }
}

/// What follows from a mistake.
const NOTHING: &str = "nothing was written";

impl Run for ExportArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out).map_err(|f| f.with_tail(NOTHING))
    }
}

impl ExportArgs {
    /// Says of an option that it is another format's.
    fn fit(&self, format: Format) -> Result<()> {
        if self.no_preprocessing && format == Format::StableHlo {
            let message = "modules of StableHLO take numbers as the network sees them in any case";
            return Err(Failure::usage(message, "leave out --no-preprocessing"));
        }
        let options = [
            ("--int8", self.int8, Format::C),
            ("--no-math", self.no_math, Format::C),
            ("--train", self.train, Format::C),
            ("--text", self.text, Format::Onnx),
        ];
        match options.iter().find(|(_, given, of)| *given && *of != format) {
            None => Ok(()),
            Some((name, _, of)) => {
                let message = format!("{name} is for {}, not for {}", of.name(), format.name());
                Err(Failure::usage(message, format!("leave out {name}")))
            }
        }
    }
}

fn run(args: &ExportArgs, out: &mut Output) -> Result<u8> {
    let (format, run) = match (&args.what[..], args.list) {
        ([run], true) => (None, run),
        ([format, run], false) => (Some(named(format)?), run),
        ([_, run], true) => {
            return Err(Failure::usage(
                "--list is about all formats",
                format!("nnc export --list {}", run.display()),
            ));
        }
        ([one, ..], _) => {
            let (format, run) = match named(one) {
                Ok(format) => (format.name(), "RUN".to_string()),
                Err(_) => ("c", one.display().to_string()),
            };
            let help = format!("nnc export {format} {run}");
            return Err(Failure::usage("the format and the network are both needed", help));
        }
        ([], _) => return Ok(0),
    };
    if let Some(format) = format {
        args.fit(format)?;
    }
    let trained = open_model(run)?;
    let Some(format) = format else { return list(&trained, out) };
    let mut package = trained.package()?;
    let path =
        args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}.{}", package.name, format.ending())));
    if let (Some(stem), true) = (path.file_stem(), args.out.is_some()) {
        package.name = stem.to_string_lossy().into_owned();
    }
    match format {
        Format::C => write_c(args, &trained, &package, &path, out),
        Format::Onnx => write_onnx(args, &package, &path, out),
        Format::StableHlo => write_stablehlo(&trained, &path, out),
    }
}

fn named(format: &Path) -> Result<Format> {
    let text = format.to_string_lossy();
    Format::from_str(&text, true).map_err(|_| {
        let all: Vec<&str> = Format::value_variants().iter().map(|f| f.name()).collect();
        Failure::usage(format!("there is no format `{text}`"), format!("formats: {}", all.join(", ")))
    })
}

fn write_c(
    args: &ExportArgs,
    trained: &Trained,
    package: &Package,
    path: &Path,
    out: &mut Output,
) -> Result<u8> {
    let header = path.with_extension("h");
    if header == path {
        let message = format!("`{}` is where the header goes", path.display());
        return Err(Failure::usage(message, format!("--out {}", path.with_extension("c").display())));
    }
    let include = header.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let options = c::Options { int8: args.int8, no_math: args.no_math, plain: args.no_preprocessing };
    let lesson = if args.train { Some(trained.lesson()?) } else { None };
    let source =
        c::export(package, &include, &options, lesson.as_ref()).map_err(|e| Failure::usage(e, ""))?;
    write(path, source.source.as_bytes())?;
    write(&header, source.header.as_bytes())?;
    out.note(&format!(
        "{} of weights, {} of working memory",
        bytes(source.weights as u64),
        bytes(source.work as u64)
    ));
    if args.int8 {
        out.note(&cost(trained, package)?);
    }
    out.result(&format!("{}\n{}\n", path.display(), header.display()))?;
    Ok(0)
}

fn write_onnx(args: &ExportArgs, package: &Package, path: &Path, out: &mut Output) -> Result<u8> {
    let options = onnx::Options { plain: args.no_preprocessing };
    let file = onnx::export(package, &options).map_err(|e| Failure::usage(e, ""))?;
    if args.text {
        out.result(&file.text)?;
        return Ok(0);
    }
    write(path, &file.bytes)?;
    out.note(&format!("{} of weights, {} operators", bytes(file.weights as u64), file.nodes));
    out.result(&format!("{}\n", path.display()))?;
    Ok(0)
}

/// Writes the modules of the training into a folder, with weights, manifest and script.
fn write_stablehlo(trained: &Trained, folder: &Path, out: &mut Output) -> Result<u8> {
    let (training, weights) = trained.training()?;
    let files = training.files().map_err(|e| Failure::usage(e, ""))?;
    std::fs::create_dir_all(folder).map_err(|e| {
        let message = format!("the folder `{}` cannot be made: {e}", folder.display());
        Failure::usage(message, "--out FOLDER names another folder")
    })?;
    let mut written = String::new();
    let texts = files.iter().map(|(name, text)| (name.as_str(), text.as_bytes().to_vec()));
    for (name, contents) in texts.chain([(stablehlo::WEIGHTS, weights.to_bytes())]) {
        let path = folder.join(name);
        write(&path, &contents)?;
        written += &format!("{}\n", path.display());
    }
    out.result(&written)?;
    Ok(0)
}

/// What it costs that weights are whole numbers.
fn cost(trained: &Trained, package: &Package) -> Result<String> {
    let options = InferOptions::default();
    let exact = evaluate(trained, None, &options)?;
    let rounded = evaluate(&trained.with_weights(&c::rounded(package)), None, &options)?;
    let mut text = format!(
        "on {} rows ({}): loss {:.5}, in one byte {:.5}",
        exact.rows, exact.on, exact.figures.loss, rounded.figures.loss
    );
    for ((name, a), (_, b)) in exact.figures.metrics.iter().zip(&rounded.figures.metrics) {
        text += &format!("; {name} {a:.5}, in one byte {b:.5}");
    }
    Ok(text)
}

fn write(path: &Path, contents: &[u8]) -> Result<()> {
    write_atomic(path, contents).map_err(|e| {
        let message = format!("`{}` cannot be written: {e}", path.display());
        Failure::usage(message, "--out FILE names another file")
    })
}

fn list(trained: &Trained, out: &mut Output) -> Result<u8> {
    let package = trained.package();
    for format in Format::value_variants() {
        let said = match &package {
            Err(problem) => problem.diagnostics.first().map(|d| d.message.clone()).unwrap_or_default(),
            Ok(package) => match format {
                Format::C => match c::export(package, "model.h", &c::Options::default(), None) {
                    Ok(source) => {
                        format!("{}: {} of weights", format.about(), bytes(source.weights as u64))
                    }
                    Err(why) => format!("not possible: {why}"),
                },
                Format::Onnx => match onnx::export(package, &onnx::Options::default()) {
                    Ok(file) => format!("{}: {} of weights", format.about(), bytes(file.weights as u64)),
                    Err(why) => format!("not possible: {why}"),
                },
                Format::StableHlo => match stablehlo::possible(package) {
                    Ok(lines) => format!("{}: {lines} lines for predictions", format.about()),
                    Err(why) => format!("not possible: {why}"),
                },
            },
        };
        out.line(&format!("{:<10} {said}", format.name()))?;
    }
    if let Ok(package) = &package {
        for input in package.inputs.iter().filter(|i| i.columns.is_empty()) {
            out.line(&format!("{:<10} the input `{}` is given as {}", "", input.name, input.what))?;
        }
    }
    Ok(0)
}
