//! Encoded rows, and the copying of them into batch buffers.

use std::sync::Arc;

use crate::cache;
use crate::fault::Fault;
use crate::gaps::Gaps;
use crate::packed::Number;
use crate::rng;
use crate::schema::PortId;
use crate::spans::{self, Spans};
use crate::stats::Window;
use crate::values::{Values, outside, wrong};

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
    /// Of samples that are whole series: the rows of each.
    pub(crate) whole: Option<Arc<Spans>>,
    /// What of it cannot be answered.
    pub(crate) gaps: Gaps,
    /// What is to be said about how the source was read.
    pub(crate) notes: Vec<Fault>,
    /// Where some of it is on disk: rows that are read together.
    pub(crate) run: Option<usize>,
}

/// Which rows of a store a table has.
#[derive(Clone, Debug)]
pub(crate) enum Rows {
    All,
    Some(Arc<[u32]>),
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
        let whole = self.whole.as_ref().map_or(0, |spans| spans.bytes());
        values.sum::<u64>().saturating_add(weights).saturating_add(origin).saturating_add(whole)
    }

    /// Turns rows into whole series of at most `length` steps; no value is
    /// copied. `ragged` says of every target whether it has a value for each
    /// step.
    pub(crate) fn wholes(mut self, spans: Spans, length: usize, ragged: &[bool]) -> Self {
        let spans = Arc::new(spans);
        self.len = spans.len();
        let steps = |values: &mut Values| {
            values.width *= length;
            values.rows = spans::Rows::Steps(Arc::clone(&spans));
        };
        self.inputs.iter_mut().for_each(steps);
        for (target, ragged) in self.targets.iter_mut().zip(ragged) {
            match ragged {
                true => steps(target),
                false => target.rows = spans::Rows::First(Arc::clone(&spans)),
            }
        }
        self.weights = self.weights.map(|w| {
            spans.begins.iter().map(|&begin| w.get(begin as usize).copied().unwrap_or(1.0)).collect()
        });
        self.whole = Some(spans);
        self
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
        if let Some(spans) = &self.store.whole {
            return self.store.origin(spans.get(at)?.start).map(Standing::Row);
        }
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
        if let Some(spans) = &self.store.whole {
            let rows: Vec<usize> = spans.get(at)?.filter_map(|r| self.store.origin(r)).collect();
            return Some([rows.clone(), rows]);
        }
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
        if self.store.series.is_some() || self.store.whole.is_some() {
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

    /// What is to be said about how the source was read: rows that were left
    /// out, and what was taken for what.
    pub fn notes(&self) -> &[Fault] {
        &self.store.notes
    }

    /// Whether a row, or every row of a window, could be encoded. Where not,
    /// its numbers mean nothing.
    pub fn is_answerable(&self, row: usize) -> bool {
        let none_in = |at: usize| match &self.store.whole {
            Some(spans) => spans.get(at).is_some_and(|rows| self.store.gaps.none_in(rows)),
            None => self.store.gaps.none_in(at..at + self.store.length),
        };
        self.at(row).is_some_and(none_in)
    }

    /// Whether its samples are whole series.
    pub fn is_of_series(&self) -> bool {
        self.store.whole.is_some()
    }

    /// How many steps of a port a row has; `None` where all rows have as many.
    pub fn steps(&self, port: PortId, row: usize) -> Option<usize> {
        self.values(port)?.length(self.at(row)?)
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
        if let Some(spans) = &self.store.whole {
            let first = spans.get(at).ok_or_else(outside)?.start;
            out.clear();
            out.resize(values.step, 0.0);
            return values.copy_part(first, values.step, self.store.run.unwrap_or(1), out);
        }
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
    /// exactly `rows.len()` times the port's width; where rows have different
    /// lengths, it may have room for fewer or more steps. Allocates nothing.
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

    /// Copies how many steps of a port each of `rows` has.
    ///
    /// # Errors
    /// Where a row or the port is not there, or its rows all have as many.
    pub fn gather_lengths_f32(&self, port: PortId, rows: &[u32], out: &mut [f32]) -> Result<(), Box<Fault>> {
        self.lengths(port, rows, out)
    }

    /// The same, in double precision.
    ///
    /// # Errors
    /// As [`Table::gather_lengths_f32`].
    pub fn gather_lengths_f64(&self, port: PortId, rows: &[u32], out: &mut [f64]) -> Result<(), Box<Fault>> {
        self.lengths(port, rows, out)
    }

    fn lengths<T: Number>(&self, port: PortId, rows: &[u32], out: &mut [T]) -> Result<(), Box<Fault>> {
        for (&row, slot) in rows.iter().zip(out) {
            let steps = self.steps(port, row as usize).ok_or_else(outside)?;
            *slot = T::from_f64(steps as f64);
        }
        Ok(())
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
        let run = self.store.run.unwrap_or(1);
        let width = match values.rows {
            spans::Rows::Steps(_) => out.len() / rows.len().max(1),
            spans::Rows::Own | spans::Rows::First(_) => values.width,
        };
        let steps = !matches!(values.rows, spans::Rows::Steps(_)) || width.is_multiple_of(values.step.max(1));
        if rows.len().checked_mul(width) != Some(out.len()) || !steps {
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
