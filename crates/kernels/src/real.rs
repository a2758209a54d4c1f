//! What an element is.

use crate::elementwise::math;
use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

mod sealed {
    #[allow(private_bounds, reason = "what the loops of products need is nobody else's business")]
    pub trait Sealed:
        crate::matmul::matrixmultiply::Library + crate::matmul::micro::Blocks + crate::conv::walk::Walks
    {
    }
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64`.
pub trait Real:
    sealed::Sealed
    + Copy
    + Default
    + Debug
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;
    /// −∞
    const LOWEST: Self;
    /// +∞
    const HIGHEST: Self;

    /// The nearest element.
    fn of(value: f64) -> Self;
    /// The value in double precision.
    fn wide(self) -> f64;
    /// Whether it is not a number.
    fn is_nan(self) -> bool;
    /// |x|
    fn abs(self) -> Self;
    /// eˣ
    fn exp(self) -> Self;
    /// eˣ − 1
    fn exp_m1(self) -> Self;
    /// ln x
    fn ln(self) -> Self;
    /// ln(1 + x)
    fn ln_1p(self) -> Self;
    /// √x
    fn sqrt(self) -> Self;
    /// sin x
    fn sin(self) -> Self;
    /// cos x
    fn cos(self) -> Self;
    /// tanh x
    fn tanh(self) -> Self;
    /// 1/(1 + e⁻ˣ)
    fn logistic(self) -> Self;
    /// ln(1 + eˣ)
    fn softplus(self) -> Self;
    /// The error function
    fn erf(self) -> Self;
    /// The next whole number towards −∞
    fn floor(self) -> Self;
    /// The nearest whole number, halves to the even one
    fn round(self) -> Self;
    /// The next whole number towards 0
    fn trunc(self) -> Self;
    /// xʸ
    fn pow(self, y: Self) -> Self;
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const LOWEST: Self = f32::NEG_INFINITY;
    const HIGHEST: Self = f32::INFINITY;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn is_nan(self) -> bool {
        f32::is_nan(self)
    }

    #[inline(always)]
    fn abs(self) -> Self {
        f32::abs(self)
    }

    #[inline(always)]
    fn exp(self) -> Self {
        math::exp(self)
    }

    #[inline(always)]
    fn exp_m1(self) -> Self {
        math::exp_m1(self)
    }

    #[inline(always)]
    fn ln(self) -> Self {
        math::ln(self)
    }

    #[inline(always)]
    fn ln_1p(self) -> Self {
        math::ln_1p(self)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }

    #[inline(always)]
    fn sin(self) -> Self {
        libm::sinf(self)
    }

    #[inline(always)]
    fn cos(self) -> Self {
        libm::cosf(self)
    }

    #[inline(always)]
    fn tanh(self) -> Self {
        math::tanh(self)
    }

    #[inline(always)]
    fn logistic(self) -> Self {
        math::logistic(self)
    }

    #[inline(always)]
    fn softplus(self) -> Self {
        math::softplus(self)
    }

    #[inline(always)]
    fn erf(self) -> Self {
        math::erf(self)
    }

    #[inline(always)]
    fn floor(self) -> Self {
        f32::floor(self)
    }

    #[inline(always)]
    fn round(self) -> Self {
        f32::round_ties_even(self)
    }

    #[inline(always)]
    fn trunc(self) -> Self {
        f32::trunc(self)
    }

    #[inline(always)]
    fn pow(self, y: Self) -> Self {
        libm::powf(self, y)
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const LOWEST: Self = f64::NEG_INFINITY;
    const HIGHEST: Self = f64::INFINITY;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }

    #[inline(always)]
    fn is_nan(self) -> bool {
        f64::is_nan(self)
    }

    #[inline(always)]
    fn abs(self) -> Self {
        f64::abs(self)
    }

    #[inline(always)]
    fn exp(self) -> Self {
        libm::exp(self)
    }

    #[inline(always)]
    fn exp_m1(self) -> Self {
        libm::expm1(self)
    }

    #[inline(always)]
    fn ln(self) -> Self {
        libm::log(self)
    }

    #[inline(always)]
    fn ln_1p(self) -> Self {
        libm::log1p(self)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }

    #[inline(always)]
    fn sin(self) -> Self {
        libm::sin(self)
    }

    #[inline(always)]
    fn cos(self) -> Self {
        libm::cos(self)
    }

    #[inline(always)]
    fn tanh(self) -> Self {
        libm::tanh(self)
    }

    #[inline(always)]
    fn logistic(self) -> Self {
        if self < 0.0 { libm::exp(self) / (1.0 + libm::exp(self)) } else { 1.0 / (1.0 + libm::exp(-self)) }
    }

    #[inline(always)]
    fn softplus(self) -> Self {
        libm::log1p(libm::exp(-self.abs())) + if self < 0.0 { 0.0 } else { self }
    }

    #[inline(always)]
    fn erf(self) -> Self {
        libm::erf(self)
    }

    #[inline(always)]
    fn floor(self) -> Self {
        f64::floor(self)
    }

    #[inline(always)]
    fn round(self) -> Self {
        f64::round_ties_even(self)
    }

    #[inline(always)]
    fn trunc(self) -> Self {
        f64::trunc(self)
    }

    #[inline(always)]
    fn pow(self, y: Self) -> Self {
        libm::pow(self, y)
    }
}
