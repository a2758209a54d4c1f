//! `part-*.csv`: several files by one path.

use crate::fault::{Fault, codes};
use crate::spec::Handle;
use glob::MatchOptions;
use std::path::Path;

/// More files than this are not one source.
const MOST_FILES: usize = 100_000;

/// The files a path means, sorted: itself, or those its `*` and `?` match.
/// A file that is really called so comes first; hidden files are asked for by their dot.
pub(crate) fn expand(path: &str, handle: Option<Handle>) -> Result<Vec<String>, Box<Fault>> {
    if !path.contains(['*', '?']) || Path::new(path).exists() {
        return Ok(vec![path.to_string()]);
    }
    // Not `require_literal_leading_dot`, which panics on names that are not UTF-8.
    let options =
        MatchOptions { case_sensitive: true, require_literal_separator: true, ..MatchOptions::default() };
    let matches = glob::glob_with(&pattern(path), options).into_iter().flatten().flatten();
    let files = matches.filter(|p| p.is_file()).map(|p| p.to_string_lossy().into_owned());
    let found: Vec<String> = files.filter(|file| !is_hidden(file, path)).take(MOST_FILES + 1).collect();
    if found.len() > MOST_FILES {
        let message = format!("`{path}` matches more than {MOST_FILES} files");
        return Err(Box::new(Fault::new(codes::TOO_BIG, message).path(path).at(handle)));
    }
    if found.is_empty() {
        let fault = Fault::new(codes::NO_FILE, format!("no file matches `{path}`"));
        return Err(Box::new(fault.path(path).at(handle).help(crate::input::nearby(path))));
    }
    Ok(found)
}

/// Whether a part of a path begins with a dot that its pattern does not ask for.
fn is_hidden(file: &str, pattern: &str) -> bool {
    let parts = file.rsplit('/').zip(pattern.rsplit('/'));
    parts.into_iter().any(|(part, pattern)| part.starts_with('.') && !pattern.starts_with('.'))
}

/// Only `*` and `?` mean something: brackets are themselves, and `**` is a `*`.
fn pattern(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        match c {
            '[' => out.push_str("[[]"),
            '*' if out.ends_with('*') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let folder = tempfile::tempdir().unwrap();
        let names =
            ["a.csv", "b.csv", "a.csv.gz", "part-1.csv", "part-10.csv", ".hidden.csv", "[1].csv", "1.csv"];
        names.iter().for_each(|name| std::fs::write(folder.path().join(name), "x").unwrap());
        let found = |pattern: &str| -> Vec<String> {
            let path = folder.path().join(pattern).to_string_lossy().into_owned();
            let files = expand(&path, None).unwrap_or_default();
            files.iter().map(|f| f.rsplit('/').next().unwrap().to_string()).collect()
        };
        assert_eq!(found("?.csv"), ["1.csv", "a.csv", "b.csv"]);
        assert_eq!(found("part-?.csv"), ["part-1.csv"]);
        assert_eq!(found("p**-*"), ["part-1.csv", "part-10.csv"]);
        assert_eq!(found("[1]*"), ["[1].csv"]);
        assert_eq!(found("*.gz"), ["a.csv.gz"]);
        assert_eq!(found("*hid*"), Vec::<String>::new());
        assert_eq!(found(".*.csv"), [".hidden.csv"]);
        assert!(found("*y").is_empty() && found("A*").is_empty());
        assert_eq!(found("a.csv"), ["a.csv"]);
    }
}
