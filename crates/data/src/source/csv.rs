//! Tables as text.

use super::scan::{ScanError, Scanner, Span};
use super::{Source, number, rows::not_a_number, size, too_big};
use crate::Limits;
use crate::fault::{Fault, Faults, Place, codes};
use crate::glob;
use crate::input;
use crate::intern::Interner;
use crate::raw::{Data, Head, Places, Raw, Want, is_missing};
use crate::spec::CsvSpec;

/// Rows that decide the header and the kinds of the columns.
const SAMPLE_ROWS: usize = 1000;
const SAMPLE_BYTES: usize = 4 << 20;
const MAX_COLUMNS: usize = 100_000;

struct Csv {
    spec: CsvSpec,
    limits: Limits,
    heads: Vec<Head>,
    header: bool,
    scanner: Scanner,
    sample: Vec<Line>,
}

/// A record that was kept.
struct Line {
    line: u64,
    cells: Vec<Vec<u8>>,
}

/// Opens the first file and reads as much as decides the columns.
pub(crate) fn open(spec: &CsvSpec, limits: &Limits) -> Result<Box<dyn Source>, Vec<Fault>> {
    let mut paths = Vec::new();
    for path in std::iter::once(&spec.path).chain(&spec.more) {
        paths.extend(glob::expand(path, spec.handle).map_err(|f| vec![*f])?);
    }
    let spec = &CsvSpec { path: paths.remove(0), more: paths, ..spec.clone() };
    let mut spans = Vec::new();
    let mut scanner = start(spec, &spec.path).map_err(|f| vec![*f])?;
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
    Ok(Box::new(Csv { spec: spec.clone(), limits: *limits, heads, header, scanner, sample }))
}

/// Opens one file and finds its separator.
fn start(spec: &CsvSpec, path: &str) -> Result<Scanner, Box<Fault>> {
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
    Ok(scanner)
}

fn scan_fault(error: ScanError, path: &str, spec: &CsvSpec) -> Fault {
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
fn trim(cell: &[u8]) -> &[u8] {
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
        let Self { spec, limits, heads, header, mut scanner, sample } = *self;
        let mut table = TableReader::new(&spec, &limits, &heads, wants, &sample);
        table.places.paths.push(spec.path.clone());
        for line in sample {
            table.row(line.line, line.cells.iter().map(Vec::as_slice), line.cells.len(), faults);
        }
        table.rest(&mut scanner, faults)?;
        for path in &spec.more {
            table.places.paths.push(path.clone());
            table.another(path, header, faults)?;
        }
        table.finish(heads.len())
    }
}

/// Reads rows into columns.
struct TableReader<'a> {
    spec: &'a CsvSpec,
    limits: &'a Limits,
    heads: &'a [Head],
    columns: Vec<Builder>,
    len: usize,
    places: Places,
}

enum Builder {
    Skip,
    /// Nothing but missing cells so far.
    Open(usize),
    Numbers(Vec<f64>),
    Text(Interner),
}

impl<'a> TableReader<'a> {
    fn new(
        spec: &'a CsvSpec,
        limits: &'a Limits,
        heads: &'a [Head],
        wants: &[Want],
        sample: &[Line],
    ) -> Self {
        let columns = wants.iter().enumerate().map(|(i, want)| match want {
            Want::Skip => Builder::Skip,
            Want::Number => Builder::Numbers(Vec::new()),
            Want::Text | Want::Date => Builder::Text(Interner::default()),
            Want::Auto | Want::Class => guess(sample, i, spec.decimal_comma),
        });
        Self {
            spec,
            limits,
            heads,
            columns: columns.collect(),
            len: 0,
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
                Ok(None) => return Some(()),
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
                self.check_memory(faults)?;
            }
        }
    }

    fn another(&mut self, path: &str, header: bool, faults: &mut Faults) -> Option<()> {
        let mut scanner = start(self.spec, path).map_err(|f| faults.push(*f)).ok()?;
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

    fn check_memory(&self, faults: &mut Faults) -> Option<()> {
        let need: usize = self.columns.iter().map(Builder::bytes).sum();
        // The encoded rows will stand beside the raw ones for a while.
        if need as u64 <= self.limits.memory / 2 {
            return Some(());
        }
        let what = format!("reading `{}` further than row {}", self.path(), self.len);
        faults.push(too_big(&what, need as u64 * 2, self.limits).path(self.path()).at(self.spec.handle));
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
            return;
        }
        self.places.note_line(self.len as u64, line);
        let comma = self.spec.decimal_comma;
        for (i, cell) in cells.enumerate() {
            let Some(column) = self.columns.get_mut(i) else { break };
            match column {
                Builder::Skip => continue,
                Builder::Numbers(values) => {
                    if let Some(x) = number::parse(cell, comma) {
                        values.push(x);
                        continue;
                    }
                    values.push(f64::NAN);
                    if is_missing(cell, true) {
                        continue;
                    }
                }
                Builder::Text(names) => {
                    if is_missing(cell, false) {
                        names.push_missing();
                        continue;
                    }
                    if names.push(cell) {
                        continue;
                    }
                }
                Builder::Open(missing) => {
                    if is_missing(cell, true) {
                        *missing += 1;
                        continue;
                    }
                    *column = decide(*missing, cell, comma);
                    if !matches!(column, Builder::Open(_)) {
                        continue;
                    }
                }
            }
            self.bad_cell(i, cell, faults);
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
                row: Some(self.len as u64 + 1),
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
    fn bad_cell(&self, i: usize, cell: &[u8], faults: &mut Faults) {
        let name = &self.heads[i].name;
        let shown: String = String::from_utf8_lossy(cell).chars().take(60).collect();
        if matches!(self.columns[i], Builder::Numbers(_)) {
            faults.push_with(codes::NOT_A_NUMBER, || {
                let fault = not_a_number(&shown, self.spec.decimal_comma).help(format!(
                    "correct the cell; if `{name}` is no number, give it `one_hot` or `category`"
                ));
                self.places.locate(fault, self.len, i, name)
            });
            return;
        }
        faults.push_with(codes::DAMAGED, || {
            let fault = Fault::new(codes::DAMAGED, format!("`{shown}` is not UTF-8 text"))
                .help("save the file as UTF-8; from Latin-1: iconv -f latin1 -t utf8");
            self.places.locate(fault, self.len, i, name)
        });
    }

    fn finish(self, width: usize) -> Option<Raw> {
        debug_assert_eq!(self.columns.len(), width);
        let columns = self.columns.into_iter().map(|c| match c {
            Builder::Skip => Data::Skipped,
            Builder::Open(n) => Data::Numbers(vec![f64::NAN; n]),
            Builder::Numbers(values) => Data::Numbers(values),
            Builder::Text(names) => names.finish(),
        });
        Some(Raw { columns: columns.collect(), len: self.len, places: self.places })
    }
}

impl Builder {
    fn bytes(&self) -> usize {
        match self {
            Self::Skip | Self::Open(_) => 0,
            Self::Numbers(values) => values.capacity() * 8,
            Self::Text(names) => names.bytes(),
        }
    }
}

/// Numbers where at least half of the cells that are there are numbers.
fn guess(sample: &[Line], column: usize, comma: bool) -> Builder {
    let cells = sample.iter().filter_map(|l| l.cells.get(column));
    let mut there = 0usize;
    let mut numbers = 0usize;
    for cell in cells.filter(|c| !is_missing(c, true)) {
        there += 1;
        numbers += usize::from(number::parse(cell, comma).is_some());
    }
    match there {
        0 => Builder::Open(0),
        n if numbers * 2 >= n => Builder::Numbers(Vec::new()),
        _ => Builder::Text(Interner::default()),
    }
}

/// The kind of a column by its first cell that is not missing.
fn decide(missing: usize, cell: &[u8], comma: bool) -> Builder {
    if let Some(x) = number::parse(cell, comma) {
        let mut values = vec![f64::NAN; missing];
        values.push(x);
        return Builder::Numbers(values);
    }
    let mut names = Interner::default();
    (0..missing).for_each(|_| names.push_missing());
    if names.push(cell) { Builder::Text(names) } else { Builder::Open(missing) }
}
