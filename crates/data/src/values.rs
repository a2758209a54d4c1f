//! Encoded numbers of a port, in memory or on disk, and the copying of rows.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use crate::cache::{self, Bytes, Cache};
use crate::disk::{self, DiskFile};
use crate::fault::{Fault, codes};
use crate::packed::{Number, Packed, Packing};
use crate::spans::{self, Spans};
use crate::stats::Step;

/// The values of one port: row `r` is `width` numbers from `start + r * step`
/// on. Where `step` is less than `width`, rows overlap: they are windows.
/// Samples may be of other rows than those of their numbers.
#[derive(Debug)]
pub(crate) struct Values {
    pub(crate) width: usize,
    pub(crate) step: usize,
    pub(crate) start: usize,
    pub(crate) rows: spans::Rows,
    pub(crate) cells: Cells,
}

/// The numbers themselves.
#[derive(Debug)]
pub(crate) enum Cells {
    F64(Vec<f64>),
    F32(Vec<f32>),
    /// Bytes with what each of the 256 stands for.
    Bytes(Vec<u8>, Box<[f64; 256]>),
    Classes(Vec<u32>),
    /// Numbers and one-hot categories.
    Packed(Packing, Packed),
    /// Characters; inputs and targets share them.
    Codes(Arc<Vec<u16>>),
    /// On disk, with what of it is in memory at the moment.
    Disk(Arc<DiskFile>, DiskCells, Cache),
}

impl Cells {
    /// Bytes of memory they take.
    pub(crate) fn bytes(&self) -> u64 {
        let n = match self {
            Self::F64(v) => v.len() * 8,
            Self::F32(v) => v.len() * 4,
            Self::Bytes(v, _) => v.len(),
            Self::Classes(v) => v.len() * 4,
            Self::Packed(_, packed) => packed.numbers.len() * 8 + packed.classes.len() * 4,
            Self::Codes(v) => v.len() * 2,
            Self::Disk(file, ..) => usize::try_from(file.len()).unwrap_or(cache::MOST).min(cache::MOST),
        };
        n as u64
    }
}

/// What numbers on disk are.
#[derive(Debug)]
pub(crate) enum DiskCells {
    /// Encoded numbers and categories.
    Packed(Packing),
    /// Encoded `u32`.
    Classes,
    /// `u8` with what each stands for.
    Bytes(Box<[f64; 256]>),
    /// `f32` that are encoded when they are read.
    F32(Vec<Step>),
    /// `f64` that are encoded when they are read.
    F64(Vec<Step>),
    /// `u16` with what each means.
    Codes(Arc<Vec<u16>>),
}

impl DiskCells {
    /// Bytes of an element, and how many numbers of a row it makes.
    fn element(&self, width: usize) -> (u64, u64) {
        match self {
            Self::Packed(packing) if packing.slots > 0 => (4 * packing.width() as u64, packing.slots as u64),
            Self::Packed(_) => (4, width.max(1) as u64),
            Self::Bytes(_) => (1, 1),
            Self::Codes(_) => (2, 1),
            Self::F64(_) => (8, 1),
            Self::Classes | Self::F32(_) => (4, 1),
        }
    }

    /// Reads and encodes a range of elements.
    fn copy<T: Number>(&self, bytes: &Bytes<'_>, span: Range<usize>, out: &mut [T]) -> io::Result<()> {
        if let Self::Packed(packing) = self {
            return packing.read(bytes, span, out);
        }
        let span = span.start as u64..span.end as u64;
        let mut slots = out.iter_mut();
        let mut put = |x: T| {
            if let Some(slot) = slots.next() {
                *slot = x;
            }
        };
        let encode = |steps: &[Step], x: f64| steps.iter().fold(x, |x, s| s.apply(x));
        match self {
            Self::Packed(_) => Ok(()),
            Self::Classes => bytes.each(span, |c: u32| put(T::from_f64(f64::from(c)))),
            Self::Bytes(means) => bytes.each(span, |b: u8| put(T::from_f64(means[usize::from(b)]))),
            // As in memory, where what is encoded is rounded to `f32` again.
            Self::F32(steps) if steps.is_empty() => bytes.each(span, |x: f32| put(T::from_f32(x))),
            Self::F32(steps) => {
                bytes.each(span, |x: f32| put(T::from_f32(encode(steps, f64::from(x)) as f32)))
            }
            Self::F64(steps) => bytes.each(span, |x: f64| put(T::from_f64(encode(steps, x)))),
            Self::Codes(map) => bytes.each(span, |c: u16| {
                let code = map.get(usize::from(c)).copied().unwrap_or(c);
                put(T::from_f64(f64::from(code)));
            }),
        }
    }
}

impl Values {
    /// Rows one after the other.
    pub(crate) fn rows(width: usize, cells: Cells) -> Self {
        Self { width, step: width, start: 0, rows: spans::Rows::Own, cells }
    }

    /// How many steps a sample has, where they differ.
    pub(crate) fn length(&self, sample: usize) -> Option<usize> {
        match &self.rows {
            spans::Rows::Steps(spans) => spans.get(sample).map(|rows| rows.len()),
            spans::Rows::Own | spans::Rows::First(_) => None,
        }
    }

    /// The block of `run` rows that a row stands in, and its bytes; `None`
    /// where a row alone is as long as a block should be.
    fn block(&self, row: usize, run: usize, cells: &DiskCells) -> Option<(u64, Range<u64>)> {
        if run < 2 {
            return None;
        }
        let block = row / run;
        let (per_row, width) = (self.step as u64, self.width as u64);
        let first = (block * run) as u64 * per_row + self.start as u64;
        let end = first + (run as u64 - 1) * per_row + width;
        // Packed rows are shorter on disk than their slots.
        let (size, slots) = cells.element(self.width);
        Some((block as u64, first / slots * size..end.div_ceil(slots) * size))
    }

    /// A sample; where it has fewer steps than there is room for, the rest is 0.
    pub(crate) fn copy<T: Number>(&self, sample: usize, run: usize, out: &mut [T]) -> Result<(), Box<Fault>> {
        let first = |spans: &Spans| spans.get(sample).map(|rows| rows.start).ok_or_else(outside);
        match &self.rows {
            spans::Rows::Own => self.copy_part(sample, self.width, run, out),
            spans::Rows::First(spans) => self.copy_part(first(spans)?, self.width, run, out),
            spans::Rows::Steps(spans) => {
                let there = self.length(sample).unwrap_or(0).saturating_mul(self.step).min(out.len());
                let (own, padding) = out.split_at_mut(there);
                padding.fill(T::from_f64(0.0));
                // A sample may be in several blocks of a file, so that none is kept.
                self.copy_part(first(spans)?, there, 1, own)
            }
        }
    }

    /// The first `width` numbers of a row.
    pub(crate) fn copy_part<T: Number>(
        &self,
        row: usize,
        width: usize,
        run: usize,
        out: &mut [T],
    ) -> Result<(), Box<Fault>> {
        fn put<S: Copy, T>(from: Option<&[S]>, out: &mut [T], f: impl Fn(S) -> T) -> Result<(), Box<Fault>> {
            let from = from.ok_or_else(outside)?;
            for (o, &x) in out.iter_mut().zip(from) {
                *o = f(x);
            }
            Ok(())
        }
        let begin = self.start + row * self.step;
        let span = begin..begin + width;
        match &self.cells {
            Cells::F64(data) => put(data.get(span), out, T::from_f64),
            Cells::F32(data) => put(data.get(span), out, T::from_f32),
            Cells::Bytes(data, means) => put(data.get(span), out, |b| T::from_f64(means[usize::from(b)])),
            Cells::Classes(data) => put(data.get(span), out, |c| T::from_f64(f64::from(c))),
            Cells::Packed(packing, packed) => packing.unpack(packed, span, out).ok_or_else(outside),
            Cells::Codes(data) => put(data.get(span), out, |c| T::from_f64(f64::from(c))),
            Cells::Disk(file, cells, cache) => {
                let read = |bytes: &Bytes<'_>| cells.copy(bytes, span.clone(), out);
                let read = match self.block(row, run, cells) {
                    Some((block, bytes)) => cache.with(file, block, bytes, read),
                    None => cells.copy(&Bytes::File(file), span.clone(), out),
                };
                read.map_err(|e| disk::fault(&e))
            }
        }
    }

    /// Bytes of a row on disk; `None` in memory.
    pub(crate) fn disk_bytes(&self) -> Option<usize> {
        let Cells::Disk(_, cells, _) = &self.cells else { return None };
        let (size, slots) = cells.element(self.width);
        Some(self.step.div_ceil(slots as usize).saturating_mul(size as usize))
    }
}

/// A row that is not there.
pub(crate) fn outside() -> Box<Fault> {
    wrong("a row outside of the table")
}

/// The caller's mistake, not the data's.
pub(crate) fn wrong(message: &str) -> Box<Fault> {
    Box::new(Fault::new(codes::MISMATCH, message))
}
