//! Texts as sequences of classes: words, characters or bytes.
//!
//! Class 0 is padding, behind a text that is shorter than others; class 1 is
//! what training did not see, or too seldom. Of bytes, which are all known,
//! byte `b` is class `b + 1`. These are the classes of Keras'
//! `TextVectorization`.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::fault::Faults;
use crate::moments::{Cell, moments, set_moments};
use crate::raw::NONE;
use crate::schema::ColumnKind;
use crate::spec::{Missing, Tokens, Unit};
use crate::stats::{ColumnStats, Fill};

/// The name of class 0.
pub(crate) const PADDING: &str = "(padding)";
/// The name of class 1.
pub(crate) const UNKNOWN: &str = "(unknown)";

/// Classes where nothing says how many.
const CLASSES: usize = 20_000;

/// Classes are kept as `u16`.
pub(crate) const MOST_CLASSES: usize = 1 << 16;

/// Tokens of a row where nothing says how many.
const LONGEST: usize = 1000;

/// The tokens of a text, in their order.
pub(crate) fn cut(unit: Unit, text: &str, mut each: impl FnMut(&str)) {
    let mut buffer = [0; 4];
    match unit {
        Unit::Characters => text.chars().for_each(|c| each(c.encode_utf8(&mut buffer))),
        Unit::Bytes => text.bytes().for_each(|b| each(&byte_name(b))),
        Unit::Words => {
            let text = match text.contains('\u{2019}') {
                true => Cow::Owned(text.replace('\u{2019}', "'")),
                false => Cow::Borrowed(text),
            };
            let inside = |c: char| c.is_alphanumeric() || c == '\'';
            for run in text.split(|c| !inside(c)) {
                let word = run.trim_matches('\'');
                if !word.is_empty() {
                    each(&word.to_lowercase());
                }
            }
        }
    }
}

/// A byte as a class is called.
fn byte_name(byte: u8) -> String {
    match byte {
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    }
}

/// Takes vocabulary and length from the training part.
pub(crate) fn fit(
    stats: &mut ColumnStats,
    (codes, texts): (&[u32], &[String]),
    train: &[u32],
    tokens: Tokens,
    cell: &Cell<'_>,
    faults: &mut Faults,
) {
    let name = &cell.used.name;
    stats.kind = ColumnKind::Tokens;
    stats.unit = Some(tokens.unit);
    stats.scaling.clear();
    stats.fill = match &cell.used.missing {
        None => Fill::Fault,
        Some(Missing::Drop) => Fill::Drop,
        Some(Missing::Text(text)) if text.is_empty() => Fill::Category(0),
        Some(_) => {
            let message = format!("nothing but an empty text stands in for a text, and `{name}` is one");
            faults.push(cell.fault(message).help("missing=\"\"   or   missing=drop"));
            Fill::Category(0)
        }
    };
    let mut uses = vec![0u64; texts.len()];
    let present = || train.iter().map(|&r| codes[r as usize]).filter(|c| *c != NONE);
    present().for_each(|c| uses[c as usize] += 1);
    let mut lengths = vec![0usize; texts.len()];
    let mut found: HashMap<String, u64> = HashMap::new();
    for ((text, &n), length) in texts.iter().zip(&uses).zip(&mut lengths).filter(|((_, n), _)| **n > 0) {
        cut(tokens.unit, text, |token| {
            *length += 1;
            match found.get_mut(token) {
                Some(count) => *count += n,
                None => drop(found.insert(token.to_string(), n)),
            }
        });
    }
    let all: u64 = found.values().sum();
    let mut counts = vec![0u64; 1];
    let mut names = vec![PADDING.to_string()];
    if tokens.unit == Unit::Bytes {
        names.extend((0..=255).map(byte_name));
        counts.extend((0..=255).map(|b| found.get(&byte_name(b)).copied().unwrap_or(0)));
    } else {
        // The commonest first, and of equals by their bytes: the order of the map shows nowhere.
        let mut order: Vec<(String, u64)> = found.into_iter().collect();
        order.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        order.truncate(tokens.vocabulary.unwrap_or(CLASSES).min(MOST_CLASSES).saturating_sub(2));
        let known: u64 = order.iter().map(|(_, n)| n).sum();
        names.push(UNKNOWN.to_string());
        counts.push(all - known);
        for (token, n) in order {
            names.push(token);
            counts.push(n);
        }
    }
    let longest = lengths.iter().copied().max().unwrap_or(0);
    stats.shape = vec![tokens.length.unwrap_or(longest.clamp(1, LONGEST))];
    let m = moments(present().map(|c| lengths[c as usize] as f64));
    set_moments(stats, m, train.len());
    (stats.vocabulary, stats.counts) = (names, counts);
    if all == 0 && m.count > 0 {
        let message = format!("no text of `{name}` has any {} in the training part", tokens.unit.name());
        faults.push(cell.fault(message).help("`characters` or `bytes` cut every text"));
    }
}

/// Cuts texts into the classes of a vocabulary.
pub(crate) struct Classes<'a> {
    unit: Unit,
    length: usize,
    /// Looked up only.
    index: HashMap<&'a str, u16>,
}

impl<'a> Classes<'a> {
    /// `None` where the statistics contradict themselves.
    pub(crate) fn new(stats: &'a ColumnStats) -> Option<Self> {
        let unit = stats.unit?;
        let names = &stats.vocabulary;
        let &[length] = stats.shape.as_slice() else { return None };
        let fits = match unit {
            Unit::Bytes => names.len() == 257,
            Unit::Words | Unit::Characters => (2..=MOST_CLASSES).contains(&names.len()),
        };
        let index = names.iter().enumerate().skip(2).map(|(i, name)| (name.as_str(), i as u16)).collect();
        fits.then_some(Self { unit, length, index })
    }

    /// Classes of a row.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Appends the classes of a text, cut or filled up.
    pub(crate) fn push(&self, text: &str, out: &mut Vec<u16>) {
        let end = out.len() + self.length;
        if self.unit == Unit::Bytes {
            out.extend(text.bytes().take(self.length).map(|b| u16::from(b) + 1));
        } else {
            cut(self.unit, text, |token| {
                if out.len() < end {
                    out.push(self.index.get(token).copied().unwrap_or(1));
                }
            });
        }
        out.resize(end, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(unit: Unit, text: &str) -> Vec<String> {
        let mut all = Vec::new();
        cut(unit, text, |t| all.push(t.to_string()));
        all
    }

    #[test]
    fn texts_are_cut() {
        let words = |text| tokens(Unit::Words, text).join("|");
        assert_eq!(words("Don't PANIC!  (it's 42.)"), "don't|panic|it's|42");
        assert_eq!(words("'tis Größe--ÉTÉ\n'quoted' l\u{2019}eau"), "tis|größe|été|quoted|l'eau");
        assert_eq!(words(" ... ''"), "");
        assert_eq!(tokens(Unit::Characters, "aÉ "), ["a", "É", " "]);
        assert_eq!(tokens(Unit::Bytes, "aé"), ["a", "\\xc3", "\\xa9"]);
    }
}
