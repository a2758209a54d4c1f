//! Statements at the top of a file; each one's mistake is told on its own.

use crate::declarations::data::Port;
use crate::declarations::settings::Loss;
use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::frame::Frame;
use crate::elaborate::value::{Axis, Tensor, Value};
use nnc_graph::{DType, Direction, NodeId, Role, Type};
use nnc_syntax::Code;
use nnc_syntax::ast::{Stmt, StmtKind};

impl Elab<'_> {
    /// Makes the data's tensors and gives them their names.
    pub(crate) fn bind_ports(&mut self, frame: &mut Frame) {
        let ports = self.session.ports.clone();
        for (role, list) in [(Role::Input, &ports.inputs), (Role::Target, &ports.targets)] {
            for (at, port) in list.iter().enumerate() {
                let tensor = self.port(port, role);
                if role == Role::Target
                    && let Some(units) = ports.units.get(at).filter(|u| !u.is_empty())
                {
                    self.results.units.insert(tensor.node, units.clone());
                }
                frame.set(port.name.as_str(), Value::Tensor(tensor));
            }
        }
        if let Some(name) = ports.weight.as_ref().filter(|name| frame.get(name).is_none()) {
            let tensor = self.sample_weight();
            frame.set(name.as_str(), Value::Tensor(tensor));
        }
        if let [only] = &ports.inputs[..] {
            let value = frame.get(&only.name).cloned();
            if let Some(value) = value {
                frame.set("input", value.clone());
                frame.it = Some(value);
            }
        } else if let Some(first) = ports.inputs.first() {
            frame.it = frame.get(&first.name).cloned();
        }
        if let [only] = &ports.targets[..]
            && let Some(value) = frame.get(&only.name).cloned()
        {
            frame.set("target", value);
        }
    }

    fn port(&mut self, port: &Port, role: Role) -> Tensor {
        let many = port.shape.len() > 1;
        let axes: Vec<Axis> =
            port.shape.iter().map(|&size| Axis { size, id: many.then(|| self.scope.fresh_axis()) }).collect();
        let dtype = if port.classes.is_some() { DType::I32 } else { self.float() };
        let node = self.b.parameter(role, port.name.as_str(), Type::new(dtype, Self::dims(&axes, true)));
        let mask = match (port.ragged, port.padded) {
            (true, _) => Some(self.steps_given(port, role)),
            (false, true) if port.shape.len() == 1 => Some(self.steps_of_classes(node)),
            (false, _) => None,
        };
        Tensor { node, axes: axes.into(), batched: true, classes: port.classes.as_ref().map(Vec::len), mask }
    }

    /// The mask of data whose samples have different lengths, from how many steps each has.
    fn steps_given(&mut self, port: &Port, role: Role) -> NodeId {
        let float = self.float();
        let length = self.b.parameter(role, port.length_name(), Type::new(float, Self::dims(&[], true)));
        let time = Axis::of(port.shape.first().copied().unwrap_or(1));
        let ty = Type::new(float, Self::dims(&[time], true));
        let length = self.b.broadcast(length, vec![0], ty.shape.clone());
        let step = self.b.iota(1, ty);
        let there = self.b.compare(Direction::Lt, step, length);
        self.b.convert(there, float)
    }

    /// The mask of texts as classes, `[B, time]`: class 0 is padding.
    fn steps_of_classes(&mut self, classes: NodeId) -> NodeId {
        let float = self.float();
        let number = self.b.convert(classes, float);
        let zero = self.b.scalar_like(0.0, number);
        let there = self.b.compare(Direction::Ne, number, zero);
        self.b.convert(there, float)
    }

    /// Runs the statements of a block at the top of the file.
    fn top_statements(&mut self, frame: &mut Frame, stmts: &[Stmt]) -> Res<()> {
        for stmt in stmts {
            self.top_statement(frame, stmt);
        }
        Ok(())
    }

    /// Runs a statement; its mistake poisons what it would have named.
    pub(crate) fn top_statement(&mut self, frame: &mut Frame, stmt: &Stmt) {
        self.at(stmt.span);
        let layers = self.results.layers.len();
        let Err(stop) = self.top_statement_inner(frame, stmt) else { return };
        let stop = match stop {
            Stop::Error(d)
                if matches!(d.code, Code::N0301 | Code::N0311)
                    && d.labels.first().is_some_and(|l| self.is_user(l.span)) =>
            {
                self.results.layers.truncate(layers.max(self.results.layers.len()));
                let mut d = *d;
                let label = d.labels[0].span;
                let (here, inside) = (self.session.here, |a: nnc_syntax::Span, b: nnc_syntax::Span| {
                    a.source == b.source && b.start <= a.start && a.end <= b.end
                });
                d.notes.extend(self.shapes_so_far(if inside(label, here) { here } else { label }));
                Stop::Error(Box::new(d))
            }
            stop => stop,
        };
        self.report(stop);
        if let StmtKind::Flow(flow) = &stmt.kind {
            for name in &flow.targets {
                frame.set(name.text.as_str(), Value::Poison);
            }
        }
        if matches!(stmt.kind, StmtKind::Flow(_) | StmtKind::Error | StmtKind::Declare { .. }) {
            frame.it = Some(Value::Poison);
        }
    }

    fn top_statement_inner(&mut self, frame: &mut Frame, stmt: &Stmt) -> Res<()> {
        match &stmt.kind {
            // Read before anything is computed.
            StmtKind::Param { .. }
            | StmtKind::Fn(_)
            | StmtKind::Layer(_)
            | StmtKind::Rule(_)
            | StmtKind::Init(_)
            | StmtKind::Rewrite { .. }
            | StmtKind::Use { .. }
            | StmtKind::Data(_) => Ok(()),
            StmtKind::Expect { cond, within, seeds } => {
                self.expectation(frame, cond, within.as_ref(), seeds.as_ref(), stmt.span)
            }
            StmtKind::Setting { head, args } => self.setting(frame, head, args, stmt.span),
            StmtKind::LossIs(chain) => {
                let head = nnc_syntax::Span { end: stmt.span.start + 4, ..stmt.span };
                self.once("loss", head)?;
                // `loss = output` is a formula, `loss = mse` is not.
                if self.is_setting_value(frame, chain) && self.session.sources.slice(chain.span) != "output" {
                    let name = nnc_syntax::ast::Name { text: "loss".into(), span: head };
                    self.session.diagnostics.extend(self.setting_with_equals(frame, &name, chain));
                    return Ok(());
                }
                self.results.top.loss = Some(Loss::Chain(chain.clone(), stmt.span));
                Ok(())
            }
            StmtKind::Then(block) => self.stage(block, stmt.span),
            StmtKind::Stop(when) => self.stop(frame, when, stmt.span),
            StmtKind::If { cond, then, otherwise } => {
                self.counted(stmt.span)?;
                self.branch(frame, cond, then, otherwise.as_ref(), Self::top_statements)
            }
            StmtKind::Repeat { count, index, body } => {
                self.counted(stmt.span)?;
                self.repeat(frame, count, index.as_ref(), &body.stmts, Self::top_statements)
            }
            _ => self.statement(frame, stmt),
        }
    }
}
