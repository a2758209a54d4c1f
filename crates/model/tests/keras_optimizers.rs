//! Every optimizer against Keras in double precision: 100 steps with given gradients.
#![allow(clippy::unwrap_used)]

mod common;

use common::golden::{Golden, all, close, folder, read, spelled};
use common::{numbers, render, spec_of};
use nnc_graph::eval::{Array, Bindings, evaluate};
use nnc_graph::{DType, OutputKind, Role};
use nnc_model::{Options, Ports};

/// Files without a passing test, and why.
const ALLOWED: &[(&str, &str)] = &[
    ("adamw-all", "on purpose: decay leaves biases and scales (rank 1) alone"),
    ("ema-overwrite", "on purpose: an average is kept beside the weights and does not overwrite them"),
];

/// The loss whose gradients are the inputs: `sum(w * gw) + sum(b * gb)` with a batch of 1.
const PROBLEM: &str = "\
weight w[3, 4] = zeros
weight b[4] = zeros
sum(w * gw) + sum(b * gb)
loss = output
";

fn check(golden: &Golden, problem: &Golden) -> Result<(), String> {
    let text = spelled("optimizers", &golden.name, golden.text("nn"));
    let spec = spec_of(&format!("{PROBLEM}{text}\n"))?;
    let ports = Ports {
        inputs: vec![numbers("gw", &[3, 4]), numbers("gb", &[4])],
        targets: Vec::new(),
        weighted: false,
        has_valid: false,
        samples: 1,
    };
    let options = Options { float: DType::F64 };
    let model = spec.elaborate(&ports, &options).map_err(|d| render(&d, &spec.sources))?;

    let mut bindings = Bindings { batch: 1, ..Bindings::default() };
    let first = evaluate(&model.init, &bindings)?;
    for output in model.init.outputs_of(OutputKind::Initial) {
        let role = if output.name.contains('/') { Role::Slot } else { Role::Weight };
        let value = match golden_name(&output.name) {
            Some(n) => problem.tensors[&format!("init/{n}")].clone(),
            None => first[output.node.index()].clone(),
        };
        bindings.parameters.insert((role, output.name.to_string()), value);
    }
    for step in 1..=100 {
        bindings.step = step;
        for n in ["w", "b"] {
            let all = &problem.tensors[&format!("grad/{n}")];
            let size: usize = all.dims[1..].iter().product();
            let at = (step as usize - 1) * size;
            let dims: Vec<usize> = std::iter::once(1).chain(all.dims[1..].iter().copied()).collect();
            let value = Array::new(&dims, all.data[at..at + size].to_vec());
            bindings.parameters.insert((Role::Input, format!("g{n}")), value);
        }
        let values = evaluate(&model.step, &bindings)?;
        for output in model.step.outputs_of(OutputKind::Update) {
            let role = if output.name.contains('/') { Role::Slot } else { Role::Weight };
            bindings.parameters.insert((role, output.name.to_string()), values[output.node.index()].clone());
        }
        if step % 10 == 0 {
            for (n, wanted) in &golden.tensors {
                let slot = match n.strip_prefix("ema/") {
                    Some(n) => (Role::Slot, format!("{n}/ema.average")),
                    None => (Role::Weight, n.clone()),
                };
                let found = bindings.parameters.get(&slot).ok_or_else(|| format!("there is no {slot:?}"))?;
                let size = found.data.len();
                let at = (step as usize / 10 - 1) * size;
                let wanted = Array::new(&found.dims, wanted.data[at..at + size].to_vec());
                close(&format!("{n} after step {step}"), found, &wanted, 1e-9, 1.0)?;
            }
        }
    }
    Ok(())
}

fn golden_name(name: &str) -> Option<&str> {
    (name == "w" || name == "b").then_some(name)
}

#[test]
fn optimizers_are_keras_optimizers() {
    let problem = read(&folder("optimizers").join("problem.safetensors"));
    let mut bad = Vec::new();
    let mut count = 0;
    for golden in all("optimizers").iter().filter(|g| g.name.ends_with("-f64")) {
        count += 1;
        if ALLOWED.iter().any(|(n, _)| golden.name == format!("{n}-f64")) {
            continue;
        }
        if let Err(e) = check(golden, &problem) {
            bad.push(format!("{}: {e}", golden.name));
        }
    }
    assert!(count >= 27, "only {count} optimizers");
    assert!(bad.is_empty(), "{} of {count} differ:\n{}", bad.len(), bad.join("\n"));
}
