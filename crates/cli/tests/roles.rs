//! What columns are for, from a program to predictions on raw rows.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;
use serde_json::Value;

/// Made-up sales: gaps, words, dates, a weight, two targets.
fn sales(rows: std::ops::Range<usize>) -> String {
    let mut text = String::from("id,area,rooms,shop,day,note,w,price,sold\n");
    for i in rows {
        let area = if i % 13 == 4 { String::new() } else { format!("{}", 20 + i * 37 % 80) };
        let rooms = 1 + i * 7 % 5;
        let shop = if i % 17 == 3 { "" } else { ["north", "south", "east"][i * 5 % 3] };
        let (month, day) = (1 + i % 12, 1 + i % 28);
        let price = 1000 * (20 + i * 37 % 80) + 5000 * rooms;
        let sold = if rooms > 2 { "yes" } else { "no" };
        let w = [1.0, 2.0, 0.5][i % 3];
        text.push_str(&format!(
            "{i},{area},{rooms},{shop},2024-{month:02}-{day:02},n{i},{w},{price},{sold}\n"
        ));
    }
    text
}

const EVERYTHING: &str = "\
data \"sales.csv\" {
  drop id note
  target price log standardize
  target sold
  weight w
  input area standardize missing=median indicator
  input rooms minmax
  input day date scale=12
  input shop category missing=mode unknown=other
}
split test=20%
target price
target sold

shop -> embed 3
place = it
input -> concat place -> dense 16 relu
body = it
cost = body -> dense 1
answer = body -> dense 2 softmax
output cost answer
loss = mse(cost, price) + crossentropy(answer, sold)
metrics right=(accuracy(answer, sold))
optimizer adam lr=0.01
epochs 60; batch 16
";

fn place() -> Place {
    let place = Place::new();
    place.write("sales.csv", &sales(0..240));
    place.write("sales.nn", EVERYTHING);
    place
}

#[test]
fn every_role_in_one_program() {
    let place = place();
    let found = place.nnc(&["train", "sales.nn", "--json", "-q"]).json();
    assert!(found["test"]["metrics"]["right"].as_f64().unwrap() > 0.9, "{found}");
    // Raw rows the training never saw, without targets, weights and what is dropped.
    place.write(
        "new.csv",
        "rooms,area,shop,day\n3,50,north,2024-05-01\n1,,nowhere,2024-12-31\n5,90,,2025-01-01\n",
    );
    let said = place.nnc(&["predict", "sales.nn", "--data", "new.csv", "--json", "--full"]).json();
    let rows = said["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    // Cells stand as they are in the file.
    assert_eq!((&rows[1]["shop"], &rows[1]["area"]), (&"nowhere".into(), &Value::Null), "{said}");
    assert_eq!(rows[0]["day"], "2024-05-01", "{said}");
    // Outputs are told as their targets are: a price is some ten thousands, an answer is a word.
    assert!(rows.iter().all(|r| r["cost"].as_f64().unwrap() > 10_000.0), "{said}");
    assert_eq!((&rows[2]["answer"], &rows[1]["answer"]), (&"yes".into(), &"no".into()), "{said}");
    // The same rows in another order say the same.
    place.write("turned.csv", "day,shop,area,rooms\n2025-01-01,,90,5\n2024-05-01,north,50,3\n");
    let turned = place.nnc(&["predict", "sales.nn", "--data", "turned.csv", "--json"]).json();
    let plain = |row: &Value| (row["cost"].clone(), row["answer.values"].clone(), row["answer"].clone());
    assert_eq!(plain(&turned["rows"][0]), plain(&rows[2]));
    assert_eq!(plain(&turned["rows"][1]), plain(&rows[0]));
}

#[test]
fn weights_count_rows() {
    let place = Place::new();
    let net = "dense 1; loss mse; optimizer sgd lr=0.1; epochs 30; batch 64\n";
    let rows = |weighted: bool| {
        let mut text = String::from("x,w,y\n");
        for i in 0..20 {
            let (x, w) = (f64::from(i) / 10.0, i % 3);
            let y = 2.0 * x + f64::from(i % 2);
            let copies = if weighted { 1 } else { w };
            (0..copies).for_each(|_| text.push_str(&format!("{x},{w},{y}\n")));
        }
        text
    };
    // A row of weight 2 counts as two rows do, and one of weight 0 not at all; the mean is over the rows.
    place.write("w.csv", &rows(true));
    place.write("w.nn", &format!("data \"w.csv\" {{ input x; weight w; target y }}\n{net}"));
    place.write("c.csv", &rows(false));
    place.write("c.nn", &format!("data \"c.csv\" {{ input x; target y }}\n{net}"));
    let loss = |name: &str, data: &str| {
        place.nnc(&["train", name, "-q", "--out", &format!("{name}.run")]).fine();
        let found = place.nnc(&["eval", &format!("{name}.run"), "--data", data, "--json"]).json();
        found["loss"].as_f64().unwrap() * found["rows"].as_f64().unwrap()
    };
    let (weighted, copied) = (loss("w.nn", "w.csv"), loss("c.nn", "c.csv"));
    assert!(weighted > 0.0 && (weighted - copied).abs() < 0.2 * copied, "{weighted} {copied}");
}

#[test]
fn an_unknown_category_is_told() {
    let place = place();
    place.write("sales.nn", &EVERYTHING.replace(" unknown=other", "").replace("epochs 60", "epochs 1"));
    place.nnc(&["train", "sales.nn", "-q"]).fine();
    place.write(
        "new.csv",
        "rooms,area,shop,day\n3,50,north,2024-05-01\n1,,nowhere,2024-12-31\n1,,soth,2024-12-31\n",
    );
    let said = place.nnc(&["predict", "sales.nn", "--data", "new.csv"]);
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(
        (said.code, lines.len(), lines[2].replace(',', ""), lines[3]),
        (0, 4, String::new(), lines[2])
    );
    insta::assert_snapshot!(said.err);
}

#[test]
fn a_gap_without_a_rule_is_told() {
    let place = place();
    place.write("sales.nn", &EVERYTHING.replace(" missing=median", "").replace(" missing=mode", ""));
    let said = place.nnc(&["train", "sales.nn", "-q"]);
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(said.err);
}

#[test]
fn every_rule_for_gaps_trains_and_predicts() {
    let place = place();
    for (rule, answered) in [("mean", true), ("median", true), ("mode", true), ("0", true), ("drop", false)] {
        let text = format!(
            "data \"sales.csv\" {{ target price scale=1000; input area standardize missing={rule}; input rooms }}\n\
             dense 4 relu; dense 1; loss mse; optimizer adam; epochs 2\n"
        );
        place.write("p.nn", &text);
        place.nnc(&["train", "p.nn", "-q", "--out", "run"]).fine();
        // Every row has its line, and where it lacks what is needed an empty one.
        let said = place.nnc(&["predict", "run"]).fine();
        let answers = said.lines().skip(1).filter(|l| l.parse::<f64>().is_ok()).count();
        assert_eq!(
            (said.lines().count() - 1, answers),
            (240, if answered { 240 } else { 240 - 19 }),
            "{rule}"
        );
        place.write("gap.csv", "area,rooms\n,2\n30,2\n");
        let said = place.nnc(&["predict", "run", "--data", "gap.csv"]).fine();
        let lines: Vec<&str> = said.lines().skip(1).collect();
        assert_eq!((lines.len(), lines[0] != "\"\""), (2, answered), "{rule}");
    }
}

#[test]
fn every_column_has_a_role_that_is_told() {
    let place = Place::new();
    place.write("t.csv", "id,a,b,c,word\n1,1,2,3,x\n2,2,3,5,y\n3,4,4,4,x\n4,3,2,2,y\n");
    let told = |block: &str| {
        place.write("p.nn", &format!("data \"t.csv\" {block}\ndense 1\nloss = mean(output^2)\nepochs 1\n"));
        let shown = place.nnc(&["data", "p.nn", "--rows", "0"]).fine();
        let line =
            shown.lines().map(str::trim).find(|l| l.starts_with("input ") || l.starts_with("no input"));
        let line = line.unwrap_or_default().to_string();
        let trained = place.nnc(&["train", "p.nn"]).err;
        assert!(trained.lines().any(|l| l == line), "{line}\n{trained}");
        line
    };
    assert_eq!(told(""), "input id, a, b, c; target word");
    // What no line names: `rest` takes all of it, the last column too.
    assert_eq!(told("{ input rest }"), "input id, a, b, c, word; no target");
    assert_eq!(told("{ drop id word; input rest }"), "input a, b, c; no target; not read: id, word");
    assert_eq!(told("{ input rest; target a }"), "input id, b, c, word; target a");
    // The last column is the target unless a line names it; no other takes its place.
    assert_eq!(told("{ drop id }"), "input a, b, c; target word; not read: id");
    assert_eq!(told("{ drop word }"), "input id, a, b, c; no target; not read: word");
    assert_eq!(told("{ target none; drop id }"), "input a, b, c, word; no target; not read: id");
    assert_eq!(told("{ input a missing=mean }"), "input a; target word; not read: id, b, c");
    assert_eq!(told("{ input a; weight b; target c }"), "input a; target c; weight b; not read: id, word");
    place.write("p.nn", "data \"t.csv\" { target none; target a }\ndense 1\nloss = mean(output^2)\n");
    assert_eq!(place.nnc(&["check", "p.nn"]).code, 2);
    // A program without lines that follows the advice keeps its inputs.
    place.write("t.csv", "a,b,c\n1,2,3\n,3,5\n4,4,4\n");
    place.write("p.nn", "data \"t.csv\"\ndense 1\nloss mse\nepochs 1\n");
    let said = place.nnc(&["check", "p.nn"]).err;
    assert!(said.contains("input a missing=mean") && said.contains("input rest"), "{said}");
    assert_eq!(told("{ input a missing=mean; input rest; target c }"), "input a, b; target c");
}

#[test]
fn a_target_that_the_loss_passes_over_is_told() {
    let place = Place::new();
    place.write("t.csv", "a,b,c\n1,2,3\n2,3,5\n4,4,4\n");
    let check = |text: &str| {
        place.write("p.nn", text);
        place.nnc(&["check", "p.nn"]).err
    };
    let both = "data \"t.csv\" { input a; target b; target c }\ntarget b\ntarget c\ndense 1\nloss = mse(output, b)\n";
    let said = check(both);
    assert!(
        said.contains("N0419") && said.contains("`c` is a target, and the loss does not use it"),
        "{said}"
    );
    assert!(!check(&both.replace("mse(output, b)", "mse(output, b) + mse(output, c)")).contains("N0419"));
    assert!(check("data \"t.csv\"\ndense 2\nloss = mse(output, input)\n").contains("N0419"));
    let none = check("data \"t.csv\" { target none }\ndense 3\nloss = mse(output, input)\n");
    assert!(!none.contains("N0419") && !none.contains("error"), "{none}");
}

#[test]
fn an_arrow_among_columns_is_not_ignored() {
    let place = place();
    let ran = place.nnc(&["data", "-e", "data \"sales.csv\" { input area -> price; drop id }"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("a line of columns has no `->`"), "{}", ran.err);
    assert!(ran.err.contains("1:34"), "{}", ran.err);
}
