//! Every diagnostic has a page, `crates/cli/docs/codes`, whose programs do what it says; so has every statement.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;
use nnc_syntax::Code;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What stands between ```` ``` ````.
#[derive(Debug)]
struct Block {
    info: Vec<String>,
    text: String,
}

impl Block {
    fn has(&self, word: &str) -> bool {
        self.info.iter().any(|w| w == word)
    }
}

/// The sections of a file: heading and blocks.
fn sections(path: &Path) -> Vec<(String, Vec<Block>)> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut out: Vec<(String, Vec<Block>)> = Vec::new();
    let mut open: Option<Block> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```"), line.strip_prefix("## ")) {
            (None, Some(info), _) => {
                let info = info.split(' ').map(String::from).collect();
                open = Some(Block { info, text: String::new() });
            }
            (Some(_), Some(_), _) => out.last_mut().unwrap().1.extend(open.take()),
            (Some(block), None, _) => block.text += &format!("{line}\n"),
            (None, None, Some(head)) => out.push((head.to_string(), Vec::new())),
            (None, None, None) => {}
        }
    }
    assert!(open.is_none(), "a block of {path:?} has no end");
    out
}

fn code_files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(root().join("crates/cli/docs/codes")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

/// A short program with the data and the loss that the pages leave out.
fn whole(block: &Block) -> String {
    let begins = |word: &str| {
        block.text.split(['\n', ';']).any(|line| line.trim_start().starts_with(&format!("{word} ")))
    };
    let mut text = block.text.clone();
    if block.has("whole") {
        return text;
    }
    if !begins("data") {
        text = format!("data {{ 0 0 -> 0; 0 1 -> 1; 1 0 -> 1; 1 1 -> 0 }}\n{text}");
    }
    if !begins("loss") {
        text += "loss mse\n";
    }
    text
}

/// Runs the blocks of a section in a folder of its own: what each of its programs and commands said.
fn run(blocks: &[Block]) -> Vec<(bool, i32, String)> {
    let place = Place::new();
    let mut out = Vec::new();
    for block in blocks {
        let file = block.info.iter().skip(1).find(|w| w.contains('.'));
        if let Some(file) = file {
            place.write(file, &block.text);
            continue;
        }
        let wrong = block.has("wrong");
        let mut args: Vec<String> = Vec::new();
        let mut ran = Vec::new();
        match block.info[0].as_str() {
            "nn" => {
                place.write("p.nn", &whole(block));
                let command = if block.has("train") { ["train", "-q"] } else { ["check", "p.nn"] };
                args.extend(command.map(String::from));
                if block.has("train") {
                    args.push("p.nn".into());
                }
                for word in &block.info {
                    args.extend(word.strip_prefix("as=").map(|name| format!("--as={name}")));
                }
                ran.push(args);
            }
            "sh" => {
                for command in block.text.trim().split(" && ") {
                    let words = command.strip_prefix("nnc ").unwrap().split(' ');
                    ran.push(words.map(String::from).collect());
                }
            }
            _ => continue,
        }
        let (mut code, mut said) = (0, String::new());
        for args in ran {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let ran = place.nnc(&args);
            code = ran.code;
            said += &ran.err;
        }
        out.push((wrong, code, said));
    }
    out
}

#[test]
fn every_code_has_its_page() {
    let pages: Vec<String> = code_files().iter().flat_map(|f| sections(f)).map(|(head, _)| head).collect();
    let table: Vec<String> = Code::ALL.iter().map(|code| format!("{code}: {}", code.title())).collect();
    assert_eq!(pages, table, "docs/codes has the codes of crates/syntax/src/code.rs, in their order");
    let place = Place::new();
    for code in Code::ALL {
        let page = place.nnc(&["explain", code.name()]).fine();
        assert!(page.starts_with(&format!("{code}: ")) && page.lines().count() > 2, "{page}");
    }
}

/// Codes whose programs are too long for a page, or that take more than a program: the test that brings them about.
const ELSEWHERE: [(Code, &str); 9] = [
    (Code::N0107, "crates/syntax/tests/limits.rs"),
    (Code::N0111, "crates/syntax/tests/mistakes.rs"),
    (Code::N0112, "crates/syntax/tests/mistakes.rs"),
    (Code::N0509, "crates/data/tests/large.rs"),
    (Code::N0552, "crates/data/tests/describe.rs"),
    (Code::N0553, "crates/data/tests/describe.rs"),
    (Code::N0554, "crates/data/tests/describe.rs"),
    (Code::N0703, "crates/cli/tests/commands.rs"),
    // What never happens has no program.
    (Code::N0901, "crates/syntax/src/code.rs"),
];

#[test]
fn every_code_has_a_program() {
    let mut with: BTreeSet<String> = code_files()
        .iter()
        .flat_map(|f| sections(f))
        .filter(|(_, blocks)| blocks.iter().any(|b| b.has("wrong")))
        .map(|(head, _)| head[..5].to_string())
        .collect();
    for entry in std::fs::read_dir(root().join("specs/language")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let said =
            text.lines().filter_map(|line| line.strip_suffix(']')?.rsplit_once('[')).map(|(_, code)| code);
        with.extend(said.map(String::from));
    }
    let without: Vec<Code> = Code::ALL.iter().copied().filter(|c| !with.contains(c.name())).collect();
    assert_eq!(without, ELSEWHERE.map(|(code, _)| code));
    for (code, file) in ELSEWHERE {
        assert!(
            std::fs::read_to_string(root().join(file)).unwrap().contains(code.name()),
            "{code} in {file}"
        );
    }
}

#[test]
fn every_code_is_said_somewhere() {
    let mut said = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        find_codes(&entry.unwrap().path().join("src"), &mut said);
    }
    let dead: Vec<&Code> = Code::ALL.iter().filter(|code| !said.contains(code.name())).collect();
    assert!(dead.is_empty(), "nothing says {dead:?}");
}

/// The codes that stand in the sources, but for those of tests.
fn find_codes(folder: &Path, out: &mut BTreeSet<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.map(|e| e.unwrap().path()) {
        if path.is_dir() {
            find_codes(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            out.extend(text.split("Code::N").skip(1).filter_map(|rest| Some(format!("N{}", rest.get(..4)?))));
        }
    }
}

#[test]
fn the_pages_of_codes_are_true() {
    let mut wrong = Vec::new();
    for (head, blocks) in code_files().iter().flat_map(|f| sections(f)) {
        let code = head.split(':').next().unwrap();
        for (is_wrong, exit, said) in run(&blocks) {
            let told = said.contains(&format!("[{code}]"));
            if is_wrong != told || (!is_wrong && exit != 0) {
                let what = if is_wrong { "does not say it" } else { "is not mended" };
                wrong.push(format!("## {head}: {what} (exit {exit}):\n{said}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_pages_of_statements_are_true() {
    let mut wrong = Vec::new();
    for (head, blocks) in sections(&root().join("crates/cli/docs/statements.md")) {
        assert!(!blocks.is_empty(), "{head} has no example");
        for (_, exit, said) in run(&blocks) {
            if exit != 0 {
                wrong.push(format!("## {head} (exit {exit}):\n{said}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
