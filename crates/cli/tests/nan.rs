//! What is said where a loss becomes no number: by what failed first.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;

#[test]
fn the_remedy_fits_the_operation_that_failed() {
    let pairs = "data { 1 2 1 2 -> 1; 0 1 3 1 -> 0; 2 2 2 2 -> 1 }\n";
    let rows = "data { 1 0 -> 3; 0 1 -> 1; 2 2 -> 7 }\n";
    for (text, remedy, not) in [
        // A root of exactly 0: no clip helps.
        (
            format!(
                "{pairs}shared e = dense 2\na, b = split(input, 2)\nea = a -> e\neb = b -> e\nd = sqrt(sum((ea - eb)^2))\noutput d\nloss = mean(target * d^2)"
            ),
            "sqrt(sum((ea - eb)^2) + 1e-12)",
            "clip 1.0",
        ),
        (
            format!("{rows}dense 1\nloss = mean(sqrt(output - 100))"),
            "sqrt(max(output - 100, 0) + 1e-12)",
            "clip",
        ),
        (
            format!("{rows}dense 1 relu\nloss = -mean(target * log(output * 0))"),
            "log(output * 0 + 1e-7)",
            "clip",
        ),
        (format!("{rows}dense 1\nloss = -mean(log(output - 100))"), "softplus", "clip"),
        (format!("{rows}dense 1\nloss = mean(target / (0 * output))"), "a / (b + 1e-7)", "clip"),
        (format!("{rows}dense 1\nloss = mean(exp(1000 * (output + 10)^2))"), "exp(min(", "clip"),
        (
            format!("{rows}dense 1 relu\nloss = mean((0 * output)^(-1.5))"),
            "keep the base away from 0",
            "clip",
        ),
        (format!("{rows}dense 3\nloss = -log(sum(exp(-1000 * (output - 30)^2)))"), "logsumexp", "clip"),
        (format!("{rows}dense 1\nloss mse\noptimizer sgd lr=100\nepochs 300"), "smaller steps", "sqrt"),
        (
            "data { 1e18 2e18 -> 3e20; 2e18 1e18 -> 1e20 }\ndense 1\nloss mse\noptimizer sgd lr=1e-30"
                .to_string(),
            "standardize",
            "sqrt",
        ),
    ] {
        let place = Place::new();
        place.write("net.nn", &format!("{text}\n"));
        let ran = place.nnc(&["train", "net.nn", "--out", "run", "-q"]);
        assert_eq!(ran.code, 1, "{text}\n{}", ran.err);
        assert!(ran.err.contains("error[N0601]"), "{text}\n{}", ran.err);
        let help = ran.err.split("help:").nth(1).unwrap_or("");
        assert!(help.contains(remedy), "{text}\n{}", ran.err);
        assert!(!help.contains(not), "{text}\n{}", ran.err);
        assert!(help.contains("nnc why run "), "{text}\n{}", ran.err);
    }
}
