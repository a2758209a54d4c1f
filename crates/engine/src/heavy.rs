//! Lowering of what is not elementwise: products, folds, rows by number, joining and padding.

use crate::EngineError;
use crate::lower::{Lower, Value, copy_instr};
use crate::unit::{Home, Unit};
use crate::view::{BufferId, Spot, View, dense_strides};
use nnc_graph::{DotDims, Indexing, Movement, NodeId, Prim, Reduction, prim};
use nnc_kernels::{ArgMax, Dot, Fold, Gather, Instr, Matrix, Reduce, ScatterAdd, Zero};

/// The axes of one operand of a product.
struct Side<'a> {
    batch: &'a [usize],
    rows: &'a [usize],
    columns: &'a [usize],
}

impl Lower<'_> {
    /// The unit of a node that is neither elementwise nor a view.
    pub(crate) fn heavy(&mut self, id: NodeId) -> Result<(), EngineError> {
        if matches!(self.graph.node(id).prim, Prim::Scan(_)) {
            return self.scan(id);
        }
        let to = self.axes(id)?.buffer;
        let operands = self.graph.operands(id);
        let unit = match &self.graph.node(id).prim {
            Prim::DotGeneral(dims) => self.dot(id, dims, to)?,
            Prim::Reduce(prim::Reduce::Fold { op, axes }) => self.reduce(id, *op, axes, to)?,
            Prim::Reduce(prim::Reduce::ArgMax { axis }) => {
                let from = self.dense(operands[0])?;
                let (outer, fold_size, inner) = split(&from.dims, *axis);
                let instr = ArgMax { outer, fold_size, inner, from: from.spot(), to: Spot::first(to) };
                Unit::fixed(vec![Instr::ArgMax(instr)], to, vec![id])
            }
            Prim::Indexing(Indexing::Gather) => {
                let (table, index) = (self.dense(operands[0])?, self.dense(operands[1])?);
                let instr = Gather {
                    table: table.spot(),
                    rows: table.dims[0],
                    width: table.dims[1..].iter().product(),
                    index: index.spot(),
                    count: index.count(),
                    to: Spot::first(to),
                };
                Unit::fixed(vec![Instr::Gather(instr)], to, vec![id])
            }
            Prim::Indexing(Indexing::ScatterAdd) => {
                let (index, rows) = (self.dense(operands[0])?, self.dense(operands[1])?);
                let dims = &self.dims[id.index()];
                let instr = ScatterAdd {
                    index: index.spot(),
                    count: index.count(),
                    from: rows.spot(),
                    width: dims[1..].iter().product(),
                    to: Spot::first(to),
                    rows: dims[0],
                };
                Unit::fixed(vec![Instr::ScatterAdd(instr)], to, vec![id])
            }
            Prim::Movement(Movement::Concatenate { axis }) => {
                if self.join(id, *axis, to) {
                    return Ok(());
                }
                self.concatenate(id, *axis, to)?
            }
            Prim::Movement(Movement::Pad { low }) => {
                let from = self.axes(operands[0])?;
                let strides = dense_strides(&self.dims[id.index()]);
                let offset: isize = low.iter().zip(&strides).map(|(&l, &s)| l as isize * s).sum();
                let zero = Instr::Zero(Zero { to: Spot::first(to), count: self.counts[id.index()] });
                let copy = copy_instr(
                    &from,
                    Spot { offset: offset.unsigned_abs(), ..Spot::first(to) },
                    Some(&strides),
                );
                let instrs = if from.count() == 0 { vec![zero] } else { vec![zero, copy] };
                Unit::fixed(instrs, to, vec![id])
            }
            Prim::Convolve(convolve) => self.convolve(id, convolve, to)?,
            Prim::Window(window) => self.window(id, window, to)?,
            Prim::Leaf(_)
            | Prim::Elementwise(_)
            | Prim::Scan(_)
            | Prim::Movement(
                Movement::Reshape
                | Movement::Transpose { .. }
                | Movement::BroadcastInDim { .. }
                | Movement::Slice { .. }
                | Movement::Reverse { .. },
            ) => {
                let name = self.graph.node(id).prim.name();
                return Err(EngineError::Internal(format!("{name} has no unit")));
            }
        };
        self.units.push(unit);
        Ok(())
    }

    fn concatenate(&mut self, id: NodeId, axis: usize, to: BufferId) -> Result<Unit, EngineError> {
        let strides = dense_strides(&self.dims[id.index()]);
        let (mut instrs, mut start) = (Vec::new(), 0);
        for part in self.graph.operands(id) {
            let view = self.axes(part)?;
            let offset = start * strides[axis].unsigned_abs();
            start += view.dims[axis];
            if view.count() > 0 {
                instrs.push(copy_instr(&view, Spot { offset, ..Spot::first(to) }, Some(&strides)));
            }
        }
        Ok(Unit::fixed(instrs, to, vec![id]))
    }

    /// Folds neighbouring axes at a time, the last ones first.
    fn reduce(
        &mut self,
        id: NodeId,
        op: Reduction,
        axes: &[usize],
        to: BufferId,
    ) -> Result<Unit, EngineError> {
        let (view, axes) = self.folded(self.graph.operands(id)[0], axes)?;
        let fold = match op {
            Reduction::Add => Fold::Add,
            Reduction::Maximum => Fold::Maximum,
            Reduction::Minimum => Fold::Minimum,
        };
        // Neighbouring axes of one kind as one; those of one element belong to either.
        let mut runs: Vec<(bool, usize)> = Vec::new();
        for (i, &n) in view.dims.iter().enumerate().filter(|(_, n)| **n != 1) {
            let folds = axes.contains(&i);
            match runs.last_mut() {
                Some(last) if last.0 == folds => last.1 *= n,
                _ => runs.push((folds, n)),
            }
        }
        if !runs.iter().any(|r| r.0) {
            runs.push((true, 1));
        }
        let mut from = view.spot();
        loop {
            let Some(at) = runs.iter().rposition(|r| r.0) else {
                return Err(EngineError::Internal("a fold of nothing".into()));
            };
            let outer: usize = runs[..at].iter().map(|r| r.1).product();
            let inner: usize = runs[at + 1..].iter().map(|r| r.1).product();
            let last = !runs[..at].iter().any(|r| r.0);
            let target = if last { to } else { self.buffer(outer * inner, Home::Arena) };
            let (fold_size, to) = (runs[at].1, Spot::first(target));
            let instr = Reduce { fold, outer, fold_size, inner, from, to };
            let unit = Unit::fixed(vec![Instr::Reduce(instr)], target, vec![id]);
            if last {
                return Ok(unit);
            }
            self.units.push(unit);
            runs.remove(at);
            from = Spot::first(target);
        }
    }

    /// The operand of a fold, dense, and the axes that are folded: a transposed one is folded as it lies, where
    /// that leaves the kept axes in their order.
    fn folded(&mut self, operand: NodeId, axes: &[usize]) -> Result<(View, Vec<usize>), EngineError> {
        let view = self.axes(operand)?;
        if let Some(order) = view.memory_order() {
            let kept = order.iter().filter(|a| !axes.contains(a) && view.dims[**a] != 1);
            if kept.is_sorted() {
                let places = (0..order.len()).filter(|&i| axes.contains(&order[i])).collect();
                return Ok((view.transpose(&order), places));
            }
        }
        Ok((self.dense(operand)?, axes.to_vec()))
    }

    /// The axes of a product, so that as little as possible is copied: summed axes in the order in which one of
    /// the operands has them in memory, and the left operand's own axes as they lie, when the result is no
    /// larger than the operand; the result then lies that way too.
    fn product_axes(&self, d: &DotDims, left: &View, right: &View) -> (DotDims, Vec<usize>) {
        let own = d.left_free(left.dims.len());
        let right_own = d.right_free(right.dims.len());
        let cost = |view: &View, a: &[usize], b: &[usize]| {
            let fits = view.group(a).is_some() && view.group(b).is_some();
            if fits { 0 } else { view.count() }
        };
        let total = |d: &DotDims, own: &[usize]| {
            cost(left, own, &d.left_contract).saturating_add(cost(right, &d.right_contract, &right_own))
        };
        let by = |axes: &[usize], view: &View| {
            let mut order: Vec<usize> = (0..axes.len()).collect();
            order.sort_by_key(|&i| std::cmp::Reverse(view.strides[axes[i]]));
            order
        };
        let in_order = |order: &[usize]| DotDims {
            left_contract: order.iter().map(|&i| d.left_contract[i]).collect(),
            right_contract: order.iter().map(|&i| d.right_contract[i]).collect(),
            ..d.clone()
        };
        let results: usize = right_own.iter().map(|&a| right.dims[a]).product();
        let summed: usize = d.left_contract.iter().map(|&a| left.dims[a]).product();
        let mut as_it_lies = own.clone();
        as_it_lies.sort_by_key(|&a| std::cmp::Reverse(left.strides[a]));
        let mut best = (total(d, &own), d.clone(), own.clone());
        for order in [by(&d.left_contract, left), by(&d.right_contract, right)] {
            let dims = in_order(&order);
            for own in [&own, &as_it_lies] {
                let all = *own == d.left_free(left.dims.len()) || results <= summed;
                let cost = total(&dims, own);
                if all && cost < best.0 {
                    best = (cost, dims.clone(), own.clone());
                }
            }
        }
        (best.1, best.2)
    }

    fn dot(&mut self, id: NodeId, d: &DotDims, to: BufferId) -> Result<Unit, EngineError> {
        let operands = self.graph.operands(id);
        let (left, right) = (self.axes(operands[0])?, self.axes(operands[1])?);
        let (d, lf) = &self.product_axes(d, &left, &right);
        let rf = d.right_free(right.dims.len());
        if *lf != d.left_free(left.dims.len()) {
            self.values[id.index()] = Some(Value::View(self.product_view(id, to, d, lf)));
        }
        let ls = Side { batch: &d.left_batch, rows: lf, columns: &d.left_contract };
        let rs = Side { batch: &d.right_batch, rows: &d.right_contract, columns: &rf };
        let (left, lb, (m, a_row), (k, a_column)) = self.matrix(operands[0], left, &ls);
        let (right, rb, (_, b_row), (n, b_column)) = self.matrix(operands[1], right, &rs);
        let batch = lb.iter().zip(&rb).filter(|(l, _)| l.0 != 1).map(|(l, r)| (l.0, l.1, r.1)).collect();
        let dot = Dot {
            m,
            k,
            n,
            a: Matrix { place: left.spot(), row: a_row, column: a_column },
            b: Matrix { place: right.spot(), row: b_row, column: b_column },
            c: Spot::first(to),
            batch,
        };
        Ok(Unit::fixed(vec![Instr::Dot(dot)], to, vec![id]))
    }

    /// The result of a product whose left operand's own axes lie in the order of `own`.
    fn product_view(&self, id: NodeId, to: BufferId, d: &DotDims, own: &[usize]) -> View {
        let dims = &self.dims[id.index()];
        let shared = d.left_batch.len();
        let mut ascending = own.to_vec();
        ascending.sort_unstable();
        // Axis `i` in memory is axis `order[i]` of the result.
        let rank_of = |a: &usize| shared + ascending.iter().position(|b| b == a).unwrap_or(0);
        let mut order: Vec<usize> = (0..shared).collect();
        order.extend(own.iter().map(rank_of));
        order.extend(shared + own.len()..dims.len());
        let lying: Vec<usize> = order.iter().map(|&a| dims[a]).collect();
        let mut back = vec![0; order.len()];
        order.iter().enumerate().for_each(|(i, &a)| back[a] = i);
        View::dense(to, &lying).transpose(&back)
    }

    /// An operand as matrices: its shared axes, rows and columns with their strides; a copy when strides
    /// cannot say it.
    #[allow(clippy::type_complexity)]
    fn matrix(
        &mut self,
        id: NodeId,
        view: View,
        side: &Side<'_>,
    ) -> (View, Vec<(usize, isize)>, (usize, isize), (usize, isize)) {
        let batch = |v: &View| side.batch.iter().map(|&a| (v.dims[a], v.strides[a])).collect::<Vec<_>>();
        if let (Some(rows), Some(columns)) = (view.group(side.rows), view.group(side.columns)) {
            return (view.clone(), batch(&view), rows, columns);
        }
        // What lies one after another stays so: rows last where one of their axes does.
        let runs = |axes: &[usize]| axes.iter().any(|&a| view.strides[a] == 1 && view.dims[a] > 1);
        let transposed = runs(side.rows) && !runs(side.columns);
        let (first, last) = if transposed { (side.columns, side.rows) } else { (side.rows, side.columns) };
        let moved = view.transpose(&[side.batch, first, last].concat());
        let copy = self.copy_of(&Value::View(moved.clone()), id);
        let dense = View::dense(copy.buffer, &moved.dims);
        let (b, f) = (side.batch.len(), side.batch.len() + first.len());
        let axes = |from: usize, to: usize| (from..to).collect::<Vec<_>>();
        let shared = (0..b).map(|i| (dense.dims[i], dense.strides[i])).collect();
        let first = dense.group(&axes(b, f)).unwrap_or((1, 1));
        let last = dense.group(&axes(f, moved.dims.len())).unwrap_or((1, 1));
        let (rows, columns) = if transposed { (last, first) } else { (first, last) };
        (dense, shared, rows, columns)
    }
}

/// Elements before an axis, of it, and after it.
fn split(dims: &[usize], axis: usize) -> (usize, usize, usize) {
    (dims[..axis].iter().product(), dims[axis], dims[axis + 1..].iter().product())
}
