//! The cells of a table as they stand in the file, one row after the other:
//! what is shown beside an answer.

use super::Source as _;
use super::rows::shown;
use super::table::{self, Table};
use crate::Limits;
use crate::fault::Fault;
use crate::input;
use crate::spec::{RowSpec, SourceSpec};
use crate::stats::Stats;

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
    Table(Box<Table>),
}

impl std::fmt::Debug for Cells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cells").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Cells {
    /// The cells of a source that is a table of text, read as by a model with
    /// these statistics; `None` for other sources.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(spec: &SourceSpec, stats: &Stats, limits: &Limits) -> Result<Option<Self>, Vec<Fault>> {
        let (heads, rows) = match spec {
            SourceSpec::Rows(written) => {
                let source = super::open(spec, limits, Some(stats))?;
                (source.heads().to_vec(), Rows::Written(written.rows.clone().into_iter()))
            }
            SourceSpec::Csv(spec) => {
                let table = table::begin(spec, limits, Some(stats))?;
                (table.heads().to_vec(), Rows::Table(Box::new(table)))
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
            Rows::Written(rows) => rows
                .next()
                .map(|row| {
                    let cells = row.inputs.iter().chain(row.targets.iter().flatten());
                    self.row.clear();
                    self.row.extend(cells.map(|c| shown(&c.value)));
                })
                .is_some(),
            Rows::Table(table) => table.next_row(&mut self.row)?,
        };
        Ok(there)
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
