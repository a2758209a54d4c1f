//! Instructions and the places they name.
//!
//! An instruction is generic over its places: a planner writes them as elements of its own buffers and gives
//! them their final form by one [`Instr::map`].

use crate::conv::convolution::{Convolution, ConvolutionKernel};
use crate::conv::window::Window;
use crate::elementwise::tile::Program;
use crate::matmul::dot::Dot;
use crate::moves::{Copy, Gather, ScatterAdd};
use crate::reduce::{ArgMax, Reduce};

/// What an offset counts from: one of the two memories, or a cursor of a loop.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Space(u32);

impl Space {
    /// What a step computes.
    pub const ARENA: Space = Space(0);
    /// What outlives a step.
    pub const STORE: Space = Space(1);

    /// The cursor of this number; loops that do not run within each other may use the same numbers.
    pub fn cursor(number: u32) -> Space {
        Space(number.saturating_add(2))
    }

    /// Whether it is a cursor.
    #[inline(always)]
    pub fn moves(self) -> bool {
        self.0 >= 2
    }

    /// Its number in a table of all spaces.
    #[inline(always)]
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// An element of a memory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    /// What the offset counts from.
    pub space: Space,
    /// Which element.
    pub offset: usize,
}

/// A space whose first element moves: in iteration `t` it lies `t * stride` elements behind that of `parent`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Cursor {
    /// The space.
    pub space: Space,
    /// A memory, or a cursor of a loop around this one.
    pub parent: Space,
    /// Elements from one iteration to the next.
    pub stride: isize,
}

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
    /// Zeros: the first element and how many.
    Zero(P, usize),
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
            Instr::Zero(to, count) => Instr::Zero(place(to), *count),
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
