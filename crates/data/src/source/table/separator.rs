//! What stands between the cells of a table, found by consistency: under the
//! right separator the lines have as many cells each.

use crate::dates::are_dates;
use crate::dialect::Separator;
use crate::source::number::{self, Digits};
use crate::source::scan::Scanner;

/// Bytes and lines that are looked at.
const HEAD: usize = 1 << 16;
const LINES: usize = 100;

const BYTES: [u8; 4] = [b',', b'\t', b';', b'|'];

/// How well a separator fits.
#[derive(PartialEq, PartialOrd)]
struct Fit {
    /// 2: all but every line has the same number of cells; 1: most have.
    tier: u8,
    /// Twentieths of the cells that do not look like several cells.
    clean: usize,
    cells: usize,
}

/// Finds the separator of the lines that are not read yet, and says why
/// where it is not obvious.
pub(super) fn find(scanner: &Scanner, comma: bool) -> (Separator, Option<String>) {
    let bytes = scanner.peek();
    let mut head = &bytes[..bytes.len().min(HEAD)];
    if head.len() < bytes.len() || !scanner.is_whole() {
        // Without the line that is cut.
        let end = memchr::memrchr2(b'\n', b'\r', head);
        head = end.map_or(head, |end| &head[..=end]);
    }
    let free = BYTES.into_iter().filter(|b| !(comma && *b == b','));
    let mut best: Option<(Fit, Separator)> = None;
    for separator in free.map(Separator::Byte).chain([Separator::Blanks]) {
        // Blanks stand in texts, too.
        let certain = best.as_ref().is_some_and(|(b, _)| b.tier == 2 && b.clean == 20);
        if separator == Separator::Blanks && certain {
            continue;
        }
        let Some(fit) = fit(scanner, head, separator) else { continue };
        if best.as_ref().is_none_or(|(b, _)| fit > *b) {
            best = Some((fit, separator));
        }
    }
    match best {
        Some((fit, separator @ Separator::Blanks)) => {
            let why = format!("runs of blanks (every line has {} words)", fit.cells);
            (separator, Some(why))
        }
        Some((_, separator)) => (separator, None),
        None => (most_often(head, comma), None),
    }
}

fn fit(scanner: &Scanner, head: &[u8], separator: Separator) -> Option<Fit> {
    let mut lines = scanner.over(head);
    lines.set_separator(separator);
    let mut spans = Vec::new();
    let mut records: Vec<(usize, usize)> = Vec::new();
    let mut words: Vec<Vec<u8>> = Vec::new();
    while records.len() < LINES && matches!(lines.next(&mut spans), Ok(Some(_))) {
        let odd = |&&span: &&(usize, usize)| {
            !lines.was_quoted(span) && is_several(lines.cell(span).trim_ascii(), separator)
        };
        if records.is_empty() {
            words = spans.iter().map(|&s| lines.cell(s).to_vec()).collect();
        }
        records.push((spans.len(), spans.iter().filter(odd).count()));
    }
    let mut counts: Vec<usize> = records.iter().map(|r| r.0).collect();
    counts.sort_unstable();
    let runs = counts.chunk_by(|a, b| a == b);
    let (cells, times) = runs.map(|r| (r[0], r.len())).max_by_key(|r| r.1)?;
    if cells < 2 {
        return None;
    }
    let whole = records.iter().filter(|r| r.0 == cells);
    let odd: usize = whole.map(|r| r.1).sum();
    let clean = 20 - (odd * 20).div_ceil(cells * times);
    let tier = match times {
        n if n * 20 >= records.len() * 19 => 2,
        n if n * 2 >= records.len() => 1,
        _ => return None,
    };
    if separator == Separator::Blanks && (odd > 0 || times < records.len() && !is_headed(&records, &words)) {
        return None;
    }
    Some(Fit { tier, clean, cells })
}

/// Whether all lines but the first have the same number of words, and it has
/// a reason to differ: R writes no name over the names of rows, and numpy a
/// `#` before the names of columns.
fn is_headed(records: &[(usize, usize)], first: &[Vec<u8>]) -> bool {
    let Some((head, rest)) = records.split_first() else { return false };
    let same = rest.len() > 1 && rest.iter().all(|r| r.0 == rest[0].0) && rest[0].0 > 2;
    let marked = first.first().is_some_and(|w| MARKS.contains(&w.as_slice()));
    same && (head.0 + 1 == rest[0].0 || marked && head.0 == rest[0].0 + 1)
}

/// Marks of comments, alone before the names of columns.
pub(super) const MARKS: [&[u8]; 4] = [b"#", b"%", b"//", b";"];

/// Bytes between cells that few people write, where a table seems to have one
/// column: the one under which all lines have as many cells, and how many.
pub(super) fn unusual(lines: &[Vec<u8>]) -> Option<(u8, usize)> {
    // Times and dates have marks in them, too.
    let texts: Vec<String> = lines.iter().map(|l| String::from_utf8_lossy(l).into_owned()).collect();
    let words = texts.get(1..).unwrap_or_default();
    if lines.len() < 3 || are_dates(words) {
        return None;
    }
    let same = |mark: u8| {
        let mut counts = lines.iter().map(|l| memchr::memchr_iter(mark, l).count() + 1);
        let first = counts.next().filter(|n| *n > 1)?;
        counts.all(|n| n == first).then_some((mark, first))
    };
    [b'~', b'^', 0x01, 0x1f, b'!', b':'].into_iter().find_map(same)
}

/// Whether a cell looks as if it were several: numbers side by side, or
/// texts with another separator between them.
fn is_several(cell: &[u8], separator: Separator) -> bool {
    let digits = |comma| Digits { comma, thousands: None };
    let is_number = |c: &[u8]| number::parse(c, digits(false)).is_some();
    if is_number(cell) || number::parse(cell, digits(true)).is_some() {
        return false;
    }
    // `1.234,50` and `$1,234` are numbers, too; with a blank they may be two.
    if number::needs(cell, digits(false)).iter().any(|s| s.thousands != Some(' ')) {
        return false;
    }
    let other = |b: &u8| BYTES.contains(b) && Separator::Byte(*b) != separator;
    let words = || cell.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
    let numbers = separator != Separator::Blanks && words().count() > 1 && words().all(is_number);
    cell.iter().any(other) || numbers
}

/// The separator that is most often in the first line, outside of quotes.
fn most_often(head: &[u8], comma: bool) -> Separator {
    let mut counts = BYTES.map(|b| (b, 0usize));
    let mut quoted = false;
    for &byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if quoted => {}
            _ => counts.iter_mut().for_each(|(s, n)| *n += usize::from(*s == byte)),
        }
    }
    let from = usize::from(comma);
    let mut best = counts[from];
    for &c in &counts[from..] {
        if c.1 > best.1 {
            best = c;
        }
    }
    Separator::Byte(best.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Separator {
        let scanner = Scanner::new(Box::new(std::io::Cursor::new(text.as_bytes().to_vec()))).unwrap();
        find(&scanner, false).0
    }

    #[test]
    fn separators_by_consistency() {
        let byte = Separator::Byte;
        assert_eq!(of("a,b\n1,2\n"), byte(b','));
        assert_eq!(of("a;b;c\n1,5;2,5;x\n1,5;3,25;y\n"), byte(b';'));
        assert_eq!(of("1,5;2,5\n3,5;4,5\n"), byte(b';'));
        // The header has more commas than the rows have tabs.
        assert_eq!(of("a, b, c\tname\n1\tx\n2\ty\n3\tz\n"), byte(b'\t'));
        assert_eq!(of("x,tags\n1,a|b|c\n2,a\n3,d|e\n"), byte(b','));
        assert_eq!(of("mpg weight y\n6 4 0\n7 8 1\n"), Separator::Blanks);
        assert_eq!(of("18.0   8   307.0\t\"a b\"\n15.0   8   350.0\t\"c\"\n"), Separator::Blanks);
        assert_eq!(of(" 0.1  18.00   2.310\n 0.02   0.00   7.070\n"), Separator::Blanks);
        assert_eq!(of("day time,x\n2024-01-01 10:00,5\n2024-01-01 11:00,6\n"), byte(b','));
        assert_eq!(of("text\nhello there\nwhat is this\n"), byte(b','));
        assert_eq!(of("name number 0,1\nname number 1,1\n"), byte(b','));
        assert_eq!(of("1,5 2,5\n1,25 2\n"), Separator::Blanks);
        assert_eq!(of("a;b\n1.100,5;0\n1.101,5;1\n1.102,5;2\n"), byte(b';'));
        assert_eq!(of("a;b\n$1,200;x\n$1,300;y\n$1,500;z\n"), byte(b';'));
        // R's names of rows, and numpy's header.
        assert_eq!(of("mpg cyl\ncar1 21.0 6\ncar2 22.8 4\n"), Separator::Blanks);
        assert_eq!(of("# a n y\n0 1 2\n3 4 5\n"), Separator::Blanks);
        assert_eq!(of("a few words\nhello there you all\nwhat is this\n"), byte(b','));
        assert_eq!(of("v\n1\n2\n"), byte(b','));
        assert_eq!(of("\"a;b\",c\n\"d;e\",f\n"), byte(b','));
        assert_eq!(of("a,b\n1,2\n3\n4,5,6\n"), byte(b','));
        assert_eq!(of(""), byte(b','));
    }
}
