//! The statements of a program as an outline.

use crate::document::Document;
use lsp_types::{DocumentSymbol, SymbolKind};
use nnc_syntax::Span;
use nnc_syntax::ast::{Stmt, StmtKind};

/// The outline.
pub fn symbols(document: &Document) -> Vec<DocumentSymbol> {
    document.program.stmts.iter().flat_map(|stmt| of(document, stmt)).collect()
}

fn of(document: &Document, stmt: &Stmt) -> Vec<DocumentSymbol> {
    let one = |name: &str, kind, at| vec![symbol(document, name, kind, stmt.span, at)];
    let line = || {
        let words = document.words(stmt.span);
        let first = words.lines().next().unwrap_or("").trim_end_matches('{').trim_end();
        first.chars().take(60).collect::<String>()
    };
    match &stmt.kind {
        StmtKind::Param { name, .. } => one(&name.text, SymbolKind::CONSTANT, name.span),
        StmtKind::Fn(def) => one(&def.name.text, SymbolKind::FUNCTION, def.name.span),
        StmtKind::Layer(def) => one(&def.name.text, SymbolKind::CLASS, def.name.span),
        StmtKind::Rule(def) => one(&def.name.text, SymbolKind::FUNCTION, def.name.span),
        StmtKind::Init(def) => one(&def.name.text, SymbolKind::FUNCTION, def.name.span),
        StmtKind::Shared { name, .. } => one(&name.text, SymbolKind::OBJECT, name.span),
        StmtKind::Declare { name, .. } => one(&name.text, SymbolKind::FIELD, name.span),
        StmtKind::Data(_) | StmtKind::Use { .. } => one(&line(), SymbolKind::FILE, stmt.span),
        StmtKind::Repeat { .. } | StmtKind::If { .. } | StmtKind::Then(_) => {
            one(&line(), SymbolKind::NAMESPACE, stmt.span)
        }
        StmtKind::Setting { .. } | StmtKind::LossIs(_) | StmtKind::Stop(_) | StmtKind::Expect { .. } => {
            one(&line(), SymbolKind::PROPERTY, stmt.span)
        }
        StmtKind::Flow(flow) if flow.targets.is_empty() => one(&line(), SymbolKind::METHOD, stmt.span),
        StmtKind::Flow(flow) => {
            let target = |name: &nnc_syntax::ast::Name| {
                symbol(document, &name.text, SymbolKind::VARIABLE, stmt.span, name.span)
            };
            flow.targets.iter().map(target).collect()
        }
        StmtKind::Require { .. } | StmtKind::Rewrite { .. } | StmtKind::Error => Vec::new(),
    }
}

#[allow(deprecated, reason = "the field has no other way to be set")]
fn symbol(document: &Document, name: &str, kind: SymbolKind, all: Span, at: Span) -> DocumentSymbol {
    let name = if name.trim().is_empty() { "…" } else { name };
    DocumentSymbol {
        name: name.to_string(),
        detail: None,
        kind,
        tags: None,
        deprecated: None,
        range: document.text.range(all),
        selection_range: document.text.range(at),
        children: None,
    }
}
