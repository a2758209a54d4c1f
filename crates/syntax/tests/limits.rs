//! No text makes the parser slow or lets it run out of stack: not by nesting, not by length.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

const MANY: usize = 20_000;

/// Far more than is needed, even by a busy machine without optimization; far less than anything quadratic.
const LIMIT: Duration = Duration::from_secs(20);

/// Parses and drops `text`; returns the codes of its diagnostics.
fn codes(text: &str) -> Vec<&'static str> {
    let start = Instant::now();
    let (parsed, _) = common::read(text);
    let codes = parsed.diagnostics.iter().map(|d| d.code.name()).collect();
    drop(parsed);
    assert!(start.elapsed() < LIMIT, "{:?} for {:.40}", start.elapsed(), text);
    codes
}

#[test]
fn deep_nesting_is_a_diagnostic() {
    let wrap = |open: &str, middle: &str, close: &str| open.repeat(MANY) + middle + &close.repeat(MANY);
    for text in [
        wrap("(", "x", ")"),
        wrap("[", "x", "]"),
        wrap("f(", "x", ")"),
        wrap("x[", "x", "]"),
        wrap("(", "x", ")+x"),
        wrap("repeat 2 { ", "relu", " }"),
        wrap("if a { relu } else { ", "relu", " }"),
        wrap("(scan x in y { ", "relu", " })"),
        wrap("y = -", "x", ""),
        wrap("not ", "x", ""),
        wrap("- ", "x", ""),
        wrap("x ^ ", "x", ""),
        wrap("x^-", "x", ""),
        wrap("x + ", "x", ""),
        wrap("a and ", "x", ""),
        wrap("if a then b else ", "x", ""),
        wrap("if a then ", "x", " else b"),
        wrap("if a { b } else ", "{ c }", ""),
        wrap("", "f", "(x)"),
        wrap("", "f", "[0]"),
        wrap("", "f", ".g"),
        wrap("(-", "x", ")"),
        wrap("dense (", "x", ")"),
        wrap("dense x=(", "x", ")"),
        format!("data {{ a={} }}", wrap("[", "x", "]")),
        format!("data {{ a={} }}", wrap("[-", "x", "]")),
        format!("data {{ 1 }}; data a={}", wrap("[f(", "x", ")]")),
    ] {
        let found = codes(&text);
        assert!(!found.is_empty(), "{text:.40}");
        assert!(
            found.iter().all(|code| ["N0107", "N0101", "N0105"].contains(code)),
            "{found:?} for {text:.40}"
        );
    }
}

#[test]
fn a_hundred_thousand_of_anything() {
    for piece in ["(", "- ", "not ", "x ^ ", "if a { b } else ", "{ "] {
        let found = codes(&(piece.repeat(100_000) + "x"));
        assert!(!found.is_empty() && found.len() <= 201, "{} for {piece}", found.len());
    }
}

#[test]
fn as_deep_as_allowed_is_fine() {
    for text in deep_but_allowed() {
        assert_eq!(codes(&text), Vec::<&str>::new(), "{text}");
    }
}

/// The tree is also walked by others: it must be safe for half the stack that threads usually get.
#[test]
fn the_deepest_tree_fits_a_small_stack() {
    for text in deep_but_allowed() {
        let thread = std::thread::Builder::new().stack_size(1 << 20);
        let walk = move || {
            codes(&text);
            let once = nnc_syntax::format(&text, nnc_syntax::SourceId::default(), &|_| true).unwrap();
            let (parsed, sources) = common::read(&once);
            nnc_syntax::parse_ast_text(&nnc_syntax::ast_text(&parsed.program, &sources)).unwrap();
        };
        thread.spawn(walk).unwrap().join().unwrap();
    }
}

fn deep_but_allowed() -> [String; 11] {
    [
        "(".repeat(27) + "x" + &")".repeat(27),
        "dense (".repeat(27) + "x" + &")".repeat(27),
        "f(".repeat(27) + "x" + &")".repeat(27),
        "-".repeat(60) + "x",
        "not ".repeat(60) + "x",
        "x ^ ".repeat(60) + "x",
        "x + ".repeat(240) + "x",
        "repeat 2 { ".repeat(30) + "relu" + &" }".repeat(30),
        "if a then b else ".repeat(30) + "x",
        "if a { b } else ".repeat(30) + "{ c }",
        "(scan x in y { ".repeat(10) + "relu" + &" })".repeat(10),
    ]
}

#[test]
fn unbalanced_brackets_do_not_cascade() {
    for bracket in [
        "(", "[", "{", ")", "]", "}", "(]", "({", "[)", "{(", "})", "f(", "(\n", "{\n", "{ }}", "“", "'",
        "\"", "\"\"\"", "/*",
    ] {
        let found = codes(&bracket.repeat(MANY));
        assert!(!found.is_empty() && found.len() <= 201, "{} for {bracket}", found.len());
    }
}

#[test]
fn long_texts_are_read_in_linear_time() {
    let rows = "0.25 -1 17 1e-3 -> 1\n".repeat(20_000);
    assert!(codes(&format!("data {{\n{rows}}}\n")).is_empty());
    assert!(codes(&"dense 16 relu\n".repeat(50_000)).is_empty());
    assert!(codes(&format!("y = [{}1]", "1, ".repeat(MANY))).is_empty());
    assert!(codes(&format!("x{}", " -> relu".repeat(MANY))).is_empty());
    assert!(codes(&format!("dense{}", " 1".repeat(MANY))).is_empty());
    assert!(codes(&format!("y = f({}1)", "-1, ".repeat(MANY))).is_empty());
    assert!(codes(&"## doc\n".repeat(MANY)).is_empty());
    assert!(codes(&format!("{}relu", "\n".repeat(MANY))).is_empty());
    assert!(codes(&format!("{}= x", "a,".repeat(MANY))).len() == 1);
    assert!(codes(&"import 'a' 'b'\n".repeat(MANY)).len() == 201);
    assert!(codes(&format!("data {{\n{} -> 1\n}}", "-1 ".repeat(MANY))).is_empty());
}

#[test]
fn long_programs_are_formatted_in_linear_time() {
    let rows = "0.25 -1 17 1e-3 -> 1\n".repeat(20_000);
    for text in [
        format!("data {{\n{rows}}}\n"),
        "dense 16 relu # why\n".repeat(20_000),
        "dense 16 relu; ".repeat(20_000),
        format!("layer f {{\n{}}}", "dense 16 relu\n".repeat(20_000)),
        format!("y = [{}1]", "1, ".repeat(20_000)),
        format!("y = f({}1)", "x + 1, ".repeat(20_000)),
        format!("x{}", " -> relu".repeat(20_000)),
    ] {
        let start = Instant::now();
        assert!(nnc_syntax::format(&text, nnc_syntax::SourceId::default(), &|_| true).is_ok());
        assert!(start.elapsed() < LIMIT, "{:?} for {:.40}", start.elapsed(), text);
        let (parsed, sources) = common::read(&text);
        let tree = nnc_syntax::ast_text(&parsed.program, &sources);
        assert!(nnc_syntax::parse_ast_text(&tree).is_ok());
        assert!(start.elapsed() < 2 * LIMIT, "{:?} for {:.40}", start.elapsed(), text);
    }
}
