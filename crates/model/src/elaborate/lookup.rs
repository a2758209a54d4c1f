//! What a name stands for, and what is said where it stands for nothing.

use crate::elaborate::builtins;
use crate::elaborate::elab::{Elab, Stop};
use crate::elaborate::frame::Frame;
use crate::elaborate::value::{Def, Func, Init, Value};
use crate::suggest::{certain, nearest};
use nnc_syntax::{Code, Span, foreign};
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
}
