//! Series that stand in one table, told apart by some of its columns.

use std::collections::HashMap;

use crate::fault::Faults;
use crate::fault::{Fault, codes};
use crate::input::similar;
use crate::raw::{Data, Head, NONE, Raw};
use crate::spec::{Columns, DataSpec, Extent, Role, RoleSpec, SourceSpec};
use crate::stats::{SeriesColumn, Stats};

/// The columns that windows stay within: those of `by=`, else that of `split
/// group=`, as a window over two groups would be in two parts at once.
pub(crate) fn columns(
    spec: &DataSpec,
    heads: &[Head],
    source: &str,
    faults: &mut Faults,
) -> Vec<SeriesColumn> {
    let SourceSpec::Csv(csv) = &spec.train else { return Vec::new() };
    if csv.window.is_none() {
        if let Some(name) = csv.by.first() {
            let fault = Fault::new(
                codes::OPTION,
                "`by=` says which rows a window may hold, and there is no `window=`",
            );
            faults.push(fault.at(name.handle).help("window=24 by=NAME; without windows: split group=NAME"));
        }
        return Vec::new();
    }
    let names = if csv.by.is_empty() && csv.window != Some(Extent::Series) {
        spec.split.group.as_slice()
    } else {
        &csv.by
    };
    let mut found = Vec::new();
    for name in names {
        match heads.iter().position(|h| h.name == name.name) {
            Some(position) => found.push(SeriesColumn { name: name.name.clone(), position }),
            // What `split` lacks is told where rows are shared out.
            None if csv.by.is_empty() => {}
            None => {
                let message = format!("`{source}` has no column `{}`", name.name);
                let fault = Fault::new(codes::NO_COLUMN, message).at(name.handle);
                faults.push(match similar(&name.name, heads.iter().map(|h| h.name.as_str())).first() {
                    Some(best) => fault.label(format!("did you mean `{best}`?")),
                    None => fault.help(format!("it has {}", some(heads))),
                });
            }
        }
    }
    found
}

/// The roles, where columns that tell series apart are no inputs unless a
/// line says so.
pub(crate) fn roles(spec: &DataSpec, by: &[SeriesColumn]) -> Vec<RoleSpec> {
    let named = |column: &SeriesColumn| {
        spec.roles.iter().any(|r| match &r.columns {
            Columns::Names(names) => names.iter().any(|n| n.name == column.name),
            Columns::Rest => false,
        })
    };
    let keys = by.iter().filter(|c| !named(c)).map(|c| RoleSpec::new(Role::Drop, [c.name.clone()]));
    spec.roles.iter().cloned().chain(keys).collect()
}

/// The same columns in another source.
pub(crate) fn again(stats: &Stats, heads: &[Head], source: &str, faults: &mut Faults) -> Vec<usize> {
    let by_name = stats.named && heads.iter().any(|h| !h.unnamed);
    let mut found = Vec::new();
    for column in &stats.by {
        let at = match by_name {
            true => heads.iter().position(|h| h.name == column.name),
            false => Some(column.position).filter(|_| heads.len() == stats.width),
        };
        found.extend(at);
        if at.is_none() {
            let message = format!("`{source}` has no column `{}`, which tells its series apart", column.name);
            let fault = Fault::new(codes::NO_COLUMN, message).path(source);
            faults.push(fault.help(format!("it has {}", some(heads))));
        }
    }
    found
}

fn some(heads: &[Head]) -> String {
    heads.iter().take(12).map(|h| h.name.as_str()).collect::<Vec<_>>().join(" ")
}

/// Which series every row is of.
pub(crate) struct Series {
    /// Of every row, numbered as they come.
    ids: Vec<u32>,
    /// Rows of each.
    counts: Vec<u32>,
}

impl Series {
    /// Looks at the columns; `None` where there are none.
    pub(crate) fn find(raw: &Raw, columns: impl Iterator<Item = usize>) -> Result<Option<Self>, Box<Fault>> {
        let mut ids: Option<Vec<u32>> = None;
        for column in columns {
            let Some(data) = raw.columns.get(column) else { continue };
            let (_, data) = data.part(0..raw.len)?;
            let keys: Vec<u64> = match data.as_ref() {
                Data::Text { codes, .. } => codes.iter().map(|&c| u64::from(c)).collect(),
                Data::Numbers(values) => values.iter().map(|x| (x + 0.0).to_bits()).collect(),
                Data::Dates(dates) => {
                    let mut known = HashMap::new();
                    let key = |d: &crate::dates::Date| {
                        let next = known.len() as u64;
                        *known.entry(d.to_string()).or_insert(next)
                    };
                    dates.iter().map(key).collect()
                }
                _ => vec![u64::from(NONE); raw.len],
            };
            // Looked up only, so its order shows nowhere.
            let mut known: HashMap<(u32, u64), u32> = HashMap::new();
            let before = ids.take().unwrap_or_else(|| vec![0; raw.len]);
            let pairs = before.into_iter().zip(keys);
            let number = |pair| {
                let next = known.len() as u32;
                *known.entry(pair).or_insert(next)
            };
            ids = Some(pairs.map(number).collect());
        }
        let Some(ids) = ids else { return Ok(None) };
        let most = ids.iter().max().map_or(0, |m| *m as usize + 1);
        let mut counts = vec![0u32; most];
        ids.iter().for_each(|&id| counts[id as usize] += 1);
        let series = Self { ids, counts };
        if raw.columns.iter().any(Data::is_spilled) && series.order().is_some() {
            let message = "the series of `by=` stand mixed, and the data does not fit into memory";
            let fault = Fault::new(codes::TOO_BIG, message).at(raw.places.handle);
            return Err(Box::new(fault.help("sort the file by these columns, or allow more: --memory 8G")));
        }
        Ok(Some(series))
    }

    /// The rows, series after series; `None` where they stand so.
    pub(crate) fn order(&self) -> Option<Vec<u32>> {
        if self.ids.is_sorted() {
            return None;
        }
        let mut rows: Vec<u32> = (0..self.ids.len() as u32).collect();
        rows.sort_by_key(|&row| self.ids[row as usize]);
        Some(rows)
    }

    /// Where each series ends, in rows of that order.
    pub(crate) fn ends(&self) -> Vec<u32> {
        let sum = self.counts.iter().scan(0u32, |end, n| {
            *end += n;
            Some(*end)
        });
        sum.collect()
    }
}
