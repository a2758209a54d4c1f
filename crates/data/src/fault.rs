//! Mistakes in data, each with its place, its cause and the next step.

use crate::spec::Handle;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The data cannot be used.
    Error,
    /// It can, but look at this.
    Warning,
    /// Something done by a rule that a reader might not expect.
    Note,
}

/// A mistake in the data, or between the data and the spec.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// One of [`codes`].
    pub code: &'static str,
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
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            path: None,
            place: None,
            message: printable(message.into()),
            label: None,
            expected: None,
            help: None,
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
        self.help = Some(printable(help.into()));
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
    pub(crate) fn full(&self, code: &str) -> bool {
        self.list.iter().filter(|f| f.code == code).count() >= SHOWN
    }

    /// Counts one more of a code that is full.
    pub(crate) fn count(&mut self, code: &str) {
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
    pub(crate) fn push_with(&mut self, code: &'static str, make: impl FnOnce() -> Fault) {
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
    /// A row with too many or too few cells.
    pub const ROW_WIDTH: &str = "N0501";
    /// A cell that is not a (finite) number.
    pub const NOT_A_NUMBER: &str = "N0502";
    /// A missing value without a rule.
    pub const MISSING: &str = "N0503";
    /// A file that is not there or cannot be read.
    pub const NO_FILE: &str = "N0504";
    /// A role for a column that is not there.
    pub const NO_COLUMN: &str = "N0505";
    /// Nothing in the file, or no rows.
    pub const EMPTY: &str = "N0506";
    /// Roles that contradict each other, or leave no input.
    pub const ROLES: &str = "N0507";
    /// A file that is not what it claims to be: truncated, lying, damaged.
    pub const DAMAGED: &str = "N0508";
    /// More than fits within the limits.
    pub const TOO_BIG: &str = "N0509";
    /// An encoding that does not suit the column.
    pub const ENCODING: &str = "N0510";
    /// A category that training never saw.
    pub const UNKNOWN_CATEGORY: &str = "N0511";
    /// A split that cannot be made.
    pub const SPLIT: &str = "N0512";
    /// Sources that do not fit together.
    pub const MISMATCH: &str = "N0513";
    /// An option of a source that makes no sense.
    pub const OPTION: &str = "N0514";
    /// A weight below zero.
    pub const WEIGHT: &str = "N0515";
    /// A text column became one-hot inputs because nothing else was said.
    pub const TEXT_ONE_HOT: &str = "N0550";
    /// A column that is always the same.
    pub const CONSTANT: &str = "N0551";
    /// A column that looks like an identifier.
    pub const IDENTIFIER: &str = "N0552";
    /// An input that gives the target away.
    pub const LEAK: &str = "N0553";
    /// Very unbalanced classes.
    pub const UNBALANCED: &str = "N0554";
    /// Windows that overlap between training and validation.
    pub const OVERLAP: &str = "N0555";
    /// A class the training part lacks.
    pub const UNSEEN_CLASS: &str = "N0556";
    /// Many rows that `missing=drop` leaves out.
    pub const DROPPED: &str = "N0557";

    /// Every code with its title.
    pub const ALL: [(&str, &str); 23] = [
        (ROW_WIDTH, "a row with too many or too few cells"),
        (NOT_A_NUMBER, "a cell that is not a number"),
        (MISSING, "a missing value without a rule"),
        (NO_FILE, "a file that cannot be read"),
        (NO_COLUMN, "a column that is not there"),
        (EMPTY, "a source without rows"),
        (ROLES, "roles that contradict each other"),
        (DAMAGED, "a file that is not what it claims to be"),
        (TOO_BIG, "more data than fits within the limits"),
        (ENCODING, "an encoding that does not suit the column"),
        (UNKNOWN_CATEGORY, "a category that training never saw"),
        (SPLIT, "a split that cannot be made"),
        (MISMATCH, "sources that do not fit together"),
        (OPTION, "an option of a source that makes no sense"),
        (WEIGHT, "a row weight below zero"),
        (TEXT_ONE_HOT, "a text column that became one-hot inputs"),
        (CONSTANT, "a column that is always the same"),
        (IDENTIFIER, "a column that looks like an identifier"),
        (LEAK, "an input that gives the target away"),
        (UNBALANCED, "very unbalanced classes"),
        (OVERLAP, "windows that overlap between training and validation"),
        (UNSEEN_CLASS, "a class the training part lacks"),
        (DROPPED, "many rows left out for missing values"),
    ];
}
