//! Commands that work on many programs: which files are meant, and writing them again.

use crate::failure::{Failure, Result};
use nnc_syntax::{Code, Diagnostic};
use nnc_train::ProblemKind;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders deeper than this are not searched.
const DEPTH: usize = 32;

/// The programs that are meant: files as they are named, and of a folder every .nn file in it and below, by name.
/// Hidden folders are left out.
pub fn expand(names: &[String]) -> Result<Vec<String>> {
    let mut out = Vec::new();
    for name in names {
        let path = Path::new(name);
        if name == "-" || !path.is_dir() {
            out.push(name.clone());
            continue;
        }
        let before = out.len();
        below(path, 0, &mut out);
        if out.len() == before {
            let d = Diagnostic::error(Code::N0701, format!("there is no program in the folder `{name}`"));
            return Err(Failure::one(
                ProblemKind::Usage,
                d.help("a program is a file whose name ends in .nn"),
            ));
        }
    }
    Ok(out)
}

fn below(folder: &Path, depth: usize, out: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or(".");
        // A link to a folder may lead back here.
        let folder = path.symlink_metadata().is_ok_and(|m| m.is_dir());
        if folder && !name.starts_with('.') && depth < DEPTH {
            below(&path, depth + 1, out);
        } else if name.ends_with(".nn") && path.is_file() {
            let path = path.strip_prefix(".").unwrap_or(&path);
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
