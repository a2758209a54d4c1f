//! Rows with what the network says, as data.

use nnc_data::Standing;
use std::ops::ControlFlow;

/// What a column of inputs, targets or predictions is.
#[derive(Clone, PartialEq, Debug)]
pub struct Heading {
    /// Its name.
    pub name: String,
    /// Its shape for one row.
    pub shape: Vec<usize>,
    /// The names of the classes, where it is a class or their probabilities.
    pub classes: Option<Vec<String>>,
}

/// One value of a row: numbers, and the class they mean.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Reading {
    /// The numbers, in the terms of the file (scaling undone); probabilities stay such.
    pub values: Vec<f64>,
    /// The name of the class.
    pub class: Option<String>,
}

/// A row with what the network says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PredictedRow {
    /// The row of the source, from 0.
    pub row: usize,
    /// One for every heading of the inputs.
    pub inputs: Vec<Reading>,
    /// One for every heading of the targets; empty where the data has none.
    pub targets: Vec<Reading>,
    /// One for every heading of the outputs.
    pub outputs: Vec<Reading>,
}

/// Rows with what the network says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Predictions {
    /// What goes in: a heading for every column of the file.
    pub inputs: Vec<Heading>,
    /// What should come out.
    pub targets: Vec<Heading>,
    /// What does.
    pub outputs: Vec<Heading>,
    /// The rows.
    pub rows: Vec<PredictedRow>,
}

/// Which cells of the data are wanted beside the answers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Beside {
    /// None.
    #[default]
    Nothing,
    /// Those of these columns, in this order.
    Columns(Vec<String>),
    /// All of them.
    All,
}

/// What stands beside an answer.
#[derive(Clone, PartialEq, Debug)]
pub enum CellHeading {
    /// A column of a table of text, whose cells are those of the file.
    Text {
        /// Its name in the file.
        name: String,
        /// Whether the model reads it as numbers.
        number: bool,
    },
    /// A column of data that is no text.
    Reading(Heading),
}

impl CellHeading {
    /// The name of the column.
    pub fn name(&self) -> &str {
        match self {
            Self::Text { name, .. } => name,
            Self::Reading(heading) => &heading.name,
        }
    }
}

/// A cell of the data.
#[derive(Clone, PartialEq, Debug)]
pub enum CellValue {
    /// What stands in the file; empty where nothing stands there.
    Text(String),
    /// Numbers, and the class they mean.
    Reading(Reading),
}

/// What every answer consists of.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Headings {
    /// What stands beside the answers.
    pub cells: Vec<CellHeading>,
    /// The answers.
    pub outputs: Vec<Heading>,
    /// Whether samples are windows, so that the first rows have no answer of their own.
    pub windows: bool,
    /// Whether they stay within one of several series.
    pub series: bool,
}

/// What the network says about a row.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// The row of the source; of a window, its (first) target.
    pub standing: Standing,
    /// One for every heading of the cells; of rows that are not in the source, those that all rows of their series
    /// share.
    pub cells: Vec<CellValue>,
    /// One for every heading of the outputs; `None` where the row cannot be answered.
    pub outputs: Option<Vec<Reading>>,
}

/// Who is told the answers, one after the other.
pub trait Answers {
    /// Before the first.
    fn begin(&mut self, headings: &Headings) -> ControlFlow<()>;
    /// For every row, in the order of the source.
    fn answer(&mut self, answer: &Answer) -> ControlFlow<()>;
}
