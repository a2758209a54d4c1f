//! What data is for.

use serde::{Deserialize, Serialize};

/// What a source of data is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// `data`
    Train,
    /// `valid`
    Valid,
    /// `test`
    Test,
}

impl Part {
    /// Its statement's first word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Train => "data",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }

    /// The part whose statement begins with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Train, Self::Valid, Self::Test].into_iter().find(|part| part.word() == word)
    }
}
