//! What a program says about data, and what the data says to a program.

use nnc_syntax::Span;

pub use nnc_syntax::Port;

/// A value in a data declaration.
#[derive(Clone, PartialEq, Debug)]
pub enum Literal {
    /// `100`, `0.1`, `20%`
    Number(f64),
    /// `"f.csv"`
    Text(String),
    /// `moons`
    Word(String),
    /// `28x28x1`
    Size(Vec<usize>),
    /// `yes`
    Bool(bool),
    /// `[flip, shift]`
    List(Vec<Literal>),
}

/// A word of a data declaration: `"f.csv"`, `window=24`.
#[derive(Clone, PartialEq, Debug)]
pub struct DataArg {
    /// The name before `=`.
    pub key: Option<String>,
    /// The value.
    pub value: Literal,
    /// Where it stands.
    pub span: Span,
}

/// What a source is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// `data`
    Train,
    /// `valid`
    Valid,
    /// `test`
    Test,
}

/// A cell of an inline row.
#[derive(Clone, PartialEq, Debug)]
pub struct CellDecl {
    /// A number, or what stands there instead.
    pub value: Literal,
    /// Where it stands.
    pub span: Span,
}

/// An inline row.
#[derive(Clone, PartialEq, Debug)]
pub struct RowDecl {
    /// Before `->`, or the whole row.
    pub inputs: Vec<CellDecl>,
    /// After `->`.
    pub targets: Option<Vec<CellDecl>>,
    /// Where it stands.
    pub span: Span,
}

/// A line of roles: `input rest standardize missing=mean`.
#[derive(Clone, PartialEq, Debug)]
pub struct RoleDecl {
    /// Its words in their order.
    pub words: Vec<DataArg>,
    /// Where it stands.
    pub span: Span,
}

/// What stands between the braces.
#[derive(Clone, PartialEq, Debug)]
pub enum BlockDecl {
    /// No braces.
    None,
    /// Rows of numbers.
    Rows(Vec<RowDecl>),
    /// Roles of columns.
    Roles(Vec<RoleDecl>),
}

/// `data …`, `valid …` or `test …`
#[derive(Clone, PartialEq, Debug)]
pub struct SourceDecl {
    /// What it is for.
    pub part: Part,
    /// Kind, path, options.
    pub args: Vec<DataArg>,
    /// What follows `->`.
    pub to: Vec<DataArg>,
    /// What stands between the braces.
    pub block: BlockDecl,
    /// The statement.
    pub span: Span,
}

/// `input left 28x28x1`, `target same`: a column, or a group of them, under a name of its own.
#[derive(Clone, PartialEq, Debug)]
pub struct PortDecl {
    /// The name.
    pub name: String,
    /// Whether it is a target.
    pub target: bool,
    /// The promised shape.
    pub shape: Option<Vec<usize>>,
    /// Where it stands.
    pub span: Span,
}

/// What the data gives.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ports {
    /// What samples are made of.
    pub inputs: Vec<Port>,
    /// What they should lead to; empty when there is none.
    pub targets: Vec<Port>,
    /// Whether rows have weights.
    pub weighted: bool,
    /// Whether there is validation data.
    pub has_valid: bool,
    /// How many samples there are to train on.
    pub samples: usize,
}
