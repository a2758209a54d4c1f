//! Several targets of different kinds, each with its loss and metric, told under the names of the outputs; and rows that
//! have no answer or no part in a figure.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;

/// Colours by `a`, prices by `b`, and whether both are large.
fn shop() -> Place {
    let place = Place::new();
    let mut rows = String::from("a,b,kind,price,sold\n");
    for i in 0..120 {
        let (a, b) = (f64::from(i * 37 % 120) / 120.0, f64::from(i * 71 % 120) / 120.0);
        let kind = ["red", "green", "blue"][(a * 3.0) as usize];
        let sold = if a + b > 1.0 { "yes" } else { "no" };
        rows.push_str(&format!("{a:.4},{b:.4},{kind},{:.1},{sold}\n", 1000.0 + 500.0 * b));
    }
    place.write("shop.csv", &rows);
    place.write(
        "shop.nn",
        "\
data \"shop.csv\" { input a b; target kind; target price standardize; target sold }
body = dense 32 relu
kind_out = body -> dense 3 softmax
price_out = body -> dense 1
sold_out = body -> dense 1 sigmoid
output kind_out price_out sold_out
loss = crossentropy(kind_out, kind) + 0.5 * mse(price_out, price) + binary_crossentropy(sold_out, sold)
metrics k=(accuracy(kind_out, kind)) p=(mae(price_out, price)) s=(binary_accuracy(sold_out, sold))
optimizer adam lr=0.02
epochs 60; batch 16
",
    );
    place
}

#[test]
fn a_class_a_number_and_a_yes_or_no_are_learned_at_once() {
    let place = shop();
    place.nnc(&["train", "shop.nn", "--out", "run", "-q"]).fine();
    let told = place.nnc(&["eval", "run", "--json"]).json();
    let rows = place.nnc(&["predict", "run", "--data", "shop.csv", "--full", "--json"]).json();
    let rows = rows["rows"].as_array().unwrap();
    let (mut kinds, mut sold, mut far) = (0.0, 0.0, 0.0);
    for row in rows {
        kinds += f64::from(u8::from(row["kind_out"] == row["kind"]));
        sold += f64::from(u8::from(row["sold_out"] == row["sold"]));
        far += (row["price_out"].as_f64().unwrap() - row["price"].as_f64().unwrap()).abs();
    }
    let n = rows.len() as f64;
    assert_eq!(n, 120.0);
    // Answers are class names, and prices in the units of the file; metrics are of the same answers.
    for (name, wanted, within) in [("k", kinds / n, 1e-6), ("s", sold / n, 1e-6), ("p", far / n, 1e-2)] {
        let got = told["metrics"][name].as_f64().unwrap();
        assert!((got - wanted).abs() <= within, "{name}: {got}, from the answers {wanted}");
    }
    assert!(kinds / n > 0.9 && sold / n > 0.9 && far / n < 40.0, "{told}");
    let table = place.nnc(&["predict", "run", "--data", "shop.csv"]).fine();
    let head = table.lines().next().unwrap();
    assert_eq!(head, "kind_out,kind_out.blue,kind_out.green,kind_out.red,price_out,sold_out,sold_out.yes");
}

#[test]
fn a_target_that_no_loss_uses_is_told_among_others() {
    let place = shop();
    let text = std::fs::read_to_string(place.path("shop.nn")).unwrap();
    let text = text
        .replace(" + binary_crossentropy(sold_out, sold)", "")
        .replace(" s=(binary_accuracy(sold_out, sold))", "");
    place.write("less.nn", &text);
    let ran = place.nnc(&["check", "less.nn"]);
    assert!(format!("{}{}", ran.out, ran.err).contains("N0419"), "{}{}", ran.out, ran.err);
}

#[test]
fn rows_of_another_width_have_an_empty_answer_that_is_told() {
    let place = shop();
    place.nnc(&["train", "shop.nn", "--out", "run", "-q", "--epochs", "2"]).fine();
    place.write(
        "new.csv",
        "a,b,kind,price,sold\n0.1,0.2,red,1100,no\n0.5,0.9\n0.9,0.9,blue,1450,yes\n0.1,0.2,red,1100,no,7\n",
    );
    let ran = place.nnc(&["predict", "run", "--data", "new.csv"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let answers: Vec<&str> = ran.out.lines().skip(1).collect();
    assert_eq!(answers.len(), 4, "{}", ran.out);
    let empty = |line: &str| line.chars().all(|c| c == ',');
    assert_eq!(answers.iter().map(|l| empty(l)).collect::<Vec<_>>(), [false, true, false, true]);
    assert!(ran.err.contains("new.csv:3") && ran.err.contains("3 too few"), "{}", ran.err);
    assert!(ran.err.contains("new.csv:5") && ran.err.contains("one too many"), "{}", ran.err);
    // A rule for gaps would not help.
    assert!(!ran.err.contains("missing=mean"), "{}", ran.err);
}

#[test]
fn rows_that_missing_drop_leaves_out_are_counted() {
    let place = Place::new();
    place.write("d.csv", "a,b,y\n1,2,3\n2,,4\n3,1,5\n4,2,6\n5,,7\n6,3,8\n");
    place.write("d.nn", "data \"d.csv\" { input a b missing=drop; target y }\ndense 1\nloss mse\noptimizer sgd lr=0.01\nepochs 2\n");
    place.nnc(&["train", "d.nn", "--out", "run", "-q"]).fine();
    let ran = place.nnc(&["eval", "run", "--data", "d.csv"]);
    assert!(ran.err.contains("leaves out 2 of 6 rows of `d.csv`: `b` is missing in 2"), "{}", ran.err);
    let json = place.nnc(&["eval", "run", "--data", "d.csv", "--json"]).json();
    assert_eq!((json["rows"].as_u64(), json["left_out"].as_u64()), (Some(4), Some(2)), "{json}");
}

#[test]
fn what_is_not_read_is_told_of_every_file() {
    let place = Place::new();
    place.write("d.csv", "# by hand\na,b,y\n1,2,3 # seen\n2,,4\n3,1,5\n4,2,6\n5,NA,7\n6,3,8\nTotal,9,9\n");
    place.write("t.csv", "a,b,y\n1,2,3\n,2,5\nTotal,9,9\n");
    let head = "data \"d.csv\" comment=\"#\" skip_last=1 { input a b missing=drop; target y missing=drop }";
    place.write(
        "d.nn",
        &format!("{head}\ntest \"t.csv\"\ndense 1\nloss mse\noptimizer sgd lr=0.01\nepochs 2\n"),
    );
    let lines = "2 lines of `d.csv` are not read: 1 comment, 1 by skip_last=";
    let (gaps, test) =
        ("2 of 6 rows of `d.csv`: `b` is missing in 2", "1 of 2 rows of `t.csv`: `a` is missing in 1");
    let flat = |text: &str| text.split_whitespace().filter(|w| *w != "|").collect::<Vec<_>>().join(" ");
    let ran = place.nnc(&["train", "d.nn", "--out", "run"]);
    for told in [
        lines,
        gaps,
        test,
        "1 line of `d.csv` is read as far as a comment in it",
        "1 line of `t.csv` is not read",
    ] {
        assert!(flat(&ran.err).contains(told), "{told}: {}", ran.err);
    }
    let ran = place.nnc(&["eval", "run", "--data", "d.csv"]);
    assert!(flat(&ran.err).contains(lines) && flat(&ran.err).contains(gaps), "{}", ran.err);
    let ran = place.nnc(&["eval", "run"]);
    assert!(flat(&ran.err).contains("1 of 2 rows of") && !ran.err.contains("2 of 6"), "{}", ran.err);
    let ran = place.nnc(&["predict", "run", "--data", "d.csv"]);
    assert!(flat(&ran.err).contains(lines) && ran.err.contains("2 of 6 rows have no answer"), "{}", ran.err);
    // A file of one's own is all the data there is.
    let ran = place.nnc(&["train", "d.nn", "--data", "d.csv", "--out", "run"]);
    assert!(
        flat(&ran.err).contains("`test` of this program is not read: with --data, `d.csv` is all"),
        "{}",
        ran.err
    );
    assert!(!ran.err.contains("t.csv`:"), "{}", ran.err);
}

#[test]
fn pictures_that_are_passed_over_are_told_where_a_model_is_used() {
    let place = Place::new();
    let picture = |name: &str| {
        // One pixel of 24 bits.
        let words = [58u32, 0, 54, 40, 1, 1, 1 | 24 << 16, 0, 4, 0, 0, 0, 0, 0x0030_2010];
        let pixel: Vec<u8> =
            b"BM".iter().copied().chain(words.iter().flat_map(|w| w.to_le_bytes())).collect();
        std::fs::create_dir_all(place.path(name).parent().unwrap()).unwrap();
        std::fs::write(place.path(name), pixel).unwrap();
    };
    ["m/a/1.bmp", "m/b/1.bmp", "new/1.bmp", "new/2.bmp", "new/3.heic"].iter().for_each(|n| picture(n));
    place.write("m.nn", "data images \"m\" 2x2x3\nflatten\ndense 2 softmax\nloss crossentropy\nepochs 1\n");
    place.nnc(&["train", "m.nn", "--out", "run", "-q"]).fine();
    let ran = place.nnc(&["predict", "run", "--data", "new"]);
    assert_eq!(ran.out.lines().count(), 3, "{}", ran.out);
    assert!(ran.err.contains("1 .heic"), "{}", ran.err);
}
