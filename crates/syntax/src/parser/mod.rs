//! The parser: every logical statement is read by `nom` on its own, so that a mistake poisons one
//! statement and the next is read as if nothing had happened.

mod control;
mod data;
mod define;
mod errors;
mod expr;
mod flow;
mod height;
mod notation;
mod python;
mod stream;

use crate::ast::{Block, Program, Stmt, StmtKind};
use crate::layout::{self, Group, Line};
use crate::token::{Token, TokenKind};
use crate::{Code, Diagnostic, Head, Parsed, SourceId, Span, brackets, lexer};
use std::cell::{Cell, RefCell};
use stream::{END, Problem, Read, TokenStream};

/// So many diagnostics are kept; whoever pastes a novel is not helped by more.
pub const MAX_DIAGNOSTICS: usize = 200;

/// Reads a program.
pub(crate) fn parse(text: &str, source: SourceId) -> Parsed {
    let lexed = lexer::lex(text, source);
    let (tokens, unbalanced) = brackets::balance(lexed.tokens, text);
    let layout = layout::lay_out(tokens, &lexed.comments, text);
    let context = Context {
        text,
        entered: layout.groups.iter().map(|_| Cell::new(false)).collect(),
        groups: &layout.groups,
        found: RefCell::default(),
        foreign: RefCell::default(),
    };
    let stmts = context.statements(&layout.lines, 0);
    let foreign = context.foreign.into_inner();
    let mut diagnostics = lexed.diagnostics;
    diagnostics.extend(unbalanced);
    diagnostics.extend(layout.diagnostics);
    // In a line of Python, single quotes are the least of the problems.
    diagnostics.retain(|d| !d.labels.first().is_some_and(|label| lies_in(&foreign, label.span)));
    diagnostics.extend(context.found.into_inner());
    diagnostics.sort_by_key(|d| d.labels.first().map(|label| label.span.start));
    limit(&mut diagnostics);
    Parsed { program: Program { stmts }, diagnostics }
}

/// Whether one of `spans`, which do not overlap and stand in their order, holds `inner`.
fn lies_in(spans: &[Span], inner: Span) -> bool {
    let before = spans.partition_point(|span| span.start <= inner.start);
    before.checked_sub(1).and_then(|at| spans.get(at)).is_some_and(|span| inner.end <= span.end)
}

/// Keeps the first [`MAX_DIAGNOSTICS`], and says so.
pub fn limit(diagnostics: &mut Vec<Diagnostic>) {
    let limited = diagnostics.last().is_some_and(|d| d.code == Code::N0112);
    let most = MAX_DIAGNOSTICS + usize::from(limited);
    if let Some(more) = diagnostics.len().checked_sub(most).filter(|more| *more > 0) {
        diagnostics.truncate(MAX_DIAGNOSTICS);
        let note = Diagnostic::note(Code::N0112, format!("there are {more} more mistakes"));
        diagnostics.push(note.help("mend the first ones; the others often go with them"));
    }
}

/// What all statements of a file share.
pub(super) struct Context<'a> {
    text: &'a str,
    groups: &'a [Group<'a>],
    /// The blocks that were read; those of a poisoned statement are read for their mistakes only.
    entered: Vec<Cell<bool>>,
    found: RefCell<Vec<Diagnostic>>,
    /// Statements of another language, in which nothing else is worth reporting.
    foreign: RefCell<Vec<Span>>,
}

/// What became of a statement or row.
pub(super) enum Outcome<T> {
    /// It could be read.
    Good(T),
    /// Its mistake is already reported.
    Poisoned,
    /// It has this mistake.
    Wrong(Diagnostic),
}

impl<'a> Context<'a> {
    /// The characters of a span.
    pub(super) fn slice(&self, span: Span) -> &'a str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Adds a diagnostic.
    pub(super) fn report(&self, found: Diagnostic) {
        self.found.borrow_mut().push(found);
    }

    /// The lines of a block, which are about to be read.
    fn enter(&self, group: usize) -> &'a [Line<'a>] {
        if let Some(entered) = self.entered.get(group) {
            entered.set(true);
        }
        self.groups.get(group).map_or(&[], |group| &group.lines)
    }

    /// Reads one line from its first token to its last.
    fn read<'c, T>(
        &'c self,
        line: &'c Line<'c>,
        depth: usize,
        parser: impl Fn(TokenStream<'c>) -> Read<'c, T>,
    ) -> Outcome<T> {
        if line.tokens.iter().any(|t| t.kind == TokenKind::Bad) {
            return Outcome::Poisoned;
        }
        let start = line.tokens.first().map(|t| t.span).unwrap_or_default();
        let words = TokenStream {
            context: self,
            tokens: &line.tokens,
            last: Span { end: start.start, ..start },
            depth,
        };
        let result = parser(words).and_then(|(rest, value)| match rest.peek() {
            None => Ok(value),
            Some(_) => Err(nom::Err::Failure(Problem { at: rest, expected: END, diagnostic: None })),
        });
        match result {
            Ok(value) => Outcome::Good(value),
            Err(nom::Err::Error(problem) | nom::Err::Failure(problem)) => {
                Outcome::Wrong(problem.diagnostic.map_or_else(
                    || errors::unexpected(problem.at, problem.expected, &line.tokens),
                    |diagnostic| *diagnostic,
                ))
            }
            Err(nom::Err::Incomplete(_)) => Outcome::Poisoned,
        }
    }

    /// Reads the statements of a block or file; `depth` is how deep it stands in the tree.
    fn statements(&self, lines: &[Line<'_>], depth: usize) -> Vec<Stmt> {
        lines.iter().map(|line| self.statement(line, depth)).collect()
    }

    fn statement(&self, line: &Line<'_>, depth: usize) -> Stmt {
        let span = span_of(&line.tokens);
        let kind = match height::check(&line.tokens, depth) {
            Err(found) => {
                self.report(*found);
                StmtKind::Error
            }
            Ok(depth) => self.statement_kind(line, depth, span),
        };
        Stmt { kind, span, doc: line.doc.clone() }
    }

    fn statement_kind(&self, line: &Line<'_>, depth: usize, span: Span) -> StmtKind {
        let mistake = match python::recognise(self, &line.tokens, span) {
            Some(found) => {
                let head = line.tokens.split(|t| matches!(t.kind, TokenKind::Block(_))).next();
                let head = head.filter(|head| !head.is_empty()).map_or(span, span_of);
                self.foreign.borrow_mut().push(head);
                Outcome::Wrong(found)
            }
            None => self.read(line, depth, statement),
        };
        match mistake {
            Outcome::Good(kind) => return kind,
            Outcome::Poisoned => {}
            Outcome::Wrong(found) => self.report(found),
        }
        self.search_blocks(&line.tokens, depth);
        StmtKind::Error
    }

    /// Looks for mistakes in the blocks of a poisoned statement.
    fn search_blocks(&self, tokens: &[Token<'_>], depth: usize) {
        for token in tokens {
            let TokenKind::Block(index) = token.kind else { continue };
            if self.entered.get(index).is_some_and(Cell::get) {
                continue;
            }
            if self.groups.get(index).is_some_and(|group| group.is_data) {
                data::rows(self, index);
            } else {
                self.statements(self.enter(index), depth);
            }
        }
    }
}

fn span_of(tokens: &[Token<'_>]) -> Span {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => Span::default(),
    }
}

/// One statement, told apart by its first word.
fn statement(i: TokenStream<'_>) -> Read<'_, StmtKind> {
    if i.at_word("if") {
        return if is_conditional_value(i) { flow::flow(i) } else { control::if_block(i) };
    }
    if i.at_word("loss") && i.second().is_some_and(|t| t.is_sign("=")) {
        return control::loss_is(i);
    }
    let alone = i.second().is_none();
    match layout::head(i.tokens).and_then(Head::of) {
        // A tensor's name alone goes back to it.
        Some(Head::Input | Head::Target | Head::Output) if alone => flow::flow(i),
        Some(head) if !alone || head.is_setting() || head.is_dataset() => headed(i, head),
        _ if i.at_word("repeat") && ends_in_block(i) => control::repeat(i),
        _ => flow::flow(i),
    }
}

/// A statement that begins with a word of its own.
fn headed(i: TokenStream<'_>, head: Head) -> Read<'_, StmtKind> {
    match head {
        Head::Data | Head::Valid | Head::Test => data::dataset(i),
        Head::Loss | Head::Optimizer | Head::Schedule | Head::Metrics => control::setting(i),
        Head::Epochs | Head::Steps | Head::Batch | Head::Seed | Head::Clip | Head::Save => {
            control::setting(i)
        }
        Head::Split | Head::Freeze | Head::Rate | Head::Input | Head::Target | Head::Output => {
            control::setting(i)
        }
        Head::Experiment | Head::Language => control::setting(i),
        Head::Then => control::stage(i),
        Head::Param => define::param(i),
        Head::Fn => define::function(i),
        Head::Layer => define::layer(i),
        Head::Rule => define::rule(i),
        Head::Init => define::init(i),
        Head::Shared => define::shared(i),
        Head::Rewrite => define::rewrite(i),
        Head::Use => define::use_file(i),
        Head::Weight | Head::State => define::declare(i),
        Head::Repeat => control::repeat(i),
        Head::Require => control::require(i),
        Head::Stop => control::stop(i),
        Head::Expect => control::expect(i),
    }
}

/// Whether a statement that begins with `if` is a value: its `then` comes before any block.
fn is_conditional_value(i: TokenStream<'_>) -> bool {
    let (mut brackets, mut waiting) = (0_usize, 0_usize);
    for token in i.tokens {
        match token.kind {
            TokenKind::Sign("(" | "[") => brackets += 1,
            TokenKind::Sign(")" | "]") => brackets = brackets.saturating_sub(1),
            _ if brackets > 0 => {}
            TokenKind::Block(_) => return false,
            TokenKind::Name("if") => waiting += 1,
            // The `then` of a choice inside the condition belongs to that.
            TokenKind::Name("then") if waiting > 1 => waiting -= 1,
            TokenKind::Name("then") => return true,
            _ => {}
        }
    }
    false
}

/// `repeat(3) { … }`, as other languages write it.
fn ends_in_block(i: TokenStream<'_>) -> bool {
    i.tokens.last().is_some_and(|t| matches!(t.kind, TokenKind::Block(_)))
}

/// A block of statements.
fn block(i: TokenStream<'_>) -> Read<'_, Block> {
    match i.split() {
        Some((rest, Token { kind: TokenKind::Block(group), span, .. })) => {
            let stmts = i.context.statements(i.context.enter(*group), i.depth);
            Ok((rest, Block { stmts, span: *span }))
        }
        _ => define::no_block(i),
    }
}
