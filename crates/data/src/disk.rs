//! Numbers that do not fit into memory: temporary files without a name,
//! written once from front to back and read anywhere. The system removes
//! them when the program ends, however it ends.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;

use crate::fault::{Fault, codes};

/// A file being written.
#[derive(Debug)]
pub(crate) struct Writer {
    file: BufWriter<File>,
    bytes: u64,
}

/// A number of fixed size.
pub(crate) trait Fixed: Copy + Default {
    /// Bytes it takes.
    const SIZE: usize;
    /// Writes it.
    fn put(self, out: &mut impl Write) -> io::Result<()>;
    /// Reads it from exactly [`Fixed::SIZE`] bytes.
    fn take(bytes: &[u8]) -> Self;
}

macro_rules! fixed {
    ($($t:ty),*) => {$(
        impl Fixed for $t {
            const SIZE: usize = size_of::<$t>();
            fn put(self, out: &mut impl Write) -> io::Result<()> {
                out.write_all(&self.to_le_bytes())
            }
            fn take(bytes: &[u8]) -> Self {
                bytes.try_into().map(Self::from_le_bytes).unwrap_or_default()
            }
        }
    )*};
}
fixed!(u8, u16, u32, f32, f64);

impl Writer {
    /// A new file in the folder for temporary files.
    pub(crate) fn new() -> io::Result<Self> {
        let file = tempfile::tempfile()?;
        Ok(Self { file: BufWriter::with_capacity(1 << 18, file), bytes: 0 })
    }

    /// Adds numbers.
    pub(crate) fn put<T: Fixed>(&mut self, values: impl IntoIterator<Item = T>) -> io::Result<()> {
        for value in values {
            value.put(&mut self.file)?;
            self.bytes += T::SIZE as u64;
        }
        Ok(())
    }

    /// Adds bytes.
    pub(crate) fn put_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Ends the writing.
    pub(crate) fn finish(self) -> io::Result<DiskFile> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(DiskFile { file, bytes: self.bytes })
    }
}

/// A file that is written.
#[derive(Debug)]
pub(crate) struct DiskFile {
    file: File,
    bytes: u64,
}

/// What is read at once, on the stack.
const PIECE: usize = 1 << 14;

impl DiskFile {
    /// Bytes in it.
    pub(crate) fn len(&self) -> u64 {
        self.bytes
    }

    /// Numbers of this type in it.
    pub(crate) fn count<T: Fixed>(&self) -> u64 {
        self.bytes / T::SIZE as u64
    }

    /// Hands the numbers of a range to `f`, one after the other, with no
    /// allocation. Threads may read at the same time.
    pub(crate) fn each<T: Fixed>(&self, range: Range<u64>, mut f: impl FnMut(T)) -> io::Result<()> {
        let mut piece = [0u8; PIECE];
        let (mut at, end) = (range.start * T::SIZE as u64, range.end * T::SIZE as u64);
        if end > self.bytes || at > end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        while at < end {
            let n = (end - at).min(PIECE as u64) as usize;
            read_exact_at(&self.file, &mut piece[..n], at)?;
            piece[..n].chunks_exact(T::SIZE).for_each(|bytes| f(T::take(bytes)));
            at += n as u64;
        }
        Ok(())
    }

    /// Fills `out` with a range of bytes, as far as the file has them.
    pub(crate) fn read_bytes(&self, bytes: Range<u64>, out: &mut Vec<u8>) -> io::Result<()> {
        let end = bytes.end.min(self.bytes);
        let start = bytes.start.min(end);
        out.clear();
        out.resize((end - start) as usize, 0);
        read_exact_at(&self.file, out, start)
    }

    /// Fills as much of `out` as the file has bytes from `at` on; how many.
    pub(crate) fn read_at(&self, at: u64, out: &mut [u8]) -> io::Result<usize> {
        let n = self.bytes.saturating_sub(at).min(out.len() as u64) as usize;
        read_exact_at(&self.file, &mut out[..n], at)?;
        Ok(n)
    }

    /// The numbers of a range.
    pub(crate) fn load<T: Fixed>(&self, range: Range<u64>) -> io::Result<Vec<T>> {
        let mut values = Vec::with_capacity((range.end - range.start) as usize);
        self.each(range, |x| values.push(x))?;
        Ok(values)
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, out: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, at)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut out: &mut [u8], mut at: u64) -> io::Result<()> {
    while !out.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, out, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => {
                out = &mut out[n..];
                at += n as u64;
            }
        }
    }
    Ok(())
}

#[cfg(not(any(unix, windows)))]
fn read_exact_at(_: &File, _: &mut [u8], _: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The fault for a temporary file that cannot be written or read.
pub(crate) fn fault(error: &io::Error) -> Box<Fault> {
    let folder = std::env::temp_dir();
    let message =
        format!("the data is larger than memory, and `{}` does not take it: {error}", folder.display());
    Box::new(Fault::new(codes::TOO_BIG, message).help("set TMPDIR to a folder with more room"))
}

/// Values of a file in order, for sums that go over them more than once.
#[derive(Clone)]
pub(crate) struct Walk<'a, T> {
    file: &'a DiskFile,
    /// Rows of `width` values.
    width: u64,
    rows: std::slice::Iter<'a, u32>,
    piece: std::vec::IntoIter<T>,
}

impl<'a, T: Fixed> Walk<'a, T> {
    /// Over the values of `rows`.
    pub(crate) fn new(file: &'a DiskFile, width: usize, rows: &'a [u32]) -> Self {
        Self { file, width: width as u64, rows: rows.iter(), piece: Vec::new().into_iter() }
    }
}

impl<T: Fixed> Iterator for Walk<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        loop {
            if let Some(value) = self.piece.next() {
                return Some(value);
            }
            let row = u64::from(*self.rows.next()?);
            // The file was written by us a moment ago; where it cannot be
            // read any more, the encoder will say so.
            let row = self.file.load(row * self.width..(row + 1) * self.width);
            self.piece = row.unwrap_or_default().into_iter();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut writer = Writer::new().unwrap();
        writer.put((0..10_000u32).map(f64::from)).unwrap();
        let file = writer.finish().unwrap();
        assert_eq!(file.count::<f64>(), 10_000);
        assert_eq!(file.load::<f64>(4000..4003).unwrap(), [4000., 4001., 4002.]);
        assert_eq!(file.load::<f64>(0..10_000).unwrap().len(), 10_000);
        assert!(file.load::<f64>(9_999..10_001).is_err());
        let walk: Vec<f64> = Walk::new(&file, 2, &[1, 3]).collect();
        assert_eq!(walk, [2., 3., 6., 7.]);
    }
}
