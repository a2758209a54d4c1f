//! What follows from numbers that a network says: how they lie beside the true ones.

use crate::page::chart::{Axis, Chart, Form, Series};
use crate::page::text::{figures, paragraph, short, table};

/// Points in the charts of all columns together.
const POINTS: usize = 1000;
/// Bins of a histogram.
const BINS: usize = 30;
/// Columns that are drawn.
const COLUMNS: usize = 6;

/// A number of every row, in the units of the data, with what a network says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Numbers {
    /// The name of the column.
    pub name: String,
    /// What is true.
    pub truth: Vec<f64>,
    /// What is said.
    pub said: Vec<f64>,
    /// The row of each, as people count.
    pub rows: Vec<usize>,
}

/// How far what is said is from what is true.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Errors {
    /// The mean distance.
    pub mae: f64,
    /// The root of the mean squared distance.
    pub rmse: f64,
    /// What is said minus what is true, in the mean.
    pub bias: f64,
    /// The coefficient of determination; no number where all rows have one value.
    pub r2: f64,
}

impl Errors {
    /// Of what is true with what is said.
    pub fn of(truth: &[f64], said: &[f64]) -> Self {
        let n = truth.len().min(said.len()).max(1) as f64;
        let mean = truth.iter().sum::<f64>() / n;
        let (mut sum, mut size, mut squares, mut all) = (0.0, 0.0, 0.0, 0.0);
        for (t, s) in truth.iter().zip(said) {
            let d = s - t;
            (sum, size, squares) = (sum + d, size + d.abs(), squares + d * d);
            all += (t - mean) * (t - mean);
        }
        let r2 = if all > 0.0 { 1.0 - squares / all } else { f64::NAN };
        Self { mae: size / n, rmse: (squares / n).sqrt(), bias: sum / n, r2 }
    }
}

/// How many values lie in each of so many equal parts between the least and the most: the first edge, the width, and the
/// counts.
pub(crate) fn histogram(values: &[f64], bins: usize) -> (f64, f64, Vec<usize>) {
    let finite = || values.iter().copied().filter(|x| x.is_finite());
    let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    if low > high {
        return (0.0, 1.0, vec![0; bins]);
    }
    let width = if high > low { (high - low) / bins as f64 } else { low.abs().max(1.0) * 0.01 };
    let mut counts = vec![0; bins];
    for x in finite() {
        counts[(((x - low) / width) as usize).min(bins - 1)] += 1;
    }
    (low, width, counts)
}

/// The section of all columns of an output.
pub(crate) fn section(columns: &[Numbers]) -> String {
    let head = ["column", "MAE", "RMSE", "mean error", "R²"].map(String::from);
    let row = |c: &Numbers| {
        let e = Errors::of(&c.truth, &c.said);
        let mut cells = vec![c.name.clone()];
        cells.extend([e.mae, e.rmse, e.bias, e.r2].map(short));
        cells
    };
    let most = POINTS / columns.len().clamp(1, COLUMNS);
    let mut out = table(&head, &columns.iter().map(row).collect::<Vec<_>>());
    if columns.len() > COLUMNS {
        out.push_str(&paragraph(&format!("The first {COLUMNS} of {} are drawn.", columns.len())));
    }
    out.push_str(&figures(&columns.iter().take(COLUMNS).flat_map(|c| c.charts(most)).collect::<Vec<_>>()));
    out
}

impl Numbers {
    fn charts(&self, most: usize) -> Vec<String> {
        let n = self.truth.len().min(self.said.len());
        let shown = n.min(most);
        let chosen: Vec<usize> = (0..shown).map(|i| i * n / shown).collect();
        let some = if shown < n { format!("{shown} of {n} rows, evenly chosen.") } else { String::new() };
        let mut titles = Vec::new();
        let (mut against, mut residuals) = (Vec::new(), Vec::new());
        for i in chosen {
            let (t, s) = (self.truth[i], self.said[i]);
            against.push((t, s));
            residuals.push((s, s - t));
            let row = self.rows.get(i).copied().unwrap_or(i + 1);
            titles.push(format!("row {row}: {} is said, {} is true", short(s), short(t)));
        }
        let dots = |points| Series { titles: titles.clone(), ..Series::new("", 0, Form::Dots, points) };
        let finite = self.truth.iter().chain(&self.said).copied().filter(|x| x.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        let guide = |points| Series::new("", 7, Form::Guide, points);
        let room = (high - low) * 0.04;
        let square = |label: String| Axis::new(label).within(low - room, high + room);
        let name = &self.name;
        let mut first = Chart {
            title: format!("{name}: what is said against what is true"),
            about: some.clone(),
            x: square(format!("{name}, true")),
            y: square(format!("{name}, said")),
            series: vec![guide(vec![(low, low), (high, high)]), dots(against)],
            ..Chart::default()
        };
        if low >= high {
            (first.x.range, first.y.range) = (None, None);
        }
        let second = Chart {
            title: format!("{name}: residuals"),
            about: some,
            x: Axis::new(format!("{name}, said")),
            y: Axis::new("said minus true"),
            series: vec![guide(vec![(low - room, 0.0), (high + room, 0.0)]), dots(residuals)],
            ..Chart::default()
        };
        let distances: Vec<f64> = self.truth.iter().zip(&self.said).map(|(t, s)| s - t).collect();
        let (begin, width, counts) = histogram(&distances, BINS);
        let bars = counts.iter().enumerate().map(|(i, c)| (begin + width * i as f64, *c as f64)).collect();
        let third = Chart {
            title: format!("{name}: how residuals are spread"),
            x: Axis::new("said minus true"),
            y: Axis::new("rows"),
            series: vec![Series::new("", 0, Form::Bars(width), bars)],
            ..Chart::default()
        };
        [first, second, third].iter().map(Chart::figure).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_those_of_the_books() {
        // sklearn.metrics: r2_score([3, -0.5, 2, 7], [2.5, 0.0, 2, 8]) is 0.948…, mean_absolute_error 0.5.
        let e = Errors::of(&[3.0, -0.5, 2.0, 7.0], &[2.5, 0.0, 2.0, 8.0]);
        assert!((e.r2 - 0.948_608_137_044_967_9).abs() < 1e-12);
        assert_eq!((e.mae, e.bias, e.rmse), (0.5, 0.25, 0.375f64.sqrt()));
        assert!(Errors::of(&[1.0, 1.0], &[1.0, 2.0]).r2.is_nan());
    }

    #[test]
    fn histograms_count_all() {
        let (begin, width, counts) = histogram(&[0.0, 1.0, 2.0, 10.0, f64::NAN], 10);
        assert_eq!((begin, width), (0.0, 1.0));
        assert_eq!(counts, [1, 1, 1, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(histogram(&[5.0, 5.0], 3).2, [2, 0, 0]);
        assert_eq!(histogram(&[], 3).2, [0, 0, 0]);
    }
}
