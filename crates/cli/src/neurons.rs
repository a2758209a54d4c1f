//! A small network as neurons and connections.

use crate::args::{Precision, SpecArgs};
use crate::failure::{Failure, Result};
use crate::input::{compile, is_model};
use crate::output::Output;
use crate::stage::flat;
use nnc_artifact::TensorFile;
use nnc_graph::Role;
use nnc_model::Model;
use nnc_report::neurons::{MOST, Net, Neurons};
use nnc_train::{open_model, resolve_model};
use std::path::Path;

/// The picture of a program, or, coloured by its weights, of a trained network.
pub fn svg(args: &SpecArgs, precision: Precision, out: &mut Output) -> Result<String> {
    let compiled = compile(args, precision, out)?;
    let trained = args.spec.as_deref().filter(|p| is_model(Path::new(p)));
    let (file, names) = match trained {
        Some(path) => {
            let path = resolve_model(Path::new(path))?;
            let trained = open_model(&path)?;
            let limit = args.memory.unwrap_or(u64::MAX);
            let file = TensorFile::read(&path, limit).map_err(|e| {
                Failure::usage(format!("`{}` {e}", path.display()), "a trained network has weights")
            })?;
            (Some(file), [trained.input_names(), trained.output_names()])
        }
        None => match &compiled.loaded {
            Some(loaded) => (None, [loaded.input_names(), loaded.output_names()]),
            None => (None, [None, None]),
        },
    };
    let title = compiled.spec.sources.get(compiled.spec.source).name.clone();
    let mut net = net(&compiled.model, file.as_ref(), title)?;
    let [inputs, outputs] = names;
    let first = net.inputs.len();
    if let Some(names) = inputs.filter(|n| n.len() == first) {
        net.inputs = names;
    }
    let last = net.outputs.len();
    if let Some(names) = outputs.filter(|n| n.len() == last) {
        net.outputs = names;
    }
    Ok(nnc_report::neurons::svg(&net))
}

fn refused(message: String) -> Failure {
    Failure::usage(message, "`nnc graph net.nn --stage layers --out net.svg` draws any network as layers")
}

/// The dense layers of a model, one after the other.
fn net(model: &Model, file: Option<&TensorFile>, title: String) -> Result<Net> {
    let mut out = Net { title, ..Net::default() };
    let shape = |name: &str| {
        model.parameters.iter().find(|p| p.role == Role::Weight && p.name == name).map(|p| p.shape.clone())
    };
    let values = |name: &str| -> Vec<f64> {
        let tensor = file.and_then(|f| f.tensors.get(name));
        tensor.map_or(Vec::new(), |t| (0..t.values.len()).filter_map(|i| t.values.get(i)).collect())
    };
    let mut width = None;
    for row in &model.layers {
        if row.weights == 0 {
            // An activation, dropout, flatten: the numbers stay in their order.
            let same = width.is_none_or(|w: usize| row.shape.iter().product::<usize>() == w);
            match out.layers.last_mut() {
                Some(layer) if same => layer.text = format!("{}; {}", layer.text, flat(&row.text)),
                None if same => {}
                _ => return Err(refused(format!("`{}` is between the layers of neurons", flat(&row.text)))),
            }
            continue;
        }
        let of = shape(&format!("{}.w", row.name)).filter(|s| row.shape == s[s.len().min(1)..]);
        let Some([before, units]) = of.as_deref() else {
            return Err(refused(format!(
                "neurons are drawn of dense layers, and `{}` is none",
                flat(&row.text)
            )));
        };
        if width.is_some_and(|w| w != *before) {
            let message = format!("`{}` does not follow the layer before it alone", flat(&row.text));
            return Err(refused(message));
        }
        for n in [before, units] {
            if *n > MOST {
                let message = format!(
                    "`{}` has {n} neurons on one side, and at most {MOST} are drawn",
                    flat(&row.text)
                );
                return Err(refused(message));
            }
        }
        if width.is_none() {
            out.inputs = (1..=*before).map(|i| format!("x{i}")).collect();
        }
        width = Some(*units);
        out.layers.push(Neurons {
            text: flat(&row.text),
            name: row.name.clone(),
            units: *units,
            weights: values(&format!("{}.w", row.name)),
            biases: values(&format!("{}.b", row.name)),
        });
    }
    match (width, model.outputs.len()) {
        (Some(n), 1) => out.outputs = (1..=n).map(|i| format!("y{i}")).collect(),
        (Some(_), _) => return Err(refused("the network has several outputs".into())),
        (None, _) => return Err(refused("there is no dense layer".into())),
    }
    Ok(out)
}
