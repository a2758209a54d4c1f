//! The names that a program gives its definitions: each once, and a note where one hides the library's.

use crate::declarations::settings::{Loss, MetricKind};
use crate::elaborate::elab::Elab;
use crate::elaborate::frame::Frame;
use crate::elaborate::value::Def;
use crate::program::rules::{rules, split_rules, unknown_rule};
use crate::suggest::nearest;
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

/// Names that a file binds at its top, and the names in what they are bound to.
pub(crate) fn binds(sources: &SourceMap, program: &Program) -> Vec<(nnc_syntax::ast::Name, Vec<String>)> {
    let mut out = Vec::new();
    for stmt in &program.stmts {
        let StmtKind::Flow(flow) = &stmt.kind else { continue };
        let words = sources.slice(flow.chain.span);
        let words = words.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty());
        let words: Vec<String> = words.map(String::from).collect();
        out.extend(flow.targets.iter().map(|t| (t.clone(), words.clone())));
    }
    out
}

/// Where the network failed, the names of loss, metrics, schedule and optimizer can still be wrong.
pub(crate) fn check_names(e: &mut Elab<'_>, frame: &mut Frame) {
    let mut names: Vec<(&str, nnc_syntax::ast::Name)> = Vec::new();
    if let Some(Loss::Named(named)) = &e.results.top.loss {
        names.push(("no loss", named.name.clone()));
    }
    for metric in &e.results.top.metrics {
        if let MetricKind::Named(name) = &metric.what {
            names.push(("no metric", name.clone()));
        }
    }
    if let Some(named) = &e.results.top.schedule {
        names.push(("no schedule", named.name.clone()));
    }
    for (what, name) in names {
        if e.lookup(frame, &name.text).is_none() {
            let stop = e.unknown(frame, Code::N0202, what, &name.text, name.span);
            e.report(stop);
        }
    }
    let Some(named) = e.results.top.optimizer.clone() else { return };
    let checked = match e.scope.globals.defs.get(&named.name.text) {
        Some(Def::Rule(rule)) => {
            let rule = rule.clone();
            let (own, _) = split_rules(e, &rule, &named.args);
            e.arguments(frame, &named.name.text, &rule.params, &own, named.span, true).map(drop)
        }
        _ => {
            // The options can be checked with the rule that is meant.
            let rules: Vec<&str> = rules(e);
            if let Some(Def::Rule(near)) =
                nearest(&named.name.text, &rules).and_then(|n| e.scope.globals.defs.get(n))
            {
                let near = near.clone();
                let (own, _) = split_rules(e, &near, &named.args);
                let name = near.name.text.clone();
                if let Err(stop) = e.arguments(frame, &name, &near.params, &own, named.span, true) {
                    e.report(stop);
                }
            }
            Err(unknown_rule(e, Some(&named)))
        }
    };
    if let Err(stop) = checked {
        e.report(stop);
    }
}
