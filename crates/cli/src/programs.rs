//! Commands that work on many programs: which files are meant, and writing them again.

use crate::failure::{Failure, Result};
use glob::{MatchOptions, Pattern};
use nnc_syntax::{Code, Diagnostic};
use nnc_train::ProblemKind;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders deeper than this are not searched.
const DEPTH: usize = 32;

/// Files in any folder that say what there is no program of one's own.
const IGNORE: [&str; 2] = [".gitignore", ".nncignore"];

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
    let mut found = Vec::new();
    walk(folder, &mut Vec::new(), &mut found);
    found.sort();
    let shown = found.iter().map(|path| path.strip_prefix(".").unwrap_or(path).display().to_string());
    out.extend(shown);
}

/// The programs in a folder and below; `rules` are those of the folders above it, up to the one that is named.
fn walk(folder: &Path, rules: &mut Vec<Rule>, out: &mut Vec<PathBuf>) {
    // A folder that cannot be read holds no program for this person.
    let Ok(entries) = fs::read_dir(folder) else { return };
    let outer = rules.len();
    for file in IGNORE {
        let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
        rules.extend(text.lines().filter_map(|line| Rule::read(folder, line)));
    }
    for path in entries.flatten().map(|entry| entry.path()) {
        let hidden = path.file_name().and_then(|n| n.to_str()).is_none_or(|n| n.starts_with('.'));
        // A link to a folder may lead back here.
        let is_folder = path.symlink_metadata().is_ok_and(|m| m.is_dir());
        if hidden || left_out(&path, is_folder, rules) {
            continue;
        }
        if is_folder && path.components().count() < DEPTH {
            walk(&path, rules, out);
        } else if path.extension().is_some_and(|e| e == "nn") && path.is_file() {
            out.push(path);
        }
    }
    rules.truncate(outer);
}

/// A line of a `.gitignore`, with what such a line may say: `*`, `?`, `[…]`, `**`, a slash in front or between for a
/// path from its folder on, a slash behind for folders only, `!` for what stays all the same.
struct Rule {
    folder: PathBuf,
    pattern: Pattern,
    path: bool,
    folders: bool,
    keeps: bool,
}

impl Rule {
    fn read(folder: &Path, line: &str) -> Option<Rule> {
        let line = line.trim_end();
        let (keeps, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let (folders, line) = line.strip_suffix('/').map_or((false, line), |rest| (true, rest));
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let pattern = Pattern::new(line.strip_prefix('/').unwrap_or(line)).ok()?;
        Some(Rule { folder: folder.to_path_buf(), pattern, path: line.contains('/'), folders, keeps })
    }

    fn means(&self, path: &Path, is_folder: bool) -> bool {
        let exact = MatchOptions { require_literal_separator: true, ..MatchOptions::new() };
        let of =
            if self.path { path.strip_prefix(&self.folder).ok() } else { path.file_name().map(Path::new) };
        (is_folder || !self.folders) && of.is_some_and(|of| self.pattern.matches_path_with(of, exact))
    }
}

/// The last rule that means it decides.
fn left_out(path: &Path, is_folder: bool, rules: &[Rule]) -> bool {
    rules.iter().rev().find(|rule| rule.means(path, is_folder)).is_some_and(|rule| !rule.keeps)
}

/// Writes another text into a program.
pub fn rewrite(path: &str, text: &str) -> Result<()> {
    nnc_artifact::rewrite_atomic(Path::new(path), text.as_bytes()).map_err(|error| {
        let d = Diagnostic::error(Code::N0704, format!("`{path}` cannot be written: {error}"));
        Failure::one(ProblemKind::Io, d.help("it stays as it was"))
    })
}
