//! Metrics over several batches, the last one partial, against Keras and by hand.
#![allow(clippy::unwrap_used)]
#![allow(clippy::wildcard_enum_match_arm, reason = "only some kinds are looked at")]

mod common;

use common::golden::folder;
use common::{classes, numbers, render, spec_of};
use nnc_graph::eval::{Array, Bindings, evaluate};
use nnc_graph::{DType, OutputKind, Role, verify};
use nnc_model::{Model, Options, Ports};
use serde_json::Value;

fn flat(v: &Value, dims: &mut Vec<usize>, out: &mut Vec<f64>, depth: usize) {
    match v {
        Value::Array(items) => {
            if dims.len() <= depth {
                dims.push(items.len());
            }
            items.iter().for_each(|i| flat(i, dims, out, depth + 1));
        }
        v => out.push(v.as_f64().unwrap()),
    }
}

fn array(v: &Value) -> Array {
    let (mut dims, mut data) = (Vec::new(), Vec::new());
    flat(v, &mut dims, &mut data, 0);
    Array::new(&dims, data)
}

fn rows(a: &Array, at: usize, count: usize) -> Array {
    let width: usize = a.dims[1..].iter().product();
    let dims = [&[count], &a.dims[1..]].concat();
    Array::new(&dims, a.data[at * width..(at + count) * width].to_vec())
}

/// The metric `m` of a model, as the trainer computes it: sums of every batch, then the finishing graph.
fn measured(
    model: &Model,
    output: &Array,
    target: &Array,
    weights: Option<&Array>,
    batches: &[usize],
) -> Result<Array, String> {
    let mut sums: Vec<Array> = Vec::new();
    let names: Vec<(OutputKind, String)> = match &model.totals {
        Some(t) => t.list.iter().map(|t| (OutputKind::Total, t.name.clone())).collect(),
        None => vec![(OutputKind::Metric, "m".into())],
    };
    let mut at = 0;
    for &n in batches {
        let bindings = Bindings { batch: n, ..Bindings::default() }
            .with(Role::Input, "x", rows(output, at, n))
            .with(Role::Target, "y", rows(target, at, n));
        let bindings = match weights {
            Some(w) => bindings.with(Role::SampleWeight, "sample_weight", rows(w, at, n)),
            None => bindings,
        };
        let values = evaluate(&model.eval, &bindings)?;
        for (i, (kind, name)) in names.iter().enumerate() {
            let each = &values[model.eval.output(*kind, name).ok_or("no such result")?.index()];
            let width = each.data.len() / n;
            let sum = (0..width).map(|j| (0..n).map(|row| each.data[row * width + j]).sum()).collect();
            let sum = Array::new(&each.dims[1..], sum);
            match sums.get_mut(i) {
                Some(so_far) => *so_far = so_far.zip(&sum, |a, b| a + b),
                None => sums.push(sum),
            }
        }
        at += n;
    }
    let Some(totals) = &model.totals else { return Ok(sums[0].map(|s| s / at as f64)) };
    verify(&totals.finish).map_err(|e| e.join("\n"))?;
    let mut bindings = Bindings { batch: at, ..Bindings::default() };
    for (total, sum) in totals.list.iter().zip(sums) {
        assert_eq!(total.shape, sum.dims);
        bindings = bindings.with(Role::Input, &total.name, sum);
    }
    let node = totals.finish.output(OutputKind::Metric, "m").ok_or("no metric")?;
    Ok(evaluate(&totals.finish, &bindings)?.swap_remove(node.index()))
}

fn check(case: &Value) -> Result<(), String> {
    let (output, target) = (array(&case["output"]), array(&case["target"]));
    let weights = case.get("weights").map(array);
    let port = match case["classes"].as_u64() {
        Some(k) => classes("y", &target.dims[1..], k as usize),
        None => numbers("y", &target.dims[1..]),
    };
    let ports = Ports {
        inputs: vec![numbers("x", &output.dims[1..])],
        targets: vec![port],
        weighted: weights.is_some(),
        weight: weights.as_ref().map(|_| "w".into()),
        has_valid: false,
        samples: target.dims[0],
        ..Ports::default()
    };
    let nn = case["nn"].as_str().unwrap();
    let spec =
        spec_of(&format!("reshape(it, shape(it))\nloss = mean(output)\noptimizer sgd\nmetrics m=({nn})\n"))?;
    let model =
        spec.elaborate(&ports, &Options { float: DType::F64 }).map_err(|d| render(&d, &spec.sources))?;
    let wanted = array(&case["value"]);
    let whole = [target.dims[0]];
    let batches: Vec<usize> =
        case["batches"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
    for batches in [&batches[..], &whole] {
        let found = measured(&model, &output, &target, weights.as_ref(), batches)?;
        if found.dims != wanted.dims {
            return Err(format!("is {:?}, not {:?}", found.dims, wanted.dims));
        }
        for (f, w) in found.data.iter().zip(&wanted.data) {
            // Keras adds 1e-7 to denominators, and counts with thresholds of single precision.
            let near = (f - w).abs() <= 2e-7 * w.abs().max(1.0);
            if !near {
                return Err(format!("is {f}, not {w}, in batches of {batches:?}"));
            }
        }
    }
    let tables = model.totals.iter().flat_map(|t| &t.tables).count();
    assert_eq!(tables, usize::from(!wanted.dims.is_empty()));
    assert_eq!(model.metrics.len(), 1 - tables);
    Ok(())
}

#[test]
fn metrics_over_partial_batches_are_keras_metrics() {
    let text = std::fs::read_to_string(folder("metrics.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(cases.len() > 35 && cases.iter().filter(|c| c.get("weights").is_some()).count() > 9);
    let bad: Vec<String> = cases
        .iter()
        .filter_map(|c| check(c).err().map(|e| format!("{} `{}`: {e}", c["case"], c["nn"])))
        .collect();
    assert!(bad.is_empty(), "{} of {} differ:\n{}", bad.len(), cases.len(), bad.join("\n"));
}
