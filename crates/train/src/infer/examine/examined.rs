//! What is found, as data.

use crate::infer::predictions::{Heading, Reading};
use nnc_syntax::Diagnostic;

/// What a model says of rows that it did not learn from, or, where there are none, of those that it did.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Examined {
    /// `test`, `valid`, `train`, or the file.
    pub on: String,
    /// How many rows were looked at, evenly chosen.
    pub rows: usize,
    /// How many there are.
    pub all: usize,
    /// What every output says that can be compared with a target.
    pub answers: Vec<Answered>,
    /// Headings of the worst rows: of the inputs, the targets, the outputs.
    pub headings: [Vec<Heading>; 3],
    /// The rows with the largest loss, the largest first.
    pub worst: Vec<WorstRow>,
    /// What the network says in the plane, where its inputs are two numbers.
    pub boundary: Option<Boundary>,
    /// Which columns matter, where there are several.
    pub importance: Option<Importance>,
    /// What is to be said about how the data was read.
    pub notes: Vec<Diagnostic>,
}

/// What an output says of rows, beside the target.
#[derive(Clone, PartialEq, Debug)]
pub struct Answered {
    /// The name of the output.
    pub output: String,
    /// The rows of the source, from 0.
    pub rows: Vec<usize>,
    /// What is said, and what is true.
    pub what: Compared,
}

/// What is said beside what is true, row by row.
#[derive(Clone, PartialEq, Debug)]
pub enum Compared {
    /// One of several classes.
    Classes {
        /// Their names.
        names: Vec<String>,
        /// The true class of every row.
        truth: Vec<usize>,
        /// A number for every class of every row.
        scores: Vec<f64>,
        /// How many there are of each row of the data: where every step has a class, as many as it has steps.
        steps: usize,
    },
    /// Several questions of yes or no.
    Questions {
        /// Their names.
        names: Vec<String>,
        /// 0 or 1 for every question of every row.
        truth: Vec<usize>,
        /// A number for every question of every row.
        scores: Vec<f64>,
    },
    /// Numbers in the units of the data.
    Numbers {
        /// What they are called.
        names: Vec<String>,
        /// What is true: all numbers of the first row, of the second, …
        truth: Vec<f64>,
        /// What is said.
        said: Vec<f64>,
    },
}

/// A row that a model does badly on.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct WorstRow {
    /// The row of the source, from 0.
    pub row: usize,
    /// The file and the line, or the row of the program, where it stands; empty where neither is known.
    pub place: String,
    /// Its loss.
    pub loss: f64,
    /// One for every heading of the inputs, the targets, the outputs.
    pub cells: [Vec<Reading>; 3],
    /// The input that is a picture: height, width, channels, and the values in the terms of the data.
    pub picture: Option<([usize; 3], Vec<f64>)>,
}

/// What an output says at the points of a grid in the plane of two input columns.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Boundary {
    /// The name of the output.
    pub output: String,
    /// The names of the columns, the one to the right first.
    pub names: [String; 2],
    /// From where to where the grid goes, in the units of the data; its points are the middles of equal parts.
    pub ranges: [(f64, f64); 2],
    /// Points in a row of the grid, and rows.
    pub size: usize,
    /// What is said: all numbers of the first point of the topmost row, of the second, …
    pub said: Vec<f64>,
    /// Points in a row of the grid of the epochs before, and rows.
    pub frame: usize,
    /// Some epochs with what was said after them at the points of that grid, where their weights are kept.
    pub film: Vec<(u64, Vec<f64>)>,
    /// Rows of the data: their number among those that were looked at, and where they lie.
    pub points: Vec<(usize, f64, f64)>,
}

/// Which columns a network leans on.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Importance {
    /// How many rows were shuffled.
    pub rows: usize,
    /// Their mean loss.
    pub loss: f64,
    /// The columns, the one whose shuffling costs most first.
    pub columns: Vec<ColumnImportance>,
    /// How many columns there are.
    pub all: usize,
    /// What integrated gradients lack of the difference they add up to, as a share of it.
    pub rest: Option<f64>,
}

/// How much a column matters.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ColumnImportance {
    /// Its name.
    pub name: String,
    /// How much larger the mean loss is when its values are shuffled among the rows, of every repetition.
    pub rises: Vec<f64>,
    /// Its share of what integrated gradients put down to columns; `None` where an input is no number.
    pub share: Option<f64>,
}

impl ColumnImportance {
    /// The mean rise of the loss.
    pub fn mean(&self) -> f64 {
        self.rises.iter().sum::<f64>() / self.rises.len().max(1) as f64
    }

    /// The standard deviation of the rises over the repetitions, over `n - 1`.
    pub fn deviation(&self) -> f64 {
        let (mean, n) = (self.mean(), self.rises.len());
        let squares: f64 = self.rises.iter().map(|x| (x - mean) * (x - mean)).sum();
        (squares / n.saturating_sub(1).max(1) as f64).sqrt()
    }
}
