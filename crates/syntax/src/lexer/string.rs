//! Strings: `"text"` with `\"`, `\\`, `\n` and `\t`; and quotes of other languages.

use super::Lexer;
use crate::token::TokenKind;
use crate::{Code, Diagnostic};

impl Lexer<'_> {
    /// Reads a string between straight double quotes.
    pub(super) fn string(&mut self) {
        if self.text[self.at..].starts_with("\"\"\"") {
            return self.triple_quoted();
        }
        let start = self.at;
        match self.text_until(start + 1, &['"']) {
            Some(end) => {
                let value = self.unescape(start + 1, end);
                self.push(TokenKind::Text(value), start, end + 1);
            }
            None => self.unclosed(start),
        }
    }

    /// Where the closing quote of a string stands, if it does on this line.
    fn text_until(&self, start: usize, quotes: &[char]) -> Option<usize> {
        let mut escaped = false;
        for (at, c) in self.text[start..].char_indices() {
            match c {
                '\n' => return None,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                c if quotes.contains(&c) => return Some(start + at),
                _ => {}
            }
        }
        None
    }

    fn unescape(&mut self, start: usize, end: usize) -> String {
        let raw = &self.text[start..end];
        let mut value = String::with_capacity(raw.len());
        let mut chars = raw.char_indices();
        while let Some((at, c)) = chars.next() {
            if c != '\\' {
                value.push(c);
                continue;
            }
            match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, quoted @ ('"' | '\\'))) => value.push(quoted),
                other => {
                    value.push('\\');
                    value.extend(other.map(|(_, c)| c));
                    self.unknown_escape(start + at, other.map_or(0, |(_, c)| c.len_utf8()));
                }
            }
        }
        value
    }

    fn unknown_escape(&mut self, at: usize, len: usize) {
        let span = self.span(at, at + 1 + len);
        let found =
            Diagnostic::error(Code::N0103, "a `\\` in a string has a special meaning, and this one has none")
                .label(span, "not one of \\\" \\\\ \\n \\t")
                .help("for the character itself write `\\\\`; in a path, `/` works everywhere")
                .fix(self.span(at, at + 1), "\\\\", false);
        self.report(found);
    }

    /// Ends a string without a closing quote at the end of its line, but before a `{` there, so that
    /// the block behind it keeps its brace.
    fn unclosed(&mut self, start: usize) {
        let line = self.text[start..self.line_end()].trim_end();
        let word = line.strip_suffix('{').map_or(line, str::trim_end);
        let end = start + word.len().max(1);
        let found = Diagnostic::error(Code::N0103, "this string has no closing quote")
            .label(self.span(start, start + 1), "it begins here")
            .label(self.span(end, end), "and must end on this line")
            .help("put `\"` where the text ends")
            .fix(self.span(end, end), "\"", false);
        self.report(found);
        self.push(TokenKind::Bad, start, end);
    }

    /// `"""…"""`, which Python programmers write for comments.
    fn triple_quoted(&mut self) {
        let start = self.at;
        let end = self.text[start + 3..].find("\"\"\"").map_or(self.text.len(), |len| start + len + 6);
        let found = Diagnostic::error(Code::N0108, "three quotes mean nothing here")
            .label(self.span(start, start + 3), "a string stands between single `\"`, on one line")
            .help("a comment begins with `#`; the description of a layer begins with `##`, above it");
        self.report(found);
        self.push(TokenKind::Bad, start, end);
    }

    /// A string between quotes of another kind: reported, and read all the same.
    pub(super) fn other_quotes(&mut self, open: char, close: &[char]) {
        let start = self.at;
        let inside = start + open.len_utf8();
        let Some(end) = self.text_until(inside, close) else {
            let found = Diagnostic::error(Code::N0106, format!("`{open}` is not a quote of this language"))
                .label(self.span(start, inside), "a string stands between straight double quotes: \"text\"");
            self.report(found);
            return self.push(TokenKind::Bad, start, self.line_end());
        };
        let after = end + self.text[end..].chars().next().map_or(0, char::len_utf8);
        let span = self.span(start, after);
        let text = self.text[inside..end].replace("\\'", "'").replace('"', "\\\"");
        let found = Diagnostic::error(Code::N0106, "a string stands between straight double quotes")
            .label(span, format!("write \"{text}\""))
            .fix(span, format!("\"{text}\""), true);
        self.report(found);
        let value = self.text[inside..end].to_owned();
        self.push(TokenKind::Text(value), start, after);
    }
}
