//! Where rows stand in their files.

use crate::binding::load::Opener;
use crate::infer::inference::{InferOptions, Trained};
use crate::memory;
use nnc_data::{Limits, RowPlace};
use nnc_model::data::Part;

/// Where rows of a part, or of the file of `--data`, stand: `iris.csv:17`; empty where that is not known.
pub(super) fn places(model: &Trained, options: &InferOptions, on: &str, rows: &[usize]) -> Vec<String> {
    let mut order: Vec<usize> = rows.to_vec();
    order.sort_unstable();
    order.dedup();
    let found = found(model, options, on, &order).unwrap_or_default();
    let of = |row: &usize| order.binary_search(row).ok().and_then(|at| found.get(at).cloned());
    rows.iter().map(|row| of(row).unwrap_or_default()).collect()
}

fn found(model: &Trained, options: &InferOptions, on: &str, rows: &[usize]) -> Option<Vec<String>> {
    let limits = Limits { memory: memory::limit(options.memory_limit) };
    let asked = model.asked(options).ok()?;
    if asked.is_stdin() {
        return None;
    }
    let wanted = match on {
        "test" => Part::Test,
        "valid" => Part::Valid,
        _ => Part::Train,
    };
    let own = model.spec.data.iter().any(|d| d.part == wanted) && !model.of_other_data(options);
    if own && wanted != Part::Train {
        let origin = model.origin(options);
        let mut opener = Opener::new(&model.spec, &origin);
        let source = opener.part(wanted)?;
        let places = nnc_data::places(&source, &model.stats, &limits, rows).ok()?;
        return Some(places.into_iter().map(|p| p.map_or(String::new(), |p| told(&p, None))).collect());
    }
    let places = asked.places(&model.stats, rows).ok()?;
    let line = |place: &RowPlace| {
        let span = asked.span(place.handle?)?;
        let source = model.spec.sources.get(span.source);
        Some(format!("{}:{}", source.name, source.line_column(span.start).0))
    };
    Some(places.into_iter().map(|p| p.map_or(String::new(), |p| told(&p, line(&p)))).collect())
}

/// A file without its folder, and the line in it.
fn told(place: &RowPlace, written: Option<String>) -> String {
    fn short(path: &str) -> Vec<&str> {
        path.rsplit(['/', '\\']).take(2).collect()
    }
    match (&place.path, place.line, written) {
        (_, _, Some(written)) => written.rsplit(['/', '\\']).next().unwrap_or_default().to_string(),
        (Some(path), Some(line), _) => format!("{}:{line}", short(path).first().unwrap_or(&"")),
        // Pictures lie in the folder of their class.
        (Some(path), None, _) => short(path).into_iter().rev().collect::<Vec<_>>().join("/"),
        (None, ..) => String::new(),
    }
}
