//! Experiments as a user does them: sweeps, comparisons, lists of runs, repetitions.

#![allow(clippy::unwrap_used)]

mod common;

use common::Place;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A program of two parameters that is trained in an instant.
const NET: &str = "param hidden = 4\nparam act = relu\nexperiment wide hidden=8\n\
    data { 0 0 -> 0; 0 1 -> 1; 1 0 -> 1; 1 1 -> 0 }\ndense hidden act\ndense 1 sigmoid\n\
    loss mse\noptimizer adam lr=0.02\nmetrics binary_accuracy\nepochs 300\nstop when binary_accuracy >= 1\n";

fn place() -> Place {
    let place = Place::new();
    place.write("net.nn", NET);
    place
}

fn read(place: &Place, name: &str) -> String {
    std::fs::read_to_string(place.path(name)).unwrap()
}

/// The columns of `results.csv` but for the seconds, which no two trainings share.
fn results(place: &Place, folder: &str) -> Vec<String> {
    let text = read(place, &format!("{folder}/results.csv"));
    let at = text.lines().next().unwrap().split(',').position(|n| n == "seconds").unwrap();
    let without = |line: &str| {
        let cells = line.split(',').enumerate().filter(|(i, _)| *i != at);
        cells.map(|(_, c)| c).collect::<Vec<_>>().join(",")
    };
    text.lines().map(without).collect()
}

#[test]
fn a_sweep_trains_what_single_commands_would() {
    let place = place();
    let sweep = ["sweep", "net.nn", "--set", "hidden=4,8", "--seeds", "3", "--json", "-q"];
    let json = place.nnc(&sweep).json();
    assert_eq!((json["trained"].as_u64(), json["complete"].as_bool()), (Some(6), Some(true)));
    let rows = results(&place, "runs/net/sweep-1");
    assert_eq!(rows[0], "hidden,seed,succeeded,succeeded_at,diverged,steps,epochs,loss,binary_accuracy");
    for (hidden, seed) in [("4", "0"), ("8", "2")] {
        let set = format!("hidden={hidden}");
        let alone = place.nnc(&["train", "net.nn", "--set", &set, "--seed", seed, "--json", "-q"]).json();
        let row = rows.iter().find(|r| r.starts_with(&format!("{hidden},{seed},"))).unwrap();
        let cells: Vec<&str> = row.split(',').collect();
        assert_eq!(cells[6], alone["epochs"].to_string());
        assert_eq!(cells[7].parse::<f64>().unwrap(), alone["loss"].as_f64().unwrap(), "{row}");
        let reached = !alone["stopped"].is_null();
        assert_eq!(cells[2], reached.to_string());
        assert_eq!(cells[3], if reached { alone["epochs"].to_string() } else { String::new() });
    }
    let point = &json["points"][1];
    assert_eq!((&point["set"]["hidden"], &point["trainings"]), (&"8".into(), &3.into()));
    // The table says the same, and no line of it is longer than a terminal.
    let table = place.nnc(&sweep[..6]).fine();
    assert!(table.starts_with("hidden  succeeded"), "{table}");
    assert!(table.lines().all(|l| l.chars().count() <= 88), "{table}");
}

#[test]
fn jobs_change_no_figure() {
    let place = place();
    let sweep = |jobs: &str, out: &str| {
        let args = ["sweep", "net.nn", "--experiments", "--seeds", "4", "--jobs", jobs, "--out", out, "-q"];
        let table = place.nnc(&args).fine();
        (table, results(&place, out))
    };
    assert_eq!(sweep("1", "one"), sweep("3", "three"));
}

#[test]
fn a_sweep_that_is_killed_goes_on_and_ends_with_the_same_table() {
    let place = place();
    // Long enough to be killed in the middle.
    let text = NET.replace("epochs 300\nstop when binary_accuracy >= 1", "epochs 1500");
    place.write("net.nn", &text);
    let args =
        |out: &'static str| ["sweep", "net.nn", "--set", "hidden=4,64,128", "--seeds", "40", "--out", out];
    let whole = place.nnc(&args("whole")).fine();
    let mut child = common::command(&place.path(""), &args("killed"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines =
        || std::fs::read_to_string(place.path("killed/results.jsonl")).unwrap_or_default().lines().count();
    let begin = Instant::now();
    while lines() < 5 && begin.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let there = lines();
    assert!((5..120).contains(&there), "{there} of 120 were done when it was killed");
    let ran = place.nnc(&args("killed"));
    assert!(ran.err.contains("goes on"), "{}", ran.err);
    assert_eq!(ran.fine(), whole);
    assert_eq!(results(&place, "killed"), results(&place, "whole"));
    let again = place.nnc(&args("killed"));
    assert!(again.err.contains("has all 120 trainings already"), "{}", again.err);
    assert_eq!(again.fine(), whole);
}

#[test]
fn a_changed_program_is_another_sweep() {
    let place = place();
    let args = ["sweep", "net.nn", "--seeds", "2", "-q", "--out", "s"];
    place.nnc(&args).fine();
    place.write("net.nn", &NET.replace("0.02", "0.03"));
    let ran = place.nnc(&args);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("as it was before it was changed"), "{}", ran.err);
    let before = results_of(&place);
    place.nnc(&["sweep", "net.nn", "--seeds", "2", "-q", "--out", "s", "--fresh"]).fine();
    assert_ne!(before, results_of(&place));
    // Without --out, each has its own folder.
    place.nnc(&args[..5]).fine();
    place.nnc(&["sweep", "net.nn", "--seeds", "3", "-q"]).fine();
    assert!(place.path("runs/net/sweep-2/table.csv").exists() && !place.path("runs/net/sweep-3").exists());
}

fn results_of(place: &Place) -> Vec<String> {
    results(place, "s")
}

#[test]
fn what_a_sweep_cannot_do_is_said_before_anything_is_trained() {
    let place = place();
    for (args, words) in [
        (&["--set", "hiden=1,2"][..], "hiden"),
        (&["--set", "hidden=4,none"], "none"),
        (&["--set", "hidden=4,,8"], "a value is missing"),
        (&["--set", "hidden=4,4"], "stands twice"),
        (&["--set", "hidden=8..4"], "smaller"),
        (&["--random", "3"], "none is to vary"),
        (&["--as", "wide,wider"], "wider"),
        (&["--data", "-"], "stdin"),
        (&["--set", "hidden=1,2", "--set", "hidden=3"], "given twice"),
    ] {
        let ran = place.nnc(&[&["sweep", "net.nn"], args].concat());
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.out);
        assert!(ran.err.contains(words), "{args:?}: {}", ran.err);
        assert!(!place.path("runs").exists(), "{args:?}");
    }
}

#[test]
fn chance_takes_points_within_the_ranges() {
    let place = place();
    let args = [
        "sweep",
        "net.nn",
        "--set",
        "hidden=2..9",
        "--set",
        "act=relu,tanh",
        "--random",
        "5",
        "--seeds",
        "1",
    ];
    let json = place.nnc(&[&args[..], &["--json", "-q"]].concat()).json();
    let points = json["points"].as_array().unwrap();
    assert_eq!(points.len(), 5);
    for point in points {
        let hidden: u32 = point["set"]["hidden"].as_str().unwrap().parse().unwrap();
        assert!((2..=9).contains(&hidden));
    }
}

#[test]
fn a_loss_that_is_no_number_is_a_result_of_a_sweep() {
    let place = Place::new();
    let net = "param lr = 0.1\ndata { 1 -> 1; 2 -> 2 }\ndense 1\nloss mse\noptimizer sgd lr=lr\nepochs 400\n";
    place.write("net.nn", net);
    let json = place.nnc(&["sweep", "net.nn", "--set", "lr=0.01,10", "--seeds", "2", "--json", "-q"]).json();
    assert_eq!(json["points"][0]["diverged"], 0);
    assert_eq!(json["points"][1]["diverged"], 2);
    let table = place.nnc(&["sweep", "net.nn", "--set", "lr=0.01,10", "--seeds", "2", "-q"]).fine();
    assert!(table.contains("2 of 2"), "{table}");
}

#[test]
fn a_program_is_no_better_than_itself() {
    let place = place();
    let json = place.nnc(&["compare", "net.nn", "net.nn", "--seeds", "3", "--json", "-q"]).json();
    assert_eq!(json["figures"]["loss"]["mean_difference"], 0);
    assert_eq!(json["figures"]["loss"]["differs"], false);
    let text = place.nnc(&["compare", "net.nn", "net.nn", "--seeds", "3", "-q"]).fine();
    assert!(text.contains("the same") && !text.contains("has more"), "{text}");
}

#[test]
fn a_difference_that_is_there_is_seen() {
    let place = place();
    // A tenth of the learning rate leaves a higher loss, whatever the seed.
    let text = NET.replace("stop when binary_accuracy >= 1\n", "").replace("epochs 300", "epochs 60");
    place.write("fast.nn", &text);
    place.write("slow.nn", &text.replace("0.02", "0.002"));
    let json = place.nnc(&["compare", "fast.nn", "slow.nn", "--seeds", "10", "--json", "-q"]).json();
    let loss = &json["figures"]["loss"];
    assert_eq!(loss["differs"], true, "{json}");
    assert!(loss["mean_difference"].as_f64().unwrap() > 0.0);
    // The pairs are of the same seeds: each is what a training alone comes to.
    let alone = place.nnc(&["train", "slow.nn", "--seed", "3", "--json", "-q"]).json();
    let third = loss["b"]["values"][3].as_f64().unwrap();
    assert!((third - alone["loss"].as_f64().unwrap()).abs() < 1e-6);
    let one = place.nnc(&["compare", "fast.nn", "slow.nn", "--seeds", "1", "-q"]).fine();
    assert!(one.contains("not known"), "{one}");
}

#[test]
fn one_program_two_ways() {
    let place = place();
    for args in [&["--set", "hidden=4,8"][..], &["--as", "wide", "--set", "act=relu,tanh"]] {
        let text = place.nnc(&[&["compare", "net.nn", "--seeds", "2", "-q"], args].concat()).fine();
        assert!(text.starts_with("A: ") && text.contains("B: "), "{text}");
    }
    let text = place.nnc(&["compare", "net.nn", "net.nn:wide", "--seeds", "2", "-q"]).fine();
    assert!(text.contains("A: net.nn\nB: net.nn:wide\n"), "{text}");
    for (args, words) in [
        (&["net.nn"][..], "nothing to compare with"),
        (&["net.nn", "--set", "hidden=1,2,3"], "nnc sweep"),
        (&["net.nn", "net.nn", "--set", "hidden=1,2"], "2 ways"),
        (&["net.nn", "net.nn:narrow"], "narrow"),
    ] {
        let ran = place.nnc(&[&["compare"], args].concat());
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.out);
        assert!(ran.err.contains(words), "{args:?}: {}", ran.err);
    }
}

#[test]
fn runs_are_listed_filtered_compared_and_removed() {
    let place = place();
    for (seed, more) in [("1", &[][..]), ("2", &["--as", "wide"]), ("3", &["--set", "act=tanh"])] {
        place.nnc(&[&["train", "net.nn", "-q", "--seed", seed], more].concat()).fine();
    }
    let list = |more: &[&str]| -> Vec<String> {
        let json = place.nnc(&[&["runs", "--json"], more].concat()).json();
        json["runs"].as_array().unwrap().iter().map(|r| r["run"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(list(&[]), ["runs/net/1", "runs/net/2", "runs/net/3"]);
    assert_eq!(list(&["--where", "experiment=wide"]), ["runs/net/2"]);
    assert_eq!(list(&["--where", "act=tanh"]), ["runs/net/3"]);
    assert_eq!(list(&["--where", "seed>=2", "--where", "seed<3"]), ["runs/net/2"]);
    assert_eq!(list(&["--sort=-seed"]), ["runs/net/3", "runs/net/2", "runs/net/1"]);
    let text = place.nnc(&["runs"]).fine();
    assert!(text.contains("net.nn wide") && text.contains("net.nn act=tanh"), "{text}");
    let wrong = place.nnc(&["runs", "--where", "accurracy>1"]);
    assert!(wrong.code == 2 && wrong.err.contains("binary_accuracy"), "{}", wrong.err);
    let compared = place.nnc(&["compare", "runs/net/1", "runs/net/2"]);
    assert!(compared.err.contains("luck"), "{}", compared.err);
    assert!(compared.fine().contains("weights"));
    let again = place.nnc(&["compare", "runs/net/1", "runs/net/2", "--seeds", "2", "-q"]).fine();
    assert!(again.contains("2 seeds"), "{again}");
    // What nnc did not write stays, and so does all beside it.
    place.write("runs/net/1/notes.txt", "mine");
    let refused = place.nnc(&["runs", "--remove", "runs/net/1"]);
    assert!(refused.code == 2 && refused.err.contains("notes.txt"), "{}", refused.err);
    assert!(place.path("runs/net/1/model.safetensors").exists());
    let refused = place.nnc(&["runs", "--remove", "runs"]);
    assert!(refused.code == 2 && place.path("runs/net/2").exists());
    place.nnc(&["runs", "--remove", "runs/net/2", "runs/net/3"]).fine();
    assert_eq!(list(&[]), ["runs/net/1"]);
}

#[test]
fn a_run_names_its_experiment_and_its_figures() {
    let place = Place::new();
    place.write("net.nn", &NET.replace("epochs 300", "split valid=25% test=25%\nepochs 3"));
    place.nnc(&["train", "net.nn", "-q", "--as", "wide", "--set", "act=tanh"]).fine();
    let note: serde_json::Value = serde_json::from_str(&read(&place, "runs/net/1/run.json")).unwrap();
    assert_eq!((&note["experiment"], &note["set"][0][1]), (&"wide".into(), &"tanh".into()));
    assert_eq!((&note["valid"][0][0], &note["test"][1][0]), (&"loss".into(), &"binary_accuracy".into()));
    let sweep = place.nnc(&["sweep", "net.nn", "--seeds", "2", "--keep", "-q", "--out", "kept"]).fine();
    assert!(sweep.contains("val_loss"), "{sweep}");
    // A run of a sweep is a run as any other.
    place.nnc(&["predict", "kept/point-1/seed-1"]).fine();
    place.nnc(&["reproduce", "kept/point-1/seed-1"]).fine();
}

#[test]
fn a_run_is_reproduced_to_the_bit_or_the_difference_is_named() {
    let place = place();
    place.nnc(&["train", "net.nn", "-q", "--seed", "5", "--threads", "2"]).fine();
    let text = place.nnc(&["reproduce", "runs/net/1", "--threads", "1"]).fine();
    assert!(text.contains("the same, bit for bit"), "{text}");
    // A weight that was changed, or a figure.
    let history = read(&place, "runs/net/1/history.csv");
    let mut lines: Vec<String> = history.lines().map(String::from).collect();
    lines[3] = lines[3].replacen(',', ",9", 1);
    place.write("runs/net/1/history.csv", &(lines.join("\n") + "\n"));
    let ran = place.nnc(&["reproduce", "net.nn", "--json"]);
    assert_eq!(ran.code, 1);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert!(json["differences"][0].as_str().unwrap().starts_with("epoch 3: loss was 9"), "{json}");
    let ran = place.nnc(&["reproduce", "nowhere"]);
    assert_eq!(ran.code, 2);
}

#[test]
fn data_that_has_changed_is_no_reproduction() {
    let place = Place::new();
    let rows = |x: &str| format!("x,y\n1,2\n2,4\n{x},6\n4,8\n");
    place.write("d.csv", &rows("3"));
    place.write("net.nn", "data \"d.csv\"\ndense 1\nloss mse\nepochs 5\n");
    place.nnc(&["train", "net.nn", "-q"]).fine();
    place.nnc(&["reproduce", "net.nn"]).fine();
    place.write("d.csv", &rows("3.5"));
    let ran = place.nnc(&["reproduce", "net.nn"]);
    assert!(ran.code == 2 && ran.err.contains("data has changed"), "{}", ran.err);
}
