//! What a run needs to go on as if it had never stopped.
//!
//! `checkpoint.safetensors` holds weights, states and optimizer slots under `<role>/<path>`, the best weights so
//! far under `best/<role>/<path>`, the history, the sums of an epoch that is not over, where the later stages began, and
//! what a solver remembers; its metadata is the model's card with the note of the run. Random numbers and the order of the rows follow from the seed, the
//! epoch and the step, so these need no place of their own.

use crate::artifact::card::ModelCard;
use crate::artifact::run_folder::{MODEL, resolve_model};
use crate::artifact::run_note::RunNote;
use crate::artifact::weights;
use crate::binding::encode::same_data;
use crate::binding::load::{LoadOptions, Loaded};
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_artifact::{Tensor, TensorFile, Values};
use nnc_backend::State;
use nnc_data::Stats;
use nnc_graph::{DType, Role};
use nnc_model::Spec;
use nnc_syntax::{Code, Diagnostic};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name of the checkpoint in a run's folder.
pub(crate) const CHECKPOINT: &str = "checkpoint.safetensors";
/// The figures of all epochs.
pub(crate) const HISTORY: &str = "history";
/// The sums of an epoch that is not over.
pub(crate) const SUMS: &str = "sums";
/// The epochs and steps after which the later stages began.
pub(crate) const STAGES: &str = "stages";
const RUN: &str = "nnc.run";

/// A run that can go on.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// The folder of the run.
    pub folder: PathBuf,
    /// The program, as it was trained.
    pub spec: Spec,
    /// Where its data was.
    pub origin: LoadOptions,
    /// The precision it trained in.
    pub float: DType,
    /// Whether every epoch had an order of its own.
    pub shuffle: bool,
    /// The epoch that had begun last, from 1.
    pub epoch: u64,
    /// The steps done.
    pub step: u64,
    /// What else is known of the run; of one that goes on, as it began.
    pub(crate) note: RunNote,
    on_disk: bool,
    stats: Stats,
    file: Arc<TensorFile>,
}

/// How long a run that goes on shall be in all, where not as long as it was to be.
#[derive(Clone, Copy, Debug, Default)]
pub struct Longer {
    /// Passes over the data.
    pub epochs: Option<u64>,
    /// Steps of one batch.
    pub steps: Option<u64>,
}

/// Opens the checkpoint of a run: of its folder, its model file, or a program's newest run.
///
/// # Errors
/// There is none, or it is damaged.
pub fn open_checkpoint(run: &Path, longer: Longer) -> Outcome<Checkpoint> {
    let direct = run.join(CHECKPOINT);
    let path = if direct.is_file() { direct } else { resolve_model(run)?.with_file_name(CHECKPOINT) };
    if !path.is_file() {
        let message = format!("there is no `{}` to go on from", path.display());
        let d = Diagnostic::error(Code::N0605, message);
        return Err(Problem::new(
            ProblemKind::Io,
            d.help("the folder of a run that `nnc train` wrote has one"),
        ));
    }
    let file = weights::read(&path, None)?;
    let bad = |what: String| {
        let d = Diagnostic::error(Code::N0605, format!("`{}` is no checkpoint of nnc", path.display()));
        Problem::new(ProblemKind::Io, d.cause(what))
    };
    let mut card = ModelCard::load(&file).map_err(bad)?;
    let note: Option<RunNote> = file.metadata.get(RUN).and_then(|text| serde_json::from_str(text).ok());
    let note = note.ok_or_else(|| bad(format!("its metadata has no readable `{RUN}`")))?;
    let stats = Stats::from_json(&card.stats).map_err(bad)?;
    if longer.epochs.is_some() || longer.steps.is_some() {
        (card.overrides.epochs, card.overrides.steps) = (longer.epochs, longer.steps);
    }
    let spec = Spec::read(&card.name, &card.spec, &card.overrides).map_err(|(diagnostics, sources)| {
        Box::new(Problem { kind: ProblemKind::Spec, diagnostics, sources })
    })?;
    let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let data = note.data.as_ref().map(|p| p.to_string_lossy().into_owned());
    Ok(Checkpoint {
        folder,
        spec,
        origin: LoadOptions { data, fold: note.fold(), base: note.base.clone(), memory_limit: note.memory },
        on_disk: note.on_disk,
        float: if note.precision == "f64" { DType::F64 } else { DType::F32 },
        shuffle: note.shuffle,
        note,
        epoch: card.epoch,
        step: card.step,
        stats,
        file: Arc::new(file),
    })
}

impl Checkpoint {
    /// That the data is what it was.
    ///
    /// # Errors
    /// It is not, or lies elsewhere: the run would not be the same any more.
    pub(crate) fn check(&self, loaded: &Loaded) -> Outcome<()> {
        if same_data(&loaded.data.stats, &self.stats) {
            return self.check_place(loaded);
        }
        let d = Diagnostic::error(Code::N0513, "the data has changed since this run began");
        let model = self.folder.join(MODEL);
        let d =
            d.help(format!("a new run can start from its weights: nnc train … --init {}", model.display()));
        Err(Problem::new(ProblemKind::Data, d))
    }

    /// That the rows lie where they did: those on disk are shuffled in another way.
    fn check_place(&self, loaded: &Loaded) -> Outcome<()> {
        if !self.shuffle || loaded.data.train.is_on_disk() == self.on_disk {
            return Ok(());
        }
        let (then, now) = if self.on_disk { ("on disk", "in memory") } else { ("in memory", "on disk") };
        let message =
            format!("the rows of this run lay {then}, and now they lie {now}: their order would change");
        let limit = self.origin.memory_limit.map(|bytes| format!(" (it was {bytes} bytes)"));
        let help = format!("--memory decides; leave it as it was{}", limit.unwrap_or_default());
        Err(Problem::new(ProblemKind::Data, Diagnostic::error(Code::N0605, message).help(help)))
    }

    /// Puts everything back into a state; the best weights into another, if there are any.
    pub(crate) fn restore(&self, state: &mut dyn State, best: Option<&mut dyn State>) -> Outcome<()> {
        self.fill(state, "")?;
        match best {
            Some(best) if self.file.tensors.keys().any(|name| name.starts_with("best/")) => {
                self.fill(best, "best/")
            }
            _ => Ok(()),
        }
    }

    fn fill(&self, state: &mut dyn State, prefix: &str) -> Outcome<()> {
        let entries = state.entries().to_vec();
        for e in entries.iter().filter(|e| prefix.is_empty() || weights::matters(e)) {
            let name = name(prefix, e.role, &e.name);
            let tensor = self.file.tensors.get(&name).filter(|t| t.shape == e.dims);
            let (Some(tensor), Some(mut to)) = (tensor, state.get_mut(e.role, &e.name)) else {
                let message = format!("the checkpoint in `{}` holds no `{name}`", self.folder.display());
                let d = Diagnostic::error(Code::N0605, message);
                return Err(Problem::new(
                    ProblemKind::Io,
                    d.help("it was written by another version of nnc"),
                ));
            };
            to.write((0..tensor.values.len()).filter_map(|i| tensor.values.get(i)));
        }
        Ok(())
    }

    /// The figures of all epochs, row after row.
    pub(crate) fn history(&self) -> Vec<f64> {
        self.numbers(HISTORY)
    }

    /// Loss and metrics summed over the rows of the present epoch so far.
    pub(crate) fn sums(&self) -> Vec<f64> {
        self.numbers(SUMS)
    }

    /// The epochs and steps after which the later stages began, as far as they did.
    pub(crate) fn stages(&self) -> Vec<(u64, u64)> {
        self.numbers(STAGES).chunks_exact(2).map(|at| (at[0] as u64, at[1] as u64)).collect()
    }

    /// Other numbers by name; none where the checkpoint lacks them.
    pub(crate) fn numbers(&self, name: &str) -> Vec<f64> {
        let values = self.file.tensors.get(name).map(|t| &t.values);
        (0..values.map_or(0, Values::len)).filter_map(|i| values?.get(i)).collect()
    }
}

fn name(prefix: &str, role: Role, path: &str) -> String {
    format!("{prefix}{}/{path}", role.name())
}

/// The bytes of a checkpoint.
pub(crate) fn bytes(
    state: &dyn State,
    best: Option<&dyn State>,
    numbers: Vec<(&str, Vec<f64>)>,
    card: &ModelCard,
    note: &RunNote,
) -> Vec<u8> {
    let mut file = TensorFile::default();
    for (prefix, state) in [("", Some(state)), ("best/", best)] {
        let Some(state) = state else { continue };
        for (e, slice) in state.iter().filter(|(e, _)| prefix.is_empty() || weights::matters(e)) {
            let tensor = Tensor { shape: e.dims.clone(), values: weights::values(slice) };
            file.tensors.insert(name(prefix, e.role, &e.name), tensor);
        }
    }
    for (name, values) in numbers {
        let tensor = Tensor { shape: vec![values.len()], values: Values::F64(values) };
        file.tensors.insert(name.into(), tensor);
    }
    card.store(&mut file);
    file.metadata.insert(RUN.into(), note.json());
    file.to_bytes()
}
