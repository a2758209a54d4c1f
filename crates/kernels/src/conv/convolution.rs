//! Convolutions over up to three axes of space, channels last, without any copy of windows.
//!
//! A block of neighbouring results (positions by filters) stays in registers while the loops walk over the
//! window and its channels ([`crate::conv::walk`]). Where the window reaches into padding or between dilated
//! elements, a sample is first copied with its zeros. The gradient by the kernel is the same loop with
//! positions in the place of the window; samples are summed in chunks, and the chunks in their order.

mod kernel_gradient;

use crate::conv::walk::{ROWS, Walk, piece};
use crate::elementwise::tile::{LANES, range_of};
use crate::isa::{Isa, dispatch};
use crate::matmul::dot::Shared;
use crate::{Place, Pool, Real};

/// The sizes of a convolution; three axes of space, the first ones of size 1 where there are fewer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Geometry {
    /// Samples.
    pub batch: usize,
    /// Elements of the input along each axis.
    pub size: [usize; 3],
    /// Channels of the input.
    pub channels: usize,
    /// Elements of the window along each axis.
    pub window: [usize; 3],
    /// Positions of the window along each axis.
    pub out: [usize; 3],
    /// Channels of the result.
    pub filters: usize,
    /// Into how many groups the channels fall.
    pub groups: usize,
    /// Steps between two positions.
    pub stride: [usize; 3],
    /// Zeros before the first element; negative to cut.
    pub low: [isize; 3],
    /// From one element of the input to the next; what lies between is zeros.
    pub lhs_dilation: [usize; 3],
    /// From one element of the window to the next, in elements of the dilated input.
    pub rhs_dilation: [usize; 3],
}

/// `z[b, p, f] = Σ over window and channels of x[b, …] · k[…, f]`; `x` and `z` are dense.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Convolution<P = Place> {
    /// The sizes.
    pub geometry: Geometry,
    /// The input.
    pub x: P,
    /// The kernel.
    pub kernel: P,
    /// Strides in the kernel: along the window's axes, its channels, its filters.
    pub strides: [isize; 5],
    /// The result.
    pub z: P,
}

/// `k[…, f] = Σ over samples and positions of x[b, …] · g[b, p, f]`; all are dense.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ConvolutionKernel<P = Place> {
    /// The sizes.
    pub geometry: Geometry,
    /// The input.
    pub x: P,
    /// What the convolution's result gets.
    pub g: P,
    /// What the kernel gets.
    pub kernel: P,
}

impl<P> Convolution<P> {
    /// The same convolution with other places.
    pub fn map<'a, Q, F: FnMut(&'a P) -> Q>(&'a self, place: &mut F) -> Convolution<Q> {
        Convolution {
            geometry: self.geometry.clone(),
            x: place(&self.x),
            kernel: place(&self.kernel),
            strides: self.strides,
            z: place(&self.z),
        }
    }
}

impl<P> ConvolutionKernel<P> {
    /// The same adjoint with other places.
    pub fn map<'a, Q, F: FnMut(&'a P) -> Q>(&'a self, place: &mut F) -> ConvolutionKernel<Q> {
        ConvolutionKernel {
            geometry: self.geometry.clone(),
            x: place(&self.x),
            g: place(&self.g),
            kernel: place(&self.kernel),
        }
    }
}

/// Multiplications of a task.
const TASK: usize = 1 << 20;
/// Chunks of samples that are summed on their own.
const CHUNKS: usize = 32;
/// Elements of all chunks' sums together.
const SUMS: usize = 1 << 22;
/// The widest block: two vectors.
const WIDEST: usize = 2 * LANES;

fn product(sizes: &[usize]) -> Option<usize> {
    sizes.iter().try_fold(1usize, |n, &s| n.checked_mul(s)).filter(|&n| n <= isize::MAX as usize)
}

/// Strides of the axes of a dense sample.
fn sample_strides(size: [usize; 3], channels: usize) -> [isize; 3] {
    let row = size[2] * channels;
    [(size[1] * row) as isize, row as isize, channels as isize]
}

/// Counts through a grid, the last axis first.
struct Odometer<const N: usize> {
    counts: [usize; N],
    strides: [isize; N],
    at: [usize; N],
    offset: isize,
}

impl<const N: usize> Odometer<N> {
    /// Begins at element `first`.
    #[inline(always)]
    fn new(counts: [usize; N], strides: [isize; N], first: usize) -> Self {
        let (mut rest, mut at, mut offset) = (first, [0; N], 0);
        for i in (0..N).rev() {
            at[i] = rest % counts[i];
            rest /= counts[i];
            offset += at[i] as isize * strides[i];
        }
        Self { counts, strides, at, offset }
    }

    /// The offset of the element at hand, and on to the next.
    #[inline(always)]
    fn next(&mut self) -> isize {
        let offset = self.offset;
        for i in (0..N).rev() {
            self.at[i] += 1;
            self.offset += self.strides[i];
            if self.at[i] < self.counts[i] {
                break;
            }
            self.offset -= self.strides[i] * self.counts[i] as isize;
            self.at[i] = 0;
        }
        offset
    }

    /// The offsets of the next elements.
    #[inline(always)]
    fn rows(&mut self, count: usize) -> [isize; ROWS] {
        let mut rows = [0; ROWS];
        for row in &mut rows[..count] {
            *row = self.next();
        }
        rows
    }
}

/// Where a sample, or the part of it that some positions read, lies with all its zeros.
struct Image<T> {
    base: *const T,
    /// Strides of the axes of space.
    strides: [isize; 3],
}

impl Geometry {
    /// Whether positions read a sample where it lies: without padding and without dilation of the input.
    fn is_direct(&self) -> bool {
        (0..3).all(|i| {
            let last = (self.out[i] - 1) * self.stride[i] + (self.window[i] - 1) * self.rhs_dilation[i];
            let inside = last as isize - self.low[i] < self.size[i] as isize;
            self.lhs_dilation[i] == 1 && self.low[i] <= 0 && inside
        })
    }

    /// Elements between the first and the last that `count` positions read along an axis, both included.
    fn span(&self, axis: usize, count: usize) -> usize {
        (count - 1) * self.stride[axis] + (self.window[axis] - 1) * self.rhs_dilation[axis] + 1
    }

    /// Checks what the loops rely on.
    pub(crate) fn check(&self) -> Result<(), String> {
        let sizes = [self.size, self.window, self.out, self.stride, self.lhs_dilation, self.rhs_dilation];
        let counts = [self.channels, self.filters, self.groups];
        if sizes.as_flattened().contains(&0) || counts.contains(&0) {
            return Err("a convolution of nothing".into());
        }
        if !self.channels.is_multiple_of(self.groups) || !self.filters.is_multiple_of(self.groups) {
            return Err("channels do not fall into groups".into());
        }
        let reach = |i: usize| {
            let positions = (self.out[i] - 1).checked_mul(self.stride[i])?;
            let window = (self.window[i] - 1).checked_mul(self.rhs_dilation[i])?;
            positions.checked_add(window)?.checked_add(1)
        };
        let spans = [reach(0), reach(1), reach(2)].map(|s| s.unwrap_or(usize::MAX));
        let padded = product(&[spans.as_slice(), &[self.channels]].concat());
        let work = product(&[self.batch, self.out[0], self.out[1], self.out[2], WIDEST]);
        match (padded, work, self.low.iter().all(|l| l.unsigned_abs() < isize::MAX as usize / 4)) {
            (Some(_), Some(_), true) => Ok(()),
            _ => Err("a size overflows".into()),
        }
    }

    pub(crate) fn input_count(&self) -> Option<usize> {
        product(&[self.batch, self.size[0], self.size[1], self.size[2], self.channels])
    }

    pub(crate) fn output_count(&self) -> Option<usize> {
        product(&[self.batch, self.out[0], self.out[1], self.out[2], self.filters])
    }

    pub(crate) fn kernel_count(&self) -> Option<usize> {
        product(&[self.window[0], self.window[1], self.window[2], self.channels / self.groups, self.filters])
    }

    /// Multiplications and additions of all of it.
    pub fn flops(&self) -> u64 {
        let sizes =
            [self.batch, self.taps(), self.positions(), self.channels / self.groups.max(1), self.filters];
        sizes.iter().fold(2, |p, &n| p.saturating_mul(n as u64))
    }

    /// Elements of input, kernel and result.
    pub fn elements(&self) -> usize {
        let counts = [self.input_count(), self.kernel_count(), self.output_count()];
        counts.iter().fold(0, |sum, n| sum.saturating_add(n.unwrap_or(usize::MAX)))
    }

    fn positions(&self) -> usize {
        self.out.iter().product()
    }

    fn taps(&self) -> usize {
        self.window.iter().product()
    }

    /// Channels of a group.
    fn inner(&self) -> usize {
        self.channels / self.groups
    }

    /// Filters of a group.
    fn outer(&self) -> usize {
        self.filters / self.groups
    }

    fn is_depthwise(&self) -> bool {
        self.inner() == 1 && self.outer() == 1
    }

    /// The first axis along which the window moves: a sample may be cut there.
    fn axis(&self) -> usize {
        (0..3).find(|&i| self.out[i] > 1).unwrap_or(2)
    }

    /// Multiplications of a sample.
    fn work(&self) -> usize {
        let sizes = [self.positions(), self.taps(), self.inner(), self.filters];
        sizes.iter().fold(1usize, |p, &n| p.saturating_mul(n)).max(1)
    }

    /// How a task cuts the work: positions along [`Geometry::axis`], and samples.
    fn cut(&self) -> (usize, usize) {
        let length = self.out[self.axis()];
        let strip = (TASK / (self.work() / length).max(1)).clamp(1, length);
        // All strips nearly alike.
        let strip = length.div_ceil(length.div_ceil(strip));
        let samples = if strip < length { 1 } else { (TASK / self.work()).clamp(1, self.batch.max(1)) };
        (strip, samples)
    }

    /// The elements of a copy of the part of a sample that this many positions along the first axis read.
    fn slab(&self, positions: usize) -> usize {
        if self.is_direct() {
            return 0;
        }
        self.extent(positions).iter().product::<usize>() * self.channels
    }

    fn extent(&self, positions: usize) -> [usize; 3] {
        let mut extent = [0, 1, 2].map(|i| self.span(i, self.out[i]));
        extent[self.axis()] = self.span(self.axis(), positions);
        extent
    }

    /// The part of a sample that `count` positions from `first` on read along the first axis.
    ///
    /// # Safety
    /// `x` is the sample, and `slab` has [`Geometry::slab`] elements.
    unsafe fn image<T: Real>(&self, x: *const T, first: usize, count: usize, slab: *mut T) -> Image<T> {
        let axis = self.axis();
        let mut start = self.low.map(|l| -l);
        start[axis] += (first * self.stride[axis]) as isize;
        let strides = sample_strides(self.size, self.channels);
        if self.is_direct() {
            let offset: isize = (0..3).map(|i| start[i] * strides[i]).sum();
            return Image { base: x.wrapping_offset(offset), strides };
        }
        let extent = self.extent(count);
        let source = |i: usize, at: usize| {
            let at = start[i] + at as isize;
            let step = self.lhs_dilation[i] as isize;
            (at >= 0 && at % step == 0 && at / step < self.size[i] as isize).then_some(at / step)
        };
        let c = self.channels;
        let row = extent[2] * c;
        // Along the last axis, the elements that exist: the first one's place, and how many.
        let step = self.lhs_dilation[2] as isize;
        let skip = if start[2] < 0 { -start[2] } else { (step - start[2] % step) % step };
        let from = (start[2] + skip) / step;
        let room = (extent[2] as isize - skip + step - 1) / step;
        let count = (self.size[2] as isize - from).min(room).max(0) as usize;
        for d in 0..extent[0] {
            for h in 0..extent[1] {
                // SAFETY: rows and elements of the slab, and sources within the sample.
                unsafe {
                    let to = slab.add((d * extent[1] + h) * row);
                    let (Some(sd), Some(sh), true) = (source(0, d), source(1, h), count > 0) else {
                        std::ptr::write_bytes(to, 0, row);
                        continue;
                    };
                    let x = x.offset(sd * strides[0] + sh * strides[1] + from * strides[2]);
                    let (skip, step) = (skip as usize * c, step as usize * c);
                    if step == c {
                        std::ptr::write_bytes(to, 0, skip);
                        std::ptr::copy_nonoverlapping(x, to.add(skip), count * c);
                        let end = skip + count * c;
                        std::ptr::write_bytes(to.add(end), 0, row - end);
                    } else {
                        std::ptr::write_bytes(to, 0, row);
                        for i in 0..count {
                            std::ptr::copy_nonoverlapping(x.add(i * c), to.add(skip + i * step), c);
                        }
                    }
                }
            }
        }
        Image { base: slab, strides: sample_strides(extent, c) }
    }

    /// The offsets of positions, and those of the window.
    fn grids(&self, strides: [isize; 3]) -> ([isize; 3], [isize; 3]) {
        let scaled = |by: [usize; 3]| [0, 1, 2].map(|i| strides[i] * by[i] as isize);
        (scaled(self.stride), scaled(self.rhs_dilation))
    }
}

impl Convolution {
    /// Elements of the kernel's copy, at most.
    fn copied(&self) -> usize {
        let g = &self.geometry;
        if g.is_depthwise() {
            return g.taps() * g.channels;
        }
        g.taps() * g.inner() * g.groups * g.outer().next_multiple_of(LANES)
    }

    /// The elements of scratch that a worker needs, and that the first one needs.
    pub(crate) fn scratch(&self) -> (usize, usize) {
        let slab = self.geometry.slab(self.geometry.cut().0);
        (slab, slab + self.copied().next_multiple_of(LANES))
    }

    /// The lowest and highest offset in the kernel.
    pub(crate) fn kernel_range(&self) -> (isize, isize) {
        let g = &self.geometry;
        let [d, h, w] = g.window;
        let sizes = [d, h, w, g.inner(), g.filters];
        let dims: Vec<_> = sizes.into_iter().zip(self.strides).collect();
        range_of(&dims)
    }

    /// Runs it; `scratch` gives every worker its own.
    ///
    /// # Safety
    /// All elements lie in memory; nobody writes what it reads or touches what it writes.
    pub(crate) unsafe fn run<T: Real>(
        &self,
        isa: Isa,
        pool: &Pool,
        (x, k, z): (*const T, *const T, *mut T),
        scratch: &(dyn Fn(usize) -> *mut T + Sync),
    ) {
        let g = &self.geometry;
        if g.batch == 0 {
            return;
        }
        let copied = scratch(0);
        let width = T::shape(isa).width;
        // SAFETY: the scratch has place for the copy.
        unsafe { self.copy_kernel(pool, width, k, copied) };
        let (strip, samples) = g.cut();
        let axis = g.axis();
        let strips = g.out[axis].div_ceil(strip);
        let behind = self.copied().next_multiple_of(LANES);
        let (x, z, copied) = (Shared(x.cast_mut()), Shared(z), Shared(copied));
        let input = g.size.iter().product::<usize>() * g.channels;
        let output = g.positions() * g.filters;
        let job = |task: usize, worker: usize| {
            let (x, z, copied) = (&x, &z, &copied);
            let slab = scratch(worker).wrapping_add(if worker == 0 { behind } else { 0 });
            let first = task % strips * strip;
            let count = strip.min(g.out[axis] - first);
            let sample = task / strips * samples;
            for sample in sample..(sample + samples).min(g.batch) {
                let mut out = g.out;
                out[axis] = count;
                let inside: usize = g.out[axis + 1..].iter().product();
                // SAFETY: every task has its worker's scratch, and the sample is one of the input.
                let image = unsafe { g.image(x.0.add(sample * input), first, count, slab) };
                let z = z.0.wrapping_add(sample * output + first * inside * g.filters);
                if g.is_depthwise() {
                    let part = Depthwise { g, image, out, k: copied.0, z };
                    dispatch!(isa, depthwise::<T>(part: Depthwise<'_, T>));
                } else {
                    // SAFETY: every task writes the results of its own samples and positions.
                    unsafe { self.part(isa, &image, out, copied.0, z) };
                }
            }
        };
        pool.run(g.batch.div_ceil(samples) * strips, &job);
    }

    /// Copies the kernel: for every group and vector of filters, row by row; depthwise, just row by row.
    unsafe fn copy_kernel<T: Real>(&self, pool: &Pool, width: usize, k: *const T, to: *mut T) {
        let g = &self.geometry;
        let [sd, sh, sw, si, so] = self.strides;
        let depthwise = g.is_depthwise();
        let (inner, outer) = if depthwise { (1, g.filters) } else { (g.inner(), g.outer()) };
        let groups = if depthwise { 1 } else { g.groups };
        let rows = g.taps() * inner;
        let (panel, panels) = panel_of(outer, width);
        let (panel, panels) = if depthwise { (outer, 1) } else { (panel, panels) };
        let padded = if depthwise { outer } else { outer.next_multiple_of(width) };
        let (k, to) = (Shared(k.cast_mut()), Shared(to));
        let job = |task: usize, _: usize| {
            let (k, to) = (&k, &to);
            let (group, first) = (task / panels, task % panels * panel);
            let count = panel.min(outer - first);
            let wide = panel.min(padded - first);
            let [d, h, w] = g.window;
            let mut at = Odometer::new([d, h, w, inner], [sd, sh, sw, si], 0);
            // SAFETY: the kernel's elements; every task has its own part of the copy.
            unsafe {
                let to = to.0.add(rows * (group * padded + first));
                for row in 0..rows {
                    let from = k.0.offset(at.next() + (group * outer + first) as isize * so);
                    let to = to.add(row * wide);
                    if so == 1 {
                        std::ptr::copy_nonoverlapping(from, to, count);
                    } else {
                        for f in 0..count {
                            *to.add(f) = *from.offset(f as isize * so);
                        }
                    }
                    for f in count..wide {
                        *to.add(f) = T::ZERO;
                    }
                }
            }
        };
        let tasks = groups * panels;
        if rows * g.filters < 1 << 15 { (0..tasks).for_each(|t| job(t, 0)) } else { pool.run(tasks, &job) }
    }

    /// All filters at some positions of a sample.
    #[inline(always)]
    unsafe fn part<T: Real>(&self, isa: Isa, image: &Image<T>, out: [usize; 3], copied: *const T, z: *mut T) {
        let g = &self.geometry;
        let shape = T::shape(isa);
        let (moves, steps) = g.grids(image.strides);
        let (inner, outer) = (g.inner(), g.outer());
        let rows = g.taps() * inner;
        let padded = outer.next_multiple_of(shape.width);
        // Neighbouring elements of the window that lie side by side are one run.
        let [d, h, w] = g.window;
        let joined = g.groups == 1 && g.rhs_dilation[2] == 1;
        let walk = Walk {
            counts: [d, h, if joined { 1 } else { w }],
            strides: steps,
            len: if joined { w * inner } else { inner },
            step: 1,
        };
        let positions = out.iter().product::<usize>();
        let (panel, panels) = panel_of(outer, shape.width);
        let mut edge = [T::ZERO; ROWS * WIDEST];
        for task in 0..g.groups * panels {
            let (group, first) = (task / panels, task % panels * panel);
            let count = panel.min(outer - first);
            let wide = panel.min(padded - first);
            let vectors = wide / shape.width;
            let k = copied.wrapping_add(rows * (group * padded + first));
            let base = image.base.wrapping_add(group * inner);
            let mut at = Odometer::new(out, moves, 0);
            let mut p = 0;
            while p < positions {
                let height = piece(positions - p, shape);
                let offsets = at.rows(height);
                let block = T::block(isa, height, vectors);
                // SAFETY: the image holds what these positions read, the copy the panel, and `z` the
                // block; `edge` holds the largest block.
                unsafe {
                    let to = z.add(p * g.filters + group * outer + first);
                    if count == wide {
                        block(&offsets, base, &walk, k, wide, to, g.filters, false);
                    } else {
                        block(&offsets, base, &walk, k, wide, edge.as_mut_ptr(), wide, false);
                        for r in 0..height {
                            std::ptr::copy_nonoverlapping(
                                edge.as_ptr().add(r * wide),
                                to.add(r * g.filters),
                                count,
                            );
                        }
                    }
                }
                p += height;
            }
        }
    }
}

/// The columns of a panel, and how many panels there are.
fn panel_of(columns: usize, width: usize) -> (usize, usize) {
    (2 * width, columns.div_ceil(2 * width).max(1))
}

/// Positions of a sample where every channel has a filter of its own.
struct Depthwise<'a, T> {
    g: &'a Geometry,
    image: Image<T>,
    out: [usize; 3],
    /// The kernel, row by row.
    k: *const T,
    z: *mut T,
}

#[inline(always)]
fn depthwise<T: Real>(part: Depthwise<'_, T>) {
    let c = part.g.channels;
    let mut f = 0;
    while f + LANES <= c {
        depthwise_strip::<T, LANES>(&part, f);
        f += LANES;
    }
    while f + 4 <= c {
        depthwise_strip::<T, 4>(&part, f);
        f += 4;
    }
    while f < c {
        depthwise_strip::<T, 1>(&part, f);
        f += 1;
    }
}

#[inline(always)]
fn depthwise_strip<T: Real, const W: usize>(part: &Depthwise<'_, T>, f: usize) {
    let (g, c) = (part.g, part.g.channels);
    let (moves, steps) = g.grids(part.image.strides);
    let mut at = Odometer::new(part.out, moves, 0);
    for p in 0..part.out.iter().product() {
        let x = part.image.base.wrapping_offset(at.next()).wrapping_add(f);
        let mut window = Odometer::new(g.window, steps, 0);
        let mut sum = [T::ZERO; W];
        for tap in 0..g.taps() {
            // SAFETY: the image holds what these positions read; the kernel has a row for every tap.
            let (x, k) = unsafe {
                (&*x.offset(window.next()).cast::<[T; W]>(), &*part.k.add(tap * c + f).cast::<[T; W]>())
            };
            for l in 0..W {
                sum[l] = sum[l] + x[l] * k[l];
            }
        }
        // SAFETY: this position's own results.
        unsafe { *part.z.add(p * c + f).cast::<[T; W]>() = sum };
    }
}
