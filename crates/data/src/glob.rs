//! `part-*.csv`: several files by one path.

use std::path::{Path, PathBuf};

use crate::fault::{Fault, codes};
use crate::spec::Handle;

/// More files than this are not one source.
const MOST_FILES: usize = 100_000;

/// The files a path means, sorted: itself, or those its `*` and `?` match.
/// A file that is really called so comes first.
pub(crate) fn expand(path: &str, handle: Option<Handle>) -> Result<Vec<String>, Box<Fault>> {
    if !path.contains(['*', '?']) || Path::new(path).exists() {
        return Ok(vec![path.to_string()]);
    }
    let (root, rest) = match path.strip_prefix('/') {
        Some(rest) => (PathBuf::from("/"), rest),
        None => (PathBuf::new(), path),
    };
    let mut found = vec![root];
    for part in rest.split('/') {
        found = found.into_iter().flat_map(|folder| step(&folder, part)).collect();
        if found.len() > MOST_FILES {
            let message = format!("`{path}` matches more than {MOST_FILES} files");
            return Err(Box::new(Fault::new(codes::TOO_BIG, message).path(path).at(handle)));
        }
    }
    let found: Vec<String> =
        found.into_iter().filter(|p| p.is_file()).map(|p| p.to_string_lossy().into_owned()).collect();
    if found.is_empty() {
        let fault = Fault::new(codes::NO_FILE, format!("no file matches `{path}`"));
        return Err(Box::new(fault.path(path).at(handle).help(crate::input::nearby(path))));
    }
    Ok(found)
}

/// What one part of a path means in a folder.
fn step(folder: &Path, part: &str) -> Vec<PathBuf> {
    if !part.contains(['*', '?']) {
        let next = folder.join(part);
        return if next.exists() { vec![next] } else { Vec::new() };
    }
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = std::fs::read_dir(here) else { return Vec::new() };
    let names = entries.filter_map(|e| e.ok()?.file_name().into_string().ok());
    // Hidden files are asked for by their dot.
    let shown = |n: &String| part.starts_with('.') || !n.starts_with('.');
    let mut names: Vec<String> = names.filter(shown).filter(|n| matches(part, n)).collect();
    names.sort();
    names.into_iter().map(|n| folder.join(n)).collect()
}

/// Whether a pattern of `*` and `?` matches a whole name.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where to go on when what follows the last `*` does not match.
    let mut back: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                back = Some((p + 1, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((after, at)) = back else { return false };
                back = Some((after, at + 1));
                (p, n) = (after, at + 1);
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("*.csv", "a.csv", true),
            ("*.csv", "a.csv.gz", false),
            ("part-?.csv", "part-1.csv", true),
            ("part-?.csv", "part-10.csv", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "acb", false),
            ("*", "", true),
            ("?", "", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
