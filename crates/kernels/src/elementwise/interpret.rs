//! The interpreter of tile programs.

use crate::elementwise::math::{OnBinary, OnUnary};
use crate::elementwise::tile::{Access, Arg, MicroOp, Op, Program, Scalar};
use crate::isa::{Isa, dispatch};
use crate::kernel::{Execute, Machine};
use crate::vector::LANES;
use crate::{Place, Real};
use nnc_random::{Key, keyed, unit};

/// What a program runs on: the first elements of all spaces and of the scratch of one worker.
#[derive(Clone, Copy)]
struct Tiles<T> {
    bases: *const *mut T,
    scratch: *mut T,
    /// A place for a pointer to each slot of the program.
    slots: *mut *mut T,
    seed: u64,
    step: u64,
}

impl<T> Tiles<T> {
    /// # Safety
    /// The table of bases has an entry for the place's space.
    #[inline(always)]
    unsafe fn at(&self, place: Place) -> *mut T {
        // SAFETY: the caller's promise.
        unsafe { (*self.bases.add(place.space.index())).wrapping_add(place.offset) }
    }
}

/// One run of elements.
#[derive(Clone, Copy)]
struct Tile<'a, T> {
    program: &'a Program,
    scalars: &'a [T],
    memory: Tiles<T>,
    /// Elements of a full tile: the distance of tiles in scratch.
    size: usize,
    start: usize,
    /// Elements of this tile.
    exact: usize,
    /// The same in whole lanes.
    len: usize,
}

type Lanes<T> = [T; LANES];

/// Elementwise work per task: elements times operations.
const TASK: usize = 1 << 15;

impl Execute for Program {
    #[inline(always)]
    unsafe fn execute<T: Real>(&self, on: &Machine<'_, T>) {
        let job = |worker: usize, start: usize, end: usize| {
            // SAFETY: a worker's number belongs to one thread at a time and is below the number of threads; tasks
            // write disjoint elements; the worker's scratch is large enough for every program.
            unsafe {
                let worker = on.worker(worker);
                let (scratch, slots) = (worker.scratch.as_mut_ptr(), worker.slots.0.as_mut_ptr());
                let tiles = Tiles { bases: on.bases, scratch, slots, seed: on.seed, step: on.step };
                run(on.isa, self, tiles, &mut worker.scalars, start, end);
            }
        };
        let chunk = (TASK / self.weight().max(1)).next_multiple_of(64 * LANES);
        if on.pool.threads() == 1 || self.count <= 2 * chunk {
            job(0, 0, self.count);
        } else {
            let job = |task: usize, worker: usize| {
                job(worker, task * chunk, ((task + 1) * chunk).min(self.count));
            };
            on.pool.run(self.count.div_ceil(chunk), &job);
        }
    }
}

/// Runs elements `start .. end` (`start` in whole lanes).
///
/// # Safety
/// The program passed its check, its tensors lie within the memories, scratch is as large as the
/// program asks for, and nobody else writes what it reads or touches what it writes.
unsafe fn run<T: Real>(
    isa: Isa,
    program: &Program,
    memory: Tiles<T>,
    scalars: &mut [T],
    start: usize,
    end: usize,
) {
    for (value, scalar) in scalars.iter_mut().zip(&program.scalars) {
        *value = match scalar {
            Scalar::Constant(c) => T::of(*c),
            // SAFETY: the caller promises that tensors lie within the memories.
            Scalar::At(p) => unsafe { *memory.at(*p) },
        };
    }
    let scalars = &*scalars;
    dispatch!(
        isa,
        body::<T>(program: &Program, memory: Tiles<T>, scalars: &[T], start: usize, end: usize)
    );
}

#[inline(always)]
fn body<T: Real>(program: &Program, memory: Tiles<T>, scalars: &[T], start: usize, end: usize) {
    let size = program.tile(size_of::<T>());
    let mut at = start;
    while at < end {
        let len = (end - at).min(size);
        let tile =
            Tile { program, scalars, memory, size, start: at, exact: len, len: len.next_multiple_of(LANES) };
        tile.locate();
        tile.fill(len);
        for op in &program.ops {
            tile.step(op);
        }
        tile.spill();
        at += len;
    }
}

impl<T: Real> Tile<'_, T> {
    /// Copies what is not read in place into scratch.
    #[inline(always)]
    fn fill(&self, len: usize) {
        let copied = self.program.loads.iter().filter(|l| self.program.is_copied(l));
        for (slot, load) in (self.program.registers..).zip(copied) {
            // SAFETY: the program's check found all offsets of the access within memory; scratch has this
            // tile, and no memory overlaps it.
            unsafe {
                let from = self.memory.at(load.place);
                let to = self.memory.scratch.add(slot * self.size);
                let to = std::slice::from_raw_parts_mut(to, self.len);
                to[len..].fill(T::ZERO);
                gather(&load.access, from, self.start, &mut to[..len]);
            }
        }
    }

    /// Copies the outputs that were computed in scratch to their places.
    #[inline(always)]
    fn spill(&self) {
        for (o, store) in self.program.outputs.iter().enumerate() {
            if self.program.is_staged(store) {
                // SAFETY: the output lies within memory, which is apart from scratch.
                unsafe {
                    let from = self.pointer((self.program.registers + self.program.loads.len() + o) as u16);
                    let from = std::slice::from_raw_parts(from, self.exact);
                    scatter(&store.access, self.memory.at(store.place), self.start, from);
                }
            }
        }
    }

    /// Finds the tiles of all slots: registers, copies of loads and of outputs stand in scratch one after another,
    /// everything else where it lies.
    fn locate(&self) {
        let p = self.program;
        let mut copies = p.registers;
        let mut slot = 0;
        let mut set = |tile: *mut T| {
            // SAFETY: the table has a place for every slot.
            unsafe { *self.memory.slots.add(slot) = tile };
            slot += 1;
        };
        let scratch = |tile: usize| self.memory.scratch.wrapping_add(tile * self.size);
        // SAFETY: the program's check found its spaces.
        let there = |place: Place| unsafe { self.memory.at(place) }.wrapping_add(self.start);
        (0..p.registers).for_each(|r| set(scratch(r)));
        let mut copy_if = |copied: bool, place: Place| {
            copies += usize::from(copied);
            set(if copied { scratch(copies - 1) } else { there(place) });
        };
        p.loads.iter().for_each(|load| copy_if(p.is_copied(load), load.place));
        p.outputs.iter().for_each(|store| copy_if(p.is_staged(store), store.place));
    }

    #[inline(always)]
    fn pointer(&self, slot: u16) -> *mut T {
        // SAFETY: all slots exist, and `locate` filled the table.
        unsafe { *self.memory.slots.add(slot as usize) }
    }

    #[inline(always)]
    fn read(&self, slot: u16) -> &[Lanes<T>] {
        // SAFETY: the tile lies within scratch or memory in whole lanes; the operation that reads it does
        // not write it.
        unsafe { std::slice::from_raw_parts(self.pointer(slot).cast(), self.len / LANES) }
    }

    #[inline(always)]
    #[allow(clippy::mut_from_ref)]
    fn write(&self, slot: u16) -> &mut [Lanes<T>] {
        // SAFETY: as for `read`; the slice lives for one operation, which reads other slots.
        unsafe { std::slice::from_raw_parts_mut(self.pointer(slot).cast(), self.len / LANES) }
    }

    #[inline(always)]
    fn step(&self, op: &MicroOp) {
        match op.op {
            Op::Unary(u) => u.with(Map(self, op)),
            Op::Binary(b) => b.with(Zip(self, op)),
            Op::Select => self.select(op),
            Op::Counter { repeat, modulo } => {
                count(self.write(op.to).as_flattened_mut(), self.start, repeat, modulo);
            }
            Op::Random { normal, site } => self.random(normal, site, op),
        }
    }

    #[inline(always)]
    fn random(&self, normal: bool, site: u64, op: &MicroOp) {
        let mut site = site;
        for arg in [op.a, op.b, op.c] {
            if let Arg::Scalar(s) = arg {
                site = keyed(site, self.scalars[s as usize].wide() as i64);
            }
        }
        let key = Key::new(self.memory.seed, self.memory.step, site);
        let to = self.write(op.to).as_flattened_mut();
        if normal {
            for (i, pair) in to.chunks_exact_mut(2).enumerate() {
                let values = key.normals((self.start / 2 + i) as u64);
                pair.copy_from_slice(&values.map(T::of));
            }
        } else {
            // Sixteen blocks of four numbers at a time; the last ones may have fewer.
            for (i, part) in to.chunks_mut(64).enumerate() {
                let words = key.blocks::<16>((self.start / 4 + 16 * i) as u64);
                let values = words.map(|w| w.map(|w| T::of(f64::from(unit(w)))));
                for (b, four) in part.chunks_exact_mut(4).enumerate() {
                    for (w, v) in four.iter_mut().enumerate() {
                        *v = values[w][b];
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn map(&self, op: &MicroOp, f: impl Fn(T) -> T) {
        let to = self.write(op.to);
        match op.a {
            Arg::Slot(a) => {
                for (d, a) in to.iter_mut().zip(self.read(a)) {
                    *d = lanes(|i| f(a[i]));
                }
            }
            Arg::Scalar(s) => to.as_flattened_mut().fill(f(self.scalars[s as usize])),
            Arg::None => {}
        }
    }

    /// As `map`, one by one, for functions that are no vectors anyway: without what stands in the gap.
    #[inline(always)]
    fn map_each(&self, op: &MicroOp, f: impl Fn(T) -> T) {
        let Arg::Slot(a) = op.a else {
            return self.map(op, f);
        };
        let (to, a) = (self.write(op.to).as_flattened_mut(), self.read(a).as_flattened());
        for (d, a) in to[..self.exact].iter_mut().zip(a) {
            *d = f(*a);
        }
    }

    #[inline(always)]
    fn zip(&self, op: &MicroOp, f: impl Fn(T, T) -> T) {
        let to = self.write(op.to);
        match (op.a, op.b) {
            (Arg::Slot(a), Arg::Slot(b)) => {
                for ((d, a), b) in to.iter_mut().zip(self.read(a)).zip(self.read(b)) {
                    *d = lanes(|i| f(a[i], b[i]));
                }
            }
            (Arg::Slot(a), Arg::Scalar(s)) => {
                let b = self.scalars[s as usize];
                for (d, a) in to.iter_mut().zip(self.read(a)) {
                    *d = lanes(|i| f(a[i], b));
                }
            }
            (Arg::Scalar(s), Arg::Slot(b)) => {
                let a = self.scalars[s as usize];
                for (d, b) in to.iter_mut().zip(self.read(b)) {
                    *d = lanes(|i| f(a, b[i]));
                }
            }
            (Arg::Scalar(a), Arg::Scalar(b)) => {
                to.as_flattened_mut().fill(f(self.scalars[a as usize], self.scalars[b as usize]));
            }
            _ => {}
        }
    }

    /// As `zip`, one by one.
    #[inline(always)]
    fn zip_each(&self, op: &MicroOp, f: impl Fn(T, T) -> T) {
        let to = &mut self.write(op.to).as_flattened_mut()[..self.exact];
        let value = |arg: Arg, i: usize| match arg {
            Arg::Slot(s) => self.read(s).as_flattened()[i],
            Arg::Scalar(s) => self.scalars[s as usize],
            Arg::None => T::ZERO,
        };
        for (i, d) in to.iter_mut().enumerate() {
            *d = f(value(op.a, i), value(op.b, i));
        }
    }

    #[inline(always)]
    fn select(&self, op: &MicroOp) {
        let Arg::Slot(c) = op.c else {
            // The same for all elements.
            if let Arg::Scalar(c) = op.c {
                let chosen = if self.scalars[c as usize] == T::ZERO { op.b } else { op.a };
                self.map(&MicroOp { a: chosen, ..*op }, |a| a);
            }
            return;
        };
        let to = self.write(op.to);
        let c = self.read(c);
        match (op.a, op.b) {
            (Arg::Slot(a), Arg::Slot(b)) => {
                for (((d, a), b), c) in to.iter_mut().zip(self.read(a)).zip(self.read(b)).zip(c) {
                    *d = lanes(|i| choose(c[i], a[i], b[i]));
                }
            }
            (Arg::Slot(a), Arg::Scalar(b)) => {
                let b = self.scalars[b as usize];
                for ((d, a), c) in to.iter_mut().zip(self.read(a)).zip(c) {
                    *d = lanes(|i| choose(c[i], a[i], b));
                }
            }
            (Arg::Scalar(a), Arg::Slot(b)) => {
                let a = self.scalars[a as usize];
                for ((d, b), c) in to.iter_mut().zip(self.read(b)).zip(c) {
                    *d = lanes(|i| choose(c[i], a, b[i]));
                }
            }
            (Arg::Scalar(a), Arg::Scalar(b)) => {
                let (a, b) = (self.scalars[a as usize], self.scalars[b as usize]);
                for (d, c) in to.iter_mut().zip(c) {
                    *d = lanes(|i| choose(c[i], a, b));
                }
            }
            _ => {}
        }
    }
}

/// A function of one number over a tile.
struct Map<'a, T>(&'a Tile<'a, T>, &'a MicroOp);

impl<T: Real> OnUnary<T> for Map<'_, T> {
    type Out = ();

    #[inline(always)]
    fn in_vectors(self, f: impl Fn(T) -> T) {
        self.0.map(self.1, f);
    }

    #[inline(always)]
    fn one_by_one(self, f: impl Fn(T) -> T) {
        self.0.map_each(self.1, f);
    }
}

/// A function of two numbers over a tile.
struct Zip<'a, T>(&'a Tile<'a, T>, &'a MicroOp);

impl<T: Real> OnBinary<T> for Zip<'_, T> {
    type Out = ();

    #[inline(always)]
    fn in_vectors(self, f: impl Fn(T, T) -> T) {
        self.0.zip(self.1, f);
    }

    #[inline(always)]
    fn one_by_one(self, f: impl Fn(T, T) -> T) {
        self.0.zip_each(self.1, f);
    }
}

/// Writes `(i / repeat) % modulo` for elements `start ..`. Counted on, since a division for every element would cost
/// more than all else.
#[inline(always)]
fn count<T: Real>(mut to: &mut [T], start: usize, repeat: usize, modulo: usize) {
    let (mut value, mut passed) = (start / repeat % modulo, start % repeat);
    let steps: Lanes<T> = lanes(|i| T::of(i as f64));
    while !to.is_empty() {
        // Neighbours that are equal, or that count on: then whole numbers are added to the first of each vector.
        let run = if repeat == 1 { modulo - value } else { repeat - passed }.min(to.len());
        let (part, rest) = to.split_at_mut(run);
        if repeat == 1 {
            for (v, part) in part.chunks_mut(LANES).enumerate() {
                let first = T::of((value + v * LANES) as f64);
                part.iter_mut().zip(&steps).for_each(|(to, &step)| *to = first + step);
            }
            value += run;
        } else {
            part.fill(T::of(value as f64));
            passed += run;
            if passed == repeat {
                (value, passed) = (value + 1, 0);
            }
        }
        value = if value == modulo { 0 } else { value };
        to = rest;
    }
}

/// One vector: all elements are computed before any is stored, and loops over vectors stay such loops.
#[inline(always)]
fn lanes<T: Real>(f: impl Fn(usize) -> T) -> Lanes<T> {
    // Keeps the optimizer from making vectors across vectors, which would gather single elements.
    // SAFETY: no instruction at all.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    unsafe {
        std::arch::asm!("", options(nomem, nostack, preserves_flags));
    }
    let mut out = [T::ZERO; LANES];
    for (i, v) in out.iter_mut().enumerate() {
        *v = f(i);
    }
    out
}

/// `a` where `c` is not 0, else `b`.
#[inline(always)]
fn choose<T: Real>(c: T, a: T, b: T) -> T {
    if c == T::ZERO { b } else { a }
}

/// Copies elements `start ..` of an access.
///
/// # Safety
/// All elements of the access lie in memory that nobody writes meanwhile.
#[inline(always)]
unsafe fn gather<T: Real>(access: &Access, from: *const T, start: usize, mut to: &mut [T]) {
    let Some((&(inner, stride), outer)) = access.dims.split_last() else {
        // SAFETY: the caller's elements.
        to.copy_from_slice(unsafe { std::slice::from_raw_parts(from.add(start), to.len()) });
        return;
    };
    let mut row = start / inner;
    let mut column = start % inner;
    while !to.is_empty() {
        let offset = row_offset(outer, row) + column as isize * stride;
        let run = (inner - column).min(to.len());
        let (part, tail) = to.split_at_mut(run);
        // SAFETY: these offsets belong to the access.
        unsafe {
            let source = from.offset(offset);
            match stride {
                0 => part.fill(*source),
                1 => part.copy_from_slice(std::slice::from_raw_parts(source, run)),
                _ => {
                    for (i, v) in part.iter_mut().enumerate() {
                        *v = *source.offset(i as isize * stride);
                    }
                }
            }
        }
        to = tail;
        row += 1;
        column = 0;
    }
}

/// Copies to elements `start ..` of an access.
///
/// # Safety
/// All elements of the access lie in memory that nobody else touches meanwhile.
#[inline(always)]
unsafe fn scatter<T: Real>(access: &Access, to: *mut T, start: usize, mut from: &[T]) {
    let Some((&(inner, stride), outer)) = access.dims.split_last() else {
        // SAFETY: the caller's elements.
        unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), to.add(start), from.len()) };
        return;
    };
    let mut row = start / inner;
    let mut column = start % inner;
    while !from.is_empty() {
        let run = (inner - column).min(from.len());
        let (part, tail) = from.split_at(run);
        // SAFETY: these offsets belong to the access.
        unsafe {
            let target = to.offset(row_offset(outer, row) + column as isize * stride);
            if stride == 1 {
                std::ptr::copy_nonoverlapping(part.as_ptr(), target, run);
            } else {
                part.iter().enumerate().for_each(|(i, v)| *target.offset(i as isize * stride) = *v);
            }
        }
        from = tail;
        row += 1;
        column = 0;
    }
}

/// The first element of a row: an index of all axes but the last.
#[inline(always)]
fn row_offset(outer: &[(usize, isize)], row: usize) -> isize {
    let mut rest = row;
    let mut offset = 0;
    for &(n, s) in outer.iter().rev() {
        offset += (rest % n) as isize * s;
        rest /= n;
    }
    offset
}
