//! Cutting a CSV file into records.
//!
//! Not the `csv` crate, for two reasons: it does not say that a quote is
//! never closed, and it lets a record grow without end; both decide what a
//! broken or hostile file does here. A test compares the two on random text.

mod patient;

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memchr2, memchr3};

use crate::dialect::Separator;
use crate::source::ends::{after_line, close_quote, line_end};

/// The longest record, in bytes.
pub(crate) const MAX_RECORD: usize = 16 << 20;

const FIRST_BUFFER: usize = 1 << 17;

/// A file being cut into records. A line ends with `\n`, `\r\n`, or `\r`
/// alone, as Macs wrote it before 2001; one file may have all three.
pub(crate) struct Scanner {
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// The unread bytes are `start..end`.
    start: usize,
    end: usize,
    at_end: bool,
    /// The line the next record begins at, from 1.
    line: u64,
    separator: Separator,
    /// Whether a `\r` has come; before that, nothing looks for one.
    returns: bool,
    /// What begins a comment.
    comment: Vec<u8>,
    /// Lines that are passed over, in order.
    skip: Vec<u64>,
    /// Whether each record is a line of the file, whatever is in its cells.
    one_line: bool,
    read: u64,
    passed: Passed,
    /// The longest record.
    longest: usize,
}

/// Lines that are not read because a program says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Named by `skip=`.
    pub(crate) skipped: u64,
    /// Nothing but a comment.
    pub(crate) comments: u64,
    /// Read as far as a comment in them.
    pub(crate) cut: u64,
}

/// What ends the scanning early.
#[derive(Debug)]
pub(crate) enum ScanError {
    Io(io::Error),
    /// A quote opened at this line and column is never closed.
    OpenQuote {
        line: u64,
        column: usize,
    },
    /// The record that begins at this line is too long.
    TooLong {
        line: u64,
    },
}

/// Where a cell stands in the scanner's buffer.
pub(crate) type Span = (usize, usize);

enum Parsed {
    /// The record ends; the next begins here, this many lines further down;
    /// whether it ended with a comment.
    Record(usize, u64, bool),
    /// The buffer ends first, within a quote or not.
    Short { quote: Option<(u64, usize)> },
}

impl Scanner {
    /// Reads the first bytes; how they are written is set later.
    pub(crate) fn new(reader: Box<dyn Read + Send>) -> io::Result<Self> {
        let mut scanner = Self {
            reader,
            buffer: vec![0; FIRST_BUFFER],
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
            longest: MAX_RECORD,
        };
        while !scanner.at_end && scanner.end < scanner.buffer.len() {
            scanner.read_more()?;
        }
        if scanner.buffer[..scanner.end].starts_with(&[0xef, 0xbb, 0xbf]) {
            scanner.start = 3;
        }
        Ok(scanner)
    }

    /// The bytes that are read and not yet cut.
    pub(crate) fn peek(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Whether [`peek`](Self::peek) is all there is.
    pub(crate) fn is_whole(&self) -> bool {
        self.at_end
    }

    /// A look at bytes that are yet to come, read in the same way.
    pub(crate) fn over(&self, bytes: &[u8]) -> Self {
        Self {
            reader: Box::new(io::empty()),
            buffer: bytes.to_vec(),
            start: 0,
            end: bytes.len(),
            at_end: true,
            line: self.line,
            separator: self.separator,
            returns: self.returns,
            comment: self.comment.clone(),
            skip: self.skip.clone(),
            one_line: self.one_line,
            read: 0,
            passed: Passed::default(),
            longest: self.longest,
        }
    }

    /// What is read and not yet cut, and what is to come.
    pub(crate) fn into_reader(self) -> Box<dyn Read + Send> {
        Box::new(io::Cursor::new(self.buffer[self.start..self.end].to_vec()).chain(self.reader))
    }

    /// Says that the first record stands at `line`, and that each is a line.
    pub(crate) fn count_records(&mut self, line: u64) {
        self.line = line;
        self.one_line = true;
    }

    /// Sets what stands between cells.
    pub(crate) fn set_separator(&mut self, separator: Separator) {
        self.separator = separator;
    }

    /// Sets what begins a comment.
    pub(crate) fn set_comment(&mut self, mark: &str) {
        self.comment = mark.as_bytes().to_vec();
    }

    /// Sets the lines that are passed over.
    pub(crate) fn set_skip(&mut self, mut lines: Vec<u64>) {
        lines.sort_unstable();
        self.skip = lines;
    }

    /// Lines passed over so far.
    pub(crate) fn passed(&self) -> Passed {
        self.passed
    }

    /// Passes over the first lines, as far as there are so many.
    pub(crate) fn skip_first(&mut self, lines: u64) -> Result<(), ScanError> {
        let before = self.line;
        (0..lines).try_for_each(|_| self.pass_line())?;
        self.passed.skipped += self.line - before;
        Ok(())
    }

    /// Bytes read so far, unpacked.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.read
    }

    /// The line the next record begins at.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The bytes of a cell of the last record.
    pub(crate) fn cell(&self, span: Span) -> &[u8] {
        &self.buffer[span.0..span.1]
    }

    /// Whether a cell of the last record stood in quotes.
    pub(crate) fn was_quoted(&self, span: Span) -> bool {
        span.0.checked_sub(1).is_some_and(|i| self.buffer[i] == b'"')
    }

    /// Passes over a line, whatever it holds.
    pub(crate) fn pass_line(&mut self) -> Result<(), ScanError> {
        loop {
            match line_end(&self.buffer[..self.end], self.start, self.at_end) {
                Some((_, next)) => {
                    self.start = next;
                    self.line += 1;
                    return Ok(());
                }
                None if self.at_end => {
                    self.line += u64::from(self.start < self.end);
                    self.start = self.end;
                    return Ok(());
                }
                None => {
                    // A `\r` at the end may be half a line end.
                    let keep = usize::from(self.end > self.start && self.buffer[self.end - 1] == b'\r');
                    self.start = self.end - keep;
                    self.refill(None)?;
                }
            }
        }
    }

    /// Cuts the next record into `cells` and says at which line it begins.
    /// Empty lines are passed over.
    pub(crate) fn next(&mut self, cells: &mut Vec<Span>) -> Result<Option<u64>, ScanError> {
        loop {
            if self.start == self.end && self.at_end {
                return Ok(None);
            }
            if !self.skip.is_empty() && self.skip.binary_search(&self.line).is_ok() {
                self.pass_line()?;
                self.passed.skipped += 1;
                continue;
            }
            let parsed = match self.separator {
                Separator::Byte(separator) if self.comment.is_empty() => self.parse(separator, cells),
                separator => self.parse_with_care(separator, cells),
            };
            match parsed {
                Parsed::Record(next, lines, comment) => {
                    let empty = match cells.as_slice() {
                        [] => true,
                        [(a, b)] => a == b && self.buffer.get(self.start) != Some(&b'"'),
                        _ => false,
                    };
                    self.passed.comments += u64::from(comment && empty);
                    self.passed.cut += u64::from(comment && !empty);
                    let line = self.line;
                    self.line += if self.one_line { 1 } else { lines };
                    self.start = next;
                    if !empty {
                        self.unquote(cells);
                        return Ok(Some(line));
                    }
                }
                Parsed::Short { quote } if self.at_end => {
                    let (line, column) = quote.unwrap_or((self.line, 1));
                    return Err(ScanError::OpenQuote { line, column });
                }
                Parsed::Short { quote } => self.refill(quote)?,
            }
        }
    }

    fn parse(&self, separator: u8, cells: &mut Vec<Span>) -> Parsed {
        cells.clear();
        let bytes = &self.buffer[..self.end];
        let mut at = self.start;
        let mut lines = 0u64;
        loop {
            let begin = at;
            if bytes.get(at) == Some(&b'"') {
                let column = cells.len() + 1;
                let Some(close) = close_quote(bytes, at, self.at_end) else {
                    let quote = Some((self.line + lines, column));
                    return Parsed::Short { quote };
                };
                lines += self.line_ends(&bytes[at..close]);
                at = close + 1;
            }
            let rest = &bytes[at..];
            let end = match self.returns {
                true => memchr3(separator, b'\n', b'\r', rest),
                false => memchr2(separator, b'\n', rest),
            };
            match end {
                Some(n) if rest[n] == separator => {
                    cells.push((begin, at + n));
                    at += n + 1;
                }
                Some(n) => {
                    let Some(next) = after_line(bytes, at + n, self.at_end) else {
                        return Parsed::Short { quote: None };
                    };
                    cells.push((begin, at + n));
                    return Parsed::Record(next, lines + 1, false);
                }
                None if self.at_end => {
                    cells.push((begin, self.end));
                    return Parsed::Record(self.end, lines + 1, false);
                }
                None => return Parsed::Short { quote: None },
            }
        }
    }

    /// The same with comments, and with runs of blanks for a separator.
    fn parse_with_care(&self, separator: Separator, cells: &mut Vec<Span>) -> Parsed {
        cells.clear();
        let bytes = &self.buffer[..self.end];
        let is_separator = |b: u8| match separator {
            Separator::Byte(s) => b == s,
            Separator::Blanks => matches!(b, b' ' | b'\t'),
        };
        let blanks = separator == Separator::Blanks;
        let mut at = self.start;
        let mut lines = 0u64;
        loop {
            while blanks && bytes.get(at).is_some_and(|&b| is_separator(b)) {
                at += 1;
            }
            let begin = at;
            if bytes.get(at) == Some(&b'"') {
                let column = cells.len() + 1;
                let Some(close) = close_quote(bytes, at, self.at_end) else {
                    let quote = Some((self.line + lines, column));
                    return Parsed::Short { quote };
                };
                lines += self.line_ends(&bytes[at..close]);
                at = close + 1;
            }
            loop {
                let Some(&byte) = bytes.get(at) else {
                    if !self.at_end {
                        return Parsed::Short { quote: None };
                    }
                    if !(blanks && begin == at) {
                        cells.push((begin, at));
                    }
                    return Parsed::Record(self.end, lines + 1, false);
                };
                let free = at == begin || matches!(bytes[at - 1], b' ' | b'\t');
                if free && !self.comment.is_empty() && byte == self.comment[0] {
                    let rest = &bytes[at..];
                    if rest.len() < self.comment.len() && !self.at_end {
                        return Parsed::Short { quote: None };
                    }
                    if rest.starts_with(&self.comment) {
                        let next = match line_end(bytes, at, self.at_end) {
                            Some((_, next)) => next,
                            None if self.at_end => self.end,
                            None => return Parsed::Short { quote: None },
                        };
                        // A line of nothing else is no record.
                        let text = !bytes[begin..at].trim_ascii().is_empty();
                        if text || !(cells.is_empty() || blanks) {
                            cells.push((begin, at));
                        }
                        return Parsed::Record(next, lines + 1, true);
                    }
                }
                if byte == b'\n' || byte == b'\r' {
                    let Some(next) = after_line(bytes, at, self.at_end) else {
                        return Parsed::Short { quote: None };
                    };
                    if !(blanks && begin == at) {
                        cells.push((begin, at));
                    }
                    return Parsed::Record(next, lines + 1, false);
                }
                at += 1;
                if is_separator(byte) {
                    cells.push((begin, at - 1));
                    break;
                }
            }
        }
    }

    fn line_ends(&self, bytes: &[u8]) -> u64 {
        let lines = memchr_iter(b'\n', bytes).count();
        let alone = |i: &usize| bytes.get(i + 1) != Some(&b'\n');
        let more = if self.returns { memchr_iter(b'\r', bytes).filter(alone).count() } else { 0 };
        (lines + more) as u64
    }

    /// Takes the quotes off, in place.
    fn unquote(&mut self, cells: &mut [Span]) {
        for (begin, end) in cells {
            if *end - *begin < 2 || self.buffer[*begin] != b'"' {
                continue;
            }
            let simple =
                self.buffer[*end - 1] == b'"' && memchr(b'"', &self.buffer[*begin + 1..*end - 1]).is_none();
            if simple {
                (*begin, *end) = (*begin + 1, *end - 1);
                continue;
            }
            let (mut from, mut to, mut quoted) = (*begin + 1, *begin, true);
            while from < *end {
                let byte = self.buffer[from];
                from += 1;
                if byte == b'"' && quoted {
                    if from < *end && self.buffer[from] == b'"' {
                        from += 1;
                    } else {
                        quoted = false;
                        continue;
                    }
                }
                self.buffer[to] = byte;
                to += 1;
            }
            *end = to;
        }
    }

    fn refill(&mut self, quote: Option<(u64, usize)>) -> Result<(), ScanError> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            if self.buffer.len() >= self.longest {
                return Err(match quote {
                    Some((line, column)) => ScanError::OpenQuote { line, column },
                    None => ScanError::TooLong { line: self.line },
                });
            }
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        self.read_more().map_err(ScanError::Io)
    }

    fn read_more(&mut self) -> io::Result<()> {
        loop {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.at_end = true,
                Ok(n) => {
                    let new = &self.buffer[self.end..self.end + n];
                    self.returns = self.returns || memchr(b'\r', new).is_some();
                    self.end += n;
                    self.read += n as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            }
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes in small pieces.
    struct Drip(Vec<u8>, usize, usize);

    impl Read for Drip {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let n = self.2.min(out.len()).min(self.0.len() - self.1);
            out[..n].copy_from_slice(&self.0[self.1..self.1 + n]);
            self.1 += n;
            Ok(n)
        }
    }

    type Records = Vec<(u64, Vec<String>)>;

    fn scan(text: &[u8], buffer: usize) -> Result<Records, ScanError> {
        let mut scanner = Scanner::new(Box::new(Drip(text.to_vec(), 0, usize::MAX))).unwrap();
        if buffer > 0 {
            // As if the first read had brought only a few bytes.
            let all = scanner.peek().to_vec();
            let n = buffer.min(all.len());
            scanner.buffer = all[..n].to_vec();
            scanner.buffer.resize(n.max(1), 0);
            (scanner.start, scanner.end, scanner.at_end) = (0, n, false);
            scanner.reader = Box::new(Drip(all[n..].to_vec(), 0, buffer));
        }
        let mut cells = Vec::new();
        let mut records = Vec::new();
        while let Some(line) = scanner.next(&mut cells)? {
            let texts = cells.iter().map(|&s| String::from_utf8_lossy(scanner.cell(s)).into_owned());
            records.push((line, texts.collect()));
        }
        Ok(records)
    }

    #[test]
    fn quotes_lines_and_endings() {
        let text = b"\xef\xbb\xbfa,b\r\n\r\n\"x,\"\"y\"\"\n z\",2\r\n\n3,\"\"\n4,";
        let records = scan(text, 0).unwrap();
        let flat: Vec<(u64, Vec<&str>)> =
            records.iter().map(|(l, c)| (*l, c.iter().map(String::as_str).collect())).collect();
        assert_eq!(
            flat,
            [(1, vec!["a", "b"]), (3, vec!["x,\"y\"\n z", "2"]), (6, vec!["3", ""]), (7, vec!["4", ""]),]
        );
        assert_eq!(scan(b"a,b\r1,2\r", 0).unwrap().len(), 2);
    }

    #[test]
    fn one_file_with_every_line_end() {
        let text = b"a,b\r1,2\r\r\n3,\"x\ry\r\nz\"\n4,5\r";
        for buffer in [0, 1, 2, 3, 5] {
            let records = scan(text, buffer).unwrap();
            let lines: Vec<u64> = records.iter().map(|r| r.0).collect();
            assert_eq!(lines, [1, 2, 4, 7], "{records:?}");
            assert_eq!(records[2].1, ["3", "x\ry\r\nz"]);
        }
    }

    /// Records of a text with blanks for a separator and comments.
    fn careful(text: &[u8], separator: Separator, buffer: usize) -> Vec<Vec<String>> {
        let mut scanner = Scanner::new(Box::new(Drip(text.to_vec(), 0, buffer))).unwrap();
        scanner.set_separator(separator);
        scanner.set_comment("//");
        let mut cells = Vec::new();
        let mut records = Vec::new();
        while scanner.next(&mut cells).unwrap().is_some() {
            let texts = cells.iter().map(|&s| String::from_utf8_lossy(scanner.cell(s)).into_owned());
            records.push(texts.collect());
        }
        records
    }

    #[test]
    fn runs_of_blanks_and_comments() {
        let text = b"// head\n  a   b\t c  \r\n\n1 \"x  y\" 3 // tail\n   // none\r4 5/6 7//8";
        let want = [["a", "b", "c"], ["1", "x  y", "3"], ["4", "5/6", "7//8"]];
        let text2 = b"//\na,b\n1, //2\n//,\n3,4 // five, six\n";
        let want2 = [["a", "b"], ["1", " "], ["3", "4 "]];
        for buffer in [usize::MAX, 1, 3] {
            assert_eq!(careful(text, Separator::Blanks, buffer), want);
            assert_eq!(careful(text2, Separator::Byte(b','), buffer), want2);
        }
    }

    #[test]
    fn lines_are_passed_over() {
        let text = b"title \"of\r\na,b\rkm,\"\n1,2\n3,4";
        let mut scanner = Scanner::new(Box::new(Drip(text.to_vec(), 0, 2))).unwrap();
        scanner.set_skip(vec![3, 1]);
        let mut cells = Vec::new();
        let mut lines = Vec::new();
        while let Some(line) = scanner.next(&mut cells).unwrap() {
            lines.push((line, cells.len()));
        }
        assert_eq!(lines, [(2, 2), (4, 2), (5, 2)]);
    }

    #[test]
    fn a_quote_never_closed_has_its_place() {
        let error = scan(b"a,b\n1,2\n3,\"four\n5,6\n", 0).unwrap_err();
        assert!(matches!(error, ScanError::OpenQuote { line: 3, column: 2 }), "{error:?}");
    }

    /// The `csv` crate and this scanner cut random text the same way, for
    /// any size of buffer.
    #[test]
    fn the_csv_crate_agrees() {
        let stream = crate::rng::Stream::new(3, crate::rng::Purpose::Generator, 0);
        let letters = b"ab1,,\n\"\" \r";
        for case in 0..4000u64 {
            let n = stream.below(case * 64, 24);
            let text: Vec<u8> = (0..n)
                .map(|i| letters[stream.below(case * 64 + 1 + i, letters.len() as u64) as usize])
                .collect();
            let shown = String::from_utf8_lossy(&text).into_owned();
            let Ok(mine) = scan(&text, 0) else { continue };
            for buffer in [1, 2, 3, 7] {
                assert_eq!(scan(&text, buffer).unwrap(), mine, "{shown:?}");
            }
            let mut reader =
                csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_slice());
            let theirs: Vec<Vec<String>> =
                reader.records().map(|r| r.unwrap().iter().map(str::to_string).collect()).collect();
            let mine: Vec<Vec<String>> = mine.into_iter().map(|(_, c)| c).collect();
            assert_eq!(mine, theirs, "{shown:?}");
        }
    }
}
