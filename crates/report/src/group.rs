//! Nodes put together into boxes so that the drawing says the truth.
//!
//! What a partition promises ([`partition`]):
//!
//! 1. Nodes of one part have one key, and hang together when the key is not loose and they were not split by what
//!    follows.
//! 2. No path of the graph leaves a part and comes back.
//! 3. A part leads to another one by edges between parts exactly when some node of the one leads to some node of the
//!    other in the graph.
//!
//! The second and third need splits: two calls of one function are two parts when another part lies between them, and
//! what does not pass what goes through a part is a part of its own.

use std::collections::{BTreeMap, BTreeSet};

/// A set of small numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Bits(Vec<u64>);

impl Bits {
    fn none(n: usize) -> Self {
        Bits(vec![0; n.div_ceil(64)])
    }

    fn insert(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }

    fn has(&self, at: usize) -> bool {
        self.0[at / 64] & (1 << (at % 64)) != 0
    }

    fn add(&mut self, other: &Bits) {
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            *a |= b;
        }
    }

    /// The smallest number that is in this set and not in the other.
    fn beyond(&self, other: &Bits) -> Option<usize> {
        self.0.iter().zip(&other.0).enumerate().find_map(|(i, (a, b))| {
            let left = a & !b;
            (left != 0).then(|| i * 64 + left.trailing_zeros() as usize)
        })
    }
}

/// The nodes at work, by their position in a list that is in topological order.
struct Nodes {
    takes: Vec<Vec<usize>>,
    part: Vec<usize>,
    parts: usize,
}

/// Parts of `nodes` (ascending; `takes` gives the operands of a node, all smaller), each ascending, in the
/// a topological order: of those that may come next, the one with the first node.
pub(crate) fn partition<'t, K: Ord>(
    nodes: &[usize],
    takes: impl Fn(usize) -> &'t [usize],
    keys: &[K],
    loose: impl Fn(&K) -> bool,
) -> Vec<Vec<usize>> {
    let position = |n: &usize| nodes.binary_search(n).ok();
    let mut work = Nodes {
        takes: nodes.iter().map(|&n| takes(n).iter().filter_map(position).collect()).collect(),
        part: Vec::new(),
        parts: 0,
    };
    work.connect(keys, loose);
    while work.split_returns() || work.split_false_paths() {}
    work.ordered().into_iter().map(|part| part.into_iter().map(|i| nodes[i]).collect()).collect()
}

impl Nodes {
    /// Nodes of one key that hang together are a part; those of a loose key are one in any case.
    fn connect<K: Ord>(&mut self, keys: &[K], loose: impl Fn(&K) -> bool) {
        let mut above: Vec<usize> = (0..keys.len()).collect();
        let mut first: BTreeMap<&K, usize> = BTreeMap::new();
        for (at, key) in keys.iter().enumerate().filter(|(_, key)| loose(key)) {
            above[at] = *first.entry(key).or_insert(at);
        }
        for at in 0..keys.len() {
            for &from in &self.takes[at] {
                if keys[from] == keys[at] {
                    let (a, b) = (root(&mut above, from), root(&mut above, at));
                    above[a.max(b)] = a.min(b);
                }
            }
        }
        self.part = (0..keys.len()).map(|at| root(&mut above, at)).collect();
        self.number();
    }

    /// Numbers the parts in the order of their first nodes.
    fn number(&mut self) {
        let mut numbers = BTreeMap::new();
        for part in &mut self.part {
            let next = numbers.len();
            *part = *numbers.entry(*part).or_insert(next);
        }
        self.parts = numbers.len();
    }

    /// The parts in their order.
    fn ordered(&self) -> Vec<Vec<usize>> {
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); self.parts];
        let mut waits: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); self.parts];
        let mut leads: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); self.parts];
        for (at, &part) in self.part.iter().enumerate() {
            members[part].push(at);
            for &from in self.takes[at].iter().filter(|&&from| self.part[from] != part) {
                waits[part].insert(self.part[from]);
                leads[self.part[from]].insert(part);
            }
        }
        // Parts are numbered by their first nodes.
        let mut ready: BTreeSet<usize> = (0..self.parts).filter(|&p| waits[p].is_empty()).collect();
        let mut out = Vec::with_capacity(self.parts);
        while let Some(part) = ready.pop_first() {
            out.push(std::mem::take(&mut members[part]));
            for &next in &leads[part] {
                waits[next].remove(&part);
                if waits[next].is_empty() {
                    ready.insert(next);
                }
            }
        }
        out
    }

    /// Splits parts that a path leaves and comes back to; whether there were any.
    fn split_returns(&mut self) -> bool {
        let mut left: Vec<Bits> = Vec::with_capacity(self.part.len());
        let mut late = Vec::with_capacity(self.part.len());
        for at in 0..self.part.len() {
            let mut bits = Bits::none(self.parts);
            for &from in &self.takes[at] {
                bits.add(&left[from]);
                if self.part[from] != self.part[at] {
                    bits.insert(self.part[from]);
                }
            }
            late.push(bits.has(self.part[at]));
            left.push(bits);
        }
        let split = late.iter().any(|l| *l);
        if split {
            for (part, late) in self.part.iter_mut().zip(late) {
                *part += if late { self.parts } else { 0 };
            }
            self.number();
        }
        split
    }

    /// Splits the first part that what goes into one of its sides seems to come out of another one; whether there was
    /// one.
    fn split_false_paths(&mut self) -> bool {
        let mut reached: Vec<Bits> = Vec::with_capacity(self.part.len());
        let mut of_part = vec![Bits::none(self.parts); self.parts];
        for at in 0..self.part.len() {
            let mut bits = Bits::none(self.parts);
            for &from in &self.takes[at] {
                bits.add(&reached[from]);
                if self.part[from] != self.part[at] {
                    bits.insert(self.part[from]);
                }
            }
            of_part[self.part[at]].add(&bits);
            reached.push(bits);
        }
        for at in 0..self.part.len() {
            for &from in &self.takes[at] {
                let (part, to) = (self.part[from], self.part[at]);
                if part == to {
                    continue;
                }
                // What reaches the part must reach what the part leads to.
                let Some(lost) = of_part[part].beyond(&of_part[to]) else { continue };
                for (i, p) in self.part.iter_mut().enumerate() {
                    if *p == part && reached[i].has(lost) {
                        *p = self.parts;
                    }
                }
                self.number();
                return true;
            }
        }
        false
    }
}

fn root(above: &mut [usize], mut at: usize) -> usize {
    while above[at] != at {
        above[at] = above[above[at]];
        at = above[at];
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(takes: &[&[usize]], keys: &[&str]) -> Vec<Vec<usize>> {
        let takes: Vec<Vec<usize>> = takes.iter().map(|t| t.to_vec()).collect();
        partition(&(0..takes.len()).collect::<Vec<_>>(), |n| &takes[n], keys, |_| false)
    }

    #[test]
    fn two_calls_with_something_between_are_two_parts() {
        let chain: [&[usize]; 5] = [&[], &[0], &[1], &[2], &[3]];
        assert_eq!(
            parts(&chain, &["x", "pool", "conv", "pool", "pool"]),
            [vec![0], vec![1], vec![2], vec![3, 4]]
        );
    }

    #[test]
    fn what_is_left_and_entered_again_is_split() {
        // b hangs together by the edge 1 -> 3, and another path goes 1 -> 2 -> 3.
        let skip: [&[usize]; 4] = [&[], &[0], &[1], &[1, 2]];
        assert_eq!(parts(&skip, &["a", "b", "c", "b"]), [vec![0], vec![1], vec![2], vec![3]]);
    }

    #[test]
    fn what_does_not_pass_through_is_a_part_of_its_own() {
        // 0 -> 2 and 1 -> 3 within one part, joined by 4 = f(2, 3): 0 never reaches 5, which takes 3 alone.
        let sides: [&[usize]; 6] = [&[], &[], &[0], &[1], &[2, 3], &[3]];
        let parts = parts(&sides, &["a", "b", "p", "p", "p", "c"]);
        assert_eq!(parts, [vec![0], vec![1], vec![3], vec![2, 4], vec![5]]);
    }
}
