//! Where elements lie: memories, and spaces that move with loops.

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
