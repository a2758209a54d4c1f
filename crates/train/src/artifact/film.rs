//! The weights of a small network at some epochs, for the report: `film.safetensors`.

use crate::artifact::card::ModelCard;
use crate::artifact::weights;
use crate::memory;
use nnc_artifact::{Tensor, TensorFile};
use nnc_backend::State;
use nnc_graph::Role;
use std::collections::BTreeMap;
use std::path::Path;

/// The name of the file in a run's folder.
pub(crate) const FILM: &str = "film.safetensors";
/// Networks with more weights have no film.
pub(crate) const WEIGHTS: usize = 5000;
/// What stands before the number of an epoch, in the names of tensors.
const EPOCH: &str = "epoch-";

/// Weights and states of some epochs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Film {
    file: TensorFile,
}

impl Film {
    /// An empty film of a model.
    pub(crate) fn new(card: &ModelCard) -> Self {
        let mut film = Self::default();
        card.store(&mut film.file);
        film
    }

    /// Whether an epoch is in the film: the first, and each that is about √2 times the one before. That does not depend
    /// on how many there will be.
    pub(crate) fn wants(epoch: u64) -> bool {
        let squared = epoch.saturating_mul(epoch);
        let power = squared.checked_next_power_of_two().unwrap_or(u64::MAX);
        // The least whole number from a power of √2 on.
        let before = (epoch - 1).saturating_mul(epoch - 1);
        squared == power || before < power / 2 && power / 2 <= squared && epoch > 1
    }

    /// Adds the weights and states of an epoch.
    pub(crate) fn add(&mut self, epoch: u64, state: &dyn State) {
        for (entry, slice) in state.iter().filter(|(e, _)| matches!(e.role, Role::Weight | Role::State)) {
            let tensor = Tensor { shape: entry.dims.clone(), values: weights::values(slice) };
            self.file.tensors.insert(format!("{EPOCH}{epoch}/{}", entry.name), tensor);
        }
    }

    /// Takes over the epochs of a run that goes on, as far as it is gone; how many it is to have may have changed.
    pub(crate) fn go_on(&mut self, folder: &Path, until: u64) {
        self.file.tensors = Self::of(folder, &self.file, &["nnc.spec", "nnc.stats"], until).file.tensors;
    }

    /// The bytes of the file; `None` of an empty film.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        (!self.file.tensors.is_empty()).then(|| self.file.to_bytes())
    }

    /// The film in a folder, of the model with this metadata; empty where there is none.
    pub(crate) fn read(folder: &Path, model: &TensorFile) -> Self {
        Self::of(folder, model, &["nnc.spec", "nnc.overrides", "nnc.stats"], u64::MAX)
    }

    /// The film in a folder up to an epoch, where it agrees with a model in what is asked.
    fn of(folder: &Path, model: &TensorFile, asked: &[&str], until: u64) -> Self {
        let read = TensorFile::read(&folder.join(FILM), memory::limit(None));
        let agrees =
            |file: &TensorFile| asked.iter().all(|key| file.metadata.get(*key) == model.metadata.get(*key));
        let mut file = read.ok().filter(agrees).unwrap_or_default();
        file.tensors.retain(|name, _| epoch_of(name).is_some_and(|(epoch, _)| epoch <= until));
        Self { file }
    }

    /// The files of weights of every epoch, in their order.
    pub(crate) fn frames(self) -> BTreeMap<u64, TensorFile> {
        let mut out: BTreeMap<u64, TensorFile> = BTreeMap::new();
        for (name, tensor) in self.file.tensors {
            if let Some((epoch, path)) = epoch_of(&name) {
                out.entry(epoch).or_default().tensors.insert(path.to_string(), tensor);
            }
        }
        out
    }
}

/// The epoch of a tensor, and its own name.
fn epoch_of(name: &str) -> Option<(u64, &str)> {
    let (epoch, path) = name.strip_prefix(EPOCH)?.split_once('/')?;
    Some((epoch.parse().ok()?, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_film_has_few_epochs() {
        let epochs: Vec<u64> = (1..400).filter(|e| Film::wants(*e)).collect();
        assert_eq!(epochs, [1, 2, 3, 4, 6, 8, 12, 16, 23, 32, 46, 64, 91, 128, 182, 256, 363]);
        assert!((1..=1_000_000).filter(|e| Film::wants(*e)).count() < 42);
    }
}
