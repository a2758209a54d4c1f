//! Helpers of the tests.
#![allow(dead_code, clippy::print_stdout)]

use std::path::PathBuf;

use nnc_data::{Dataset, Fault, PortId, Table};

/// A file of the shared data, or `None` (with a message) where it is absent.
pub(crate) fn shared(name: &str) -> Option<String> {
    let folder = std::env::var_os("NNC_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = folder.join(name);
    if path.exists() {
        return Some(path.to_string_lossy().into_owned());
    }
    println!("skipped: {} is not there", path.display());
    None
}

/// Writes a file into a folder and gives its path.
pub(crate) fn write(folder: &tempfile::TempDir, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_string_lossy().into_owned()
}

/// Every row of a port.
pub(crate) fn all(table: &Table, port: PortId) -> Vec<f64> {
    let rows: Vec<u32> = (0..table.len() as u32).collect();
    let mut out = vec![0.0; rows.len() * table.width(port).unwrap()];
    table.gather_f64(port, &rows, &mut out).unwrap();
    out
}

/// One row of a port.
pub(crate) fn row(table: &Table, port: PortId, row: u32) -> Vec<f64> {
    let mut out = vec![0.0; table.width(port).unwrap()];
    table.gather_f64(port, &[row], &mut out).unwrap();
    out
}

/// The faults as lines of text, paths cut to the file's name.
pub(crate) fn lines(faults: &[Fault]) -> Vec<String> {
    faults
        .iter()
        .map(|f| {
            let text = f.to_string();
            match f.path.as_deref().and_then(|p| p.rsplit_once('/')) {
                Some((folder, _)) => text.replace(&format!("{folder}/"), ""),
                None => text,
            }
        })
        .collect()
}

/// The faults of something that must fail.
pub(crate) fn faults(result: Result<Dataset, Vec<Fault>>) -> Vec<String> {
    lines(&result.expect_err("this should have been a fault"))
}
