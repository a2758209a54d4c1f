//! Vectors: how many elements go together, and the instructions of blocks of registers, once for products and for
//! convolutions.

use crate::Real;

/// The granule of memory and of loops, in elements.
pub const LANES: usize = 16;

/// Elements of a vector where no instruction set is known.
pub(crate) const PLAIN: usize = 4;

/// Calls a macro that makes a block function, for every element type and width of vectors: the function's name,
/// the element type, the elements of a vector, what the machine must have, and the intrinsics that make zeros,
/// load, store, repeat a number, multiply and add, and add.
macro_rules! for_each_vector {
    ($block:ident) => {
        $block!(
            f32_512,
            f32,
            16,
            "avx512f",
            _mm512_setzero_ps,
            _mm512_loadu_ps,
            _mm512_storeu_ps,
            _mm512_set1_ps,
            _mm512_fmadd_ps,
            _mm512_add_ps
        );
        $block!(
            f64_512,
            f64,
            8,
            "avx512f",
            _mm512_setzero_pd,
            _mm512_loadu_pd,
            _mm512_storeu_pd,
            _mm512_set1_pd,
            _mm512_fmadd_pd,
            _mm512_add_pd
        );
        $block!(
            f32_256,
            f32,
            8,
            "avx2,fma",
            _mm256_setzero_ps,
            _mm256_loadu_ps,
            _mm256_storeu_ps,
            _mm256_set1_ps,
            _mm256_fmadd_ps,
            _mm256_add_ps
        );
        $block!(
            f64_256,
            f64,
            4,
            "avx2,fma",
            _mm256_setzero_pd,
            _mm256_loadu_pd,
            _mm256_storeu_pd,
            _mm256_set1_pd,
            _mm256_fmadd_pd,
            _mm256_add_pd
        );
    };
}

/// The block function of a number of rows and vectors.
macro_rules! choose {
    ($name:ident, $rows:expr, $vectors:expr, [$($r:literal),*]) => {
        match ($rows, $vectors) {
            $(($r, 1) => $name::<$r, 1>,)*
            $(($r, 2) => $name::<$r, 2>,)*
            (_, 1) => $name::<1, 1>,
            _ => $name::<1, 2>,
        }
    };
}

/// Folds the lanes as a tree.
#[inline(always)]
pub(crate) fn fold_lanes<T: Real>(mut lanes: [T; LANES], f: impl Fn(T, T) -> T) -> T {
    let mut width = LANES / 2;
    while width > 0 {
        for l in 0..width {
            lanes[l] = f(lanes[l], lanes[l + width]);
        }
        width /= 2;
    }
    lanes[0]
}

pub(crate) use {choose, for_each_vector};
