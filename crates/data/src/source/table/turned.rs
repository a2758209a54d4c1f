//! Files that hold a table in another form than lines of cells, turned into
//! those as they are read: what decides about columns, missing cells and
//! memory is then the same.

use std::fmt;
use std::io::{self, BufRead, Read};
use std::sync::Arc;

use super::{arff, json};
use crate::disk::Writer;
use crate::fault::{Fault, Place, codes};
use crate::input;
use crate::raw::Declared;
use crate::source::decode;
use crate::source::scan::{MAX_RECORD, Scanner};
use crate::source::size;
use crate::spec::{CsvSpec, Role};
use crate::stats::{Fill, Stats};

/// What a file is, where it is no lines of cells.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// An object a line.
    Json,
    Arff,
}

/// A table that is turned into lines of cells, with its names as the first.
pub(super) struct Turned {
    pub(super) reader: Box<dyn Read + Send>,
    /// The line of the file that the names stand for.
    pub(super) line: u64,
    pub(super) columns: Columns,
}

/// What such a file says about its columns.
#[derive(Clone, Default)]
pub(super) struct Columns {
    pub(super) names: Vec<String>,
    pub(super) declared: Vec<Declared>,
    /// For each the first line where it holds a list.
    pub(super) lists: Vec<Option<u64>>,
    /// For people.
    pub(super) why: &'static str,
}

/// What a file is by its name and its first bytes.
pub(super) fn form(path: &str, head: &[u8]) -> Option<Form> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let low = path.to_ascii_lowercase();
    let low = low.strip_suffix(".gz").unwrap_or(&low);
    let named = low.ends_with(".jsonl") || low.ends_with(".ndjson");
    match text.first()? {
        b'{' if named || is_lines_of_json(text) => Some(Form::Json),
        b'[' | b'"' if named => Some(Form::Json),
        b'@' | b'%' if arff::begins(text) => Some(Form::Arff),
        _ => None,
    }
}

/// Whether the first line is an object.
fn is_lines_of_json(text: &[u8]) -> bool {
    let after = text[1..].trim_ascii_start();
    let line = text.split(|b| *b == b'\n').next().unwrap_or_default().trim_ascii();
    matches!(after.first(), Some(b'"' | b'}')) && line.ends_with(b"}")
}

/// Turns a file; the columns of other files of the same table are given.
pub(super) fn open(
    form: Form,
    scanner: Scanner,
    seekable: bool,
    spec: &CsvSpec,
    path: &str,
    known: Option<&Stats>,
    columns: Option<&[String]>,
) -> Result<Turned, Box<Fault>> {
    let broken = |e: io::Error| Box::new(input::broken(path, &e, spec.handle));
    match form {
        Form::Arff => arff::open(scanner.into_reader()).map_err(broken),
        Form::Json => {
            if let Some(names) = columns {
                let keys = json::Keys { names: names.to_vec(), lists: vec![None; names.len()] };
                return Ok(lines(keys, scanner.into_reader()));
            }
            let (mut keys, again) = match seekable {
                true => {
                    let keys = json::keys(scanner.into_reader()).map_err(broken)?;
                    let encoding = spec.dialect.encoding.as_deref().and_then(|l| decode::encoding(l).ok());
                    let file = input::open(path, spec.handle)?;
                    let text = decode::open(file.reader, encoding).map_err(broken)?;
                    (keys, Scanner::new(text.reader).map_err(broken)?.into_reader())
                }
                // What can be read once only is kept.
                false => {
                    let mut copy =
                        Copying { reader: scanner.into_reader(), writer: Writer::new().map_err(broken)? };
                    let keys = json::keys(&mut copy).map_err(broken)?;
                    let file = copy.writer.finish().map_err(broken)?;
                    (keys, input::kept(Arc::new(file)))
                }
            };
            expect(&mut keys, known);
            Ok(lines(keys, again))
        }
    }
}

/// A key that no object has, and that a model has a rule for, is missing
/// everywhere.
fn expect(keys: &mut json::Keys, known: Option<&Stats>) {
    let inputs = known.iter().flat_map(|k| &k.columns).filter(|c| c.role == Role::Input);
    for column in inputs.filter(|c| c.fill != Fill::Fault) {
        if !keys.names.iter().any(|n| n == column.source()) {
            keys.names.push(column.source().to_string());
            keys.lists.push(None);
        }
    }
}

fn lines(keys: json::Keys, reader: Box<dyn Read + Send>) -> Turned {
    let turn = Turning::new(&keys.names, json::Json::new(reader, &keys.names));
    let declared = vec![Declared::default(); keys.names.len()];
    let columns = Columns {
        names: keys.names,
        declared,
        lists: keys.lists,
        why: "JSON, one object a line: the columns are its keys",
    };
    Turned { reader: Box::new(turn), line: 0, columns }
}

/// Lines of cells, one after the other.
pub(super) trait Lines {
    /// Appends the next one; whether there is one.
    fn next(&mut self, out: &mut Vec<u8>) -> io::Result<bool>;
}

/// Reads the lines as one text.
pub(super) struct Turning<L> {
    lines: L,
    out: Vec<u8>,
    at: usize,
}

impl<L: Lines> Turning<L> {
    pub(super) fn new(names: &[String], lines: L) -> Self {
        let mut out = Vec::new();
        for (i, name) in names.iter().enumerate() {
            out.extend((i > 0).then_some(b','));
            put_cell(&mut out, name.as_bytes(), true);
        }
        // A file without a column has no line at all.
        if !out.is_empty() {
            out.push(b'\n');
        }
        Self { lines, out, at: 0 }
    }
}

impl<L: Lines> Read for Turning<L> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.at == self.out.len() {
            self.out.clear();
            self.at = 0;
            if !self.lines.next(&mut self.out)? {
                return Ok(0);
            }
        }
        let n = to.len().min(self.out.len() - self.at);
        to[..n].copy_from_slice(&self.out[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

/// Writes a cell, in quotes where it is a text.
pub(super) fn put_cell(out: &mut Vec<u8>, cell: &[u8], text: bool) {
    if !text {
        out.extend_from_slice(cell);
        return;
    }
    out.push(b'"');
    for &byte in cell {
        out.extend((byte == b'"').then_some(b'"'));
        out.push(byte);
    }
    out.push(b'"');
}

/// The next line without its end; whether there is one.
pub(super) fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>, number: u64) -> io::Result<bool> {
    line.clear();
    let n = reader.by_ref().take(MAX_RECORD as u64 + 1).read_until(b'\n', line)?;
    if n > MAX_RECORD {
        let fault =
            Fault::new(codes::TOO_BIG, format!("this line is longer than {}", size(MAX_RECORD as u64)));
        return Err(Told::error(fault.place(Place { line: Some(number), ..Place::default() })));
    }
    while matches!(line.last(), Some(b'\n' | b'\r')) {
        line.pop();
    }
    Ok(n > 0)
}

/// Copies what is read.
struct Copying<R> {
    reader: R,
    writer: Writer,
}

impl<R: Read> Read for Copying<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(to)?;
        self.writer.put_bytes(&to[..n])?;
        Ok(n)
    }
}

/// A fault on its way through a reader.
#[derive(Debug)]
pub(crate) struct Told(pub(crate) Fault);

impl Told {
    pub(super) fn error(fault: Fault) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, Self(fault))
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl std::error::Error for Told {}
