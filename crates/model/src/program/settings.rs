//! What a program says about training.

use crate::elaborate::elab::{Elab, Res};
use crate::elaborate::frame::Frame;
use crate::elaborate::value::{Def, Value};
use crate::program::attributes::Better;
use crate::suggest::nearest;
use nnc_syntax::ast::{Arg, BinaryOp, Expr, ExprKind, Name, StopWhen};
use nnc_syntax::{Code, Diagnostic, Head, Span};

/// How long, in what portions, and until when.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// Passes over the data; 100 when neither epochs nor steps are given.
    pub epochs: Option<u64>,
    /// Steps of one batch.
    pub steps: Option<u64>,
    /// Samples in a step.
    pub batch: usize,
    /// The key of all random numbers.
    pub seed: u64,
    /// Conditions that end the training early.
    pub stop: Vec<StopRule>,
    /// A learning rate that falls when a figure stalls.
    pub plateau: Option<Plateau>,
    /// Keep the weights of the epoch where this figure was best.
    pub save_best: Option<String>,
    /// Keep a model every so many epochs.
    pub save_every: Option<u64>,
    /// The share of the rows kept for validation and for the test.
    pub split: Split,
    /// What the program promises; `nnc test` holds it to that.
    pub expect: Vec<Expectation>,
}

/// `schedule plateau`: the learning rate falls when a figure has stalled (Keras' `ReduceLROnPlateau`). What it has
/// fallen to, a share of `lr`, stands in the slot [`Plateau::SLOT`].
#[derive(Clone, PartialEq, Debug)]
pub struct Plateau {
    /// The figure; where none is named, the loss of the validation part, or of the training.
    pub figure: Option<String>,
    /// What it falls by.
    pub factor: f64,
    /// Epochs without improvement.
    pub patience: u64,
    /// What counts as an improvement.
    pub min_delta: f64,
    /// Epochs after a fall that are not looked at.
    pub cooldown: u64,
    /// The share of `lr` it never falls below.
    pub floor: f64,
}

impl Plateau {
    /// The slot of the present share of `lr`: a scalar, 1 at first.
    pub const SLOT: &'static str = "schedule/plateau";
}

/// `expect binary_accuracy >= 1 within 500 epochs in 9 of 10 seeds`
#[derive(Clone, PartialEq, Debug)]
pub struct Expectation {
    /// What must hold, at the end or at some epoch of those allowed.
    pub condition: Condition,
    /// At most so many epochs.
    pub within_epochs: Option<u64>,
    /// At most so many steps.
    pub within_steps: Option<u64>,
    /// In how many of how many seeds; one of one when not given.
    pub seeds: (u64, u64),
    /// Where it stands.
    pub span: Span,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            epochs: None,
            steps: None,
            batch: 32,
            seed: 0,
            stop: Vec::new(),
            plateau: None,
            save_best: None,
            save_every: None,
            split: Split::default(),
            expect: Vec::new(),
        }
    }
}

/// `split valid=10% test=20% stratify`
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Split {
    /// The share for validation, 0 to 1.
    pub valid: f64,
    /// The share for the test, 0 to 1.
    pub test: f64,
    /// Whether every class keeps its share in every part.
    pub stratify: bool,
    /// Whether the last rows are taken, unshuffled.
    pub ordered: bool,
    /// The column whose rows stay together.
    pub group: Option<String>,
    /// Where it stands.
    pub span: Option<Span>,
}

/// A condition that ends the training.
#[derive(Clone, PartialEq, Debug)]
pub enum StopRule {
    /// No improvement of a figure for so many epochs (Keras' `EarlyStopping` with `min_delta` 0).
    Stalls {
        /// The figure.
        metric: String,
        /// Epochs.
        patience: u64,
        /// Where it stands.
        span: Span,
    },
    /// A comparison of figures holds.
    Holds {
        /// The comparison.
        condition: Condition,
        /// Where it stands.
        span: Span,
    },
}

/// A comparison of figures of the history.
#[derive(Clone, PartialEq, Debug)]
pub enum Condition {
    /// `loss < 0.1`
    Compare {
        /// The figure.
        metric: String,
        /// How.
        op: BinaryOp,
        /// With what.
        value: f64,
    },
    /// Both.
    And(Box<Condition>, Box<Condition>),
    /// One or both.
    Or(Box<Condition>, Box<Condition>),
}

impl Condition {
    /// Whether it holds; an unknown figure holds nothing.
    pub fn holds(&self, figure: &dyn Fn(&str) -> Option<f64>) -> bool {
        match self {
            Condition::Compare { metric, op, value } => figure(metric).is_some_and(|x| match op {
                BinaryOp::Lt => x < *value,
                BinaryOp::Le => x <= *value,
                BinaryOp::Gt => x > *value,
                BinaryOp::Ge => x >= *value,
                BinaryOp::Eq => x == *value,
                BinaryOp::Ne => x != *value,
                _ => false,
            }),
            Condition::And(a, b) => a.holds(figure) && b.holds(figure),
            Condition::Or(a, b) => a.holds(figure) || b.holds(figure),
        }
    }

    /// The figures it asks for.
    pub fn figures(&self) -> Vec<&str> {
        match self {
            Condition::Compare { metric, .. } => vec![metric],
            Condition::And(a, b) | Condition::Or(a, b) => [a.figures(), b.figures()].concat(),
        }
    }
}

/// A setting that names a function: `loss mse`, `optimizer adam lr=0.01`, `metrics accuracy`.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub name: Name,
    pub args: Vec<Arg>,
    pub span: Span,
}

/// What is collected at the top of a file, to be used when the network stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Top {
    pub settings: Settings,
    pub loss: Option<Loss>,
    pub optimizer: Option<Named>,
    pub schedule: Option<Named>,
    pub clip: Option<(Clip, f64, Span)>,
    pub metrics: Vec<Metric>,
    pub outputs: Vec<Name>,
    /// Whether rows of their own are kept for the test.
    pub has_test: bool,
    /// Where the figure of `save best=` stands.
    pub best_at: Option<Span>,
    /// Where settings that can be made once were made.
    pub given: std::collections::BTreeMap<String, Span>,
}

/// What of the gradients is kept small.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Clip {
    /// The norm of all together: `clip 1.0`.
    Global,
    /// The norm of each weight's gradient: `clip norm=1.0`.
    Norm,
    /// Each number: `clip value=0.5`.
    Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Loss {
    Named(Named),
    Chain(nnc_syntax::ast::Chain, Span),
}

#[derive(Clone, Debug)]
pub(crate) struct Metric {
    pub name: String,
    pub what: MetricKind,
    pub span: Span,
    /// Which way it gets better, where its definition says so; known when it is built.
    pub better: Option<Better>,
}

#[derive(Clone, Debug)]
pub(crate) enum MetricKind {
    Named(Name),
    Expr(Expr),
}

impl Elab<'_> {
    /// A positive whole number after a head.
    fn count(&mut self, frame: &mut Frame, head: &Name, args: &[Arg]) -> Res<u64> {
        let [arg] = args else {
            let span = args.get(1).map_or(head.span, |a| a.span);
            return self.fail(Code::N0204, format!("`{0}` takes one number: {0} 100", head.text), span, "");
        };
        let value = self.expr(frame, &arg.value)?;
        let least = i64::from(head.text != "seed");
        match value.int() {
            Some(n) if n >= least => Ok(n as u64),
            _ => {
                let message = format!("`{}` takes a whole number from {least}, not {value}", head.text);
                self.fail(Code::N0205, message, arg.span, "this value")
            }
        }
    }

    /// A head and its arguments.
    pub(crate) fn setting(&mut self, frame: &mut Frame, head: &Name, args: &[Arg], span: Span) -> Res<()> {
        self.once(&head.text, head.span)?;
        match head.text.as_str() {
            "epochs" => self.top.settings.epochs = Some(self.count(frame, head, args)?),
            "steps" => self.top.settings.steps = Some(self.count(frame, head, args)?),
            "batch" => self.top.settings.batch = self.count(frame, head, args)? as usize,
            "seed" => self.top.settings.seed = self.count(frame, head, args)?,
            "language" => match self.count(frame, head, args)? {
                1 => {}
                n => {
                    let d = self
                        .error(Code::N0409, format!("this compiler reads language 1, not {n}"), span, "")
                        .help("a newer nnc may read it; what is written here is language 1");
                    return Err(crate::elaborate::elab::Stop::Error(Box::new(d)));
                }
            },
            "loss" => self.top.loss = Some(Loss::Named(self.named(head, args, span)?)),
            "optimizer" => self.top.optimizer = Some(self.named(head, args, span)?),
            "schedule" => {
                let mut named = self.named(head, args, span)?;
                // `watch=val_loss`: the name of a figure is not that of a tensor.
                for arg in named.args.iter_mut().filter(|a| a.key.as_ref().is_some_and(|k| k.text == "watch"))
                {
                    if let ExprKind::Name(figure) = &arg.value.kind {
                        arg.value.kind = ExprKind::Text(figure.clone());
                    }
                }
                self.top.schedule = Some(named);
            }
            "clip" => self.top.clip = Some(self.clip(frame, args, span)?),
            "metrics" => self.metrics(args)?,
            "output" => self.outputs(args)?,
            "save" => self.save(frame, args)?,
            "split" => self.split(frame, args, span)?,
            _ => {}
        }
        Ok(())
    }

    /// Notes that a setting is made, which some are once.
    pub(crate) fn once(&mut self, head: &str, span: Span) -> Res<()> {
        if !Head::of(head).is_some_and(Head::is_single) {
            return Ok(());
        }
        match self.top.given.get(head) {
            Some(first) if *first != span => {
                let d = self
                    .error(Code::N0219, format!("`{head}` is given twice"), span, "the second time")
                    .label(*first, "the first time")
                    .help("keep the one that is meant");
                Err(crate::elaborate::elab::Stop::Error(Box::new(d)))
            }
            _ => {
                self.top.given.insert(head.to_string(), span);
                Ok(())
            }
        }
    }

    /// `clip 1.0`, `clip norm=1.0`, `clip value=0.5`
    fn clip(&mut self, frame: &mut Frame, args: &[Arg], span: Span) -> Res<(Clip, f64, Span)> {
        let [arg] = args else {
            return self.fail(Code::N0204, "`clip` takes one positive number: clip 1.0", span, "");
        };
        let what = match arg.key.as_ref().map(|k| k.text.as_str()) {
            None => Clip::Global,
            Some("norm") => Clip::Norm,
            Some("value") => Clip::Value,
            Some(other) => {
                let d = self
                    .error(Code::N0203, format!("`clip` has no argument `{other}`"), arg.span, "")
                    .help("clip 1.0: the length of all gradients together")
                    .help("clip norm=1.0: the length of each weight's gradient")
                    .help("clip value=0.5: each number of a gradient");
                return Err(crate::elaborate::elab::Stop::Error(Box::new(d)));
            }
        };
        match self.expr(frame, &arg.value)?.num().filter(|x| *x > 0.0) {
            Some(x) => Ok((what, x, span)),
            None => self.fail(Code::N0205, "`clip` takes a positive number: clip 1.0", span, ""),
        }
    }

    fn named(&mut self, head: &Name, args: &[Arg], span: Span) -> Res<Named> {
        let first = args.first().filter(|a| a.key.is_none());
        match first.map(|a| &a.value) {
            Some(Expr { kind: ExprKind::Name(text), span: at }) => {
                Ok(Named { name: Name { text: text.clone(), span: *at }, args: args[1..].to_vec(), span })
            }
            // `optimizer adam(lr=0.01)`
            Some(Expr { kind: ExprKind::Call { callee, args: inner }, .. }) if args.len() == 1 => {
                match &callee.kind {
                    ExprKind::Name(text) => Ok(Named {
                        name: Name { text: text.clone(), span: callee.span },
                        args: inner.clone(),
                        span,
                    }),
                    _ => self.fail(Code::N0204, format!("`{}` takes a name", head.text), span, ""),
                }
            }
            _ => {
                let example = match head.text.as_str() {
                    "loss" => "loss mse",
                    "optimizer" => "optimizer adam",
                    _ => "schedule cosine",
                };
                self.fail(Code::N0204, format!("`{}` takes a name first: {example}", head.text), span, "")
            }
        }
    }

    fn metrics(&mut self, args: &[Arg]) -> Res<()> {
        for arg in args {
            let metric = match (&arg.key, &arg.value.kind) {
                (Some(key), _) => Metric {
                    name: key.text.clone(),
                    what: MetricKind::Expr(arg.value.clone()),
                    span: arg.span,
                    better: None,
                },
                (None, ExprKind::Name(text)) => Metric {
                    name: text.clone(),
                    what: MetricKind::Named(Name { text: text.clone(), span: arg.span }),
                    span: arg.span,
                    better: None,
                },
                _ => {
                    let help = "metrics accuracy mine=(mae(output, target))";
                    return self.fail(Code::N0204, format!("a metric has a name: {help}"), arg.span, "");
                }
            };
            if metric.name == "loss" {
                return self.fail(Code::N0203, "the loss is always reported; it is no metric", arg.span, "");
            }
            if self.top.metrics.iter().any(|m| m.name == metric.name) {
                return self.fail(
                    Code::N0203,
                    format!("the metric `{}` is given twice", metric.name),
                    arg.span,
                    "",
                );
            }
            self.top.metrics.push(metric);
        }
        Ok(())
    }

    fn outputs(&mut self, args: &[Arg]) -> Res<()> {
        for arg in args {
            match (&arg.key, &arg.value.kind) {
                (None, ExprKind::Name(text)) => {
                    if let Some(first) = self.top.outputs.iter().find(|o| o.text == *text) {
                        let d = self
                            .error(
                                Code::N0219,
                                format!("`{text}` is an output already"),
                                arg.span,
                                "once more",
                            )
                            .label(first.span, "the first time")
                            .help("name every output once");
                        return Err(crate::elaborate::elab::Stop::Error(Box::new(d)));
                    }
                    self.top.outputs.push(Name { text: text.clone(), span: arg.span });
                }
                _ => {
                    let d = self
                        .error(Code::N0204, "`output` takes names of tensors", arg.span, "this is no name")
                        .help("give it one: answer = it, then output answer")
                        .help("without `output`, the last tensor of the file is the output");
                    return Err(crate::elaborate::elab::Stop::Error(Box::new(d)));
                }
            }
        }
        Ok(())
    }

    fn save(&mut self, frame: &mut Frame, args: &[Arg]) -> Res<()> {
        for arg in args {
            match (arg.key.as_ref().map(|k| k.text.as_str()), &arg.value.kind) {
                (Some("best"), ExprKind::Name(metric)) => {
                    self.top.settings.save_best = Some(metric.clone());
                    self.top.best_at = Some(arg.value.span);
                }
                (Some("every"), _) => match self.expr(frame, &arg.value)?.int() {
                    Some(n) if n > 0 => self.top.settings.save_every = Some(n as u64),
                    _ => {
                        return self.fail(
                            Code::N0205,
                            "`save every=` takes a number of epochs",
                            arg.span,
                            "",
                        );
                    }
                },
                _ => {
                    return self.fail(
                        Code::N0203,
                        "`save` takes best=val_loss or every=5",
                        arg.span,
                        "not this",
                    );
                }
            }
        }
        Ok(())
    }

    fn split(&mut self, frame: &mut Frame, args: &[Arg], span: Span) -> Res<()> {
        let mut split = Split { span: Some(span), ..Split::default() };
        for arg in args {
            let key = arg.key.as_ref().map(|k| k.text.as_str());
            match (key, &arg.value.kind) {
                (None, ExprKind::Name(word)) if word == "stratify" => split.stratify = true,
                (None, ExprKind::Name(word)) if word == "ordered" => split.ordered = true,
                (Some("group"), ExprKind::Name(column) | ExprKind::Text(column)) => {
                    split.group = Some(column.clone())
                }
                (Some(part @ ("valid" | "test")), _) => match self.expr(frame, &arg.value)?.num() {
                    Some(share) if (0.0..1.0).contains(&share) => {
                        *(if part == "valid" { &mut split.valid } else { &mut split.test }) = share;
                    }
                    _ => return self.fail(Code::N0205, "a share lies between 0% and 100%", arg.span, ""),
                },
                _ => {
                    let help = "`split` takes valid=10% test=10% stratify ordered group=column";
                    return self.fail(Code::N0203, help, arg.span, "not this");
                }
            }
        }
        if split.valid + split.test >= 1.0 {
            return self.fail(
                Code::N0205,
                "nothing would be left to train on",
                span,
                "valid and test take all",
            );
        }
        self.top.settings.split = split;
        Ok(())
    }

    /// `stop when …`
    pub(crate) fn stop(&mut self, frame: &mut Frame, when: &StopWhen, span: Span) -> Res<()> {
        let rule = match when {
            StopWhen::Stalls { metric, patience } => {
                let value = self.expr(frame, patience)?;
                let Some(patience) = value.int().filter(|n| *n > 0) else {
                    return self.fail(Code::N0205, "patience is a number of epochs", span, "");
                };
                StopRule::Stalls { metric: metric.text.clone(), patience: patience as u64, span: metric.span }
            }
            StopWhen::Holds(expr) => {
                StopRule::Holds { condition: self.condition(frame, expr)?, span: expr.span }
            }
        };
        self.top.settings.stop.push(rule);
        Ok(())
    }

    /// `expect …`
    pub(crate) fn expectation(
        &mut self,
        frame: &mut Frame,
        cond: &Expr,
        within: Option<&(Expr, Name)>,
        seeds: Option<&(Expr, Expr)>,
        span: Span,
    ) -> Res<()> {
        let condition = self.condition(frame, cond)?;
        let mut out = Expectation { condition, within_epochs: None, within_steps: None, seeds: (1, 1), span };
        if let Some((limit, unit)) = within {
            let n = self.positive(frame, limit, "a limit")?;
            match unit.text.as_str() {
                "epochs" | "epoch" => out.within_epochs = Some(n),
                "steps" | "step" => out.within_steps = Some(n),
                other => {
                    let message = format!("`within` counts epochs or steps, not {other}");
                    return self.fail(Code::N0204, message, unit.span, "");
                }
            }
        }
        if let Some((need, of)) = seeds {
            out.seeds = (
                self.positive(frame, need, "a number of seeds")?,
                self.positive(frame, of, "a number of seeds")?,
            );
            if out.seeds.0 > out.seeds.1 {
                let (n, m) = out.seeds;
                let message = format!("`in {n} of {m} seeds` asks for more seeds than there are");
                let span = need.span.to(seeds.map_or(need.span, |(_, of)| of.span));
                return self.fail(Code::N0205, message, span, "the first number is at most the second");
            }
        }
        self.top.settings.expect.push(out);
        Ok(())
    }

    fn positive(&mut self, frame: &mut Frame, expr: &Expr, what: &str) -> Res<u64> {
        match self.expr(frame, expr)?.int() {
            Some(n) if n > 0 => Ok(n as u64),
            _ => self.fail(Code::N0205, format!("{what} is a whole number from 1"), expr.span, ""),
        }
    }

    /// A comparison of figures.
    pub(crate) fn condition(&mut self, frame: &mut Frame, expr: &Expr) -> Res<Condition> {
        if let ExprKind::Binary { op, left, right, .. } = &expr.kind {
            match (op, &left.kind, &right.kind) {
                (BinaryOp::And, ..) => {
                    let (a, b) = (self.condition(frame, left)?, self.condition(frame, right)?);
                    return Ok(Condition::And(Box::new(a), Box::new(b)));
                }
                (BinaryOp::Or, ..) => {
                    let (a, b) = (self.condition(frame, left)?, self.condition(frame, right)?);
                    return Ok(Condition::Or(Box::new(a), Box::new(b)));
                }
                (
                    BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge | BinaryOp::Eq | BinaryOp::Ne,
                    ExprKind::Name(metric),
                    _,
                ) => {
                    if let Some(value) = self.expr(frame, right)?.num() {
                        return Ok(Condition::Compare { metric: metric.clone(), op: *op, value });
                    }
                }
                _ => {}
            }
        }
        self.fail(Code::N0204, "a condition compares a figure: binary_accuracy >= 1", expr.span, "not this")
    }

    /// The figures of a condition, with their places in its text.
    fn places_of(&self, condition: &Condition, span: Span) -> Vec<(String, Span)> {
        let figures = condition.figures().into_iter();
        figures.map(|f| (f.to_string(), self.word_in(span, f))).collect()
    }

    /// Checks that every figure that is asked for will be in the history.
    pub(crate) fn check_figures(&mut self, has_valid: bool) {
        let mut known: Vec<String> = vec!["loss".into()];
        known.extend(self.top.metrics.iter().map(|m| m.name.clone()));
        let plain = known.clone();
        if has_valid {
            known.extend(plain.iter().map(|k| format!("val_{k}")));
        }
        let mut asked: Vec<(String, Span)> = Vec::new();
        for rule in &self.top.settings.stop {
            match rule {
                StopRule::Stalls { metric, span, .. } => asked.push((metric.clone(), *span)),
                StopRule::Holds { condition, span } => {
                    asked.extend(self.places_of(condition, *span));
                }
            }
        }
        let has_test = self.top.has_test || self.top.settings.split.test > 0.0;
        for e in &self.top.settings.expect.clone() {
            if self.asks_for_test(e, has_test, &plain) {
                continue;
            }
            let figures = self.places_of(&e.condition, e.span);
            asked.extend(figures.into_iter().filter(|(f, _)| !(has_test && of_test(f, &plain))));
        }
        let watches = |named: &&Named| match self.globals.defs.get(&named.name.text) {
            Some(Def::Fn(def)) => def.params.iter().any(|p| p.name.text == "watch"),
            _ => false,
        };
        if let Some(named) = self.top.schedule.as_ref().filter(watches)
            && let Some(arg) = named.args.iter().find(|a| a.key.as_ref().is_some_and(|k| k.text == "watch"))
            && let ExprKind::Text(figure) = &arg.value.kind
        {
            asked.push((figure.to_string(), arg.span));
        }
        if let Some(metric) = &self.top.settings.save_best {
            asked.push((metric.clone(), self.top.best_at.unwrap_or(self.here)));
        }
        for (name, span) in asked {
            if known.contains(&name) {
                continue;
            }
            let words: Vec<&str> = known.iter().map(String::as_str).collect();
            let near = nearest(&name, &words);
            let label = near.map_or(String::new(), |n| format!("did you mean `{n}`?"));
            let mut d =
                Diagnostic::error(Code::N0410, format!("no figure is called `{name}`")).label(span, label);
            d = d.cause(format!("figures here: {}", known.join(", ")));
            if name.starts_with("val_") && !has_valid && plain.iter().any(|p| name == format!("val_{p}")) {
                d = d.help("there is no validation data: add `split valid=15%` or `valid \"file.csv\"`");
            } else if near.is_none() {
                d = d.help(format!("to have it, ask for it: metrics {name}"));
            }
            self.diagnostics.push(d);
        }
    }

    /// An expectation of the test, `expect test_accuracy >= 97%`, needs test data and is about the end of the
    /// training; whether a mistake was told.
    fn asks_for_test(&mut self, e: &Expectation, has_test: bool, plain: &[String]) -> bool {
        let figures = e.condition.figures();
        let Some(figure) = figures.iter().find(|f| of_test(f, plain)) else { return false };
        let d = Diagnostic::error(Code::N0410, format!("no figure is called `{figure}` here"));
        let d = if !has_test {
            d.label(e.span, "there is no test data").help("add `split test=15%` or `test \"file.csv\"`")
        } else if e.within_epochs.is_some() || e.within_steps.is_some() {
            d.label(e.span, "the test is made once, after the training").help("leave out `within`")
        } else {
            return false;
        };
        self.diagnostics.push(d);
        true
    }

    /// The value of a compile-time number or word, for data declarations.
    pub(crate) fn literal(&mut self, frame: &mut Frame, expr: &Expr) -> Res<crate::program::data::Literal> {
        use crate::program::data::Literal;
        if let ExprKind::Name(name) = &expr.kind {
            return Ok(match self.globals.param(name).cloned() {
                Some(value) => literal_of(&value).unwrap_or(Literal::Word(name.clone())),
                None => Literal::Word(name.clone()),
            });
        }
        if let ExprKind::List(items) = &expr.kind {
            return Ok(Literal::List(items.iter().map(|e| self.literal(frame, e)).collect::<Res<_>>()?));
        }
        let value = self.expr(frame, expr)?;
        if let Value::Shape(shape) = &value {
            self.check_size(&shape.axes, expr.span)?;
        }
        match literal_of(&value) {
            Some(literal) => Ok(literal),
            None => {
                self.fail(Code::N0205, format!("{} says nothing about data", value.kind()), expr.span, "")
            }
        }
    }
}

/// Whether a figure is one of the test, `test_accuracy`.
fn of_test(figure: &str, plain: &[String]) -> bool {
    figure.strip_prefix("test_").is_some_and(|f| plain.iter().any(|p| p == f))
}

fn literal_of(value: &Value) -> Option<crate::program::data::Literal> {
    use crate::program::data::Literal;
    Some(match value {
        Value::Text(text) => Literal::Text(text.to_string()),
        Value::Symbol(word) => Literal::Word(word.to_string()),
        Value::Bool(b) => Literal::Bool(*b),
        Value::Shape(s) => Literal::Size(s.axes.iter().map(|a| a.size).collect()),
        other => Literal::Number(other.num()?),
    })
}
