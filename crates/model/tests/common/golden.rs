//! Golden files: tensors with a JSON text, in the safetensors format.
#![allow(dead_code, clippy::unwrap_used)]

use nnc_graph::eval::Array;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What we spell otherwise than the text in a golden file, by folder and name.
pub const SPELLED: &[(&str, &str, &str)] = &[
    // Self and cross attention have different weights, so they are two layers.
    ("layers", "attention-cross", "x, memory -> cross_attention 2"),
    // `transpose` is a function already; its axes count from 0, as everywhere else.
    ("layers", "permute", "transpose [2, 0, 1]"),
    // One name for a thing: `exp` is a function already, and any function is an activation.
    ("activations", "exponential", "exp"),
    // `cosine` is a schedule.
    ("losses", "cosine", "loss cosine_similarity"),
    // Three ways to clip, one setting.
    ("optimizers", "clip-value-f64", "optimizer sgd\nclip value=0.5"),
    ("optimizers", "clip-norm-f64", "optimizer sgd\nclip norm=1.5"),
    // A rule that follows another.
    ("optimizers", "ema-f64", "optimizer sgd ema=0.9"),
    // A schedule is a factor, so rates become factors.
    ("schedules", "polynomial", "schedule polynomial steps=20 floor=0.001"),
    ("schedules", "polynomial-power", "schedule polynomial steps=20 floor=0.1 power=2"),
    ("schedules", "polynomial-cycle", "schedule polynomial steps=8 floor=0.1 power=0.5 cycle"),
    ("schedules", "step", "schedule piecewise at=[5, 12, 20] to=[0.5, 0.1, 0.01]"),
];

/// Cases that ours differs from on purpose, and why.
pub const NOT_OURS: &[(&str, &str, &str)] = &[
    (
        "activations",
        "log_softmax-time",
        "over one number: refused, since the output would be 0 whatever the weights",
    ),
    ("optimizers", "adamw-all", "decay leaves biases and scales (rank 1) alone"),
    ("optimizers", "ema-overwrite", "an average is kept beside the weights and does not overwrite them"),
];

/// Our text of a golden case: that of the file, if not spelled otherwise.
pub fn spelled<'a>(folder: &str, name: &str, text: &'a str) -> &'a str {
    SPELLED.iter().find(|(f, n, _)| *f == folder && *n == name).map_or(text, |(_, _, ours)| ours)
}

/// One golden file.
pub struct Golden {
    /// Its name without the ending.
    pub name: String,
    /// What stands under the key `golden`.
    pub about: Value,
    /// Its tensors in double precision.
    pub tensors: BTreeMap<String, Array>,
    /// Which of them are whole numbers.
    pub whole: Vec<String>,
}

/// The folder of the golden files.
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/keras").join(name)
}

/// All golden files of a folder, by name.
pub fn all(name: &str) -> Vec<Golden> {
    in_folder(&folder(name))
}

/// The losses or optimizers that come from PyTorch, by name.
pub fn torch(name: &str) -> Vec<Golden> {
    in_folder(&folder("../torch").join(name))
}

fn in_folder(folder: &Path) -> Vec<Golden> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "safetensors"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths.iter().map(|p| read(p)).collect()
}

/// Reads one.
pub fn read(path: &Path) -> Golden {
    let bytes = std::fs::read(path).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: BTreeMap<String, Value> = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let data = &bytes[8 + length..];
    let mut out = Golden {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        about: Value::Null,
        tensors: BTreeMap::new(),
        whole: Vec::new(),
    };
    for (name, entry) in header {
        if name == "__metadata__" {
            if let Some(text) = entry["golden"].as_str() {
                out.about = serde_json::from_str(text).unwrap();
            }
            continue;
        }
        let numbers = |v: &Value| -> Vec<usize> {
            v.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect()
        };
        let (dims, offsets) = (numbers(&entry["shape"]), numbers(&entry["data_offsets"]));
        let part = &data[offsets[0]..offsets[1]];
        let values: Vec<f64> = match entry["dtype"].as_str().unwrap() {
            "F32" => part.chunks(4).map(|c| f64::from(f32::from_le_bytes(c.try_into().unwrap()))).collect(),
            "F64" => part.chunks(8).map(|c| f64::from_le_bytes(c.try_into().unwrap())).collect(),
            "I32" => {
                out.whole.push(name.clone());
                part.chunks(4).map(|c| f64::from(i32::from_le_bytes(c.try_into().unwrap()))).collect()
            }
            other => panic!("{name} is {other}"),
        };
        out.tensors.insert(name, Array::new(&dims, values));
    }
    out
}

impl Golden {
    /// A text of its JSON.
    pub fn text(&self, key: &str) -> &str {
        self.about[key].as_str().unwrap_or("")
    }

    /// The tensors below a prefix, without it.
    pub fn below(&self, prefix: &str) -> Vec<(String, &Array)> {
        let under = self.tensors.iter().filter_map(|(n, a)| Some((n.strip_prefix(prefix)?.to_string(), a)));
        under.collect()
    }
}

/// The largest of the absolute numbers.
pub fn largest(a: &Array) -> f64 {
    a.data.iter().fold(0.0, |m, v| m.max(v.abs()))
}

/// Compares on the scale of the largest number, which is taken to be at least `floor`.
pub fn close(what: &str, found: &Array, wanted: &Array, rtol: f64, floor: f64) -> Result<(), String> {
    if found.data.len() != wanted.data.len() {
        return Err(format!("{what} has the shape {:?}, not {:?}", found.dims, wanted.dims));
    }
    let scale = largest(wanted).max(floor);
    for (i, (f, w)) in found.data.iter().zip(&wanted.data).enumerate() {
        // Not `>`, so that a NaN is far from everything.
        let near = (f - w).abs() <= rtol * scale;
        if !near {
            return Err(format!("{what}[{i}] is {f}, not {w} (scale {scale})"));
        }
    }
    Ok(())
}
