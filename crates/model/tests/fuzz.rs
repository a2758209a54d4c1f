//! Programs made of pieces of programs: reading and checking them never panics and always ends.
//!
//! `NNC_FUZZ=5000000 NNC_VALID=1000 cargo test --release -p nnc-model --test fuzz -- --nocapture` runs as many, and
//! `NNC_FUZZ_SEED=1` makes them others; a program that panics is printed.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::{classes, numbers, ports};
use nnc_graph::random::mix;
use nnc_model::{Options, Overrides, Ports, Spec};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Programs that use most of the language.
const SEEDS: &[&str] = &[
    "data { 0 0 -> 0; 0 1 -> 1 }\ndense 16 relu\ndense 1 sigmoid\nloss mse\noptimizer adam lr=0.01\nmetrics binary_accuracy\nepochs 500\n",
    "param hidden = 16\nparam act = relu in [relu, tanh]\nexperiment wide hidden=32\nrepeat 2 { dense hidden act }\ndense 3 softmax; loss crossentropy\nsplit valid=15% test=15% stratify\nstop when val_loss stalls for 20\nsave best=val_loss\n",
    "fn swish(x, beta = 1.0) = x * sigmoid(beta * x)\nlayer rbf(units: int) of x[n] -> [units] {\n  weight c[units, n] = normal(1.0)\n  weight s[units] = ones\n  exp(-s^2 * sum((x - c)^2, axis=-1))\n}\nrbf 4; dense 1 swish; loss = mean(abs(output - target)) + 0.1 * l2(weights)\n",
    "shared f = dense 3 tanh\na = input -> f\nb = a -> f -> dropout 0.5\na, b -> concat -> dense 2\nadd (it * 2)\nloss mse; clip 1.0\n",
    "layer c(rate = 0.9) of x[n] -> [n] {\n  state m[n] = zeros\n  if training { m := rate * m + (1 - rate) * batch_mean(x) }\n  x - m\n}\nc; dense 1; loss mse\n",
    "data uniform 8 dims=6 { input rest }\nxs = input -> reshape 3x2\nscan x in xs with h = argmax(xs[0]), g = (xs[0] < 2) { \
     scan v in x with s = 0 { s = s + v }; g = g * s; h = argmax(x * g) }\nloss = mean(one_hot(h)) + mean(g)\none_hot(h)\n",
    "scan x in input with h = zeros([2]) { h = h * 0.5 + x }\nflatten; dense 2; loss mse\nexpect loss < 0.1 within 5 epochs in 1 of 2 seeds\n",
    "y = rearrange(input, \"(h e) -> h e\", h=2)\neinsum(\"h e, h f -> e f\", y, y) -> flatten -> dense 2; loss mse\ng = grad(sum(output), input)\n",
    "rule mine(lr = 0.1) of w, g { state v[shape(w)] = zeros; v := 0.9 * v + g; w := w - lr * v }\ninit small(k = 2.0) of shape = random_uniform(shape) / k\ndense 2 init=small; loss mae; optimizer mine lr=0.5\n",
    "data \"a.csv\" { input a b standardize; target y category; drop id }\ninput left 3\nif 1 < 2 and not no { dense 4 } else { dense 5 }\nrequire rank(it) == 1 else \"no {it}\"\n",
];

const WORDS: &[&str] = &[
    "dense",
    "relu",
    "16",
    "1",
    "0",
    "-1",
    "1e400",
    "99999999999999999999",
    "1e12",
    "0.5",
    "20%",
    "3x3",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "->",
    "=",
    ":=",
    "==",
    "<",
    "+",
    "-",
    "*",
    "/",
    "@",
    "^",
    ",",
    ";",
    "\n",
    "#",
    "\"",
    "it",
    "yes",
    "no",
    "training",
    "if",
    "then",
    "else",
    "repeat",
    "layer",
    "fn",
    "weight",
    "state",
    "of",
    "in",
    "with",
    "as",
    "loss",
    "mse",
    "input",
    "target",
    "output",
    "weights",
    "grad",
    "sum",
    "mean",
    "max",
    "concat",
    "add",
    "split",
    "reshape",
    "transpose",
    "softmax",
    "crossentropy",
    "pick",
    "gather",
    "one_hot",
    "einsum",
    "rearrange",
    "zeros",
    "normal",
    "dropout",
    "shared",
    "scan",
    "use",
    "param",
    "...",
    "...s",
    "x",
    "n",
    "é",
    "\u{0}",
    "shape",
    "size",
    "index",
    "where",
    "linspace",
    "not",
    "and",
    "or",
    "axis=-1",
    "keep=yes",
    "optimizer",
    "adam",
    "sgd",
    "clip",
];

/// Every program of the repository: those above, the samples, the wrong ones, and those of the specification.
fn corpus() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut out: Vec<String> = SEEDS.iter().map(|s| (*s).to_string()).collect();
    for folder in ["specs", "crates/cli/tests/wrong", "crates/cli/tests/mistakes", "crates/model/prelude"] {
        out.extend(texts(&root.join(folder), "nn"));
    }
    for chapter in texts(&root.join("specs/language"), "md") {
        let blocks = chapter.split("```nn").skip(1).filter_map(|rest| rest.split_once('\n'));
        out.extend(blocks.filter_map(|(_, rest)| rest.split("```").next()).map(String::from));
    }
    assert!(out.len() > 100, "{}", out.len());
    out
}

/// The files of a folder with this ending, by name.
fn texts(folder: &Path, ending: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == ending));
    paths.sort();
    paths.iter().map(|p| std::fs::read_to_string(p).unwrap()).collect()
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: usize) -> usize {
        self.0 = mix(self.0);
        (self.0 % n.max(1) as u64) as usize
    }

    fn pick<'t>(&mut self, list: &'t [String]) -> &'t String {
        &list[self.roll(list.len())]
    }

    /// A program of the corpus, changed in a few places.
    fn program(&mut self, base: Option<&str>, corpus: &[String]) -> String {
        let mut text = base.map_or_else(|| self.pick(corpus).clone(), String::from);
        if self.roll(3) == 0 {
            text = self.lines(&text, corpus);
        }
        let mut tokens = pieces(&text);
        for _ in 0..self.roll(6) {
            let at = self.roll(tokens.len() + 1);
            match self.roll(8) {
                0 if at < tokens.len() => drop(tokens.remove(at)),
                1 => tokens.insert(at, WORDS[self.roll(WORDS.len())].into()),
                2 if at < tokens.len() => tokens[at] = WORDS[self.roll(WORDS.len())].into(),
                3 if at < tokens.len() => {
                    let other = self.roll(tokens.len());
                    tokens.swap(at, other);
                }
                4 => {
                    let from = pieces(self.pick(corpus));
                    let start = self.roll(from.len());
                    let end = (start + 1 + self.roll(8)).min(from.len());
                    tokens.splice(at..at, from[start..end].iter().cloned());
                }
                5 if at < tokens.len() => {
                    // A piece of the same sort from elsewhere: a number for a number, a name for a name.
                    let from = pieces(self.pick(corpus));
                    let sort = |t: &str| t.chars().next().map(|c| (c.is_alphabetic(), c.is_ascii_digit()));
                    let alike: Vec<&String> = from.iter().filter(|t| sort(t) == sort(&tokens[at])).collect();
                    if !alike.is_empty() {
                        tokens[at] = alike[self.roll(alike.len())].clone();
                    }
                }
                6 if at < tokens.len() => {
                    let end = (at + 1 + self.roll(6)).min(tokens.len());
                    let token = tokens[at..end].to_vec();
                    tokens.splice(at..at, token);
                }
                _ if at < tokens.len() => {
                    let c = ['é', '\u{0}', '"', '\\', '\t', '×', '\u{feff}', '🙂'][self.roll(8)];
                    let mut i = self.roll(tokens[at].len() + 1);
                    while !tokens[at].is_char_boundary(i) {
                        i -= 1;
                    }
                    tokens[at].insert(i, c);
                }
                _ => {}
            }
        }
        tokens.concat()
    }

    /// Lines dropped, doubled, exchanged, and taken from another program.
    fn lines(&mut self, text: &str, corpus: &[String]) -> String {
        let mut lines: Vec<String> = text.lines().map(String::from).collect();
        let other: Vec<String> = self.pick(corpus).lines().map(String::from).collect();
        for _ in 0..=self.roll(3) {
            let at = self.roll(lines.len() + 1);
            match self.roll(4) {
                0 if at < lines.len() => drop(lines.remove(at)),
                1 if at < lines.len() => {
                    let to = self.roll(lines.len());
                    lines.swap(at, to);
                }
                2 if at < lines.len() => {
                    let line = lines[at].clone();
                    lines.insert(at, line);
                }
                _ if !other.is_empty() => {
                    let from = self.roll(other.len());
                    let to = (from + 1 + self.roll(4)).min(other.len());
                    lines.splice(at..at, other[from..to].iter().cloned());
                }
                _ => {}
            }
        }
        lines.join("\n")
    }
}

/// Words, numbers, signs and blanks.
fn pieces(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let kind = |c: char| {
        if c.is_alphanumeric() || c == '_' || c == '.' {
            0
        } else if c.is_whitespace() {
            1
        } else {
            2
        }
    };
    for c in text.chars() {
        match out.last_mut() {
            Some(last) if kind(c) < 2 && last.chars().last().map(kind) == Some(kind(c)) => last.push(c),
            _ => out.push(c.to_string()),
        }
    }
    out
}

/// Reads a program and, with these ports, builds its graphs; whether all went well.
fn check(text: &str, ports: &Ports) -> bool {
    let run = || {
        let Ok(spec) = Spec::read("fuzz.nn", text, &Overrides::default()) else { return false };
        let Ok(model) = spec.elaborate(ports, &Options::default()) else { return false };
        for graph in [&model.step, &model.eval, &model.init] {
            assert_eq!(nnc_graph::verify(graph), Ok(()));
        }
        true
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        eprintln!("--- this program panics:\n{text}\n---");
        PANICS.fetch_add(1, Ordering::Relaxed);
        false
    })
}

static PANICS: AtomicUsize = AtomicUsize::new(0);

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

fn data() -> [Ports; 4] {
    [
        ports(numbers("input", &[4]), numbers("target", &[1])),
        ports(numbers("input", &[2]), numbers("target", &[1])),
        ports(numbers("input", &[4]), classes("target", &[], 3)),
        ports(numbers("input", &[8, 8, 1]), classes("target", &[], 3)),
    ]
}

#[test]
fn programs_of_pieces_never_panic() {
    let count = number("NNC_FUZZ", 4000);
    let first = number("NNC_FUZZ_SEED", 0);
    let (corpus, data) = (corpus(), data());
    let (mut fine, mut slowest) = (0u64, (0.0, String::new()));
    for i in 0..count {
        let mut dice = Dice(mix(first ^ mix(i)));
        // Half of them begin as programs that are right.
        let right = (dice.roll(2) == 0).then(|| common::right::Right::new(mix(i)).program());
        let text = dice.program(right.as_ref().map(|(text, _)| text.as_str()), &corpus);
        let start = Instant::now();
        let ports = right.as_ref().map_or_else(|| &data[dice.roll(data.len())], |(_, ports)| ports);
        fine += u64::from(check(&text, ports));
        let seconds = start.elapsed().as_secs_f64();
        if seconds > slowest.0 {
            slowest = (seconds, text);
        }
    }
    eprintln!(
        "{count} programs, {fine} of them correct; the slowest took {:.3} s:\n{}",
        slowest.0, slowest.1
    );
    assert_eq!(PANICS.load(Ordering::Relaxed), 0, "programs panic");
    assert!(slowest.0 < 2.0, "a program took {} s", slowest.0);
    assert!(fine > count / 100, "too few correct programs to test much: {fine}");
}

/// A softmax over one number is a mistake where it is asked for, not inside attention over one step.
#[test]
fn attention_over_one_step_is_allowed() {
    let data = ports(numbers("input", &[1, 4]), numbers("target", &[4]));
    assert!(check("attention 2; flatten; loss mse", &data));
    let data = ports(numbers("input", &[4]), numbers("target", &[1]));
    assert!(
        !check("dense 1 softmax; loss mse", &data)
            && !check("param last = softmax\ndense 1 last; loss mse", &data)
    );
}

/// A comparison given to a state or as a first value is 0 or 1.
#[test]
fn comparisons_become_numbers_in_states_and_first_values() {
    let data = ports(numbers("input", &[4]), numbers("target", &[1]));
    let state = "state s[4] = zeros\ns := batch_mean(input) > s\ninput -> dense 1; loss mse";
    let init = "init odd of shape = random_uniform(shape) > 0.5\ndense 1 init=odd; loss mse";
    assert!(check(state, &data) && check(init, &data));
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
}

/// What such programs have found.
#[test]
fn programs_that_once_panicked() {
    let [four, ..] = data();
    for text in [
        "output y; output y; y = input -> dense 1; loss mse",
        "y = input -> dense 1\noutput y\noutput y\nloss mse",
        "layer two of x[..., ... n] { x }\ntwo; dense 1; loss mse",
        "layer rbf of x[n] { weight c[n] = normal(x); x * c }\nrbf; dense 1; loss mse",
        "weight c[4] = uniform(mean(input)); dense 1; loss mse",
    ] {
        assert!(!check(text, &four), "{text}");
        assert_eq!(PANICS.load(Ordering::Relaxed), 0, "{text}");
    }
}

/// Programs that are right by their making: every one is accepted, its graphs keep their promises, and its usual
/// form means the same.
#[test]
fn programs_made_right_are_right() {
    let count = number("NNC_VALID", 300);
    let first = number("NNC_FUZZ_SEED", 0);
    for i in 0..count {
        let mut right = common::right::Right::new(mix(first ^ mix(i + 77)));
        let (text, ports) = right.program();
        let model = common::build(&text, &ports)
            .unwrap_or_else(|(d, s)| panic!("{text}\n{}", common::render(&d, &s)));
        for graph in [&model.forward, &model.backward, &model.step, &model.eval, &model.init] {
            assert_eq!(nnc_graph::verify(graph), Ok(()), "{text}");
            let printed = nnc_graph::text::print(graph);
            assert_eq!(&nnc_graph::text::parse(&printed).unwrap(), graph, "{text}");
        }
        let shown = nnc_syntax::format(&text, nnc_syntax::SourceId(0), &|_| false).unwrap();
        let again = common::build(&shown, &ports)
            .unwrap_or_else(|(d, s)| panic!("{text}\n{shown}\n{}", common::render(&d, &s)));
        assert_eq!(again.parameters, model.parameters, "{text}\n{shown}");
        assert_eq!(again.step.len(), model.step.len(), "{text}\n{shown}");
    }
}
