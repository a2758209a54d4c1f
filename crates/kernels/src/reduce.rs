//! Folding elements: sums, largest and smallest, in a fixed tree that depends on the size alone.

use crate::elementwise::math::{maximum, minimum};
use crate::isa::{Isa, dispatch};
use crate::kernel::{Execute, Kernel, Machine, Scratch};
use crate::scope::{Touch, product};
use crate::shared::Shared;
use crate::vector::{LANES, fold_lanes};
use crate::{Place, Pool, Real};

/// How elements are folded.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fold {
    /// Their sum.
    Add,
    /// The largest; NaN when there is one.
    Maximum,
    /// The smallest; NaN when there is one.
    Minimum,
}

/// `to[o, i] = fold over r of from[o, r, i]`, all row-major and dense.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Reduce<P = Place> {
    /// What is kept of the elements: their sum, or one of them.
    pub fold: Fold,
    /// Elements before the folded axis.
    pub outer: usize,
    /// Elements that are folded into one.
    pub fold_size: usize,
    /// Elements after it.
    pub inner: usize,
    /// The operand.
    pub from: P,
    /// The result.
    pub to: P,
}

/// Rows, or elements of a row, that are folded one after another before their folds are folded in turn.
const BLOCK: usize = 1024;
/// Columns that are folded side by side.
const COLUMNS: usize = 4 * LANES;
/// Elements of a task.
const TASK: usize = 1 << 16;

impl<P> Reduce<P> {
    /// The same fold with other places.
    pub fn map<'a, Q, F: FnMut(&'a P) -> Q>(&'a self, place: &mut F) -> Reduce<Q> {
        Reduce {
            fold: self.fold,
            outer: self.outer,
            fold_size: self.fold_size,
            inner: self.inner,
            from: place(&self.from),
            to: place(&self.to),
        }
    }
}

impl Reduce {
    /// Long folds are cut into chunks that are folded on their own, then into one: the elements of a chunk and
    /// how many there are.
    fn chunks(&self) -> (usize, usize) {
        let width = self.inner.clamp(1, COLUMNS);
        if self.fold_size.saturating_mul(width) <= 2 * TASK {
            return (self.fold_size, 1);
        }
        let chunk = (TASK / width).next_multiple_of(BLOCK);
        (chunk, self.fold_size.div_ceil(chunk))
    }

    /// Runs it; scratch holds what chunks are folded into.
    ///
    /// # Safety
    /// All elements lie in memory; nobody writes what it reads or touches what it writes.
    unsafe fn run<T: Real>(&self, isa: Isa, pool: &Pool, from: *const T, to: *mut T, scratch: *mut T) {
        let Reduce { fold, outer, fold_size, inner, .. } = *self;
        if outer == 0 || inner == 0 {
            return;
        }
        let (chunk, chunks) = self.chunks();
        if chunks == 1 {
            // SAFETY: the caller's promise.
            unsafe { self.whole(isa, pool, from, to) };
            return;
        }
        // SAFETY: the caller's promise.
        let whole = unsafe { std::slice::from_raw_parts(from, outer * fold_size * inner) };
        let parts = Shared(scratch);
        let strips = inner.div_ceil(COLUMNS);
        let job = |task: usize, _: usize| {
            let parts = &parts;
            let (part, first) = (task / strips, task % strips * COLUMNS);
            let width = COLUMNS.min(inner - first);
            let start = part % chunks * chunk;
            let rows = part / chunks * fold_size + start;
            let count = chunk.min(fold_size - start);
            let from = &whole[rows * inner..(rows + count) * inner];
            // SAFETY: every task writes its own columns of its own chunk.
            let to = unsafe { std::slice::from_raw_parts_mut(parts.0.add(part * inner + first), width) };
            if inner == 1 {
                dispatch!(isa, along::<T>(fold: Fold, from: &[T], to: &mut [T]));
            } else {
                dispatch!(isa, across::<T>(fold: Fold, from: &[T], inner: usize, first: usize, to: &mut [T]));
            }
        };
        pool.run(outer * chunks * strips, &job);
        let rest = Reduce { fold_size: chunks, ..*self };
        // SAFETY: the caller's promise; the scratch is written.
        unsafe { rest.whole(isa, pool, scratch, to) };
    }

    /// Without chunks.
    unsafe fn whole<T: Real>(&self, isa: Isa, pool: &Pool, from: *const T, to: *mut T) {
        let Reduce { fold, outer, fold_size, inner, .. } = *self;
        // SAFETY: the caller's promise.
        let whole = unsafe { std::slice::from_raw_parts(from, outer * fold_size * inner) };
        let to = Shared(to);
        if inner == 1 {
            let rows = (TASK / fold_size.max(1)).clamp(1, outer);
            let job = |task: usize, _: usize| {
                let to = &to;
                let first = task * rows;
                let rows = rows.min(outer - first);
                let from = &whole[first * fold_size..(first + rows) * fold_size];
                // SAFETY: every task writes its own rows.
                let to = unsafe { std::slice::from_raw_parts_mut(to.0.add(first), rows) };
                dispatch!(isa, along::<T>(fold: Fold, from: &[T], to: &mut [T]));
            };
            pool.run(outer.div_ceil(rows), &job);
            return;
        }
        let columns = (TASK / fold_size.max(1)).max(1).next_multiple_of(COLUMNS).min(inner);
        let per_row = inner.div_ceil(columns);
        // Short rows go to a task together.
        let rows = if per_row > 1 { 1 } else { (TASK / (fold_size * inner).max(1)).clamp(1, outer) };
        let job = |task: usize, _: usize| {
            let to = &to;
            let first = task % per_row * columns;
            let width = columns.min(inner - first);
            for row in task / per_row * rows..((task / per_row + 1) * rows).min(outer) {
                let from = &whole[row * fold_size * inner..(row + 1) * fold_size * inner];
                // SAFETY: every task writes its own columns of its own rows.
                let to = unsafe { std::slice::from_raw_parts_mut(to.0.add(row * inner + first), width) };
                dispatch!(isa, across::<T>(fold: Fold, from: &[T], inner: usize, first: usize, to: &mut [T]));
            }
        };
        pool.run(outer.div_ceil(rows) * per_row, &job);
    }
}

/// What a fold or a search touches: what it reads, and what it writes.
fn touches(sizes: [usize; 3], from: Place, to: Place) -> Result<Vec<Touch>, String> {
    let [outer, _, inner] = sizes;
    let read = Touch::read(from, product(&sizes))?;
    let written = Touch::write(to, product(&[outer, inner]))?;
    Ok(read.into_iter().chain(written).collect())
}

impl Kernel for Reduce {
    fn name(&self) -> &'static str {
        "reduce"
    }

    fn detail(&self) -> String {
        format!("{:?} {}x[{}]x{}", self.fold, self.outer, self.fold_size, self.inner).to_lowercase()
    }

    fn elements(&self) -> usize {
        self.outer * self.inner * (self.fold_size + 1)
    }

    fn touches(&self) -> Result<Vec<Touch>, String> {
        touches([self.outer, self.fold_size, self.inner], self.from, self.to)
    }

    fn scratch(&self, _: usize) -> Scratch {
        let chunks = self.chunks().1;
        let folded = self.outer.saturating_mul(chunks).saturating_mul(self.inner);
        Scratch::of((0, if chunks == 1 { 0 } else { folded }))
    }
}

impl Execute for Reduce {
    unsafe fn execute<T: Real>(&self, on: &Machine<'_, T>) {
        // SAFETY: the caller's promise.
        unsafe { self.run(on.isa, on.pool, on.at(self.from), on.at(self.to), on.scratch(0)) };
    }
}

/// Folds every row of `from` into an element of `to`.
#[inline(always)]
fn along<T: Real>(fold: Fold, from: &[T], to: &mut [T]) {
    match fold {
        Fold::Add => rows(from, to, T::ZERO, |a, b| a + b),
        Fold::Maximum => rows(from, to, T::LOWEST, maximum),
        Fold::Minimum => rows(from, to, T::HIGHEST, minimum),
    }
}

#[inline(always)]
fn rows<T: Real>(from: &[T], to: &mut [T], identity: T, f: impl Fn(T, T) -> T + Copy) {
    let size = from.len() / to.len().max(1);
    for (i, v) in to.iter_mut().enumerate() {
        let row = &from[i * size..(i + 1) * size];
        *v = if size < LANES {
            row.iter().fold(identity, |a, &b| f(a, b))
        } else {
            let mut total = identity;
            for block in row.chunks(BLOCK) {
                total = f(total, lanes(block, identity, f));
            }
            total
        };
    }
}

#[inline(always)]
fn lanes<T: Real>(row: &[T], identity: T, f: impl Fn(T, T) -> T + Copy) -> T {
    let mut sum = [identity; LANES];
    let (whole, rest) = row.as_chunks::<LANES>();
    for part in whole {
        for l in 0..LANES {
            sum[l] = f(sum[l], part[l]);
        }
    }
    for (l, v) in rest.iter().enumerate() {
        sum[l] = f(sum[l], *v);
    }
    fold_lanes(sum, f)
}

/// Folds the columns `first ..` of a matrix of `inner` columns.
#[inline(always)]
fn across<T: Real>(fold: Fold, from: &[T], inner: usize, first: usize, to: &mut [T]) {
    match fold {
        Fold::Add => columns(from, inner, first, to, T::ZERO, |a, b| a + b),
        Fold::Maximum => columns(from, inner, first, to, T::LOWEST, maximum),
        Fold::Minimum => columns(from, inner, first, to, T::HIGHEST, minimum),
    }
}

#[inline(always)]
fn columns<T: Real>(
    from: &[T],
    inner: usize,
    first: usize,
    to: &mut [T],
    identity: T,
    f: impl Fn(T, T) -> T + Copy,
) {
    let mut j = 0;
    while j + COLUMNS <= to.len() {
        strip::<T, COLUMNS>(from, inner, first + j, &mut to[j..], identity, f);
        j += COLUMNS;
    }
    while j + LANES <= to.len() {
        strip::<T, LANES>(from, inner, first + j, &mut to[j..], identity, f);
        j += LANES;
    }
    while j + 4 <= to.len() {
        strip::<T, 4>(from, inner, first + j, &mut to[j..], identity, f);
        j += 4;
    }
    while j < to.len() {
        strip::<T, 1>(from, inner, first + j, &mut to[j..], identity, f);
        j += 1;
    }
}

/// Folds `W` neighbouring columns.
#[inline(always)]
fn strip<T: Real, const W: usize>(
    from: &[T],
    inner: usize,
    first: usize,
    to: &mut [T],
    identity: T,
    f: impl Fn(T, T) -> T + Copy,
) {
    let mut total = [identity; W];
    for block in from.chunks(BLOCK / 4 * inner) {
        let mut sum = [identity; W];
        for row in block.chunks_exact(inner) {
            let part: &[T] = &row[first..first + W];
            for l in 0..W {
                sum[l] = f(sum[l], part[l]);
            }
        }
        for l in 0..W {
            total[l] = f(total[l], sum[l]);
        }
    }
    to[..W].copy_from_slice(&total);
}

/// `to[o, i]` = the first `r` with the largest `from[o, r, i]`; NaN is never the largest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ArgMax<P = Place> {
    /// Elements before the folded axis.
    pub outer: usize,
    /// Elements that are compared.
    pub fold_size: usize,
    /// Elements after it.
    pub inner: usize,
    /// The operand.
    pub from: P,
    /// The result.
    pub to: P,
}

impl<P> ArgMax<P> {
    /// The same search with other places.
    pub fn map<'a, Q, F: FnMut(&'a P) -> Q>(&'a self, place: &mut F) -> ArgMax<Q> {
        ArgMax {
            outer: self.outer,
            fold_size: self.fold_size,
            inner: self.inner,
            from: place(&self.from),
            to: place(&self.to),
        }
    }
}

impl Kernel for ArgMax {
    fn name(&self) -> &'static str {
        "argmax"
    }

    fn detail(&self) -> String {
        format!("{}x[{}]x{}", self.outer, self.fold_size, self.inner)
    }

    fn elements(&self) -> usize {
        self.outer * self.inner * (self.fold_size + 1)
    }

    fn touches(&self) -> Result<Vec<Touch>, String> {
        touches([self.outer, self.fold_size, self.inner], self.from, self.to)
    }

    fn scratch(&self, _: usize) -> Scratch {
        Scratch::default()
    }
}

impl Execute for ArgMax {
    unsafe fn execute<T: Real>(&self, on: &Machine<'_, T>) {
        // SAFETY: the caller's promise.
        let (from, to): (&[T], &mut [T]) = unsafe {
            let from = on.read(self.from, self.outer * self.fold_size * self.inner);
            (from, on.write(self.to, self.outer * self.inner))
        };
        for o in 0..self.outer {
            for i in 0..self.inner {
                let (mut best, mut at) = (T::LOWEST, 0);
                for r in 0..self.fold_size {
                    let v = from[(o * self.fold_size + r) * self.inner + i];
                    if v > best {
                        (best, at) = (v, r);
                    }
                }
                to[o * self.inner + i] = T::of(at as f64);
            }
        }
    }
}
