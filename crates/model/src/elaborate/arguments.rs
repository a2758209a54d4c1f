//! Arguments: which goes to which parameter, and what is said where they do not fit.

use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::frame::Frame;
use crate::elaborate::value::{Kind, Value};
use crate::suggest::{certain, nearest};
use nnc_syntax::ast::{Arg, Expr, ExprKind, Param};
use nnc_syntax::{Code, Span, foreign};

impl Elab<'_> {
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

    /// `adam takes lr=0.001 beta1=0.9 …`
    pub fn signature(&self, callee: &str, params: &[Param]) -> String {
        let words = params.iter().map(|p| match &p.default {
            Some(default) => format!("{}={}", p.name.text, self.session.sources.slice(default.span)),
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
        match (foreign::needless_argument(&key.text), nnc_syntax::habits::find(&key.text)) {
            (Some(hint), _) => d = d.help(hint),
            (None, Some(habit)) if near.is_none() => d = self.with_habit(d, habit, &[]),
            _ => {}
        }
        Stop::Error(Box::new(d))
    }

    fn too_many(&self, callee: &str, params: &[Param], span: Span) -> Stop {
        let d = self.error(Code::N0204, format!("`{callee}` has too many arguments"), span, "one too many");
        let d = match foreign::confused(callee) {
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
        let text = self.session.sources.slice(span);
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
