//! `nnc train --folds N`: cross-validation.

use crate::args::ResultArgs;
use crate::failure::Result;
use crate::format::{count, duration, short};
use crate::output::Output;
use crate::run_page::{or_say, write_own};
use crate::run_report::object;
use crate::runs_page::of_runs;
use crate::table::Table;
use crate::training::{INTERRUPTED, NOTHING, interrupt, trained};
use nnc_model::Model;
use nnc_train::{Folds, Loaded, Report, Spread, Summary, TrainOptions, run_info};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What each of the trainings is told.
pub trait Fold {
    /// The data of fold `fold.0` of `fold.1`, and the network for it.
    fn prepare(&self, fold: (usize, usize), out: &mut Output) -> Result<(Loaded, Model)>;
    /// How it trains, into its folder.
    fn options(&self, folder: PathBuf, interrupt: Arc<AtomicBool>) -> Result<TrainOptions>;
}

/// Trains once for each fold, in a folder below `folder`, and tells what came of it.
pub fn run(
    folds: usize,
    style: ResultArgs,
    folder: Option<&Path>,
    each: &impl Fold,
    out: &mut Output,
) -> Result<u8> {
    let flag = interrupt(out);
    let first = each.prepare((0, folds), out).map_err(|f| f.with_tail(NOTHING))?;
    let overwrite = each.options(PathBuf::new(), flag.clone())?.overwrite;
    let mut all = Folds::begin(folds, folder, &first.0, overwrite)?;
    let mut next = Some(first);
    let mut interrupted = false;
    for i in 0..folds {
        let (loaded, model) = match next.take() {
            Some(prepared) => prepared,
            None => each.prepare((i, folds), out)?,
        };
        out.note(&format!("fold {} of {folds}", i + 1));
        let report = trained(&loaded, &model, &each.options(all.out(i), flag.clone())?, style, out)?;
        interrupted = report.interrupted();
        if interrupted {
            break;
        }
        all.add(report);
    }
    let summary = all.finish()?;
    if !style.no_report {
        let folders = (0..all.reports().len()).filter_map(|i| run_info(&all.out(i)));
        let page = of_runs(&all.path().display().to_string(), &folders.collect::<Vec<_>>());
        or_say(write_own(all.path(), &page).map(|_| ()), all.path(), out);
    }
    let text = match (style.json, style.quiet) {
        _ if style.json_lines => {
            let mut end = json_object(&all, &summary);
            end["event"] = json!("end");
            format!("{end}\n")
        }
        (true, _) => format!("{}\n", json_object(&all, &summary)),
        (false, true) => one_line(&all, &summary),
        (false, false) => render(&all, &summary),
    };
    out.result(&text)?;
    Ok(if interrupted { INTERRUPTED } else { 0 })
}

/// The figures of every part, as `val_loss`, with their spread.
fn named(summary: &Summary) -> Vec<(String, &Spread)> {
    let parts = [("", &summary.train), ("val_", &summary.valid), ("test_", &summary.test)];
    parts.iter().flat_map(|(part, list)| list.iter().map(move |s| (format!("{part}{}", s.name), s))).collect()
}

/// `0.95333 ± 0.02981`
fn mean_and_deviation(s: &Spread) -> String {
    format!("{} ± {}", short(s.mean), short(s.deviation))
}

fn one_line(all: &Folds, summary: &Summary) -> String {
    let valid = summary.valid.iter().map(|s| format!("val_{} {}  ", s.name, mean_and_deviation(s)));
    format!("{}folds {}  run {}\n", valid.collect::<String>(), summary.done, all.path().display())
}

fn render(all: &Folds, summary: &Summary) -> String {
    let figures = named(summary);
    let mut table = Table::default().words("fold");
    for (name, _) in &figures {
        table = table.numbers(name);
    }
    table = table.numbers("epochs");
    for (i, report) in all.reports().iter().enumerate() {
        let mut cells = vec![(i + 1).to_string()];
        cells.extend(figures.iter().map(|(_, s)| s.values.get(i).map_or(String::new(), |x| short(*x))));
        cells.push(report.epochs.to_string());
        table.row(cells);
    }
    let mean: Vec<String> = figures.iter().map(|(_, s)| short(s.mean)).collect();
    let deviation: Vec<String> = figures.iter().map(|(_, s)| short(s.deviation)).collect();
    let none = [String::new()];
    table.row(["mean".to_string()].into_iter().chain(mean).chain(none.clone()).collect());
    table.row(["±".to_string()].into_iter().chain(deviation).chain(none).collect());
    let seconds: f64 = all.reports().iter().map(|r| r.seconds).sum();
    let folds = count(summary.done as u64, "fold");
    let missing = if summary.done < summary.folds { format!(" of {}", summary.folds) } else { String::new() };
    let head: Vec<String> =
        summary.valid.iter().map(|s| format!("val_{} {}", s.name, mean_and_deviation(s))).collect();
    format!(
        "{}\n{folds}{missing} in {}\nrun: {}\n\n{}",
        head.join("  "),
        duration(seconds),
        all.path().display(),
        table.text()
    )
}

fn json_object(all: &Folds, summary: &Summary) -> Value {
    let reports = all.reports();
    let sum = |f: fn(&Report) -> u64| reports.iter().map(f).sum::<u64>();
    let part = |list: &[Spread], of: fn(&Spread) -> f64| match list.split_first() {
        None => Value::Null,
        Some((loss, metrics)) => {
            let metrics: Map<String, Value> =
                metrics.iter().map(|s| (s.name.clone(), json!(of(s)))).collect();
            json!({ "loss": of(loss), "metrics": metrics })
        }
    };
    let mut out = Map::new();
    if let Value::Object(mean) = part(&summary.train, |s| s.mean) {
        out.extend(mean);
    }
    out.insert("val".into(), part(&summary.valid, |s| s.mean));
    out.insert("test".into(), part(&summary.test, |s| s.mean));
    let deviation = json!({
        "train": part(&summary.train, |s| s.deviation),
        "val": part(&summary.valid, |s| s.deviation),
        "test": part(&summary.test, |s| s.deviation),
    });
    out.insert("deviation".into(), deviation);
    out.insert("epochs".into(), json!(sum(|r| r.epochs)));
    out.insert("steps".into(), json!(sum(|r| r.steps)));
    out.insert("seconds".into(), json!(reports.iter().map(|r| r.seconds).sum::<f64>()));
    out.insert("weights".into(), json!(reports.first().map(|r| r.weights)));
    out.insert("run".into(), json!(all.path().display().to_string()));
    out.insert("folds".into(), reports.iter().map(object).collect());
    Value::Object(out)
}
