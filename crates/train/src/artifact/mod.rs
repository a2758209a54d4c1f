//! What a run leaves on the disk.

pub(crate) mod checkpoint;
pub(crate) mod import;
pub(crate) mod run_folder;
pub(crate) mod weights;
