//! `scan x in xs with h = a { … }`: a body for every slice along the first axis, with carried values.
//!
//! The body runs once, over stand-ins for the slice and for what is carried; what it computes from them becomes
//! the body of a loop ([`nnc_graph::scan`]), all else stays outside of it.

use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::frame::{Frame, Rows};
use crate::elaborate::value::{Axis, Tensor, Value, shape_text};
use nnc_graph::scan::{Body, Carry, Made};
use nnc_graph::{DType, NodeId, Role, Type};
use nnc_syntax::Code;
use nnc_syntax::ast::{Scan, Stmt, StmtKind};
use std::collections::BTreeSet;

/// A name that goes from step to step.
struct Carried {
    name: String,
    /// Its first value.
    first: Tensor,
    /// Whether `with` names it; else the body assigns a name from outside of the loop.
    explicit: bool,
    /// What stands for it in the body, in the last run of it.
    at: NodeId,
}

/// What one run of the body came to.
enum Turn {
    /// The names are carried like this.
    Done(Value),
    /// A carried value turned out to be one for every sample, or a number instead of a class: once more, with
    /// first values like that.
    Again,
}

impl Elab<'_> {
    /// The stacked last tensors of the body; carried names keep their final values. A loop that fails leaves the
    /// frame as it was, but for what it would have carried, of which nothing is known.
    pub fn scan(&mut self, frame: &mut Frame, scan: &Scan) -> Res<Value> {
        let before = frame.clone();
        let out = self.looped(frame, scan);
        if out.is_err() {
            *frame = before;
            for (name, _) in &scan.carried {
                frame.set(&name.text, Value::Poison);
            }
        }
        out
    }

    fn looped(&mut self, frame: &mut Frame, scan: &Scan) -> Res<Value> {
        let over = self.expr(frame, &scan.over)?;
        let over = match over {
            Value::Tensor(t) if t.rank() > 0 => t,
            other => {
                let what = match &other {
                    Value::Tensor(_) => "one number without axes",
                    other => other.kind(),
                };
                let message = format!("`scan` walks along the first axis of a tensor; this is {what}");
                return self.fail(Code::N0205, message, scan.over.span, "");
            }
        };
        let mut carried = Vec::new();
        for (name, first) in &scan.carried {
            let value = self.expr(frame, first)?;
            let tensor = self.tensor_of(&value, first.span)?;
            let batched = tensor.batched || over.batched;
            let node = self.broadcast_to(&tensor, &tensor.axes.clone(), batched, first.span)?;
            let first = Tensor { node, batched, ..tensor };
            frame.set(&name.text, Value::Tensor(first.clone()));
            let at = first.node;
            carried.push(Carried { name: name.text.clone(), first, explicit: true, at });
        }
        let mut assigned = BTreeSet::new();
        assigned_in(&scan.body.stmts, &mut assigned);
        for name in assigned.into_iter().filter(|n| *n != scan.item.text) {
            if let (false, Some(Value::Tensor(first))) = (named(&carried, &name), frame.get(&name)) {
                let first = first.clone();
                carried.push(Carried { name, at: first.node, first, explicit: false });
            }
        }
        // Three runs at most for every name: as it is, with a batch, as floats.
        for _ in 0..=2 * carried.len() {
            let before = (
                frame.clone(),
                self.scope.sites.clone(),
                self.results.updates.clone(),
                self.results.bound.len(),
            );
            if let Turn::Done(value) = self.turn(frame, scan, &over, &mut carried)? {
                return Ok(value);
            }
            (*frame, self.scope.sites, self.results.updates) = (before.0, before.1, before.2);
            self.results.bound.truncate(before.3);
        }
        self.fail(Code::N0210, "the body of `scan` comes to no end", scan.span, "")
    }

    /// Runs the body once and makes the loop.
    fn turn(
        &mut self,
        frame: &mut Frame,
        scan: &Scan,
        over: &Tensor,
        carried: &mut Vec<Carried>,
    ) -> Res<Turn> {
        let length = over.axes[0].size;
        let mut body = Body { length, ..Body::default() };
        let stand_ins = self.b.graph().len();
        let axes = over.axes[1..].to_vec();
        let ty = Type::new(self.b.ty(over.node).dtype, Self::dims(&axes, over.batched));
        let slice = self.b.stand_in(Role::Slice, ty);
        let stack = self.steps_first(over.node, over.batched);
        body.slices.push((slice, stack));
        let key = self.keyed_by_step(&mut body);
        for c in carried.iter_mut() {
            c.at = self.b.stand_in(Role::Carry, self.b.ty(c.first.node).clone());
            frame.set(&c.name, Value::Tensor(Tensor { node: c.at, ..c.first.clone() }));
        }
        let item = Value::Tensor(Tensor { node: slice, axes: axes.into(), mask: None, ..over.clone() });
        let there = over.mask.map(|mask| {
            self.results.mask_reads += 1;
            let ty = Type::new(self.b.ty(mask).dtype, Self::dims(&[], true));
            let slice = self.b.stand_in(Role::Slice, ty);
            let stack = self.steps_first(mask, true);
            body.slices.push((slice, stack));
            slice
        });
        frame.set(&scan.item.text, item.clone());
        frame.it = Some(item);
        let bound = self.results.bound.len();
        let before = self.results.updates.clone();
        let kept = (frame.sharing, frame.rows, self.scope.step_key.replace(key));
        (frame.sharing, frame.rows) = (true, Rows::None);
        let run = self.block(frame, &scan.body.stmts);
        (frame.sharing, frame.rows, self.scope.step_key) = kept;
        run?;
        self.nothing_left_over(frame)?;

        // At a step of padding what is carried stays, and so does what the body gives of it.
        let mut kept: Vec<(NodeId, NodeId)> = Vec::new();
        for at in (0..carried.len()).rev() {
            let c = &mut carried[at];
            let now = match frame.get(&c.name) {
                Some(Value::Tensor(t)) => Some(t.clone()),
                _ => None,
            };
            let Some(now) = now.filter(|t| t.sizes() == c.first.sizes()) else {
                if c.explicit || !self.b.graph().users(c.at).is_empty() {
                    return Err(self.other_shape(frame, scan, &carried[at]));
                }
                // Assigned before it is read: nothing goes from step to step.
                carried.remove(at);
                continue;
            };
            let (from, to) = (self.b.ty(c.first.node).dtype, self.b.ty(now.node).dtype);
            // Classes and predicates stay what they are in every turn, or are numbers from the first on.
            let (batched, float) = (now.batched && !c.first.batched, from != to && !from.is_float());
            if batched || float {
                let first = if float { self.floats(&c.first) } else { c.first.clone() };
                let node =
                    self.broadcast_to(&first, &first.axes.clone(), first.batched || batched, scan.span)?;
                carried[at].first = Tensor { node, batched: first.batched || batched, ..first };
                return Ok(Turn::Again);
            }
            let mut next = if from.is_float() { self.floats(&now) } else { now };
            next.node = self.broadcast_to(&next, &next.axes.clone(), carried[at].first.batched, scan.span)?;
            if let (Some(there), true) = (there, carried[at].first.batched) {
                let new = next.node;
                next.node = self.if_there(there, new, carried[at].at);
                kept.push((new, next.node));
            }
            body.carries.push(Carry { at: carried[at].at, first: carried[at].first.node, next: next.node });
        }
        body.carries.reverse();
        let Some(Value::Tensor(mut out)) = frame.it.clone() else {
            return self.fail(Code::N0210, "the body of `scan` computes no tensor", scan.span, "");
        };
        if let Some((_, stays)) = kept.iter().find(|(new, _)| *new == out.node) {
            out.node = *stays;
        }
        out.mask = None;
        let updates: Vec<(String, NodeId)> =
            self.results.updates.iter().filter(|u| !before.contains(u)).cloned().collect();
        body.roots.push(out.node);
        body.roots.extend(updates.iter().map(|u| u.1));
        self.forget_used_names(&body, bound, stand_ins);
        let names: Vec<String> = frame.names().map(str::to_string).collect();
        for name in &names {
            tensors_of(frame.get(name), &mut |t| body.roots.push(t.node));
        }
        body.roots.retain(|r| r.index() >= stand_ins);
        let mut made = body.make(&mut self.b);
        for name in names {
            let last = match carried.iter().position(|c| c.name == name) {
                Some(i) => {
                    let node = made.last(&mut self.b, i);
                    Some(Value::Tensor(Tensor { node, ..carried[i].first.clone() }))
                }
                None => frame.get(&name).cloned().map(|v| self.at_last(&mut made, v, stand_ins)),
            };
            frame.set(name, last.unwrap_or(Value::Poison));
        }
        for (path, node) in updates {
            let last = self.at_last_node(&mut made, node, stand_ins);
            self.results.update(&path, last);
        }
        let node = made.stacked(&mut self.b, out.node);
        let node = self.steps_first(node, out.batched);
        let axes: Vec<Axis> = std::iter::once(Axis::of(length)).chain(out.axes.iter().copied()).collect();
        let mask = over.mask.filter(|_| out.batched);
        Ok(Turn::Done(Value::Tensor(Tensor { node, axes: axes.into(), mask, ..out })))
    }

    /// The new value of what is carried at a step that is there, the old one at a step of padding.
    fn if_there(&mut self, there: NodeId, new: NodeId, old: NodeId) -> NodeId {
        let zero = self.b.scalar_like(0.0, there);
        let there = self.b.compare(nnc_graph::Direction::Ne, there, zero);
        let dims = self.b.ty(new).shape.clone();
        let there = self.b.broadcast(there, vec![0], dims);
        self.b.select(there, new, old)
    }

    /// From `[B, T, …]` to `[T, B, …]` and back; `[T, …]` stays.
    fn steps_first(&mut self, node: NodeId, batched: bool) -> NodeId {
        let rank = self.b.ty(node).rank();
        if batched { self.b.transpose(node, [1, 0].into_iter().chain(2..rank).collect()) } else { node }
    }

    /// The number of the step, for random numbers inside: counted through the loops around.
    fn keyed_by_step(&mut self, body: &mut Body) -> NodeId {
        let counter = Type::new(DType::I32, vec![body.length.into()]);
        let stack = self.b.iota(0, counter);
        let step = self.b.stand_in(Role::Slice, Type::scalar(DType::I32));
        body.slices.push((step, stack));
        match self.scope.step_key {
            None => step,
            Some(outer) => {
                let length = self.b.constant_of(body.length as f64, DType::I32);
                let before = self.b.binary(nnc_graph::Binary::Multiply, outer, length);
                self.b.binary(nnc_graph::Binary::Add, before, step)
            }
        }
    }

    fn other_shape(&self, frame: &Frame, scan: &Scan, carried: &Carried) -> Stop {
        let text = |s: &[usize]| shape_text(&s.iter().map(|n| Axis::of(*n)).collect::<Vec<_>>());
        let (name, sizes) = (&carried.name, carried.first.sizes());
        let now = match frame.get(name) {
            Some(Value::Tensor(t)) => text(&t.sizes()),
            _ => "no tensor".into(),
        };
        let message = format!("`{name}` is carried as {}, but becomes {now}", text(&sizes));
        let assigned = scan.body.stmts.iter().rev().find_map(|s| match &s.kind {
            StmtKind::Flow(flow) if flow.targets.iter().any(|t| t.text == *name) => Some(s.span),
            _ => None,
        });
        let first = scan.carried.iter().find(|(n, _)| n.text == *name).map(|(n, _)| n.span);
        let place = assigned.unwrap_or(scan.span);
        let mut d = self.error(Code::N0311, message, place, "the next turn would find another shape");
        if let Some(first) = first.filter(|f| self.is_user(*f)) {
            d = d.label(first, format!("begins as {}", text(&sizes)));
        }
        Stop::Error(Box::new(d))
    }

    /// Names of the body that its results need are used, though no result of the program depends on their nodes
    /// as they stand.
    fn forget_used_names(&mut self, body: &Body, bound: usize, stand_ins: usize) {
        let mut used: BTreeSet<NodeId> = BTreeSet::new();
        let mut todo: Vec<NodeId> = body.carries.iter().map(|c| c.next).collect();
        todo.extend(&body.roots);
        while let Some(id) = todo.pop() {
            if id.index() >= stand_ins && used.insert(id) {
                todo.extend(self.b.operands(id));
            }
        }
        let mut at = 0;
        self.results.bound.retain(|(_, _, node)| {
            at += 1;
            at <= bound || !used.contains(node)
        });
    }

    /// A value of the body as it is in the last step.
    fn at_last(&mut self, made: &mut Made, value: Value, stand_ins: usize) -> Value {
        match value {
            Value::Tensor(t) => {
                let node = self.at_last_node(made, t.node, stand_ins);
                Value::Tensor(Tensor { node, ..t })
            }
            Value::List(items) => {
                Value::List(items.into_iter().map(|v| self.at_last(made, v, stand_ins)).collect())
            }
            Value::Several(items) => {
                Value::Several(items.into_iter().map(|v| self.at_last(made, v, stand_ins)).collect())
            }
            other => other,
        }
    }

    fn at_last_node(&mut self, made: &mut Made, node: NodeId, stand_ins: usize) -> NodeId {
        if node.index() < stand_ins { node } else { made.at_last(&mut self.b, node) }
    }
}

fn named(carried: &[Carried], name: &str) -> bool {
    carried.iter().any(|c| c.name == name)
}

/// The names that statements assign, those of nested blocks too.
fn assigned_in(stmts: &[Stmt], out: &mut BTreeSet<String>) {
    for stmt in stmts {
        match &stmt.kind {
            StmtKind::Flow(flow) => out.extend(flow.targets.iter().map(|t| t.text.clone())),
            StmtKind::Repeat { body, .. } => assigned_in(&body.stmts, out),
            StmtKind::If { then, otherwise, .. } => {
                assigned_in(&then.stmts, out);
                otherwise.iter().for_each(|b| assigned_in(&b.stmts, out));
            }
            _ => {}
        }
    }
}

fn tensors_of(value: Option<&Value>, f: &mut dyn FnMut(&Tensor)) {
    match value {
        Some(Value::Tensor(t)) => f(t),
        Some(Value::List(items) | Value::Several(items)) => {
            items.iter().for_each(|v| tensors_of(Some(v), f));
        }
        _ => {}
    }
}
