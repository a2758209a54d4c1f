//! How long answers about a program of 1,000 lines take: `cargo run --release -p nnc-lsp --example answers [LINES]`.

#![allow(clippy::print_stdout)]

use lsp_types::Position;
use nnc_lsp::{
    Document, Library, Text, completion, definition, diagnostics, format, hints, hover, references, rename,
    semantic_tokens, symbols,
};
use nnc_train::DataCache;
use std::time::Instant;

/// A program of so many lines: definitions, a long network of their layers, settings.
fn program(lines: usize) -> String {
    let mut out = vec!["param width = 16 in [8, 16, 32]".to_string(), "data moons 200 noise=0.1".into()];
    let definitions = lines / 20;
    for i in 0..definitions {
        out.push(format!("## A block with a way around it, number {i}."));
        out.push(format!("layer block{i}(units: int, rate = 0.1) of x[..., n] -> [..., units] {{"));
        out.push("  require units > 0 else \"{units} is no size\"".into());
        out.push("  h = x -> dense units relu  # größe".into());
        out.push("  h -> dropout rate".into());
        out.push("  dense units".into());
        out.push("}".into());
    }
    let mut i = 0;
    while out.len() + 5 < lines {
        out.push(match i % 4 {
            0 => format!("h{i} = dense width tanh"),
            1 => format!("block{} width rate=0.2", i % definitions.max(1)),
            2 => "dense units=16 activation=relu bias=no -> layernorm".into(),
            _ => format!("add h{}", i - 3),
        });
        i += 1;
    }
    for last in [
        "dense 1 sigmoid",
        "loss binary_crossentropy",
        "metrics binary_accuracy",
        "optimizer adam lr=0.01",
        "epochs 10",
    ] {
        out.push(last.into());
    }
    out.join("\n") + "\n"
}

/// Milliseconds of each of many.
fn report(what: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or_default();
    println!(
        "{what:<16} median {:>7.2} ms   slowest of {:>3} {:>7.2} ms",
        at(0.5),
        times.len(),
        at(0.999_999)
    );
}

fn measured<T>(what: &str, many: usize, mut of: impl FnMut(usize) -> T) {
    let times = (0..many).map(|i| {
        let begin = Instant::now();
        std::hint::black_box(of(i));
        begin.elapsed().as_secs_f64() * 1e3
    });
    let times = times.collect();
    report(what, times);
}

fn main() {
    let lines = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1000);
    let text = program(lines);
    let mut document = Document::new("x.nn", text.as_str(), &Library::new());
    let mut cache = DataCache::default();
    println!("a program of {} lines, {} bytes", text.lines().count(), text.len());
    measured("(looking at it)", 5, |_| document.look(&mut cache));
    let found = diagnostics(&document, &|_| None);
    for d in &found {
        println!("{}:{}", d.range.start.line + 1, d.message.lines().next().unwrap_or_default());
    }
    println!("{} diagnostics, {} hints", found.len(), hints(&document, 0..usize::MAX).len());
    let places: Vec<Position> = (0..100)
        .map(|i| {
            let line = i * lines / 100;
            let (start, end) = document.text.line_span(line);
            document.text.position(start + (end - start) * (i % 5) / 4)
        })
        .collect();
    let at = |i: usize| places[i % places.len()];
    measured("a key", 100, |i| {
        let text = Text::new(format!("{}{}", &text[..text.len() - 1], " ".repeat(i % 2)));
        document.set(i32::try_from(i).unwrap_or(0), text);
    });
    measured("hover", 100, |i| hover(&document, at(i)));
    measured("completion", 100, |i| completion(&document, at(i)));
    measured("definition", 100, |i| definition(&document, at(i)));
    measured("references", 100, |i| references(&document, at(i), true));
    measured("rename", 100, |i| rename(&document, at(i), "another_name"));
    measured("hints", 20, |_| hints(&document, 0..usize::MAX));
    measured("diagnostics", 20, |_| diagnostics(&document, &|_| None));
    measured("semantic tokens", 20, |_| semantic_tokens(&document));
    measured("outline", 20, |_| symbols(&document));
    measured("usual form", 20, |_| format(&document));
}
