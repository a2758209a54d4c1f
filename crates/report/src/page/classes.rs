//! What follows from the probabilities of classes: confusion, receiver operating characteristic, calibration.

use crate::page::chart::{Axis, Chart, Form, Series};
use crate::page::text::{escape, figures, from_largest, paragraph, percent, short, table};
use std::fmt::Write as _;

/// A table of all classes against all has at most so many of them.
const MATRIX: usize = 40;
/// Beyond so many, what is taken for what is not counted: it would be a table of a million.
const COUNTED: usize = 1000;
/// Beyond so many, there is no line for each, nor a curve.
const LISTED: usize = 200;
/// Curves in one chart.
const LINES: usize = 8;
/// Bins of a calibration.
const BINS: usize = 10;

/// Rows of known classes with what a network says of each.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Classes {
    /// The names of the classes.
    pub names: Vec<String>,
    /// The class of every row, by number.
    pub truth: Vec<usize>,
    /// A number for every class of every row; the largest is what the network says, the first of the largest where
    /// several are.
    pub scores: Vec<f64>,
    /// Whether each class is a question of its own, so that several may hold or none: `truth` is 0 or 1 for every class
    /// of every row.
    pub several: bool,
    /// Whether they are steps of rows.
    pub steps: bool,
}

/// A receiver operating characteristic: the share of the others that are taken for the class, and the share of the class
/// that is found, from the highest threshold to the lowest; and the area below.
#[derive(Clone, PartialEq, Debug)]
pub struct Roc {
    /// The points, from (0, 0) to (1, 1).
    pub points: Vec<(f64, f64)>,
    /// The area: how often a row of the class has a higher score than one of the others; half for equal scores.
    pub area: f64,
}

impl Roc {
    /// Of scores with whether their row is of the class; `None` where all rows are of it or none is.
    pub fn of(scores: impl IntoIterator<Item = (f64, bool)>) -> Option<Self> {
        let all: Vec<(f64, bool)> = scores.into_iter().filter(|(x, _)| !x.is_nan()).collect();
        let order = from_largest(&all.iter().map(|s| s.0).collect::<Vec<_>>(), all.len());
        let sorted: Vec<(f64, bool)> = order.into_iter().map(|at| all[at]).collect();
        let own = sorted.iter().filter(|(_, is)| *is).count() as f64;
        let others = sorted.len() as f64 - own;
        if own == 0.0 || others == 0.0 {
            return None;
        }
        let (mut points, mut area) = (vec![(0.0, 0.0)], 0.0);
        let (mut found, mut taken) = (0.0, 0.0);
        for equal in sorted.chunk_by(|a, b| a.0 == b.0) {
            let right = equal.iter().filter(|(_, is)| *is).count() as f64;
            let wrong = equal.len() as f64 - right;
            area += wrong * (found + right / 2.0);
            (found, taken) = (found + right, taken + wrong);
            points.push((taken / others, found / own));
        }
        Some(Self { points, area: area / (own * others) })
    }
}

/// How often what is said with a probability comes true.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Calibration {
    /// The mean probability, how often it came true, and how many there are, of every tenth that has any.
    pub bins: Vec<(f64, f64, usize)>,
    /// The mean distance of both, each weighted by how many there are: the expected calibration error.
    pub error: f64,
}

impl Calibration {
    /// Of probabilities with whether they came true.
    pub fn of(said: impl IntoIterator<Item = (f64, bool)>) -> Self {
        let mut sums = [(0.0, 0usize, 0usize); BINS];
        for (p, came) in said {
            if (0.0..=1.0).contains(&p) {
                let (sum, right, n) = &mut sums[((p * BINS as f64) as usize).min(BINS - 1)];
                (*sum, *right, *n) = (*sum + p, *right + usize::from(came), *n + 1);
            }
        }
        let all: usize = sums.iter().map(|s| s.2).sum();
        let filled = sums.iter().filter(|s| s.2 > 0);
        let bins: Vec<_> =
            filled.map(|&(sum, right, n)| (sum / n as f64, right as f64 / n as f64, n)).collect();
        let error = bins.iter().map(|(p, share, n)| (p - share).abs() * *n as f64).sum::<f64>();
        Self { bins, error: error / all.max(1) as f64 }
    }
}

impl Classes {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.scores.len() / self.names.len().max(1)
    }

    /// The class that is said of a row.
    pub fn said(&self, row: usize) -> usize {
        let k = self.names.len();
        let scores = self.scores.get(row * k..(row + 1) * k).unwrap_or_default();
        scores.iter().enumerate().fold(0, |best, (i, x)| if *x > scores[best] { i } else { best })
    }

    /// How many rows of each class (rows of the matrix) were taken for each (its columns).
    pub fn confusion(&self) -> Vec<Vec<usize>> {
        let k = self.names.len();
        let mut counts = vec![vec![0; k]; k];
        for (row, &truth) in self.truth.iter().enumerate().filter(|_| !self.several) {
            if let Some(count) = counts.get_mut(truth).and_then(|c| c.get_mut(self.said(row))) {
                *count += 1;
            }
        }
        counts
    }

    /// Scores of a class, with whether their row is of it.
    fn scored(&self, class: usize) -> impl Iterator<Item = (f64, bool)> + '_ {
        let k = self.names.len();
        let is = move |row: usize| match self.several {
            true => self.truth.get(row * k + class) == Some(&1),
            false => self.truth.get(row) == Some(&class),
        };
        self.scores.iter().skip(class).step_by(k.max(1)).enumerate().map(move |(row, x)| (*x, is(row)))
    }

    /// The classes of which curves are drawn: of two the second one alone, as the first says the same.
    fn drawn(&self) -> std::ops::Range<usize> {
        if self.names.len() == 2 && !self.several { 1..2 } else { 0..self.names.len() }
    }

    pub(crate) fn confusion_section(&self) -> String {
        if self.several {
            return String::new();
        }
        let all = self.rows();
        let right = self.truth.iter().enumerate().filter(|(row, truth)| self.said(*row) == **truth).count();
        let share = percent(right as f64 / all.max(1) as f64);
        let k = self.names.len();
        let table = if k <= MATRIX {
            " A row of the table is what the data says, a column what the network says."
        } else {
            ""
        };
        let what = if self.steps { "steps of the rows" } else { "rows" };
        let mut out = paragraph(&format!("{right} of {all} {what} are right ({share}).{table}"));
        if k > COUNTED {
            return out;
        }
        let counts = self.confusion();
        if k <= MATRIX {
            out.push_str(&self.matrix(&counts));
        }
        out.push_str(&self.mistakes(&counts));
        if k <= LISTED {
            out.push_str(&self.measures(&counts));
        }
        out
    }

    fn matrix(&self, counts: &[Vec<usize>]) -> String {
        let mut out = String::from("<div class=\"wide\"><table class=\"matrix\"><thead><tr><th></th>");
        for name in &self.names {
            let _ = write!(out, "<th>{}</th>", escape(name));
        }
        out.push_str("</tr></thead><tbody>\n");
        for (i, (name, row)) in self.names.iter().zip(counts).enumerate() {
            let _ = write!(out, "<tr><th>{}</th>", escape(name));
            let whole = row.iter().sum::<usize>().max(1) as f64;
            for (j, &n) in row.iter().enumerate() {
                let class = match (n, i == j) {
                    (0, _) => "none",
                    (_, true) => "right",
                    (_, false) => "wrong",
                };
                let share = n as f64 / whole;
                let _ = write!(
                    out,
                    "<td class=\"{class}\" style=\"--s:{:.3}\" title=\"{} taken for {}: {n}, {} of its rows\">{n}</td>",
                    share,
                    escape(name),
                    escape(&self.names[j]),
                    percent(share)
                );
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody></table></div>\n");
        out
    }

    /// The most frequent mistakes, where the table is too large to see them.
    fn mistakes(&self, counts: &[Vec<usize>]) -> String {
        if self.names.len() <= 12 {
            return String::new();
        }
        let k = self.names.len();
        let off = |n: usize| if n / k == n % k { 0.0 } else { counts[n / k][n % k] as f64 };
        let all: Vec<f64> = (0..k * k).map(off).collect();
        let pairs = from_largest(&all, 10).into_iter().filter(|at| all[*at] > 0.0).map(|n| (n / k, n % k));
        let row = |(i, j): (usize, usize)| {
            vec![self.names[i].clone(), self.names[j].clone(), counts[i][j].to_string()]
        };
        let head = ["class", "taken for", "times"].map(String::from);
        format!("<h3>Most frequent mistakes</h3>\n{}", table(&head, &pairs.map(row).collect::<Vec<_>>()))
    }

    /// Precision and recall of every class.
    fn measures(&self, counts: &[Vec<usize>]) -> String {
        let ratio = |a: usize, b: usize| if b == 0 { f64::NAN } else { a as f64 / b as f64 };
        let row = |i: usize| {
            let own: usize = counts[i].iter().sum();
            let said: usize = counts.iter().map(|r| r[i]).sum();
            let right = counts[i][i];
            let f1 = ratio(2 * right, own + said);
            let mut cells = vec![self.names[i].clone(), own.to_string(), said.to_string()];
            cells.extend([ratio(right, said), ratio(right, own), f1].map(short));
            cells
        };
        let head = ["class", "data", "said", "precision", "recall", "F1"].map(String::from);
        let rows: Vec<_> = (0..counts.len()).map(row).collect();
        format!("<details open><summary>Every class</summary>{}</details>\n", table(&head, &rows))
    }

    /// Which of the classes are drawn where there are too many: those with the smallest areas.
    fn rocs(&self) -> (Vec<(usize, Roc)>, usize) {
        let all: Vec<(usize, Roc)> =
            self.drawn().filter_map(|c| Some((c, Roc::of(self.scored(c))?))).collect();
        let count = all.len();
        if count > LINES {
            let smallest: Vec<f64> = all.iter().map(|(_, roc)| -roc.area).collect();
            let chosen = from_largest(&smallest, LINES).into_iter().map(|at| all[at].clone());
            return (chosen.collect(), count);
        }
        (all, count)
    }

    pub(crate) fn curves_section(&self) -> String {
        let (rocs, count) = if self.names.len() <= LISTED { self.rocs() } else { (Vec::new(), 0) };
        if rocs.is_empty() {
            return String::new();
        }
        let one = |c: usize| self.names[c].clone();
        let mut lines = vec![Series::new("", 7, Form::Guide, vec![(0.0, 0.0), (1.0, 1.0)])];
        for (i, (class, roc)) in rocs.iter().enumerate() {
            let name = format!("{}, area {}", one(*class), short(roc.area));
            lines.push(Series::new(name, i, Form::Line, roc.points.clone()));
        }
        let against = match (self.drawn().len(), self.several) {
            (1, _) => format!("`{}` against the others.", one(self.drawn().start)),
            (_, true) => "Each question on its own.".into(),
            _ => "Each class against all others.".into(),
        };
        let few = if count > LINES {
            format!(" The {LINES} with the smallest areas of {count}.")
        } else {
            String::new()
        };
        let roc = Chart {
            title: "Receiver operating characteristic".into(),
            about: format!("{against}{few}"),
            x: Axis::new("false positive rate").within(0.0, 1.0),
            y: Axis::new("true positive rate").within(0.0, 1.0),
            series: lines,
            ..Chart::default()
        };
        let mut all = vec![roc.figure()];
        all.extend(self.calibration(&rocs));
        figures(&all)
    }

    fn calibration(&self, shown: &[(usize, Roc)]) -> Option<String> {
        if !self.scores.iter().all(|p| (0.0..=1.0).contains(p)) {
            return None;
        }
        let pooled = Calibration::of(self.drawn().flat_map(|c| self.scored(c)));
        let mut series = vec![Series::new("", 7, Form::Guide, vec![(0.0, 0.0), (1.0, 1.0)])];
        for (i, (class, _)) in shown.iter().enumerate() {
            let bins = Calibration::of(self.scored(*class)).bins;
            let points: Vec<(f64, f64)> = bins.iter().map(|b| (b.0, b.1)).collect();
            series.push(Series::new(self.names[*class].clone(), i, Form::Line, points.clone()));
            let mut dots = Series::new("", i, Form::Dots, points);
            dots.titles = bins
                .iter()
                .map(|(p, share, n)| {
                    format!("said {}, came true {} of {n} times", percent(*p), percent(*share))
                })
                .collect();
            series.push(dots);
        }
        let chart = Chart {
            title: "Calibration".into(),
            about: format!(
                "Expected calibration error {}: what lies on the diagonal comes true as often as is said.",
                short(pooled.error)
            ),
            x: Axis::new("probability that is said").within(0.0, 1.0),
            y: Axis::new("share that comes true").within(0.0, 1.0),
            series,
            ..Chart::default()
        };
        Some(chart.figure())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_count_pairs() {
        // sklearn.metrics.roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) is 0.75.
        let roc = Roc::of([(0.1, false), (0.4, false), (0.35, true), (0.8, true)]).unwrap();
        assert_eq!(roc.area, 0.75);
        assert_eq!(roc.points, [(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0)]);
        let equal = Roc::of([(0.5, false), (0.5, true), (0.5, true)]).unwrap();
        assert_eq!((equal.area, equal.points.len()), (0.5, 2));
        assert_eq!(Roc::of([(0.5, true)]), None);
    }

    #[test]
    fn calibration_compares_what_is_said_with_what_comes() {
        let said = [(0.05, false), (0.05, false), (0.95, true), (0.95, false), (1.0, true)];
        let c = Calibration::of(said);
        assert_eq!(c.bins.len(), 2);
        assert_eq!((c.bins[0].1, c.bins[0].2, c.bins[1].2), (0.0, 2, 3));
        let want = (0.05 * 2.0 + ((0.95 + 0.95 + 1.0) / 3.0 - 2.0 / 3.0) * 3.0) / 5.0;
        assert!((c.error - want).abs() < 1e-12);
    }

    #[test]
    fn the_first_of_the_largest_is_said() {
        let classes = Classes {
            names: ["a", "b", "c"].map(String::from).to_vec(),
            truth: vec![0, 1, 2, 2],
            scores: vec![0.4, 0.4, 0.2, 0.1, 0.8, 0.1, 0.2, 0.5, 0.3, 0.0, 0.1, 0.9],
            several: false,
            steps: false,
        };
        assert_eq!(classes.confusion(), [[1, 0, 0], [0, 1, 0], [0, 1, 1]]);
        let html = classes.confusion_section();
        assert!(
            html.contains("3 of 4 rows are right (75.0 %)") && html.contains("c taken for b: 1, 50.0 %"),
            "{html}"
        );
    }
}
