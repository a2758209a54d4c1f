//! What a model has to remember of its data, so that raw rows can be encoded
//! again long after training.

use serde::{Deserialize, Serialize};

use crate::dates::DateColumn;
use crate::dialect::Form;
use crate::fault::{Fault, codes};
use crate::schema::{ColumnKind, PortId, Schema};
use crate::spec::Unit;
use crate::spec::{Role, Scaling};

/// The version of the JSON form.
pub const STATS_VERSION: u32 = 1;

/// Statistics of the training part, with the columns, roles and ports they
/// belong to. Its JSON form goes into the model file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// [`STATS_VERSION`].
    pub version: u32,
    /// Rows of the training part.
    pub rows: u64,
    /// Columns of the source, those that are not read among them.
    pub width: usize,
    /// Whether the source named its columns.
    pub named: bool,
    /// Where a sample is several rows of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// The columns that tell the series apart which windows stay within.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<SeriesColumn>,
    /// What the table looked like, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// The ports.
    pub schema: Schema,
    /// Every column that is read, in file order.
    pub columns: Vec<ColumnStats>,
}

/// A column that tells series apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesColumn {
    /// Its name.
    pub name: String,
    /// Its place in the file, from 0; used where a file has no header.
    pub position: usize,
}

/// A sample of several rows: `length` rows of the inputs, and the targets
/// `horizon` rows after the last of them, or all from there `until` so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Rows of the inputs.
    pub length: usize,
    /// Rows from the last input to the target, or to the first of several.
    pub horizon: usize,
    /// Rows from the last input to the last target, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<usize>,
    /// Where a sample is a whole series, of at most `length` rows: the rest
    /// is padding, and `horizon` means nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<Whole>,
}

/// Samples that are whole series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whole {
    /// The rows that are read of a longer series; where not given, one that
    /// is longer than those of training is not read at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

impl Window {
    /// The row of the (first) target, counted from the first of the sample.
    pub(crate) fn reach(self) -> usize {
        match self.whole {
            Some(_) => 0,
            None => (self.length - 1).saturating_add(self.horizon),
        }
    }

    /// Rows of the targets.
    pub(crate) fn steps(self) -> usize {
        match self.whole {
            Some(_) => 1,
            None => self.until.map_or(1, |until| until.saturating_sub(self.horizon).saturating_add(1)),
        }
    }

    /// The row of the last target, counted from the first of the sample.
    pub(crate) fn end(self) -> usize {
        self.reach().saturating_add(self.steps() - 1)
    }

    /// Samples in so many rows.
    pub(crate) fn samples(self, rows: usize) -> usize {
        match self.whole {
            Some(_) => rows.min(1),
            None => rows.saturating_sub(self.end()),
        }
    }
}

/// What is remembered of one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnStats {
    /// Its name.
    pub name: String,
    /// Its place in the file, from 0; used where a file has no header.
    pub position: usize,
    /// What it is for.
    pub role: Role,
    /// What it holds.
    pub kind: ColumnKind,
    /// Shape of one value of a tensor column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shape: Vec<usize>,
    /// Values that are there, in the training part.
    pub count: u64,
    /// Values that are missing there.
    pub missing: u64,
    /// Mean, before any scaling.
    pub mean: f64,
    /// Standard deviation of the population, before any scaling.
    pub std: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// The middle value, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median: Option<f64>,
    /// What the spec asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scaling: Vec<Scaling>,
    /// What it came to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// The categories, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vocabulary: Vec<String>,
    /// How often each is there in the training part (a character: in the
    /// whole text).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<u64>,
    /// Of a target that is an array of numbers from -1 to 1 the sum of each
    /// number along its last axis, over the training part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub totals: Vec<f64>,
    /// Whether the last category stands for all unknown ones.
    #[serde(default)]
    pub bucket: bool,
    /// Whether a category takes one slot per class.
    #[serde(default)]
    pub one_hot: bool,
    /// What stands in for a missing value.
    pub fill: Fill,
    /// Whether a slot says that the value was missing.
    #[serde(default)]
    pub indicator: bool,
    /// What a text is cut into; class 0 is padding then, and `shape` is its
    /// length, and `min`, `max`, `mean` and `std` are about the lengths of texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// The date this number is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<DateColumn>,
    /// Of samples that are whole series: whether a target has a value for
    /// every row of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sequence: bool,
}

/// One step of a scaling, with its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// `(x - minus) / over`.
    Shift {
        /// Taken away first.
        minus: f64,
        /// Divided by then.
        over: f64,
    },
    /// The natural logarithm.
    Log,
}

impl Step {
    /// The step forward.
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Self::Shift { minus, over } => (x - minus) / over,
            Self::Log => libm::log(x),
        }
    }

    /// The step back.
    pub fn undo(self, y: f64) -> f64 {
        match self {
            Self::Shift { minus, over } => y * over + minus,
            Self::Log => libm::exp(y),
        }
    }
}

/// What stands in for a missing value, resolved on the training part.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// Nothing: a missing value is a fault.
    Fault,
    /// The row is left out.
    Drop,
    /// This number, before scaling.
    Number(f64),
    /// This category.
    Category(u32),
}

/// A number of a target, brought back to what stood in the file.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded {
    /// A number in the file's unit.
    Number(f64),
    /// A category.
    Category(String),
}

impl ColumnStats {
    /// Whether it cannot be joined with other columns.
    pub(crate) fn is_own(&self) -> bool {
        match self.kind {
            ColumnKind::Tensor | ColumnKind::Characters | ColumnKind::Bytes | ColumnKind::Tokens => true,
            ColumnKind::Category => !self.one_hot,
            ColumnKind::Number | ColumnKind::Date => false,
        }
    }

    /// Its slots.
    pub(crate) fn width(&self) -> usize {
        let values = match self.kind {
            ColumnKind::Category if self.one_hot => self.vocabulary.len(),
            ColumnKind::Tensor | ColumnKind::Characters | ColumnKind::Bytes | ColumnKind::Tokens => {
                self.shape.iter().product()
            }
            ColumnKind::Category | ColumnKind::Number | ColumnKind::Date => 1,
        };
        values + usize::from(self.indicator && !self.is_own())
    }

    /// The name of its column in the file.
    pub fn source(&self) -> &str {
        self.date.as_ref().map_or(&self.name, |d| &d.column)
    }
}

impl Stats {
    /// The JSON form.
    pub fn to_json(&self) -> String {
        // Every map key is a string and no number is infinite, so this holds.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let stats: Self = serde_json::from_str(text).map_err(|e| e.to_string())?;
        if stats.version > STATS_VERSION {
            return Err(format!(
                "the data statistics are of version {}, and this program knows {STATS_VERSION}",
                stats.version
            ));
        }
        stats.check()?;
        Ok(stats)
    }

    /// The columns of a port, in the order of their slots.
    pub fn columns_of(&self, port: PortId) -> impl Iterator<Item = &ColumnStats> {
        let (role, index) = match port {
            PortId::Input(i) => (Role::Input, i),
            PortId::Target(i) => (Role::Target, i),
        };
        self.schema
            .columns
            .iter()
            .zip(&self.columns)
            .filter(move |(c, _)| c.role == role && c.port == Some(index))
            .map(|(_, s)| s)
    }

    /// A name for every number of a port, `age` or `sex=male`; `None` where columns do not give it one each.
    pub fn slot_names(&self, port: PortId) -> Option<Vec<String>> {
        let mut names = Vec::new();
        for c in self.columns_of(port) {
            match c.kind {
                ColumnKind::Number | ColumnKind::Date => names.push(c.name.clone()),
                ColumnKind::Category if c.one_hot => {
                    names.extend(c.vocabulary.iter().map(|v| format!("{}={v}", c.name)));
                }
                _ => return None,
            }
            if c.indicator {
                names.push(format!("{} missing", c.name));
            }
        }
        (names.len() == self.schema.port(port)?.size()).then_some(names)
    }

    /// What `value` in slot `slot` of a port says in the file's own terms:
    /// scaling undone, class named.
    pub fn decode(&self, port: PortId, slot: usize, value: f64) -> Option<Decoded> {
        let schema = self.schema.port(port)?;
        if let Some(classes) = &schema.classes {
            let name = classes.get(value as usize)?;
            return Some(Decoded::Category(name.clone()));
        }
        let (role, index) = match port {
            PortId::Input(i) => (Role::Input, i),
            PortId::Target(i) => (Role::Target, i),
        };
        let (_, stats) = self.schema.columns.iter().zip(&self.columns).find(|(c, _)| {
            let slots = c.offset..c.offset.saturating_add(c.width);
            c.role == role && c.port == Some(index) && slots.contains(&slot)
        })?;
        let back = stats.steps.iter().rev().fold(value, |v, s| s.undo(v));
        Some(Decoded::Number(back))
    }

    /// A text as the classes of a port of characters or bytes, for a prompt.
    ///
    /// # Errors
    /// Where the port holds no text, or training never saw a character.
    pub fn encode_text(&self, port: PortId, text: &str) -> Result<Vec<u32>, Box<Fault>> {
        let Some(column) = self.columns_of(port).next() else { return Err(no_text()) };
        match column.kind {
            ColumnKind::Bytes => Ok(text.bytes().map(u32::from).collect()),
            ColumnKind::Characters => {
                let mut buffer = [0; 4];
                let code = |c: char| {
                    let name: &str = c.encode_utf8(&mut buffer);
                    let found = column.vocabulary.binary_search_by(|n| n.as_str().cmp(name));
                    found.map(|i| i as u32).map_err(|_| unseen(c))
                };
                text.chars().map(code).collect()
            }
            _ => Err(no_text()),
        }
    }

    /// Classes of a port of characters or bytes as a text. Bytes that are no
    /// UTF-8 are shown as the replacement character.
    pub fn decode_text(&self, port: PortId, codes: &[u32]) -> Option<String> {
        let column = self.columns_of(port).next()?;
        match column.kind {
            ColumnKind::Bytes => {
                let bytes: Vec<u8> = codes.iter().map(|&c| c as u8).collect();
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
            ColumnKind::Characters => {
                let name = |&c: &u32| column.vocabulary.get(c as usize).map(String::as_str);
                codes.iter().map(name).collect()
            }
            _ => None,
        }
    }

    /// A model file can come from anywhere: what the encoder relies on.
    fn check(&self) -> Result<(), String> {
        if self.columns.len() != self.schema.columns.len() {
            return Err("the data statistics and their schema disagree".into());
        }
        let ports = |role| match role {
            Role::Input => self.schema.inputs.len(),
            Role::Target => self.schema.targets.len(),
            _ => 0,
        };
        if self.window.is_some_and(|w| w.length == 0 || w.until.is_some_and(|u| u < w.horizon)) {
            return Err("the windows in the data statistics are damaged".into());
        }
        for port in self.schema.inputs.iter().chain(&self.schema.targets) {
            let size = port.shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
            if size.is_none_or(|n| n > 1 << 40) {
                return Err(format!("the shape of `{}` in the data statistics is damaged", port.name));
            }
        }
        if !self.sizes_agree() {
            return Err("the sizes in the data statistics contradict each other".into());
        }
        for (c, s) in self.schema.columns.iter().zip(&self.columns) {
            let fits = c.role == s.role && c.name == s.name && c.port.is_none_or(|p| p < ports(c.role));
            let filled = match s.fill {
                Fill::Category(k) => (k as usize) < s.vocabulary.len(),
                _ => true,
            };
            if !fits || !filled {
                return Err(format!("the data statistics of `{}` are damaged", s.name));
            }
        }
        Ok(())
    }
}

impl Stats {
    /// Whether every column is as wide as what it holds, and every port as
    /// its columns, so that no number in a damaged file becomes a buffer.
    fn sizes_agree(&self) -> bool {
        let product = |s: &[usize]| s.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        let sides = [(Role::Input, &self.schema.inputs), (Role::Target, &self.schema.targets)];
        sides.iter().all(|(role, ports)| {
            ports.iter().enumerate().all(|(i, port)| {
                let mut end = 0;
                for (c, s) in self.schema.columns.iter().zip(&self.columns) {
                    if c.role != *role || c.port != Some(i) {
                        continue;
                    }
                    let whole = product(&s.shape).is_some() && c.width == s.width();
                    match c.offset.checked_add(c.width).filter(|_| whole) {
                        Some(at) => end = end.max(at),
                        None => return false,
                    }
                }
                let rows = match (self.window, role) {
                    (Some(w), _) if w.whole.is_some() && port.ragged => w.length,
                    (Some(w), Role::Input) => w.length,
                    (Some(w), _) => w.steps(),
                    (None, _) => 1,
                };
                product(&port.shape) == end.checked_mul(rows)
            })
        })
    }
}

fn no_text() -> Box<Fault> {
    Box::new(Fault::new(codes::MISMATCH, "this model was not trained on a text"))
}

fn unseen(c: char) -> Box<Fault> {
    let message = format!("training never saw the character `{}`", c.escape_debug());
    Box::new(Fault::new(codes::UNKNOWN_CATEGORY, message))
}
