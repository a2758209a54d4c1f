//! Passes by text: each file of `passes/` holds graphs and what [`passes::standard`] makes of them.
//!
//! A case is a title `## …`, the lines of a graph, a line `-->`, and the lines expected. Every case is also run
//! through the reference evaluator before and after, and the pass is applied twice.

mod common;

use nnc_graph::eval::evaluate;
use nnc_graph::{passes, text, verify};
use std::fs;

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(|l| l.split('#').next().unwrap_or("").trim()).filter(|l| !l.is_empty()).collect()
}

fn case(title: &str, from: &str, to: &str) {
    let graph = text::parse(from).unwrap_or_else(|e| panic!("{title}: {e}"));
    assert_eq!(verify(&graph), Ok(()), "{title}");
    let out = passes::standard(&graph);
    assert_eq!(verify(&out), Ok(()), "{title}");
    let printed = text::print(&out);
    assert_eq!(lines(&printed), lines(to), "{title}\n{printed}");
    assert!(out.len() <= graph.len(), "{title}: longer than before");
    assert_eq!(passes::standard(&out), out, "{title}: twice is not once");

    let bindings = common::bind(&graph, 1, (-2.0, 2.0), 3);
    let (before, after) = (evaluate(&graph, &bindings), evaluate(&out, &bindings));
    let (before, after) = (before.expect("all is bound"), after.expect("all is bound"));
    for (a, b) in graph.outputs().iter().zip(out.outputs()) {
        assert_eq!((a.kind, &a.name), (b.kind, &b.name), "{title}");
        let bits = |v: &nnc_graph::eval::Array| v.data.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&before[a.node.index()]), bits(&after[b.node.index()]), "{title}: {}", a.name);
    }
}

#[test]
fn passes_do_what_their_texts_say() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/passes");
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("the folder").map(|e| e.expect("an entry").path()).collect();
    paths.sort();
    let mut count = 0;
    for path in paths {
        let all = fs::read_to_string(&path).expect("a text");
        for part in all.split("\n## ").skip(1) {
            let (title, rest) = part.split_once('\n').expect("a title and a graph");
            let (from, to) = rest.split_once("-->").unwrap_or_else(|| panic!("{title}: no `-->`"));
            case(&format!("{}: {title}", path.display()), from, to);
            count += 1;
        }
    }
    assert!(count >= 10, "only {count} cases");
}
