//! The way through: read, share out, take statistics, encode.

use std::sync::Arc;

use crate::columns::match_columns;
use crate::dates::{self, Date, DatePart, Order};
use crate::encode::{self, Job};
use crate::fault::{Fault, Faults, codes};
use crate::fit;
use crate::gaps::Gaps;
use crate::kept::Kept;
use crate::layout;
use crate::looks;
use crate::raw::{Data, NONE, Raw, Want};
use crate::roles::{self, Use};
use crate::samples::{self, Samples};
use crate::schema::{ColumnKind, Schema};
use crate::series::{self, Series};
use crate::source::{self, Source, rows};
use crate::spec::{
    Columns, CsvSpec, DataSpec, GeneratorKind, Handle, Missing, Role, RowsSpec, SourceSpec, TextSpec,
};
use crate::split::{self, Parts};
use crate::stats::{Fill, STATS_VERSION, SeriesColumn, Stats};
use crate::table::{Rows, Store, Table};
use crate::unlike;
use crate::warn;
use crate::wholes;
use crate::{Dataset, Limits};

/// A source that is read and whose statistics are taken, before it is encoded.
pub(crate) struct Prepared {
    pub(crate) name: String,
    /// How it is read, for people.
    pub(crate) reading: Vec<String>,
    pub(crate) raw: Raw,
    /// The rows that are encoded, in this order; all of them where `None`.
    pub(crate) kept: Option<Vec<u32>>,
    /// Where series end, in encoded rows.
    pub(crate) series: Option<Vec<u32>>,
    pub(crate) parts: Parts,
    /// Rows of `raw` the training part is made of.
    pub(crate) train: Vec<u32>,
    pub(crate) stats: Stats,
    /// Names of columns that are not read.
    pub(crate) dropped: Vec<String>,
    /// What is said about rows that are not encoded.
    pub(crate) left_out: Option<Fault>,
    pub(crate) notes: Vec<Fault>,
}

/// See [`crate::open_with`].
pub(crate) fn open(spec: &DataSpec, limits: &Limits) -> Result<Dataset, Vec<Fault>> {
    let mut faults = Faults::new();
    match prepare(spec, limits, &mut faults) {
        Some(prepared) => finish(prepared, spec, limits, faults),
        None => Err(faults.into_vec()),
    }
}

/// As far as the statistics. Faults of single columns do not end it, so that
/// the encoder can find more of them.
pub(crate) fn prepare(spec: &DataSpec, limits: &Limits, faults: &mut Faults) -> Option<Prepared> {
    check(spec, faults);
    let source =
        source::open(&named_generator(spec), limits, None).map_err(|more| faults.extend(more)).ok()?;
    let name = source.name().to_string();
    let named = source.heads().iter().any(|h| !h.unnamed);
    let (mut reading, form) = (source.reading(), source.form());
    let window = samples::window(&spec.train, faults);
    let width = source.heads().len();
    let by = series::columns(spec, source.heads(), &name, faults);
    let roles = series::roles(spec, &by);
    let keys: Vec<usize> = by.iter().map(|c| c.position).collect();
    let windowed = window.is_some_and(|w| w.whole.is_none());
    let mut uses = roles::resolve(source.heads(), &name, &roles, windowed, &keys, faults);
    roles::declared(&mut uses, source.heads());
    let window = samples::towards(window, &uses, spec, faults);
    samples::no_gaps(&uses, window, faults);
    wholes::check(spec, &by, &uses, faults);
    if !faults.is_empty() {
        return None;
    }
    let raw = read(source, &mut uses, spec, &by, faults)?;
    let drops = |i| uses.iter().any(|u| u.position == i && u.missing == Some(Missing::Drop));
    let kept = Kept::of(&raw, drops).map_err(|f| faults.push(*f)).ok()?;
    let name_of = |i: usize| uses.iter().find(|u| u.position == i).map_or("", |u| u.name.as_str());
    let left_out = kept.note(&raw, name_of, spec.train.handle());
    let places = by.iter().map(|c| c.position);
    let series = Series::find(&raw, places).map_err(|f| faults.push(*f)).ok()?;
    let rows = Samples::new(raw.len, kept.rows, window, series);
    rows.nonempty(&name, spec, faults)?;
    wholes::constant(&raw, &uses, &rows, faults);
    let window = wholes::fitted(window, &rows);
    let rows = Samples { window, ..rows };
    reading.extend(wholes::reading(&rows, &by));
    let parts = samples::share(&raw, &uses, &rows, spec, faults)?;
    let train = rows.covered(&parts.train);
    let first = wholes::first(&rows, &parts.train);
    let columns = fit::fit(&raw, &uses, &train, first.as_deref(), faults);
    let schema = layout::schema(&columns, &uses, &name, window, faults);
    let rows_of_train = parts.train.len() as u64;
    let version = STATS_VERSION;
    let stats = Stats { version, rows: rows_of_train, width, named, window, by, form, schema, columns };
    let notes = if faults.is_empty() {
        let mut notes = raw.notes.clone();
        notes.extend(looks::notes(&raw, &uses, &stats, spec));
        notes.extend(warn::notes(&raw, &uses, &train, &stats, spec));
        notes.extend(wholes::cut(&rows, window, spec));
        notes.extend(left_out.clone());
        notes
    } else {
        Vec::new()
    };
    let keys = |u: &Use| stats.by.iter().any(|c| c.position == u.position);
    let dropped = uses.iter().filter(|u| u.role == Role::Drop && !keys(u)).map(|u| u.name.clone()).collect();
    let Samples { kept, series, .. } = rows;
    Some(Prepared { name, reading, raw, kept, series, parts, train, stats, dropped, left_out, notes })
}

/// See [`crate::sketch`].
pub(crate) fn sketch(spec: &DataSpec, limits: &Limits) -> Option<Schema> {
    if let SourceSpec::Csv(CsvSpec { path, .. }) | SourceSpec::Text(TextSpec { path, .. }) = &spec.train
        && path == "-"
    {
        return None; // it is read already
    }
    let mut train = named_generator(spec);
    if let SourceSpec::Rows(written) = &mut train {
        *written = rows::whole(written);
    }
    let mut ignored = Faults::new();
    let source = source::open(&train, limits, None).ok()?;
    let name = source.name().to_string();
    let window = samples::window(&train, &mut ignored);
    let by = series::columns(spec, source.heads(), &name, &mut ignored);
    let roles = series::roles(spec, &by);
    let keys: Vec<usize> = by.iter().map(|c| c.position).collect();
    let windowed = window.is_some_and(|w| w.whole.is_none());
    let mut uses = roles::resolve(source.heads(), &name, &roles, windowed, &keys, &mut ignored);
    roles::declared(&mut uses, source.heads());
    let window = samples::towards(window, &uses, spec, &mut ignored);
    let mut wants = roles::wants(&uses, source.heads().len(), &mut ignored);
    with_keys(&mut wants, &by);
    if !ignored.is_empty() || wants.contains(&Want::Date) {
        return None;
    }
    let raw = source.read(&wants, &mut ignored)?;
    // Where a cell could not be kept, its column is of no use.
    if raw.len == 0 || !raw.columns.iter().all(|c| c.rows().is_none_or(|n| n == raw.len)) {
        return None;
    }
    for used in &mut uses {
        used.missing = None;
    }
    let all: Vec<u32> = (0..u32::try_from(raw.len).ok()?).collect();
    let mut ignored = Faults::new();
    let series = Series::find(&raw, by.iter().map(|c| c.position)).ok()?;
    let window = wholes::fitted(window, &Samples::new(raw.len, None, window, series));
    let columns = fit::fit(&raw, &uses, &all, None, &mut ignored);
    let schema = layout::schema(&columns, &uses, &name, window, &mut ignored);
    ignored.is_empty().then_some(schema)
}

/// Encodes what is prepared.
pub(crate) fn finish(
    prepared: Prepared,
    spec: &DataSpec,
    limits: &Limits,
    mut faults: Faults,
) -> Result<Dataset, Vec<Fault>> {
    let Prepared { raw, kept, series, parts, stats, mut notes, dropped, left_out, .. } = prepared;
    let map: Vec<Option<usize>> = stats.columns.iter().map(|c| Some(c.position)).collect();
    let handle = spec.train.handle();
    let rest = !spec.roles.iter().any(|r| r.role == Role::Input);
    let job = Job { stats: &stats, map: &map, kept, series, lenient: false, rest, limits, handle };
    let store = encode::encode(raw, job, Gaps::default(), &mut faults);
    let store = store.map(|store| Store { notes: left_out.into_iter().collect(), ..store });
    let valid = other(spec.valid.as_ref(), &stats, limits, &mut faults);
    let test = other(spec.test.as_ref(), &stats, limits, &mut faults);
    notes.extend(valid.iter().chain(&test).flat_map(|table| table.notes().iter().cloned()));
    match store.filter(|_| faults.is_empty()) {
        Some(store) => Ok(Dataset { dropped, ..assemble(store, parts, stats, valid, test, notes) }),
        None => Err(faults.into_vec()),
    }
}

/// See [`crate::encode_with`].
pub(crate) fn encode(stats: &Stats, spec: &SourceSpec, limits: &Limits) -> Result<Table, Vec<Fault>> {
    encode_part(stats, spec, limits, false)
}

/// See [`crate::encode_with`]; where `lenient`, [`crate::encode_inputs`].
pub(crate) fn encode_part(
    stats: &Stats,
    spec: &SourceSpec,
    limits: &Limits,
    lenient: bool,
) -> Result<Table, Vec<Fault>> {
    let source = source::open(&whole_rows(spec, stats), limits, Some(stats))?;
    encode_opened(stats, source, spec.handle(), limits, lenient)
}

/// See [`crate::encode_given`].
pub(crate) fn encode_opened(
    stats: &Stats,
    source: Box<dyn Source + '_>,
    handle: Option<Handle>,
    limits: &Limits,
    lenient: bool,
) -> Result<Table, Vec<Fault>> {
    let mut faults = Faults::new();
    let name = source.name().to_string();
    let mut map = match_columns(stats, source.heads(), &name, &mut faults);
    let by = series::again(stats, source.heads(), &name, &mut faults);
    for (column, at) in stats.columns.iter().zip(&mut map) {
        if lenient && column.role != Role::Input {
            *at = None;
        }
    }
    if !faults.is_empty() {
        return Err(faults.into_vec());
    }
    let mut wants = vec![Want::Skip; source.heads().len()];
    for (column, at) in stats.columns.iter().zip(&map) {
        if let Some(want) = at.and_then(|i| wants.get_mut(i)) {
            *want = match column.kind {
                ColumnKind::Number => Want::Number,
                ColumnKind::Category => Want::among(&column.vocabulary),
                ColumnKind::Tokens => Want::Text,
                ColumnKind::Date => Want::Date,
                ColumnKind::Tensor if !column.vocabulary.is_empty() => Want::Text,
                ColumnKind::Tensor | ColumnKind::Characters | ColumnKind::Bytes => Want::Auto,
            };
        }
    }
    for &at in &by {
        if wants.get(at) == Some(&Want::Skip) {
            wants[at] = Want::Text;
        }
    }
    let raw = source.read(&wants, &mut faults);
    raw.iter().for_each(|r| countable(r, &name, &mut faults));
    let mut raw = raw.map(|raw| as_dates(raw, stats, &map, &mut faults));
    let mut gaps = Gaps::default();
    if let Some(raw) = raw.as_mut().filter(|_| lenient) {
        faults = unread(raw, faults, &mut gaps);
    }
    let Some(mut raw) = raw.filter(|_| faults.is_empty()) else {
        return Err(faults.into_vec());
    };
    let drops = |i: usize| {
        let mut columns = stats.columns.iter().zip(&map);
        !lenient && columns.any(|(c, at)| *at == Some(i) && c.fill == Fill::Drop)
    };
    let kept = Kept::of(&raw, drops).map_err(|f| vec![*f])?;
    let name_of = |i: usize| {
        let mut columns = stats.columns.iter().zip(&map);
        columns.find(|(_, at)| **at == Some(i)).map_or("", |(c, _)| c.source())
    };
    let mut notes = std::mem::take(&mut raw.notes);
    notes.extend(kept.note(&raw, name_of, handle));
    notes.extend(unlike::note(&raw, stats, &map, &name, handle));
    let series = Series::find(&raw, by.into_iter()).map_err(|f| vec![*f])?;
    let samples = Samples::new(raw.len, kept.rows, stats.window, series);
    wholes::too_long(&raw, &samples, lenient, &mut gaps, &mut faults);
    let kept = samples.kept.clone();
    let series = samples.series.clone();
    let job = Job { stats, map: &map, kept, series, lenient, rest: false, limits, handle };
    let Some(store) = encode::encode(raw, job, gaps, &mut faults) else { return Err(faults.into_vec()) };
    let store = Store { notes, ..store };
    let whole = if store.targets.is_empty() { samples.without_targets() } else { samples };
    let table = match whole.starts() {
        Some(starts) => Table { store: Arc::new(store), rows: Rows::Some(starts.into()) },
        None => Table { store: Arc::new(store), rows: Rows::All },
    };
    if table.is_empty() {
        return Err(vec![no_samples(stats, &name).at(handle)]);
    }
    // Where no row at all has an answer, that is a mistake like any other.
    if lenient && !(0..table.len()).any(|row| table.is_answerable(row)) {
        return Err(table.gaps().to_vec());
    }
    Ok(table)
}

/// Cells that could not be read leave their rows without an answer.
fn unread(raw: &mut Raw, faults: Faults, gaps: &mut Gaps) -> Faults {
    let mut rest = Faults::new();
    for fault in faults.into_vec() {
        let row = fault.place.as_ref().and_then(|p| p.row).and_then(|r| usize::try_from(r - 1).ok());
        match row.filter(|_| [codes::NOT_A_NUMBER, codes::ROW_WIDTH].contains(&fault.code)) {
            Some(row) => gaps.mark(row, || Fault { more: 0, ..fault }),
            None => rest.extend([fault]),
        }
    }
    for row in std::mem::take(&mut raw.places.bad) {
        let fault = || Fault::new(codes::NOT_A_NUMBER, "a cell cannot be read");
        gaps.mark(row as usize, || raw.places.locate_row(fault(), row as usize));
    }
    rest
}

fn check(spec: &DataSpec, faults: &mut Faults) {
    split::check(&spec.split, faults);
    let parts = [("valid", &spec.valid, spec.split.valid), ("test", &spec.test, spec.split.test)];
    for (name, source, part) in parts {
        if let (Some(source), true) = (source, part > 0.0) {
            let message = format!("`{name}` has a source of its own, and `split` takes a part for it too");
            let fault = Fault::new(codes::SPLIT, message).at(spec.split.handle.or(source.handle()));
            faults.push(fault.help("keep one of the two"));
        }
    }
}

/// `data uniform 256 { input t u }` says how many numbers a sample has.
fn named_generator(spec: &DataSpec) -> SourceSpec {
    let mut source = spec.train.clone();
    if let SourceSpec::Generator(g) = &mut source
        && g.kind == GeneratorKind::Uniform
        && g.dims.is_none()
    {
        let names = spec.roles.iter().filter(|r| r.role == Role::Input).map(|r| match &r.columns {
            Columns::Names(names) => names.len(),
            Columns::Rest => 0,
        });
        g.dims = Some(names.sum::<usize>().max(1));
    }
    source
}

/// Rows given to a trained model need no `->`: as many cells as the model
/// has inputs are inputs only.
fn whole_rows(spec: &SourceSpec, stats: &Stats) -> SourceSpec {
    let SourceSpec::Rows(rows) = spec else { return spec.clone() };
    let inputs = stats.columns.iter().filter(|c| c.role == Role::Input).count();
    let bare = rows.rows.iter().all(|r| r.targets.is_none() && r.inputs.len() == inputs);
    if !bare {
        return spec.clone();
    }
    let mut rows: RowsSpec = rows.clone();
    rows.rows.iter_mut().for_each(|r| r.targets = Some(Vec::new()));
    SourceSpec::Rows(rows)
}

/// Columns that tell series apart are read, if for nothing else.
fn with_keys(wants: &mut [Want], by: &[SeriesColumn]) {
    for column in by {
        if wants[column.position] == Want::Skip {
            wants[column.position] = Want::Text;
        }
    }
}

fn read(
    source: Box<dyn Source>,
    uses: &mut [Use],
    spec: &DataSpec,
    by: &[SeriesColumn],
    faults: &mut Faults,
) -> Option<Raw> {
    let mut wants = roles::wants(uses, source.heads().len(), faults);
    with_keys(&mut wants, by);
    // A column that only groups rows is no input, but it has to be read.
    let group = spec.split.group.as_ref().map(|g| &g.name);
    let grouping = uses.iter().find(|u| Some(&u.name) == group && u.role == Role::Drop);
    if let Some(used) = grouping {
        wants[used.position] = Want::Text;
    }
    if by.is_empty() && matches!(&spec.train, SourceSpec::Csv(csv) if csv.window.is_some()) {
        wants.iter_mut().filter(|w| **w == Want::Skip).for_each(|w| *w = Want::Watch);
    }
    let name = source.name().to_string();
    let said: Vec<Option<bool>> = source.heads().iter().map(|h| h.declared.day_first()).collect();
    let mut raw = source.read(&wants, faults)?;
    countable(&raw, &name, faults);
    let of_all = day_first(&spec.train);
    for i in (0..wants.len()).filter(|&i| wants[i] == Want::Date) {
        let said = said.get(i).copied().flatten();
        let order = Order { day_first: said.or(of_all), known: said.is_some(), times: None };
        let Raw { columns, places, .. } = &mut raw;
        let name = uses.iter().find(|u| u.position == i).map_or(String::new(), |u| u.name.clone());
        let day_first = dates::convert(&mut columns[i], order, places, (i, &name), faults);
        uses.iter_mut().filter(|u| u.position == i).for_each(|u| u.day_first = day_first);
    }
    faults.is_empty().then_some(raw)
}

/// What a program says about days and months.
fn day_first(spec: &SourceSpec) -> Option<bool> {
    match spec {
        SourceSpec::Csv(csv) => csv.dialect.day_first,
        _ => None,
    }
}

fn as_dates(mut raw: Raw, stats: &Stats, map: &[Option<usize>], faults: &mut Faults) -> Raw {
    for (column, at) in stats.columns.iter().zip(map) {
        let (Some(date), Some(i)) = (&column.date, *at) else { continue };
        let Raw { columns, places, .. } = &mut raw;
        let Some(data) = columns.get_mut(i) else { continue };
        let there: Vec<u32> = match data {
            Data::Text { codes, .. } => {
                (0..).zip(codes).filter(|(_, c)| **c != NONE).map(|(r, _)| r).collect()
            }
            _ => Vec::new(),
        };
        let parts = stats.columns.iter().filter_map(|c| c.date.as_ref()).filter(|d| d.column == date.column);
        let times = { parts }.all(|d| d.part == DatePart::Hour);
        let order = Order { day_first: Some(date.day_first), known: true, times: Some(times) };
        dates::convert(data, order, places, (i, &date.column), faults);
        if let Data::Dates(dates) = data {
            let bad = there.into_iter().filter(|&row| dates[row as usize] == Date::default());
            places.bad.extend(bad);
        }
    }
    raw
}

/// Rows are counted in 32 bits.
fn countable(raw: &Raw, name: &str, faults: &mut Faults) {
    if raw.len > u32::MAX as usize {
        let message = format!("`{name}` has {} rows; at most {} are read", raw.len, u32::MAX);
        faults.push(Fault::new(codes::TOO_BIG, message).at(raw.places.handle));
    }
}

fn no_samples(stats: &Stats, name: &str) -> Fault {
    match stats.window {
        Some(w) if w.whole.is_none() => {
            let message = format!("`{name}` has too few rows for a window of {}", w.length);
            Fault::new(codes::EMPTY, message)
        }
        _ => Fault::new(codes::EMPTY, format!("every row of `{name}` lacks a value")),
    }
}

/// A `valid` or `test` of its own is encoded like any other file, but must
/// have its targets.
fn other(spec: Option<&SourceSpec>, stats: &Stats, limits: &Limits, faults: &mut Faults) -> Option<Table> {
    let spec = spec?;
    match encode(stats, spec, limits) {
        Ok(table) if table.has_targets() || stats.schema.targets.is_empty() => Some(table),
        Ok(_) => {
            let message = "this source has no targets to compare with";
            faults.push(Fault::new(codes::MISMATCH, message).at(spec.handle()));
            None
        }
        Err(more) => {
            faults.extend(more);
            None
        }
    }
}

fn assemble(
    store: Store,
    parts: Parts,
    stats: Stats,
    valid: Option<Table>,
    test: Option<Table>,
    notes: Vec<Fault>,
) -> Dataset {
    let all = parts.train.len() == store.len;
    let store = Arc::new(store);
    let table = |rows: Vec<u32>| Table { store: Arc::clone(&store), rows: Rows::Some(rows.into()) };
    let part = |rows: Vec<u32>| (!rows.is_empty()).then(|| table(rows));
    Dataset {
        schema: stats.schema.clone(),
        valid: valid.or_else(|| part(parts.valid)),
        test: test.or_else(|| part(parts.test)),
        train: if all { Table { store: Arc::clone(&store), rows: Rows::All } } else { table(parts.train) },
        stats,
        dropped: Vec::new(),
        notes,
    }
}
