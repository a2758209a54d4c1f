//! Programs that are right by their making: every step is chosen to fit the shape before it.

use super::{classes, numbers, ports};
use nnc_graph::random::mix;
use nnc_model::Ports;

/// Makes one program.
pub struct Right {
    seed: u64,
    out: String,
    /// Names of tensors with their shapes.
    named: Vec<(String, Vec<usize>)>,
    names: usize,
}

impl Right {
    /// A program by the number.
    pub fn new(seed: u64) -> Self {
        Self { seed, out: String::new(), named: Vec::new(), names: 0 }
    }

    fn roll(&mut self, n: usize) -> usize {
        self.seed = mix(self.seed);
        (self.seed % n.max(1) as u64) as usize
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.roll(of.len())]
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        let end = if self.roll(6) == 0 { ';' } else { '\n' };
        self.out.push(end);
    }

    fn activation(&mut self) -> &'static str {
        self.one(&["relu", "tanh", "gelu", "silu", "sigmoid", "elu", "softsign", "swish", "linear", "mish"])
    }

    /// The text, and the data it is about.
    pub fn program(&mut self) -> (String, Ports) {
        let shape: Vec<usize> = match self.roll(3) {
            0 => vec![2 + self.roll(6)],
            1 => vec![2 + self.roll(4), 1 + self.roll(4)],
            _ => vec![6 + self.roll(3), 6 + self.roll(3), 1 + self.roll(3)],
        };
        let k = self.roll(4);
        self.out.push_str("param width = 3 in 1..9\n");
        self.out.push_str("fn swish(x, beta = 1.0) = x * sigmoid(beta * x)\n");
        self.out.push_str("layer bend(units: int, by = tanh) of x[..., n] -> [..., units] {\n");
        self.out.push_str("  weight m[n, units] = he\n  x @ m -> by\n}\n");
        self.out.push_str("layer slow(rate = 0.9) of x[...s, n] -> [...s, n] {\n  state mean[n] = zeros\n");
        self.out
            .push_str("  if training {\n    now = batch_mean(x)\n    repeat len(s) { now = mean_of(now) }\n");
        self.out
            .push_str("    mean := rate * mean + (1 - rate) * now\n  } else { now = mean }\n  x - now\n}\n");
        self.out.push_str("fn mean_of(x) = mean(x, axis=0)\n");
        let mut now = shape.clone();
        let steps = 1 + self.roll(6);
        for _ in 0..steps {
            now = self.step(now);
        }
        if now.len() != 1 {
            self.line("flatten");
        }
        let target = match k {
            0 => {
                let classes_n = 2 + self.roll(4);
                self.line(&format!("dense {classes_n} softmax"));
                self.line("loss crossentropy");
                self.line("metrics accuracy");
                classes("target", &[], classes_n)
            }
            1 => {
                self.line("dense 1 sigmoid");
                self.line("loss binary_crossentropy");
                self.line("metrics binary_accuracy far=(mae(output, target))");
                numbers("target", &[1])
            }
            2 => {
                let n = 1 + self.roll(3);
                self.line(&format!("dense {n}"));
                let loss = self.one(&["mse", "mae", "huber delta=0.5", "log_cosh"]);
                self.line(&format!("loss {loss}"));
                numbers("target", &[n])
            }
            _ => {
                self.line("y = it -> dense 1 tanh");
                self.line("loss = mse(y, target) + 0.01 * l2(weights) + 0.001 * mean(grad(sum(y), input)^2)");
                self.line("output y");
                numbers("target", &[1])
            }
        };
        let optimizer =
            self.one(&["adam", "sgd lr=0.1 momentum=0.9", "adamw decay=0.01", "rmsprop", "lion", "nadam"]);
        self.line(&format!("optimizer {optimizer}"));
        if self.roll(3) == 0 {
            self.line("schedule cosine warmup=5");
        }
        if self.roll(3) == 0 {
            self.line("clip 1.0");
        }
        (self.out.clone(), ports(numbers("input", &shape), target))
    }

    /// One step on a tensor of this shape, and the shape it makes.
    fn step(&mut self, now: Vec<usize>) -> Vec<usize> {
        let (rank, last) = (now.len(), now[now.len() - 1]);
        let act = self.activation();
        match self.roll(12) {
            0 if rank <= 2 => {
                let n = 1 + self.roll(6);
                self.line(&format!("dense {n} {act}"));
                with_last(&now, n)
            }
            1 if rank <= 2 => {
                let n = 1 + self.roll(4);
                self.line(&format!("bend {n} {act}"));
                with_last(&now, n)
            }
            2 => {
                let name = format!("t{}", self.names);
                self.names += 1;
                self.line(&format!("{name} = it -> {act}"));
                self.named.push((name, now.clone()));
                now
            }
            3 => {
                let same: Vec<String> =
                    self.named.iter().filter(|(_, s)| *s == now).map(|(n, _)| n.clone()).collect();
                if same.is_empty() {
                    self.line("it * 0.5 + 1");
                } else {
                    let name = same[self.roll(same.len())].clone();
                    let join = self.one(&["add", "multiply", "average", "maximum", "subtract"]);
                    self.line(&format!("{join} {name}"));
                }
                now
            }
            4 if rank == 3 && now[0] >= 4 && now[1] >= 4 => {
                let n = 1 + self.roll(3);
                self.line(&format!("conv {n} 3x3 {act}"));
                vec![now[0] - 2, now[1] - 2, n]
            }
            5 if rank == 3 && now[0] >= 2 && now[1] >= 2 => {
                let pool = self.one(&["maxpool", "avgpool"]);
                self.line(&format!("{pool} 2x2"));
                vec![now[0] / 2, now[1] / 2, last]
            }
            6 if rank == 2 => {
                let n = 1 + self.roll(3);
                let cell = self.one(&["lstm", "gru"]);
                if self.roll(2) == 0 {
                    self.line(&format!("{cell} {n} sequence"));
                    vec![now[0], n]
                } else {
                    self.line(&format!("{cell} {n}"));
                    vec![n]
                }
            }
            7 if rank == 2 => {
                self.line("attention 1 causal");
                now
            }
            8 => {
                let norm = self.one(&["layernorm", "batchnorm", "slow", "rmsnorm", "dropout 0.2"]);
                self.line(norm);
                now
            }
            9 if rank == 1 => {
                self.line("repeat 2 as i { dense (width + i) relu }");
                vec![4]
            }
            10 if rank == 2 => {
                let (a, b) = (now[0], now[1]);
                self.line(&format!("scan r in it with h = zeros([{b}]) {{ h = 0.5 * h + tanh(r) }}"));
                vec![a, b]
            }
            11 if rank == 2 => {
                self.line("transpose(it)");
                vec![now[1], now[0]]
            }
            _ => {
                self.line(&format!(
                    "{act}; if width > 2 {{ it - mean(it, axis=-1, keep=yes) }} else {{ it }}"
                ));
                now
            }
        }
    }
}

fn with_last(shape: &[usize], n: usize) -> Vec<usize> {
    let mut out = shape.to_vec();
    if let Some(last) = out.last_mut() {
        *last = n;
    }
    out
}
