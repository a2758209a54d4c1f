//! Shapes: asking for them and changing them; rows of tables.

use crate::elaborate::builtins::args::Args;
use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::value::{Axis, Shape, Tensor, Value, numbers_text, shape_text};
use nnc_graph::{Binary, Direction, Reduction, Type};
use nnc_syntax::Code;

pub(super) fn reshape(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "reshape", 2, usize::MAX, &["shape"])?;
    e.given_once(args, "reshape", 1, "shape")?;
    let t = e.tensor_arg(args, 0, "reshape")?;
    let sizes: Vec<Value> = match args.key("shape") {
        Some(value) => vec![value.clone()],
        None => args.positional[1..].iter().map(|(v, _)| v.clone()).collect(),
    };
    let shape = match &sizes[..] {
        [one] => e.shape_arg(one, args.span_of(1))?,
        many => e.shape_arg(&Value::List(many.to_vec()), args.span)?,
    };
    let wanted = e.check_size(&shape.axes, args.span)?;
    let have: usize = t.axes.iter().map(|a| a.size).product();
    if wanted != have {
        let (from, to) = (shape_text(&t.axes), shape_text(&shape.axes));
        let message = match t.rank() {
            0 => format!("one number does not fill {to}"),
            1 => format!("{} do not fill {to}, which holds {wanted}", numbers_text(&t.sizes())),
            _ => format!("{from} holds {have} numbers, and {to} holds {wanted}"),
        };
        return e.fail(Code::N0311, message, args.span, "the same numbers, in another shape");
    }
    let node = e.b.reshape(t.node, Elab::dims(&shape.axes, t.batched));
    let mut axes = shape.axes;
    if axes.len() > 1 {
        for axis in &mut axes {
            axis.id = axis.id.or_else(|| Some(e.scope.fresh_axis()));
        }
    }
    Ok(Value::Tensor(Tensor { node, axes: axes.into(), ..t }))
}

pub(super) fn transpose(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "transpose", 1, 2, &["axes"])?;
    e.given_once(args, "transpose", 1, "axes")?;
    let t = e.tensor_arg(args, 0, "transpose")?;
    let rank = t.rank();
    let order: Vec<usize> = match args.get(1, "axes") {
        Some(Value::List(items)) => {
            items.iter().map(|v| e.axis_arg(v, rank, args.span)).collect::<Res<_>>()?
        }
        Some(_) => return e.fail(Code::N0205, "the order of axes is a list such as [1, 0]", args.span, ""),
        None if rank < 2 => return e.fail(Code::N0311, "`transpose` needs two axes", args.span, ""),
        None => (0..rank - 2).chain([rank - 1, rank - 2]).collect(),
    };
    permuted(e, &t, &order, args.span).map(Value::Tensor)
}

/// A tensor with its axes in another order.
pub(crate) fn permuted(e: &mut Elab<'_>, t: &Tensor, order: &[usize], span: nnc_syntax::Span) -> Res<Tensor> {
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    if sorted != (0..t.rank()).collect::<Vec<_>>() {
        return e.fail(
            Code::N0205,
            format!("{order:?} does not name each of {} axes once", t.rank()),
            span,
            "",
        );
    }
    let lead = usize::from(t.batched);
    let perm: Vec<usize> = (0..lead).chain(order.iter().map(|a| a + lead)).collect();
    let node = e.b.transpose(t.node, perm);
    let axes: Vec<Axis> = order.iter().map(|&a| t.axes[a]).collect();
    Ok(Tensor { node, axes: axes.into(), ..t.clone() })
}

pub(super) fn squeeze(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "squeeze", 2, 2, &["axis"])?;
    e.given_once(args, "squeeze", 1, "axis")?;
    let t = e.tensor_arg(args, 0, "squeeze")?;
    let Some(value) = args.get(1, "axis") else {
        return e.fail(Code::N0204, "`squeeze` needs an axis", args.span, "");
    };
    let axis = e.axis_arg(value, t.rank(), args.span)?;
    if t.axes[axis].size != 1 {
        let message =
            format!("`squeeze` drops an axis of size 1, and axis {axis} has size {}", t.axes[axis].size);
        return e.fail(Code::N0311, message, args.span, "");
    }
    let axes: Vec<Axis> = t.axes.iter().enumerate().filter(|(i, _)| *i != axis).map(|(_, a)| *a).collect();
    let node = e.b.reshape(t.node, Elab::dims(&axes, t.batched));
    Ok(Value::Tensor(Tensor { node, axes: axes.into(), ..t }))
}

pub(super) fn concat(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "concat", 1, usize::MAX, &["axis"])?;
    let mut parts = Vec::new();
    for (value, span) in &args.positional {
        match value {
            Value::List(items) => {
                for item in items {
                    parts.push(e.tensor_of(item, *span)?);
                }
            }
            value => parts.push(e.tensor_of(&value.clone(), *span)?),
        }
    }
    let rank = parts[0].rank();
    let axis = match args.key("axis") {
        Some(value) => e.axis_arg(value, rank, args.span)?,
        None if rank == 0 => {
            return e.fail(Code::N0311, "`concat` joins vectors or larger tensors", args.span, "");
        }
        None => rank - 1,
    };
    let batched = parts.iter().any(|t| t.batched);
    let mut nodes = Vec::new();
    let mut size = 0;
    for t in &parts {
        let t = e.floats(t);
        let fits =
            t.rank() == rank && (0..rank).all(|i| i == axis || t.axes[i].size == parts[0].axes[i].size);
        if !fits {
            let (a, b) = (shape_text(&parts[0].axes), shape_text(&t.axes));
            return e.fail(
                Code::N0311,
                format!("{a} and {b} cannot stand side by side along axis {axis}"),
                args.span,
                "",
            );
        }
        size += t.axes[axis].size;
        nodes.push(e.broadcast_to(&t, &t.axes.clone(), batched, args.span)?);
    }
    let mut axes = parts[0].axes.to_vec();
    axes[axis] = Axis::of(size);
    e.check_size(&axes, args.span)?;
    let node = e.b.concatenate(&nodes, axis + usize::from(batched));
    Ok(Value::Tensor(e.tensor(node, axes, batched)))
}

pub(super) fn split(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "split", 2, 2, &["axis", "parts"])?;
    e.given_once(args, "split", 1, "parts")?;
    let t = e.tensor_arg(args, 0, "split")?;
    let parts = args.get(1, "parts").and_then(Value::int).filter(|n| *n > 0);
    let axis = match args.key("axis") {
        Some(value) => e.axis_arg(value, t.rank(), args.span)?,
        None => t.rank().saturating_sub(1),
    };
    let size = t.axes.get(axis).map_or(0, |a| a.size);
    let Some(n) = parts.map(|n| n as usize).filter(|n| size > 0 && size % n == 0) else {
        let message = match (parts, size) {
            (None, _) => "`split` takes how many parts there are to be, from 1".to_string(),
            (Some(n), 0 | 1) => format!("{} does not split into {n} parts", numbers_text(&t.sizes())),
            (Some(n), size) => format!("an axis of {size} does not split into {n} equal parts"),
        };
        return e.fail(Code::N0311, message, args.span, "");
    };
    let lead = usize::from(t.batched);
    let mut axes = t.axes.to_vec();
    axes[axis] = Axis::of(size / n);
    let out = (0..n).map(|i| {
        let mut start = vec![0; t.rank() + lead];
        start[axis + lead] = i * (size / n);
        let node = e.b.slice(t.node, start, Elab::dims(&axes, t.batched));
        Value::Tensor(Tensor { node, axes: axes.clone().into(), ..t.clone() })
    });
    Ok(Value::Several(out.collect()))
}

pub(super) fn gather(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "gather", 2, 2, &[])?;
    let table = e.tensor_arg(args, 0, "gather")?;
    let index = e.tensor_of(&args.positional[1].0.clone(), args.span_of(1))?;
    let Some(k) = index.classes else {
        return e.fail(
            Code::N0205,
            "`gather` takes rows by class, and these are numbers",
            args.span_of(1),
            "",
        );
    };
    if table.rank() == 0 || table.batched || table.axes[0].size < k {
        let message = format!("a table of {} has no row for each of {k} classes", shape_text(&table.axes));
        return e.fail(Code::N0311, message, args.span, "");
    }
    let axes: Vec<Axis> = index.axes.iter().chain(&table.axes[1..]).copied().collect();
    e.check_size(&axes, args.span)?;
    let node = e.b.gather(table.node, index.node);
    Ok(Value::Tensor(e.tensor(node, axes, index.batched)))
}

/// Along the last axis, the number of the class: the sum of the products with its one-hot vector, which adds
/// zeros only; a select keeps it exact beside infinities. Of shares, one for each class, the mean by them. A vector
/// that is the same for all samples may be picked from by each of them.
pub(super) fn pick(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "pick", 2, 2, &[])?;
    let x = e.tensor_arg(args, 0, "pick")?;
    let x = e.floats(&x);
    let index = e.tensor_of(&args.positional[1].0.clone(), args.span_of(1))?;
    let sizes = |axes: &[Axis]| axes.iter().map(|a| a.size).collect::<Vec<_>>();
    let full: Option<Vec<Axis>> = match (index.classes, x.axes.last()) {
        (Some(_), Some(last)) => Some(index.axes.iter().chain([last]).copied().collect()),
        (None, Some(_)) => Some(index.axes.to_vec()),
        (_, None) => None,
    };
    let one_for_all = x.rank() == 1 && !x.batched;
    let fits = |full: &[Axis]| {
        sizes(full) == x.sizes() || one_for_all && full.last().map(|a| a.size) == Some(x.axes[0].size)
    };
    let Some(full) = full.filter(|full| fits(full)) else {
        let (a, b) = (shape_text(&x.axes), shape_text(&index.axes));
        return e.fail(Code::N0311, format!("`pick` cannot choose from {a} by {b}"), args.span, "");
    };
    let batched = x.batched || index.batched;
    let node = e.broadcast_to(&x, &full, batched, args.span)?;
    let ty = e.b.ty(node).with_dtype(nnc_graph::DType::I32);
    let last = ty.rank() - 1;
    let kept = if index.classes.is_some() {
        let own = e.broadcast_to(&index, &index.axes.clone(), batched, args.span)?;
        let spread = e.b.broadcast(own, (0..last).collect(), ty.shape.clone());
        let counter = e.b.iota(last, ty);
        let hit = e.b.compare(Direction::Eq, spread, counter);
        let zero = e.b.scalar_like(0.0, node);
        e.b.select(hit, node, zero)
    } else {
        let shares = e.floats(&index);
        let shares = e.broadcast_to(&shares, &full, batched, args.span)?;
        e.b.binary(Binary::Multiply, node, shares)
    };
    let node = e.b.reduce(Reduction::Add, kept, vec![last]);
    Ok(Value::Tensor(e.tensor(node, full[..full.len() - 1].to_vec(), batched)))
}

pub(super) fn one_hot(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "one_hot", 1, 1, &["x"])?;
    let t = e.tensor_arg(args, 0, "one_hot")?;
    match t.classes {
        Some(n) => e.one_hot(&t, n, args.span).map(Value::Tensor),
        None => {
            e.no_classes(&t, Code::N0205, "`one_hot` takes classes, and these are numbers", args.span, "")
        }
    }
}

pub(super) fn shape(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "shape", 1, 1, &["x"])?;
    let t = e.tensor_arg(args, 0, "shape")?;
    Ok(Value::Shape(Shape { axes: t.axes.to_vec(), batched: t.batched }))
}

pub(super) fn rank(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "rank", 1, 1, &["x"])?;
    let t = e.tensor_arg(args, 0, "rank")?;
    Ok(Value::Int(t.rank() as i64))
}

pub(super) fn size(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "size", 1, 1, &["x"])?;
    if let Some(Value::Shape(s)) = args.get(0, "x") {
        return Ok(Value::Int(e.check_size(&s.axes, args.span)? as i64));
    }
    let t = e.tensor_arg(args, 0, "size")?;
    Ok(Value::Int(t.axes.iter().map(|a| a.size as i64).product()))
}

pub(super) fn len(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "len", 1, 1, &[])?;
    match &args.positional[0].0 {
        Value::List(items) | Value::Several(items) => Ok(Value::Int(items.len() as i64)),
        Value::Shape(s) => Ok(Value::Int(s.axes.len() as i64)),
        Value::Tensor(t) if t.rank() > 0 => Ok(Value::Axis(t.axes[0])),
        other => e.fail(Code::N0205, format!("{} has no length", other.kind()), args.span, ""),
    }
}

impl Elab<'_> {
    /// One size for each of n axes: `3` becomes `3x3`.
    pub(crate) fn spread_size(&self, value: &Value, n: usize, span: nnc_syntax::Span) -> Res<Shape> {
        let shape = self.shape_arg(value, span)?;
        self.check_size(&shape.axes, span)?;
        match shape.axes.len() {
            1 if n <= 8 => Ok(Shape { axes: vec![shape.axes[0]; n], batched: false }),
            m if m == n => Ok(shape),
            m => {
                let axes = |n: usize| if n == 1 { "one axis".to_string() } else { format!("{n} axes") };
                let text = shape_text(&shape.axes);
                let message = format!("`{text}` is for {}, and there is {} to slide over", axes(m), axes(n));
                let message = if n == 1 { message } else { message.replace("there is", "there are") };
                let d = self.error(Code::N0301, message, span, "").help(
                    "the last axis is channels: a picture of one colour is 28x28x1, a sequence of vectors 100x8",
                );
                Err(Stop::Error(Box::new(d)))
            }
        }
    }
}

/// One size for each of n axes: `3` becomes `3x3`.
pub(super) fn spread(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "spread", 2, 2, &[])?;
    let n = args.positional[1].0.int().unwrap_or(0).max(0) as usize;
    e.spread_size(&args.positional[0].0, n, args.span_of(0)).map(Value::Shape)
}

/// The position along an axis, in the shape of a tensor.
pub(super) fn index(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "index", 2, 2, &["axis"])?;
    let t = e.tensor_arg(args, 0, "index")?;
    let Some(value) = args.get(1, "axis") else {
        return e.fail(Code::N0204, "`index` needs an axis", args.span, "");
    };
    let axis = e.axis_arg(value, t.rank(), args.span)?;
    let float = e.float();
    let node = e.b.iota(axis, Type::new(float, Elab::dims(&t.axes, false)));
    Ok(Value::Tensor(e.tensor(node, t.axes, false)))
}

pub(super) fn linspace(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "linspace", 3, 3, &[])?;
    let numbers: Option<Vec<f64>> = args.positional.iter().map(|(v, _)| v.num()).collect();
    let n = args.positional[2].0.int().filter(|n| *n >= 2);
    let (Some(v), Some(n)) = (numbers, n) else {
        return e.fail(Code::N0205, "linspace(low, high, n) takes numbers, n at least 2", args.span, "");
    };
    let axes = vec![Axis::of(n as usize)];
    e.check_size(&axes, args.span)?;
    let float = e.float();
    let counter = e.b.iota(0, Type::new(float, Elab::dims(&axes, false)));
    let width = e.b.scalar_like((v[1] - v[0]) / (n - 1) as f64, counter);
    let low = e.b.scalar_like(v[0], counter);
    let scaled = e.b.binary(Binary::Multiply, counter, width);
    let node = e.b.binary(Binary::Add, scaled, low);
    Ok(Value::Tensor(e.tensor(node, axes, false)))
}

fn like(e: &mut Elab<'_>, args: &Args, name: &str, value: f64) -> Res<Value> {
    e.arity(args, name, 1, 1, &["x"])?;
    let t = e.tensor_arg(args, 0, name)?;
    let float = e.float();
    let node = e.b.filled(value, Type::new(float, Elab::dims(&t.axes, t.batched)));
    Ok(Value::Tensor(Tensor { node, classes: None, ..t }))
}

pub(super) fn zeros_like(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    like(e, args, "zeros_like", 0.0)
}

pub(super) fn ones_like(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    like(e, args, "ones_like", 1.0)
}

pub(super) fn fill(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "fill", 2, 2, &[])?;
    let shape = e.shape_arg(&args.positional[0].0, args.span_of(0))?;
    e.check_size(&shape.axes, args.span)?;
    let Some(value) = args.positional[1].0.num() else {
        return e.fail(Code::N0205, "`fill` takes a number", args.span_of(1), "");
    };
    let float = e.float();
    let node = e.b.filled(value, Type::new(float, Elab::dims(&shape.axes, shape.batched)));
    Ok(Value::Tensor(e.tensor(node, shape.axes, shape.batched)))
}

/// Keras' `compute_fans`: the last two axes are inputs and outputs, those before are a window.
fn fans(e: &Elab<'_>, args: &Args) -> Res<(i64, i64)> {
    e.arity(args, "fan_in", 1, 1, &[])?;
    let shape = e.shape_arg(&args.positional[0].0, args.span_of(0))?;
    let sizes: Vec<i64> = shape.axes.iter().map(|a| a.size as i64).collect();
    Ok(match &sizes[..] {
        [] => (1, 1),
        [n] => (*n, *n),
        [window @ .., n, m] => {
            let window: i64 = window.iter().product();
            (n * window, m * window)
        }
    })
}

pub(super) fn fan_in(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    Ok(Value::Int(fans(e, args)?.0))
}

pub(super) fn fan_out(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    Ok(Value::Int(fans(e, args)?.1))
}

/// How many kinds there are.
pub(super) fn classes(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "classes", 1, 1, &["x"])?;
    let t = e.tensor_arg(args, 0, "classes")?;
    Ok(Value::Int(t.classes.map_or(0, |n| n as i64)))
}

/// Whether the layer at work is frozen.
pub(super) fn frozen(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "frozen", 0, 0, &[])?;
    Ok(Value::Bool(e.scope.in_frozen))
}
