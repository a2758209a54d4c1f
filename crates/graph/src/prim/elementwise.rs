//! Element by element: arithmetic, comparisons, selection, conversion.

use super::{Again, Binary, Direction, Kind, Lift, Rules, StableHlo, Summed, Unary, arity, count, expect};
use crate::array::{Array, Bindings};
use crate::text::Attributes;
use crate::{Builder, DType, Dim, NodeId, Type};

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
            Elementwise::Unary(op) => vec![op.vjp(b, x[0], node, g)],
            Elementwise::Binary(op) => op.vjp(b, (x[0], x[1]), node, g),
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
            Elementwise::Unary(op) => x[0].map(|v| op.of(v)),
            Elementwise::Binary(op) => x[0].zip(x[1], |a, b| op.of(a, b)),
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

    fn kind(&self, operands: &[&Type], result: &Type) -> Kind {
        match self {
            Elementwise::StopGradient => Kind::Alias,
            Elementwise::Convert => {
                let rounds =
                    operands.first().is_some_and(|t| t.dtype.is_float()) && result.dtype == DType::I32;
                if rounds || result.dtype == DType::Pred { Kind::Elementwise } else { Kind::Alias }
            }
            Elementwise::Unary(_)
            | Elementwise::Binary(_)
            | Elementwise::Compare(_)
            | Elementwise::Select => Kind::Elementwise,
        }
    }

    fn is_affine(&self, moves: &[bool]) -> bool {
        match self {
            Elementwise::Unary(op) => op.is_linear(),
            Elementwise::Binary(Binary::Multiply) => moves != [true, true],
            Elementwise::Binary(Binary::Divide) => moves == [true, false],
            Elementwise::Binary(op) => matches!(op, Binary::Add | Binary::Subtract),
            Elementwise::Select => moves.first() == Some(&false),
            Elementwise::StopGradient => true,
            Elementwise::Compare(_) | Elementwise::Convert => false,
        }
    }

    fn rows(&self, _: &[&Type], _: &Type) -> Option<Dim> {
        None
    }

    fn lift(&self, _: &[bool]) -> Lift {
        Lift::Stacked((*self).into())
    }

    fn summed(&self, varies: &[bool]) -> Summed {
        match self {
            Elementwise::Binary(Binary::Add | Binary::Subtract) => Summed::Each,
            Elementwise::Unary(op) if op.is_linear() => Summed::Each,
            Elementwise::Binary(Binary::Multiply) if varies == [false, true] => Summed::Linear(1),
            Elementwise::Binary(Binary::Multiply | Binary::Divide) if varies == [true, false] => {
                Summed::Linear(0)
            }
            Elementwise::Unary(_)
            | Elementwise::Binary(_)
            | Elementwise::Compare(_)
            | Elementwise::Select
            | Elementwise::Convert
            | Elementwise::StopGradient => Summed::Never,
        }
    }

    fn is_free(&self) -> bool {
        match self {
            Elementwise::Convert | Elementwise::StopGradient => true,
            Elementwise::Unary(_)
            | Elementwise::Binary(_)
            | Elementwise::Compare(_)
            | Elementwise::Select => false,
        }
    }

    fn again(&self) -> Again {
        match self {
            Elementwise::Convert => Again::Moved,
            Elementwise::Compare(_) | Elementwise::Select | Elementwise::StopGradient => Again::Computed,
            Elementwise::Unary(op) => op.again(),
            Elementwise::Binary(op) => op.again(),
        }
    }

    fn stablehlo(&self) -> StableHlo {
        match self {
            Elementwise::Unary(op) => op.stablehlo(),
            Elementwise::Binary(op) => StableHlo::Op(op.name()),
            Elementwise::Compare(_)
            | Elementwise::Select
            | Elementwise::Convert
            | Elementwise::StopGradient => StableHlo::Op(self.name()),
        }
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
