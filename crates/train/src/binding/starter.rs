//! A first program for a table: roles, network, loss and metrics, each with its reason as a comment.
//!
//! What is written here trains: the text is read, bound to its data and built before anybody sees it.

use crate::binding::load::{LoadOptions, describe, load};
use crate::binding::roles;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_data::{ColumnKind, ColumnView, Description};
use nnc_graph::DType;
use nnc_model::{Overrides, Spec};
use nnc_syntax::{Code, Diagnostic};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;

/// Rows that are looked at for what the statistics do not tell.
const SAMPLE: usize = 10_000;
/// More words than this in a column are no longer one input each.
const MOST_WORDS: usize = 50;
/// A class this many times rarer than the commonest is worth a metric that does not flatter.
const UNBALANCED: u64 = 5;
/// What people call the column that is to be predicted, the plainest names first.
const ANSWERS: [&str; 32] = [
    "target",
    "label",
    "labels",
    "outcome",
    "response",
    "survived",
    "diagnosis",
    "species",
    "class",
    "churn",
    "fraud",
    "spam",
    "default",
    "approved",
    "purchased",
    "price",
    "charges",
    "salary",
    "income",
    "revenue",
    "sales",
    "cost",
    "quality",
    "rating",
    "grade",
    "strength",
    "medv",
    "mpg",
    "tip",
    "output",
    "result",
    "y",
];

/// What becomes of a column.
#[derive(Clone, PartialEq, Debug)]
enum Use {
    Number { missing: u64 },
    Words { missing: u64 },
    Date,
    Dropped(String),
}

/// What the network is to answer.
enum Task {
    YesNo { why: String },
    Classes { count: String, numbered: bool, why: String },
    Numbers { log: bool, why: String },
}

/// A column with a sample of its cells.
struct Seen<'a> {
    view: &'a ColumnView,
    cells: Vec<&'a str>,
}

impl<'a> Seen<'a> {
    fn all(table: &'a Description) -> Vec<Self> {
        let cells = |name: &str| -> Vec<&'a str> {
            let at = table.names.iter().position(|n| n == name);
            let rows = table.before.iter();
            at.map_or(Vec::new(), |at| rows.filter_map(|r| r.get(at)).map(String::as_str).collect())
        };
        table.columns.iter().map(|view| Seen { view, cells: cells(&view.name) }).collect()
    }

    fn numbers(&self) -> Option<Vec<f64>> {
        let there = self.cells.iter().filter(|c| **c != "·");
        (self.view.kind == ColumnKind::Number).then(|| there.filter_map(|c| c.parse().ok()).collect())
    }

    /// The different whole numbers of the sample, where it holds no others.
    fn whole(&self) -> Option<BTreeSet<i64>> {
        let numbers = self.numbers()?;
        let whole = numbers.iter().all(|x| x.fract() == 0.0 && x.abs() < 1e15);
        whole.then(|| numbers.iter().map(|x| *x as i64).collect())
    }

    fn categories(&self) -> u64 {
        self.view.categories.len() as u64
    }

    /// Whether the cells look as dates do: digits, signs between them, no number.
    fn dates(&self) -> bool {
        let date = |c: &&str| {
            let digits = c.chars().filter(char::is_ascii_digit).count();
            digits >= 6 && c.chars().all(|c| c.is_ascii_digit() || "-/.:TZ +".contains(c))
        };
        let there: Vec<&&str> = self.cells.iter().filter(|c| **c != "·").collect();
        self.view.kind == ColumnKind::Category && !there.is_empty() && there.iter().all(|c| date(c))
    }

    /// Why a network can learn nothing from it, if so.
    fn useless(&self) -> Option<String> {
        let view = self.view;
        if view.count == 0 {
            return Some("it is empty".into());
        }
        let same = match view.kind {
            ColumnKind::Number => view.range.is_some_and(|[low, high]| low == high),
            _ => self.categories() == 1,
        };
        if same {
            return Some("it is the same in every row".into());
        }
        if view.kind == ColumnKind::Category && view.count >= 20 && self.categories() * 10 > view.count * 9 {
            return Some("a text of its own in nearly every row".into());
        }
        if view.kind == ColumnKind::Category && self.categories() as usize > MOST_WORDS {
            let words = self.categories();
            return Some(format!(
                "{words} different texts; `input NAME category` and `embed` could learn them"
            ));
        }
        let numbers = self.numbers().unwrap_or_default();
        let counts = numbers.windows(2).all(|w| w[1] - w[0] == 1.0);
        if numbers.len() >= 20 && counts {
            return Some("it counts the rows".into());
        }
        let rises = numbers.windows(2).all(|w| w[1] > w[0]) && self.whole().is_some();
        let name = view.name.to_ascii_lowercase();
        let id =
            name == "id" || name.ends_with("_id") || view.name.ends_with("Id") || view.name.ends_with("ID");
        (numbers.len() >= 20 && rises && id).then(|| "it numbers the rows".into())
    }

    /// Whether each of its few values stands beside one value of the target only.
    fn decides(&self, target: &Seen<'_>) -> bool {
        let mut beside: BTreeMap<&str, &str> = BTreeMap::new();
        let mut pairs = self.cells.iter().zip(&target.cells).filter(|(a, b)| **a != "·" && **b != "·");
        let all = pairs.all(|(own, other)| *beside.entry(own).or_insert(other) == *other);
        // A value for nearly every row decides anything.
        all && self.cells.len() >= 20 && beside.len() * 5 <= self.cells.len()
    }

    fn role(&self, target: &Seen<'_>) -> Use {
        if self.dates() {
            return Use::Date;
        }
        if self.decides(target) {
            let why = format!("it decides `{}` alone; an input only if it is known before", target.view.name);
            return Use::Dropped(why);
        }
        match (self.useless(), self.view.kind) {
            (Some(why), _) => Use::Dropped(why),
            (None, ColumnKind::Number) => Use::Number { missing: self.view.missing },
            (None, _) => Use::Words { missing: self.view.missing },
        }
    }

    fn task(&self) -> Task {
        let view = self.view;
        if view.kind == ColumnKind::Category {
            let names: Vec<&str> = view.categories.iter().take(4).map(|(name, _)| name.as_str()).collect();
            let more = if self.categories() > 4 { ", …" } else { "" };
            let why = format!("{}{more}", names.join(", "));
            if self.categories() == 2 {
                return Task::YesNo { why: format!("one of two: {why}") };
            }
            return Task::Classes { count: self.categories().to_string(), numbered: false, why };
        }
        let [low, high] = view.range.unwrap_or_default();
        if let Some(whole) = self.whole() {
            let (first, last) = (whole.first().copied(), whole.last().copied());
            let all = first.map(|x| x as f64) == Some(low) && last.map(|x| x as f64) == Some(high);
            let row = all && last.zip(first).is_some_and(|(b, a)| b - a + 1 == whole.len() as i64);
            if row && (low, high) == (0.0, 1.0) {
                return Task::YesNo { why: "0 or 1".into() };
            }
            let numbers = self.numbers().unwrap_or_default();
            let often = |x: &i64| numbers.iter().filter(|n| **n as i64 == *x).count() * 20 >= numbers.len();
            if row && (low == 0.0 || low == 1.0) && whole.len() <= 10 && whole.iter().all(often) {
                let why = format!("{low} to {high}, taken as classes; amounts: `standardize`");
                return Task::Classes { count: whole.len().to_string(), numbered: true, why };
            }
        }
        let [mean, deviation] = view.mean.unwrap_or_default();
        let log = low > 0.0 && deviation > 0.8 * mean && high > 5.0 * mean;
        let why = match log {
            true => "a few are very large: their logarithm is learned".into(),
            false => "numbers".into(),
        };
        Task::Numbers { log, why }
    }
}

/// The text of a first program for the table in `data`, a path as seen from the present folder; the program names it
/// `path`, and `command` stands in its head as what to run. At most `memory` bytes are taken.
///
/// # Errors
/// Where the table cannot be read, or no column of it can be a target.
pub fn first_program(command: &str, path: &str, data: &str, memory: Option<u64>) -> Outcome<String> {
    let options =
        LoadOptions { data: Some(data.to_string()), base: PathBuf::new(), memory_limit: memory, fold: None };
    let table = describe(&read("")?, &options, SAMPLE)?.0;
    let arrays = table.columns.iter().any(|c| {
        matches!(c.kind, ColumnKind::Tensor | ColumnKind::Characters | ColumnKind::Bytes | ColumnKind::Tokens)
    });
    if arrays {
        let d = Diagnostic::error(
            Code::N0506,
            format!("`{data}` holds arrays, and a first program is written for a table"),
        );
        return Err(refused(
            d.help("`nnc data` shows what is in it; specs/mnist.nn and specs/mnist-cnn.nn train on arrays"),
        ));
    }
    let mut wrong = None;
    for dates in [true, false] {
        let Some(text) = program(command, path, &table, dates) else {
            let d = Diagnostic::error(
                Code::N0506,
                format!("`{data}` has no column that could be predicted from another"),
            );
            return Err(refused(
                d.help("a table for training has at least two columns that differ from row to row"),
            ));
        };
        let built =
            read(&text).and_then(|spec| load(spec, &options)).and_then(|loaded| loaded.model(DType::F32));
        match built {
            Ok(_) => return Ok(text),
            Err(problem) => wrong = Some(problem),
        }
    }
    Err(wrong.unwrap_or_else(|| refused(Diagnostic::error(Code::N0506, "nothing fits"))))
}

fn read(text: &str) -> Outcome<Spec> {
    Spec::read("first.nn", text, &Overrides::default())
        .map_err(|(found, sources)| Problem::at(ProblemKind::Spec, found, &sources))
}

fn refused(d: Diagnostic) -> Box<Problem> {
    Problem::at(ProblemKind::Data, vec![d], &nnc_syntax::SourceMap::default())
}

/// The program, before it is laid out; nothing where no column can be a target. With `dates`, columns that look like
/// dates are read as such.
fn program(command: &str, path: &str, table: &Description, dates: bool) -> Option<String> {
    let columns = Seen::all(table);
    let (target, why_target) = target(&columns)?;
    let task = columns[target].task();
    let mut out = String::new();
    let size = format!("{} rows, {} columns", table.rows, table.width);
    line(&mut out, format!("# A first program for {path}: {size}.   {command}"));
    line(
        &mut out,
        "# Every line is a guess from the data, with its reason: change it, train again, compare.".into(),
    );
    line(&mut out, format!("data {} {{", quoted(path)));
    roles(&mut out, &columns, target, &task, &why_target, dates);
    line(&mut out, "}".into());
    split(&mut out, &columns[target], table.rows as u64, &task);
    network(&mut out, &columns[target], table.rows as u64, &task);
    Some(out)
}

fn line(out: &mut String, text: String) {
    out.push_str(&text);
    out.push('\n');
}

/// Code with the reason for it behind.
fn because(out: &mut String, code: &str, why: &str) {
    // A long line is hard to read with its reason behind.
    let _ = match code.len() > 50 {
        true => writeln!(out, "  # {why}\n{code}"),
        false => writeln!(out, "{code:<44}  # {why}"),
    };
}

/// Which column is to be predicted, and why.
fn target(columns: &[Seen<'_>]) -> Option<(usize, String)> {
    if columns.len() < 2 {
        return None;
    }
    let able = |c: &Seen<'_>| c.useless().is_none() && !c.dates();
    let called = |name: &str| columns.iter().position(|c| c.view.name.eq_ignore_ascii_case(name) && able(c));
    // Beside x and z, y is a place.
    let place = called("x").is_some() && called("z").is_some();
    let named = ANSWERS.iter().filter(|name| **name != "y" || !place).find_map(|name| called(name));
    if let Some(at) = named {
        return Some((at, "named as an answer".into()));
    }
    let last = columns.iter().rposition(able)?;
    let why =
        if last + 1 == columns.len() { "the last column" } else { "the last column that can be learned" };
    Some((last, format!("{why}, for want of a name")))
}

fn roles(out: &mut String, columns: &[Seen<'_>], target: usize, task: &Task, why: &str, dates: bool) {
    let name = name_of(columns[target].view);
    let gap = if columns[target].view.missing > 0 { " missing=drop" } else { "" };
    let (code, kind) = match task {
        Task::YesNo { why } => (format!("  target {name}{gap}"), why),
        Task::Classes { numbered: true, why, .. } => (format!("  target {name} category{gap}"), why),
        Task::Classes { why, .. } => (format!("  target {name}{gap}"), why),
        Task::Numbers { log: true, why } => (format!("  target {name} log standardize{gap}"), why),
        Task::Numbers { why, .. } => (format!("  target {name} standardize{gap}"), why),
    };
    because(out, &code, &format!("{why}: {kind}"));
    let roles: Vec<(&ColumnView, Use)> = columns
        .iter()
        .enumerate()
        .filter(|(i, _)| *i != target)
        .map(|(_, c)| match c.role(&columns[target]) {
            Use::Date if !dates => {
                (c.view, Use::Dropped("it looks like a date, and not all of it is one".into()))
            }
            role => (c.view, role),
        })
        .collect();
    let group = |wanted: &dyn Fn(&Use) -> bool| -> Vec<&ColumnView> {
        roles.iter().filter(|(_, role)| wanted(role)).map(|(view, _)| *view).collect()
    };
    let lacking = |views: &[&ColumnView]| match views.iter().map(|v| v.missing).sum::<u64>() {
        1 => "one cell is".to_string(),
        n => format!("{n} cells are"),
    };
    let numbers = group(&|r| matches!(r, Use::Number { missing: 0 }));
    many(out, &numbers, " standardize", "brought to mean 0 and deviation 1");
    let gaps = group(&|r| matches!(r, Use::Number { missing: 1.. }));
    many(
        out,
        &gaps,
        " standardize missing=median",
        &format!("{} missing: the median stands in", lacking(&gaps)),
    );
    let words = group(&|r| matches!(r, Use::Words { missing: 0 }));
    many(out, &words, " one_hot", "words: one input of 0 or 1 for each");
    let gaps = group(&|r| matches!(r, Use::Words { missing: 1.. }));
    many(
        out,
        &gaps,
        " one_hot missing=mode",
        &format!("{} missing: the commonest word stands in", lacking(&gaps)),
    );
    let days = group(&|r| matches!(r, Use::Date));
    many(out, &days, " date", "dates, taken apart into year, month, day …");
    for (view, role) in &roles {
        if let Use::Dropped(why) = role {
            because(out, &format!("  drop {}", name_of(view)), why);
        }
    }
}

/// One line of inputs, or several where there are many.
fn many(out: &mut String, views: &[&ColumnView], rule: &str, why: &str) {
    for (i, part) in views.chunks(5).enumerate() {
        let names: Vec<String> = part.iter().map(|v| name_of(v)).collect();
        let code = format!("  input {}{rule}", names.join(" "));
        if i == 0 { because(out, &code, why) } else { line(out, code) }
    }
}

fn split(out: &mut String, target: &Seen<'_>, rows: u64, task: &Task) {
    let rarest = target.view.categories.iter().map(|(_, n)| *n).min().unwrap_or(0);
    let stratify = matches!(task, Task::YesNo { .. } | Task::Classes { numbered: false, .. }) && rarest >= 5;
    match (rows, stratify) {
        (..20, _) => {}
        (_, true) => {
            because(out, "split valid=20% stratify", "rows to measure with, the classes in proportion")
        }
        (_, false) => because(out, "split valid=20%", "rows to measure with"),
    }
}

fn network(out: &mut String, target: &Seen<'_>, rows: u64, task: &Task) {
    line(out, String::new());
    let hidden = match rows {
        ..500 => "dense 16 relu",
        500..5_000 => "dense 32 relu",
        5_000.. => "dense 64 relu; dense 64 relu",
    };
    because(out, hidden, "more neurons can say more, and learn by heart");
    match task {
        Task::YesNo { .. } => {
            because(out, "dense 1 sigmoid", "how probable the second of the two is");
            because(out, "loss binary_crossentropy", "for yes or no");
        }
        Task::Classes { count, .. } => {
            because(out, &format!("dense {count} softmax"), "how probable each class is");
            because(out, "loss crossentropy", "for one of several classes");
        }
        Task::Numbers { .. } => {
            because(out, "dense 1", "a number of any size, so no activation");
            because(out, "loss mse", "for numbers: the mean of the squared errors");
        }
    }
    because(out, "optimizer adam lr=0.003", "learns well without much choosing");
    let counts = || target.view.categories.iter().map(|(_, n)| *n);
    let rare = counts().min().zip(counts().max()).is_some_and(|(a, b)| a > 0 && b / a >= UNBALANCED);
    match task {
        Task::YesNo { .. } if rare => {
            because(out, "metrics binary_accuracy auc", "one answer is rare: accuracy alone would flatter");
        }
        Task::YesNo { .. } => because(out, "metrics binary_accuracy", "the share of right answers"),
        Task::Classes { .. } if rare => {
            because(out, "metrics accuracy f1", "some classes are rare: accuracy alone would flatter");
        }
        Task::Classes { .. } => because(out, "metrics accuracy", "the share of right answers"),
        Task::Numbers { .. } => because(out, "metrics mae", "the mean of the errors"),
    }
    let length = match rows {
        ..500 => "epochs 200; batch 16",
        500..5_000 => "epochs 100; batch 32",
        5_000..100_000 => "epochs 30; batch 64",
        100_000.. => "epochs 10; batch 256",
    };
    because(out, length, "passes over the rows, and rows in a step");
    if rows >= 20 {
        because(out, "stop when val_loss stalls for 15", "no better for 15 epochs: it learns by heart now");
        because(out, "save best=val_loss", "keeps the weights of the best epoch");
    }
}

/// A column's name as a program writes it: in quotes, unless it is a plain word that means nothing else.
fn name_of(view: &ColumnView) -> String {
    let name = view.name.as_str();
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    if plain && !roles::is_word(name) { name.to_string() } else { quoted(name) }
}

fn quoted(text: &str) -> String {
    let escaped: String = text.chars().fold(String::new(), |mut out, c| {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
        out
    });
    format!("\"{escaped}\"")
}
