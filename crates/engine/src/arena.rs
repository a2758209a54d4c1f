//! Where buffers lie in the arena: those that are needed at the same time lie apart.
//!
//! The largest come first, each into the smallest gap that it fits into between those that live with it. To look
//! at all of them for each is quadratic, so beyond [`EXACT`] buffers the rest, which is small, gets a part of the
//! arena of its own, where buffers come and go in the order of time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// How many buffers are placed among all others.
const EXACT: usize = 8192;

/// A buffer to be placed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Life {
    /// Elements.
    pub(crate) size: usize,
    /// The first and the last time at which it is needed.
    pub(crate) first: usize,
    pub(crate) last: usize,
}

/// The first element of every buffer, and the size of the arena; `None` when that is too large.
pub(crate) fn assign(buffers: &[Life]) -> Option<(Vec<usize>, usize)> {
    let mut order: Vec<usize> = (0..buffers.len()).collect();
    order.sort_by_key(|&b| (Reverse(buffers[b].size), b));
    let (large, small) = order.split_at(order.len().min(EXACT));
    let mut at = vec![0; buffers.len()];
    let total = among_all(buffers, large, &mut at)?;
    let total = in_order_of_time(buffers, small, total, &mut at)?;
    Some((at, total))
}

fn end_of(offset: usize, size: usize) -> Option<usize> {
    offset.checked_add(size).filter(|&e| e <= isize::MAX as usize / 16)
}

fn among_all(buffers: &[Life], order: &[usize], at: &mut [usize]) -> Option<usize> {
    // By their first element.
    let mut placed: Vec<(usize, usize)> = Vec::with_capacity(order.len());
    let mut total = 0usize;
    for &b in order {
        let Life { size, first, last } = buffers[b];
        let mut start = 0;
        let mut best: Option<(usize, usize)> = None;
        for &(offset, other) in &placed {
            let other = buffers[other];
            if other.last < first || last < other.first {
                continue;
            }
            if offset >= start + size && best.is_none_or(|(gap, _)| offset - start < gap) {
                best = Some((offset - start, start));
            }
            start = start.max(offset + other.size);
        }
        let offset = best.map_or(start, |(_, start)| start);
        total = total.max(end_of(offset, size)?);
        at[b] = offset;
        placed.insert(placed.partition_point(|p| *p < (offset, b)), (offset, b));
    }
    Some(total)
}

/// Free stretches of memory; neighbours are one.
#[derive(Default)]
struct Free {
    by_start: BTreeMap<usize, usize>,
    by_size: BTreeSet<(usize, usize)>,
}

impl Free {
    fn add(&mut self, mut start: usize, mut size: usize) {
        if let Some((&before, &n)) = self.by_start.range(..start).next_back()
            && before + n == start
        {
            self.remove(before, n);
            (start, size) = (before, size + n);
        }
        if let Some(&n) = self.by_start.get(&(start + size)) {
            self.remove(start + size, n);
            size += n;
        }
        if size > 0 {
            self.by_start.insert(start, size);
            self.by_size.insert((size, start));
        }
    }

    fn remove(&mut self, start: usize, size: usize) {
        self.by_start.remove(&start);
        self.by_size.remove(&(size, start));
    }

    /// The smallest stretch that is long enough.
    fn take(&mut self, size: usize) -> Option<usize> {
        let (found, start) = *self.by_size.range((size, 0)..).next()?;
        self.remove(start, found);
        self.add(start + size, found - size);
        Some(start)
    }

    /// The stretch that reaches to `end`.
    fn take_last(&mut self, end: usize) -> Option<usize> {
        let (&start, &size) = self.by_start.last_key_value()?;
        (start + size == end).then(|| {
            self.remove(start, size);
            start
        })
    }
}

fn in_order_of_time(buffers: &[Life], which: &[usize], base: usize, at: &mut [usize]) -> Option<usize> {
    let mut coming = which.to_vec();
    coming.sort_by_key(|&b| (buffers[b].first, Reverse(buffers[b].size), b));
    let mut living: BinaryHeap<Reverse<(usize, usize)>> = BinaryHeap::new();
    let mut free = Free::default();
    let mut total = base;
    for b in coming {
        let Life { size, first, last } = buffers[b];
        while let Some(&Reverse((end, gone))) = living.peek()
            && end < first
        {
            living.pop();
            free.add(at[gone], buffers[gone].size);
        }
        at[b] = match free.take(size) {
            Some(start) => start,
            None => {
                let start = free.take_last(total).unwrap_or(total);
                total = end_of(start, size)?;
                start
            }
        };
        living.push(Reverse((last, b)));
    }
    Some(total)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Lives of all lengths, and as many sizes as there are in a network.
    fn lives(n: usize) -> Vec<Life> {
        let mut state = 1u64;
        let mut below = |m: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % m
        };
        (0..n)
            .map(|i| {
                let first = below(n);
                let length = [below(4), below(100), below(n)][i % 3];
                Life { size: 16 * below(40), first, last: (first + length).min(n) }
            })
            .collect()
    }

    /// No two that live at the same time share an element: at every time, the living ones in the order of memory.
    fn apart(buffers: &[Life], at: &[usize], total: usize) {
        let mut events: Vec<(usize, bool, usize)> = Vec::new();
        for (b, life) in buffers.iter().enumerate().filter(|(_, l)| l.size > 0) {
            events.push((life.first, true, b));
            events.push((life.last + 1, false, b));
            assert!(at[b] + life.size <= total);
        }
        events.sort_unstable();
        let mut living: BTreeMap<usize, usize> = BTreeMap::new();
        for (_, comes, b) in events {
            if !comes {
                living.remove(&at[b]);
                continue;
            }
            let before = living.range(..=at[b]).next_back();
            assert!(before.is_none_or(|(&start, &size)| start + size <= at[b]), "{b}");
            let after = living.range(at[b]..).next();
            assert!(after.is_none_or(|(&start, _)| at[b] + buffers[b].size <= start), "{b}");
            living.insert(at[b], buffers[b].size);
        }
    }

    /// The most that lives at one time.
    fn least(buffers: &[Life]) -> usize {
        let mut events: Vec<(usize, bool, usize)> = Vec::new();
        for life in buffers {
            events.push((life.first, true, life.size));
            events.push((life.last + 1, false, life.size));
        }
        events.sort_unstable();
        let (mut now, mut most) = (0usize, 0);
        for (_, comes, size) in events {
            now = if comes { now + size } else { now - size };
            most = most.max(now);
        }
        most
    }

    #[test]
    fn buffers_that_live_together_lie_apart() {
        for n in [1, 2, 50, 2000, 30_000] {
            let buffers = lives(n);
            let (at, total) = assign(&buffers).unwrap();
            apart(&buffers, &at, total);
            let least = least(&buffers);
            assert!(total >= least && total <= least + least / 4, "{n}: {total} for {least}");
        }
    }

    #[test]
    fn a_hundred_thousand_buffers_are_no_more_than_what_lives() {
        // Forward values that wait for their turn in backward: what comes first goes last.
        let n = 100_000;
        let buffers: Vec<Life> =
            (0..n).map(|i| Life { size: 16 * (1 + i % 3), first: i, last: 2 * n - i }).collect();
        let (at, total) = assign(&buffers).unwrap();
        apart(&buffers, &at, total);
        assert_eq!(total, least(&buffers));
        // A chain, of which two live at a time.
        let buffers: Vec<Life> = (0..n).map(|i| Life { size: 16, first: i, last: i + 1 }).collect();
        let (at, total) = assign(&buffers).unwrap();
        apart(&buffers, &at, total);
        assert!(total <= 4 * 16, "{total}");
    }

    #[test]
    fn what_is_too_large_is_said() {
        let huge = Life { size: isize::MAX as usize / 32, first: 0, last: 1 };
        assert_eq!(assign(&[huge; 3]), None);
    }
}
