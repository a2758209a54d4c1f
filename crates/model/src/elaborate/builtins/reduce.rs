//! Sums, means and extremes along axes, over samples, over lists.

use crate::elaborate::builtins::args::Args;
use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::value::{Axis, Tensor, Value};
use nnc_graph::{Binary, Reduction};
use nnc_syntax::Code;

/// The axes to fold: `axis=` one, `except=` all but one, else all; ascending, within one sample.
fn axes_of(e: &Elab<'_>, args: &Args, rank: usize) -> Res<Vec<usize>> {
    if let Some(value) = args.get(1, "axis") {
        return match value {
            Value::List(items) => {
                let mut out =
                    items.iter().map(|v| e.axis_arg(v, rank, args.span)).collect::<Res<Vec<_>>>()?;
                out.sort_unstable();
                out.dedup();
                Ok(out)
            }
            value => Ok(vec![e.axis_arg(value, rank, args.span)?]),
        };
    }
    if let Some(value) = args.key("except") {
        let kept = e.axis_arg(value, rank, args.span)?;
        return Ok((0..rank).filter(|i| *i != kept).collect());
    }
    Ok((0..rank).collect())
}

fn reduce(e: &mut Elab<'_>, args: &Args, name: &str, op: Reduction, mean: bool) -> Res<Value> {
    e.arity(args, name, 1, 2, &["axis", "except", "keep"])?;
    let t = e.tensor_arg(args, 0, name)?;
    let t = e.floats(&t);
    let said = [args.positional.len() > 1, args.key("axis").is_some(), args.key("except").is_some()];
    if said.iter().filter(|s| **s).count() > 1 {
        let d = e.error(Code::N0203, format!("`{name}` is told twice which axes to fold"), args.span, "");
        let d = d.help("axis=0 folds one, axis=[0, 1] several, except=-1 all but one");
        return Err(Stop::Error(Box::new(d)));
    }
    let axes = axes_of(e, args, t.rank())?;
    let keep = e.switch(args, name, "keep")?;
    Ok(Value::Tensor(reduced(e, &t, op, &axes, keep, mean)))
}

/// A tensor folded along some of its axes.
pub(crate) fn reduced(
    e: &mut Elab<'_>,
    t: &Tensor,
    op: Reduction,
    axes: &[usize],
    keep: bool,
    mean: bool,
) -> Tensor {
    let lead = usize::from(t.batched);
    let mut node = e.b.reduce(op, t.node, axes.iter().map(|a| a + lead).collect());
    if mean {
        let count: usize = axes.iter().map(|&a| t.axes[a].size).product();
        let divisor = e.b.scalar_like(count as f64, node);
        node = e.b.binary(Binary::Divide, node, divisor);
    }
    let left: Vec<Axis> = match keep {
        true => {
            t.axes.iter().enumerate().map(|(i, a)| if axes.contains(&i) { Axis::of(1) } else { *a }).collect()
        }
        false => t.axes.iter().enumerate().filter(|(i, _)| !axes.contains(i)).map(|(_, a)| *a).collect(),
    };
    let node = e.b.reshape(node, Elab::dims(&left, t.batched));
    e.tensor(node, left, t.batched)
}

fn extremum(e: &mut Elab<'_>, args: &Args, name: &str, op: Reduction) -> Res<Value> {
    let keyed = args.key("axis").is_some() || args.key("except").is_some() || args.key("keep").is_some();
    match (&args.positional[..], keyed) {
        ([(Value::List(items), span)], false) if !items.is_empty() => {
            let mut out = items[0].clone();
            for item in &items[1..] {
                out = e.extremum(op.op(), &out, item, *span)?;
            }
            Ok(out)
        }
        ([(a, _), (b, _)], false) => e.extremum(op.op(), &a.clone(), &b.clone(), args.span),
        _ => reduce(e, args, name, op, false),
    }
}

pub(super) fn max(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    extremum(e, args, "max", Reduction::Maximum)
}

pub(super) fn min(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    extremum(e, args, "min", Reduction::Minimum)
}

pub(super) fn sum(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    reduce(e, args, "sum", Reduction::Add, false)
}

pub(super) fn mean(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    reduce(e, args, "mean", Reduction::Add, true)
}

/// The class of the largest number along the last axis.
pub(super) fn argmax(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "argmax", 1, 1, &["x"])?;
    let t = e.tensor_arg(args, 0, "argmax")?;
    let t = e.floats(&t);
    if t.rank() == 0 {
        return e.fail(Code::N0205, "`argmax` chooses among several numbers, and here is one", args.span, "");
    }
    let node = e.b.argmax(t.node, t.rank() - 1 + usize::from(t.batched));
    let classes = Some(t.axes[t.rank() - 1].size);
    let axes: Vec<Axis> = t.axes[..t.rank() - 1].to_vec();
    Ok(Value::Tensor(Tensor { node, axes: axes.into(), batched: t.batched, classes }))
}

fn over_batch(e: &mut Elab<'_>, args: &Args, name: &str, mean: bool) -> Res<Value> {
    e.arity(args, name, 1, 1, &["x"])?;
    let t = e.tensor_arg(args, 0, name)?;
    let t = e.floats(&t);
    if !t.batched {
        return Ok(Value::Tensor(t));
    }
    let mut node = e.b.reduce(Reduction::Add, t.node, vec![0]);
    if mean {
        let count = e.b.batch_size();
        let shape = Elab::dims(&t.axes, false);
        let count = e.b.broadcast(count, Vec::new(), shape);
        node = e.b.binary(Binary::Divide, node, count);
    }
    Ok(Value::Tensor(e.tensor(node, t.axes, false)))
}

pub(super) fn batch_mean(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    over_batch(e, args, "batch_mean", true)
}

pub(super) fn batch_sum(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    over_batch(e, args, "batch_sum", false)
}

/// The sum over all samples, for metrics.
pub(super) fn total(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "all_sum", 1, 1, &["x"])?;
    let t = e.tensor_arg(args, 0, "all_sum")?;
    e.total_of(&t, args.span).map(Value::Tensor)
}

/// The mean over all samples, for metrics. The number of samples is that of the batch, and in the finishing graph
/// that of all.
pub(super) fn overall(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "all_mean", 1, 1, &["x"])?;
    let t = e.tensor_arg(args, 0, "all_mean")?;
    let sum = e.total_of(&t, args.span)?;
    let count = e.b.batch_size();
    let count = e.b.broadcast(count, Vec::new(), Elab::dims(&sum.axes, false));
    let node = e.b.binary(Binary::Divide, sum.node, count);
    Ok(Value::Tensor(e.tensor(node, sum.axes, false)))
}

/// The sum of all numbers of all tensors of a list.
pub(super) fn sum_of(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "sum_of", 1, 1, &[])?;
    let items = match &args.positional[0].0 {
        Value::List(items) => items.clone(),
        one => vec![one.clone()],
    };
    let mut total: Option<Value> = None;
    for item in items {
        let t = e.tensor_of(&item, args.span)?;
        let t = e.floats(&t);
        let all: Vec<usize> = (0..t.rank()).collect();
        let sum = Value::Tensor(reduced(e, &t, Reduction::Add, &all, false, false));
        total = Some(match total {
            Some(so_far) => {
                e.binary_op(nnc_syntax::ast::BinaryOp::Add, &so_far, &sum, args.span, (args.span, args.span))?
            }
            None => sum,
        });
    }
    Ok(total.unwrap_or(Value::Num(0.0)))
}
