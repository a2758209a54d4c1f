#![allow(missing_docs)]
mod common;
use nnc_syntax::*;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::*;
#[test]
fn scratch() {
    let Ok(file) = std::env::var("FILE") else { return };
    for text in std::fs::read_to_string(file).unwrap().split("====\n") {
        println!("-----\n{text}\n{}", common::render(text));
    }
}
#[test]
fn hunt() {
    let n: u64 = std::env::var("HUNT").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut best: Option<(String, String)> = None;
    let strategy = common::generate::program();
    let mut failures = 0;
    let mut keep = |text: String, why: String| {
        failures += 1;
        if best.as_ref().is_none_or(|(b, _)| text.len() < b.len()) { best = Some((text, why)); }
    };
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[n as u8; 32]));
    for _ in 0..n {
        let text = strategy.new_tree(&mut runner).unwrap().current();
        let (parsed, _) = common::read(&text);
        if !parsed.diagnostics.is_empty() { keep(text.clone(), common::render(&text)); continue; }
        let layers = text.len() % 2 == 0;
        let once = match format(&text, SourceId::default(), &|_| layers) { Ok(o) => o, Err(_) => continue };
        let twice = match format(&once, SourceId::default(), &|_| layers) { Ok(o) => o, Err(_) => { keep(text.clone(), format!("BROKEN\n{once}\n{}", common::render(&once))); continue } };
        if once != twice {
            let at = once.lines().zip(twice.lines()).position(|(a, b)| a != b).unwrap_or(0).saturating_sub(4);
            let part = |t: &str| t.lines().skip(at).take(14).collect::<Vec<_>>().join("\n");
            keep(text.clone(), format!("ONCE\n{}\nTWICE\n{}", part(&once), part(&twice)));
        }
        if !layers && !same_meaning(&parsed.program, &common::read(&once).0.program) { keep(text.clone(), format!("MEANING\n{once}")); }
        let hashes = |t: &str| t.matches('#').count() - t.matches("##").count();
        if hashes(&text) != hashes(&once) { keep(text.clone(), format!("COMMENTS\n{once}")); }
    }
    println!("{failures} failures of {n}");
    if let Some((text, why)) = best { println!("TEXT {}\n{why}", if text.len() < 400 { &text } else { "" }); }
}
