//! What the values of a table look like and nobody said: numbers that stand
//! for a gap, totals, dates written as numbers. Nothing is changed; it is told.

use crate::dates::are_dates;
use crate::fault::{Fault, codes};
use crate::raw::{Data, NONE, Raw};
use crate::roles::Use;
use crate::schema::ColumnKind;
use crate::source::table::{line_to_write, na};
use crate::spec::{CsvSpec, DataSpec, Kind, Role, SourceSpec};
use crate::stats::{ColumnStats, Stats};

/// Fewer values than this have no looks.
const FEW: usize = 10;

/// Above this, neighbouring whole numbers are one and the same `f64`.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Notes and warnings about a table of text.
pub(crate) fn notes(raw: &Raw, uses: &[Use], stats: &Stats, spec: &DataSpec) -> Vec<Fault> {
    let SourceSpec::Csv(csv) = &spec.train else { return Vec::new() };
    let mut out = Vec::new();
    for column in stats.columns.iter().filter(|c| matches!(c.role, Role::Input | Role::Target)) {
        let Some(data) = raw.columns.get(column.position) else { continue };
        let used = uses.iter().find(|u| u.position == column.position);
        let free = used.is_some_and(|u| u.kind == Kind::Auto && u.scaling.is_empty());
        let found = match data {
            Data::Numbers(values) if column.kind == ColumnKind::Number && column.date.is_none() => {
                let gap = stands_for_a_gap(column, values, csv);
                let date = || dates_as_numbers(column, values).filter(|_| free && column.role == Role::Input);
                gap.or_else(date).or_else(|| too_large(column, values))
            }
            Data::Text { .. } if column.kind == ColumnKind::Category => mark_as_category(column, csv),
            _ => None,
        };
        out.extend(found.map(|f| f.at(used.and_then(|u| u.handle))));
    }
    out.extend(total(raw, stats, csv));
    out.extend(single(stats, spec, csv));
    let path = raw.places.paths.first();
    out.into_iter().map(|f| Fault { path: path.cloned(), ..f }.at(csv.handle)).collect()
}

/// A number that is far from all others, and stands there again and again.
fn stands_for_a_gap(c: &ColumnStats, values: &[f64], csv: &CsvSpec) -> Option<Fault> {
    let there = || values.iter().copied().filter(|v| !v.is_nan());
    let (low, high) = there().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    let lone = |odd: f64| {
        let (mut a, mut b, mut others, mut times) = (f64::INFINITY, f64::NEG_INFINITY, 0, 0);
        for v in there() {
            if v == odd {
                times += 1;
            } else {
                (a, b) = (a.min(v), b.max(v));
                others += 1;
            }
        }
        let gap = if odd < a { a - odd } else { odd - b };
        // People write nines, and what no measure can be.
        let digits = format!("{}", odd.abs());
        let nines = digits.len() > 1 && digits.bytes().all(|d| d == b'9');
        let far = if nines || odd.abs() >= 1e20 { 1.0 } else { 4.0 };
        let whole = odd.fract() == 0.0 && odd != 0.0;
        let told = whole && times > 1 && times <= others && others >= FEW && gap > far * (b - a) && b > a;
        told.then_some((odd, times, a, b))
    };
    let (odd, times, a, b) = lone(low).or_else(|| lone(high))?;
    let word = if odd.abs() < 1e15 { format!("{odd}") } else { format!("{odd:e}") };
    let message = format!("`{}` is {word} in {times} rows, and {a} to {b} in all others", c.name);
    let line = line_to_write(csv, &na(&[&word]).replace(['"'], ""));
    Some(
        Fault::new(codes::READING, message)
            .warning()
            .help(format!("if it means that the value is missing: {line}")),
    )
}

/// Whole numbers such as 20240105.
fn dates_as_numbers(c: &ColumnStats, values: &[f64]) -> Option<Fault> {
    let there: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).take(1000).collect();
    let century = there.iter().all(|v| v.fract() == 0.0 && (19_000_101.0..21_001_231.0).contains(v));
    if !century || c.min == c.max {
        return None;
    }
    let texts: Vec<String> = there.iter().map(f64::to_string).collect();
    are_dates(&texts).then(|| {
        let message = format!("`{}` is a number such as {}, which looks like a date", c.name, texts[0]);
        Fault::new(codes::READING, message).note().help(format!("input {} date", c.source()))
    })
}

/// Whole numbers of which neighbours are one and the same to a computer.
fn too_large(c: &ColumnStats, values: &[f64]) -> Option<Fault> {
    let mut there = values.iter().filter(|v| !v.is_nan());
    let large = c.role == Role::Input && c.min < c.max && there.all(|v| v.fract() == 0.0 && v.abs() >= EXACT);
    large.then(|| {
        let message =
            format!("`{}` looks like an identifier: its numbers are too large to be told apart", c.name);
        Fault::new(codes::IDENTIFIER, message).warning().help(format!("drop {}", c.source()))
    })
}

/// `?` and the like among texts are texts.
fn mark_as_category(c: &ColumnStats, csv: &CsvSpec) -> Option<Fault> {
    let is_mark =
        |w: &str| !w.is_empty() && w.len() < 4 && w.chars().all(|m| matches!(m, '?' | '.' | '-' | '*'));
    // Plus and minus are two classes.
    let mut marks = c.vocabulary.iter().zip(&c.counts).filter(|(w, _)| is_mark(w));
    let (word, times) = marks.next()?;
    let signs = c.vocabulary.iter().any(|w| w.chars().all(|m| m == '+') && !w.is_empty());
    let others = c.vocabulary.iter().filter(|w| w.chars().any(char::is_alphanumeric)).count();
    if signs || others < 2 || marks.next().is_some() {
        return None;
    }
    let message = format!("`{word}` ({times}) is a category of `{}` like any other", c.name);
    let line = line_to_write(csv, &na(&[word]));
    Some(
        Fault::new(codes::READING, message)
            .note()
            .help(format!("if it means that the value is missing: {line}")),
    )
}

const TOTALS: [&str; 16] = [
    "total",
    "totals",
    "grand total",
    "subtotal",
    "sum",
    "all",
    "overall",
    "average",
    "mean",
    "summe",
    "gesamt",
    "insgesamt",
    "mittelwert",
    "totale",
    "somme",
    "suma",
];

/// A last row that is made of the rows above it.
fn total(raw: &Raw, stats: &Stats, csv: &CsvSpec) -> Option<Fault> {
    let last = raw.len.checked_sub(1).filter(|n| *n > 2 && csv.dialect.skip_last.is_none())?;
    let (mut named, mut gaps, mut sums, mut others) = (None, 0, 0, 0);
    for column in &stats.columns {
        match raw.columns.get(column.position)? {
            Data::Numbers(values) => {
                let x = *values.get(last)?;
                let sum: f64 = values[..last].iter().filter(|v| !v.is_nan()).sum();
                let varied = values[..last].iter().any(|v| *v != values[0]);
                if x.is_nan() {
                    gaps += 1;
                } else if varied && (x - sum).abs() <= 1e-9 * sum.abs() {
                    sums += 1;
                } else {
                    others += 1;
                }
            }
            Data::Text { codes, vocabulary } => {
                let code = *codes.get(last)?;
                match vocabulary.get(code as usize) {
                    None => gaps += usize::from(code == NONE),
                    Some(word) if codes.iter().filter(|c| **c == code).count() == 1 => {
                        named = Some(word.clone())
                            .filter(|w| TOTALS.contains(&w.to_lowercase().as_str()))
                            .or(named);
                    }
                    Some(_) => others += 1,
                }
            }
            _ => return None,
        }
    }
    let what = match &named {
        Some(word) => format!("it says `{word}`"),
        None if gaps > 0 && sums > 0 && others == 0 => "its numbers are the sums of those above".to_string(),
        None => return None,
    };
    let message = format!("the last row is read like any other, and looks like a total: {what}");
    let line = line_to_write(csv, "skip_last=1");
    Some(Fault::new(codes::READING, message).warning().help(format!("if it is one: {line}")))
}

/// A table of one column has no target.
fn single(stats: &Stats, spec: &DataSpec, csv: &CsvSpec) -> Option<Fault> {
    let target = stats.columns.iter().any(|c| c.role == Role::Target);
    (stats.width == 1 && !target && spec.roles.is_empty()).then(|| {
        let help = format!(
            "where its lines are several cells: {}\n`target none` says that there is none",
            line_to_write(csv, "separator=\"…\"")
        );
        Fault::new(codes::READING, "the table has one column, and so no target").warning().help(help)
    })
}
