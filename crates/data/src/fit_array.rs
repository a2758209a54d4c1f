//! Statistics of columns of arrays and of text.

use crate::disk::Walk;
use crate::fault::{Fault, Faults};
use crate::moments::{Cell, Moments, divisor, moments, set_moments, steps};
use crate::raw::{Codes, Data, Spilled, SpilledKind, Windows};
use crate::schema::ColumnKind;
use crate::source::array::MOST_CLASSES;
use crate::spec::{Kind, Role, Scaling};
use crate::stats::{ColumnStats, Step};

/// Takes the statistics of one such column.
pub(crate) fn fit(stats: &mut ColumnStats, data: &Data, train: &[u32], cell: &Cell<'_>, faults: &mut Faults) {
    let rows = train.len();
    match cell.used.kind {
        Kind::Category if !matches!(data, Data::Windows(_)) => {
            return classes(stats, data, train, cell, faults);
        }
        Kind::OneHot | Kind::Date | Kind::Tokens(_) => {
            let message = format!(
                "`{}` is an array of numbers, which may be a category and nothing else",
                cell.used.name
            );
            faults
                .push(cell.fault(message).help("one_hot vectors are made where a layer or loss wants them"));
            return;
        }
        Kind::Auto | Kind::Number | Kind::Category => {}
    }
    match data {
        Data::Bytes { shape, data, unit } => {
            let counts = count(slices(data, shape, train).flatten().copied());
            bytes(stats, shape, &counts, *unit, rows, cell, faults);
        }
        Data::F32 { shape, data } => {
            let values = || slices(data, shape, train).flatten().map(|x| f64::from(*x));
            tensor(stats, shape, values, rows, cell, faults);
        }
        Data::F64 { shape, data } => {
            tensor(stats, shape, || slices(data, shape, train).flatten().copied(), rows, cell, faults);
        }
        Data::Windows(w) => windows(stats, w, rows),
        Data::Spilled(Spilled { file, of }) => match of {
            SpilledKind::Bytes { shape, unit } => {
                let counts = count(Walk::<u8>::new(file, width(shape), train));
                bytes(stats, shape, &counts, *unit, rows, cell, faults);
            }
            SpilledKind::F32 { shape } => {
                let values = || Walk::<f32>::new(file, width(shape), train).map(f64::from);
                tensor(stats, shape, values, rows, cell, faults);
            }
            SpilledKind::F64 { shape } => {
                tensor(stats, shape, || Walk::<f64>::new(file, width(shape), train), rows, cell, faults);
            }
            SpilledKind::Numbers | SpilledKind::Text { .. } => {}
        },
        Data::Skipped | Data::Watched(_) | Data::Numbers(_) | Data::Text { .. } | Data::Dates(_) => {}
    }
    let unit = matches!(data, Data::Bytes { unit: true, .. })
        || matches!(data, Data::Spilled(Spilled { of: SpilledKind::Bytes { unit: true, .. }, .. }));
    if cell.used.role == Role::Target && cell.used.scaling.is_empty() && stats.min >= -1.0 && stats.max <= 1.0
    {
        totals(stats, data, train, if unit { 255.0 } else { 1.0 });
    }
}

/// The sum of each number along the last axis.
fn totals(stats: &mut ColumnStats, data: &Data, train: &[u32], over: f64) {
    let Some((shape, values)) = numbers(data, train) else { return };
    let last = shape.last().copied().unwrap_or(1);
    if last == 0 || last > MOST_TOTALS {
        return;
    }
    let mut sums = vec![0.0; last];
    values.enumerate().for_each(|(i, x)| sums[i % last] += x);
    stats.totals = sums.into_iter().map(|s| s / over).collect();
}

/// More numbers along an axis are no yes-or-no questions.
const MOST_TOTALS: usize = 1 << 16;

/// Numbers one by one.
type Each<'a> = Box<dyn Iterator<Item = f64> + 'a>;

/// The numbers of some rows of an array, one by one; `None` for what is no array.
pub(crate) fn numbers<'a>(data: &'a Data, rows: &'a [u32]) -> Option<(&'a [usize], Each<'a>)> {
    Some(match data {
        Data::Bytes { shape, data, .. } => {
            (shape, Box::new(slices(data, shape, rows).flatten().map(|b| f64::from(*b))))
        }
        Data::F32 { shape, data } => {
            (shape, Box::new(slices(data, shape, rows).flatten().map(|x| f64::from(*x))))
        }
        Data::F64 { shape, data } => (shape, Box::new(slices(data, shape, rows).flatten().copied())),
        Data::Spilled(Spilled { file, of }) => match of {
            SpilledKind::Bytes { shape, .. } => {
                (shape, Box::new(Walk::<u8>::new(file, width(shape), rows).map(f64::from)))
            }
            SpilledKind::F32 { shape } => {
                (shape, Box::new(Walk::<f32>::new(file, width(shape), rows).map(f64::from)))
            }
            SpilledKind::F64 { shape } => (shape, Box::new(Walk::<f64>::new(file, width(shape), rows))),
            SpilledKind::Numbers | SpilledKind::Text { .. } => return None,
        },
        Data::Skipped
        | Data::Watched(_)
        | Data::Numbers(_)
        | Data::Text { .. }
        | Data::Dates(_)
        | Data::Windows(_) => {
            return None;
        }
    })
}

/// How many rows an array has in memory; `None` where it is on disk.
fn rows_of(data: &Data) -> Option<usize> {
    let (shape, len) = match data {
        Data::Bytes { shape, data, .. } => (shape, data.len()),
        Data::F32 { shape, data } => (shape, data.len()),
        Data::F64 { shape, data } => (shape, data.len()),
        Data::Skipped
        | Data::Watched(_)
        | Data::Numbers(_)
        | Data::Text { .. }
        | Data::Dates(_)
        | Data::Windows(_)
        | Data::Spilled(_) => return None,
    };
    Some(len / width(shape).max(1))
}

/// An array of classes: whole numbers from 0 on. Their number is that of the whole source, as of a list.
fn classes(stats: &mut ColumnStats, data: &Data, train: &[u32], cell: &Cell<'_>, faults: &mut Faults) {
    let name = &cell.used.name;
    let every: Vec<u32> = rows_of(data).map_or_else(|| train.to_vec(), |n| (0..n as u32).collect());
    let Some((shape, values)) = numbers(data, &every) else { return };
    let mut most = 0.0f64;
    for x in values {
        if !(0.0..=MOST_CLASSES).contains(&x) || x.fract() != 0.0 {
            let message = format!("`{name}` is a category, and has the number {x}");
            let fault = cell.fault(message).expected("whole numbers from 0 on");
            faults.push(
                fault.help("count the classes from 0; of another range of numbers, subtract its first"),
            );
            return;
        }
        most = most.max(x);
    }
    stats.kind = ColumnKind::Tensor;
    stats.shape = shape.to_vec();
    stats.vocabulary = (0..=most as u32).map(|k| k.to_string()).collect();
    stats.counts = vec![0; stats.vocabulary.len()];
    let Some((_, values)) = numbers(data, train) else { return };
    for x in values {
        if let Some(n) = stats.counts.get_mut(x as usize) {
            *n += 1;
        }
    }
    let all = stats.counts.iter().sum::<u64>().max(1) as f64;
    let share = |of: &dyn Fn(f64) -> f64| {
        stats.counts.iter().enumerate().map(|(k, &c)| of(k as f64) * (c as f64 / all)).sum::<f64>()
    };
    let mean = share(&|k| k);
    let square = share(&|k| (k - mean).powi(2));
    (stats.mean, stats.std) = (mean, libm::sqrt(square));
    stats.count = train.len() as u64;
    stats.max = most;
}

fn width(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// The values of some rows.
fn slices<'a, T>(data: &'a [T], shape: &[usize], rows: &'a [u32]) -> impl Iterator<Item = &'a [T]> + Clone {
    let width = width(shape);
    rows.iter().map(move |&r| &data[r as usize * width..(r as usize + 1) * width])
}

fn count(values: impl Iterator<Item = u8>) -> [u64; 256] {
    let mut counts = [0; 256];
    values.for_each(|b| counts[usize::from(b)] += 1);
    counts
}

fn windows(stats: &mut ColumnStats, w: &Windows, rows: usize) {
    stats.kind = if w.bytes { ColumnKind::Bytes } else { ColumnKind::Characters };
    stats.shape = vec![w.width];
    stats.vocabulary = w.names.to_vec();
    stats.count = rows as u64;
    stats.counts = vec![0; w.names.len()];
    let mut add = |code: u16| {
        if let Some(n) = stats.counts.get_mut(usize::from(code)) {
            *n += 1;
        }
    };
    match &w.data {
        Codes::Memory(codes) => codes.iter().for_each(|&c| add(c)),
        Codes::Disk(file, map) => {
            // Where the file cannot be read, the encoder will say so.
            let all = 0..file.count::<u16>();
            let _ = file.each(all, |c: u16| add(map.get(usize::from(c)).copied().unwrap_or(c)));
        }
    }
}

fn bytes(
    stats: &mut ColumnStats,
    shape: &[usize],
    counts: &[u64; 256],
    unit: bool,
    rows: usize,
    cell: &Cell<'_>,
    faults: &mut Faults,
) {
    stats.kind = ColumnKind::Tensor;
    stats.shape = shape.to_vec();
    let scale = if unit { 255.0 } else { 1.0 };
    let n: u64 = counts.iter().sum();
    let (mut mean, mut square) = (0.0, 0.0);
    for (b, &c) in counts.iter().enumerate() {
        mean += b as f64 / scale * (c as f64 / n.max(1) as f64);
    }
    for (b, &c) in counts.iter().enumerate() {
        square += (b as f64 / scale - mean).powi(2) * (c as f64 / n.max(1) as f64);
    }
    let bound = |i: Option<usize>| i.unwrap_or(0) as f64 / scale;
    let m = Moments {
        count: rows as u64,
        mean,
        std: libm::sqrt(square),
        min: bound(counts.iter().position(|&c| c > 0)),
        max: bound(counts.iter().rposition(|&c| c > 0)),
    };
    set_moments(stats, m, rows);
    let before: &[Step] = if unit { &[Step::Shift { minus: 0.0, over: 255.0 }] } else { &[] };
    stats.steps = before.to_vec();
    for scaling in &cell.used.scaling {
        stats.steps.push(match *scaling {
            Scaling::Scale(by) => Step::Shift { minus: 0.0, over: by },
            Scaling::Standardize if cell.used.scaling.len() == 1 => {
                Step::Shift { minus: m.mean, over: divisor(m.std) }
            }
            Scaling::MinMax if cell.used.scaling.len() == 1 => {
                Step::Shift { minus: m.min, over: divisor(m.max - m.min) }
            }
            _ => {
                faults.push(array_scaling(cell));
                return;
            }
        });
    }
}

fn array_scaling(cell: &Cell<'_>) -> Fault {
    let message = format!("`{}` is an array; it takes one of standardize, minmax and scale=", cell.used.name);
    cell.fault(message)
}

fn tensor<I: Iterator<Item = f64> + Clone>(
    stats: &mut ColumnStats,
    shape: &[usize],
    values: impl Fn() -> I,
    rows: usize,
    cell: &Cell<'_>,
    faults: &mut Faults,
) {
    stats.kind = ColumnKind::Tensor;
    stats.shape = shape.to_vec();
    let m = moments(values());
    set_moments(stats, m, 0);
    stats.count = rows as u64;
    if cell.used.scaling.contains(&Scaling::Log) {
        faults.push(array_scaling(cell));
        return;
    }
    stats.steps = steps(&cell.used.scaling, m, values, &[]);
}
