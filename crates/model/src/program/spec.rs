//! A program as it is read: definitions, parameters, data, settings; before its data is known.

use crate::elaborate::elab::{Elab, Globals, Res};
use crate::elaborate::frame::Frame;
use crate::elaborate::value::{Def, Kind, Value};
use crate::program::attributes;
use crate::program::blind::Blind;
use crate::program::data::{
    BlockDecl, CellDecl, DataArg, Literal, Part, PortDecl, RoleDecl, RowDecl, SourceDecl,
};
use crate::program::names;
use crate::program::settings::Settings;
use crate::suggest::nearest;
use nnc_graph::DType;
use nnc_syntax::ast::{Arg, Dataset, Expr, ExprKind, Name, Program, Stmt, StmtKind, Within, Word, WordKind};
use nnc_syntax::{Code, Diagnostic, SourceId, SourceMap, Span, parse};
use std::rc::Rc;

/// The prelude: the layer library as text.
pub const PRELUDE: &[(&str, &str)] = &[
    ("prelude/activations.nn", include_str!("../../prelude/activations.nn")),
    ("prelude/initialisers.nn", include_str!("../../prelude/initialisers.nn")),
    ("prelude/layers.nn", include_str!("../../prelude/layers.nn")),
    ("prelude/losses.nn", include_str!("../../prelude/losses.nn")),
    ("prelude/metrics.nn", include_str!("../../prelude/metrics.nn")),
    ("prelude/optimizers.nn", include_str!("../../prelude/optimizers.nn")),
    ("prelude/schedules.nn", include_str!("../../prelude/schedules.nn")),
    ("prelude/sequences.nn", include_str!("../../prelude/sequences.nn")),
    ("prelude/shapes.nn", include_str!("../../prelude/shapes.nn")),
];

/// What the command line says over the program.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--set hidden=32`
    pub set: Vec<(String, String)>,
    /// `--as deep`
    pub experiment: Option<String>,
    /// `--epochs`
    pub epochs: Option<u64>,
    /// `--steps`
    pub steps: Option<u64>,
    /// `--batch`
    pub batch: Option<usize>,
    /// `--seed`
    pub seed: Option<u64>,
}

impl Overrides {
    /// Puts the command line's numbers over the program's.
    pub(crate) fn apply(&self, settings: &mut Settings) {
        if self.epochs.is_some() || self.steps.is_some() {
            (settings.epochs, settings.steps) = (self.epochs, self.steps);
        }
        settings.batch = self.batch.unwrap_or(settings.batch);
        settings.seed = self.seed.unwrap_or(settings.seed);
    }
}

/// A program that was read.
#[derive(Clone, Debug)]
pub struct Spec {
    /// All texts, for showing places.
    pub sources: SourceMap,
    /// The user's text.
    pub source: SourceId,
    /// The user's statements.
    pub program: Program,
    /// The data sources in the order of the file.
    pub data: Vec<SourceDecl>,
    /// `input` and `target` declarations.
    pub ports: Vec<PortDecl>,
    /// Settings that are known without the data.
    pub settings: Settings,
    /// The values of all parameters.
    pub params: Vec<(String, String)>,
    /// The names of the experiments.
    pub experiments: Vec<String>,
    /// Warnings and notes so far.
    pub diagnostics: Vec<Diagnostic>,
    pub(crate) overrides: Overrides,
    pub(crate) globals: Rc<Globals>,
    pub(crate) first_user_source: u16,
}

impl Spec {
    /// Reads a program.
    ///
    /// # Errors
    /// Every mistake that shows without the data, with the texts to show places in.
    pub fn read(name: &str, text: &str, overrides: &Overrides) -> Result<Spec, (Vec<Diagnostic>, SourceMap)> {
        Self::read_with(name, text, overrides, &|path| Err(format!("`{path}` cannot be read from here")))
    }

    /// As [`Spec::read`], with the files that `use "blocks.nn"` names; `files` returns the text of a path that is
    /// relative to the program, or says why it cannot.
    ///
    /// # Errors
    /// As [`Spec::read`].
    pub fn read_with(
        name: &str,
        text: &str,
        overrides: &Overrides,
        files: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<Spec, (Vec<Diagnostic>, SourceMap)> {
        let (mut sources, mut globals) = LIBRARY.with(|library| library.clone());
        let first_user_source = PRELUDE.len() as u16;
        let source = sources.add(name, text);
        let set: Vec<(SourceId, &(String, String))> = overrides
            .set
            .iter()
            .map(|kv| (sources.add(format!("--set {}={}", kv.0, kv.1), kv.1.clone()), kv))
            .collect();
        let parsed = parse(text, source);
        let mut diagnostics = parsed.diagnostics;
        let mut used = Used { files, known: Vec::new(), diagnostics: &mut diagnostics };
        used.all(&mut sources, &mut globals, &parsed.program, 0);
        names::check(&globals.library, &sources, &parsed.program, &mut diagnostics);
        attributes::check(&parsed.program, &mut diagnostics);
        define(&mut globals, &parsed.program);

        let globals = Rc::new(globals);
        let mut reader = Reader {
            e: Elab::new(&sources, first_user_source, globals, DType::F32, true),
            frame: Frame::top(),
            data: Vec::new(),
            ports: Vec::new(),
            experiments: Vec::new(),
        };
        reader.params(&parsed.program, overrides, &set);
        for stmt in &parsed.program.stmts {
            if let Err(stop) = reader.declaration(stmt) {
                reader.e.report(stop);
            }
        }
        overrides.apply(&mut reader.e.top.settings);
        diagnostics.append(&mut reader.e.diagnostics);
        let Reader { e, data, ports, experiments, .. } = reader;
        let (globals, settings) = (e.globals, e.top.settings);
        if diagnostics.iter().any(Diagnostic::is_error) {
            let blind = Blind {
                sources: &sources,
                first_user_source,
                globals,
                program: &parsed.program,
                ports: &ports,
            };
            let more = blind.names(&diagnostics);
            diagnostics.extend(more);
            // In the order of the file; what has no place there comes last.
            diagnostics.sort_by_key(|d| {
                let place = d.labels.first().map(|l| l.span).filter(|s| s.source == source);
                place.map_or(u32::MAX, |span| span.start)
            });
            nnc_syntax::limit(&mut diagnostics);
            return Err((diagnostics, sources));
        }
        let params = globals.params.iter().map(|(n, v)| (n.clone(), v.to_string())).collect();
        Ok(Spec {
            sources,
            source,
            program: parsed.program,
            data,
            ports,
            settings,
            params,
            experiments: experiments.into_iter().map(|(n, _)| n.text).collect(),
            diagnostics,
            overrides: overrides.clone(),
            globals,
            first_user_source,
        })
    }

    /// The text as the user wrote it.
    pub fn text(&self) -> &str {
        &self.sources.get(self.source).text
    }

    /// The text with the definitions of used files in the place of their `use`, so that it needs no other file.
    pub fn whole_text(&self) -> String {
        let text = self.text();
        let mut out = String::new();
        let mut at = 0;
        for (span, definitions) in self.used() {
            out.push_str(&text[at..span.start as usize]);
            out.push_str(&definitions);
            at = span.end as usize;
        }
        out.push_str(&text[at..]);
        out
    }

    /// Every `use` of the program, with the definitions that can stand in its place.
    pub fn used(&self) -> Vec<(Span, String)> {
        let uses = self.program.stmts.iter().filter_map(|stmt| match &stmt.kind {
            StmtKind::Use { path, .. } => {
                Some((stmt.span, format!("# from {path}\n{}", self.definitions_of(path, 0))))
            }
            _ => None,
        });
        uses.collect()
    }

    fn definitions_of(&self, path: &str, depth: usize) -> String {
        let ids = (0..u16::MAX).map(SourceId).take_while(|id| id.0 < self.sources.len() as u16);
        let Some(id) =
            ids.skip(self.first_user_source as usize + 1).find(|&id| self.sources.get(id).name == path)
        else {
            return String::new();
        };
        let mut out = String::new();
        for stmt in parse(&self.sources.get(id).text, id).program.stmts {
            match &stmt.kind {
                StmtKind::Use { path, .. } if depth < USE_DEPTH => {
                    out += &self.definitions_of(path, depth + 1)
                }
                kind if is_definition(kind) => {
                    out += self.sources.slice(stmt.span);
                    out.push('\n');
                }
                _ => {}
            }
        }
        out
    }
}

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
    static LIBRARY: (SourceMap, Globals) = library();
}

/// How deep files may use files.
const USE_DEPTH: usize = 16;

fn is_definition(kind: &StmtKind) -> bool {
    matches!(kind, StmtKind::Fn(_) | StmtKind::Layer(_) | StmtKind::Rule(_) | StmtKind::Init(_))
}

/// Reads the files that `use` names: their definitions count, anything else is ignored with a warning.
struct Used<'a> {
    files: &'a dyn Fn(&str) -> Result<String, String>,
    known: Vec<String>,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Used<'_> {
    fn all(&mut self, sources: &mut SourceMap, globals: &mut Globals, program: &Program, depth: usize) {
        for stmt in &program.stmts {
            let StmtKind::Use { path, path_span } = &stmt.kind else { continue };
            if self.known.contains(path) {
                continue;
            }
            self.known.push(path.clone());
            let text = match (self.files)(path) {
                Ok(text) if depth < USE_DEPTH => text,
                Ok(_) => {
                    let d = Diagnostic::error(Code::N0214, "files use files too deep").label(*path_span, "");
                    self.diagnostics.push(d);
                    continue;
                }
                Err(why) => {
                    let d =
                        Diagnostic::error(Code::N0214, format!("cannot use `{path}`")).label(*path_span, why);
                    self.diagnostics.push(d.help("the path is relative to this file"));
                    continue;
                }
            };
            let id = sources.add(path.as_str(), text.as_str());
            let parsed = parse(&text, id);
            self.diagnostics.extend(parsed.diagnostics);
            attributes::check(&parsed.program, self.diagnostics);
            self.all(sources, globals, &parsed.program, depth + 1);
            define(globals, &parsed.program);
            let ignored = parsed.program.stmts.iter().find(|s| {
                !is_definition(&s.kind) && !matches!(s.kind, StmtKind::Use { .. } | StmtKind::Error)
            });
            if let Some(stmt) = ignored {
                let d =
                    Diagnostic::warning(Code::N0215, format!("`{path}` is used for its definitions only"))
                        .label(stmt.span, "this statement has no effect here");
                self.diagnostics.push(d);
            }
        }
    }
}

/// Collects definitions; a later one of the same name wins, so that a program may shadow the prelude.
fn define(globals: &mut Globals, program: &Program) {
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

/// Adds what an unknown parameter may be.
fn unknown_param(d: Diagnostic, name: &str, known: &[&str]) -> Diagnostic {
    match nearest(name, known) {
        Some(near) => d.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => d.help(format!("declare it in the program: param {name} = 16")),
        None => d.help(format!("parameters here: {}", known.join(", "))),
    }
}

struct Reader<'a> {
    e: Elab<'a>,
    frame: Frame,
    data: Vec<SourceDecl>,
    ports: Vec<PortDecl>,
    experiments: Vec<(Name, Vec<Arg>)>,
}

impl Reader<'_> {
    /// Parameters: defaults, then the experiment, then `--set`.
    fn params(&mut self, program: &Program, overrides: &Overrides, set: &[(SourceId, &(String, String))]) {
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
                    Rc::make_mut(&mut self.e.globals).params.push((name.text.clone(), Value::Poison));
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
                    Some(d) => Err(crate::elaborate::elab::Stop::Error(Box::new(d))),
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
            Rc::make_mut(&mut self.e.globals).params.push((name.text.clone(), current));
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
                    self.e.diagnostics.push(d);
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
                    self.e.diagnostics.push(d);
                    continue;
                };
                // A default with a mistake is told already.
                let Ok(default) = self.param_value(default, within) else { continue };
                if let Some(d) = self.no_word(name, &default, &arg.value, within) {
                    self.e.diagnostics.push(d);
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
            let words = options.iter().map(|o| self.e.sources.slice(o.span)).collect::<Vec<_>>();
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
                self.e.diagnostics.push(d);
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
        self.e.diagnostics.push(d);
        None
    }

    /// The expression after `=` of `--set`.
    fn typed(&mut self, id: SourceId) -> Option<Expr> {
        let text = &self.e.sources.get(id).text;
        let parsed = parse(text, id);
        match parsed.program.stmts.into_iter().next().map(|s| s.kind) {
            Some(StmtKind::Flow(flow)) if parsed.diagnostics.is_empty() => {
                match flow.chain.links.into_iter().next() {
                    Some(nnc_syntax::ast::Link::Exprs(mut exprs)) if exprs.len() == 1 => exprs.pop(),
                    _ => None,
                }
            }
            _ => {
                let span = Span::new(id, 0, text.len());
                let d = Diagnostic::error(Code::N0205, format!("`{text}` is no value")).label(span, "");
                self.e.diagnostics.push(d);
                None
            }
        }
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
        Err(crate::elaborate::elab::Stop::Error(Box::new(d)))
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
        Err(crate::elaborate::elab::Stop::Error(Box::new(d)))
    }

    fn unknown_params(&mut self, known: &[String], set: &[(SourceId, &(String, String))]) {
        let words: Vec<&str> = known.iter().map(String::as_str).collect();
        for (_, (name, value)) in set {
            if !known.contains(name) {
                let message = format!("--set {name}={value}: there is no parameter `{name}`");
                self.e.diagnostics.push(unknown_param(Diagnostic::error(Code::N0213, message), name, &words));
            }
        }
    }

    // ---- declarations ------------------------------------------------------------------

    /// Statements that must be known before the data is read.
    fn declaration(&mut self, stmt: &Stmt) -> Res<()> {
        self.e.at(stmt.span);
        match &stmt.kind {
            StmtKind::Data(dataset) => {
                let decl = self.dataset(dataset, stmt.span)?;
                self.data.push(decl);
                Ok(())
            }
            StmtKind::Setting { head, args } => match head.text.as_str() {
                "epochs" | "steps" | "batch" | "seed" | "split" => {
                    // What depends on the network is reported when that is elaborated.
                    self.e.setting(&mut self.frame, head, args, stmt.span)
                }
                "input" | "target" => self.port(head, args, stmt.span),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn port(&mut self, head: &Name, args: &[Arg], span: Span) -> Res<()> {
        let name = match args.first() {
            Some(Arg { key: None, value: Expr { kind: ExprKind::Name(text), .. }, .. }) => text.clone(),
            _ => {
                return self.e.fail(
                    Code::N0204,
                    format!("`{0}` takes a name: {0} left", head.text),
                    span,
                    "",
                );
            }
        };
        let shape = match args.get(1) {
            None => None,
            Some(arg) => {
                let value = self.e.expr(&mut self.frame, &arg.value)?;
                let shape = self.e.shape_arg(&value, arg.span)?;
                self.e.check_size(&shape.axes, arg.span)?;
                Some(shape.axes.iter().map(|a| a.size).collect())
            }
        };
        self.ports.push(PortDecl { name, target: head.text == "target", shape, span });
        Ok(())
    }

    fn dataset(&mut self, dataset: &Dataset, span: Span) -> Res<SourceDecl> {
        let part = match dataset.role.text.as_str() {
            "valid" => Part::Valid,
            "test" => Part::Test,
            _ => Part::Train,
        };
        let args = self.args(&dataset.args)?;
        let to = self.args(&dataset.to)?;
        let block = match &dataset.rows {
            None => BlockDecl::None,
            Some(rows) if args.is_empty() => {
                let rows = rows.iter().map(|row| {
                    let inputs = row.words.iter().map(|w| self.cell(w)).collect::<Res<Vec<_>>>()?;
                    let targets = match &row.to {
                        Some(words) => Some(words.iter().map(|w| self.cell(w)).collect::<Res<Vec<_>>>()?),
                        None => None,
                    };
                    Ok(RowDecl { inputs, targets, span: row.span })
                });
                BlockDecl::Rows(rows.collect::<Res<_>>()?)
            }
            Some(rows) => {
                let rows = rows.iter().map(|row| {
                    let words = row.words.iter().map(|w| self.role_word(w)).collect::<Res<Vec<_>>>()?;
                    Ok(RoleDecl { words, span: row.span })
                });
                BlockDecl::Roles(rows.collect::<Res<_>>()?)
            }
        };
        Ok(SourceDecl { part, args, to, block, span })
    }

    fn args(&mut self, args: &[Arg]) -> Res<Vec<DataArg>> {
        let read = args.iter().map(|arg| {
            let value = self.e.literal(&mut self.frame, &arg.value)?;
            Ok(DataArg { key: arg.key.as_ref().map(|k| k.text.clone()), value, span: arg.span })
        });
        read.collect()
    }

    fn cell(&mut self, word: &Word) -> Res<CellDecl> {
        let value = match &word.kind {
            WordKind::Number(x) => Literal::Number(*x),
            WordKind::Text(text) => Literal::Text(text.clone()),
            WordKind::Name { name, value: None } => Literal::Word(name.text.clone()),
            WordKind::Name { name, value: Some(_) } => {
                return self.e.fail(
                    Code::N0501,
                    format!("`{}=` does not belong into a row", name.text),
                    word.span,
                    "",
                );
            }
        };
        Ok(CellDecl { value, span: word.span })
    }

    fn role_word(&mut self, word: &Word) -> Res<DataArg> {
        let (key, value) = match &word.kind {
            WordKind::Number(x) => (None, Literal::Number(*x)),
            WordKind::Text(text) => (None, Literal::Text(text.clone())),
            WordKind::Name { name, value: None } => (None, Literal::Word(name.text.clone())),
            WordKind::Name { name, value: Some(expr) } => {
                (Some(name.text.clone()), self.e.literal(&mut self.frame, expr)?)
            }
        };
        Ok(DataArg { key, value, span: word.span })
    }
}
