//! Tables as text.

mod arff;
mod file;
pub(crate) mod given;
mod header;
mod json;
mod lines;
mod reader;
mod separator;
mod shape;
mod told;
mod turned;

pub(crate) use told::na;

use std::collections::HashSet;
use std::sync::Arc;

use self::file::{File, scan_fault};
use self::header::Decision;
use self::lines::Columns;
use self::reader::TableReader;
use super::Source;
use super::builder::Cells;
use super::number::{self, Digits};
use crate::Limits;
use crate::columns;
use crate::dialect::Form;
use crate::fault::{Fault, Faults, codes};
use crate::glob;
use crate::missing::Named;
use crate::raw::{Head, Raw, RowPlace, Want};
use crate::schema::ColumnKind;
use crate::spec::{CsvSpec, Role};
use crate::stats::Stats;

/// Rows that decide the header and the kinds of the columns.
const SAMPLE_ROWS: usize = 1000;
const SAMPLE_BYTES: usize = 4 << 20;
const MAX_COLUMNS: usize = 100_000;

pub(super) struct Table {
    spec: CsvSpec,
    limits: Limits,
    cells: Arc<Cells>,
    heads: Vec<Head>,
    header: bool,
    file: File,
    sample: Vec<Line>,
    reading: Vec<String>,
    notes: Vec<Fault>,
    /// For each column the first line where it holds a list.
    lists: Vec<Option<u64>>,
    /// Of reading row by row: the next of the sample, and of the files after
    /// the first.
    next: (usize, usize),
    /// The line of the present row.
    at: u64,
}

/// A record that was kept.
pub(super) struct Line {
    line: u64,
    cells: Vec<Vec<u8>>,
}

/// See [`begin`].
pub(crate) fn open(
    spec: &CsvSpec,
    limits: &Limits,
    known: Option<&Stats>,
) -> Result<Box<dyn Source>, Vec<Fault>> {
    Ok(Box::new(begin(spec, limits, known)?))
}

/// Opens the first file and reads as much as decides the columns. For a model
/// that is used, the names it was trained with decide about a header.
pub(super) fn begin(spec: &CsvSpec, limits: &Limits, known: Option<&Stats>) -> Result<Table, Vec<Fault>> {
    let mut paths = Vec::new();
    for path in std::iter::once(&spec.path).chain(&spec.more) {
        paths.extend(glob::expand(path, spec.handle).map_err(|f| vec![*f])?);
    }
    let spec = &CsvSpec { path: paths.remove(0), more: paths, ..spec.clone() };
    let wrong = |fault: Fault| vec![fault.path(&spec.path).at(spec.handle)];
    let mut file = file::open(spec, &spec.path, known, None).map_err(|f| vec![*f])?;
    let mut sample: Vec<Line> = Vec::new();
    let mut bytes = 0;
    while sample.len() <= SAMPLE_ROWS && bytes < SAMPLE_BYTES {
        let line = file.next_line().map_err(|e| vec![scan_fault(e, &spec.path, spec)])?;
        let Some(line) = line else { break };
        if !sample.is_empty() && is_blank(&line.cells, sample[0].cells.len()) {
            continue;
        }
        bytes += line.cells.iter().map(|c| c.len() + 24).sum::<usize>();
        sample.push(line);
    }
    let Some(first) = sample.first() else {
        return Err(wrong(Fault::new(codes::EMPTY, format!("`{}` is empty", spec.path))));
    };
    if first.cells.len() > MAX_COLUMNS {
        let message =
            format!("`{}` has {} columns; at most {MAX_COLUMNS} are read", spec.path, first.cells.len());
        return Err(wrong(Fault::new(codes::TOO_BIG, message)));
    }
    let dialect = &spec.dialect;
    let cells = Arc::new(Cells {
        digits: Digits { comma: dialect.decimal_comma == Some(true), thousands: dialect.thousands },
        na: Named::new(dialect.na.as_deref().unwrap_or_default()),
    });
    if let Some(columns) = file.columns.take() {
        return turned_table(columns, file, sample, cells, spec, limits).map_err(|f| wrong(*f));
    }
    shape::unmark(&mut sample);
    let odd = shape::lead(&sample, &cells, spec).or_else(|| shape::again(&sample, &cells, spec));
    let odd = odd.or_else(|| shape::unusual(&sample, &cells, spec).filter(|_| known.is_none()));
    if let Some(fault) = odd {
        return Err(wrong(fault));
    }
    let decision = decide(spec, &sample, &cells, known);
    let header = decision.header;
    let mut reading = file.reading.clone();
    let mut notes = Vec::new();
    let line = sample[0].line;
    reading.push(match header {
        true => format!("header: line {line} ({})", decision.why),
        false if dialect.header.is_some() || known.is_some() => format!("no header: {}", decision.why),
        false => format!("no header: {}; write header=yes if line {line} holds names", decision.why),
    });
    if let Some(doubt) = decision.doubt {
        notes.push(in_doubt(line, header, &doubt, spec));
    }
    let heads = heads(&sample, header, spec, &mut notes)?;
    if header {
        sample.remove(0);
    }
    if sample.is_empty() {
        return Err(wrong(Fault::new(codes::EMPTY, format!("`{}` has a header and no rows", spec.path))));
    }
    if let Some(fault) = shape::units(&sample, header, &cells, spec) {
        return Err(wrong(fault));
    }
    let spec = spec.clone();
    let limits = *limits;
    let next = (0, 0);
    let lists = Vec::new();
    Ok(Table { spec, limits, cells, heads, header, file, sample, reading, notes, lists, next, at: 0 })
}

/// A table of a file that says itself which columns it has; the names are
/// its first line.
fn turned_table(
    columns: Columns,
    file: File,
    mut sample: Vec<Line>,
    cells: Arc<Cells>,
    spec: &CsvSpec,
    limits: &Limits,
) -> Result<Table, Box<Fault>> {
    let names: Vec<Vec<u8>> = columns.names.iter().map(|n| trim(n.as_bytes()).to_vec()).collect();
    let mut heads = named(&names);
    heads.iter_mut().zip(&columns.declared).for_each(|(h, d)| h.declared.clone_from(d));
    sample.remove(0);
    if sample.is_empty() {
        return Err(Box::new(Fault::new(codes::EMPTY, format!("`{}` has no rows", spec.path))));
    }
    let mut reading = file.reading.clone();
    reading.push(columns.why.to_string());
    let dialect = &spec.dialect;
    let words = [
        ("separator", dialect.separator.is_some()),
        ("header", dialect.header.is_some()),
        ("comment", dialect.comment.is_some()),
        ("skip", dialect.skip.is_some()),
    ];
    let vain: Vec<String> = words.iter().filter(|(_, said)| *said).map(|(w, _)| format!("`{w}`")).collect();
    let mut notes = Vec::new();
    if !vain.is_empty() {
        let has = if vain.len() == 1 { "has" } else { "have" };
        let message = format!("{} {has} no effect on `{}`", vain.join(", "), spec.path);
        let note = Fault::new(codes::READING, message).note().path(&spec.path).at(spec.handle);
        notes.push(note.help("they are about tables in lines of cells"));
    }
    let (spec, limits, lists) = (spec.clone(), *limits, columns.lists);
    Ok(Table {
        spec,
        limits,
        cells,
        heads,
        header: true,
        file,
        sample,
        reading,
        notes,
        lists,
        next: (0, 0),
        at: 0,
    })
}

/// Cells are compared and kept without the blanks around them.
fn trim(cell: &[u8]) -> &[u8] {
    match cell {
        [a, .., b] if !a.is_ascii_whitespace() && !b.is_ascii_whitespace() => cell,
        _ => cell.trim_ascii(),
    }
}

/// The last part of a path.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// A line of a program that reads a file as it should be.
pub(crate) fn line_to_write(spec: &CsvSpec, options: &str) -> String {
    format!("data \"{}\" {options}", file_name(&spec.path))
}

fn decide(spec: &CsvSpec, sample: &[Line], cells: &Cells, known: Option<&Stats>) -> Decision {
    let sure = |header, why: &str| Decision { header, why: why.into(), doubt: None };
    if let Some(header) = spec.dialect.header {
        return sure(header, if header { "header=yes" } else { "header=no" });
    }
    if let Some((header, why)) = known.and_then(|k| by_names(sample, cells, k)) {
        return sure(header, why);
    }
    if shape::one_fewer(sample) {
        return sure(true, "it has one name fewer than every row has cells");
    }
    header::decide(&sample[0], &sample[1..], cells)
}

/// A model knows its columns, so nothing is guessed a second time: a first
/// line of its names is the header; without them it is a row where it can be.
fn by_names(sample: &[Line], cells: &Cells, known: &Stats) -> Option<(bool, &'static str)> {
    let first = &sample[0];
    let mut heads = named(&first.cells);
    if shape::one_fewer(sample) {
        shape::one_more(&mut heads, &sample[1..]);
    }
    // Names that were made up for a table without a header stand in a file
    // only where somebody wrote them.
    let made_up = known.form.is_some_and(|f| !f.header);
    let is_there = |name: &str| match made_up {
        true => first.cells.iter().any(|c| c == name.as_bytes()),
        false => heads.iter().any(|h| h.name == name),
    };
    let mut inputs = known.columns.iter().filter(|c| c.role == Role::Input);
    if inputs.clone().all(|c| is_there(c.source())) {
        return Some((true, "the names the model was trained with"));
    }
    let form = known.form?;
    if !form.header {
        return Some((false, "the file the model was trained on had none"));
    }
    if inputs.any(|c| is_there(c.source())) {
        return Some((true, "names the model was trained with"));
    }
    let fits = |c: &&crate::stats::ColumnStats| {
        let cell = columns::by_position(known, c, first.cells.len()).and_then(|i| first.cells.get(i));
        cell.is_none_or(|c| number::parse(c, cells.digits).is_some() || cells.lacks(c))
    };
    let values = known.columns.iter().filter(|c| c.kind == ColumnKind::Number).all(|c| fits(&c));
    let targets: HashSet<usize> =
        known.columns.iter().filter(|c| c.role == Role::Target).map(|c| c.position).collect();
    let width = first.cells.len() == known.width || first.cells.len() + targets.len() == known.width;
    match width && values {
        true => Some((false, "line 1 has none of the model's names; the columns are in their order")),
        false => Some((true, "not the names the model was trained with")),
    }
}

/// A first line of which it is not certain what it is.
fn in_doubt(line: u64, header: bool, doubt: &str, spec: &CsvSpec) -> Fault {
    let message = match header {
        true => format!("line {line} is read as a header, though it may be a row: {doubt}"),
        false => format!("line {line} is read as a row, though it may be a header: {doubt}"),
    };
    let (yes, no) = (line_to_write(spec, "header=yes"), line_to_write(spec, "header=no"));
    let help = format!("if it holds names: {yes}\nif it is a row:    {no}");
    Fault::new(codes::HEADER, message).warning().path(&spec.path).at(spec.handle).help(help)
}

/// The columns by the first line, or without names.
fn heads(
    sample: &[Line],
    header: bool,
    spec: &CsvSpec,
    notes: &mut Vec<Fault>,
) -> Result<Vec<Head>, Vec<Fault>> {
    let first = &sample[0].cells;
    if !header {
        return Ok((1..=first.len()).map(|i| Head::made_up(format!("c{i}"), None)).collect());
    }
    if let Some(cell) = first.iter().find(|c| std::str::from_utf8(c).is_err()) {
        let fault = told::not_utf8(cell, spec);
        let place = crate::fault::Place { line: Some(sample[0].line), ..crate::fault::Place::default() };
        return Err(vec![fault.place(place).path(&spec.path).at(spec.handle)]);
    }
    let mut heads = named(first);
    if shape::one_fewer(sample) {
        let note = shape::one_more(&mut heads, &sample[1..]);
        notes.push(note.note().path(&spec.path).at(spec.handle));
    } else if let Some(note) = shape::hollow(first, &mut heads, &sample[1..]) {
        notes.push(note.note().path(&spec.path).at(spec.handle));
    }
    Ok(heads)
}

/// Columns with the names of a line; those without one are numbered, and of
/// two that are called the same the second is `name.2`.
fn named(first: &[Vec<u8>]) -> Vec<Head> {
    let mut seen = HashSet::new();
    let mut heads = Vec::with_capacity(first.len());
    for (i, cell) in first.iter().enumerate() {
        let mut name = String::from_utf8_lossy(cell).into_owned();
        if name.is_empty() {
            name = format!("c{}", i + 1);
        }
        let base = name.clone();
        let mut n = 1;
        while !seen.insert(name.clone()) {
            n += 1;
            name = format!("{base}.{n}");
        }
        heads.push(Head::named(name));
    }
    heads
}

impl Table {
    fn names(&self) -> Vec<String> {
        self.heads.iter().filter(|h| !h.aside).map(|h| h.name.clone()).collect()
    }

    /// That no column that is read holds lists.
    fn no_lists(&self, wants: &[Want], faults: &mut Faults) -> Option<()> {
        for ((list, want), head) in self.lists.iter().zip(wants).zip(&self.heads) {
            let Some(line) = list.filter(|_| !matches!(want, Want::Skip | Want::Watch)) else { continue };
            let name = &head.name;
            let message = format!("`{name}` holds a list, and a cell of a table has one value");
            let place = crate::fault::Place { line: Some(line), ..crate::fault::Place::default() };
            let help = format!("drop {name}\nlists of numbers of one length are an array: .npy, .npz");
            let fault = Fault::new(codes::ENCODING, message).place(place).path(&self.spec.path).help(help);
            faults.push(fault.at(self.spec.handle));
        }
        faults.is_empty().then_some(())
    }

    /// The file and the line of the present row.
    pub(super) fn place(&self) -> RowPlace {
        RowPlace { path: Some(self.file.path.clone()), line: Some(self.at), handle: None }
    }

    /// The next row as it stands in the file, where nothing else is read of
    /// the table; whether there is one.
    pub(super) fn next_row(&mut self, row: &mut Vec<String>) -> Result<bool, Box<Fault>> {
        let width = self.heads.len();
        let mut put = |cells: &[Vec<u8>]| {
            row.resize(width, String::new());
            row.iter_mut().skip(cells.len()).for_each(String::clear);
            for (text, cell) in row.iter_mut().zip(cells) {
                text.clear();
                text.push_str(&String::from_utf8_lossy(cell));
            }
        };
        if let Some(line) = self.sample.get(self.next.0) {
            self.next.0 += 1;
            self.at = line.line;
            put(&line.cells);
            return Ok(true);
        }
        loop {
            let line = self.file.next_line();
            match line.map_err(|e| Box::new(scan_fault(e, &self.file.path, &self.spec)))? {
                Some(line) if is_blank(&line.cells, self.heads.len()) => {}
                Some(line) => {
                    self.at = line.line;
                    put(&line.cells);
                    return Ok(true);
                }
                None => {
                    let Some(path) = self.spec.more.get(self.next.1) else { return Ok(false) };
                    self.next.1 += 1;
                    self.file = file::open(&self.spec, path, None, Some(&self.names()))?;
                    if self.header {
                        let first = self.file.next_line();
                        first.map_err(|e| Box::new(scan_fault(e, path, &self.spec)))?;
                    }
                }
            }
        }
    }
}

/// Whether a line has nothing but blanks, in a table of several columns.
fn is_blank(cells: &[Vec<u8>], width: usize) -> bool {
    width > 1 && matches!(cells, [one] if one.is_empty())
}

impl Source for Table {
    fn heads(&self) -> &[Head] {
        &self.heads
    }

    fn name(&self) -> &str {
        &self.spec.path
    }

    fn reading(&self) -> Vec<String> {
        self.reading.clone()
    }

    fn form(&self) -> Option<Form> {
        Some(Form { header: self.header, separator: self.file.separator })
    }

    fn read(self: Box<Self>, wants: &[Want], faults: &mut Faults) -> Option<Raw> {
        self.no_lists(wants, faults)?;
        let Self { spec, limits, cells, heads, header, mut file, sample, notes, .. } = *self;
        let mut table = TableReader::new(&spec, &limits, &heads, &cells);
        table.begin(wants, &sample, faults)?;
        table.open(&file);
        for line in sample {
            table.row(line.line, line.cells.iter().map(Vec::as_slice), line.cells.len(), faults);
        }
        table.rest(&mut file, faults)?;
        for path in &spec.more {
            table.another(path, header, faults)?;
        }
        let mut raw = table.finish(faults)?;
        raw.notes.splice(0..0, notes);
        Some(raw)
    }
}
