//! How programs are read: the trees of small programs, as snapshots.

mod common;

use common::read;
use nnc_syntax::ast::{ExprKind, StmtKind};
use nnc_syntax::ast_text;

fn tree(text: &str) -> String {
    let (parsed, sources) = read(text);
    assert_eq!(common::render(text), "no mistakes\n", "{text}");
    format!("{text}\n{}\n{}", "-".repeat(40), ast_text(&parsed.program, &sources))
}

#[track_caller]
fn snapshot(name: &str, programs: &[&str]) {
    let pages: Vec<String> = programs.iter().map(|text| tree(text)).collect();
    insta::assert_snapshot!(name, pages.join(&format!("{}\n", "=".repeat(60))));
}

#[test]
fn operators() {
    snapshot(
        "operators",
        &[
            "-x^2 @ y",
            "2^-3^x",
            "a - b - c * d",
            "not a == b and c or d",
            "if a then b else if c then d else e",
            "x -1",
        ],
    );
}

#[test]
fn adjacency() {
    snapshot("adjacency", &["f(x)", "f (x)", "dense (4*d) relu rate=-0.5", "x[0]", "x [0]"]);
    snapshot(
        "calls",
        &["f((x -> dense 3), axis=-1)", "dense tokens.table[0] f(x)(y)", "a, b -> concat", "(a, b)"],
    );
}

/// Statement words are names wherever an operator follows, and inside a statement.
#[test]
fn contextual_words() {
    let flows = [
        "batch = it",
        "input -> dense 8",
        "input.classes",
        "loss + 1",
        "data(x)",
        "layer, x -> concat",
        "state := x",
        "input",
        "stop = 3",
        "x -> clip 3 -> split 2",
        "dense batch",
        "param[0]",
        "scan",
        "use -> dense 3",
        "repeat = 3",
        "scan x",
    ];
    for text in flows {
        let (parsed, _) = read(text);
        assert_eq!(common::render(text), "no mistakes\n", "{text}");
        assert!(matches!(parsed.program.stmts[0].kind, StmtKind::Flow(_)), "{text}");
    }
    for text in [
        "loss mse",
        "batch 32",
        "input left 28x28x1",
        "clip 1.0",
        "metrics accuracy mine=(a + b)",
        "output x y",
    ] {
        let (parsed, _) = read(text);
        assert!(matches!(parsed.program.stmts[0].kind, StmtKind::Setting { .. }), "{text}");
    }
    assert!(matches!(read("loss = x").0.program.stmts[0].kind, StmtKind::LossIs(_)));
}

#[test]
fn definitions() {
    snapshot(
        "definitions",
        &[
            "param act = relu in [relu, tanh]",
            "param n = 3 in -1..2 * k",
            "fn f(x[...s, k] in c, axis: int = -1, pad = valid in [same, valid]) = x",
            "layer f(n) of x[..., c], y in k -> [4 * c] { weight w[c] = zeros; x }",
            "rule r of w, g { w := w - g }",
            "init i(scale = 1) of shape = random(shape)",
            "fn f(y, target) with better=lower task=numbers = mean(y - target)",
            "layer f of x[n] -> [n] with range=any { x }",
            "rule r of w, g with usual=optimizer { w := w - g }",
            "init i of shape with usual=weights { random(shape) }",
            "shared e = embed 3",
            "rewrite log(softmax(x)) = log_softmax(x)",
            "use \"a b.nn\"",
        ],
    );
}

#[test]
fn control() {
    snapshot(
        "control",
        &[
            "repeat 3 as i { dense i; relu }",
            "if a == 1 { b } else if c { d } else { e }",
            "if (if a then b else c) { d }",
            "require n > 0 else \"n is {n}\"",
            "require n > 0 else \"n is {n}\" fix \"flatten -> \"",
            "stop when val_loss stalls for 10",
            "stop when accuracy >= 99%",
            "expect accuracy >= 1 within 500 epochs in 9 of 10 seeds",
            "h = scan x in xs with h = zeros([n]), c = h { h = x + h; h }",
        ],
    );
}

#[test]
fn data() {
    snapshot(
        "data",
        &[
            "data { 0 -1 -> 1; 0.5 O -> \"yes\" }",
            "data \"f.csv\" window=24 -> \"g.csv\" {\n  input rest standardize missing=mean\n  target y scale=-1e3 # behind\n}",
            "data moons 500 noise=0.1",
            "valid npz \"a.npz\" { input a }",
        ],
    );
}

/// Where a statement ends, and where it does not.
#[test]
fn lines() {
    for (text, count) in [
        ("a; b;\n;c", 3),
        ("f(\n  a,\n  b\n)", 1),
        ("a +\nb", 1),
        ("a\n\n  # comment\n  -> b\n  -> c", 1),
        ("x = if a\n  then b\n  else c", 1),
        ("if a { b }\nelse { c }", 1),
        ("fn f(x) =\n  x", 1),
        ("a,\nb -> concat", 1),
        ("repeat 2 {\n  a\n  b\n}\nc", 2),
        ("a\r\nb\r\n", 2),
        ("\u{feff}a", 1),
        ("", 0),
        ("# only a comment", 0),
        ("data {\n  in\n  of\n  0 1\n}", 1),
    ] {
        let (parsed, _) = read(text);
        assert_eq!(common::render(text), "no mistakes\n", "{text:?}");
        assert_eq!(parsed.program.stmts.len(), count, "{text:?}");
    }
}

#[test]
fn documentation_belongs_to_the_line_below() {
    let text = "## far\n\n## one\n## two\nlayer f {\n  ## inner\n  weight w[1] = zeros # no\n}\n# plain\ny = 1 ## behind\nz = 2";
    let (parsed, _) = read(text);
    let docs: Vec<_> = parsed.program.stmts.iter().map(|stmt| stmt.doc.as_deref()).collect();
    assert_eq!(docs, [Some("one\ntwo"), None, None]);
    let StmtKind::Layer(layer) = &parsed.program.stmts[0].kind else { panic!("a layer") };
    assert_eq!(layer.body.stmts[0].doc.as_deref(), Some("inner"));
}

#[test]
fn numbers_are_read_exactly() {
    for (text, kind) in [
        ("20_000", ExprKind::Int(20_000)),
        ("9223372036854775807", ExprKind::Int(i64::MAX)),
        ("0.1", ExprKind::Float(0.1)),
        ("1e-3", ExprKind::Float(1e-3)),
        ("2.5E+10", ExprKind::Float(2.5e10)),
        ("20%", ExprKind::Percent(0.2)),
        ("0.7%", ExprKind::Percent(0.007)),
        ("28x28x1", ExprKind::Size(vec![28, 28, 1])),
        ("\"a\\n\\t\\\"\\\\\"", ExprKind::Text("a\n\t\"\\".to_owned())),
    ] {
        let (parsed, _) = read(text);
        let StmtKind::Flow(flow) = &parsed.program.stmts[0].kind else { panic!("{text}") };
        let nnc_syntax::ast::Link::Exprs(exprs) = &flow.chain.links[0] else { panic!("{text}") };
        assert_eq!(exprs[0].kind, kind, "{text}");
    }
}

/// Blocks of a statement that could not be read are searched for mistakes of their own.
#[test]
fn errors_leave_the_rest_alone() {
    let (parsed, _) = read("a = 1\nlayer f(x y) {\n  dense 4*4\n}\nb = 2");
    let kinds: Vec<bool> = parsed.program.stmts.iter().map(|stmt| stmt.kind == StmtKind::Error).collect();
    assert_eq!(kinds, [false, true, false]);
    assert_eq!(parsed.diagnostics.len(), 2);
}
