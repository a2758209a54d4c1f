//! Rows that cannot be encoded, where that is no reason to stop: whoever
//! asks about many rows wants to know the answers to the others.

use std::ops::Range;

use crate::fault::Fault;

/// Rows whose reason is kept.
const SHOWN: usize = 10;

/// Which rows cannot be encoded, and why.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    /// A bit for every row; none where all can be encoded.
    marks: Vec<u64>,
    /// With the row of the source, from 0.
    reasons: Vec<(usize, Fault)>,
    faults: Vec<Fault>,
}

impl Gaps {
    /// Remembers a row, and the reason where it is new.
    pub(crate) fn mark(&mut self, row: usize, why: impl FnOnce() -> Fault) {
        let word = row / 64;
        if self.marks.len() <= word {
            self.marks.resize(word + 1, 0);
        }
        let bit = 1 << (row % 64);
        let new = self.marks[word] & bit == 0;
        self.marks[word] |= bit;
        let late = || self.reasons.len() >= SHOWN && self.reasons.last().is_some_and(|(last, _)| row > *last);
        if !new || late() {
            return;
        }
        let at = self.reasons.partition_point(|(r, _)| *r <= row);
        self.reasons.insert(at, (row, why()));
        self.reasons.truncate(SHOWN);
    }

    /// Whether there are none in a range of rows.
    pub(crate) fn none_in(&self, rows: Range<usize>) -> bool {
        self.marks.is_empty() || !rows.clone().any(|row| self.has(row))
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.marks.iter().map(|word| word.count_ones() as usize).sum()
    }

    fn has(&self, row: usize) -> bool {
        self.marks.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// From rows of the source to encoded rows.
    pub(crate) fn finish(mut self, origin: Option<&[u32]>) -> Self {
        if let Some(origin) = origin.filter(|_| !self.marks.is_empty()) {
            let mut marks = vec![0u64; origin.len().div_ceil(64)];
            for (at, _) in origin.iter().enumerate().filter(|(_, row)| self.has(**row as usize)) {
                marks[at / 64] |= 1 << (at % 64);
            }
            self.marks = marks;
        }
        self.faults = std::mem::take(&mut self.reasons).into_iter().map(|(_, why)| why).collect();
        self
    }

    /// Why the first of them cannot be encoded.
    pub(crate) fn reasons(&self) -> &[Fault] {
        &self.faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::codes;

    #[test]
    fn the_first_rows_have_their_reasons() {
        let mut gaps = Gaps::default();
        let why = |row: usize| move || Fault::new(codes::MISSING, format!("row {row}"));
        for row in (100..120).chain([3, 3, 130]) {
            gaps.mark(row, why(row));
        }
        let origin: Vec<u32> = (0..200).rev().collect();
        let gaps = gaps.finish(Some(&origin));
        let rows: Vec<&str> = gaps.reasons().iter().map(|f| f.message.as_str()).collect();
        assert_eq!((rows.len(), rows[0], rows[9]), (10, "row 3", "row 108"));
        assert!(gaps.has(196) && gaps.has(99) && !gaps.has(3));
        assert!(gaps.none_in(0..69) && !gaps.none_in(60..70));
    }
}
