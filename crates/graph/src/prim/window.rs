//! Folding windows that move over space or time, channels last: the pools.
//!
//! `reduce_window(x)` takes `x[b, space…, c]` to `[b, space′…, c]`; each number is the fold (sum, largest) of
//! the numbers in the window at that position. What lies in the padding is left out. For a sum, neighbours may
//! lie `dilation` apart with zeros between, so that its adjoint is another such sum.
//!
//! `select_and_scatter(x, g)` is the adjoint of the largest: every `g[b, p, c]` is added to the place of the
//! largest number of `x` in the window at `p`; of equal ones the first in row-major order, as in TensorFlow.
//! `select_and_gather(x, h)` reads `h` at those places, and is the adjoint of that.

use super::convolve::{adjoint_padding, dilated, positions};
use super::{Kind, Reduction, Rules, StableHlo, arity, count, expect};
use crate::array::{Array, Bindings, each_index};
use crate::text::{Attributes, list, signed};
use crate::{Builder, Dim, NodeId, Type};

/// What folds windows, and the adjoints.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Window {
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
}

/// A window and how it moves; one number for each axis of space.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct WindowDims {
    /// Its size.
    pub size: Vec<usize>,
    /// Steps between two positions.
    pub stride: Vec<usize>,
    /// Padding before; negative, for sums, to cut.
    pub low: Vec<i64>,
    /// Padding after; negative, for sums, to cut.
    pub high: Vec<i64>,
    /// Distance of neighbours, for sums; the rest is zeros (StableHLO `base_dilations`).
    pub dilation: Vec<usize>,
}

impl WindowDims {
    /// A window with some stride, without padding.
    pub fn new(size: Vec<usize>, stride: Vec<usize>) -> Self {
        let n = size.len();
        Self { size, stride, low: vec![0; n], high: vec![0; n], dilation: vec![1; n] }
    }

    /// The number of axes of space.
    pub fn rank(&self) -> usize {
        self.size.len()
    }

    /// The shape of the fold.
    pub fn result(&self, x: &[Dim]) -> Option<Vec<Dim>> {
        let mut out = x.to_vec();
        for i in 0..self.rank() {
            let span = dilated(x[i + 1].fixed()?, self.dilation[i])?;
            let count = positions(span, self.size[i], self.stride[i], self.low[i], self.high[i])?;
            out[i + 1] = Dim::Size(count);
        }
        Some(out)
    }

    fn attributes(&self) -> Vec<(&'static str, String)> {
        let mut out = vec![
            ("window", list(&self.size)),
            ("stride", list(&self.stride)),
            ("pad", format!("{}x{}", list(&self.low), list(&self.high))),
        ];
        if self.dilation.iter().any(|d| *d != 1) {
            out.push(("dilation", list(&self.dilation)));
        }
        out
    }

    fn from_attributes(attributes: &mut Attributes<'_>) -> Result<Self, String> {
        let size = attributes.list("window")?;
        let stride = attributes.list("stride")?;
        let (low, high) = attributes.parse("pad", signed)?;
        let dilation = attributes.optional_list("dilation")?.unwrap_or_else(|| vec![1; size.len()]);
        Ok(Self { size, stride, low, high, dilation })
    }

    fn check(&self, x: &Type, z: &Type, plain: bool) -> Result<(), String> {
        let n = self.rank();
        let lengths = [self.stride.len(), self.low.len(), self.high.len(), self.dilation.len()];
        if lengths.iter().any(|l| *l != n) || x.rank() != n + 2 {
            return Err(format!("window, stride and padding have one number for each axis of space of {x}"));
        }
        if !x.dtype.is_float() {
            return Err(format!("works on floats, not on {x}"));
        }
        if [&self.size, &self.stride, &self.dilation].iter().any(|v| v.contains(&0)) {
            return Err("window, stride and dilation are at least 1".into());
        }
        let inside = |pad: &[i64]| pad.iter().zip(&self.size).all(|(&p, &s)| p >= 0 && (p as u64) < s as u64);
        if plain && !(inside(&self.low) && inside(&self.high) && self.dilation.iter().all(|d| *d == 1)) {
            return Err("the largest has no dilation, and less padding than its window is wide".into());
        }
        match self.result(&x.shape) {
            Some(shape) => expect(z, &x.with_shape(shape)),
            None => Err(format!("the window {:?} has no position in {x}", self.size)),
        }
    }

    /// The attributes of the adjoint of the sum.
    fn adjoint(&self, x: &[Dim], z: &[Dim]) -> Self {
        let mut out = Self {
            size: self.size.clone(),
            stride: self.dilation.clone(),
            low: self.low.clone(),
            high: self.high.clone(),
            dilation: self.stride.clone(),
        };
        let size = |d: Dim| d.fixed().unwrap_or(0);
        for i in 0..self.rank() {
            (out.low[i], out.high[i]) = adjoint_padding(
                (size(x[i + 1]), self.dilation[i]),
                (self.size[i], 1),
                (size(z[i + 1]), self.stride[i]),
                self.low[i],
            );
        }
        out
    }

    /// Visits the index of every number in the window at position `to`.
    fn visit(&self, x: &[usize], to: &[usize], mut f: impl FnMut(&[usize])) {
        let n = self.rank();
        let mut from = to.to_vec();
        each_index(&self.size, |q| {
            for i in 0..n {
                let at = (to[i + 1] * self.stride[i] + q[i]) as i64 - self.low[i];
                let step = self.dilation[i] as i64;
                if at < 0 || at % step != 0 || at / step >= x[i + 1] as i64 {
                    return;
                }
                from[i + 1] = (at / step) as usize;
            }
            f(&from);
        });
    }

    /// The place of the first largest number in the window at `to`; a NaN counts as the largest.
    fn selected(&self, x: &Array, to: &[usize]) -> Option<Vec<usize>> {
        let mut best: Option<(f64, Vec<usize>)> = None;
        self.visit(&x.dims, to, |from| {
            let v = x.at(from);
            let better = match &best {
                None => true,
                Some((top, _)) => v > *top || (v.is_nan() && !top.is_nan()),
            };
            if better {
                best = Some((v, from.to_vec()));
            }
        });
        best.map(|(_, at)| at)
    }
}

impl Rules for Window {
    fn name(&self) -> &'static str {
        match self {
            Window::ReduceWindow { op: Reduction::Add, .. } => "reduce_window_add",
            Window::ReduceWindow { op: Reduction::Maximum, .. } => "reduce_window_maximum",
            Window::ReduceWindow { op: Reduction::Minimum, .. } => "reduce_window_minimum",
            Window::SelectAndScatter(_) => "select_and_scatter",
            Window::SelectAndGather(_) => "select_and_gather",
        }
    }

    fn attributes(&self) -> Vec<(&'static str, String)> {
        match self {
            Window::ReduceWindow { window, .. }
            | Window::SelectAndScatter(window)
            | Window::SelectAndGather(window) => window.attributes(),
        }
    }

    fn from_text(name: &str, attributes: &mut Attributes<'_>) -> Result<Option<Self>, String> {
        let reduce = |op| move |window| Window::ReduceWindow { op, window };
        Ok(Some(match name {
            "reduce_window_add" => reduce(Reduction::Add)(WindowDims::from_attributes(attributes)?),
            "reduce_window_maximum" => reduce(Reduction::Maximum)(WindowDims::from_attributes(attributes)?),
            "select_and_scatter" => Window::SelectAndScatter(WindowDims::from_attributes(attributes)?),
            "select_and_gather" => Window::SelectAndGather(WindowDims::from_attributes(attributes)?),
            _ => return Ok(None),
        }))
    }

    fn check(&self, operands: &[&Type], result: &Type) -> Result<(), String> {
        match self {
            Window::ReduceWindow { op: Reduction::Minimum, .. } => {
                Err("folds by sum or by the largest; for the smallest negate twice".into())
            }
            Window::ReduceWindow { op, window } => {
                let [x] = arity(operands)?;
                window.check(&x, result, *op != Reduction::Add)
            }
            Window::SelectAndScatter(window) => {
                let [x, g] = arity(operands)?;
                expect(result, &x)?;
                window.check(&x, &g, true)
            }
            Window::SelectAndGather(window) => {
                let [x, h] = arity(operands)?;
                expect(&h, &x)?;
                window.check(&x, result, true)
            }
        }
    }

    fn vjp(&self, b: &mut Builder, node: NodeId, g: NodeId) -> Vec<Option<NodeId>> {
        let x = b.operands(node);
        match self {
            Window::ReduceWindow { op: Reduction::Add, window } => {
                let adjoint = window.adjoint(&b.ty(x[0]).shape, &b.ty(node).shape);
                vec![Some(b.reduce_window(Reduction::Add, g, adjoint))]
            }
            Window::ReduceWindow { op: Reduction::Maximum | Reduction::Minimum, window } => {
                vec![Some(b.select_and_scatter(x[0], g, window.clone()))]
            }
            Window::SelectAndScatter(window) => {
                vec![None, Some(b.select_and_gather(x[0], g, window.clone()))]
            }
            Window::SelectAndGather(window) => {
                vec![None, Some(b.select_and_scatter(x[0], g, window.clone()))]
            }
        }
    }

    fn eval(&self, x: &[&Array], to: &Type, bindings: &Bindings) -> Result<Array, String> {
        let dims = &to.dims_at(bindings.batch)[..];
        Ok(match self {
            Window::ReduceWindow { op, window } => Array::from_fn(dims, |to| {
                let mut sum = op.identity();
                window.visit(&x[0].dims, to, |from| {
                    sum = op.op().of(sum, x[0].at(from));
                });
                sum
            }),
            Window::SelectAndScatter(window) => {
                let mut out = Array::filled(dims, 0.0);
                x[1].each(|to, g| {
                    if let Some(at) = window.selected(x[0], to) {
                        *out.at_mut(&at) += g;
                    }
                });
                out
            }
            Window::SelectAndGather(window) => {
                Array::from_fn(dims, |to| window.selected(x[0], to).map_or(0.0, |at| x[1].at(&at)))
            }
        })
    }

    /// One for every number of every window.
    fn flops(&self, operands: &[&Type], result: &Type, batch: usize) -> u64 {
        let (window, positions) = match self {
            Window::ReduceWindow { window, .. } | Window::SelectAndGather(window) => (window, result),
            Window::SelectAndScatter(window) => (window, operands[1]),
        };
        window.size.iter().fold(count(positions, batch), |n, &s| n.saturating_mul(s as u64))
    }

    fn kind(&self, _: &[&Type], _: &Type) -> Kind {
        Kind::Heavy
    }

    fn is_affine(&self, _: &[bool]) -> bool {
        match self {
            Window::ReduceWindow { op, .. } => op.is_affine(),
            Window::SelectAndScatter(_) | Window::SelectAndGather(_) => false,
        }
    }

    fn rows(&self, _: &[&Type], _: &Type) -> Option<Dim> {
        None
    }

    fn stablehlo(&self) -> StableHlo {
        match self {
            Window::ReduceWindow { op: Reduction::Add, .. } => StableHlo::Expansion(
                "reduce_window from 0 by add, window dimensions 1 for batch and channels",
            ),
            Window::ReduceWindow { op: Reduction::Maximum | Reduction::Minimum, .. } => StableHlo::Expansion(
                "reduce_window from -inf by maximum, window dimensions 1 for batch and channels",
            ),
            // StableHLO's select_and_scatter by GE does not take the first of equal numbers everywhere.
            Window::SelectAndScatter(_) => StableHlo::Expansion(
                "for each place of the window: a strided slice of x, where it is the largest and none before it was, g padded back and added",
            ),
            Window::SelectAndGather(_) => StableHlo::Expansion(
                "for each place of the window: a strided slice of x, where it is the largest and none before it was, the slice of h",
            ),
        }
    }
}

impl Builder {
    /// The fold of a moving window.
    pub fn reduce_window(&mut self, op: Reduction, x: NodeId, window: WindowDims) -> NodeId {
        let shape = window.result(&self.ty(x).shape).unwrap_or_default();
        let ty = self.ty(x).with_shape(shape);
        self.emit(Window::ReduceWindow { op, window }, &[x], ty)
    }

    /// `g` added up at the places of the largest numbers of `x` in each window.
    pub fn select_and_scatter(&mut self, x: NodeId, g: NodeId, window: WindowDims) -> NodeId {
        let ty = self.ty(x).clone();
        self.emit(Window::SelectAndScatter(window), &[x, g], ty)
    }

    /// `h` at the places of the largest numbers of `x` in each window.
    pub fn select_and_gather(&mut self, x: NodeId, h: NodeId, window: WindowDims) -> NodeId {
        let shape = window.result(&self.ty(x).shape).unwrap_or_default();
        let ty = self.ty(x).with_shape(shape);
        self.emit(Window::SelectAndGather(window), &[x, h], ty)
    }
}
