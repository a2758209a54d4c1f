//! The names a body sees, and how its layers are called.

use crate::elaborate::value::Value;
use nnc_syntax::Span;
use std::collections::{BTreeMap, HashMap};

/// Local names of one body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    /// The way here, `transformer3.attention1`; empty at the top.
    pub path: String,
    /// The definition whose body this is; empty at the top.
    pub callee: String,
    vars: Vec<(String, Value)>,
    /// Where in `vars` a name stands.
    index: HashMap<String, usize>,
    counters: BTreeMap<String, usize>,
    /// The last tensor computed.
    pub it: Option<Value>,
    /// The value of the last statement, and its place, where that is no tensor and got no name: the result of a body
    /// that ends so, and a mistake anywhere else.
    pub last: Option<(Value, Span)>,
    /// Whether this is the file itself and not a body.
    pub top: bool,
    /// Which steps of the file become rows of the summary.
    pub rows: Rows,
    /// Whether this is a body of the prelude, which sees the prelude's definitions and no others.
    pub library: bool,
    /// The name that the next layer gets instead of kind and ordinal.
    pub next_name: Option<String>,
    /// Whether weights that exist already are used again.
    pub sharing: bool,
    /// The path behind a local name, for the weight that an optimizer's rule is about.
    pub alias: Option<(String, String)>,
    /// Whether states declared here belong to the optimizer.
    pub slots: bool,
}

/// Which steps become rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Rows {
    /// All of them.
    #[default]
    All,
    /// Those with weights: in brackets, inside of another step.
    Weights,
    /// None: in a loop, in the loss.
    None,
}

impl Frame {
    /// The frame of a body below `path`.
    pub fn below(path: impl Into<String>, sharing: bool) -> Self {
        Self { path: path.into(), sharing, ..Self::default() }
    }

    /// The frame of the file itself.
    pub fn top() -> Self {
        Self { top: true, ..Self::default() }
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.index.get(name).map(|&at| &self.vars[at].1)
    }

    pub fn set(&mut self, name: impl Into<String>, value: Value) {
        let name = name.into();
        match self.index.get(&name) {
            Some(&at) => self.vars[at].1 = value,
            None => {
                self.index.insert(name.clone(), self.vars.len());
                self.vars.push((name, value));
            }
        }
    }

    /// All names, the latest last.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.vars.iter().map(|(n, _)| n.as_str())
    }

    /// The path of something called `name` in this body.
    pub fn join(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_string() } else { format!("{}.{name}", self.path) }
    }

    /// The name of the next layer of a kind: the binding's, or `dense2`.
    pub fn instance(&mut self, kind: &str) -> String {
        if let Some(name) = self.next_name.take() {
            return name;
        }
        let n = self.counters.entry(kind.to_string()).or_insert(0);
        *n += 1;
        format!("{kind}{n}")
    }

    /// The path of the weight or state that a local name assigns.
    pub fn target_of(&self, name: &str) -> String {
        match &self.alias {
            Some((local, path)) if local == name => path.clone(),
            _ => self.join(name),
        }
    }
}
