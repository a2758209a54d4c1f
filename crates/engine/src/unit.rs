//! What the planner passes from step to step: buffers and units of work on them.

use crate::view::{BufferId, Spot, View};
use nnc_graph::NodeId;
use nnc_kernels::{Access, Instr, Op};

/// Where a buffer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Home {
    /// Somewhere in the arena while it is needed.
    Arena,
    /// In the arena all the time: inputs, results, the step number.
    Pinned,
    /// At this element of the store.
    Store(usize),
}

/// A buffer of the plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct BufferInfo {
    pub(crate) count: usize,
    pub(crate) home: Home,
    /// Whether it is there before the first unit: inputs and what the store holds.
    pub(crate) given: bool,
    /// The buffer of the store that writing this one destroys.
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
    pub(crate) output: Option<Spot>,
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

/// A tile program before registers and places are known.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) count: usize,
    pub(crate) loads: Vec<DraftLoad>,
    pub(crate) ops: Vec<DraftOp>,
}

impl Draft {
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

    /// Whether a buffer is read otherwise than element by element.
    pub(crate) fn scatters(&self, buffer: BufferId) -> bool {
        let number = |s: &Source| matches!(s, Source::Memory(spot) if spot.buffer == buffer);
        self.loads.iter().any(|l| l.first.buffer == buffer && !l.is_whole())
            || self.ops.iter().any(|op| op.sources.iter().any(number))
    }
}

/// What a unit does.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Work {
    /// A tile program.
    Draft(Draft),
    /// Instructions.
    Fixed(Vec<Instr<Spot>>),
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
        let writes = draft.ops.iter().filter_map(|op| Some(op.output.as_ref()?.buffer)).collect();
        Self { work: Work::Draft(draft), nodes, reads, writes }
    }
}
