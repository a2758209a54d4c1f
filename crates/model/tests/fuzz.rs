//! Programs made of pieces of programs: reading and checking them never panics and always ends.
//!
//! `NNC_FUZZ=5000000 cargo test --release -p nnc-model --test fuzz -- --nocapture` runs as many; a program that
//! panics is printed.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::{classes, numbers, ports};
use nnc_graph::random::mix;
use nnc_model::{Options, Overrides, Ports, Spec};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// Programs that use most of the language.
const SEEDS: &[&str] = &[
    "data { 0 0 -> 0; 0 1 -> 1 }\ndense 16 relu\ndense 1 sigmoid\nloss mse\noptimizer adam lr=0.01\nmetrics binary_accuracy\nepochs 500\n",
    "param hidden = 16\nparam act = relu in [relu, tanh]\nexperiment wide hidden=32\nrepeat 2 { dense hidden act }\ndense 3 softmax; loss crossentropy\nsplit valid=15% test=15% stratify\nstop when val_loss stalls for 20\nsave best=val_loss\n",
    "fn swish(x, beta = 1.0) = x * sigmoid(beta * x)\nlayer rbf(units: int) of x[n] -> [units] {\n  weight c[units, n] = normal(1.0)\n  weight s[units] = ones\n  exp(-s^2 * sum((x - c)^2, axis=-1))\n}\nrbf 4; dense 1 swish; loss = mean(abs(output - target)) + 0.1 * l2(weights)\n",
    "shared f = dense 3 tanh\na = input -> f\nb = a -> f -> dropout 0.5\na, b -> concat -> dense 2\nadd (it * 2)\nloss mse; clip 1.0\n",
    "layer c(rate = 0.9) of x[n] -> [n] {\n  state m[n] = zeros\n  if training { m := rate * m + (1 - rate) * batch_mean(x) }\n  x - m\n}\nc; dense 1; loss mse\n",
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

struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: usize) -> usize {
        self.0 = mix(self.0);
        (self.0 % n.max(1) as u64) as usize
    }

    fn program(&mut self) -> String {
        let mut tokens = pieces(SEEDS[self.roll(SEEDS.len())]);
        for _ in 0..=self.roll(5) {
            let at = self.roll(tokens.len() + 1);
            match self.roll(6) {
                0 if at < tokens.len() => drop(tokens.remove(at)),
                1 => tokens.insert(at, WORDS[self.roll(WORDS.len())].into()),
                2 if at < tokens.len() => tokens[at] = WORDS[self.roll(WORDS.len())].into(),
                3 if at < tokens.len() => {
                    let other = self.roll(tokens.len());
                    tokens.swap(at, other);
                }
                4 => {
                    let from = pieces(SEEDS[self.roll(SEEDS.len())]);
                    let start = self.roll(from.len());
                    let end = (start + 1 + self.roll(8)).min(from.len());
                    tokens.splice(at..at, from[start..end].iter().cloned());
                }
                _ if at < tokens.len() => {
                    let token = tokens[at].clone();
                    tokens.insert(at, token);
                }
                _ => {}
            }
        }
        tokens.concat()
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

fn check(text: &str, ports: &[Ports]) -> bool {
    let run = || {
        let Ok(spec) = Spec::read("fuzz.nn", text, &Overrides::default()) else { return false };
        let mut fine = false;
        for ports in ports {
            if let Ok(model) = spec.elaborate(ports, &Options::default()) {
                for graph in [&model.step, &model.eval, &model.init] {
                    assert_eq!(nnc_graph::verify(graph), Ok(()));
                }
                fine = true;
            }
        }
        fine
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(fine) => fine,
        Err(_) => {
            eprintln!("--- this program panics:\n{text}\n---");
            panic!("a program panics");
        }
    }
}

#[test]
fn programs_of_pieces_never_panic() {
    let count: u64 = std::env::var("NNC_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(2000);
    let first: u64 = std::env::var("NNC_FUZZ_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    let ports = [
        ports(numbers("input", &[4]), numbers("target", &[1])),
        ports(numbers("input", &[4]), classes("target", &[], 3)),
    ];
    let (mut fine, mut slowest) = (0u64, (0.0, String::new()));
    for i in 0..count {
        let text = Dice(mix(first ^ mix(i))).program();
        let start = Instant::now();
        fine += u64::from(check(&text, &ports));
        let seconds = start.elapsed().as_secs_f64();
        if seconds > slowest.0 {
            slowest = (seconds, text);
        }
    }
    eprintln!(
        "{count} programs, {fine} of them correct; the slowest took {:.3} s:\n{}",
        slowest.0, slowest.1
    );
    assert!(fine > count / 100, "too few correct programs to test much: {fine}");
}
