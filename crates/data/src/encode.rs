//! From raw columns to the values of ports, by statistics only: the same
//! code for training and for raw rows years later.

use std::borrow::Cow;

use crate::Limits;
use crate::fault::{Fault, Faults, Place, codes};
use crate::fit::OTHER;
use crate::layout::port_of;
use crate::raw::{Data, NONE, Raw, translate};
use crate::schema::{Column, ColumnKind, Port, PortId};
use crate::source::too_big;
use crate::spec::{Handle, Role};
use crate::stats::{ColumnStats, Fill, Stats};
use crate::table::{Cells, Store, Values};

/// What the encoder is given beside the raw columns.
pub(crate) struct Job<'a> {
    pub(crate) stats: &'a Stats,
    /// For each column of the statistics its column in `raw`, or none where
    /// the file lacks it (then it is a target or a weight).
    pub(crate) map: &'a [Option<usize>],
    /// Rows of `raw` to keep; all where `None`.
    pub(crate) kept: Option<Vec<u32>>,
    pub(crate) limits: &'a Limits,
    pub(crate) handle: Option<Handle>,
}

/// Rows of `raw` that no `missing=drop` column lacks; `None` is all of them.
pub(crate) fn kept_rows(raw: &Raw, dropping: impl Fn(usize) -> bool) -> Option<Vec<u32>> {
    let mut gone = vec![false; raw.len];
    for (_, data) in raw.columns.iter().enumerate().filter(|(i, _)| dropping(*i)) {
        if let Some(missing) = data.missing() {
            gone.iter_mut().enumerate().for_each(|(r, gone)| *gone |= missing(r));
        }
    }
    if !gone.contains(&true) {
        return None;
    }
    Some((0..raw.len as u32).filter(|&i| !gone[i as usize]).collect())
}

/// Encodes every port.
pub(crate) fn encode(mut raw: Raw, job: Job<'_>, faults: &mut Faults) -> Option<Store> {
    let len = job.kept.as_ref().map_or(raw.len, Vec::len);
    check_size(&raw, &job, len, faults)?;
    let schema = &job.stats.schema;
    let has_targets =
        schema.columns.iter().zip(job.map).all(|(c, at)| c.role != Role::Target || at.is_some());
    let mut encoder = Encoder { job: &job, raw: &mut raw, len, faults };
    let mut side = |ports: &[Port], id: fn(usize) -> PortId| -> Vec<Option<Values>> {
        let each = ports.iter().enumerate();
        each.map(|(i, port)| encoder.port(port, id(i))).collect()
    };
    let inputs = side(&schema.inputs, PortId::Input);
    let targets = if has_targets { side(&schema.targets, PortId::Target) } else { Vec::new() };
    let weights = encoder.weights();
    if !faults.is_empty() {
        return None;
    }
    let store = Store {
        inputs: inputs.into_iter().collect::<Option<_>>()?,
        targets: targets.into_iter().collect::<Option<_>>()?,
        weights,
        origin: job.kept,
        first: 0,
        len,
    };
    Some(match job.stats.window {
        Some(window) => store.windowed(window),
        None => store,
    })
}

/// Before the encoded rows are allocated beside the raw ones.
fn check_size(raw: &Raw, job: &Job<'_>, len: usize, faults: &mut Faults) -> Option<()> {
    let read: u64 = raw.columns.iter().map(Data::bytes).sum();
    let schema = &job.stats.schema;
    let scalar = schema.columns.iter().zip(&job.stats.columns).filter(|(_, s)| s.shape.is_empty());
    let row = scalar.fold(0u64, |n, (c, _)| n.saturating_add(c.width as u64));
    let need = (len as u64).saturating_mul(row).saturating_mul(8).saturating_add(read);
    if need <= job.limits.memory {
        return Some(());
    }
    let fault = too_big(&format!("{len} encoded rows of {row} numbers"), need, job.limits);
    faults.push(fault.at(job.handle).help("drop a column, or give a text of many values `category`"));
    None
}

struct Encoder<'a, 'j> {
    job: &'a Job<'j>,
    raw: &'a mut Raw,
    len: usize,
    faults: &'a mut Faults,
}

impl<'a> Encoder<'a, '_> {
    fn port(&mut self, port: &Port, id: PortId) -> Option<Values> {
        let stats = self.job.stats;
        let columns = stats.schema.columns.iter().zip(&stats.columns).zip(self.job.map);
        let members: Vec<(&Column, &ColumnStats, usize)> = columns
            .filter(|((c, _), _)| port_of(c) == Some(id))
            .filter_map(|((c, s), at)| Some((c, s, (*at)?)))
            .collect();
        let &(_, first, at) = members.first()?;
        match first.kind {
            ColumnKind::Tensor => self.tensor(first, at),
            ColumnKind::Characters | ColumnKind::Bytes => self.windows(first, at),
            ColumnKind::Category if port.classes.is_some() => {
                let data = self.classes(first, at)?;
                Some(Values::rows(1, Cells::Classes(data)))
            }
            _ => {
                let width = members.iter().map(|(c, ..)| c.offset.saturating_add(c.width)).max()?;
                self.joined(width, &members)
            }
        }
    }

    fn joined(&mut self, width: usize, members: &[(&Column, &ColumnStats, usize)]) -> Option<Values> {
        let mut data = vec![0.0; self.len.checked_mul(width)?];
        for &(column, stats, at) in members {
            let end = column.offset.checked_add(column.width)?;
            if end > width || column.width == 0 {
                return self.damaged(stats);
            }
            let slots = data.iter_mut().skip(column.offset).step_by(width);
            if stats.kind == ColumnKind::Category {
                for (row, code) in self.classes(stats, at)?.into_iter().enumerate() {
                    let slot = row * width + column.offset;
                    match code {
                        NONE => {}
                        code if (code as usize) < column.width => data[slot + code as usize] = 1.0,
                        _ => return self.damaged(stats),
                    }
                }
            } else {
                let values = self.numbers(stats, at)?;
                slots.zip(values).for_each(|(slot, x)| *slot = x);
            }
            if stats.indicator {
                let missing = self.missing(at);
                let slots = data.iter_mut().skip(end - 1).step_by(width);
                slots.zip(missing).for_each(|(slot, m)| *slot = f64::from(u8::from(m)));
            }
        }
        Some(Values::rows(width, Cells::F64(data)))
    }

    fn damaged<T>(&mut self, stats: &ColumnStats) -> Option<T> {
        let message = format!("the statistics of `{}` in the model are damaged", stats.name);
        self.faults.push(Fault::new(codes::DAMAGED, message));
        None
    }

    /// Rows of the raw table, those left out passed over.
    fn rows(&self) -> impl Iterator<Item = usize> + use<'a> {
        let kept = self.job.kept.as_deref();
        (0..self.len).map(move |i| kept.map_or(i, |k| k[i] as usize))
    }

    fn missing(&self, at: usize) -> Vec<bool> {
        match self.raw.columns.get(at).and_then(Data::missing) {
            Some(missing) => self.rows().map(missing).collect(),
            None => vec![false; self.len],
        }
    }

    fn numbers(&mut self, stats: &ColumnStats, at: usize) -> Option<Vec<f64>> {
        let rows = self.rows();
        let values: Cow<'_, [f64]> = match (self.raw.columns.get(at), &stats.date) {
            (Some(Data::Numbers(values)), None) => values.into(),
            (Some(Data::Dates(values)), Some(date)) => values.iter().map(|d| d.part(date.part)).collect(),
            _ => return self.other_kind(stats, at),
        };
        let fill = match stats.fill {
            Fill::Number(x) => x,
            _ => f64::NAN,
        };
        let mut out = Vec::with_capacity(self.len);
        let (mut missing, mut bad) = (Vec::new(), Vec::new());
        for row in rows {
            let x = if values[row].is_nan() { fill } else { values[row] };
            let y = stats.steps.iter().fold(x, |x, s| s.apply(x));
            if x.is_nan() {
                missing.push(row);
            } else if !y.is_finite() {
                bad.push(row);
            }
            out.push(y);
        }
        if let Some(&row) = bad.first() {
            let x = values[row];
            let message = format!("`{}` is {x} here, which its scaling makes no number of", stats.name);
            let fault = self.raw.places.locate(Fault::new(codes::ENCODING, message), row, at, &stats.name);
            self.faults.extend([Fault { more: bad.len() - 1, ..fault }]);
        }
        self.no_rule(stats, at, &missing);
        Some(out)
    }

    /// One fault for all missing cells of a column.
    fn no_rule(&mut self, stats: &ColumnStats, at: usize, rows: &[usize]) {
        let Some(&first) = rows.first() else { return };
        let n = rows.len();
        let cells = if n == 1 { "1 missing cell".to_string() } else { format!("{n} missing cells") };
        let message = format!("`{}` has {cells}, and no rule says what stands in", stats.name);
        let name = &stats.name;
        let help = match (stats.role, stats.kind) {
            (Role::Target, _) => format!("target {name} missing=drop"),
            (_, ColumnKind::Category) => format!("input {name} one_hot missing=mode   or   missing=drop"),
            _ => format!("input {name} missing=mean   or   missing=drop"),
        };
        let fault = Fault::new(codes::MISSING, message)
            .label(if n == 1 { "missing" } else { "the first is here" })
            .help(help);
        self.faults.push(self.raw.places.locate(fault, first, at, name));
    }

    /// Class numbers by the vocabulary of the statistics.
    fn classes(&mut self, stats: &ColumnStats, at: usize) -> Option<Vec<u32>> {
        let rows = self.rows();
        let Some(Data::Text { codes: cells, vocabulary }) = self.raw.columns.get(at) else {
            return self.other_kind(stats, at);
        };
        let table = translate(vocabulary, &stats.vocabulary);
        let bucket = (stats.vocabulary.len() as u32).checked_sub(1).filter(|_| stats.bucket);
        let fill = match stats.fill {
            Fill::Category(k) => Some(k),
            _ => None,
        };
        let mut out = Vec::with_capacity(self.len);
        let (mut missing, mut unknown) = (Vec::new(), Vec::new());
        for row in rows {
            let code = match cells[row] {
                NONE => fill.unwrap_or_else(|| {
                    missing.push(row);
                    NONE
                }),
                code => table[code as usize].or(bucket).unwrap_or_else(|| {
                    unknown.push((row, code));
                    0
                }),
            };
            out.push(code);
        }
        for &(row, code) in &unknown {
            self.faults.push_with(codes::UNKNOWN_CATEGORY, || {
                let fault = unknown_category(stats, &vocabulary[code as usize]);
                self.raw.places.locate(fault, row, at, &stats.name)
            });
        }
        self.no_rule(stats, at, &missing);
        Some(out)
    }

    /// A column that was numbers in training is text now, or the reverse.
    fn other_kind<T>(&mut self, stats: &ColumnStats, at: usize) -> Option<T> {
        let was = match stats.kind {
            ColumnKind::Number => "numbers",
            ColumnKind::Category => "categories",
            ColumnKind::Date => "dates",
            ColumnKind::Tensor => "arrays",
            ColumnKind::Characters | ColumnKind::Bytes => "text",
        };
        let message = format!("`{}` was {was} in training, and is not here", stats.name);
        let path = self.raw.places.paths.first().cloned();
        let fault = Fault { path, ..Fault::new(codes::MISMATCH, message) };
        let place = Place { column: Some(at + 1), handle: self.job.handle, ..Place::default() };
        self.faults.push(fault.place(place));
        None
    }

    fn weights(&mut self) -> Option<Vec<f64>> {
        let stats = self.job.stats;
        let at = stats.columns.iter().position(|c| c.role == Role::Weight)?;
        let raw_at = self.job.map.get(at).copied().flatten()?;
        let column = &stats.columns[at];
        let weights = self.numbers(column, raw_at)?;
        let negative = weights.iter().zip(self.rows()).filter(|(w, _)| **w < 0.0);
        for (w, row) in negative {
            self.faults.push_with(codes::WEIGHT, || {
                let fault = Fault::new(codes::WEIGHT, format!("a row cannot count {w} times"));
                self.raw.places.locate(fault.expected("0 or more"), row, raw_at, &column.name)
            });
        }
        Some(weights)
    }

    fn tensor(&mut self, stats: &ColumnStats, at: usize) -> Option<Values> {
        let kept = self.job.kept.as_deref();
        let data = std::mem::replace(self.raw.columns.get_mut(at)?, Data::Skipped);
        let (shape, values) = match data {
            Data::Bytes { shape, data, unit: _ } => {
                let width = shape.iter().product();
                let mut means = Box::new([0.0; 256]);
                for (b, m) in means.iter_mut().enumerate() {
                    *m = stats.steps.iter().fold(b as f64, |x, s| s.apply(x));
                }
                (shape, Values::rows(width, Cells::Bytes(select(data, width, kept), means)))
            }
            Data::F32 { shape, mut data } => {
                let width = shape.iter().product();
                if !stats.steps.is_empty() {
                    data.iter_mut().for_each(|x| {
                        *x = stats.steps.iter().fold(f64::from(*x), |x, s| s.apply(x)) as f32;
                    });
                }
                (shape, Values::rows(width, Cells::F32(select(data, width, kept))))
            }
            Data::F64 { shape, mut data } => {
                let width = shape.iter().product();
                data.iter_mut().for_each(|x| *x = stats.steps.iter().fold(*x, |x, s| s.apply(x)));
                (shape, Values::rows(width, Cells::F64(select(data, width, kept))))
            }
            _ => return self.other_kind(stats, at),
        };
        if shape != stats.shape {
            let show = |s: &[usize]| s.iter().map(ToString::to_string).collect::<Vec<_>>().join("x");
            let (was, is) = (show(&stats.shape), show(&shape));
            let message = format!("`{}` was {was} in training, and is {is} here", stats.name);
            self.faults.push(Fault::new(codes::MISMATCH, message).at(self.job.handle));
            return None;
        }
        Some(values)
    }

    fn windows(&mut self, stats: &ColumnStats, at: usize) -> Option<Values> {
        let data = std::mem::replace(self.raw.columns.get_mut(at)?, Data::Skipped);
        let Data::Windows(w) = data else { return self.other_kind(stats, at) };
        let table = translate(&w.names, &stats.vocabulary);
        let same = table.iter().enumerate().all(|(i, t)| *t == Some(i as u32));
        let data = if same {
            w.data
        } else {
            let mut codes = Vec::with_capacity(w.data.len());
            for (i, &c) in w.data.iter().enumerate() {
                let Some(code) = table.get(usize::from(c)).copied().flatten() else {
                    let name = &w.names[usize::from(c)];
                    let fault = unknown_category(stats, name).label(format!("character {}", i + 1));
                    self.faults.push(fault);
                    return None;
                };
                codes.push(code as u16);
            }
            std::sync::Arc::new(codes)
        };
        Some(Values { width: w.width, step: w.stride, start: w.start, cells: Cells::Codes(data) })
    }
}

/// Keeps the rows that are kept.
fn select<T: Copy>(data: Vec<T>, width: usize, kept: Option<&[u32]>) -> Vec<T> {
    let Some(kept) = kept else { return data };
    let rows = kept.iter().map(|&r| r as usize * width);
    rows.flat_map(|row| data[row..row + width].iter().copied()).collect()
}

fn unknown_category(stats: &ColumnStats, name: &str) -> Fault {
    let message = format!("training never saw `{name}` in `{}`", stats.name);
    let place = Place { cell: Some(name.to_string()), ..Place::default() };
    let known: Vec<&str> = stats.vocabulary.iter().map(String::as_str).filter(|n| *n != OTHER).collect();
    let fault = Fault::new(codes::UNKNOWN_CATEGORY, message).place(place);
    let fault = match crate::input::similar(name, known.iter().copied()).first() {
        Some(best) => fault.label(format!("did you mean `{best}`?")),
        None => fault,
    };
    let mut list = known.iter().take(8).copied().collect::<Vec<_>>().join(" ");
    if known.len() > 8 {
        list.push_str(" …");
    }
    let fault = fault.expected(format!("one of {list}"));
    if stats.role == Role::Target {
        return fault;
    }
    fault.help(format!("train with `unknown=other` on the line of `{}`", stats.name))
}

/// Finds the columns of the statistics in a source's columns.
pub(crate) fn match_columns(
    stats: &Stats,
    heads: &[crate::raw::Head],
    source: &str,
    faults: &mut Faults,
) -> Vec<Option<usize>> {
    let by_role = heads.iter().any(|h| h.role.is_some());
    let by_name = stats.named && heads.iter().any(|h| !h.unnamed);
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
fn by_position(stats: &Stats, column: &ColumnStats, width: usize) -> Option<usize> {
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
