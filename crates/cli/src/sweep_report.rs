//! What came of a sweep: a table of points, or JSON.

use crate::format::{count, number, short};
use crate::table::Table;
use nnc_train::sweep::{Entry, Quartiles, SweepRecord};
use serde_json::{Map, Value, json};
use unicode_width::UnicodeWidthStr;

/// A row for each point: how many succeeded, and of every figure its median and quartiles, as far as `width` columns
/// have room for them.
pub fn table(record: &SweepRecord, width: usize) -> String {
    let entries = &record.entries;
    let told = entries.iter().any(|e| e.succeeded.is_some());
    let diverged = entries.iter().any(|e| e.diverged);
    let mut head: Vec<String> =
        record.has_experiments().then(|| "experiment".to_string()).into_iter().collect();
    head.extend(record.parameters());
    let words = head.len();
    head.extend(told.then(|| "succeeded".to_string()));
    head.extend(diverged.then(|| "diverged".to_string()));
    let mut rows: Vec<Vec<String>> = Vec::new();
    let groups: Vec<Vec<&Entry>> = (0..record.plan.points.len()).map(|i| record.of(i)).collect();
    for (point, group) in record.plan.points.iter().zip(&groups) {
        let mut cells = record.cells(point);
        let of = |n: usize| format!("{n} of {}", group.len());
        if told {
            cells.push(of(group.iter().filter(|e| e.succeeded == Some(true)).count()));
        }
        if diverged {
            cells.push(of(group.iter().filter(|e| e.diverged).count()));
        }
        rows.push(cells);
    }
    let (shown, all) = shown(record);
    let columns: Vec<(String, Vec<String>)> =
        shown.iter().map(|f| (f.clone(), groups.iter().map(|g| spread(g, f)).collect())).collect();
    let widest = |title: &str, cells: &mut dyn Iterator<Item = &String>| {
        cells.map(|c| c.width()).max().unwrap_or(0).max(title.width()) + 2
    };
    let mut used: usize =
        head.iter().enumerate().map(|(i, h)| widest(h, &mut rows.iter().map(|r| &r[i]))).sum();
    let mut kept = 0;
    for (title, cells) in &columns {
        let more = widest(title, &mut cells.iter());
        // One figure at least.
        if kept > 0 && used + more > width + 2 {
            break;
        }
        used += more;
        kept += 1;
        head.push(title.clone());
        rows.iter_mut().zip(cells).for_each(|(row, cell)| row.push(cell.clone()));
    }
    let mut table = Table::default();
    for (i, title) in head.iter().enumerate() {
        // Names stand left, and so do spreads, whose brackets would else stand askew.
        table = if i < words || i >= head.len() - kept { table.words(title) } else { table.numbers(title) };
    }
    rows.into_iter().for_each(|row| table.row(row));
    let mut out = table.text();
    let seeds = count(record.plan.seeds, "seed");
    if record.plan.seeds > 1 {
        out.push_str(&format!("median [lower quartile, upper quartile] over {seeds}\n"));
    }
    if kept < all {
        out.push_str(&format!("{} in table.csv\n", count((all - kept) as u64, "further figure")));
    }
    out
}

/// The figures to show, those that decide first, and how many there are: epochs where they differ, then those of the
/// validation part, or of the test part where there is none, or of the training part.
fn shown(record: &SweepRecord) -> (Vec<String>, usize) {
    let all = record.figures();
    let epochs: Vec<Option<f64>> = record.entries.iter().map(|e| e.figure("epochs")).collect();
    let vary = epochs.windows(2).any(|w| w[0] != w[1]);
    let part = |name: &String| match name {
        n if n.starts_with("val_") => 1,
        n if n.starts_with("test_") => 2,
        _ => 0,
    };
    let mut figures: Vec<String> = all.iter().filter(|n| *n != "epochs").cloned().collect();
    let first =
        if figures.iter().any(|n| part(n) == 1) { 1 } else { figures.iter().map(part).max().unwrap_or(0) };
    figures.sort_by_key(|n| (part(n) != first, part(n)));
    let epochs = vary.then(|| "epochs".to_string());
    (epochs.into_iter().chain(figures).collect(), all.len() - usize::from(!vary))
}

/// `655 [540, 820]`; one value stands alone.
fn spread(entries: &[&Entry], figure: &str) -> String {
    match Quartiles::of(entries.iter().filter_map(|e| e.figure(figure))) {
        None => "-".into(),
        Some(q) if q.least == q.most => short(q.median),
        Some(q) => format!("{} [{}, {}]", brief(q.median), brief(q.lower), brief(q.upper)),
    }
}

/// Four digits that matter.
fn brief(x: f64) -> String {
    short(format!("{x:.3e}").parse().unwrap_or(x))
}

/// The same for other programs.
pub fn object(record: &SweepRecord, whole: bool) -> Value {
    let figures = record.figures();
    let points = record.plan.points.iter().enumerate().map(|(i, point)| {
        let entries = record.of(i);
        let set: Map<String, Value> = point.set.iter().map(|(n, v)| (n.clone(), json!(v))).collect();
        let spread = |figure: &String| {
            let q = Quartiles::of(entries.iter().filter_map(|e| e.figure(figure)))?;
            let parts = json!({
                "count": q.count,
                "least": number(q.least),
                "lower_quartile": number(q.lower),
                "median": number(q.median),
                "upper_quartile": number(q.upper),
                "most": number(q.most),
            });
            Some((figure.clone(), parts))
        };
        let told = entries.iter().any(|e| e.succeeded.is_some());
        json!({
            "experiment": point.experiment,
            "set": set,
            "trainings": entries.len(),
            "succeeded": told.then(|| entries.iter().filter(|e| e.succeeded == Some(true)).count()),
            "diverged": entries.iter().filter(|e| e.diverged).count(),
            "figures": figures.iter().filter_map(spread).collect::<Map<String, Value>>(),
        })
    });
    json!({
        "sweep": record.folder.display().to_string(),
        "complete": whole,
        "seed": record.plan.seed,
        "seeds": record.plan.seeds,
        "trained": record.entries.len() - record.resumed,
        "resumed": record.resumed,
        "points": points.collect::<Vec<Value>>(),
    })
}
