//! Text cells as numbers, each text kept once.

use std::collections::HashMap;

use crate::raw::{Data, NONE, sort_vocabulary};

/// A column of categories being read.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    codes: Vec<u32>,
    names: Vec<String>,
    /// Only looked up, never walked, so its order shows nowhere. The standard
    /// hasher, because a file may be hostile.
    index: HashMap<Box<[u8]>, u32>,
    /// The code last given for a text of this length and these ends; columns
    /// of few categories are found here without hashing.
    recent: [u32; 16],
    text: usize,
}

impl Interner {
    /// Adds a cell; `false` where it is not UTF-8, and then nothing is added.
    pub(crate) fn push(&mut self, cell: &[u8]) -> bool {
        let ends = match cell {
            [a, .., b] => usize::from(*a) ^ usize::from(*b).rotate_left(2) ^ cell.len(),
            _ => usize::from(cell.first().copied().unwrap_or(0)),
        };
        let recent = &mut self.recent[ends % 16];
        if self.names.get(*recent as usize).is_some_and(|n| n.as_bytes() == cell) {
            self.codes.push(*recent);
            return true;
        }
        let code = match self.index.get(cell) {
            Some(&code) => code,
            None => {
                let Ok(text) = std::str::from_utf8(cell) else { return false };
                let code = self.names.len() as u32;
                self.names.push(text.to_string());
                self.index.insert(cell.into(), code);
                self.text += 2 * cell.len() + 80;
                code
            }
        };
        *recent = code;
        self.codes.push(code);
        true
    }

    pub(crate) fn push_missing(&mut self) {
        self.codes.push(NONE);
    }

    /// Bytes it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        self.codes.capacity() * 4 + self.text
    }

    pub(crate) fn finish(mut self) -> Data {
        let vocabulary = sort_vocabulary(&mut self.codes, self.names);
        Data::Text { codes: self.codes, vocabulary }
    }
}
