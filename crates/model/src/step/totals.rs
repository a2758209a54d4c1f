//! Metrics of all samples together, such as a precision: a few numbers of every sample are summed over all
//! batches, and the metric is computed from the sums at the end. So it comes out right for partial batches, where
//! a mean of the batches' metrics would not.

use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::value::{Tensor, Value};
use nnc_graph::{Builder, Graph, Leaf, NodeId, Prim, Role, Type};
use nnc_syntax::{Code, Span};

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
    name: String,
    sums: Vec<(NodeId, NodeId)>,
}

/// The finishing graph while it grows.
#[derive(Clone, Debug)]
pub(crate) struct Finish {
    b: Builder,
    list: Vec<Total>,
    tables: Vec<TableInfo>,
}

impl Finish {
    pub(crate) fn done(self) -> Option<Totals> {
        let Finish { b, list, tables } = self;
        (!list.is_empty()).then(|| Totals { list, tables, finish: b.finish() })
    }
}

impl Elab<'_> {
    /// Whether a total is that of a table, which no epoch shows.
    pub(crate) fn is_table(&self, total: &str) -> bool {
        let tables = self.finish.iter().flat_map(|f| &f.tables);
        tables.into_iter().any(|t| total.rsplit_once('.').is_some_and(|(name, _)| name == t.name))
    }

    /// Metrics with more than one number are no figures.
    pub(crate) fn drop_tables(&mut self) {
        let Some(finish) = &self.finish else { return };
        let table = |name: &str| finish.tables.iter().any(|t| t.name == name);
        self.top.metrics.retain(|m| !table(&m.name));
    }

    /// Begins a metric.
    pub(crate) fn begin_metric(&mut self, name: &str) {
        self.measuring = Some(Measuring { name: name.to_string(), sums: Vec::new() });
    }

    /// `all_sum(x)`: in the graph the sum over the batch; over all batches when the metric is finished.
    pub(crate) fn total_of(&mut self, x: &Tensor, span: Span) -> Res<Tensor> {
        let x = self.floats(x);
        let node = self.spread(&x, &x.axes.clone(), true, span)?;
        let Some(measuring) = &mut self.measuring else {
            let d = self
                .error(Code::N0416, "a sum over all samples is for metrics only", span, "")
                .cause(
                    "a loss or a layer sees one batch; what is summed over all batches is known at their end",
                )
                .help("batch_sum(x) and batch_mean(x) are of the batch");
            return Err(Stop::Error(Box::new(d)));
        };
        let sum = self.b.reduce(nnc_graph::Reduction::Add, node, vec![0]);
        if !measuring.sums.iter().any(|(s, _)| *s == sum) {
            measuring.sums.push((sum, node));
        }
        Ok(self.tensor(sum, x.axes.clone(), false))
    }

    /// Ends a metric whose value is `value`: `None` when it is a mean over the samples, or whether it is one number
    /// of all samples. Its totals are then results of the graph.
    pub(crate) fn end_metric(&mut self, value: &Value, span: Span) -> Res<Option<bool>> {
        let Some(Measuring { name, sums }) = self.measuring.take() else { return Ok(None) };
        if sums.is_empty() {
            return Ok(None);
        }
        let t = self.tensor_of(value, span)?;
        let t = self.floats(&t);
        let finish = self.finish.get_or_insert_with(|| Finish {
            b: Builder::new("finish", self.b.graph().float),
            list: Vec::new(),
            tables: Vec::new(),
        });
        let mut finish = finish.clone();
        let Some(node) = cut(self.b.graph(), &mut finish, t.node, &name, &sums).filter(|_| !t.batched) else {
            let d = self
                .error(Code::N0416, format!("the metric `{name}` mixes all samples with one"), span, "")
                .cause("all_sum(…) and all_mean(…) are known when the last sample has been seen")
                .help("first something for one sample, then its sum over all, then arithmetic on sums");
            return Err(Stop::Error(Box::new(d)));
        };
        finish.b.output(nnc_graph::OutputKind::Metric, name.as_str(), node);
        for (i, (_, each)) in sums.iter().enumerate() {
            self.b.output(nnc_graph::OutputKind::Total, format!("{name}.{i}"), *each);
        }
        let shape = t.sizes();
        let single = shape.is_empty();
        if !single {
            let of = |classes: &Vec<String>| shape.iter().all(|n| *n == classes.len());
            let classes = self.ports.targets.iter().filter_map(|p| p.classes.clone()).find(of);
            finish.tables.push(TableInfo { name, shape, classes });
        }
        self.finish = Some(finish);
        Ok(Some(single))
    }
}

/// Copies what `root` is computed from into the finishing graph, up to the sums, which become its inputs; `None`
/// where it is computed from anything else.
fn cut(
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
