//! What the kernel of a convolution gets: samples are summed in chunks, and the chunks in their order.

use super::*;

impl ConvolutionKernel {
    /// Chunks of samples, samples of a chunk, and rows of the kernel of a task.
    fn cut(&self) -> (usize, usize, usize) {
        let g = &self.geometry;
        let size = g.taps() * g.inner() * g.filters;
        let work = g.work().saturating_mul(g.batch);
        let most = CHUNKS.min(SUMS / size.max(1)).min(work / TASK).clamp(1, g.batch.max(1));
        let samples = g.batch.div_ceil(most).max(1);
        let chunks = g.batch.div_ceil(samples).max(1);
        // Where there are too few chunks to share, tasks share the kernel's rows.
        let rows = if g.is_depthwise() { g.taps() } else { g.taps() * g.inner() };
        let parts = (CHUNKS / 2 / chunks).min(work / chunks / TASK).clamp(1, rows.div_ceil(ROWS).max(1));
        (chunks, samples, rows.div_ceil(parts).next_multiple_of(ROWS))
    }

    /// Elements of the copy of a sample's last filters.
    fn tail(&self) -> usize {
        let g = &self.geometry;
        if g.is_depthwise() || g.outer().is_multiple_of(LANES) { 0 } else { g.positions() * WIDEST }
    }

    fn sums(&self) -> usize {
        let g = &self.geometry;
        let chunks = self.cut().0;
        if chunks == 1 { 0 } else { chunks * (g.taps() * g.inner() * g.filters).next_multiple_of(LANES) }
    }

    /// Adds one sample to some rows of the kernel.
    unsafe fn part<T: Real>(
        &self,
        isa: Isa,
        image: &Image<T>,
        rows: std::ops::Range<usize>,
        gradient: *const T,
        (to, add): (*mut T, bool),
        tail: *mut T,
    ) {
        let g = &self.geometry;
        let shape = T::shape(isa);
        let (moves, steps) = g.grids(image.strides);
        let (inner, outer) = (g.inner(), g.outer());
        let walk = Walk {
            counts: [g.out[0], g.out[1], 1],
            strides: [moves[0], moves[1], 0],
            len: g.out[2],
            step: moves[2],
        };
        let [d, h, w] = g.window;
        let (panel, panels) = panel_of(outer, shape.width);
        let mut edge = [T::ZERO; ROWS * WIDEST];
        for task in 0..g.groups * panels {
            let (group, first) = (task / panels, task % panels * panel);
            let count = panel.min(outer - first);
            let wide = panel.min(count.next_multiple_of(shape.width));
            let vectors = wide / shape.width;
            let column = group * outer + first;
            let base = image.base.wrapping_add(group * inner);
            let (mut b, mut stride) = (gradient.wrapping_add(column), g.filters);
            if count < wide {
                // SAFETY: the tail has place for all positions.
                unsafe {
                    for p in 0..g.positions() {
                        let to = tail.add(p * wide);
                        std::ptr::copy_nonoverlapping(b.add(p * g.filters), to, count);
                        for f in count..wide {
                            *to.add(f) = T::ZERO;
                        }
                    }
                }
                (b, stride) = (tail, wide);
            }
            let mut at = Odometer::new([d, h, w, inner], [steps[0], steps[1], steps[2], 1], rows.start);
            let mut r = rows.start;
            while r < rows.end {
                let height = piece(rows.end - r, shape);
                let offsets = at.rows(height);
                let block = T::block(isa, height, vectors);
                // SAFETY: the image holds what these rows read, `b` a row for every position, and the
                // kernel the block; `edge` holds the largest block.
                unsafe {
                    let to = to.add(r * g.filters + column);
                    if count == wide {
                        block(&offsets, base, &walk, b, stride, to, g.filters, add);
                    } else {
                        block(&offsets, base, &walk, b, stride, edge.as_mut_ptr(), wide, false);
                        for i in 0..height {
                            let to = std::slice::from_raw_parts_mut(to.add(i * g.filters), count);
                            for (to, v) in to.iter_mut().zip(&edge[i * wide..]) {
                                *to = if add { *to + *v } else { *v };
                            }
                        }
                    }
                }
                r += height;
            }
        }
    }
}

impl Kernel for ConvolutionKernel {
    fn name(&self) -> &'static str {
        "conv_kernel"
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
        let x = Touch::read(self.x, g.input_count())?;
        let gradient = Touch::read(self.g, g.output_count())?;
        let kernel = Touch::write(self.kernel, g.kernel_count())?;
        Ok(x.into_iter().chain(gradient).chain(kernel).collect())
    }

    /// The image of a worker and its last filters; the first one also has the sums of chunks.
    fn scratch(&self, _: usize) -> Scratch {
        let slab = self.geometry.slab(self.geometry.out[self.geometry.axis()]);
        let each = slab.next_multiple_of(LANES) + self.tail();
        Scratch::of((each, each + self.sums()))
    }
}

impl Execute for ConvolutionKernel {
    unsafe fn execute<T: Real>(&self, on: &Machine<'_, T>) {
        let (x, gradient, k) = (on.at(self.x), on.at(self.g), on.at(self.kernel));
        let isa = on.isa;
        let g = &self.geometry;
        let size = g.taps() * g.inner() * g.filters;
        if g.batch == 0 {
            // SAFETY: the result.
            unsafe { std::slice::from_raw_parts_mut(k, size).fill(T::ZERO) };
            return;
        }
        let (chunks, samples, rows) = self.cut();
        let all = if g.is_depthwise() { g.taps() } else { g.taps() * g.inner() };
        let parts = all.div_ceil(rows);
        let stride = size.next_multiple_of(LANES);
        let sums = self.sums();
        let target = Shared(if chunks == 1 { k } else { on.scratch(0) });
        let (x, gradient) = (Shared(x), Shared(gradient));
        let input = g.size.iter().product::<usize>() * g.channels;
        let output = g.positions() * g.filters;
        let axis = g.axis();
        let slab_size = g.slab(g.out[axis]).next_multiple_of(LANES);
        let job = |task: usize, worker: usize| {
            let (x, gradient, target) = (&x, &gradient, &target);
            let slab = on.scratch(worker).wrapping_add(if worker == 0 { sums } else { 0 });
            let (chunk, part) = (task / parts, task % parts);
            let first = chunk * samples;
            let rows = part * rows..((part + 1) * rows).min(all);
            for sample in first..(first + samples).min(g.batch) {
                // SAFETY: every task has its worker's scratch, and the sample is one of the input.
                let image = unsafe { g.image(x.0.add(sample * input), 0, g.out[axis], slab) };
                let gradient = gradient.0.wrapping_add(sample * output).cast_const();
                let to = target.0.wrapping_add(chunk * stride);
                let add = sample > first;
                if g.is_depthwise() {
                    let part = DepthwiseKernel { g, image, rows: rows.clone(), gradient, to, add };
                    dispatch!(isa, depthwise_kernel::<T>(part: DepthwiseKernel<'_, T>));
                } else {
                    let tail = slab.wrapping_add(slab_size);
                    // SAFETY: every task writes its own rows of its own chunk.
                    unsafe { self.part(isa, &image, rows.clone(), gradient, (to, add), tail) };
                }
            }
        };
        on.pool.run(chunks * parts, &job);
        if chunks > 1 {
            let to = Shared(k);
            let piece = 1 << 12;
            let job = |task: usize, _: usize| {
                let (to, from) = (&to, &target);
                let first = task * piece;
                let count = piece.min(size - first);
                // SAFETY: every task writes its own elements.
                let to = unsafe { std::slice::from_raw_parts_mut(to.0.add(first), count) };
                let from = from.0.wrapping_add(first).cast_const();
                dispatch!(isa, sum_up::<T>(from: *const T, stride: usize, chunks: usize, to: &mut [T]));
            };
            on.pool.run(size.div_ceil(piece), &job);
        }
    }
}

/// The chunks' sums, added in their order.
#[inline(always)]
fn sum_up<T: Real>(from: *const T, stride: usize, chunks: usize, to: &mut [T]) {
    for chunk in 0..chunks {
        // SAFETY: `ConvolutionKernel::run` gives the first of these elements of every chunk.
        let part = unsafe { std::slice::from_raw_parts(from.add(chunk * stride), to.len()) };
        if chunk == 0 {
            to.copy_from_slice(part);
        } else {
            for (to, v) in to.iter_mut().zip(part) {
                *to = *to + *v;
            }
        }
    }
}

/// The kernel's share of a sample where every channel has a filter of its own.
struct DepthwiseKernel<'a, T> {
    g: &'a Geometry,
    image: Image<T>,
    rows: std::ops::Range<usize>,
    gradient: *const T,
    to: *mut T,
    add: bool,
}

#[inline(always)]
fn depthwise_kernel<T: Real>(part: DepthwiseKernel<'_, T>) {
    let c = part.g.channels;
    let mut f = 0;
    while f + LANES <= c {
        depthwise_kernel_strip::<T, LANES>(&part, f);
        f += LANES;
    }
    while f + 4 <= c {
        depthwise_kernel_strip::<T, 4>(&part, f);
        f += 4;
    }
    while f < c {
        depthwise_kernel_strip::<T, 1>(&part, f);
        f += 1;
    }
}

#[inline(always)]
fn depthwise_kernel_strip<T: Real, const W: usize>(part: &DepthwiseKernel<'_, T>, f: usize) {
    let (g, c) = (part.g, part.g.channels);
    let (moves, steps) = g.grids(part.image.strides);
    let mut window = Odometer::new(g.window, steps, part.rows.start);
    for tap in part.rows.clone() {
        let x = part.image.base.wrapping_offset(window.next()).wrapping_add(f);
        let mut at = Odometer::new(g.out, moves, 0);
        let mut sum = [T::ZERO; W];
        for p in 0..g.positions() {
            // SAFETY: the image holds what these positions read; there is a gradient for each.
            let (x, g) = unsafe {
                (&*x.offset(at.next()).cast::<[T; W]>(), &*part.gradient.add(p * c + f).cast::<[T; W]>())
            };
            for l in 0..W {
                sum[l] = sum[l] + x[l] * g[l];
            }
        }
        // SAFETY: this task's own rows.
        let to = unsafe { &mut *part.to.add(tap * c + f).cast::<[T; W]>() };
        for l in 0..W {
            to[l] = if part.add { to[l] + sum[l] } else { sum[l] };
        }
    }
}
