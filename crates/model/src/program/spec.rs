//! A program as it is read: definitions, parameters, data, settings; before its data is known.

use crate::declarations::attributes;
use crate::declarations::data::{Literal, PortDecl};
use crate::declarations::settings::Settings;
use crate::elaborate::elab::Elab;
use crate::elaborate::frame::Frame;
use crate::elaborate::scope::Globals;
use crate::program::files::Used;
use crate::program::name_check::NameCheck;
use crate::program::names;
use crate::program::prelude::{LIBRARY, PRELUDE, define};
use crate::program::reader::Reader;
use nnc_graph::DType;
use nnc_syntax::ast::{Block, Dataset, Program, Stmt, StmtKind};
use nnc_syntax::{Diagnostic, SourceId, SourceMap, parse};
use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// What the command line says over the program.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Overrides {
    /// `--set hidden=32`
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<(String, String)>,
    /// `--as deep`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<String>,
    /// `--epochs`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u64>,
    /// `--steps`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// `--batch`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<usize>,
    /// `--seed`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl Overrides {
    /// Puts the command line's numbers over the program's.
    pub(crate) fn apply(&self, settings: &mut Settings) {
        if self.epochs.is_some() || self.steps.is_some() {
            (settings.epochs, settings.steps) = (self.epochs, self.steps);
        }
        if let Some(batch) = self.batch {
            (settings.batch, settings.whole) = (batch.saturating_mul(settings.accumulate), false);
        }
        settings.seed = self.seed.unwrap_or(settings.seed);
    }
}

/// A program that was read.
#[derive(Clone, Debug)]
pub struct Spec {
    /// All texts, for showing places.
    pub sources: SourceMap,
    /// The user's text.
    pub source: SourceId,
    /// The user's statements.
    pub program: Program,
    /// The data sources in the order of the file, with their values.
    pub data: Vec<Dataset<Literal>>,
    /// `input` and `target` declarations.
    pub ports: Vec<PortDecl>,
    /// Settings that are known without the data.
    pub settings: Settings,
    /// The values of all parameters.
    pub params: Vec<(String, String)>,
    /// The names of the experiments.
    pub experiments: Vec<String>,
    /// Warnings and notes so far.
    pub diagnostics: Vec<Diagnostic>,
    pub(crate) overrides: Overrides,
    pub(crate) globals: Rc<Globals>,
    pub(crate) first_user_source: u16,
}

impl Spec {
    /// Reads a program.
    ///
    /// # Errors
    /// Every mistake that shows without the data, with the texts to show places in.
    pub fn read(name: &str, text: &str, overrides: &Overrides) -> Result<Spec, (Vec<Diagnostic>, SourceMap)> {
        Self::read_with(name, text, overrides, &|path| Err(format!("`{path}` cannot be read from here")))
    }

    /// As [`Spec::read`], with the files that `use "blocks.nn"` names; `files` returns the text of a path that is
    /// relative to the program, or says why it cannot.
    ///
    /// # Errors
    /// As [`Spec::read`].
    pub fn read_with(
        name: &str,
        text: &str,
        overrides: &Overrides,
        files: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<Spec, (Vec<Diagnostic>, SourceMap)> {
        let (mut sources, mut globals) = LIBRARY.with(|library| library.clone());
        let first_user_source = PRELUDE.len() as u16;
        let source = sources.add(name, text);
        let set: Vec<(SourceId, &(String, String))> = overrides
            .set
            .iter()
            .map(|kv| (sources.add(format!("--set {}={}", kv.0, kv.1), kv.1.clone()), kv))
            .collect();
        let parsed = parse(text, source);
        let mut diagnostics = parsed.diagnostics;
        let mut used = Used { files, known: Vec::new(), diagnostics: &mut diagnostics };
        used.all(&mut sources, &mut globals, &parsed.program, 0);
        names::check(&globals.library, &sources, &parsed.program, &mut diagnostics);
        attributes::check(&parsed.program, &mut diagnostics);
        define(&mut globals, &parsed.program);

        let globals = Rc::new(globals);
        let mut reader = Reader {
            e: Elab::new(&sources, first_user_source, globals, DType::F32, true),
            frame: Frame::top(),
            data: Vec::new(),
            ports: Vec::new(),
            experiments: Vec::new(),
        };
        reader.params(&parsed.program, overrides, &set);
        for stmt in &parsed.program.stmts {
            if let Err(stop) = reader.declaration(stmt) {
                reader.e.report(stop);
            }
        }
        overrides.apply(&mut reader.e.results.top.settings);
        diagnostics.append(&mut reader.e.session.diagnostics);
        let Reader { e, data, ports, experiments, .. } = reader;
        let (globals, settings) = (e.scope.globals, e.results.top.settings);
        if diagnostics.iter().any(Diagnostic::is_error) {
            let check = NameCheck {
                sources: &sources,
                first_user_source,
                globals,
                program: &parsed.program,
                ports: &ports,
            };
            let more = check.names(&diagnostics);
            diagnostics.extend(more);
            // In the order of the file; what has no place there comes last.
            diagnostics.sort_by_key(|d| {
                let place = d.labels.first().map(|l| l.span).filter(|s| s.source == source);
                place.map_or(u32::MAX, |span| span.start)
            });
            nnc_syntax::limit(&mut diagnostics);
            return Err((diagnostics, sources));
        }
        let params = globals.params.iter().map(|(n, v)| (n.clone(), v.to_string())).collect();
        Ok(Spec {
            sources,
            source,
            program: parsed.program,
            data,
            ports,
            settings,
            params,
            experiments: experiments.into_iter().map(|(n, _)| n.text).collect(),
            diagnostics,
            overrides: overrides.clone(),
            globals,
            first_user_source,
        })
    }

    /// Misspelt words, found without the data: for when that cannot be read.
    pub fn wrong_names(&self) -> Vec<Diagnostic> {
        let check = NameCheck {
            sources: &self.sources,
            first_user_source: self.first_user_source,
            globals: self.globals.clone(),
            program: &self.program,
            ports: &self.ports,
        };
        check.names(&[])
    }

    /// What the command line says over the program.
    pub fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    /// The blocks of the further stages of the training.
    pub fn stages(&self) -> Vec<&Block> {
        fn blocks<'a>(stmts: &'a [Stmt], out: &mut Vec<&'a Block>) {
            for stmt in stmts {
                match &stmt.kind {
                    StmtKind::Then(block) => out.push(block),
                    StmtKind::Repeat { body, .. } => blocks(&body.stmts, out),
                    StmtKind::If { then, otherwise, .. } => {
                        blocks(&then.stmts, out);
                        otherwise.iter().for_each(|block| blocks(&block.stmts, out));
                    }
                    _ => {}
                }
            }
        }
        let mut out = Vec::new();
        blocks(&self.program.stmts, &mut out);
        out
    }

    /// The text as the user wrote it.
    pub fn text(&self) -> &str {
        &self.sources.get(self.source).text
    }
}
