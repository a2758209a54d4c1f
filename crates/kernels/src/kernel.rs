//! What an instruction owes, and what it runs on.

use crate::buffer::Buffer;
use crate::isa::Isa;
use crate::place::Place;
use crate::pool::Pool;
use crate::real::Real;
use crate::scope::{Scope, Touch};

/// What every instruction says of itself.
pub(crate) trait Kernel {
    /// What it is, in a word.
    fn name(&self) -> &'static str;

    /// Its sizes and operations, for people.
    fn detail(&self) -> String;

    /// Multiplications and additions, if it is a product.
    fn flops(&self) -> u64 {
        0
    }

    /// Elements read and written, each operand once.
    fn elements(&self) -> usize;

    /// Everything it touches; a loop's body is looked at on its own. The error says what is wrong with its sizes.
    fn touches(&self) -> Result<Vec<Touch>, String>;

    /// Checks what else running it relies on: nothing is written that it still reads.
    fn check(&self, scope: &Scope, touches: &[Touch]) -> Result<(), String> {
        scope.are_apart(touches)
    }

    /// What it needs to run, for elements of so many bytes.
    fn scratch(&self, bytes: usize) -> Scratch;
}

/// What an instruction does.
pub(crate) trait Execute: Kernel {
    /// Runs it.
    ///
    /// # Safety
    /// It was checked for the memories of this machine, which nobody else uses meanwhile.
    unsafe fn execute<T: Real>(&self, on: &Machine<'_, T>);
}

/// What an instruction needs to run.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Scratch {
    /// Elements for every worker.
    pub(crate) each: usize,
    /// Elements for the first worker.
    pub(crate) first: usize,
    /// Numbers of a tile program.
    pub(crate) scalars: usize,
    /// Slots of a tile program.
    pub(crate) slots: usize,
}

impl Scratch {
    /// Elements for every worker, and for the first one.
    pub(crate) fn of((each, first): (usize, usize)) -> Self {
        Self { each, first, ..Self::default() }
    }

    /// Enough for either.
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            each: self.each.max(other.each),
            first: self.first.max(other.first),
            scalars: self.scalars.max(other.scalars),
            slots: self.slots.max(other.slots),
        }
    }
}

/// What one worker has for itself.
#[derive(Debug)]
pub(crate) struct Worker<T> {
    /// Tiles of programs, or copies of parts of matrices.
    pub(crate) scratch: Buffer<T>,
    pub(crate) scalars: Buffer<T>,
    /// The tiles of a program's slots.
    pub(crate) slots: Bases<T>,
}

/// Pointers to the first element of every space, or to the tile of every slot.
#[derive(Debug)]
pub(crate) struct Bases<T>(pub(crate) Vec<*mut T>);

// SAFETY: the pointers are set within `Code::run`, from memories that it holds alone, and nobody follows them after
// it.
unsafe impl<T: Send> Send for Bases<T> {}
// SAFETY: as above; a shared reference follows no pointer.
unsafe impl<T: Sync> Sync for Bases<T> {}

/// What instructions run on: the first elements of all spaces, the key of random numbers, and who works.
pub(crate) struct Machine<'a, T> {
    pub(crate) bases: *mut *mut T,
    pub(crate) seed: u64,
    pub(crate) step: u64,
    pub(crate) isa: Isa,
    pub(crate) pool: &'a Pool,
    pub(crate) workers: *mut Worker<T>,
}

// SAFETY: the table of bases is not written while an instruction runs; what else the pointers lead to is reached by
// `unsafe` functions alone, whose callers promise that no two tasks touch the same.
unsafe impl<T: Send + Sync> Sync for Machine<'_, T> {}

impl<T: Real> Machine<'_, T> {
    /// The first element of a place.
    #[inline(always)]
    pub(crate) fn at(&self, place: Place) -> *mut T {
        // SAFETY: `Code::new` made a table with an entry for every space that the check let pass.
        unsafe { (*self.bases.add(place.space.index())).wrapping_add(place.offset) }
    }

    /// # Safety
    /// The elements lie in memory and are not written meanwhile.
    pub(crate) unsafe fn read<'a>(&self, place: Place, count: usize) -> &'a [T] {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts(self.at(place), count) }
    }

    /// # Safety
    /// The elements lie in memory and are not touched by others meanwhile.
    pub(crate) unsafe fn write<'a>(&self, place: Place, count: usize) -> &'a mut [T] {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.at(place), count) }
    }

    /// What a worker has for itself.
    ///
    /// # Safety
    /// The worker's number is below the number of threads, and nobody else asks for the same one meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn worker<'a>(&self, worker: usize) -> &'a mut Worker<T> {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.workers.add(worker) }
    }

    /// The scratch of a worker; its number belongs to one thread at a time and is below the number of threads.
    pub(crate) fn scratch(&self, worker: usize) -> *mut T {
        // SAFETY: as said; nothing is read or written here.
        unsafe { self.worker(worker) }.scratch.as_mut_ptr()
    }
}
