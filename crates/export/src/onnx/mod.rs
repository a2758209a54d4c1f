//! Models in ONNX: one file, for onnxruntime and whatever else reads it.
//!
//! Operators of set 19, in which texts can be compared, and no other domain; the version of the format is the one of
//! its time, 9. The first axis of all inputs and outputs is `batch`, of any size.

mod answers;
mod double;
mod emit;
mod heavy;
mod ops;
#[cfg(test)]
mod packages;
mod proto;
mod random;
mod rows;
mod scan;
#[cfg(test)]
mod tests;
mod text;

use crate::package::Package;
use emit::{Emitter, Known, Scope, Source, Val, clean, names_in};
use nnc_graph::Role;
use proto::{Graph, Model, Port};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The set of operators: the first whose `Equal` takes texts.
const OPSET: i64 = 19;
/// The version of the format that came with it.
const IR: i64 = 9;
/// No message of protocol buffers is larger.
const MOST: usize = i32::MAX as usize;

/// How the model is to be.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Without rows of the file: inputs and outputs as the network sees them.
    pub plain: bool,
}

/// A model in ONNX.
#[derive(Clone, PartialEq, Debug)]
pub struct File {
    /// The bytes of the file.
    pub bytes: Vec<u8>,
    /// What it says, for people, without the numbers of weights.
    pub text: String,
    /// Bytes of its weights.
    pub weights: usize,
    /// How many operators it has.
    pub nodes: usize,
}

/// Writes a model as ONNX.
///
/// # Errors
/// What of the model cannot be said in ONNX, as a sentence.
pub fn export(package: &Package, options: &Options) -> Result<File, String> {
    let package = package.folded()?;
    let (graph, plain) = (&package.graph, options.plain);
    let mut e = Emitter::new();
    let rows = rows::ports(&mut e, &package, plain);
    let names = answers::names(&mut e, &package, plain);
    e.batch = rows.ports.first().map(|p| p.name.clone());
    let vals = vec![None; graph.len()];
    e.scopes.push(Scope { graph, vals, same: BTreeMap::new(), nodes: Vec::new() });
    for role in [Role::Weight, Role::State] {
        for (name, id) in graph.parameters(role) {
            let (ty, weights) = (graph.ty(id), package.weight(&name, graph.ty(id))?);
            let known = Known {
                label: clean(&name),
                elem: emit::elem(ty.dtype),
                dims: weights.dims.clone(),
                values: weights.values.clone(),
                weight: true,
            };
            let axes = (0..ty.rank()).collect();
            e.scopes[0].vals[id.index()] = Some(Val { source: Source::Known(Rc::new(known)), axes });
        }
    }
    let (values, valid) = rows.encode(&mut e, &package, plain)?;
    for (input, value) in package.inputs.iter().zip(values) {
        let all = graph.parameters(Role::Input);
        let node = all.into_iter().find(|(name, _)| **name == *input.name);
        if let Some((_, id)) = node {
            e.scopes[0].vals[id.index()] = Some(Val::plain(value, graph.ty(id).rank()));
        }
    }
    e.graph(0)?;
    let outputs = names.write(&mut e, &package, &valid)?;
    let model = finish(e, &package, rows.ports, outputs);
    let weights = model.graph.constants.iter().map(proto::Tensor::size).fold(0, usize::saturating_add);
    if weights > MOST - (1 << 20) {
        return Err("more than 2 GB of weights do not fit one file".into());
    }
    let nodes = model.graph.nodes.iter().map(|n| 1 + inside(n)).sum();
    Ok(File { bytes: model.bytes(), text: model.text(), weights, nodes })
}

/// The operators in the body of a node.
fn inside(node: &proto::Node) -> usize {
    let bodies = node.attrs.iter().filter_map(|(_, attr)| match attr {
        proto::Attr::Graph(graph) => Some(graph),
        proto::Attr::Int(_) | proto::Attr::Ints(_) | proto::Attr::Text(_) => None,
    });
    bodies.flat_map(|g| &g.nodes).map(|n| 1 + inside(n)).sum()
}

/// The model of all that was written.
fn finish(mut e: Emitter<'_>, package: &Package, mut inputs: Vec<Port>, outputs: Vec<Port>) -> Model {
    let said: Vec<String> = outputs.iter().map(|o| o.name.clone()).collect();
    let mut nodes = e.close(&said);
    let given: BTreeSet<String> = inputs.iter().map(|i| i.name.clone()).collect();
    named(&mut nodes, &said, &given);
    let mut read: BTreeSet<String> = BTreeSet::new();
    nodes.iter().for_each(|n| names_in(n, &mut read));
    e.constants.retain(|c| read.contains(&c.name));
    inputs.extend(e.inputs);
    let mut about = package.about.clone();
    about.retain(|(key, _)| !key.is_empty());
    // What numbers of characters and words stand for.
    let inputs_of = package.inputs.iter().map(|i| (&i.name, &i.classes));
    let outputs_of = package.answers.iter().map(|a| (&a.name, &a.steps));
    for (name, classes) in inputs_of.chain(outputs_of) {
        if let Some(classes) = classes {
            about.push((format!("classes of {name}"), list(classes)));
        }
    }
    Model {
        ir: IR,
        opset: OPSET,
        producer: "nnc".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        doc: String::new(),
        graph: Graph {
            name: clean(&package.name),
            doc: String::new(),
            nodes,
            constants: e.constants,
            inputs,
            outputs,
        },
        about,
    }
}

/// Texts as a list of JSON.
fn list(texts: &[String]) -> String {
    let mut out = String::from("[");
    for text in texts {
        if out.len() > 1 {
            out.push_str(", ");
        }
        out.push('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                c if c.is_control() => out.push_str(&format!("\\u{:04x}", c as u32)),
                c => out.push(c),
            }
        }
        out.push('"');
    }
    out + "]"
}

/// Lets the operators that compute the outputs give them their names, instead of saying them again.
fn named(nodes: &mut Vec<proto::Node>, outputs: &[String], inputs: &BTreeSet<String>) {
    for output in outputs {
        let again = nodes.iter().position(|n| n.op == "Identity" && n.outputs[0] == *output);
        let Some(again) = again else { continue };
        let value = nodes[again].inputs[0].clone();
        let made = nodes.iter().any(|n| n.outputs.contains(&value));
        if !made || outputs.contains(&value) || inputs.contains(&value) {
            continue;
        }
        nodes.remove(again);
        nodes.iter_mut().for_each(|n| rename(n, &value, output));
    }
}

/// Another name for a value, wherever it stands.
fn rename(node: &mut proto::Node, from: &str, to: &str) {
    for name in node.inputs.iter_mut().chain(&mut node.outputs).filter(|n| **n == from) {
        *name = to.to_string();
    }
    for (_, attr) in &mut node.attrs {
        if let proto::Attr::Graph(graph) = attr {
            graph.nodes.iter_mut().for_each(|n| rename(n, from, to));
        }
    }
}
