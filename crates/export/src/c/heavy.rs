//! What needs loops of its own: folds, products, convolutions, windows, rows by number.

use super::emit::{Emitter, Place};
use super::index::Index;
use nnc_graph::eval::each_index;
use nnc_graph::{ConvDims, Convolve, DotDims, NodeId, Reduction, Type, Window, WindowDims};

/// Axes that are walked together: how many elements, and how far apart.
type Group = (usize, i64);

/// A window of so many places, all inside, is one expression.
const MOST_PLACES: usize = 16;

/// The most output channels, and pixels, that a convolution keeps in registers.
const CHANNELS: usize = 16;
const PIXELS: usize = 6;

impl Emitter<'_> {
    /// A fold over axes.
    pub(crate) fn fold(&mut self, op: Reduction, x: NodeId, axes: &[usize], to: &Place) {
        let dims = self.dims_of(x);
        let kept: Vec<usize> = (0..dims.len()).filter(|a| !axes.contains(a)).collect();
        let result: Vec<usize> = kept.iter().map(|&a| dims[a]).collect();
        let first = self.number(match op {
            Reduction::Add => 0.0,
            Reduction::Maximum => f64::NEG_INFINITY,
            Reduction::Minimum => f64::INFINITY,
        });
        let rest: Vec<usize> = axes.iter().map(|&a| dims[a]).collect();
        let along = axes.iter().rev().find(|&&a| dims[a] != 1);
        let fits = match along {
            // The last axis that is walked stays: whole rows are folded.
            Some(&a) => dims[a + 1..].iter().all(|&n| n == 1),
            None => true,
        };
        if fits {
            self.nest(&result, |e, at| {
                e.block("");
                e.line(&format!("real fold = {first};"));
                e.within(&rest, at.len(), |e, inner| {
                    let index = woven(at, inner, &kept, axes);
                    let value = e.value(x, &index);
                    let next = e.folded(op, "fold", &value);
                    e.line(&format!("fold = {next};"));
                });
                e.assign(to, &Index::linear(at, &result), "fold");
                e.close();
            });
            return;
        }
        let count = result.iter().product();
        self.nest(&[count], |e, at| e.assign(to, &at[0], &first));
        self.nest(&dims, |e, at| {
            let own: Vec<Index> = kept.iter().map(|&a| at[a].clone()).collect();
            let place = Index::linear(&own, &result);
            let before = e.at(to, &place);
            let value = e.value(x, at);
            let next = e.folded(op, &before, &value);
            e.assign(to, &place, &next);
        });
    }

    fn folded(&mut self, op: Reduction, a: &str, b: &str) -> String {
        match op {
            Reduction::Add => format!("{a} + {b}"),
            Reduction::Maximum => self.call("max", &[a, b]),
            Reduction::Minimum => self.call("min", &[a, b]),
        }
    }

    /// Loops inside others, whose counters have other names.
    fn within(&mut self, dims: &[usize], outer: usize, inner: impl FnOnce(&mut Self, &[Index])) {
        let mut index = Vec::with_capacity(dims.len());
        let mut open = 0;
        for (axis, &n) in dims.iter().enumerate() {
            let name = format!("r{}", outer + axis);
            if n != 1 {
                self.open(&name, n);
                open += 1;
            }
            index.push(Index::counter(name, n));
        }
        inner(self, &index);
        for _ in 0..open {
            self.close();
        }
    }

    /// The place of the first of the largest along an axis.
    pub(crate) fn argmax(&mut self, x: NodeId, axis: usize, to: &Place) {
        let dims = self.dims_of(x);
        let kept: Vec<usize> = (0..dims.len()).filter(|&a| a != axis).collect();
        let result: Vec<usize> = kept.iter().map(|&a| dims[a]).collect();
        let least = self.number(f64::NEG_INFINITY);
        self.nest(&result, |e, at| {
            e.block("");
            e.line(&format!("real best = {least};"));
            e.line("int place = 0;");
            e.within(&[dims[axis]], at.len(), |e, inner| {
                let index = woven(at, inner, &kept, &[axis]);
                let value = e.value(x, &index);
                e.line(&format!("const real value = {value};"));
                e.block("if (value > best) ");
                e.line("best = value;");
                e.line(&format!("place = {};", inner[0].text()));
                e.close();
            });
            e.assign(to, &Index::linear(at, &result), "(real)place");
            e.close();
        });
    }

    /// A product over contracted axes.
    pub(crate) fn dot(&mut self, a: NodeId, b: NodeId, dims: &DotDims, to: &Place) {
        let (ad, bd) = (self.dims_of(a), self.dims_of(b));
        let (lf, rf) = (dims.left_free(ad.len()), dims.right_free(bd.len()));
        let shared: Vec<usize> = dims.left_batch.iter().map(|&i| ad[i]).collect();
        let count = |axes: &[usize], d: &[usize]| axes.iter().map(|&i| d[i]).product::<usize>();
        let (m, k, n) = (count(&lf, &ad), count(&dims.left_contract, &ad), count(&rf, &bd));
        let left = self.matrix(a, &dims.left_batch, &lf, &dims.left_contract);
        let right = self.matrix(b, &dims.right_batch, &dims.right_contract, &rf);
        let columns = rf.iter().filter(|&&i| bd[i] != 1).count() <= 1 && rf.last() == Some(&(bd.len() - 1));
        let whole = |s: &Option<(String, usize)>| s.as_ref().is_none_or(|_| columns && shared.is_empty());
        let sound = whole(&right.place.scale) && left.place.scale.is_none();
        // Rows times rows: both lie along what is summed over.
        let by_rows = left.inner.1 == 1 && right.outer.1 == 1 && right.inner.1 != 1 || n < 4;
        let right = match (by_rows && right.place.scale.is_none(), right.inner.1 == 1 && sound) {
            (true, _) | (_, true) => right,
            _ => self.copied(b, &dims.right_batch, &dims.right_contract, &rf),
        };
        let left = if left.place.scale.is_some() {
            self.copied(a, &dims.left_batch, &lf, &dims.left_contract)
        } else {
            left
        };
        self.clock_on();
        for p in [&left.place, &right.place, to] {
            self.touch(p);
        }
        self.nest(&shared, |e, at| {
            let from = |matrix: &Matrix| {
                let own = at.iter().zip(&matrix.shared).map(|(i, &s)| i.times(s));
                own.fold(matrix.offset.clone(), |sum, i| sum.plus(&i))
            };
            let target = Index::linear(at, &shared).times((m * n) as i64);
            let z = e.pointer(to, &target);
            let (x, y) = (e.pointer(&left.place, &from(&left)), e.pointer(&right.place, &from(&right)));
            let (am, ak, bk, bn) = (left.outer.1, left.inner.1, right.outer.1, right.inner.1);
            let text = |i: i64| i.to_string();
            let [m, k, n] = [m, k, n].map(|i| i.to_string());
            let (am, ak, bk, bn) = (text(am), text(ak), text(bk), text(bn));
            let line = match &right.place.scale {
                Some((scale, _)) => e.call("product8", &[&z, &x, &am, &ak, &y, scale, &bk, &m, &k, &n]),
                None if by_rows => e.call("rows", &[&z, &x, &am, &ak, &y, &bk, &bn, &m, &k, &n]),
                None => e.call("product", &[&z, &x, &am, &ak, &y, &bk, &m, &k, &n]),
            };
            e.line(&format!("{line};"));
        });
    }

    /// An operand as a matrix for each shared index, where it lies or copied.
    fn matrix(&mut self, x: NodeId, shared: &[usize], outer: &[usize], inner: &[usize]) -> Matrix {
        let dims = self.dims_of(x);
        if let Some((place, offset, strides)) = self.view(x)
            && let (Some(o), Some(i)) = (group(outer, &dims, &strides), group(inner, &dims, &strides))
        {
            let shared = shared.iter().map(|&a| strides[a]).collect();
            return Matrix { place, offset, shared, outer: o, inner: i };
        }
        self.copied(x, shared, outer, inner)
    }

    /// An operand, copied in the order of these axes.
    fn copied(&mut self, x: NodeId, shared: &[usize], outer: &[usize], inner: &[usize]) -> Matrix {
        let dims = self.dims_of(x);
        let order = [shared, outer, inner].concat();
        let own: Vec<usize> = order.iter().map(|&a| dims[a]).collect();
        let place = self.room(own.iter().product());
        self.nest(&own, |e, at| {
            let mut index = vec![Index::constant(0); dims.len()];
            for (i, &a) in order.iter().enumerate() {
                index[a] = at[i].clone();
            }
            let value = e.value(x, &index);
            e.assign(&place, &Index::linear(at, &own), &value);
        });
        let count = |axes: &[usize]| axes.iter().map(|&a| dims[a]).product::<usize>();
        let (o, i) = (count(outer), count(inner));
        let mut strides = vec![0; shared.len()];
        let mut step = (o * i) as i64;
        for (at, &a) in shared.iter().enumerate().rev() {
            strides[at] = step;
            step *= dims[a] as i64;
        }
        Matrix { place, offset: Index::constant(0), shared: strides, outer: (o, i as i64), inner: (i, 1) }
    }

    /// An operand in one piece and in its order: where it lies, or copied.
    fn whole(&mut self, x: NodeId) -> (Place, Index) {
        let dims = self.dims_of(x);
        if let Some((place, offset, strides)) = self.view(x)
            && place.scale.is_none()
            && group(&(0..dims.len()).collect::<Vec<_>>(), &dims, &strides)
                .is_some_and(|g| g.1 == 1 || g.0 == 1)
        {
            return (place, offset);
        }
        let place = self.room(dims.iter().product());
        self.copy(x, &place);
        (place, Index::constant(0))
    }

    /// A convolution, or its adjoint by the kernel.
    pub(crate) fn convolve(&mut self, c: &Convolve, x: NodeId, other: NodeId, ty: &Type, to: &Place) {
        match c {
            Convolve::Convolution(dims) => {
                let (kernel, out) = (self.dims_of(other), self.dims(ty));
                let (from, size) = self.padded(x, dims);
                let weights = self.kernel(other);
                self.clock_on();
                for p in [&from.0, &weights.0, to] {
                    self.touch(p);
                }
                Convolution { dims, size: &size, kernel: &kernel, out: &out, from, weights }.write(self, to);
            }
            Convolve::ConvolutionKernel(dims) => {
                let (kernel, out) = (self.dims(ty), self.dims_of(other));
                let (from, size) = self.padded(x, dims);
                self.fill(to, kernel.iter().product(), 0.0);
                self.kernel_gradient(dims, &from, &size, other, &kernel, &out, to);
            }
        }
    }

    /// A kernel; one of whole numbers keeps its scale where that is one for each output channel.
    fn kernel(&mut self, x: NodeId) -> (Place, Index) {
        let dims = self.dims_of(x);
        let all: Vec<usize> = (0..dims.len()).collect();
        match self.view(x) {
            Some((place, offset, strides))
                if place.scale.is_some() && group(&all, &dims, &strides).is_some_and(|g| g.1 == 1) =>
            {
                (place, offset)
            }
            _ => self.whole(x),
        }
    }

    /// An input with its padding around it, and zeros between its numbers where it is spread.
    fn padded(&mut self, x: NodeId, dims: &ConvDims) -> ((Place, Index), Vec<usize>) {
        let own = self.dims_of(x);
        let n = dims.rank();
        let plain = (0..n).all(|i| dims.low[i] == 0 && dims.high[i] == 0 && dims.lhs_dilation[i] == 1);
        if plain {
            return (self.whole(x), own);
        }
        let mut size = own.clone();
        for i in 0..n {
            let spread = ((own[i + 1] - 1) * dims.lhs_dilation[i] + 1) as i64;
            size[i + 1] = (spread + dims.low[i] + dims.high[i]).max(0) as usize;
        }
        let place = self.room(size.iter().product());
        self.fill(&place, size.iter().product(), 0.0);
        self.nest(&own, |e, at| {
            let mut target = at.to_vec();
            let mut inside = Vec::new();
            for i in 0..n {
                target[i + 1] = at[i + 1].times(dims.lhs_dilation[i] as i64).shifted(dims.low[i]);
                let text = target[i + 1].text();
                if dims.low[i] < 0 {
                    inside.push(format!("{text} >= 0"));
                }
                if dims.high[i] < 0 {
                    inside.push(format!("{text} < {}", size[i + 1]));
                }
            }
            if !inside.is_empty() {
                e.block(&format!("if ({}) ", inside.join(" && ")));
            }
            let value = e.value(x, at);
            e.assign(&place, &Index::linear(&target, &size), &value);
            if !inside.is_empty() {
                e.close();
            }
        });
        ((place, Index::constant(0)), size)
    }

    #[allow(clippy::too_many_arguments, reason = "all of them are sizes or places of one loop")]
    fn kernel_gradient(
        &mut self,
        dims: &ConvDims,
        from: &(Place, Index),
        size: &[usize],
        g: NodeId,
        kernel: &[usize],
        out: &[usize],
        to: &Place,
    ) {
        let n = dims.rank();
        let (inputs, outputs) = (kernel[n], kernel[n + 1]);
        let per_group = outputs / dims.groups;
        let mut walk = vec![out[0]];
        walk.extend(&out[1..=n]);
        walk.extend(&kernel[..n]);
        walk.extend([dims.groups, inputs, per_group]);
        self.nest(&walk, |e, at| {
            let (batch, p, q) = (&at[0], &at[1..=n], &at[n + 1..=2 * n]);
            let [group, c, o] = &at[2 * n + 1..] else { return };
            let channel = group.times(inputs as i64).plus(c);
            let column = group.times(per_group as i64).plus(o);
            let place = pixel(dims, batch, p, q, &channel);
            let read = e.at(&from.0, &from.1.plus(&Index::linear(&place, size)));
            let seen: Vec<Index> =
                std::iter::once(batch).chain(p).cloned().chain(std::iter::once(column.clone())).collect();
            let value = e.value(g, &seen);
            let own: Vec<Index> = q.iter().cloned().chain([c.clone(), column]).collect();
            let target = Index::linear(&own, kernel);
            let before = e.at(to, &target);
            e.assign(to, &target, &format!("{before} + {read} * {value}"));
        });
    }

    /// Folds of a window that moves, and their adjoints.
    pub(crate) fn window(&mut self, w: &Window, x: &[NodeId], ty: &Type, to: &Place) {
        let from = self.dims_of(x[0]);
        match w {
            Window::ReduceWindow { op, window } => {
                let out = self.dims(ty);
                let n = window.rank();
                let inside = |i: usize| window.low[i] == 0 && window.high[i] == 0 && window.dilation[i] == 1;
                let places: usize = window.size.iter().product();
                if (0..n).all(inside) && places <= MOST_PLACES {
                    return self.nest(&out, |e, at| {
                        let mut folded: Option<String> = None;
                        each_index(&window.size, |q| {
                            let mut source = at.to_vec();
                            for i in 0..n {
                                source[i + 1] = at[i + 1].times(window.stride[i] as i64).shifted(q[i] as i64);
                            }
                            let value = e.value(x[0], &source);
                            folded = Some(match folded.take() {
                                None => value,
                                Some(before) => e.folded(*op, &before, &value),
                            });
                        });
                        e.assign(to, &Index::linear(at, &out), &folded.unwrap_or_default());
                    });
                }
                let first = self.number(match op {
                    Reduction::Add => 0.0,
                    Reduction::Maximum => f64::NEG_INFINITY,
                    Reduction::Minimum => f64::INFINITY,
                });
                let channels = out[n + 1];
                self.nest(&out[..=n], |e, at| {
                    let place = |c: &Index| {
                        let own: Vec<Index> = at.iter().chain([c]).cloned().collect();
                        Index::linear(&own, &out)
                    };
                    e.within(&[channels], 20, |e, c| e.assign(to, &place(&c[0]), &first));
                    e.places(window, at, &from, |e, source| {
                        e.within(&[channels], 20, |e, c| {
                            let own: Vec<Index> = source.iter().chain([&c[0]]).cloned().collect();
                            let before = e.at(to, &place(&c[0]));
                            let value = e.value(x[0], &own);
                            let next = e.folded(*op, &before, &value);
                            e.assign(to, &place(&c[0]), &next);
                        });
                    });
                });
            }
            Window::SelectAndScatter(window) => {
                self.fill(to, from.iter().product(), 0.0);
                let seen = self.dims_of(x[1]);
                self.nest(&seen, |e, at| {
                    e.selected(window, x[0], at, &from);
                    let value = e.value(x[1], at);
                    let before = format!(
                        "{}[{}]",
                        to.name,
                        to.offset.plus(&Index::counter("best", usize::MAX >> 1)).text()
                    );
                    e.touch(to);
                    e.line(&format!("if (best >= 0) {before} += {value};"));
                    e.close();
                });
            }
            Window::SelectAndGather(window) => {
                let out = self.dims(ty);
                let (place, offset) = self.whole(x[1]);
                self.nest(&out, |e, at| {
                    e.selected(window, x[0], at, &from);
                    let read = e.at(&place, &offset.plus(&Index::counter("best", usize::MAX >> 1)));
                    e.assign(to, &Index::linear(at, &out), &format!("best >= 0 ? {read} : 0"));
                    e.close();
                });
            }
        }
    }

    /// Walks the places of a window at a position, those in the padding left out.
    fn places(
        &mut self,
        window: &WindowDims,
        at: &[Index],
        from: &[usize],
        inner: impl FnOnce(&mut Self, &[Index]),
    ) {
        let n = window.rank();
        self.within(&window.size, 0, |e, q| {
            let mut source = vec![at[0].clone()];
            let mut inside = Vec::new();
            for i in 0..n {
                let moved = at[i + 1].times(window.stride[i] as i64).plus(&q[i]).shifted(-window.low[i]);
                let name = format!("s{i}");
                e.block("");
                e.line(&format!("const int {name} = {};", moved.text()));
                let spread = window.dilation[i];
                let mut holds = format!("{name} >= 0 && {name} < {}", (from[i + 1] - 1) * spread + 1);
                if spread != 1 {
                    holds += &format!(" && {name} % {spread} == 0");
                }
                inside.push(holds);
                let text = if spread == 1 { name } else { format!("{name} / {spread}") };
                source.push(Index::counter(text, from[i + 1].max(2)));
            }
            e.block(&format!("if ({}) ", inside.join(" && ")));
            inner(e, &source);
            for _ in 0..=n {
                e.close();
            }
        });
    }

    /// Opens a block in which `best` is the place of the first of the largest in a window, or −1.
    fn selected(&mut self, window: &WindowDims, x: NodeId, at: &[Index], from: &[usize]) {
        self.block("");
        self.line("int best = -1;");
        self.line("real top = 0;");
        let channel = &at[window.rank() + 1];
        self.places(window, at, from, |e, source| {
            let own: Vec<Index> = source.iter().chain([channel]).cloned().collect();
            let value = e.value(x, &own);
            e.line(&format!("const real value = {value};"));
            e.block("if (best < 0 || value > top || (value != value && top == top)) ");
            e.line("top = value;");
            e.line(&format!("best = {};", Index::linear(&own, from).text()));
            e.close();
        });
    }

    /// Rows of a table by number.
    pub(crate) fn gather(&mut self, table: NodeId, index: NodeId, to: &Place) {
        let (rows, lead) = (self.dims_of(table), self.dims_of(index));
        let all: Vec<usize> = lead.iter().chain(&rows[1..]).copied().collect();
        self.nest(&lead, |e, at| {
            let number = e.value(index, at);
            e.block("");
            e.line(&format!("const real number = {number};"));
            e.line(&format!("const int there = number >= 0 && number < {};", rows[0]));
            e.line("const int row = there ? (int)number : 0;");
            e.within(&rows[1..], at.len(), |e, inner| {
                let row = Index::counter("row", rows[0].max(2));
                let from: Vec<Index> = std::iter::once(row).chain(inner.iter().cloned()).collect();
                let value = e.value(table, &from);
                let target: Vec<Index> = at.iter().chain(inner).cloned().collect();
                e.assign(to, &Index::linear(&target, &all), &format!("there ? {value} : 0"));
            });
            e.close();
        });
    }

    /// Rows added to a table by number.
    pub(crate) fn scatter(&mut self, index: NodeId, rows: NodeId, ty: &Type, to: &Place) {
        let (lead, table) = (self.dims_of(index), self.dims(ty));
        self.fill(to, table.iter().product(), 0.0);
        self.nest(&lead, |e, at| {
            let number = e.value(index, at);
            e.block("");
            e.line(&format!("const real number = {number};"));
            e.block(&format!("if (number >= 0 && number < {}) ", table[0]));
            e.line("const int row = (int)number;");
            e.within(&table[1..], at.len(), |e, inner| {
                let from: Vec<Index> = at.iter().chain(inner).cloned().collect();
                let value = e.value(rows, &from);
                let row = Index::counter("row", table[0].max(2));
                let target: Vec<Index> = std::iter::once(row).chain(inner.iter().cloned()).collect();
                let target = Index::linear(&target, &table);
                let before = e.at(to, &target);
                e.assign(to, &target, &format!("{before} + {value}"));
            });
            e.close();
            e.close();
        });
    }
}

/// An operand of a product.
struct Matrix {
    place: Place,
    offset: Index,
    /// How far apart the matrices are along each shared axis.
    shared: Vec<i64>,
    outer: Group,
    inner: Group,
}

/// Axes as one, if their elements are equally far apart in the order of the axes.
fn group(axes: &[usize], dims: &[usize], strides: &[i64]) -> Option<Group> {
    let real: Vec<usize> = axes.iter().copied().filter(|&a| dims[a] != 1).collect();
    let Some(&last) = real.last() else { return Some((1, 1)) };
    let fits = real.windows(2).all(|w| strides[w[0]] == strides[w[1]] * dims[w[1]] as i64);
    fits.then(|| (real.iter().map(|&a| dims[a]).product(), strides[last]))
}

/// An index of some axes and of the others, in the order of all.
fn woven(kept: &[Index], folded: &[Index], kept_axes: &[usize], axes: &[usize]) -> Vec<Index> {
    let mut out = vec![Index::constant(0); kept.len() + folded.len()];
    for (i, &a) in kept_axes.iter().enumerate() {
        out[a] = kept[i].clone();
    }
    for (i, &a) in axes.iter().enumerate() {
        out[a] = folded[i].clone();
    }
    out
}

/// The index in a padded input of what a convolution reads at position `p` for place `q` of the window.
fn pixel(dims: &ConvDims, batch: &Index, p: &[Index], q: &[Index], channel: &Index) -> Vec<Index> {
    let mut out = vec![batch.clone()];
    for i in 0..dims.rank() {
        let moved = p[i].times(dims.stride[i] as i64);
        out.push(moved.plus(&q[i].times(dims.rhs_dilation[i] as i64)));
    }
    out.push(channel.clone());
    out
}

/// A convolution over a padded input.
struct Convolution<'a> {
    dims: &'a ConvDims,
    /// Sizes of the padded input, of the kernel and of the result.
    size: &'a [usize],
    kernel: &'a [usize],
    out: &'a [usize],
    from: (Place, Index),
    weights: (Place, Index),
}

impl Convolution<'_> {
    /// Writes it: blocks of pixels along the last axis of space, times blocks of output channels.
    fn write(&self, e: &mut Emitter<'_>, to: &Place) {
        let n = self.dims.rank();
        let outputs = self.kernel[n + 1];
        let per_group = outputs / self.dims.groups;
        if self.kernel[n] == 1 && per_group == 1 && outputs > 1 {
            return self.depthwise(e, to);
        }
        let along = self.out[n];
        let wide = CHANNELS.min(per_group);
        let most = if wide <= 8 { 2 * PIXELS } else { PIXELS };
        let tall = along.div_ceil(along.div_ceil(most));
        let lead: Vec<usize> = self.out[..n].iter().copied().chain([self.dims.groups]).collect();
        e.nest(&lead, |e, at| {
            for (pixels, first_pixel, blocks) in cut(along, tall) {
                for (channels, first_channel, columns) in columns(per_group, wide) {
                    self.tile(e, to, at, (pixels, first_pixel, blocks), (channels, first_channel, columns));
                }
            }
        });
    }

    /// Writes the loops over all blocks of one size.
    fn tile(
        &self,
        e: &mut Emitter<'_>,
        to: &Place,
        at: &[Index],
        (pixels, first_pixel, blocks): (usize, usize, usize),
        (channels, first_channel, columns): (usize, usize, usize),
    ) {
        let n = self.dims.rank();
        let (inputs, outputs) = (self.kernel[n], self.kernel[n + 1]);
        let (group, lead) = (&at[n], &at[..n]);
        let per_group = outputs / self.dims.groups;
        let (pb, ob) = (Index::counter("pb", blocks), Index::counter("ob", columns));
        let opened = [("pb", blocks), ("ob", columns)].into_iter().filter(|(_, c)| *c > 1);
        let opened: Vec<_> = opened.collect();
        for (name, count) in &opened {
            e.open(name, *count);
        }
        e.block("");
        // Sums in registers: vectors of eight where the channels are so many, else an array for each pixel.
        let eights = if channels % 8 == 0 && self.weights.0.scale.is_none() { channels / 8 } else { 0 };
        let sums: Vec<String> = match eights {
            0 => (0..pixels).map(|u| format!("s{u}[{channels}] = {{0}}")).collect(),
            _ => (0..pixels).flat_map(|u| (0..eights).map(move |v| format!("s{u}_{v}"))).collect(),
        };
        if eights == 0 {
            e.line(&format!("real {};", sums.join(", ")));
        } else {
            e.use_helper("eight");
            e.line("const real zero[8] = {0};");
            e.line(&format!("nn_eight {};", sums.join(", ")));
            let all: Vec<String> = sums.iter().map(|s| format!("NN_SET({s}, zero);")).collect();
            e.line(&all.join(" "));
        }
        let column =
            group.times(per_group as i64).plus(&ob.times(channels as i64)).shifted(first_channel as i64);
        let step = pb.times(pixels as i64).shifted(first_pixel as i64);
        e.within(&self.kernel[..n], 0, |e, q| {
            e.within(&[inputs], 9, |e, c| {
                let channel = group.times(inputs as i64).plus(&c[0]);
                let mut p = lead[1..].to_vec();
                p.push(step.clone());
                let place = Index::linear(&pixel(self.dims, &lead[0], &p, q, &channel), self.size);
                let place = self.from.1.plus(&place);
                let row: Vec<Index> = q.iter().cloned().chain([c[0].clone(), column.clone()]).collect();
                let row = self.weights.1.plus(&Index::linear(&row, self.kernel));
                let (x, w) = (e.pointer(&self.from.0, &place), &self.weights.0);
                e.line(&format!("const real *const x = {x};"));
                let element = if w.scale.is_some() { "int8_t" } else { "real" };
                let weights = e.pointer(w, &row);
                e.line(&format!("const {element} *const w = {weights};"));
                let far = self.dims.stride[n - 1] * self.size[n + 1];
                let values: Vec<String> = (0..pixels).map(|u| format!("v{u} = x[{}]", u * far)).collect();
                e.line(&format!("const real {};", values.join(", ")));
                for u in 0..pixels * usize::from(eights > 0) {
                    let adds = (0..eights).map(|v| match v {
                        0 => format!("NN_ADD(s{u}_0, v{u}, w);"),
                        v => format!("NN_ADD(s{u}_{v}, v{u}, w + {});", 8 * v),
                    });
                    e.line(&adds.collect::<Vec<_>>().join(" "));
                }
                if eights > 0 {
                    return;
                }
                e.open("o", channels);
                e.line("const real k = (real)w[o];");
                for u in 0..pixels {
                    e.line(&format!("s{u}[o] += v{u} * k;"));
                }
                e.close();
            });
        });
        let scale = self.weights.0.scale.as_ref();
        let scale = scale.map(|(name, _)| format!(" * {name}[{} + o]", column.text())).unwrap_or_default();
        e.touch(to);
        if eights == 0 {
            e.open("o", channels);
        }
        for u in 0..pixels {
            let mut target: Vec<Index> = lead.to_vec();
            target.push(step.shifted(u as i64));
            target.push(column.clone());
            let target = to.offset.plus(&Index::linear(&target, self.out));
            if eights == 0 {
                e.line(&format!("{}[{} + o] = s{u}[o]{scale};", to.name, target.text()));
            }
            let puts = (0..eights)
                .map(|v| format!("NN_PUT({} + {}, s{u}_{v});", to.name, target.shifted(8 * v as i64).text()));
            let puts: Vec<String> = puts.collect();
            if eights > 0 {
                e.line(&puts.join(" "));
            }
        }
        if eights == 0 {
            e.close();
        }
        e.close();
        for _ in opened {
            e.close();
        }
    }

    /// One kernel for each channel.
    fn depthwise(&self, e: &mut Emitter<'_>, to: &Place) {
        let n = self.dims.rank();
        let channels = self.kernel[n + 1];
        let zero = "0".to_string();
        e.nest(&self.out[..=n], |e, at| {
            let place = |c: &Index| {
                let own: Vec<Index> = at.iter().chain([c]).cloned().collect();
                Index::linear(&own, self.out)
            };
            e.within(&[channels], 20, |e, c| e.assign(to, &place(&c[0]), &zero));
            e.within(&self.kernel[..n], 0, |e, q| {
                e.within(&[channels], 20, |e, c| {
                    let source = pixel(self.dims, &at[0], &at[1..], q, &c[0]);
                    let x = e.at(&self.from.0, &self.from.1.plus(&Index::linear(&source, self.size)));
                    let row: Vec<Index> =
                        q.iter().cloned().chain([Index::constant(0), c[0].clone()]).collect();
                    let w = e.at(&self.weights.0, &self.weights.1.plus(&Index::linear(&row, self.kernel)));
                    let before = e.at(to, &place(&c[0]));
                    e.assign(to, &place(&c[0]), &format!("{before} + {x} * {w}"));
                });
            });
        });
    }
}

/// Channels in blocks; of what is left, eight more at once.
fn columns(length: usize, block: usize) -> Vec<(usize, usize, usize)> {
    let mut out = cut(length, block);
    if let Some((rest, first, 1)) = out.last().copied()
        && rest < block
        && rest > 8
    {
        out.pop();
        out.extend([(8, first, 1), (rest - 8, first + 8, 1)]);
    }
    out
}

/// A length in blocks, and the rest: sizes, where they begin, and how many there are.
fn cut(length: usize, block: usize) -> Vec<(usize, usize, usize)> {
    let whole = length / block;
    let rest = length - whole * block;
    [(block, 0, whole), (rest, whole * block, 1)]
        .into_iter()
        .filter(|(size, _, n)| *size > 0 && *n > 0)
        .collect()
}
