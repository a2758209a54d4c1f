//! Products of large matrices by the crate matrixmultiply.
//!
//! It is as fast as our own blocks or faster where all three sizes are large and the rows of `b` lie in one
//! piece; everywhere else [`crate::matmul::gemm`] is. Its packing buffer is the one thing that a step allocates. The
//! crate's own threads are not used: the result is cut into pieces by its size alone, and every element is
//! summed in the same order in whatever piece it lies, so the bits depend on the sizes only.

use crate::matmul::gemm::Gemm;
use crate::{Pool, Real};

/// All three sizes are at least this ...
const SIDE: usize = 128;
/// ... and there are at least this many multiplications.
const VOLUME: usize = 1 << 24;
/// A piece of the result has about this many rows or columns ...
const PIECE: usize = 256;
/// ... and there are no more than this many pieces.
const PIECES: usize = 8;

/// Element types that the crate multiplies.
pub(crate) trait Library: Sized {
    /// `c = a · b`, sizes `m`, `k`, `n`.
    ///
    /// # Safety
    /// All elements lie in memory; nobody writes what it reads or touches what it writes.
    unsafe fn multiply(
        size: [usize; 3],
        a: (*const Self, [isize; 2]),
        b: (*const Self, [isize; 2]),
        c: (*mut Self, isize),
    );
}

macro_rules! library {
    ($t:ty, $function:ident) => {
        impl Library for $t {
            unsafe fn multiply(
                [m, k, n]: [usize; 3],
                (a, [ra, ca]): (*const Self, [isize; 2]),
                (b, [rb, cb]): (*const Self, [isize; 2]),
                (c, row): (*mut Self, isize),
            ) {
                // SAFETY: the caller's promise.
                unsafe { ::matrixmultiply::$function(m, k, n, 1.0, a, ra, ca, b, rb, cb, 0.0, c, row, 1) };
            }
        }
    };
}

library!(f32, sgemm);
library!(f64, dgemm);

/// Whether the crate multiplies matrices of these sizes; `b` are the strides of the rows and columns of `b`.
pub(crate) fn fits([m, k, n]: [usize; 3], b: [isize; 2]) -> bool {
    m.min(k).min(n) >= SIDE && m.saturating_mul(k).saturating_mul(n) >= VOLUME && b[1] == 1
}

/// Where the result is cut: whether across its rows, the length of a piece, and how many there are. An even number
/// of equal pieces, so that two threads, or four, end together.
fn pieces([m, _, n]: [usize; 3]) -> (bool, usize, usize) {
    let long = m.max(n);
    let wanted = long.div_ceil(PIECE).next_multiple_of(2).min(PIECES);
    let length = long.div_ceil(wanted).next_multiple_of(16);
    (m >= n, length, long.div_ceil(length))
}

/// Runs a product, with the pool if there is one.
///
/// # Safety
/// All elements lie in memory; nobody writes what it reads or touches what it writes.
pub(crate) unsafe fn run<T: Real>(product: &Gemm<T>, pool: Option<&Pool>) {
    let [m, k, n] = product.size;
    let (by_rows, length, count) = pieces(product.size);
    let job = |task: usize, _: usize| {
        let from = task * length;
        let ((a, sa), (b, sb)) = (product.a, product.b);
        let row = product.row as isize;
        // SAFETY: every task writes its own rows or columns of the result.
        unsafe {
            if by_rows {
                let a = a.offset(from as isize * sa[0]);
                let c = product.c.offset(from as isize * row);
                T::multiply([length.min(m - from), k, n], (a, sa), (b, sb), (c, row));
            } else {
                let b = b.offset(from as isize * sb[1]);
                let c = product.c.add(from);
                T::multiply([m, k, length.min(n - from)], (a, sa), (b, sb), (c, row));
            }
        }
    };
    match pool {
        Some(pool) => pool.run(count, &job),
        None => (0..count).for_each(|task| job(task, 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Real>([m, k, n]: [usize; 3], transposed: bool) {
        let sa = if transposed { [1, m as isize] } else { [k as isize, 1] };
        assert!(fits([m, k, n], [n as isize, 1]), "{m}x{k}x{n} is not large");
        let value = |i: usize| T::of(((i * 7919) % 1013) as f64 / 1013.0 - 0.5);
        let a: Vec<T> = (0..m * k).map(value).collect();
        let b: Vec<T> = (0..k * n).map(|i| value(i + 5)).collect();
        let mut whole = vec![T::of(f64::NAN); m * n];
        let (pa, pb) = ((a.as_ptr(), sa), (b.as_ptr(), [n as isize, 1]));
        // SAFETY: all of the sizes asked for.
        unsafe { T::multiply([m, k, n], pa, pb, (whole.as_mut_ptr(), n as isize)) };
        for threads in [1, 3] {
            let mut c = vec![T::of(f64::NAN); m * n];
            let product = Gemm { size: [m, k, n], a: pa, b: pb, c: c.as_mut_ptr(), row: n, packed: None };
            // SAFETY: all of the sizes asked for.
            unsafe { run(&product, Some(&Pool::new(threads))) };
            assert!(c == whole, "{m}x{k}x{n}: pieces or threads change bits");
        }
        for (i, j) in [(0, 0), (m - 1, n - 1), (m / 2, n / 3), (m / 3, n - 2)] {
            let at = |p: usize| a[i * sa[0] as usize + p * sa[1] as usize].wide() * b[p * n + j].wide();
            let want: f64 = (0..k).map(at).sum();
            let got = whole[i * n + j].wide();
            assert!((got - want).abs() < 1e-5 * k as f64, "{m}x{k}x{n} [{i},{j}]: {got}, {want}");
        }
    }

    #[test]
    fn pieces_have_the_bits_of_the_whole() {
        for size in [[1000, 130, 140], [137, 300, 700], [513, 257, 511]] {
            for transposed in [false, true] {
                check::<f32>(size, transposed);
                check::<f64>(size, transposed);
            }
        }
    }

    #[test]
    fn the_pieces_are_the_whole() {
        for size in [[128, 128, 1024], [100_000, 128, 128], [128, 9, 257], [600, 1, 600], [1 << 40, 1, 1]] {
            let (_, length, count) = pieces(size);
            assert!(count <= PIECES && length * (count - 1) < size[0].max(size[2]));
            assert!(length * count >= size[0].max(size[2]));
        }
    }
}
