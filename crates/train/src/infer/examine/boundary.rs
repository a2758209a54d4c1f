//! What a network of two numbers says in the plane.

use super::examined::Boundary;
use crate::execute::runner::internal;
use crate::infer::decode::{Decoder, evenly_spaced};
use crate::infer::inference::{Ready, Trained};
use crate::problem::Outcome;
use nnc_data::{ColumnKind, ColumnStats, PortId, Role, Step, Table};
use nnc_graph::OutputKind;

/// Points of the plane in a row, and rows.
const GRID: usize = 72;
/// Rows of the data that are shown in it.
const POINTS: usize = 600;

/// What the first output that can be compared says at the points of a grid; `None` where the inputs are not two numbers.
pub(super) fn boundary(
    model: &Trained,
    decoder: &Decoder<'_>,
    output: &str,
    (table, rows): (&Table, &[u32]),
    ready: &mut Ready,
) -> Outcome<Option<Boundary>> {
    let Some([x, y]) = axes(model) else { return Ok(None) };
    let Some(at) = decoder.outputs.iter().position(|o| o.heading.name == output) else { return Ok(None) };
    let port = &model.ports.inputs[0];
    let (batch, _) = ready.batch_and_layout();
    let (runners, state) = ready.parts();
    let Some(runner) = runners.of(batch) else { return Ok(None) };
    let [(x_low, x_high), (y_low, y_high)] = [range(x), range(y)];
    let place = |i: usize| {
        let share = |n: usize| (n as f64 + 0.5) / GRID as f64;
        let (column, row) = (i % GRID, i / GRID);
        // The first row is the top of the picture.
        [x_low + share(column) * (x_high - x_low), y_high - share(row) * (y_high - y_low)]
    };
    let encoded = |v: f64, steps: &[Step]| steps.iter().fold(v, |v, s| s.apply(v));
    let mut said = Vec::new();
    let cells: Vec<usize> = (0..GRID * GRID).collect();
    for part in cells.chunks(batch) {
        let points = (0..batch).map(|i| place(part.get(i).copied().unwrap_or(part[0])));
        if let Some(mut to) = runner.input_mut(&port.name) {
            to.write(points.flat_map(|[a, b]| [encoded(a, &x.steps), encoded(b, &y.steps)]));
        }
        runner.run(state, 0, 0)?;
        let Some(values) = runner.output(OutputKind::Prediction, output) else { return Ok(None) };
        let width = values.len() / batch;
        for values in values.chunks(width).take(part.len()) {
            said.extend(decoder.outputs[at].read(values, None).values);
        }
    }
    let mut points = Vec::new();
    for i in evenly_spaced(rows.len(), POINTS) {
        let mut row = [0.0; 2];
        table
            .gather_f64(PortId::Input(0), &rows[i as usize..=i as usize], &mut row)
            .map_err(|f| internal(&f))?;
        let undo = |v: f64, steps: &[Step]| steps.iter().rev().fold(v, |v, s| s.undo(v));
        points.push((i as usize, undo(row[0], &x.steps), undo(row[1], &y.steps)));
    }
    Ok(Some(Boundary {
        output: output.to_string(),
        names: [x.name.clone(), y.name.clone()],
        ranges: [(x_low, x_high), (y_low, y_high)],
        size: GRID,
        said,
        points,
    }))
}

/// The two columns, in the order of the port.
fn axes(model: &Trained) -> Option<[&ColumnStats; 2]> {
    let [port] = &model.ports.inputs[..] else { return None };
    let columns: Vec<_> = model.stats.schema.columns.iter().zip(&model.stats.columns).collect();
    let inputs: Vec<_> = columns.into_iter().filter(|(c, _)| c.role == Role::Input).collect();
    let [a, b] = inputs[..] else { return None };
    let plain = |(c, s): (&nnc_data::Column, &ColumnStats)| {
        c.kind == ColumnKind::Number && c.width == 1 && !s.one_hot
    };
    let fits = model.stats.window.is_none() && port.size() == 2 && port.classes.is_none() && !port.ragged;
    let (a, b) = if a.0.offset < b.0.offset { (a, b) } else { (b, a) };
    (fits && plain(a) && plain(b)).then_some([a.1, b.1])
}

/// Where the training rows lie, and a little around; not below the least where a logarithm is taken.
fn range(column: &ColumnStats) -> (f64, f64) {
    let (low, high) = (column.min, column.max);
    let room = if high > low { 0.12 * (high - low) } else { 1.0 };
    let below = if column.steps.iter().any(|s| matches!(s, Step::Log)) { 0.0 } else { room };
    (low - below, high + room)
}
