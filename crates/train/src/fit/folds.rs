//! Cross-validation: as many trainings as folds, each validated with the rows it was not trained on.

use crate::artifact::occupant;
use crate::artifact::run_folder::RunFolder;
use crate::binding::load::Loaded;
use crate::execute::metrics::Metrics;
use crate::fit::report::Report;
use crate::problem::Outcome;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The runs of a cross-validation, and their folder: `fold-1`, `fold-2`, … are folders of runs, and `folds.json`
/// says what they came to together.
#[derive(Debug)]
pub struct Folds {
    folder: RunFolder,
    count: usize,
    done: Vec<Report>,
}

impl Folds {
    /// Makes the folder: `out`, or `runs/<spec>/<n>` with the next free number.
    ///
    /// # Errors
    /// It cannot be made or written to, or holds the run of another program and `overwrite` is false.
    pub fn begin(count: usize, out: Option<&Path>, loaded: &Loaded, overwrite: bool) -> Outcome<Self> {
        let spec_name = &loaded.spec.sources.get(loaded.spec.source).name;
        if let Some(out) = out {
            occupant::refuse(out, loaded, overwrite)?;
        }
        Ok(Self { folder: RunFolder::create(out, spec_name)?, count, done: Vec::new() })
    }

    /// The folder of the whole.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of fold `i`, from 0.
    pub fn out(&self, i: usize) -> PathBuf {
        self.folder.path().join(format!("fold-{}", i + 1))
    }

    /// Adds the next fold.
    pub fn add(&mut self, report: Report) {
        self.done.push(report);
    }

    /// The runs so far.
    pub fn reports(&self) -> &[Report] {
        &self.done
    }

    /// What they came to, of those that are done; written to `folds.json`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(&self) -> Outcome<Summary> {
        let summary = Summary {
            folds: self.count,
            done: self.done.len(),
            train: Spread::of(self.done.iter().map(|r| Some(&r.figures))),
            valid: Spread::of(self.done.iter().map(|r| r.valid.as_ref())),
            test: Spread::of(self.done.iter().map(|r| r.test.as_ref())),
        };
        let mut text = serde_json::to_string_pretty(&summary).unwrap_or_default();
        text.push('\n');
        self.folder.write(&[("folds.json", text.into_bytes())], true)?;
        Ok(summary)
    }
}

/// What the folds came to.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Summary {
    /// How many folds there are.
    pub folds: usize,
    /// How many of them were trained; fewer where Ctrl-C ended it.
    pub done: usize,
    /// On the rows they were trained on, each batch before its update.
    pub train: Vec<Spread>,
    /// On the rows that were held back.
    pub valid: Vec<Spread>,
    /// On the test part, where there is one.
    pub test: Vec<Spread>,
}

/// A figure over the folds.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Spread {
    /// `loss`, or the name of a metric.
    pub name: String,
    /// The value of each fold.
    pub values: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation as an estimate from a sample: over `n - 1`; 0 for one fold.
    pub deviation: f64,
}

impl Spread {
    /// Every figure; none where a fold lacks them.
    fn of<'a>(folds: impl Iterator<Item = Option<&'a Metrics>>) -> Vec<Self> {
        let Some(folds) = folds.collect::<Option<Vec<&Metrics>>>() else { return Vec::new() };
        let Some(first) = folds.first() else { return Vec::new() };
        let mut all = vec![Self::new("loss", folds.iter().map(|f| f.loss).collect())];
        for (i, (name, _)) in first.metrics.iter().enumerate() {
            let values = folds.iter().filter_map(|f| f.metrics.get(i)).map(|(_, x)| *x);
            all.push(Self::new(name, values.collect()));
        }
        all
    }

    fn new(name: &str, values: Vec<f64>) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
        let deviation = if values.len() < 2 { 0.0 } else { (squares / (n - 1.0)).sqrt() };
        Self { name: name.to_string(), values, mean, deviation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_spread() {
        let fold = |loss: f64, right: f64| Metrics {
            loss,
            metrics: vec![("right".into(), right)],
            ..Metrics::default()
        };
        let folds = [fold(1.0, 0.5), fold(2.0, 0.5), fold(6.0, 0.5)];
        let all = Spread::of(folds.iter().map(Some));
        assert_eq!((all[0].name.as_str(), all[0].mean), ("loss", 3.0));
        assert!((all[0].deviation - 7f64.sqrt()).abs() < 1e-12);
        assert_eq!((all[1].mean, all[1].deviation), (0.5, 0.0));
        assert!(Spread::of([Some(&folds[0]), None].into_iter()).is_empty());
        assert_eq!(Spread::of(folds.iter().take(1).map(Some))[0].deviation, 0.0);
    }
}
