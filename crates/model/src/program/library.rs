//! What the prelude defines, without any program.

use crate::program::prelude::PRELUDE;
use nnc_syntax::ast::StmtKind;
use nnc_syntax::{SourceId, parse};
use std::collections::BTreeSet;

/// The names of the layers of the prelude. A layer may be written as a step or as a call, which mean the same;
/// the formatter writes the step.
pub fn layer_names() -> BTreeSet<String> {
    let programs = PRELUDE.iter().map(|(_, text)| parse(text, SourceId::default()).program);
    let stmts = programs.flat_map(|program| program.stmts);
    let names = stmts.filter_map(|stmt| match stmt.kind {
        StmtKind::Layer(def) => Some(def.name.text),
        _ => None,
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_layers() {
        let names = layer_names();
        assert!(["dense", "conv", "lstm", "batchnorm"].iter().all(|n| names.contains(*n)), "{names:?}");
        assert!(!names.contains("relu") && !names.contains("adam"));
    }
}
