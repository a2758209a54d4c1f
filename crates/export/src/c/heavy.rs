//! What needs loops of its own: folds, products, windows, rows by number.

use super::emit::{Emitter, Place};
use super::index::Index;
use nnc_graph::eval::each_index;
use nnc_graph::{DotDims, NodeId, Reduction, Type, Window, WindowDims};

/// Axes that are walked together: how many elements, and how far apart.
pub(crate) type Group = (usize, i64);

/// A window of so many places, all inside, is one expression.
const MOST_PLACES: usize = 16;

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

    pub(crate) fn folded(&mut self, op: Reduction, a: &str, b: &str) -> String {
        match op {
            Reduction::Add => format!("{a} + {b}"),
            Reduction::Maximum => self.call("max", &[a, b]),
            Reduction::Minimum => self.call("min", &[a, b]),
        }
    }

    /// Loops inside others, whose counters have other names.
    pub(crate) fn within(&mut self, dims: &[usize], outer: usize, inner: impl FnOnce(&mut Self, &[Index])) {
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
    pub(crate) fn whole(&mut self, x: NodeId) -> (Place, Index) {
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
pub(crate) fn group(axes: &[usize], dims: &[usize], strides: &[i64]) -> Option<Group> {
    let real: Vec<usize> = axes.iter().copied().filter(|&a| dims[a] != 1).collect();
    let Some(&last) = real.last() else { return Some((1, 1)) };
    let fits = real.windows(2).all(|w| strides[w[0]] == strides[w[1]] * dims[w[1]] as i64);
    fits.then(|| (real.iter().map(|&a| dims[a]).product(), strides[last]))
}

/// An index of some axes and of the others, in the order of all.
pub(crate) fn woven(kept: &[Index], folded: &[Index], kept_axes: &[usize], axes: &[usize]) -> Vec<Index> {
    let mut out = vec![Index::constant(0); kept.len() + folded.len()];
    for (i, &a) in kept_axes.iter().enumerate() {
        out[a] = kept[i].clone();
    }
    for (i, &a) in axes.iter().enumerate() {
        out[a] = folded[i].clone();
    }
    out
}
