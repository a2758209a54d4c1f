//! `scan x in xs with h = a { … }`: a body for every slice along the first axis, with carried values.
//!
//! The loop is unrolled: its slices are nodes like all others, so that reverse mode, passes and dumps need
//! nothing new.

use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::frame::{Frame, Rows};
use crate::elaborate::value::{Axis, Tensor, Value, shape_text};
use nnc_graph::Dim;
use nnc_syntax::Code;
use nnc_syntax::ast::{Scan, StmtKind};

impl Elab<'_> {
    /// The stacked last tensors of the body; carried names keep their final values.
    pub fn scan(&mut self, frame: &mut Frame, scan: &Scan) -> Res<Value> {
        let over = self.expr(frame, &scan.over)?;
        let over = match over {
            Value::Tensor(t) if t.rank() > 0 => t,
            other => {
                let what = match &other {
                    Value::Tensor(_) => "one number without axes",
                    other => other.kind(),
                };
                let message = format!("`scan` walks along the first axis of a tensor; this is {what}");
                return self.fail(Code::N0205, message, scan.over.span, "");
            }
        };
        let length = over.axes[0].size;
        for (name, first) in &scan.carried {
            let value = self.expr(frame, first)?;
            let tensor = self.tensor_of(&value, first.span)?;
            let node =
                self.spread(&tensor, &tensor.axes.clone(), tensor.batched || over.batched, first.span)?;
            let tensor = Tensor { node, batched: tensor.batched || over.batched, ..tensor };
            frame.set(&name.text, Value::Tensor(tensor));
        }
        let mut outs: Vec<Tensor> = Vec::with_capacity(length);
        let sharing = std::mem::replace(&mut frame.sharing, true);
        let rows = std::mem::replace(&mut frame.rows, Rows::None);
        let counters = frame.clone();
        for t in 0..length {
            let slice = self.index(&Value::Tensor(over.clone()), &Value::Int(t as i64), scan.span)?;
            let before: Vec<(String, Vec<usize>)> =
                scan.carried.iter().filter_map(|(n, _)| carried(frame, &n.text)).collect();
            frame.restart_counters(&counters);
            frame.set(&scan.item.text, slice.clone());
            frame.it = Some(slice);
            self.block(frame, &scan.body.stmts)?;
            for (name, sizes) in before {
                let now = carried(frame, &name).map(|(_, s)| s);
                if now.as_ref() != Some(&sizes) {
                    let text = |s: &[usize]| shape_text(&s.iter().map(|n| Axis::of(*n)).collect::<Vec<_>>());
                    let message = format!(
                        "`{name}` is carried as {}, but becomes {}",
                        text(&sizes),
                        now.map_or("no tensor".into(), |s| text(&s))
                    );
                    let assigned = scan.body.stmts.iter().rev().find_map(|s| match &s.kind {
                        StmtKind::Flow(flow) if flow.targets.iter().any(|t| t.text == name) => Some(s.span),
                        _ => None,
                    });
                    let first = scan.carried.iter().find(|(n, _)| n.text == name).map(|(n, _)| n.span);
                    let mut d = self.error(
                        Code::N0311,
                        message,
                        assigned.unwrap_or(scan.span),
                        "the next turn would find another shape",
                    );
                    if let Some(first) = first.filter(|f| self.is_user(*f)) {
                        d = d.label(first, format!("begins as {}", text(&sizes)));
                    }
                    return Err(Stop::Error(Box::new(d)));
                }
            }
            match &frame.it {
                Some(Value::Tensor(t)) => outs.push(t.clone()),
                _ => return self.fail(Code::N0210, "the body of `scan` computes no tensor", scan.span, ""),
            }
        }
        frame.sharing = sharing;
        frame.rows = rows;
        self.stack(&outs, scan.span).map(Value::Tensor)
    }

    /// Tensors of one shape as the slices of one along a new first axis.
    pub fn stack(&mut self, parts: &[Tensor], span: nnc_syntax::Span) -> Res<Tensor> {
        let batched = parts.iter().any(|t| t.batched);
        let inner = parts.first().map(|t| t.axes.to_vec()).unwrap_or_default();
        let one: Vec<Axis> = std::iter::once(Axis::of(1)).chain(inner.iter().copied()).collect();
        let mut nodes = Vec::with_capacity(parts.len());
        for part in parts {
            let node = self.spread(part, &inner, batched, span)?;
            nodes.push(self.b.reshape(node, Self::dims(&one, batched)));
        }
        let node = self.b.concatenate(&nodes, usize::from(batched));
        debug_assert!(self.b.ty(node).shape.first() != Some(&Dim::Batch) || batched);
        let axes: Vec<Axis> = std::iter::once(Axis::of(parts.len())).chain(inner).collect();
        Ok(self.tensor(node, axes, batched))
    }
}

fn carried(frame: &Frame, name: &str) -> Option<(String, Vec<usize>)> {
    match frame.get(name) {
        Some(Value::Tensor(t)) => Some((name.to_string(), t.sizes())),
        _ => None,
    }
}
