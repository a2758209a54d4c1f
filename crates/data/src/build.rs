//! The way through: read, share out, take statistics, encode.

use std::sync::Arc;

use crate::dates;
use crate::encode::{self, Job, kept_rows, match_columns};
use crate::fault::{Fault, Faults, codes};
use crate::fit;
use crate::layout;
use crate::raw::{Data, NONE, Raw, Want};
use crate::roles::{self, Use};
use crate::schema::ColumnKind;
use crate::source::{self, Source};
use crate::spec::{Columns, DataSpec, GeneratorKind, Missing, Role, RowsSpec, SourceSpec};
use crate::split::{self, Parts, Ties};
use crate::stats::{Fill, STATS_VERSION, Stats};
use crate::table::{Rows, Store, Table};
use crate::{Dataset, Limits};

/// See [`crate::open_with`].
pub(crate) fn open(spec: &DataSpec, limits: &Limits) -> Result<Dataset, Vec<Fault>> {
    let mut faults = Faults::new();
    check(spec, &mut faults);
    let source = match source::open(&named_generator(spec), limits) {
        Ok(source) => source,
        Err(more) => {
            faults.extend(more);
            return Err(faults.into_vec());
        }
    };
    let name = source.name().to_string();
    let named = source.heads().iter().any(|h| !h.unnamed);
    let mut uses = roles::resolve(source.heads(), &name, &spec.roles, &mut faults);
    if !faults.is_empty() {
        return Err(faults.into_vec());
    }
    let raw = read(source, &mut uses, spec, &mut faults);
    let Some(raw) = raw else { return Err(faults.into_vec()) };
    let group = group_column(&raw, &uses, spec, &mut faults);
    let kept = kept_rows(&raw, |i| uses[i].missing == Some(Missing::Drop));
    let len = kept.as_ref().map_or(raw.len, Vec::len);
    let parts = nonempty(len, &name, spec, &mut faults)
        .and_then(|()| share(&raw, &uses, kept.as_deref(), spec, group, &mut faults));
    let Some(parts) = parts else { return Err(faults.into_vec()) };
    let in_raw = |r: &u32| kept.as_ref().map_or(*r, |k| k[*r as usize]);
    let train: Vec<u32> = parts.train.iter().map(in_raw).collect();
    let columns = fit::fit(&raw, &uses, &train, &mut faults);
    let schema = layout::schema(&columns, &uses, &name, &mut faults);
    let rows = train.len() as u64;
    let stats = Stats { version: STATS_VERSION, rows, width: uses.len(), named, schema, columns };
    let map: Vec<Option<usize>> = stats.columns.iter().map(|c| Some(c.position)).collect();
    let handle = spec.train.handle();
    let job = Job { stats: &stats, map: &map, kept, limits, handle };
    let store = encode::encode(raw, job, &mut faults);
    let valid = other(spec.valid.as_ref(), &stats, limits, &mut faults);
    let test = other(spec.test.as_ref(), &stats, limits, &mut faults);
    let Some(store) = store.filter(|_| faults.is_empty()) else { return Err(faults.into_vec()) };
    let notes = notes(&stats, &uses);
    Ok(assemble(store, parts, stats, valid, test, notes))
}

/// See [`crate::encode_with`].
pub(crate) fn encode(stats: &Stats, spec: &SourceSpec, limits: &Limits) -> Result<Table, Vec<Fault>> {
    let mut faults = Faults::new();
    let source = source::open(&whole_rows(spec, stats), limits)?;
    let name = source.name().to_string();
    let map = match_columns(stats, source.heads(), &name, &mut faults);
    if !faults.is_empty() {
        return Err(faults.into_vec());
    }
    let mut wants = vec![Want::Skip; source.heads().len()];
    for (column, at) in stats.columns.iter().zip(&map) {
        if let Some(want) = at.and_then(|i| wants.get_mut(i)) {
            *want = match column.kind {
                ColumnKind::Number => Want::Number,
                ColumnKind::Category => Want::Text,
                ColumnKind::Date => Want::Date,
                ColumnKind::Tensor | ColumnKind::Characters | ColumnKind::Bytes => Want::Auto,
            };
        }
    }
    let raw = source.read(&wants, &mut faults);
    raw.iter().for_each(|r| countable(r, &name, &mut faults));
    let raw = raw.map(|raw| as_dates(raw, stats, &map, &mut faults));
    let Some(raw) = raw.filter(|_| faults.is_empty()) else {
        return Err(faults.into_vec());
    };
    let drops = |i: usize| {
        let mut columns = stats.columns.iter().zip(&map);
        columns.any(|(c, at)| *at == Some(i) && c.fill == Fill::Drop)
    };
    let kept = kept_rows(&raw, drops);
    let job = Job { stats, map: &map, kept, limits, handle: spec.handle() };
    match encode::encode(raw, job, &mut faults) {
        Some(store) => Ok(Table { store: Arc::new(store), rows: Rows::All }),
        None => Err(faults.into_vec()),
    }
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

fn read(source: Box<dyn Source>, uses: &mut [Use], spec: &DataSpec, faults: &mut Faults) -> Option<Raw> {
    let mut wants: Vec<Want> = uses.iter().map(Use::want).collect();
    // A column that only groups rows is no input, but it has to be read.
    let group = spec.split.group.as_ref().map(|g| &g.name);
    let grouping = uses.iter().position(|u| Some(&u.name) == group && u.role == Role::Drop);
    if let Some(i) = grouping {
        wants[i] = Want::Text;
    }
    let name = source.name().to_string();
    let mut raw = source.read(&wants, faults)?;
    countable(&raw, &name, faults);
    for (i, used) in uses.iter_mut().enumerate().filter(|(i, _)| wants[*i] == Want::Date) {
        let Raw { columns, places, .. } = &mut raw;
        used.day_first = dates::convert(&mut columns[i], None, places, (i, &used.name), faults);
    }
    faults.is_empty().then_some(raw)
}

fn as_dates(mut raw: Raw, stats: &Stats, map: &[Option<usize>], faults: &mut Faults) -> Raw {
    for (column, at) in stats.columns.iter().zip(map) {
        let (Some(date), Some(i)) = (&column.date, *at) else { continue };
        let Raw { columns, places, .. } = &mut raw;
        if let Some(data) = columns.get_mut(i) {
            dates::convert(data, Some(date.day_first), places, (i, &date.column), faults);
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

fn nonempty(len: usize, name: &str, spec: &DataSpec, faults: &mut Faults) -> Option<()> {
    if len == 0 {
        let fault = Fault::new(codes::EMPTY, format!("`missing=drop` leaves no row of `{name}`"));
        faults.push(fault.at(spec.train.handle()).help("use missing=mean or missing=mode"));
    }
    (len > 0).then_some(())
}

/// The group of every row of the raw table.
fn group_column(raw: &Raw, uses: &[Use], spec: &DataSpec, faults: &mut Faults) -> Option<Vec<u32>> {
    let name = spec.split.group.as_ref()?;
    let at = uses.iter().position(|u| u.name == name.name);
    match at.and_then(|i| raw.columns.get(i)) {
        Some(Data::Text { codes, vocabulary }) => {
            let missing = vocabulary.len() as u32;
            Some(codes.iter().map(|&c| if c == NONE { missing } else { c }).collect())
        }
        Some(Data::Numbers(values)) => {
            let mut sorted = values.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            sorted.dedup();
            let at = |x: &f64| sorted.partition_point(|y| y.total_cmp(x).is_lt()) as u32;
            Some(values.iter().map(at).collect())
        }
        _ => {
            let message = format!("`split group={0}` needs a column `{0}` that is read", name.name);
            faults.push(Fault::new(codes::SPLIT, message).at(name.handle.or(spec.split.handle)));
            None
        }
    }
}

fn share(
    raw: &Raw,
    uses: &[Use],
    kept: Option<&[u32]>,
    spec: &DataSpec,
    group: Option<Vec<u32>>,
    faults: &mut Faults,
) -> Option<Parts> {
    if !faults.is_empty() {
        return None;
    }
    let (spec, seed) = (&spec.split, spec.seed);
    let pick = |all: Vec<u32>| match kept {
        Some(kept) => kept.iter().map(|&r| all[r as usize]).collect(),
        None => all,
    };
    let len = kept.map_or(raw.len, <[u32]>::len);
    let classes = if spec.stratify { fit::target_classes(raw, uses).map(pick) } else { None };
    if spec.stratify && classes.is_none() {
        let fault = Fault::new(codes::SPLIT, "`stratify` needs a target of classes").at(spec.handle);
        faults.push(fault.help("take `stratify` away; a shuffled split suits numbers"));
        return None;
    }
    let group = group.map(|g| match kept {
        Some(kept) => kept.iter().map(|&r| g[r as usize]).collect(),
        None => g,
    });
    let ties = match (&classes, &group) {
        (Some(c), _) => Ties::Classes(c),
        (None, Some(g)) => Ties::Groups(g),
        (None, None) => Ties::None,
    };
    split::split(len, spec, ties, seed).map_err(|f| faults.push(*f)).ok()
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
        notes,
    }
}

/// What was done by a rule and not by a word of the program.
fn notes(stats: &Stats, uses: &[Use]) -> Vec<Fault> {
    let mut notes = Vec::new();
    let asked = |name: &str| {
        let mut of_name = uses.iter().filter(|u| u.name == name);
        of_name.any(|u| u.kind == crate::spec::Kind::OneHot)
    };
    let silent: Vec<String> = stats
        .columns
        .iter()
        .filter(|c| c.role == Role::Input && c.kind == ColumnKind::Category && c.one_hot && !asked(&c.name))
        .map(|c| format!("`{}` ({})", c.name, c.vocabulary.len()))
        .collect();
    if !silent.is_empty() {
        let (is, it) = if silent.len() == 1 { ("is", "it becomes") } else { ("are", "they become") };
        let message = format!("{} {is} text; {it} one input per category", silent.join(", "));
        notes.push(
            Fault::new(codes::TEXT_ONE_HOT, message).note().help("write `one_hot` to say so, or `category`"),
        );
    }
    notes
}
