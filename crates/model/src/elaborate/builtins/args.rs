//! Arguments of a function of Rust.

use crate::elaborate::value::Value;
use nnc_syntax::Span;

/// Arguments of a function of Rust, already evaluated.
pub(crate) struct Args {
    pub positional: Vec<(Value, Span)>,
    pub keyed: Vec<(String, Value, Span)>,
    pub span: Span,
}

impl Args {
    /// The value at a position, or under a key.
    pub(crate) fn get(&self, position: usize, key: &str) -> Option<&Value> {
        self.keyed
            .iter()
            .find(|(k, _, _)| k == key)
            .map(|(_, v, _)| v)
            .or_else(|| self.positional.get(position).map(|(v, _)| v))
    }

    /// The value under a key.
    pub(crate) fn key(&self, key: &str) -> Option<&Value> {
        self.keyed.iter().find(|(k, _, _)| k == key).map(|(_, v, _)| v)
    }

    /// Where an argument stands.
    pub(crate) fn span_of(&self, position: usize) -> Span {
        self.positional.get(position).map_or(self.span, |(_, s)| *s)
    }
}
