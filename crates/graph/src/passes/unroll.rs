//! Loops as the nodes of all their steps.
//!
//! What a loop means, said without loops: tests compare loops with it.

use super::rebuild;
use crate::prim::scan::{Loop, ScanResult};
use crate::scan::slice_at;
use crate::{Builder, Graph, NodeId, Prim};
use std::collections::HashMap;

/// The same graph without loops.
pub fn unroll(graph: &Graph) -> Graph {
    let mut out = graph.clone();
    // Every turn opens the outermost loops; what was inside of them is outermost then.
    while out.ids().any(|id| matches!(out.node(id).prim, Prim::Scan(_))) {
        let mut known: HashMap<(Loop, Vec<NodeId>), Steps> = HashMap::new();
        out = rebuild(
            &out,
            |_| true,
            |b, prim, operands, ty| {
                if let Prim::Scan(scan) = &prim {
                    let key = (scan.of.clone(), operands.to_vec());
                    let steps = known.entry(key).or_insert_with(|| Steps::emit(b, &scan.of, operands));
                    steps.result(b, scan.result)
                } else {
                    b.emit(prim, operands, ty)
                }
            },
        );
    }
    out
}

/// The nodes of all steps.
struct Steps {
    values: Vec<Vec<NodeId>>,
    last: Vec<NodeId>,
}

impl Steps {
    fn emit(b: &mut Builder, of: &Loop, operands: &[NodeId]) -> Self {
        let (carries, slices) = (of.body.carries(), of.body.slices());
        let mut last = operands[..carries].to_vec();
        let mut values = vec![Vec::new(); of.length];
        for t in of.order() {
            let mut arguments = last.clone();
            arguments.extend(operands[carries..carries + slices].iter().map(|&s| slice_at(b, s, t)));
            arguments.extend(&operands[carries + slices..]);
            let step = b.inline(of.body.graph(), &arguments);
            last = of.body.next().iter().map(|n| step[n.index()]).collect();
            values[t] = step;
        }
        Self { values, last }
    }

    fn result(&self, b: &mut Builder, result: ScanResult) -> NodeId {
        match result {
            ScanResult::Last(i) => self.last[i],
            ScanResult::Stack(n) => {
                let parts: Vec<NodeId> = self
                    .values
                    .iter()
                    .map(|step| {
                        let ty = b.ty(step[n.index()]).clone();
                        b.reshape(step[n.index()], crate::prim::scan::stacked(1, &ty).shape)
                    })
                    .collect();
                b.concatenate(&parts, 0)
            }
        }
    }
}
