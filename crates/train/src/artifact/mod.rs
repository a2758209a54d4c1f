//! What a run leaves on the disk: its folder, checkpoints, weights in and out.
//!
//! Invariant: uses `binding` and `execute` alone; every file is written by `nnc_artifact`'s atomic functions.

pub(crate) mod card;
pub(crate) mod checkpoint;
pub(crate) mod film;
pub(crate) mod import;
pub(crate) mod occupant;
pub(crate) mod run_folder;
pub(crate) mod run_note;
pub(crate) mod runs;
pub(crate) mod weights;
