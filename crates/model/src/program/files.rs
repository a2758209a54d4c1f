//! The files that `use` names.

use crate::declarations::attributes;
use crate::elaborate::scope::Globals;
use crate::program::prelude::{define, is_definition};
use nnc_syntax::ast::{Program, StmtKind};
use nnc_syntax::{Code, Diagnostic, SourceMap, parse};

/// How deep files may use files.
pub(crate) const USE_DEPTH: usize = 16;

/// Reads the files that `use` names: their definitions count, anything else is ignored with a warning.
pub(crate) struct Used<'a> {
    pub files: &'a dyn Fn(&str) -> Result<String, String>,
    pub known: Vec<String>,
    pub diagnostics: &'a mut Vec<Diagnostic>,
}

impl Used<'_> {
    pub fn all(&mut self, sources: &mut SourceMap, globals: &mut Globals, program: &Program, depth: usize) {
        for stmt in &program.stmts {
            let StmtKind::Use { path, path_span } = &stmt.kind else { continue };
            if self.known.contains(path) {
                continue;
            }
            self.known.push(path.clone());
            let text = match (self.files)(path) {
                Ok(text) if depth < USE_DEPTH => text,
                Ok(_) => {
                    let d = Diagnostic::error(Code::N0214, "files use files too deep").label(*path_span, "");
                    self.diagnostics.push(d);
                    continue;
                }
                Err(why) => {
                    let d =
                        Diagnostic::error(Code::N0214, format!("cannot use `{path}`")).label(*path_span, why);
                    self.diagnostics.push(d.help("the path is relative to this file"));
                    continue;
                }
            };
            let id = sources.add(path.as_str(), text.as_str());
            let parsed = parse(&text, id);
            self.diagnostics.extend(parsed.diagnostics);
            attributes::check(&parsed.program, self.diagnostics);
            self.all(sources, globals, &parsed.program, depth + 1);
            define(globals, &parsed.program);
            let ignored = parsed.program.stmts.iter().find(|s| {
                !is_definition(&s.kind) && !matches!(s.kind, StmtKind::Use { .. } | StmtKind::Error)
            });
            if let Some(stmt) = ignored {
                let d =
                    Diagnostic::warning(Code::N0215, format!("`{path}` is used for its definitions only"))
                        .label(stmt.span, "this statement has no effect here");
                self.diagnostics.push(d);
            }
        }
    }
}
