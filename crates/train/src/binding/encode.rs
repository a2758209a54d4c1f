//! Rows that come after training, by the statistics of training.

use crate::binding::load::{LoadOptions, Opener, no_data};
use crate::binding::marks::Marks;
use crate::binding::source::{Sources, replaced};
use crate::memory;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_data::{
    Cells, Dialect, Fault, GeneratorSpec, Handle, Limits, Role, RowPlace, SourceSpec, Stats, Table,
};
use nnc_model::Spec;
use nnc_model::data::Part;
use nnc_syntax::units::{count, grouped};
use nnc_syntax::{Code, Diagnostic, SourceMap, Span};
use std::path::{Path, PathBuf};

/// What rows are encoded for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// To be compared with their targets.
    Measure,
    /// To be predicted; targets are read where they are there.
    Predict,
    /// To be predicted; targets are not read.
    Answer,
}

/// Data that a trained model is asked about.
pub(crate) struct Asked {
    source: SourceSpec,
    marks: Marks,
    texts: SourceMap,
    limits: Limits,
}

/// The data of `--data`, or else the whole training source of a program, every row in the order of the file.
///
/// # Errors
/// There is none, or the program does not say well what it is.
pub(crate) fn asked(stats: &Stats, spec: &Spec, options: &LoadOptions, data: Option<&str>) -> Outcome<Asked> {
    let limits = Limits { memory: memory::limit(options.memory_limit) };
    let texts = spec.sources.clone();
    if let Some(path) = data.or(options.data.as_deref()) {
        let train = spec.data.iter().find(|d| d.part == Part::Train);
        let mut marks = Marks::default();
        let mut diagnostics = Vec::new();
        let declared = train.and_then(|decl| {
            let base = PathBuf::new();
            let mut sources = Sources { base: &base, marks: &mut marks, diagnostics: &mut diagnostics };
            sources.source(decl).ok()
        });
        let source = replaced(declared, path);
        return Ok(Asked { source, marks: Marks::default(), texts, limits });
    }
    let mut opener = Opener::new(spec, options);
    let Some(source) = opener.part(Part::Train) else {
        if opener.diagnostics.is_empty() {
            opener.diagnostics.push(no_data(spec));
        }
        return Err(Problem::at(ProblemKind::Data, opener.diagnostics, &spec.sources));
    };
    let source = match source {
        // What a generator draws depends on the number of inputs, which the roles may have said.
        SourceSpec::Generator(g) if g.dims.is_none() => {
            let dims = stats.columns.iter().filter(|c| c.role == Role::Input).count();
            SourceSpec::Generator(GeneratorSpec { dims: Some(dims), ..g })
        }
        other => other,
    };
    Ok(Asked { source, marks: opener.marks, texts, limits })
}

/// How the program says that its table is written.
pub(crate) fn dialect(spec: &Spec) -> Dialect {
    let (base, mut marks, mut diagnostics) = (PathBuf::new(), Marks::default(), Vec::new());
    let mut sources = Sources { base: &base, marks: &mut marks, diagnostics: &mut diagnostics };
    let train = spec.data.iter().find(|d| d.part == Part::Train);
    match train.and_then(|decl| sources.source(decl).ok()) {
        Some(SourceSpec::Csv(csv)) => csv.dialect,
        _ => Dialect::default(),
    }
}

impl Asked {
    /// What it is called.
    pub(crate) fn name(&self) -> String {
        match &self.source {
            SourceSpec::Csv(csv) => csv.path.clone(),
            _ => "the data".into(),
        }
    }

    /// Whether it can be read only once.
    pub(crate) fn is_stdin(&self) -> bool {
        matches!(&self.source, SourceSpec::Csv(csv) if csv.path == "-")
    }

    /// The file and line of a row of cells, `iris.csv:34`; nothing where it has none.
    pub(crate) fn place(&self, place: &RowPlace) -> String {
        if let (Some(path), Some(line)) = (&place.path, place.line) {
            // A run names its files by their whole paths.
            let here = std::env::current_dir().ok();
            let near = here.and_then(|here| Path::new(path).strip_prefix(here).ok().map(Path::to_path_buf));
            return format!("{}:{line}", near.as_deref().unwrap_or(Path::new(path)).display());
        }
        let place = place.handle.and_then(|h| self.marks.span(h)).map(|span| self.texts.place(span));
        place.and_then(|p| Some(p.rsplit_once(':')?.0.to_string())).unwrap_or_default()
    }

    /// The cells as they stand in the file; `None` where the data is no text.
    pub(crate) fn cells(&self, stats: &Stats) -> Outcome<Option<Cells>> {
        Cells::open(&self.source, stats, &self.limits).map_err(|f| self.problem(&f))
    }

    /// Where rows stand, which are given ascending, from 0.
    ///
    /// # Errors
    /// The source cannot be read any more.
    pub(crate) fn places(&self, stats: &Stats, rows: &[usize]) -> Outcome<Vec<Option<RowPlace>>> {
        nnc_data::places(&self.source, stats, &self.limits, rows).map_err(|f| self.problem(&f))
    }

    /// What a mark of the program stands for.
    pub(crate) fn span(&self, handle: Handle) -> Option<Span> {
        self.marks.span(handle)
    }

    /// The rows in the encoding of a model.
    ///
    /// # Errors
    /// They cannot be read, or have not the columns the model was trained on.
    pub(crate) fn table(&self, stats: &Stats, purpose: Purpose) -> Outcome<Table> {
        let inputs = || nnc_data::encode_inputs(stats, &self.source, &self.limits);
        let whole = || nnc_data::encode_with(stats, &self.source, &self.limits);
        let table = match purpose {
            Purpose::Measure => whole(),
            // The last window of a series is the one that is asked for, and nothing is known after it.
            Purpose::Answer => inputs(),
            Purpose::Predict if stats.window.is_some() => inputs(),
            // What comes from stdin can be read once only.
            Purpose::Predict if self.is_stdin() => whole(),
            // Targets that are not filled in yet are no mistake.
            Purpose::Predict => whole().or_else(|faults| inputs().map_err(|_| faults)),
        };
        table.map_err(|f| self.problem(&f))
    }

    /// What is to be said about how it was read.
    pub(crate) fn notes(&self, table: &Table) -> Vec<Diagnostic> {
        self.marks.diagnostics(table.notes())
    }

    /// What is said about rows without an answer, where there are any.
    pub(crate) fn unanswered(&self, table: &Table, rows: usize) -> Option<Diagnostic> {
        if rows == 0 {
            return None;
        }
        let all = count(table.len() as u64, if table.is_windowed() { "window" } else { "row" });
        let has = if rows == 1 { "has" } else { "have" };
        let message = format!("{} of {all} {has} no answer", grouped(rows as u64));
        let mut d = Diagnostic::warning(Code::N0558, message);
        for fault in table.gaps() {
            d = d.cause(unanswered(fault));
        }
        let told = table.gaps().len();
        if table.gaps_count() > told {
            d = d.cause(format!("and {} more rows", grouped((table.gaps_count() - told) as u64)));
        }
        let width = |f: &&Fault| f.code == Code::N0501;
        if table.gaps().iter().any(|f| width(&f)) {
            d = d.help(
                "a row has a cell for every column of the header, an empty one where there is nothing to say",
            );
        }
        if !table.gaps().iter().all(|f| width(&f)) {
            d = d.help(
                "`missing=mean` and `unknown=other` in the program give such rows an answer, once it is trained again",
            );
        }
        Some(d)
    }

    fn problem(&self, faults: &[Fault]) -> Box<Problem> {
        Problem::at(ProblemKind::Data, self.marks.diagnostics(faults), &self.texts)
    }
}

/// `new.csv:3: row 2: training never saw `zz` in `c``
fn unanswered(fault: &Fault) -> String {
    let place = fault.place.as_ref();
    let line = match (&fault.path, place.and_then(|p| p.line)) {
        (Some(path), Some(line)) => format!("{path}:{line}: "),
        (Some(path), None) => format!("{path}: "),
        (None, _) => String::new(),
    };
    let row = place.and_then(|p| p.row).map_or(String::new(), |row| format!("row {}: ", grouped(row)));
    let label = fault.label.as_ref().map_or(String::new(), |l| format!(" ({l})"));
    format!("{line}{row}{}{label}", fault.message)
}

/// Whether statistics are of the same data; from where its files were seen is of no concern.
pub(crate) fn same_data(a: &Stats, b: &Stats) -> bool {
    let bare = |stats: &Stats| {
        let mut stats = stats.clone();
        let schema = &mut stats.schema;
        schema.inputs.iter_mut().chain(&mut schema.targets).for_each(|p| p.about.clear());
        stats
    };
    bare(a) == bare(b)
}

/// A mistake in what was given beside the program.
pub(crate) fn fault_problem(fault: &Fault) -> Box<Problem> {
    let diagnostics = Marks::default().diagnostics(std::slice::from_ref(fault));
    Problem::at(ProblemKind::Data, diagnostics, &nnc_syntax::SourceMap::default())
}
