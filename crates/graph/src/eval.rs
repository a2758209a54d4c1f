//! The reference evaluator: every primitive as the plainest loop in double precision.
//!
//! It is the meaning that the engine's kernels are compared with, and far too slow for anything else.

use crate::prim::scan::{Loop, ScanResult};
use crate::{Graph, Node, NodeId, OutputKind, Prim, Role};
use std::collections::HashMap;

pub use crate::array::{Array, Bindings, each_index};

/// The values of all nodes.
///
/// # Errors
/// The parameter that is not bound, or bound to another shape.
pub fn evaluate(graph: &Graph, bindings: &Bindings) -> Result<Vec<Array>, String> {
    let mut values: Vec<Array> = Vec::with_capacity(graph.len());
    let mut loops: HashMap<(Loop, Vec<NodeId>), Steps> = HashMap::new();
    // What hangs on the stand-ins of a loop that was made has no value, and nobody needs one.
    let mut hangs = vec![false; graph.len()];
    for id in graph.ids() {
        let node = graph.node(id);
        let dims = node.ty.dims_at(bindings.batch);
        let nodes = graph.operands(id);
        hangs[id.index()] = nodes.iter().any(|o| hangs[o.index()]) || is_unbound_stand_in(node, bindings);
        if hangs[id.index()] {
            values.push(Array::filled(&dims, f64::NAN));
            continue;
        }
        let operands: Vec<&Array> = nodes.iter().map(|o| &values[o.index()]).collect();
        let value = if let Prim::Scan(scan) = &node.prim {
            let key = (scan.of.clone(), nodes.clone());
            if !loops.contains_key(&key) {
                loops.insert(key.clone(), steps(&scan.of, &operands, bindings)?);
            }
            loops[&key].result(scan.result, &dims)
        } else {
            node.prim.eval(&operands, &node.ty, bindings)?
        };
        values.push(value);
    }
    Ok(values)
}

fn is_unbound_stand_in(node: &Node, bindings: &Bindings) -> bool {
    node.prim
        .parameter()
        .filter(|(role, _)| role.is_of_region())
        .is_some_and(|(role, name)| !bindings.parameters.contains_key(&(role, name.to_string())))
}

/// A loop that was run: the values of all nodes of its body in every step, and the carries at the end.
struct Steps {
    values: Vec<Vec<Array>>,
    last: Vec<Array>,
}

impl Steps {
    fn result(&self, result: ScanResult, dims: &[usize]) -> Array {
        match result {
            ScanResult::Last(i) => self.last[i].clone(),
            ScanResult::Stack(n) => {
                Array::new(dims, self.values.iter().flat_map(|v| v[n.index()].data.clone()).collect())
            }
        }
    }
}

fn steps(of: &Loop, operands: &[&Array], bindings: &Bindings) -> Result<Steps, String> {
    let body = &of.body;
    let (carries, slices) = (body.carries(), body.slices());
    let mut last: Vec<Array> = operands[..carries].iter().map(|&a| a.clone()).collect();
    let mut values = vec![Vec::new(); of.length];
    for t in of.order() {
        let mut inner = Bindings { parameters: HashMap::new(), ..*bindings };
        for (i, carry) in last.iter().enumerate() {
            inner = inner.with(Role::Carry, &i.to_string(), carry.clone());
        }
        for (i, stack) in operands[carries..carries + slices].iter().enumerate() {
            let count = stack.data.len() / of.length;
            let slice = Array::new(&stack.dims[1..], stack.data[t * count..(t + 1) * count].to_vec());
            inner = inner.with(Role::Slice, &i.to_string(), slice);
        }
        for (i, &same) in operands[carries + slices..].iter().enumerate() {
            inner = inner.with(Role::Invariant, &i.to_string(), same.clone());
        }
        let step = evaluate(body.graph(), &inner)?;
        last = body.next().iter().map(|n| step[n.index()].clone()).collect();
        values[t] = step;
    }
    Ok(Steps { values, last })
}

/// The value of a named result.
///
/// # Errors
/// As [`evaluate`]; or there is no such result.
pub fn evaluate_output(
    graph: &Graph,
    bindings: &Bindings,
    kind: OutputKind,
    name: &str,
) -> Result<Array, String> {
    let node: NodeId =
        graph.output(kind, name).ok_or_else(|| format!("there is no {} `{name}`", kind.name()))?;
    Ok(evaluate(graph, bindings)?.swap_remove(node.index()))
}
