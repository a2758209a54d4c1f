//! The innermost loops of convolutions: a few rows by one or two vectors of columns, held in registers, while
//! a walk leads through memory.
//!
//! What [`crate::matmul::micro`] is to products: only that rows may lie anywhere, and that the summed elements of a row
//! lie in runs.

use crate::isa::Isa;
use crate::matmul::micro::Shape;
#[cfg(target_arch = "x86_64")]
use crate::vector::write_block;
use crate::vector::{PLAIN, choose, for_each_vector, write_plain};

/// The most rows of a block.
pub(crate) const ROWS: usize = 12;

/// The elements of a row that are summed over: runs of `len` elements that lie `step` apart, on a grid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    /// How many runs, along three axes.
    pub(crate) counts: [usize; 3],
    /// From one run to the next.
    pub(crate) strides: [isize; 3],
    /// Elements of a run.
    pub(crate) len: usize,
    /// From one element to the next.
    pub(crate) step: isize,
}

/// Computes a block of `c`: `c[r][j] = Σ over the walk of a[rows[r] + walk] · b[n][j]`, where `n` counts the
/// walk's elements, `b` has rows of stride `rb` and `c` of stride `row`. With `add`, the block is added to
/// what stands in `c`. Every element is summed in the order of the walk.
pub(crate) type Block<T> = unsafe fn(
    rows: &[isize; ROWS],
    a: *const T,
    walk: &Walk,
    b: *const T,
    rb: usize,
    c: *mut T,
    row: usize,
    add: bool,
);

/// Element types with blocks.
pub(crate) trait Walks: Sized {
    /// The block function of some rows (as [`piece`] cuts them) and one or two vectors.
    fn block(isa: Isa, rows: usize, vectors: usize) -> Block<Self>;
}

/// The height of the next block when `left` rows remain.
pub(crate) fn piece(left: usize, shape: Shape) -> usize {
    if left >= shape.rows {
        return shape.rows;
    }
    [9, 8, 6, 4, 3, 2].into_iter().find(|&h| h <= left).unwrap_or(1)
}

/// A block function from the vector intrinsics of an instruction set.
macro_rules! vector_block {
    ($name:ident, $feature:literal) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = $feature)]
        #[allow(clippy::too_many_arguments)]
        unsafe fn $name<const MR: usize, const NV: usize>(
            rows: &[isize; ROWS],
            a: *const crate::vector::$name::Element,
            walk: &Walk,
            b: *const crate::vector::$name::Element,
            rb: usize,
            c: *mut crate::vector::$name::Element,
            row: usize,
            add: bool,
        ) {
            use crate::vector::$name::{WIDTH, load, multiply_add, plus, repeat, store, zero};
            let mut sum = [[zero(); NV]; MR];
            let mut b = b;
            let [n0, n1, n2] = walk.counts;
            let [s0, s1, s2] = walk.strides;
            for i0 in 0..n0 as isize {
                for i1 in 0..n1 as isize {
                    for i2 in 0..n2 as isize {
                        let run = a.wrapping_offset(i0 * s0 + i1 * s1 + i2 * s2);
                        let mut from = [run; MR];
                        for i in 0..MR {
                            from[i] = run.wrapping_offset(rows[i]);
                        }
                        let mut at = 0isize;
                        for _ in 0..walk.len {
                            // SAFETY: the caller's walk stays in memory for every row.
                            unsafe {
                                let mut y = [zero(); NV];
                                for v in 0..NV {
                                    y[v] = load(b.add(v * WIDTH));
                                }
                                for i in 0..MR {
                                    let x = repeat(*from[i].offset(at));
                                    for v in 0..NV {
                                        sum[i][v] = multiply_add(x, y[v], sum[i][v]);
                                    }
                                }
                            }
                            at += walk.step;
                            b = b.wrapping_add(rb);
                        }
                    }
                }
            }
            write_block!(sum, c, row, add);
        }
    };
}

for_each_vector!(vector_block);

/// A block function for any machine.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn plain<T: crate::Real, const MR: usize, const NV: usize>(
    rows: &[isize; ROWS],
    a: *const T,
    walk: &Walk,
    b: *const T,
    rb: usize,
    c: *mut T,
    row: usize,
    add: bool,
) {
    let mut sum = [[[T::ZERO; PLAIN]; NV]; MR];
    let mut b = b;
    let [n0, n1, n2] = walk.counts;
    let [s0, s1, s2] = walk.strides;
    for run in 0..n0 * n1 * n2 {
        let (i0, i1, i2) = (run / (n1 * n2), run / n2 % n1, run % n2);
        let run = a.wrapping_offset(i0 as isize * s0 + i1 as isize * s1 + i2 as isize * s2);
        for at in 0..walk.len as isize {
            // SAFETY: the caller's walk stays in memory for every row.
            let y = unsafe { &*b.cast::<[[T; PLAIN]; NV]>() };
            for (sum, row) in sum.iter_mut().zip(rows) {
                // SAFETY: as above.
                let x = unsafe { *run.offset(row + at * walk.step) };
                for (s, y) in sum.as_flattened_mut().iter_mut().zip(y.as_flattened()) {
                    *s = *s + x * *y;
                }
            }
            b = b.wrapping_add(rb);
        }
    }
    // SAFETY: the caller's block lies in memory.
    unsafe { write_plain(&sum, c, row, add) };
}

macro_rules! walks {
    ($t:ty, $v256:ident, $v512:ident) => {
        impl Walks for $t {
            fn block(isa: Isa, rows: usize, vectors: usize) -> Block<Self> {
                match isa {
                    Isa::Base => choose!(plain::<$t>, rows, vectors, [4, 3, 2]),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => choose!($v256, rows, vectors, [6, 4, 3, 2]),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 => choose!($v512, rows, vectors, [12, 9, 8, 6, 4, 3, 2]),
                }
            }
        }
    };
}

walks!(f32, f32_256, f32_512);
walks!(f64, f64_256, f64_512);
