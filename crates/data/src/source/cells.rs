//! The cells of a table as they stand in the file, one row after the other:
//! what is shown beside an answer.

use super::Source as _;
use super::rows::shown;
use super::table::{self, Table};
use crate::Limits;
use crate::fault::Fault;
use crate::input;
use crate::raw::RowPlace;
use crate::spec::{CsvSpec, Handle, RowSpec, SourceSpec};
use crate::stats::Stats;
use std::path::Path;

/// Lines are counted up to this row: what they are told for is not worth reading a large file once more.
const FARTHEST: usize = 200_000;

/// The rows of a table as text. They are those that reading the same source
/// gives, in the same order; nothing but one row is in memory.
pub struct Cells {
    names: Vec<String>,
    named: bool,
    rows: Rows,
    row: Vec<String>,
    /// The mark of the present row, where it is written in the program.
    handle: Option<Handle>,
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
        Ok(Some(Self { names, named, rows, row: Vec::new(), handle: None }))
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

    /// Where the present row stands.
    pub fn place(&self) -> RowPlace {
        match &self.rows {
            Rows::Written(_) => RowPlace { handle: self.handle, ..RowPlace::default() },
            Rows::Table(table) => table.place(),
        }
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
                    self.handle = row.handle;
                })
                .is_some(),
            Rows::Table(table) => table.next_row(&mut self.row)?,
        };
        Ok(there)
    }
}

/// The files and lines of rows of a source, which are given ascending, from 0; marks of those that are written in a
/// program. `None` of a row that has no place of its own, or that is not read as it stands behind too many others.
///
/// # Errors
/// The source cannot be read any more.
pub fn places(
    spec: &SourceSpec,
    stats: &Stats,
    limits: &Limits,
    rows: &[usize],
) -> Result<Vec<Option<RowPlace>>, Vec<Fault>> {
    let of_pictures;
    let spec = match spec {
        SourceSpec::Csv(spec) => spec,
        SourceSpec::Rows(written) => {
            let handle = |row: &usize| written.rows.get(*row).and_then(|r| r.handle);
            let place = |handle| RowPlace { handle: Some(handle), ..RowPlace::default() };
            return Ok(rows.iter().map(|row| handle(row).map(place)).collect());
        }
        SourceSpec::Images(spec) if Path::new(&spec.path).is_dir() => {
            let files = super::images::files(spec);
            let place = |path: &String| RowPlace { path: Some(path.clone()), ..RowPlace::default() };
            return Ok(rows.iter().map(|row| files.get(*row).map(place)).collect());
        }
        SourceSpec::Images(spec) => {
            of_pictures = CsvSpec { handle: spec.handle, ..CsvSpec::new(&spec.path) };
            &of_pictures
        }
        SourceSpec::Idx(_)
        | SourceSpec::Npy(_)
        | SourceSpec::Npz(_)
        | SourceSpec::Text(_)
        | SourceSpec::Generator(_) => return Ok(vec![None; rows.len()]),
    };
    let mut out = Vec::with_capacity(rows.len());
    if rows.last().is_some_and(|row| *row < FARTHEST) {
        let mut table = table::begin(spec, limits, Some(stats))?;
        let (mut cells, mut read) = (Vec::new(), 0);
        for &row in rows {
            let mut there = true;
            while there && read <= row {
                there = table.next_row(&mut cells).map_err(|f| vec![*f])?;
                read += 1;
            }
            out.push(there.then(|| table.place()));
        }
    }
    out.resize(rows.len(), None);
    Ok(out)
}

/// Keeps what comes from stdin in a temporary file, so that it can be read
/// more than once.
///
/// # Errors
/// Stdin cannot be read, or the file not be written.
pub fn keep_stdin() -> Result<(), Box<Fault>> {
    input::keep_stdin().map_err(|e| Box::new(input::broken("-", &e, None)))
}
