//! Lowering of convolutions and of windows that move.

use crate::EngineError;
use crate::lower::{Lower, describe};
use crate::unit::Unit;
use crate::view::{BufferId, Spot};
use nnc_graph::{ConvDims, Convolve, NodeId, Reduction, WindowDims, prim};
use nnc_kernels::{Convolution, ConvolutionKernel, Geometry, Instr, Window, WindowFold, Windows};

/// Numbers for three axes; the first ones get `rest`.
fn three<T: Copy>(values: &[T], rest: T) -> [T; 3] {
    let mut out = [rest; 3];
    for (to, from) in out.iter_mut().rev().zip(values.iter().rev()) {
        *to = *from;
    }
    out
}

impl Lower<'_> {
    /// The kernels have loops over three axes of space.
    fn at_most_three_axes(&self, id: NodeId) -> Result<(), EngineError> {
        let axes = self.dims[id.index()].len().saturating_sub(2);
        if axes <= 3 { Ok(()) } else { Err(EngineError::Axes { what: describe(self.graph, id), axes }) }
    }

    /// The unit of a convolution, or of its adjoint by the kernel.
    pub(crate) fn convolve(
        &mut self,
        id: NodeId,
        convolve: &Convolve,
        to: BufferId,
    ) -> Result<Unit, EngineError> {
        self.at_most_three_axes(id)?;
        let operands = self.graph.operands(id);
        let dims = |id: NodeId| self.dims[id.index()].clone();
        let (first, second, own) = (dims(operands[0]), dims(operands[1]), dims(id));
        match convolve {
            Convolve::Convolution(d) => {
                let geometry = geometry(d, &first, &second, &own);
                let (x, kernel) = (self.dense(operands[0])?, self.axes(operands[1])?);
                let space = three(&kernel.strides[..d.rank()], 0);
                let (inner, filters) = (kernel.strides[d.rank()], kernel.strides[d.rank() + 1]);
                let instr = Convolution {
                    geometry,
                    x: x.spot(),
                    kernel: kernel.spot(),
                    strides: [space[0], space[1], space[2], inner, filters],
                    z: Spot::first(to),
                };
                Ok(Unit::fixed(vec![Instr::Convolution(instr)], to, vec![id]))
            }
            Convolve::ConvolutionKernel(d) => {
                let geometry = geometry(d, &first, &own, &second);
                let (x, g) = (self.dense(operands[0])?, self.dense(operands[1])?);
                let instr = ConvolutionKernel { geometry, x: x.spot(), g: g.spot(), kernel: Spot::first(to) };
                Ok(Unit::fixed(vec![Instr::ConvolutionKernel(instr)], to, vec![id]))
            }
        }
    }

    /// The unit of a fold of windows, or of an adjoint.
    pub(crate) fn window(
        &mut self,
        id: NodeId,
        window: &prim::Window,
        to: BufferId,
    ) -> Result<Unit, EngineError> {
        self.at_most_three_axes(id)?;
        let operands = self.graph.operands(id);
        let dims = |id: NodeId| &self.dims[id.index()][..];
        let (first, own) = (dims(operands[0]), dims(id));
        let (fold, windows) = match window {
            prim::Window::ReduceWindow { op: Reduction::Add, window } => {
                (WindowFold::Add, windows(window, first, own))
            }
            prim::Window::ReduceWindow { op: Reduction::Maximum | Reduction::Minimum, window } => {
                (WindowFold::Maximum, windows(window, first, own))
            }
            prim::Window::SelectAndGather(window) => (WindowFold::Gather, windows(window, first, own)),
            prim::Window::SelectAndScatter(window) => {
                (WindowFold::Scatter, windows(window, first, dims(operands[1])))
            }
        };
        let x = self.dense(operands[0])?;
        let y = operands.get(1).map(|&y| self.dense(y)).transpose()?;
        let y = y.map(|y| y.spot());
        let instr = Window { fold, windows, x: x.spot(), y, to: Spot::first(to) };
        Ok(Unit::fixed(vec![Instr::Window(instr)], to, vec![id]))
    }
}

/// The sizes of a convolution of `x` with `k` to `z`.
fn geometry(d: &ConvDims, x: &[usize], k: &[usize], z: &[usize]) -> Geometry {
    let n = d.rank();
    let low: Vec<isize> = d.low.iter().map(|&l| l as isize).collect();
    Geometry {
        batch: x[0],
        size: three(&x[1..=n], 1),
        channels: x[n + 1],
        window: three(&k[..n], 1),
        out: three(&z[1..=n], 1),
        filters: k[n + 1],
        groups: d.groups,
        stride: three(&d.stride, 1),
        low: three(&low, 0),
        lhs_dilation: three(&d.lhs_dilation, 1),
        rhs_dilation: three(&d.rhs_dilation, 1),
    }
}

/// The sizes of windows that move over `x` to the positions of `z`.
fn windows(d: &WindowDims, x: &[usize], z: &[usize]) -> Windows {
    let n = d.rank();
    let low: Vec<isize> = d.low.iter().map(|&l| l as isize).collect();
    Windows {
        batch: x[0],
        size: three(&x[1..=n], 1),
        window: three(&d.size, 1),
        out: three(&z[1..=n], 1),
        channels: x[n + 1],
        stride: three(&d.stride, 1),
        low: three(&low, 0),
        base_dilation: three(&d.dilation, 1),
    }
}
