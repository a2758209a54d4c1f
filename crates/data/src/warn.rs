//! What a reader of the data would want to know before training on it.

use crate::dates::are_dates;
use crate::fault::{Fault, codes};
use crate::raw::{Data, NONE, Raw};
use crate::roles::Use;
use crate::runs::Runs;
use crate::schema::ColumnKind;
use crate::spec::{DataSpec, Kind, Role, SourceSpec};
use crate::stats::{ColumnStats, Stats};

/// Fewer rows than this prove nothing.
const ENOUGH: usize = 50;

/// A class this many times rarer than the commonest is worth a word.
const UNBALANCED: u64 = 20;

/// Notes and warnings, in the order of the columns.
pub(crate) fn notes(raw: &Raw, uses: &[Use], train: &[u32], stats: &Stats, spec: &DataSpec) -> Vec<Fault> {
    let mut notes: Vec<Fault> = silent_one_hot(stats, uses).into_iter().collect();
    let target = stats.columns.iter().find(|c| c.role == Role::Target);
    for column in &stats.columns {
        let data = raw.columns.get(column.position);
        let handle = uses.iter().find(|u| u.position == column.position).and_then(|u| u.handle);
        let mut found = Vec::new();
        match column.role {
            // Texts differ from row to row, as they should.
            Role::Input | Role::Target if column.kind == ColumnKind::Tokens => {
                found.extend(shortened(column))
            }
            Role::Input => {
                found.extend(constant(column));
                found.extend(data.and_then(|d| identifier(column, d, train)));
                let leak = target.filter(|_| stats.window.is_none() && column.date.is_none());
                found.extend(leak.and_then(|t| leaks(column, data?, t, raw.columns.get(t.position)?, train)));
            }
            Role::Target if column.kind != ColumnKind::Category => found.extend(constant(column)),
            Role::Target => {
                found.extend(constant(column));
                found.extend(balance(column));
                found.extend(unseen(column));
            }
            _ => {}
        }
        let path = raw.places.paths.first().cloned();
        let say = |f: Fault| if f.code == codes::READING { f.note() } else { f.warning() };
        notes.extend(found.into_iter().map(|f| Fault { path: path.clone(), ..say(f) }.at(handle)));
    }
    notes.extend(overlap(stats, spec));
    notes.extend(mixed_series(raw, uses, stats, spec));
    notes
}

/// Text columns nobody asked to be one-hot.
fn silent_one_hot(stats: &Stats, uses: &[Use]) -> Option<Fault> {
    let asked = |c: &ColumnStats| uses.iter().any(|u| u.position == c.position && u.kind == Kind::OneHot);
    let inputs = stats.columns.iter().filter(|c| c.role == Role::Input && c.one_hot);
    let silent: Vec<String> =
        inputs.filter(|c| !asked(c)).map(|c| format!("`{}` ({})", c.name, c.vocabulary.len())).collect();
    if silent.is_empty() {
        return None;
    }
    let (is, it) = if silent.len() == 1 { ("is", "it becomes") } else { ("are", "they become") };
    let message = format!("{} {is} text; {it} one input per category", silent.join(", "));
    let fault = Fault::new(codes::TEXT_ONE_HOT, message).note();
    let dates = stats.columns.iter().filter(|c| c.role == Role::Input && c.one_hot && !asked(c));
    let dates: Vec<&str> = dates.filter(|c| are_dates(&c.vocabulary)).map(|c| c.name.as_str()).collect();
    let help = "write `one_hot` to say so, `category` for an embedding, or `drop`";
    Some(match dates.is_empty() {
        true => fault.help(help),
        false => fault.help(format!("dates, by their looks: input {} date\n{help}", dates.join(" "))),
    })
}

fn constant(c: &ColumnStats) -> Option<Fault> {
    let same = match c.kind {
        ColumnKind::Category => c.counts.iter().filter(|n| **n > 0).count() == 1,
        // A single hour or year is no mistake of the spec's.
        ColumnKind::Number => c.min == c.max,
        ColumnKind::Tensor => c.min == c.max && c.shape.iter().product::<usize>() > 1,
        ColumnKind::Date | ColumnKind::Characters | ColumnKind::Bytes | ColumnKind::Tokens => false,
    };
    if !same || c.count < 2 {
        return None;
    }
    let fault = Fault::new(codes::CONSTANT, format!("`{}` is the same in every training row", c.name));
    Some(match c.role {
        Role::Target => {
            fault.help("there is nothing to learn from it; is the file sorted, or the split ordered?")
        }
        _ => fault.help(format!("drop {}", c.source())),
    })
}

/// Texts that are longer than what the network sees of them.
fn shortened(c: &ColumnStats) -> Option<Fault> {
    let (&length, unit) = (c.shape.first()?, c.unit?.name());
    (c.max > length as f64).then(|| {
        let message =
            format!("texts of `{}` have up to {} {unit}, of which {length} are read", c.name, c.max);
        Fault::new(codes::READING, message).help(format!("input {} {unit} length={}", c.name, c.max))
    })
}

/// A text of its own for nearly every row, or numbers that count the rows.
fn identifier(c: &ColumnStats, data: &Data, train: &[u32]) -> Option<Fault> {
    let there = c.count as usize;
    if there < ENOUGH {
        return None;
    }
    let looks = match data {
        Data::Text { .. } => c.vocabulary.len() * 10 > there * 9,
        Data::Numbers(values) => {
            let pairs = train.windows(2);
            let counts = |w: &[u32]| {
                let [a, b] = [w[0], w[1]].map(|r| values[r as usize]);
                b - a == f64::from(w[1] - w[0])
            };
            values[train[0] as usize].fract() == 0.0 && { pairs }.all(counts)
        }
        _ => false,
    };
    looks.then(|| {
        let message = format!("`{}` looks like an identifier: it tells rows apart and says nothing", c.name);
        let help = match data {
            Data::Text { vocabulary, .. } if are_dates(vocabulary) => {
                format!("input {} date   or drop it", c.source())
            }
            Data::Text { vocabulary, .. } if are_sentences(vocabulary) => {
                format!("drop {0}   or, if it is to be read: input {0} words", c.source())
            }
            _ => format!("drop {}", c.source()),
        };
        Fault::new(codes::IDENTIFIER, message).help(help)
    })
}

/// Whether texts have several words, most of them.
fn are_sentences(texts: &[String]) -> bool {
    let several = texts.iter().filter(|t| t.split_whitespace().nth(3).is_some()).count();
    several * 2 > texts.len()
}

/// An input from which the target follows without any learning.
fn leaks(
    c: &ColumnStats,
    data: &Data,
    target: &ColumnStats,
    target_data: &Data,
    train: &[u32],
) -> Option<Fault> {
    if train.len() < ENOUGH || target.counts.iter().filter(|n| **n > 0).count() == 1 {
        return None;
    }
    let gives_away = match (data, target_data) {
        (Data::Numbers(x), Data::Numbers(y)) if linear(x, y, train) => true,
        (Data::Numbers(x), Data::Numbers(y)) => {
            // Numbers that are classes in all but name: 0 and 1, or grades.
            let bits: Vec<u64> = y.iter().map(|y| y.to_bits()).collect();
            return numbering(x, &bits, train).then(|| sorted_by(c, target));
        }
        (Data::Numbers(x), Data::Text { codes, .. }) => {
            return numbering(x, codes, train).then(|| sorted_by(c, target));
        }
        (Data::Text { codes, vocabulary }, Data::Text { codes: y, .. }) => {
            // Each category with one class; a category per row is no leak.
            vocabulary.len() * 5 <= train.len() && decides(codes, vocabulary.len(), |r| y[r], train)
        }
        (Data::Text { codes, vocabulary }, Data::Numbers(y)) => {
            let bits = |r: usize| y[r].to_bits();
            let varied = target.min < target.max;
            varied && vocabulary.len() * 5 <= train.len() && decides(codes, vocabulary.len(), bits, train)
        }
        _ => false,
    };
    gives_away.then(|| {
        let message =
            format!("`{}` gives the target `{}` away: one follows from the other", c.name, target.name);
        Fault::new(codes::LEAK, message)
            .help(format!("drop {}   unless it is known before the target is", c.source()))
    })
}

/// What is said of a number that only tells where in the file a row stands.
fn sorted_by(c: &ColumnStats, target: &ColumnStats) -> Fault {
    let (id, class) = (&c.name, &target.name);
    let message = format!(
        "`{id}` gives the target `{class}` away: it rises with the rows, and they are sorted by `{class}`"
    );
    let why = format!("a threshold on `{id}` tells the class of these rows, and of no others");
    Fault::new(codes::LEAK, message).help(format!("drop {}   ({why})", c.source()))
}

/// More blocks of equal classes than this are no sorted file.
const MOST_BLOCKS: usize = 20;

/// Whether whole numbers that are all different and rise (or fall) with the
/// rows decide a class by thresholds, but for a row in fifty. Such numbers
/// name rows, and the file is sorted by class. Measures have repeated values
/// or fractions, and a class that follows from the time comes and goes.
fn numbering<T: PartialEq + Copy + Ord>(x: &[f64], y: &[T], train: &[u32]) -> bool {
    let mut rows: Vec<u32> = train.to_vec();
    rows.sort_unstable(); // as they stand in the file
    let values: Vec<f64> = rows.iter().map(|&r| x[r as usize]).collect();
    let whole = values.iter().all(|v| v.fract() == 0.0);
    let rises = values.windows(2).all(|w| w[0] < w[1]);
    let falls = values.windows(2).all(|w| w[0] > w[1]);
    if !whole || !(rises || falls) {
        return false;
    }
    let classes: Vec<T> = rows.iter().map(|&r| y[r as usize]).collect();
    let mut all = classes.clone();
    all.sort_unstable();
    all.dedup();
    let n = all.len();
    // Each class has many rows; a measure has a value for each.
    if !(2..=MOST_BLOCKS).contains(&n) || n * 10 > rows.len() {
        return false;
    }
    // One block for each class, in which few rows are of another.
    let blocks = classes.chunk_by(|a, b| a == b).filter(|block| block.len() * n * 5 >= rows.len());
    let (mut seen, mut covered) = (Vec::new(), 0);
    for block in blocks {
        covered += block.len();
        if seen.last() != Some(&block[0]) {
            if seen.contains(&block[0]) {
                return false;
            }
            seen.push(block[0]);
        }
    }
    seen.len() == n && covered * 50 >= rows.len() * 49
}

/// Whether one is the other times a number plus a number, all but exactly.
fn linear(x: &[f64], y: &[f64], train: &[u32]) -> bool {
    let pairs = || {
        let both = train.iter().map(|&r| (x[r as usize], y[r as usize]));
        both.filter(|(x, y)| !x.is_nan() && !y.is_nan())
    };
    let n = pairs().count() as f64;
    let (sx, sy) = pairs().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
    let (mx, my) = (sx / n, sy / n);
    let (xx, yy, xy) = pairs().fold((0.0, 0.0, 0.0), |(a, b, c), (x, y)| {
        let (x, y) = (x - mx, y - my);
        (a + x * x, b + y * y, c + x * y)
    });
    xx > 0.0 && yy > 0.0 && xy * xy > (1.0 - 1e-9) * xx * yy
}

/// Whether every category has one value of the target only.
fn decides<T: PartialEq + Copy>(
    codes: &[u32],
    categories: usize,
    target: impl Fn(usize) -> T,
    train: &[u32],
) -> bool {
    let mut first: Vec<Option<T>> = vec![None; categories];
    train.iter().all(|&row| {
        let row = row as usize;
        match codes[row] {
            NONE => true,
            code => *first[code as usize].get_or_insert(target(row)) == target(row),
        }
    })
}

fn balance(c: &ColumnStats) -> Option<Fault> {
    let seen = || c.counts.iter().zip(&c.vocabulary).filter(|(n, _)| **n > 0);
    let (least, rare) = seen().min_by_key(|(n, _)| **n)?;
    let (most, common) = seen().rev().max_by_key(|(n, _)| **n)?;
    if least.saturating_mul(UNBALANCED) > *most {
        return None;
    }
    let message = format!("the classes of `{}` are very unbalanced: {common} {most}, {rare} {least}", c.name);
    let fault = Fault::new(codes::UNBALANCED, message);
    Some(
        fault
            .help("accuracy will flatter; `split … stratify`, and a weight column if the rare class matters"),
    )
}

fn unseen(c: &ColumnStats) -> Option<Fault> {
    let known = c.vocabulary.len() - usize::from(c.bucket);
    let never = || c.counts.iter().zip(&c.vocabulary).take(known).filter(|(n, _)| **n == 0);
    let count = never().count();
    if count == 0 || c.count == 0 || c.counts.len() > 255 {
        return None;
    }
    let names: Vec<String> = never().take(5).map(|(_, name)| format!("`{name}`")).collect();
    let more = if count > names.len() { format!(" and {} more", count - names.len()) } else { String::new() };
    let message = format!("training never sees {}{more} of `{}`", names.join(", "), c.name);
    Some(Fault::new(codes::UNSEEN_CLASS, message).help("`split … stratify`, or more rows"))
}

/// Neighbouring windows share rows; shuffled, validation has been trained on.
fn overlap(stats: &Stats, spec: &DataSpec) -> Option<Fault> {
    let shared = match &spec.train {
        SourceSpec::Text(t) => t.stride.is_some_and(|s| s < t.window),
        _ => stats.window.is_some_and(|w| w.length > 1 && w.whole.is_none()),
    };
    let split = &spec.split;
    // Windows within a group are in one part, and share rows with no other.
    let grouped = split.group.as_ref().is_some_and(|g| stats.by.iter().any(|c| c.name == g.name));
    let parts = split.valid > 0.0 || split.test > 0.0 || split.fold.is_some();
    (shared && parts && !split.ordered && !grouped).then(|| {
        let message = "windows overlap, so a shuffled split validates on rows it has trained on";
        let fault = Fault::new(codes::OVERLAP, message).warning().at(split.handle);
        match stats.by.first() {
            Some(c) => fault.help(format!("split valid=10% ordered   or   split valid=10% group={}", c.name)),
            None => fault.help("split valid=10% ordered"),
        }
    })
}

/// A column of words that stay the same for long and never come back names
/// series, and windows at its changes hold rows of two of them.
fn mixed_series(raw: &Raw, uses: &[Use], stats: &Stats, spec: &DataSpec) -> Option<Fault> {
    let window = stats.window.filter(|w| w.whole.is_none() && stats.by.is_empty())?;
    let names_series = |data: &Data| match data {
        Data::Watched(runs) => runs.names_series(window.end()),
        Data::Text { codes, vocabulary } => {
            let mut runs = Runs::default();
            let word = |c: u32| vocabulary.get(c as usize).map_or("", String::as_str);
            codes.iter().for_each(|&c| runs.push(word(c).as_bytes()));
            runs.names_series(window.end())
        }
        _ => false,
    };
    let at = raw.columns.iter().position(names_series)?;
    let name = &uses.iter().find(|u| u.position == at)?.name;
    let message = format!("windows run from one series into the next: `{name}` changes within some of them");
    let fault = Fault::new(codes::SERIES, message).warning().at(spec.train.handle());
    Some(fault.help(format!("by={name}   keeps windows within one `{name}`")))
}
