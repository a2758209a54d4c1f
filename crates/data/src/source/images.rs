//! Pictures: a folder with one folder per class, a folder of pictures
//! without classes, or a table whose first column names files.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::image::{self, ENDINGS, Trouble};
use super::{Source, table, too_big};
use crate::Limits;
use crate::fault::{Fault, Faults, Place, codes};
use crate::input;
use crate::raw::{Data, Head, NONE, Places, Raw, Want};
use crate::spec::{CsvSpec, Handle, ImagesSpec, Role};

/// Opens a folder or a table.
pub(crate) fn open(spec: &ImagesSpec, limits: &Limits) -> Result<Box<dyn Source>, Vec<Fault>> {
    let [h, w, c] = spec.shape;
    if h == 0 || w == 0 || !(c == 1 || c == 3) || h.saturating_mul(w) > 1 << 26 {
        let message = format!("pictures cannot be {h}x{w}x{c}");
        let fault = Fault::new(codes::OPTION, message).at(spec.handle);
        return Err(vec![fault.expected("height x width x channels, with 1 or 3 channels, as 64x64x3")]);
    }
    let path = Path::new(&spec.path);
    if path.is_file() {
        return Ok(Box::new(Table::open(spec, limits)?));
    }
    let folder = Folder::list(spec, path).map_err(|f| vec![f.at(spec.handle)])?;
    fits(folder.files.len(), spec, limits).map_err(|f| vec![*f])?;
    Ok(Box::new(folder))
}

/// The pictures of a folder, in the order of their rows; none where there is no such folder.
pub(crate) fn files(spec: &ImagesSpec) -> Vec<String> {
    let folder = Folder::list(spec, Path::new(&spec.path)).map(|f| f.files).unwrap_or_default();
    folder.iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

/// Whether so many pictures are within the limits.
fn fits(count: usize, spec: &ImagesSpec, limits: &Limits) -> Result<(), Box<Fault>> {
    let need = spec.shape.iter().fold(count as u64, |n, &d| n.saturating_mul(d as u64));
    if need <= limits.memory {
        return Ok(());
    }
    let [h, w, c] = spec.shape;
    let what = format!("{count} pictures of {h}x{w}x{c}");
    Err(Box::new(too_big(&what, need, limits).path(&spec.path).at(spec.handle)))
}

struct Folder {
    path: String,
    shape: [usize; 3],
    heads: Vec<Head>,
    files: Vec<PathBuf>,
    classes: Option<(Vec<u32>, Vec<String>)>,
    passed: Passed,
    handle: Option<Handle>,
}

impl Folder {
    /// Classes are the folders in it, sorted by name; files are sorted too.
    fn list(spec: &ImagesSpec, path: &Path) -> Result<Self, Box<Fault>> {
        let mut classes = Vec::new();
        let mut passed = Passed::default();
        let (folders, loose): (Vec<_>, Vec<_>) =
            sorted(path, &spec.path)?.into_iter().partition(|p| p.is_dir());
        for folder in folders {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let files = passed.pictures(&name, sorted(&folder, &spec.path)?);
            match files.is_empty() {
                true => passed.empty.push(name),
                false => classes.push((name, files)),
            }
        }
        let loose = passed.pictures("", loose);
        let head = |name, role| Head::made_up(name, Some(role));
        let mut heads = vec![head("input", Role::Input)];
        let (mut files, mut codes_of, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for (name, of_class) in classes {
            codes_of.extend(std::iter::repeat_n(names.len() as u32, of_class.len()));
            names.push(name);
            files.extend(of_class);
        }
        let labelled = !files.is_empty();
        if labelled {
            heads.push(head("target", Role::Target));
            passed.loose = loose.len();
        } else {
            files = loose;
        }
        if files.is_empty() {
            let message = format!("`{}` has no pictures that are read", spec.path);
            let fault = Fault::new(codes::EMPTY, message).path(&spec.path);
            let fault =
                fault.expected("one folder per class, with PNG, JPEG, GIF, BMP or WebP pictures in it");
            return Err(Box::new(match passed.say() {
                Some(said) => fault.help(said),
                None => fault,
            }));
        }
        Ok(Self {
            path: spec.path.clone(),
            shape: spec.shape,
            heads,
            files,
            classes: labelled.then_some((codes_of, names)),
            passed,
            handle: spec.handle,
        })
    }
}

/// What is in a folder, hidden files left out, sorted by name.
fn sorted(path: &Path, named: &str) -> Result<Vec<PathBuf>, Box<Fault>> {
    let entries = std::fs::read_dir(path).map_err(|e| {
        if e.kind() == std::io::ErrorKind::NotFound {
            let fault = Fault::new(codes::NO_FILE, format!("there is no folder `{named}`"));
            return Box::new(fault.path(named).help(input::nearby(named)));
        }
        let message = format!("`{}` cannot be read: {e}", path.display());
        Box::new(Fault::new(codes::NO_FILE, message).path(named))
    })?;
    let mut list = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| {
            let message = format!("`{}` cannot be read: {e}", path.display());
            Box::new(Fault::new(codes::NO_FILE, message).path(named))
        })?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            list.push(entry.path());
        }
    }
    list.sort();
    Ok(list)
}

/// What of a folder is not read.
#[derive(Default)]
struct Passed {
    /// Files that are no pictures by their ending: by that, and then by the
    /// folder they are in.
    files: BTreeMap<String, BTreeMap<String, usize>>,
    /// Folders without a picture.
    empty: Vec<String>,
    /// Pictures beside the folders of the classes.
    loose: usize,
    /// Whether folders of classes hold folders again.
    nested: bool,
}

/// Endings of pictures that are not read.
const OTHER_PICTURES: [&str; 16] = [
    "tif", "tiff", "heic", "heif", "avif", "jxl", "jp2", "j2k", "svg", "psd", "ico", "tga", "ppm", "pgm",
    "pbm", "raw",
];

/// Folders and endings that are told by name.
const NAMED: usize = 5;

impl Passed {
    /// The pictures of a folder, by their endings; the rest is counted.
    fn pictures(&mut self, folder: &str, list: Vec<PathBuf>) -> Vec<PathBuf> {
        let mut pictures = Vec::new();
        for path in list {
            let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
            if path.is_dir() {
                self.nested = true;
            } else if ENDINGS.contains(&ending.as_str()) {
                pictures.push(path);
            } else {
                let of = self.files.entry(ending).or_default();
                *of.entry(folder.to_string()).or_default() += 1;
            }
        }
        pictures
    }

    /// What was passed over, in words; `None` where nothing was.
    fn say(&self) -> Option<String> {
        let mut parts = Vec::new();
        if !self.files.is_empty() {
            let counts = self.files.iter().map(|(ending, folders)| {
                let n: usize = folders.values().sum();
                let what = if ending.is_empty() { "without an ending".into() } else { format!(".{ending}") };
                let names: Vec<String> =
                    folders.keys().filter(|f| !f.is_empty()).map(|f| format!("`{f}`")).collect();
                match names.is_empty() {
                    true => format!("{n} {what}"),
                    false => format!("{n} {what} in {}", some(&names)),
                }
            });
            parts.push(format!("not read: {}", some(&counts.collect::<Vec<_>>())));
        }
        if !self.empty.is_empty() {
            let names: Vec<String> = self.empty.iter().map(|f| format!("`{f}`")).collect();
            let gives =
                if names.len() == 1 { "has no picture and gives" } else { "have no picture and give" };
            parts.push(format!("{} {gives} no class", some(&names)));
        }
        if self.loose > 0 {
            let (s, stand) = if self.loose == 1 { ("", "stands") } else { ("s", "stand") };
            parts.push(format!("{} picture{s} {stand} beside the folders of the classes", self.loose));
        }
        if self.nested {
            parts.push("folders within a class are not looked into".into());
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// A warning where pictures or classes are missing, and a note where
    /// other files are.
    fn note(&self) -> Option<Fault> {
        let said = self.say()?;
        let pictures = self.files.keys().any(|e| OTHER_PICTURES.contains(&e.as_str()));
        let fault = Fault::new(codes::READING, said);
        if !pictures && self.empty.is_empty() && self.loose == 0 && !self.nested {
            return Some(fault.note());
        }
        let help = match pictures {
            true => "pictures are read as PNG, JPEG, GIF, BMP and WebP; turn the others into one of these",
            false => "each class is a folder with pictures in it, and nothing else is read",
        };
        Some(fault.warning().help(help))
    }
}

/// The first few of a list, and how many more there are.
fn some(all: &[String]) -> String {
    let more = all.len().saturating_sub(NAMED);
    let shown = all[..all.len() - more].join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

impl Source for Folder {
    fn heads(&self) -> &[Head] {
        &self.heads
    }

    fn name(&self) -> &str {
        &self.path
    }

    fn read(self: Box<Self>, wants: &[Want], faults: &mut Faults) -> Option<Raw> {
        let len = self.files.len();
        let mut columns = Vec::new();
        columns.push(match wants.first() {
            Some(Want::Skip) | None => Data::Skipped,
            Some(_) => decode(&self.files, self.shape, faults, |i, fault| {
                fault.path(self.files[i].to_string_lossy()).at(self.handle)
            })?,
        });
        if let Some((codes, vocabulary)) = self.classes {
            columns.push(match wants.get(1) {
                Some(Want::Skip) | None => Data::Skipped,
                Some(_) => Data::Text { codes, vocabulary: Arc::new(vocabulary) },
            });
        }
        let note = self.passed.note().map(|f| f.path(&self.path).at(self.handle));
        let places = Places { paths: vec![self.path], handle: self.handle, ..Places::default() };
        Some(Raw { columns, len, places, notes: note.into_iter().collect() })
    }
}

/// Decodes every file, by as many threads as there are; each writes to its
/// own part, so that the number of threads shows nowhere.
fn decode(
    files: &[PathBuf],
    shape: [usize; 3],
    faults: &mut Faults,
    place: impl Fn(usize, Fault) -> Fault,
) -> Option<Data> {
    let width: usize = shape.iter().product();
    let mut data = vec![0u8; files.len() * width];
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    let share = files.len().div_ceil(threads).max(1);
    let found: Vec<Vec<(usize, Trouble)>> = std::thread::scope(|scope| {
        let parts = files.chunks(share).zip(data.chunks_mut(share * width));
        let workers: Vec<_> = parts
            .enumerate()
            .map(|(n, (files, out))| scope.spawn(move || decode_part(n * share, files, shape, out)))
            .collect();
        workers.into_iter().map(|w| w.join().unwrap_or_default()).collect()
    });
    for (i, trouble) in found.into_iter().flatten() {
        let (code, message, help) = match trouble {
            Trouble::Io(e) => (codes::NO_FILE, format!("this picture cannot be read: {e}"), None),
            Trouble::Damaged(why) => (codes::DAMAGED, format!("this picture is damaged: {why}"), None),
            Trouble::TooBig(w, h) => {
                let message = format!("this picture has {w} x {h} pixels, more than are decoded");
                (codes::TOO_BIG, message, Some("make it smaller, 40 million pixels at most"))
            }
        };
        let fault = Fault::new(code, message);
        faults.push(place(i, Fault { help: help.map(Into::into), ..fault }));
    }
    faults.is_empty().then_some(Data::Bytes { shape: shape.to_vec(), data, unit: true })
}

fn decode_part(first: usize, files: &[PathBuf], shape: [usize; 3], out: &mut [u8]) -> Vec<(usize, Trouble)> {
    let width: usize = shape.iter().product();
    let mut troubles = Vec::new();
    for (i, (file, out)) in files.iter().zip(out.chunks_exact_mut(width)).enumerate() {
        // The decoders are not ours, and a file must not end the program.
        let read = catch_unwind(AssertUnwindSafe(|| image::read(file, shape)));
        let read = read.unwrap_or_else(|_| Err(Trouble::Damaged("the decoder gave up".into())));
        match read {
            Ok(bytes) if bytes.len() == out.len() => out.copy_from_slice(&bytes),
            Ok(_) => troubles.push((first + i, Trouble::Damaged("its size is odd".into()))),
            Err(trouble) => troubles.push((first + i, trouble)),
        }
    }
    troubles
}

/// A table whose first column names files beside it.
struct Table {
    table: Box<dyn Source>,
    spec: ImagesSpec,
    limits: Limits,
}

impl Table {
    fn open(spec: &ImagesSpec, limits: &Limits) -> Result<Self, Vec<Fault>> {
        let table = CsvSpec { handle: spec.handle, ..CsvSpec::new(&spec.path) };
        let table = table::open(&table, limits, None)?;
        Ok(Self { table, spec: spec.clone(), limits: *limits })
    }
}

impl Source for Table {
    fn heads(&self) -> &[Head] {
        self.table.heads()
    }

    fn name(&self) -> &str {
        &self.spec.path
    }

    fn read(self: Box<Self>, wants: &[Want], faults: &mut Faults) -> Option<Raw> {
        let Self { table, spec, limits } = *self;
        let mut wants = wants.to_vec();
        let skip = wants.first() == Some(&Want::Skip);
        if let Some(first) = wants.first_mut().filter(|_| !skip) {
            *first = Want::Text;
        }
        let name = table.heads().first().map_or(String::new(), |h| h.name.clone());
        let mut raw = table.read(&wants, faults)?;
        if skip {
            return Some(raw);
        }
        fits(raw.len, &spec, &limits).map_err(|f| faults.push(*f)).ok()?;
        let Some(Data::Text { codes: rows, vocabulary }) = raw.columns.first() else { return None };
        let folder = Path::new(&spec.path).parent().unwrap_or(Path::new("."));
        let mut files = Vec::with_capacity(raw.len);
        for (row, &code) in rows.iter().enumerate() {
            match code {
                NONE => {
                    let fault = Fault::new(codes::MISSING, "this row names no picture");
                    faults.push(raw.places.locate(fault, row, 0, &name));
                }
                code => files.push(folder.join(&vocabulary[code as usize])),
            }
        }
        if !faults.is_empty() {
            return None;
        }
        let images = decode(&files, spec.shape, faults, |row, fault| {
            let cell = files[row].to_string_lossy().into_owned();
            let fault = fault.place(Place { cell: Some(cell), ..Place::default() });
            raw.places.locate(fault, row, 0, &name)
        })?;
        raw.columns[0] = images;
        Some(raw)
    }
}
