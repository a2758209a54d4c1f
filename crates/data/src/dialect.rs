//! How a table in text is written, as far as somebody said so.

use serde::{Deserialize, Serialize};

/// What a program says about the form of a table. What is `None` is found
/// out from the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dialect {
    /// What stands between cells.
    pub separator: Option<Separator>,
    /// Whether the first line holds names.
    pub header: Option<bool>,
    /// `1,5` is one and a half.
    pub decimal_comma: Option<bool>,
    /// What groups the digits of large numbers: `,` in `25,100`.
    pub thousands: Option<char>,
    /// More cells that mean missing, in every column; those that are numbers
    /// are compared by their value.
    pub na: Option<Vec<String>>,
    /// From this mark on, at the beginning of a cell or behind a blank, the
    /// rest of a line is not read.
    pub comment: Option<String>,
    /// Lines that are not read.
    pub skip: Option<Skip>,
    /// Records at the end of a file that are not read.
    pub skip_last: Option<usize>,
    /// A label of the encoding standard, such as `latin1` or `utf-16`.
    pub encoding: Option<String>,
    /// Whether `3/4/2024` is the third of April.
    pub day_first: Option<bool>,
}

impl Dialect {
    /// These words, and where they say nothing those of another: a `test`
    /// file is written as the training file, unless it says otherwise.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        let other = other.clone();
        Self {
            separator: self.separator.or(other.separator),
            header: self.header.or(other.header),
            decimal_comma: self.decimal_comma.or(other.decimal_comma),
            thousands: self.thousands.or(other.thousands),
            na: self.na.or(other.na),
            comment: self.comment.or(other.comment),
            skip: self.skip.or(other.skip),
            skip_last: self.skip_last.or(other.skip_last),
            encoding: self.encoding.or(other.encoding),
            day_first: self.day_first.or(other.day_first),
        }
    }
}

/// What stands between the cells of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Separator {
    /// One character of ASCII.
    Byte(u8),
    /// A run of blanks and tabs; those at the ends of a line count nothing.
    Blanks,
}

impl std::fmt::Display for Separator {
    /// As a program writes it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Byte(b'\t') => write!(f, "tab"),
            Self::Byte(b) => write!(f, "\"{}\"", char::from(*b).escape_default()),
            Self::Blanks => write!(f, "spaces"),
        }
    }
}

/// Lines of a file that are not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Skip {
    /// So many at the beginning.
    First(u64),
    /// These, counted from 1.
    Lines(Vec<u64>),
}

/// What the file a model was trained on looked like: later files are read
/// the same way, and nothing is guessed a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// Whether its first line held the names.
    pub header: bool,
    /// What stood between its cells.
    pub separator: Separator,
}
