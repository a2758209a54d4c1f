//! Labels read off a sequence: the loss is compared with all ways to read them, one by one.
#![allow(clippy::unwrap_used)]

mod common;

use common::{classes, numbers, ports, render, spec_of};
use nnc_graph::eval::{Array, Bindings, evaluate};
use nnc_graph::{DType, OutputKind, Role};
use nnc_model::{Model, Options};

const STEPS: usize = 5;
const KINDS: usize = 3;
const LABELS: usize = 3;

fn model() -> Model {
    let ports = ports(numbers("x", &[STEPS, KINDS]), classes("y", &[LABELS], KINDS));
    let spec = spec_of("it * 1 -> softmax\nloss ctc\nmetrics ctc_accuracy\noptimizer sgd\n").unwrap();
    spec.elaborate(&ports, &Options { float: DType::F64 })
        .unwrap_or_else(|d| panic!("{}", render(&d, &spec.sources)))
}

/// What a path says: repetitions are one label, class 0 is none.
fn said(path: &[usize]) -> Vec<usize> {
    let mut out: Vec<usize> = Vec::new();
    let mut before = 0;
    for &class in path {
        if class != 0 && class != before {
            out.push(class);
        }
        before = class;
    }
    out
}

#[test]
fn the_probability_is_that_of_all_paths() {
    let targets: Vec<Vec<usize>> =
        vec![vec![1, 2], vec![2, 2], vec![1, 2, 1], vec![], vec![1], vec![2, 2, 2], vec![1, 1]];
    let batch = targets.len();
    let logit = |b: usize, t: usize, k: usize| ((b * 31 + t * 7 + k * 13) as f64 * 0.7).sin() * 2.0;
    let cells = |b| (0..STEPS * KINDS).map(move |i| logit(b, i / KINDS, i % KINDS));
    let x = Array::new(&[batch, STEPS, KINDS], (0..batch).flat_map(cells).collect());
    let padded =
        |t: &Vec<usize>| (0..LABELS).map(|i| t.get(i).map_or(0.0, |&c| c as f64)).collect::<Vec<_>>();
    let y = Array::new(&[batch, LABELS], targets.iter().flat_map(padded).collect());
    let m = model();
    let bindings = Bindings { batch, ..Bindings::default() };
    let bindings = bindings.with(Role::Input, "x", x).with(Role::Target, "y", y);
    let values = evaluate(&m.eval, &bindings).unwrap();
    let value = |kind, name| &values[m.eval.output(kind, name).unwrap().index()].data;
    let (losses, right) = (value(OutputKind::Loss, "loss"), value(OutputKind::Metric, "ctc_accuracy"));
    for (b, target) in targets.iter().enumerate() {
        let share = |t: usize, k: usize| {
            let all: f64 = (0..KINDS).map(|j| logit(b, t, j).exp()).sum();
            logit(b, t, k).exp() / all
        };
        let mut likely = 0.0;
        for number in 0..KINDS.pow(STEPS as u32) {
            let path: Vec<usize> = (0..STEPS).map(|t| number / KINDS.pow(t as u32) % KINDS).collect();
            if said(&path) == *target {
                likely += path.iter().enumerate().map(|(t, &k)| share(t, k)).product::<f64>();
            }
        }
        assert!((losses[b] + f64::ln(likely)).abs() < 1e-9, "{target:?}: {} and {}", losses[b], -likely.ln());
        let best: Vec<usize> = (0..STEPS)
            .map(|t| (0..KINDS).max_by(|&i, &j| logit(b, t, i).total_cmp(&logit(b, t, j))).unwrap())
            .collect();
        assert_eq!(right[b], f64::from(u8::from(said(&best) == *target)), "{target:?}, {best:?}");
    }
    assert!(right.contains(&1.0) || losses.iter().all(|l| *l > 0.0));
}
