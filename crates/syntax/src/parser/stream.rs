//! The input of the `nom` parsers: the tokens of one statement.

use super::Context;
use crate::ast::Name;
use crate::token::{Token, TokenKind, is_fixed_name, is_infix_word};
use crate::{Diagnostic, Span};
use nom::error::{ErrorKind, ParseError};
use nom::{IResult, Input, Needed};
use std::iter::Enumerate;
use std::slice::Iter;

/// What is still to be read of a statement.
#[derive(Clone, Copy)]
pub(super) struct TokenStream<'a> {
    /// The file around it.
    pub(super) context: &'a Context<'a>,
    /// The tokens ahead.
    pub(super) tokens: &'a [Token<'a>],
    /// The place of the token just read.
    pub(super) last: Span,
    /// How deep the tree may be above this statement's blocks.
    pub(super) depth: usize,
}

/// What a parser returns: the rest and a piece of the tree.
pub(super) type Read<'a, T> = IResult<TokenStream<'a>, T, Problem<'a>>;

/// Why a parser stopped.
#[derive(Clone)]
pub(super) struct Problem<'a> {
    /// Where.
    pub(super) at: TokenStream<'a>,
    /// What it would have liked to see there.
    pub(super) expected: Expected,
    /// The diagnostic, where the parser knows better than "expected …".
    pub(super) diagnostic: Option<Box<Diagnostic>>,
}

/// What a parser would have liked to see, in the user's words.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Expected {
    /// Such as "a value".
    pub(super) what: &'static str,
    /// What that is; may be empty.
    pub(super) plain: &'static str,
}

/// Any expression.
pub(super) const VALUE: Expected = Expected {
    what: "a value",
    plain: "a value is a number, a name, a \"text\", a list `[…]`, or something in brackets `(…)`",
};
/// A name of the user's.
pub(super) const NAME: Expected =
    Expected { what: "a name", plain: "a name begins with a letter; letters, digits and `_` may follow" };
/// A body.
pub(super) const BLOCK: Expected = Expected { what: "a block", plain: "a block stands between `{` and `}`" };
/// A string.
pub(super) const TEXT: Expected =
    Expected { what: "a text", plain: "a text stands between double quotes, as in \"iris.csv\"" };
/// Nothing more.
pub(super) const END: Expected = Expected { what: "the end of the statement", plain: "" };

impl<'a> ParseError<TokenStream<'a>> for Problem<'a> {
    fn from_error_kind(at: TokenStream<'a>, _: ErrorKind) -> Self {
        Problem { at, expected: VALUE, diagnostic: None }
    }

    fn append(_: TokenStream<'a>, _: ErrorKind, other: Self) -> Self {
        other
    }
}

impl<'a> TokenStream<'a> {
    /// The next token.
    pub(super) fn peek(&self) -> Option<&'a Token<'a>> {
        self.tokens.first()
    }

    /// The token after the next.
    pub(super) fn second(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(1)
    }

    /// Whether the next token is this sign.
    pub(super) fn at_sign(&self, sign: &str) -> bool {
        self.peek().is_some_and(|t| t.is_sign(sign))
    }

    /// Whether the next token is this word.
    pub(super) fn at_word(&self, word: &str) -> bool {
        self.peek().is_some_and(|t| t.is_word(word))
    }

    /// Where the next token stands, of a block its brace; or the end of the statement.
    pub(super) fn here(&self) -> Span {
        match self.peek() {
            Some(Token { kind: TokenKind::Block(_), span, .. }) => Span { end: span.start + 1, ..*span },
            Some(token) => token.span,
            None => Span { start: self.last.end, ..self.last },
        }
    }

    /// From `start` to the token just read.
    pub(super) fn since(&self, start: Span) -> Span {
        start.to(self.last)
    }

    /// The next token, and what is behind it.
    pub(super) fn split(self) -> Option<(TokenStream<'a>, &'a Token<'a>)> {
        let (token, rest) = self.tokens.split_first()?;
        Some((TokenStream { tokens: rest, last: token.span, ..self }, token))
    }

    /// Not what was expected; another parser may try.
    pub(super) fn miss<T>(self, expected: Expected) -> Read<'a, T> {
        Err(nom::Err::Error(Problem { at: self, expected, diagnostic: None }))
    }

    /// Not what was expected; nothing else can stand here.
    pub(super) fn fail<T>(self, expected: Expected) -> Read<'a, T> {
        Err(nom::Err::Failure(Problem { at: self, expected, diagnostic: None }))
    }

    /// A mistake with its own diagnostic.
    pub(super) fn tell<T>(self, found: Diagnostic) -> Read<'a, T> {
        Err(nom::Err::Failure(Problem { at: self, expected: END, diagnostic: Some(Box::new(found)) }))
    }
}

/// The sign `sign`; its place.
pub(super) fn sign<'a>(sign: &'static str) -> impl Fn(TokenStream<'a>) -> Read<'a, Span> {
    move |i| match i.split() {
        Some((rest, token)) if token.is_sign(sign) => Ok((rest, token.span)),
        _ => i.miss(Expected { what: quoted(sign), plain: "" }),
    }
}

/// The word `word`; its place.
pub(super) fn word<'a>(word: &'static str) -> impl Fn(TokenStream<'a>) -> Read<'a, Span> {
    move |i| match i.split() {
        Some((rest, token)) if token.is_word(word) => Ok((rest, token.span)),
        _ => i.miss(Expected { what: quoted(word), plain: "" }),
    }
}

/// The mention of a name.
pub(super) fn name(i: TokenStream<'_>) -> Read<'_, Name> {
    match i.split() {
        Some((rest, Token { kind: TokenKind::Name(word), span, .. })) if !is_infix_word(word) => {
            Ok((rest, Name { text: (*word).to_owned(), span: *span }))
        }
        _ => i.miss(NAME),
    }
}

/// A name that gets a meaning here, so that it may not have one already.
pub(super) fn new_name(i: TokenStream<'_>) -> Read<'_, Name> {
    match i.peek().and_then(Token::word) {
        Some(word) if is_infix_word(word) || is_fixed_name(word) => i.tell(super::errors::reserved(i, word)),
        _ => name(i),
    }
}

/// A string: its text and place.
pub(super) fn text(i: TokenStream<'_>) -> Read<'_, (String, Span)> {
    match i.split() {
        Some((rest, Token { kind: TokenKind::Text(text), span, .. })) => Ok((rest, (text.clone(), *span))),
        _ => i.miss(TEXT),
    }
}

/// The sign or word between backticks, for a message.
fn quoted(sign: &'static str) -> &'static str {
    match sign {
        "=" => "`=`",
        "->" => "`->`",
        "(" => "`(`",
        ")" => "`)`",
        "[" => "`[`",
        "]" => "`]`",
        "," => "`,`",
        ".." => "`..`",
        "then" => "`then`",
        "else" => "`else`",
        "in" => "`in`",
        "of" => "`of`",
        "for" => "`for`",
        "when" => "`when`",
        "stalls" => "`stalls`",
        "seeds" => "`seeds`",
        other => other,
    }
}

impl<'a> Input for TokenStream<'a> {
    type Item = &'a Token<'a>;
    type Iter = Iter<'a, Token<'a>>;
    type IterIndices = Enumerate<Self::Iter>;

    fn input_len(&self) -> usize {
        self.tokens.len()
    }

    fn take(&self, index: usize) -> Self {
        TokenStream { tokens: &self.tokens[..index], ..*self }
    }

    fn take_from(&self, index: usize) -> Self {
        let last = index.checked_sub(1).map_or(self.last, |at| self.tokens[at].span);
        TokenStream { tokens: &self.tokens[index..], last, ..*self }
    }

    fn take_split(&self, index: usize) -> (Self, Self) {
        (self.take_from(index), self.take(index))
    }

    fn position<P: Fn(Self::Item) -> bool>(&self, predicate: P) -> Option<usize> {
        self.tokens.iter().position(predicate)
    }

    fn iter_elements(&self) -> Self::Iter {
        self.tokens.iter()
    }

    fn iter_indices(&self) -> Self::IterIndices {
        self.tokens.iter().enumerate()
    }

    fn slice_index(&self, count: usize) -> Result<usize, Needed> {
        if self.tokens.len() >= count { Ok(count) } else { Err(Needed::new(count - self.tokens.len())) }
    }
}
