//! Sequences of different lengths, from the file to the answers.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;

fn number(i: usize, t: usize) -> f64 {
    ((i * 7 + t * 3) % 11) as f64 / 5.0 - 0.97
}

fn steps(i: usize) -> usize {
    1 + i * 5 % 6
}

/// The same series: a row for each step, and a row for each of them.
fn tables() -> [String; 2] {
    let (mut long, mut wide) = (String::from("id,x,y\n"), String::from("a,b,c,d,e,f,y\n"));
    for i in 0..24 {
        let y = format!("{:.2}", ((i * 5) % 7) as f64 / 3.0);
        let cell = |t: usize| if t < steps(i) { format!("{:.2}", number(i, t)) } else { "-9".into() };
        (0..steps(i)).for_each(|t| long += &format!("{i},{},{y}\n", cell(t)));
        wide += &format!("{},{y}\n", (0..6).map(cell).collect::<Vec<_>>().join(","));
    }
    [long, wide]
}

/// What a program says after training.
fn said(place: &Place, program: &str) -> String {
    place.write("net.nn", program);
    place.nnc(&["train", "net.nn", "-q", "--out", "run", "--overwrite"]).fine();
    place.nnc(&["predict", "run"]).fine() + &place.nnc(&["eval", "run", "--on", "all", "--json"]).fine()
}

/// The mask that data of different lengths brings is the one that a program can give.
#[test]
fn the_mask_reaches_the_model_without_being_written() {
    let place = Place::new();
    let [long, wide] = tables();
    place.write("long.csv", &long);
    place.write("wide.csv", &wide);
    let rest = "loss mse\nmetrics mae\noptimizer adam lr=0.01\nepochs 5\nbatch 7\n";
    for network in [
        "lstm 4\ndense 1",
        "dense 3 tanh\ngru 4 both\ndense 1",
        "dense 3\nlstm 3 sequence\nglobal_maxpool\ndense 1",
        "dense 4\nattention 2\nglobal_avgpool\ndense 1",
        "sums = scan x in it with s = zeros([1]) { s = s + x }\nconcat(s, s) -> dense 1",
    ] {
        let given = "data \"wide.csv\"\nreshape 6x1\nwith_mask(it, where(input > -4, 1, 0))";
        let brought = "data \"long.csv\" window=all by=id { input x; target y }";
        let expected = said(&place, &format!("{given}\n{network}\n{rest}"));
        assert_eq!(said(&place, &format!("{brought}\n{network}\n{rest}")), expected, "{network}");
    }
}

/// Series to test with may be longer than all that training has, where the program leaves room for them.
#[test]
fn room_is_left_for_longer_series() {
    let place = Place::new();
    place.write("long.csv", &tables()[0]);
    let longer: String = (0..8).map(|t| format!("90,0.{t},1.5\n")).collect();
    place.write("test.csv", &format!("id,x,y\n{longer}91,0.5,0.3\n"));
    let program = |room: &str| {
        format!(
            "data \"long.csv\" window=all by=id {room} {{ input x; target y }}\ntest \"test.csv\"\nlstm 3\ndense 1\nloss mse\noptimizer adam\nepochs 2\n"
        )
    };
    place.write("net.nn", &program(""));
    let ran = place.nnc(&["train", "net.nn", "-q", "--out", "run"]);
    assert!(
        ran.code == 2 && ran.err.contains("max_length=8 in the program makes room for it"),
        "{}",
        ran.err
    );
    place.write("net.nn", &program("max_length=8"));
    let wide = place.nnc(&["train", "net.nn", "--json", "-q", "--out", "run"]).json();
    assert!(wide["test"]["loss"].as_f64().unwrap() > 0.0, "{wide}");
    // Room that nobody needs changes nothing.
    place.write("net.nn", &program("max_length=20"));
    let wider = place.nnc(&["train", "net.nn", "--json", "-q", "--out", "run2"]).json();
    assert!(
        (wide["loss"].as_f64().unwrap() - wider["loss"].as_f64().unwrap()).abs() < 1e-6,
        "{wide} {wider}"
    );
}

#[test]
fn lengths_are_told() {
    let place = Place::new();
    place.write("long.csv", &tables()[0]);
    let text =
        "data \"long.csv\" window=all by=id max_length=4 { input x; target y }\nlstm 4\ndense 1\nloss mse\n";
    place.write("net.nn", text);
    let out = place.nnc(&["data", "net.nn"]);
    let shown = out.fine();
    assert!(shown.contains("24 series (one for each id) of 1 to 4 steps, median 4"), "{shown}");
    assert!(shown.contains("[4, 1]"), "{shown}");
}

#[test]
fn mistakes_say_what_to_write() {
    let place = Place::new();
    place.write("long.csv", &tables()[0]);
    let says = |data: &str, what: &str| {
        place.write("net.nn", &format!("data \"long.csv\" {data}\nlstm 4\ndense 1\nloss mse\n"));
        let out = place.nnc(&["check", "net.nn"]);
        assert!(out.err.contains(what), "{data}: {}", out.err);
    };
    says("window=all { input x; target y }", "window=all by=NAME");
    says(
        "window=every by=id { input x; target y }",
        "`window` is a number of rows, or `all` rows of a series",
    );
    says(
        "window=all horizon=2 by=id { input x; target y }",
        "`horizon` counts rows from the end of a window",
    );
    says("window=3 by=id max_length=4 { input x; target y }", "window=all by=NAME max_length=200");
    says("window=all by=id max_length=0 { input x; target y }", "leaves nothing to read");
    says("window=all by=id { input x sequence; target y }", "every input has a value for every step");
    says("window=all by=id { input y; target x }", "target x sequence");
}
