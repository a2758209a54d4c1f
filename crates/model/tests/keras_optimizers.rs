//! Every optimizer against Keras, or PyTorch where Keras lacks it: 100 steps with given gradients, within 1e-9 in double precision on both sides, and
//! within 1e-4 of what Keras computes in single precision.

mod common;

use common::golden::{NOT_OURS, all, folder, read, torch};
use common::keras::{REFERENCE, optimizer};

fn compare(precision: &str, tolerance: f64) {
    let problem = read(&folder("optimizers").join("problem.safetensors"));
    let mut bad = Vec::new();
    let mut count = 0;
    for golden in all("optimizers").iter().chain(&torch("optimizers")).filter(|g| g.name.ends_with(precision))
    {
        count += 1;
        let plain = golden.name.trim_end_matches(precision).trim_end_matches('-');
        if NOT_OURS.iter().any(|(f, n, _)| *f == "optimizers" && *n == plain) {
            continue;
        }
        if let Err(e) = optimizer(golden, &problem, &REFERENCE, tolerance) {
            bad.push(format!("{}: {e}", golden.name));
        }
    }
    assert!(count >= 27, "only {count} optimizers");
    assert!(bad.is_empty(), "{} of {count} differ:\n{}", bad.len(), bad.join("\n"));
}

#[test]
fn optimizers_are_keras_optimizers() {
    compare("f64", 1e-9);
}

#[test]
fn optimizers_are_near_those_of_single_precision() {
    compare("f32", 1e-4);
}
