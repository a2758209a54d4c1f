//! Rows that come one by one, or were read already: what a model that is
//! used is asked by a pipe or a program.
//!
//! A row is cut and read as it would be in a file. What a file decides by its
//! first rows is decided by the header, or for each cell alone, so that an
//! answer does not depend on which rows come with it.

use std::collections::{HashMap, VecDeque};
use std::io::Read;
use std::sync::Arc;

use super::file::{of_names, scan_fault, separator_line};
use super::json;
use super::reader::TableReader;
use super::{Line, by_names, is_blank, named, trim};
use crate::Limits;
use crate::columns;
use crate::dialect::{Dialect, Separator, Skip};
use crate::fault::{Fault, Faults, Place, codes};
use crate::input;
use crate::missing::Named;
use crate::raw::{Head, Raw, Want};
use crate::series;
use crate::source::Source;
use crate::source::builder::Cells;
use crate::source::decode;
use crate::source::number::{self, Digits};
use crate::source::scan::{ScanError, Scanner, Span};
use crate::spec::{CsvSpec, Role};
use crate::stats::Stats;

/// The longest row of a stream, in bytes.
const LONGEST: usize = 1 << 20;
/// Rows that cannot be cut may be so many more than a megabyte is read; after
/// that everything that waits is passed over with the next one.
const PATIENCE: u64 = 8;

/// What the columns of rows are called, and how their cells are written.
#[derive(Clone)]
pub struct Header {
    spec: CsvSpec,
    heads: Vec<Head>,
    cells: Arc<Cells>,
    /// Of objects of JSON: where the value of a key goes. Looked up only.
    keys: HashMap<String, usize>,
}

/// A row, as it stands where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// Its line, from 1.
    pub line: u64,
    /// Its cells, or why it could not be cut into any.
    pub cells: Result<Vec<Vec<u8>>, Box<Fault>>,
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Header").field("names", &self.names()).finish_non_exhaustive()
    }
}

impl PartialEq for Header {
    /// Whether rows of both can be read together.
    fn eq(&self, other: &Self) -> bool {
        let names = |a: &Head, b: &Head| a.name == b.name && a.unnamed == b.unnamed;
        self.heads.len() == other.heads.len()
            && self.heads.iter().zip(&other.heads).all(|(a, b)| names(a, b))
            && self.spec == other.spec
    }
}

impl Header {
    fn new(name: &str, dialect: &Dialect, heads: Vec<Head>) -> Self {
        let digits = Digits { comma: dialect.decimal_comma == Some(true), thousands: dialect.thousands };
        let na = Named::new(dialect.na.as_deref().unwrap_or_default());
        let spec = CsvSpec { dialect: dialect.clone(), ..CsvSpec::new(name) };
        Self { spec, heads, cells: Arc::new(Cells { digits, na }), keys: HashMap::new() }
    }

    /// The columns a model reads, for objects of JSON; `more` are kept beside
    /// them. `name` is what the rows come from, for messages.
    pub fn of_model(stats: &Stats, name: &str, dialect: &Dialect, more: &[String]) -> Self {
        let inputs = stats.columns.iter().filter(|c| c.role == Role::Input);
        let wanted = inputs.map(|c| (c.source(), c.position));
        let wanted = wanted.chain(stats.by.iter().map(|c| (c.name.as_str(), c.position)));
        let mut heads: Vec<Head> = Vec::new();
        let mut keys = HashMap::new();
        if !stats.named {
            // Columns without names are known by their places.
            heads.extend((1..=stats.width).map(|i| Head::made_up(format!("c{i}"), None)));
        }
        for (column, position) in wanted {
            if keys.contains_key(column) {
                continue;
            }
            match stats.named {
                true => {
                    keys.insert(column.to_string(), heads.len());
                    heads.push(Head::named(column));
                }
                false => drop(keys.insert(column.to_string(), position)),
            }
        }
        for column in more {
            if !keys.contains_key(column.as_str()) {
                keys.insert(column.clone(), heads.len());
                heads.push(Head::named(column.as_str()));
            }
        }
        // More columns would be another table, where columns have no names.
        if !stats.named {
            heads.truncate(stats.width);
            keys.retain(|_, at| *at < stats.width);
        }
        Self { keys, ..Self::new(name, dialect, heads) }
    }

    /// The names of the columns.
    pub fn names(&self) -> Vec<String> {
        self.heads.iter().map(|h| h.name.clone()).collect()
    }

    /// Whether the names are those of the source, and not made up.
    pub fn is_named(&self) -> bool {
        self.heads.iter().any(|h| !h.unnamed)
    }

    /// What the rows come from.
    pub fn source(&self) -> &str {
        &self.spec.path
    }

    /// That every column is there that a model reads.
    ///
    /// # Errors
    /// Those that are not.
    pub fn check(&self, stats: &Stats) -> Result<(), Vec<Fault>> {
        check(stats, &self.heads, &self.spec.path)
    }

    /// The columns of objects of JSON with these keys.
    ///
    /// # Errors
    /// The columns that a model reads and no object has.
    pub fn of_keys(
        stats: &Stats,
        name: &str,
        dialect: &Dialect,
        keys: &[String],
    ) -> Result<Self, Vec<Fault>> {
        let header = Self::of_model(stats, name, dialect, &[]);
        let heads: Vec<Head> = keys.iter().map(Head::named).collect();
        match stats.named {
            true => check(stats, &heads, name)?,
            false => {
                let lacks = |key: &&String| !keys.contains(key);
                let mut missing: Vec<&String> = header.keys.keys().filter(lacks).collect();
                missing.sort();
                if let Some(column) = missing.first() {
                    let message =
                        format!("`{name}` has no column `{column}`, which the model was trained on");
                    let mut all: Vec<&str> = header.keys.keys().map(String::as_str).collect();
                    all.sort_unstable();
                    let fault = Fault::new(codes::NO_COLUMN, message).path(name);
                    return Err(vec![fault.help(format!("the model reads {}", all.join(" ")))]);
                }
            }
        }
        Ok(header)
    }

    /// The row of an object of JSON.
    pub fn object(&self, line: u64, text: &[u8]) -> Given {
        let cells = json::cells(text, &self.keys, self.heads.len());
        let fault = |why: String| {
            let fault = Fault::new(codes::DAMAGED, format!("this is no object of JSON: {why}"));
            Box::new(fault.place(Place { line: Some(line), ..Place::default() }).path(&self.spec.path))
        };
        Given { line, cells: cells.map_err(fault) }
    }
}

/// That every column is there that a model reads.
fn check(stats: &Stats, heads: &[Head], name: &str) -> Result<(), Vec<Fault>> {
    let mut faults = Faults::new();
    columns::match_columns(stats, heads, name, &mut faults);
    series::again(stats, heads, name, &mut faults);
    faults.done(())
}

/// The keys of an object of JSON, as columns; none where it is no object.
pub fn keys(text: &[u8]) -> Vec<String> {
    json::names(text)
}

/// Cuts what comes into rows, each as soon as it is there.
pub struct Stream {
    scanner: Scanner,
    header: Arc<Header>,
    json: bool,
    /// What was read as a header and is a row.
    first: Option<Line>,
    /// Rows at the end that are not read.
    last: usize,
    held: VecDeque<Given>,
    spans: Vec<Span>,
    line: Vec<u8>,
    /// Rows that could not be cut.
    torn: u64,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("header", &self.header).finish_non_exhaustive()
    }
}

impl Stream {
    /// Opens stdin, packed or not.
    ///
    /// # Errors
    /// As [`Stream::open`].
    pub fn stdin(stats: &Stats, dialect: &Dialect, more: &[String]) -> Result<Self, Vec<Fault>> {
        let file = input::open("-", None).map_err(|f| vec![*f])?;
        Self::open(file.reader, "stdin", stats, dialect, more)
    }

    /// Waits for the first line, which holds the names of the columns; a line
    /// that begins with `{` is a row, and so are all after it. Of objects,
    /// the values of `more` are kept beside the columns that a model reads.
    ///
    /// # Errors
    /// What comes cannot be read, there is none, or a column is lacking.
    pub fn open(
        reader: Box<dyn Read + Send>,
        name: &str,
        stats: &Stats,
        dialect: &Dialect,
        more: &[String],
    ) -> Result<Self, Vec<Fault>> {
        let broken = |e| vec![input::broken(name, &e, None)];
        let encoding = match &dialect.encoding {
            Some(label) => Some(decode::encoding(label).map_err(|m| vec![Fault::new(codes::OPTION, m)])?),
            None => None,
        };
        let text = decode::open(reader, encoding).map_err(broken)?;
        let mut scanner = Scanner::patient(text.reader, LONGEST);
        let spec = CsvSpec { dialect: dialect.clone(), ..CsvSpec::new(name) };
        let fault = |e| vec![scan_fault(e, name, &spec)];
        scanner.first_line().map_err(fault)?;
        let json = scanner.peek().trim_ascii_start().first() == Some(&b'{');
        let mut stream = Self {
            scanner,
            header: Arc::new(Header::of_model(stats, name, dialect, more)),
            json,
            first: None,
            last: dialect.skip_last.filter(|_| !json).unwrap_or(0),
            held: VecDeque::new(),
            spans: Vec::new(),
            line: Vec::new(),
            torn: 0,
        };
        if !json {
            stream.names(&spec, stats)?;
        }
        Ok(stream)
    }

    /// Reads the line with the names.
    fn names(&mut self, spec: &CsvSpec, stats: &Stats) -> Result<(), Vec<Fault>> {
        let (dialect, name) = (&spec.dialect, spec.path.as_str());
        let fault = |e| vec![scan_fault(e, name, spec)];
        let scanner = &mut self.scanner;
        if let Some(mark) = &dialect.comment {
            scanner.set_comment(mark);
        }
        match &dialect.skip {
            &Some(Skip::First(lines)) => scanner.skip_first(lines).map_err(fault)?,
            Some(Skip::Lines(lines)) => scanner.set_skip(lines.clone()),
            None => {}
        }
        scanner.first_line().map_err(fault)?;
        let mut separator = dialect.separator;
        if let Some(said) = separator_line(scanner.peek()) {
            scanner.pass_line().map_err(fault)?;
            scanner.first_line().map_err(fault)?;
            separator = separator.or(Some(Separator::Byte(said)));
        }
        let known = || of_names(scanner, stats).or(stats.form.map(|f| f.separator));
        let separator = separator.or_else(known).unwrap_or(Separator::Byte(b','));
        scanner.set_separator(separator);
        let line = scanner.next(&mut self.spans).map_err(fault)?;
        let Some(line) = line else {
            return Err(vec![Fault::new(codes::EMPTY, format!("`{name}` is empty")).path(name)]);
        };
        let cells = self.spans.iter().map(|&s| trim(scanner.cell(s)).to_vec()).collect();
        let first = [Line { line, cells }];
        let header = Header::new(name, dialect, Vec::new());
        let is_header = dialect.header.or_else(|| Some(by_names(&first, &header.cells, stats)?.0));
        let is_value = |c: &Vec<u8>| number::parse(c, header.cells.digits).is_some();
        let is_header = is_header.unwrap_or_else(|| !first[0].cells.iter().all(is_value));
        let [first] = first;
        let heads = match is_header {
            true => named(&first.cells),
            false => (1..=first.cells.len()).map(|i| Head::made_up(format!("c{i}"), None)).collect(),
        };
        if is_header && first.cells.iter().any(|c| std::str::from_utf8(c).is_err()) {
            let fault = Fault::new(codes::DAMAGED, "the names of the columns are not UTF-8").path(name);
            return Err(vec![fault.place(Place { line: Some(line), ..Place::default() })]);
        }
        let header = Header { heads, ..header };
        header.check(stats)?;
        self.header = Arc::new(header);
        self.first = Some(first).filter(|_| !is_header);
        Ok(())
    }

    /// What the columns are called.
    pub fn header(&self) -> &Arc<Header> {
        &self.header
    }

    /// Whether the rows are objects of JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Waits for the next row; `None` after the last.
    ///
    /// # Errors
    /// Nothing more can be read.
    pub fn next_row(&mut self) -> Result<Option<Given>, Box<Fault>> {
        loop {
            let row = match self.json {
                true => self.object()?,
                false => self.record()?,
            };
            let Some(row) = row else { return Ok(None) };
            self.held.push_back(row);
            if self.held.len() > self.last {
                return Ok(self.held.pop_front());
            }
        }
    }

    fn record(&mut self) -> Result<Option<Given>, Box<Fault>> {
        if let Some(Line { line, cells }) = self.first.take() {
            return Ok(Some(Given { line, cells: Ok(cells) }));
        }
        loop {
            match self.scanner.next(&mut self.spans) {
                Ok(None) => return Ok(None),
                Ok(Some(line)) => {
                    let cells: Vec<Vec<u8>> =
                        self.spans.iter().map(|&s| trim(self.scanner.cell(s)).to_vec()).collect();
                    if is_blank(&cells, self.header.heads.len()) {
                        continue;
                    }
                    return Ok(Some(Given { line, cells: Ok(cells) }));
                }
                Err(error) => return self.torn(error).map(Some),
            }
        }
    }

    fn object(&mut self) -> Result<Option<Given>, Box<Fault>> {
        loop {
            let number = self.scanner.line();
            match self.scanner.next_line(&mut self.line) {
                Ok(false) => return Ok(None),
                Ok(true) if self.line.trim_ascii().is_empty() => {}
                Ok(true) => return Ok(Some(self.header.object(number, &self.line))),
                Err(error) => return self.torn(error).map(Some),
            }
        }
    }

    /// A row that cannot be cut: it is passed over as far as its first line
    /// ends, and where that happens all the time, as far as was read.
    fn torn(&mut self, error: ScanError) -> Result<Given, Box<Fault>> {
        let line = self.scanner.line();
        let name = self.header.spec.path.clone();
        let end = matches!(error, ScanError::Io(_));
        let fault = Box::new(scan_fault(error, &name, &self.header.spec));
        if end {
            return Err(fault);
        }
        self.torn += 1;
        let passed = match self.torn > PATIENCE + self.scanner.bytes_read() / LONGEST as u64 {
            true => self.scanner.pass_lines(),
            false => self.scanner.pass_line(),
        };
        passed.map_err(|e| Box::new(scan_fault(e, &name, &self.header.spec)))?;
        Ok(Given { line, cells: Err(fault) })
    }
}

/// Rows that were read, as a source.
pub(crate) struct GivenRows<'a> {
    pub(crate) header: &'a Header,
    pub(crate) rows: Vec<&'a Given>,
    pub(crate) limits: Limits,
}

impl Source for GivenRows<'_> {
    fn heads(&self) -> &[Head] {
        &self.header.heads
    }

    fn name(&self) -> &str {
        &self.header.spec.path
    }

    fn read(self: Box<Self>, wants: &[Want], faults: &mut Faults) -> Option<Raw> {
        let Header { spec, heads, cells, .. } = self.header;
        let mut table = TableReader::new(spec, &self.limits, heads, cells);
        table.begin(wants, &[], faults)?;
        table.each_alone(&spec.path);
        for row in self.rows {
            match &row.cells {
                Ok(cells) => {
                    let count = cells.len();
                    table.row(row.line, cells.iter().map(Vec::as_slice), count, faults);
                }
                Err(fault) => table.unread(row.line, fault, faults),
            }
        }
        let mut raw = table.finish(faults)?;
        raw.notes.clear();
        Some(raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{DataSpec, SourceSpec};
    use std::io::{self, Cursor};
    use std::sync::mpsc::{Receiver, channel};

    fn stats() -> Stats {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.csv");
        std::fs::write(&path, "a,kind,y\n1,u,3\n2,v,4\n3,u,5\n").unwrap();
        let spec = DataSpec::new(SourceSpec::Csv(CsvSpec::new(path.to_string_lossy())));
        crate::open(&spec).unwrap().stats
    }

    fn all(text: &[u8]) -> Vec<Given> {
        let text = Box::new(Cursor::new(text.to_vec()));
        let mut stream = Stream::open(text, "in", &stats(), &Dialect::default(), &[]).unwrap();
        let mut rows = Vec::new();
        while let Some(row) = stream.next_row().unwrap() {
            rows.push(row);
        }
        rows
    }

    fn cells(given: &Given) -> Vec<&str> {
        given.cells.as_ref().unwrap().iter().map(|c| std::str::from_utf8(c).unwrap()).collect()
    }

    /// Gives what a channel gives, and waits for it.
    struct Pipe(Receiver<&'static [u8]>, VecDeque<u8>);

    impl Read for Pipe {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            if self.1.is_empty() {
                let Ok(piece) = self.0.recv() else { return Ok(0) };
                self.1.extend(piece);
            }
            self.1.read(out)
        }
    }

    #[test]
    fn a_row_is_there_before_the_next() {
        let (send, receive) = channel();
        send.send(&b"\xef\xbb\xbfkind;a\n"[..]).unwrap();
        let stats = stats();
        let mut stream =
            Stream::open(Box::new(Pipe(receive, VecDeque::new())), "in", &stats, &Dialect::default(), &[])
                .unwrap();
        assert_eq!(stream.header().names(), ["kind", "a"]);
        send.send(b"u;\"1").unwrap();
        send.send(b"\"\n").unwrap();
        assert_eq!(cells(&stream.next_row().unwrap().unwrap()), ["u", "1"]);
        send.send(b"v;2\r\n").unwrap();
        assert_eq!(cells(&stream.next_row().unwrap().unwrap()), ["v", "2"]);
        drop(send);
        assert!(stream.next_row().unwrap().is_none());
    }

    #[test]
    fn objects_are_rows() {
        let rows = all(b"{\"kind\": \"u\", \"a\": 1.50, \"id\": 7}\n\n[1]\n{\"a\": null}\n{\"a\":1,\"a\":2}");
        assert_eq!(rows.iter().map(|r| r.line).collect::<Vec<_>>(), [1, 3, 4, 5]);
        assert_eq!(cells(&rows[0]), ["1.50", "u"]);
        assert!(rows[1].cells.is_err() && rows[3].cells.is_err());
        assert_eq!(cells(&rows[2]), ["", ""]);
    }

    /// A quote that is never closed takes its own line, and what comes after it is read.
    #[test]
    fn a_torn_row_is_one_row() {
        let mut text = b"a,kind\n1,u\n2,\"v\n".to_vec();
        (0..300_000).for_each(|_| text.extend(b"3,u\n"));
        let rows = all(&text);
        assert_eq!(rows.len(), 300_002);
        assert!(rows[1].cells.is_err() && rows[1].line == 3 && rows[2].line == 4);
        // Hostile: every line opens one anew, and none closes it.
        let mut text = b"a,kind\n1,\"u\n".to_vec();
        (0..1_000_000).for_each(|_| text.extend(b"2\"u,\"\n"));
        let rows = all(&text);
        assert!(rows.len() < 100 && rows.iter().all(|r| r.cells.is_err()), "{}", rows.len());
        // A line without an end.
        let mut text = b"a,kind\n".to_vec();
        text.extend(std::iter::repeat_n(b'x', 5 << 20));
        text.extend(b"\n1,u\n");
        let rows = all(&text);
        assert!(rows.len() == 2 && rows[0].cells.is_err(), "{}", rows.len());
        assert_eq!(cells(&rows[1]), ["1", "u"]);
    }

    #[test]
    fn what_is_lacking_is_told() {
        let open = |text: &'static [u8]| {
            Stream::open(Box::new(text), "in", &stats(), &Dialect::default(), &[]).unwrap_err()
        };
        assert_eq!(open(b"")[0].code, codes::EMPTY);
        assert!(open(b"a,kin\n1,u\n")[0].message.contains("no column `kind`"));
    }
}
