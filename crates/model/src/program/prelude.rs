//! The prelude and how definitions are collected.

use crate::elaborate::scope::Globals;
use crate::elaborate::value::Def;
use nnc_syntax::ast::{ExprKind, Program, StmtKind, Within};
use nnc_syntax::{SourceMap, parse};
use std::rc::Rc;

/// The prelude: the layer library as text.
pub const PRELUDE: &[(&str, &str)] = &[
    ("prelude/activations.nn", include_str!("../../prelude/activations.nn")),
    ("prelude/distributions.nn", include_str!("../../prelude/distributions.nn")),
    ("prelude/initialisers.nn", include_str!("../../prelude/initialisers.nn")),
    ("prelude/layers.nn", include_str!("../../prelude/layers.nn")),
    ("prelude/losses.nn", include_str!("../../prelude/losses.nn")),
    ("prelude/metrics.nn", include_str!("../../prelude/metrics.nn")),
    ("prelude/optimizers.nn", include_str!("../../prelude/optimizers.nn")),
    ("prelude/schedules.nn", include_str!("../../prelude/schedules.nn")),
    ("prelude/sequences.nn", include_str!("../../prelude/sequences.nn")),
    ("prelude/shapes.nn", include_str!("../../prelude/shapes.nn")),
];

/// The prelude's texts and definitions.
fn library() -> (SourceMap, Globals) {
    let mut sources = SourceMap::default();
    let mut globals = Globals::default();
    for (name, text) in PRELUDE {
        let id = sources.add(*name, *text);
        let parsed = parse(text, id);
        debug_assert!(parsed.diagnostics.is_empty(), "{name}: {:?}", parsed.diagnostics);
        define(&mut globals, &parsed.program);
    }
    globals.library = Rc::new(globals.defs.clone());
    (sources, globals)
}

thread_local! {
    /// The prelude, read once in a thread: it is the same for every program.
    pub(crate) static LIBRARY: (SourceMap, Globals) = library();
}

pub(crate) fn is_definition(kind: &StmtKind) -> bool {
    matches!(kind, StmtKind::Fn(_) | StmtKind::Layer(_) | StmtKind::Rule(_) | StmtKind::Init(_))
}

/// Collects definitions; a later one of the same name wins, so that a program may shadow the prelude.
pub(crate) fn define(globals: &mut Globals, program: &Program) {
    for stmt in &program.stmts {
        let (name, def) = match &stmt.kind {
            StmtKind::Fn(def) => (&def.name, Def::Fn(Rc::new(def.clone()))),
            StmtKind::Layer(def) => (&def.name, Def::Layer(Rc::new(def.clone()))),
            StmtKind::Rule(def) => (&def.name, Def::Rule(Rc::new(def.clone()))),
            StmtKind::Init(def) => (&def.name, Def::Init(Rc::new(def.clone()))),
            StmtKind::Rewrite { from, to } => {
                // Those of programs are mistakes, told elsewhere.
                globals.rewrites.push(Rc::new((from.clone(), to.clone())));
                continue;
            }
            StmtKind::Param { within: Some(Within::List(options)), .. } => {
                let words = options.iter().filter_map(|o| match &o.kind {
                    ExprKind::Name(word) => Some(word.clone()),
                    _ => None,
                });
                globals.words.extend(words);
                continue;
            }
            _ => continue,
        };
        globals.docs.insert(name.text.clone(), (stmt.doc.clone(), stmt.span));
        globals.defs.insert(name.text.clone(), def);
    }
}
