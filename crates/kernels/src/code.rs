//! Instructions over two memories, checked once and then run without checks.

use crate::denormals::Flush;
use crate::dot::{Dot, Shared};
use crate::interpret::{self, Tiles};
use crate::isa::Isa;
use crate::moves::{Copy, Gather, ScatterAdd};
use crate::reduce::{ArgMax, Reduce};
use crate::tile::{LANES, Program, Scalar, range_of};
use crate::{Buffer, Pool, Real};
use std::ops::Range;

/// One of the two memories.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Space {
    /// What a step computes.
    Arena,
    /// What outlives a step.
    Store,
}

/// An element of a memory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    /// Which memory.
    pub space: Space,
    /// Which element.
    pub offset: usize,
}

/// One instruction.
#[derive(Clone, PartialEq, Debug)]
pub enum Instr {
    /// Elementwise operations.
    Tile(Program),
    /// A product.
    Dot(Dot),
    /// A sum, largest or smallest.
    Reduce(Reduce),
    /// The index of the largest.
    ArgMax(ArgMax),
    /// A strided copy.
    Copy(Copy),
    /// Zeros: the first element and how many.
    Zero(Place, usize),
    /// Rows of a table.
    Gather(Gather),
    /// A table of sums of rows.
    ScatterAdd(ScatterAdd),
}

/// A box of elements that an instruction touches.
struct Touch {
    place: Place,
    low: isize,
    high: isize,
    writes: bool,
}

fn dense(place: Place, count: Option<usize>, writes: bool) -> Result<Option<Touch>, String> {
    let count = count.filter(|&c| c <= isize::MAX as usize).ok_or("a size overflows")?;
    Ok((count > 0).then(|| Touch { place, low: 0, high: count as isize - 1, writes }))
}

fn product(sizes: &[usize]) -> Option<usize> {
    sizes.iter().try_fold(1usize, |n, &s| n.checked_mul(s))
}

impl Instr {
    /// All its places: what it reads, in the order of its fields, then what it writes.
    pub fn places_mut(&mut self) -> Vec<&mut Place> {
        match self {
            Instr::Tile(p) => {
                let scalars = p.scalars.iter_mut().filter_map(|s| match s {
                    Scalar::At(place) => Some(place),
                    Scalar::Constant(_) => None,
                });
                let loads = p.loads.iter_mut().map(|l| &mut l.place);
                loads.chain(scalars).chain(&mut p.outputs).collect()
            }
            Instr::Dot(d) => vec![&mut d.a.place, &mut d.b.place, &mut d.c],
            Instr::Reduce(r) => vec![&mut r.from, &mut r.to],
            Instr::ArgMax(r) => vec![&mut r.from, &mut r.to],
            Instr::Copy(c) => vec![&mut c.from, &mut c.to],
            Instr::Zero(place, _) => vec![place],
            Instr::Gather(g) => vec![&mut g.table, &mut g.index, &mut g.to],
            Instr::ScatterAdd(s) => vec![&mut s.index, &mut s.from, &mut s.to],
        }
    }

    /// Everything it touches.
    fn touches(&self) -> Result<Vec<Touch>, String> {
        let mut out = Vec::new();
        match self {
            Instr::Tile(p) => {
                for load in p.loads.iter().filter(|_| p.count > 0) {
                    if load.access.is_linear() {
                        out.extend(dense(load.place, Some(p.padded()), false)?);
                    } else {
                        let (low, high) = load.access.range();
                        out.push(Touch { place: load.place, low, high, writes: false });
                    }
                }
                for scalar in &p.scalars {
                    if let Scalar::At(place) = scalar {
                        out.extend(dense(*place, Some(1), false)?);
                    }
                }
                for &place in &p.outputs {
                    out.extend(dense(place, Some(p.padded()), true)?);
                }
            }
            Instr::Dot(d) => {
                let sizes: Vec<usize> = d.batch.iter().map(|b| b.0).chain([d.m, d.n]).collect();
                let result = dense(d.c, product(&sizes), true)?;
                if result.is_some() && d.k > 0 {
                    let side = |batch: Vec<(usize, isize)>, rows, columns, x: &crate::Matrix| {
                        let dims = [batch, vec![(rows, x.row), (columns, x.column)]].concat();
                        let (low, high) = range_of(&dims);
                        Touch { place: x.place, low, high, writes: false }
                    };
                    out.push(side(d.batch.iter().map(|b| (b.0, b.1)).collect(), d.m, d.k, &d.a));
                    out.push(side(d.batch.iter().map(|b| (b.0, b.2)).collect(), d.k, d.n, &d.b));
                }
                out.extend(result);
            }
            Instr::Reduce(Reduce { outer, fold_size, inner, from, to, .. })
            | Instr::ArgMax(ArgMax { outer, fold_size, inner, from, to }) => {
                out.extend(dense(*from, product(&[*outer, *fold_size, *inner]), false)?);
                out.extend(dense(*to, product(&[*outer, *inner]), true)?);
            }
            Instr::Copy(c) => {
                if c.dims.iter().all(|d| d.0 > 0) {
                    let from: Vec<_> = c.dims.iter().map(|d| (d.0, d.1)).collect();
                    let to: Vec<_> = c.dims.iter().map(|d| (d.0, d.2)).collect();
                    let (low, high) = range_of(&from);
                    out.push(Touch { place: c.from, low, high, writes: false });
                    let (low, high) = range_of(&to);
                    out.push(Touch { place: c.to, low, high, writes: true });
                }
            }
            Instr::Zero(place, count) => out.extend(dense(*place, Some(*count), true)?),
            Instr::Gather(g) => {
                out.extend(dense(g.table, product(&[g.rows, g.width]), false)?);
                out.extend(dense(g.index, Some(g.count), false)?);
                out.extend(dense(g.to, product(&[g.count, g.width]), true)?);
            }
            Instr::ScatterAdd(s) => {
                out.extend(dense(s.index, Some(s.count), false)?);
                out.extend(dense(s.from, product(&[s.count, s.width]), false)?);
                out.extend(dense(s.to, product(&[s.rows, s.width]), true)?);
            }
        }
        Ok(out)
    }

    /// Checks what running without checks relies on.
    fn check(&self, arena: usize, store: usize) -> Result<(), String> {
        let touches = self.touches()?;
        for t in &touches {
            let size = match t.place.space {
                Space::Arena => arena,
                Space::Store => store,
            };
            let at = t.place.offset as isize;
            let inside = t.place.offset <= isize::MAX as usize
                && at.checked_add(t.low).is_some_and(|l| l >= 0)
                && at.checked_add(t.high).is_some_and(|h| (h as usize) < size);
            if !inside {
                return Err(format!("{:?} + {} ..= {} is outside", t.place, t.low, t.high));
            }
        }
        if let Instr::Tile(program) = self {
            return program.check();
        }
        for (i, a) in touches.iter().enumerate() {
            for b in &touches[..i] {
                let ends = |t: &Touch| (t.place.offset as isize + t.low, t.place.offset as isize + t.high);
                let ((a0, a1), (b0, b1)) = (ends(a), ends(b));
                let meet = a.place.space == b.place.space && a0 <= b1 && b0 <= a1;
                if meet && (a.writes || b.writes) {
                    return Err("an instruction writes what it reads".into());
                }
            }
        }
        Ok(())
    }
}

/// What one worker has for itself.
#[derive(Debug)]
struct Worker<T> {
    /// Tiles of programs, or copies of parts of matrices.
    scratch: Buffer<T>,
    scalars: Buffer<T>,
}

/// Checked instructions.
#[derive(Debug)]
pub struct Code<T> {
    instrs: Vec<Instr>,
    arena: usize,
    store: usize,
    workers: Vec<Worker<T>>,
    isa: Isa,
}

/// Elementwise work per task: elements times operations.
const TILE_TASK: usize = 1 << 17;

impl<T: Real> Code<T> {
    /// The elements of scratch that every worker needs for these instructions, and that the first one needs.
    pub fn scratch(instrs: &[Instr]) -> (usize, usize) {
        let need = |i: &Instr| match i {
            Instr::Tile(p) => {
                let tiles = p.scratch_tiles() * p.tile(size_of::<T>());
                (tiles, tiles)
            }
            Instr::Dot(d) => d.scratch(),
            _ => (0, 0),
        };
        instrs.iter().map(need).fold((0, 0), |a, b| (a.0.max(b.0), a.1.max(b.1)))
    }

    /// Checks instructions for memories of these sizes and allocates scratch for some workers.
    ///
    /// # Errors
    /// An instruction reaches beyond a memory or writes what it still reads.
    pub fn new(instrs: Vec<Instr>, arena: usize, store: usize, workers: usize) -> Result<Self, String> {
        for (i, instr) in instrs.iter().enumerate() {
            instr.check(arena, store).map_err(|e| format!("instruction {i}: {e}"))?;
        }
        let (each, first) = Self::scratch(&instrs);
        let scalars = instrs.iter().map(|i| if let Instr::Tile(p) = i { p.scalars.len() } else { 0 });
        let scalars = scalars.max().unwrap_or(0);
        let worker = |w: usize| Worker {
            scratch: Buffer::zeros(if w == 0 { first } else { each }),
            scalars: Buffer::zeros(scalars),
        };
        let workers = (0..workers.max(1)).map(worker).collect();
        Ok(Self { instrs, arena, store, workers, isa: Isa::detect() })
    }

    /// The instructions.
    pub fn instrs(&self) -> &[Instr] {
        &self.instrs
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
        let memory = Memory { arena: arena.as_mut_ptr(), store: store.as_mut_ptr(), seed, step };
        for instr in &self.instrs[range] {
            // SAFETY: `new` checked all instructions for memories of these sizes, which we hold alone.
            unsafe { memory.execute(instr, self.isa, pool, &mut self.workers) };
        }
    }
}

/// The first elements of both memories, and the key of random numbers.
#[derive(Clone, Copy)]
struct Memory<T> {
    arena: *mut T,
    store: *mut T,
    seed: u64,
    step: u64,
}

impl<T: Real> Memory<T> {
    #[inline(always)]
    fn at(&self, place: Place) -> *mut T {
        let base = match place.space {
            Space::Arena => self.arena,
            Space::Store => self.store,
        };
        base.wrapping_add(place.offset)
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
        // SAFETY: the check found all elements within the memories and, but for tile programs, what is
        // written apart from what is read; tile programs are checked on their own.
        unsafe {
            match instr {
                Instr::Tile(p) => self.tile(p, isa, pool, workers),
                Instr::Dot(d) => {
                    let workers = Shared(workers.as_mut_ptr());
                    let scratch = |worker: usize| {
                        let workers = &workers;
                        // SAFETY: as in `tile`.
                        (*workers.0.add(worker)).scratch.as_mut_ptr()
                    };
                    d.run(isa, pool, (self.at(d.a.place), self.at(d.b.place), self.at(d.c)), &scratch);
                }
                Instr::Reduce(r) => r.run(isa, pool, self.at(r.from), self.at(r.to)),
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
    unsafe fn tile(&self, p: &Program, isa: Isa, pool: &Pool, workers: &mut [Worker<T>]) {
        let tiles = |worker: &mut Worker<T>| Tiles {
            arena: self.arena,
            store: self.store,
            scratch: worker.scratch.as_mut_ptr(),
            seed: self.seed,
            step: self.step,
        };
        let chunk = (TILE_TASK / p.weight().max(1)).next_multiple_of(64 * LANES);
        if pool.threads() == 1 || p.count <= 2 * chunk {
            let worker = &mut workers[0];
            // SAFETY: the caller's promise; the worker's scratch is large enough for every program.
            unsafe { interpret::run(isa, p, tiles(worker), &mut worker.scalars, 0, p.count) };
            return;
        }
        let (seed, step) = (self.seed, self.step);
        let shared = (Shared(self.arena), Shared(self.store), Shared(workers.as_mut_ptr()));
        let job = |task: usize, worker: usize| {
            let (arena, store, workers) = &shared;
            // SAFETY: a worker's number belongs to one thread at a time and is below the number of threads;
            // tasks write disjoint elements.
            unsafe {
                let worker = &mut *workers.0.add(worker);
                let scratch = worker.scratch.as_mut_ptr();
                let tiles = Tiles { arena: arena.0, store: store.0, scratch, seed, step };
                let end = ((task + 1) * chunk).min(p.count);
                interpret::run(isa, p, tiles, &mut worker.scalars, task * chunk, end);
            }
        };
        pool.run(p.count.div_ceil(chunk), &job);
    }
}
