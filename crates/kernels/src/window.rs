//! Pools: folding windows that move over up to three axes of space, channels last, and their adjoints.
//!
//! All loops go over the channels in vectors; elements of a window are visited in row-major order.

use crate::dot::Shared;
use crate::interpret::maximum;
use crate::isa::{Isa, dispatch};
use crate::tile::LANES;
use crate::{Place, Pool, Real};

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
    /// Distance of neighbours of the input; what lies between is left out.
    pub spread: [usize; 3],
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
pub struct Window {
    /// What is done.
    pub fold: WindowFold,
    /// The sizes.
    pub windows: Windows,
    /// The tensor that windows move over.
    pub x: Place,
    /// The second operand of [`WindowFold::Gather`] and [`WindowFold::Scatter`].
    pub y: Option<Place>,
    /// The result.
    pub to: Place,
}

/// Elements that a task visits.
const TASK: usize = 1 << 16;

fn product(sizes: &[usize]) -> Option<usize> {
    sizes.iter().try_fold(1usize, |n, &s| n.checked_mul(s)).filter(|&n| n <= isize::MAX as usize)
}

impl Windows {
    /// Checks what the loops rely on.
    pub(crate) fn check(&self) -> Result<(), String> {
        let sizes = [self.size, self.window, self.out, self.stride, self.spread];
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

    pub(crate) fn input_count(&self) -> Option<usize> {
        product(&[self.batch, self.size[0], self.size[1], self.size[2], self.channels])
    }

    pub(crate) fn output_count(&self) -> Option<usize> {
        product(&[self.batch, self.out[0], self.out[1], self.out[2], self.channels])
    }

    /// Elements of input and result.
    pub fn elements(&self) -> usize {
        self.input_count().unwrap_or(usize::MAX).saturating_add(self.output_count().unwrap_or(usize::MAX))
    }

    fn positions(&self) -> usize {
        self.out.iter().fold(1, |p, &n| p.saturating_mul(n))
    }

    fn taps(&self) -> usize {
        self.window.iter().fold(1, |p, &n| p.saturating_mul(n))
    }

    /// The elements of the window at a position along an axis that exist: the first one's place in the
    /// window and in the input, and how many; each is `spread` places of the window after the other.
    #[inline(always)]
    fn range(&self, axis: usize, position: usize) -> (usize, usize, usize) {
        let start = (position * self.stride[axis]) as isize - self.low[axis];
        let step = self.spread[axis] as isize;
        let skip = if start < 0 {
            -start
        } else if step == 1 {
            0
        } else {
            (step - start % step) % step
        };
        let from = (start + skip) / step;
        let room = (self.window[axis] as isize - skip + step - 1) / step;
        let count = (self.size[axis] as isize - from).min(room);
        if skip >= self.window[axis] as isize || count <= 0 {
            return (0, 0, 0);
        }
        (skip as usize, from as usize, count as usize)
    }

    /// Calls `f` with the offset (in pixels) of every element that the window at a position has, in their
    /// order.
    #[inline(always)]
    fn visit(&self, ranges: &[(usize, usize, usize); 3], mut f: impl FnMut(usize)) {
        let [(_, d0, dn), (_, h0, hn), (_, w0, wn)] = *ranges;
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

/// One sample.
#[derive(Clone, Copy)]
struct Sample<'a, T> {
    windows: &'a Windows,
    fold: WindowFold,
    x: *const T,
    y: *const T,
    to: *mut T,
}

impl Window {
    /// Runs it.
    ///
    /// # Safety
    /// All elements lie in memory; nobody writes what it reads or touches what it writes.
    pub(crate) unsafe fn run<T: Real>(
        &self,
        isa: Isa,
        pool: &Pool,
        (x, y, to): (*const T, *const T, *mut T),
    ) {
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
        let shared = (Shared(x.cast_mut()), Shared(y.cast_mut()), Shared(to));
        let job = |task: usize, _: usize| {
            let (x, y, to) = &shared;
            for i in task * samples..((task + 1) * samples).min(w.batch) {
                let x = x.0.wrapping_add(i * input).cast_const();
                let y = y.0.wrapping_add(i * second).cast_const();
                let sample = Sample { windows: w, fold: self.fold, x, y, to: to.0.wrapping_add(i * result) };
                dispatch!(isa, one::<T>(sample: Sample<'_, T>));
            }
        };
        pool.run(w.batch.div_ceil(samples), &job);
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
    let mut f = 0;
    while f + LANES <= c {
        strip::<T, LANES>(sample, f);
        f += LANES;
    }
    while f + 4 <= c {
        strip::<T, 4>(sample, f);
        f += 4;
    }
    while f < c {
        strip::<T, 1>(sample, f);
        f += 1;
    }
}

/// `W` neighbouring channels.
#[inline(always)]
fn strip<T: Real, const W: usize>(s: Sample<'_, T>, f: usize) {
    let (w, c) = (s.windows, s.windows.channels);
    let mut p = 0;
    for d in 0..w.out[0] {
        for h in 0..w.out[1] {
            let (rd, rh) = (w.range(0, d), w.range(1, h));
            for v in 0..w.out[2] {
                let ranges = [rd, rh, w.range(2, v)];
                // SAFETY: `visit` gives elements of the sample alone, and positions have results of their
                // own; with `Scatter`, results are the sample's own.
                unsafe {
                    let at = |base: *const T, pixel: usize| &*base.add(pixel * c + f).cast::<[T; W]>();
                    match s.fold {
                        WindowFold::Add => {
                            let mut sum = [T::ZERO; W];
                            w.visit(&ranges, |pixel| {
                                let x = at(s.x, pixel);
                                for l in 0..W {
                                    sum[l] = sum[l] + x[l];
                                }
                            });
                            *s.to.add(p * c + f).cast::<[T; W]>() = sum;
                        }
                        WindowFold::Maximum => {
                            let mut top = [T::LOWEST; W];
                            w.visit(&ranges, |pixel| {
                                let x = at(s.x, pixel);
                                for l in 0..W {
                                    top[l] = maximum(top[l], x[l]);
                                }
                            });
                            *s.to.add(p * c + f).cast::<[T; W]>() = top;
                        }
                        WindowFold::Gather => {
                            let (mut top, mut chosen) = ([T::LOWEST; W], [T::ZERO; W]);
                            let mut first = true;
                            w.visit(&ranges, |pixel| {
                                let (x, y) = (at(s.x, pixel), at(s.y, pixel));
                                for l in 0..W {
                                    let better = first | beats(x[l], top[l]);
                                    top[l] = if better { x[l] } else { top[l] };
                                    chosen[l] = if better { y[l] } else { chosen[l] };
                                }
                                first = false;
                            });
                            *s.to.add(p * c + f).cast::<[T; W]>() = chosen;
                        }
                        WindowFold::Scatter => scatter::<T, W>(&s, &ranges, p, f),
                    }
                }
                p += 1;
            }
        }
    }
}

/// Whether a number takes the place of the largest so far.
#[inline(always)]
fn beats<T: Real>(x: T, top: T) -> bool {
    (x > top) | (x.is_nan() & !top.is_nan())
}

/// Adds the gradient of a position to the places of its largest.
///
/// # Safety
/// The sample's elements lie in memory.
#[inline(always)]
unsafe fn scatter<T: Real, const W: usize>(
    s: &Sample<'_, T>,
    ranges: &[(usize, usize, usize); 3],
    p: usize,
    f: usize,
) {
    let (w, c) = (s.windows, s.windows.channels);
    // The number of the largest in the window, counted from 1; below 2^24, so exact.
    let (mut top, mut chosen) = ([T::LOWEST; W], [T::ZERO; W]);
    let mut number = T::ZERO;
    w.visit(ranges, |pixel| {
        // SAFETY: `visit` gives elements of the sample alone.
        let x = unsafe { &*s.x.add(pixel * c + f).cast::<[T; W]>() };
        let first = number == T::ZERO;
        number = number + T::ONE;
        for l in 0..W {
            let better = first | beats(x[l], top[l]);
            top[l] = if better { x[l] } else { top[l] };
            chosen[l] = if better { number } else { chosen[l] };
        }
    });
    // SAFETY: there is a gradient for every position.
    let g = unsafe { &*s.y.add(p * c + f).cast::<[T; W]>() };
    let mut number = T::ZERO;
    w.visit(ranges, |pixel| {
        // SAFETY: as above; the result has the sample's shape.
        let to = unsafe { &mut *s.to.add(pixel * c + f).cast::<[T; W]>() };
        number = number + T::ONE;
        for l in 0..W {
            to[l] = if chosen[l] == number { to[l] + g[l] } else { to[l] };
        }
    });
}
