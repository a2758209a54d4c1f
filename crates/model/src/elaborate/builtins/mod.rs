//! Functions of Rust: what the prelude is written in.

pub(crate) mod args;
mod balance;
mod masks;
mod math;
mod notation;
mod reduce;
mod shapes;
mod windows;

use crate::declarations::attributes::Range;
use crate::elaborate::builtins::args::Args;
use crate::elaborate::elab::{Elab, Res};
use crate::elaborate::mask::Steps;
use crate::elaborate::value::{Axis, Shape, Tensor, Value};
use nnc_syntax::{Code, Span};

type Function = fn(&mut Elab<'_>, &Args) -> Res<Value>;

/// Name, signature with meaning, function.
const TABLE: &[(&str, &str, Function)] = &[
    ("exp", "exp(x): e to the power of x", math::exp),
    ("log", "log(x): the natural logarithm", math::log),
    ("sqrt", "sqrt(x): the square root", math::sqrt),
    ("abs", "abs(x): the absolute value", math::abs),
    ("sign", "sign(x): -1, 0 or 1", math::sign),
    ("tanh", "tanh(x): the hyperbolic tangent, between -1 and 1", math::tanh),
    ("sigmoid", "sigmoid(x): 1 / (1 + exp(-x)), between 0 and 1", math::sigmoid),
    ("softplus", "softplus(x): log(1 + exp(x))", math::softplus),
    ("sin", "sin(x): the sine", math::sin),
    ("cos", "cos(x): the cosine", math::cos),
    ("erf", "erf(x): the error function", math::erf),
    ("expm1", "expm1(x): exp(x) - 1, exact near 0", math::expm1),
    ("log1p", "log1p(x): log(1 + x), exact near 0", math::log1p),
    ("floor", "floor(x): the next whole number below", math::floor),
    ("round", "round(x): the nearest whole number, halves to the even one", math::round),
    ("max", "max(a, b): the larger; max(x, axis=-1, keep=no): the largest along an axis", reduce::max),
    ("min", "min(a, b): the smaller; min(x, axis=-1, keep=no): the smallest along an axis", reduce::min),
    ("sum", "sum(x, axis=…, except=…, keep=no): the sum, of all numbers or along an axis", reduce::sum),
    ("mean", "mean(x, axis=…, except=…, keep=no): the mean, of all numbers or along an axis", reduce::mean),
    ("argmax", "argmax(x): the class with the largest number along the last axis", reduce::argmax),
    ("batch_mean", "batch_mean(x): the mean over the samples of the batch", reduce::batch_mean),
    ("batch_sum", "batch_sum(x): the sum over the samples of the batch", reduce::batch_sum),
    ("all_sum", "all_sum(x): for metrics: the sum over all samples of all batches", reduce::total),
    ("all_mean", "all_mean(x): for metrics: the mean over all samples of all batches", reduce::overall),
    ("classes", "classes(x): of how many kinds a class is one; 0 for numbers", shapes::classes),
    (
        "class_weights_of",
        "class_weights_of(weights, target, yes_no=no): for losses: what each class counts, as a list; of `balanced` what the training rows say",
        balance::class_weights,
    ),
    ("sum_of", "sum_of(list): the sum of all numbers of all tensors of a list", reduce::sum_of),
    ("where", "where(condition, a, b): a where the condition holds, else b", math::where_),
    ("mod", "mod(a, b): the rest of a whole division", math::modulo),
    ("stop_gradient", "stop_gradient(x): x, through which no gradient flows", math::stop_gradient),
    ("add", "add a b …: the sum of `it` and others", math::add),
    ("subtract", "subtract a: `it` minus another", math::subtract),
    ("multiply", "multiply a …: the product of `it` and others", math::multiply),
    ("average", "average a …: the mean of `it` and others", math::average),
    ("maximum", "maximum a …: the larger of `it` and others, number by number", math::maximum),
    ("minimum", "minimum a …: the smaller of `it` and others, number by number", math::minimum),
    ("reshape", "reshape 28x28x1: the same numbers in another shape", shapes::reshape),
    (
        "transpose",
        "transpose(x): the last two axes exchanged; transpose(x, [1, 0]): axes in this order",
        shapes::transpose,
    ),
    ("squeeze", "squeeze(x, axis): without an axis of size 1", shapes::squeeze),
    ("concat", "concat a b … axis=-1: one after another along an axis", shapes::concat),
    ("split", "split(x, n): n equal parts along the last axis", shapes::split),
    (
        "frozen",
        "frozen(): whether the layer around is frozen, so that its statistics are to stay as they are",
        shapes::frozen,
    ),
    ("gather", "gather(table, classes): the rows of these numbers", shapes::gather),
    (
        "pick",
        "pick(x, classes): along the last axis, the number of this class; by shares, their mean",
        shapes::pick,
    ),
    ("one_hot", "one_hot(classes): vectors with one 1", shapes::one_hot),
    ("shape", "shape(x): the sizes of all axes of one sample", shapes::shape),
    ("rank", "rank(x): the number of axes of one sample", shapes::rank),
    ("size", "size(x): how many numbers one sample, or a shape, has", shapes::size),
    ("len", "len(list): how many", shapes::len),
    ("spread", "spread(size, n): one size for each of n axes", shapes::spread),
    ("index", "index(x, axis): 0, 1, 2 … along an axis, in the shape of x", shapes::index),
    ("linspace", "linspace(low, high, n): n numbers at equal distances", shapes::linspace),
    ("zeros_like", "zeros_like(x): zeros in the shape of x", shapes::zeros_like),
    ("ones_like", "ones_like(x): ones in the shape of x", shapes::ones_like),
    ("fill", "fill(shape, value): one number everywhere", shapes::fill),
    ("fan_in", "fan_in(shape): how many inputs feed one output of a weight of this shape", shapes::fan_in),
    (
        "fan_out",
        "fan_out(shape): how many outputs one input of a weight of this shape feeds",
        shapes::fan_out,
    ),
    ("random_uniform", "random_uniform(shape): random numbers, uniform in [0, 1)", math::random_uniform),
    (
        "random_normal",
        "random_normal(shape): random numbers, normal around 0 with deviation 1",
        math::random_normal,
    ),
    ("grad", "grad(y, x): the derivative of one number y by the tensor x", math::grad),
    (
        "lowered",
        "lowered(factor, patience, watch, min_delta, cooldown, floor): for schedules: falls when a figure stalls",
        math::lowered,
    ),
    (
        "convolve",
        "convolve(x, kernel, stride, padding, dilation, groups): a window moved over space",
        windows::convolve,
    ),
    (
        "convolve_transposed",
        "convolve_transposed(x, kernel, stride, padding): the way back of a convolution",
        windows::convolve_transposed,
    ),
    (
        "window_max",
        "window_max(x, window, stride, padding): the largest number of each window",
        windows::window_max,
    ),
    ("window_sum", "window_sum(x, window, stride, padding): the sum of each window", windows::window_sum),
    ("pad", "pad 1x2 0x3: zeros around space or time, before and after", windows::pad),
    ("crop", "crop 1x2 0x1: space or time without its margins, before and after", windows::crop),
    ("repeated", "repeated(x, times, axis): every number several times", windows::repeated),
    ("reverse", "reverse(x, axis): the order turned round", windows::reverse),
    ("has_mask", "has_mask(x): whether it is known which steps of x are padding", masks::has_mask),
    ("mask_of", "mask_of(x): 1 for each step of x that is there, 0 for padding", masks::mask_of),
    (
        "with_mask",
        "with_mask(x, m): x, of which the steps where m is 0 are padding from now on",
        masks::with_mask,
    ),
    ("zero_padding", "zero_padding(x): x with 0 at the steps that are padding", masks::zero_padding),
    (
        "einsum",
        "einsum(\"n k, k u -> n u\", a, b): products summed over the letters that are left out",
        notation::einsum,
    ),
    (
        "rearrange",
        "rearrange(x, \"t (h e) -> h t e\", h=4): axes regrouped and reordered",
        notation::rearrange,
    ),
];

/// All names, for suggestions.
pub(crate) const NAMES: &[&str] = &{
    let mut names = [""; TABLE.len()];
    let mut i = 0;
    while i < TABLE.len() {
        names[i] = TABLE[i].0;
        i += 1;
    }
    names
};

/// The function of a name.
pub(crate) fn find(name: &str) -> Option<&'static str> {
    NAMES.iter().find(|n| **n == name).copied()
}

/// The numbers that a function gives, for those whose result a loss may take.
pub(crate) fn range(name: &str) -> Option<Range> {
    match name {
        "sigmoid" => Some(Range::Unit),
        "tanh" => Some(Range::Signed),
        "softplus" => Some(Range::Any),
        _ => None,
    }
}

/// What becomes of the steps of a sequence.
fn steps(name: &str) -> Steps {
    match name {
        "exp" | "log" | "sqrt" | "abs" | "sign" | "tanh" | "sigmoid" | "softplus" | "sin" | "cos" | "erf"
        | "expm1" | "log1p" | "floor" | "round" | "where" | "stop_gradient" | "add" | "subtract"
        | "multiply" | "average" | "maximum" | "minimum" => Steps::Each,
        "reshape" | "squeeze" | "concat" | "split" | "gather" | "pick" | "one_hot" | "repeated" => {
            Steps::Kept
        }
        "max" | "min" | "sum" | "mean" | "with_mask" | "zero_padding" | "mask_of" | "reverse" => Steps::Own,
        _ => Steps::Lost,
    }
}

/// What `nnc explain` says of a function.
pub(crate) fn describe(name: &str) -> Option<&'static str> {
    TABLE.iter().find(|(n, _, _)| *n == name).map(|(_, text, _)| *text)
}

/// Calls a function.
pub(crate) fn call(e: &mut Elab<'_>, name: &str, args: Args) -> Res<Value> {
    if args.positional.iter().any(|(v, _)| matches!(v, Value::Poison)) {
        return Err(crate::elaborate::elab::Stop::Poisoned);
    }
    for (i, (key, _, span)) in args.keyed.iter().enumerate() {
        if args.keyed[..i].iter().any(|(k, _, _)| k == key) {
            return e.fail(Code::N0203, format!("`{key}` is given twice"), *span, "again here");
        }
    }
    match TABLE.iter().find(|(n, _, _)| *n == name) {
        Some((_, _, function)) => {
            let mut out = e.deeper(name, args.span, |e| function(e, &args))?;
            e.hand_on(steps(name), args.positional.iter().map(|(v, _)| v), &mut out);
            Ok(out)
        }
        None => e.fail(Code::N0202, format!("there is no function called `{name}`"), args.span, ""),
    }
}

impl Elab<'_> {
    /// Checks how many positional arguments there are, and that every key is known.
    pub(crate) fn arity(&self, args: &Args, name: &str, least: usize, most: usize, keys: &[&str]) -> Res<()> {
        let n = args.positional.len() + keys.iter().filter(|k| args.key(k).is_some()).count();
        if n < least || args.positional.len() > most {
            let d = self.error(Code::N0204, format!("`{name}` takes other arguments"), args.span, "");
            let d = d.help(describe(name).unwrap_or(name));
            return Err(crate::elaborate::elab::Stop::Error(Box::new(d)));
        }
        if let Some((key, _, span)) = args.keyed.iter().find(|(k, _, _)| !keys.contains(&k.as_str())) {
            let d = self.error(Code::N0203, format!("`{name}` has no argument `{key}`"), *span, "");
            let d = d.help(describe(name).unwrap_or(name));
            return Err(crate::elaborate::elab::Stop::Error(Box::new(d)));
        }
        Ok(())
    }

    /// An argument that is yes or no, and no where it is not given.
    pub(crate) fn switch(&self, args: &Args, name: &str, key: &str) -> Res<bool> {
        match args.keyed.iter().find(|(k, _, _)| k == key) {
            None => Ok(false),
            Some((_, Value::Bool(on), _)) => Ok(*on),
            Some((_, other, span)) => {
                let message = format!("`{key}` of `{name}` is yes or no, not {}", other.what());
                self.fail(Code::N0205, message, *span, "this value")
            }
        }
    }

    /// An argument that is given by its place or by its name, and not by both.
    fn given_once(&self, args: &Args, name: &str, at: usize, key: &str) -> Res<()> {
        match args.keyed.iter().find(|(k, _, _)| k == key && args.positional.len() > at) {
            Some((_, _, span)) => {
                let message = format!("`{key}` of `{name}` is given twice");
                let d = self.error(Code::N0203, message, *span, "again here");
                Err(crate::elaborate::elab::Stop::Error(Box::new(d.help(describe(name).unwrap_or(name)))))
            }
            None => Ok(()),
        }
    }

    /// A tensor argument.
    pub(crate) fn tensor_arg(&mut self, args: &Args, position: usize, name: &str) -> Res<Tensor> {
        let span = args.span_of(position);
        match args.get(position, "x") {
            Some(value) => self.tensor_of(&value.clone(), span),
            None => self.fail(Code::N0204, format!("`{name}` needs a tensor"), args.span, ""),
        }
    }

    /// A size argument.
    pub(crate) fn shape_arg(&self, value: &Value, span: Span) -> Res<Shape> {
        match value {
            Value::Shape(s) => Ok(s.clone()),
            Value::Tensor(t) if t.classes.is_none() => {
                self.fail(Code::N0205, "a size is wanted here, not a tensor", span, "")
            }
            Value::List(items) => {
                let mut axes: Vec<Axis> = Vec::new();
                for item in items {
                    match item {
                        Value::Shape(s) => axes.extend(s.axes.iter().copied()),
                        item => axes.push(self.axis(item, span)?),
                    }
                }
                Ok(Shape { axes, batched: false })
            }
            value => Ok(Shape { axes: vec![self.axis(value, span)?], batched: false }),
        }
    }

    /// An axis, counted from the end when negative.
    pub(crate) fn axis_arg(&self, value: &Value, rank: usize, span: Span) -> Res<usize> {
        let at = value.int().map(|i| if i < 0 { i + rank as i64 } else { i });
        match at {
            Some(i) if i >= 0 && (i as usize) < rank => Ok(i as usize),
            _ => self.fail(Code::N0205, format!("there is no axis {value} among {rank}"), span, ""),
        }
    }
}
