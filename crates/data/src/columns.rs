//! Finding the columns a model was trained on in another source.

use crate::fault::{Fault, Faults, codes};
use crate::spec::Role;
use crate::stats::{ColumnStats, Stats};

/// Finds the columns of the statistics in a source's columns.
pub(crate) fn match_columns(
    stats: &Stats,
    heads: &[crate::raw::Head],
    source: &str,
    faults: &mut Faults,
) -> Vec<Option<usize>> {
    let by_role = heads.iter().any(|h| h.role.is_some());
    // Names that training made up count where a file has them all.
    let written = |c: &ColumnStats| heads.iter().any(|h| !h.unnamed && h.name == c.source());
    let mut inputs = stats.columns.iter().filter(|c| c.role == Role::Input);
    let all = stats.form.is_some() && inputs.all(written);
    let by_name = heads.iter().any(|h| !h.unnamed) && (stats.named || all);
    let optional = |role| matches!(role, Role::Target | Role::Weight);
    let mut seen: [Vec<usize>; 2] = [Vec::new(), Vec::new()];
    let mut map = Vec::new();
    for column in &stats.columns {
        let seen = &mut seen[usize::from(optional(column.role))];
        if seen.last() != Some(&column.position) {
            seen.push(column.position); // the parts of a date have one column
        }
        let at = if by_role && !by_name {
            let wanted = if column.role == Role::Target { Role::Target } else { Role::Input };
            (0..heads.len()).filter(|&i| heads[i].role == Some(wanted)).nth(seen.len() - 1)
        } else if by_name {
            heads.iter().position(|h| h.name == column.source())
        } else {
            by_position(stats, column, heads.len())
        };
        map.push(at);
        if at.is_none() && !optional(column.role) {
            faults.push(lacks(column, heads, source, by_name));
        }
    }
    map
}

/// A file as wide as the training file, or one without its targets.
pub(crate) fn by_position(stats: &Stats, column: &ColumnStats, width: usize) -> Option<usize> {
    if width == stats.width {
        return Some(column.position);
    }
    let targets = stats.columns.iter().filter(|c| c.role == Role::Target);
    let mut places: Vec<usize> = targets.map(|c| c.position).collect();
    places.dedup();
    if column.role == Role::Target || width + places.len() != stats.width {
        return None;
    }
    Some(column.position - places.iter().filter(|&&p| p < column.position).count())
}

fn lacks(column: &ColumnStats, heads: &[crate::raw::Head], source: &str, by_name: bool) -> Fault {
    let message = format!("`{source}` has no column `{}`, which the model was trained on", column.source());
    let fault = Fault::new(codes::NO_COLUMN, message).path(source);
    if !by_name {
        return fault.help(format!("it has {} columns and no header", heads.len()));
    }
    let names: Vec<&str> = heads.iter().map(|h| h.name.as_str()).collect();
    match crate::input::similar(column.source(), names.iter().copied()).first() {
        Some(best) => fault.label(format!("did you mean `{best}`?")),
        None => {
            fault.help(format!("it has {}", names.iter().take(12).copied().collect::<Vec<_>>().join(" ")))
        }
    }
}
