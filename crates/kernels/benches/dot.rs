//! Products side by side with matrixmultiply: GFLOP/s, one thread and two.
//!
//! `cargo bench -p nnc-kernels --bench dot`
#![allow(clippy::unwrap_used, clippy::print_stdout, unsafe_code)]

use nnc_kernels::{Code, Dot, Instr, Matrix, Place, Pool, Space};
use std::time::Instant;

/// Seconds that this thread has run: what other processes take is not in it.
fn cpu_time() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

fn main() {
    // Name, m, n, k, whether a and b are transposed.
    let shapes = [
        (1024, 1024, 1024, false, false),
        (128, 512, 784, false, false),
        (128, 256, 512, false, false),
        (784, 512, 128, true, false),
        (128, 784, 512, false, true),
        (128, 512, 256, false, true),
        (128, 10, 256, false, false),
        (256, 10, 128, true, false),
        (128, 256, 10, false, true),
        (32, 64, 64, false, false),
        (32, 64, 20, false, false),
        (64, 64, 32, true, false),
        (32, 64, 64, false, true),
        (2048, 512, 128, false, false),
        (2048, 128, 512, false, true),
        (86528, 32, 9, false, false),
        (9, 32, 86528, true, false),
        (15488, 64, 288, false, false),
        (4, 16, 2, false, false),
        (8, 512, 784, false, false),
    ];
    println!("{:>6} {:>5} {:>6}  {:>8} {:>8} {:>8}", "m", "n", "k", "ours", "mm", "ours, 2");
    for (m, n, k, ta, tb) in shapes {
        let place = |offset| Place { space: Space::ARENA, offset };
        let strides = |rows: usize, columns: usize, transposed: bool| {
            if transposed { (1, rows as isize) } else { (columns as isize, 1) }
        };
        let ((ar, ac), (br, bc)) = (strides(m, k, ta), strides(k, n, tb));
        let (at, bt) = (m * n, m * n + m * k);
        let dot = Dot {
            m,
            k,
            n,
            a: Matrix { place: place(at), row: ar, column: ac },
            b: Matrix { place: place(bt), row: br, column: bc },
            c: place(0),
            batch: vec![],
        };
        let len = bt + k * n;
        let mut memory: Vec<f32> = (0..len).map(|i| (i % 17) as f32 - 8.0).collect();
        let flops = 2.0 * (m * n * k) as f64;
        let repeats = (6e9 / flops).clamp(1.0, 4e6) as usize;
        let (mut best, mut theirs, mut both) = (f64::MAX, f64::MAX, f64::MAX);
        let pools = [Pool::new(1), Pool::new(2)];
        let mut code = Code::<f32>::new(vec![Instr::Dot(dot)], len, 0, 2).unwrap();
        for _ in 0..4 {
            for (pool, best) in pools.iter().zip([&mut best, &mut both]) {
                let (start, cpu) = (Instant::now(), cpu_time());
                for _ in 0..repeats {
                    code.run(0..1, &mut memory, &mut [], pool, (0, 0));
                }
                let alone = if pool.threads() == 1 { cpu_time() - cpu } else { f64::MAX };
                *best = best.min(alone.min(start.elapsed().as_secs_f64()));
            }
            let cpu = cpu_time();
            for _ in 0..repeats {
                let p = memory.as_mut_ptr();
                // SAFETY: the same places as above.
                unsafe {
                    let (a, b) = (p.add(at), p.add(bt));
                    matrixmultiply::sgemm(m, k, n, 1.0, a, ar, ac, b, br, bc, 0.0, p, n as isize, 1);
                }
            }
            theirs = theirs.min(cpu_time() - cpu);
        }
        let rate = |t: f64| flops * repeats as f64 / t / 1e9;
        println!("{m:6} {n:5} {k:6}  {:8.1} {:8.1} {:8.1}", rate(best), rate(theirs), rate(both));
    }
}
