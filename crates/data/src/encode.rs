//! From raw columns to the values of ports, by statistics only: the same
//! code for training and for raw rows years later.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::Limits;
use crate::cache::Cache;
use crate::disk::{self, Writer};
use crate::fault::{Fault, Faults, Place, codes};
use crate::gaps::Gaps;
use crate::kept::{CHUNK, chunks};
use crate::layout::port_of;
use crate::packed::{Packed, Packing};
use crate::raw::{Codes, Data, NONE, Raw, Spilled, SpilledKind, translate};
use crate::schema::{Column, ColumnKind, Port, PortId};
use crate::spans::{self, Spans};
use crate::spec::{Handle, Role, Unit};
use crate::stats::{ColumnStats, Fill, Stats, Window};
use crate::table::Store;
use crate::tokens;
use crate::unknown;
use crate::values::{Cells, DiskCells, Values};

/// What the encoder is given beside the raw columns.
pub(crate) struct Job<'a> {
    pub(crate) stats: &'a Stats,
    /// For each column of the statistics its column in `raw`, or none where
    /// the file lacks it (then it is a target or a weight).
    pub(crate) map: &'a [Option<usize>],
    /// Rows of `raw` to keep, in this order; all where `None`.
    pub(crate) kept: Option<Vec<u32>>,
    /// Of windows that stay within series: where each ends, in kept rows.
    pub(crate) series: Option<Vec<u32>>,
    /// Whether a row that cannot be encoded is left without an answer, and is
    /// no fault.
    pub(crate) lenient: bool,
    /// Whether columns are inputs because no line says which are, so that a
    /// line for one of them needs another for the rest.
    pub(crate) rest: bool,
    pub(crate) limits: &'a Limits,
    pub(crate) handle: Option<Handle>,
}

/// Encodes every port.
pub(crate) fn encode(mut raw: Raw, job: Job<'_>, gaps: Gaps, faults: &mut Faults) -> Option<Store> {
    let len = job.kept.as_ref().map_or(raw.len, Vec::len);
    let source = raw.len;
    let to_disk = !fits(&raw, &job, len);
    let schema = &job.stats.schema;
    let has_targets =
        schema.columns.iter().zip(job.map).all(|(c, at)| c.role != Role::Target || at.is_some());
    let mut encoder = Encoder { job: &job, raw: &mut raw, len, to_disk, gaps, faults };
    let mut side = |ports: &[Port], id: fn(usize) -> PortId| -> Vec<Option<Values>> {
        let each = ports.iter().enumerate();
        each.map(|(i, port)| encoder.port(port, id(i))).collect()
    };
    let inputs = side(&schema.inputs, PortId::Input);
    let targets = if has_targets { side(&schema.targets, PortId::Target) } else { Vec::new() };
    let weights = encoder.weights();
    let gaps = encoder.gaps.finish(job.kept.as_deref());
    if !faults.is_empty() {
        return None;
    }
    let mut store = Store {
        run: None,
        whole: None,
        inputs: inputs.into_iter().collect::<Option<_>>()?,
        targets: targets.into_iter().collect::<Option<_>>()?,
        weights,
        origin: job.kept,
        first: 0,
        len,
        source,
        series: job.series,
        length: 1,
        steps: 1,
        gaps,
        notes: Vec::new(),
    };
    let store = match (job.stats.window, store.series.take()) {
        (Some(Window { length, whole: Some(whole), .. }), ends) => {
            let spans = Spans::of_ends(&ends.unwrap_or_default(), whole.limit);
            let ragged: Vec<bool> = schema.targets.iter().map(|p| p.ragged).collect();
            store.wholes(spans, length, &ragged)
        }
        (Some(window), series) => Store { series, ..store }.windowed(window),
        (None, series) => Store { series, ..store },
    };
    Some(store.with_run())
}

/// Whether the encoded rows fit into memory beside the raw ones; else they
/// are written to disk.
fn fits(raw: &Raw, job: &Job<'_>, len: usize) -> bool {
    let read: u64 = raw.columns.iter().map(Data::bytes).sum();
    let scalar = job.stats.columns.iter().filter(|s| s.shape.is_empty());
    let bytes = |s: &ColumnStats| match s.kind {
        ColumnKind::Category => 4,
        _ => 8 + 8 * u64::from(s.indicator),
    };
    let texts = job.stats.columns.iter().filter(|s| s.kind == ColumnKind::Tokens);
    let texts = texts.fold(0u64, |n, s| n.saturating_add(2 * s.width() as u64));
    let row = scalar.fold(texts, |n, s| n.saturating_add(bytes(s)));
    (len as u64).saturating_mul(row).saturating_add(read) <= job.limits.memory
}

/// Where the values of a port's columns go; `None` where the statistics
/// contradict themselves.
fn packing(members: &[Member<'_>]) -> Option<Packing> {
    let mut packing = Packing::default();
    for (column, stats, _) in members {
        let end = column.offset.checked_add(column.width)?;
        let values = column.width.checked_sub(usize::from(stats.indicator)).filter(|v| *v > 0)?;
        match stats.kind {
            ColumnKind::Category => packing.classes.push((column.offset, values)),
            _ => packing.numbers.push(column.offset),
        }
        if stats.indicator {
            packing.numbers.push(end - 1);
        }
        packing.slots = packing.slots.max(end);
    }
    Some(packing)
}

struct Encoder<'a, 'j> {
    job: &'a Job<'j>,
    raw: &'a mut Raw,
    len: usize,
    to_disk: bool,
    gaps: Gaps,
    faults: &'a mut Faults,
}

/// A column of a port: its slots, its statistics, its place in the source.
type Member<'a> = (&'a Column, &'a ColumnStats, usize);

impl<'a> Encoder<'a, '_> {
    fn port(&mut self, port: &Port, id: PortId) -> Option<Values> {
        let stats = self.job.stats;
        let columns = stats.schema.columns.iter().zip(&stats.columns).zip(self.job.map);
        let members: Vec<Member<'_>> = columns
            .filter(|((c, _), _)| port_of(c) == Some(id))
            .filter_map(|((c, s), at)| Some((c, s, (*at)?)))
            .collect();
        let &(_, first, at) = members.first()?;
        match first.kind {
            ColumnKind::Tensor => self.tensor(first, at),
            ColumnKind::Characters | ColumnKind::Bytes => self.windows(first, at),
            ColumnKind::Tokens => {
                let width = first.shape.iter().product();
                if self.on_disk(&members) {
                    return self.written(width, DiskCells::Classes, |this, rows| {
                        Some(this.tokens(first, at, rows)?.into_iter().map(u32::from).collect())
                    });
                }
                let codes = self.tokens(first, at, 0..self.len)?;
                Some(Values::rows(width, Cells::Codes(Arc::new(codes))))
            }
            ColumnKind::Category if port.classes.is_some() => {
                if self.on_disk(&members) {
                    return self.written(1, DiskCells::Classes, |this, rows| this.classes(first, at, rows));
                }
                let codes = self.classes(first, at, 0..self.len)?;
                Some(Values::rows(1, Cells::Classes(codes)))
            }
            _ => self.joined(&members),
        }
    }

    /// Numbers and one-hot categories side by side.
    fn joined(&mut self, members: &[Member<'_>]) -> Option<Values> {
        let Some(packing) = packing(members) else { return self.damaged(members.first()?.1) };
        let slots = packing.slots;
        if !self.on_disk(members) {
            let packed = self.pack(&packing, members, 0..self.len)?;
            let cells = match packing.is_plain() {
                true => Cells::F64(packed.numbers),
                false => Cells::Packed(packing, packed),
            };
            return Some(Values::rows(slots, cells));
        }
        let cells = DiskCells::Packed(packing.clone());
        self.written(slots, cells, |this, rows| {
            let packed = this.pack(&packing, members, rows.clone())?;
            Some(packing.to_disk(&packed, rows.len()).collect())
        })
    }

    fn on_disk(&self, members: &[Member<'_>]) -> bool {
        let spilled = |at: usize| self.raw.columns.get(at).is_some_and(Data::is_spilled);
        self.to_disk || members.iter().any(|&(_, _, at)| spilled(at))
    }

    /// A port that is written to disk, some rows at a time.
    fn written(
        &mut self,
        width: usize,
        cells: DiskCells,
        part: impl Fn(&mut Self, Range<usize>) -> Option<Vec<u32>>,
    ) -> Option<Values> {
        let mut writer = Writer::new().map_err(|e| self.faults.push(*disk::fault(&e))).ok()?;
        // Of long rows fewer are in memory at once.
        let step = (CHUNK / width.max(1)).clamp(256, CHUNK);
        for begin in (0..self.len).step_by(step) {
            let rows = begin..(begin + step).min(self.len);
            let values = part(self, rows)?;
            writer.put(values).map_err(|e| self.faults.push(*disk::fault(&e))).ok()?;
            if !self.faults.is_empty() {
                return None; // the first rows show what is wrong
            }
        }
        let file = writer.finish().map_err(|e| self.faults.push(*disk::fault(&e))).ok()?;
        Some(Values::rows(width, Cells::Disk(Arc::new(file), cells, Cache::default())))
    }

    /// Some rows of several columns.
    fn pack(&mut self, packing: &Packing, members: &[Member<'_>], rows: Range<usize>) -> Option<Packed> {
        let (n, c) = (packing.numbers.len(), packing.classes.len());
        let mut packed = Packed {
            numbers: vec![0.0; rows.len().checked_mul(n)?],
            classes: vec![NONE; rows.len().checked_mul(c)?],
        };
        let (mut number, mut class) = (0, 0);
        for &(_, stats, at) in members {
            if stats.kind == ColumnKind::Category {
                let codes = self.classes(stats, at, rows.clone())?;
                packed.classes.iter_mut().skip(class).step_by(c).zip(codes).for_each(|(to, x)| *to = x);
                class += 1;
            } else {
                let values = self.numbers(stats, at, rows.clone())?;
                packed.numbers.iter_mut().skip(number).step_by(n).zip(values).for_each(|(to, x)| *to = x);
                number += 1;
            }
            if stats.indicator {
                let missing = self.missing(at, rows.clone())?;
                let slots = packed.numbers.iter_mut().skip(number).step_by(n);
                slots.zip(missing).for_each(|(to, m)| *to = f64::from(u8::from(m)));
                number += 1;
            }
        }
        Some(packed)
    }

    fn damaged<T>(&mut self, stats: &ColumnStats) -> Option<T> {
        let message = format!("the statistics of `{}` in the model are damaged", stats.name);
        self.faults.push(Fault::new(codes::DAMAGED, message));
        None
    }

    /// The rows of the raw table behind some encoded rows.
    fn rows(&self, rows: Range<usize>) -> impl Iterator<Item = usize> + Clone + use<'a> {
        let kept = self.job.kept.as_deref();
        rows.map(move |i| kept.map_or(i, |k| k[i] as usize))
    }

    /// The values behind some encoded rows, and the raw row they begin at.
    fn part(&mut self, at: usize, rows: Range<usize>) -> Option<(usize, Cow<'_, Data>)> {
        let (first, last) = (self.rows(rows.clone()).min()?, self.rows(rows).max()?);
        match self.raw.columns.get(at)?.part(first..last + 1) {
            Ok(part) => Some(part),
            Err(fault) => {
                self.faults.push(*fault);
                None
            }
        }
    }

    fn missing(&mut self, at: usize, rows: Range<usize>) -> Option<Vec<bool>> {
        let raw = self.rows(rows.clone());
        let (base, data) = self.part(at, rows.clone())?;
        Some(match data.missing() {
            Some(missing) => raw.map(|r| missing(r - base)).collect(),
            None => vec![false; rows.len()],
        })
    }

    fn numbers(&mut self, stats: &ColumnStats, at: usize, rows: Range<usize>) -> Option<Vec<f64>> {
        let raw = self.rows(rows.clone());
        let fill = match stats.fill {
            Fill::Number(x) => x,
            _ => f64::NAN,
        };
        let lenient = self.job.lenient;
        let mut out = Vec::with_capacity(rows.len());
        let (mut missing, mut bad) = (Vec::new(), Vec::new());
        let (base, data) = self.part(at, rows)?;
        let values: Cow<'_, [f64]> = match (data.as_ref(), &stats.date) {
            (Data::Numbers(values), None) => values.into(),
            (Data::Dates(values), Some(date)) => values.iter().map(|d| d.part(date.part)).collect(),
            _ => {
                drop(data);
                return self.other_kind(stats, at);
            }
        };
        for row in raw {
            let value = values[row - base];
            let x = if value.is_nan() { fill } else { value };
            let y = stats.steps.iter().fold(x, |x, s| s.apply(x));
            if x.is_nan() {
                missing.push(row);
            } else if !y.is_finite() {
                bad.push((row, x));
            }
            out.push(if y.is_finite() || !lenient { y } else { 0.0 });
        }
        drop(values);
        drop(data);
        let unscaled = |x: f64, of: &Raw, row: usize| {
            let message = format!("`{}` is {x} here, which its scaling makes no number of", stats.name);
            of.places.locate(Fault::new(codes::ENCODING, message), row, at, &stats.name)
        };
        if lenient {
            bad.iter().for_each(|&(row, x)| self.gaps.mark(row, || unscaled(x, self.raw, row)));
        } else if let Some(&(row, x)) = bad.first() {
            let fault = unscaled(x, self.raw, row);
            self.faults.extend([Fault { more: bad.len() - 1, ..fault }]);
        }
        self.no_rule(stats, at, &missing);
        Some(out)
    }

    /// One fault for all missing cells of a column.
    fn no_rule(&mut self, stats: &ColumnStats, at: usize, rows: &[usize]) {
        if self.job.lenient {
            for &row in rows {
                self.gaps.mark(row, || {
                    let fault = Fault::new(codes::MISSING, format!("`{}` is missing", stats.name));
                    self.raw.places.locate(fault, row, at, &stats.name)
                });
            }
            return;
        }
        let Some(&first) = rows.first() else { return };
        let n = rows.len();
        let cells = if n == 1 { "1 missing cell".to_string() } else { format!("{n} missing cells") };
        let message = format!("`{}` has {cells}, and no rule says what stands in", stats.name);
        let name = &stats.name;
        let help = match (stats.role, stats.kind) {
            (Role::Target, _) => format!("target {name} missing=drop"),
            (_, ColumnKind::Tokens) => {
                let unit = stats.unit.map_or("words", Unit::name);
                format!("input {name} {unit} missing=\"\"   or   missing=drop")
            }
            (_, ColumnKind::Category) => format!("input {name} one_hot missing=mode   or   missing=drop"),
            _ => format!("input {name} missing=mean   or   missing=drop"),
        };
        let help = match self.job.rest && stats.role == Role::Input {
            true => format!("{help}\ninput rest   for the other columns"),
            false => help,
        };
        let fault = Fault::new(codes::MISSING, message)
            .label(if n == 1 { "missing" } else { "the first is here" })
            .help(help);
        self.faults.push(self.raw.places.locate(fault, first, at, name));
    }

    /// Class numbers by the vocabulary of the statistics.
    fn classes(&mut self, stats: &ColumnStats, at: usize, rows: Range<usize>) -> Option<Vec<u32>> {
        let raw = self.rows(rows.clone());
        let bucket = (stats.vocabulary.len() as u32).checked_sub(1).filter(|_| stats.bucket);
        let fill = match stats.fill {
            Fill::Category(k) => Some(k),
            _ => None,
        };
        let lenient = self.job.lenient;
        let mut out = Vec::with_capacity(rows.len());
        let (mut missing, mut unknown) = (Vec::new(), Vec::new());
        let (base, data) = self.part(at, rows)?;
        let Data::Text { codes: cells, vocabulary } = data.as_ref() else {
            drop(data);
            return self.other_kind(stats, at);
        };
        let table = translate(vocabulary, &stats.vocabulary);
        for row in raw {
            let code = match cells[row - base] {
                NONE => fill.unwrap_or_else(|| {
                    missing.push(row);
                    if lenient { 0 } else { NONE }
                }),
                code => table[code as usize].or(bucket).unwrap_or_else(|| {
                    unknown.push((row, code));
                    0
                }),
            };
            out.push(code);
        }
        let vocabulary = Arc::clone(vocabulary);
        drop(data);
        for &(row, code) in &unknown {
            let why = || {
                let fault = unknown::category(stats, &vocabulary[code as usize]);
                self.raw.places.locate(fault, row, at, &stats.name)
            };
            match lenient {
                true => self.gaps.mark(row, why),
                false => self.faults.push_with(codes::UNKNOWN_CATEGORY, why),
            }
        }
        self.no_rule(stats, at, &missing);
        Some(out)
    }

    /// Texts cut into classes.
    fn tokens(&mut self, stats: &ColumnStats, at: usize, rows: Range<usize>) -> Option<Vec<u16>> {
        let raw = self.rows(rows.clone());
        let Some(classes) = tokens::Classes::new(stats) else { return self.damaged(stats) };
        let Some(size) = classes.length().checked_mul(rows.len()) else { return self.damaged(stats) };
        let empty = stats.fill == Fill::Category(0);
        let mut out = Vec::with_capacity(size);
        let mut missing = Vec::new();
        let (base, data) = self.part(at, rows)?;
        let Data::Text { codes: cells, vocabulary } = data.as_ref() else {
            drop(data);
            return self.other_kind(stats, at);
        };
        for row in raw {
            match cells[row - base] {
                NONE => {
                    classes.push("", &mut out);
                    if !empty {
                        missing.push(row);
                    }
                }
                code => classes.push(&vocabulary[code as usize], &mut out),
            }
        }
        drop(data);
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
            ColumnKind::Characters | ColumnKind::Bytes | ColumnKind::Tokens => "text",
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
        let mut weights = Vec::with_capacity(self.len);
        let spilled = self.raw.columns.get(raw_at).is_some_and(Data::is_spilled);
        for rows in chunks(self.len, spilled) {
            weights.extend(self.numbers(column, raw_at, rows)?);
        }
        let negative = weights.iter().zip(self.rows(0..self.len)).filter(|(w, _)| **w < 0.0);
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
        let steps = &stats.steps;
        let encode = |x: f64| steps.iter().fold(x, |x, s| s.apply(x));
        let means = || {
            let mut means = Box::new([0.0; 256]);
            means.iter_mut().enumerate().for_each(|(b, m)| *m = encode(b as f64));
            means
        };
        self.known_classes(stats, at)?;
        let data = std::mem::replace(self.raw.columns.get_mut(at)?, Data::Skipped);
        let (shape, cells) = match data {
            Data::Bytes { shape, data, .. } => {
                let data = select(data, &shape, kept);
                (shape, Cells::Bytes(data, means()))
            }
            Data::F32 { shape, mut data } => {
                if !steps.is_empty() {
                    data.iter_mut().for_each(|x| *x = encode(f64::from(*x)) as f32);
                }
                let data = select(data, &shape, kept);
                (shape, Cells::F32(data))
            }
            Data::F64 { shape, mut data } => {
                data.iter_mut().for_each(|x| *x = encode(*x));
                let data = select(data, &shape, kept);
                (shape, Cells::F64(data))
            }
            // Sources with arrays have no rows to leave out.
            Data::Spilled(Spilled { file, of }) => match of {
                SpilledKind::Bytes { shape, .. } => {
                    (shape, Cells::Disk(file, DiskCells::Bytes(means()), Cache::default()))
                }
                SpilledKind::F32 { shape } => {
                    (shape, Cells::Disk(file, DiskCells::F32(steps.clone()), Cache::default()))
                }
                SpilledKind::F64 { shape } => {
                    (shape, Cells::Disk(file, DiskCells::F64(steps.clone()), Cache::default()))
                }
                SpilledKind::Numbers | SpilledKind::Text { .. } => return self.other_kind(stats, at),
            },
            _ => return self.other_kind(stats, at),
        };
        if shape != stats.shape {
            let (was, is) = (nnc_syntax::units::sizes(&stats.shape), nnc_syntax::units::sizes(&shape));
            let message = format!("`{}` was {was} in training, and is {is} here", stats.name);
            self.faults.push(Fault::new(codes::MISMATCH, message).at(self.job.handle));
            return None;
        }
        Some(Values::rows(shape.iter().product(), cells))
    }

    /// That an array of classes has no class that training did not have.
    fn known_classes(&mut self, stats: &ColumnStats, at: usize) -> Option<()> {
        if stats.vocabulary.is_empty() {
            return Some(());
        }
        let rows: Vec<u32> = (0..self.raw.len as u32).collect();
        let most = stats.vocabulary.len() as f64;
        let found = {
            let (shape, mut values) = crate::fit_array::numbers(self.raw.columns.get(at)?, &rows)?;
            let width = shape.iter().product::<usize>().max(1);
            values.position(|x| !(x >= 0.0 && x < most && x.fract() == 0.0)).map(|i| i / width)
        };
        let Some(row) = found else { return Some(()) };
        let bad = {
            let row = [row as u32];
            let (_, mut values) = crate::fit_array::numbers(self.raw.columns.get(at)?, &row)?;
            values.find(|x| !(*x >= 0.0 && *x < most && x.fract() == 0.0)).unwrap_or(f64::NAN)
        };
        let fault = unknown::category(stats, &bad.to_string());
        self.faults.push(self.raw.places.locate(fault, row, at, &stats.name));
        None
    }

    fn windows(&mut self, stats: &ColumnStats, at: usize) -> Option<Values> {
        let data = std::mem::replace(self.raw.columns.get_mut(at)?, Data::Skipped);
        let Data::Windows(w) = data else { return self.other_kind(stats, at) };
        let table = translate(&w.names, &stats.vocabulary);
        let mut codes = Vec::with_capacity(table.len());
        for (name, code) in w.names.iter().zip(&table) {
            let Some(code) = code else {
                self.faults.push(unknown::category(stats, name));
                continue;
            };
            codes.push(*code as u16);
        }
        if codes.len() < table.len() {
            return None;
        }
        let same = codes.iter().zip(0..).all(|(a, b)| *a == b);
        let map = |code: u16| codes.get(usize::from(code)).copied().unwrap_or(code);
        let cells = match w.data {
            Codes::Memory(data) if same => Cells::Codes(data),
            Codes::Memory(data) => Cells::Codes(Arc::new(data.iter().map(|&c| map(c)).collect())),
            Codes::Disk(file, order) => {
                let order = order.iter().map(|&c| map(c)).collect();
                Cells::Disk(file, DiskCells::Codes(Arc::new(order)), Cache::default())
            }
        };
        Some(Values { width: w.width, step: w.stride, start: w.start, rows: spans::Rows::Own, cells })
    }
}

/// Keeps the rows that are kept.
fn select<T: Copy>(data: Vec<T>, shape: &[usize], kept: Option<&[u32]>) -> Vec<T> {
    let Some(kept) = kept else { return data };
    let width: usize = shape.iter().product();
    let rows = kept.iter().map(|&r| r as usize * width);
    rows.flat_map(|row| data[row..row + width].iter().copied()).collect()
}
