//! The words of data declarations, for who offers them while a program is being written.

use crate::binding::{roles, source};

/// The words of data declarations.
#[derive(Clone, Debug)]
pub struct DataWords {
    /// What follows `data`: `csv`, `moons`, …
    pub kinds: Vec<&'static str>,
    /// What a line of columns begins with: `input`, `target`, …
    pub roles: Vec<&'static str>,
    /// What is done with the columns of a line: `standardize`, `one_hot`, …
    pub columns: Vec<&'static str>,
    /// The same with a value: `missing=`, `order=`, …
    pub column_options: Vec<&'static str>,
}

/// All of them.
pub fn data_words() -> DataWords {
    DataWords {
        kinds: source::kinds(),
        roles: roles::ROLES.iter().map(|(word, _)| *word).collect(),
        columns: roles::WORDS.to_vec(),
        column_options: roles::KEYS.to_vec(),
    }
}

/// The options of a kind of data, such as `csv` or `moons`.
pub fn data_options(kind: &str) -> &'static [&'static str] {
    source::options(kind)
}
