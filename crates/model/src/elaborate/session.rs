//! What one run of a program is given and what it says: texts, the data's shapes, limits, diagnostics.

use crate::declarations::data::Ports;
use nnc_syntax::{Code, Diagnostic, SourceMap, Span};

/// Why a statement has no value.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A mistake, to be told.
    Error(Box<Diagnostic>),
    /// It depends on something whose mistake is already told.
    Poisoned,
}

/// A value or a reason.
pub(crate) type Res<T> = Result<T, Stop>;

/// How deep calls may nest; a layer that uses itself would never end.
pub(crate) const DEPTH: usize = 64;

/// How many nodes a program may have; `repeat` of anything large meets it.
pub(crate) const NODES: usize = 100_000;

/// How many statements and calls a program may run; most build nothing.
pub(crate) const STEPS: usize = NODES + NODES / 2;

/// How many numbers one tensor may hold for one sample; where an address has 32 bits, those of 1 GiB.
pub(crate) const ELEMENTS: usize = if usize::BITS > 32 { 1 << 33 } else { 1 << 28 };

/// What one run of a program is given, and what it has said so far.
pub(crate) struct Session<'a> {
    pub sources: &'a SourceMap,
    /// Sources below this are the prelude.
    pub first_user_source: u16,
    /// Whether this is the training; else what is computed after it.
    pub training: bool,
    /// The data's tensors.
    pub ports: Ports,
    pub diagnostics: Vec<Diagnostic>,
    /// The user's words at work.
    pub here: Span,
    /// The user's words that called the innermost body.
    pub used_at: Option<Span>,
    /// How many statements and calls were run.
    pub steps_run: usize,
}

impl<'a> Session<'a> {
    pub fn new(sources: &'a SourceMap, first_user_source: u16, training: bool) -> Self {
        Self {
            sources,
            first_user_source,
            training,
            ports: Ports::default(),
            diagnostics: Vec::new(),
            here: Span::default(),
            used_at: None,
            steps_run: 0,
        }
    }

    /// Whether the user wrote this place.
    pub fn is_user(&self, span: Span) -> bool {
        span.source.0 >= self.first_user_source
    }

    /// An error at `span`; inside the prelude the user's words come first.
    pub fn error(&self, code: Code, message: impl Into<String>, span: Span, label: &str) -> Diagnostic {
        let d = Diagnostic::error(code, message);
        if self.is_user(span) { d.label(span, label) } else { d.label(self.here, "").related(span, label) }
    }

    /// The place of a word among the user's words at work; all of them when it is not there.
    pub fn word(&self, word: &str) -> Span {
        self.word_in(self.here, word)
    }

    /// The place of a word in a part of the program; all of that when it is not there.
    pub fn word_in(&self, within: Span, word: &str) -> Span {
        let text = self.sources.slice(within);
        let at = text.match_indices(word).map(|(i, _)| i).find(|&i| {
            let part = |c: char| c.is_alphanumeric() || c == '_';
            !text[..i].ends_with(part) && !text[i + word.len()..].starts_with(part)
        });
        match at {
            Some(i) => {
                let start = within.start as usize + i;
                Span::new(within.source, start, start + word.len())
            }
            None => within,
        }
    }

    /// Remembers a mistake.
    pub fn report(&mut self, stop: Stop) {
        if let Stop::Error(d) = stop {
            self.diagnostics.push(*d);
        }
    }

    /// Whether some mistake was found.
    pub fn failed(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// Whether what follows is not worth a look: the program is too long, or has more mistakes than anyone reads.
    pub fn hopeless(&self) -> bool {
        let errors = self.diagnostics.iter().filter(|d| d.is_error());
        self.diagnostics.iter().any(|d| d.code == Code::N0307) || errors.count() > nnc_syntax::MAX_DIAGNOSTICS
    }
}
