//! Operators on compile-time values and tensors: promotion, broadcasting, lowering to primitives.

use crate::declarations::attributes::Range;
use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::mask::Steps;
use crate::elaborate::value::{Axis, Tensor, Value, shape_text};
use nnc_graph::{Binary, DType, Dim, Direction, DotDims, NodeId, Unary};
use nnc_syntax::ast::BinaryOp;
use nnc_syntax::{Code, Span};

impl Elab<'_> {
    /// A tensor of a value; numbers become scalars.
    pub fn tensor_of(&mut self, value: &Value, span: Span) -> Res<Tensor> {
        let node = match value {
            Value::Tensor(t) => return Ok(t.clone()),
            Value::Poison => return Err(Stop::Poisoned),
            Value::Bool(b) => self.b.constant_of(f64::from(u8::from(*b)), DType::Pred),
            Value::List(items) => return self.list_tensor(items, span),
            other => match other.num() {
                Some(x) => self.b.constant(x),
                None => {
                    return self.fail(
                        Code::N0205,
                        format!("a tensor is wanted here, not {}", other.kind()),
                        span,
                        "",
                    );
                }
            },
        };
        Ok(self.tensor(node, Vec::new(), false))
    }

    /// A vector of the numbers of a list.
    fn list_tensor(&mut self, items: &[Value], span: Span) -> Res<Tensor> {
        if items.is_empty() {
            return self.fail(Code::N0205, "an empty list is no tensor", span, "");
        }
        let mut parts = Vec::new();
        for item in items {
            let t = self.tensor_of(item, span)?;
            if t.rank() != 0 || t.batched {
                return self.fail(Code::N0205, "a list of numbers is wanted here", span, "");
            }
            parts.push(self.b.reshape(t.node, vec![Dim::Size(1)]));
        }
        let node = self.b.concatenate(&parts, 0);
        Ok(self.tensor(node, vec![Axis::of(items.len())], false))
    }

    /// A tensor whose elements are floats: predicates become 0 and 1, classes their number.
    pub fn floats(&mut self, t: &Tensor) -> Tensor {
        let float = self.float();
        let node = self.b.convert(t.node, float);
        Tensor { node, classes: None, ..t.clone() }
    }

    /// The node of a tensor repeated to a larger shape; sizes were compared before.
    pub fn broadcast_to(&mut self, t: &Tensor, axes: &[Axis], batched: bool, span: Span) -> Res<NodeId> {
        self.check_size(axes, span)?;
        let to = Self::dims(axes, batched);
        if t.batched && !batched {
            return self
                .fail(Code::N0308, "a value of one sample cannot become one for all samples", span, "")
                .map_err(|e| match e {
                    Stop::Error(d) => {
                        Stop::Error(Box::new(d.help("batch_mean(x) takes the mean over the samples")))
                    }
                    e => e,
                });
        }
        let offset = axes.len() as isize - t.rank() as isize;
        let fits = offset >= 0
            && t.axes.iter().enumerate().all(|(i, a)| {
                let b = axes[i + offset as usize];
                a.size == b.size || a.size == 1
            });
        if !fits {
            let message = format!("{} does not fit {}", shape_text(&t.axes), shape_text(axes));
            return self.fail(Code::N0311, message, span, "");
        }
        // Axes of size 1 that are repeated are dropped first, since a primitive repeats only new axes.
        let kept: Vec<usize> =
            (0..t.rank()).filter(|&i| t.axes[i].size == axes[i + offset as usize].size).collect();
        let small: Vec<Axis> = kept.iter().map(|&i| t.axes[i]).collect();
        let node = self.b.reshape(t.node, Self::dims(&small, t.batched));
        let lead = usize::from(batched);
        let mut places: Vec<usize> = if t.batched { vec![0] } else { Vec::new() };
        places.extend(kept.iter().map(|&i| i + offset as usize + lead));
        Ok(self.b.broadcast(node, places, to))
    }

    /// The common shape of two tensors: equal, or one repeats along axes of size 1, or the smaller is the
    /// exact end of the larger.
    fn common(&self, a: &Tensor, b: &Tensor, op: &str, span: Span, places: (Span, Span)) -> Res<Vec<Axis>> {
        let (large, small) = if a.rank() >= b.rank() { (a, b) } else { (b, a) };
        if small.rank() == 0 {
            return Ok(large.axes.to_vec());
        }
        let offset = large.rank() - small.rank();
        let mut out = large.axes.to_vec();
        let mut fits = true;
        // Sizes that agree by accident: this axis of the smaller is another one of the larger.
        let mut elsewhere = None;
        for (i, s) in small.axes.iter().enumerate() {
            let l = &mut out[i + offset];
            if offset > 0 {
                fits &= l.size == s.size;
                if s.id.is_some() && l.id != s.id && l.size == s.size {
                    elsewhere =
                        elsewhere.or(large.axes.iter().position(|a| a.id == s.id).map(|at| (s.size, at)));
                }
            } else if l.size == 1 {
                *l = *s;
            } else {
                fits &= s.size == l.size || s.size == 1;
            }
        }
        if fits && elsewhere.is_none() {
            return Ok(out);
        }
        let (left, right) = (shape_text(&a.axes), shape_text(&b.axes));
        let d = self.error(Code::N0311, format!("{left} and {right} do not go together in `{op}`"), span, "");
        let d = match elsewhere.filter(|_| fits) {
            Some((size, at)) => d
                .cause(format!(
                    "the {size} of the smaller is axis {at} of the larger, and would meet its last, which is another {size}"
                ))
                .help("keep the axis that was folded away: mean(x, axis=-1, keep=yes)"),
            None if offset == 0 => d.cause("of equally many axes, each pair is equal, or one of the two is 1"),
            None => d.cause("with fewer axes, the smaller shape must be the exact end of the larger"),
        };
        let d = match (&a.sizes()[..], &b.sizes()[..]) {
            ([m], [n, 1]) | ([n, 1], [m]) if m == n => {
                d.help("`flatten` makes a vector of the column, `column(x)` a column of the vector")
            }
            _ => d,
        };
        let d = if self.is_user(places.0) {
            d.label(places.0, format!("this is {left}")).label(places.1, format!("this is {right}"))
        } else {
            d
        };
        Err(Stop::Error(Box::new(d)))
    }

    /// `-x`
    pub fn negate(&mut self, value: &Value, span: Span) -> Res<Value> {
        match value {
            Value::Int(n) => Ok(Value::Int(n.wrapping_neg())),
            Value::Axis(_) | Value::Num(_) => Ok(Value::Num(-value.num().unwrap_or(0.0))),
            Value::List(items) => {
                Ok(Value::List(items.iter().map(|v| self.negate(v, span)).collect::<Res<Vec<_>>>()?))
            }
            _ => {
                let t = self.tensor_of(value, span)?;
                let t = self.floats(&t);
                let node = self.b.unary(Unary::Negate, t.node);
                Ok(Value::Tensor(Tensor { node, ..t }))
            }
        }
    }

    /// `not x`
    pub fn not(&mut self, value: &Value, span: Span) -> Res<Value> {
        match value {
            Value::Bool(b) => Ok(Value::Bool(!b)),
            Value::Tensor(t) if self.b.ty(t.node).dtype == DType::Pred => {
                let node = self.b.unary(Unary::Not, t.node);
                Ok(Value::Tensor(Tensor { node, ..t.clone() }))
            }
            other => self.fail(Code::N0205, format!("`not` takes yes or no, not {}", other.kind()), span, ""),
        }
    }

    /// `no and …`, `yes or …`
    pub fn short_circuit(&self, op: BinaryOp, left: &Value) -> Option<Value> {
        match (op, left) {
            (BinaryOp::And, Value::Bool(false)) => Some(Value::Bool(false)),
            (BinaryOp::Or, Value::Bool(true)) => Some(Value::Bool(true)),
            _ => None,
        }
    }

    /// `a op b`
    pub fn binary_op(
        &mut self,
        op: BinaryOp,
        left: &Value,
        right: &Value,
        span: Span,
        places: (Span, Span),
    ) -> Res<Value> {
        match (left, right) {
            (Value::Poison, _) | (_, Value::Poison) => return Err(Stop::Poisoned),
            // Beside a tensor a list of numbers is a vector, on either side.
            (Value::List(items), Value::Tensor(_)) | (Value::Tensor(_), Value::List(items))
                if is_vector(items) => {}
            (Value::List(_), Value::List(_)) => {}
            (Value::List(items), other) => {
                let items = items.iter().map(|v| self.binary_op(op, v, other, span, places));
                return Ok(Value::List(items.collect::<Res<Vec<_>>>()?));
            }
            (other, Value::List(items)) if !matches!(other, Value::Several(_)) => {
                let items = items.iter().map(|v| self.binary_op(op, other, v, span, places));
                return Ok(Value::List(items.collect::<Res<Vec<_>>>()?));
            }
            (Value::Bool(a), Value::Bool(b)) => {
                return match op {
                    BinaryOp::And => Ok(Value::Bool(*a && *b)),
                    BinaryOp::Or => Ok(Value::Bool(*a || *b)),
                    BinaryOp::Eq => Ok(Value::Bool(a == b)),
                    BinaryOp::Ne => Ok(Value::Bool(a != b)),
                    _ => self.fail(
                        Code::N0205,
                        format!("`{}` takes numbers", op.sign()),
                        span,
                        "not yes or no",
                    ),
                };
            }
            (Value::Tensor(_), _) | (_, Value::Tensor(_)) => {}
            _ => return self.constant_op(op, left, right, span),
        }
        if matches!(left, Value::Several(_)) || matches!(right, Value::Several(_)) {
            return self.fail(Code::N0205, format!("`{}` takes one value on each side", op.sign()), span, "");
        }
        let a = self.tensor_of(left, places.0)?;
        let b = self.tensor_of(right, places.1)?;
        let out = match op {
            BinaryOp::MatMul => self.matmul(&a, &b, span, places)?,
            BinaryOp::Pow => self.power(&a, right, &b, span, places)?,
            _ => self.elementwise(op, &a, &b, span, places)?,
        };
        let mut out = Value::Tensor(out);
        self.hand_on_of(op, a.rank(), [left, right], &mut out);
        // A sum or product of numbers of any size can be anything; of a quotient or a comparison, or a mixture of
        // shares, nothing is known.
        let combines = matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::MatMul);
        let range = (combines && (self.is_unbounded(left) || self.is_unbounded(right))).then_some(Range::Any);
        self.remember(op.sign(), range, vec![left.clone(), right.clone()], &out);
        Ok(out)
    }

    /// Whether a tensor is known to hold numbers beyond 0 and 1.
    fn is_unbounded(&self, value: &Value) -> bool {
        let Value::Tensor(t) = value else { return false };
        !matches!(self.range(t), None | Some(Range::Unit | Range::Shares))
    }

    fn constant_op(&mut self, op: BinaryOp, left: &Value, right: &Value, span: Span) -> Res<Value> {
        let order = |o: std::cmp::Ordering| match op {
            BinaryOp::Eq => o.is_eq(),
            BinaryOp::Ne => o.is_ne(),
            BinaryOp::Lt => o.is_lt(),
            BinaryOp::Le => o.is_le(),
            BinaryOp::Gt => o.is_gt(),
            _ => o.is_ge(),
        };
        let compares = matches!(
            op,
            BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge
        );
        if let (Value::Int(_) | Value::Axis(_), Value::Int(_) | Value::Axis(_)) = (left, right) {
            let (a, b) = (left.int().unwrap_or(0), right.int().unwrap_or(0));
            if compares {
                return Ok(Value::Bool(order(a.cmp(&b))));
            }
            let whole = match op {
                BinaryOp::Add => a.checked_add(b),
                BinaryOp::Sub => a.checked_sub(b),
                BinaryOp::Mul => a.checked_mul(b),
                BinaryOp::Div if b != 0 && a % b == 0 => Some(a / b),
                BinaryOp::Pow if b >= 0 => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
                _ => None,
            };
            match (whole, op) {
                (Some(n), _) => return Ok(Value::Int(n)),
                (None, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul) => {
                    return self.fail(
                        Code::N0306,
                        format!("{a} {} {b} is too large a number", op.sign()),
                        span,
                        "",
                    );
                }
                _ => {}
            }
        }
        if let (Some(a), Some(b)) = (left.num(), right.num()) {
            if compares {
                let o = a.partial_cmp(&b);
                return Ok(Value::Bool(o.map_or(op == BinaryOp::Ne, order)));
            }
            let value = match op {
                BinaryOp::Add => a + b,
                BinaryOp::Sub => a - b,
                BinaryOp::Mul => a * b,
                BinaryOp::Div if b == 0.0 => return self.fail(Code::N0306, "division by zero", span, "here"),
                BinaryOp::Div => a / b,
                BinaryOp::Pow => a.powf(b),
                _ => {
                    return self.fail(
                        Code::N0205,
                        format!("`{}` does not take numbers", op.sign()),
                        span,
                        "",
                    );
                }
            };
            return Ok(Value::Num(value));
        }
        let equal = match op {
            BinaryOp::Eq => same(left, right),
            BinaryOp::Ne => !same(left, right),
            _ => {
                let message = format!("`{}` does not take {} and {}", op.sign(), left.kind(), right.kind());
                let mut d = self.error(Code::N0205, message, span, "");
                if let (Value::Func(_), BinaryOp::Sub, Some(x)) = (left, op, right.num()) {
                    d = d
                        .cause(format!("read as `{left}` minus {x}"))
                        .help(format!("a negative argument takes brackets: {left} (-{x})"));
                } else if let Value::Func(_) = left {
                    d = d.help(format!("to apply it first: (x -> {left}) {} …", op.sign()));
                }
                return Err(Stop::Error(Box::new(d)));
            }
        };
        Ok(Value::Bool(equal))
    }

    /// Both tensors with one shape and one element type.
    fn promoted(
        &mut self,
        a: &Tensor,
        b: &Tensor,
        op: &str,
        span: Span,
        places: (Span, Span),
    ) -> Res<(NodeId, NodeId, Vec<Axis>, bool)> {
        let (mut a, mut b) = (a.clone(), b.clone());
        // A class against numbers of its width is one-hot; two classes are compared as classes.
        match (a.classes, b.classes) {
            (Some(n), None) => a = self.class_like(&a, n, &b.sizes(), places.0)?.unwrap_or(a),
            (None, Some(n)) => b = self.class_like(&b, n, &a.sizes(), places.1)?.unwrap_or(b),
            _ => {}
        }
        let (ta, tb) = (self.b.ty(a.node).dtype, self.b.ty(b.node).dtype);
        let both_logical = ta == DType::Pred && tb == DType::Pred && matches!(op, "and" | "or");
        let both_classes = a.classes.is_some() && b.classes.is_some() && matches!(op, "==" | "!=");
        if !both_logical && !both_classes {
            a = self.floats(&a);
            b = self.floats(&b);
        }
        let axes = self.common(&a, &b, op, span, places)?;
        let batched = a.batched || b.batched;
        let left = self.broadcast_to(&a, &axes, batched, span)?;
        let right = self.broadcast_to(&b, &axes, batched, span)?;
        Ok((left, right, axes, batched))
    }

    fn elementwise(
        &mut self,
        op: BinaryOp,
        a: &Tensor,
        b: &Tensor,
        span: Span,
        places: (Span, Span),
    ) -> Res<Tensor> {
        if matches!(op, BinaryOp::And | BinaryOp::Or) {
            let logical = |e: &Self, t: &Tensor| e.b.ty(t.node).dtype == DType::Pred;
            if !logical(self, a) || !logical(self, b) {
                return self.fail(
                    Code::N0205,
                    format!("`{}` takes yes or no on both sides", op.sign()),
                    span,
                    "",
                );
            }
        }
        let (l, r, axes, batched) = self.promoted(a, b, op.sign(), span, places)?;
        let node = match op {
            BinaryOp::Add => self.b.binary(Binary::Add, l, r),
            BinaryOp::Sub => self.b.binary(Binary::Subtract, l, r),
            BinaryOp::Mul => self.b.binary(Binary::Multiply, l, r),
            BinaryOp::Div => self.b.binary(Binary::Divide, l, r),
            BinaryOp::And => self.b.binary(Binary::And, l, r),
            BinaryOp::Or => self.b.binary(Binary::Or, l, r),
            BinaryOp::Eq => self.b.compare(Direction::Eq, l, r),
            BinaryOp::Ne => self.b.compare(Direction::Ne, l, r),
            BinaryOp::Lt => self.b.compare(Direction::Lt, l, r),
            BinaryOp::Le => self.b.compare(Direction::Le, l, r),
            BinaryOp::Gt => self.b.compare(Direction::Gt, l, r),
            BinaryOp::Ge => self.b.compare(Direction::Ge, l, r),
            BinaryOp::MatMul | BinaryOp::Pow => l, // lowered elsewhere
        };
        Ok(self.tensor(node, axes, batched))
    }

    /// The larger or the smaller of two.
    pub fn extremum(&mut self, op: Binary, a: &Value, b: &Value, span: Span) -> Res<Value> {
        if let (Some(x), Some(y)) = (a.num(), b.num()) {
            let left = if op == Binary::Maximum { x >= y } else { x <= y };
            return Ok(if left { a.clone() } else { b.clone() });
        }
        let (a, b) = (self.tensor_of(a, span)?, self.tensor_of(b, span)?);
        let name = if op == Binary::Maximum { "max" } else { "min" };
        let (l, r, axes, batched) = self.promoted(&a, &b, name, span, (span, span))?;
        let node = self.b.binary(op, l, r);
        let mut out = Value::Tensor(self.tensor(node, axes, batched));
        self.hand_on(Steps::Each, [Value::Tensor(a), Value::Tensor(b)].iter(), &mut out);
        Ok(out)
    }

    /// `where(condition, a, b)`
    pub fn select(&mut self, cond: &Tensor, a: &Value, b: &Value, span: Span) -> Res<Value> {
        if self.b.ty(cond.node).dtype != DType::Pred {
            return self.fail(Code::N0205, "the first argument of `where` is a comparison", span, "");
        }
        let (a, b) = (self.tensor_of(a, span)?, self.tensor_of(b, span)?);
        let (a, b) = (self.floats(&a), self.floats(&b));
        let axes = self.common(&a, &b, "where", span, (span, span))?;
        let shaped = Tensor { axes: axes.into(), ..a.clone() };
        let axes = self.common(&shaped, cond, "where", span, (span, span))?;
        let batched = a.batched || b.batched || cond.batched;
        let pred = self.broadcast_to(cond, &axes, batched, span)?;
        let l = self.broadcast_to(&a, &axes, batched, span)?;
        let r = self.broadcast_to(&b, &axes, batched, span)?;
        let node = self.b.select(pred, l, r);
        Ok(Value::Tensor(self.tensor(node, axes, batched)))
    }

    /// `x ^ y`: small whole exponents are products, a half is a root.
    fn power(
        &mut self,
        x: &Tensor,
        y: &Value,
        y_tensor: &Tensor,
        span: Span,
        places: (Span, Span),
    ) -> Res<Tensor> {
        let base = self.floats(x);
        let node = match y.num() {
            Some(1.0) => base.node,
            Some(0.5) => self.b.unary(Unary::Sqrt, base.node),
            Some(n) if n.fract() == 0.0 && (2.0..=8.0).contains(&n) => {
                let (mut out, mut square, mut left) = (None, base.node, n as u32);
                while left > 0 {
                    if left & 1 == 1 {
                        out = Some(out.map_or(square, |o| self.b.binary(Binary::Multiply, o, square)));
                    }
                    left >>= 1;
                    if left > 0 {
                        square = self.b.binary(Binary::Multiply, square, square);
                    }
                }
                out.unwrap_or(base.node)
            }
            _ => {
                let (l, r, axes, batched) = self.promoted(&base, y_tensor, "^", span, places)?;
                let node = self.b.binary(Binary::Power, l, r);
                return Ok(self.tensor(node, axes, batched));
            }
        };
        Ok(Tensor { node, ..base })
    }

    /// `a @ b`: the last axis of `a` with the first of a matrix; stacks of matrices one by one.
    fn matmul(&mut self, a: &Tensor, b: &Tensor, span: Span, places: (Span, Span)) -> Res<Tensor> {
        let (a, b) = (self.floats(a), self.floats(b));
        let (ra, rb) = (a.rank(), b.rank());
        let shared = rb.saturating_sub(2);
        let fits = ra >= 1
            && rb >= 1
            && (shared == 0 || ra == rb)
            && a.axes[ra - 1].size == b.axes[shared].size
            && (0..shared).all(|i| a.axes[i].size == b.axes[i].size);
        if !fits {
            let (left, right) = (shape_text(&a.axes), shape_text(&b.axes));
            let mut d = self.error(Code::N0311, format!("`@` cannot multiply {left} by {right}"), span, "");
            if ra >= 1 && rb >= 1 && shared < rb {
                let (m, n) = (a.axes[ra - 1].size, b.axes[shared].size);
                if m != n {
                    d = d.cause(format!("the last axis of the left, {m}, meets the first of the right, {n}"));
                }
            }
            if self.is_user(places.0) {
                d = d.label(places.0, format!("this is {left}")).label(places.1, format!("this is {right}"));
            }
            return Err(Stop::Error(Box::new(d)));
        }
        let (la, lb) = (usize::from(a.batched), usize::from(b.batched));
        let mut dims = DotDims {
            left_batch: (la..la + shared).collect(),
            right_batch: (lb..lb + shared).collect(),
            left_contract: vec![la + ra - 1],
            right_contract: vec![lb + shared],
        };
        let both = a.batched && b.batched;
        if both {
            dims.left_batch.insert(0, 0);
            dims.right_batch.insert(0, 0);
        }
        let node = self.b.dot(a.node, b.node, dims);
        // The batch comes first; where only one side has it, it stands behind the shared axes or further.
        let at = self.b.ty(node).shape.iter().position(|d| *d == Dim::Batch);
        let node = match at {
            Some(at) if at > 0 => {
                let rank = self.b.ty(node).rank();
                let perm = std::iter::once(at).chain((0..rank).filter(|i| *i != at)).collect();
                self.b.transpose(node, perm)
            }
            _ => node,
        };
        let mut axes: Vec<Axis> = a.axes[..ra - 1].to_vec();
        axes.extend(b.axes[shared + 1..].iter().copied());
        self.check_size(&axes, span)?;
        Ok(self.tensor(node, axes, a.batched || b.batched))
    }

    /// A class tensor as vectors with one 1.
    pub fn one_hot(&mut self, t: &Tensor, n: usize, span: Span) -> Res<Tensor> {
        let axes: Vec<Axis> = t.axes.iter().copied().chain([Axis::of(n)]).collect();
        self.check_size(&axes, span)?;
        let shape = Self::dims(&axes, t.batched);
        let places: Vec<usize> = (0..shape.len() - 1).collect();
        let spread = self.b.broadcast(t.node, places, shape.clone());
        let ty = nnc_graph::Type::new(DType::I32, shape);
        let counter = self.b.iota(ty.rank() - 1, ty);
        let hit = self.b.compare(Direction::Eq, spread, counter);
        let float = self.float();
        let node = self.b.convert(hit, float);
        Ok(self.tensor(node, axes, t.batched))
    }

    /// `x[2]`: an element of a list or shape, or a slice of a tensor along its first axis.
    pub fn index(&mut self, base: &Value, index: &Value, span: Span) -> Res<Value> {
        let Some(i) = index.int() else {
            let message = match index {
                Value::Num(x) => format!("an index is a whole number, not {x}"),
                other => format!("an index is a whole number known before training, not {}", other.kind()),
            };
            return self.fail(Code::N0205, message, span, "");
        };
        let len = match base {
            Value::List(items) | Value::Several(items) => items.len(),
            Value::Shape(s) => s.axes.len(),
            Value::Tensor(t) if t.rank() > 0 => t.axes[0].size,
            other => {
                return self.fail(Code::N0205, format!("{} has no parts to index", other.kind()), span, "");
            }
        };
        let at = if i < 0 { i + len as i64 } else { i };
        if at < 0 || at >= len as i64 {
            let d =
                self.error(Code::N0205, format!("there is no part {i} among {len}"), span, "").help(format!(
                    "parts are counted from 0 to {}, or from the end: -1 is the last",
                    len.saturating_sub(1)
                ));
            return Err(Stop::Error(Box::new(d)));
        }
        let at = at as usize;
        match base {
            Value::List(items) | Value::Several(items) => Ok(items[at].clone()),
            Value::Shape(s) => Ok(Value::Axis(s.axes[at])),
            Value::Tensor(t) => {
                let lead = usize::from(t.batched);
                let mut start = vec![0; t.rank() + lead];
                start[lead] = at;
                let mut cut = t.axes.to_vec();
                cut[0].size = 1;
                let node = self.b.slice(t.node, start, Self::dims(&cut, t.batched));
                let axes = t.axes[1..].to_vec();
                let node = self.b.reshape(node, Self::dims(&axes, t.batched));
                Ok(Value::Tensor(Tensor { node, axes: axes.into(), mask: None, ..t.clone() }))
            }
            _ => Err(Stop::Poisoned),
        }
    }
}

/// Whether a list can stand for a vector: numbers, and tensors that are one number for all samples.
fn is_vector(items: &[Value]) -> bool {
    let one = |v: &Value| match v {
        Value::Tensor(t) => t.rank() == 0 && !t.batched,
        v => v.num().is_some(),
    };
    !items.is_empty() && items.iter().all(one)
}

/// Whether two values are the same; a word, such as the option `same`, is its text.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Symbol(a), Value::Text(b)) | (Value::Text(a), Value::Symbol(b)) => a == b,
        // A word of a parameter that also names something of the library.
        (Value::Symbol(a), other @ (Value::Func(_) | Value::Init(_)))
        | (other @ (Value::Func(_) | Value::Init(_)), Value::Symbol(a)) => **a == *other.to_string(),
        _ => left == right,
    }
}
