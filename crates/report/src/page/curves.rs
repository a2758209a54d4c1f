//! Figures over the epochs.

use crate::page::chart::{Axis, Chart, Form, Series};

/// Figures of every epoch of a run.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Curves {
    /// Names, those of the validation part with `val_` before them, with a number for every epoch, from the first on.
    pub columns: Vec<(String, Vec<f64>)>,
    /// The epochs after which later stages of the training began.
    pub stages: Vec<u64>,
    /// The epoch whose weights were kept, where it is not the last.
    pub kept: Option<u64>,
}

/// Beyond this share of the least, the most of a figure is drawn on an axis of powers of ten.
const WIDE: f64 = 50.0;

impl Curves {
    fn column(&self, name: &str) -> Option<&[f64]> {
        self.columns.iter().find(|(n, _)| n == name).map(|(_, values)| &values[..])
    }

    /// The names, without those of the validation part.
    fn names(&self) -> impl Iterator<Item = &str> {
        let own = |name: &&str| name.strip_prefix("val_").is_none_or(|n| self.column(n).is_none());
        self.columns.iter().map(|(n, _)| n.as_str()).filter(own)
    }

    /// A chart for each figure: training and validation part in one.
    pub(crate) fn charts(&self) -> Vec<Chart> {
        self.names().map(|name| self.chart(name)).collect()
    }

    fn chart(&self, name: &str) -> Chart {
        let valid = self.column(&format!("val_{name}"));
        let parts = [("training", self.column(name), 0), ("validation", valid, 1)];
        let series = parts.into_iter().filter_map(|(part, values, colour)| {
            Some(Series::new(part, colour, Form::Line, points(values?)))
        });
        let mut chart = over_epochs(name, series.collect());
        let all = chart.series.iter().flat_map(|s| &s.points).map(|p| p.1).filter(|y| y.is_finite());
        let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), y| (a.min(y), b.max(y)));
        let mut rule = |epoch: u64, what: String| {
            let at = epoch as f64;
            chart.series.push(Series::new(what, 7, Form::Guide, vec![(at, low), (at, high)]));
        };
        for (i, &after) in self.stages.iter().enumerate() {
            rule(after, format!("stage {} begins", i + 2));
        }
        if let Some(kept) = self.kept {
            rule(kept, format!("epoch {kept}, kept"));
        }
        chart
    }
}

/// Points of a column, epochs from 1.
pub(crate) fn points(values: &[f64]) -> Vec<(f64, f64)> {
    values.iter().enumerate().map(|(i, y)| (i as f64 + 1.0, *y)).collect()
}

/// A chart over the epochs, whose axis has powers of ten where that shows more.
pub(crate) fn over_epochs(name: &str, series: Vec<Series>) -> Chart {
    let all = || series.iter().flat_map(|s| &s.points).map(|p| p.1).filter(|y| y.is_finite());
    let (low, high) = all().fold((f64::INFINITY, 0.0), |(a, b): (f64, f64), y| (a.min(y), b.max(y)));
    let log = low > 0.0 && high > WIDE * low;
    let label = if log { format!("{name}, powers of ten") } else { name.to_string() };
    let y = Axis { log, ..Axis::new(label) };
    Chart { title: name.to_string(), x: Axis::new("epoch"), y, series, ..Chart::default() }
}
