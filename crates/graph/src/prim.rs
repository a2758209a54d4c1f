//! The closed set of primitives.
//!
//! Names and meaning are StableHLO's, so that a graph can be handed op by op to any XLA device. Where the
//! field's numerics need an own primitive (softplus), it has one, with its expansion for export.
//!
//! What a primitive needs stands side by side in one file of this folder: its shape rule (`infer`), its
//! vector-Jacobian product (`vjp`), its reference evaluation (`eval`) and the text of its attributes. The
//! `match`es below have no wildcard arm: the compiler lists what a new primitive still lacks.

pub(crate) mod contract;
pub(crate) mod convolve;
pub(crate) mod elementwise;
pub(crate) mod indexing;
pub(crate) mod leaf;
pub(crate) mod reduce;
pub(crate) mod shape;
pub(crate) mod window;

pub use contract::DotDims;
pub use convolve::ConvDims;
pub use elementwise::{Binary, Direction, Unary};
pub use leaf::{Bits, Distribution, Role};
pub use reduce::Reduction;
pub use window::WindowDims;

use crate::eval::Array;
use crate::text::Attributes;
use crate::{Builder, NodeId, Type};
use std::sync::Arc;

/// An operation with its attributes. Two nodes with equal primitive, type and operands compute the same.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Prim {
    /// A tensor given from outside: data, a weight, a state.
    Parameter {
        /// What it is for.
        role: Role,
        /// Its name, unique within its role.
        name: Arc<str>,
    },
    /// A scalar.
    Constant(Bits),
    /// `0, 1, 2, …` along an axis.
    Iota {
        /// The axis.
        axis: usize,
    },
    /// The number of samples of this step (StableHLO `get_dimension_size`), as a scalar float.
    BatchSize,
    /// Random numbers, keyed by (seed, step, site, element): independent of the order of execution.
    Rng {
        /// The law they follow.
        distribution: Distribution,
        /// The call site.
        site: u64,
    },
    /// One operand, element by element.
    Unary(Unary),
    /// Two operands of one type, element by element.
    Binary(Binary),
    /// A comparison of two operands of one type; the result is a predicate.
    Compare(Direction),
    /// `select(pred, on_true, on_false)`, element by element.
    Select,
    /// Another element type; predicates become 0 and 1.
    Convert,
    /// The value, as a constant for reverse mode (StableHLO `optimization_barrier`).
    StopGradient,
    /// Folds axes away.
    Reduce {
        /// How.
        op: Reduction,
        /// Which, ascending.
        axes: Vec<usize>,
    },
    /// The index of the first largest element along an axis, which is folded away.
    ArgMax {
        /// The axis.
        axis: usize,
    },
    /// A sum of products over contracted axes.
    DotGeneral(DotDims),
    /// `convolution(x[b, space…, c], kernel[window…, c / groups, o])`.
    Convolution(ConvDims),
    /// `convolution_kernel(x, g)`: the adjoint of [`Prim::Convolution`] by its kernel.
    ConvolutionKernel(ConvDims),
    /// The fold of a window that moves over `x[b, space…, c]`.
    ReduceWindow {
        /// How: `Add` or `Maximum`.
        op: Reduction,
        /// The window.
        window: WindowDims,
    },
    /// `select_and_scatter(x, g)`: `g` added up at the places of the largest numbers of each window of `x`.
    SelectAndScatter(WindowDims),
    /// `select_and_gather(x, h)`: `h` at the places of the largest numbers of each window of `x`.
    SelectAndGather(WindowDims),
    /// The same elements in row-major order under another shape.
    Reshape,
    /// Axis `i` of the result is axis `perm[i]` of the operand.
    Transpose {
        /// The permutation.
        perm: Vec<usize>,
    },
    /// Axis `i` of the operand becomes axis `axes[i]` of the result; all else is repeated.
    BroadcastInDim {
        /// Where the operand's axes go, ascending.
        axes: Vec<usize>,
    },
    /// Elements `start .. start + size` of every axis; the size is the result's.
    Slice {
        /// The first element of every axis.
        start: Vec<usize>,
    },
    /// Operands one after another along an axis.
    Concatenate {
        /// The axis.
        axis: usize,
    },
    /// Zeros before every axis; as many after it as the result's size asks for.
    Pad {
        /// How many before.
        low: Vec<usize>,
    },
    /// The order of some axes turned round.
    Reverse {
        /// Which, ascending.
        axes: Vec<usize>,
    },
    /// `gather(table[k, …], index[…])`: row `index` of the table for every element of the index.
    Gather,
    /// `scatter_add(index[…], rows[…, …])`: the adjoint of gather: a table of the sums of the rows.
    ScatterAdd,
}

impl Prim {
    /// The StableHLO name.
    pub fn name(&self) -> &'static str {
        match self {
            Prim::Parameter { .. } => "parameter",
            Prim::Constant(_) => "constant",
            Prim::Iota { .. } => "iota",
            Prim::BatchSize => "get_dimension_size",
            Prim::Rng { distribution, .. } => distribution.name(),
            Prim::Unary(op) => op.name(),
            Prim::Binary(op) => op.name(),
            Prim::Compare(_) => "compare",
            Prim::Select => "select",
            Prim::Convert => "convert",
            Prim::StopGradient => "optimization_barrier",
            Prim::Reduce { op, .. } => op.name(),
            Prim::ArgMax { .. } => "argmax",
            Prim::DotGeneral(_) => "dot_general",
            Prim::Convolution(_) => "convolution",
            Prim::ConvolutionKernel(_) => "convolution_kernel",
            Prim::ReduceWindow { op: Reduction::Add, .. } => "reduce_window_add",
            Prim::ReduceWindow { op: Reduction::Maximum, .. } => "reduce_window_maximum",
            Prim::ReduceWindow { op: Reduction::Minimum, .. } => "reduce_window_minimum",
            Prim::SelectAndScatter(_) => "select_and_scatter",
            Prim::SelectAndGather(_) => "select_and_gather",
            Prim::Reshape => "reshape",
            Prim::Transpose { .. } => "transpose",
            Prim::BroadcastInDim { .. } => "broadcast_in_dim",
            Prim::Slice { .. } => "slice",
            Prim::Concatenate { .. } => "concatenate",
            Prim::Pad { .. } => "pad",
            Prim::Reverse { .. } => "reverse",
            Prim::Gather => "gather",
            Prim::ScatterAdd => "scatter_add",
        }
    }

    /// Checks that `result` is a type this primitive can have for these operands.
    ///
    /// # Errors
    /// A sentence that says what does not fit.
    pub fn check(&self, operands: &[&Type], result: &Type) -> Result<(), String> {
        match self {
            Prim::Parameter { .. }
            | Prim::Constant(_)
            | Prim::Iota { .. }
            | Prim::BatchSize
            | Prim::Rng { .. } => leaf::check(self, operands, result),
            Prim::Unary(_)
            | Prim::Binary(_)
            | Prim::Compare(_)
            | Prim::Select
            | Prim::Convert
            | Prim::StopGradient => elementwise::check(self, operands, result),
            Prim::Reduce { .. } | Prim::ArgMax { .. } => reduce::check(self, operands, result),
            Prim::DotGeneral(dims) => contract::check(dims, operands, result),
            Prim::Convolution(_) | Prim::ConvolutionKernel(_) => convolve::check(self, operands, result),
            Prim::ReduceWindow { .. } | Prim::SelectAndScatter(_) | Prim::SelectAndGather(_) => {
                window::check(self, operands, result)
            }
            Prim::Reshape
            | Prim::Transpose { .. }
            | Prim::BroadcastInDim { .. }
            | Prim::Slice { .. }
            | Prim::Concatenate { .. }
            | Prim::Pad { .. }
            | Prim::Reverse { .. } => shape::check(self, operands, result),
            Prim::Gather | Prim::ScatterAdd => indexing::check(self, operands, result),
        }
    }

    /// Emits the cotangents of the operands of `node`, given the cotangent `g` of its result.
    /// `None` where nothing flows.
    pub(crate) fn vjp(&self, b: &mut Builder, node: NodeId, g: NodeId) -> Vec<Option<NodeId>> {
        match self {
            Prim::Parameter { .. }
            | Prim::Constant(_)
            | Prim::Iota { .. }
            | Prim::BatchSize
            | Prim::Rng { .. } => Vec::new(),
            Prim::Unary(_)
            | Prim::Binary(_)
            | Prim::Compare(_)
            | Prim::Select
            | Prim::Convert
            | Prim::StopGradient => elementwise::vjp(self, b, node, g),
            Prim::Reduce { .. } | Prim::ArgMax { .. } => reduce::vjp(self, b, node, g),
            Prim::DotGeneral(dims) => contract::vjp(dims, b, node, g),
            Prim::Convolution(_) | Prim::ConvolutionKernel(_) => convolve::vjp(self, b, node, g),
            Prim::ReduceWindow { .. } | Prim::SelectAndScatter(_) | Prim::SelectAndGather(_) => {
                window::vjp(self, b, node, g)
            }
            Prim::Reshape
            | Prim::Transpose { .. }
            | Prim::BroadcastInDim { .. }
            | Prim::Slice { .. }
            | Prim::Concatenate { .. }
            | Prim::Pad { .. }
            | Prim::Reverse { .. } => shape::vjp(self, b, node, g),
            Prim::Gather | Prim::ScatterAdd => indexing::vjp(self, b, node, g),
        }
    }

    /// The value in plain double precision loops: the meaning that kernels are compared with.
    /// Leaves that come from outside (parameters, random numbers) are bound by the evaluator.
    pub(crate) fn eval(&self, operands: &[&Array], dims: &[usize]) -> Array {
        match self {
            Prim::Parameter { .. }
            | Prim::Constant(_)
            | Prim::Iota { .. }
            | Prim::BatchSize
            | Prim::Rng { .. } => leaf::eval(self, dims),
            Prim::Unary(_)
            | Prim::Binary(_)
            | Prim::Compare(_)
            | Prim::Select
            | Prim::Convert
            | Prim::StopGradient => elementwise::eval(self, operands, dims),
            Prim::Reduce { .. } | Prim::ArgMax { .. } => reduce::eval(self, operands, dims),
            Prim::DotGeneral(d) => contract::eval(d, operands, dims),
            Prim::Convolution(_) | Prim::ConvolutionKernel(_) => convolve::eval(self, operands, dims),
            Prim::ReduceWindow { .. } | Prim::SelectAndScatter(_) | Prim::SelectAndGather(_) => {
                window::eval(self, operands, dims)
            }
            Prim::Reshape
            | Prim::Transpose { .. }
            | Prim::BroadcastInDim { .. }
            | Prim::Slice { .. }
            | Prim::Concatenate { .. }
            | Prim::Pad { .. }
            | Prim::Reverse { .. } => shape::eval(self, operands, dims),
            Prim::Gather | Prim::ScatterAdd => indexing::eval(self, operands, dims),
        }
    }

    /// The attributes as text, `key=value` each.
    pub(crate) fn attributes(&self) -> Vec<(&'static str, String)> {
        use crate::text::list;
        match self {
            Prim::Parameter { role, name } => {
                vec![("role", role.name().into()), ("name", format!("{name:?}"))]
            }
            Prim::Constant(bits) => vec![("value", bits.to_string())],
            Prim::Iota { axis } | Prim::ArgMax { axis } | Prim::Concatenate { axis } => {
                vec![("axis", axis.to_string())]
            }
            Prim::Rng { site, .. } => vec![("site", format!("{site:#018x}"))],
            Prim::Compare(direction) => vec![("direction", direction.name().into())],
            Prim::Reduce { axes, .. } | Prim::BroadcastInDim { axes } | Prim::Reverse { axes } => {
                vec![("axes", list(axes))]
            }
            Prim::DotGeneral(dims) => dims.attributes(),
            Prim::Convolution(dims) | Prim::ConvolutionKernel(dims) => dims.attributes(),
            Prim::ReduceWindow { window, .. }
            | Prim::SelectAndScatter(window)
            | Prim::SelectAndGather(window) => window.attributes(),
            Prim::Transpose { perm } => vec![("perm", list(perm))],
            Prim::Slice { start } => vec![("start", list(start))],
            Prim::Pad { low } => vec![("low", list(low))],
            Prim::BatchSize
            | Prim::Unary(_)
            | Prim::Binary(_)
            | Prim::Select
            | Prim::Convert
            | Prim::StopGradient
            | Prim::Reshape
            | Prim::Gather
            | Prim::ScatterAdd => Vec::new(),
        }
    }

    /// The inverse of [`Prim::name`] and [`Prim::attributes`].
    pub(crate) fn from_text(name: &str, attributes: &mut Attributes<'_>) -> Result<Self, String> {
        if let Some(op) = Unary::ALL.into_iter().find(|op| op.name() == name) {
            return Ok(Prim::Unary(op));
        }
        if let Some(op) = Binary::ALL.into_iter().find(|op| op.name() == name) {
            return Ok(Prim::Binary(op));
        }
        if let Some(op) = Reduction::ALL.into_iter().find(|op| op.name() == name) {
            return Ok(Prim::Reduce { op, axes: attributes.list("axes")? });
        }
        if let Some(distribution) = Distribution::ALL.into_iter().find(|d| d.name() == name) {
            return Ok(Prim::Rng { distribution, site: attributes.hex("site")? });
        }
        Ok(match name {
            "parameter" => Prim::Parameter {
                role: attributes.parse("role", Role::from_name)?,
                name: attributes.string("name")?,
            },
            "constant" => Prim::Constant(attributes.parse("value", Bits::from_text)?),
            "iota" => Prim::Iota { axis: attributes.number("axis")? },
            "get_dimension_size" => Prim::BatchSize,
            "compare" => Prim::Compare(attributes.parse("direction", Direction::from_name)?),
            "select" => Prim::Select,
            "convert" => Prim::Convert,
            "optimization_barrier" => Prim::StopGradient,
            "argmax" => Prim::ArgMax { axis: attributes.number("axis")? },
            "dot_general" => Prim::DotGeneral(DotDims::from_attributes(attributes)?),
            "convolution" => Prim::Convolution(ConvDims::from_attributes(attributes)?),
            "convolution_kernel" => Prim::ConvolutionKernel(ConvDims::from_attributes(attributes)?),
            "reduce_window_add" => {
                Prim::ReduceWindow { op: Reduction::Add, window: WindowDims::from_attributes(attributes)? }
            }
            "reduce_window_maximum" => Prim::ReduceWindow {
                op: Reduction::Maximum,
                window: WindowDims::from_attributes(attributes)?,
            },
            "select_and_scatter" => Prim::SelectAndScatter(WindowDims::from_attributes(attributes)?),
            "select_and_gather" => Prim::SelectAndGather(WindowDims::from_attributes(attributes)?),
            "reshape" => Prim::Reshape,
            "transpose" => Prim::Transpose { perm: attributes.list("perm")? },
            "broadcast_in_dim" => Prim::BroadcastInDim { axes: attributes.list("axes")? },
            "slice" => Prim::Slice { start: attributes.list("start")? },
            "concatenate" => Prim::Concatenate { axis: attributes.number("axis")? },
            "pad" => Prim::Pad { low: attributes.list("low")? },
            "reverse" => Prim::Reverse { axes: attributes.list("axes")? },
            "gather" => Prim::Gather,
            "scatter_add" => Prim::ScatterAdd,
            other => return Err(format!("there is no primitive `{other}`")),
        })
    }
}

/// Says how many operands were expected.
pub(crate) fn arity<const N: usize>(operands: &[&Type]) -> Result<[Type; N], String> {
    let owned: Vec<Type> = operands.iter().map(|&t| t.clone()).collect();
    let found = owned.len();
    owned.try_into().map_err(|_| format!("takes {N} operands, has {found}"))
}

/// Says which type was expected.
pub(crate) fn expect(result: &Type, wanted: &Type) -> Result<(), String> {
    if result == wanted { Ok(()) } else { Err(format!("the result is {wanted}, not {result}")) }
}
