//! Lowering of loops: the body has a plan of its own, in a block of the arena.
//!
//! Nothing is copied from step to step. A slice is a view that moves with the loop; a stack is written where it
//! lies. A carry of which some result wants all values lives in a buffer with one place more than there are steps:
//! each step reads one place and writes the next. Another carry has one place, which the body overwrites as soon as
//! nobody needs the old value, as an update of a weight does.

use crate::EngineError;
use crate::lower::{Lower, Value};
use crate::schedule::Update;
use crate::unit::{Home, LoopWork, Unit, Work};
use crate::view::{BufferId, Spot, View};
use nnc_graph::{Graph, NodeId, Prim, ScanResult};
use std::collections::{BTreeMap, BTreeSet};

/// Where the body finds and leaves a carry.
struct Carry {
    buffer: BufferId,
    /// The first elements of the first value, of the old and the new one in iteration 0, and of the last value.
    first: usize,
    old: usize,
    new: usize,
    last: usize,
    /// From step to step: 0 where there is one place.
    stride: usize,
}

impl<'a> Lower<'a> {
    /// The unit of a loop, if `id` is its first live result; it gives all results their places.
    pub(crate) fn scan(&mut self, id: NodeId) -> Result<(), EngineError> {
        let (graph, Some(results)) = (self.graph, self.loops.get(&id).cloned()) else {
            return Ok(());
        };
        let Prim::Scan(scan) = &graph.node(id).prim else {
            return Err(EngineError::Internal(format!("{id} is no loop")));
        };
        let (region, length) = (&scan.of.body, scan.of.length);
        let stacks: BTreeSet<NodeId> = results
            .iter()
            .filter_map(|(r, _)| if let ScanResult::Stack(n) = r { Some(*n) } else { None })
            .collect();
        let operands = graph.operands(id);
        let (carries, slices) = (region.carries(), region.slices());
        let mut inner = Lower::body(region.graph(), self, &stacks)?;

        let mut before = Vec::new();
        let mut kept = Vec::with_capacity(carries);
        for (i, &operand) in operands[..carries].iter().enumerate() {
            let count = self.counts[operand.index()];
            let history = stacks.contains(&region.next()[i]) || stacks.contains(&region.parameter_node(i));
            let carry = self.carry(count, length, scan.of.reverse, history);
            let value = self.value(operand)?;
            let to = Spot { offset: carry.first, ..Spot::first(carry.buffer) };
            before.push(self.copy_to(&value, count, to, operand).work);
            let old = self.moving(carry.buffer, carry.old, carry.stride);
            inner.give(region.parameter_node(i), old);
            kept.push(carry);
        }
        for (i, &operand) in operands.iter().enumerate().skip(carries) {
            let at = region.parameter_node(i);
            match self.value(operand)? {
                Value::Constant(c) => inner.values[at.index()] = Some(Value::Constant(c)),
                Value::View(_) | Value::Counter { .. } => {
                    let view = self.axes(operand)?;
                    let mut base = Spot::first(view.buffer);
                    let (mut dims, mut strides) = (&view.dims[..], &view.strides[..]);
                    if i < carries + slices {
                        base.steps = self.steps(strides[0]);
                        (dims, strides) = (&dims[1..], &strides[1..]);
                    }
                    let inside =
                        View { dims: dims.to_vec(), strides: strides.to_vec(), ..View::dense(0, &[]) };
                    inner.give_view(at, base, inside.at(view.offset));
                }
            }
        }

        let mut targets: Vec<(NodeId, Option<BufferId>, Spot)> = Vec::new();
        for (i, carry) in kept.iter().enumerate() {
            let old = inner.buffer_of(region.parameter_node(i)).filter(|_| carry.stride == 0);
            targets.push((region.next()[i], old, self.moving(carry.buffer, carry.new, carry.stride)));
        }
        let mut stacked: BTreeMap<NodeId, BufferId> = BTreeMap::new();
        for &n in &stacks {
            let is_kept = |i: usize| region.next()[i] == n || region.parameter_node(i) == n;
            if !(0..carries).any(is_kept) {
                let count = inner.counts[n.index()];
                let buffer = self.buffer(count.saturating_mul(length), Home::Arena);
                stacked.insert(n, buffer);
                targets.push((n, None, self.moving(buffer, 0, count)));
            }
        }
        for (result, node) in &results {
            let view = match *result {
                ScanResult::Last(i) => View::dense(kept[i].buffer, &self.dims[node.index()]).at(kept[i].last),
                ScanResult::Stack(n) => {
                    let carried = |c: NodeId| (0..carries).find(|&i| region.next()[i] == c);
                    let parameter = (0..carries).find(|&i| region.parameter_node(i) == n);
                    let (buffer, offset) = match (stacked.get(&n), parameter, carried(n)) {
                        (Some(&buffer), _, _) => (buffer, 0),
                        (None, Some(i), _) => (kept[i].buffer, kept[i].old),
                        (None, None, Some(i)) => (kept[i].buffer, kept[i].new),
                        (None, None, None) => {
                            return Err(EngineError::Internal(format!("{node} is stacked nowhere")));
                        }
                    };
                    View::dense(buffer, &self.dims[node.index()]).at(offset)
                }
            };
            self.values[node.index()] = Some(Value::View(view));
        }

        let block = self.buffer(0, Home::Arena);
        let (body, size) = inner.finish_body(targets, block)?;
        self.buffers[block].count = size;
        let mut writes: Vec<BufferId> = kept.iter().map(|c| c.buffer).chain(stacked.into_values()).collect();
        writes.push(block);
        let work = LoopWork { before, length, reverse: scan.of.reverse, body };
        let nodes = results.iter().map(|r| r.1).collect();
        self.units.push(Unit::looped(work, writes, nodes));
        Ok(())
    }

    /// Memory for a carry.
    fn carry(&mut self, count: usize, length: usize, reverse: bool, history: bool) -> Carry {
        let places = if history { length.saturating_add(1) } else { 1 };
        // The first value is written in whole lanes, perhaps to the last place.
        let size = count.saturating_mul(places).saturating_add(nnc_kernels::LANES);
        let buffer = self.buffer(size, Home::Arena);
        let end = if history { count.saturating_mul(length) } else { 0 };
        let stride = if history { count } else { 0 };
        if reverse {
            Carry { buffer, first: end, old: stride, new: 0, last: 0, stride }
        } else {
            Carry { buffer, first: 0, old: 0, new: stride, last: end, stride }
        }
    }

    /// An element that moves with a loop in this graph.
    fn moving(&self, buffer: BufferId, offset: usize, stride: usize) -> Spot {
        Spot { buffer, offset, steps: self.steps(isize::try_from(stride).unwrap_or(isize::MAX)) }
    }

    /// The steps of what moves with a loop in this graph, and with none around.
    fn steps(&self, stride: isize) -> Vec<isize> {
        let mut out = vec![0; self.depth];
        out.push(stride);
        out
    }

    /// The planner of a body of a loop in `outer`; `roots` are asked for besides the next values of carries.
    fn body(graph: &'a Graph, outer: &Lower<'a>, roots: &BTreeSet<NodeId>) -> Result<Self, EngineError> {
        let mut live = graph.live();
        for root in roots {
            live[root.index()] = true;
        }
        for id in graph.ids().rev().filter(|_| !roots.is_empty()) {
            if live[id.index()] {
                graph.operands(id).iter().for_each(|o| live[o.index()] = true);
            }
        }
        let options = crate::PlanOptions { keep_all: false, ..outer.options };
        let mut out = Lower::with_live(graph, outer.layout, outer.batch, &options, live)?;
        out.depth = outer.depth + 1;
        Ok(out)
    }

    /// A parameter of a body, dense at a place outside.
    fn give(&mut self, at: NodeId, base: Spot) {
        let dims = self.dims[at.index()].clone();
        self.give_view(at, base, View::dense(0, &dims));
    }

    /// A parameter of a body; `view` counts from `base`.
    fn give_view(&mut self, at: NodeId, base: Spot, view: View) {
        self.outside.push(base);
        let buffer = self.buffer(self.counts[at.index()], Home::Outside(self.outside.len() - 1));
        self.buffers[buffer].given = true;
        self.values[at.index()] = Some(Value::View(View { buffer, ..view }));
    }

    fn buffer_of(&self, id: NodeId) -> Option<BufferId> {
        match self.known_value(id) {
            Some(Value::View(view)) => Some(view.buffer),
            _ => None,
        }
    }

    /// Plans a body; the work of one step, on the buffers of the graph around, and the size of `block`, where the
    /// body has its own buffers.
    fn finish_body(
        mut self,
        targets: Vec<(NodeId, Option<BufferId>, Spot)>,
        block: BufferId,
    ) -> Result<(Vec<Work>, usize), EngineError> {
        self.heavies()?;
        for (node, ..) in &targets {
            self.dense(*node)?;
        }
        self.groups()?;
        let mut updates = Vec::with_capacity(targets.len());
        for (node, old, to) in targets {
            let view = self.dense(node)?;
            // What stays as it is needs no work.
            if old != Some(view.buffer) {
                self.outside.push(to);
                let to = Home::Outside(self.outside.len() - 1);
                let (count, new) = (self.counts[node.index()], (view.buffer, view.offset));
                updates.push(Update { node, old, to, count, new });
            }
        }
        let order = self.schedule(updates)?;
        let (places, size) = self.place(&order)?;
        let outer = |spot: &Spot| match self.buffers[spot.buffer].home {
            Home::Outside(at) => self.outside[at].plus(spot),
            Home::Arena | Home::Pinned | Home::Store(_) => {
                let offset = places[spot.buffer].unwrap_or(0) + spot.offset;
                Spot { buffer: block, offset, steps: spot.steps.clone() }
            }
        };
        let body = order.iter().map(|&u| self.units[u].work.map(&outer)).collect();
        Ok((body, size))
    }
}

impl Spot {
    /// The element of this one's buffer that lies as far behind this one as `other` behind the first of its own.
    fn plus(&self, other: &Spot) -> Spot {
        let n = self.steps.len().max(other.steps.len());
        let at = |steps: &[isize], i: usize| steps.get(i).copied().unwrap_or(0);
        let steps = (0..n).map(|i| at(&self.steps, i) + at(&other.steps, i)).collect();
        Spot { buffer: self.buffer, offset: self.offset + other.offset, steps }
    }
}
