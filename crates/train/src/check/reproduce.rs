//! Whether a run comes out the same when it is done again.

use crate::artifact::run_folder::MODEL;
use crate::artifact::weights;
use crate::check::again::{Again, refused};
use crate::fit::report::{Observer, TrainOptions};
use crate::fit::stop::StopReason;
use crate::fit::train::train;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_artifact::TensorFile;
use nnc_syntax::{Code, Diagnostic};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What a repetition came to.
#[derive(Clone, PartialEq, Debug)]
pub struct Reproduction {
    /// The folder of the run.
    pub run: PathBuf,
    /// Numbers of the model that were compared, bit by bit.
    pub numbers: usize,
    /// Epochs whose figures were compared, digit by digit.
    pub epochs: usize,
    /// What is not the same, the earliest first; empty where all is.
    pub differences: Vec<String>,
    /// The version of nnc that wrote the run, where it is another one.
    pub other_version: Option<String>,
}

/// Trains as a run did, in a folder of the system's for passing things, and compares history and model; `None` where
/// `interrupt` was raised. The run itself stays as it is.
///
/// # Errors
/// There is no such run, it has not ended, its data is gone or has changed; those of [`train`].
pub fn reproduce(
    run: &Path,
    threads: usize,
    memory_limit: Option<u64>,
    interrupt: &Arc<AtomicBool>,
    observer: &mut dyn Observer,
) -> Outcome<Option<Reproduction>> {
    let again = Again::open(run, memory_limit)?;
    let folder = again.folder.clone();
    let shown = folder.display();
    let Some(note) = again.note.clone() else {
        return Err(refused(format!("the run in `{shown}` has not ended"), format!("nnc resume {shown}")));
    };
    if note.stop == StopReason::Interrupted.to_string() {
        return Err(refused(format!("the run in `{shown}` was interrupted"), format!("nnc resume {shown}")));
    }
    let temporary = Temporary::new()?;
    let options =
        TrainOptions { out: Some(temporary.0.clone()), write: true, ..again.options(threads, interrupt) };
    let report = train(&again.loaded, &again.model, &options, observer)?;
    if report.interrupted() {
        return Ok(None);
    }
    let history = |folder: &Path| std::fs::read_to_string(folder.join("history.csv")).unwrap_or_default();
    let (then, now) = (history(&folder), history(&temporary.0));
    let mut differences: Vec<String> = history_difference(&then, &now).into_iter().collect();
    let then_file = weights::read(&folder.join(MODEL), None)?;
    let now_file = weights::read(&temporary.0.join(MODEL), None)?;
    let numbers = tensor_differences(&then_file, &now_file, &mut differences);
    let version = env!("CARGO_PKG_VERSION");
    Ok(Some(Reproduction {
        run: folder,
        numbers,
        epochs: then.lines().count().saturating_sub(1),
        differences,
        other_version: (note.nnc != version).then_some(note.nnc),
    }))
}

/// The first epoch whose figures differ.
fn history_difference(then: &str, now: &str) -> Option<String> {
    let names: Vec<&str> = then.lines().next()?.split(',').collect();
    let mut rows = then.lines().zip(now.lines()).skip(1);
    if let Some((a, b)) = rows.find(|(a, b)| a != b) {
        let epoch = a.split(',').next().unwrap_or_default();
        let cells = names.iter().zip(a.split(',').zip(b.split(',')));
        let differ = cells.filter(|(_, (a, b))| a != b);
        let words: Vec<String> = differ.map(|(name, (a, b))| format!("{name} was {a} and is {b}")).collect();
        return Some(format!("epoch {epoch}: {}", words.join(", ")));
    }
    let (then, now) = (then.lines().count(), now.lines().count());
    (then != now)
        .then(|| format!("the run has {} epochs, the repetition {}", then.max(1) - 1, now.max(1) - 1))
}

/// The tensors that differ; how many numbers were compared.
fn tensor_differences(then: &TensorFile, now: &TensorFile, out: &mut Vec<String>) -> usize {
    let mut compared = 0;
    for (name, a) in &then.tensors {
        let Some(b) = now.tensors.get(name).filter(|b| b.shape == a.shape) else {
            out.push(format!("{name}: the repetition has none of this shape"));
            continue;
        };
        let pairs = (0..a.values.len()).filter_map(|i| Some((a.values.get(i)?, b.values.get(i)?)));
        let (mut count, mut most) = (0, 0.0f64);
        for (x, y) in pairs {
            compared += 1;
            if x.to_bits() != y.to_bits() {
                count += 1;
                most = most.max((x - y).abs());
            }
        }
        if count > 0 {
            out.push(format!("{name}: {count} of {} numbers differ, by {most:.1e} at most", a.values.len()));
        }
    }
    for name in now.tensors.keys().filter(|name| !then.tensors.contains_key(*name)) {
        out.push(format!("{name}: the run has no such weight"));
    }
    compared
}

/// A folder that is gone in the end.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Outcome<Self> {
        let base = std::env::temp_dir();
        for n in 0..1000 {
            let path = base.join(format!("nnc-reproduce-{}-{n}", std::process::id()));
            if std::fs::create_dir(&path).is_ok() {
                return Ok(Self(path));
            }
        }
        let message = format!("no folder can be made in `{}`", base.display());
        Err(Problem::new(
            ProblemKind::Io,
            Diagnostic::error(Code::N0604, message).help("TMPDIR names another place"),
        ))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nnc_artifact::{Tensor, Values};

    #[test]
    fn the_first_difference_is_named() {
        let then = "epoch,loss,acc\n1,0.5,1\n2,0.25,1\n";
        assert_eq!(history_difference(then, then), None);
        let now = "epoch,loss,acc\n1,0.5,1\n2,0.26,0.5\n";
        assert_eq!(
            history_difference(then, now).unwrap(),
            "epoch 2: loss was 0.25 and is 0.26, acc was 1 and is 0.5"
        );
        let short = "epoch,loss,acc\n1,0.5,1\n";
        assert_eq!(history_difference(then, short).unwrap(), "the run has 2 epochs, the repetition 1");
    }

    #[test]
    fn bits_are_compared() {
        let file = |values: Vec<f64>| {
            let mut file = TensorFile::default();
            file.tensors
                .insert("w".into(), Tensor { shape: vec![values.len()], values: Values::F64(values) });
            file
        };
        let mut out = Vec::new();
        assert_eq!(tensor_differences(&file(vec![0.0, 1.0]), &file(vec![-0.0, 1.5]), &mut out), 2);
        assert_eq!(out, ["w: 2 of 2 numbers differ, by 5.0e-1 at most"]);
        out.clear();
        tensor_differences(&file(vec![1.0]), &file(vec![1.0]), &mut out);
        assert!(out.is_empty());
        tensor_differences(&file(vec![1.0]), &TensorFile::default(), &mut out);
        assert_eq!(out.len(), 1);
    }
}
