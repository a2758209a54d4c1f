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
    // Code with assertions is slower; so is a machine with other work.
    let most = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 2 });
    assert!(start.elapsed() < most, "{text:.200} took {:?}", start.elapsed());
    out.iter().filter(|d| d.is_error()).map(|d| d.code.name()).collect()
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
fn programs_without_measure() {
    let many = |n: usize, line: &dyn Fn(usize) -> String| (0..n).map(line).collect::<String>();
    for (text, code) in [
        // Each calls the one before twice: 2^60 calls.
        (
            many(60, &|i| {
                if i == 0 {
                    "fn f0(x) = x * 2\n".into()
                } else {
                    format!("fn f{i}(x) = f{0}(f{0}(x))\n", i - 1)
                }
            }) + "f59; dense 1; loss mse",
            "N0307",
        ),
        (
            many(60, &|i| {
                if i == 0 {
                    "fn f0(x) = x + it\n".into()
                } else {
                    format!("fn f{i}(x) {{ a = f{0}(x); f{0}(a) }}\n", i - 1)
                }
            }) + "f59; dense 1; loss mse",
            "N0307",
        ),
        (many(100_000, &|_| "dense 1 relu\n".into()) + "loss mse", "N0307"),
        (many(100_000, &|_| "dens 1 relu\n".into()) + "loss mse", "N0201"),
        (many(100_000, &|_| "dense 1 rleu\n".into()) + "loss mse", "N0202"),
        (many(30_000, &|_| "fn g(x) = x\n".into()) + "dense 1; loss mse", "N0217"),
        (many(20_000, &|i| format!("x{i} = it -> relu\n")) + "dense 1; loss mse", ""),
        // Long words in what an error shows.
        (format!("einsum(\"{}-> a\", it); dense 1; loss mse", "a ".repeat(100_000)), "N0311"),
        (format!("require no else \"{}\"\ndense 1; loss mse", "{x}".repeat(100_000)), "N0301"),
        ("layer two of x[..., ...s] { x }\ntwo; dense 1; loss mse".into(), "N0301"),
    ] {
        let found = codes(&text);
        assert!(
            found.contains(&code) || code.is_empty() && found.is_empty(),
            "{:.60}: {:?}",
            text,
            &found[..found.len().min(9)]
        );
        assert!(found.len() <= 201, "{:.60}: {} mistakes", text, found.len());
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
