//! What a name of the library, or of a program, means.

use crate::elaborate::builtins;
use crate::elaborate::elab::Elab;
use crate::elaborate::value::{Def, Kind};
use crate::program::spec::Spec;
use crate::suggest::foreign_names;
use nnc_graph::DType;
use nnc_syntax::SourceMap;
use nnc_syntax::ast::{Block, Body, DeclareKind, Dim, Param, Stmt, StmtKind};
use std::fmt::Write as _;

/// The table of Keras' names, for people who come from there.
const KERAS: &str = include_str!("../../docs/keras.md");

/// What `nnc explain NAME` prints; `None` when nothing has that name.
pub fn name(spec: &Spec, name: &str) -> Option<String> {
    let Some(def) = spec.globals.defs.get(name) else {
        return builtins::describe(name).map(|text| of_rust(spec, name, text));
    };
    let (doc, span) = spec.globals.docs.get(name)?;
    let mut out = format!("{name}: {}\n", kind_of(def));
    if let Some(doc) = doc {
        let _ = write!(out, "\n{}\n", doc.trim_end());
    }
    out.push_str(&elsewhere(spec, name));
    out.push_str(&shapes(spec, def));
    out.push_str(&arguments(spec, def));
    out.push_str(&declared(spec, def));
    let source = &spec.sources.get(span.source).name;
    let _ = write!(out, "\nIts definition, in {source}:\n\n");
    for line in spec.sources.slice(*span).lines() {
        let _ = writeln!(out, "{}", format!("    {line}").trim_end());
    }
    Some(out)
}

fn kind_of(def: &Def) -> &'static str {
    match def {
        Def::Fn(_) => "a function",
        Def::Layer(_) => "a layer",
        Def::Rule(_) => "an optimizer",
        Def::Init(_) => "an initialiser",
    }
}

fn of_rust(spec: &Spec, name: &str, text: &str) -> String {
    let (usage, meaning) = text.split_once(": ").unwrap_or((name, text));
    let mut out = format!("{name}: a function\n\n    {usage}\n\n{}.\n", super::words::capital(meaning));
    out.push_str(&elsewhere(spec, name));
    out.push_str("\nIt is part of the compiler: what the library itself is written in.\n");
    out
}

/// What others call it: the rows of the table for Keras' users, and names of other libraries.
fn elsewhere(spec: &Spec, name: &str) -> String {
    let mut out = String::new();
    for row in KERAS.split("\n## Weights from").next().unwrap_or(KERAS).lines().filter(|l| l.starts_with('|'))
    {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [theirs, ours, differences] = cells[..] else { continue };
        if !codes(ours).any(|code| about(spec, code) == Some(name)) {
            continue;
        }
        let same = ["", "equal", "the same laws"].contains(&differences);
        // `(PyTorch) …` says whose name it is.
        let (whose, theirs) = match theirs.strip_prefix('(').and_then(|t| t.split_once(") ")) {
            Some((library, theirs)) => (format!("{library}'s"), theirs),
            None => ("Keras'".to_string(), theirs),
        };
        let line = match (codes(theirs).count(), same) {
            // A row about many names says little about one.
            (4.., true) => "Keras has it too".into(),
            (4.., false) => format!("Keras has it too: {differences}"),
            (0, _) => continue,
            (_, true) => format!("{whose} {theirs} is {ours} here"),
            (_, false) => format!("{whose} {theirs} is {ours} here: {differences}"),
        };
        let _ = writeln!(out, "  {line}");
    }
    let others = foreign_names(name);
    if !others.is_empty() {
        let _ = writeln!(out, "  Other names for it: {}", others.join(", "));
    }
    if out.is_empty() { out } else { format!("\nElsewhere:\n{out}") }
}

/// The rows of the table for people from Keras and PyTorch that have this name of theirs, as sentences; `None` where
/// there is none. `GlobalAveragePooling…` stands for all that begin so.
pub fn foreign_row(theirs: &str) -> Option<String> {
    let last = theirs.rsplit('.').next().unwrap_or(theirs);
    let is = |word: &str| match word.strip_suffix('…') {
        Some(begins) => last.len() > begins.len() && !begins.is_empty() && last.starts_with(begins),
        None => word.eq_ignore_ascii_case(last),
    };
    let words = |code: &str| {
        let part = |c: char| c.is_alphanumeric() || c == '_' || c == '…';
        code.split(move |c: char| !part(c)).any(is)
    };
    let mut out = String::new();
    let mut library = "Keras";
    for row in KERAS.lines().filter(|l| l.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [name, ours, differences] = cells[..] else { continue };
        if ours == "here" {
            library = name;
        } else if !last.is_empty() && codes(name).any(words) {
            let ours = match ours {
                "–" | "" => ": no counterpart here".into(),
                ours => format!("is {ours} here"),
            };
            let text = if differences.is_empty() { String::new() } else { format!(": {differences}") };
            let line = format!("{name} of {library} {ours}{text}.").replace(" : ", ": ");
            let _ = writeln!(out, "{line}");
        }
    }
    (!out.is_empty()).then_some(out)
}

/// The options of this name, as those who have them take them; `None` where nothing has one.
pub fn option(spec: &Spec, name: &str) -> Option<String> {
    let mut out = String::new();
    for (callee, def) in &spec.globals.defs {
        let Some(param) = params(def).iter().find(|p| p.name.text == name) else { continue };
        let text = match &param.default {
            Some(default) => format!("{name}={}", spec.sources.slice(default.span)),
            None => name.to_string(),
        };
        let _ = writeln!(out, "    {callee} {text}");
    }
    (!out.is_empty()).then_some(out)
}

/// What stands between backquotes.
fn codes(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The name that an example of the table is about: the last rule of `optimizer adam ema=0.99`, else the first
/// name that is no statement.
fn about<'t>(spec: &Spec, code: &'t str) -> Option<&'t str> {
    let words = || code.split([' ', '(', ',']).map(|w| w.split('=').next().unwrap_or(w));
    let known = |w: &&str| spec.globals.defs.contains_key(*w) || builtins::find(w).is_some();
    let mut key = code.split(' ').filter_map(|w| w.split_once('=')).map(|(key, _)| key);
    let rule = key.rfind(|k| matches!(spec.globals.defs.get(*k), Some(Def::Rule(_))));
    rule.or_else(|| words().find(known))
}

/// What goes in and what comes out.
fn shapes(spec: &Spec, def: &Def) -> String {
    let Def::Layer(layer) = def else { return String::new() };
    let mut out = String::new();
    if !layer.operands.is_empty() {
        let words: Vec<&str> = layer.operands.iter().map(|o| spec.sources.slice(o.span)).collect();
        let _ = writeln!(out, "  works on  {}", words.join(", "));
    }
    if let Some(dims) = &layer.result {
        let _ = writeln!(out, "  gives     [{}]", dims_text(&spec.sources, dims));
    }
    if out.is_empty() { out } else { format!("\nShapes of one sample:\n{out}") }
}

pub(super) fn dims_text(sources: &SourceMap, dims: &[Dim]) -> String {
    let words = dims.iter().map(|dim| match dim {
        Dim::Rest(_, span) => sources.slice(*span),
        Dim::Size(expr) => sources.slice(expr.span),
    });
    words.collect::<Vec<_>>().join(", ")
}

pub(super) fn params(def: &Def) -> &[Param] {
    match def {
        Def::Fn(d) => &d.params,
        Def::Layer(d) => &d.params,
        Def::Rule(d) => &d.params,
        Def::Init(d) => &d.params,
    }
}

/// An argument of a definition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// What it is, such as `a whole number` or `one of same, valid`.
    pub what: String,
    /// The words of its default.
    pub default: Option<String>,
    /// The words it may be, where there are only some.
    pub options: Vec<String>,
    /// Whether it is a tensor that the definition works on.
    pub tensor: bool,
}

/// The arguments of a definition.
pub(super) fn described(e: &Elab<'_>, sources: &SourceMap, def: &Def) -> Vec<Argument> {
    let describe = |(i, p): (usize, &Param)| {
        let options = p.options.iter().flatten().map(|o| sources.slice(o.span).to_string());
        let options: Vec<String> = options.collect();
        let what = match (&p.options, e.kind_of(p)) {
            (Some(_), _) => format!("one of {}", options.join(", ")),
            (None, Kind::Any) if matches!(def, Def::Fn(_)) && i == 0 => "the tensor it works on".into(),
            (None, kind) => kind.describe().to_string(),
        };
        let what = match &p.dims {
            Some(dims) => format!("{what} [{}]", dims_text(sources, dims)),
            None => what,
        };
        Argument {
            name: p.name.text.clone(),
            tensor: p.dims.is_some() || what.starts_with("the tensor"),
            what,
            default: p.default.as_ref().map(|default| sources.slice(default.span).to_string()),
            options,
        }
    };
    params(def).iter().enumerate().map(describe).collect()
}

/// Arguments, what they are, and their defaults.
fn arguments(spec: &Spec, def: &Def) -> String {
    let params = params(def);
    if params.is_empty() {
        return String::new();
    }
    let e = Elab::new(&spec.sources, spec.first_user_source, spec.globals.clone(), DType::F32, true);
    let rows: Vec<(String, String, String)> = described(&e, &spec.sources, def)
        .into_iter()
        .map(|a| {
            let default = match &a.default {
                Some(default) => format!("unless given: {default}"),
                None if a.tensor => String::new(),
                None => "must be given".into(),
            };
            (a.name, a.what, default)
        })
        .collect();
    let wide =
        |of: fn(&(String, String, String)) -> &String| rows.iter().map(|r| of(r).chars().count()).max();
    let (a, b) = (wide(|r| &r.0).unwrap_or(0), wide(|r| &r.1).unwrap_or(0));
    let mut out = "\nArguments:\n".to_string();
    for (name, what, default) in &rows {
        let _ = writeln!(out, "{}", format!("  {name:<a$}  {what:<b$}  {default}").trim_end());
    }
    out
}

/// A weight or state of a definition.
pub(super) struct Declared<'a> {
    pub name: &'a str,
    pub learned: bool,
    pub dims: String,
    /// The words of its first value.
    pub first: &'a str,
    /// The condition under which it is there.
    pub only: Option<&'a str>,
}

/// The weights and states that a body declares itself.
pub(super) fn declarations<'a>(spec: &'a Spec, def: &'a Def) -> Vec<Declared<'a>> {
    let mut out = Vec::new();
    match def {
        Def::Layer(d) => collect(spec, &d.body.stmts, None, &mut out),
        Def::Rule(d) => collect(spec, &d.body.stmts, None, &mut out),
        Def::Fn(d) => {
            if let Body::Block(Block { stmts, .. }) = &d.body {
                collect(spec, stmts, None, &mut out);
            }
        }
        Def::Init(_) => {}
    }
    out
}

fn collect<'a>(spec: &'a Spec, stmts: &'a [Stmt], only: Option<&'a str>, out: &mut Vec<Declared<'a>>) {
    for stmt in stmts {
        match &stmt.kind {
            StmtKind::Declare { kind, name, dims, init } => out.push(Declared {
                name: &name.text,
                learned: *kind == DeclareKind::Weight,
                dims: dims_text(&spec.sources, dims),
                first: spec.sources.slice(init.span),
                only,
            }),
            StmtKind::If { cond, then, otherwise } => {
                collect(spec, &then.stmts, Some(spec.sources.slice(cond.span)), out);
                if let Some(block) = otherwise {
                    collect(spec, &block.stmts, Some("otherwise"), out);
                }
            }
            StmtKind::Repeat { body, .. } => collect(spec, &body.stmts, only, out),
            _ => {}
        }
    }
}

fn declared(spec: &Spec, def: &Def) -> String {
    let list = declarations(spec, def);
    let mut out = String::new();
    for (learned, title) in [(true, "Weights, which it learns"), (false, "Kept from step to step")] {
        let own: Vec<&Declared<'_>> = list.iter().filter(|d| d.learned == learned).collect();
        if own.is_empty() {
            continue;
        }
        let rows: Vec<(String, &Declared<'_>)> =
            own.into_iter().map(|d| (format!("{}[{}]", d.name, d.dims), d)).collect();
        let wide = rows.iter().map(|(t, _)| t.chars().count()).max().unwrap_or(0);
        let _ = write!(out, "\n{title}:\n");
        for (text, d) in rows {
            let first = params(def).iter().find(|p| p.name.text == d.first).and_then(|p| p.default.as_ref());
            let first = first.map_or(d.first, |default| spec.sources.slice(default.span));
            let only = match d.only {
                Some("otherwise") => ", otherwise".into(),
                Some(cond) => format!(", if {cond}"),
                None => String::new(),
            };
            let _ = writeln!(out, "  {text:<wide$}  at first {first}{only}");
        }
    }
    out
}

/// A name that can be explained.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Topic {
    /// Where it belongs: the file of the prelude, such as `layers`, or `built in`.
    pub group: String,
    /// The name.
    pub name: String,
    /// The first sentence of what it is.
    pub about: String,
}

/// All names of the library, by group.
pub fn names(spec: &Spec) -> Vec<Topic> {
    let mut out = Vec::new();
    for name in spec.globals.defs.keys() {
        let Some((doc, span)) = spec.globals.docs.get(name) else { continue };
        let file = spec.sources.get(span.source).name.as_str();
        let group = file.strip_prefix("prelude/").and_then(|f| f.strip_suffix(".nn")).unwrap_or(file);
        let about = first_sentence(doc.as_deref().unwrap_or(""));
        out.push(Topic { group: group.into(), name: name.clone(), about });
    }
    for name in builtins::NAMES {
        let about = builtins::describe(name).and_then(|t| t.split_once(": ")).map_or("", |(_, t)| t);
        out.push(Topic { group: "built in".into(), name: (*name).into(), about: about.into() });
    }
    out.sort();
    out
}

/// The first sentence of a doc comment, without its citation: up to a bracket, a full stop or a colon.
pub(super) fn first_sentence(doc: &str) -> String {
    let flat = doc.split_whitespace().collect::<Vec<_>>().join(" ");
    let ends = [" (", ". ", ": "].iter().filter_map(|e| flat.find(e)).min().unwrap_or(flat.len());
    flat[..ends].trim_end_matches('.').to_string()
}
