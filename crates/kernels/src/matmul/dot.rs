//! Products of matrices.
//!
//! Large ones are matrixmultiply's ([`crate::matmul::matrixmultiply`]), smaller and skinny ones go block by block
//! ([`crate::matmul::gemm`]); tiny ones and products with a vector have loops of their own, whose order of summation
//! is fixed.

use crate::isa::{Isa, dispatch};
use crate::kernel::{Execute, Kernel, Machine, Scratch};
use crate::matmul::gemm::{self, Gemm};
use crate::matmul::matrixmultiply;
use crate::scope::{Touch, product};
use crate::shared::Shared;
use crate::vector::{LANES, fold_lanes};
use crate::{Place, Pool, Real};

/// Where a matrix lies: its first element and the strides of its rows and columns.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Matrix<P = Place> {
    /// The first element.
    pub place: P,
    /// From one row to the next.
    pub row: isize,
    /// From one column to the next.
    pub column: isize,
}

/// `c[…] = a[…] · b[…]`, each `m × k` by `k × n`; `c` is row-major and dense.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Dot<P = Place> {
    /// Rows of `a`.
    pub m: usize,
    /// Columns of `a`.
    pub k: usize,
    /// Columns of `b`.
    pub n: usize,
    /// The left operand.
    pub a: Matrix<P>,
    /// The right operand.
    pub b: Matrix<P>,
    /// The result.
    pub c: P,
    /// Shared axes: size, and stride in `a` and `b`.
    pub batch: Vec<(usize, isize, isize)>,
}

/// Below this many multiplications a product is done by own loops.
const TINY: usize = 4096;
/// Multiplications of a task of several matrices.
const GROUP: usize = 1 << 19;

impl<P> Matrix<P> {
    fn map<'a, Q, F: FnMut(&'a P) -> Q>(&'a self, place: &mut F) -> Matrix<Q> {
        Matrix { place: place(&self.place), row: self.row, column: self.column }
    }
}

impl<P> Dot<P> {
    /// The same product with other places.
    pub fn map<'a, Q, F: FnMut(&'a P) -> Q>(&'a self, place: &mut F) -> Dot<Q> {
        Dot {
            m: self.m,
            k: self.k,
            n: self.n,
            a: self.a.map(place),
            b: self.b.map(place),
            c: place(&self.c),
            batch: self.batch.clone(),
        }
    }

    /// The number of matrices.
    pub fn matrices(&self) -> usize {
        self.batch.iter().map(|b| b.0).product()
    }
}

impl Dot {
    /// Multiplications of one matrix product.
    fn volume(&self) -> usize {
        self.m.saturating_mul(self.k).saturating_mul(self.n)
    }

    fn is_large(&self) -> bool {
        matrixmultiply::fits([self.m, self.k, self.n], [self.b.row, self.b.column])
    }

    /// The elements of the packed right operand, if this is a product that can use one: see [`Dot::pack`].
    pub(crate) fn packed_len(&self) -> Option<usize> {
        let one = self.batch.is_empty() && self.m > 0;
        (one && !self.is_tiny() && !self.is_large()).then(|| gemm::packed_len(self.k, self.n))
    }

    /// Whether another product has the same right operand.
    pub(crate) fn shares_right(&self, other: &Dot) -> bool {
        (self.k, self.n, self.b) == (other.k, other.n, other.b)
    }

    /// Copies the right operand to where [`Dot::run_packed`] reads it.
    ///
    /// # Safety
    /// All elements of `b` lie in memory and nobody writes them; `to` has [`Dot::packed_len`] elements that nobody
    /// else touches.
    pub(crate) unsafe fn pack<T: Real>(&self, on: &Machine<'_, T>, to: *mut T) {
        let b = on.at(self.b.place);
        // SAFETY: the caller's promise; packing touches no other operand.
        unsafe { self.gemm((b, b, to), None).pack(on.isa, on.pool, to) };
    }

    /// Runs a product of one matrix whose right operand was packed.
    ///
    /// # Safety
    /// As for [`Execute::execute`]; the packed operand is that of `b` as it is now.
    pub(crate) unsafe fn run_packed<T: Real>(&self, on: &Machine<'_, T>, packed: *const T) {
        let operands = (on.at(self.a.place).cast_const(), on.at(self.b.place).cast_const(), on.at(self.c));
        // SAFETY: the caller's promise.
        unsafe { self.gemm(operands, Some(packed)).run(on.isa, Some(on.pool), on.scratch(0)) };
    }

    fn gemm<T>(&self, (a, b, c): (*const T, *const T, *mut T), packed: Option<*const T>) -> Gemm<T> {
        let (a, b) = ((a, [self.a.row, self.a.column]), (b, [self.b.row, self.b.column]));
        Gemm { size: [self.m, self.k, self.n], a, b, c, row: self.n, packed }
    }

    fn is_tiny(&self) -> bool {
        self.volume() <= TINY || self.m == 1 || self.n == 1
    }

    /// What reading the left operand touches.
    fn left_touch(&self) -> Touch {
        let batch = self.batch.iter().map(|b| (b.0, b.1));
        let dims: Vec<_> = batch.chain([(self.m, self.a.row), (self.k, self.a.column)]).collect();
        Touch::strided(self.a.place, &dims, false)
    }

    /// What reading the right operand touches.
    pub(crate) fn right_touch(&self) -> Touch {
        let batch = self.batch.iter().map(|b| (b.0, b.2));
        let dims: Vec<_> = batch.chain([(self.k, self.b.row), (self.n, self.b.column)]).collect();
        Touch::strided(self.b.place, &dims, false)
    }

    /// One matrix product.
    #[inline(always)]
    unsafe fn one<T: Real>(
        &self,
        isa: Isa,
        pool: Option<&Pool>,
        (a, b, c): (*const T, *const T, *mut T),
        scratch: *mut T,
    ) {
        let (sa, sb) = ([self.a.row, self.a.column], [self.b.row, self.b.column]);
        let size = [self.m, self.k, self.n];
        if self.is_tiny() {
            let task = Small { size, a, sa, b, sb, c, row: self.n };
            dispatch!(isa, small::<T>(task: Small<T>));
        } else {
            let gemm = self.gemm((a, b, c), None);
            // SAFETY: the caller's promise.
            unsafe {
                if self.is_large() { matrixmultiply::run(&gemm, pool) } else { gemm.run(isa, pool, scratch) }
            };
        }
    }
}

impl Kernel for Dot {
    fn name(&self) -> &'static str {
        "dot"
    }

    fn detail(&self) -> String {
        let batch = if self.batch.is_empty() { String::new() } else { format!("{} of ", self.matrices()) };
        format!("{batch}{}x{} . {}x{}", self.m, self.k, self.k, self.n)
    }

    fn flops(&self) -> u64 {
        [self.m, self.k, self.n, self.matrices()].iter().fold(2, |p, &n| p.saturating_mul(n as u64))
    }

    fn elements(&self) -> usize {
        self.matrices() * (self.m * self.k + self.k * self.n + self.m * self.n)
    }

    fn touches(&self) -> Result<Vec<Touch>, String> {
        let sizes: Vec<usize> = self.batch.iter().map(|b| b.0).chain([self.m, self.n]).collect();
        let result = Touch::write(self.c, product(&sizes))?;
        let reads = result.is_some() && self.k > 0;
        let operands = reads.then(|| [self.left_touch(), self.right_touch()]);
        Ok(operands.into_iter().flatten().chain(result).collect())
    }

    fn scratch(&self, _: usize) -> Scratch {
        if self.is_tiny() || self.is_large() {
            return Scratch::default();
        }
        let size = gemm::scratch([self.m, self.k, self.n]);
        Scratch::of((if self.matrices() > 1 { size } else { 0 }, size))
    }
}

impl Execute for Dot {
    unsafe fn execute<T: Real>(&self, on: &Machine<'_, T>) {
        let (a, b, c) = (on.at(self.a.place), on.at(self.b.place), on.at(self.c));
        let matrices = self.matrices();
        if self.m == 0 || self.n == 0 || matrices == 0 {
            return;
        }
        if matrices == 1 {
            // SAFETY: the caller's promise.
            unsafe { self.one(on.isa, Some(on.pool), (a, b, c), on.scratch(0)) };
            return;
        }
        let group = (GROUP / self.volume().max(1)).clamp(1, matrices);
        let pointers = (Shared(a), Shared(b), Shared(c));
        let job = |task: usize, worker: usize| {
            let (a, b, c) = &pointers;
            for matrix in task * group..((task + 1) * group).min(matrices) {
                let (mut rest, mut at, mut bt) = (matrix, 0isize, 0isize);
                for &(n, sa, sb) in self.batch.iter().rev() {
                    at += (rest % n) as isize * sa;
                    bt += (rest % n) as isize * sb;
                    rest /= n;
                }
                // SAFETY: every task writes its own matrices and has its worker's scratch.
                unsafe {
                    let c = c.0.add(matrix * self.m * self.n);
                    self.one(on.isa, None, (a.0.offset(at), b.0.offset(bt), c), on.scratch(worker));
                }
            }
        };
        on.pool.run(matrices.div_ceil(group), &job);
    }
}

/// A product for own loops.
struct Small<T> {
    size: [usize; 3],
    a: *const T,
    sa: [isize; 2],
    b: *const T,
    sb: [isize; 2],
    c: *mut T,
    row: usize,
}

#[inline(always)]
fn small<T: Real>(mut s: Small<T>) {
    let [m, k, n] = s.size;
    if n == 1 && m > 1 && s.sa[0] == 1 && s.row == 1 {
        // The transposed product has contiguous rows.
        let [ra, ca] = s.sa;
        let [rb, cb] = s.sb;
        s = Small { size: [1, k, m], a: s.b, sa: [cb, rb], b: s.a, sb: [ca, ra], c: s.c, row: m };
    }
    let [m, k, n] = s.size;
    // SAFETY: `Dot::one` promises that all elements lie in memory and that `c` is not read by others.
    unsafe {
        for i in 0..m {
            let a = s.a.offset(i as isize * s.sa[0]);
            let c = s.c.add(i * s.row);
            if s.sb[1] == 1 && n > 1 {
                let mut j = 0;
                while j + LANES <= n {
                    columns::<T, LANES>(k, a, s.sa[1], s.b.add(j), s.sb[0], c.add(j));
                    j += LANES;
                }
                while j + 4 <= n {
                    columns::<T, 4>(k, a, s.sa[1], s.b.add(j), s.sb[0], c.add(j));
                    j += 4;
                }
                while j < n {
                    columns::<T, 1>(k, a, s.sa[1], s.b.add(j), s.sb[0], c.add(j));
                    j += 1;
                }
            } else {
                for j in 0..n {
                    let b = s.b.offset(j as isize * s.sb[1]);
                    *c.add(j) = if s.sa[1] == 1 && s.sb[0] == 1 {
                        inner(std::slice::from_raw_parts(a, k), std::slice::from_raw_parts(b, k))
                    } else {
                        let mut sum = [T::ZERO];
                        columns::<T, 1>(k, a, s.sa[1], b, s.sb[0], sum.as_mut_ptr());
                        sum[0]
                    };
                }
            }
        }
    }
}

/// `W` neighbouring elements of a row of the product.
#[inline(always)]
unsafe fn columns<T: Real, const W: usize>(
    k: usize,
    a: *const T,
    ca: isize,
    b: *const T,
    rb: isize,
    c: *mut T,
) {
    let mut sum = [T::ZERO; W];
    for p in 0..k as isize {
        // SAFETY: the caller's elements.
        let (x, y) = unsafe { (*a.offset(p * ca), &*b.offset(p * rb).cast::<[T; W]>()) };
        for l in 0..W {
            sum[l] = sum[l] + x * y[l];
        }
    }
    // SAFETY: as above.
    unsafe { *c.cast::<[T; W]>() = sum };
}

/// The sum of the products of two rows: lanes side by side, then their sum as a tree.
#[inline(always)]
fn inner<T: Real>(a: &[T], b: &[T]) -> T {
    let mut sum = [T::ZERO; LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for l in 0..LANES {
            sum[l] = sum[l] + a[l] * b[l];
        }
    }
    for (l, (a, b)) in a_rest.iter().zip(b_rest).enumerate() {
        sum[l] = sum[l] + *a * *b;
    }
    fold_lanes(sum, |a, b| a + b)
}
