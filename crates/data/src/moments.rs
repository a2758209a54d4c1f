//! What statistics are made of: moments of numbers, steps of a scaling, and the place of a fault.

use crate::fault::{Fault, codes};
use crate::raw::Places;
use crate::roles::Use;
use crate::spec::Scaling;
use crate::stats::{ColumnStats, Step};

/// What a fault about a column needs.
pub(crate) struct Cell<'a> {
    pub(crate) places: &'a Places,
    pub(crate) position: usize,
    pub(crate) used: &'a Use,
}

impl Cell<'_> {
    pub(crate) fn fault(&self, message: String) -> Fault {
        let path = self.places.paths.first().cloned();
        let fault = Fault::new(codes::ENCODING, message).at(self.used.handle);
        Fault { path, ..fault }
    }

    pub(crate) fn at(&self, fault: Fault, row: u32) -> Fault {
        let fault = self.places.locate(fault, row as usize, self.position, &self.used.name);
        fault.at(self.used.handle)
    }
}

/// Mean, deviation and bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Moments {
    pub(crate) count: u64,
    pub(crate) mean: f64,
    pub(crate) std: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

/// In two passes, one number after the other: the same bits every time, and
/// exact enough for far means. NaN is passed over.
pub(crate) fn moments(values: impl Iterator<Item = f64> + Clone) -> Moments {
    let (mut count, mut sum, mut min, mut max) = (0u64, 0.0, f64::INFINITY, f64::NEG_INFINITY);
    for x in values.clone().filter(|x| !x.is_nan()) {
        count += 1;
        sum += x;
        min = f64::min(min, x);
        max = f64::max(max, x);
    }
    if count == 0 {
        return Moments { count, mean: 0.0, std: 0.0, min: 0.0, max: 0.0 };
    }
    let n = count as f64;
    // Of huge numbers the sum may overflow; scaled down it does not.
    let mean = if sum.is_finite() {
        sum / n
    } else {
        values.clone().filter(|x| !x.is_nan()).fold(0.0, |m, x| m + x / n)
    };
    let (mut square, mut rest) = (0.0, 0.0);
    for x in values.filter(|x| !x.is_nan()) {
        let d = x - mean;
        square += d * d;
        rest += d;
    }
    let variance = ((square - rest * rest / n) / n).max(0.0);
    let std = if variance.is_finite() { libm::sqrt(variance) } else { max / 2.0 - min / 2.0 };
    Moments { count, mean, std, min, max }
}

/// A divisor that would be 0 (or no number) is 1.
pub(crate) fn divisor(x: f64) -> f64 {
    if x > 0.0 && x.is_finite() { x } else { 1.0 }
}

pub(crate) fn set_moments(stats: &mut ColumnStats, m: Moments, rows: usize) {
    (stats.mean, stats.std, stats.min, stats.max) = (m.mean, m.std, m.min, m.max);
    stats.count = m.count;
    stats.missing = rows as u64 - m.count.min(rows as u64);
}

/// Works the scalings out one after the other; each sees what the ones
/// before it made of the numbers.
pub(crate) fn steps<I: Iterator<Item = f64> + Clone>(
    scaling: &[Scaling],
    raw: Moments,
    values: impl Fn() -> I,
    before: &[Step],
) -> Vec<Step> {
    let mut steps = before.to_vec();
    for (i, scaling) in scaling.iter().enumerate() {
        let so_far = steps.clone();
        let now = || {
            if i == 0 && before.is_empty() {
                return raw;
            }
            moments(values().map(|x| so_far.iter().fold(x, |x, s| s.apply(x))))
        };
        steps.push(match *scaling {
            Scaling::Log => Step::Log,
            Scaling::Scale(by) => Step::Shift { minus: 0.0, over: by },
            Scaling::Standardize => {
                let m = now();
                Step::Shift { minus: m.mean, over: divisor(m.std) }
            }
            Scaling::MinMax => {
                let m = now();
                Step::Shift { minus: m.min, over: divisor(m.max - m.min) }
            }
        });
    }
    steps
}
