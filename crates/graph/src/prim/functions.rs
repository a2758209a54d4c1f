//! Functions of single numbers, all of each in this file: name, range, value, derivative, what it becomes elsewhere.

use super::{Again, StableHlo};
use crate::{Builder, NodeId};

macro_rules! ops {
    ($(#[$doc:meta])* $name:ident { $($(#[$d:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name { $($(#[$d])* $variant,)* }

        impl $name {
            /// Every one of them.
            pub const ALL: [$name; [$($text),*].len()] = [$($name::$variant),*];

            /// Its StableHLO name.
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }
        }
    };
}

ops! {
    /// Functions of one number.
    Unary {
        /// −x
        Negate = "negate",
        /// |x|
        Abs = "abs",
        /// −1, 0 or 1
        Sign = "sign",
        /// eˣ
        Exponential = "exponential",
        /// eˣ − 1, exact near 0
        ExponentialMinusOne = "exponential_minus_one",
        /// ln x
        Log = "log",
        /// ln(1 + x), exact near 0
        LogPlusOne = "log_plus_one",
        /// √x
        Sqrt = "sqrt",
        /// 1/√x
        Rsqrt = "rsqrt",
        /// sin x
        Sine = "sine",
        /// cos x
        Cosine = "cosine",
        /// tanh x
        Tanh = "tanh",
        /// 1/(1 + e⁻ˣ)
        Logistic = "logistic",
        /// ln(1 + eˣ), an own primitive: `maximum(x, 0) + log_plus_one(exponential(-abs(x)))`
        Softplus = "softplus",
        /// The error function (`chlo.erf`)
        Erf = "erf",
        /// The next whole number towards −∞
        Floor = "floor",
        /// The nearest whole number, halves to the even one
        Round = "round_nearest_even",
        /// Not, of a predicate
        Not = "not",
    }
}

ops! {
    /// Functions of two numbers.
    Binary {
        /// a + b
        Add = "add",
        /// a − b
        Subtract = "subtract",
        /// a · b
        Multiply = "multiply",
        /// a / b
        Divide = "divide",
        /// aᵇ
        Power = "power",
        /// The larger; its gradient goes to the left operand only where that one is larger, so that
        /// `relu(x) = max(x, 0)` has slope 0 at 0, as everywhere in the field.
        Maximum = "maximum",
        /// The smaller; its gradient goes to the left operand only where that one is smaller.
        Minimum = "minimum",
        /// Both, of predicates
        And = "and",
        /// One or both, of predicates
        Or = "or",
    }
}

ops! {
    /// How two numbers are compared.
    Direction {
        /// a = b
        Eq = "EQ",
        /// a ≠ b
        Ne = "NE",
        /// a < b
        Lt = "LT",
        /// a ≤ b
        Le = "LE",
        /// a > b
        Gt = "GT",
        /// a ≥ b
        Ge = "GE",
    }
}

impl Unary {
    /// The ends of a range in which it is finite and, if anywhere, smooth: where tests try it.
    pub fn domain(self) -> (f64, f64) {
        match self {
            Unary::Log | Unary::Sqrt | Unary::Rsqrt => (0.3, 3.0),
            Unary::LogPlusOne => (-0.6, 3.0),
            Unary::Negate
            | Unary::Abs
            | Unary::Sign
            | Unary::Exponential
            | Unary::ExponentialMinusOne
            | Unary::Sine
            | Unary::Cosine
            | Unary::Tanh
            | Unary::Logistic
            | Unary::Softplus
            | Unary::Erf
            | Unary::Floor
            | Unary::Round
            | Unary::Not => (-2.0, 2.0),
        }
    }

    /// The value of a function of one number, in double precision; predicates are 0 and 1.
    pub fn of(self, x: f64) -> f64 {
        match self {
            Unary::Negate => -x,
            Unary::Abs => x.abs(),
            Unary::Sign if x == 0.0 || x.is_nan() => x,
            Unary::Sign => x.signum(),
            Unary::Exponential => x.exp(),
            Unary::ExponentialMinusOne => x.exp_m1(),
            Unary::Log => x.ln(),
            Unary::LogPlusOne => x.ln_1p(),
            Unary::Sqrt => x.sqrt(),
            Unary::Rsqrt => 1.0 / x.sqrt(),
            Unary::Sine => x.sin(),
            Unary::Cosine => x.cos(),
            Unary::Tanh => x.tanh(),
            Unary::Logistic if x < 0.0 => x.exp() / (1.0 + x.exp()),
            Unary::Logistic => 1.0 / (1.0 + (-x).exp()),
            Unary::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Unary::Erf => libm::erf(x),
            Unary::Floor => x.floor(),
            Unary::Round => x.round_ties_even(),
            Unary::Not => f64::from(u8::from(x == 0.0)),
        }
    }

    /// The cotangent of its operand `x`, given its value `y` and the cotangent `g` of that.
    pub(crate) fn vjp(self, b: &mut Builder, x: NodeId, y: NodeId, g: NodeId) -> Option<NodeId> {
        use Binary::{Add, Divide, Multiply, Subtract};
        Some(match self {
            Unary::Negate => b.unary(Unary::Negate, g),
            Unary::Abs => {
                let sign = b.unary(Unary::Sign, x);
                b.binary(Multiply, g, sign)
            }
            Unary::Exponential => b.binary(Multiply, g, y),
            Unary::ExponentialMinusOne => {
                let gy = b.binary(Multiply, g, y);
                b.binary(Add, gy, g)
            }
            Unary::Log => b.binary(Divide, g, x),
            Unary::LogPlusOne => {
                let one = b.scalar_like(1.0, x);
                let below = b.binary(Add, x, one);
                b.binary(Divide, g, below)
            }
            Unary::Sqrt => {
                let half = b.scalar_like(0.5, x);
                let gh = b.binary(Multiply, g, half);
                b.binary(Divide, gh, y)
            }
            // d x^(-1/2) = -1/2 x^(-3/2) = -1/2 y / x
            Unary::Rsqrt => {
                let half = b.scalar_like(-0.5, x);
                let gh = b.binary(Multiply, g, half);
                let slope = b.binary(Divide, y, x);
                b.binary(Multiply, gh, slope)
            }
            Unary::Sine => {
                let cos = b.unary(Unary::Cosine, x);
                b.binary(Multiply, g, cos)
            }
            Unary::Cosine => {
                let sin = b.unary(Unary::Sine, x);
                let gs = b.binary(Multiply, g, sin);
                b.unary(Unary::Negate, gs)
            }
            Unary::Tanh => {
                let one = b.scalar_like(1.0, x);
                let square = b.binary(Multiply, y, y);
                let slope = b.binary(Subtract, one, square);
                b.binary(Multiply, g, slope)
            }
            Unary::Logistic => {
                let one = b.scalar_like(1.0, x);
                let rest = b.binary(Subtract, one, y);
                let slope = b.binary(Multiply, y, rest);
                b.binary(Multiply, g, slope)
            }
            Unary::Softplus => {
                let slope = b.unary(Unary::Logistic, x);
                b.binary(Multiply, g, slope)
            }
            // 2/√π · exp(−x²)
            Unary::Erf => {
                let square = b.binary(Multiply, x, x);
                let minus = b.unary(Unary::Negate, square);
                let bell = b.unary(Unary::Exponential, minus);
                let scale = b.scalar_like(std::f64::consts::FRAC_2_SQRT_PI, x);
                let slope = b.binary(Multiply, scale, bell);
                b.binary(Multiply, g, slope)
            }
            Unary::Sign | Unary::Floor | Unary::Round | Unary::Not => return None,
        })
    }

    /// Whether it is a linear function.
    pub(crate) fn is_linear(self) -> bool {
        self == Unary::Negate
    }

    /// Whether it is done again rather than kept: see [`Again`].
    pub(crate) fn again(self) -> Again {
        if matches!(self, Unary::Negate | Unary::Abs | Unary::Sign | Unary::Not) {
            Again::Computed
        } else {
            Again::Kept
        }
    }

    /// What it becomes in StableHLO.
    pub(crate) fn stablehlo(self) -> StableHlo {
        match self {
            Unary::Softplus => StableHlo::Expansion("maximum(x, 0) + log_plus_one(exponential(-abs(x)))"),
            Unary::Erf => {
                StableHlo::Expansion("the kernel's polynomial: chlo.erf cannot stand in a portable artifact")
            }
            Unary::Negate
            | Unary::Abs
            | Unary::Sign
            | Unary::Exponential
            | Unary::ExponentialMinusOne
            | Unary::Log
            | Unary::LogPlusOne
            | Unary::Sqrt
            | Unary::Rsqrt
            | Unary::Sine
            | Unary::Cosine
            | Unary::Tanh
            | Unary::Logistic
            | Unary::Floor
            | Unary::Round
            | Unary::Not => StableHlo::Op(self.name()),
        }
    }
}

impl Binary {
    /// The value of a function of two numbers, in double precision; predicates are 0 and 1.
    pub fn of(self, a: f64, b: f64) -> f64 {
        match self {
            Binary::Add => a + b,
            Binary::Subtract => a - b,
            Binary::Multiply => a * b,
            Binary::Divide => a / b,
            Binary::Power => a.powf(b),
            // A NaN on either side stays a NaN, unlike f64::max.
            Binary::Maximum if a.is_nan() || b.is_nan() => f64::NAN,
            Binary::Maximum => a.max(b),
            Binary::Minimum if a.is_nan() || b.is_nan() => f64::NAN,
            Binary::Minimum => a.min(b),
            Binary::And => f64::from(u8::from(a != 0.0 && b != 0.0)),
            Binary::Or => f64::from(u8::from(a != 0.0 || b != 0.0)),
        }
    }

    /// The cotangents of its operands `x` and `y`, given its value `z` and the cotangent `g` of that.
    pub(crate) fn vjp(
        self,
        b: &mut Builder,
        (x, y): (NodeId, NodeId),
        z: NodeId,
        g: NodeId,
    ) -> Vec<Option<NodeId>> {
        use Binary::{Divide, Multiply, Subtract};
        let (dx, dy) = match self {
            Binary::Add => (g, g),
            Binary::Subtract => (g, b.unary(Unary::Negate, g)),
            Binary::Multiply => (b.binary(Multiply, g, y), b.binary(Multiply, g, x)),
            Binary::Divide => {
                let dx = b.binary(Divide, g, y);
                let slope = b.binary(Divide, z, y);
                let gs = b.binary(Multiply, g, slope);
                (dx, b.unary(Unary::Negate, gs))
            }
            Binary::Power => {
                let one = b.scalar_like(1.0, y);
                let less = b.binary(Subtract, y, one);
                let lower = b.binary(Binary::Power, x, less);
                let slope = b.binary(Multiply, y, lower);
                let dx = b.binary(Multiply, g, slope);
                // xʸ ln x, taken as 0 where x ≤ 0, as JAX and TensorFlow do.
                let zero = b.scalar_like(0.0, x);
                let unit = b.scalar_like(1.0, x);
                let positive = b.compare(Direction::Gt, x, zero);
                let safe = b.select(positive, x, unit);
                let log = b.unary(Unary::Log, safe);
                let slope = b.binary(Multiply, z, log);
                (dx, b.binary(Multiply, g, slope))
            }
            Binary::Maximum | Binary::Minimum => {
                let direction = if self == Binary::Maximum { Direction::Gt } else { Direction::Lt };
                let left = b.compare(direction, x, y);
                let zero = b.scalar_like(0.0, g);
                (b.select(left, g, zero), b.select(left, zero, g))
            }
            Binary::And | Binary::Or => return vec![None, None],
        };
        vec![Some(dx), Some(dy)]
    }

    /// Whether it is done again rather than kept: see [`Again`].
    pub(crate) fn again(self) -> Again {
        if matches!(self, Binary::Divide | Binary::Power) { Again::Kept } else { Again::Computed }
    }
}

impl Direction {
    /// The inverse of [`Direction::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        Direction::ALL.into_iter().find(|d| d.name() == name)
    }

    /// The comparison of two numbers.
    pub fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Direction::Eq => a == b,
            Direction::Ne => a != b,
            Direction::Lt => a < b,
            Direction::Le => a <= b,
            Direction::Gt => a > b,
            Direction::Ge => a >= b,
        }
    }
}
