//! The house rules, held against the whole repository.

#![allow(clippy::unwrap_used)]

use nnc_tidy::{Source, circles, code, crates, root, sources, uses, without_tests};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Files over 600 lines, and why they are one thing.
const LONG: [(&str, &str); 0] = [];
const MOST_LINES: usize = 600;

/// Files of a crate that use each other in a circle: so many at most. The numbers only fall.
const IN_CIRCLES: [(&str, usize); 2] = [("data", 2), ("syntax", 7)];

fn all() -> Vec<Source> {
    sources("crates")
}

/// The crates of a `Cargo.toml` that are ours, by their folder.
fn dependencies(name: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).unwrap();
    let section = text.split("\n[dependencies]\n").nth(1).unwrap_or("");
    let section = section.split("\n[").next().unwrap_or("");
    let ours = section.lines().filter_map(|line| line.strip_prefix("nnc-"));
    ours.map(|line| line.split(['.', ' ', '=']).next().unwrap().to_string()).collect()
}

/// The table "Where things are" of ARCHITECTURE.md: a crate and those it uses.
fn layers() -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `crates/"));
    let rows: Vec<(String, String)> = rows
        .map(|row| {
            let cells: Vec<&str> = row.trim_end_matches([' ', '|']).split('|').collect();
            (cells[0].trim().trim_end_matches('`').to_string(), cells.last().unwrap().trim().to_string())
        })
        .collect();
    let names: Vec<String> = rows.iter().map(|(name, _)| name.clone()).collect();
    rows.into_iter()
        .map(|(name, uses)| {
            let uses = match uses.as_str() {
                "–" => Vec::new(),
                "all" => names.iter().filter(|n| **n != name).cloned().collect(),
                list => list.split(',').map(|n| n.trim().trim_matches('`').to_string()).collect(),
            };
            (name, uses)
        })
        .collect()
}

#[test]
fn crates_use_those_below_them() {
    let layers = layers();
    assert_eq!(layers.keys().cloned().collect::<Vec<_>>(), crates(), "ARCHITECTURE.md names every crate");
    for (name, uses) in &layers {
        // What the crates below use may be used too.
        let mut may: BTreeSet<&String> = BTreeSet::new();
        let mut open: Vec<&String> = uses.iter().collect();
        while let Some(next) = open.pop() {
            if may.insert(next) {
                open.extend(
                    layers.get(next).unwrap_or_else(|| panic!("`{name}` uses `{next}`, which is no crate")),
                );
            }
        }
        assert!(!may.contains(name), "`{name}` uses itself");
        let used = dependencies(name);
        let wrong: Vec<&String> = used.iter().filter(|n| !may.contains(n)).collect();
        assert!(wrong.is_empty(), "ARCHITECTURE.md does not let `{name}` use {wrong:?}");
        let idle: Vec<&String> =
            uses.iter().filter(|n| !used.contains(*n) && layers[name].len() < 6).collect();
        assert!(idle.is_empty(), "`{name}` does not use {idle:?}, as ARCHITECTURE.md says");
    }
}

#[test]
fn files_are_short_or_have_a_reason() {
    let long: BTreeMap<String, usize> = all()
        .iter()
        .map(|s| (s.path.clone(), s.text.lines().count()))
        .filter(|(_, lines)| *lines > MOST_LINES)
        .collect();
    let without: Vec<_> = long.iter().filter(|(path, _)| !LONG.iter().any(|(p, _)| p == path)).collect();
    assert!(without.is_empty(), "split along seams that mean something, or say why not in LONG: {without:?}");
    let gone: Vec<_> = LONG.iter().filter(|(path, _)| !long.contains_key(*path)).collect();
    assert!(gone.is_empty(), "no longer long: {gone:?}");
}

#[test]
fn files_do_not_use_each_other_in_circles() {
    let mut wrong = Vec::new();
    for name in crates() {
        let most = IN_CIRCLES.iter().find(|(n, _)| *n == name).map_or(0, |(_, most)| *most);
        let circles = circles(&uses(&name));
        let count = circles.iter().map(Vec::len).sum::<usize>();
        if count > most {
            wrong.push(format!("{name}: {count} files, IN_CIRCLES allows {most}: {circles:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_stands_in_kernels_with_its_reason() {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut wrong = Vec::new();
    for source in all() {
        let lines: Vec<&str> = source.text.lines().collect();
        for (at, line) in source.code.lines().enumerate() {
            let words: Vec<&str> = line.split(|c| !is_word(c)).collect();
            if !words.contains(&"unsafe") {
                continue;
            }
            let place = format!("{}:{}: {}", source.path, at + 1, lines[at].trim());
            // An allocator that counts is how a test sees allocations.
            let here = source.path.starts_with("crates/kernels/")
                || source.path == "crates/engine/tests/allocation.rs";
            // The reason stands above, with the doc comment of a function or the block's own; a type needs none.
            let above = lines[..at].iter().rev().take(12).take_while(|l| !l.trim().is_empty());
            let reason = above.chain([&lines[at]]).any(|l| l.contains("SAFETY") || l.contains("# Safety"));
            let declares = words.windows(2).any(|w| w == ["unsafe", "fn"] || w == ["unsafe", "trait"]);
            if !here || !(reason || declares) {
                wrong.push(place);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_left_for_later() {
    let mut wrong = Vec::new();
    for source in all() {
        for (at, line) in source.code.lines().enumerate() {
            if ["todo!(", "dbg!(", "unimplemented!("].iter().any(|word| line.contains(word)) {
                wrong.push(format!("{}:{}", source.path, at + 1));
            }
        }
        for (at, line) in source.text.lines().enumerate() {
            if line.trim_start().starts_with("//")
                && ["TODO", "FIXME", "XXX"].iter().any(|word| line.contains(word))
            {
                wrong.push(format!("{}:{}", source.path, at + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn codes_of_diagnostics_come_from_their_table() {
    let mut wrong = Vec::new();
    for source in all().iter().filter(|s| s.path.contains("/src/")) {
        let text = without_tests(&source.text);
        for (at, _) in text.match_indices("\"N0") {
            let rest = &text[at + 1..];
            if rest.get(5..6) == Some("\"") && rest[1..5].bytes().all(|b| b.is_ascii_digit()) {
                wrong.push(format!("{}: {}", source.path, &rest[..5]));
            }
        }
    }
    assert!(wrong.is_empty(), "`Code::N0201` instead: {wrong:?}");
}

/// A package holds what lies in its folder, and no more.
#[test]
fn crates_include_only_files_of_their_own() {
    let mut wrong = Vec::new();
    for source in all().iter().filter(|s| s.path.contains("/src/")) {
        let depth = source.path.split("/src/").nth(1).unwrap().matches('/').count() + 1;
        for word in ["include_str!(\"", "include_bytes!(\"", "#[path = \""] {
            for rest in source.text.split(word).skip(1) {
                let path = rest.split('"').next().unwrap();
                if path.matches("../").count() > depth {
                    wrong.push(format!("{}: {path}", source.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn comments_and_strings_are_no_code() {
    assert_eq!(code("a // b\nc"), "a     \nc");
    assert_eq!(code("a /* b\n */ c"), "a     \n    c");
    assert_eq!(code(r#"f("x\"y", 'a', '\'', b)"#), "f(      ,    ,     , b)");
    assert_eq!(code("r#\"a\"b\"# 'a: x<'a>"), "         'a: x<'a>");
}

#[test]
fn circles_are_found() {
    let uses = |list: &[(&str, &[&str])]| -> BTreeMap<String, BTreeSet<String>> {
        list.iter().map(|(a, b)| (a.to_string(), b.iter().map(ToString::to_string).collect())).collect()
    };
    let graph = uses(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"]), ("d", &[])]);
    assert_eq!(circles(&graph), [["b", "c"]]);
}
