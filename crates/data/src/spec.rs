//! What the caller asks for: sources, roles, splits. Plain values, no files
//! are touched here.

use serde::{Deserialize, Serialize};

use crate::dialect::Dialect;

/// An opaque mark the caller puts on a piece of a spec and gets back in a
/// [`Fault`](crate::Fault), usually to find the span in the source text.
pub type Handle = u64;

/// Everything `data`, `valid`, `test` and `split` of one program say.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSpec {
    /// The source named by `data`.
    pub train: SourceSpec,
    /// The source named by `valid`, where there is one.
    pub valid: Option<SourceSpec>,
    /// The source named by `test`, where there is one.
    pub test: Option<SourceSpec>,
    /// `input`, `target`, `weight` and `drop` lines, in their order.
    pub roles: Vec<RoleSpec>,
    /// How the rows of `train` are shared out.
    pub split: SplitSpec,
    /// Decides the split; generators have a seed of their own.
    pub seed: u64,
}

impl DataSpec {
    /// A spec with one source and every default.
    pub fn new(train: SourceSpec) -> Self {
        Self { train, valid: None, test: None, roles: Vec::new(), split: SplitSpec::default(), seed: 0 }
    }
}

/// Where rows come from.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceSpec {
    /// Rows written in the program.
    Rows(RowsSpec),
    /// A table as text, `.gz` too.
    Csv(CsvSpec),
    /// IDX files (MNIST's format), `.gz` too.
    Idx(IdxSpec),
    /// One or two `.npy` files.
    Npy(NpySpec),
    /// The named arrays of one `.npz` file.
    Npz(NpzSpec),
    /// A folder of pictures, one folder per class.
    Images(ImagesSpec),
    /// A text, cut into windows of characters.
    Text(TextSpec),
    /// Made-up data.
    Generator(GeneratorSpec),
}

impl SourceSpec {
    /// A CSV file with every default.
    pub fn csv(path: impl Into<String>) -> Self {
        Self::Csv(CsvSpec::new(path))
    }

    /// The mark of the whole source.
    pub fn handle(&self) -> Option<Handle> {
        match self {
            Self::Rows(s) => s.handle,
            Self::Csv(s) => s.handle,
            Self::Idx(s) => s.handle,
            Self::Npy(s) => s.handle,
            Self::Npz(s) => s.handle,
            Self::Images(s) => s.handle,
            Self::Text(s) => s.handle,
            Self::Generator(s) => s.handle,
        }
    }
}

/// Rows written in the program: `0 1 -> 1`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowsSpec {
    /// The rows, in order.
    pub rows: Vec<RowSpec>,
    /// Mark of the block.
    pub handle: Option<Handle>,
}

/// One written row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowSpec {
    /// What stands before `->`, or the whole row where there is none.
    pub inputs: Vec<Cell>,
    /// What stands after `->`; `None` where there is no `->`, and then the
    /// last cell of `inputs` is the target.
    pub targets: Option<Vec<Cell>>,
    /// Mark of the row.
    pub handle: Option<Handle>,
}

/// One cell of a written row.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Number or word.
    pub value: CellValue,
    /// Mark of the cell.
    pub handle: Option<Handle>,
}

/// What a written cell holds.
#[derive(Clone, Debug, PartialEq)]
pub enum CellValue {
    /// A number.
    Number(f64),
    /// A name or a string.
    Word(String),
}

impl Cell {
    /// A number.
    pub fn number(value: f64, handle: impl Into<Option<Handle>>) -> Self {
        Self { value: CellValue::Number(value), handle: handle.into() }
    }

    /// A word.
    pub fn word(text: impl Into<String>, handle: impl Into<Option<Handle>>) -> Self {
        Self { value: CellValue::Word(text.into()), handle: handle.into() }
    }
}

/// A table as text.
#[derive(Clone, Debug, PartialEq)]
pub struct CsvSpec {
    /// Path, glob (`part-*.csv`) or `-` for stdin.
    pub path: String,
    /// More paths, read after `path` as one table.
    pub more: Vec<String>,
    /// How it is written; holds for every file of the table.
    pub dialect: Dialect,
    /// Every sample is several rows, in file order.
    pub window: Option<Extent>,
    /// Where samples are whole series: at most so many rows of each are read.
    pub max_length: Option<usize>,
    /// With `window`: the target is this many rows after the window's last.
    pub horizon: usize,
    /// With `window`: the targets are all rows from `horizon` to this many
    /// after the window's last.
    pub until: Option<usize>,
    /// With `window`: no window holds rows that differ in these columns.
    pub by: Vec<ColumnName>,
    /// Mark of the path.
    pub handle: Option<Handle>,
}

impl CsvSpec {
    /// Every default.
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            more: Vec::new(),
            dialect: Dialect::default(),
            window: None,
            max_length: None,
            horizon: 1,
            until: None,
            by: Vec::new(),
            handle: None,
        }
    }
}

/// Of which rows of a table a sample is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// So many that follow each other.
    Rows(usize),
    /// All of a series.
    Series,
}

/// IDX files. Bytes become 0…1, pictures get a channel axis, and a list of
/// whole numbers as target becomes classes.
#[derive(Clone, Debug, PartialEq)]
pub struct IdxSpec {
    /// The inputs.
    pub inputs: String,
    /// The targets.
    pub targets: Option<String>,
    /// Mark of the inputs' path.
    pub handle: Option<Handle>,
    /// Mark of the targets' path.
    pub targets_handle: Option<Handle>,
}

/// `.npy` files.
#[derive(Clone, Debug, PartialEq)]
pub struct NpySpec {
    /// The inputs.
    pub inputs: String,
    /// The targets.
    pub targets: Option<String>,
    /// Mark of the inputs' path.
    pub handle: Option<Handle>,
    /// Mark of the targets' path.
    pub targets_handle: Option<Handle>,
}

/// An `.npz` file; the roles name its arrays.
#[derive(Clone, Debug, PartialEq)]
pub struct NpzSpec {
    /// The file.
    pub path: String,
    /// Mark of the path.
    pub handle: Option<Handle>,
}

/// Pictures in folders, or named by a table.
#[derive(Clone, Debug, PartialEq)]
pub struct ImagesSpec {
    /// A folder with one folder per class, or a CSV whose first column names
    /// files and whose last column is the target.
    pub path: String,
    /// Height, width and channels (1 or 3) every picture is brought to.
    pub shape: [usize; 3],
    /// Mark of the path.
    pub handle: Option<Handle>,
}

/// A text, cut into windows; the target of a window is the window one
/// character later.
#[derive(Clone, Debug, PartialEq)]
pub struct TextSpec {
    /// Path, glob (`*.txt`, read as one text) or `-` for stdin.
    pub path: String,
    /// Characters in a window.
    pub window: usize,
    /// Characters from the start of a window to the start of the next;
    /// `window` where not given, so that windows do not overlap.
    pub stride: Option<usize>,
    /// Classes are the 256 bytes and not the characters of the text.
    pub bytes: bool,
    /// Mark of the path.
    pub handle: Option<Handle>,
}

/// Made-up data.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneratorSpec {
    /// Which picture.
    pub kind: GeneratorKind,
    /// How many samples.
    pub count: usize,
    /// Standard deviation of what is added to every input coordinate (to the
    /// target of `sine`); where not given 0, and 1 for `blobs`.
    pub noise: Option<f64>,
    /// Classes of `spiral` (2 where not given) and `blobs` (3).
    pub classes: Option<usize>,
    /// Smallest input of `uniform` and `sine`.
    pub low: Option<f64>,
    /// End of the inputs of `uniform` and `sine`.
    pub high: Option<f64>,
    /// Numbers per input of `uniform` and `blobs`.
    pub dims: Option<usize>,
    /// Decides the random part.
    pub seed: u64,
    /// Mark of the statement.
    pub handle: Option<Handle>,
}

impl GeneratorSpec {
    /// Every default, seed 0.
    pub fn new(kind: GeneratorKind, count: usize) -> Self {
        Self {
            kind,
            count,
            noise: None,
            classes: None,
            low: None,
            high: None,
            dims: None,
            seed: 0,
            handle: None,
        }
    }
}

/// The pictures a generator can draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeneratorKind {
    /// Two half circles that reach into each other; 2 classes.
    Moons,
    /// One arm per class.
    Spiral,
    /// A small circle in a large one; 2 classes.
    Circles,
    /// A normal cloud per class.
    Blobs,
    /// The four corners of the XOR table; 2 classes.
    Xor,
    /// `x` and its sine; the target is a number.
    Sine,
    /// Numbers in a box; no target.
    Uniform,
}

impl GeneratorKind {
    /// Every kind with its word in the language.
    pub const ALL: [(&'static str, Self); 7] = [
        ("moons", Self::Moons),
        ("spiral", Self::Spiral),
        ("circles", Self::Circles),
        ("blobs", Self::Blobs),
        ("xor", Self::Xor),
        ("sine", Self::Sine),
        ("uniform", Self::Uniform),
    ];

    /// The kind a word of the language means.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(n, _)| *n == name).map(|&(_, k)| k)
    }

    /// Its word in the language.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|&&(_, k)| k == self).map_or("generator", |&(n, _)| n)
    }
}

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Part of what the network sees.
    Input,
    /// Part of what it should say.
    Target,
    /// How much a row counts.
    Weight,
    /// Not read.
    Drop,
}

/// One line of roles: `input area rooms standardize missing=mean`.
#[derive(Clone, Debug, PartialEq)]
pub struct RoleSpec {
    /// Which columns.
    pub columns: Columns,
    /// What they are for.
    pub role: Role,
    /// What kind their values are, where the line says so.
    pub kind: Kind,
    /// What is done to numbers, in this order.
    pub scaling: Vec<Scaling>,
    /// What stands in for a missing value; `None` makes one a fault.
    pub missing: Option<Missing>,
    /// Adds an input that is 1 where the value was missing.
    pub indicator: bool,
    /// What a category that training never saw becomes.
    pub unknown: Unknown,
    /// The categories in their order, the first being class 0; empty for that of the alphabet.
    pub order: Vec<String>,
    /// Of samples that are whole series: whether a target has a value for
    /// every row of it, and not one for all.
    pub sequence: bool,
    /// Whether every column of the line is an input of its own, by its name,
    /// and not a part of the joined `input`.
    pub own_port: bool,
    /// Mark of the line.
    pub handle: Option<Handle>,
}

impl RoleSpec {
    /// A role for named columns with every default.
    pub fn new<S: Into<String>>(role: Role, names: impl IntoIterator<Item = S>) -> Self {
        let names = names.into_iter().map(|n| ColumnName::new(n, None));
        Self::with(role, Columns::Names(names.collect()))
    }

    /// A role for every column no other line names.
    pub fn rest(role: Role) -> Self {
        Self::with(role, Columns::Rest)
    }

    fn with(role: Role, columns: Columns) -> Self {
        Self {
            columns,
            role,
            kind: Kind::Auto,
            scaling: Vec::new(),
            missing: None,
            indicator: false,
            unknown: Unknown::Fault,
            order: Vec::new(),
            sequence: false,
            own_port: false,
            handle: None,
        }
    }

    /// Adds a scaling.
    pub fn scaled(mut self, scaling: Scaling) -> Self {
        self.scaling.push(scaling);
        self
    }

    /// Sets the kind.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// Sets the rule for missing values.
    pub fn missing(mut self, missing: Missing) -> Self {
        self.missing = Some(missing);
        self
    }

    /// Makes every column a port of its own.
    pub fn own_port(mut self) -> Self {
        self.own_port = true;
        self
    }
}

/// The columns of a role.
#[derive(Clone, Debug, PartialEq)]
pub enum Columns {
    /// These.
    Names(Vec<ColumnName>),
    /// Every column no other line names.
    Rest,
}

/// A column's name as the program writes it.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnName {
    /// The name.
    pub name: String,
    /// Mark of the name.
    pub handle: Option<Handle>,
}

impl ColumnName {
    /// A name with its mark.
    pub fn new(name: impl Into<String>, handle: impl Into<Option<Handle>>) -> Self {
        Self { name: name.into(), handle: handle.into() }
    }
}

/// What kind of value a column holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Numbers stay numbers, text becomes a category.
    #[default]
    Auto,
    /// Numbers; anything else is a fault.
    Number,
    /// A category. As a target it is a class; as an input it becomes a port
    /// of its own that carries class numbers, for an embedding.
    Category,
    /// A category that takes one slot of the joined input per class.
    OneHot,
    /// A date or a time, taken apart into numbers.
    Date,
    /// A text, cut into a sequence of classes: a port of its own.
    Tokens(Tokens),
}

/// What is done to a number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// `(x - mean) / std` of the training part; `std` is the population's,
    /// and 1 where it would be 0.
    Standardize,
    /// `(x - min) / (max - min)` of the training part; a divisor of 0 is 1.
    MinMax,
    /// `x` divided by this.
    Scale(f64),
    /// The natural logarithm; a number of 0 or less is a fault.
    Log,
}

/// What stands in for a missing value.
#[derive(Clone, Debug, PartialEq)]
pub enum Missing {
    /// The mean of the training part.
    Mean,
    /// The median of the training part.
    Median,
    /// The commonest value of the training part (of equals, the smallest).
    Mode,
    /// The row is left out.
    Drop,
    /// This number; in a column of categories, the category so written.
    Number(f64),
    /// This category.
    Text(String),
}

/// What a category that training never saw becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// A fault that names the row.
    #[default]
    Fault,
    /// A class of its own, the last one, called `(other)`.
    Bucket,
}

/// How rows are shared out. Fractions are of all rows of the source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SplitSpec {
    /// Part for validation, 0 to 1.
    pub valid: f64,
    /// Part for the test, 0 to 1.
    pub test: f64,
    /// Every part gets the classes in the same proportion.
    pub stratify: bool,
    /// Takes the tail unshuffled: training, then validation, then test.
    pub ordered: bool,
    /// Rows that agree in this column stay together.
    pub group: Option<ColumnName>,
    /// `(i, k)`: the rows are cut into `k` parts, and part `i` (from 0) is
    /// the validation part.
    pub fold: Option<(usize, usize)>,
    /// Mark of the statement.
    pub handle: Option<Handle>,
}

/// What a text is cut into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Runs of letters and digits, with apostrophes inside, in small letters.
    Words,
    /// Characters as they are.
    Characters,
    /// Bytes of UTF-8.
    Bytes,
}

impl Unit {
    /// Its word in the language.
    pub fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Characters => "characters",
            Self::Bytes => "bytes",
        }
    }
}

/// How a column of texts becomes classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// What it is cut into.
    pub unit: Unit,
    /// Classes at most, the two that are no tokens among them.
    pub vocabulary: Option<usize>,
    /// Classes of a row; longer texts are cut.
    pub length: Option<usize>,
}

impl Tokens {
    /// Every default.
    pub fn new(unit: Unit) -> Self {
        Self { unit, vocabulary: None, length: None }
    }
}
