//! The files behind a source, for those who ask whether something has changed.

use crate::glob;
use crate::spec::{DataSpec, SourceSpec};
use std::fs;
use std::path::Path;

/// More folders of pictures than this are not looked at one by one.
const MOST_FOLDERS: usize = 1000;

/// The files that a spec reads, as far as their names are known without opening them: of a folder of pictures, the
/// folder and those in it.
pub(crate) fn files(spec: &DataSpec) -> Vec<String> {
    let mut out = Vec::new();
    for source in [Some(&spec.train), spec.valid.as_ref(), spec.test.as_ref()].into_iter().flatten() {
        match source {
            SourceSpec::Rows(_) | SourceSpec::Generator(_) => {}
            SourceSpec::Csv(csv) => {
                std::iter::once(&csv.path).chain(&csv.more).for_each(|path| expanded(path, &mut out));
            }
            SourceSpec::Text(text) => expanded(&text.path, &mut out),
            SourceSpec::Idx(idx) => out.extend(std::iter::once(&idx.inputs).chain(&idx.targets).cloned()),
            SourceSpec::Npy(npy) => out.extend(std::iter::once(&npy.inputs).chain(&npy.targets).cloned()),
            SourceSpec::Npz(npz) => out.push(npz.path.clone()),
            SourceSpec::Images(images) => {
                out.push(images.path.clone());
                let entries = fs::read_dir(Path::new(&images.path)).into_iter().flatten().flatten();
                let folders = entries.take(MOST_FOLDERS).filter(|e| e.file_type().is_ok_and(|t| t.is_dir()));
                let mut folders: Vec<String> =
                    folders.map(|e| e.path().to_string_lossy().into_owned()).collect();
                folders.sort();
                out.extend(folders);
            }
        }
    }
    out
}

fn expanded(path: &str, out: &mut Vec<String>) {
    out.extend(glob::expand(path, None).unwrap_or_else(|_| vec![path.to_string()]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{GeneratorKind, GeneratorSpec};

    #[test]
    fn files_are_named_without_opening_them() {
        let generated = SourceSpec::Generator(GeneratorSpec::new(GeneratorKind::Moons, 4));
        assert!(files(&DataSpec::new(generated)).is_empty());
        assert_eq!(files(&DataSpec::new(SourceSpec::csv("nowhere.csv"))), ["nowhere.csv"]);
    }
}
