//! A program's text with the definitions of the files it uses.

use crate::program::files::USE_DEPTH;
use crate::program::prelude::is_definition;
use crate::program::spec::Spec;
use nnc_syntax::ast::StmtKind;
use nnc_syntax::{SourceId, Span, parse};

impl Spec {
    /// The text with the definitions of used files in the place of their `use`, so that it needs no other file.
    pub fn whole_text(&self) -> String {
        let text = self.text();
        let mut out = String::new();
        let mut at = 0;
        for (span, definitions) in self.used() {
            out.push_str(&text[at..span.start as usize]);
            out.push_str(&definitions);
            at = span.end as usize;
        }
        out.push_str(&text[at..]);
        out
    }

    /// Every `use` of the program, with the definitions that can stand in its place.
    pub fn used(&self) -> Vec<(Span, String)> {
        let uses = self.program.stmts.iter().filter_map(|stmt| match &stmt.kind {
            StmtKind::Use { path, .. } => {
                Some((stmt.span, format!("# from {path}\n{}", self.definitions_of(path, 0))))
            }
            _ => None,
        });
        uses.collect()
    }

    fn definitions_of(&self, path: &str, depth: usize) -> String {
        let ids = (0..u16::MAX).map(SourceId).take_while(|id| id.0 < self.sources.len() as u16);
        let Some(id) =
            ids.skip(self.first_user_source as usize + 1).find(|&id| self.sources.get(id).name == path)
        else {
            return String::new();
        };
        let mut out = String::new();
        for stmt in parse(&self.sources.get(id).text, id).program.stmts {
            match &stmt.kind {
                StmtKind::Use { path, .. } if depth < USE_DEPTH => {
                    out += &self.definitions_of(path, depth + 1)
                }
                kind if is_definition(kind) => {
                    out += self.sources.slice(stmt.span);
                    out.push('\n');
                }
                _ => {}
            }
        }
        out
    }
}
