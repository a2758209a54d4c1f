//! The loss of samples that are mixed with others: mixup and cutmix.
//!
//! Of a sample that is its share `s` of itself and for the rest another one, the loss is `s` times the loss by its own
//! targets and `1 - s` times the loss by the other's (Zhang et al. 2018, `mixup_criterion` of their code; Yun et al.
//! 2019). Of crossentropy that is the loss by the mixed targets.

use crate::declarations::data::{PARTNER, SHARE};
use crate::elaborate::elab::{Res, Stop};
use crate::elaborate::value::Value;
use crate::program::spec::Spec;
use crate::step::build::Run;
use nnc_graph::{Binary, NodeId, Role, Type};
use nnc_syntax::{Code, Diagnostic, Span};

impl Spec {
    /// The loss of every sample; where samples are mixed, by both of their targets.
    pub(super) fn mixed_loss(&self, run: &mut Run<'_>, span: Option<Span>) -> Res<NodeId> {
        let own = self.loss_by_target(run)?;
        if !run.e.session.ports.mixed || !run.e.session.training {
            return Ok(own);
        }
        let targets = run.e.session.ports.targets.clone();
        let mut kept = Vec::new();
        for (at, port) in targets.iter().enumerate() {
            let Some(Value::Tensor(tensor)) = run.frame.get(&port.name).cloned() else { continue };
            let (ty, mut other) = (run.e.b.ty(tensor.node).clone(), tensor.clone());
            other.node = run.e.b.parameter(Role::Target, format!("{}{PARTNER}", port.name), ty);
            if let Some(units) = run.e.session.ports.units.get(at).filter(|u| !u.is_empty()).cloned() {
                run.e.results.units.insert(other.node, units);
            }
            let names = match targets.len() {
                1 => vec![port.name.as_str(), "target"],
                _ => vec![port.name.as_str()],
            };
            for name in names {
                run.frame.set(name, Value::Tensor(other.clone()));
                kept.push((name.to_string(), tensor.clone()));
            }
        }
        let other = self.loss_by_target(run);
        for (name, tensor) in &kept {
            run.frame.set(name.as_str(), Value::Tensor(tensor.clone()));
        }
        let other = other?;
        let reached = run.e.b.graph().behind(other);
        if kept.iter().any(|(_, tensor)| reached[tensor.node.index()]) {
            let message = "the loss uses a target under another name, so it cannot be mixed";
            let d = Diagnostic::error(Code::N0405, message);
            let d = span.map_or(d.clone(), |span| d.label(span, "")).help(
                "with `mixup` or `cutmix` the loss is computed by the targets of two samples: say all that it does \
                 with a target in the loss itself, or in a function that is given the target",
            );
            return Err(Stop::Error(Box::new(d)));
        }
        let float = run.e.float();
        let ty = Type::new(float, run.e.b.ty(own).shape.clone());
        let share = run.e.b.parameter(Role::Target, SHARE, ty);
        let one = run.e.b.scalar_like(1.0, share);
        let rest = run.e.b.binary(Binary::Subtract, one, share);
        let (own, other) =
            (run.e.b.binary(Binary::Multiply, share, own), run.e.b.binary(Binary::Multiply, rest, other));
        Ok(run.e.b.binary(Binary::Add, own, other))
    }
}
