//! `rewrite`: identities of the library, about the calls that a tensor is the result of.

use crate::declarations::attributes::Range;
use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::frame::Frame;
use crate::elaborate::results::Call;
use crate::elaborate::value::Value;
use nnc_syntax::Span;
use nnc_syntax::ast::{Expr, ExprKind};

impl Elab<'_> {
    /// Notes the call that a node is the result of; an identity made nothing.
    pub fn remember(&mut self, name: &str, range: Option<Range>, args: Vec<Value>, out: &Value) {
        let Value::Tensor(t) = out else { return };
        if args.iter().any(|a| matches!(a, Value::Tensor(x) if x.node == t.node)) {
            return;
        }
        let calls = self.results.calls.entry(t.node).or_default();
        if !calls.iter().any(|c| c.name == name && c.args == args) {
            calls.push(Call { name: name.to_string(), range, args });
        }
    }

    /// The right-hand side of a `rewrite` whose left-hand side this call is.
    pub fn rewritten<'v>(
        &mut self,
        name: &str,
        args: impl Iterator<Item = &'v Value>,
        keyed: &[(String, Value, Span)],
        span: Span,
    ) -> Res<Option<Value>> {
        if !keyed.is_empty() {
            return Ok(None);
        }
        let globals = self.scope.globals.clone();
        let args: Vec<&Value> = args.collect();
        for rule in &globals.rewrites {
            let ExprKind::Call { callee, args: patterns } = &rule.0.kind else { continue };
            if !matches!(&callee.kind, ExprKind::Name(n) if n == name) || patterns.len() != args.len() {
                continue;
            }
            let mut frame = Frame::default();
            if patterns.iter().zip(&args).all(|(p, v)| self.rewrite_matches(&p.value, v, &mut frame)) {
                return self.expr(&mut frame, &rule.1).map(Some).map_err(|e| match e {
                    Stop::Error(d) => Stop::Error(Box::new(d.label(span, "after a rewrite"))),
                    Stop::Poisoned => Stop::Poisoned,
                });
            }
        }
        Ok(None)
    }

    fn rewrite_matches(&self, pattern: &Expr, value: &Value, frame: &mut Frame) -> bool {
        match &pattern.kind {
            ExprKind::Name(name) => {
                frame.set(name.as_str(), value.clone());
                true
            }
            ExprKind::Int(n) => value.num() == Some(*n as f64),
            ExprKind::Call { callee, args } => match &callee.kind {
                ExprKind::Name(name) => self.call_matches(name, args.iter().map(|a| &a.value), value, frame),
                _ => false,
            },
            ExprKind::Binary { op, left, right, .. } => {
                self.call_matches(op.sign(), [&**left, &**right].into_iter(), value, frame)
            }
            _ => false,
        }
    }

    /// Whether a tensor is the result of calling `name` with values that match.
    fn call_matches<'x>(
        &self,
        name: &str,
        patterns: impl Iterator<Item = &'x Expr> + Clone,
        value: &Value,
        frame: &mut Frame,
    ) -> bool {
        let Value::Tensor(t) = value else { return false };
        self.results.calls.get(&t.node).into_iter().flatten().filter(|c| c.name == name).any(|call| {
            patterns.clone().count() == call.args.len()
                && patterns.clone().zip(&call.args).all(|(p, v)| self.rewrite_matches(p, v, frame))
        })
    }
}
