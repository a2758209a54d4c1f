//! The `.nn` language's syntax: tokens, a parser that recovers, the tree, its text forms.
//!
//! ```
//! let mut sources = nnc_syntax::SourceMap::default();
//! let id = sources.add("xor.nn", "dense 16 relu; dense 1 sigmoid");
//! let parsed = nnc_syntax::parse(sources.get(id).text.as_str(), id);
//! assert!(parsed.diagnostics.is_empty());
//! assert_eq!(parsed.program.stmts.len(), 2);
//! ```
//!
//! The text becomes tokens (`lexer`); brackets are made to match (`brackets`); tokens become logical
//! statements (`layout`); `nom` reads each of them on its own (`parser`), so that a mistake poisons one
//! statement and no other. The tree can be printed and read back (`tree`) and be written in the one
//! canonical form (`fmt`).

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "one asks of a token or a node of the tree whether it is of one kind; the tree and its texts are matched whole"
)]

pub mod ast;
mod brackets;
mod code;
mod diagnostic;
mod fmt;
pub mod foreign;
pub mod habits;
mod head;
mod layout;
mod lexeme;
mod lexer;
mod parser;
mod port;
mod source;
mod token;
mod tree;
pub mod units;

pub use code::{Code, Group};
pub use diagnostic::{Diagnostic, Fix, Label, Severity};
pub use fmt::{format, format_surely};
pub use head::Head;
pub use lexeme::{Lexeme, LexemeKind, lexemes};
pub use parser::{MAX_DIAGNOSTICS, limit};
pub use port::Port;
pub use source::{Source, SourceId, SourceMap, Span};
pub use tree::{ast_text, parse_ast_text, same_meaning};

/// What [`parse`] returns: always a program, and what is wrong with the text.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The statements that could be read; the others are [`ast::StmtKind::Error`].
    pub program: ast::Program,
    /// Every mistake, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a program. Never panics, whatever the text; mistakes are in [`Parsed::diagnostics`].
pub fn parse(text: &str, source: SourceId) -> Parsed {
    parser::parse(text, source)
}
