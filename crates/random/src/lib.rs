//! Counter-based random numbers: a pure function of (seed, step, call site, element).
//!
//! The generator is Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3",
//! SC 2011), so that numbers depend neither on the order of execution nor on the number of threads.
//!
//! Graphs, their kernels and the reference evaluator draw from it. Data has a generator of its own, `rng.rs` there.

/// The key of one stream: one call site in one step of one seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    key: [u32; 2],
    step: u64,
}

impl Key {
    /// The stream of a call site in a step.
    pub fn new(seed: u64, step: u64, site: u64) -> Self {
        let mixed = mix(seed ^ mix(site));
        Self { key: [mixed as u32, (mixed >> 32) as u32], step }
    }

    /// Four words for counter `block`.
    #[inline(always)]
    pub fn block(&self, block: u64) -> [u32; 4] {
        self.blocks::<1>(block).map(|w| w[0])
    }

    /// The four words of `N` blocks from `first` on: word by word, so that loops over blocks become vectors.
    #[inline(always)]
    pub fn blocks<const N: usize>(&self, first: u64) -> [[u32; N]; 4] {
        let mut counter = [[0u32; N], [0; N], [self.step as u32; N], [(self.step >> 32) as u32; N]];
        let [low, high, ..] = &mut counter;
        for (b, (low, high)) in low.iter_mut().zip(high).enumerate() {
            let block = first.wrapping_add(b as u64);
            (*low, *high) = (block as u32, (block >> 32) as u32);
        }
        philox(counter, self.key)
    }

    /// 32 random bits for element `index`.
    pub fn bits(&self, index: u64) -> u32 {
        self.block(index / 4)[(index % 4) as usize]
    }

    /// A number in [0, 1) with 24 random bits, the same in every precision.
    pub fn uniform(&self, index: u64) -> f64 {
        f64::from(unit(self.bits(index)))
    }

    /// A standard normal number; elements 2i and 2i+1 share their two uniforms.
    pub fn normal(&self, index: u64) -> f64 {
        self.normals(index / 2)[(index % 2) as usize]
    }

    /// The standard normal numbers of elements 2i and 2i+1 (Box and Muller 1958).
    #[inline(always)]
    pub fn normals(&self, block: u64) -> [f64; 2] {
        let words = self.block(block);
        // In (0, 1], so that the logarithm is finite.
        let u = (f64::from(words[0]) + 1.0) * (1.0 / 4_294_967_296.0);
        let angle = std::f64::consts::TAU * f64::from(words[1]) * (1.0 / 4_294_967_296.0);
        let radius = libm::sqrt(-2.0 * libm::log(u));
        [radius * libm::cos(angle), radius * libm::sin(angle)]
    }
}

/// A number in [0, 1) from 24 of the bits, the same in every precision.
#[inline(always)]
pub fn unit(bits: u32) -> f32 {
    (bits >> 8) as i32 as f32 * (1.0 / 16_777_216.0)
}

/// The site of random numbers that are keyed by `k` besides, such as the step of a loop.
pub fn keyed(site: u64, k: i64) -> u64 {
    mix(site ^ mix(k as u64))
}

/// A stable 64-bit number for a name (FNV-1a, then mixed): the site of a weight or of a call.
pub fn site(name: &str) -> u64 {
    let hash =
        name.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    mix(hash)
}

/// The finaliser of splitmix64: every input bit reaches every output bit.
#[inline]
pub fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Ten rounds over `N` counters.
#[inline(always)]
fn philox<const N: usize>(mut counter: [[u32; N]; 4], mut key: [u32; 2]) -> [[u32; N]; 4] {
    for _ in 0..10 {
        let [c0, c1, c2, c3] = counter;
        for i in 0..N {
            let a = u64::from(c0[i]) * 0xd251_1f53;
            let b = u64::from(c2[i]) * 0xcd9e_8d57;
            counter[0][i] = (b >> 32) as u32 ^ c1[i] ^ key[0];
            counter[1][i] = b as u32;
            counter[2][i] = (a >> 32) as u32 ^ c3[i] ^ key[1];
            counter[3][i] = a as u32;
        }
        key = [key[0].wrapping_add(0x9e37_79b9), key[1].wrapping_add(0xbb67_ae85)];
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of Random123 1.14 (`kat_vectors`, philox4x32 10).
    #[test]
    fn philox_known_answers() {
        let philox = |counter: [u32; 4], key| super::philox(counter.map(|w| [w]), key).map(|w| w[0]);
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    /// Blocks side by side are those one after another, however high their numbers are.
    #[test]
    fn blocks_are_blocks() {
        let key = Key::new(7, u64::MAX - 1, site("here"));
        for first in [0, 3, u64::from(u32::MAX) - 4, u64::MAX - 2] {
            let words = key.blocks::<16>(first);
            for b in 0..16 {
                let one = key.block(first.wrapping_add(b as u64));
                assert_eq!(words.map(|w| w[b]), one, "{first} {b}");
            }
        }
        assert_eq!([key.normal(6), key.normal(7)], key.normals(3));
    }

    #[test]
    fn moments() {
        let key = Key::new(1, 2, 3);
        let n = 100_000u64;
        let mean = (0..n).map(|i| key.uniform(i)).sum::<f64>() / n as f64;
        assert!((mean - 0.5).abs() < 0.005, "{mean}");
        let normals: Vec<f64> = (0..n).map(|i| key.normal(i)).collect();
        let mean = normals.iter().sum::<f64>() / n as f64;
        let var = normals.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64;
        assert!(mean.abs() < 0.01 && (var - 1.0).abs() < 0.02, "{mean} {var}");
    }

    #[test]
    fn streams_differ() {
        let a = Key::new(0, 1, site("dense1.w"));
        assert_ne!(a.block(0), Key::new(0, 2, site("dense1.w")).block(0));
        assert_ne!(a.block(0), Key::new(1, 1, site("dense1.w")).block(0));
        assert_ne!(a.block(0), Key::new(0, 1, site("dense2.w")).block(0));
    }
}
