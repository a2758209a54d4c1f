//! Nothing that is written has no effect: values that are no step, options of another kind, names that nobody uses.
#![allow(clippy::unwrap_used)]

mod common;

use common::{numbers, ports, render};
use nnc_graph::eval::{Array, Bindings, evaluate_output};
use nnc_graph::{DType, OutputKind, Role};
use nnc_model::{Model, Options, Overrides, Ports, Spec};

fn two() -> Ports {
    ports(numbers("input", &[2]), numbers("target", &[1]))
}

fn try_with(text: &str, set: &[(&str, &str)]) -> Result<(Model, String), String> {
    let set = set.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
    let overrides = Overrides { set, ..Overrides::default() };
    let spec = Spec::read("test.nn", text, &overrides).map_err(|(d, s)| render(&d, &s))?;
    let model = spec.elaborate(&two(), &Options { float: DType::F64 });
    let model = model.map_err(|d| render(&d, &spec.sources))?;
    let said = render(&model.diagnostics, &spec.sources);
    Ok((model, said))
}

/// The prediction for the sample 3 and 4.
fn answer(formula: &str) -> Vec<f64> {
    let text = format!("y = {formula}\noutput y\nloss = sum(input)");
    let (model, _) = try_with(&text, &[]).unwrap_or_else(|said| panic!("{text}\n{said}"));
    let input = Array::new(&[1, 2], vec![3.0, 4.0]);
    let bindings = Bindings { batch: 1, ..Bindings::default() }.with(Role::Input, "input", input);
    evaluate_output(&model.eval, &bindings, OutputKind::Prediction, "y").unwrap().data
}

#[test]
fn a_list_and_a_tensor_go_together_either_way() {
    for (formula, value) in [
        ("[10, 0.5] * input", [30.0, 2.0]),
        ("input * [10, 0.5]", [30.0, 2.0]),
        ("[10, 0.5] + input", [13.0, 4.5]),
        ("[10, 0.5] - input", [7.0, -3.5]),
        ("input - [10, 0.5]", [-7.0, 3.5]),
        ("[12, 2] / input", [4.0, 0.5]),
        ("(1 - [0.1, 0.5]) * input", [2.7, 2.0]),
        ("([0.1, 0.5] - 1) * input", [-2.7, -2.0]),
        ("(2 / [1, 4]) * input", [6.0, 2.0]),
        ("[3, 5] > input", [0.0, 1.0]),
        ("input < [3, 5]", [0.0, 1.0]),
        ("[3, 5] == input", [1.0, 0.0]),
        ("max([1, 5], input)", [3.0, 5.0]),
        ("max(input, [1, 5])", [3.0, 5.0]),
        ("min([1, 5], input)", [1.0, 4.0]),
        ("[2, 3] ^ input", [8.0, 81.0]),
        ("sum([10, 0.5] * input) * [1, 2]", [32.0, 64.0]),
        ("[1, 2] * sum(input * [10, 0.5])", [32.0, 64.0]),
    ] {
        let found = answer(formula);
        let near = found.iter().zip(value).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(near && found.len() == 2, "{formula}: {found:?}");
    }
}

#[test]
fn a_line_without_a_tensor_is_a_mistake() {
    for line in [
        "2 * 3",
        "(2)",
        "5",
        "[1, 2]",
        "-[1, 2]",
        "[relu(it), tanh(it)]",
        "split(it, 2)",
        "shape(it)",
        "len(it)",
        "yes",
        "not yes",
        "3x3",
        "\"text\"",
        "glorot",
        "it, it",
        "pi",
        "[1, 2] > 1",
        "repeat 2 { [1, 2] }",
        "if yes { 3 }",
        "fn f(x) { [x, x]; tanh(x) }\nf",
        "layer l of x[n] { len(x); dense 2 }\nl",
        "scan x in reshape(it, 2x1) { 2 * 3 }",
    ] {
        let text = format!("{line}\ndense 1; loss mse; optimizer adam");
        let said = try_with(&text, &[]).map(|(_, said)| said).unwrap_err();
        assert!(said.contains("Error[N0210]"), "{text}\n{said}");
        assert_eq!(said.matches("Error").count(), 1, "{text}\n{said}");
    }
}

#[test]
fn the_last_value_of_a_body_is_its_result() {
    for (text, value) in [
        ("fn both(x) { y = 2 * x; [x, y] }\na, b = both(input)\ny = a + b", [9.0, 12.0]),
        ("fn both(x) { tanh(x); x, 2 * x }\na, b = both(input)\ny = b - a", [3.0, 4.0]),
        ("fn width(x) { y = 2 * x; len(x) }\ny = width(input) * input", [6.0, 8.0]),
    ] {
        let (definitions, formula) = text.rsplit_once("\ny = ").unwrap();
        let text = format!("{definitions}\ny = {formula}\noutput y\nloss = sum(input)");
        let (model, _) = try_with(&text, &[]).unwrap_or_else(|said| panic!("{text}\n{said}"));
        let input = Array::new(&[1, 2], vec![3.0, 4.0]);
        let bindings = Bindings { batch: 1, ..Bindings::default() }.with(Role::Input, "input", input);
        let found = evaluate_output(&model.eval, &bindings, OutputKind::Prediction, "y").unwrap().data;
        assert_eq!(found, value, "{text}");
    }
}

#[test]
fn a_name_of_a_list_is_told_as_what_it_is() {
    let said =
        try_with("x = [relu(input), tanh(input)]\noutput x\nloss = sum(input)", &[]).map(|_| ()).unwrap_err();
    assert!(said.contains("`x` is a list of two tensors, not a tensor"), "{said}");
    assert!(!said.contains("did you mean"), "{said}");
    let (_, said) = try_with("factor = 2 * 3\ndense 1; loss mse; optimizer adam", &[]).unwrap();
    assert!(said.contains("Warning[N0303]: `factor` is named, but nothing uses it"), "{said}");
}

#[test]
fn options_of_another_kind_are_mistakes() {
    for line in [
        "sum(it, axis=0, keep=3) * it",
        "sum(it, axis=0, except=0) * it",
        "sum(it, 0, axis=0) * it",
        "mean(it, keep=yes, keep=no) * it",
        "split(it, 2, parts=1)",
        "reshape(it, 2x1, shape=1x2) -> flatten",
        "rearrange(it, \"a -> a\", b=3)",
        "rearrange(it, \"a -> a\", a=3)",
        "rearrange(it, \"(a b) -> b a\", a=yes) -> flatten",
        "save",
        "split",
        "metrics",
        "save best=loss best=loss",
        "split valid=10% valid=20%",
        "input x 2 3",
        "input x 2 standardize",
    ] {
        let text = format!("{line}\ndense 1; loss mse; optimizer adam");
        let said = try_with(&text, &[]).map(|(_, said)| said).err();
        assert!(said.is_some_and(|s| s.contains("Error[N02") || s.contains("Error[N0311")), "{text}");
    }
}

#[test]
fn set_takes_one_value_for_one_name() {
    let text = "param hidden = 4\ndense hidden; dense 1; loss mse; optimizer adam";
    assert!(try_with(text, &[("hidden", "8")]).is_ok());
    for set in [
        &[("hidden", "8,16,32")][..],
        &[("hidden", "[8]")],
        &[("hidden", "8 -> 3")],
        &[("hidden", "8"), ("hidden", "16")],
        &[("hidden", "x = 3")],
    ] {
        let said = try_with(text, set).map(|_| ()).unwrap_err();
        assert!(said.contains("Error[N0205]"), "{said}");
    }
}

#[test]
fn options_outside_of_their_range_are_mistakes() {
    for line in [
        "dense 1 sigmoid; loss binary_crossentropy smoothing=-0.1",
        "dense 1 sigmoid; loss binary_crossentropy smoothing=1.5",
        "dense 1 sigmoid; loss binary_focal alpha=-1",
        "gaussian_noise (-1); dense 1; loss mse",
        "dense 1; loss mse; optimizer adam lr=-0.1",
        "dense 1; loss mse; schedule cosine warmup=-3",
        "dense 1; loss mse; schedule exponential steps=yes",
    ] {
        let said = try_with(line, &[]).map(|(_, said)| said).err();
        assert!(said.is_some_and(|s| s.contains("Error[N0205") || s.contains("Error[N0301")), "{line}");
    }
}

#[test]
fn a_loss_without_weights_is_told_of() {
    for (loss, told) in
        [("yes", true), ("mean(input)", true), ("mean(output^2)", false), ("l2(weights)", false)]
    {
        let (_, said) = try_with(&format!("dense 1\nloss = {loss}\noptimizer adam"), &[]).unwrap();
        assert_eq!(said.contains("Warning[N0413]: the loss depends on no weight"), told, "{loss}\n{said}");
    }
    let said =
        try_with("a, b = split(input, 2)\n[a, b] * input\ndense 1; loss mse", &[]).map(|_| ()).unwrap_err();
    assert!(said.contains("to join them: concat([a, b] * input)"), "{said}");
}
