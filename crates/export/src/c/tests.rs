//! Every primitive, compiled and run.

#![allow(clippy::print_stderr)]

use super::emit::{Code, Given, Place, emit};
use super::library::functions;
use nnc_graph::cases::{Case, key, keys, table};
use nnc_graph::eval::{Array, Bindings, evaluate};
use nnc_graph::passes::sweep;
use nnc_graph::{Builder, DType, Graph, NodeId, OutputKind, Prim, Region, Role, Type};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::Command;

pub(crate) const BATCH: usize = 3;
pub(crate) const SEED: u64 = 11;
pub(crate) const STEP: u64 = 5;

/// A compiler of C, if the machine has one.
pub(crate) fn compiler() -> Option<&'static str> {
    let found =
        ["gcc", "clang", "cc"].into_iter().find(|c| Command::new(c).arg("--version").output().is_ok());
    if found.is_none() {
        eprintln!("skipped: this machine has no compiler of C");
    }
    found
}

pub(crate) fn graph_of(case: &Case, float: DType) -> (Graph, NodeId, Vec<Type>) {
    let mut b = Builder::new("case", DType::F64);
    let inputs: Vec<NodeId> = case
        .inputs
        .iter()
        .enumerate()
        .map(|(i, t)| b.parameter(Role::Input, format!("x{i}"), t.clone()))
        .collect();
    let out = case.emit(&mut b, &inputs);
    b.output(OutputKind::Prediction, "y", out);
    let mut graph = sweep(&b.finish());
    if float == DType::F32 {
        graph = single(&graph);
    }
    let out = graph.output(OutputKind::Prediction, "y").unwrap();
    let single = |t: &Type| if t.dtype.is_float() { t.with_dtype(float) } else { t.clone() };
    (graph, out, case.inputs.iter().map(single).collect())
}

/// The same graph of single precision.
pub(crate) fn single(graph: &Graph) -> Graph {
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

pub(crate) fn values(case: &Case, types: &[Type]) -> Vec<Array> {
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

fn literals(values: &[f64], single: bool) -> String {
    values.iter().map(|&x| super::literal(x, single)).collect::<Vec<_>>().join(", ")
}

/// All cases as one program that prints its results, one line each.
fn program(cases: &[Case], float: DType, own: bool) -> (String, Vec<(String, Vec<f64>)>) {
    let single = float == DType::F32;
    let mut helpers: BTreeSet<&'static str> = BTreeSet::new();
    let (mut bodies, mut main) = (String::new(), String::new());
    let mut wanted = Vec::new();
    for (n, case) in cases.iter().enumerate() {
        let (graph, out, types) = graph_of(case, float);
        let inputs = values(case, &types);
        let mut bindings = Bindings { batch: BATCH, seed: SEED, step: STEP, ..Bindings::default() };
        let mut given = Given::new();
        for (i, x) in inputs.iter().enumerate() {
            bindings = bindings.with(Role::Input, &format!("x{i}"), x.clone());
            given.insert((Role::Input, format!("x{i}")), Place::given(format!("x{i}")));
            let _ = writeln!(bodies, "static const real c{n}_x{i}[] = {{{}}};", literals(&x.data, single));
        }
        let value = evaluate(&graph, &bindings).unwrap().swap_remove(out.index());
        let Code { text, work, helpers: called } = emit(&graph, BATCH, &given, &[(out, "y".into())], &[])
            .unwrap_or_else(|e| panic!("{}: {e}", case.name));
        helpers.extend(called);
        let signature: String = (0..inputs.len()).map(|i| format!("const real *restrict x{i}, ")).collect();
        let _ = writeln!(
            bodies,
            "/* {} */\nstatic void c{n}({signature}real *restrict y, uint64_t seed, uint64_t step, real *work)\n{{",
            crate::names::comment(&case.name)
        );
        bodies.push_str("    (void)seed; (void)step;\n");
        for i in 0..inputs.len() {
            let _ = writeln!(bodies, "    (void)x{i};");
        }
        let _ = writeln!(bodies, "{text}}}");
        let arguments: String = (0..inputs.len()).map(|i| format!("c{n}_x{i}, ")).collect();
        let count = value.data.len();
        let _ = writeln!(
            main,
            "    {{ static real y[{count}], work[{}]; for (int i = 0; i < {count}; i++) y[i] = 77; for (int i = 0; i < {}; i++) work[i] = 99; c{n}({arguments}y, {SEED}, {STEP}, work); for (int i = 0; i < {count}; i++) printf(\"%.17g \", (double)y[i]); printf(\"\\n\"); }}",
            work.max(1),
            work.max(1)
        );
        wanted.push((case.name.clone(), value.data));
    }
    let (library, math) = functions(&helpers, float, own);
    assert!(!(own && math), "math.h is not called");
    let math = if math { "#include <math.h>\n" } else { "" };
    let real = if single { "float" } else { "double" };
    let head = format!("#include <stdio.h>\n#include <stdint.h>\n{math}typedef {real} real;\n");
    (format!("{head}{library}{bodies}int main(void)\n{{\n{main}    return 0;\n}}\n"), wanted)
}

fn run(source: &str, flags: &[&str]) -> Option<String> {
    let compiler = compiler()?;
    let folder = tempfile::tempdir().unwrap();
    let (c, exe) = (folder.path().join("cases.c"), folder.path().join("cases"));
    std::fs::write(&c, source).unwrap();
    if let Ok(keep) = std::env::var("NNC_KEEP_C") {
        std::fs::write(keep, source).unwrap();
    }
    let strict = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror"];
    let built =
        Command::new(compiler).args(strict).args(flags).arg("-o").arg(&exe).arg(&c).arg("-lm").output();
    let built = built.unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr).chars().take(4000).collect::<String>()
    );
    let ran = Command::new(&exe).output().unwrap();
    let errors = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success() && errors.is_empty(), "{}", errors.chars().take(2000).collect::<String>());
    Some(String::from_utf8(ran.stdout).unwrap())
}

fn compare(float: DType, own: bool, flags: &[&str], tolerance: f64) {
    let cases = table();
    let (source, wanted) = program(&cases, float, own);
    let Some(said) = run(&source, flags) else { return };
    let mut wrong = Vec::new();
    for ((name, wanted), line) in wanted.iter().zip(said.lines()) {
        let got: Vec<f64> = line.split_whitespace().map(|x| x.parse().unwrap()).collect();
        let worst = wanted
            .iter()
            .zip(&got)
            .map(|(w, g)| if w == g { 0.0 } else { (w - g).abs() / w.abs().max(1.0) })
            .fold(0.0, |a: f64, b| if b > a || b.is_nan() { b } else { a });
        if got.len() != wanted.len() || worst.is_nan() || worst > tolerance {
            wrong.push(format!("{name}: {worst:e} {got:?} {wanted:?}").chars().take(300).collect::<String>());
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), wanted.len(), wrong.join("\n"));
    assert_eq!(said.lines().count(), wanted.len());
}

#[test]
fn every_primitive_in_double_precision() {
    compare(DType::F64, false, &["-O1"], 1e-13);
}

#[test]
fn every_primitive_in_single_precision() {
    compare(DType::F32, false, &["-O2"], 3e-6);
}

#[test]
fn every_primitive_without_math_h() {
    compare(DType::F64, true, &["-O1"], 1e-13);
    compare(DType::F32, true, &["-O1"], 3e-6);
}

#[test]
fn every_primitive_under_sanitizers() {
    let Some(compiler) = compiler() else { return };
    let folder = tempfile::tempdir().unwrap();
    let c = folder.path().join("probe.c");
    std::fs::write(&c, "int main(void) { return 0; }\n").unwrap();
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1"];
    let probe =
        Command::new(compiler).args(flags).arg("-o").arg(folder.path().join("probe")).arg(&c).output();
    if !probe.is_ok_and(|o| o.status.success()) {
        eprintln!("skipped: the compiler has no sanitizers");
        return;
    }
    compare(DType::F32, false, &flags, 3e-6);
    compare(DType::F32, true, &flags, 3e-6);
}

/// A new primitive gets its cases in the table that this runs.
#[test]
fn the_cases_are_of_all_primitives() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for case in table() {
        let (graph, _, _) = graph_of(&case, DType::F64);
        fn add(graph: &Graph, seen: &mut BTreeSet<String>) {
            for id in graph.ids() {
                let prim = &graph.node(id).prim;
                seen.insert(key(prim));
                if let Prim::Scan(scan) = prim {
                    add(scan.of.body.graph(), seen);
                }
            }
        }
        add(&graph, &mut seen);
    }
    let missing: Vec<String> = keys().difference(&seen).cloned().collect();
    assert!(missing.is_empty(), "{missing:?}");
}
