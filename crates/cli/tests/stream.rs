//! Answers that come while rows still do.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Place, command};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Child;

/// A trained network: numbers with a rule for gaps, a category, a date, columns that are not read.
fn shop() -> Place {
    let place = Place::new();
    let mut text = String::from("order,size,colour,when,price\n");
    for i in 0..60 {
        let (size, colour) = (i % 7, ["red", "blue"][i % 2]);
        text += &format!("{i:04},{size}.50,{colour},2024-0{}-15,{}\n", 1 + i % 9, 100 + 10 * size);
    }
    place.write("orders.csv", &text);
    place.write(
        "shop.nn",
        "data \"orders.csv\" { drop order; target price standardize\n\
         input size standardize missing=drop; input colour one_hot; input when date }\n\
         dense 4 relu; dense 1; loss mse; optimizer adam; epochs 2\n",
    );
    place.nnc(&["train", "shop.nn", "-q", "--out", "run"]).fine();
    place
}

const NEW: &str = "colour,order,size,when,price\nred,0012,1.50,2024-02-29,\n\n\"blue\",13,,2024-12-01,7\n\
                   green,14,2,2024-12-02,8\nred,15,three,2024-12-03,9\nred,16,4,someday,10\nred,17\n\
                   blue,\"a\nb\",.5,2024-01-01,11\n";

fn next(out: &mut impl BufRead) -> String {
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    line
}

fn piped(place: &Place, args: &[&str]) -> Child {
    command(&place.path(""), args).spawn().unwrap()
}

#[test]
fn an_answer_comes_before_the_next_row() {
    let place = shop();
    let mut child = piped(&place, &["predict", "run", "--stream", "--with", "order"]);
    let (mut to, mut out) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    to.write_all(b"order,size,colour,when\n").unwrap();
    assert_eq!(next(&mut out), "order,output\n");
    for i in 0..5 {
        // In two pieces, as pipes do.
        write!(to, "n{i},{i}").unwrap();
        to.flush().unwrap();
        to.write_all(b".5,red,2024-01-01\n").unwrap();
        let line = next(&mut out);
        let (order, answer) = line.trim_end().split_once(',').unwrap();
        assert!(order == format!("n{i}") && answer.parse::<f64>().is_ok(), "{line}");
    }
    drop(to);
    assert_eq!(next(&mut out), "");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn answers_are_those_of_a_file() {
    let place = shop();
    place.write("new.csv", NEW);
    for more in [&[][..], &["--full"], &["--with", "order,size"], &["--round"]] {
        let file = place.nnc(&[&["predict", "run", "--data", "new.csv"], more].concat());
        let pipe = place.nnc_with(&[&["predict", "run", "--stream"], more].concat(), NEW);
        if more == ["--full"] {
            // Of a row that has too few cells, those that are there are shown.
            assert_eq!(pipe.out.lines().count(), file.out.lines().count());
        } else {
            assert_eq!(pipe.out, file.out, "{more:?}");
        }
        for told in [
            "stdin:4: row 2: `size` is missing",
            "stdin:5: row 3: training never saw `green` in `colour`",
            "stdin:6: row 4: `three` is not a number",
            "stdin:7: row 5: `someday` is no date",
            "stdin:8: row 6: this row has 2 cells, the header has 5",
        ] {
            assert!(pipe.err.contains(told), "{told}\n{}", pipe.err);
        }
        assert_eq!(pipe.err.lines().count(), 5, "{}", pipe.err);
    }
    let file = place.nnc(&["predict", "run", "--data", "new.csv", "--json"]).json();
    let pipe = place.nnc_with(&["predict", "run", "--stream", "--json"], NEW).fine();
    let lines: Vec<Value> = pipe.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(&lines, file["rows"].as_array().unwrap());
}

#[test]
fn objects_are_answered_with_objects() {
    let place = shop();
    let rows = "{\"id\": \"x\", \"size\": 1.5, \"colour\": \"red\", \"when\": \"2024-02-29\"}\n\
                {\"size\": \n\
                {\"size\": null, \"colour\": \"red\", \"when\": \"2024-02-29\"}\n\
                [1, 2]\n\
                {\"id\": 7, \"size\": \"2\", \"colour\": \"blue\", \"when\": \"2024-03-01\"}\n";
    let said = place.nnc_with(&["predict", "run", "--stream", "--with", "id"], rows);
    assert_eq!(said.code, 0, "{}", said.err);
    let lines: Vec<Value> = said.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 5, "{}", said.out);
    assert_eq!((&lines[0]["id"], &lines[4]["id"]), (&"x".into(), &"7".into()));
    assert!(lines[0]["output"].is_number() && lines[4]["output"].is_number());
    assert!(lines[1..4].iter().all(|l| l["output"].is_null()));
    assert!(said.err.contains("stdin:2: row 2: this is no object of JSON"), "{}", said.err);
    assert!(said.err.contains("stdin:3: row 3: `size` is missing"), "{}", said.err);
    place.write("two.csv", "size,colour,when\n1.5,red,2024-02-29\n2,blue,2024-03-01\n");
    let file = place.nnc(&["predict", "run", "--data", "two.csv", "--json"]).json();
    assert_eq!(file["rows"][0]["output"], lines[0]["output"]);
    assert_eq!(file["rows"][1]["output"], lines[4]["output"]);
}

#[test]
fn a_hundred_thousand_rows() {
    let place = shop();
    let mut text = String::from("size,colour,when\n");
    for i in 0..100_000 {
        let size = if i == 50_000 { "broken".into() } else { format!("{}.{}", i % 9, i % 10) };
        text += &format!("{size},{},2024-01-{:02}\n", ["red", "blue"][i % 2], 1 + i % 28);
    }
    let mut child = piped(&place, &["predict", "run", "--stream", "--memory", "128M"]);
    let (mut to, mut out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    place.write("many.csv", &text);
    let writer = std::thread::spawn(move || to.write_all(text.as_bytes()).unwrap());
    let mut said = String::new();
    out.read_to_string(&mut said).unwrap();
    writer.join().unwrap();
    let told = child.wait_with_output().unwrap();
    assert!(told.status.success());
    assert!(String::from_utf8_lossy(&told.stderr).contains("row 50001: `broken` is not a number"));
    let file = place.nnc(&["predict", "run", "--data", "many.csv"]).fine();
    assert!(said == file, "{} and {}", said.len(), file.len());
}

#[test]
fn hostile_text_is_answered_too() {
    let place = shop();
    let good = b"1.5,red,2024-02-29\n";
    let bad: [&[u8]; 9] = [
        b"\xff\xfe,red,2024-02-29\n",
        b"1,\xff\xff,2024-02-29\n",
        b"1,red,2024-02-29,,,,,\n",
        b"1e999,red,2024-02-29\n",
        b"nan,red,2024-02-29\n",
        b"1,red,9999-99-99\n",
        b"1,\"=cmd|' /C calc'!A0\",2024-02-29\n",
        b"\x1b[2J,red,2024-02-29\n",
        b"\x00,red,\x00\n",
    ];
    let mut text = b"size,colour,when\n".to_vec();
    for bad in bad {
        text.extend_from_slice(bad);
        text.extend_from_slice(good);
    }
    // A quote that nobody closes, at the end.
    text.extend_from_slice(b"1,\"red,2024-02-29\n");
    text.extend_from_slice(good);
    let mut child = piped(&place, &["predict", "run", "--stream"]);
    child.stdin.take().unwrap().write_all(&text).unwrap();
    let said = child.wait_with_output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    let lines: Vec<&str> = out.lines().skip(1).collect();
    assert!(said.status.success(), "{err}");
    assert_eq!(lines.len(), 20, "{out}\n{err}");
    for (i, line) in lines.iter().enumerate() {
        assert_eq!(line.parse::<f64>().is_ok(), i % 2 == 1, "{i}: {line}\n{err}");
    }
    assert!(!err.contains('\x1b') || !err.contains("[2J,"), "{err}");
    assert!(!err.contains('\x00') && err.contains("a quote is opened here and never closed"), "{err}");
}

/// Whoever reads the answers may go away at any time.
#[test]
fn a_reader_that_goes_away_is_no_mistake() {
    let place = shop();
    let mut child = piped(&place, &["predict", "run", "--stream"]);
    let (mut to, mut out) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    to.write_all(b"size,colour,when\n1.5,red,2024-02-29\n").unwrap();
    next(&mut out);
    next(&mut out);
    drop(out);
    // Until the pipe is closed.
    while to.write_all(b"1.5,red,2024-02-29\n").is_ok() {}
    let said = child.wait_with_output().unwrap();
    assert_eq!(said.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&said.stderr), "");
}

#[test]
fn what_cannot_be_streamed_is_told() {
    let place = shop();
    let lacking = place.nnc_with(&["predict", "run", "--stream"], "size,color,when\n1,red,2024-01-01\n");
    assert_eq!(lacking.code, 2);
    assert!(lacking.err.contains("no column `colour`") && lacking.err.contains("`color`"), "{}", lacking.err);
    let nothing = place.nnc_with(&["predict", "run", "--stream"], "");
    assert!(nothing.code == 2 && nothing.err.contains("`stdin` is empty"), "{}", nothing.err);
    let with = place.nnc_with(&["predict", "run", "--stream", "--with", "id"], "size,colour,when\n");
    assert!(with.code == 2 && with.err.contains("no column `id`"), "{}", with.err);
    assert_eq!(place.nnc(&["predict", "run", "--stream", "--data", "x.csv"]).code, 2);
    place.write(
        "w.nn",
        "data \"orders.csv\" window=3 horizon=1 { input size; target price }\nflatten\ndense 1\nloss mse\nepochs 1\n",
    );
    place.nnc(&["train", "w.nn", "-q", "--out", "w"]).fine();
    let windows = place.nnc_with(&["predict", "w", "--stream"], NEW);
    assert!(windows.code == 2 && windows.err.contains("several rows at once"), "{}", windows.err);
    // A network whose columns have no names takes lines with and without them.
    place.spec("xor.nn");
    place.nnc(&["train", "xor.nn", "-q", "--out", "xor"]).fine();
    place.write("bits.csv", "0,1\n1,1\n");
    let file = place.nnc(&["predict", "xor", "--data", "bits.csv"]).fine();
    assert_eq!(place.nnc_with(&["predict", "xor", "--stream"], "0,1\n1,1\n").fine(), file);
    assert_eq!(place.nnc_with(&["predict", "xor", "--stream"], "a,b\n0,1\n1,1\n").fine(), file);
}
