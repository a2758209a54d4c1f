//! Which elementwise nodes run together.
//!
//! Every node gets a level: an elementwise node stands on the level of the elementwise nodes whose values it
//! takes element by element, and above everything else that it reads. Nodes of one level and one number of
//! elements can therefore run together: no way from one to the other leaves the level. What connects them is
//! a value that passes from one to the other or a tensor that both read.

use nnc_graph::{Graph, Kind, Leaf, NodeId, Prim, Type};

/// What kind of work a node is.
pub(crate) fn kind(graph: &Graph, id: NodeId) -> Kind {
    let operands = graph.operands(id);
    let types: Vec<&Type> = operands.iter().map(|&o| graph.ty(o)).collect();
    graph.node(id).prim.kind(&types, graph.ty(id))
}

/// The nodes in groups.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    /// The members of every group, ascending; groups of higher levels come later.
    pub(crate) members: Vec<Vec<NodeId>>,
    /// The group of every elementwise node.
    pub(crate) of: Vec<Option<usize>>,
}

/// The most nodes of a group: a tile program counts its values in 16 bits, and threads share a group by its elements.
const MOST: usize = 2048;

/// Groups with at most this many elements run together even when nothing connects them.
const SMALL: usize = 4096;

struct Facts<'a> {
    graph: &'a Graph,
    live: &'a [bool],
    kinds: Vec<Kind>,
    /// The node behind aliases.
    origin: Vec<NodeId>,
    level: Vec<usize>,
}

/// Groups the live elementwise nodes; `counts` are the numbers of elements.
pub(crate) fn groups(graph: &Graph, live: &[bool], counts: &[usize], fuse: bool) -> Groups {
    let kinds: Vec<Kind> = graph.ids().map(|id| kind(graph, id)).collect();
    let mut facts = Facts { graph, live, kinds, origin: Vec::new(), level: Vec::new() };
    facts.find_levels();
    let mut parent: Vec<usize> = (0..graph.len()).collect();
    if fuse {
        facts.sink();
        facts.unite(counts, &mut parent);
    }
    let mut keyed: Vec<(usize, usize, NodeId)> = graph
        .ids()
        .filter(|&id| live[id.index()] && facts.kinds[id.index()] == Kind::Elementwise)
        .map(|id| (facts.level[id.index()], find(&mut parent, id.index()), id))
        .collect();
    keyed.sort_unstable();
    let mut out = Groups { members: Vec::new(), of: vec![None; graph.len()] };
    let mut last = None;
    for (_, root, id) in keyed {
        if last != Some(root) || out.members.last().is_some_and(|m| m.len() == MOST) {
            out.members.push(Vec::new());
            last = Some(root);
        }
        out.of[id.index()] = Some(out.members.len() - 1);
        if let Some(members) = out.members.last_mut() {
            members.push(id);
        }
    }
    out
}

fn find(parent: &mut [usize], mut at: usize) -> usize {
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}

impl Facts<'_> {
    fn is_elementwise(&self, id: NodeId) -> bool {
        self.kinds[id.index()] == Kind::Elementwise
    }

    /// Whether it takes its operands element by element; random numbers take their keys whole.
    fn takes_elements(&self, id: NodeId) -> bool {
        self.is_elementwise(id) && !matches!(self.graph.node(id).prim, Prim::Leaf(_))
    }

    fn find_levels(&mut self) {
        for id in self.graph.ids() {
            let operands = self.graph.operands(id);
            let kind = self.kinds[id.index()];
            let behind = match (kind, operands.first()) {
                (Kind::Alias, Some(o)) => self.origin[o.index()],
                _ => id,
            };
            self.origin.push(behind);
            let above = |o: &NodeId| {
                let from = self.origin[o.index()];
                let passes = self.takes_elements(id) && self.is_elementwise(from);
                let constant =
                    matches!(self.graph.node(from).prim, Prim::Leaf(Leaf::Constant(_) | Leaf::BatchSize));
                self.level[o.index()] + usize::from(!passes && !constant)
            };
            let level = match kind {
                Kind::Leaf => 0,
                Kind::Alias => self.level[behind.index()],
                Kind::View | Kind::Elementwise | Kind::Heavy => operands.iter().map(above).max().unwrap_or(0),
            };
            self.level.push(level);
        }
    }

    /// Moves a node up to the level of its users when all of them could take its value from a register:
    /// what backward alone needs is computed there.
    fn sink(&mut self) {
        // The level of all users, once one is known; `None` when they differ or are not elementwise.
        let mut wanted: Vec<Option<Option<usize>>> = vec![None; self.graph.len()];
        for output in self.graph.outputs() {
            wanted[self.origin[output.node.index()].index()] = Some(None);
        }
        for id in self.graph.ids().rev().filter(|id| self.live[id.index()]) {
            let at = id.index();
            if self.is_elementwise(id) {
                if let Some(Some(level)) = wanted[at] {
                    self.level[at] = level.max(self.level[at]);
                }
            } else if self.kinds[at] == Kind::Alias {
                continue;
            }
            let level = self.takes_elements(id).then_some(self.level[at]);
            for operand in self.graph.operands(id) {
                let want = &mut wanted[self.origin[operand.index()].index()];
                *want = Some(match *want {
                    Some(other) if other != level => None,
                    _ => level,
                });
            }
        }
    }

    fn unite(&self, counts: &[usize], parent: &mut [usize]) {
        use std::collections::BTreeMap;
        let mut readers: BTreeMap<(usize, usize, NodeId), usize> = BTreeMap::new();
        let mut small: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for id in self.graph.ids().filter(|&id| self.live[id.index()] && self.is_elementwise(id)) {
            let (at, count) = (id.index(), counts[id.index()]);
            let level = self.level[at];
            let mut join = |other: usize| {
                let (a, b) = (find(parent, at), find(parent, other));
                parent[a.max(b)] = a.min(b);
            };
            for operand in self.graph.operands(id) {
                let from = self.origin[operand.index()];
                if self.is_elementwise(from) && self.level[from.index()] == level {
                    join(from.index());
                } else if counts[from.index()] > 1 {
                    join(*readers.entry((level, count, from)).or_insert(at));
                }
            }
            if count <= SMALL {
                join(*small.entry((level, count)).or_insert(at));
            }
        }
    }
}
