//! The words of `data "f.csv"` that say how a table is written.

use crate::binding::args::{self, ArgCursor, Res, whole};
use nnc_data::{Dialect, Separator, Skip};
use nnc_model::data::Literal;
use nnc_syntax::ast::Arg;
use nnc_syntax::{Diagnostic, Span};

/// The options, for the list of what there is.
pub(crate) const WORDS: [&str; 10] = [
    "header",
    "separator",
    "decimal_comma",
    "thousands",
    "na",
    "comment",
    "skip",
    "skip_last",
    "encoding",
    "day_first",
];

/// Takes them from the words of a source.
pub(crate) fn read(words: &mut ArgCursor<'_>, diagnostics: &mut Vec<Diagnostic>) -> Res<Dialect> {
    Reader { diagnostics }.dialect(words)
}

struct Reader<'a> {
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn fail<T>(&mut self, span: Span, message: impl Into<String>, example: &str) -> Res<T> {
        args::fail(span, message, example, self.diagnostics)
    }

    fn dialect(&mut self, words: &mut ArgCursor<'_>) -> Res<Dialect> {
        Ok(Dialect {
            separator: self.separator(words)?,
            header: self.yes_or_no(words, "header")?,
            decimal_comma: self.yes_or_no(words, "decimal_comma")?,
            thousands: self.thousands(words)?,
            na: self.na(words)?,
            comment: self.comment(words)?,
            skip: self.skip(words)?,
            skip_last: args::count(words, "skip_last", self.diagnostics)?,
            encoding: self.encoding(words)?,
            day_first: self.yes_or_no(words, "day_first")?,
        })
    }

    /// `decimal_comma`, `header=no`.
    fn yes_or_no(&mut self, words: &mut ArgCursor<'_>, name: &str) -> Res<Option<bool>> {
        match words.key(name) {
            None => Ok(words.flag(name).then_some(true)),
            Some(Arg { value: Literal::Bool(b), .. }) => Ok(Some(*b)),
            Some(arg) => self.fail(arg.span, format!("`{name}` is yes or no"), &format!("{name}=no")),
        }
    }

    fn separator(&mut self, words: &mut ArgCursor<'_>) -> Res<Option<Separator>> {
        let Some(arg) = words.key("separator") else { return Ok(None) };
        let named = |name: &str| match name {
            "tab" => Some(Separator::Byte(b'\t')),
            "comma" => Some(Separator::Byte(b',')),
            "semicolon" => Some(Separator::Byte(b';')),
            "spaces" | "blanks" | "whitespace" => Some(Separator::Blanks),
            _ => None,
        };
        let found = match &arg.value {
            Literal::Text(text) => match text.as_bytes() {
                [b'"' | b'\n' | b'\r'] => None,
                [one] if one.is_ascii() => Some(Separator::Byte(*one)),
                b"\\t" => Some(Separator::Byte(b'\t')),
                b"\\s+" => Some(Separator::Blanks),
                _ => named(text),
            },
            Literal::Word(word) => named(word),
            _ => None,
        };
        let example = "separator=\";\" or separator=tab, or separator=spaces for runs of blanks";
        match found {
            Some(separator) => Ok(Some(separator)),
            None => self.fail(arg.span, "`separator` is one character, or `tab` or `spaces`", example),
        }
    }

    fn thousands(&mut self, words: &mut ArgCursor<'_>) -> Res<Option<char>> {
        let Some(arg) = words.key("thousands") else { return Ok(None) };
        let mark = match &arg.value {
            Literal::Text(text) => {
                let mut characters = text.chars();
                characters.next().filter(|_| characters.next().is_none())
            }
            Literal::Word(word) => match word.as_str() {
                "comma" => Some(','),
                "point" | "dot" => Some('.'),
                "space" | "spaces" => Some(' '),
                _ => None,
            },
            _ => None,
        };
        match mark.filter(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '+' | '"' | '\n' | '\r')) {
            Some(mark) => Ok(Some(mark)),
            None => self.fail(
                arg.span,
                "`thousands` is the mark between groups of digits",
                "thousands=\",\" where 25,100 is 25100",
            ),
        }
    }

    /// `na=["--", -200]`, `na="--"`.
    fn na(&mut self, words: &mut ArgCursor<'_>) -> Res<Option<Vec<String>>> {
        let Some(arg) = words.key("na") else { return Ok(None) };
        let word = |value: &Literal| match value {
            Literal::Text(text) | Literal::Word(text) => Some(text.clone()),
            Literal::Number(x) => Some(x.to_string()),
            Literal::Bool(_) | Literal::Size(_) | Literal::List(_) | Literal::Range(..) => None,
        };
        let found: Option<Vec<String>> = match &arg.value {
            Literal::List(items) => items.iter().map(word).collect(),
            one => word(one).map(|w| vec![w]),
        };
        match found.filter(|f| !f.is_empty()) {
            Some(found) => Ok(Some(found)),
            None => self.fail(
                arg.span,
                "`na` is what stands in cells without a value: words in quotes, and numbers",
                "na=[\"--\", \".\", -200]",
            ),
        }
    }

    fn comment(&mut self, words: &mut ArgCursor<'_>) -> Res<Option<String>> {
        match words.key("comment") {
            None => Ok(None),
            Some(Arg { value: Literal::Text(mark), .. })
                if !mark.is_empty() && !mark.contains(['"', '\n', '\r']) && mark.trim() == mark =>
            {
                Ok(Some(mark.clone()))
            }
            Some(arg) => self.fail(arg.span, "`comment` is what comments begin with", "comment=\"#\""),
        }
    }

    /// `skip=3`, `skip=[2]`.
    fn skip(&mut self, words: &mut ArgCursor<'_>) -> Res<Option<Skip>> {
        let Some(arg) = words.key("skip") else { return Ok(None) };
        let line = |value: &Literal| whole(value).filter(|n| *n > 0).map(|n| n as u64);
        let found = match &arg.value {
            Literal::List(items) => items.iter().map(line).collect::<Option<Vec<u64>>>().map(Skip::Lines),
            one => whole(one).map(|n| Skip::First(n as u64)),
        };
        match found {
            Some(skip) => Ok(Some(skip)),
            None => self.fail(
                arg.span,
                "`skip` is how many lines at the beginning are not read, or a list of lines",
                "skip=3, or skip=[2] for the second line only",
            ),
        }
    }

    fn encoding(&mut self, words: &mut ArgCursor<'_>) -> Res<Option<String>> {
        match words.key("encoding") {
            None => Ok(None),
            Some(Arg { value: Literal::Text(label) | Literal::Word(label), span, .. }) => {
                if nnc_data::is_encoding(label) {
                    return Ok(Some(label.clone()));
                }
                let message = format!("there is no encoding called `{label}`");
                self.fail(*span, message, "encoding=\"latin1\", \"windows-1252\", \"utf-16\", \"shift_jis\"")
            }
            Some(arg) => self.fail(arg.span, "`encoding` is the name of one", "encoding=\"latin1\""),
        }
    }
}
