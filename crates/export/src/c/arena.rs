//! Working memory: which parts of one array hold which values when.

/// A value that lives for a while.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    /// Its elements.
    pub(crate) size: usize,
    /// The place in the order of the code where it is written first.
    pub(crate) from: usize,
    /// The place where it is read last.
    pub(crate) until: usize,
}

/// The first element of each, and the elements of all: the largest first, each in the lowest room that nothing
/// alive at the same time has.
pub(crate) fn settle(tenants: &[Tenant]) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..tenants.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(tenants[i].size), i));
    let mut places = vec![0; tenants.len()];
    let mut settled: Vec<usize> = Vec::new();
    let mut total = 0;
    for i in order {
        let own = &tenants[i];
        let mut others: Vec<(usize, usize)> = settled
            .iter()
            .filter(|&&o| tenants[o].from <= own.until && own.from <= tenants[o].until)
            .map(|&o| (places[o], places[o] + room(tenants[o].size)))
            .collect();
        others.sort_unstable();
        let mut at = 0;
        for (begin, end) in others {
            if at + own.size <= begin {
                break;
            }
            at = at.max(end);
        }
        places[i] = at;
        total = total.max(at + own.size);
        settled.push(i);
    }
    (places, total)
}

/// Rooms begin at multiples of four elements, which is what vectors of every machine like.
fn room(size: usize) -> usize {
    size.next_multiple_of(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_used_again() {
        let tenant = |size, from, until| Tenant { size, from, until };
        let all = [tenant(8, 0, 1), tenant(3, 1, 2), tenant(8, 2, 3), tenant(2, 0, 3)];
        let (places, total) = settle(&all);
        assert_eq!(places, [0, 8, 0, 12]);
        assert_eq!(total, 14);
        for (i, a) in all.iter().enumerate() {
            for (j, b) in all.iter().enumerate().skip(i + 1) {
                let together = a.from <= b.until && b.from <= a.until;
                let apart = places[i] + a.size <= places[j] || places[j] + b.size <= places[i];
                assert!(!together || apart, "{i} {j}");
            }
        }
    }
}
