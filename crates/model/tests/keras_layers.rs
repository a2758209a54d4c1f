//! Every layer and activation against Keras: output, gradients of inputs and weights, states.
#![allow(clippy::unwrap_used)]

mod common;

use common::golden::{Golden, all, close, largest, spelled};
use common::{render, spec_of};
use nnc_graph::eval::{Array, Bindings, evaluate};
use nnc_graph::{Builder, DType, NodeId, OutputKind, Role, gradient, verify};
use nnc_model::{Options, Port, Ports};

/// Files without a passing test, and why.
const ALLOWED: &[(&str, &str)] = &[(
    "log_softmax-time",
    "over one number: refused on purpose, since the output would be 0 whatever the weights",
)];

/// The data's tensors: inputs by their names, and the cotangent in the place of the target.
fn ports_of(golden: &Golden) -> Ports {
    let port = |name: &str, a: &Array, classes: Option<usize>| Port {
        name: name.into(),
        shape: a.dims[1..].to_vec(),
        classes: classes.map(|k| (0..k).map(|i| i.to_string()).collect()),
        about: "rows".into(),
    };
    let table = golden.tensors.iter().find(|(n, _)| n.ends_with(".table")).map(|(_, a)| a.dims[0]);
    let inputs = golden.below("input/").into_iter().map(|(name, a)| port(&name, a, table)).collect();
    let targets = vec![port("cotangent", &golden.tensors["cotangent"], None)];
    Ports { inputs, targets, weighted: false, has_valid: false, samples: 3 }
}

fn check(folder: &str, golden: &Golden) -> Result<(), String> {
    let text = format!(
        "{}\nloss = sum(output * cotangent)\noptimizer sgd\n",
        spelled(folder, &golden.name, golden.text("nn"))
    );
    let (spec, ports) = (spec_of(&text)?, ports_of(golden));
    let options = Options { float: DType::F64 };
    let model = spec.elaborate(&ports, &options).map_err(|d| render(&d, &spec.sources))?;
    let training = golden.about["training"].as_bool() == Some(true);
    let graph = if training { &model.forward } else { &model.eval };

    let mut b = Builder::from_graph(graph.clone());
    let loss = graph.output(OutputKind::Loss, "loss").unwrap();
    let seed = b.scalar_like(1.0, loss);
    let mut wanted: Vec<(String, NodeId)> = Vec::new();
    for role in [Role::Input, Role::Weight] {
        for (name, id) in graph.parameters(role) {
            if graph.ty(id).dtype == DType::F64 {
                let prefix = if role == Role::Input { "input/" } else { "" };
                wanted.push((format!("grad/{prefix}{name}"), id));
            }
        }
    }
    let nodes: Vec<NodeId> = wanted.iter().map(|(_, id)| *id).collect();
    let grads = gradient(&mut b, loss, seed, &nodes);
    let graph = b.finish();
    verify(&graph).map_err(|e| e.join("\n"))?;

    let tensor = |prefix: &str, name: &str| -> Result<&Array, String> {
        let renamed = name.replacen("cross_attention1", "attention1", 1);
        let found = golden.tensors.get(&format!("{prefix}{renamed}"));
        found.ok_or_else(|| format!("the file has no {prefix}{renamed}"))
    };
    let batch = golden.tensors["cotangent"].dims[0];
    let mut bindings = Bindings { batch, step: 1, ..Bindings::default() };
    let roles = [(Role::Input, "input/"), (Role::Weight, "weight/"), (Role::State, "state/")];
    for (role, prefix) in roles {
        for (name, id) in graph.parameters(role) {
            let value = tensor(prefix, &name)?;
            // Keras' slopes of a prelu have axes of size 1 for what they are shared over.
            let value = Array::new(&graph.ty(id).dims_at(batch), value.data.clone());
            bindings.parameters.insert((role, name.to_string()), value);
        }
    }
    bindings = bindings.with(Role::Target, "cotangent", golden.tensors["cotangent"].clone());
    let values = evaluate(&graph, &bindings)?;

    let output = graph.output(OutputKind::Prediction, "output").unwrap();
    close("output", &values[output.index()], &golden.tensors["output"], 1e-5, 0.0)?;
    if values[output.index()].dims != golden.tensors["output"].dims {
        return Err(format!("the output is {:?}", values[output.index()].dims));
    }
    let sum: f64 = values[loss.index()].data.iter().sum();
    let keras = golden.about["loss"].as_f64().unwrap();
    if (sum - keras).abs() > 1e-5 * keras.abs().max(largest(&golden.tensors["output"])) {
        return Err(format!("the loss is {sum}, not {keras}"));
    }
    let gradients = golden.below("grad/");
    let floor = gradients.iter().map(|(_, a)| largest(a)).fold(0.0, f64::max) * 1e-2;
    let mut compared = 0;
    for ((name, _), g) in wanted.iter().zip(&grads) {
        close(name, &values[g.index()], tensor("", name)?, 1e-5, floor)?;
        compared += 1;
    }
    if compared != gradients.len() {
        return Err(format!("{compared} of {} gradients compared", gradients.len()));
    }
    for (name, after) in golden.below("state_after/") {
        let node = graph.output(OutputKind::Update, &name).ok_or("no update")?;
        close(&name, &values[node.index()], after, 1e-5, 0.0)?;
    }
    Ok(())
}

fn compare(folder: &str) {
    let mut bad = Vec::new();
    for golden in all(folder) {
        let allowed = ALLOWED.iter().any(|(n, _)| *n == golden.name);
        match (check(folder, &golden), allowed) {
            (Ok(()), false) | (Err(_), true) => {}
            (Ok(()), true) => bad.push(format!("{} passes and need not be allowed", golden.name)),
            (Err(e), false) => bad.push(format!("{}: {e}", golden.name)),
        }
    }
    assert!(bad.is_empty(), "{} differ:\n{}", bad.len(), bad.join("\n"));
}

#[test]
fn layers_are_keras_layers() {
    compare("layers");
}

#[test]
fn activations_are_keras_activations() {
    compare("activations");
}
