//! The formatter changes the look of a program and nothing else.
#![allow(clippy::unwrap_used)]

mod common;

use nnc_syntax::{SourceId, format, same_meaning};

const LAYERS: [&str; 6] = ["dense", "conv", "dropout", "flatten", "embed", "split"];

fn formatted(text: &str) -> String {
    format(text, SourceId::default(), &|name| LAYERS.contains(&name)).unwrap()
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(formatted(text), expected);
    assert_eq!(formatted(expected), expected, "the second time");
}

#[test]
fn samples_keep_their_meaning() {
    for (path, text) in common::samples() {
        let once = formatted(&text);
        assert_eq!(once, formatted(&once), "{path}");
        let (before, after) = (common::read(&text).0, common::read(&once).0);
        assert!(same_meaning(&before.program, &after.program), "{path}\n{once}");
        assert_eq!(text.matches('#').count(), once.matches('#').count(), "{path}\n{once}");
    }
}

/// How the samples look: the prelude has every kind of definition, the others every statement.
#[test]
fn samples_look_good() {
    for (path, text) in common::samples() {
        let name = path.rsplit('/').next().unwrap_or_default().trim_end_matches(".nn").to_owned();
        insta::assert_snapshot!(name, formatted(&text));
    }
}

#[test]
fn spaces() {
    check("dense   16    relu", "dense 16 relu\n");
    check("optimizer adam lr = 0.1", "optimizer adam lr=0.1\n");
    check("x=a+b*-c^2@d", "x = a + b * -c^2 @ d\n");
    check("param  n=3 in 1 .. 4", "param n = 3 in 1..4\n");
    check("fn f( x [...s] ,k:int=3 )=x", "fn f(x[...s], k: int = 3) = x\n");
    check("a,b=f( x ,axis = - 1 )", "a, b = f(x, axis=-1)\n");
    check("fn f(x)with better = lower task=classes=x", "fn f(x) with better=lower task=classes = x\n");
    check("rule r of w,g with usual=optimizer{w:=g}", "rule r of w, g with usual=optimizer { w := g }\n");
    check("require n>0 else \"no\"   fix \"x -> \"", "require n > 0 else \"no\" fix \"x -> \"\n");
    check("x[ 0 ] -> ( y )", "x[0] -> (y)\n");
    check("epochs 20_000;seed 7", "epochs 20_000; seed 7\n");
}

#[test]
fn layers_are_steps() {
    check("dense(16, relu)", "dense 16 relu\n");
    check("dense(4*d, rate=-1, bias=not x)", "dense (4 * d) rate=-1 bias=(not x)\n");
    check("dense(-1)", "dense (-1)\n");
    check("x -> dense(16) -> f(3)", "x -> dense 16 -> f(3)\n");
    check("dropout()", "dropout()\n");
    // A step may not begin with a statement word, nor stand inside mathematics.
    check("split(3)", "split(3)\n");
    check("y = dense(3) + 1", "y = dense(3) + 1\n");
    // What the file defines wins.
    check("fn dense(x) = x\ndense(3)", "fn dense(x) = x\ndense(3)\n");
    check("layer mine(n) { dense n }\nmine(3)", "layer mine(n) { dense n }\nmine 3\n");
}

#[test]
fn lines() {
    check("\n\n\na\n\n\n\nb\n\n", "a\n\nb\n");
    check("repeat 2 {\n\n\na\n\n}", "repeat 2 {\n  a\n}\n");
    check("repeat 2 {a;b}", "repeat 2 { a; b }\n");
    check("repeat 2 {a\n;b}", "repeat 2 {\n  a\n  b\n}\n");
    check("if a {b}\nelse {\nc}", "if a {\n  b\n} else {\n  c\n}\n");
    check("if a {b} else if c {d} else {}", "if a { b } else if c { d } else {}\n");
    check("a\r\nb", "a\nb\n");
    check("", "");
    let link = "dense 1000 relu";
    check(
        &format!("y = x{}", format!(" -> {link}").repeat(5)),
        &format!("y = x\n{}", format!("  -> {link}\n").repeat(5)),
    );
    let name = "a_rather_long_name_of_a_tensor";
    check(&format!("y = f({name}, {name}, {name})"), &format!("y = f(\n  {name},\n  {name},\n  {name}\n)\n"));
    check(
        &format!("y = if {name} then {name} else {name}"),
        &format!("y = if {name} then\n  {name}\nelse\n  {name}\n"),
    );
    check(&format!("y = {name} + {name} * {name}"), &format!("y = {name} +\n  {name} * {name}\n"));
}

#[test]
fn rows_are_aligned() {
    check(
        "data {\n0 -1->1\n10.5   0  ->  -2 # why\n\"a\" 3 -> 4\n}",
        "data {\n     0 -1 ->  1\n  10.5  0 -> -2  # why\n   \"a\"  3 ->  4\n}\n"
            .replace("   \"a\"", "  \"a\" ")
            .as_str(),
    );
    check("data {0 0->0;0 1->1}", "data { 0 0 -> 0; 0 1 -> 1 }\n");
    check(
        "data \"f\" {\ninput  a  missing = mean\ntarget y}",
        "data \"f\" {\n  input a missing=mean\n  target y\n}\n",
    );
}

#[test]
fn comments_stay() {
    check("#a\n\n##b\nx#c", "#a\n\n##b\nx  #c\n");
    check("x # one\nlonger # two\n\ny # three", "x       # one\nlonger  # two\n\ny  # three\n");
    check("repeat 2 { # why\n a # what\n # end\n}", "repeat 2 {  # why\n  a         # what\n  # end\n}\n");
    check("f(a, # first\n b)", "f(\n  a,  # first\n  b\n)\n");
    check("f(\n # above\n a)", "f(\n  # above\n  a\n)\n");
    check("x = # so\n a + # and\n b", "x =    # so\n  a +  # and\n    b\n");
    check("a # from\n # over\n -> b", "a  # from\n  # over\n  -> b\n");
    check("# only", "# only\n");
}

#[test]
fn mistakes_are_returned() {
    let found = format("dense 4*4\nx = (", SourceId::default(), &|_| true).unwrap_err();
    assert_eq!(found.iter().map(|d| d.code.name()).collect::<Vec<_>>(), ["N0105", "N0102"]);
}
