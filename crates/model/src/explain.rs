//! Words about programs: what a name means, and what every line of a program does.

use crate::builtins;
use crate::data::Ports;
use crate::spec::Spec;
use crate::step::Model;
use crate::suggest::foreign_names;
use crate::value::Def;
use nnc_graph::Role;
use nnc_syntax::ast::{Param, Stmt, StmtKind};
use std::fmt::Write as _;

/// What `nnc explain NAME` prints; `None` when nothing has that name.
pub fn name(spec: &Spec, name: &str) -> Option<String> {
    let Some(def) = spec.globals.defs.get(name) else {
        return builtins::describe(name)
            .map(|text| format!("{text}\n\nA function of the compiler itself.\n"));
    };
    let (doc, span) = spec.globals.docs.get(name)?;
    let kind = match def {
        Def::Fn(_) => "a function",
        Def::Layer(_) => "a layer",
        Def::Rule(_) => "an optimizer",
        Def::Init(_) => "an initialiser",
    };
    let mut out = format!("{name}: {kind}\n\n");
    if let Some(doc) = doc {
        let _ = writeln!(out, "{doc}\n");
    }
    let foreign = foreign_names(name);
    if !foreign.is_empty() {
        let _ = writeln!(out, "Elsewhere it is called {}.\n", foreign.join(", "));
    }
    let source = &spec.sources.get(span.source).name;
    let _ = writeln!(out, "Its definition, in {source}:\n");
    for line in spec.sources.slice(*span).lines() {
        let _ = writeln!(out, "    {line}");
    }
    Some(out)
}

/// All names with the first line of what they are, by kind; for `nnc explain` without a name.
pub fn names(spec: &Spec) -> Vec<(&'static str, String, String)> {
    let mut out = Vec::new();
    for (name, def) in &spec.globals.defs {
        let kind = match def {
            Def::Fn(_) => "functions",
            Def::Layer(_) => "layers",
            Def::Rule(_) => "optimizers",
            Def::Init(_) => "initialisers",
        };
        let doc = spec.globals.docs.get(name).and_then(|(doc, _)| doc.clone()).unwrap_or_default();
        let first = doc.lines().next().unwrap_or("").to_string();
        out.push((kind, name.clone(), first));
    }
    for name in builtins::NAMES {
        let text = builtins::describe(name).and_then(|t| t.split_once(": ")).map_or("", |(_, t)| t);
        out.push(("functions", (*name).to_string(), text.to_string()));
    }
    out.sort();
    out
}

/// One line of a program and what it means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explained {
    /// Its line in the file, from 1.
    pub line: usize,
    /// Its words.
    pub text: String,
    /// What it means, in sentences.
    pub meaning: Vec<String>,
}

/// Walks through a program line by line.
pub fn walk(spec: &Spec, ports: &Ports, model: &Model) -> Vec<Explained> {
    let mut out = Vec::new();
    for stmt in &spec.program.stmts {
        explain(spec, ports, model, stmt, &mut out);
    }
    let mut silent = Vec::new();
    if model.settings.epochs.is_none() && model.settings.steps.is_none() {
        silent.push("epochs 100: so often does the training see all samples.".to_string());
    }
    if !mentions(spec, "batch") {
        silent.push(format!(
            "batch {}: so many samples make one step (Keras' default); here {} step{} make an epoch.",
            model.settings.batch,
            model.settings.steps_per_epoch(ports.samples),
            if model.settings.steps_per_epoch(ports.samples) == 1 { "" } else { "s" },
        ));
    }
    if !mentions(spec, "seed") {
        silent.push(format!(
            "seed {}: the same seed gives the same first weights, the same order, the same result.",
            model.settings.seed
        ));
    }
    if !mentions(spec, "optimizer") {
        silent.push("optimizer adam: the usual first choice.".into());
    }
    if !silent.is_empty() {
        out.push(Explained { line: 0, text: "what the program leaves open".into(), meaning: silent });
    }
    out
}

fn mentions(spec: &Spec, head: &str) -> bool {
    spec.program.stmts.iter().any(|s| matches!(&s.kind, StmtKind::Setting { head: h, .. } if h.text == head))
}

fn explain(spec: &Spec, ports: &Ports, model: &Model, stmt: &Stmt, out: &mut Vec<Explained>) {
    let source = spec.sources.get(stmt.span.source);
    let line = source.line_column(stmt.span.start).0;
    let words = spec.sources.slice(stmt.span);
    let text = words.lines().next().unwrap_or("").trim_end().to_string();
    let text = if words.lines().count() > 1 { format!("{text} …") } else { text };
    let meaning = match &stmt.kind {
        StmtKind::Data(d) if d.role.text == "data" => data(ports),
        StmtKind::Data(d) => vec![format!(
            "Rows to {} with, never trained on.",
            if d.role.text == "valid" { "watch the training" } else { "test" }
        )],
        StmtKind::Flow(_) | StmtKind::Repeat { .. } | StmtKind::If { .. } => {
            layers(spec, ports, model, stmt, out);
            return;
        }
        StmtKind::Setting { head, args } => {
            let named = args.first().map(|a| spec.sources.slice(a.value.span)).unwrap_or("");
            setting(spec, ports, model, &head.text, named, words)
        }
        StmtKind::LossIs(_) => {
            vec!["The number that training makes small, in this program's own words.".into()]
        }
        StmtKind::Stop(_) => vec!["Ends the training early.".into()],
        StmtKind::Expect { .. } => vec!["What this program promises; `nnc test` holds it to that.".into()],
        StmtKind::Param { name, .. } => {
            vec![format!("A number to play with: --set {}=… changes it from the command line.", name.text)]
        }
        StmtKind::Fn(_) | StmtKind::Layer(_) | StmtKind::Rule(_) | StmtKind::Init(_) => stmt
            .doc
            .iter()
            .cloned()
            .chain(["A definition; it does something where it is used.".to_string()])
            .collect(),
        StmtKind::Shared { name, .. } => {
            vec![format!("One set of weights: every use of `{}` is the same layer.", name.text)]
        }
        StmtKind::Use { .. } => vec!["Definitions from another file.".into()],
        StmtKind::Require { .. } | StmtKind::Declare { .. } | StmtKind::Rewrite { .. } | StmtKind::Error => {
            return;
        }
    };
    out.push(Explained { line, text, meaning });
}

fn shape(sizes: &[usize]) -> String {
    match sizes {
        [] => "one number".into(),
        [1] => "1 number".into(),
        [n] => format!("{n} numbers"),
        many => many.iter().map(usize::to_string).collect::<Vec<_>>().join("x"),
    }
}

fn data(ports: &Ports) -> Vec<String> {
    let inputs: Vec<String> = ports.inputs.iter().map(|p| shape(&p.shape)).collect();
    let mut out =
        vec![format!("{} samples to learn from; each gives {}.", ports.samples, inputs.join(" and "))];
    for target in &ports.targets {
        out.push(match &target.classes {
            Some(names) => format!("The answer is one of {} classes: {}.", names.len(), names.join(", ")),
            None => format!("The answer is {}.", shape(&target.shape)),
        });
    }
    out
}

fn layers(spec: &Spec, ports: &Ports, model: &Model, stmt: &Stmt, out: &mut Vec<Explained>) {
    let mut before = ports.inputs.first().map_or_else(Vec::new, |p| p.shape.clone());
    for row in &model.layers {
        let inside = row.span.source == stmt.span.source
            && row.span.start >= stmt.span.start
            && row.span.end <= stmt.span.end;
        if inside {
            let callee = row.text.split([' ', '(']).next().unwrap_or("");
            let mut meaning = vec![format!("{} in, {} out.", shape(&before), shape(&row.shape))];
            if let Some((Some(doc), _)) = spec.globals.docs.get(callee) {
                meaning.insert(0, doc.replace('\n', " "));
            } else if let Some(text) = builtins::describe(callee) {
                meaning.insert(0, text.to_string());
            }
            let own = weights(model, &row.name);
            if !own.is_empty() {
                let parts: Vec<String> = own
                    .iter()
                    .map(|(n, s)| {
                        format!("{n} {}", s.iter().map(usize::to_string).collect::<Vec<_>>().join("x"))
                    })
                    .collect();
                meaning.push(format!("It learns {} numbers: {}.", row.weights, parts.join(", ")));
            }
            if let Some(open) = defaults(spec, callee, &row.text) {
                meaning.push(open);
            }
            let line = spec.sources.get(row.span.source).line_column(row.span.start).0;
            out.push(Explained { line, text: row.text.clone(), meaning });
        }
        before.clone_from(&row.shape);
    }
}

fn weights(model: &Model, layer: &str) -> Vec<(String, Vec<usize>)> {
    let prefix = format!("{layer}.");
    let own = model.parameters.iter().filter(|p| p.role == Role::Weight && p.name.starts_with(&prefix));
    own.map(|p| (p.name.clone(), p.shape.clone())).collect()
}

fn params(spec: &Spec, name: &str) -> Option<Vec<Param>> {
    Some(match spec.globals.defs.get(name)? {
        Def::Fn(d) => d.params.clone(),
        Def::Layer(d) => d.params.clone(),
        Def::Rule(d) => d.params.clone(),
        Def::Init(d) => d.params.clone(),
    })
}

/// What was left open, and what it is then.
fn defaults(spec: &Spec, name: &str, words: &str) -> Option<String> {
    let params = params(spec, name)?;
    let given: Vec<&str> = words.split_whitespace().collect();
    let open: Vec<String> = params
        .iter()
        .filter_map(|p| {
            let default = spec.sources.slice(p.default.as_ref()?.span);
            let key = format!("{}=", p.name.text);
            (!given.iter().any(|g| g.starts_with(&key) || *g == p.name.text))
                .then(|| format!("{}={default}", p.name.text))
        })
        .collect();
    (!open.is_empty()).then(|| format!("Unless said otherwise: {}.", open.join(" ")))
}

fn setting(spec: &Spec, ports: &Ports, model: &Model, head: &str, named: &str, words: &str) -> Vec<String> {
    let doc = || spec.globals.docs.get(named).and_then(|(doc, _)| doc.clone()).map(|d| d.replace('\n', " "));
    let mut out: Vec<String> = Vec::new();
    match head {
        "loss" => {
            out.push("The number that training makes small.".into());
            out.extend(doc());
        }
        "optimizer" => {
            out.push("How a step changes the weights, given the slope of the loss.".into());
            out.extend(doc());
            out.extend(defaults(spec, named, words));
        }
        "metrics" => {
            out.push("Figures to watch; they do not steer the training.".into());
            out.extend(doc());
        }
        "epochs" => out.push(format!(
            "All {} samples are seen this often; that makes {} steps.",
            ports.samples,
            model.settings.total_steps(ports.samples)
        )),
        "steps" => out.push("The training ends after so many steps.".into()),
        "batch" => out.push(format!(
            "So many samples make one step; {} steps make an epoch.",
            model.settings.steps_per_epoch(ports.samples)
        )),
        "seed" => out.push("The key of all random numbers: same seed, same result, bit for bit.".into()),
        "schedule" => {
            out.push("How the learning rate changes while training.".into());
            out.extend(doc());
        }
        "clip" => out.push("Shortens the gradient when it is longer than this.".into()),
        "split" => {
            out.push("Rows kept apart: `valid` watches the training, `test` judges the result.".into())
        }
        "save" => out.push("Which weights are kept.".into()),
        "experiment" => out.push("A named set of parameters: --as NAME.".into()),
        "input" | "target" => out.push("A column of the data under a name of its own.".into()),
        "output" => out.push("The tensors that a prediction shows.".into()),
        "language" => out.push("The version of the language.".into()),
        _ => {}
    }
    out
}
