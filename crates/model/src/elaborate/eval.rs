//! Chains, and the statements that compute.

use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::frame::Frame;
use crate::elaborate::value::{Axis, Def, Func, Init, Shape, Value};
use nnc_syntax::ast::{Arg, Chain, Dim, Expr, ExprKind, Flow, Link};
use nnc_syntax::{Code, Diagnostic, Span};

impl Elab<'_> {
    /// A condition known at compile time.
    pub fn truth(&mut self, frame: &mut Frame, cond: &Expr) -> Res<bool> {
        match self.expr(frame, cond)? {
            Value::Bool(b) => Ok(b),
            Value::Poison => Err(Stop::Poisoned),
            Value::Tensor(_) => {
                let d = self
                    .error(
                        Code::N0207,
                        "this condition is a tensor, and is not known before training",
                        cond.span,
                        "here",
                    )
                    .help("`where(condition, a, b)` chooses number by number");
                Err(Stop::Error(Box::new(d)))
            }
            other => self.fail(
                Code::N0207,
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
                let known = self.scope.globals.defs.iter().filter(|(_, d)| matches!(d, Def::Init(_)));
                let known: Vec<&str> = known.map(|(n, _)| n.as_str()).collect();
                let d = self
                    .error(
                        Code::N0205,
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
                    _ => {
                        return Err(self.unknown(
                            frame,
                            Code::N0202,
                            "no list of axes",
                            &name.text,
                            name.span,
                        ));
                    }
                },
                Dim::Rest(None, span) => {
                    return self.fail(
                        Code::N0204,
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
                    true => self.fail(Code::N0204, message, span, "this size"),
                    false => {
                        let d = Diagnostic::error(Code::N0204, message)
                            .label(self.session.word(&n.to_string()), "");
                        Err(Stop::Error(Box::new(d.related(span, "this size"))))
                    }
                }
            }
            None if matches!(value, Value::Poison) => Err(Stop::Poisoned),
            None => {
                self.fail(Code::N0204, format!("a size is a whole number, not {value}"), span, "this size")
            }
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
            && let Some(d) = self.setting_with_equals(frame, name, &flow.chain)
        {
            self.session.diagnostics.push(d);
            return Ok(());
        }
        let value = self.chain(frame, &flow.chain);
        frame.next_name = None;
        let value = value?;
        match &flow.targets[..] {
            [] if matches!(value, Value::Tensor(_) | Value::Poison) => {}
            [] => {
                frame.last = Some((value, flow.chain.span));
                return if frame.top { self.nothing_left_over(frame) } else { Ok(()) };
            }
            [name] => {
                match &value {
                    Value::Tensor(t) if frame.top => {
                        self.results.bound.push((name.text.clone(), name.span, t.node));
                    }
                    Value::Poison => {}
                    value if frame.top => {
                        let text = self.session.sources.slice(flow.chain.span).to_string();
                        self.results.named.push((name.clone(), value.what(), text));
                    }
                    _ => {}
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
                        .error(Code::N0208, message, names, "these names")
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
            return self.fail(Code::N0208, "`:=` assigns one state", span, "");
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
                    Code::N0208,
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
        let node = self.broadcast_to(&value, &declared.tensor.axes, false, span)?;
        let node = if declared.role == nnc_graph::Role::State { self.b.stop_gradient(node) } else { node };
        if !declared.frozen {
            self.results.update(&path, node);
        }
        let tensor = self.tensor(node, declared.tensor.axes.clone(), false);
        frame.set(&name.text, Value::Tensor(tensor));
        Ok(())
    }

    // ---- chains ----------------------------------------------------------------------

    /// `link -> link -> …`
    pub fn chain(&mut self, frame: &mut Frame, chain: &Chain) -> Res<Value> {
        const LINKS: usize = 2000;
        if let Some(link) = chain.links.get(LINKS) {
            let message = format!("this chain has more than {LINKS} links");
            return self.fail(Code::N0307, message, link.span(), "from here on");
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
                    Some((name, args)) => Err(self.unknown_step(frame, &name, &args)),
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
                return match self.scope.globals.defs.contains_key(&name.text) {
                    true => self.unknown(frame, Code::N0202, "nothing", &name.text, name.span),
                    false => self.unknown_step(frame, name, args),
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
                    Some((n, span)) => self.unknown(frame, Code::N0202, "nothing", n, span),
                    None => Stop::Poisoned,
                };
            }
            Some(other @ (Value::Int(_) | Value::Num(_) | Value::Bool(_) | Value::Shape(_))) => {
                let message = format!("`{}` is {}, not a layer or a function", name.text, other.kind());
                let d = self.error(Code::N0209, message, name.span, "used as a layer here");
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
                Code::N0204,
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
                            let d = self.error(Code::N0209, message, one.span, "");
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
                    self.fail(Code::N0209, "after `->` comes one layer or function", span, "")
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
    pub(crate) fn it(&self, frame: &Frame, name: &str, span: Span) -> Res<Value> {
        match &frame.it {
            Some(Value::Poison) => Err(Stop::Poisoned),
            Some(value) => Ok(value.clone()),
            None => {
                if self.lookup(frame, name).is_none() {
                    return Err(self.unknown(
                        frame,
                        Code::N0201,
                        "no layer",
                        name,
                        Span { end: span.start + name.len() as u32, ..span },
                    ));
                }
                self.fail(
                    Code::N0210,
                    format!("there is no tensor yet that `{name}` could work on"),
                    span,
                    "",
                )
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
                self.fail(Code::N0209, message, name.span, "used as a layer here")
            }
            None if self.scope.globals.defs.contains_key(&name.text) => {
                let d = self
                    .error(
                        Code::N0209,
                        format!("`{}` is an optimizer, not a layer", name.text),
                        name.span,
                        "",
                    )
                    .help(format!("optimizer {}", self.session.sources.slice(span)));
                Err(Stop::Error(Box::new(d)))
            }
            None => Err(self.unknown_step(frame, name, args)),
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
