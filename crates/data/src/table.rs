//! Encoded rows, and the copying of them into batch buffers.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use crate::cache::{self, Bytes, Cache};
use crate::disk::{self, DiskFile};
use crate::fault::{Fault, codes};
use crate::gaps::Gaps;
use crate::packed::{Number, Packed, Packing};
use crate::rng;
use crate::schema::PortId;
use crate::stats::{Step, Window};

/// Encoded rows of one part. Parts of one source share their storage.
#[derive(Clone, Debug)]
pub struct Table {
    pub(crate) store: Arc<Store>,
    pub(crate) rows: Rows,
}

/// The encoded ports of a whole source.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) inputs: Vec<Values>,
    pub(crate) targets: Vec<Values>,
    pub(crate) weights: Option<Vec<f64>>,
    /// The row of the source each row came from, where some were left out or
    /// their order is another.
    pub(crate) origin: Option<Vec<u32>>,
    /// The row that row 0 stands for: of windows, the (first) target's.
    pub(crate) first: usize,
    pub(crate) len: usize,
    /// Rows of the source.
    pub(crate) source: usize,
    /// Of windows that stay within series: the row that each series ends at.
    pub(crate) series: Option<Vec<u32>>,
    /// Rows of a window, and of its targets.
    pub(crate) length: usize,
    pub(crate) steps: usize,
    /// What of it cannot be answered.
    pub(crate) gaps: Gaps,
    /// Where some of it is on disk: rows that are read together.
    pub(crate) run: Option<usize>,
}

/// Which rows of a store a table has.
#[derive(Clone, Debug)]
pub(crate) enum Rows {
    All,
    Some(Arc<[u32]>),
}

/// The values of one port: row `r` is `width` numbers from `start + r * step`
/// on. Where `step` is less than `width`, rows overlap: they are windows.
#[derive(Debug)]
pub(crate) struct Values {
    pub(crate) width: usize,
    pub(crate) step: usize,
    pub(crate) start: usize,
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
    fn bytes(&self) -> u64 {
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
        Self { width, step: width, start: 0, cells }
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

    fn copy<T: Number>(&self, row: usize, run: usize, out: &mut [T]) -> Result<(), Box<Fault>> {
        self.copy_part(row, self.width, run, out)
    }

    /// The first `width` numbers of a row.
    fn copy_part<T: Number>(
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
    fn disk_bytes(&self) -> Option<usize> {
        let Cells::Disk(_, cells, _) = &self.cells else { return None };
        let (size, slots) = cells.element(self.width);
        Some(self.step.div_ceil(slots as usize).saturating_mul(size as usize))
    }
}

impl Store {
    /// Decides how many rows are read together, where some are on disk.
    pub(crate) fn with_run(mut self) -> Self {
        let values = self.inputs.iter().chain(&self.targets);
        let bytes = values.filter_map(Values::disk_bytes).max();
        self.run = bytes.map(|bytes| (cache::BLOCK / bytes.max(1)).clamp(1, 1 << 16));
        self
    }

    /// Bytes of memory it takes.
    fn bytes(&self) -> u64 {
        let values = self.inputs.iter().chain(&self.targets).map(|v| v.cells.bytes());
        let weights = self.weights.as_ref().map_or(0, |w| 8 * w.len() as u64);
        let origin = self.origin.as_ref().map_or(0, |o| 4 * o.len() as u64);
        values.sum::<u64>().saturating_add(weights).saturating_add(origin)
    }

    /// Turns rows into windows of rows; no value is copied. Without targets
    /// the last window needs no row after it.
    pub(crate) fn windowed(mut self, window: Window) -> Self {
        self.len = match self.targets.is_empty() {
            true => self.len.saturating_sub(window.length - 1),
            false => window.samples(self.len),
        };
        (self.first, self.length, self.steps) = (window.reach(), window.length, window.steps());
        for input in &mut self.inputs {
            input.width *= window.length;
        }
        for target in &mut self.targets {
            target.start += self.first * target.step;
            target.width *= window.steps();
        }
        self.weights = self.weights.map(|w| w.into_iter().skip(self.first).collect());
        self
    }

    /// The end of the series that a row is of.
    fn end(&self, row: usize) -> usize {
        let Some(ends) = &self.series else { return self.origin.as_ref().map_or(self.source, Vec::len) };
        ends.get(ends.partition_point(|end| *end as usize <= row)).map_or(row, |end| *end as usize)
    }

    /// The row of the source behind an encoded one.
    fn origin(&self, row: usize) -> Option<usize> {
        match &self.origin {
            Some(origin) => origin.get(row).map(|&r| r as usize),
            None => Some(row),
        }
    }
}

/// Where a sample stands in its source, rows from 0 and without the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is this row; of a window, its (first) target is.
    Row(usize),
    /// A window whose target is not in the source: so many rows after this
    /// one, the last of its series.
    After(usize, usize),
}

impl Table {
    /// How many rows.
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::All => self.store.len,
            Rows::Some(rows) => rows.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory the rows take; what is on disk takes none. Tables that
    /// are parts of one source share all of it but the lists of their rows.
    pub fn bytes(&self) -> u64 {
        self.store.bytes().saturating_add(self.list_bytes())
    }

    /// Bytes of the list of rows.
    fn list_bytes(&self) -> u64 {
        match &self.rows {
            Rows::All => 0,
            Rows::Some(rows) => 4 * rows.len() as u64,
        }
    }

    /// Bytes of memory of several tables, where what they share counts once.
    pub(crate) fn bytes_of<'a>(tables: impl Iterator<Item = &'a Table>) -> u64 {
        let mut seen: Vec<&Arc<Store>> = Vec::new();
        let mut sum = 0u64;
        for table in tables {
            sum = sum.saturating_add(table.list_bytes());
            if !seen.iter().any(|s| Arc::ptr_eq(s, &table.store)) {
                sum = sum.saturating_add(table.store.bytes());
                seen.push(&table.store);
            }
        }
        sum
    }

    /// Whether target values are there; a file to predict may have none.
    pub fn has_targets(&self) -> bool {
        !self.store.targets.is_empty()
    }

    /// Numbers per row of a port; `None` where the table lacks the port.
    pub fn width(&self, port: PortId) -> Option<usize> {
        self.values(port).map(|v| v.width)
    }

    /// The row of the source, from 0 and without the header, that row `row`
    /// came from; of a sample of several rows, that of its (first) target.
    /// `None` where that is not in the source.
    pub fn source_row(&self, row: usize) -> Option<usize> {
        match self.standing(row)? {
            Standing::Row(row) => Some(row),
            Standing::After(..) => None,
        }
    }

    /// Where a row stands in the source.
    pub fn standing(&self, row: usize) -> Option<Standing> {
        let at = self.at(row)?;
        let (target, end) = (at + self.store.first, self.store.end(at));
        if target < end {
            return self.store.origin(target).map(Standing::Row);
        }
        let last = end.checked_sub(1)?;
        Some(Standing::After(self.store.origin(last)?, target - last))
    }

    /// The rows of the source that a sample is made of, from 0, and those of
    /// its targets as far as they are there.
    pub fn rows_of(&self, row: usize) -> Option<[Vec<usize>; 2]> {
        let at = self.at(row)?;
        let end = self.store.end(at);
        let rows = |begin: usize, count: usize| {
            (begin..begin + count).filter(|r| *r < end).filter_map(|r| self.store.origin(r)).collect()
        };
        Some([rows(at, self.store.length), rows(at + self.store.first, self.store.steps)])
    }

    /// The rows of the table in the order they have in the source, windows
    /// whose target is not there last.
    pub fn in_source_order(&self) -> Vec<u32> {
        let mut rows: Vec<u32> = (0..self.len() as u32).collect();
        if self.store.series.is_some() {
            rows.sort_by_cached_key(|&row| match self.standing(row as usize) {
                Some(Standing::Row(row)) => (0, row, 0),
                Some(Standing::After(last, ahead)) => (1, last, ahead),
                None => (2, 0, 0),
            });
        }
        rows
    }

    /// How many rows the source has.
    pub fn source_rows(&self) -> usize {
        self.store.source
    }

    /// How many rows of the source were left out for a gap in a column that says `missing=drop`.
    pub fn left_out(&self) -> usize {
        self.store.origin.as_ref().map_or(0, |kept| self.store.source.saturating_sub(kept.len()))
    }

    /// Whether a row, or every row of a window, could be encoded. Where not,
    /// its numbers mean nothing.
    pub fn is_answerable(&self, row: usize) -> bool {
        self.at(row).is_some_and(|at| self.store.gaps.none_in(at..at + self.store.length))
    }

    /// Whether its rows are windows of rows.
    pub fn is_windowed(&self) -> bool {
        self.store.length > 1 || self.store.first > 0
    }

    /// How many rows of the source could not be encoded.
    pub fn gaps_count(&self) -> usize {
        self.store.gaps.count()
    }

    /// Why rows could not be encoded: of the first of them, in their order.
    pub fn gaps(&self) -> &[Fault] {
        self.store.gaps.reasons()
    }

    /// Copies what a port holds for the row that a sample stands for; of a
    /// window, that of its (first) target and not of the whole window.
    ///
    /// # Errors
    /// Where the row or the port is not there, or `out` has another length.
    pub fn named_row(&self, port: PortId, row: usize, out: &mut Vec<f64>) -> Result<(), Box<Fault>> {
        let values = self.values(port).ok_or_else(|| wrong("the table has no such port"))?;
        let at = self.at(row).ok_or_else(outside)?;
        let at = if matches!(port, PortId::Input(_)) { at + self.store.first } else { at };
        let one = match port {
            PortId::Input(_) => values.width / self.store.length.max(1),
            PortId::Target(_) => values.width / self.store.steps.max(1),
        };
        out.clear();
        out.resize(one, 0.0);
        values.copy_part(at, one, self.store.run.unwrap_or(1), out)
    }

    /// How much a row counts; 1 where there is no weight column.
    pub fn weight(&self, row: usize) -> Option<f64> {
        let at = self.at(row)?;
        match &self.store.weights {
            Some(weights) => weights.get(at).copied(),
            None => Some(1.0),
        }
    }

    /// Fills `out`, which is as long as the table, with the order of an epoch.
    /// In memory this is [`shuffled`](crate::shuffled). Of a table on disk
    /// runs of neighbours stay together as far as reading them needs: runs of
    /// about 128 KiB are shuffled, and then the rows within 64 such runs.
    pub fn order(&self, seed: u64, epoch: u64, out: &mut [u32]) {
        match self.store.run {
            None => rng::shuffled(seed, epoch, out),
            Some(run) => rng::shuffled_runs(seed, epoch, run, cache::RUNS, out),
        }
    }

    /// Whether some of it is on disk, so that reading costs time.
    pub fn is_on_disk(&self) -> bool {
        self.store.run.is_some()
    }

    /// Copies `rows` of a port into `out`, one after the other. `out` has
    /// exactly `rows.len()` times the port's width. Allocates nothing.
    ///
    /// # Errors
    /// Where a row or the port is not there, or `out` has another length.
    pub fn gather_f32(&self, port: PortId, rows: &[u32], out: &mut [f32]) -> Result<(), Box<Fault>> {
        self.gather(port, rows, out)
    }

    /// The same, in double precision.
    ///
    /// # Errors
    /// As [`Table::gather_f32`].
    pub fn gather_f64(&self, port: PortId, rows: &[u32], out: &mut [f64]) -> Result<(), Box<Fault>> {
        self.gather(port, rows, out)
    }

    /// Copies the weights of `rows`; ones where there is no weight column.
    ///
    /// # Errors
    /// Where a row is not there, or `out` has another length.
    pub fn gather_weights(&self, rows: &[u32], out: &mut [f32]) -> Result<(), Box<Fault>> {
        if rows.len() != out.len() {
            return Err(wrong("the weight buffer has another length than the rows"));
        }
        for (&row, slot) in rows.iter().zip(out) {
            let weight = self.weight(row as usize);
            *slot = weight.ok_or_else(outside)? as f32;
        }
        Ok(())
    }

    fn gather<T: Number>(&self, port: PortId, rows: &[u32], out: &mut [T]) -> Result<(), Box<Fault>> {
        let values = self.values(port).ok_or_else(|| wrong("the table has no such port"))?;
        let (width, run) = (values.width, self.store.run.unwrap_or(1));
        if rows.len().checked_mul(width) != Some(out.len()) {
            return Err(wrong("the batch buffer has another length than the rows"));
        }
        if width == 0 {
            return Ok(());
        }
        for (&row, slot) in rows.iter().zip(out.chunks_exact_mut(width)) {
            values.copy(self.at(row as usize).ok_or_else(outside)?, run, slot)?;
        }
        Ok(())
    }

    fn values(&self, port: PortId) -> Option<&Values> {
        match port {
            PortId::Input(i) => self.store.inputs.get(i),
            PortId::Target(i) => self.store.targets.get(i),
        }
    }

    /// The row of the store behind a row of this table.
    fn at(&self, row: usize) -> Option<usize> {
        match &self.rows {
            Rows::All => (row < self.store.len).then_some(row),
            Rows::Some(rows) => rows.get(row).map(|&r| r as usize),
        }
    }
}

fn outside() -> Box<Fault> {
    wrong("a row outside of the table")
}

/// The caller's mistake, not the data's.
fn wrong(message: &str) -> Box<Fault> {
    Box::new(Fault::new(codes::MISMATCH, message))
}
