//! Every primitive, under onnxruntime where a Python has it, and the bytes of files.

#![allow(clippy::print_stderr)]

use super::emit::{Emitter, Scope, Val, elem, sizes};
use super::proto::{Elem, Model, Port, Size};
use super::{Options, export};
use crate::package::{Answer, Column, Encoding, Input, Package, Step, Weights};
use nnc_graph::cases::{Case, key, keys, table};
use nnc_graph::eval::{Array, Bindings, evaluate};
use nnc_graph::passes::sweep;
use nnc_graph::{
    Binary, Builder, DType, Direction, Graph, NodeId, OutputKind, Prim, Reduction, Region, Role, Type, Unary,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::process::Command;

const BATCH: usize = 3;
const SEED: u64 = 11;
const STEP: u64 = 5;

/// What has no kernel of doubles in onnxruntime: these cases are run by ONNX' reference.
const SINGLE: &[&str] = &["convolution", "convolution_kernel", "erf"];

/// A Python with onnx and onnxruntime, if the machine has one.
fn python() -> Option<String> {
    let named = std::env::var("NNC_PYTHON").unwrap_or_else(|_| "python3".into());
    let there = Command::new(&named).args(["-c", "import numpy, onnx, onnxruntime"]).output();
    let there = there.is_ok_and(|o| o.status.success());
    if !there {
        eprintln!("skipped: `{named}` has no onnx and onnxruntime; NNC_PYTHON names another Python");
    }
    there.then_some(named)
}

/// A case of the table, or another graph with inputs `x0`, `x1`, ….
struct Trial {
    name: String,
    graph: Graph,
    inputs: Vec<Array>,
}

fn trial_of(case: &Case, float: DType) -> Trial {
    let inputs = case.inputs.clone();
    let graph = graph_of(&inputs, float, |b, x| case.emit(b, x));
    Trial { name: case.name.clone(), graph, inputs: values(case, &inputs) }
}

fn graph_of(inputs: &[Type], float: DType, build: impl Fn(&mut Builder, &[NodeId]) -> NodeId) -> Graph {
    let mut b = Builder::new("case", DType::F64);
    let given: Vec<NodeId> = inputs
        .iter()
        .enumerate()
        .map(|(i, t)| b.parameter(Role::Input, format!("x{i}"), t.clone()))
        .collect();
    let out = build(&mut b, &given);
    b.output(OutputKind::Prediction, "y", out);
    let graph = sweep(&b.finish());
    if float == DType::F32 { single(&graph) } else { graph }
}

/// The same graph of single precision.
fn single(graph: &Graph) -> Graph {
    let mut b = Builder::new(graph.name.clone(), DType::F32);
    let of = |t: &Type| if t.dtype.is_float() { t.with_dtype(DType::F32) } else { t.clone() };
    let mut new: Vec<NodeId> = Vec::new();
    for id in graph.ids() {
        let node = graph.node(id);
        let operands: Vec<NodeId> = graph.operands(id).iter().map(|o| new[o.index()]).collect();
        let mut prim = node.prim.clone();
        if let Prim::Scan(scan) = &mut prim {
            scan.of.body = Region::new(single(scan.of.body.graph())).unwrap().into();
        }
        new.push(b.emit(prim, &operands, of(&node.ty)));
    }
    for output in graph.outputs() {
        b.output(output.kind, output.name.clone(), new[output.node.index()]);
    }
    b.finish()
}

fn values(case: &Case, types: &[Type]) -> Vec<Array> {
    let (low, high) = case.range;
    let mut state = 7u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1u32 << 31)
    };
    types
        .iter()
        .map(|t| {
            let dims = t.dims_at(BATCH);
            Array::from_fn(&dims, |_| match t.dtype {
                DType::I32 => (next() * 6.0).floor() - 1.0,
                // Halves, so that there are ties, and single precision is exact.
                DType::F32 | DType::F64
                    if case.name.contains("select_and") || case.name.contains("argmax") =>
                {
                    (next() * 6.0).floor() * 0.5
                }
                DType::F32 | DType::F64 | DType::Pred => f64::from((low + (high - low) * next()) as f32),
            })
        })
        .collect()
}

/// The model of a graph.
fn model_of(graph: &Graph) -> Result<Model, String> {
    let mut e = Emitter::new();
    let mut ports = vec![Port {
        name: e.fresh("rows"),
        elem: Elem::Float,
        shape: vec![Size::Batch],
        doc: String::new(),
    }];
    e.batch = Some("rows".into());
    let mut vals = vec![None; graph.len()];
    for (name, id) in graph.parameters(Role::Input) {
        let ty = graph.ty(id);
        let name = e.fresh(&name);
        vals[id.index()] = Some(Val::plain(name.clone(), ty.rank()));
        ports.push(Port { name, elem: elem(ty.dtype), shape: sizes(&ty.shape), doc: String::new() });
    }
    e.scopes.push(Scope { graph, vals, same: BTreeMap::new(), nodes: Vec::new() });
    let name = e.fresh("y");
    e.graph(0)?;
    let out = graph.output(OutputKind::Prediction, "y").unwrap();
    let value = e.canonical((0, out))?;
    e.push(0, "Identity", &name, &[&value], vec![name.clone()], Vec::new());
    let ty = graph.ty(out);
    let port = Port { name, elem: elem(ty.dtype), shape: sizes(&ty.shape), doc: String::new() };
    let package = Package {
        name: "case".into(),
        graph: graph.clone(),
        weights: BTreeMap::new(),
        inputs: Vec::new(),
        answers: Vec::new(),
        about: Vec::new(),
    };
    Ok(super::finish(e, &package, ports, vec![port]))
}

fn json(values: &[f64]) -> String {
    let each = values.iter().map(|x| if x.is_finite() { format!("{x:?}") } else { format!("\"{x}\"") });
    each.collect::<Vec<_>>().join(", ")
}

/// Runs all of them, and returns a line for each.
fn run(trials: &[Trial]) -> Option<Vec<String>> {
    let python = python()?;
    let folder = tempfile::tempdir().unwrap();
    let mut cases = Vec::new();
    for (n, trial) in trials.iter().enumerate() {
        let model = model_of(&trial.graph).unwrap_or_else(|e| panic!("{}: {e}", trial.name));
        let file = format!("{n}.onnx");
        std::fs::write(folder.path().join(&file), model.bytes()).unwrap();
        let mut bindings = Bindings { batch: BATCH, seed: SEED, step: STEP, ..Bindings::default() };
        let mut inputs = String::new();
        let mut add = |name: &str, elem: Elem, dims: &[usize], data: &[f64]| {
            let comma = if inputs.is_empty() { "" } else { ", " };
            let elem = elem.name();
            let _ = write!(
                inputs,
                "{comma}{name:?}: {{\"elem\": {elem:?}, \"dims\": {dims:?}, \"values\": [{}]}}",
                json(data)
            );
        };
        add("rows", Elem::Float, &[BATCH], &[0.0; BATCH]);
        add("seed", Elem::Int64, &[], &[SEED as f64]);
        add("step", Elem::Int64, &[], &[STEP as f64]);
        for (i, x) in trial.inputs.iter().enumerate() {
            let name = format!("x{i}");
            bindings = bindings.with(Role::Input, &name, x.clone());
            let given = trial.graph.parameters(Role::Input);
            if let Some((_, id)) = given.iter().find(|(own, _)| **own == *name) {
                add(&name, elem(trial.graph.ty(*id).dtype), &x.dims, &x.data);
            }
        }
        let out = trial.graph.output(OutputKind::Prediction, "y").unwrap();
        let wanted = evaluate(&trial.graph, &bindings).unwrap().swap_remove(out.index());
        cases.push(format!(
            "{{\"file\": {file:?}, \"inputs\": {{{inputs}}}, \"wanted\": [{}]}}",
            json(&wanted.data)
        ));
    }
    std::fs::write(folder.path().join("cases.json"), format!("[{}]", cases.join(",\n"))).unwrap();
    std::fs::write(folder.path().join("cases.py"), include_str!("cases.py")).unwrap();
    let ran = Command::new(python).arg(folder.path().join("cases.py")).arg(folder.path()).output().unwrap();
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{}", errors.chars().take(3000).collect::<String>());
    let lines: Vec<String> = String::from_utf8(ran.stdout).unwrap().lines().map(String::from).collect();
    assert_eq!(lines.len(), trials.len(), "{errors}");
    Some(lines)
}

fn compare(trials: &[Trial], tolerance: f64, may: &[&str]) {
    let Some(lines) = run(trials) else { return };
    let (mut wrong, mut most) = (Vec::new(), 0.0f64);
    for (trial, line) in trials.iter().zip(&lines) {
        let mut words = line.splitn(3, ' ');
        let worst: f64 = words.next().unwrap().parse().unwrap();
        let by = words.next().unwrap();
        let known = by == "onnxruntime" || may.iter().any(|m| trial.name.starts_with(m));
        if worst > tolerance || !known {
            wrong.push(format!("{}: {line}", trial.name).chars().take(700).collect::<String>());
        } else {
            most = most.max(worst);
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), trials.len(), wrong.join("\n"));
    eprintln!("{} cases, the largest difference {most:e}", trials.len());
}

#[test]
fn every_primitive_in_single_precision() {
    let trials: Vec<Trial> = table().iter().map(|c| trial_of(c, DType::F32)).collect();
    compare(&trials, 3e-6, &[]);
}

#[test]
fn every_primitive_in_double_precision() {
    let trials: Vec<Trial> = table().iter().map(|c| trial_of(c, DType::F64)).collect();
    compare(&trials, 1e-13, SINGLE);
}

/// A new primitive gets its cases in the table; each can be said in ONNX.
#[test]
fn every_primitive_can_be_said() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    fn add(graph: &Graph, seen: &mut BTreeSet<String>) {
        for id in graph.ids() {
            let prim = &graph.node(id).prim;
            seen.insert(key(prim));
            if let Prim::Scan(scan) = prim {
                add(scan.of.body.graph(), seen);
            }
        }
    }
    for case in table() {
        for float in [DType::F32, DType::F64] {
            let trial = trial_of(&case, float);
            let model = model_of(&trial.graph).unwrap_or_else(|e| panic!("{}: {e}", case.name));
            assert!(!model.bytes().is_empty());
            add(&trial.graph, &mut seen);
        }
    }
    let missing: Vec<String> = keys().difference(&seen).cloned().collect();
    assert!(missing.is_empty(), "{missing:?}");
}
