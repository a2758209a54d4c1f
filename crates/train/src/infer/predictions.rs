//! Rows with what the network says, as data.

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
