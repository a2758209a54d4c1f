//! A training as the exporter of C is given it.

use crate::infer::inference::Trained;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_export::Weights;
use nnc_export::c::Lesson;
use nnc_graph::OutputKind;
use nnc_graph::passes::standard;
use nnc_syntax::{Code, Diagnostic};

impl Trained {
    /// The training step with weights and states as they were trained, and the optimizer's memory as it begins.
    ///
    /// # Errors
    /// As [`Trained::package`]; a step that is computed in pieces.
    pub fn lesson(&self) -> Outcome<Lesson> {
        let (training, file) = self.training()?;
        if training.pieces > 1 {
            let message = "a step of this training is computed in pieces, which one step of C is not";
            let d = Diagnostic::error(Code::N0702, message).help("leave out `accumulate=`, or --train");
            return Err(Problem::new(ProblemKind::Usage, d));
        }
        let mut step = training.step;
        step.retain_outputs(|o| matches!(o.kind, OutputKind::Objective | OutputKind::Update));
        let state = file.tensors.into_iter().map(|(name, tensor)| {
            let values = (0..tensor.values.len()).filter_map(|i| tensor.values.get(i)).collect();
            (name, Weights { dims: tensor.shape, values })
        });
        Ok(Lesson {
            step: standard(&step),
            batch: training.batch,
            seed: training.seed,
            targets: training.targets,
            state: state.collect(),
        })
    }
}
