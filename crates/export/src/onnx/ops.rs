//! Every primitive in operators of ONNX: what works element by element, what moves, what folds.

use super::emit::{At, Emitter, Known, Source, Val, elem};
use super::proto::{Attr, Data, Elem};
use nnc_graph::{
    Binary, Dim, Direction, DotDims, Elementwise, Indexing, Leaf, Movement, Prim, Reduce, Reduction, Type,
    Unary,
};
use std::rc::Rc;

impl Emitter<'_> {
    /// Writes one node; what it comes to.
    ///
    /// # Errors
    /// What of it ONNX cannot say.
    pub(crate) fn primitive(&mut self, at: At) -> Result<Val, String> {
        let (x, ty) = (self.operands(at), self.ty(at));
        match self.prim(at) {
            Prim::Leaf(leaf) => self.leaf(at, leaf, &x, ty),
            Prim::Elementwise(op) => self.elementwise(at, *op, &x),
            Prim::Movement(op) => self.movement(at.0, op, &x, ty),
            Prim::Reduce(op) => self.reduce(at.0, op, x[0]),
            Prim::DotGeneral(dims) => self.dot(at.0, dims, x[0], x[1], ty),
            Prim::Convolve(op) => self.convolve(at.0, op, x[0], x[1], ty),
            Prim::Window(op) => self.window(at, op, &x, ty),
            Prim::Indexing(Indexing::Gather) => self.gather(at.0, x[0], x[1]),
            Prim::Indexing(Indexing::ScatterAdd) => self.scatter(at.0, x[0], x[1], ty),
            Prim::Scan(scan) => self.scan(at, scan),
        }
    }

    fn leaf(&mut self, at: At, leaf: &Leaf, x: &[At], ty: &Type) -> Result<Val, String> {
        let elem = elem(ty.dtype);
        let known = |label: String, dims: Vec<usize>, values: Vec<f64>, axes: Vec<usize>| Val {
            source: Source::Known(Rc::new(Known { label, elem, dims, values, weight: false })),
            axes,
        };
        Ok(match leaf {
            Leaf::Parameter { role, name } => return Err(format!("{} `{name}` is not given", role.name())),
            Leaf::Constant(bits) => known(bits.to_string(), Vec::new(), vec![bits.get()], Vec::new()),
            Leaf::Iota { axis } => match ty.shape[*axis] {
                Dim::Size(n) => {
                    let counted = (0..n).map(|i| i as f64).collect();
                    known(format!("0 to {}", n.saturating_sub(1)), vec![n], counted, vec![*axis])
                }
                Dim::Batch => {
                    let (from, by) = (self.int(0), self.int(1));
                    let n = self.batch_scalar()?;
                    let counted = self.node(at.0, "Range", &[&from, &n, &by], &[]);
                    Val::named(self.cast(at.0, &counted, elem), vec![*axis])
                }
            },
            Leaf::BatchSize => {
                let n = self.batch_scalar()?;
                Val::named(self.cast(at.0, &n, elem), Vec::new())
            }
            Leaf::Rng { distribution, site } => {
                let name = self.random(at.0, *distribution, *site, x, ty)?;
                Val::plain(name, ty.rank())
            }
        })
    }

    /// The number of samples.
    pub(crate) fn batch_scalar(&mut self) -> Result<String, String> {
        let (list, axes) = (self.batch_size()?, self.ints(&[0]));
        Ok(self.node(0, "Squeeze", &[&list, &axes], &[]))
    }

    fn elementwise(&mut self, at: At, op: Elementwise, x: &[At]) -> Result<Val, String> {
        let level = at.0;
        if let Elementwise::StopGradient = op {
            return Ok(self.val(x[0]));
        }
        if op == Elementwise::Binary(Binary::Divide)
            && let Some(val) = self.softmax(level, x).or_else(|| self.mean(x))
        {
            return Ok(val);
        }
        let (names, axes) = self.aligned(x);
        let from = self.elem(x[0]);
        let name = match op {
            Elementwise::Unary(op) => self.unary(level, op, &names[0], from),
            Elementwise::Binary(op) => {
                // Zero on one side and the larger of both: a name that everybody knows.
                let zero = x.iter().position(|&o| self.val(o).constant() == Some(0.0));
                match (op, zero) {
                    (Binary::Maximum, Some(zero)) if from != Elem::Int64 => {
                        self.node(level, "Relu", &[&names[1 - zero]], &[])
                    }
                    (Binary::Maximum, _) => self.node(level, "Max", &[&names[0], &names[1]], &[]),
                    (Binary::Minimum, _) => self.node(level, "Min", &[&names[0], &names[1]], &[]),
                    (Binary::Add, _) => self.node(level, "Add", &[&names[0], &names[1]], &[]),
                    (Binary::Subtract, _) => self.node(level, "Sub", &[&names[0], &names[1]], &[]),
                    (Binary::Multiply, _) => self.node(level, "Mul", &[&names[0], &names[1]], &[]),
                    (Binary::Divide, _) => self.node(level, "Div", &[&names[0], &names[1]], &[]),
                    (Binary::Power, _) => self.node(level, "Pow", &[&names[0], &names[1]], &[]),
                    (Binary::And, _) => self.node(level, "And", &[&names[0], &names[1]], &[]),
                    (Binary::Or, _) => self.node(level, "Or", &[&names[0], &names[1]], &[]),
                }
            }
            Elementwise::Compare(direction) => {
                self.compare(level, direction, names[0].clone(), names[1].clone(), from)
            }
            Elementwise::Select => self.select(level, &names, self.elem(x[1])),
            Elementwise::Convert => {
                let to = self.elem(at);
                if from == to { names[0].clone() } else { self.cast(level, &names[0], to) }
            }
            Elementwise::StopGradient => names[0].clone(),
        };
        Ok(Val::named(name, axes))
    }

    fn unary(&mut self, level: usize, op: Unary, x: &str, of: Elem) -> String {
        let one = |e: &mut Self| e.number(1.0, of);
        match op {
            Unary::Negate => self.node(level, "Neg", &[x], &[]),
            Unary::Abs => self.node(level, "Abs", &[x], &[]),
            Unary::Sign => self.node(level, "Sign", &[x], &[]),
            Unary::Exponential => self.node(level, "Exp", &[x], &[]),
            Unary::Log => self.node(level, "Log", &[x], &[]),
            Unary::Sqrt => self.node(level, "Sqrt", &[x], &[]),
            Unary::Rsqrt => {
                let root = self.node(level, "Sqrt", &[x], &[]);
                self.node(level, "Reciprocal", &[&root], &[])
            }
            Unary::Sine => self.node(level, "Sin", &[x], &[]),
            Unary::Cosine => self.node(level, "Cos", &[x], &[]),
            Unary::Tanh => self.node(level, "Tanh", &[x], &[]),
            Unary::Logistic => self.node(level, "Sigmoid", &[x], &[]),
            Unary::Erf if of == Elem::Double => self.wide_erf(level, x),
            Unary::Erf => self.node(level, "Erf", &[x], &[]),
            Unary::Floor => self.node(level, "Floor", &[x], &[]),
            Unary::Round => self.node(level, "Round", &[x], &[]),
            Unary::Not => self.node(level, "Not", &[x], &[]),
            Unary::Softplus if of == Elem::Float => self.node(level, "Softplus", &[x], &[]),
            // Runtimes have no Softplus of doubles.
            Unary::Softplus => {
                let zero = self.number(0.0, of);
                let above = self.node(level, "Max", &[x, &zero], &[]);
                let size = self.node(level, "Abs", &[x], &[]);
                let below = self.node(level, "Neg", &[&size], &[]);
                let small = self.node(level, "Exp", &[&below], &[]);
                let log = self.unary(level, Unary::LogPlusOne, &small, of);
                self.node(level, "Add", &[&above, &log], &[])
            }
            // Kahan: where u = exp(x) is rounded, so is its logarithm, and the error cancels.
            Unary::ExponentialMinusOne => {
                let one = one(self);
                let u = self.node(level, "Exp", &[x], &[]);
                let less = self.node(level, "Sub", &[&u, &one], &[]);
                let log = self.node(level, "Log", &[&u], &[]);
                let top = self.node(level, "Mul", &[&less, x], &[]);
                let near = self.node(level, "Div", &[&top, &log], &[]);
                self.kahan(level, x, &u, &near, &less)
            }
            Unary::LogPlusOne => {
                let one = one(self);
                let u = self.node(level, "Add", &[x, &one], &[]);
                let log = self.node(level, "Log", &[&u], &[]);
                let less = self.node(level, "Sub", &[&u, &one], &[]);
                let top = self.node(level, "Mul", &[&log, x], &[]);
                let near = self.node(level, "Div", &[&top, &less], &[]);
                self.kahan(level, x, &u, &near, &log)
            }
        }
    }

    /// `x` where `u` is 1, `near` where `x` is below 1, and `far` elsewhere.
    fn kahan(&mut self, level: usize, x: &str, u: &str, near: &str, far: &str) -> String {
        let one = self.number(1.0, self.elem_of_one(level));
        let exact = self.node(level, "Equal", &[u, &one], &[]);
        let size = self.node(level, "Abs", &[x], &[]);
        let small = self.node(level, "Less", &[&size, &one], &[]);
        let best = self.node(level, "Where", &[&small, near, far], &[]);
        self.node(level, "Where", &[&exact, x, &best], &[])
    }

    fn elem_of_one(&self, level: usize) -> Elem {
        elem(self.scopes[level].graph.float)
    }

    fn compare(&mut self, level: usize, direction: Direction, a: String, b: String, of: Elem) -> String {
        let equal = matches!(direction, Direction::Eq | Direction::Ne);
        // Truth has no order in ONNX.
        let (a, b) = match of {
            Elem::Bool if !equal => (self.cast(level, &a, Elem::Int64), self.cast(level, &b, Elem::Int64)),
            Elem::Bool
            | Elem::Float
            | Elem::Int32
            | Elem::Int64
            | Elem::Text
            | Elem::Double
            | Elem::UInt64 => (a, b),
        };
        match direction {
            Direction::Eq => self.node(level, "Equal", &[&a, &b], &[]),
            Direction::Ne => {
                let same = self.node(level, "Equal", &[&a, &b], &[]);
                self.node(level, "Not", &[&same], &[])
            }
            Direction::Lt => self.node(level, "Less", &[&a, &b], &[]),
            Direction::Le => self.node(level, "LessOrEqual", &[&a, &b], &[]),
            Direction::Gt => self.node(level, "Greater", &[&a, &b], &[]),
            Direction::Ge => self.node(level, "GreaterOrEqual", &[&a, &b], &[]),
        }
    }

    fn select(&mut self, level: usize, x: &[String], of: Elem) -> String {
        if of != Elem::Bool {
            return self.node(level, "Where", &[&x[0], &x[1], &x[2]], &[]);
        }
        let not = self.node(level, "Not", &[&x[0]], &[]);
        let yes = self.node(level, "And", &[&x[0], &x[1]], &[]);
        let no = self.node(level, "And", &[&not, &x[2]], &[]);
        self.node(level, "Or", &[&yes, &no], &[])
    }

    /// A node without what only says its elements again in other shapes.
    fn bare(&self, mut at: At) -> At {
        loop {
            at = self.resolve(at);
            let same = match self.prim(at) {
                Prim::Elementwise(Elementwise::StopGradient)
                | Prim::Movement(Movement::Reshape | Movement::BroadcastInDim { .. }) => true,
                Prim::Leaf(_)
                | Prim::Elementwise(_)
                | Prim::Movement(_)
                | Prim::Reduce(_)
                | Prim::DotGeneral(_)
                | Prim::Convolve(_)
                | Prim::Window(_)
                | Prim::Indexing(_)
                | Prim::Scan(_) => false,
            };
            match self.operands(at).first() {
                Some(&below) if same => at = below,
                _ => return at,
            }
        }
    }

    /// The fold that a node says again for every element of `of`, and its axis.
    fn fold_of(&self, at: At, of: At, wanted: Reduction) -> Option<usize> {
        let bare = self.bare(at);
        let Prim::Reduce(Reduce::Fold { op, axes }) = self.prim(bare) else { return None };
        let &[axis] = &axes[..] else { return None };
        let below = self.operands(bare).first().copied()?;
        let (mut kept, whole) = (self.val(at).axes, self.ty(of).rank());
        kept.sort_unstable();
        let others: Vec<usize> = (0..whole).filter(|a| *a != axis).collect();
        let fits = *op == wanted && self.resolve(below) == self.resolve(of) && kept == others;
        fits.then_some(axis)
    }

    /// exp(x - max(x)) / sum of these, along an axis: a name that everybody knows.
    fn softmax(&mut self, level: usize, x: &[At]) -> Option<Val> {
        let top = self.resolve(x[0]);
        let axis = self.fold_of(x[1], top, Reduction::Add)?;
        let Prim::Elementwise(Elementwise::Unary(Unary::Exponential)) = self.prim(top) else { return None };
        let less = self.resolve(self.operands(top).first().copied()?);
        let Prim::Elementwise(Elementwise::Binary(Binary::Subtract)) = self.prim(less) else { return None };
        let &[logits, most] = &self.operands(less)[..] else { return None };
        if self.fold_of(most, logits, Reduction::Maximum)? != axis {
            return None;
        }
        let (name, axes) = self.stored(logits);
        let place = axes.iter().position(|a| *a == axis)?;
        let attrs = [("axis", Attr::Int(place as i64))];
        Some(Val::named(self.node(level, "Softmax", &[&name], &attrs), axes))
    }

    /// The sum over a window by its number of places.
    fn mean(&self, x: &[At]) -> Option<Val> {
        let (mean, count) = self.means.get(&self.resolve(x[0]))?;
        (self.val(x[1]).constant() == Some(*count)).then(|| mean.clone())
    }

    fn movement(&mut self, level: usize, op: &Movement, x: &[At], ty: &Type) -> Result<Val, String> {
        let first = x[0];
        let val = self.val(first);
        let own: &Type = self.ty(first);
        Ok(match op {
            Movement::Transpose { perm } => {
                let place = |a: &usize| perm.iter().position(|p| p == a).unwrap_or(0);
                Val { source: val.source, axes: val.axes.iter().map(place).collect() }
            }
            Movement::BroadcastInDim { axes } => {
                Val { source: val.source, axes: val.axes.iter().map(|&a| axes[a]).collect() }
            }
            Movement::Reshape => self.reshape(level, first, ty)?,
            Movement::Slice { start } => {
                let size = |a: usize| ty.shape[a].fixed();
                let cuts: Vec<(usize, i64, i64, i64)> = val
                    .axes
                    .iter()
                    .enumerate()
                    .filter(|(_, a)| own.shape[**a] != ty.shape[**a])
                    .filter_map(|(i, &a)| {
                        let end = start[a] + size(a)?;
                        Some((i, start[a] as i64, end as i64, 1))
                    })
                    .collect();
                if cuts.is_empty() {
                    return Ok(val);
                }
                let (name, axes) = self.stored(first);
                Val::named(self.cut(level, &name, &cuts), axes)
            }
            Movement::Pad { low } => {
                let grows = |a: &usize| own.shape[*a] != ty.shape[*a];
                let all_stored = (0..ty.rank()).filter(grows).all(|a| val.axes.contains(&a));
                let (name, axes) = match all_stored {
                    true => self.stored(first),
                    false => (self.canonical(first)?, (0..ty.rank()).collect()),
                };
                let size = |d: Dim| d.fixed().unwrap_or(0) as i64;
                let before: Vec<i64> = axes.iter().map(|&a| low[a] as i64).collect();
                let after: Vec<i64> =
                    axes.iter().map(|&a| size(ty.shape[a]) - size(own.shape[a]) - low[a] as i64).collect();
                Val::named(self.pad(level, &name, &before, &after, None), axes)
            }
            Movement::Reverse { axes } => {
                let turned: Vec<(usize, i64, i64, i64)> = (0..val.axes.len())
                    .filter(|i| axes.contains(&val.axes[*i]))
                    .map(|i| (i, -1, i64::MIN + 1, -1))
                    .collect();
                let (name, axes) = self.stored(first);
                Val::named(self.cut(level, &name, &turned), axes)
            }
            Movement::Concatenate { axis } => {
                let full = x.iter().map(|&o| self.val(o).axes).find(|axes| axes.len() == ty.rank());
                let order: Vec<usize> = full.unwrap_or_else(|| (0..ty.rank()).collect());
                let place = order.iter().position(|a| a == axis).unwrap_or(0);
                let parts: Result<Vec<String>, String> = x.iter().map(|&o| self.full(o, &order)).collect();
                Val::named(self.joined(level, &parts?, place as i64), order)
            }
        })
    }

    /// The same elements under another shape; axes of size 1 that come are not stored.
    fn reshape(&mut self, level: usize, x: At, ty: &Type) -> Result<Val, String> {
        let from = self.ty(x);
        let wide = |shape: &[Dim]| -> Vec<usize> {
            (0..shape.len()).filter(|&a| shape[a] != Dim::Size(1)).collect()
        };
        let (before, after) = (wide(&from.shape), wide(&ty.shape));
        let sizes = |shape: &[Dim], axes: &[usize]| axes.iter().map(|&a| shape[a]).collect::<Vec<_>>();
        if sizes(&from.shape, &before) != sizes(&ty.shape, &after) {
            let name = self.canonical(x)?;
            return Ok(Val::plain(self.reshaped(level, &name, &ty.shape)?, ty.rank()));
        }
        let to = |a: &usize| before.iter().position(|b| b == a).map(|i| after[i]);
        let val = self.val(x);
        let mut axes = Vec::new();
        let mut gone = Vec::new();
        for (i, a) in val.axes.iter().enumerate() {
            match to(a) {
                Some(new) => axes.push(new),
                None => gone.push(i),
            }
        }
        if gone.is_empty() {
            return Ok(Val { source: val.source, axes });
        }
        if let Source::Known(known) = &val.source {
            let dims = known.dims.iter().enumerate().filter(|(i, _)| !gone.contains(i)).map(|(_, d)| *d);
            let known = Known {
                label: known.label.clone(),
                elem: known.elem,
                dims: dims.collect(),
                values: known.values.clone(),
                weight: known.weight,
            };
            return Ok(Val { source: Source::Known(Rc::new(known)), axes });
        }
        let (name, _) = self.stored(x);
        let list: Vec<i64> = gone.iter().map(|i| *i as i64).collect();
        let list = self.ints(&list);
        Ok(Val::named(self.node(level, "Squeeze", &[&name, &list], &[]), axes))
    }

    fn reduce(&mut self, level: usize, op: &Reduce, x: At) -> Result<Val, String> {
        let val = self.val(x);
        let rank = self.ty(x).rank();
        let folded: Vec<usize> = match op {
            Reduce::Fold { axes, .. } => axes.clone(),
            Reduce::ArgMax { axis } => vec![*axis],
        };
        let (name, axes) = match folded.iter().all(|a| val.axes.contains(a)) {
            true => self.stored(x),
            false => (self.canonical(x)?, (0..rank).collect()),
        };
        let places: Vec<i64> =
            (0..axes.len()).filter(|i| folded.contains(&axes[*i])).map(|i| i as i64).collect();
        let left: Vec<usize> = axes
            .iter()
            .filter(|a| !folded.contains(a))
            .map(|a| a - folded.iter().filter(|f| *f < a).count())
            .collect();
        let of = self.elem(x);
        let drop = ("keepdims", Attr::Int(0));
        let list = self.ints(&places);
        let name = match op {
            Reduce::Fold { op: Reduction::Add, .. } => {
                self.node(level, "ReduceSum", &[&name, &list], &[drop])
            }
            Reduce::Fold { op: Reduction::Maximum, .. } => self.most(level, "ReduceMax", &name, &list, of),
            Reduce::Fold { op: Reduction::Minimum, .. } => self.most(level, "ReduceMin", &name, &list, of),
            Reduce::ArgMax { .. } => {
                // What is no number is never the largest.
                let none = self.node(level, "IsNaN", &[&name], &[]);
                let least = self.number(f64::NEG_INFINITY, of);
                let name = self.node(level, "Where", &[&none, &least, &name], &[]);
                let axis = places.first().copied().unwrap_or(0);
                self.node(level, "ArgMax", &[&name], &[("axis", Attr::Int(axis)), drop])
            }
        };
        Ok(Val::named(name, left))
    }

    /// The largest or smallest. Runtimes pass over what is no number; here it stays.
    fn most(&mut self, level: usize, op: &'static str, x: &str, axes: &str, of: Elem) -> String {
        let drop = [("keepdims", Attr::Int(0))];
        let best = self.node(level, op, &[x, axes], &drop);
        let none = self.node(level, "IsNaN", &[x], &[]);
        let none = self.cast(level, &none, Elem::Int32);
        let none = self.node(level, "ReduceMax", &[&none, axes], &drop);
        let none = self.cast(level, &none, Elem::Bool);
        let nan = self.number(f64::NAN, of);
        self.node(level, "Where", &[&none, &nan, &best], &[])
    }

    fn dot(&mut self, level: usize, dims: &DotDims, a: At, b: At, ty: &Type) -> Result<Val, String> {
        let (la, lb) = (self.ty(a).rank(), self.ty(b).rank());
        let (left, right) = (dims.left_free(la), dims.right_free(lb));
        let rows =
            if dims.left_batch.is_empty() { right.len() <= 1 } else { left.len() == 1 && right.len() == 1 };
        if dims.left_contract.len() == 1 && rows {
            let x = self.full(a, &[&dims.left_batch[..], &left, &dims.left_contract].concat())?;
            let y = self.full(b, &[&dims.right_batch[..], &dims.right_contract, &right].concat())?;
            return Ok(Val::plain(self.node(level, "MatMul", &[&x, &y], &[]), ty.rank()));
        }
        // One letter for each axis: those of the result first.
        let letter = |i: usize| char::from(b'a'.wrapping_add(i as u8));
        if ty.rank() + dims.left_contract.len() > 26 {
            return Err(format!("a product of {} axes", ty.rank() + dims.left_contract.len()));
        }
        let shared = dims.left_batch.len();
        let name_of = |axis: usize, batch: &[usize], contract: &[usize], own: &[usize], first: usize| {
            let among = |all: &[usize]| all.iter().position(|a| *a == axis);
            let i = among(batch)
                .or_else(|| among(contract).map(|i| ty.rank() + i))
                .or_else(|| among(own).map(|i| shared + first + i));
            letter(i.unwrap_or(0))
        };
        let mut sides = Vec::new();
        for (at, rank, batch, contract, own, first) in [
            (a, la, &dims.left_batch, &dims.left_contract, &left, 0),
            (b, lb, &dims.right_batch, &dims.right_contract, &right, left.len()),
        ] {
            let axes = self.val(at).axes;
            let axes = if axes.len() == rank { axes } else { (0..rank).collect() };
            let text: String = axes.iter().map(|&x| name_of(x, batch, contract, own, first)).collect();
            sides.push((self.full(at, &axes)?, text));
        }
        let result: String = (0..ty.rank()).map(letter).collect();
        let equation = format!("{},{}->{result}", sides[0].1, sides[1].1);
        let attrs = [("equation", Attr::Text(equation))];
        Ok(Val::plain(self.node(level, "Einsum", &[&sides[0].0, &sides[1].0], &attrs), ty.rank()))
    }

    /// Rows of a table; outside of it they are 0.
    fn gather(&mut self, level: usize, table: At, index: At) -> Result<Val, String> {
        let rows = self.ty(table).shape[0].fixed().unwrap_or(0) as i64;
        let (lead, rank) = (self.ty(index).rank(), self.ty(table).rank());
        let from = self.canonical(table)?;
        let (at, places) = self.stored(index);
        let axes: Vec<usize> = places.iter().copied().chain(lead..lead + rank - 1).collect();
        let inside = match &self.val(index).source {
            Source::Known(known) => known.values.iter().all(|&i| i >= 0.0 && i < rows as f64),
            Source::Named(_) => false,
        };
        let axis = ("axis", Attr::Int(0));
        if inside {
            return Ok(Val::named(self.node(level, "Gather", &[&from, &at], &[axis]), axes));
        }
        let (near, valid) = self.inside(level, &at, rows);
        let found = self.node(level, "Gather", &[&from, &near], &[axis]);
        let valid = self.widened(level, &valid, places.len(), rank - 1);
        let zero = self.number(0.0, self.elem(table));
        Ok(Val::named(self.node(level, "Where", &[&valid, &found, &zero], &[]), axes))
    }

    /// Numbers of rows brought inside of a table, and which were there.
    fn inside(&mut self, level: usize, at: &str, rows: i64) -> (String, String) {
        let (zero, last) = (self.int(0), self.int(rows - 1));
        let above = self.node(level, "Max", &[at, &zero], &[]);
        let near = self.node(level, "Min", &[&above, &last], &[]);
        let valid = self.node(level, "Equal", &[&near, at], &[]);
        (near, valid)
    }

    /// A value with so many axes of size 1 after its own.
    fn widened(&mut self, level: usize, x: &str, rank: usize, more: usize) -> String {
        if more == 0 {
            return x.to_string();
        }
        let axes: Vec<i64> = (rank..rank + more).map(|a| a as i64).collect();
        let axes = self.ints(&axes);
        self.node(level, "Unsqueeze", &[x, &axes], &[])
    }

    /// A table of the sums of rows; those outside of it are left out.
    fn scatter(&mut self, level: usize, index: At, rows: At, ty: &Type) -> Result<Val, String> {
        let count = ty.shape[0].fixed().unwrap_or(0) as i64;
        let (lead, of) = (self.ty(index).rank(), self.elem(rows));
        let (at, added) = (self.canonical(index)?, self.canonical(rows)?);
        let (near, valid) = self.inside(level, &at, count);
        let valid = self.widened(level, &valid, lead, ty.rank() - 1);
        let zero = self.number(0.0, of);
        let added = self.node(level, "Where", &[&valid, &added, &zero], &[]);
        let near = self.widened(level, &near, lead, 1);
        let shape = self.shape(&ty.shape)?;
        let zero = self.constant("0", of, Vec::new(), Data::Numbers(vec![0.0]));
        let table = self.node(level, "Expand", &[&zero, &shape], &[]);
        let add = [("reduction", Attr::Text("add".into()))];
        Ok(Val::plain(self.node(level, "ScatterND", &[&table, &near, &added], &add), ty.rank()))
    }

    /// Sizes of the axes of a value in an order.
    pub(crate) fn dims_in(&self, at: At, order: &[usize]) -> Vec<Dim> {
        order.iter().map(|&a| self.ty(at).shape[a]).collect()
    }
}
