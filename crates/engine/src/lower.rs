//! From nodes to units of work on buffers.

use crate::fuse::{Groups, groups, kind};
use crate::loops::{Loops, loops};
use crate::unit::{BufferInfo, Draft, DraftLoad, DraftStore, Home, Source, Unit};
use crate::view::{BufferId, Spot, View};
use crate::{EngineError, Layout, PlanOptions};
use nnc_graph::{DType, Graph, Kind, Leaf, Movement, NodeId, Prim, Role, Type};
use nnc_kernels::{Copy, Instr, Op, UnaryOp};

/// Where a node's elements are found.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    /// In memory.
    View(View),
    /// All are this number.
    Constant(f64),
    /// `(i / repeat) % modulo` for element `i`.
    Counter { repeat: usize, modulo: usize },
}

/// The planner's state while it lowers.
pub(crate) struct Lower<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) layout: &'a Layout,
    pub(crate) batch: usize,
    pub(crate) options: PlanOptions,
    pub(crate) live: Vec<bool>,
    pub(crate) dims: Vec<Vec<usize>>,
    pub(crate) counts: Vec<usize>,
    pub(crate) groups: Groups,
    pub(crate) buffers: Vec<BufferInfo>,
    pub(crate) units: Vec<Unit>,
    /// The buffer of an input or of the step number.
    pub(crate) inputs: Vec<(NodeId, BufferId)>,
    /// The results of loops that are live.
    pub(crate) loops: Loops,
    /// How many loops are around, and the places of the graph around that a body was given.
    pub(crate) depth: usize,
    pub(crate) outside: Vec<Spot>,
    pub(crate) values: Vec<Option<Value>>,
    copies: Vec<Option<View>>,
}

impl<'a> Lower<'a> {
    /// Sizes, levels and groups; nothing is lowered yet.
    pub(crate) fn new(
        graph: &'a Graph,
        layout: &'a Layout,
        batch: usize,
        options: &PlanOptions,
    ) -> Result<Self, EngineError> {
        let live = if options.keep_all { vec![true; graph.len()] } else { graph.live() };
        Self::with_live(graph, layout, batch, options, live)
    }

    /// As [`Lower::new`], where other nodes are asked for.
    pub(crate) fn with_live(
        graph: &'a Graph,
        layout: &'a Layout,
        batch: usize,
        options: &PlanOptions,
        live: Vec<bool>,
    ) -> Result<Self, EngineError> {
        let mut dims = Vec::with_capacity(graph.len());
        let mut counts = Vec::with_capacity(graph.len());
        for id in graph.ids() {
            let ty = graph.ty(id);
            let count = ty.count_at(batch).filter(|&n| n <= isize::MAX as usize / 64);
            counts.push(count.ok_or_else(|| EngineError::TooLarge { what: describe(graph, id) })?);
            dims.push(ty.dims_at(batch));
        }
        check_tables(graph, batch)?;
        let fuse = options.fuse && !options.keep_all;
        let groups = groups(graph, &live, &counts, fuse);
        let n = graph.len();
        Ok(Self {
            graph,
            layout,
            batch,
            options: *options,
            loops: loops(graph, &live),
            live,
            depth: 0,
            outside: Vec::new(),
            dims,
            counts,
            groups,
            buffers: Vec::new(),
            units: Vec::new(),
            inputs: Vec::new(),
            values: vec![None; n],
            copies: vec![None; n],
        })
    }

    /// Lowers everything that results ask for.
    pub(crate) fn run(&mut self) -> Result<(), EngineError> {
        for (id, _) in self.parameters()? {
            self.value(id)?;
        }
        self.heavies()?;
        if self.options.keep_all {
            for id in self.graph.ids().collect::<Vec<_>>() {
                let view = self.dense(id)?;
                self.keep(id, view);
            }
        }
        self.results()?;
        self.groups()
    }

    /// Lowers what is neither elementwise nor a view.
    pub(crate) fn heavies(&mut self) -> Result<(), EngineError> {
        for id in self.graph.ids().filter(|id| self.live[id.index()]).collect::<Vec<_>>() {
            if kind(self.graph, id) == Kind::Heavy {
                self.heavy(id)?;
            }
        }
        Ok(())
    }

    /// Lowers what is elementwise, when it is known which values others asked for.
    pub(crate) fn groups(&mut self) -> Result<(), EngineError> {
        for group in (0..self.groups.members.len()).rev() {
            self.group(group)?;
        }
        Ok(())
    }

    /// The value of a node is kept until the end, apart from the store.
    fn keep(&mut self, id: NodeId, view: View) {
        let home = self.buffers[view.buffer].home;
        if home == Home::Arena {
            self.buffers[view.buffer].home = Home::Pinned;
        } else if home.lasts() {
            let copy = self.copy_of(&Value::View(view), id);
            self.buffers[copy.buffer].home = Home::Pinned;
            self.copies[id.index()] = Some(copy);
        }
    }

    /// Named results, but for updates, stay in the arena until the end.
    fn results(&mut self) -> Result<(), EngineError> {
        let kept = self.graph.outputs().iter().filter(|o| o.kind != nnc_graph::OutputKind::Update);
        for node in kept.map(|o| o.node).collect::<Vec<_>>() {
            let view = self.dense(node)?;
            self.keep(node, view);
        }
        let updates = self.graph.outputs_of(nnc_graph::OutputKind::Update);
        for node in updates.map(|o| o.node).collect::<Vec<_>>() {
            self.dense(node)?;
        }
        Ok(())
    }

    /// Live parameters, and inputs in any case: their memory can be asked for.
    fn parameters(&self) -> Result<Vec<(NodeId, Role)>, EngineError> {
        let mut out = Vec::new();
        for role in Role::ALL.into_iter().filter(|r| !r.is_of_region()) {
            out.extend(self.graph.parameters(role).into_iter().map(|(_, id)| (id, role)));
        }
        out.sort_unstable();
        Ok(out)
    }

    pub(crate) fn buffer(&mut self, count: usize, home: Home) -> BufferId {
        self.buffers.push(BufferInfo { count, home, given: false, overwrites: None });
        self.buffers.len() - 1
    }

    /// Where a node's elements are.
    pub(crate) fn value(&mut self, id: NodeId) -> Result<Value, EngineError> {
        if let Some(value) = &self.values[id.index()] {
            return Ok(value.clone());
        }
        let value = match kind(self.graph, id) {
            Kind::Leaf => self.leaf(id)?,
            Kind::Alias => {
                let operand = self.graph.operands(id)[0];
                self.value(operand)?
            }
            Kind::View => self.moved(id)?,
            Kind::Elementwise | Kind::Heavy => {
                let buffer = self.buffer(self.counts[id.index()], Home::Arena);
                Value::View(View::dense(buffer, &self.dims[id.index()]))
            }
        };
        self.values[id.index()] = Some(value.clone());
        Ok(value)
    }

    /// Where a node's elements are, if anyone asked before.
    pub(crate) fn known_value(&self, id: NodeId) -> Option<&Value> {
        self.values[id.index()].as_ref()
    }

    /// The buffer that holds a node's elements one after another, and the first of them.
    pub(crate) fn found(&self, id: NodeId) -> Option<(BufferId, usize)> {
        if let Some(copy) = &self.copies[id.index()] {
            return Some((copy.buffer, copy.offset));
        }
        match &self.values[id.index()] {
            Some(Value::View(view)) if view.is_dense() => Some((view.buffer, view.offset)),
            _ => None,
        }
    }

    fn leaf(&mut self, id: NodeId) -> Result<Value, EngineError> {
        let dims = self.dims[id.index()].clone();
        let count = self.counts[id.index()];
        let Prim::Leaf(leaf) = &self.graph.node(id).prim else {
            return Err(internal(self.graph, id, "is computed"));
        };
        Ok(match leaf {
            Leaf::Constant(bits) => Value::Constant(bits.get()),
            Leaf::BatchSize => Value::Constant(self.batch as f64),
            Leaf::Iota { axis } => Value::Counter {
                repeat: dims[axis + 1..].iter().product::<usize>().max(1),
                modulo: dims[*axis].max(1),
            },
            Leaf::Parameter { role: role @ (Role::Weight | Role::State | Role::Slot), name } => {
                let what = || format!("{} `{name}`", role.name());
                let entry = self.layout.find(*role, name);
                let (entry, place) = entry.ok_or_else(|| EngineError::Missing { what: what() })?;
                if entry.dims != dims {
                    return Err(EngineError::Conflict { what: what() });
                }
                let buffer = self.buffer(count, Home::Store(place.start));
                self.buffers[buffer].given = true;
                Value::View(View::dense(buffer, &dims))
            }
            Leaf::Parameter {
                role: Role::Input | Role::Target | Role::SampleWeight | Role::Step, ..
            } => {
                let buffer = self.buffer(count, Home::Pinned);
                self.buffers[buffer].given = true;
                self.inputs.push((id, buffer));
                Value::View(View::dense(buffer, &dims))
            }
            Leaf::Rng { .. } | Leaf::Parameter { role: Role::Carry | Role::Slice | Role::Invariant, .. } => {
                return Err(internal(self.graph, id, "is computed"));
            }
        })
    }

    /// Transpose, broadcast, slice, reverse.
    fn moved(&mut self, id: NodeId) -> Result<Value, EngineError> {
        let operand = self.graph.operands(id)[0];
        let dims = self.dims[id.index()].clone();
        let Prim::Movement(movement) = self.graph.node(id).prim.clone() else {
            return Err(internal(self.graph, id, "moves nothing"));
        };
        match (self.value(operand)?, &movement) {
            (Value::Constant(c), _) => return Ok(Value::Constant(c)),
            (Value::Counter { repeat: 1, modulo }, Movement::BroadcastInDim { axes })
                if self.dims[operand.index()] == [modulo] =>
            {
                let repeat = dims[axes[0] + 1..].iter().product::<usize>().max(1);
                return Ok(Value::Counter { repeat, modulo });
            }
            (Value::Counter { .. } | Value::View(_), _) => {}
        }
        let view = self.axes(operand)?;
        Ok(Value::View(match &movement {
            Movement::Transpose { perm } => view.transpose(perm),
            Movement::BroadcastInDim { axes } => view.broadcast(axes, &dims),
            Movement::Slice { start } => view.slice(start, &dims),
            Movement::Reverse { axes } => view.reverse(axes),
            Movement::Reshape | Movement::Concatenate { .. } | Movement::Pad { .. } => {
                return Err(internal(self.graph, id, "is no view"));
            }
        }))
    }

    /// A node's elements with a stride for every axis of the node.
    pub(crate) fn axes(&mut self, id: NodeId) -> Result<View, EngineError> {
        let dims = self.dims[id.index()].clone();
        if let Value::View(view) = self.value(id)?
            && let Some(view) = view.reshape(&dims)
        {
            return Ok(view);
        }
        self.dense(id)
    }

    /// A node's elements one after another.
    pub(crate) fn dense(&mut self, id: NodeId) -> Result<View, EngineError> {
        let dims = self.dims[id.index()].clone();
        if let Some(copy) = &self.copies[id.index()] {
            return Ok(copy.clone());
        }
        let value = self.value(id)?;
        if let Value::View(view) = &value {
            let whole =
                view.is_dense() && view.offset == 0 && self.buffers[view.buffer].count == view.count();
            let inner = view.is_dense() && !self.options.keep_all;
            if whole || inner {
                return Ok(View::dense(view.buffer, &dims).at(view.offset));
            }
        }
        let copy = self.copy_of(&value, id);
        let copy = View::dense(copy.buffer, &dims);
        self.copies[id.index()] = Some(copy.clone());
        Ok(copy)
    }

    /// Copies a value to a buffer of its own.
    pub(crate) fn copy_of(&mut self, value: &Value, id: NodeId) -> View {
        let count = self.counts[id.index()];
        let buffer = self.buffer(count, Home::Arena);
        let unit = self.copy_to(value, count, Spot::first(buffer), id);
        self.units.push(unit);
        View::dense(buffer, &self.dims[id.index()])
    }

    /// The unit that copies a value of `count` elements to a place.
    pub(crate) fn copy_to(&self, value: &Value, count: usize, to: Spot, id: NodeId) -> Unit {
        let buffer = to.buffer;
        if let Value::View(view) = value
            && !view.access().is_linear()
        {
            return Unit::fixed(vec![copy_instr(view, to, None)], buffer, vec![id]);
        }
        let mut draft = Draft { count, ..Draft::default() };
        let at = match value {
            Value::View(view) => {
                let load = draft.load(DraftLoad::of(view));
                draft.push(Op::Unary(UnaryOp::Copy), vec![load])
            }
            Value::Constant(c) => draft.push(Op::Unary(UnaryOp::Copy), vec![Source::Constant(*c)]),
            Value::Counter { repeat, modulo } => {
                draft.push(Op::Counter { repeat: *repeat, modulo: *modulo }, Vec::new())
            }
        };
        draft.ops[at].output = Some(DraftStore::linear(to));
        Unit::draft(draft, vec![id])
    }
}

/// Copies a view to a strided place of a buffer; without strides, densely.
pub(crate) fn copy_instr(view: &View, to: Spot, strides: Option<&[isize]>) -> Instr<Spot> {
    let dense = crate::view::dense_strides(&view.dims);
    let strides = strides.unwrap_or(&dense);
    let mut dims: Vec<(usize, isize, isize)> = Vec::new();
    for ((&n, &from), &to) in view.dims.iter().zip(&view.strides).zip(strides) {
        if n == 1 {
            continue;
        }
        match dims.last_mut() {
            Some(d) if d.1 == from.saturating_mul(n as isize) && d.2 == to.saturating_mul(n as isize) => {
                *d = (d.0 * n, from, to);
            }
            _ => dims.push((n, from, to)),
        }
    }
    Instr::Copy(Copy { dims, from: view.spot(), to })
}

/// A node for a message.
pub(crate) fn describe(graph: &Graph, id: NodeId) -> String {
    let node = graph.node(id);
    let name = match node.prim.parameter() {
        Some((role, name)) => format!("{} `{name}`", role.name()),
        None => node.prim.name().to_string(),
    };
    format!("{name} {} of {}", node.ty, node.origin)
}

fn internal(graph: &Graph, id: NodeId, what: &str) -> EngineError {
    EngineError::Internal(format!("{} {what}", graph.node(id).prim.name()))
}

/// Row numbers must be exact.
fn check_tables(graph: &Graph, batch: usize) -> Result<(), EngineError> {
    let limit: usize = if graph.float == DType::F64 { isize::MAX as usize } else { 1 << 24 };
    for id in graph.ids() {
        let operands = graph.operands(id);
        let types: Vec<&Type> = operands.iter().map(|&o| graph.ty(o)).collect();
        let rows = graph.node(id).prim.rows(&types, graph.ty(id)).map(|rows| rows.at(batch));
        if let Some(rows) = rows.filter(|&r| r > limit) {
            return Err(EngineError::Table { what: describe(graph, id), rows, limit });
        }
    }
    Ok(())
}
