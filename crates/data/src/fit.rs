//! Statistics of the training part.

use std::borrow::Cow;

use crate::dates::{self, Date, DateColumn};
use crate::fault::{Fault, Faults, codes};
use crate::fit_array;
use crate::moments::{Cell, moments, set_moments, steps};
use crate::raw::{Data, NONE, Raw, sort_vocabulary, translate};
use crate::roles::Use;
use crate::schema::ColumnKind;
use crate::spec::{Kind, Missing, Role, Scaling, Unknown};
use crate::stats::{ColumnStats, Fill};
use crate::tokens;

/// The name of the class for unknown categories.
pub(crate) const OTHER: &str = "(other)";

/// More slots than this for one column is a mistake.
const MOST_ONE_HOT: usize = 10_000;

/// Takes the statistics of every used column; `train` are rows of `raw`.
/// `first` are those among them that speak for a sample of several rows, where
/// a target has one value for all of them.
pub(crate) fn fit(
    raw: &Raw,
    uses: &[Use],
    train: &[u32],
    first: Option<&[u32]>,
    faults: &mut Faults,
) -> Vec<ColumnStats> {
    let mut all = Vec::new();
    for used in uses.iter().filter(|u| u.role != Role::Drop) {
        let once = used.role != Role::Input && !used.sequence;
        let train = first.filter(|_| once).unwrap_or(train);
        let position = used.position;
        let Some(data) = raw.columns.get(position) else { continue };
        // Of data larger than memory, one column at a time is in memory.
        let loaded = if data.is_spilled() { data.part(0..raw.len) } else { Ok((0, Cow::Borrowed(data))) };
        let data = match &loaded {
            Ok((_, data)) => data.as_ref(),
            Err(fault) => {
                faults.push(fault.as_ref().clone());
                continue;
            }
        };
        let mut stats = blank(position, used);
        let cell = Cell { places: &raw.places, position, used };
        match data {
            Data::Skipped | Data::Watched(_) => continue,
            Data::Numbers(values) => numbers(&mut stats, values, train, &cell, faults),
            Data::Dates(values) => {
                all.extend(dates(values, train, &cell, faults));
                continue;
            }
            Data::Text { codes, vocabulary } => match used.kind {
                Kind::Tokens(t) => {
                    tokens::fit(&mut stats, (codes, vocabulary), train, t, &cell, faults);
                }
                _ => text(&mut stats, codes, vocabulary, train, &cell, faults),
            },
            data => fit_array::fit(&mut stats, data, train, &cell, faults),
        }
        all.push(stats);
    }
    all
}

fn blank(position: usize, used: &Use) -> ColumnStats {
    ColumnStats {
        name: used.name.clone(),
        position,
        role: used.role,
        kind: ColumnKind::Number,
        shape: Vec::new(),
        count: 0,
        missing: 0,
        mean: 0.0,
        std: 0.0,
        min: 0.0,
        max: 0.0,
        median: None,
        scaling: used.scaling.clone(),
        steps: Vec::new(),
        vocabulary: Vec::new(),
        counts: Vec::new(),
        totals: Vec::new(),
        bucket: false,
        one_hot: false,
        fill: Fill::Fault,
        indicator: used.indicator,
        date: None,
        unit: None,
        sequence: used.sequence,
    }
}

fn numbers(stats: &mut ColumnStats, values: &[f64], train: &[u32], cell: &Cell<'_>, faults: &mut Faults) {
    let of_train = || train.iter().map(|&r| values[r as usize]);
    let m = moments(of_train());
    set_moments(stats, m, train.len());
    let has_missing = values.iter().any(|x| x.is_nan());
    let name = &cell.used.name;
    stats.fill = match &cell.used.missing {
        None => Fill::Fault,
        Some(Missing::Drop) => Fill::Drop,
        Some(Missing::Number(x)) => Fill::Number(*x),
        Some(Missing::Text(t)) => {
            if has_missing || cell.used.explicit {
                let message = format!("`{name}` is a column of numbers, and `missing={t}` is none");
                faults.push(cell.fault(message).help("missing=mean   or   missing=0"));
            }
            Fill::Number(0.0) // one fault for the column is enough
        }
        Some(rule) if m.count == 0 => {
            if has_missing {
                let message =
                    format!("`{name}` is empty in the training part; it has no {}", rule_name(rule));
                faults.push(cell.fault(message).help(format!("drop {name}")));
            }
            Fill::Number(0.0)
        }
        Some(Missing::Mean) => Fill::Number(m.mean),
        Some(Missing::Median) => {
            stats.median = Some(median(of_train()));
            Fill::Number(stats.median.unwrap_or(m.mean))
        }
        Some(Missing::Mode) => Fill::Number(mode(of_train())),
    };
    if cell.used.scaling.contains(&Scaling::Log) && !log_suits(values, cell, &stats.fill, faults) {
        return;
    }
    stats.steps = steps(&cell.used.scaling, m, of_train, &[]);
}

/// Every part of a date is a column of numbers.
fn dates(values: &[Date], train: &[u32], cell: &Cell<'_>, faults: &mut Faults) -> Vec<ColumnStats> {
    let day_first = cell.used.day_first;
    let column = cell.used.name.clone();
    let parts = dates::parts(values).into_iter().map(|part| {
        let mut stats = blank(cell.position, cell.used);
        let of_part: Vec<f64> = values.iter().map(|d| d.part(part)).collect();
        numbers(&mut stats, &of_part, train, cell, faults);
        stats.kind = ColumnKind::Date;
        stats.name = format!("{column}.{}", part.name());
        stats.date = Some(DateColumn { column: column.clone(), part, day_first });
        stats
    });
    parts.collect()
}

fn rule_name(rule: &Missing) -> &'static str {
    match rule {
        Missing::Mean => "mean",
        Missing::Median => "median",
        _ => "commonest value",
    }
}

/// Whether every number has a logarithm where it is taken.
fn log_suits(values: &[f64], cell: &Cell<'_>, fill: &Fill, faults: &mut Faults) -> bool {
    if cell.used.scaling.first() != Some(&Scaling::Log) {
        let message = "`log` comes before every other scaling".to_string();
        faults.push(
            cell.fault(message).help("a standardized number may be below zero, which has no logarithm"),
        );
        return false;
    }
    let mut bad = values.iter().enumerate().filter(|(_, x)| **x <= 0.0);
    let filled = matches!(fill, Fill::Number(x) if *x <= 0.0);
    let Some((row, x)) = bad.next() else {
        if filled {
            faults.push(cell.fault("the value for missing cells has no logarithm".into()));
        }
        return !filled;
    };
    let message = format!("`log` needs numbers above 0, and `{}` has {x}", cell.used.name);
    let mut fault = cell.at(Fault::new(codes::ENCODING, message), row as u32);
    fault.more = bad.count();
    faults.extend([fault]);
    false
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.filter(|x| !x.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len();
    match n {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => sorted[n / 2 - 1] / 2.0 + sorted[n / 2] / 2.0,
    }
}

fn mode(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.filter(|x| !x.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let runs = sorted.chunk_by(|a, b| a == b);
    let best = runs.fold((0, 0.0), |best, run| if run.len() > best.0 { (run.len(), run[0]) } else { best });
    best.1
}

fn text(
    stats: &mut ColumnStats,
    cells: &[u32],
    vocabulary: &[String],
    train: &[u32],
    cell: &Cell<'_>,
    faults: &mut Faults,
) {
    let used = cell.used;
    stats.kind = ColumnKind::Category;
    stats.scaling.clear(); // `rest standardize` passes over text
    stats.one_hot = match used.kind {
        Kind::OneHot => true,
        Kind::Category => false,
        _ => used.role == Role::Input && !used.own_port,
    };
    let (fill, names) = fill_text(cells, vocabulary, train, cell, faults);
    (stats.vocabulary, stats.fill) = match used.order.is_empty() {
        true => (names, fill),
        false => ordered(&names, fill, cell, faults),
    };
    if used.unknown == Unknown::Bucket {
        stats.bucket = true;
        stats.vocabulary.push(OTHER.to_string());
    }
    stats.counts = vec![0; stats.vocabulary.len()];
    let translated = translate(vocabulary, &stats.vocabulary);
    for &row in train {
        match cells[row as usize] {
            NONE => stats.missing += 1,
            code => {
                stats.count += 1;
                let known = translated[code as usize].map(|i| i as usize);
                if let Some(n) = known.and_then(|i| stats.counts.get_mut(i)) {
                    *n += 1;
                }
            }
        }
    }
    let k = stats.vocabulary.len();
    if k == 0 {
        let message = format!("`{}` has no value in any row", used.name);
        faults.push(cell.fault(message).help(format!("drop {}", used.name)));
    }
    if stats.one_hot && k > MOST_ONE_HOT {
        let message = format!("`{}` has {k} different texts; one-hot would be as many inputs", used.name);
        let help = format!("drop {0}   or   input {0} category", used.name);
        faults.push(cell.fault(message).help(help));
    }
}

/// The categories in the order that the program gives; each that there is has its place.
fn ordered(names: &[String], fill: Fill, cell: &Cell<'_>, faults: &mut Faults) -> (Vec<String>, Fill) {
    let (name, order) = (&cell.used.name, &cell.used.order);
    let places = translate(names, order);
    let left: Vec<&str> =
        names.iter().zip(&places).filter(|(_, p)| p.is_none()).map(|(n, _)| n.as_str()).collect();
    if !left.is_empty() {
        let (some, more) = (left.iter().take(5).copied().collect::<Vec<_>>().join(", "), left.len() > 5);
        let message = format!("`order` of `{name}` leaves out {some}{}", if more { ", …" } else { "" });
        faults.push(cell.fault(message).help("every category of the column has its place in the list"));
    }
    let fill = match fill {
        Fill::Category(k) => places.get(k as usize).copied().flatten().map_or(Fill::Fault, Fill::Category),
        other => other,
    };
    (order.clone(), fill)
}

fn fill_text(
    cells: &[u32],
    vocabulary: &[String],
    train: &[u32],
    cell: &Cell<'_>,
    faults: &mut Faults,
) -> (Fill, Vec<String>) {
    let names = || vocabulary.to_vec();
    let added = |word: String| {
        let mut names = vocabulary.to_vec();
        if !names.contains(&word) {
            names.push(word.clone());
        }
        let names = sort_vocabulary(&mut [], names);
        let at = names.iter().position(|n| *n == word);
        (at.map_or(Fill::Fault, |i| Fill::Category(i as u32)), names)
    };
    match &cell.used.missing {
        None => (Fill::Fault, names()),
        Some(Missing::Drop) => (Fill::Drop, names()),
        Some(Missing::Text(word)) => added(word.clone()),
        Some(Missing::Number(x)) if cells.contains(&NONE) => added(x.to_string()),
        Some(Missing::Mode) => {
            let mut counts = vec![0u64; vocabulary.len()];
            let present = train.iter().map(|&r| cells[r as usize]).filter(|&c| c != NONE);
            present.for_each(|c| counts[c as usize] += 1);
            let best = (0..counts.len()).rev().max_by_key(|&i| counts[i]);
            (best.map_or(Fill::Fault, |i| Fill::Category(i as u32)), names())
        }
        Some(rule @ (Missing::Mean | Missing::Median)) if cells.contains(&NONE) => {
            let name = &cell.used.name;
            let message = format!("`{name}` is text, has missing cells, and text has no {}", rule_name(rule));
            faults.push(cell.fault(message).help(format!("input {name} one_hot missing=mode")));
            (Fill::Category(0), names())
        }
        Some(_) => (Fill::Fault, names()),
    }
}

/// The classes of a target, for [`crate::split`].
pub(crate) fn target_classes(raw: &Raw, uses: &[Use], faults: &mut Faults) -> Option<Vec<u32>> {
    const MOST: usize = 32;
    let target = uses.iter().find(|u| u.role == Role::Target)?;
    let part = raw.columns.get(target.position)?.part(0..raw.len);
    let (_, data) = part.map_err(|f| faults.push(*f)).ok()?;
    match data.as_ref() {
        Data::Text { codes, vocabulary } => {
            let missing = vocabulary.len() as u32;
            Some(codes.iter().map(|&c| c.min(missing)).collect())
        }
        Data::Numbers(values) => {
            let mut distinct: Vec<f64> = Vec::new();
            let mut classes = Vec::with_capacity(values.len());
            for x in values {
                let at = distinct.iter().position(|d| d == x).unwrap_or_else(|| {
                    distinct.push(*x);
                    distinct.len() - 1
                });
                if distinct.len() > MOST {
                    return None;
                }
                classes.push(at as u32);
            }
            Some(classes)
        }
        _ => None,
    }
}
