//! Which backends there are; the one file of this crate and of the command line that names them.

use crate::memory;
use nnc_backend::{Backend, Reference};
use nnc_engine::Cpu;
use nnc_xla::{Settings, Xla};
use std::sync::Arc;

/// What computes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Engine {
    /// All threads of the processor, fused loops and products in blocks.
    #[default]
    Cpu,
    /// The meaning of graphs, operation by operation, in double precision: what the others are compared with.
    Reference,
    /// The devices of JAX, in a Python process.
    Xla(Arc<Settings>),
}

/// What a training takes of the machine, where nothing else is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Machine {
    /// The vectors that loops use, for people.
    pub vectors: &'static str,
    /// Threads.
    pub threads: usize,
    /// Bytes of memory.
    pub memory: u64,
}

/// This machine.
pub fn machine() -> Machine {
    Machine { vectors: nnc_engine::vectors(), threads: all_threads(), memory: memory::limit(None) }
}

fn all_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Engine {
    /// The backend, with so many threads; 0 takes as many as the machine has.
    pub fn backend(&self, threads: usize) -> Box<dyn Backend> {
        match self {
            Engine::Cpu => Box::new(Cpu::new(match threads {
                0 => all_threads(),
                n => n,
            })),
            Engine::Reference => Box::new(Reference),
            Engine::Xla(settings) => Box::new(Xla::new(Settings::clone(settings))),
        }
    }
}
