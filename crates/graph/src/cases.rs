//! Every primitive in one table, for tests: of this crate (gradients against differences, text, types), and of whatever
//! else computes graphs.
//!
//! A new primitive gets its cases here; a test says so when it has none.

use crate::scan::{Body, Carry};
use crate::{
    Binary, Builder, ConvDims, Convolve, DType, Dim, Direction, Distribution, DotDims, Elementwise, Indexing,
    Leaf, Movement, NodeId, Prim, Reduce, Reduction, Role, Type, Unary, Window, WindowDims, random,
};
use std::collections::BTreeSet;

/// A type from `B,3` (doubles) or `i32 B,3`.
fn ty(text: &str) -> Type {
    let (dtype, dims) = match text.split_once(' ') {
        Some((name, dims)) => (DType::from_name(name).expect("an element type"), dims),
        None => (DType::F64, text),
    };
    let dim = |d: &str| if d == "B" { Dim::Batch } else { Dim::Size(d.parse().expect("a size")) };
    let shape = if dims.is_empty() { Vec::new() } else { dims.split(',').map(dim).collect::<Vec<_>>() };
    Type::new(dtype, shape)
}

/// The name by which [`keys`] knows a primitive. It has no wildcard: a new primitive must be named here and there.
pub fn key(prim: &Prim) -> String {
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

/// What must stand in the table.
pub fn keys() -> BTreeSet<String> {
    let mut out: BTreeSet<String> = KEYS.iter().map(ToString::to_string).collect();
    out.extend(Unary::ALL.iter().map(|op| op.name().to_string()));
    out.extend(Binary::ALL.iter().map(|op| op.name().to_string()));
    out.extend(Direction::ALL.iter().map(|d| format!("compare {}", d.name())));
    out.extend(Reduction::ALL.iter().map(|op| op.name().to_string()));
    out.extend(Distribution::ALL.iter().map(|d| d.name().to_string()));
    out
}

type Build = Box<dyn Fn(&mut Builder, &[NodeId]) -> NodeId>;

/// A primitive applied to inputs.
pub struct Case {
    /// The primitive, and what is special about this case.
    pub name: String,
    /// The types of the inputs; whole numbers are below 4.
    pub inputs: Vec<Type>,
    /// Where the inputs lie.
    pub range: (f64, f64),
    build: Build,
    /// Whether there is a second derivative.
    pub smooth: bool,
    /// Whether the gradient is 0 by definition, whatever differences say.
    pub constant: bool,
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

    /// Emits it over inputs of these types.
    pub fn emit(&self, b: &mut Builder, inputs: &[NodeId]) -> NodeId {
        (self.build)(b, inputs)
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

fn elementwise(out: &mut Vec<Case>) {
    for op in Unary::ALL {
        let (low, high) = op.domain();
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
                Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Maximum | Binary::Minimum => {
                    Case::new(name, &[shape, shape], move |b, x| b.binary(op, x[0], x[1]))
                }
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

fn text_of(shape: &[Dim]) -> String {
    shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// All cases: at least one for each of [`keys`].
pub fn table() -> Vec<Case> {
    let mut out = Vec::new();
    for part in [elementwise, leaves, folds, shapes, loops, convolutions, windows] {
        part(&mut out);
    }
    out
}
