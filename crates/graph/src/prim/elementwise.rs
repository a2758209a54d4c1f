//! Element by element: arithmetic, comparisons, selection, conversion.

use super::{Rules, StableHlo, arity, count, expect};
use crate::eval::{Array, Bindings};
use crate::text::Attributes;
use crate::{Builder, DType, NodeId, Type};

/// What is computed element by element, of operands of one shape.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Elementwise {
    /// One operand.
    Unary(Unary),
    /// Two operands of one type.
    Binary(Binary),
    /// A comparison of two operands of one type; the result is a predicate.
    Compare(Direction),
    /// `select(pred, on_true, on_false)`.
    Select,
    /// Another element type: floats lose their fraction on the way to i32, predicates become 0 and 1, and what
    /// is not 0 is true.
    Convert,
    /// The value, as a constant for reverse mode (StableHLO `optimization_barrier`).
    StopGradient,
}

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

impl Rules for Elementwise {
    fn name(&self) -> &'static str {
        match self {
            Elementwise::Unary(op) => op.name(),
            Elementwise::Binary(op) => op.name(),
            Elementwise::Compare(_) => "compare",
            Elementwise::Select => "select",
            Elementwise::Convert => "convert",
            Elementwise::StopGradient => "optimization_barrier",
        }
    }

    fn attributes(&self) -> Vec<(&'static str, String)> {
        match self {
            Elementwise::Compare(direction) => vec![("direction", direction.name().into())],
            Elementwise::Unary(_)
            | Elementwise::Binary(_)
            | Elementwise::Select
            | Elementwise::Convert
            | Elementwise::StopGradient => Vec::new(),
        }
    }

    fn from_text(name: &str, attributes: &mut Attributes<'_>) -> Result<Option<Self>, String> {
        if let Some(op) = Unary::ALL.into_iter().find(|op| op.name() == name) {
            return Ok(Some(Elementwise::Unary(op)));
        }
        if let Some(op) = Binary::ALL.into_iter().find(|op| op.name() == name) {
            return Ok(Some(Elementwise::Binary(op)));
        }
        Ok(Some(match name {
            "compare" => Elementwise::Compare(attributes.parse("direction", Direction::from_name)?),
            "select" => Elementwise::Select,
            "convert" => Elementwise::Convert,
            "optimization_barrier" => Elementwise::StopGradient,
            _ => return Ok(None),
        }))
    }

    fn check(&self, operands: &[&Type], result: &Type) -> Result<(), String> {
        match self {
            Elementwise::Unary(op) => {
                let [a] = arity(operands)?;
                if *op == Unary::Not && a.dtype != DType::Pred {
                    return Err(format!("works on predicates, not on {a}"));
                }
                if *op != Unary::Not && !a.dtype.is_float() {
                    return Err(format!("works on floats, not on {a}"));
                }
                expect(result, &a)
            }
            Elementwise::Binary(op) => {
                let [a, b] = arity(operands)?;
                if a != b {
                    return Err(format!("operands differ: {a} and {b}"));
                }
                let logical = matches!(op, Binary::And | Binary::Or);
                if logical != (a.dtype == DType::Pred) {
                    return Err(format!("{} does not work on {a}", op.name()));
                }
                expect(result, &a)
            }
            Elementwise::Compare(_) => {
                let [a, b] = arity(operands)?;
                if a != b {
                    return Err(format!("operands differ: {a} and {b}"));
                }
                expect(result, &a.with_dtype(DType::Pred))
            }
            Elementwise::Select => {
                let [p, a, b] = arity(operands)?;
                if p.dtype != DType::Pred || p.shape != a.shape || a != b {
                    return Err(format!("select needs i1, t, t of one shape, has {p}, {a}, {b}"));
                }
                expect(result, &a)
            }
            Elementwise::Convert => {
                let [a] = arity(operands)?;
                expect(&result.with_dtype(a.dtype), &a)
            }
            Elementwise::StopGradient => {
                let [a] = arity(operands)?;
                expect(result, &a)
            }
        }
    }

    fn vjp(&self, b: &mut Builder, node: NodeId, g: NodeId) -> Vec<Option<NodeId>> {
        let x = b.operands(node);
        match self {
            Elementwise::Unary(op) => vec![unary_vjp(*op, b, x[0], node, g)],
            Elementwise::Binary(op) => binary_vjp(*op, b, x[0], x[1], node, g),
            Elementwise::Compare(_) => vec![None, None],
            Elementwise::Select => {
                let zero = b.scalar_like(0.0, g);
                vec![None, Some(b.select(x[0], g, zero)), Some(b.select(x[0], zero, g))]
            }
            Elementwise::Convert => {
                let from = b.ty(x[0]).dtype;
                vec![from.is_float().then(|| b.convert(g, from))]
            }
            Elementwise::StopGradient => vec![None],
        }
    }

    fn eval(&self, x: &[&Array], to: &Type, _: &Bindings) -> Result<Array, String> {
        Ok(match self {
            Elementwise::Unary(op) => x[0].map(|v| unary(*op, v)),
            Elementwise::Binary(op) => x[0].zip(x[1], |a, b| binary(*op, a, b)),
            Elementwise::Compare(d) => x[0].zip(x[1], |a, b| f64::from(u8::from(d.holds(a, b)))),
            Elementwise::Select => {
                let chosen = (0..x[0].data.len()).map(|i| x[if x[0].data[i] != 0.0 { 1 } else { 2 }].data[i]);
                Array::new(&x[0].dims, chosen.collect())
            }
            Elementwise::Convert => match to.dtype {
                DType::F32 | DType::F64 => x[0].clone(),
                DType::I32 => x[0].map(f64::trunc),
                DType::Pred => x[0].map(|v| f64::from(u8::from(v != 0.0))),
            },
            Elementwise::StopGradient => x[0].clone(),
        })
    }

    fn flops(&self, _: &[&Type], result: &Type, batch: usize) -> u64 {
        match self {
            Elementwise::Unary(_)
            | Elementwise::Binary(_)
            | Elementwise::Compare(_)
            | Elementwise::Select => count(result, batch),
            Elementwise::Convert | Elementwise::StopGradient => 0,
        }
    }

    fn stablehlo(&self) -> StableHlo {
        match self {
            Elementwise::Unary(Unary::Softplus) => {
                StableHlo::Expansion("maximum(x, 0) + log_plus_one(exponential(-abs(x)))")
            }
            Elementwise::Unary(Unary::Erf) => {
                StableHlo::Expansion("the kernel's polynomial: chlo.erf cannot stand in a portable artifact")
            }
            Elementwise::Unary(
                op @ (Unary::Negate
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
                | Unary::Not),
            ) => StableHlo::Op(op.name()),
            Elementwise::Binary(op) => StableHlo::Op(op.name()),
            Elementwise::Compare(_)
            | Elementwise::Select
            | Elementwise::Convert
            | Elementwise::StopGradient => StableHlo::Op(self.name()),
        }
    }
}

fn unary_vjp(op: Unary, b: &mut Builder, x: NodeId, y: NodeId, g: NodeId) -> Option<NodeId> {
    use Binary::{Add, Divide, Multiply, Subtract};
    Some(match op {
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

fn binary_vjp(
    op: Binary,
    b: &mut Builder,
    x: NodeId,
    y: NodeId,
    z: NodeId,
    g: NodeId,
) -> Vec<Option<NodeId>> {
    use Binary::{Divide, Multiply, Subtract};
    let (dx, dy) = match op {
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
            let direction = if op == Binary::Maximum { Direction::Gt } else { Direction::Lt };
            let left = b.compare(direction, x, y);
            let zero = b.scalar_like(0.0, g);
            (b.select(left, g, zero), b.select(left, zero, g))
        }
        Binary::And | Binary::Or => return vec![None, None],
    };
    vec![Some(dx), Some(dy)]
}

/// The value of a function of one number, in double precision; predicates are 0 and 1.
pub(crate) fn unary(op: Unary, x: f64) -> f64 {
    match op {
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

/// The value of a function of two numbers, in double precision; predicates are 0 and 1.
pub(crate) fn binary(op: Binary, a: f64, b: f64) -> f64 {
    match op {
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

impl Builder {
    /// A function of one operand.
    pub fn unary(&mut self, op: Unary, x: NodeId) -> NodeId {
        let ty = self.ty(x).clone();
        self.emit(Elementwise::Unary(op), &[x], ty)
    }

    /// A function of two operands of one type.
    pub fn binary(&mut self, op: Binary, a: NodeId, b: NodeId) -> NodeId {
        let ty = self.ty(a).clone();
        self.emit(Elementwise::Binary(op), &[a, b], ty)
    }

    /// A comparison of two operands of one type.
    pub fn compare(&mut self, direction: Direction, a: NodeId, b: NodeId) -> NodeId {
        let ty = self.ty(a).with_dtype(DType::Pred);
        self.emit(Elementwise::Compare(direction), &[a, b], ty)
    }

    /// `a` where `pred` holds, else `b`.
    pub fn select(&mut self, pred: NodeId, a: NodeId, b: NodeId) -> NodeId {
        let ty = self.ty(a).clone();
        self.emit(Elementwise::Select, &[pred, a, b], ty)
    }

    /// Other elements; the operand itself when they are these already.
    pub fn convert(&mut self, x: NodeId, dtype: DType) -> NodeId {
        if self.ty(x).dtype == dtype {
            return x;
        }
        let ty = self.ty(x).with_dtype(dtype);
        self.emit(Elementwise::Convert, &[x], ty)
    }

    /// A constant for reverse mode.
    pub fn stop_gradient(&mut self, x: NodeId) -> NodeId {
        let ty = self.ty(x).clone();
        self.emit(Elementwise::StopGradient, &[x], ty)
    }
}
