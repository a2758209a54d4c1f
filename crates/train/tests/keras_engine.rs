//! The engine in single precision against Keras: what `nnc-model` asks of the reference evaluator in double precision.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../model/tests/common/mod.rs"]
mod library;

use library::golden::{NOT_OURS, all, folder, read, torch};
use library::keras::{Computer, Values, layer, loss, optimizer, training};
use nnc_backend::Options;
use nnc_graph::eval::{Array, Bindings};
use nnc_graph::{DType, Graph, OutputKind, Role};
use nnc_train::Engine;

fn engine(graph: &Graph, bindings: &Bindings) -> Result<Values, String> {
    let layout = Engine::Cpu.backend(1).layout(&[graph]).map_err(|e| e.to_string())?;
    let executable = layout.compile(graph, bindings.batch, &Options::default()).map_err(|e| e.to_string())?;
    let mut session = executable.session().map_err(|e| e.to_string())?;
    let mut state = layout.state();
    let mut bound: Vec<_> = bindings.parameters.iter().collect();
    bound.sort_by(|a, b| a.0.cmp(b.0));
    for ((role, name), value) in bound {
        let to = match role {
            Role::Weight | Role::State | Role::Slot => state.get_mut(*role, name),
            Role::Input | Role::Target | Role::SampleWeight | Role::Step => session.input_mut(*role, name),
            Role::Carry | Role::Slice | Role::Invariant => None,
        };
        // Not every graph uses everything.
        let Some(mut to) = to else { continue };
        assert_eq!(to.len(), value.data.len(), "{name}");
        to.write(value.data.iter().copied());
    }
    session.run(&mut *state, bindings.seed, bindings.step).map_err(|e| e.to_string())?;
    let mut out = Values::new();
    for output in graph.outputs() {
        let name = &output.name;
        let values = if output.kind == OutputKind::Update {
            [Role::Weight, Role::State, Role::Slot]
                .into_iter()
                .filter(|r| graph.parameters(*r).iter().any(|(n, _)| n == name))
                .find_map(|r| state.get(r, name))
        } else {
            session.output(output.kind, name)
        };
        let values = values.ok_or_else(|| format!("no {} `{name}`", output.kind.name()))?;
        let dims = graph.ty(output.node).dims_at(bindings.batch);
        out.insert((output.kind, name.to_string()), Array::new(&dims, values.iter().collect()));
    }
    Ok(out)
}

/// Both sides are in single precision, and so each has its share of the difference.
const ENGINE: Computer<'static> = Computer { float: DType::F32, rtol: 1e-5, run: &engine };

fn report(what: &str, count: usize, bad: &[String]) {
    assert!(count > 0);
    assert!(bad.is_empty(), "{} of {count} {what} differ:\n{}", bad.len(), bad.join("\n"));
}

fn layers(part: &str) {
    let goldens = all(part);
    let ours = goldens.iter().filter(|g| !NOT_OURS.iter().any(|(f, n, _)| *f == part && *n == g.name));
    let bad: Vec<String> =
        ours.filter_map(|g| layer(part, g, &ENGINE).err().map(|e| format!("{}: {e}", g.name))).collect();
    report(part, goldens.len(), &bad);
}

#[test]
fn layers_are_keras_layers() {
    layers("layers");
}

#[test]
fn activations_are_keras_activations() {
    layers("activations");
}

#[test]
fn losses_are_keras_losses() {
    let goldens: Vec<_> = all("losses").into_iter().chain(torch("losses")).collect();
    let bad: Vec<String> =
        goldens.iter().filter_map(|g| loss(g, &ENGINE).err().map(|e| format!("{}: {e}", g.name))).collect();
    report("losses", goldens.len(), &bad);
}

#[test]
fn optimizers_are_keras_optimizers() {
    let problem = read(&folder("optimizers").join("problem.safetensors"));
    let goldens: Vec<_> = all("optimizers").into_iter().filter(|g| g.name.ends_with("-f32")).collect();
    let ours = goldens
        .iter()
        .filter(|g| !NOT_OURS.iter().any(|(f, n, _)| *f == "optimizers" && format!("{n}-f32") == g.name));
    let bad: Vec<String> = ours
        .filter_map(|g| optimizer(g, &problem, &ENGINE, 1e-4).err().map(|e| format!("{}: {e}", g.name)))
        .collect();
    report("optimizers", goldens.len(), &bad);
}

#[test]
fn models_learn_as_keras_models_do() {
    let goldens = all("models");
    let bad: Vec<String> = goldens
        .iter()
        .filter_map(|g| training(g, &ENGINE, 1e-4).err().map(|e| format!("{}: {e}", g.name)))
        .collect();
    report("models", goldens.len(), &bad);
}
