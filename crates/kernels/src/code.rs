//! Instructions that were checked once and then run without checks.

use crate::check::{Scope, cursors};
use crate::denormals::Flush;
use crate::elementwise::interpret::{self, Tiles};
use crate::elementwise::tile::{LANES, Program};
use crate::hoist::{Iterate, Step, hoist};
use crate::instr::{Instr, Place};
use crate::isa::Isa;
use crate::matmul::dot::Shared;
use crate::{Buffer, Pool, Real};
use std::ops::Range;

/// What one worker has for itself.
#[derive(Debug)]
struct Worker<T> {
    /// Tiles of programs, or copies of parts of matrices.
    scratch: Buffer<T>,
    scalars: Buffer<T>,
    /// The tiles of a program's slots.
    slots: Bases<T>,
}

/// Pointers to the first element of every space, or to the tile of every slot.
#[derive(Debug)]
struct Bases<T>(Vec<*mut T>);

// SAFETY: the pointers are set within `Code::run`, from memories that it holds alone, and nobody follows them after
// it.
unsafe impl<T: Send> Send for Bases<T> {}
// SAFETY: as above; a shared reference follows no pointer.
unsafe impl<T: Sync> Sync for Bases<T> {}

/// Checked instructions.
#[derive(Debug)]
pub struct Code<T> {
    steps: Vec<Step>,
    /// Right operands of products in loops.
    packed: Buffer<T>,
    arena: usize,
    store: usize,
    bases: Bases<T>,
    workers: Vec<Worker<T>>,
    isa: Isa,
}

/// Elementwise work per task: elements times operations.
const TILE_TASK: usize = 1 << 15;

impl<T: Real> Code<T> {
    /// The elements of scratch that every worker needs for these instructions, and that the first one needs.
    pub fn scratch(instrs: &[Instr]) -> (usize, usize) {
        let (each, first) = Self::worker_scratch(instrs);
        (each, first.saturating_add(hoist(instrs).1))
    }

    fn worker_scratch(instrs: &[Instr]) -> (usize, usize) {
        let need = |i: &Instr| match i {
            Instr::Tile(p) => {
                let tiles = p.scratch(size_of::<T>());
                (tiles, tiles)
            }
            Instr::Dot(d) => d.scratch(),
            Instr::Reduce(r) => r.scratch(),
            Instr::Convolution(c) => c.scratch(),
            Instr::ConvolutionKernel(c) => c.scratch(),
            Instr::Loop(l) => Self::worker_scratch(&l.body),
            Instr::ArgMax(_)
            | Instr::Copy(_)
            | Instr::Zero(..)
            | Instr::Gather(_)
            | Instr::ScatterAdd(_)
            | Instr::Window(_) => (0, 0),
        };
        instrs.iter().map(need).fold((0, 0), |a, b| (a.0.max(b.0), a.1.max(b.1)))
    }

    /// Checks instructions for memories of these sizes and allocates scratch for some workers.
    ///
    /// # Errors
    /// An instruction reaches beyond a memory or writes what it still reads.
    pub fn new(instrs: Vec<Instr>, arena: usize, store: usize, workers: usize) -> Result<Self, String> {
        let cursors = cursors(&instrs);
        Scope::new(arena, store, cursors).check(&instrs)?;
        let (each, first) = Self::worker_scratch(&instrs);
        let (steps, packed) = hoist(&instrs);
        let scalars = most(&instrs, &|p| p.scalars.len());
        let slots = most(&instrs, &|p| p.registers + p.loads.len() + p.outputs.len());
        let worker = |w: usize| Worker {
            scratch: Buffer::zeros(if w == 0 { first } else { each }),
            scalars: Buffer::zeros(scalars),
            slots: Bases(vec![std::ptr::null_mut(); slots]),
        };
        let workers = (0..workers.max(1)).map(worker).collect();
        let bases = Bases(vec![std::ptr::null_mut(); 2 + cursors]);
        let packed = Buffer::zeros(packed);
        Ok(Self { steps, packed, arena, store, bases, workers, isa: Isa::detect() })
    }

    /// Runs a range of the instructions. Allocates nothing.
    ///
    /// # Panics
    /// When the memories have other sizes than the code was checked for, or the pool has more threads than
    /// there are workers.
    pub fn run(
        &mut self,
        range: Range<usize>,
        arena: &mut [T],
        store: &mut [T],
        pool: &Pool,
        (seed, step): (u64, u64),
    ) {
        assert!(arena.len() == self.arena && store.len() == self.store, "memories of other sizes");
        assert!(pool.threads() <= self.workers.len(), "more threads than workers");
        let _flush = Flush::new();
        self.bases.0[0] = arena.as_mut_ptr();
        self.bases.0[1] = store.as_mut_ptr();
        let (bases, packed) = (self.bases.0.as_mut_ptr(), self.packed.as_mut_ptr());
        let memory = Memory { bases, packed, seed, step };
        for step in &self.steps[range] {
            // SAFETY: `new` checked all instructions for memories of these sizes, which we hold alone.
            unsafe { memory.step(step, self.isa, pool, &mut self.workers) };
        }
    }
}

/// The most that some program has of something.
fn most(instrs: &[Instr], count: &dyn Fn(&Program) -> usize) -> usize {
    let of = |i: &Instr| match i {
        Instr::Tile(p) => count(p),
        Instr::Loop(l) => most(&l.body, count),
        Instr::Dot(_)
        | Instr::Reduce(_)
        | Instr::ArgMax(_)
        | Instr::Copy(_)
        | Instr::Zero(..)
        | Instr::Gather(_)
        | Instr::ScatterAdd(_)
        | Instr::Convolution(_)
        | Instr::ConvolutionKernel(_)
        | Instr::Window(_) => 0,
    };
    instrs.iter().map(of).max().unwrap_or(0)
}

/// The first elements of all spaces, and the key of random numbers.
#[derive(Clone, Copy)]
struct Memory<T> {
    bases: *mut *mut T,
    packed: *mut T,
    seed: u64,
    step: u64,
}

impl<T: Real> Memory<T> {
    #[inline(always)]
    fn at(&self, place: Place) -> *mut T {
        // SAFETY: `Code::new` made a table with an entry for every space that the check let pass.
        unsafe { (*self.bases.add(place.space.index())).wrapping_add(place.offset) }
    }

    /// # Safety
    /// The elements lie in memory and are not written meanwhile.
    unsafe fn read<'a>(&self, place: Place, count: usize) -> &'a [T] {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts(self.at(place), count) }
    }

    /// # Safety
    /// The elements lie in memory and are not touched by others meanwhile.
    unsafe fn write<'a>(&self, place: Place, count: usize) -> &'a mut [T] {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.at(place), count) }
    }

    /// # Safety
    /// The instruction was checked for memories of these sizes, and nobody else uses them.
    unsafe fn execute(&self, instr: &Instr, isa: Isa, pool: &Pool, workers: &mut [Worker<T>]) {
        if let Instr::Tile(p) = instr {
            // SAFETY: tile programs are checked on their own.
            return unsafe { self.tile(p, isa, pool, workers) };
        }
        let workers = Shared(workers.as_mut_ptr());
        let scratch = |worker: usize| {
            let workers = &workers;
            // SAFETY: a worker's number belongs to one thread at a time and is below the number of threads.
            unsafe { (*workers.0.add(worker)).scratch.as_mut_ptr() }
        };
        // SAFETY: the check found all elements within the memories, and what is written apart from what is
        // read.
        unsafe {
            match instr {
                Instr::Tile(_) | Instr::Loop(_) => {}
                Instr::Dot(d) => {
                    d.run(isa, pool, (self.at(d.a.place), self.at(d.b.place), self.at(d.c)), &scratch);
                }
                Instr::Convolution(c) => {
                    c.run(isa, pool, (self.at(c.x), self.at(c.kernel), self.at(c.z)), &scratch);
                }
                Instr::ConvolutionKernel(c) => {
                    c.run(isa, pool, (self.at(c.x), self.at(c.g), self.at(c.kernel)), &scratch);
                }
                Instr::Window(w) => {
                    let y = w.y.map_or(std::ptr::null(), |y| self.at(y).cast_const());
                    w.run(isa, pool, (self.at(w.x), y, self.at(w.to)));
                }
                Instr::Reduce(r) => r.run(isa, pool, self.at(r.from), self.at(r.to), scratch(0)),
                Instr::ArgMax(r) => r.run(
                    self.read(r.from, r.outer * r.fold_size * r.inner),
                    self.write(r.to, r.outer * r.inner),
                ),
                Instr::Copy(c) => c.run(self.at(c.from), self.at(c.to)),
                Instr::Zero(place, count) => self.write(*place, *count).fill(T::ZERO),
                Instr::Gather(g) => g.run(
                    self.read(g.table, g.rows * g.width),
                    self.read(g.index, g.count),
                    self.write(g.to, g.count * g.width),
                ),
                Instr::ScatterAdd(s) => s.run(
                    self.read(s.index, s.count),
                    self.read(s.from, s.count * s.width),
                    self.write(s.to, s.rows * s.width),
                ),
            }
        }
    }

    /// # Safety
    /// As for `execute`.
    #[inline(always)]
    unsafe fn step(&self, step: &Step, isa: Isa, pool: &Pool, workers: &mut [Worker<T>]) {
        // SAFETY: the caller's promise; a product is packed after its loop packed its right operand, which nothing
        // in the loop writes.
        unsafe {
            match step {
                Step::Instr(instr) => self.execute(instr, isa, pool, workers),
                Step::Packed(d, at) => {
                    let operands =
                        (self.at(d.a.place).cast_const(), self.at(d.b.place).cast_const(), self.at(d.c));
                    let scratch = workers[0].scratch.as_mut_ptr();
                    d.run_packed(isa, pool, operands, self.packed.add(*at), scratch);
                }
                Step::Loop(l) => self.iterate(l, isa, pool, workers),
            }
        }
    }

    /// # Safety
    /// As for `execute`.
    unsafe fn iterate(&self, l: &Iterate, isa: Isa, pool: &Pool, workers: &mut [Worker<T>]) {
        let _awake = pool.stay_awake();
        for (d, at) in &l.packs {
            // SAFETY: the check found the operand in memory; `packed` has a place for each.
            unsafe { d.pack(isa, pool, self.at(d.b.place), self.packed.add(*at)) };
        }
        for i in 0..l.length {
            let t = if l.reverse { l.length - 1 - i } else { i } as isize;
            for c in &l.cursors {
                // SAFETY: the check found all these spaces in the table, and the parents' entries are set; no
                // worker reads the table between two instructions.
                unsafe {
                    let parent = *self.bases.add(c.parent.index());
                    *self.bases.add(c.space.index()) = parent.wrapping_offset(t.wrapping_mul(c.stride));
                }
            }
            for step in &l.body {
                // SAFETY: the caller's promise; the check looked at all iterations.
                unsafe { self.step(step, isa, pool, workers) };
            }
        }
    }

    /// # Safety
    /// As for `execute`.
    #[inline(always)]
    unsafe fn tile(&self, p: &Program, isa: Isa, pool: &Pool, workers: &mut [Worker<T>]) {
        let (seed, step) = (self.seed, self.step);
        let chunk = (TILE_TASK / p.weight().max(1)).next_multiple_of(64 * LANES);
        if pool.threads() == 1 || p.count <= 2 * chunk {
            let worker = &mut workers[0];
            let (scratch, slots) = (worker.scratch.as_mut_ptr(), worker.slots.0.as_mut_ptr());
            let tiles = Tiles { bases: self.bases, scratch, slots, seed, step };
            // SAFETY: the caller's promise; the worker's scratch is large enough for every program.
            unsafe { interpret::run(isa, p, tiles, &mut worker.scalars, 0, p.count) };
            return;
        }
        let shared = (Shared(self.bases), Shared(workers.as_mut_ptr()));
        let job = |task: usize, worker: usize| {
            let (bases, workers) = &shared;
            // SAFETY: a worker's number belongs to one thread at a time and is below the number of threads;
            // tasks write disjoint elements.
            unsafe {
                let worker = &mut *workers.0.add(worker);
                let (scratch, slots) = (worker.scratch.as_mut_ptr(), worker.slots.0.as_mut_ptr());
                let tiles = Tiles { bases: bases.0, scratch, slots, seed, step };
                let end = ((task + 1) * chunk).min(p.count);
                interpret::run(isa, p, tiles, &mut worker.scalars, task * chunk, end);
            }
        };
        pool.run(p.count.div_ceil(chunk), &job);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::elementwise::tile::{Access, Arg, BinaryOp, Load, MicroOp, Op, UnaryOp};
    use crate::instr::Space;
    use crate::reduce::Reduce;
    use crate::{Dot, Fold, Matrix};

    fn arena(offset: usize) -> Place {
        Place { space: Space::ARENA, offset }
    }

    fn instrs() -> Vec<Instr> {
        let op = |op, to, a, b| MicroOp { op, to, a, b, c: Arg::None };
        let unary = [UnaryOp::Exp, UnaryOp::Ln, UnaryOp::Tanh, UnaryOp::Erf, UnaryOp::Softplus, UnaryOp::Sin];
        let mut ops = vec![op(Op::Random { normal: true, site: 3 }, 0, Arg::None, Arg::None)];
        for (i, u) in unary.into_iter().enumerate() {
            let (from, to) = (i as u16 % 2, 1 - i as u16 % 2);
            ops.push(op(Op::Unary(u), to, Arg::Slot(from), Arg::None));
        }
        ops.push(op(Op::Binary(BinaryOp::Divide), 3, Arg::Slot(0), Arg::Slot(2)));
        let load = Load { place: arena(0), access: Access::linear() };
        let program = Program {
            count: 1000,
            registers: 2,
            loads: vec![load],
            outputs: vec![arena(1024)],
            scalars: vec![],
            ops,
        };
        let matrix = |offset| Matrix { place: arena(offset), row: 25, column: 1 };
        let dot = Dot { m: 10, k: 10, n: 10, a: matrix(0), b: matrix(500), c: arena(2048), batch: vec![] };
        let fold = |fold, outer, inner| Reduce {
            fold,
            outer,
            fold_size: 1000 / outer / inner,
            inner,
            from: arena(0),
            to: arena(2200),
        };
        vec![
            Instr::Tile(program),
            Instr::Dot(dot),
            Instr::Reduce(fold(Fold::Add, 2, 1)),
            Instr::Reduce(fold(Fold::Maximum, 1, 50)),
        ]
    }

    /// Every instruction set convolves alike, up to the fused additions.
    #[test]
    fn instruction_sets_convolve_alike() {
        use crate::conv::convolution::{Convolution, ConvolutionKernel, Geometry};
        for (channels, filters, groups) in [(3, 7, 1), (16, 33, 1), (1, 32, 1), (6, 20, 2), (40, 40, 40)] {
            let geometry = Geometry {
                batch: 3,
                size: [1, 9, 8],
                channels,
                window: [1, 3, 2],
                out: [1, 4, 9],
                filters,
                groups,
                stride: [1, 2, 1],
                low: [0, 0, 1],
                lhs_dilation: [1; 3],
                rhs_dilation: [1; 3],
            };
            let f = filters as isize;
            let i = (channels / groups) as isize * f;
            let (x, kernel, z) = (arena(0), arena(9000), arena(15_000));
            let strides = [0, 2 * i, i, f, 1];
            let forward = Convolution { geometry: geometry.clone(), x, kernel, strides, z };
            let backward = ConvolutionKernel { geometry, x, g: z, kernel };
            for instr in [Instr::Convolution(forward), Instr::ConvolutionKernel(backward)] {
                let mut results = Isa::all().into_iter().map(|isa| {
                    let mut memory: Vec<f64> = (0..20_000).map(|i| (i % 37) as f64 / 7.0 - 2.0).collect();
                    let mut code = Code::new(vec![instr.clone()], memory.len(), 0, 2).unwrap();
                    code.isa = isa;
                    code.run(0..1, &mut memory, &mut [], &Pool::new(2), (1, 1));
                    memory
                });
                let first = results.next().unwrap();
                for other in results {
                    let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-9;
                    assert!(first.iter().zip(&other).all(near), "{instr:?}");
                }
            }
        }
    }

    /// But for large products, every instruction set gives the same bits.
    #[test]
    fn instruction_sets_give_the_same_bits() {
        for instr in instrs() {
            let results: Vec<Vec<u32>> = Isa::all()
                .into_iter()
                .map(|isa| {
                    let mut memory: Vec<f32> = (0..3000).map(|i| (i % 37) as f32 / 7.0 - 2.0).collect();
                    let mut code = Code::new(vec![instr.clone()], memory.len(), 0, 1).unwrap();
                    code.isa = isa;
                    code.run(0..1, &mut memory, &mut [], &Pool::new(1), (1, 1));
                    memory.iter().map(|v| v.to_bits()).collect()
                })
                .collect();
            assert!(results.windows(2).all(|w| w[0] == w[1]), "{instr:?}");
        }
    }
}
