//! Files that hold a table in another form than lines of cells, turned into
//! those as they are read: what decides about columns, missing cells and
//! memory is then the same.

use std::io::{self, Read};
use std::sync::Arc;

use super::lines::{Columns, Turned, Turning};
use super::{arff, json};
use crate::disk::Writer;
use crate::fault::Fault;
use crate::input;
use crate::raw::Declared;
use crate::source::decode;
use crate::source::scan::Scanner;
use crate::spec::{CsvSpec, Role};
use crate::stats::{Fill, Stats};

/// What a file is, where it is no lines of cells.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// An object a line.
    Json,
    Arff,
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
