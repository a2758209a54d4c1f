//! Loops that train: each line is a setting, or is told.

use super::{Run, texts};
use crate::python::{Expr, ExprKind, Stmt, StmtKind};
use crate::value::Value;

/// What is said of arithmetic in a loop that trains.
const REST_OF_LOSS: &str =
    "a loss of several parts is a formula here: loss = mse(output, target) + 0.001 * sum(dense1.w ^ 2)";

impl Run {
    /// `for epoch in range(20):` with a step of the optimizer in it, for each batch of a loader or for all rows.
    pub(super) fn training_loop(&mut self, range: &Value, body: &[Stmt]) -> Option<Value> {
        let (line, _) = self.now;
        match range {
            Value::List(items) if self.training.epochs.is_none() => {
                self.training.epochs = Some(items.len() as f64)
            }
            Value::Made(loader) if loader.name == "DataLoader" => {}
            Value::Made(_) | Value::Data(_) => {}
            Value::Path(_) => {}
            _ if self.training.epochs.is_none() => {
                let why = "how many epochs is not known without running the program: `epochs 10`";
                self.leave_now(why);
            }
            _ => {}
        }
        if let Value::Made(over) = range {
            self.training.batches = true;
            match (over.name.as_str(), over.args.first()) {
                ("DataLoader", _) => self.training.loader = Some(over.clone()),
                (_, Some(Value::Made(loader))) => self.training.loader = Some(loader.clone()),
                _ => {}
            }
        }
        if matches!(range, Value::Data(_) | Value::Path(_)) {
            self.training.batches = true;
        }
        self.training.loop_line = Some(line);
        for stmt in body {
            self.now = (stmt.line, stmt.text.clone());
            match &stmt.kind {
                // The batches inside of an epoch.
                StmtKind::For(_, inner, rest) => {
                    let range = self.eval(inner);
                    let loader = match &range {
                        Value::Made(m) if m.name != "DataLoader" => m.args.first().cloned(),
                        _ => None,
                    };
                    if rest.iter().flat_map(texts).any(|t| t.contains(".step(") || t.contains(".backward(")) {
                        self.training.batches = true;
                        self.training_loop(&loader.unwrap_or(range), rest);
                    } else {
                        self.leave_now("rows for validation are a statement: split valid=20%");
                    }
                }
                StmtKind::Assign(targets, e) => {
                    self.eval(e);
                    if !targets.iter().all(|t| matches!(t.kind, ExprKind::Name(_) | ExprKind::Tuple(_))) {
                        let why = self.why(&stmt.text);
                        self.leave_now(why);
                    } else if matches!(e.kind, ExprKind::Binary(..)) {
                        self.leave_now(REST_OF_LOSS);
                    }
                }
                StmtKind::Augment(_, _, e) => {
                    self.eval(e);
                    // Sums for a report are told by every run.
                    if !stmt.text.contains(".item(") {
                        self.leave_now(REST_OF_LOSS);
                    }
                }
                StmtKind::Expr(e) => self.in_loop(e, &stmt.text),
                StmtKind::Block(inner) => {
                    self.training_loop(range, inner);
                }
                StmtKind::If(..) => {
                    self.leave_now("which branch is taken is not known without running the program");
                }
                StmtKind::Def(_) | StmtKind::Class(_) | StmtKind::Return(_) | StmtKind::Unread => {
                    let why = self.why(&stmt.text);
                    self.leave_now(why);
                }
                StmtKind::Nothing => {}
            }
        }
        None
    }

    /// A call inside of a loop that trains.
    fn in_loop(&mut self, e: &Expr, text: &str) {
        if let ExprKind::Call(f, args) = &e.kind {
            let (of, name) = match &f.kind {
                ExprKind::Attr(of, name) => (Some(of.as_ref()), name.as_str()),
                ExprKind::Name(name) => (None, name.as_str()),
                _ => (None, ""),
            };
            match (of, name) {
                (Some(of), "backward") => {
                    self.eval(of);
                    return;
                }
                (Some(of), "step") => match self.eval(of) {
                    Value::Made(m) if m.path.contains("lr_scheduler") || m.name.ends_with("LR") => {
                        return self
                            .leave_now("schedules are factors on the rate here: `nnc explain schedule`");
                    }
                    _ => return,
                },
                (Some(_), "append" | "update") => {
                    for (_, e) in args {
                        self.eval(e);
                    }
                    return;
                }
                (Some(_), "zero_grad" | "train" | "eval" | "set_description" | "set_postfix") => return,
                (_, "clip_grad_norm_" | "clip_grad_value_") => {
                    if let Some(x) = args.get(1).and_then(|(_, e)| self.eval(e).num()) {
                        let kind = if name == "clip_grad_norm_" { "" } else { "value=" };
                        self.training.clip = Some(format!("clip {kind}{}", crate::value::written(x)));
                        return;
                    }
                }
                _ => {}
            }
        }
        let why = self.why(text);
        self.leave_now(why);
    }
}
