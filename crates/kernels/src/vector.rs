//! Vectors: how many elements go together, and the instructions of blocks of registers, once for products and for
//! convolutions.

use crate::Real;

/// The granule of memory and of loops, in elements.
pub const LANES: usize = 16;

/// Elements of a vector where no instruction set is known.
pub(crate) const PLAIN: usize = 4;

/// The intrinsics of a width of vectors, under names that blocks are written in.
macro_rules! vectors {
    ($name:ident, $t:ty, $width:literal, $zero:ident, $load:ident, $store:ident, $repeat:ident, $fma:ident,
     $add:ident) => {
        #[cfg(target_arch = "x86_64")]
        pub(crate) mod $name {
            pub(crate) use std::arch::x86_64::{
                $add as plus, $fma as multiply_add, $load as load, $repeat as repeat, $store as store,
                $zero as zero,
            };
            pub(crate) type Element = $t;
            /// Elements of a vector.
            pub(crate) const WIDTH: usize = $width;
        }
    };
}

vectors!(
    f32_512,
    f32,
    16,
    _mm512_setzero_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_set1_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps
);
vectors!(
    f64_512,
    f64,
    8,
    _mm512_setzero_pd,
    _mm512_loadu_pd,
    _mm512_storeu_pd,
    _mm512_set1_pd,
    _mm512_fmadd_pd,
    _mm512_add_pd
);
vectors!(
    f32_256,
    f32,
    8,
    _mm256_setzero_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_set1_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps
);
vectors!(
    f64_256,
    f64,
    4,
    _mm256_setzero_pd,
    _mm256_loadu_pd,
    _mm256_storeu_pd,
    _mm256_set1_pd,
    _mm256_fmadd_pd,
    _mm256_add_pd
);

/// Calls a macro that makes a block function, for every element type and width of vectors: the name of the function
/// and of its intrinsics, and what the machine must have.
macro_rules! for_each_vector {
    ($block:ident) => {
        $block!(f32_512, "avx512f");
        $block!(f64_512, "avx512f");
        $block!(f32_256, "avx2,fma");
        $block!(f64_256, "avx2,fma");
    };
}

/// Writes a block of sums in rows of stride `$row`, or adds it to what stands there, with the intrinsics in scope.
#[cfg(target_arch = "x86_64")]
macro_rules! write_block {
    ($sum:ident, $c:ident, $row:ident, $add:ident) => {
        for (i, sums) in $sum.iter().enumerate() {
            for (v, &sum) in sums.iter().enumerate() {
                // SAFETY: the caller's block lies in memory.
                unsafe {
                    let to = $c.add(i * $row + v * WIDTH);
                    store(to, if $add { plus(load(to), sum) } else { sum });
                }
            }
        }
    };
}

/// As [`write_block`], for any machine.
///
/// # Safety
/// The block lies in memory that nobody else touches.
#[inline(always)]
pub(crate) unsafe fn write_plain<T: Real, const MR: usize, const NV: usize>(
    sum: &[[[T; PLAIN]; NV]; MR],
    c: *mut T,
    row: usize,
    add: bool,
) {
    for (i, values) in sum.iter().enumerate() {
        for (j, value) in values.as_flattened().iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe {
                let to = c.add(i * row + j);
                *to = if add { *to + *value } else { *value };
            }
        }
    }
}

/// The block function of a number of rows and vectors, of an element type if it is generic.
macro_rules! choose {
    ($name:ident$(::<$t:ty>)?, $rows:expr, $vectors:expr, [$($r:literal),*]) => {
        choose!(@ [$name $(, $t)?] $rows, $vectors, [$($r),*])
    };
    (@ $block:tt $rows:expr, $vectors:expr, [$($r:literal),*]) => {
        match ($rows, $vectors) {
            $(($r, 1) => choose!(@ $block $r, 1),)*
            $(($r, 2) => choose!(@ $block $r, 2),)*
            (_, 1) => choose!(@ $block 1, 1),
            _ => choose!(@ $block 1, 2),
        }
    };
    (@ [$name:ident] $r:literal, $v:literal) => { $name::<$r, $v> };
    (@ [$name:ident, $t:ty] $r:literal, $v:literal) => { $name::<$t, $r, $v> };
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

#[cfg(target_arch = "x86_64")]
pub(crate) use write_block;
pub(crate) use {choose, for_each_vector};
