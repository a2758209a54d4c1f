//! Dropping what no result depends on, in the bodies of loops too.

use crate::prim::scan::{Loop, Scan, ScanResult};
use crate::{Builder, Graph, NodeId, OutputKind, Prim, Region, Role};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Drops the nodes that no result depends on; parameters that are updated stay all the same. Of a loop, carries,
/// operands and nodes of the body that no live result of it needs are dropped.
pub fn sweep(graph: &Graph) -> Graph {
    let results = graph.outputs().iter().map(|o| o.node);
    let updated: BTreeSet<&str> = graph.outputs_of(OutputKind::Update).map(|o| &*o.name).collect();
    let kept = [Role::Weight, Role::State, Role::Slot].into_iter().flat_map(|role| graph.parameters(role));
    let kept = kept.filter(|(name, _)| updated.contains(&**name)).map(|(_, id)| id);
    let live = Live::new(graph, results.chain(kept));
    let mut b = Builder::new(graph.name.clone(), graph.float);
    let new = live.emit(graph, &mut b, Vec::new());
    for output in graph.outputs() {
        if let Some(node) = new[output.node.index()] {
            b.output(output.kind, output.name.clone(), node);
        }
    }
    b.finish()
}

/// What is needed of a graph.
struct Live {
    nodes: Vec<bool>,
    /// By the first of its results: a loop without what is not needed.
    loops: BTreeMap<NodeId, Pruned>,
    /// The first result of the loop that a node is a result of.
    first: BTreeMap<NodeId, NodeId>,
}

impl Live {
    fn new(graph: &Graph, roots: impl Iterator<Item = NodeId>) -> Self {
        let mut out =
            Self { nodes: vec![false; graph.len()], loops: BTreeMap::new(), first: BTreeMap::new() };
        let mut known: HashMap<(Loop, Vec<NodeId>), NodeId> = HashMap::new();
        for id in graph.ids() {
            if let Prim::Scan(scan) = &graph.node(id).prim {
                let first = *known.entry((scan.of.clone(), graph.operands(id))).or_insert(id);
                out.first.insert(id, first);
            }
        }
        for root in roots {
            out.nodes[root.index()] = true;
        }
        let mut asked: BTreeMap<NodeId, BTreeSet<ScanResult>> = BTreeMap::new();
        for id in graph.ids().rev() {
            let operands = graph.operands(id);
            if let Prim::Scan(scan) = &graph.node(id).prim {
                let first = out.first[&id];
                if out.nodes[id.index()] {
                    asked.entry(first).or_default().insert(scan.result);
                }
                // Nothing before the first result uses any: all that is asked of the loop is known now.
                if first == id
                    && let Some(asked) = asked.get(&id)
                {
                    let pruned = Pruned::new(&scan.of, asked);
                    for &operand in &pruned.operands {
                        out.nodes[operands[operand].index()] = true;
                    }
                    out.loops.insert(id, pruned);
                }
            } else if out.nodes[id.index()] {
                for operand in operands {
                    out.nodes[operand.index()] = true;
                }
            }
        }
        out
    }

    /// Emits what is live, but for the first nodes, which are given; the new node of each.
    fn emit(&self, graph: &Graph, b: &mut Builder, given: Vec<Option<NodeId>>) -> Vec<Option<NodeId>> {
        let first = given.len();
        let mut new = given;
        new.resize(graph.len(), None);
        for id in graph.ids_from(first).filter(|id| self.nodes[id.index()]) {
            let node = graph.node(id);
            let operands = graph.operands(id);
            let of = |o: &NodeId| new[o.index()].unwrap_or_else(|| panic!("{id} uses {o}, which is dead"));
            b.set_origin(node.origin.clone());
            new[id.index()] = Some({
                if let Prim::Scan(scan) = &node.prim {
                    let pruned = &self.loops[&self.first[&id]];
                    let operands: Vec<NodeId> = pruned.operands.iter().map(|&i| of(&operands[i])).collect();
                    let scan = Scan { of: pruned.of.clone(), result: pruned.result(scan.result) };
                    b.emit(scan, &operands, node.ty.clone())
                } else {
                    let operands: Vec<NodeId> = operands.iter().map(of).collect();
                    b.emit(node.prim.clone(), &operands, node.ty.clone())
                }
            });
        }
        new
    }
}

/// A loop without what is not needed.
struct Pruned {
    of: Loop,
    /// The operands that are left, by their old positions.
    operands: Vec<usize>,
    /// The carries that are left, by their old positions.
    carries: Vec<usize>,
    nodes: Vec<Option<NodeId>>,
}

impl Pruned {
    fn new(of: &Loop, asked: &BTreeSet<ScanResult>) -> Self {
        let graph = of.body.graph();
        let stacks =
            || asked.iter().filter_map(|r| if let ScanResult::Stack(n) = r { Some(*n) } else { None });
        let mut carries: BTreeSet<usize> =
            asked.iter().filter_map(|r| if let ScanResult::Last(i) = r { Some(*i) } else { None }).collect();
        // A carry that is read is needed, and with it what its next value needs.
        let live = loop {
            let next = carries.iter().map(|&i| of.body.next()[i]);
            let live = Live::new(graph, stacks().chain(next));
            let read = (0..of.body.carries()).filter(|&i| live.nodes[i]);
            let before = carries.len();
            carries.extend(read);
            if carries.len() == before {
                break live;
            }
        };
        let operands: Vec<usize> =
            (0..of.body.parameters()).filter(|i| carries.contains(i) || live.nodes[*i]).collect();
        let mut b = Builder::new(graph.name.clone(), graph.float);
        let mut numbers: BTreeMap<Role, usize> = BTreeMap::new();
        let mut parameters: Vec<Option<NodeId>> = vec![None; of.body.parameters()];
        for &i in &operands {
            let node = graph.node(NodeId(i as u32));
            let Some((role, _)) = node.prim.parameter() else { continue };
            let number = numbers.entry(role).or_default();
            b.set_origin(node.origin.clone());
            parameters[i] = Some(b.parameter(role, number.to_string(), node.ty.clone()));
            *number += 1;
        }
        let nodes = live.emit(graph, &mut b, parameters);
        let carries: Vec<usize> = carries.into_iter().collect();
        for (n, &i) in carries.iter().enumerate() {
            if let Some(next) = nodes[of.body.next()[i].index()] {
                b.output(OutputKind::Next, n.to_string(), next);
            }
        }
        let body = match Region::new(b.finish()) {
            Ok(body) => Arc::new(body),
            Err(message) => panic!("a swept loop is none: {message}"),
        };
        Self { of: Loop { body, ..of.clone() }, operands, carries, nodes }
    }

    fn result(&self, old: ScanResult) -> ScanResult {
        match old {
            ScanResult::Last(i) => {
                ScanResult::Last(self.carries.iter().position(|&c| c == i).unwrap_or(usize::MAX))
            }
            ScanResult::Stack(n) => ScanResult::Stack(self.nodes[n.index()].unwrap_or(NodeId(u32::MAX))),
        }
    }
}
