//! Reverse mode, graph to graph.
//!
//! The rules of the primitives only emit nodes; the walker here alone accumulates. Because the result is
//! nodes of the same graph, the gradient of a gradient is just another call.

use crate::prim::scan::{Loop, ScanResult};
use crate::{Binary, Builder, Dim, Movement, NodeId, Origin, Prim, scan};
use std::collections::HashMap;
use std::sync::Arc;

/// Appends the gradient of `y` by each of `wrt`, with `seed` (of `y`'s type) as the cotangent of `y`.
/// With a seed of ones it is the gradient of the sum of `y`. Zeros where `y` does not depend on it.
pub fn gradient(b: &mut Builder, y: NodeId, seed: NodeId, wrt: &[NodeId]) -> Vec<NodeId> {
    let found = gradient_of(b, &[(y, seed)], wrt);
    wrt.iter().zip(found).map(|(&w, g)| g.unwrap_or_else(|| b.scalar_like(0.0, w))).collect()
}

/// As [`gradient`], of several values together, each with its cotangent; `None` where nothing flows.
pub(crate) fn gradient_of(
    b: &mut Builder,
    seeds: &[(NodeId, NodeId)],
    wrt: &[NodeId],
) -> Vec<Option<NodeId>> {
    let size = seeds.iter().map(|(y, _)| y.index() + 1).max().unwrap_or(0);
    let needed = between(b, size, wrt);
    let mut parts: Vec<Vec<NodeId>> = vec![Vec::new(); size];
    let mut cotangents: Vec<Option<NodeId>> = vec![None; size];
    for &(y, seed) in seeds {
        parts[y.index()].push(seed);
    }
    let mut loops = Loops::new(b, size);
    let origin = b.origin().clone();

    for at in (0..size).rev() {
        let node = NodeId(at as u32);
        let closes_loop = loops.is_first(node);
        if !needed[at] || (parts[at].is_empty() && !closes_loop) {
            continue;
        }
        let from = backward_of(&b.graph().node(node).origin);
        b.set_origin(from);
        let g = if parts[at].is_empty() { None } else { Some(total(b, &std::mem::take(&mut parts[at]))) };
        cotangents[at] = g;
        let prim = b.graph().node(node).prim.clone();
        let operands = b.operands(node);
        let own = match (&prim, g) {
            (Prim::Scan(scan), g) => {
                let given = loops.gather(node, g.map(|g| (scan.result, g)));
                if !closes_loop || given.is_empty() {
                    continue;
                }
                scan::vjp::vjp(b, &scan.of, &operands, &given)
            }
            (_, None) => continue,
            (_, Some(g)) => prim.vjp(b, node, g),
        };
        assert_eq!(own.len(), operands.len(), "{} has a cotangent for every operand", prim.name());
        for (operand, part) in operands.into_iter().zip(own) {
            if let Some(part) = part.filter(|_| needed[operand.index()]) {
                parts[operand.index()].push(part);
            }
        }
    }
    b.set_origin(origin);
    wrt.iter().map(|w| cotangents.get(w.index()).copied().flatten()).collect()
}

/// The results of loops: the cotangents of all results of a loop are gathered before it is differentiated, which
/// is when the walk has come to the first of them, since nothing before that one uses any.
struct Loops {
    /// The first result of the loop that a node is a result of.
    first: HashMap<NodeId, NodeId>,
    /// By the first result: the results with cotangents so far.
    given: HashMap<NodeId, Vec<(ScanResult, NodeId)>>,
}

impl Loops {
    fn new(b: &Builder, size: usize) -> Self {
        let mut known: HashMap<(Loop, Vec<NodeId>), NodeId> = HashMap::new();
        let mut first = HashMap::new();
        for id in (0..size as u32).map(NodeId) {
            if let Prim::Scan(scan) = &b.graph().node(id).prim {
                first.insert(id, *known.entry((scan.of.clone(), b.operands(id))).or_insert(id));
            }
        }
        Self { first, given: HashMap::new() }
    }

    /// Whether a node is the first result of a loop.
    fn is_first(&self, id: NodeId) -> bool {
        self.first.get(&id) == Some(&id)
    }

    /// Adds a cotangent of a result; all of them so far.
    fn gather(&mut self, id: NodeId, given: Option<(ScanResult, NodeId)>) -> Vec<(ScanResult, NodeId)> {
        let first = self.first.get(&id).copied().unwrap_or(id);
        let all = self.given.entry(first).or_default();
        all.extend(given);
        all.clone()
    }
}

/// The sum of the parts of a cotangent, of which there is at least one.
///
/// Where a tensor was cut into slices, as the steps of a recurrence are, each slice's part comes in zeros as large
/// as the whole: those that do not overlap are put side by side instead of being added.
fn total(b: &mut Builder, parts: &[NodeId]) -> NodeId {
    let (mut slices, mut rest): (Vec<Slice>, Vec<NodeId>) = (Vec::new(), Vec::new());
    for &part in parts {
        match Slice::of(b, part) {
            Some(slice) if slices.first().is_none_or(|s| s.axis == slice.axis) => slices.push(slice),
            _ => rest.push(part),
        }
    }
    slices.sort_by_key(|s| s.start);
    if slices.len() < 2 || slices.windows(2).any(|w| w[0].end > w[1].start) {
        return sum(b, parts);
    }
    rest.push(side_by_side(b, parts[0], &slices));
    sum(b, &rest)
}

fn sum(b: &mut Builder, parts: &[NodeId]) -> NodeId {
    let mut total = parts[0];
    for &part in &parts[1..] {
        total = b.binary(Binary::Add, total, part);
    }
    total
}

/// A part that is zero but for a stretch of one axis.
struct Slice {
    axis: usize,
    start: usize,
    end: usize,
    inner: NodeId,
}

impl Slice {
    fn of(b: &Builder, part: NodeId) -> Option<Self> {
        let node = b.graph().node(part);
        let Prim::Movement(Movement::Pad { low }) = &node.prim else { return None };
        let inner = b.operands(part)[0];
        let small = &b.ty(inner).shape;
        let mut cut = (0..small.len()).filter(|&i| small[i] != node.ty.shape[i]);
        let (Some(axis), None) = (cut.next(), cut.next()) else { return None };
        let start = low[axis];
        Some(Self { axis, start, end: start + small[axis].fixed()?, inner })
    }
}

/// Slices in their order, with zeros in the gaps, in the shape of `like`.
fn side_by_side(b: &mut Builder, like: NodeId, slices: &[Slice]) -> NodeId {
    let ty = b.ty(like).clone();
    let axis = slices[0].axis;
    let mut pieces = Vec::new();
    let mut at = 0;
    let zeros = |b: &mut Builder, size: usize| {
        let mut gap = ty.clone();
        gap.shape[axis] = Dim::Size(size);
        b.filled(0.0, gap)
    };
    for slice in slices {
        if slice.start > at {
            pieces.push(zeros(b, slice.start - at));
        }
        pieces.push(slice.inner);
        at = slice.end;
    }
    let size = ty.shape[axis].fixed().unwrap_or(at);
    if size > at {
        pieces.push(zeros(b, size - at));
    }
    b.concatenate(&pieces, axis)
}

/// Which of the first `size` nodes lie on a way from some of `wrt`.
fn between(b: &Builder, size: usize, wrt: &[NodeId]) -> Vec<bool> {
    let mut needed = vec![false; size];
    for w in wrt.iter().filter(|w| w.index() < size) {
        needed[w.index()] = true;
    }
    for at in 0..size {
        let id = NodeId(at as u32);
        needed[at] |= b.operands(id).iter().any(|o| needed[o.index()]);
    }
    needed
}

/// The origin of a rule's nodes: the line of the node whose rule it is.
fn backward_of(origin: &Arc<Origin>) -> Arc<Origin> {
    if origin.scope.ends_with("(grad)") {
        return origin.clone();
    }
    let scope =
        if origin.scope.is_empty() { "(grad)".to_string() } else { format!("{} (grad)", origin.scope) };
    Arc::new(Origin { scope: scope.into(), ..(**origin).clone() })
}
