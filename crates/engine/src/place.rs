//! From elements of buffers to places: where buffers lie, and the cursors of loops.

use crate::EngineError;
use crate::program::assemble;
use crate::unit::Work;
use crate::view::{BufferId, Spot};
use nnc_kernels::{Cursor, Instr, Loop, Place, Space};

/// Gives spots their places. A spot that moves with a loop stands in the space of one of the loop's cursors;
/// spots of one memory that move alike share it.
pub(crate) struct Places<'a> {
    locate: &'a dyn Fn(BufferId) -> Place,
    /// The cursors so far of every loop around, the outermost first.
    loops: Vec<Vec<Cursor>>,
    /// Cursors of all loops so far.
    cursors: u32,
}

impl<'a> Places<'a> {
    /// Outside of loops; `locate` says where buffers begin.
    pub(crate) fn new(locate: &'a dyn Fn(BufferId) -> Place) -> Self {
        Self { locate, loops: Vec::new(), cursors: 0 }
    }

    /// The place of a spot. Steps of loops that are not around do nothing.
    pub(crate) fn place(&mut self, spot: &Spot) -> Place {
        let Place { mut space, offset } = (self.locate)(spot.buffer);
        for (cursors, &stride) in self.loops.iter_mut().zip(&spot.steps) {
            if stride == 0 {
                continue;
            }
            let known = cursors.iter().find(|c| c.parent == space && c.stride == stride).copied();
            let cursor =
                known.unwrap_or(Cursor { space: Space::cursor(self.cursors), parent: space, stride });
            if known.is_none() {
                self.cursors += 1;
                cursors.push(cursor);
            }
            space = cursor.space;
        }
        Place { space, offset: offset + spot.offset }
    }

    /// The instructions of some work.
    pub(crate) fn work(&mut self, work: &Work) -> Result<Vec<Instr>, EngineError> {
        let mut out = Vec::new();
        match work {
            Work::Draft(draft) => out.push(Instr::Tile(assemble(draft, &mut |spot| self.place(spot))?)),
            Work::Fixed(instrs) => out.extend(instrs.iter().map(|i| self.instr(i))),
            Work::Loop(l) => {
                for work in &l.before {
                    out.extend(self.work(work)?);
                }
                self.loops.push(Vec::new());
                let mut body = Vec::new();
                for work in &l.body {
                    body.extend(self.work(work)?);
                }
                let cursors = self.loops.pop().unwrap_or_default();
                out.push(Instr::Loop(Loop { length: l.length, reverse: l.reverse, cursors, body }));
            }
        }
        Ok(out)
    }

    /// An instruction with its places. Loops get their cursors.
    pub(crate) fn instr(&mut self, instr: &Instr<Spot>) -> Instr {
        let Instr::Loop(l) = instr else {
            return instr.map(&mut |spot| self.place(spot));
        };
        self.loops.push(Vec::new());
        let body = l.body.iter().map(|i| self.instr(i)).collect();
        let cursors = self.loops.pop().unwrap_or_default();
        Instr::Loop(Loop { length: l.length, reverse: l.reverse, cursors, body })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use nnc_kernels::{Code, Copy, Pool, Zero};

    /// Two loops within each other transpose a matrix, one element at a time.
    #[test]
    fn loops_within_loops() {
        let spot = |buffer, steps: [isize; 2]| Spot { buffer, offset: 0, steps: steps.to_vec() };
        let copy = Instr::Copy(Copy { dims: vec![], from: spot(0, [3, 1]), to: spot(1, [1, 2]) });
        let around = |length, body| Instr::Loop(Loop { length, reverse: false, cursors: vec![], body });
        let nested = around(2, vec![around(3, vec![copy])]);
        let locate = |b: BufferId| Place { space: [Space::ARENA, Space::STORE][b], offset: 4 * b };
        let instr = Places::new(&locate).instr(&nested);
        let mut code = Code::<f32>::new(vec![instr], 6, 10, 1).unwrap();
        let mut to = [0.0; 10];
        code.run(0..1, &mut [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &mut to, &Pool::new(1), (0, 0));
        assert_eq!(to[4..], [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }

    #[test]
    fn what_moves_alike_shares_a_cursor() {
        let locate = |b: BufferId| Place { space: Space::ARENA, offset: 16 * b };
        let zero =
            |buffer, step| Instr::Zero(Zero { to: Spot { buffer, offset: 1, steps: vec![step] }, count: 1 });
        let placed = |space, offset| Instr::Zero(Zero { to: Place { space, offset }, count: 1 });
        let body = vec![zero(0, 2), zero(1, 2), zero(2, 3), zero(3, 0)];
        let l = Instr::Loop(Loop { length: 2, reverse: true, cursors: vec![], body });
        let mut places = Places::new(&locate);
        let Instr::Loop(l) = places.instr(&l) else { panic!("a loop stays one") };
        assert_eq!(l.cursors.len(), 2);
        assert_eq!(l.body[0], placed(l.cursors[0].space, 1));
        assert_eq!(l.body[1], placed(l.cursors[0].space, 17));
        assert_eq!(l.body[2], placed(l.cursors[1].space, 33));
        assert_eq!(l.body[3], placed(Space::ARENA, 49));
    }
}
