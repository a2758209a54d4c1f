//! A program that an editor has open, and what is known of it.

use crate::library::Library;
use crate::shift::Shift;
use crate::text::Text;
use nnc_model::explain::{Definition, definitions};
use nnc_model::{LayerRow, PRELUDE, Port};
use nnc_syntax::ast::{Program, Stmt, StmtKind};
use nnc_syntax::{Diagnostic, Head, Lexeme, SourceId, SourceMap, Span, lexemes, parse};
use nnc_train::{ColumnStats, DataCache, Loaded, find};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// So often a program is read again without the statements that are wrong.
const ROUNDS: usize = 4;

/// A program that is open.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it is called.
    pub name: String,
    /// The folder where its paths begin.
    pub base: PathBuf,
    /// The version that the editor counts.
    pub version: i32,
    /// What stands in it.
    pub text: Text,
    /// What was found when it was looked at last; perhaps of an older text.
    pub seen: Option<Seen>,
    pub(crate) source: SourceId,
    pub(crate) program: Program,
    pub(crate) pieces: Vec<Lexeme>,
    pub(crate) own: Vec<Definition>,
    pub(crate) library: Rc<Library>,
}

/// What is known of a program when it was looked at, with its data. Plain values: it is made in another thread.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The text that was looked at.
    pub text: String,
    /// Its version.
    pub version: i32,
    /// Mistakes, warnings and notes.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that they point into.
    pub sources: SourceMap,
    /// Which of these is the program.
    pub source: SourceId,
    /// The steps of the network, as far as they can be told.
    pub rows: Vec<LayerRow>,
    /// What the data gives to the network, its inputs first.
    pub ports: Vec<Port>,
    /// The columns of the data that are read.
    pub columns: Vec<ColumnStats>,
    /// The columns that are not.
    pub dropped: Vec<String>,
    /// Definitions of the files that the program uses.
    pub used: Vec<Definition>,
}

/// A text that is to be looked at.
#[derive(Clone, Debug)]
pub struct Job {
    /// What it is called.
    pub name: String,
    /// The folder where its paths begin.
    pub base: PathBuf,
    /// Its version.
    pub version: i32,
    /// What stands in it.
    pub text: String,
}

impl Document {
    /// A program of this name, whose paths begin in its folder.
    pub fn new(name: impl Into<String>, text: impl Into<String>, library: &Library) -> Self {
        Self::open(name.into(), 0, Text::new(text), Rc::new(library.clone()))
    }

    pub(crate) fn open(name: String, version: i32, text: Text, library: Rc<Library>) -> Self {
        let base = Path::new(&name).parent().map(Path::to_path_buf).unwrap_or_default();
        let mut out = Self {
            name,
            base,
            version,
            text: Text::default(),
            seen: None,
            source: SourceId(PRELUDE.len() as u16),
            program: Program::default(),
            pieces: Vec::new(),
            own: Vec::new(),
            library,
        };
        out.set(version, text);
        out
    }

    /// Gives it another text; what was seen of the one before stays known.
    pub fn set(&mut self, version: i32, text: Text) {
        self.version = version;
        self.program = parse(text.as_str(), self.source).program;
        self.pieces = lexemes(text.as_str(), self.source);
        let mut sources = self.library.sources.clone();
        sources.add(self.name.as_str(), text.as_str());
        self.own = definitions(&sources, &self.program);
        self.text = text;
    }

    /// What is to be looked at.
    pub fn job(&self) -> Job {
        let text = self.text.as_str().to_string();
        Job { name: self.name.clone(), base: self.base.clone(), version: self.version, text }
    }

    /// Looks at it at once.
    pub fn look(&mut self, cache: &mut DataCache) {
        self.seen = Some(self.job().look(cache));
    }

    /// Whether what is known is about this text.
    pub fn is_current(&self) -> bool {
        self.seen.as_ref().is_some_and(|seen| seen.version == self.version)
    }

    /// The definition of a name: the program's own, or the library's.
    pub fn definition(&self, name: &str) -> Option<&Definition> {
        let used = || self.seen.as_ref()?.used.iter().find(|d| d.name == name);
        self.own.iter().find(|d| d.name == name).or_else(used).or_else(|| self.library.find(name))
    }

    /// The steps of the network with their places in this text; of an older text those that were not touched.
    pub(crate) fn rows(&self) -> Vec<(Span, &LayerRow)> {
        let Some(seen) = &self.seen else { return Vec::new() };
        let shift = Shift::between(&seen.text, self.text.as_str());
        let own = seen.rows.iter().filter(|row| row.span.source == seen.source);
        own.filter_map(|row| Some((shift.of(row.span)?, row))).collect()
    }

    /// The columns of the data, as far as they are known.
    pub(crate) fn columns(&self) -> &[ColumnStats] {
        self.seen.as_ref().map_or(&[], |seen| &seen.columns)
    }

    /// The piece that a place is in or at the end of; a word rather than a sign.
    pub(crate) fn piece(&self, offset: usize) -> Option<Lexeme> {
        let first = self.pieces.partition_point(|p| (p.span.end as usize) < offset);
        let near = self.pieces.get(first..).unwrap_or(&[]).iter().take(3);
        let near = near.filter(|p| p.span.start as usize <= offset && offset <= p.span.end as usize);
        near.max_by_key(|p| match p.kind {
            nnc_syntax::LexemeKind::Word => 2,
            nnc_syntax::LexemeKind::Newline => 0,
            _ => 1,
        })
        .copied()
    }

    /// The characters of a span of this text.
    pub(crate) fn words(&self, span: Span) -> &str {
        self.text.slice(span.start as usize, span.end as usize)
    }
}

impl Job {
    /// Looks at the text: all that `nnc check` says, and what is known of its network and data. Data is read where
    /// `cache` does not have it.
    pub fn look(&self, cache: &mut DataCache) -> Seen {
        let mut found = find(&self.name, &self.text, &self.base, cache);
        if let Some(python) = nnc_port::answer(&self.name, &self.text) {
            found.diagnostics = vec![python];
        }
        let mut seen = Seen {
            text: self.text.clone(),
            version: self.version,
            diagnostics: found.diagnostics,
            sources: found.sources,
            source: found.source,
            rows: Vec::new(),
            ports: Vec::new(),
            columns: Vec::new(),
            dropped: Vec::new(),
            used: Vec::new(),
        };
        seen.used();
        match (found.loaded, found.model) {
            (Some(loaded), Some(model)) => {
                seen.rows = model.layers;
                seen.know(&loaded);
            }
            (Some(loaded), None) => {
                seen.rows = loaded.spec.rows(&loaded.ports);
                seen.know(&loaded);
            }
            (None, _) => self.without_mistakes(&mut seen, cache),
        }
        seen
    }

    /// Reads the program without the statements that are wrong: what stands before the first of them is as it
    /// would be with it.
    fn without_mistakes(&self, seen: &mut Seen, cache: &mut DataCache) {
        let program = parse(&self.text, seen.source).program;
        let mut text = self.text.clone();
        let mut wrong: Vec<Diagnostic> = seen.diagnostics.clone();
        let mut first = usize::MAX;
        for _ in 0..ROUNDS {
            let places = wrong.iter().filter(|d| d.is_error()).filter_map(|d| d.labels.first());
            let places: Vec<Span> = places.map(|l| l.span).filter(|s| s.source == seen.source).collect();
            let holds = |stmt: &&Stmt| {
                stmt.kind == StmtKind::Error
                    || places.iter().any(|p| stmt.span.start <= p.start && p.start <= stmt.span.end)
            };
            let mut gone = false;
            for stmt in program.stmts.iter().filter(holds) {
                let (start, end) = (stmt.span.start as usize, stmt.span.end as usize);
                if text.get(start..end).is_none_or(|words| words.trim().is_empty()) {
                    continue;
                }
                gone = true;
                if is_step(stmt, &self.text) {
                    first = first.min(start);
                }
                let blank = |b: u8| if b == b'\n' { '\n' } else { ' ' };
                let blanks: String = text[start..end].bytes().map(blank).collect();
                text.replace_range(start..end, &blanks);
            }
            if !gone {
                return;
            }
            let found = find(&self.name, &text, &self.base, cache);
            if let Some(loaded) = found.loaded {
                seen.rows = found.model.map_or_else(|| loaded.spec.rows(&loaded.ports), |model| model.layers);
                seen.rows.retain(|row| (row.span.end as usize) <= first);
                seen.know(&loaded);
                return;
            }
            wrong = found.diagnostics;
        }
    }
}

/// Whether what follows a statement may have another shape without it.
fn is_step(stmt: &Stmt, text: &str) -> bool {
    let words = text.get(stmt.span.start as usize..stmt.span.end as usize).unwrap_or("");
    let word = words.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
    match (&stmt.kind, Head::of(word)) {
        (StmtKind::Error, Some(head)) => !head.is_setting() && head != Head::Stop && head != Head::Expect,
        (StmtKind::Setting { .. } | StmtKind::Stop(_) | StmtKind::Expect { .. } | StmtKind::LossIs(_), _) => {
            false
        }
        _ => true,
    }
}

impl Seen {
    /// Reads the definitions of the files that stand behind the program among the texts.
    fn used(&mut self) {
        for id in (0..self.sources.len()).skip(usize::from(self.source.0) + 1) {
            let Ok(id) = u16::try_from(id).map(SourceId) else { return };
            let program = parse(&self.sources.get(id).text, id).program;
            self.used.extend(definitions(&self.sources, &program));
        }
    }

    fn know(&mut self, loaded: &Loaded) {
        self.ports = loaded.ports.inputs.iter().chain(&loaded.ports.targets).cloned().collect();
        self.columns = loaded.data.stats.columns.clone();
        self.dropped = loaded.data.dropped.clone();
    }
}
