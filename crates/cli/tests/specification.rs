//! The language's specification, `specs/language/*.md`, is its test: programs, commands, and what they say. So are the
//! tutorials, `docs/tutorial-*.md`.
//!
//! Every section (from one heading to the next) has a folder of its own; a tutorial has one for all of it. A block ```` ```nn name.nn ```` writes a
//! program there (`net.nn` when it has no name), any other block with a file's name writes that file. A block
//! ```` ```console ```` runs its lines that begin with `$ nnc`, and compares what follows with what the command
//! says: the conversation (stderr), then the result (stdout), then `exit code N` when that is not 0. `…` stands for
//! anything on its line, and alone on a line for any number of lines. A program that no command names is checked
//! and must be without mistakes.
//!
//! `NNC_UPDATE=1 cargo test --release -p nnc --test specification` rewrites what does not match; read the diff.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Place, Ran};
use nnc_syntax::Code;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs/language")
}

/// The tutorials, by name.
fn tutorials() -> Vec<(String, PathBuf)> {
    let docs = folder().join("../../docs");
    let mut out: Vec<(String, PathBuf)> = std::fs::read_dir(docs)
        .unwrap()
        .map(|e| e.unwrap().path())
        .map(|p| (p.file_name().unwrap().to_string_lossy().into_owned(), p))
        .filter(|(name, _)| name.starts_with("tutorial-") && name.ends_with(".md"))
        .collect();
    out.sort();
    out
}

/// The chapters, by name.
fn chapters() -> Vec<(String, PathBuf)> {
    let mut out: Vec<(String, PathBuf)> = std::fs::read_dir(folder())
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "md"))
        .map(|p| (p.file_name().unwrap().to_string_lossy().into_owned(), p))
        .collect();
    out.sort();
    out
}

/// Whether a line of an expectation, with `…` for anything, is this line.
fn line_matches(wanted: &str, found: &str) -> bool {
    let mut parts = wanted.split('…');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = found.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// As [`line_matches`], for several; a line of `…` alone is any number of lines.
fn matches(wanted: &[&str], found: &[&str]) -> bool {
    match wanted.split_first() {
        None => found.is_empty(),
        Some((&"…", rest)) => (0..=found.len()).any(|n| matches(rest, &found[n..])),
        Some((line, rest)) => {
            found.first().is_some_and(|f| line_matches(line, f)) && matches(rest, &found[1..])
        }
    }
}

/// What a command said, as the specification shows it.
fn said(ran: &Ran) -> String {
    let mut out = format!("{}{}", ran.err, ran.out);
    if ran.code != 0 {
        out.push_str(&format!("exit code {}\n", ran.code));
    }
    let lines: Vec<&str> = out.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_string()
}

/// The words of a command line; quotes hold blanks together.
fn words(line: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ') => out.push(String::new()),
            (_, c) => out.last_mut().unwrap().push(c),
        }
    }
    out.retain(|w| !w.is_empty());
    out
}

/// What a chapter's commands say.
struct Chapter {
    name: String,
    place: Place,
    /// The text with what was really said.
    text: String,
    failures: Vec<String>,
    /// Programs that no command has named yet, with their lines.
    unnamed: Vec<(String, usize)>,
}

impl Chapter {
    fn run(name: &str, text: &str) -> Self {
        let mut chapter = Self {
            name: name.into(),
            place: Place::new(),
            text: String::new(),
            failures: Vec::new(),
            unnamed: Vec::new(),
        };
        let whole = name.starts_with("tutorial-");
        let mut lines = text.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            if line.starts_with('#') && !whole {
                chapter.end_of_section();
                chapter.place = Place::new();
            }
            chapter.line(line);
            let Some(info) = line.strip_prefix("```") else { continue };
            let body: Vec<&str> = lines.by_ref().map(|(_, l)| l).take_while(|l| *l != "```").collect();
            let mut words = info.split_whitespace();
            match (words.next(), words.next()) {
                (Some("console"), None) => chapter.console(&body, number + 1),
                (Some("nn"), None) => chapter.program("net.nn", &body, number + 1),
                (Some("nn"), Some(name)) => chapter.program(name, &body, number + 1),
                (Some(_), Some(name)) => {
                    chapter.place.write(name, &format!("{}\n", body.join("\n")));
                    body.iter().for_each(|l| chapter.line(l));
                }
                _ => body.iter().for_each(|l| chapter.line(l)),
            }
            chapter.line("```");
        }
        chapter.end_of_section();
        chapter
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn program(&mut self, name: &str, body: &[&str], number: usize) {
        if self.unnamed.iter().any(|(n, _)| n == name) {
            self.end_of_section();
        }
        self.place.write(name, &format!("{}\n", body.join("\n")));
        self.unnamed.push((name.into(), number));
        body.iter().for_each(|l| self.line(l));
    }

    /// Programs that were shown without a command are right.
    fn end_of_section(&mut self) {
        for (program, number) in std::mem::take(&mut self.unnamed) {
            let ran = self.place.nnc(&["check", &program]);
            if ran.code != 0 {
                let said = said(&ran);
                self.failures.push(format!("{}:{number}: `{program}` is wrong:\n{said}", self.name));
            }
        }
    }

    fn console(&mut self, body: &[&str], number: usize) {
        let mut at = 0;
        while at < body.len() {
            let command = body[at];
            self.line(command);
            at += 1;
            let end = body[at..].iter().position(|l| l.starts_with("$ ")).map_or(body.len(), |n| at + n);
            let wanted = &body[at..end];
            let place = format!("{}:{}", self.name, number + at);
            at = end;
            let Some(arguments) = command.strip_prefix("$ nnc ") else {
                self.failures.push(format!("{place}: a command begins with `$ nnc`, not `{command}`"));
                continue;
            };
            let args = words(arguments);
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            self.unnamed.retain(|(name, _)| !args.contains(&name.as_str()));
            let found = said(&self.place.nnc(&args));
            let lines: Vec<&str> = found.lines().collect();
            if found.contains("panicked") {
                self.failures.push(format!("{place}: {command} panics:\n{found}"));
            }
            if matches(wanted, &lines) {
                wanted.iter().for_each(|l| self.line(l));
            } else {
                let wanted = wanted.join("\n");
                self.failures.push(format!("{place}: {command}\n--- wanted\n{wanted}\n--- found\n{found}"));
                lines.iter().for_each(|l| self.line(l));
            }
        }
    }
}

#[test]
fn the_programs_of_the_specification_do_what_it_says() {
    let update = std::env::var_os("NNC_UPDATE").is_some();
    let only = std::env::var("NNC_CHAPTER").unwrap_or_default();
    let chapters: Vec<(String, PathBuf)> =
        chapters().into_iter().chain(tutorials()).filter(|(n, _)| n.contains(&only)).collect();
    assert!(!chapters.is_empty());
    let results: Vec<(PathBuf, String, Chapter)> = std::thread::scope(|scope| {
        let running: Vec<_> = chapters
            .iter()
            .map(|(name, path)| {
                scope.spawn(move || {
                    let text = std::fs::read_to_string(path).unwrap();
                    let chapter = Chapter::run(name, &text);
                    (path.clone(), text, chapter)
                })
            })
            .collect();
        running.into_iter().map(|r| r.join().unwrap()).collect()
    });
    let mut failures = Vec::new();
    for (path, text, chapter) in results {
        if update && chapter.text != text {
            std::fs::write(&path, &chapter.text).unwrap();
        }
        failures.extend(chapter.failures);
    }
    if update {
        failures.retain(|f| !f.contains("--- wanted"));
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n\n"));
}

#[test]
fn every_diagnostic_code_stands_in_the_specification() {
    let text: String = chapters().iter().map(|(_, p)| std::fs::read_to_string(p).unwrap()).collect();
    let missing: Vec<&Code> = Code::ALL.iter().filter(|code| !text.contains(code.name())).collect();
    assert!(missing.is_empty(), "no chapter shows {missing:?}");
}

#[test]
fn expectations_match_as_their_head_says() {
    assert!(line_matches("a … c", "a b c") && line_matches("a…", "a") && line_matches("a", "a"));
    assert!(!line_matches("a … c", "a b") && !line_matches("a", "ab") && !line_matches("…a…b", "ba"));
    assert!(matches(&["a", "…", "d"], &["a", "b", "c", "d"]) && matches(&["…"], &[]));
    assert!(!matches(&["a"], &["a", "b"]) && !matches(&[], &["a"]));
    assert_eq!(
        words("train -e 'dense 1; loss mse' --set a=1"),
        ["train", "-e", "dense 1; loss mse", "--set", "a=1"]
    );
}
