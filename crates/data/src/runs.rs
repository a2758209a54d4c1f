//! How the texts of a column follow each other.

use std::collections::HashSet;

/// Different texts of a column that are remembered.
const MOST: usize = 1 << 16;

/// How the texts of a column follow each other; the rows are not kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs {
    last: Vec<u8>,
    seen: HashSet<Box<[u8]>>,
    rows: usize,
    /// Whether a text came again after another, or there are too many.
    again: bool,
    words: bool,
}

impl Runs {
    /// The next row.
    pub(crate) fn push(&mut self, cell: &[u8]) {
        self.rows += 1;
        if self.again || self.rows > 1 && self.last == cell {
            return;
        }
        self.again = !self.seen.insert(cell.into()) || self.seen.len() > MOST;
        self.words |= cell.iter().any(u8::is_ascii_alphabetic) || !cell.is_ascii();
        self.last.clear();
        self.last.extend_from_slice(cell);
        if self.again {
            self.seen.clear();
        }
    }

    /// Whether every text stands in one stretch of rows, on average longer
    /// than this.
    pub(crate) fn names_series(&self, rows: usize) -> bool {
        let series = self.seen.len();
        !self.again && self.words && series > 1 && self.rows / series > rows
    }
}
