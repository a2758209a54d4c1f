//! What no gradient flows through, as numbers given from outside.
//!
//! A difference of the objective sees every way from a weight to it; a gradient leaves out the ways through
//! `stop_gradient`. With the values there held, both speak of the same function.

use super::{rebuild, sweep, unroll};
use crate::prim::Elementwise;
use crate::{Graph, OutputKind, Prim, Role};

/// A graph whose values behind `stop_gradient` are given.
#[derive(Clone, Debug)]
pub struct Held {
    /// The graph with those values among its predictions, under `names`.
    pub values: Graph,
    /// The objective, with inputs of these names in their places.
    pub objective: Graph,
    /// Their names.
    pub names: Vec<String>,
}

/// Makes inputs of all that gradients stop at; `None` where nothing does. Loops in which it happens are unrolled.
pub fn hold(graph: &Graph) -> Option<Held> {
    let unrolled = graph
        .ids()
        .any(|id| matches!(&graph.node(id).prim, Prim::Scan(scan) if stops(scan.of.body.graph())))
        .then(|| unroll(graph));
    let graph = unrolled.as_ref().unwrap_or(graph);
    let stop = |prim: &Prim| matches!(prim, Prim::Elementwise(Elementwise::StopGradient));
    let name = |n: usize| format!("stop_gradient {n}");
    let mut names = Vec::new();
    let values = rebuild(
        graph,
        |_| true,
        |b, prim, operands, ty| {
            let held = stop(&prim) && ty.dtype.is_float();
            let node = b.emit(prim, operands, ty);
            if held {
                names.push(name(names.len()));
                b.output(OutputKind::Prediction, name(names.len() - 1), node);
            }
            node
        },
    );
    if names.is_empty() {
        return None;
    }
    let mut n = 0;
    let mut objective = rebuild(
        graph,
        |_| true,
        |b, prim, operands, ty| {
            if stop(&prim) && ty.dtype.is_float() {
                n += 1;
                b.parameter(Role::Input, name(n - 1), ty)
            } else {
                b.emit(prim, operands, ty)
            }
        },
    );
    objective.retain_outputs(|o| o.kind == OutputKind::Objective);
    let mut values = values;
    values.retain_outputs(|o| o.kind == OutputKind::Prediction && names.iter().any(|n| **n == *o.name));
    Some(Held { values: sweep(&values), objective: sweep(&objective), names })
}

/// Whether a gradient stops somewhere in a graph or in the loops of it.
fn stops(graph: &Graph) -> bool {
    graph.ids().any(|id| match &graph.node(id).prim {
        Prim::Elementwise(Elementwise::StopGradient) => true,
        Prim::Scan(scan) => stops(scan.of.body.graph()),
        Prim::Elementwise(_)
        | Prim::Leaf(_)
        | Prim::Movement(_)
        | Prim::Reduce(_)
        | Prim::DotGeneral(_)
        | Prim::Convolve(_)
        | Prim::Window(_)
        | Prim::Indexing(_) => false,
    })
}
