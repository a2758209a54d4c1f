//! Arrays with a first axis of samples, as IDX and npy files hold them.

use std::io::{self, Read};
use std::sync::Arc;

use super::size;
use crate::disk::{self, DiskFile, Writer};
use crate::fault::{Fault, Faults, Place, codes};
use crate::input::{self, Input};
use crate::intern::Interner;
use crate::missing::is_missing;
use crate::raw::{Data, Spilled, SpilledKind, Want};
use crate::spec::Handle;

/// What the elements of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Bool,
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F16,
    F32,
    F64,
    /// Text of so many bytes.
    Ascii(usize),
    /// Text of so many characters of four bytes.
    Unicode(usize),
}

impl Element {
    /// Bytes in the file.
    pub(crate) fn size(self) -> u64 {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 | Self::F16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
            Self::Ascii(n) => n as u64,
            Self::Unicode(n) => 4 * n as u64,
        }
    }

    /// Bytes in memory.
    pub(crate) fn kept(self) -> u64 {
        match self {
            Self::Bool | Self::U8 => 1,
            Self::F16 | Self::F32 => 4,
            Self::Ascii(_) | Self::Unicode(_) => self.size().saturating_add(88),
            _ => 8,
        }
    }
}

/// What the header of a file promises.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) element: Element,
    pub(crate) big_endian: bool,
    /// The first axis varies fastest.
    pub(crate) fortran: bool,
    /// Samples first.
    pub(crate) dims: Vec<usize>,
}

impl Layout {
    /// Values promised; at most `u64::MAX`.
    pub(crate) fn count(&self) -> u64 {
        self.dims.iter().fold(1u64, |n, &d| n.saturating_mul(d as u64))
    }

    /// Bytes promised; at most `u64::MAX`.
    pub(crate) fn bytes(&self) -> u64 {
        self.count().saturating_mul(self.element.size())
    }

    /// Checks the promise against what the file can hold and what memory may
    /// be taken; while a file is read its bytes and its values are both there.
    /// Says whether the values have to go to disk.
    pub(crate) fn check(&self, path: &str, input: &Input, memory: u64) -> Result<bool, Box<Fault>> {
        if self.dims.len() > MOST_AXES {
            let message = format!("`{path}` promises {} axes; at most {MOST_AXES} are read", self.dims.len());
            return Err(Box::new(Fault::new(codes::DAMAGED, message).path(path)));
        }
        let dims = nnc_syntax::units::sizes(&self.dims);
        let bytes = self.bytes();
        if let Some(most) = input.most.filter(|&m| bytes > m) {
            let (promise, most) = (size(bytes), size(most));
            let message = format!("`{path}` promises {dims} values, {promise}, and can hold at most {most}");
            let fault = Fault::new(codes::DAMAGED, message).path(path);
            return Err(Box::new(fault.help("the file is cut short or its header is wrong")));
        }
        if self.dims.is_empty() {
            let message = format!("`{path}` holds one value and not a list of samples");
            return Err(Box::new(Fault::new(codes::DAMAGED, message).path(path)));
        }
        if bytes == 0 {
            let message = format!("`{path}` has no values ({dims})");
            return Err(Box::new(Fault::new(codes::EMPTY, message).path(path)));
        }
        let need = self.need();
        if need <= memory {
            return Ok(false);
        }
        if let Some(packed) = input.packed.filter(|p| bytes / input::PLAUSIBLE_RATIO > *p) {
            return Err(input::bomb(path, packed, bytes));
        }
        let text = matches!(self.element, Element::Ascii(_) | Element::Unicode(_));
        if !text && !self.fortran && self.dims.len() > 1 {
            return Ok(true);
        }
        let (need, memory) = (size(need), size(memory));
        let message = format!("`{path}` ({dims}) would need {need} of memory, and {memory} are allowed");
        let fault = Fault::new(codes::TOO_BIG, message).path(path);
        Err(Box::new(match self.fortran {
            true => fault.help("write it with `numpy.ascontiguousarray`; then it need not fit into memory"),
            false => fault,
        }))
    }

    /// Bytes of memory while it is read.
    pub(crate) fn need(&self) -> u64 {
        let copies = if self.fortran || self.element != Element::U8 { self.bytes() } else { 0 };
        self.count().saturating_mul(self.element.kept()).saturating_add(copies)
    }

    /// Reads the values into a temporary file, a piece at a time.
    pub(crate) fn spill(
        self,
        path: &str,
        reader: &mut dyn Read,
        handle: Option<Handle>,
        faults: &mut Faults,
    ) -> Result<Array, Box<Fault>> {
        let broken = |e: io::Error| Box::new(input::broken(path, &e, handle));
        let full = |e: io::Error| disk::fault(&e);
        let mut writer = Writer::new().map_err(full)?;
        // A multiple of every element's size.
        let mut piece = vec![0u8; 1 << 20];
        let mut left = self.bytes();
        let per_row = self.dims.iter().skip(1).product::<usize>();
        let mut before = 0;
        while left > 0 {
            let n = left.min(piece.len() as u64) as usize;
            reader.read_exact(&mut piece[..n]).map_err(broken)?;
            let part = values(self.element, self.big_endian, piece[..n].to_vec());
            before += match part {
                Numbers::Bool(v) | Numbers::U8(v) => writer.put_bytes(&v).map(|()| v.len()),
                Numbers::F32(v) => {
                    check_finite(path, before, per_row, v.iter().map(|x| f64::from(*x)), faults);
                    writer.put(v.iter().copied()).map(|()| v.len())
                }
                Numbers::F64(v) | Numbers::Whole(v) => {
                    check_finite(path, before, per_row, v.iter().copied(), faults);
                    writer.put(v.iter().copied()).map(|()| v.len())
                }
                Numbers::Text(_) | Numbers::Disk(..) => Ok(0),
            }
            .map_err(full)?;
            left -= n as u64;
        }
        if reader.read(&mut [0u8; 1]).map_err(broken)? > 0 {
            let message = format!("`{path}` has more values than its header promises");
            return Err(Box::new(Fault::new(codes::DAMAGED, message).path(path).at(handle)));
        }
        let file = writer.finish().map_err(full)?;
        Ok(Array { dims: self.dims, values: Numbers::Disk(Arc::new(file), self.element) })
    }

    /// Reads the values. Memory grows with what is really there, not with
    /// what the header promises.
    pub(crate) fn read(
        self,
        path: &str,
        reader: &mut dyn Read,
        handle: Option<Handle>,
    ) -> Result<Array, Box<Fault>> {
        let promised = self.bytes();
        let mut bytes = Vec::with_capacity(promised.min(1 << 20) as usize);
        let read = Read::take(&mut *reader, promised).read_to_end(&mut bytes);
        read.map_err(|e| Box::new(input::broken(path, &e, handle)))?;
        // This also reads the end of a packed file, where its checksum is.
        let rest = reader.read(&mut [0u8; 1]).map_err(|e| Box::new(input::broken(path, &e, handle)))?;
        if bytes.len() as u64 != promised || rest > 0 {
            let what = if rest > 0 { "more than" } else { "only" };
            let has = if rest > 0 { promised } else { bytes.len() as u64 };
            let message = format!("`{path}` promises {promised} bytes of values and has {what} {has}");
            let fault = Fault::new(codes::DAMAGED, message).path(path).at(handle);
            return Err(Box::new(fault));
        }
        if self.fortran && self.dims.len() > 1 {
            bytes = to_c_order(&bytes, &self.dims, self.element.size() as usize);
        }
        let values = values(self.element, self.big_endian, bytes);
        Ok(Array { dims: self.dims, values })
    }
}

/// An array in memory, in C order.
#[derive(Debug)]
pub(crate) struct Array {
    /// Samples first.
    pub(crate) dims: Vec<usize>,
    pub(crate) values: Numbers,
}

/// Its values.
#[derive(Debug)]
pub(crate) enum Numbers {
    Bool(Vec<u8>),
    U8(Vec<u8>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    /// Whole numbers.
    Whole(Vec<f64>),
    Text(Vec<String>),
    /// As [`Layout::spill`] writes them.
    Disk(Arc<DiskFile>, Element),
}

fn each<const N: usize, T>(bytes: &[u8], big: bool, f: impl Fn([u8; N]) -> T) -> Vec<T> {
    let swap = |mut b: [u8; N]| {
        b.reverse();
        b
    };
    bytes.as_chunks::<N>().0.iter().map(|&b| f(if big { swap(b) } else { b })).collect()
}

fn values(element: Element, big: bool, bytes: Vec<u8>) -> Numbers {
    let b = &bytes;
    match element {
        Element::Bool => Numbers::Bool(b.iter().map(|&b| u8::from(b != 0)).collect()),
        Element::U8 => Numbers::U8(bytes),
        Element::I8 => Numbers::Whole(each(b, big, |b| f64::from(i8::from_le_bytes(b)))),
        Element::U16 => Numbers::Whole(each(b, big, |b| f64::from(u16::from_le_bytes(b)))),
        Element::I16 => Numbers::Whole(each(b, big, |b| f64::from(i16::from_le_bytes(b)))),
        Element::U32 => Numbers::Whole(each(b, big, |b| f64::from(u32::from_le_bytes(b)))),
        Element::I32 => Numbers::Whole(each(b, big, |b| f64::from(i32::from_le_bytes(b)))),
        Element::U64 => Numbers::Whole(each(b, big, |b| u64::from_le_bytes(b) as f64)),
        Element::I64 => Numbers::Whole(each(b, big, |b| i64::from_le_bytes(b) as f64)),
        Element::F16 => Numbers::F32(each(b, big, |b| half(u16::from_le_bytes(b)))),
        Element::F32 => Numbers::F32(each(b, big, f32::from_le_bytes)),
        Element::F64 => Numbers::F64(each(b, big, f64::from_le_bytes)),
        Element::Ascii(n) => {
            let text = |c: &[u8]| String::from_utf8_lossy(c).trim_end_matches('\0').to_string();
            Numbers::Text(b.chunks_exact(n.max(1)).map(text).collect())
        }
        Element::Unicode(n) => Numbers::Text(
            b.chunks_exact(4 * n.max(1))
                .map(|cell| {
                    let code = each(cell, big, u32::from_le_bytes).into_iter();
                    let text: String = code.map(|c| char::from_u32(c).unwrap_or('\u{fffd}')).collect();
                    text.trim_end_matches('\0').to_string()
                })
                .collect(),
        ),
    }
}

/// A half precision number; exact.
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, mantissa) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    sign * match exponent {
        0 => mantissa / 16_777_216.0,
        31 if mantissa == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        e => (1024.0 + mantissa) * 2f32.powi(e - 25),
    }
}

/// From the order with the first axis fastest to the one with the last.
fn to_c_order(bytes: &[u8], dims: &[usize], width: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut strides = Vec::with_capacity(dims.len());
    let mut stride = width;
    for &d in dims {
        strides.push(stride);
        stride *= d;
    }
    let mut index = vec![0usize; dims.len()];
    let mut at = 0;
    for _ in 0..bytes.len() / width.max(1) {
        out.extend_from_slice(&bytes[at..at + width]);
        for axis in (0..dims.len()).rev() {
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < dims[axis] {
                break;
            }
            at -= strides[axis] * dims[axis];
            index[axis] = 0;
        }
    }
    out
}

/// Axes of an array; NumPy has as many at most.
const MOST_AXES: usize = 64;

/// Integer targets up to this are classes.
pub(crate) const MOST_CLASSES: f64 = 65_535.0;

/// How arrays become columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) want: Want,
    /// All bytes stand for 0…1; else only those of pictures do.
    pub(crate) unit: bool,
}

impl Array {
    /// As a column. A list of numbers is a column of numbers; whole numbers
    /// from 0 on as a target are classes. A picture without a channel axis
    /// gets one, where its values are bytes or `reading.unit` holds.
    pub(crate) fn column(self, reading: Reading) -> Data {
        let mut shape: Vec<usize> = self.dims.iter().skip(1).copied().collect();
        let target = reading.want != Want::Auto;
        let on_disk = matches!(self.values, Numbers::Disk(..));
        if !on_disk && (shape.is_empty() || (shape == [1] && target)) {
            return list(self.values, reading.want);
        }
        // Classes are no brightness, and their axes no channels.
        let classes = matches!(reading.want, Want::Text | Want::Words);
        let mask = is_mask(&self.values, target);
        let image = shape.len() >= 2 && !classes && !mask;
        let reading = Reading { unit: reading.unit && !classes && !mask, ..reading };
        let bytes = matches!(self.values, Numbers::U8(_) | Numbers::Disk(_, Element::U8));
        if shape.len() == 2 && !classes && (bytes || reading.unit) {
            shape.push(1);
        }
        match self.values {
            Numbers::U8(data) => Data::Bytes { shape, data, unit: reading.unit || image },
            Numbers::Bool(data) => Data::Bytes { shape, data, unit: false },
            Numbers::F32(data) => Data::F32 { shape, data },
            Numbers::F64(data) | Numbers::Whole(data) => Data::F64 { shape, data },
            Numbers::Disk(file, element) => {
                let of = match element {
                    Element::U8 => SpilledKind::Bytes { shape, unit: reading.unit || image },
                    Element::Bool => SpilledKind::Bytes { shape, unit: false },
                    Element::F16 | Element::F32 => SpilledKind::F32 { shape },
                    _ => SpilledKind::F64 { shape },
                };
                Data::Spilled(Spilled { file, of })
            }
            Numbers::Text(_) => Data::Skipped,
        }
    }

    /// Faults for numbers that are not finite; in a list NaN is a missing
    /// value, and in an array there is no rule for it. Also for arrays of text.
    pub(crate) fn check(&self, path: &str, faults: &mut Faults) {
        let per_row = self.dims.iter().skip(1).product::<usize>();
        let list = self.dims.len() == 1;
        let hole = |x: &f64| list && x.is_nan();
        let zero = |x: f64| if hole(&x) { 0.0 } else { x };
        match &self.values {
            Numbers::Bool(_) | Numbers::U8(_) | Numbers::Whole(_) | Numbers::Disk(..) => {}
            Numbers::F32(v) => {
                check_finite(path, 0, per_row, v.iter().map(|x| zero(f64::from(*x))), faults);
            }
            Numbers::F64(v) => check_finite(path, 0, per_row, v.iter().map(|x| zero(*x)), faults),
            Numbers::Text(_) if per_row > 1 => {
                let message = format!("`{path}` is an array of text; only a list of text can be read");
                faults.push(Fault::new(codes::DAMAGED, message).path(path));
            }
            Numbers::Text(_) => {}
        }
    }
}

/// Faults for values that are no numbers; `before` values came before them.
fn check_finite(
    path: &str,
    before: usize,
    per_row: usize,
    values: impl Iterator<Item = f64>,
    faults: &mut Faults,
) {
    let per_row = per_row.max(1);
    for (i, x) in values.enumerate().filter(|(_, x)| !x.is_finite()) {
        faults.push_with(codes::NOT_A_NUMBER, || {
            let place = Place {
                row: Some(((before + i) / per_row) as u64 + 1),
                column: Some((before + i) % per_row + 1),
                cell: Some(x.to_string()),
                ..Place::default()
            };
            Fault::new(codes::NOT_A_NUMBER, format!("`{x}` is not a finite number"))
                .path(path)
                .place(place)
                .help("correct it where the file is made; arrays have no rule for missing values")
        });
    }
}

fn list(values: Numbers, want: Want) -> Data {
    let (whole, numbers): (bool, Vec<f64>) = match values {
        Numbers::Bool(v) | Numbers::U8(v) => (true, v.into_iter().map(f64::from).collect()),
        Numbers::F32(v) => (false, v.into_iter().map(f64::from).collect()),
        Numbers::F64(v) => (false, v),
        Numbers::Whole(v) => (true, v),
        Numbers::Text(v) => return texts(&v),
        Numbers::Disk(..) => return Data::Skipped,
    };
    let classes = matches!(want, Want::Text | Want::Words) || want == Want::Class && whole;
    let fits = |x: &f64| *x >= 0.0 && *x <= MOST_CLASSES && x.fract() == 0.0;
    if !classes || !numbers.iter().all(fits) {
        return Data::Numbers(numbers);
    }
    let most = numbers.iter().fold(0.0f64, |a, &b| a.max(b)) as u32;
    Data::Text {
        codes: numbers.into_iter().map(|x| x as u32).collect(),
        vocabulary: Arc::new((0..=most).map(|k| k.to_string()).collect()),
    }
}

/// Whether bytes are all 0 or 1: a mask, or a drawing in two colours, which has
/// no brightness. An input of nothing but 0 may be a dark picture.
fn is_mask(values: &Numbers, target: bool) -> bool {
    let top = match values {
        Numbers::U8(data) => {
            data.iter().try_fold(0, |top, b| if *b <= 1 { Some((*b).max(top)) } else { None })
        }
        Numbers::Disk(file, Element::U8) => greatest(file, MASK_LOOK.min(file.len()))
            .filter(|top| *top <= 1)
            .and_then(|_| greatest(file, file.len())),
        _ => None,
    };
    top.is_some_and(|top| top == 1 || (top == 0 && target))
}

/// Bytes that tell most pictures from masks, so that a large file is not read for it.
const MASK_LOOK: u64 = 1 << 16;

/// The greatest of the first bytes of a file.
fn greatest(file: &DiskFile, first: u64) -> Option<u8> {
    let mut top = 0;
    file.each::<u8>(0..first, |b| top = b.max(top)).ok()?;
    Some(top)
}

fn texts(cells: &[String]) -> Data {
    let mut names = Interner::default();
    for cell in cells {
        if is_missing(cell.as_bytes(), false) {
            names.push_missing();
        } else {
            names.push(cell.as_bytes());
        }
    }
    names.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_exact() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x3555, 0.333_251_95),
            (0x0001, 5.960_464_5e-8),
            (0x7bff, 65504.0),
            (0x7c00, f32::INFINITY),
        ] {
            assert_eq!(half(bits), value);
        }
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn orders() {
        // [[0 1 2] [3 4 5]] with the first axis fastest
        assert_eq!(to_c_order(&[0, 3, 1, 4, 2, 5], &[2, 3], 1), [0, 1, 2, 3, 4, 5]);
        assert_eq!(to_c_order(&[0, 4, 2, 6, 1, 5, 3, 7], &[2, 2, 2], 1), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(to_c_order(&[0, 0, 2, 2, 1, 1, 3, 3], &[2, 2], 2), [0, 0, 1, 1, 2, 2, 3, 3]);
    }
}
