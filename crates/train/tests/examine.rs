//! What the report of a run knows of rows, compared with what follows from a network that is known.
#![allow(clippy::unwrap_used)]

mod common;

use common::{loaded, ok, run, to};
use nnc_train::{Compared, InferOptions, examine, open_model};

/// Rows of three columns, of which the target is three times the first and minus the second; the last never changes.
fn rows() -> Vec<[f64; 4]> {
    let noise = |i: u32, k: u32| {
        f64::from(i.wrapping_mul(2_654_435_761).wrapping_add(k * 97_531) >> 8 & 1023) / 512.0 - 1.0
    };
    (0..200).map(|i| (noise(i, 1), noise(i, 7))).map(|(a, b)| [a, b, 0.5, 3.0 * a - b]).collect()
}

fn program() -> String {
    let rows = rows();
    let lines: Vec<String> = rows.iter().map(|[a, b, c, y]| format!("{a} {b} {c} -> {y}")).collect();
    let data = lines.join("\n");
    format!("data {{\n{data}\n}}\ndense 1\nloss mse\noptimizer sgd lr=0.1\nepochs 100\nbatch 20\n")
}

#[test]
fn a_line_leans_on_its_columns_as_its_weights_say() {
    let folder = tempfile::tempdir().unwrap();
    let text = program();
    run(&text, &to(folder.path()));
    let model = ok(open_model(folder.path()));
    let found = ok(examine(&model, None, &InferOptions::default()));
    assert_eq!((found.on.as_str(), found.rows, found.all), ("train", 200, 200));
    let importance = found.importance.as_ref().unwrap();
    let names: Vec<&str> = importance.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["x1", "x2", "x3"]);
    // The mean square of a difference of two rows is twice the variance.
    let rows = rows();
    let mean = |k: usize| rows.iter().map(|r| r[k]).sum::<f64>() / 200.0;
    let variance = |k: usize| rows.iter().map(|r| (r[k] - mean(k)).powi(2)).sum::<f64>() / 200.0;
    for (k, weight) in [(0, 3.0), (1, -1.0)] {
        let want = 2.0 * weight * weight * variance(k);
        let column = &importance.columns[k];
        assert!((column.mean() - want).abs() < 0.15 * want, "{column:?} against {want}");
        assert!(column.deviation() > 0.0 && column.deviation() < 0.2 * want, "{column:?}");
    }
    let rises = &importance.columns[2].rises;
    assert!(
        rises.len() == 5 && rises.iter().all(|x| *x == 0.0),
        "what never changes cannot be shuffled: {rises:?}"
    );
    // Of a line, integrated gradients are exact: a weight times the distance from the mean.
    let distance = |k: usize| rows.iter().map(|r| (r[k] - mean(k)).abs()).sum::<f64>();
    let all = 3.0 * distance(0) + distance(1);
    for (k, weight) in [(0, 3.0), (1, 1.0), (2, 0.0)] {
        let share = importance.columns[k].share.unwrap();
        assert!(
            (share - weight * distance(k) / all).abs() < 2e-3,
            "column {k}: {share} against {}",
            weight * distance(k) / all
        );
    }
    assert!(importance.rest.unwrap() < 1e-4, "{:?}", importance.rest);
    // The same, whoever asks: with the data that is still there, and with other threads.
    let loaded = loaded(&text);
    let again = ok(examine(&model, Some(&loaded), &InferOptions { threads: 1, ..InferOptions::default() }));
    assert_eq!(again, found);
}

#[test]
fn gradients_of_a_network_add_up_to_its_differences() {
    let folder = tempfile::tempdir().unwrap();
    run(
        "data spiral 300 classes=3 noise=0.05 seed=4\ndense 16 tanh\ndense 3 softmax\nloss crossentropy\noptimizer adam lr=0.02\nepochs 60\n",
        &to(folder.path()),
    );
    let model = ok(open_model(folder.path()));
    let found = ok(examine(&model, None, &InferOptions::default()));
    let importance = found.importance.unwrap();
    assert!(importance.rest.unwrap() < 0.01, "{:?}", importance.rest);
    let shares: f64 = importance.columns.iter().filter_map(|c| c.share).sum();
    assert!((shares - 1.0).abs() < 1e-9);
    // The plane says at the grid what the network says of rows: in the terms of the file, by the nearest point.
    let plane = found.boundary.unwrap();
    assert_eq!(
        (plane.said.len(), plane.names.clone()),
        (plane.size * plane.size * 3, ["x1", "x2"].map(String::from))
    );
    let Compared::Classes { scores, .. } = &found.answers[0].what else { panic!("classes are said") };
    let [(x0, x1), (y0, y1)] = plane.ranges;
    let mut agree = 0;
    for &(i, x, y) in &plane.points {
        let cell = |v: f64, from: f64, to: f64| (((v - from) / (to - from)) * plane.size as f64) as usize;
        let at = (plane.size - 1 - cell(y, y0, y1)) * plane.size + cell(x, x0, x1);
        let near = |k: usize| (plane.said[at * 3 + k] - scores[i * 3 + k]).abs() < 0.15;
        agree += usize::from((0..3).all(near));
    }
    assert!(agree * 10 > plane.points.len() * 9, "{agree} of {}", plane.points.len());
    // The rows with the largest loss come first.
    assert!(found.worst.windows(2).all(|w| w[0].loss >= w[1].loss) && found.worst.len() == 16);
}
