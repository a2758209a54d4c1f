//! Python, as far as programs that make a network go: statements by indentation, expressions, and nothing that is run.
//!
//! The grammar is read line by line, so that a line of another Python (`print x`), or of a construct that is not known
//! here, is one line that was not read, and no more.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{char, satisfy};
use nom::combinator::{opt, recognize, value, verify};
use nom::multi::many0;
use nom::sequence::{pair, preceded};
use nom::{IResult, Parser};
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
    let lines = logical(text);
    block(&lines, &mut 0, 0, 0)
}

/// A line of statements, joined over brackets.
struct Logical {
    line: usize,
    indent: usize,
    text: String,
}

/// Lines joined where brackets, texts or a backslash go on, without comments.
fn logical(text: &str) -> Vec<Logical> {
    let mut out = Vec::new();
    let mut now = String::new();
    let (mut line, mut first, mut depth) = (1, 1, 0usize);
    let mut chars = text.chars().peekable();
    let mut end = |now: &mut String, first: usize| {
        let indent =
            now.chars().take_while(|c| c.is_whitespace()).map(|c| if c == '\t' { 8 } else { 1 }).sum();
        if !now.trim().is_empty() {
            out.push(Logical { line: first, indent, text: now.trim().to_string() });
        }
        now.clear();
    };
    while let Some(c) = chars.next() {
        match c {
            '\r' => {}
            '\n' => {
                line += 1;
                if depth == 0 {
                    end(&mut now, first);
                    first = line;
                } else {
                    now.push('\n');
                }
            }
            '\\' if chars.peek() == Some(&'\n') => {
                chars.next();
                line += 1;
                now.push('\n');
            }
            '#' => {
                while chars.peek().is_some_and(|c| *c != '\n') {
                    chars.next();
                }
            }
            '"' | '\'' => {
                now.push(c);
                let mut quotes = 1;
                while quotes < 3 && chars.peek() == Some(&c) {
                    chars.next();
                    now.push(c);
                    quotes += 1;
                }
                if quotes == 2 {
                    continue;
                }
                let mut closing = 0;
                while let Some(d) = chars.next() {
                    if d == '\n' {
                        line += 1;
                        if quotes == 1 {
                            // A text that is never closed ends with its line.
                            now.push(c);
                            end(&mut now, first);
                            first = line;
                            depth = 0;
                            break;
                        }
                    }
                    now.push(d);
                    if d == '\\' {
                        if let Some(e) = chars.next() {
                            line += usize::from(e == '\n');
                            now.push(e);
                        }
                        closing = 0;
                        continue;
                    }
                    closing = if d == c { closing + 1 } else { 0 };
                    if closing == quotes {
                        break;
                    }
                }
            }
            '(' | '[' | '{' => {
                depth += 1;
                now.push(c);
            }
            ')' | ']' | '}' => {
                depth = depth.saturating_sub(1);
                now.push(c);
            }
            ';' if depth == 0 => {
                let indent: String = now.chars().take_while(|c| c.is_whitespace()).collect();
                end(&mut now, first);
                first = line;
                now = indent;
            }
            _ => now.push(c),
        }
    }
    end(&mut now, first);
    out
}

/// The statements of one indentation.
fn block(lines: &[Logical], at: &mut usize, indent: usize, depth: usize) -> Vec<Stmt> {
    let mut out: Vec<Stmt> = Vec::new();
    while let Some(now) = lines.get(*at).filter(|l| l.indent >= indent) {
        *at += 1;
        let inner = lines.get(*at).filter(|l| l.indent > now.indent).map(|l| l.indent);
        let head = now.text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
        let heads = [
            "for", "if", "elif", "else", "while", "with", "try", "except", "finally", "def", "class", "async",
        ];
        if !heads.contains(&head) {
            out.push(Stmt { line: now.line, text: now.text.clone(), kind: simple(now) });
            continue;
        }
        let (said, behind) = head_and_rest(&now.text);
        let body = match inner {
            Some(inner) if depth < DEPTH => block(lines, at, inner, depth + 1),
            Some(_) => {
                while lines.get(*at).is_some_and(|l| l.indent > now.indent) {
                    *at += 1;
                }
                Vec::new()
            }
            None => {
                let one = Logical { line: now.line, indent: 0, text: behind.to_string() };
                if behind.is_empty() {
                    Vec::new()
                } else {
                    vec![Stmt { line: now.line, text: behind.into(), kind: simple(&one) }]
                }
            }
        };
        if head == "else" || head == "elif" {
            let chained = match head {
                "elif" => {
                    let condition = whole(said.trim_start_matches("elif"), now.line);
                    vec![Stmt {
                        line: now.line,
                        text: said.into(),
                        kind: StmtKind::If(condition, body, Vec::new()),
                    }]
                }
                _ => body,
            };
            // `elif` after `elif` is a branch more of the first: where no condition is known none of them is followed.
            if let Some(StmtKind::If(_, _, otherwise)) = out.last_mut().map(|s| &mut s.kind) {
                match otherwise.first_mut().map(|s| &mut s.kind) {
                    Some(StmtKind::If(_, _, inner)) if head == "else" => inner.extend(chained),
                    _ => otherwise.extend(chained),
                }
            }
            continue;
        }
        out.push(Stmt { line: now.line, text: said.to_string(), kind: compound(head, said, now.line, body) });
    }
    out
}

/// Where a character stands outside of texts and of the brackets that open here.
fn outside(text: &str, wanted: impl Fn(char) -> bool) -> Option<usize> {
    let mut depth = 0usize;
    let mut quote = None;
    let mut escaped = false;
    for (i, c) in text.char_indices() {
        match (quote, c) {
            _ if std::mem::take(&mut escaped) => {}
            (Some(_), '\\') => escaped = true,
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, c) if depth == 0 && wanted(c) => return Some(i),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// `if a: b` is `if a` and `b`.
fn head_and_rest(text: &str) -> (&str, &str) {
    match outside(text, |c| c == ':') {
        Some(i) => (&text[..i], text[i + 1..].trim()),
        None => (text, ""),
    }
}

fn compound(head: &str, said: &str, line: usize, body: Vec<Stmt>) -> StmtKind {
    let rest = said[head.len()..].trim();
    match head {
        "with" | "try" | "finally" => StmtKind::Block(body),
        "if" => StmtKind::If(whole(rest, line), body, Vec::new()),
        "for" => match rest.split_once(" in ") {
            Some((target, over)) => StmtKind::For(whole(target, line), whole(over, line), body),
            None => StmtKind::Unread,
        },
        "def" => {
            let p = Reader::new(rest, line);
            let Ok((after, name)) = name(rest) else { return StmtKind::Unread };
            let Ok((_, params)) = p.params(after) else { return StmtKind::Unread };
            StmtKind::Def(Rc::new(Def { name, params, body }))
        }
        "class" => {
            let Ok((after, name)) = name(rest) else { return StmtKind::Unread };
            let bases = match whole(&format!("base{after}"), line).kind {
                ExprKind::Call(_, args) => args.into_iter().map(|(_, e)| e).collect(),
                _ => Vec::new(),
            };
            let defs = body.into_iter().filter_map(|s| match s.kind {
                StmtKind::Def(def) => Some(def),
                _ => None,
            });
            StmtKind::Class(Rc::new(Class { name, bases, defs: defs.collect() }))
        }
        _ => StmtKind::Unread,
    }
}

fn simple(now: &Logical) -> StmtKind {
    let text = now.text.as_str();
    let head = text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
    let p = Reader::new(text, now.line);
    match head {
        "import" | "from" | "pass" | "global" | "nonlocal" => return StmtKind::Nothing,
        "return" => {
            let rest = text["return".len()..].trim();
            let nothing = Expr { line: now.line, kind: ExprKind::Name("None".into()) };
            return StmtKind::Return(if rest.is_empty() { nothing } else { whole(rest, now.line) });
        }
        _ => {}
    }
    if text.starts_with('%') || text.starts_with('!') || text.starts_with('@') {
        return StmtKind::Nothing;
    }
    let Ok((mut rest, first)) = p.tuple(text, 0) else { return StmtKind::Unread };
    if let Ok((after, op)) = augment(rest) {
        return match p.tuple(after, 0) {
            Ok((rest, value)) if gap(rest).is_empty() => StmtKind::Augment(first, op, value),
            _ => StmtKind::Unread,
        };
    }
    // An annotation of a type says nothing here.
    if let Some(after) = gap(rest).strip_prefix(':') {
        rest = after.find('=').map_or("", |i| &after[i..]);
    }
    let mut all = vec![first];
    while let Ok((after, ())) = equals(rest) {
        let Ok((after, next)) = p.tuple(after, 0) else { return StmtKind::Unread };
        all.push(next);
        rest = after;
    }
    if !gap(rest).is_empty() {
        return StmtKind::Unread;
    }
    let value = match all.pop() {
        Some(value) => value,
        None => return StmtKind::Unread,
    };
    if !all.is_empty() {
        return StmtKind::Assign(all, value);
    }
    match value.kind {
        ExprKind::Text(_) => StmtKind::Nothing,
        _ => StmtKind::Expr(value),
    }
}

/// An expression that is all of a text.
pub fn whole(text: &str, line: usize) -> Expr {
    match Reader::new(text, line).tuple(text, 0) {
        Ok((rest, e)) if gap(rest).is_empty() => e,
        _ => Expr { line, kind: ExprKind::Other },
    }
}

/// What is left behind blanks, ends of lines and comments.
fn gap(text: &str) -> &str {
    text.trim_start()
}

fn token<'a>(
    what: &'static str,
) -> impl Parser<&'a str, Output = &'a str, Error = nom::error::Error<&'a str>> {
    preceded(take_while(char::is_whitespace), tag(what))
}

fn equals(i: &str) -> IResult<&str, ()> {
    let (rest, _) = token("=").parse(i)?;
    if rest.starts_with('=') { token("never").parse(i).map(|(i, _)| (i, ())) } else { Ok((rest, ())) }
}

fn augment(i: &str) -> IResult<&str, char> {
    alt((value('+', token("+=")), value('-', token("-=")), value('*', token("*=")), value('/', token("/="))))
        .parse(i)
}

fn name(i: &str) -> IResult<&str, String> {
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
struct Reader<'a> {
    text: &'a str,
    line: usize,
    ends: Vec<usize>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, line: usize) -> Self {
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
    fn tuple(&self, i: &'a str, depth: usize) -> IResult<&'a str, Expr> {
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

    fn params(&self, i: &'a str) -> IResult<&'a str, Vec<(String, Option<Expr>)>> {
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
