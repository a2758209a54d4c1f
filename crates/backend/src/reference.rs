//! The reference evaluator as a backend: always in double precision, whatever the graph asks for.

use crate::{
    Backend, Entry, Error, ErrorKind, Executable, KEPT, Layout, Memory, Operation, Options, Session, Slice,
    SliceMut, State, kept,
};
use nnc_graph::eval::{Array, Bindings, evaluate};
use nnc_graph::{Graph, NodeId, OutputKind, Role};
use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

/// The plainest loops over every node, one after the other, in one thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference;

#[derive(Debug)]
struct Kept {
    entries: Arc<[Entry]>,
}

#[derive(Clone, Debug)]
struct Values {
    entries: Arc<[Entry]>,
    by_name: HashMap<(Role, String), Array>,
}

#[derive(Clone, Debug)]
struct Compiled {
    graph: Arc<Graph>,
    batch: usize,
    memory: Memory,
    operations: Arc<[Operation]>,
}

#[derive(Debug)]
struct Run {
    compiled: Compiled,
    bindings: Bindings,
    values: Vec<Array>,
}

impl Backend for Reference {
    fn name(&self) -> &'static str {
        "reference"
    }

    fn threads(&self) -> usize {
        1
    }

    fn layout(&self, graphs: &[&Graph]) -> Result<Arc<dyn Layout>, Error> {
        let entries = kept(graphs)?;
        Ok(Arc::new(Kept { entries: entries.into() }))
    }
}

impl Layout for Kept {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn bytes(&self) -> u64 {
        self.entries.iter().map(|e| e.dims.iter().fold(8u64, |n, &d| n.saturating_mul(d as u64))).sum()
    }

    fn state(&self) -> Box<dyn State> {
        let zeros = |e: &Entry| ((e.role, e.name.to_string()), Array::filled(&e.dims, 0.0));
        let by_name = self.entries.iter().map(zeros).collect();
        Box::new(Values { entries: self.entries.clone(), by_name })
    }

    fn compile(&self, graph: &Graph, batch: usize, options: &Options) -> Result<Arc<dyn Executable>, Error> {
        let mut memory = Memory { store_bytes: self.bytes(), ..Memory::default() };
        for id in graph.ids() {
            let count = graph.ty(id).count_at(batch).and_then(|n| n.checked_mul(8));
            let bytes = count.ok_or_else(|| Error::limit(format!("{id} is too large to be counted")))? as u64;
            memory.arena_bytes = memory.arena_bytes.saturating_add(bytes);
            let parameter = graph.node(id).prim.parameter();
            if parameter
                .is_some_and(|(role, _)| matches!(role, Role::Input | Role::Target | Role::SampleWeight))
            {
                memory.input_bytes = memory.input_bytes.saturating_add(bytes);
            }
        }
        let (needed, limit) = (memory.total(), options.memory_limit);
        if needed > limit {
            let message = format!("needs {needed} bytes of memory, {limit} are allowed");
            return Err(Error { kind: ErrorKind::Memory { needed, limit }, message });
        }
        let whole = Operation {
            kind: "graph",
            detail: format!("{} nodes, one after the other", graph.len()),
            origin: Arc::default(),
            nodes: graph.ids().collect(),
            flops: graph.ids().map(|id| graph.flops(id, batch)).sum(),
            bytes: memory.arena_bytes,
        };
        let operations = vec![whole].into();
        Ok(Arc::new(Compiled { graph: Arc::new(graph.clone()), batch, memory, operations }))
    }
}

impl State for Values {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn get(&self, role: Role, name: &str) -> Option<Slice<'_>> {
        self.by_name.get(&(role, name.to_string())).map(|a| Slice::F64(&a.data))
    }

    fn get_mut(&mut self, role: Role, name: &str) -> Option<SliceMut<'_>> {
        self.by_name.get_mut(&(role, name.to_string())).map(|a| SliceMut::F64(&mut a.data))
    }

    fn copy_from(&mut self, other: &dyn State) -> Result<(), Error> {
        let other = (other as &dyn Any).downcast_ref::<Self>().filter(|o| o.entries == self.entries);
        self.by_name.clone_from(&other.ok_or_else(strange)?.by_name);
        Ok(())
    }

    fn snapshot(&self) -> Box<dyn State> {
        Box::new(self.clone())
    }
}

fn strange() -> Error {
    Error::internal("the state is of another layout")
}

impl Executable for Compiled {
    fn graph(&self) -> &Graph {
        &self.graph
    }

    fn batch(&self) -> usize {
        self.batch
    }

    fn memory(&self) -> Memory {
        self.memory
    }

    fn operations(&self) -> &[Operation] {
        &self.operations
    }

    fn session(&self) -> Result<Box<dyn Session>, Error> {
        let mut bindings = Bindings { batch: self.batch, ..Bindings::default() };
        for role in [Role::Input, Role::Target, Role::SampleWeight] {
            for (name, id) in self.graph.parameters(role) {
                let zeros = Array::filled(&self.graph.ty(id).dims_at(self.batch), 0.0);
                bindings = bindings.with(role, &name, zeros);
            }
        }
        Ok(Box::new(Run { compiled: self.clone(), bindings, values: Vec::new() }))
    }
}

impl Session for Run {
    fn executable(&self) -> &dyn Executable {
        &self.compiled
    }

    fn input_mut(&mut self, role: Role, name: &str) -> Option<SliceMut<'_>> {
        let kept = KEPT.contains(&role);
        let array = self.bindings.parameters.get_mut(&(role, name.to_string())).filter(|_| !kept)?;
        Some(SliceMut::F64(&mut array.data))
    }

    fn run(&mut self, state: &mut dyn State, seed: u64, step: u64) -> Result<(), Error> {
        let state = (state as &mut dyn Any).downcast_mut::<Values>().ok_or_else(strange)?;
        (self.bindings.seed, self.bindings.step) = (seed, step);
        for (key, value) in &state.by_name {
            self.bindings.parameters.insert(key.clone(), value.clone());
        }
        let graph = &self.compiled.graph;
        self.values = evaluate(graph, &self.bindings).map_err(Error::internal)?;
        for update in graph.outputs_of(OutputKind::Update) {
            let keys = KEPT.map(|role| (role, update.name.to_string()));
            if let Some(key) = keys.into_iter().find(|key| state.by_name.contains_key(key)) {
                state.by_name.insert(key, self.values[update.node.index()].clone());
            }
        }
        Ok(())
    }

    fn value(&self, node: NodeId) -> Option<Slice<'_>> {
        self.values.get(node.index()).map(|a| Slice::F64(&a.data))
    }
}
