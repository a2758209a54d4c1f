//! What is checked once so that running needs no checks: all elements lie within the memories, and nothing is
//! written that the same instruction still reads.
//!
//! A place that moves with a loop is checked for all iterations at once.

use crate::conv::window::WindowFold;
use crate::elementwise::tile::{Scalar, range_of};
use crate::instr::{Instr, Loop, Place, Space};
use crate::matmul::dot::Dot;
use crate::reduce::{ArgMax, Reduce};

/// A box of elements that an instruction touches, relative to its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Touch {
    pub(crate) place: Place,
    pub(crate) low: isize,
    pub(crate) high: isize,
    pub(crate) writes: bool,
}

pub(crate) fn dense(place: Place, count: Option<usize>, writes: bool) -> Result<Option<Touch>, String> {
    let count = count.filter(|&c| c <= isize::MAX as usize).ok_or("a size overflows")?;
    Ok((count > 0).then(|| Touch { place, low: 0, high: count as isize - 1, writes }))
}

fn product(sizes: &[usize]) -> Option<usize> {
    sizes.iter().try_fold(1usize, |n, &s| n.checked_mul(s))
}

/// Elements of a memory, the first and the last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    memory: Space,
    low: isize,
    high: isize,
}

impl Range {
    /// Whether they share one.
    pub(crate) fn meets(&self, other: &Range) -> bool {
        self.memory == other.memory && self.low <= other.high && other.low <= self.high
    }
}

/// A cursor in scope: what it moves along and how far, over all iterations.
#[derive(Clone, Copy, Debug)]
struct Moving {
    parent: Space,
    low: isize,
    high: isize,
}

/// The sizes of the memories, and the cursors of the loops around an instruction.
#[derive(Debug)]
pub(crate) struct Scope {
    memories: [usize; 2],
    cursors: Vec<Option<Moving>>,
}

impl Scope {
    /// Outside of loops; `cursors` is the number of cursors that there may be.
    pub(crate) fn new(arena: usize, store: usize, cursors: usize) -> Self {
        Self { memories: [arena, store], cursors: vec![None; cursors] }
    }

    /// What a touch reaches over all iterations of the loops around.
    pub(crate) fn range(&self, touch: &Touch) -> Result<Range, String> {
        let overflow = || format!("{:?} overflows", touch.place);
        let start = isize::try_from(touch.place.offset).map_err(|_| overflow())?;
        let mut space = touch.place.space;
        let mut low = start.checked_add(touch.low).ok_or_else(overflow)?;
        let mut high = start.checked_add(touch.high).ok_or_else(overflow)?;
        while space.moves() {
            let cursor = self.cursors.get(space.index() - 2).copied().flatten();
            let cursor = cursor.ok_or_else(|| format!("{space:?} belongs to no loop around it"))?;
            low = low.checked_add(cursor.low).ok_or_else(overflow)?;
            high = high.checked_add(cursor.high).ok_or_else(overflow)?;
            space = cursor.parent;
        }
        Ok(Range { memory: space, low, high })
    }

    fn is_inside(&self, touch: &Touch) -> Result<(), String> {
        let range = self.range(touch)?;
        if range.low < 0 || range.high as usize >= self.memories[range.memory.index()] {
            return Err(format!("{:?} + {} ..= {} is outside", touch.place, touch.low, touch.high));
        }
        Ok(())
    }

    /// Whether two touches share an element. Those that move alike are compared where they stand; others as
    /// if each touched everything that it passes over.
    pub(crate) fn meet(&self, a: &Touch, b: &Touch) -> bool {
        if a.place.space == b.place.space {
            let ends = |t: &Touch| {
                let at = t.place.offset as isize;
                (at.saturating_add(t.low), at.saturating_add(t.high))
            };
            let ((a0, a1), (b0, b1)) = (ends(a), ends(b));
            return a0 <= b1 && b0 <= a1;
        }
        match (self.range(a), self.range(b)) {
            (Ok(a), Ok(b)) => a.meets(&b),
            _ => true,
        }
    }

    /// What some checked instructions write, over all iterations.
    pub(crate) fn written(&mut self, instrs: &[Instr]) -> Result<Vec<Range>, String> {
        let mut out = Vec::new();
        for instr in instrs {
            if let Instr::Loop(l) = instr {
                self.enter(l)?;
                out.extend(self.written(&l.body)?);
                self.leave(l);
            } else {
                for touch in instr.touches()?.iter().filter(|t| t.writes) {
                    out.push(self.range(touch)?);
                }
            }
        }
        Ok(out)
    }

    /// Checks instructions.
    pub(crate) fn check(&mut self, instrs: &[Instr]) -> Result<(), String> {
        for (i, instr) in instrs.iter().enumerate() {
            let result = match instr {
                Instr::Loop(l) => self.check_loop(l),
                other => self.check_instr(other),
            };
            result.map_err(|e| format!("instruction {i}: {e}"))?;
        }
        Ok(())
    }

    /// Checks a loop. A body that never runs touches nothing.
    fn check_loop(&mut self, l: &Loop) -> Result<(), String> {
        if l.length == 0 {
            return Ok(());
        }
        self.enter(l)?;
        self.check(&l.body)?;
        self.leave(l);
        Ok(())
    }

    /// Goes into the body of a loop.
    pub(crate) fn enter(&mut self, l: &Loop) -> Result<(), String> {
        let last = l.length.saturating_sub(1);
        let mut moving = Vec::with_capacity(l.cursors.len());
        for c in &l.cursors {
            let reach = isize::try_from(last).ok().and_then(|n| n.checked_mul(c.stride));
            let reach = reach.ok_or("the way of a cursor overflows")?;
            let outer = |space: Space| {
                !space.moves() || self.cursors.get(space.index() - 2).is_some_and(Option::is_some)
            };
            if !outer(c.parent) {
                return Err(format!("the parent of {:?} belongs to no loop around it", c.space));
            }
            if !c.space.moves() || outer(c.space) {
                return Err(format!("{:?} is no new cursor", c.space));
            }
            moving.push(Moving { parent: c.parent, low: reach.min(0), high: reach.max(0) });
        }
        for (c, moving) in l.cursors.iter().zip(moving) {
            let slot = self.cursors.get_mut(c.space.index() - 2).filter(|slot| slot.is_none());
            *slot.ok_or_else(|| format!("{:?} is no new cursor", c.space))? = Some(moving);
        }
        Ok(())
    }

    /// Back from the body of a loop that was entered.
    pub(crate) fn leave(&mut self, l: &Loop) {
        for c in &l.cursors {
            self.cursors[c.space.index() - 2] = None;
        }
    }

    fn check_instr(&self, instr: &Instr) -> Result<(), String> {
        let touches = instr.touches()?;
        touches.iter().try_for_each(|t| self.is_inside(t))?;
        if let Instr::Tile(program) = instr {
            return program.check(self);
        }
        for (i, a) in touches.iter().enumerate() {
            if touches[..i].iter().any(|b| (a.writes || b.writes) && self.meet(a, b)) {
                return Err("an instruction writes what it reads".into());
            }
        }
        Ok(())
    }
}

/// The number of cursors of all loops.
pub(crate) fn cursors(instrs: &[Instr]) -> usize {
    let of = |instr: &Instr| if let Instr::Loop(l) = instr { l.cursors.len() + cursors(&l.body) } else { 0 };
    instrs.iter().map(of).sum()
}

impl Instr {
    /// Everything it touches; a loop's body is looked at on its own.
    fn touches(&self) -> Result<Vec<Touch>, String> {
        let mut out = Vec::new();
        match self {
            Instr::Loop(_) => {}
            Instr::Tile(p) => {
                for load in p.loads.iter().filter(|_| p.count > 0) {
                    out.push(p.load_touch(load));
                }
                for scalar in &p.scalars {
                    if let Scalar::At(place) = scalar {
                        out.extend(dense(*place, Some(1), false)?);
                    }
                }
                for &place in &p.outputs {
                    out.extend(dense(place, Some(p.width_at(place)), true)?);
                }
            }
            Instr::Dot(d) => {
                let sizes: Vec<usize> = d.batch.iter().map(|b| b.0).chain([d.m, d.n]).collect();
                let result = dense(d.c, product(&sizes), true)?;
                if result.is_some() && d.k > 0 {
                    out.extend([d.left_touch(), d.right_touch()]);
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
}

impl Dot {
    fn left_touch(&self) -> Touch {
        let batch = self.batch.iter().map(|b| (b.0, b.1));
        let dims: Vec<_> = batch.chain([(self.m, self.a.row), (self.k, self.a.column)]).collect();
        let (low, high) = range_of(&dims);
        Touch { place: self.a.place, low, high, writes: false }
    }

    /// What reading the right operand touches.
    pub(crate) fn right_touch(&self) -> Touch {
        let batch = self.batch.iter().map(|b| (b.0, b.2));
        let dims: Vec<_> = batch.chain([(self.k, self.b.row), (self.n, self.b.column)]).collect();
        let (low, high) = range_of(&dims);
        Touch { place: self.b.place, low, high, writes: false }
    }
}
