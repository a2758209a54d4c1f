//! Every primitive, under onnxruntime where a Python has it, and the bytes of files.

#![allow(clippy::print_stderr)]

use super::emit::{Emitter, Scope, Val, elem, sizes};
use super::proto::{Elem, Model, Port, Size};
use crate::package::Package;
use nnc_graph::cases::{Case, key, keys, table};
use nnc_graph::eval::{Array, Bindings, evaluate};
use nnc_graph::passes::sweep;
use nnc_graph::scan::{Body, Carry};
use nnc_graph::{
    Binary, Builder, DType, Dim, Direction, Distribution, DotDims, Graph, NodeId, OutputKind, Prim,
    Reduction, Region, Role, Type, Unary,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::process::Command;

const BATCH: usize = 3;
const SEED: u64 = 11;
const STEP: u64 = 5;

/// A Python with onnx and onnxruntime, if the machine has one.
pub(super) fn python() -> Option<String> {
    // Of whatever Python a machine has the versions are not known.
    let Ok(named) = std::env::var("NNC_PYTHON") else {
        eprintln!("skipped: NNC_PYTHON names no Python to compare with");
        return None;
    };
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
    let mut ports =
        vec![Port { name: e.fresh("rows"), elem: Elem::Float, shape: vec![Size::Batch], doc: String::new() }];
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

fn compare(trials: &[Trial], tolerance: f64) {
    let Some(lines) = run(trials) else { return };
    let (mut wrong, mut most) = (Vec::new(), 0.0f64);
    for (trial, line) in trials.iter().zip(&lines) {
        let mut words = line.splitn(2, ' ');
        let worst: f64 = words.next().unwrap().parse().unwrap();
        if worst > tolerance {
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
    compare(&trials, 3e-6);
}

#[test]
fn every_primitive_in_double_precision() {
    let trials: Vec<Trial> = table().iter().map(|c| trial_of(c, DType::F64)).collect();
    compare(&trials, 1e-13);
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

fn ty(dtype: DType, dims: &[usize]) -> Type {
    let shape: Vec<Dim> = dims.iter().map(|&n| if n == 0 { Dim::Batch } else { Dim::Size(n) }).collect();
    Type::new(dtype, shape)
}

fn list(dims: &[usize], values: &[f64]) -> Array {
    Array::new(dims, values.to_vec())
}

/// Where runtimes, or ONNX itself, easily mean something else.
fn corners(float: DType) -> Vec<Trial> {
    let mut out = Vec::new();
    let mut add = |name: &str,
                   inputs: &[(Type, Array)],
                   build: &dyn Fn(&mut Builder, &[NodeId]) -> NodeId| {
        let types: Vec<Type> = inputs.iter().map(|(t, _)| t.clone()).collect();
        let graph = graph_of(&types, float, build);
        out.push(Trial { name: name.into(), graph, inputs: inputs.iter().map(|(_, x)| x.clone()).collect() });
    };
    let nan = f64::NAN;
    let odd = [nan, -0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY, 1.0, -1.0, 2.5, -2.5, 3.5, 0.5, -0.5];
    let one = |values: &[f64]| (ty(DType::F64, &[values.len()]), list(&[values.len()], values));
    for op in Unary::ALL {
        if op != Unary::Not {
            add(op.name(), &[one(&odd)], &|b, x| b.unary(op, x[0]));
        }
    }
    let small: Vec<f64> = [1e-3, 1e-5, 1e-8, 1e-12, 3e-7, 0.9999, 1.0, 1.5, 40.0]
        .iter()
        .flat_map(|x| [f64::from(*x as f32), f64::from(-*x as f32)])
        .collect();
    let scaled = |op: Unary| {
        move |b: &mut Builder, x: &[NodeId]| {
            // Near 0 what counts is the relative error.
            let y = b.unary(op, x[0]);
            b.binary(Binary::Divide, y, x[0])
        }
    };
    add("expm1 near 0", &[one(&small)], &scaled(Unary::ExponentialMinusOne));
    let above: Vec<f64> = small.iter().copied().filter(|x| *x > -0.99).collect();
    add("log1p near 0", &[one(&above)], &scaled(Unary::LogPlusOne));
    add("erf near 0", &[one(&small)], &scaled(Unary::Erf));
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for a in odd {
        for b in odd {
            left.push(a);
            right.push(b);
        }
    }
    for op in Binary::ALL {
        if !matches!(op, Binary::And | Binary::Or) {
            add(op.name(), &[one(&left), one(&right)], &|b, x| b.binary(op, x[0], x[1]));
        }
    }
    for direction in Direction::ALL {
        add(direction.name(), &[one(&left), one(&right)], &|b, x| b.compare(direction, x[0], x[1]));
        // Of predicates, and of whole numbers.
        add(&format!("{} of predicates", direction.name()), &[one(&left), one(&right)], &|b, x| {
            let zero = b.scalar_like(0.5, x[0]);
            let (p, q) = (b.compare(Direction::Gt, x[0], zero), b.compare(Direction::Gt, x[1], zero));
            let both = b.compare(direction, p, q);
            let either = b.select(both, p, q);
            b.convert(either, DType::F64)
        });
    }
    let finite: Vec<f64> = odd.iter().copied().filter(|x| x.is_finite()).collect();
    for to in [DType::I32, DType::Pred] {
        add("convert", &[one(&finite)], &|b, x| {
            let y = b.convert(x[0], to);
            b.convert(y, DType::F64)
        });
    }
    let table = list(&[3, 4], &[nan, 1.0, 2.0, 0.0, 5.0, 5.0, 5.0, 5.0, -1.0, f64::NEG_INFINITY, nan, -3.0]);
    for op in Reduction::ALL {
        for axis in [0, 1] {
            add(&format!("{} {axis}", op.name()), &[(ty(DType::F64, &[0, 4]), table.clone())], &|b, x| {
                b.reduce(op, x[0], vec![axis])
            });
        }
    }
    for axis in [0, 1] {
        add("argmax", &[(ty(DType::F64, &[0, 4]), table.clone())], &|b, x| b.argmax(x[0], axis));
    }
    let index = (ty(DType::I32, &[0, 2]), list(&[3, 2], &[-1.0, 0.0, 2.0, 3.0, 99.0, -7.0]));
    add("gather outside", &[(ty(DType::F64, &[3, 4]), list(&[3, 4], &[1.5; 12])), index], &|b, x| {
        b.gather(x[0], x[1])
    });
    // Where axes lie: transposed, repeated, folded and joined without being written in between.
    let cube = (
        ty(DType::F64, &[0, 2, 4]),
        Array::from_fn(&[3, 2, 4], |i| (i[0] * 8 + i[1] * 4 + i[2]) as f64 / 8.0),
    );
    add("axes", &[cube.clone(), one(&[1.0, -2.0]), one(&[3.0, 4.0, 5.0, 6.0])], &|b, x| {
        let turned = b.transpose(x[0], vec![2, 0, 1]);
        let shape = b.ty(turned).shape.clone();
        let row = b.broadcast(x[1], vec![2], shape.clone());
        let column = b.broadcast(x[2], vec![0], shape.clone());
        let sum = b.binary(Binary::Add, turned, row);
        let sum = b.binary(Binary::Multiply, sum, column);
        let both = b.concatenate(&[sum, row, column], 2);
        let back = b.transpose(both, vec![1, 2, 0]);
        let part = b.slice(back, vec![0, 1, 1], ty(DType::F64, &[0, 4, 2]).shape);
        let wide = b.pad(part, vec![0, 1, 2], ty(DType::F64, &[0, 6, 5]).shape);
        let round = b.reverse(wide, vec![2]);
        let flat = b.reshape(round, ty(DType::F64, &[0, 1, 30, 1]).shape);
        let flat = b.reshape(flat, ty(DType::F64, &[0, 30]).shape);
        b.reduce(Reduction::Add, flat, vec![0])
    });
    add("all repeated", &[one(&[2.0])], &|b, x| {
        let wide = b.broadcast(x[0], vec![1], ty(DType::F64, &[0, 1, 3]).shape);
        let most = b.reduce(Reduction::Add, wide, vec![0, 2]);
        let wide = b.broadcast(most, vec![2], ty(DType::F64, &[3, 0, 1]).shape);
        b.dot(
            wide,
            wide,
            DotDims {
                left_batch: vec![1],
                right_batch: vec![1],
                left_contract: vec![2],
                right_contract: vec![2],
            },
        )
    });
    add("softmax along the first axis", &[(ty(DType::F64, &[3, 0]), list(&[3, 3], &[0.5; 9]))], &|b, x| {
        let most = b.reduce(Reduction::Maximum, x[0], vec![0]);
        let shape = b.ty(x[0]).shape.clone();
        let most = b.broadcast(most, vec![1], shape.clone());
        let less = b.binary(Binary::Subtract, x[0], most);
        let e = b.unary(Unary::Exponential, less);
        let sum = b.reduce(Reduction::Add, e, vec![0]);
        let sum = b.broadcast(sum, vec![1], shape);
        b.binary(Binary::Divide, e, sum)
    });
    // A loop in a loop, without slices, that reads its own beginning, what is outside, and random numbers.
    add("loops", &[cube], &|b, x| {
        let flat = ty(DType::F64, &[0, 2, 4]);
        let at = b.stand_in(Role::Carry, flat.clone());
        let step = b.stand_in(Role::Carry, ty(DType::I32, &[]));
        let one = b.constant_of(1.0, DType::I32);
        let next_step = b.binary(Binary::Add, step, one);
        let noise = b.rng_keyed(Distribution::Uniform, 7, &[step], flat.shape.clone());
        let within = b.stand_in(Role::Carry, flat.clone());
        let turned = b.binary(Binary::Add, within, noise);
        let sum = b.binary(Binary::Add, turned, x[0]);
        let half = b.scalar_like(0.5, sum);
        let next = b.binary(Binary::Multiply, sum, half);
        let inner = Body {
            length: 2,
            reverse: false,
            carries: vec![Carry { at: within, first: at, next }],
            slices: Vec::new(),
            roots: vec![within, x[0], next],
            ..Body::default()
        };
        let mut inner = inner.make(b);
        let (begun, last) = (inner.stacked(b, within), inner.last(b, 0));
        let all = b.reduce(Reduction::Add, begun, vec![0]);
        let next = b.binary(Binary::Add, all, last);
        let zero = b.constant_of(0.0, DType::I32);
        let outer = Body {
            length: 3,
            reverse: true,
            carries: vec![Carry { at, first: x[0], next }, Carry { at: step, first: zero, next: next_step }],
            slices: Vec::new(),
            roots: vec![at, next],
            ..Body::default()
        };
        let mut outer = outer.make(b);
        let (before, after) = (outer.stacked(b, at), outer.stacked(b, next));
        b.concatenate(&[before, after], 3)
    });
    out
}

#[test]
fn corners_in_both_precisions() {
    compare(&corners(DType::F32), 3e-6);
    compare(&corners(DType::F64), 1e-13);
}
