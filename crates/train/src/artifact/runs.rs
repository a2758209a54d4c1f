//! The runs in a folder: listing and removing them.

use crate::artifact::checkpoint::CHECKPOINT;
use crate::artifact::film::FILM;
use crate::artifact::run_folder::{MODEL, NOTE, cannot};
use crate::artifact::run_note::RunNote;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_syntax::{Code, Diagnostic};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Folders deeper than this are not searched.
const DEPTH: usize = 8;

/// What is known of a run without opening its model.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RunInfo {
    /// Its folder.
    pub folder: PathBuf,
    /// The program as it was named.
    pub spec: String,
    /// `--as`
    pub experiment: Option<String>,
    /// `--set`
    pub set: Vec<(String, String)>,
    /// The seed.
    pub seed: u64,
    /// The fold, from 1, and how many there are.
    pub fold: Option<(usize, usize)>,
    /// Epochs that were begun.
    pub epochs: u64,
    /// Steps.
    pub steps: u64,
    /// Seconds from the first step to the last.
    pub seconds: f64,
    /// Learned numbers.
    pub weights: usize,
    /// Why it ended; `None` for a run that was killed or still goes on, of which no more is known.
    pub ended: Option<String>,
    /// When it ended, or was saved last.
    pub when: Option<SystemTime>,
    /// `loss`, the metrics, and as `val_…` and `test_…` those of the other parts.
    pub figures: Vec<(String, Option<f64>)>,
    /// Of `figures`, how many are of the training part, and how many of the validation part.
    pub counts: [usize; 2],
    /// The epoch whose weights were kept, where a metric chose it.
    pub best_epoch: Option<u64>,
    /// Version of nnc, precision, threads, data, and further facts, with what each is.
    pub facts: Vec<(&'static str, String)>,
}

impl RunInfo {
    /// A figure by name; `epochs`, `steps`, `seconds`, `weights` and `seed` are some.
    pub fn figure(&self, name: &str) -> Option<f64> {
        match name {
            "epochs" => Some(self.epochs as f64),
            "steps" => Some(self.steps as f64),
            "seconds" => Some(self.seconds),
            "weights" => Some(self.weights as f64),
            "seed" => Some(self.seed as f64),
            name => self.figures.iter().find(|(n, _)| n == name).and_then(|(_, x)| *x),
        }
    }
}

/// Every run in a folder and below, the oldest first.
///
/// # Errors
/// There is no such folder.
pub fn list_runs(folder: &Path) -> Outcome<Vec<RunInfo>> {
    let mut out = Vec::new();
    if !folder.is_dir() {
        let d = Diagnostic::error(Code::N0602, format!("there is no folder `{}`", folder.display()));
        return Err(Problem::new(ProblemKind::Io, d.help("`nnc train` writes runs into runs/")));
    }
    walk(folder, 0, &mut out);
    out.sort_by(|a, b| (a.when, &a.folder).cmp(&(b.when, &b.folder)));
    Ok(out)
}

fn walk(folder: &Path, depth: usize, out: &mut Vec<RunInfo>) {
    out.extend(run_info(folder));
    // What cannot be read holds no run for this person; a link may lead back here.
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.filter(|e| e.file_type().is_ok_and(|t| t.is_dir())).map(|e| e.path()) {
        if depth < DEPTH {
            walk(&path, depth + 1, out);
        }
    }
}

/// What is known of the run in a folder, if it holds one.
pub fn run_info(folder: &Path) -> Option<RunInfo> {
    let when = |file: &str| std::fs::metadata(folder.join(file)).and_then(|m| m.modified()).ok();
    let Some(note) = RunNote::beside(&folder.join(MODEL)) else {
        let when = when(CHECKPOINT)?;
        let folder = folder.to_path_buf();
        return Some(RunInfo { folder, when: Some(when), ..RunInfo::default() });
    };
    let named = |part: &str, list: &[(String, Option<f64>)]| -> Vec<(String, Option<f64>)> {
        list.iter().map(|(name, x)| (format!("{part}{name}"), *x)).collect()
    };
    let mut figures = vec![("loss".to_string(), note.loss)];
    figures.extend(note.metrics.iter().cloned());
    figures.extend(named("val_", &note.valid));
    figures.extend(named("test_", &note.test));
    let mut facts = vec![("version of nnc", note.nnc), ("precision", note.precision)];
    facts.push(("threads", note.threads.to_string()));
    facts.extend((!note.engine.is_empty()).then(|| ("engine", note.engine.clone())));
    facts.extend((!note.shuffle).then(|| ("order of rows", "as in the data".to_string())));
    facts.extend(note.data.as_ref().map(|p| ("data", p.display().to_string())));
    facts.extend(note.init.as_ref().map(|p| ("first weights", p.display().to_string())));
    Some(RunInfo {
        folder: folder.to_path_buf(),
        counts: [1 + note.metrics.len(), note.valid.len()],
        best_epoch: note.best_epoch,
        facts,
        when: when(NOTE),
        ended: Some(note.stop),
        spec: note.spec,
        experiment: note.experiment,
        set: note.set,
        seed: note.seed,
        fold: note.fold,
        epochs: note.epochs,
        steps: note.steps,
        seconds: note.seconds,
        weights: note.weights,
        figures,
    })
}

/// The figures of every epoch of a run by name; `stage` is one, where its training has stages. Empty where there is no
/// `history.csv`, or it is damaged.
pub fn history(folder: &Path) -> Vec<(String, Vec<f64>)> {
    let text = std::fs::read_to_string(folder.join("history.csv")).unwrap_or_default();
    let mut lines = text.lines();
    let names = lines.next().unwrap_or_default().split(',').map(|name| (name.to_string(), Vec::new()));
    let mut columns: Vec<(String, Vec<f64>)> = names.collect();
    for line in lines {
        // What is no number is drawn as a gap.
        let mut cells = line.split(',').map(|cell| cell.parse().unwrap_or(f64::NAN));
        columns.iter_mut().for_each(|(_, values)| values.push(cells.next().unwrap_or(f64::NAN)));
    }
    columns.retain(|(name, _)| !name.is_empty() && name != "epoch");
    columns
}

/// Removes the folder of a run, of a cross-validation or of a sweep; nothing that nnc did not write.
///
/// # Errors
/// It is none, or holds another file, and then nothing is removed; or the system refuses.
pub fn remove_run(folder: &Path) -> Outcome<()> {
    let refused = |message: String, help: &str| {
        Problem::new(ProblemKind::Usage, Diagnostic::error(Code::N0602, message).help(help))
    };
    let is_run = [NOTE, CHECKPOINT, "folds.json", "sweep.json"].iter().any(|f| folder.join(f).is_file());
    // A link is not followed: it, and not the run, would be gone.
    let is_folder = folder.symlink_metadata().is_ok_and(|m| m.is_dir());
    if !is_run || !is_folder {
        let message = format!("`{}` is not the folder of a run", folder.display());
        return Err(refused(message, "`nnc runs` lists the folders of runs"));
    }
    if let Some(other) = foreign(folder, 0) {
        let message = format!("`{}` was not written by nnc: nothing is removed", other.display());
        return Err(refused(message, "move it elsewhere first, or remove the folder yourself"));
    }
    std::fs::remove_dir_all(folder).map_err(|e| cannot("remove", folder, &e))
}

/// The first file in a run's folder and below that no run has.
fn foreign(folder: &Path, depth: usize) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let (name, path) = (entry.file_name(), entry.path());
        let name = name.to_string_lossy();
        let found = match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth < DEPTH && is_own_folder(&name) => foreign(&path, depth + 1),
            Ok(kind) if kind.is_file() && is_own_file(&name) => None,
            Ok(_) | Err(_) => Some(path),
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

fn is_own_folder(name: &str) -> bool {
    let numbered = ["fold-", "point-", "seed-"].iter().find_map(|prefix| name.strip_prefix(prefix));
    numbered.is_some_and(|n| n.parse::<u64>().is_ok())
}

fn is_own_file(name: &str) -> bool {
    let files = [
        "spec.nn",
        "history.csv",
        "report.html",
        "folds.json",
        "sweep.json",
        "results.jsonl",
        "results.csv",
        "table.csv",
    ];
    let kept = name.strip_prefix("epoch-").and_then(|n| n.strip_suffix(".safetensors"));
    let events = name.starts_with("events.out.tfevents.");
    [MODEL, NOTE, CHECKPOINT, FILM].contains(&name) || files.contains(&name) || kept.is_some() || events
}
