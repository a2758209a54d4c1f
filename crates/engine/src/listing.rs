//! Instructions for people.

use nnc_kernels::{Arg, Geometry, Instr, Op, Program, Scalar};

/// What an instruction is.
pub(crate) fn kind(instr: &Instr) -> &'static str {
    match instr {
        Instr::Tile(_) => "tile",
        Instr::Dot(_) => "dot",
        Instr::Reduce(_) => "reduce",
        Instr::ArgMax(_) => "argmax",
        Instr::Copy(_) => "copy",
        Instr::Zero(..) => "zero",
        Instr::Gather(_) => "gather",
        Instr::ScatterAdd(_) => "scatter",
        Instr::Convolution(_) => "conv",
        Instr::ConvolutionKernel(_) => "conv_kernel",
        Instr::Window(_) => "window",
        Instr::Loop(_) => "loop",
    }
}

/// Sizes and operations.
pub(crate) fn detail(instr: &Instr) -> String {
    match instr {
        Instr::Tile(p) => format!("{}: {}", p.count, operations(p)),
        Instr::Dot(d) => {
            let batch = if d.batch.is_empty() { String::new() } else { format!("{} of ", d.matrices()) };
            format!("{batch}{}x{} . {}x{}", d.m, d.k, d.k, d.n)
        }
        Instr::Reduce(r) => format!("{:?} {}x[{}]x{}", r.fold, r.outer, r.fold_size, r.inner).to_lowercase(),
        Instr::ArgMax(r) => format!("{}x[{}]x{}", r.outer, r.fold_size, r.inner),
        Instr::Copy(c) => {
            let dims: Vec<String> = c.dims.iter().map(|d| format!("{}:{}:{}", d.0, d.1, d.2)).collect();
            format!("[{}]", dims.join(", "))
        }
        Instr::Zero(_, n) => n.to_string(),
        Instr::Gather(g) => format!("{} of {} rows of {}", g.count, g.rows, g.width),
        Instr::ScatterAdd(s) => format!("{} into {} rows of {}", s.count, s.rows, s.width),
        Instr::Convolution(c) => convolution(&c.geometry),
        Instr::ConvolutionKernel(c) => convolution(&c.geometry),
        Instr::Window(w) => {
            let v = &w.windows;
            let fold = format!("{:?}", w.fold).to_lowercase();
            format!("{fold} {}x{}, {} by {}", v.batch, times(&v.size), v.channels, times(&v.window))
        }
        Instr::Loop(l) => {
            let body: Vec<String> = l.body.iter().map(|i| format!("{} {}", kind(i), detail(i))).collect();
            let back = if l.reverse { " backwards" } else { "" };
            format!("{} times{back}: {}", l.length, body.join("; "))
        }
    }
}

/// Sizes without leading ones.
fn times(sizes: &[usize]) -> String {
    let first = sizes.iter().position(|&n| n != 1).unwrap_or(sizes.len() - 1);
    let sizes: Vec<String> = sizes[first..].iter().map(ToString::to_string).collect();
    sizes.join("x")
}

fn convolution(g: &Geometry) -> String {
    let groups = if g.groups == 1 { String::new() } else { format!(" in {} groups", g.groups) };
    format!(
        "{}x{}, {} by {} to {}, {}{groups}",
        g.batch,
        times(&g.size),
        g.channels,
        times(&g.window),
        times(&g.out),
        g.filters
    )
}

/// The operations of a program, with counts.
fn operations(p: &Program) -> String {
    let mut names: Vec<(String, usize)> = Vec::new();
    for op in &p.ops {
        let name = match op.op {
            Op::Unary(u) => format!("{u:?}").to_lowercase(),
            Op::Binary(b) => format!("{b:?}").to_lowercase(),
            Op::Select => "select".into(),
            Op::Counter { .. } => "iota".into(),
            Op::Random { normal, .. } => if normal { "normal" } else { "uniform" }.into(),
        };
        match names.iter_mut().find(|n| n.0 == name) {
            Some(known) => known.1 += 1,
            None => names.push((name, 1)),
        }
    }
    let names: Vec<String> =
        names.into_iter().map(|(n, c)| if c == 1 { n } else { format!("{n}*{c}") }).collect();
    names.join(" ")
}

/// Multiplications and additions of products.
pub(crate) fn flops(instr: &Instr) -> u64 {
    match instr {
        Instr::Dot(d) => [d.m, d.k, d.n, d.matrices()].iter().fold(2, |p, &n| p.saturating_mul(n as u64)),
        Instr::Convolution(c) => c.geometry.flops(),
        Instr::ConvolutionKernel(c) => c.geometry.flops(),
        Instr::Tile(_)
        | Instr::Reduce(_)
        | Instr::ArgMax(_)
        | Instr::Copy(_)
        | Instr::Zero(..)
        | Instr::Gather(_)
        | Instr::ScatterAdd(_)
        | Instr::Window(_) => 0,
        Instr::Loop(l) => {
            l.body.iter().map(flops).fold(0, u64::saturating_add).saturating_mul(l.length as u64)
        }
    }
}

/// Elements read and written, each operand once.
pub(crate) fn elements(instr: &Instr) -> usize {
    match instr {
        Instr::Tile(p) => {
            let read = |l: &nnc_kernels::Load| {
                let moving = l.access.dims.iter().filter(|d| d.1 != 0).map(|d| d.0);
                if l.access.is_linear() { p.count } else { moving.product() }
            };
            let scalars = p.scalars.iter().filter(|s| matches!(s, Scalar::At(_))).count();
            let used = p.ops.iter().flat_map(|o| [o.a, o.b, o.c]).any(|a| a != Arg::None);
            let loads: usize = p.loads.iter().map(read).sum();
            loads + usize::from(used) * scalars + p.outputs.len() * p.count
        }
        Instr::Dot(d) => d.matrices() * (d.m * d.k + d.k * d.n + d.m * d.n),
        Instr::Reduce(r) => r.outer * r.inner * (r.fold_size + 1),
        Instr::ArgMax(r) => r.outer * r.inner * (r.fold_size + 1),
        Instr::Copy(c) => 2 * c.dims.iter().map(|d| d.0).product::<usize>(),
        Instr::Zero(_, n) => *n,
        Instr::Gather(g) => g.count * (2 * g.width + 1),
        Instr::ScatterAdd(s) => s.count * (2 * s.width + 1) + s.rows * s.width,
        Instr::Convolution(c) => c.geometry.elements(),
        Instr::ConvolutionKernel(c) => c.geometry.elements(),
        Instr::Window(w) => w.windows.elements(),
        Instr::Loop(l) => l.body.iter().map(elements).fold(0, usize::saturating_add).saturating_mul(l.length),
    }
}
