//! The rows of data blocks: numbers below each other.

use super::doc::Doc;
use super::statement::{expanded, on_one_line};
use super::{Formatter, Place};
use crate::Span;
use crate::ast::{Row, Word, WordKind};

impl Formatter<'_> {
    /// The rows between braces; on one line if they were and still can be.
    pub(super) fn rows(&mut self, rows: &[Row], span: Span) -> Doc {
        let (start, end) = (span.start, span.end.saturating_sub(1));
        let one_line = self.lines.line(start) == self.lines.line(end) && !self.has_comment_before(end);
        let texts: Vec<RowText> = rows.iter().map(|row| self.row_text(row)).collect();
        let columns = Columns::of(rows, &texts);
        let aligned =
            |row: &RowText| columns.as_ref().map_or_else(|| row.plain(), |columns| columns.aligned(row));
        let shared = |row: &RowText| Doc::Either(row.plain(), aligned(row));
        if one_line {
            return on_one_line(texts.iter().map(shared).collect());
        }
        let open = Span { end: start + 1, ..span };
        let mut ahead = texts.iter();
        let content = self.sequence(
            rows,
            Some(open),
            end,
            |row| row.span,
            |_, _, place| match ahead.next() {
                Some(row) if place == Place::Alone => Doc::text(aligned(row)),
                Some(row) => shared(row),
                None => Doc::nil(),
            },
        );
        expanded(content)
    }

    fn row_text(&mut self, row: &Row) -> RowText {
        // A row is one line; comments inside its lists come behind it.
        let comments = std::mem::take(&mut self.comments);
        let mut cells = |words: &[Word]| words.iter().map(|word| self.cell(word)).collect();
        let text = RowText { words: cells(&row.words), to: row.to.as_deref().map(cells) };
        self.comments = comments;
        text
    }

    fn cell(&mut self, word: &Word) -> Cell {
        let text = match &word.kind {
            WordKind::Number(_) => self.slice(word.span).to_owned(),
            WordKind::Text(text) => super::expr::quoted(text),
            WordKind::Name { name, value: None } => name.text.clone(),
            WordKind::Name { name, value: Some(value) } => {
                format!("{}={}", name.text, self.expr(value).one_line())
            }
        };
        Cell { text, number: matches!(word.kind, WordKind::Number(_)) }
    }
}

/// A row as text, cell by cell.
struct RowText {
    words: Vec<Cell>,
    to: Option<Vec<Cell>>,
}

struct Cell {
    text: String,
    number: bool,
}

impl RowText {
    fn plain(&self) -> String {
        let cells =
            |cells: &[Cell]| cells.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join(" ");
        match &self.to {
            Some(to) => format!("{} -> {}", cells(&self.words), cells(to)),
            None => cells(&self.words),
        }
    }
}

/// The widths of the columns of a block.
#[derive(Default)]
struct Columns {
    words: Vec<usize>,
    to: Vec<usize>,
    /// The width of everything before the arrow.
    left: usize,
}

impl Columns {
    /// The columns of rows of values; rows of roles have none.
    fn of(rows: &[Row], texts: &[RowText]) -> Option<Self> {
        let is_value = |row: &Row| {
            row.to.is_some() || row.words.first().is_some_and(|w| !matches!(w.kind, WordKind::Name { .. }))
        };
        if !rows.iter().all(is_value) {
            return None;
        }
        let mut columns = Columns::default();
        for text in texts {
            widen(&mut columns.words, &text.words);
            widen(&mut columns.to, text.to.as_deref().unwrap_or_default());
        }
        columns.left =
            texts.iter().map(|text| padded(&columns.words, &text.words).chars().count()).max().unwrap_or(0);
        Some(columns)
    }

    fn aligned(&self, row: &RowText) -> String {
        let left = padded(&self.words, &row.words);
        match &row.to {
            Some(to) => format!("{left:0$} -> {1}", self.left, padded(&self.to, to)).trim_end().to_owned(),
            None => left.trim_end().to_owned(),
        }
    }
}

fn widen(widths: &mut Vec<usize>, cells: &[Cell]) {
    widths.resize(widths.len().max(cells.len()), 0);
    for (width, cell) in widths.iter_mut().zip(cells) {
        *width = (*width).max(cell.text.chars().count());
    }
}

/// Numbers to the right, words to the left of their columns.
fn padded(widths: &[usize], cells: &[Cell]) -> String {
    let pad = |(&width, cell): (&usize, &Cell)| {
        if cell.number { format!("{:>width$}", cell.text) } else { format!("{:width$}", cell.text) }
    };
    widths.iter().zip(cells).map(pad).collect::<Vec<_>>().join(" ")
}
