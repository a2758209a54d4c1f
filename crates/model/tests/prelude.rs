//! What Keras' golden files do not show of the prelude: first values, noise, metrics, regularisers; and that
//! nothing of the prelude is without a test.
#![allow(clippy::unwrap_used)]
#![allow(clippy::wildcard_enum_match_arm, reason = "only some kinds are looked at")]

mod common;

use common::definitions::{definitions, reached, words};
use common::golden::{all, folder, spelled, torch};
use common::{classes, numbers, ports, render, spec_of};
use nnc_graph::eval::{Array, Bindings, evaluate, evaluate_output};
use nnc_graph::{DType, OutputKind, Role};
use nnc_model::{Model, Options, PRELUDE, Ports};
use nnc_syntax::ast::StmtKind;
use nnc_syntax::{SourceId, parse};
use std::collections::BTreeSet;

fn build(text: &str, ports: &Ports) -> Model {
    let spec = spec_of(text).unwrap_or_else(|e| panic!("{text}\n{e}"));
    let options = Options { float: DType::F64 };
    spec.elaborate(ports, &options).unwrap_or_else(|d| panic!("{text}\n{}", render(&d, &spec.sources)))
}

// ---- initialisers ---------------------------------------------------------------------

/// What first values look like.
enum Law {
    /// These numbers.
    Exact(Vec<f64>),
    /// Uniform between minus and plus this.
    Uniform(f64),
    /// Normal with this deviation.
    Normal(f64),
    /// Normal with this deviation, cut at twice this.
    Cut(f64),
    /// Orthonormal rows, or columns where these are fewer.
    Orthogonal,
}

/// The deviation of a standard normal law that is cut at 2.
const CUT: f64 = 0.879_625_661_034_239_8;

fn initialisers() -> Vec<(&'static str, Vec<usize>, Law)> {
    let wide = || vec![60, 90];
    let window = || vec![3, 3, 20, 40];
    vec![
        ("zeros", vec![3], Law::Exact(vec![0.0; 3])),
        ("ones", vec![3], Law::Exact(vec![1.0; 3])),
        ("constant(0.3)", vec![2, 1], Law::Exact(vec![0.3; 2])),
        ("identity", vec![2, 3], Law::Exact(vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0])),
        ("identity(gain=2)", vec![2, 2], Law::Exact(vec![2.0, 0.0, 0.0, 2.0])),
        ("forget_ones", vec![8], Law::Exact(vec![0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0])),
        ("uniform", wide(), Law::Uniform(0.05)),
        ("uniform(0.2)", wide(), Law::Uniform(0.2)),
        ("normal", wide(), Law::Normal(0.05)),
        ("normal(0.3)", wide(), Law::Normal(0.3)),
        ("truncated_normal(0.1)", wide(), Law::Cut(0.1)),
        ("glorot", wide(), Law::Uniform((6.0f64 / 150.0).sqrt())),
        ("glorot", window(), Law::Uniform((6.0f64 / 540.0).sqrt())),
        ("glorot_normal", wide(), Law::Cut((2.0f64 / 150.0).sqrt() / CUT)),
        ("he", wide(), Law::Uniform((6.0f64 / 60.0).sqrt())),
        ("he_normal", window(), Law::Cut((2.0f64 / 180.0).sqrt() / CUT)),
        ("lecun", wide(), Law::Uniform((3.0f64 / 60.0).sqrt())),
        ("lecun_normal", wide(), Law::Cut((1.0f64 / 60.0).sqrt() / CUT)),
        ("orthogonal", vec![12, 48], Law::Orthogonal),
        ("orthogonal", vec![30, 7], Law::Orthogonal),
        ("orthogonal", vec![24, 24], Law::Orthogonal),
        ("orthogonal", vec![1, 1], Law::Orthogonal),
        ("orthogonal", vec![3, 4, 6], Law::Orthogonal),
    ]
}

fn check_law(name: &str, a: &Array, law: &Law) {
    let n = a.data.len() as f64;
    let mean = a.data.iter().sum::<f64>() / n;
    let deviation = (a.data.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    let top = a.data.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    let spread = |wanted: f64| {
        assert!(mean.abs() < 5.0 * wanted / n.sqrt(), "{name}: mean {mean}");
        assert!((deviation / wanted - 1.0).abs() < 0.05, "{name}: deviation {deviation}, not {wanted}");
    };
    match law {
        Law::Exact(values) => assert_eq!(&a.data, values, "{name}"),
        Law::Uniform(limit) => {
            assert!(top <= *limit && top > 0.99 * limit, "{name}: up to {top}, not {limit}");
            spread(limit / 3.0f64.sqrt());
        }
        Law::Normal(sigma) => {
            assert!(top > 3.0 * sigma, "{name}: up to {top}");
            spread(*sigma);
        }
        Law::Cut(sigma) => {
            assert!(top <= 2.0 * sigma && top > 1.9 * sigma, "{name}: up to {top}");
            spread(sigma * CUT);
            let edge = a.data.iter().filter(|v| v.abs() == 2.0 * sigma).count();
            assert_eq!(edge, 0, "{name}: numbers pushed to the edge");
        }
        Law::Orthogonal => {
            let columns = *a.dims.last().unwrap();
            let rows = a.data.len() / columns;
            let (count, length) = (rows.min(columns), rows.max(columns));
            let at = |i: usize, j: usize| {
                if rows <= columns { a.data[i * columns + j] } else { a.data[j * columns + i] }
            };
            for i in 0..count {
                for j in 0..=i {
                    let dot: f64 = (0..length).map(|k| at(i, k) * at(j, k)).sum();
                    let wanted = f64::from(u8::from(i == j));
                    assert!((dot - wanted).abs() < 1e-9, "{name} {:?}: {dot} at {i}, {j}", a.dims);
                }
            }
        }
    }
}

#[test]
fn first_values_follow_their_laws() {
    for (name, shape, law) in initialisers() {
        let sizes: Vec<String> = shape.iter().map(ToString::to_string).collect();
        let text = format!(
            "weight w[{}] = {name}\ndense 1\nloss = sum(w) + sum(output)\noptimizer sgd\n",
            sizes.join(", ")
        );
        let model = build(&text, &ports(numbers("input", &[1]), numbers("target", &[1])));
        let bindings = Bindings { batch: 1, seed: 4, ..Bindings::default() };
        let w = evaluate_output(&model.init, &bindings, OutputKind::Initial, "w").unwrap();
        check_law(name, &w, &law);
        let other = Bindings { seed: 5, ..bindings };
        let again = evaluate_output(&model.init, &other, OutputKind::Initial, "w").unwrap();
        let random = !matches!(law, Law::Exact(_));
        assert_eq!(again.data != w.data, random, "{name} and its seed");
    }
}

#[test]
fn orthogonal_matrices_point_anywhere() {
    // The mean of the first number over many seeds is 0, and of its square 1/n.
    let text = "weight w[4, 4] = orthogonal\ndense 1\nloss = sum(w) + sum(output)\noptimizer sgd\n";
    let model = build(text, &ports(numbers("input", &[1]), numbers("target", &[1])));
    let (mut first, mut square) = (0.0, 0.0);
    for seed in 0..200 {
        let bindings = Bindings { batch: 1, seed, ..Bindings::default() };
        let w = evaluate_output(&model.init, &bindings, OutputKind::Initial, "w").unwrap();
        first += w.data[0] / 200.0;
        square += w.data[0].powi(2) / 200.0;
    }
    assert!(first.abs() < 0.12 && (square - 0.25).abs() < 0.05, "{first} {square}");
}

// ---- noise ----------------------------------------------------------------------------

/// The output while training, for ones.
fn noisy(text: &str, shape: &[usize], batch: usize) -> Array {
    let program = format!("{text}\nloss = sum(output)\noptimizer sgd\n");
    let model = build(&program, &ports(numbers("input", shape), numbers("target", &[1])));
    let dims: Vec<usize> = std::iter::once(batch).chain(shape.iter().copied()).collect();
    let bindings = Bindings { batch, seed: 1, step: 1, ..Bindings::default() }
        .with(Role::Input, "input", Array::filled(&dims, 1.0))
        .with(Role::Target, "target", Array::filled(&[batch, 1], 0.0));
    evaluate_output(&model.forward, &bindings, OutputKind::Prediction, "output").unwrap()
}

#[test]
fn dropout_zeroes_a_share_and_scales_the_rest() {
    let y = noisy("dropout 0.25", &[1000], 4);
    let zeros = y.data.iter().filter(|v| **v == 0.0).count() as f64 / 4000.0;
    assert!((zeros - 0.25).abs() < 0.03, "{zeros}");
    assert!(y.data.iter().all(|v| *v == 0.0 || (v - 1.0 / 0.75).abs() < 1e-12));
}

#[test]
fn spatial_dropout_zeroes_whole_channels() {
    let y = noisy("spatial_dropout 0.5", &[3, 2, 200], 2);
    let mut zeros = 0;
    for sample in 0..2 {
        for c in 0..200 {
            let first = y.at(&[sample, 0, 0, c]);
            zeros += usize::from(first == 0.0);
            assert!((0..3).all(|i| (0..2).all(|j| y.at(&[sample, i, j, c]) == first)));
        }
    }
    assert!((150..250).contains(&zeros), "{zeros}");
}

#[test]
fn stochastic_depth_zeroes_whole_samples() {
    let y = noisy("stochastic_depth 0.25", &[2, 3], 400);
    let mut zeros = 0;
    for sample in 0..400 {
        let first = y.at(&[sample, 0, 0]);
        zeros += usize::from(first == 0.0);
        assert!(first == 0.0 || (first - 1.0 / 0.75).abs() < 1e-12, "{first}");
        assert!((0..2).all(|i| (0..3).all(|j| y.at(&[sample, i, j]) == first)));
    }
    assert!((75..125).contains(&zeros), "{zeros}");
}

#[test]
fn gaussian_noise_is_added() {
    let y = noisy("gaussian_noise 0.3", &[2000], 2);
    let mean = y.data.iter().sum::<f64>() / 4000.0;
    let var = y.data.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 4000.0;
    assert!((mean - 1.0).abs() < 0.03 && (var.sqrt() - 0.3).abs() < 0.02, "{mean} {var}");
}

// ---- metrics, regularisers, constraints ---------------------------------------------------

/// What a loss says of one sample.
fn value(text: &str, y: &[f64], target: (&[f64], Option<usize>)) -> f64 {
    let port = match target.1 {
        Some(k) => classes("target", &[], k),
        None => numbers("target", &[target.0.len()]),
    };
    let program = format!("reshape(it, shape(it))\nloss = {text}\noptimizer sgd\n");
    let model = build(&program, &ports(numbers("input", &[y.len()]), port));
    let dims: &[usize] = if target.1.is_some() { &[1] } else { &[1, target.0.len()] };
    let bindings = Bindings { batch: 1, ..Bindings::default() }
        .with(Role::Input, "input", Array::new(&[1, y.len()], y.to_vec()))
        .with(Role::Target, "target", Array::new(dims, target.0.to_vec()));
    evaluate_output(&model.eval, &bindings, OutputKind::Loss, "loss").unwrap().data[0]
}

/// A call, the output, the target (a class of so many, or numbers), and what it should be.
type ByHand = (&'static str, &'static [f64], (&'static [f64], Option<usize>), f64);

const BY_HAND: &[ByHand] = &[
    // Strictly above the threshold.
    ("binary_accuracy(output, target)", &[0.5, 0.51, 0.2, 0.9], (&[0.0, 1.0, 1.0, 1.0], None), 0.75),
    ("binary_accuracy(output, target, 0.1)", &[0.05, 0.2], (&[1.0, 1.0], None), 0.5),
    ("accuracy(output, target)", &[0.2, 0.5, 0.3], (&[1.0], Some(3)), 1.0),
    ("accuracy(output, target)", &[0.2, 0.5, 0.3], (&[2.0], Some(3)), 0.0),
    // A one-hot target, and shares, of which the largest is right.
    ("accuracy(output, target)", &[0.2, 0.5, 0.3], (&[0.0, 1.0, 0.0], None), 1.0),
    ("accuracy(output, target)", &[0.2, 0.5, 0.3], (&[0.5, 0.25, 0.25], None), 0.0),
    ("accuracy(output, target)", &[0.2, 0.5, 0.3], (&[0.1, 0.6, 0.3], None), 1.0),
    ("top_k(output, target, 2)", &[0.2, 0.5, 0.3], (&[2.0], Some(3)), 1.0),
    ("top_k(output, target, 2)", &[0.2, 0.5, 0.3], (&[0.0], Some(3)), 0.0),
    // exp(1) + exp(2) + exp(3) = e³ · 1.503214724…
    ("crossentropy_logits(output, target)", &[1.0, 2.0, 3.0], (&[2.0], Some(3)), 0.407_605_964_444_380_3),
    ("crossentropy(softmax(output), target)", &[1.0, 2.0, 3.0], (&[2.0], Some(3)), 0.407_605_964_444_380_3),
    ("mean(pick([1, 10, 100], target)) + 0 * sum(output)", &[0.0], (&[1.0], Some(3)), 10.0),
    ("mean(maximum(output, target) + 10 * minimum(output, target))", &[1.0, 4.0], (&[3.0, 2.0], None), 18.5),
    ("mean(column(output) @ row(target))", &[1.0, 2.0], (&[3.0, 5.0], None), 6.0),
];

#[test]
fn metrics_say_what_they_say_by_hand() {
    for (text, y, target, wanted) in BY_HAND {
        let found = value(text, y, *target);
        assert!((found - wanted).abs() < 1e-12, "{text} is {found}, not {wanted}");
    }
}

#[test]
fn regularisers_add_up_weights_of_rank_two_and_named_ones() {
    let text = "hidden = dense 2\ndense 1\nloss = 0 * sum(output) + l2(weights) + 100 * l1(hidden.w) + 1000 * l1(dense1.b)\noptimizer sgd\n";
    let model = build(text, &ports(numbers("input", &[1]), numbers("target", &[1])));
    let mut bindings = Bindings { batch: 1, ..Bindings::default() }
        .with(Role::Input, "input", Array::filled(&[1, 1], 1.0))
        .with(Role::Target, "target", Array::filled(&[1, 1], 1.0));
    for (name, dims, v) in [
        ("hidden.w", vec![1, 2], -2.0),
        ("hidden.b", vec![2], 7.0),
        ("dense1.w", vec![2, 1], 3.0),
        ("dense1.b", vec![1], 5.0),
    ] {
        bindings = bindings.with(Role::Weight, name, Array::filled(&dims, v));
    }
    let found = evaluate_output(&model.eval, &bindings, OutputKind::Loss, "loss").unwrap().data[0];
    assert_eq!(found, (2.0 * 4.0 + 2.0 * 9.0) + 100.0 * 4.0 + 1000.0 * 5.0);
}

#[test]
fn max_norm_shortens_what_feeds_a_unit() {
    let text = "dense 2\nloss = 0 * sum(output)\noptimizer sgd max_norm=1.5 ema=0.9\n";
    let model = build(text, &ports(numbers("input", &[2]), numbers("target", &[1])));
    let bindings = Bindings { batch: 1, step: 1, ..Bindings::default() }
        .with(Role::Input, "input", Array::filled(&[1, 2], 1.0))
        .with(Role::Target, "target", Array::filled(&[1, 1], 1.0))
        .with(Role::Weight, "dense1.w", Array::new(&[2, 2], vec![3.0, 0.3, 4.0, 0.4]))
        .with(Role::Weight, "dense1.b", Array::filled(&[2], 9.0))
        .with(Role::Slot, "dense1.w/ema.average", Array::filled(&[2, 2], 0.0))
        .with(Role::Slot, "dense1.b/ema.average", Array::filled(&[2], 0.0));
    let values = evaluate(&model.step, &bindings).unwrap();
    let after =
        |name: &str| values[model.step.output(OutputKind::Update, name).unwrap().index()].data.clone();
    for (found, wanted) in after("dense1.w").iter().zip([0.9, 0.3, 1.2, 0.4]) {
        assert!((found - wanted).abs() < 1e-6, "{found} {wanted}");
    }
    assert_eq!(after("dense1.b"), [9.0, 9.0]);
    // What follows sees what went before it.
    assert_eq!(after("dense1.w/ema.average"), after("dense1.w"));
}

// ---- nothing without a test ---------------------------------------------------------------

/// What a test of its own above, or in `keras_schedules.rs`, is about.
const ELSEWHERE: &[&str] = &[
    "dropout",
    "spatial_dropout",
    "stochastic_depth",
    "gaussian_noise",
    "l1",
    "l2",
    "max_norm",
    "ema",
    "lbfgs",
    "warmup",
    "ctc_accuracy",
];

#[test]
fn everything_in_the_prelude_is_tested() {
    let kinds = definitions();
    // What the tests say: golden texts, the tables above, and the names that tests of their own are about.
    let mut said = ELSEWHERE.join(" ");
    for (text, _, _, _) in BY_HAND {
        said += &format!(" {text}\n");
    }
    said += " plateau ";
    for part in ["layers", "masks", "activations", "losses", "optimizers"] {
        let from_torch = if matches!(part, "losses" | "optimizers") { torch(part) } else { Vec::new() };
        for golden in all(part).into_iter().chain(from_torch) {
            said += &format!("{}\n", spelled(part, &golden.name, golden.text("nn")));
        }
    }
    let schedules = std::fs::read_to_string(folder("schedules.json")).unwrap();
    for case in serde_json::from_str::<Vec<serde_json::Value>>(&schedules).unwrap() {
        said += spelled("schedules", case["case"].as_str().unwrap(), case["nn"].as_str().unwrap());
    }
    let metrics = std::fs::read_to_string(folder("metrics.json")).unwrap();
    for case in serde_json::from_str::<Vec<serde_json::Value>>(&metrics).unwrap() {
        said += &format!("{}\n", case["nn"].as_str().unwrap());
    }
    let laws: BTreeSet<String> = initialisers().iter().flat_map(|(n, _, _)| words(n)).collect();
    // First values are not to be seen in a golden file: they count by their law only.
    let counts = |name: &str, kind: &str| kind != "init" || laws.contains(name);
    let tested = reached(&kinds, words(&said).union(&laws).cloned().collect(), &counts);
    let missing: Vec<&String> = kinds.keys().filter(|k| !tested.contains(*k)).collect();
    assert!(missing.is_empty(), "no test for {missing:?}");
}

#[test]
fn the_table_for_keras_users_names_everything() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/keras.md");
    let table = std::fs::read_to_string(path).unwrap();
    let named: BTreeSet<&str> = table.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    for (i, (file, text)) in PRELUDE.iter().enumerate() {
        for stmt in parse(text, SourceId(i as u16)).program.stmts {
            let name = match &stmt.kind {
                StmtKind::Fn(def) if stmt.doc.as_ref().is_some_and(|d| d.contains("Keras: ")) => &def.name,
                StmtKind::Layer(def) => &def.name,
                StmtKind::Rule(def) => &def.name,
                StmtKind::Init(def) => &def.name,
                _ => continue,
            };
            assert!(
                named.contains(name.text.as_str()),
                "docs/keras.md does not name `{}` ({file})",
                name.text
            );
        }
    }
}

// ---- mistakes --------------------------------------------------------------------------

/// A step, the shape it meets, and what is said.
const MISTAKES: &[(&str, &[usize], &str)] = &[
    ("conv 8 3x3", &[16], "this is a plain vector of 16 numbers; use `dense`"),
    ("conv 8 3x3", &[2, 2, 1], "a window of 3x3 does not fit into 2x2"),
    ("conv 8 3x3", &[9, 4], "`3x3` is for 2 axes, and there is one axis to slide over"),
    ("conv 8 causal", &[9, 9, 1], "`causal` is for sequences"),
    ("conv 8 groups=3", &[9, 9, 4], "4 channels do not fall into 3 groups"),
    ("conv 8 groups=0", &[9, 9, 4], "the second not 0"),
    ("conv 8 kernel=0", &[9, 9, 4], "a size is at least 1, not 0"),
    ("conv 8 stride=0x1", &[9, 9, 4], "a size is at least 1, not 0"),
    ("conv 8 dilation=4000000000", &[9, 9, 4], "does not fit into"),
    ("maxpool 3x3", &[2, 5, 1], "a window of 3x3 does not fit into 2x5"),
    ("maxpool", &[5], "works on space or time with channels, not on 5"),
    ("maxpool 2x2 causal", &[4, 4, 1], "does not know `causal`"),
    ("upsample 99999999", &[9, 9, 1], "is too large"),
    ("upsample 2 bilinear", &[9, 1], "enlarges pictures"),
    ("pad 1x2x3", &[4, 4, 1], "has 3 margins, 2 are wanted"),
    ("pad 99999999999", &[4, 1], "is too large"),
    ("pad", &[4, 1], "`pad` takes other arguments"),
    ("crop 2x0", &[4, 4, 1], "takes 4 of 4, and nothing would be left"),
    ("groupnorm 3", &[4, 4], "4 channels do not fall into 3 groups"),
    ("glu", &[5], "does not split into 2 equal parts"),
    ("attention 3", &[5, 4], "the width 4 cannot be shared by 3 heads"),
    ("lstm 4", &[5], "works on x[time, n], but this is [5]"),
    ("dense 4 init=identity", &[2, 3, 4], "put `flatten` before it"),
    ("weight w[3] = identity\ndense 1", &[2], "`identity` fills a matrix"),
    ("weight w[3] = orthogonal\ndense 1", &[2], "`orthogonal` fills a matrix"),
    ("weight w[0x3] = zeros\ndense 1", &[2], "a size is at least 1, not 0"),
    ("dense 1\nclip norm=0", &[2], "`clip` takes a positive number"),
    ("dense 1\nclip length=1", &[2], "`clip` has no argument `length`"),
    ("dense 1\noptimizer sgd emma=0.9", &[2], "`sgd` has no argument `emma`"),
    ("dense 1\noptimizer sgd ema=yes", &[2], "`ema` has no place for yes or no"),
    ("dense 1\nschedule plateau watch=val_los", &[2], "no figure is called `val_los`"),
    ("dense 1\nschedule plateau factor=2.0", &[2], "a factor between 0 and 1"),
    ("dense 1\nschedule plateau patience=0", &[2], "a whole number of epochs"),
    ("dense 1\nschedule piecewise at=[1, 2] to=[0.5]", &[2], "has 2 steps and 1 factors"),
    ("dense 1\nsigmoid(all_mean(it))", &[2], "a sum over all samples is for metrics only"),
    (
        "dense 1\nmetrics m=(mean(output - all_mean(output)))",
        &[2],
        "the metric `m` mixes all samples with one",
    ),
    ("dense 1\nmetrics m=(all_mean(mean(output)) * batch_mean(output))", &[2], "mixes all samples with one"),
    ("dense 3\nmetrics m=(confusion(output, output))", &[2], "`confusion` counts classes"),
    ("dense 1\nmetrics table=(all_sum(output))\nsave best=table", &[2], "no figure is called `table`"),
    (
        "dense 1\noptimizer sgd\nschedule cosine steps=warmup",
        &[2],
        "`steps` of `cosine` is a number, not a function",
    ),
];

#[test]
fn mistakes_are_told() {
    let mut bad = Vec::new();
    for (text, shape, words) in MISTAKES {
        let told = match spec_of(&format!("{text}\nloss = sum(output)\n")) {
            Err(e) => e,
            Ok(spec) => {
                let ports = ports(numbers("input", shape), numbers("target", &[1]));
                match spec.elaborate(&ports, &Options::default()) {
                    Ok(_) => "nothing".into(),
                    Err(d) => render(&d, &spec.sources),
                }
            }
        };
        if !told.contains(words) {
            bad.push(format!("`{text}` on {shape:?} does not say `{words}`, but:\n{told}"));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
