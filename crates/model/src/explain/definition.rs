//! Definitions as plain data, for editors: what there is, what it says about itself, its arguments.

use super::name::{Argument, described, dims_text};
use crate::elaborate::builtins;
use crate::elaborate::elab::Elab;
use crate::elaborate::scope::Globals;
use crate::elaborate::value::Def;
use crate::program::prelude::{LIBRARY, define};
use nnc_graph::DType;
use nnc_syntax::ast::{Program, StmtKind};
use nnc_syntax::{SourceMap, Span};
use std::rc::Rc;

/// What a definition is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DefinitionKind {
    /// `layer`
    Layer,
    /// `fn`
    Function,
    /// `rule`
    Optimizer,
    /// `init`
    Initialiser,
}

/// A definition of the library or of a program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: DefinitionKind,
    /// The file of the prelude it stands in, such as `layers`; `built in`, or the name of the program.
    pub group: String,
    /// What it says about itself.
    pub doc: Option<String>,
    /// How it is called, where that is all there is: `exp(x)`.
    pub usage: Option<String>,
    /// Its arguments.
    pub arguments: Vec<Argument>,
    /// The tensors it works on.
    pub works_on: Option<String>,
    /// The promised shape of its result.
    pub gives: Option<String>,
    /// Its name where it is defined, and all its words; nothing of what is written in Rust.
    pub place: Option<(Span, Span)>,
}

/// All definitions of the library, those of Rust among them, in the order of their names. Places point into the
/// texts of [`crate::PRELUDE`], by their position.
pub fn library() -> Vec<Definition> {
    let (sources, globals) = LIBRARY.with(|library| library.clone());
    let mut out = listed(&sources, globals, |_| true);
    for name in builtins::NAMES {
        let text = builtins::describe(name).unwrap_or(name);
        let (usage, doc) = text.split_once(": ").unwrap_or((text, ""));
        out.push(Definition {
            name: (*name).to_string(),
            kind: DefinitionKind::Function,
            group: "built in".into(),
            doc: (!doc.is_empty()).then(|| format!("{}.", super::words::capital(doc))),
            usage: Some(usage.to_string()),
            arguments: Vec::new(),
            works_on: None,
            gives: None,
            place: None,
        });
    }
    out.sort_by(|a, b| a.name.cmp(&b.name));
    out
}

/// The definitions of a program, which need not be right.
pub fn definitions(sources: &SourceMap, program: &Program) -> Vec<Definition> {
    let (_, mut globals) = LIBRARY.with(|library| library.clone());
    define(&mut globals, program);
    let own = |name: &str| {
        program.stmts.iter().any(|stmt| match &stmt.kind {
            StmtKind::Fn(def) => def.name.text == name,
            StmtKind::Layer(def) => def.name.text == name,
            StmtKind::Rule(def) => def.name.text == name,
            StmtKind::Init(def) => def.name.text == name,
            _ => false,
        })
    };
    listed(sources, globals, own)
}

fn listed(sources: &SourceMap, globals: Globals, wanted: impl Fn(&str) -> bool) -> Vec<Definition> {
    let globals = Rc::new(globals);
    let e = Elab::new(sources, u16::MAX, globals.clone(), DType::F32, true);
    let known = globals.defs.iter().filter(|(name, _)| wanted(name));
    known.filter_map(|(_, def)| described_one(&e, sources, &globals, def)).collect()
}

fn described_one(e: &Elab<'_>, sources: &SourceMap, globals: &Globals, def: &Def) -> Option<Definition> {
    let (kind, name) = match def {
        Def::Fn(d) => (DefinitionKind::Function, &d.name),
        Def::Layer(d) => (DefinitionKind::Layer, &d.name),
        Def::Rule(d) => (DefinitionKind::Optimizer, &d.name),
        Def::Init(d) => (DefinitionKind::Initialiser, &d.name),
    };
    let (doc, span) = globals.docs.get(&name.text)?;
    let file = sources.get(span.source).name.as_str();
    let group = file.strip_prefix("prelude/").and_then(|f| f.strip_suffix(".nn")).unwrap_or(file);
    let (works_on, gives) = match def {
        Def::Layer(layer) => {
            let operands: Vec<&str> = layer.operands.iter().map(|o| sources.slice(o.span)).collect();
            let gives = layer.result.as_ref().map(|dims| format!("[{}]", dims_text(sources, dims)));
            ((!operands.is_empty()).then(|| operands.join(", ")), gives)
        }
        Def::Fn(_) | Def::Rule(_) | Def::Init(_) => (None, None),
    };
    Some(Definition {
        name: name.text.clone(),
        kind,
        group: group.to_string(),
        doc: doc.clone(),
        usage: None,
        arguments: described(e, sources, def),
        works_on,
        gives,
        place: Some((name.span, *span)),
    })
}
