//! Samples of different lengths: where each begins, and how many steps it has.

use std::ops::Range;
use std::sync::Arc;

/// For every sample the row of the storage where its steps begin, and their number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spans {
    pub(crate) begins: Vec<u32>,
    pub(crate) lengths: Vec<u32>,
}

impl Spans {
    /// Of series that stand one after the other, by where each ends; of longer ones the first `limit` steps.
    pub(crate) fn of_ends(ends: &[u32], limit: Option<usize>) -> Self {
        let most = limit.and_then(|n| u32::try_from(n).ok()).unwrap_or(u32::MAX);
        let begins: Vec<u32> = std::iter::once(0).chain(ends.iter().copied()).take(ends.len()).collect();
        let lengths = begins.iter().zip(ends).map(|(begin, end)| (end - begin).min(most)).collect();
        Self { begins, lengths }
    }

    /// The rows of the storage that a sample is made of.
    pub(crate) fn get(&self, sample: usize) -> Option<Range<usize>> {
        let begin = *self.begins.get(sample)? as usize;
        Some(begin..begin + *self.lengths.get(sample)? as usize)
    }

    pub(crate) fn len(&self) -> usize {
        self.begins.len()
    }

    /// The steps of the longest.
    pub(crate) fn longest(&self) -> usize {
        self.lengths.iter().max().map_or(0, |n| *n as usize)
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> u64 {
        4 * (self.begins.len() + self.lengths.len()) as u64
    }
}

/// Which rows of the storage are a sample of a port.
#[derive(Clone, Debug, Default)]
pub(crate) enum Rows {
    /// The row of its number.
    #[default]
    Own,
    /// The first of its steps.
    First(Arc<Spans>),
    /// All of its steps; what is behind them is padding.
    Steps(Arc<Spans>),
}

/// Lengths in a few words: `7 to 29 steps, median 15`.
pub(crate) fn in_words(lengths: &[u32]) -> String {
    let mut sorted = lengths.to_vec();
    sorted.sort_unstable();
    let (Some(least), Some(most)) = (sorted.first(), sorted.last()) else { return "no steps".into() };
    if least == most {
        return format!("{most} steps each");
    }
    format!("{least} to {most} steps, median {}", sorted[sorted.len() / 2])
}
