//! The folder of a sweep: what was asked (`sweep.json`), every training as it ended (`results.jsonl`), and, when all
//! are done, the same as tables (`results.csv`, `table.csv`).

use crate::artifact::run_folder::{RunFolder, cannot, numbers, stem};
use crate::problem::{Outcome, Problem, ProblemKind};
use crate::sweep::Entry;
use crate::sweep::points::Point;
use crate::sweep::spread::Quartiles;
use nnc_syntax::{Code, Diagnostic};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

const PLAN: &str = "sweep.json";
const RESULTS: &str = "results.jsonl";

/// What a sweep is: two with the same plan come to the same figures.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct SweepPlan {
    /// The version of nnc.
    pub nnc: String,
    /// The program as it was named.
    pub spec: String,
    /// Its text, with what it uses of other files.
    pub program: String,
    /// The folder where its relative paths begin.
    pub base: PathBuf,
    /// What every training is told over the program, beside its point: `--data`, `--batch`, `--epochs`, …
    pub options: Vec<(String, String)>,
    /// The points.
    pub points: Vec<Point>,
    /// The first seed.
    pub seed: u64,
    /// How many seeds there are, one after the other.
    pub seeds: u64,
}

impl SweepPlan {
    /// Every training there is, all points with the first seed before any with the second.
    pub fn trainings(&self) -> Vec<(usize, u64)> {
        let seeds = (0..self.seeds).map(|i| self.seed.wrapping_add(i));
        seeds.flat_map(|seed| (0..self.points.len()).map(move |point| (point, seed))).collect()
    }
}

/// A sweep in its folder.
#[derive(Debug)]
pub struct SweepRecord {
    /// The folder.
    pub folder: PathBuf,
    /// What was asked.
    pub plan: SweepPlan,
    /// The trainings that have ended, in the order of [`SweepPlan::trainings`].
    pub entries: Vec<Entry>,
    /// How many of these had ended before.
    pub resumed: usize,
    results: File,
}

impl SweepRecord {
    /// Opens the folder of this plan: `out`, or `runs/<spec>/sweep-<n>`, where the newest of the same plan goes on.
    /// With `fresh`, nothing goes on.
    ///
    /// # Errors
    /// It cannot be made or written, `out` holds another sweep (and `fresh` is false), or another process is at it.
    pub fn open(plan: SweepPlan, out: Option<&Path>, fresh: bool) -> Outcome<Self> {
        let folder = match out {
            Some(out) => {
                RunFolder::create(Some(out), &plan.spec)?;
                out.to_path_buf()
            }
            None => own_folder(&plan, fresh)?,
        };
        let file = folder.join(PLAN);
        let there = read_plan(&folder);
        if !fresh && there.as_ref().is_some_and(|other| *other != plan) || there.is_none() && file.exists() {
            let message = format!("`{}` holds another sweep", folder.display());
            let d = Diagnostic::error(Code::N0604, message)
                .cause(there.map_or(String::from("its sweep.json cannot be read"), |t| differs(&t, &plan)));
            let d = d.help("--out DIR chooses another folder").help("--fresh replaces that sweep");
            return Err(Problem::new(ProblemKind::Usage, d));
        }
        let path = folder.join(RESULTS);
        let mut options = OpenOptions::new();
        let results = options.read(true).write(true).create(true).truncate(false).open(&path);
        let mut results = results.map_err(|e| cannot("open", &path, &e))?;
        match results.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = format!("another process is at the sweep in `{}`", folder.display());
                let d = Diagnostic::error(Code::N0604, message);
                return Err(Problem::new(ProblemKind::Usage, d.help("--out DIR chooses another folder")));
            }
            // A file system that knows no locks.
            Err(TryLockError::Error(_)) => {}
        }
        if fresh {
            results.set_len(0).map_err(|e| cannot("write", &path, &e))?;
        }
        let text = std::fs::read_to_string(&path).map_err(|e| cannot("read", &path, &e))?;
        let (mut entries, whole) = parse(&text);
        results.set_len(whole as u64).map_err(|e| cannot("write", &path, &e))?;
        std::io::Seek::seek(&mut results, std::io::SeekFrom::End(0))
            .map_err(|e| cannot("write", &path, &e))?;
        let trainings = plan.trainings();
        entries.retain(|e| trainings.contains(&(e.point, e.seed)));
        if there.as_ref() != Some(&plan) {
            let mut text = serde_json::to_string_pretty(&plan).unwrap_or_default();
            text.push('\n');
            RunFolder::at(&folder).write(&[(PLAN, text.into_bytes())], true)?;
        }
        let mut record = Self { folder, plan, resumed: entries.len(), entries, results };
        record.sort();
        Ok(record)
    }

    /// The sweep in a folder as it is there, to be looked at.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn read(folder: &Path) -> Outcome<Self> {
        let plan = read_plan(folder).ok_or_else(|| {
            let message = format!("`{}` holds no sweep that can be read", folder.display());
            Problem::new(ProblemKind::Io, Diagnostic::error(Code::N0602, message))
        })?;
        let path = folder.join(RESULTS);
        let unread = |e| cannot("read", &path, &e);
        let text = std::fs::read_to_string(&path).map_err(unread)?;
        let (mut entries, _) = parse(&text);
        let trainings = plan.trainings();
        entries.retain(|e| trainings.contains(&(e.point, e.seed)));
        let results = File::open(&path).map_err(unread)?;
        let resumed = entries.len();
        let mut record = Self { folder: folder.to_path_buf(), plan, entries, resumed, results };
        record.sort();
        Ok(record)
    }

    /// What is still to be trained.
    pub fn open_trainings(&self) -> Vec<(usize, u64)> {
        let mut all = self.plan.trainings();
        all.retain(|&(point, seed)| self.entries.iter().all(|e| (e.point, e.seed) != (point, seed)));
        all
    }

    /// Keeps a training; it survives an end of the process from here on.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&mut self, entry: Entry) -> Outcome<()> {
        let mut line = serde_json::to_string(&entry).unwrap_or_default();
        line.push('\n');
        let written = self.results.write_all(line.as_bytes());
        written.map_err(|e| cannot("write", &self.folder.join(RESULTS), &e))?;
        self.entries.push(entry);
        Ok(())
    }

    /// Puts the entries in order and writes the tables.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn finish(&mut self) -> Outcome<()> {
        self.sort();
        let files =
            [("results.csv", self.results_csv().into_bytes()), ("table.csv", self.table_csv().into_bytes())];
        RunFolder::at(&self.folder).write(&files, true)
    }

    fn sort(&mut self) {
        let first = self.plan.seed;
        self.entries.sort_by_key(|e| (e.point, e.seed.wrapping_sub(first)));
    }

    /// The trainings of a point.
    pub fn of(&self, point: usize) -> Vec<&Entry> {
        self.entries.iter().filter(|e| e.point == point).collect()
    }

    /// The folder of the run of a training, where it is kept.
    pub fn run_folder(folder: &Path, point: usize, seed: u64) -> PathBuf {
        folder.join(format!("point-{}", point + 1)).join(format!("seed-{seed}"))
    }

    /// Every figure there is, in the order of the program; `epochs` comes first.
    pub fn figures(&self) -> Vec<String> {
        let mut out = vec!["epochs".to_string()];
        for (name, _) in self.entries.iter().flat_map(|e| &e.figures) {
            if !out.contains(name) {
                out.push(name.clone());
            }
        }
        out
    }

    /// The parameters that points set, each once.
    pub fn parameters(&self) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for (name, _) in self.plan.points.iter().flat_map(|p| &p.set) {
            if !out.contains(name) {
                out.push(name.clone());
            }
        }
        out
    }

    /// The cells of a point: its experiment, where any point has one, and its parameters.
    pub fn cells(&self, point: &Point) -> Vec<String> {
        let experiments = self.has_experiments().then(|| point.experiment.clone().unwrap_or("-".into()));
        let value = |name: &String| {
            point.set.iter().find(|(n, _)| n == name).map_or(String::new(), |(_, v)| v.clone())
        };
        experiments.into_iter().chain(self.parameters().iter().map(value)).collect()
    }

    /// Whether a point takes an experiment.
    pub fn has_experiments(&self) -> bool {
        self.plan.points.iter().any(|p| p.experiment.is_some())
    }

    fn head(&self) -> Vec<String> {
        let experiment = self.has_experiments().then(|| "experiment".to_string());
        experiment.into_iter().chain(self.parameters()).collect()
    }

    fn results_csv(&self) -> String {
        let figures = self.figures();
        let mut head = self.head();
        head.extend(["seed", "succeeded", "succeeded_at", "diverged", "steps", "seconds"].map(String::from));
        head.extend(figures.iter().cloned());
        let mut out = row(&head);
        for e in &self.entries {
            let mut cells = self.plan.points.get(e.point).map_or(Vec::new(), |p| self.cells(p));
            cells.push(e.seed.to_string());
            cells.push(e.succeeded.map_or(String::new(), |s| s.to_string()));
            cells.push(e.succeeded_at.map_or(String::new(), |at| at.to_string()));
            cells.extend([e.diverged.to_string(), e.steps.to_string(), e.seconds.to_string()]);
            cells.extend(figures.iter().map(|f| e.figure(f).map_or(String::new(), |x| x.to_string())));
            out.push_str(&row(&cells));
        }
        out
    }

    fn table_csv(&self) -> String {
        let figures = self.figures();
        let mut head = self.head();
        head.extend(["trainings", "succeeded", "diverged"].map(String::from));
        let parts = ["least", "lower_quartile", "median", "upper_quartile", "most"];
        head.extend(figures.iter().flat_map(|f| parts.map(|p| format!("{f}_{p}"))));
        let mut out = row(&head);
        for (i, point) in self.plan.points.iter().enumerate() {
            let entries = self.of(i);
            let mut cells = self.cells(point);
            let count = |of: &dyn Fn(&Entry) -> bool| entries.iter().filter(|e| of(e)).count().to_string();
            cells.push(entries.len().to_string());
            let told = entries.iter().any(|e| e.succeeded.is_some());
            cells.push(if told { count(&|e| e.succeeded == Some(true)) } else { String::new() });
            cells.push(count(&|e| e.diverged));
            for figure in &figures {
                let q = Quartiles::of(entries.iter().filter_map(|e| e.figure(figure)));
                cells.extend(q.map_or(vec![String::new(); 5], |q| {
                    [q.least, q.lower, q.median, q.upper, q.most].map(|x| x.to_string()).to_vec()
                }));
            }
            out.push_str(&row(&cells));
        }
        out
    }
}

/// A line of CSV; a cell that holds a comma, a quote or a line's end is quoted (RFC 4180).
fn row(cells: &[String]) -> String {
    let quoted = |cell: &String| match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.clone(),
    };
    cells.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n"
}

/// The trainings of a record, each once, and how many bytes of it they are.
fn parse(text: &str) -> (Vec<Entry>, usize) {
    let mut entries: Vec<Entry> = Vec::new();
    let mut whole = 0;
    for line in text.split_inclusive('\n') {
        // What was cut off while it was written is trained again.
        let Some(entry) = line.strip_suffix('\n').and_then(|l| serde_json::from_str::<Entry>(l).ok()) else {
            break;
        };
        whole += line.len();
        if entries.iter().all(|e| (e.point, e.seed) != (entry.point, entry.seed)) {
            entries.push(entry);
        }
    }
    (entries, whole)
}

fn read_plan(folder: &Path) -> Option<SweepPlan> {
    serde_json::from_str(&std::fs::read_to_string(folder.join(PLAN)).ok()?).ok()
}

/// What the sweep that stands there does otherwise.
fn differs(there: &SweepPlan, here: &SweepPlan) -> String {
    let what = match () {
        () if there.spec != here.spec => "of another program",
        () if there.program != here.program => "of this program as it was before it was changed",
        () if there.base != here.base => "of a program in another folder",
        () if there.points != here.points => "of other points",
        () if (there.seed, there.seeds) != (here.seed, here.seeds) => "with other seeds",
        () if there.nnc != here.nnc => "of another version of nnc",
        () => "with other options",
    };
    format!("that sweep is {what}")
}

/// The newest folder of the same plan, or the next free one.
fn own_folder(plan: &SweepPlan, fresh: bool) -> Outcome<PathBuf> {
    let folder = Path::new("runs").join(stem(&plan.spec));
    std::fs::create_dir_all(&folder).map_err(|e| cannot("make the folder", &folder, &e))?;
    let known = numbers(&folder, "sweep-");
    let name = |n: &u64| folder.join(format!("sweep-{n}"));
    if !fresh && let Some(n) = known.iter().rev().find(|n| read_plan(&name(n)).is_some_and(|p| p == *plan)) {
        return Ok(name(n));
    }
    RunFolder::numbered(&folder, "sweep-").map(|f| f.path().to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> SweepPlan {
        let point = |v: &str| Point { experiment: None, set: vec![("x".into(), v.into())] };
        SweepPlan {
            spec: "a.nn".into(),
            points: vec![point("1"), point("[2, 3]")],
            seed: 5,
            seeds: 2,
            ..SweepPlan::default()
        }
    }

    fn entry(point: usize, seed: u64, loss: f64) -> Entry {
        Entry {
            point,
            seed,
            succeeded: Some(loss < 0.5),
            succeeded_at: None,
            diverged: false,
            ended: "finished".into(),
            epochs: 3,
            steps: 3,
            seconds: 0.5,
            weights: 2,
            figures: vec![("loss".into(), Some(loss))],
        }
    }

    #[test]
    fn a_sweep_goes_on_where_it_was_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("s");
        let mut record = SweepRecord::open(plan(), Some(&out), false).unwrap();
        assert_eq!(record.open_trainings(), [(0, 5), (1, 5), (0, 6), (1, 6)]);
        record.add(entry(1, 5, 0.25)).unwrap();
        record.add(entry(0, 5, 1.0 / 3.0)).unwrap();
        let busy = SweepRecord::open(plan(), Some(&out), false).unwrap_err();
        assert!(busy.diagnostics[0].message.contains("another process"), "{busy:?}");
        drop(record);
        // A line that was being written.
        let path = out.join(RESULTS);
        let mut text = std::fs::read_to_string(&path).unwrap();
        let cut = text.clone();
        text.push_str(&cut[..40]);
        std::fs::write(&path, text).unwrap();
        let mut record = SweepRecord::open(plan(), Some(&out), false).unwrap();
        assert_eq!(record.resumed, 2);
        assert_eq!(record.open_trainings(), [(0, 6), (1, 6)]);
        assert_eq!(record.entries[0], entry(0, 5, 1.0 / 3.0));
        record.add(entry(1, 6, 0.75)).unwrap();
        record.add(entry(0, 6, 1.0)).unwrap();
        record.finish().unwrap();
        let csv = std::fs::read_to_string(out.join("results.csv")).unwrap();
        assert_eq!(
            csv.lines().next().unwrap(),
            "x,seed,succeeded,succeeded_at,diverged,steps,seconds,epochs,loss"
        );
        assert_eq!(csv.lines().nth(4).unwrap(), "\"[2, 3]\",6,false,,false,3,0.5,3,0.75");
        let table = std::fs::read_to_string(out.join("table.csv")).unwrap();
        assert!(
            table.lines().nth(2).unwrap().ends_with("2,1,0,3,3,3,3,3,0.25,0.375,0.5,0.625,0.75"),
            "{table}"
        );
        drop(record);
        let other = SweepPlan { seeds: 3, ..plan() };
        let refused = SweepRecord::open(other.clone(), Some(&out), false).unwrap_err();
        assert!(refused.diagnostics[0].message.contains("another sweep"), "{refused:?}");
        let record = SweepRecord::open(other, Some(&out), true).unwrap();
        assert_eq!((record.resumed, record.open_trainings().len()), (0, 6));
    }
}
