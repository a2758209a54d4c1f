//! The syntax tree: what a program says, before it means anything.
//!
//! Names are not resolved here: `relu` may be a function, a tensor or a column; only
//! [`nnc-model`](https://docs.rs/nnc-model) knows. Every node carries the span of the words it came from.

mod operator;
mod part;

use crate::Span;
use serde::{Deserialize, Serialize};

pub use operator::{BinaryOp, UnaryOp};
pub use part::Part;

/// A name with its place.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Name {
    /// The letters.
    pub text: String,
    /// Where they stand.
    pub span: Span,
}

/// A whole file.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Program {
    /// The statements in the order of the file.
    pub stmts: Vec<Stmt>,
}

/// Statements between braces.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Block {
    /// The statements in their order.
    pub stmts: Vec<Stmt>,
    /// From brace to brace.
    pub span: Span,
}

/// A statement.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Stmt {
    /// What it says.
    pub kind: StmtKind,
    /// All its words.
    pub span: Span,
    /// The `##` lines right above it, joined by newlines.
    pub doc: Option<String>,
}

/// The kinds of statement.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum StmtKind {
    /// `param hidden = 16 in 1..64`
    Param {
        /// The parameter.
        name: Name,
        /// Its default.
        value: Expr,
        /// Allowed values.
        within: Option<Within>,
    },
    /// `fn name(params) with better=lower = chain` or `fn name(params) { … }`
    Fn(FnDef),
    /// `layer name(params) of x[n] -> [m] { … }`
    Layer(LayerDef),
    /// `rule name(params) of w, g { … }`: an optimizer.
    Rule(RuleDef),
    /// `init name(params) of shape = chain`: an initialiser.
    Init(InitDef),
    /// `shared name = chain`: one set of weights, used at every mention.
    Shared {
        /// The name.
        name: Name,
        /// The layer it stands for.
        chain: Chain,
    },
    /// `rewrite log(softmax(x)) = log_softmax(x)`
    Rewrite {
        /// The call that is replaced.
        from: Expr,
        /// By what.
        to: Expr,
    },
    /// `use "blocks.nn"`
    Use {
        /// The path as written.
        path: String,
        /// Where it is written.
        path_span: Span,
    },
    /// `repeat 3 as i { … }`
    Repeat {
        /// How often.
        count: Expr,
        /// The counter, from 0.
        index: Option<Name>,
        /// What.
        body: Block,
    },
    /// `if cond { … } else { … }`; `else if` is a block of one statement.
    If {
        /// Known at compile time.
        cond: Expr,
        /// When true.
        then: Block,
        /// When false.
        otherwise: Option<Block>,
    },
    /// `require cond else "message with {holes}" fix "flatten -> "`
    Require {
        /// Known at compile time.
        cond: Expr,
        /// Told to the user when it does not hold.
        message: String,
        /// `fix "flatten -> "`: what `nnc fix` writes before the step that does not fit.
        fix: Option<String>,
    },
    /// `weight w[n, units] = glorot` or `state mean[c] = zeros`
    Declare {
        /// Learned, or carried along.
        kind: DeclareKind,
        /// Its name.
        name: Name,
        /// Its shape.
        dims: Vec<Dim>,
        /// An initialiser.
        init: Expr,
    },
    /// `data …`, `valid …`, `test …`
    Data(Dataset),
    /// `loss mse`, `optimizer adam lr=0.01`, `epochs 500` …: a head and its arguments.
    Setting {
        /// One of the heads (`loss optimizer schedule metrics epochs …`).
        head: Name,
        /// What follows it.
        args: Vec<Arg>,
    },
    /// `loss = expr`
    LossIs(Chain),
    /// `stop when …`
    Stop(StopWhen),
    /// `then { optimizer adam lr=1e-5; epochs 5 }`: a further stage of the training.
    Then(Block),
    /// `expect cond within 500 epochs in 9 of 10 seeds`
    Expect {
        /// A comparison of metrics.
        cond: Expr,
        /// At most so many `epochs` or `steps`.
        within: Option<(Expr, Name)>,
        /// In so many of so many seeds.
        seeds: Option<(Expr, Expr)>,
    },
    /// A chain, perhaps with names for its results.
    Flow(Flow),
    /// A statement that could not be read; its mistake is already reported.
    Error,
}

/// Allowed values of a parameter.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Within {
    /// `in [a, b]`
    List(Vec<Expr>),
    /// `in lo..hi`, both ends included.
    Range(Expr, Expr),
}

/// `fn`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FnDef {
    /// The function's name.
    pub name: Name,
    /// Its parameters.
    pub params: Vec<Param>,
    /// What it says about itself.
    pub attributes: Vec<Attribute>,
    /// Its body.
    pub body: Body,
}

/// `better=lower`: what a definition says about itself behind `with`, for those who use it and for messages.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Attribute {
    /// What it is about.
    pub name: Name,
    /// One of the words that can be said about it.
    pub value: Name,
}

/// `layer`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LayerDef {
    /// The layer's name.
    pub name: Name,
    /// Its options.
    pub params: Vec<Param>,
    /// The tensors it works on; empty when it does not care (its body starts from `it`).
    pub operands: Vec<Operand>,
    /// The promised shape of its result.
    pub result: Option<Vec<Dim>>,
    /// What it says about itself.
    pub attributes: Vec<Attribute>,
    /// Its body.
    pub body: Block,
}

/// `rule`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RuleDef {
    /// The optimizer's name.
    pub name: Name,
    /// Its options.
    pub params: Vec<Param>,
    /// What the body calls the weight.
    pub weight: Name,
    /// What the body calls its gradient.
    pub gradient: Name,
    /// What it says about itself.
    pub attributes: Vec<Attribute>,
    /// Its body.
    pub body: Block,
}

/// `init`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct InitDef {
    /// The initialiser's name.
    pub name: Name,
    /// Its options.
    pub params: Vec<Param>,
    /// What the body calls the shape to be filled.
    pub shape: Name,
    /// What it says about itself.
    pub attributes: Vec<Attribute>,
    /// Its body.
    pub body: Body,
}

/// The body of a function.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Body {
    /// `= chain`
    Chain(Chain),
    /// `{ … }`
    Block(Block),
}

/// A parameter: `name[dims] in classes : kind = default in [options]`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Param {
    /// Its name.
    pub name: Name,
    /// The pattern of its shape, for a tensor.
    pub dims: Option<Vec<Dim>>,
    /// `in k`: a class tensor, its number of classes bound to `k`.
    pub classes: Option<Name>,
    /// `: int`
    pub kind: Option<Name>,
    /// `= 0.5`
    pub default: Option<Expr>,
    /// `in [same, valid]`
    pub options: Option<Vec<Expr>>,
    /// All its words.
    pub span: Span,
}

/// A tensor that a layer works on: `x[...space, c] in k`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Operand {
    /// Its name in the body.
    pub name: Name,
    /// The pattern of its shape.
    pub dims: Option<Vec<Dim>>,
    /// `in k`
    pub classes: Option<Name>,
    /// All its words.
    pub span: Span,
}

/// One axis of a pattern or a shape.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Dim {
    /// `...` or `...space`: any number of axes.
    Rest(Option<Name>, Span),
    /// A size: a name to bind or compare, or arithmetic.
    Size(Expr),
}

/// `weight` or `state`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum DeclareKind {
    /// Learned by the optimizer.
    Weight,
    /// Assigned by `:=`, kept between steps.
    State,
}

/// `stop when …`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum StopWhen {
    /// `stop when val_loss stalls for 10`
    Stalls {
        /// The watched figure.
        metric: Name,
        /// Epochs without improvement.
        patience: Expr,
    },
    /// `stop when binary_accuracy >= 1`
    Holds(Expr),
}

/// `data "f.csv" window=24 -> "labels.csv" { … }`, with values as they are written, or as what they are known to be.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Dataset<V = Expr> {
    /// What it is for.
    pub part: Part,
    /// Kind, path and options.
    pub args: Vec<Arg<V>>,
    /// What follows `->`.
    pub to: Vec<Arg<V>>,
    /// The rows (of numbers, or of roles) between braces; each row that failed to parse is left out.
    pub rows: Option<Vec<Row<V>>>,
    /// The braces with what stands between them.
    pub rows_span: Option<Span>,
    /// The statement.
    pub span: Span,
}

impl<V> Dataset<V> {
    /// Rows that are the data themselves: there is no other source.
    pub fn cells(&self) -> Option<&[Row<V>]> {
        self.rows.as_deref().filter(|_| self.args.is_empty())
    }

    /// Lines that say what the columns of the source are for.
    pub fn roles(&self) -> &[Row<V>] {
        self.rows.as_deref().filter(|_| !self.args.is_empty()).unwrap_or_default()
    }

    /// The same declaration with what `f` makes of its values, in the order of the text.
    ///
    /// # Errors
    /// The first of `f`.
    pub fn try_map<W, E>(&self, mut f: impl FnMut(&V) -> Result<W, E>) -> Result<Dataset<W>, E> {
        let mut args = |args: &[Arg<V>]| -> Result<Vec<Arg<W>>, E> {
            let arg = |a: &Arg<V>| Ok(Arg { key: a.key.clone(), value: f(&a.value)?, span: a.span });
            args.iter().map(arg).collect()
        };
        let (before, to) = (args(&self.args)?, args(&self.to)?);
        let mut words = |words: &[Word<V>]| words.iter().map(|w| w.try_map(&mut f)).collect::<Result<_, E>>();
        let mut row = |row: &Row<V>| {
            let before = words(&row.words)?;
            let to = row.to.as_ref().map(|to| words(to)).transpose()?;
            Ok(Row { words: before, to, span: row.span })
        };
        let rows = self.rows.as_ref().map(|rows| rows.iter().map(&mut row).collect()).transpose()?;
        Ok(Dataset { part: self.part, args: before, to, rows, rows_span: self.rows_span, span: self.span })
    }
}

/// One line of a data block.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Row<V = Expr> {
    /// Before `->`, or the whole line.
    pub words: Vec<Word<V>>,
    /// After `->`.
    pub to: Option<Vec<Word<V>>>,
    /// The whole line.
    pub span: Span,
}

/// One word of a data row.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Word<V = Expr> {
    /// What it is.
    pub kind: WordKind<V>,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of word in a data row.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum WordKind<V = Expr> {
    /// `-0.5`
    Number(f64),
    /// `"two words"`
    Text(String),
    /// `standardize` or `missing=mean`
    Name {
        /// The name.
        name: Name,
        /// What follows `=`; any literal.
        value: Option<Box<V>>,
    },
}

impl<V> Word<V> {
    fn try_map<W, E>(&self, f: &mut impl FnMut(&V) -> Result<W, E>) -> Result<Word<W>, E> {
        let kind = match &self.kind {
            WordKind::Number(x) => WordKind::Number(*x),
            WordKind::Text(text) => WordKind::Text(text.clone()),
            WordKind::Name { name, value } => {
                let value = value.as_ref().map(|v| f(v).map(Box::new)).transpose()?;
                WordKind::Name { name: name.clone(), value }
            }
        };
        Ok(Word { kind, span: self.span })
    }
}

/// A chain with the names its results get.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Flow {
    /// The names before `=` or `:=`; empty when there is none.
    pub targets: Vec<Name>,
    /// Whether it is `:=`, which assigns a state.
    pub update: bool,
    /// What is computed.
    pub chain: Chain,
}

/// `link -> link -> …`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Chain {
    /// At least one link.
    pub links: Vec<Link>,
    /// All its words.
    pub span: Span,
}

/// One link of a chain.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Link {
    /// `dense 16 relu`: a name and at least one argument.
    Step(Step),
    /// `scan x in xs with h = zeros([units]) { … }`
    Scan(Box<Scan>),
    /// `a, b`: one expression or more.
    Exprs(Vec<Expr>),
}

impl Link {
    /// All its words.
    pub fn span(&self) -> Span {
        match self {
            Link::Step(step) => step.span,
            Link::Scan(scan) => scan.span,
            Link::Exprs(exprs) => exprs.iter().map(|e| e.span).reduce(Span::to).unwrap_or_default(),
        }
    }
}

/// A name followed by arguments.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// The layer or function.
    pub name: Name,
    /// Its arguments in their order.
    pub args: Vec<Arg>,
    /// All its words.
    pub span: Span,
}

/// `16` or `lr=0.01`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Arg<V = Expr> {
    /// The name before `=`.
    pub key: Option<Name>,
    /// The value.
    pub value: V,
    /// All its words.
    pub span: Span,
}

impl<V> Arg<V> {
    /// The text of the name before `=`.
    pub fn key(&self) -> Option<&str> {
        self.key.as_ref().map(|key| key.text.as_str())
    }
}

/// `scan x in xs with h = a, c = b { … }`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Scan {
    /// What the body calls one slice.
    pub item: Name,
    /// The tensor that is walked along its first axis.
    pub over: Expr,
    /// Carried names and their first values.
    pub carried: Vec<(Name, Expr)>,
    /// Run for every slice.
    pub body: Block,
    /// All its words.
    pub span: Span,
}

/// An expression.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Expr {
    /// What it says.
    pub kind: ExprKind,
    /// Its words.
    pub span: Span,
}

/// The kinds of expression.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum ExprKind {
    /// `16`, `20_000`
    Int(i64),
    /// `0.01`, `1e-3`, and `20%` as 0.2 (see [`ExprKind::Percent`] for its spelling)
    Float(f64),
    /// `20%`; the value is 0.2.
    Percent(f64),
    /// `28x28x1`
    Size(Vec<u64>),
    /// `"text"`
    Text(String),
    /// `yes`, `no`
    Bool(bool),
    /// `it`
    It,
    /// `training`
    Training,
    /// Any other name.
    Name(String),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `a..b` as the value of an option, both ends included.
    Range(Box<Expr>, Box<Expr>),
    /// `(chain)`
    Group(Box<Chain>),
    /// `if c then a else b`
    If {
        /// Known at compile time.
        cond: Box<Expr>,
        /// When true.
        then: Box<Expr>,
        /// When false.
        otherwise: Box<Expr>,
    },
    /// `-x`, `not x`
    Unary {
        /// Which.
        op: UnaryOp,
        /// Of what.
        of: Box<Expr>,
    },
    /// `a + b`
    Binary {
        /// Which.
        op: BinaryOp,
        /// Where the sign stands.
        op_span: Span,
        /// Left.
        left: Box<Expr>,
        /// Right.
        right: Box<Expr>,
    },
    /// `f(x, axis=-1)`
    Call {
        /// What is called.
        callee: Box<Expr>,
        /// With what.
        args: Vec<Arg>,
    },
    /// `x[0]`
    Index {
        /// Of what.
        base: Box<Expr>,
        /// Which.
        index: Box<Expr>,
    },
    /// `tokens.table`
    Member {
        /// Of what.
        base: Box<Expr>,
        /// Which.
        name: Name,
    },
}
