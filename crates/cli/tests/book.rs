//! The book in `docs`: its reference is what `nnc explain` says, its contents name every page, and no link is dead.
//!
//! `NNC_UPDATE=1 cargo test -p nnc --test book` writes the reference anew.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The groups of `nnc explain` and their names: `layers` is `dense`, `conv`, ….
fn groups(list: &str) -> Vec<(String, Vec<String>)> {
    let mut out: Vec<(String, Vec<String>)> = Vec::new();
    for line in list.lines().skip_while(|l| !l.is_empty()) {
        match line.strip_prefix("  ") {
            Some(names) => out.last_mut().unwrap().1.extend(names.split_whitespace().map(str::to_string)),
            None if line.is_empty() => {}
            None => out.push((line.to_string(), Vec::new())),
        }
    }
    out
}

/// A page of the reference: every name with what `nnc explain` says of it.
fn page(place: &Place, title: &str, names: &[String]) -> String {
    let mut out = format!(
        "# {}{}\n\nWhat `nnc explain NAME` says of each; written by a test.\n",
        title[..1].to_uppercase(),
        &title[1..]
    );
    for name in names {
        let said = place.nnc(&["explain", name]).fine();
        let said = said.trim_end();
        let fence = if said.contains("```") { "````" } else { "```" };
        out.push_str(&format!("\n## {name}\n\n{fence}text\n{said}\n{fence}\n"));
    }
    out
}

#[test]
fn the_reference_is_what_the_program_says() {
    let place = Place::new();
    let folder = root().join("docs/reference");
    let mut wanted: Vec<(String, String)> = Vec::new();
    for (group, names) in groups(&place.nnc(&["explain"]).fine()) {
        if group == "diagnostics" {
            continue;
        }
        assert!(!names.is_empty(), "{group}");
        wanted.push((format!("{}.md", group.replace(' ', "-")), page(&place, &group, &names)));
    }
    assert!(wanted.len() > 9, "{wanted:?}");
    let mut codes: Vec<String> = Vec::new();
    for group in ["N01", "N02", "N03", "N04", "N05", "N06", "N07"] {
        let said = place.nnc(&["explain", group]).fine();
        codes
            .extend(said.lines().filter_map(|l| l.strip_prefix("  ")?.split(' ').next()).map(str::to_string));
    }
    assert!(codes.len() > 60, "{codes:?}");
    wanted.push(("diagnostics.md".into(), page(&place, "diagnostics", &codes)));
    let update = std::env::var_os("NNC_UPDATE").is_some();
    if update {
        std::fs::create_dir_all(&folder).unwrap();
    }
    for (name, text) in &wanted {
        let path = folder.join(name);
        if update {
            std::fs::write(&path, text).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        let line = kept.lines().zip(text.lines()).find(|(a, b)| a != b);
        assert!(kept == *text, "docs/reference/{name} is not what the program says: {line:?}");
    }
    let kept: BTreeSet<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(kept, wanted.into_iter().map(|(name, _)| name).collect());
}

/// The Markdown files below a folder, but for those that tools make.
fn markdown(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && !["target", "book", "runs"].contains(&name.as_str()) {
            markdown(&path, out);
        } else if name.ends_with(".md") {
            out.push(path);
        }
    }
}

#[test]
fn the_contents_name_every_page() {
    let docs = root().join("docs");
    let summary = std::fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let mut pages = Vec::new();
    markdown(&docs, &mut pages);
    for page in pages.iter().filter(|p| !p.ends_with("SUMMARY.md")) {
        let name = page.strip_prefix(&docs).unwrap().display().to_string();
        assert!(summary.contains(&format!("({name})")), "SUMMARY.md does not name {name}");
    }
}

/// What a heading is called in a link: as GitHub and mdBook make it.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let keep = text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    keep.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The text without blocks of code.
fn prose(text: &str) -> String {
    let mut inside = false;
    let lines = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn no_link_is_dead() {
    let mut files = Vec::new();
    markdown(&root(), &mut files);
    let (mut dead, mut links) = (Vec::new(), 0);
    for file in &files {
        let text = prose(&std::fs::read_to_string(file).unwrap());
        for rest in text.split("](").skip(1) {
            let link = rest.split([')', ' ']).next().unwrap();
            if link.contains("://") || link.starts_with("mailto:") || link.is_empty() {
                continue;
            }
            links += 1;
            let (path, place) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { file.clone() } else { file.parent().unwrap().join(path) };
            if !target.exists() {
                dead.push(format!("{}: {link}", file.display()));
            } else if !place.is_empty() && target.extension().is_some_and(|e| e == "md") {
                let there = std::fs::read_to_string(&target).unwrap();
                if !prose(&there).lines().any(|l| l.starts_with('#') && anchor(l) == place) {
                    dead.push(format!("{}: {link}", file.display()));
                }
            }
        }
    }
    assert!(links > 60 && dead.is_empty(), "{links} links, dead:\n{}", dead.join("\n"));
}
