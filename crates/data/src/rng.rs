//! Random numbers by counter: the value at place `i` of a stream is a
//! function of the stream's key and `i`, so that neither order nor threads
//! matter. Only 64-bit integer arithmetic and correctly rounded operations
//! are used (and `libm`, which is the same code on every machine), so the
//! bits are the same everywhere.
//!
//! The function is splitmix64 (Steele, Lea and Flood 2014): the state after
//! `i + 1` steps is `key + (i + 1) * 0x9e3779b97f4a7c15`, and the output is
//! its finaliser. Keys are made by sending (seed, purpose, number) through
//! the same finaliser one after the other.
//!
//! It is not the Philox of `nnc_random`, from which graphs draw: splits, orders of epochs and generated rows are what
//! users see and keep, and another generator would change them all and better nothing.

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of splitmix64.
fn mix(z: u64) -> u64 {
    // That one takes a step first.
    nnc_random::mix(z.wrapping_sub(GOLDEN))
}

/// What a stream is for; two purposes never share numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Sharing rows out into parts.
    Split = 1,
    /// The order of an epoch.
    Epoch = 2,
    /// Made-up data.
    Generator = 3,
    /// Changing pictures while training.
    Augment = 4,
}

/// A stream of random numbers with free access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    key: u64,
}

impl Stream {
    /// The stream of this seed, purpose and number (an epoch, say).
    pub fn new(seed: u64, purpose: Purpose, number: u64) -> Self {
        let mut key = mix(seed.wrapping_add(GOLDEN));
        key = mix(key ^ (purpose as u64).wrapping_mul(GOLDEN));
        key = mix(key ^ number.wrapping_add(1).wrapping_mul(GOLDEN));
        Self { key }
    }

    /// 64 random bits for place `i`.
    pub fn bits(&self, i: u64) -> u64 {
        mix(self.key.wrapping_add(i.wrapping_add(1).wrapping_mul(GOLDEN)))
    }

    /// Evenly in `[0, 1)`, in steps of 2^-53.
    pub fn uniform(&self, i: u64) -> f64 {
        (self.bits(i) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Evenly in `0..n`; the bias is below `n / 2^64`. 0 for `n` of 0.
    pub fn below(&self, i: u64, n: u64) -> u64 {
        ((u128::from(self.bits(i)) * u128::from(n)) >> 64) as u64
    }

    /// Normal with mean 0 and deviation 1, from places `2i` and `2i + 1`
    /// (Box and Muller); do not mix with other uses of those places.
    pub fn normal(&self, i: u64) -> f64 {
        let i = i.wrapping_mul(2);
        let u = 1.0 - self.uniform(i); // (0, 1]: the logarithm is finite
        let v = self.uniform(i.wrapping_add(1));
        libm::sqrt(-2.0 * libm::log(u)) * libm::cos(std::f64::consts::TAU * v)
    }
}

/// Fills `out` with a permutation of `0..out.len()`: the order of an epoch.
/// Fisher and Yates, with the stream of (seed, epoch); allocates nothing.
pub fn shuffled(seed: u64, epoch: u64, out: &mut [u32]) {
    permute(&Stream::new(seed, Purpose::Epoch, epoch), out);
}

/// As [`shuffled`], but runs of `run` neighbours are shuffled as one, and
/// then the rows within groups of `group` runs.
pub(crate) fn shuffled_runs(seed: u64, epoch: u64, run: usize, group: usize, out: &mut [u32]) {
    let stream = Stream::new(seed, Purpose::Epoch, epoch);
    let n = out.len();
    let (run, group) = (run.max(1), group.max(1));
    let mut runs: Vec<u32> = vec![0; n.div_ceil(run)];
    permute(&stream, &mut runs);
    let rows = runs.iter().flat_map(|&r| r as usize * run..(r as usize * run + run).min(n));
    out.iter_mut().zip(rows).for_each(|(slot, row)| *slot = row as u32);
    // Places the shuffle of the runs did not use.
    let mut base = runs.len() as u64;
    for rows in out.chunks_mut(run.saturating_mul(group)) {
        shuffle(&stream, base, rows);
        base += rows.len() as u64;
    }
}

/// Fills `out` with a permutation of `0..out.len()`.
pub(crate) fn permute(stream: &Stream, out: &mut [u32]) {
    for (i, slot) in out.iter_mut().enumerate() {
        *slot = i as u32;
    }
    shuffle(stream, 0, out);
}

/// Shuffles `items`, with the stream's places from `base` on.
pub(crate) fn shuffle<T>(stream: &Stream, base: u64, items: &mut [T]) {
    for i in (1..items.len()).rev() {
        let j = stream.below(base.wrapping_add(i as u64), i as u64 + 1);
        items.swap(i, j as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_never_change() {
        // splitmix64 of state 0 is known: 0xe220a8397b1dcdaf first.
        let stream = Stream { key: 0 };
        assert_eq!(stream.bits(0), 0xe220_a839_7b1d_cdaf);
        assert_eq!(stream.bits(1), 0x6e78_9e6a_a1b9_65f4);
        let mut order = [0; 8];
        shuffled(7, 3, &mut order);
        let first = order;
        shuffled(7, 3, &mut order);
        assert_eq!(first, order);
        shuffled(7, 4, &mut order);
        assert_ne!(first, order);
    }

    #[test]
    fn a_permutation_has_every_row_once() {
        for n in [0usize, 1, 2, 3, 100, 1001] {
            let mut order = vec![0; n];
            shuffled(1, 2, &mut order);
            order.sort_unstable();
            assert!(order.iter().enumerate().all(|(i, &r)| i as u32 == r));
        }
    }

    #[test]
    fn runs_stay_near_each_other() {
        let mut order = vec![0; 1003];
        shuffled_runs(5, 1, 10, 4, &mut order);
        let near = |rows: &[u32]| {
            let runs: std::collections::BTreeSet<u32> = rows.iter().map(|r| r / 10).collect();
            runs.len() <= 5
        };
        assert!(order.chunks(40).all(near));
        assert!(order[..40].windows(2).any(|w| w[0] + 1 != w[1]));
        order.sort_unstable();
        assert!(order.iter().enumerate().all(|(i, &r)| i as u32 == r));
    }

    #[test]
    fn permutations_are_even() {
        // Every one of the 6 orders of three rows, about equally often.
        let mut seen = std::collections::BTreeMap::new();
        for epoch in 0..6000 {
            let mut order = [0; 3];
            shuffled(0, epoch, &mut order);
            *seen.entry(order).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 6);
        assert!(seen.values().all(|&n| (850..1150).contains(&n)), "{seen:?}");
    }

    #[test]
    fn normals_are_normal() {
        let stream = Stream::new(1, Purpose::Generator, 0);
        let n = 20_000;
        let values: Vec<f64> = (0..n).map(|i| stream.normal(i)).collect();
        let mean = values.iter().sum::<f64>() / n as f64;
        let var = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
        assert!(mean.abs() < 0.02 && (var - 1.0).abs() < 0.03, "{mean} {var}");
    }
}
