//! Convolutions over `n` axes of space or time, channels last, and their gradient by the kernel.
//!
//! `convolution(x, k)` takes `x[b, space…, c]` and `k[window…, c / groups, o]` to `[b, space′…, o]`:
//!
//! ```text
//! z[b, p, f] = Σ over the window q and the channels i of f's group of
//!              x̃[b, p · stride + q · rhs_dilation − low, i] · k[q, i, f]
//! ```
//!
//! where `x̃` is `x` with `lhs_dilation − 1` zeros between neighbours and zeros outside; `low` and `high` count
//! the zeros before and after (negative ones cut off). Channel `i` of group `g` is channel
//! `g · c/groups + i` of `x`; output `f` belongs to group `f / (o/groups)`. This is StableHLO's `convolution`
//! with dimension numbers `[b, 0, 1, f] x [0, 1, i, o] -> [b, 0, 1, f]`.
//!
//! `convolution_kernel(x, g)` with the same attributes is the adjoint by the kernel: what `k` gets when the
//! convolution's result gets `g`. As a StableHLO operation it is the same `convolution` with batch and features
//! exchanged. Both are linear in each operand, and the two are closed under differentiation.

use super::{Kind, Rules, StableHlo, arity, count, expect};
use crate::array::{Array, Bindings, each_index};
use crate::text::{Attributes, list, signed};
use crate::{Builder, Dim, NodeId, Type};

/// What convolves.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Convolve {
    /// `convolution(x[b, space…, c], kernel[window…, c / groups, o])`.
    Convolution(ConvDims),
    /// `convolution_kernel(x, g)`: the adjoint of [`Convolve::Convolution`] by its kernel.
    ConvolutionKernel(ConvDims),
}

/// How a window moves over space; one number for each axis of space.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ConvDims {
    /// Steps between two positions of the window.
    pub stride: Vec<usize>,
    /// Zeros before the first element; negative to cut.
    pub low: Vec<i64>,
    /// Zeros after the last element; negative to cut.
    pub high: Vec<i64>,
    /// Distance of neighbours of the left operand, the rest is zeros.
    pub lhs_dilation: Vec<usize>,
    /// Distance of neighbours of the kernel.
    pub rhs_dilation: Vec<usize>,
    /// Into how many groups the channels fall.
    pub groups: usize,
}

impl ConvDims {
    /// Stride 1, no padding, no dilation, one group, over `rank` axes.
    pub fn plain(rank: usize) -> Self {
        Self {
            stride: vec![1; rank],
            low: vec![0; rank],
            high: vec![0; rank],
            lhs_dilation: vec![1; rank],
            rhs_dilation: vec![1; rank],
            groups: 1,
        }
    }

    /// The number of axes of space.
    pub fn rank(&self) -> usize {
        self.stride.len()
    }

    /// How many positions the window has along an axis; `None` when there is none.
    pub fn positions(&self, axis: usize, size: usize, window: usize) -> Option<usize> {
        let wide = dilated(window, self.rhs_dilation[axis])?;
        positions(
            dilated(size, self.lhs_dilation[axis])?,
            wide,
            self.stride[axis],
            self.low[axis],
            self.high[axis],
        )
    }

    /// The shape of the convolution of these shapes.
    pub fn result(&self, x: &[Dim], k: &[Dim]) -> Option<Vec<Dim>> {
        let n = self.rank();
        let space = (0..n).map(|i| {
            let size = self.positions(i, x[i + 1].fixed()?, k[i].fixed()?)?;
            Some(Dim::Size(size))
        });
        let mut out = vec![x[0]];
        out.extend(space.collect::<Option<Vec<_>>>()?);
        out.push(k[n + 1]);
        Some(out)
    }

    fn attributes(&self) -> Vec<(&'static str, String)> {
        let mut out = vec![
            ("stride", list(&self.stride)),
            ("pad", format!("{}x{}", list(&self.low), list(&self.high))),
        ];
        for (name, dilation) in [("lhs_dilation", &self.lhs_dilation), ("rhs_dilation", &self.rhs_dilation)] {
            if dilation.iter().any(|d| *d != 1) {
                out.push((name, list(dilation)));
            }
        }
        if self.groups != 1 {
            out.push(("groups", self.groups.to_string()));
        }
        out
    }

    fn from_attributes(attributes: &mut Attributes<'_>) -> Result<Self, String> {
        let stride = attributes.list("stride")?;
        let (low, high) = attributes.parse("pad", signed)?;
        let ones = vec![1; stride.len()];
        let lhs_dilation = attributes.optional_list("lhs_dilation")?.unwrap_or_else(|| ones.clone());
        let rhs_dilation = attributes.optional_list("rhs_dilation")?.unwrap_or(ones);
        let groups = if attributes.has("groups") { attributes.number("groups")? } else { 1 };
        Ok(Self { stride, low, high, lhs_dilation, rhs_dilation, groups })
    }

    /// Checks the attributes against each other, and the shapes of picture, kernel and result.
    fn check(&self, x: &Type, k: &Type, z: &Type) -> Result<(), String> {
        let n = self.rank();
        let lengths = [self.low.len(), self.high.len(), self.lhs_dilation.len(), self.rhs_dilation.len()];
        if lengths.iter().any(|l| *l != n) {
            return Err("stride, padding and dilation have one number for each axis of space".into());
        }
        if [&self.stride, &self.lhs_dilation, &self.rhs_dilation].iter().any(|v| v.contains(&0)) {
            return Err("stride and dilation are at least 1".into());
        }
        if x.dtype != k.dtype || !x.dtype.is_float() {
            return Err(format!("convolves floats of one type, not {x} and {k}"));
        }
        if x.rank() != n + 2 || k.rank() != n + 2 {
            return Err(format!("over {n} axes, not {x} with {k}"));
        }
        let channels = (x.shape[n + 1].fixed(), k.shape[n].fixed(), k.shape[n + 1].fixed());
        match channels {
            (Some(c), Some(i), Some(o))
                if self.groups > 0
                    && c % self.groups == 0
                    && o % self.groups == 0
                    && c / self.groups == i => {}
            _ => return Err(format!("{k} does not have the channels of {x} in {} groups", self.groups)),
        }
        match self.result(&x.shape, &k.shape) {
            Some(shape) => expect(z, &x.with_shape(shape)),
            None => Err(format!("the window of {k} has no position in {x}")),
        }
    }

    /// The attributes of the adjoint by the left operand, which has `size` numbers along each axis of space.
    fn adjoint(&self, size: &[usize], window: &[usize], out: &[usize]) -> Self {
        let n = self.rank();
        let mut low = vec![0; n];
        let mut high = vec![0; n];
        for i in 0..n {
            (low[i], high[i]) = adjoint_padding(
                (size[i], self.lhs_dilation[i]),
                (window[i], self.rhs_dilation[i]),
                (out[i], self.stride[i]),
                self.low[i],
            );
        }
        Self {
            stride: self.lhs_dilation.clone(),
            low,
            high,
            lhs_dilation: self.stride.clone(),
            rhs_dilation: self.rhs_dilation.clone(),
            groups: self.groups,
        }
    }

    /// Where element `q` of the window at position `p` finds its number: `None` in the zeros.
    fn source(&self, axis: usize, p: usize, q: usize, size: usize) -> Option<usize> {
        let at = (p * self.stride[axis] + q * self.rhs_dilation[axis]) as i64 - self.low[axis];
        let step = self.lhs_dilation[axis] as i64;
        (at >= 0 && at % step == 0 && at / step < size as i64).then_some((at / step) as usize)
    }
}

/// The span of `n` elements that lie `d` apart.
pub(super) fn dilated(n: usize, d: usize) -> Option<usize> {
    n.checked_sub(1)?.checked_mul(d)?.checked_add(1)
}

/// How many windows fit; `None` when there is none.
pub(super) fn positions(size: usize, window: usize, stride: usize, low: i64, high: i64) -> Option<usize> {
    let room = size as i128 + i128::from(low) + i128::from(high) - window as i128;
    if room < 0 || window == 0 || stride == 0 {
        return None;
    }
    usize::try_from(room / stride as i128 + 1).ok()
}

/// The padding that brings a sliding window's adjoint back to `size` numbers. Each pair is a count and its
/// dilation, or its stride.
pub(super) fn adjoint_padding(
    size: (usize, usize),
    window: (usize, usize),
    out: (usize, usize),
    low: i64,
) -> (i64, i64) {
    let span = |(n, d): (usize, usize)| dilated(n, d).unwrap_or(0) as i64;
    let before = span(window) - 1 - low;
    (before, span(size) + span(window) - 1 - span(out) - before)
}

impl Rules for Convolve {
    fn name(&self) -> &'static str {
        match self {
            Convolve::Convolution(_) => "convolution",
            Convolve::ConvolutionKernel(_) => "convolution_kernel",
        }
    }

    fn attributes(&self) -> Vec<(&'static str, String)> {
        match self {
            Convolve::Convolution(dims) | Convolve::ConvolutionKernel(dims) => dims.attributes(),
        }
    }

    fn from_text(name: &str, attributes: &mut Attributes<'_>) -> Result<Option<Self>, String> {
        Ok(match name {
            "convolution" => Some(Convolve::Convolution(ConvDims::from_attributes(attributes)?)),
            "convolution_kernel" => Some(Convolve::ConvolutionKernel(ConvDims::from_attributes(attributes)?)),
            _ => None,
        })
    }

    fn check(&self, operands: &[&Type], result: &Type) -> Result<(), String> {
        let [a, b] = arity(operands)?;
        match self {
            Convolve::Convolution(dims) => dims.check(&a, &b, result),
            Convolve::ConvolutionKernel(dims) => dims.check(&a, result, &b),
        }
    }

    fn vjp(&self, b: &mut Builder, node: NodeId, g: NodeId) -> Vec<Option<NodeId>> {
        let x = b.operands(node);
        match self {
            Convolve::Convolution(dims) => {
                let window = b.ty(x[1]).shape.clone();
                let size = space_of(b, x[0], dims);
                let dx = b.convolution_input(g, x[1], &size, dims);
                let dk = b.convolution_kernel(x[0], g, window, dims.clone());
                vec![Some(dx), Some(dk)]
            }
            // Linear in both: ∂x is the adjoint by the input with g in the place of the kernel.
            Convolve::ConvolutionKernel(dims) => {
                let size = space_of(b, x[0], dims);
                let dx = b.convolution_input(x[1], g, &size, dims);
                let dg = b.convolution(x[0], g, dims.clone());
                vec![Some(dx), Some(dg)]
            }
        }
    }

    fn eval(&self, x: &[&Array], to: &Type, bindings: &Bindings) -> Result<Array, String> {
        let dims = &to.dims_at(bindings.batch)[..];
        let mut out = Array::filled(dims, 0.0);
        match self {
            Convolve::Convolution(d) => {
                let (a, k) = (x[0], x[1]);
                pairs(d, &a.dims, &k.dims, dims, |from, kernel, to| {
                    *out.at_mut(to) += a.at(from) * k.at(kernel);
                });
            }
            Convolve::ConvolutionKernel(d) => {
                let (a, g) = (x[0], x[1]);
                pairs(d, &a.dims, dims, &g.dims, |from, kernel, to| {
                    *out.at_mut(kernel) += a.at(from) * g.at(to);
                });
            }
        }
        Ok(out)
    }

    /// Two for every product: each number of the result, or of its cotangent, sees a whole window.
    fn flops(&self, operands: &[&Type], result: &Type, batch: usize) -> u64 {
        let (kernel, out) = match self {
            Convolve::Convolution(_) => (operands[1], result),
            Convolve::ConvolutionKernel(_) => (result, operands[1]),
        };
        let window = kernel.shape.iter().rev().skip(1).map(|d| d.at(batch) as u64);
        window.fold(count(out, batch).saturating_mul(2), u64::saturating_mul)
    }

    fn kind(&self, _: &[&Type], _: &Type) -> Kind {
        Kind::Heavy
    }

    fn is_affine(&self, moves: &[bool]) -> bool {
        moves != [true, true]
    }

    fn rows(&self, _: &[&Type], _: &Type) -> Option<Dim> {
        None
    }

    fn stablehlo(&self) -> StableHlo {
        match self {
            Convolve::Convolution(_) => StableHlo::Op("convolution"),
            Convolve::ConvolutionKernel(_) => StableHlo::Expansion(
                "convolution with batch and features exchanged, batch_group_count = groups, stride and rhs_dilation exchanged, the padding after computed anew",
            ),
        }
    }
}

/// The sizes of the axes of space.
fn space_of(b: &Builder, x: NodeId, dims: &ConvDims) -> Vec<usize> {
    b.ty(x).shape[1..=dims.rank()].iter().map(|d| d.fixed().unwrap_or(0)).collect()
}

impl Builder {
    /// A convolution.
    pub fn convolution(&mut self, x: NodeId, kernel: NodeId, dims: ConvDims) -> NodeId {
        let shape = dims.result(&self.ty(x).shape, &self.ty(kernel).shape).unwrap_or_default();
        let ty = self.ty(x).with_shape(shape);
        self.emit(Convolve::Convolution(dims), &[x, kernel], ty)
    }

    /// The adjoint of a convolution by its kernel, which has this shape.
    pub fn convolution_kernel(&mut self, x: NodeId, g: NodeId, shape: Vec<Dim>, dims: ConvDims) -> NodeId {
        let ty = self.ty(x).with_shape(shape);
        self.emit(Convolve::ConvolutionKernel(dims), &[x, g], ty)
    }

    /// The adjoint of a convolution by its input: a convolution of `g`, as far apart as the window moved,
    /// with the kernel turned round and its channels exchanged. The input had `size` numbers along each axis of
    /// space.
    pub fn convolution_input(
        &mut self,
        g: NodeId,
        kernel: NodeId,
        size: &[usize],
        dims: &ConvDims,
    ) -> NodeId {
        let n = dims.rank();
        let fixed = |shape: &[Dim]| shape.iter().map(|d| d.fixed().unwrap_or(0)).collect::<Vec<_>>();
        let out = fixed(&self.ty(g).shape[1..=n]);
        let k = fixed(&self.ty(kernel).shape);
        let adjoint = dims.adjoint(size, &k[..n], &out);
        let (inner, outer) = (k[n], k[n + 1] / dims.groups);
        let window = self.ty(kernel).shape[..n].to_vec();
        let sized = |tail: &[usize]| -> Vec<Dim> {
            window.iter().copied().chain(tail.iter().map(|&s| Dim::Size(s))).collect()
        };
        // [window…, c/groups, groups, o/groups] → [window…, o/groups, groups, c/groups]
        let apart = self.reshape(kernel, sized(&[inner, dims.groups, outer]));
        let perm = (0..n).chain([n + 2, n + 1, n]).collect();
        let exchanged = self.transpose(apart, perm);
        let together = self.reshape(exchanged, sized(&[outer, dims.groups * inner]));
        let turned = self.reverse(together, (0..n).collect());
        self.convolution(g, turned, adjoint)
    }
}

/// Visits every product of a convolution: the index of the input, of the kernel, and of the result.
fn pairs(
    d: &ConvDims,
    x: &[usize],
    k: &[usize],
    z: &[usize],
    mut f: impl FnMut(&[usize], &[usize], &[usize]),
) {
    let n = d.rank();
    let inner = k[n];
    each_index(z, |to| {
        let group = to[n + 1] / (k[n + 1] / d.groups).max(1);
        let mut from = vec![0; n + 2];
        from[0] = to[0];
        each_index(&k[..=n], |window| {
            for i in 0..n {
                match d.source(i, to[i + 1], window[i], x[i + 1]) {
                    Some(at) => from[i + 1] = at,
                    None => return,
                }
            }
            from[n + 1] = group * inner + window[n];
            let mut kernel = window.to_vec();
            kernel.push(to[n + 1]);
            f(&from, &kernel, to);
        });
    });
}
