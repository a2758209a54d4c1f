//! What a program says about training, and what it leaves open.

use super::name::first_sentence;
use super::walk::{Explained, Walk};
use super::words::{self, capital, count};
use nnc_syntax::ast::{Arg, StmtKind};

impl Walk<'_> {
    /// What a setting says.
    pub(super) fn setting(&self, head: &str, args: &[Arg]) -> Vec<String> {
        let settings = &self.model.settings;
        let named = args.first().map_or("", |a| self.words(a.value.span));
        let named = named.split('(').next().unwrap_or(named);
        let doc = |name: &str, known: Option<&str>| {
            let doc = || {
                let doc = self.spec.globals.docs.get(name)?.0.as_deref()?;
                Some(words::small(&first_sentence(doc)))
            };
            known.map(str::to_string).or_else(doc)
        };
        let rest = args.get(1..).unwrap_or(&[]);
        let mut out = Vec::new();
        match head {
            "loss" => {
                let what = doc(named, words::figure(named)).map_or(String::new(), |d| format!(" `{named}` is {d}."));
                out.push(format!(
                    "The loss: the number that says how badly the network does, and that training makes small.{what}",
                ));
            }
            "optimizer" => {
                let what = doc(named, words::optimizer(named)).map_or(String::new(), |d| format!(": {d}"));
                out.push(format!("The optimizer finds the adjustments to the weights. With `{named}`{what}."));
                out.extend(self.bound(named, rest).and_then(|b| self.open(named, &b)));
            }
            "metrics" => {
                out.push("Figures to watch. They do not steer the training.".into());
                for arg in args {
                    let name = arg.key.as_ref().map_or(self.words(arg.value.span), |k| k.text.as_str());
                    match (&arg.key, doc(name, words::figure(name))) {
                        (None, Some(text)) => out.push(format!("`{name}`: {text}.")),
                        (Some(_), _) => {
                            let words = self.words(arg.value.span);
                            let words = words.strip_prefix('(').and_then(|w| w.strip_suffix(')')).unwrap_or(words);
                            out.push(format!("`{name}`: {words}, averaged over the samples."));
                        }
                        (None, None) => {}
                    }
                }
            }
            "epochs" => out.push(format!(
                "All samples are seen {}. {}",
                times(settings.epochs.unwrap_or(100)),
                self.length()
            )),
            "steps" => out.push(format!(
                "The training ends after {}: that often, the weights are adjusted.",
                count(settings.steps.unwrap_or(0), "step")
            )),
            "batch" if settings.whole => {
                out.push("All samples make one step: the weights are adjusted once in an epoch.".into());
            }
            "batch" if settings.accumulate > 1 => out.push(format!(
                "{} make one step, computed {} at a time: their gradients are added up before the weights are adjusted. \
                 An epoch has {}.",
                capital(&count(settings.batch as u64, "sample")),
                settings.piece(),
                count(settings.steps_per_epoch(self.ports.samples), "step")
            )),
            "batch" => out.push(format!(
                "{} make one step: the weights are adjusted once for all of them together. An epoch has {}.",
                capital(&count(settings.batch as u64, "sample")),
                count(settings.steps_per_epoch(self.ports.samples), "step")
            )),
            "seed" => out.push("The key of all random numbers: same seed, same result, bit for bit.".into()),
            "schedule" => {
                let what = doc(named, None).map_or(String::new(), |d| format!(" `{named}`: {d}."));
                out.push(format!("How the learning rate changes while training.{what}"));
            }
            "clip" => out.push(
                "A gradient that is longer than this is shortened, so that one odd batch cannot throw the weights \
                 far away."
                    .into(),
            ),
            "split" => out.push(self.split()),
            "save" => out.push(match (&settings.save_best, settings.save_every) {
                (Some(best), None) => format!("In the end the weights of the epoch with the best `{best}` are kept."),
                (best, every) => {
                    let best = best.as_ref().map(|b| format!("the weights of the epoch with the best `{b}`"));
                    let every = every.map(|n| format!("a model after every {}", count(n, "epoch")));
                    format!("Kept: {}.", best.into_iter().chain(every).collect::<Vec<_>>().join(", and "))
                }
            }),
            "experiment" => out.push(format!("A named set of parameters: `--as {named}` takes it.")),
            "input" => out.push(format!("What goes in is called `{named}` in this program.")),
            "target" => out.push(format!("What should come out is called `{named}` in this program.")),
            "output" => {
                let names: Vec<String> = args.iter().map(|a| format!("`{}`", self.words(a.span))).collect();
                out.push(format!("The network's answer: {}.", names.join(" and ")));
            }
            "language" => out.push("The version of the language that this file is written in.".into()),
            _ => {}
        }
        out
    }

    /// How many steps there are, and why.
    fn length(&self) -> String {
        let settings = &self.model.settings;
        let per_epoch = settings.steps_per_epoch(self.ports.samples);
        let total = settings.total_steps(self.ports.samples);
        let batch = settings.batch;
        let whole = match self.ports.samples <= batch {
            true => "All of them fit into one batch, so an epoch is one step".to_string(),
            false => format!("A step takes a batch of {batch}, so an epoch has {}", count(per_epoch, "step")),
        };
        format!("{whole}, and the weights are adjusted {} in all.", times(total))
    }

    fn split(&self) -> String {
        let split = &self.model.settings.split;
        let percent = |x: f64| format!("{}%", (x * 1000.0).round() / 10.0);
        let mut parts = Vec::new();
        if split.valid > 0.0 {
            parts.push(format!(
                "{} of the samples are kept apart to watch the training with",
                percent(split.valid)
            ));
        }
        if split.test > 0.0 {
            parts.push(format!("{} for the last verdict", percent(split.test)));
        }
        let how = match (split.stratify, split.ordered) {
            (true, _) => " Every part gets its share of each class.",
            (_, true) => " They are the last ones, in their order.",
            _ => " They are chosen at random.",
        };
        format!(
            "{}. {} are left to learn from.{how}",
            capital(&parts.join(", ")),
            count(self.ports.samples as u64, "sample")
        )
    }

    pub(super) fn silent(&mut self) {
        let settings = &self.model.settings;
        let mut out = Vec::new();
        if settings.epochs.is_none() && settings.steps.is_none() {
            out.push(format!("epochs 100. {}", self.length()));
        }
        if !self.mentions("optimizer") {
            out.push("optimizer adam, the usual first choice.".into());
        }
        if !self.mentions("batch") {
            let fits = if self.ports.samples <= settings.batch { "; here that is all of them" } else { "" };
            out.push(format!(
                "batch {}, as in Keras: so many samples at most make one step{fits}.",
                settings.batch
            ));
        }
        if !self.mentions("seed") {
            out.push(format!(
                "seed {}: the same seed gives the same random first weights and the same order of the samples, so \
                 the same result, bit for bit. Try others before you believe a result.",
                settings.seed
            ));
        }
        if !out.is_empty() {
            self.out.push(Explained { line: 0, text: "What the program does not say".into(), meaning: out });
        }
    }

    fn mentions(&self, head: &str) -> bool {
        let stmts = &self.spec.program.stmts;
        stmts.iter().any(|s| matches!(&s.kind, StmtKind::Setting { head: h, .. } if h.text == head))
    }
}

fn times(n: u64) -> String {
    match n {
        1 => "once".into(),
        2 => "twice".into(),
        n => count(n, "time"),
    }
}
