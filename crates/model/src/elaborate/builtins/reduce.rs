//! Sums, means and extremes along axes, over samples, over lists.

use crate::elaborate::builtins::args::Args;
use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::value::{Axis, Tensor, Value};
use nnc_graph::{Binary, Direction, NodeId, Reduction};
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
    let masked = t.mask.filter(|_| axes.contains(&0));
    let from = match (masked, op) {
        (None, _) => t.node,
        (Some(mask), Reduction::Add) => e.filled(t, mask, 0.0),
        (Some(mask), Reduction::Maximum) => e.filled(t, mask, -PADDED),
        (Some(mask), Reduction::Minimum) => e.filled(t, mask, PADDED),
    };
    let mut node = e.b.reduce(op, from, axes.iter().map(|a| a + lead).collect());
    if mean {
        let folded = axes.iter().filter(|a| masked.is_none() || **a > 0);
        let count: usize = folded.map(|&a| t.axes[a].size).product();
        let divisor = e.b.scalar_like(count as f64, node);
        node = e.b.binary(Binary::Divide, node, divisor);
    }
    if let (Some(mask), true) = (masked, mean || op != Reduction::Add) {
        node = over_steps(e, node, mask, mean, axes.len() == t.rank());
    }
    let left: Vec<Axis> = match keep {
        true => {
            t.axes.iter().enumerate().map(|(i, a)| if axes.contains(&i) { Axis::of(1) } else { *a }).collect()
        }
        false => t.axes.iter().enumerate().filter(|(i, _)| !axes.contains(i)).map(|(_, a)| *a).collect(),
    };
    if !e.b.ty(node).is_batched() && t.batched {
        return e.tensor(node, left, false); // a metric's, of all samples
    }
    let node = e.b.reshape(node, Elab::dims(&left, t.batched));
    let kept = t.mask.filter(|_| masked.is_none() && !axes.contains(&0));
    Tensor { mask: kept, ..e.tensor(node, left, t.batched) }
}

/// Below and above all numbers of a network: what the steps of padding count as among others.
const PADDED: f64 = 1e30;

/// What a sum (a mean's) or an extreme over the steps that are there comes to: a mean counts them; a sample without
/// any gives 0. The mean of the training's loss counts every step of the batch alike, and so divides by the mean of
/// the counts (Keras: `sum_over_batch_size` with a mask); a metric is the mean over all steps of all samples.
fn over_steps(e: &mut Elab<'_>, node: NodeId, mask: NodeId, mean: bool, whole: bool) -> NodeId {
    let count = e.steps_there(mask);
    if mean && whole && e.results.measuring.is_some() {
        let (sum, count) = (e.tensor(node, Vec::new(), true), e.tensor(count, Vec::new(), true));
        let span = e.session.here;
        if let (Ok(sum), Ok(count)) = (e.total_of(&sum, span), e.total_of(&count, span)) {
            let one = e.b.scalar_like(1.0, count.node);
            let count = e.b.binary(Binary::Maximum, count.node, one);
            return e.b.binary(Binary::Divide, sum.node, count);
        }
    }
    if !mean {
        let zero = e.b.scalar_like(0.0, count);
        let some = e.b.compare(Direction::Gt, count, zero);
        let dims = e.b.ty(node).shape.clone();
        let some = e.b.broadcast(some, vec![0], dims);
        let zero = e.b.scalar_like(0.0, node);
        return e.b.select(some, node, zero);
    }
    let mut count = count;
    if whole && e.results.losing {
        let samples = e.b.batch_size();
        let all = e.b.reduce(Reduction::Add, count, vec![0]);
        let each = e.b.binary(Binary::Divide, all, samples);
        let dims = e.b.ty(count).shape.clone();
        count = e.b.broadcast(each, Vec::new(), dims);
        let zero = e.b.scalar_like(0.0, count);
        let none = e.b.compare(Direction::Eq, count, zero);
        let one = e.b.scalar_like(1.0, count);
        count = e.b.select(none, one, count);
    } else {
        let one = e.b.scalar_like(1.0, count);
        count = e.b.binary(Binary::Maximum, count, one);
    }
    let dims = e.b.ty(node).shape.clone();
    let count = e.b.broadcast(count, vec![0], dims);
    e.b.binary(Binary::Divide, node, count)
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
    Ok(Value::Tensor(Tensor { node, axes: axes.into(), batched: t.batched, classes, mask: None }))
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
    if !t.batched && e.results.measuring.as_ref().is_some_and(|m| !m.sums.is_empty()) {
        return Ok(Value::Tensor(t)); // a mean over all steps of all samples already
    }
    let sum = e.total_of(&t, args.span)?;
    if e.results.measuring.as_ref().is_some_and(|m| m.weight.is_some()) {
        let count = e.total_of_ones(&sum, args.span)?;
        return Ok(Value::Tensor(e.quotient(&sum, &count)));
    }
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
