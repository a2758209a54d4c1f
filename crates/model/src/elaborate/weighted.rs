//! Metrics in which rows count by a weight, `auc(output, target, weight=w)`: whatever a metric sums over all samples is
//! summed with it (Keras: `weighted_metrics`, whose metrics are given `sample_weight`).

use crate::elaborate::elab::{Elab, Res};
use crate::elaborate::frame::Frame;
use crate::elaborate::value::{Tensor, Value};
use nnc_graph::{Binary, Direction, Role, Type};
use nnc_syntax::ast::{Arg, ExprKind, FnDef};
use nnc_syntax::{Code, Span};

/// The argument of a metric that says by what rows count.
const WEIGHT: &str = "weight";

impl Elab<'_> {
    /// The column of weights, one number for each sample.
    pub(crate) fn sample_weight(&mut self) -> Tensor {
        let ty = Type::new(self.float(), Self::dims(&[], true));
        let node = self.b.parameter(Role::SampleWeight, "sample_weight", ty);
        self.tensor(node, Vec::new(), true)
    }

    /// By what the rows of a metric count, where a call in a metric says so and the function has no such argument of
    /// its own.
    pub(crate) fn weight_argument(
        &mut self,
        frame: &mut Frame,
        def: &FnDef,
        args: &[Arg],
    ) -> Res<Option<(usize, Tensor)>> {
        if self.results.measuring.is_none() || def.params.iter().any(|p| p.name.text == WEIGHT) {
            return Ok(None);
        }
        let keyed = |arg: &Arg| arg.key.as_ref().is_some_and(|k| k.text == WEIGHT);
        let Some(at) = args.iter().position(keyed) else { return Ok(None) };
        let expr = &args[at].value;
        // A column that is an input too is a tensor of that name, perhaps scaled.
        let column = self.session.ports.weight.clone();
        let value = match &expr.kind {
            ExprKind::Name(name) if Some(name) == column.as_ref() => Value::Tensor(self.sample_weight()),
            _ => self.expr(frame, expr)?,
        };
        let t = self.tensor_of(&value, expr.span)?;
        let t = self.floats(&t);
        if t.sizes().iter().product::<usize>() != 1 {
            return self.fail(
                Code::N0205,
                format!("`weight` of `{}` is one number for each sample", def.name.text),
                expr.span,
                "this is more than one",
            );
        }
        let node = self.broadcast_to(&t, &t.axes.clone(), true, expr.span)?;
        let node = self.b.reshape(node, Self::dims(&[], true));
        Ok(Some((at, self.tensor(node, Vec::new(), true))))
    }

    /// From here on the metric's sums are weighted, if a weight is given; what was so before, for [`Elab::weighed`].
    pub(crate) fn weigh(&mut self, weight: Option<Tensor>) -> Option<(Option<Tensor>, usize)> {
        let (weight, measuring) = (weight?, self.results.measuring.as_mut()?);
        Some((measuring.weight.replace(weight), measuring.sums.len()))
    }

    /// What a function came to whose sums were weighted; where it is a mean over the samples, the weighted mean.
    pub(crate) fn weighed(
        &mut self,
        value: Res<Value>,
        before: Option<(Option<Tensor>, usize)>,
        span: Span,
    ) -> Res<Value> {
        let Some((around, sums)) = before else { return value };
        let value = value.and_then(|value| self.weighted_mean(value, sums, span));
        if let Some(measuring) = &mut self.results.measuring {
            measuring.weight = around;
        }
        value
    }

    fn weighted_mean(&mut self, value: Value, sums: usize, span: Span) -> Res<Value> {
        let summed = self.results.measuring.as_ref().is_some_and(|m| m.sums.len() > sums);
        let Value::Tensor(t) = &value else { return Ok(value) };
        if !t.batched && summed {
            return Ok(value);
        }
        let t = self.floats(&t.clone());
        let (above, below) = (self.total_of(&t, span)?, self.total_of_ones(&t, span)?);
        Ok(Value::Tensor(self.quotient(&above, &below)))
    }

    /// The sum of 1 over all samples, in the shape of `like`: how many there are, or how much they count.
    pub(crate) fn total_of_ones(&mut self, like: &Tensor, span: Span) -> Res<Tensor> {
        let ty = Type::new(self.float(), Self::dims(&like.axes, true));
        let one = self.b.filled(1.0, ty);
        let ones = self.tensor(one, like.axes.clone(), true);
        self.total_of(&ones, span)
    }

    /// What is summed, times the weight at work.
    pub(crate) fn times_weight(&mut self, node: nnc_graph::NodeId) -> nnc_graph::NodeId {
        let weight = self.results.measuring.as_ref().and_then(|m| m.weight.clone());
        let Some(weight) = weight else { return node };
        let shape = self.b.ty(node).shape.clone();
        let weight = self.b.broadcast(weight.node, vec![0], shape);
        self.b.binary(Binary::Multiply, node, weight)
    }

    /// a / b, and 0 where b is 0, as of a file all of whose rows count nothing.
    pub(crate) fn quotient(&mut self, a: &Tensor, b: &Tensor) -> Tensor {
        let ty = self.b.ty(b.node).clone();
        let (zero, one) = (self.b.filled(0.0, ty.clone()), self.b.filled(1.0, ty));
        let none = self.b.compare(Direction::Eq, b.node, zero);
        let below = self.b.select(none, one, b.node);
        let ratio = self.b.binary(Binary::Divide, a.node, below);
        let node = self.b.select(none, zero, ratio);
        self.tensor(node, a.axes.clone(), false)
    }
}
