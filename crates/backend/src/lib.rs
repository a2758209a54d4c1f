//! The seam between what wants a graph computed and what computes it.
//!
//! ```text
//! Backend ─► Layout ─► compile(graph, batch) ─► Executable ─► Session ─► numbers
//!              │                                                 ▲
//!              └──────────────► State (weights, states, slots) ──┘
//! ```
//!
//! A step is [`Session::run`]: it reads its inputs and the [`State`], writes its results, and updates the state. The
//! precision is a matter of every single buffer ([`Slice`]): who feeds a session asks its buffer what it holds.
//!
//! * Everything that is needed is known of an [`Executable`] before a session takes any memory.
//! * [`Reference`] is the meaning of graphs behind this seam; it is slow, and what other backends are compared with.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod error;
mod reference;
mod slice;

pub use error::{Error, ErrorKind};
pub use reference::Reference;
pub use slice::{Buffer, Slice, SliceMut};

use nnc_graph::{DType, Graph, NodeId, Origin, OutputKind, Role};
use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Something that computes graphs.
pub trait Backend: Debug {
    /// What the command line calls it.
    fn name(&self) -> &'static str;

    /// The threads it computes with.
    fn threads(&self) -> usize;

    /// The layout of everything that these graphs keep between steps.
    ///
    /// # Errors
    /// Two graphs disagree about a parameter or their precision; sizes overflow.
    fn layout(&self, graphs: &[&Graph]) -> Result<Arc<dyn Layout>, Error>;
}

/// What some graphs keep between steps, and so what they are compiled for.
pub trait Layout: Debug {
    /// Weights first, then states, then slots.
    fn entries(&self) -> &[Entry];

    /// Bytes of one [`State`].
    fn bytes(&self) -> u64;

    /// The memory of all entries, filled with zeros.
    fn state(&self) -> Box<dyn State>;

    /// Compiles one of the graphs for a number of samples; takes no memory for its values yet.
    ///
    /// # Errors
    /// Sizes overflow, more memory than `options` allow, a parameter that the layout lacks.
    fn compile(&self, graph: &Graph, batch: usize, options: &Options) -> Result<Arc<dyn Executable>, Error>;
}

/// A parameter that outlives a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Weight, state or slot.
    pub role: Role,
    /// Its name, unique within its role.
    pub name: Arc<str>,
    /// Its element type in the graph.
    pub dtype: DType,
    /// Its sizes.
    pub dims: Vec<usize>,
}

/// What outlives a step, in the order of a layout.
pub const KEPT: [Role; 3] = [Role::Weight, Role::State, Role::Slot];

/// Everything that these graphs keep between steps, in the order of a layout.
///
/// # Errors
/// Two graphs disagree about a parameter.
pub fn kept(graphs: &[&Graph]) -> Result<Vec<Entry>, Error> {
    let mut entries: Vec<Entry> = Vec::new();
    for (role, graph) in KEPT.into_iter().flat_map(|role| graphs.iter().map(move |g| (role, g))) {
        for (name, id) in graph.parameters(role) {
            let ty = graph.ty(id);
            let entry = Entry { role, name, dtype: ty.dtype, dims: ty.dims_at(0) };
            match entries.iter().find(|e| e.role == role && e.name == entry.name) {
                Some(known) if *known == entry => {}
                Some(_) => return Err(Error::internal(format!("`{}` has two shapes", entry.name))),
                None => entries.push(entry),
            }
        }
    }
    Ok(entries)
}

/// The values of a [`Layout`]'s entries. Those of a device are copied to where they can be read.
pub trait State: Any + Debug {
    /// What it holds.
    fn entries(&self) -> &[Entry];

    /// The elements of a parameter.
    fn get(&self, role: Role, name: &str) -> Option<Slice<'_>>;

    /// The elements of a parameter, to change them.
    fn get_mut(&mut self, role: Role, name: &str) -> Option<SliceMut<'_>>;

    /// Takes over all elements of another state of the same layout, without allocating.
    ///
    /// # Errors
    /// The other one is of another layout.
    fn copy_from(&mut self, other: &dyn State) -> Result<(), Error>;

    /// A copy of its own.
    fn snapshot(&self) -> Box<dyn State>;
}

impl dyn State {
    /// All parameters with their elements, in the order of the layout.
    pub fn iter(&self) -> impl Iterator<Item = (&Entry, Slice<'_>)> {
        self.entries().iter().filter_map(|e| Some((e, self.get(e.role, &e.name)?)))
    }
}

/// How to compile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Whether the value of every node can be read after a run.
    pub keep_all: bool,
    /// The largest number of bytes that values, inputs and state may need together.
    pub memory_limit: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { keep_all: false, memory_limit: u64::MAX }
    }
}

/// What a step needs, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Memory {
    /// Everything a step computes.
    pub arena_bytes: u64,
    /// The part of the arena that holds inputs, targets and sample weights.
    pub input_bytes: u64,
    /// Weights, states and slots.
    pub store_bytes: u64,
    /// What a thread needs for itself.
    pub scratch_bytes: u64,
}

impl Memory {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.arena_bytes.saturating_add(self.store_bytes).saturating_add(self.scratch_bytes)
    }
}

/// A part of a step whose time can be taken, for profiles and listings.
#[derive(Clone, PartialEq, Debug)]
pub struct Operation {
    /// What it is, in the backend's word.
    pub kind: &'static str,
    /// Sizes and operations.
    pub detail: String,
    /// The line that asked for it.
    pub origin: Arc<Origin>,
    /// The nodes whose values it computes.
    pub nodes: Vec<NodeId>,
    /// Multiplications and additions of products.
    pub flops: u64,
    /// Bytes read and written.
    pub bytes: u64,
}

/// A graph that was compiled for a number of samples.
pub trait Executable: Debug {
    /// The graph as it is computed: a backend may have rewritten it, but for the names of its results and parameters.
    fn graph(&self) -> &Graph;

    /// The number of samples of a step.
    fn batch(&self) -> usize;

    /// What a session and the state need.
    fn memory(&self) -> Memory;

    /// What a step does, in this order.
    fn operations(&self) -> &[Operation];

    /// The graph as text that parses back, with what became of it in comments.
    fn text(&self) -> String {
        nnc_graph::text::print(self.graph())
    }

    /// Multiplications and additions of all products of a step.
    fn flops(&self) -> u64 {
        self.operations().iter().map(|o| o.flops).sum()
    }

    /// Takes the memory that steps need.
    ///
    /// # Errors
    /// The backend does not know what was compiled.
    fn session(&self) -> Result<Box<dyn Session>, Error>;
}

/// An executable with its memory.
pub trait Session: Debug {
    /// What it runs.
    fn executable(&self) -> &dyn Executable;

    /// The memory of an input, target or sample weight: `[batch, …]` in row-major order. It keeps its contents over
    /// runs.
    fn input_mut(&mut self, role: Role, name: &str) -> Option<SliceMut<'_>>;

    /// Runs one step, updates included. Random numbers depend on `seed` and `step` alone; the step parameter is `step`.
    ///
    /// # Errors
    /// The state is of another layout than the executable.
    fn run(&mut self, state: &mut dyn State, seed: u64, step: u64) -> Result<(), Error>;

    /// As [`Session::run`]; adds to `times` how long every one of [`Executable::operations`] took. All of it is the
    /// first one's where a backend cannot tell them apart.
    ///
    /// # Errors
    /// As [`Session::run`].
    fn run_timed(
        &mut self,
        state: &mut dyn State,
        seed: u64,
        step: u64,
        times: &mut [Duration],
    ) -> Result<(), Error> {
        let start = Instant::now();
        self.run(state, seed, step)?;
        times.iter_mut().take(1).for_each(|t| *t += start.elapsed());
        Ok(())
    }

    /// The value of a node of the executable's graph in the last run: of a named result that is no update, and of every node where all are kept.
    fn value(&self, node: NodeId) -> Option<Slice<'_>>;
}

impl dyn Session {
    /// A named result of the last run (not an update).
    pub fn output(&self, kind: OutputKind, name: &str) -> Option<Slice<'_>> {
        if kind == OutputKind::Update {
            return None;
        }
        self.value(self.executable().graph().output(kind, name)?)
    }

    /// In a run that kept all values: the first node with a NaN or infinity whose operands are all finite; one with a
    /// NaN goes before one with infinities. Constants may be infinite.
    pub fn first_non_finite(&self) -> Option<NodeId> {
        let graph = self.executable().graph();
        let nan = |id: NodeId| self.value(id).is_some_and(|v| v.iter().any(f64::is_nan));
        let finite = |id: NodeId| self.value(id).is_none_or(Slice::is_finite);
        let fresh = |id: NodeId| {
            graph.node(id).prim.constant().is_none() && graph.operands(id).into_iter().all(finite)
        };
        let first_nan = graph.ids().find(|&id| nan(id) && fresh(id));
        let first_infinite = || graph.ids().find(|&id| !finite(id) && fresh(id));
        // A NaN out of deliberate infinities, such as those of a mask.
        let out_of_infinities =
            || graph.ids().find(|&id| nan(id) && !graph.operands(id).into_iter().any(nan));
        first_nan.or_else(first_infinite).or_else(out_of_infinities)
    }
}
