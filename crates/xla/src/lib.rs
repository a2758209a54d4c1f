//! The backend `xla`: graphs as StableHLO modules, run by JAX on the devices that it knows.
//!
//! A Python process (`worker.py`, with an environment of the user's) compiles the modules and keeps the states on its
//! devices; a session sends it the numbers of a batch and gets back what a step says. A state is copied to where it can
//! be read only when somebody reads it.
//!
//! How a run is spread over devices is [`Settings`]: samples (`dp`), samples and weights (`fsdp`), or samples and the
//! last axis of weights (`dp=4,tp=2`). XLA's partitioner does the rest (GSPMD, Xu and others 2021, arXiv:2105.04663).

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod settings;
mod worker;

pub use settings::{Hosts, Parallel, Settings};

use nnc_backend::{
    Backend, Buffer, Entry, Error, ErrorKind, Executable, Layout, Memory, Operation, Options, Session, Slice,
    SliceMut, State, kept,
};
use nnc_export::stablehlo::{self, Module};
use nnc_graph::{DType, Graph, NodeId, Role};
use serde_json::{Value, json};
use std::any::Any;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use worker::Worker;

/// JAX's devices.
#[derive(Clone, Debug)]
pub struct Xla {
    settings: Settings,
}

impl Xla {
    /// The devices that these settings ask for; nothing is started yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }
}

impl Backend for Xla {
    fn name(&self) -> &'static str {
        "xla"
    }

    fn threads(&self) -> usize {
        1
    }

    fn layout(&self, graphs: &[&Graph]) -> Result<Arc<dyn Layout>, Error> {
        let entries = kept(graphs)?;
        let float = graphs.first().map_or(DType::F32, |g| g.float);
        let worker = Worker::start(&self.settings)?;
        Ok(Arc::new(Kept { entries: entries.into(), float, worker: Shared(Arc::new(Mutex::new(worker))) }))
    }
}

/// The worker that a layout and all that is made of it share.
#[derive(Clone)]
struct Shared(Arc<Mutex<Worker>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Worker> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

struct Kept {
    entries: Arc<[Entry]>,
    float: DType,
    worker: Shared,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

/// The name of an entry as the worker is told.
fn told(e: &Entry) -> Value {
    json!({"role": e.role.name(), "name": &*e.name, "dtype": stored(e.dtype).name(), "dims": e.dims})
}

/// The type of the elements of a buffer.
fn stored(dtype: DType) -> DType {
    if dtype == DType::F64 { DType::F64 } else { DType::F32 }
}

impl Layout for Kept {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn bytes(&self) -> u64 {
        let size = |e: &Entry| if e.dtype == DType::F64 { 8u64 } else { 4 };
        self.entries.iter().map(|e| e.dims.iter().fold(size(e), |n, &d| n.saturating_mul(d as u64))).sum()
    }

    fn state(&self) -> Box<dyn State> {
        let host: Vec<Buffer> = self
            .entries
            .iter()
            .map(|e| {
                let mut buffer = Buffer::new(e.dtype);
                buffer.reset(e.dims.iter().product());
                buffer
            })
            .collect();
        let id = self.worker.lock().next_state();
        Box::new(Values {
            entries: self.entries.clone(),
            worker: self.worker.clone(),
            id,
            host: OnceCell::from(host),
            on_device: false,
        })
    }

    fn compile(&self, graph: &Graph, batch: usize, options: &Options) -> Result<Arc<dyn Executable>, Error> {
        let module = stablehlo::module(graph, batch).map_err(Error::limit)?;
        let mut memory = Memory { store_bytes: self.bytes(), ..Memory::default() };
        for role in [Role::Input, Role::Target, Role::SampleWeight] {
            for (_, id) in graph.parameters(role) {
                let count = graph.ty(id).count_at(batch).unwrap_or(usize::MAX) as u64;
                memory.input_bytes = memory.input_bytes.saturating_add(count.saturating_mul(8));
            }
        }
        memory.arena_bytes = memory.input_bytes;
        let (needed, limit) = (memory.total(), options.memory_limit);
        if needed > limit {
            let message = format!("needs {needed} bytes of memory, {limit} are allowed");
            return Err(Error { kind: ErrorKind::Memory { needed, limit }, message });
        }
        let whole = Operation {
            kind: "module",
            detail: format!("{} nodes, compiled by XLA", graph.len()),
            origin: Arc::default(),
            nodes: graph.ids().collect(),
            flops: graph.ids().map(|id| graph.flops(id, batch)).sum(),
            bytes: 0,
        };
        let compiled = Compiled {
            graph: Arc::new(graph.clone()),
            batch,
            memory,
            operations: vec![whole],
            module,
            float: self.float,
            worker: self.worker.clone(),
        };
        Ok(Arc::new(compiled))
    }
}

/// A state on the devices, and the copy of it that was read last.
struct Values {
    entries: Arc<[Entry]>,
    worker: Shared,
    id: u64,
    /// What is here; empty once the devices have newer values.
    host: OnceCell<Vec<Buffer>>,
    /// Whether the devices have these values.
    on_device: bool,
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Values {
    fn place(&self, role: Role, name: &str) -> Option<usize> {
        self.entries.iter().position(|e| e.role == role && &*e.name == name)
    }

    /// The values where they can be read. What cannot be fetched is NaN: the next step tells why.
    fn host(&self) -> &Vec<Buffer> {
        self.host.get_or_init(|| {
            let entries: Vec<Value> = self.entries.iter().map(told).collect();
            let head = json!({"do": "get", "state": self.id, "entries": entries});
            let answer = self.worker.lock().ask(head, &[]);
            let bytes = answer.map(|(_, bytes)| bytes).unwrap_or_default();
            let mut rest = &bytes[..];
            self.entries
                .iter()
                .map(|e| {
                    let count = e.dims.iter().product();
                    worker::take(&mut rest, stored(e.dtype), count)
                })
                .collect()
        })
    }

    /// Brings the values to the devices.
    fn upload(&mut self) -> Result<(), Error> {
        if self.on_device {
            return Ok(());
        }
        let entries: Vec<Value> = self.entries.iter().map(told).collect();
        let mut payload = Vec::new();
        for buffer in self.host() {
            worker::append(buffer.as_slice(), &mut payload);
        }
        let head = json!({"do": "set", "state": self.id, "entries": entries});
        self.worker.lock().ask(head, &payload)?;
        self.on_device = true;
        Ok(())
    }
}

impl State for Values {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn get(&self, role: Role, name: &str) -> Option<Slice<'_>> {
        let at = self.place(role, name)?;
        Some(self.host()[at].as_slice())
    }

    fn get_mut(&mut self, role: Role, name: &str) -> Option<SliceMut<'_>> {
        let at = self.place(role, name)?;
        self.host();
        self.on_device = false;
        Some(self.host.get_mut()?.get_mut(at)?.as_mut_slice())
    }

    fn copy_from(&mut self, other: &dyn State) -> Result<(), Error> {
        let other = (other as &dyn Any).downcast_ref::<Self>();
        let other = other.filter(|o| o.entries == self.entries && o.worker.is(&self.worker));
        let other = other.ok_or_else(strange)?;
        if other.on_device {
            let head = json!({"do": "copy", "state": other.id, "to": self.id});
            self.worker.lock().ask(head, &[])?;
        }
        self.on_device = other.on_device;
        self.host = other.host.clone();
        Ok(())
    }

    fn snapshot(&self) -> Box<dyn State> {
        let id = self.worker.lock().next_state();
        let mut out = Self {
            entries: self.entries.clone(),
            worker: self.worker.clone(),
            id,
            host: OnceCell::new(),
            on_device: false,
        };
        if out.copy_from(self).is_err() {
            out.host = OnceCell::from(self.host().clone());
        }
        Box::new(out)
    }
}

impl Drop for Values {
    fn drop(&mut self) {
        // A worker that is gone has nothing to free.
        let _ = self.worker.lock().ask(json!({"do": "free", "state": self.id}), &[]);
    }
}

/// The argument whose next value a result is.
fn replaced(module: &Module, result: usize) -> Option<(&'static str, &str)> {
    let argument = module.arguments.iter().find(|a| a.replaced_by == Some(result));
    argument.map(|a| (a.role, a.name.as_str()))
}

fn strange() -> Error {
    Error::internal("the state is of another layout")
}

struct Compiled {
    graph: Arc<Graph>,
    batch: usize,
    memory: Memory,
    operations: Vec<Operation>,
    module: Module,
    float: DType,
    worker: Shared,
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiled").field("batch", &self.batch).finish_non_exhaustive()
    }
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
        let arguments: Vec<Value> = self
            .module
            .arguments
            .iter()
            .map(|a| json!({"role": a.role, "name": &*a.name, "dtype": a.dtype, "dims": a.shape}))
            .collect();
        let results: Vec<Value> = self
            .module
            .results
            .iter()
            .enumerate()
            .map(|(i, r)| json!({"name": &*r.name, "dims": r.shape, "replaces": replaced(&self.module, i)}))
            .collect();
        let mut worker = self.worker.lock();
        let id = worker.next_module();
        let head = json!({
            "do": "compile", "module": id, "batch": self.batch, "arguments": arguments, "results": results,
        });
        worker.ask(head, self.module.text.as_bytes())?;
        drop(worker);
        let mut inputs = BTreeMap::new();
        for role in [Role::Input, Role::Target, Role::SampleWeight] {
            for (name, node) in self.graph.parameters(role) {
                let mut buffer = Buffer::new(self.float);
                buffer.reset(self.graph.ty(node).count_at(self.batch).unwrap_or(0));
                inputs.insert((role, name.to_string()), buffer);
            }
        }
        let compiled = Self {
            graph: self.graph.clone(),
            batch: self.batch,
            memory: self.memory,
            operations: self.operations.clone(),
            module: self.module.clone(),
            float: self.float,
            worker: self.worker.clone(),
        };
        Ok(Box::new(Run { compiled, id, inputs, values: BTreeMap::new() }))
    }
}

struct Run {
    compiled: Compiled,
    id: u64,
    inputs: BTreeMap<(Role, String), Buffer>,
    values: BTreeMap<NodeId, Buffer>,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("module", &self.id).finish_non_exhaustive()
    }
}

impl Session for Run {
    fn executable(&self) -> &dyn Executable {
        &self.compiled
    }

    fn input_mut(&mut self, role: Role, name: &str) -> Option<SliceMut<'_>> {
        self.inputs.get_mut(&(role, name.to_string())).map(Buffer::as_mut_slice)
    }

    fn run(&mut self, state: &mut dyn State, seed: u64, step: u64) -> Result<(), Error> {
        let state = (state as &mut dyn Any).downcast_mut::<Values>().ok_or_else(strange)?;
        if !state.worker.is(&self.compiled.worker) {
            return Err(strange());
        }
        state.upload()?;
        let module = &self.compiled.module;
        let mut payload = Vec::new();
        for a in &module.arguments {
            let key = Role::from_name(a.role).map(|role| (role, a.name.to_string()));
            if let Some(buffer) = key.and_then(|key| self.inputs.get(&key)) {
                worker::append(buffer.as_slice(), &mut payload);
            }
        }
        let float = self.compiled.float;
        let head = json!({
            "do": "run", "module": self.id, "state": state.id, "seed": seed, "step": step, "float": float.name(),
        });
        let (_, bytes) = self.compiled.worker.lock().ask(head, &payload)?;
        let mut rest = &bytes[..];
        for (i, (result, output)) in module.results.iter().zip(self.compiled.graph.outputs()).enumerate() {
            if replaced(module, i).is_none() {
                let count = result.shape.iter().product();
                self.values.insert(output.node, worker::take(&mut rest, float, count));
            }
        }
        if module.arguments.iter().any(|a| a.replaced_by.is_some()) {
            state.host = OnceCell::new();
        }
        Ok(())
    }

    fn value(&self, node: NodeId) -> Option<Slice<'_>> {
        self.values.get(&node).map(Buffer::as_slice)
    }
}
