//! Loss and metrics, and how they follow from sums over samples.

use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_graph::eval::{Array, Bindings, evaluate};
use nnc_graph::{OutputKind, Role};
use nnc_model::Model;
use nnc_syntax::{Code, Diagnostic};

/// Loss and metrics of some rows.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Metrics {
    /// The mean loss of a row.
    pub loss: f64,
    /// Every metric of one number, in the order of the program.
    pub metrics: Vec<(String, f64)>,
    /// Metrics of more numbers, such as a confusion matrix; only where rows are evaluated, not in an epoch.
    pub tables: Vec<TableMetric>,
}

impl Metrics {
    /// `loss` and the metrics by name; what is no number is `None`.
    pub(crate) fn named(&self) -> Vec<(String, Option<f64>)> {
        let all =
            std::iter::once(("loss", self.loss)).chain(self.metrics.iter().map(|(n, x)| (n.as_str(), *x)));
        all.map(|(name, x)| (name.to_string(), x.is_finite().then_some(x))).collect()
    }
}

/// A metric of more than one number.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TableMetric {
    /// Its name.
    pub name: String,
    /// Its sizes.
    pub shape: Vec<usize>,
    /// Its numbers, row by row.
    pub values: Vec<f64>,
    /// What rows and columns stand for, where there is one for each class.
    pub classes: Option<Vec<String>>,
}

/// How many sums a model needs: the loss, every metric, and what metrics of all samples are computed from.
pub(crate) fn width(model: &Model) -> usize {
    let totals = model.totals.iter().flat_map(|t| &t.list);
    1 + model.metrics.len() + totals.map(|t| t.shape.iter().product::<usize>()).sum::<usize>()
}

/// Loss and metrics into `figures`, from the sums over so many samples.
pub(crate) fn finish(model: &Model, sums: &[f64], samples: usize, figures: &mut [f64]) -> Outcome<()> {
    let count = samples.max(1) as f64;
    figures.iter_mut().zip(sums).for_each(|(to, sum)| *to = sum / count);
    let Some(totals) = &model.totals else { return Ok(()) };
    let values = evaluated(model, sums, samples)?;
    for (name, to) in model.metrics.iter().zip(figures.iter_mut().skip(1)) {
        if let Some(node) = totals.finish.output(OutputKind::Metric, name) {
            *to = values[node.index()].data.first().copied().unwrap_or(f64::NAN);
        }
    }
    Ok(())
}

/// Loss, metrics and tables, from the sums over so many samples.
pub(crate) fn metrics(model: &Model, sums: &[f64], samples: usize) -> Outcome<Metrics> {
    let mut row = vec![0.0; 1 + model.metrics.len()];
    finish(model, sums, samples, &mut row)?;
    let metrics = model.metrics.iter().cloned().zip(row.iter().skip(1).copied()).collect();
    let mut tables = Vec::new();
    if let Some(totals) = model.totals.as_ref().filter(|t| !t.tables.is_empty()) {
        let mut values = evaluated(model, sums, samples)?;
        for info in &totals.tables {
            let node = totals.finish.output(OutputKind::Metric, &info.name);
            let values = node.map(|n| std::mem::take(&mut values[n.index()].data));
            tables.push(TableMetric {
                name: info.name.clone(),
                shape: info.shape.clone(),
                values: values.unwrap_or_default(),
                classes: info.classes.clone(),
            });
        }
    }
    Ok(Metrics { loss: row[0], metrics, tables })
}

/// All nodes of the finishing graph, in double precision: it is small, and run once for an epoch.
fn evaluated(model: &Model, sums: &[f64], samples: usize) -> Outcome<Vec<Array>> {
    let Some(totals) = &model.totals else { return Ok(Vec::new()) };
    let mut bindings = Bindings { batch: samples.max(1), ..Bindings::default() };
    let mut rest = sums.get(1 + model.metrics.len()..).unwrap_or_default();
    for total in &totals.list {
        let count = total.shape.iter().product::<usize>().min(rest.len());
        let (own, after) = rest.split_at(count);
        bindings = bindings.with(Role::Input, &total.name, Array::new(&total.shape, own.to_vec()));
        rest = after;
    }
    evaluate(&totals.finish, &bindings).map_err(|message| {
        let d = Diagnostic::error(Code::N0901, message);
        Problem::new(
            ProblemKind::Internal,
            d.help("this is a mistake in nnc; please report it with the program"),
        )
    })
}
