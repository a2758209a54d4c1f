//! What programs are written with, known before any program is.

use nnc_model::PRELUDE;
use nnc_model::explain::{Definition, DefinitionKind, library};
use nnc_model::library::layer_names;
use nnc_syntax::SourceMap;
use nnc_train::{DataWords, data_words};
use std::collections::BTreeSet;

/// Texts that the command line has and this crate has not.
#[derive(Clone, Copy, Debug)]
pub struct Pages {
    /// What a statement says, as Markdown.
    pub statement: fn(&str) -> Option<String>,
}

/// The library of layers, losses, optimizers and all else that has a name before a program is read.
#[derive(Clone, Debug)]
pub struct Library {
    definitions: Vec<Definition>,
    /// The texts of the prelude, by their ids.
    pub(crate) sources: SourceMap,
    pub(crate) layers: BTreeSet<String>,
    pub(crate) words: DataWords,
    pub(crate) pages: Pages,
}

impl Default for Library {
    fn default() -> Self {
        Self::new()
    }
}

impl Library {
    /// Without pages about statements.
    pub fn new() -> Self {
        Self::with_pages(Pages { statement: |_| None })
    }

    /// Reads the library.
    pub fn with_pages(pages: Pages) -> Self {
        let mut sources = SourceMap::default();
        for (name, text) in PRELUDE {
            sources.add(*name, *text);
        }
        Self { definitions: library(), sources, layers: layer_names(), words: data_words(), pages }
    }

    /// The definition of this name.
    pub fn find(&self, name: &str) -> Option<&Definition> {
        let at = self.definitions.binary_search_by(|d| d.name.as_str().cmp(name)).ok()?;
        self.definitions.get(at)
    }

    /// All definitions, in the order of their names.
    pub fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.definitions.iter()
    }
}

/// What a person would call a definition.
pub(crate) fn kind_word(kind: DefinitionKind) -> &'static str {
    match kind {
        DefinitionKind::Layer => "layer",
        DefinitionKind::Function => "function",
        DefinitionKind::Optimizer => "optimizer",
        DefinitionKind::Initialiser => "initialiser",
    }
}
