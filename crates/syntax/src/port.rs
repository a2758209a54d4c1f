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
}

impl Port {
    /// Numbers per sample.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }
}
