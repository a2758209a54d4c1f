//! Reverse mode of loops: the body is differentiated as a graph, and the gradient is a loop the other way.
//!
//! Cotangents are what the backward loop carries. What it needs of the forward values it takes as slices of stacks
//! of the forward loop: of the nodes that the body itself computed, as few as suffice. What is cheap and follows
//! from those is computed anew; so is what the rules emit of forward values alone (such as `y · (1 − y)`).
//! What an invariant gets is summed after the loop, where that is one product over all steps ([`super::sum`]);
//! else it is carried.

use super::sum::{is_summable, sum};
use super::{Body, Carry, Dependence};
use crate::grad::gradient_of;
use crate::prim::Again;
use crate::prim::scan::{Loop, ScanResult};
use crate::{Binary, Builder, NodeId, Role};
use std::collections::{BTreeMap, BTreeSet};

/// The cotangents of the operands of a loop, given those of some of its results. `None` where nothing flows.
pub(crate) fn vjp(
    b: &mut Builder,
    of: &Loop,
    operands: &[NodeId],
    given: &[(ScanResult, NodeId)],
) -> Vec<Option<NodeId>> {
    let region = of.body.clone();
    let (carries, slices) = (region.carries(), region.slices());
    let is_float: Vec<bool> = (0..operands.len()).map(|i| region.parameter(i).dtype.is_float()).collect();

    // The body over stand-ins, and what its results and carries get in one step.
    let role = |i: usize| match i {
        i if i < carries => Role::Carry,
        i if i < carries + slices => Role::Slice,
        _ => Role::Invariant,
    };
    let parameters: Vec<NodeId> =
        (0..operands.len()).map(|i| b.stand_in(role(i), region.parameter(i).clone())).collect();
    let forward = b.inline(region.graph(), &parameters);
    let mut seeds: Vec<(NodeId, NodeId)> = Vec::new();
    let mut flowing: Vec<(NodeId, NodeId)> = Vec::new();
    let mut stand_ins: Vec<Option<NodeId>> = vec![None; carries];
    for i in (0..carries).filter(|&i| is_float[i]) {
        let g = b.stand_in(Role::Carry, region.parameter(i).clone());
        stand_ins[i] = Some(g);
        seeds.push((forward[region.next()[i].index()], g));
    }
    for &(result, g) in given {
        if let ScanResult::Stack(n) = result {
            let at = b.stand_in(Role::Slice, region.graph().ty(n).clone());
            flowing.push((at, g));
            seeds.push((forward[n.index()], at));
        }
    }
    let wrt: Vec<NodeId> = parameters.iter().zip(&is_float).filter(|(_, f)| **f).map(|(&p, _)| p).collect();
    let mut found = gradient_of(b, &seeds, &wrt).into_iter();
    let parts: Vec<Option<NodeId>> =
        is_float.iter().map(|&f| if f { found.next().flatten() } else { None }).collect();

    // The loop the other way.
    let mut body = Body { length: of.length, reverse: !of.reverse, slices: flowing, ..Body::default() };
    body.invariants = (carries + slices..operands.len()).map(|i| (parameters[i], operands[i])).collect();
    for (i, g) in stand_ins.iter().enumerate() {
        let Some(at) = *g else { continue };
        let last = given.iter().find(|(r, _)| *r == ScanResult::Last(i)).map(|(_, g)| *g);
        let first = last.unwrap_or_else(|| b.scalar_like(0.0, at));
        let next = parts[i].unwrap_or_else(|| b.scalar_like(0.0, at));
        body.carries.push(Carry { at, first, next });
    }
    body.roots = parts[carries..].iter().flatten().copied().collect();
    for n in residuals(b, of, &body, &forward) {
        let stack = match n.index().checked_sub(carries).filter(|&k| k < slices) {
            Some(k) => operands[carries + k],
            None => b.scan(of, operands, ScanResult::Stack(n)),
        };
        body.slices.push((forward[n.index()], stack));
    }
    let on = Dependence::new(b, &body);
    let mut sums: Vec<Option<usize>> = vec![None; operands.len()];
    for i in carries + slices..operands.len() {
        let Some(part) = parts[i].filter(|&p| !is_summable(b, &on, p)) else { continue };
        let at = b.stand_in(Role::Carry, region.parameter(i).clone());
        let first = b.scalar_like(0.0, at);
        let next = b.binary(Binary::Add, at, part);
        sums[i] = Some(body.carries.len());
        body.carries.push(Carry { at, first, next });
    }
    let mut made = body.make(b);
    let floats = |i: usize| is_float[..i].iter().filter(|f| **f).count();
    (0..operands.len())
        .map(|i| match (parts[i], sums[i]) {
            _ if i < carries => is_float[i].then(|| made.last(b, floats(i))),
            (_, Some(carry)) => Some(made.last(b, carry)),
            (Some(part), None) if i < carries + slices => Some(made.stacked(b, part)),
            (Some(part), None) => Some(sum(b, &mut made, part)),
            (None, None) => None,
        })
        .collect()
}

/// The nodes of the forward body whose values the backward body takes from stacks.
fn residuals(b: &Builder, of: &Loop, body: &Body, forward: &[NodeId]) -> Vec<NodeId> {
    let graph = of.body.graph();
    let own: BTreeMap<NodeId, NodeId> = graph.ids().map(|n| (forward[n.index()], n)).rev().collect();
    let varies = varying(b, of, forward);
    let backward: BTreeSet<NodeId> =
        body.slices.iter().map(|s| s.0).chain(body.carries.iter().map(|c| c.at)).collect();
    // Forward values that backward ones use, found from the results down.
    let mut wanted: BTreeSet<NodeId> = BTreeSet::new();
    let mut todo: BTreeSet<NodeId> = body.roots.iter().copied().collect();
    todo.extend(body.carries.iter().map(|c| c.next));
    let hangs = hanging(b, &backward);
    while let Some(at) = todo.pop_last() {
        if backward.contains(&at) {
            continue;
        }
        if varies.contains(&at) && own.contains_key(&at) && !hangs(at) {
            wanted.insert(at);
        } else if hangs(at) || varies.contains(&at) {
            todo.extend(b.operands(at));
        }
    }
    // What must be kept, largest ids first: a value that is only moved is taken from what it was moved from.
    let mut kept: BTreeSet<NodeId> = BTreeSet::new();
    let mut cheap: BTreeSet<NodeId> = BTreeSet::new();
    while let Some(at) = wanted.pop_last() {
        match b.graph().node(at).prim.again() {
            Again::Kept => drop(kept.insert(at)),
            Again::Moved => wanted.extend(b.operands(at).into_iter().filter(|o| varies.contains(o))),
            Again::Computed => drop(cheap.insert(at)),
        }
    }
    // Cheap values follow from what is kept anyway, or are kept themselves.
    for at in cheap {
        match follows(b, at, &varies, &kept, &own, of) {
            Some(slices) => kept.extend(slices),
            None => drop(kept.insert(at)),
        }
    }
    kept.iter().map(|at| own[at]).collect()
}

/// The nodes of the forward body that depend on a slice or a carry.
fn varying(b: &Builder, of: &Loop, forward: &[NodeId]) -> BTreeSet<NodeId> {
    let own = of.body.carries() + of.body.slices();
    let mut out: BTreeSet<NodeId> = forward[..own].iter().copied().collect();
    let Some(&first) = out.first() else { return out };
    for id in b.graph().ids_from(first.index()) {
        if b.operands(id).iter().any(|o| out.contains(o)) {
            out.insert(id);
        }
    }
    out
}

/// Whether a node depends on one of `on`.
fn hanging(b: &Builder, on: &BTreeSet<NodeId>) -> impl Fn(NodeId) -> bool + use<> {
    let mut out = on.clone();
    if let Some(&first) = on.first() {
        for id in b.graph().ids_from(first.index()) {
            if b.operands(id).iter().any(|o| out.contains(o)) {
                out.insert(id);
            }
        }
    }
    move |id| out.contains(&id)
}

/// The slices from which a cheap value follows, together with what is kept, by a few cheap operations; `None` when
/// it does not.
fn follows(
    b: &Builder,
    id: NodeId,
    varies: &BTreeSet<NodeId>,
    kept: &BTreeSet<NodeId>,
    own: &BTreeMap<NodeId, NodeId>,
    of: &Loop,
) -> Option<Vec<NodeId>> {
    let mut used = Vec::new();
    let slices = of.body.carries()..of.body.carries() + of.body.slices();
    let mut steps = 0;
    let mut todo = b.operands(id);
    while let Some(at) = todo.pop() {
        let given = own.get(&at).is_some_and(|n| slices.contains(&n.index()));
        if given {
            used.push(at);
        }
        if !varies.contains(&at) || kept.contains(&at) || given {
            continue;
        }
        steps += 1;
        if steps > CHEAP || b.graph().node(at).prim.again() == Again::Kept {
            return None;
        }
        todo.extend(b.operands(at));
    }
    Some(used)
}

/// How many cheap operations are done again rather than kept.
const CHEAP: usize = 4;
