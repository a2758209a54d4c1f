//! `nnc import`: weights of another library become a trained network.

use crate::args::{Precision, SpecArgs, assignment};
use crate::commands::Run;
use crate::failure::{Failure, Result};
use crate::format::count;
use crate::input::{self, Length};
use crate::output::Output;
use clap::{Args, ValueEnum};
use nnc_artifact::foreign::Library;
use nnc_artifact::write_atomic;
use nnc_train::{ImportOptions, import};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Make a trained network of weights from PyTorch or Keras
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

/// What follows from a mistake.
const NOTHING: &str = "nothing was written";

impl Run for ImportArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Pairs the layers, converts their numbers, writes the model.
fn run(args: &ImportArgs, out: &mut Output) -> Result<u8> {
    let to = args.out.clone().unwrap_or_else(|| default_output(args.spec.spec.as_deref()));
    if same(&to, &args.weights) {
        let help = "--out FILE names another file";
        return Err(Failure::usage("the model would be written over the weights", help).with_tail(NOTHING));
    }
    let prepared = input::spec(&args.spec, Length::default(), out).and_then(|spec| {
        let loaded = input::data(&args.spec, spec, out)?;
        let model = input::model(&loaded, args.precision, out)?;
        Ok((loaded, model))
    });
    let (loaded, model) = prepared.map_err(|f| f.with_tail(NOTHING))?;
    let options = ImportOptions {
        from: match args.from {
            From::Torch => Library::Torch,
            From::Keras => Library::Keras,
        },
        map: args.map.clone(),
        skip: args.skip.clone(),
        memory_limit: args.spec.memory,
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
