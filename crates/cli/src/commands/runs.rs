//! `nnc runs`: what has been trained here.

use crate::commands::Run;
use crate::failure::{Failure, Result};
use crate::format::{count, number, short};
use crate::output::Output;
use crate::table::Table;
use clap::Args;
use nnc_train::{RunInfo, list_runs, remove_run};
use serde_json::{Map, Value, json};
use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use unicode_width::UnicodeWidthStr;

/// List, sort, filter and remove runs
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc runs                                    all in runs/, the newest last
  nnc runs runs/xor --sort val_loss           those of one program, the best first
  nnc runs --where 'val_loss<0.2' --where seed=3
  nnc runs --where program=xor-experiments.nn --where hidden=32
  nnc runs --sort=-accuracy --json            the most accurate first
  nnc runs --remove runs/xor/3 runs/xor/4")]
pub struct RunsArgs {
    /// Folders to look in, and below; runs/ where none is named
    #[arg(value_name = "FOLDER")]
    pub folders: Vec<PathBuf>,
    /// Only runs of which this holds: a figure or parameter, one of = != < <= > >=, and a value
    #[arg(long = "where", value_name = "CONDITION", value_parser = condition)]
    pub wanted: Vec<Condition>,
    /// Sort by a figure, the smallest first; with a minus before its name, the largest first
    #[arg(long, value_name = "FIGURE", allow_hyphen_values = true)]
    pub sort: Option<String>,
    /// Remove the folders that are named, with all that nnc wrote into them
    #[arg(long, requires = "folders", conflicts_with_all = ["wanted", "sort"])]
    pub remove: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `val_loss<0.2`
#[derive(Clone, Debug)]
pub struct Condition {
    name: String,
    compare: Compare,
    value: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Compare {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

const COMPARES: [(&str, Compare); 6] = [
    ("!=", Compare::Unequal),
    ("<=", Compare::AtMost),
    (">=", Compare::AtLeast),
    ("<", Compare::Less),
    (">", Compare::More),
    ("=", Compare::Equal),
];

/// Reads a condition.
pub fn condition(text: &str) -> std::result::Result<Condition, String> {
    let at = text.find(['!', '<', '>', '=']).unwrap_or(text.len());
    let found = COMPARES.iter().find_map(|(sign, compare)| Some((text[at..].strip_prefix(sign)?, *compare)));
    match found {
        Some((value, compare)) if at > 0 && !value.trim().is_empty() => {
            let value = value.trim().trim_start_matches('=').trim().to_string();
            let ordered = !matches!(compare, Compare::Equal | Compare::Unequal);
            if ordered && value.parse::<f64>().is_err() {
                return Err(format!("`{value}` is not a number"));
            }
            Ok(Condition { name: text[..at].trim().to_string(), compare, value })
        }
        _ => Err("a name, one of = != < <= > >=, and a value: val_loss<0.2".into()),
    }
}

impl Condition {
    fn holds(&self, run: &RunInfo) -> bool {
        let figure = match self.value.parse::<f64>() {
            Ok(value) => run.figure(&self.name).and_then(|x| x.partial_cmp(&value)),
            Err(_) => None,
        };
        let same =
            figure.map(|o| o == Ordering::Equal).or_else(|| Some(word(run, &self.name)? == self.value));
        match self.compare {
            Compare::Equal => same == Some(true),
            Compare::Unequal => same == Some(false),
            Compare::Less => figure == Some(Ordering::Less),
            Compare::AtMost => figure.is_some_and(Ordering::is_le),
            Compare::More => figure == Some(Ordering::Greater),
            Compare::AtLeast => figure.is_some_and(Ordering::is_ge),
        }
    }
}

/// A property of a run that is no figure.
fn word(run: &RunInfo, name: &str) -> Option<String> {
    match name {
        "program" => Some(last(&run.spec).to_string()),
        "experiment" => run.experiment.clone(),
        "ended" => run.ended.clone(),
        name => run.set.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()),
    }
}

fn last(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// `xor-experiments.nn deep hidden=32`
pub fn program(run: &RunInfo) -> String {
    let set = run.set.iter().map(|(name, value)| format!("{name}={value}"));
    let fold = run.fold.map(|(i, k)| format!("fold {i} of {k}"));
    let words =
        std::iter::once(last(&run.spec).to_string()).chain(run.experiment.clone()).chain(set).chain(fold);
    words.filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
}

impl Run for RunsArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

fn run(args: &RunsArgs, out: &mut Output) -> Result<u8> {
    if args.remove {
        for folder in &args.folders {
            remove_run(folder)?;
            out.note(&format!("removed {}", folder.display()));
        }
        if args.json {
            let names = args.folders.iter().map(|f| f.display().to_string());
            out.json(&json!({ "removed": names.collect::<Vec<_>>() }))?;
        }
        return Ok(0);
    }
    let mut runs = Vec::new();
    if args.folders.is_empty() {
        let folder = Path::new("runs");
        if !folder.is_dir() {
            out.note("nothing has been trained here: there is no folder runs/");
        } else {
            runs = list_runs(folder)?;
        }
    }
    for folder in &args.folders {
        runs.extend(list_runs(folder)?);
    }
    let all = runs.len();
    for wanted in &args.wanted {
        if !runs.is_empty() && runs.iter().all(|r| !has(r, &wanted.name)) {
            let (name, known) = (&wanted.name, known(&runs).join(", "));
            return Err(Failure::usage(format!("no run here has a `{name}`"), format!("they have {known}")));
        }
    }
    runs.retain(|run| args.wanted.iter().all(|c| c.holds(run)));
    if let Some(sort) = &args.sort {
        let (name, sign) = sort.strip_prefix('-').map_or((sort.as_str(), 1.0), |name| (name, -1.0));
        if !runs.is_empty() && runs.iter().all(|r| r.figure(name).is_none()) {
            let known = known(&runs).join(", ");
            return Err(Failure::usage(
                format!("no run here has a figure `{name}`"),
                format!("they have {known}"),
            ));
        }
        // Runs without it come last.
        let key = |run: &RunInfo| run.figure(name).map_or(f64::INFINITY, |x| sign * x);
        runs.sort_by(|a, b| key(a).total_cmp(&key(b)));
    }
    if args.json {
        let list: Vec<Value> = runs.iter().map(object).collect();
        out.json(&json!({ "runs": list }))?;
        return Ok(0);
    }
    if !runs.is_empty() {
        out.result(&table(&runs, crate::output::width()))?;
    }
    let shown = if runs.len() < all { format!("{} of ", runs.len()) } else { String::new() };
    out.note(&format!("{shown}{}", count(all as u64, "run")));
    Ok(0)
}

fn has(run: &RunInfo, name: &str) -> bool {
    run.figure(name).is_some() || word(run, name).is_some()
}

/// What the runs can be asked for.
fn known(runs: &[RunInfo]) -> Vec<String> {
    let mut out: Vec<String> =
        ["program", "seed", "epochs", "steps", "seconds", "weights"].map(String::from).to_vec();
    for run in runs {
        let experiment = run.experiment.as_ref().map(|_| "experiment");
        let names =
            run.set.iter().map(|(n, _)| n.as_str()).chain(run.figures.iter().map(|(n, _)| n.as_str()));
        for name in experiment.into_iter().chain(names) {
            if !out.iter().any(|n| n == name) {
                out.push(name.to_string());
            }
        }
    }
    out
}

/// A row for each run, with as many of the figures as there is room for.
fn table(runs: &[RunInfo], width: usize) -> String {
    let mut columns: Vec<(String, bool, Vec<String>)> = Vec::new();
    let each = |of: &dyn Fn(&RunInfo) -> String| runs.iter().map(of).collect::<Vec<String>>();
    columns.push(("run".into(), false, each(&|r| r.folder.display().to_string())));
    columns.push(("program".into(), false, each(&program)));
    columns.push(("seed".into(), true, each(&|r| known_only(r, r.seed))));
    columns.push(("epochs".into(), true, each(&|r| known_only(r, r.epochs))));
    let ended = ("ended".to_string(), false, each(&ended));
    let when = ("when".to_string(), false, each(&|r| r.when.map_or(String::new(), ago)));
    let wide = |c: &(String, bool, Vec<String>)| {
        c.2.iter().map(|cell| cell.width()).max().unwrap_or(0).max(c.0.width()) + 2
    };
    let mut used: usize = columns.iter().chain([&ended, &when]).map(wide).sum();
    let mut names: Vec<String> = Vec::new();
    for (name, _) in runs.iter().flat_map(|r| &r.figures) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    // What was not trained on says most.
    names.sort_by_key(|n| if n.starts_with("test_") { 1 } else { u8::from(!n.starts_with("val_")) * 2 });
    for name in names {
        let column = (name.clone(), true, each(&|r| r.figure(&name).map_or(String::new(), short)));
        if used + wide(&column) > width + 2 && columns.len() > 4 {
            break;
        }
        used += wide(&column);
        columns.push(column);
    }
    columns.extend([ended, when]);
    let mut table = Table::default();
    for (title, right, _) in &columns {
        table = if *right { table.numbers(title) } else { table.words(title) };
    }
    for i in 0..runs.len() {
        table.row(columns.iter().map(|c| c.2[i].clone()).collect());
    }
    table.text()
}

fn known_only(run: &RunInfo, n: u64) -> String {
    if run.ended.is_some() { n.to_string() } else { String::new() }
}

/// Why it ended, in a word or two.
fn ended(run: &RunInfo) -> String {
    let Some(words) = &run.ended else { return "not ended".into() };
    match words.char_indices().nth(24) {
        Some((at, _)) => format!("{}…", &words[..at]),
        None => words.clone(),
    }
}

/// `3 min ago`
fn ago(when: SystemTime) -> String {
    let seconds = SystemTime::now().duration_since(when).map_or(0, |d| d.as_secs());
    match seconds {
        s if s < 60 => "now".into(),
        s if s < 3600 => format!("{} min ago", s / 60),
        s if s < 48 * 3600 => format!("{} h ago", s / 3600),
        s => format!("{} days ago", s / 86_400),
    }
}

fn object(run: &RunInfo) -> Value {
    let set: Map<String, Value> = run.set.iter().map(|(n, v)| (n.clone(), json!(v))).collect();
    let figures: Map<String, Value> =
        run.figures.iter().map(|(n, x)| (n.clone(), x.map_or(Value::Null, number))).collect();
    let when = run.when.and_then(|w| w.duration_since(SystemTime::UNIX_EPOCH).ok()).map(|d| d.as_secs());
    json!({
        "run": run.folder.display().to_string(),
        "program": run.spec,
        "experiment": run.experiment,
        "set": set,
        "fold": run.fold.map(|(i, k)| json!([i, k])),
        "seed": run.seed,
        "epochs": run.epochs,
        "steps": run.steps,
        "seconds": run.seconds,
        "weights": run.weights,
        "ended": run.ended,
        "when": when,
        "figures": figures,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read() {
        let read = |text: &str| condition(text).map(|c| (c.name, c.compare, c.value));
        assert_eq!(read("val_loss < 0.2"), Ok(("val_loss".into(), Compare::Less, "0.2".into())));
        assert_eq!(read("loss>=1e-3"), Ok(("loss".into(), Compare::AtLeast, "1e-3".into())));
        assert_eq!(read("hidden==32"), Ok(("hidden".into(), Compare::Equal, "32".into())));
        assert_eq!(read("act!=relu"), Ok(("act".into(), Compare::Unequal, "relu".into())));
        for wrong in ["loss", "<3", "loss<", "loss<x", ""] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
