//! Random numbers in ONNX: Philox 4x32-10 on whole numbers, as `nnc_random` has it.
//!
//! Words of 32 bits are int64 from 0 to 2³² - 1, of which runtimes have products; words of 64 bits are int64 that
//! wrap, and go through uint64 where they are shifted.

use super::emit::{At, Emitter};
use super::proto::{Attr, Data, Elem};
use nnc_graph::random::mix;
use nnc_graph::{Distribution, Type};

const MASK: i64 = 0xffff_ffff;

impl Emitter<'_> {
    /// Random numbers of a call site.
    pub(crate) fn random(
        &mut self,
        level: usize,
        law: Distribution,
        site: u64,
        keys: &[At],
        ty: &Type,
    ) -> Result<String, String> {
        let of = super::emit::elem(ty.dtype);
        let (seed, step) = self.draws();
        let mixed = if keys.is_empty() {
            self.int(mix(site) as i64)
        } else {
            let mut own = self.int(site as i64);
            for &key in keys {
                let key = self.canonical(key)?;
                let key = self.mixed(level, &key);
                let both = self.node(level, "BitwiseXor", &[&own, &key], &[]);
                own = self.mixed(level, &both);
            }
            self.mixed(level, &own)
        };
        let key = self.node(level, "BitwiseXor", &[&seed, &mixed], &[]);
        let key = self.mixed(level, &key);
        let mask = self.int(MASK);
        let keys = [self.node(level, "BitwiseAnd", &[&key, &mask], &[]), self.shifted(level, &key, 32)];
        let steps = [self.node(level, "BitwiseAnd", &[&step, &mask], &[]), self.shifted(level, &step, 32)];

        let count = self.count(level, &ty.shape)?;
        let each = match law {
            Distribution::Uniform => 4,
            Distribution::Normal => 2,
        };
        let (zero, one) = (self.int(0), self.int(1));
        let (up, by) = (self.int(each - 1), self.int(each));
        let more = self.node(level, "Add", &[&count, &up], &[]);
        let blocks = self.node(level, "Div", &[&more, &by], &[]);
        let counter = self.node(level, "Range", &[&zero, &blocks, &one], &[]);
        let high = self.shifted(level, &counter, 32);
        let low = self.node(level, "BitwiseAnd", &[&counter, &mask], &[]);
        let words = self.philox(level, [low, high, steps[0].clone(), steps[1].clone()], keys);
        let parts = match law {
            Distribution::Uniform => words.iter().map(|word| self.unit(level, word, of)).collect(),
            Distribution::Normal => self.normals(level, &words, of),
        };
        let last = self.ints(&[-1]);
        let parts: Vec<String> =
            parts.iter().map(|part| self.node(level, "Unsqueeze", &[part, &last], &[])).collect();
        let all = self.joined(level, &parts, 1);
        let all = self.node(level, "Reshape", &[&all, &last], &[]);
        let (start, first) = (self.ints(&[0]), self.ints(&[0]));
        let end = self.node(level, "Unsqueeze", &[&count, &first], &[]);
        let all = self.node(level, "Slice", &[&all, &start, &end], &[]);
        let shape = self.shape(&ty.shape)?;
        Ok(self.node(level, "Reshape", &[&all, &shape], &[]))
    }

    /// The inputs that choose the random numbers.
    fn draws(&mut self) -> (String, String) {
        let seed = self.further("seed", "chooses the random numbers that the network draws");
        (seed, self.further("step", "chooses the random numbers that the network draws"))
    }

    /// A 24-bit number in [0, 1).
    fn unit(&mut self, level: usize, word: &str, of: Elem) -> String {
        let by = self.int(256);
        let bits = self.node(level, "Div", &[word, &by], &[]);
        let bits = self.cast(level, &bits, of);
        let scale = self.number(1.0 / 16_777_216.0, of);
        self.node(level, "Mul", &[&bits, &scale], &[])
    }

    /// Box and Muller's transform, in double precision.
    fn normals(&mut self, level: usize, words: &[String; 4], of: Elem) -> Vec<String> {
        let wide = Elem::Double;
        let scale = self.number(1.0 / 4_294_967_296.0, wide);
        let one = self.number(1.0, wide);
        let u = self.cast(level, &words[0], wide);
        let u = self.node(level, "Add", &[&u, &one], &[]);
        let u = self.node(level, "Mul", &[&u, &scale], &[]);
        let tau = self.number(std::f64::consts::TAU, wide);
        let angle = self.cast(level, &words[1], wide);
        let angle = self.node(level, "Mul", &[&angle, &tau], &[]);
        let angle = self.node(level, "Mul", &[&angle, &scale], &[]);
        let log = self.node(level, "Log", &[&u], &[]);
        let minus = self.number(-2.0, wide);
        let square = self.node(level, "Mul", &[&log, &minus], &[]);
        let radius = self.node(level, "Sqrt", &[&square], &[]);
        ["Cos", "Sin"]
            .into_iter()
            .map(|op| {
                let side = self.node(level, op, &[&angle], &[]);
                let number = self.node(level, "Mul", &[&radius, &side], &[]);
                if of == wide { number } else { self.cast(level, &number, of) }
            })
            .collect()
    }

    /// The bits of a word of 64 from `by` on.
    fn shifted(&mut self, level: usize, x: &str, by: i64) -> String {
        let whole = self.cast(level, x, Elem::UInt64);
        let by = self.constant(&format!("{by}"), Elem::UInt64, Vec::new(), Data::Numbers(vec![by as f64]));
        let right = [("direction", Attr::Text("RIGHT".into()))];
        let part = self.node(level, "BitShift", &[&whole, &by], &right);
        self.cast(level, &part, Elem::Int64)
    }

    /// The finaliser of splitmix64.
    fn mixed(&mut self, level: usize, z: &str) -> String {
        let first = self.int(0x9e37_79b9_7f4a_7c15_u64 as i64);
        let mut z = self.node(level, "Add", &[z, &first], &[]);
        for (by, times) in [(30, 0xbf58_476d_1ce4_e5b9_u64), (27, 0x94d0_49bb_1331_11eb)] {
            let part = self.shifted(level, &z, by);
            let both = self.node(level, "BitwiseXor", &[&z, &part], &[]);
            let times = self.int(times as i64);
            z = self.node(level, "Mul", &[&both, &times], &[]);
        }
        let part = self.shifted(level, &z, 31);
        self.node(level, "BitwiseXor", &[&z, &part], &[])
    }

    /// Ten rounds.
    fn philox(&mut self, level: usize, mut c: [String; 4], mut key: [String; 2]) -> [String; 4] {
        let mask = self.int(MASK);
        let times = [self.int(0xd251_1f53), self.int(0xcd9e_8d57)];
        let more = [self.int(0x9e37_79b9), self.int(0xbb67_ae85)];
        for _ in 0..10 {
            let a = self.node(level, "Mul", &[&c[0], &times[0]], &[]);
            let b = self.node(level, "Mul", &[&c[2], &times[1]], &[]);
            let mut next = Vec::new();
            for (product, other, key) in [(&b, &c[1], &key[0]), (&a, &c[3], &key[1])] {
                let high = self.shifted(level, product, 32);
                let both = self.node(level, "BitwiseXor", &[&high, other], &[]);
                next.push(self.node(level, "BitwiseXor", &[&both, key], &[]));
                next.push(self.node(level, "BitwiseAnd", &[product, &mask], &[]));
            }
            let mut next = next.into_iter();
            c = std::array::from_fn(|_| next.next().unwrap_or_default());
            key = std::array::from_fn(|i| {
                let sum = self.node(level, "Add", &[&key[i], &more[i]], &[]);
                self.node(level, "BitwiseAnd", &[&sum, &mask], &[])
            });
        }
        c
    }
}
