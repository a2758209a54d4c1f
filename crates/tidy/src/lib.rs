//! Reads the repository's own sources, for the tests that hold the house rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A source of Rust.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path from the repository's root, with `/`.
    pub path: String,
    /// What stands in it.
    pub text: String,
    /// The same with comments and the contents of strings blanked out; lines stay lines.
    pub code: String,
}

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The names of the folders in `crates`, sorted.
pub fn crates() -> Vec<String> {
    let mut out: Vec<String> = list(&root().join("crates"))
        .into_iter()
        .filter(|path| path.join("Cargo.toml").is_file())
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_string()))
        .collect();
    out.sort();
    out
}

/// All sources below a folder of the repository, sorted by path.
pub fn sources(folder: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    below(&root().join(folder), &mut paths);
    let root = root();
    let mut out: Vec<Source> = paths
        .into_iter()
        .filter_map(|path| {
            let text = fs::read_to_string(&path).ok()?;
            let path = path.strip_prefix(&root).ok()?.to_string_lossy().replace('\\', "/");
            Some(Source { path, code: code(&text), text })
        })
        .collect();
    out.sort_by(|a, b| a.path.cmp(&b.path));
    out
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).collect()
}

fn below(folder: &Path, out: &mut Vec<PathBuf>) {
    for path in list(folder) {
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            below(&path, out);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            out.push(path);
        }
    }
}

/// Rust without comments and without what stands in strings, in the same lines.
pub fn code(text: &str) -> String {
    let bytes: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = at + skipped(rest, out.chars().next_back()).max(1);
        match end - at {
            1 => out.push(bytes[at]),
            _ => out.extend(bytes[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' })),
        }
        at = end;
    }
    out
}

/// How many characters of a comment, string or character begin here; 0 where none does.
fn skipped(rest: &[char], before: Option<char>) -> usize {
    let until = |from: usize, end: &[char]| {
        rest[from..].windows(end.len()).position(|w| w == end).map_or(rest.len(), |at| from + at + end.len())
    };
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    match rest {
        ['/', '/', ..] => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => until(2, &['*', '/']),
        ['r', '"' | '#', ..] if !in_word => {
            let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
            if rest.get(1 + hashes) != Some(&'"') {
                return 0;
            }
            let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            until(2 + hashes, &end)
        }
        ['"', ..] => {
            let mut at = 1;
            while rest.get(at).is_some_and(|c| *c != '"') {
                at += if rest[at] == '\\' { 2 } else { 1 };
            }
            (at + 1).min(rest.len())
        }
        // A character, not a lifetime.
        ['\'', '\\', _, ..] => until(3, &['\'']),
        ['\'', _, '\'', ..] => 3,
        _ => 0,
    }
}

/// The part of a source that is no test of its own.
pub fn without_tests(code: &str) -> &str {
    code.split("#[cfg(test)]").next().unwrap_or(code)
}

/// Which files of a crate use which, by the paths (`crate::a::b`, `super::c`) that stand in them. Files are named by
/// their modules, `a/b`; the crate's root and the modules around a file are left out.
pub fn uses(name: &str) -> BTreeMap<String, BTreeSet<String>> {
    let folder = format!("crates/{name}/src/");
    let files: BTreeMap<String, String> = sources(&folder)
        .into_iter()
        .map(|s| {
            let path = s.path.trim_start_matches(&folder).trim_end_matches(".rs");
            (path.trim_end_matches("/mod").to_string(), without_tests(&s.code).to_string())
        })
        .filter(|(module, _)| !["lib", "main"].contains(&module.as_str()))
        .collect();
    let mut out = BTreeMap::new();
    for (module, code) in &files {
        let mut used = BTreeSet::new();
        for path in paths(code) {
            let mut parts: Vec<&str> = path.split("::").collect();
            let mut from: Vec<&str> = match parts.remove(0) {
                "crate" => Vec::new(),
                _ => module.split('/').collect::<Vec<_>>()[..module.matches('/').count()].to_vec(),
            };
            while parts.first() == Some(&"super") {
                parts.remove(0);
                from.pop();
            }
            from.extend(parts);
            let found = (1..=from.len()).rev().map(|n| from[..n].join("/")).find(|m| files.contains_key(m));
            let around = |m: &String| m == module || module.starts_with(&format!("{m}/"));
            used.extend(found.filter(|m| !around(m)));
        }
        out.insert(module.clone(), used);
    }
    out
}

/// The paths that begin with `crate` or `super`, those of a list each on its own.
fn paths(code: &str) -> Vec<String> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut out = Vec::new();
    for begin in ["crate::", "super::"] {
        for (at, _) in code.match_indices(begin) {
            if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let end = code[at..].find(|c| !is_path(c)).map_or(code.len(), |n| at + n);
            let head = code[at..end].trim_end_matches(':');
            if !code[end..].starts_with('{') {
                out.push(head.to_string());
                continue;
            }
            let list = code[end..].split(';').next().unwrap_or("");
            let words = list.split(|c| !is_path(c)).filter(|word| !word.is_empty());
            out.extend(words.map(|word| format!("{head}::{word}")));
        }
    }
    out
}

/// The groups of files that use each other in a circle, each sorted.
pub fn circles(uses: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reach: BTreeMap<&String, BTreeSet<&String>> = uses
        .keys()
        .map(|from| {
            let mut seen = BTreeSet::new();
            let mut open: Vec<&String> = uses[from].iter().collect();
            while let Some(next) = open.pop() {
                if seen.insert(next) {
                    open.extend(uses.get(next).into_iter().flatten());
                }
            }
            (from, seen)
        })
        .collect();
    let mut out: Vec<Vec<String>> = Vec::new();
    for file in uses.keys().filter(|file| reach[file].contains(file)) {
        if out.iter().flatten().any(|other| other == file) {
            continue;
        }
        let both = |other: &&String| {
            reach[file].contains(other) && reach.get(other).is_some_and(|r| r.contains(file))
        };
        out.push(uses.keys().filter(both).cloned().collect());
    }
    out
}
