//! TensorBoard's event files: figures by step, in TensorFlow's record format.
//!
//! A file is a list of records: the length as u64, its checksum, the bytes, their checksum, all little-endian
//! (tensorflow/core/lib/io/record_writer.h); the checksum is CRC-32C, masked. The bytes are an `Event` of
//! tensorflow/core/util/event.proto, written here by hand: `wall_time` is field 1 (double), `step` 2 (varint),
//! `file_version` 3 (string), `summary` 5; a `Summary` has values as field 1, each with `tag` (1) and `simple_value`
//! (2, float).

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// An event file that is being written.
#[derive(Debug)]
pub struct EventFile {
    out: BufWriter<File>,
}

impl EventFile {
    /// Begins a new file at a time, in seconds since 1970.
    ///
    /// # Errors
    /// It is there already, or cannot be written.
    pub fn create(path: &Path, wall_time: f64) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        let mut events = Self { out: BufWriter::new(file) };
        let mut event = Message::default();
        event.double(1, wall_time);
        event.bytes(3, b"brain.Event:2");
        events.record(&event.0)?;
        events.flush()?;
        Ok(events)
    }

    /// Writes the figures of a step.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn scalars<'a>(
        &mut self,
        wall_time: f64,
        step: u64,
        figures: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> io::Result<()> {
        let mut summary = Message::default();
        for (tag, value) in figures {
            let mut one = Message::default();
            one.bytes(1, tag.as_bytes());
            one.float(2, value as f32);
            summary.bytes(1, &one.0);
        }
        let mut event = Message::default();
        event.double(1, wall_time);
        event.varint(2, step);
        event.bytes(5, &summary.0);
        self.record(&event.0)
    }

    /// Makes what is written so far readable for others.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn record(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = (bytes.len() as u64).to_le_bytes();
        self.out.write_all(&length)?;
        self.out.write_all(&masked(crc32c(&length)).to_le_bytes())?;
        self.out.write_all(bytes)?;
        self.out.write_all(&masked(crc32c(bytes)).to_le_bytes())
    }
}

/// A protocol buffer's message: fields one after the other, each with its number and how it is written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn key(&mut self, field: u32, kind: u32) {
        self.number(u64::from(field << 3 | kind));
    }

    fn number(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.0.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.0.push(n as u8);
    }

    fn varint(&mut self, field: u32, n: u64) {
        self.key(field, 0);
        self.number(n);
    }

    fn double(&mut self, field: u32, x: f64) {
        self.key(field, 1);
        self.0.extend(x.to_le_bytes());
    }

    fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.key(field, 2);
        self.number(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn float(&mut self, field: u32, x: f32) {
        self.key(field, 5);
        self.0.extend(x.to_le_bytes());
    }
}

/// CRC-32C (Castagnoli), bit by bit: a record has some dozens of bytes.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

/// What TensorFlow stores in its place: a checksum of bytes that hold checksums is not trusted.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_rfc_3720() {
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(&(0..32).collect::<Vec<u8>>()), 0x46dd_794e);
    }

    #[test]
    fn a_file_is_a_list_of_records() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events");
        let mut file = EventFile::create(&path, 1.5).unwrap();
        file.scalars(2.5, 300, [("loss", 0.25)]).unwrap();
        file.flush().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let mut records = Vec::new();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let n = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
            assert_eq!(rest[8..12], masked(crc32c(&rest[..8])).to_le_bytes());
            records.push(&rest[12..12 + n]);
            assert_eq!(rest[12 + n..16 + n], masked(crc32c(&rest[12..12 + n])).to_le_bytes());
            rest = &rest[16 + n..];
        }
        let event = [&[9][..], &1.5f64.to_le_bytes(), &[26, 13], b"brain.Event:2"].concat();
        assert_eq!(records[0], event);
        let value = [&[10, 4][..], b"loss", &[21], &0.25f32.to_le_bytes()].concat();
        let summary = [&[10, value.len() as u8][..], &value].concat();
        let event =
            [&[9][..], &2.5f64.to_le_bytes(), &[16, 0xac, 2, 42, summary.len() as u8], &summary].concat();
        assert_eq!(records[1], event);
        assert!(EventFile::create(&path, 0.0).is_err());
    }
}
