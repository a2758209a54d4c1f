//! Every kernel against its plain twin, over odd sizes, single elements and tails.
#![allow(clippy::unwrap_used, missing_docs)]

use nnc_kernels::{
    Access, Arg, ArgMax, BinaryOp, Code, Copy, Dot, Fold, Gather, Instr, LANES, Load, Matrix, MicroOp, Op,
    Place, Pool, Program, Real, Reduce, Scalar, ScatterAdd, Space, Store, UnaryOp, Zero,
};

const SIZES: [usize; 12] = [1, 2, 3, 4, 5, 7, 15, 16, 17, 31, 33, 64];

struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn size(&mut self) -> usize {
        SIZES[self.below(SIZES.len())]
    }

    fn values<T: Real>(&mut self, n: usize) -> Vec<T> {
        (0..n).map(|_| T::of(self.below(2001) as f64 / 500.0 - 2.0)).collect()
    }
}

fn arena(offset: usize) -> Place {
    Place { space: Space::ARENA, offset }
}

/// Runs one instruction on some memory with one and with two threads; both must give the same bits.
fn run<T: Real>(instr: Instr, memory: &[T]) -> Vec<T> {
    let mut results = [1usize, 2].map(|threads| {
        let mut memory = memory.to_vec();
        let mut code = Code::<T>::new(vec![instr.clone()], memory.len(), 0, threads).unwrap();
        code.run(0..1, &mut memory, &mut [], &Pool::new(threads), (1, 1));
        memory
    });
    let two = std::mem::take(&mut results[1]);
    let same = results[0].iter().zip(&two).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()));
    assert!(same, "threads change bits of {instr:?}");
    two
}

fn close<T: Real>(got: &[T], want: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let g = g.wide();
        let near = g == *w || (g.is_nan() && w.is_nan()) || (g - w).abs() <= tolerance * w.abs().max(1.0);
        assert!(near, "{what} [{i}]: {g}, not {w}");
    }
}

fn tolerance<T: Real>() -> f64 {
    if size_of::<T>() == 4 { 1e-5 } else { 1e-12 }
}

fn dots<T: Real>() {
    let mut n = Numbers(1);
    for case in 0..600 {
        // Some beyond the own loops, few large enough for several tasks.
        let scale = if case % 50 == 0 { 5 } else { 1 };
        let (m, k, nn) = (n.size() * scale, n.size() * scale, n.size() * scale);
        let batch = if case % 3 == 0 { 1 + n.below(3) } else { 1 };
        let spread = 1 + n.below(2);
        let layout = |rows: usize, columns: usize, flip: bool| {
            let s = spread as isize;
            if flip { (s, rows as isize * s) } else { (columns as isize * s, s) }
        };
        let ((ar, ac), (br, bc)) = (layout(m, k, n.below(2) == 0), layout(k, nn, n.below(2) == 0));
        let (size_a, size_b, size_c) = (m * k * spread, k * nn * spread, m * nn);
        let (at, bt) = (batch * size_c, batch * (size_c + size_a));
        let memory: Vec<T> = n.values(batch * (size_a + size_b + size_c));
        let dot = Dot {
            m,
            k,
            n: nn,
            a: Matrix { place: arena(at), row: ar, column: ac },
            b: Matrix { place: arena(bt), row: br, column: bc },
            c: arena(0),
            batch: if batch == 1 { vec![] } else { vec![(batch, size_a as isize, size_b as isize)] },
        };
        let got = run(Instr::Dot(dot), &memory);
        let mut want = Vec::new();
        for q in 0..batch {
            for i in 0..m {
                for j in 0..nn {
                    let term = |p: usize| {
                        let a = at + q * size_a + i * ar as usize + p * ac as usize;
                        let b = bt + q * size_b + p * br as usize + j * bc as usize;
                        memory[a].wide() * memory[b].wide()
                    };
                    want.push((0..k).map(term).sum::<f64>());
                }
            }
        }
        close(&got[..want.len()], &want, tolerance::<T>() * k as f64, &format!("{m}x{k}x{nn}"));
    }
}

#[test]
fn dot() {
    dots::<f32>();
    dots::<f64>();
}

fn folds<T: Real>() {
    let mut n = Numbers(2);
    for case in 0..400 {
        let outer = if case % 2 == 0 { 1 } else { n.size() };
        let inner = if case % 3 == 0 { 1 } else { n.size() * (1 + n.below(3)) };
        let fold_size = if case % 20 == 0 { n.size() * 200 } else { n.size() };
        let fold = [Fold::Add, Fold::Maximum, Fold::Minimum][n.below(3)];
        let mut memory: Vec<T> = n.values(outer * inner * (fold_size + 1));
        if case % 7 == 0 {
            let at = n.below(memory.len());
            memory[at] = T::of(f64::NAN);
        }
        let from = outer * inner;
        let reduce = Reduce { fold, outer, fold_size, inner, from: arena(from), to: arena(0) };
        let got = run(Instr::Reduce(reduce), &memory);
        let argmax = ArgMax { outer, fold_size, inner, from: arena(from), to: arena(0) };
        let best = run(Instr::ArgMax(argmax), &memory);
        let (mut want, mut want_best) = (Vec::new(), Vec::new());
        for o in 0..outer {
            for i in 0..inner {
                let values: Vec<f64> =
                    (0..fold_size).map(|r| memory[from + (o * fold_size + r) * inner + i].wide()).collect();
                let nan = values.iter().any(|v| v.is_nan());
                let folded = match fold {
                    Fold::Add => values.iter().sum(),
                    _ if nan => f64::NAN,
                    Fold::Maximum => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                    Fold::Minimum => values.iter().copied().fold(f64::INFINITY, f64::min),
                };
                want.push(folded);
                let top = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                want_best.push(values.iter().position(|&v| v == top).unwrap_or(0) as f64);
            }
        }
        let what = format!("{fold:?} {outer}x[{fold_size}]x{inner}");
        close(&got[..want.len()], &want, tolerance::<T>() * 10.0, &what);
        close(&best[..want.len()], &want_best, 0.0, &what);
    }
}

#[test]
fn reduce() {
    folds::<f32>();
    folds::<f64>();
}

/// Folds that are cut into chunks, with tails.
#[test]
fn long_folds() {
    let mut n = Numbers(7);
    for (outer, fold_size, inner) in
        [(1, 300_001, 1), (2, 140_000, 1), (1, 86_528, 32), (1, 70_000, 3), (2, 9_000, 70), (1, 3_000, 200)]
    {
        let memory: Vec<f64> = n.values(outer * inner * (fold_size + 1));
        let from = outer * inner;
        for fold in [Fold::Add, Fold::Maximum] {
            let reduce = Reduce { fold, outer, fold_size, inner, from: arena(from), to: arena(0) };
            let got = run(Instr::Reduce(reduce), &memory);
            let column =
                |o: usize, i: usize| (0..fold_size).map(move |r| from + (o * fold_size + r) * inner + i);
            for o in 0..outer {
                for i in 0..inner {
                    let values = column(o, i).map(|at| memory[at]);
                    let want =
                        if fold == Fold::Add { values.sum::<f64>() } else { values.fold(f64::MIN, f64::max) };
                    assert!(
                        (got[o * inner + i] - want).abs() < 1e-8,
                        "{fold:?} {outer}x[{fold_size}]x{inner}"
                    );
                }
            }
        }
    }
}

#[test]
fn copy() {
    let mut n = Numbers(3);
    for _ in 0..300 {
        let rank = n.below(4);
        let dims: Vec<usize> = (0..rank).map(|_| n.size().min(20)).collect();
        let count: usize = dims.iter().product();
        let mut order: Vec<usize> = (0..rank).collect();
        order.reverse();
        let mut strides = vec![0isize; rank];
        let mut step = 1;
        for &axis in &order {
            strides[axis] = step;
            step *= dims[axis] as isize;
        }
        let mut dense = vec![1isize; rank];
        for i in (1..rank).rev() {
            dense[i - 1] = dense[i] * dims[i] as isize;
        }
        // Sometimes one axis backwards.
        let mut first = count;
        if rank > 0 && n.below(2) == 0 {
            first += (dims[0] - 1) * strides[0] as usize;
            strides[0] = -strides[0];
        }
        let memory: Vec<f32> = n.values(2 * count);
        let all = (0..rank).map(|i| (dims[i], strides[i], dense[i])).collect();
        let got = run(Instr::Copy(Copy { dims: all, from: arena(first), to: arena(0) }), &memory);
        for (i, value) in got[..count].iter().enumerate() {
            let (mut rest, mut at) = (i, first as isize);
            for axis in (0..rank).rev() {
                at += (rest % dims[axis]) as isize * strides[axis];
                rest /= dims[axis];
            }
            assert_eq!(*value, memory[at as usize]);
        }
    }
}

#[test]
fn rows_by_number() {
    let mut n = Numbers(4);
    for _ in 0..200 {
        let (rows, width, count) = (n.size(), n.size(), n.size());
        let mut memory: Vec<f64> = n.values(rows * width + count * width + count);
        let index = rows * width + count * width;
        for i in 0..count {
            memory[index + i] = n.below(rows + 2) as f64 - 1.0;
        }
        let row_of = |i: usize| {
            let r = memory[index + i];
            (r >= 0.0 && r < rows as f64).then_some(r as usize)
        };
        let gather =
            Gather { table: arena(0), rows, width, index: arena(index), count, to: arena(rows * width) };
        let got = run(Instr::Gather(gather), &memory);
        let mut sums = vec![0.0; rows * width];
        for i in 0..count {
            for w in 0..width {
                let want = row_of(i).map_or(0.0, |r| memory[r * width + w]);
                assert_eq!(got[rows * width + i * width + w], want);
                if let Some(r) = row_of(i) {
                    sums[r * width + w] += memory[rows * width + i * width + w];
                }
            }
        }
        let scatter =
            ScatterAdd { index: arena(index), count, from: arena(rows * width), width, to: arena(0), rows };
        let got = run(Instr::ScatterAdd(scatter), &memory);
        assert_eq!(got[..rows * width], sums);
    }
}

/// A program of every function, in tiles and for one number at a time in double precision, on `a` (linear) and `b` (linear, a row, a column or a number).
fn tiles<T: Real>() {
    let mut n = Numbers(5);
    for (case, count) in
        [1usize, 2, 15, 16, 17, 100, 1024, 1025, 3000, 40_000].into_iter().cycle().take(60).enumerate()
    {
        let padded = count.next_multiple_of(LANES);
        let memory: Vec<T> = n.values(3 * padded + LANES);
        let (columns, number) = ([1, 2, 4, 5, 25][n.below(5)], case % 4 == 0);
        let even = count % columns == 0 && count > 1;
        let access = match case % 3 {
            0 if even => Access { dims: vec![(count / columns, 0), (columns, 1)] },
            1 if even => Access { dims: vec![(count / columns, 1), (columns, 0)] },
            _ => Access::linear(),
        };
        let b_of = |i: usize| match case % 3 {
            _ if number => memory[padded].wide(),
            0 if even => memory[padded + i % columns].wide(),
            1 if even => memory[padded + i / columns].wide(),
            _ => memory[padded + i].wide(),
        };
        let b = if number { Arg::Scalar(0) } else { Arg::Slot(1) };
        let program = |op: Op, c: Arg| Program {
            count,
            registers: 0,
            loads: vec![
                Load { place: arena(0), access: Access::linear() },
                Load { place: arena(padded), access: access.clone() },
            ],
            outputs: vec![arena(2 * padded).into()],
            scalars: vec![Scalar::At(arena(padded))],
            ops: vec![MicroOp { op, to: 2, a: Arg::Slot(0), b, c }],
        };
        let check = |op: Op, c: Arg, want: &dyn Fn(usize) -> f64| {
            let got = run(Instr::Tile(program(op, c)), &memory);
            let want: Vec<f64> = (0..count).map(want).collect();
            close(
                &got[2 * padded..2 * padded + count],
                &want,
                tolerance::<T>(),
                &format!("{op:?} of {count}"),
            );
        };
        for op in UnaryOp::ALL {
            check(Op::Unary(op), Arg::None, &|i| op.of(memory[i].wide()));
        }
        for op in BinaryOp::ALL {
            check(Op::Binary(op), Arg::None, &|i| op.of(memory[i].wide(), b_of(i)));
        }
        let a_of = |i: usize| memory[i].wide();
        check(Op::Select, Arg::Slot(0), &|i| if a_of(i) == 0.0 { b_of(i) } else { a_of(i) });
        check(Op::Counter { repeat: 3, modulo: 7 }, Arg::None, &|i| (i / 3 % 7) as f64);
    }
}

#[test]
fn tile() {
    tiles::<f32>();
    tiles::<f64>();
}

/// Doubles and squares of `count` numbers, each at places of its own in memory that holds -1.
fn scattered<T: Real>(count: usize, accesses: [(usize, Vec<(usize, isize)>); 2]) {
    let padded = count.next_multiple_of(LANES);
    let memory: Vec<T> =
        (0..padded * 6).map(|i| T::of(if i < padded { (i % 1000) as f64 } else { -1.0 })).collect();
    let [double, square] =
        accesses.clone().map(|(at, dims)| Store { place: arena(padded + at), access: Access { dims } });
    let op = |op, to, a, b| MicroOp { op, to, a, b, c: Arg::None };
    let program = Program {
        count,
        registers: 0,
        loads: vec![Load { place: arena(0), access: Access::linear() }],
        outputs: vec![double, square],
        scalars: vec![],
        ops: vec![
            op(Op::Binary(BinaryOp::Add), 1, Arg::Slot(0), Arg::Slot(0)),
            op(Op::Unary(UnaryOp::Square), 2, Arg::Slot(0), Arg::None),
        ],
    };
    let mut want: Vec<f64> = memory.iter().map(|x| x.wide()).collect();
    for (k, (at, dims)) in accesses.iter().enumerate() {
        for i in 0..count {
            let (mut rest, mut place) = (i, (padded + at) as isize);
            for &(n, stride) in dims.iter().rev() {
                place += (rest % n) as isize * stride;
                rest /= n;
            }
            let x = (i % 1000) as f64;
            want[place as usize] = if k == 0 { 2.0 * x } else { x * x };
        }
    }
    close(&run(Instr::Tile(program), &memory), &want, 0.0, "scattered");
}

#[test]
fn outputs_at_strided_places() {
    for (rows, width) in [(3, 5), (32, 128), (700, 16), (1, 7)] {
        let (n, w) = (rows * width, width as isize);
        let beside = |at| (at, vec![(rows, 2 * w), (width, 1)]);
        scattered::<f32>(n, [beside(0), beside(width)]);
        scattered::<f64>(n, [beside(width), beside(0)]);
        // One behind the other without a gap, every other element, and transposed.
        scattered::<f32>(n, [(0, vec![(n, 1)]), (n, vec![(n, 1)])]);
        scattered::<f32>(n, [(1, vec![(n, 2)]), (0, vec![(n, 2)])]);
        let turned = |at| (at, vec![(rows, 1), (width, rows as isize)]);
        scattered::<f64>(n, [turned(0), turned(n)]);
    }
}

#[test]
fn outputs_at_the_same_place_are_refused() {
    let op = |to, a| MicroOp { op: Op::Unary(UnaryOp::Copy), to, a, b: Arg::None, c: Arg::None };
    let refused = |first: Vec<(usize, isize)>, second: (usize, Vec<(usize, isize)>)| {
        let store = |at, dims| Store { place: arena(at), access: Access { dims } };
        let program = Program {
            count: 12,
            registers: 0,
            loads: vec![Load { place: arena(0), access: Access::linear() }],
            outputs: vec![store(16, first), store(second.0, second.1)],
            scalars: vec![],
            ops: vec![op(1, Arg::Slot(0)), op(2, Arg::Slot(0))],
        };
        Code::<f32>::new(vec![Instr::Tile(program)], 64, 0, 1).is_err()
    };
    let wide = |stride| vec![(3, stride), (4, 1)];
    assert!(!refused(wide(8), (20, wide(8))));
    assert!(!refused(wide(8), (40, wide(8))));
    assert!(!refused(wide(8), (28, wide(8))));
    for at in [16, 19, 21, 23, 24, 31] {
        assert!(refused(wide(8), (at, wide(8))), "{at}");
    }
    // An element twice, another size, beyond the memory, over what is read, by other strides.
    assert!(refused(vec![(12, 0)], (40, wide(8))));
    assert!(refused(wide(3), (40, wide(8))));
    assert!(refused(vec![(2, 8), (4, 1)], (40, wide(8))));
    assert!(refused(wide(8), (45, wide(8))));
    assert!(refused(wide(8), (12, wide(8))));
    assert!(refused(wide(8), (20, wide(9))));
}

#[test]
fn mistakes_are_refused() {
    let refused = |instr: Instr| Code::<f32>::new(vec![instr], 64, 0, 1).is_err();
    let dot = Dot {
        m: 4,
        k: 4,
        n: 4,
        a: Matrix { place: arena(0), row: 4, column: 1 },
        b: Matrix { place: arena(16), row: 4, column: 1 },
        c: arena(32),
        batch: vec![],
    };
    assert!(!refused(Instr::Dot(dot.clone())));
    assert!(refused(Instr::Dot(Dot { c: arena(8), ..dot.clone() })));
    assert!(refused(Instr::Dot(Dot { c: arena(56), ..dot.clone() })));
    assert!(refused(Instr::Dot(Dot { batch: vec![(9, 1, 1)], ..dot.clone() })));
    let backwards = Matrix { row: -4, ..dot.a };
    assert!(refused(Instr::Dot(Dot { a: backwards, ..dot })));
    assert!(refused(Instr::Zero(Zero { to: arena(60), count: 5 })));
    assert!(refused(Instr::Zero(Zero { to: Place { space: Space::STORE, offset: 0 }, count: 1 })));
    let load = |offset| Load { place: arena(offset), access: Access::linear() };
    let op = |to, a| MicroOp { op: Op::Unary(UnaryOp::Copy), to, a, b: Arg::None, c: Arg::None };
    let program = Program {
        count: 16,
        registers: 1,
        loads: vec![load(0)],
        outputs: vec![arena(16).into()],
        scalars: vec![],
        ops: vec![op(2, Arg::Slot(1))],
    };
    assert!(!refused(Instr::Tile(program.clone())));
    let with = |f: &dyn Fn(&mut Program)| {
        let mut p = program.clone();
        f(&mut p);
        refused(Instr::Tile(p))
    };
    assert!(with(&|p| p.ops[0].to = 1));
    assert!(with(&|p| p.ops[0].to = 3));
    assert!(with(&|p| p.ops[0].a = Arg::Slot(2)));
    assert!(with(&|p| p.ops[0].a = Arg::Scalar(0)));
    assert!(with(&|p| p.ops[0].a = Arg::None));
    assert!(with(&|p| p.outputs[0] = arena(8).into()));
    assert!(with(&|p| p.outputs[0] = arena(0).into()));
    assert!(with(&|p| p.loads[0].access = Access { dims: vec![(15, 1)] }));
    assert!(with(&|p| p.scalars.push(Scalar::At(arena(17)))));
    // In place through a register is fine.
    assert!(!with(&|p| {
        p.outputs[0] = arena(0).into();
        p.ops = vec![op(0, Arg::Slot(1)), op(2, Arg::Slot(0))];
    }));
}
