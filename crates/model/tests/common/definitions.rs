//! What the prelude defines, and what a text makes use of.
#![allow(dead_code, clippy::unwrap_used)]
#![allow(clippy::wildcard_enum_match_arm, reason = "only some kinds are looked at")]

use nnc_model::PRELUDE;
use nnc_syntax::ast::StmtKind;
use nnc_syntax::{SourceId, parse};
use std::collections::{BTreeMap, BTreeSet};

/// A definition of the prelude.
pub struct Definition {
    /// `fn`, `layer`, `rule`, `init`.
    pub kind: &'static str,
    /// The file, such as `prelude/layers.nn`.
    pub file: &'static str,
    /// Its text.
    pub body: String,
}

/// All of them by name; each has a doc comment and stands once.
pub fn definitions() -> BTreeMap<String, Definition> {
    let mut out: BTreeMap<String, Definition> = BTreeMap::new();
    for (i, (file, text)) in PRELUDE.iter().enumerate() {
        let parsed = parse(text, SourceId(i as u16));
        assert!(parsed.diagnostics.is_empty(), "{file}: {:?}", parsed.diagnostics);
        for stmt in &parsed.program.stmts {
            let (kind, name) = match &stmt.kind {
                StmtKind::Fn(def) => ("fn", &def.name),
                StmtKind::Layer(def) => ("layer", &def.name),
                StmtKind::Rule(def) => ("rule", &def.name),
                StmtKind::Init(def) => ("init", &def.name),
                _ => continue,
            };
            assert!(stmt.doc.is_some(), "{} has no doc comment", name.text);
            let body = text[stmt.span.start as usize..stmt.span.end as usize].to_string();
            let twice = out.insert(name.text.clone(), Definition { kind, file, body });
            assert!(twice.is_none(), "`{}` is there twice", name.text);
        }
    }
    out
}

/// The words of a program, without its comments.
pub fn words(text: &str) -> BTreeSet<String> {
    let code = text.lines().map(|l| l.split("//").next().unwrap_or("").split('#').next().unwrap_or(""));
    let code: Vec<&str> = code.collect();
    code.join("\n").split(|c: char| !c.is_alphanumeric() && c != '_').map(String::from).collect()
}

/// The definitions that these words name, and those that these are written with; where it `counts`.
pub fn reached(
    definitions: &BTreeMap<String, Definition>,
    mut open: Vec<String>,
    counts: &dyn Fn(&str, &str) -> bool,
) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    while let Some(word) = open.pop() {
        let Some(def) = definitions.get(&word) else { continue };
        if counts(&word, def.kind) && out.insert(word) {
            open.extend(words(&def.body));
        }
    }
    out
}
