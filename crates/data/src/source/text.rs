//! A text as windows of characters or bytes. The target of a window is the
//! window one character further on.

use std::io::Read;
use std::sync::Arc;

use super::{Source, size, too_big};
use crate::Limits;
use crate::fault::{Fault, Faults, Place, codes};
use crate::glob;
use crate::input;
use crate::raw::{Data, Head, Places, Raw, Want, Windows};
use crate::spec::{Role, TextSpec};

struct Text {
    spec: TextSpec,
    limits: Limits,
    heads: Vec<Head>,
}

/// Checks the options; the file is read later.
pub(crate) fn open(spec: &TextSpec, limits: &Limits) -> Result<Box<dyn Source>, Vec<Fault>> {
    for (name, value) in [("window", Some(spec.window)), ("stride", spec.stride)] {
        if value == Some(0) {
            let fault = Fault::new(codes::OPTION, format!("`{name}=0` is no number of characters"));
            return Err(vec![fault.at(spec.handle).help(format!("{name}=100"))]);
        }
    }
    let head = |name, role| Head::made_up(name, Some(role));
    Ok(Box::new(Text {
        spec: spec.clone(),
        limits: *limits,
        heads: vec![head("input", Role::Input), head("target", Role::Target)],
    }))
}

impl Source for Text {
    fn heads(&self) -> &[Head] {
        &self.heads
    }

    fn name(&self) -> &str {
        &self.spec.path
    }

    fn read(self: Box<Self>, wants: &[Want], faults: &mut Faults) -> Option<Raw> {
        match self.windows() {
            Ok((windows, len)) => {
                let starts = wants.iter().zip(0..);
                let columns = starts.map(|(want, start)| match want {
                    Want::Skip => Data::Skipped,
                    _ => Data::Windows(Windows { start, ..windows.clone() }),
                });
                let places = Places {
                    paths: vec![self.spec.path.clone()],
                    handle: self.spec.handle,
                    ..Places::default()
                };
                Some(Raw { columns: columns.collect(), len, places })
            }
            Err(fault) => {
                faults.push(fault.path(&self.spec.path).at(self.spec.handle));
                None
            }
        }
    }
}

impl Text {
    fn windows(&self) -> Result<(Windows, usize), Box<Fault>> {
        let bytes = self.bytes()?;
        let (data, names) = if self.spec.bytes {
            (bytes.iter().map(|&b| u16::from(b)).collect(), byte_names())
        } else {
            characters(&bytes)?
        };
        let (width, stride) = (self.spec.window, self.spec.stride.unwrap_or(self.spec.window));
        let n = data.len();
        let Some(room) = n.checked_sub(width).and_then(|r| r.checked_sub(1)) else {
            let message = format!(
                "`{}` has {n} characters, too few for one window of {width} and what follows it",
                self.spec.path
            );
            return Err(Box::new(Fault::new(codes::EMPTY, message).help("a smaller window=")));
        };
        let windows = Windows {
            width,
            stride,
            start: 0,
            data: Arc::new(data),
            names: Arc::new(names),
            bytes: self.spec.bytes,
        };
        Ok((windows, room / stride + 1))
    }

    /// The files one after the other, as far as the limit allows: a byte
    /// becomes two, and the bytes themselves are there at the same time.
    fn bytes(&self) -> Result<Vec<u8>, Box<Fault>> {
        let handle = self.spec.handle;
        let most = self.limits.memory / 3;
        let mut bytes = Vec::new();
        for path in glob::expand(&self.spec.path, handle)? {
            let begin = bytes.len();
            let room = most.saturating_add(1).saturating_sub(begin as u64);
            let read = input::open(&path, handle)?.reader.take(room).read_to_end(&mut bytes);
            read.map_err(|e| Box::new(input::broken(&path, &e, handle)))?;
            if bytes.len() as u64 > most {
                let message = format!("`{path}` is longer than {}", size(most));
                let need = (bytes.len() as u64).saturating_mul(3);
                return Err(Box::new(too_big(&message, need, &self.limits)));
            }
            if bytes[begin..].starts_with(&[0xef, 0xbb, 0xbf]) {
                bytes.drain(begin..begin + 3);
            }
        }
        Ok(bytes)
    }
}

/// Two hexadecimal digits each.
fn byte_names() -> Vec<String> {
    (0..256).map(|b| format!("{b:02x}")).collect()
}

/// The characters, numbered in the order of Unicode.
fn characters(bytes: &[u8]) -> Result<(Vec<u16>, Vec<String>), Box<Fault>> {
    let text = std::str::from_utf8(bytes).map_err(|e| not_text(bytes, e.valid_up_to()))?;
    let mut seen = std::collections::BTreeMap::new();
    let mut ascii = [false; 128];
    for c in text.chars() {
        match ascii.get_mut(c as usize) {
            Some(there) => *there = true,
            None => {
                seen.entry(c).or_insert(0u16);
            }
        }
    }
    let there = ascii.iter().zip(0u8..).filter(|(there, _)| **there);
    let low: Vec<char> = there.map(|(_, b)| char::from(b)).collect();
    if low.len() + seen.len() > usize::from(u16::MAX) {
        let message = "this text has more than 65535 different characters";
        return Err(Box::new(Fault::new(codes::TOO_BIG, message).help("read it as `bytes`")));
    }
    let mut table = [0u16; 128];
    for (&c, i) in low.iter().zip(0u16..) {
        table[c as usize] = i;
    }
    for (code, i) in seen.values_mut().zip(low.len() as u16..) {
        *code = i;
    }
    let code = |c: char| match table.get(c as usize) {
        Some(&code) => code,
        None => seen.get(&c).copied().unwrap_or(0),
    };
    let data = text.chars().map(code).collect();
    let names = low.iter().chain(seen.keys()).map(ToString::to_string).collect();
    Ok((data, names))
}

fn not_text(bytes: &[u8], at: usize) -> Box<Fault> {
    let line = memchr::memchr_iter(b'\n', &bytes[..at]).count() as u64 + 1;
    let shown = bytes.get(at).map_or(String::new(), |b| format!(" (byte {b:02x})"));
    let place = Place { line: Some(line), ..Place::default() };
    let fault = Fault::new(codes::DAMAGED, format!("this is not UTF-8 text{shown}")).place(place);
    Box::new(fault.help("save the file as UTF-8, or read it as `bytes`"))
}
