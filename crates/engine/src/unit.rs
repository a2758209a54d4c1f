//! What the planner passes from step to step: buffers and units of work on them.

use crate::view::{BufferId, Spot, View};
use nnc_graph::NodeId;
use nnc_kernels::{Access, Instr, Op};
use std::collections::BTreeSet;

/// Where a buffer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Home {
    /// Somewhere in the arena while it is needed.
    Arena,
    /// In the arena all the time: inputs, results, the step number.
    Pinned,
    /// At this element of the store.
    Store(usize),
    /// In the body of a loop: at one of the places outside that the body was given.
    Outside(usize),
}

impl Home {
    /// Whether it lasts longer than one run of the units.
    pub(crate) fn lasts(self) -> bool {
        match self {
            Home::Store(_) | Home::Outside(_) => true,
            Home::Arena | Home::Pinned => false,
        }
    }
}

/// A buffer of the plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct BufferInfo {
    pub(crate) count: usize,
    pub(crate) home: Home,
    /// Whether it is there before the first unit: inputs and what the store holds.
    pub(crate) given: bool,
    /// The buffer whose elements writing this one destroys.
    pub(crate) overwrites: Option<BufferId>,
}

/// What an operation of a draft reads.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Source {
    /// The result of an earlier operation of the draft.
    Value(usize),
    /// A tensor, by its number in the draft.
    Load(usize),
    /// A number in memory.
    Memory(Spot),
    /// A number.
    Constant(f64),
}

/// An operation of a draft.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct DraftOp {
    pub(crate) op: Op,
    pub(crate) sources: Vec<Source>,
    /// Where its result is kept, if it is.
    pub(crate) output: Option<DraftStore>,
}

/// A tensor that a draft reads.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct DraftLoad {
    pub(crate) first: Spot,
    pub(crate) access: Access,
}

impl DraftLoad {
    pub(crate) fn of(view: &View) -> Self {
        Self { first: view.spot(), access: view.access() }
    }

    /// Whether it reads a buffer element by element from its first.
    pub(crate) fn is_whole(&self) -> bool {
        self.first == Spot::first(self.first.buffer) && self.access.is_linear()
    }
}

/// Where a draft keeps a result.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct DraftStore {
    pub(crate) first: Spot,
    pub(crate) access: Access,
}

impl DraftStore {
    /// Element by element from this one on.
    pub(crate) fn linear(first: Spot) -> Self {
        Self { first, access: Access::linear() }
    }

    /// A part of a buffer, of which no other element is touched.
    pub(crate) fn part(view: &View) -> Self {
        let mut dims = view.collapsed();
        if dims.is_empty() {
            dims.push((1, 1));
        }
        Self { first: view.spot(), access: Access { dims } }
    }
}

/// A tile program before registers and places are known.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) count: usize,
    pub(crate) loads: Vec<DraftLoad>,
    pub(crate) ops: Vec<DraftOp>,
}

impl Draft {
    /// The same draft on other places.
    fn map(&self, f: &dyn Fn(&Spot) -> Spot) -> Draft {
        let mut out = self.clone();
        for load in &mut out.loads {
            load.first = f(&load.first);
        }
        for op in &mut out.ops {
            if let Some(store) = &mut op.output {
                store.first = f(&store.first);
            }
            for source in &mut op.sources {
                if let Source::Memory(spot) = source {
                    *spot = f(spot);
                }
            }
        }
        out
    }

    pub(crate) fn load(&mut self, load: DraftLoad) -> Source {
        let at = self.loads.iter().position(|l| *l == load).unwrap_or_else(|| {
            self.loads.push(load);
            self.loads.len() - 1
        });
        Source::Load(at)
    }

    pub(crate) fn push(&mut self, op: Op, sources: Vec<Source>) -> usize {
        self.ops.push(DraftOp { op, sources, output: None });
        self.ops.len() - 1
    }

    /// Whether it writes other elements of its buffers than those that it computes at the time.
    pub(crate) fn scatters(&self) -> bool {
        self.ops.iter().any(|op| op.output.as_ref().is_some_and(|o| !o.access.is_linear()))
    }

    /// The buffers that are read otherwise than element by element.
    pub(crate) fn scattered(&self) -> BTreeSet<BufferId> {
        let parts = self.loads.iter().filter(|l| !l.is_whole()).map(|l| l.first.buffer);
        let sources = self.ops.iter().flat_map(|op| &op.sources);
        let numbers =
            sources.filter_map(|s| if let Source::Memory(spot) = s { Some(spot.buffer) } else { None });
        parts.chain(numbers).collect()
    }
}

/// What a unit does.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Work {
    /// A tile program.
    Draft(Draft),
    /// Instructions.
    Fixed(Vec<Instr<Spot>>),
    /// A loop.
    Loop(LoopWork),
}

/// A loop and what happens before its first step.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct LoopWork {
    pub(crate) before: Vec<Work>,
    pub(crate) length: usize,
    pub(crate) reverse: bool,
    pub(crate) body: Vec<Work>,
}

impl Work {
    /// The same work on other places.
    pub(crate) fn map(&self, f: &dyn Fn(&Spot) -> Spot) -> Work {
        let all = |works: &[Work]| works.iter().map(|w| w.map(f)).collect();
        match self {
            Work::Draft(draft) => Work::Draft(draft.map(f)),
            Work::Fixed(instrs) => Work::Fixed(instrs.iter().map(|i| i.map(&mut |s| f(s))).collect()),
            Work::Loop(l) => Work::Loop(LoopWork { before: all(&l.before), body: all(&l.body), ..*l }),
        }
    }

    /// The buffers of all its places.
    fn buffers(&self, out: &mut Vec<BufferId>) {
        match self {
            Work::Draft(draft) => {
                out.extend(draft.loads.iter().map(|l| l.first.buffer));
                for op in &draft.ops {
                    out.extend(op.output.iter().map(|o| o.first.buffer));
                    for source in &op.sources {
                        if let Source::Memory(spot) = source {
                            out.push(spot.buffer);
                        }
                    }
                }
            }
            Work::Fixed(instrs) => out.extend(instrs.iter().flat_map(|i| i.places()).map(|s| s.buffer)),
            Work::Loop(l) => l.before.iter().chain(&l.body).for_each(|w| w.buffers(out)),
        }
    }
}

/// Something that runs as a whole.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Unit {
    pub(crate) work: Work,
    /// The nodes whose values it computes.
    pub(crate) nodes: Vec<NodeId>,
    pub(crate) reads: Vec<BufferId>,
    pub(crate) writes: Vec<BufferId>,
}

impl Unit {
    /// A unit of instructions.
    pub(crate) fn fixed(instrs: Vec<Instr<Spot>>, writes: BufferId, nodes: Vec<NodeId>) -> Self {
        let mut reads: Vec<BufferId> =
            instrs.iter().flat_map(|i| i.places()).map(|s| s.buffer).filter(|&b| b != writes).collect();
        reads.sort_unstable();
        reads.dedup();
        Self { work: Work::Fixed(instrs), nodes, reads, writes: vec![writes] }
    }

    /// A unit of a tile program.
    pub(crate) fn draft(draft: Draft, nodes: Vec<NodeId>) -> Self {
        let mut reads: Vec<BufferId> = draft.loads.iter().map(|l| l.first.buffer).collect();
        for source in draft.ops.iter().flat_map(|op| &op.sources) {
            if let Source::Memory(spot) = source {
                reads.push(spot.buffer);
            }
        }
        reads.sort_unstable();
        reads.dedup();
        let mut seen = BTreeSet::new();
        let outputs = draft.ops.iter().filter_map(|op| Some(op.output.as_ref()?.first.buffer));
        let writes = outputs.filter(|&b| seen.insert(b)).collect();
        Self { work: Work::Draft(draft), nodes, reads, writes }
    }

    /// A unit of a loop that writes these buffers.
    pub(crate) fn looped(work: LoopWork, writes: Vec<BufferId>, nodes: Vec<NodeId>) -> Self {
        let work = Work::Loop(work);
        let mut reads = Vec::new();
        work.buffers(&mut reads);
        reads.sort_unstable();
        reads.dedup();
        reads.retain(|b| !writes.contains(b));
        Self { work, nodes, reads, writes }
    }
}
