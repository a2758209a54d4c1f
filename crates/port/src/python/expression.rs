//! Expressions.

use super::lines::outside;
use super::{DEPTH, Expr, ExprKind};
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{char, satisfy};
use nom::combinator::{opt, recognize, value, verify};
use nom::multi::many0;
use nom::sequence::{pair, preceded};
use nom::{IResult, Parser};

/// An expression that is all of a text.
pub fn whole(text: &str, line: usize) -> Expr {
    match Reader::new(text, line).tuple(text, 0) {
        Ok((rest, e)) if gap(rest).is_empty() => e,
        _ => Expr { line, kind: ExprKind::Other },
    }
}

/// What is left behind blanks, ends of lines and comments.
pub(super) fn gap(text: &str) -> &str {
    text.trim_start()
}

fn token<'a>(
    what: &'static str,
) -> impl Parser<&'a str, Output = &'a str, Error = nom::error::Error<&'a str>> {
    preceded(take_while(char::is_whitespace), tag(what))
}

pub(super) fn equals(i: &str) -> IResult<&str, ()> {
    let (rest, _) = token("=").parse(i)?;
    if rest.starts_with('=') { token("never").parse(i).map(|(i, _)| (i, ())) } else { Ok((rest, ())) }
}

pub(super) fn augment(i: &str) -> IResult<&str, char> {
    alt((value('+', token("+=")), value('-', token("-=")), value('*', token("*=")), value('/', token("/="))))
        .parse(i)
}

pub(super) fn name(i: &str) -> IResult<&str, String> {
    let word = recognize(pair(
        satisfy(|c| c.is_alphabetic() || c == '_'),
        take_while(|c: char| c.is_alphanumeric() || c == '_'),
    ));
    preceded(take_while(char::is_whitespace), word).map(str::to_string).parse(i)
}

/// `16`, `1e-3`, `1_000`, `.5`
fn number(i: &str) -> IResult<&str, f64> {
    let digits = |i| take_while1(|c: char| c.is_ascii_digit() || c == '_')(i);
    let point = |i| recognize((char('.'), opt(digits))).parse(i);
    let exponent =
        |i| recognize((alt((char('e'), char('E'))), opt(alt((char('+'), char('-')))), digits)).parse(i);
    let text =
        recognize((alt((recognize((digits, opt(point))), recognize((char('.'), digits)))), opt(exponent)));
    let (rest, text) = preceded(take_while(char::is_whitespace), text).parse(i)?;
    let number = text.replace('_', "").parse().unwrap_or(f64::NAN);
    Ok((rest, number))
}

/// A text in any quotes, also several in a row.
fn string(i: &str) -> IResult<&str, String> {
    let (rest, parts) = verify(many0(one_string), |parts: &Vec<String>| !parts.is_empty()).parse(i)?;
    Ok((rest, parts.concat()))
}

fn one_string(i: &str) -> IResult<&str, String> {
    let fail = || nom::Err::Error(nom::error::Error::new(i, nom::error::ErrorKind::Tag));
    let start = gap(i);
    let body = start.trim_start_matches(['r', 'R', 'b', 'B', 'f', 'F', 'u', 'U']);
    if start.len() - body.len() > 2 {
        return Err(fail());
    }
    let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|q| body.starts_with(q)).ok_or_else(fail)?;
    let inside = &body[quote.len()..];
    let mut out = String::new();
    let mut chars = inside.char_indices();
    while let Some((at, c)) = chars.next() {
        if inside[at..].starts_with(quote) {
            return Ok((&inside[at + quote.len()..], out));
        }
        match c {
            '\\' => match chars.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                Some((_, c)) => out.push(c),
                None => {}
            },
            c => out.push(c),
        }
    }
    Err(fail())
}

/// What stands behind the bracket that closes the one that is open here, and what stands before it.
fn closed(text: &str) -> Option<(&str, &str)> {
    let end = outside(text, |c| ")]}".contains(c))?;
    Some((&text[end + 1..], &text[..end]))
}

type Arguments = Vec<(Option<String>, Expr)>;

/// Reads the expressions of a text and knows their lines.
pub(super) struct Reader<'a> {
    text: &'a str,
    line: usize,
    ends: Vec<usize>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, line: usize) -> Self {
        Self { text, line, ends: text.match_indices('\n').map(|(i, _)| i).collect() }
    }

    /// What is read from here on begins in this line.
    fn line(&self, rest: &str) -> usize {
        let at = self.text.len().saturating_sub(gap(rest).len());
        self.line + self.ends.partition_point(|end| *end < at)
    }

    fn fail<T>(i: &str) -> IResult<&str, T> {
        Err(nom::Err::Error(nom::error::Error::new(i, nom::error::ErrorKind::Verify)))
    }

    /// `a, b` without brackets, or one expression.
    pub(super) fn tuple(&self, i: &'a str, depth: usize) -> IResult<&'a str, Expr> {
        let line = self.line(i);
        let (mut rest, first) = self.starred(i, depth)?;
        let mut all = vec![first];
        let mut tuple = false;
        while let Ok((after, _)) = token(",").parse(rest) {
            tuple = true;
            rest = after;
            match self.starred(after, depth) {
                Ok((after, next)) => {
                    all.push(next);
                    rest = after;
                }
                Err(_) => break,
            }
        }
        match (tuple, all.pop()) {
            (false, Some(only)) => Ok((rest, only)),
            (_, last) => {
                all.extend(last);
                Ok((rest, Expr { line, kind: ExprKind::Tuple(all) }))
            }
        }
    }

    fn starred(&self, i: &'a str, depth: usize) -> IResult<&'a str, Expr> {
        let (rest, star) = opt(alt((token("**"), token("*")))).parse(i)?;
        let (rest, e) = self.expr(rest, depth)?;
        let line = e.line;
        Ok((rest, if star.is_some() { Expr { line, kind: ExprKind::Star(Box::new(e)) } } else { e }))
    }

    /// An expression; what only chooses or compares is `Other`.
    fn expr(&self, i: &'a str, depth: usize) -> IResult<&'a str, Expr> {
        if depth > DEPTH {
            return Self::fail(i);
        }
        let line = self.line(i);
        let other = Expr { line, kind: ExprKind::Other };
        if let Ok((after, _)) =
            name(i).and_then(|(rest, n)| if n == "lambda" { Ok((rest, n)) } else { Self::fail(i) })
        {
            let Some((_, body)) = after.split_once(':') else { return Self::fail(i) };
            return self.expr(body, depth + 1).map(|(rest, _)| (rest, other));
        }
        let (mut rest, mut e) = self.sum(i, depth)?;
        for _ in 0..DEPTH {
            let comparison = alt((
                token("=="),
                token("!="),
                token("<="),
                token(">="),
                token("<"),
                token(">"),
                token("|"),
                token("&"),
            ));
            let mut comparison = comparison;
            if let Ok((after, op)) = comparison.parse(rest) {
                let (after, right) = self.sum(after, depth + 1)?;
                rest = after;
                let kind = match op {
                    "==" => ExprKind::Binary(Box::new(e), "==", Box::new(right)),
                    _ => ExprKind::Other,
                };
                e = Expr { line, kind };
                continue;
            }
            let Ok((after, word)) = name(rest) else { return Ok((rest, e)) };
            match word.as_str() {
                "and" | "or" | "is" | "not" | "in" | "if" | "else" => {
                    let (after, _) = self.sum(after, depth + 1)?;
                    rest = after;
                    e = other.clone();
                }
                _ => return Ok((rest, e)),
            }
        }
        Self::fail(i)
    }

    fn sum(&self, i: &'a str, depth: usize) -> IResult<&'a str, Expr> {
        self.left(i, depth, &["+", "-"], |s, i, d| s.left(i, d, &["//", "*", "/", "%", "@"], Self::power))
    }

    /// Operators that group from the left.
    fn left(
        &self,
        i: &'a str,
        depth: usize,
        ops: &[&'static str],
        operand: impl Fn(&Self, &'a str, usize) -> IResult<&'a str, Expr>,
    ) -> IResult<&'a str, Expr> {
        let line = self.line(i);
        let (mut rest, mut e) = operand(self, i, depth)?;
        // A tree as deep as its sum is long must end somewhere.
        for _ in 0..DEPTH * 4 {
            let here = gap(rest);
            let found = ops.iter().find(|op| here.starts_with(**op) && !here[op.len()..].starts_with('='));
            let Some(op) = found.filter(|op| !(**op == "*" && here.starts_with("**"))) else {
                return Ok((rest, e));
            };
            let (after, right) = operand(self, &here[op.len()..], depth)?;
            e = Expr { line, kind: ExprKind::Binary(Box::new(e), op, Box::new(right)) };
            rest = after;
        }
        Self::fail(i)
    }

    fn power(&self, i: &'a str, depth: usize) -> IResult<&'a str, Expr> {
        if depth > DEPTH {
            return Self::fail(i);
        }
        let line = self.line(i);
        let mut rest = gap(i);
        let mut minus = false;
        while let Some(after) = rest.strip_prefix(['-', '+', '~']) {
            minus ^= rest.starts_with('-');
            rest = gap(after);
        }
        let negated = |e: Expr| if minus { Expr { line, kind: ExprKind::Minus(Box::new(e)) } } else { e };
        if let Ok((after, word)) = name(rest)
            && ["not", "await"].contains(&word.as_str())
        {
            let (after, _) = self.sum(after, depth + 1).or_else(|_| Self::fail(rest))?;
            return Ok((after, Expr { line, kind: ExprKind::Other }));
        }
        let (rest, base) = self.postfix(rest, depth)?;
        match token("**").parse(rest) {
            Ok((after, _)) if depth <= DEPTH => {
                let (rest, exponent) = self.power(after, depth + 1)?;
                Ok((
                    rest,
                    negated(Expr { line, kind: ExprKind::Binary(Box::new(base), "**", Box::new(exponent)) }),
                ))
            }
            _ => Ok((rest, negated(base))),
        }
    }

    /// An atom and what is called, indexed and asked of it. Chains longer than any program's are not read.
    fn postfix(&self, i: &'a str, depth: usize) -> IResult<&'a str, Expr> {
        let line = self.line(i);
        let (mut rest, mut e) = self.atom(i, depth)?;
        for _ in 0..DEPTH {
            let here = gap(rest);
            let (after, kind) = if let Some(after) = here.strip_prefix('.') {
                let (after, attribute) = name(after)?;
                (after, ExprKind::Attr(Box::new(e), attribute))
            } else if let Some(after) = here.strip_prefix('(') {
                let (after, args) = self.arguments(after, depth + 1)?;
                (after, ExprKind::Call(Box::new(e), args))
            } else if let Some(after) = here.strip_prefix('[') {
                let Some((after, inside)) = closed(after) else { return Self::fail(i) };
                (after, ExprKind::Index(Box::new(e), inside.trim().to_string()))
            } else {
                return Ok((rest, e));
            };
            e = Expr { line, kind };
            rest = after;
        }
        Self::fail(i)
    }

    /// Up to the bracket that closes.
    fn arguments(&self, i: &'a str, depth: usize) -> IResult<&'a str, Arguments> {
        let mut out = Vec::new();
        let mut rest = i;
        loop {
            if let Some(after) = gap(rest).strip_prefix(')') {
                return Ok((after, out));
            }
            let named = name(rest).and_then(|(after, n)| equals(after).map(|(after, ())| (after, n)));
            let (at, key) = named.map_or((rest, None), |(after, n)| (after, Some(n)));
            let (after, e) = self.starred(at, depth)?;
            let here = gap(after);
            // A comprehension is no value that is known.
            if here.starts_with("for ") {
                let Some((after, _)) = closed(after) else { return Self::fail(i) };
                out.push((key, Expr { line: e.line, kind: ExprKind::Other }));
                return Ok((after, out));
            }
            out.push((key, e));
            rest = match here.strip_prefix(',') {
                Some(after) => after,
                None if here.starts_with(')') => here,
                None => return Self::fail(i),
            };
        }
    }

    pub(super) fn params(&self, i: &'a str) -> IResult<&'a str, Vec<(String, Option<Expr>)>> {
        let (mut rest, _) = token("(").parse(i)?;
        let mut out = Vec::new();
        loop {
            let here = gap(rest).trim_start_matches(['*', '/', ',', ' ', '\n']);
            if here.starts_with(')') {
                return Ok((here, out));
            }
            let (mut after, n) = name(here)?;
            if let Some(kind) = gap(after).strip_prefix(':') {
                after = self.expr(kind, 1)?.0;
            }
            let default = match equals(after) {
                Ok((value, ())) => {
                    let (rest, e) = self.expr(value, 1)?;
                    after = rest;
                    Some(e)
                }
                Err(_) => None,
            };
            out.push((n, default));
            rest = gap(after);
            if !rest.starts_with([',', ')']) {
                return Self::fail(i);
            }
        }
    }

    fn atom(&self, i: &'a str, depth: usize) -> IResult<&'a str, Expr> {
        let line = self.line(i);
        let made = |kind| Expr { line, kind };
        if let Ok((rest, text)) = string(i) {
            return Ok((rest, made(ExprKind::Text(text))));
        }
        if let Ok((rest, n)) = number(i) {
            return Ok((rest, made(ExprKind::Num(n))));
        }
        if let Ok((rest, n)) = name(i) {
            return Ok((rest, made(ExprKind::Name(n))));
        }
        let here = gap(i);
        let Some(open) = here.chars().next().filter(|c| "([{".contains(*c)) else { return Self::fail(i) };
        self.bracket(&here[1..], open, depth + 1).map(|(rest, kind)| (rest, made(kind)))
    }

    fn bracket(&self, i: &'a str, open: char, depth: usize) -> IResult<&'a str, ExprKind> {
        let close = match open {
            '(' => ')',
            '[' => ']',
            _ => '}',
        };
        let (mut items, mut pairs, mut comma): (Vec<Expr>, Vec<(Expr, Expr)>, bool) =
            (Vec::new(), Vec::new(), false);
        let mut rest = i;
        loop {
            if let Some(after) = gap(rest).strip_prefix(close) {
                let kind = match (open, items.len()) {
                    ('(', 1) if !comma => items.remove(0).kind,
                    ('(', _) => ExprKind::Tuple(items),
                    ('[', _) => ExprKind::List(items),
                    _ => ExprKind::Dict(pairs),
                };
                return Ok((after, kind));
            }
            let (after, e) = self.starred(rest, depth)?;
            let mut here = gap(after);
            if here.starts_with("for ") {
                let Some((after, _)) = closed(after) else { return Self::fail(i) };
                return Ok((after, ExprKind::Other));
            }
            match here.strip_prefix(':') {
                Some(value) if open == '{' => {
                    let (after, v) = self.expr(value, depth)?;
                    here = gap(after);
                    pairs.push((e, v));
                }
                _ => items.push(e),
            }
            comma = here.starts_with(',');
            rest = match here.strip_prefix(',') {
                Some(after) => after,
                None if here.starts_with(close) => here,
                None => return Self::fail(i),
            };
        }
    }
}
