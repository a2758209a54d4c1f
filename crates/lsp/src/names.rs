//! Where a name is defined and used. Works on pieces, so that a program need not be right.
//!
//! A name that a definition binds (a parameter, an operand, the size of an axis, a tensor of its body) is known in that
//! definition alone; any other of the program is known in all of it but in definitions that bind it anew.

use crate::context::{Context, Expected, context_from};
use crate::document::Document;
use lsp_types::{Position, Range, TextEdit};
use nnc_syntax::ast::{Block, Body, Chain, Dim, Expr, ExprKind, Link, Name, Param, Stmt, StmtKind};
use nnc_syntax::{Head, Lexeme, LexemeKind, Span};

/// Where something is defined.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// In this program.
    Here(Range),
    /// In a file of the prelude, or one that the program uses, by its name.
    In(String, Range),
    /// Another file as a whole, by its path as the program writes it.
    File(String),
}

/// What a name of the program is.
struct Symbol {
    text: String,
    /// Where it is known.
    scope: Option<Span>,
    /// Its first place.
    defined: Span,
    /// The definition whose parameter it is.
    parameter_of: Option<String>,
    /// Whether it can be a metric, whose figures have names made of it.
    function: bool,
    /// Whether an experiment may give it a value.
    param: bool,
}

/// The words with a meaning that cannot be a name.
const NO_NAMES: [&str; 14] =
    ["and", "or", "in", "not", "then", "else", "as", "of", "with", "if", "it", "yes", "no", "training"];

/// Where the thing at a place is defined.
pub fn definition(document: &Document, position: Position) -> Option<Place> {
    let offset = document.text.offset(position);
    let piece = document.piece(offset)?;
    if piece.kind == LexemeKind::Text {
        return file(document, piece);
    }
    if let Some(symbol) = symbol(document, piece) {
        return Some(Place::Here(document.text.range(symbol.defined)));
    }
    if piece.kind != LexemeKind::Word {
        return None;
    }
    let found = document.definition(document.words(piece.span))?;
    let (name, _) = found.place?;
    let sources = match &document.seen {
        Some(seen) if name.source.0 > document.source.0 => &seen.sources,
        _ => &document.library.sources,
    };
    let source = sources.iter().nth(usize::from(name.source.0))?;
    let range = crate::text::Text::new(source.text.as_str()).range(name);
    Some(Place::In(source.name.clone(), range))
}

/// The file that a text in quotes names, behind `use` and `data`.
fn file(document: &Document, piece: Lexeme) -> Option<Place> {
    let at = piece.span;
    let holds = |stmt: &&Stmt| stmt.span.start <= at.start && at.end <= stmt.span.end;
    let stmt = document.program.stmts.iter().find(holds)?;
    let path = document.words(at).trim_matches('"').to_string();
    match &stmt.kind {
        StmtKind::Use { .. } => Some(Place::File(path)),
        StmtKind::Data(data) if data.rows_span.is_none_or(|rows| at.end <= rows.start) => {
            Some(Place::File(path))
        }
        _ => None,
    }
}

/// All places of the name at a place; empty where it is none of the program's.
pub fn references(document: &Document, position: Position, declaration: bool) -> Vec<Range> {
    let offset = document.text.offset(position);
    let Some(symbol) = document.piece(offset).and_then(|p| symbol(document, p)) else { return Vec::new() };
    let places = places(document, &symbol);
    let places = places.into_iter().filter(|(span, _)| declaration || *span != symbol.defined);
    places.map(|(span, _)| document.text.range(span)).collect()
}

/// The places of any word in the text, its meaning included where it has one.
pub fn highlights(document: &Document, position: Position) -> Vec<Range> {
    references(document, position, true)
}

/// Whether the name at a place can be given another one: its place and itself.
pub fn prepare_rename(document: &Document, position: Position) -> Option<(Range, String)> {
    let piece = document.piece(document.text.offset(position))?;
    let symbol = symbol(document, piece)?;
    Some((document.text.range(piece.span), symbol.text))
}

/// Gives the name at a place another one.
///
/// # Errors
/// Why it cannot be.
pub fn rename(document: &Document, position: Position, new: &str) -> Result<Vec<TextEdit>, String> {
    let piece = document.piece(document.text.offset(position));
    let symbol = piece.and_then(|p| symbol(document, p));
    let Some(symbol) = symbol else {
        return Err("this is no name that the program gives; those of columns stand in the data file".into());
    };
    let begins = new.starts_with(|c: char| c.is_alphabetic() || c == '_');
    if !begins || !new.chars().all(|c| c.is_alphanumeric() || c == '_') || NO_NAMES.contains(&new) {
        return Err(format!("`{new}` is no name: one begins with a letter and has letters, digits and `_`"));
    }
    if new == symbol.text {
        return Ok(Vec::new());
    }
    let inside =
        |p: &&Lexeme| symbol.scope.is_none_or(|scope| scope.start <= p.span.start && p.span.end <= scope.end);
    let taken = document.pieces.iter().filter(inside);
    if taken.filter(|p| p.kind == LexemeKind::Word).any(|p| document.words(p.span) == new) {
        return Err(format!("there is a `{new}` already, and one could not be told from the other"));
    }
    if Head::of(new).is_some() {
        return Err(format!("`{new}` is a word that begins statements"));
    }
    if document.library.find(new).is_some() {
        return Err(format!("`{new}` is a name of the library, which would be hidden"));
    }
    let edits = places(document, &symbol)
        .into_iter()
        .map(|(span, prefix)| TextEdit::new(document.text.range(span), format!("{prefix}{new}")));
    Ok(edits.collect())
}

/// The name of the program that a piece is, if it is one.
fn symbol(document: &Document, piece: Lexeme) -> Option<Symbol> {
    if piece.kind != LexemeKind::Word || is_member(document, piece) {
        return None;
    }
    let word = document.words(piece.span);
    let (text, _) = figure(document, word);
    let here = |stmt: &&Stmt| stmt.span.start <= piece.span.start && piece.span.end <= stmt.span.end;
    let around = document.program.stmts.iter().find(here);
    if let Some(StmtKind::Data(data)) = around.map(|s| &s.kind)
        && data.rows_span.is_some_and(|rows| rows.start <= piece.span.start)
    {
        return None;
    }
    let next = next(document, piece);
    let key = next == Some("=") && is_key(document, piece);
    if key {
        // `layer=…` of a call of a layer of this program, or `hidden=…` of an experiment.
        let context = around_key(document, piece);
        if context.head == Some(Head::Experiment) {
            return global(document, text);
        }
        let callee = context.callee?;
        let stmt = document.program.stmts.iter().find(|s| defined(s).is_some_and(|n| n.text == callee))?;
        let param = params(stmt)?.iter().find(|p| p.name.text == word)?;
        return Some(local(stmt, &param.name, Some(callee)));
    }
    if let Some(stmt) = around.filter(|s| params(s).is_some())
        && defined(stmt).is_none_or(|name| name.span != piece.span)
    {
        let bound = bound(stmt);
        if let Some(first) = bound.iter().find(|n| n.text == word) {
            let parameter = params(stmt)?.iter().any(|p| p.name.text == word);
            let owner = parameter.then(|| defined(stmt).map(|n| n.text.clone())).flatten();
            return Some(local(stmt, first, owner));
        }
    }
    global(document, text)
}

fn local(stmt: &Stmt, name: &Name, parameter_of: Option<String>) -> Symbol {
    Symbol {
        text: name.text.clone(),
        scope: Some(stmt.span),
        defined: name.span,
        parameter_of,
        function: false,
        param: false,
    }
}

/// A name at the top of the file.
fn global(document: &Document, text: &str) -> Option<Symbol> {
    let mut names = Vec::new();
    for stmt in &document.program.stmts {
        names.extend(defined(stmt).map(|n| (n, stmt)));
        if params(stmt).is_none() {
            let mut own = Vec::new();
            statement(stmt, &mut own);
            names.extend(own.into_iter().map(|n| (n, stmt)));
        }
    }
    let (name, stmt) = names.into_iter().find(|(n, _)| n.text == text)?;
    Some(Symbol {
        text: name.text.clone(),
        scope: None,
        defined: name.span,
        parameter_of: None,
        function: matches!(stmt.kind, StmtKind::Fn(_)),
        param: matches!(stmt.kind, StmtKind::Param { .. }),
    })
}

/// The places of a name, each with what stands before it in one word (`val_`).
fn places(document: &Document, symbol: &Symbol) -> Vec<(Span, &'static str)> {
    let mut out = Vec::new();
    for (at, piece) in document.pieces.iter().enumerate() {
        let words = document.words(piece.span);
        let inside =
            symbol.scope.is_none_or(|scope| scope.start <= piece.span.start && piece.span.end <= scope.end);
        match piece.kind {
            LexemeKind::Text if inside && is_message(document, at) => {
                holes(document, symbol, *piece, &mut out)
            }
            LexemeKind::Word => {
                let prefix = match words == symbol.text {
                    true => "",
                    false if symbol.function && words.strip_prefix("val_") == Some(&symbol.text) => "val_",
                    false => continue,
                };
                if is_place(document, symbol, *piece, inside) {
                    out.push((piece.span, prefix));
                }
            }
            _ => {}
        }
    }
    out
}

fn is_place(document: &Document, symbol: &Symbol, piece: Lexeme, inside: bool) -> bool {
    if is_member(document, piece) {
        return false;
    }
    let here = |stmt: &&Stmt| stmt.span.start <= piece.span.start && piece.span.end <= stmt.span.end;
    let around = document.program.stmts.iter().find(here);
    if next(document, piece) == Some("=") && is_key(document, piece) {
        let context = around_key(document, piece);
        return match &symbol.parameter_of {
            Some(owner) => context.callee.as_ref() == Some(owner),
            None => symbol.param && context.head == Some(Head::Experiment),
        };
    }
    if !inside {
        return false;
    }
    if let Some(StmtKind::Data(data)) = around.map(|s| &s.kind)
        && data.rows_span.is_some_and(|rows| rows.start <= piece.span.start)
    {
        return false;
    }
    if symbol.scope.is_some() {
        // The name of the definition is not known in it by its parameters.
        return around.and_then(defined).is_none_or(|name| name.span != piece.span);
    }
    // A definition that binds the name means its own.
    around.is_none_or(|stmt| {
        params(stmt).is_none()
            || defined(stmt).is_some_and(|name| name.span == piece.span)
            || !bound(stmt).iter().any(|n| n.text == symbol.text)
    })
}

/// `{name}` in the message of a `require`.
fn holes(document: &Document, symbol: &Symbol, piece: Lexeme, out: &mut Vec<(Span, &'static str)>) {
    let text = document.words(piece.span);
    let mut from = 0;
    while let Some(open) = text.get(from..).and_then(|t| t.find('{')).map(|at| from + at) {
        let close = text.get(open..).and_then(|t| t.find('}')).map_or(text.len(), |at| open + at);
        let part = |c: char| c.is_alphanumeric() || c == '_';
        let inside = text.get(open + 1..close).unwrap_or("");
        let mut at = open + 1;
        for word in inside.split_inclusive(|c: char| !part(c)) {
            let bare = word.trim_end_matches(|c: char| !part(c));
            if bare == symbol.text {
                let start = piece.span.start as usize + at;
                out.push((Span::new(piece.span.source, start, start + bare.len()), ""));
            }
            at += word.len();
        }
        from = close.max(open + 1);
    }
}

/// Whether a text is the message of a `require`.
fn is_message(document: &Document, at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| document.pieces.get(at));
    before.is_some_and(|p| document.words(p.span) == "else")
}

/// What stands behind a piece in its line.
fn next(document: &Document, piece: Lexeme) -> Option<&str> {
    let at = document.pieces.partition_point(|p| p.span.start < piece.span.end.max(piece.span.start + 1));
    document.pieces.get(at).map(|p| document.words(p.span))
}

/// `table` of `tokens.table`.
fn is_member(document: &Document, piece: Lexeme) -> bool {
    let at = document.pieces.partition_point(|p| p.span.start < piece.span.start);
    let before = at.checked_sub(1).and_then(|at| document.pieces.get(at));
    before.is_some_and(|p| document.words(p.span) == ".")
}

/// Where a word before `=` is, seen from the beginning of its statement.
fn around_key(document: &Document, piece: Lexeme) -> Context {
    let stmts = &document.program.stmts;
    let at = stmts.partition_point(|stmt| stmt.span.start <= piece.span.start);
    let from = at.checked_sub(1).and_then(|at| stmts.get(at)).map_or(0, |stmt| stmt.span.start as usize);
    context_from(document, piece.span.start as usize, from)
}

/// Whether a word before `=` is an option and not a name that is given.
fn is_key(document: &Document, piece: Lexeme) -> bool {
    // A parameter with its default, in the head of a definition.
    let head = document.program.stmts.iter().filter_map(|s| params(s)).flatten();
    if head.into_iter().any(|p| p.name.span == piece.span) {
        return false;
    }
    let context = around_key(document, piece);
    matches!(context.expected, Expected::Argument)
        && !matches!(context.head, Some(Head::Param | Head::Shared | Head::Weight | Head::State | Head::Fn))
}

/// The name that a metric goes by in `val_…`.
fn figure<'w>(document: &Document, word: &'w str) -> (&'w str, &'static str) {
    let known = |name: &str| {
        document.program.stmts.iter().any(|s| matches!(&s.kind, StmtKind::Fn(def) if def.name.text == name))
    };
    match word.strip_prefix("val_") {
        Some(name) if known(name) => (name, "val_"),
        _ => (word, ""),
    }
}

/// The name that a statement at the top defines.
fn defined(stmt: &Stmt) -> Option<&Name> {
    match &stmt.kind {
        StmtKind::Fn(def) => Some(&def.name),
        StmtKind::Layer(def) => Some(&def.name),
        StmtKind::Rule(def) => Some(&def.name),
        StmtKind::Init(def) => Some(&def.name),
        StmtKind::Param { name, .. } | StmtKind::Shared { name, .. } => Some(name),
        _ => None,
    }
}

/// The parameters of a definition; nothing where a statement is none.
fn params(stmt: &Stmt) -> Option<&[Param]> {
    match &stmt.kind {
        StmtKind::Fn(def) => Some(&def.params),
        StmtKind::Layer(def) => Some(&def.params),
        StmtKind::Rule(def) => Some(&def.params),
        StmtKind::Init(def) => Some(&def.params),
        _ => None,
    }
}

/// All names that a definition binds, in the order of the text.
fn bound(stmt: &Stmt) -> Vec<&Name> {
    let mut out = Vec::new();
    for param in params(stmt).unwrap_or_default() {
        out.push(&param.name);
        dims(param.dims.as_deref(), param.classes.as_ref(), &mut out);
    }
    match &stmt.kind {
        StmtKind::Fn(def) => body(&def.body, &mut out),
        StmtKind::Layer(def) => {
            for operand in &def.operands {
                out.push(&operand.name);
                dims(operand.dims.as_deref(), operand.classes.as_ref(), &mut out);
            }
            block(&def.body, &mut out);
        }
        StmtKind::Rule(def) => {
            out.extend([&def.weight, &def.gradient]);
            block(&def.body, &mut out);
        }
        StmtKind::Init(def) => {
            out.push(&def.shape);
            body(&def.body, &mut out);
        }
        _ => {}
    }
    out
}

fn dims<'a>(dims: Option<&'a [Dim]>, classes: Option<&'a Name>, out: &mut Vec<&'a Name>) {
    for dim in dims.unwrap_or_default() {
        if let Dim::Rest(Some(name), _) = dim {
            out.push(name);
        }
    }
    out.extend(classes);
}

fn body<'a>(body: &'a Body, out: &mut Vec<&'a Name>) {
    match body {
        Body::Chain(of) => chain(of, out),
        Body::Block(of) => block(of, out),
    }
}

fn block<'a>(block: &'a Block, out: &mut Vec<&'a Name>) {
    block.stmts.iter().for_each(|stmt| statement(stmt, out));
}

/// The names that a statement gives, but for definitions.
fn statement<'a>(stmt: &'a Stmt, out: &mut Vec<&'a Name>) {
    match &stmt.kind {
        StmtKind::Flow(flow) => {
            out.extend(&flow.targets);
            chain(&flow.chain, out);
        }
        StmtKind::Declare { name, .. } => out.push(name),
        StmtKind::Repeat { index, body, .. } => {
            out.extend(index);
            block(body, out);
        }
        StmtKind::If { then, otherwise, .. } => {
            block(then, out);
            otherwise.iter().for_each(|b| block(b, out));
        }
        StmtKind::Then(body) => block(body, out),
        StmtKind::LossIs(of) => chain(of, out),
        _ => {}
    }
}

fn chain<'a>(chain: &'a Chain, out: &mut Vec<&'a Name>) {
    for link in &chain.links {
        match link {
            Link::Scan(scan) => {
                out.push(&scan.item);
                out.extend(scan.carried.iter().map(|(name, _)| name));
                block(&scan.body, out);
            }
            Link::Exprs(exprs) => exprs.iter().for_each(|e| expression(e, out)),
            Link::Step(_) => {}
        }
    }
}

fn expression<'a>(expr: &'a Expr, out: &mut Vec<&'a Name>) {
    if let ExprKind::Group(of) = &expr.kind {
        chain(of, out);
    }
}
