//! What gets no box of its own: constants, what only repeats them, and weights, which are written into their users.

use nnc_graph::{Bits, Graph, Leaf, Movement, NodeId, Prim, Role};
use std::collections::BTreeSet;

/// What becomes of a node in a drawing.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Part {
    /// It is drawn.
    Drawn,
    /// Known before any data: a constant, or a formula of constants and the number of samples.
    Known(String),
    /// A weight, a state or a slot.
    Held,
    /// Another node, repeated.
    Same(NodeId),
}

/// A graph's nodes, and what they are in a drawing.
pub(crate) struct Folded<'g> {
    pub graph: &'g Graph,
    pub parts: Vec<Part>,
    /// The drawn nodes that a drawn node takes from, ascending, each once.
    pub takes: Vec<Vec<usize>>,
}

impl<'g> Folded<'g> {
    pub fn new(graph: &'g Graph) -> Self {
        let named: BTreeSet<NodeId> = graph.outputs().iter().map(|o| o.node).collect();
        let mut parts: Vec<Part> = Vec::with_capacity(graph.len());
        for id in graph.ids() {
            let part = part(graph, id, &parts);
            let plain = matches!(part, Part::Known(_) | Part::Same(_)) && named.contains(&id);
            parts.push(if plain { Part::Drawn } else { part });
        }
        let mut out = Self { graph, parts, takes: Vec::new() };
        out.takes = graph.ids().map(|id| out.takes_of(id)).collect();
        out
    }

    pub fn is_drawn(&self, id: usize) -> bool {
        self.parts[id] == Part::Drawn
    }

    /// What is behind an operand.
    pub fn behind(&self, mut id: NodeId) -> NodeId {
        while let Part::Same(of) = self.parts[id.index()] {
            id = of;
        }
        id
    }

    fn takes_of(&self, id: NodeId) -> Vec<usize> {
        if !self.is_drawn(id.index()) {
            return Vec::new();
        }
        let operands = self.graph.operands(id).into_iter().map(|o| self.behind(o).index());
        operands.filter(|&o| self.is_drawn(o)).collect::<BTreeSet<usize>>().into_iter().collect()
    }

    /// The weights, states and slots that a node takes.
    pub fn held(&self, id: NodeId) -> Vec<NodeId> {
        let operands = self.graph.operands(id).into_iter().map(|o| self.behind(o));
        operands.filter(|o| self.parts[o.index()] == Part::Held).collect()
    }

    /// The operation with what is known of its operands: `maximum · 0`, `dot_general · dense1.w`.
    pub fn text(&self, id: NodeId) -> String {
        let prim = &self.graph.node(id).prim;
        if let Prim::Scan(scan) = prim {
            let way = if scan.of.reverse { " backward" } else { "" };
            return format!("scan {} steps{way}", scan.of.length);
        }
        let mut out = prim.name().to_string();
        for operand in self.graph.operands(id) {
            let operand = self.behind(operand);
            out.push(' ');
            match &self.parts[operand.index()] {
                Part::Known(text) => out += text,
                Part::Held => {
                    out += self.graph.node(operand).prim.parameter().map_or("", |(_, name)| name);
                }
                Part::Drawn | Part::Same(_) => out.push('·'),
            }
        }
        out
    }
}

fn part(graph: &Graph, id: NodeId, before: &[Part]) -> Part {
    let prim = &graph.node(id).prim;
    let operands = graph.operands(id);
    if let Prim::Leaf(leaf) = prim {
        return match leaf {
            Leaf::Parameter { role: Role::Weight | Role::State | Role::Slot, .. } => Part::Held,
            Leaf::Constant(bits) => Part::Known(number(*bits)),
            Leaf::Iota { .. } => Part::Known("0,1,2…".into()),
            Leaf::BatchSize => Part::Known("B".into()),
            Leaf::Parameter { .. } | Leaf::Rng { .. } => Part::Drawn,
        };
    }
    let repeats = matches!(prim, Prim::Movement(Movement::BroadcastInDim { .. }));
    if repeats && let [operand] = operands[..] {
        return match &before[operand.index()] {
            Part::Known(text) => Part::Known(text.clone()),
            Part::Same(of) => Part::Same(*of),
            Part::Drawn | Part::Held => Part::Same(operand),
        };
    }
    let known = |o: &NodeId| match &before[o.index()] {
        Part::Known(text) => Some(text.clone()),
        Part::Drawn | Part::Held | Part::Same(_) => None,
    };
    let texts: Option<Vec<String>> = operands.iter().map(known).collect();
    match texts {
        Some(texts) if !operands.is_empty() && !matches!(prim, Prim::Scan(_)) => {
            let text = format!("{}({})", prim.name(), texts.join(", "));
            Part::Known(if text.chars().count() > 24 { format!("{}(…)", prim.name()) } else { text })
        }
        _ => Part::Drawn,
    }
}

/// A constant as a person would write it: eight digits are more than a float has.
fn number(bits: Bits) -> String {
    let exact = bits.to_string();
    let value = bits.get();
    if exact.len() <= 8 || !value.is_finite() {
        return exact;
    }
    let short = format!("{value:.6e}");
    let (digits, power) = short.split_once('e').unwrap_or((&short, "0"));
    let rounded: f64 = short.parse().unwrap_or(value);
    let plain = rounded.to_string();
    if plain.len() <= 10 {
        return plain;
    }
    format!("{}e{power}", digits.trim_end_matches('0').trim_end_matches('.'))
}
