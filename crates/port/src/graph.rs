//! The network that a program makes: steps, joined.

use crate::step::Step;

/// Something that is computed.
#[derive(Debug)]
pub struct Node {
    /// What it is.
    pub op: Op,
    /// What it works on.
    pub inputs: Vec<usize>,
    /// The name its value was given there.
    pub name: Option<String>,
    /// Its layer there, by number: two nodes of one layer share its weights.
    pub layer: Option<usize>,
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum Op {
    /// A value of the data, with its shape for one sample, as far as it is known
    Input(Vec<i64>),
    /// Steps, one behind the other
    Steps(Vec<Step>),
    /// What has no counterpart: a comment stands in its place
    Missing(String),
}

/// All nodes; those they work on stand before them.
#[derive(Debug, Default)]
pub struct Graph {
    /// The nodes.
    pub nodes: Vec<Node>,
}

impl Graph {
    /// Adds a node.
    pub fn add(&mut self, op: Op, inputs: Vec<usize>, layer: Option<usize>) -> usize {
        self.nodes.push(Node { op, inputs, name: None, layer });
        self.nodes.len() - 1
    }

    /// The nodes that some are computed from, these among them, in their order.
    pub fn reach(&self, from: &[usize]) -> Vec<usize> {
        let mut seen = vec![false; self.nodes.len()];
        let mut open = from.to_vec();
        while let Some(n) = open.pop() {
            if !std::mem::replace(&mut seen[n], true) {
                open.extend(&self.nodes[n].inputs);
            }
        }
        (0..seen.len()).filter(|n| seen[*n]).collect()
    }

    /// The same nodes once more over other inputs, as a model called on other tensors; its new outputs.
    pub fn again(&mut self, inputs: &[(usize, usize)], outputs: &[usize]) -> Vec<usize> {
        let mut renamed: Vec<Option<usize>> = vec![None; self.nodes.len()];
        for (from, to) in inputs {
            renamed[*from] = Some(*to);
        }
        for n in self.reach(outputs) {
            if renamed[n].is_some() || matches!(self.nodes[n].op, Op::Input(_)) {
                continue;
            }
            let over: Vec<usize> = self.nodes[n].inputs.iter().map(|i| renamed[*i].unwrap_or(*i)).collect();
            if over == self.nodes[n].inputs {
                continue;
            }
            let copy = self.add(self.nodes[n].op.clone(), over, self.nodes[n].layer);
            renamed[n] = Some(copy);
        }
        outputs.iter().map(|o| renamed[*o].unwrap_or(*o)).collect()
    }

    /// The last of some numbers of a node's steps, where it has any.
    pub fn last_step(&mut self, node: usize) -> Option<&mut Step> {
        match self.nodes.get_mut(node).map(|n| &mut n.op) {
            Some(Op::Steps(steps)) => steps.last_mut(),
            _ => None,
        }
    }
}
