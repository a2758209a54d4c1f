//! Metrics of all samples together, such as a precision: a few numbers of every sample are summed over all
//! batches, and the metric is computed from the sums at the end. So it comes out right for partial batches, where
//! a mean of the batches' metrics would not.

use crate::elaborate::value::Tensor;
use nnc_graph::{Builder, Graph, Leaf, NodeId, Prim, Role, Type};

/// A sum that some metric is computed from: a result of kind `total` of the graphs, `[B, …]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Total {
    /// Its name, such as `precision.1`: the metric's, and a count.
    pub name: String,
    /// Its sizes for one sample, and so of the sum.
    pub shape: Vec<usize>,
}

/// A metric with more than one number, such as a confusion matrix: shown, but no figure of the history.
#[derive(Clone, PartialEq, Debug)]
pub struct TableInfo {
    /// Its name.
    pub name: String,
    /// Its sizes.
    pub shape: Vec<usize>,
    /// The classes that its rows and columns stand for, where it has one of each for every class of a target.
    pub classes: Option<Vec<String>>,
}

/// What metrics of all samples need.
#[derive(Clone, Debug)]
pub struct Totals {
    /// What is to be summed.
    pub list: Vec<Total>,
    /// Metrics with more than one number.
    pub tables: Vec<TableInfo>,
    /// From the sums (inputs of these names) to the metrics. The number of samples is that of all.
    pub finish: Graph,
}

/// What the metric at work sums so far: the sum over the batch, and what is summed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measuring {
    pub name: String,
    pub sums: Vec<(NodeId, NodeId)>,
    /// Whether what it compares was brought back to the units of the file.
    pub in_file_units: bool,
    /// By what rows count, one number for each.
    pub weight: Option<Tensor>,
}

/// The finishing graph while it grows.
#[derive(Clone, Debug)]
pub(crate) struct Finish {
    pub b: Builder,
    pub list: Vec<Total>,
    pub tables: Vec<TableInfo>,
}

impl Finish {
    pub(crate) fn done(self) -> Option<Totals> {
        let Finish { b, list, tables } = self;
        (!list.is_empty()).then(|| Totals { list, tables, finish: b.finish() })
    }
}

/// Copies what `root` is computed from into the finishing graph, up to the sums, which become its inputs; `None`
/// where it is computed from anything else.
pub(crate) fn finishing(
    graph: &Graph,
    finish: &mut Finish,
    root: NodeId,
    name: &str,
    sums: &[(NodeId, NodeId)],
) -> Option<NodeId> {
    let mut needed = vec![false; graph.len()];
    needed[root.index()] = true;
    let mut new: Vec<Option<NodeId>> = vec![None; graph.len()];
    let sum_of = |id: NodeId| sums.iter().position(|(s, _)| *s == id);
    let ids: Vec<NodeId> = graph.ids().collect();
    for &id in ids.iter().rev().filter(|id| id.index() <= root.index()) {
        if needed[id.index()] && sum_of(id).is_none() {
            graph.operands(id).iter().for_each(|o| needed[o.index()] = true);
        }
    }
    for (i, (sum, _)) in sums.iter().enumerate() {
        let ty = graph.ty(*sum).clone();
        let full = format!("{name}.{i}");
        finish.list.push(Total { name: full.clone(), shape: ty.dims_at(0) });
        new[sum.index()] = Some(finish.b.parameter(Role::Input, full, ty));
    }
    for id in ids.into_iter().filter(|id| needed[id.index()] && sum_of(*id).is_none()) {
        let node = graph.node(id);
        let stranger = matches!(node.prim, Prim::Leaf(Leaf::Parameter { .. } | Leaf::Rng { .. }));
        if stranger || node.ty.is_batched() {
            return None;
        }
        let operands: Option<Vec<NodeId>> = graph.operands(id).iter().map(|o| new[o.index()]).collect();
        let ty: Type = node.ty.clone();
        new[id.index()] = Some(finish.b.emit(node.prim.clone(), &operands?, ty));
    }
    new[root.index()]
}
