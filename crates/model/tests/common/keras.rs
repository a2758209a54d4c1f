//! What our library is asked to agree with Keras in, whoever computes it: the reference evaluator in double
//! precision, or the engine in single precision.
#![allow(dead_code, clippy::unwrap_used)]

use super::golden::{Golden, close, largest, spelled};
use super::{numbers, render, spec_of};
use nnc_graph::eval::{Array, Bindings, evaluate};
use nnc_graph::{Builder, DType, Graph, NodeId, OutputKind, Role, gradient, verify};
use nnc_model::{Model, Options, Port, Ports};
use std::collections::BTreeMap;

/// The named results of a graph.
pub type Values = BTreeMap<(OutputKind, String), Array>;

/// Who computes, in which precision, and how exactly.
pub struct Computer<'a> {
    /// Of the graphs.
    pub float: DType,
    /// On the scale of a tensor's largest number.
    pub rtol: f64,
    /// The results of a graph.
    pub run: &'a dyn Fn(&Graph, &Bindings) -> Result<Values, String>,
}

/// The reference evaluator.
pub const REFERENCE: Computer<'static> = Computer { float: DType::F64, rtol: 1e-5, run: &reference };

/// All results by plain loops in double precision.
pub fn reference(graph: &Graph, bindings: &Bindings) -> Result<Values, String> {
    let values = evaluate(graph, bindings)?;
    let named = graph.outputs().iter();
    Ok(named.map(|o| ((o.kind, o.name.to_string()), values[o.node.index()].clone())).collect())
}

/// A result by kind and name.
pub fn found<'v>(values: &'v Values, kind: OutputKind, name: &str) -> Result<&'v Array, String> {
    values.get(&(kind, name.to_string())).ok_or_else(|| format!("there is no {} `{name}`", kind.name()))
}

/// The data's tensors: inputs by their names, and the cotangent in the place of the target.
fn ports_of(golden: &Golden) -> Ports {
    let port = |name: &str, a: &Array, classes: Option<usize>| Port {
        name: name.into(),
        shape: a.dims[1..].to_vec(),
        classes: classes.map(|k| (0..k).map(|i| i.to_string()).collect()),
        about: "rows".into(),
        ragged: false,
        padded: false,
    };
    let table = golden.tensors.iter().find(|(n, _)| n.ends_with(".table")).map(|(_, a)| a.dims[0]);
    let inputs = golden.below("input/").into_iter().map(|(name, a)| port(&name, a, table)).collect();
    let targets = vec![port("cotangent", &golden.tensors["cotangent"], None)];
    Ports { inputs, targets, weighted: false, has_valid: false, samples: 3, ..Ports::default() }
}

/// A graph with the gradients of a loss as results, and values for it.
pub struct Problem {
    pub graph: Graph,
    pub bindings: Bindings,
    /// Role and name of what the gradients are by, and the name of the gradient.
    pub by: Vec<(Role, String, String)>,
}

/// The sum of output and cotangent of a layer or activation, with its gradients.
pub fn layer_problem(folder: &str, golden: &Golden, float: DType) -> Result<Problem, String> {
    let text = format!(
        "{}\nloss = sum(output * cotangent)\noptimizer sgd\n",
        spelled(folder, &golden.name, golden.text("nn"))
    );
    let (spec, ports) = (spec_of(&text)?, ports_of(golden));
    let options = Options { float };
    let model = spec.elaborate(&ports, &options).map_err(|d| render(&d, &spec.sources))?;
    let training = golden.about["training"].as_bool() == Some(true);
    let graph = if training { &model.forward } else { &model.eval };

    let mut b = Builder::from_graph(graph.clone());
    let loss = graph.output(OutputKind::Loss, "loss").unwrap();
    let seed = b.scalar_like(1.0, loss);
    let mut wanted: Vec<(Role, String, String)> = Vec::new();
    let mut nodes: Vec<NodeId> = Vec::new();
    for role in [Role::Input, Role::Weight] {
        for (name, id) in graph.parameters(role) {
            if graph.ty(id).dtype.is_float() {
                let prefix = if role == Role::Input { "input/" } else { "" };
                wanted.push((role, name.to_string(), format!("grad/{prefix}{name}")));
                nodes.push(id);
            }
        }
    }
    let grads = gradient(&mut b, loss, seed, &nodes);
    for ((_, _, name), g) in wanted.iter().zip(&grads) {
        b.output(OutputKind::Gradient, name.as_str(), *g);
    }
    let graph = b.finish();
    verify(&graph).map_err(|e| e.join("\n"))?;

    let batch = golden.tensors["cotangent"].dims[0];
    let mut bindings = Bindings { batch, step: 1, ..Bindings::default() };
    let roles = [(Role::Input, "input/"), (Role::Weight, "weight/"), (Role::State, "state/")];
    for (role, prefix) in roles {
        for (name, id) in graph.parameters(role) {
            let value = tensor(golden, prefix, &name)?;
            // Keras' slopes of a prelu have axes of size 1 for what they are shared over.
            let value = Array::new(&graph.ty(id).dims_at(batch), value.data.clone());
            bindings.parameters.insert((role, name.to_string()), value);
        }
    }
    bindings = bindings.with(Role::Target, "cotangent", golden.tensors["cotangent"].clone());
    Ok(Problem { graph, bindings, by: wanted })
}

fn tensor<'g>(golden: &'g Golden, prefix: &str, name: &str) -> Result<&'g Array, String> {
    let renamed = name.replacen("cross_attention1", "attention1", 1);
    let found = golden.tensors.get(&format!("{prefix}{renamed}"));
    found.ok_or_else(|| format!("the file has no {prefix}{renamed}"))
}

/// Output, loss, gradients and states of a layer or activation.
pub fn layer(folder: &str, golden: &Golden, by: &Computer<'_>) -> Result<(), String> {
    let Problem { graph, bindings, by: wanted } = layer_problem(folder, golden, by.float)?;
    let values = (by.run)(&graph, &bindings)?;

    let output = found(&values, OutputKind::Prediction, "output")?;
    close("output", output, &golden.tensors["output"], by.rtol, 0.0)?;
    if output.dims != golden.tensors["output"].dims {
        return Err(format!("the output is {:?}", output.dims));
    }
    let sum: f64 = found(&values, OutputKind::Loss, "loss")?.data.iter().sum();
    let keras = golden.about["loss"].as_f64().unwrap();
    if (sum - keras).abs() > by.rtol * keras.abs().max(largest(&golden.tensors["output"])) {
        return Err(format!("the loss is {sum}, not {keras}"));
    }
    let gradients = golden.below("grad/");
    let floor = gradients.iter().map(|(_, a)| largest(a)).fold(0.0, f64::max) * 1e-2;
    let mut compared = 0;
    for (_, _, name) in &wanted {
        close(name, found(&values, OutputKind::Gradient, name)?, tensor(golden, "", name)?, by.rtol, floor)?;
        compared += 1;
    }
    if compared != gradients.len() {
        return Err(format!("{compared} of {} gradients compared", gradients.len()));
    }
    for (name, after) in golden.below("state_after/") {
        close(&name, found(&values, OutputKind::Update, &name)?, after, by.rtol, 0.0)?;
    }
    Ok(())
}

/// The program: a loss of the prediction itself is written as an expression, since `loss crossentropy` refuses
/// what is no probability.
fn program(golden: &Golden) -> String {
    let text = spelled("losses", &golden.name, golden.text("nn"));
    let text = match (text.strip_prefix("loss "), golden.about["through"].as_str()) {
        (Some(call), None) => {
            let (name, args) = call.split_once(' ').unwrap_or((call, ""));
            let args: String = args.split_whitespace().map(|a| format!(", {a}")).collect();
            format!("reshape(it, shape(it))\nloss = {name}(output, target{args})")
        }
        _ => text.to_string(),
    };
    format!("{text}\noptimizer sgd\n")
}

/// Files with another tolerance than 1e-5, and why.
const LOOSER: &[(&str, f64, &str)] = &[(
    "binary_crossentropy-clip",
    2e-2,
    "1 - 1e-7 itself is 0.99999988 in float32: Keras' log(1 - p) is -15.94, exactly it is -16.12",
)];

/// A loss with its gradient by the prediction `x`.
pub fn loss_problem(golden: &Golden, float: DType) -> Result<Problem, String> {
    let weighted = golden.tensors.contains_key("sample_weight");
    // Class weights are in the program, and Keras turns them into these sample weights.
    let in_program = golden.text("nn").contains("class_weights");
    let port = |name: &str, key: &str, classes: Option<usize>| Port {
        name: name.into(),
        shape: golden.tensors[key].dims[1..].to_vec(),
        classes: classes.map(|k| (0..k).map(|i| i.to_string()).collect()),
        about: "rows".into(),
        ragged: false,
        padded: false,
    };
    let classes = golden.about["classes"].as_u64().map(|k| k as usize);
    let ports = Ports {
        inputs: vec![port("x", "prediction", None)],
        targets: vec![port("y", "target", classes)],
        weighted: weighted && !in_program,
        has_valid: false,
        samples: 5,
        ..Ports::default()
    };
    let spec = spec_of(&program(golden))?;
    let options = Options { float };
    let model = spec.elaborate(&ports, &options).map_err(|d| render(&d, &spec.sources))?;

    let mut b = Builder::from_graph(model.forward.clone());
    let objective = b.graph().output(OutputKind::Objective, "objective").unwrap();
    let x = b.graph().parameters(Role::Input)[0].1;
    let seed = b.constant(1.0);
    let g = gradient(&mut b, objective, seed, &[x])[0];
    b.output(OutputKind::Gradient, "x", g);
    let graph = b.finish();
    verify(&graph).map_err(|e| e.join("\n"))?;
    let mut bindings = Bindings { batch: 5, ..Bindings::default() }
        .with(Role::Input, "x", golden.tensors["prediction"].clone())
        .with(Role::Target, "y", golden.tensors["target"].clone());
    if let Some(weights) = golden.tensors.get("sample_weight") {
        bindings = bindings.with(Role::SampleWeight, "sample_weight", weights.clone());
    }
    Ok(Problem { graph, bindings, by: vec![(Role::Input, "x".into(), "x".into())] })
}

/// The value of each sample, the batch's loss, the gradient.
pub fn loss(golden: &Golden, by: &Computer<'_>) -> Result<(), String> {
    let in_program = golden.text("nn").contains("class_weights");
    let Problem { graph, bindings, .. } = loss_problem(golden, by.float)?;
    let values = (by.run)(&graph, &bindings)?;

    let rtol = LOOSER.iter().find(|(n, _, _)| *n == golden.name).map_or(by.rtol, |(_, r, _)| *r);
    let mut wanted = golden.tensors["values"].clone();
    if in_program {
        wanted = wanted.zip(&golden.tensors["sample_weight"], |v, w| v * w);
    }
    close("values", found(&values, OutputKind::Loss, "loss")?, &wanted, rtol, 0.0)?;
    let batch = Array::new(&[], vec![golden.about["loss"].as_f64().unwrap()]);
    close("loss", found(&values, OutputKind::Objective, "objective")?, &batch, rtol, 0.0)?;
    close(
        "gradient",
        found(&values, OutputKind::Gradient, "x")?,
        &golden.tensors["grad/prediction"],
        rtol,
        0.0,
    )
}

/// The loss whose gradients are the inputs: `sum(w * gw) + sum(b * gb)` with a batch of 1.
const PROBLEM: &str = "\
weight w[3, 4] = zeros
weight b[4] = zeros
sum(w * gw) + sum(b * gb)
loss = output
";

/// 100 steps with given gradients, compared after every tenth, within `tolerance` of 1 or of the largest number.
pub fn optimizer(golden: &Golden, problem: &Golden, by: &Computer<'_>, tolerance: f64) -> Result<(), String> {
    let text = spelled("optimizers", &golden.name.replace("-f32", "-f64"), golden.text("nn"));
    let spec = spec_of(&format!("{PROBLEM}{text}\n"))?;
    let ports = Ports {
        inputs: vec![numbers("gw", &[3, 4]), numbers("gb", &[4])],
        targets: Vec::new(),
        weighted: false,
        has_valid: false,
        samples: 1,
        ..Ports::default()
    };
    let options = Options { float: by.float };
    let model = spec.elaborate(&ports, &options).map_err(|d| render(&d, &spec.sources))?;

    let mut bindings = Bindings { batch: 1, ..Bindings::default() };
    begin(&model, &mut bindings, &|n| problem.tensors.get(&format!("init/{n}")).cloned())?;
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
        let values = (by.run)(&model.step, &bindings)?;
        carry(&model, &values, &mut bindings);
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
                close(&format!("{n} after step {step}"), found, &wanted, tolerance, 1.0)?;
            }
        }
    }
    Ok(())
}

/// Weights, states and slots before the first step: those `given`, else what the program says.
fn begin(
    model: &Model,
    bindings: &mut Bindings,
    given: &dyn Fn(&str) -> Option<Array>,
) -> Result<(), String> {
    let first = evaluate(&model.init, bindings)?;
    for p in &model.parameters {
        let own = || model.init.output(OutputKind::Initial, &p.name).map(|n| first[n.index()].clone());
        let value = given(&p.name).or_else(own).ok_or_else(|| format!("no first value of {}", p.name))?;
        bindings.parameters.insert((p.role, p.name.clone()), value);
    }
    Ok(())
}

/// What a step leaves, for the next one.
fn carry(model: &Model, values: &Values, bindings: &mut Bindings) {
    for p in &model.parameters {
        if let Some(new) = values.get(&(OutputKind::Update, p.name.clone())) {
            bindings.parameters.insert((p.role, p.name.clone()), new.clone());
        }
    }
}

/// 50 steps of a whole model: the loss of every step, and the weights after the last one.
pub fn training(golden: &Golden, by: &Computer<'_>, tolerance: f64) -> Result<(), String> {
    let (x, y) = (&golden.tensors["x"], &golden.tensors["y"]);
    let port = |name: &str, a: &Array, key: &str| Port {
        name: name.into(),
        shape: a.dims[1..].to_vec(),
        classes: golden.about[key].as_u64().map(|k| (0..k).map(|i| i.to_string()).collect()),
        about: "rows".into(),
        ragged: false,
        padded: false,
    };
    let ports = Ports {
        inputs: vec![port("x", x, "input_classes")],
        targets: vec![port("y", y, "classes")],
        weighted: false,
        has_valid: false,
        samples: x.dims[0],
        ..Ports::default()
    };
    let spec = spec_of(golden.text("nn"))?;
    let options = Options { float: by.float };
    let model = spec.elaborate(&ports, &options).map_err(|d| render(&d, &spec.sources))?;
    let mut bindings = Bindings { batch: 1, ..Bindings::default() };
    begin(&model, &mut bindings, &|n| {
        let of = |prefix: &str| golden.tensors.get(&format!("{prefix}/{n}")).cloned();
        of("weight").or_else(|| of("state"))
    })?;
    let batch = golden.about["batch"].as_u64().unwrap() as usize;
    let rows = |a: &Array, at: usize, n: usize| {
        let width: usize = a.dims[1..].iter().product();
        Array::new(&[&[n], &a.dims[1..]].concat(), a.data[at * width..(at + n) * width].to_vec())
    };
    let against = if by.float == DType::F64 { "loss/f64" } else { "loss/f32" };
    let losses = &golden.tensors[against].data;
    let mut at = 0;
    for (i, wanted) in losses.iter().enumerate() {
        let n = batch.min(x.dims[0] - at);
        bindings.batch = n;
        bindings.step = i as u64 + 1;
        bindings.parameters.insert((Role::Input, "x".into()), rows(x, at, n));
        bindings.parameters.insert((Role::Target, "y".into()), rows(y, at, n));
        at = (at + n) % x.dims[0];
        let values = (by.run)(&model.step, &bindings)?;
        carry(&model, &values, &mut bindings);
        let rows = found(&values, OutputKind::Loss, "loss")?;
        let loss = rows.data.iter().sum::<f64>() / n as f64;
        let near = (loss - wanted).abs() <= tolerance * wanted.abs().max(1.0);
        if !near {
            return Err(format!("the loss of step {} is {loss}, not {wanted}", i + 1));
        }
    }
    for (name, wanted) in golden.below("after/") {
        // The bias of the keys changes nothing, so its gradient is rounding noise, which adam makes steps of.
        if name.ends_with("attention1.dense1.b") {
            continue;
        }
        let value = bindings.parameters.iter().find(|((_, n), _)| *n == name).ok_or("no such weight")?.1;
        // The weights are those of single precision, whose adam is 1.1e-4 away from that of double precision.
        let tolerance = if by.float == DType::F64 { 2e-4 } else { tolerance };
        close(&format!("{name} at the end"), value, wanted, tolerance, 1.0)?;
    }
    Ok(())
}
