//! Two players: what `docs/games.md` says is so.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Place, specs};

/// The pages and the program say the same.
#[test]
fn the_page_shows_the_program() {
    let page = std::fs::read_to_string(specs().join("../docs/games.md")).unwrap();
    let program = std::fs::read_to_string(specs().join("gan.nn")).unwrap();
    let shown = page.split("```nn\n").nth(1).unwrap().split("```").next().unwrap();
    for line in shown.lines().filter(|l| !l.is_empty()) {
        assert!(program.lines().any(|l| l == line), "{line}");
    }
}

/// Points that are made lie where the data lies, and everywhere there.
#[test]
fn a_maker_learns_from_its_judge() {
    let place = Place::new();
    place.spec("gan.nn");
    place.nnc(&["train", "gan.nn", "--out", "run", "-q", "--epochs", "500"]).fine();
    let said = place.nnc(&["predict", "run", "--full"]).fine();
    let rows: Vec<Vec<f64>> = said
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect())
        .collect();
    assert_eq!(rows.len(), 1000);
    let nearest = |from: usize, to: usize| {
        let far = |a: &[f64], b: &[f64]| (a[from] - b[to]).hypot(a[from + 1] - b[to + 1]);
        let all = rows.iter().map(|a| rows.iter().map(|b| far(a, b)).fold(f64::INFINITY, f64::min));
        all.sum::<f64>() / rows.len() as f64
    };
    let (made, missed) = (nearest(2, 0), nearest(0, 2));
    assert!(made < 0.1 && missed < 0.2, "{made} {missed}");
    place.nnc(&["check", "gan.nn", "--gradients"]).fine();
}

/// The other uses of the page are programs, with gradients that agree.
#[test]
fn other_games_can_be_said() {
    let place = Place::new();
    for (name, text) in [
        (
            "wasserstein",
            "data moons 60 { target none }\nlayer judge { dense 8 tanh; dense 1 }\nshared tell = judge\n\
             fake = random_normal(shape(input)) -> dense 2\nturned = stop_gradient(2 * fake) - fake\n\
             real = input -> tell\nmade = turned -> tell\nx = stop_gradient(0.5 * input + 0.5 * fake)\n\
             rise = grad(sum((x -> tell)), x)\noutput fake\n\
             loss = mean(made - real) + 10 * (sqrt(sum(rise^2)) - 1)^2\noptimizer adam\nrate tell 2\nepochs 2\n",
        ),
        (
            "blind",
            "data { 0 1 1 -> 1; 1 1 0 -> 0; 1 0 1 -> 1; 0 0 0 -> 0 }\ncode = dense 4 tanh\nanswer = dense 1\n\
             hidden = stop_gradient(2 * code) - code\nguess = hidden -> dense 1\noutput answer\n\
             loss = mean((answer - target)^2) + mean((guess - input)^2)\noptimizer adam\nepochs 2\n",
        ),
    ] {
        let file = format!("{name}.nn");
        place.write(&file, text);
        place.nnc(&["train", &file, "--out", name, "-q"]).fine();
        place.nnc(&["check", &file, "--gradients"]).fine();
    }
}
