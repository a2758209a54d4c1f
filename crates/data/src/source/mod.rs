//! The places rows come from. A source first says which columns it has, and
//! is then told how to read each of them.

pub(crate) mod array;
pub(crate) mod builder;
pub(crate) mod cells;
pub(crate) mod decode;
mod ends;
pub(crate) mod generate;
pub(crate) mod idx;
mod image;
pub(crate) mod images;
pub(crate) mod npy;
pub(crate) mod number;
mod orientation;
pub(crate) mod rows;
pub(crate) mod scan;
pub(crate) mod table;
pub(crate) mod text;
mod zip;

use crate::Limits;
use crate::dialect::Form;
use crate::fault::{Fault, Faults, codes, size};
use crate::raw::{Head, Raw, Want};
use crate::spec::SourceSpec;
use crate::stats::Stats;

/// A source that is open and has not read its rows yet.
pub(crate) trait Source {
    /// Its columns.
    fn heads(&self) -> &[Head];

    /// What it is called in messages.
    fn name(&self) -> &str;

    /// How it is read, for people, a line each.
    fn reading(&self) -> Vec<String> {
        Vec::new()
    }

    /// What a table looks like.
    fn form(&self) -> Option<Form> {
        None
    }

    /// Reads the columns that are wanted; `wants` has one entry per head.
    /// `None` where the faults say why.
    fn read(self: Box<Self>, wants: &[Want], faults: &mut Faults) -> Option<Raw>;
}

/// Opens a source; for a model that is used, by what it knows of its columns.
pub(crate) fn open(
    spec: &SourceSpec,
    limits: &Limits,
    known: Option<&Stats>,
) -> Result<Box<dyn Source>, Vec<Fault>> {
    match spec {
        SourceSpec::Rows(s) => rows::open(s),
        SourceSpec::Csv(s) => table::open(s, limits, known),
        SourceSpec::Idx(s) => idx::open(s, limits),
        SourceSpec::Generator(s) => generate::open(s, limits),
        SourceSpec::Text(s) => text::open(s, limits),
        SourceSpec::Npy(s) => npy::open(s, limits),
        SourceSpec::Npz(s) => npy::open_npz(s, limits),
        SourceSpec::Images(s) => images::open(s, limits),
    }
}

/// A fault for a source that would need more memory than it may take.
pub(crate) fn too_big(what: &str, need: u64, limits: &Limits) -> Fault {
    Fault::new(
        codes::TOO_BIG,
        format!("{what} would need {} of memory, and {} are allowed", size(need), size(limits.memory)),
    )
}
