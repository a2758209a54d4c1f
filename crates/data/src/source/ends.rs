//! Where quotes close and lines end, in the bytes of a CSV file that are there so far.

use memchr::{memchr, memchr2};

/// Where the quote that opens at `open` closes; `None` where the bytes end
/// before that is known.
pub(crate) fn close_quote(bytes: &[u8], open: usize, at_end: bool) -> Option<usize> {
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

/// Where the record after a line end at `end` begins; `None` where a `\r` is
/// the last byte there is so far.
pub(crate) fn after_line(bytes: &[u8], end: usize, at_end: bool) -> Option<usize> {
    match (bytes[end], bytes.get(end + 1)) {
        (b'\r', Some(b'\n')) => Some(end + 2),
        (b'\r', None) if !at_end => None,
        _ => Some(end + 1),
    }
}

/// The end of the line that `from` stands in, and the beginning of the next.
pub(crate) fn line_end(bytes: &[u8], from: usize, at_end: bool) -> Option<(usize, usize)> {
    let end = from + memchr2(b'\n', b'\r', &bytes[from..])?;
    Some((end, after_line(bytes, end, at_end)?))
}
