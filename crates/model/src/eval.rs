//! Expressions, chains, and the statements that compute.

use crate::builtins;
use crate::elab::{Elab, Res, Stop};
use crate::frame::{Frame, Rows};
use crate::suggest::{certain, farness, nearest};
use crate::value::{Axis, Def, Func, Init, Shape, Value};
use nnc_syntax::ast::{Arg, Chain, Dim, Expr, ExprKind, Flow, Link, UnaryOp};
use nnc_syntax::{Diagnostic, Span};
use std::rc::Rc;

impl Elab<'_> {
    /// What a name stands for: locals, then parameters, definitions, and functions of Rust.
    pub fn lookup(&self, frame: &Frame, name: &str) -> Option<Value> {
        let param = || self.globals.param(name).filter(|_| !frame.library);
        if let Some(value) = frame.get(name).or_else(param) {
            return Some(value.clone());
        }
        let defs = if frame.library { &*self.globals.library } else { &self.globals.defs };
        match defs.get(name) {
            Some(Def::Fn(def)) => return Some(Value::Func(Func::Fn(def.clone()))),
            Some(Def::Layer(def)) => return Some(Value::Func(Func::Layer(def.clone()))),
            Some(Def::Init(def)) => {
                return Some(Value::Init(Rc::new(Init { def: def.clone(), bound: Vec::new() })));
            }
            Some(Def::Rule(_)) | None => {}
        }
        if name == "pi" {
            return Some(Value::Num(std::f64::consts::PI));
        }
        if let Some(name) = builtins::find(name) {
            return Some(Value::Func(Func::Builtin(name)));
        }
        let word = !frame.library && self.globals.words.iter().any(|w| w == name);
        word.then(|| Value::Symbol(name.into()))
    }

    /// All names that mean something here, for suggestions.
    pub fn known_names(&self, frame: &Frame) -> Vec<String> {
        let mut names: Vec<String> = frame.names().map(String::from).collect();
        names.extend(self.globals.params.iter().map(|(n, _)| n.clone()));
        names.extend(
            self.globals.defs.iter().filter(|(_, d)| !matches!(d, Def::Rule(_))).map(|(n, _)| n.clone()),
        );
        names.extend(builtins::NAMES.iter().map(|n| (*n).to_string()));
        names
    }

    /// "there is nothing called x", with the nearest name.
    pub fn unknown(&self, frame: &Frame, code: &'static str, what: &str, name: &str, span: Span) -> Stop {
        if let Some(stop) = self.bound_later(frame, name, span) {
            return stop;
        }
        if let Some(Def::Rule(_)) = self.globals.defs.get(name) {
            let d =
                self.error("N0209", format!("`{name}` is an optimizer, not a layer or a value"), span, "");
            return Stop::Error(Box::new(d.help(format!("to train with it: optimizer {name}"))));
        }
        let hint = match name {
            "None" | "null" | "nil" => Some("leave the argument out: its default holds then"),
            "Input" | "InputLayer" => Some("the data is there already, under the name `input`"),
            "Sequential" | "Model" => Some("a network is the lines of the file, in their order"),
            _ => None,
        };
        if let Some(hint) = hint {
            let d = self.error(code, format!("there is {what} called `{name}`"), span, "");
            return Stop::Error(Box::new(d.help(hint)));
        }
        let known = self.known_names(frame);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let near = nearest(name, &known);
        let label = near.map_or(String::new(), |n| format!("did you mean `{n}`?"));
        let mut d = self.error(code, format!("there is {what} called `{name}`"), span, &label);
        match near {
            Some(n) => d = d.fix(span, n, self.is_user(span) && certain(name, &known) == Some(n)),
            None => d = d.help(self.names_here(frame, code, name)),
        }
        Stop::Error(Box::new(d))
    }

    /// What an unknown name could be instead.
    fn names_here(&self, frame: &Frame, code: &str, name: &str) -> String {
        if code == "N0201" {
            return format!("a layer of your own: layer {name} of x[n] {{ … }}");
        }
        let own: Vec<&str> = frame.names().filter(|n| n.starts_with(char::is_alphabetic)).collect();
        let params = self.globals.params.iter().map(|(n, _)| n.as_str()).filter(|_| !frame.library);
        let mut names: Vec<&str> = own.into_iter().chain(params).take(12).collect();
        names.dedup();
        match names[..] {
            [] => "nothing has a name here yet: x = input gives one".into(),
            _ => format!("names here: {}; and the functions of the library", names.join(", ")),
        }
    }

    /// A name that the file binds further down; in a circle, if that needs what is computed here.
    fn bound_later(&self, frame: &Frame, name: &str, span: Span) -> Option<Stop> {
        let (later, needs) =
            self.binds.iter().find(|(n, _)| frame.top && n.text == name && n.span.start > span.start)?;
        let (line, _) = self.sources.get(later.span.source).line_column(later.span.start);
        let here =
            self.binds.iter().rev().find(|(n, _)| n.span.source == span.source && n.span.start < span.start);
        let circle = here.filter(|(n, uses)| needs.contains(&n.text) && uses.iter().any(|u| u == name));
        let d = match circle {
            Some((n, _)) => self
                .error(
                    "N0302",
                    format!("`{}` and `{name}` need each other", n.text),
                    span,
                    &format!("`{name}` is first computed on line {line} …"),
                )
                .label(later.span, format!("… from `{}`", n.text))
                .help(
                    "a graph has no circles; for a value that depends on its own past use `scan` or `state`",
                ),
            None => self
                .error(
                    "N0302",
                    format!("`{name}` is used before it is computed"),
                    span,
                    &format!("computed on line {line}"),
                )
                .label(later.span, "here")
                .help("a file is read from top to bottom: move that line up"),
        };
        Some(Stop::Error(Box::new(d)))
    }

    /// A condition known at compile time.
    pub fn truth(&mut self, frame: &mut Frame, cond: &Expr) -> Res<bool> {
        match self.expr(frame, cond)? {
            Value::Bool(b) => Ok(b),
            Value::Poison => Err(Stop::Poisoned),
            Value::Tensor(_) => {
                let d = self
                    .error(
                        "N0207",
                        "this condition is a tensor, and is not known before training",
                        cond.span,
                        "here",
                    )
                    .help("`where(condition, a, b)` chooses number by number");
                Err(Stop::Error(Box::new(d)))
            }
            other => self.fail(
                "N0207",
                format!("a condition is yes or no, not {}", other.kind()),
                cond.span,
                "this one",
            ),
        }
    }

    /// An initialiser after `=` of a declaration.
    pub fn initialiser(&mut self, frame: &mut Frame, expr: &Expr) -> Res<Init> {
        match self.expr(frame, expr)? {
            Value::Init(init) => Ok((*init).clone()),
            Value::Poison => Err(Stop::Poisoned),
            other => {
                let known = self.globals.defs.iter().filter(|(_, d)| matches!(d, Def::Init(_)));
                let known: Vec<&str> = known.map(|(n, _)| n.as_str()).collect();
                let d = self
                    .error(
                        "N0205",
                        format!("the first value is an initialiser, not {}", other.kind()),
                        expr.span,
                        "",
                    )
                    .help(format!("initialisers are {}", known.join(", ")));
                Err(Stop::Error(Box::new(d)))
            }
        }
    }

    /// The axes of `[n, 4 * units]`; a single shape stands for its axes.
    pub fn shape_of_dims(&mut self, frame: &mut Frame, dims: &[Dim]) -> Res<Shape> {
        let mut shape = Shape { axes: Vec::new(), batched: false };
        for dim in dims {
            match dim {
                Dim::Rest(Some(name), _) => match frame.get(&name.text) {
                    Some(Value::Shape(s)) => shape.axes.extend(s.axes.iter().copied()),
                    _ => return Err(self.unknown(frame, "N0202", "no list of axes", &name.text, name.span)),
                },
                Dim::Rest(None, span) => {
                    return self.fail(
                        "N0204",
                        "`...` needs a name here, since the axes must be known",
                        *span,
                        "",
                    );
                }
                Dim::Size(expr) => match self.expr(frame, expr)? {
                    Value::Shape(s) => {
                        shape.batched |= s.batched;
                        shape.axes.extend(s.axes);
                    }
                    value => shape.axes.push(self.axis(&value, expr.span)?),
                },
            }
        }
        Ok(shape)
    }

    /// A size of an axis.
    pub fn axis(&self, value: &Value, span: Span) -> Res<Axis> {
        if let Value::Axis(axis) = value {
            return Ok(*axis);
        }
        match value.int() {
            Some(n) if n > 0 => Ok(Axis::of(n as usize)),
            Some(n) => {
                let message = format!("a size is at least 1, not {n}");
                match self.is_user(span) {
                    true => self.fail("N0204", message, span, "this size"),
                    false => {
                        let d = Diagnostic::error("N0204", message).label(self.word(&n.to_string()), "");
                        Err(Stop::Error(Box::new(d.related(span, "this size"))))
                    }
                }
            }
            None if matches!(value, Value::Poison) => Err(Stop::Poisoned),
            None => self.fail("N0204", format!("a size is a whole number, not {value}"), span, "this size"),
        }
    }

    // ---- flow ------------------------------------------------------------------------

    /// A chain with names for its results.
    pub fn flow(&mut self, frame: &mut Frame, flow: &Flow, span: Span) -> Res<()> {
        if flow.update {
            return self.assign_state(frame, flow, span);
        }
        if let [name] = &flow.targets[..]
            && self.counts_one_layer(frame, &flow.chain)
        {
            frame.next_name = Some(name.text.clone());
        }
        if let (true, [name]) = (frame.top, &flow.targets[..])
            && self.is_setting_value(frame, &flow.chain)
            && let Some(d) = self.setting_with_equals(name, flow.chain.span)
        {
            self.diagnostics.push(d);
            return Ok(());
        }
        let value = self.chain(frame, &flow.chain);
        frame.next_name = None;
        let value = value?;
        match &flow.targets[..] {
            [] => frame.last = Some(value.clone()),
            [name] => {
                if let (true, Value::Tensor(t)) = (frame.top, &value) {
                    self.bound.push((name.text.clone(), name.span, t.node));
                }
                frame.set(&name.text, value.clone());
            }
            names => {
                let parts = match &value {
                    Value::Several(parts) | Value::List(parts) => parts.clone(),
                    _ => Vec::new(),
                };
                if parts.len() != names.len() {
                    let message = match parts.len() {
                        0 => format!("{} names for {}", names.len(), value.kind()),
                        n => format!("{} names for {n} values", names.len()),
                    };
                    let names = flow.targets[0].span.to(flow.targets[names.len() - 1].span);
                    let d = self
                        .error("N0208", message, names, "these names")
                        .label(flow.chain.span, "these values")
                        .help("as many names as values; one name keeps them all together");
                    return Err(Stop::Error(Box::new(d)));
                }
                for (name, part) in names.iter().zip(parts) {
                    frame.set(&name.text, part);
                }
            }
        }
        if let Value::Several(parts) = &value {
            frame.it = parts.last().cloned();
        } else if matches!(value, Value::Tensor(_)) {
            frame.it = Some(value);
        }
        Ok(())
    }

    /// `epochs = 500`, where a tensor may be called `epochs`, but this is none.
    pub fn setting_with_equals(&self, name: &nnc_syntax::ast::Name, value: Span) -> Option<Diagnostic> {
        const SETTINGS: [&str; 10] =
            ["loss", "optimizer", "schedule", "metrics", "epochs", "steps", "batch", "seed", "clip", "save"];
        if !SETTINGS.contains(&name.text.as_str()) {
            return None;
        }
        let text = self.sources.slice(value);
        let between = Span { start: name.span.end, end: value.start, ..name.span };
        let d = self
            .error(
                "N0220",
                format!("the setting `{}` is written without `=`", name.text),
                between,
                "no `=` here",
            )
            .help(format!("{} {text}", name.text))
            .fix(between, " ", true);
        Some(d)
    }

    /// Whether a chain is one word or number that is no tensor.
    pub fn is_setting_value(&self, frame: &Frame, chain: &Chain) -> bool {
        let [Link::Exprs(exprs)] = &chain.links[..] else { return false };
        match &exprs[..] {
            [Expr { kind: ExprKind::Name(name), .. }] => match self.lookup(frame, name) {
                Some(Value::Tensor(_) | Value::Poison | Value::Several(_)) => false,
                Some(_) => true,
                None => matches!(self.globals.defs.get(name), Some(Def::Rule(_))),
            },
            [Expr { kind: ExprKind::Int(_) | ExprKind::Float(_), .. }] => true,
            _ => false,
        }
    }

    /// Whether exactly one link of a chain is a layer, which then takes the binding's name.
    fn counts_one_layer(&self, frame: &Frame, chain: &Chain) -> bool {
        let is_layer = |link: &&Link| {
            let name = match link {
                Link::Step(step) => Some(&step.name.text),
                Link::Exprs(exprs) => match exprs.first().map(|e| &e.kind) {
                    Some(ExprKind::Name(name)) => Some(name),
                    Some(ExprKind::Call { callee, .. }) => match &callee.kind {
                        ExprKind::Name(name) => Some(name),
                        _ => None,
                    },
                    _ => None,
                },
                Link::Scan(_) => None,
            };
            name.and_then(|n| self.lookup(frame, n)).is_some_and(|v| matches!(v, Value::Func(Func::Layer(_))))
        };
        chain.links.iter().filter(is_layer).count() == 1
    }

    fn assign_state(&mut self, frame: &mut Frame, flow: &Flow, span: Span) -> Res<()> {
        let [name] = &flow.targets[..] else {
            return self.fail("N0208", "`:=` assigns one state", span, "");
        };
        let known = match frame.get(&name.text) {
            Some(Value::Tensor(t)) => Some(t.clone()),
            _ => None,
        };
        let path = frame.target_of(&name.text);
        let declared = known.as_ref().and_then(|_| self.find_declared(&path).cloned());
        let Some(declared) = declared else {
            let d = self
                .error(
                    "N0208",
                    format!("`:=` gives a state its next value, and `{}` is no state", name.text),
                    name.span,
                    "",
                )
                .help(format!("declare it first: state {}[…] = zeros; or bind a name with `=`", name.text));
            return Err(Stop::Error(Box::new(d)));
        };
        let value = self.chain(frame, &flow.chain)?;
        let value = self.tensor_of(&value, span)?;
        let value = self.floats(&value);
        let node = self.spread(&value, &declared.tensor.axes, false, span)?;
        let node = if declared.role == nnc_graph::Role::State { self.b.stop_gradient(node) } else { node };
        self.update(&path, node);
        let tensor = self.tensor(node, declared.tensor.axes.clone(), false);
        frame.set(&name.text, Value::Tensor(tensor));
        Ok(())
    }

    /// Sets the value that a weight or state has after the step.
    pub fn update(&mut self, path: &str, node: nnc_graph::NodeId) {
        match self.updates.iter_mut().find(|(p, _)| p == path) {
            Some(slot) => slot.1 = node,
            None => self.updates.push((path.to_string(), node)),
        }
    }

    // ---- chains ----------------------------------------------------------------------

    /// `link -> link -> …`
    pub fn chain(&mut self, frame: &mut Frame, chain: &Chain) -> Res<Value> {
        const LINKS: usize = 2000;
        if let Some(link) = chain.links.get(LINKS) {
            let message = format!("this chain has more than {LINKS} links");
            return self.fail("N0307", message, link.span(), "from here on");
        }
        let mut value = None;
        for (at, link) in chain.links.iter().enumerate() {
            let on = match (&value, link) {
                (None, Link::Step(_)) => frame.it.as_ref(),
                (value, _) => value.as_ref(),
            };
            let start = self.row_start(on);
            let next = match value {
                None => self.first_link(frame, link),
                Some(value) => self.next_link(frame, value, link),
            };
            let next = match next {
                // What follows a broken link can still have wrong names.
                Err(Stop::Poisoned) if frame.top => {
                    let rest = &chain.links[at + 1..];
                    return Err(rest
                        .iter()
                        .map(|l| self.names_of(frame, l))
                        .find(is_error)
                        .unwrap_or(Stop::Poisoned));
                }
                next => next?,
            };
            if frame.top {
                self.row(frame.rows, start, link, &next);
            }
            value = Some(next);
        }
        value.ok_or(Stop::Poisoned)
    }

    fn first_link(&mut self, frame: &mut Frame, link: &Link) -> Res<Value> {
        self.at(link.span());
        match link {
            Link::Step(step) => {
                if matches!(frame.it, Some(Value::Poison)) {
                    return Err(self.names_only(frame, &step.name, &step.args));
                }
                let it = self.it(frame, &step.name.text, step.span)?;
                self.step(frame, it, &step.name, &step.args, step.span)
            }
            Link::Scan(scan) => self.scan(frame, scan),
            Link::Exprs(exprs) => match &exprs[..] {
                [one] if frame.top && self.calls_unknown(frame, one).is_some() => match self.step_call(one) {
                    Some((name, _)) => Err(self.unknown_step(frame, &name)),
                    None => Err(Stop::Poisoned),
                },
                [one] => match self.layer_call(frame, one) {
                    Some((name, args)) => {
                        let it = self.it(frame, &name.text, one.span)?;
                        self.step(frame, it, &name, &args, one.span)
                    }
                    None => match self.expr(frame, one)? {
                        Value::Func(func)
                            if matches!(one.kind, ExprKind::Name(_)) && self.applies(frame, &func) =>
                        {
                            let it = self.it(frame, &Value::Func(func.clone()).to_string(), one.span)?;
                            self.apply(frame, &func, operands(it), &[], one.span, true)
                        }
                        value => Ok(value),
                    },
                },
                many => many.iter().map(|e| self.expr(frame, e)).collect::<Res<Vec<_>>>().map(Value::Several),
            },
        }
    }

    /// A call of a name that means nothing, as a statement: most likely a layer of another library.
    fn calls_unknown(&self, frame: &Frame, expr: &Expr) -> Option<()> {
        let (name, _) = self.step_call(expr)?;
        self.lookup(frame, &name.text).is_none().then_some(())
    }

    /// The wrong names of a link that cannot be computed.
    fn names_of(&self, frame: &Frame, link: &Link) -> Stop {
        match link {
            Link::Step(step) => self.names_only(frame, &step.name, &step.args),
            Link::Exprs(exprs) => match &exprs[..] {
                [Expr { kind: ExprKind::Name(text), span }] => {
                    let name = nnc_syntax::ast::Name { text: text.clone(), span: *span };
                    self.names_only(frame, &name, &[])
                }
                _ => Stop::Poisoned,
            },
            Link::Scan(_) => Stop::Poisoned,
        }
    }

    /// After a mistake there is no tensor to work on, but names can still be wrong.
    fn names_only(&self, frame: &Frame, name: &nnc_syntax::ast::Name, args: &[Arg]) -> Stop {
        let params = match self.lookup(frame, &name.text) {
            None => {
                return match self.globals.defs.contains_key(&name.text) {
                    true => self.unknown(frame, "N0202", "nothing", &name.text, name.span),
                    false => self.unknown_step(frame, name),
                };
            }
            Some(Value::Func(Func::Layer(def))) => def.params.clone(),
            Some(Value::Func(Func::Fn(def))) => def.params.clone(),
            Some(Value::Func(Func::Builtin(_))) => {
                let names = args.iter().filter_map(|a| match &a.value.kind {
                    ExprKind::Name(n) => Some((n, a.value.span)),
                    _ => None,
                });
                let mut unknown = names.filter(|(n, _)| self.lookup(frame, n).is_none());
                return match unknown.next() {
                    Some((n, span)) => self.unknown(frame, "N0202", "nothing", n, span),
                    None => Stop::Poisoned,
                };
            }
            Some(other @ (Value::Int(_) | Value::Num(_) | Value::Bool(_) | Value::Shape(_))) => {
                let message = format!("`{}` is {}, not a layer or a function", name.text, other.kind());
                let d = self.error("N0209", message, name.span, "used as a layer here");
                return Stop::Error(Box::new(d));
            }
            Some(_) => return Stop::Poisoned,
        };
        let wrong = args
            .iter()
            .filter_map(|a| a.key.as_ref())
            .find(|k| !params.iter().any(|p| p.name.text == k.text));
        if let Some(key) = wrong {
            return self.no_such_argument(&name.text, &params, key);
        }
        let words = args.iter().filter(|a| a.key.is_none()).map(|a| &a.value);
        let wrong = words.filter_map(|value| match &value.kind {
            ExprKind::Name(word) if !self.fits_somewhere(frame, &params, word) => Some((word, value.span)),
            _ => None,
        });
        let mut wrong = wrong;
        wrong
            .next()
            .map_or(Stop::Poisoned, |(word, span)| self.unknown_word(frame, &name.text, &params, word, span))
    }

    /// Whether a bare function name as a statement means its application: yes, where there is a tensor for it.
    fn applies(&self, frame: &Frame, func: &Func) -> bool {
        frame.it.is_some() || frame.top || matches!(func, Func::Layer(_))
    }

    fn next_link(&mut self, frame: &mut Frame, value: Value, link: &Link) -> Res<Value> {
        self.at(link.span());
        match link {
            Link::Step(step) => self.step(frame, value, &step.name, &step.args, step.span),
            Link::Scan(scan) => self.fail(
                "N0204",
                "`scan` names what it walks over itself: scan x in xs { … }",
                scan.span,
                "",
            ),
            Link::Exprs(exprs) => match &exprs[..] {
                [Expr { kind: ExprKind::Name(text), span }] => {
                    let name = nnc_syntax::ast::Name { text: text.clone(), span: *span };
                    self.step(frame, value, &name, &[], *span)
                }
                [one] => match self.step_call(one) {
                    Some((name, args)) => self.step(frame, value, &name, &args, one.span),
                    None => match self.expr(frame, one)? {
                        Value::Func(func) => self.apply(frame, &func, operands(value), &[], one.span, true),
                        other => {
                            let message =
                                format!("after `->` comes a layer or a function, not {}", other.kind());
                            let d = self.error("N0209", message, one.span, "");
                            let d = match other {
                                Value::Int(n) if n > 0 => {
                                    d.help(format!("a layer of {n} neurons: dense {n}"))
                                }
                                _ => d,
                            };
                            Err(Stop::Error(Box::new(d)))
                        }
                    },
                },
                many => {
                    let span = many[0].span.to(many[many.len() - 1].span);
                    self.fail("N0209", "after `->` comes one layer or function", span, "")
                }
            },
        }
    }

    /// `dense(16, relu)` as a statement, when `dense` is a layer.
    fn layer_call(&self, frame: &Frame, expr: &Expr) -> Option<(nnc_syntax::ast::Name, Vec<Arg>)> {
        let (name, args) = self.step_call(expr)?;
        let layer =
            matches!(self.lookup(frame, &name.text), Some(Value::Func(Func::Layer(_) | Func::Shared(_))));
        layer.then_some((name, args))
    }

    /// `f(args)` as a step.
    fn step_call(&self, expr: &Expr) -> Option<(nnc_syntax::ast::Name, Vec<Arg>)> {
        let ExprKind::Call { callee, args } = &expr.kind else { return None };
        let ExprKind::Name(text) = &callee.kind else { return None };
        Some((nnc_syntax::ast::Name { text: text.clone(), span: callee.span }, args.clone()))
    }

    /// The tensor that a step works on.
    fn it(&self, frame: &Frame, name: &str, span: Span) -> Res<Value> {
        match &frame.it {
            Some(Value::Poison) => Err(Stop::Poisoned),
            Some(value) => Ok(value.clone()),
            None => {
                if self.lookup(frame, name).is_none() {
                    return Err(self.unknown(
                        frame,
                        "N0201",
                        "no layer",
                        name,
                        Span { end: span.start + name.len() as u32, ..span },
                    ));
                }
                self.fail("N0210", format!("there is no tensor yet that `{name}` could work on"), span, "")
            }
        }
    }

    /// A name with arguments, applied to a value.
    pub fn step(
        &mut self,
        frame: &mut Frame,
        value: Value,
        name: &nnc_syntax::ast::Name,
        args: &[Arg],
        span: Span,
    ) -> Res<Value> {
        if matches!(value, Value::Poison) {
            return Err(Stop::Poisoned);
        }
        match self.lookup(frame, &name.text) {
            Some(Value::Func(func)) => self.apply(frame, &func, operands(value), args, span, true),
            Some(Value::Poison) => Err(Stop::Poisoned),
            Some(other) => {
                let message = format!("`{}` is {}, not a layer or a function", name.text, other.kind());
                self.fail("N0209", message, name.span, "used as a layer here")
            }
            None if self.globals.defs.contains_key(&name.text) => {
                let d = self
                    .error("N0209", format!("`{}` is an optimizer, not a layer", name.text), name.span, "")
                    .help(format!("optimizer {}", name.text));
                Err(Stop::Error(Box::new(d)))
            }
            None => Err(self.unknown_step(frame, name)),
        }
    }

    /// An unknown name at the head of a statement may be a misspelt setting.
    fn unknown_step(&self, frame: &Frame, name: &nnc_syntax::ast::Name) -> Stop {
        let heads = crate::settings::HEADS;
        if let Some(head) = crate::suggest::foreign(&name.text, heads).filter(|_| frame.top) {
            let d = self
                .error(
                    "N0201",
                    format!("there is no setting called `{}`", name.text),
                    name.span,
                    &format!("it is called `{head}` here"),
                )
                .fix(name.span, head, true);
            return Stop::Error(Box::new(d));
        }
        let known = self.known_names(frame);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let far = |near: &str| farness(&name.text, near).unwrap_or(usize::MAX);
        let other = nearest(&name.text, &known).map_or(usize::MAX, far);
        if frame.top
            && let Some(head) = nearest(&name.text, heads).filter(|head| far(head) <= other)
        {
            let sure = certain(&name.text, heads) == Some(head) && far(head) < other;
            let d: Diagnostic = self
                .error(
                    "N0201",
                    format!("there is no layer or setting called `{}`", name.text),
                    name.span,
                    &format!("did you mean `{head}`?"),
                )
                .fix(name.span, head, sure);
            return Stop::Error(Box::new(d));
        }
        self.unknown(frame, "N0201", "no layer", &name.text, name.span)
    }

    // ---- expressions -----------------------------------------------------------------

    /// The value of an expression.
    pub fn expr(&mut self, frame: &mut Frame, expr: &Expr) -> Res<Value> {
        let value = match &expr.kind {
            ExprKind::Int(n) => Value::Int(*n),
            ExprKind::Float(x) | ExprKind::Percent(x) => Value::Num(*x),
            ExprKind::Size(sizes) => {
                // A margin may be 0; that a tensor's size is not, is checked where there is one.
                let axes = sizes.iter().map(|&n| Axis::of(usize::try_from(n).unwrap_or(usize::MAX)));
                Value::Shape(Shape { axes: axes.collect(), batched: false })
            }
            ExprKind::Text(text) => Value::Text(text.as_str().into()),
            ExprKind::Bool(b) => Value::Bool(*b),
            ExprKind::It => self.it(frame, "it", expr.span)?,
            ExprKind::Training => Value::Bool(self.training),
            ExprKind::Name(name) => match self.lookup(frame, name) {
                Some(Value::Poison) => return Err(Stop::Poisoned),
                Some(value) => value,
                None => return Err(self.unknown(frame, "N0202", "nothing", name, expr.span)),
            },
            ExprKind::List(items) => {
                Value::List(items.iter().map(|e| self.expr(frame, e)).collect::<Res<Vec<_>>>()?)
            }
            ExprKind::Group(chain) => {
                let rows = frame.rows;
                frame.rows = if rows == Rows::None { rows } else { Rows::Weights };
                let value = self.chain(frame, chain);
                frame.rows = rows;
                value?
            }
            ExprKind::If { cond, then, otherwise } => {
                let branch = if self.truth(frame, cond)? { then } else { otherwise };
                self.expr(frame, branch)?
            }
            ExprKind::Unary { op, of } => {
                let value = self.expr(frame, of)?;
                match op {
                    UnaryOp::Neg => self.negate(&value, expr.span)?,
                    UnaryOp::Not => self.not(&value, expr.span)?,
                }
            }
            ExprKind::Binary { op, op_span, left, right } => {
                let l = self.expr(frame, left)?;
                if let Some(value) = self.short_circuit(*op, &l) {
                    return Ok(value);
                }
                let r = self.expr(frame, right)?;
                self.binary_op(*op, &l, &r, *op_span, (left.span, right.span))?
            }
            ExprKind::Call { callee, args } => return self.call(frame, callee, args, expr.span),
            ExprKind::Index { base, index } => {
                let base_value = self.expr(frame, base)?;
                let index_value = self.expr(frame, index)?;
                self.index(&base_value, &index_value, expr.span)?
            }
            ExprKind::Member { base, name } => return self.member(frame, base, name, expr.span),
        };
        match value {
            Value::Poison => Err(Stop::Poisoned),
            value => Ok(value),
        }
    }

    fn call(&mut self, frame: &mut Frame, callee: &Expr, args: &[Arg], span: Span) -> Res<Value> {
        if let ExprKind::Name(name) = &callee.kind
            && self.lookup(frame, name).is_none()
        {
            return Err(self.unknown(frame, "N0202", "no function", name, callee.span));
        }
        match self.expr(frame, callee)? {
            Value::Func(func @ (Func::Layer(_) | Func::Shared(_))) => {
                let it = self.it(frame, "it", span)?;
                self.apply(frame, &func, operands(it), args, span, true)
            }
            Value::Func(func) => self.apply(frame, &func, Vec::new(), args, span, false),
            // `zeros([3])`: an initialiser without options is also a function of a shape.
            Value::Init(init) if init.def.params.is_empty() && args.len() == 1 && args[0].key.is_none() => {
                let value = self.expr(frame, &args[0].value)?;
                let shape = self.shape_arg(&value, args[0].span)?;
                self.check_size(&shape.axes, span)?;
                self.call_init(&init, shape, span)
            }
            Value::Init(init) => self.bind_init(frame, &init, args, span),
            other => {
                self.fail("N0209", format!("{} cannot be called", other.kind()), callee.span, "called here")
            }
        }
    }

    /// `hidden.w`, `dense1.w`: a weight by the name of its layer.
    fn weight_of(&self, frame: &Frame, base: &Expr, name: &str) -> Option<Value> {
        let mut path = name.to_string();
        let mut at = base;
        while let ExprKind::Member { base, name } = &at.kind {
            path = format!("{}.{path}", name.text);
            at = base;
        }
        let ExprKind::Name(first) = &at.kind else { return None };
        let declared = self.find_declared(&frame.join(&format!("{first}.{path}")))?;
        Some(Value::Tensor(declared.tensor.clone()))
    }

    /// `tokens.table`, `input.classes`.
    fn member(
        &mut self,
        frame: &mut Frame,
        base: &Expr,
        name: &nnc_syntax::ast::Name,
        span: Span,
    ) -> Res<Value> {
        if let Some(weight) = self.weight_of(frame, base, &name.text) {
            return Ok(weight);
        }
        match self.expr(frame, base)? {
            Value::Tensor(t) if name.text == "classes" => match t.classes {
                Some(k) => Ok(Value::Int(k as i64)),
                None => {
                    self.fail("N0211", "these are numbers, not classes", span, "has no number of classes")
                }
            },
            Value::Func(Func::Shared(shared)) => {
                let path = frame.join(&shared.name);
                let path = format!("{path}.{}", name.text);
                match self.find_declared(&path) {
                    Some(declared) => Ok(Value::Tensor(declared.tensor.clone())),
                    None => {
                        let d = self
                            .error(
                                "N0211",
                                format!("`{}` has no weight `{}` yet", shared.name, name.text),
                                name.span,
                                "",
                            )
                            .help("its weights exist once it has been used: name -> layer");
                        Err(Stop::Error(Box::new(d)))
                    }
                }
            }
            other => self.fail(
                "N0211",
                format!("{} has nothing called `{}`", other.kind(), name.text),
                name.span,
                "",
            ),
        }
    }
}

fn is_error(stop: &Stop) -> bool {
    matches!(stop, Stop::Error(_))
}

/// The operands of a step: one value, or several.
pub(crate) fn operands(value: Value) -> Vec<Value> {
    match value {
        Value::Several(parts) => parts,
        one => vec![one],
    }
}
