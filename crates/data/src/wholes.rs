//! Samples that are whole series: their length, and what must be the same in all rows of one.

use crate::fault::{Fault, Faults, codes};
use crate::gaps::Gaps;
use crate::raw::{Data, Raw};
use crate::roles::Use;
use crate::samples::Samples;
use crate::spans::{Spans, in_words};
use crate::spec::{DataSpec, Extent, Role, SourceSpec};
use crate::stats::{SeriesColumn, Window};

/// What the words about whole series say of each other.
pub(crate) fn check(spec: &DataSpec, by: &[SeriesColumn], uses: &[Use], faults: &mut Faults) {
    let csv = match &spec.train {
        SourceSpec::Csv(csv) => Some(csv),
        _ => None,
    };
    let series = csv.filter(|c| c.window == Some(Extent::Series));
    if let (Some(csv), None) = (csv, series)
        && csv.max_length.is_some()
    {
        let message = "`max_length` is about samples that are whole series, and here they are not";
        faults.push(
            Fault::new(codes::OPTION, message).at(csv.handle).help("window=all by=NAME max_length=200"),
        );
    }
    if let Some(csv) = series.filter(|_| by.is_empty()) {
        let message = "`window=all` makes a sample of every series, and nothing says which rows are one";
        faults.push(Fault::new(codes::OPTION, message).at(csv.handle).help("window=all by=NAME"));
    }
    for used in uses.iter().filter(|u| u.sequence) {
        let problem = match (used.role, series) {
            (Role::Target, Some(_)) => continue,
            (Role::Target, None) => {
                "a target has a value for every step where samples are whole series, and here they are not"
            }
            _ => "`sequence` is about targets; every input has a value for every step",
        };
        let help = match used.role {
            Role::Target => "data \"f.csv\" window=all by=NAME { … }",
            _ => "leave it out",
        };
        faults.push(Fault::new(codes::ENCODING, problem).at(used.handle).help(help));
    }
}

/// The window with as many steps as the program says, or as the longest series has.
pub(crate) fn fitted(window: Option<Window>, samples: &Samples) -> Option<Window> {
    let longest = |w: Window| samples.spans().map_or(w.length, |spans| spans.longest().max(1));
    let length = |w: Window| w.whole.and_then(|whole| whole.limit).unwrap_or_else(|| longest(w));
    window.map(|w| Window { length: length(w), ..w })
}

/// How long they are, for people; and how many are cut.
pub(crate) fn reading(samples: &Samples, by: &[SeriesColumn]) -> Option<String> {
    let spans = samples.spans()?;
    let names: Vec<&str> = by.iter().map(|c| c.name.as_str()).collect();
    Some(format!(
        "{} series (one for each {}) of {}",
        spans.len(),
        names.join(" and "),
        in_words(&spans.lengths)
    ))
}

/// The first row of each of some samples.
pub(crate) fn first(samples: &Samples, some: &[u32]) -> Option<Vec<u32>> {
    let spans = samples.spans()?;
    let row = |at: u32| samples.kept.as_ref().map_or(at, |kept| kept[at as usize]);
    Some(some.iter().filter_map(|&s| spans.begins.get(s as usize)).map(|&at| row(at)).collect())
}

/// What is cut, where that is so.
pub(crate) fn cut(samples: &Samples, window: Option<Window>, spec: &DataSpec) -> Option<Fault> {
    let limit = window?.whole?.limit?;
    let all = Spans::of_ends(samples.series.as_deref()?, None);
    let longer = all.lengths.iter().filter(|n| **n as usize > limit).count();
    (longer > 0).then(|| {
        let (series, longest) = (all.len(), all.longest());
        let message = format!(
            "{longer} of {series} series are longer than {limit} rows, of which the first {limit} are read"
        );
        let fault = Fault::new(codes::READING, message).note().at(spec.train.handle());
        fault.help(format!("max_length={longest} reads all of the longest"))
    })
}

/// That targets and weights of a series, unless they have a value for every row, are the same in all its rows.
pub(crate) fn constant(raw: &Raw, uses: &[Use], samples: &Samples, faults: &mut Faults) {
    let Some(spans) = samples.spans() else { return };
    let shared = |u: &&Use| matches!(u.role, Role::Target | Role::Weight) && !u.sequence;
    for used in uses.iter().filter(shared) {
        let Some(data) = raw.columns.get(used.position) else { continue };
        let part = match data.part(0..raw.len) {
            Ok((_, part)) => part,
            Err(fault) => {
                faults.push(*fault);
                continue;
            }
        };
        let row = |at: usize| samples.kept.as_ref().map_or(at, |kept| kept[at] as usize);
        let changes = |rows: std::ops::Range<usize>| {
            let first = row(rows.start);
            rows.skip(1).map(row).find(|&r| !same(&part, first, r))
        };
        let mut found = (0..spans.len()).filter_map(|i| changes(spans.get(i)?));
        let Some(at) = found.next() else { continue };
        let name = &used.name;
        let message = format!(
            "`{name}` changes within a series, and a series has one {}",
            match used.role {
                Role::Weight => "weight",
                _ => "value of it",
            }
        );
        let fault = Fault::new(codes::ENCODING, message).help(match used.role {
            Role::Weight => "the weight of a series stands in all its rows".to_string(),
            _ => format!("target {name} sequence   where it has a value for every row"),
        });
        let fault =
            raw.places.locate(fault.label("another value than in the first row"), at, used.position, name);
        faults.extend([Fault { more: found.count(), ..fault }]);
    }
}

/// Whether two rows of a column hold the same.
fn same(data: &Data, a: usize, b: usize) -> bool {
    match data {
        Data::Numbers(v) => v[a] == v[b] || v[a].is_nan() && v[b].is_nan(),
        Data::Text { codes, .. } => codes[a] == codes[b],
        Data::Dates(v) => v[a] == v[b],
        _ => true,
    }
}

/// Series that are longer than those the network was made for have no answer, or are faults.
pub(crate) fn too_long(raw: &Raw, samples: &Samples, lenient: bool, gaps: &mut Gaps, faults: &mut Faults) {
    let (Some(window), Some(spans)) = (samples.window, samples.spans()) else { return };
    let row = |at: usize| samples.kept.as_ref().map_or(at, |kept| kept[at] as usize);
    for sample in 0..spans.len() {
        let Some(rows) = spans.get(sample).filter(|rows| rows.len() > window.length) else { continue };
        let first = row(rows.start);
        let why = || {
            let message = format!(
                "a series of {} rows is longer than those the network was made for ({} at most)",
                rows.len(),
                window.length
            );
            let fault = Fault::new(codes::MISMATCH, message);
            raw.places.locate_row(
                fault.help(format!(
                    "max_length={} in the program makes room for it, once it is trained again",
                    rows.len()
                )),
                first,
            )
        };
        match lenient {
            true => gaps.mark(first, why),
            false => faults.push_with(codes::MISMATCH, why),
        }
    }
}
