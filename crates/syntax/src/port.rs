//! What the data and the program both know of a tensor.

use serde::{Deserialize, Serialize};

/// A tensor that the data gives for every sample.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Port {
    /// Its name: `input`, `target`, or a column's.
    pub name: String,
    /// Its shape for one sample: `[]` for one class, `[n]` for `n` joined columns.
    pub shape: Vec<usize>,
    /// The names of its classes, where its numbers are classes.
    pub classes: Option<Vec<String>>,
    /// Where it comes from, for people: `4 columns of iris.csv`.
    #[serde(rename = "describe")]
    pub about: String,
    /// Whether samples have different lengths along the first axis, so that what is behind a sample's own steps is
    /// padding.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ragged: bool,
    /// Whether class 0 is padding, behind the steps of a text that is shorter than others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub padded: bool,
}

impl Port {
    /// Numbers per sample.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }

    /// The name of the number of steps of each sample, beside a port whose samples have different lengths.
    pub fn length_name(&self) -> String {
        length_name(&self.name)
    }
}

/// The name of the number of steps of each sample of the port so called.
pub fn length_name(port: &str) -> String {
    format!("{port}.length")
}
