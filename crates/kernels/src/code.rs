//! Instructions over two memories, checked once and then run without checks.

use crate::convolve::{Convolution, ConvolutionKernel};
use crate::denormals::Flush;
use crate::dot::{Dot, Shared};
use crate::interpret::{self, Tiles};
use crate::isa::Isa;
use crate::moves::{Copy, Gather, ScatterAdd};
use crate::reduce::{ArgMax, Reduce};
use crate::tile::{LANES, Program, Scalar, range_of};
use crate::window::{Window, WindowFold};
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
    /// A convolution.
    Convolution(Convolution),
    /// Its adjoint by the kernel.
    ConvolutionKernel(ConvolutionKernel),
    /// Folds of moving windows.
    Window(Window),
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
            Instr::Convolution(c) => vec![&mut c.x, &mut c.kernel, &mut c.z],
            Instr::ConvolutionKernel(c) => vec![&mut c.x, &mut c.g, &mut c.kernel],
            Instr::Window(w) => std::iter::once(&mut w.x).chain(&mut w.y).chain([&mut w.to]).collect(),
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
            Instr::Convolution(c) => {
                let g = &c.geometry;
                g.check()?;
                out.extend(dense(c.x, g.input_count(), false)?);
                if g.kernel_count() != Some(0) {
                    let (low, high) = c.kernel_range();
                    out.push(Touch { place: c.kernel, low, high, writes: false });
                }
                out.extend(dense(c.z, g.output_count(), true)?);
            }
            Instr::ConvolutionKernel(c) => {
                let g = &c.geometry;
                g.check()?;
                out.extend(dense(c.x, g.input_count(), false)?);
                out.extend(dense(c.g, g.output_count(), false)?);
                out.extend(dense(c.kernel, g.kernel_count(), true)?);
            }
            Instr::Window(w) => {
                let windows = &w.windows;
                windows.check()?;
                let (input, output) = (windows.input_count(), windows.output_count());
                let (second, result) = match w.fold {
                    WindowFold::Add | WindowFold::Maximum => (None, output),
                    WindowFold::Gather => (Some(input), output),
                    WindowFold::Scatter => (Some(output), input),
                };
                out.extend(dense(w.x, input, false)?);
                match (w.y, second) {
                    (Some(y), Some(count)) => out.extend(dense(y, count, false)?),
                    (None, None) => {}
                    _ => return Err("windows with operands too many or too few".into()),
                }
                out.extend(dense(w.to, result, true)?);
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
            Instr::Reduce(r) => r.scratch(),
            Instr::Convolution(c) => c.scratch(),
            Instr::ConvolutionKernel(c) => c.scratch(),
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
                Instr::Tile(_) => {}
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::tile::{Access, Arg, BinaryOp, Load, MicroOp, Op, UnaryOp};
    use crate::{Fold, Matrix};

    fn arena(offset: usize) -> Place {
        Place { space: Space::Arena, offset }
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
        use crate::convolve::{Convolution, ConvolutionKernel, Geometry};
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
                spread: [1; 3],
                dilation: [1; 3],
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
