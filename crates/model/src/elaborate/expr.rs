//! Expressions: numbers, tensors, calls, members.

use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::eval::operands;
use crate::elaborate::frame::{Frame, Rows};
use crate::elaborate::value::{Axis, Func, Shape, Value};
use nnc_syntax::ast::{Arg, Expr, ExprKind, UnaryOp};
use nnc_syntax::{Code, Span};

impl Elab<'_> {
    /// The value of an expression.
    pub fn expr(&mut self, frame: &mut Frame, expr: &Expr) -> Res<Value> {
        let value = match &expr.kind {
            ExprKind::Int(n) => Value::Int(*n),
            ExprKind::Float(x) | ExprKind::Percent(x) => Value::Num(*x),
            ExprKind::Size(sizes) => {
                // A margin may be 0; that a tensor's size is not, is checked where there is one.
                let axes = sizes.iter().map(|&n| Axis::of(usize::try_from(n).unwrap_or(usize::MAX)));
                Value::Shape(Shape { axes: axes.collect(), batched: false })
            }
            ExprKind::Text(text) => Value::Text(text.as_str().into()),
            ExprKind::Bool(b) => Value::Bool(*b),
            ExprKind::It => self.it(frame, "it", expr.span)?,
            ExprKind::Training => Value::Bool(self.session.training),
            ExprKind::Name(name) => match self.lookup(frame, name) {
                Some(Value::Poison) => return Err(Stop::Poisoned),
                Some(value) => value,
                None => return Err(self.unknown(frame, Code::N0202, "nothing", name, expr.span)),
            },
            ExprKind::List(items) => {
                Value::List(items.iter().map(|e| self.expr(frame, e)).collect::<Res<Vec<_>>>()?)
            }
            ExprKind::Range(..) => {
                let d = self.error(Code::N0205, "a range is no value here", expr.span, "");
                return Err(Stop::Error(Box::new(
                    d.help("one number; rows to come have a range: horizon=1..3"),
                )));
            }
            ExprKind::Group(chain) => {
                let rows = frame.rows;
                frame.rows = if rows == Rows::None { rows } else { Rows::Weights };
                let value = self.chain(frame, chain);
                frame.rows = rows;
                value?
            }
            ExprKind::If { cond, then, otherwise } => {
                let branch = if self.truth(frame, cond)? { then } else { otherwise };
                self.expr(frame, branch)?
            }
            ExprKind::Unary { op, of } => {
                let value = self.expr(frame, of)?;
                match op {
                    UnaryOp::Neg => self.negate(&value, expr.span)?,
                    UnaryOp::Not => self.not(&value, expr.span)?,
                }
            }
            ExprKind::Binary { op, op_span, left, right } => {
                let l = self.expr(frame, left)?;
                if let Some(value) = self.short_circuit(*op, &l) {
                    return Ok(value);
                }
                let r = self.expr(frame, right)?;
                self.binary_op(*op, &l, &r, *op_span, (left.span, right.span))?
            }
            ExprKind::Call { callee, args } => return self.call(frame, callee, args, expr.span),
            ExprKind::Index { base, index } => {
                let base_value = self.expr(frame, base)?;
                let index_value = self.expr(frame, index)?;
                let part = self.index(&base_value, &index_value, expr.span)?;
                if index_value.int() != Some(0) {
                    self.note_part_of_masked(frame, &base_value, &part, expr.span);
                }
                part
            }
            ExprKind::Member { base, name } => return self.member(frame, base, name, expr.span),
        };
        match value {
            Value::Poison => Err(Stop::Poisoned),
            value => Ok(value),
        }
    }

    fn call(&mut self, frame: &mut Frame, callee: &Expr, args: &[Arg], span: Span) -> Res<Value> {
        if let ExprKind::Name(name) = &callee.kind
            && self.lookup(frame, name).is_none()
        {
            return Err(self.unknown(frame, Code::N0202, "no function", name, callee.span));
        }
        match self.expr(frame, callee)? {
            Value::Func(func @ (Func::Layer(_) | Func::Shared(_))) => {
                let it = self.it(frame, "it", span)?;
                self.apply(frame, &func, operands(it), args, span, true)
            }
            Value::Func(func) => self.apply(frame, &func, Vec::new(), args, span, false),
            // `zeros([3])`: an initialiser without options is also a function of a shape.
            Value::Init(init) if init.def.params.is_empty() && args.len() == 1 && args[0].key.is_none() => {
                let value = self.expr(frame, &args[0].value)?;
                let shape = self.shape_arg(&value, args[0].span)?;
                self.check_size(&shape.axes, span)?;
                self.call_init(&init, shape, span)
            }
            Value::Init(init) => self.bind_init(frame, &init, args, span),
            other => self.fail(
                Code::N0209,
                format!("{} cannot be called", other.kind()),
                callee.span,
                "called here",
            ),
        }
    }

    /// `hidden.w`, `dense1.w`: a weight by the name of its layer.
    fn weight_of(&self, frame: &Frame, base: &Expr, name: &str) -> Option<Value> {
        let mut path = name.to_string();
        let mut at = base;
        while let ExprKind::Member { base, name } = &at.kind {
            path = format!("{}.{path}", name.text);
            at = base;
        }
        let ExprKind::Name(first) = &at.kind else { return None };
        let declared = self.find_declared(&frame.join(&format!("{first}.{path}")))?;
        Some(Value::Tensor(declared.tensor.clone()))
    }

    /// `tokens.table`, `input.classes`.
    fn member(
        &mut self,
        frame: &mut Frame,
        base: &Expr,
        name: &nnc_syntax::ast::Name,
        span: Span,
    ) -> Res<Value> {
        if let Some(weight) = self.weight_of(frame, base, &name.text) {
            return Ok(weight);
        }
        match self.expr(frame, base)? {
            Value::Tensor(t) if name.text == "classes" => match t.classes {
                Some(k) => Ok(Value::Int(k as i64)),
                None => {
                    let message = "these are numbers, not classes";
                    self.no_classes(&t, Code::N0211, message, span, "has no number of classes")
                }
            },
            Value::Func(Func::Shared(shared)) => {
                let path = frame.join(&shared.name);
                let path = format!("{path}.{}", name.text);
                match self.find_declared(&path) {
                    Some(declared) => Ok(Value::Tensor(declared.tensor.clone())),
                    None => {
                        let d = self
                            .error(
                                Code::N0211,
                                format!("`{}` has no weight `{}` yet", shared.name, name.text),
                                name.span,
                                "",
                            )
                            .help("its weights exist once it has been used: name -> layer");
                        Err(Stop::Error(Box::new(d)))
                    }
                }
            }
            other => self.fail(
                Code::N0211,
                format!("{} has nothing called `{}`", other.kind(), name.text),
                name.span,
                "",
            ),
        }
    }
}
