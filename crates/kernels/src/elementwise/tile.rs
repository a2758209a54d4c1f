//! Programs of elementwise operations that run tile by tile.
//!
//! A program computes `count` elements. A tile is a run of elements that fits the first cache; every
//! operation is dispatched once per tile and then loops over plain slices. Values inside a program are slots:
//! registers (a tile of scratch each), loads (a tile of memory) and outputs. A scalar stays a scalar.
//!
//! Tiles are computed in whole lanes of [`LANES`]: memory has room for that, and what stands in the gap
//! after a tensor means nothing.

use crate::Place;
use crate::elementwise::math::{BinaryOp, UnaryOp};
use crate::kernel::{Kernel, Scratch};
use crate::scope::{Scope, Touch, range_of};
use crate::vector::LANES;

/// What a micro-operation does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// A function of `a`.
    Unary(UnaryOp),
    /// A function of `a` and `b`.
    Binary(BinaryOp),
    /// `a` where `c` is not 0, else `b`.
    Select,
    /// `(i / repeat) % modulo` for element `i`.
    Counter {
        /// How many neighbours are equal.
        repeat: usize,
        /// After how many different ones it begins again.
        modulo: usize,
    },
    /// A random number for element `i` of a call site. The numbers `a`, `b` and `c`, as far as there are any, are
    /// mixed into the site one after another: what is drawn in a loop is keyed by the iteration.
    Random {
        /// Normal, else uniform.
        normal: bool,
        /// The call site.
        site: u64,
    },
}

/// What a micro-operation reads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Arg {
    /// A tile: a register, load or output by its slot.
    Slot(u16),
    /// One number for all elements.
    Scalar(u16),
    /// Nothing.
    None,
}

/// One operation on a tile.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MicroOp {
    /// What it does.
    pub op: Op,
    /// The slot it writes, which it does not read.
    pub to: u16,
    /// The first operand.
    pub a: Arg,
    /// The second operand.
    pub b: Arg,
    /// The third operand: the condition of [`Op::Select`].
    pub c: Arg,
}

/// How element `i` of a program finds its element of memory: `i` is split into an index of `dims`, the last
/// one fastest, and each part multiplied by its stride. No dims: element `i` itself.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Access {
    /// Sizes and strides of all axes.
    pub dims: Vec<(usize, isize)>,
}

impl Access {
    /// Element `i` is element `i`.
    pub fn linear() -> Self {
        Self::default()
    }

    /// Whether element `i` is element `i`.
    pub fn is_linear(&self) -> bool {
        self.dims.is_empty()
    }

    /// The first and last offset that is read.
    pub(crate) fn range(&self) -> (isize, isize) {
        range_of(&self.dims)
    }
}

impl Access {
    /// The axes of more than one element as sizes and strides without signs, the largest strides first.
    fn axes(&self) -> Vec<(usize, usize)> {
        let long = self.dims.iter().filter(|d| d.0 > 1);
        let mut out: Vec<_> = long.map(|d| (d.0, d.1.unsigned_abs())).collect();
        out.sort_by_key(|d| std::cmp::Reverse(d.1));
        out
    }

    /// Whether each stride leads beyond all that smaller ones reach, so that no element is met twice.
    fn is_nested(&self) -> bool {
        let axes = self.axes();
        (0..axes.len()).all(|i| axes[i].1 > reach(&axes[i + 1..]))
    }

    /// Whether two elements of nested axes lie so far from each other.
    fn meets_itself(&self, distance: usize) -> bool {
        fn search(axes: &[(usize, usize)], distance: usize) -> bool {
            let Some((&(n, stride), rest)) = axes.split_first() else {
                return distance == 0;
            };
            // The others reach less far than one step of this one.
            let below = distance / stride;
            [below, below + 1]
                .into_iter()
                .any(|steps| steps < n && search(rest, distance.abs_diff(steps * stride)))
        }
        search(&self.axes(), distance)
    }
}

/// The largest offset of strided axes.
fn reach(axes: &[(usize, usize)]) -> usize {
    axes.iter().fold(0, |sum: usize, d| sum.saturating_add((d.0 - 1).saturating_mul(d.1)))
}

/// A tensor that a program reads.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Load<P = Place> {
    /// Its first element.
    pub place: P,
    /// Where the others are.
    pub access: Access,
}

/// A tensor that a program writes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Store<P = Place> {
    /// Its first element.
    pub place: P,
    /// Where the others are, each at a place of its own.
    pub access: Access,
}

impl<P> From<P> for Store<P> {
    /// Element `i` is element `i`.
    fn from(place: P) -> Self {
        Store { place, access: Access::linear() }
    }
}

/// A number that a program reads.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Scalar<P = Place> {
    /// Known when planned.
    Constant(f64),
    /// In memory.
    At(P),
}

/// A program. Slots are numbered registers first, then loads, then outputs.
#[derive(Clone, PartialEq, Debug)]
pub struct Program<P = Place> {
    /// The number of elements.
    pub count: usize,
    /// The number of registers.
    pub registers: usize,
    /// The tensors it reads.
    pub loads: Vec<Load<P>>,
    /// The tensors it writes.
    pub outputs: Vec<Store<P>>,
    /// The numbers it reads.
    pub scalars: Vec<Scalar<P>>,
    /// What it does, in order.
    pub ops: Vec<MicroOp>,
}

impl<P> Default for Program<P> {
    fn default() -> Self {
        Self { count: 0, registers: 0, loads: vec![], outputs: vec![], scalars: vec![], ops: vec![] }
    }
}

impl<P> Program<P> {
    /// The same program with other places.
    pub fn map<'a, Q, F: FnMut(&'a P) -> Q>(&'a self, place: &mut F) -> Program<Q> {
        Program {
            count: self.count,
            registers: self.registers,
            loads: self
                .loads
                .iter()
                .map(|l| Load { place: place(&l.place), access: l.access.clone() })
                .collect(),
            scalars: self
                .scalars
                .iter()
                .map(|s| match s {
                    Scalar::Constant(c) => Scalar::Constant(*c),
                    Scalar::At(p) => Scalar::At(place(p)),
                })
                .collect(),
            outputs: self
                .outputs
                .iter()
                .map(|o| Store { place: place(&o.place), access: o.access.clone() })
                .collect(),
            ops: self.ops.clone(),
        }
    }
}

impl Program {
    /// The number of elements in whole lanes.
    pub(crate) fn padded(&self) -> usize {
        self.count.next_multiple_of(LANES)
    }

    /// Whether whole lanes at a place would reach into what the next iteration of a loop finds there. Such
    /// tensors are copied to scratch, and from there, element by element.
    #[inline(always)]
    pub(crate) fn is_ragged(&self, place: Place) -> bool {
        place.space.moves() && !self.count.is_multiple_of(LANES)
    }

    /// Whether a tensor is read from a copy in scratch.
    #[inline(always)]
    pub(crate) fn is_copied(&self, load: &Load) -> bool {
        !load.access.is_linear() || self.is_ragged(load.place)
    }

    /// Whether a tensor is computed in scratch and copied from there.
    #[inline(always)]
    pub(crate) fn is_staged(&self, store: &Store) -> bool {
        !store.access.is_linear() || self.is_ragged(store.place)
    }

    /// The elements that are touched where element `i` is element `i`.
    pub(crate) fn width_at(&self, place: Place) -> usize {
        if self.is_ragged(place) { self.count } else { self.padded() }
    }

    fn touch(&self, place: Place, access: &Access, writes: bool) -> Touch {
        let (low, high) = if access.is_linear() {
            (0, isize::try_from(self.width_at(place)).unwrap_or(isize::MAX).saturating_sub(1))
        } else {
            access.range()
        };
        Touch { place, low, high, writes }
    }

    /// What reading a tensor touches.
    pub(crate) fn load_touch(&self, load: &Load) -> Touch {
        self.touch(load.place, &load.access, false)
    }

    /// What writing a tensor touches.
    pub(crate) fn store_touch(&self, store: &Store) -> Touch {
        self.touch(store.place, &store.access, true)
    }

    /// Whether a slot is an output, and which.
    fn output_of(&self, slot: u16) -> Option<usize> {
        (slot as usize).checked_sub(self.registers + self.loads.len())
    }

    fn load_of(&self, slot: u16) -> Option<usize> {
        (slot as usize).checked_sub(self.registers).filter(|&l| l < self.loads.len())
    }

    /// Checks everything that running without checks relies on, but for the bounds of memory: slots and
    /// scalars exist, an operation does not read what it writes, loads are not written, and what is written
    /// over a tensor that is also read is written at the same element and after the last read.
    fn check_program(&self, scope: &Scope) -> Result<(), String> {
        let slots = self.slots();
        for (i, op) in self.ops.iter().enumerate() {
            if op.to as usize >= slots || self.load_of(op.to).is_some() {
                return Err(format!("operation {i} writes slot {}", op.to));
            }
            for arg in [op.a, op.b, op.c] {
                let bad = match arg {
                    Arg::Slot(s) => s as usize >= slots || s == op.to,
                    Arg::Scalar(s) => s as usize >= self.scalars.len(),
                    Arg::None => false,
                };
                if bad {
                    return Err(format!("operation {i} reads {arg:?}"));
                }
            }
            let needed = match op.op {
                Op::Unary(_) => [true, false, false],
                Op::Binary(_) => [true, true, false],
                Op::Select => [true; 3],
                Op::Counter { repeat, modulo } if repeat == 0 || modulo == 0 => {
                    return Err(format!("operation {i} divides by 0"));
                }
                Op::Counter { .. } => [false; 3],
                Op::Random { .. } if [op.a, op.b, op.c].iter().any(|a| matches!(a, Arg::Slot(_))) => {
                    return Err(format!("operation {i} keys a random number by a tensor"));
                }
                Op::Random { .. } => [false; 3],
            };
            if [op.a, op.b, op.c].iter().zip(needed).any(|(a, n)| n && *a == Arg::None) {
                return Err(format!("operation {i} lacks an operand"));
            }
        }
        let fits = |access: &Access| {
            let n = access.dims.iter().try_fold(1usize, |n, d| n.checked_mul(d.0));
            access.is_linear() || n == Some(self.count)
        };
        if !self.loads.iter().all(|l| fits(&l.access)) {
            return Err("a load has another size".into());
        }
        if !self.outputs.iter().all(|o| fits(&o.access) && o.access.is_nested()) {
            return Err("an output has another size or an element twice".into());
        }
        self.check_overlaps(scope)
    }

    fn check_overlaps(&self, scope: &Scope) -> Result<(), String> {
        for (o, out) in self.outputs.iter().enumerate() {
            let written = self.store_touch(out);
            let apart = |other: &Store| {
                let alike = out.place.space == other.place.space && out.access == other.access;
                alike
                    && !out.access.is_linear()
                    && !out.access.meets_itself(out.place.offset.abs_diff(other.place.offset))
            };
            let meets = |other: &Store| !apart(other) && scope.meet(&self.store_touch(other), &written);
            if self.outputs[..o].iter().any(meets) {
                return Err("outputs overlap".into());
            }
            let number = |place: Place| Touch { place, low: 0, high: 0, writes: false };
            if self
                .scalars
                .iter()
                .any(|s| matches!(s, Scalar::At(place) if scope.meet(&number(*place), &written)))
            {
                return Err("a scalar is written".into());
            }
            for (l, load) in self.loads.iter().enumerate() {
                if !scope.meet(&self.load_touch(load), &written) {
                    continue;
                }
                let first = self.ops.iter().position(|op| self.output_of(op.to) == Some(o));
                let last = self.ops.iter().rposition(|op| {
                    [op.a, op.b, op.c]
                        .iter()
                        .any(|arg| matches!(arg, Arg::Slot(s) if self.load_of(*s) == Some(l)))
                });
                let linear = load.access.is_linear() && out.access.is_linear();
                let same = load.place == out.place && linear;
                if !same || matches!((first, last), (Some(f), Some(l)) if f <= l) {
                    return Err("a tensor is written before it is read".into());
                }
            }
        }
        Ok(())
    }

    /// Registers, loads and outputs.
    fn slots(&self) -> usize {
        self.registers + self.loads.len() + self.outputs.len()
    }

    /// Elements of a tile: what it touches fits the first cache.
    pub(crate) fn tile(&self, bytes: usize) -> usize {
        let fits = 24 * 1024 / bytes / self.slots().max(1);
        (fits / LANES * LANES).clamp(8 * LANES, 64 * LANES)
    }

    /// A rough cost per element, to decide what is worth a second thread.
    pub(crate) fn weight(&self) -> usize {
        let op = |op: &MicroOp| match op.op {
            Op::Unary(u) => u.weight(),
            Op::Binary(b) => b.weight(),
            Op::Random { normal, .. } => 20 + 60 * usize::from(normal),
            Op::Select | Op::Counter { .. } => 1,
        };
        self.ops.iter().map(op).sum::<usize>() + 2 * (self.loads.len() + self.outputs.len())
    }
}

impl Kernel for Program {
    fn name(&self) -> &'static str {
        "tile"
    }

    /// The operations, with counts.
    fn detail(&self) -> String {
        let mut names: Vec<(String, usize)> = Vec::new();
        for op in &self.ops {
            let name = match op.op {
                Op::Unary(u) => format!("{u:?}").to_lowercase(),
                Op::Binary(b) => format!("{b:?}").to_lowercase(),
                Op::Select => "select".into(),
                Op::Counter { .. } => "iota".into(),
                Op::Random { normal, .. } => if normal { "normal" } else { "uniform" }.into(),
            };
            match names.iter_mut().find(|n| n.0 == name) {
                Some(known) => known.1 += 1,
                None => names.push((name, 1)),
            }
        }
        let names: Vec<String> =
            names.into_iter().map(|(n, c)| if c == 1 { n } else { format!("{n}*{c}") }).collect();
        format!("{}: {}", self.count, names.join(" "))
    }

    fn elements(&self) -> usize {
        let read = |l: &Load| {
            let moving = l.access.dims.iter().filter(|d| d.1 != 0).map(|d| d.0);
            if l.access.is_linear() { self.count } else { moving.product() }
        };
        let scalars = self.scalars.iter().filter(|s| matches!(s, Scalar::At(_))).count();
        let used = self.ops.iter().flat_map(|o| [o.a, o.b, o.c]).any(|a| a != Arg::None);
        let loads: usize = self.loads.iter().map(read).sum();
        loads + usize::from(used) * scalars + self.outputs.len() * self.count
    }

    fn touches(&self) -> Result<Vec<Touch>, String> {
        let loads = self.loads.iter().filter(|_| self.count > 0);
        let mut out: Vec<Touch> = loads.map(|load| self.load_touch(load)).collect();
        for scalar in &self.scalars {
            if let Scalar::At(place) = scalar {
                out.extend(Touch::read(*place, Some(1))?);
            }
        }
        for store in &self.outputs {
            if store.access.is_linear() {
                out.extend(Touch::write(store.place, Some(self.width_at(store.place)))?);
            } else if self.count > 0 {
                out.push(self.store_touch(store));
            }
        }
        Ok(out)
    }

    fn check(&self, scope: &Scope, _: &[Touch]) -> Result<(), String> {
        self.check_program(scope)
    }

    /// A tile for every register, and for every load and output that has a copy.
    fn scratch(&self, bytes: usize) -> Scratch {
        let loads = self.loads.iter().filter(|l| self.is_copied(l)).count();
        let outputs = self.outputs.iter().filter(|o| self.is_staged(o)).count();
        let tiles = (self.registers + loads + outputs) * self.tile(bytes);
        Scratch { each: tiles, first: tiles, scalars: self.scalars.len(), slots: self.slots() }
    }
}
