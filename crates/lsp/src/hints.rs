//! The shape behind every line that makes a tensor.

use crate::document::Document;
use crate::hover::shape;
use lsp_types::{InlayHint, InlayHintKind, InlayHintLabel};
use nnc_model::LayerRow;
use nnc_syntax::Span;
use std::collections::BTreeMap;
use std::ops::Range;

/// The hints of some lines, from 0.
pub fn hints(document: &Document, lines: Range<usize>) -> Vec<InlayHint> {
    // Of several steps in a line, the last one is what the line makes.
    let mut last: BTreeMap<usize, (Span, &LayerRow)> = BTreeMap::new();
    for (span, row) in document.rows() {
        let line = document.text.line_of(span.end as usize);
        let further = last.get(&line).is_none_or(|(known, _)| span.end >= known.end);
        if lines.contains(&line) && further {
            last.insert(line, (span, row));
        }
    }
    let hint = |(span, row): (Span, &LayerRow)| InlayHint {
        position: document.text.position(span.end as usize),
        label: InlayHintLabel::String(shape(&row.shape)),
        kind: Some(InlayHintKind::TYPE),
        text_edits: None,
        tooltip: None,
        padding_left: Some(true),
        padding_right: None,
        data: None,
    };
    last.into_values().map(hint).collect()
}
