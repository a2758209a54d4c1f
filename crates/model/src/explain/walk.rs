//! A program line by line.

use super::name::{declarations, first_sentence, params};
use super::words::{self, Sentence, capital, count, grouped, shape};
use crate::declarations::data::{Port, Ports};
use crate::elaborate::builtins;
use crate::elaborate::elab::Elab;
use crate::elaborate::frame::Frame;
use crate::elaborate::results::LayerRow;
use crate::elaborate::value::{Def, Value};
use crate::program::spec::Spec;
use crate::step::build::Model;
use crate::suggest::foreign_names;
use nnc_graph::{DType, Role};
use nnc_syntax::ast::{Arg, Block, Expr, ExprKind, Link, Part, Stmt, StmtKind, StopWhen};
use nnc_syntax::{Span, units};

/// One line of a program and what it means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explained {
    /// Its line in the file, from 1; 0 for what the program does not say.
    pub line: usize,
    /// Its words.
    pub text: String,
    /// What it means, in paragraphs.
    pub meaning: Vec<String>,
}

/// Walks through a program line by line.
pub fn walk(spec: &Spec, ports: &Ports, model: &Model) -> Vec<Explained> {
    let mut walk = Walk { spec, ports, model, out: Vec::new() };
    for stmt in &spec.program.stmts {
        walk.statement(stmt);
    }
    walk.silent();
    walk.out
}

pub(super) struct Walk<'a> {
    pub spec: &'a Spec,
    pub ports: &'a Ports,
    pub model: &'a Model,
    pub out: Vec<Explained>,
}

impl<'a> Walk<'a> {
    pub(super) fn words(&self, span: Span) -> &'a str {
        self.spec.sources.slice(span)
    }

    fn add(&mut self, span: Span, meaning: Vec<String>) {
        let words = self.words(span);
        let first = words.lines().next().unwrap_or("").trim_end();
        let more = if words.trim_end().lines().count() > 1 { " …" } else { "" };
        self.say(span, format!("{first}{more}"), meaning);
    }

    fn say(&mut self, span: Span, text: String, meaning: Vec<String>) {
        let line = self.spec.sources.get(span.source).line_column(span.start).0;
        self.out.push(Explained { line, text, meaning });
    }

    fn statement(&mut self, stmt: &'a Stmt) {
        let one = |text: &str| vec![text.to_string()];
        let meaning = match &stmt.kind {
            StmtKind::Data(d) => match d.part {
                Part::Train => self.data(),
                Part::Valid => one("Samples to watch the training with. It never learns from them."),
                Part::Test => {
                    one("Samples for the last verdict, after the training. It never learns from them.")
                }
            },
            StmtKind::Flow(_) | StmtKind::Repeat { .. } | StmtKind::If { .. } => return self.steps(stmt),
            StmtKind::Setting { head, args } => self.setting(&head.text, args),
            StmtKind::LossIs(_) => one(
                "The loss: the number that says how badly the network does, and that training makes small.",
            ),
            StmtKind::Stop(StopWhen::Stalls { metric, patience }) => vec![format!(
                "The training ends early when `{}` has not got better for {} epochs.",
                metric.text,
                self.words(patience.span)
            )],
            StmtKind::Stop(StopWhen::Holds(expr)) => {
                vec![format!(
                    "The training ends early, after the first epoch where {}.",
                    self.words(expr.span)
                )]
            }
            StmtKind::Then(_) => one(
                "A further stage of the training: it goes on from the weights that the stage before has left, with \
                 a fresh optimizer, and what is said here takes the place of what was said before.",
            ),
            StmtKind::Expect { .. } => {
                one("What this program promises. `nnc test` trains it and holds it to that.")
            }
            StmtKind::Param { name, .. } => {
                let value =
                    self.spec.params.iter().rev().find(|(n, _)| *n == name.text).map(|(_, v)| v.as_str());
                let now = value.map_or(String::new(), |v| format!(", here {v}"));
                vec![format!("A value to play with{now}: `--set {}=…` gives it another.", name.text)]
            }
            StmtKind::Fn(_) | StmtKind::Layer(_) | StmtKind::Rule(_) | StmtKind::Init(_) => {
                self.definition(stmt)
            }
            StmtKind::Shared { name, .. } => vec![format!(
                "One layer with one set of weights: wherever `{}` is used, it is the same one.",
                name.text
            )],
            StmtKind::Use { .. } => one("The definitions of another file can be used from here on."),
            StmtKind::Require { .. }
            | StmtKind::Declare { .. }
            | StmtKind::Rewrite { .. }
            | StmtKind::Error => {
                return;
            }
        };
        self.add(stmt.span, meaning);
    }

    fn definition(&self, stmt: &Stmt) -> Vec<String> {
        let what = match &stmt.kind {
            StmtKind::Layer(_) => "A layer of this program's own",
            StmtKind::Rule(_) => "An optimizer of this program's own",
            StmtKind::Init(_) => "First values of this program's own",
            _ => "A function of this program's own",
        };
        let doc = stmt.doc.iter().map(|d| d.split_whitespace().collect::<Vec<_>>().join(" "));
        doc.chain([format!("{what}: it does something where it is used.")]).collect()
    }

    // ---- data ----------------------------------------------------------------------------

    fn data(&self) -> Vec<String> {
        let ports = self.ports;
        let part = |port: &Port, several: bool| {
            let named = if several { format!(" (`{}`)", port.name) } else { String::new() };
            let what = match &port.classes {
                Some(c) if port.shape.is_empty() => format!("one of {} classes", grouped(c.len())),
                Some(c) => format!("{}, each one of {} classes", shape(&port.shape), grouped(c.len())),
                None => shape(&port.shape),
            };
            format!("{what}{named}")
        };
        let inputs: Vec<String> = ports.inputs.iter().map(|p| part(p, ports.inputs.len() > 1)).collect();
        let samples = count(ports.samples as u64, "sample");
        let mut out = vec![format!("The {samples} to learn from. What goes in: {}.", inputs.join(" and "))];
        for target in &ports.targets {
            let mut line = format!("What should come out: {}", part(target, ports.targets.len() > 1));
            if let (Some(names), true) = (&target.classes, target.shape.is_empty()) {
                line.push_str(&format!(": {}", some(names)));
            }
            out.push(line + ".");
        }
        if ports.targets.is_empty() {
            out.push("Nothing is said about what should come out: the loss does without.".into());
        }
        out
    }

    // ---- steps ---------------------------------------------------------------------------

    fn steps(&mut self, stmt: &'a Stmt) {
        let inside = |span: Span| {
            span.source == stmt.span.source && span.start >= stmt.span.start && span.end <= stmt.span.end
        };
        let rows: Vec<(usize, &'a LayerRow)> =
            self.model.layers.iter().enumerate().filter(|(_, r)| inside(r.span)).collect();
        match &stmt.kind {
            StmtKind::Repeat { count: times, .. } => {
                let value = self.value(times).map_or(String::new(), |v| format!(", here {v} times"));
                self.add(
                    times.span.to(stmt.span),
                    vec![format!(
                        "What stands between the braces several times{value}; each time has its own weights."
                    )],
                );
                if let Some(last) = self.out.last_mut() {
                    last.text = self.spec.sources.slice(stmt.span).lines().next().unwrap_or("").to_string();
                }
            }
            StmtKind::If { cond, .. } => {
                let value = match self.value(cond).map(|v| v == "yes") {
                    Some(true) => ", and it does",
                    Some(false) => ", and it does not",
                    None => "",
                };
                let words = self.words(cond.span);
                self.add(
                    stmt.span,
                    vec![format!("Only where {words} holds{value}. This is decided before training.")],
                );
            }
            StmtKind::Flow(flow) if rows.is_empty() => {
                let names: Vec<String> = flow.targets.iter().map(|t| format!("`{}`", t.text)).collect();
                let words = self.words(flow.chain.span);
                self.add(
                    stmt.span,
                    match names.is_empty() {
                        true => vec![format!("Back to {words}: the next line works on it.")],
                        false if words == "it" => {
                            vec![format!("{} is a name for what was computed last.", names.join(", "))]
                        }
                        false => vec![format!("{} is a name for {words}.", names.join(", "))],
                    },
                );
            }
            _ => {}
        }
        let mut seen: Vec<Span> = Vec::new();
        for (at, row) in &rows {
            if seen.contains(&row.span) {
                continue;
            }
            seen.push(row.span);
            let times = rows.iter().filter(|(_, r)| r.span == row.span).count();
            let last = self.model.layers.iter().skip(*at + 1).all(|r| r.span == row.span);
            let mut meaning = self.row(row, stmt, last);
            if times > 1 {
                meaning.push(format!("This line is done {times} times."));
            }
            // A step with a name for its result is shown with it.
            let whole =
                matches!(&stmt.kind, StmtKind::Flow(flow) if flow.chain.span == row.span || rows.len() == 1);
            let span = if whole { stmt.span } else { row.span };
            let text = self.words(span).split_whitespace().collect::<Vec<_>>().join(" ");
            self.say(span, text, meaning);
        }
        if let StmtKind::Flow(flow) = &stmt.kind
            && !flow.targets.is_empty()
            && !rows.is_empty()
            && let Some(last) = self.out.last_mut()
        {
            let names: Vec<String> = flow.targets.iter().map(|t| format!("`{}`", t.text)).collect();
            let verb =
                if names.len() == 1 { "is a name for the result" } else { "are names for the results" };
            let at = last.meaning.len().min(1);
            last.meaning.insert(at, format!("{} {verb}.", names.join(", ")));
        }
    }

    fn row(&self, row: &LayerRow, stmt: &Stmt, last: bool) -> Vec<String> {
        let callee = row.text.split([' ', '(']).next().unwrap_or("");
        let step = find(std::slice::from_ref(stmt), row.span);
        let bound = step.and_then(|args| self.bound(callee, args));
        let mut out = vec![self.what(row, callee, bound.as_deref(), last)];
        let given = match &row.given {
            Some(given) => format!("{} in, {} out", shape(given), shape(&row.shape)),
            None => format!("{} out", shape(&row.shape)),
        };
        out.push(format!("{}.", capital(&given)));
        if row.weights > 0 {
            out.push(self.weights(row, callee, bound.as_deref()));
        } else if let Some(name) = self.reused(row) {
            out.push(format!("The weights are those of `{name}`, used again."));
        }
        if let Some(open) = bound.and_then(|b| self.open(callee, &b)) {
            out.push(open);
        }
        out
    }

    /// What a step does.
    fn what(&self, row: &LayerRow, callee: &str, bound: Option<&[(usize, Value)]>, last: bool) -> String {
        let sentence = words::sentence(callee);
        if sentence == Some(Sentence::Neurons) {
            return self.neurons(row, bound, last);
        }
        let number = bound.and_then(|b| b.iter().find_map(|(_, v)| v.int()));
        if let Some(text) = words::layer(callee) {
            return text.replace("{n}", &number.map_or("some".into(), |n| n.to_string()));
        }
        if sentence == Some(Sentence::Zeroed)
            && let Some(def) = self.spec.globals.defs.get(callee)
        {
            let rate = params(def).iter().position(|p| p.name.text == "rate");
            let given =
                bound.and_then(|b| b.iter().find(|(i, _)| Some(*i) == rate)).and_then(|(_, v)| v.num());
            let percent = given.unwrap_or(0.5) * 100.0;
            return format!(
                "While training, a random {}% of the numbers are set to 0 in every step, so that the network \
                 cannot rely on any single one. Afterwards it does nothing.",
                (percent * 10.0).round() / 10.0
            );
        }
        if let Some(text) = words::activation(callee) {
            return format!("{}.", capital(text));
        }
        let called = row.text.split(" -> ").last().unwrap_or(callee).trim();
        let shared = |s: &&Stmt| matches!(&s.kind, StmtKind::Shared { name, .. } if name.text == called);
        if self.spec.program.stmts.iter().any(|s| shared(&s)) {
            return format!("What the layer `{called}` makes of it.");
        }
        if let Some((doc, span)) = self.spec.globals.docs.get(callee) {
            let own = span.source.0 >= self.spec.first_user_source;
            return match doc {
                Some(doc) => format!("{}.", first_sentence(doc)),
                None if own => format!("`{callee}`, which this program defines."),
                None => format!("`{callee}`."),
            };
        }
        match builtins::describe(callee).and_then(|t| t.split_once(": ")) {
            Some((_, text)) => format!("{}.", capital(text)),
            None => "Mathematics, for each sample on its own.".into(),
        }
    }

    fn neurons(&self, row: &LayerRow, bound: Option<&[(usize, Value)]>, last: bool) -> String {
        let units = row.shape.last().copied().unwrap_or(1);
        let inputs = row.given.as_ref().and_then(|g| g.last()).copied().unwrap_or(1);
        let function = bound.and_then(|b| {
            b.iter().find_map(|(_, v)| match v {
                Value::Func(_) => Some(v.to_string()),
                _ => None,
            })
        });
        let each = match inputs {
            1 => "looks at the one number".to_string(),
            n => format!("looks at all {} numbers", grouped(n)),
        };
        let kind = match last {
            true => "The output layer",
            false => "A hidden layer",
        };
        let neurons = match units {
            1 => format!("{kind}, a single neuron: it {each}"),
            n => format!("{kind} of {} neurons. Each {each}", grouped(n)),
        };
        let (once, sum) = match inputs {
            1 => ("multiplies it by a weight", "adds a bias"),
            _ => ("multiplies each by a weight of its own", "adds them up, with a bias"),
        };
        let through = match function.as_deref() {
            None => ", and that is its answer".to_string(),
            Some(f) if words::is_identity(f) => ", and that is its answer".to_string(),
            Some(f) => match words::activation(f) {
                Some(text) => {
                    format!(", and passes the sum through `{f}`: {}", text.replace(&format!("`{f}`"), "it"))
                }
                None => format!(", and passes the sum through `{f}`"),
            },
        };
        let many = row.given.as_ref().map_or(0, Vec::len) > 1;
        let places = if many { " This happens at every place of the sequence." } else { "" };
        format!("{neurons}, {once}, {sum}{through}.{places}")
    }

    /// What is learned, and from where it starts.
    fn weights(&self, row: &LayerRow, callee: &str, bound: Option<&[(usize, Value)]>) -> String {
        let prefix = format!("{}.", row.name);
        let own: Vec<_> = self
            .model
            .parameters
            .iter()
            .filter(|p| p.role == Role::Weight && p.name.starts_with(&prefix))
            .collect();
        let total = format!("It learns {}", count(row.weights as u64, "number"));
        if own.is_empty() || own.len() > 6 {
            return format!("{total}, in {} tensors whose names begin with `{}`.", own.len(), row.name);
        }
        let def = self.spec.globals.defs.get(callee);
        let declared = def.map(|d| declarations(self.spec, d)).unwrap_or_default();
        let parts: Vec<String> = own
            .iter()
            .map(|p| {
                let short = &p.name[prefix.len()..];
                let first = declared.iter().find(|d| d.name == short).map(|d| {
                    let words =
                        def.and_then(|def| self.argument(def, d.first, bound)).unwrap_or(d.first.into());
                    format!(", {}", words::first(&words))
                });
                format!("`{}` {}{}", p.name, units::sizes(&p.shape), first.unwrap_or_default())
            })
            .collect();
        format!("{total}: {}.", parts.join("; "))
    }

    /// What a parameter of a definition is here: the argument, or its default.
    fn argument(&self, def: &Def, name: &str, bound: Option<&[(usize, Value)]>) -> Option<String> {
        let at = params(def).iter().position(|p| p.name.text == name)?;
        match bound.and_then(|b| b.iter().find(|(i, _)| *i == at)) {
            Some((_, value)) => Some(value.to_string()),
            None => params(def)[at].default.as_ref().map(|d| self.words(d.span).to_string()),
        }
    }

    /// The shared layer that a step uses again.
    fn reused(&self, row: &LayerRow) -> Option<&'a str> {
        let shared = self.spec.program.stmts.iter().find_map(|s| match &s.kind {
            StmtKind::Shared { name, .. } if name.text == row.text => Some(name.text.as_str()),
            _ => None,
        })?;
        self.model
            .layers
            .iter()
            .any(|r| r.text == shared && r.weights > 0 && r.span != row.span)
            .then_some(shared)
    }

    /// What was left open, and what it is then.
    pub(super) fn open(&self, callee: &str, bound: &[(usize, Value)]) -> Option<String> {
        let def = self.spec.globals.defs.get(callee)?;
        let open: Vec<String> = params(def)
            .iter()
            .enumerate()
            .filter(|(i, _)| bound.iter().all(|(j, _)| i != j))
            .filter_map(|(_, p)| Some(format!("{}={}", p.name.text, self.words(p.default.as_ref()?.span))))
            .collect();
        if open.is_empty() {
            return None;
        }
        let whose = if foreign_names(callee).is_empty() { "as usual" } else { "Keras' defaults" };
        Some(format!("Left open, so {whose}: {}.", open.join(" ")))
    }

    /// Which arguments go to which parameters; `None` where that cannot be said outside its place.
    pub(super) fn bound(&self, callee: &str, args: &[Arg]) -> Option<Vec<(usize, Value)>> {
        let params = params(self.spec.globals.defs.get(callee)?).to_vec();
        let def_is_fn = matches!(self.spec.globals.defs.get(callee), Some(Def::Fn(_)));
        let own = if def_is_fn { params.get(1..).unwrap_or(&[]).to_vec() } else { params };
        let mut e = self.elab();
        let span = args.first().map_or(Span::default(), |a| a.span);
        let bound = e.arguments(&mut Frame::top(), callee, &own, args, span, true).ok()?;
        let shift = usize::from(def_is_fn);
        let mut bound: Vec<(usize, Value)> = bound.into_iter().map(|(i, v)| (i + shift, v)).collect();
        if def_is_fn {
            bound.push((0, Value::Poison));
        }
        Some(bound)
    }

    fn elab(&self) -> Elab<'a> {
        let spec = self.spec;
        let mut e = Elab::new(&spec.sources, spec.first_user_source, spec.globals.clone(), DType::F32, true);
        e.session.ports = self.ports.clone();
        e
    }

    /// A number or answer that is known before training.
    fn value(&self, expr: &Expr) -> Option<String> {
        match self.elab().expr(&mut Frame::top(), expr).ok()? {
            Value::Poison | Value::Tensor(_) => None,
            value => Some(value.to_string()),
        }
    }
}

/// The arguments of the step with this place.
fn find(stmts: &[Stmt], span: Span) -> Option<&[Arg]> {
    stmts.iter().find_map(|stmt| match &stmt.kind {
        StmtKind::Flow(flow) => flow.chain.links.iter().find_map(|link| match link {
            Link::Step(step) if step.span == span => Some(&step.args[..]),
            Link::Exprs(exprs) => match exprs.first().map(|e| (&e.kind, e.span)) {
                Some((ExprKind::Call { args, .. }, at)) if at == span => Some(&args[..]),
                Some((ExprKind::Name(_), at)) if at == span => Some(&[]),
                _ => None,
            },
            _ => None,
        }),
        StmtKind::Repeat { body, .. } => find(&body.stmts, span),
        StmtKind::If { then, otherwise, .. } => {
            let other = otherwise.as_ref().and_then(|Block { stmts, .. }| find(stmts, span));
            find(&then.stmts, span).or(other)
        }
        _ => None,
    })
}

fn some(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(6).map(String::as_str).collect();
    format!("{}{}", shown.join(", "), if names.len() > 6 { ", …" } else { "" })
}
