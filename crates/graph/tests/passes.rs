//! Passes by text: `passes/NAME.txt` holds graphs and what the pass of that name makes of them.
//!
//! A case is a title `## …`, the lines of a graph, a line `-->`, and the lines expected, without what no result
//! depends on. Every case is also run
//! through the reference evaluator before and after, and the pass is applied twice. With `NNC_UPDATE=1` in the
//! environment what is expected is written anew; read the diff.

#![allow(clippy::print_stderr)]

mod common;

use nnc_graph::eval::evaluate;
use nnc_graph::passes::{ALL, Pass, sweep};
use nnc_graph::{text, verify};
use std::fs;
use std::path::Path;

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(|l| l.split('#').next().unwrap_or("").trim()).filter(|l| !l.is_empty()).collect()
}

/// What the pass makes of a graph, without what no result depends on, as lines; the laws of passes are checked on the way.
fn apply(title: &str, pass: Pass, from: &str) -> String {
    let graph = text::parse(from).unwrap_or_else(|e| panic!("{title}: {e}"));
    assert_eq!(verify(&graph), Ok(()), "{title}");
    let out = pass(&graph);
    assert_eq!(verify(&out), Ok(()), "{title}");
    assert_eq!(pass(&out), out, "{title}: twice is not once");
    let out = sweep(&out);
    let longer = out.len() > sweep(&graph).len();
    assert!(!longer || title.contains("unroll"), "{title}: longer than before");

    let bindings = common::bind(&graph, 1, (-2.0, 2.0), 3);
    let (before, after) = (evaluate(&graph, &bindings), evaluate(&out, &bindings));
    let (before, after) = (before.expect("all is bound"), after.expect("all is bound"));
    assert_eq!(graph.outputs().len(), out.outputs().len(), "{title}");
    for (a, b) in graph.outputs().iter().zip(out.outputs()) {
        assert_eq!((a.kind, &a.name), (b.kind, &b.name), "{title}");
        let bits = |v: &nnc_graph::eval::Array| v.data.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&before[a.node.index()]), bits(&after[b.node.index()]), "{title}: {}", a.name);
    }
    lines(&text::print(&out)).join("\n")
}

/// Runs the cases of one file; the number of those whose text is another.
fn file(path: &Path, pass: Pass) -> usize {
    let all = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut parts = all.split("\n## ");
    let mut new = parts.next().unwrap_or("").trim_end().to_string();
    let (mut count, mut other) = (0, 0);
    for part in parts {
        let (title, rest) = part.split_once('\n').expect("a title and a graph");
        let (from, expected) = rest.split_once("-->").unwrap_or((rest, ""));
        let found = apply(&format!("{}: {title}", path.display()), pass, from);
        if found != lines(expected).join("\n") {
            eprintln!("{}: {title}\n{found}\n", path.display());
            other += 1;
        }
        new += &format!("\n\n## {title}\n{}\n-->\n{found}", lines(from).join("\n"));
        count += 1;
    }
    assert!(count > 0, "{}: no case", path.display());
    if other > 0 && std::env::var_os("NNC_UPDATE").is_some() {
        fs::write(path, new + "\n").expect("the file is written");
        return 0;
    }
    other
}

#[test]
fn passes_do_what_their_texts_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/passes");
    for entry in fs::read_dir(&folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|n| n.to_str()).expect("a name");
        assert!(ALL.iter().any(|p| p.0 == name), "{} is for no pass", path.display());
    }
    let other: usize = ALL.iter().map(|(name, pass)| file(&folder.join(format!("{name}.txt")), *pass)).sum();
    assert_eq!(other, 0, "NNC_UPDATE=1 writes what was found");
}
