//! Loops give the bits of the same instructions one after another, and what they reach is checked.
#![allow(clippy::unwrap_used, missing_docs)]

use nnc_kernels::{
    Access, Arg, BinaryOp, Code, Copy, Cursor, Dot, Fold, Instr, LANES, Load, Loop, Matrix, MicroOp, Op,
    Place, Pool, Program, Reduce, Scalar, Space, UnaryOp, Zero,
};

fn at(space: Space, offset: usize) -> Place {
    Place { space, offset }
}

fn arena(offset: usize) -> Place {
    at(Space::ARENA, offset)
}

/// The instructions of a loop one after another, every place where it is in its iteration.
fn unroll(instrs: &[Instr], bases: &[(Space, Space, isize)]) -> Vec<Instr> {
    let mut out = Vec::new();
    for instr in instrs {
        if let Instr::Loop(l) = instr {
            for i in 0..l.length {
                let t = if l.reverse { l.length - 1 - i } else { i } as isize;
                let mut bases = bases.to_vec();
                bases.extend(l.cursors.iter().map(|c| (c.space, c.parent, t * c.stride)));
                out.extend(unroll(&l.body, &bases));
            }
        } else {
            let fixed = |place: &Place| {
                let mut place = *place;
                while let Some(&(_, parent, by)) = bases.iter().find(|b| b.0 == place.space) {
                    place = at(parent, place.offset.checked_add_signed(by).unwrap());
                }
                place
            };
            let flat = instr.map(&mut |place| fixed(place));
            // Programs whose last lanes are not whole leave what stands behind a moving tensor alone, and only
            // there: one iteration, without a step, in the place of each.
            let ragged = matches!(instr, Instr::Tile(p) if !p.count.is_multiple_of(LANES));
            if ragged && instr.places().iter().any(|p| p.space.moves()) {
                let space = Space::cursor(0);
                let still = instr.map(&mut |place| {
                    let to = fixed(place);
                    if place.space.moves() { at(space, to.offset) } else { to }
                });
                let cursors = vec![Cursor { space, parent: Space::ARENA, stride: 0 }];
                out.push(Instr::Loop(Loop { length: 1, reverse: false, cursors, body: vec![still] }));
            } else {
                out.push(flat);
            }
        }
    }
    out
}

fn memory(len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7919) % 1013) as f32 / 1013.0 - 0.5).collect()
}

fn run(instrs: &[Instr], arena: usize, store: usize, threads: usize) -> Vec<u32> {
    let (mut arena, mut store) = (memory(arena), memory(store));
    let mut code = Code::<f32>::new(instrs.to_vec(), arena.len(), store.len(), threads).unwrap();
    let pool = Pool::new(threads);
    for step in 0..3 {
        code.run(0..instrs.len(), &mut arena, &mut store, &pool, (1, step));
    }
    arena.iter().chain(&store).map(|v| v.to_bits()).collect()
}

fn same(instrs: &[Instr], arena: usize, store: usize) {
    let flat = unroll(instrs, &[]);
    let want = run(&flat, arena, store, 1);
    for threads in [1, 3] {
        assert!(run(instrs, arena, store, threads) == want, "{threads} threads: {instrs:?}");
    }
}

fn op(op: Op, to: u16, a: Arg, b: Arg) -> MicroOp {
    MicroOp { op, to, a, b, c: Arg::None }
}

/// `h = tanh(x[t] + h @ w)`, in place, `y[t] = h` and a mean of every step; `rows` of `width`.
fn recurrent(rows: usize, width: usize, length: usize, reverse: bool) -> (Vec<Instr>, usize, usize) {
    let count = rows * width;
    let padded = count.next_multiple_of(LANES);
    let (x, y) = (Space::cursor(0), Space::cursor(1));
    // Arena: h, the product, a counter, the steps' means, then x and y batch by batch.
    let (h, product, number, means) = (arena(0), arena(padded), 2 * padded, 2 * padded + LANES);
    let xs = means + length.next_multiple_of(LANES);
    let ys = xs + (count * length).next_multiple_of(LANES);
    let (place_x, place_y) = (at(x, xs), at(y, ys));
    let w = Matrix { place: at(Space::STORE, 0), row: width as isize, column: 1 };
    let a = Matrix { place: h, row: width as isize, column: 1 };
    let dot = Dot { m: rows, k: width, n: width, a, b: w, c: product, batch: vec![] };
    // A step is a slice of every row of x: neighbours in time are neighbours in memory.
    let strided = Access { dims: vec![(rows, (length * width) as isize), (width, 1)] };
    let tile = Program {
        count,
        registers: 2,
        loads: vec![
            Load { place: place_x, access: strided },
            Load { place: product, access: Access::linear() },
            Load { place: h, access: Access::linear() },
        ],
        outputs: vec![h.into(), place_y.into()],
        scalars: vec![Scalar::At(arena(number))],
        ops: vec![
            op(Op::Binary(BinaryOp::Add), 0, Arg::Slot(2), Arg::Slot(3)),
            op(Op::Random { normal: false, site: 5 }, 1, Arg::Scalar(0), Arg::None),
            op(Op::Binary(BinaryOp::Multiply), 6, Arg::Slot(0), Arg::Slot(1)),
            op(Op::Binary(BinaryOp::Add), 0, Arg::Slot(6), Arg::Slot(4)),
            op(Op::Unary(UnaryOp::Tanh), 5, Arg::Slot(0), Arg::None),
            op(Op::Unary(UnaryOp::Tanh), 6, Arg::Slot(0), Arg::None),
        ],
    };
    let mean = Reduce {
        fold: Fold::Add,
        outer: 1,
        fold_size: count,
        inner: 1,
        from: place_y,
        to: at(Space::cursor(2), means),
    };
    let counted = Program {
        count: 1,
        registers: 1,
        loads: vec![Load { place: arena(number), access: Access::linear() }],
        outputs: vec![arena(number).into()],
        scalars: vec![Scalar::Constant(1.0)],
        ops: vec![
            op(Op::Binary(BinaryOp::Add), 0, Arg::Slot(1), Arg::Scalar(0)),
            op(Op::Unary(UnaryOp::Copy), 2, Arg::Slot(0), Arg::None),
        ],
    };
    let cursor = |space, stride| Cursor { space, parent: Space::ARENA, stride };
    let l = Loop {
        length,
        reverse,
        cursors: vec![cursor(x, width as isize), cursor(y, count as isize), cursor(Space::cursor(2), 1)],
        body: vec![Instr::Dot(dot), Instr::Tile(tile), Instr::Reduce(mean), Instr::Tile(counted)],
    };
    let zero = vec![Instr::Zero(Zero { to: arena(number), count: 1 }), Instr::Loop(l)];
    (zero, ys + (count * length).next_multiple_of(LANES) + LANES, width * width)
}

#[test]
fn a_loop_has_the_bits_of_its_iterations() {
    for (rows, width, length) in [(4, 16, 5), (3, 5, 7), (1, 1, 4), (40, 96, 6), (70, 129, 3)] {
        for reverse in [false, true] {
            let (instrs, arena, store) = recurrent(rows, width, length, reverse);
            same(&instrs, arena, store);
        }
    }
}

/// A random number drawn in a loop is another one in every iteration, and depends on what keys it.
#[test]
fn random_numbers_are_keyed_by_the_iteration() {
    let draw = |key| Program::<Place> {
        count: 16,
        outputs: vec![at(Space::cursor(1), 16).into()],
        scalars: vec![Scalar::At(at(Space::cursor(0), 0))],
        ops: vec![op(Op::Random { normal: true, site: 9 }, 0, key, Arg::None)],
        ..Program::default()
    };
    let cursor = |space, stride| Cursor { space, parent: Space::ARENA, stride };
    let drawn = |key| {
        let l = Loop {
            length: 4,
            reverse: false,
            cursors: vec![cursor(Space::cursor(0), 1), cursor(Space::cursor(1), 16)],
            body: vec![Instr::Tile(draw(key))],
        };
        let mut memory = vec![0.0f64; 96];
        memory[..4].copy_from_slice(&[0.0, 1.0, 2.0, 1.0]);
        let mut code = Code::new(vec![Instr::Loop(l)], 96, 0, 1).unwrap();
        code.run(0..1, &mut memory, &mut [], &Pool::new(1), (1, 1));
        memory[16..80].chunks(16).map(<[f64]>::to_vec).collect::<Vec<_>>()
    };
    let keyed = drawn(Arg::Scalar(0));
    assert_eq!(keyed[1], keyed[3]);
    assert!(keyed[0] != keyed[1] && keyed[1] != keyed[2] && keyed[0] != keyed[2]);
    let plain = drawn(Arg::None);
    assert!(plain.iter().all(|p| *p == plain[0]) && plain[0] != keyed[0]);
}

/// The outer loop goes over matrices, the inner one over their rows, backwards.
fn nested() -> Loop {
    let (matrix, row, number) = (Space::cursor(0), Space::cursor(1), Space::cursor(2));
    let add = Program {
        count: 6,
        registers: 0,
        loads: vec![
            Load { place: at(row, 0), access: Access::linear() },
            Load { place: at(row, 6), access: Access::linear() },
        ],
        outputs: vec![at(row, 160).into()],
        scalars: vec![Scalar::At(at(number, 400))],
        ops: vec![op(Op::Binary(BinaryOp::Add), 2, Arg::Slot(0), Arg::Slot(1))],
    };
    let copy = Copy { dims: vec![(2, 3, 1)], from: at(row, 160), to: at(number, 400) };
    let inner = Loop {
        length: 3,
        reverse: true,
        cursors: vec![
            Cursor { space: row, parent: matrix, stride: 6 },
            Cursor { space: number, parent: Space::ARENA, stride: 8 },
        ],
        body: vec![Instr::Tile(add), Instr::Copy(copy)],
    };
    Loop {
        length: 5,
        reverse: false,
        cursors: vec![Cursor { space: matrix, parent: Space::ARENA, stride: 24 }],
        body: vec![
            Instr::Zero(Zero { to: at(matrix, 160), count: 18 }),
            Instr::Loop(inner.clone()),
            Instr::Loop(inner),
        ],
    }
}

#[test]
fn loops_within_loops() {
    same(&[Instr::Loop(nested())], 448, 0);
}

/// Right operands that are the same in all iterations of a loop are packed before it; these change in some loop: by
/// being written, or by moving.
#[test]
fn right_operands_that_change() {
    const N: usize = 24;
    let size = N * N;
    let matrix = |place, column| Matrix { place, row: N as isize, column };
    let dot = |b: Matrix, c: Place| {
        let a = matrix(arena(0), 1);
        Instr::Dot(Dot { m: N, k: N, n: N, a, b, c, batch: vec![] })
    };
    let copy = |from, to| Instr::Copy(Copy { dims: vec![(size, 1, 1)], from, to });
    let around = |length, cursors, body| Instr::Loop(Loop { length, reverse: false, cursors, body });
    // b = a @ b, and the same with the copy in an inner loop.
    let carried = [dot(matrix(arena(size), 1), arena(2 * size)), copy(arena(2 * size), arena(size))];
    same(&[around(6, vec![], carried.to_vec())], 8 * size, 0);
    let [product, back] = carried;
    let inner = around(5, vec![], vec![product, dot(matrix(arena(size), 1), arena(3 * size))]);
    same(&[around(4, vec![], vec![inner.clone(), back.clone()])], 8 * size, 0);
    same(&[around(4, vec![], vec![back, inner])], 8 * size, 0);
    // The outer loop moves b; the inner one does not.
    let outer = Space::cursor(0);
    let cursors = vec![Cursor { space: outer, parent: Space::ARENA, stride: size as isize }];
    let inner = around(4, vec![], vec![dot(matrix(at(outer, 4 * size), 1), arena(size))]);
    same(&[around(4, cursors, vec![inner, copy(arena(size), arena(2 * size))])], 8 * size, 0);
}

#[test]
fn mistakes_are_refused() {
    let refused = |l: Loop| Code::<f32>::new(vec![Instr::Loop(l)], 64, 0, 1).is_err();
    let cursor = |stride| Cursor { space: Space::cursor(0), parent: Space::ARENA, stride };
    let zeros = |length, stride, offset| Loop {
        length,
        reverse: false,
        cursors: vec![cursor(stride)],
        body: vec![Instr::Zero(Zero { to: at(Space::cursor(0), offset), count: 4 })],
    };
    assert!(!refused(zeros(16, 4, 0)));
    assert!(refused(zeros(17, 4, 0)));
    assert!(refused(zeros(16, 4, 1)));
    assert!(!refused(zeros(16, -4, 60)));
    assert!(refused(zeros(16, -4, 59)));
    assert!(refused(zeros(usize::MAX, 4, 0)));
    assert!(refused(zeros(3, isize::MAX, 0)));
    // What never runs touches nothing.
    assert!(!refused(zeros(0, 4, 100)));
    let with = |f: &dyn Fn(&mut Loop)| {
        let mut l = zeros(2, 4, 0);
        f(&mut l);
        refused(l)
    };
    assert!(!with(&|_| {}));
    assert!(with(&|l| l.cursors.clear()));
    assert!(with(&|l| l.cursors[0].space = Space::cursor(1)));
    assert!(with(&|l| l.cursors[0].space = Space::ARENA));
    assert!(with(&|l| l.cursors[0].parent = Space::cursor(0)));
    assert!(with(&|l| l.cursors.push(l.cursors[0])));
    assert!(with(&|l| l.body = vec![Instr::Loop(l.clone())]));
    // A cursor is gone after its loop.
    let after =
        vec![Instr::Loop(zeros(2, 4, 0)), Instr::Zero(Zero { to: at(Space::cursor(0), 0), count: 1 })];
    assert!(Code::<f32>::new(after, 64, 0, 1).is_err());

    // The same cursor: compared where it stands. Another one, or none: whatever it passes over.
    let copy = |from, to, other: isize| Loop {
        length: 4,
        reverse: false,
        cursors: vec![cursor(4), Cursor { space: Space::cursor(1), parent: Space::ARENA, stride: other }],
        body: vec![Instr::Copy(Copy { dims: vec![(4, 1, 1)], from, to })],
    };
    let moving = |offset| at(Space::cursor(0), offset);
    assert!(!refused(copy(moving(0), moving(4), 0)));
    assert!(refused(copy(moving(0), moving(3), 0)));
    assert!(!refused(copy(moving(0), at(Space::cursor(1), 16), 4)));
    assert!(refused(copy(moving(0), at(Space::cursor(1), 15), 4)));
    assert!(!refused(copy(moving(0), at(Space::cursor(1), 28), -4)));
    assert!(refused(copy(moving(0), at(Space::cursor(1), 27), -4)));
    assert!(refused(copy(moving(0), arena(8), 0)));
    assert!(!refused(copy(moving(0), arena(16), 0)));

    let tile = |from: Place, to: Place| Loop {
        length: 4,
        reverse: false,
        cursors: vec![cursor(3)],
        body: vec![Instr::Tile(Program {
            count: 3,
            registers: 0,
            loads: vec![Load { place: from, access: Access::linear() }],
            outputs: vec![to.into()],
            scalars: vec![],
            ops: vec![op(Op::Unary(UnaryOp::Copy), 1, Arg::Slot(0), Arg::None)],
        })],
    };
    // Moving tensors are touched exactly, so the last one may end where memory ends.
    assert!(!refused(tile(moving(52), arena(0))));
    assert!(refused(tile(moving(53), arena(0))));
    assert!(refused(tile(moving(4), arena(0))));
    assert!(!refused(tile(arena(0), moving(16))));
    assert!(refused(tile(arena(0), moving(15))));
    assert!(!refused(tile(moving(0), moving(3))));
    assert!(refused(tile(moving(0), moving(2))));
}
