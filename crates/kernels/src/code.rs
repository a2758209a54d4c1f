//! Instructions that were checked once and then run without checks.

use crate::check::{check, cursors};
use crate::denormals::Flush;
use crate::hoist::{Iterate, Step, hoist};
use crate::instr::{Instr, most};
use crate::isa::Isa;
use crate::kernel::{Bases, Machine, Scratch, Worker};
use crate::scope::Scope;
use crate::{Buffer, Pool, Real};
use std::ops::Range;

/// Checked instructions.
#[derive(Debug)]
pub struct Code<T> {
    steps: Vec<Step>,
    /// Right operands of products in loops.
    packed: Buffer<T>,
    arena: usize,
    store: usize,
    bases: Bases<T>,
    workers: Vec<Worker<T>>,
    isa: Isa,
}

impl<T: Real> Code<T> {
    /// The elements of scratch that every worker needs for these instructions, and that the first one needs.
    pub fn scratch(instrs: &[Instr]) -> (usize, usize) {
        let Scratch { each, first, .. } = most(instrs, size_of::<T>());
        (each, first.saturating_add(hoist(instrs).1))
    }

    /// Checks instructions for memories of these sizes and allocates scratch for some workers.
    ///
    /// # Errors
    /// An instruction reaches beyond a memory or writes what it still reads.
    pub fn new(instrs: Vec<Instr>, arena: usize, store: usize, workers: usize) -> Result<Self, String> {
        let cursors = cursors(&instrs);
        check(&mut Scope::new(arena, store, cursors), &instrs)?;
        let Scratch { each, first, scalars, slots } = most(&instrs, size_of::<T>());
        let (steps, packed) = hoist(&instrs);
        let worker = |w: usize| Worker {
            scratch: Buffer::zeros(if w == 0 { first } else { each }),
            scalars: Buffer::zeros(scalars),
            slots: Bases(vec![std::ptr::null_mut(); slots]),
        };
        let workers = (0..workers.max(1)).map(worker).collect();
        let bases = Bases(vec![std::ptr::null_mut(); 2 + cursors]);
        let packed = Buffer::zeros(packed);
        Ok(Self { steps, packed, arena, store, bases, workers, isa: Isa::detect() })
    }

    /// Runs a range of the instructions. Allocates nothing.
    ///
    /// # Panics
    /// When the memories have other sizes than the code was checked for, or the pool has more threads than
    /// there are workers.
    pub fn run(
        &mut self,
        range: Range<usize>,
        arena: &mut [T],
        store: &mut [T],
        pool: &Pool,
        (seed, step): (u64, u64),
    ) {
        assert!(arena.len() == self.arena && store.len() == self.store, "memories of other sizes");
        assert!(pool.threads() <= self.workers.len(), "more threads than workers");
        let _flush = Flush::new();
        self.bases.0[0] = arena.as_mut_ptr();
        self.bases.0[1] = store.as_mut_ptr();
        let (bases, packed) = (self.bases.0.as_mut_ptr(), self.packed.as_mut_ptr());
        let workers = self.workers.as_mut_ptr();
        let machine = Machine { bases, seed, step, isa: self.isa, pool, workers };
        for step in &self.steps[range] {
            // SAFETY: `new` checked all instructions for memories of these sizes, which we hold alone.
            unsafe { execute(&machine, packed, step) };
        }
    }
}

/// Runs a step; `packed` are the right operands of products.
///
/// # Safety
/// The step was checked for the memories of this machine, which nobody else uses.
#[inline(always)]
unsafe fn execute<T: Real>(on: &Machine<'_, T>, packed: *mut T, step: &Step) {
    // SAFETY: the caller's promise; a product is packed after its loop packed its right operand, which nothing in
    // the loop writes.
    unsafe {
        match step {
            Step::Instr(instr) => instr.execute(on),
            Step::Packed(d, at) => d.run_packed(on, packed.add(*at)),
            Step::Loop(l) => iterate(on, packed, l),
        }
    }
}

/// # Safety
/// As for `execute`.
unsafe fn iterate<T: Real>(on: &Machine<'_, T>, packed: *mut T, l: &Iterate) {
    let _awake = on.pool.stay_awake();
    for (d, at) in &l.packs {
        // SAFETY: the check found the operand in memory; `packed` has a place for each.
        unsafe { d.pack(on, packed.add(*at)) };
    }
    for i in 0..l.length {
        let t = if l.reverse { l.length - 1 - i } else { i } as isize;
        for c in &l.cursors {
            // SAFETY: the check found all these spaces in the table, and the parents' entries are set; no worker
            // reads the table between two instructions.
            unsafe {
                let parent = *on.bases.add(c.parent.index());
                *on.bases.add(c.space.index()) = parent.wrapping_offset(t.wrapping_mul(c.stride));
            }
        }
        for step in &l.body {
            // SAFETY: the caller's promise; the check looked at all iterations.
            unsafe { execute(on, packed, step) };
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::elementwise::math::{BinaryOp, UnaryOp};
    use crate::elementwise::tile::{Access, Arg, Load, MicroOp, Op, Program};
    use crate::place::{Place, Space};
    use crate::reduce::Reduce;
    use crate::{Convolution, ConvolutionKernel, Dot, Fold, Geometry, Matrix};

    fn arena(offset: usize) -> Place {
        Place { space: Space::ARENA, offset }
    }

    fn instrs() -> Vec<Instr> {
        let op = |op, to, a, b| MicroOp { op, to, a, b, c: Arg::None };
        let unary = [UnaryOp::Exp, UnaryOp::Ln, UnaryOp::Tanh, UnaryOp::Erf, UnaryOp::Softplus, UnaryOp::Sin];
        let mut ops = vec![op(Op::Random { normal: true, site: 3 }, 0, Arg::None, Arg::None)];
        for (i, u) in unary.into_iter().enumerate() {
            let (from, to) = (i as u16 % 2, 1 - i as u16 % 2);
            ops.push(op(Op::Unary(u), to, Arg::Slot(from), Arg::None));
        }
        ops.push(op(Op::Binary(BinaryOp::Divide), 3, Arg::Slot(0), Arg::Slot(2)));
        let load = Load { place: arena(0), access: Access::linear() };
        let program = Program {
            count: 1000,
            registers: 2,
            loads: vec![load],
            outputs: vec![arena(1024).into()],
            scalars: vec![],
            ops,
        };
        let matrix = |offset| Matrix { place: arena(offset), row: 25, column: 1 };
        let dot = Dot { m: 10, k: 10, n: 10, a: matrix(0), b: matrix(500), c: arena(2048), batch: vec![] };
        let fold = |fold, outer, inner| Reduce {
            fold,
            outer,
            fold_size: 1000 / outer / inner,
            inner,
            from: arena(0),
            to: arena(2200),
        };
        vec![
            Instr::Tile(program),
            Instr::Dot(dot),
            Instr::Reduce(fold(Fold::Add, 2, 1)),
            Instr::Reduce(fold(Fold::Maximum, 1, 50)),
        ]
    }

    /// Every instruction set convolves alike, up to the fused additions.
    #[test]
    fn instruction_sets_convolve_alike() {
        for (channels, filters, groups) in [(3, 7, 1), (16, 33, 1), (1, 32, 1), (6, 20, 2), (40, 40, 40)] {
            let geometry = Geometry {
                batch: 3,
                size: [1, 9, 8],
                channels,
                window: [1, 3, 2],
                out: [1, 4, 9],
                filters,
                groups,
                stride: [1, 2, 1],
                low: [0, 0, 1],
                lhs_dilation: [1; 3],
                rhs_dilation: [1; 3],
            };
            let f = filters as isize;
            let i = (channels / groups) as isize * f;
            let (x, kernel, z) = (arena(0), arena(9000), arena(15_000));
            let strides = [0, 2 * i, i, f, 1];
            let forward = Convolution { geometry: geometry.clone(), x, kernel, strides, z };
            let backward = ConvolutionKernel { geometry, x, g: z, kernel };
            for instr in [Instr::Convolution(forward), Instr::ConvolutionKernel(backward)] {
                let mut results = Isa::all().into_iter().map(|isa| {
                    let mut memory: Vec<f64> = (0..20_000).map(|i| (i % 37) as f64 / 7.0 - 2.0).collect();
                    let mut code = Code::new(vec![instr.clone()], memory.len(), 0, 2).unwrap();
                    code.isa = isa;
                    code.run(0..1, &mut memory, &mut [], &Pool::new(2), (1, 1));
                    memory
                });
                let first = results.next().unwrap();
                for other in results {
                    let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-9;
                    assert!(first.iter().zip(&other).all(near), "{instr:?}");
                }
            }
        }
    }

    /// But for large products, every instruction set gives the same bits.
    #[test]
    fn instruction_sets_give_the_same_bits() {
        for instr in instrs() {
            let results: Vec<Vec<u32>> = Isa::all()
                .into_iter()
                .map(|isa| {
                    let mut memory: Vec<f32> = (0..3000).map(|i| (i % 37) as f32 / 7.0 - 2.0).collect();
                    let mut code = Code::new(vec![instr.clone()], memory.len(), 0, 1).unwrap();
                    code.isa = isa;
                    code.run(0..1, &mut memory, &mut [], &Pool::new(1), (1, 1));
                    memory.iter().map(|v| v.to_bits()).collect()
                })
                .collect();
            assert!(results.windows(2).all(|w| w[0] == w[1]), "{instr:?}");
        }
    }
}
