//! Making loops: from nodes of a builder to a [`Region`] and the nodes around it.
//!
//! Whoever wants a loop emits its body once over stand-ins (`Builder::stand_in`) for this step's slices and for
//! what is carried, and says which is which in a [`Body`]. Making the loop is then a question of what depends on
//! what:
//!
//! * What depends on no stand-in is not part of the loop: it stays outside, and the body sees it as an invariant
//!   (constants, and what only moves elements, are repeated inside, where they cost nothing).
//! * A product that depends on no carry (`x @ w`) is one product of all steps before the loop.
//! * A product that no carry depends on (`h @ v`) is one product of all steps after it.
//!
//! The stand-ins and what hangs on them are dead afterwards.

mod lift;
mod sum;
pub(crate) mod vjp;

pub use lift::Lifted;
pub(crate) use lift::slice_at;

use crate::prim::scan::{Loop, Scan, ScanResult};
use crate::{Builder, Graph, NodeId, OutputKind, Prim, Region, Role, Type};
use lift::{can_lift, lift};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One carried value.
#[derive(Clone, Copy, Debug)]
pub struct Carry {
    /// What stands for it in the body.
    pub at: NodeId,
    /// Its first value.
    pub first: NodeId,
    /// What it becomes, in terms of the stand-ins.
    pub next: NodeId,
}

/// A loop to be: what stands for what in a body that was emitted once.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// The number of steps.
    pub length: usize,
    /// Whether the last step comes first.
    pub reverse: bool,
    /// What goes from step to step.
    pub carries: Vec<Carry>,
    /// A node of the body, and the stack `[length, …]` whose slices it stands for.
    pub slices: Vec<(NodeId, NodeId)>,
    /// A stand-in for something that is the same in every step, and what it stands for.
    pub invariants: Vec<(NodeId, NodeId)>,
    /// Nodes of the body whose values in all steps may be asked for.
    pub roots: Vec<NodeId>,
}

/// What a node of the body depends on.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Depends {
    /// On a slice or a carry.
    varies: bool,
    /// On a carry.
    carried: bool,
    /// On a stand-in of an invariant.
    stand_in: bool,
}

/// What hangs on what in a body.
#[derive(Debug)]
struct Dependence {
    /// The first stand-in; nodes before it depend on none.
    first: usize,
    of: Vec<Depends>,
    /// For what varies without a carry: whether it can be said for all steps at once.
    liftable: Vec<bool>,
}

impl Dependence {
    fn new(b: &Builder, body: &Body) -> Self {
        let slices: BTreeSet<NodeId> = body.slices.iter().map(|s| s.0).collect();
        let carries: BTreeSet<NodeId> = body.carries.iter().map(|c| c.at).collect();
        let invariants: BTreeSet<NodeId> = body.invariants.iter().map(|i| i.0).collect();
        let all = slices.iter().chain(&carries).chain(&invariants);
        let first = all.min().map_or(b.graph().len(), |n| n.index());
        let mut out = Self { first, of: Vec::new(), liftable: Vec::new() };
        for id in b.graph().ids_from(first) {
            let operands = b.operands(id);
            let mut of = Depends::default();
            let mut liftable = false;
            if slices.contains(&id) {
                (of.varies, liftable) = (true, true);
            } else if carries.contains(&id) {
                (of.varies, of.carried) = (true, true);
            } else if invariants.contains(&id) {
                of.stand_in = true;
            } else {
                let parts: Vec<Depends> = operands.iter().map(|&o| out.of(o)).collect();
                of.varies = parts.iter().any(|p| p.varies);
                of.carried = parts.iter().any(|p| p.carried);
                of.stand_in = parts.iter().any(|p| p.stand_in);
                let varying: Vec<bool> = parts.iter().map(|p| p.varies).collect();
                liftable = of.varies
                    && !of.carried
                    && can_lift(&b.graph().node(id).prim, &varying)
                    && operands.iter().all(|&o| !out.of(o).varies || out.is_liftable(o));
            }
            out.of.push(of);
            out.liftable.push(liftable);
        }
        out
    }

    fn of(&self, id: NodeId) -> Depends {
        id.index().checked_sub(self.first).and_then(|at| self.of.get(at)).copied().unwrap_or_default()
    }

    fn is_liftable(&self, id: NodeId) -> bool {
        id.index().checked_sub(self.first).and_then(|at| self.liftable.get(at)).copied().unwrap_or(false)
    }
}

/// A loop whose results can be asked for.
#[derive(Debug)]
pub struct Made {
    of: Loop,
    operands: Vec<NodeId>,
    on: Dependence,
    /// The node of the region for a node of the body.
    inside: BTreeMap<NodeId, NodeId>,
    /// Products that no carry depends on, and what is computed from them for results alone.
    after: BTreeSet<NodeId>,
    known: Outside,
}

/// Nodes of the body as they are outside of the loop, as far as they were asked for.
#[derive(Debug, Default)]
struct Outside {
    length: usize,
    nodes: BTreeMap<NodeId, Lifted>,
}

impl Outside {
    fn new(body: &Body) -> Self {
        let mut nodes = BTreeMap::new();
        nodes.extend(body.slices.iter().map(|&(at, node)| (at, Lifted { node, varies: true })));
        nodes.extend(body.invariants.iter().map(|&(at, node)| (at, Lifted { node, varies: false })));
        Self { length: body.length, nodes }
    }

    /// `id` for all steps at once: everything that leads to it is emitted anew from what is known already.
    /// Every way must end in something known or in something that depends on no stand-in.
    fn emit(&mut self, b: &mut Builder, on: &Dependence, id: NodeId) -> Lifted {
        let here = |on: &Dependence, id: NodeId| {
            let of = on.of(id);
            !of.varies && !of.stand_in
        };
        let mut todo = vec![id];
        let mut cone = BTreeSet::new();
        while let Some(at) = todo.pop() {
            if !self.nodes.contains_key(&at) && !here(on, at) && cone.insert(at) {
                todo.extend(b.operands(at));
            }
        }
        let get = |known: &Self, at: NodeId| {
            known.nodes.get(&at).copied().unwrap_or(Lifted { node: at, varies: false })
        };
        for at in cone {
            let operands: Vec<Lifted> = b.operands(at).iter().map(|&o| get(self, o)).collect();
            let node = b.graph().node(at).clone();
            let was = b.origin().clone();
            b.set_origin(node.origin.clone());
            let varies = operands.iter().any(|o| o.varies);
            let new = if varies {
                lift(b, &node.prim, &operands, &node.ty, self.length)
            } else {
                let nodes: Vec<NodeId> = operands.iter().map(|o| o.node).collect();
                b.emit(node.prim, &nodes, node.ty)
            };
            b.set_origin(was);
            self.nodes.insert(at, Lifted { node: new, varies });
        }
        get(self, id)
    }
}

/// The nodes of a body by what becomes of them.
struct Parts {
    /// In the order of ids, operands first.
    inside: Vec<NodeId>,
    /// Those of `inside` that some carry depends on.
    needed: BTreeSet<NodeId>,
    /// Slices, and products of all steps that become slices.
    slices: BTreeSet<NodeId>,
    /// What the body sees as the same in every step.
    invariants: BTreeSet<NodeId>,
}

impl Parts {
    fn new(b: &Builder, body: &Body, on: &Dependence) -> Self {
        let given: BTreeSet<NodeId> = body.slices.iter().map(|s| s.0).collect();
        let carries: BTreeSet<NodeId> = body.carries.iter().map(|c| c.at).collect();
        let mut out = Self {
            inside: Vec::new(),
            needed: BTreeSet::new(),
            slices: BTreeSet::new(),
            invariants: BTreeSet::new(),
        };
        // Whether a carry depends on it, for all nodes that something depends on.
        let mut wanted: BTreeMap<NodeId, bool> = BTreeMap::new();
        wanted.extend(body.roots.iter().map(|&r| (r, false)));
        wanted.extend(body.carries.iter().map(|c| (c.next, true)));
        while let Some((id, needed)) = wanted.pop_last() {
            let prim = &b.graph().node(id).prim;
            if needed {
                out.needed.insert(id);
            }
            let of = on.of(id);
            let early = of.varies && on.is_liftable(id) && matches!(prim, Prim::DotGeneral(_));
            if given.contains(&id) || early {
                out.slices.insert(id);
            } else if carries.contains(&id) {
                out.needed.insert(id);
            } else if !of.varies && !prim.is_free() {
                out.invariants.insert(id);
            } else {
                out.inside.push(id);
                for operand in b.operands(id) {
                    *wanted.entry(operand).or_insert(false) |= needed;
                }
            }
        }
        out.inside.reverse();
        out
    }

    /// Products that no carry depends on, and what follows from them.
    fn after(&self, b: &Builder, on: &Dependence) -> BTreeSet<NodeId> {
        let mut out = BTreeSet::new();
        for &id in self.inside.iter().filter(|id| on.of(**id).varies && !self.needed.contains(id)) {
            let prim = &b.graph().node(id).prim;
            let operands = b.operands(id);
            let varies: Vec<bool> = operands.iter().map(|&o| on.of(o).varies).collect();
            let follows = matches!(prim, Prim::DotGeneral(_)) || operands.iter().any(|o| out.contains(o));
            if follows && can_lift(prim, &varies) {
                out.insert(id);
            }
        }
        out
    }
}

impl Body {
    /// Makes the loop; results are asked of it.
    ///
    /// # Panics
    /// When the types of slices, carries and what they stand for do not fit.
    pub fn make(&self, b: &mut Builder) -> Made {
        let on = Dependence::new(b, self);
        let parts = Parts::new(b, self, &on);
        let mut known = Outside::new(self);
        let mut region = Builder::new("", b.graph().float);
        let mut inside: BTreeMap<NodeId, NodeId> = BTreeMap::new();
        let mut operands: Vec<NodeId> = Vec::new();
        let mut parameter = |b: &Builder, region: &mut Builder, role: Role, n: usize, at: NodeId| {
            region.set_origin(b.graph().node(at).origin.clone());
            inside.insert(at, region.parameter(role, n.to_string(), b.ty(at).clone()));
        };
        for (n, carry) in self.carries.iter().enumerate() {
            parameter(b, &mut region, Role::Carry, n, carry.at);
            operands.push(carry.first);
        }
        for (n, &at) in parts.slices.iter().enumerate() {
            parameter(b, &mut region, Role::Slice, n, at);
            operands.push(known.emit(b, &on, at).node);
        }
        for (n, &at) in parts.invariants.iter().enumerate() {
            parameter(b, &mut region, Role::Invariant, n, at);
            operands.push(known.emit(b, &on, at).node);
        }
        for &id in &parts.inside {
            let node = b.graph().node(id).clone();
            let nodes: Vec<NodeId> = b.operands(id).iter().map(|o| inside[o]).collect();
            region.set_origin(node.origin);
            inside.insert(id, region.emit(node.prim, &nodes, node.ty));
        }
        for (n, carry) in self.carries.iter().enumerate() {
            region.output(OutputKind::Next, n.to_string(), inside[&carry.next]);
        }
        let after = parts.after(b, &on);
        let body = match Region::new(region.finish()) {
            Ok(region) => Arc::new(region),
            Err(message) => panic!("ill-made loop from {}: {message}", b.origin()),
        };
        let of = Loop { body, length: self.length, reverse: self.reverse };
        Made { of, operands, on, inside, after, known }
    }
}

impl Made {
    /// What a carry is after the last step.
    pub fn last(&self, b: &mut Builder, carry: usize) -> NodeId {
        b.scan(&self.of, &self.operands, ScanResult::Last(carry))
    }

    /// The values of a node of the body, one of its roots or what leads to one, in all steps.
    pub fn stack(&mut self, b: &mut Builder, id: NodeId) -> Lifted {
        let mut todo = vec![id];
        let mut seen = BTreeSet::new();
        while let Some(at) = todo.pop() {
            if self.known.nodes.contains_key(&at) || !seen.insert(at) {
                continue;
            }
            if self.after.contains(&at) {
                todo.extend(b.operands(at));
            } else if self.on.of(at).varies && !self.on.is_liftable(at) {
                let node = b.scan(&self.of, &self.operands, ScanResult::Stack(self.inside[&at]));
                self.known.nodes.insert(at, Lifted { node, varies: true });
            }
        }
        self.known.emit(b, &self.on, id)
    }

    /// The value of a node of the body in the last step that runs.
    pub fn at_last(&mut self, b: &mut Builder, id: NodeId) -> NodeId {
        let Lifted { node, varies } = self.stack(b, id);
        let last = if self.of.reverse { 0 } else { self.of.length - 1 };
        if varies { slice_at(b, node, last) } else { node }
    }

    /// As [`Made::stack`], with the axis of steps in any case.
    pub fn stacked(&mut self, b: &mut Builder, id: NodeId) -> NodeId {
        let Lifted { node, varies } = self.stack(b, id);
        if varies { node } else { lift::repeat(b, node, self.of.length) }
    }
}

impl Builder {
    /// Something to emit a body over: a parameter that no other node is equal to.
    pub fn stand_in(&mut self, role: Role, ty: Type) -> NodeId {
        let name = format!("stand-in {}", self.graph().len());
        self.parameter(role, name, ty)
    }

    /// A result of a loop.
    ///
    /// # Panics
    /// When the operands are not what the body takes, or there is no such result.
    pub fn scan(&mut self, of: &Loop, operands: &[NodeId], result: ScanResult) -> NodeId {
        let ty = of.result(result).unwrap_or_else(|| Type::scalar(self.graph().float));
        self.emit(Scan { of: of.clone(), result }, operands, ty)
    }

    /// Emits the nodes of a region over `arguments`, one for each of its parameters; the new node of each.
    pub(crate) fn inline(&mut self, region: &Graph, arguments: &[NodeId]) -> Vec<NodeId> {
        let was = self.origin().clone();
        let mut new: Vec<NodeId> = arguments.to_vec();
        for id in region.ids_from(arguments.len()) {
            let node = region.node(id);
            let operands: Vec<NodeId> = region.operands(id).iter().map(|o| new[o.index()]).collect();
            self.set_origin(node.origin.clone());
            new.push(self.emit(node.prim.clone(), &operands, node.ty.clone()));
        }
        self.set_origin(was);
        new
    }
}
