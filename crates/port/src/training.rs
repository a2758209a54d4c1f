//! What `compile` and `fit`, or a loop of PyTorch, say: loss, optimizer, metrics, epochs.

use crate::data;
use crate::layers::reason;
use crate::run::Run;
use crate::told::Told;
use crate::value::{Made, Value, written};
use crate::{Library, step::Step};

impl Run {
    /// What is said about training, here; `names` are those of the outputs.
    pub fn told(&mut self, outputs: usize, names: &[String]) -> Told {
        let mut told = Told::default();
        self.loss(&mut told, outputs, names);
        let metrics =
            self.training.compile.as_ref().and_then(|c| c.get(2, "metrics").cloned().map(|v| (v, c.line)));
        if let Some((Value::Dict(_), line)) = &metrics {
            self.leave(
                *line,
                "metrics",
                "metrics of several outputs have a formula each: metrics m=(mae(a, b))",
            );
        } else if let Some((v, line)) = metrics {
            for m in v.items() {
                self.metric(&mut told, &m, line);
            }
        }
        self.optimizer(&mut told);
        told.optimizer.extend(self.training.clip.clone());
        self.length(&mut told);
        told
    }

    fn loss(&mut self, told: &mut Told, outputs: usize, names: &[String]) {
        let compile = self.training.compile.clone();
        let (given, line) = match (&compile, self.training.loss.clone().or(self.training.made.clone())) {
            (Some(c), _) if c.get(1, "loss").is_some() => {
                (c.get(1, "loss").cloned().unwrap_or(Value::None), c.line)
            }
            (_, Some((v, line))) => (v, line),
            _ => return,
        };
        let weights = compile.as_ref().and_then(|c| c.named("loss_weights").cloned());
        let each: Vec<Value> = match &given {
            Value::List(all) => all.clone(),
            Value::Dict(pairs) => {
                let by_name =
                    names.iter().filter_map(|n| pairs.iter().find(|(k, _)| k == n).map(|(_, v)| v.clone()));
                let named: Vec<Value> = by_name.collect();
                if named.len() == outputs { named } else { pairs.iter().map(|(_, v)| v.clone()).collect() }
            }
            one => vec![one.clone(); outputs.max(1)],
        };
        let factors: Vec<f64> = match &weights {
            Some(Value::List(all)) => all.iter().map(|v| v.num().unwrap_or(1.0)).collect(),
            Some(Value::Dict(pairs)) => names
                .iter()
                .map(|n| pairs.iter().find(|(k, _)| k == n).and_then(|(_, v)| v.num()).unwrap_or(1.0))
                .collect(),
            _ => Vec::new(),
        };
        for (i, v) in each.iter().enumerate() {
            let word = v.word().unwrap_or("");
            let Some((ours, last)) = data::ours_of_loss(word) else {
                let why =
                    "this loss is not known here; one's own is a formula: loss = mean((output - target)^2)";
                self.leave(line, format!("loss {word}").trim_end().to_string(), why);
                continue;
            };
            let mut options = String::new();
            if let Value::Made(m) = v {
                if m.named("from_logits").is_some_and(|v| v.is(true)) || last.is_some() {
                    told.last =
                        last.or(Some(if ours == "binary_crossentropy" { "sigmoid" } else { "softmax" }));
                }
                let smoothing = m.named("label_smoothing").and_then(Value::num).filter(|s| *s > 0.0);
                options.extend(smoothing.map(|s| format!(" smoothing={}", written(s))));
                let delta = m.named("delta").or(m.named("beta")).and_then(Value::num).filter(|d| *d != 1.0);
                options.extend(delta.map(|d| format!(" delta={}", written(d))));
                for name in ["weight", "pos_weight", "ignore_index", "reduction"] {
                    let usual =
                        m.named(name).is_none_or(|v| matches!(v, Value::None) || v.text() == Some("mean"));
                    if !usual {
                        let why = match name {
                            "reduction" => "the loss is the mean over the samples here".to_string(),
                            _ => reason(name),
                        };
                        self.leave(m.line, format!("{name} of {word}"), why);
                    }
                }
                let functions = ["cross_entropy", "binary_cross_entropy_with_logits", "nll_loss"];
                if functions.contains(&m.name.as_str()) {
                    told.last = last;
                }
            }
            told.losses.push((factors.get(i).copied().unwrap_or(1.0), ours.to_string(), options));
        }
        if let Some(weights) = self.training.fit.as_ref().and_then(|f| f.named("class_weight")).cloned() {
            let line = self.training.fit.as_ref().map_or(0, |f| f.line);
            self.class_weights(told, &weights, line);
        }
    }

    fn class_weights(&mut self, told: &mut Told, weights: &Value, line: usize) {
        if matches!(weights, Value::None) {
            return;
        }
        // Keras multiplies the loss of each sample by what its class counts, and takes the mean over the samples: so
        // do the losses here.
        let counted = ["crossentropy", "binary_crossentropy", "focal", "binary_focal", "categorical_hinge"];
        if let (Value::Dict(pairs), [(_, ours, options)]) = (weights, &mut told.losses[..])
            && counted.contains(&ours.as_str())
        {
            let of = |class: usize| {
                pairs.iter().find(|(key, _)| *key == class.to_string()).and_then(|(_, v)| v.num())
            };
            let all: Vec<String> = (0..pairs.len()).map_while(|class| of(class).map(written)).collect();
            if all.len() == pairs.len() && !all.is_empty() {
                options.push_str(&format!(" class_weights=[{}]", all.join(", ")));
                return;
            }
        }
        let why = "the loss has a number for each class, in the order of the classes: loss crossentropy class_weights=[1, 5]; or class_weights=balanced";
        self.leave(line, "class_weight", why);
    }

    fn metric(&mut self, told: &mut Told, v: &Value, line: usize) {
        let Some(word) = v.word() else {
            return self.leave(
                line,
                "metrics",
                "a metric of one's own is a formula: metrics worst=(max(abs(output - target)))",
            );
        };
        let loss = told.losses.first().map_or("", |(_, l, _)| l.as_str());
        let ours = match word {
            "accuracy" | "acc" | "Accuracy" => match loss {
                "crossentropy" | "focal" => "accuracy",
                _ => "binary_accuracy",
            },
            "mse" | "MSE" | "mae" | "MAE" | "mape" | "msle" => return told.metrics.push(word.to_lowercase()),
            word => {
                let known = nnc_syntax::foreign::NAMES.iter().find(|(t, _)| *t == word).map(|(_, o)| *o);
                let same = ["binary_accuracy", "precision", "recall", "auc", "rmse", "r2"];
                match known.or_else(|| same.iter().find(|s| **s == word).copied()) {
                    Some(ours) => ours,
                    None => {
                        let why = "there is no such metric here; `nnc explain metrics` tells of one's own";
                        return self.leave(line, format!("metric {word}"), why);
                    }
                }
            }
        };
        told.metrics.push(ours.to_string());
    }

    fn optimizer(&mut self, told: &mut Told) {
        let compile = self.training.compile.clone();
        let torch = self.library == Library::Torch;
        let (given, line) = match (&compile, &self.training.optimizer) {
            (Some(c), _) => (c.get(0, "optimizer").cloned().unwrap_or(Value::Text("rmsprop".into())), c.line),
            (None, Some(m)) => (Value::Made(m.clone()), m.line),
            _ => return,
        };
        let word = given.word().unwrap_or("").to_string();
        let mut name = match word.to_lowercase().as_str() {
            w @ ("sgd" | "adam" | "adamw" | "adamax" | "nadam" | "adagrad" | "adadelta" | "rmsprop"
            | "lion" | "rprop") => w.to_string(),
            _ => {
                return self.leave(
                    line,
                    format!("optimizer {word}").trim_end().to_string(),
                    "there is no such optimizer here; `optimizer adam` is the usual one",
                );
            }
        };
        let Value::Made(m) = &given else { return told.optimizer.push(format!("optimizer {name}")) };
        let mut options = Vec::new();
        let rate = if torch { m.get(1, "lr") } else { m.get(0, "learning_rate").or(m.named("lr")) };
        let usual = match (torch, name.as_str()) {
            (true, "sgd" | "adagrad" | "rprop" | "rmsprop") => Some(0.01),
            (true, "adadelta") => Some(1.0),
            (true, "adamax" | "nadam") => Some(0.002),
            _ => None,
        };
        match rate {
            Some(Value::Num(x)) => options.push(format!("lr={}", written(*x))),
            Some(Value::Made(schedule)) => {
                let schedule = schedule.clone();
                self.schedule(told, &schedule, &mut options);
            }
            Some(_) => self.leave(
                m.line,
                "learning_rate",
                "it is not known without running the program: optimizer adam lr=0.001",
            ),
            None => options.extend(usual.map(|x| format!("lr={}", written(x)))),
        }
        if m.named("amsgrad").is_some_and(|v| v.is(true)) && name == "adam" {
            name = "amsgrad".into();
        }
        let taken = [
            ("momentum", "momentum"),
            ("beta_1", "beta1"),
            ("beta_2", "beta2"),
            ("rho", "rho"),
            ("alpha", "rho"),
            ("initial_accumulator_value", "start"),
        ];
        for (theirs, ours) in taken {
            if let Some(x) = m.named(theirs).and_then(Value::num).filter(|x| *x != 0.0) {
                options.push(format!("{ours}={}", written(x)));
            }
        }
        if torch && name == "rmsprop" && m.named("alpha").is_none() {
            options.push("rho=0.99".into());
        }
        if let Some([a, b]) = m.named("betas").map(Value::items).as_deref()
            && let (Some(a), Some(b)) = (a.num(), b.num())
        {
            options.extend([format!("beta1={}", written(a)), format!("beta2={}", written(b))]);
        }
        let eps = m.named("epsilon").or(m.named("eps")).and_then(Value::num);
        let eps = eps.or((torch
            && ["adam", "adamw", "adamax", "nadam", "amsgrad", "rmsprop"].contains(&name.as_str()))
        .then_some(1e-8));
        options.extend(eps.filter(|e| *e != 1e-7).map(|e| format!("eps={}", written(e))));
        let decay = m.named("weight_decay").and_then(Value::num);
        match (decay, name.as_str()) {
            (Some(d), "adamw") => options.push(format!("decay={}", written(d))),
            (None, "adamw") if torch => options.push("decay=0.01".into()),
            (Some(d), _) if d > 0.0 && torch => {
                let why = format!(
                    "a part of the loss here: loss = … + {} * l2(weights); biases stay out of it",
                    written(d / 2.0)
                );
                self.leave(m.line, "weight_decay", why);
            }
            (Some(d), _) if d > 0.0 => {
                self.leave(m.line, "weight_decay", "`optimizer adamw decay=0.004` shrinks weights")
            }
            _ => {}
        }
        for (word, flag) in [("nesterov", "nesterov"), ("centered", "centered")] {
            if m.named(word).is_some_and(|v| v.is(true)) {
                options.push(flag.into());
            }
        }
        let own = [
            "learning_rate",
            "lr",
            "momentum",
            "beta_1",
            "beta_2",
            "rho",
            "alpha",
            "betas",
            "epsilon",
            "eps",
            "weight_decay",
            "nesterov",
            "centered",
            "amsgrad",
            "clipnorm",
            "clipvalue",
            "global_clipnorm",
            "name",
            "initial_accumulator_value",
            "params",
            "dampening",
        ];
        for (key, v) in &m.named {
            if !own.contains(&key.as_str()) && !matches!(v, Value::None | Value::Bool(false)) {
                self.leave(m.line, format!("{key} of {word}"), reason(key));
            }
        }
        let line = format!("optimizer {name} {}", options.join(" "));
        told.optimizer.insert(0, line.trim_end().to_string());
        for (theirs, ours) in
            [("clipnorm", "clip norm="), ("clipvalue", "clip value="), ("global_clipnorm", "clip ")]
        {
            told.optimizer
                .extend(m.named(theirs).and_then(Value::num).map(|x| format!("{ours}{}", written(x))));
        }
    }

    fn schedule(&mut self, told: &mut Told, m: &Made, options: &mut Vec<String>) {
        let num = |place, name| m.get(place, name).and_then(Value::num);
        let first = num(0, "initial_learning_rate");
        let line = match (m.name.as_str(), num(1, "decay_steps")) {
            ("ExponentialDecay", Some(steps)) => {
                let rate = num(2, "decay_rate").unwrap_or(0.96);
                let stairs =
                    if m.get(3, "staircase").is_some_and(|v| v.is(true)) { " staircase" } else { "" };
                format!("schedule exponential steps={} rate={}{stairs}", written(steps), written(rate))
            }
            ("CosineDecay", Some(steps)) => {
                let floor = num(2, "alpha")
                    .filter(|a| *a > 0.0)
                    .map_or(String::new(), |a| format!(" floor={}", written(a)));
                format!("schedule cosine steps={}{floor}", written(steps))
            }
            _ => {
                return self.leave(
                    m.line,
                    m.name.clone(),
                    "schedules are factors on the rate here: `nnc explain schedule`",
                );
            }
        };
        options.extend(first.map(|x| format!("lr={}", written(x))));
        told.optimizer.push(line);
    }

    fn length(&mut self, told: &mut Told) {
        let t = &self.training;
        let mut percent = Vec::new();
        let share = |x: f64| format!("{}%", written((x * 1e4).round() / 100.0));
        let fit = t.fit.clone();
        let valid = fit
            .as_ref()
            .and_then(|f| f.named("validation_split"))
            .and_then(Value::num)
            .filter(|x| *x > 0.0 && *x < 1.0);
        percent.extend(valid.map(|x| format!("valid={}", share(x))));
        percent.extend(t.test_share.map(|x| format!("test={}", share(x))));
        if !percent.is_empty() {
            // Keras takes the last rows, as they stand.
            let ordered = if valid.is_some() && t.test_share.is_none() { " ordered" } else { "" };
            told.split.push(format!("split {}{ordered}", percent.join(" ")));
        }
        let epochs = match &fit {
            Some(f) => f
                .get(3, "epochs")
                .or(f.named("nb_epoch"))
                .and_then(Value::num)
                .or(f.get(3, "epochs").is_none().then_some(1.0)),
            None => t.epochs,
        };
        told.length.extend(epochs.map(|n| format!("epochs {}", written(n))));
        let loader = t.loader.as_ref().and_then(|l| l.get(1, "batch_size")).and_then(Value::num);
        let rows = match t.samples().0 {
            Value::List(rows) => Some(rows.len() as f64),
            _ => None,
        };
        let batch = match &fit {
            Some(f) => f.get(2, "batch_size").and_then(Value::num).or(t.batch),
            None => loader.or(t.batch).or(rows.filter(|_| !t.batches)),
        };
        // 32 where nothing is said, here as in Keras.
        told.length.extend(batch.filter(|b| *b != 32.0).map(|b| format!("batch {}", written(b))));
        let whole = fit.is_none() && batch.is_none() && !t.batches;
        if let Some(line) = t.loop_line.filter(|_| whole) {
            self.leave(
                line,
                "a step for all rows",
                "each step takes 32 rows here: `batch N`, N being the number of rows",
            );
        }
        let Some(fit) = fit else { return };
        if let Some(Value::Num(b)) = fit.get(2, "batch_size")
            && *b < 1.0
        {
            self.leave(fit.line, "batch_size", "a batch has one row or more");
        }
        let callbacks = fit.named("callbacks").map(Value::items).unwrap_or_default();
        for c in callbacks {
            self.callback(told, &c, fit.line);
        }
        let own = [
            "x",
            "y",
            "epochs",
            "nb_epoch",
            "batch_size",
            "verbose",
            "validation_split",
            "validation_data",
            "callbacks",
            "class_weight",
            "shuffle",
        ];
        for (key, v) in &fit.named {
            if !own.contains(&key.as_str()) && !matches!(v, Value::None) {
                self.leave(fit.line, key.clone(), reason(key));
            }
        }
        if fit.named("shuffle").is_some_and(|v| v.is(false)) {
            self.leave(fit.line, "shuffle=False", "an option of the command: nnc train net.nn --no-shuffle");
        }
        if fit.named("validation_data").is_some_and(|v| !matches!(v, Value::None)) {
            self.leave(
                fit.line,
                "validation_data",
                "rows of their own are a file: valid \"valid.csv\"; or a share: split valid=20%",
            );
        }
    }

    fn callback(&mut self, told: &mut Told, c: &Value, line: usize) {
        let Value::Made(m) = c else {
            return self.leave(line, "callbacks", "a callback is not known without running the program");
        };
        let watch = m.named("monitor").or(m.args.first()).and_then(Value::text).unwrap_or("val_loss");
        let watch = match (watch, told.metrics.first()) {
            ("val_accuracy" | "val_acc", Some(metric)) => format!("val_{metric}"),
            ("accuracy" | "acc", Some(metric)) => metric.clone(),
            (watch, _) => watch.to_string(),
        };
        match m.name.as_str() {
            "EarlyStopping" => {
                let patience = m.named("patience").and_then(Value::num).unwrap_or(0.0).max(1.0);
                told.length.push(format!("stop when {watch} stalls for {}", written(patience)));
                if m.named("restore_best_weights").is_some_and(|v| v.is(true)) {
                    told.length.push(format!("save best={watch}"));
                }
                if m.named("min_delta").and_then(Value::num).is_some_and(|x| x > 0.0) {
                    self.leave(m.line, "min_delta of EarlyStopping", "every improvement counts here");
                }
            }
            "ModelCheckpoint" => {
                let watch = m.named("monitor").and_then(Value::text).map_or("val_loss".into(), |_| watch);
                match m.named("save_best_only").is_some_and(|v| v.is(true)) {
                    true => told.length.push(format!("save best={watch}")),
                    false => told.length.push("save every=1".into()),
                }
                told.length.dedup();
            }
            "ReduceLROnPlateau" => {
                let num = |name, default| m.named(name).and_then(Value::num).unwrap_or(default);
                let (factor, patience) = (num("factor", 0.1), num("patience", 10.0));
                let line = format!(
                    "schedule plateau factor={} patience={} watch={watch}",
                    written(factor),
                    written(patience)
                );
                told.optimizer.push(line);
                if m.named("min_lr").and_then(Value::num).is_some_and(|x| x > 0.0) {
                    self.leave(
                        m.line,
                        "min_lr of ReduceLROnPlateau",
                        "the smallest rate is `floor`, a share of `lr`",
                    );
                }
            }
            name => {
                let (name, why) = (name.to_string(), reason(name));
                self.leave(m.line, name, why);
            }
        }
    }
}

/// Puts the activation of the loss behind the last step.
pub fn end_with(steps: &mut Vec<Step>, last: &str) -> Option<&'static str> {
    let step = steps.last_mut()?;
    let softmax = |word: &str| matches!(word, "softmax" | "log_softmax");
    let now = step.activation.clone().or(step.bare.then(|| step.head.clone()));
    let wanted = if last == "log_softmax" { "softmax" } else { last };
    match now.as_deref() {
        // The loss takes the logarithm by itself here.
        Some("log_softmax") if last == "log_softmax" => {
            if step.activation.is_some() {
                step.activation = Some(wanted.into())
            } else {
                step.head = wanted.into()
            }
            None
        }
        Some(word) if softmax(word) || word == "sigmoid" => (last != "log_softmax")
            .then_some("the model already ends with one, and the loss there puts on another: here it is one"),
        _ if last == "log_softmax" => {
            Some("NLLLoss takes logarithms of probabilities, and the model gives none")
        }
        None if step.activates => {
            step.activation = Some(wanted.into());
            None
        }
        _ => {
            steps.push(Step::activation(wanted));
            None
        }
    }
}
