//! The places rows come from. A source first says which columns it has, and
//! is then told how to read each of them.

pub(crate) mod array;
mod builder;
pub(crate) mod cells;
pub(crate) mod csv;
pub(crate) mod generate;
pub(crate) mod idx;
mod image;
pub(crate) mod images;
pub(crate) mod npy;
pub(crate) mod number;
pub(crate) mod rows;
pub(crate) mod scan;
pub(crate) mod text;
mod zip;

use crate::Limits;
use crate::fault::{Fault, Faults, codes};
use crate::raw::{Head, Raw, Want};
use crate::spec::SourceSpec;
use nnc_syntax::units;

/// A source that is open and has not read its rows yet.
pub(crate) trait Source {
    /// Its columns.
    fn heads(&self) -> &[Head];

    /// What it is called in messages.
    fn name(&self) -> &str;

    /// Reads the columns that are wanted; `wants` has one entry per head.
    /// `None` where the faults say why.
    fn read(self: Box<Self>, wants: &[Want], faults: &mut Faults) -> Option<Raw>;
}

/// Opens a source.
pub(crate) fn open(spec: &SourceSpec, limits: &Limits) -> Result<Box<dyn Source>, Vec<Fault>> {
    match spec {
        SourceSpec::Rows(s) => rows::open(s),
        SourceSpec::Csv(s) => csv::open(s, limits),
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

/// A number of bytes for people.
pub(crate) fn size(n: u64) -> String {
    if n < 1024 { format!("{n} bytes") } else { units::bytes(n) }
}
