//! `nnc import`: weights of another library become a trained network, and programs of another library become one in nnc.

use crate::args::{Precision, SpecArgs, assignment};
use crate::commands::Run;
use crate::failure::{Failure, Result};
use crate::format::count;
use crate::input::{self, Length};
use crate::output::Output;
use crate::port;
use clap::builder::Resettable;
use clap::{ArgMatches, Args, Command, FromArgMatches, ValueEnum};
use nnc_artifact::foreign::Library;
use nnc_artifact::write_atomic;
use nnc_train::{ImportOptions, import};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Make a program of one in Keras or PyTorch, or a trained network of their weights
#[derive(Args, Debug)]
#[command(after_help = "\
A program is read, never run: Keras' Sequential and functional form, nn.Sequential, and models whose forward or
call is a chain of layers. The program goes to stdout or into the file of --out; stderr tells each line that is
not in it, and why. Weights are a file that is made there:
  nnc import model.py -o model.nn

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
    /// A program, a .py file; or weights, a .safetensors file
    #[arg(value_name = "FILE")]
    pub weights: PathBuf,
    /// The program that says the same as the model there.
    #[command(flatten)]
    pub spec: Program,
    /// Where the weights come from
    #[arg(long, value_name = "LIBRARY", value_enum)]
    pub from: Option<From>,
    /// The file to write: a model (the program's name with .safetensors where not given), or a program
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write over a program that is there already
    #[arg(long)]
    pub overwrite: bool,
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

/// The program for some weights; there is none where a program is translated.
#[derive(Debug, Clone)]
pub struct Program(SpecArgs);

impl Args for Program {
    fn augment_args(command: Command) -> Command {
        SpecArgs::augment_args(command)
            .mut_arg("spec", |spec| spec.required_unless_present(Resettable::Reset))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Program {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        SpecArgs::from_arg_matches(matches).map(Program)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

/// Libraries whose weights are understood.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// PyTorch
    Torch,
    /// Keras 3
    Keras,
}

/// What follows from a mistake.
const NOTHING: &str = "nothing was written";

impl Run for ImportArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Pairs the layers, converts their numbers, writes the model.
fn run(args: &ImportArgs, out: &mut Output) -> Result<u8> {
    let file = args.weights.to_string_lossy();
    let given = args.spec.0.spec.is_some() || args.spec.0.text.is_some();
    let weights = args.from.is_some() || given || input::is_binary(&args.weights);
    if !weights {
        return program(args, &file, out);
    }
    let (Some(from), true) = (args.from, given) else {
        let help = format!("nnc import {file} model.nn --from torch   (or --from keras)");
        let what = "weights need the program that says the same as the model there, and where they come from";
        return Err(Failure::usage(what, help).with_tail(NOTHING));
    };
    let args_spec = &args.spec.0;
    let to = args.out.clone().unwrap_or_else(|| default_output(args_spec.spec.as_deref()));
    if same(&to, &args.weights) {
        let help = "--out FILE names another file";
        return Err(Failure::usage("the model would be written over the weights", help).with_tail(NOTHING));
    }
    let prepared = input::spec(args_spec, Length::default(), out).and_then(|spec| {
        let loaded = input::data(args_spec, spec, out)?;
        let model = input::model(&loaded, args.precision, out)?;
        Ok((loaded, model))
    });
    let (loaded, model) = prepared.map_err(|f| f.with_tail(NOTHING))?;
    let options = ImportOptions {
        from: match from {
            From::Torch => Library::Torch,
            From::Keras => Library::Keras,
        },
        map: args.map.clone(),
        skip: args.skip.clone(),
        memory_limit: args_spec.memory,
    };
    let imported =
        import(&loaded, &model, &args.weights, &options).map_err(|p| Failure::from(p).with_tail(NOTHING))?;
    write_atomic(&to, &imported.bytes).map_err(|e| {
        let help = "--out FILE names another place";
        Failure::usage(format!("`{}` cannot be written: {e}", to.display()), help)
    })?;
    if args.json {
        let pairs = imported.pairs.iter().map(|(theirs, ours)| json!({ "from": theirs, "to": ours }));
        out.json(&json!({ "model": to.display().to_string(), "layers": pairs.collect::<Vec<_>>() }))?;
        return Ok(0);
    }
    let wide = imported.pairs.iter().map(|(theirs, _)| theirs.chars().count()).max().unwrap_or(0);
    for (theirs, ours) in &imported.pairs {
        out.result(&format!("{theirs:<wide$}  is  {ours}\n"))?;
    }
    let layers = count(imported.pairs.len() as u64, "layer");
    out.note(&format!("{layers} in {}", to.display()));
    Ok(0)
}

/// Translates a program of another library.
fn program(args: &ImportArgs, file: &str, out: &mut Output) -> Result<u8> {
    let (name, text) = input::named(file)?;
    let Some(ported) = nnc_port::translate(&text) else {
        let what = format!("`{name}` is neither a program of Keras or PyTorch nor a file of weights");
        let help = "a program imports keras, tensorflow or torch; weights are a .safetensors file: nnc import w.safetensors net.nn --from torch";
        return Err(Failure::usage(what, help).with_tail(NOTHING));
    };
    if !ported.network {
        port::account(&name, &ported, out);
        return Err(port::without_network(&name, &ported).with_tail(NOTHING));
    }
    if args.json {
        let left = ported.left.iter().map(|l| json!({ "line": l.line, "text": l.text, "why": l.why }));
        let left = left.collect::<Vec<_>>();
        out.json(&json!({ "from": ported.library.name(), "program": ported.program, "left": left }))?;
    }
    match &args.out {
        Some(to) if (to.exists() && !args.overwrite) || same(to, &args.weights) => {
            let help = "--overwrite writes over it; -o FILE.nn names another file";
            return Err(
                Failure::usage(format!("`{}` is there already", to.display()), help).with_tail(NOTHING)
            );
        }
        Some(to) => {
            write_atomic(to, ported.program.as_bytes()).map_err(|e| {
                Failure::usage(
                    format!("`{}` cannot be written: {e}", to.display()),
                    "-o FILE.nn names another place",
                )
            })?;
            out.note(&format!("{} is {name} in nnc", to.display()));
        }
        None if args.json => {}
        None => out.result(&ported.program)?,
    }
    port::account(&name, &ported, out);
    Ok(0)
}

/// `gpt.nn` becomes `gpt.safetensors` in the present folder.
fn default_output(spec: Option<&str>) -> PathBuf {
    let stem = spec.filter(|s| *s != "-").and_then(|s| Path::new(s).file_stem());
    Path::new(stem.unwrap_or("model".as_ref())).with_extension("safetensors")
}

fn same(a: &Path, b: &Path) -> bool {
    match (std::fs::canonicalize(a), std::fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
