//! Graphs as modules of StableHLO, for whatever runs XLA: JAX, PJRT plugins, compilers for accelerators.
//!
//! A module is MLIR's text: one public function `main`, for a fixed number of samples. Random numbers are the same bits
//! as everywhere in nnc, since they are computed from whole numbers. [`Training::files`] writes all modules of a training,
//! with a manifest that says what is what and a script that runs them.

mod emit;
mod files;
mod functions;
mod heavy;
mod json;
mod scan;
#[cfg(test)]
mod tests;
mod text;

pub use files::{Training, WEIGHTS, possible};

use crate::package::sizes;
use emit::{Given, emit};
use nnc_graph::passes::sweep;
use nnc_graph::{Graph, OutputKind, Role};
use std::fmt::Write;
use text::{Code, Element, Tensor, Value, list, quoted};

/// A graph as text, with what its function takes and gives.
#[derive(Clone, PartialEq, Debug)]
pub struct Module {
    /// The whole module.
    pub text: String,
    /// What `main` takes, in this order.
    pub arguments: Vec<Argument>,
    /// What `main` gives, in this order.
    pub results: Vec<Outcome>,
}

/// An argument of `main`.
#[derive(Clone, PartialEq, Debug)]
pub struct Argument {
    /// What it is for: the name of a [`Role`], or `seed`.
    pub role: &'static str,
    /// Its name within its role.
    pub name: String,
    /// Its elements, as StableHLO spells them.
    pub dtype: &'static str,
    /// Its sizes.
    pub shape: Vec<usize>,
    /// Which axis is that of the samples.
    pub batch_axis: Option<usize>,
    /// The result that is its next value, and may be written where it lies.
    pub replaced_by: Option<usize>,
}

/// A result of `main`.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    /// What it is for.
    pub kind: OutputKind,
    /// Its name within its kind.
    pub name: String,
    /// Its elements, as StableHLO spells them.
    pub dtype: &'static str,
    /// Its sizes.
    pub shape: Vec<usize>,
}

/// Writes a graph for `batch` samples. `main` takes weights, states, slots, inputs, targets and weights of samples, each
/// in the order of the graph; then, where they are asked for, the number of the step and the seed as scalars of `ui64`.
/// It gives the graph's results in their order. A parameter that has an update is replaced by it
/// (`tf.aliasing_output`).
///
/// # Errors
/// What cannot be said, as a sentence.
pub fn module(graph: &Graph, batch: usize) -> Result<Module, String> {
    let graph = &sweep(graph);
    let mut given = Given { batch, ..Given::default() };
    let mut arguments = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let mut take = |argument: Argument, ty: Tensor| {
        let value = Value { name: format!("%arg{}", arguments.len()), ty };
        arguments.push(argument);
        values.push(value.clone());
        value
    };
    for role in [Role::Weight, Role::State, Role::Slot, Role::Input, Role::Target, Role::SampleWeight] {
        for (name, id) in graph.parameters(role) {
            let ty = graph.ty(id);
            let is_kept = matches!(role, Role::Weight | Role::State | Role::Slot);
            let replaced = |o: &nnc_graph::Output| {
                o.kind == OutputKind::Update && o.name == name && graph.ty(o.node) == ty
            };
            let argument = Argument {
                role: role.name(),
                name: name.to_string(),
                dtype: ty.dtype.name(),
                shape: sizes(&ty.shape, batch),
                batch_axis: ty.shape.iter().position(|d| d.fixed().is_none()),
                replaced_by: graph.outputs().iter().position(replaced).filter(|_| is_kept),
            };
            let value = take(argument, Tensor::of(ty, batch));
            given.parameters.insert((role, name.to_string()), value);
        }
    }
    let drawn = scan::draws(graph);
    let mut whole = |role: &'static str| {
        let ty = Tensor::scalar(Element::U64);
        let argument = Argument {
            role,
            name: role.into(),
            dtype: ty.element.name(),
            shape: Vec::new(),
            batch_axis: None,
            replaced_by: None,
        };
        take(argument, ty)
    };
    if drawn || !graph.parameters(Role::Step).is_empty() {
        given.step = Some(whole("step"));
    }
    if drawn {
        given.seed = Some(whole("seed"));
    }

    let mut code = Code::new();
    let made = emit(&mut code, graph, &given)?;
    let given_back: Vec<(&nnc_graph::Output, &Value)> =
        graph.outputs().iter().map(|o| (o, &made[o.node.index()])).collect();
    let results = given_back.iter().map(|(o, v)| Outcome {
        kind: o.kind,
        name: o.name.to_string(),
        dtype: v.ty.element.name(),
        shape: v.ty.dims.clone(),
    });
    let results: Vec<Outcome> = results.collect();

    let mut text = format!(
        "// {}: {} samples\nmodule @{} {{\n  func.func public @main(\n",
        graph.name,
        batch,
        name(graph)
    );
    for (i, (argument, value)) in arguments.iter().zip(&values).enumerate() {
        let comma = if i + 1 == arguments.len() { "" } else { "," };
        let alias =
            argument.replaced_by.map(|r| format!(", tf.aliasing_output = {r} : i32")).unwrap_or_default();
        let _ = writeln!(
            text,
            "      {}: {} {{nnc.name = {}, nnc.role = {}{alias}}}{comma}",
            value.name,
            value.ty,
            quoted(&argument.name),
            quoted(argument.role)
        );
    }
    text.push_str("  ) -> (\n");
    for (i, (output, value)) in given_back.iter().enumerate() {
        let comma = if i + 1 == given_back.len() { "" } else { "," };
        let (name, kind) = (quoted(&output.name), quoted(output.kind.name()));
        let _ = writeln!(text, "      {} {{nnc.kind = {kind}, nnc.name = {name}}}{comma}", value.ty);
    }
    text.push_str("  ) {\n");
    text.push_str(&code.text);
    if given_back.is_empty() {
        text.push_str("    return\n");
    } else {
        let (names, types) =
            (list(given_back.iter().map(|(_, v)| &v.name)), list(given_back.iter().map(|(_, v)| &v.ty)));
        let _ = writeln!(text, "    return {names} : {types}");
    }
    text.push_str("  }\n");
    for function in code.functions.values() {
        text.push_str(function);
    }
    text.push_str("}\n");
    Ok(Module { text, arguments, results })
}

/// A graph's name as a symbol.
fn name(graph: &Graph) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("nnc_{}", graph.name.chars().map(plain).collect::<String>())
}
