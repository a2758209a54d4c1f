//! What a network of two numbers says in the plane.

use super::examined::Boundary;
use crate::artifact::weights;
use crate::execute::runner::{Runner, internal};
use crate::infer::decode::{Decoder, OutputDecoder, evenly_spaced};
use crate::infer::inference::{Ready, Trained};
use crate::problem::Outcome;
use nnc_backend::State;
use nnc_data::{ColumnKind, ColumnStats, PortId, Role, Stats, Step, Table};
use nnc_graph::OutputKind;
use nnc_model::Ports;

/// Points of the plane in a row, and rows.
const SIZE: usize = 72;
/// The same, for the epochs before.
const FRAME: usize = 40;
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
    let Some([x, y]) = axes(&model.stats, &model.ports) else { return Ok(None) };
    let Some(decoder) = decoder.outputs.iter().find(|o| o.heading.name == output) else { return Ok(None) };
    let ranges = [range(x), range(y)];
    let grid = Grid { input: &model.ports.inputs[0].name, decoder, ranges, steps: [&x.steps, &y.steps] };
    let (batch, layout) = ready.batch_and_layout();
    let (runners, state) = ready.parts();
    let Some(runner) = runners.of(batch) else { return Ok(None) };
    let said = grid.said(SIZE, runner, state)?;
    let mut film = Vec::new();
    for (epoch, file) in model.film() {
        let mut then = layout.state();
        if weights::load(&mut *then, &file, &model.path).is_ok() {
            film.push((epoch, grid.said(FRAME, runner, &mut *then)?));
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
        ranges,
        size: SIZE,
        said,
        frame: FRAME,
        film,
        points,
    }))
}

/// Points of the plane, and how they are asked about.
struct Grid<'a> {
    /// The name of the input.
    input: &'a str,
    decoder: &'a OutputDecoder<'a>,
    ranges: [(f64, f64); 2],
    /// The scaling of both columns.
    steps: [&'a [Step]; 2],
}

impl Grid<'_> {
    /// What is said at the middles of so many parts to the right and down, row by row from the top.
    fn said(&self, size: usize, runner: &mut Runner, state: &mut dyn State) -> Outcome<Vec<f64>> {
        let [(x_low, x_high), (y_low, y_high)] = self.ranges;
        let share = |n: usize| (n as f64 + 0.5) / size as f64;
        let encoded = |v: f64, steps: &[Step]| steps.iter().fold(v, |v, s| s.apply(v));
        let batch = runner.batch();
        let cells: Vec<usize> = (0..size * size).collect();
        let mut said = Vec::new();
        for part in cells.chunks(batch) {
            let points = (0..batch).flat_map(|i| {
                let at = part.get(i).copied().unwrap_or(part[0]);
                let x = x_low + share(at % size) * (x_high - x_low);
                let y = y_high - share(at / size) * (y_high - y_low);
                [encoded(x, self.steps[0]), encoded(y, self.steps[1])]
            });
            if let Some(mut to) = runner.input_mut(self.input) {
                to.write(points);
            }
            runner.run(state, 0, 0)?;
            if let Some(values) = runner.output(OutputKind::Prediction, &self.decoder.heading.name) {
                let each = values.chunks((values.len() / batch).max(1)).take(part.len());
                said.extend(each.flat_map(|values| self.decoder.read(values, None).values));
            }
        }
        Ok(said)
    }
}

/// Whether what goes into a network are two numbers.
pub(crate) fn is_plane(stats: &Stats, ports: &Ports) -> bool {
    axes(stats, ports).is_some()
}

/// The two columns, in the order of the port.
fn axes<'a>(stats: &'a Stats, ports: &Ports) -> Option<[&'a ColumnStats; 2]> {
    let [port] = &ports.inputs[..] else { return None };
    let columns: Vec<_> = stats.schema.columns.iter().zip(&stats.columns).collect();
    let inputs: Vec<_> = columns.into_iter().filter(|(c, _)| c.role == Role::Input).collect();
    let [a, b] = inputs[..] else { return None };
    let plain = |(c, s): (&nnc_data::Column, &ColumnStats)| {
        c.kind == ColumnKind::Number && c.width == 1 && !s.one_hot
    };
    let fits = stats.window.is_none() && port.size() == 2 && port.classes.is_none() && !port.ragged;
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
