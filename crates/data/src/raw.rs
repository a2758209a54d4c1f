//! Columns as they were read, before any statistics.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use crate::dates::{Date, Order};
use crate::disk::{self, DiskFile};
use crate::fault::{Fault, Faults, Place};
use crate::missing::is_missing;
use crate::runs::Runs;
use crate::spec::{Handle, Role};

/// The code of a missing category.
pub(crate) const NONE: u32 = u32::MAX;

/// A column a source has, before it is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub(crate) name: String,
    /// What the source itself knows it is for.
    pub(crate) role: Option<Role>,
    /// Whether the name was made up and may be replaced by a role's.
    pub(crate) unnamed: bool,
    /// Not read unless a line names it: the names of rows.
    pub(crate) aside: bool,
    /// What the file says that it holds.
    pub(crate) declared: Declared,
}

/// What a file says that a column holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Declared {
    /// Nothing: its cells decide.
    #[default]
    Nothing,
    Number,
    Text,
    /// Dates, and whether the day stands before the month where that is said.
    Date(Option<bool>),
    /// One of these, the first being class 0.
    Classes(Vec<String>),
}

impl Declared {
    /// Whether the day stands before the month, where a file says it.
    pub(crate) fn day_first(&self) -> Option<bool> {
        match self {
            Self::Date(order) => *order,
            Self::Nothing | Self::Number | Self::Text | Self::Classes(_) => None,
        }
    }
}

impl Head {
    pub(crate) fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    pub(crate) fn made_up(name: impl Into<String>, role: Option<Role>) -> Self {
        Self { name: name.into(), role, unnamed: true, ..Self::default() }
    }

    /// A column that only those ask for who name it.
    pub(crate) fn aside(name: impl Into<String>) -> Self {
        Self { name: name.into(), aside: true, ..Self::default() }
    }
}

/// How a column is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Skip,
    /// Not read, but looked at for how its texts follow each other.
    Watch,
    Auto,
    /// As `Auto`, for a target: arrays of whole numbers become classes.
    Class,
    Number,
    Text,
    /// As `Text`, where `NA` and the like are categories: only an empty cell
    /// is missing.
    Words,
    Date,
}

impl Want {
    /// How a text is read of which all categories are known.
    pub(crate) fn among<'a>(categories: impl IntoIterator<Item = &'a String>) -> Self {
        let one = categories.into_iter().any(|c| !c.is_empty() && is_missing(c.as_bytes(), false));
        if one { Self::Words } else { Self::Text }
    }
}

/// What was read.
#[derive(Debug)]
pub(crate) struct Raw {
    /// One per head; `Data::Skipped` where it was not wanted.
    pub(crate) columns: Vec<Data>,
    pub(crate) len: usize,
    pub(crate) places: Places,
    /// What was noticed while it was read.
    pub(crate) notes: Vec<Fault>,
}

/// The values of a column.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    Skipped,
    /// Not kept: only how the texts follow each other.
    Watched(Runs),
    /// NaN is a missing value; no value is infinite.
    Numbers(Vec<f64>),
    /// [`NONE`] is a missing value. The vocabulary is sorted.
    Text {
        codes: Vec<u32>,
        vocabulary: Arc<Vec<String>>,
    },
    /// A date without any part is a missing value.
    Dates(Vec<Date>),
    /// Arrays of bytes; they stand for 0…1 where `unit`.
    Bytes {
        shape: Vec<usize>,
        data: Vec<u8>,
        unit: bool,
    },
    F32 {
        shape: Vec<usize>,
        data: Vec<f32>,
    },
    F64 {
        shape: Vec<usize>,
        data: Vec<f64>,
    },
    /// Windows over one list of classes.
    Windows(Windows),
    /// Any of these (but windows), on disk.
    Spilled(Spilled),
}

/// Windows over one list of classes; row `i` begins at `i * stride + start`.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    pub(crate) width: usize,
    pub(crate) stride: usize,
    pub(crate) start: usize,
    pub(crate) data: Codes,
    pub(crate) names: Arc<Vec<String>>,
    /// Whether the classes are the 256 bytes.
    pub(crate) bytes: bool,
}

/// Codes of characters or bytes.
#[derive(Clone, Debug)]
pub(crate) enum Codes {
    Memory(Arc<Vec<u16>>),
    /// On disk, with what each code there means.
    Disk(Arc<DiskFile>, Arc<Vec<u16>>),
}

impl Codes {
    /// Some of them; none where they are not there.
    pub(crate) fn load(&self, range: Range<usize>) -> Vec<u16> {
        match self {
            Self::Memory(codes) => codes.get(range).unwrap_or_default().to_vec(),
            Self::Disk(file, map) => {
                let codes: Vec<u16> = file.load(range.start as u64..range.end as u64).unwrap_or_default();
                codes.into_iter().map(|c| map.get(usize::from(c)).copied().unwrap_or(c)).collect()
            }
        }
    }
}

/// A column on disk.
#[derive(Clone, Debug)]
pub(crate) struct Spilled {
    pub(crate) file: Arc<DiskFile>,
    pub(crate) of: SpilledKind,
}

/// What is on disk.
#[derive(Clone, Debug)]
pub(crate) enum SpilledKind {
    /// `f64`.
    Numbers,
    /// `u32`, numbered as the texts came; `map` brings them into the order of
    /// the vocabulary. With `day_first` they are dates.
    Text { map: Arc<Vec<u32>>, vocabulary: Arc<Vec<String>>, day_first: Option<bool> },
    /// `u8`.
    Bytes { shape: Vec<usize>, unit: bool },
    /// `f32`.
    F32 { shape: Vec<usize> },
    /// `f64`.
    F64 { shape: Vec<usize> },
}

impl Spilled {
    /// Some rows, in memory; of arrays nothing.
    fn load(&self, rows: Range<usize>) -> io::Result<Data> {
        let rows = rows.start as u64..rows.end as u64;
        Ok(match &self.of {
            SpilledKind::Numbers => Data::Numbers(self.file.load(rows)?),
            SpilledKind::Text { map, vocabulary, day_first } => {
                let mut codes: Vec<u32> = self.file.load(rows)?;
                for code in codes.iter_mut().filter(|c| **c != NONE) {
                    *code = map.get(*code as usize).copied().unwrap_or(NONE);
                }
                let mut data = Data::Text { codes, vocabulary: Arc::clone(vocabulary) };
                if let Some(day_first) = *day_first {
                    // What is no date was found when the vocabulary was read.
                    let none = Places::default();
                    crate::dates::convert(
                        &mut data,
                        Order::days(day_first),
                        &none,
                        (0, ""),
                        &mut Faults::new(),
                    );
                }
                data
            }
            SpilledKind::Bytes { .. } | SpilledKind::F32 { .. } | SpilledKind::F64 { .. } => Data::Skipped,
        })
    }
}

impl Data {
    /// Whether it is one value per row, on disk.
    pub(crate) fn is_spilled(&self) -> bool {
        let Self::Spilled(spilled) = self else { return false };
        matches!(spilled.of, SpilledKind::Numbers | SpilledKind::Text { .. })
    }

    /// At least these rows in memory, and the row the values there begin at.
    pub(crate) fn part(&self, rows: Range<usize>) -> Result<(usize, Cow<'_, Self>), Box<Fault>> {
        match self {
            Self::Spilled(spilled) => {
                let begin = rows.start;
                let data = spilled.load(rows).map_err(|e| disk::fault(&e))?;
                Ok((begin, Cow::Owned(data)))
            }
            _ => Ok((0, Cow::Borrowed(self))),
        }
    }

    /// Which rows are missing; `None` for kinds that lack no value.
    pub(crate) fn missing(&self) -> Option<Box<dyn Fn(usize) -> bool + '_>> {
        match self {
            Self::Numbers(v) => Some(Box::new(|r| v[r].is_nan())),
            Self::Text { codes, .. } => Some(Box::new(|r| codes[r] == NONE)),
            Self::Dates(v) => Some(Box::new(|r| v[r] == Date::default())),
            _ => None,
        }
    }

    /// Values of a kind that has one per row, in memory.
    pub(crate) fn rows(&self) -> Option<usize> {
        match self {
            Self::Numbers(v) => Some(v.len()),
            Self::Text { codes, .. } => Some(codes.len()),
            Self::Dates(v) => Some(v.len()),
            _ => None,
        }
    }

    /// Bytes the values take.
    pub(crate) fn bytes(&self) -> u64 {
        let n = match self {
            Self::Skipped | Self::Watched(_) => 0,
            Self::Numbers(v) => v.len() * 8,
            Self::Text { codes, .. } => codes.len() * 4,
            Self::Dates(v) => v.len() * size_of::<Date>(),
            Self::Bytes { data, .. } => data.len(),
            Self::F32 { data, .. } => data.len() * 4,
            Self::F64 { data, .. } => data.len() * 8,
            Self::Windows(w) => match &w.data {
                Codes::Memory(codes) => codes.len() * 2,
                Codes::Disk(..) => 0,
            },
            Self::Spilled(_) => 0,
        };
        n as u64
    }
}

/// Where rows stand, for faults found after reading.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// The files, in the order they were read.
    pub(crate) paths: Vec<String>,
    /// From row `row` on, the line is `line + (r - row)` of file `file`.
    pub(crate) lines: Vec<LineRun>,
    /// From this row on the lines are not known.
    pub(crate) stop: Option<u64>,
    /// For written rows: the marks of the row and of its cells.
    pub(crate) handles: Vec<(Option<Handle>, Vec<Option<Handle>>)>,
    /// The mark of the source.
    pub(crate) handle: Option<Handle>,
    /// Rows with a cell that is not what its column holds; a fault tells of
    /// each, or counts it.
    pub(crate) bad: Vec<u32>,
}

/// Rows that stand line below line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LineRun {
    pub(crate) row: u64,
    pub(crate) line: u64,
    pub(crate) file: usize,
}

impl Places {
    /// Remembers that row `row` stands at `line` of the last file.
    pub(crate) fn note_line(&mut self, row: u64, line: u64) {
        let file = self.paths.len().saturating_sub(1);
        let as_before =
            self.lines.last().is_some_and(|run| run.file == file && run.line + (row - run.row) == line);
        if as_before || self.stop.is_some() {
            return;
        }
        // A hostile file could have a run per row; what comes later has a row
        // and no line.
        if self.lines.len() < 1 << 20 {
            self.lines.push(LineRun { row, line, file });
        } else {
            self.stop = Some(row);
        }
    }

    /// Remembers that a cell of a row cannot be read.
    pub(crate) fn note_bad(&mut self, row: usize) {
        if self.bad.last() != Some(&(row as u32)) {
            self.bad.push(row as u32);
        }
    }

    /// Puts a fault at a cell.
    pub(crate) fn locate(&self, fault: Fault, row: usize, column: usize, name: &str) -> Fault {
        let marks = self.handles.get(row);
        let cell = marks.and_then(|(_, cells)| cells.get(column).copied().flatten());
        let row_mark = marks.and_then(|(r, _)| *r);
        let run = self.run(row as u64);
        let kept = fault.place.as_ref().and_then(|p| p.cell.clone());
        let place = Place {
            line: run.map(|r| r.line + (row as u64 - r.row)),
            row: Some(row as u64 + 1),
            column: Some(column + 1),
            column_name: Some(name.to_string()),
            cell: kept,
            handle: cell.or(row_mark).or(self.handle),
        };
        let path = self.paths.get(run.map_or(0, |r| r.file)).cloned();
        Fault { path, place: Some(place), ..fault }
    }

    /// Puts a fault at a row.
    pub(crate) fn locate_row(&self, fault: Fault, row: usize) -> Fault {
        let run = self.run(row as u64);
        let place = Place {
            line: run.map(|r| r.line + (row as u64 - r.row)),
            row: Some(row as u64 + 1),
            handle: self.handles.get(row).and_then(|(r, _)| *r).or(self.handle),
            ..Place::default()
        };
        let path = self.paths.get(run.map_or(0, |r| r.file)).cloned();
        Fault { path, place: Some(place), ..fault }
    }

    fn run(&self, row: u64) -> Option<LineRun> {
        if self.stop.is_some_and(|stop| row >= stop) {
            return None;
        }
        let i = self.lines.partition_point(|r| r.row <= row);
        self.lines.get(i.checked_sub(1)?).copied()
    }
}

/// Sorts a vocabulary and rewrites the codes: by value where all are numbers
/// (and then `1` and `1.0` are one category), else by bytes.
pub(crate) fn sort_vocabulary(codes: &mut [u32], names: Vec<String>) -> Vec<String> {
    let values: Option<Vec<f64>> = names.iter().map(|n| n.parse().ok()).collect();
    let mut order: Vec<usize> = (0..names.len()).collect();
    match &values {
        Some(v) => order.sort_by(|&a, &b| {
            let by_length = names[a].len().cmp(&names[b].len());
            v[a].total_cmp(&v[b]).then(by_length).then(names[a].cmp(&names[b]))
        }),
        None => order.sort_by(|&a, &b| names[a].cmp(&names[b])),
    }
    let mut new = vec![0u32; names.len()];
    let mut sorted: Vec<String> = Vec::with_capacity(names.len());
    let mut last: Option<f64> = None;
    for &i in &order {
        let value = values.as_ref().map(|v| v[i]);
        if value.is_none() || value != last {
            sorted.push(names[i].clone());
        }
        last = value;
        new[i] = sorted.len() as u32 - 1;
    }
    for code in codes.iter_mut().filter(|c| **c != NONE) {
        *code = new[*code as usize];
    }
    sorted
}

/// For every name of one vocabulary its place in another; `1` and `1.0` are
/// the same where the other is all numbers.
pub(crate) fn translate(from: &[String], to: &[String]) -> Vec<Option<u32>> {
    let number = |n: &String| n.parse::<f64>().ok().map(|x| (x + 0.0).to_bits());
    // Looked up only, so the order of the maps shows nowhere.
    let index: HashMap<&str, u32> = to.iter().zip(0..).map(|(n, i)| (n.as_str(), i)).collect();
    let values: HashMap<u64, u32> = to.iter().zip(0..).filter_map(|(n, i)| Some((number(n)?, i))).collect();
    from.iter()
        .map(|name| {
            let same = index.get(name.as_str());
            same.or_else(|| values.get(&number(name)?)).copied()
        })
        .collect()
}

/// Where a row of a source stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowPlace {
    /// The file.
    pub path: Option<String>,
    /// The line of the file, from 1.
    pub line: Option<u64>,
    /// The mark of a row that is written in the program.
    pub handle: Option<Handle>,
}
