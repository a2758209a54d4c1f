//! Counter-based random numbers: Philox 4x32-10, the same streams as `nnc_graph::random` (a test of
//! `nnc-engine` compares them).

/// The key of one stream: one call site in one step of one seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Key {
    key: [u32; 2],
    step: u64,
}

impl Key {
    pub(crate) fn new(seed: u64, step: u64, site: u64) -> Self {
        let mixed = mix(seed ^ mix(site));
        Self { key: [mixed as u32, (mixed >> 32) as u32], step }
    }

    #[inline(always)]
    fn block(&self, block: u64) -> [u32; 4] {
        self.blocks::<1>(block).map(|w| w[0])
    }

    /// The four words of `N` blocks from `first` on: word by word, so that loops over blocks become vectors.
    #[inline(always)]
    pub(crate) fn blocks<const N: usize>(&self, first: u64) -> [[u32; N]; 4] {
        let mut counter = [[0u32; N], [0; N], [self.step as u32; N], [(self.step >> 32) as u32; N]];
        let [low, high, ..] = &mut counter;
        for (b, (low, high)) in low.iter_mut().zip(high).enumerate() {
            let block = first.wrapping_add(b as u64);
            (*low, *high) = (block as u32, (block >> 32) as u32);
        }
        philox(counter, self.key)
    }

    /// The normal numbers of elements 2i and 2i+1.
    #[inline(always)]
    pub(crate) fn normals(&self, block: u64) -> [f64; 2] {
        let words = self.block(block);
        let u = (f64::from(words[0]) + 1.0) * (1.0 / 4_294_967_296.0);
        let angle = std::f64::consts::TAU * f64::from(words[1]) * (1.0 / 4_294_967_296.0);
        let radius = libm::sqrt(-2.0 * libm::log(u));
        [radius * libm::cos(angle), radius * libm::sin(angle)]
    }
}

/// A number in [0, 1) from 24 of the bits, the same in every precision.
#[inline(always)]
pub(crate) fn unit(bits: u32) -> f32 {
    (bits >> 8) as i32 as f32 * (1.0 / 16_777_216.0)
}

pub(crate) fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

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
