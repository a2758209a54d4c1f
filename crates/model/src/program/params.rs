//! Parameters: their defaults, the chosen experiment, and `--set`.

use crate::elaborate::elab::{Res, Stop};
use crate::elaborate::value::{Kind, Value};
use crate::program::reader::Reader;
use crate::program::spec::Overrides;
use crate::suggest::{foreign, nearest};
use nnc_syntax::ast::{Arg, Expr, ExprKind, Link, Name, Program, Stmt, StmtKind, Within};
use nnc_syntax::{Code, Diagnostic, Head, SourceId, Span, parse};
use std::rc::Rc;

impl Reader<'_> {
    /// Parameters: defaults, then the experiment, then `--set`.
    pub fn params(
        &mut self,
        program: &Program,
        overrides: &Overrides,
        set: &[(SourceId, &(String, String))],
    ) {
        for stmt in &program.stmts {
            if let StmtKind::Setting { head, args } = &stmt.kind
                && head.text == "experiment"
            {
                self.experiment(args, stmt.span);
            }
        }
        let chosen = self.chosen(overrides);
        let mut known: Vec<String> = Vec::new();
        for stmt in &program.stmts {
            let StmtKind::Param { name, value, within } = &stmt.kind else { continue };
            known.push(name.text.clone());
            let default = match self.param_value(value, within.as_ref()) {
                Ok(value) => value,
                Err(stop) => {
                    self.e.report(stop);
                    Rc::make_mut(&mut self.e.scope.globals).params.push((name.text.clone(), Value::Poison));
                    continue;
                }
            };
            let mut current = default.clone();
            let asked = chosen.iter().flatten().find(|a| a.key.as_ref().is_some_and(|k| k.text == name.text));
            let asked = asked.map(|a| a.value.clone());
            let typed =
                set.iter().rev().find(|(_, kv)| kv.0 == name.text).and_then(|(id, _)| self.typed(*id));
            if let Some(value) = asked.and_then(|expr| self.param_value(&expr, within.as_ref()).ok()) {
                current = value; // its mistakes are told with all experiments
            }
            if let Some(expr) = typed {
                let value = match self.no_word(name, &default, &expr, within.as_ref()) {
                    Some(d) => Err(Stop::Error(Box::new(d))),
                    None => self
                        .param_value(&expr, within.as_ref())
                        .and_then(|v| self.fits(name, &default, v, &expr)),
                };
                match value {
                    Ok(value) => current = value,
                    Err(stop) => self.e.report(stop),
                }
            }
            if let Err(stop) = self.within(name, &current, within.as_ref(), stmt.span) {
                self.e.report(stop);
            }
            Rc::make_mut(&mut self.e.scope.globals).params.push((name.text.clone(), current));
        }
        for (i, (_, (name, value))) in set.iter().enumerate() {
            if let Some((_, (_, first))) = set[..i].iter().find(|(_, kv)| kv.0 == *name) {
                let d = Diagnostic::error(
                    Code::N0205,
                    format!("--set gives `{name}` two values: {first} and {value}"),
                );
                self.e.session.diagnostics.push(d.help(format!("a list: --set {name}=[{first}, {value}]")));
            }
        }
        self.unknown_params(&known, set);
        self.check_experiments(program, &known);
    }

    /// Every experiment's parameters exist and take its values, whether it is chosen or not.
    fn check_experiments(&mut self, program: &Program, known: &[String]) {
        for (experiment, args) in self.experiments.clone() {
            for arg in &args {
                let Some(key) = &arg.key else {
                    let d = Diagnostic::error(Code::N0204, "an experiment gives parameters their values")
                        .label(arg.span, "this is no parameter with a value")
                        .help(format!("experiment {} hidden=32", experiment.text));
                    self.e.session.diagnostics.push(d);
                    continue;
                };
                let declared = program.stmts.iter().find_map(|s| match &s.kind {
                    StmtKind::Param { name, value, within } if name.text == key.text => {
                        Some((name, value, within.as_ref()))
                    }
                    _ => None,
                });
                let Some((name, default, within)) = declared else {
                    let words: Vec<&str> = known.iter().map(String::as_str).collect();
                    let d = Diagnostic::error(
                        Code::N0213,
                        format!("there is no parameter called `{}`", key.text),
                    );
                    let d = unknown_param(d.label(key.span, ""), &key.text, &words);
                    self.e.session.diagnostics.push(d);
                    continue;
                };
                // A default with a mistake is told already.
                let Ok(default) = self.param_value(default, within) else { continue };
                if let Some(d) = self.no_word(name, &default, &arg.value, within) {
                    self.e.session.diagnostics.push(d);
                    continue;
                }
                let value = self
                    .param_value(&arg.value, within)
                    .and_then(|v| self.fits(name, &default, v, &arg.value))
                    .and_then(|v| self.within(name, &v, within, arg.span));
                if let Err(stop) = value {
                    self.e.report(stop);
                }
            }
        }
    }

    /// A word that means nothing, where a number or a function is wanted.
    fn no_word(
        &self,
        name: &Name,
        default: &Value,
        expr: &Expr,
        within: Option<&Within>,
    ) -> Option<Diagnostic> {
        let ExprKind::Name(word) = &expr.kind else { return None };
        if let Some(Within::List(options)) = within {
            let words = options.iter().map(|o| self.e.session.sources.slice(o.span)).collect::<Vec<_>>();
            if words.contains(&word.as_str()) || self.e.lookup(&self.frame, word).is_some() {
                return None;
            }
            let message = format!("`{}` is one of {}, and `{word}` is not", name.text, words.join(", "));
            let d = Diagnostic::error(Code::N0205, message).label(expr.span, "this value");
            return Some(d.label(name.span, "declared here"));
        }
        if self.e.lookup(&self.frame, word).is_some() {
            return None;
        }
        let kind = Kind::of(default).describe();
        let kind = kind.split(" such as").next().unwrap_or(kind);
        let d = Diagnostic::error(Code::N0205, format!("`{}` is {kind}, and `{word}` is not", name.text))
            .label(expr.span, "this value")
            .label(name.span, format!("declared here, with {default} as its default"))
            .help(format!("for example --set {}={default}", name.text));
        Some(d)
    }

    fn experiment(&mut self, args: &[Arg], span: Span) {
        match args.first() {
            Some(Arg { key: None, value: Expr { kind: ExprKind::Name(text), span: at }, .. }) => {
                self.experiments.push((Name { text: text.clone(), span: *at }, args[1..].to_vec()));
            }
            _ => {
                let d = Diagnostic::error(Code::N0204, "an experiment has a name and parameters")
                    .label(span, "experiment wide hidden=32");
                self.e.session.diagnostics.push(d);
            }
        }
    }

    fn chosen(&mut self, overrides: &Overrides) -> Option<Vec<Arg>> {
        let wanted = overrides.experiment.as_ref()?;
        if let Some((_, args)) = self.experiments.iter().find(|(n, _)| n.text == *wanted) {
            return Some(args.clone());
        }
        let names: Vec<&str> = self.experiments.iter().map(|(n, _)| n.text.as_str()).collect();
        let mut d = Diagnostic::error(Code::N0212, format!("there is no experiment called `{wanted}`"));
        d = match (nearest(wanted, &names), names.is_empty()) {
            (_, true) => d.help("this program declares none: experiment wide hidden=32"),
            (Some(near), _) => d.help(format!("did you mean --as {near}?")),
            (None, _) => d.help(format!("experiments here: {}", names.join(", "))),
        };
        self.e.session.diagnostics.push(d);
        None
    }

    /// The expression after `=` of `--set`.
    fn typed(&mut self, id: SourceId) -> Option<Expr> {
        let text = self.e.session.sources.get(id).text.clone();
        let parsed = parse(&text, id);
        let mut several = None;
        if let ([Stmt { kind: StmtKind::Flow(flow), .. }], []) =
            (&parsed.program.stmts[..], &parsed.diagnostics[..])
            && let ([], [Link::Exprs(exprs)]) = (&flow.targets[..], &flow.chain.links[..])
        {
            match &exprs[..] {
                [one] => return Some(one.clone()),
                many => several = Some(many.len()),
            }
        }
        let name = self.e.session.sources.get(id).name.clone();
        let name = name.trim_start_matches("--set ").split('=').next().unwrap_or("").to_string();
        let span = Span::new(id, 0, text.len());
        let d = match several {
            Some(n) => {
                Diagnostic::error(Code::N0205, format!("`{text}` is {n} values, and a parameter has one"))
                    .label(span, "")
                    .help(format!("a list: --set {name}=[{text}]"))
                    .help(
                        "one training for each value: a command for each, or an `experiment` of the program",
                    )
            }
            None => Diagnostic::error(Code::N0205, format!("`{text}` is no value")).label(span, ""),
        };
        self.e.session.diagnostics.push(d);
        None
    }

    /// A parameter's value; a word among its allowed values is that word.
    fn param_value(&mut self, expr: &Expr, within: Option<&Within>) -> Res<Value> {
        if let (ExprKind::Name(word), Some(Within::List(options))) = (&expr.kind, within)
            && options.iter().any(|o| matches!(&o.kind, ExprKind::Name(n) if n == word))
        {
            // `in [relu, tanh]` are functions, `in [point, mixture]` are words.
            let known = |name: &str| match self.e.lookup(&self.frame, name) {
                Some(value @ (Value::Func(_) | Value::Init(_))) => Some(value),
                _ => None,
            };
            let functions =
                options.iter().all(|o| matches!(&o.kind, ExprKind::Name(n) if known(n).is_some()));
            let function = if functions { known(word) } else { None };
            return Ok(function.unwrap_or_else(|| Value::Symbol(word.as_str().into())));
        }
        self.e.expr(&mut self.frame, expr)
    }

    fn fits(&mut self, name: &Name, default: &Value, value: Value, expr: &Expr) -> Res<Value> {
        let kind = Kind::of(default);
        if kind.accepts(&value) || matches!(value, Value::Symbol(_)) {
            return Ok(value);
        }
        let d = self
            .e
            .error(
                Code::N0205,
                format!("`{}` is {}, and this is {}", name.text, kind.describe(), value.kind()),
                expr.span,
                "",
            )
            .label(name.span, "declared here")
            .help(format!("for example --set {}={default}", name.text));
        Err(Stop::Error(Box::new(d)))
    }

    fn within(&mut self, name: &Name, value: &Value, within: Option<&Within>, span: Span) -> Res<()> {
        let allowed = match within {
            None => return Ok(()),
            Some(Within::Range(low, high)) => {
                let (low, high) = (self.e.expr(&mut self.frame, low)?, self.e.expr(&mut self.frame, high)?);
                let inside = match (value.num(), low.num(), high.num()) {
                    (Some(v), Some(l), Some(h)) => l <= v && v <= h,
                    _ => false,
                };
                if inside {
                    return Ok(());
                }
                format!("{low}..{high}")
            }
            Some(Within::List(options)) => {
                let values: Vec<Value> =
                    options.iter().map(|o| self.param_value(o, within)).collect::<Res<_>>()?;
                if values.contains(value) {
                    return Ok(());
                }
                values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            }
        };
        let message = format!("`{}` is one of {allowed}, and {value} is not", name.text);
        let own = span.start <= name.span.start && name.span.end <= span.end;
        let mut d =
            self.e.error(Code::N0205, message, span, if own { "declared here" } else { "this value" });
        if !own {
            d = d.label(name.span, "declared here");
        }
        Err(Stop::Error(Box::new(d)))
    }

    fn unknown_params(&mut self, known: &[String], set: &[(SourceId, &(String, String))]) {
        let words: Vec<&str> = known.iter().map(String::as_str).collect();
        for (_, (name, value)) in set {
            if !known.contains(name) {
                let message = format!("--set {name}={value}: there is no parameter `{name}`");
                let d = Diagnostic::error(Code::N0213, message);
                let d = match setting(name, value) {
                    Some(help) => help.into_iter().fold(d, Diagnostic::help),
                    None => unknown_param(d, name, &words),
                };
                self.e.session.diagnostics.push(d);
            }
        }
    }
}

/// What is said where `--set` names a setting, or what another library calls one.
fn setting(name: &str, value: &str) -> Option<Vec<String>> {
    let ours = foreign(name, &["epochs", "steps", "batch", "seed"]).unwrap_or(name);
    if matches!(ours, "epochs" | "steps" | "batch" | "seed") {
        return Some(vec![format!("this is an option of its own: --{ours} {value}")]);
    }
    let outside = |line: &str, head: &str| {
        vec![
            format!("in the program: {line}"),
            format!("to set it from outside: param {head} = {value}, and {head} where it is used"),
        ]
    };
    if Head::of(name).is_some_and(Head::is_training) {
        return Some(outside(&format!("{name} {value}"), "choice"));
    }
    let habit = nnc_syntax::habits::find(name)?;
    let line = habit.written(&[(None, value)]).into_iter().next()?;
    let name = if name.chars().all(|c| c.is_alphanumeric() || c == '_') { name } else { "choice" };
    Some(match line.starts_with("nnc ") {
        true => vec![line],
        false => outside(&line, name),
    })
}

/// Adds what an unknown parameter may be.
fn unknown_param(d: Diagnostic, name: &str, known: &[&str]) -> Diagnostic {
    match nearest(name, known) {
        Some(near) => d.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => d.help(format!("declare it in the program: param {name} = 16")),
        None => d.help(format!("parameters here: {}", known.join(", "))),
    }
}
