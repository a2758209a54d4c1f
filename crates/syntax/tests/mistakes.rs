//! What is said about wrong programs: a snapshot for each kind of mistake, to be read as a whole.
//! `INSTA_UPDATE=always cargo test -p nnc-syntax --test mistakes` accepts new wordings.

mod common;

use common::{read, render};
use nnc_syntax::ast::StmtKind;

/// Programs with mistakes of one kind.
type Kind = (&'static str, &'static [&'static str]);

const KINDS: &[Kind] = &[
    (
        "arguments",
        &[
            "dense 4*d relu",
            "dense 16, relu",
            "steps 1,000",
            "optimizer adam lr=0,1",
            "metrics accuracy, mae",
            "leaky 3 -1",
            "seed -1",
            "y = softmax (x) + 1",
            "optimizer adam lr = -0.1*2",
            "input sepal-length",
            "y = x w + b",
            "dense 16 = 3",
        ],
    ),
    (
        "expressions",
        &[
            "x = 3 +",
            "y = x +\n* 3",
            "y = x +\n\nz = 4",
            "x + y z",
            "a = f(x y)",
            "a < b < c",
            "x = a + not b",
            "f(x -> dense 3, 4)",
            "x = [1, 2,]",
            "f(3, -> x)",
            "x = 3(4)",
            "x = a.3",
            "x = if a then b",
            "x = 3 in 4",
            "(a; b)",
            "x = y[1, 2]",
        ],
    ),
    (
        "statements",
        &[
            "-> dense 3",
            "else { dense 3 }",
            "if a { dense 3 } dense 4",
            "dense 16\n{\n  3\n}",
            "dense 16 { relu }",
            "f(x) = 3",
            "a.b := 3",
            "param in = 3",
            "it = 3",
            "param x 3",
            "fn f x = 3",
            "layer f(x) = 3",
            "weight w = zeros",
            "rule sgd of w { w := w }",
            "use 3",
            "repeat 3",
            "scan x in xs",
            "h = scan x in xs with h { x }",
            "require n > 0 \"n\"",
            "stop when val_loss stalls 10",
            "stop after 10",
            "expect accuracy > 90% within 3 days",
            "x = 1..4",
        ],
    ),
    (
        "brackets",
        &[
            "layer foo(units: int {\n  dense 3\n}\ndense 4*4",
            "layer foo(units: int) {\n  if units > 3 {\n    dense 3\n  relu\n}\ndense 4*4",
            "data {\n  0 0 -> 0\n\ndense 3",
            "fn f(x) { x",
            "f(x]",
            "f(x}",
            "f(g(x\ny = 2",
            "x = [1, (2, 3]",
            ")",
            "dense 3 }",
        ],
    ),
    (
        "strings",
        &[
            "data \"iris.csv {\n  drop id\n}\ndense 3",
            "x = \"a\ny = 4*4 5",
            "data \"C:\\data\"",
            "dense “16” ‘relu’",
            "optimizer 'adam'",
            "y = 'abc",
            "\"\"\"\nA net.\n\"\"\"\ndense 3",
        ],
    ),
    (
        "numbers",
        &[
            "x = 1.2.3",
            "x = 2x",
            "x = 5.",
            "x = .5",
            "x = 99999999999999999999",
            "x = 1e400",
            "x = 1e",
            "x = 3x",
            "x = 3x2.5",
            "x = 1_",
            "x = 1O",
            "split valid=10 %",
            "x = 7 % 2",
        ],
    ),
    (
        "characters",
        &[
            "x → dense 3",
            "x = a × b",
            "x = y²",
            "x = $a",
            "dense\u{200b} 16",
            "x = a \\\n  + b",
            "x = a − 1",
            "x = ```y```",
        ],
    ),
    (
        "python",
        &[
            "import keras\nfrom keras import layers\nmodel.add(Dense(16, input_dim=2, activation='relu'))\nmodel.add(Flatten())\n\
             model.compile(loss='mse', optimizer='adam')\nmodel.fit(x, y, epochs=500)",
            "if depth > 3:\n  dense 3\nelse:\n  dense 4",
            "for i in range(3):\n  dense 16",
            "def f(x):\n  return x",
            "if head = mixture { dense 3 }",
            "dense 16 bias=True",
            "x = a ** 2 && b || !c",
            "dense 3 // a layer",
            "/* a\nnet */ dense 3",
            "x += 1",
            "let x = 3",
            "y = x.reshape(2, 3)",
            "class Net(Model) { dense 3 }",
        ],
    ),
    (
        "attributes",
        &[
            "fn f(x) with = x",
            "fn f(x) with better = x",
            "fn f(x) with better lower = x",
            "fn f(x) with better=3 = x",
            "fn f(x) with better=lower",
            "layer f of x[n] with { x }",
        ],
    ),
    (
        "rows",
        &[
            "data {\n  0 0 -> 0\n  0, 1 -> 1\n  1 O -> 1\n  1 1O -> 1\n  1 1 ->\n  2024-01-05 -> 3\n  1.2.3 4 -> 5\n  \
             - 1 2 -> 0\n  0 -> 1 -> 0\n}\ndense 3",
            "data \"x.csv\" { input a(3); target [b] }",
            "data \"x.csv\" { input a: 3; target b=; drop 3x3; input c-d }",
            "data \"x.csv\" { input { a } }",
        ],
    ),
    (
        "several",
        &[
            "param = 3\ndata {\n  0 0 - 0\n}\nlayer f(x {\n  dense 3 + 4\n}\nrepeat 2 {\n  dense 4*4\n  relu\n}\nloss mse +",
        ],
    ),
];

#[test]
fn mistakes_are_explained() {
    for (kind, programs) in KINDS {
        let pages: Vec<String> =
            programs.iter().map(|text| format!("{text}\n{}\n{}", "-".repeat(40), render(text))).collect();
        insta::assert_snapshot!(*kind, pages.join(&format!("{}\n", "=".repeat(80))));
    }
}

/// A fix that is applied without asking mends what it belongs to and breaks nothing.
#[test]
fn safe_fixes_mend() {
    for text in KINDS.iter().flat_map(|(_, programs)| *programs) {
        let before = read(text).0.diagnostics;
        for found in &before {
            let Some(fix) = found.fix.as_ref().filter(|fix| fix.safe) else { continue };
            let mut mended = (*text).to_owned();
            mended.replace_range(fix.span.start as usize..fix.span.end as usize, &fix.replacement);
            let after = read(&mended).0.diagnostics;
            assert!(after.len() < before.len(), "{text:?} became {mended:?}:\n{}", render(&mended));
        }
    }
}

/// A mistake in one statement says nothing about the others.
#[test]
fn every_statement_stands_alone() {
    for text in KINDS.iter().flat_map(|(_, programs)| *programs).filter(|text| !text.contains('\n')) {
        let alone = read(text).0.diagnostics.len();
        assert!(alone > 0, "{text}");
        let (parsed, _) = read(&format!("x = 1\n\n{text}\n\ny = 2\n"));
        let good = parsed.program.stmts.iter().filter(|stmt| stmt.kind != StmtKind::Error).count();
        // A string, comment or line that is not ended takes the next line with it.
        let goes_on = text.ends_with('+') || text.contains(['{', '"', '/']);
        assert!(parsed.diagnostics.len() <= alone && (good >= 2 || goes_on), "{text}:\n{}", render(text));
    }
}

/// A picture or an archive is one mistake, not thousands; a long list of mistakes says how long it is.
#[test]
fn no_flood() {
    let found = read("\u{1}PNG\0\u{2}\u{3}").0.diagnostics;
    assert_eq!(found.iter().map(|d| d.code.name()).collect::<Vec<_>>(), ["N0111"]);
    let found = read(&"x = (1\n".repeat(1000)).0.diagnostics;
    assert_eq!(found.len(), 201);
    let last = found.last().map(|d| (d.code.name(), d.message.as_str()));
    assert_eq!(last, Some(("N0112", "there are 800 more mistakes")));
}
