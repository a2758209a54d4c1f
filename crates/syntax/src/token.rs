//! Tokens: what the lexer makes of characters.

use crate::Span;

/// A word, a number, a sign.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Token<'t> {
    /// What it is.
    pub(crate) kind: TokenKind<'t>,
    /// Where it stands.
    pub(crate) span: Span,
    /// Whether it follows the token before it without a space: `f(` against `f (`.
    pub(crate) tight: bool,
    /// Whether it is the first of its line.
    pub(crate) first: bool,
}

/// The kinds of token.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum TokenKind<'t> {
    /// `16`, `20_000`
    Int(i64),
    /// `0.5`, `1e-3`
    Float(f64),
    /// `20%`; holds 0.2.
    Percent(f64),
    /// `28x28x1`
    Size(Vec<u64>),
    /// `"text"`, its escapes replaced.
    Text(String),
    /// A name or a word of the language.
    Name(&'t str),
    /// An operator, a bracket, a comma.
    Sign(&'static str),
    /// The end of a line; `;` is a sign.
    Newline,
    /// A whole `{ … }`: an index into the layout's groups. Made by the layout, not by the lexer.
    Block(usize),
    /// Something unreadable that is already reported; it poisons its statement silently.
    Bad,
}

/// Words that can never be names: they stand between the parts of an expression.
const INFIX_WORDS: [&str; 9] = ["and", "or", "in", "not", "then", "else", "as", "of", "with"];

/// Names with a fixed meaning, which cannot be given another one.
const FIXED_NAMES: [&str; 4] = ["it", "yes", "no", "training"];

/// Whether `word` can never be a name.
pub(crate) fn is_infix_word(word: &str) -> bool {
    word == "if" || INFIX_WORDS.contains(&word)
}

/// Whether `word` is a name with a fixed meaning.
pub(crate) fn is_fixed_name(word: &str) -> bool {
    FIXED_NAMES.contains(&word)
}

impl<'t> Token<'t> {
    /// Whether this is the sign `sign`.
    pub(crate) fn is_sign(&self, sign: &str) -> bool {
        matches!(self.kind, TokenKind::Sign(s) if s == sign)
    }

    /// Whether this is the word `word`.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(self.kind, TokenKind::Name(w) if w == word)
    }

    /// The letters of a name or word.
    pub(crate) fn word(&self) -> Option<&'t str> {
        match self.kind {
            TokenKind::Name(word) => Some(word),
            _ => None,
        }
    }

    /// Whether a value can begin here.
    pub(crate) fn begins_value(&self) -> bool {
        match self.kind {
            TokenKind::Name(word) => !is_infix_word(word),
            TokenKind::Sign(sign) => sign == "(" || sign == "[",
            TokenKind::Newline | TokenKind::Block(_) => false,
            _ => true,
        }
    }

    /// Whether this is an operator between two values, `=`, `:=`, `->` included.
    pub(crate) fn is_operator(&self) -> bool {
        match self.kind {
            TokenKind::Sign(sign) => matches!(
                sign,
                "+" | "-" | "*" | "/" | "@" | "^" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "=" | ":=" | "->"
            ),
            TokenKind::Name(word) => word == "and" || word == "or",
            _ => false,
        }
    }

    /// Whether a line that begins with this goes on with the line above: no statement begins so.
    pub(crate) fn continues_above(&self) -> bool {
        matches!(self.kind, TokenKind::Sign("->") | TokenKind::Name("then" | "else"))
    }

    /// Whether the line goes on after this token, because something must follow it.
    pub(crate) fn continues_line(&self) -> bool {
        match self.kind {
            TokenKind::Sign(sign) => sign == "," || sign == ".." || self.is_operator(),
            TokenKind::Name(word) => is_infix_word(word),
            _ => false,
        }
    }
}

/// A `#` or `##` comment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Comment {
    /// From `#` to the last character of the line.
    pub(crate) span: Span,
    /// Whether it has a line of its own.
    pub(crate) own_line: bool,
    /// Whether it is a `##` line, which documents the statement below it.
    pub(crate) doc: bool,
}
