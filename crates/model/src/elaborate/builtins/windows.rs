//! Windows that move over space or time: convolutions, pools, and margins.

use crate::elaborate::builtins::args::Args;
use crate::elaborate::elab::{Elab, Res};
use crate::elaborate::value::{Axis, Tensor, Value, shape_text};
use nnc_graph::{ConvDims, Dim, NodeId, Reduction, WindowDims};
use nnc_syntax::{Code, Span};

/// The zeros on both sides of one axis.
fn margins(
    e: &Elab<'_>,
    how: &str,
    (size, window, stride): (usize, usize, usize),
    space: usize,
    span: Span,
) -> Res<(i64, i64)> {
    match how {
        "valid" => Ok((0, 0)),
        // As many positions as steps fit into the axis; the odd zero goes to the end.
        "same" => {
            let reach = (size.div_ceil(stride) - 1).saturating_mul(stride).saturating_add(window);
            let total = reach.saturating_sub(size);
            Ok(((total / 2) as i64, (total - total / 2) as i64))
        }
        "causal" if space == 1 => Ok((window as i64 - 1, 0)),
        "causal" => {
            let message = format!("`causal` is for sequences, and this has {space} axes of space");
            e.fail(Code::N0205, message, span, "")
        }
        other => e.fail(Code::N0205, format!("padding is valid, same or causal, not {other}"), span, ""),
    }
}

/// A picture with its axes of space, as the primitives take it: with a leading axis, the batch or one.
struct Picture {
    node: NodeId,
    t: Tensor,
    space: usize,
}

impl Picture {
    fn of(e: &mut Elab<'_>, args: &Args, name: &str) -> Res<Self> {
        let t = e.tensor_arg(args, 0, name)?;
        let t = e.floats(&t);
        if t.rank() < 2 {
            let message =
                format!("`{name}` works on space or time with channels, not on {}", shape_text(&t.axes));
            return e.fail(Code::N0301, message, args.span, "");
        }
        let mut dims = Elab::dims(&t.axes, t.batched);
        if !t.batched {
            dims.insert(0, Dim::Size(1));
        }
        let node = e.b.reshape(t.node, dims);
        Ok(Self { node, space: t.rank() - 1, t })
    }

    fn sizes(&self) -> Vec<usize> {
        self.t.axes[..self.space].iter().map(|a| a.size).collect()
    }

    /// The result with its own axes again.
    fn back(&self, e: &mut Elab<'_>, node: NodeId) -> Value {
        let lead = e.b.ty(node).shape.clone();
        let axes: Vec<Axis> = lead[1..]
            .iter()
            .zip(self.t.axes.iter())
            .map(|(d, old)| match d.fixed() {
                Some(n) if n == old.size => *old,
                n => Axis::of(n.unwrap_or(0)),
            })
            .collect();
        let node = e.b.reshape(node, Elab::dims(&axes, self.t.batched));
        Value::Tensor(e.tensor(node, axes, self.t.batched))
    }
}

/// One size for each axis of space.
fn sizes(e: &mut Elab<'_>, args: &Args, at: usize, key: &str, n: usize) -> Res<Vec<usize>> {
    match args.get(at, key).cloned() {
        Some(value) => {
            let shape = e.spread_size(&value, n, args.span_of(at))?;
            Ok(shape.axes.iter().map(|a| a.size).collect())
        }
        None => Ok(vec![1; n]),
    }
}

fn padding(args: &Args, at: usize) -> String {
    args.get(at, "padding").map_or("valid".into(), ToString::to_string)
}

/// Window and stride of a pool.
fn window(e: &mut Elab<'_>, args: &Args, x: &Picture) -> Res<WindowDims> {
    let size = sizes(e, args, 1, "window", x.space)?;
    let stride = sizes(e, args, 2, "stride", x.space)?;
    let mut out = WindowDims::new(size, stride);
    let how = padding(args, 3);
    for (i, &n) in x.sizes().iter().enumerate() {
        (out.low[i], out.high[i]) =
            margins(e, &how, (n, out.size[i], out.stride[i]), x.space, args.span_of(3))?;
    }
    Ok(out)
}

fn pool(e: &mut Elab<'_>, args: &Args, name: &str, op: Reduction) -> Res<Value> {
    e.arity(args, name, 1, 4, &["window", "stride", "padding"])?;
    let x = Picture::of(e, args, name)?;
    let window = window(e, args, &x)?;
    if window.result(&e.b.ty(x.node).shape).is_none() {
        return Err(does_not_fit(e, &x, &window.size, args.span));
    }
    let node = e.b.reduce_window(op, x.node, window);
    Ok(x.back(e, node))
}

pub(super) fn window_max(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    pool(e, args, "window_max", Reduction::Maximum)
}

pub(super) fn window_sum(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    pool(e, args, "window_sum", Reduction::Add)
}

fn does_not_fit(e: &Elab<'_>, x: &Picture, window: &[usize], span: Span) -> crate::elaborate::elab::Stop {
    let window: Vec<Axis> = window.iter().map(|&n| Axis::of(n)).collect();
    let (small, large) = (shape_text(&window), shape_text(&x.t.axes[..x.space]));
    let d = e
        .error(Code::N0301, format!("a window of {small} does not fit into {large}"), span, "")
        .help("`same` keeps the size: zeros are put around");
    crate::elaborate::elab::Stop::Error(Box::new(d))
}

/// The kernel of a convolution: its node, the sizes of its window, and its last two axes.
fn kernel(e: &mut Elab<'_>, args: &Args, name: &str, x: &Picture) -> Res<(NodeId, Vec<usize>, [Axis; 2])> {
    let k = match args.positional.get(1) {
        Some((value, span)) => e.tensor_of(&value.clone(), *span)?,
        None => return e.fail(Code::N0204, format!("`{name}` needs a kernel"), args.span, ""),
    };
    let k = e.floats(&k);
    if k.batched || k.rank() != x.space + 2 {
        let (a, b) = (shape_text(&k.axes), shape_text(&x.t.axes));
        let message = format!("`{name}` takes a kernel of window, channels and filters; {a} is none for {b}");
        return e.fail(Code::N0311, message, args.span_of(1), "");
    }
    let window = k.axes[..x.space].iter().map(|a| a.size).collect();
    Ok((k.node, window, [k.axes[x.space], k.axes[x.space + 1]]))
}

/// How a kernel moves, with zeros around an input of these sizes.
fn moves(
    e: &mut Elab<'_>,
    args: &Args,
    size: impl Fn(usize, usize) -> usize,
    window: &[usize],
) -> Res<ConvDims> {
    let n = window.len();
    let mut dims = ConvDims::plain(n);
    dims.stride = sizes(e, args, 2, "stride", n)?;
    dims.rhs_dilation = sizes(e, args, 4, "dilation", n)?;
    let how = padding(args, 3);
    for (i, &w) in window.iter().enumerate() {
        let wide = (w - 1).saturating_mul(dims.rhs_dilation[i]).saturating_add(1);
        let span = args.span_of(3);
        (dims.low[i], dims.high[i]) =
            margins(e, &how, (size(i, dims.stride[i]), wide, dims.stride[i]), n, span)?;
    }
    Ok(dims)
}

/// Cross-correlation with a kernel, as everywhere in the field.
pub(super) fn convolve(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "convolve", 2, 6, &["stride", "padding", "dilation", "groups"])?;
    let x = Picture::of(e, args, "convolve")?;
    let (k, window, [inner, filters]) = kernel(e, args, "convolve", &x)?;
    let own = x.sizes();
    let mut dims = moves(e, args, |i, _| own[i], &window)?;
    dims.groups = args.get(5, "groups").map_or(1, |v| v.int().unwrap_or(0)).max(0) as usize;
    let channels = x.t.axes[x.space].size;
    let fits = dims.groups > 0
        && filters.size % dims.groups == 0
        && dims.groups.checked_mul(inner.size) == Some(channels);
    if !fits {
        let message = format!(
            "{} channels in {} groups do not meet a kernel for {} channels and {} filters",
            channels, dims.groups, inner.size, filters.size
        );
        return e.fail(Code::N0311, message, args.span, "");
    }
    let Some(shape) = dims.result(&e.b.ty(x.node).shape, &e.b.ty(k).shape) else {
        return Err(does_not_fit(e, &x, &window, args.span));
    };
    let axes: Vec<Axis> = shape[1..].iter().map(|d| Axis::of(d.fixed().unwrap_or(0))).collect();
    e.check_size(&axes, args.span)?;
    let node = e.b.convolution(x.node, k, dims);
    Ok(x.back(e, node))
}

/// The adjoint of `convolve` by its input; the result is as large as the largest input that a convolution with
/// this window, stride and padding takes to `x`'s size.
pub(super) fn convolve_transposed(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "convolve_transposed", 2, 4, &["stride", "padding"])?;
    let x = Picture::of(e, args, "convolve_transposed")?;
    let (k, window, [filters, inner]) = kernel(e, args, "convolve_transposed", &x)?;
    let channels = x.t.axes[x.space].size;
    if inner.size != channels {
        let message = format!("{channels} channels do not meet a kernel for {}", inner.size);
        return e.fail(Code::N0311, message, args.span, "");
    }
    let own = x.sizes();
    let same = padding(args, 3) == "same";
    let large = |i: usize, stride: usize| {
        let gap = if same { 0 } else { window[i].saturating_sub(stride) };
        own[i].saturating_mul(stride).saturating_add(gap)
    };
    let dims = moves(e, args, large, &window)?;
    let size: Vec<usize> = (0..x.space).map(|i| large(i, dims.stride[i])).collect();
    let axes: Vec<Axis> = size.iter().map(|&n| Axis::of(n)).chain([filters]).collect();
    e.check_size(&axes, args.span)?;
    let node = e.b.convolution_input(x.node, k, &size, &dims);
    Ok(x.back(e, node))
}

/// What `pad` and `crop` take before and after each axis of space; what is after is what is before if not said.
fn edges(e: &Elab<'_>, args: &Args, n: usize) -> Res<[Vec<usize>; 2]> {
    let one = |value: &Value, span: Span| -> Res<Vec<usize>> {
        let list = match value {
            Value::Shape(s) => s.axes.iter().map(|a| a.size).collect(),
            value => match value.int().filter(|i| *i >= 0) {
                Some(i) => vec![i as usize; n],
                None => {
                    return e.fail(Code::N0205, format!("margins are whole numbers, not {value}"), span, "");
                }
            },
        };
        if list.len() == n {
            return Ok(list);
        }
        e.fail(Code::N0301, format!("{value} has {} margins, {n} are wanted", list.len()), span, "")
    };
    let Some(before) = args.get(1, "before") else {
        return e.fail(Code::N0204, "how much? `pad 1x1`, or `pad 1x2 0x3` before and after", args.span, "");
    };
    let low = one(before, args.span_of(1))?;
    let high = match args.get(2, "after") {
        Some(after) => one(after, args.span_of(2))?,
        None => low.clone(),
    };
    Ok([low, high])
}

/// Starts and axes after padding or cropping all axes but the last.
fn edged(e: &mut Elab<'_>, args: &Args, name: &str, crop: bool) -> Res<Value> {
    e.arity(args, name, 2, 3, &["before", "after"])?;
    e.given_once(args, name, 1, "before")?;
    e.given_once(args, name, 2, "after")?;
    let t = e.tensor_arg(args, 0, name)?;
    let t = e.floats(&t);
    let n = t.rank().saturating_sub(1);
    if n == 0 {
        let message =
            format!("`{name}` works on space or time with channels, not on {}", shape_text(&t.axes));
        return e.fail(Code::N0301, message, args.span, "");
    }
    let [low, high] = edges(e, args, n)?;
    let mut axes = t.axes.to_vec();
    for i in 0..n {
        let both = low[i].saturating_add(high[i]);
        let size = axes[i].size;
        axes[i] = match (both, crop) {
            (0, _) => axes[i],
            (_, false) => Axis::of(size.saturating_add(both)),
            (_, true) if both < size => Axis::of(size - both),
            _ => {
                let message = format!("`crop` takes {both} of {size}, and nothing would be left");
                return e.fail(Code::N0301, message, args.span, "");
            }
        };
    }
    e.check_size(&axes, args.span)?;
    let mut start: Vec<usize> = if t.batched { vec![0] } else { Vec::new() };
    start.extend(&low);
    start.push(0);
    let dims = Elab::dims(&axes, t.batched);
    let node = if crop { e.b.slice(t.node, start, dims) } else { e.b.pad(t.node, start, dims) };
    Ok(Value::Tensor(e.tensor(node, axes, t.batched)))
}

pub(super) fn pad(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    edged(e, args, "pad", false)
}

pub(super) fn crop(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    edged(e, args, "crop", true)
}

/// Every number several times along an axis.
pub(super) fn repeated(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "repeated", 3, 3, &["times", "axis"])?;
    e.given_once(args, "repeated", 1, "times")?;
    e.given_once(args, "repeated", 2, "axis")?;
    let t = e.tensor_arg(args, 0, "repeated")?;
    let times = args.get(1, "times").and_then(Value::int).filter(|n| *n > 0);
    let (Some(times), Some(axis)) = (times, args.get(2, "axis").cloned()) else {
        return e.fail(
            Code::N0205,
            "repeated(x, times, axis): times is a whole number from 1",
            args.span,
            "",
        );
    };
    let axis = e.axis_arg(&axis, t.rank(), args.span)?;
    let mut axes = t.axes.to_vec();
    axes[axis] = Axis::of(axes[axis].size.saturating_mul(times as usize));
    e.check_size(&axes, args.span)?;
    let at = axis + usize::from(t.batched);
    let mut apart = e.b.ty(t.node).shape.clone();
    let places = (0..apart.len()).map(|i| if i <= at { i } else { i + 1 }).collect();
    apart.insert(at + 1, Dim::Size(times as usize));
    let node = if times == 1 { t.node } else { e.b.broadcast(t.node, places, apart) };
    let node = e.b.reshape(node, Elab::dims(&axes, t.batched));
    Ok(Value::Tensor(Tensor { node, axes: axes.into(), ..t }))
}

/// The order along an axis turned round.
pub(super) fn reverse(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "reverse", 1, 2, &["axis"])?;
    e.given_once(args, "reverse", 1, "axis")?;
    let t = e.tensor_arg(args, 0, "reverse")?;
    let axis = match args.get(1, "axis").cloned() {
        Some(value) => e.axis_arg(&value, t.rank(), args.span)?,
        None if t.rank() > 0 => 0,
        None => {
            return e.fail(
                Code::N0205,
                "`reverse` turns a sequence round, and here is one number",
                args.span,
                "",
            );
        }
    };
    let node = e.b.reverse(t.node, vec![axis + usize::from(t.batched)]);
    let mask = t.mask.map(|m| if axis == 0 { e.b.reverse(m, vec![1]) } else { m });
    Ok(Value::Tensor(Tensor { node, mask, ..t }))
}
