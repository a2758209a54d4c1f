//! A training as exporters are given it.

use crate::artifact::weights;
use crate::execute::runner::inference;
use crate::infer::decode::Decoder;
use crate::infer::inference::Trained;
use crate::problem::Outcome;
use nnc_artifact::{Tensor, TensorFile, Values};
use nnc_backend::Slice;
use nnc_export::stablehlo::Training;
use nnc_graph::passes::standard;
use nnc_graph::{Graph, Role};
use std::collections::BTreeMap;

impl Trained {
    /// The training with its graphs, and weights, states and slots by their names: the former two as they were
    /// trained, slots as they begin.
    ///
    /// # Errors
    /// As [`Trained::package`].
    pub fn training(&self) -> Outcome<(Training, TensorFile)> {
        let package = self.package()?;
        let (model, settings) = (&self.model, &self.model.settings);
        let graphs = [&package.graph, &model.eval, &model.step];
        let ports = |role| -> Outcome<_> {
            let mut all: BTreeMap<String, (usize, _)> = BTreeMap::new();
            for (graph, (name, id)) in
                graphs.iter().flat_map(|g: &&Graph| g.parameters(role).into_iter().map(move |p| (*g, p)))
            {
                if !all.contains_key(&*name) {
                    all.insert(name.to_string(), self.port(role, &name, graph.ty(id))?);
                }
            }
            let mut all: Vec<_> = all.into_values().collect();
            all.sort_by_key(|(at, _)| *at);
            Ok(all.into_iter().map(|(_, input)| input).collect())
        };
        let decoder = Decoder::new(&self.stats, &self.ports, model);
        let about = model.outputs.iter().map(|o| decoder.target_of(o));
        let about = about.map(|t| t.map(|at| self.ports.targets[at].name.clone()));
        let rows = usize::try_from(self.stats.rows).unwrap_or(usize::MAX).max(1);
        let piece = settings.piece().max(1);
        let batch = piece.min(rows);
        let rest = (rows % settings.batch.max(1)) % piece;
        let program = package.about.iter().find(|(key, _)| key == "program").map(|(_, p)| p.as_str());
        let program = program.unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
        let training = Training {
            name: package.name.clone(),
            program: program.into(),
            predict: package.graph.clone(),
            eval: standard(&model.eval),
            step: standard(&model.step),
            init: standard(&model.init),
            inputs: ports(Role::Input)?,
            targets: ports(Role::Target)?,
            answers: package.answers.into_iter().zip(about).collect(),
            seed: settings.seed,
            batch,
            rest: (rest > 0 && rest != batch).then_some(rest),
            pieces: settings.accumulate.max(1),
            rows: self.stats.rows,
            steps: settings.total_steps(rows),
            solver: model.solver.is_some(),
            stages: model.later.len() + 1,
            taken: (self.epoch, self.step),
        };
        Ok((training, self.first_values()?))
    }

    /// Weights and states as they were trained, slots as they begin.
    fn first_values(&self) -> Outcome<TensorFile> {
        let layout = inference(&self.model, 0)?;
        let (mut state, _) = weights::initial(&self.model, &*layout, self.model.settings.seed, None)?;
        weights::load(&mut *state, &self.file, &self.path)?;
        let tensors = state.iter().map(|(entry, values)| {
            let values = match values {
                Slice::F32(v) => Values::F32(v.to_vec()),
                Slice::F64(v) => Values::F64(v.to_vec()),
            };
            (entry.name.to_string(), Tensor { shape: entry.dims.clone(), values })
        });
        Ok(TensorFile { tensors: tensors.collect(), ..TensorFile::default() })
    }
}
