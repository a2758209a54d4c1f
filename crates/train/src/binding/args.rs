//! The words behind `data`, taken one after the other.

use nnc_model::data::Literal;
use nnc_syntax::ast::Arg;
use nnc_syntax::{Code, Diagnostic, Span};

/// A mistake was reported.
pub(crate) struct Reported;
pub(crate) type Res<T> = Result<T, Reported>;

/// Reports a mistake of a word, with what could stand there.
pub(crate) fn fail<T>(
    span: Span,
    message: impl Into<String>,
    example: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> Res<T> {
    let d = Diagnostic::error(Code::N0514, message).label(span, "");
    diagnostics.push(d.help(format!("for example: {example}")));
    Err(Reported)
}

/// `key=10`
pub(crate) fn count(
    words: &mut ArgCursor<'_>,
    key: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> Res<Option<usize>> {
    match words.key(key) {
        None => Ok(None),
        Some(arg) => match whole(&arg.value) {
            Some(n) => Ok(Some(n)),
            None => fail(arg.span, format!("`{key}` is a whole number"), &format!("{key}=10"), diagnostics),
        },
    }
}

/// A whole number that a float holds exactly.
pub(crate) fn whole(value: &Literal) -> Option<usize> {
    match value {
        Literal::Number(x) if *x >= 0.0 && x.fract() == 0.0 && *x <= 2f64.powi(53) => Some(*x as usize),
        _ => None,
    }
}

/// The words after a source's kind, taken one after the other.
pub(crate) struct ArgCursor<'a> {
    args: Vec<Option<&'a Arg<Literal>>>,
    to: Vec<Option<&'a Arg<Literal>>>,
    pub(crate) span: Span,
}

impl<'a> ArgCursor<'a> {
    pub(crate) fn new(args: &'a [Arg<Literal>], to: &'a [Arg<Literal>], span: Span) -> Self {
        Self { args: args.iter().map(Some).collect(), to: to.iter().map(Some).collect(), span }
    }

    /// The next word without a key that is not a bare word.
    pub(crate) fn next(&mut self) -> Option<&'a Arg<Literal>> {
        let plain = |a: &&mut Option<&Arg<Literal>>| {
            a.is_some_and(|a| a.key.is_none() && !matches!(a.value, Literal::Word(_)))
        };
        self.args.iter_mut().find(plain)?.take()
    }

    pub(crate) fn text(&mut self) -> Option<(String, Span)> {
        let quoted = |a: &&mut Option<&Arg<Literal>>| {
            a.is_some_and(|a| a.key.is_none() && matches!(a.value, Literal::Text(_)))
        };
        let arg = self.args.iter_mut().find(quoted)?.take()?;
        match &arg.value {
            Literal::Text(path) => Some((path.clone(), arg.span)),
            _ => None,
        }
    }

    /// `key=value`, wherever it stands: behind the file of the targets too.
    pub(crate) fn key(&mut self, key: &str) -> Option<&'a Arg<Literal>> {
        self.args.iter_mut().chain(&mut self.to).find(|a| a.is_some_and(|a| a.key() == Some(key)))?.take()
    }

    /// A bare word, or `word=yes`.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let is = |a: &&mut Option<&Arg<Literal>>| {
            a.is_some_and(|a| match (a.key(), &a.value) {
                (None, Literal::Word(word)) => word == name,
                (Some(key), Literal::Bool(_)) => key == name,
                _ => false,
            })
        };
        let found = self.args.iter_mut().chain(&mut self.to).find(is).and_then(Option::take);
        found.is_some_and(|a| a.value != Literal::Bool(false))
    }

    pub(crate) fn target(&mut self) -> Option<&'a Arg<Literal>> {
        self.to.first_mut()?.take()
    }

    pub(crate) fn left(&self) -> impl Iterator<Item = &'a Arg<Literal>> {
        self.args.iter().chain(&self.to).filter_map(|a| *a)
    }
}
