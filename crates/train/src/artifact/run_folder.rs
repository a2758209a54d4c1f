//! The folder of a run.

use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_artifact::{check_writable, write_all_atomic};
use nnc_syntax::{Code, Diagnostic};
use std::io;
use std::path::{Path, PathBuf};

/// The name of the model in a run's folder.
pub(crate) const MODEL: &str = "model.safetensors";

/// What is known of a run beside its model.
pub(crate) const NOTE: &str = "run.json";

/// The first of the folders that a cross-validation writes.
pub(crate) const FOLD_1: &str = "fold-1";

/// The folder a run writes to.
#[derive(Clone, Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// The asked folder, or `runs/<spec>/<n>` with the next free number; two runs that begin at once get two
    /// folders.
    pub(crate) fn create(out: Option<&Path>, spec_name: &str) -> Outcome<Self> {
        if let Some(path) = out {
            std::fs::create_dir_all(path).map_err(|e| cannot("make the folder", path, &e))?;
            check_writable(path).map_err(|e| cannot("write to", path, &e))?;
            return Ok(Self { path: path.to_path_buf() });
        }
        Self::numbered(&Path::new("runs").join(stem(spec_name)), "")
    }

    /// A folder that is there.
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.to_path_buf() }
    }

    /// The next free number in a folder, behind a prefix.
    pub(crate) fn numbered(folder: &Path, prefix: &str) -> Outcome<Self> {
        std::fs::create_dir_all(folder).map_err(|e| cannot("make the folder", folder, &e))?;
        let mut n = numbers(folder, prefix).last().map_or(1, |n| n.saturating_add(1));
        loop {
            let path = folder.join(format!("{prefix}{n}"));
            match std::fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists && n < u64::MAX => n += 1,
                Err(e) => return Err(cannot("make the folder", &path, &e)),
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes files; `sync` waits until they are on the disk.
    pub(crate) fn write(&self, files: &[(&str, Vec<u8>)], sync: bool) -> Outcome<()> {
        let files: Vec<_> = files.iter().map(|(name, bytes)| (self.path.join(name), &bytes[..])).collect();
        write_all_atomic(&files, sync).map_err(|(path, e)| cannot("write", &path, &e))
    }
}

pub(crate) fn cannot(what: &str, path: &Path, e: &io::Error) -> Box<Problem> {
    let d = Diagnostic::error(Code::N0604, format!("cannot {what} `{}`: {e}", path.display()));
    Problem::new(ProblemKind::Io, d.help("--out DIR chooses another folder"))
}

/// A program's name as a folder: `specs/xor.nn` is `xor`.
pub(crate) fn stem(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let last = last.strip_suffix(".nn").unwrap_or(last);
    let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    let clean: String = last.chars().map(plain).collect();
    let clean = clean.trim_matches(['-', '.']).to_string();
    if clean.is_empty() { "run".into() } else { clean }
}

/// The numbers behind a prefix that folders in a folder have, ascending.
pub(crate) fn numbers(folder: &Path, prefix: &str) -> Vec<u64> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let number = |name: &str| name.strip_prefix(prefix)?.parse().ok();
    let mut out: Vec<u64> = entries.filter_map(|e| number(e.file_name().to_str()?)).collect();
    out.sort_unstable();
    out
}

/// The model file that is meant: itself, the one in a run's folder, or that of a program's newest run.
///
/// # Errors
/// There is none.
pub fn resolve_model(path: &Path) -> Outcome<PathBuf> {
    let missing = |message: String, help: String| {
        Err(Problem::new(ProblemKind::Io, Diagnostic::error(Code::N0602, message).help(help)))
    };
    if path.is_dir() {
        let model = path.join(MODEL);
        if model.is_file() {
            return Ok(model);
        }
        if let Some(model) = newest(path) {
            return Ok(model);
        }
        let fold = path.join(FOLD_1);
        if fold.join(MODEL).is_file() {
            let message = format!("`{}` holds a model for each fold", path.display());
            return missing(message, format!("name one of them: {}", fold.display()));
        }
        let message = format!("the folder `{}` holds no {MODEL}", path.display());
        return missing(message, "a folder that `nnc train` wrote does".into());
    }
    if path.extension().is_some_and(|e| e == "nn") {
        let name = path.to_string_lossy();
        let folder = Path::new("runs").join(stem(&name));
        return match newest(&folder) {
            Some(model) => Ok(model),
            None if !path.exists() => missing(format!("there is no file `{name}`"), String::new()),
            None => {
                let message =
                    format!("`{name}` has not been trained here: there is no run in {}", folder.display());
                missing(message, format!("nnc train {name}"))
            }
        };
    }
    if path.exists() {
        return Ok(path.to_path_buf());
    }
    let message = format!("there is no `{}`", path.display());
    missing(message, "a run's folder, a .safetensors file, or a program that was trained here".into())
}

/// The model of the newest run that has one.
fn newest(folder: &Path) -> Option<PathBuf> {
    let mut models = numbers(folder, "").into_iter().rev().map(|n| folder.join(n.to_string()).join(MODEL));
    models.find(|m| m.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_have_folders() {
        assert_eq!(stem("specs/xor.nn"), "xor");
        assert_eq!(stem("<command line>"), "command-line");
        assert_eq!(stem("../.."), "run");
        assert_eq!(stem("-"), "run");
        assert_eq!(stem("a b.nn"), "a-b");
    }

    #[test]
    fn runs_are_numbered() {
        let folder = tempfile::tempdir().unwrap();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let path = folder.path().join("xor");
                std::thread::spawn(move || RunFolder::numbered(&path, "").map(|f| f.path))
            })
            .collect();
        let mut paths: Vec<_> = threads.into_iter().map(|t| t.join().unwrap().unwrap()).collect();
        paths.sort();
        assert_eq!(paths, [1, 2, 3, 4].map(|n| folder.path().join("xor").join(n.to_string())));
    }

    #[test]
    fn a_folder_without_a_model_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let problem = resolve_model(folder.path()).unwrap_err();
        assert_eq!(problem.exit_code(), 2);
        for n in [2, 10] {
            std::fs::create_dir(folder.path().join(n.to_string())).unwrap();
            std::fs::write(folder.path().join(n.to_string()).join(MODEL), b"").unwrap();
        }
        std::fs::create_dir(folder.path().join("11")).unwrap();
        assert_eq!(resolve_model(folder.path()).unwrap(), folder.path().join("10").join(MODEL));
    }
}
