//! What a model file says about itself.

use nnc_artifact::TensorFile;
use nnc_model::Overrides;

/// The version of the metadata.
const FORMAT: &str = "1";

/// What a model needs beside its weights, to be used again.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct ModelCard {
    /// The name of the program.
    pub(crate) name: String,
    /// The program.
    pub(crate) spec: String,
    /// What the command line said over it.
    pub(crate) overrides: Overrides,
    /// The statistics of the data, as JSON.
    pub(crate) stats: String,
    /// The epoch the weights are of, from 1.
    pub(crate) epoch: u64,
    /// The number of steps they have taken.
    pub(crate) step: u64,
}

impl ModelCard {
    /// Writes the card into the metadata of a file.
    pub(crate) fn store(&self, file: &mut TensorFile) {
        // A list of strings and numbers has a JSON form.
        let overrides = serde_json::to_string(&self.overrides).unwrap_or_default();
        let entries = [
            ("nnc.format", FORMAT.to_string()),
            ("nnc.language", "1".to_string()),
            ("nnc.name", self.name.clone()),
            ("nnc.spec", self.spec.clone()),
            ("nnc.overrides", overrides),
            ("nnc.stats", self.stats.clone()),
            ("nnc.epoch", self.epoch.to_string()),
            ("nnc.step", self.step.to_string()),
        ];
        file.metadata.extend(entries.into_iter().map(|(k, v)| (k.to_string(), v)));
    }

    /// Reads the card of a file.
    ///
    /// # Errors
    /// What is missing, damaged, or newer than this program.
    pub(crate) fn load(file: &TensorFile) -> Result<Self, String> {
        let text = |key: &str| {
            let value = file.metadata.get(key).cloned();
            value.ok_or_else(|| format!("its metadata has no `{key}`: it holds weights, but no model"))
        };
        let number = |key: &str| {
            let value = text(key)?;
            value.parse::<u64>().map_err(|_| format!("`{key}` in its metadata is no number: {value:.40}"))
        };
        let spec = text("nnc.spec")?;
        for (key, known) in [("nnc.format", FORMAT), ("nnc.language", "1")] {
            let version = text(key)?;
            if version != known {
                return Err(format!("its `{key}` is {version:.40}, and this program knows {known}"));
            }
        }
        let overrides = serde_json::from_str(&text("nnc.overrides")?)
            .map_err(|e| format!("`nnc.overrides` in its metadata is damaged: {e}"))?;
        Ok(Self {
            name: text("nnc.name")?,
            spec,
            overrides,
            stats: text("nnc.stats")?,
            epoch: number("nnc.epoch")?,
            step: number("nnc.step")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_reads_back() {
        let card = ModelCard {
            name: "xor.nn".into(),
            spec: "dense 1\n".into(),
            overrides: Overrides {
                set: vec![("hidden".into(), "32".into())],
                seed: Some(3),
                ..Overrides::default()
            },
            stats: "{}".into(),
            epoch: 5,
            step: 5,
        };
        let mut file = TensorFile::default();
        card.store(&mut file);
        assert_eq!(ModelCard::load(&file), Ok(card));
        file.metadata.insert("nnc.format".into(), "7".into());
        assert!(ModelCard::load(&file).is_err_and(|e| e.contains("knows 1")));
        assert!(ModelCard::load(&TensorFile::default()).is_err_and(|e| e.contains("no model")));
    }
}
