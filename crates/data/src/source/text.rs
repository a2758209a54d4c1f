//! A text as windows of characters or bytes. The target of a window is the
//! window one character further on.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::Arc;

use super::Source;
use crate::Limits;
use crate::disk::{self, Writer};
use crate::fault::{Fault, Faults, Place, codes};
use crate::glob;
use crate::input::{self, Input, PLAUSIBLE_RATIO};
use crate::raw::{Codes, Data, Head, Places, Raw, Want, Windows};
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
                Some(Raw { columns: columns.collect(), len, places, notes: Vec::new() })
            }
            Err(fault) => {
                let path = fault.path.clone().unwrap_or_else(|| self.spec.path.clone());
                faults.push(fault.path(path).at(self.spec.handle));
                None
            }
        }
    }
}

impl Text {
    fn windows(&self) -> Result<(Windows, usize), Box<Fault>> {
        let mut codes = Coder::new(self.spec.bytes, self.limits.memory / 4);
        for path in glob::expand(&self.spec.path, self.spec.handle)? {
            self.file(&path, &mut codes).map_err(|f| Box::new(f.path(&path)))?;
        }
        let n = usize::try_from(codes.count).unwrap_or(usize::MAX);
        let (width, stride) = (self.spec.window, self.spec.stride.unwrap_or(self.spec.window));
        let Some(room) = n.checked_sub(width).and_then(|r| r.checked_sub(1)) else {
            let message = format!(
                "`{}` has {n} characters, too few for one window of {width} and what follows it",
                self.spec.path
            );
            return Err(Box::new(Fault::new(codes::EMPTY, message).help("a smaller window=")));
        };
        let (data, names) = codes.finish()?;
        let windows =
            Windows { width, stride, start: 0, data, names: Arc::new(names), bytes: self.spec.bytes };
        Ok((windows, room / stride + 1))
    }

    /// Reads a file a piece at a time.
    fn file(&self, path: &str, codes: &mut Coder) -> Result<(), Box<Fault>> {
        let Input { mut reader, packed, .. } = input::open(path, self.spec.handle)?;
        let broken = |e: io::Error| Box::new(input::broken(path, &e, self.spec.handle));
        let mut piece = vec![0u8; PIECE];
        // Bytes of a character whose rest is in the next piece.
        let mut left = 0;
        let mut place = Position { line: 1, bytes: 0 };
        loop {
            let n = match reader.read(&mut piece[left..]) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                n => n.map_err(broken)?,
            };
            let (have, at_end) = (left + n, n == 0);
            let begin =
                if place.bytes == 0 && piece[..have].starts_with(&[0xef, 0xbb, 0xbf]) { 3 } else { 0 };
            if place.bytes == 0 && have < 3 && !at_end {
                left = have; // the mark at the beginning may not be whole
                continue;
            }
            let used = begin + codes.add(&piece[begin..have], at_end, place)?;
            place.line += memchr::memchr_iter(b'\n', &piece[..used]).count() as u64;
            place.bytes += used as u64;
            piece.copy_within(used..have, 0);
            left = have - used;
            if at_end {
                return Ok(());
            }
            if let Some(packed) = packed.filter(|p| codes.is_on_disk() && place.bytes / PLAUSIBLE_RATIO > *p)
            {
                return Err(input::bomb(path, packed, place.bytes));
            }
        }
    }
}

const PIECE: usize = 1 << 20;

/// How far a file is read.
#[derive(Clone, Copy)]
struct Position {
    line: u64,
    bytes: u64,
}

/// Numbers characters as they come, and puts them into order at the end.
struct Coder {
    bytes: bool,
    /// The code of each ASCII character that came; `NEW` of the others.
    ascii: [u16; 128],
    others: HashMap<char, u16>,
    characters: Vec<char>,
    memory: Vec<u16>,
    /// Bytes of memory before the codes go to disk.
    most: u64,
    disk: Option<Writer>,
    count: u64,
}

const NEW: u16 = u16::MAX;

impl Coder {
    fn new(bytes: bool, most: u64) -> Self {
        Self {
            bytes,
            ascii: [NEW; 128],
            others: HashMap::new(),
            characters: Vec::new(),
            memory: Vec::new(),
            most,
            disk: None,
            count: 0,
        }
    }

    fn is_on_disk(&self) -> bool {
        self.disk.is_some()
    }

    /// Adds as many whole characters as there are, and says how many bytes
    /// they took.
    fn add(&mut self, piece: &[u8], at_end: bool, place: Position) -> Result<usize, Box<Fault>> {
        let before = self.memory.len();
        let used = if self.bytes {
            self.memory.extend(piece.iter().map(|&b| u16::from(b)));
            piece.len()
        } else {
            let text = match std::str::from_utf8(piece) {
                Ok(text) => text,
                Err(e) if e.error_len().is_none() && !at_end => {
                    // The last character is cut; its rest will come.
                    std::str::from_utf8(&piece[..e.valid_up_to()]).unwrap_or_default()
                }
                Err(e) => return Err(not_text(piece, e.valid_up_to(), place)),
            };
            for c in text.chars() {
                let code = self.code(c)?;
                self.memory.push(code);
            }
            text.len()
        };
        self.count += (self.memory.len() - before) as u64;
        if self.memory.len() as u64 * 2 > self.most {
            let codes = std::mem::take(&mut self.memory);
            let mut writer = match self.disk.take() {
                Some(writer) => writer,
                None => Writer::new().map_err(|e| disk::fault(&e))?,
            };
            writer.put(codes).map_err(|e| disk::fault(&e))?;
            self.disk = Some(writer);
        }
        Ok(used)
    }

    fn code(&mut self, c: char) -> Result<u16, Box<Fault>> {
        let known = match self.ascii.get(c as usize) {
            Some(&code) => Some(code).filter(|&code| code != NEW),
            None => self.others.get(&c).copied(),
        };
        if let Some(code) = known {
            return Ok(code);
        }
        let code = self.characters.len() as u16;
        if code == NEW {
            let message = "this text has more than 65535 different characters";
            return Err(Box::new(Fault::new(codes::TOO_BIG, message).help("read it as `bytes`")));
        }
        self.characters.push(c);
        match self.ascii.get_mut(c as usize) {
            Some(slot) => *slot = code,
            None => {
                self.others.insert(c, code);
            }
        }
        Ok(code)
    }

    /// The codes, numbered in the order of Unicode, and their names.
    fn finish(mut self) -> Result<(Codes, Vec<String>), Box<Fault>> {
        let (map, names): (Vec<u16>, Vec<String>) = if self.bytes {
            ((0..256).collect(), (0..256).map(|b| format!("{b:02x}")).collect())
        } else {
            let mut sorted = self.characters.clone();
            sorted.sort_unstable();
            let place = |c| sorted.binary_search(c).unwrap_or_default() as u16;
            (self.characters.iter().map(place).collect(), sorted.iter().map(ToString::to_string).collect())
        };
        let data = match self.disk {
            Some(mut writer) => {
                writer.put(self.memory).map_err(|e| disk::fault(&e))?;
                let file = writer.finish().map_err(|e| disk::fault(&e))?;
                Codes::Disk(Arc::new(file), Arc::new(map))
            }
            None => {
                self.memory.iter_mut().for_each(|c| *c = map[usize::from(*c)]);
                Codes::Memory(Arc::new(self.memory))
            }
        };
        Ok((data, names))
    }
}

fn not_text(piece: &[u8], at: usize, place: Position) -> Box<Fault> {
    let line = place.line + memchr::memchr_iter(b'\n', &piece[..at]).count() as u64;
    let shown = piece.get(at).map_or(String::new(), |b| format!(" (byte {b:02x})"));
    let place = Place { line: Some(line), ..Place::default() };
    let fault = Fault::new(codes::DAMAGED, format!("this is not UTF-8 text{shown}")).place(place);
    Box::new(fault.help("save the file as UTF-8, or read it as `bytes`"))
}
