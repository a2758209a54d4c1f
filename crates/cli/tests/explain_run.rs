//! `nnc explain RUN --row N` and `--step K`: what is printed agrees with what other commands say.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;
use unicode_width::UnicodeWidthStr;

fn trained() -> Place {
    let place = Place::new();
    let rows: String = (0..30)
        .map(|i| format!("{i},{},{},{}\n", i % 7, i * 3 % 11, if i % 3 == 0 { "no" } else { "yes" }))
        .collect();
    place.write("bank.csv", &format!("# made up\nid,age,\"the sum\",bought\n{rows}"));
    place.write(
        "bank.nn",
        "data \"bank.csv\" comment=\"#\" { drop id; input age \"the sum\" standardize; target bought }\n\
         dense 6 tanh\ndense 2 softmax\nloss crossentropy\nmetrics accuracy\noptimizer adam lr=0.01\n\
         batch 8\nepochs 5\nseed 3\n",
    );
    place.nnc(&["train", "bank.nn", "-q", "--out", "run"]).fine();
    place
}

#[test]
fn a_row_is_shown_from_its_cells_to_its_update() {
    let place = trained();
    let text = place.nnc(&["explain", "run", "--row", "4"]).fine();
    for part in [
        "run: row 4 (bank.csv:6)",
        "  the sum = 9\n",
        "  id = 3\n",
        "bank.nn:2  dense 6 tanh   (dense1, 6)",
        "activation(x @ w + b)",
        "bank.nn:3  dense 2 softmax   (dense2, 2)",
        "\nloss 0.",
        "What one more training step with this row alone would do",
        "dense1.w  2x6",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    assert!(text.lines().all(|l| l.width() <= 80), "{text}");
    let json = place.nnc(&["explain", "run", "--row", "4", "--json"]).json();
    let said = place.nnc(&["predict", "run", "--json"]).json();
    assert_eq!(json["layers"][1]["values"], said["rows"][3]["output.values"], "{json} {}", said["rows"][3]);
    assert_eq!((json["row"].as_u64(), json["cells"]["the sum"].as_str()), (Some(4), Some("9")));
    // Another file, and one that says nothing of the target.
    place.write("new.csv", "id,age,the sum\n9,3,4\n");
    let text = place.nnc(&["explain", "run", "--row", "1", "--data", "new.csv"]).fine();
    assert!(text.contains("new.csv:2)") && text.contains("no targets"), "{text}");
    let ran = place.nnc(&["explain", "run", "--row", "31"]);
    assert!(ran.code == 2 && ran.err.contains("has 30 rows, and no row 31"), "{}", ran.err);
}

#[test]
fn a_step_names_its_rows() {
    let place = trained();
    let text = place.nnc(&["explain", "run", "--step", "4"]).fine();
    assert!(text.starts_with("run: step 4 of 20, epoch 1, 6 rows; done again, to the same bits\n"), "{text}");
    assert!(text.contains("mean loss before the step: ") && text.contains("dense2.b"), "{text}");
    assert!(text.lines().all(|l| l.width() <= 80), "{text}");
    let json = place.nnc(&["explain", "bank.nn", "--step", "4", "--json"]);
    assert!(json.code == 2, "the run has another folder: {}", json.out);
    let json = place.nnc(&["explain", "run", "--step", "4", "--json"]).json();
    let rows = json["rows"].as_array().unwrap();
    for row in rows {
        let n = row["row"].as_u64().unwrap();
        assert!(row["where"].as_str().unwrap().eq(&format!("bank.csv:{}", n + 2)), "{row}");
        assert_eq!(row["cells"]["id"], (n - 1).to_string());
    }
    // Every row of the epoch once.
    let mut all: Vec<u64> = Vec::new();
    let mut losses = 0.0;
    for step in ["1", "2", "3", "4"] {
        let json = place.nnc(&["explain", "run", "--step", step, "--json"]).json();
        let rows = json["rows"].as_array().unwrap();
        all.extend(rows.iter().map(|r| r["row"].as_u64().unwrap()));
        losses += rows.iter().map(|r| r["loss"].as_f64().unwrap()).sum::<f64>();
    }
    all.sort_unstable();
    assert_eq!(all, (1..=30).collect::<Vec<_>>());
    // The loss of the first epoch is the mean of theirs.
    let history = std::fs::read_to_string(place.path("run/history.csv")).unwrap();
    let first: f64 = history.lines().nth(1).unwrap().split(',').nth(1).unwrap().parse().unwrap();
    assert!((losses / 30.0 - first).abs() < 1e-6, "{} {first}", losses / 30.0);
}

#[test]
fn what_cannot_be_explained_is_told() {
    let place = trained();
    for (args, told) in [
        (&["explain", "dense", "--json"][..], "`--json` is for `--row` and `--step`"),
        (&["explain", "--row", "3"], "NAME|CODE|SPEC|RUN"),
        (&["explain", "run", "--step", "99"], "this training has 20 steps"),
        (&["explain", "run", "--step", "0"], "0"),
        (&["explain", "nothing", "--row", "1"], "nothing"),
    ] {
        let ran = place.nnc(args);
        assert!(ran.code == 2 && ran.err.contains(told), "{args:?}: {}{}", ran.out, ran.err);
    }
    place.write("bank.csv", "id,age,the sum,bought\n1,2,3,no\n2,3,4,yes\n");
    let ran = place.nnc(&["explain", "run", "--step", "2"]);
    assert!(ran.code == 2 && ran.err.contains("the data has changed"), "{}", ran.err);
}

/// Sums of two numbers, one of them wrong by a hundred.
fn sums() -> Place {
    let place = Place::new();
    let row = |i: usize| {
        let (a, b) = ((i * 37 % 100) as f64 / 100.0, (i * 61 % 100) as f64 / 100.0);
        format!("{a},{b},{}\n", if i == 333 { 100.0 } else { a + b })
    };
    let rows: String = (0..600).map(row).collect();
    place.write("sums.csv", &format!("a,b,y\n{rows}"));
    place
}

#[test]
fn a_row_that_makes_the_loss_leap_is_named() {
    let place = sums();
    place.write(
        "sums.nn",
        "data \"sums.csv\"\ndense 8 relu\ndense 1\nloss mse\noptimizer sgd lr=0.01\nbatch 10\nepochs 2\n",
    );
    place.nnc(&["train", "sums.nn", "-q", "--out", "run"]).fine();
    let ran = place.nnc(&["why", "run"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    for part in
        ["One row makes 100% of it", "334  sums.csv:335", "gradients that stand out in this step", "--step "]
    {
        assert!(ran.out.contains(part), "{part}:\n{}", ran.out);
    }
    assert!(ran.out.lines().all(|l| l.width() <= 80), "{}", ran.out);
    let json: serde_json::Value = serde_json::from_str(&place.nnc(&["why", "run", "--json"]).out).unwrap();
    assert_eq!(json["story"], "spike");
    // The step it names is that of the row.
    let step = json["step"]["step"].as_u64().unwrap().to_string();
    let trace = place.nnc(&["explain", "run", "--step", &step, "--json"]).json();
    assert!(trace["rows"].as_array().unwrap().iter().any(|r| r["row"] == 334), "{trace}");
}

#[test]
fn where_numbers_broke_is_found_again() {
    let place = sums();
    let text = "data \"sums.csv\"\nh = dense 4 relu\ndense 1\nloss = mean((output - target)^2 + 0.001 * log(1.5 + 0 * output - min(target, 1.6)))\n\
                optimizer sgd lr=0.001\nbatch 10\nepochs 2\n";
    place.write("log.nn", text);
    let trained = place.nnc(&["train", "log.nn", "-q", "--out", "run"]);
    assert_eq!(trained.code, 1, "{}", trained.err);
    let ran = place.nnc(&["why", "run"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    // What was said then, and the rows.
    let headline = trained.err.lines().find(|l| l.contains("the loss became")).unwrap();
    assert!(ran.out.contains(headline), "{headline}\n{}", ran.out);
    assert!(
        ran.out.contains("rows whose loss is no number any more") && ran.out.contains("sums.csv:"),
        "{}",
        ran.out
    );
    let json: serde_json::Value = serde_json::from_str(&place.nnc(&["why", "run", "--json"]).out).unwrap();
    let rows = json["step"]["rows"].as_array().unwrap();
    let broken: Vec<f64> = rows
        .iter()
        .filter(|r| r["loss"].is_null())
        .map(|r| r["cells"]["y"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(!broken.is_empty() && broken.iter().all(|y| *y >= 1.5), "{broken:?}");
    let ran = place.nnc(&["resume", "run"]);
    assert!(ran.code == 2 && ran.err.contains("nnc why run"), "{}", ran.err);
}

#[test]
fn a_calm_training_is_called_so() {
    let place = trained();
    let ran = place.nnc(&["why", "run"]);
    assert!(
        ran.code == 0 && ran.out.starts_with("run: nothing stands out in 20 steps."),
        "{}{}",
        ran.out,
        ran.err
    );
    assert_eq!(place.nnc(&["why", "run", "--json"]).json()["story"], "calm");
    assert_eq!(place.nnc(&["why", "nothing"]).code, 2);
}
