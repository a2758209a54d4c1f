//! Metrics of a scaled target are told in the units of the file: what they compare is brought back before they compare
//! it, so that the logarithm of a target, too, comes out as it should.

use crate::declarations::attributes::Units;
use crate::declarations::data::Unscale;
use crate::elaborate::elab::{Elab, Res};
use crate::elaborate::value::{Tensor, Value};
use nnc_graph::{Binary, DType, Direction, Elementwise, NodeId, Prim, Role, Unary};
use nnc_syntax::{Code, Diagnostic, Span};

/// More columns than this with scalings of their own are not told apart.
const MOST: usize = 256;

impl Elab<'_> {
    /// Remembers of an output that describes its target in several parts which target that is.
    pub(crate) fn described(&mut self, units: Option<Units>, values: &[Value]) {
        if let (Some(units @ (Units::Levels | Units::Law)), [Value::Tensor(y), Value::Tensor(target), ..]) =
            (units, values)
            && let Some((Role::Target, name)) = self.b.graph().node(target.node).prim.parameter()
            && let Some(at) = self.session.ports.targets.iter().position(|p| *p.name == **name)
        {
            self.results.described.entry(y.node).or_insert((at, units));
        }
    }

    /// Where a metric is given a scaled target, brings it and what is compared with it back to the units of the file.
    /// A function of the program says nothing of its units (`None`): it gets the file's numbers, if it gets anything
    /// that can be compared with the target.
    pub(crate) fn in_file_units(
        &mut self,
        units: Option<Units>,
        arguments: &mut [(usize, Value)],
        span: Span,
    ) -> Res<()> {
        let found = arguments.iter().find_map(|(_, value)| match value {
            Value::Tensor(t) => Some((t.clone(), self.results.units.get(&t.node)?.clone())),
            _ => None,
        });
        let Some((target, unscale)) = found else { return Ok(()) };
        let (sizes, log) = (target.sizes(), unscale.iter().any(|u| u.log));
        let same = unscale.iter().all(|u| *u == unscale[0]);
        if units == Some(Units::Law) && log
            || !same && (sizes.last() != Some(&unscale.len()) || unscale.len() > MOST)
        {
            return Ok(());
        }
        let width = sizes.last().copied().unwrap_or(1);
        let each = |k: usize| -> Vec<Unscale> { (0..k).map(|i| unscale[i % unscale.len()]).collect() };
        let own = if same { unscale[..1].to_vec() } else { unscale.clone() };
        let shift = log || units != Some(Units::Differences);
        let mut change: Vec<(usize, Vec<Unscale>)> = Vec::new();
        for (i, (_, value)) in arguments.iter().enumerate() {
            let Value::Tensor(t) = value else { continue };
            // Inputs, weights and other targets have units of their own.
            let port = t.node != target.node && self.b.graph().node(t.node).prim.parameter().is_some();
            let last = t.sizes().last().copied().unwrap_or(1);
            let parts = t.node != target.node && i == 0 && last <= MOST;
            match units {
                Some(Units::Levels) if parts && last % width == 0 => {
                    change.push((i, if same { own.clone() } else { each(last) }));
                }
                Some(Units::Law) if parts && last == 2 * width => {
                    let spread = |u: Unscale| Unscale { over: 1.0, minus: 2.0 * u.over.abs().ln(), ..u };
                    let (means, spreads) = (each(width), each(width).into_iter().map(spread));
                    change.push((i, means.into_iter().chain(spreads).collect()));
                }
                _ if t.sizes() == sizes && !port => change.push((i, own.clone())),
                _ => {}
            }
        }
        if change.len() < 2 && units != Some(Units::Same) {
            return Ok(());
        }
        if units != Some(Units::Same) {
            for (i, unscale) in change {
                if let Value::Tensor(t) = arguments[i].1.clone() {
                    arguments[i].1 = Value::Tensor(self.unscaled(&t, &unscale, shift, span)?);
                }
            }
        }
        if let Some(measuring) = &mut self.results.measuring {
            measuring.in_file_units = true;
        }
        Ok(())
    }

    fn unscaled(&mut self, t: &Tensor, unscale: &[Unscale], shift: bool, span: Span) -> Res<Tensor> {
        let t = self.floats(t);
        let mut node = self.broadcast_to(&t, &t.axes.clone(), t.batched, span)?;
        let over: Vec<f64> = unscale.iter().map(|u| u.over).collect();
        let over = self.along_last(&over, node);
        node = self.b.binary(Binary::Multiply, node, over);
        if shift {
            let minus: Vec<f64> = unscale.iter().map(|u| u.minus).collect();
            let minus = self.along_last(&minus, node);
            node = self.b.binary(Binary::Add, node, minus);
        }
        if unscale.iter().any(|u| u.log) {
            let back = self.b.unary(Unary::Exponential, node);
            let which: Vec<f64> = unscale.iter().map(|u| f64::from(u8::from(u.log))).collect();
            let which = self.along_last(&which, node);
            let one = self.b.scalar_like(1.0, node);
            let is = self.b.compare(Direction::Eq, which, one);
            node = self.b.select(is, back, node);
        }
        Ok(self.tensor(node, t.axes.clone(), t.batched))
    }

    /// A tensor like another, with these numbers along its last axis; one number is everywhere.
    fn along_last(&mut self, numbers: &[f64], like: NodeId) -> NodeId {
        let ty = self.b.ty(like).clone();
        let mut node = self.b.filled(numbers[0], ty.clone());
        if numbers.len() < 2 {
            return node;
        }
        let at = self.b.iota(ty.rank() - 1, ty.with_dtype(DType::I32));
        for (i, x) in numbers.iter().enumerate().skip(1) {
            let place = self.b.scalar_like(i as f64, at);
            let here = self.b.compare(Direction::Eq, at, place);
            let number = self.b.filled(*x, ty.clone());
            node = self.b.select(here, number, node);
        }
        node
    }

    /// Says of a metric of a scaled target that it is not told in the units of the file. Which of a target and an output
    /// is the larger is the same in all units.
    pub(crate) fn note_scaled(&mut self, name: &str, span: Span, value: &Value) {
        let Value::Tensor(t) = value else { return };
        let graph = self.b.graph();
        let mut learned = vec![false; graph.len()];
        let mut scaled = vec![false; graph.len()];
        for id in graph.ids() {
            let weight = matches!(graph.node(id).prim.parameter(), Some((Role::Weight, _)));
            let operands = graph.operands(id);
            learned[id.index()] = weight || operands.iter().any(|o| learned[o.index()]);
            scaled[id.index()] =
                self.results.units.contains_key(&id) || operands.iter().any(|o| scaled[o.index()]);
        }
        let rising = self.results.units.values().flatten().all(|u| u.over > 0.0);
        let alone = |id: NodeId| scaled[id.index()] && !learned[id.index()];
        let answer = |id: NodeId| learned[id.index()] && !scaled[id.index()];
        let order = |id: NodeId| match (&graph.node(id).prim, &graph.operands(id)[..]) {
            (Prim::Elementwise(Elementwise::Compare(_)), &[a, b]) => {
                rising && (alone(a) && answer(b) || alone(b) && answer(a))
            }
            _ => false,
        };
        let mut reached = vec![false; graph.len()];
        reached[t.node.index()] = true;
        for id in graph.ids().rev() {
            if reached[id.index()] && !order(id) {
                graph.operands(id).iter().for_each(|o| reached[o.index()] = true);
            }
        }
        let of_scaled = self.results.units.keys().any(|node| reached[node.index()]);
        if of_scaled && self.session.training && self.is_user(span) {
            let d = Diagnostic::note(Code::N0421, format!("`{name}` is told of the scaled target"))
                .label(span, "computed from the target as it is trained, and not as it stands in the file")
                .help("a function that takes the output and the target is given the numbers of the file: fn off(y, target) = mean(y - target), then metrics off");
            self.session.diagnostics.push(d);
        }
    }
}
