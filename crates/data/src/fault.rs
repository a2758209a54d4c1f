//! Mistakes in data, each with its place, its cause and the next step.

use crate::spec::Handle;
use nnc_syntax::{Code, Severity, units};
use std::{fmt, io};

/// A mistake in the data, or between the data and the spec.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// One of [`codes`].
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The file, where one is meant.
    pub path: Option<String>,
    /// Where in the file or in the spec.
    pub place: Option<Place>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to write beside the place, a few words: `one too many`.
    pub label: Option<String>,
    /// What was expected instead.
    pub expected: Option<String>,
    /// What to write or do.
    pub help: Option<String>,
    /// The options of `data` that most likely mend it, as a program writes
    /// them: `comment="#"`.
    pub remedy: Option<String>,
    /// How many more of this code were found and are not listed.
    pub more: usize,
}

/// A place in a file or in the spec.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// The line of the file, from 1.
    pub line: Option<u64>,
    /// The row of data, from 1; the header is not counted.
    pub row: Option<u64>,
    /// The column, from 1.
    pub column: Option<usize>,
    /// The column's name.
    pub column_name: Option<String>,
    /// What stands there.
    pub cell: Option<String>,
    /// The caller's mark.
    pub handle: Option<Handle>,
}

impl Place {
    /// Only a mark in the spec.
    pub fn marked(handle: Option<Handle>) -> Option<Self> {
        handle.map(|h| Self { handle: Some(h), ..Self::default() })
    }
}

impl Fault {
    /// An error with a message only.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            path: None,
            place: None,
            message: printable(message.into()),
            label: None,
            expected: None,
            help: None,
            remedy: None,
            more: 0,
        }
    }

    /// The same as a warning.
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// The same as a note.
    pub fn note(mut self) -> Self {
        self.severity = Severity::Note;
        self
    }

    pub(crate) fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    pub(crate) fn place(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    pub(crate) fn at(mut self, handle: Option<Handle>) -> Self {
        match &mut self.place {
            Some(p) => p.handle = p.handle.or(handle),
            None => self.place = Place::marked(handle),
        }
        self
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(printable(label.into()));
        self
    }

    pub(crate) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(printable(expected.into()));
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        let lines: Vec<String> = help.into().split('\n').map(|l| printable(l.to_string())).collect();
        self.help = Some(lines.join("\n"));
        self
    }

    pub(crate) fn remedy(mut self, options: impl Into<String>) -> Self {
        self.remedy = Some(options.into());
        self
    }
}

/// Cells and names come from files; none may steer the terminal.
fn printable(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_control() { shown.extend(c.escape_debug()) } else { shown.push(c) }
    }
    shown
}

impl std::fmt::Display for Fault {
    /// One plain line; the command line draws its own picture.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{}] ", self.code)?;
        if let Some(path) = &self.path {
            write!(f, "{path}")?;
            if let Some(line) = self.place.as_ref().and_then(|p| p.line) {
                write!(f, ":{line}")?;
            }
            write!(f, ": ")?;
        }
        write!(f, "{}", self.message)?;
        if let Some(label) = &self.label {
            write!(f, " ({label})")?;
        }
        if let Some(expected) = &self.expected {
            write!(f, "; expected {expected}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "; fix: {help}")?;
        }
        if self.more > 0 {
            write!(f, "; and {} more", self.more)?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

/// A number of bytes for people.
pub(crate) fn size(n: u64) -> String {
    if n < 1024 { format!("{n} bytes") } else { units::bytes(n) }
}

/// How many faults of one code are kept with their places.
pub const SHOWN: usize = 10;

/// Collects faults: the first [`SHOWN`] of a code, and a count of the rest.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    list: Vec<Fault>,
}

impl Faults {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Whether one more of this code would only be counted. Callers ask
    /// before they build a message, so that a million bad rows stay cheap.
    pub(crate) fn full(&self, code: Code) -> bool {
        self.list.iter().filter(|f| f.code == code).count() >= SHOWN
    }

    /// Counts one more of a code that is full.
    pub(crate) fn count(&mut self, code: Code) {
        if let Some(last) = self.list.iter_mut().rev().find(|f| f.code == code) {
            last.more += 1;
        }
    }

    pub(crate) fn push(&mut self, fault: Fault) {
        if self.full(fault.code) {
            self.count(fault.code);
        } else {
            self.list.push(fault);
        }
    }

    /// Pushes what `make` builds, or only counts.
    pub(crate) fn push_with(&mut self, code: Code, make: impl FnOnce() -> Fault) {
        if self.full(code) {
            self.count(code);
        } else {
            self.list.push(make());
        }
    }

    pub(crate) fn extend(&mut self, faults: impl IntoIterator<Item = Fault>) {
        for fault in faults {
            let more = fault.more;
            let code = fault.code;
            self.push(Fault { more: 0, ..fault });
            for _ in 0..more {
                self.count(code);
            }
        }
    }

    /// Changes what is listed.
    pub(crate) fn amend(&mut self, change: impl FnMut(&mut Fault)) {
        self.list.iter_mut().for_each(change);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn into_vec(self) -> Vec<Fault> {
        self.list
    }

    /// `Ok` when nothing was found.
    pub(crate) fn done<T>(self, value: T) -> Result<T, Vec<Fault>> {
        if self.list.is_empty() { Ok(value) } else { Err(self.list) }
    }
}

/// The codes of this crate.
pub mod codes {
    use nnc_syntax::Code;

    /// A row with too many or too few cells.
    pub const ROW_WIDTH: Code = Code::N0501;
    /// A cell that is not a (finite) number.
    pub const NOT_A_NUMBER: Code = Code::N0502;
    /// A missing value without a rule.
    pub const MISSING: Code = Code::N0503;
    /// A file that is not there or cannot be read.
    pub const NO_FILE: Code = Code::N0504;
    /// A role for a column that is not there.
    pub const NO_COLUMN: Code = Code::N0505;
    /// Nothing in the file, or no rows.
    pub const EMPTY: Code = Code::N0506;
    /// Roles that contradict each other, or leave no input.
    pub const ROLES: Code = Code::N0507;
    /// A file that is not what it claims to be: truncated, lying, damaged.
    pub const DAMAGED: Code = Code::N0508;
    /// More than fits within the limits.
    pub const TOO_BIG: Code = Code::N0509;
    /// An encoding that does not suit the column.
    pub const ENCODING: Code = Code::N0510;
    /// A category that training never saw.
    pub const UNKNOWN_CATEGORY: Code = Code::N0511;
    /// A split that cannot be made.
    pub const SPLIT: Code = Code::N0512;
    /// Sources that do not fit together.
    pub const MISMATCH: Code = Code::N0513;
    /// An option of a source that makes no sense.
    pub const OPTION: Code = Code::N0514;
    /// A weight below zero.
    pub const WEIGHT: Code = Code::N0515;
    /// A text column became one-hot inputs because nothing else was said.
    pub const TEXT_ONE_HOT: Code = Code::N0550;
    /// A column that is always the same.
    pub const CONSTANT: Code = Code::N0551;
    /// A column that looks like an identifier.
    pub const IDENTIFIER: Code = Code::N0552;
    /// An input that gives the target away.
    pub const LEAK: Code = Code::N0553;
    /// Very unbalanced classes.
    pub const UNBALANCED: Code = Code::N0554;
    /// Windows that overlap between training and validation.
    pub const OVERLAP: Code = Code::N0555;
    /// A class the training part lacks.
    pub const UNSEEN_CLASS: Code = Code::N0556;
    /// Many rows that `missing=drop` leaves out.
    pub const DROPPED: Code = Code::N0557;
    /// Windows that run from one series into the next.
    pub const SERIES: Code = Code::N0559;
    /// A first line that may be a header or a row.
    pub const HEADER: Code = Code::N0560;
    /// How a table was read, where that is not obvious.
    pub const READING: Code = Code::N0561;
    /// Numbers of another size than those of training.
    pub const UNLIKE: Code = Code::N0562;
}

/// A fault on its way through a reader.
#[derive(Debug)]
pub(crate) struct Told(pub(crate) Fault);

impl Told {
    pub(crate) fn error(fault: Fault) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, Self(fault))
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl std::error::Error for Told {}
