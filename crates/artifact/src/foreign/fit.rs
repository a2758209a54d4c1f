//! One layer of another library as one of ours: which tensor is which, and in which order its numbers stand.

use super::parts::{Group, Part};
use super::{Array, Library, Wanted};
use std::collections::BTreeMap;

/// Our tensors by path.
pub(super) type Tensors = BTreeMap<String, Array>;

/// The part's numbers as the group's, if that is what they are.
pub(super) fn fit(part: &Part, group: &Group) -> Option<Tensors> {
    let tensors = match part.from {
        Library::Torch => torch(part, group),
        Library::Keras => keras(part, group),
    };
    let tensors = tensors.or_else(|| alone(part, group))?;
    let mut out = Tensors::new();
    for (leaf, wanted) in &group.tensors {
        let array = tensors.get(leaf.as_str()).filter(|a| a.shape == wanted.shape)?;
        out.insert(wanted.name.clone(), array.clone());
    }
    (tensors.len() == group.tensors.len()).then_some(out)
}

type Leaves = BTreeMap<&'static str, Array>;

/// A tensor without company, such as learned positions: its shape but for axes of size 1 at its head.
fn alone(part: &Part, group: &Group) -> Option<Leaves> {
    let leaf = ["p", "table", "slope", "w"].into_iter().find(|leaf| group.has(&[leaf], &[]))?;
    let theirs =
        part.get("").or_else(|| part.get("weight").filter(|_| leaf == "p" && part.has(&["weight"], &[])))?;
    let wanted = group.get(leaf)?;
    let own = trimmed(theirs);
    (own.shape == wanted.shape).then(|| Leaves::from([(leaf, own)]))
}

/// Without the axes of size 1 at its head.
fn trimmed(a: &Array) -> Array {
    let ones = a.shape.iter().take_while(|n| **n == 1).count().min(a.shape.len().saturating_sub(1));
    Array { shape: a.shape[ones..].to_vec(), data: a.data.clone() }
}

// ---- PyTorch ---------------------------------------------------------------------------

fn torch(part: &Part, group: &Group) -> Option<Leaves> {
    let mut out = Leaves::new();
    if group.has(&["w"], &["b"]) {
        if !part.has(&["weight"], &["bias"]) || part.get("weight")?.shape.len() != 2 {
            return None;
        }
        if part.says_embedding() {
            return None;
        }
        // [out, in] there; the inputs may be a picture whose channels stand first.
        out.insert("w", rows(&transposed(part.get("weight")?), group.get("w")?));
        bias(part, group, &mut out)?;
    } else if group.has(&["k"], &["b"]) {
        if !part.has(&["weight"], &["bias"]) {
            return None;
        }
        // [out, in, …window] there, of a transposed convolution [in, out, …window].
        out.insert("k", windows_first(part.get("weight")?)?);
        bias(part, group, &mut out)?;
    } else if group.has(&["table"], &[]) {
        out.insert("table", part.get("weight").filter(|_| part.has(&["weight"], &[]))?.clone());
    } else if group.has(&["slope"], &[]) {
        out.insert("slope", part.get("weight").filter(|_| part.has(&["weight"], &[]))?.clone());
    } else if group.has(&["scale"], &["shift", "running_mean", "running_var"]) {
        if !part.has(&["weight"], &["bias", "running_mean", "running_var"]) {
            return None;
        }
        for (ours, theirs) in [
            ("scale", "weight"),
            ("shift", "bias"),
            ("running_mean", "running_mean"),
            ("running_var", "running_var"),
        ] {
            if let (Some(wanted), Some(a)) = (group.get(ours), part.get(theirs)) {
                out.insert(ours, rows(a, wanted));
            }
        }
        // All or nothing: a norm without running statistics is another norm.
        if part.tensors.len() != group.tensors.len() {
            return None;
        }
    } else if group.has(&["w", "u", "b"], &[]) {
        recurrent(part, group, &mut out)?;
    } else if group.has(&["dense1.w", "dense2.w"], &["dense1.b", "dense2.b"]) {
        if !part.has(&["in_proj_weight", "out_proj.weight"], &["in_proj_bias", "out_proj.bias"]) {
            return None;
        }
        // Queries, keys and values below each other, and so side by side when transposed.
        out.insert("dense1.w", transposed(part.get("in_proj_weight")?));
        out.insert("dense2.w", transposed(part.get("out_proj.weight")?));
        let zeros = |leaf: &str| group.get(leaf).map(zeros);
        out.insert("dense1.b", part.get("in_proj_bias").cloned().or_else(|| zeros("dense1.b"))?);
        out.insert("dense2.b", part.get("out_proj.bias").cloned().or_else(|| zeros("dense2.b"))?);
    } else if group.has(CROSS, &[]) {
        cross(part, group, &mut out)?;
    } else {
        return None;
    }
    Some(out)
}

const CROSS: &[&str] = &["q.w", "q.b", "k.w", "k.b", "v.w", "v.b", "o.w", "o.b"];

/// The bias of both or of none.
fn bias(part: &Part, group: &Group, out: &mut Leaves) -> Option<()> {
    match (part.get("bias"), group.get("b")) {
        (Some(b), Some(_)) => {
            out.insert("b", b.clone());
            Some(())
        }
        (None, None) => Some(()),
        _ => None,
    }
}

/// One direction of one layer. `weight_ih` is [gates · units, inputs]; LSTM's gates i, f, g, o are in our order,
/// GRU's are r, z, n where ours are z, r, h. Two biases are added, but for GRU, which has both.
fn recurrent(part: &Part, group: &Group, out: &mut Leaves) -> Option<()> {
    if !part.has(&["weight_ih", "weight_hh"], &["bias_ih", "bias_hh"]) {
        return None;
    }
    let (w, u) = (transposed(part.get("weight_ih")?), transposed(part.get("weight_hh")?));
    let units = *u.shape.first()?;
    let width = *u.shape.last()?;
    if units == 0 {
        return None;
    }
    let zeros = || Array { shape: vec![width], data: vec![0.0; width] };
    let input = part.get("bias_ih").cloned().unwrap_or_else(zeros);
    let state = part.get("bias_hh").cloned().unwrap_or_else(zeros);
    if input.data.len() != width || state.data.len() != width {
        return None;
    }
    if width == 3 * units {
        let order = |a: &Array| gates(a, units, &[1, 0, 2]);
        let both = [order(&input).data, order(&state).data].concat();
        out.insert("w", order(&w));
        out.insert("u", order(&u));
        out.insert("b", Array { shape: vec![2, width], data: both });
    } else {
        let sum = input.data.iter().zip(&state.data).map(|(a, b)| a + b).collect();
        out.insert("w", w);
        out.insert("u", u);
        out.insert("b", Array { shape: vec![width], data: sum });
    }
    group.get("b").map(|_| ())
}

/// Attention to another sequence: queries, keys and values below each other, or each by itself.
fn cross(part: &Part, group: &Group, out: &mut Leaves) -> Option<()> {
    let width = *part.get("out_proj.weight")?.shape.first()?;
    let row = |a: &Array, i: usize| -> Option<Array> {
        let each = a.data.len() / 3;
        let shape = std::iter::once(width).chain(a.shape.iter().skip(1).copied()).collect();
        (a.shape.first() == Some(&(3 * width)))
            .then(|| Array { shape, data: a.data[i * each..(i + 1) * each].to_vec() })
    };
    for (i, (w, b, own)) in
        [("q.w", "q.b", "q_proj_weight"), ("k.w", "k.b", "k_proj_weight"), ("v.w", "v.b", "v_proj_weight")]
            .into_iter()
            .enumerate()
    {
        let weight = match part.get("in_proj_weight") {
            Some(all) => row(all, i)?,
            None => part.get(own)?.clone(),
        };
        out.insert(w, transposed(&weight));
        let bias = match part.get("in_proj_bias") {
            Some(all) => row(all, i)?,
            None => zeros(group.get(b)?),
        };
        out.insert(b, bias);
    }
    out.insert("o.w", transposed(part.get("out_proj.weight")?));
    out.insert("o.b", part.get("out_proj.bias").cloned().or_else(|| group.get("o.b").map(zeros))?);
    Some(())
}

// ---- Keras: nearly our own layouts -----------------------------------------------------------

fn keras(part: &Part, group: &Group) -> Option<Leaves> {
    let mut out = Leaves::new();
    if group.has(&["w"], &["b"]) {
        out.insert("w", part.get("kernel").filter(|_| part.has(&["kernel"], &["bias"]))?.clone());
        bias(part, group, &mut out)?;
    } else if group.has(&["k"], &["b"]) {
        let kernel = part.get("kernel").filter(|_| part.has(&["kernel"], &["bias"]))?;
        out.insert("k", grouped(kernel, group.get("k")?));
        bias(part, group, &mut out)?;
    } else if group.has(&["depthwise", "pointwise"], &["b"]) {
        if !part.has(&["depthwise_kernel", "pointwise_kernel"], &["bias"]) {
            return None;
        }
        out.insert("depthwise", grouped(part.get("depthwise_kernel")?, group.get("depthwise")?));
        out.insert("pointwise", part.get("pointwise_kernel")?.clone());
        bias(part, group, &mut out)?;
    } else if group.has(&["table"], &[]) {
        out.insert("table", part.get("embeddings").filter(|_| part.has(&["embeddings"], &[]))?.clone());
    } else if group.has(&["slope"], &[]) {
        out.insert("slope", trimmed(part.get("alpha").filter(|_| part.has(&["alpha"], &[]))?));
    } else if group.has(&["scale"], &["shift", "running_mean", "running_var"]) {
        if !part.has(&[], &["gamma", "beta", "scale", "moving_mean", "moving_variance"]) {
            return None;
        }
        // `scale=False` and `center=False` are a scale of 1 and a shift of 0.
        let scale = part.get("gamma").or_else(|| part.get("scale")).cloned();
        out.insert("scale", scale.or_else(|| group.get("scale").map(ones))?);
        if let Some(wanted) = group.get("shift") {
            out.insert("shift", part.get("beta").cloned().unwrap_or_else(|| zeros(wanted)));
        }
        for (ours, theirs) in [("running_mean", "moving_mean"), ("running_var", "moving_variance")] {
            if let Some(a) = part.get(theirs) {
                out.insert(ours, a.clone());
            }
        }
    } else if group.has(&["w", "u", "b"], &[]) {
        if !part.has(&["kernel", "recurrent_kernel"], &["bias"]) {
            return None;
        }
        out.insert("w", part.get("kernel")?.clone());
        out.insert("u", part.get("recurrent_kernel")?.clone());
        out.insert("b", part.get("bias").cloned().or_else(|| group.get("b").map(zeros))?);
    } else if group.has(&["dense1.w", "dense2.w"], &["dense1.b", "dense2.b"]) {
        let [q, k, v] = ["query", "key", "value"].map(|name| product(part, name));
        out.insert(
            "dense1.w",
            beside(&[q.as_ref()?.0.clone(), k.as_ref()?.0.clone(), v.as_ref()?.0.clone()])?,
        );
        out.insert("dense1.b", beside(&[q?.1, k?.1, v?.1])?);
        let (w, b) = output(part, group.get("dense2.b")?)?;
        out.insert("dense2.w", w);
        out.insert("dense2.b", b);
    } else if group.has(CROSS, &[]) {
        for (w, b, name) in [("q.w", "q.b", "query"), ("k.w", "k.b", "key"), ("v.w", "v.b", "value")] {
            let (weight, bias) = product(part, name)?;
            out.insert(w, weight);
            out.insert(b, bias);
        }
        let (w, b) = output(part, group.get("o.b")?)?;
        out.insert("o.w", w);
        out.insert("o.b", b);
    } else {
        return None;
    }
    Some(out)
}

/// A product of attention, [width, heads, each], as a matrix, and its bias.
fn product(part: &Part, name: &str) -> Option<(Array, Array)> {
    let w = part.get(&format!("{name}/kernel")).filter(|w| w.shape.len() == 3)?;
    let wide = w.shape[1] * w.shape[2];
    let bias = part.get(&format!("{name}/bias"));
    let b = bias.map_or_else(|| vec![0.0; wide], |b| b.data.clone());
    Some((
        Array { shape: vec![w.shape[0], wide], data: w.data.clone() },
        Array { shape: vec![wide], data: b },
    ))
}

/// The product after attention, [heads, each, width].
fn output(part: &Part, bias: &Wanted) -> Option<(Array, Array)> {
    let w = part.get("attention_output/kernel").filter(|w| w.shape.len() == 3)?;
    let b = part.get("attention_output/bias").cloned().unwrap_or_else(|| zeros(bias));
    Some((Array { shape: vec![w.shape[0] * w.shape[1], w.shape[2]], data: w.data.clone() }, b))
}

/// A kernel of a depthwise convolution, […window, in, multiplier], as that of a grouped one,
/// […window, 1, in · multiplier]; any other is itself.
fn grouped(kernel: &Array, wanted: &Wanted) -> Array {
    let same = kernel.shape == wanted.shape;
    let [window @ .., a, b] = &kernel.shape[..] else { return kernel.clone() };
    let depthwise = window.iter().copied().chain([1, a * b]).collect::<Vec<_>>();
    let shape = if !same && depthwise == wanted.shape { depthwise } else { kernel.shape.clone() };
    Array { shape, data: kernel.data.clone() }
}

// ---- orders of numbers -------------------------------------------------------------------------

fn zeros(w: &Wanted) -> Array {
    Array { shape: w.shape.clone(), data: vec![0.0; w.shape.iter().product()] }
}

fn ones(w: &Wanted) -> Array {
    Array { shape: w.shape.clone(), data: vec![1.0; w.shape.iter().product()] }
}

/// A matrix with its axes exchanged; anything else is itself.
fn transposed(a: &Array) -> Array {
    let [n, m] = a.shape[..] else { return a.clone() };
    let mut data = Vec::with_capacity(a.data.len());
    for j in 0..m {
        data.extend((0..n).map(|i| a.data[i * m + j]));
    }
    Array { shape: vec![m, n], data }
}

/// [a, b, …window] as […window, b, a].
fn windows_first(k: &Array) -> Option<Array> {
    let [a, b, window @ ..] = &k.shape[..] else { return None };
    if window.is_empty() {
        return None;
    }
    let places: usize = window.iter().product();
    let mut data = Vec::with_capacity(k.data.len());
    for place in 0..places {
        for j in 0..*b {
            data.extend((0..*a).map(|i| k.data[(i * b + j) * places + place]));
        }
    }
    let shape = window.iter().copied().chain([*b, *a]).collect();
    Some(Array { shape, data })
}

/// Rows of a picture whose channels stand first, put into our order.
fn rows(a: &Array, wanted: &Wanted) -> Array {
    let Some([space @ .., channels]) = wanted.flattened.as_deref() else { return a.clone() };
    let places: usize = space.iter().product();
    if a.shape.first() != Some(&(places * channels)) || places * channels == 0 {
        return a.clone();
    }
    let width = a.data.len() / (places * channels);
    let mut data = Vec::with_capacity(a.data.len());
    for place in 0..places {
        for c in 0..*channels {
            let row = c * places + place;
            data.extend_from_slice(&a.data[row * width..(row + 1) * width]);
        }
    }
    Array { shape: a.shape.clone(), data }
}

/// Blocks of `units` numbers along the last axis in another order.
fn gates(a: &Array, units: usize, order: &[usize]) -> Array {
    let width = units * order.len();
    let mut data = Vec::with_capacity(a.data.len());
    for row in a.data.chunks(width) {
        for &gate in order {
            data.extend_from_slice(row.get(gate * units..(gate + 1) * units).unwrap_or_default());
        }
    }
    Array { shape: a.shape.clone(), data }
}

/// Matrices of equal height, or vectors, side by side.
fn beside(parts: &[Array]) -> Option<Array> {
    let height = match parts.first()?.shape[..] {
        [_] => 1,
        [n, _] => n,
        _ => return None,
    };
    let mut data = Vec::new();
    for i in 0..height {
        for p in parts {
            let width = p.data.len() / height.max(1);
            data.extend_from_slice(p.data.get(i * width..(i + 1) * width)?);
        }
    }
    let width = data.len() / height.max(1);
    let shape = if parts.first()?.shape.len() == 1 { vec![width] } else { vec![height, width] };
    Some(Array { shape, data })
}
