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
    pub(crate) fn block(&self, block: u64) -> [u32; 4] {
        let counter = [block as u32, (block >> 32) as u32, self.step as u32, (self.step >> 32) as u32];
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

fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[inline(always)]
fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let a = u64::from(counter[0]) * 0xd251_1f53;
        let b = u64::from(counter[2]) * 0xcd9e_8d57;
        counter = [
            (b >> 32) as u32 ^ counter[1] ^ key[0],
            b as u32,
            (a >> 32) as u32 ^ counter[3] ^ key[1],
            a as u32,
        ];
        key = [key[0].wrapping_add(0x9e37_79b9), key[1].wrapping_add(0xbb67_ae85)];
    }
    counter
}
