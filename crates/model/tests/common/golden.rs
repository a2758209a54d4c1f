//! Golden files: tensors with a JSON text, in the safetensors format.
#![allow(dead_code)]

use nnc_graph::eval::Array;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

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
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder(name))
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
            "F32" => {
                part.chunks(4).map(|c| f64::from(f32::from_le_bytes(c.try_into().unwrap()))).collect()
            }
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
