//! Python, as far as programs that make a network go: statements by indentation, expressions, and nothing that is run.
//!
//! The grammar is read line by line, so that a line of another Python (`print x`), or of a construct that is not known
//! here, is one line that was not read, and no more.

mod expression;
mod lines;
mod statement;

pub use expression::whole;

use std::rc::Rc;

/// Expressions and blocks deeper than this are not read.
const DEPTH: usize = 48;

/// A statement.
#[derive(Debug, Clone)]
pub struct Stmt {
    /// Its first line, from 1.
    pub line: usize,
    /// Its text, without comments.
    pub text: String,
    /// What it says.
    pub kind: StmtKind,
}

/// What a statement says.
#[derive(Debug, Clone)]
pub enum StmtKind {
    /// `import …`, `from … import …`, `pass`, a text alone
    Nothing,
    /// `a = b = value`
    Assign(Vec<Expr>, Expr),
    /// `a += value`
    Augment(Expr, char, Expr),
    /// A call, mostly
    Expr(Expr),
    /// `return value`
    Return(Expr),
    /// `for target in over:`
    For(Expr, Expr, Vec<Stmt>),
    /// `if condition:` and its `else`
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    /// A body that is run as it stands: `with …:`, `try:`
    Block(Vec<Stmt>),
    /// `def`
    Def(Rc<Def>),
    /// `class`
    Class(Rc<Class>),
    /// What cannot be read
    Unread,
}

/// A function.
#[derive(Debug)]
pub struct Def {
    /// Its name.
    pub name: String,
    /// Its parameters, with their defaults.
    pub params: Vec<(String, Option<Expr>)>,
    /// What it does.
    pub body: Vec<Stmt>,
}

/// A class.
#[derive(Debug)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// What it is made from, as written.
    pub bases: Vec<Expr>,
    /// Its functions.
    pub defs: Vec<Rc<Def>>,
}

/// An expression, with the line where it begins.
#[derive(Debug, Clone)]
pub struct Expr {
    /// The line, from 1.
    pub line: usize,
    /// What it is.
    pub kind: ExprKind,
}

/// What an expression is.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub enum ExprKind {
    Name(String),
    Num(f64),
    Text(String),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    Attr(Box<Expr>, String),
    /// The text between the brackets is kept as it stands.
    Index(Box<Expr>, String),
    Call(Box<Expr>, Vec<(Option<String>, Expr)>),
    Minus(Box<Expr>),
    Binary(Box<Expr>, &'static str, Box<Expr>),
    /// `*items`, `**named`
    Star(Box<Expr>),
    /// `lambda`, a comprehension, a comparison …
    Other,
}

/// Reads a text as far as it can be read.
pub fn parse(text: &str) -> Vec<Stmt> {
    let lines = lines::logical(text);
    statement::block(&lines, &mut 0, 0, 0)
}
