//! Cutting a CSV file into records.
//!
//! Not the `csv` crate, for two reasons: it does not say that a quote is
//! never closed, and it lets a record grow without end; both decide what a
//! broken or hostile file does here. A test compares the two on random text.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memchr2};

/// The longest record, in bytes.
pub(crate) const MAX_RECORD: usize = 16 << 20;

const FIRST_BUFFER: usize = 1 << 17;

/// A file being cut into records.
pub(crate) struct Scanner {
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// The unread bytes are `start..end`.
    start: usize,
    end: usize,
    at_end: bool,
    /// The line the next record begins at, from 1.
    line: u64,
    separator: u8,
    newline: u8,
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
    /// The record ends; the next begins here, this many lines further down.
    Record(usize, u64),
    /// The buffer ends first, within a quote or not.
    Short { quote: Option<(u64, usize)> },
}

impl Scanner {
    /// Reads the first bytes; `separator` is set later.
    pub(crate) fn new(reader: Box<dyn Read + Send>) -> io::Result<Self> {
        let mut scanner = Self {
            reader,
            buffer: vec![0; FIRST_BUFFER],
            start: 0,
            end: 0,
            at_end: false,
            line: 1,
            separator: b',',
            newline: b'\n',
        };
        while !scanner.at_end && scanner.end < scanner.buffer.len() {
            scanner.read_more()?;
        }
        if scanner.buffer[..scanner.end].starts_with(&[0xef, 0xbb, 0xbf]) {
            scanner.start = 3;
        }
        let head = scanner.peek();
        if memchr(b'\n', head).is_none() && memchr(b'\r', head).is_some() {
            scanner.newline = b'\r'; // as Macs wrote it before 2001
        }
        Ok(scanner)
    }

    /// The bytes that are read and not yet cut.
    pub(crate) fn peek(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The separator most often in the first line, outside of quotes.
    pub(crate) fn guess_separator(&self, decimal_comma: bool) -> u8 {
        let mut counts = [(b',', 0usize), (b'\t', 0), (b';', 0), (b'|', 0)];
        let mut quoted = false;
        for &byte in self.peek() {
            match byte {
                b'"' => quoted = !quoted,
                b if b == self.newline && !quoted => break,
                b if !quoted => {
                    for (s, n) in &mut counts {
                        *n += usize::from(*s == b);
                    }
                }
                _ => {}
            }
        }
        let from = usize::from(decimal_comma);
        let mut best = counts[from];
        for &c in &counts[from..] {
            if c.1 > best.1 {
                best = c;
            }
        }
        best.0
    }

    /// Sets what stands between cells.
    pub(crate) fn set_separator(&mut self, separator: u8) {
        self.separator = separator;
    }

    /// The bytes of a cell of the last record.
    pub(crate) fn cell(&self, span: Span) -> &[u8] {
        &self.buffer[span.0..span.1]
    }

    /// Cuts the next record into `cells` and says at which line it begins.
    /// Empty lines are passed over.
    pub(crate) fn next(&mut self, cells: &mut Vec<Span>) -> Result<Option<u64>, ScanError> {
        loop {
            if self.start == self.end && self.at_end {
                return Ok(None);
            }
            match self.parse(cells) {
                Parsed::Record(next, lines) => {
                    let empty = matches!(cells.as_slice(), [(a, b)] if a == b)
                        && self.buffer.get(self.start) != Some(&b'"');
                    let line = self.line;
                    self.line += lines;
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

    fn parse(&self, cells: &mut Vec<Span>) -> Parsed {
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
                lines += memchr_iter(self.newline, &bytes[at..close]).count() as u64;
                at = close + 1;
            }
            match memchr2(self.separator, self.newline, &bytes[at..]) {
                Some(n) if bytes[at + n] == self.separator => {
                    cells.push((begin, at + n));
                    at += n + 1;
                }
                Some(n) => {
                    cells.push((begin, self.without_return(begin, at + n)));
                    return Parsed::Record(at + n + 1, lines + 1);
                }
                None if self.at_end => {
                    cells.push((begin, self.without_return(begin, self.end)));
                    return Parsed::Record(self.end, lines + 1);
                }
                None => return Parsed::Short { quote: None },
            }
        }
    }

    fn without_return(&self, begin: usize, end: usize) -> usize {
        let returned = end > begin && self.newline == b'\n' && self.buffer[end - 1] == b'\r';
        end - usize::from(returned)
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
            if self.buffer.len() >= MAX_RECORD {
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
                Ok(n) => self.end += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            }
            return Ok(());
        }
    }
}

/// Where the quote that opens at `open` closes; `None` where the bytes end
/// before that is known.
fn close_quote(bytes: &[u8], open: usize, at_end: bool) -> Option<usize> {
    let mut at = open + 1;
    loop {
        at += memchr(b'"', bytes.get(at..)?)?;
        match bytes.get(at + 1) {
            Some(b'"') => at += 2,
            Some(_) => return Some(at),
            None => return at_end.then_some(at),
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
            // Lone returns and text after a closing quote are matters of taste.
            let shown = String::from_utf8_lossy(&text).into_owned();
            let odd = shown.replace("\r\n", "\n").contains('\r');
            let Ok(mine) = scan(&text, 0) else { continue };
            for buffer in [1, 2, 3, 7] {
                assert_eq!(scan(&text, buffer).unwrap(), mine, "{shown:?}");
            }
            if odd {
                continue;
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
