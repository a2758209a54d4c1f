//! Loops: a body run once for every step, with values carried from step to step.
//!
//! `scan(carries…, slices…, invariants…)` runs its body `length` times: for `t` = 0, 1, … or, in reverse, from the
//! last one down. The body sees the carries, slice `t` (along the first axis) of each of the slices, and the
//! invariants. A result is one of two: what a carry is after the last step, or the values of some node of the body
//! in all steps, stacked along a new first axis in the order of `t` whatever the direction.
//!
//! Nodes with the same body, length, direction and operands are results of one loop. There are no tuples, so dead
//! results vanish as every dead node does. In StableHLO a loop is a `while` with a counter.

use super::{Kind, Prim, Rules, StableHlo};
use crate::affine::affine_nodes;
use crate::array::{Array, Bindings};
use crate::text::Attributes;
use crate::{Builder, Dim, NodeId, Region, Type};
use std::sync::Arc;

/// A loop without the result that is asked for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Loop {
    /// What a step computes.
    pub body: Arc<Region>,
    /// The number of steps, at least 1.
    pub length: usize,
    /// Whether the last step comes first.
    pub reverse: bool,
}

/// What is asked of a loop.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ScanResult {
    /// A carry after the last step.
    Last(usize),
    /// A value of the body in all steps: `[length, …]`.
    Stack(NodeId),
}

/// A loop and one result of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Scan {
    /// The loop.
    pub of: Loop,
    /// The result.
    pub result: ScanResult,
}

impl Loop {
    /// The steps in the order in which they run.
    pub fn order(&self) -> impl Iterator<Item = usize> + use<> {
        let (length, reverse) = (self.length, self.reverse);
        (0..length).map(move |i| if reverse { length - 1 - i } else { i })
    }

    /// `ty` with an axis for the steps before all others.
    pub fn stacked(&self, ty: &Type) -> Type {
        stacked(self.length, ty)
    }

    /// The type of a result.
    pub fn result(&self, result: ScanResult) -> Option<Type> {
        match result {
            ScanResult::Last(i) => (i < self.body.carries()).then(|| self.body.parameter(i).clone()),
            ScanResult::Stack(n) => {
                (n.index() < self.body.graph().len()).then(|| self.stacked(self.body.graph().ty(n)))
            }
        }
    }
}

/// `ty` with an axis of `length` before all others.
pub(crate) fn stacked(length: usize, ty: &Type) -> Type {
    ty.with_shape([&[Dim::Size(length)], &ty.shape[..]].concat())
}

impl Rules for Scan {
    fn name(&self) -> &'static str {
        "scan"
    }

    fn attributes(&self) -> Vec<(&'static str, String)> {
        let mut out = vec![("body", self.of.body.name()), ("length", self.of.length.to_string())];
        if self.of.reverse {
            out.push(("reverse", "yes".into()));
        }
        out.push(match self.result {
            ScanResult::Last(i) => ("last", i.to_string()),
            ScanResult::Stack(n) => ("stack", n.to_string()),
        });
        out
    }

    fn from_text(name: &str, attributes: &mut Attributes<'_>) -> Result<Option<Self>, String> {
        if name != "scan" {
            return Ok(None);
        }
        let body = attributes.region("body")?;
        let length = attributes.number("length")?;
        let reverse = attributes.has("reverse")
            && attributes.parse("reverse", |t| ["no", "yes"].iter().position(|w| *w == t))? == 1;
        let result = if attributes.has("last") {
            ScanResult::Last(attributes.number("last")?)
        } else {
            let node = |t: &str| t.strip_prefix('%')?.parse().ok().map(NodeId);
            ScanResult::Stack(attributes.parse("stack", node)?)
        };
        Ok(Some(Self { of: Loop { body, length, reverse }, result }))
    }

    fn check(&self, operands: &[&Type], result: &Type) -> Result<(), String> {
        let Loop { body, length, .. } = &self.of;
        if *length == 0 {
            return Err("a loop has at least one step".into());
        }
        if operands.len() != body.parameters() {
            return Err(format!("the body takes {} operands, not {}", body.parameters(), operands.len()));
        }
        let slices = body.carries()..body.carries() + body.slices();
        for (i, &operand) in operands.iter().enumerate() {
            let inner = body.parameter(i);
            let wanted = if slices.contains(&i) { self.of.stacked(inner) } else { inner.clone() };
            if *operand != wanted {
                return Err(format!("operand {i} is {wanted}, not {operand}"));
            }
        }
        match self.of.result(self.result) {
            Some(wanted) => super::expect(result, &wanted),
            None => Err(format!("the body has no {:?}", self.result)),
        }
    }

    fn vjp(&self, _: &mut Builder, _: NodeId, _: NodeId) -> Vec<Option<NodeId>> {
        unreachable!("the walker differentiates all results of a loop together")
    }

    fn eval(&self, _: &[&Array], _: &Type, _: &Bindings) -> Result<Array, String> {
        unreachable!("the evaluator runs all results of a loop together")
    }

    fn flops(&self, _: &[&Type], _: &Type, batch: usize) -> u64 {
        let body = self.of.body.graph();
        let step = body.ids().map(|id| body.flops(id, batch)).fold(0, u64::saturating_add);
        step.saturating_mul(self.of.length as u64)
    }

    fn kind(&self, _: &[&Type], _: &Type) -> Kind {
        Kind::Heavy
    }

    /// What is carried moves as soon as anything does.
    fn is_affine(&self, moves: &[bool]) -> bool {
        let body = &self.of.body;
        let inside =
            |p: NodeId| p.index() < body.parameters() && (p.index() < body.carries() || moves[p.index()]);
        let inner = affine_nodes(body.graph(), None, &inside);
        let stacked = match self.result {
            ScanResult::Stack(n) => inner[n.index()].affine,
            ScanResult::Last(_) => true,
        };
        stacked && body.next().iter().all(|n| inner[n.index()].affine)
    }

    fn rows(&self, _: &[&Type], _: &Type) -> Option<Dim> {
        None
    }

    fn stablehlo(&self) -> StableHlo {
        StableHlo::Expansion(
            "a while with a counter: slices by dynamic_slice, stacks by dynamic_update_slice",
        )
    }
}

impl From<Scan> for Prim {
    fn from(scan: Scan) -> Self {
        Prim::Scan(Box::new(scan))
    }
}
