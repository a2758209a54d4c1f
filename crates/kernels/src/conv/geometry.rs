//! The sizes of convolutions, and the images that their loops read.

use crate::Real;
use crate::conv::times;
use crate::conv::walk::ROWS;
use crate::scope::product;
use crate::vector::LANES;

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

/// Multiplications of a task.
pub(crate) const TASK: usize = 1 << 20;
/// The widest block: two vectors.
pub(crate) const WIDEST: usize = 2 * LANES;

/// Strides of the axes of a dense sample.
fn sample_strides(size: [usize; 3], channels: usize) -> [isize; 3] {
    let row = size[2] * channels;
    [(size[1] * row) as isize, row as isize, channels as isize]
}

/// Counts through a grid, the last axis first.
pub(crate) struct Odometer<const N: usize> {
    counts: [usize; N],
    strides: [isize; N],
    at: [usize; N],
    offset: isize,
}

impl<const N: usize> Odometer<N> {
    /// Begins at element `first`.
    #[inline(always)]
    pub(crate) fn new(counts: [usize; N], strides: [isize; N], first: usize) -> Self {
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
    pub(crate) fn next(&mut self) -> isize {
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
    pub(crate) fn rows(&mut self, count: usize) -> [isize; ROWS] {
        let mut rows = [0; ROWS];
        for row in &mut rows[..count] {
            *row = self.next();
        }
        rows
    }
}

/// Where a sample, or the part of it that some positions read, lies with all its zeros.
pub(crate) struct Image<T> {
    pub(crate) base: *const T,
    /// Strides of the axes of space.
    pub(crate) strides: [isize; 3],
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

    /// The sizes, for people.
    pub(crate) fn detail(&self) -> String {
        let groups = if self.groups == 1 { String::new() } else { format!(" in {} groups", self.groups) };
        format!(
            "{}x{}, {} by {} to {}, {}{groups}",
            self.batch,
            times(&self.size),
            self.channels,
            times(&self.window),
            times(&self.out),
            self.filters
        )
    }

    /// Multiplications and additions of all of it.
    pub(crate) fn flops(&self) -> u64 {
        let sizes =
            [self.batch, self.taps(), self.positions(), self.channels / self.groups.max(1), self.filters];
        sizes.iter().fold(2, |p, &n| p.saturating_mul(n as u64))
    }

    /// Elements of input, kernel and result.
    pub(crate) fn elements(&self) -> usize {
        let counts = [self.input_count(), self.kernel_count(), self.output_count()];
        counts.iter().fold(0, |sum, n| sum.saturating_add(n.unwrap_or(usize::MAX)))
    }

    pub(crate) fn positions(&self) -> usize {
        self.out.iter().product()
    }

    pub(crate) fn taps(&self) -> usize {
        self.window.iter().product()
    }

    /// Channels of a group.
    pub(crate) fn inner(&self) -> usize {
        self.channels / self.groups
    }

    /// Filters of a group.
    pub(crate) fn outer(&self) -> usize {
        self.filters / self.groups
    }

    pub(crate) fn is_depthwise(&self) -> bool {
        self.inner() == 1 && self.outer() == 1
    }

    /// The first axis along which the window moves: a sample may be cut there.
    pub(crate) fn axis(&self) -> usize {
        (0..3).find(|&i| self.out[i] > 1).unwrap_or(2)
    }

    /// Multiplications of a sample.
    pub(crate) fn work(&self) -> usize {
        let sizes = [self.positions(), self.taps(), self.inner(), self.filters];
        sizes.iter().fold(1usize, |p, &n| p.saturating_mul(n)).max(1)
    }

    /// How a task cuts the work: positions along [`Geometry::axis`], and samples.
    pub(crate) fn cut(&self) -> (usize, usize) {
        let length = self.out[self.axis()];
        let strip = (TASK / (self.work() / length).max(1)).clamp(1, length);
        // All strips nearly alike.
        let strip = length.div_ceil(length.div_ceil(strip));
        let samples = if strip < length { 1 } else { (TASK / self.work()).clamp(1, self.batch.max(1)) };
        (strip, samples)
    }

    /// The elements of a copy of the part of a sample that this many positions along the first axis read.
    pub(crate) fn slab(&self, positions: usize) -> usize {
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
    pub(crate) unsafe fn image<T: Real>(
        &self,
        x: *const T,
        first: usize,
        count: usize,
        slab: *mut T,
    ) -> Image<T> {
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
    pub(crate) fn grids(&self, strides: [isize; 3]) -> ([isize; 3], [isize; 3]) {
        let scaled = |by: [usize; 3]| [0, 1, 2].map(|i| strides[i] * by[i] as isize);
        (scaled(self.stride), scaled(self.rhs_dilation))
    }
}
