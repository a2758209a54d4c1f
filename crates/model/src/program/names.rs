//! The names that a program gives its definitions: each once, and a note where one hides the library's.

use crate::elaborate::value::Def;
use nnc_syntax::ast::{Name, Param, Program, Stmt, StmtKind};
use nnc_syntax::{Code, Diagnostic, SourceMap};
use std::collections::BTreeMap;

/// Checks the definitions of a program.
pub(crate) fn check(
    library: &BTreeMap<String, Def>,
    sources: &SourceMap,
    program: &Program,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut known: BTreeMap<&str, &Name> = BTreeMap::new();
    for stmt in &program.stmts {
        if let StmtKind::Rewrite { from, .. } = &stmt.kind {
            let text = sources.slice(from.span);
            let d = Diagnostic::error(Code::N0216, "a program has no `rewrite`; only the library has")
                .label(stmt.span, "")
                .cause("an identity that does not hold would change results without a word")
                .help(format!("write what you mean in the place of `{text}`"));
            diagnostics.push(d);
        }
        let Some(name) = defined(stmt) else { continue };
        match known.get(name.text.as_str()) {
            Some(first) => {
                let d = Diagnostic::error(Code::N0217, format!("`{}` is defined twice", name.text))
                    .label(name.span, "the second time")
                    .label(first.span, "the first time")
                    .help("give one of them another name, or delete it");
                diagnostics.push(d);
            }
            None => {
                known.insert(&name.text, name);
                shadows(library, name, matches!(stmt.kind, StmtKind::Param { .. }), diagnostics);
            }
        }
        twice(stmt, diagnostics);
    }
}

fn defined(stmt: &Stmt) -> Option<&Name> {
    match &stmt.kind {
        StmtKind::Fn(def) => Some(&def.name),
        StmtKind::Layer(def) => Some(&def.name),
        StmtKind::Rule(def) => Some(&def.name),
        StmtKind::Init(def) => Some(&def.name),
        StmtKind::Param { name, .. } => Some(name),
        _ => None,
    }
}

/// A name of the library that means something else from here on.
fn shadows(library: &BTreeMap<String, Def>, name: &Name, param: bool, diagnostics: &mut Vec<Diagnostic>) {
    let Some(def) = library.get(&name.text) else { return };
    let what = match def {
        Def::Fn(_) => "function",
        Def::Layer(_) => "layer",
        Def::Rule(_) => "optimizer",
        Def::Init(_) => "initialiser",
    };
    let here = if param { "parameter" } else { "definition" };
    let d = Diagnostic::note(
        Code::N0218,
        format!("the library's {what} `{}` is hidden by this {here}", name.text),
    )
    .label(name.span, format!("`{}` in this file means this", name.text))
    .cause("the library itself goes on using its own");
    diagnostics.push(d);
}

/// A parameter or operand that stands twice in one head.
fn twice(stmt: &Stmt, diagnostics: &mut Vec<Diagnostic>) {
    let params = |params: &[Param]| params.iter().map(|p| p.name.clone()).collect::<Vec<_>>();
    let names: Vec<Name> = match &stmt.kind {
        StmtKind::Fn(def) => params(&def.params),
        StmtKind::Layer(def) => {
            params(&def.params).into_iter().chain(def.operands.iter().map(|o| o.name.clone())).collect()
        }
        StmtKind::Rule(def) => {
            params(&def.params).into_iter().chain([def.weight.clone(), def.gradient.clone()]).collect()
        }
        StmtKind::Init(def) => params(&def.params).into_iter().chain([def.shape.clone()]).collect(),
        _ => return,
    };
    for (i, name) in names.iter().enumerate() {
        if let Some(first) = names[..i].iter().find(|n| n.text == name.text) {
            let d =
                Diagnostic::error(Code::N0217, format!("there are two parameters called `{}`", name.text))
                    .label(name.span, "the second")
                    .label(first.span, "the first")
                    .help("give one of them another name");
            diagnostics.push(d);
        }
    }
}
