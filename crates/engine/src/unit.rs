//! What the planner passes from step to step: buffers and units of work on them.

use crate::view::{BufferId, View};
use nnc_graph::NodeId;
use nnc_kernels::{Access, Instr, Op, Place, Space};

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
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Source {
    /// The result of an earlier operation of the draft.
    Value(usize),
    /// A tensor, by its number in the draft.
    Load(usize),
    /// A number in memory: one element of a buffer.
    Memory(BufferId, usize),
    /// A number.
    Constant(f64),
}

/// An operation of a draft.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct DraftOp {
    pub(crate) op: Op,
    pub(crate) sources: Vec<Source>,
    /// The buffer that keeps its result, if one does.
    pub(crate) output: Option<BufferId>,
}

/// A tensor that a draft reads.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct DraftLoad {
    pub(crate) buffer: BufferId,
    pub(crate) offset: usize,
    pub(crate) access: Access,
}

impl DraftLoad {
    pub(crate) fn of(view: &View) -> Self {
        Self { buffer: view.buffer, offset: view.offset, access: view.access() }
    }

    /// Whether it reads a buffer element by element from its first.
    pub(crate) fn is_whole(&self) -> bool {
        self.offset == 0 && self.access.is_linear()
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
        let number = |s: &Source| matches!(s, Source::Memory(b, _) if *b == buffer);
        self.loads.iter().any(|l| l.buffer == buffer && !l.is_whole())
            || self.ops.iter().any(|op| op.sources.iter().any(number))
    }
}

/// What a unit does.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Work {
    /// A tile program.
    Draft(Draft),
    /// Instructions whose places are offsets into these buffers, in the order of `Instr::places_mut`.
    Fixed(Vec<(Instr, Vec<BufferId>)>),
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
    pub(crate) fn fixed(instrs: Vec<(Instr, Vec<BufferId>)>, writes: BufferId, nodes: Vec<NodeId>) -> Self {
        let mut reads: Vec<BufferId> =
            instrs.iter().flat_map(|(_, b)| b.iter().copied()).filter(|&b| b != writes).collect();
        reads.sort_unstable();
        reads.dedup();
        Self { work: Work::Fixed(instrs), nodes, reads, writes: vec![writes] }
    }

    /// A unit of a tile program.
    pub(crate) fn draft(draft: Draft, nodes: Vec<NodeId>) -> Self {
        let mut reads: Vec<BufferId> = draft.loads.iter().map(|l| l.buffer).collect();
        for source in draft.ops.iter().flat_map(|op| &op.sources) {
            if let Source::Memory(buffer, _) = source {
                reads.push(*buffer);
            }
        }
        reads.sort_unstable();
        reads.dedup();
        let writes = draft.ops.iter().filter_map(|op| op.output).collect();
        Self { work: Work::Draft(draft), nodes, reads, writes }
    }
}

/// An element of a buffer, before the buffer's place is known.
pub(crate) fn within(offset: usize) -> Place {
    Place { space: Space::Arena, offset }
}
