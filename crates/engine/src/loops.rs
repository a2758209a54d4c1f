//! The loops of a graph.

use nnc_graph::{Graph, NodeId, Prim, ScanResult};
use std::collections::{BTreeMap, HashMap};

/// The live results of every loop, by the first of them.
pub(crate) type Loops = BTreeMap<NodeId, Vec<(ScanResult, NodeId)>>;

/// Finds the loops of a graph.
pub(crate) fn loops(graph: &Graph, live: &[bool]) -> Loops {
    let mut first = HashMap::new();
    let mut out = Loops::new();
    for id in graph.ids().filter(|id| live[id.index()]) {
        if let Prim::Scan(scan) = &graph.node(id).prim {
            let key = (scan.of.clone(), graph.operands(id));
            let first = *first.entry(key).or_insert(id);
            out.entry(first).or_default().push((scan.result, id));
        }
    }
    out
}
