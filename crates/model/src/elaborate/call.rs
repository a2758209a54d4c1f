//! Applying functions, layers and initialisers: arguments, patterns, bodies.

use crate::declarations::attributes::{Attributes, Range};
use crate::elaborate::builtins;
use crate::elaborate::builtins::args::Args;
use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::frame::Frame;
use crate::elaborate::shared::Shared;
use crate::elaborate::value::{Func, Init, Shape, Value};
use nnc_syntax::ast::{Arg, Body, Expr, ExprKind, FnDef, LayerDef, Link};
use nnc_syntax::{Code, Span};
use std::rc::Rc;

impl Elab<'_> {
    /// Applies a function to operands (what a step works on) and arguments.
    pub fn apply(
        &mut self,
        frame: &mut Frame,
        func: &Func,
        operands: Vec<Value>,
        args: &[Arg],
        span: Span,
        step: bool,
    ) -> Res<Value> {
        if operands.iter().any(|v| matches!(v, Value::Poison)) {
            return Err(Stop::Poisoned);
        }
        let before = self.results.mask_reads;
        match func {
            Func::Builtin(name) => {
                let mut positional: Vec<(Value, Span)> = operands.into_iter().map(|v| (v, span)).collect();
                let mut keyed = Vec::new();
                for arg in args {
                    let value = self.expr(frame, &arg.value)?;
                    match &arg.key {
                        Some(key) => keyed.push((key.text.clone(), value, arg.span)),
                        None => positional.push((value, arg.span)),
                    }
                }
                if let Some(value) = self.rewritten(name, positional.iter().map(|(v, _)| v), &keyed, span)? {
                    return Ok(value);
                }
                let values: Vec<Value> = positional.iter().map(|(v, _)| v.clone()).collect();
                let plain = keyed.is_empty();
                let out = builtins::call(self, name, Args { positional, keyed, span })?;
                self.note_lost_mask(frame, name, before, &values, &out, span);
                if plain {
                    self.remember(name, builtins::range(name), values, &out);
                }
                Ok(out)
            }
            Func::Fn(def) => self.apply_fn(frame, def, operands, args, span, step),
            Func::Layer(def) => {
                let given = operands.clone();
                let out = self.apply_layer(frame, def, operands, args, span)?;
                self.note_lost_mask(frame, &def.name.text, before, &given, &out, span);
                Ok(out)
            }
            Func::Shared(shared) => self.apply_shared(frame, shared, operands, args),
        }
    }

    fn apply_fn(
        &mut self,
        frame: &mut Frame,
        def: &Rc<FnDef>,
        operands: Vec<Value>,
        args: &[Arg],
        span: Span,
        step: bool,
    ) -> Res<Value> {
        let name = def.name.text.clone();
        if operands.len() > def.params.len() {
            let message = format!("`{name}` works on {} values, not on {}", def.params.len(), operands.len());
            return self.fail(Code::N0204, message, span, "");
        }
        let user = self.is_user(def.name.span);
        let before = self.results.mask_reads;
        let mut inner = Frame::below(frame.join(&name), frame.sharing);
        inner.library = !user;
        inner.callee.clone_from(&name);
        let (own, free) = def.params.split_at(operands.len());
        let weight = if frame.library { None } else { self.weight_argument(frame, def, args)? };
        let plain_args: Vec<Arg>;
        let args = match &weight {
            Some((at, _)) => {
                plain_args = [&args[..*at], &args[at + 1..]].concat();
                &plain_args[..]
            }
            None => args,
        };
        let mut bound: Vec<(usize, Value)> = operands.into_iter().enumerate().collect();
        for (i, value) in self.arguments(frame, &name, free, args, span, step)? {
            bound.push((i + own.len(), value));
        }
        bound.sort_by_key(|(i, _)| *i);
        let plain = bound.len() == bound.iter().take_while(|(i, _)| def.params[*i].default.is_none()).count();
        let values: Vec<Value> = bound.iter().map(|(_, v)| v.clone()).collect();
        if !user && !frame.library {
            self.fits_its_use(frame, def, &values, span)?;
        }
        // The identities of the library are about its own functions.
        if plain
            && !user
            && let Some(value) = self.rewritten(&name, values.iter(), &[], span)?
        {
            return Ok(value);
        }
        let Attributes { range, better, units, .. } = Attributes::of(&def.attributes);
        if !frame.library {
            self.described(units, &values);
            if self.results.measuring.is_some() && (units.is_some() || user) {
                self.in_file_units(units, &mut bound, span)?;
            }
        }
        let weighted = weight.is_some();
        let weighing = self.weigh(weight.map(|(_, w)| w));
        if let (Some(Value::Tensor(t)), Some(Range::Shares | Range::LogShares), 1, false) =
            (values.first(), range, values.len(), user)
            && self.asked_for(&name)
        {
            crate::elaborate::shares::softmax_of_one(self, &name, range == Some(Range::Shares), &t.clone())?;
        }
        let out = self.deeper_into(&def.name, &name, span, |e| {
            e.bind_params(&mut inner, &name, &def.params, bound, span)?;
            if let Some(first) = def.params.first() {
                inner.it = inner.get(&first.name.text).filter(|v| matches!(v, Value::Tensor(_))).cloned();
            }
            match &def.body {
                Body::Chain(chain) => e.chain(&mut inner, chain),
                Body::Block(block) => {
                    e.block(&mut inner, &block.stmts)?;
                    e.result_of(&inner, &block.stmts, &name, span)
                }
            }
        });
        let out = self.weighed(out, weighing, span)?;
        if !user {
            self.note_lost_mask(frame, &name, before, &values, &out, span);
        }
        if let (Some(better), Value::Tensor(t)) = (better, &out) {
            self.results.directions.insert(t.node, better);
        }
        if plain && !weighted {
            let own = user && self.scope.globals.library.contains_key(&name);
            let name = if own { format!("own {name}") } else { name };
            self.remember(&name, range, values, &out);
        }
        Ok(out)
    }

    /// Whether the user's words at work name a function, or a parameter that is it; if not, a layer of the library
    /// uses it inside, such as attention over a sequence of one step.
    fn asked_for(&self, name: &str) -> bool {
        let written = self.session.word(name) != self.session.here
            || self.session.sources.slice(self.session.here).trim() == name;
        let is = |v: &Value| matches!(v, Value::Func(f) if Value::Func(f.clone()).to_string() == name);
        written || self.scope.globals.params.iter().any(|(_, v)| is(v))
    }

    /// What a body ends in: the value of its last statement, or the last tensor it named.
    fn result_of(
        &mut self,
        inner: &Frame,
        stmts: &[nnc_syntax::ast::Stmt],
        name: &str,
        span: Span,
    ) -> Res<Value> {
        use nnc_syntax::ast::StmtKind;
        if let Some(StmtKind::Flow(flow)) = stmts.last().map(|s| &s.kind)
            && let [Link::Exprs(exprs)] = &flow.chain.links[..]
            && let ([], [Expr { kind: ExprKind::Name(last), .. }]) = (&flow.targets[..], &exprs[..])
            && let Some(value) = inner.get(last)
        {
            return Ok(value.clone());
        }
        match inner.last.as_ref().map(|(value, _)| value).or(inner.it.as_ref()) {
            Some(value) => Ok(value.clone()),
            None => self.fail(Code::N0210, format!("the body of `{name}` computes nothing"), span, ""),
        }
    }

    fn apply_layer(
        &mut self,
        frame: &mut Frame,
        def: &Rc<LayerDef>,
        operands: Vec<Value>,
        args: &[Arg],
        span: Span,
    ) -> Res<Value> {
        let kind = &def.name.text;
        if !def.operands.is_empty() && operands.len() != def.operands.len() {
            let names: Vec<&str> = def.operands.iter().map(|o| o.name.text.as_str()).collect();
            let (n, m) = (names.len(), operands.len());
            let tensors = if n == 1 { "one tensor".to_string() } else { format!("{n} tensors") };
            let mut d = self
                .error(Code::N0204, format!("`{kind}` works on {tensors}, and gets {m}"), span, "")
                .help(match n {
                    1 => format!("name one before the arrow: x -> {kind}"),
                    _ => format!("name them before the arrow: {} -> {kind}", names.join(", ")),
                });
            if self.is_user(def.name.span) {
                d = d.related(def.name.span, "defined here");
            }
            return Err(Stop::Error(Box::new(d)));
        }
        let instance = frame.instance(kind);
        let mut inner = Frame::below(frame.join(&instance), frame.sharing);
        inner.library = !self.is_user(def.name.span);
        inner.callee.clone_from(kind);
        let bound = self.arguments(frame, kind, &def.params, args, span, true)?;
        let frozen = self.scope.in_frozen || self.scope.is_frozen(&inner.path);
        let around = std::mem::replace(&mut self.scope.in_frozen, frozen);
        let out = self.deeper_into(&def.name, &instance, span, |e| {
            inner.it = operands.first().cloned();
            for (pattern, value) in def.operands.iter().zip(operands) {
                let value = e.matched(
                    &mut inner,
                    kind,
                    &pattern.name,
                    pattern.dims.as_deref(),
                    pattern.classes.as_ref(),
                    value,
                    span,
                )?;
                inner.it.get_or_insert_with(|| value.clone());
                inner.set(&pattern.name.text, value);
            }
            if let Some(first) = def.operands.first() {
                inner.it = inner.get(&first.name.text).cloned();
            }
            e.bind_params(&mut inner, kind, &def.params, bound, span)?;
            e.block(&mut inner, &def.body.stmts)?;
            let out = e.result_of(&inner, &def.body.stmts, kind, span)?;
            if let (Some(promised), Value::Tensor(t)) = (&def.result, &out) {
                e.check_promise(&mut inner, kind, promised, &t.clone(), def.name.span)?;
            }
            Ok(out)
        });
        self.scope.in_frozen = around;
        out
    }

    fn apply_shared(
        &mut self,
        frame: &mut Frame,
        shared: &Rc<Shared>,
        operands: Vec<Value>,
        args: &[Arg],
    ) -> Res<Value> {
        if let Some(arg) = args.first() {
            let d = self
                .error(
                    Code::N0203,
                    format!("`{}` is shared and takes no arguments", shared.name),
                    arg.span,
                    "",
                )
                .related(shared.span, "its arguments stand here");
            return Err(Stop::Error(Box::new(d)));
        }
        // One layer takes the shared name; several stand below it.
        let single = shared.chain.links.len() == 1;
        let path = if single { frame.path.clone() } else { frame.join(&shared.name) };
        let mut inner = Frame::below(path, true);
        if single {
            inner.next_name = Some(shared.name.clone());
        }
        inner.it = Some(if operands.len() == 1 { operands[0].clone() } else { Value::Several(operands) });
        self.chain(&mut inner, &shared.chain)
    }

    /// Binds an initialiser's options.
    pub fn bind_init(&mut self, frame: &mut Frame, init: &Rc<Init>, args: &[Arg], span: Span) -> Res<Value> {
        let def = init.def.clone();
        let bound = self.arguments(frame, &def.name.text, &def.params, args, span, false)?;
        // First values are computed before there is any data.
        if let Some((i, value)) = bound.iter().find(|(_, v)| holds_tensor(v)) {
            let (param, name) = (&def.params[*i].name.text, &def.name.text);
            let d = self
                .error(
                    Code::N0205,
                    format!("`{param}` of `{name}` is known before training, and this is {}", value.kind()),
                    span,
                    "",
                )
                .help(self.signature(name, &def.params));
            return Err(Stop::Error(Box::new(d)));
        }
        let bound = bound.into_iter().map(|(i, v)| (def.params[i].name.text.clone(), v)).collect();
        Ok(Value::Init(Rc::new(Init { def, bound })))
    }

    /// The tensor that an initialiser fills a shape with.
    pub fn call_init(&mut self, init: &Init, shape: Shape, span: Span) -> Res<Value> {
        let def = init.def.clone();
        let name = def.name.text.clone();
        let mut inner = Frame::default();
        inner.library = !self.is_user(def.name.span);
        inner.set(&def.shape.text, Value::Shape(shape));
        let index = |n: &str| def.params.iter().position(|p| p.name.text == n).unwrap_or(0);
        let bound = init.bound.iter().map(|(n, v)| (index(n), v.clone())).collect();
        self.deeper_into(&def.name, &name, span, |e| {
            e.bind_params(&mut inner, &name, &def.params, bound, span)?;
            match &def.body {
                Body::Chain(chain) => e.chain(&mut inner, chain),
                Body::Block(block) => {
                    e.block(&mut inner, &block.stmts)?;
                    e.result_of(&inner, &block.stmts, &name, span)
                }
            }
        })
    }
}

fn holds_tensor(value: &Value) -> bool {
    match value {
        Value::Tensor(_) => true,
        Value::List(items) | Value::Several(items) => items.iter().any(holds_tensor),
        _ => false,
    }
}
