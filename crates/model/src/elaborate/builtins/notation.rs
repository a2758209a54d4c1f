//! Axes by letters: `einsum` and `rearrange`.

use crate::elaborate::builtins::args::Args;
use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::pattern::bracketed;
use crate::elaborate::value::{Axis, Tensor, Value};
use nnc_graph::{Dim, DotDims};
use nnc_syntax::{Code, Span};

/// Products summed over the letters that the result leaves out.
pub(super) fn einsum(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "einsum", 2, 8, &[])?;
    let Value::Text(text) = &args.positional[0].0 else {
        return e.fail(
            Code::N0205,
            "the first argument of `einsum` is a text such as \"n k, k u -> n u\"",
            args.span,
            "",
        );
    };
    let span = args.span_of(0);
    let Some((left, right)) = text.split_once("->") else {
        return e.fail(Code::N0205, "`einsum` needs `->` between operands and result", span, "");
    };
    let inputs: Vec<Vec<&str>> = left.split(',').map(|p| p.split_whitespace().collect()).collect();
    let wanted: Vec<&str> = right.split_whitespace().collect();
    if inputs.len() != args.positional.len() - 1 {
        let message = format!("{} operands are named, {} are given", inputs.len(), args.positional.len() - 1);
        return e.fail(Code::N0205, message, span, "");
    }
    let mut parts: Vec<(Tensor, Vec<&str>)> = Vec::new();
    let mut sizes: Vec<(&str, usize)> = Vec::new();
    for (i, letters) in inputs.iter().enumerate() {
        let t = e.tensor_of(&args.positional[i + 1].0.clone(), args.span_of(i + 1))?;
        let t = e.floats(&t);
        if t.rank() != letters.len() {
            let (named, has) = (letters.len(), t.rank());
            let axes = |n: usize| if n == 1 { "one axis".to_string() } else { format!("{n} axes") };
            let message = format!(
                "`{}` names {}, and this has {}: {}",
                letters.join(" "),
                axes(named),
                axes(has),
                bracketed(&t.axes)
            );
            return e.fail(Code::N0311, message, args.span_of(i + 1), "");
        }
        for (letter, axis) in letters.iter().zip(t.axes.iter()) {
            match sizes.iter().find(|(l, _)| l == letter) {
                Some((_, n)) if *n != axis.size => {
                    return e.fail(Code::N0311, format!("`{letter}` is {n} and {}", axis.size), span, "");
                }
                Some(_) => {}
                None => sizes.push((letter, axis.size)),
            }
        }
        if (1..letters.len()).any(|i| letters[..i].contains(&letters[i])) {
            return e.fail(Code::N0205, "a letter stands twice in one operand", span, "");
        }
        parts.push((t, letters.clone()));
    }
    if let Some(letter) = wanted.iter().find(|l| !sizes.iter().any(|(s, _)| s == *l)) {
        return e.fail(Code::N0205, format!("`{letter}` is in no operand"), span, "");
    }
    let (mut acc, mut letters) = parts.remove(0);
    for i in 0..parts.len() {
        let later = |l: &str| wanted.contains(&l) || parts[i + 1..].iter().any(|(_, ls)| ls.contains(&l));
        (acc, letters) = pair(e, &acc, &letters, &parts[i].0, &parts[i].1, later);
    }
    let drop: Vec<usize> = (0..letters.len()).filter(|&i| !wanted.contains(&letters[i])).collect();
    let acc = super::reduce::reduced(e, &acc, nnc_graph::Reduction::Add, &drop, false, false);
    let letters: Vec<&str> = letters.into_iter().filter(|l| wanted.contains(l)).collect();
    let order: Vec<usize> = wanted.iter().filter_map(|w| letters.iter().position(|l| l == w)).collect();
    if order.len() != letters.len() {
        return e.fail(Code::N0205, "a letter stands twice in the result", span, "");
    }
    super::shapes::permuted(e, &acc, &order, span).map(Value::Tensor)
}

/// One product: letters in both that are needed later are shared, those that are not are summed.
fn pair<'t>(
    e: &mut Elab<'_>,
    a: &Tensor,
    la: &[&'t str],
    b: &Tensor,
    lb: &[&'t str],
    later: impl Fn(&str) -> bool,
) -> (Tensor, Vec<&'t str>) {
    let (pa, pb) = (usize::from(a.batched), usize::from(b.batched));
    let mut dims = DotDims::default();
    let mut letters = Vec::new();
    if a.batched && b.batched {
        dims.left_batch.push(0);
        dims.right_batch.push(0);
    }
    for (i, l) in la.iter().enumerate() {
        let Some(j) = lb.iter().position(|m| m == l) else { continue };
        if later(l) {
            dims.left_batch.push(i + pa);
            dims.right_batch.push(j + pb);
            letters.push(*l);
        } else {
            dims.left_contract.push(i + pa);
            dims.right_contract.push(j + pb);
        }
    }
    letters.extend(la.iter().filter(|l| !lb.contains(l)));
    letters.extend(lb.iter().filter(|l| !la.contains(l)));
    let node = e.b.dot(a.node, b.node, dims);
    let at = e.b.ty(node).shape.iter().position(|d| *d == Dim::Batch);
    let node = match at {
        Some(at) if at > 0 => {
            let rank = e.b.ty(node).rank();
            e.b.transpose(node, std::iter::once(at).chain((0..rank).filter(|i| *i != at)).collect())
        }
        _ => node,
    };
    let size = |l: &str| {
        let i = la.iter().position(|m| *m == l).map(|i| a.axes[i]);
        i.or_else(|| lb.iter().position(|m| *m == l).map(|j| b.axes[j])).unwrap_or(Axis::of(1))
    };
    let axes: Vec<Axis> = letters.iter().map(|l| size(l)).collect();
    (e.tensor(node, axes, a.batched || b.batched), letters)
}

/// One side of `rearrange`: groups of letters.
fn groups(text: &str) -> Option<Vec<Vec<&str>>> {
    let mut out: Vec<Vec<&str>> = Vec::new();
    let mut open = false;
    let mut rest = text.trim();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('(') {
            if std::mem::replace(&mut open, true) {
                return None;
            }
            out.push(Vec::new());
            rest = after.trim_start();
        } else if let Some(after) = rest.strip_prefix(')') {
            if !std::mem::replace(&mut open, false) {
                return None;
            }
            rest = after.trim_start();
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || c == '(' || c == ')').unwrap_or(rest.len());
            let (letter, after) = rest.split_at(end);
            match out.last_mut().filter(|_| open) {
                Some(group) => group.push(letter),
                None => out.push(vec![letter]),
            }
            rest = after.trim_start();
        }
    }
    (!open).then_some(out)
}

/// Axes taken apart, reordered, put together.
pub(super) fn rearrange(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    if args.positional.len() != 2 {
        return e.fail(
            Code::N0204,
            "rearrange(x, \"t (h e) -> h t e\", h=4)",
            args.span,
            "takes a tensor and a text",
        );
    }
    let t = e.tensor_arg(args, 0, "rearrange")?;
    let span = args.span_of(1);
    let Value::Text(text) = &args.positional[1].0 else {
        return e.fail(Code::N0205, "the second argument of `rearrange` is a text", span, "");
    };
    let sides = text.split_once("->").and_then(|(l, r)| Some((groups(l)?, groups(r)?)));
    let Some((left, right)) = sides else {
        return e.fail(Code::N0205, "`rearrange` needs axes, `->`, and axes, with closed brackets", span, "");
    };
    if left.len() != t.rank() {
        let message =
            format!("{} axes are named, and this has {}: {}", left.len(), t.rank(), bracketed(&t.axes));
        return e.fail(Code::N0311, message, span, "");
    }
    for (key, value, at) in &args.keyed {
        let place = left.iter().position(|group| group.contains(&key.as_str()));
        let Some(place) = place else {
            let d = e.error(Code::N0203, format!("the axes of `rearrange` have no `{key}`"), *at, "");
            return Err(Stop::Error(Box::new(d.help(format!("its axes are {}", left.concat().join(", "))))));
        };
        if value.int().is_none_or(|n| n <= 0) {
            let message =
                format!("`{key}` is the size of an axis, a whole number from 1, not {}", value.what());
            return e.fail(Code::N0205, message, *at, "this value");
        }
        let size = t.axes[place].size;
        if left[place].len() == 1 && value.int() != Some(size as i64) {
            let message = format!("`{key}` is {size} here, not {value}");
            return e.fail(Code::N0311, message, *at, "this value");
        }
    }
    let letters = sizes_of(e, args, &t, &left, span)?;
    let flat: Vec<&str> = right.iter().flatten().copied().collect();
    let order: Option<Vec<usize>> = flat.iter().map(|l| letters.iter().position(|(m, _)| m == l)).collect();
    let Some(order) = order.filter(|o| o.len() == letters.len()) else {
        return e.fail(Code::N0205, "both sides of `rearrange` name the same axes", span, "");
    };
    let apart: Vec<Axis> = letters.iter().map(|(_, a)| *a).collect();
    let node = e.b.reshape(t.node, Elab::dims(&apart, t.batched));
    let t = Tensor { node, axes: apart.into(), ..t };
    let t = super::shapes::permuted(e, &t, &order, span)?;
    let mut together: Vec<Axis> = Vec::new();
    let mut at = 0;
    for group in &right {
        let part = &t.axes[at..at + group.len()];
        together.push(match part {
            [one] => *one,
            many => Axis::of(many.iter().map(|a| a.size).product()),
        });
        at += group.len();
    }
    let node = e.b.reshape(t.node, Elab::dims(&together, t.batched));
    Ok(Value::Tensor(Tensor { node, axes: together.into(), ..t }))
}

/// The size of every letter of the left side; in each group one may be left to be found.
fn sizes_of<'t>(
    e: &Elab<'_>,
    args: &Args,
    t: &Tensor,
    left: &[Vec<&'t str>],
    span: Span,
) -> Res<Vec<(&'t str, Axis)>> {
    let mut out: Vec<(&str, Axis)> = Vec::new();
    for (group, axis) in left.iter().zip(t.axes.iter()) {
        if let [one] = &group[..] {
            out.push((one, *axis));
            continue;
        }
        let known: Vec<Option<usize>> = group
            .iter()
            .map(|l| args.key(l).and_then(Value::int).filter(|n| *n > 0).map(|n| n as usize))
            .collect();
        let product: usize = known.iter().flatten().fold(1usize, |n, k| n.saturating_mul(*k));
        let open = known.iter().filter(|k| k.is_none()).count();
        if open > 1 || product == 0 || axis.size % product != 0 || (open == 0 && product != axis.size) {
            let message = format!("an axis of {} does not come apart into ({})", axis.size, group.join(" "));
            let label = match open {
                0 | 1 => format!("the sizes given make {product}"),
                n => format!("{n} sizes are not given; all but one must be"),
            };
            return e.fail(Code::N0311, message, span, &label);
        }
        for (letter, size) in group.iter().zip(known) {
            out.push((letter, Axis::of(size.unwrap_or(axis.size / product))));
        }
    }
    Ok(out)
}
