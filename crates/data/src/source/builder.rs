//! Columns of a table while it is read: in memory, and on disk once they are
//! too large for it.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::number::{self, Digits, Sign, Spelling};
use crate::disk::Writer;
use crate::intern::Interner;
use crate::missing::{Named, is_missing, is_word};
use crate::raw::{Data, Spilled, SpilledKind};
use crate::runs::Runs;

/// How the cells of a table are written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cells {
    pub(crate) digits: Digits,
    /// The words that a program names as missing.
    pub(crate) na: Named,
}

impl Cells {
    /// Whether a cell among numbers means that there is none.
    pub(crate) fn lacks(&self, cell: &[u8]) -> bool {
        is_missing(cell, true) || is_word(cell) || self.na.has(cell)
    }
}

/// A column being read.
pub(crate) struct Column {
    kind: Kind,
    cells: Arc<Cells>,
    /// The sign that stands beside its numbers.
    sign: Option<Sign>,
    /// Whether it may be any.
    any_sign: bool,
    /// How many cells had it.
    signs: u64,
    /// Cells that begin with a 0 as a code does, and the first of them.
    codes: u64,
    code: String,
    /// Whether a text is missing only where its cell is empty.
    literal: bool,
    /// Unusual words that were taken for missing, with their numbers.
    words: BTreeMap<String, u64>,
    /// What does not fit into memory, written so far.
    disk: Option<Writer>,
}

enum Kind {
    Skip,
    /// Not kept: only how its texts follow each other.
    Watch(Runs),
    /// Nothing but missing cells so far.
    Open(usize),
    Numbers(Vec<f64>),
    Text(Interner),
}

/// What a cell is not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bad {
    Number,
    Text,
}

/// Words for missing that are told with their numbers; a file has few.
const WORDS_TOLD: usize = 20;

/// What the first cells of a column look like.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// Cells that are there.
    pub(crate) there: usize,
    /// Those of them that are numbers as they stand.
    pub(crate) numbers: usize,
    /// Those that are numbers with a sign beside them.
    signs: BTreeMap<Sign, usize>,
    /// Those that would be numbers if a program said how they are written.
    pub(crate) needy: usize,
    /// What it would have to say, with the cells it holds for.
    pub(crate) needs: BTreeMap<Spelling, usize>,
    /// The first of the needy.
    pub(crate) example: Option<String>,
}

impl Look {
    /// Looks at cells.
    pub(crate) fn at<'c>(column: impl Iterator<Item = &'c [u8]>, cells: &Cells) -> Self {
        let mut look = Self::default();
        for cell in column {
            if number::parse(cell, cells.digits).is_some() {
                look.there += 1;
                look.numbers += 1;
                continue;
            }
            if cells.lacks(cell) {
                continue;
            }
            look.there += 1;
            if let Some((sign, _)) = number::signed(cell, cells.digits) {
                *look.signs.entry(sign).or_default() += 1;
                continue;
            }
            let needs = number::needs(cell, cells.digits);
            if !needs.is_empty() {
                look.needy += 1;
                look.example.get_or_insert_with(|| String::from_utf8_lossy(cell).into_owned());
            }
            needs.into_iter().for_each(|n| *look.needs.entry(n).or_default() += 1);
        }
        look
    }

    /// The sign of most cells.
    fn sign(&self) -> Option<Sign> {
        let (&sign, &n) = self.signs.iter().max_by_key(|(_, n)| **n)?;
        let plain = self.numbers * 2 >= self.there;
        (!plain && (n + self.numbers) * 2 >= self.there).then_some(sign)
    }

    /// Whether the column is numbers once it is said how they are written.
    pub(crate) fn is_needy(&self) -> bool {
        let signed: usize = self.signs.values().sum();
        let several = self.needy > 1 || self.needy * 10 >= self.there;
        self.needy > 0 && several && (self.numbers + self.needy + signed) * 2 >= self.there
    }
}

impl Column {
    fn of(kind: Kind, cells: &Arc<Cells>) -> Self {
        Self {
            kind,
            cells: Arc::clone(cells),
            sign: None,
            any_sign: false,
            signs: 0,
            codes: 0,
            code: String::new(),
            literal: false,
            words: BTreeMap::new(),
            disk: None,
        }
    }

    /// A column nobody wants.
    pub(crate) fn skip() -> Self {
        Self::of(Kind::Skip, &Arc::default())
    }

    /// A column of which is only kept how its texts follow each other.
    pub(crate) fn watch() -> Self {
        Self::of(Kind::Watch(Runs::default()), &Arc::default())
    }

    /// A column of numbers.
    pub(crate) fn numbers(look: &Look, cells: &Arc<Cells>) -> Self {
        Self { sign: look.sign(), ..Self::of(Kind::Numbers(Vec::new()), cells) }
    }

    /// A column of text.
    pub(crate) fn text(cells: &Arc<Cells>) -> Self {
        Self::of(Kind::Text(Interner::default()), cells)
    }

    /// A column of text in which only an empty cell is missing.
    pub(crate) fn words_only(cells: &Arc<Cells>) -> Self {
        Self { literal: true, ..Self::text(cells) }
    }

    /// Numbers where at least half of the cells that are there are numbers.
    pub(crate) fn guess(look: &Look, cells: &Arc<Cells>) -> Self {
        let sign = look.sign();
        match look.there {
            0 => Self::of(Kind::Open(0), cells),
            n if look.numbers * 2 >= n || sign.is_some() => Self::numbers(look, cells),
            _ => Self::text(cells),
        }
    }

    /// Takes every number that has a sign beside it.
    pub(crate) fn take_any_sign(&mut self) {
        self.any_sign = true;
    }

    /// Adds a cell; says where it is not what the column holds, and then the
    /// column is of no use any more.
    pub(crate) fn push(&mut self, cell: &[u8]) -> Result<(), Bad> {
        match &mut self.kind {
            Kind::Skip => Ok(()),
            Kind::Watch(runs) => {
                runs.push(cell);
                Ok(())
            }
            Kind::Numbers(values) => match number::parse(cell, self.cells.digits) {
                Some(x) if self.cells.na.has_value(x) => {
                    values.push(f64::NAN);
                    Ok(())
                }
                Some(x) => {
                    values.push(x);
                    if let [b'0', rest @ ..] = cell
                        && rest.len() > 1
                        && rest.iter().all(u8::is_ascii_digit)
                    {
                        if self.codes == 0 {
                            self.code = String::from_utf8_lossy(cell).into_owned();
                        }
                        self.codes += 1;
                    }
                    Ok(())
                }
                None => {
                    let value = self.odd(cell);
                    let Kind::Numbers(values) = &mut self.kind else { return Ok(()) };
                    values.push(value.unwrap_or(f64::NAN));
                    if value.is_some() { Ok(()) } else { Err(Bad::Number) }
                }
            },
            Kind::Text(names)
                if (cell.is_empty() || !self.literal) && is_missing(cell, false)
                    || named(&self.cells, cell) =>
            {
                names.push_missing();
                Ok(())
            }
            Kind::Text(names) => {
                if names.push(cell) {
                    Ok(())
                } else {
                    Err(Bad::Text)
                }
            }
            Kind::Open(missing) if self.cells.lacks(cell) => {
                *missing += 1;
                self.note_word(cell);
                Ok(())
            }
            Kind::Open(missing) => {
                // The first cell that is there decides.
                let missing = *missing;
                let look = Look::at([cell].into_iter(), &self.cells);
                let words = std::mem::take(&mut self.words);
                *self = Self::guess(&look, &self.cells.clone());
                self.words = words;
                match &mut self.kind {
                    Kind::Numbers(values) => values.resize(missing, f64::NAN),
                    Kind::Text(names) => (0..missing).for_each(|_| names.push_missing()),
                    Kind::Skip | Kind::Watch(_) | Kind::Open(_) => {}
                }
                self.push(cell)
            }
        }
    }

    /// A cell among numbers that is none as it stands: NaN where it is
    /// missing, and `None` where it is a mistake.
    fn odd(&mut self, cell: &[u8]) -> Option<f64> {
        if self.cells.lacks(cell) {
            self.note_word(cell);
            return Some(f64::NAN);
        }
        let (sign, value) = number::signed(cell, self.cells.digits)?;
        (self.any_sign || Some(sign) == self.sign).then(|| {
            self.signs += 1;
            value
        })
    }

    /// Counts a word that not everybody writes for a missing value.
    fn note_word(&mut self, cell: &[u8]) {
        if is_missing(cell, true) || self.cells.na.has(cell) {
            return;
        }
        let word = String::from_utf8_lossy(cell).into_owned();
        if self.words.len() < WORDS_TOLD || self.words.contains_key(&word) {
            *self.words.entry(word).or_default() += 1;
        }
    }

    /// Unusual words that were taken for missing, with their numbers.
    pub(crate) fn words(&self) -> &BTreeMap<String, u64> {
        &self.words
    }

    /// The sign that was left away, and how often.
    pub(crate) fn signs(&self) -> Option<(Sign, u64)> {
        self.sign.filter(|_| self.signs > 0).map(|s| (s, self.signs))
    }

    /// Cells that begin with a 0, as codes do and amounts do not: the first, and how many there are.
    pub(crate) fn codes(&self) -> Option<(&str, u64)> {
        (self.codes > 0).then_some((self.code.as_str(), self.codes))
    }

    /// Bytes it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        match &self.kind {
            Kind::Skip | Kind::Watch(_) | Kind::Open(_) => 0,
            Kind::Numbers(values) => values.capacity() * 8,
            Kind::Text(names) => names.bytes(),
        }
    }

    /// Writes what is in memory to disk; a vocabulary stays.
    pub(crate) fn spill(&mut self) -> io::Result<()> {
        if matches!(self.kind, Kind::Skip | Kind::Watch(_) | Kind::Open(_)) {
            return Ok(());
        }
        if self.disk.is_none() {
            self.disk = Some(Writer::new()?);
        }
        let Some(writer) = &mut self.disk else { return Ok(()) };
        match &mut self.kind {
            Kind::Numbers(values) => writer.put(std::mem::take(values)),
            Kind::Text(names) => writer.put(names.take_codes()),
            Kind::Skip | Kind::Watch(_) | Kind::Open(_) => Ok(()),
        }
    }

    /// The column.
    pub(crate) fn finish(mut self) -> io::Result<Data> {
        if self.disk.is_some() {
            self.spill()?;
        }
        let file = match self.disk {
            Some(writer) => Some(Arc::new(writer.finish()?)),
            None => None,
        };
        Ok(match (self.kind, file) {
            (Kind::Skip, _) => Data::Skipped,
            (Kind::Watch(runs), _) => Data::Watched(runs),
            (Kind::Open(n), _) => Data::Numbers(vec![f64::NAN; n]),
            (Kind::Numbers(values), None) => Data::Numbers(values),
            (Kind::Numbers(_), Some(file)) => Data::Spilled(Spilled { file, of: SpilledKind::Numbers }),
            (Kind::Text(names), None) => names.finish(),
            (Kind::Text(names), Some(file)) => {
                let (map, vocabulary) = names.finish_spilled();
                let (map, vocabulary) = (Arc::new(map), Arc::new(vocabulary));
                let of = SpilledKind::Text { map, vocabulary, day_first: None };
                Data::Spilled(Spilled { file, of })
            }
        })
    }
}

/// Whether a text is what a program calls missing.
fn named(cells: &Cells, cell: &[u8]) -> bool {
    let na = &cells.na;
    !na.is_empty() && (na.has(cell) || number::parse(cell, cells.digits).is_some_and(|x| na.has_value(x)))
}
