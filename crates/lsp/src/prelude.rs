//! The prelude as files that an editor can open: its texts are part of the binary.

use crate::uri::uri_of;
use lsp_types::Uri;
use nnc_model::PRELUDE;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the files lie: below the folder that the system has for what can be made anew.
fn folder() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| set("LOCALAPPDATA"));
    let cache = cache.or_else(|| set("HOME").map(|home| home.join(".cache")));
    cache.unwrap_or_else(std::env::temp_dir).join("nnc").join(env!("CARGO_PKG_VERSION"))
}

/// Whether a file is one of these.
pub(crate) fn is_prelude(path: &Path) -> bool {
    path.starts_with(folder().join("prelude"))
}

/// A file of the prelude, such as `prelude/layers.nn`; written where it is not there, and read-only.
pub(crate) fn file(name: &str) -> Option<Uri> {
    let (name, text) = PRELUDE.iter().find(|(n, _)| *n == name)?;
    let path = folder().join(name);
    if fs::read_to_string(&path).ok().as_deref() != Some(*text) {
        fs::create_dir_all(path.parent()?).ok()?;
        nnc_artifact::write_atomic(&path, text.as_bytes()).ok()?;
        let mut permissions = fs::metadata(&path).ok()?.permissions();
        permissions.set_readonly(true);
        // It can be read all the same.
        let _ = fs::set_permissions(&path, permissions);
    }
    uri_of(&path)
}
