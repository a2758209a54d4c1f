//! What stands already where a run is to be written.

use crate::artifact::card::ModelCard;
use crate::artifact::checkpoint::CHECKPOINT;
use crate::artifact::film::FILM;
use crate::artifact::run_folder::{FOLD_1, MODEL};
use crate::artifact::run_note::RunNote;
use crate::artifact::weights;
use crate::binding::load::Loaded;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_syntax::{Code, Diagnostic};
use std::path::Path;

/// The files of a run.
const FILES: [&str; 7] = ["run.json", MODEL, CHECKPOINT, "spec.nn", "history.csv", FILM, "report.html"];

/// Refuses to write over the run of another program, or over files that are of no run.
///
/// # Errors
/// Such a thing stands there, and `overwrite` is false.
pub(crate) fn refuse(folder: &Path, loaded: &Loaded, overwrite: bool) -> Outcome<()> {
    if overwrite {
        return Ok(());
    }
    let here = [folder.to_path_buf(), folder.join(FOLD_1)];
    for folder in here.iter().filter(|f| f.is_dir()) {
        let Some(note) = RunNote::beside(&folder.join(MODEL)) else {
            if let Some(file) = FILES.iter().find(|f| folder.join(f).exists()) {
                let message = format!(
                    "`{}` is of no run, and this run would write over it",
                    folder.join(file).display()
                );
                return Err(problem(message, "--overwrite replaces the file"));
            }
            continue;
        };
        if !is_of(&note, folder, loaded) {
            let message = format!("`{}` holds the run of another program, {}", folder.display(), note.spec);
            return Err(problem(message, "--overwrite replaces that run"));
        }
    }
    Ok(())
}

fn problem(message: String, replace: &str) -> Box<Problem> {
    let d = Diagnostic::error(Code::N0604, message);
    Problem::new(ProblemKind::Usage, d.help("--out DIR chooses another folder").help(replace))
}

/// Whether a run is of this program: the same file, or, without one, the same text.
fn is_of(note: &RunNote, folder: &Path, loaded: &Loaded) -> bool {
    let spec = &loaded.spec;
    let name = &spec.sources.get(spec.source).name;
    let last = |name: &str| name.rsplit(['/', '\\']).next().unwrap_or(name).to_string();
    if name.starts_with('<') || note.spec.starts_with('<') {
        let card = weights::read(&folder.join(MODEL), None).ok().and_then(|file| ModelCard::load(&file).ok());
        return card.is_some_and(|card| card.spec == spec.whole_text());
    }
    let base = &loaded.options.base;
    let base = if base.as_os_str().is_empty() { Path::new(".") } else { base };
    let base = std::path::absolute(base).unwrap_or_else(|_| base.to_path_buf());
    last(name) == last(&note.spec) && base == note.base
}
