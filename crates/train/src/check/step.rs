//! One step of a run, with its rows by file and line.

use crate::binding::encode::{Asked, asked, fault_problem};
use crate::check::again::Again;
use crate::fit::train::{StepTrace, rerun};
use crate::problem::Outcome;
use nnc_data::Stats;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A row of a source of text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RowSeen {
    /// Its file and line, `iris.csv:34`; empty where it has none.
    pub place: String,
    /// Its cells as they stand there.
    pub cells: Vec<String>,
}

/// A step of a run.
#[derive(Clone, PartialEq, Debug)]
pub struct RunStep {
    /// The folder of the run.
    pub run: PathBuf,
    /// What happened.
    pub trace: StepTrace,
    /// The names of the columns, where the data is a table of text.
    pub columns: Vec<String>,
    /// The rows of that table which the step is made of, by their numbers from 0.
    pub seen: BTreeMap<usize, RowSeen>,
}

/// Trains a run again up to a step, from its first weights, and says what that step did: the same bits as then. `None`
/// where `interrupt` was raised. The run itself stays as it is.
///
/// # Errors
/// There is no such run, it has not so many steps, its data is gone or has changed; those of training.
pub fn step_of(
    run: &Path,
    step: u64,
    threads: usize,
    memory_limit: Option<u64>,
    interrupt: &Arc<AtomicBool>,
) -> Outcome<Option<RunStep>> {
    let again = Again::open(run, memory_limit)?;
    let trace = rerun(&again.loaded, &again.model, &again.options(threads, interrupt), step..=step);
    let trace = trace.map_err(|mut problem| {
        problem.sources = again.loaded.spec.sources.clone();
        problem
    })?;
    let Some(trace) = trace.and_then(|mut all| all.pop()) else { return Ok(None) };
    let stats = &again.loaded.data.stats;
    let asked = asked(stats, &again.loaded.spec, &again.loaded.options, None)?;
    let wanted: Vec<usize> = trace.rows.iter().filter_map(|r| r.row).collect();
    let (columns, seen) = rows_seen(&asked, stats, &wanted)?;
    Ok(Some(RunStep { run: again.folder, trace, columns, seen }))
}

/// The cells of rows of a source; nothing where it is no text.
pub(crate) fn rows_seen(
    asked: &Asked,
    stats: &Stats,
    wanted: &[usize],
) -> Outcome<(Vec<String>, BTreeMap<usize, RowSeen>)> {
    let mut seen = BTreeMap::new();
    let Some(last) = wanted.iter().max() else { return Ok((Vec::new(), seen)) };
    let Some(mut cells) = asked.cells(stats)? else { return Ok((Vec::new(), seen)) };
    let wanted: std::collections::BTreeSet<usize> = wanted.iter().copied().collect();
    for row in 0..=*last {
        if !cells.next_row().map_err(|f| fault_problem(&f))? {
            break;
        }
        if wanted.contains(&row) {
            let place = asked.place(&cells.place());
            seen.insert(row, RowSeen { place, cells: cells.row().to_vec() });
        }
    }
    Ok((cells.names().to_vec(), seen))
}
