//! The syntax tree as text, one node a line, and back.
//!
//! ```text
//! program
//!   flow                                  1:1
//!     step dense                          1:1
//!       int 16                            1:7
//!       name relu                         1:10
//! ```
//!
//! A line is a kind, its words, and the place in the source. Each kind is written and read side by
//! side in [`statement`], [`chain`] and [`expr`].

mod chain;
mod expr;
mod statement;

use crate::ast::Program;
use crate::source::Lines;
use crate::{SourceMap, Span};
use std::fmt::Write;

/// No tree of a program is deeper; a text that is would only exhaust the stack.
const MAX_DEPTH: usize = 300;

/// The column in which places stand, where the line is short enough.
const PLACE_COLUMN: usize = 40;

/// The tree as text: a node a line, children indented, places as `line:column` on the right.
pub fn ast_text(program: &Program, sources: &SourceMap) -> String {
    let node = statement::write_program(program);
    let mut out = String::new();
    let lines = node.first_span().map(|span| Lines::new(&sources.get(span.source).text));
    node.print(&mut out, 0, lines.as_ref());
    out
}

/// Reads what [`ast_text`] wrote. Places are not restored: every span is empty.
pub fn parse_ast_text(text: &str) -> Result<Program, String> {
    statement::read_program(&Node::parse(text)?)
}

/// Whether two programs are the same but for the places their words stand in.
pub fn same_meaning(a: &Program, b: &Program) -> bool {
    statement::write_program(a).same_words(&statement::write_program(b))
}

/// A line of the text with the lines under it.
#[derive(Debug, Default)]
struct Node {
    kind: String,
    words: Vec<String>,
    span: Option<Span>,
    children: Vec<Node>,
    /// Where it was read, from 1; for messages.
    line: usize,
}

impl Node {
    fn new(kind: &str) -> Self {
        Node { kind: kind.to_owned(), ..Node::default() }
    }

    fn word(mut self, word: impl Into<String>) -> Self {
        self.words.push(word.into());
        self
    }

    /// A word between quotes, for text that is no name.
    fn text(self, text: &str) -> Self {
        let escaped =
            text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r");
        self.word(format!("\"{escaped}\""))
    }

    fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    fn child(mut self, child: Node) -> Self {
        self.children.push(child);
        self
    }

    fn with(mut self, children: impl IntoIterator<Item = Node>) -> Self {
        self.children.extend(children);
        self
    }

    fn first_span(&self) -> Option<Span> {
        self.span.or_else(|| self.children.iter().find_map(Node::first_span))
    }

    fn same_words(&self, other: &Node) -> bool {
        self.kind == other.kind
            && self.words == other.words
            && self.children.len() == other.children.len()
            && self.children.iter().zip(&other.children).all(|(a, b)| a.same_words(b))
    }

    fn print(&self, out: &mut String, depth: usize, lines: Option<&Lines<'_>>) {
        let mut line = "  ".repeat(depth) + &self.kind;
        for word in &self.words {
            line.push(' ');
            line.push_str(word);
        }
        if let (Some(span), Some(lines)) = (self.span, lines) {
            let (row, column) = lines.line_column(span.start);
            // Writing to a string cannot fail.
            let _ = write!(
                line,
                "{:1$}  {row}:{column}",
                "",
                PLACE_COLUMN.saturating_sub(line.chars().count() + 2)
            );
        }
        out.push_str(&line);
        out.push('\n');
        for child in &self.children {
            child.print(out, depth + 1, lines);
        }
    }

    /// Reads lines into a tree by their indentation.
    fn parse(text: &str) -> Result<Node, String> {
        let mut open: Vec<Node> = Vec::new();
        for (row, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let indent = line.len() - line.trim_start_matches(' ').len();
            let depth = indent / 2;
            let fits = if open.is_empty() { depth == 0 } else { (1..=open.len()).contains(&depth) };
            if indent % 2 != 0 || !fits || depth > MAX_DEPTH {
                return Err(format!("line {}: it cannot stand at this depth", row + 1));
            }
            fold(&mut open, depth);
            open.push(Node { line: row + 1, ..Node::parse_line(line.trim(), row + 1)? });
        }
        fold(&mut open, 1);
        open.pop().ok_or_else(|| "the text is empty".to_owned())
    }

    fn parse_line(line: &str, row: usize) -> Result<Node, String> {
        let mut words = Vec::new();
        let mut rest = line;
        while !rest.is_empty() {
            let len = word_len(rest).ok_or_else(|| format!("line {row}: a text has no closing quote"))?;
            words.push(rest[..len].to_owned());
            rest = rest[len..].trim_start();
        }
        words.pop_if(|last| is_place(last));
        if words.is_empty() {
            return Err(format!("line {row}: a node has a kind"));
        }
        let kind = words.remove(0);
        Ok(Node { kind, words, ..Node::default() })
    }
}

/// Makes the open nodes below `depth` children of the ones above them.
fn fold(open: &mut Vec<Node>, depth: usize) {
    while open.len() > depth.max(1) {
        let child = open.pop();
        if let (Some(parent), Some(child)) = (open.last_mut(), child) {
            parent.children.push(child);
        }
    }
}

/// The length of the word at the start of `line`; none for a text without its closing quote.
fn word_len(line: &str) -> Option<usize> {
    let Some(inside) = line.strip_prefix('"') else {
        return Some(line.find(' ').unwrap_or(line.len()));
    };
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 2),
            _ => {}
        }
    }
    None
}

/// Whether a word is a `line:column`.
fn is_place(word: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    word.split_once(':').is_some_and(|(line, column)| is_number(line) && is_number(column))
}

/// The children of a node that are still to be read.
struct Children<'n> {
    parent: &'n Node,
    ahead: &'n [Node],
}

impl<'n> Children<'n> {
    fn of(parent: &'n Node) -> Self {
        Children { parent, ahead: &parent.children }
    }

    /// The next child, whatever it is.
    fn next(&mut self) -> Result<&'n Node, String> {
        let (first, rest) =
            self.ahead.split_first().ok_or_else(|| wrong(self.parent, "a child is missing"))?;
        self.ahead = rest;
        Ok(first)
    }

    /// The next child, if it is of this kind.
    fn next_if(&mut self, kind: &str) -> Option<&'n Node> {
        let (first, rest) = self.ahead.split_first().filter(|(first, _)| first.kind == kind)?;
        self.ahead = rest;
        Some(first)
    }

    /// The next children of this kind.
    fn all(&mut self, kind: &str) -> &'n [Node] {
        let count = self.ahead.iter().take_while(|child| child.kind == kind).count();
        let (these, rest) = self.ahead.split_at(count);
        self.ahead = rest;
        these
    }

    /// All that are left.
    fn rest(&mut self) -> &'n [Node] {
        std::mem::take(&mut self.ahead)
    }

    /// Nothing may be left.
    fn end(&self) -> Result<(), String> {
        match self.ahead.first() {
            Some(child) => Err(wrong(child, "it has no place here")),
            None => Ok(()),
        }
    }
}

fn wrong(node: &Node, what: &str) -> String {
    format!("line {}: `{}`: {what}", node.line, node.kind)
}

/// The word at `index`.
fn word(node: &Node, index: usize) -> Result<&str, String> {
    node.words.get(index).map(String::as_str).ok_or_else(|| wrong(node, "a word is missing"))
}

/// The word at `index` as a name.
fn name(node: &Node, index: usize) -> Result<crate::ast::Name, String> {
    Ok(named(word(node, index)?))
}

fn named(text: &str) -> crate::ast::Name {
    crate::ast::Name { text: text.to_owned(), span: Span::default() }
}

/// A number written in a word.
fn number<T: std::str::FromStr>(node: &Node, word: &str) -> Result<T, String> {
    word.parse().map_err(|_| wrong(node, &format!("`{word}` is not a number of this kind")))
}

/// The text between the quotes of a word; none when there are no quotes.
fn unquoted(word: &str) -> Option<String> {
    let inside = word.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (c, false) => text.push(c),
            (_, true) => match chars.next()? {
                'n' => text.push('\n'),
                'r' => text.push('\r'),
                c => text.push(c),
            },
        }
    }
    Some(text)
}

/// The word at `index` as a text.
fn text(node: &Node, index: usize) -> Result<String, String> {
    unquoted(word(node, index)?).ok_or_else(|| wrong(node, "a text stands between quotes"))
}
