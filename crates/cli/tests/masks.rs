//! Masks from the program to the numbers.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;

/// Series of at most five steps of one number, the rest padding that holds `padding`.
fn series(padding: &str) -> String {
    let mut text = String::from("a,b,c,d,e,y\n");
    for i in 0..24 {
        let long = 2 + i % 4;
        let step = |t: usize| match t < long {
            true => format!("{:.2}", ((i * 7 + t * 3) % 11) as f64 / 5.0 - 0.97),
            false => padding.to_string(),
        };
        let cells: Vec<String> = (0..5).map(step).collect();
        text += &format!("{},{:.2}\n", cells.join(","), ((i * 5) % 7) as f64 / 3.0);
    }
    text
}

/// The answers of a network that was trained on series with such padding.
fn said(network: &str, padding: &str) -> String {
    let place = Place::new();
    place.write("series.csv", &series(padding));
    place.write(
        "net.nn",
        &format!(
            "data \"series.csv\"\nreshape 5x1\nwith_mask(it, where(input > -4, 1, 0))\n{network}\nloss mse\nmetrics mae\n\
             optimizer adam lr=0.01\nepochs 5\nbatch 7\n"
        ),
    );
    place.nnc(&["train", "net.nn", "-q", "--out", "run"]).fine();
    let figures = place.nnc(&["eval", "run", "--on", "all", "--json"]).fine();
    place.nnc(&["predict", "run"]).fine() + &figures
}

/// What stands at a step of padding decides nothing.
#[test]
fn padding_is_left_out() {
    for network in [
        "lstm 4\ndense 1",
        "dense 3 tanh\ngru 4 both\ndense 1",
        "dense 3\nlstm 3 sequence\nglobal_maxpool\ndense 1",
        "dense 4\nattention 2\nglobal_avgpool\ndense 1",
        "h, c = it -> lstm 3 states\nconcat(h, c) -> dense 1",
        "sums = scan x in it with s = zeros([1]) { s = s + x }\nconcat(s, s) -> dense 1",
        "dense 2 tanh\nbatchnorm\nmean(it, axis=0) -> dense 1",
    ] {
        let without = said(network, "-5");
        assert_eq!(without, said(network, "-9"), "{network}");
        let read = said(&format!("with_mask(it, fill([5], 1))\n{network}"), "-5");
        assert_ne!(without, read, "{network}");
    }
}
