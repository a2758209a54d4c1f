//! Opening files: stdin, gzip, suggestions for a wrong name.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::disk::{DiskFile, Writer};
use crate::fault::{Fault, Told, codes};
use crate::spec::Handle;

/// A file that is open, unpacked where it is gzip.
pub(crate) struct Input {
    pub(crate) reader: Box<dyn Read + Send>,
    /// The most bytes it can hold, where that is known: a plain file's size,
    /// or what its gzip could unpack to.
    pub(crate) most: Option<u64>,
    /// Its size where it is packed.
    pub(crate) packed: Option<u64>,
}

/// Deflate, and so gzip and zip, cannot pack better than this to 1.
pub(crate) const DEFLATE_RATIO: u64 = 1032;

/// Data that is worth training on does not pack better than this to 1. What
/// does, and is larger than memory, is not unpacked.
pub(crate) const PLAUSIBLE_RATIO: u64 = 100;

/// The fault for a file that unpacks to far more than data would.
pub(crate) fn bomb(path: &str, packed: u64, unpacked: u64) -> Box<Fault> {
    let (packed, unpacked) = (crate::fault::size(packed), crate::fault::size(unpacked));
    let message = format!("`{path}` has {packed} and unpacks to {unpacked} or more, which no data does");
    let fault = Fault::new(codes::DAMAGED, message).path(path);
    Box::new(fault.help("unpack it first, if it is what it should be"))
}

/// Opens a file for reading from its beginning.
pub(crate) fn open(path: &str, handle: Option<Handle>) -> Result<Input, Box<Fault>> {
    if path == "-" {
        let stdin: Box<dyn Read + Send> = match KEPT.get() {
            Some(file) => Box::new(Kept { file: Arc::clone(file), at: 0 }),
            None => Box::new(io::stdin()),
        };
        return unpack(stdin, None).map_err(|e| Box::new(broken(path, &e, handle)));
    }
    let (file, size) = open_file(path, handle)?;
    unpack(Box::new(file), Some(size)).map_err(|e| Box::new(broken(path, &e, handle)))
}

/// What came from stdin, where it is read more than once.
static KEPT: OnceLock<Arc<DiskFile>> = OnceLock::new();

/// Copies stdin to a temporary file, which [`open`] reads from then on.
pub(crate) fn keep_stdin() -> io::Result<()> {
    if KEPT.get().is_some() {
        return Ok(());
    }
    let mut writer = Writer::new()?;
    let (mut stdin, mut piece) = (io::stdin().lock(), vec![0; 1 << 16]);
    loop {
        match stdin.read(&mut piece) {
            Ok(0) => break,
            Ok(n) => writer.put_bytes(&piece[..n])?,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    // Whoever was first has read all of it.
    let _ = KEPT.set(Arc::new(writer.finish()?));
    Ok(())
}

/// Reads a temporary file from its beginning.
pub(crate) fn kept(file: Arc<DiskFile>) -> Box<dyn Read + Send> {
    Box::new(Kept { file, at: 0 })
}

/// Reads [`KEPT`] from its beginning.
struct Kept {
    file: Arc<DiskFile>,
    at: u64,
}

impl Read for Kept {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(self.at, out)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// Opens a plain file, with its size.
pub(crate) fn open_file(path: &str, handle: Option<Handle>) -> Result<(File, u64), Box<Fault>> {
    let file = File::open(path).map_err(|e| Box::new(absent(path, &e, handle)))?;
    let meta = file.metadata().map_err(|e| Box::new(absent(path, &e, handle)))?;
    if meta.is_dir() {
        let fault = Fault::new(codes::NO_FILE, format!("`{path}` is a folder"));
        return Err(Box::new(fault.path(path).at(handle).expected("a file")));
    }
    // A pipe has no size that could be believed.
    let size = if meta.is_file() { meta.len() } else { u64::MAX };
    Ok((file, size))
}

fn unpack(mut raw: Box<dyn Read + Send>, size: Option<u64>) -> io::Result<Input> {
    let mut magic = [0u8; 2];
    let mut have = 0;
    while have < 2 {
        match raw.read(&mut magic[have..])? {
            0 => break,
            n => have += n,
        }
    }
    let head = io::Cursor::new(magic).take(have as u64);
    let size = size.filter(|&s| s != u64::MAX);
    let whole = head.chain(raw);
    if magic == [0x1f, 0x8b] && have == 2 {
        let count = Arc::new(AtomicU64::new(0));
        let counted = Counted { reader: whole, count: Arc::clone(&count) };
        let unpacked = flate2::read::MultiGzDecoder::new(BufReader::with_capacity(1 << 16, counted));
        let unpacked = Guarded { reader: unpacked, unpacked: 0, packed: count };
        let most = size.map(|s| s.saturating_mul(DEFLATE_RATIO));
        return Ok(Input { reader: Box::new(unpacked), most, packed: size });
    }
    Ok(Input { reader: Box::new(whole), most: size, packed: None })
}

/// Counts what is read of a packed file.
struct Counted<R> {
    reader: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(out)?;
        self.count.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Ends the reading of a file that unpacks to far more than data would,
/// wherever in it that shows.
struct Guarded<R> {
    reader: R,
    unpacked: u64,
    packed: Arc<AtomicU64>,
}

/// As much is unpacked of any file.
const HARMLESS: u64 = 32 << 20;

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(out)?;
        self.unpacked += n as u64;
        let packed = self.packed.load(Ordering::Relaxed);
        if self.unpacked > HARMLESS && self.unpacked / PLAUSIBLE_RATIO > packed {
            let sizes = [packed, self.unpacked].map(crate::fault::size);
            let message = format!("unpacks {} to {}, which no data does", sizes[0], sizes[1]);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        Ok(n)
    }
}

/// A fault for an error while reading.
pub(crate) fn broken(path: &str, error: &io::Error, handle: Option<Handle>) -> Fault {
    if let Some(Told(fault)) = error.get_ref().and_then(|e| e.downcast_ref::<Told>()) {
        return fault.clone().path(path).at(handle);
    }
    let damaged = matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof
    );
    let fault = if error.kind() == io::ErrorKind::FileTooLarge {
        Fault::new(codes::DAMAGED, format!("`{path}` {error}"))
            .help("unpack it first, if it is what it should be")
    } else if error.kind() == io::ErrorKind::UnexpectedEof {
        Fault::new(codes::DAMAGED, format!("`{path}` is cut short: it ends where more should come"))
            .help("download or pack the file again")
    } else if damaged {
        Fault::new(codes::DAMAGED, format!("`{path}` is damaged or cut short: {error}"))
            .help("download or pack the file again")
    } else {
        Fault::new(codes::NO_FILE, format!("`{path}` cannot be read: {error}"))
    };
    fault.path(path).at(handle)
}

fn absent(path: &str, error: &io::Error, handle: Option<Handle>) -> Fault {
    if error.kind() != io::ErrorKind::NotFound {
        let fault = Fault::new(codes::NO_FILE, format!("`{path}` cannot be read: {error}"));
        return fault.path(path).at(handle);
    }
    let fault = Fault::new(codes::NO_FILE, format!("there is no file `{path}`"));
    fault.path(path).at(handle).help(nearby(path))
}

/// What to write instead of a path that is not there.
pub(crate) fn nearby(path: &str) -> String {
    let path = Path::new(path);
    let folder = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    let Ok(entries) = std::fs::read_dir(folder) else {
        return format!("there is no folder `{}` either", folder.display());
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // A folder can hold a million files; a suggestion needs no more of them.
    let mut names: Vec<String> = entries
        .take(10_000)
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|n| !n.starts_with('.'))
        .collect();
    names.sort();
    let shown = |n: &String| format!("`{}`", folder.join(n).display()).replace("`./", "`");
    let close = similar(&name, names.iter().map(String::as_str));
    if !close.is_empty() {
        let close: Vec<String> = close.iter().map(|n| shown(&(*n).to_string())).collect();
        return format!("did you mean {}?", close.join(" or "));
    }
    let ending = path.extension().and_then(|e| e.to_str()).map(|e| format!(".{e}"));
    let alike = |n: &&String| ending.as_ref().is_some_and(|e| n.ends_with(e));
    let same: Vec<String> = names.iter().filter(alike).take(3).map(shown).collect();
    if same.is_empty() {
        "paths in a program begin at its folder, `--data` at the present one".to_string()
    } else {
        format!("that folder has {}", same.join(", "))
    }
}

/// The names that look most like `name`, best first, at most three.
pub(crate) fn similar<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let low = name.to_lowercase();
    let mut scored: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|n| {
            let other = n.to_lowercase();
            let distance = strsim::damerau_levenshtein(&low, &other);
            let room = low.chars().count().max(other.chars().count()) / 3;
            (distance <= room.max(1) && distance < other.chars().count()).then_some((distance, n))
        })
        .collect();
    scored.sort();
    scored.into_iter().take(3).map(|(_, n)| n).collect()
}
