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
