//! Signs that belong to other languages, and characters that belong to none.

use super::Lexer;
use crate::token::TokenKind;
use crate::{Code, Diagnostic};

/// A sign of another language.
struct Foreign {
    sign: &'static str,
    /// What it is called here; `None` when nothing can simply take its place.
    here: Option<TokenKind<'static>>,
    /// What the user sees beside it.
    tip: &'static str,
}

const fn foreign(sign: &'static str, here: Option<TokenKind<'static>>, tip: &'static str) -> Foreign {
    Foreign { sign, here, tip }
}

const fn same(sign: &'static str) -> Option<TokenKind<'static>> {
    Some(TokenKind::Sign(sign))
}

const fn word(word: &'static str) -> Option<TokenKind<'static>> {
    Some(TokenKind::Name(word))
}

/// Longer signs before their beginnings.
static FOREIGN: [Foreign; 29] = [
    foreign("===", same("=="), "equality is `==`"),
    foreign("**", same("^"), "a power is `^`"),
    foreign("&&", word("and"), "both conditions: `and`"),
    foreign("||", word("or"), "one of two conditions: `or`"),
    foreign("|>", same("->"), "a chain is written with `->`"),
    foreign("=>", same("->"), "a chain is written with `->`; at least is `>=`"),
    foreign("<>", same("!="), "not equal is `!=`"),
    foreign("+=", None, "write `x = x + 1`"),
    foreign("-=", None, "write `x = x - 1`"),
    foreign("*=", None, "write `x = x * 2`"),
    foreign("/=", None, "write `x = x / 2`; not equal is `!=`"),
    foreign("→", same("->"), "an arrow is written `->`"),
    foreign("⇒", same("->"), "an arrow is written `->`"),
    foreign("×", same("*"), "a product is `*`; a size is written with the letter x, as in `3x3`"),
    foreign("·", same("*"), "a product is `*`"),
    foreign("÷", same("/"), "a quotient is `/`"),
    foreign("−", same("-"), "this is a long minus; the one on the keyboard is `-`"),
    foreign("–", same("-"), "this is a dash; minus is `-`"),
    foreign("—", same("-"), "this is a dash; minus is `-`"),
    foreign("≤", same("<="), "at most is `<=`"),
    foreign("≥", same(">="), "at least is `>=`"),
    foreign("≠", same("!="), "not equal is `!=`"),
    foreign("²", None, "a square is `^2`"),
    foreign("³", None, "a cube is `^3`"),
    foreign("…", same("..."), "write three points"),
    foreign("!=", same("!="), ""),
    foreign("!", word("not"), "the opposite of a condition: `not`"),
    foreign("&", None, "both conditions: `and`"),
    foreign("|", None, "one of two conditions: `or`"),
];

impl Lexer<'_> {
    /// Reads what other languages write for something that exists here too, and reports it. The
    /// token becomes what was meant, so that the rest of the statement is still checked.
    pub(super) fn foreign(&mut self) -> bool {
        let rest = &self.text[self.at..];
        if rest.starts_with("//") || rest.starts_with("/*") {
            self.foreign_comment();
            return true;
        }
        let Some(entry) = FOREIGN.iter().find(|f| rest.starts_with(f.sign)) else { return false };
        let (start, end) = (self.at, self.at + entry.sign.len());
        let kind = entry.here.clone().unwrap_or(TokenKind::Bad);
        if !entry.tip.is_empty() {
            self.report_foreign(entry, start, end);
        }
        self.push(kind, start, end);
        true
    }

    fn report_foreign(&mut self, entry: &Foreign, start: usize, end: usize) {
        let span = self.span(start, end);
        let code = if entry.sign.is_ascii() { Code::N0108 } else { Code::N0106 };
        let mut found = Diagnostic::error(code, format!("`{}` is not a sign of this language", entry.sign))
            .label(span, entry.tip);
        if let Some(TokenKind::Sign(here) | TokenKind::Name(here)) = &entry.here {
            let is_word = here.starts_with(char::is_alphabetic);
            let before =
                if is_word && !self.text[..start].ends_with([' ', '(', '[', '\n']) { " " } else { "" };
            let after = if is_word && !self.text[end..].starts_with(' ') { " " } else { "" };
            found = found.fix(span, format!("{before}{here}{after}"), true);
        }
        self.report(found);
    }

    fn foreign_comment(&mut self) {
        let start = self.at;
        let block = self.byte(1) == b'*';
        let end = if block {
            self.text[start..].find("*/").map_or(self.text.len(), |len| start + len + 2)
        } else {
            self.line_end()
        };
        let span = self.span(start, start + 2);
        let mut found = Diagnostic::error(Code::N0108, "a comment begins with `#`")
            .label(span, "write `#` here")
            .help("for division, `/` is one sign; `floor(a / b)` rounds down");
        if !block {
            found = found.fix(span, "#", self.first);
        }
        self.report(found);
        self.at = end;
    }

    /// Reports a character, or a run of them, that begins no token.
    pub(super) fn stray(&mut self, c: char) {
        match c {
            '\'' => self.other_quotes(c, &[c]),
            '＂' => self.other_quotes(c, &['＂']),
            c if narrow(c).is_some() => self.wide(),
            '“' | '”' | '„' => self.other_quotes(c, &['”', '“']),
            '‘' | '’' => self.other_quotes(c, &['’']),
            '«' => self.other_quotes(c, &['»']),
            c => self.unknown(c),
        }
    }

    /// Signs, letters and digits in the width of East Asian ones: what was typed without switching the keyboard back.
    pub(super) fn wide(&mut self) {
        let start = self.at;
        let rest = &self.text[start..];
        let is_part = |c: char| narrow(c).is_some() || super::is_name_part(c);
        let len = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let plain: String = rest[..len].chars().map(|c| narrow(c).unwrap_or(c)).collect();
        let span = self.span(start, start + len);
        let found =
            Diagnostic::error(Code::N0106, format!("`{}` is written in full-width characters", &rest[..len]));
        self.report(found.label(span, format!("write `{plain}`")).fix(span, plain, true));
        self.push(TokenKind::Bad, start, start + len);
    }

    fn unknown(&mut self, c: char) {
        let start = self.at;
        let run = self.text[start..].chars().take_while(|next| *next == c).count();
        let end = start + run * c.len_utf8();
        let found = match c {
            '%' if self.is_spaced_percentage() => self.spaced_percentage(),
            '%' => self
                .named("%", start, end, "a percentage is written without a space, as in `20%`")
                .help("the rest of a division is `mod(a, b)`"),
            '\\' => self.named(
                "\\",
                start,
                end,
                "a line goes on after an operator, after a comma, or inside brackets",
            ),
            '`' => self.named("`", start, end, "a name stands without quotes, a text between double quotes"),
            '$' | '?' | '~' => self.named(&c.to_string(), start, end, "no statement uses this character"),
            c if c.is_control() || is_invisible(c) => {
                let found = Diagnostic::error(
                    Code::N0106,
                    format!("there is an invisible character here, U+{:04X}", c as u32),
                );
                found.label(self.span(start, end), "").help("delete it").fix(self.span(start, end), "", true)
            }
            c => self
                .named(&c.to_string(), start, end, "no statement uses this character")
                .help("text stands between double quotes, a comment after `#`"),
        };
        self.report(found);
        self.push(TokenKind::Bad, start, end);
    }

    /// `10 %`
    fn is_spaced_percentage(&self) -> bool {
        let behind = self.text[self.at + 1..].trim_start_matches(' ');
        let divides = behind.starts_with(|c: char| c.is_ascii_digit() || c == '(');
        !divides && self.text[..self.at].trim_end_matches(' ').ends_with(|c: char| c.is_ascii_digit())
    }

    fn spaced_percentage(&self) -> Diagnostic {
        let space = self.text[..self.at].trim_end_matches(' ').len();
        Diagnostic::error(Code::N0106, "a percentage is written without a space, as in `20%`")
            .label(self.span(space, self.at + 1), "no space here")
            .fix(self.span(space, self.at), "", false)
    }

    fn named(&self, sign: &str, start: usize, end: usize, tip: &str) -> Diagnostic {
        Diagnostic::error(Code::N0106, format!("`{sign}` means nothing here"))
            .label(self.span(start, end), tip)
    }
}

/// The ordinary character that a full-width one stands for.
fn narrow(c: char) -> Option<char> {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0),
        _ => None,
    }
}

/// Whether a word has full-width letters.
pub(super) fn is_wide(word: &str) -> bool {
    word.chars().any(|c| narrow(c).is_some())
}

/// Whether a character takes no room on the screen.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}')
}
