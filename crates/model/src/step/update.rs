//! What a step does to a weight: the rule of the optimizer, with its learning rate under a schedule and under `rate`.

use crate::declarations::settings::{Named, Settings};
use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::frame::Frame;
use crate::elaborate::value::{Def, Func, Tensor, Value};
use crate::program::rules::{split_rules, unknown_rule, usual_optimizer};
use crate::program::spec::Spec;
use crate::step::build::Run;
use nnc_graph::{Binary, NodeId, Role, Type};
use nnc_syntax::ast::{Arg, BinaryOp, RuleDef};
use nnc_syntax::{Code, Diagnostic, Span};

impl Spec {
    /// Runs the optimizer's rule for one weight, then those that follow it: in `optimizer adam ema=0.99`, the rule
    /// `ema` with 0.99 as its first argument, on the weight that adam leaves.
    pub(super) fn optimize(
        &self,
        run: &mut Run<'_>,
        named: Option<&Named>,
        path: &str,
        weight: &Tensor,
        g: NodeId,
    ) -> Res<()> {
        let (name, args, span) = match named {
            Some(n) => (n.name.text.clone(), &n.args[..], n.span),
            None => (usual_optimizer(&run.e), &[][..], Span::default()),
        };
        let rule = match run.e.scope.globals.defs.get(&name) {
            Some(Def::Rule(rule)) => rule.clone(),
            _ => return Err(unknown_rule(&run.e, named)),
        };
        if named.is_some() {
            run.e.at(span);
        }
        let (own, following) = split_rules(&run.e, &rule, args);
        let g = run.e.tensor(g, weight.axes.clone(), false);
        let mut now = self.rule(run, &rule, &own, span, path, (weight, &g, true))?;
        if !run.e.results.updates.iter().any(|(p, _)| p == path) {
            let w = &rule.weight.text;
            let d = Diagnostic::error(Code::N0413, format!("`{name}` never gives `{w}` its next value"))
                .label(rule.weight.span, "this weight would never learn")
                .help(format!("`:=` gives it: {w} := {w} - lr * {}", rule.gradient.text));
            return Err(Stop::Error(Box::new(d)));
        }
        for (rule, arg) in following {
            now = self.rule(run, &rule, &[arg], span, path, (&now, &g, false))?;
        }
        Ok(())
    }

    /// Runs one rule for one weight, and gives what the weight is then.
    fn rule(
        &self,
        run: &mut Run<'_>,
        rule: &RuleDef,
        args: &[Arg],
        span: Span,
        path: &str,
        (weight, g, scheduled): (&Tensor, &Tensor, bool),
    ) -> Res<Tensor> {
        let name = rule.name.text.as_str();
        let bound = run.e.arguments(&mut run.frame, name, &rule.params, args, span, true)?;
        let slow = |(i, value): &&(usize, Value)| {
            rule.params[*i].name.text == "lr" && value.num().is_some_and(|lr| lr < 0.0)
        };
        if let Some((_, lr)) = bound.iter().find(slow) {
            let message = format!("a learning rate is above 0, not {lr}: `{name}` would make the loss large");
            return run.e.fail(Code::N0205, message, span, "");
        }
        let mut inner = Frame::below(format!("{path}/{name}"), false);
        inner.alias = Some((rule.weight.text.clone(), path.to_string()));
        inner.slots = true;
        run.e.deeper(&format!("optimizer > {path}"), span, |e| {
            e.bind_params(&mut inner, name, &rule.params, bound, span)?;
            inner.set(rule.weight.text.as_str(), Value::Tensor(weight.clone()));
            inner.set(rule.gradient.text.as_str(), Value::Tensor(g.clone()));
            let ty = Type::scalar(e.float());
            let mut step = match e.results.top.settings.accumulate {
                1 => e.b.parameter(Role::Step, "step", ty),
                _ => e.scalar_slot(Settings::PIECE_SLOTS[2], 1.0).node,
            };
            if e.results.top.stage > 0 {
                // The optimizer of a later stage is a fresh one.
                let begin = e.scalar_slot(Settings::STAGE_SLOT, 0.0);
                step = e.b.binary(Binary::Subtract, step, begin.node);
            }
            let step = e.tensor(step, Vec::new(), false);
            inner.set("step", Value::Tensor(step.clone()));
            if scheduled {
                self.schedule(e, &mut inner, &step)?;
                rate(e, &mut inner, path)?;
            }
            e.block(&mut inner, &rule.body.stmts)?;
            e.nothing_left_over(&mut inner)
        })?;
        match inner.get(&rule.weight.text) {
            Some(Value::Tensor(t)) => Ok(t.clone()),
            _ => Ok(weight.clone()),
        }
    }

    /// Multiplies the learning rate by the schedule.
    fn schedule(&self, e: &mut Elab<'_>, inner: &mut Frame, step: &Tensor) -> Res<()> {
        let Some(named) = e.results.top.schedule.clone() else { return Ok(()) };
        let Some(Value::Func(func @ Func::Fn(_))) = e.lookup(&Frame::default(), &named.name.text) else {
            return Err(e.unknown(
                &Frame::default(),
                Code::N0202,
                "no schedule",
                &named.name.text,
                named.name.span,
            ));
        };
        let Some(lr) = inner.get("lr").cloned() else {
            let d =
                e.error(Code::N0203, "this optimizer has no learning rate to schedule", named.span, "").help(
                    "a schedule multiplies the parameter `lr` of a rule: rule mine(lr = 0.01) of w, g { … }",
                );
            return Err(Stop::Error(Box::new(d)));
        };
        let one = e.b.constant(1.0);
        let from_zero = e.b.binary(Binary::Subtract, step.node, one);
        let from_zero = Value::Tensor(e.tensor(from_zero, Vec::new(), false));
        let total = Value::Num(e.results.top.settings.total_steps(e.session.ports.samples) as f64);
        let mut frame = Frame::default();
        let factor = e.apply(&mut frame, &func, vec![from_zero, total], &named.args, named.span, true)?;
        let lr = e.binary_op(BinaryOp::Mul, &lr, &factor, named.span, (named.span, named.span))?;
        inner.set("lr", lr);
        Ok(())
    }
}

/// Multiplies the learning rate by what `rate` says of the layer whose weight this is.
fn rate(e: &mut Elab<'_>, inner: &mut Frame, path: &str) -> Res<()> {
    let Some((factor, span)) = e.results.top.rate_of(path) else { return Ok(()) };
    let Some(lr) = inner.get("lr").cloned() else {
        let d = e
            .error(Code::N0203, "this optimizer has no learning rate to multiply", span, "")
            .help("`rate` multiplies the parameter `lr` of a rule: rule mine(lr = 0.01) of w, g { … }");
        return Err(Stop::Error(Box::new(d)));
    };
    let lr = e.binary_op(BinaryOp::Mul, &lr, &Value::Num(factor), span, (span, span))?;
    inner.set("lr", lr);
    Ok(())
}
