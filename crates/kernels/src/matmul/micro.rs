//! The innermost loops of products: a few rows by one or two vectors of columns, held in registers.

use crate::isa::Isa;
#[cfg(target_arch = "x86_64")]
use crate::vector::write_block;
use crate::vector::{PLAIN, choose, for_each_vector, write_plain};

/// Computes a block of `c`: `MR` rows and `NV` vectors of columns, from `k` columns of `a` and rows of `b`.
/// Rows of `b` have neighbouring elements and stride `rb`; `a` has any strides. With `add`, the block is
/// added to what stands in `c`.
pub(crate) type Micro<T> = unsafe fn(
    k: usize,
    a: *const T,
    sa: [isize; 2],
    b: *const T,
    rb: isize,
    c: *mut T,
    row: usize,
    add: bool,
);

/// The largest block of an instruction set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    /// Rows.
    pub(crate) rows: usize,
    /// Elements of a vector; a block has one or two vectors of columns.
    pub(crate) width: usize,
}

/// Element types with blocks.
pub(crate) trait Blocks: Sized {
    /// The largest block.
    fn shape(isa: Isa) -> Shape;
    /// The block function of some rows (as [`piece`] cuts them) and vectors.
    fn micro(isa: Isa, rows: usize, vectors: usize) -> Micro<Self>;

    /// Writes `count` streams of `k` neighbouring elements side by side, `width` of them (zeros where there
    /// is no stream), if there are instructions for that.
    ///
    /// # Safety
    /// The streams lie in memory, and `to` has place for `k` times `width` elements.
    unsafe fn pack(
        isa: Isa,
        from: *const Self,
        stream: isize,
        count_k: [usize; 2],
        width: usize,
        to: *mut Self,
    ) -> bool;
}

/// The height of the next block when `left` rows remain: the largest, or a piece of the rest.
pub(crate) fn piece(left: usize, largest: usize) -> usize {
    const PIECES: [usize; 5] = [8, 6, 4, 3, 2];
    if left > largest && left <= largest + 2 {
        // Two blocks of middling height are faster than the largest one and a low one.
        let even = |h: &usize| *h < largest && PIECES.contains(&(left - h));
        return PIECES.into_iter().find(even).unwrap_or(largest);
    }
    let fits = |h: &usize| *h <= left && *h <= largest;
    if left >= largest { largest } else { PIECES.into_iter().find(fits).unwrap_or(1) }
}

/// A block function from the vector intrinsics of an instruction set.
macro_rules! vector_block {
    ($name:ident, $feature:literal) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = $feature)]
        #[allow(clippy::too_many_arguments)]
        unsafe fn $name<const MR: usize, const NV: usize>(
            k: usize,
            a: *const crate::vector::$name::Element,
            [ra, ca]: [isize; 2],
            b: *const crate::vector::$name::Element,
            rb: isize,
            c: *mut crate::vector::$name::Element,
            row: usize,
            add: bool,
        ) {
            use crate::vector::$name::{WIDTH, load, multiply_add, plus, repeat, store, zero};
            let mut sum = [[zero(); NV]; MR];
            // SAFETY: the caller's blocks lie in memory.
            unsafe {
                let (mut a, mut b) = (a, b);
                for _ in 0..k {
                    let mut y = [zero(); NV];
                    for v in 0..NV {
                        y[v] = load(b.add(v * WIDTH));
                    }
                    for i in 0..MR {
                        let x = repeat(*a.offset(i as isize * ra));
                        for v in 0..NV {
                            sum[i][v] = multiply_add(x, y[v], sum[i][v]);
                        }
                    }
                    a = a.wrapping_offset(ca);
                    b = b.wrapping_offset(rb);
                }
            }
            write_block!(sum, c, row, add);
        }
    };
}

for_each_vector!(vector_block);

/// A block function for any machine.
#[allow(clippy::too_many_arguments)]
unsafe fn plain<T: crate::Real, const MR: usize, const NV: usize>(
    k: usize,
    a: *const T,
    [ra, ca]: [isize; 2],
    b: *const T,
    rb: isize,
    c: *mut T,
    row: usize,
    add: bool,
) {
    let mut sum = [[[T::ZERO; PLAIN]; NV]; MR];
    // SAFETY: the caller's blocks lie in memory.
    unsafe {
        for p in 0..k as isize {
            let y = &*b.offset(p * rb).cast::<[[T; PLAIN]; NV]>();
            for (i, row) in sum.iter_mut().enumerate() {
                let x = *a.offset(i as isize * ra + p * ca);
                for (s, y) in row.as_flattened_mut().iter_mut().zip(y.as_flattened()) {
                    *s = *s + x * *y;
                }
            }
        }
        write_plain(&sum, c, row, add);
    }
}

macro_rules! blocks {
    ($t:ty, $pack:ident, $v256:ident, $w256:literal, $v512:ident, $w512:literal) => {
        impl Blocks for $t {
            fn shape(isa: Isa) -> Shape {
                match isa {
                    Isa::Base => Shape { rows: 4, width: PLAIN },
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => Shape { rows: 6, width: $w256 },
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 => Shape { rows: 12, width: $w512 },
                }
            }

            fn micro(isa: Isa, rows: usize, vectors: usize) -> Micro<Self> {
                match isa {
                    Isa::Base => choose!(plain::<$t>, rows, vectors, [4, 3, 2]),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => choose!($v256, rows, vectors, [6, 4, 3, 2]),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 => choose!($v512, rows, vectors, [12, 8, 6, 4, 3, 2]),
                }
            }

            unsafe fn pack(
                isa: Isa,
                from: *const Self,
                stream: isize,
                count_k: [usize; 2],
                width: usize,
                to: *mut Self,
            ) -> bool {
                // SAFETY: the caller's promise; an `Isa` beyond the base comes from `Isa::detect` alone.
                unsafe { $pack(isa, from, stream, count_k, width, to) }
            }
        }
    };
}

blocks!(f32, pack_f32, f32_256, 8, f32_512, 16);
blocks!(f64, pack_f64, f64_256, 4, f64_512, 8);

unsafe fn pack_f64(_: Isa, _: *const f64, _: isize, _: [usize; 2], _: usize, _: *mut f64) -> bool {
    false
}

unsafe fn pack_f32(
    isa: Isa,
    from: *const f32,
    stream: isize,
    count_k: [usize; 2],
    width: usize,
    to: *mut f32,
) -> bool {
    #[cfg(target_arch = "x86_64")]
    if isa == Isa::Avx512 {
        // SAFETY: the caller's promise.
        unsafe { pack_512(from, stream, count_k, width, to) };
        return true;
    }
    let _ = (isa, from, stream, count_k, width, to);
    false
}

/// Transposes squares of 16 by 16 elements in registers.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn pack_512(from: *const f32, stream: isize, [count, k]: [usize; 2], width: usize, to: *mut f32) {
    use std::arch::x86_64::*;
    for i0 in (0..width).step_by(16) {
        let rows = count.saturating_sub(i0).min(16);
        let stores = (1u32 << (width - i0).min(16)).wrapping_sub(1) as u16;
        for p0 in (0..k).step_by(16) {
            let steps = (k - p0).min(16);
            let loads = (1u32 << steps).wrapping_sub(1) as u16;
            let mut r = [_mm512_setzero_ps(); 16];
            for (i, r) in r[..rows].iter_mut().enumerate() {
                // SAFETY: only elements of the stream are read.
                *r = unsafe { _mm512_maskz_loadu_ps(loads, from.offset((i0 + i) as isize * stream).add(p0)) };
            }
            for (p, v) in transpose(r)[..steps].iter().enumerate() {
                // SAFETY: only elements below `width` are written.
                unsafe { _mm512_mask_storeu_ps(to.add((p0 + p) * width + i0), stores, *v) };
            }
        }
    }
}

/// Rows as columns.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
#[inline]
fn transpose(r: [std::arch::x86_64::__m512; 16]) -> [std::arch::x86_64::__m512; 16] {
    use std::arch::x86_64::*;
    let mut b = [_mm512_setzero_ps(); 16];
    for g in (0..16).step_by(4) {
        let pair =
            |x, y| (_mm512_castps_pd(_mm512_unpacklo_ps(x, y)), _mm512_castps_pd(_mm512_unpackhi_ps(x, y)));
        let ((low, high), (low2, high2)) = (pair(r[g], r[g + 1]), pair(r[g + 2], r[g + 3]));
        b[g] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, low2));
        b[g + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, low2));
        b[g + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high, high2));
        b[g + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high, high2));
    }
    let mut out = [_mm512_setzero_ps(); 16];
    for c in 0..4 {
        let x = _mm512_shuffle_f32x4::<0x88>(b[c], b[4 + c]);
        let y = _mm512_shuffle_f32x4::<0xdd>(b[c], b[4 + c]);
        let z = _mm512_shuffle_f32x4::<0x88>(b[8 + c], b[12 + c]);
        let w = _mm512_shuffle_f32x4::<0xdd>(b[8 + c], b[12 + c]);
        out[c] = _mm512_shuffle_f32x4::<0x88>(x, z);
        out[4 + c] = _mm512_shuffle_f32x4::<0x88>(y, w);
        out[8 + c] = _mm512_shuffle_f32x4::<0xdd>(x, z);
        out[12 + c] = _mm512_shuffle_f32x4::<0xdd>(y, w);
    }
    out
}
