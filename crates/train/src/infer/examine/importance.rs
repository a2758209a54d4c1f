//! Which columns a network leans on.

use super::columns::{InputColumn, input_columns};
use super::examined::{ColumnImportance, Importance};
use super::{attribution, permuted};
use crate::infer::decode::{evenly_spaced, from_largest};
use crate::infer::inference::{Ready, Trained};
use crate::problem::Outcome;
use nnc_data::Table;

/// Columns that are told.
const COLUMNS: usize = 40;
/// Rows for it.
const ROWS: usize = 1000;
/// Fewer rows say nothing about a column.
const FEW: usize = 4;

/// How much each column matters, the most important first; `None` for a network of fewer than two columns, or where too
/// few rows could be asked within `work` multiplications.
pub(super) fn importance(
    model: &Trained,
    output: Option<&str>,
    (table, rows): (&Table, &[u32]),
    work: u64,
    ready: &mut Ready,
) -> Outcome<Option<Importance>> {
    let columns = input_columns(model);
    if columns.len() < 2 || rows.len() < FEW {
        return Ok(None);
    }
    let flops = ready.flops().max(1);
    let fewer = |times: u64| {
        let most = (work / flops / times.max(1)).min(ROWS as u64) as usize;
        let chosen = evenly_spaced(rows.len(), most);
        chosen.into_iter().filter_map(|at| rows.get(at as usize).copied()).collect::<Vec<u32>>()
    };
    // A gradient is about twice the work of the way there.
    let asked = fewer(3 * attribution::STEPS as u64);
    let found = match output {
        Some(output) if asked.len() >= FEW => {
            attribution::attribution(model, output, &columns, table, &asked, ready)?
        }
        _ => None,
    };
    let order = match &found {
        Some(found) => from_largest(&found.sizes, COLUMNS),
        None => (0..columns.len().min(COLUMNS)).collect(),
    };
    let rows = fewer((order.len() * permuted::TIMES) as u64);
    if rows.len() < FEW {
        return Ok(None);
    }
    let chosen: Vec<&InputColumn> = order.iter().map(|&i| &columns[i]).collect();
    let (loss, rises) = permuted::losses(model, &chosen, table, &rows, ready.parts())?;
    let all: f64 = found.as_ref().map_or(0.0, |f| f.sizes.iter().sum());
    let one = |(at, rises): (&usize, Vec<f64>)| ColumnImportance {
        name: columns[*at].name.clone(),
        rises,
        share: found.as_ref().filter(|_| all > 0.0).map(|f| f.sizes[*at] / all),
    };
    let list: Vec<ColumnImportance> = order.iter().zip(rises).map(one).collect();
    let means: Vec<f64> = list.iter().map(ColumnImportance::mean).collect();
    let list = from_largest(&means, COLUMNS).into_iter().map(|at| list[at].clone()).collect();
    Ok(Some(Importance {
        rows: rows.len(),
        loss,
        columns: list,
        all: columns.len(),
        rest: found.map(|f| f.rest),
    }))
}
