//! Instructions.
//!
//! An instruction is generic over its places: a planner writes them as elements of its own buffers and gives
//! them their final form by one [`Instr::map`]. What an instruction owes ([`Kernel`], [`Execute`]) stands in the file
//! of its loops; here is what they are, in `match`es that the compiler holds complete.

use crate::Real;
use crate::conv::convolution::{Convolution, ConvolutionKernel};
use crate::conv::window::Window;
use crate::elementwise::tile::Program;
use crate::kernel::{Execute, Kernel, Machine, Scratch};
use crate::matmul::dot::Dot;
use crate::moves::{Copy, Gather, ScatterAdd, Zero};
use crate::place::{Cursor, Place};
use crate::reduce::{ArgMax, Reduce};
use crate::scope::Touch;

/// Instructions that run several times, one iteration after the other.
#[derive(Clone, PartialEq, Debug)]
pub struct Loop<P = Place> {
    /// The number of iterations.
    pub length: usize,
    /// Whether the last iteration runs first.
    pub reverse: bool,
    /// What moves.
    pub cursors: Vec<Cursor>,
    /// The instructions of an iteration.
    pub body: Vec<Instr<P>>,
}

/// One instruction.
#[derive(Clone, PartialEq, Debug)]
pub enum Instr<P = Place> {
    /// Elementwise operations.
    Tile(Program<P>),
    /// A product.
    Dot(Dot<P>),
    /// A sum, largest or smallest.
    Reduce(Reduce<P>),
    /// The index of the largest.
    ArgMax(ArgMax<P>),
    /// A strided copy.
    Copy(Copy<P>),
    /// Zeros.
    Zero(Zero<P>),
    /// Rows of a table.
    Gather(Gather<P>),
    /// A table of sums of rows.
    ScatterAdd(ScatterAdd<P>),
    /// A convolution.
    Convolution(Convolution<P>),
    /// Its adjoint by the kernel.
    ConvolutionKernel(ConvolutionKernel<P>),
    /// Folds of moving windows.
    Window(Window<P>),
    /// Instructions that run several times.
    Loop(Loop<P>),
}

impl<P> Instr<P> {
    /// The same instruction with other places; `place` sees what it reads before what it writes.
    pub fn map<'a, Q, F: FnMut(&'a P) -> Q>(&'a self, place: &mut F) -> Instr<Q> {
        match self {
            Instr::Tile(p) => Instr::Tile(p.map(place)),
            Instr::Dot(d) => Instr::Dot(d.map(place)),
            Instr::Reduce(r) => Instr::Reduce(r.map(place)),
            Instr::ArgMax(r) => Instr::ArgMax(r.map(place)),
            Instr::Copy(c) => Instr::Copy(c.map(place)),
            Instr::Zero(z) => Instr::Zero(z.map(place)),
            Instr::Gather(g) => Instr::Gather(g.map(place)),
            Instr::ScatterAdd(s) => Instr::ScatterAdd(s.map(place)),
            Instr::Convolution(c) => Instr::Convolution(c.map(place)),
            Instr::ConvolutionKernel(c) => Instr::ConvolutionKernel(c.map(place)),
            Instr::Window(w) => Instr::Window(w.map(place)),
            Instr::Loop(l) => Instr::Loop(l.map(place)),
        }
    }

    /// All its places.
    pub fn places(&self) -> Vec<&P> {
        let mut out = Vec::new();
        self.map(&mut |place| out.push(place));
        out
    }
}

impl Instr {
    /// What it is, in a word.
    pub fn name(&self) -> &'static str {
        self.kernel().name()
    }

    /// Its sizes and operations, for people.
    pub fn detail(&self) -> String {
        self.kernel().detail()
    }

    /// Multiplications and additions of products.
    pub fn flops(&self) -> u64 {
        self.kernel().flops()
    }

    /// Elements read and written, each operand once.
    pub fn elements(&self) -> usize {
        self.kernel().elements()
    }

    pub(crate) fn kernel(&self) -> &dyn Kernel {
        match self {
            Instr::Tile(k) => k,
            Instr::Dot(k) => k,
            Instr::Reduce(k) => k,
            Instr::ArgMax(k) => k,
            Instr::Copy(k) => k,
            Instr::Zero(k) => k,
            Instr::Gather(k) => k,
            Instr::ScatterAdd(k) => k,
            Instr::Convolution(k) => k,
            Instr::ConvolutionKernel(k) => k,
            Instr::Window(k) => k,
            Instr::Loop(k) => k,
        }
    }

    /// Runs it, unless it is a loop: those are taken apart before ([`crate::hoist`]).
    ///
    /// # Safety
    /// As for [`Execute::execute`].
    pub(crate) unsafe fn execute<T: Real>(&self, on: &Machine<'_, T>) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Instr::Tile(k) => k.execute(on),
                Instr::Dot(k) => k.execute(on),
                Instr::Reduce(k) => k.execute(on),
                Instr::ArgMax(k) => k.execute(on),
                Instr::Copy(k) => k.execute(on),
                Instr::Zero(k) => k.execute(on),
                Instr::Gather(k) => k.execute(on),
                Instr::ScatterAdd(k) => k.execute(on),
                Instr::Convolution(k) => k.execute(on),
                Instr::ConvolutionKernel(k) => k.execute(on),
                Instr::Window(k) => k.execute(on),
                Instr::Loop(_) => {}
            }
        }
    }
}

/// What is enough for all of some instructions.
pub(crate) fn most(instrs: &[Instr], bytes: usize) -> Scratch {
    instrs.iter().map(|i| i.kernel().scratch(bytes)).fold(Scratch::default(), Scratch::max)
}

impl<P> Loop<P> {
    /// The same loop with other places.
    pub fn map<'a, Q, F: FnMut(&'a P) -> Q>(&'a self, place: &mut F) -> Loop<Q> {
        Loop {
            length: self.length,
            reverse: self.reverse,
            cursors: self.cursors.clone(),
            body: self.body.iter().map(|instr| instr.map(place)).collect(),
        }
    }
}

impl Kernel for Loop {
    fn name(&self) -> &'static str {
        "loop"
    }

    fn detail(&self) -> String {
        let body: Vec<String> = self.body.iter().map(|i| format!("{} {}", i.name(), i.detail())).collect();
        let back = if self.reverse { " backwards" } else { "" };
        format!("{} times{back}: {}", self.length, body.join("; "))
    }

    fn flops(&self) -> u64 {
        let once = self.body.iter().map(Instr::flops).fold(0, u64::saturating_add);
        once.saturating_mul(self.length as u64)
    }

    fn elements(&self) -> usize {
        let once = self.body.iter().map(Instr::elements).fold(0, usize::saturating_add);
        once.saturating_mul(self.length)
    }

    fn touches(&self) -> Result<Vec<Touch>, String> {
        Ok(Vec::new())
    }

    fn scratch(&self, bytes: usize) -> Scratch {
        most(&self.body, bytes)
    }
}
