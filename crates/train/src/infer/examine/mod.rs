//! What a trained model says of rows, for the report of a run: answers beside what is true, the worst rows, how the
//! weights lie.

mod answers;
mod attribution;
mod boundary;
mod columns;
mod examined;
mod importance;
mod permuted;
mod rows;
mod spread;

use crate::binding::encode::Purpose;
use crate::binding::load::Loaded;

use crate::infer::decode::{Decoder, evenly_spaced, from_largest};
use crate::infer::inference::{InferOptions, Ready, Trained, part};
use crate::infer::predictions::{Heading, Reading};
use crate::problem::Outcome;
use std::ops::ControlFlow;

pub(crate) use boundary::is_plane;
pub use examined::{Answered, Boundary, ColumnImportance, Compared, Examined, Importance, WorstRow};
pub use spread::{WeightSpread, weight_spread};

/// Multiplications and additions that the rows of a report may take: about a second on a small machine.
const WORK: u64 = 10_000_000_000;
/// More rows show nothing more.
const ROWS: usize = 5000;
/// What is said of all rows is in memory at once: so many numbers.
const NUMBERS: usize = 4_000_000;
/// Fewer are not worth a page, however much work a row is.
const FEWEST: u64 = 32;
/// The worst rows that are told.
const WORST: usize = 16;

/// Looks at rows that the model did not learn from: at most so many that it takes about a second. `loaded` is the data
/// it was trained on, where that is still there; else it is read again.
///
/// # Errors
/// The data cannot be read, has changed, or does not fit the model.
pub fn examine(model: &Trained, loaded: Option<&Loaded>, options: &InferOptions) -> Outcome<Examined> {
    let again;
    let (on, table, notes) = match (&options.data, loaded) {
        (Some(path), _) => {
            let asked = model.asked(options)?;
            again = asked.table(&model.stats, Purpose::Measure)?;
            (path.clone(), &again, asked.notes(&again))
        }
        (None, Some(loaded)) => {
            let data = &loaded.data;
            let held = data.test.as_ref().map(|t| ("test", t)).or(data.valid.as_ref().map(|t| ("valid", t)));
            let (name, table) = held.unwrap_or(("train", &data.train));
            (name.to_string(), table, Vec::new())
        }
        (None, None) => {
            let (name, table, notes) = part(model, None, options)?;
            again = table;
            (name, &again, notes)
        }
    };
    let mut ready = Ready::new(model, options)?;
    let most = (WORK / ready.flops().max(1)).clamp(FEWEST, ROWS as u64) as usize;
    let width: usize = model.model.outputs.iter().map(|o| o.shape.iter().product::<usize>()).sum();
    let most = most.min((NUMBERS / width.max(1)).max(FEWEST as usize));
    let chosen: Vec<u32> = evenly_spaced(table.len(), most);
    let mut out = Examined { on, rows: chosen.len(), all: table.len(), notes, ..Examined::default() };
    if !table.has_targets() && !model.ports.targets.is_empty() {
        return Ok(out);
    }
    let decoder = Decoder::new(&model.stats, &model.ports, &model.model);
    let mut answers = answers::Gathering::new(model, &decoder);
    let mut losses = Vec::with_capacity(chosen.len());
    let (runners, state) = ready.parts();
    let mut failed = None;
    runners.over(table, &chosen, state, |runner, part| {
        losses.extend(runner.losses(part.len()));
        match answers.add(table, runner, part) {
            Ok(()) => ControlFlow::Continue(()),
            Err(problem) => {
                failed = Some(problem);
                ControlFlow::Break(())
            }
        }
    })?;
    if let Some(problem) = failed {
        return Err(problem);
    }
    out.answers = answers.finish();
    let first = out.answers.first().map(|a| a.output.clone());
    let worst = from_largest(&losses, WORST);
    let predictions =
        decoder.read(table, &worst.iter().map(|&at| chosen[at]).collect::<Vec<_>>(), runners, state)?;
    let source_rows: Vec<usize> = predictions.rows.iter().map(|r| r.row).collect();
    let places = rows::places(model, options, &out.on, &source_rows);
    for ((row, &at), place) in predictions.rows.into_iter().zip(&worst).zip(places) {
        let picture = picture(&predictions.inputs, &row.inputs);
        let cells = [row.inputs, row.targets, row.outputs];
        out.worst.push(WorstRow { row: row.row, place, loss: losses[at], cells, picture });
    }
    let rows = (table, &chosen[..]);
    if let Some(output) = &first {
        out.boundary = boundary::boundary(model, &decoder, output, rows, &mut ready)?;
    }
    out.importance = importance::importance(model, first.as_deref(), rows, WORK, &mut ready)?;
    out.headings = [predictions.inputs, predictions.targets, predictions.outputs];
    Ok(out)
}

/// The first input that is a picture.
fn picture(headings: &[Heading], cells: &[Reading]) -> Option<([usize; 3], Vec<f64>)> {
    headings.iter().zip(cells).find_map(|(heading, cell)| {
        let shape = match heading.shape[..] {
            [h, w] => [h, w, 1],
            [h, w, c @ (1 | 3)] => [h, w, c],
            _ => return None,
        };
        let fits = shape[0] > 4 && shape[1] > 4 && shape.iter().product::<usize>() == cell.values.len();
        (fits && cell.class.is_none()).then(|| (shape, cell.values.clone()))
    })
}
