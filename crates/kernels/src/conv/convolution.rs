//! Convolutions over up to three axes of space, channels last, without any copy of windows.
//!
//! A block of neighbouring results (positions by filters) stays in registers while the loops walk over the
//! window and its channels ([`crate::conv::walk`]). Where the window reaches into padding or between dilated
//! elements, a sample is first copied with its zeros. The gradient by the kernel is the same loop with
//! positions in the place of the window; samples are summed in chunks, and the chunks in their order.

mod kernel_gradient;

use crate::conv::geometry::{Geometry, Image, Odometer, TASK, WIDEST};
use crate::conv::walk::{ROWS, Walk, piece};
use crate::isa::{Isa, dispatch};
use crate::kernel::{Execute, Kernel, Machine, Scratch};
use crate::scope::Touch;
use crate::shared::Shared;
use crate::vector::LANES;
use crate::{Place, Pool, Real};

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

/// Chunks of samples that are summed on their own.
const CHUNKS: usize = 32;
/// Elements of all chunks' sums together.
const SUMS: usize = 1 << 22;
impl Convolution {
    /// Elements of the kernel's copy, at most.
    fn copied(&self) -> usize {
        let g = &self.geometry;
        if g.is_depthwise() {
            return g.taps() * g.channels;
        }
        g.taps() * g.inner() * g.groups * g.outer().next_multiple_of(LANES)
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

impl Kernel for Convolution {
    fn name(&self) -> &'static str {
        "conv"
    }

    fn detail(&self) -> String {
        self.geometry.detail()
    }

    fn flops(&self) -> u64 {
        self.geometry.flops()
    }

    fn elements(&self) -> usize {
        self.geometry.elements()
    }

    fn touches(&self) -> Result<Vec<Touch>, String> {
        let g = &self.geometry;
        g.check()?;
        let [d, h, w] = g.window;
        let sizes = [d, h, w, g.inner(), g.filters];
        let kernel: Vec<_> = sizes.into_iter().zip(self.strides).collect();
        let kernel = (g.kernel_count() != Some(0)).then(|| Touch::strided(self.kernel, &kernel, false));
        let x = Touch::read(self.x, g.input_count())?;
        let z = Touch::write(self.z, g.output_count())?;
        Ok(x.into_iter().chain(kernel).chain(z).collect())
    }

    /// The image of a worker; the first one also has the copy of the kernel.
    fn scratch(&self, _: usize) -> Scratch {
        let slab = self.geometry.slab(self.geometry.cut().0);
        Scratch::of((slab, slab + self.copied().next_multiple_of(LANES)))
    }
}

impl Execute for Convolution {
    unsafe fn execute<T: Real>(&self, on: &Machine<'_, T>) {
        let (x, k, z) = (on.at(self.x), on.at(self.kernel), on.at(self.z));
        let isa = on.isa;
        let g = &self.geometry;
        if g.batch == 0 {
            return;
        }
        let copied = on.scratch(0);
        let width = T::shape(isa).width;
        // SAFETY: the scratch has place for the copy.
        unsafe { self.copy_kernel(on.pool, width, k, copied) };
        let (strip, samples) = g.cut();
        let axis = g.axis();
        let strips = g.out[axis].div_ceil(strip);
        let behind = self.copied().next_multiple_of(LANES);
        let (x, z, copied) = (Shared(x), Shared(z), Shared(copied));
        let input = g.size.iter().product::<usize>() * g.channels;
        let output = g.positions() * g.filters;
        let job = |task: usize, worker: usize| {
            let (x, z, copied) = (&x, &z, &copied);
            let slab = on.scratch(worker).wrapping_add(if worker == 0 { behind } else { 0 });
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
        on.pool.run(g.batch.div_ceil(samples) * strips, &job);
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
