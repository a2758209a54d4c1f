//! Columns of a table while it is read: in memory, and on disk once they are
//! too large for it.

use std::io;
use std::sync::Arc;

use super::number;
use crate::disk::Writer;
use crate::intern::Interner;
use crate::raw::{Data, Spilled, SpilledKind, is_missing};
use crate::runs::Runs;

/// A column being read.
pub(crate) struct Column {
    kind: Kind,
    comma: bool,
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

impl Column {
    fn of(kind: Kind, comma: bool) -> Self {
        Self { kind, comma, disk: None }
    }

    /// A column nobody wants.
    pub(crate) fn skip() -> Self {
        Self::of(Kind::Skip, false)
    }

    /// A column of which is only kept how its texts follow each other.
    pub(crate) fn watch() -> Self {
        Self::of(Kind::Watch(Runs::default()), false)
    }

    /// A column of numbers.
    pub(crate) fn numbers(comma: bool) -> Self {
        Self::of(Kind::Numbers(Vec::new()), comma)
    }

    /// A column of text.
    pub(crate) fn text(comma: bool) -> Self {
        Self::of(Kind::Text(Interner::default()), comma)
    }

    /// Numbers where at least half of the cells that are there are numbers.
    pub(crate) fn guess<'c>(cells: impl Iterator<Item = &'c [u8]>, comma: bool) -> Self {
        let mut there = 0usize;
        let mut numbers = 0usize;
        for cell in cells.filter(|c| !is_missing(c, true)) {
            there += 1;
            numbers += usize::from(number::parse(cell, comma).is_some());
        }
        match there {
            0 => Self::of(Kind::Open(0), comma),
            n if numbers * 2 >= n => Self::numbers(comma),
            _ => Self::text(comma),
        }
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
            Kind::Numbers(values) => match number::parse(cell, self.comma) {
                Some(x) => {
                    values.push(x);
                    Ok(())
                }
                None => {
                    values.push(f64::NAN);
                    if is_missing(cell, true) { Ok(()) } else { Err(Bad::Number) }
                }
            },
            Kind::Text(names) if is_missing(cell, false) => {
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
            Kind::Open(missing) if is_missing(cell, true) => {
                *missing += 1;
                Ok(())
            }
            Kind::Open(missing) => {
                // The first cell that is there decides.
                let missing = *missing;
                self.kind = if number::parse(cell, self.comma).is_some() {
                    Kind::Numbers(vec![f64::NAN; missing])
                } else {
                    let mut names = Interner::default();
                    (0..missing).for_each(|_| names.push_missing());
                    Kind::Text(names)
                };
                self.push(cell)
            }
        }
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
