//! Convolutions and windows in operators of ONNX, which are channels-first.

use super::emit::{At, Emitter, Known, Source, Val, elem, ints};
use super::proto::{Attr, Data, Elem};
use nnc_graph::eval::each_index;
use nnc_graph::{ConvDims, Convolve, Dim, Reduction, Type, Window, WindowDims};
use std::rc::Rc;

/// Before and after every axis.
type Pads = (Vec<i64>, Vec<i64>);

impl Emitter<'_> {
    pub(crate) fn convolve(
        &mut self,
        level: usize,
        op: &Convolve,
        x: At,
        y: At,
        ty: &Type,
    ) -> Result<Val, String> {
        let wide = elem(ty.dtype) == Elem::Double;
        match op {
            Convolve::Convolution(dims) if wide => self.wide_convolution(level, dims, x, y, ty),
            Convolve::ConvolutionKernel(dims) if wide => self.wide_kernel(level, dims, x, y, ty),
            Convolve::Convolution(dims) => self.convolution(level, dims, x, y),
            Convolve::ConvolutionKernel(dims) => self.convolution_kernel(level, dims, x, y, ty),
        }
    }

    fn convolution(&mut self, level: usize, d: &ConvDims, x: At, k: At) -> Result<Val, String> {
        let n = d.rank();
        let first: Vec<usize> = [0, n + 1].into_iter().chain(1..=n).collect();
        let pixels = self.full(x, &first)?;
        let apart = d.lhs_dilation.iter().any(|d| *d != 1);
        if apart && let Some(name) = self.transposed(level, d, &pixels, k)? {
            return Ok(Val::named(name, first));
        }
        let shape = self.dims_in(x, &first);
        let (pixels, shape) = self.spread(level, pixels, shape, 2, &d.lhs_dilation)?;
        let (pixels, low, high) = self.without_negative(level, pixels, &shape, (&d.low, &d.high));
        let order: Vec<usize> = [n + 1, n].into_iter().chain(0..n).collect();
        let kernel = self.full(k, &order)?;
        let attrs = conv_attrs(&d.stride, &d.rhs_dilation, (low, high), d.groups);
        Ok(Val::named(self.node(level, "Conv", &[&pixels, &kernel], &attrs), first))
    }

    /// A convolution of pixels that lie apart is a transposed one with the kernel turned round, where the window does
    /// not jump.
    fn transposed(
        &mut self,
        level: usize,
        d: &ConvDims,
        pixels: &str,
        k: At,
    ) -> Result<Option<String>, String> {
        let n = d.rank();
        let shape: Vec<usize> = self.ty(k).shape.iter().map(|d| d.at(0)).collect();
        let span = |i: usize| ((shape[i] - 1) * d.rhs_dilation[i]) as i64;
        let low: Vec<i64> = (0..n).map(|i| span(i) - d.low[i]).collect();
        let high: Vec<i64> = (0..n).map(|i| span(i) - d.high[i]).collect();
        if d.stride.iter().any(|s| *s != 1) || low.iter().chain(&high).any(|p| *p < 0) {
            return Ok(None);
        }
        let val = self.val(k);
        let kernel = match &val.source {
            Source::Known(known) if val.axes.is_sorted() && val.axes.len() == n + 2 => {
                self.turned(known, d.groups)
            }
            Source::Known(_) | Source::Named(_) if d.groups == 1 => {
                let order: Vec<usize> = [n, n + 1].into_iter().chain(0..n).collect();
                let kernel = self.full(k, &order)?;
                let turned: Vec<(usize, i64, i64, i64)> =
                    (2..n + 2).map(|i| (i, -1, i64::MIN + 1, -1)).collect();
                self.cut(level, &kernel, &turned)
            }
            Source::Known(_) | Source::Named(_) => return Ok(None),
        };
        let attrs = conv_attrs(&d.lhs_dilation, &d.rhs_dilation, (low, high), d.groups);
        Ok(Some(self.node(level, "ConvTranspose", &[pixels, &kernel], &attrs)))
    }

    /// The kernel `[window…, c / groups, o]` as `[c, o / groups, window…]`, the window turned round.
    fn turned(&mut self, known: &Rc<Known>, groups: usize) -> String {
        let n = known.dims.len() - 2;
        let (inputs, outputs) = (known.dims[n], known.dims[n + 1]);
        let each = outputs / groups;
        let dims = [&[inputs * groups, each], &known.dims[..n]].concat();
        let mut values = Vec::with_capacity(known.values.len());
        each_index(&dims, |index| {
            let (channel, output) = (index[0], index[1]);
            let window = index[2..].iter().zip(&known.dims).fold(0, |at, (q, size)| at * size + size - 1 - q);
            let column = channel / inputs * each + output;
            values.push(known.values[(window * inputs + channel % inputs) * outputs + column]);
        });
        let label = format!("{}.turned", known.label);
        let turned = Known { label, elem: known.elem, dims, values, weight: known.weight };
        self.plainly(turned)
    }

    fn convolution_kernel(
        &mut self,
        level: usize,
        d: &ConvDims,
        x: At,
        g: At,
        ty: &Type,
    ) -> Result<Val, String> {
        let n = d.rank();
        let (per_group, batch) = (ty.shape[n], self.ty(x).shape[0]);
        // Channels take the part of samples, samples that of channels.
        let (pixels, shape) = if d.groups == 1 {
            let order: Vec<usize> = [n + 1, 0].into_iter().chain(1..=n).collect();
            (self.full(x, &order)?, self.dims_in(x, &order))
        } else {
            let whole = self.canonical(x)?;
            let space = self.ty(x).shape[..=n].to_vec();
            let split = [&space[..], &[Dim::Size(d.groups), per_group]].concat();
            let parts = self.reshaped(level, &whole, &split)?;
            let perm: Vec<usize> = [n + 2, n + 1, 0].into_iter().chain(1..=n).collect();
            let parts = self.node(level, "Transpose", &[&parts], &[("perm", ints(&perm))]);
            let all = match batch {
                Dim::Batch => Dim::Batch,
                Dim::Size(b) => Dim::Size(b * d.groups),
            };
            let shape = [&[per_group, all], &space[1..]].concat();
            // All that is left is -1: samples times groups.
            (self.reshaped(level, &parts, &shape)?, shape)
        };
        let (pixels, shape) = self.spread(level, pixels, shape, 2, &d.lhs_dilation)?;
        let (pixels, low, high) = self.without_negative(level, pixels, &shape, (&d.low, &d.high));
        let order: Vec<usize> = [n + 1, 0].into_iter().chain(1..=n).collect();
        let kernel = self.full(g, &order)?;
        let attrs = conv_attrs(&d.rhs_dilation, &d.stride, (low, high), d.groups);
        let name = self.node(level, "Conv", &[&pixels, &kernel], &attrs);
        // What the window never reached comes last.
        let cuts: Vec<(usize, i64, i64, i64)> =
            (0..n).map(|i| (i + 2, 0, ty.shape[i].at(0) as i64, 1)).collect();
        let axes: Vec<usize> = [n, n + 1].into_iter().chain(0..n).collect();
        Ok(Val::named(self.cut(level, &name, &cuts), axes))
    }

    /// Zeros between neighbours along axes from `first` on.
    pub(crate) fn spread(
        &mut self,
        level: usize,
        mut x: String,
        mut shape: Vec<Dim>,
        first: usize,
        dilation: &[usize],
    ) -> Result<(String, Vec<Dim>), String> {
        for (i, &d) in dilation.iter().enumerate().filter(|(_, d)| **d > 1) {
            let axis = first + i;
            let size = shape[axis].at(0);
            let list = self.ints(&[axis as i64 + 1]);
            x = self.node(level, "Unsqueeze", &[&x, &list], &[]);
            let mut high = vec![0; shape.len() + 1];
            high[axis + 1] = d as i64 - 1;
            x = self.pad(level, &x, &vec![0; shape.len() + 1], &high, None);
            shape[axis] = Dim::Size(size * d);
            x = self.reshaped(level, &x, &shape)?;
            let span = (size - 1) * d + 1;
            x = self.cut(level, &x, &[(axis, 0, span as i64, 1)]);
            shape[axis] = Dim::Size(span);
        }
        Ok((x, shape))
    }

    /// Cuts off what negative padding cuts; the padding that is left.
    fn without_negative(
        &mut self,
        level: usize,
        x: String,
        shape: &[Dim],
        (low, high): (&[i64], &[i64]),
    ) -> (String, Vec<i64>, Vec<i64>) {
        let mut cuts = Vec::new();
        for i in 0..low.len() {
            if low[i] < 0 || high[i] < 0 {
                let end = shape[i + 2].at(0) as i64 + high[i].min(0);
                cuts.push((i + 2, -low[i].min(0), end, 1));
            }
        }
        let left = |pads: &[i64]| pads.iter().map(|p| (*p).max(0)).collect::<Vec<i64>>();
        (self.cut(level, &x, &cuts), left(low), left(high))
    }

    pub(crate) fn window(&mut self, at: At, op: &Window, x: &[At], ty: &Type) -> Result<Val, String> {
        match op {
            Window::ReduceWindow { op: Reduction::Add, window } => self.sums(at, window, x[0]),
            Window::ReduceWindow { op: Reduction::Maximum, window } => self.largest(at.0, window, x[0]),
            Window::ReduceWindow { op: Reduction::Minimum, .. } => {
                Err("the smallest of a window is no primitive".into())
            }
            Window::SelectAndScatter(window) => {
                let positions = self.ty(x[1]).clone();
                self.selected(at.0, window, x[0], &positions, None, Some(x[1]))
            }
            Window::SelectAndGather(window) => self.selected(at.0, window, x[0], ty, Some(x[1]), None),
        }
    }

    fn largest(&mut self, level: usize, w: &WindowDims, x: At) -> Result<Val, String> {
        let n = w.rank();
        let first: Vec<usize> = [0, n + 1].into_iter().chain(1..=n).collect();
        let pixels = self.full(x, &first)?;
        let attrs = pool_attrs(w, (&w.low, &w.high));
        Ok(Val::named(self.node(level, "MaxPool", &[&pixels], &attrs), first))
    }

    fn sums(&mut self, at: At, w: &WindowDims, x: At) -> Result<Val, String> {
        let (level, n, of) = (at.0, w.rank(), elem(self.ty(x).dtype));
        let first: Vec<usize> = [0, n + 1].into_iter().chain(1..=n).collect();
        let pixels = self.full(x, &first)?;
        let shape = self.dims_in(x, &first);
        let (pixels, shape) = self.spread(level, pixels, shape, 2, &w.dilation)?;
        let (mut pixels, mut low, mut high) = self.without_negative(level, pixels, &shape, (&w.low, &w.high));
        // Runtimes take no more padding than the window is wide, and have no means of doubles.
        let wide = (0..n).any(|i| low[i].max(high[i]) >= w.size[i] as i64);
        if wide || of == Elem::Double {
            let sides = |pads: &[i64]| [&[0, 0], pads].concat();
            pixels = self.pad(level, &pixels, &sides(&low), &sides(&high), None);
            (low, high) = (vec![0; n], vec![0; n]);
        }
        if of == Elem::Double {
            let positions = self.ty(at).shape[1..=n].to_vec();
            let parts = places(w, &positions, 2).into_iter().map(|cuts| self.cut(level, &pixels, &cuts));
            let parts: Vec<String> = parts.collect();
            let sum = self.summed(level, parts);
            return Ok(Val::named(sum, first));
        }
        let mut attrs = pool_attrs(w, (&low, &high));
        attrs.push(("count_include_pad", Attr::Int(1)));
        let mean = self.node(level, "AveragePool", &[&pixels], &attrs);
        let count = w.size.iter().product::<usize>() as f64;
        self.means.insert(at, (Val::named(mean.clone(), first.clone()), count));
        let count = self.number(count, of);
        Ok(Val::named(self.node(level, "Mul", &[&mean, &count], &[]), first))
    }

    fn summed(&mut self, level: usize, parts: Vec<String>) -> String {
        let mut parts = parts.into_iter();
        let mut sum = parts.next().unwrap_or_default();
        for part in parts {
            sum = self.node(level, "Add", &[&sum, &part], &[]);
        }
        sum
    }

    /// The places of the largest numbers of each window of `x`: what `read` has there, or a table with what `added`
    /// has for each window added there.
    fn selected(
        &mut self,
        level: usize,
        w: &WindowDims,
        x: At,
        positions: &Type,
        read: Option<At>,
        added: Option<At>,
    ) -> Result<Val, String> {
        let (n, of, rank) = (w.rank(), self.elem(x), self.ty(x).rank());
        let size: Vec<usize> = self.ty(x).shape[1..=n].iter().map(|d| d.at(0)).collect();
        let sides = |pads: &[i64]| [&[0], pads, &[0]].concat();
        let (low, high): Pads = (sides(&w.low), sides(&w.high));
        let least = self.number(f64::NEG_INFINITY, of);
        let pixels = self.canonical(x)?;
        let pixels = self.pad(level, &pixels, &low, &high, Some(&least));
        let all = places(w, &positions.shape[1..=n], 1);
        let parts: Vec<String> = all.iter().map(|cuts| self.cut(level, &pixels, cuts)).collect();
        let mut top = parts[0].clone();
        for part in &parts[1..] {
            top = self.node(level, "Max", &[&top, part], &[]);
        }
        let read = match read {
            Some(read) => {
                let read = self.canonical(read)?;
                Some(self.pad(level, &read, &low, &high, None))
            }
            None => None,
        };
        let added = added.map(|g| self.canonical(g)).transpose()?;
        let zero = self.number(0.0, of);
        let mut before: Option<String> = None;
        let mut sums = Vec::new();
        let mut number = 0;
        let mut windows = Vec::new();
        each_index(&w.size, |q| windows.push(q.to_vec()));
        for (q, (part, cuts)) in windows.iter().zip(parts.iter().zip(&all)) {
            let same = self.node(level, "Equal", &[part, &top], &[]);
            let none = self.node(level, "IsNaN", &[part], &[]);
            let mut hit = self.node(level, "Or", &[&same, &none], &[]);
            // What lies in the padding is never the largest.
            if let Some(inside) = self.unpadded(w, q, &size, &positions.shape[1..=n]) {
                hit = self.node(level, "And", &[&hit, &inside], &[]);
            }
            if let Some(before) = &before {
                let first = self.node(level, "Not", &[before], &[]);
                hit = self.node(level, "And", &[&hit, &first], &[]);
            }
            before = Some(match before {
                Some(before) => self.node(level, "Or", &[&before, &hit], &[]),
                None => hit.clone(),
            });
            if let Some(read) = &read {
                let there = self.cut(level, read, cuts);
                sums.push(self.node(level, "Where", &[&hit, &there, &zero], &[]));
            }
            if let Some(added) = &added {
                let own = self.node(level, "Where", &[&hit, added, &zero], &[]);
                let shape = positions.shape.clone();
                let (own, shape) = self.spread(level, own, shape, 1, &w.stride)?;
                let mut before = vec![0; rank];
                let mut after = vec![0; rank];
                for i in 0..n {
                    before[i + 1] = q[i] as i64 - w.low[i];
                    after[i + 1] = size[i] as i64 - before[i + 1] - shape[i + 1].at(0) as i64;
                }
                sums.push(self.pad(level, &own, &before, &after, None));
            }
            number += 1;
        }
        debug_assert_eq!(number, parts.len());
        Ok(Val::plain(self.summed(level, sums), rank))
    }

    /// Which windows have their element `q` outside of the padding, `[1, positions…, 1]`; none if all have.
    fn unpadded(&mut self, w: &WindowDims, q: &[usize], size: &[usize], positions: &[Dim]) -> Option<String> {
        let n = w.rank();
        let dims: Vec<usize> = positions.iter().map(|d| d.at(0)).collect();
        let mut inside = Vec::new();
        each_index(&dims, |p| {
            let there = (0..n).all(|i| {
                let at = (p[i] * w.stride[i] + q[i]) as i64 - w.low[i];
                at >= 0 && at < size[i] as i64
            });
            inside.push(f64::from(u8::from(there)));
        });
        if inside.iter().all(|x| *x == 1.0) {
            return None;
        }
        let dims = [&[1], &dims[..], &[1]].concat();
        Some(self.constant("inside", Elem::Bool, dims, Data::Numbers(inside)))
    }
}

/// For every element of a window, in row-major order: where it lies at every position, as cuts of axes from `first` on.
fn places(w: &WindowDims, positions: &[Dim], first: usize) -> Vec<Vec<(usize, i64, i64, i64)>> {
    let mut out = Vec::new();
    each_index(&w.size, |q| {
        let cut = |i: usize| {
            let last = q[i] + (positions[i].at(0) - 1) * w.stride[i];
            (first + i, q[i] as i64, last as i64 + 1, w.stride[i] as i64)
        };
        out.push((0..w.rank()).map(cut).collect());
    });
    out
}

fn conv_attrs(
    stride: &[usize],
    dilation: &[usize],
    (low, high): Pads,
    groups: usize,
) -> Vec<(&'static str, Attr)> {
    vec![
        ("strides", ints(stride)),
        ("pads", ints(&[low, high].concat())),
        ("dilations", ints(dilation)),
        ("group", Attr::Int(groups as i64)),
    ]
}

fn pool_attrs(w: &WindowDims, (low, high): (&[i64], &[i64])) -> Vec<(&'static str, Attr)> {
    vec![("kernel_shape", ints(&w.size)), ("strides", ints(&w.stride)), ("pads", ints(&[low, high].concat()))]
}
