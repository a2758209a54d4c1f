//! Rows of numbers and one-hot categories, with a category as one number and
//! not as a slot per class, in memory and on disk.

use std::io;
use std::ops::Range;

use crate::cache::Bytes;
use crate::raw::NONE;

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

/// Where the values of a row go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Packing {
    /// Slots of a row.
    pub(crate) slots: usize,
    /// The slot of each number.
    pub(crate) numbers: Vec<usize>,
    /// The first slot and the number of classes of each category.
    pub(crate) classes: Vec<(usize, usize)>,
}

/// Packed rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Packed {
    /// Those of a row one after the other.
    pub(crate) numbers: Vec<f64>,
    /// [`NONE`] is no class.
    pub(crate) classes: Vec<u32>,
}

impl Packing {
    /// Whether the numbers are the slots.
    pub(crate) fn is_plain(&self) -> bool {
        self.classes.is_empty() && self.numbers.iter().copied().eq(0..self.slots)
    }

    /// Values of a row as they are kept.
    pub(crate) fn width(&self) -> usize {
        self.numbers.len() + self.classes.len()
    }

    /// The rows a span of slots covers.
    fn rows(&self, span: &Range<usize>) -> Range<usize> {
        let slots = self.slots.max(1);
        span.start / slots..span.end / slots
    }

    /// A category becomes a one among zeros; `false` where it is out of range.
    fn set<T: Number>(&self, class: usize, code: u32, out: &mut [T]) -> bool {
        let (slot, width) = self.classes[class];
        match code {
            NONE => true,
            code if (code as usize) < width => {
                out[slot + code as usize] = T::from_f64(1.0);
                true
            }
            _ => false,
        }
    }

    /// Unpacks the slots of a span, which is whole rows.
    pub(crate) fn unpack<T: Number>(&self, packed: &Packed, span: Range<usize>, out: &mut [T]) -> Option<()> {
        out.fill(T::from_f64(0.0));
        for (row, out) in self.rows(&span).zip(out.chunks_exact_mut(self.slots)) {
            let n = self.numbers.len();
            let numbers = packed.numbers.get(row * n..(row + 1) * n)?;
            for (&slot, &x) in self.numbers.iter().zip(numbers) {
                out[slot] = T::from_f64(x);
            }
            let n = self.classes.len();
            let classes = packed.classes.get(row * n..(row + 1) * n)?;
            for (class, &code) in classes.iter().enumerate() {
                self.set(class, code, out).then_some(())?;
            }
        }
        Some(())
    }

    /// Rows as they are written to disk: the numbers as the bits of `f32`,
    /// then the classes.
    pub(crate) fn to_disk<'a>(&'a self, packed: &'a Packed, rows: usize) -> impl Iterator<Item = u32> + 'a {
        let (n, c) = (self.numbers.len(), self.classes.len());
        (0..rows).flat_map(move |row| {
            let numbers = packed.numbers[row * n..(row + 1) * n].iter();
            let classes = packed.classes[row * c..(row + 1) * c].iter();
            numbers.map(|x| (*x as f32).to_bits()).chain(classes.copied())
        })
    }

    /// [`Packing::unpack`] from disk.
    pub(crate) fn read<T: Number>(
        &self,
        bytes: &Bytes<'_>,
        span: Range<usize>,
        out: &mut [T],
    ) -> io::Result<()> {
        out.fill(T::from_f64(0.0));
        let (width, rows) = (self.width(), self.rows(&span));
        let (mut at, mut good) = (0, true);
        let range = (rows.start * width) as u64..(rows.end * width) as u64;
        bytes.each(range, |bits: u32| {
            let (row, value) = (at / width, at % width);
            let out = &mut out[row * self.slots..(row + 1) * self.slots];
            match self.numbers.get(value) {
                Some(&slot) => out[slot] = T::from_f32(f32::from_bits(bits)),
                None => good &= self.set(value - self.numbers.len(), bits, out),
            }
            at += 1;
        })?;
        if good { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
    }
}
