//! Weights, states and slots, and the graph of their first values.

use crate::declarations::settings::Plateau;
use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::frame::Frame;
use crate::elaborate::value::{Axis, Init, Shape, Tensor, shape_text};
use nnc_graph::{Role, Type};
use nnc_syntax::{Code, Diagnostic, Span};

impl Elab<'_> {
    /// `weight` and `state`: a parameter of the step, its first value in the graph of first values.
    pub fn declare(
        &mut self,
        frame: &mut Frame,
        role: Role,
        name: &str,
        axes: Vec<Axis>,
        init: &Init,
        span: Span,
    ) -> Res<Tensor> {
        let path = frame.join(name);
        if let Some(known) = self.find_declared(&path) {
            if frame.sharing && known.tensor.sizes() == axes.iter().map(|a| a.size).collect::<Vec<_>>() {
                return Ok(known.tensor.clone());
            }
            let message = if frame.sharing {
                format!(
                    "`{path}` is shared, but is {} here and was {}",
                    shape_text(&axes),
                    shape_text(&known.tensor.axes)
                )
            } else {
                format!("there are two weights called `{path}`")
            };
            if frame.sharing && !self.is_user(span) {
                let d = Diagnostic::error(Code::N0304, message)
                    .label(self.session.here, "these weights are used twice")
                    .help("shared weights have one shape: give them tensors of one width");
                return Err(Stop::Error(Box::new(d)));
            }
            return self.fail(Code::N0304, message, span, "the second one");
        }
        self.check_size(&axes, span)?;
        let ty = Type::new(self.float(), Self::dims(&axes, false));
        let node = self.b.parameter(role, path.as_str(), ty);
        let tensor = self.tensor(node, axes.clone(), false);
        self.initialise(&path, &axes, init, span)?;
        let frozen = role != Role::Slot && self.scope.is_frozen(&path);
        self.results.declare(role, &path, tensor.clone(), frozen);
        Ok(tensor)
    }

    /// Builds the first value of `path` in the graph of first values.
    fn initialise(&mut self, path: &str, axes: &[Axis], init: &Init, span: Span) -> Res<()> {
        std::mem::swap(&mut self.b, &mut self.init);
        let calls = std::mem::take(&mut self.results.calls);
        self.scope.initialising = Some(path.to_string());
        let value = self.call_init(init, Shape { axes: axes.to_vec(), batched: false }, span);
        let value = value
            .and_then(|v| self.tensor_of(&v, span))
            .map(|t| self.floats(&t))
            .and_then(|t| self.broadcast_to(&t, axes, false, span));
        self.scope.initialising = None;
        self.results.calls = calls;
        std::mem::swap(&mut self.b, &mut self.init);
        let node = value?;
        self.init.output(nnc_graph::OutputKind::Initial, path, node);
        self.mark();
        Ok(())
    }

    /// The share of the learning rate that the trainer lowers, a scalar.
    pub fn lowered(&mut self) -> Tensor {
        self.scalar_slot(Plateau::SLOT, 1.0)
    }

    /// A scalar that the trainer writes, with its first value.
    pub fn scalar_slot(&mut self, path: &str, first: f64) -> Tensor {
        if let Some(known) = self.find_declared(path) {
            return known.tensor.clone();
        }
        let node = self.b.parameter(Role::Slot, path, Type::scalar(self.float()));
        let first = self.init.constant(first);
        self.init.output(nnc_graph::OutputKind::Initial, path, first);
        let tensor = self.tensor(node, Vec::new(), false);
        self.results.declare(Role::Slot, path, tensor.clone(), false);
        tensor
    }
}
