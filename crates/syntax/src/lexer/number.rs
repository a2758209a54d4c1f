//! Numbers: `16`, `1_000`, `1e-3`, `20%`, `28x28x1`, and what is almost a number.

use super::{Lexer, is_name_part, is_name_start};
use crate::token::TokenKind;
use crate::{Code, Diagnostic};

impl Lexer<'_> {
    /// Reads everything that hangs together with a digit, then decides what it is: so `1.2.3` and
    /// `2x` are one mistake each, with one span.
    pub(super) fn number(&mut self) {
        let start = self.at;
        let mut end = start + self.number_len();
        let word = &self.text[start..end];
        let percent = self.text.as_bytes().get(end) == Some(&b'%');
        let read = if percent {
            end += 1;
            percentage(word)
        } else {
            plain(word)
        };
        match read {
            Ok(kind) => self.push(kind, start, end),
            Err(why) => self.bad_number(start, end, why),
        }
    }

    /// Whether a `.` begins a number without its zero, as `.5` does in other languages.
    pub(super) fn begins_fraction(&self) -> bool {
        let after_value = self.at > 0
            && self.text[..self.at]
                .chars()
                .next_back()
                .is_some_and(|c| is_name_part(c) || matches!(c, ')' | ']' | '.'));
        self.byte(1).is_ascii_digit() && !after_value
    }

    /// Reads `.5`, which wants a zero before its point.
    pub(super) fn fraction(&mut self) {
        let start = self.at;
        self.at += 1;
        let end = self.at + self.number_len();
        let word = &self.text[start..end];
        let whole = format!("0{word}");
        match plain(&whole) {
            Ok(kind) => {
                let found =
                    Diagnostic::error(Code::N0104, format!("`{word}` needs a digit before its point"))
                        .label(self.span(start, end), format!("write `{whole}`"))
                        .fix(self.span(start, end), whole, true);
                self.report(found);
                self.push(kind, start, end);
            }
            Err(why) => self.bad_number(start, end, why),
        }
    }

    /// How many bytes from here look like one number.
    fn number_len(&self) -> usize {
        let rest = &self.text[self.at..];
        let bytes = rest.as_bytes();
        let mut len = 0;
        while let Some(c) = rest[len..].chars().next() {
            let next = bytes.get(len + 1).copied().unwrap_or(0);
            let goes_on = match c {
                // `1..4` is a range; `1.` is a mistake worth its own words.
                '.' => next != b'.' && !(len > 0 && bytes[len - 1] == b'.'),
                '+' | '-' => next.is_ascii_digit() && is_exponent_mark(&rest[..len]),
                c => is_name_part(c),
            };
            if !goes_on {
                break;
            }
            len += c.len_utf8();
        }
        len
    }

    fn bad_number(&mut self, start: usize, end: usize, why: Why) {
        let word = &self.text[start..end];
        let span = self.span(start, end);
        let found = Diagnostic::error(Code::N0104, format!("`{word}` is not a number"));
        let found = match why {
            Why::TooBig(limit) => {
                Diagnostic::error(Code::N0104, format!("the number `{word}` is too big")).label(span, limit)
            }
            Why::Points => found.label(span, "a number has one decimal point at most"),
            Why::EndsInPoint => {
                let whole = word.replacen('.', ".0", 1);
                found
                    .label(span, format!("a digit is missing after the point: `{whole}`"))
                    .fix(span, whole, true)
            }
            Why::Exponent => found.label(span, "after the `e` comes a whole number, as in `1e-3`"),
            Why::Size => found.label(span, "a size is made of whole numbers, as in `28x28x1`"),
            Why::Underscore => found.label(span, "`_` may stand only between two digits, as in `20_000`"),
            Why::Letters => self.letters_in_number(found, start, end),
        };
        self.report(found);
        self.push(TokenKind::Bad, start, end);
    }

    /// `1O` is probably `10`, and `2x` is probably `2 * x`.
    fn letters_in_number(&self, found: Diagnostic, start: usize, end: usize) -> Diagnostic {
        let (word, span) = (&self.text[start..end], self.span(start, end));
        let digits: String = word.chars().map(look_alike).collect();
        if plain(&digits).is_ok() {
            let letter = word.chars().find(|c| look_alike(*c) != *c).unwrap_or('O');
            return found
                .label(span, format!("a letter {letter}; did you mean `{digits}`?"))
                .fix(span, digits, false);
        }
        let cut = word.find(is_name_start).unwrap_or(word.len());
        let (number, name) = word.split_at(cut);
        found
            .label(span, "a number and a name run together")
            .cause("a name begins with a letter; digits come later, as in `dense2`")
            .help(format!("to multiply, write `{number} * {name}`"))
    }
}

/// Why a word that begins with a digit is no number.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Why {
    TooBig(&'static str),
    Points,
    EndsInPoint,
    Exponent,
    Size,
    Underscore,
    Letters,
}

const INT_LIMIT: &str = "the largest whole number is 9_223_372_036_854_775_807";
const FLOAT_LIMIT: &str = "the largest number is about 1.8e308";
const SIZE_LIMIT: &str = "the largest side of a size is 18_446_744_073_709_551_615";

/// Reads a number without a percent sign.
fn plain(word: &str) -> Result<TokenKind<'static>, Why> {
    if is_digits(word) {
        return digits(word)?.parse().map(TokenKind::Int).map_err(|_| Why::TooBig(INT_LIMIT));
    }
    if word.contains('x') && word.chars().all(|c| c == 'x' || c == '_' || c.is_ascii_digit() || c == '.') {
        return size(word);
    }
    let value = decimal(word, "")?;
    Ok(TokenKind::Float(value))
}

fn percentage(word: &str) -> Result<TokenKind<'static>, Why> {
    if word.contains(['e', 'E']) {
        return Err(Why::Exponent);
    }
    // Reading 20% as "20e-2" rounds once; dividing by 100 would round twice.
    decimal(word, "e-2").map(TokenKind::Percent)
}

fn size(word: &str) -> Result<TokenKind<'static>, Why> {
    let side = |part: &str| match is_digits(part) {
        true => digits(part)?.parse().map_err(|_| Why::TooBig(SIZE_LIMIT)),
        // `2x` is rather a product than a size.
        false if part.is_empty() => Err(Why::Letters),
        false => Err(Why::Size),
    };
    word.split('x').map(side).collect::<Result<_, _>>().map(TokenKind::Size)
}

/// `12.5e-3` with `suffix` behind it.
fn decimal(word: &str, suffix: &str) -> Result<f64, Why> {
    let (mantissa, exponent) = match word.find(['e', 'E']) {
        Some(at) => (&word[..at], Some(word[at + 1..].trim_start_matches(['+', '-']))),
        None => (word, None),
    };
    let parts: Vec<&str> = mantissa.split('.').collect();
    if !parts.iter().all(|p| p.is_empty() || is_digits(p)) {
        return Err(Why::Letters);
    }
    match parts.as_slice() {
        [_] => {}
        [_, ""] => return Err(Why::EndsInPoint),
        [_, _] => {}
        _ => return Err(Why::Points),
    }
    if exponent.is_some_and(|e| !is_digits(e)) {
        return Err(if exponent == Some("") { Why::Exponent } else { Why::Letters });
    }
    let value: f64 = format!("{}{suffix}", digits(word)?).parse().map_err(|_| Why::Letters)?;
    if value.is_finite() { Ok(value) } else { Err(Why::TooBig(FLOAT_LIMIT)) }
}

/// Whether there are only digits and underscores, and a digit first.
fn is_digits(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit()) && word.bytes().all(|b| b.is_ascii_digit() || b == b'_')
}

/// The word without its underscores, each of which must stand between two digits.
fn digits(word: &str) -> Result<String, Why> {
    let bytes = word.as_bytes();
    let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    for (at, _) in word.match_indices('_') {
        if !is_digit(at.checked_sub(1)) || !is_digit(Some(at + 1)) {
            return Err(Why::Underscore);
        }
    }
    Ok(word.replace('_', ""))
}

/// Whether a number so far ends in the `e` of an exponent, so that a sign may follow.
fn is_exponent_mark(word: &str) -> bool {
    let Some(mantissa) = word.strip_suffix(['e', 'E']) else { return false };
    mantissa.bytes().all(|b| b.is_ascii_digit() || b == b'_' || b == b'.')
}

/// The digit a letter is easily mistaken for.
fn look_alike(c: char) -> char {
    match c {
        'O' | 'o' | 'О' | 'о' => '0',
        'l' | 'I' => '1',
        c => c,
    }
}
