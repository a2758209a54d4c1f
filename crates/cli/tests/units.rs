//! What is told of a scaled target is told in the units of the file; and weights have names.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;
use serde_json::Value;

/// `x` and a target far from zero.
fn prices() -> (Place, Vec<f64>) {
    let place = Place::new();
    let y: Vec<f64> = (0..40).map(|i| 500.0 + 30.0 * f64::from(i % 11) + f64::from(i * i % 7)).collect();
    let rows: String = y.iter().enumerate().map(|(i, y)| format!("{},{y}\n", i % 11)).collect();
    place.write("t.csv", &format!("x,price\n{rows}"));
    (place, y)
}

fn metric(json: &Value, name: &str) -> f64 {
    json["metrics"][name].as_f64().unwrap_or_else(|| panic!("{name}: {json}"))
}

#[test]
fn metrics_are_in_the_units_of_the_file() {
    let (place, y) = prices();
    for scaling in ["standardize", "minmax", "scale=100", "log", "log standardize", ""] {
        let text = format!(
            "data \"t.csv\" {{ input x standardize; target price {scaling} }}\nsplit valid=25%\ndense 4 tanh\ndense 1\n\
             loss mse\nmetrics mae mse rmse mape r2 far=(mae(output, target))\noptimizer adam lr=0.05\nepochs 20\n"
        );
        place.write("p.nn", &text);
        let trained = place.nnc(&["train", "p.nn", "--json", "--out", "run", "-q"]).json();
        let told = place.nnc(&["eval", "run", "--on", "all", "--json"]).json();
        let said = place.nnc(&["predict", "run"]).fine();
        let said: Vec<f64> = said.lines().skip(1).map(|l| l.parse().unwrap()).collect();
        let mean = |f: &dyn Fn(f64, f64) -> f64| {
            said.iter().zip(&y).map(|(p, t)| f(*p, *t)).sum::<f64>() / y.len() as f64
        };
        let mse = mean(&|p, t| (p - t) * (p - t));
        let around = y.iter().sum::<f64>() / y.len() as f64;
        let variance = y.iter().map(|t| (t - around) * (t - around)).sum::<f64>() / y.len() as f64;
        for (name, wanted) in [
            ("mae", mean(&|p, t| (p - t).abs())),
            ("far", mean(&|p, t| (p - t).abs())),
            ("mse", mse),
            ("rmse", mse.sqrt()),
            ("mape", 100.0 * mean(&|p, t| ((p - t) / t).abs())),
            ("r2", 1.0 - mse / variance),
        ] {
            let got = metric(&told, name);
            assert!(
                (got - wanted).abs() <= 2e-3 * wanted.abs().max(0.05),
                "{scaling} {name}: {got} {wanted}"
            );
        }
        // The loss is what is trained, and the same figures stand in the history and the validation.
        if scaling == "standardize" {
            assert!(told["loss"].as_f64().unwrap() < 2.0, "{told}");
            assert!(metric(&trained["val"], "mae") > 2.0, "{trained}");
            let history = std::fs::read_to_string(place.path("run/history.csv")).unwrap();
            let head: Vec<&str> = history.lines().next().unwrap().split(',').collect();
            let last: Vec<&str> = history.lines().last().unwrap().split(',').collect();
            let at = head.iter().position(|h| *h == "mae").unwrap();
            assert_eq!(last[at].parse::<f64>().unwrap(), metric(&trained, "mae"));
        }
    }
}

#[test]
fn a_metric_of_the_scaled_target_says_so() {
    let (place, _) = prices();
    let check = |metrics: &str, scaling: &str| {
        let text = format!(
            "fn off(y, target) with better=lower = mean(abs(y - target))\n\
             fn good(y, target) with better=lower units=differences = mean(abs(y - target))\n\
             data \"t.csv\" {{ input x; target price {scaling} }}\ndense 1\nloss mse\nmetrics {metrics}\n"
        );
        place.write("p.nn", &text);
        let ran = place.nnc(&["check", "p.nn"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.err.contains("N0421")
    };
    assert!(check("e=(mean(output - target))", "minmax"));
    // Which of the two is the larger is the same in all units, unless these turn the order round; a limit is of one unit.
    for scaling in ["minmax", "log", "scale=100"] {
        assert!(!check("below=(mean(target < output))", scaling));
        assert!(check("dear=(mean(target > 600))", scaling));
        assert!(check("near=(mean(abs(target - output) < 10))", scaling));
    }
    assert!(
        !check("off", "")
            && !check("off good mae", "standardize")
            && !check("size=(mean(output^2))", "standardize")
    );
}

/// What a loss cannot take of a scaled target is told as it stands in the file, too.
#[test]
fn mistakes_about_a_scaled_target_have_the_numbers_of_the_file() {
    let (place, y) = prices();
    let (low, high) = y.iter().fold((f64::MAX, f64::MIN), |(a, b), y| (a.min(*y), b.max(*y)));
    let check = |scaling: &str, net: &str| {
        place.write("p.nn", &format!("data \"t.csv\" {{ input x; target price {scaling} }}\n{net}\n"));
        place.nnc(&["check", "p.nn"]).err
    };
    let flat = |said: &str| said.replace("\n  | ", " ");
    let sigmoid = "dense 1 sigmoid\nloss binary_crossentropy";
    let scaled = format!("`price` has values from {low} to {high}, which are scaled to");
    for scaling in ["scale=100", "standardize", "log", "log standardize"] {
        let said = check(scaling, sigmoid);
        assert!(said.contains("N0418") && flat(&said).contains(&scaled), "{scaling}\n{said}");
        assert!(!said.contains("unscaled"), "{said}");
    }
    let plain = check("", sigmoid);
    let values = format!("from {low} to {high}");
    assert!(flat(&plain).contains(&values) && !plain.contains("scaled"), "{plain}");
    // Where the file has what is wanted, the scaling is the mistake.
    let said = check("standardize", "dense 1 softplus\nloss poisson");
    assert!(said.contains("N0418") && said.contains("leave `price` unscaled"), "{said}");
}

#[test]
fn quantiles_of_a_scaled_target_are_told_in_its_units() {
    let (place, _) = prices();
    place.write(
        "p.nn",
        "fn pinball(y[n], target[n], q) { e = target - y; mean(max(q * e, (q - 1) * e)) }\n\
         data \"t.csv\" { input x standardize; target price scale=1000 }\nh = dense 8 tanh\n\
         lo = h -> dense 1\nhi = h -> dense 1\nother = h -> dense 1\noutput lo hi other\n\
         loss = pinball(lo, target, 0.1) + pinball(hi, target, 0.9) + mean(other^2)\n\
         optimizer adam lr=0.02\nepochs 300\n",
    );
    place.nnc(&["train", "p.nn", "-q", "--out", "run"]).fine();
    let said = place.nnc(&["predict", "run", "--json"]).json();
    for row in said["rows"].as_array().unwrap() {
        let [lo, hi, other] = ["lo", "hi", "other"].map(|name| row[name].as_f64().unwrap());
        assert!(lo > 300.0 && hi < 1200.0 && other.abs() < 1.0, "{row}");
    }
}

/// What is promised, what is kept as the best, and what folds tell are figures of the file too.
#[test]
fn promises_the_best_and_folds_are_in_the_units_of_the_file() {
    let (place, _) = prices();
    let program = "data \"t.csv\" { input x standardize; target price standardize }\nsplit valid=25%\n\
                   dense 1\nloss mse\nmetrics mae\noptimizer adam lr=0.1\nbatch all\nepochs 60\n";
    place.write("p.nn", program);
    let trained = place.nnc(&["train", "p.nn", "-q", "--json", "--out", "last"]).json();
    let mae = metric(&trained["val"], "mae");
    // A deviation of the target is about 95, so that these are below 0.05 of it.
    assert!(mae > 0.5, "{trained}");
    for (limit, code) in [(mae * 1.001, 0), (mae * 0.999, 1)] {
        place.write("q.nn", &format!("{program}expect val_mae < {limit}\n"));
        let ran = place.nnc(&["test", "q.nn"]);
        assert_eq!(ran.code, code, "{limit} {mae}: {}{}", ran.out, ran.err);
    }
    place.write("b.nn", &format!("{program}save best=val_mae\n"));
    let trained = place.nnc(&["train", "b.nn", "-q", "--json", "--out", "best"]).json();
    let best = trained["best"]["value"].as_f64().unwrap();
    let seen = |run: &str| metric(&place.nnc(&["eval", run, "--on", "valid", "--json"]).json(), "mae");
    assert!(best > 0.5 && best <= mae, "{best} {mae}");
    assert!((seen("best") - best).abs() < 1e-3 * best, "{} {best}", seen("best"));
    let told = place.nnc(&["train", "p.nn", "-q", "--json", "--folds", "3", "--out", "parts"]).json();
    let folds: Vec<f64> =
        told["folds"].as_array().unwrap().iter().map(|fold| metric(&fold["val"], "mae")).collect();
    assert!(folds.len() == 3 && folds.iter().all(|m| *m > 0.5), "{told}");
    let mean = folds.iter().sum::<f64>() / 3.0;
    assert!((metric(&told["val"], "mae") - mean).abs() < 1e-9 * mean, "{told}");
    let spread = (folds.iter().map(|m| (m - mean) * (m - mean)).sum::<f64>() / 2.0).sqrt();
    let said = metric(&told["deviation"]["val"], "mae");
    assert!((said - spread).abs() < 1e-9 * mean, "{said} {spread}");
}

#[test]
fn a_weight_has_a_name() {
    let place = Place::new();
    let rows: String =
        (0..30).map(|i| format!("{},{},{}\n", i % 5, [0.5, 3.0, 0.0][i % 3], u8::from(i % 4 > 1))).collect();
    place.write("t.csv", &format!("x,sw,y\n{rows}"));
    place.write(
        "p.nn",
        "data \"t.csv\" { input x; weight sw; target y }\ndense 1 sigmoid\nloss binary_crossentropy\n\
         metrics binary_accuracy wacc=(all_sum(sw * binary_accuracy(output, target)) / all_sum(sw))\n\
         optimizer adam lr=0.1\nepochs 5\n",
    );
    place.nnc(&["train", "p.nn", "-q", "--out", "run"]).fine();
    let told = place.nnc(&["eval", "run", "--on", "all", "--json"]).json();
    let said = place.nnc(&["predict", "run", "--with", "sw,y"]).fine();
    let (mut right, mut all, mut plain) = (0.0, 0.0, 0.0);
    for line in said.lines().skip(1) {
        let cells: Vec<f64> = line.split(',').map(|c| c.parse().unwrap()).collect();
        let hit = f64::from(u8::from((cells[2] > 0.5) == (cells[1] > 0.5)));
        right += cells[0] * hit;
        all += cells[0];
        plain += hit / 30.0;
    }
    assert!((metric(&told, "wacc") - right / all).abs() < 1e-6, "{told} {}", right / all);
    assert!((metric(&told, "binary_accuracy") - plain).abs() < 1e-6);
    assert!((right / all - plain).abs() > 1e-3);
}
