//! Tables as text.

use super::builder::{Bad, Column};
use super::scan::{ScanError, Scanner, Span};
use super::{Source, number, rows::not_a_number, size, too_big};
use crate::Limits;
use crate::disk;
use crate::fault::{Fault, Faults, Place, codes};
use crate::glob;
use crate::input;
use crate::raw::{Data, Head, Places, Raw, Want, is_missing};
use crate::spec::CsvSpec;

/// Rows that decide the header and the kinds of the columns.
const SAMPLE_ROWS: usize = 1000;
const SAMPLE_BYTES: usize = 4 << 20;
const MAX_COLUMNS: usize = 100_000;

pub(super) struct Csv {
    pub(super) spec: CsvSpec,
    limits: Limits,
    pub(super) heads: Vec<Head>,
    pub(super) header: bool,
    pub(super) scanner: Scanner,
    packed: Option<u64>,
    pub(super) sample: Vec<Line>,
}

/// A record that was kept.
pub(super) struct Line {
    line: u64,
    pub(super) cells: Vec<Vec<u8>>,
}

/// See [`begin`].
pub(crate) fn open(spec: &CsvSpec, limits: &Limits) -> Result<Box<dyn Source>, Vec<Fault>> {
    Ok(Box::new(begin(spec, limits)?))
}

/// Opens the first file and reads as much as decides the columns.
pub(super) fn begin(spec: &CsvSpec, limits: &Limits) -> Result<Csv, Vec<Fault>> {
    let mut paths = Vec::new();
    for path in std::iter::once(&spec.path).chain(&spec.more) {
        paths.extend(glob::expand(path, spec.handle).map_err(|f| vec![*f])?);
    }
    let spec = &CsvSpec { path: paths.remove(0), more: paths, ..spec.clone() };
    let mut spans = Vec::new();
    let (mut scanner, packed) = start(spec, &spec.path).map_err(|f| vec![*f])?;
    let mut sample = Vec::new();
    let mut bytes = 0;
    while sample.len() <= SAMPLE_ROWS && bytes < SAMPLE_BYTES {
        let line = scanner.next(&mut spans);
        let Some(line) = line.map_err(|e| vec![scan_fault(e, &spec.path, spec)])? else {
            break;
        };
        let cells: Vec<Vec<u8>> = spans.iter().map(|&s| trim(scanner.cell(s)).to_vec()).collect();
        bytes += cells.iter().map(|c| c.len() + 24).sum::<usize>();
        sample.push(Line { line, cells });
    }
    let Some(first) = sample.first() else {
        let fault = Fault::new(codes::EMPTY, format!("`{}` is empty", spec.path));
        return Err(vec![fault.path(&spec.path).at(spec.handle)]);
    };
    if first.cells.len() > MAX_COLUMNS {
        let message =
            format!("`{}` has {} columns; at most {MAX_COLUMNS} are read", spec.path, first.cells.len());
        return Err(vec![Fault::new(codes::TOO_BIG, message).path(&spec.path).at(spec.handle)]);
    }
    let header = spec.header.unwrap_or_else(|| has_header(&sample, spec.decimal_comma));
    let heads = heads(&first.cells, header);
    if header {
        sample.remove(0);
    }
    if sample.is_empty() {
        let fault = Fault::new(codes::EMPTY, format!("`{}` has a header and no rows", spec.path));
        return Err(vec![fault.path(&spec.path).at(spec.handle)]);
    }
    Ok(Csv { spec: spec.clone(), limits: *limits, heads, header, scanner, packed, sample })
}

/// Opens one file and finds its separator.
pub(super) fn start(spec: &CsvSpec, path: &str) -> Result<(Scanner, Option<u64>), Box<Fault>> {
    let file = input::open(path, spec.handle)?;
    let mut scanner =
        Scanner::new(file.reader).map_err(|e| Box::new(input::broken(path, &e, spec.handle)))?;
    let head = scanner.peek();
    let wrong = |what: &str, help: &str| {
        let message = format!("`{path}` is {what}, not a table in text");
        let fault = Fault::new(codes::DAMAGED, message).path(path);
        Box::new(fault.at(spec.handle).help(help))
    };
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return Err(wrong("UTF-16", "save it as UTF-8"));
    }
    if head.starts_with(b"PK\x03\x04") {
        return Err(wrong(
            "a zip archive",
            "a spreadsheet is exported as CSV first; an .npz is read with `data npz`",
        ));
    }
    if memchr::memchr(0, head).is_some() {
        return Err(wrong("binary", "name the format: `data npy`, `data npz`, `data idx`"));
    }
    let separator = spec.separator.unwrap_or_else(|| scanner.guess_separator(spec.decimal_comma));
    scanner.set_separator(separator);
    Ok((scanner, file.packed))
}

pub(super) fn scan_fault(error: ScanError, path: &str, spec: &CsvSpec) -> Fault {
    let place = |line, column| Place { line: Some(line), column, ..Place::default() };
    let fault = match error {
        ScanError::Io(e) => return input::broken(path, &e, spec.handle),
        ScanError::OpenQuote { line, column } => {
            Fault::new(codes::DAMAGED, "a quote is opened here and never closed")
                .place(place(line, Some(column)))
                .help("close it, or write a quote inside of a cell twice: \"\"")
        }
        ScanError::TooLong { line } => {
            let most = size(super::scan::MAX_RECORD as u64);
            Fault::new(codes::TOO_BIG, format!("this row is longer than {most}"))
                .place(place(line, None))
                .help("is this a table in text at all?")
        }
    };
    fault.path(path).at(spec.handle)
}

/// Cells are compared and kept without the blanks around them.
pub(super) fn trim(cell: &[u8]) -> &[u8] {
    match cell {
        [a, .., b] if !a.is_ascii_whitespace() && !b.is_ascii_whitespace() => cell,
        _ => cell.trim_ascii(),
    }
}

/// The rule in the crate's documentation.
fn has_header(sample: &[Line], comma: bool) -> bool {
    let Some((first, below)) = sample.split_first() else {
        return false;
    };
    let is_number = |c: &[u8]| number::parse(c, comma).is_some();
    let word = |c: &[u8]| !c.is_empty() && !is_number(c);
    let numbers = first.cells.iter().filter(|c| is_number(c)).count();
    let over_numbers = |i: usize| {
        let mut seen = false;
        below.iter().filter_map(|l| l.cells.get(i)).all(|c| {
            let missing = is_missing(c, true);
            seen |= !missing;
            missing || is_number(c)
        }) && seen
    };
    let mut cells = first.cells.iter().enumerate();
    if numbers * 2 < first.cells.len() && cells.any(|(i, c)| word(c) && over_numbers(i)) {
        return true;
    }
    let comes_back = |(i, c): (usize, &Vec<u8>)| below.iter().any(|l| l.cells.get(i) == Some(c));
    numbers == 0 && !first.cells.iter().enumerate().any(comes_back)
}

fn heads(first: &[Vec<u8>], header: bool) -> Vec<Head> {
    if !header {
        return (1..=first.len()).map(|i| Head::made_up(format!("c{i}"), None)).collect();
    }
    let mut seen = std::collections::HashSet::new();
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

impl Source for Csv {
    fn heads(&self) -> &[Head] {
        &self.heads
    }

    fn name(&self) -> &str {
        &self.spec.path
    }

    fn read(self: Box<Self>, wants: &[Want], faults: &mut Faults) -> Option<Raw> {
        let Self { spec, limits, heads, header, mut scanner, packed, sample } = *self;
        let mut table = TableReader::new(&spec, &limits, &heads, wants, &sample);
        table.packed = packed;
        table.places.paths.push(spec.path.clone());
        for line in sample {
            table.row(line.line, line.cells.iter().map(Vec::as_slice), line.cells.len(), faults);
        }
        table.rest(&mut scanner, faults)?;
        for path in &spec.more {
            table.places.paths.push(path.clone());
            table.another(path, header, faults)?;
        }
        table.finish(faults)
    }
}

/// Reads rows into columns.
struct TableReader<'a> {
    spec: &'a CsvSpec,
    limits: &'a Limits,
    heads: &'a [Head],
    columns: Vec<Column>,
    /// Of gzip: the size of the file.
    packed: Option<u64>,
    len: usize,
    /// Rows of the wrong width.
    skipped: usize,
    places: Places,
}

impl<'a> TableReader<'a> {
    fn new(
        spec: &'a CsvSpec,
        limits: &'a Limits,
        heads: &'a [Head],
        wants: &[Want],
        sample: &[Line],
    ) -> Self {
        let comma = spec.decimal_comma;
        let columns = wants.iter().enumerate().map(|(i, want)| match want {
            Want::Skip => Column::skip(),
            Want::Watch => Column::watch(),
            Want::Number => Column::numbers(comma),
            Want::Text | Want::Date => Column::text(comma),
            Want::Auto | Want::Class => {
                let cells = sample.iter().filter_map(|l| l.cells.get(i));
                Column::guess(cells.map(Vec::as_slice), comma)
            }
        });
        Self {
            spec,
            limits,
            heads,
            columns: columns.collect(),
            packed: None,
            len: 0,
            skipped: 0,
            places: Places { handle: spec.handle, ..Places::default() },
        }
    }

    fn path(&self) -> String {
        self.places.paths.last().cloned().unwrap_or_default()
    }

    /// The rows of a file that are not read yet.
    fn rest(&mut self, scanner: &mut Scanner, faults: &mut Faults) -> Option<()> {
        let mut spans: Vec<Span> = Vec::new();
        loop {
            match scanner.next(&mut spans) {
                Ok(None) => return self.check_memory(scanner, faults),
                Ok(Some(line)) => {
                    let cells = spans.iter().map(|&s| trim(scanner.cell(s)));
                    self.row(line, cells, spans.len(), faults);
                }
                Err(e) => {
                    faults.push(scan_fault(e, &self.path(), self.spec));
                    return None;
                }
            }
            if self.len.is_multiple_of(4096) {
                self.check_memory(scanner, faults)?;
            }
        }
    }

    fn another(&mut self, path: &str, header: bool, faults: &mut Faults) -> Option<()> {
        let (mut scanner, packed) = start(self.spec, path).map_err(|f| faults.push(*f)).ok()?;
        self.packed = packed;
        if header {
            let mut spans = Vec::new();
            let first = scanner.next(&mut spans);
            first.map_err(|e| faults.push(scan_fault(e, path, self.spec))).ok()?;
            let cells: Vec<Vec<u8>> = spans.iter().map(|&s| trim(scanner.cell(s)).to_vec()).collect();
            let names = heads(&cells, true);
            if !names.iter().map(|h| &h.name).eq(self.heads.iter().map(|h| &h.name)) {
                let first = &self.spec.path;
                let fault = Fault::new(codes::MISMATCH, format!("`{path}` has other columns than `{first}`"));
                faults.push(fault.path(path).at(self.spec.handle));
                return None;
            }
        }
        self.rest(&mut scanner, faults)
    }

    /// Moves the columns to disk where they take too much memory. The encoded
    /// rows will stand beside the raw ones for a while, so half is too much.
    fn check_memory(&mut self, scanner: &Scanner, faults: &mut Faults) -> Option<()> {
        let need = |columns: &[Column]| columns.iter().map(Column::bytes).sum::<usize>() as u64;
        if need(&self.columns) <= self.limits.memory / 2 {
            return Some(());
        }
        if let Some(packed) = self.packed.filter(|p| scanner.bytes_read() / input::PLAUSIBLE_RATIO > *p) {
            let fault = input::bomb(&self.path(), packed, scanner.bytes_read());
            faults.push(fault.at(self.spec.handle));
            return None;
        }
        for column in &mut self.columns {
            column.spill().map_err(|e| faults.push(*disk::fault(&e))).ok()?;
        }
        let names = need(&self.columns);
        if names <= self.limits.memory / 4 {
            return Some(());
        }
        let what = format!("the different texts in `{}` as far as row {}", self.path(), self.len);
        let fault = too_big(&what, names.saturating_mul(4), self.limits).path(self.path());
        faults.push(fault.at(self.spec.handle).help("drop the columns of long or unique text"));
        None
    }

    fn row<'c>(
        &mut self,
        line: u64,
        cells: impl Iterator<Item = &'c [u8]>,
        count: usize,
        faults: &mut Faults,
    ) {
        if count != self.heads.len() {
            self.wrong_width(line, count, faults);
            self.skipped += 1;
            return;
        }
        self.places.note_line(self.len as u64, line);
        for (i, cell) in cells.enumerate() {
            let Some(column) = self.columns.get_mut(i) else { break };
            if let Err(bad) = column.push(cell) {
                self.places.note_bad(self.len);
                self.bad_cell(i, cell, bad, faults);
            }
        }
        self.len += 1;
    }

    fn wrong_width(&self, line: u64, count: usize, faults: &mut Faults) {
        faults.push_with(codes::ROW_WIDTH, || {
            let wants = self.heads.len();
            let cells = if count == 1 { "cell" } else { "cells" };
            let (n, word) = (count.abs_diff(wants), if count > wants { "many" } else { "few" });
            let above = if self.heads.iter().any(|h| h.unnamed) { "the first row" } else { "the header" };
            let n = if n == 1 { "one".to_string() } else { n.to_string() };
            let place = Place {
                line: Some(line),
                row: Some((self.len + self.skipped) as u64 + 1),
                column: Some(wants.min(count) + 1),
                handle: self.spec.handle,
                ..Place::default()
            };
            Fault::new(codes::ROW_WIDTH, format!("this row has {count} {cells}, {above} has {wants}"))
                .path(self.path())
                .place(place)
                .label(format!("{n} too {word}"))
        });
    }

    /// A cell of a number column that is no number, or text that is not text.
    fn bad_cell(&self, i: usize, cell: &[u8], bad: Bad, faults: &mut Faults) {
        let name = &self.heads[i].name;
        let shown: String = String::from_utf8_lossy(cell).chars().take(60).collect();
        if bad == Bad::Number {
            faults.push_with(codes::NOT_A_NUMBER, || {
                let fault = not_a_number(&shown, self.spec.decimal_comma).help(format!(
                    "correct the cell; if `{name}` is no number, give it `one_hot` or `category`"
                ));
                self.counted(self.places.locate(fault, self.len, i, name))
            });
            return;
        }
        faults.push_with(codes::DAMAGED, || {
            let fault = Fault::new(codes::DAMAGED, format!("`{shown}` is not UTF-8 text"))
                .help("save the file as UTF-8; from Latin-1: iconv -f latin1 -t utf8");
            self.counted(self.places.locate(fault, self.len, i, name))
        });
    }

    /// With the rows that were passed over counted in.
    fn counted(&self, mut fault: Fault) -> Fault {
        if let Some(row) = fault.place.as_mut().and_then(|p| p.row.as_mut()) {
            *row += self.skipped as u64;
        }
        fault
    }

    fn finish(self, faults: &mut Faults) -> Option<Raw> {
        let columns: Result<Vec<Data>, _> = self.columns.into_iter().map(Column::finish).collect();
        let columns = columns.map_err(|e| faults.push(*disk::fault(&e))).ok()?;
        Some(Raw { columns, len: self.len, places: self.places })
    }
}
