//! What is drawn: boxes and what flows between them.

use nnc_graph::{Dim, Role, Type};
use std::collections::BTreeSet;

/// Boxes and edges. Items stand in the order of the graph, so edges never lead to an earlier one.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Drawing {
    /// What it is a drawing of.
    pub title: String,
    /// The boxes.
    pub items: Vec<Item>,
    /// What flows, each pair of boxes once, ascending.
    pub edges: Vec<Edge>,
}

/// What a box is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// Data: an input, a target, the weight of a sample, the number of the step.
    Data,
    /// A step of the network, a loss, a metric, an update: something that has parts.
    Layer,
    /// One operation.
    Operation,
    /// In the drawing of a box's inside: what comes from outside.
    From,
    /// In the drawing of a box's inside: what goes outside.
    To,
}

/// In which part of a training step a box stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Band {
    /// What leads to predictions, losses and metrics.
    Forward,
    /// Gradients.
    Backward,
    /// New values of weights, states and what the optimizer keeps.
    Update,
}

/// Words of the user's program.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

/// A line of the user's program.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Line {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

/// A weight, a state, or what the optimizer keeps, with the boxes that use it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Held {
    /// What it is for.
    pub role: Role,
    /// Its name, such as `dense1.w`.
    pub name: String,
    /// Its sizes, such as `2×16`.
    pub shape: String,
    /// How many numbers it is.
    pub count: u64,
}

/// A box.
#[derive(Clone, PartialEq, Debug)]
pub struct Item {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub band: Band,
    /// Its name, such as `dense1`.
    pub name: String,
    /// The user's words, or the operation with what is known of its operands.
    pub text: String,
    /// The shape of what it gives; empty where it gives nothing that is used.
    pub shape: String,
    /// What it holds between steps, by role and name.
    pub held: Vec<Held>,
    /// What its results are for: `loss`, `output`, `new dense1.w`.
    pub results: Vec<String>,
    /// The user's words that asked for it.
    pub place: Option<Place>,
    /// The lines that it comes from; the update of a layer's weights comes from the layer.
    pub lines: Vec<Line>,
    /// Further lines that have to do with it: of an update, the optimizer's.
    pub also: Vec<Line>,
    /// The numbers of its nodes in the graph, ascending.
    pub nodes: Vec<usize>,
    /// Multiplications and additions for one sample.
    pub flops: u64,
    /// What is in it.
    pub inside: Option<Drawing>,
}

/// What flows from a box to another one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Edge {
    /// The position of the box that gives it.
    pub from: usize,
    /// The position of the box that takes it.
    pub to: usize,
    /// The shapes of the values, each once.
    pub shape: String,
}

impl Item {
    /// A box of one operation without anything known about it.
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self {
            kind,
            band: Band::Forward,
            name: name.into(),
            text: String::new(),
            shape: String::new(),
            held: Vec::new(),
            results: Vec::new(),
            place: None,
            lines: Vec::new(),
            also: Vec::new(),
            nodes: Vec::new(),
            flops: 0,
            inside: None,
        }
    }

    /// How many numbers it learns.
    pub fn weights(&self) -> u64 {
        let weights = self.held.iter().filter(|h| h.role == Role::Weight);
        weights.map(|h| h.count).fold(0, u64::saturating_add)
    }

    /// The lines that are written into the box: its name, the user's words, what it learns, what it is for.
    pub fn lines(&self) -> Vec<String> {
        let mut out = match self.kind {
            Kind::From => vec![format!("from {}", self.name)],
            Kind::To => vec![format!("to {}", self.name)],
            // `add · dense1.b` says that it is an `add`.
            Kind::Operation if self.text.starts_with(&self.name) => Vec::new(),
            Kind::Data | Kind::Layer | Kind::Operation => vec![self.name.clone()],
        };
        if !self.text.is_empty() && (self.text != self.name || out.is_empty()) {
            out.push(self.text.clone());
        }
        let learned = match (self.kind, self.weights()) {
            (Kind::Layer, 1) => "1 weight".into(),
            (Kind::Layer, n) if n > 0 && self.band == Band::Forward => format!("{} weights", grouped(n)),
            _ => String::new(),
        };
        if !learned.is_empty() {
            out.push(learned);
        }
        if !self.results.is_empty() {
            let (shown, rest) = self.results.split_at(self.results.len().min(3));
            let more = if rest.is_empty() { String::new() } else { format!(", {} more", rest.len()) };
            out.push(format!("→ {}{more}", shown.join(", ")));
        }
        out
    }
}

impl Drawing {
    /// The positions of boxes that a box leads to, in any number of steps.
    pub fn reach(&self, from: usize) -> BTreeSet<usize> {
        let mut out = BTreeSet::new();
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            open.extend(
                self.edges.iter().filter(|e| e.from == at).map(|e| e.to).filter(|&to| out.insert(to)),
            );
        }
        out
    }

    /// What is left when nothing but these boxes is drawn.
    pub fn only(&self, keep: &BTreeSet<usize>) -> Drawing {
        let at: Vec<usize> = keep.iter().copied().filter(|&i| i < self.items.len()).collect();
        let edge = |e: &Edge| {
            let (from, to) = (at.binary_search(&e.from).ok()?, at.binary_search(&e.to).ok()?);
            Some(Edge { from, to, shape: e.shape.clone() })
        };
        Drawing {
            title: self.title.clone(),
            items: at.iter().map(|&i| self.items[i].clone()).collect(),
            edges: self.edges.iter().filter_map(edge).collect(),
        }
    }

    /// The boxes of a name with those that they take from and give to; nothing if no box has the name.
    pub fn around(&self, name: &str) -> Option<Drawing> {
        let of_name = |i: &usize| self.items[*i].name == name;
        let mut keep: BTreeSet<usize> = (0..self.items.len()).filter(of_name).collect();
        if keep.is_empty() {
            return self.items.iter().filter_map(|i| i.inside.as_ref()?.around(name)).next();
        }
        let center = keep.clone();
        for e in &self.edges {
            if center.contains(&e.from) || center.contains(&e.to) {
                keep.extend([e.from, e.to]);
            }
        }
        Some(self.only(&keep))
    }

    /// The names of boxes, also of those inside of others, each once.
    pub fn names(&self) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for item in self.items.iter().filter(|i| !matches!(i.kind, Kind::From | Kind::To)) {
            let inside = item.inside.iter().flat_map(Drawing::names);
            for name in std::iter::once(item.name.clone()).chain(inside) {
                if !out.contains(&name) {
                    out.push(name);
                }
            }
        }
        out
    }

    /// The drawing with boxes open down to a depth: at 1, nothing is open.
    pub fn closed(&self, depth: usize) -> Drawing {
        let mut out = self.clone();
        for item in &mut out.items {
            item.inside = match item.inside.take() {
                Some(inside) if depth > 1 => Some(inside.closed(depth - 1)),
                _ => None,
            };
        }
        out
    }
}

/// A shape as people write it: `B×16`, and what its elements are where they are no floats; a scalar is `1`.
pub fn shape(ty: &Type) -> String {
    let dims: Vec<String> = ty.shape.iter().map(Dim::to_string).collect();
    let dims = if dims.is_empty() { "1".into() } else { dims.join("×") };
    match ty.dtype.is_float() {
        true => dims,
        false => format!("{dims} {}", ty.dtype.name()),
    }
}

/// `12,345`
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}
