//! Programs with loops, generated.
#![allow(dead_code)]

use nnc_graph::random::Key;
use nnc_graph::scan::{Body, Carry};
use nnc_graph::{
    Binary, Builder, DType, Dim, Direction, DotDims, Graph, NodeId, OutputKind, Reduction, Role, Type, Unary,
    gradient, passes,
};

/// A float type from `B,3`.
fn float(dtype: DType, text: &str) -> Type {
    let dim = |d: &str| if d == "B" { Dim::Batch } else { Dim::Size(d.parse().expect("a size")) };
    Type::new(dtype, text.split(',').map(dim).collect::<Vec<_>>())
}

/// Random choices that a seed decides.
pub struct Dice {
    key: Key,
    at: u64,
}

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.at += 1;
        (self.key.uniform(self.at) * n as f64) as usize
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// One program: `[B,4]` everywhere, so that everything fits everything.
pub struct Program {
    pub b: Builder,
    dice: Dice,
    /// Inputs, weights and first values by which is differentiated.
    leaves: Vec<NodeId>,
}

const WIDTH: &str = "B,4";

impl Program {
    pub fn new(seed: u64, dtype: DType) -> Self {
        let b = Builder::new("loop", dtype);
        Self { b, dice: Dice { key: Key::new(seed, 1, 7), at: 0 }, leaves: Vec::new() }
    }

    fn ty(&self, text: &str) -> Type {
        float(self.b.graph().float, text)
    }

    fn stand_in(&mut self, role: Role) -> NodeId {
        let ty = self.ty(WIDTH);
        self.b.stand_in(role, ty)
    }

    fn leaf(&mut self, role: Role, shape: &str) -> NodeId {
        let name = format!("p{}", self.leaves.len());
        let ty = self.ty(shape);
        let id = self.b.parameter(role, name, ty);
        self.leaves.push(id);
        id
    }

    /// `x @ w` for `x[B,4]` and `w[4,4]`, or with `w` transposed.
    fn product(&mut self, x: NodeId, w: NodeId) -> NodeId {
        let right = self.dice.below(2);
        let dims = DotDims { left_contract: vec![1], right_contract: vec![right], ..DotDims::default() };
        self.b.dot(x, w, dims)
    }

    /// Some function of what is at hand, `[B,4]` again.
    fn step(&mut self, pool: &[NodeId], weights: &[NodeId], biases: &[NodeId]) -> NodeId {
        let (x, y) = (self.dice.of(pool), self.dice.of(pool));
        let b4 = self.b.ty(x).shape.clone();
        match self.dice.below(12) {
            0 | 1 => {
                let w = self.dice.of(weights);
                self.product(x, w)
            }
            2 => self.b.unary(Unary::Tanh, x),
            3 => self.b.unary(Unary::Logistic, x),
            4 => self.b.binary(Binary::Add, x, y),
            5 => self.b.binary(Binary::Multiply, x, y),
            6 => {
                let bias = self.dice.of(biases);
                let wide = self.b.broadcast(bias, vec![1], b4);
                let op = self.dice.of(&[Binary::Add, Binary::Multiply, Binary::Subtract]);
                self.b.binary(op, x, wide)
            }
            7 => {
                // The halves the other way round.
                let half = vec![b4[0], 2.into()];
                let left = self.b.slice(x, vec![0, 0], half.clone());
                let right = self.b.slice(y, vec![0, 2], half);
                self.b.concatenate(&[right, left], 1)
            }
            8 => {
                let sum = self.b.reduce(self.dice.of(&[Reduction::Add, Reduction::Maximum]), x, vec![1]);
                self.b.broadcast(sum, vec![0], b4)
            }
            9 => {
                let larger = self.b.compare(Direction::Gt, x, y);
                self.b.select(larger, x, y)
            }
            10 => {
                // A product of two values of this step, over samples' own numbers.
                let dims = DotDims {
                    left_batch: vec![0],
                    right_batch: vec![0],
                    left_contract: vec![1],
                    right_contract: vec![1],
                };
                let inner = self.b.dot(x, y, dims);
                self.b.broadcast(inner, vec![0], b4)
            }
            _ => {
                let flat = self.b.reshape(x, vec![b4[0], 2.into(), 2.into()]);
                let turned = self.b.transpose(flat, vec![0, 2, 1]);
                let turned = self.b.reverse(turned, vec![2]);
                self.b.reshape(turned, b4)
            }
        }
    }

    /// A loop over some stacks; with `depth`, another one in its body. Its results are `[B,4]`, or stacks of it.
    fn scan(
        &mut self,
        depth: usize,
        pool: &[NodeId],
        weights: &[NodeId],
        biases: &[NodeId],
    ) -> (Vec<NodeId>, Vec<NodeId>) {
        let length = 1 + self.dice.below(4);
        let (carries, slices) = (self.dice.below(3), 1 + self.dice.below(2));
        let mut body = Body { length, reverse: self.dice.below(2) == 1, ..Body::default() };
        let (mut inner, mut firsts) = (pool.to_vec(), Vec::new());
        for _ in 0..carries {
            let at = self.stand_in(Role::Carry);
            firsts.push((at, self.dice.of(pool)));
            inner.push(at);
        }
        for _ in 0..slices {
            let at = self.stand_in(Role::Slice);
            let stack = self.leaf(Role::Input, &format!("{length},{WIDTH}"));
            body.slices.push((at, stack));
            inner.push(at);
        }
        for _ in 0..1 + self.dice.below(8) {
            let new = self.step(&inner, weights, biases);
            inner.push(new);
        }
        if depth > 0 {
            let (last, stacks) = self.scan(depth - 1, &inner, weights, biases);
            inner.extend(last);
            for stack in stacks {
                inner.push(self.b.reduce(Reduction::Add, stack, vec![0]));
            }
        }
        // The newest values are what makes a program; the tanh keeps carries small.
        let fresh = &inner[pool.len()..];
        for (at, first) in firsts {
            let next = self.dice.of(fresh);
            let next = self.b.unary(Unary::Tanh, next);
            body.carries.push(Carry { at, first, next });
        }
        for _ in 0..1 + self.dice.below(3) {
            body.roots.push(self.dice.of(fresh));
        }
        let mut made = body.make(&mut self.b);
        let last = (0..carries).map(|i| made.last(&mut self.b, i)).collect();
        let stacks = body.roots.iter().map(|&r| made.stacked(&mut self.b, r)).collect();
        (last, stacks)
    }

    /// A number that depends on all results of a loop, weighted so that no two contribute alike.
    pub fn objective(&mut self, depth: usize) -> NodeId {
        let pool: Vec<NodeId> = (0..2).map(|_| self.leaf(Role::Input, WIDTH)).collect();
        let weights: Vec<NodeId> = (0..2).map(|_| self.leaf(Role::Weight, "4,4")).collect();
        let biases: Vec<NodeId> = (0..2).map(|_| self.leaf(Role::Weight, "4")).collect();
        let (last, stacks) = self.scan(depth, &pool, &weights, &biases);
        let mut total = self.b.constant(0.0);
        for (i, id) in last.into_iter().chain(stacks).enumerate() {
            let wave = self.b.unary(Unary::Sine, id);
            let all = (0..self.b.ty(wave).rank()).collect();
            let sum = self.b.reduce(Reduction::Add, wave, all);
            let scale = self.b.constant(1.0 + i as f64 / 3.0);
            let part = self.b.binary(Binary::Multiply, sum, scale);
            total = self.b.binary(Binary::Add, total, part);
        }
        total
    }
}

/// A generated program with an objective; with `depth`, with a loop in its loop.
pub fn program(seed: u64, depth: usize, dtype: DType) -> Graph {
    let mut program = Program::new(seed, dtype);
    let y = program.objective(depth);
    program.b.output(OutputKind::Objective, "y", y);
    passes::sweep(&program.b.finish())
}

/// The graph with the gradients of its objective by the leaves as results.
pub fn with_gradients(graph: &Graph, twice: bool) -> Graph {
    let mut b = Builder::from_graph(graph.clone());
    let y = graph.output(OutputKind::Objective, "y").expect("an objective");
    let mut leaves = Vec::new();
    for role in [Role::Input, Role::Weight] {
        leaves.extend(graph.parameters(role));
    }
    let ids: Vec<NodeId> = leaves.iter().map(|(_, id)| *id).collect();
    let one = b.scalar_like(1.0, y);
    let mut found = gradient(&mut b, y, one, &ids);
    if twice {
        // The gradient of the sum of the squares of the gradients.
        let mut sum = b.constant(0.0);
        for &g in &found {
            let square = b.binary(Binary::Multiply, g, g);
            let all = (0..b.ty(square).rank()).collect();
            let part = b.reduce(Reduction::Add, square, all);
            sum = b.binary(Binary::Add, sum, part);
        }
        found = gradient(&mut b, sum, one, &ids);
    }
    for ((name, _), g) in leaves.iter().zip(found) {
        b.output(OutputKind::Gradient, name.clone(), g);
    }
    b.finish()
}
