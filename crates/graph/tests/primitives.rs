//! Every primitive in one table: its gradient against central differences in double precision, the gradient of
//! its gradient where it is smooth, its text, its types. A primitive without an entry fails the test.

mod common;

use common::{bind, ty};
use nnc_graph::eval::{Array, Bindings, evaluate};
use nnc_graph::scan::{Body, Carry};
use nnc_graph::{
    Binary, Builder, ConvDims, Convolve, DType, Direction, Distribution, DotDims, Elementwise, Graph,
    Indexing, Leaf, Movement, NodeId, OutputKind, Prim, Reduce, Reduction, Role, StableHlo, Type, Unary,
    Window, WindowDims, gradient, random, text, verify,
};
use std::collections::{BTreeMap, BTreeSet};

/// The table's key of a primitive. It has no wildcard: a new primitive must be named here and in [`KEYS`].
fn key(prim: &Prim) -> String {
    match prim {
        Prim::Elementwise(Elementwise::Compare(direction)) => format!("compare {}", direction.name()),
        Prim::Elementwise(
            Elementwise::Unary(_)
            | Elementwise::Binary(_)
            | Elementwise::Select
            | Elementwise::Convert
            | Elementwise::StopGradient,
        )
        | Prim::Leaf(
            Leaf::Parameter { .. }
            | Leaf::Constant(_)
            | Leaf::Iota { .. }
            | Leaf::BatchSize
            | Leaf::Rng { .. },
        )
        | Prim::Movement(
            Movement::Reshape
            | Movement::Transpose { .. }
            | Movement::BroadcastInDim { .. }
            | Movement::Slice { .. }
            | Movement::Concatenate { .. }
            | Movement::Pad { .. }
            | Movement::Reverse { .. },
        )
        | Prim::Reduce(Reduce::Fold { .. } | Reduce::ArgMax { .. })
        | Prim::DotGeneral(_)
        | Prim::Convolve(Convolve::Convolution(_) | Convolve::ConvolutionKernel(_))
        | Prim::Window(
            Window::ReduceWindow { .. } | Window::SelectAndScatter(_) | Window::SelectAndGather(_),
        )
        | Prim::Indexing(Indexing::Gather | Indexing::ScatterAdd)
        | Prim::Scan(_) => prim.name().into(),
    }
}

/// The keys that are not in a list of their own.
const KEYS: &[&str] = &[
    "parameter",
    "constant",
    "iota",
    "get_dimension_size",
    "select",
    "convert",
    "optimization_barrier",
    "argmax",
    "dot_general",
    "convolution",
    "convolution_kernel",
    "reduce_window_add",
    "reduce_window_maximum",
    "select_and_scatter",
    "select_and_gather",
    "reshape",
    "transpose",
    "broadcast_in_dim",
    "slice",
    "concatenate",
    "pad",
    "reverse",
    "gather",
    "scatter_add",
    "scan",
];

type Build = Box<dyn Fn(&mut Builder, &[NodeId]) -> NodeId>;

struct Case {
    name: String,
    inputs: Vec<Type>,
    /// Where the inputs lie.
    range: (f64, f64),
    build: Build,
    /// Whether the second derivative is checked too.
    smooth: bool,
    /// Whether the gradient is 0 by definition, whatever the differences are.
    constant: bool,
}

impl Case {
    fn new(
        name: impl Into<String>,
        inputs: &[&str],
        build: impl Fn(&mut Builder, &[NodeId]) -> NodeId + 'static,
    ) -> Self {
        let inputs = inputs.iter().map(|t| ty(t)).collect();
        let build = Box::new(build);
        Self { name: name.into(), inputs, range: (-2.0, 2.0), build, smooth: true, constant: false }
    }

    fn within(mut self, low: f64, high: f64) -> Self {
        self.range = (low, high);
        self
    }

    /// Not smooth: no second derivative.
    fn rough(mut self) -> Self {
        self.smooth = false;
        self
    }

    fn constant(mut self) -> Self {
        self.constant = true;
        self.rough()
    }
}

/// Where a function of one number is checked: away from its edges.
fn domain(op: Unary) -> (f64, f64) {
    match op {
        Unary::Log | Unary::Sqrt | Unary::Rsqrt => (0.3, 3.0),
        Unary::LogPlusOne => (-0.6, 3.0),
        _ => (-2.0, 2.0),
    }
}

fn elementwise(out: &mut Vec<Case>) {
    for op in Unary::ALL {
        let (low, high) = domain(op);
        for shape in ["B,3", "1,1", ""] {
            if op == Unary::Not {
                out.push(
                    Case::new(format!("not {shape}"), &[shape], |b, x| {
                        let zero = b.scalar_like(0.0, x[0]);
                        let above = b.compare(Direction::Gt, x[0], zero);
                        b.unary(Unary::Not, above)
                    })
                    .rough(),
                );
                continue;
            }
            let case = Case::new(format!("{} {shape}", op.name()), &[shape], move |b, x| b.unary(op, x[0]));
            out.push(case.within(low, high));
        }
    }
    for op in Binary::ALL {
        for shape in ["B,3", "1,1", "5"] {
            let name = format!("{} {shape}", op.name());
            out.push(match op {
                Binary::And | Binary::Or => Case::new(name, &[shape, shape], move |b, x| {
                    let zero = b.scalar_like(0.0, x[0]);
                    let l = b.compare(Direction::Gt, x[0], zero);
                    let r = b.compare(Direction::Lt, x[1], zero);
                    b.binary(op, l, r)
                })
                .rough(),
                Binary::Power | Binary::Divide => {
                    Case::new(name, &[shape, shape], move |b, x| b.binary(op, x[0], x[1])).within(0.4, 2.5)
                }
                _ => Case::new(name, &[shape, shape], move |b, x| b.binary(op, x[0], x[1])),
            });
        }
    }
    for direction in Direction::ALL {
        out.push(
            Case::new(direction.name(), &["B,3", "B,3"], move |b, x| b.compare(direction, x[0], x[1]))
                .rough(),
        );
    }
    out.push(Case::new("select", &["B,3", "B,3", "B,3"], |b, x| {
        let pred = b.compare(Direction::Gt, x[0], x[1]);
        b.select(pred, x[1], x[2])
    }));
    out.push(
        Case::new("convert", &["B,3"], |b, x| {
            let zero = b.scalar_like(0.0, x[0]);
            let pred = b.compare(Direction::Gt, x[0], zero);
            b.convert(pred, DType::I32)
        })
        .rough(),
    );
    out.push(Case::new("optimization_barrier", &["B,3"], |b, x| b.stop_gradient(x[0])).constant());
}

fn leaves(out: &mut Vec<Case>) {
    out.push(Case::new("constant", &["B,3"], |b, x| {
        let c = b.scalar_like(1.5, x[0]);
        b.binary(Binary::Multiply, x[0], c)
    }));
    out.push(Case::new("iota", &["3,4"], |b, x| {
        let counter = b.iota(1, Type::new(DType::F64, [3.into(), 4.into()]));
        b.binary(Binary::Multiply, x[0], counter)
    }));
    out.push(Case::new("get_dimension_size", &["3"], |b, x| {
        let n = b.batch_size();
        let n = b.broadcast(n, Vec::new(), vec![3.into()]);
        b.binary(Binary::Multiply, x[0], n)
    }));
    for distribution in Distribution::ALL {
        out.push(Case::new(distribution.name(), &["B,3"], move |b, x| {
            let shape = b.ty(x[0]).shape.clone();
            let noise = b.rng(distribution, random::site("here"), shape);
            b.binary(Binary::Multiply, x[0], noise)
        }));
        let keyed = format!("{} keyed", distribution.name());
        out.push(Case::new(keyed, &["B,3", "i32 ", "i32 "], move |b, x| {
            let shape = b.ty(x[0]).shape.clone();
            let noise = b.rng_keyed(distribution, random::site("here"), &x[1..], shape);
            b.binary(Binary::Multiply, x[0], noise)
        }));
    }
}

fn folds(out: &mut Vec<Case>) {
    for op in Reduction::ALL {
        for (shape, axes) in
            [("B,3,2", vec![1]), ("B,3,2", vec![0, 2]), ("B,1", vec![1]), ("5,7", vec![0, 1]), ("1", vec![0])]
        {
            out.push(Case::new(format!("{} {shape} {axes:?}", op.name()), &[shape], move |b, x| {
                b.reduce(op, x[0], axes.clone())
            }));
        }
    }
    out.push(Case::new("argmax", &["B,5"], |b, x| b.argmax(x[0], 1)).rough());
    out.push(Case::new("argmax first", &["4,B"], |b, x| b.argmax(x[0], 0)).rough());
    let dots: [(&str, &str, [&[usize]; 4]); 5] = [
        ("B,3", "3,4", [&[], &[], &[1], &[0]]),
        ("B,1", "1,1", [&[], &[], &[1], &[0]]),
        ("B,2,3,4", "B,2,4,5", [&[0, 1], &[0, 1], &[3], &[2]]),
        ("4,2,3", "3,5,4", [&[], &[], &[2, 0], &[0, 2]]),
        ("B,3", "B,2", [&[], &[], &[0], &[0]]),
    ];
    for (left, right, [lb, rb, lc, rc]) in dots {
        let dims = DotDims {
            left_batch: lb.to_vec(),
            right_batch: rb.to_vec(),
            left_contract: lc.to_vec(),
            right_contract: rc.to_vec(),
        };
        out.push(Case::new(format!("dot_general {left} {right}"), &[left, right], move |b, x| {
            b.dot(x[0], x[1], dims.clone())
        }));
    }
}

fn shapes(out: &mut Vec<Case>) {
    out.push(Case::new("reshape", &["B,2,3"], |b, x| {
        let to = ty("B,3,1,2").shape;
        b.reshape(x[0], to)
    }));
    out.push(Case::new("transpose", &["B,2,3"], |b, x| b.transpose(x[0], vec![2, 0, 1])));
    out.push(Case::new("broadcast_in_dim", &["3"], |b, x| b.broadcast(x[0], vec![1], ty("B,3,2").shape)));
    out.push(Case::new("broadcast_in_dim 1", &["1"], |b, x| b.broadcast(x[0], vec![0], ty("1,1").shape)));
    out.push(Case::new("slice", &["B,5,4"], |b, x| b.slice(x[0], vec![0, 2, 1], ty("B,3,1").shape)));
    // Slices of one tensor: side by side, with a gap, and overlapping.
    for starts in [vec![0, 2, 4], vec![1, 4], vec![0, 1, 4]] {
        out.push(Case::new(format!("slices {starts:?}"), &["B,6,2"], move |b, x| {
            let parts: Vec<NodeId> = starts
                .iter()
                .map(|&s| {
                    let part = b.slice(x[0], vec![0, s, 0], ty("B,2,2").shape);
                    b.unary(Unary::Sine, part)
                })
                .collect();
            let both = b.concatenate(&parts, 1);
            let all = b.reduce(Reduction::Add, x[0], vec![1]);
            let all = b.broadcast(all, vec![0, 2], ty(&format!("B,{},2", 2 * parts.len())).shape);
            b.binary(Binary::Multiply, both, all)
        }));
    }
    out.push(Case::new("concatenate", &["B,1", "B,3"], |b, x| b.concatenate(&[x[0], x[1], x[0]], 1)));
    out.push(Case::new("pad", &["B,2"], |b, x| b.pad(x[0], vec![0, 1], ty("B,5").shape)));
    out.push(Case::new("reverse", &["B,3,2"], |b, x| b.reverse(x[0], vec![1, 2])));
    for index in ["i32 B,2", "i32 B", "i32 7"] {
        out.push(Case::new(format!("gather {index}"), &["4,3", index], |b, x| b.gather(x[0], x[1])));
    }
    out.push(Case::new("scatter_add", &["i32 B,2", "B,2,3"], |b, x| {
        b.scatter_add(x[0], x[1], ty("4,3").shape)
    }));
}

/// `h = tanh(x[t] + h @ w)`, forwards and backwards; its last value and all of them.
fn loops(out: &mut Vec<Case>) {
    for (length, reverse) in [(1, false), (4, false), (3, true)] {
        for all in [false, true] {
            let name = format!("scan {length} {reverse} {all}");
            let inputs = [format!("{length},B,3"), "B,3".into(), "3,3".into()];
            let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
            out.push(Case::new(name, &inputs, move |b, x| {
                let at = b.stand_in(Role::Carry, ty("B,3"));
                let slice = b.stand_in(Role::Slice, ty("B,3"));
                let dims = DotDims { left_contract: vec![1], right_contract: vec![0], ..DotDims::default() };
                let product = b.dot(at, x[2], dims);
                let sum = b.binary(Binary::Add, slice, product);
                let next = b.unary(Unary::Tanh, sum);
                let body = Body {
                    length,
                    reverse,
                    carries: vec![Carry { at, first: x[1], next }],
                    slices: vec![(slice, x[0])],
                    roots: vec![next],
                    ..Body::default()
                };
                let mut made = body.make(b);
                if all { made.stacked(b, next) } else { made.last(b, 0) }
            }));
        }
    }
}

fn convolutions(out: &mut Vec<Case>) {
    type Set = fn(&mut ConvDims);
    let cases: [(&str, &str, Set); 10] = [
        ("B,5,2", "3,2,4", |_| {}),
        ("B,1,1", "1,1,1", |_| {}),
        ("B,7,1", "3,1,2", |d| d.stride[0] = 3),
        ("B,6,2", "4,2,3", |d| (d.low[0], d.high[0]) = (1, 2)),
        ("B,8,2", "2,2,1", |d| (d.rhs_dilation[0], d.low[0]) = (3, 3)),
        ("B,4,3", "3,3,2", |d| (d.lhs_dilation[0], d.low[0], d.high[0]) = (2, 1, 0)),
        ("B,5,1", "2,1,1", |d| (d.low[0], d.high[0]) = (-1, -1)),
        ("B,4,4", "3,2,6", |d| (d.groups, d.stride[0]) = (2, 2)),
        ("B,5,4,2", "3,2,2,3", |d| (d.stride, d.low, d.high) = (vec![2, 1], vec![1, 0], vec![1, 1])),
        ("2,3,2,4,2", "2,1,2,2,1", |d| d.stride[2] = 2),
    ];
    for (x, k, set) in cases {
        let rank = ty(x).rank() - 2;
        let mut dims = ConvDims::plain(rank);
        set(&mut dims);
        let name = format!("{x} {k}");
        let forward = dims.clone();
        out.push(Case::new(format!("convolution {name}"), &[x, k], move |b, v| {
            b.convolution(v[0], v[1], forward.clone())
        }));
        let g = text_of(&dims.result(&ty(x).shape, &ty(k).shape).expect("a convolution that fits"));
        let shape = ty(k).shape;
        out.push(Case::new(format!("convolution_kernel {name}"), &[x, &g], move |b, v| {
            b.convolution_kernel(v[0], v[1], shape.clone(), dims.clone())
        }));
    }
}

fn windows(out: &mut Vec<Case>) {
    type Set = fn(&mut WindowDims);
    let cases: [(&str, Vec<usize>, Vec<usize>, Set); 6] = [
        ("B,7,2", vec![2], vec![2], |_| {}),
        ("B,1,1", vec![1], vec![1], |_| {}),
        ("B,5,4,2", vec![3, 2], vec![2, 1], |w| (w.low, w.high) = (vec![1, 0], vec![1, 1])),
        ("B,6,5,1", vec![2, 3], vec![3, 3], |_| {}),
        ("B,6,1", vec![3], vec![1], |w| w.low[0] = 2),
        ("2,3,3,2,1", vec![2, 2, 1], vec![1, 1, 2], |_| {}),
    ];
    for (x, size, stride, set) in cases {
        let mut w = WindowDims::new(size, stride);
        set(&mut w);
        for op in [Reduction::Add, Reduction::Maximum] {
            let w = w.clone();
            out.push(Case::new(format!("reduce_window {op:?} {x}"), &[x], move |b, v| {
                b.reduce_window(op, v[0], w.clone())
            }));
        }
        let g = text_of(&w.result(&ty(x).shape).expect("a window that fits"));
        let scatter = w.clone();
        out.push(Case::new(format!("select_and_scatter {x}"), &[x, &g], move |b, v| {
            b.select_and_scatter(v[0], v[1], scatter.clone())
        }));
        out.push(Case::new(format!("select_and_gather {x}"), &[x, x], move |b, v| {
            b.select_and_gather(v[0], v[1], w.clone())
        }));
    }
    let mut apart = WindowDims::new(vec![3], vec![2]);
    (apart.dilation, apart.low, apart.high) = (vec![2], vec![-1], vec![2]);
    out.push(Case::new("reduce_window apart", &["B,5,2"], move |b, v| {
        b.reduce_window(Reduction::Add, v[0], apart.clone())
    }));
}

fn text_of(shape: &[nnc_graph::Dim]) -> String {
    shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn table() -> Vec<Case> {
    let mut out = Vec::new();
    for part in [elementwise, leaves, folds, shapes, loops, convolutions, windows] {
        part(&mut out);
    }
    out
}

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
    let y = (case.build)(&mut b, &inputs);
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
    let mut missing: BTreeSet<String> = KEYS.iter().map(ToString::to_string).collect();
    missing.extend(Unary::ALL.iter().map(|op| op.name().to_string()));
    missing.extend(Binary::ALL.iter().map(|op| op.name().to_string()));
    missing.extend(Direction::ALL.iter().map(|d| format!("compare {}", d.name())));
    missing.extend(Reduction::ALL.iter().map(|op| op.name().to_string()));
    missing.extend(Distribution::ALL.iter().map(|d| d.name().to_string()));
    let known = missing.clone();
    for case in table() {
        // Only what the case itself builds, not what its gradient adds.
        let mut b = Builder::new("case", DType::F64);
        let inputs: Vec<NodeId> = case
            .inputs
            .iter()
            .enumerate()
            .map(|(i, t)| b.parameter(Role::Input, format!("x{i}"), t.clone()))
            .collect();
        (case.build)(&mut b, &inputs);
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
        let (low, high) = domain(op);
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
