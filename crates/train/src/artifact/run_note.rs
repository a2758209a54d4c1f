//! What is known of a run beside its model: `run.json`.

use crate::binding::load::{LoadOptions, Loaded};
use crate::engine::Engine;
use nnc_graph::DType;
use nnc_model::Model;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What `run.json` says beside the model: where the data was, and how the run went.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RunNote {
    /// The version of nnc.
    pub(crate) nnc: String,
    /// The program as it was named.
    pub(crate) spec: String,
    /// The folder where the program's relative paths begin.
    pub(crate) base: PathBuf,
    /// `--data`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<PathBuf>,
    /// The fold, from 1, and how many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fold: Option<(usize, usize)>,
    /// `--memory`, and whether it left the rows on disk, where they are shuffled in runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) on_disk: bool,
    /// `--as`, and the parameters of `--set`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) experiment: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) set: Vec<(String, String)>,
    pub(crate) seed: u64,
    pub(crate) shuffle: bool,
    /// Empty for the one that computes where nothing is said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) engine: String,
    pub(crate) precision: String,
    pub(crate) threads: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) init: Option<PathBuf>,
    pub(crate) epochs: u64,
    pub(crate) steps: u64,
    pub(crate) seconds: f64,
    pub(crate) weights: usize,
    pub(crate) stop: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) best_epoch: Option<u64>,
    /// `null` where it is no number.
    pub(crate) loss: Option<f64>,
    pub(crate) metrics: Vec<(String, Option<f64>)>,
    /// Loss and metrics of the validation part and of the test part, with the weights that are kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) valid: Vec<(String, Option<f64>)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) test: Vec<(String, Option<f64>)>,
}

/// Why a run stopped whose numbers became none.
pub(crate) const DIVERGED: &str = "diverged";

/// What `run.json` calls the engine that means every operation.
const REFERENCE: &str = "reference";

/// What it calls the devices of JAX.
const XLA: &str = "xla";

impl RunNote {
    /// What is known before the first step.
    pub(crate) fn new(
        loaded: &Loaded,
        model: &Model,
        engine: &Engine,
        shuffle: bool,
        init: Option<&Path>,
    ) -> Self {
        let absolute = |p: &Path| std::path::absolute(p).unwrap_or_else(|_| p.to_path_buf());
        let LoadOptions { data, base, fold, .. } = &loaded.options;
        let base = if base.as_os_str().is_empty() { Path::new(".") } else { base };
        let data = data.as_ref().map(|p| if p == "-" { PathBuf::from(p) } else { absolute(Path::new(p)) });
        Self {
            nnc: env!("CARGO_PKG_VERSION").into(),
            spec: loaded.spec.sources.get(loaded.spec.source).name.clone(),
            base: absolute(base),
            data,
            fold: fold.map(|(i, k)| (i + 1, k)),
            memory: loaded.options.memory_limit,
            on_disk: loaded.data.train.is_on_disk(),
            experiment: loaded.spec.overrides().experiment.clone(),
            set: loaded.spec.overrides().set.clone(),
            seed: model.settings.seed,
            shuffle,
            engine: match engine {
                Engine::Cpu => String::new(),
                Engine::Reference => REFERENCE.into(),
                Engine::Xla(_) => XLA.into(),
            },
            precision: if model.step.float == DType::F64 { "f64" } else { "f32" }.into(),
            init: init.map(absolute),
            ..Self::default()
        }
    }

    /// The fold it was trained on, from 0, and how many there are.
    pub(crate) fn fold(&self) -> Option<(usize, usize)> {
        self.fold.and_then(|(i, k)| Some((i.checked_sub(1)?, k)))
    }

    /// What computed.
    pub(crate) fn engine(&self) -> Engine {
        match self.engine.as_str() {
            REFERENCE => Engine::Reference,
            XLA => Engine::Xla(Arc::default()),
            _ => Engine::Cpu,
        }
    }

    pub(crate) fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The note beside a model file, where there is one.
    pub(crate) fn beside(model: &Path) -> Option<Self> {
        let path = model.parent()?.join("run.json");
        if std::fs::metadata(&path).ok()?.len() > 1 << 20 {
            return None;
        }
        serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
    }
}
