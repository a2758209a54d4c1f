//! A run that is trained again, from what its folder says.

use crate::artifact::checkpoint::{Checkpoint, Longer, open_checkpoint};
use crate::artifact::run_folder::MODEL;
use crate::artifact::run_note::RunNote;
use crate::binding::load::{LoadOptions, Loaded, load};
use crate::fit::report::TrainOptions;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_model::Model;
use nnc_syntax::{Code, Diagnostic};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A run's program and data, as they were.
pub(crate) struct Again {
    pub(crate) folder: PathBuf,
    /// What it came to; `None` where it has not ended.
    pub(crate) note: Option<RunNote>,
    /// How it began.
    begun: RunNote,
    pub(crate) loaded: Loaded,
    pub(crate) model: Model,
    shuffle: bool,
    memory: Option<u64>,
}

impl Again {
    /// Opens a run's folder, or the newest run of a program.
    ///
    /// # Errors
    /// There is no such run; its data is gone or has changed.
    pub(crate) fn open(run: &Path, memory_limit: Option<u64>) -> Outcome<Self> {
        let checkpoint: Checkpoint = open_checkpoint(run, Longer::default())?;
        let folder = checkpoint.folder.clone();
        if checkpoint.origin.data.as_deref() == Some("-") {
            let message =
                format!("the rows of the run in `{}` came from stdin, and are gone", folder.display());
            return Err(refused(message, "train from a file, and it can be run again".into()));
        }
        let memory = memory_limit.or(checkpoint.origin.memory_limit);
        let loaded = load(
            checkpoint.spec.clone(),
            &LoadOptions { memory_limit: memory, ..checkpoint.origin.clone() },
        )?;
        checkpoint.check(&loaded)?;
        let model = loaded.model(checkpoint.float)?;
        let note = RunNote::beside(&folder.join(MODEL));
        let begun = checkpoint.note.clone();
        Ok(Self { folder, note, begun, loaded, model, shuffle: checkpoint.shuffle, memory })
    }

    /// How it is trained again; nothing is written.
    pub(crate) fn options(&self, threads: usize, interrupt: &Arc<AtomicBool>) -> TrainOptions {
        TrainOptions {
            engine: self.begun.engine(),
            threads,
            init: self.begun.init.clone(),
            shuffle: self.shuffle,
            memory_limit: self.memory,
            interrupt: interrupt.clone(),
            write: false,
            ..TrainOptions::default()
        }
    }
}

/// A run that cannot be asked this.
pub(crate) fn refused(message: String, help: String) -> Box<Problem> {
    Problem::new(ProblemKind::Usage, Diagnostic::error(Code::N0605, message).help(help))
}
