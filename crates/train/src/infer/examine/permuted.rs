//! How much worse a network does when a column is shuffled (Breiman 2001; Fisher, Rudin and Dominici 2019).

use super::columns::InputColumn;
use crate::execute::runner::{Runners, internal};
use crate::infer::inference::Trained;
use crate::problem::Outcome;
use nnc_backend::State;
use nnc_data::{PortId, Table};

/// How often each column is shuffled.
pub(super) const TIMES: usize = 5;
/// What keeps these random numbers apart from those of the training, which has the same seed.
const OWN: u64 = 0x7065_726d_7574_6564;

/// The mean loss of rows, and for each of the wanted columns how much larger it is where their values are shuffled among
/// the rows, once for every repetition.
pub(super) fn losses(
    model: &Trained,
    columns: &[&InputColumn],
    table: &Table,
    rows: &[u32],
    (runners, state): (&mut Runners, &mut dyn State),
) -> Outcome<(f64, Vec<Vec<f64>>)> {
    let base = mean_loss(model, None, table, rows, rows, runners, state)?;
    let mut all = Vec::with_capacity(columns.len());
    let (mut places, mut others) = (vec![0; rows.len()], vec![0; rows.len()]);
    for (i, column) in columns.iter().enumerate() {
        let mut rises = Vec::with_capacity(TIMES);
        for time in 0..TIMES {
            let key = (i * TIMES + time) as u64;
            nnc_data::shuffled(model.model.settings.seed ^ OWN, key, &mut places);
            others.iter_mut().zip(&places).for_each(|(to, &at)| *to = rows[at as usize]);
            rises.push(mean_loss(model, Some(column), table, rows, &others, runners, state)? - base);
        }
        all.push(rises);
    }
    Ok((base, all))
}

/// The mean loss of rows that have one column of others.
fn mean_loss(
    model: &Trained,
    column: Option<&InputColumn>,
    table: &Table,
    rows: &[u32],
    others: &[u32],
    runners: &mut Runners,
    state: &mut dyn State,
) -> Outcome<f64> {
    let batch = runners.batch();
    let Some(runner) = runners.of(batch) else { return Ok(f64::NAN) };
    let mut sum = 0.0;
    let mut whole = Vec::with_capacity(batch);
    let mut values = Vec::new();
    for (part, other) in rows.chunks(batch).zip(others.chunks(batch)) {
        let fill = |whole: &mut Vec<u32>, part: &[u32]| {
            whole.clear();
            whole.extend_from_slice(part);
            whole.resize(batch, part[0]);
        };
        fill(&mut whole, part);
        runner.feed(table, &whole).map_err(|f| internal(&f))?;
        if let Some(column) = column
            && let Some(port) = model.ports.inputs.get(column.port)
        {
            let size = port.size();
            fill(&mut whole, other);
            values.resize(batch * size, 0.0);
            table.gather_f64(PortId::Input(column.port), &whole, &mut values).map_err(|f| internal(&f))?;
            if let Some(mut to) = runner.input_mut(&port.name) {
                for at in (0..batch).flat_map(|row| column.places.iter().map(move |p| row * size + p)) {
                    to.set(at, values[at]);
                }
            }
        }
        runner.run(state, 0, 0)?;
        sum += runner.losses(part.len()).iter().sum::<f64>();
    }
    Ok(sum / rows.len().max(1) as f64)
}
