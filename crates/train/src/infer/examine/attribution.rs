//! What of an output is due to which input: integrated gradients (Sundararajan, Taly and Yan 2017), from the mean row to
//! each row. The gradient of the output by the inputs is a graph that the compiler makes.

use super::columns::InputColumn;
use crate::execute::runner::{Runner, internal, refused};
use crate::infer::inference::{Ready, Trained};
use crate::problem::Outcome;
use nnc_data::{PortId, Table};
use nnc_graph::passes::sweep;
use nnc_graph::{Builder, Graph, NodeId, OutputKind, Role};

/// Points of the way at which gradients are taken: the middles of so many equal parts.
pub(super) const STEPS: usize = 24;
/// The parameter that says which number of the output is meant.
const MEANT: &str = "attribution of";

/// What is due to the columns.
pub(super) struct Attribution {
    /// The mean size of what is due to each column, in the order of the columns.
    pub(super) sizes: Vec<f64>,
    /// What is due to all columns of a row together lacks so much of the difference of the outputs, in the mean, on the
    /// scale of the mean difference.
    pub(super) rest: f64,
}

/// The evaluation with the gradient of an output by every input that is a number; `None` where none is.
fn differentiated(model: &Trained, output: &str) -> Option<(Graph, Vec<usize>)> {
    let mut b = Builder::from_graph(model.model.eval.clone());
    let y = b.graph().output(OutputKind::Prediction, output)?;
    let ty = b.ty(y).clone();
    let parameters = b.graph().parameters(Role::Input);
    let of = |name: &str| parameters.iter().find(|(n, _)| **n == *name).map(|(_, id)| *id);
    let ports = model.ports.inputs.iter().enumerate();
    let inputs: Vec<(usize, NodeId)> = ports
        .filter_map(|(i, port)| Some((i, of(&port.name)?)))
        .filter(|(_, id)| b.ty(*id).dtype.is_float())
        .collect();
    if inputs.is_empty() || !ty.dtype.is_float() {
        return None;
    }
    let meant = b.parameter(Role::Input, MEANT, ty);
    let nodes: Vec<NodeId> = inputs.iter().map(|(_, id)| *id).collect();
    let gradients = nnc_graph::gradient(&mut b, y, meant, &nodes);
    for ((port, _), node) in inputs.iter().zip(gradients) {
        b.output(OutputKind::Gradient, model.ports.inputs[*port].name.as_str(), node);
    }
    let mut graph = b.finish();
    graph.retain_outputs(|o| {
        o.kind == OutputKind::Gradient || o.kind == OutputKind::Prediction && &*o.name == output
    });
    Some((sweep(&graph), inputs.into_iter().map(|(port, _)| port).collect()))
}

/// What of an output is due to each column, over rows of a table; `None` where inputs are no numbers. Of several classes
/// it is the probability of the one that is said; of several numbers their sum.
pub(super) fn attribution(
    model: &Trained,
    output: &str,
    columns: &[InputColumn],
    table: &Table,
    rows: &[u32],
    ready: &mut Ready,
) -> Outcome<Option<Attribution>> {
    let Some(info) = model.model.outputs.iter().find(|o| o.name == output) else { return Ok(None) };
    let Some((graph, ports)) = differentiated(model, output) else { return Ok(None) };
    // All of the columns' numbers have to be numbers.
    if rows.is_empty() || columns.iter().any(|c| !ports.contains(&c.port)) {
        return Ok(None);
    }
    let (batch, layout) = ready.batch_and_layout();
    let plan = layout.compile(&graph, batch, &nnc_backend::Options::default()).map_err(|e| refused(&e))?;
    let mut runner = Runner::new(plan, &model.ports, &model.model)?;
    let state = ready.parts().1;
    let size = |port: usize| model.ports.inputs[port].size();
    let gather = |port: usize, rows: &[u32]| -> Outcome<Vec<f64>> {
        let mut out = vec![0.0; rows.len() * size(port)];
        table.gather_f64(PortId::Input(port), rows, &mut out).map_err(|f| internal(&f))?;
        Ok(out)
    };
    // The mean row.
    let mut means: Vec<Vec<f64>> = Vec::new();
    for &port in &ports {
        let mut mean = vec![0.0; size(port)];
        for part in rows.chunks(batch) {
            for row in gather(port, part)?.chunks(size(port)) {
                mean.iter_mut().zip(row).for_each(|(m, x)| *m += x / rows.len() as f64);
            }
        }
        means.push(mean);
    }
    let width = info.shape.iter().product::<usize>().max(1);
    let one_of = info.probabilities && width > 1;
    let (mut sizes, mut missing, mut differences) = (vec![0.0; columns.len()], 0.0, 0.0);
    let mut whole = Vec::with_capacity(batch);
    for part in rows.chunks(batch) {
        whole.clear();
        whole.extend_from_slice(part);
        whole.resize(batch, part[0]);
        runner.feed(table, &whole).map_err(|f| internal(&f))?;
        let ends = ports.iter().map(|&port| gather(port, &whole)).collect::<Outcome<Vec<_>>>()?;
        let mut at = |share: f64, meant: Option<&[f64]>| -> Outcome<(Vec<f64>, Vec<Vec<f64>>)> {
            for ((&port, mean), end) in ports.iter().zip(&means).zip(&ends) {
                if let Some(mut to) = runner.input_mut(&model.ports.inputs[port].name) {
                    to.write(end.iter().zip(mean.iter().cycle()).map(|(x, m)| m + share * (x - m)));
                }
            }
            if let (Some(meant), Some(mut to)) = (meant, runner.input_mut(MEANT)) {
                to.write(meant.iter().copied());
            }
            runner.run(state, 0, 0)?;
            let read =
                |kind, name: &str| runner.output(kind, name).map_or(Vec::new(), |v| v.iter().collect());
            let gradients = ports.iter().map(|&p| read(OutputKind::Gradient, &model.ports.inputs[p].name));
            Ok((read(OutputKind::Prediction, output), gradients.collect()))
        };
        let (last, _) = at(1.0, None)?;
        let meant: Vec<f64> = last
            .chunks(width)
            .flat_map(|said| {
                let most = said.iter().fold(f64::NEG_INFINITY, |a, x| a.max(*x));
                let first = said.iter().position(|x| *x == most);
                (0..width).map(move |i| if !one_of || first == Some(i) { 1.0 } else { 0.0 })
            })
            .collect();
        let (first, _) = at(0.0, Some(&meant))?;
        let mut sums: Vec<Vec<f64>> = ends.iter().map(|end| vec![0.0; end.len()]).collect();
        for step in 0..STEPS {
            let (_, gradients) = at((step as f64 + 0.5) / STEPS as f64, Some(&meant))?;
            for (sum, gradient) in sums.iter_mut().zip(&gradients) {
                sum.iter_mut().zip(gradient).for_each(|(s, g)| *s += g / STEPS as f64);
            }
        }
        for row in 0..part.len() {
            let mut all = 0.0;
            for (column, total) in columns.iter().zip(&mut sizes) {
                let Some(i) = ports.iter().position(|p| *p == column.port) else { continue };
                let n = size(column.port);
                let due = column
                    .places
                    .iter()
                    .map(|&p| (ends[i][row * n + p] - means[i][p]) * sums[i][row * n + p]);
                let due: f64 = due.sum();
                all += due;
                *total += due.abs() / rows.len() as f64;
            }
            let there = |values: &[f64]| -> f64 {
                (row * width..(row + 1) * width)
                    .map(|i| values.get(i).copied().unwrap_or(0.0) * meant[i])
                    .sum()
            };
            let difference = there(&last) - there(&first);
            missing += (difference - all).abs();
            differences += difference.abs();
        }
    }
    Ok(Some(Attribution { sizes, rest: missing / differences.max(1e-12) }))
}
