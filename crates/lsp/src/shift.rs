//! Where something of an older text stands in a newer one.

use nnc_syntax::Span;

/// What two texts have in common at their beginning and their end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shift {
    /// Bytes that are the same from the beginning.
    before: usize,
    /// The first byte of the same end, in the older text.
    after: usize,
    /// The same in the newer one.
    now: usize,
}

impl Shift {
    /// Compares two texts.
    pub fn between(old: &str, new: &str) -> Self {
        let (a, b) = (old.as_bytes(), new.as_bytes());
        let before = a.iter().zip(b).take_while(|(x, y)| x == y).count();
        let rest = a.len().min(b.len()) - before;
        let end = a.iter().rev().zip(b.iter().rev()).take(rest).take_while(|(x, y)| x == y).count();
        Self { before, after: a.len() - end, now: b.len() - end }
    }

    /// Where a span is now; nothing where it was changed.
    pub fn of(self, span: Span) -> Option<Span> {
        let (start, end) = (span.start as usize, span.end as usize);
        if end <= self.before {
            return Some(span);
        }
        if start < self.after {
            return None;
        }
        let moved = |at: usize| at - self.after + self.now;
        Some(Span::new(span.source, moved(start), moved(end)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nnc_syntax::SourceId;

    #[test]
    fn what_was_not_touched_keeps_its_place() {
        let (old, new) = ("dense 8\ndense 1\n", "dense 8\nrelu\ndense 1\n");
        let shift = Shift::between(old, new);
        let at = |start, end| shift.of(Span::new(SourceId(0), start, end));
        assert_eq!(at(0, 7), Some(Span::new(SourceId(0), 0, 7)));
        assert_eq!(at(8, 15), Some(Span::new(SourceId(0), 13, 20)));
        let shift = Shift::between("dense 8\n", "dense 88\n");
        assert_eq!(shift.of(Span::new(SourceId(0), 0, 8)), None);
    }
}
