//! Functions of single numbers, all of each in this file: what it is called, what it costs, how it is run, and what
//! it computes in single and in double precision.
//!
//! Those of single precision numbers are without branches, so that loops over them become vectors. Polynomials are
//! those of Cephes (S. Moshier); errors are a few units in the last place, as the tests say. No multiplication is
//! fused with an addition, so that every instruction set gives the same bits.

#![allow(clippy::excessive_precision, clippy::approx_constant, reason = "coefficients as published")]

use crate::Real;

macro_rules! functions {
    ($(#[$doc:meta])* $name:ident { $($variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[allow(missing_docs, reason = "the names say it; their meaning is nnc-graph's")]
        pub enum $name { $($variant,)* }

        impl $name {
            /// Every one of them.
            pub const ALL: [$name; [$(stringify!($variant)),*].len()] = [$($name::$variant),*];
        }
    };
}

functions! {
    /// Functions of one number.
    UnaryOp {
        Copy, Negate, Abs, Sign, Exp, ExpM1, Ln, Ln1p, Sqrt, Rsqrt, Sin, Cos, Tanh, Logistic, Softplus, Erf, Floor,
        Round, Truncate, Not, Truth, Square, Cube, Reciprocal,
    }
}

functions! {
    /// Functions of two numbers; comparisons give 0 and 1.
    BinaryOp { Add, Subtract, Multiply, Divide, Power, Maximum, Minimum, And, Or, Eq, Ne, Lt, Le, Gt, Ge, }
}

/// What is done with a function of one number.
pub(crate) trait OnUnary<T> {
    type Out;
    /// With one that loops over vectors can hold.
    fn in_vectors(self, f: impl Fn(T) -> T) -> Self::Out;
    /// With one that is no vector anyway.
    fn one_by_one(self, f: impl Fn(T) -> T) -> Self::Out;
}

/// What is done with a function of two numbers.
pub(crate) trait OnBinary<T> {
    type Out;
    /// With one that loops over vectors can hold.
    fn in_vectors(self, f: impl Fn(T, T) -> T) -> Self::Out;
    /// With one that is no vector anyway.
    fn one_by_one(self, f: impl Fn(T, T) -> T) -> Self::Out;
}

#[inline(always)]
fn flag<T: Real>(holds: bool) -> T {
    if holds { T::ONE } else { T::ZERO }
}

/// The larger; NaN when one of them is.
#[inline(always)]
pub(crate) fn maximum<T: Real>(x: T, y: T) -> T {
    let larger = if x > y { x } else { y };
    if x.is_nan() { x } else { larger }
}

/// The smaller; NaN when one of them is.
#[inline(always)]
pub(crate) fn minimum<T: Real>(x: T, y: T) -> T {
    let smaller = if x < y { x } else { y };
    if x.is_nan() { x } else { smaller }
}

impl UnaryOp {
    /// Does something with the function.
    #[inline(always)]
    pub(crate) fn with<T: Real, V: OnUnary<T>>(self, on: V) -> V::Out {
        match self {
            UnaryOp::Copy => on.in_vectors(|x| x),
            UnaryOp::Negate => on.in_vectors(|x| -x),
            UnaryOp::Abs => on.in_vectors(T::abs),
            UnaryOp::Sign => on.in_vectors(|x| {
                let below = if x < T::ZERO { -T::ONE } else { x };
                if x > T::ZERO { T::ONE } else { below }
            }),
            UnaryOp::Exp => on.in_vectors(T::exp),
            UnaryOp::ExpM1 => on.in_vectors(T::exp_m1),
            UnaryOp::Ln => on.in_vectors(T::ln),
            UnaryOp::Ln1p => on.in_vectors(T::ln_1p),
            UnaryOp::Sqrt => on.in_vectors(T::sqrt),
            UnaryOp::Rsqrt => on.in_vectors(|x| T::ONE / x.sqrt()),
            UnaryOp::Sin => on.one_by_one(T::sin),
            UnaryOp::Cos => on.one_by_one(T::cos),
            UnaryOp::Tanh => on.in_vectors(T::tanh),
            UnaryOp::Logistic => on.in_vectors(T::logistic),
            UnaryOp::Softplus => on.in_vectors(T::softplus),
            UnaryOp::Erf => on.in_vectors(T::erf),
            UnaryOp::Floor => on.in_vectors(T::floor),
            UnaryOp::Round => on.in_vectors(T::round),
            UnaryOp::Truncate => on.in_vectors(T::trunc),
            UnaryOp::Not => on.in_vectors(|x| flag(x == T::ZERO)),
            UnaryOp::Truth => on.in_vectors(|x| flag(x != T::ZERO)),
            UnaryOp::Square => on.in_vectors(|x| x * x),
            UnaryOp::Cube => on.in_vectors(|x| x * x * x),
            UnaryOp::Reciprocal => on.in_vectors(|x| T::ONE / x),
        }
    }

    /// Its value at one number: the plain twin of the loops.
    pub fn of<T: Real>(self, x: T) -> T {
        struct One<T>(T);
        impl<T> OnUnary<T> for One<T> {
            type Out = T;
            fn in_vectors(self, f: impl Fn(T) -> T) -> T {
                f(self.0)
            }
            fn one_by_one(self, f: impl Fn(T) -> T) -> T {
                f(self.0)
            }
        }
        self.with(One(x))
    }

    /// A rough cost, in additions.
    pub(crate) fn weight(self) -> usize {
        match self {
            UnaryOp::Sin | UnaryOp::Cos => 40,
            UnaryOp::Exp
            | UnaryOp::ExpM1
            | UnaryOp::Ln
            | UnaryOp::Ln1p
            | UnaryOp::Tanh
            | UnaryOp::Logistic
            | UnaryOp::Softplus
            | UnaryOp::Erf => 8,
            UnaryOp::Copy
            | UnaryOp::Negate
            | UnaryOp::Abs
            | UnaryOp::Sign
            | UnaryOp::Sqrt
            | UnaryOp::Rsqrt
            | UnaryOp::Floor
            | UnaryOp::Round
            | UnaryOp::Truncate
            | UnaryOp::Not
            | UnaryOp::Truth
            | UnaryOp::Square
            | UnaryOp::Cube
            | UnaryOp::Reciprocal => 1,
        }
    }
}

impl BinaryOp {
    /// Does something with the function.
    #[inline(always)]
    pub(crate) fn with<T: Real, V: OnBinary<T>>(self, on: V) -> V::Out {
        match self {
            BinaryOp::Add => on.in_vectors(|x, y| x + y),
            BinaryOp::Subtract => on.in_vectors(|x, y| x - y),
            BinaryOp::Multiply => on.in_vectors(|x, y| x * y),
            BinaryOp::Divide => on.in_vectors(|x, y| x / y),
            BinaryOp::Power => on.one_by_one(T::pow),
            BinaryOp::Maximum => on.in_vectors(maximum),
            BinaryOp::Minimum => on.in_vectors(minimum),
            BinaryOp::And => on.in_vectors(|x, y| flag((x != T::ZERO) & (y != T::ZERO))),
            BinaryOp::Or => on.in_vectors(|x, y| flag((x != T::ZERO) | (y != T::ZERO))),
            BinaryOp::Eq => on.in_vectors(|x, y| flag(x == y)),
            BinaryOp::Ne => on.in_vectors(|x, y| flag(x != y)),
            BinaryOp::Lt => on.in_vectors(|x, y| flag(x < y)),
            BinaryOp::Le => on.in_vectors(|x, y| flag(x <= y)),
            BinaryOp::Gt => on.in_vectors(|x, y| flag(x > y)),
            BinaryOp::Ge => on.in_vectors(|x, y| flag(x >= y)),
        }
    }

    /// Its value at two numbers: the plain twin of the loops.
    pub fn of<T: Real>(self, x: T, y: T) -> T {
        struct Two<T>(T, T);
        impl<T> OnBinary<T> for Two<T> {
            type Out = T;
            fn in_vectors(self, f: impl Fn(T, T) -> T) -> T {
                f(self.0, self.1)
            }
            fn one_by_one(self, f: impl Fn(T, T) -> T) -> T {
                f(self.0, self.1)
            }
        }
        self.with(Two(x, y))
    }

    /// A rough cost, in additions.
    pub(crate) fn weight(self) -> usize {
        match self {
            BinaryOp::Power => 60,
            BinaryOp::Add
            | BinaryOp::Subtract
            | BinaryOp::Multiply
            | BinaryOp::Divide
            | BinaryOp::Maximum
            | BinaryOp::Minimum
            | BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::Eq
            | BinaryOp::Ne
            | BinaryOp::Lt
            | BinaryOp::Le
            | BinaryOp::Gt
            | BinaryOp::Ge => 1,
        }
    }
}

/// Functions of elements: a row says what one is in single and in double precision.
macro_rules! of_elements {
    ($($(#[$doc:meta])* $name:ident($($x:ident),+) = $single:path, $double:path;)*) => {
        /// Functions of `f32` and `f64`.
        pub(crate) trait Functions: Sized {
            $($(#[$doc])* fn $name($($x: Self),+) -> Self;)*
        }
        impl Functions for f32 {
            $(#[inline(always)] fn $name($($x: Self),+) -> Self { $single($($x),+) })*
        }
        impl Functions for f64 {
            $(#[inline(always)] fn $name($($x: Self),+) -> Self { $double($($x),+) })*
        }
    };
}

of_elements! {
    /// |x|
    abs(self) = f32::abs, f64::abs;
    /// eˣ
    exp(self) = exp, libm::exp;
    /// eˣ − 1
    exp_m1(self) = exp_m1, libm::expm1;
    /// ln x
    ln(self) = ln, libm::log;
    /// ln(1 + x)
    ln_1p(self) = ln_1p, libm::log1p;
    /// √x
    sqrt(self) = f32::sqrt, f64::sqrt;
    /// sin x
    sin(self) = libm::sinf, libm::sin;
    /// cos x
    cos(self) = libm::cosf, libm::cos;
    /// tanh x
    tanh(self) = tanh, libm::tanh;
    /// 1/(1 + e⁻ˣ)
    logistic(self) = logistic, double::logistic;
    /// ln(1 + eˣ)
    softplus(self) = softplus, double::softplus;
    /// The error function
    erf(self) = erf, libm::erf;
    /// The next whole number towards −∞
    floor(self) = f32::floor, f64::floor;
    /// The nearest whole number, halves to the even one
    round(self) = f32::round_ties_even, f64::round_ties_even;
    /// The next whole number towards 0
    trunc(self) = f32::trunc, f64::trunc;
    /// xʸ
    pow(self, y) = libm::powf, libm::pow;
}

/// What is no single function of `libm` in double precision.
mod double {
    #[inline(always)]
    pub(super) fn logistic(x: f64) -> f64 {
        if x < 0.0 { libm::exp(x) / (1.0 + libm::exp(x)) } else { 1.0 / (1.0 + libm::exp(-x)) }
    }

    #[inline(always)]
    pub(super) fn softplus(x: f64) -> f64 {
        libm::log1p(libm::exp(-x.abs())) + if x < 0.0 { 0.0 } else { x }
    }
}

/// Adding 1.5 · 2²³ rounds to a whole number, which then stands in the low bits.
const MAGIC: f32 = 12_582_912.0;

/// x = n ln 2 + r; returns n + [`MAGIC`] and eʳ − 1, for |x| < 2²¹.
#[inline(always)]
fn reduced(x: f32) -> (f32, f32) {
    let shifted = x * std::f32::consts::LOG2_E + MAGIC;
    let whole = shifted - MAGIC;
    let r = x - whole * 0.693_359_4;
    let r = r - whole * -2.121_944_4e-4;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 5.000_000_1e-1;
    (shifted, p * (r * r) + r)
}

/// The difference that n makes to the bits of a number that is multiplied by 2ⁿ; `shifted` is n + [`MAGIC`], whose
/// bits end in nine zeros.
#[inline(always)]
fn exponent(shifted: f32) -> u32 {
    shifted.to_bits() << 23
}

/// 2ⁿ (1 + em1) − 1, for −126 ≤ n ≤ 127.
#[inline(always)]
fn times_power(shifted: f32, em1: f32) -> f32 {
    let power = f32::from_bits(1.0f32.to_bits().wrapping_add(exponent(shifted)));
    em1 * power + (power - 1.0)
}

/// eˣ; results below the smallest normal number are 0.
#[inline(always)]
fn exp(x: f32) -> f32 {
    let (shifted, em1) = reduced(x);
    let y = f32::from_bits((em1 + 1.0).to_bits().wrapping_add(exponent(shifted)));
    // Beyond these bounds the exponent has no room.
    let y = if x > -87.33654 { y } else { 0.0 };
    // What is left is too large or NaN.
    if x < 88.722_83 { y } else { x + f32::INFINITY }
}

/// eˣ − 1
#[inline(always)]
fn exp_m1(x: f32) -> f32 {
    let x = if x < -30.0 { -30.0 } else { x };
    let (shifted, em1) = reduced(x);
    let small = times_power(shifted, em1);
    if x < 60.0 { small } else { exp(x) }
}

/// ln x
#[inline(always)]
fn ln(x: f32) -> f32 {
    let tiny = x < f32::MIN_POSITIVE;
    let scaled = if tiny { x * 8_388_608.0 } else { x };
    let bits = scaled.to_bits() as i32;
    // Mantissa in [√½, √2).
    let shifted = bits.wrapping_sub(0x3f35_04f3);
    let e = shifted >> 23;
    let m = f32::from_bits(bits.wrapping_sub(e << 23) as u32);
    let e = e as f32 - if tiny { 23.0 } else { 0.0 };
    let f = m - 1.0;
    let z = f * f;
    let p = 7.037_683_6e-2;
    let p = p * f - 1.151_461e-1;
    let p = p * f + 1.167_699_9e-1;
    let p = p * f - 1.242_014_1e-1;
    let p = p * f + 1.424_932_3e-1;
    let p = p * f - 1.666_805_8e-1;
    let p = p * f + 2.000_071_5e-1;
    let p = p * f - 2.499_999_4e-1;
    let p = p * f + 3.333_333_1e-1;
    let y = p * f * z + e * -2.121_944_4e-4 - 0.5 * z;
    let y = f + y + e * 0.693_359_4;
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    let y = if x < 0.0 { f32::NAN } else { y };
    // +∞ and NaN are their own logarithms.
    if x < f32::INFINITY { y } else { x }
}

/// ln(1 + x)
#[inline(always)]
fn ln_1p(x: f32) -> f32 {
    let u = 1.0 + x;
    let d = u - 1.0;
    // The rounding error of u is made good by the factor x / d (Kahan).
    let y = ln(u) * (x / if d == 0.0 { 1.0 } else { d });
    let y = if u == f32::INFINITY { u } else { y };
    if d == 0.0 { x } else { y }
}

/// tanh x
#[inline(always)]
fn tanh(x: f32) -> f32 {
    // (e²ᵃ − 1)/(e²ᵃ + 1) of a = |x|, which is 1 from 10 on.
    let a = x.abs();
    let a = if a > 10.0 { 10.0 } else { a };
    let (shifted, em1) = reduced(a + a);
    let e = times_power(shifted, em1);
    (e / (e + 2.0)).copysign(x)
}

/// 1/(1 + e⁻ˣ)
#[inline(always)]
fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// ln(1 + eˣ)
#[inline(always)]
fn softplus(x: f32) -> f32 {
    let positive = if x < 0.0 { 0.0 } else { x };
    positive + ln_1p(exp(-x.abs()))
}

/// The error function.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let a = x.abs();
    let z = x * x;
    let p = 7.853_861e-5;
    let p = p * z - 8.010_193_6e-4;
    let p = p * z + 5.188_327_6e-3;
    let p = p * z - 2.685_381_2e-2;
    let p = p * z + 1.128_358_5e-1;
    let p = p * z - 3.761_262_6e-1;
    let p = p * z + 1.128_379_2;
    let small = x * p;
    let q = 1.0 / if a < 1.0 { 1.0 } else { a };
    let y = q * q;
    let p = 2.326_82e-2;
    let p = p * y - 1.387_039_4e-1;
    let p = p * y + 3.687_424_7e-1;
    let p = p * y - 5.824_733e-1;
    let p = p * y + 6.210_004_6e-1;
    let p = p * y - 4.944_515_3e-1;
    let p = p * y + 3.404_88e-1;
    let p = p * y - 2.741_127e-1;
    let p = p * y + 5.638_259_4e-1;
    let r = -1.047_766_4e1;
    let r = r * y + 1.297_72e1;
    let r = r * y - 7.495_518_7;
    let r = r * y + 2.921_019;
    let r = r * y - 1.015_265_3;
    let r = r * y + 4.218_463_4e-1;
    let r = r * y - 2.820_767_4e-1;
    let r = r * y + 5.641_895e-1;
    let tail = exp(-z) * q * if a < 2.0 { p } else { r };
    let large = (1.0 - tail).copysign(x);
    if a < 1.0 { small } else { large }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worst(f: fn(f32) -> f32, exact: fn(f64) -> f64, low: f32, high: f32) -> f64 {
        let n = 200_000;
        (0..=n)
            .map(|i| {
                let x = low + (high - low) * (i as f32 / n as f32);
                let want = exact(f64::from(x));
                let got = f64::from(f(x));
                (got - want).abs() / want.abs().max(1e-30)
            })
            .fold(0.0, f64::max)
    }

    type Row = (&'static str, fn(f32) -> f32, fn(f64) -> f64, f32, f32);

    #[test]
    fn a_few_units_in_the_last_place() {
        let table: [Row; 15] = [
            ("exp", exp, libm::exp, -80.0, 88.0),
            ("exp near 0", exp, libm::exp, -1e-3, 1e-3),
            ("expm1", exp_m1, libm::expm1, -20.0, 88.0),
            ("expm1 near 0", exp_m1, libm::expm1, -1e-3, 1e-3),
            ("ln", ln, libm::log, 1e-3, 1e3),
            ("ln of small", ln, libm::log, 1e-38, 1e-30),
            ("ln of large", ln, libm::log, 1e30, 1e38),
            ("ln_1p", ln_1p, libm::log1p, -0.9, 100.0),
            ("ln_1p near 0", ln_1p, libm::log1p, -1e-3, 1e-3),
            ("tanh", tanh, libm::tanh, -12.0, 12.0),
            ("tanh near 0", tanh, libm::tanh, -1e-3, 1e-3),
            ("logistic", logistic, |x| 1.0 / (1.0 + libm::exp(-x)), -80.0, 30.0),
            ("softplus", softplus, |x| libm::log1p(libm::exp(x)), -80.0, 30.0),
            ("erf", erf, libm::erf, -6.0, 6.0),
            ("erf near 0", erf, libm::erf, -1e-3, 1e-3),
        ];
        for (name, f, exact, low, high) in table {
            let error = worst(f, exact, low, high);
            assert!(error < 6e-7, "{name}: {error:e}");
        }
    }

    #[test]
    fn edges() {
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp_m1(f32::INFINITY), f32::INFINITY);
        assert_eq!(exp_m1(f32::NEG_INFINITY), -1.0);
        assert_eq!(ln(0.0), f32::NEG_INFINITY);
        assert_eq!(ln(f32::INFINITY), f32::INFINITY);
        assert!(ln(-1.0).is_nan());
        assert_eq!(ln(1.0), 0.0);
        assert!((f64::from(ln(1e-42)) - f64::from(1e-42f32).ln()).abs() < 1e-5);
        assert_eq!(ln_1p(-1.0), f32::NEG_INFINITY);
        assert_eq!(ln_1p(f32::INFINITY), f32::INFINITY);
        assert_eq!(tanh(f32::INFINITY), 1.0);
        assert_eq!(tanh(f32::NEG_INFINITY), -1.0);
        assert_eq!(logistic(f32::NEG_INFINITY), 0.0);
        assert_eq!(logistic(f32::INFINITY), 1.0);
        assert_eq!(softplus(f32::INFINITY), f32::INFINITY);
        assert_eq!(softplus(f32::NEG_INFINITY), 0.0);
        assert_eq!(erf(f32::INFINITY), 1.0);
        for f in [exp, exp_m1, ln, ln_1p, tanh, logistic, softplus, erf] {
            assert!(f(f32::NAN).is_nan());
        }
    }
}
