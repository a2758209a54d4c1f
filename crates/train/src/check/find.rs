//! All that is to be said about a program before it is trained: what `nnc check` says.

use crate::binding::cache::DataCache;
use crate::binding::load::{LoadOptions, Loaded, load_again};
use nnc_graph::DType;
use nnc_model::{Model, Overrides, PRELUDE, Spec};
use nnc_syntax::{Diagnostic, SourceId, SourceMap};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// A program longer than this is no program.
const LONGEST: u64 = 16 << 20;

/// What was found.
#[derive(Debug)]
pub struct Findings {
    /// Mistakes, warnings and notes, each once.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts they point into.
    pub sources: SourceMap,
    /// Which of them is the program.
    pub source: SourceId,
    /// The program with its data, where both could be read.
    pub loaded: Option<Loaded>,
    /// Its graphs, where there is no mistake.
    pub model: Option<Model>,
}

/// Looks at a program whose paths begin in the folder `base`, as far as it can be read.
pub fn find(name: &str, text: &str, base: &Path, cache: &mut DataCache) -> Findings {
    let files = |path: &str| used(base, path);
    let source = SourceId(PRELUDE.len() as u16);
    let spec = match Spec::read_with(name, text, &Overrides::default(), &files) {
        Ok(spec) => spec,
        Err((diagnostics, sources)) => {
            return Findings { diagnostics, sources, source, loaded: None, model: None };
        }
    };
    let (sources, source) = (spec.sources.clone(), spec.source);
    let mut diagnostics = spec.diagnostics.clone();
    let options = LoadOptions { base: base.to_path_buf(), ..LoadOptions::default() };
    let (mut loaded, mut model) = (None, None);
    let more = match load_again(spec, &options, cache) {
        Err(problem) => problem.diagnostics,
        Ok(with_data) => {
            diagnostics.extend(with_data.notes.iter().cloned());
            let built = with_data.model(DType::F32);
            loaded = Some(with_data);
            match built {
                Ok(mut built) => {
                    let found = std::mem::take(&mut built.diagnostics);
                    model = Some(built);
                    found
                }
                Err(problem) => problem.diagnostics,
            }
        }
    };
    for d in more {
        if !diagnostics.contains(&d) {
            diagnostics.push(d);
        }
    }
    Findings { diagnostics, sources, source, loaded, model }
}

/// The text of a file that a program uses, or why there is none.
///
/// # Errors
/// A sentence that says what is wrong with the file.
#[allow(clippy::wildcard_enum_match_arm, reason = "the system has many errors")]
pub fn used(base: &Path, path: &str) -> Result<String, String> {
    let file = base.join(path);
    let shown = file.display();
    let opened = File::open(&file).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => format!("there is no file `{shown}`"),
        _ => format!("`{shown}` cannot be read: {e}"),
    })?;
    let mut bytes = Vec::new();
    opened.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|e| format!("`{shown}` cannot be read: {e}"))?;
    if bytes.len() as u64 > LONGEST {
        return Err(format!("`{shown}` cannot be read: a program has at most {} MiB", LONGEST >> 20));
    }
    String::from_utf8(bytes).map_err(|_| format!("`{shown}` is not text (UTF-8)"))
}
