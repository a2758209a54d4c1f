//! What several tests need.
#![allow(dead_code)]

use nnc_graph::eval::{Array, Bindings};
use nnc_graph::{DType, Dim, Graph, Type, random};

/// A type from `B,3` (doubles) or `i32 B,3`.
pub fn ty(text: &str) -> Type {
    let (dtype, dims) = match text.split_once(' ') {
        Some((name, dims)) => (DType::from_name(name).expect("an element type"), dims),
        None => (DType::F64, text),
    };
    let dim = |d: &str| if d == "B" { Dim::Batch } else { Dim::Size(d.parse().expect("a size")) };
    let shape = if dims.is_empty() { Vec::new() } else { dims.split(',').map(dim).collect::<Vec<_>>() };
    Type::new(dtype, shape)
}

/// Numbers for every parameter: doubles within a range, classes below 4.
pub fn bind(graph: &Graph, seed: u64, (low, high): (f64, f64), batch: usize) -> Bindings {
    let mut out = Bindings { batch, seed: 5, step: 2, ..Bindings::default() };
    for id in graph.ids() {
        let node = graph.node(id);
        let Some((role, name)) = node.prim.parameter() else { continue };
        let key = random::Key::new(seed, 1, random::site(name));
        let mut i = 0;
        let value = Array::from_fn(&node.ty.dims_at(batch), |_| {
            i += 1;
            let u = key.uniform(i);
            if node.ty.dtype == DType::I32 { (u * 4.0).floor() } else { low + (high - low) * u }
        });
        out.parameters.insert((role, name.to_string()), value);
    }
    out
}
