//! The cells of a table as they stand in the file, one row after the other:
//! what is shown beside an answer.

use super::csv::{self, Csv};
use super::rows::shown;
use super::scan::Span;
use crate::Limits;
use crate::fault::Fault;
use crate::input;
use crate::spec::{RowSpec, SourceSpec};

/// The rows of a table as text. They are those that reading the same source
/// gives, in the same order; nothing but one row is in memory.
pub struct Cells {
    names: Vec<String>,
    named: bool,
    rows: Rows,
    row: Vec<String>,
}

enum Rows {
    Written(std::vec::IntoIter<RowSpec>),
    Csv(Box<CsvRows>),
}

struct CsvRows {
    csv: Csv,
    /// The next row of what was read to decide the columns.
    next: usize,
    /// The next of the files after the first.
    file: usize,
    spans: Vec<Span>,
}

impl std::fmt::Debug for Cells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cells").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Cells {
    /// The cells of a source that is a table of text; `None` for others.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(spec: &SourceSpec, limits: &Limits) -> Result<Option<Self>, Vec<Fault>> {
        let (heads, rows) = match spec {
            SourceSpec::Rows(written) => {
                let source = super::open(spec, limits)?;
                (source.heads().to_vec(), Rows::Written(written.rows.clone().into_iter()))
            }
            SourceSpec::Csv(spec) => {
                let csv = csv::begin(spec, limits)?;
                (csv.heads.clone(), Rows::Csv(Box::new(CsvRows { csv, next: 0, file: 0, spans: Vec::new() })))
            }
            SourceSpec::Idx(_)
            | SourceSpec::Npy(_)
            | SourceSpec::Npz(_)
            | SourceSpec::Images(_)
            | SourceSpec::Text(_)
            | SourceSpec::Generator(_) => return Ok(None),
        };
        let named = heads.iter().any(|h| !h.unnamed);
        let names = heads.into_iter().map(|h| h.name).collect();
        Ok(Some(Self { names, named, rows, row: Vec::new() }))
    }

    /// The columns, those that a model does not read among them.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether the names are those of the source, and not made up.
    pub fn is_named(&self) -> bool {
        self.named
    }

    /// The present row, one cell for every column; nothing before the first.
    pub fn row(&self) -> &[String] {
        &self.row
    }

    /// Goes to the next row; whether there is one.
    ///
    /// # Errors
    /// The file cannot be read any further.
    pub fn next_row(&mut self) -> Result<bool, Box<Fault>> {
        let there = match &mut self.rows {
            Rows::Written(rows) => rows.next().map(|row| {
                let cells = row.inputs.iter().chain(row.targets.iter().flatten());
                self.row.clear();
                self.row.extend(cells.map(|c| shown(&c.value)));
            }),
            Rows::Csv(rows) => rows.next_row(self.names.len(), &mut self.row)?,
        };
        Ok(there.is_some())
    }
}

/// Texts into the strings that are there already.
fn put<'c>(row: &mut Vec<String>, width: usize, cells: impl Iterator<Item = &'c [u8]>) {
    row.resize(width, String::new());
    for (text, cell) in row.iter_mut().zip(cells) {
        text.clear();
        text.push_str(&String::from_utf8_lossy(cell));
    }
}

impl CsvRows {
    fn next_row(&mut self, width: usize, row: &mut Vec<String>) -> Result<Option<()>, Box<Fault>> {
        if let Some(line) = self.csv.sample.get(self.next) {
            self.next += 1;
            put(row, width, line.cells.iter().map(Vec::as_slice));
            return Ok(Some(()));
        }
        loop {
            let Csv { spec, scanner, header, .. } = &mut self.csv;
            let path = match self.file.checked_sub(1) {
                Some(i) => spec.more.get(i).unwrap_or(&spec.path),
                None => &spec.path,
            };
            if scanner.next(&mut self.spans).map_err(|e| Box::new(csv::scan_fault(e, path, spec)))?.is_some()
            {
                put(row, width, self.spans.iter().map(|&s| csv::trim(scanner.cell(s))));
                return Ok(Some(()));
            }
            let Some(path) = spec.more.get(self.file) else { return Ok(None) };
            self.file += 1;
            *scanner = csv::start(spec, path)?.0;
            if *header {
                let first = scanner.next(&mut self.spans);
                first.map_err(|e| Box::new(csv::scan_fault(e, path, spec)))?;
            }
        }
    }
}

/// Keeps what comes from stdin in a temporary file, so that it can be read
/// more than once.
///
/// # Errors
/// Stdin cannot be read, or the file not be written.
pub fn keep_stdin() -> Result<(), Box<Fault>> {
    input::keep_stdin().map_err(|e| Box::new(input::broken("-", &e, None)))
}
