//! Sizes without measure end in a diagnostic, soon and without memory.
#![allow(clippy::unwrap_used)]

mod common;

use common::{numbers, ports};
use nnc_model::{Options, Overrides, Spec};
use std::time::{Duration, Instant};

fn codes(text: &str) -> Vec<&'static str> {
    let start = Instant::now();
    let data = ports(numbers("input", &[4]), numbers("target", &[1]));
    let out = match Spec::read("t.nn", text, &Overrides::default()) {
        Err((d, _)) => d,
        Ok(spec) => match spec.elaborate(&data, &Options::default()) {
            Ok(_) => Vec::new(),
            Err(d) => d,
        },
    };
    assert!(start.elapsed() < Duration::from_secs(2), "{text} took {:?}", start.elapsed());
    out.iter().filter(|d| d.is_error()).map(|d| d.code).collect()
}

#[test]
fn sizes_without_measure() {
    for (text, code) in [
        ("repeat 1000000000000000000 { dense 2 }; loss mse", "N0307"),
        ("repeat 1e18 { dense 2 }; loss mse", "N0307"),
        ("repeat 100000 { repeat 100000 { dense 2 } }; loss mse", "N0307"),
        ("dense 1000000000000; loss mse", "N0306"),
        ("dense 9223372036854775807; loss mse", "N0306"),
        ("dense (4611686018427387904 * 4); loss mse", "N0306"),
        ("reshape 4294967296x4294967296x1; loss mse", "N0306"),
        ("weight w[4294967296, 4294967296] = zeros; dense 1; loss mse", "N0306"),
        ("layer a { b }\nlayer b { a }\na; loss mse", "N0305"),
        ("fn f(x) = f(x)\nf; loss mse", "N0305"),
        ("linspace(0, 1, 99999999999999) ; dense 1; loss mse", "N0306"),
        ("repeat 50 { concat it }; dense 1; loss mse", ""),
        ("repeat 60 { concat it it }; dense 1; loss mse", "N0306"),
    ] {
        let found = codes(text);
        if code.is_empty() {
            assert!(found.is_empty(), "{text}: {found:?}");
        } else {
            assert!(found.contains(&code), "{text}: {found:?}");
        }
    }
}

#[test]
fn deep_nesting() {
    for text in [
        format!("x = {}1{}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("x = {}1", "-".repeat(100_000)),
        format!("x = {}1", "not ".repeat(100_000)),
        format!("x = 1{}", "^1".repeat(100_000)),
        format!("x = 1{}", "+1".repeat(100_000)),
        format!("x = input{}", " -> relu".repeat(100_000)),
        "repeat 2 { ".repeat(100_000),
        format!("if yes {{ }} {}", "else if yes { }".repeat(100_000)),
    ] {
        let start = Instant::now();
        let _ = codes(&text);
        assert!(start.elapsed() < Duration::from_secs(2), "{} took {:?}", &text[..30], start.elapsed());
    }
}
