//! Commands that work on many programs: which files are meant, and writing them again.

use crate::failure::{Failure, Result};
use ignore::WalkBuilder;
use nnc_syntax::{Code, Diagnostic};
use nnc_train::ProblemKind;
use std::path::Path;

/// Folders deeper than this are not searched.
const DEPTH: usize = 32;

/// A file in any folder that says, as `.gitignore` does, what there is no program of one's own.
const IGNORE: &str = ".nncignore";

/// The programs that are meant: files as they are named, and of a folder every .nn file in it and below, by name.
/// Hidden folders are left out, and what a `.gitignore` or `.nncignore` leaves out.
pub fn expand(names: &[String]) -> Result<Vec<String>> {
    let mut out = Vec::new();
    for name in names {
        let path = Path::new(name);
        if name == "-" || !path.is_dir() {
            out.push(name.clone());
            continue;
        }
        let before = out.len();
        below(path, &mut out);
        if out.len() == before {
            let d = Diagnostic::error(Code::N0701, format!("there is no program in the folder `{name}`"))
                .help("a program is a file whose name ends in .nn")
                .help("what a .gitignore or .nncignore leaves out must be named by itself");
            return Err(Failure::one(ProblemKind::Usage, d));
        }
    }
    Ok(out)
}

fn below(folder: &Path, out: &mut Vec<String>) {
    let mut walk = WalkBuilder::new(folder);
    walk.max_depth(Some(DEPTH)).require_git(false).add_custom_ignore_filename(IGNORE);
    walk.sort_by_file_path(Path::cmp);
    // A folder that cannot be read holds no program for this person.
    for entry in walk.build().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|e| e == "nn") && path.is_file() {
            let path = path.strip_prefix(".").unwrap_or(path);
            out.push(path.display().to_string());
        }
    }
}

/// Writes another text into a program.
pub fn rewrite(path: &str, text: &str) -> Result<()> {
    nnc_artifact::rewrite_atomic(Path::new(path), text.as_bytes()).map_err(|error| {
        let d = Diagnostic::error(Code::N0704, format!("`{path}` cannot be written: {error}"));
        Failure::one(ProblemKind::Io, d.help("it stays as it was"))
    })
}
