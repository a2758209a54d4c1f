//! One answer for every row of a file, beside the file's own cells.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;
use serde_json::Value;

/// A trained network: numbers with a rule for gaps, a category, columns that are not read.
fn shop() -> Place {
    let place = Place::new();
    let mut text = String::from("order,size,colour,when,gift,price\n");
    for i in 0..60 {
        let (size, colour) = (i % 7, ["red", "blue"][i % 2]);
        let gift = if i % 3 == 0 { "yes" } else { "no" };
        text += &format!(
            "9007199254740{i:03},{size}.50,{colour},2024-0{}-15,{gift},{}\n",
            1 + i % 9,
            100 + 10 * size
        );
    }
    place.write("orders.csv", &text);
    place.write(
        "shop.nn",
        "data \"orders.csv\" { drop order gift; target price standardize\n\
         input size standardize missing=drop; input colour one_hot; input when date }\n\
         dense 4 relu; dense 1; loss mse; optimizer adam; epochs 2\n",
    );
    place.nnc(&["train", "shop.nn", "-q", "--out", "run"]).fine();
    place
}

const NEW: &str = "colour,order,size,when,price\nred,0012,1.50,2024-02-29,\n\n\"blue\",13,,2024-12-01,7\n\
                   green,14,2,2024-12-02,8\nred,15,three,2024-12-03,9\nred,16,4,someday,10\nblue,17,.5,2024-01-01,11\n";

#[test]
fn every_row_has_its_line() {
    let place = shop();
    place.write("new.csv", NEW);
    let said = place.nnc(&["predict", "run", "--data", "new.csv"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines.len(), 1 + 6, "{}", said.out);
    assert_eq!(lines[2..6], ["\"\""; 4], "{}", said.out);
    assert!(lines[1].parse::<f64>().is_ok() && lines[6].parse::<f64>().is_ok(), "{}", said.out);
    // What is said names the row, its line in the file, and why.
    for told in [
        "4 of 6 rows have no answer",
        "new.csv:4: row 2: `size` is missing",
        "new.csv:5: row 3: training never saw `green` in `colour`",
        "new.csv:6: row 4: `three` is not a number",
        "new.csv:7: row 5: `someday` is no date",
    ] {
        assert!(said.err.contains(told), "{told}\n{}", said.err);
    }
    let rows = place.nnc(&["predict", "run", "--data", "new.csv", "--json"]).json();
    let rows = rows["rows"].as_array().unwrap();
    let numbers: Vec<u64> = rows.iter().map(|r| r["row"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    let json: Vec<Option<f64>> = rows.iter().map(|r| r["output"].as_f64()).collect();
    let csv: Vec<Option<f64>> = lines[1..].iter().map(|l| l.parse().ok()).collect();
    assert_eq!(json, csv);
    assert!(rows[1]["output"].is_null() && rows[1].as_object().unwrap().contains_key("output"));
}

#[test]
fn cells_are_those_of_the_file() {
    let place = shop();
    place.write("new.csv", NEW);
    let full = place.nnc(&["predict", "run", "--data", "new.csv", "--full", "--round"]).fine();
    let rows: Vec<&str> = full.lines().map(|l| l.rsplit_once(',').unwrap().0).collect();
    let file: Vec<String> = NEW.lines().filter(|l| !l.is_empty()).map(|l| l.replace('"', "")).collect();
    assert_eq!(rows, file);
    assert_eq!(full.lines().next().unwrap(), "colour,order,size,when,price,output");
    // Stdin can be read once only, and says the same.
    let piped = place.nnc_with(&["predict", "run", "--data", "-", "--full", "--round"], NEW).fine();
    assert_eq!(piped, full);
    // Some of the columns, in the order that is asked for.
    let with = place.nnc(&["predict", "run", "--data", "new.csv", "--with", "order,colour"]).fine();
    assert!(with.starts_with("order,colour,output\n0012,red,"), "{with}");
    assert!(with.contains("\n13,blue,\n14,green,\n"), "{with}");
    let json = place.nnc(&["predict", "run", "--data", "new.csv", "--full", "--json"]).json();
    let first = &json["rows"][0];
    // A number where the model reads numbers, and the text of what it does not read.
    assert_eq!(
        (&first["size"], &first["order"], &first["price"]),
        (&1.5.into(), &"0012".into(), &Value::Null)
    );
    let wrong = place.nnc(&["predict", "run", "--data", "new.csv", "--with", "ordr"]);
    assert_eq!((wrong.code, &*wrong.out), (2, ""));
    assert!(
        wrong.err.contains("`new.csv` has no column `ordr`") && wrong.err.contains("--with order"),
        "{}",
        wrong.err
    );
    // An answer by the name of a column that stands beside it is told apart.
    let own =
        "data \"orders.csv\" { input size; target price }; price = dense 1; output price; loss mse; epochs 1";
    place.write("own.nn", &own.replace("; ", "\n"));
    place.nnc(&["train", "own.nn", "-q", "--out", "own"]).fine();
    let said = place.nnc(&["predict", "own", "--with", "price"]).fine();
    assert!(said.starts_with("price,price.predicted\n100,"), "{said}");
}

/// What stands in for a gap, and the bucket of unknown categories, are not what the file says.
#[test]
fn what_stands_in_is_not_shown_for_the_cell() {
    let place = Place::new();
    let rows: String =
        (0..40).map(|i| format!("n{i},{},0.{},{}\n", i % 9, i % 7, ["u", "v"][i % 2])).collect();
    place.write("t.csv", &format!("name,a,b,kind,y\n{}", rows.replace('\n', ",1.5\n")));
    place.write(
        "p.nn",
        "data \"t.csv\" { drop name; target y; input a b standardize missing=mean; input kind one_hot unknown=other }\n\
         dense 1\nloss mse\nepochs 1\n",
    );
    place.nnc(&["train", "p.nn", "-q", "--out", "run"]).fine();
    let new = "name,a,b,kind\nx1,10,0.1,u\nx2,,0.35,zz\nx3,30,,v\n";
    place.write("new.csv", new);
    let full = place.nnc(&["predict", "run", "--data", "new.csv", "--full"]).fine();
    let cells: String = full.lines().map(|l| format!("{}\n", l.rsplit_once(',').unwrap().0)).collect();
    assert_eq!(cells, new);
    assert!(full.lines().skip(1).all(|l| l.rsplit_once(',').unwrap().1.parse::<f64>().is_ok()), "{full}");
}

#[test]
fn where_no_row_can_be_answered_that_is_a_mistake() {
    let place = shop();
    place.write("new.csv", "colour,size,when\ngreen,1,2024-01-01\nblack,2,2024-01-01\n");
    let said = place.nnc(&["predict", "run", "--data", "new.csv"]);
    assert_eq!((said.code, &*said.out), (2, ""));
    assert!(said.err.contains("training never saw `green` in `colour`"), "{}", said.err);
}

#[test]
fn windows_are_named_by_the_row_they_speak_of() {
    let place = Place::new();
    let rows: String = (1..=8).map(|i| format!("d{i},{i}.0,{}\n", 10 * i)).collect();
    place.write("s.csv", &format!("day,a,y\n{rows}"));
    place.write(
        "w.nn",
        "data \"s.csv\" window=3 horizon=2 { input a standardize; target y }\nflatten\ndense 1\nloss mse\nepochs 1\n",
    );
    let data = place.nnc(&["data", "w.nn", "--rows", "2"]).fine();
    let lines: Vec<Vec<&str>> = data.lines().map(|l| l.split_whitespace().collect()).collect();
    assert!(lines.contains(&vec!["1", "1", "10"]) && lines.contains(&vec!["6", "6", "60"]), "{data}");
    assert!(lines.iter().any(|l| l.first() == Some(&"1-3") && l[4..] == ["->", "5", "50"]), "{data}");
    assert!(data.contains("a[1]") && data.contains("a[3]"), "{data}");
    let trained = place.nnc(&["train", "w.nn", "--out", "run"]).fine();
    let row = trained.lines().find(|l| l.trim_start().starts_with("5 ")).unwrap();
    assert_eq!(row.split_whitespace().take(3).collect::<Vec<_>>(), ["5", "5", "50"], "{trained}");

    let full = place.nnc(&["predict", "run", "--full", "--round"]).fine();
    let rows: Vec<&str> = full.lines().map(|l| l.rsplit_once(',').unwrap().0).collect();
    assert_eq!(
        rows,
        ["row,day,a,y", "5,d5,5.0,50", "6,d6,6.0,60", "7,d7,7.0,70", "8,d8,8.0,80", "9,,,", "10,,,"]
    );
    let json = place.nnc(&["predict", "run", "--json", "--with", "day"]).json();
    let rows = json["rows"].as_array().unwrap();
    assert_eq!((&rows[0]["row"], &rows[0]["day"]), (&5.into(), &"d5".into()));
    assert_eq!((&rows[5]["row"], &rows[5]["after"], &rows[5]["ahead"]), (&10.into(), &8.into(), &2.into()));
}

#[test]
fn steps_of_a_class_are_no_categories() {
    let place = Place::new();
    let rows: String = (1..=8).map(|i| format!("{},{i}\n", ["x", "y"][i % 2])).collect();
    place.write("s.csv", &format!("kind,v\n{rows}"));
    place.write(
        "w.nn",
        "data \"s.csv\" window=2 horizon=1 { input kind category; input v; target v }\n\
         k = kind -> embed 2\nconcat(k, v)\nlstm 3\ndense 1\nloss mse\n",
    );
    let data = place.nnc(&["data", "w.nn"]).fine();
    assert!(data.contains("kind[1]  kind[2]  v[1]  v[2]"), "{data}");
}

/// Answers are written as they are computed: a table of some hundred thousand rows takes a few dozen megabytes.
#[test]
#[cfg(target_os = "linux")]
fn answers_take_no_memory() {
    use std::fmt::Write as _;
    let place = Place::new();
    let mut text = String::from("x,y\n");
    (0..300_000).for_each(|i| writeln!(text, "{},{}", i % 100, i % 7).unwrap());
    place.write("big.csv", &text);
    place.write("p.nn", "data \"big.csv\" { input x; target y }\ndense 1\nloss mse\nbatch 4096\nepochs 1\n");
    place.nnc(&["train", "p.nn", "-q", "--out", "run", "--threads", "1"]).fine();
    let nnc = env!("CARGO_BIN_EXE_nnc");
    let script =
        format!("ulimit -v 200000; exec {nnc} predict run --full --threads 1 --memory 128M > out.csv");
    let out =
        std::process::Command::new("sh").args(["-c", &script]).current_dir(place.path("")).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let said = std::fs::read_to_string(place.path("out.csv")).unwrap();
    assert_eq!(said.lines().count(), 300_001);
    assert!(
        said.ends_with('\n') && said.lines().last().unwrap().starts_with("99,0,"),
        "{}",
        &said[said.len() - 60..]
    );
}

/// A trained network of windows, whose inputs are scaled otherwise than its targets.
fn waves(by: &str) -> Place {
    let place = Place::new();
    let mut text = String::from("shop,a,b\n");
    for i in 0..40 {
        let x = f64::from(i) * 0.4;
        text += &format!("north,{:.4},{:.4}\n", 3.0 + x.sin(), 100.0 + 20.0 * x.cos());
        if !by.is_empty() {
            text += &format!("south,{:.4},{:.4}\n", 5.0 - x.sin(), 90.0 + 10.0 * x.cos());
        }
    }
    place.write("waves.csv", &text);
    place.write(
        "waves.nn",
        &format!(
            "data \"waves.csv\" window=4 horizon=1 {by} {{ drop shop; input a standardize; input b minmax\n\
             target a minmax; target b standardize }}\nflatten\ndense 6 tanh\ndense 2\nloss mse\noptimizer adam lr=0.01\nepochs 3\n"
        ),
    );
    place.nnc(&["train", "waves.nn", "-q", "--out", "run"]).fine();
    place
}

#[test]
fn forecasts_become_rows_of_the_next_windows() {
    let place = waves("");
    let ahead = place.nnc(&["predict", "run", "--ahead", "3"]).fine();
    let lines: Vec<&str> = ahead.lines().collect();
    assert_eq!((lines.len(), lines[0]), (4, "ahead,output.1,output.2"), "{ahead}");
    // The same by hand: each answer after the last row is written below the file.
    let mut file = std::fs::read_to_string(place.path("waves.csv")).unwrap();
    for (i, line) in lines[1..].iter().enumerate() {
        place.write("more.csv", &file);
        let said = place.nnc(&["predict", "run", "--data", "more.csv"]).fine();
        let numbers = |line: &str| -> Vec<f64> { line.split(',').map(|x| x.parse().unwrap()).collect() };
        let (step, said) = (numbers(line), numbers(said.lines().last().unwrap()));
        assert!(step[0] == (i + 1) as f64, "{line}");
        let near = step[1..].iter().zip(&said).all(|(a, b)| (a - b).abs() < 1e-4 * b.abs());
        assert!(near, "{line} is not {said:?}");
        file += &format!("north,{},{}\n", step[1], step[2]);
    }
    let rows = place.nnc(&["predict", "run", "--ahead", "2", "--json"]).json();
    assert_eq!((rows["rows"][1]["after"].as_u64(), rows["rows"][1]["row"].as_u64()), (Some(40), Some(42)));
}

#[test]
fn every_series_has_its_forecasts() {
    let place = waves("by=shop");
    let ahead = place.nnc(&["predict", "run", "--ahead", "2"]).fine();
    let begins: Vec<String> =
        ahead.lines().map(|l| l.split(',').take(2).collect::<Vec<_>>().join(",")).collect();
    assert_eq!(begins, ["ahead,shop", "1,north", "2,north", "1,south", "2,south"], "{ahead}");
}

/// Dates go on as they did, of every series its own, and in the form of the file; other columns have no cell.
#[test]
fn forecasts_have_their_dates() {
    let place = Place::new();
    let mut text = String::from("day,shop,weather,sold\n");
    for i in 0..31 {
        let sold = f64::from(i % 7);
        text += &format!("{}.12.2023,north,{},{sold}\n", i + 1, ["sun", "rain", "snow"][i as usize % 3]);
        if i % 7 == 0 {
            text += &format!("{}.12.2023,south,sun,{}\n", i + 1, sold + 10.0);
        }
    }
    let text = text.replace("\n1.", "\n01.").replace("\n2.", "\n02.").replace("\n3.", "\n03.");
    let text = (4..10).fold(text, |t, d| t.replace(&format!("\n{d}."), &format!("\n0{d}.")));
    place.write("sold.csv", &text);
    place.write(
        "sold.nn",
        "data \"sold.csv\" window=2 horizon=1 by=shop { drop day weather; input sold standardize; target sold standardize }\n\
         flatten\ndense 1\nloss mse\noptimizer adam\nepochs 2\n",
    );
    place.nnc(&["train", "sold.nn", "-q", "--out", "run"]).fine();
    let beside = |said: String| -> Vec<String> {
        said.lines().skip(1).map(|l| l.rsplit_once(',').unwrap().0.to_string()).collect()
    };
    let said = place.nnc(&["predict", "run", "--ahead", "2", "--with", "day,weather,shop"]).fine();
    let wanted = ["1,05.01.2024,,south", "2,12.01.2024,,south", "1,01.01.2024,,north", "2,02.01.2024,,north"];
    assert_eq!(beside(said), wanted);
    // What comes after the last row of a series has its date without `--ahead` too.
    let said = place.nnc(&["predict", "run", "--full"]).fine();
    assert_eq!(beside(said).iter().filter(|l| l.contains(".01.2024")).count(), 2);
}

#[test]
fn forecasts_need_the_rows_to_come() {
    let place = waves("");
    let program = std::fs::read_to_string(place.path("waves.nn")).unwrap();
    place.write("one.nn", &program.replace("; target b standardize", "").replace("dense 2", "dense 1"));
    place.nnc(&["train", "one.nn", "-q", "--out", "one"]).fine();
    let said = place.nnc(&["predict", "one", "--ahead", "2"]);
    assert!(said.code != 0 && said.err.contains("`b` is an input and no target"), "{}", said.err);
    place.write("far.nn", &program.replace("horizon=1", "horizon=2"));
    place.nnc(&["train", "far.nn", "-q", "--out", "far"]).fine();
    let said = place.nnc(&["predict", "far", "--ahead", "2"]);
    assert!(said.code != 0 && said.err.contains("not the one row after its window"), "{}", said.err);
    let said = shop().nnc(&["predict", "run", "--ahead", "2"]);
    assert!(said.code != 0 && said.err.contains("is for a network of windows"), "{}", said.err);
}

/// An array of pictures of 2 by 2 bytes.
fn pictures(bytes: &[u8]) -> Vec<u8> {
    let header =
        format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({}, 2, 2), }}", bytes.len() / 4);
    let mut npy = b"\x93NUMPY\x01\x00".to_vec();
    npy.extend(118u16.to_le_bytes());
    npy.extend(header.bytes());
    npy.resize(127, b' ');
    npy.push(b'\n');
    npy.extend(bytes);
    npy
}

/// Whether bytes are shares of 255 is decided by the training file, and for
/// every file that is answered: the network here adds up its picture.
#[test]
fn bytes_are_read_as_in_training() {
    let place = Place::new();
    let write = |name: &str, bytes: &[u8]| std::fs::write(place.path(name), pictures(bytes)).unwrap();
    write("drawn.npy", &[0, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
    write("grey.npy", &[0, 1, 255, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
    write("dark.npy", &[0; 16]);
    write("ones.npy", &[1, 1, 1, 0, 0, 0, 0, 0]);
    write("full.npy", &[255, 255, 0, 0, 255, 0, 0, 0]);
    let answers = |train: &str, new: &str| {
        place.write(
            "sum.nn",
            &format!(
                "data \"{train}.npy\" -> \"{train}.npy\"\nflatten\ndense 1 bias=no init=ones\n\
                 loss = mean(output^2)\noptimizer sgd lr=0\nepochs 1\n"
            ),
        );
        place.nnc(&["train", "sum.nn", "-q", "--out", train, "--overwrite"]).fine();
        let out = place.nnc(&["predict", train, "--data", new]).fine();
        out.lines().skip(1).map(|l| l.parse::<f64>().unwrap()).collect::<Vec<_>>()
    };
    let close = |a: &[f64], b: [f64; 2]| a.len() == 2 && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
    // Drawings in two colours stay 0 and 1.
    for (train, new, right) in [
        ("drawn", "ones.npy", [3.0, 0.0]),
        ("drawn", "full.npy", [510.0, 255.0]),
        ("grey", "ones.npy", [3.0 / 255.0, 0.0]),
        ("grey", "full.npy", [2.0, 1.0]),
        // Nothing but 0 may be a dark picture.
        ("dark", "full.npy", [2.0, 1.0]),
    ] {
        let got = answers(train, new);
        assert!(close(&got, right), "{train} {new}: {got:?}");
    }
    // And what is of another size is told.
    for (train, new, help) in [
        ("drawn", "full.npy", "divide them by 255"),
        ("grey", "ones.npy", "multiply them by 255"),
        ("drawn", "ones.npy", ""),
        ("grey", "full.npy", ""),
        ("grey", "drawn.npy", "multiply them by 255"),
        ("dark", "full.npy", ""),
    ] {
        answers(train, new);
        for command in ["predict", "eval"] {
            let run = ["--data", new];
            let said = place.nnc(&[&[command, train], &run[..]].concat());
            if command == "eval" && said.code != 0 {
                continue; // There is no target beside the pictures.
            }
            assert_eq!(said.err.contains("N0562"), !help.is_empty(), "{train} {new}\n{}", said.err);
            assert!(said.err.contains(help), "{train} {new}\n{}", said.err);
        }
    }
}

#[test]
fn numbers_of_another_size_are_told() {
    let place = Place::new();
    let rows = |f: &dyn Fn(usize) -> f64| -> String {
        let row = |i: usize| format!("{},{},{}\n", f(i), 1 + i % 5, 2 * (i % 7));
        format!("weight,n,y\n{}", (0..40).map(row).collect::<String>())
    };
    let kilograms = |i: usize| (i % 9) as f64 * 0.25 - 0.5;
    place.write("t.csv", &rows(&kilograms));
    place.write("p.nn", "data \"t.csv\" { input rest standardize; target y }\ndense 1\nloss mse\nepochs 1\n");
    place.nnc(&["train", "p.nn", "-q", "--out", "run"]).fine();
    let said = |file: &str, text: &str| {
        place.write(file, text);
        let ran = place.nnc(&["predict", "run", "--data", file]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.err
    };
    let grams = said("grams.csv", &rows(&|i| 1000.0 * kilograms(i)));
    assert!(grams.contains("N0562") && grams.contains("`weight`") && grams.contains("up to 1500"), "{grams}");
    assert!(grams.contains("those of training to 1.5") && !grams.contains("`n`"), "{grams}");
    // A few times as large is no other unit, and one wrong cell is no file of them; neither is a smaller number.
    for text in [
        rows(&|i| 20.0 * kilograms(i)),
        rows(&|i| if i == 7 { 9000.0 } else { kilograms(i) }),
        rows(&|i| 0.001 * kilograms(i)),
    ] {
        let fine = said("fine.csv", &text);
        assert!(!fine.contains("N0562"), "{fine}");
    }
    // Files of the program are compared, too; what is scaled by a logarithm has every size.
    for (scaling, told) in [("standardize", true), ("log", false)] {
        place.write("t.csv", &rows(&|i| 1.0 + i as f64));
        place.write("v.csv", &rows(&|i| 1e4 + i as f64));
        let data = format!("data \"t.csv\" {{ input weight {scaling}; target y }}\nvalid \"v.csv\"\n");
        place.write("q.nn", &format!("{data}dense 1\nloss mse\n"));
        assert_eq!(place.nnc(&["check", "q.nn"]).err.contains("N0562"), told, "{scaling}");
    }
}
