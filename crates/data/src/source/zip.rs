//! As much of the zip format as an `.npz` needs: the central directory, and
//! members that are stored or deflated. Nothing in a file is believed before
//! it is compared with the file's size.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::read::DeflateDecoder;

use crate::fault::{Fault, codes};
use crate::input::{self, Input};
use crate::spec::Handle;

/// A file in the archive.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    method: u16,
    crc: u32,
    packed: u64,
    offset: u64,
}

/// The largest central directory that is read.
const MOST_DIRECTORY: u64 = 16 << 20;

const END: [u8; 4] = *b"PK\x05\x06";
const END64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR64: [u8; 4] = *b"PK\x06\x07";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const LOCAL: [u8; 4] = *b"PK\x03\x04";

/// The files of an archive, in its order.
pub(crate) fn entries(path: &str, handle: Option<Handle>) -> Result<Vec<Entry>, Box<Fault>> {
    if path == "-" {
        let fault = Fault::new(codes::NO_FILE, "an npz file cannot come from standard input").at(handle);
        return Err(Box::new(fault.help("give its path; its list of arrays is at its end")));
    }
    let (mut file, size) = input::open_file(path, handle)?;
    let found = directory(&mut file, size).map_err(|e| Box::new(input::broken(path, &e, handle)))?;
    let list = found.as_deref().and_then(parse);
    list.ok_or_else(|| {
        let message = format!("`{path}` is no npz file: it is not a whole zip archive");
        let fault = Fault::new(codes::DAMAGED, message).path(path).at(handle);
        Box::new(fault.help("write it with `numpy.savez`"))
    })
}

/// Opens one file of an archive.
pub(crate) fn open(path: &str, entry: &Entry, handle: Option<Handle>) -> Result<Input, Box<Fault>> {
    let damaged = |what: &str| {
        let message = format!("`{}` in `{path}` {what}", entry.name);
        Box::new(Fault::new(codes::DAMAGED, message).path(path).at(handle))
    };
    let broken = |e: io::Error| Box::new(input::broken(path, &e, handle));
    let (mut file, size) = input::open_file(path, handle)?;
    let mut head = [0u8; 30];
    file.seek(SeekFrom::Start(entry.offset)).map_err(broken)?;
    file.read_exact(&mut head).map_err(broken)?;
    if head[..4] != LOCAL {
        return Err(damaged("is not where the archive says"));
    }
    let skip = u64::from(short(&head, 26)) + u64::from(short(&head, 28));
    let begin = entry.offset.saturating_add(30 + skip);
    if begin.saturating_add(entry.packed) > size {
        return Err(damaged("is cut short"));
    }
    file.seek(SeekFrom::Start(begin)).map_err(broken)?;
    let packed = file.take(entry.packed);
    let (reader, most): (Box<dyn Read + Send>, u64) = match entry.method {
        0 => (Box::new(packed), entry.packed),
        8 => {
            let buffered = io::BufReader::with_capacity(1 << 16, packed);
            let most = entry.packed.saturating_mul(input::DEFLATE_RATIO);
            (Box::new(DeflateDecoder::new(buffered)), most)
        }
        _ => return Err(damaged("is packed in a way that cannot be read, or encrypted")),
    };
    let checked = Checked { reader, crc: Crc::new(), expected: entry.crc };
    Ok(Input { reader: Box::new(checked), most: Some(most) })
}

/// Compares the checksum at the end.
struct Checked {
    reader: Box<dyn Read + Send>,
    crc: Crc,
    expected: u32,
}

impl Read for Checked {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(out)?;
        self.crc.update(&out[..n]);
        if n == 0 && !out.is_empty() && self.crc.sum() != self.expected {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum is wrong"));
        }
        Ok(n)
    }
}

fn short(bytes: &[u8], at: usize) -> u16 {
    let two = bytes.get(at..at + 2).and_then(|b| b.try_into().ok());
    u16::from_le_bytes(two.unwrap_or_default())
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
    u32::from_le_bytes(four.unwrap_or_default())
}

fn long(bytes: &[u8], at: usize) -> u64 {
    let eight = bytes.get(at..at + 8).and_then(|b| b.try_into().ok());
    u64::from_le_bytes(eight.unwrap_or_default())
}

/// The bytes of the central directory; `None` where there is none.
fn directory(file: &mut File, size: u64) -> io::Result<Option<Vec<u8>>> {
    if size == u64::MAX {
        return Ok(None); // a pipe
    }
    let tail_size = size.min(22 + 65_535 + 20);
    let mut tail = vec![0u8; tail_size as usize];
    file.seek(SeekFrom::Start(size - tail_size))?;
    file.read_exact(&mut tail)?;
    let Some(end) = (0..tail.len().saturating_sub(21)).rev().find(|&i| tail[i..i + 4] == END) else {
        return Ok(None);
    };
    let (mut length, mut offset) = (u64::from(word(&tail, end + 12)), u64::from(word(&tail, end + 16)));
    let locator = end.checked_sub(20).filter(|&i| tail[i..i + 4] == LOCATOR64);
    if let Some(locator) = locator {
        let mut end64 = [0u8; 56];
        file.seek(SeekFrom::Start(long(&tail, locator + 8)))?;
        file.read_exact(&mut end64)?;
        if end64[..4] != END64 {
            return Ok(None);
        }
        (length, offset) = (long(&end64, 40), long(&end64, 48));
    }
    if length > MOST_DIRECTORY || offset.saturating_add(length) > size {
        return Ok(None);
    }
    let mut directory = vec![0u8; length as usize];
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(&mut directory)?;
    Ok(Some(directory))
}

/// The entries of a central directory; `None` where it is damaged.
fn parse(mut rest: &[u8]) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let head = rest.get(..46)?;
        if head[..4] != CENTRAL {
            return None;
        }
        let [name, extra, comment] = [28, 30, 32].map(|at| usize::from(short(head, at)));
        let body = rest.get(46..46 + name + extra + comment)?;
        let mut packed = u64::from(word(head, 20));
        let mut offset = u64::from(word(head, 42));
        let wide = [word(head, 24), word(head, 20), word(head, 42)].map(|w| w == u32::MAX);
        let values = wide_values(&body[name..name + extra], wide);
        packed = values[1].unwrap_or(packed);
        offset = values[2].unwrap_or(offset);
        let encrypted = short(head, 8) & 1 == 1;
        entries.push(Entry {
            name: String::from_utf8_lossy(&body[..name]).into_owned(),
            method: if encrypted { u16::MAX } else { short(head, 10) },
            crc: word(head, 16),
            packed,
            offset,
        });
        rest = &rest[46 + name + extra + comment..];
    }
    Some(entries)
}

/// Sizes and offset from the zip64 field; only those that did not fit.
fn wide_values(mut extra: &[u8], wide: [bool; 3]) -> [Option<u64>; 3] {
    let mut values = [None; 3];
    while extra.len() >= 4 {
        let (id, length) = (short(extra, 0), usize::from(short(extra, 2)));
        let Some(field) = extra.get(4..4 + length) else { break };
        if id == 1 {
            let mut at = 0;
            for (value, _) in values.iter_mut().zip(wide).filter(|(_, wide)| *wide) {
                *value = (at + 8 <= field.len()).then(|| long(field, at));
                at += 8;
            }
        }
        extra = &extra[4 + length..];
    }
    values
}
