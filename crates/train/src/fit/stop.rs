//! When training ends early, and which epoch was the best.

use nnc_model::{Better, Condition, Plateau, StopRule};
use nnc_syntax::SourceMap;

/// Why training ended.
#[derive(Clone, PartialEq, Debug)]
pub enum StopReason {
    /// All epochs or steps are done.
    Finished,
    /// A figure did not improve for some epochs.
    Stalled {
        /// The figure.
        metric: String,
        /// Epochs without improvement.
        patience: u64,
    },
    /// A condition of `stop when` holds: its words.
    Holds(String),
    /// The optimizer found nothing more to change: what it says.
    Converged(String),
    /// Ctrl-C.
    Interrupted,
}

impl std::fmt::Display for StopReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StopReason::Finished => f.write_str("finished"),
            StopReason::Stalled { metric, patience } => write!(f, "{metric} stalled for {patience}"),
            StopReason::Holds(words) => f.write_str(words),
            StopReason::Converged(why) => write!(f, "converged: {why}"),
            StopReason::Interrupted => f.write_str("interrupted"),
        }
    }
}

/// The best value of a figure so far.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    column: usize,
    better: Better,
    best: Option<f64>,
    waited: u64,
}

impl Watch {
    /// `None` where there is no such figure, or where it does not say which way it gets better; the program has been
    /// told then.
    pub(crate) fn new(names: &[String], figure: &str, better: Option<Better>) -> Option<Self> {
        let column = names.iter().position(|n| n == figure)?;
        Some(Self { column, better: better?, best: None, waited: 0 })
    }

    /// Takes in an epoch; whether it is the best so far. Strictly better by any amount, as Keras' callbacks
    /// with `min_delta` 0; a NaN never is.
    pub(crate) fn improves(&mut self, row: &[f64]) -> bool {
        let Some(&value) = row.get(self.column).filter(|x| !x.is_nan()) else {
            self.waited += 1;
            return false;
        };
        let better = self.best.is_none_or(|best| match self.better {
            Better::Lower => value < best,
            Better::Higher => value > best,
        });
        if better {
            self.best = Some(value);
            self.waited = 0;
        } else {
            self.waited += 1;
        }
        better
    }

    pub(crate) fn value(&self) -> Option<f64> {
        self.best
    }
}

/// A learning rate that falls on plateaus, with what it remembers: a function of the history alone.
#[derive(Clone, Debug)]
pub(crate) struct ReduceOnPlateau {
    rule: Plateau,
    column: usize,
    better: Better,
    best: f64,
    waited: u64,
    cooling: u64,
    share: f64,
}

impl ReduceOnPlateau {
    /// `None` as in [`Watch::new`].
    pub(crate) fn new(
        rule: &Plateau,
        names: &[String],
        better: impl Fn(&str) -> Option<Better>,
    ) -> Option<Self> {
        let valid = names.iter().any(|n| n == "val_loss");
        let figure = rule.figure.as_deref().unwrap_or(if valid { "val_loss" } else { "loss" });
        let column = names.iter().position(|n| n == figure)?;
        let better = better(figure)?;
        let best = match better {
            Better::Lower => f64::INFINITY,
            Better::Higher => f64::NEG_INFINITY,
        };
        Some(Self { rule: rule.clone(), column, better, best, waited: 0, cooling: 0, share: 1.0 })
    }

    /// What is left of the learning rate, from 1 down.
    pub(crate) fn share(&self) -> f64 {
        self.share
    }

    /// Takes in an epoch, as Keras' `ReduceLROnPlateau` does; the new share of the learning rate when it falls.
    pub(crate) fn after(&mut self, row: &[f64]) -> Option<f64> {
        let value = row.get(self.column).copied().unwrap_or(f64::NAN);
        if self.cooling > 0 {
            self.cooling -= 1;
            self.waited = 0;
        }
        let delta = self.rule.min_delta;
        let better = match self.better {
            Better::Lower => value < self.best - delta,
            Better::Higher => value > self.best + delta,
        };
        if better {
            self.best = value;
            self.waited = 0;
        } else if self.cooling == 0 {
            self.waited += 1;
            if self.waited >= self.rule.patience && self.share > self.rule.floor {
                self.share = (self.share * self.rule.factor).max(self.rule.floor);
                self.cooling = self.rule.cooldown;
                self.waited = 0;
                return Some(self.share);
            }
        }
        None
    }
}

/// One rule of `stop when`, with what it remembers.
enum Rule {
    Stalls { watch: Watch, metric: String, patience: u64 },
    Holds { condition: Condition, words: String },
}

/// All rules.
pub(crate) struct Rules {
    rules: Vec<Rule>,
}

impl Rules {
    pub(crate) fn new(
        rules: &[StopRule],
        names: &[String],
        better: impl Fn(&str) -> Option<Better>,
        sources: &SourceMap,
    ) -> Self {
        let rules = rules.iter().filter_map(|rule| match rule {
            StopRule::Stalls { metric, patience, .. } => Watch::new(names, metric, better(metric))
                .map(|watch| Rule::Stalls { watch, metric: metric.clone(), patience: *patience }),
            StopRule::Holds { condition, span } => {
                Some(Rule::Holds { condition: condition.clone(), words: sources.slice(*span).to_string() })
            }
        });
        Self { rules: rules.collect() }
    }

    /// Takes in an epoch; why training ends, if it does.
    pub(crate) fn after(&mut self, names: &[String], row: &[f64]) -> Option<StopReason> {
        let mut reason = None;
        for rule in &mut self.rules {
            let found = match rule {
                Rule::Stalls { watch, metric, patience } => {
                    let stalled = !watch.improves(row) && watch.waited >= *patience;
                    stalled.then(|| StopReason::Stalled { metric: metric.clone(), patience: *patience })
                }
                Rule::Holds { condition, words } => {
                    let figure = |name: &str| row.get(names.iter().position(|n| n == name)?).copied();
                    condition.holds(&figure).then(|| StopReason::Holds(words.clone()))
                }
            };
            reason = reason.or(found);
        }
        reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nnc_syntax::Span;
    use nnc_syntax::ast::BinaryOp;

    fn names() -> Vec<String> {
        ["loss", "accuracy"].map(String::from).to_vec()
    }

    fn better(figure: &str) -> Option<Better> {
        Some(if figure == "loss" { Better::Lower } else { Better::Higher })
    }

    #[test]
    fn patience_is_counted_as_keras_does() {
        let rule = StopRule::Stalls { metric: "loss".into(), patience: 2, span: Span::default() };
        let mut rules = Rules::new(&[rule], &names(), better, &SourceMap::default_with_one());
        let mut stopped = |loss: f64| rules.after(&names(), &[loss, 0.0]).is_some();
        assert!(!stopped(1.0));
        assert!(!stopped(1.0), "one epoch without improvement");
        assert!(!stopped(0.9), "an improvement starts again");
        assert!(!stopped(f64::NAN));
        assert!(stopped(0.9), "two epochs without improvement");
    }

    #[test]
    fn rates_fall_on_plateaus_as_keras_rates_do() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/keras/schedules.json");
        let cases: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let plain =
            Plateau { figure: None, factor: 0.5, patience: 3, min_delta: 1e-4, cooldown: 0, floor: 0.0 };
        // The smallest rate of Keras is a share here.
        let cooldown = Plateau { factor: 0.1, patience: 2, cooldown: 2, floor: 0.005, ..plain.clone() };
        let delta = Plateau { patience: 2, min_delta: 0.15, ..plain.clone() };
        for (name, rule) in [("plateau", plain), ("plateau-cooldown", cooldown), ("plateau-delta", delta)] {
            let case = cases.as_array().unwrap().iter().find(|c| c["case"] == name).unwrap();
            let numbers = |key: &str| -> Vec<f64> {
                case[key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
            };
            let mut plateau = ReduceOnPlateau::new(&rule, &names(), better).unwrap();
            let mut share = 1.0;
            for (epoch, (loss, rate)) in numbers("losses").iter().zip(numbers("values")).enumerate() {
                share = plateau.after(&[*loss, 0.0]).unwrap_or(share);
                let ours = share * case["lr"].as_f64().unwrap();
                assert!((ours - rate).abs() < 1e-12, "{name}, epoch {epoch}: {ours}, not {rate}");
            }
        }
    }

    #[test]
    fn what_is_better_is_kept() {
        let mut watch = Watch::new(&names(), "accuracy", Some(Better::Higher)).unwrap();
        assert!(watch.improves(&[1.0, 0.5]));
        assert!(!watch.improves(&[0.5, 0.4]));
        assert!(watch.improves(&[0.5, 0.6]));
        assert_eq!(watch.value(), Some(0.6));
        let mut watch = Watch::new(&names(), "accuracy", Some(Better::Lower)).unwrap();
        assert!(watch.improves(&[1.0, 0.5]));
        assert!(watch.improves(&[1.0, 0.4]));
        assert!(!watch.improves(&[1.0, 0.6]));
        assert!(Watch::new(&names(), "accuracy", None).is_none());
    }

    #[test]
    fn a_condition_ends_it() {
        let condition = Condition::Compare { metric: "accuracy".into(), op: BinaryOp::Ge, value: 1.0 };
        let rule = StopRule::Holds { condition, span: Span::default() };
        let mut rules = Rules::new(&[rule], &names(), better, &SourceMap::default_with_one());
        assert!(rules.after(&names(), &[0.1, 0.99]).is_none());
        assert!(matches!(rules.after(&names(), &[0.1, 1.0]), Some(StopReason::Holds(_))));
    }

    trait One {
        fn default_with_one() -> SourceMap;
    }

    impl One for SourceMap {
        fn default_with_one() -> SourceMap {
            let mut map = SourceMap::default();
            map.add("a.nn", "");
            map
        }
    }
}
