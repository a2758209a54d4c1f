//! Values of another size than those a model was trained on: pictures of 0 … 255 for a model of 0 and 1, grams for one of
//! kilograms. A network answers such rows as well, and wrongly.

use crate::fault::{Fault, codes};
use crate::raw::{Data, Raw, Spilled, SpilledKind};
use crate::schema::ColumnKind;
use crate::spec::{Handle, Role};
use crate::stats::{ColumnStats, Stats, Step};

/// So many values of a column are looked at.
const LOOKED: usize = 1 << 17;
/// What is so many times as large as anything in training is of another size.
const TIMES: f64 = 50.0;
/// From so many of a hundred values on it is no single wrong cell.
const SHARE: usize = 10;
/// Columns that are told by name.
const NAMED: usize = 4;

/// What is said about columns of a file whose values are of another size; `map` is the place in `raw` of each column of
/// the statistics.
pub(crate) fn note(
    raw: &Raw,
    stats: &Stats,
    map: &[Option<usize>],
    name: &str,
    handle: Option<Handle>,
) -> Option<Fault> {
    let mut seen = Vec::new();
    let mut found = Vec::new();
    for (column, &at) in stats.columns.iter().zip(map) {
        let Some(at) = at.filter(|at| !seen.contains(at) && column.role != Role::Weight) else { continue };
        if let Some(unlike) = raw.columns.get(at).and_then(|data| unlike(column, data)) {
            seen.push(at);
            found.push((column.source(), unlike));
        }
    }
    let rest = found.len().saturating_sub(NAMED);
    let message = match &found[..] {
        [] => return None,
        [(column, u)] => format!(
            "the numbers of `{column}` in `{name}` go up to {}, and those of training to {}",
            to(u.here),
            to(u.trained)
        ),
        all => {
            let each = all.iter().take(NAMED);
            let each =
                each.map(|(column, u)| format!("`{column}` (to {}, not {})", to(u.here), to(u.trained)));
            let mut list = each.collect::<Vec<_>>().join(", ");
            if rest > 0 {
                list += &format!(" and {rest} more");
            }
            format!("numbers of `{name}` are of another size than those of training: {list}")
        }
    };
    let help = match found[0].1 {
        Unlike { here, trained } if here == 255.0 * trained => {
            "divide them by 255, or train with numbers from 0 to 255"
        }
        Unlike { here, trained } if here * 255.0 == trained => {
            "multiply them by 255, or train with numbers from 0 to 1"
        }
        Unlike { .. } => "give them in the unit of the training data",
    };
    Some(Fault::new(codes::UNLIKE, message).warning().help(help).at(handle))
}

/// The largest size of a value in a file and in training.
struct Unlike {
    here: f64,
    trained: f64,
}

/// A number without the digits that nobody asks for.
fn to(x: f64) -> String {
    format!("{x:.3e}").parse::<f64>().map_or(String::new(), |x| x.to_string())
}

fn unlike(column: &ColumnStats, data: &Data) -> Option<Unlike> {
    let array = match column.kind {
        ColumnKind::Tensor if column.vocabulary.is_empty() => true,
        ColumnKind::Number => false,
        _ => return None,
    };
    if column.steps.contains(&Step::Log) {
        return None;
    }
    // Bytes of pictures are kept as shares of 255, a scaling that the program does not say.
    let shares = column.steps.len() > column.scaling.len()
        && column.steps.first() == Some(&Step::Shift { minus: 0.0, over: 255.0 });
    let unit = if shares { 255.0 } else { 1.0 };
    let trained = column.min.abs().max(column.max.abs()) * unit;
    if !(trained > 0.0 && trained.is_finite()) {
        return None;
    }
    let values = values(data)?;
    let there = values.iter().filter(|x| **x != 0.0 && !x.is_nan()).count();
    let far = values.iter().filter(|x| x.abs() > TIMES * trained).count();
    let here = values.iter().filter(|x| !x.is_nan()).fold(0.0, |most: f64, x| most.max(x.abs()));
    // Of pictures: 0 and 1, or shares, where there was brightness up to 255.
    let dark = array && there > 0 && column.min >= 0.0 && trained >= 100.0 && here <= 1.0;
    (dark || far > 0 && far * 100 >= there * SHARE).then_some(Unlike { here, trained })
}

/// The first values of a column of numbers.
fn values(data: &Data) -> Option<Vec<f64>> {
    Some(match data {
        Data::Numbers(v) | Data::F64 { data: v, .. } => v.iter().take(LOOKED).copied().collect(),
        Data::F32 { data, .. } => data.iter().take(LOOKED).map(|x| f64::from(*x)).collect(),
        Data::Bytes { data, .. } => data.iter().take(LOOKED).map(|x| f64::from(*x)).collect(),
        Data::Spilled(Spilled { file, of }) => match of {
            SpilledKind::Numbers | SpilledKind::F64 { .. } => {
                file.load::<f64>(0..file.count::<f64>().min(LOOKED as u64)).ok()?
            }
            SpilledKind::F32 { .. } => {
                let some: Vec<f32> = file.load(0..file.count::<f32>().min(LOOKED as u64)).ok()?;
                some.into_iter().map(f64::from).collect()
            }
            SpilledKind::Bytes { .. } => {
                let some: Vec<u8> = file.load(0..file.count::<u8>().min(LOOKED as u64)).ok()?;
                some.into_iter().map(f64::from).collect()
            }
            SpilledKind::Text { .. } => return None,
        },
        _ => return None,
    })
}
