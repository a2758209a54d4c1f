//! What a step of a recurrent network does, in a loop: products with the same right operand, activations of
//! strided slices. GFLOP/s and elements per nanosecond with one thread and two, beside the peak of a core.
//!
//! `cargo bench -p nnc-kernels --bench recurrent`
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use nnc_kernels::{
    Access, Arg, BinaryOp, Code, Cursor, Dot, Instr, Load, Loop, Matrix, MicroOp, Op, Place, Pool, Program,
    Space, UnaryOp,
};
use std::time::Instant;

/// Steps of the loop.
const LENGTH: usize = 64;

fn arena(offset: usize) -> Place {
    Place { space: Space::ARENA, offset }
}

/// The best time of one iteration with one thread and with two.
fn time(body: Vec<Instr>, cursors: Vec<Cursor>, memory: usize) -> [f64; 2] {
    let l = Loop { length: LENGTH, reverse: false, cursors, body };
    let mut memory: Vec<f32> = (0..memory).map(|i| ((i * 7919) % 1013) as f32 / 1013.0 - 0.5).collect();
    let mut code = Code::<f32>::new(vec![Instr::Loop(l)], memory.len(), 0, 2).unwrap();
    [Pool::new(1), Pool::new(2)].map(|pool| {
        let mut best = f64::MAX;
        for _ in 0..20 {
            let start = Instant::now();
            for _ in 0..10 {
                code.run(0..1, &mut memory, &mut [], &pool, (0, 0));
            }
            best = best.min(start.elapsed().as_secs_f64() / (10 * LENGTH) as f64);
        }
        best
    })
}

/// Multiplications and additions of a core per second: chains of fused multiplications in registers.
#[inline(never)]
fn peak() -> f64 {
    let m = if is_x86_feature_detected!("fma") { fused() } else { 0.0 };
    m / 1e9
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn chains(n: usize, x: f32, y: f32) -> f32 {
    let mut sums = [[1.0f32; 8]; 12];
    for _ in 0..n {
        for sum in &mut sums {
            for v in sum {
                *v = v.mul_add(x, y);
            }
        }
    }
    sums.as_flattened().iter().sum()
}

fn fused() -> f64 {
    let n = 10_000_000;
    let mut best = f64::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        // SAFETY: the caller looked for these instructions.
        #[allow(unsafe_code)]
        let sum = unsafe { chains(std::hint::black_box(n), std::hint::black_box(0.5), 1.0) };
        std::hint::black_box(sum);
        best = best.min(start.elapsed().as_secs_f64());
    }
    (2 * 12 * 8 * n) as f64 / best
}

fn main() {
    println!("peak of a core {:.1} GFLOP/s", peak());
    println!("{:>5} {:>5} {:>5}           {:>8} {:>8}", "m", "k", "n", "1", "2");
    for (m, k, n) in [(32, 128, 512), (32, 512, 128), (64, 128, 512), (64, 512, 128), (32, 128, 384)] {
        for transposed in [false, true] {
            let (row, column) = if transposed { (1, k as isize) } else { (n as isize, 1) };
            let b = Matrix { place: arena(m * k + m * n), row, column };
            let a = Matrix { place: arena(0), row: k as isize, column: 1 };
            let dot = Dot { m, k, n, a, b, c: arena(m * k), batch: vec![] };
            let times = time(vec![Instr::Dot(dot)], vec![], m * k + m * n + k * n);
            let rate = times.map(|t| 2.0 * (m * k * n) as f64 / t / 1e9);
            let name = if transposed { "transposed" } else { "" };
            println!("{m:5} {k:5} {n:5} {name:>10} {:8.1} {:8.1}", rate[0], rate[1]);
        }
    }
    let (rows, width, stride) = (32, 128, 512);
    let op = |op, to, a, b| MicroOp { op, to, a, b, c: Arg::None };
    let unary = |u| vec![op(Op::Unary(u), 2, Arg::Slot(1), Arg::None)];
    let slices = |registers: usize, loads: usize, ops: Vec<MicroOp>| Program {
        count: rows * width,
        registers,
        loads: (0..loads)
            .map(|i| Load {
                place: Place { space: Space::cursor(0), offset: i * width },
                access: Access { dims: vec![(rows, stride), (width, 1)] },
            })
            .collect(),
        outputs: vec![arena(rows * stride as usize * LENGTH).into()],
        scalars: vec![],
        ops,
    };
    let gates = vec![
        op(Op::Unary(UnaryOp::Logistic), 0, Arg::Slot(2), Arg::None),
        op(Op::Unary(UnaryOp::Tanh), 1, Arg::Slot(3), Arg::None),
        op(Op::Binary(BinaryOp::Multiply), 6, Arg::Slot(0), Arg::Slot(1)),
        op(Op::Unary(UnaryOp::Logistic), 0, Arg::Slot(4), Arg::None),
        op(Op::Binary(BinaryOp::Multiply), 1, Arg::Slot(0), Arg::Slot(5)),
        op(Op::Binary(BinaryOp::Add), 0, Arg::Slot(1), Arg::Slot(6)),
        op(Op::Unary(UnaryOp::Tanh), 6, Arg::Slot(0), Arg::None),
    ];
    println!("{:>22} {:>8} {:>8} ns per 1000 elements", "", "1", "2");
    for (name, program) in [
        ("copy", slices(1, 1, unary(UnaryOp::Copy))),
        ("exp", slices(1, 1, unary(UnaryOp::Exp))),
        ("tanh", slices(1, 1, unary(UnaryOp::Tanh))),
        ("logistic", slices(1, 1, unary(UnaryOp::Logistic))),
        ("gates of an LSTM", slices(2, 4, gates)),
    ] {
        let cursor = Cursor { space: Space::cursor(0), parent: Space::ARENA, stride: rows as isize * stride };
        let memory = rows * stride as usize * LENGTH + rows * width;
        let times = time(vec![Instr::Tile(program)], vec![cursor], memory);
        let rate = times.map(|t| t * 1e9 / (rows * width) as f64 * 1e3);
        println!("{name:>22} {:8.1} {:8.1}", rate[0], rate[1]);
    }
}
