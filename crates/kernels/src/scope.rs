//! What instructions touch, over all iterations of the loops around them.

use crate::place::{Cursor, Place, Space};

/// A box of elements that an instruction touches, relative to its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Touch {
    pub(crate) place: Place,
    pub(crate) low: isize,
    pub(crate) high: isize,
    pub(crate) writes: bool,
}

impl Touch {
    /// Neighbouring elements, if there are any.
    pub(crate) fn dense(place: Place, count: Option<usize>, writes: bool) -> Result<Option<Self>, String> {
        let count = count.filter(|&c| c <= isize::MAX as usize).ok_or("a size overflows")?;
        Ok((count > 0).then(|| Touch { place, low: 0, high: count as isize - 1, writes }))
    }

    /// Neighbouring elements that are read.
    pub(crate) fn read(place: Place, count: Option<usize>) -> Result<Option<Self>, String> {
        Self::dense(place, count, false)
    }

    /// Neighbouring elements that are written.
    pub(crate) fn write(place: Place, count: Option<usize>) -> Result<Option<Self>, String> {
        Self::dense(place, count, true)
    }

    /// Elements of sizes and strides.
    pub(crate) fn strided(place: Place, dims: &[(usize, isize)], writes: bool) -> Self {
        let (low, high) = range_of(dims);
        Self { place, low, high, writes }
    }
}

/// How many elements sizes make, if they are not too many.
pub(crate) fn product(sizes: &[usize]) -> Option<usize> {
    sizes.iter().try_fold(1usize, |n, &s| n.checked_mul(s)).filter(|&n| n <= isize::MAX as usize)
}

/// The smallest and largest offset of a strided box.
pub(crate) fn range_of(dims: &[(usize, isize)]) -> (isize, isize) {
    let (mut low, mut high) = (0isize, 0isize);
    for &(n, stride) in dims {
        let reach = stride.saturating_mul(n.saturating_sub(1) as isize);
        if reach < 0 {
            low = low.saturating_add(reach);
        } else {
            high = high.saturating_add(reach);
        }
    }
    (low, high)
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

    /// Whether a touch lies within the memories, in all iterations.
    pub(crate) fn is_inside(&self, touch: &Touch) -> Result<(), String> {
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

    /// Goes into the body of a loop.
    pub(crate) fn enter(&mut self, length: usize, cursors: &[Cursor]) -> Result<(), String> {
        let last = length.saturating_sub(1);
        let mut moving = Vec::with_capacity(cursors.len());
        for c in cursors {
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
        for (c, moving) in cursors.iter().zip(moving) {
            let slot = self.cursors.get_mut(c.space.index() - 2).filter(|slot| slot.is_none());
            *slot.ok_or_else(|| format!("{:?} is no new cursor", c.space))? = Some(moving);
        }
        Ok(())
    }

    /// Back from the body of a loop that was entered.
    pub(crate) fn leave(&mut self, cursors: &[Cursor]) {
        for c in cursors {
            self.cursors[c.space.index() - 2] = None;
        }
    }

    /// Checks that nothing is written that is read or written besides.
    pub(crate) fn are_apart(&self, touches: &[Touch]) -> Result<(), String> {
        for (i, a) in touches.iter().enumerate() {
            if touches[..i].iter().any(|b| (a.writes || b.writes) && self.meet(a, b)) {
                return Err("an instruction writes what it reads".into());
            }
        }
        Ok(())
    }
}
