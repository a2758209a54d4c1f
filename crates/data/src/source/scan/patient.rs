//! Scanning what comes through a pipe: nothing is read before it is needed.

use std::io::Read;

use memchr::memchr_iter;

use super::{FIRST_BUFFER, Passed, ScanError, Scanner};
use crate::dialect::Separator;
use crate::source::ends::line_end;

impl Scanner {
    /// Reads nothing before it is asked for, and then no more than is needed:
    /// of a pipe, a record is there before the next one comes.
    pub(crate) fn patient(reader: Box<dyn Read + Send>, longest: usize) -> Self {
        Self {
            reader,
            buffer: vec![0; FIRST_BUFFER.min(longest)],
            start: 0,
            end: 0,
            at_end: false,
            line: 1,
            separator: Separator::Byte(b','),
            returns: false,
            comment: Vec::new(),
            skip: Vec::new(),
            one_line: false,
            read: 0,
            passed: Passed::default(),
            longest,
        }
    }

    /// Reads until a line is there that is not empty, and all of it.
    pub(crate) fn first_line(&mut self) -> Result<(), ScanError> {
        loop {
            if self.line == 1 && self.read > 0 && self.peek().starts_with(&[0xef, 0xbb, 0xbf]) {
                self.start += 3;
            }
            match line_end(&self.buffer[..self.end], self.start, self.at_end) {
                Some((end, next)) if end == self.start => {
                    self.start = next;
                    self.line += 1;
                }
                Some(_) => return Ok(()),
                None if self.at_end => return Ok(()),
                None => self.refill(None)?,
            }
        }
    }

    /// The next line, whatever it holds, without its end; whether there is one.
    pub(crate) fn next_line(&mut self, out: &mut Vec<u8>) -> Result<bool, ScanError> {
        loop {
            out.clear();
            match line_end(&self.buffer[..self.end], self.start, self.at_end) {
                Some((end, next)) => {
                    out.extend_from_slice(&self.buffer[self.start..end]);
                    (self.start, self.line) = (next, self.line + 1);
                    return Ok(true);
                }
                None if self.at_end => {
                    out.extend_from_slice(self.peek());
                    self.start = self.end;
                    self.line += 1;
                    return Ok(!out.is_empty());
                }
                None => self.refill(None)?,
            }
        }
    }

    /// Passes over all lines that are there, at least one.
    pub(crate) fn pass_lines(&mut self) -> Result<(), ScanError> {
        match memchr::memrchr(b'\n', self.peek()) {
            Some(end) => {
                self.line += memchr_iter(b'\n', &self.peek()[..=end]).count() as u64;
                self.start += end + 1;
                Ok(())
            }
            None => self.pass_line(),
        }
    }
}
