//! Every primitive, compiled by XLA and run; and, without it, that every one has a text.

#![allow(clippy::print_stderr)]

use super::{Module, module, quoted};
use crate::c::tests::{BATCH, SEED, STEP, graph_of, values};
use nnc_graph::cases::{key, keys, table};
use nnc_graph::eval::{Array, Bindings, evaluate};
use nnc_graph::passes::sweep;
use nnc_graph::scan::{Body, Carry};
use nnc_graph::{
    Binary, Builder, DType, Dim, Direction, Distribution, Graph, NodeId, OutputKind, Prim, Role, Type, Unary,
    WindowDims, random,
};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// A Python with jax, if the machine has one: `NNC_PYTHON`, or `python3`.
fn python() -> Option<String> {
    // Of whatever Python a machine has the versions are not known.
    let Ok(python) = std::env::var("NNC_PYTHON") else {
        eprintln!("skipped: NNC_PYTHON names no Python to compare with");
        return None;
    };
    let found = Command::new(&python).args(["-c", "import jax, numpy"]).output();
    if found.is_ok_and(|o| o.status.success()) {
        return Some(python);
    }
    eprintln!("skipped: `{python}` has no jax; NNC_PYTHON names another Python");
    None
}

/// A graph with what it is given and what it says.
struct Job {
    name: String,
    graph: Graph,
    inputs: Vec<Array>,
    seed: u64,
    step: u64,
    /// The results in their order; how far they may be away, as a part of the larger of 1 and the number.
    wanted: Vec<f64>,
    within: f64,
}

impl Job {
    fn new(name: &str, graph: Graph, inputs: Vec<Array>, within: f64) -> Self {
        Self::at(name, graph, inputs, within, (SEED, STEP))
    }

    fn at(name: &str, graph: Graph, inputs: Vec<Array>, within: f64, (seed, step): (u64, u64)) -> Self {
        let mut bindings = Bindings { batch: BATCH, seed, step, ..Bindings::default() };
        for (i, x) in inputs.iter().enumerate() {
            bindings = bindings.with(Role::Input, &format!("x{i}"), x.clone());
        }
        let all = evaluate(&graph, &bindings).unwrap();
        let wanted = graph.outputs().iter().flat_map(|o| all[o.node.index()].data.clone()).collect();
        Self { name: name.into(), graph, inputs, seed, step, wanted, within }
    }

    /// Writes module and arguments; gives its line of the list.
    fn write(&self, number: usize, folder: &Path) -> String {
        let module = module(&self.graph, BATCH).unwrap_or_else(|e| panic!("{}: {e}", self.name));
        std::fs::write(folder.join(format!("{number}.mlir")), &module.text).unwrap();
        let mut line = format!("{number}");
        for (i, argument) in module.arguments.iter().enumerate() {
            let given = || {
                let at: usize = argument.name.strip_prefix('x').unwrap().parse().unwrap();
                &self.inputs[at].data
            };
            let bytes: Vec<u8> = match (argument.role, argument.dtype) {
                ("seed", _) => self.seed.to_le_bytes().to_vec(),
                ("step", _) => self.step.to_le_bytes().to_vec(),
                (_, "f32") => given().iter().flat_map(|x| (*x as f32).to_le_bytes()).collect(),
                (_, "f64") => given().iter().flat_map(|x| x.to_le_bytes()).collect(),
                (_, "i32") => given().iter().flat_map(|x| (*x as i32).to_le_bytes()).collect(),
                (role, dtype) => panic!("{role} {dtype}"),
            };
            std::fs::write(folder.join(format!("{number}_{i}.bin")), bytes).unwrap();
            let dims: Vec<String> = argument.shape.iter().map(ToString::to_string).collect();
            line += &format!(" {}:{}", argument.dtype, dims.join(","));
        }
        line + "\n"
    }
}

/// Runs all of them in one process.
fn compare(jobs: &[Job]) {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let lines: String = jobs.iter().enumerate().map(|(n, job)| job.write(n, folder.path())).collect();
    std::fs::write(folder.path().join("cases.txt"), lines).unwrap();
    let script = folder.path().join("run.py");
    std::fs::write(&script, include_str!("tests.py")).unwrap();
    let ran = Command::new(python).arg(&script).arg(folder.path()).output().unwrap();
    let errors = String::from_utf8_lossy(&ran.stderr);
    let mut wrong = Vec::new();
    let mut worst = (0.0, "");
    for (n, job) in jobs.iter().enumerate() {
        let Ok(bytes) = std::fs::read(folder.path().join(format!("{n}.out"))) else {
            wrong.push(format!("{n} {}: nothing", job.name));
            continue;
        };
        let got: Vec<f64> = bytes.chunks(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
        let away = |(w, g): (&f64, &f64)| match (w.is_nan(), g.is_nan()) {
            (true, true) => 0.0,
            (false, false) if w == g => 0.0,
            (false, false) => (w - g).abs() / w.abs().max(1.0),
            (true, false) | (false, true) => f64::INFINITY,
        };
        let most = job.wanted.iter().zip(&got).map(away).fold(0.0, f64::max);
        if most > worst.0 {
            worst = (most, &job.name);
        }
        if got.len() != job.wanted.len() || most > job.within {
            let text = format!("{n} {}: {most:e} {got:?} {:?}", job.name, job.wanted);
            wrong.push(text.chars().take(400).collect::<String>());
        }
    }
    assert!(
        wrong.is_empty() && ran.status.success(),
        "{} of {}:\n{}\n{}",
        wrong.len(),
        jobs.len(),
        wrong.join("\n"),
        errors.chars().take(6000).collect::<String>()
    );
    eprintln!("{} modules, at most {:e} away ({})", jobs.len(), worst.0, worst.1);
}

fn all(float: DType, within: f64) -> Vec<Job> {
    let job = |case: &nnc_graph::cases::Case| {
        let (graph, _, types) = graph_of(case, float);
        Job::new(&case.name, graph, values(case, &types), within)
    };
    table().iter().map(job).collect()
}

/// A graph of inputs of these types, all of whose results are predictions.
fn graph(float: DType, types: &[Type], build: impl Fn(&mut Builder, &[NodeId]) -> Vec<NodeId>) -> Graph {
    let mut b = Builder::new("case", float);
    let inputs: Vec<NodeId> =
        types.iter().enumerate().map(|(i, t)| b.parameter(Role::Input, format!("x{i}"), t.clone())).collect();
    for (i, node) in build(&mut b, &inputs).into_iter().enumerate() {
        b.output(OutputKind::Prediction, format!("y{i}"), node);
    }
    sweep(&b.finish())
}

fn sized(float: DType, dims: &[usize]) -> Type {
    Type::new(float, dims.iter().map(|&n| Dim::Size(n)).collect::<Vec<_>>())
}

/// Pools over numbers of which many are equal, some -inf, some none.
fn pools(float: DType) -> Vec<Job> {
    let mut jobs = Vec::new();
    type Padding = [[i64; 2]; 2];
    let same: [([usize; 2], [usize; 2], Padding); 4] = [
        ([2, 2], [2, 2], [[0, 0], [1, 1]]),
        ([3, 3], [2, 2], [[0, 1], [1, 1]]),
        ([3, 2], [1, 3], [[2, 0], [1, 1]]),
        ([2, 3], [3, 2], [[0, 0], [0, 0]]),
    ];
    for (size, stride, [low, high]) in same {
        let mut w = WindowDims::new(size.to_vec(), stride.to_vec());
        (w.low, w.high) = (low.to_vec(), high.to_vec());
        let x = sized(float, &[2, 7, 5, 3]);
        let out = x.with_shape(w.result(&x.shape).unwrap());
        for strange in [false, true] {
            let mut state = 5u64;
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 33) % 8
            };
            let number = |n: u64| match n {
                6 if strange => f64::NEG_INFINITY,
                7 if strange => f64::NAN,
                n => (n % 3) as f64,
            };
            let ties = Array::from_fn(&x.dims_at(1), |_| number(next()));
            // The last channel of the second sample has no number at all.
            let ties = Array::from_fn(&x.dims_at(1), |at| {
                if strange && at[0] == 1 && at[3] == 2 { f64::NEG_INFINITY } else { ties.at(at) }
            });
            let mut count = 0.0;
            let g = Array::from_fn(&out.dims_at(1), |_| {
                count += 1.0;
                count
            });
            let build = |b: &mut Builder, v: &[NodeId]| {
                vec![b.select_and_scatter(v[0], v[1], w.clone()), b.select_and_gather(v[0], v[2], w.clone())]
            };
            let h = Array::from_fn(&x.dims_at(1), |at| (at[1] * 100 + at[2] * 10 + at[3]) as f64);
            let graph = graph(float, &[x.clone(), out.clone(), x.clone()], build);
            jobs.push(Job::new(&format!("pool {size:?} {strange}"), graph, vec![ties, g, h], 0.0));
        }
    }
    jobs
}

/// Random numbers, bit by bit.
fn numbers(float: DType) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (seed, step) in [(0, 0), (SEED, STEP), (u64::MAX - 3, (7 << 32) + 5)] {
        for dims in [&[][..], &[1], &[5, 7], &[64]] {
            let whole = Type::scalar(DType::I32);
            let graph = graph(float, &[whole.clone(), whole], |b, x| {
                let shape = sized(float, dims).shape;
                let plain = b.rng(Distribution::Uniform, random::site("here"), shape.clone());
                let keyed = b.rng_keyed(Distribution::Uniform, random::site("there"), x, shape);
                vec![plain, keyed]
            });
            let keys = vec![Array::filled(&[], -7.0), Array::filled(&[], 12.0)];
            jobs.push(Job::at(&format!("uniform {seed} {dims:?}"), graph, keys, 0.0, (seed, step)));
        }
    }
    jobs
}

/// A loop in a loop that goes backwards, with random numbers of its steps; predicates that go round and are stacked.
fn loops(float: DType) -> Job {
    let flat = Type::new(float, vec![Dim::Batch, Dim::Size(4)]);
    let graph = graph(float, std::slice::from_ref(&flat), |b, x| {
        let at = b.stand_in(Role::Carry, flat.clone());
        let step = b.stand_in(Role::Carry, Type::scalar(DType::I32));
        let above = b.stand_in(Role::Carry, flat.with_dtype(DType::Pred));
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
        let all = b.reduce(nnc_graph::Reduction::Add, begun, vec![0]);
        let next = b.binary(Binary::Add, all, last);
        let larger = b.compare(Direction::Gt, next, x[0]);
        let turned = b.unary(Unary::Not, above);
        let next_above = b.binary(Binary::And, larger, turned);
        let zero = b.constant_of(0.0, DType::I32);
        let zeros = b.scalar_like(0.0, x[0]);
        let first = b.compare(Direction::Lt, x[0], zeros);
        let outer = Body {
            length: 3,
            reverse: true,
            carries: vec![
                Carry { at, first: x[0], next },
                Carry { at: step, first: zero, next: next_step },
                Carry { at: above, first, next: next_above },
            ],
            slices: Vec::new(),
            roots: vec![at, next, next_above],
            ..Body::default()
        };
        let mut outer = outer.make(b);
        vec![outer.stacked(b, at), outer.stacked(b, next), outer.stacked(b, next_above), outer.last(b, 1)]
    });
    let x = Array::from_fn(&[BATCH, 4], |at| (at[0] * 4 + at[1]) as f64 * 0.25 - 1.0);
    Job::new("loops", graph, vec![x], 1e-6)
}

/// Every conversion, and rows outside a table.
fn conversions(float: DType) -> Job {
    let (floats, whole) = (sized(float, &[7]), sized(DType::I32, &[7]));
    let graph = graph(float, &[floats, whole], |b, x| {
        let (cut, truth) = (b.convert(x[0], DType::I32), b.convert(x[0], DType::Pred));
        let (real, other) = (b.convert(x[1], float), b.convert(x[1], DType::Pred));
        let (number, one) = (b.convert(truth, float), b.convert(other, DType::I32));
        let (exact, same) = (b.convert(x[0], DType::F64), b.compare(Direction::Eq, truth, other));
        let (single, count) = (b.convert(exact, DType::F32), b.iota(0, sized(DType::I32, &[7])));
        let table = b.reshape(x[0], vec![Dim::Size(7), Dim::Size(1)]);
        let rows = b.gather(table, x[1]);
        let sums = b.scatter_add(x[1], rows, vec![Dim::Size(3), Dim::Size(1)]);
        vec![cut, truth, real, other, number, one, single, same, count, rows, sums]
    });
    let floats = vec![-2.75, -1.0, -0.5, 0.0, 0.5, 1.0, 2.75];
    let whole = vec![-3.0, 0.0, 9.0, 1.0, 7.0, 2.0, -1.0];
    Job::new("conversions", graph, vec![Array::new(&[7], floats), Array::new(&[7], whole)], 0.0)
}

/// Functions where they are hard.
fn far(float: DType, within: f64) -> Job {
    let points = [
        0.0, 1e-30, 1e-9, 0.1, 0.5, 0.843, 0.844, 0.99, 1.0, 1.1, 1.249, 1.26, 1.9, 2.1, 2.85, 2.86, 4.0,
        5.9, 6.1, 9.0, 30.0, 90.0,
    ];
    let x: Vec<f64> = points.iter().flat_map(|&x| [x, -x]).collect();
    let graph = graph(float, &[sized(float, &[x.len()])], |b, v| {
        [Unary::Erf, Unary::Softplus, Unary::Logistic, Unary::Tanh].map(|op| b.unary(op, v[0])).to_vec()
    });
    Job::new("far", graph, vec![Array::new(&[x.len()], x)], within)
}

#[test]
fn every_primitive_in_double_precision() {
    let mut jobs = all(DType::F64, 2e-14);
    jobs.extend(pools(DType::F64));
    jobs.extend(numbers(DType::F64));
    jobs.extend([far(DType::F64, 2e-15), loops(DType::F64), conversions(DType::F64)]);
    compare(&jobs);
}

#[test]
fn every_primitive_in_single_precision() {
    let mut jobs = all(DType::F32, 3e-6);
    jobs.extend(pools(DType::F32));
    jobs.extend(numbers(DType::F32));
    jobs.extend([far(DType::F32, 1e-6), loops(DType::F32), conversions(DType::F32)]);
    compare(&jobs);
}

/// What holds of every text: brackets close, names are given once and before they are read, every function that is called
/// is there.
fn is_sound(name: &str, module: &Module) {
    let text: String =
        module.text.lines().map(|l| l.split("//").next().unwrap().to_string() + "\n").collect();
    let mut open = Vec::new();
    let mut quotes = false;
    for c in text.replace("->", "").chars() {
        match c {
            '"' => quotes = !quotes,
            '(' | '[' | '{' | '<' if !quotes => open.push(c),
            ')' | ']' | '}' | '>' if !quotes => {
                let wanted = ["()", "[]", "{}", "<>"].iter().find(|p| p.ends_with(c)).unwrap();
                assert_eq!(open.pop(), wanted.chars().next(), "{name}: {text}");
            }
            _ => {}
        }
    }
    assert!(open.is_empty() && !quotes, "{name}: {text}");
    for function in text.split("func.func ").skip(1) {
        let mut known: BTreeSet<String> = BTreeSet::new();
        let word = |w: &str| {
            let end = w.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(w.len());
            w[..end].to_string()
        };
        for line in function.lines() {
            let (made, used) = match line.trim_start().strip_prefix('%').and_then(|l| l.split_once(" = ")) {
                Some((made, used)) if !made.contains(": ") => (Some(word(made)), used),
                _ => (None, line),
            };
            // Arguments of functions, regions and loops are followed by a type, or by where they begin.
            let words: Vec<&str> = used.split('%').skip(1).collect();
            for w in &words {
                let (own, rest) = (word(w), &w[word(w).len()..]);
                let given = rest.starts_with(": ") || (rest.starts_with(" = ") && used.contains("while("));
                if given {
                    known.insert(own);
                } else {
                    assert!(known.contains(&own), "{name}: %{own} in {line}\n{text}");
                }
            }
            if let Some(made) = made {
                assert!(known.insert(made.clone()), "{name}: %{made} twice\n{text}");
            }
        }
        for called in function.split("func.call @").skip(1) {
            let called = word(called);
            assert!(text.contains(&format!("func.func private @{called}(")), "{name}: @{called}");
        }
    }
    let (head, _) = text.split_once(") -> (").unwrap();
    assert_eq!(head.matches("%arg").count(), module.arguments.len(), "{name}");
}

/// A new primitive gets its cases in the table that this runs.
#[test]
fn every_primitive_has_a_text() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for float in [DType::F32, DType::F64] {
        for case in table() {
            let (graph, _, _) = graph_of(&case, float);
            is_sound(&case.name, &module(&graph, BATCH).unwrap_or_else(|e| panic!("{}: {e}", case.name)));
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
    }
    let missing: Vec<String> = keys().difference(&seen).cloned().collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn parameters_have_an_order_and_their_next_values() {
    let mut b = Builder::new("step", DType::F32);
    let x = b.parameter(Role::Input, "x", Type::new(DType::F32, vec![Dim::Batch]));
    let w = b.parameter(Role::Weight, "w \"\n", Type::scalar(DType::F32));
    let step = b.parameter(Role::Step, "step", Type::scalar(DType::F32));
    let sum = b.reduce(nnc_graph::Reduction::Add, x, vec![0]);
    let loss = b.binary(nnc_graph::Binary::Multiply, sum, w);
    let next = b.binary(nnc_graph::Binary::Add, w, step);
    b.output(OutputKind::Objective, "loss", loss);
    b.output(OutputKind::Update, "w \"\n", next);
    let module = module(&b.finish(), 4).unwrap();
    let roles: Vec<&str> = module.arguments.iter().map(|a| a.role).collect();
    assert_eq!(roles, ["weight", "input", "step"]);
    assert_eq!(module.arguments[0].replaced_by, Some(1));
    assert_eq!((module.arguments[1].batch_axis, &module.arguments[1].shape[..]), (Some(0), &[4][..]));
    assert_eq!(module.results.len(), 2);
    let line =
        r#"%arg0: tensor<f32> {nnc.name = "w \22\0A", nnc.role = "weight", tf.aliasing_output = 1 : i32},"#;
    assert!(module.text.contains(line), "{}", module.text);
    assert_eq!(quoted("a\\ü\u{85}"), "\"a\\5Cü\\C2\\85\"");
}
