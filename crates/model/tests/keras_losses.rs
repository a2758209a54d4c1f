//! Every loss against Keras: the value of each sample, the batch's loss, the gradient.
#![allow(clippy::unwrap_used)]

mod common;

use common::golden::{Golden, all, close, spelled};
use common::{render, spec_of};
use nnc_graph::eval::{Array, Bindings, evaluate};
use nnc_graph::{Builder, DType, OutputKind, Role, gradient, verify};
use nnc_model::{Options, Port, Ports};

/// Files with another tolerance than 1e-5, and why.
const LOOSER: &[(&str, f64, &str)] = &[(
    "binary_crossentropy-clip",
    2e-2,
    "1 - 1e-7 itself is 0.99999988 in float32: Keras' log(1 - p) is -15.94, exactly it is -16.12",
)];

/// The program: a loss of the prediction itself is written as an expression, since `loss crossentropy` refuses
/// what is no probability.
fn program(golden: &Golden) -> String {
    let text = spelled("losses", &golden.name, golden.text("nn"));
    let text = match (text.strip_prefix("loss "), golden.about["through"].as_str()) {
        (Some(call), None) => {
            let (name, args) = call.split_once(' ').unwrap_or((call, ""));
            let args: String = args.split_whitespace().map(|a| format!(", {a}")).collect();
            format!("linear\nloss = {name}(output, target{args})")
        }
        _ => text.to_string(),
    };
    format!("{text}\noptimizer sgd\n")
}

fn check(golden: &Golden) -> Result<(), String> {
    let weighted = golden.tensors.contains_key("sample_weight");
    // Class weights are in the program, and Keras turns them into these sample weights.
    let in_program = golden.text("nn").contains("class_weights");
    let port = |name: &str, key: &str, classes: Option<usize>| Port {
        name: name.into(),
        shape: golden.tensors[key].dims[1..].to_vec(),
        classes: classes.map(|k| (0..k).map(|i| i.to_string()).collect()),
        about: "rows".into(),
    };
    let classes = golden.about["classes"].as_u64().map(|k| k as usize);
    let ports = Ports {
        inputs: vec![port("x", "prediction", None)],
        targets: vec![port("y", "target", classes)],
        weighted: weighted && !in_program,
        has_valid: false,
        samples: 5,
    };
    let spec = spec_of(&program(golden))?;
    let options = Options { float: DType::F64 };
    let model = spec.elaborate(&ports, &options).map_err(|d| render(&d, &spec.sources))?;

    let mut b = Builder::from_graph(model.forward.clone());
    let objective = b.graph().output(OutputKind::Objective, "objective").unwrap();
    let loss = b.graph().output(OutputKind::Loss, "loss").unwrap();
    let x = b.graph().parameters(Role::Input)[0].1;
    let seed = b.constant(1.0);
    let g = gradient(&mut b, objective, seed, &[x])[0];
    let graph = b.finish();
    verify(&graph).map_err(|e| e.join("\n"))?;
    let mut bindings = Bindings { batch: 5, ..Bindings::default() }
        .with(Role::Input, "x", golden.tensors["prediction"].clone())
        .with(Role::Target, "y", golden.tensors["target"].clone());
    if let Some(weights) = golden.tensors.get("sample_weight") {
        bindings = bindings.with(Role::SampleWeight, "sample_weight", weights.clone());
    }
    let values = evaluate(&graph, &bindings)?;

    let rtol = LOOSER.iter().find(|(n, _, _)| *n == golden.name).map_or(1e-5, |(_, r, _)| *r);
    let mut wanted = golden.tensors["values"].clone();
    if in_program {
        wanted = wanted.zip(&golden.tensors["sample_weight"], |v, w| v * w);
    }
    close("values", &values[loss.index()], &wanted, rtol, 0.0)?;
    let batch = Array::new(&[], vec![golden.about["loss"].as_f64().unwrap()]);
    close("loss", &values[objective.index()], &batch, rtol, 0.0)?;
    close("gradient", &values[g.index()], &golden.tensors["grad/prediction"], rtol, 0.0)
}

#[test]
fn losses_are_keras_losses() {
    let goldens = all("losses");
    let bad: Vec<String> =
        goldens.iter().filter_map(|g| check(g).err().map(|e| format!("{}: {e}", g.name))).collect();
    assert!(bad.is_empty(), "{} of {} differ:\n{}", bad.len(), goldens.len(), bad.join("\n"));
}
