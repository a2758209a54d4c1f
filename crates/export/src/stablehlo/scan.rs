//! Loops, as `while` with a counter.

use super::emit::{Given, Made, emit};
use super::text::{Code, Element, Tensor, Value, list, names, types};
use nnc_graph::{Direction, Graph, Leaf, NodeId, Prim, Role, Scan, ScanResult};

/// Whether random numbers are drawn somewhere in a graph or in its loops.
pub(super) fn draws(graph: &Graph) -> bool {
    graph.ids().any(|id| match &graph.node(id).prim {
        Prim::Leaf(Leaf::Rng { .. }) => true,
        Prim::Scan(scan) => draws(scan.of.body.graph()),
        Prim::Leaf(Leaf::Parameter { .. } | Leaf::Constant(_) | Leaf::Iota { .. } | Leaf::BatchSize)
        | Prim::Elementwise(_)
        | Prim::Movement(_)
        | Prim::Reduce(_)
        | Prim::DotGeneral(_)
        | Prim::Convolve(_)
        | Prim::Window(_)
        | Prim::Indexing(_) => false,
    })
}

impl Code {
    /// A loop with all results that the graph asks of it. What a step reads is handed on from step to step, so that the
    /// loop stands on its own.
    pub(super) fn scan<'a>(
        &mut self,
        graph: &'a Graph,
        scan: &'a Scan,
        nodes: &[NodeId],
        operands: &[Value],
        given: &Given,
    ) -> Result<Made<'a>, String> {
        let of = &scan.of;
        let body = &of.body;
        let (carries, slices) = (body.carries(), body.slices());
        let mut wanted: Vec<ScanResult> = Vec::new();
        for id in graph.ids() {
            if let Prim::Scan(other) = &graph.node(id).prim
                && other.of == *of
                && graph.operands(id) == nodes
                && !wanted.contains(&other.result)
            {
                wanted.push(other.result);
            }
        }
        let stacked: Vec<NodeId> = wanted
            .iter()
            .filter_map(|r| match r {
                ScanResult::Stack(n) => Some(*n),
                ScanResult::Last(_) => None,
            })
            .collect();

        // What goes round: the counter, the operands, the stacks, and what random numbers begin with.
        let number = Tensor::scalar(Element::I32);
        let mut first = vec![self.fill(0.0, &number)];
        first.extend(operands.iter().cloned());
        for n in &stacked {
            let ty = Tensor::of(body.graph().ty(*n), given.batch);
            let dims = [&[of.length], &ty.dims[..]].concat();
            first.push(self.fill(0.0, &ty.sized(&dims)));
        }
        let drawn = draws(body.graph());
        if drawn {
            first.extend([given.seed()?.clone(), given.step()?.clone()]);
        }
        let name = self.free();
        let around: Vec<Value> =
            first.iter().map(|v| Value { name: self.free().replace('%', "%i"), ty: v.ty.clone() }).collect();
        let heads = list(around.iter().zip(&first).map(|(a, f)| format!("{} = {}", a.name, f.name)));
        self.line(&format!("{name}:{} = stablehlo.while({heads}) : {}", around.len(), types(&around)));
        self.line("cond {");
        self.inside(|code| {
            let end = code.fill(of.length as f64, &number);
            let more = code.compare(Direction::Lt, &around[0], &end);
            code.line(&format!("stablehlo.return {} : {}", more.name, more.ty));
        });
        self.line("} do {");
        self.inside(|code| -> Result<(), String> {
            let one = code.fill(1.0, &number);
            let counted = code.binary("add", &around[0], &one);
            let at = if of.reverse {
                let last = code.fill(of.length as f64 - 1.0, &number);
                code.binary("subtract", &last, &around[0])
            } else {
                around[0].clone()
            };
            let zero = code.fill(0.0, &number);
            let mut inner = Given { batch: given.batch, ..Given::default() };
            if drawn {
                let end = around.len();
                inner.seed = Some(around[end - 2].clone());
                inner.step = Some(around[end - 1].clone());
            }
            for (i, value) in around[1..=operands.len()].iter().enumerate() {
                let (role, index, value) = match i {
                    i if i < carries => (Role::Carry, i, value.clone()),
                    i if i < carries + slices => (Role::Slice, i - carries, code.step_of(value, &at, &zero)),
                    i => (Role::Invariant, i - carries - slices, value.clone()),
                };
                inner.parameters.insert((role, index.to_string()), value);
            }
            let values = emit(code, body.graph(), &inner)?;
            let mut next = vec![counted];
            next.extend(body.next().iter().map(|n| values[n.index()].clone()));
            next.extend(around[1 + carries..=operands.len()].iter().cloned());
            for (n, stack) in stacked.iter().zip(&around[1 + operands.len()..]) {
                next.push(code.write_step(stack, &values[n.index()], &at, &zero));
            }
            if drawn {
                next.extend(around[around.len() - 2..].iter().cloned());
            }
            code.line(&format!("stablehlo.return {} : {}", names(&next), types(&next)));
            Ok(())
        })?;
        self.line("}");

        let mut stack = operands.len();
        let results = wanted
            .iter()
            .map(|r| {
                let at = match r {
                    ScanResult::Last(i) => 1 + i,
                    ScanResult::Stack(_) => {
                        stack += 1;
                        stack
                    }
                };
                (*r, Value { name: format!("{name}#{at}"), ty: around[at].ty.clone() })
            })
            .collect();
        Ok(Made { of, operands: nodes.to_vec(), results })
    }

    /// The part of a tensor for one step.
    fn step_of(&mut self, x: &Value, at: &Value, zero: &Value) -> Value {
        let dims = &x.ty.dims;
        let sizes = [&[1], &dims[1..]].concat();
        let starts: Vec<Value> = (0..dims.len()).map(|i| if i == 0 { at } else { zero }.clone()).collect();
        let to = x.ty.sized(&sizes);
        let op = format!(
            "stablehlo.dynamic_slice {}, {}, sizes = [{}] : ({}, {}) -> {to}",
            x.name,
            names(&starts),
            list(&sizes),
            x.ty,
            types(&starts)
        );
        let part = self.value(&to, &op);
        self.reshape(&part, &dims[1..])
    }

    /// A tensor with the part of one step put in.
    fn write_step(&mut self, stack: &Value, part: &Value, at: &Value, zero: &Value) -> Value {
        let dims = [&[1], &part.ty.dims[..]].concat();
        let part = self.reshape(part, &dims);
        let starts: Vec<Value> = (0..dims.len()).map(|i| if i == 0 { at } else { zero }.clone()).collect();
        let op = format!(
            "stablehlo.dynamic_update_slice {}, {}, {} : ({}, {}, {}) -> {}",
            stack.name,
            part.name,
            names(&starts),
            stack.ty,
            part.ty,
            types(&starts),
            stack.ty
        );
        self.value(&stack.ty, &op)
    }
}
