//! `nnc import`: weights of another library become a trained network.

use crate::args::{From, ImportArgs};
use crate::failure::{Failure, Result};
use crate::figures::count;
use crate::input::{self, Length};
use crate::output::Output;
use nnc_artifact::foreign::Library;
use nnc_artifact::write_atomic;
use nnc_train::{ImportOptions, import};
use serde_json::json;
use std::path::{Path, PathBuf};

/// What follows from a mistake.
const NOTHING: &str = "nothing was written";

/// Pairs the layers, converts their numbers, writes the model.
pub fn run(args: &ImportArgs, out: &mut Output) -> Result<u8> {
    let to = args.out.clone().unwrap_or_else(|| beside(args.spec.spec.as_deref()));
    if same(&to, &args.weights) {
        let help = "--out FILE names another file";
        return Err(Failure::usage("the model would be written over the weights", help).so(NOTHING));
    }
    let prepared = input::spec(&args.spec, Length::default(), out).and_then(|spec| {
        let loaded = input::data(&args.spec, spec, out)?;
        let model = input::model(&loaded, args.precision, out)?;
        Ok((loaded, model))
    });
    let (loaded, model) = prepared.map_err(|f| f.so(NOTHING))?;
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
        import(&loaded, &model, &args.weights, &options).map_err(|p| Failure::from(p).so(NOTHING))?;
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
fn beside(spec: Option<&str>) -> PathBuf {
    let stem = spec.filter(|s| *s != "-").and_then(|s| Path::new(s).file_stem());
    Path::new(stem.unwrap_or("model".as_ref())).with_extension("safetensors")
}

fn same(a: &Path, b: &Path) -> bool {
    match (std::fs::canonicalize(a), std::fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
