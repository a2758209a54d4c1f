//! What a name stands for, and what is said where it stands for nothing.

use crate::elaborate::builtins;
use crate::elaborate::elab::{Elab, Stop};
use crate::elaborate::frame::Frame;
use crate::elaborate::value::{Def, Func, Init, Value};
use crate::suggest::{certain, distance_to, nearest};
use nnc_syntax::ast::Arg;
use nnc_syntax::{Code, Diagnostic, Head, Span, foreign};
use std::rc::Rc;

impl Elab<'_> {
    /// What a name stands for: locals, then parameters, definitions, and functions of Rust.
    pub fn lookup(&self, frame: &Frame, name: &str) -> Option<Value> {
        let param = || self.scope.globals.param(name).filter(|_| !frame.library);
        if let Some(value) = frame.get(name).or_else(param) {
            return Some(value.clone());
        }
        let defs = if frame.library { &*self.scope.globals.library } else { &self.scope.globals.defs };
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
        let word = !frame.library && self.scope.globals.words.iter().any(|w| w == name);
        word.then(|| Value::Symbol(name.into()))
    }

    /// All names that mean something here, for suggestions.
    pub fn known_names(&self, frame: &Frame) -> Vec<String> {
        let mut names: Vec<String> = frame.names().map(String::from).collect();
        names.extend(self.scope.globals.params.iter().map(|(n, _)| n.clone()));
        names.extend(
            self.scope
                .globals
                .defs
                .iter()
                .filter(|(_, d)| !matches!(d, Def::Rule(_)))
                .map(|(n, _)| n.clone()),
        );
        names.extend(builtins::NAMES.iter().map(|n| (*n).to_string()));
        names
    }

    /// "there is nothing called x", with the nearest name.
    pub fn unknown(&self, frame: &Frame, code: Code, what: &str, name: &str, span: Span) -> Stop {
        if let Some(stop) = self.bound_later(frame, name, span) {
            return stop;
        }
        if let Some(Def::Rule(_)) = self.scope.globals.defs.get(name) {
            let d = self.error(
                Code::N0209,
                format!("`{name}` is an optimizer, not a layer or a value"),
                span,
                "",
            );
            return Stop::Error(Box::new(d.help(format!("to train with it: optimizer {name}"))));
        }
        if let Some(hint) = foreign::needless_name(name) {
            let d = self.error(code, format!("there is {what} called `{name}`"), span, "");
            return Stop::Error(Box::new(d.help(hint)));
        }
        if name == "output" && frame.top {
            let d = self.error(code, format!("there is {what} called `{name}`"), span, "");
            let d =
                d.help("`loss`, `metrics` and other settings know the output by this name; here it is `it`");
            return Stop::Error(Box::new(d));
        }
        let known = self.known_names(frame);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let near = nearest(name, &known);
        // A word of another library is that, however near another word is by its letters.
        if near.is_none_or(|n| certain(name, &known) != Some(n))
            && let Some(habit) = nnc_syntax::habits::find(name).filter(|_| self.is_user(span))
        {
            let d = self.error(
                code,
                format!("there is {what} called `{name}`"),
                span,
                "a word of another library",
            );
            return Stop::Error(Box::new(self.with_habit(d, habit, &[])));
        }
        let label = near.map_or(String::new(), |n| format!("did you mean `{n}`?"));
        let mut d = self.error(code, format!("there is {what} called `{name}`"), span, &label);
        match near {
            Some(n) => d = d.fix(span, n, self.is_user(span) && certain(name, &known) == Some(n)),
            None => d = d.help(self.names_here(frame, code, name)),
        }
        Stop::Error(Box::new(d))
    }

    /// A name that is known, where the tensor it should be is wanted.
    pub fn no_tensor(&self, name: &nnc_syntax::ast::Name, value: &Value) -> Stop {
        let what = match value {
            Value::Func(Func::Layer(_)) => "a layer".to_string(),
            Value::Func(_) | Value::Init(_) | Value::Symbol(_) => value.kind().to_string(),
            value => value.what(),
        };
        let d = self.error(
            Code::N0205,
            format!("`{}` is {what}, not a tensor", name.text),
            name.span,
            "a tensor is wanted here",
        );
        let d = match value {
            Value::List(items) | Value::Several(items)
                if items.iter().all(|v| matches!(v, Value::Tensor(_))) =>
            {
                let names: Vec<String> =
                    (1..=items.len().min(4)).map(|i| format!("{}{i}", name.text)).collect();
                d.help(format!("name its parts: {} = {}", names.join(", "), name.text))
                    .help(format!("or take one: {0}1 = {0}[0]", name.text))
            }
            Value::Func(_) => d.help(format!("name what it gives: answer = it -> {}", name.text)),
            _ => d,
        };
        Stop::Error(Box::new(d))
    }

    /// What an unknown name could be instead.
    fn names_here(&self, frame: &Frame, code: Code, name: &str) -> String {
        if code == Code::N0201 {
            return format!("a layer of your own: layer {name} of x[n] {{ … }}");
        }
        let own: Vec<&str> = frame.names().filter(|n| n.starts_with(char::is_alphabetic)).collect();
        let params = self.scope.globals.params.iter().map(|(n, _)| n.as_str()).filter(|_| !frame.library);
        let mut names: Vec<&str> = own.into_iter().chain(params).take(12).collect();
        names.dedup();
        match names[..] {
            [] => "nothing has a name here yet: x = input gives one".into(),
            _ => format!("names here: {}; and the functions of the library", names.join(", ")),
        }
    }

    /// A name that the file binds further down; in a circle, if that needs what is computed here.
    fn bound_later(&self, frame: &Frame, name: &str, span: Span) -> Option<Stop> {
        let (later, needs) = self
            .scope
            .binds
            .iter()
            .find(|(n, _)| frame.top && n.text == name && n.span.start > span.start)?;
        let (line, _) = self.session.sources.get(later.span.source).line_column(later.span.start);
        let here = self
            .scope
            .binds
            .iter()
            .rev()
            .find(|(n, _)| n.span.source == span.source && n.span.start < span.start);
        let circle = here.filter(|(n, uses)| needs.contains(&n.text) && uses.iter().any(|u| u == name));
        let d = match circle {
            Some((n, _)) => self
                .error(
                    Code::N0302,
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
                    Code::N0302,
                    format!("`{name}` is used before it is computed"),
                    span,
                    &format!("computed on line {line}"),
                )
                .label(later.span, "here")
                .help("a file is read from top to bottom: move that line up"),
        };
        Some(Stop::Error(Box::new(d)))
    }

    /// An unknown name at the head of a statement may be a misspelt setting.
    pub(crate) fn unknown_step(&self, frame: &Frame, name: &nnc_syntax::ast::Name, args: &[Arg]) -> Stop {
        let heads = Head::ALL.iter().filter(|head| head.is_for_programs()).map(|head| head.word());
        let heads = &heads.collect::<Vec<_>>()[..];
        if let Some(head) = crate::suggest::foreign(&name.text, heads).filter(|_| frame.top) {
            let d = self
                .error(
                    Code::N0201,
                    format!("there is no setting called `{}`", name.text),
                    name.span,
                    &format!("it is called `{head}` here"),
                )
                .fix(name.span, head, true);
            return Stop::Error(Box::new(d));
        }
        let known = self.known_names(frame);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        if frame.top
            && crate::suggest::foreign(&name.text, &known).is_none()
            && let Some(habit) = nnc_syntax::habits::find(&name.text)
        {
            let d = self.error(
                Code::N0201,
                format!("there is no layer or setting called `{}`", name.text),
                name.span,
                "a word of another library",
            );
            return Stop::Error(Box::new(self.with_habit(d, habit, args)));
        }
        let far = |near: &str| distance_to(&name.text, near).unwrap_or(usize::MAX);
        let other = nearest(&name.text, &known).map_or(usize::MAX, far);
        if frame.top
            && let Some(head) = nearest(&name.text, heads).filter(|head| far(head) <= other)
        {
            let sure = certain(&name.text, heads) == Some(head) && far(head) < other;
            let d: Diagnostic = self
                .error(
                    Code::N0201,
                    format!("there is no layer or setting called `{}`", name.text),
                    name.span,
                    &format!("did you mean `{head}`?"),
                )
                .fix(name.span, head, sure);
            return Stop::Error(Box::new(d));
        }
        self.unknown(frame, Code::N0201, "no layer", &name.text, name.span)
    }

    /// What a word of another library is about, and the lines to write, with the arguments that stand behind it.
    pub(crate) fn with_habit(
        &self,
        d: Diagnostic,
        habit: &nnc_syntax::habits::Habit,
        args: &[Arg],
    ) -> Diagnostic {
        let slice = |span: Span| self.session.sources.slice(span);
        let args: Vec<(Option<&str>, &str)> =
            args.iter().map(|a| (a.key.as_ref().map(|k| k.text.as_str()), slice(a.value.span))).collect();
        habit.written(&args).into_iter().fold(d.cause(habit.about), Diagnostic::help)
    }
}
