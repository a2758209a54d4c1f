//! The lexer: characters to tokens. It never fails; what it cannot read it reports, and goes on.

mod number;
mod stray;
mod string;

use crate::token::{Comment, Token, TokenKind};
use crate::{Code, Diagnostic, SourceId, Span};

/// Signs of the language; a longer one stands before its beginning.
const SIGNS: [&str; 27] = [
    "...", "..", "->", ":=", "==", "!=", "<=", ">=", "=", "<", ">", "+", "-", "*", "/", "@", "^", "(", ")",
    "[", "]", "{", "}", ",", ":", ".", ";",
];

/// What the lexer makes of a text.
#[derive(Debug)]
pub(crate) struct Lexed<'t> {
    /// The tokens, newlines among them, comments not.
    pub(crate) tokens: Vec<Token<'t>>,
    /// The comments in their order.
    pub(crate) comments: Vec<Comment>,
    /// What could not be read.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Cuts `text` into tokens.
pub(crate) fn lex(text: &str, source: SourceId) -> Lexed<'_> {
    let mut lexer = Lexer {
        text,
        source,
        at: 0,
        first: true,
        out: Lexed { tokens: Vec::new(), comments: Vec::new(), diagnostics: Vec::new() },
    };
    if lexer.is_text() {
        lexer.run();
    }
    lexer.out
}

struct Lexer<'t> {
    text: &'t str,
    source: SourceId,
    at: usize,
    /// Whether no token of this line was seen yet.
    first: bool,
    out: Lexed<'t>,
}

impl<'t> Lexer<'t> {
    /// Refuses what is no program at all, in one diagnostic rather than thousands.
    fn is_text(&mut self) -> bool {
        if u32::try_from(self.text.len()).is_err() {
            self.report(Diagnostic::error(Code::N0111, "a program of more than 4 GiB cannot be read"));
            return false;
        }
        if let Some(at) = self.text.bytes().position(|b| b == 0) {
            let found = Diagnostic::error(Code::N0111, "this is not a text file")
                .label(self.span(at, at + 1), "a zero byte, which no text contains")
                .help("a program is plain text, usually in a file whose name ends in .nn");
            self.report(found);
            return false;
        }
        true
    }

    fn run(&mut self) {
        while let Some(c) = self.peek() {
            match c {
                '\n' => self.newline(),
                // A byte order mark at the start says nothing.
                '\u{feff}' if self.at == 0 => self.at += c.len_utf8(),
                c if c.is_whitespace() => self.at += c.len_utf8(),
                '#' => self.comment(),
                '"' => self.string(),
                c if c.is_ascii_digit() => self.number(),
                '.' if self.begins_fraction() => self.fraction(),
                c if is_name_start(c) => self.name(),
                _ if self.foreign() => {}
                c => self.sign_or_stray(c),
            }
        }
    }

    fn newline(&mut self) {
        self.push(TokenKind::Newline, self.at, self.at + 1);
        self.first = true;
    }

    fn comment(&mut self) {
        let end = self.line_end();
        let text = self.text[self.at..end].trim_end();
        let doc = text.starts_with("##") && !text.starts_with("###");
        let span = self.span(self.at, self.at + text.len());
        self.out.comments.push(Comment { span, own_line: self.first, doc });
        self.at = end;
    }

    fn name(&mut self) {
        let rest = &self.text[self.at..];
        let len = rest.find(|c| !is_name_part(c)).unwrap_or(rest.len());
        if stray::is_wide(&rest[..len]) {
            return self.wide();
        }
        self.push(TokenKind::Name(&rest[..len]), self.at, self.at + len);
    }

    fn sign_or_stray(&mut self, c: char) {
        let rest = &self.text[self.at..];
        match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            Some(sign) => self.push(TokenKind::Sign(sign), self.at, self.at + sign.len()),
            None => self.stray(c),
        }
    }

    /// Adds the token `start..end` and goes on behind it.
    fn push(&mut self, kind: TokenKind<'t>, start: usize, end: usize) {
        let span = self.span(start, end);
        let tight =
            self.out.tokens.last().is_some_and(|t| t.span.end == span.start && t.kind != TokenKind::Newline);
        self.out.tokens.push(Token { kind, span, tight, first: self.first });
        self.first = false;
        self.at = end;
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.out.diagnostics.push(diagnostic);
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, start, end)
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    /// The byte at `at + offset`; 0 behind the end.
    fn byte(&self, offset: usize) -> u8 {
        self.text.as_bytes().get(self.at + offset).copied().unwrap_or(0)
    }

    /// Where this line ends: its newline or the end of the text.
    fn line_end(&self) -> usize {
        self.text[self.at..].find('\n').map_or(self.text.len(), |len| self.at + len)
    }
}

/// Whether a name can begin with `c`.
fn is_name_start(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

/// Whether a name can go on with `c`; combining marks belong to the letter before them.
fn is_name_part(c: char) -> bool {
    is_name_start(c) || c.is_ascii_digit() || ('\u{300}'..='\u{36f}').contains(&c)
}
