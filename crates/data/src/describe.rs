//! What a program sees of its data.

use serde::Serialize;

use crate::build::{self, Prepared};
use crate::fault::{Fault, Faults, codes};
use crate::layout;
use crate::printed::{CELL, clip};
use crate::raw::{Data, NONE, Spilled, SpilledKind};
use crate::schema::{ColumnKind, Port, PortId};
use crate::spans::Spans;
use crate::spec::{DataSpec, Role, Scaling};
use crate::stats::{ColumnStats, Fill, Stats};
use crate::table::Table;
use crate::{Dataset, Limits};

/// Bars of a histogram.
pub(crate) const BINS: usize = 12;

/// Numbers of an encoded row that are kept.
const MOST_NUMBERS: usize = 1024;

/// Rows of a column that are looked at together.
const CHUNK: usize = 1 << 16;

/// What [`describe`](crate::describe) found.
/// [`text`](Description::text) is for people, its JSON form for machines.
#[derive(Clone, Debug, Serialize)]
pub struct Description {
    /// Where the rows come from.
    pub source: String,
    /// How a table is read: its header, its encoding, what separates its
    /// cells where that is not obvious.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reading: Vec<String>,
    /// Rows in the source.
    pub rows: usize,
    /// Columns in the source.
    pub width: usize,
    /// Samples for training, validation and test.
    pub parts: [usize; 3],
    /// The columns that are read.
    pub columns: Vec<ColumnView>,
    /// The columns that are not.
    pub dropped: Vec<String>,
    /// Which column is for what, in one line.
    pub roles: String,
    /// The inputs of the network.
    pub inputs: Vec<Port>,
    /// Its targets.
    pub targets: Vec<Port>,
    /// The rows of `before` by their place in the source, from 1.
    pub first: Vec<usize>,
    /// The columns of `before`.
    pub names: Vec<String>,
    /// The first rows of the training part as they stand in the source; of
    /// windows, all rows of the first ones, and of long windows some.
    pub before: Vec<Vec<String>>,
    /// Of windows: the rows of the source that each line of `after` is made
    /// of, from 1, and those of its targets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<[Vec<usize>; 2]>,
    /// What the numbers of `after` are: of the inputs, and of the targets.
    pub slots: [Vec<String>; 2],
    /// The same rows as the network sees them: inputs, then targets; of long
    /// rows the first 1024 numbers.
    pub after: Vec<[Vec<f64>; 2]>,
    /// Warnings and notes.
    #[serde(skip)]
    pub notes: Vec<Fault>,
}

/// One column.
#[derive(Clone, Debug, Serialize)]
pub struct ColumnView {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// What it holds.
    pub kind: ColumnKind,
    /// What becomes of it: `standardize`, `one-hot`, and so on.
    pub encoding: String,
    /// Values in the training part.
    pub count: u64,
    /// Missing ones in the whole source.
    pub missing: u64,
    /// Smallest and largest number; of texts, of their lengths.
    pub range: Option<[f64; 2]>,
    /// Mean and standard deviation; of texts, of their lengths.
    pub mean: Option<[f64; 2]>,
    /// Categories with their counts, in the order of the classes.
    pub categories: Vec<(String, u64)>,
    /// How many values fall into each of equal parts of the range, or the
    /// counts of the categories.
    pub histogram: Vec<u64>,
}

/// See [`crate::describe`].
pub(crate) fn describe(spec: &DataSpec, limits: &Limits, rows: usize) -> Result<Description, Vec<Fault>> {
    let mut faults = Faults::new();
    let Some(prepared) = build::prepare(spec, limits, &mut faults) else {
        return Err(faults.into_vec());
    };
    let columns = prepared.stats.columns.iter().map(|c| column(c, &prepared)).collect();
    let columns: Vec<ColumnView> = match columns {
        Ok(columns) => columns,
        Err(fault) => return Err(vec![*fault]),
    };
    let lines = shown_rows(&prepared, rows);
    let (names, before) = before(&prepared, &lines);
    let mut shown = Description {
        source: prepared.name.clone(),
        reading: prepared.reading.clone(),
        rows: prepared.raw.len,
        width: prepared.stats.width,
        parts: [prepared.parts.train.len(), prepared.parts.valid.len(), prepared.parts.test.len()],
        columns,
        dropped: prepared.dropped.clone(),
        roles: roles(&prepared.stats, &prepared.dropped, crate::MOST_NAMES),
        inputs: prepared.stats.schema.inputs.clone(),
        targets: prepared.stats.schema.targets.clone(),
        first: lines.iter().map(|r| r + 1).collect(),
        names,
        before,
        windows: Vec::new(),
        slots: [Vec::new(), Vec::new()],
        after: Vec::new(),
        notes: prepared.notes.clone(),
    };
    match build::finish(prepared, spec, limits, faults) {
        Ok(data) => {
            let len = |t: &Option<Table>| t.as_ref().map_or(0, Table::len);
            shown.parts = [data.train.len(), len(&data.valid), len(&data.test)];
            if data.stats.window.is_some() {
                let first = 0..rows.min(data.train.len());
                let of =
                    |r: usize| Some(data.train.rows_of(r)?.map(|rows| rows.iter().map(|r| r + 1).collect()));
                shown.windows = first.filter_map(of).collect();
            }
            shown.slots =
                [slots(&data, &shown.inputs, PortId::Input), slots(&data, &shown.targets, PortId::Target)];
            shown.after = after(&data, rows);
        }
        // Whoever looks at data wants to see where it lacks something.
        Err(faults) if faults.iter().all(|f| f.code == codes::MISSING) => {
            shown.notes.extend(faults.into_iter().map(Fault::warning));
        }
        Err(faults) => return Err(faults),
    }
    Ok(shown)
}

fn column(c: &ColumnStats, prepared: &Prepared) -> Result<ColumnView, Box<Fault>> {
    let number =
        matches!(c.kind, ColumnKind::Number | ColumnKind::Date | ColumnKind::Tensor | ColumnKind::Tokens);
    let (mut missing, mut histogram) = (0, Vec::new());
    if let Some(data) = prepared.raw.columns.get(c.position) {
        let mut train = prepared.train.iter().map(|&r| r as usize).peekable();
        let len = prepared.raw.len;
        let step = if data.is_spilled() { CHUNK } else { len.max(1) };
        for begin in (0..len).step_by(step) {
            let rows = begin..(begin + step).min(len);
            let (base, part) = data.part(rows.clone())?;
            if let Some(lacks) = part.missing() {
                missing += rows.clone().filter(|r| lacks(r - base)).count() as u64;
            }
            let chosen = std::iter::from_fn(|| train.next_if(|r| *r < rows.end)).map(|r| r - base);
            match (part.as_ref(), &c.date) {
                _ if c.count == 0 => {}
                (Data::Numbers(v), _) => bins(c, chosen.map(|r| v[r]), &mut histogram),
                (Data::Dates(v), Some(d)) => bins(c, chosen.map(|r| v[r].part(d.part)), &mut histogram),
                _ => histogram.clone_from(&c.counts),
            }
        }
    }
    Ok(ColumnView {
        name: c.name.clone(),
        role: c.role,
        kind: c.kind,
        encoding: encoding(c),
        count: c.count,
        missing,
        range: (number && c.count > 0).then_some([c.min, c.max]),
        mean: (number && c.count > 0).then_some([c.mean, c.std]),
        categories: c.vocabulary.iter().cloned().zip(c.counts.iter().copied()).collect(),
        histogram,
    })
}

/// Which column is for what, in one line with at most `most` names of a kind.
pub(crate) fn roles(stats: &Stats, dropped: &[String], most: usize) -> String {
    let list = |names: Vec<&str>| {
        let shown = names.iter().take(most).map(|n| clip(n, CELL)).collect::<Vec<_>>().join(", ");
        match names.len().saturating_sub(most) {
            0 => shown,
            more => format!("{shown} and {more} more"),
        }
    };
    let of = |role: Role| {
        let mut names: Vec<&str> =
            stats.columns.iter().filter(|c| c.role == role).map(ColumnStats::source).collect();
        names.dedup(); // the parts of a date
        names
    };
    let mut parts = vec![format!("input {}", list(of(Role::Input)))];
    parts.push(match of(Role::Target) {
        names if names.is_empty() => "no target".to_string(),
        names => format!("target {}", list(names)),
    });
    if let weights @ [_, ..] = &of(Role::Weight)[..] {
        parts.push(format!("weight {}", list(weights.to_vec())));
    }
    if !stats.by.is_empty() {
        parts.push(format!(
            "one series for each {}",
            list(stats.by.iter().map(|c| c.name.as_str()).collect())
        ));
    }
    if !dropped.is_empty() {
        parts.push(format!("not read: {}", list(dropped.iter().map(String::as_str).collect())));
    }
    parts.join("; ")
}

/// Counts values in equal parts of the range.
fn bins(c: &ColumnStats, values: impl Iterator<Item = f64>, bins: &mut Vec<u64>) {
    bins.resize(if c.min < c.max { BINS } else { 1 }, 0);
    let last = bins.len() - 1;
    for x in values.filter(|x| !x.is_nan()) {
        let part = (x - c.min) / (c.max - c.min) * BINS as f64;
        bins[(part as usize).min(last)] += 1;
    }
}

/// What becomes of a column, in the words of a program.
fn encoding(c: &ColumnStats) -> String {
    let mut words = Vec::new();
    for scaling in &c.scaling {
        words.push(match scaling {
            Scaling::Standardize => "standardize".to_string(),
            Scaling::MinMax => "minmax".into(),
            Scaling::Log => "log".into(),
            Scaling::Scale(by) => format!("scale={by}"),
        });
    }
    match c.kind {
        ColumnKind::Category if c.one_hot => words.push("one_hot".into()),
        ColumnKind::Category if c.role == Role::Input => words.push("category".into()),
        ColumnKind::Bytes => words.push("bytes".into()),
        ColumnKind::Tokens => {
            words.extend(c.unit.map(|u| u.name().to_string()));
            words.extend(c.shape.first().map(|n| format!("length={n}")));
        }
        _ => {}
    }
    match c.fill {
        Fill::Fault => {}
        Fill::Drop => words.push("missing=drop".into()),
        Fill::Number(x) => words.push(format!("missing={}", short(x))),
        Fill::Category(_) if c.kind == ColumnKind::Tokens => words.push("missing=\"\"".into()),
        Fill::Category(k) => {
            words.extend(c.vocabulary.get(k as usize).map(|name| format!("missing={name}")));
        }
    }
    if c.indicator {
        words.push("indicator".into());
    }
    if c.bucket {
        words.push("unknown=other".into());
    }
    words.join(" ")
}

/// A number in few characters.
pub(crate) fn short(x: f64) -> String {
    if x == 0.0 {
        return "0".into();
    }
    let size = x.abs();
    if !(1e-4..1e7).contains(&size) {
        return format!("{x:.2e}");
    }
    let digits = if size >= 1000.0 { 0 } else { (2.0 - size.log10().floor()).max(0.0) as usize };
    let text = format!("{x:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}

/// Rows of windows that are shown; of more, some at the beginning and the end.
const MOST_ROWS: usize = 24;

/// The rows of the source that the first samples are made of.
fn shown_rows(prepared: &Prepared, samples: usize) -> Vec<usize> {
    let Some(window) = prepared.stats.window else {
        return prepared.train.iter().take(samples).map(|&r| r as usize).collect();
    };
    let mut rows: Vec<usize> = Vec::new();
    let whole = window.whole.map(|w| Spans::of_ends(prepared.series.as_deref().unwrap_or_default(), w.limit));
    for &start in prepared.parts.train.iter().take(samples) {
        let start = start as usize;
        if let Some(spans) = &whole {
            rows.extend(spans.get(start).into_iter().flatten());
            continue;
        }
        rows.extend((start..start + window.length).chain(start + window.reach()..=start + window.end()));
    }
    rows.sort_unstable();
    rows.dedup();
    if rows.len() > MOST_ROWS {
        let tail = (samples + 2).min(MOST_ROWS - 4);
        rows.drain(4..rows.len() - tail);
    }
    let source = |row: usize| prepared.kept.as_ref().map_or(row, |kept| kept[row] as usize);
    rows.into_iter().map(source).collect()
}

/// Some rows as they stand in the source, and their columns.
fn before(prepared: &Prepared, rows: &[usize]) -> (Vec<String>, Vec<Vec<String>>) {
    let stats = &prepared.stats;
    let by = stats.by.iter().map(|c| (c.position, c.name.clone()));
    let read = stats.columns.iter().map(|c| (c.position, c.source().to_string()));
    let mut shown: Vec<(usize, String)> = by.chain(read).collect();
    shown.sort();
    shown.dedup_by_key(|(position, _)| *position);
    let cells = |&row: &usize| {
        let columns = shown.iter().filter_map(|&(p, _)| prepared.raw.columns.get(p));
        columns.map(|c| cell(c, row)).collect()
    };
    let before = rows.iter().map(cells).collect();
    (shown.into_iter().map(|(_, name)| name).collect(), before)
}

fn cell(data: &Data, row: usize) -> String {
    let array = |shape: &[usize]| {
        let dims: Vec<String> = shape.iter().map(ToString::to_string).collect();
        format!("[{}]", dims.join("x"))
    };
    if let Data::Spilled(Spilled { of, .. }) = data
        && let SpilledKind::Bytes { shape, .. } | SpilledKind::F32 { shape } | SpilledKind::F64 { shape } = of
    {
        return array(shape);
    }
    let Ok((base, data)) = data.part(row..row + 1) else { return String::new() };
    let row = row - base;
    match data.as_ref() {
        Data::Skipped | Data::Watched(_) | Data::Spilled(_) => String::new(),
        Data::Numbers(v) if v[row].is_nan() => "·".into(),
        Data::Numbers(v) => v[row].to_string(),
        Data::Text { codes, .. } if codes[row] == NONE => "·".into(),
        Data::Text { codes, vocabulary } => vocabulary[codes[row] as usize].clone(),
        Data::Dates(v) => v[row].to_string(),
        Data::Bytes { shape, .. } | Data::F32 { shape, .. } | Data::F64 { shape, .. } => array(shape),
        Data::Windows(w) => {
            let begin = row * w.stride + w.start;
            let codes = w.data.load(begin..begin + w.width.min(24));
            let text: String =
                codes.iter().filter_map(|&c| w.names.get(usize::from(c))).map(String::as_str).collect();
            format!("\"{text}\"")
        }
    }
}

/// The same rows encoded.
fn after(data: &Dataset, rows: usize) -> Vec<[Vec<f64>; 2]> {
    let side = |ports: &[Port], id: fn(usize) -> PortId, row: u32| {
        let mut numbers = Vec::new();
        for i in 0..ports.len() {
            let mut part = vec![0.0; data.train.width(id(i)).unwrap_or(0)];
            if data.train.gather_f64(id(i), &[row], &mut part).is_ok() {
                numbers.extend(part);
            }
        }
        numbers.truncate(MOST_NUMBERS);
        numbers
    };
    let rows = 0..data.train.len().min(rows) as u32;
    rows.map(|r| [side(&data.schema.inputs, PortId::Input, r), side(&data.schema.targets, PortId::Target, r)])
        .collect()
}

/// A name for every number of an encoded row: `sex=male`, `age`, `input[3]`.
fn slots(data: &Dataset, ports: &[Port], id: fn(usize) -> PortId) -> Vec<String> {
    let mut names = Vec::new();
    for (i, port) in ports.iter().enumerate() {
        let width = data.train.width(id(i)).unwrap_or(0);
        let begin = names.len();
        // Of a window, the rows one after the other.
        let steps = data.stats.window.map_or(1, |w| match id(i) {
            _ if port.ragged => w.length,
            PortId::Input(_) => w.length,
            PortId::Target(_) => w.steps(),
        });
        if port.classes.is_some() && width == 1 {
            names.push(port.name.clone());
            continue;
        }
        let columns = data.stats.schema.columns.iter().zip(&data.stats.columns);
        for (_, c) in columns.filter(|(c, _)| layout::port_of(c) == Some(id(i))) {
            match c.kind {
                ColumnKind::Number | ColumnKind::Date => names.push(c.name.clone()),
                ColumnKind::Category if port.classes.is_some() => names.push(c.name.clone()),
                ColumnKind::Category => names.extend(c.vocabulary.iter().map(|v| format!("{}={v}", c.name))),
                ColumnKind::Tensor | ColumnKind::Characters | ColumnKind::Bytes | ColumnKind::Tokens => {}
            }
            if c.indicator {
                names.push(format!("{} missing", c.name));
            }
        }
        if steps > 1 && (names.len() - begin).checked_mul(steps) == Some(width) {
            let one: Vec<String> = names.drain(begin..).collect();
            let most = MOST_NUMBERS.div_ceil(one.len().max(1));
            let each = (1..=steps.min(most)).flat_map(|step| one.iter().map(move |n| format!("{n}[{step}]")));
            names.extend(each);
        } else if names.len() - begin != width {
            names.truncate(begin);
            names.extend((1..=width.min(MOST_NUMBERS)).map(|n| format!("{}[{n}]", port.name)));
        }
    }
    names.truncate(MOST_NUMBERS);
    names
}
