//! Every primitive of the table: its gradient against central differences in double precision, the gradient of
//! its gradient where it is smooth, its text, its types. A primitive without an entry fails the test.

mod common;

use common::{bind, ty};
use nnc_graph::cases::{Case, key, keys, table};
use nnc_graph::eval::{Array, Bindings, evaluate};
use nnc_graph::{
    Binary, Builder, DType, Graph, Movement, NodeId, OutputKind, Prim, Reduction, Role, StableHlo, Type,
    Unary, WindowDims, gradient, text, verify,
};
use std::collections::BTreeMap;

/// The graph of a case: the value, its product with a cotangent, the gradients of that, and, when smooth, their
/// products with second cotangents and the gradients of these.
struct Built {
    graph: Graph,
    inputs: Vec<NodeId>,
    first: (NodeId, Vec<NodeId>),
    second: Option<(NodeId, Vec<NodeId>)>,
}

/// `sum(x * r)` with a parameter `r` of `x`'s type.
fn weighed(b: &mut Builder, x: NodeId, name: &str) -> NodeId {
    let x = b.convert(x, DType::F64);
    let ty = b.ty(x).clone();
    let axes = (0..ty.rank()).collect();
    let r = b.parameter(Role::Target, name, ty);
    let product = b.binary(Binary::Multiply, x, r);
    b.reduce(Reduction::Add, product, axes)
}

fn build(case: &Case) -> Built {
    let mut b = Builder::new("case", DType::F64);
    let inputs: Vec<NodeId> = case
        .inputs
        .iter()
        .enumerate()
        .map(|(i, t)| b.parameter(Role::Input, format!("x{i}"), t.clone()))
        .collect();
    let y = case.emit(&mut b, &inputs);
    let s = weighed(&mut b, y, "r");
    let floats: Vec<NodeId> = inputs.iter().copied().filter(|&x| b.ty(x).dtype == DType::F64).collect();
    let one = b.constant(1.0);
    let grads = gradient(&mut b, s, one, &floats);
    let second = case.smooth.then(|| {
        let mut total = b.constant(0.0);
        for (i, &g) in grads.iter().enumerate() {
            let part = weighed(&mut b, g, &format!("q{i}"));
            total = b.binary(Binary::Add, total, part);
        }
        let again = gradient(&mut b, total, one, &floats);
        (total, again)
    });
    b.output(OutputKind::Prediction, "y", y);
    Built { graph: b.finish(), inputs: floats, first: (s, grads), second }
}

/// Compares a gradient with central differences at numbers of every input, at all of them when they are few.
fn compare(
    case: &Case,
    built: &Built,
    bindings: &Bindings,
    of: &(NodeId, Vec<NodeId>),
    order: u32,
) -> Result<(), String> {
    let values = evaluate(&built.graph, bindings)?;
    let (s, grads) = of;
    for (&x, &g) in built.inputs.iter().zip(grads) {
        let Some((role, name)) = built.graph.node(x).prim.parameter() else { continue };
        let slot = (role, name.to_string());
        let found = &values[g.index()];
        let scale = found.data.iter().fold(1.0f64, |m, v| m.max(v.abs()));
        let all = found.data.len();
        for i in (0..all).step_by((all / 16).max(1)) {
            let h = 1e-5;
            let at = |d: f64| -> Result<f64, String> {
                let mut moved = bindings.clone();
                if let Some(a) = moved.parameters.get_mut(&slot) {
                    a.data[i] += d;
                }
                Ok(evaluate(&built.graph, &moved)?[s.index()].data[0])
            };
            let wanted = if case.constant { 0.0 } else { (at(h)? - at(-h)?) / (2.0 * h) };
            if (found.data[i] - wanted).abs() > 1e-6 * scale {
                return Err(format!(
                    "{order}. derivative by {name}[{i}]: {} against {wanted}",
                    found.data[i]
                ));
            }
        }
    }
    Ok(())
}

#[test]
fn every_primitive_has_the_gradient_that_differences_have() {
    let mut bad = Vec::new();
    for (n, case) in table().iter().enumerate() {
        let built = build(case);
        if let Err(e) = verify(&built.graph) {
            bad.push(format!("{}: {e:?}", case.name));
            continue;
        }
        let bindings = bind(&built.graph, n as u64, case.range, 3);
        let checked = compare(case, &built, &bindings, &built.first, 1).and_then(|()| match &built.second {
            Some(second) => compare(case, &built, &bindings, second, 2),
            None => Ok(()),
        });
        if let Err(e) = checked {
            bad.push(format!("{}: {e}", case.name));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn every_primitive_reads_back_from_its_text() {
    for case in table() {
        let built = build(&case);
        let printed = text::print(&built.graph);
        match text::parse(&printed) {
            Ok(read) => assert_eq!(read, built.graph, "{}\n{printed}", case.name),
            Err(e) => panic!("{}: {e}\n{printed}", case.name),
        }
    }
}

#[test]
fn every_primitive_stands_in_the_table() {
    let known = keys();
    let mut missing = known.clone();
    for case in table() {
        // Only what the case itself builds, not what its gradient adds.
        let mut b = Builder::new("case", DType::F64);
        let inputs: Vec<NodeId> = case
            .inputs
            .iter()
            .enumerate()
            .map(|(i, t)| b.parameter(Role::Input, format!("x{i}"), t.clone()))
            .collect();
        case.emit(&mut b, &inputs);
        for id in b.graph().ids() {
            let key = key(&b.graph().node(id).prim);
            assert!(known.contains(&key), "{key} is missing in KEYS");
            missing.remove(&key);
        }
    }
    assert!(missing.is_empty(), "no case for {missing:?}");
}

/// The operations of StableHLO 1.10 that take what they do from attributes and operands alone, so that a primitive
/// can be one of them; those that want regions (`reduce`, `scatter`, …) only stand in expansions.
const STABLEHLO: &[&str] = &[
    "abs",
    "add",
    "and",
    "atan2",
    "broadcast_in_dim",
    "cbrt",
    "ceil",
    "cholesky",
    "clamp",
    "compare",
    "concatenate",
    "constant",
    "convert",
    "convolution",
    "cosine",
    "divide",
    "dot_general",
    "exponential",
    "exponential_minus_one",
    "fft",
    "floor",
    "iota",
    "is_finite",
    "log",
    "log_plus_one",
    "logistic",
    "maximum",
    "minimum",
    "multiply",
    "negate",
    "not",
    "optimization_barrier",
    "or",
    "power",
    "remainder",
    "reshape",
    "reverse",
    "round_nearest_even",
    "rsqrt",
    "select",
    "sign",
    "sine",
    "sqrt",
    "subtract",
    "tan",
    "tanh",
    "transpose",
    "xor",
];

/// With `--nocapture` the table is printed.
#[test]
fn every_primitive_is_an_operation_of_stablehlo_or_says_its_expansion() {
    let mut rows: BTreeMap<&str, StableHlo> = BTreeMap::new();
    for case in table() {
        let graph = build(&case).graph;
        rows.extend(graph.ids().map(|id| (graph.node(id).prim.name(), graph.node(id).prim.stablehlo())));
    }
    for (name, becomes) in rows {
        match becomes {
            StableHlo::Op(op) => {
                println!("| {name} | `{op}` |");
                assert_eq!(op, name, "an operation that is the primitive has its name");
                assert!(STABLEHLO.contains(&op), "{op} is no operation of StableHLO");
            }
            StableHlo::Expansion(text) => {
                println!("| {name} | {text} |");
                assert!(!text.is_empty(), "{name}");
            }
        }
    }
}

#[test]
fn the_first_of_equal_numbers_gets_the_gradient_of_a_window() {
    let mut b = Builder::new("ties", DType::F64);
    let x = b.parameter(Role::Input, "x", ty("B,4,1"));
    let pooled = b.reduce_window(Reduction::Maximum, x, WindowDims::new(vec![2], vec![2]));
    let seed = b.scalar_like(1.0, pooled);
    let g = gradient(&mut b, pooled, seed, &[x])[0];
    let bindings = Bindings { batch: 1, ..Bindings::default() };
    let bindings = bindings.with(Role::Input, "x", Array::new(&[1, 4, 1], vec![2.0, 2.0, 1.0, 3.0]));
    let values = evaluate(b.graph(), &bindings).expect("all is bound");
    assert_eq!(values[g.index()].data, [1.0, 0.0, 0.0, 1.0]);
}

#[test]
fn slices_of_one_tensor_get_their_gradient_side_by_side() {
    let mut b = Builder::new("slices", DType::F64);
    let x = b.parameter(Role::Input, "x", ty("B,100"));
    let mut y = b.slice(x, vec![0, 0], ty("B,1").shape);
    for i in 1..100 {
        let part = b.slice(x, vec![0, i], ty("B,1").shape);
        y = b.binary(Binary::Multiply, y, part);
    }
    let seed = b.scalar_like(1.0, y);
    let g = gradient(&mut b, y, seed, &[x])[0];
    assert!(matches!(b.graph().node(g).prim, Prim::Movement(Movement::Concatenate { axis: 1 })));
    b.output(OutputKind::Prediction, "g", g);
    let swept = nnc_graph::passes::sweep(b.graph());
    assert!(swept.ids().all(|id| !matches!(swept.node(id).prim, Prim::Movement(Movement::Pad { .. }))));
}

// ---- complex steps --------------------------------------------------------------------------

/// A complex number, for functions that are analytic.
#[derive(Clone, Copy)]
struct Complex(f64, f64);

impl Complex {
    fn exp(self) -> Self {
        let size = self.0.exp();
        Complex(size * self.1.cos(), size * self.1.sin())
    }

    fn log(self) -> Self {
        Complex(self.0.hypot(self.1).ln(), self.1.atan2(self.0))
    }

    fn add(self, other: Self) -> Self {
        Complex(self.0 + other.0, self.1 + other.1)
    }

    fn times(self, other: Self) -> Self {
        Complex(self.0 * other.0 - self.1 * other.1, self.0 * other.1 + self.1 * other.0)
    }

    fn over(self, other: Self) -> Self {
        let size = other.0 * other.0 + other.1 * other.1;
        self.times(Complex(other.0 / size, -other.1 / size))
    }

    fn power(self, other: Self) -> Self {
        self.log().times(other).exp()
    }
}

/// The function on complex numbers, written independently of its rule; `None` where it is not analytic.
fn complex_unary(op: Unary, z: Complex) -> Option<Complex> {
    let (one, minus) = (Complex(1.0, 0.0), Complex(-1.0, 0.0));
    Some(match op {
        Unary::Negate => z.times(minus),
        Unary::Exponential => z.exp(),
        Unary::ExponentialMinusOne => z.exp().add(minus),
        Unary::Log => z.log(),
        Unary::LogPlusOne => z.add(one).log(),
        Unary::Sqrt => z.power(Complex(0.5, 0.0)),
        Unary::Rsqrt => z.power(Complex(-0.5, 0.0)),
        Unary::Tanh => {
            let twice = z.add(z).exp();
            twice.add(minus).over(twice.add(one))
        }
        Unary::Logistic => one.over(one.add(z.times(minus).exp())),
        Unary::Softplus => one.add(z.exp()).log(),
        Unary::Sine => Complex(z.0.sin() * z.1.cosh(), z.0.cos() * z.1.sinh()),
        Unary::Cosine => Complex(z.0.cos() * z.1.cosh(), -z.0.sin() * z.1.sinh()),
        // Not analytic, or (erf) without a closed form.
        Unary::Erf | Unary::Abs | Unary::Sign | Unary::Floor | Unary::Round | Unary::Not => {
            return None;
        }
    })
}

fn complex_binary(op: Binary, a: Complex, b: Complex) -> Option<Complex> {
    Some(match op {
        Binary::Add => a.add(b),
        Binary::Subtract => a.add(b.times(Complex(-1.0, 0.0))),
        Binary::Multiply => a.times(b),
        Binary::Divide => a.over(b),
        Binary::Power => a.power(b),
        Binary::Maximum | Binary::Minimum | Binary::And | Binary::Or => return None,
    })
}

#[test]
fn gradients_of_analytic_functions_are_complex_steps() {
    // f(x + ih) = f(x) + ih f'(x) - …: no difference is taken, and so nothing is lost.
    const H: f64 = 1e-30;
    let slope = |build: &dyn Fn(&mut Builder, &[NodeId]) -> NodeId, at: &[f64]| -> Vec<f64> {
        let mut b = Builder::new("f", DType::F64);
        let names = ["a", "b"];
        let xs: Vec<NodeId> = at
            .iter()
            .zip(names)
            .map(|(_, n)| b.parameter(Role::Weight, n, Type::scalar(DType::F64)))
            .collect();
        let y = build(&mut b, &xs);
        let seed = b.constant(1.0);
        let grads = gradient(&mut b, y, seed, &xs);
        let mut bindings = Bindings { batch: 1, ..Bindings::default() };
        for (x, name) in at.iter().zip(names) {
            bindings = bindings.with(Role::Weight, name, Array::new(&[], vec![*x]));
        }
        let values = evaluate(b.graph(), &bindings).unwrap();
        grads.iter().map(|g| values[g.index()].data[0]).collect()
    };
    let near = |what: &str, found: f64, wanted: f64| {
        assert!((found - wanted).abs() <= 1e-13 * wanted.abs().max(1e-3), "{what}: {found}, not {wanted}");
    };
    let mut compared = 0;
    for op in Unary::ALL {
        let (low, high) = op.domain();
        for i in 0..9 {
            let x = low + (high - low) * (f64::from(i) + 0.4) / 9.0;
            let Some(wanted) = complex_unary(op, Complex(x, H)) else { continue };
            near(op.name(), slope(&|b, xs| b.unary(op, xs[0]), &[x])[0], wanted.1 / H);
            compared += 1;
        }
    }
    for op in Binary::ALL {
        for (x, y) in [(0.5, 2.3), (1.7, 0.4), (2.1, -1.3)] {
            if complex_binary(op, Complex(x, 0.0), Complex(y, 0.0)).is_none() {
                continue;
            }
            let found = slope(&|b, xs| b.binary(op, xs[0], xs[1]), &[x, y]);
            let steps = [
                complex_binary(op, Complex(x, H), Complex(y, 0.0)),
                complex_binary(op, Complex(x, 0.0), Complex(y, H)),
            ];
            for (found, wanted) in found.iter().zip(steps) {
                let Some(wanted) = wanted else { continue };
                near(op.name(), *found, wanted.1 / H);
                compared += 1;
            }
        }
    }
    assert!(compared > 120, "only {compared}");
}
