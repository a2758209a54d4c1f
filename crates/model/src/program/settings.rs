//! What a program says about training.

use crate::declarations::settings::{
    Clip, Condition, Expectation, Loss, Metric, MetricKind, Named, Settings, Split, StopRule,
};
use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::frame::Frame;
use crate::elaborate::value::{Def, Value};
use nnc_syntax::ast::{Arg, BinaryOp, Expr, ExprKind, Name, StopWhen};
use nnc_syntax::{Code, Head, Span};

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
            "epochs" => self.results.top.settings.epochs = Some(self.count(frame, head, args)?),
            "steps" => self.results.top.settings.steps = Some(self.count(frame, head, args)?),
            "batch" if matches!(args, [Arg { key: None, value: Expr { kind: ExprKind::Name(n), .. }, .. }] if n == "all") =>
            {
                let settings = &mut self.results.top.settings;
                (settings.batch, settings.whole, settings.accumulate) = (Settings::ALL, true, 1);
            }
            "batch" => self.batch(frame, head, args)?,
            "seed" => self.results.top.settings.seed = self.count(frame, head, args)?,
            "language" => match self.count(frame, head, args)? {
                1 => {}
                n => {
                    let d = self
                        .error(Code::N0409, format!("this compiler reads language 1, not {n}"), span, "")
                        .help("a newer nnc may read it; what is written here is language 1");
                    return Err(Stop::Error(Box::new(d)));
                }
            },
            "loss" => self.results.top.loss = Some(Loss::Named(self.named(head, args, span)?)),
            "optimizer" => {
                let mut named = self.named(head, args, span)?;
                // `param how = adam in [adam, sgd]`: the word stands for the rule.
                if let Some(Value::Symbol(rule)) = self.lookup(frame, &named.name.text)
                    && matches!(self.scope.globals.defs.get(&*rule), Some(Def::Rule(_)))
                {
                    named.name.text = rule.to_string();
                }
                self.results.top.optimizer = Some(named);
            }
            "schedule" => {
                let mut named = self.named(head, args, span)?;
                // `watch=val_loss`: the name of a figure is not that of a tensor.
                for arg in named.args.iter_mut().filter(|a| a.key.as_ref().is_some_and(|k| k.text == "watch"))
                {
                    if let ExprKind::Name(figure) = &arg.value.kind {
                        arg.value.kind = ExprKind::Text(figure.clone());
                    }
                }
                self.results.top.schedule = Some(named);
            }
            "clip" => self.results.top.clip = Some(self.clip(frame, args, span)?),
            "metrics" if args.is_empty() => {
                return self.fail(Code::N0204, "`metrics` says nothing: metrics accuracy", span, "");
            }
            "metrics" => self.metrics(args)?,
            "output" => self.outputs(args)?,
            "freeze" => self.freeze(args, span)?,
            "rate" => self.rate(frame, args, span)?,
            "save" => self.save(frame, args, span)?,
            "split" => self.split(frame, args, span)?,
            _ => {}
        }
        Ok(())
    }

    /// `batch 32`, `batch 32 accumulate=4`
    fn batch(&mut self, frame: &mut Frame, head: &Name, args: &[Arg]) -> Res<()> {
        let key = |a: &&Arg| a.key.as_ref().is_some_and(|k| k.text == "accumulate");
        let (pieces, sizes): (Vec<&Arg>, Vec<&Arg>) = args.iter().partition(key);
        if let (Some(pieces), [Arg { value: Expr { kind: ExprKind::Name(all), .. }, .. }]) =
            (pieces.first(), &sizes[..])
            && all == "all"
        {
            let d = self
                .error(Code::N0204, "`accumulate` counts batches of a number of samples", pieces.span, "")
                .help("batch 256 accumulate=4   4 times 256 samples are one step");
            return Err(Stop::Error(Box::new(d)));
        }
        let mut accumulate = 1;
        for arg in &pieces {
            let value = self.expr(frame, &arg.value)?;
            accumulate = match value.int().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0) {
                Some(n) => n,
                None => {
                    let message = format!("`accumulate` takes a whole number from 1, not {value}");
                    return self.fail(Code::N0205, message, arg.span, "this value");
                }
            };
        }
        let sizes: Vec<Arg> = sizes.into_iter().cloned().collect();
        let size = self.count(frame, head, &sizes)? as usize;
        let settings = &mut self.results.top.settings;
        (settings.batch, settings.accumulate) = (size.saturating_mul(accumulate), accumulate);
        Ok(())
    }

    /// Notes that a setting is made, which some are once.
    pub(crate) fn once(&mut self, head: &str, span: Span) -> Res<()> {
        if !Head::of(head).is_some_and(Head::is_single) {
            return Ok(());
        }
        match self.results.top.given.get(head) {
            Some(first) if *first != span => {
                let d = self
                    .error(Code::N0219, format!("`{head}` is given twice"), span, "the second time")
                    .label(*first, "the first time")
                    .help("keep the one that is meant");
                Err(Stop::Error(Box::new(d)))
            }
            _ => {
                self.results.top.given.insert(head.to_string(), span);
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
                return Err(Stop::Error(Box::new(d)));
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
            // `loss "mse"`
            Some(Expr { kind: ExprKind::Text(text), span: at })
                if !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_') =>
            {
                let d = self
                    .error(Code::N0204, format!("`{}` takes a name, without quotes", head.text), *at, "")
                    .help(format!("{} {text}", head.text))
                    .fix(*at, text.clone(), true);
                Err(Stop::Error(Box::new(d)))
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
                (None, _) => return Err(self.no_metric(arg)),
            };
            if metric.name == "loss" {
                return self.fail(Code::N0203, "the loss is always reported; it is no metric", arg.span, "");
            }
            if self.results.top.metrics.iter().any(|m| m.name == metric.name) {
                return self.fail(
                    Code::N0203,
                    format!("the metric `{}` is given twice", metric.name),
                    arg.span,
                    "",
                );
            }
            self.results.top.metrics.push(metric);
        }
        Ok(())
    }

    fn outputs(&mut self, args: &[Arg]) -> Res<()> {
        for arg in args {
            match (&arg.key, &arg.value.kind) {
                (None, ExprKind::Name(text)) => {
                    if let Some(first) = self.results.top.outputs.iter().find(|o| o.text == *text) {
                        let d = self
                            .error(
                                Code::N0219,
                                format!("`{text}` is an output already"),
                                arg.span,
                                "once more",
                            )
                            .label(first.span, "the first time")
                            .help("name every output once");
                        return Err(Stop::Error(Box::new(d)));
                    }
                    self.results.top.outputs.push(Name { text: text.clone(), span: arg.span });
                }
                _ => {
                    let d = self
                        .error(Code::N0204, "`output` takes names of tensors", arg.span, "this is no name")
                        .help("give it one: answer = it, then output answer")
                        .help("without `output`, the last tensor of the file is the output");
                    return Err(Stop::Error(Box::new(d)));
                }
            }
        }
        Ok(())
    }

    fn save(&mut self, frame: &mut Frame, args: &[Arg], span: Span) -> Res<()> {
        self.each_once("save", args, span, "save best=val_loss")?;
        for arg in args {
            match (arg.key.as_ref().map(|k| k.text.as_str()), &arg.value.kind) {
                (Some("best"), ExprKind::Name(metric)) => {
                    self.results.top.settings.save_best = Some(metric.clone());
                    self.results.top.best_at = Some(arg.value.span);
                }
                (Some("every"), _) => match self.expr(frame, &arg.value)?.int() {
                    Some(n) if n > 0 => self.results.top.settings.save_every = Some(n as u64),
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

    /// Options that are given at all, and once.
    fn each_once(&self, head: &str, args: &[Arg], span: Span, example: &str) -> Res<()> {
        if args.is_empty() {
            return self.fail(Code::N0204, format!("`{head}` says nothing: {example}"), span, "");
        }
        let word = |a: &Arg| match (&a.key, &a.value.kind) {
            (Some(key), _) => Some(key.text.clone()),
            (None, ExprKind::Name(word)) => Some(word.clone()),
            _ => None,
        };
        for (i, arg) in args.iter().enumerate() {
            let Some(name) = word(arg) else { continue };
            if args[..i].iter().any(|a| word(a).as_ref() == Some(&name)) {
                return self.fail(
                    Code::N0203,
                    format!("`{head}` has `{name}` twice"),
                    arg.span,
                    "again here",
                );
            }
        }
        Ok(())
    }

    /// `metrics [accuracy, "mae"]`, `metrics "mae"`, `metrics mae + 1`
    fn no_metric(&self, arg: &Arg) -> Stop {
        let word = |e: &Expr| match &e.kind {
            ExprKind::Name(text) => Some(text.clone()),
            ExprKind::Text(text) if !text.contains(' ') => Some(text.clone()),
            _ => None,
        };
        let words: Option<Vec<String>> = match &arg.value.kind {
            ExprKind::List(items) => items.iter().map(word).collect(),
            _ => word(&arg.value).map(|w| vec![w]),
        };
        let d = match words.filter(|w| !w.is_empty()) {
            Some(words) => self
                .error(Code::N0204, "metrics are names, side by side", arg.span, "")
                .help(format!("metrics {}", words.join(" ")))
                .fix(arg.span, words.join(" "), true),
            None => {
                let text = self.session.sources.slice(arg.span);
                self.error(Code::N0204, "a metric is a name, or a formula with a name", arg.span, "")
                    .help("metrics accuracy")
                    .help(format!("metrics mine=({})", text.trim_matches(['(', ')'])))
            }
        };
        Stop::Error(Box::new(d))
    }

    /// `split 20%`, `split valid 20%`, `split train=80%`
    fn no_split(&self, args: &[Arg], arg: &Arg) -> Stop {
        let d = self.error(
            Code::N0203,
            "`split` takes valid=10% test=10% stratify ordered group=column",
            arg.span,
            "not this",
        );
        let slice = |span: Span| self.session.sources.slice(span);
        let words: Vec<&str> = args.iter().map(|a| slice(a.span)).collect();
        let share = |text: &str| match text.strip_suffix('%') {
            Some(n) => n.parse::<f64>().is_ok_and(|n| n < 100.0),
            None => text.parse::<f64>().is_ok_and(|n| (0.0..1.0).contains(&n)),
        };
        let after = |word: &str| {
            words.iter().position(|w| *w == word).and_then(|i| words.get(i + 1)).filter(|w| share(w))
        };
        let key = arg.key.as_ref().map(|k| k.text.as_str());
        let d = match key {
            Some("train" | "training") => {
                return Stop::Error(Box::new(
                    d.help("what is left is trained on: leave `train` out, and name `valid` or `test`"),
                ));
            }
            Some("shuffle" | "random_state" | "seed") => {
                d.help("rows are shuffled by the seed of the program: seed 1")
            }
            _ => d,
        };
        let parts = ["valid", "test"].iter().filter_map(|part| Some(format!("{part}={}", after(part)?)));
        let parts: Vec<String> = parts.collect();
        let d = if !parts.is_empty() {
            d.help(format!("split {}", parts.join(" ")))
        } else if let Some(one) = words.iter().find(|w| share(w)) {
            d.help(format!("split valid={one}"))
        } else {
            d.help("for example: split valid=20%")
        };
        Stop::Error(Box::new(d))
    }

    fn split(&mut self, frame: &mut Frame, args: &[Arg], span: Span) -> Res<()> {
        let mut split = Split { span: Some(span), ..Split::default() };
        self.each_once("split", args, span, "split valid=20%")?;
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
                _ => return Err(self.no_split(args, arg)),
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
        self.results.top.settings.split = split;
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
        self.results.top.settings.stop.push(rule);
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
        self.results.top.settings.expect.push(out);
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
        let d = self.error(
            Code::N0204,
            "a condition compares a figure: binary_accuracy >= 1",
            expr.span,
            "not this",
        );
        let d = match &expr.kind {
            ExprKind::Name(figure) => {
                let end = if figure.contains("loss") { "< 0.1" } else { ">= 0.9" };
                d.help(format!("{figure} {end}")).help(format!("stop when {figure} stalls for 5"))
            }
            _ => d,
        };
        Err(Stop::Error(Box::new(d)))
    }
}
