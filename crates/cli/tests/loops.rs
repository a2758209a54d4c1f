//! Loops as a user meets them: long sequences, random numbers in a body, what a body may and may not do.

#![allow(clippy::unwrap_used)]

mod common;

use common::Place;

fn program(steps: usize, layer: &str) -> String {
    format!(
        "data uniform 6 dims={steps} seed=1 {{ input rest }}\nxs = input -> reshape {steps}x1\nxs -> {layer}\n\
         loss = mean(it^2)\noptimizer adam\nepochs 2\nbatch 3\n"
    )
}

/// A program, the arguments, how it ends.
fn run(text: &str, args: &[&str]) -> common::Ran {
    let place = Place::new();
    place.write("net.nn", text);
    place.nnc(args)
}

#[test]
fn the_length_of_a_sequence_does_not_change_the_size_of_the_graph() {
    for layer in ["rnn 4", "lstm 4", "gru 4 both", "lstm 4 sequence"] {
        for stage in ["forward", "backward", "step"] {
            let lines = |steps: usize| {
                let ran = run(&program(steps, layer), &["graph", "net.nn", "--stage", stage]);
                assert_eq!(ran.code, 0, "{}", ran.err);
                ran.out.lines().count()
            };
            assert_eq!(lines(16), lines(4096), "{layer}, {stage}");
        }
    }
}

#[test]
fn every_way_to_draw_knows_the_body_of_a_loop() {
    for (format, words) in [("dot", "from carry 0"), ("json", "\"regions\""), ("text", "region @")] {
        let ran = run(&program(5, "lstm 2"), &["graph", "net.nn", "--stage", "step", "--format", format]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.contains(words), "{format}: {}", ran.out);
    }
}

/// The loss after two epochs, in full digits.
fn loss(text: &str, args: &[&str]) -> String {
    let place = Place::new();
    place.write("net.nn", text);
    let ran = place.nnc(&[&["train", "net.nn", "--out", "run", "-q"], args].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let history = std::fs::read_to_string(place.path("run/history.csv")).expect("a history");
    history.lines().last().unwrap_or_default().split(',').nth(1).unwrap_or_default().to_string()
}

#[test]
fn threads_and_length_of_batches_change_no_bit() {
    for layer in ["lstm 16 sequence; rnn 8", "gru 32"] {
        let text = program(40, layer);
        let one = loss(&text, &["--threads", "1"]);
        assert!(!one.is_empty());
        assert_eq!(one, loss(&text, &["--threads", "2"]), "{layer}");
        assert_eq!(one, loss(&text, &["--threads", "3"]), "{layer}");
    }
}

/// What a body computes: noise of its own in every step, names from outside that it gives new values, a last value
/// of a name that is not carried, loops in loops, and a scalar that becomes one for every sample.
#[test]
fn bodies_do_what_they_say() {
    let head = "data uniform 8 dims=6 seed=1 { input rest }\nxs = input -> reshape 3x2\n";
    let tail = "\noptimizer sgd lr=0\nepochs 1\nbatch 8\n";
    for (body, value) in [
        // 0 + 1 + 1 + 1, for every sample.
        ("n = zeros([1])\nscan x in xs { n = n + 1 }\nloss = mean(n)\nn + 0 * sum(input)", 3.0),
        // The last turn's value of a name of the body.
        (
            "k = 5\nscan x in xs with h = zeros([1]) { y = h * 2; h = h + 1 }\nloss = mean(y)\ny + 0 * sum(input)",
            4.0,
        ),
        // 3 times 2 turns.
        (
            "scan x in xs with h = zeros([1]) { scan v in x with g = h { g = g + 1 }; h = g }\nloss = mean(h)\n\
             h + 0 * sum(input)",
            6.0,
        ),
        // A carry that only the body makes one value for each sample.
        (
            "weight u[3, 2] = ones\nscan v in u with h = zeros([1]) { h = h + 0 * sum(input) + v[0] }\n\
             loss = mean(h)\nh",
            3.0,
        ),
        // Classes and predicates that the body turns into another kind.
        ("scan x in xs with h = argmax(0 * xs[0]) { h = h > 0 }\nloss = mean(h)\nh + 0 * sum(input)", 0.0),
        ("scan x in xs with h = (xs[0] < 2) { h = h * 2 }\nloss = mean(h)\nh", 8.0),
        (
            "scan x in xs with h = argmax(xs[0]) { h = argmax(x * 0) }\nloss = mean(one_hot(h))\none_hot(h)",
            0.5,
        ),
    ] {
        let text = format!("{head}{body}{tail}");
        let got: f64 = loss(&text, &[]).parse().unwrap_or(f64::NAN);
        assert!((got - value).abs() < 1e-6, "{got}, not {value}:\n{text}");
    }
}

#[test]
fn noise_differs_from_step_to_step() {
    let text = |n: usize| {
        format!(
            "data uniform 8 dims=6 seed=1 {{ input rest }}\nxs = input -> reshape 3x2\n\
             zs = scan x in xs {{ random_uniform(shape(x)) }}\nloss = mean((zs[0] - zs[{n}])^2)\nzs + 0 * xs\n\
             optimizer sgd lr=0\nepochs 1\n"
        )
    };
    let value = |n: usize| loss(&text(n), &[]).parse::<f64>().unwrap_or(f64::NAN);
    assert_eq!(value(0), 0.0);
    assert!(value(1) > 0.01 && value(2) > 0.01, "{} {}", value(1), value(2));
}

/// A mistake in a body leaves the layers after it their own weights.
#[test]
fn a_mistake_in_a_body_does_not_spread() {
    let text = "data { 0 1 -> 1; 1 0 -> 0 }\nscan x in input with h = zeros([3]) { h = concat(h, h) }\n\
                a = input -> dense 2\nb = input -> dense 3 -> dnse 1\nb\nloss mse\n";
    let ran = run(text, &["check", "net.nn"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("N0311") && ran.err.contains("dnse"), "{}", ran.err);
}
