//! Applying functions, layers and initialisers: arguments, patterns, bodies.

use crate::elaborate::builtins;
use crate::elaborate::elab::{Call, Elab, Res, Stop};
use crate::elaborate::frame::Frame;
use crate::elaborate::shared::Shared;
use crate::elaborate::value::{Func, Init, Kind, Shape, Value};
use crate::program::attributes::{Attributes, Range};
use crate::suggest::{certain, confused, nearest};
use nnc_syntax::ast::{Arg, Body, Expr, ExprKind, FnDef, LayerDef, Link, Param};
use nnc_syntax::{Code, Span};
use std::rc::Rc;

/// Arguments of a function of Rust, already evaluated.
pub(crate) struct Args {
    pub positional: Vec<(Value, Span)>,
    pub keyed: Vec<(String, Value, Span)>,
    pub span: Span,
}

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
                if plain {
                    self.remember(name, builtins::range(name), values, &out);
                }
                Ok(out)
            }
            Func::Fn(def) => self.apply_fn(frame, def, operands, args, span, step),
            Func::Layer(def) => self.apply_layer(frame, def, operands, args, span),
            Func::Shared(shared) => self.apply_shared(frame, shared, operands, args),
        }
    }

    /// Notes the call that a node is the result of; an identity made nothing.
    pub fn remember(&mut self, name: &str, range: Option<Range>, args: Vec<Value>, out: &Value) {
        let Value::Tensor(t) = out else { return };
        if args.iter().any(|a| matches!(a, Value::Tensor(x) if x.node == t.node)) {
            return;
        }
        let calls = self.calls.entry(t.node).or_default();
        if !calls.iter().any(|c| c.name == name && c.args == args) {
            calls.push(Call { name: name.to_string(), range, args });
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
        let mut inner = Frame::below(frame.join(&name), frame.sharing);
        inner.library = !user;
        inner.callee.clone_from(&name);
        let (own, free) = def.params.split_at(operands.len());
        let mut bound: Vec<(usize, Value)> = operands.into_iter().enumerate().collect();
        for (i, value) in self.arguments(frame, &name, free, args, span, step)? {
            bound.push((i + own.len(), value));
        }
        bound.sort_by_key(|(i, _)| *i);
        let plain = bound.len() == bound.iter().take_while(|(i, _)| def.params[*i].default.is_none()).count();
        let values: Vec<Value> = bound.iter().map(|(_, v)| v.clone()).collect();
        // The identities of the library are about its own functions.
        if plain
            && !user
            && let Some(value) = self.rewritten(&name, values.iter(), &[], span)?
        {
            return Ok(value);
        }
        let Attributes { range, better, .. } = Attributes::of(&def.attributes);
        if let (Some(Value::Tensor(t)), Some(Range::Shares | Range::LogShares), 1, false) =
            (values.first(), range, values.len(), user)
            && self.asked_for(&name)
        {
            crate::step::lint::softmax_of_one(self, &name, range == Some(Range::Shares), &t.clone())?;
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
        })?;
        if let (Some(better), Value::Tensor(t)) = (better, &out) {
            self.directions.insert(t.node, better);
        }
        if plain {
            let own = user && self.globals.library.contains_key(&name);
            let name = if own { format!("own {name}") } else { name };
            self.remember(&name, range, values, &out);
        }
        Ok(out)
    }

    /// Whether the user's words at work name a function, or a parameter that is it; if not, a layer of the library
    /// uses it inside, such as attention over a sequence of one step.
    fn asked_for(&self, name: &str) -> bool {
        let written = self.word(name) != self.here || self.sources.slice(self.here).trim() == name;
        let is = |v: &Value| matches!(v, Value::Func(f) if Value::Func(f.clone()).to_string() == name);
        written || self.globals.params.iter().any(|(_, v)| is(v))
    }

    /// The last tensor of a body; a body may also end in a number.
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
        match inner.it.as_ref().or(inner.last.as_ref()) {
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
        self.deeper_into(&def.name, &instance, span, |e| {
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
        })
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

    // ---- arguments -------------------------------------------------------------------

    /// Gives every argument to a parameter: by name; positional ones of a step to the first free parameter
    /// whose kind accepts them, of a call in order.
    pub fn arguments(
        &mut self,
        frame: &mut Frame,
        callee: &str,
        params: &[Param],
        args: &[Arg],
        span: Span,
        step: bool,
    ) -> Res<Vec<(usize, Value)>> {
        let mut bound: Vec<(usize, Value)> = Vec::new();
        for arg in args {
            let taken: Vec<usize> = bound.iter().map(|(i, _)| *i).collect();
            let (i, value) = match &arg.key {
                Some(key) => {
                    let Some(i) = params.iter().position(|p| p.name.text == key.text) else {
                        return Err(self.no_such_argument(callee, params, key));
                    };
                    if taken.contains(&i) {
                        return self.fail(
                            Code::N0203,
                            format!("`{}` is given twice", key.text),
                            arg.span,
                            "again here",
                        );
                    }
                    (i, self.value_for(frame, &params[i], &arg.value)?)
                }
                None if step => self.first_fit(frame, callee, params, &taken, &arg.value)?,
                None => {
                    let Some(i) = (0..params.len()).find(|i| !taken.contains(i)) else {
                        return Err(self.too_many(callee, params, arg.span));
                    };
                    (i, self.value_for(frame, &params[i], &arg.value)?)
                }
            };
            self.check_argument(callee, &params[i], &value, arg.value.span)?;
            bound.push((i, value));
        }
        let missing =
            (0..params.len()).find(|i| params[*i].default.is_none() && !bound.iter().any(|(j, _)| j == i));
        if let Some(i) = missing {
            return Err(self.missing(frame, callee, params, i, span));
        }
        Ok(bound)
    }

    /// The value of an argument; a word among the options of its parameter is that option.
    fn value_for(&mut self, frame: &mut Frame, param: &Param, expr: &Expr) -> Res<Value> {
        match option_word(param, expr) {
            Some(word) => Ok(word),
            None => self.expr(frame, expr),
        }
    }

    fn first_fit(
        &mut self,
        frame: &mut Frame,
        callee: &str,
        params: &[Param],
        taken: &[usize],
        expr: &Expr,
    ) -> Res<(usize, Value)> {
        let free: Vec<usize> = (0..params.len()).filter(|i| !taken.contains(i)).collect();
        if let ExprKind::Name(word) = &expr.kind {
            for &i in &free {
                if params[i].name.text == *word && self.kind_of(&params[i]) == Kind::Bool {
                    return Ok((i, Value::Bool(true)));
                }
            }
            for &i in &free {
                if let Some(value) = option_word(&params[i], expr) {
                    return Ok((i, value));
                }
            }
            if self.lookup(frame, word).is_none() {
                return Err(self.unknown_word(frame, callee, params, word, expr.span));
            }
        }
        let value = self.expr(frame, expr)?;
        match free.iter().find(|&&i| self.kind_of(&params[i]).accepts(&value)) {
            Some(&i) => Ok((i, value)),
            None if free.is_empty() => Err(self.too_many(callee, params, expr.span)),
            None => Err(self.no_place(callee, params, taken, &value, expr.span)),
        }
    }

    /// A positional argument that fits no parameter that is still free.
    fn no_place(&self, callee: &str, params: &[Param], taken: &[usize], value: &Value, span: Span) -> Stop {
        let shown = match value {
            Value::Int(_) | Value::Num(_) => format!("{value}"),
            Value::Text(text) => format!("\"{text}\""),
            other => other.kind().to_string(),
        };
        let needed = params.iter().enumerate().find(|(i, p)| p.default.is_none() && !taken.contains(i));
        let occupied = taken.iter().find(|&&i| self.kind_of(&params[i]).accepts(value)).map(|&i| &params[i]);
        let mut d = match (needed, occupied) {
            (Some((_, param)), _) => {
                let kind = self.kind_of(param).describe();
                let message = format!("`{}` of `{callee}` is {kind}, not {shown}", param.name.text);
                self.error(Code::N0204, message, span, "this value")
            }
            (None, Some(param)) => {
                let message =
                    format!("`{callee}` has its `{}` already, and no place for {shown}", param.name.text);
                self.error(Code::N0204, message, span, "one too many")
            }
            (None, None) => self.error(Code::N0204, format!("`{callee}` has no place for {shown}"), span, ""),
        };
        match (value, occupied) {
            (Value::Int(n), Some(param))
                if matches!(param.name.text.as_str(), "units" | "filters" | "width") =>
            {
                d = d.help(format!(
                    "the number of inputs is known and not given, only that of outputs: {callee} {n}"
                ));
            }
            (Value::Text(text), _) if text.parse::<f64>().is_ok() => {
                d = d.help(format!("a number stands without quotes: {text}"));
            }
            _ => {}
        }
        Stop::Error(Box::new(d.help(self.signature(callee, params))))
    }

    /// The kind of a parameter: declared, or that of its default.
    pub fn kind_of(&self, param: &Param) -> Kind {
        if let Some(kind) = param.kind.as_ref().and_then(|k| Kind::from_name(&k.text)) {
            return kind;
        }
        if param.dims.is_some() || param.classes.is_some() {
            return Kind::Tensor;
        }
        param.default.as_ref().map_or(Kind::Any, |default| self.kind_of_expr(param, default))
    }

    fn kind_of_expr(&self, param: &Param, expr: &Expr) -> Kind {
        match &expr.kind {
            ExprKind::Int(_) => Kind::Int,
            ExprKind::Float(_) | ExprKind::Percent(_) => Kind::Number,
            ExprKind::Bool(_) | ExprKind::Training => Kind::Bool,
            ExprKind::Size(_) => Kind::Size,
            ExprKind::Text(_) => Kind::Text,
            ExprKind::List(_) => Kind::List,
            ExprKind::Unary { of, .. } => self.kind_of_expr(param, of),
            ExprKind::Name(_) if option_word(param, expr).is_some() => Kind::Option,
            ExprKind::Name(name) => self.lookup(&Frame::default(), name).map_or(Kind::Any, |v| Kind::of(&v)),
            ExprKind::Call { callee, .. } => match self.kind_of_expr(param, callee) {
                Kind::Init => Kind::Init,
                _ => Kind::Any,
            },
            _ => Kind::Any,
        }
    }

    fn check_argument(&self, callee: &str, param: &Param, value: &Value, span: Span) -> Res<()> {
        let kind = self.kind_of(param);
        if !kind.accepts(value) && !matches!(value, Value::Symbol(_)) {
            let message =
                format!("`{}` of `{callee}` is {}, not {}", param.name.text, kind.describe(), value.kind());
            let mut d = self.error(Code::N0205, message, span, "this value");
            if let (Kind::Function | Kind::Init, Value::Text(text)) = (kind, value) {
                let frame = Frame::default();
                let known = self.known_names(&frame);
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let ours = nearest(text, &known)
                    .filter(|n| self.lookup(&frame, n).is_some_and(|v| kind.accepts(&v)));
                if let Some(ours) = ours {
                    d = d.help(format!("a name stands without quotes: {ours}")).fix(
                        span,
                        ours,
                        self.is_user(span),
                    );
                }
            }
            return Err(Stop::Error(Box::new(d)));
        }
        if let (Some(options), true) = (&param.options, matches!(value, Value::Symbol(_) | Value::Text(_))) {
            let words: Vec<&str> = options.iter().filter_map(word_of).collect();
            if !words.contains(&value.to_string().as_str()) {
                let message = format!("`{}` of `{callee}` is one of {}", param.name.text, words.join(", "));
                return self.fail(Code::N0205, message, span, "not this");
            }
        }
        Ok(())
    }

    /// Puts operands, arguments and defaults into the frame of a body.
    pub fn bind_params(
        &mut self,
        inner: &mut Frame,
        callee: &str,
        params: &[Param],
        bound: Vec<(usize, Value)>,
        span: Span,
    ) -> Res<()> {
        // Tensors first and in order, since patterns bind the sizes that defaults may use.
        let mut given: Vec<Option<Value>> = vec![None; params.len()];
        for (i, value) in bound {
            given[i] = Some(value);
        }
        for (param, value) in params.iter().zip(&mut given) {
            if let Some(v) = value.take() {
                let v = if param.dims.is_some() || param.classes.is_some() {
                    self.matched(
                        inner,
                        callee,
                        &param.name,
                        param.dims.as_deref(),
                        param.classes.as_ref(),
                        v,
                        span,
                    )?
                } else {
                    v
                };
                inner.set(&param.name.text, v);
                *value = Some(Value::Bool(true));
            }
        }
        for (param, value) in params.iter().zip(&given) {
            if let (None, Some(default)) = (value, &param.default) {
                let v = self.value_for(inner, param, default)?;
                inner.set(&param.name.text, v);
            }
        }
        Ok(())
    }

    // ---- what to say when arguments do not fit -----------------------------------------

    /// `adam takes lr=0.001 beta1=0.9 …`
    pub fn signature(&self, callee: &str, params: &[Param]) -> String {
        let words = params.iter().map(|p| match &p.default {
            Some(default) => format!("{}={}", p.name.text, self.sources.slice(default.span)),
            None => p.name.text.clone(),
        });
        let words: Vec<String> = words.collect();
        if words.is_empty() {
            format!("{callee} takes no arguments")
        } else {
            format!("{callee} takes {}", words.join(" "))
        }
    }

    pub fn no_such_argument(&self, callee: &str, params: &[Param], key: &nnc_syntax::ast::Name) -> Stop {
        let known: Vec<&str> = params.iter().map(|p| p.name.text.as_str()).collect();
        let near = nearest(&key.text, &known);
        let label = match near {
            Some("lr") => "did you mean `lr`, the learning rate?".to_string(),
            Some(near) => format!("did you mean `{near}`?"),
            None => String::new(),
        };
        let mut d = self
            .error(Code::N0203, format!("`{callee}` has no argument `{}`", key.text), key.span, &label)
            .help(self.signature(callee, params));
        if let Some(near) = near {
            d = d.fix(key.span, near, self.is_user(key.span) && certain(&key.text, &known) == Some(near));
        }
        let hint = match key.text.as_str() {
            "from_logits" => {
                "not needed: a softmax or sigmoid before the loss is taken together with its logarithm"
            }
            "input_shape" | "input_dim" | "in_features" | "in_channels" | "input_size" => {
                "the shape of the input is known; leave this out"
            }
            "out_features" | "out_channels" | "hidden_size" | "num_units" => {
                "it comes first and needs no name"
            }
            "name" => "a name stands before: hidden = it -> dense 16",
            _ => "",
        };
        if !hint.is_empty() {
            d = d.help(hint);
        }
        Stop::Error(Box::new(d))
    }

    fn too_many(&self, callee: &str, params: &[Param], span: Span) -> Stop {
        let d = self.error(Code::N0204, format!("`{callee}` has too many arguments"), span, "one too many");
        let d = match confused(callee) {
            Some(hint) => d.help(hint),
            None => d,
        };
        Stop::Error(Box::new(d.help(self.signature(callee, params))))
    }

    fn missing(&self, frame: &Frame, callee: &str, params: &[Param], i: usize, span: Span) -> Stop {
        let name = &params[i].name.text;
        let kind = self.kind_of(&params[i]);
        let example = match (kind, &frame.it) {
            (Kind::Int, _) => format!("{callee} 16"),
            (Kind::Tensor | Kind::Any, _) => format!("{callee}({name})"),
            _ => format!("{callee} {name}=…"),
        };
        let mut d =
            self.error(Code::N0204, format!("`{callee}` needs `{name}`, {}", kind.describe()), span, "");
        let text = self.sources.slice(span);
        if text.replace(' ', "") == format!("{callee}()") {
            d = d.help(format!("as an argument a function stands without brackets: {callee}"));
        }
        let d = d.help(format!("for example: {example}")).help(self.signature(callee, params));
        Stop::Error(Box::new(d))
    }

    /// Whether a bare word means something among the arguments of a step.
    pub fn fits_somewhere(&self, frame: &Frame, params: &[Param], word: &str) -> bool {
        let option = |p: &Param| p.options.iter().flatten().filter_map(word_of).any(|w| w == word);
        let switch = |p: &Param| p.name.text == word && self.kind_of(p) == Kind::Bool;
        params.iter().any(|p| switch(p) || option(p)) || self.lookup(frame, word).is_some()
    }

    pub fn unknown_word(
        &self,
        frame: &Frame,
        callee: &str,
        params: &[Param],
        word: &str,
        span: Span,
    ) -> Stop {
        let mut known = self.known_names(frame);
        for param in params {
            if self.kind_of(param) == Kind::Bool {
                known.push(param.name.text.clone());
            }
            known.extend(param.options.iter().flatten().filter_map(word_of).map(String::from));
        }
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let near = nearest(word, &known);
        let label = near.map_or(String::new(), |n| format!("did you mean `{n}`?"));
        let mut d = self.error(Code::N0202, format!("`{callee}` does not know `{word}`"), span, &label);
        match near {
            Some(n) => d = d.fix(span, n, self.is_user(span) && certain(word, &known) == Some(n)),
            None => d = d.help(self.signature(callee, params)),
        }
        Stop::Error(Box::new(d))
    }

    // ---- rewrites ----------------------------------------------------------------------

    /// The right-hand side of a `rewrite` whose left-hand side this call is.
    fn rewritten<'v>(
        &mut self,
        name: &str,
        args: impl Iterator<Item = &'v Value>,
        keyed: &[(String, Value, Span)],
        span: Span,
    ) -> Res<Option<Value>> {
        if !keyed.is_empty() {
            return Ok(None);
        }
        let globals = self.globals.clone();
        let args: Vec<&Value> = args.collect();
        for rule in &globals.rewrites {
            let ExprKind::Call { callee, args: patterns } = &rule.0.kind else { continue };
            if !matches!(&callee.kind, ExprKind::Name(n) if n == name) || patterns.len() != args.len() {
                continue;
            }
            let mut frame = Frame::default();
            if patterns.iter().zip(&args).all(|(p, v)| self.rewrite_matches(&p.value, v, &mut frame)) {
                return self.expr(&mut frame, &rule.1).map(Some).map_err(|e| match e {
                    Stop::Error(d) => Stop::Error(Box::new(d.label(span, "after a rewrite"))),
                    Stop::Poisoned => Stop::Poisoned,
                });
            }
        }
        Ok(None)
    }

    fn rewrite_matches(&self, pattern: &Expr, value: &Value, frame: &mut Frame) -> bool {
        match &pattern.kind {
            ExprKind::Name(name) => {
                frame.set(name.as_str(), value.clone());
                true
            }
            ExprKind::Int(n) => value.num() == Some(*n as f64),
            ExprKind::Call { callee, args } => match &callee.kind {
                ExprKind::Name(name) => self.call_matches(name, args.iter().map(|a| &a.value), value, frame),
                _ => false,
            },
            ExprKind::Binary { op, left, right, .. } => {
                self.call_matches(op.sign(), [&**left, &**right].into_iter(), value, frame)
            }
            _ => false,
        }
    }

    /// Whether a tensor is the result of calling `name` with values that match.
    fn call_matches<'x>(
        &self,
        name: &str,
        patterns: impl Iterator<Item = &'x Expr> + Clone,
        value: &Value,
        frame: &mut Frame,
    ) -> bool {
        let Value::Tensor(t) = value else { return false };
        self.calls.get(&t.node).into_iter().flatten().filter(|c| c.name == name).any(|call| {
            patterns.clone().count() == call.args.len()
                && patterns.clone().zip(&call.args).all(|(p, v)| self.rewrite_matches(p, v, frame))
        })
    }
}

/// A word among the options of a parameter.
fn option_word(param: &Param, expr: &Expr) -> Option<Value> {
    let ExprKind::Name(name) = &expr.kind else { return None };
    let options = param.options.as_ref()?;
    options.iter().filter_map(word_of).find(|w| w == name).map(|w| Value::Symbol(w.into()))
}

fn word_of(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Name(name) | ExprKind::Text(name) => Some(name),
        _ => None,
    }
}

fn holds_tensor(value: &Value) -> bool {
    match value {
        Value::Tensor(_) => true,
        Value::List(items) | Value::Several(items) => items.iter().any(holds_tensor),
        _ => false,
    }
}
