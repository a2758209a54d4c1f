//! Moving elements: strided copies (transpose, slice, concatenate, pad, reverse, broadcast), zeros, rows by number.

use crate::kernel::{Execute, Kernel, Machine, Scratch};
use crate::scope::{Touch, product};
use crate::{Place, Real};

/// Copies a box of elements from one strided place to another.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Copy<P = Place> {
    /// Sizes, and strides in `from` and `to`, of all axes.
    pub dims: Vec<(usize, isize, isize)>,
    /// The first element to read.
    pub from: P,
    /// The first element to write.
    pub to: P,
}

/// The side of the squares that a transposition works in.
const SQUARE: usize = 16;

impl<P> Copy<P> {
    /// The same copy with other places.
    pub fn map<'a, Q, F: FnMut(&'a P) -> Q>(&'a self, place: &mut F) -> Copy<Q> {
        Copy { dims: self.dims.clone(), from: place(&self.from), to: place(&self.to) }
    }
}

impl Kernel for Copy {
    fn name(&self) -> &'static str {
        "copy"
    }

    fn detail(&self) -> String {
        let dims: Vec<String> = self.dims.iter().map(|d| format!("{}:{}:{}", d.0, d.1, d.2)).collect();
        format!("[{}]", dims.join(", "))
    }

    fn elements(&self) -> usize {
        2 * self.dims.iter().map(|d| d.0).product::<usize>()
    }

    fn touches(&self) -> Result<Vec<Touch>, String> {
        if self.dims.iter().any(|d| d.0 == 0) {
            return Ok(Vec::new());
        }
        let from: Vec<_> = self.dims.iter().map(|d| (d.0, d.1)).collect();
        let to: Vec<_> = self.dims.iter().map(|d| (d.0, d.2)).collect();
        Ok(vec![Touch::strided(self.from, &from, false), Touch::strided(self.to, &to, true)])
    }

    fn scratch(&self, _: usize) -> Scratch {
        Scratch::default()
    }
}

impl Execute for Copy {
    unsafe fn execute<T: Real>(&self, on: &Machine<'_, T>) {
        let (from, to) = (on.at(self.from), on.at(self.to));
        if self.dims.iter().any(|d| d.0 == 0) {
            return;
        }
        let inner = self.dims.len().min(2);
        let (outer, last) = self.dims.split_at(self.dims.len() - inner);
        let rows = if inner == 2 { last[0] } else { (1, 0, 0) };
        let columns = last.last().copied().unwrap_or((1, 1, 1));
        let count: usize = outer.iter().map(|d| d.0).product();
        for i in 0..count {
            let (mut rest, mut f, mut t) = (i, 0isize, 0isize);
            for &(n, sf, st) in outer.iter().rev() {
                f += (rest % n) as isize * sf;
                t += (rest % n) as isize * st;
                rest /= n;
            }
            // SAFETY: these offsets belong to the box.
            unsafe { plane(rows, columns, from.offset(f), to.offset(t)) };
        }
    }
}

/// Two axes of a copy.
unsafe fn plane<T: Real>(
    (rows, rf, rt): (usize, isize, isize),
    (columns, cf, ct): (usize, isize, isize),
    from: *const T,
    to: *mut T,
) {
    // SAFETY: all offsets below are multiples of the strides within the sizes.
    unsafe {
        if cf == 1 && ct == 1 {
            for r in 0..rows as isize {
                std::ptr::copy_nonoverlapping(from.offset(r * rf), to.offset(r * rt), columns);
            }
            return;
        }
        for r0 in (0..rows).step_by(SQUARE) {
            for c0 in (0..columns).step_by(SQUARE) {
                for r in r0..(r0 + SQUARE).min(rows) {
                    for c in c0..(c0 + SQUARE).min(columns) {
                        let (r, c) = (r as isize, c as isize);
                        *to.offset(r * rt + c * ct) = *from.offset(r * rf + c * cf);
                    }
                }
            }
        }
    }
}

/// Zeros.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Zero<P = Place> {
    /// The first.
    pub to: P,
    /// How many.
    pub count: usize,
}

impl<P> Zero<P> {
    /// The same zeros at another place.
    pub fn map<'a, Q, F: FnMut(&'a P) -> Q>(&'a self, place: &mut F) -> Zero<Q> {
        Zero { to: place(&self.to), count: self.count }
    }
}

impl Kernel for Zero {
    fn name(&self) -> &'static str {
        "zero"
    }

    fn detail(&self) -> String {
        self.count.to_string()
    }

    fn elements(&self) -> usize {
        self.count
    }

    fn touches(&self) -> Result<Vec<Touch>, String> {
        Ok(Touch::write(self.to, Some(self.count))?.into_iter().collect())
    }

    fn scratch(&self, _: usize) -> Scratch {
        Scratch::default()
    }
}

impl Execute for Zero {
    unsafe fn execute<T: Real>(&self, on: &Machine<'_, T>) {
        // SAFETY: the caller's promise.
        unsafe { on.write(self.to, self.count) }.fill(T::ZERO);
    }
}

/// Row `index[i]` of a table for every `i`; zeros where there is no such row.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Gather<P = Place> {
    /// The table.
    pub table: P,
    /// Its number of rows.
    pub rows: usize,
    /// Elements of a row.
    pub width: usize,
    /// The row numbers.
    pub index: P,
    /// How many.
    pub count: usize,
    /// The result.
    pub to: P,
}

/// The number of a row that exists.
fn row_of<T: Real>(index: T, rows: usize) -> Option<usize> {
    let index = index.wide();
    if index < 0.0 || index >= rows as f64 { None } else { Some(index as usize) }
}

impl<P> Gather<P> {
    /// The same rows of other places.
    pub fn map<'a, Q, F: FnMut(&'a P) -> Q>(&'a self, place: &mut F) -> Gather<Q> {
        Gather {
            table: place(&self.table),
            rows: self.rows,
            width: self.width,
            index: place(&self.index),
            count: self.count,
            to: place(&self.to),
        }
    }
}

impl Kernel for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn detail(&self) -> String {
        format!("{} of {} rows of {}", self.count, self.rows, self.width)
    }

    fn elements(&self) -> usize {
        self.count * (2 * self.width + 1)
    }

    fn touches(&self) -> Result<Vec<Touch>, String> {
        let table = Touch::read(self.table, product(&[self.rows, self.width]))?;
        let index = Touch::read(self.index, Some(self.count))?;
        let to = Touch::write(self.to, product(&[self.count, self.width]))?;
        Ok(table.into_iter().chain(index).chain(to).collect())
    }

    fn scratch(&self, _: usize) -> Scratch {
        Scratch::default()
    }
}

impl Execute for Gather {
    unsafe fn execute<T: Real>(&self, on: &Machine<'_, T>) {
        // SAFETY: the caller's promise.
        let (table, index, to): (&[T], &[T], &mut [T]) = unsafe {
            let table = on.read(self.table, self.rows * self.width);
            (table, on.read(self.index, self.count), on.write(self.to, self.count * self.width))
        };
        if self.width == 0 {
            return;
        }
        for (to, &i) in to.chunks_exact_mut(self.width).zip(index) {
            match row_of(i, self.rows) {
                Some(row) => to.copy_from_slice(&table[row * self.width..(row + 1) * self.width]),
                None => to.fill(T::ZERO),
            }
        }
    }
}

/// A table of the sums of rows: row `i` of `from` is added to row `index[i]`, in the order of `i`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ScatterAdd<P = Place> {
    /// The row numbers.
    pub index: P,
    /// How many.
    pub count: usize,
    /// The rows.
    pub from: P,
    /// Elements of a row.
    pub width: usize,
    /// The table.
    pub to: P,
    /// Its number of rows.
    pub rows: usize,
}

impl<P> ScatterAdd<P> {
    /// The same sums with other places.
    pub fn map<'a, Q, F: FnMut(&'a P) -> Q>(&'a self, place: &mut F) -> ScatterAdd<Q> {
        ScatterAdd {
            index: place(&self.index),
            count: self.count,
            from: place(&self.from),
            width: self.width,
            to: place(&self.to),
            rows: self.rows,
        }
    }
}

impl Kernel for ScatterAdd {
    fn name(&self) -> &'static str {
        "scatter"
    }

    fn detail(&self) -> String {
        format!("{} into {} rows of {}", self.count, self.rows, self.width)
    }

    fn elements(&self) -> usize {
        self.count * (2 * self.width + 1) + self.rows * self.width
    }

    fn touches(&self) -> Result<Vec<Touch>, String> {
        let index = Touch::read(self.index, Some(self.count))?;
        let from = Touch::read(self.from, product(&[self.count, self.width]))?;
        let to = Touch::write(self.to, product(&[self.rows, self.width]))?;
        Ok(index.into_iter().chain(from).chain(to).collect())
    }

    fn scratch(&self, _: usize) -> Scratch {
        Scratch::default()
    }
}

impl Execute for ScatterAdd {
    unsafe fn execute<T: Real>(&self, on: &Machine<'_, T>) {
        // SAFETY: the caller's promise.
        let (index, from, to): (&[T], &[T], &mut [T]) = unsafe {
            let index = on.read(self.index, self.count);
            (index, on.read(self.from, self.count * self.width), on.write(self.to, self.rows * self.width))
        };
        to.fill(T::ZERO);
        if self.width == 0 {
            return;
        }
        for (from, &i) in from.chunks_exact(self.width).zip(index) {
            // A number that is none adds nothing, though it reads row 0.
            let Some(row) = row_of(i, self.rows).filter(|_| !i.is_nan()) else {
                continue;
            };
            for (to, v) in to[row * self.width..(row + 1) * self.width].iter_mut().zip(from) {
                *to = *to + *v;
            }
        }
    }
}
