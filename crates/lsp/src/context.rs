//! What may stand at a place of a text that is being typed. Works on pieces alone, so that nothing need be right.

use crate::document::Document;
use nnc_syntax::{Head, Lexeme, LexemeKind};

/// What is expected at a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Expected {
    /// Nothing: a comment or a text in quotes.
    Nothing,
    /// The beginning of a statement.
    Statement,
    /// The beginning of a line of columns, or of a row.
    Columns,
    /// A step of a chain, behind `->` or `h =`.
    Step,
    /// An argument.
    Argument,
}

/// Where a place is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Context {
    /// What is expected here.
    pub expected: Expected,
    /// The word that is being typed: where it begins and how far it goes.
    pub word: (usize, usize),
    /// The statement's first word, where it is one of the language.
    pub head: Option<Head>,
    /// The definition whose arguments stand here.
    pub callee: Option<String>,
    /// The option whose value stands here.
    pub key: Option<String>,
    /// Numbers without a name that stand before this place.
    pub numbers: usize,
    /// The options that stand before it.
    pub given: Vec<String>,
    /// Whether this is a list of columns of a data file, and the words of the line so far.
    pub columns: Option<Vec<String>>,
}

/// One level of brackets.
#[derive(Clone, Default)]
struct Level {
    open: char,
    /// Whether its statements are lines about data.
    data: bool,
    head: Option<Head>,
    callee: Option<String>,
    key: Option<String>,
    numbers: usize,
    given: Vec<String>,
    /// The words of this statement so far.
    line: Vec<String>,
    /// Whether all so far may be names before `=`.
    names: bool,
    at: At,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum At {
    #[default]
    Start,
    Step,
    Argument,
}

impl Level {
    fn new(open: char) -> Self {
        Self { open, names: true, ..Self::default() }
    }

    /// Begins a statement.
    fn begin(&mut self) {
        *self = Self { data: self.data, ..Self::new(self.open) };
    }

    fn chain(&mut self) {
        (self.at, self.callee, self.key, self.numbers) = (At::Step, None, None, 0);
        self.given.clear();
    }

    fn word(&mut self, word: &str) {
        self.line.push(word.to_string());
        match self.at {
            At::Start => {
                self.head = if self.open == '(' || self.data { None } else { Head::of(word) };
                self.callee = Some(word.to_string());
                self.at = At::Argument;
            }
            At::Step => {
                self.callee = Some(word.to_string());
                self.at = At::Argument;
            }
            At::Argument if self.key.take().is_some() => {}
            At::Argument => {
                let names_one = matches!(self.head, Some(Head::Loss | Head::Optimizer | Head::Schedule));
                let first = names_one && self.line.len() == 2;
                if first
                    || self.head == Some(Head::Metrics)
                    || self.head == Some(Head::Data) && self.line.len() == 2
                {
                    self.callee = Some(word.to_string());
                    (self.numbers, self.key) = (0, None);
                    self.given.clear();
                }
            }
        }
    }
}

/// Finds out where `offset` is.
pub(crate) fn context(document: &Document, offset: usize) -> Context {
    context_from(document, offset, 0)
}

/// As [`context`], where `from` is known to be the beginning of a statement at the top, which spares reading what stands
/// before it.
pub(crate) fn context_from(document: &Document, offset: usize, from: usize) -> Context {
    let text = document.text.as_str();
    let here = document.piece(offset);
    let inside = |p: &Lexeme| {
        (p.span.start as usize) < offset
            && (offset < p.span.end as usize
                || offset == p.span.end as usize && matches!(p.kind, LexemeKind::Comment | LexemeKind::Doc))
    };
    let near = document.pieces.partition_point(|p| (p.span.end as usize) < offset);
    let silent = document.pieces.iter().skip(near).take(2).any(|p| {
        inside(p)
            && matches!(
                p.kind,
                LexemeKind::Comment | LexemeKind::Doc | LexemeKind::Text | LexemeKind::Unreadable
            )
    });
    let word = match here {
        Some(p) if p.kind == LexemeKind::Word && (p.span.start as usize) <= offset => {
            (p.span.start as usize, p.span.end as usize)
        }
        _ => (offset, offset),
    };
    let levels = levels(document, text, from, word.0);
    let level = levels.last().cloned().unwrap_or_else(|| Level::new(' '));
    // A list is the value of an option of what stands around it.
    let level = match (level.open, levels.iter().rev().nth(1)) {
        ('[', Some(around)) => around.clone(),
        _ => level,
    };
    let expected = match level.at {
        _ if silent => Expected::Nothing,
        At::Start if level.data => Expected::Columns,
        At::Start if level.open == '(' => Expected::Step,
        At::Start => Expected::Statement,
        At::Step => Expected::Step,
        At::Argument => Expected::Argument,
    };
    Context {
        expected,
        word,
        head: level.head,
        callee: level.callee,
        key: level.key,
        numbers: level.numbers,
        given: level.given,
        columns: level.data.then_some(level.line),
    }
}

/// The brackets around a place, the outermost first.
fn levels(document: &Document, text: &str, from: usize, until: usize) -> Vec<Level> {
    let pieces = document.pieces.partition_point(|p| (p.span.start as usize) < from);
    let pieces = document.pieces.get(pieces..).unwrap_or(&[]);
    let mut levels = vec![Level::new(' ')];
    let mut newline = false;
    let mut before = "";
    let before_here = pieces.iter().take_while(|p| p.span.end as usize <= until);
    for piece in before_here.filter(|p| p.span.start < p.span.end) {
        let words = document.words(piece.span);
        if levels.is_empty() {
            levels.push(Level::new(' '));
        }
        let Some(level) = levels.last_mut() else { return levels };
        match piece.kind {
            LexemeKind::Comment | LexemeKind::Doc => continue,
            LexemeKind::Newline => {
                newline = true;
                continue;
            }
            _ => {}
        }
        if newline && !matches!(level.open, '(' | '[') && !goes_on(before) && words != "->" {
            level.begin();
        }
        newline = false;
        match (piece.kind, words) {
            (LexemeKind::Sign, ";") if !matches!(level.open, '(' | '[') => level.begin(),
            (LexemeKind::Sign, "(") => {
                let called = piece.tight && level.line.last().is_some_and(|w| w == before);
                let mut inner = Level::new('(');
                if called {
                    inner.callee = Some(before.to_string());
                    inner.at = At::Argument;
                }
                levels.push(inner);
            }
            (LexemeKind::Sign, "[") => levels.push(Level::new('[')),
            (LexemeKind::Sign, "{") => {
                let data = level.head.is_some_and(Head::is_dataset);
                levels.push(Level { data, ..Level::new('{') });
            }
            (LexemeKind::Sign, ")" | "]" | "}") => {
                levels.pop();
                if let Some(level) = levels.last_mut() {
                    level.key = None;
                    level.names = false;
                }
            }
            (LexemeKind::Sign, "->" | ":=") => {
                level.chain();
                level.names = false;
            }
            (LexemeKind::Sign, "=")
                if level.names && level.head.is_none() && level.open != '(' && !level.data =>
            {
                level.chain();
                level.names = false;
            }
            // `loss = formula`
            (LexemeKind::Sign, "=") if level.head == Some(Head::Loss) && level.line.len() == 1 => {
                level.chain();
                (level.head, level.names) = (None, false);
            }
            (LexemeKind::Sign, "=") => {
                level.names = false;
                if !before.is_empty() && level.line.last().is_some_and(|w| w == before) {
                    level.key = Some(before.to_string());
                    level.given.push(before.to_string());
                }
            }
            (LexemeKind::Sign, ",") => level.key = None,
            (LexemeKind::Sign, _) => level.names = false,
            (LexemeKind::Word, word) => {
                let first = level.line.is_empty() || before == ",";
                level.names &= first;
                level.word(word);
            }
            (LexemeKind::Number | LexemeKind::Text | LexemeKind::Unreadable, _) => {
                level.names = false;
                if level.at != At::Argument {
                    level.at = At::Argument;
                } else if level.key.take().is_none() && piece.kind == LexemeKind::Number {
                    level.numbers += 1;
                }
            }
            (LexemeKind::Comment | LexemeKind::Doc | LexemeKind::Newline, _) => {}
        }
        before = words;
    }
    // What was typed last may stand on a line of its own.
    let pending = text.get(..until).and_then(|t| t.rfind('\n'));
    let last = pieces.iter().take_while(|p| p.span.end as usize <= until);
    let ended =
        newline || pending.is_some_and(|at| last.clone().last().is_none_or(|p| (p.span.end as usize) <= at));
    if let Some(level) = levels.last_mut()
        && ended
        && !matches!(level.open, '(' | '[')
        && !goes_on(before)
    {
        level.begin();
    }
    if levels.is_empty() {
        levels.push(Level::new(' '));
    }
    levels
}

/// Whether a line goes on behind this piece.
fn goes_on(piece: &str) -> bool {
    matches!(
        piece,
        "," | ".."
            | "+"
            | "-"
            | "*"
            | "/"
            | "@"
            | "^"
            | "=="
            | "!="
            | "<"
            | "<="
            | ">"
            | ">="
            | "="
            | ":="
            | "->"
            | "and"
            | "or"
            | "in"
            | "not"
            | "then"
            | "else"
            | "as"
            | "of"
            | "with"
            | "if"
    )
}
