//! What programs compute, in numbers: by hand, and by central differences.
#![allow(clippy::needless_range_loop, clippy::unwrap_used)]

mod common;

use common::{classes, numbers, ports, render};
use nnc_graph::eval::{Array, Bindings, evaluate, evaluate_output};
use nnc_graph::random::Key;
use nnc_graph::{DType, Elementwise, Graph, Leaf, OutputKind, Prim, Role};
use nnc_model::{Model, Options, Overrides, Ports, Spec};

fn build(text: &str, ports: &Ports) -> Model {
    let spec = Spec::read("test.nn", text, &Overrides::default())
        .unwrap_or_else(|(d, s)| panic!("{}", render(&d, &s)));
    spec.elaborate(ports, &Options { float: DType::F64 })
        .unwrap_or_else(|d| panic!("{}", render(&d, &spec.sources)))
}

/// Every parameter of a graph bound to small random numbers (classes to 0, 1, 2, …).
fn bind(graph: &Graph, batch: usize) -> Bindings {
    let mut b = Bindings { batch, seed: 3, step: 1, ..Bindings::default() };
    for id in graph.ids() {
        let node = graph.node(id);
        let Some((role, name)) = node.prim.parameter() else { continue };
        let dims = node.ty.dims_at(batch);
        let key = Key::new(7, 0, nnc_graph::random::site(name));
        let mut i = 0;
        let value = Array::from_fn(&dims, |_| {
            i += 1;
            if node.ty.dtype == DType::I32 { (i % 2) as f64 } else { key.normal(i) * 0.7 }
        });
        b = b.with(role, name, value);
    }
    b
}

/// The gradient of every weight against central differences.
fn check_gradients(model: &Model, batch: usize) {
    let graph = &model.backward;
    let bindings = bind(graph, batch);
    for (name, node) in graph.parameters(Role::Weight) {
        let gradient = evaluate_output(graph, &bindings, OutputKind::Gradient, &name).unwrap();
        for i in 0..graph.ty(node).count_at(batch).unwrap() {
            let at = |h: f64| {
                let mut b = bindings.clone();
                b.parameters.get_mut(&(Role::Weight, name.to_string())).unwrap().data[i] += h;
                evaluate_output(graph, &b, OutputKind::Objective, "objective").unwrap().data[0]
            };
            let h = 1e-5;
            let slope = (at(h) - at(-h)) / (2.0 * h);
            let error = (slope - gradient.data[i]).abs() / (1.0 + slope.abs());
            assert!(error < 1e-7, "{name}[{i}]: {} against {slope}", gradient.data[i]);
        }
    }
}

fn output(graph: &Graph, b: &Bindings, kind: OutputKind, name: &str) -> Vec<f64> {
    evaluate_output(graph, b, kind, name).unwrap().data
}

#[test]
fn gradients_of_many_programs() {
    let two = || ports(numbers("input", &[3]), numbers("target", &[2]));
    let three = || ports(numbers("input", &[4]), classes("target", &[], 3));
    for (text, ports) in [
        ("dense 4 tanh; dense 2; loss mse", two()),
        ("dense 4 gelu; dense 2 sigmoid; loss binary_crossentropy", two()),
        ("dense 5 silu; dense 2; loss mae", two()),
        ("dense 4 tanh; dense 3 softmax; loss crossentropy", three()),
        ("dense 4 tanh; dense 3; loss crossentropy_logits", three()),
        ("x = input -> dense 3 tanh\nadd x; dense 2; loss = mse(output, target) + 0.1 * l2(weights)", two()),
        (
            "a = input -> dense 2 tanh\nb = input -> dense 2 sigmoid\na, b -> concat -> dense 2; loss mse",
            two(),
        ),
        ("shared f = dense 3 tanh\ninput -> f -> f -> dense 2; loss mse", two()),
        (
            "layer twice { dense 3 tanh; dense 3 tanh }\nshared f = twice\ninput -> f -> f -> dense 2; loss mse",
            two(),
        ),
        ("row(input) @ column(input) * 0.1 -> flatten -> dense 2; loss mse", two()),
        (
            "scan x in input with h = zeros([2]) { column(h) -> flatten -> dense 2 tanh; h = it + x }\nflatten; dense 2; loss mse",
            two(),
        ),
        ("dense 4 tanh; dense 2; loss = mse(output, target) + mean(grad(sum(output), input)^2)", two()),
    ] {
        println!("{text}");
        check_gradients(&build(text, &ports), 3);
    }
}

#[test]
fn the_derivative_of_a_derivative() {
    // u(t) is a small network; the loss asks for u'' = -u, as in the oscillator.
    let text = "layer net { dense 3 tanh; dense 3 tanh; dense 1 }\nshared u = net\n\
        y = input -> u\nd1 = grad(sum(y), input)\nd2 = grad(sum(d1), input)\n\
        loss = mean((d2 + y)^2)\ny\n";
    let data = Ports { inputs: vec![numbers("input", &[1])], ..Ports::default() };
    let model = build(text, &data);
    check_gradients(&model, 2);
    // Against differences of the prediction itself.
    let graph = &model.forward;
    let bindings = bind(graph, 1);
    let at = |h: f64| {
        let mut b = bindings.clone();
        b.parameters.get_mut(&(Role::Input, "input".into())).unwrap().data[0] += h;
        output(graph, &b, OutputKind::Prediction, "output")[0]
    };
    let h = 1e-4;
    let second = (at(h) - 2.0 * at(0.0) + at(-h)) / (h * h);
    let loss = output(graph, &bindings, OutputKind::Loss, "loss")[0];
    assert!(
        (loss - (second + at(0.0)).powi(2)).abs() < 1e-5,
        "{loss} against {}",
        (second + at(0.0)).powi(2)
    );
}

/// u = w tanh(v t): its first and second derivatives by t are known, and `grad` of `grad` gives them.
#[test]
fn nested_derivatives_by_hand() {
    let text = "h = input -> dense 1 tanh bias=no\ny = h -> dense 1 bias=no\nd1 = grad(sum(y), input)\n\
        d2 = grad(sum(d1), input)\nd3 = grad(sum(d2), input)\noutput y d1 d2 d3\nloss = mean(y^2)\n";
    let model = build(text, &Ports { inputs: vec![numbers("input", &[1])], ..Ports::default() });
    let b = bind(&model.eval, 3);
    let t = &b.parameters[&(Role::Input, "input".into())].data;
    let v = b.parameters[&(Role::Weight, "h.w".into())].data[0];
    let w = b.parameters[&(Role::Weight, "y.w".into())].data[0];
    let said = |name: &str| output(&model.eval, &b, OutputKind::Prediction, name);
    for s in 0..3 {
        let u = (v * t[s]).tanh();
        let bend = 1.0 - u * u;
        for (name, by_hand) in [
            ("y", w * u),
            ("d1", w * v * bend),
            ("d2", -2.0 * w * v * v * u * bend),
            ("d3", -2.0 * w * v.powi(3) * bend * (1.0 - 3.0 * u * u)),
        ] {
            assert!((said(name)[s] - by_hand).abs() < 1e-12, "{name} {} {by_hand}", said(name)[s]);
        }
    }
}

#[test]
fn shared_weights_exist_once() {
    let model = build(
        "shared f = dense 3\ninput -> f -> f -> dense 1; loss mse",
        &ports(numbers("input", &[3]), numbers("target", &[1])),
    );
    let names: Vec<&str> =
        model.parameters.iter().filter(|p| p.role == Role::Weight).map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["f.w", "f.b", "dense1.w", "dense1.b"]);
}

/// The gradient of a weight that is used twice is the sum of what both uses ask for.
#[test]
fn shared_weights_learn_from_every_use() {
    let model = build(
        "shared f = dense 1 bias=no\ninput -> f -> f; loss mse",
        &ports(numbers("input", &[1]), numbers("target", &[1])),
    );
    let graph = &model.backward;
    let b = bind(graph, 2);
    let x = &b.parameters[&(Role::Input, "input".into())].data;
    let t = &b.parameters[&(Role::Target, "target".into())].data;
    let w = b.parameters[&(Role::Weight, "f.w".into())].data[0];
    // y = w^2 x, loss = (y - t)^2, so the slope is 2 (y - t) * 2 w x, averaged over the samples.
    let by_hand = (0..2).map(|s| 4.0 * (w * w * x[s] - t[s]) * w * x[s]).sum::<f64>() / 2.0;
    let slope = output(graph, &b, OutputKind::Gradient, "f.w")[0];
    assert!((slope - by_hand).abs() < 1e-12, "{slope} {by_hand}");
    let y = output(&model.eval, &bind(&model.eval, 2), OutputKind::Prediction, "output");
    assert!((0..2).all(|s| (y[s] - w * w * x[s]).abs() < 1e-12));
}

#[test]
fn several_outputs_and_a_loss_of_both() {
    let model = build(
        "code = input -> dense 2 tanh\nback = code -> dense 3\nguess = code -> dense 1\noutput back guess\n\
         loss = mse(back, input) + 0.5 * mse(guess, target)\nmetrics far=(mae(guess, target))",
        &ports(numbers("input", &[3]), numbers("target", &[1])),
    );
    let names: Vec<&str> = model.parameters.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(&names[..6], ["code.w", "code.b", "back.w", "back.b", "guess.w", "guess.b"]);
    let b = bind(&model.eval, 2);
    let back = output(&model.eval, &b, OutputKind::Prediction, "back");
    let guess = output(&model.eval, &b, OutputKind::Prediction, "guess");
    let loss = output(&model.eval, &b, OutputKind::Loss, "loss");
    let x = &b.parameters[&(Role::Input, "input".into())].data;
    let t = &b.parameters[&(Role::Target, "target".into())].data;
    for s in 0..2 {
        let first: f64 = (0..3).map(|i| (back[3 * s + i] - x[3 * s + i]).powi(2)).sum::<f64>() / 3.0;
        assert!((loss[s] - first - 0.5 * (guess[s] - t[s]).powi(2)).abs() < 1e-12);
    }
}

#[test]
fn a_layer_with_state_keeps_it() {
    let text = "layer centred(rate = 0.9) of x[n] -> [n] {\n  state mean[n] = zeros\n  if training {\n    \
        now = batch_mean(x)\n    mean := rate * mean + (1 - rate) * now\n  } else { now = mean }\n  x - now\n}\n\
        centred; dense 1; loss mse";
    let model = build(text, &ports(numbers("input", &[2]), numbers("target", &[1])));
    let b = bind(&model.step, 4);
    let x = &b.parameters[&(Role::Input, "input".into())].data;
    let old = &b.parameters[&(Role::State, "centred1.mean".into())].data;
    let new = output(&model.step, &b, OutputKind::Update, "centred1.mean");
    for i in 0..2 {
        let mean: f64 = (0..4).map(|s| x[2 * s + i]).sum::<f64>() / 4.0;
        assert!((new[i] - (0.9 * old[i] + 0.1 * mean)).abs() < 1e-12);
    }
    // Evaluation uses the kept mean and changes nothing.
    assert_eq!(model.eval.outputs_of(OutputKind::Update).count(), 0);
    assert_eq!(model.eval.parameters(Role::State).len(), 1);
}

#[test]
fn an_optimizer_of_ones_own() {
    let text = "rule signed(lr = 0.25) of w, g {\n  state last[shape(w)] = ones\n  last := sign(g)\n  w := w - lr * last\n}\n\
        dense 1; loss mse; optimizer signed";
    let model = build(text, &ports(numbers("input", &[2]), numbers("target", &[1])));
    let b = bind(&model.step, 3);
    let g = output(&model.backward, &bind(&model.backward, 3), OutputKind::Gradient, "dense1.w");
    let w = &b.parameters[&(Role::Weight, "dense1.w".into())].data;
    let new = output(&model.step, &b, OutputKind::Update, "dense1.w");
    for i in 0..2 {
        assert!((new[i] - (w[i] - 0.25 * g[i].signum())).abs() < 1e-12);
    }
    let slots: Vec<&str> =
        model.parameters.iter().filter(|p| p.role == Role::Slot).map(|p| p.name.as_str()).collect();
    assert_eq!(slots, ["dense1.w/signed.last", "dense1.b/signed.last"]);
}

#[test]
fn a_loss_and_an_activation_of_ones_own() {
    let text = "fn swish(x, beta = 1.0) = x * sigmoid(beta * x)\n\
        fn huber(y[...s], target[...s], delta = 1.0) {\n  e = abs(y - target)\n  \
        mean(where(e < delta, 0.5 * e^2, delta * (e - 0.5 * delta)))\n}\n\
        dense 2 swish; loss huber delta=0.5";
    let model = build(text, &ports(numbers("input", &[2]), numbers("target", &[2])));
    check_gradients(&model, 3);
    let b = bind(&model.eval, 1);
    let y = output(&model.eval, &b, OutputKind::Prediction, "output");
    let t = &b.parameters[&(Role::Target, "target".into())].data;
    let one = |y: f64, t: f64| {
        let e = (y - t).abs();
        if e < 0.5 { 0.5 * e * e } else { 0.5 * (e - 0.25) }
    };
    let loss = output(&model.eval, &b, OutputKind::Loss, "loss")[0];
    assert!((loss - (one(y[0], t[0]) + one(y[1], t[1])) / 2.0).abs() < 1e-12);
}

#[test]
fn dropout_keeps_the_mean_and_rests_at_evaluation() {
    let model =
        build("dropout 0.25; dense 1; loss mse", &ports(numbers("input", &[50]), numbers("target", &[1])));
    let graph = &model.forward;
    let mut b = bind(graph, 40);
    let ones = Array::filled(&[40, 50], 1.0);
    b = b.with(Role::Input, "input", ones);
    let values = evaluate(graph, &b).unwrap();
    let kept = graph
        .ids()
        .find(|&id| matches!(graph.node(id).prim, Prim::Elementwise(Elementwise::Select)))
        .unwrap();
    let kept = &values[kept.index()].data;
    let mean = kept.iter().sum::<f64>() / kept.len() as f64;
    assert!((mean - 1.0).abs() < 0.05, "{mean}");
    assert!(kept.iter().all(|v| *v == 0.0 || (*v - 1.0 / 0.75).abs() < 1e-12));
    assert!(model.eval.ids().all(|id| !matches!(model.eval.node(id).prim, Prim::Leaf(Leaf::Rng { .. }))));
}

#[test]
fn first_values_have_the_law_of_their_initialiser() {
    let model =
        build("dense 60 relu; dense 1; loss mse", &ports(numbers("input", &[40]), numbers("target", &[1])));
    let b = Bindings { batch: 1, seed: 5, ..Bindings::default() };
    let w = output(&model.init, &b, OutputKind::Initial, "dense1.w");
    let limit = (6.0f64 / 100.0).sqrt();
    assert!(w.iter().all(|v| v.abs() <= limit));
    let variance = w.iter().map(|v| v * v).sum::<f64>() / w.len() as f64;
    assert!((variance - limit * limit / 3.0).abs() < 0.1 * limit * limit / 3.0, "{variance}");
    assert!(output(&model.init, &b, OutputKind::Initial, "dense1.b").iter().all(|v| *v == 0.0));
    let other = Bindings { seed: 6, ..b };
    assert_ne!(w, output(&model.init, &other, OutputKind::Initial, "dense1.w"));
}
