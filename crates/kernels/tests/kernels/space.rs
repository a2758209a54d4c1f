//! Convolutions and moving windows against their plain twins.
#![allow(clippy::unwrap_used, missing_docs)]

use nnc_kernels::{
    Code, Convolution, ConvolutionKernel, Geometry, Instr, Place, Pool, Real, Space, Window, WindowFold,
    Windows,
};

struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n as u64) as usize
    }

    fn one_of(&mut self, values: &[usize]) -> usize {
        values[self.below(values.len())]
    }

    fn values<T: Real>(&mut self, n: usize) -> Vec<T> {
        (0..n).map(|_| T::of(self.below(9) as f64 / 4.0 - 1.0)).collect()
    }
}

fn arena(offset: usize) -> Place {
    Place { space: Space::ARENA, offset }
}

/// Runs one instruction with one and with two threads; both must give the same bits.
fn run<T: Real>(instr: &Instr, memory: &[T]) -> Vec<T> {
    let [one, two] = [1usize, 2].map(|threads| {
        let mut memory = memory.to_vec();
        let mut code = Code::<T>::new(vec![instr.clone()], memory.len(), 0, threads).unwrap();
        code.run(0..1, &mut memory, &mut [], &Pool::new(threads), (1, 1));
        memory
    });
    assert!(one == two, "threads change bits of {instr:?}");
    two
}

fn close<T: Real>(got: &[T], want: &[f64], what: &dyn std::fmt::Debug) {
    let tolerance = if size_of::<T>() == 4 { 1e-4 } else { 1e-11 };
    assert_eq!(got.len(), want.len());
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g.wide() - w).abs() <= tolerance * w.abs().max(1.0), "{what:?} [{i}]: {g:?}, not {w}");
    }
}

/// How many positions, when the window has any.
fn positions(size: usize, window: usize, stride: usize, pad: isize) -> Option<usize> {
    let room = size as isize + pad - window as isize;
    (room >= 0).then(|| room as usize / stride + 1)
}

fn geometry(n: &mut Numbers) -> Option<Geometry> {
    let depthwise = n.below(4) == 0;
    let groups = if depthwise { n.one_of(&[1, 5, 16, 23]) } else { n.one_of(&[1, 1, 1, 2, 4]) };
    let inner = if depthwise { 1 } else { n.one_of(&[1, 2, 3, 8, 17]) };
    let outer = if depthwise { 1 } else { n.one_of(&[1, 2, 5, 16, 17, 31, 32, 33, 64]) };
    let axes = 1 + n.below(3);
    let mut g = Geometry {
        batch: 1 + n.below(4),
        size: [1; 3],
        channels: groups * inner,
        window: [1; 3],
        out: [1; 3],
        filters: groups * outer,
        groups,
        stride: [1; 3],
        low: [0; 3],
        lhs_dilation: [1; 3],
        rhs_dilation: [1; 3],
    };
    let plain = n.below(2) == 0;
    for i in 3 - axes..3 {
        g.size[i] = n.one_of(&[1, 2, 5, 8, 13, 20][..7 - axes]);
        g.window[i] = 1 + n.below(4);
        g.stride[i] = 1 + n.below(2);
        let mut high = 0;
        if !plain {
            (g.low[i], high) = (n.below(5) as isize - 1, n.below(5) as isize - 1);
            g.lhs_dilation[i] = 1 + n.below(3);
            g.rhs_dilation[i] = 1 + n.below(2);
        }
        let size = (g.size[i] - 1) * g.lhs_dilation[i] + 1;
        let window = (g.window[i] - 1) * g.rhs_dilation[i] + 1;
        g.out[i] = positions(size, window, g.stride[i], g.low[i] + high)?;
    }
    Some(g)
}

/// Where a position and an element of a window find their number; `None` in the zeros.
fn source(p: usize, stride: usize, q: usize, low: isize, dilation: usize, size: usize) -> Option<usize> {
    let at = (p * stride + q) as isize - low;
    let found = at >= 0 && at % dilation as isize == 0 && (at as usize / dilation) < size;
    found.then_some(at as usize / dilation)
}

/// Calls `f` with the index of every product: in the input, the dense kernel, and the result.
fn pairs(g: &Geometry, mut f: impl FnMut(usize, usize, usize)) {
    let (inner, outer) = (g.channels / g.groups, g.filters / g.groups);
    let [od, oh, ow] = g.out;
    let [kd, kh, kw] = g.window;
    for b in 0..g.batch {
        for p in 0..od * oh * ow {
            let at = [p / (oh * ow), p / ow % oh, p % ow];
            for q in 0..kd * kh * kw {
                let tap = [q / (kh * kw), q / kw % kh, q % kw];
                let from = [0, 1, 2].map(|i| {
                    let q = tap[i] * g.rhs_dilation[i];
                    source(at[i], g.stride[i], q, g.low[i], g.lhs_dilation[i], g.size[i])
                });
                let [Some(d), Some(h), Some(w)] = from else { continue };
                let pixel = ((b * g.size[0] + d) * g.size[1] + h) * g.size[2] + w;
                for o in 0..g.filters {
                    for i in 0..inner {
                        let x = pixel * g.channels + o / outer * inner + i;
                        f(x, (q * inner + i) * g.filters + o, (b * od * oh * ow + p) * g.filters + o);
                    }
                }
            }
        }
    }
}

fn convolutions<T: Real>(seed: u64) {
    let mut n = Numbers(seed);
    let mut done = 0;
    while done < 150 {
        let Some(g) = geometry(&mut n) else { continue };
        done += 1;
        let [d, h, w] = g.window;
        let inner = g.channels / g.groups;
        let input = g.batch * g.size.iter().product::<usize>() * g.channels;
        let kernel = d * h * w * inner * g.filters;
        let output = g.batch * g.out.iter().product::<usize>() * g.filters;
        let memory: Vec<T> = n.values(input + kernel + output);
        let (k_at, z_at) = (input, input + kernel);
        // The kernel as it lies, or turned round in memory.
        let turned = n.below(2) == 0;
        let f = g.filters as isize;
        let i = inner as isize * f;
        let strides = [(h * w) as isize * i, w as isize * i, i, f, 1];
        let (first, strides) = if turned { (kernel - 1, strides.map(|s| -s)) } else { (0, strides) };
        let instr = Convolution {
            geometry: g.clone(),
            x: arena(0),
            kernel: arena(k_at + first),
            strides,
            z: arena(z_at),
        };
        let got = run(&Instr::Convolution(instr), &memory);
        let mut want = vec![0.0; output];
        pairs(&g, |x, k, z| {
            let k = if turned { kernel - 1 - k } else { k };
            want[z] += memory[x].wide() * memory[k_at + k].wide();
        });
        close(&got[z_at..], &want, &g);
        let instr =
            ConvolutionKernel { geometry: g.clone(), x: arena(0), g: arena(z_at), kernel: arena(k_at) };
        let got = run(&Instr::ConvolutionKernel(instr), &memory);
        let mut want = vec![0.0; kernel];
        pairs(&g, |x, k, z| want[k] += memory[x].wide() * memory[z_at + z].wide());
        close(&got[k_at..z_at], &want, &g);
    }
}

#[test]
fn convolution() {
    convolutions::<f32>(1);
    convolutions::<f64>(2);
}

fn windows<T: Real>(seed: u64) {
    let mut n = Numbers(seed);
    let mut done = 0;
    while done < 200 {
        let Some(g) = geometry(&mut n) else { continue };
        let largest = g.lhs_dilation == [1; 3];
        // Of the largest, every window has something.
        if largest && (0..3).any(|i| g.low[i] < 0 || g.low[i] >= g.window[i] as isize) {
            continue;
        }
        let w = Windows {
            batch: g.batch,
            size: g.size,
            window: g.window,
            out: g.out,
            channels: g.channels,
            stride: g.stride,
            low: g.low,
            base_dilation: g.lhs_dilation,
        };
        let reach = |i: usize| ((w.out[i] - 1) * w.stride[i]) as isize - w.low[i];
        if largest && (0..3).any(|i| reach(i) >= w.size[i] as isize) {
            continue;
        }
        done += 1;
        let c = w.channels;
        let inside = w.size.iter().product::<usize>();
        let outside = w.out.iter().product::<usize>();
        let (input, output) = (w.batch * inside * c, w.batch * outside * c);
        let memory: Vec<T> = n.values(2 * (input + output));
        let (x, y, z) = (0, input, 2 * input);
        // The elements of every window.
        let visit = |b: usize, p: usize, f: usize| -> Vec<usize> {
            let [_, oh, ow] = w.out;
            let at = [p / (oh * ow), p / ow % oh, p % ow];
            let [kd, kh, kw] = w.window;
            let mut out = Vec::new();
            for q in 0..kd * kh * kw {
                let tap = [q / (kh * kw), q / kw % kh, q % kw];
                let from = [0, 1, 2]
                    .map(|i| source(at[i], w.stride[i], tap[i], w.low[i], w.base_dilation[i], w.size[i]));
                if let [Some(d), Some(h), Some(v)] = from {
                    out.push((((b * w.size[0] + d) * w.size[1] + h) * w.size[2] + v) * c + f);
                }
            }
            out
        };
        let value = |at: usize| memory[at].wide();
        let selected = |elements: &[usize]| {
            let mut best = elements[0];
            for &e in elements {
                best = if value(x + e) > value(x + best) { e } else { best };
            }
            best
        };
        let folds: &[WindowFold] = if largest {
            &[WindowFold::Add, WindowFold::Maximum, WindowFold::Gather, WindowFold::Scatter]
        } else {
            &[WindowFold::Add]
        };
        for &fold in folds {
            // The scattered stand after all that it reads.
            let (second, to, count) = match fold {
                WindowFold::Add | WindowFold::Maximum => (None, z, output),
                WindowFold::Gather => (Some(arena(y)), z, output),
                WindowFold::Scatter => (Some(arena(z)), y, input),
            };
            let instr = Window { fold, windows: w.clone(), x: arena(x), y: second, to: arena(to) };
            let got = run(&Instr::Window(instr), &memory);
            let mut want = vec![0.0; count];
            for b in 0..w.batch {
                for p in 0..outside {
                    for f in 0..c {
                        let (elements, at) = (visit(b, p, f), (b * outside + p) * c + f);
                        match fold {
                            WindowFold::Add => want[at] = elements.iter().map(|&e| value(x + e)).sum(),
                            WindowFold::Maximum => want[at] = value(x + selected(&elements)),
                            WindowFold::Gather => want[at] = value(y + selected(&elements)),
                            WindowFold::Scatter => want[selected(&elements)] += value(z + at),
                        }
                    }
                }
            }
            close(&got[to..to + count], &want, &w);
        }
    }
}

#[test]
fn window() {
    windows::<f32>(3);
    windows::<f64>(4);
}

#[test]
fn mistakes_are_refused() {
    let g = Geometry {
        batch: 1,
        size: [1, 4, 4],
        channels: 2,
        window: [1, 3, 3],
        out: [1, 2, 2],
        filters: 1,
        groups: 1,
        stride: [1; 3],
        low: [0; 3],
        lhs_dilation: [1; 3],
        rhs_dilation: [1; 3],
    };
    let refused = |g: &Geometry, z: usize| {
        let strides = [0, 6, 2, 1, 1];
        let instr = Convolution { geometry: g.clone(), x: arena(0), kernel: arena(32), strides, z: arena(z) };
        Code::<f32>::new(vec![Instr::Convolution(instr)], 64, 0, 1).is_err()
    };
    assert!(!refused(&g, 50));
    assert!(refused(&g, 61), "the result reaches beyond memory");
    assert!(refused(&g, 49), "the result stands in the kernel");
    assert!(refused(&Geometry { groups: 3, ..g.clone() }, 50));
    assert!(refused(&Geometry { batch: 9, ..g.clone() }, 50));
    assert!(refused(&Geometry { stride: [1, 0, 1], ..g.clone() }, 50));
    assert!(refused(&Geometry { rhs_dilation: [1, usize::MAX, 1], ..g }, 50));
}
