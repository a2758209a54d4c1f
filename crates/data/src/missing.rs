//! Cells that mean that a value is missing.

use crate::source::number::{self, Digits};

/// Whether a cell counts as missing in every table.
pub(crate) fn is_missing(cell: &[u8], number: bool) -> bool {
    match cell {
        b"" | b"NA" | b"N/A" | b"n/a" | b"NaN" | b"nan" | b"null" | b"NULL" | b"<NA>" | b"#N/A" => true,
        b"None" | b"?" | b"-" => number,
        _ => false,
    }
}

/// Words that stand for a missing number here and there, in small letters;
/// among texts they are texts. What is taken for one is told.
const WORDS: &[&str] = &[
    "na",
    "n/a",
    "n.a.",
    "n.a",
    "nan",
    "-nan",
    "+nan",
    "null",
    "(null)",
    "[null]",
    "none",
    "nil",
    "nd",
    "n.d.",
    "missing",
    "unknown",
    "undefined",
    "\\n",
    "#null!",
    "#n/a",
    "#n/a!",
    "#na",
    "#div/0!",
    "#value!",
    "#ref!",
    "#num!",
    "#name?",
    "<na>",
    "<null>",
    "1.#qnan",
    "-1.#qnan",
    "1.#ind",
    "-1.#ind",
    "'-",
    "–",
    "—",
    "…",
];

/// Whether a cell among numbers is a word for a missing one.
pub(crate) fn is_word(cell: &[u8]) -> bool {
    match cell {
        [b'.' | b'-' | b'*' | b'?' | b'_', rest @ ..]
            if rest.len() < 8 && rest.iter().all(|b| b == &cell[0]) =>
        {
            true
        }
        _ if cell.len() > 12 => false,
        _ => std::str::from_utf8(cell).is_ok_and(|t| WORDS.contains(&t.to_ascii_lowercase().as_str())),
    }
}

/// The words that a program names: `na=["--", -200]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named {
    words: Vec<Vec<u8>>,
    values: Vec<u64>,
}

impl Named {
    /// Words that are numbers are also compared by their value.
    pub(crate) fn new(words: &[String]) -> Self {
        let value = |w: &String| number::parse(w.as_bytes(), Digits::default()).map(|x| (x + 0.0).to_bits());
        Self {
            words: words.iter().map(|w| w.trim().as_bytes().to_vec()).collect(),
            values: words.iter().filter_map(value).collect(),
        }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether a cell is one of them as it is written.
    pub(crate) fn has(&self, cell: &[u8]) -> bool {
        self.words.iter().any(|w| w == cell)
    }

    /// Whether a number is one of them.
    pub(crate) fn has_value(&self, value: f64) -> bool {
        !self.values.is_empty() && self.values.contains(&(value + 0.0).to_bits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_missing() {
        for word in ["na", "Null", "NuLL", ".", "..", "--", "-", "\\N", "#NULL!", "**", "n.d.", "—", "NONE"]
        {
            assert!(is_word(word.as_bytes()), "{word}");
        }
        for word in ["", "0", "-5", "x", "banana", "-.-", "*-", ".........."] {
            assert!(!is_word(word.as_bytes()), "{word}");
        }
        let named = Named::new(&["-200".into(), "bad ".into()]);
        assert!(named.has_value(-200.0) && !named.has_value(200.0));
        assert!(named.has(b"bad") && named.has(b"-200") && !named.has(b"-200.0"));
    }
}
