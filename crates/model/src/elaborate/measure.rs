//! Metrics while they are built: what they sum over all samples.

use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::totals::{Finish, Measuring, TableInfo, finishing};
use crate::elaborate::value::{Tensor, Value};
use nnc_graph::Builder;
use nnc_syntax::{Code, Span};

impl Elab<'_> {
    /// Whether a total is that of a table, which no epoch shows.
    pub(crate) fn is_table(&self, total: &str) -> bool {
        let tables = self.results.finish.iter().flat_map(|f| &f.tables);
        tables.into_iter().any(|t| total.rsplit_once('.').is_some_and(|(name, _)| name == t.name))
    }

    /// Metrics with more than one number are no figures.
    pub(crate) fn drop_tables(&mut self) {
        let Some(finish) = &self.results.finish else { return };
        let table = |name: &str| finish.tables.iter().any(|t| t.name == name);
        self.results.top.metrics.retain(|m| !table(&m.name));
    }

    /// `all_sum(x)`: in the graph the sum over the batch; over all batches when the metric is finished.
    pub(crate) fn total_of(&mut self, x: &Tensor, span: Span) -> Res<Tensor> {
        let x = self.floats(x);
        let node = self.broadcast_to(&x, &x.axes.clone(), true, span)?;
        if self.results.measuring.is_none() {
            let d = self
                .error(Code::N0416, "a sum over all samples is for metrics only", span, "")
                .cause(
                    "a loss or a layer sees one batch; what is summed over all batches is known at their end",
                )
                .help("batch_sum(x) and batch_mean(x) are of the batch");
            return Err(Stop::Error(Box::new(d)));
        }
        let node = self.times_weight(node);
        let sum = self.b.reduce(nnc_graph::Reduction::Add, node, vec![0]);
        let measuring = self.results.measuring.get_or_insert_default();
        if !measuring.sums.iter().any(|(s, _)| *s == sum) {
            measuring.sums.push((sum, node));
        }
        Ok(self.tensor(sum, x.axes.clone(), false))
    }

    /// Ends a metric whose value is `value`, and says whether it is one of all samples, whose totals are then results
    /// of the graph; else it is a mean over the samples.
    pub(crate) fn end_metric(&mut self, measuring: Measuring, value: &Value, span: Span) -> Res<bool> {
        let Measuring { name, sums, .. } = measuring;
        if sums.is_empty() {
            return Ok(false);
        }
        let t = self.tensor_of(value, span)?;
        let t = self.floats(&t);
        let finish = self.results.finish.get_or_insert_with(|| Finish {
            b: Builder::new("finish", self.b.graph().float),
            list: Vec::new(),
            tables: Vec::new(),
        });
        let mut finish = finish.clone();
        let Some(node) = finishing(self.b.graph(), &mut finish, t.node, &name, &sums).filter(|_| !t.batched)
        else {
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
        if !shape.is_empty() {
            let of = |classes: &Vec<String>| shape.iter().all(|n| *n == classes.len());
            let classes = self.session.ports.targets.iter().filter_map(|p| p.classes.clone()).find(of);
            finish.tables.push(TableInfo { name, shape, classes });
        }
        self.results.finish = Some(finish);
        Ok(true)
    }
}
