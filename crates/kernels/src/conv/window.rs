//! Pools: folding windows that move over up to three axes of space, channels last, and their adjoints.
//!
//! All loops go over the channels in vectors; elements of a window are visited in row-major order.

use crate::conv::times;
use crate::elementwise::math::maximum;
use crate::isa::dispatch;
use crate::kernel::{Execute, Kernel, Machine, Scratch};
use crate::scope::{Touch, product};
use crate::shared::Shared;
use crate::vector::LANES;
use crate::{Place, Real};

/// The sizes of windows; three axes of space, the first ones of size 1 where there are fewer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Windows {
    /// Samples.
    pub batch: usize,
    /// Elements of the input along each axis.
    pub size: [usize; 3],
    /// Elements of the window along each axis.
    pub window: [usize; 3],
    /// Positions of the window along each axis.
    pub out: [usize; 3],
    /// Channels.
    pub channels: usize,
    /// Steps between two positions.
    pub stride: [usize; 3],
    /// Padding before the first element; negative to cut. Padding is left out of the fold.
    pub low: [isize; 3],
    /// From one element of the input to the next; what lies between is left out.
    pub base_dilation: [usize; 3],
}

/// What is done with windows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum WindowFold {
    /// The sum of every window of `x`.
    Add,
    /// The largest of every window of `x`; NaN when there is one.
    Maximum,
    /// `y`, of the shape of `x`, at the place of the first largest of every window of `x`; a NaN counts as
    /// the largest.
    Gather,
    /// `y`, of the shape of the windows' positions, added to those places; zeros elsewhere.
    Scatter,
}

/// Windows of dense tensors.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Window<P = Place> {
    /// What is done.
    pub fold: WindowFold,
    /// The sizes.
    pub windows: Windows,
    /// The tensor that windows move over.
    pub x: P,
    /// The second operand of [`WindowFold::Gather`] and [`WindowFold::Scatter`].
    pub y: Option<P>,
    /// The result.
    pub to: P,
}

impl<P> Window<P> {
    /// The same windows with other places.
    pub fn map<'a, Q, F: FnMut(&'a P) -> Q>(&'a self, place: &mut F) -> Window<Q> {
        let (x, y) = (place(&self.x), self.y.as_ref().map(&mut *place));
        Window { fold: self.fold, windows: self.windows.clone(), x, y, to: place(&self.to) }
    }
}

/// Elements that a task visits.
const TASK: usize = 1 << 16;

impl Windows {
    /// Checks what the loops rely on.
    fn check(&self) -> Result<(), String> {
        let sizes = [self.size, self.window, self.out, self.stride, self.base_dilation];
        if sizes.as_flattened().contains(&0) {
            return Err("windows of nothing".into());
        }
        let reach = |i: usize| self.out[i].checked_mul(self.stride[i])?.checked_add(self.window[i]);
        let spans = [reach(0), reach(1), reach(2)].map(|s| s.unwrap_or(usize::MAX));
        let small = |n: usize| n < isize::MAX as usize / 4;
        let fits = spans.into_iter().all(small) && self.low.iter().all(|l| small(l.unsigned_abs()));
        let visits = product(&[self.positions(), self.taps(), self.channels.max(1)]);
        // Numbers of a window's elements are exact in single precision.
        let numbered = self.taps() < 1 << 24;
        if fits && numbered && visits.is_some() { Ok(()) } else { Err("a size overflows".into()) }
    }

    fn input_count(&self) -> Option<usize> {
        product(&[self.batch, self.size[0], self.size[1], self.size[2], self.channels])
    }

    fn output_count(&self) -> Option<usize> {
        product(&[self.batch, self.out[0], self.out[1], self.out[2], self.channels])
    }

    /// Elements of input and result.
    fn elements(&self) -> usize {
        self.input_count().unwrap_or(usize::MAX).saturating_add(self.output_count().unwrap_or(usize::MAX))
    }

    fn positions(&self) -> usize {
        self.out.iter().fold(1, |p, &n| p.saturating_mul(n))
    }

    fn taps(&self) -> usize {
        self.window.iter().fold(1, |p, &n| p.saturating_mul(n))
    }

    /// The elements of the window at a position along an axis that exist: the first one's place in the input,
    /// and how many.
    #[inline(always)]
    fn range(&self, axis: usize, position: usize) -> (usize, usize) {
        let start = (position * self.stride[axis]) as isize - self.low[axis];
        let step = self.base_dilation[axis] as isize;
        let skip = match start {
            _ if start < 0 => -start,
            _ if step == 1 => 0,
            _ => (step - start % step) % step,
        };
        let from = (start + skip) / step;
        let room = (self.window[axis] as isize - skip + step - 1) / step;
        let count = (self.size[axis] as isize - from).min(room);
        if skip >= self.window[axis] as isize || count <= 0 {
            (0, 0)
        } else {
            (from as usize, count as usize)
        }
    }

    /// Writes down the pixels of a box of at most [`FEW`].
    #[inline(always)]
    fn list(&self, ranges: &[(usize, usize); 3], list: &mut [usize; FEW]) {
        let mut number = 0;
        self.visit(ranges, |pixel| {
            list[number] = pixel;
            number += 1;
        });
    }

    /// Calls `f` with every pixel of a box, in their order.
    #[inline(always)]
    fn visit(&self, ranges: &[(usize, usize); 3], mut f: impl FnMut(usize)) {
        let [(d0, dn), (h0, hn), (w0, wn)] = *ranges;
        for d in d0..d0 + dn {
            for h in h0..h0 + hn {
                let row = (d * self.size[1] + h) * self.size[2];
                for w in w0..w0 + wn {
                    f(row + w);
                }
            }
        }
    }
}

/// Windows of up to so many elements have loops over a list of them.
const FEW: usize = 64;

/// One sample.
#[derive(Clone, Copy)]
struct Sample<'a, T> {
    windows: &'a Windows,
    fold: WindowFold,
    x: *const T,
    y: *const T,
    to: *mut T,
}

impl Kernel for Window {
    fn name(&self) -> &'static str {
        "window"
    }

    fn detail(&self) -> String {
        let v = &self.windows;
        let fold = format!("{:?}", self.fold).to_lowercase();
        format!("{fold} {}x{}, {} by {}", v.batch, times(&v.size), v.channels, times(&v.window))
    }

    fn elements(&self) -> usize {
        self.windows.elements()
    }

    fn touches(&self) -> Result<Vec<Touch>, String> {
        self.windows.check()?;
        let (input, output) = (self.windows.input_count(), self.windows.output_count());
        let (second, result) = match self.fold {
            WindowFold::Add | WindowFold::Maximum => (None, output),
            WindowFold::Gather => (Some(input), output),
            WindowFold::Scatter => (Some(output), input),
        };
        let x = Touch::read(self.x, input)?;
        let y = match (self.y, second) {
            (Some(y), Some(count)) => Touch::read(y, count)?,
            (None, None) => None,
            _ => return Err("windows with operands too many or too few".into()),
        };
        let to = Touch::write(self.to, result)?;
        Ok(x.into_iter().chain(y).chain(to).collect())
    }

    fn scratch(&self, _: usize) -> Scratch {
        Scratch::default()
    }
}

impl Execute for Window {
    unsafe fn execute<T: Real>(&self, on: &Machine<'_, T>) {
        let (x, to) = (on.at(self.x), on.at(self.to));
        let y = self.y.map_or(std::ptr::null_mut(), |y| on.at(y));
        let isa = on.isa;
        let w = &self.windows;
        let input = w.size.iter().product::<usize>() * w.channels;
        let output = w.positions() * w.channels;
        let (second, result) = match self.fold {
            WindowFold::Add | WindowFold::Maximum => (0, output),
            WindowFold::Gather => (input, output),
            WindowFold::Scatter => (output, input),
        };
        let work = output.saturating_mul(w.taps()).max(input).max(1);
        let samples = (TASK / work).clamp(1, w.batch.max(1));
        let shared = (Shared(x), Shared(y), Shared(to));
        let job = |task: usize, _: usize| {
            let (x, y, to) = &shared;
            for i in task * samples..((task + 1) * samples).min(w.batch) {
                let x = x.0.wrapping_add(i * input).cast_const();
                let y = y.0.wrapping_add(i * second).cast_const();
                let sample = Sample { windows: w, fold: self.fold, x, y, to: to.0.wrapping_add(i * result) };
                dispatch!(isa, one::<T>(sample: Sample<'_, T>));
            }
        };
        on.pool.run(w.batch.div_ceil(samples), &job);
    }
}

#[inline(always)]
fn one<T: Real>(sample: Sample<'_, T>) {
    let c = sample.windows.channels;
    if sample.fold == WindowFold::Scatter {
        let count = sample.windows.size.iter().product::<usize>() * c;
        // SAFETY: the sample's own results.
        unsafe { std::slice::from_raw_parts_mut(sample.to, count).fill(T::ZERO) };
    }
    let w = sample.windows;
    // Where all of a window exists, its pixels lie as those of any such window.
    let mut inner = [0; FEW];
    let taps = w.taps();
    let same = taps <= FEW && w.base_dilation == [1; 3] && (0..3).all(|i| w.window[i] <= w.size[i]);
    if same {
        w.list(&w.window.map(|n| (0, n)), &mut inner);
    }
    // Every pixel belongs to one window at most.
    let apart = (0..3).all(|i| w.stride[i] >= w.window[i]) && w.base_dilation == [1; 3];
    let mut list = [0; FEW];
    let mut number = 0;
    for d in 0..w.out[0] {
        for h in 0..w.out[1] {
            let (rd, rh) = (w.range(0, d), w.range(1, h));
            for v in 0..w.out[2] {
                let ranges = [rd, rh, w.range(2, v)];
                let all = ranges.iter().map(|r| r.1).product::<usize>();
                if same && all == taps {
                    let first = (ranges[0].0 * w.size[1] + ranges[1].0) * w.size[2] + ranges[2].0;
                    few(&sample, number, first, &inner[..taps], apart);
                } else if all <= FEW {
                    w.list(&ranges, &mut list);
                    few(&sample, number, 0, &list[..all], apart);
                } else {
                    many(&sample, number, &ranges);
                }
                number += 1;
            }
        }
    }
}

/// The window at position `p`, whose elements lie at these pixels after `first`.
#[inline(always)]
fn few<T: Real>(s: &Sample<'_, T>, p: usize, first: usize, pixels: &[usize], apart: bool) {
    let c = s.windows.channels;
    let mut f = 0;
    while f + LANES <= c {
        few_strip::<T, LANES>(s, p, (first * c + f, f), pixels, apart);
        f += LANES;
    }
    while f + 4 <= c {
        few_strip::<T, 4>(s, p, (first * c + f, f), pixels, apart);
        f += 4;
    }
    while f < c {
        few_strip::<T, 1>(s, p, (first * c + f, f), pixels, apart);
        f += 1;
    }
}

/// `W` neighbouring channels from `f` on.
#[inline(always)]
fn few_strip<T: Real, const W: usize>(
    s: &Sample<'_, T>,
    p: usize,
    (first, f): (usize, usize),
    pixels: &[usize],
    apart: bool,
) {
    let c = s.windows.channels;
    // SAFETY: these pixels are those of the sample, and positions have results of their own; with `Scatter`,
    // results are the sample's own.
    unsafe {
        let at = |base: *const T, pixel: usize| *base.add(first + pixel * c).cast::<[T; W]>();
        let to = s.to.wrapping_add(p * c + f).cast::<[T; W]>();
        let Some((&start, rest)) = pixels.split_first() else {
            match s.fold {
                WindowFold::Add | WindowFold::Gather => *to = [T::ZERO; W],
                WindowFold::Maximum => *to = [T::LOWEST; W],
                WindowFold::Scatter => {}
            }
            return;
        };
        match s.fold {
            WindowFold::Add => {
                let mut sum = at(s.x, start);
                for &pixel in rest {
                    let x = at(s.x, pixel);
                    for l in 0..W {
                        sum[l] = sum[l] + x[l];
                    }
                }
                *to = sum;
            }
            WindowFold::Maximum => {
                let mut top = at(s.x, start);
                for &pixel in rest {
                    let x = at(s.x, pixel);
                    for l in 0..W {
                        top[l] = maximum(top[l], x[l]);
                    }
                }
                *to = top;
            }
            WindowFold::Gather => {
                let (mut top, mut chosen) = (at(s.x, start), at(s.y, start));
                for &pixel in rest {
                    let (x, y) = (at(s.x, pixel), at(s.y, pixel));
                    for l in 0..W {
                        let better = beats(x[l], top[l]);
                        top[l] = if better { x[l] } else { top[l] };
                        chosen[l] = if better { y[l] } else { chosen[l] };
                    }
                }
                *to = chosen;
            }
            WindowFold::Scatter => {
                // The number of the largest in the list, exact in any precision.
                let (mut top, mut chosen) = (at(s.x, start), [T::ZERO; W]);
                let mut number = T::ZERO;
                for &pixel in rest {
                    number = number + T::ONE;
                    let x = at(s.x, pixel);
                    for l in 0..W {
                        let better = beats(x[l], top[l]);
                        top[l] = if better { x[l] } else { top[l] };
                        chosen[l] = if better { number } else { chosen[l] };
                    }
                }
                let g = *s.y.add(p * c + f).cast::<[T; W]>();
                let mut number = T::ZERO;
                for &pixel in pixels {
                    let to = s.to.add(first + pixel * c).cast::<[T; W]>();
                    let before = if apart { [T::ZERO; W] } else { *to };
                    let mut after = before;
                    for l in 0..W {
                        after[l] = if chosen[l] == number { before[l] + g[l] } else { before[l] };
                    }
                    *to = after;
                    number = number + T::ONE;
                }
            }
        }
    }
}

/// The window at position `p`, whose elements are those of a box.
#[inline(always)]
fn many<T: Real>(s: &Sample<'_, T>, p: usize, ranges: &[(usize, usize); 3]) {
    let c = s.windows.channels;
    let mut f = 0;
    while f + LANES <= c {
        many_strip::<T, LANES>(s, p, ranges, f);
        f += LANES;
    }
    while f < c {
        many_strip::<T, 1>(s, p, ranges, f);
        f += 1;
    }
}

#[inline(always)]
fn many_strip<T: Real, const W: usize>(s: &Sample<'_, T>, p: usize, ranges: &[(usize, usize); 3], f: usize) {
    let (w, c) = (s.windows, s.windows.channels);
    // SAFETY: as in `few_strip`; `visit` gives pixels of the sample alone.
    unsafe {
        let at = |base: *const T, pixel: usize| &*base.add(pixel * c + f).cast::<[T; W]>();
        let to = s.to.wrapping_add(p * c + f).cast::<[T; W]>();
        let (mut top, mut chosen) = ([T::LOWEST; W], [T::ZERO; W]);
        let mut number = T::ZERO;
        match s.fold {
            WindowFold::Add => {
                let mut sum = [T::ZERO; W];
                w.visit(ranges, |pixel| {
                    let x = at(s.x, pixel);
                    for l in 0..W {
                        sum[l] = sum[l] + x[l];
                    }
                });
                *to = sum;
            }
            WindowFold::Maximum => {
                w.visit(ranges, |pixel| {
                    let x = at(s.x, pixel);
                    for l in 0..W {
                        top[l] = maximum(top[l], x[l]);
                    }
                });
                *to = top;
            }
            WindowFold::Gather => {
                w.visit(ranges, |pixel| {
                    let (x, y) = (at(s.x, pixel), at(s.y, pixel));
                    for l in 0..W {
                        let better = (number == T::ZERO) | beats(x[l], top[l]);
                        top[l] = if better { x[l] } else { top[l] };
                        chosen[l] = if better { y[l] } else { chosen[l] };
                    }
                    number = T::ONE;
                });
                *to = chosen;
            }
            WindowFold::Scatter => {
                // Counted from 1; below 2^24, so exact.
                w.visit(ranges, |pixel| {
                    let x = at(s.x, pixel);
                    let first = number == T::ZERO;
                    number = number + T::ONE;
                    for l in 0..W {
                        let better = first | beats(x[l], top[l]);
                        top[l] = if better { x[l] } else { top[l] };
                        chosen[l] = if better { number } else { chosen[l] };
                    }
                });
                let g = at(s.y, p);
                number = T::ZERO;
                w.visit(ranges, |pixel| {
                    let to = &mut *s.to.add(pixel * c + f).cast::<[T; W]>();
                    number = number + T::ONE;
                    for l in 0..W {
                        to[l] = if chosen[l] == number { to[l] + g[l] } else { to[l] };
                    }
                });
            }
        }
    }
}

/// Whether a number takes the place of the largest so far.
#[inline(always)]
fn beats<T: Real>(x: T, top: T) -> bool {
    (x > top) | (x.is_nan() & !top.is_nan())
}
