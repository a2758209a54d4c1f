//! The formatter: one form for every program. It changes spaces and newlines, and writes layers as
//! steps; it never changes what a program means, and keeps every comment.

mod doc;
mod expr;
mod rows;
mod statement;

use crate::ast::{Program, Stmt, StmtKind};
use crate::source::Lines;
use crate::token::Comment;
use crate::{Diagnostic, SourceId, Span, lexer, parse, same_meaning};
use doc::{Doc, cat};
use std::collections::BTreeSet;

/// Formats a program; `is_layer` says which names are layers of the prelude, so that `dense(16, relu)`
/// may be written `dense 16 relu`. A text with mistakes is not touched; they are returned.
pub fn format(
    text: &str,
    source: SourceId,
    is_layer: &dyn Fn(&str) -> bool,
) -> Result<String, Vec<Diagnostic>> {
    let parsed = parse(text, source);
    if parsed.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(parsed.diagnostics);
    }
    let own = Definitions::of(&parsed.program);
    let is_layer = |name: &str| own.is_layer(name).unwrap_or_else(|| is_layer(name));
    let comments = lexer::lex(text, source).comments;
    let mut formatter = Formatter { text, lines: Lines::new(text), comments: &comments, is_layer: &is_layer };
    let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let doc = formatter.statements(&parsed.program.stmts, None, end);
    Ok(doc.print())
}

/// As [`format()`], and looks at what it did: a text that it would change in more than its form, or that is not in
/// this form after once, stays as it is.
pub fn format_surely(
    text: &str,
    source: SourceId,
    is_layer: &dyn Fn(&str) -> bool,
) -> Result<String, Vec<Diagnostic>> {
    let formatted = format(text, source, is_layer)?;
    // Nobody looks at what a formatter did to a whole folder, so it looks itself.
    let plain = format(text, source, &|_| false)?;
    let kept = same_meaning(&parse(text, source).program, &parse(&plain, SourceId::default()).program)
        && format(&formatted, source, is_layer).as_ref() == Ok(&formatted);
    debug_assert!(kept, "{text}");
    Ok(if kept { formatted } else { text.to_string() })
}

/// What the file itself defines, which wins over the prelude.
struct Definitions<'p> {
    layers: BTreeSet<&'p str>,
    others: BTreeSet<&'p str>,
}

impl<'p> Definitions<'p> {
    fn of(program: &'p Program) -> Self {
        let mut own = Definitions { layers: BTreeSet::new(), others: BTreeSet::new() };
        for stmt in &program.stmts {
            match &stmt.kind {
                StmtKind::Layer(def) => own.layers.insert(&def.name.text),
                StmtKind::Fn(def) => own.others.insert(&def.name.text),
                StmtKind::Init(def) => own.others.insert(&def.name.text),
                StmtKind::Rule(def) => own.others.insert(&def.name.text),
                StmtKind::Param { name, .. } | StmtKind::Shared { name, .. } => own.others.insert(&name.text),
                _ => continue,
            };
        }
        own
    }

    fn is_layer(&self, name: &str) -> Option<bool> {
        if self.others.contains(name) { Some(false) } else { self.layers.contains(name).then_some(true) }
    }
}

struct Formatter<'f> {
    text: &'f str,
    lines: Lines<'f>,
    /// The comments that are not printed yet.
    comments: &'f [Comment],
    is_layer: &'f dyn Fn(&str) -> bool,
}

impl<'f> Formatter<'f> {
    /// The characters of a span.
    fn slice(&self, span: Span) -> &'f str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// The next comment, if it begins before `end`.
    fn comment_before(&mut self, end: u32) -> Option<Comment> {
        let (first, rest) = self.comments.split_first().filter(|(first, _)| first.span.start < end)?;
        self.comments = rest;
        Some(*first)
    }

    fn has_comment_before(&self, end: u32) -> bool {
        self.comments.first().is_some_and(|c| c.span.start < end)
    }

    fn comment_text(&self, comment: Comment) -> String {
        self.slice(comment.span).trim_end().to_owned()
    }

    /// A place where a line may be broken, or must be because a comment stands there.
    fn gap(&mut self, next: u32, otherwise: Doc) -> Doc {
        if !self.has_comment_before(next) {
            return otherwise;
        }
        cat([self.loose_comments(next), Doc::Hard])
    }

    /// The comments before `end` that stand among the words of a statement: the first at the end of
    /// the line, if it was there before, the others on lines of their own.
    fn loose_comments(&mut self, end: u32) -> Doc {
        let mut docs = Vec::new();
        while let Some(comment) = self.comment_before(end) {
            let text = self.comment_text(comment);
            if docs.is_empty() && !comment.own_line {
                docs.push(Doc::Comment(text));
            } else {
                // Among words nothing can be documented; below a statement, the next one would be.
                let text = if comment.doc { text[1..].to_owned() } else { text };
                docs.extend([Doc::Hard, Doc::text(text)]);
            }
        }
        cat(docs)
    }

    /// Statements up to `end`, comments between them included. `open` is the brace before them.
    fn statements(&mut self, stmts: &[Stmt], open: Option<Span>, end: u32) -> Doc {
        self.sequence(stmts, open, end, |stmt| stmt.span, |formatter, stmt, _| formatter.statement(stmt))
    }

    /// Lines of items; items that share a line keep sharing it, separated by `;`. At most one blank
    /// line between two lines is kept.
    fn sequence<T>(
        &mut self,
        items: &[T],
        open: Option<Span>,
        end: u32,
        span: impl Fn(&T) -> Span,
        mut item: impl FnMut(&mut Self, &T, Place) -> Doc,
    ) -> Doc {
        let mut out = Sequence { docs: Vec::new(), in_braces: open.is_some(), last_line: None };
        if let Some(open) = open {
            let limit = items.first().map_or(end, |first| span(first).start);
            out.docs.push(self.comments_on_line_of(open.end, limit));
        }
        let mut ahead = items;
        while let Some(first) = ahead.first() {
            self.own_comments(&mut out, span(first).start);
            let shared = 1 + ahead
                .windows(2)
                .take_while(|pair| {
                    self.lines.line(span(&pair[0]).end) == self.lines.line(span(&pair[1]).start)
                })
                .count();
            let (row, rest) = ahead.split_at(shared);
            ahead = rest;
            let place = if shared > 1 { Place::Shared } else { Place::Alone };
            let docs: Vec<Doc> = row.iter().map(|one| item(self, one, place)).collect();
            let last = row.last().map(&span).unwrap_or_default();
            let doc = cat([joined(docs), self.comments_on_line_of(last.end, end)]);
            out.push(doc, self.lines.line(span(first).start), self.lines.line(last.end));
        }
        self.own_comments(&mut out, end);
        cat(out.docs)
    }

    /// Comments that stand between statements.
    fn own_comments(&mut self, out: &mut Sequence, end: u32) {
        while let Some(comment) = self.comment_before(end) {
            let line = self.lines.line(comment.span.start);
            out.push(Doc::text(self.comment_text(comment)), line, line);
        }
    }

    /// What is left of the comments inside a statement that ends at `end`, and the one behind it,
    /// but nothing from `limit` on.
    fn comments_on_line_of(&mut self, end: u32, limit: u32) -> Doc {
        let line = self.lines.line(end);
        let behind = self
            .comments
            .iter()
            .take_while(|c| c.span.start < limit)
            .take_while(|c| c.span.start < end || (!c.own_line && self.lines.line(c.span.start) == line))
            .last();
        match behind {
            Some(last) => self.loose_comments(last.span.end),
            None => Doc::nil(),
        }
    }
}

/// Whether an item has a line of its own.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Alone,
    Shared,
}

/// Lines that are being collected.
struct Sequence {
    docs: Vec<Doc>,
    /// Whether a brace stands before the first line.
    in_braces: bool,
    /// The line of the source in which the last one ended.
    last_line: Option<usize>,
}

impl Sequence {
    fn push(&mut self, doc: Doc, first_line: usize, last_line: usize) {
        if self.last_line.is_some() || self.in_braces {
            self.docs.push(Doc::Hard);
        }
        if self.last_line.is_some_and(|before| first_line > before + 1) {
            self.docs.push(Doc::Hard);
        }
        self.docs.push(doc);
        self.last_line = Some(last_line);
    }
}

/// `a; b`, or a line for each where they do not fit on one.
fn joined(docs: Vec<Doc>) -> Doc {
    let mut out = Vec::new();
    for doc in docs {
        if !out.is_empty() {
            out.extend([Doc::Either(";".to_owned(), String::new()), Doc::Line]);
        }
        out.push(doc);
    }
    cat(out).group()
}
