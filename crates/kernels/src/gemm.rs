//! Products of large matrices, block by block.
//!
//! The loops are those of BLIS (Van Zee and van de Geijn 2015): a part of `b` and a part of `a` are copied to
//! where the innermost loops read them in order, then every task computes a window of `c`. How the work is
//! cut depends on the sizes alone, and every element is summed in the order of `k`, so neither the number of
//! threads nor the window changes a bit.

use crate::dot::Shared;
use crate::isa::Isa;
use crate::micro::{Shape, piece};
use crate::{Pool, Real};

/// Columns of `a` at a time: a panel of `b` stays in the first cache.
const DEPTH: usize = 336;
/// Rows at a time: what is copied of `a`.
const ROWS: usize = 3840;
/// Columns at a time: what is copied of `b`.
const COLUMNS: usize = 2048;
/// Rows of a window.
const WINDOW_ROWS: usize = 144;
/// Columns of a window.
const WINDOW_COLUMNS: usize = 128;
/// Multiplications that are worth a second thread.
const PARALLEL: usize = 1 << 19;

/// A matrix: its first element, and the distances of rows and columns.
pub(crate) type Strided<T> = (*const T, [isize; 2]);

/// A product.
pub(crate) struct Gemm<T> {
    pub(crate) size: [usize; 3],
    pub(crate) a: Strided<T>,
    pub(crate) b: Strided<T>,
    pub(crate) c: *mut T,
    /// From one row of `c` to the next.
    pub(crate) row: usize,
}

// SAFETY: tasks share it to read `a` and `b` and write windows of `c` that do not meet.
unsafe impl<T> Sync for Gemm<T> {}

/// Part of a product: the ranges of rows, depth and columns at hand.
#[derive(Clone, Copy)]
struct Part {
    rows: (usize, usize),
    depth: (usize, usize),
    columns: (usize, usize),
    /// Whether `a` and `b` are copied.
    copies: [bool; 2],
    shape: Shape,
}

fn depth_of(k: usize) -> usize {
    k.div_ceil(k.div_ceil(DEPTH).max(1)).max(1)
}

/// The elements of scratch that a product of this size may need.
pub(crate) fn scratch([m, k, n]: [usize; 3]) -> usize {
    let widest = 2 * 16;
    depth_of(k) * (m.min(ROWS) + n.min(COLUMNS).next_multiple_of(widest))
}

impl<T: Real> Gemm<T> {
    /// Runs it, with the pool if there is one and enough work.
    ///
    /// # Safety
    /// All elements lie in memory; nobody writes what it reads or touches what it writes; `scratch` has
    /// [`scratch`] elements that nobody else touches.
    pub(crate) unsafe fn run(&self, isa: Isa, pool: Option<&Pool>, scratch: *mut T) {
        let [m, k, n] = self.size;
        let shape = T::shape(isa);
        let depth = depth_of(k);
        // Copying pays when every element is read more than a few times.
        let copies = [n > 4 * 2 * shape.width && m > shape.rows, self.b.1[1] != 1 || m > 8 * shape.rows];
        for j in (0..n).step_by(COLUMNS) {
            for p in (0..k).step_by(depth) {
                for i in (0..m).step_by(ROWS) {
                    let part = Part {
                        rows: (i, ROWS.min(m - i)),
                        depth: (p, depth.min(k - p)),
                        columns: (j, COLUMNS.min(n - j)),
                        copies,
                        shape,
                    };
                    // SAFETY: the caller's promise.
                    unsafe { self.part(isa, pool, scratch, part) };
                }
            }
        }
    }

    unsafe fn part(&self, isa: Isa, pool: Option<&Pool>, scratch: *mut T, part: Part) {
        let (m, k, n) = (part.rows.1, part.depth.1, part.columns.1);
        let down = m.div_ceil(WINDOW_ROWS);
        let height = m.div_ceil(down).next_multiple_of(part.shape.rows);
        let width = WINDOW_COLUMNS;
        let (down, across) = (m.div_ceil(height), n.div_ceil(width));
        let copied = (Shared(scratch), Shared(scratch.wrapping_add(m * k)));
        let pool = pool.filter(|_| m * k * n >= PARALLEL);
        let each = |tasks: usize, job: &(dyn Fn(usize, usize) + Sync)| match pool {
            Some(pool) => pool.run(tasks, job),
            None => (0..tasks).for_each(|task| job(task, 0)),
        };
        let copying = (if part.copies[0] { down } else { 0 }, across);
        if part.copies[0] || part.copies[1] || n % (2 * part.shape.width) != 0 {
            each(copying.0 + copying.1, &|task, _| {
                let (to_a, to_b) = (&copied.0, &copied.1);
                // SAFETY: every task copies its own rows or columns to their own place.
                unsafe {
                    match task.checked_sub(copying.0) {
                        None => self.copy_a(isa, &part, task * height, height.min(m - task * height), to_a.0),
                        Some(j) => self.copy_b(isa, &part, j * width, width.min(n - j * width), to_b.0),
                    }
                }
            });
        }
        each(down * across, &|task, _| {
            let (a, b) = (&copied.0, &copied.1);
            let (i, j) = (task % down * height, task / down * width);
            let window = [i, height.min(m - i), j, width.min(n - j)];
            // SAFETY: every task writes its own window.
            unsafe { self.window(isa, &part, window, a.0, b.0) };
        });
    }

    /// Copies rows `first ..` of the part of `a`, block by block, each column by column.
    unsafe fn copy_a(&self, isa: Isa, part: &Part, first: usize, rows: usize, to: *mut T) {
        let (a, [ra, ca]) = self.a;
        let k = part.depth.1;
        let a = a.wrapping_offset(part.rows.0 as isize * ra + part.depth.0 as isize * ca);
        let mut i = 0;
        while i < rows {
            let height = piece(rows - i, part.shape.rows);
            // SAFETY: these rows belong to the part, and every block has its own place.
            unsafe {
                let from = a.offset((first + i) as isize * ra);
                interleave(isa, from, [ra, ca], [height, k], height, to.add((first + i) * k));
            }
            i += height;
        }
    }

    /// Copies columns `first ..` of the part of `b`, panel by panel, each row by row.
    unsafe fn copy_b(&self, isa: Isa, part: &Part, first: usize, columns: usize, to: *mut T) {
        let (b, [rb, cb]) = self.b;
        let (k, full) = (part.depth.1, 2 * part.shape.width);
        let b = b.wrapping_offset(part.depth.0 as isize * rb + part.columns.0 as isize * cb);
        for j in (0..columns).step_by(full) {
            let count = full.min(columns - j);
            if !part.copies[1] && count == full {
                continue;
            }
            let width = if count > part.shape.width { full } else { part.shape.width };
            // SAFETY: these columns belong to the part, and every panel has its own place.
            unsafe {
                let from = b.offset((first + j) as isize * cb);
                interleave(isa, from, [cb, rb], [count, k], width, to.add((first + j) * k));
            }
        }
    }

    /// Computes a window (first row, rows, first column, columns) of the part.
    unsafe fn window(
        &self,
        isa: Isa,
        part: &Part,
        [i0, rows, j0, columns]: [usize; 4],
        copied_a: *const T,
        copied_b: *const T,
    ) {
        let (k, w) = (part.depth.1, part.shape.width);
        let add = part.depth.0 > 0;
        let (a, [ra, ca]) = self.a;
        let (b, [rb, cb]) = self.b;
        let a = a.wrapping_offset(part.rows.0 as isize * ra + part.depth.0 as isize * ca);
        let b = b.wrapping_offset(part.depth.0 as isize * rb + part.columns.0 as isize * cb);
        let c = self.c.wrapping_add(part.rows.0 * self.row + part.columns.0);
        let mut edge = [T::ZERO; 12 * 32];
        for j in (j0..j0 + columns).step_by(2 * w) {
            let count = (2 * w).min(j0 + columns - j);
            let vectors = count.div_ceil(w);
            let copied = part.copies[1] || count < 2 * w;
            let (panel, distance) = if copied {
                (copied_b.wrapping_add(j * k), (vectors * w) as isize)
            } else {
                (b.wrapping_offset(j as isize * cb), rb)
            };
            let mut i = i0;
            while i < i0 + rows {
                let height = piece(i0 + rows - i, part.shape.rows);
                let (block, strides) = if part.copies[0] {
                    (copied_a.wrapping_add(i * k), [1, height as isize])
                } else {
                    (a.wrapping_offset(i as isize * ra), [ra, ca])
                };
                let micro = T::micro(isa, height, vectors);
                let to = c.wrapping_add(i * self.row + j);
                // SAFETY: the blocks lie in the matrices or their copies; `edge` holds the largest block.
                unsafe {
                    if count == vectors * w {
                        micro(k, block, strides, panel, distance, to, self.row, add);
                    } else {
                        let row = vectors * w;
                        micro(k, block, strides, panel, distance, edge.as_mut_ptr(), row, false);
                        for r in 0..height {
                            let to = std::slice::from_raw_parts_mut(to.add(r * self.row), count);
                            for (to, v) in to.iter_mut().zip(&edge[r * row..]) {
                                *to = if add { *to + *v } else { *v };
                            }
                        }
                    }
                }
                i += height;
            }
        }
    }
}

/// Copies `count` streams of `k` elements so that the elements of all streams stand side by side, `width` of
/// them (zeros where there is no stream).
unsafe fn interleave<T: Real>(
    isa: Isa,
    from: *const T,
    [stream, step]: [isize; 2],
    [count, k]: [usize; 2],
    width: usize,
    to: *mut T,
) {
    // SAFETY: the caller's streams lie in memory, and `to` has place for `k` times `width` elements.
    unsafe {
        if stream == 1 {
            for p in 0..k {
                let to = to.add(p * width);
                std::ptr::copy_nonoverlapping(from.offset(p as isize * step), to, count);
                for i in count..width {
                    *to.add(i) = T::ZERO;
                }
            }
            return;
        }
        if step == 1 && T::turn(isa, from, stream, [count, k], width, to) {
            return;
        }
        // A few elements of every stream at a time, so that their lines stay in the first cache.
        for p0 in (0..k).step_by(16) {
            let steps = 16.min(k - p0);
            for i in 0..count {
                let from = from.offset(i as isize * stream + p0 as isize * step);
                let to = to.add(p0 * width + i);
                for p in 0..steps {
                    *to.add(p * width) = *from.offset(p as isize * step);
                }
            }
            for i in count..width {
                for p in p0..p0 + steps {
                    *to.add(p * width + i) = T::ZERO;
                }
            }
        }
    }
}
