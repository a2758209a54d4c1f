//! Looking for wrong names where shapes are unknown: in a program with other mistakes, or without its data.
//!
//! Every statement runs on broken values, which is silent about everything but names, so that one run tells all
//! misspelt words of a file.

use crate::declarations::data::PortDecl;
use crate::declarations::settings::Loss;
use crate::elaborate::elab::Elab;
use crate::elaborate::frame::Frame;
use crate::elaborate::scope::Globals;
use crate::elaborate::value::Value;
use crate::program::names::{binds, check_names};
use nnc_graph::DType;
use nnc_syntax::ast::{Dataset, Program, StmtKind, WordKind};
use nnc_syntax::{Code, Diagnostic, SourceMap, Span};
use std::rc::Rc;

/// What there is to look at.
pub(crate) struct NameCheck<'a> {
    pub sources: &'a SourceMap,
    pub first_user_source: u16,
    pub globals: Rc<Globals>,
    pub program: &'a Program,
    pub ports: &'a [PortDecl],
}

impl NameCheck<'_> {
    /// The misspelt words that `known` does not tell of already.
    pub(crate) fn names(&self, known: &[Diagnostic]) -> Vec<Diagnostic> {
        let mut e = Elab::new(self.sources, self.first_user_source, self.globals.clone(), DType::F32, true);
        e.scope.binds = binds(self.sources, self.program);
        let mut frame = Frame::top();
        let mut poison = |name: &str| frame.set(name, Value::Poison);
        ["input", "target"].into_iter().for_each(&mut poison);
        self.ports.iter().for_each(|p| poison(&p.name));
        for stmt in &self.program.stmts {
            match &stmt.kind {
                StmtKind::Data(dataset) => columns(dataset).into_iter().for_each(&mut poison),
                // What a broken statement would have named is not unknown.
                StmtKind::Error => self.words(stmt.span).for_each(&mut poison),
                _ => {}
            }
        }
        frame.it = Some(Value::Poison);
        // What is said about settings needs no shapes, so all of it holds.
        let mut settings = Vec::new();
        for stmt in &self.program.stmts {
            let before = e.session.diagnostics.len();
            e.top_statement(&mut frame, stmt);
            let sure =
                matches!(stmt.kind, StmtKind::Setting { .. } | StmtKind::Stop(_) | StmtKind::Expect { .. });
            if sure {
                settings.extend(e.session.diagnostics.drain(before..));
            }
        }
        frame.set("output", Value::Poison);
        frame.set("weights", Value::Poison);
        check_names(&mut e, &mut frame);
        if let Some(Loss::Chain(chain, span)) = e.results.top.loss.clone() {
            e.at(span);
            if let Err(stop) = e.chain(&mut frame, &chain) {
                e.report(stop);
            }
        }
        let place = |d: &Diagnostic| d.labels.first().map(|l| l.span);
        let reported = |d: &Diagnostic| {
            known.iter().any(|k| {
                let (Some(a), Some(b)) = (place(k), place(d)) else { return false };
                a.source == b.source && a.start < b.end && b.start < a.end
            })
        };
        let about_names = |d: &Diagnostic| {
            matches!(
                d.code,
                Code::N0201 | Code::N0202 | Code::N0203 | Code::N0209 | Code::N0219 | Code::N0220
            )
        };
        let names = e.session.diagnostics.into_iter().filter(about_names);
        names.chain(settings).filter(|d| !reported(d)).collect()
    }

    /// The names that a broken statement seems to give: before `=` and `:=`, and after words that define.
    fn words(&self, span: Span) -> impl Iterator<Item = &str> {
        const DEFINE: [&str; 9] = ["fn", "layer", "rule", "init", "param", "shared", "weight", "state", "as"];
        let text = self.sources.slice(span);
        let part = |c: char| c.is_alphanumeric() || c == '_';
        let mut before = "";
        text.split(move |c: char| !part(c)).filter(move |word| {
            if word.is_empty() {
                return false;
            }
            let defined = DEFINE.contains(&before);
            before = word;
            let after = word.as_ptr() as usize - text.as_ptr() as usize + word.len();
            let rest = text[after..].trim_start();
            let bound = rest.starts_with(":=")
                || rest.starts_with(',')
                || rest.starts_with('=') && !rest.starts_with("==");
            word.starts_with(|c: char| c.is_alphabetic() || c == '_') && (defined || bound)
        })
    }
}

/// The words of a data block: columns are tensors of their own when a program asks for them.
fn columns(dataset: &Dataset) -> Vec<&str> {
    let rows = dataset.rows.iter().flatten();
    rows.flat_map(|row| &row.words)
        .filter_map(|w| match &w.kind {
            WordKind::Name { name, value: None } => Some(name.text.as_str()),
            _ => None,
        })
        .collect()
}
