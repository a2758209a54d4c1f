//! Tensors that belong together, on both sides.

use super::{Array, Library, Wanted};
use crate::{Tensor, TensorFile};
use std::collections::BTreeMap;

/// A layer of the other library: its tensors by what they are for.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub from: Library,
    /// The layer's name there, such as `features.0`.
    pub name: String,
    /// By the last word of their names, such as `weight`; a lone tensor by the empty word.
    pub tensors: BTreeMap<String, Array>,
    /// The whole names.
    pub names: Vec<String>,
}

impl Part {
    pub fn get(&self, leaf: &str) -> Option<&Array> {
        self.tensors.get(leaf)
    }

    /// Whether it has these tensors, perhaps those, and no other.
    pub fn has(&self, all: &[&str], perhaps: &[&str]) -> bool {
        all.iter().all(|n| self.tensors.contains_key(*n))
            && self.tensors.keys().all(|n| all.contains(&n.as_str()) || perhaps.contains(&n.as_str()))
    }

    /// Whether its name says that it is an embedding: the last product of a language model has the same shape.
    pub fn says_embedding(&self) -> bool {
        let mut words = self.name.split(['.', '/', '_']);
        words.any(|word| ["emb", "tok", "wte", "wpe", "vocab"].iter().any(|w| word.starts_with(w)))
    }

    /// Whether it is attention with all its products.
    pub fn is_attention(&self) -> bool {
        ["in_proj_weight", "q_proj_weight", "query/kernel"].iter().any(|n| self.tensors.contains_key(*n))
    }
}

/// A layer of the program: its tensors by the rest of their paths.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// Such as `dense1`.
    pub name: String,
    /// Such as `w`, or `dense1.w` of attention.
    pub tensors: BTreeMap<String, Wanted>,
}

impl Group {
    pub fn get(&self, leaf: &str) -> Option<&Wanted> {
        self.tensors.get(leaf)
    }

    /// As [`Part::has`].
    pub fn has(&self, all: &[&str], perhaps: &[&str]) -> bool {
        all.iter().all(|n| self.tensors.contains_key(*n))
            && self.tensors.keys().all(|n| all.contains(&n.as_str()) || perhaps.contains(&n.as_str()))
    }
}

/// Whether a text is matched by a pattern in which `*` stands for any characters.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    true
}

fn array(t: &Tensor) -> Array {
    let data = (0..t.values.len()).filter_map(|i| t.values.get(i)).collect();
    Array { shape: t.shape.clone(), data }
}

/// What tensors of a layer of PyTorch are called.
const TORCH: &[&str] = &[
    "weight",
    "bias",
    "running_mean",
    "running_var",
    "weight_ih",
    "weight_hh",
    "bias_ih",
    "bias_hh",
    "in_proj_weight",
    "in_proj_bias",
    "q_proj_weight",
    "k_proj_weight",
    "v_proj_weight",
];

/// What variables of a layer of Keras are called.
const KERAS: &[&str] = &[
    "kernel",
    "bias",
    "depthwise_kernel",
    "pointwise_kernel",
    "recurrent_kernel",
    "gamma",
    "beta",
    "scale",
    "moving_mean",
    "moving_variance",
    "embeddings",
    "alpha",
];

/// The parts of a file. `skip` holds patterns of names that are left out.
pub(super) fn parts(file: &TensorFile, from: Library, skip: &[String]) -> Vec<Part> {
    let mut found: BTreeMap<String, Part> = BTreeMap::new();
    let two_ways: Vec<&str> =
        file.tensors.keys().filter_map(|n| n.split_once("_reverse").map(|(n, _)| n)).collect();
    for (full, tensor) in &file.tensors {
        let (name, leaf) = match from {
            Library::Torch => torch(full, &two_ways, file),
            Library::Keras => keras(full),
        };
        let skipped = skip.iter().any(|p| matches(p, full) || matches(p, &name));
        let counter = full.ends_with("num_batches_tracked") || full.contains("seed_generator");
        if skipped || counter {
            continue;
        }
        let part = found.entry(name.clone()).or_insert_with(|| Part {
            from,
            name,
            tensors: BTreeMap::new(),
            names: Vec::new(),
        });
        part.tensors.insert(leaf, array(tensor));
        part.names.push(full.clone());
    }
    found.into_values().collect()
}

/// Layer and leaf of a name of PyTorch. A layer of an `nn.LSTM`, `nn.GRU` or `nn.RNN` is a part of its own, and so is
/// each of its directions.
fn torch(full: &str, two_ways: &[&str], file: &TensorFile) -> (String, String) {
    let (layer, leaf) = full.rsplit_once('.').unwrap_or(("", full));
    if let Some((kind, rest)) = leaf.split_once("_l").filter(|(kind, _)| TORCH.contains(kind)) {
        let (number, back) = match rest.strip_suffix("_reverse") {
            Some(number) => (number, true),
            None => (rest, false),
        };
        if number.parse::<u32>().is_ok() {
            let both = back || two_ways.contains(&full);
            let way = if both { if back { ".backward" } else { ".forward" } } else { "" };
            let dot = if layer.is_empty() { "" } else { "." };
            return (format!("{layer}{dot}l{number}{way}"), kind.to_string());
        }
    }
    if let Some(attention) = layer.strip_suffix("out_proj") {
        let attention = attention.trim_end_matches('.');
        let of = |leaf: &str| match attention {
            "" => leaf.to_string(),
            layer => format!("{layer}.{leaf}"),
        };
        if ["in_proj_weight", "q_proj_weight"].iter().any(|leaf| file.tensors.contains_key(&of(leaf))) {
            return (attention.to_string(), format!("out_proj.{leaf}"));
        }
    }
    match TORCH.contains(&leaf) {
        true => (layer.to_string(), leaf.to_string()),
        false => (full.to_string(), String::new()),
    }
}

/// Layer and leaf of a variable's path of Keras.
fn keras(full: &str) -> (String, String) {
    let path = full.split(':').next().unwrap_or(full);
    let (layer, leaf) = path.rsplit_once('/').unwrap_or(("", path));
    if !KERAS.contains(&leaf) {
        return (path.to_string(), String::new());
    }
    if let Some((attention, product)) = layer.rsplit_once('/')
        && ["query", "key", "value", "attention_output"].contains(&product)
    {
        return (attention.to_string(), format!("{product}/{leaf}"));
    }
    (layer.to_string(), leaf.to_string())
}

/// The groups of a program, in its order. Attention is one group where the other side has it as one layer
/// (`together`), else the products it consists of.
pub(super) fn groups(wanted: &[Wanted], together: bool) -> Vec<Group> {
    let mut out: Vec<Group> = Vec::new();
    for w in wanted {
        let (layer, leaf) = w.name.rsplit_once('.').unwrap_or(("", &w.name));
        let at = out.iter().position(|g| g.name == layer);
        let at = at.unwrap_or_else(|| {
            out.push(Group { name: layer.to_string(), tensors: BTreeMap::new() });
            out.len() - 1
        });
        out[at].tensors.insert(leaf.to_string(), w.clone());
    }
    if together { attentions(out) } else { out }
}

/// Puts the products of attention together: of one kind three times as wide as long and one square, or four.
fn attentions(groups: Vec<Group>) -> Vec<Group> {
    let shape = |layer: &str, child: &str| {
        let group = groups.iter().find(|g| g.name == format!("{layer}.{child}"))?;
        group.get("w").map(|w| w.shape.clone())
    };
    let is = |layer: &str| match (shape(layer, "dense1"), shape(layer, "dense2")) {
        (Some(first), Some(second)) => {
            second.len() == 2 && second[0] == second[1] && first == [second[0], 3 * second[0]]
        }
        _ => ["q", "k", "v", "o"].iter().all(|child| shape(layer, child).is_some()),
    };
    let mut out: Vec<Group> = Vec::new();
    for group in &groups {
        let parent = group.name.rsplit_once('.').filter(|(layer, _)| is(layer));
        let Some((layer, child)) = parent else {
            out.push(group.clone());
            continue;
        };
        let tensors = group.tensors.iter().map(|(leaf, w)| (format!("{child}.{leaf}"), w.clone()));
        match out.iter_mut().find(|g| g.name == layer) {
            Some(so_far) => so_far.tensors.extend(tensors),
            None => out.push(Group { name: layer.to_string(), tensors: tensors.collect() }),
        }
    }
    out
}
