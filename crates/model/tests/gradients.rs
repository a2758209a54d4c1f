//! The gradient of every layer, activation and loss against central differences in double precision: those of the
//! golden files, and those here, with axes of size 1, odd tails, broadcasts, and noise while training. A definition
//! that is in no table fails.
#![allow(clippy::unwrap_used)]

mod common;

use common::definitions::{definitions, reached, words};
use common::golden::{NOT_OURS, all, spelled, torch};
use common::keras::{Problem, found, layer_problem, loss_problem, reference};
use common::{numbers, render, spec_of};
use nnc_graph::eval::{Array, Bindings};
use nnc_graph::{Builder, DType, OutputKind, Role, gradient, verify};
use nnc_model::{Options, Ports};

/// The most numbers of a tensor that are moved; evenly chosen.
const MOST: usize = 24;

/// Compares all gradients with differences of the sum of the losses.
fn compare(problem: &Problem, objective: (OutputKind, &str)) -> Result<(), String> {
    let Problem { graph, bindings, by } = problem;
    let loss = |bindings: &Bindings| -> Result<f64, String> {
        let values = reference(graph, bindings)?;
        Ok(found(&values, objective.0, objective.1)?.data.iter().sum())
    };
    let values = reference(graph, bindings)?;
    let at_start = loss(bindings)?;
    let mut checked = Vec::new();
    for (role, name, output) in by {
        let g = found(&values, OutputKind::Gradient, output)?;
        let key = (*role, name.clone());
        let value = bindings.parameters[&key].clone();
        if g.dims != value.dims {
            return Err(format!("the gradient of {name} is {:?}, not {:?}", g.dims, value.dims));
        }
        let step = value.data.len().div_ceil(MOST).max(1);
        for i in (0..value.data.len()).step_by(step) {
            let h = 1e-5 * value.data[i].abs().clamp(0.1, 10.0);
            let moved = |by: f64| {
                let mut bindings = bindings.clone();
                let mut a = value.clone();
                a.data[i] += by;
                bindings.parameters.insert(key.clone(), a);
                loss(&bindings)
            };
            checked.push((format!("{name}[{i}]"), g.data[i], (moved(h)? - moved(-h)?) / (2.0 * h), h));
        }
    }
    if checked.is_empty() {
        return Err("nothing to compare".into());
    }
    // What rounding does to a difference, and the scale of all gradients together.
    let scale = checked.iter().fold(0.0f64, |m, c| m.max(c.1.abs()));
    for (what, exact, difference, h) in checked {
        let noise = 1e-15 * at_start.abs().max(1.0) / h * 10.0;
        let near = (exact - difference).abs() <= 1e-6 * exact.abs().max(0.01 * scale) + noise;
        if !near {
            return Err(format!("by {what}: {exact}, but differences say {difference}"));
        }
    }
    Ok(())
}

/// Golden cases that stand on a corner, where there is no derivative.
const CORNERS: &[(&str, &str)] = &[
    ("binary_crossentropy-clip", "predictions of 0 and 1 stand where the clipping begins"),
    ("mape-zero", "targets of 0 make numbers of 1e9"),
];

#[test]
fn gradients_of_the_golden_cases_are_differences() {
    let mut bad = Vec::new();
    let mut count = 0;
    for part in ["layers", "activations", "losses"] {
        for golden in all(part) {
            let name = golden.name.as_str();
            let odd = NOT_OURS.iter().any(|(f, n, _)| *f == part && *n == name);
            if odd || CORNERS.iter().any(|(n, _)| *n == name) {
                continue;
            }
            count += 1;
            let outcome = match part {
                "losses" => loss_problem(&golden, DType::F64)
                    .and_then(|p| compare(&p, (OutputKind::Objective, "objective"))),
                _ => layer_problem(part, &golden, DType::F64).and_then(|p| {
                    if p.by.is_empty() { Ok(()) } else { compare(&p, (OutputKind::Loss, "loss")) }
                }),
            };
            if let Err(e) = outcome {
                bad.push(format!("{part}/{name}: {e}"));
            }
        }
    }
    assert!(count > 180, "only {count} cases");
    assert!(bad.is_empty(), "{} of {count}:\n{}", bad.len(), bad.join("\n"));
}

/// Programs and the shapes of their inputs `x` and `y`; gradients while training.
const CASES: &[(&str, &[&[usize]])] = &[
    // Noise, whose numbers depend on the seed alone.
    ("dropout 0.4", &[&[7]]),
    ("dropout 0.4", &[&[3, 1, 2]]),
    ("spatial_dropout 0.3", &[&[2, 3, 5]]),
    ("stochastic_depth 0.4", &[&[2, 3, 5]]),
    ("gaussian_noise 0.2", &[&[1]]),
    // Axes of size 1.
    ("dense 1 sigmoid", &[&[1]]),
    ("dense 3 tanh", &[&[1, 1]]),
    ("conv 2 1x1", &[&[1, 1, 1]]),
    ("conv 1 3x3 same", &[&[1, 1, 2]]),
    ("conv 2 kernel=3 causal", &[&[1, 1]]),
    ("depthwise kernel=1", &[&[1, 3]]),
    ("separable 1 1x1", &[&[2, 1, 1]]),
    ("conv_transposed 1 1x1", &[&[1, 1, 1]]),
    ("maxpool 1x1", &[&[2, 2, 1]]),
    ("avgpool 3 same stride=2", &[&[1, 1]]),
    ("upsample 1x3", &[&[1, 1, 1]]),
    ("upsample 2x2 bilinear", &[&[1, 1, 1]]),
    ("global_maxpool", &[&[1, 1, 3]]),
    ("global_avgpool", &[&[1, 2]]),
    ("batchnorm", &[&[1]]),
    ("batchnorm", &[&[2, 1, 3]]),
    ("layernorm", &[&[2, 1]]),
    ("groupnorm 1", &[&[1, 1, 2]]),
    ("rmsnorm", &[&[1]]),
    ("prelu", &[&[1]]),
    ("glu", &[&[2]]),
    ("softmax", &[&[2]]),
    ("rnn 1", &[&[1, 1]]),
    ("lstm 1 both", &[&[1, 2]]),
    ("gru 2 sequence backwards", &[&[2, 1]]),
    ("attention 1 causal", &[&[1, 1]]),
    ("transformer 1 rate=0.2", &[&[2, 2]]),
    ("positions", &[&[1, 1]]),
    ("repeat_vector 1", &[&[1]]),
    ("x, y -> cross_attention 1", &[&[1, 2], &[3, 1]]),
    ("x, y -> dot normalize", &[&[2], &[2]]),
    // Odd tails.
    ("conv 2 3x2 stride=2x3", &[&[6, 7, 3]]),
    ("conv 2 3x3 same stride=2 dilation=1", &[&[5, 4, 1]]),
    ("conv 4 3x3 same dilation=2x1 groups=2", &[&[4, 5, 2]]),
    ("conv 3 kernel=2 stride=3", &[&[7, 1]]),
    ("conv_transposed 2 2x3 stride=3x2", &[&[2, 3, 1]]),
    ("depthwise 2x3 multiplier=2 stride=2", &[&[5, 6, 3]]),
    ("maxpool 2x3 stride=1x2", &[&[4, 6, 1]]),
    ("avgpool 3x2 same stride=2", &[&[5, 5, 2]]),
    ("groupnorm 3", &[&[5, 9]]),
    // Broadcasts.
    ("weight s[1, 4] = ones\nx * s + x", &[&[3, 4]]),
    ("weight s[3, 1] = ones\nx / (s + 2)", &[&[3, 4]]),
    ("weight s[4] = ones\nmax(x, s) - min(x, 2 * s)", &[&[3, 4]]),
    ("weight s[1, 1] = ones\nx^2 * s", &[&[1, 5]]),
    ("x, y -> add", &[&[3, 4], &[4]]),
    ("x, y -> multiply", &[&[3, 4], &[3, 1]]),
    ("column(x) @ row(y)", &[&[3], &[4]]),
];

fn problem(text: &str, shapes: &[&[usize]]) -> Result<Problem, String> {
    let names = ["x", "y"];
    let ports = Ports {
        inputs: shapes.iter().zip(names).map(|(s, n)| numbers(n, s)).collect(),
        targets: Vec::new(),
        weighted: false,
        has_valid: false,
        samples: 3,
        ..Ports::default()
    };
    // A smooth loss in which every number of the output counts differently.
    let spec =
        spec_of(&format!("{text}\nloss = sum(sin(output + index(output, 0) + 0.5 * index(output, -1)))\n"))?;
    let model =
        spec.elaborate(&ports, &Options { float: DType::F64 }).map_err(|d| render(&d, &spec.sources))?;
    let mut b = Builder::from_graph(model.forward.clone());
    let objective = b.graph().output(OutputKind::Objective, "objective").unwrap();
    let (mut by, mut nodes) = (Vec::new(), Vec::new());
    for role in [Role::Input, Role::Weight] {
        for (name, id) in b.graph().parameters(role) {
            by.push((role, name.to_string(), name.to_string()));
            nodes.push(id);
        }
    }
    let seed = b.constant(1.0);
    let grads = gradient(&mut b, objective, seed, &nodes);
    for ((_, name, _), g) in by.iter().zip(&grads) {
        b.output(OutputKind::Gradient, name.as_str(), *g);
    }
    let graph = b.finish();
    verify(&graph).map_err(|e| e.join("\n"))?;
    let mut bindings = Bindings { batch: 3, step: 1, seed: 9, ..Bindings::default() };
    let mut n = 0;
    for role in [Role::Input, Role::Weight, Role::State] {
        for (name, id) in graph.parameters(role) {
            let dims = graph.ty(id).dims_at(3);
            let value = Array::from_fn(&dims, |_| {
                n += 1;
                // A golden-ratio sequence: spread evenly between -1.2 and 1.2, no two alike.
                2.4 * ((f64::from(n) * 0.618_033_988_749_894_9).fract() - 0.5)
            });
            bindings.parameters.insert((role, name.to_string()), value);
        }
    }
    Ok(Problem { graph, bindings, by })
}

#[test]
fn gradients_with_odd_shapes_are_differences() {
    let mut bad = Vec::new();
    for (text, shapes) in CASES {
        let outcome = problem(text, shapes).and_then(|p| compare(&p, (OutputKind::Objective, "objective")));
        if let Err(e) = outcome {
            bad.push(format!("{text} on {shapes:?}: {e}"));
        }
    }
    assert!(bad.is_empty(), "{} of {}:\n{}", bad.len(), CASES.len(), bad.join("\n"));
}

/// Penalties that are compared elsewhere, and metrics that stand beside their losses.
const WITHOUT: [&str; 6] = ["l1", "l2", "coverage", "iou", "ordinal_mae", "ordinal_accuracy"];

#[test]
fn every_layer_activation_and_loss_has_its_gradient_compared() {
    let mut said: Vec<String> = CASES.iter().flat_map(|(text, _)| words(text)).collect();
    // A step of padding moved a little is none, so the masked cases are compared with Keras only, gradients too.
    for part in ["layers", "masks", "activations", "losses"] {
        for golden in all(part) {
            if !CORNERS.iter().any(|(n, _)| *n == golden.name) {
                said.extend(words(spelled(part, &golden.name, golden.text("nn"))));
            }
        }
    }
    for golden in torch("losses") {
        said.extend(words(golden.text("nn")));
    }
    // Written in another way by `rewrite`, and compared as that.
    said.extend(["log_probability", "log_share", "crossentropy_logits"].map(String::from));
    let all = definitions();
    let tested = reached(&all, said, &|_, _| true);
    let of_tensors = ["activations", "distributions", "layers", "losses", "sequences", "shapes"];
    let missing: Vec<&String> = all
        .iter()
        .filter(|(_, d)| of_tensors.iter().any(|f| d.file.ends_with(&format!("/{f}.nn"))))
        .map(|(name, _)| name)
        .filter(|name| !tested.contains(*name) && !WITHOUT.contains(&name.as_str()))
        .collect();
    assert!(missing.is_empty(), "no gradient of {missing:?} is compared");
}
