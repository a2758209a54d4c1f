//! Whether a first line holds names.
//!
//! Evidence that it does:
//!
//! - a word stands over a column of numbers;
//! - its numbers are labels: 0, 1, 2 … in order, years, or even steps, over
//!   columns whose numbers look otherwise;
//! - a word that never comes back stands over a column of few texts that all do;
//! - an empty cell stands over a column that counts the rows, as pandas
//!   writes its index.
//!
//! Evidence that it does not: a number that is no label, a text that comes
//! back further down its column, or one that looks like those below it (a
//! date over dates). A cell that means missing (`?`, `NA`) is no word.

use std::collections::HashMap;

use super::Line;
use crate::source::builder::Cells;
use crate::source::number;

/// What was found.
pub(super) struct Decision {
    pub(super) header: bool,
    /// Why, in a few words.
    pub(super) why: String,
    /// What speaks against it, where it is far from sure.
    pub(super) doubt: Option<String>,
}

impl Decision {
    fn sure(header: bool, why: impl Into<String>) -> Self {
        Self { header, why: why.into(), doubt: None }
    }
}

/// What a cell of the first line is.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    /// Empty, or a word for missing.
    Missing,
    Number(f64),
    /// A number with a unit or with marks between its digits.
    Dressed,
    Word,
}

/// A column: its first cell and what stands below.
struct Column<'a> {
    cell: &'a [u8],
    class: Class,
    /// Cells below that are there.
    there: usize,
    numbers: usize,
    /// Cells below with a point or an exponent.
    fractions: usize,
    low: f64,
    high: f64,
    comes_back: bool,
    /// Different texts below, and how many of them stand there once.
    distinct: usize,
    once: usize,
    /// Cells below that are built like the first: `2024-01-05` over `2023-12-31`.
    alike: usize,
    /// Whether the cells below count 0, 1, 2 … or 1, 2, 3 ….
    counts: bool,
}

impl<'a> Column<'a> {
    fn new(i: usize, first: &'a Line, below: impl Iterator<Item = &'a Line>, cells: &Cells) -> Self {
        let cell = first.cells[i].as_slice();
        let mut column = Self {
            cell,
            class: class(cell, cells),
            there: 0,
            numbers: 0,
            fractions: 0,
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
            comes_back: false,
            distinct: 0,
            once: 0,
            alike: 0,
            counts: true,
        };
        let form = form(cell);
        let mut seen: HashMap<&[u8], usize> = HashMap::new();
        let mut next = None;
        for other in below.filter_map(|l| l.cells.get(i)) {
            if cells.lacks(other) {
                column.counts = false;
                continue;
            }
            column.there += 1;
            column.comes_back |= other == cell;
            let value = number::parse(other, cells.digits);
            let expected = next.or(value.filter(|v| *v == 0.0 || *v == 1.0));
            column.counts &= value.is_some() && value == expected;
            next = value.map(|v| v + 1.0);
            match value {
                Some(x) => {
                    column.numbers += 1;
                    column.fractions += usize::from(other.iter().any(|b| matches!(b, b'.' | b'e' | b'E')));
                    (column.low, column.high) = (column.low.min(x), column.high.max(x));
                }
                None if number::signed(other, cells.digits).is_some() => column.numbers += 1,
                None if !number::needs(other, cells.digits).is_empty() => column.numbers += 1,
                None => *seen.entry(other).or_default() += 1,
            }
            column.alike += usize::from(form.as_ref().is_some_and(|f| self::form(other).as_ref() == Some(f)));
        }
        column.counts &= column.there > 1;
        column.distinct = seen.len();
        column.once = seen.values().filter(|n| **n == 1).count();
        column
    }

    fn texts(&self) -> usize {
        self.there - self.numbers
    }

    fn is_word(&self) -> bool {
        self.class == Class::Word
    }

    fn name(&self) -> String {
        let name: String = String::from_utf8_lossy(self.cell).chars().take(24).collect();
        format!("`{name}`")
    }

    fn value(&self) -> Option<f64> {
        match self.class {
            Class::Number(x) => Some(x),
            _ => None,
        }
    }

    /// A word over numbers; a few texts among them are slips, or words for missing.
    fn names_numbers(&self) -> bool {
        self.is_word() && !self.comes_back && self.numbers > 0 && self.texts() * 10 <= self.there
    }

    /// A word that never comes back over texts that all do, or nearly all.
    fn names_texts(&self) -> bool {
        let few = self.distinct > 0 && self.once * 10 <= self.texts() && self.distinct * 2 <= self.texts();
        self.is_word() && !self.comes_back && self.numbers * 10 <= self.there && few
    }

    /// Built like what stands below.
    fn is_alike(&self) -> bool {
        self.alike * 2 >= self.there && self.alike > 0
    }

    /// A number over a column of few texts.
    fn numbers_texts(&self) -> bool {
        let few = self.distinct > 0 && self.once * 10 <= self.there && self.distinct * 2 <= self.there;
        self.value().is_some() && self.numbers == 0 && self.there > 1 && few
    }

    /// Whether what stands below is of another kind than the first: outside
    /// of their range, or written with a point where it is not, or texts.
    fn contrasts(&self) -> bool {
        let Some(x) = self.value() else { return false };
        if self.numbers_texts() {
            return true;
        }
        let plain = self.cell.iter().all(u8::is_ascii_digit);
        let outside = x < self.low || x > self.high;
        self.numbers > 1 && (outside || plain && self.fractions * 10 >= self.numbers * 9)
    }

    /// Far away from everything below.
    fn stands_out(&self) -> bool {
        let reach = (self.high - self.low).max(1.0);
        self.numbers > 1 && self.value().is_some_and(|x| x > self.high + reach || x < self.low - reach)
    }
}

fn class(cell: &[u8], cells: &Cells) -> Class {
    if let Some(x) = number::parse(cell, cells.digits) {
        return Class::Number(x);
    }
    if cells.lacks(cell) {
        return Class::Missing;
    }
    let dressed =
        number::signed(cell, cells.digits).is_some() || !number::needs(cell, cells.digits).is_empty();
    if dressed { Class::Dressed } else { Class::Word }
}

/// The build of a text with digits in it: `99-aaa-99` of `20-Mar-06`. A
/// letter or two are what they are: `V1` is not built like `A1`.
fn form(cell: &[u8]) -> Option<Vec<u8>> {
    if !cell.iter().any(u8::is_ascii_digit) || cell.len() > 40 {
        return None;
    }
    let mut out = cell.to_vec();
    for part in out.chunk_by_mut(|a, b| a.is_ascii_alphabetic() == b.is_ascii_alphabetic()) {
        let word = part[0].is_ascii_alphabetic() && part.len() > 2;
        part.iter_mut().for_each(|b| match b {
            b'0'..=b'9' => *b = b'9',
            _ if word => *b = b'a',
            _ => {}
        });
    }
    Some(out)
}

/// Names in a list, at most three.
fn list(columns: &[&Column<'_>]) -> String {
    let names: Vec<String> = columns.iter().take(3).map(|c| c.name()).collect();
    let more = if columns.len() > 3 { ", …" } else { "" };
    format!("{}{more}", names.join(", "))
}

/// The rule at the head of this file.
pub(super) fn decide(first: &Line, below: &[Line], cells: &Cells) -> Decision {
    let columns: Vec<Column<'_>> =
        (0..first.cells.len()).map(|i| Column::new(i, first, below.iter(), cells)).collect();
    let of = |test: &dyn Fn(&Column<'_>) -> bool| columns.iter().filter(|c| test(c)).collect::<Vec<_>>();
    let words = of(&|c| c.is_word());
    let numbers = of(&|c| matches!(c.class, Class::Number(_) | Class::Dressed));
    let over_numbers = of(&|c| c.names_numbers());
    let over_texts = of(&|c| c.names_texts());
    let back = of(&|c| c.is_word() && c.comes_back);
    let alike = of(&|c| c.is_word() && !c.comes_back && c.is_alike());
    let index = columns.first().filter(|c| c.cell.is_empty() && c.counts);
    let stand = |n: usize| if n == 1 { "stands" } else { "stand" };
    let labels = labels(&columns);

    // A slip such as `1O` is a word, too, but not in a line that comes back.
    let slips = of(&|c| {
        let text = String::from_utf8_lossy(c.cell);
        c.names_numbers() && number::meant(&text, cells.digits).is_some() && c.cell.len() > 1
    });
    let real = over_numbers.len() - if back.is_empty() { 0 } else { slips.len() };
    if real > 0 && (numbers.len() * 2 < columns.len() || labels.is_some()) {
        let why = format!("{} {} over numbers", list(&over_numbers), stand(over_numbers.len()));
        return Decision::sure(true, why);
    }
    if let Some(column) = back.first() {
        let again = format!("{} comes back further down its column", column.name());
        if back.len() >= over_texts.len() || !numbers.is_empty() {
            return Decision::sure(false, again);
        }
        let why = format!("{} never come back, and what stands below does", list(&over_texts));
        return Decision { header: true, why, doubt: Some(again) };
    }
    if let Some(column) = alike.first() {
        return Decision::sure(false, format!("{} looks like the cells below it", column.name()));
    }
    if index.is_some() {
        return Decision::sure(true, "an empty name stands over a column that counts the rows");
    }
    if let Some(labels) = labels {
        let enough = labels.certain || !over_texts.is_empty();
        if enough || labels.likely && !words.is_empty() {
            return Decision::sure(true, format!("{}, over other numbers", labels.what));
        }
        let doubt = format!("{} may be names", labels.what);
        return Decision { header: false, why: "it may be a row".into(), doubt: Some(doubt) };
    }
    if numbers.is_empty() && !words.is_empty() {
        if !over_texts.is_empty() {
            let comes = if over_texts.len() == 1 { "comes" } else { "come" };
            let why = format!("{} never {comes} back, and what stands below does", list(&over_texts));
            return Decision::sure(true, why);
        }
        let doubt = (!below.is_empty()).then(|| "every text below stands there once, too".to_string());
        return Decision {
            header: true,
            why: "no cell of it is a number, and none comes back".into(),
            doubt,
        };
    }
    let doubt =
        over_texts.first().map(|c| format!("{} never comes back, and what stands below does", c.name()));
    let doubt = doubt.or_else(|| {
        over_numbers
            .first()
            .filter(|c| slips.iter().all(|s| s.cell != c.cell))
            .map(|c| format!("{} stands over numbers", c.name()))
    });
    let why = match numbers.first() {
        Some(c) => format!("{} is a number", c.name()),
        None => "it has no word".to_string(),
    };
    Decision { header: false, why, doubt }
}

/// Whether a line holds words, and stands over columns of numbers.
pub(super) fn stands_over_numbers(first: &Line, below: &[&Line], cells: &Cells) -> bool {
    let columns: Vec<Column<'_>> =
        (0..first.cells.len()).map(|i| Column::new(i, first, below.iter().copied(), cells)).collect();
    columns.iter().any(Column::names_numbers) && columns.iter().all(|c| c.value().is_none())
}

/// Numbers of a first line that may be names.
struct Labels {
    what: String,
    /// No row of data looks so.
    certain: bool,
    /// With words beside them that are names, too, they are names.
    likely: bool,
}

fn labels(columns: &[Column<'_>]) -> Option<Labels> {
    let numbers: Vec<&Column<'_>> = columns.iter().filter(|c| c.value().is_some()).collect();
    let dressed = columns.iter().any(|c| c.class == Class::Dressed);
    let values: Vec<f64> = numbers.iter().filter_map(|c| c.value()).collect();
    let (first, last) = (*values.first()?, *values.last()?);
    // `0.0,1.0` are what pandas writes for columns that count in fractions.
    let whole = |c: &[u8]| c.strip_suffix(b".0").unwrap_or(c).iter().all(u8::is_ascii_digit);
    let plain = numbers.iter().all(|c| whole(c.cell));
    let over_texts = numbers.iter().any(|c| c.numbers_texts());
    let contrasts = numbers.iter().filter(|c| c.contrasts()).count();
    let (all, most) = (contrasts * 5 >= values.len() * 4, contrasts * 2 >= values.len());
    let step = |i: usize| values[i] - values[i - 1];
    let even = (2..values.len()).all(|i| (step(i) - step(1)).abs() <= 1e-6 * step(1).abs().max(1e-9));
    let rising = (1..values.len()).all(|i| step(i) > 0.0) || (1..values.len()).all(|i| step(i) < 0.0);
    let counting = plain && (first == 0.0 || first == 1.0) && even && (values.len() < 2 || step(1) == 1.0);
    let years = plain && values.iter().all(|y| (1500.0..=2100.0).contains(y)) && rising;
    let shown = match numbers.as_slice() {
        [one] => one.name(),
        [one, two] => format!("{}, {}", one.name(), two.name()),
        [one, two, ..] => format!("{}, {}, …", one.name(), two.name()),
        [] => return None,
    };
    let (what, certain, likely) = if dressed {
        return None;
    } else if counting {
        (
            format!("{shown} count the columns"),
            values.len() > 2 && (all || over_texts),
            contrasts > 0 || values.len() > 2,
        )
    } else if years {
        let out = numbers.iter().any(|c| c.stands_out());
        let single = values.len() == 1;
        let word = if single { "is a year" } else { "are years" };
        (format!("{shown} {word}"), !single && all, if single { out } else { most })
    } else if values.len() > 3 && even && rising && last != first {
        (format!("{shown} rise in even steps"), all, all)
    } else {
        return None;
    };
    let beside = columns.iter().any(|c| c.is_word());
    (contrasts > 0 || counting && values.len() > 1 && beside).then_some(Labels { what, certain, likely })
}
