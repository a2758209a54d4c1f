//! Data for `nnc`: sources, the roles of their columns, statistics, splits,
//! and batches.
//!
//! One way through: a [`SourceSpec`] is opened and says which columns it has;
//! the roles are resolved against them ([`RoleSpec`]); the columns that are
//! wanted are read; rows are shared out ([`SplitSpec`]); statistics are taken
//! from the training part only ([`Stats`]); every row is encoded into the
//! ports of a [`Schema`]; and a [`Table`] copies rows of a port into a batch.
//!
//! ```
//! use nnc_data::{DataSpec, GeneratorKind, GeneratorSpec, PortId, SourceSpec, open, shuffled};
//!
//! let source = SourceSpec::Generator(GeneratorSpec::new(GeneratorKind::Moons, 100));
//! let data = open(&DataSpec::new(source)).unwrap();
//! let mut order = vec![0; data.train.len()];
//! shuffled(0, 1, &mut order);
//! let mut batch = [0.0; 4 * 2];
//! data.train.gather_f32(PortId::Input(0), &order[..4], &mut batch).unwrap();
//! ```
//!
//! # Rules worth knowing
//!
//! - **Kinds.** A column is numbers where at least half of the cells of its
//!   first 1000 rows that are there are numbers; other cells in it are then
//!   faults. Else it is text, and text is a category. `one_hot`, `category`
//!   and a scaling decide it outright. Categories are sorted: by value where
//!   all are numbers, else by their bytes.
//! - **Header.** A first line is a header where a word stands over numbers,
//!   where its numbers are labels (0, 1, 2 …, years, even steps) over other
//!   numbers, or where words that never come back stand over texts that do;
//!   what is in doubt is a warning. A model that is used knows the names it
//!   was trained with, and whether there were any: nothing is guessed anew.
//! - **Form.** [`Dialect`] is what a program says about the form of a table;
//!   `valid` and `test` are written as the training file, unless they say
//!   otherwise. The separator is the one under which lines have as many cells.
//! - **Roles.** Without a `target` the last column is the target, unless the
//!   program names it as an input. Without an `input` every other column is
//!   one. Sources that know their inputs and targets (rows, IDX, npy,
//!   generators) may have their columns renamed by the roles, in order.
//! - **Windows.** With [`CsvSpec::window`] a sample is so many rows in file
//!   order, and its target stands [`CsvSpec::horizon`] rows after the last of
//!   them; a column may be input and target, and without an `input` line
//!   every column is an input, the target's own past too. Split them with
//!   [`SplitSpec::ordered`]: neighbours share rows.
//! - **Ports.** Numbers and one-hot categories are joined, in column order,
//!   to one port `input` of shape `[n]`; a category joins as its one-hot
//!   vector, as a class does in arithmetic. Arrays, `category` inputs and
//!   [`RoleSpec::own_port`] columns are ports of their own. Number targets
//!   are joined to `target` of shape `[k]`; a category target has shape `[]`
//!   and classes. A single port of its own still gets the name `input` or
//!   `target`, unless `own_port` asks for its column's.
//! - **Missing.** A cell is missing where it is empty, `NA`, `N/A`, `n/a`,
//!   `NaN`, `nan`, `null`, `NULL`, `<NA>` or `#N/A`, and among numbers also
//!   `None`, `?` and `-`, and with a note other words that people write for
//!   it; and where it is one of [`Dialect::na`].
//! - **Random numbers** come by counter ([`rng`]), so that the same seed
//!   gives the same bits on any machine and for any number of threads.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "one asks of a column, a cell or a source whether it is of one kind; what opens sources is matched whole"
)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod build;
mod cache;
mod columns;
mod dates;
mod describe;
mod dialect;
mod disk;
mod encode;
mod fault;
mod files;
mod fit;
mod fit_array;
mod following;
mod gaps;
mod glob;
mod input;
mod intern;
mod kept;
mod layout;
mod looks;
mod missing;
mod moments;
mod packed;
mod printed;
mod raw;
pub mod rng;
mod roles;
mod runs;
mod samples;
mod schema;
mod series;
mod show;
mod source;
mod spans;
mod spec;
mod split;
mod stats;
mod table;
mod tokens;
mod unknown;
mod unlike;
mod values;
mod warn;
mod wholes;

pub use dates::{DateColumn, DatePart};
pub use describe::{ColumnView, Description};
pub use dialect::{Dialect, Form, Separator, Skip};
pub use fault::{Fault, Place, SHOWN, codes};
pub use following::Following;
pub use raw::RowPlace;
pub use rng::shuffled;
pub use schema::{Column, ColumnKind, Port, PortId, Schema};
pub use show::Style;
pub use source::cells::{Cells, keep_stdin, places};
pub use source::table::given::{Given, Header, Stream, keys};
pub use spec::{
    Cell, CellValue, ColumnName, Columns, CsvSpec, DataSpec, Extent, GeneratorKind, GeneratorSpec, Handle,
    IdxSpec, ImagesSpec, Kind, Missing, NpySpec, NpzSpec, Role, RoleSpec, RowSpec, RowsSpec, Scaling,
    SourceSpec, SplitSpec, TextSpec, Tokens, Unit, Unknown,
};
pub use stats::{ColumnStats, Decoded, Fill, STATS_VERSION, SeriesColumn, Stats, Step, Whole, Window};
pub use table::{Standing, Table};

/// Data ready for training.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The ports.
    pub schema: Schema,
    /// The training part.
    pub train: Table,
    /// The validation part, where one was asked for.
    pub valid: Option<Table>,
    /// The test part, where one was asked for.
    pub test: Option<Table>,
    /// What encodes raw rows later; taken from the training part.
    pub stats: Stats,
    /// Columns that are not read.
    pub dropped: Vec<String>,
    /// Warnings and notes.
    pub notes: Vec<Fault>,
}

impl Dataset {
    /// Which column is for what, in one line: `input a, b; target y; not
    /// read: id`. `None` where the columns have no names of their own.
    pub fn roles(&self) -> Option<String> {
        let named = self.stats.named || !self.dropped.is_empty();
        named.then(|| describe::roles(&self.stats, &self.dropped, MOST_NAMES))
    }

    /// Bytes of memory its rows take; what is on disk takes none.
    pub fn bytes(&self) -> u64 {
        let parts = [Some(&self.train), self.valid.as_ref(), self.test.as_ref()];
        Table::bytes_of(parts.into_iter().flatten())
    }
}

/// Names of columns that a line shows of each kind.
const MOST_NAMES: usize = 8;

/// How much the crate may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory for the data of one source. More is a fault, found
    /// before anything of that size is allocated.
    pub memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 4 << 30 }
    }
}

/// Reads, splits and encodes what a spec describes.
///
/// # Errors
/// Everything that is wrong, the first ten of each code and a count of the
/// rest.
pub fn open(spec: &DataSpec) -> Result<Dataset, Vec<Fault>> {
    open_with(spec, &Limits::default())
}

/// [`open`] with limits.
///
/// # Errors
/// As [`open`].
pub fn open_with(spec: &DataSpec, limits: &Limits) -> Result<Dataset, Vec<Fault>> {
    build::open(spec, limits)
}

/// The files that a spec reads, as far as their names are known without opening them. Of a folder of pictures these are
/// the folder and those in it: another picture changes them, another content of a picture does not.
pub fn files(spec: &DataSpec) -> Vec<String> {
    files::files(spec)
}

/// The ports of data with mistakes, as far as they can be told: what is wrong
/// is passed over. `None` where nothing can be said. For finding the mistakes
/// of a program in the same run as those of its data.
pub fn sketch(spec: &DataSpec, limits: &Limits) -> Option<Schema> {
    build::sketch(spec, limits)
}

/// Encodes raw rows as the training data was: for a model that is used, or
/// measured on another file. Target columns may be absent; then
/// [`Table::has_targets`] says so.
///
/// # Errors
/// As [`open`].
pub fn encode(stats: &Stats, source: &SourceSpec) -> Result<Table, Vec<Fault>> {
    encode_with(stats, source, &Limits::default())
}

/// [`encode`] with limits.
///
/// # Errors
/// As [`open`].
pub fn encode_with(stats: &Stats, source: &SourceSpec, limits: &Limits) -> Result<Table, Vec<Fault>> {
    build::encode(stats, source, limits)
}

/// [`encode_with`] for a model that is used: every row of the source is a row
/// of the table, also where something in it is missing or never seen
/// ([`Table::is_answerable`], [`Table::gaps`]); target columns are not read
/// even where they are there, and the last window of a series needs no row
/// after it.
///
/// # Errors
/// As [`open`]; and where no row at all can be encoded, why not.
pub fn encode_inputs(stats: &Stats, source: &SourceSpec, limits: &Limits) -> Result<Table, Vec<Fault>> {
    build::encode_part(stats, source, limits, true)
}

/// [`encode_inputs`] of rows that were read already. What is decided about a
/// row does not depend on which others come with it.
///
/// # Errors
/// As [`encode_inputs`].
pub fn encode_given(
    stats: &Stats,
    header: &Header,
    rows: Vec<&Given>,
    limits: &Limits,
) -> Result<Table, Vec<Fault>> {
    let source = source::table::given::GivenRows { header, rows, limits: *limits };
    build::encode_opened(stats, Box::new(source), None, limits, true)
}

/// Whether a text is the name of an encoding that tables may be written in,
/// such as `latin1` or `utf-16`.
pub fn is_encoding(label: &str) -> bool {
    source::decode::encoding(label).is_ok()
}

/// What a program sees of its data: columns, kinds, ranges, missing values,
/// classes, ports, the first `rows` training rows before and after, and
/// warnings.
///
/// # Errors
/// As [`open`].
pub fn describe(spec: &DataSpec, limits: &Limits, rows: usize) -> Result<Description, Vec<Fault>> {
    describe::describe(spec, limits, rows)
}
