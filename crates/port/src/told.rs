//! What a program says about training, there and here.

use crate::value::{Made, Value};
use std::rc::Rc;

/// What is said about training.
#[derive(Debug, Default)]
pub struct Training {
    /// `model.compile(…)`
    pub compile: Option<Rc<Made>>,
    /// `model.fit(…)`
    pub fit: Option<Rc<Made>>,
    /// The loss of PyTorch, and its line.
    pub loss: Option<(Value, usize)>,
    /// A loss of PyTorch that was made, for a program that does not show how it is used.
    pub made: Option<(Value, usize)>,
    /// The optimizer of PyTorch.
    pub optimizer: Option<Rc<Made>>,
    /// How often its loop runs.
    pub epochs: Option<f64>,
    /// Rows in a step.
    pub batch: Option<f64>,
    /// What gives batches.
    pub loader: Option<Rc<Made>>,
    /// Whether a loop over batches stands in that over epochs.
    pub batches: bool,
    /// What the model was called on.
    pub compared: Option<Value>,
    /// What the loss compares with.
    pub target: Option<Value>,
    /// The line of the loop.
    pub loop_line: Option<usize>,
    /// The line that clips gradients.
    pub clip: Option<String>,
    /// The share of rows kept for the test.
    pub test_share: Option<f64>,
}

impl Training {
    /// Takes `compile` or `fit`.
    pub fn told(&mut self, made: Rc<Made>) {
        match made.name.as_str() {
            "compile" => self.compile = Some(made),
            _ => self.fit = Some(made),
        }
    }

    /// Takes what a loss compares.
    pub fn compare(&mut self, given: &Made) {
        if let Some(target) = given.args.get(1) {
            self.target.get_or_insert_with(|| target.clone());
        }
    }

    /// Inputs and targets, as they were given.
    pub fn samples(&self) -> (Value, Value) {
        if let Some(fit) = &self.fit {
            let get = |place, name| fit.get(place, name).cloned().unwrap_or(Value::Unknown);
            return (get(0, "x"), get(1, "y"));
        }
        let known = |v: &Option<Value>| v.clone().unwrap_or(Value::Unknown);
        if let Some(Value::Made(set)) = self.loader.as_ref().and_then(|l| l.args.first())
            && set.args.len() == 2
        {
            return (set.args[0].clone(), set.args[1].clone());
        }
        // A set of samples gives both.
        if let Some(Value::Data(d)) = self.loader.as_ref().and_then(|l| l.args.first()) {
            return (d.named("x"), d.named("y"));
        }
        (known(&self.compared), known(&self.target))
    }
}

/// The lines that train.
#[derive(Debug, Default)]
pub struct Told {
    /// `split valid=20%`
    pub split: Vec<String>,
    /// The loss for each output, here, with its weight and its options.
    pub losses: Vec<(f64, String, String)>,
    /// What the output ends with, which the loss there puts on by itself.
    pub last: Option<&'static str>,
    /// Metrics, as they are called here.
    pub metrics: Vec<String>,
    /// `optimizer`, `schedule`, `clip`
    pub optimizer: Vec<String>,
    /// What stands below.
    pub length: Vec<String>,
}
