//! What runs when, and where every value lies.

use crate::lower::Lower;
use crate::place::Places;
use crate::unit::{Home, Unit};
use crate::view::BufferId;
use crate::{EngineError, Layout};
use nnc_backend::{Memory, Operation};
use nnc_graph::{DType, Graph, NodeId, Role};
use nnc_kernels::{Code, Instr, LANES, Place, Space};
use std::ops::Range;
use std::sync::Arc;

/// How to plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlanOptions {
    /// Whether elementwise operations run together, tile by tile.
    pub fuse: bool,
    /// Whether every node's value is kept, each in its own memory.
    pub keep_all: bool,
    /// The largest number of bytes that arena, inputs and store may need together.
    pub memory_limit: u64,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self { fuse: true, keep_all: false, memory_limit: u64::MAX }
    }
}

/// A planned graph at one batch size.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) graph: Graph,
    pub(crate) batch: usize,
    pub(crate) memory: Memory,
    pub(crate) steps: Vec<Operation>,
    pub(crate) instrs: Vec<Instr>,
    /// The instructions of every step.
    pub(crate) ranges: Vec<Range<usize>>,
    /// Elements of the arena and of the store.
    pub(crate) arena: usize,
    pub(crate) store: usize,
    /// Where the values of nodes are after a run, as far as they are kept: first element and number.
    pub(crate) kept: Vec<Option<(usize, usize)>>,
    /// Inputs and the step number.
    pub(crate) inputs: Vec<(Role, Arc<str>, usize, usize)>,
    /// Notes for the listing.
    notes: Vec<String>,
}

impl Plan {
    /// The planned graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The number of samples of a step.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The memory that it needs.
    pub fn memory(&self) -> Memory {
        self.memory
    }

    /// Multiplications and additions of all products of a step.
    pub fn flops(&self) -> u64 {
        self.steps.iter().map(|s| s.flops).sum()
    }

    /// The instructions in their order.
    pub fn steps(&self) -> &[Operation] {
        &self.steps
    }

    /// The graph with the place of every value and the instructions in their order as comments; parses back.
    pub fn text(&self) -> String {
        let m = &self.memory;
        let mut out = format!(
            "# batch {}, {} instructions, arena {} bytes, store {} bytes\n",
            self.batch,
            self.steps.len(),
            m.arena_bytes,
            m.store_bytes
        );
        let note = |id: NodeId| Some(self.notes[id.index()].clone()).filter(|n| !n.is_empty());
        out.push_str(&nnc_graph::text::print_with(&self.graph, note));
        for (i, step) in self.steps.iter().enumerate() {
            out.push_str(&format!("# {i:<4} {:<8} {}", step.kind, step.detail));
            let nodes: Vec<String> = step.nodes.iter().map(ToString::to_string).collect();
            out.push_str(&format!("  {}  @ {}\n", nodes.join(" "), step.origin));
        }
        out
    }
}

/// Plans a graph for a batch size.
///
/// # Errors
/// Sizes overflow, more memory than allowed, a table too large, a parameter that the layout lacks.
pub fn plan(
    graph: &Graph,
    layout: &Layout,
    batch: usize,
    options: &PlanOptions,
) -> Result<Plan, EngineError> {
    if layout.float() != graph.float {
        return Err(EngineError::Precision { graph: graph.float, asked: layout.float() });
    }
    let mut lower = Lower::new(graph, layout, batch, options)?;
    lower.run()?;
    let updates = lower.updates()?;
    let order = lower.schedule(updates)?;
    let (places, size) = lower.place(&order)?;
    // Tiles are read in whole lanes, wherever they begin.
    let arena = size + LANES;
    let mut out = Plan {
        graph: graph.clone(),
        batch,
        memory: Memory::default(),
        steps: Vec::new(),
        instrs: Vec::new(),
        ranges: Vec::new(),
        arena,
        store: layout.memory_len(),
        kept: vec![None; graph.len()],
        inputs: Vec::new(),
        notes: vec![String::new(); graph.len()],
    };
    let locate = |b: BufferId| match lower.buffers[b].home {
        Home::Store(offset) => Place { space: Space::STORE, offset },
        Home::Arena | Home::Pinned | Home::Outside(_) => {
            Place { space: Space::ARENA, offset: places[b].unwrap_or(0) }
        }
    };
    let mut places = Places::new(&locate);
    for &u in &order {
        out.emit(&lower.units[u], &lower.counts, &mut places)?;
    }
    out.describe(&lower, &locate)?;
    out.measure(layout, options.memory_limit)?;
    Ok(out)
}

impl Plan {
    fn emit(&mut self, unit: &Unit, counts: &[usize], places: &mut Places<'_>) -> Result<(), EngineError> {
        let first = self.instrs.len();
        self.instrs.extend(places.work(&unit.work)?);
        let instrs = &self.instrs[first..];
        let width = if self.graph.float == DType::F64 { 8 } else { 4 };
        let step = Operation {
            kind: instrs.last().map_or("nothing", Instr::name),
            detail: instrs.iter().map(Instr::detail).collect::<Vec<_>>().join("; "),
            origin: unit.nodes.last().map(|&n| self.graph.node(n).origin.clone()).unwrap_or_default(),
            nodes: unit.nodes.clone(),
            flops: instrs.iter().map(Instr::flops).sum(),
            bytes: instrs.iter().map(|i| i.elements() as u64 * width).sum(),
        };
        let number = self.steps.len();
        for &node in &unit.nodes {
            self.notes[node.index()] = format!("#{number} {} of {}", step.kind, counts[node.index()]);
        }
        self.ranges.push(first..self.instrs.len());
        self.steps.push(step);
        Ok(())
    }

    /// Where inputs, results and kept values are.
    fn describe(&mut self, lower: &Lower<'_>, locate: &dyn Fn(BufferId) -> Place) -> Result<(), EngineError> {
        let width = if self.graph.float == DType::F64 { 8 } else { 4 };
        for &(id, buffer) in &lower.inputs {
            if let Some((role, name)) = self.graph.node(id).prim.parameter() {
                let count = lower.counts[id.index()];
                self.inputs.push((role, name.clone(), locate(buffer).offset, count));
                if role != Role::Step {
                    self.memory.input_bytes += count as u64 * width;
                }
            }
        }
        for id in self.graph.ids() {
            let Some((buffer, offset)) = lower.found(id) else {
                continue;
            };
            let place = locate(buffer);
            let space = if place.space == Space::ARENA { "a" } else { "s" };
            let note = &mut self.notes[id.index()];
            let gap = if note.is_empty() { "" } else { " " };
            note.push_str(&format!("{gap}{space}+{}", place.offset + offset));
            if lower.buffers[buffer].home == Home::Pinned {
                self.kept[id.index()] = Some((place.offset + offset, lower.counts[id.index()]));
            }
        }
        Ok(())
    }

    fn measure(&mut self, layout: &Layout, limit: u64) -> Result<(), EngineError> {
        let (width, scratch) = if self.graph.float == DType::F64 {
            (8, Code::<f64>::scratch(&self.instrs))
        } else {
            (4, Code::<f32>::scratch(&self.instrs))
        };
        self.memory.arena_bytes = (self.arena as u64).saturating_mul(width);
        self.memory.scratch_bytes = scratch.1 as u64 * width;
        self.memory.store_bytes = layout.bytes();
        let needed = self.memory.total();
        if needed > limit { Err(EngineError::Memory { needed, limit }) } else { Ok(()) }
    }
}
