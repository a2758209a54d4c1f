//! `.npy` and `.npz`, the formats of NumPy
//! (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).

use std::io::Read;

use super::array::{Element, Layout, Reading};
use super::{Source, zip};
use crate::Limits;
use crate::fault::{Fault, Faults, codes};
use crate::input::{self, Input};
use crate::raw::{Data, Head, Places, Raw, Want};
use crate::spec::{Handle, NpySpec, NpzSpec, Role};

/// One or two files with one array each, or one file with named arrays.
struct Arrays {
    name: String,
    heads: Vec<Head>,
    files: Vec<Member>,
    limits: Limits,
    handle: Option<Handle>,
}

/// Where an array is.
enum Member {
    File(String, Option<Handle>),
    Zip { archive: String, entry: zip::Entry },
}

/// Opens `.npy` files.
pub(crate) fn open(spec: &NpySpec, limits: &Limits) -> Result<Box<dyn Source>, Vec<Fault>> {
    let mut heads = vec![Head::made_up("input", Some(Role::Input))];
    let mut files = vec![Member::File(spec.inputs.clone(), spec.handle)];
    if let Some(path) = &spec.targets {
        heads.push(Head::made_up("target", Some(Role::Target)));
        files.push(Member::File(path.clone(), spec.targets_handle.or(spec.handle)));
    }
    let (name, handle) = (spec.inputs.clone(), spec.handle);
    Ok(Box::new(Arrays { name, heads, files, limits: *limits, handle }))
}

/// Opens an `.npz` file and reads its list of arrays.
pub(crate) fn open_npz(spec: &NpzSpec, limits: &Limits) -> Result<Box<dyn Source>, Vec<Fault>> {
    let entries = zip::entries(&spec.path, spec.handle).map_err(|f| vec![*f])?;
    let mut heads = Vec::new();
    let mut files = Vec::new();
    for entry in entries {
        let Some(name) = entry.name.strip_suffix(".npy") else { continue };
        heads.push(Head::named(name));
        files.push(Member::Zip { archive: spec.path.clone(), entry });
    }
    if heads.is_empty() {
        let fault = Fault::new(codes::EMPTY, format!("`{}` holds no arrays", spec.path));
        return Err(vec![fault.path(&spec.path).at(spec.handle)]);
    }
    let (name, handle) = (spec.path.clone(), spec.handle);
    Ok(Box::new(Arrays { name, heads, files, limits: *limits, handle }))
}

impl Source for Arrays {
    fn heads(&self) -> &[Head] {
        &self.heads
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn read(self: Box<Self>, wants: &[Want], faults: &mut Faults) -> Option<Raw> {
        let mut opened = Vec::new();
        for (member, &want) in self.files.iter().zip(wants) {
            opened.push(match want {
                Want::Skip => None,
                _ => self.open_member(member).map_err(|f| faults.push(*f)).ok(),
            });
        }
        if !faults.is_empty() {
            return None;
        }
        // All headers are believed to be true before a value is read.
        let len = self.common_length(&opened, faults)?;
        self.check_sum(&opened, faults)?;
        let mut columns = Vec::new();
        for (file, &want) in opened.into_iter().zip(wants) {
            let Some(mut file) = file else {
                columns.push(Data::Skipped);
                continue;
            };
            let reader = &mut file.input.reader;
            let array = match file.to_disk {
                true => file.layout.spill(&file.path, reader, file.handle, faults),
                false => file.layout.read(&file.path, reader, file.handle),
            };
            let array = array.map_err(|f| faults.push(*f)).ok()?;
            array.check(&file.path, faults);
            columns.push(array.column(Reading { want, unit: false }));
        }
        let places = Places { paths: vec![self.name.clone()], handle: self.handle, ..Places::default() };
        Some(Raw { columns, len, places, notes: Vec::new() })
    }
}

/// An array whose header is read and believable.
struct Open {
    path: String,
    input: Input,
    layout: Layout,
    to_disk: bool,
    handle: Option<Handle>,
}

impl Arrays {
    fn open_member(&self, member: &Member) -> Result<Open, Box<Fault>> {
        let handle = match member {
            Member::File(_, handle) => *handle,
            Member::Zip { .. } => self.handle,
        };
        self.open_at(member, handle).map_err(|f| Box::new(f.at(handle)))
    }

    fn open_at(&self, member: &Member, handle: Option<Handle>) -> Result<Open, Box<Fault>> {
        let (path, mut input) = match member {
            Member::File(path, _) => (path.clone(), input::open(path, handle)?),
            Member::Zip { archive, entry } => {
                (format!("{archive}/{}", entry.name), zip::open(archive, entry, handle)?)
            }
        };
        let (layout, header) = read_header(&path, &mut input.reader, handle)?;
        input.most = input.most.map(|m| m.saturating_sub(header));
        let to_disk = layout.check(&path, &input, self.limits.memory)?;
        Ok(Open { path, input, layout, to_disk, handle })
    }

    fn common_length(&self, opened: &[Option<Open>], faults: &mut Faults) -> Option<usize> {
        let mut there = opened.iter().flatten();
        let first = there.next()?;
        let len = first.layout.dims.first().copied().unwrap_or(0);
        for other in there {
            let n = other.layout.dims.first().copied().unwrap_or(0);
            if n != len {
                let message = format!("`{}` has {len} samples, and `{}` has {n}", first.path, other.path);
                let fault = Fault::new(codes::MISMATCH, message).path(&other.path).at(other.handle);
                faults.push(fault.help("name the arrays that belong together: `input x` and `target y`"));
            }
        }
        faults.is_empty().then_some(len)
    }

    fn check_sum(&self, opened: &[Option<Open>], faults: &mut Faults) -> Option<()> {
        let in_memory = opened.iter().flatten().filter(|o| !o.to_disk);
        let need = in_memory.fold(0u64, |n, o| n.saturating_add(o.layout.need()));
        if need > self.limits.memory {
            faults.push(super::too_big(&format!("`{}`", self.name), need, &self.limits).at(self.handle));
        }
        faults.is_empty().then_some(())
    }
}

/// The longest header that is read; NumPy writes about 100 bytes.
const MOST_HEADER: usize = 1 << 16;

/// The header and how many bytes it took.
fn read_header(
    path: &str,
    reader: &mut dyn Read,
    handle: Option<Handle>,
) -> Result<(Layout, u64), Box<Fault>> {
    let broken = |e: std::io::Error| Box::new(input::broken(path, &e, handle));
    let damaged = |message: String| Box::new(Fault::new(codes::DAMAGED, message).path(path));
    let mut magic = [0u8; 8];
    reader.read_exact(&mut magic).map_err(broken)?;
    if &magic[..6] != b"\x93NUMPY" {
        let message = format!("`{path}` is no npy file: it does not begin with \\x93NUMPY");
        return Err(Box::new(damaged(message).help("write it with `numpy.save`")));
    }
    let mut length = [0u8; 4];
    let wide = magic[6] >= 2;
    reader.read_exact(&mut length[..if wide { 4 } else { 2 }]).map_err(broken)?;
    let length = u32::from_le_bytes(length) as usize;
    if !(1..=3).contains(&magic[6]) || length > MOST_HEADER {
        let message = format!("`{path}` has a header of version {} and {length} bytes", magic[6]);
        return Err(Box::new(damaged(message).expected("version 1 to 3 and at most 65536 bytes")));
    }
    let mut text = vec![0u8; length];
    reader.read_exact(&mut text).map_err(broken)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let header = Parser { rest: &text }.header().ok_or_else(|| {
        let shown: String = text.trim().chars().take(120).collect();
        damaged(format!("the header of `{path}` cannot be understood: {shown}"))
    })?;
    let (element, big_endian) = element(&header.descr).ok_or_else(|| {
        let message = format!("`{path}` holds `{}`, which cannot be read", header.descr);
        let fault = damaged(message).expected("numbers, booleans or a list of text");
        Box::new(fault.help("write `x.astype('float32')`; objects and records are no arrays of numbers"))
    })?;
    let layout = Layout { element, big_endian, fortran: header.fortran, dims: header.shape };
    Ok((layout, 8 + if wide { 4 } else { 2 } + length as u64))
}

/// A type as NumPy writes it: byte order, kind, bytes.
fn element(descr: &str) -> Option<(Element, bool)> {
    let (order, kind) = match descr.as_bytes().first()? {
        b'<' | b'>' | b'|' | b'=' => (descr.as_bytes()[0], descr.get(1..)?),
        _ => (b'<', descr),
    };
    let element = match kind {
        "b1" | "?" => Element::Bool,
        "u1" => Element::U8,
        "u2" => Element::U16,
        "u4" => Element::U32,
        "u8" => Element::U64,
        "i1" => Element::I8,
        "i2" => Element::I16,
        "i4" => Element::I32,
        "i8" => Element::I64,
        "f2" => Element::F16,
        "f4" => Element::F32,
        "f8" => Element::F64,
        _ => {
            let count: usize = kind.get(1..)?.parse().ok()?;
            let fits = (1..=1 << 20).contains(&count);
            match kind.as_bytes().first()? {
                b'S' if fits => Element::Ascii(count),
                b'U' if fits => Element::Unicode(count),
                _ => return None,
            }
        }
    };
    Some((element, order == b'>'))
}

struct Header {
    descr: String,
    fortran: bool,
    shape: Vec<usize>,
}

/// Reads the Python dictionary of the header.
struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn header(mut self) -> Option<Header> {
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        self.eat("{")?;
        while self.eat("}").is_none() {
            let key = self.string()?;
            self.eat(":")?;
            match key {
                "descr" => descr = Some(self.descr()?),
                "fortran_order" => fortran = Some(self.boolean()?),
                "shape" => shape = Some(self.shape()?),
                _ => return None,
            }
            if self.eat(",").is_none() {
                self.eat("}")?;
                break;
            }
        }
        Some(Header { descr: descr?, fortran: fortran?, shape: shape? })
    }

    fn eat(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(token)?;
        Some(())
    }

    fn string(&mut self) -> Option<&'a str> {
        let text = self.rest.trim_start();
        let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (string, rest) = text[1..].split_once(quote)?;
        self.rest = rest;
        Some(string)
    }

    /// A type, or a list of fields, which is shown as it is and then refused.
    fn descr(&mut self) -> Option<String> {
        if let Some(text) = self.string() {
            return Some(text.to_string());
        }
        let list = self.rest.trim_start();
        let end = list.starts_with('[').then(|| list.find(']'))??;
        self.rest = &list[end + 1..];
        Some(list[..=end].to_string())
    }

    fn boolean(&mut self) -> Option<bool> {
        match self.eat("True") {
            Some(()) => Some(true),
            None => self.eat("False").map(|()| false),
        }
    }

    fn shape(&mut self) -> Option<Vec<usize>> {
        let mut dims = Vec::new();
        self.eat("(")?;
        while self.eat(")").is_none() {
            let text = self.rest.trim_start();
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            dims.push(text[..end].parse().ok()?);
            self.rest = text[end..].strip_prefix('L').unwrap_or(&text[end..]);
            if self.eat(",").is_none() {
                self.eat(")")?;
                break;
            }
            if dims.len() > 32 {
                return None;
            }
        }
        Some(dims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_understood() {
        let header = |text: &str| Parser { rest: text }.header();
        let h = header("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }  \n").unwrap();
        assert_eq!((h.descr.as_str(), h.fortran, h.shape), ("<f4", false, vec![3, 4]));
        let h = header("{\"shape\": (5,), 'descr': '|b1', 'fortran_order': True}").unwrap();
        assert_eq!((h.descr.as_str(), h.fortran, h.shape), ("|b1", true, vec![5]));
        let h = header("{'shape': (), 'descr': '|b1', 'fortran_order': True}").unwrap();
        assert!(h.shape.is_empty());
        let h = header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}").unwrap();
        assert_eq!(element(&h.descr), None);
        for bad in ["", "{", "{'descr': '<f4'}", "{'shape': (3 4)}", "{'shape': (-1,)}", "{é"] {
            assert!(header(bad).is_none(), "{bad}");
        }
        assert_eq!(element(">i2"), Some((Element::I16, true)));
        assert_eq!(element("<U5"), Some((Element::Unicode(5), false)));
        for bad in ["", "<", "O", "|O", "<c8", "<M8[ns]", "<U0", "<U99999999999", "é"] {
            assert_eq!(element(bad), None, "{bad}");
        }
    }
}
