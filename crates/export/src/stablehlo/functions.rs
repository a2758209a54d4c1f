//! Functions that StableHLO has no operation for, each a function of the module: the error function, and random
//! numbers.

use super::text::{Code, Element, Tensor, Value};
use nnc_graph::{Direction, Distribution};

impl Code {
    /// `ln(1 + eˣ)`.
    pub(super) fn softplus(&mut self, x: &Value) -> Value {
        let zero = self.fill(0.0, &x.ty);
        let above = self.binary("maximum", x, &zero);
        let size = self.unary("abs", x);
        let minus = self.unary("negate", &size);
        let small = self.unary("exponential", &minus);
        let rest = self.unary("log_plus_one", &small);
        self.binary("add", &above, &rest)
    }

    /// The error function.
    pub(super) fn erf(&mut self, x: &Value) -> Value {
        let name = format!("erf_{}", x.ty.short());
        let write = |code: &mut Self, given: &[Value]| {
            let x = &given[0];
            vec![if x.ty.element == Element::F64 { code.double_erf(x) } else { code.single_erf(x) }]
        };
        self.call(&name, std::slice::from_ref(x), write, std::slice::from_ref(&x.ty)).swap_remove(0)
    }

    /// A polynomial by Horner's rule, the highest power first.
    fn polynomial(&mut self, x: &Value, coefficients: &[f64]) -> Value {
        let mut sum = self.fill(coefficients[0], &x.ty);
        for &c in &coefficients[1..] {
            let product = self.binary("multiply", &sum, x);
            let c = self.fill(c, &x.ty);
            sum = self.binary("add", &product, &c);
        }
        sum
    }

    fn below(&mut self, x: &Value, limit: f64) -> Value {
        let limit = self.fill(limit, &x.ty);
        self.compare(Direction::Lt, x, &limit)
    }

    /// The polynomials of Cephes, as the engine computes it in single precision.
    fn single_erf(&mut self, x: &Value) -> Value {
        let one = self.fill(1.0, &x.ty);
        let a = self.unary("abs", x);
        let z = self.binary("multiply", x, x);
        let p = self.polynomial(&z, &NEAR);
        let small = self.binary("multiply", x, &p);
        let larger = self.binary("maximum", &a, &one);
        let q = self.binary("divide", &one, &larger);
        let y = self.binary("multiply", &q, &q);
        let (middle, far) = (self.polynomial(&y, &MIDDLE), self.polynomial(&y, &FAR));
        let is_middle = self.below(&a, 2.0);
        let p = self.select(&is_middle, &middle, &far);
        let minus = self.unary("negate", &z);
        let bell = self.unary("exponential", &minus);
        let tail = self.binary("multiply", &bell, &q);
        let tail = self.binary("multiply", &tail, &p);
        let large = self.binary("subtract", &one, &tail);
        let sign = self.unary("sign", x);
        let large = self.binary("multiply", &large, &sign);
        let is_small = self.below(&a, 1.0);
        self.select(&is_small, &small, &large)
    }

    /// The rational functions of FreeBSD's msun (`s_erf.c`, Sun Microsystems 1993).
    fn double_erf(&mut self, x: &Value) -> Value {
        let one = self.fill(1.0, &x.ty);
        let a = self.unary("abs", x);
        // |x| < 0.84375
        let z = self.binary("multiply", x, x);
        let (p, q) = (self.polynomial(&z, &PP), self.polynomial(&z, &QQ));
        let y = self.binary("divide", &p, &q);
        let y = self.binary("multiply", x, &y);
        let small = self.binary("add", x, &y);
        // |x| < 1.25
        let s = self.binary("subtract", &a, &one);
        let (p, q) = (self.polynomial(&s, &PA), self.polynomial(&s, &QA));
        let y = self.binary("divide", &p, &q);
        let erx = self.fill(8.450_629_115_104_675e-1, &x.ty);
        let middle = self.binary("add", &erx, &y);
        // |x| < 6; beyond it nothing is left to add to 1.
        let six = self.fill(6.0, &x.ty);
        let near = self.binary("minimum", &a, &six);
        let larger = self.binary("maximum", &near, &one);
        let square = self.binary("multiply", &larger, &larger);
        let s = self.binary("divide", &one, &square);
        let (r, t) = (self.polynomial(&s, &RA), self.polynomial(&s, &SA));
        let nearer = self.binary("divide", &r, &t);
        let (r, t) = (self.polynomial(&s, &RB), self.polynomial(&s, &SB));
        let farther = self.binary("divide", &r, &t);
        let is_nearer = self.below(&a, 1.0 / 0.35);
        let correction = self.select(&is_nearer, &nearer, &farther);
        let shift = self.fill(-0.5625, &x.ty);
        let exponent = self.binary("subtract", &shift, &square);
        let exponent = self.binary("add", &exponent, &correction);
        let bell = self.unary("exponential", &exponent);
        let tail = self.binary("divide", &bell, &larger);
        let far = self.binary("subtract", &one, &tail);
        let is_middle = self.below(&a, 1.25);
        let large = self.select(&is_middle, &middle, &far);
        let sign = self.unary("sign", x);
        let large = self.binary("multiply", &large, &sign);
        let is_small = self.below(&a, 0.84375);
        self.select(&is_small, &small, &large)
    }

    /// Random numbers of a call site: `seed`, `step` are whole scalars, `keys` scalars of i32.
    pub(super) fn random(
        &mut self,
        distribution: Distribution,
        (seed, step): (&Value, &Value),
        site: u64,
        keys: &[Value],
        ty: &Tensor,
    ) -> Result<Value, String> {
        let per_block = match distribution {
            Distribution::Uniform => 4,
            Distribution::Normal => 2,
        };
        let count = ty.dims.iter().product::<usize>();
        let blocks = count.div_ceil(per_block);
        if u32::try_from(blocks).is_err() {
            return Err(format!("{count} random numbers at once are too many"));
        }
        let word = Tensor::scalar(Element::U64);
        let mut site = self.whole(site, &word);
        for key in keys {
            let wide = self.cast("convert", key, &Tensor::scalar(Element::I64));
            let bits = self.cast("bitcast_convert", &wide, &word);
            let mixed = self.mix(&bits);
            let both = self.binary("xor", &site, &mixed);
            site = self.mix(&both);
        }
        let mixed = self.mix(&site);
        let both = self.binary("xor", seed, &mixed);
        let key = self.mix(&both);
        let name = format!("{}_{}", distribution.name(), ty.short());
        let write = |code: &mut Self, given: &[Value]| {
            let words = code.philox(&given[0], &given[1], blocks);
            let numbers = match distribution {
                Distribution::Uniform => words.iter().map(|w| code.unit(w)).collect::<Vec<_>>(),
                Distribution::Normal => code.normals(&words),
            };
            let apart: Vec<Value> = numbers.iter().map(|n| code.reshape(n, &[blocks, 1])).collect();
            let together = code.concatenate(&apart, 1);
            let flat = code.reshape(&together, &[blocks * per_block]);
            let cut =
                if count == blocks * per_block { flat } else { code.slice(&flat, &[0], &[count], &[1]) };
            let converted = code.convert(&cut, ty.element);
            vec![code.reshape(&converted, &ty.dims)]
        };
        Ok(self.call(&name, &[key, step.clone()], write, std::slice::from_ref(ty)).swap_remove(0))
    }

    /// The finaliser of splitmix64.
    fn mix(&mut self, z: &Value) -> Value {
        let ty = Tensor::scalar(Element::U64);
        let write = |code: &mut Self, given: &[Value]| {
            let mut z = given[0].clone();
            let add = code.whole(0x9e37_79b9_7f4a_7c15, &ty);
            z = code.binary("add", &z, &add);
            for (shift, factor) in [(30, 0xbf58_476d_1ce4_e5b9), (27, 0x94d0_49bb_1331_11eb)] {
                z = code.folded(&z, shift);
                let factor = code.whole(factor, &ty);
                z = code.binary("multiply", &z, &factor);
            }
            vec![code.folded(&z, 31)]
        };
        self.call("mix", std::slice::from_ref(z), write, std::slice::from_ref(&ty)).swap_remove(0)
    }

    /// `z ^ (z >> shift)`
    fn folded(&mut self, z: &Value, shift: u64) -> Value {
        let shift = self.whole(shift, &z.ty);
        let high = self.binary("shift_right_logical", z, &shift);
        self.binary("xor", z, &high)
    }

    /// The low and the high half of words of 64 bits.
    fn halves(&mut self, x: &Value) -> (Value, Value) {
        let mask = self.whole(0xffff_ffff, &x.ty);
        let low = self.binary("and", x, &mask);
        let shift = self.whole(32, &x.ty);
        let high = self.binary("shift_right_logical", x, &shift);
        (self.convert(&low, Element::U32), self.convert(&high, Element::U32))
    }

    /// Four random words of every block: Philox 4x32-10 (Salmon and others 2011), of the key that belongs to seed and
    /// site, and the step.
    fn philox(&mut self, key: &Value, step: &Value, blocks: usize) -> Vec<Value> {
        let word = Tensor::new(Element::U32, &[blocks]);
        let name = format!("philox_{blocks}");
        let write = |code: &mut Self, given: &[Value]| {
            let (low, high) = code.halves(&given[0]);
            let mut key = [code.broadcast(&low, &[], &[blocks]), code.broadcast(&high, &[], &[blocks])];
            let (low, high) = code.halves(&given[1]);
            let mut counter = [
                code.iota(0, &word),
                code.whole(0, &word),
                code.broadcast(&low, &[], &[blocks]),
                code.broadcast(&high, &[], &[blocks]),
            ];
            let factors = [0xd251_1f53, 0xcd9e_8d57].map(|f| code.whole(f, &word.with(Element::U64)));
            let add = [0x9e37_79b9, 0xbb67_ae85].map(|a| code.whole(a, &word));
            for round in 0..10 {
                let mut product = |at: usize, factor: &Value| {
                    let wide = code.convert(&counter[at], Element::U64);
                    let product = code.binary("multiply", &wide, factor);
                    code.halves(&product)
                };
                let (a, b) = (product(0, &factors[0]), product(2, &factors[1]));
                let first = code.binary("xor", &b.1, &counter[1]);
                let first = code.binary("xor", &first, &key[0]);
                let third = code.binary("xor", &a.1, &counter[3]);
                let third = code.binary("xor", &third, &key[1]);
                counter = [first, b.0, third, a.0];
                if round < 9 {
                    key = [code.binary("add", &key[0], &add[0]), code.binary("add", &key[1], &add[1])];
                }
            }
            counter.to_vec()
        };
        self.call(&name, &[key.clone(), step.clone()], write, &vec![word.clone(); 4])
    }

    /// 24 bits of each as a number in [0, 1).
    fn unit(&mut self, words: &Value) -> Value {
        let shift = self.whole(8, &words.ty);
        let bits = self.binary("shift_right_logical", words, &shift);
        let float = self.convert(&bits, Element::F32);
        let scale = self.fill(1.0 / 16_777_216.0, &float.ty);
        self.binary("multiply", &float, &scale)
    }

    /// Two standard normal numbers of every block (Box and Muller 1958), in double precision.
    fn normals(&mut self, words: &[Value]) -> Vec<Value> {
        let float = words[0].ty.with(Element::F64);
        let (first, second) = (self.convert(&words[0], Element::F64), self.convert(&words[1], Element::F64));
        let (one, scale) = (self.fill(1.0, &float), self.fill(1.0 / 4_294_967_296.0, &float));
        // In (0, 1], so that the logarithm is finite.
        let u = self.binary("add", &first, &one);
        let u = self.binary("multiply", &u, &scale);
        let turn = self.fill(std::f64::consts::TAU, &float);
        let angle = self.binary("multiply", &turn, &second);
        let angle = self.binary("multiply", &angle, &scale);
        let log = self.unary("log", &u);
        let minus_two = self.fill(-2.0, &float);
        let square = self.binary("multiply", &minus_two, &log);
        let radius = self.unary("sqrt", &square);
        let (cos, sin) = (self.unary("cosine", &angle), self.unary("sine", &angle));
        vec![self.binary("multiply", &radius, &cos), self.binary("multiply", &radius, &sin)]
    }
}

/// |x| < 1, of x².
const NEAR: [f64; 7] = [
    7.853_861e-5,
    -8.010_193_6e-4,
    5.188_327_6e-3,
    -2.685_381_2e-2,
    1.128_358_5e-1,
    -3.761_262_6e-1,
    std::f64::consts::FRAC_2_SQRT_PI,
];
/// 1 ≤ |x| < 2, of 1/x².
const MIDDLE: [f64; 9] = [
    2.326_82e-2,
    -1.387_039_4e-1,
    3.687_424_7e-1,
    -5.824_733e-1,
    6.210_004_6e-1,
    -4.944_515_3e-1,
    3.404_88e-1,
    -2.741_127e-1,
    5.638_259_4e-1,
];
/// 2 ≤ |x|, of 1/x².
const FAR: [f64; 8] = [
    -1.047_766_4e1,
    1.297_72e1,
    -7.495_518_7,
    2.921_019,
    -1.015_265_3,
    4.218_463_4e-1,
    -2.820_767_4e-1,
    5.641_895e-1,
];

/// |x| < 0.84375, of x²: numerator.
const PP: [f64; 5] = [
    -2.376_301_665_665_016_3e-5,
    -0.005_770_270_296_489_442,
    -0.028_481_749_575_598_51,
    -0.325_042_107_247_001_5,
    0.128_379_167_095_512_56,
];
/// |x| < 0.84375: denominator.
const QQ: [f64; 6] = [
    -3.960_228_278_775_368e-6,
    0.000_132_494_738_004_321_64,
    0.005_081_306_281_875_766,
    0.065_022_249_988_767_3,
    0.397_917_223_959_155_35,
    1.0,
];
/// |x| < 1.25, of |x| - 1: numerator.
const PA: [f64; 7] = [
    -0.002_166_375_594_868_791,
    0.035_478_304_325_618_236,
    -0.110_894_694_282_396_68,
    0.318_346_619_901_161_75,
    -0.372_207_876_035_701_3,
    0.414_856_118_683_748_33,
    -0.002_362_118_560_752_659_4,
];
/// |x| < 1.25: denominator.
const QA: [f64; 7] = [
    0.011_984_499_846_799_107,
    0.013_637_083_912_029_05,
    0.126_171_219_808_761_64,
    0.071_828_654_414_196_27,
    0.540_397_917_702_171,
    0.106_420_880_400_844_23,
    1.0,
];
/// |x| < 1/0.35, of 1/x²: numerator.
const RA: [f64; 8] = [
    -9.814_329_344_169_145,
    -81.287_435_506_306_6,
    -184.605_092_906_711_04,
    -162.396_669_462_573_47,
    -62.375_332_450_326_006,
    -10.558_626_225_323_291,
    -0.693_858_572_707_181_8,
    -0.009_864_944_034_847_148,
];
/// |x| < 1/0.35: denominator.
const SA: [f64; 9] = [
    -0.060_424_415_214_858_1,
    6.570_249_770_319_282,
    108.635_005_541_779_44,
    429.008_140_027_567_83,
    645.387_271_733_267_9,
    434.565_877_475_229_23,
    137.657_754_143_519_04,
    19.651_271_667_439_257,
    1.0,
];
/// |x| < 6, of 1/x²: numerator.
const RB: [f64; 7] = [
    -483.519_191_608_651_4,
    -1_025.095_131_611_077_2,
    -637.566_443_368_389_6,
    -160.636_384_855_821_92,
    -17.757_954_917_754_752,
    -0.799_283_237_680_523,
    -0.009_864_942_924_700_1,
];
/// |x| < 6: denominator.
const SB: [f64; 8] = [
    -22.440_952_446_585_82,
    474.528_541_206_955_37,
    2_553.050_406_433_164_4,
    3_199.858_219_508_595_5,
    1_536.729_586_084_437,
    325.792_512_996_573_9,
    30.338_060_743_482_46,
    1.0,
];
