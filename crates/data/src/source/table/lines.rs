//! Lines of cells that a reader of another form makes, and what it says of their columns.

use std::io::{self, BufRead, Read};

use crate::fault::{Fault, Place, Told, codes};
use crate::raw::Declared;
use crate::source::scan::MAX_RECORD;
use crate::source::size;

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
