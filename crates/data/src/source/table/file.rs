//! Opening one file of a table: its encoding, what it is if it is no table,
//! the lines before it begins, and its separator.

use std::collections::VecDeque;

use super::lines::Columns;
use super::turned;
use super::{Line, separator, trim};
use crate::dialect::{Separator, Skip};
use crate::fault::{Fault, Place, codes};
use crate::input;
use crate::source::decode;
use crate::source::number::{self, Digits};
use crate::source::scan::{MAX_RECORD, ScanError, Scanner, Span};
use crate::source::size;
use crate::spec::CsvSpec;
use crate::stats::Stats;

/// A file whose records are being read.
pub(super) struct File {
    pub(super) path: String,
    pub(super) scanner: Scanner,
    /// Of gzip: the size of the file.
    pub(super) packed: Option<u64>,
    pub(super) separator: Separator,
    /// Where the file itself says which columns it has: them.
    pub(super) columns: Option<Columns>,
    /// What was found out about it, for people.
    pub(super) reading: Vec<String>,
    /// Records at the end that are not read.
    last: usize,
    held: VecDeque<Line>,
    spans: Vec<Span>,
}

/// Opens a file. Of a model that is used, the statistics say what its
/// columns are called and how they were separated; of another file of the
/// same table, the names of the first.
pub(super) fn open(
    spec: &CsvSpec,
    path: &str,
    known: Option<&Stats>,
    names: Option<&[String]>,
) -> Result<File, Box<Fault>> {
    let dialect = &spec.dialect;
    let broken = |e: std::io::Error| Box::new(input::broken(path, &e, spec.handle));
    let encoding = match &dialect.encoding {
        Some(label) => Some(decode::encoding(label).map_err(|m| {
            let fault = Fault::new(codes::OPTION, m).at(spec.handle);
            Box::new(fault.help("encoding=\"latin1\", \"windows-1252\", \"utf-16\", \"shift_jis\", …"))
        })?),
        None => None,
    };
    let file = input::open(path, spec.handle)?;
    let text = decode::open(file.reader, encoding).map_err(broken)?;
    let mut scanner = Scanner::new(text.reader).map_err(broken)?;
    let mut reading: Vec<String> = text.told.iter().map(|t| format!("encoding: {t}")).collect();
    if let Some(form) = turned::form(path, scanner.peek()) {
        let seekable = path != "-" && file.most.is_some();
        let turned = turned::open(form, scanner, seekable, spec, path, known, names)?;
        let mut scanner = Scanner::new(turned.reader).map_err(broken)?;
        scanner.count_records(turned.line);
        return Ok(File {
            path: path.to_string(),
            scanner,
            packed: file.packed,
            separator: Separator::Byte(b','),
            columns: Some(turned.columns),
            reading,
            last: dialect.skip_last.unwrap_or(0),
            held: VecDeque::new(),
            spans: Vec::new(),
        });
    }
    if let Some(fault) = no_table(path, scanner.peek()) {
        return Err(Box::new(fault.path(path).at(spec.handle)));
    }
    if let Some(mark) = &dialect.comment {
        scanner.set_comment(mark);
    }
    let fault = |e| Box::new(scan_fault(e, path, spec));
    match &dialect.skip {
        &Some(Skip::First(lines)) => scanner.skip_first(lines).map_err(fault)?,
        Some(Skip::Lines(lines)) => scanner.set_skip(lines.clone()),
        None => {}
    }
    let mut separator = dialect.separator;
    if let Some(said) = separator_line(scanner.peek()) {
        reading.push(format!("line {} says which separator there is", scanner.line()));
        scanner.pass_line().map_err(fault)?;
        separator = separator.or(Some(Separator::Byte(said)));
    }
    let separator = separator.unwrap_or_else(|| {
        if let Some(separator) = known.and_then(|k| of_names(&scanner, k)) {
            return separator;
        }
        let (found, why) = separator::find(&scanner, dialect.decimal_comma == Some(true));
        reading.extend(why.map(|w| format!("separator: {w}")));
        found
    });
    scanner.set_separator(separator);
    if separator == Separator::Byte(b'|')
        && dialect.skip.is_none()
        && let Some(line) = markdown_rule(&scanner)
    {
        reading.push(format!("line {line} is no row: it rules off the header of a Markdown table"));
        scanner.set_skip(vec![line]);
    }
    Ok(File {
        path: path.to_string(),
        scanner,
        packed: file.packed,
        separator,
        columns: None,
        reading,
        last: dialect.skip_last.unwrap_or(0),
        held: VecDeque::new(),
        spans: Vec::new(),
    })
}

impl File {
    /// Whether every record is read, so that none need be held back.
    pub(super) fn reads_all(&self) -> bool {
        self.last == 0
    }

    /// Records at the end that were held back.
    pub(super) fn held(&self) -> u64 {
        self.held.len() as u64
    }

    /// The next record that is to be read.
    pub(super) fn next_line(&mut self) -> Result<Option<Line>, ScanError> {
        loop {
            let Some(line) = self.scanner.next(&mut self.spans)? else { return Ok(None) };
            let cells = self.spans.iter().map(|&s| trim(self.scanner.cell(s)).to_vec()).collect();
            self.held.push_back(Line { line, cells });
            if self.held.len() > self.last {
                return Ok(self.held.pop_front());
            }
        }
    }
}

/// The line under the header of a Markdown table, `|---|:--:|`.
fn markdown_rule(scanner: &Scanner) -> Option<u64> {
    let mut look = scanner.over(scanner.peek());
    look.set_separator(Separator::Byte(b'|'));
    let mut spans = Vec::new();
    look.next(&mut spans).ok().flatten()?;
    let line = look.next(&mut spans).ok().flatten()?;
    let ruled = |cell: &[u8]| {
        let cell = cell.strip_prefix(b":").unwrap_or(cell);
        let cell = cell.strip_suffix(b":").unwrap_or(cell);
        cell.len() > 1 && cell.iter().all(|b| *b == b'-')
    };
    let cells: Vec<&[u8]> = spans.iter().map(|&s| trim(look.cell(s))).filter(|c| !c.is_empty()).collect();
    (!cells.is_empty() && cells.iter().all(|c| ruled(c))).then_some(line)
}

/// `sep=;`, which Excel reads and writes as a first line.
pub(super) fn separator_line(head: &[u8]) -> Option<u8> {
    let line = &head[..memchr::memchr2(b'\n', b'\r', head)?];
    let line = line.strip_prefix(b"\"").and_then(|l| l.strip_suffix(b"\"")).unwrap_or(line);
    match line {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', one] if !one.is_ascii_alphanumeric() => Some(*one),
        _ => None,
    }
}

/// The separator under which the first line is made of the names a model
/// knows, or has as many cells as its table had.
pub(super) fn of_names(scanner: &Scanner, known: &Stats) -> Option<Separator> {
    let trained = known.form.map(|f| f.separator);
    let bytes = [b',', b'\t', b';', b'|'].map(Separator::Byte);
    let all = trained.into_iter().chain(bytes).chain([Separator::Blanks]);
    let first = |separator| {
        let mut look = scanner.over(scanner.peek());
        look.set_separator(separator);
        let mut spans = Vec::new();
        look.next(&mut spans).ok().flatten()?;
        let cells: Vec<Vec<u8>> = spans.iter().map(|&s| trim(look.cell(s)).to_vec()).collect();
        Some(cells)
    };
    let names: Vec<&str> = known.columns.iter().map(|c| c.source()).collect();
    let named = |separator: &Separator| {
        let cells = first(*separator).unwrap_or_default();
        // A table of one column has been read with this separator; with
        // others a single cell says nothing.
        let whole = cells.len() > 1 || Some(*separator) == trained;
        whole && cells.iter().any(|c| names.iter().any(|n| n.as_bytes() == c))
    };
    let mut all = all;
    all.find(named).or_else(|| trained.filter(|&s| first(s).is_some_and(|c| c.len() == known.width)))
}

/// What a file is that is no table in text.
fn no_table(path: &str, head: &[u8]) -> Option<Fault> {
    let wrong = |what: &str, help: String| {
        Some(Fault::new(codes::DAMAGED, format!("`{path}` is {what}, not a table in text")).help(help))
    };
    let pandas = |read: &str| {
        let name = super::file_name(path);
        let stem = match name.rsplit_once('.') {
            Some((stem, ending)) if !ending.eq_ignore_ascii_case("csv") => stem,
            _ => "table",
        };
        format!("with pandas: pd.{read}(\"{name}\").to_csv(\"{stem}.csv\", index=False)")
    };
    if head.starts_with(b"PK\x03\x04") {
        let help = match path.to_ascii_lowercase() {
            p if p.ends_with(".xlsx") || p.ends_with(".xlsm") || p.ends_with(".ods") => {
                return wrong("a spreadsheet", pandas("read_excel"));
            }
            _ => "a spreadsheet is exported as CSV first; an .npz is read with `data npz`",
        };
        return wrong("a zip archive", help.into());
    }
    if head.starts_with(b"PAR1") {
        return wrong("Parquet", pandas("read_parquet"));
    }
    if head.starts_with(b"ARROW1") || head.starts_with(b"FEA1") {
        return wrong("Feather (Arrow)", pandas("read_feather"));
    }
    if head.starts_with(b"\x89HDF\r\n\x1a\n") {
        return wrong("HDF5", pandas("read_hdf"));
    }
    if head.starts_with(b"\xd0\xcf\x11\xe0") {
        return wrong("an old spreadsheet of Excel", pandas("read_excel"));
    }
    if head.starts_with(b"SQLite format 3\0") {
        let help = "sqlite3 -header -csv FILE 'select * from TABLE' > table.csv";
        return wrong("a database (SQLite)", help.into());
    }
    let text = head.trim_ascii_start();
    let low: Vec<u8> = text.iter().take(400).map(u8::to_ascii_lowercase).collect();
    let after = text.get(1..).unwrap_or_default().trim_ascii_start();
    match (text.first(), after.first()) {
        (Some(b'{'), Some(b'"')) | (Some(b'['), Some(b'{' | b'[')) => {
            return wrong("JSON", pandas("read_json"));
        }
        (Some(b'<'), _) if is_marked_up(&low) => {
            let has = |tag: &[u8]| memchr::memmem::find(&low, tag).is_some();
            let html = [&b"<!doctype h"[..], b"<html", b"<table", b"<body", b"<div", b"<tr", b"<p>"];
            return match html.into_iter().any(has) {
                true => wrong("HTML", pandas("read_html").replace(").to", ")[0].to")),
                false => wrong("XML", pandas("read_xml")),
            };
        }
        _ => {}
    }
    if is_libsvm(text) {
        let name = super::file_name(path);
        let help = format!(
            "with scikit-learn: x, y = sklearn.datasets.load_svmlight_file(\"{name}\")\n\
             np.savez(\"table.npz\", x=x.toarray(), y=y), and then data npz \"table.npz\" {{ input x; target y }}"
        );
        return wrong("LIBSVM's sparse format", help);
    }
    if decode::looks_like_utf32(head) {
        let help = format!("iconv -f utf-32 -t utf-8 {0} > utf8-{0}", super::file_name(path));
        return wrong("UTF-32", help)
            .map(|f| Fault { message: format!("`{path}` is UTF-32, which is not read"), ..f });
    }
    if let Some(encoding) = decode::looks_like_utf16(head) {
        let help = format!("data \"{}\" encoding=\"{encoding}\"", super::file_name(path));
        let fault = Fault::new(codes::DAMAGED, format!("`{path}` is UTF-16 without a byte order mark"));
        return Some(fault.remedy(format!("encoding=\"{encoding}\"")).help(help));
    }
    if memchr::memchr(0, head).is_some() {
        return wrong("binary", "name the format: `data npy`, `data npz`, `data idx`".into());
    }
    None
}

/// Whether a text begins with a tag, in small letters.
fn is_marked_up(low: &[u8]) -> bool {
    matches!(low.get(1), Some(b'a'..=b'z' | b'!' | b'?')) && low.contains(&b'>')
}

/// Whether the first lines are a number and then `1:0.5 7:2`, or `qid:3`.
fn is_libsvm(text: &[u8]) -> bool {
    let pair = |word: &[u8]| {
        let at = memchr::memchr(b':', word);
        at.is_some_and(|at| {
            at > 0
                && (word[..at].iter().all(u8::is_ascii_digit) || &word[..at] == b"qid")
                && number::parse(&word[at + 1..], Digits::default()).is_some()
        })
    };
    let line = |line: &[u8]| {
        let mut words = line.split(|b| b.is_ascii_whitespace()).filter(|w| !w.is_empty());
        let first = words.next().is_some_and(|w| number::parse(w, Digits::default()).is_some());
        let rest: Vec<&[u8]> = words.collect();
        first && !rest.is_empty() && rest.iter().all(|w| pair(w))
    };
    let mut lines = text.split(|b| *b == b'\n').filter(|l| !l.trim_ascii().is_empty()).take(3);
    lines.next().is_some_and(line) && lines.next().is_none_or(line)
}

/// What went wrong while a file was cut into records.
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
            let most = size(MAX_RECORD as u64);
            Fault::new(codes::TOO_BIG, format!("this row is longer than {most}"))
                .place(place(line, None))
                .help("is this a table in text at all?")
        }
    };
    fault.path(path).at(spec.handle)
}
