//! What a program sees of its data, for people.

use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::build::{self, Prepared};
use crate::fault::{Fault, Faults};
use crate::raw::{Data, NONE};
use crate::schema::{ColumnKind, Port, PortId};
use crate::spec::{DataSpec, Role};
use crate::stats::{ColumnStats, Step};
use crate::table::Table;
use crate::{Dataset, Limits};

/// Bars of a histogram.
const BINS: usize = 12;

/// Rows that are shown.
const SHOWN: usize = 5;

/// Numbers of an encoded row that are shown.
const SHOWN_NUMBERS: usize = 12;

/// What [`describe`](crate::describe) found. Its `Display` is for a terminal
/// of about 100 columns, and its JSON form for machines.
#[derive(Clone, Debug, Serialize)]
pub struct Description {
    /// Where the rows come from.
    pub source: String,
    /// Rows in the source.
    pub rows: usize,
    /// Columns in the source.
    pub width: usize,
    /// Samples for training, validation and test.
    pub parts: [usize; 3],
    /// The columns that are read.
    pub columns: Vec<ColumnView>,
    /// The inputs of the network.
    pub inputs: Vec<Port>,
    /// Its targets.
    pub targets: Vec<Port>,
    /// The first rows of the training part as they stand in the source.
    pub before: Vec<Vec<String>>,
    /// The same rows as the network sees them: inputs, then targets.
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
    /// Smallest and largest number.
    pub range: Option<[f64; 2]>,
    /// Mean and standard deviation.
    pub mean: Option<[f64; 2]>,
    /// Categories with their counts, in the order of the classes.
    pub categories: Vec<(String, u64)>,
    /// How many values fall into each of equal parts of the range, or the
    /// counts of the categories.
    pub histogram: Vec<u64>,
}

/// See [`crate::describe`].
pub(crate) fn describe(spec: &DataSpec, limits: &Limits) -> Result<Description, Vec<Fault>> {
    let mut faults = Faults::new();
    let Some(prepared) = build::prepare(spec, limits, &mut faults) else {
        return Err(faults.into_vec());
    };
    let columns = prepared.stats.columns.iter().map(|c| column(c, &prepared)).collect();
    let before = before(&prepared);
    let (source, rows, width) = (prepared.name.clone(), prepared.raw.len, prepared.stats.width);
    let data = build::finish(prepared, spec, limits, faults)?;
    let len = |t: &Option<Table>| t.as_ref().map_or(0, Table::len);
    Ok(Description {
        source,
        rows,
        width,
        parts: [data.train.len(), len(&data.valid), len(&data.test)],
        columns,
        before,
        after: after(&data),
        inputs: data.schema.inputs,
        targets: data.schema.targets,
        notes: data.notes,
    })
}

fn column(c: &ColumnStats, prepared: &Prepared) -> ColumnView {
    let number = matches!(c.kind, ColumnKind::Number | ColumnKind::Date | ColumnKind::Tensor);
    let data = prepared.raw.columns.get(c.position);
    let histogram = match (data, &c.date) {
        _ if c.count == 0 => Vec::new(),
        (Some(Data::Numbers(v)), _) => bins(c, prepared.train.iter().map(|&r| v[r as usize])),
        (Some(Data::Dates(v)), Some(d)) => {
            bins(c, prepared.train.iter().map(|&r| v[r as usize].part(d.part)))
        }
        _ => c.counts.clone(),
    };
    ColumnView {
        name: c.name.clone(),
        role: c.role,
        kind: c.kind,
        encoding: encoding(c),
        count: c.count,
        missing: data
            .and_then(Data::missing)
            .map_or(0, |lacks| (0..prepared.raw.len).filter(|&r| lacks(r)).count() as u64),
        range: (number && c.count > 0).then_some([c.min, c.max]),
        mean: (number && c.count > 0).then_some([c.mean, c.std]),
        categories: c.vocabulary.iter().cloned().zip(c.counts.iter().copied()).collect(),
        histogram,
    }
}

fn bins(c: &ColumnStats, values: impl Iterator<Item = f64>) -> Vec<u64> {
    let mut bins = vec![0; if c.min < c.max { BINS } else { 1 }];
    let last = bins.len() - 1;
    for x in values.filter(|x| !x.is_nan()) {
        let part = (x - c.min) / (c.max - c.min) * BINS as f64;
        bins[(part as usize).min(last)] += 1;
    }
    bins
}

fn encoding(c: &ColumnStats) -> String {
    let mut words = Vec::new();
    for step in &c.steps {
        words.push(match *step {
            Step::Log => "log".to_string(),
            Step::Shift { minus: 0.0, over } => format!("/ {}", short(over)),
            Step::Shift { minus, over } => format!("(x - {}) / {}", short(minus), short(over)),
        });
    }
    match c.kind {
        ColumnKind::Category if c.one_hot => words.push("one-hot".into()),
        ColumnKind::Category => words.push("class".into()),
        ColumnKind::Characters => words.push("characters".into()),
        ColumnKind::Bytes => words.push("bytes".into()),
        _ => {}
    }
    if c.indicator {
        words.push("and whether it was missing".into());
    }
    words.join(", ")
}

/// A number in few characters.
fn short(x: f64) -> String {
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

/// The first training rows, as they stand in the source.
fn before(prepared: &Prepared) -> Vec<Vec<String>> {
    let columns: Vec<&Data> = {
        let mut places: Vec<usize> = prepared.stats.columns.iter().map(|c| c.position).collect();
        places.dedup();
        places.iter().filter_map(|&p| prepared.raw.columns.get(p)).collect()
    };
    let rows = prepared.train.iter().take(SHOWN);
    rows.map(|&r| columns.iter().map(|c| cell(c, r as usize)).collect()).collect()
}

fn cell(data: &Data, row: usize) -> String {
    let array = |shape: &[usize]| {
        let dims: Vec<String> = shape.iter().map(ToString::to_string).collect();
        format!("[{}]", dims.join("x"))
    };
    match data {
        Data::Skipped => String::new(),
        Data::Numbers(v) if v[row].is_nan() => "·".into(),
        Data::Numbers(v) => v[row].to_string(),
        Data::Text { codes, .. } if codes[row] == NONE => "·".into(),
        Data::Text { codes, vocabulary } => vocabulary[codes[row] as usize].clone(),
        Data::Dates(v) => v[row].to_string(),
        Data::Bytes { shape, .. } | Data::F32 { shape, .. } | Data::F64 { shape, .. } => array(shape),
        Data::Windows(w) => {
            let begin = row * w.stride + w.start;
            let codes = w.data.get(begin..begin + w.width.min(24)).unwrap_or_default();
            let text: String =
                codes.iter().filter_map(|&c| w.names.get(usize::from(c))).map(String::as_str).collect();
            format!("\"{text}\"")
        }
    }
}

/// The same rows encoded.
fn after(data: &Dataset) -> Vec<[Vec<f64>; 2]> {
    let side = |ports: &[Port], id: fn(usize) -> PortId, row: u32| {
        let mut numbers = Vec::new();
        for i in 0..ports.len() {
            let mut part = vec![0.0; data.train.width(id(i)).unwrap_or(0)];
            if data.train.gather_f64(id(i), &[row], &mut part).is_ok() {
                numbers.extend(part);
            }
        }
        numbers
    };
    let rows = 0..data.train.len().min(SHOWN) as u32;
    rows.map(|r| [side(&data.schema.inputs, PortId::Input, r), side(&data.schema.targets, PortId::Target, r)])
        .collect()
}

/// A histogram in one line.
fn spark(counts: &[u64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let bar = |&n: &u64| match n {
        0 => ' ',
        n => BARS[((u128::from(n) * 8).div_ceil(u128::from(most)) as usize).clamp(1, 8) - 1],
    };
    counts.iter().take(2 * BINS).map(bar).collect()
}

fn values(c: &ColumnView) -> String {
    if let (Some([min, max]), Some([mean, std])) = (c.range, c.mean) {
        return format!("{} … {}, mean {} ± {}", short(min), short(max), short(mean), short(std));
    }
    if c.categories.is_empty() {
        return String::new();
    }
    let mut order: Vec<&(String, u64)> = c.categories.iter().collect();
    if order.len() > 4 {
        order.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    }
    let shown: Vec<String> =
        order.iter().take(4).map(|(name, n)| format!("{} {n}", clip(name, 16))).collect();
    let more = order.len().saturating_sub(4);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// At most so many characters, none of which moves the cursor.
fn clip(text: &str, most: usize) -> String {
    let long = text.chars().count() > most;
    let mut shown = String::new();
    for c in text.chars().take(if long { most - 1 } else { most }) {
        match c {
            c if c.is_control() => shown.extend(c.escape_debug()),
            c => shown.push(c),
        }
    }
    if long {
        shown.push('…');
    }
    shown
}

fn kind_word(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Number => "number",
        ColumnKind::Category => "category",
        ColumnKind::Date => "date",
        ColumnKind::Tensor => "array",
        ColumnKind::Characters => "characters",
        ColumnKind::Bytes => "bytes",
    }
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Input => "input",
        Role::Target => "target",
        Role::Weight => "weight",
        Role::Drop => "drop",
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [train, valid, test] = self.parts;
        write!(f, "{}   {} rows, {} columns", self.source, self.rows, self.width)?;
        writeln!(f, "   train {train}, valid {valid}, test {test}\n")?;
        self.table(f)?;
        writeln!(f)?;
        for (side, ports) in [("input", &self.inputs), ("target", &self.targets)] {
            for port in ports {
                let dims: Vec<String> = port.shape.iter().map(ToString::to_string).collect();
                writeln!(f, "  {side:<7} {:<10} [{}]  {}", port.name, dims.join(", "), port.describe)?;
            }
        }
        writeln!(f, "\n  first training rows, before and after")?;
        for (before, [inputs, targets]) in self.before.iter().zip(&self.after) {
            let cells: Vec<String> = before.iter().map(|c| clip(c, 26)).collect();
            writeln!(f, "    {}", cells.join("  "))?;
            writeln!(f, "      = {} -> {}", numbers(inputs), numbers(targets))?;
        }
        Ok(())
    }
}

fn numbers(values: &[f64]) -> String {
    let mut text = String::new();
    for x in values.iter().take(SHOWN_NUMBERS) {
        let _ = write!(text, "{} ", short(*x));
    }
    if values.len() > SHOWN_NUMBERS {
        let _ = write!(text, "… ({})", values.len());
    }
    text.trim_end().to_string()
}

impl Description {
    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["column", "role", "kind", "missing", "", "values in the training part", "encoded"];
        let mut lines: Vec<[String; 7]> = vec![head.map(str::to_string)];
        for c in &self.columns {
            lines.push([
                clip(&c.name, 24),
                role_word(c.role).into(),
                kind_word(c.kind).into(),
                if c.missing == 0 { "·".into() } else { c.missing.to_string() },
                spark(&c.histogram),
                values(c),
                c.encoding.clone(),
            ]);
        }
        let mut widths = [0; 7];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for line in lines {
            let mut text = String::from(" ");
            for (i, (cell, width)) in line.iter().zip(widths).enumerate() {
                let _ =
                    if i == 3 { write!(text, " {cell:>width$} ") } else { write!(text, " {cell:<width$} ") };
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (x, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (-12.345, "-12.3"),
            (0.000_123_45, "0.000123"),
            (123_456.7, "123457"),
            (1e9, "1.00e9"),
            (150.0, "150"),
            (0.5, "0.5"),
        ] {
            assert_eq!(short(x), text);
        }
    }

    #[test]
    fn histograms_fit_a_line() {
        assert_eq!(spark(&[0, 1, 4, 8]), " ▁▄█");
        assert_eq!(spark(&[]), "");
        assert_eq!(spark(&[u64::MAX, 1]), "█▁");
    }
}
