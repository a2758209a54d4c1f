//! Encoded rows, and the copying of them into batch buffers.

use std::sync::Arc;

use crate::fault::{Fault, codes};
use crate::schema::PortId;
use crate::stats::Window;

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
    /// The row of the source each row came from, where some were left out.
    pub(crate) origin: Option<Vec<u32>>,
    /// The row of the source that row 0 stands for: of windows, the target's.
    pub(crate) first: usize,
    pub(crate) len: usize,
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
    /// Characters; inputs and targets share them.
    Codes(Arc<Vec<u16>>),
}

/// A number type batches are made of.
pub(crate) trait Number: Copy {
    fn from_f64(x: f64) -> Self;
    fn from_f32(x: f32) -> Self;
}

impl Number for f32 {
    fn from_f64(x: f64) -> Self {
        x as f32
    }
    fn from_f32(x: f32) -> Self {
        x
    }
}

impl Number for f64 {
    fn from_f64(x: f64) -> Self {
        x
    }
    fn from_f32(x: f32) -> Self {
        f64::from(x)
    }
}

impl Values {
    /// Rows one after the other.
    pub(crate) fn rows(width: usize, cells: Cells) -> Self {
        Self { width, step: width, start: 0, cells }
    }

    fn copy<T: Number>(&self, row: usize, out: &mut [T]) -> Option<()> {
        fn put<S: Copy, T>(from: Option<&[S]>, out: &mut [T], f: impl Fn(S) -> T) -> Option<()> {
            for (o, &x) in out.iter_mut().zip(from?) {
                *o = f(x);
            }
            Some(())
        }
        let begin = self.start + row * self.step;
        let span = begin..begin + self.width;
        match &self.cells {
            Cells::F64(data) => put(data.get(span), out, T::from_f64),
            Cells::F32(data) => put(data.get(span), out, T::from_f32),
            Cells::Bytes(data, means) => put(data.get(span), out, |b| T::from_f64(means[usize::from(b)])),
            Cells::Classes(data) => put(data.get(span), out, |c| T::from_f64(f64::from(c))),
            Cells::Codes(data) => put(data.get(span), out, |c| T::from_f64(f64::from(c))),
        }
    }
}

impl Store {
    /// Turns rows into windows of rows; no value is copied.
    pub(crate) fn windowed(mut self, window: Window) -> Self {
        let window = match self.targets.is_empty() {
            true => Window { horizon: 0, ..window },
            false => window,
        };
        self.len = window.samples(self.len);
        self.first = window.reach();
        for input in &mut self.inputs {
            input.width *= window.length;
        }
        for target in &mut self.targets {
            target.start += self.first * target.step;
        }
        self.weights = self.weights.map(|w| w.into_iter().skip(self.first).collect());
        self
    }
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

    /// Whether target values are there; a file to predict may have none.
    pub fn has_targets(&self) -> bool {
        !self.store.targets.is_empty()
    }

    /// Numbers per row of a port; `None` where the table lacks the port.
    pub fn width(&self, port: PortId) -> Option<usize> {
        self.values(port).map(|v| v.width)
    }

    /// The row of the source, from 0 and without the header, that row `row`
    /// came from; of a sample of several rows, that of its target.
    pub fn source_row(&self, row: usize) -> Option<usize> {
        let at = self.at(row)?;
        match &self.store.origin {
            Some(origin) => origin.get(at).map(|&r| r as usize),
            None => Some(at + self.store.first),
        }
    }

    /// How much a row counts; 1 where there is no weight column.
    pub fn weight(&self, row: usize) -> Option<f64> {
        let at = self.at(row)?;
        match &self.store.weights {
            Some(weights) => weights.get(at).copied(),
            None => Some(1.0),
        }
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
            *slot = weight.ok_or_else(|| wrong("a row outside of the table"))? as f32;
        }
        Ok(())
    }

    fn gather<T: Number>(&self, port: PortId, rows: &[u32], out: &mut [T]) -> Result<(), Box<Fault>> {
        let values = self.values(port).ok_or_else(|| wrong("the table has no such port"))?;
        let width = values.width;
        if rows.len().checked_mul(width) != Some(out.len()) {
            return Err(wrong("the batch buffer has another length than the rows"));
        }
        if width == 0 {
            return Ok(());
        }
        for (&row, slot) in rows.iter().zip(out.chunks_exact_mut(width)) {
            self.at(row as usize)
                .and_then(|at| values.copy(at, slot))
                .ok_or_else(|| wrong("a row outside of the table"))?;
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

/// The caller's mistake, not the data's.
fn wrong(message: &str) -> Box<Fault> {
    Box::new(Fault::new(codes::MISMATCH, message))
}
