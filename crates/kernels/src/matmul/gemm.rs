//! Products of large matrices, block by block.
//!
//! The loops are those of BLIS (Van Zee and van de Geijn 2015): a part of `b` and a part of `a` are copied to
//! where the innermost loops read them in order, then every task computes a window of `c`. How the work is
//! cut depends on the sizes alone, and every element is summed in the order of `k`, so neither the number of
//! threads nor the window changes a bit.

use crate::isa::Isa;
use crate::matmul::micro::{Shape, piece};
use crate::shared::Shared;
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
/// Elements of `a` that stay in the second cache: rows as long as that are read where they lie.
const NEAR: usize = 1 << 15;
/// Elements to pack that are worth a second thread.
const PACK: usize = 1 << 16;
/// Multiplications that are worth a second thread.
const PARALLEL: usize = 1 << 19;

/// A matrix: its first element, and the strides of rows and columns.
pub(crate) type Strided<T> = (*const T, [isize; 2]);

/// A product.
pub(crate) struct Gemm<T> {
    pub(crate) size: [usize; 3],
    pub(crate) a: Strided<T>,
    pub(crate) b: Strided<T>,
    pub(crate) c: *mut T,
    /// From one row of `c` to the next.
    pub(crate) row: usize,
    /// What [`Gemm::pack`] made of `b`, if it was called before.
    pub(crate) packed: Option<*const T>,
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

/// The elements of a packed right operand.
pub(crate) fn packed_len(k: usize, n: usize) -> usize {
    k.saturating_mul(n.saturating_add(WIDEST - 1) / WIDEST * WIDEST)
}

/// The widest panel: two vectors of 16 elements.
const WIDEST: usize = 32;

/// The elements of scratch that a product of this size may need.
pub(crate) fn scratch([m, k, n]: [usize; 3]) -> usize {
    depth_of(k) * (m.min(ROWS) + n.min(COLUMNS).next_multiple_of(WIDEST))
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
        // Copying pays when every element is read more than a few times, and not from the second cache in order.
        let packed = self.packed.is_some();
        let near = self.a.1[1] == 1 && m * k <= NEAR;
        let copies = [
            n > 4 * 2 * shape.width && m > shape.rows && !near,
            packed || self.b.1[1] != 1 || m > 8 * shape.rows,
        ];
        // When nothing is copied, a task goes through all depths.
        let panels = copies[1] || n % (2 * shape.width) != 0;
        let chunk = if copies[0] || (panels && !packed) { depth } else { k };
        for j in (0..n).step_by(COLUMNS) {
            for p in (0..k).step_by(chunk) {
                for i in (0..m).step_by(ROWS) {
                    let part = Part {
                        rows: (i, ROWS.min(m - i)),
                        depth: (p, chunk.min(k - p)),
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

    /// Copies all of `b` as [`Gemm::run`] reads it: part by part, panel by panel.
    ///
    /// # Safety
    /// All elements of `b` lie in memory and nobody writes them; `to` has [`packed_len`] elements that nobody else
    /// touches.
    pub(crate) unsafe fn pack(&self, isa: Isa, pool: &Pool, to: *mut T) {
        let [_, k, n] = self.size;
        let (shape, depth) = (T::shape(isa), depth_of(k));
        for j in (0..n).step_by(COLUMNS) {
            for p in (0..k).step_by(depth) {
                let (depth, columns) = ((p, depth.min(k - p)), (j, COLUMNS.min(n - j)));
                let part = Part { rows: (0, 0), depth, columns, copies: [false, true], shape };
                let to = Shared(to.wrapping_add(self.packed_at(&part)));
                let pack = |task: usize, _: usize| {
                    let (to, first) = (&to, task * WINDOW_COLUMNS);
                    // SAFETY: every task copies its own columns to their own place.
                    unsafe { self.copy_b(isa, &part, first, WINDOW_COLUMNS.min(columns.1 - first), to.0) };
                };
                let tasks = columns.1.div_ceil(WINDOW_COLUMNS);
                if depth.1 * columns.1 >= PACK {
                    pool.run(tasks, &pack)
                } else {
                    (0..tasks).for_each(|t| pack(t, 0))
                }
            }
        }
    }

    /// Where a part of `b` begins in its packed form.
    fn packed_at(&self, part: &Part) -> usize {
        let panels = part.columns.1.next_multiple_of(2 * part.shape.width);
        part.columns.0 * self.size[1] + part.depth.0 * panels
    }

    unsafe fn part(&self, isa: Isa, pool: Option<&Pool>, scratch: *mut T, part: Part) {
        let (m, k, n) = (part.rows.1, part.depth.1, part.columns.1);
        let down = m.div_ceil(WINDOW_ROWS);
        let height = m.div_ceil(down).next_multiple_of(part.shape.rows);
        // An even number of windows, so that two threads end together.
        let (down, across) = (m.div_ceil(height), n.div_ceil(WINDOW_COLUMNS));
        let across = across + down * across % 2;
        let width = n.div_ceil(across).next_multiple_of(2 * part.shape.width);
        let across = n.div_ceil(width);
        let packed = self.packed.map(|packed| Shared(packed.cast_mut()));
        let copied = (Shared(scratch), Shared(scratch.wrapping_add(m * k)));
        let pool = pool.filter(|_| m * k * n >= PARALLEL);
        let each = |tasks: usize, job: &(dyn Fn(usize, usize) + Sync)| match pool {
            Some(pool) => pool.run(tasks, job),
            None => (0..tasks).for_each(|task| job(task, 0)),
        };
        let copying = (if part.copies[0] { down } else { 0 }, if packed.is_none() { across } else { 0 });
        let panels = part.copies[1] || n % (2 * part.shape.width) != 0;
        if part.copies[0] || (packed.is_none() && panels) {
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
            let (a, b, packed) = (&copied.0, &copied.1, &packed);
            let (i, j) = (task % down * height, task / down * width);
            let window = [i, height.min(m - i), j, width.min(n - j)];
            let (first, depth) = (part.depth.0, depth_of(self.size[1]));
            for p in (0..k).step_by(depth) {
                let part = Part { depth: (first + p, depth.min(k - p)), ..part };
                let b = packed.as_ref().map_or(b.0, |packed| packed.0.wrapping_add(self.packed_at(&part)));
                // SAFETY: every task writes its own window.
                unsafe { self.window(isa, &part, window, a.0, b) };
            }
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
            let (panel, stride) = if copied {
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
                        micro(k, block, strides, panel, stride, to, self.row, add);
                    } else {
                        let row = vectors * w;
                        micro(k, block, strides, panel, stride, edge.as_mut_ptr(), row, false);
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
        if step == 1 && T::pack(isa, from, stream, [count, k], width, to) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Real>(isa: Isa, [m, k, n]: [usize; 3], flips: [bool; 2]) {
        let strides = |rows: usize, columns: usize, flip: bool| {
            if flip { [1, rows as isize] } else { [columns as isize, 1] }
        };
        let (sa, sb) = (strides(m, k, flips[0]), strides(k, n, flips[1]));
        let value = |i: usize| T::of((i * 7 % 23) as f64 / 8.0 - 1.0);
        let a: Vec<T> = (0..m * k).map(value).collect();
        let b: Vec<T> = (0..k * n).map(|i| value(i + 5)).collect();
        let mut bits = Vec::new();
        for threads in [1, 3] {
            let mut c = vec![T::of(f64::NAN); m * n];
            let mut copies = vec![T::of(f64::NAN); scratch([m, k, n])];
            let gemm = Gemm {
                size: [m, k, n],
                a: (a.as_ptr(), sa),
                b: (b.as_ptr(), sb),
                c: c.as_mut_ptr(),
                row: n,
                packed: None,
            };
            // SAFETY: all of the sizes asked for.
            unsafe { gemm.run(isa, Some(&Pool::new(threads)), copies.as_mut_ptr()) };
            bits.push(c);
        }
        assert!(bits[0] == bits[1], "{isa:?} {m}x{k}x{n}: threads change bits");
        let at = |x: &[T], s: [isize; 2], i: usize, j: usize| x[i * s[0] as usize + j * s[1] as usize].wide();
        for i in 0..m {
            for j in 0..n {
                let want: f64 = (0..k).map(|p| at(&a, sa, i, p) * at(&b, sb, p, j)).sum();
                let got = bits[0][i * n + j].wide();
                assert!((got - want).abs() < 1e-4 * k as f64, "{isa:?} {m}x{k}x{n} [{i},{j}]: {got}, {want}");
            }
        }
    }

    #[test]
    fn all_instruction_sets() {
        let sizes = [
            [1, 1, 1],
            [2, 3, 5],
            [13, 7, 33],
            [12, 40, 32],
            [25, 17, 16],
            [100, 5, 31],
            [31, 340, 47],
            [150, 337, 130],
            [300, 20, 300],
            [3, 700, 129],
        ];
        for isa in Isa::all() {
            for size in sizes {
                for flips in [[false, false], [false, true], [true, false], [true, true]] {
                    check::<f32>(isa, size, flips);
                    check::<f64>(isa, size, flips);
                }
            }
        }
    }

    #[test]
    fn more_than_one_part() {
        check::<f32>(Isa::detect(), [ROWS + 13, 9, 40], [false, false]);
        check::<f32>(Isa::detect(), [9, 20, COLUMNS + 33], [true, true]);
    }
}
