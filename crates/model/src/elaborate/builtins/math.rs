//! Number by number; random numbers; derivatives.

use crate::elaborate::builtins::args::Args;
use crate::elaborate::elab::{Elab, Res};
use crate::elaborate::value::{Tensor, Value};
use nnc_graph::{Binary, Distribution, OutputKind, Unary};
use nnc_syntax::Code;
use nnc_syntax::ast::BinaryOp;

fn unary(e: &mut Elab<'_>, args: &Args, name: &str, op: Unary, known: fn(f64) -> f64) -> Res<Value> {
    e.arity(args, name, 1, 1, &["x"])?;
    match args.get(0, "x") {
        Some(Value::List(items)) => {
            let one = |e: &mut Elab<'_>, v: &Value| {
                let args =
                    Args { positional: vec![(v.clone(), args.span)], keyed: Vec::new(), span: args.span };
                unary(e, &args, name, op, known)
            };
            let items = items.iter().map(|v| one(e, v)).collect::<Res<Vec<_>>>()?;
            Ok(Value::List(items))
        }
        Some(value) if value.num().is_some() => Ok(Value::Num(known(value.num().unwrap_or(0.0)))),
        _ => {
            let t = e.tensor_arg(args, 0, name)?;
            let t = e.floats(&t);
            let node = e.b.unary(op, t.node);
            Ok(Value::Tensor(Tensor { node, ..t }))
        }
    }
}

macro_rules! unaries {
    ($($name:ident $op:ident $known:expr;)*) => {
        $(pub(super) fn $name(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
            unary(e, args, stringify!($name), Unary::$op, $known)
        })*
    };
}

unaries! {
    exp Exponential f64::exp;
    log Log f64::ln;
    sqrt Sqrt f64::sqrt;
    abs Abs f64::abs;
    sign Sign |x| if x == 0.0 { 0.0 } else { x.signum() };
    tanh Tanh f64::tanh;
    sigmoid Logistic |x| 1.0 / (1.0 + (-x).exp());
    softplus Softplus |x| x.max(0.0) + (-x.abs()).exp().ln_1p();
    sin Sine f64::sin;
    cos Cosine f64::cos;
    expm1 ExponentialMinusOne f64::exp_m1;
    log1p LogPlusOne f64::ln_1p;
    floor Floor f64::floor;
    round Round f64::round_ties_even;
}

/// The error function of a number known at compile time becomes a node, since Rust has none.
pub(super) fn erf(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "erf", 1, 1, &["x"])?;
    let t = e.tensor_arg(args, 0, "erf")?;
    let t = e.floats(&t);
    let node = e.b.unary(Unary::Erf, t.node);
    Ok(Value::Tensor(Tensor { node, ..t }))
}

fn fold(e: &mut Elab<'_>, args: &Args, name: &str, op: BinaryOp) -> Res<Value> {
    e.arity(args, name, 2, usize::MAX, &[])?;
    let mut out = args.positional[0].0.clone();
    for (value, span) in &args.positional[1..] {
        out = e.binary_op(op, &out, value, *span, (args.span_of(0), *span))?;
    }
    Ok(out)
}

pub(super) fn add(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    fold(e, args, "add", BinaryOp::Add)
}

pub(super) fn subtract(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    fold(e, args, "subtract", BinaryOp::Sub)
}

pub(super) fn multiply(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    fold(e, args, "multiply", BinaryOp::Mul)
}

/// A name that joins by the larger or the smaller of each number.
fn extremum(e: &mut Elab<'_>, args: &Args, name: &str, op: Binary) -> Res<Value> {
    e.arity(args, name, 2, usize::MAX, &[])?;
    let mut out = args.positional[0].0.clone();
    for (value, span) in &args.positional[1..] {
        out = e.extremum(op, &out, value, *span)?;
    }
    Ok(out)
}

pub(super) fn maximum(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    extremum(e, args, "maximum", Binary::Maximum)
}

pub(super) fn minimum(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    extremum(e, args, "minimum", Binary::Minimum)
}

pub(super) fn average(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    let sum = fold(e, args, "average", BinaryOp::Add)?;
    let count = Value::Int(args.positional.len() as i64);
    e.binary_op(BinaryOp::Div, &sum, &count, args.span, (args.span, args.span))
}

pub(super) fn where_(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "where", 3, 3, &[])?;
    let (cond, a, b) = (&args.positional[0].0, &args.positional[1].0, &args.positional[2].0);
    match cond {
        Value::Bool(c) => Ok(if *c { a.clone() } else { b.clone() }),
        cond => {
            let cond = e.tensor_of(&cond.clone(), args.span_of(0))?;
            e.select(&cond, &a.clone(), &b.clone(), args.span)
        }
    }
}

pub(super) fn modulo(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "mod", 2, 2, &[])?;
    match (args.positional[0].0.int(), args.positional[1].0.int()) {
        (Some(a), Some(b)) if b != 0 => Ok(Value::Int(a.rem_euclid(b))),
        _ => e.fail(Code::N0205, "`mod` takes two whole numbers, the second not 0", args.span, ""),
    }
}

pub(super) fn stop_gradient(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "stop_gradient", 1, 1, &["x"])?;
    let t = e.tensor_arg(args, 0, "stop_gradient")?;
    let node = e.b.stop_gradient(t.node);
    Ok(Value::Tensor(Tensor { node, ..t }))
}

fn random(e: &mut Elab<'_>, args: &Args, name: &str, law: Distribution) -> Res<Value> {
    e.arity(args, name, 1, 1, &["shape"])?;
    let Some(value) = args.get(0, "shape").cloned() else {
        return e.fail(Code::N0204, format!("`{name}` needs a shape"), args.span, "");
    };
    let shape = e.shape_arg(&value, args.span)?;
    e.check_size(&shape.axes, args.span)?;
    let site = e.scope.site();
    // First values are drawn in a graph of their own, outside of all loops.
    let keys: Vec<_> = e.scope.step_key.filter(|_| e.scope.initialising.is_none()).into_iter().collect();
    let node = e.b.rng_keyed(law, site, &keys, Elab::dims(&shape.axes, shape.batched));
    Ok(Value::Tensor(e.tensor(node, shape.axes, shape.batched)))
}

pub(super) fn random_uniform(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    random(e, args, "random_uniform", Distribution::Uniform)
}

pub(super) fn random_normal(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    random(e, args, "random_normal", Distribution::Normal)
}

/// The derivative of one number of a sample by a tensor: reverse mode at this place of the graph, so that it
/// can be nested. Samples do not touch each other, so the gradient of the sum is every sample's own.
pub(super) fn grad(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "grad", 2, 2, &[])?;
    let y = e.tensor_of(&args.positional[0].0.clone(), args.span_of(0))?;
    let x = e.tensor_of(&args.positional[1].0.clone(), args.span_of(1))?;
    if y.rank() != 0 || y.classes.is_some() {
        let message = format!(
            "`grad` differentiates one number, and this is {}",
            crate::elaborate::value::shape_text(&y.axes)
        );
        let d = e.error(Code::N0309, message, args.span_of(0), "this value").help("sum(y) is one number");
        return Err(crate::elaborate::elab::Stop::Error(Box::new(d)));
    }
    let y = e.floats(&y);
    if e.b.ty(x.node).dtype != e.float() {
        return e.fail(Code::N0309, "`grad` differentiates by numbers, not by classes", args.span_of(1), "");
    }
    let seed = e.b.scalar_like(1.0, y.node);
    e.results.differentiated.push(y.node);
    let node = nnc_graph::gradient(&mut e.b, y.node, seed, &[x.node])[0];
    debug_assert!(e.b.graph().outputs_of(OutputKind::Update).next().is_none());
    Ok(Value::Tensor(Tensor { node, classes: None, ..x }))
}

/// A share of the learning rate that falls when a figure stalls; the trainer watches it.
pub(super) fn lowered(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "lowered", 6, 6, &[])?;
    let number = |at: usize, what: &str, fits: &dyn Fn(f64) -> bool| {
        let value = args.get(at, "").and_then(Value::num).filter(|x| fits(*x));
        value.map_or_else(|| e.fail(Code::N0205, format!("`plateau` takes {what}"), args.span, ""), Ok)
    };
    let whole = |x: f64| x >= 0.0 && x.fract() == 0.0 && x < 1e15;
    let factor = number(0, "a factor between 0 and 1", &|x| x > 0.0 && x < 1.0)?;
    let patience = number(1, "a whole number of epochs as its patience", &|x| whole(x) && x >= 1.0)? as u64;
    let min_delta = number(3, "a `min_delta` from 0", &|x| x >= 0.0)?;
    let cooldown = number(4, "a whole number of epochs as its cooldown", &whole)? as u64;
    let floor = number(5, "a `floor` from 0 to 1", &|x| (0.0..=1.0).contains(&x))?;
    let figure = match args.get(2, "") {
        Some(Value::Text(t)) => Some(t.to_string()).filter(|t| !t.is_empty()),
        _ => return e.fail(Code::N0205, "`plateau` watches a figure: watch=val_loss", args.span, ""),
    };
    e.results.top.settings.plateau =
        Some(crate::declarations::settings::Plateau { figure, factor, patience, min_delta, cooldown, floor });
    Ok(Value::Tensor(e.lowered()))
}
